"""Rows that do not move: constants of a step, whose gradient is that of the others alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["moving"]


def moving(rows: NDArray[np.int32], frozen: NDArray[np.uint8] | None) -> NDArray[np.bool_]:
    """Return which of some rows move.

    Parameters
    ----------
    rows : int32, shape (n,)
        Rows of a matrix.
    frozen : uint8, shape (n_rows,), or None
        1 for the rows of the matrix that do not move; None if all do.
    """
    return np.ones(len(rows), np.bool_) if frozen is None else frozen[rows] == 0
