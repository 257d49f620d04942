"""Logistic regression: what negative sampling and hierarchical softmax ask of a score.

A score z that should be high (label 1) costs −log σ(z), one that should be low (label 0) −log σ(−z), with
σ(z) = 1 / (1 + exp(−z)). Because σ(−z) = 1 − σ(z), both have the derivative

    d/dz = σ(z) − label

The twin of ``kernels/logistic.pxd``. Its sigmoid is a table (absolute error below 3e-6), here it is the
function itself; in both it keeps its value at the edge outside [−8, 8], so that the gradient saturates and
does not vanish. The loss does not saturate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["label_outputs", "logistic_losses", "move_in_turn", "sigmoid"]

SIGMOID_RANGE = np.float32(8)

Matrix = NDArray[np.float32]


def sigmoid(z: Matrix) -> Matrix:
    """Return σ(z) = 1 / (1 + exp(−z)), at the edge's value outside [−8, 8]."""
    z = np.clip(z, -SIGMOID_RANGE, SIGMOID_RANGE)
    one = np.float32(1)
    result: Matrix = one / (one + np.exp(-z))
    return result


def logistic_losses(scores: Matrix, labels: Matrix) -> NDArray[np.float64]:
    """Return −log σ(z) where the label is 1 and −log σ(−z) where it is 0, in double precision."""
    z = np.where(labels == 1, -scores, scores).astype(np.float64)
    losses: NDArray[np.float64] = np.logaddexp(0, z)  # −log σ(−z) = log(e⁰ + eᶻ)
    return losses


def label_outputs(
    targets: ArrayLike, negatives: NDArray[np.int32]
) -> tuple[NDArray[np.int32], Matrix, Matrix]:
    """Put each target before its negatives.

    Parameters
    ----------
    targets : int32, shape (...)
        Word ids.
    negatives : int32, shape (..., K)
        The word ids of each target's noise words.

    Returns
    -------
    outputs : int32, shape (..., 1 + K)
        Word ids.
    labels : float32, of the same shape
        1 for a target, 0 for a negative.
    counts : float32, of the same shape
        0 for a negative that is its own target, which is left out; 1 for all others.
    """
    target = np.asarray(targets, dtype=np.int32)[..., np.newaxis]
    outputs = np.concatenate((target, negatives), axis=-1)
    labels = np.zeros(outputs.shape, dtype=np.float32)
    labels[..., 0] = 1
    counts = np.where(outputs == target, labels, np.float32(1))
    return outputs, labels, counts


def move_in_turn(
    input_vectors: Matrix,
    contexts: NDArray[np.int32],
    output_vectors: Matrix,
    outputs: NDArray[np.int32],
    errors: Matrix,
    learning_rate: float,
) -> None:
    """Move contexts one after the other, each by the output rows as the contexts before it have moved them.

    For c = 1..C: x_c ← x_c − η Σₙ δ_cn yₙ, and then yₙ ← yₙ − η δ_cn x_c with the x_c from before. A context
    that is repeated moves once, at its first place and as often as it counts.

    Parameters
    ----------
    input_vectors, output_vectors : IN/OUT, float32 (n_rows, stride)
        The matrices.
    contexts : IN, int32 (C,)
        Rows of `input_vectors`, repetitions allowed.
    outputs : IN, int32 (N,)
        Rows of `output_vectors`, repetitions allowed.
    errors : IN, float32 (C, N)
        δ, from before the update.
    learning_rate : IN, float
        η.
    """
    distinct, first, counts = np.unique(contexts, return_index=True, return_counts=True)
    steps = -np.float32(learning_rate) * counts[:, np.newaxis].astype(np.float32) * errors[first]
    for c in np.argsort(first):
        x = input_vectors[distinct[c]].copy()
        input_vectors[distinct[c]] += steps[c] @ output_vectors[outputs]
        np.add.at(output_vectors, outputs, np.outer(steps[c], x))  # .at: an id that is repeated counts twice
