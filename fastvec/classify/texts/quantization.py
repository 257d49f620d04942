"""Product quantization: rows of a matrix as codes of centroids (Jégou, Douze and Schmid 2011).

Every row is cut into subvectors of a few columns, and each of these is replaced by the nearest of 256
centroids, which are those of k-means over the subvectors of all rows: a byte stands for some numbers. The
norms of rows, which differ more than their directions, may have centroids of their own (Joulin, Grave,
Bojanowski, Douze, Jégou and Mikolov 2016, "FastText.zip: Compressing text classification models").

Centroids start from rows far from each other (k-means++: Arthur and Vassilvitskii 2007); in fastText, from
random ones. The distances of x to centroids c are compared by |c|² − 2 x·c, a product of matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import kmeans_plusplus

from fastvec.formats.supervised import CENTROIDS, QuantizedMatrix
from fastvec.training.threads import Workers

__all__ = ["quantize_matrix"]

Array = NDArray[np.float32]

# As in fastText: rows that k-means takes at most, and how often it moves the centroids.
ROWS_OF_KMEANS = 65536
ITERATIONS = 25
# Rows of which some are the centroids to start from.
ROWS_OF_FIRST = 16 * CENTROIDS
# Distances computed at once: as many as fit in the processor's cache.
ROWS_AT_ONCE = 512


def quantize_matrix(
    matrix: Array, subvector_size: int, *, separate_norms: bool, threads: int, seed: int
) -> QuantizedMatrix:
    """Return a matrix with its rows quantized.

    Parameters
    ----------
    matrix : float32 array, shape (n, d)
        The matrix.
    subvector_size : int
        Columns that have a code together.
    separate_norms : bool
        Whether rows are scaled to norm 1, and their norms quantized apart.
    threads : int
        Number of threads, on which the result does not depend.
    seed : int
        Seed of the rows that centroids start from.
    """
    columns: list[NDArray[Any]] = np.split(
        matrix, range(subvector_size, matrix.shape[1], subvector_size), axis=1
    )
    if separate_norms:
        norms = np.linalg.norm(matrix, axis=1)
        scales = np.where(norms > 0, norms, 1)[:, np.newaxis]
        columns = [norms[:, np.newaxis], *(of_some / scales for of_some in columns)]

    def quantize_one(number: int) -> tuple[NDArray[np.uint8], Array]:
        return _quantize(np.ascontiguousarray(columns[number]), np.random.default_rng([seed, number]))

    with Workers(threads) as workers:
        codes, centroids = zip(*workers.in_order(quantize_one, range(len(columns))), strict=True)
    if not separate_norms:
        return QuantizedMatrix(np.column_stack(codes), list(centroids))
    return QuantizedMatrix(np.column_stack(codes[1:]), list(centroids[1:]), codes[0], centroids[0][:, 0])


def _quantize(rows: Array, generator: np.random.Generator) -> tuple[NDArray[np.uint8], Array]:
    """Return the codes of rows, and the centroids."""
    n, d = rows.shape
    centroids = np.zeros((CENTROIDS, d), np.float32)
    if n <= CENTROIDS:
        centroids[:n] = rows
        return np.arange(n).astype(np.uint8), centroids
    some = rows if n <= ROWS_OF_KMEANS else rows[generator.choice(n, ROWS_OF_KMEANS, replace=False)]
    first = some[generator.choice(len(some), min(len(some), ROWS_OF_FIRST), replace=False)]
    centroids[:] = kmeans_plusplus(first, CENTROIDS, random_state=int(generator.integers(2**31)))[0]
    for _ in range(ITERATIONS):
        codes, distances = _nearest(some, centroids)
        sizes = np.bincount(codes, minlength=CENTROIDS)
        filled = sizes > 0
        for column in range(d):
            sums = np.bincount(codes, some[:, column], CENTROIDS)
            centroids[filled, column] = sums[filled] / sizes[filled]
        empty = np.flatnonzero(~filled)
        if len(empty) and np.count_nonzero(distances) >= len(empty):  # they go where rows are far from any
            chances = distances / distances.sum(dtype=np.float64)
            centroids[empty] = some[generator.choice(len(some), len(empty), replace=False, p=chances)]
    return _nearest(rows, centroids)[0], centroids


def _nearest(rows: Array, centroids: Array) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the nearest centroid of every row, and the square of its distance."""
    squares = np.square(centroids).sum(axis=1, keepdims=True)
    weights = np.ascontiguousarray(np.concatenate([-2 * centroids, squares], axis=1).T)
    extended = np.ones((len(rows), rows.shape[1] + 1), np.float32)
    extended[:, :-1] = rows
    codes = np.empty(len(rows), np.uint8)
    scores = np.empty((ROWS_AT_ONCE, CENTROIDS), np.float32)
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        some = extended[begin : begin + ROWS_AT_ONCE]
        np.matmul(some, weights, out=scores[: len(some)])
        codes[begin : begin + len(some)] = scores[: len(some)].argmin(axis=1)
    return codes, np.square(rows - centroids[codes], dtype=np.float64).sum(axis=1)
