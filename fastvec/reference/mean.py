"""A hidden row, the mean or the sum of input rows, and how its step is shared among these.

Objective. With input rows x_i, i = 1..n, a loss J is a function of their mean or their sum

    h = (1/n) Σ_i x_i        or        h = Σ_i x_i

Gradient. With e = ∂J/∂h, ∂J/∂x_i is e/n for the mean and e for the sum.

Update. x_i ← x_i − η ∂J/∂x_i, from which h moves by −η e/n, or by −η n e.

Without ``scale_gradient``, h moves by −η e, whichever it is: the rows of a mean take −η e, those of a sum
−η e/n. A row that occurs several times moves as if once; ``subword.py`` derives why. word2vec.c and fastText
do so with the mean, gensim with both (``cbow_mean``).

The sum's rows are shorter than the mean's, and windows of many rows say more than those of few.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["divisors", "pooled", "reach"]


def pooled(rows: NDArray[np.float32], mean: bool) -> NDArray[np.float32]:
    """Return h of rows, shape (n, d).

    Parameters
    ----------
    rows : float32, shape (n, d)
        The inputs.
    mean : bool
        Whether h is their mean, or their sum.
    """
    result: NDArray[np.float32] = np.mean(rows, axis=0) if mean else np.sum(rows, axis=0)
    return result


def divisors(rows: NDArray[np.int32], mean: bool, scale_gradient: bool) -> NDArray[np.float32]:
    """Return what every input divides the step of h by, shape (n, 1).

    Parameters
    ----------
    rows : int32, shape (n,)
        The inputs, repetitions allowed.
    mean : bool
        Whether h is their mean, or their sum.
    scale_gradient : bool
        Whether each takes its gradient; else h moves by −η e, and a row that is repeated moves as if once.
    """
    n = np.float32(len(rows) if mean == scale_gradient else 1)
    if scale_gradient:
        return np.full((len(rows), 1), n, np.float32)
    _, places, counts = np.unique(rows, return_inverse=True, return_counts=True)
    result: NDArray[np.float32] = n * counts[places, np.newaxis].astype(np.float32)
    return result


def reach(n: int, mean: bool, scale_gradient: bool) -> float:
    """Return how far h moves for a step e, relative to e, with n rows that are all different and all move.

    Parameters
    ----------
    n : int
        The number of inputs.
    mean, scale_gradient : bool
        See `divisors`.
    """
    of_rows = 1 / n if mean else 1
    return n * of_rows / (n if mean == scale_gradient else 1)
