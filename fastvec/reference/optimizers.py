"""Steps of gradient descent: plain with momentum, AdaGrad and Adam, of matrices or of some of their rows.

With the gradient g of a parameter θ and the learning rate η, element by element:

    sgd      v ← μ v + g                                θ ← θ − η v
    adagrad  s ← s + g²                                 θ ← θ − η g / (sqrt(s) + ε)
    adam     m ← β₁ m + (1 − β₁) g                      θ ← θ − η m̂ / (sqrt(v̂) + ε)
             v ← β₂ v + (1 − β₂) g²                     with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ) at step t

Where `rows` are given, the gradient is that of these rows of the parameter, and all others are not visited.

References: Polyak 1964 (momentum); Duchi, Hazan and Singer 2011 (AdaGrad); Kingma and Ba 2015,
arXiv:1412.6980 (Adam).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["adagrad", "adam", "sgd"]

EPSILON = 1e-8
BETA1, BETA2 = 0.9, 0.999

Matrix = NDArray[Any]
Rows = NDArray[np.int64] | None


def sgd(
    parameter: Matrix, velocity: Matrix, gradient: Matrix, rows: Rows, learning_rate: float, momentum: float
) -> None:
    """Take a step of gradient descent with momentum.

    Parameters
    ----------
    parameter : IN/OUT, float32 or float64 (n, d)
        θ.
    velocity : IN/OUT, of the parameter's shape and dtype
        v.
    gradient : IN, of the parameter's dtype, (n, d) or (m, d)
        g.
    rows : IN, int64 (m,) or None
        The rows that have a gradient, each once; None for all of them, in order.
    learning_rate : float
        η.
    momentum : float
        μ.
    """
    which: Any = slice(None) if rows is None else rows
    v = momentum * velocity[which] + gradient
    velocity[which] = v
    parameter[which] -= learning_rate * v


def adagrad(parameter: Matrix, squares: Matrix, gradient: Matrix, rows: Rows, learning_rate: float) -> None:
    """Take a step of AdaGrad.

    Parameters
    ----------
    parameter, gradient, rows, learning_rate
        See `sgd`.
    squares : IN/OUT, of the parameter's shape and dtype
        s.
    """
    which: Any = slice(None) if rows is None else rows
    s = squares[which] + gradient * gradient
    squares[which] = s
    parameter[which] -= learning_rate * (gradient / (np.sqrt(s) + EPSILON))


def adam(
    parameter: Matrix,
    mean: Matrix,
    square: Matrix,
    gradient: Matrix,
    rows: Rows,
    learning_rate: float,
    n_steps: int,
) -> None:
    """Take a step of Adam.

    Parameters
    ----------
    parameter, gradient, rows, learning_rate
        See `sgd`.
    mean, square : IN/OUT, of the parameter's shape and dtype
        m and v.
    n_steps : int
        t, from 1 on.
    """
    which: Any = slice(None) if rows is None else rows
    m = BETA1 * mean[which] + (1 - BETA1) * gradient
    v = BETA2 * square[which] + (1 - BETA2) * (gradient * gradient)
    mean[which], square[which] = m, v
    # sqrt(v̂) + ε = (sqrt(v) + ε sqrt(1 − β₂ᵗ)) / sqrt(1 − β₂ᵗ)
    correction = math.sqrt(1 - BETA2**n_steps)
    rate = learning_rate * correction / (1 - BETA1**n_steps)
    parameter[which] -= rate * (m / (np.sqrt(v) + EPSILON * correction))
