"""Rounds of lanes: what lanes that train side by side have learned, as one step.

A lane trains on a piece of the text, from matrices that all lanes of a round start from. Afterwards every row
has a change from each lane that used it. What one lane after the other would have made of them is not their
sum: a row that is used often comes near its optimum in a single lane, and a sum goes as many times too far.

Objective. The loss of one row w, given all others, is about quadratic near its optimum, with the curvature

    H = Σ_scores p (1 − p) v vᵀ = weight · M        M: the mean of v vᵀ, weighted by p (1 − p)

over the scores p = σ(w · v) that it takes part in, v being the rows on their other side: output vectors y for
a row of inputs, input vectors x for one of outputs. Rows differ much in how many scores they have, and little
in which directions are steep, so that there is one M for all rows of inputs and one for all of outputs.

One lane. Steps of −η times the gradient contract the distance to the optimum, along the eigenvector uᵢ of M
with the eigenvalue λᵢ, by e^(−a λᵢ), where a = Σ η p (1 − p) over the row's scores in the lane. The change is
(1 − e^(−a λᵢ)) of that distance.

All lanes. One after the other, they would contract it by e^(−A λᵢ), A = Σ_lanes a. So the sum of the changes
of m equal lanes is to be multiplied, along uᵢ, by

    f = (1 − e^(−A λᵢ)) / (m (1 − e^(−A λᵢ / m))) = φ(A λᵢ) / φ(A λᵢ / m)        φ(z) = (1 − e^(−z)) / z

which is 1 where the direction is flat, as for a sum, and 1/m where it is steep, as for a mean. Lanes that
differ count as m = A² / Σ_lanes a². With one lane, f = 1: its change is taken as it is.

Update. With Δ the sum of a row's changes, in the order of the lanes, q its momentum and μ its rate,

    q ← μ q + Σᵢ f(λᵢ) (uᵢ · Δ) uᵢ        w ← w + q

for the rows that a lane used in this round; the others, and their momentum, stay.

Compromises:

- The steepest directions are taken one by one, all others together with the mean of their eigenvalues.
- a is the row's number of scores times the mean of η p (1 − p) in the lane, since the scores' own numbers
  would have to be kept while a lane trains. It comes with a factor: both sides of a score correct the same
  error at once, so that each has to be held back as if the other were part of it.
- M is of some windows, and of the matrices as they are where it is taken.
- With CBOW, the rows of a window move together, and their mean counts as the one input of its scores. η is
  then how far the mean moves: divided by the number of contexts with ``scale_gradient``.

Combining models by what a sequence of trainings would have made of them is the idea of Maleki et al. (2016),
for linear learners; one step of momentum for a round is that of Wang et al. (2020).

References
----------
- S. Maleki, M. Musuvathi, T. Mytkowicz and Y. Ding, "Parallel stochastic gradient descent with sound
  combiners", 2016.
- J. Wang, V. Tantia, N. Ballas and M. Rabbat, "SlowMo: improving communication-efficient distributed SGD with
  slow momentum", ICLR 2020, arXiv:1910.00643.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .losses import sigmoid
from .sampling import draw, draw_noise, walk_chunk

__all__ = ["combine", "curvature", "touched"]

Matrix = NDArray[np.float32]
Rows = NDArray[np.int32]
Updates = NDArray[np.int64]


def touched(
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    window: int,
    negatives: int,
    shared: bool,
    cbow: bool,
    key: int,
    dynamic_window: bool = True,
) -> tuple[Rows, Updates, Rows, Updates]:
    """Find the rows that training on [start, stop) uses, before it begins.

    Parameters
    ----------
    ids, sentence_offsets, start, stop, keep, window, key, dynamic_window : IN
        A piece of the corpus, its windows and its random sequence, see `sampling.walk_chunk`.
    noise : IN, uint32 (n_words, 2)
        Alias table of the negatives: (threshold, alias).
    negatives : IN, int
        K.
    shared : IN, bool
        One set of negatives for all contexts of a window, or one for each; with CBOW it is one.
    cbow : IN, bool
        Whether ``train`` of CBOW is meant, or that of skip-gram.

    Returns
    -------
    input_rows : int32 (n_input_rows,)
        The rows of the input vectors that ``train`` reads or writes, sorted.
    input_updates : int64 (n_input_rows,)
        How many scores each takes part in.
    output_rows, output_updates : int32 and int64 (n_output_rows,)
        The same of the output vectors.
    """
    inputs, outputs = (np.zeros(len(keep), np.int64) for _ in range(2))
    for _, contexts, out in _sets(
        ids, sentence_offsets, start, stop, keep, noise, window, negatives, shared, cbow, key, dynamic_window
    ):
        np.add.at(inputs, contexts, len(out))
        np.add.at(outputs, out, 1 if cbow else len(contexts))
    input_rows, output_rows = (np.flatnonzero(side).astype(np.int32) for side in (inputs, outputs))
    return input_rows, inputs[input_rows], output_rows, outputs[output_rows]


def curvature(
    input_vectors: Matrix,
    output_vectors: Matrix,
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    window: int,
    negatives: int,
    shared: bool,
    cbow: bool,
    key: int,
    every: int,
    dynamic_window: bool = True,
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float, int]:
    """Add up the curvature of some windows, with the matrices as they are.

    Parameters
    ----------
    input_vectors, output_vectors : IN, float32 (n_words, stride)
        The matrices, rows padded with zeros to a multiple of 16; no others are read than `touched` finds.
    ids, sentence_offsets, start, stop, keep, noise, window, negatives, shared, cbow, key, dynamic_window : IN
        What is trained on, see `touched`.
    every : IN, int, a power of 2
        The windows at positions divisible by it are taken.

    Returns
    -------
    of_inputs, of_outputs : float64 (stride, stride)
        Σ p (1 − p) y yᵀ for the rows of inputs, Σ p (1 − p) x xᵀ for those of outputs.
    weight_of_inputs, weight_of_outputs : float
        Σ p (1 − p), by which they are to be divided.
    n_scores : int
        How many scores were taken: Σ p (1 − p) / n_scores is the mean of p (1 − p).
    """
    stride = input_vectors.shape[1]
    of_inputs, of_outputs = (np.zeros((stride, stride)) for _ in range(2))
    weight, n_scores = 0.0, 0
    for position, contexts, out in _sets(
        ids, sentence_offsets, start, stop, keep, noise, window, negatives, shared, cbow, key, dynamic_window
    ):
        if position % every:
            continue
        x, y = input_vectors[contexts], output_vectors[out]
        if cbow:
            x = x.mean(axis=0, keepdims=True)
        p = sigmoid(x @ y.T)
        weights = (p * (1 - p)).astype(np.float64)  # (C, N)
        of_inputs += (y.T * weights.sum(axis=0)) @ y
        of_outputs += (x.T * weights.sum(axis=1)) @ x
        weight += float(weights.sum())
        n_scores += weights.size
    return of_inputs, of_outputs, weight, weight, n_scores


def combine(
    block: Matrix,
    momentum: Matrix,
    first_row: int,
    rows: list[Rows],
    updates: list[Updates],
    changes: list[Matrix],
    rates: NDArray[np.float64],
    directions: Matrix,
    eigenvalues: NDArray[np.float32],
    rest: float,
    momentum_rate: float,
) -> None:
    """Move the rows of a block by what the lanes of a round have changed.

    Parameters
    ----------
    block : IN/OUT, float32 (n_rows, d)
        Rows first_row, first_row + 1, … of a matrix. d is any number; padded rows do as well.
    momentum : IN/OUT, float32 (n_rows, d)
        q of each, zeros at first.
    first_row : IN, int
        The number of the block's first row in its matrix.
    rows : IN, list of int32 (n,)
        For every lane the rows of the block that it used, by their numbers in the matrix, each once.
    updates : IN, list of int64 (n,)
        How many scores each of them took part in, at least 1.
    changes : IN, list of float32 (n, d)
        How far the lane has moved each.
    rates : IN, float64 (n_lanes,)
        For every lane what a score adds to a.
    directions : IN, float32 (k, d)
        The steepest directions: orthonormal eigenvectors of M, as rows; k may be 0.
    eigenvalues : IN, float32 (k,)
        Theirs.
    rest : IN, float
        The mean of the other eigenvalues.
    momentum_rate : IN, float
        μ.
    """
    _check(block, momentum, first_row, rows, updates, changes, rates, directions, eigenvalues)
    used = np.unique(np.concatenate([np.empty(0, np.int32), *rows]))
    sums = np.zeros((len(used), block.shape[1]), np.float32)
    n_lanes = np.zeros(len(used), np.int64)
    total, squares = np.zeros(len(used)), np.zeros(len(used))
    for own_rows, own_updates, own_changes, rate in zip(rows, updates, changes, rates, strict=True):
        places = np.searchsorted(used, own_rows)
        sums[places] += own_changes
        n_lanes[places] += 1
        total[places] += rate * own_updates
        squares[places] += (rate * own_updates) ** 2
    several = (n_lanes > 1) & (total > 0)
    sums[several] = _slowed(sums[several], total[several], squares[several], directions, eigenvalues, rest)
    places = used - first_row
    momentum[places] = sums + np.float32(momentum_rate) * momentum[places]
    block[places] += momentum[places]


def _slowed(
    sums: Matrix,
    total: NDArray[np.float64],
    squares: NDArray[np.float64],
    directions: Matrix,
    eigenvalues: NDArray[np.float32],
    rest: float,
) -> NDArray[np.float64]:
    """Return the sums of changes, multiplied by f along every direction."""
    m = (total**2 / squares)[:, np.newaxis]
    steepness = total[:, np.newaxis] * np.append(eigenvalues, np.float32(rest)).astype(np.float64)
    factors = _mean_decay(steepness) / _mean_decay(steepness / m)
    along = (factors[:, :-1] - factors[:, -1:]) * (sums @ directions.T)
    result: NDArray[np.float64] = factors[:, -1:] * sums + along @ directions
    return result


def _mean_decay(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return φ(z) = (1 − e^(−z)) / z, the mean of e^(−t) for t from 0 to z; 1 for what is not above 0."""
    positive = np.where(z > 0, z, 1)
    return np.where(z > 0, -np.expm1(-positive) / positive, 1)


