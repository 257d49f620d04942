"""Are shared negatives as good as those of every pair? Models on walks, baskets and texts, against gensim.

    python bench/sequences.py FOLDER                # every data set that is in the folder, about an hour
    python bench/sequences.py FOLDER --only retail  # one

Vectors of nodes are scored by links that the walks did not see: the area under the ROC curve (AUC) by cosine,
and by a logistic regression on the products of unit vectors. Vectors of items are scored by an item left out
of every basket: how often it is among the ten items nearest to the others (HR@10), and its mean reciprocal
rank. Vectors of words are scored by the rank correlation with human judgements and by analogies, in percent.
Everyone has one thread, the same sequences and the same settings; a figure is a mean over seeds ± their
standard deviation.
"""

from __future__ import annotations

import argparse
import gzip
import platform
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from gensim.models import Word2Vec
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

import fastvec
from fastvec import Vectors, evaluate, kernels

Sequences = list[list[str]]
Scores = dict[str, float]
Task = tuple[Sequences, dict[str, Any], Callable[[Vectors], Scores]]

WALK, HELD_OUT, NEAREST, WORDS = 80, 0.2, 10, 4_000_000


# ---- Graphs: links that the walks did not see -------------------------------------------------------------


def graph(path: Path, per_node: int) -> Task:
    """Read pairs of nodes, hold a fifth of the links out and walk on the others."""
    random = np.random.default_rng(0)
    links = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.int64)
    links = np.unique(np.sort(links[links[:, 0] != links[:, 1]], axis=1), axis=0)
    links = links[random.permutation(len(links))]
    n_held_out = int(len(links) * HELD_OUT)
    seen = links[n_held_out:]
    degrees = np.bincount(seen.ravel(), minlength=links.max() + 1)
    held_out = links[:n_held_out]
    held_out = held_out[(degrees[held_out] > 0).all(axis=1)]
    known = set(map(tuple, links.tolist()))
    no_links = [
        np.array(list(islice(_no_links(np.flatnonzero(degrees), known, random), n)))
        for n in (len(seen), len(held_out))
    ]

    def score(vectors: Vectors) -> Scores:
        unit = np.zeros((len(degrees), vectors.vectors.shape[1]))
        rows = vectors.vectors / np.linalg.norm(vectors.vectors, axis=1, keepdims=True)
        unit[np.array(vectors.words, dtype=np.int64)] = rows
        seen_products, products = (
            unit[pairs[:, 0]] * unit[pairs[:, 1]]
            for pairs in (np.concatenate((seen, no_links[0])), np.concatenate((held_out, no_links[1])))
        )
        is_seen = np.arange(len(seen_products)) < len(seen)
        is_link = np.arange(len(products)) < len(held_out)
        scale = StandardScaler().fit(seen_products)
        regression = LogisticRegression(max_iter=1000, C=0.01).fit(scale.transform(seen_products), is_seen)
        by_regression = regression.decision_function(scale.transform(products))
        return {
            "AUC": 100 * roc_auc_score(is_link, products.sum(axis=1)),
            "AUC, regression": 100 * roc_auc_score(is_link, by_regression),
        }

    settings = {"vector_size": 128, "window": 10, "min_count": 1, "epochs": 1}
    return _walks(seen, degrees, per_node, random), settings, score


def _no_links(nodes: NDArray[np.int64], known: set[Any], random: np.random.Generator) -> Iterator[Any]:
    while True:
        for a, b in np.sort(random.choice(nodes, (1000, 2)), axis=1).tolist():
            if a != b and (a, b) not in known:
                yield a, b


def _walks(
    links: NDArray[np.int64], degrees: NDArray[np.int64], per_node: int, random: np.random.Generator
) -> Sequences:
    both = np.concatenate((links, links[:, ::-1]))
    neighbours = both[np.argsort(both[:, 0], kind="stable"), 1]
    offsets = np.concatenate(([0], np.cumsum(degrees)))
    walks = []
    for _ in range(per_node):
        at = random.permutation(np.flatnonzero(degrees))
        steps = []
        for _ in range(WALK):
            steps.append(at)
            at = neighbours[offsets[at] + (random.random(len(at)) * degrees[at]).astype(np.int64)]
        walks.append(np.stack(steps, axis=1))
    return np.concatenate(walks).astype(str).tolist()


# ---- Baskets: the item that was left out ------------------------------------------------------------------


def baskets(all_baskets: Sequences, epochs: int) -> Task:
    """Leave an item of every basket of three or more out."""
    random = np.random.default_rng(0)
    rest, asked = [], []
    for basket in all_baskets:
        items = list(map(str, random.permutation(list(dict.fromkeys(basket)))))
        if len(items) > 2:
            asked.append((items[1:], items[0]))
            items = items[1:]
        rest.append(items)

    def score(vectors: Vectors) -> Scores:
        place = {item: i for i, item in enumerate(vectors.words)}
        unit = vectors.vectors / np.linalg.norm(vectors.vectors, axis=1, keepdims=True)
        ranks = []
        for others, item in asked:
            ids = [place[other] for other in others if other in place]
            if item not in place or not ids:
                ranks.append(np.inf)
                continue
            cosines = unit @ unit[ids].sum(axis=0)
            cosines[ids] = -np.inf
            ranks.append(1 + np.count_nonzero(cosines > cosines[place[item]]))
        found = np.array(ranks)
        return {"HR@10": 100 * (found <= NEAREST).mean(), "MRR": 100 * (1 / found).mean()}

    settings = {"vector_size": 64, "window": 10, "min_count": 2, "epochs": epochs}
    return rest, settings, score


