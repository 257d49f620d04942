"""The cosines of the rows of a matrix with queries, all or the highest, block by block.

The cosines of all queries with a block of rows fit in the processor's cache, where they are compared with the
lowest of those kept so far of each query. After the first blocks few are higher, so that almost all of the
time is that of the product, and memory does not grow with the number of rows. For one query the product is as
fast as memory delivers the matrix; for many, the matrix is read once for a thousand of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["all_cosines", "highest", "nearest"]

# The cosines of a block: few enough for the processor's cache.
COSINES_AT_ONCE = 1 << 16
# Numbers that are converted to float32 together.
CONVERTED_AT_ONCE = 1 << 17
# With fewer rows in a block, its product with many queries is slower.
FEWEST_ROWS = 1 << 10
# A thousand queries make a product limited by arithmetic; more gain nothing.
QUERIES_AT_ONCE = 1 << 10
# Results of the queries that are worked on together.
RESULTS_AT_ONCE = 1 << 20
# Up to so many queries, dot products are faster than a product of matrices.
FEW_QUERIES = 3


def nearest(
    matrix: NDArray[np.float32],
    inverse_norms: NDArray[np.float32],
    queries: NDArray[np.float32],
    excluded: Sequence[Sequence[int]],
    topn: int,
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Yield for each query the rows with the highest cosines, and these.

    Parameters
    ----------
    matrix : float32 array, shape (n, d)
        The rows.
    inverse_norms : float32 array, shape (n,)
        1 / length of each row, and 0 for rows whose every cosine is to be 0.
    queries : float32 array, shape (m, d)
        Vectors of length 1, or zeros.
    excluded : sequence of m sequences of int
        Rows that are not to be among the results of each query.
    topn : int
        Number of rows for each query; there are fewer where there are no more.

    Yields
    ------
    rows : intp array
        In the order of descending cosines; those with equal cosines in their own order.
    cosines : float32 array
    """
    topn = min(topn, max(1, len(matrix)))
    at_once = max(1, min(QUERIES_AT_ONCE, RESULTS_AT_ONCE // topn))
    for start in range(0, len(queries), at_once):
        part = slice(start, start + at_once)
        yield from _nearest(matrix, inverse_norms, queries[part], excluded[part], topn)


def all_cosines(
    matrix: NDArray[np.float32], inverse_norms: NDArray[np.float32], queries: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the cosines of each query with each row, shape (m, n); parameters as for `nearest`."""
    cosines = np.empty((len(queries), len(matrix)), dtype=np.float32)
    columns = np.ascontiguousarray(queries.T)
    at_once = max(FEWEST_ROWS, COSINES_AT_ONCE // max(1, len(queries)))
    for begin in range(0, len(matrix), at_once):
        block = slice(begin, begin + at_once)
        cosines[:, block] = _cosines(matrix[block], inverse_norms[block, np.newaxis], columns).T
    return np.clip(cosines, -1, 1, out=cosines)


def highest(scores: NDArray[np.float32], excluded: Sequence[int], topn: int) -> NDArray[np.intp]:
    """Return the rows with the highest scores, shape (n,), in descending order, equal ones in their own."""
    scores = scores.copy()
    scores[np.asarray(excluded, dtype=np.intp)] = -np.inf
    rows = np.arange(len(scores))
    if topn < len(scores):
        rows = np.flatnonzero(scores >= np.partition(scores, -topn)[-topn])
    rows = rows[scores[rows] > -np.inf]
    return rows[np.argsort(-scores[rows], kind="stable")][:topn]


def _nearest(
    matrix: NDArray[np.float32],
    inverse_norms: NDArray[np.float32],
    queries: NDArray[np.float32],
    excluded: Sequence[Sequence[int]],
    topn: int,
) -> list[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Do the work of `nearest` for queries that are few enough to be worked on together."""
    without = np.array(sorted((row, i) for i, rows in enumerate(excluded) for row in rows), dtype=np.intp)
    without_rows, without_queries = without.reshape(-1, 2).T
    columns = np.ascontiguousarray(queries.T)
    highest = _Highest(len(queries), topn)
    # Where the results themselves are many, larger blocks: only their highest are kept.
    at_once = max(FEWEST_ROWS, COSINES_AT_ONCE // len(queries), 4 * topn)
    for begin in range(0, len(matrix), at_once):
        block = slice(begin, begin + at_once)
        cosines = _cosines(matrix[block], inverse_norms[block, np.newaxis], columns)
        here = slice(*np.searchsorted(without_rows, (begin, begin + len(cosines))))
        cosines[without_rows[here] - begin, without_queries[here]] = -np.inf
        highest.add(begin, cosines)
    return highest.of_each()


def _cosines(
    rows: NDArray[np.float32], inverse_norms: NDArray[np.float32], queries: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the cosine of each row and each column of `queries`; rounding may take it beyond 1 or -1.

    Rows that are not float32 are converted, so many at a time as stay in the cache for the product.
    """
    if isinstance(rows, np.ndarray) and rows.dtype == np.float32:
        return _cosines_of_floats(rows, inverse_norms, queries)
    cosines = np.empty((len(rows), queries.shape[1]), dtype=np.float32)
    at_once = max(1, CONVERTED_AT_ONCE // len(queries))
    for begin in range(0, len(rows), at_once):
        block = slice(begin, begin + at_once)
        converted = rows[block].astype(np.float32)
        cosines[block] = _cosines_of_floats(converted, inverse_norms[block], queries)
    return cosines


def _cosines_of_floats(
    rows: NDArray[np.float32], inverse_norms: NDArray[np.float32], queries: NDArray[np.float32]
) -> NDArray[np.float32]:
    d, n_queries = queries.shape
    cosines: NDArray[np.float32]
    if n_queries > d:  # scaling the rows is less than scaling their products
        cosines = np.matmul(rows * inverse_norms, queries)
        return cosines
    if n_queries > FEW_QUERIES:
        cosines = rows @ queries
    else:
        each = queries.T[:, :, np.newaxis]
        cosines = np.matmul(rows[:, np.newaxis, np.newaxis, :], each)[:, :, 0, 0]
    cosines *= inverse_norms
    return cosines


class _Highest:
    """The highest cosines of each query among the rows seen so far.

    What may belong to them is collected, and sorted when there is twice as much as is asked for.
    """

    def __init__(self, n_queries: int, topn: int) -> None:
        self._topn = topn
        self._enough = n_queries * topn
        # What a cosine must exceed: of equal ones that of the earlier row counts, and only later rows come.
        self._least = np.full(n_queries, -np.inf, np.float32)
        self._rows = [np.empty(0, np.intp)]
        self._queries = [np.empty(0, np.intp)]
        self._cosines = [np.empty(0, np.float32)]
        self._n_collected = 0

    def add(self, begin: int, cosines: NDArray[np.float32]) -> None:
        """Collect from the cosines of rows that follow those before, shape (n, m), -inf for excluded ones."""
        higher = cosines > self._least
        crowded = len(cosines) > self._topn and np.count_nonzero(higher) > 2 * self._enough
        if crowded:
            lowest = np.partition(cosines, -self._topn, axis=0)[-self._topn]
            # Those beyond 1 or -1 are equal to these.
            higher &= cosines >= np.where(lowest > -1, np.minimum(lowest, 1), -np.inf)
        places = np.flatnonzero(higher)
        if not len(places):
            return
        rows, queries = np.divmod(places, cosines.shape[1])
        self._rows.append(rows + begin)
        self._queries.append(queries)
        self._cosines.append(np.clip(cosines[rows, queries], -1, 1))
        self._n_collected += len(places)
        if crowded or self._n_collected > 2 * self._enough:
            self._sort()

    def of_each(self) -> list[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        """Return the rows and their cosines for each query."""
        begins = self._sort()[1:]
        return list(zip(np.split(self._rows[0], begins), np.split(self._cosines[0], begins), strict=True))

    def _sort(self) -> NDArray[np.intp]:
        """Sort by query, cosine and row, keep no more than is asked for, and return where queries begin."""
        rows, cosines = np.concatenate(self._rows), np.concatenate(self._cosines)
        queries = np.concatenate(self._queries)
        order = np.lexsort((rows, -cosines, queries))
        every = np.arange(len(self._least))
        begins = np.searchsorted(queries[order], every)
        order = order[np.arange(len(order)) - begins[queries[order]] < self._topn]
        rows, cosines, queries = rows[order], cosines[order], queries[order]
        begins, ends = (np.searchsorted(queries, every, side) for side in ("left", "right"))
        full = ends - begins == self._topn
        self._least[full] = cosines[ends[full] - 1]
        self._rows, self._queries, self._cosines = [rows], [queries], [cosines]
        self._n_collected = len(rows)
        return begins
