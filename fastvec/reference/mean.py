"""A hidden row, the mean of input rows, and how its step is shared among these.

``subword.py`` derives what is done without ``scale_gradient``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["divisors"]


def divisors(rows: NDArray[np.int32], scale_gradient: bool) -> NDArray[np.float32]:
    """Return what every input divides the step of the mean by, shape (n, 1).

    Parameters
    ----------
    rows : int32, shape (n,)
        The inputs, repetitions allowed.
    scale_gradient : bool
        Whether by n, which is the gradient; else by how often the row occurs, so that it moves as if once.
    """
    if scale_gradient:
        return np.full((len(rows), 1), len(rows), np.float32)
    _, places, counts = np.unique(rows, return_inverse=True, return_counts=True)
    return counts[places, np.newaxis].astype(np.float32)
