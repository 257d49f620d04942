"""Walks over graphs, baskets and texts: shared negatives, BPR, and either gradient of CBOW, against gensim.

Nodes are scored by links that the walks did not see: the area under the ROC curve (AUC) by cosine, and by a
logistic regression on the products of unit vectors; items by one left out of every basket: how often it is
among the ten nearest to the others (HR@10), and its mean reciprocal rank (MRR).
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from measure import Contender, Job, Measurement
from texts import CACHE, Data
from words import SCORES, fastvec, gensim, scored_text

WALK, HELD_OUT, NEAREST = 80, 0.2, 10


def graph(data: Data, name: str, per_node: int) -> Job:
    """Read pairs of nodes, hold a fifth of the links out and walk on the others."""
    random = np.random.default_rng(0)
    links = np.loadtxt(data.folder / name, delimiter=",", skiprows=1, dtype=np.int64)
    links = np.unique(np.sort(links[links[:, 0] != links[:, 1]], axis=1), axis=0)
    links = links[random.permutation(len(links))]
    held_out, seen = np.split(links, [int(len(links) * HELD_OUT)])
    degrees = np.bincount(seen.ravel(), minlength=links.max() + 1)
    held_out = held_out[(degrees[held_out] > 0).all(axis=1)]
    others = no_links(np.flatnonzero(degrees), set(map(tuple, links.tolist())), random)
    drawn = [list(islice(others, len(pairs))) for pairs in (seen, held_out)]
    job = as_job(name, walks(seen, degrees, per_node, random), "sequences.links_score")
    path = Path(job["file"]).with_suffix(".npz")
    np.savez(path, seen=seen, held_out=held_out, no_seen=drawn[0], no_held_out=drawn[1])
    return job


def no_links(nodes: Any, known: set[Any], random: np.random.Generator) -> Iterator[Any]:
    while True:
        for a, b in np.sort(random.choice(nodes, (1000, 2)), axis=1).tolist():
            if a != b and (a, b) not in known:
                yield a, b


def walks(links: Any, degrees: Any, per_node: int, random: np.random.Generator) -> list[list[str]]:
    both = np.concatenate((links, links[:, ::-1]))
    neighbours = both[np.argsort(both[:, 0], kind="stable"), 1]
    offsets = np.append(0, np.cumsum(degrees))
    found = []
    for _ in range(per_node):
        steps = [random.permutation(np.flatnonzero(degrees))]
        while len(steps) < WALK:
            at = steps[-1]
            steps.append(neighbours[offsets[at] + (random.random(len(at)) * degrees[at]).astype(np.int64)])
        found.append(np.stack(steps, axis=1))
    return np.concatenate(found).astype(str).tolist()


def links_score(vectors: Any, job: Job) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.preprocessing import StandardScaler

    asked = np.load(Path(job["file"]).with_suffix(".npz"))
    unit = np.zeros((1 + asked["seen"].max(), vectors.vector_size))
    unit[np.array(vectors.words, np.int64)] = unit_rows(vectors)

    def products(name: str) -> tuple[Any, Any]:
        pairs = np.concatenate((asked[name], asked[f"no_{name}"]))
        return unit[pairs[:, 0]] * unit[pairs[:, 1]], np.arange(len(pairs)) < len(asked[name])

    (seen, is_seen), (held_out, is_link) = products("seen"), products("held_out")
    scale = StandardScaler().fit(seen)
    regression = LogisticRegression(max_iter=1000, C=0.01).fit(scale.transform(seen), is_seen)
    by_regression = regression.decision_function(scale.transform(held_out))
    scores = {"AUC": held_out.sum(axis=1), "AUC, regression": by_regression}
    return {name: 100 * roc_auc_score(is_link, score) for name, score in scores.items()}


def unit_rows(vectors: Any) -> Any:
    return vectors.vectors / np.linalg.norm(vectors.vectors, axis=1, keepdims=True)


def baskets(data: Data, name: str) -> Job:
    """Leave an item of every basket of three or more out."""
    random, rest, asked = np.random.default_rng(0), [], []
    lines = (data.folder / name).read_text(encoding="utf-8").splitlines()
    if name.endswith(".inter"):
        found = liked(lines)
    else:  # items with commas between them, which have spaces in them, or with spaces
        found = [
            line.replace(" ", "_").split(",") if name.endswith(".csv") else line.split() for line in lines
        ]
    for basket in found:
        mixed = list(map(str, random.permutation(list(dict.fromkeys(basket)))))
        if len(mixed) > 2:
            asked.append(mixed)
        rest.append(mixed[len(mixed) > 2 :])
    job = as_job(name, rest, "sequences.left_out_score")
    Path(job["file"]).with_suffix(".json").write_text(json.dumps(asked), encoding="utf-8")
    return job


def liked(lines: list[str]) -> list[list[str]]:
    """Return the films that every user gave three stars or more, of lines "user film stars time"."""
    films: dict[str, list[str]] = {}
    for user, film, stars, _ in (line.split("\t") for line in lines[1:]):
        if float(stars) >= 3:
            films.setdefault(user, []).append(film)
    return list(films.values())


def left_out_score(vectors: Any, job: Job) -> dict[str, Any]:
    place, unit, ranks = {item: i for i, item in enumerate(vectors.words)}, unit_rows(vectors), []
    for item, *others in json.loads(Path(job["file"]).with_suffix(".json").read_text(encoding="utf-8")):
        ids = [place[other] for other in others if other in place]
        if item in place and ids:
            cosines = unit @ unit[ids].sum(axis=0)
            cosines[ids] = -np.inf
            ranks.append(1 + np.count_nonzero(cosines > cosines[place[item]]))
        else:
            ranks.append(np.inf)
    found = np.array(ranks)
    return {"HR@10": 100 * (found <= NEAREST).mean(), "MRR": 100 * (1 / found).mean()}


def as_job(name: str, sequences: list[list[str]], score: str) -> Job:
    """Write sequences to a text, and return it; what is asked about them is beside it."""
    CACHE.mkdir(exist_ok=True)
    path = CACHE / f"{name}.txt"
    path.write_text("".join(f"{' '.join(items)}\n" for items in sequences), encoding="utf-8")
    n_words, about = sum(map(len, sequences)), f"{name}, {len(sequences):,} sequences"
    return {"file": str(path), "words": n_words, "data": about, "score": score}


def lower_text(data: Data, name: str) -> Job:
    """Return the first words of a text of the folder, in lower case."""
    job = scored_text(Data(data.folder, data.folder / "corpus" / name, data.words), 4_000_000)
    path = Path(job["file"]).with_suffix(".lower.txt")
    path.write_text(Path(job["file"]).read_text(encoding="utf-8").lower(), encoding="utf-8")
    return {**job, "file": str(path)}


SKIPGRAM, CBOW = {"estimator": "SkipGram"}, {"estimator": "CBOW"}
CONTENDERS = (
    Contender("skip-gram", fastvec, SKIPGRAM),
    Contender("skip-gram, unshared", fastvec, {**SKIPGRAM, "negative_sharing": "none"}),
    Contender('skip-gram, loss="bpr"', fastvec, {**SKIPGRAM, "loss": "bpr"}),
    Contender("skip-gram of gensim", gensim, SKIPGRAM),
    Contender("CBOW", fastvec, CBOW),
    Contender("CBOW, scale_gradient=False", fastvec, {**CBOW, "scale_gradient": False}),
    Contender("CBOW of gensim", gensim, CBOW),
)
SAME = {"negatives": 5, "subsample": 1e-3}
GRAPH = {"vector_size": 128, "window": 10, "min_count": 1, "epochs": 1}
BASKETS = {"vector_size": 64, "window": 10, "min_count": 2}
TEXT = {"vector_size": 100, "window": 5, "min_count": 5, "epochs": 5}
GRAPHS = {
    "lastfm_asia": ("friends on LastFM", "lastfm_asia_edges.csv", 10),
    "facebook": ("pages of Facebook", "facebook_edges.csv", 4),
    "twitch_de": ("streamers of Twitch", "DE_edges.csv", 5),
}
SHOPS = {
    "retail": ("a shop", "retail.dat", 20),
    "groceries": ("a grocery", "groceries.csv", 100),
    "ml-100k": ("films", "ml-100k.inter", 100),
}
TEXTS = {"simplewiki": "simplewiki.txt.gz", "simplewiki-raw": "simplewiki-raw-sample.txt.gz"}


def compared(name: str, title: str, columns: str, settings: Job, data: Callable[[Data], Job]) -> Measurement:
    return Measurement(name, title, CONTENDERS, columns, data, {**SAME, **settings}, threads=(1,))


MEASUREMENTS = (
    *(
        compared(
            name, f"Walks: {what}", "AUC | AUC, regression", GRAPH, partial(graph, name=file, per_node=n)
        )
        for name, (what, file, n) in GRAPHS.items()
    ),
    *(
        compared(
            name, f"Baskets: {what}", "HR@10 | MRR", {**BASKETS, "epochs": n}, partial(baskets, name=file)
        )
        for name, (what, file, n) in SHOPS.items()
    ),
    *(
        compared(name, f"Text: {file}", SCORES, TEXT, partial(lower_text, name=file))
        for name, file in TEXTS.items()
    ),
)
