"""What keeps the two sides of a training in rounds in balance: see the kernel `rounds`.

All sums are of one order, without functions of a C library or LAPACK, so that their bits are the same
everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from fastvec.distributed.directions import Side

__all__ = ["SAMPLED", "Balance"]

# Rounds after which the sides are brought back into balance.
PERIOD = 4
# How many of the steepest directions of each side are looked at.
GUIDES = 2
# One lane in so many says how the balance should change.
SAMPLED = 4
# The furthest that the logarithm of a length changes at once.
FURTHEST = 0.3
# Terms of the series of the exponential, for what is not above that.
TERMS = 9
# What is left of a direction, relative to its length, if the others have all of it.
NOTHING = 1e-3
# What is added to the diagonal of the equations of K, relative to its mean, and at least.
RIDGE, LEAST = 1e-9, 1e-30

Square = NDArray[np.float64]


class Balance:
    """How far the sides have drifted along some directions, in a period of rounds.

    Parameters
    ----------
    stride : int
        The length of rows, padded.

    Attributes
    ----------
    guides : float32 array, (4, stride)
        The directions, or zeros.
    drift : float64 array, (4, 4)
        How the lanes have changed the second moment of outputs along these, beyond that of inputs, minus what
        it was when the period began: with what it is at the end, how far it should still change.
    n_rounds : float64 array, (1,)
        How many rounds of the period are done.
    """

    def __init__(self, stride: int) -> None:
        self.guides = np.zeros((2 * GUIDES, stride), np.float32)
        self.drift = np.zeros((2 * GUIDES, 2 * GUIDES))
        self.n_rounds = np.zeros(1)

    @property
    def is_beginning(self) -> bool:
        """Whether a period begins."""
        return not self.n_rounds.any()

    @property
    def is_over(self) -> bool:
        """Whether a period is over."""
        return bool(self.n_rounds[0] == PERIOD)

    def choose(self, sides: Iterable[Side]) -> None:
        """Choose directions for the rounds to come, from those of the last one."""
        known = [row for side in sides if side.weight.any() for row in side.directions[:GUIDES]]
        self.guides[:] = 0
        for i, row in enumerate(known):
            for other in self.guides[:i].astype(np.float64):
                row = row - math.fsum(row * other) * other
            length = math.sqrt(math.fsum(row * row))
            if length > NOTHING:
                self.guides[i] = row / length

    def begin(self, moments: Mapping[str, Square]) -> None:
        """Begin a period, from the second moments of inputs and outputs along the guides."""
        of_inputs, of_outputs = moments.values()
        self.drift[:] = of_outputs - of_inputs

    def add(self, changes: Iterable[Square], n_lanes: int) -> None:
        """Add what sampled lanes of a round have changed."""
        sampled = list(changes)
        for change in sampled:
            self.drift += change * (n_lanes / len(sampled))
        self.n_rounds += 1

    def end(self, moments: Mapping[str, Square]) -> dict[str, NDArray[np.float32]]:
        """End a period, and return how the rows of each matrix are to grow."""
        of_inputs, of_outputs = moments.values()
        inputs, outputs = moments
        k = _solve(of_inputs + of_outputs, self.drift - (of_outputs - of_inputs))
        self.drift[:] = 0
        self.n_rounds[:] = 0
        return {inputs: _growth(-k), outputs: _growth(k)}


def _solve(s: Square, right: Square) -> Square:
    """Return K of K S + S K = right, no longer than FURTHEST."""
    n = len(s)
    equations = np.kron(s, np.eye(n)) + np.kron(np.eye(n), s)
    equations[np.diag_indices(n * n)] += RIDGE * math.fsum(np.diag(s)) + LEAST
    found = right.reshape(-1).copy()
    for i in range(n * n):
        for j in range(i + 1, n * n):
            factor = equations[j, i] / equations[i, i]
            equations[j] -= factor * equations[i]
            found[j] -= factor * found[i]
    for i in reversed(range(n * n)):
        for j in range(i + 1, n * n):
            found[i] -= equations[i, j] * found[j]
        found[i] /= equations[i, i]
    k: Square = found.reshape(n, n)
    k = (k + k.T) / 2
    length = math.sqrt(math.fsum((k * k).ravel()))
    return k * min(1.0, FURTHEST / max(length, LEAST))


def _growth(k: Square) -> NDArray[np.float32]:
    """Return e^K − 1."""
    term, total = k, k
    for i in range(2, TERMS):
        term = (term[:, :, np.newaxis] * k).sum(axis=1) / i
        total = total + term
    return total.astype(np.float32)
