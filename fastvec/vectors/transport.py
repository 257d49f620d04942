"""The word mover's distance, by an exact solver of optimal transport.

Kusner, Sun, Kolkin and Weinberger, "From word embeddings to document distances", ICML 2015: a text is a mass
of 1, shared equally by its words. The distance of two texts is what it costs at least to move the mass of one
to the words of the other, where moving a mass m from word i to word j costs m times the distance of their
vectors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastvec.exports import library

__all__ = ["movers_distance"]

# The solver's steps. It ends when it is done, and texts of a thousand words need more than its default.
MOST_STEPS = 10**7


def movers_distance(
    a: NDArray[np.float32], b: NDArray[np.float32], mass_a: NDArray[np.float64], mass_b: NDArray[np.float64]
) -> float:
    """Return the least cost of moving masses from the points `a`, shape (n, d), to the points `b`.

    Parameters
    ----------
    a, b : float32 array, shape (n, d) and (m, d)
        The points.
    mass_a, mass_b : float64 array, shape (n,) and (m,)
        Their masses, which add up to 1 each.

    Raises
    ------
    ImportError
        If POT is not installed.
    """
    ot = library("ot", "word_movers_distance", "wmd", "POT")
    to = b.astype(np.float64)
    costs = np.stack([np.linalg.norm(to - point, axis=1) for point in a.astype(np.float64)])
    return float(ot.emd2(mass_a, mass_b, costs, numItermax=MOST_STEPS))
