"""Whether the vectors of words differ between two sides by more than chance, when each side has several runs.

For each word, x_1 … x_m are its vectors in the runs of one side, and y_1 … y_n those of the other, of runs
that are independent of each other. The null hypothesis is that both sides have the same expected vector. The
statistic compares the means with what they vary by, s² being the sum of the variances of the coordinates:

    F = ‖x̄ − ȳ‖² / (s²_x / m + s²_y / n)

Its expectation is about 1 under the null hypothesis, also where one side varies more because it has the word
less often. Under it x̄ − ȳ is distributed as any other combination of the runs with the same weights: with u
and v of length 1 and sum 0, which cancel what the sides differ by,

    F' = ‖Σ_i u_i x_i / √m + Σ_j v_j y_j / √n‖² / (s'²_x / m + s'²_y / n)

where s' are without the directions u and v. These are rotations of the residuals (Langsrud, "Rotation tests",
Statistics and Computing 2005), exact where the runs vary normally. Permuted runs would do as much, but there
are few, and those of a word that has moved are no chance. A p-value is the part of all F', of many rotations
and all words (Storey and Tibshirani, "Statistical significance for genomewide studies", PNAS 2003), that are
at least F.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST_RUNS", "adjusted", "p_values"]

# With two runs, nothing is left of the variance of a side without one direction.
FEWEST_RUNS = 3
ROTATIONS = 100
# 8 MB in double precision.
NUMBERS_AT_ONCE = 1 << 20


def p_values(
    a: NDArray[np.float32], b: NDArray[np.float32], generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return the p-value of each word, shape (w,).

    Parameters
    ----------
    a, b : float32 array, shape (m, w, d) and (n, w, d)
        The vectors of w words in the runs of both sides, at least three.
    generator : numpy.random.Generator
        Where rotations come from.
    """
    m, n = len(a), len(b)
    u, v = _directions(m, generator), _directions(n, generator)
    observed, by_chance = [], []
    at_once = max(1, NUMBERS_AT_ONCE // ((m + n) * a.shape[2]))
    for begin in range(0, a.shape[1], at_once):
        x, y = (side[:, begin : begin + at_once].astype(np.float64).swapaxes(0, 1) for side in (a, b))
        between = ((x.mean(axis=1) - y.mean(axis=1)) ** 2).sum(axis=1)
        x -= x.mean(axis=1, keepdims=True)
        y -= y.mean(axis=1, keepdims=True)
        within_x, within_y = (x**2).sum(axis=(1, 2)), (y**2).sum(axis=(1, 2))
        observed.append(_ratio(between, within_x / (m * (m - 1)) + within_y / (n * (n - 1))))
        along_x, along_y = _form(u, x, x, u), _form(v, y, y, v)
        turned = along_x / m + along_y / n + 2 * _form(u, x, y, v) / np.sqrt(m * n)
        left_x, left_y = within_x[:, np.newaxis] - along_x, within_y[:, np.newaxis] - along_y
        by_chance.append(_ratio(turned, left_x / (m * (m - 2)) + left_y / (n * (n - 2))))
    chance = np.sort(np.concatenate(by_chance), axis=None)
    at_least = len(chance) - np.searchsorted(chance, np.concatenate(observed), side="left")
    result: NDArray[np.float64] = (1 + at_least) / (1 + len(chance))
    return result


def adjusted(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values adjusted for their number: the false discovery rate at which each is the last one.

    Benjamini and Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical Society B
    1995.
    """
    order = np.argsort(p)[::-1]
    rates = p[order] * len(p) / np.arange(len(p), 0, -1)
    result = np.empty(len(p))
    result[order] = np.minimum.accumulate(rates)
    return result


def _directions(n: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return random vectors of length 1 and sum 0, shape (rotations, n)."""
    vectors = generator.standard_normal((ROTATIONS, n))
    vectors -= vectors.mean(axis=1, keepdims=True)
    directions: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return directions


def _form(
    u: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64], v: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (Σ_i u_i x_i) · (Σ_j v_j y_j) for each word and rotation, shape (w, rotations)."""
    products = (x @ y.swapaxes(1, 2)).reshape(len(x), -1)
    weights = (u[:, :, np.newaxis] * v[:, np.newaxis, :]).reshape(len(u), -1)
    form: NDArray[np.float64] = products @ weights.T
    return form


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a quotient, 0 for 0 / 0: a word that is the same in all runs has not moved."""
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient: NDArray[np.float64] = np.nan_to_num(above / np.maximum(below, 0), nan=0.0, posinf=np.inf)
    return quotient
