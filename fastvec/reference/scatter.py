"""Sums of gradients for the rows that they belong to: the sparse half of back-propagation into a table.

A batch looks up rows of a table, x_i = T[p_i], several times the same one. By the sum rule

    ∂J/∂T[p] = Σ_{i : p_i = p} ∂J/∂x_i

so that the gradients of the copies, ``values``, are added up by their place. Rows that nobody looked up
have no gradient and are not visited.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["add_rows"]


def add_rows(sums: NDArray[Any], places: NDArray[np.int64], values: NDArray[Any]) -> None:
    """Add every row of `values` to the row of `sums` that is its place.

    Parameters
    ----------
    sums : IN/OUT, float32 or float64 (m, d)
        Totals.
    places : IN, int64 (n,)
        Rows of `sums`, repetitions allowed.
    values : IN, of the dtype of sums (n, d)
        What is added, in this order.
    """
    np.add.at(sums, places, values)