def lines(path: Path, separator: str | None = None) -> Sequences:
    """Return the items of every line."""
    return [line.split(separator) for line in path.read_text(encoding="utf-8").splitlines()]


def ratings(path: Path) -> Sequences:
    """Return the films that every user gave three stars or more, of lines "user item stars time"."""
    films: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        user, film, stars, _ = line.split("\t")
        if float(stars) >= 3:
            films.setdefault(user, []).append(film)
    return list(films.values())


# ---- Texts ------------------------------------------------------------------------------------------------


def text(folder: Path, name: str) -> Task:
    """Take the first words of a text, lower-cased, and the test sets of the folder."""
    sentences, n_words = [], 0
    with gzip.open(folder / "corpus" / name, "rt", encoding="utf-8") as lines:
        for line in lines:
            sentences.append(line.lower().split())
            n_words += len(sentences[-1])
            if n_words >= WORDS:
                break

    def score(vectors: Vectors) -> Scores:
        found = {
            name.upper(): 100 * evaluate.similarity(vectors, folder / "similarity" / f"{name}.txt").spearman
            for name in ("ws353", "men", "simlex999")
        }
        analogies = evaluate.analogies(vectors, folder / "analogy" / "google.txt", restrict=30_000)
        return found | {"analogies": 100 * analogies.total.accuracy}

    return sentences, {"vector_size": 100, "window": 5, "min_count": 5, "epochs": 5}, score


def tasks(folder: Path) -> dict[str, Callable[[], Task]]:
    """Return what can be tried, by name."""
    return {
        "lastfm_asia": lambda: graph(folder / "lastfm_asia_edges.csv", 10),
        "facebook": lambda: graph(folder / "facebook_edges.csv", 4),
        "twitch_de": lambda: graph(folder / "DE_edges.csv", 5),
        "retail": lambda: baskets(lines(folder / "retail.dat"), 20),
        "groceries": lambda: baskets(lines(folder / "groceries.csv", ","), 100),
        "ml-100k": lambda: baskets(ratings(folder / "ml-100k.inter"), 100),
        "simplewiki": lambda: text(folder, "simplewiki.txt.gz"),
        "simplewiki, raw": lambda: text(folder, "simplewiki-raw-sample.txt.gz"),
    }


# ---- Contenders -------------------------------------------------------------------------------------------


def fastvecs(estimator: Any, **params: Any) -> Callable[..., Vectors]:
    def train(sequences: Sequences, settings: dict[str, Any], seed: int) -> Vectors:
        model = estimator(**settings, **params, threads=1, seed=seed)
        vectors: Vectors = model.fit(fastvec.Corpus(sequences)).vectors_
        return vectors

    return train


def gensims(sg: int) -> Callable[..., Vectors]:
    def train(sequences: Sequences, settings: dict[str, Any], seed: int) -> Vectors:
        model = Word2Vec(sequences, sg=sg, negative=5, sample=1e-3, workers=1, seed=seed, **settings)
        return Vectors(model.wv.index_to_key, model.wv.vectors)

    return train


CONTENDERS: dict[str, dict[str, Callable[..., Vectors]]] = {
    "skip-gram": {
        "fastvec": fastvecs(fastvec.SkipGram),
        "fastvec, unshared": fastvecs(fastvec.SkipGram, negative_sharing="none"),
        "gensim": gensims(1),
    },
    "CBOW": {
        "fastvec": fastvecs(fastvec.CBOW),
        "fastvec, scale_gradient=False": fastvecs(fastvec.CBOW, scale_gradient=False),
        "gensim": gensims(0),
    },
}


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="where the data is, see README.md")
    parser.add_argument("--only", action="append", help="name of a data set, as often as you like")
    parser.add_argument("--model", choices=CONTENDERS, default="skip-gram")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    contenders = CONTENDERS[options.model]
    backend = kernels.selected()
    print(f"{options.model}, {options.seeds} seeds, one thread, {platform.machine()}, backend {backend}\n")
    print("| data | score |", " | ".join(contenders), "|\n|---|---|" + "---|" * len(contenders))
    for name, prepare in tasks(options.folder).items():
        if options.only and name not in options.only:
            continue
        try:
            sequences, settings, score = prepare()
        except FileNotFoundError as error:
            print(f"| {name} | not there: {Path(error.filename).name} |" + " |" * len(contenders))
            continue
        found = {
            contender: [score(train(sequences, settings, seed)) for seed in range(1, options.seeds + 1)]
            for contender, train in contenders.items()
        }
        for test in found["fastvec"][0]:
            values = [[scores[test] for scores in runs] for runs in found.values()]
            cells = " | ".join(f"{np.mean(of_one):.2f} ± {np.std(of_one):.2f}" for of_one in values)
            print(f"| {name} | {test} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
