"""What the objectives of a target and its negatives share: their outputs, and contexts that move in turn."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .frozen import moving

__all__ = ["MAX_SHARED", "expose", "expose_pooled", "label_outputs", "move_in_turn"]

MAX_SHARED = 16  # more inputs or targets in one step and the sum of their gradients overshoots

# What a score adds to an exposure at least, so that a row that is used can be told from others.
LEAST = 1e-9

Matrix = NDArray[np.float32]


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


def expose(
    exposures: Matrix,
    contexts: NDArray[np.int32],
    outputs: NDArray[np.int32],
    errors: Matrix,
) -> None:
    """Add what scores say of how fast their rows move: p (1 − p), see `rounds`.

    Parameters
    ----------
    exposures : IN/OUT, float32 (2, n_rows)
        Sums for the rows of inputs and of outputs.
    contexts : IN, int32 (C,)
        Rows of inputs, repetitions allowed.
    outputs : IN, int32 (N,)
        Rows of outputs, repetitions allowed.
    errors : IN, float32 (C, N)
        p − t with the labels t, 0 or 1, and p the sigmoids of the scores.
    """
    own = np.abs(errors.astype(np.float64))
    own *= 1 - own
    np.add.at(exposures[0], contexts, own.sum(axis=1) + LEAST)
    np.add.at(exposures[1], outputs, own.sum(axis=0) + LEAST)


def expose_pooled(
    exposures: Matrix,
    inputs: NDArray[np.int32],
    outputs: NDArray[np.int32],
    errors: Matrix,
    reach: float,
) -> None:
    """Add what the scores of a mean or sum of inputs say of these, and of the outputs.

    Parameters
    ----------
    exposures : IN/OUT, float32 (2, n_rows)
        Sums for the rows of inputs and of outputs.
    inputs : IN, int32 (I,)
        The rows of inputs that move, as often as they do.
    outputs : IN, int32 (...)
        Rows of outputs, repetitions allowed.
    errors : IN, float32 (...), as outputs
        p − t, see `expose`.
    reach : IN, float
        How far the mean or sum moves for a step of its own, see `mean.reach`.
    """
    own = np.abs(errors.astype(np.float64))
    own *= 1 - own
    np.add.at(exposures[0], inputs, reach * own.sum() + LEAST)
    np.add.at(exposures[1], outputs, own + LEAST)


def move_in_turn(
    input_vectors: Matrix,
    contexts: NDArray[np.int32],
    output_vectors: Matrix,
    outputs: NDArray[np.int32],
    errors: Matrix,
    learning_rate: float,
    frozen: NDArray[np.uint8] | None = None,
) -> None:
    """Move contexts one after the other, each by the output rows as the contexts before it have moved them.

    For c = 1..C: x_c ← x_c − η Σₙ δ_cn yₙ, and then yₙ ← yₙ − η δ_cn x_c with the x_c from before. A context
    that is repeated moves once, at its first place and as often as it counts. Frozen ones come last.

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
    frozen : IN, uint8 (n_rows,), or None
        1 for the rows of `input_vectors` that do not move.
    """
    distinct, first, counts = np.unique(contexts, return_index=True, return_counts=True)
    steps = -np.float32(learning_rate) * counts[:, np.newaxis].astype(np.float32) * errors[first]
    moves = moving(distinct, frozen)
    for c in np.lexsort((first, ~moves)):
        x = input_vectors[distinct[c]].copy()
        if moves[c]:
            input_vectors[distinct[c]] += steps[c] @ output_vectors[outputs]
        np.add.at(output_vectors, outputs, np.outer(steps[c], x))  # .at: an id that is repeated counts twice
