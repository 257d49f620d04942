"""Exact and approximate search for neighbors: processor time a query, recall, and what an index costs.

Arguments are numbers of words and dimensions, by default 20000x100 60000x100 200000x100 200000x300.
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


def vectors_in_clusters(n: int, d: int) -> fastvec.Vectors:
    """Return vectors in clusters of about fifty, so that neighbors are not arbitrary."""
    random = np.random.default_rng(0)
    centers = random.standard_normal((n // CLUSTER, d), dtype=np.float32)
    rows = centers[random.integers(len(centers), size=n)]
    rows += NOISE * random.standard_normal((n, d), dtype=np.float32)
    return fastvec.Vectors([f"w{row}" for row in range(n)], rows)


def measure(n: int, d: int) -> str:
    """Return a row of the table."""
    vectors = vectors_in_clusters(n, d)
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
        f"| {n:,} × {d} | {1e3 * one:.1f} ms | {1e3 * of_many:.2f} ms | {1e3 * approximate:.2f} ms | "
        f"{1e3 * approximate_of_many:.2f} ms | {hits / NEAREST / QUERIES:.1%} | {building:.0f} s | "
        f"{vectors.vectors.nbytes / 2**20:.0f} MB | {index.memory_usage / 2**20:.0f} MB |"
    )


if __name__ == "__main__":
    print("| size | one query | of 1,000 | USearch | of 1,000 | recall | building | matrix | index |")
    print(f"|{9 * '---|'}")
    for shape in sys.argv[1:] or SHAPES:
        print(measure(*map(int, shape.split("x"))), flush=True)
