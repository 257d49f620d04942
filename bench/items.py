"""The next items of real sessions: fastvec beside gensim, implicit and what needs no vectors.

Needs gensim and implicit (`pip install implicit`), and in FOLDER some of the files in `DATA`. The last item
of every session is asked about, given those before it. Settings are chosen by the item before the last, when
the last one is left out, and shown with three other seeds. Everybody has one thread, and times are those of
the processor, of fitting alone.

    OPENBLAS_NUM_THREADS=1 python bench/items.py --data FOLDER > bench/items.md
"""

import argparse
import datetime
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

import numpy as np
from measure import machine, timed
from tables import Record, about, place, record_table

import fastvec
from fastvec import evaluate
from fastvec.evaluate.recommenders import baselines

K, SEEDS, CHOOSING, ASKED = 10, (1, 2, 3), 0, 2000
CUSTOMERS = 1000
SIZE, COLUMNS = 100, "time | HR@10 | NDCG@10 | MRR"
NEW, NEW_COLUMNS = 0.1, "time | new answers | known answers | after a new item"

Sessions = list[list[str]]
Scorer = Callable[[int, list[str]], np.ndarray]  # of a session's number and its items, for all items
Settings = dict[str, Any]
Question = tuple[int, list[str], str]  # the number of a session, its items, and the right answer


# The data.


def groceries(path: Path) -> Sessions:
    """Read baskets, whose items are in alphabetical order, in a random one."""
    random = np.random.default_rng(0)
    lines = path.read_text(encoding="utf-8").splitlines()
    return [random.permutation([*dict.fromkeys(map(str.strip, line.split(",")))]).tolist() for line in lines]


def movies(path: Path) -> Sessions:
    """Read the films that each user has rated, whatever the rating, in the order of time."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    sessions: dict[str, list[str]] = {}
    for user, film, _, _ in sorted(rows, key=lambda row: int(row[3])):
        sessions.setdefault(user, []).append(film)
    return [*sessions.values()]


def purchases(path: Path) -> Sessions:
    """Read what the first customers have bought, one a line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines[:CUSTOMERS]]


