"""What `autotune` gains over the defaults: on items, links and a text, shown on what it has not seen.

FOLDER has ``groceries.csv`` (a basket a line, items between commas), ``ml-100k.inter`` (MovieLens 100k as a
table of users, movies, ratings and times between tabs, as the package recbole has it),
``lastfm_asia_edges.csv``, ``corpus/simplewiki.txt.gz``, and the folder ``similarity`` of test sets. Of the
baskets and of the users, the latest fifth is for the test; the search holds out items of the others. Of the
links, a tenth is for the test; the search holds out a tenth of the others. A text is tuned by pairs of words
that are held out, and shown on human scores of similarity, of which the search knows nothing. Rows are means
and standard deviations over seeds, each of a search of its own. A section is printed for each of the
arguments, all by default.

    python bench/autotune.py --data FOLDER > bench/autotune.md
"""

import argparse
import datetime
import gzip
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from measure import machine
from tables import Record, about, place, record_table

import fastvec
from fastvec import evaluate, presets

SETS = ("ws353", "men", "simlex999")
LENGTH = 10
MODEL = {"vector_size": 100, "threads": 1}

Scores = dict[str, Any]
# The rows of a seed: what a row is called, and its scores.
Rows = Iterator[tuple[str, Scores]]


def baskets(options: argparse.Namespace, seed: int) -> Rows:
    """Yield the hit rates of baskets that were not tuned on."""
    lines = (options.data / "groceries.csv").read_text(encoding="utf-8").splitlines()
    random = np.random.default_rng(0)  # a basket is a set
    return items([random.permutation(line.split(",")).tolist() for line in lines], seed, options.budget)


def movies(options: argparse.Namespace, seed: int) -> Rows:
    """Yield the hit rates of users that were not tuned on: the movies of each, in the order of time."""
    _, *lines = (options.data / "ml-100k.inter").read_text(encoding="utf-8").splitlines()
    sessions: dict[str, list[str]] = {}
    for user, movie, *_ in sorted((line.split("\t") for line in lines), key=lambda row: float(row[3])):
        sessions.setdefault(user, []).append(movie)
    return items([*sessions.values()], seed, options.budget)


def items(every: list[list[str]], seed: int, budget: int) -> Rows:
    """Yield the hit rates of the latest fifth of sessions."""
    known = evaluate.split_sessions(every, split="time").training

    def scores(model: fastvec.SkipGram) -> evaluate.NextItemResult:
        return evaluate.next_item(model, every, k=LENGTH, split="time", exclude_seen=True)

    model = fastvec.SkipGram(**MODEL, seed=seed)
    found = scores(model.fit(known))
    yield "popularity", hits(found.baselines[0])
    yield "defaults", hits(found.vectors)
    preset = fastvec.SkipGram(**{**presets.items(), **MODEL}, seed=seed)
    yield "presets.items()", hits(scores(preset.fit(known)).vectors)
    tuning = tuned(model, known, objective="next-item", budget=budget)
    yield "tuned", hits(scores(tuning.model).vectors)


def hits(row: evaluate.NextItemScores) -> Scores:
    return {"HR@10": 100 * row.hit_rate[LENGTH], "MRR": 100 * row.mrr[LENGTH]}


def links(options: argparse.Namespace, seed: int) -> Rows:
    """Yield the areas under the ROC curve of links that were not tuned on."""
    from fastvec.graphs.graph import Edges
    from fastvec.tuning.links import link_score, split_edges

    pairs = np.loadtxt(options.data / "lastfm_asia_edges.csv", delimiter=",", skiprows=1, dtype=np.int64)
    edges = Edges([*range(pairs.max() + 1)], pairs[:, 0], pairs[:, 1], None, False, {})
    split = split_edges(edges, np.random.default_rng(0))
    model = fastvec.SkipGram(**MODEL, seed=seed)

    def scores(vectors: fastvec.Vectors) -> Scores:
        return {"AUC": 100 * link_score(vectors, split)}

    walks = fastvec.walks(split.known, seed=seed)
    yield "defaults", scores(model.fit(walks).vectors_)
    nodes = fastvec.SkipGram(**{**presets.nodes(), **MODEL}, seed=seed)
    yield "presets.nodes()", scores(nodes.fit(walks).vectors_)
    yield "tuned", scores(tuned(model, split.known, objective="link", budget=options.budget).vectors)


def text(options: argparse.Namespace, seed: int) -> Rows:
    """Yield the scores of vectors of a text that was tuned by what is held out of it."""
    with gzip.open(options.data / "corpus" / "simplewiki.txt.gz", "rt", encoding="utf-8") as file:
        sentences = [*first_words(map(str.split, file), options.words)]
    corpus = fastvec.Corpus(sentences)

    def scores(vectors: fastvec.Vectors) -> Scores:
        files = {name: options.data / "similarity" / f"{name}.txt" for name in SETS}
        return {name: 100 * evaluate.similarity(vectors, file).spearman for name, file in files.items()}

    model = fastvec.SkipGram(**MODEL, seed=seed)
    yield "defaults", scores(model.fit(corpus).vectors_)
    yield "tuned", scores(tuned(model, corpus, objective="held-out", budget=options.budget).vectors)


def first_words(sentences: Iterator[list[str]], n: int) -> Iterator[list[str]]:
    """Yield sentences until they have so many words."""
    while n > 0 and (sentence := next(sentences, None)) is not None:
        yield sentence[:n]
        n -= len(sentence)


def tuned(model: Any, corpus: Any, **how: Any) -> Any:
    """Return what a search finds from the parameters of a model."""
    tuning = fastvec.autotune(model, corpus, **how)
    print(tuning, file=sys.stderr, flush=True)
    return tuning


SECTIONS: dict[str, tuple[Callable[[argparse.Namespace, int], Rows], str, str]] = {
    "baskets": (baskets, "groceries.csv, the latest fifth of the baskets", "HR@10 | MRR"),
    "movies": (movies, "MovieLens 100k, the latest fifth of the users", "HR@10 | MRR"),
    "links": (links, "lastfm_asia, a tenth of the links", "AUC"),
    "text": (text, "simplewiki, its first {words:,} words", " | ".join(SETS)),
}


def record(section: str, options: argparse.Namespace) -> Record:
    """Return the scores of all seeds, as `tables` show them."""
    rows_of, what, _ = SECTIONS[section]
    entries: dict[str, dict[str, list[float]]] = {}
    for seed in range(1, options.seeds + 1):
        for name, scores in rows_of(options, seed):
            print(section, seed, name, scores, file=sys.stderr, flush=True)
            entry = entries.setdefault(name, {each: [] for each in scores})
            for each, score in scores.items():
                entry[each].append(score)
    return {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "data": what.format(words=options.words),
        "settings": {"budget": options.budget},
        "rounds": options.seeds,
        "entries": [{"contender": name, "threads": 1, **scores} for name, scores in entries.items()],
    }


def main(arguments: list[str] | None = None) -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("sections", nargs="*", choices=[[], *SECTIONS], default=[])
    cli.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    cli.add_argument("--seeds", type=int, default=3)
    cli.add_argument("--words", type=int, default=3_000_000, help="of the text")
    cli.add_argument("--budget", type=int, default=40, help="trainings of a search")
    options = cli.parse_args(arguments)
    print("Generated by `python bench/autotune.py`; do not edit.")
    for section in options.sections or SECTIONS:
        of_section = record(section, options)
        print(f"\n{about(of_section)}. {place(of_section)}.\n", flush=True)
        print(record_table(of_section, "", SECTIONS[section][2]), flush=True)


if __name__ == "__main__":
    main()
