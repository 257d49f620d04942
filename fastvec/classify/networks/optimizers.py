"""Steps of gradient descent: plain with momentum, AdaGrad and Adam, on whole arrays and on some rows of them.

With the gradient g of a parameter θ and the learning rate η, element by element:

    sgd      v ← μ v + g                                θ ← θ − η v
    adagrad  s ← s + g²                                 θ ← θ − η g / (sqrt(s) + ε)
    adam     m ← β₁ m + (1 − β₁) g                      θ ← θ − η m̂ / (sqrt(v̂) + ε)
             v ← β₂ v + (1 − β₂) g²                     with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ) at step t

A gradient may be that of some rows of a table, `Rows`; all others are zero and are not visited. A compromise:
what a row remembers (v and m) stands still while it has no gradient, instead of fading, and the row does not
move; for AdaGrad, and for sgd without momentum, that is exact.

References: Polyak 1964 (momentum); Duchi, Hazan and Singer 2011 (AdaGrad); Kingma and Ba 2015,
arXiv:1412.6980 (Adam).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.classify.networks.layers import Array

__all__ = ["OPTIMIZERS", "Gradient", "Optimizer", "Rows", "sum_rows"]

EPSILON = 1e-8


class Rows(NamedTuple):
    """The gradient of some rows of a table.

    Attributes
    ----------
    rows : int array, shape (m,)
        Which rows, each once.
    values : ndarray, shape (m, d)
        Their gradients.
    """

    rows: NDArray[np.intp]
    values: Array


Gradient = Array | Rows


def sum_rows(ids: Array, values: Array) -> Rows:
    """Return the gradient of a table from those of looked-up rows, of which some are the same.

    Parameters
    ----------
    ids : int array, shape (n,)
        Which row of the table each was.
    values : ndarray, shape (n, d)
        Their gradients.
    """
    rows, places = np.unique(ids, return_inverse=True)
    sums = np.zeros((len(rows), values.shape[1]), values.dtype)
    kernels.scatter.add_rows(sums, places.astype(np.int64), np.ascontiguousarray(values))
    return Rows(rows, sums)


class Optimizer(ABC):
    """Changes parameters in place, and remembers for each what its rule needs."""

    # How many arrays of the parameter's shape a rule remembers.
    SLOTS: ClassVar[int]

    def __init__(self, momentum: float) -> None:
        self.momentum = momentum
        self.n_steps = 0
        self.memory: dict[str, list[Array]] = {}

    def step(
        self, parameters: Mapping[str, Array], gradients: Mapping[str, Gradient], learning_rate: float
    ) -> None:
        """Take one step with all gradients."""
        self.n_steps += 1
        for name, gradient in gradients.items():
            whole = [parameters[name], *self._slots(name, parameters[name])]
            if isinstance(gradient, Rows):
                some = [array[gradient.rows] for array in whole]
                self._update(some[0], some[1:], gradient.values, learning_rate)
                for array, changed in zip(whole, some, strict=True):
                    array[gradient.rows] = changed
            else:
                self._update(whole[0], whole[1:], gradient, learning_rate)

    def _slots(self, name: str, parameter: Array) -> list[Array]:
        if name not in self.memory:
            self.memory[name] = [np.zeros_like(parameter) for _ in range(self.SLOTS)]
        return self.memory[name]

    @abstractmethod
    def _update(self, parameter: Array, slots: list[Array], gradient: Array, learning_rate: float) -> None:
        """Change a parameter and its slots in place."""


class SGD(Optimizer):
    """Plain gradient descent, with momentum unless that is 0."""

    SLOTS = 1

    def _update(self, parameter: Array, slots: list[Array], gradient: Array, learning_rate: float) -> None:
        (velocity,) = slots
        velocity *= self.momentum
        velocity += gradient
        parameter -= learning_rate * velocity


class AdaGrad(Optimizer):
    """Every number has a learning rate of its own, which falls with the squares of its gradients."""

    SLOTS = 1

    def _update(self, parameter: Array, slots: list[Array], gradient: Array, learning_rate: float) -> None:
        (squares,) = slots
        squares += gradient * gradient
        change = np.sqrt(squares)
        change += EPSILON
        np.divide(gradient, change, out=change)
        change *= learning_rate
        parameter -= change


class Adam(Optimizer):
    """Means of the gradient and of its square, which both fade."""

    SLOTS = 2
    BETA1, BETA2 = 0.9, 0.999

    def _update(self, parameter: Array, slots: list[Array], gradient: Array, learning_rate: float) -> None:
        mean, square = slots
        mean *= self.BETA1
        mean += (1 - self.BETA1) * gradient
        square *= self.BETA2
        change = gradient * gradient
        change *= 1 - self.BETA2
        square += change
        # sqrt(v̂) + ε = (sqrt(v) + ε sqrt(1 − β₂ᵗ)) / sqrt(1 − β₂ᵗ)
        correction = math.sqrt(1 - self.BETA2**self.n_steps)
        np.sqrt(square, out=change)
        change += EPSILON * correction
        np.divide(mean, change, out=change)
        change *= learning_rate * correction / (1 - self.BETA1**self.n_steps)
        parameter -= change


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adagrad": AdaGrad, "adam": Adam}
