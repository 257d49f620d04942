"""Matrices to be trained: their rows in memory as the kernels require, and random numbers to start from."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["MakeMatrix", "fill_uniform", "in_memory", "padded_copies", "padded_matrix", "padded_shape"]

# A row starts on a cache line and is a whole number of AVX-512 registers.
ALIGNMENT = 64
LANES = 16
# Starting values drawn at once: 16 MB of them.
NUMBERS_AT_ONCE = 1 << 22

# Makes zeros for the matrix of a name, a number of rows, and one of columns, as `padded_matrix`.
MakeMatrix = Callable[[str, int, int], NDArray[np.float32]]


def padded_shape(n_rows: int, n_columns: int) -> tuple[int, int]:
    """Return the shape of a matrix whose rows are a whole number of registers."""
    return n_rows, -(-n_columns // LANES) * LANES


def padded_matrix(n_rows: int, n_columns: int) -> NDArray[np.float32]:
    """Return zeros of shape (n_rows, n_columns rounded up to 16), every row on a cache line."""
    n_rows, stride = padded_shape(n_rows, n_columns)
    raw = np.zeros(n_rows * stride + ALIGNMENT // 4, np.float32)
    start = -raw.ctypes.data % ALIGNMENT // 4
    return raw[start : start + n_rows * stride].reshape(n_rows, stride)


def in_memory(name: str, n_rows: int, n_columns: int) -> NDArray[np.float32]:
    """Make a matrix in memory."""
    return padded_matrix(n_rows, n_columns)


def padded_copies(
    matrices: Mapping[str, NDArray[np.float32]], make: MakeMatrix = in_memory
) -> dict[str, NDArray[np.float32]]:
    """Return copies with their rows padded as the kernels require."""
    copies = {name: make(name, *matrix.shape) for name, matrix in matrices.items()}
    for name, matrix in matrices.items():
        copies[name][:, : matrix.shape[1]] = matrix
    return copies


def fill_uniform(rows: NDArray[np.float32], divisor: float, generator: np.random.Generator) -> None:
    """Fill a matrix with numbers that are uniform in ±0.5 / `divisor`."""
    n_columns = rows.shape[1]
    at_once = max(1, NUMBERS_AT_ONCE // n_columns)
    for begin in range(0, len(rows), at_once):
        block = rows[begin : begin + at_once]
        block[:] = (generator.random(block.shape, dtype=np.float32) - 0.5) / divisor
