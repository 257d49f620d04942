"""The functions that networks consist of, each with its derivative: activations, softmax and losses.

Every loss returns its cost and the gradient with respect to its arguments. Costs are sums over all
examples, in double precision; divide both by their number for means. Results have the dtype of the arguments
(float64 for whole numbers), so that a gradient can be checked in double precision and trained in single.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "cross_entropy",
    "hinge",
    "relu",
    "relu_derivative",
    "sigmoid",
    "sigmoid_derivative",
    "softmax",
    "squared_error",
    "tanh",
    "tanh_derivative",
]

Array = NDArray[Any]


def sigmoid(z: ArrayLike) -> Array:
    """Return σ(z) = 1 / (1 + exp(−z)), element by element.

    With e = exp(−|z|), which cannot overflow, σ(z) is 1 / (1 + e) for z ≥ 0, and e / (1 + e) for z < 0, where
    it follows from multiplying numerator and denominator by exp(z).

    Parameters
    ----------
    z : array_like
        Any numbers.

    Returns
    -------
    ndarray
        Array of the same shape, with values between 0 and 1.

    Examples
    --------
    >>> from fastvec.functional import sigmoid
    >>> sigmoid([0.0, -1000.0])
    array([0.5, 0. ])
    """
    z = _floating(z)
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1, e) / (1 + e))


def sigmoid_derivative(z: ArrayLike) -> Array:
    """Return σ'(z) = σ(z) (1 − σ(z)).

    By the chain rule on (1 + exp(−z))⁻¹,

        σ'(z) = exp(−z) / (1 + exp(−z))² = σ(z) · exp(−z) / (1 + exp(−z)) = σ(z) (1 − σ(z))

    Parameters
    ----------
    z : array_like
        Any numbers.

    Returns
    -------
    ndarray
        Array of the same shape, with values between 0 and 1/4.
    """
    e = np.exp(-np.abs(_floating(z)))  # σ' is even, and 1 − σ would lose digits where σ is next to 1
    return np.asarray(e / (1 + e) ** 2)


def tanh(z: ArrayLike) -> Array:
    """Return tanh(z) = 2 σ(2z) − 1, element by element.

    Parameters
    ----------
    z : array_like
        Any numbers.

    Returns
    -------
    ndarray
        Array of the same shape.
    """
    return np.asarray(np.tanh(_floating(z)))


def tanh_derivative(z: ArrayLike) -> Array:
    """Return tanh'(z) = 1 − tanh²(z), which is that of 2 σ(2z) − 1: 4 σ(2z) (1 − σ(2z)).

    Parameters
    ----------
    z : array_like
        Any numbers.

    Returns
    -------
    ndarray
        Array of the same shape.
    """
    e = np.exp(-2 * np.abs(_floating(z)))
    return np.asarray(4 * e / (1 + e) ** 2)


def relu(z: ArrayLike) -> Array:
    """Return max(0, z), element by element.

    Parameters
    ----------
    z : array_like
        Any numbers.

    Returns
    -------
    ndarray
        Array of the same shape.
    """
    return np.maximum(_floating(z), 0)


def relu_derivative(z: ArrayLike) -> Array:
    """Return 1 where z > 0, else 0; at the kink, z = 0, any number from 0 to 1 would do.

    Parameters
    ----------
    z : array_like
        Any numbers.

    Returns
    -------
    ndarray
        Array of the same shape.
    """
    z = _floating(z)
    return (z > 0).astype(z.dtype)


def softmax(z: ArrayLike) -> Array:
    """Return softmax(z)_k = exp(z_k) / Σ_j exp(z_j) over the last axis.

    Adding a constant c to all of z multiplies numerator and denominator by exp(c), which changes nothing:
    with c = −max_k z_k no exponential overflows, and one of those in the sum is 1.

    Parameters
    ----------
    z : array_like, shape (..., K)
        Scores.

    Returns
    -------
    ndarray, shape (..., K)
        Probabilities, which sum up to 1.

    Examples
    --------
    >>> from fastvec.functional import softmax
    >>> softmax([1000.0, 1000.0])
    array([0.5, 0.5])
    """
    z = _floating(z)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def cross_entropy(z: ArrayLike, y: ArrayLike) -> tuple[float, Array]:
    """Return CE(y, ŷ) = −Σ_k y_k log ŷ_k with ŷ = softmax(z), and its gradient ŷ − y with respect to z.

    Since log ŷ_k = z_k − log Σ_j exp(z_j), and Σ_k y_k = 1,

        CE = log Σ_j exp(z_j) − Σ_k y_k z_k

    The derivative of the first term is ∂/∂z_i log Σ_j exp(z_j) = exp(z_i) / Σ_j exp(z_j) = ŷ_i, and that of
    the second y_i, so that ∂CE/∂z = ŷ − y.

    Parameters
    ----------
    z : array_like, shape (n, K)
        Scores of n examples.
    y : array_like of int, shape (n,), or of float, shape (n, K)
        The classes, from 0 to K − 1, or a distribution over them for each example.

    Returns
    -------
    cost : float
        The sum over the examples.
    gradient : ndarray, shape (n, K)
        ŷ − y.

    Raises
    ------
    ValueError
        If the shapes do not match, or a class is not from 0 to K − 1.

    Examples
    --------
    >>> from fastvec.functional import cross_entropy
    >>> cost, gradient = cross_entropy([[0.0, 0.0]], [1])
    >>> round(cost, 4), gradient.tolist()
    (0.6931, [[0.5, -0.5]])
    """
    z, y = _floating(z), np.asarray(y)
    if z.ndim != 2:
        raise ValueError(f"z must have the shape (n, K), got {z.shape}")
    shifted = z - z.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=1, keepdims=True)
    gradient = np.divide(e, total, out=e)
    if y.ndim == 1:
        if y.shape != z.shape[:1] or y.dtype.kind not in "iu":
            raise ValueError(
                f"y must be {len(z)} whole numbers, a class for each row of z, "
                f"got {y.dtype} of shape {y.shape}"
            )
        if len(y) and (y.min() < 0 or y.max() >= z.shape[1]):
            raise ValueError(f"y must be classes from 0 to {z.shape[1] - 1}, got {y.min()} to {y.max()}")
        rows = np.arange(len(y))
        chosen = shifted[rows, y]
        gradient[rows, y] -= 1
    else:
        if y.shape != z.shape:
            raise ValueError(f"y must have the shape of z, {z.shape}, or {z.shape[:1]}, got {y.shape}")
        chosen = np.multiply(y, shifted, out=np.zeros_like(shifted), where=y != 0).sum(axis=1)
        gradient -= y
    # log Σ exp(z) − y · z, both less the same maximum
    return float(np.sum(np.log(total[:, 0]) - chosen, dtype=np.float64)), gradient


def squared_error(prediction: ArrayLike, y: ArrayLike) -> tuple[float, Array]:
    """Return ½ Σ (ŷ − y)² and its gradient ŷ − y with respect to the prediction ŷ.

    Parameters
    ----------
    prediction, y : array_like
        Predictions and targets, of the same shape.

    Returns
    -------
    cost : float
        The sum over all elements.
    gradient : ndarray
        ŷ − y.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    prediction = _floating(prediction)
    y = np.asarray(y, dtype=prediction.dtype)
    if y.shape != prediction.shape:
        raise ValueError(f"y must have the shape of the prediction, {prediction.shape}, got {y.shape}")
    difference = prediction - y
    return float(0.5 * np.sum(np.square(difference, dtype=np.float64))), difference


