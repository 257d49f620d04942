"""Walks over graphs, baskets, a text: shared negatives, BPR, and either gradient of CBOW, against gensim."""

import json
from collections.abc import Iterator
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
    links = random.permutation(links)
    held_out, seen = np.split(links, [int(len(links) * HELD_OUT)])
    degrees = np.bincount(seen.ravel(), minlength=links.max() + 1)
    held_out = held_out[(degrees[held_out] > 0).all(axis=1)]
    others = no_links(np.flatnonzero(degrees), set(map(tuple, links.tolist())), random)
    no_seen, no_held_out = (list(islice(others, len(pairs))) for pairs in (seen, held_out))
    job = as_job(name, walks(seen, degrees, per_node, random), "sequences.links_score")
    path = Path(job["file"]).with_suffix(".npz")
    np.savez(path, seen=seen, held_out=held_out, no_seen=no_seen, no_held_out=no_held_out)
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
    steps = [np.concatenate([random.permutation(np.flatnonzero(degrees)) for _ in range(per_node)])]
    while len(steps) < WALK:
        at = steps[-1]
        steps.append(neighbours[offsets[at] + (random.random(len(at)) * degrees[at]).astype(np.int64)])
    return np.stack(steps, axis=1).astype(str).tolist()


def links_score(vectors: Any, job: Job) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    asked = np.load(Path(job["file"]).with_suffix(".npz"))
    unit = np.zeros((1 + asked["seen"].max(), vectors.vector_size))
    unit[np.array(vectors.words, np.int64)] = unit_rows(vectors)

    def products(name: str) -> tuple[Any, Any]:
        pairs = np.concatenate((asked[name], asked[f"no_{name}"]))
        return unit[pairs[:, 0]] * unit[pairs[:, 1]], np.arange(len(pairs)) < len(asked[name])

    (seen, is_seen), (held_out, is_link) = products("seen"), products("held_out")
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, C=0.01)).fit(seen, is_seen)
    scores = {"AUC": held_out.sum(axis=1), "AUC, regression": model.decision_function(held_out)}
    return {name: 100 * roc_auc_score(is_link, score) for name, score in scores.items()}


def unit_rows(vectors: Any) -> Any:
    return vectors.vectors / np.linalg.norm(vectors.vectors, axis=1, keepdims=True)


def baskets(data: Data, name: str, separator: str | None) -> Job:
    """Leave an item of every basket of three or more out."""
    random, rest, asked = np.random.default_rng(0), [], []
    for line in (data.folder / name).read_text(encoding="utf-8").splitlines():
        items = dict.fromkeys(item.replace(" ", "_") for item in line.split(separator))
        mixed = random.permutation(list(items)).tolist()
        if len(mixed) > 2:
            asked.append(mixed)
        rest.append(mixed[len(mixed) > 2 :])
    job = as_job(name, rest, "sequences.left_out_score")
    Path(job["file"]).with_suffix(".json").write_text(json.dumps(asked), encoding="utf-8")
    return job


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
GRAPH = {**SAME, "vector_size": 128, "window": 10, "min_count": 1, "epochs": 1}
BASKETS = {**SAME, "vector_size": 64, "window": 10, "min_count": 2}
TEXT = {**SAME, "vector_size": 100, "window": 5, "min_count": 5, "epochs": 5}
SHORT, SHORT_TITLE = partial(scored_text, words=4_000_000), "Text: simplewiki.txt.gz"


def on_graph(name: str, what: str, file: str, per_node: int) -> Measurement:
    data = partial(graph, name=file, per_node=per_node)
    return Measurement(name, f"Walks: {what}", CONTENDERS, "AUC | AUC, regression", data, GRAPH, threads=(1,))


def on_baskets(name: str, what: str, file: str, separator: str | None, epochs: int) -> Measurement:
    data, settings = partial(baskets, name=file, separator=separator), {**BASKETS, "epochs": epochs}
    return Measurement(name, f"Baskets: {what}", CONTENDERS, "HR@10 | MRR", data, settings, threads=(1,))


MEASUREMENTS = (
    on_graph("lastfm_asia", "friends on LastFM", "lastfm_asia_edges.csv", per_node=10),
    on_graph("facebook", "pages of Facebook", "facebook_edges.csv", per_node=4),
    on_graph("twitch_de", "streamers of Twitch", "DE_edges.csv", per_node=5),
    on_baskets("retail", "a shop", "retail.dat", None, epochs=20),
    on_baskets("groceries", "a grocery", "groceries.csv", ",", epochs=100),
    Measurement("simplewiki", SHORT_TITLE, CONTENDERS, SCORES, SHORT, TEXT, threads=(1,)),
)
