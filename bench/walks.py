"""Vectors of nodes: walks over graphs and skip-gram, against PecanPy with gensim behind it.

Needs scikit-learn and PecanPy (`pip install pecanpy`), and in a folder ``lastfm_asia_edges.csv``,
``facebook_edges.csv`` and the files ``_target.csv`` beside them. A fifth of the links is held out. Nodes are
scored by the links that are held out, and by their classes, of which a regression learns a tenth. Both have
one thread, and times are those of the processor.

    python bench/walks.py FOLDER > bench/walks.md
"""

import argparse
import contextlib
import csv
import datetime
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from measure import Contender, Job, Measurement, machine, measure, named, peak_bytes, renamed, timed
from sequences import graph, links_score, unit_rows
from tables import about, place, record_table
from texts import Data

KNOWN = 0.1  # of the classes of nodes
SAME = {"negatives": 5, "subsample": 1e-3, "min_count": 1, "epochs": 1}
SETTINGS = {"vector_size": 128, "window": 10, "length": 80, **SAME}
NODES, EDGES = 1_000_000, 10_000_000  # of the graph for speed
COLUMNS = "walking | time | against {base} | AUC | AUC, regression | accuracy"


def data_of(data: Data, name: str, column: str) -> Job:
    """Write the links that are not held out to a file; what is asked about the nodes is beside it."""
    job = graph(data, f"{name}_edges.csv", 1)
    path, asked = Path(job["file"]), np.load(Path(job["file"]).with_suffix(".npz"))
    np.savetxt(path, asked["seen"], "%d", delimiter="\t")
    with (data.folder / f"{name}_target.csv").open(encoding="utf-8", newline="") as file:
        classes = [row[column] for row in csv.DictReader(file)]
    path.with_suffix(".json").write_text(json.dumps(classes), encoding="utf-8")
    n_nodes, n_links = len(np.unique(asked["seen"])), len(asked["seen"])
    what = f"{name}, {n_nodes:,} nodes, {n_links:,} links of which walks are made, {len({*classes})} classes"
    return {"file": str(path), "data": what, "score": "walks.score"}


def fastvec(job: Job) -> dict[str, Any]:
    import fastvec

    model = fastvec.SkipGram(
        seed=job["seed"], **renamed(job, "vector_size window negatives subsample min_count epochs threads")
    )
    walks, walking = timed(
        fastvec.walks, job["file"], clock=process_time, **renamed(job, "length per_node p q threads seed")
    )
    _, training = timed(model.fit, walks, clock=process_time)
    return figures(walks.n_tokens, walking, training, lambda: model.vectors_)


def pecanpy(job: Job) -> dict[str, Any]:
    """Time what `embed` does, with the number of nodes in a walk and the options that both have."""
    from gensim.models import Word2Vec
    from pecanpy import pecanpy

    def walk(file: str, per_node: int, length: int) -> Any:
        kind = pecanpy.FirstOrderUnweighted if job["p"] == job["q"] == 1 else pecanpy.SparseOTF
        made = kind(job["p"], job["q"], workers=job["threads"], random_state=job["seed"])
        made.read_edg(file, weighted=False, directed=False)
        return made.simulate_walks(per_node, length - 1)

    small = Path(job["folder"], "small.tsv")
    small.write_text("a\tb\nb\tc\n", encoding="utf-8")
    walk(str(small), 2, 4)  # what Numba compiles does not count
    walks, walking = timed(walk, job["file"], job["per_node"], job["length"], clock=process_time)
    names = "vector_size window negatives=negative subsample=sample min_count epochs threads=workers seed"
    model, training = timed(Word2Vec, walks, sg=1, clock=process_time, **renamed(job, names))
    keyed = model.wv
    vectors = partial(named("fastvec.Vectors"), keyed.index_to_key, keyed.vectors)
    return figures(sum(map(len, walks)), walking, training, vectors)


def figures(n: int, walking: float, training: float, vectors: Any) -> dict[str, Any]:
    seconds = walking + training
    return {"walking": walking, "seconds": seconds, "per_second": n / seconds, "vectors": vectors}


def score(vectors: Any, job: Job) -> dict[str, Any]:
    """Return how well links and classes are found, 0 to 100."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import ShuffleSplit, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, C=0.01))
    of_nodes = np.array(json.loads(Path(job["file"]).with_suffix(".json").read_text(encoding="utf-8")))
    nodes = np.array(vectors.words, np.int64)
    order = np.argsort(nodes)  # so that all learn from the same nodes
    splits = ShuffleSplit(5, train_size=KNOWN, random_state=0)
    rows, classes = unit_rows(vectors)[order], of_nodes[nodes[order]]
    accuracy = cross_val_score(model, rows, classes, cv=splits).mean()
    return {**links_score(vectors, job), "accuracy": 100 * float(accuracy)}


def measurement(name: str, column: str, per_node: int, p: float, q: float) -> Measurement:
    contenders = (Contender("fastvec", fastvec), Contender("PecanPy and gensim", pecanpy))
    title, data = f"{name}, p={p:g}, q={q:g}", partial(data_of, name=name, column=column)
    settings = {**SETTINGS, "per_node": per_node, "p": p, "q": q}
    base = "PecanPy and gensim"
    return Measurement(title, title, contenders, COLUMNS, data, settings, base=base, threads=(1,))


MEASUREMENTS = [
    measurement(name, column, per_node, p, q)
    for name, column, per_node in (("lastfm_asia", "target", 10), ("facebook", "page_type", 5))
    for p, q in ((1, 1), (0.5, 2))
]


def speed(p: float, q: float, weighted: bool) -> str:
    """Return a row of the table of speeds: the processor time of the second and third walk of every node."""
    import fastvec

    random = np.random.default_rng(0)
    graph = [(NODES * random.random(EDGES, np.float32) ** 2).astype(np.int32) for _ in range(2)]
    graph += [random.random(EDGES, np.float32)] if weighted else []
    walk = partial(timed, fastvec.walks, tuple(graph), length=20, p=p, q=q, threads=1, clock=process_time)
    (one, once), (three, thrice) = walk(per_node=1), walk(per_node=3)
    rate = (three.n_tokens - one.n_tokens) / (thrice - once)
    return (
        f"| p={p:g}, q={q:g}{', weighted' * weighted} | {rate / 1e6:.1f} M | {peak_bytes() / 1e6:,.0f} MB |"
    )


def speeds() -> None:
    print(f"\n{NODES:,} nodes, {EDGES:,} edges, of which some nodes have far more than others; walks of 20.")
    print(f"One thread. {place({'machine': machine(), 'date': datetime.date.today().isoformat()})}.\n")
    print("| | steps/s | peak memory |\n|---|---:|---:|")
    for weighted in (False, True):
        for p, q in ((1, 1), (4, 0.5), (0.25, 4)):
            command = ["-c", f"import walks; print(walks.speed({p}, {q}, {weighted}))"]
            subprocess.run([sys.executable, *command], cwd=Path(__file__).parent, check=True)


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("data", type=Path, metavar="FOLDER")
    cli.add_argument("--rounds", type=int, default=3)
    options = cli.parse_args()
    print("Generated by `python bench/walks.py`; do not edit.", flush=True)
    speeds()
    for each in MEASUREMENTS:
        with contextlib.redirect_stdout(sys.stderr):
            record = measure(each, Data(options.data, options.data), options.rounds, 1)
        print(
            f"\n{about(record)}. {place(record)}.\n\n{record_table(record, each.base, COLUMNS)}", flush=True
        )


if __name__ == "__main__":
    named("walks.main")()  # by its name, as the processes of contenders find it
