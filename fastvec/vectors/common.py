"""The mean and principal components of vectors, and removing them, or all but them.

Mu and Viswanath, "All-but-the-top: simple and effective postprocessing for word representations", ICLR 2018:
from every vector v the mean μ is taken, and from ṽ = v − μ its projection on the first D principal components
u_1 … u_D, which say more about how frequent a word is than about what it means:

    v' = ṽ − Σ_k (u_k · ṽ) u_k

The directions that keep unit vectors u best, Σ ‖u − P u‖² being least for the projection P on the first D of
them, are the eigenvectors of Σ u uᵀ: nothing is taken from u first, since that would change cosines.

The components are the eigenvectors of Σ ṽ ṽᵀ, a matrix of d × d numbers, so that rows are looked at in blocks
and a memory-mapped matrix is never held as a whole in double precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec.formats.finite import not_finite

__all__ = ["CommonPart", "common_part", "oriented", "principal_directions", "projected", "without"]

# 8 MB in double precision.
NUMBERS_AT_ONCE = 1 << 20


class CommonPart(NamedTuple):
    """A mean, shape (d,), and the orthonormal directions that are taken out too, shape (d, n)."""

    mean: NDArray[np.float64]
    components: NDArray[np.float64]


def common_part(matrix: NDArray[np.float32], n_components: int) -> CommonPart:
    """Return the mean of the rows of a matrix, shape (n, d), and their first principal components.

    Raises
    ------
    ValueError
        When a row of a memory-mapped matrix is not finite.
    """
    n, d = matrix.shape
    mean = np.zeros(d)
    with np.errstate(invalid="ignore"):  # inf - inf
        for begin, rows in _blocks(matrix):
            total = rows.sum(axis=0)
            if not np.isfinite(total).all():
                row = begin + int(np.argmin(np.isfinite(rows).all(axis=1)))
                raise not_finite("vectors", matrix, row, "row")
            mean += total / n
    if n_components == 0:
        return CommonPart(mean, np.empty((d, 0)))
    scatter = np.zeros((d, d))
    for _, rows in _blocks(matrix):
        rows -= mean
        scatter += rows.T @ rows
    _, vectors = np.linalg.eigh(scatter)  # ascending
    return CommonPart(mean, vectors[:, d - n_components :])


def principal_directions(
    matrix: NDArray[np.float32], inverse_norms: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return orthonormal directions, shape (d, d), of which the first keep the rows at length 1 best.

    `inverse_norms` is 1 / length of each row, and 0 for rows that do not count.
    """
    scatter = np.zeros((matrix.shape[1], matrix.shape[1]))
    for begin, rows in _blocks(matrix):
        rows *= inverse_norms[begin : begin + len(rows), np.newaxis]
        scatter += rows.T @ rows
    return oriented(np.linalg.eigh(scatter)[1][:, ::-1])


def oriented(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return of each direction, a column, and its opposite the one whose largest number is positive."""
    largest = np.abs(directions).argmax(axis=0)
    return directions * np.where(directions[largest, np.arange(directions.shape[1])] < 0, -1, 1)


def without(matrix: NDArray[np.float32], common: CommonPart) -> NDArray[np.float32]:
    """Return a matrix, shape (n, d), whose rows lack the mean and the components."""
    result = np.empty(matrix.shape, dtype=np.float32)
    for begin, rows in _blocks(matrix):
        rows -= common.mean
        rows -= (rows @ common.components) @ common.components.T
        result[begin : begin + len(rows)] = rows
    return result


def projected(matrix: NDArray[np.float32], directions: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the coordinates of the rows of a matrix, shape (n, d), along `directions`, shape (d, m)."""
    result = np.empty((len(matrix), directions.shape[1]), dtype=np.float32)
    for begin, rows in _blocks(matrix):
        result[begin : begin + len(rows)] = rows @ directions
    return result


def _blocks(matrix: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield blocks of rows in double precision, each with the number of its first row."""
    at_once = max(1, NUMBERS_AT_ONCE // matrix.shape[1])
    for begin in range(0, len(matrix), at_once):
        yield begin, matrix[begin : begin + at_once].astype(np.float64)
