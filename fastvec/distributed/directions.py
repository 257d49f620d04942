"""The directions in which a loss is steep: eigenvectors of its mean curvature, with the same bits everywhere.

LAPACK's depend on the number of its threads, and on the processor. Here they come from orthogonal iteration
(G. H. Golub and C. F. Van Loan, Matrix Computations, 8.2.4), which multiplies and adds in one order. It
starts from the directions of the round before, which are nearly the same; those whose eigenvalues are nearly
equal need not be told from each other.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fastvec.distributed.blocks import Pull
from fastvec.training.rounds import DECAY

__all__ = ["Side", "pulls"]

# How many directions are told from the others, at most.
DIRECTIONS = 32
# How many of the steepest ones what both sides correct is sought in.
SHARED = 8
# How often the matrix is multiplied by before directions are made orthogonal again.
POWER = 2
# What is added to all eigenvalues, relative to their mean, so that no direction vanishes.
FLOOR = 1e-3


class Side:
    """The curvature that rows of one side, inputs or outputs, have in common; that of earlier rounds fades.

    Parameters
    ----------
    d, stride : int
        The length of rows, without and with padding.

    Attributes
    ----------
    curvature : float64 array, (stride, stride)
        The sum of the outer products of the vectors that rows meet, each weighted by p (1 − p).
    weight : float64 array, (1,)
        The sum of the weights.
    directions : float64 array, (k, stride)
        The steepest directions of the last round.
    """

    def __init__(self, d: int, stride: int) -> None:
        self._d = d
        self.curvature = np.zeros((stride, stride))
        self.weight = np.zeros(1)
        directions = np.zeros((min(d, DIRECTIONS), stride))
        directions[:, :d] = np.random.default_rng(0).standard_normal((len(directions), d))
        self.directions = _orthonormal(directions)

    def fade(self) -> None:
        """Let a round begin."""
        self.curvature *= DECAY
        self.weight *= DECAY

    def add(self, curvature: NDArray[np.float64], weight: float) -> None:
        """Add what a lane has found."""
        self.curvature += curvature
        self.weight += weight

    def steepest(self) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
        """Return the steepest directions, what is taken for their eigenvalues, and for that of all others."""
        weight = self.weight[0]
        eigenvalues, rest = self._steepest(self.curvature / (weight or 1))
        mean = float(eigenvalues.sum() + rest * (self._d - len(eigenvalues))) / self._d
        return self.directions.astype(np.float32), (eigenvalues + mean).astype(np.float32), rest + mean

    def _steepest(self, matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """Find the steepest directions of a matrix; return their eigenvalues and the mean of all others."""
        mean = float(np.trace(matrix)) / self._d
        if mean <= 0:
            return np.zeros(len(self.directions)), 0.0
        relative = matrix / mean
        found = self.directions
        for _ in range(POWER):
            found = np.einsum("ij,kj->ki", relative, found) + FLOOR * found
        found = _orthonormal(found)
        self.directions[:] = found
        eigenvalues = np.einsum("ki,ki->k", np.einsum("ij,kj->ki", matrix, found), found)
        n_others = self._d - len(found)
        rest = (mean * self._d - float(eigenvalues.sum())) / n_others if n_others else 0.0
        return eigenvalues, max(rest, 0.0)


def pulls(sides: Mapping[str, Side], learning_rate: float) -> dict[str, Pull]:
    """Return how changes of a round are combined, for the matrix of each side."""
    found = {name: side.steepest() for name, side in sides.items()}
    first, second = found
    others = {first: found[second][0][:SHARED], second: found[first][0][:SHARED]}
    return {name: Pull(learning_rate, *found[name], others[name]) for name, side in sides.items()}


def _orthonormal(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an orthonormal basis of the space of some rows, in their order (modified Gram-Schmidt)."""
    rows = rows.copy()
    for i in range(len(rows)):
        rows[i] /= np.sqrt(np.einsum("i,i", rows[i], rows[i]))
        rows[i + 1 :] -= np.einsum("ki,i->k", rows[i + 1 :], rows[i])[:, np.newaxis] * rows[i]
    return rows
