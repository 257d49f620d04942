"""Tables for the random decisions of the kernels: which words are kept, and which are drawn as noise.

A draw of the kernels is a whole number below 2³², and so are the thresholds that it is compared with: the
tables are tables of 32-bit integers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["alias_table", "keep_thresholds"]

FULL = 1 << 32  # what a column of the alias table holds, in units of its threshold


def keep_thresholds(keep_probabilities: ArrayLike) -> NDArray[np.uint32]:
    """Return the thresholds k with which a word is kept with probability (k + 1) / 2³².

    Parameters
    ----------
    keep_probabilities : array_like of float, (n_words,)
        From 0 to 1. Since k >= 0, a word of probability 0 is kept once in 2³² draws.

    Returns
    -------
    uint32 (n_words,)
        The thresholds, a probability of 1 being exact and the others within 2⁻³³ (2⁻³² near 0).

    Raises
    ------
    ValueError
        If a probability is not in [0, 1].
    """
    probabilities = np.asarray(keep_probabilities, dtype=np.float64)
    wrong = probabilities[~((probabilities >= 0) & (probabilities <= 1))]
    if wrong.size:
        raise ValueError(f"keep_probabilities must be numbers from 0 to 1, got {wrong[0]}")
    return np.asarray(np.maximum(np.rint(probabilities * FULL), 1) - 1, dtype=np.uint32)


def alias_table(probabilities: ArrayLike) -> NDArray[np.uint32]:
    """Return the table from which one random number draws a word in constant time.

    Every word has a column of height 1, the table the area n_words. A column is filled with the word itself
    up to a threshold, and above it with one other word, its alias [1]_. To draw, choose a column and a
    height: with h < 2³² uniform the column's word is drawn if h < threshold, and its alias otherwise.

    Vose [2]_ fills the columns one after the other: a word that falls short of its column takes the rest
    from one that has too much, which in turn may then fall short and take from the next. In that order, the
    k-th word that falls short starts where those before it have used up the sum of their deficits, and a
    word with too much is exhausted where that sum passes the sum of the excesses up to its own; both are
    prefix sums and a search in them [3]_, without a loop over words.

    Parameters
    ----------
    probabilities : array_like of float, (n_words,)
        Not negative; they need not sum to 1.

    Returns
    -------
    uint32 (n_words, 2)
        Rows of (threshold, alias). The probability that they give a word differs by less than
        1 / (n_words · 2³²) from the one asked for, and is 0 where that is 0. (Rounding a probability in
        float64 adds 2⁻⁵³ of it.)

    Raises
    ------
    ValueError
        If there are no probabilities, if one is negative or not finite, or if all are 0.

    References
    ----------
    .. [1] A. J. Walker, "New fast method for generating discrete random numbers with arbitrary frequency
       distributions", Electronics Letters 10(8), 1974.
    .. [2] M. D. Vose, "A linear algorithm for generating random numbers with a given distribution", IEEE
       Transactions on Software Engineering 17(9), 1991.
    .. [3] L. Hübschle-Schneider and P. Sanders, "Parallel weighted random sampling", ACM Transactions on
       Mathematical Software 48(3), 2022.
    """
    weights = _whole_numbers(np.asarray(probabilities, dtype=np.float64))
    short = np.flatnonzero(weights < FULL)
    rich = np.flatnonzero(weights >= FULL)
    # Whole numbers: both sums end at the same value, exactly.
    deficits = np.cumsum(FULL - weights[short])
    excesses = np.cumsum(weights[rich] - FULL)

    thresholds = np.minimum(weights, FULL - 1)
    alias = np.arange(len(weights))  # a full column is its own alias
    used_before = deficits - (FULL - weights[short])
    alias[short] = rich[np.searchsorted(excesses, used_before, side="left")]

    exhausted_by = np.searchsorted(deficits, excesses, side="right")
    exhausted = np.flatnonzero(exhausted_by < len(deficits))
    thresholds[rich[exhausted]] = FULL + excesses[exhausted] - deficits[exhausted_by[exhausted]]
    alias[rich[exhausted]] = rich[exhausted + 1]
    return np.stack((thresholds, alias), axis=1).astype(np.uint32)


def _whole_numbers(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the probabilities as whole numbers that sum to n_words · 2³², none off by 1 or more."""
    if probabilities.ndim != 1 or probabilities.size == 0:
        raise ValueError(f"probabilities must be one number or more, got the shape {probabilities.shape}")
    wrong = probabilities[~(np.isfinite(probabilities) & (probabilities >= 0))]
    if wrong.size:
        raise ValueError(f"probabilities must be finite numbers >= 0, got {wrong[0]}")
    if not probabilities.any():
        raise ValueError("probabilities must not all be 0")
    whole = FULL * len(probabilities)
    exact = probabilities / probabilities.max()
    exact *= whole / exact.sum()
    weights: NDArray[np.int64] = exact.astype(np.int64)
    # Those that lost most by rounding down get one more, until the sum is right.
    missing = max(0, whole - int(weights.sum()))
    weights[np.argsort(weights - exact, kind="stable")[:missing]] += 1
    weights[np.argmax(weights)] += whole - int(weights.sum())  # what float64 has lost, a few units at most
    return weights
