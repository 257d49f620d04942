"""Softmax regression in matrices as its kernel takes them: rows of the weights and the bias of a class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastvec.classify.networks.layers import Array, Parameters
from fastvec.classify.networks.optimizers import Optimizer
from fastvec.training.matrices import padded_matrix

__all__ = ["packed"]


def packed(parameters: Parameters, optimizer: Optimizer) -> tuple[dict[str, Array], NDArray[np.float32]]:
    """Return parameters, and all matrices: the first has them, the others what the optimizer remembers.

    The parameters that are returned, and the optimizer's memory from now on, are views of the matrices, which
    follow as these are trained.

    Parameters
    ----------
    parameters : mapping of str to ndarray
        W1, shape (D, K), and b1, shape (K,).
    optimizer : Optimizer
        The optimizer.

    Returns
    -------
    views : dict of str to ndarray
        The parameters.
    matrices : float32 array, shape (1 + slots, K, stride)
        Zeros fill the rows up.
    """
    weights, biases = parameters["W1"], parameters["b1"]
    d, n_classes = weights.shape
    slots = zip(optimizer.slots("W1", weights), optimizer.slots("b1", biases), strict=True)
    arrays = [(weights, biases), *slots]
    matrices = padded_matrix(len(arrays) * n_classes, d + 1).reshape(len(arrays), n_classes, -1)
    for matrix, (w, b) in zip(matrices, arrays, strict=True):
        matrix[:, :d], matrix[:, d] = w.T, b
    views = {"W1": [matrix[:, :d].T for matrix in matrices], "b1": [matrix[:, d] for matrix in matrices]}
    optimizer.memory = {name: array[1:] for name, array in views.items()}
    return {name: array[0] for name, array in views.items()}, matrices