def film_paths(path: Path) -> dict[str, str]:
    """Return genres, year and title of each film, as a path."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return {film: f"{genres}/{year}/{title}".replace(" ", "_") for film, title, year, genres in rows}


class Source(NamedTuple):
    """Sessions in a file, whether seen items are left out, the window, and paths of items."""

    title: str
    file: str
    read: Callable[[Path], Sessions]
    exclude_seen: bool
    window: int | None
    paths: Callable[[Path], dict[str, str]] | None = None


DATA = {
    "groceries": Source("Baskets of a grocery", "groceries.csv", groceries, True, None),
    "movies": Source(
        "Films of MovieLens 100K, in the order of their ratings", "ml-100k.inter", movies, True, 5, film_paths
    ),
    "purchases": Source(
        "What customers of a shop buy, again and again", "purchases.txt", purchases, False, 5
    ),
}


class Task:
    """A split of sessions, and scores of what recommends their last items."""

    def __init__(self, sessions: Sessions, exclude_seen: bool) -> None:
        split = evaluate.split_sessions(sessions)
        self.training, self.exclude_seen = split.training, exclude_seen
        self.corpus = fastvec.Corpus(self.training)
        self.items = [*map(str, self.corpus.vocabulary.words)]
        self.place = {item: place for place, item in enumerate(self.items)}
        asked = [
            (number, session[:-1], session[-1])
            for number, session in enumerate(sessions)
            if len(session) > 1
            and session[-1] in self.place
            and not (exclude_seen and session[-1] in session[:-1])
        ]
        chosen = np.random.default_rng(0).permutation(len(asked))[:ASKED]
        self.questions = [asked[number] for number in chosen]

    def scores(self, scorer: Scorer, questions: Sequence[Question] | None = None) -> dict[str, float]:
        """Return the scores of what recommends, among items of equal score with the right one last."""
        ranks = []
        for number, before, answer in self.questions if questions is None else questions:
            scores = np.array(scorer(number, before), np.float64)
            if self.exclude_seen:
                scores[[self.place[item] for item in before]] = -np.inf
            ranks.append((scores >= scores[self.place[answer]]).sum())
        rank = np.array(ranks, np.float64)
        rank[rank > K] = np.inf
        gains = {"HR@10": rank < np.inf, "NDCG@10": 1 / np.log2(1 + rank), "MRR": 1 / rank}
        return {name: 100 * float(gain.mean()) for name, gain in gains.items()}

    def rows(self, words: Sequence[str], matrix: np.ndarray) -> np.ndarray:
        """Return rows in the order of the items."""
        place = {word: row for row, word in enumerate(words)}
        return matrix[[place[item] for item in self.items]]

    def by_cosine(self, words: Sequence[str], matrix: np.ndarray) -> Scorer:
        """Return what recommends by cosines with the mean of the unit vectors of a session."""
        rows = self.rows(words, matrix)
        return self.by_products(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    def by_products(self, inputs: np.ndarray, outputs: np.ndarray | None = None) -> Scorer:
        """Return what recommends by products with the mean of a session."""
        outputs = inputs if outputs is None else outputs
        return lambda _, before: outputs @ inputs[[self.place[item] for item in before]].mean(axis=0)

    def user_items(self) -> Any:
        """Return how often each session has each item, as implicit takes it."""
        from scipy.sparse import csr_matrix

        rows = np.repeat(np.arange(len(self.training)), [*map(len, self.training)])
        columns = [self.place[item] for session in self.training for item in session]
        return csr_matrix(
            (np.ones(len(rows), np.float32), (rows, columns)), (len(self.training), len(self.items))
        )


# Who recommends: each is fitted by a seed and settings, and returns scorers by name.


def fastvecs(task: Task, seed: int, **settings: Any) -> dict[str, Scorer]:
    model = fastvec.SkipGram(**{"min_count": 1, "vector_size": SIZE, **settings}, seed=seed, threads=1).fit(
        task.corpus
    )
    words = [*map(str, model.vectors_.words)]
    order = [words.index(item) for item in task.items]
    return {
        "": lambda _, before: model.recommend(before, topn=None)[order],
        ", cosines": task.by_cosine(words, model.vectors_.vectors),
    }


def gensims(task: Task, seed: int, **settings: Any) -> dict[str, Scorer]:
    from gensim.models import Word2Vec

    model = Word2Vec(
        task.training,
        sg=1,
        min_count=1,
        vector_size=SIZE,
        seed=seed,
        workers=1,
        max_final_vocab=None,
        **settings,
    )
    words = model.wv.index_to_key
    inputs, outputs = (task.rows(words, matrix) for matrix in (model.wv.vectors, model.syn1neg))
    return {
        ", products": task.by_products(inputs, outputs),
        ", cosines": task.by_cosine(words, model.wv.vectors),
    }


def factors(name: str, task: Task, seed: int, **settings: Any) -> dict[str, Scorer]:
    from implicit.cpu import als, bpr

    kinds = {"ALS": als.AlternatingLeastSquares, "BPR": bpr.BayesianPersonalizedRanking}
    model = kinds[name](random_state=seed, num_threads=1, **settings)
    model.fit(task.user_items(), show_progress=False)
    return {"": lambda number, _: model.item_factors @ model.user_factors[number]}


def cosines(task: Task, seed: int, K: int) -> dict[str, Scorer]:
    from implicit.nearest_neighbours import CosineRecommender

    users, model = task.user_items(), CosineRecommender(K=K, num_threads=1)
    model.fit(users, show_progress=False)
    return {"": lambda number, _: np.asarray((users[number] @ model.similarity).todense())[0]}


def by_sessions(task: Task, recommend: Any, _: int, before: list[str]) -> np.ndarray:
    return recommend([np.array([task.place[item] for item in before])])[0]


Fit = Callable[..., dict[str, Scorer]]


class Contender(NamedTuple):
    """Who takes part: by name, with the settings that it chooses from on the items before the last."""

    name: str
    fit: Fit
    grid: Sequence[Settings] = ({},)

    def is_installed(self) -> bool:
        """Return whether there is the package whose name begins that of the contender."""
        return find_spec(self.name.partition(",")[0]) is not None


def grid(**values: Sequence[Any]) -> list[Settings]:
    return [dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())]


OWN = {"window": (None, 5), "epochs": (5, 20)}
BPR = {"loss": ("bpr",), "learning_rate": (0.0125, 0.025)}
CONTENDERS = (
    Contender("fastvec", fastvecs),
    Contender("fastvec, presets.items()", fastvecs, [fastvec.presets.items()]),
    Contender("fastvec, chosen", fastvecs, grid(**OWN)),
    Contender('fastvec, loss="bpr", chosen', fastvecs, grid(**OWN, **BPR)),
    Contender('fastvec, loss="bpr", window=None, chosen', fastvecs, grid(**OWN | {"window": (None,)}, **BPR)),
    Contender("gensim", gensims),
    Contender("gensim, chosen", gensims, grid(epochs=(5, 20))),
    Contender(
        "implicit, BPR, chosen", partial(factors, "BPR"), grid(factors=(32, 100), learning_rate=(0.01, 0.05))
    ),
    Contender("implicit, ALS, chosen", partial(factors, "ALS"), grid(factors=(16, 64), alpha=(1, 10))),
    Contender("implicit, cosines of items, chosen", cosines, grid(K=(20, 200))),
)


def chosen(contender: Contender, validation: Task) -> Settings:
    """Return the settings with the highest hit rate, none with which training diverges."""

    def hit_rate(settings: Settings) -> float:
        try:
            found = contender.fit(validation, CHOOSING, **settings)
        except FloatingPointError:
            return -1
        return validation.scores(next(iter(found.values())))["HR@10"]

    return contender.grid[0] if len(contender.grid) == 1 else max(contender.grid, key=hit_rate)


def entries(task: Task, validation: Task) -> Iterator[tuple[str, Settings, list[dict[str, float]]]]:
    """Yield the names of rows, the settings that were chosen, and scores for every seed."""
    for name, recommend in baselines(task.corpus).items():
        yield name, {}, [task.scores(partial(by_sessions, task, recommend))]
    for contender in filter(Contender.is_installed, CONTENDERS):
        settings = chosen(contender, validation)
        rows: dict[str, list[dict[str, float]]] = {}
        for seed in SEEDS:
            began = process_time()
            found = contender.fit(task, seed, **settings)
            seconds = process_time() - began
            for name, scorer in found.items():
                scores = {**task.scores(scorer), "seconds": seconds}
                rows.setdefault(contender.name + name, []).append(scores)
                print(contender.name + name, settings, scores, file=sys.stderr, flush=True)
        for name, scores in rows.items():
            yield name, settings if len(contender.grid) > 1 else {}, scores


# New items.


def new_items(
    task: Task, seed: int, window: int | None, paths: dict[str, str] | None
) -> Iterator[tuple[str, dict[str, float]]]:
    """Hold a tenth of the items out of training, add them in several ways, and yield the scores of each.

    Cosines are those with the mean of the last five items.
    """
    n_new = round(NEW * len(task.items))
    new = {*np.random.default_rng(seed).permutation(task.items)[:n_new].tolist()}
    settings = {
        "min_count": 1,
        "vector_size": SIZE,
        "window": window,
        "epochs": 20,
        "seed": seed,
        "threads": 1,
    }
    known = [[item for item in session if item not in new] for session in task.training]
    of_new = [question for question in task.questions if question[2] in new]
    of_known = [question for question in task.questions if question[2] not in new]
    after_new = [
        (number, [item for item in before if item in new][-1:], answer)
        for number, before, answer in of_known
        if new.intersection(before)
    ]

    def scored(scorer: Scorer, seconds: float | None = None) -> dict[str, Any]:
        asked = {"new answers": of_new, "known answers": of_known, "after a new item": after_new}
        hits = {name: task.scores(scorer, questions)["HR@10"] for name, questions in asked.items()}
        return {**hits, "seconds": seconds}

    def model_and_cosines(model: fastvec.SkipGram) -> tuple[Scorer, Scorer]:
        words = [*map(str, model.vectors_.words)]
        order = [words.index(item) for item in task.items]
        return (lambda _, before: model.recommend(before, topn=None)[order]), last_cosines(model.vectors_)

    def last_cosines(vectors: fastvec.Vectors) -> Scorer:
        by_cosine = task.by_cosine([*map(str, vectors.words)], vectors.vectors)
        return lambda number, before: by_cosine(number, before[-5:])

    whole, seconds = timed(fastvec.SkipGram(**settings).fit, task.training, clock=process_time)
    recommend, cosines_of_whole = model_and_cosines(whole)
    yield "trained with them", scored(recommend, seconds)
    model = fastvec.SkipGram(**settings).fit(known)
    vectors = model.vectors_
    found, of_inferring = timed(fastvec.infer, vectors, task.corpus, window=window, clock=process_time)
    mean = np.tile(vectors.vectors.mean(axis=0), (n_new, 1))
    if paths is not None:
        by_category, by_ngrams = of_paths(task, model, paths, known, settings)
        yield "the known items of its genres and year", scored(by_category)
        yield "FastText, of genres, year and title", scored(by_ngrams)
    more = model.set_params(epochs=5)
    _, seconds_more = timed(
        more.fit, task.training, update_vocabulary=True, freeze=vectors.words, clock=process_time
    )
    recommend, cosines_of_more = model_and_cosines(more)
    yield "fit(..., update_vocabulary=True, freeze=...)", scored(recommend, seconds_more)
    yield "trained with them, cosines", scored(cosines_of_whole, seconds)
    yield "fit(..., update_vocabulary=True, freeze=...), cosines", scored(cosines_of_more, seconds_more)
    yield "infer, cosines", scored(last_cosines(found), of_inferring)
    yield "mean of all vectors, cosines", scored(last_cosines(vectors.with_words(sorted(new), mean)))


def of_paths(
    task: Task, model: fastvec.SkipGram, paths: dict[str, str], known: Sessions, settings: Settings
) -> tuple[Scorer, Scorer]:
    """Return what recommends by the known items of the same folder, and by n-grams of paths."""
    words = [*map(str, model.vectors_.words)]
    folders: dict[str, list[str]] = {}
    for word in words:
        folders.setdefault(paths[word].rpartition("/")[0], []).append(word)
    named = fastvec.FastText(**settings, min_n=4, max_n=8, buckets=50_000)
    named.fit([[paths[item] for item in session] for session in known])

    def place(model: Any, items: list[str]) -> Any:
        return [model.vocabulary_.index.get(item, -1) for item in items]  # what is new is last, of 0

    of_words, of_paths = place(model, task.items), place(named, [paths[item] for item in task.items])

    def by_category(_: int, before: list[str]) -> np.ndarray:
        alike = [
            other
            for item in before
            for other in ([item] if item in words else folders.get(paths[item].rpartition("/")[0], words))
        ]
        return np.append(model.recommend(alike, topn=None), 0)[of_words]

    def by_ngrams(_: int, before: list[str]) -> np.ndarray:
        return np.append(named.recommend([paths[item] for item in before], topn=None), 0)[of_paths]

    return by_category, by_ngrams


def record_of(
    source: Source, task: Task, settings: Settings, rows: dict[str, list[dict[str, float]]]
) -> Record:
    return {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "data": f"{source.file}, {len(task.training):,} sessions of {len(task.items):,} items, "
        f"{len(task.questions):,} questions",
        "settings": settings,
        "rounds": len(SEEDS),
        "entries": [
            {
                "contender": name,
                "threads": 1,
                **{each: [score[each] for score in scores] for each in scores[0]},
            }
            for name, scores in rows.items()
        ],
    }


def show(source: Source, folder: Path) -> None:
    sessions = source.read(folder / source.file)
    task = Task(sessions, source.exclude_seen)
    found = [*entries(task, Task(task.training, source.exclude_seen))]
    record = record_of(source, task, {"vector_size": SIZE}, {name: rows for name, _, rows in found})
    print(f"\n### {source.title}\n\n{about(record)}. {place(record)}.\n")
    print(record_table(record, "", COLUMNS))
    print("\nChosen:\n")
    for name, settings, _ in found:
        if settings and not name.endswith("cosines"):
            print(f"- {name}: {', '.join(f'{key}={value}' for key, value in settings.items())}")
    paths = source.paths and source.paths((folder / source.file).with_suffix(".item"))
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in SEEDS:
        for name, scores in new_items(task, seed, source.window, paths):
            rows.setdefault(name, []).append(scores)
            print(name, scores, file=sys.stderr, flush=True)
    record = record_of(source, task, {"vector_size": SIZE, "window": source.window, "epochs": 20}, rows)
    title = source.title[0].lower() + source.title[1:]
    print(f"\n#### New items: {title}\n\nA tenth of the items, HR@10. {about(record)}.\n")
    print(record_table(record, "", NEW_COLUMNS), flush=True)


def main(arguments: list[str] | None = None) -> None:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    cli.add_argument("--only", nargs="+", choices=DATA, default=[*DATA])
    options = cli.parse_args(arguments)
    print("Generated by `python bench/items.py`; do not edit.")
    for name in options.only:
        if (options.data / DATA[name].file).exists():
            show(DATA[name], options.data)


if __name__ == "__main__":
    main()
