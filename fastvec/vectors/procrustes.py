"""The rotation that brings vectors nearest to others: the orthogonal Procrustes problem.

Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 1966: with a row for
each pair in A and in B, the orthogonal Q that makes ‖A Q − B‖ least is U Vᵀ, where U Σ Vᵀ is the singular
value decomposition of Aᵀ B. For ‖A Q − B‖² = ‖A‖² + ‖B‖² − 2 tr(Qᵀ Aᵀ B), and tr(Qᵀ U Σ Vᵀ) is largest, the
trace of Σ, where Vᵀ Qᵀ U is the identity.

Several matrices are brought together by turning each to the mean of all, again and again (Gower, "Generalized
Procrustes analysis", Psychometrika 1975): none of them is the reference, and for two it is the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["rotation", "turn_together"]

# The mean of all hardly changes after three rounds; the first turns to the first matrix.
ROUNDS = 5


def rotation(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the orthogonal matrix Q, shape (d, d), that makes the distance of a Q and b least."""
    u, _, vt = np.linalg.svd((a.T @ b).astype(np.float64))
    turn: NDArray[np.float64] = u @ vt
    return turn


def turn_together(matrices: NDArray[np.float32], rows: NDArray[np.intp]) -> None:
    """Turn matrices, shape (m, n, d), in place, such that some rows of all are near each other."""
    mean = matrices[0, rows]
    for _ in range(ROUNDS):
        for matrix in matrices:
            matrix[:] = matrix @ rotation(matrix[rows], mean).astype(np.float32)
        mean = matrices[:, rows].mean(axis=0)
