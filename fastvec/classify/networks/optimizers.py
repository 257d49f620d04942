"""Optimizers of networks: what each remembers, and its steps on whole arrays and on some rows of tables.

The rules are in ``fastvec/reference/optimizers.py``. A gradient may be that of some rows of a table, `Rows`;
all others are zero and are not visited. A compromise: what a row remembers (v and m) stands still while it
has no gradient, instead of fading, and the row does not move; for AdaGrad, and for sgd without momentum, that
is exact.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.classify.networks.layers import Array

__all__ = ["OPTIMIZERS", "Gradient", "Optimizer", "Rows", "sum_rows"]


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
        self,
        kernel: Any,
        parameters: Mapping[str, Array],
        gradients: Mapping[str, Gradient],
        learning_rate: float,
    ) -> None:
        """Take one step with all gradients, by the kernel `optimizers`, whose look-up takes as long."""
        self.n_steps += 1
        for name, gradient in gradients.items():
            if isinstance(gradient, Rows):
                values, rows = gradient.values, gradient.rows.astype(np.int64)
            else:
                values, rows = gradient, None
            arrays = (parameters[name], *self.slots(name, parameters[name]), values)
            self._update(kernel, (*map(_matrix, arrays), rows), learning_rate)

    def slots(self, name: str, parameter: Array) -> list[Array]:
        """Return what is remembered of a parameter, zeros at first."""
        if name not in self.memory:
            self.memory[name] = [np.zeros_like(parameter) for _ in range(self.SLOTS)]
        return self.memory[name]

    @abstractmethod
    def _update(self, kernel: Any, arrays: tuple[Any, ...], learning_rate: float) -> None:
        """Change a parameter and its slots in place: the arrays are these, the gradient, and its rows."""


class SGD(Optimizer):
    """Plain gradient descent, with momentum unless that is 0."""

    SLOTS = 1

    def _update(self, kernel: Any, arrays: tuple[Any, ...], learning_rate: float) -> None:
        kernel.sgd(*arrays, learning_rate, self.momentum)


class AdaGrad(Optimizer):
    """Every number has a learning rate of its own, which falls with the squares of its gradients."""

    SLOTS = 1

    def _update(self, kernel: Any, arrays: tuple[Any, ...], learning_rate: float) -> None:
        kernel.adagrad(*arrays, learning_rate)


class Adam(Optimizer):
    """Means of the gradient and of its square, which both fade."""

    SLOTS = 2

    def _update(self, kernel: Any, arrays: tuple[Any, ...], learning_rate: float) -> None:
        kernel.adam(*arrays, learning_rate, self.n_steps)


def _matrix(array: Array) -> Array:
    """Return biases as a matrix of one row, and matrices as they are."""
    return array if array.ndim == 2 else array[np.newaxis]


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adagrad": AdaGrad, "adam": Adam}