def _sets(
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    window: int,
    negatives: int,
    shared: bool,
    cbow: bool,
    key: int,
    dynamic_window: bool,
) -> Iterator[tuple[int, Rows, Rows]]:
    """Yield position, contexts and outputs of what is scored together; the centre is no negative."""
    one_set = shared or cbow
    draws_per_token = 1 + negatives * (1 if one_set else 2 * window)
    for position, center, contexts, _ in walk_chunk(
        ids, sentence_offsets, start, stop, keep, window, dynamic_window, key, draws_per_token
    ):
        sets = [contexts] if one_set and len(contexts) else contexts[:, np.newaxis]
        for s, inputs in enumerate(sets):
            counters = position * draws_per_token + 1 + s * negatives + np.arange(negatives)
            noise_words = draw_noise(draw(key, counters), noise)
            yield position, inputs, np.append(np.int32(center), noise_words[noise_words != center])


def _check(
    block: Matrix,
    momentum: Matrix,
    first_row: int,
    rows: list[Rows],
    updates: list[Updates],
    changes: list[Matrix],
    rates: NDArray[np.float64],
    directions: Matrix,
    eigenvalues: NDArray[np.float32],
) -> None:
    n_rows, d = block.shape
    if momentum.shape != block.shape:
        raise ValueError(f"momentum must have the shape of the block, {block.shape}, got {momentum.shape}")
    if directions.shape != (len(eigenvalues), d):
        raise ValueError(f"directions must be {len(eigenvalues)} rows of {d}, got {directions.shape}")
    if not len(updates) == len(changes) == len(rates) == len(rows):
        raise ValueError(
            f"updates, changes and rates must be of {len(rows)} lanes as the rows are, got {len(updates)}, "
            f"{len(changes)} and {len(rates)}"
        )
    for lane, (own, own_updates, own_changes) in enumerate(zip(rows, updates, changes, strict=True)):
        if len(own_updates) != len(own) or own_changes.shape != (len(own), d):
            raise ValueError(
                f"lane {lane} must have updates and changes, of {d} numbers, of each of its {len(own)} rows, "
                f"got {len(own_updates)} and {own_changes.shape}"
            )
        outside = own[(own < first_row) | (own >= first_row + n_rows)]
        if len(outside):
            raise ValueError(
                f"rows of lane {lane} must be from {first_row} to {first_row + n_rows - 1}, those of the "
                f"block, got {outside[0]}"
            )
