"""Softmax regression (multinomial logistic regression) by mini-batches.

Objective. Example i has features x_i and the class c_i among K. With weights w_k and a bias b_k for every
class, a mini-batch of B examples costs J:

    z_ik = w_k · x_i + b_k        p_ik = exp(z_ik) / Σ_j exp(z_ij)

    J = −(1/B) Σ_i log p_{i c_i} + λ Σ_k |w_k|²

Gradient. A score enters J as that of the example's class and in the denominator, so that with the error
δ_ik = (p_ik − [k = c_i]) / B

    ∂J/∂w_k = Σ_i δ_ik x_i + 2λ w_k        ∂J/∂b_k = Σ_i δ_ik

Update. One step of the optimizer for every mini-batch, see ``optimizers.py``.

A row of the parameters is [w_k, b_k, zeros]: the bias is the weight of a feature that is 1, and zeros fill
the row up to whole registers. They have no gradient, and stay.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import optimizers

__all__ = ["train"]

Matrix = NDArray[np.float32]


def train(
    parameters: Matrix,
    memory: Matrix,
    X: Matrix,
    y: NDArray[np.int64],
    order: NDArray[np.int64],
    batch_size: int,
    learning_rates: NDArray[np.float64],
    optimizer: str,
    momentum: float,
    n_steps: int,
    l2: float,
) -> float:
    """Take a step for every mini-batch, and return the sum of the costs of all examples.

    Parameters
    ----------
    parameters : IN/OUT, float32 (K, stride)
        The rows [w_k, b_k, zeros]. The stride is a multiple of 16 and greater than d.
    memory : IN/OUT, float32 (1 or 2, K, stride)
        What the optimizer remembers, in its order: v; s; or m and v.
    X : IN, float32 (n, d)
        Features of all examples.
    y : IN, int64 (n,)
        Their classes, from 0 to K − 1.
    order : IN, int64 (m,)
        The examples to train on.
    batch_size : int
        Examples of a mini-batch; the last may have fewer.
    learning_rates : IN, float64 (mini-batches,)
        η of every mini-batch.
    optimizer : {"sgd", "adagrad", "adam"}
        The rule.
    momentum : float
        μ of sgd.
    n_steps : int
        How many steps the optimizer has taken before.
    l2 : float
        λ.

    Returns
    -------
    float
        The sum over the examples of the cost of their mini-batch, before its step.
    """
    d, total = X.shape[1], 0.0
    for number, learning_rate in enumerate(learning_rates.tolist()):
        batch = order[number * batch_size : (number + 1) * batch_size]
        x, rows = np.zeros((len(batch), parameters.shape[1]), np.float32), np.arange(len(batch))
        x[:, :d], x[:, d] = X[batch], 1
        z = x @ parameters.T
        z -= z.max(axis=1, keepdims=True)
        error = np.exp(z)
        sums = error.sum(axis=1, keepdims=True)
        cost = float(np.sum(np.log(sums[:, 0]) - z[rows, y[batch]], dtype=np.float64))
        error /= sums
        error[rows, y[batch]] -= 1
        gradient = (error / np.float32(len(batch))).T @ x
        gradient[:, :d] += np.float32(2 * l2) * parameters[:, :d]
        penalty = l2 * float(np.sum(np.square(parameters[:, :d], dtype=np.float64)))
        total += cost + len(batch) * penalty
        if optimizer == "sgd":
            optimizers.sgd(parameters, memory[0], gradient, None, learning_rate, momentum)
        elif optimizer == "adagrad":
            optimizers.adagrad(parameters, memory[0], gradient, None, learning_rate)
        else:
            optimizers.adam(
                parameters, memory[0], memory[1], gradient, None, learning_rate, n_steps + number + 1
            )
    return total
