"""Exact and approximate search for neighbors: processor time a query, recall, and what an index costs."""

import tempfile
from pathlib import Path
from time import process_time

import numpy as np
from usearch.index import Index

import fastvec

CLUSTER, NOISE, NEAREST, QUERIES, MANY = 50, 0.8, 10, 100, 1000


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
        size = path.stat().st_size
    queries = vectors.words[:QUERIES]
    start = process_time()
    exact = [vectors.most_similar(word, topn=NEAREST) for word in queries]
    one, start = (process_time() - start) / QUERIES, process_time()
    vectors.most_similar_batch(vectors.words[:MANY], topn=NEAREST)
    of_many, start = (process_time() - start) / MANY, process_time()
    found = [index.search(vectors[word], NEAREST + 1).keys.tolist() for word in queries]
    approximate = (process_time() - start) / QUERIES
    hits = sum(
        len({word for word, _ in right} & {vectors.words[key] for key in keys})
        for right, keys in zip(exact, found, strict=True)
    )
    return (
        f"| {n:,} × {d} | {1e3 * one:.1f} ms | {1e3 * of_many:.2f} ms | {1e3 * approximate:.2f} ms | "
        f"{hits / NEAREST / QUERIES:.1%} | {building:.0f} s, {size / 2**20:.0f} MB |"
    )


if __name__ == "__main__":
    print("| words × dimensions | one query | one of 1,000 | USearch | recall | building, file |")
    print("|---|---|---|---|---|---|")
    for shape in ((20_000, 100), (60_000, 100)):
        print(measure(*shape), flush=True)
