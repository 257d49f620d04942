"""Exact and approximate search for neighbors: processor time a query, recall, and what an index costs.

Arguments are numbers of words and dimensions, by default 20000x100 60000x100 200000x100 200000x300. Vectors
are in clusters, or, if "-random" follows, nothing is near anything, which is the worst case of an index. Only
on one core, as under "taskset -c 0", is the time of building that of the work alone: threads wait for others.
"""

import sys
import tempfile
from pathlib import Path
from time import process_time

import numpy as np
from usearch.index import Index

import fastvec

CLUSTER, NOISE, NEAREST, QUERIES, MANY = 50, 0.8, 10, 100, 1000
SHAPES = ["20000x100", "60000x100", "200000x100", "200000x300"]


def vectors_of(n: int, d: int, in_clusters: bool) -> fastvec.Vectors:
    """Return vectors in clusters of about fifty, so that neighbors are not arbitrary, or random ones."""
    random = np.random.default_rng(0)
    rows = NOISE * random.standard_normal((n, d), dtype=np.float32)
    if in_clusters:
        centers = random.standard_normal((n // CLUSTER, d), dtype=np.float32)
        rows += centers[random.integers(len(centers), size=n)]
    return fastvec.Vectors([f"w{row}" for row in range(n)], rows)


def measure(shape: str) -> str:
    """Return a row of the table."""
    size, _, kind = shape.partition("-")
    n, d = map(int, size.split("x"))
    vectors = vectors_of(n, d, kind != "random")
    vectors.most_similar(vectors.words[0])  # which computes all lengths
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "v.usearch"
        start = process_time()
        vectors.to_usearch(path)
        building, index = process_time() - start, Index.restore(path)
    queries, many = vectors.words[:QUERIES], vectors.words[:MANY]
    start = process_time()
    exact = [vectors.most_similar(word, topn=NEAREST) for word in queries]
    one, start = (process_time() - start) / QUERIES, process_time()
    vectors.most_similar_batch(many, topn=NEAREST)
    of_many, start = (process_time() - start) / MANY, process_time()
    found = [index.search(vectors[word], NEAREST + 1).keys.tolist() for word in queries]
    approximate, rows = (process_time() - start) / QUERIES, np.stack([vectors[word] for word in many])
    start = process_time()
    index.search(rows, NEAREST + 1)
    approximate_of_many = (process_time() - start) / MANY
    hits = sum(
        len({word for word, _ in right} & {vectors.words[key] for key in keys})
        for right, keys in zip(exact, found, strict=True)
    )
    return (
        f"| {n:,} × {d}{kind and f', {kind}'} | {1e3 * one:.1f} ms | {1e3 * of_many:.2f} ms | "
        f"{1e3 * approximate:.2f} ms | {1e3 * approximate_of_many:.2f} ms | "
        f"{hits / NEAREST / QUERIES:.1%} | {building:.0f} s | "
        f"{vectors.vectors.nbytes / 2**20:.0f} MB | {index.memory_usage / 2**20:.0f} MB |"
    )


if __name__ == "__main__":
    print("| size | one query | of 1,000 | USearch | of 1,000 | recall | building | matrix | index |")
    print(f"|{9 * '---|'}")
    for shape in sys.argv[1:] or SHAPES:
        print(measure(shape), flush=True)
