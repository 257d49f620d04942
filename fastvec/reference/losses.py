"""What the scores of a target and its negatives cost: the losses of an input, and their derivatives.

An input x has the score sₙ = x · yₙ with every output: y₀ is that of the target, the others are of negatives.
σ(z) = 1 / (1 + exp(−z)), and −log σ(z) = log(1 + exp(−z)) has the derivative σ(z) − 1 = −σ(−z).

Negative sampling [1] asks every score, whatever the others are, to be high or low, as a logistic regression:

    J = −log σ(s₀) − Σₙ log σ(−sₙ)            ∂J/∂s₀ = σ(s₀) − 1          ∂J/∂sₙ = σ(sₙ)

Bayesian personalized ranking (BPR) [2] asks the target's score to be higher than those of the negatives,
whatever they are:

    J = Σₙ −log σ(s₀ − sₙ)                    ∂J/∂s₀ = −Σₙ σ(sₙ − s₀)     ∂J/∂sₙ = σ(sₙ − s₀)

Outside [−8, 8] the sigmoid of a derivative keeps its value at the edge, so that the gradient saturates and
does not vanish. The loss does not saturate. In double precision, in which gradients are checked and nothing
is trained, the gradient is that of the loss everywhere.

References
----------
.. [1] T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed representations of words and
   phrases and their compositionality", NIPS 2013, arXiv:1310.4546.
.. [2] S. Rendle, C. Freudenthaler, Z. Gantner and L. Schmidt-Thieme, "BPR: Bayesian personalized ranking from
   implicit feedback", UAI 2009, arXiv:1205.2618.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOSSES", "bpr", "logistic", "sigmoid"]

SIGMOID_RANGE = {"float32": np.float32(8), "float64": np.float64(700)}  # exp(700) does not overflow

Matrix = NDArray[np.float32]
# What a loss returns: ∂J/∂s, and what every output adds to J in double precision.
Costs = tuple[Matrix, NDArray[np.float64]]


def sigmoid(z: Matrix) -> Matrix:
    """Return σ(z) = 1 / (1 + exp(−z)), at the edge's value outside [−8, 8] if z is of single precision."""
    edge = SIGMOID_RANGE[z.dtype.name]
    z = np.clip(z, -edge, edge)
    one = np.float32(1)
    result: Matrix = one / (one + np.exp(-z))
    return result


def logistic(scores: Matrix, labels: Matrix, counts: Matrix) -> Costs:
    """Ask of every score to be high where the label is 1, and low where it is 0.

    Parameters
    ----------
    scores : float32, shape (..., N)
        Those of the outputs, in the last dimension.
    labels, counts : float32, shape (..., N)
        1 for a target, 0 for a negative; and how often each counts.
    """
    errors = counts * (sigmoid(scores) - labels)
    return errors, softplus(np.where(labels == 1, -scores, scores), counts)


def bpr(scores: Matrix, labels: Matrix, counts: Matrix) -> Costs:
    """Ask of the first score to be higher than the others; parameters as for `logistic`."""
    negatives = counts * (1 - labels)
    z = scores - scores[..., :1]
    errors = negatives * sigmoid(z)
    return errors - labels * errors.sum(axis=-1, keepdims=True), softplus(z, negatives)


def softplus(z: Matrix, counts: Matrix) -> NDArray[np.float64]:
    """Return counts · −log σ(−z), in double precision."""
    costs = np.logaddexp(0, z, dtype=np.float64)  # log(e⁰ + eᶻ)
    return counts.astype(np.float64) * costs


LOSSES = {"negative_sampling": logistic, "bpr": bpr}
