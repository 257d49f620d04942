"""Gradients of models, as the steps of the NumPy reference have them, against finite differences.

A step moves the parameters θ by −η ∂J/∂θ, up to terms of higher order in its learning rate η, and so do many
of them, one after the other. That makes the gradient

    ∂J/∂θ = (θ(−η) − θ(η)) / 2η

with the parameters θ(η) after the steps, up to terms in η². Steps with η = 0 change nothing, and return J.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.finite_differences import GradientReport, gradcheck

__all__ = ["check_steps"]

Arrays = dict[str, NDArray[np.float64]]

# η: a power of 2, which float32 has exactly. Its square is below the rounding of finite differences.
LEARNING_RATE = 2.0**-20


def check_steps(
    take: Callable[[Arrays, float], float],
    matrices: Arrays,
    rows: Mapping[str, NDArray[np.integer[Any]]],
    *,
    parts: Callable[[Arrays], Arrays] = dict,
    epsilon: float,
    sample: int | None,
    seed: int,
) -> GradientReport:
    """Compare the gradient that steps follow with finite differences of what they minimize.

    Parameters
    ----------
    take : callable
        ``take(matrices, learning_rate)`` takes the steps and returns the sum of their J.
    matrices : dict of float64 arrays
        IN/OUT: the point at which to check.
    rows : dict of int arrays
        The rows of parts that are checked even if no step moves them; those that move are checked anyway.
    parts : callable
        Returns the arrays to check, views of those in a dict like `matrices`.
    epsilon, sample, seed
        The arguments of `gradcheck`.

    Returns
    -------
    GradientReport
        The largest error; `worst` is the name of a part, followed by the index in it.
    """

    def moved(learning_rate: float) -> Arrays:
        copies = {name: matrix.copy() for name, matrix in matrices.items()}
        take(copies, learning_rate)
        return parts(copies)

    ahead, back = moved(LEARNING_RATE), moved(-LEARNING_RATE)
    gradients = {name: (back[name] - ahead[name]) / (2 * LEARNING_RATE) for name in ahead}
    checked = {
        name: np.union1d(rows.get(name, []), np.unique(np.nonzero(gradient)[0])).astype(np.intp)
        for name, gradient in gradients.items()
    }
    views = parts(matrices)
    found = {name: gradients[name][checked[name]] for name in views}

    def cost(point: Arrays) -> tuple[float, Arrays]:
        for name, values in point.items():
            views[name][checked[name]] = values
        return take(matrices, 0.0), found  # the gradient at the start, the only one that is asked for

    start = {name: view[checked[name]] for name, view in views.items()}
    report = gradcheck(cost, start, epsilon=epsilon, sample=sample, seed=seed)
    name, row, *column = report.worst
    return replace(report, worst=(name, int(checked[name][row]), *column))
