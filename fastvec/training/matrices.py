"""Matrices to be trained, with their rows in memory as the kernels require."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["padded_copies", "padded_matrix"]

# A row starts on a cache line and is a whole number of AVX-512 registers.
ALIGNMENT = 64
LANES = 16


def padded_matrix(n_rows: int, n_columns: int) -> NDArray[np.float32]:
    """Return zeros of shape (n_rows, n_columns rounded up to 16), every row on a cache line."""
    stride = -(-n_columns // LANES) * LANES
    raw = np.zeros(n_rows * stride + ALIGNMENT // 4, np.float32)
    start = -raw.ctypes.data % ALIGNMENT // 4
    return raw[start : start + n_rows * stride].reshape(n_rows, stride)


def padded_copies(matrices: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Return copies with their rows padded as the kernels require."""
    copies = {name: padded_matrix(*matrix.shape) for name, matrix in matrices.items()}
    for name, matrix in matrices.items():
        copies[name][:, : matrix.shape[1]] = matrix
    return copies