def hinge(s: ArrayLike, s_corrupt: ArrayLike, margin: float = 1.0) -> tuple[float, Array, Array]:
    """Return Σ max(0, Δ − s + s_c), and its gradients with respect to the scores s and s_c.

    Where the margin Δ is not kept, that is Δ − s + s_c > 0, the cost is linear: ∂J/∂s = −1 and ∂J/∂s_c = 1.
    Elsewhere both are 0. So many a pair needs no update at all.

    Parameters
    ----------
    s, s_corrupt : array_like
        Scores of true and of corrupted windows, of the same shape.
    margin : float
        The margin Δ.

    Returns
    -------
    cost : float
        The sum over the pairs.
    gradient, gradient_corrupt : ndarray
        −1 or 0, and 1 or 0.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    s, s_corrupt = _floating(s), _floating(s_corrupt)
    if s.shape != s_corrupt.shape:
        raise ValueError(f"s_corrupt must have the shape of s, {s.shape}, got {s_corrupt.shape}")
    missing = np.maximum(margin - s + s_corrupt, 0)
    violated = (missing > 0).astype(s.dtype)
    return float(missing.sum(dtype=np.float64)), -violated, violated


def _floating(z: ArrayLike) -> Array:
    array = np.asarray(z)
    return array if array.dtype.kind == "f" else array.astype(np.float64)
