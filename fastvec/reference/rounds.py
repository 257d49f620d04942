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

What both sides share. The scores of x and y have an error that both sides correct, each as if the other
stayed, so that twice as much would be done. To first order in the rows, this part of the push on a row is
linear in the row itself: along the steepest directions u of its own side, with s = 1 − e^(−A λ) of the way
gone, it is

    s (w E)        w: the row along the steepest directions v of the other side

One E holds for all rows of a block; it is the regression of δ / s on w, weighted by A, δ being f (u · Δ). Of
two contractions at once, each at rate a, the sum goes 1 − e^(−2a) and not 2 (1 − e^(−a)) of the way: each
side leaves out s² / 2 of its own.

Update. With Δ the sum of a row's changes, in the order of the lanes,

    w ← w + Σᵢ f(λᵢ) (uᵢ · Δ) uᵢ − Σᵢ sᵢ² / 2 (w E)ᵢ uᵢ

for the rows that a lane used in this round; the others stay.

Balance. One score changes Σ y yᵀ by as much as Σ x xᵀ, up to the second order of its step (Du et al., 2018).
A sum of lanes that is held back does not: common directions of one side grow while they shrink on the other,
which no score shows. Along a few directions g, after some rounds, with D what Σ y yᵀ − Σ x xᵀ have drifted by
more than in the lanes, and S = Σ y yᵀ + Σ x xᵀ, the rows are brought back by

    y ← e^K y        x ← e^(−K) x        K S + S K = −D

which changes no score.

Compromises:

- The steepest directions are taken one by one, all others together with the mean of their eigenvalues. What
  both sides share is sought in fewer of them.
- Changes are rounded to bfloat16, whose fraction has 7 bits, so that they travel in half as many bytes. What
  is lost is not made up for by the next change: lanes keep nothing from one round to the next. Sums of the
  lanes of one worker are rounded so, too.
- p is that of the steps as a lane takes them. It must be the row's own: with a mean for all rows, or only
  some of the scores, a new word or one that a text says again and again moves too far or not far enough, in
  every lane at once, and the sides lose their balance.
- The rows that a row meets are more alike than all rows are: its own eigenvalues are higher where the mean's
  are low. The mean of all eigenvalues is added to each.
- M is of a sample of the windows, and of the matrices that the lanes start from.
- Rows that are scored by their mean or sum h = s Σᵢ xᵢ, the contexts of CBOW or the n-grams of a word, have
  the scores of h. For e = −η ∂J/∂h, n of them move by s' e each, and h by (n s s') e (``mean.py``). What they
  have in common contracts at the rate of h, what one has of its own at 1/n of that; taken is the rate of h,
  which holds back more: the exposure of each row is Σ p (1 − p) of the scores of h, times n s s'. M of the
  outputs is of h; in that of the inputs, scores do not weigh by n s s'.
- Where s' is not s, without ``scale_gradient``, a score changes Σ x xᵀ s'/s times as much as Σ y yᵀ. What the
  lanes want of their difference is then of first order, and is taken as it is, all lanes added up.

Combining models by what a sequence of trainings would have made of them is the idea of Maleki et al. (2016),
for linear learners.

References
----------
- S. S. Du, W. Hu and J. D. Lee, "Algorithmic regularization in learning deep homogeneous models: layers are
  automatically balanced", NeurIPS 2018, arXiv:1806.00900.
- S. Maleki, M. Musuvathi, T. Mytkowicz and Y. Ding, "Parallel stochastic gradient descent with sound
  combiners", 2016.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from .losses import sigmoid
from .mean import pooled
from .sampling import draw, draw_noise, walk_chunk
from .subword import rows_of_bag

__all__ = [
    "add",
    "combine",
    "curvature",
    "moment",
    "shorten",
    "stretch",
    "subtract",
    "take",
    "touched",
    "withdraw",
]

Matrix = NDArray[np.float32]
Rows = NDArray[np.int32]
Counts = NDArray[np.float64]
Halves = NDArray[np.uint16]

# From the first direction on in which A λ does not exceed that of the rest by more, rows are held back as
# along the rest; those whose A λ₀ is not above it do not count for what both sides share.
NEGLIGIBLE = 0.05
# What is added to the diagonal of the equations of E, relative to it, and at least.
RIDGE, LEAST = 1e-3, 1e-12
# Directions in which what both sides share is sought, at most.
MOST = 8


def touched(
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    parts: NDArray[np.int64],
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    window: int,
    negatives: int,
    shared: bool,
    cbow: bool,
    key: int,
    dynamic_window: bool = True,
    subword_offsets: NDArray[np.int64] | None = None,
    subwords: Rows | None = None,
) -> tuple[Rows, Rows, Rows]:
    """Find the rows that training on a piece uses, before it begins.

    Parameters
    ----------
    ids, sentence_offsets, keep, window, key, dynamic_window : IN
        The corpus, its windows and its random sequence, see `sampling.walk_chunk`.
    parts : IN, int64 (n_parts, 2)
        Where the parts of the piece begin and end.
    noise : IN, uint32 (n_words, 2)
        Alias table of the negatives: (threshold, alias).
    negatives : IN, int
        K.
    shared : IN, bool
        One set of negatives for all contexts of a window, or one for each; with CBOW it is one.
    cbow : IN, bool
        Whether ``train`` of CBOW is meant, or that of skip-gram.
    subword_offsets, subwords : IN, int64 (2 · n_words + 1,) and int32, or None
        The rows of words that have n-grams, see `subword.train`, which is meant then. `shared` is False.

    Returns
    -------
    input_rows : int32 (n_input_rows,)
        The rows of the input vectors that ``train`` reads or writes, sorted.
    output_rows : int32 (n_output_rows,)
        The same of the output vectors.
    words : int32 (n,)
        The words whose rows input_rows are, sorted: the same without n-grams.
    """
    n_rows = len(keep) if subwords is None else 1 + int(subwords.max())
    used, used_words = (np.zeros(n_rows, bool), np.zeros(len(keep), bool)), np.zeros(len(keep), bool)
    for inputs, out in _sets(
        ids,
        sentence_offsets,
        parts,
        keep,
        noise,
        window,
        negatives,
        shared,
        cbow,
        key,
        dynamic_window,
        subwords is not None,
    ):
        used_words[inputs] = used[1][out] = True
        used[0][_rows_of(inputs, subword_offsets, subwords)] = True
    input_rows, output_rows, words = (np.flatnonzero(each).astype(np.int32) for each in (*used, used_words))
    return input_rows, output_rows, words


def curvature(
    input_vectors: Matrix,
    output_vectors: Matrix,
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    parts: NDArray[np.int64],
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    window: int,
    negatives: int,
    shared: bool,
    cbow: bool,
    key: int,
    dynamic_window: bool = True,
    subword_offsets: NDArray[np.int64] | None = None,
    subwords: Rows | None = None,
    mean: bool = True,
    places: Rows | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Add up the curvature of windows, with the matrices as they are.

    Parameters
    ----------
    input_vectors, output_vectors : IN, float32 (n_words, stride)
        The matrices, rows padded with zeros to a multiple of 16; no others are read than `touched` finds.
    ids, sentence_offsets, parts, keep, noise, window, negatives, shared, cbow, key, dynamic_window : IN
        The windows, see `touched`.
    subword_offsets, subwords : IN
        The rows of words that have n-grams, see `touched`.
    mean : IN, bool
        Whether x is the mean of contexts or n-grams, or their sum, where it is one of them.
    places : IN, int32 (n_words,), or None
        The row of the matrices, and the number in subword_offsets, that each word has, if some words only are
        there.

    Returns
    -------
    of_inputs, of_outputs : float64 (stride, stride)
        Σ p (1 − p) y yᵀ for the rows of inputs, Σ p (1 − p) x xᵀ for those of outputs.
    weight : float
        Σ p (1 − p), by which they are to be divided.
    """
    stride = input_vectors.shape[1]
    of_inputs, of_outputs = (np.zeros((stride, stride)) for _ in range(2))
    weight = 0.0
    place = np.arange(len(keep), dtype=np.int32) if places is None else places
    for inputs, out in _sets(
        ids,
        sentence_offsets,
        parts,
        keep,
        noise,
        window,
        negatives,
        shared,
        cbow,
        key,
        dynamic_window,
        subwords is not None,
    ):
        x = input_vectors[_rows_of(place[inputs], subword_offsets, subwords)]
        y = output_vectors[place[out]]
        if cbow or subwords is not None:
            x = pooled(x, mean)[np.newaxis]
        p = sigmoid(x @ y.T)
        own = (p * (1 - p)).astype(np.float64)  # (C, N)
        of_inputs += (y.T * own.sum(axis=0)) @ y
        of_outputs += (x.T * own.sum(axis=1)) @ x
        weight += float(own.sum())
    return of_inputs, of_outputs, weight


def withdraw(
    matrix: Matrix, rows: Rows, exposures: Counts, copies: Matrix, sums: Matrix, counts: Counts
) -> None:
    """Undo what a lane has changed, and add it to the sums of the round.

    Parameters
    ----------
    matrix : IN/OUT, float32 (n_rows, stride)
        The matrix after the lane; afterwards as before it.
    rows : IN, int32 (n,)
        The rows that it has changed, each once.
    exposures : IN, float64 (n, 2)
        Σ p (1 − p) of the scores that each took part in, above 0, and the square of it.
    copies : IN, float32 (n_rows or more, stride)
        A matrix in which these rows are as they were before.
    sums : IN/OUT, float32 (n_rows, stride)
        For every row that lanes before it used, the sum of the changes.
    counts : IN/OUT, float64 (n_rows, 2)
        For every row the sum of the exposures, and of their squares; 0 if no lane used it.
    """
    _check_rows(rows, 0, len(matrix))
    _check_shape("copies", copies, *matrix.shape)
    _check_sums(sums, counts, *matrix.shape)
    changes = _to_bfloat16(matrix[rows] - copies[rows])
    add(rows, exposures, changes, 0, sums, counts)
    matrix[rows] = copies[rows]


def _to_bfloat16(numbers: Matrix) -> Halves:
    """Return the bfloat16 next to each number, the even one of two: the upper half of its bits."""
    bits = numbers.view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def _from_bfloat16(halves: Halves) -> Matrix:
    return (halves.astype(np.uint32) << 16).view(np.float32)


def take(block: Matrix, first_row: int, rows: Rows, matrix: Matrix, places: Rows | None = None) -> None:
    """Copy rows of a block into a matrix.

    Parameters
    ----------
    block : IN, float32 (n_block, stride)
        Rows first_row, first_row + 1, … of a matrix.
    first_row : IN, int
        The number of the block's first row in its matrix.
    rows : IN, int32 (n,)
        Rows of the block, by their numbers in the matrix.
    matrix : IN/OUT, float32 (n_rows, stride)
        These rows of it become those of the block.
    places : IN, int32, or None
        For every row by its number, which one of `matrix` it is there; None: the same.
    """
    _check_rows(rows, first_row, len(block))
    _check_shape("copies", matrix, 0, block.shape[1])
    matrix[_places(rows, places, len(matrix))] = block[rows - first_row]


def subtract(
    block: Matrix, first_row: int, rows: Rows, matrix: Matrix, changes: Halves, places: Rows | None = None
) -> None:
    """Find how far rows of a matrix have moved from those of a block.

    Parameters
    ----------
    block, first_row, rows : IN
        As for `take`.
    matrix : IN, float32 (n_rows, stride)
        The matrix after the lane.
    changes : OUT, uint16 (n or more, stride)
        How far each of the rows has moved, as bfloat16.
    places : IN
        As for `take`.
    """
    _check_rows(rows, first_row, len(block))
    _check_shape("copies", matrix, 0, block.shape[1])
    _check_shape("changes", changes, len(rows), block.shape[1])
    moved = matrix[_places(rows, places, len(matrix))] - block[rows - first_row]
    changes[: len(rows)] = _to_bfloat16(moved)


def add(rows: Rows, exposures: Counts, changes: Halves, first_row: int, sums: Matrix, counts: Counts) -> None:
    """Add the changes of a lane, or of several, to the sums of the round.

    Parameters
    ----------
    rows : IN, int32 (n,)
        Rows of a block, by their numbers in the matrix, each once.
    exposures : IN, float64 (n, 2)
        Σ p (1 − p) of the scores that each took part in, above 0, and the square of it; of several lanes, the
        sums of both.
    changes : IN, uint16 (n or more, stride)
        How far each has been moved, as bfloat16.
    first_row : IN, int
        The number of the block's first row in its matrix.
    sums, counts : IN/OUT, float32 (n_block, stride) and float64 (n_block, 2)
        Of the rows of the block, see `withdraw`.
    """
    _check_rows(rows, first_row, len(sums))
    _check_shape("changes", changes, len(rows), sums.shape[1])
    if exposures.shape != (len(rows), 2):
        raise ValueError(
            f"exposures must be 2 numbers for each of {len(rows)} rows as the changes are, got "
            f"{exposures.shape}"
        )
    _check_sums(sums, counts, *sums.shape)
    places = rows - first_row
    used = counts[places, 0] > 0
    moved = _from_bfloat16(changes[: len(rows)])
    sums[places[~used]] = moved[~used]
    sums[places[used]] += moved[used]
    counts[places] += exposures


def shorten(sums: Matrix, changes: Halves) -> None:
    """Round the sums of several lanes, so that they are added as the changes of one.

    Parameters
    ----------
    sums : IN, float32 (n, stride)
        The sums of the changes of some rows.
    changes : OUT, uint16 (n or more, stride)
        The sums, as bfloat16.
    """
    _check_shape("changes", changes, *sums.shape)
    changes[: len(sums)] = _to_bfloat16(sums)


def combine(
    block: Matrix,
    sums: Matrix,
    counts: Counts,
    rate: float,
    directions: Matrix,
    eigenvalues: NDArray[np.float32],
    rest: float,
    others: Matrix,
) -> None:
    """Move the rows of a block by what the lanes of a round have changed.

    Parameters
    ----------
    block : IN/OUT, float32 (n_rows, d)
        Rows of a matrix. d is any number; padded rows do as well.
    sums : IN/OUT, float32 (n_rows, d)
        The sum of the changes of each row that a lane used; afterwards anything.
    counts : IN/OUT, float64 (n_rows, 2)
        For each row, the sum over the lanes of its exposures, and of their squares; afterwards zeros.
    rate : IN, float
        η: a is the exposure times this.
    directions : IN, float32 (k, d)
        The steepest directions: orthonormal eigenvectors of M, as rows, the steepest first; k may be 0.
    eigenvalues : IN, float32 (k,)
        Theirs.
    rest : IN, float
        The mean of the other eigenvalues.
    others : IN, float32 (q, d), q ≤ k and 8
        The steepest directions v of the other side.
    """
    if directions.shape != (len(eigenvalues), block.shape[1]):
        raise ValueError(
            f"directions must be {len(eigenvalues)} rows of {block.shape[1]}, got {directions.shape}"
        )
    q, most = len(others), min(len(eigenvalues), MOST)
    if q > most or others.shape[1] != block.shape[1]:
        raise ValueError(f"others must be at most {most} rows of {block.shape[1]}, got {others.shape}")
    _check_sums(sums, counts, *block.shape)
    used = np.flatnonzero(counts[:, 0])
    moves, (exposures, squares) = sums[used], counts[used].T
    total = rate * exposures
    known, rest = np.maximum(eigenvalues, 0).astype(np.float64), max(rest, 0)
    several = exposures**2 > squares
    m = exposures[several] ** 2 / squares[several]
    moves[several] = _held_back(moves[several], total[several], m, directions, known, rest)
    if q:
        steep = total * known[0] > NEGLIGIBLE
        w = block[used[steep]] @ others.T
        moves[steep] -= _shared(moves[steep], total[steep], w, directions[:q], known[:q]) / 2
    block[used] += moves
    counts[used] = 0


def moment(matrix: Matrix, rows: Rows, directions: Matrix) -> NDArray[np.float64]:
    """Add up the outer products of where rows lie along directions.

    Parameters
    ----------
    matrix : IN, float32 (n_rows, stride)
        A matrix.
    rows : IN, int32 (n,)
        Some of its rows.
    directions : IN, float32 (q, stride)
        G.

    Returns
    -------
    float64 (q, q)
        Σ G w (G w)ᵀ.
    """
    _check_rows(rows, 0, len(matrix))
    _check_directions(directions, matrix.shape[1])
    along = (matrix[rows] @ directions.T).astype(np.float64)
    total: NDArray[np.float64] = along.T @ along
    return total


def stretch(matrix: Matrix, rows: Rows, directions: Matrix, growth: Matrix) -> None:
    """Let rows grow along directions.

    Parameters
    ----------
    matrix : IN/OUT, float32 (n_rows, stride)
        A matrix: w ← w + Gᵀ growth G w.
    rows : IN, int32 (n,)
        Some of its rows, each once.
    directions : IN, float32 (q, stride), q ≤ 8
        G.
    growth : IN, float32 (q, q)
        What is added.
    """
    _check_rows(rows, 0, len(matrix))
    _check_directions(directions, matrix.shape[1])
    if growth.shape != (len(directions), len(directions)) or len(directions) > 8:
        raise ValueError(f"growth must be of {len(directions)} directions, at most 8, got {growth.shape}")
    matrix[rows] += matrix[rows] @ directions.T @ growth.T @ directions


def _held_back(
    sums: Matrix,
    total: NDArray[np.float64],
    m: NDArray[np.float64],
    directions: Matrix,
    eigenvalues: NDArray[np.float64],
    rest: float,
) -> NDArray[np.float64]:
    """Return the sums of changes, multiplied by f along every direction."""
    steepness = total[:, np.newaxis] * np.append(eigenvalues, rest)
    factors = _mean_decay(steepness) / _mean_decay(steepness / m[:, np.newaxis])
    as_rest = np.logical_or.accumulate(steepness[:, :-1] - steepness[:, -1:] <= NEGLIGIBLE, axis=1)
    factors[:, :-1] = np.where(as_rest, factors[:, -1:], factors[:, :-1])
    along = (factors[:, :-1] - factors[:, -1:]) * (sums @ directions.T)
    result: NDArray[np.float64] = factors[:, -1:] * sums + along @ directions
    return result


def _shared(
    moves: Matrix,
    total: NDArray[np.float64],
    w: Matrix,
    directions: Matrix,
    eigenvalues: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what both sides correct at once; rows lie along the directions of the other side by w."""
    z = total[:, np.newaxis] * eigenvalues
    s = z * _mean_decay(z)
    pushes = moves @ directions.T / np.where(s > 0, s, 1)
    weighted = total[:, np.newaxis] * w
    equations = w.T.astype(np.float64) @ weighted
    equations[np.diag_indices_from(equations)] *= 1 + RIDGE
    equations[np.diag_indices_from(equations)] += LEAST
    shared: NDArray[np.float64] = s**2 * (w @ np.linalg.solve(equations, weighted.T @ pushes)) @ directions
    return shared


def _mean_decay(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return φ(z) = (1 − e^(−z)) / z, the mean of e^(−t) for t from 0 to z; 1 for what is not above 0."""
    positive = np.where(z > 0, z, 1)
    return np.where(z > 0, -np.expm1(-positive) / positive, 1)


def _sets(
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    parts: NDArray[np.int64],
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    window: int,
    negatives: int,
    shared: bool,
    cbow: bool,
    key: int,
    dynamic_window: bool,
    of_ngrams: bool,
) -> Iterator[tuple[Rows, Rows]]:
    """Yield the words that are inputs and outputs of what is scored together; a target is no negative."""
    one_set = shared or cbow
    draws_per_token = 1 + negatives * (1 if one_set else 2 * window)
    for position, center, contexts, _ in chain.from_iterable(
        walk_chunk(ids, sentence_offsets, start, stop, keep, window, dynamic_window, key, draws_per_token)
        for start, stop in parts.tolist()
    ):
        sets = [contexts] if one_set and len(contexts) else contexts[:, np.newaxis]
        for s, inputs in enumerate(sets):
            target = np.int32(center)
            if of_ngrams and not cbow:
                inputs, target = np.array([center], np.int32), contexts[s]
            counters = position * draws_per_token + 1 + s * negatives + np.arange(negatives)
            noise_words = draw_noise(draw(key, counters), noise)
            yield inputs, np.append(target, noise_words[noise_words != target])


def _rows_of(words: Rows, subword_offsets: NDArray[np.int64] | None, subwords: Rows | None) -> Rows:
    """Return the rows of inputs that words have."""
    if subwords is None or subword_offsets is None:
        return words
    return rows_of_bag(words.tolist(), subword_offsets, subwords)[0]


def _check_rows(rows: Rows, first_row: int, n_rows: int) -> None:
    outside = rows[(rows < first_row) | (rows >= first_row + n_rows)]
    if len(outside):
        raise ValueError(f"rows must be from {first_row} to {first_row + n_rows - 1}, got {outside[0]}")


def _places(rows: Rows, places: Rows | None, n_rows: int) -> Rows:
    if places is None:
        _check_rows(rows, 0, n_rows)
        return rows
    for row in rows.tolist():
        if row >= len(places) or not 0 <= places[row] < n_rows:
            raise ValueError(f"places must be from 0 to {n_rows - 1} for all rows, got another of {row}")
    found: Rows = places[rows]
    return found


def _check_shape(what: str, found: Matrix | Halves, n: int, stride: int) -> None:
    if len(found) < n or found.shape[1] != stride:
        raise ValueError(f"there must be {what} of {n} rows of {stride} numbers, got {found.shape}")


def _check_sums(sums: Matrix, counts: Counts, n_rows: int, stride: int) -> None:
    if sums.shape != (n_rows, stride) or counts.shape != (n_rows, 2):
        raise ValueError(
            f"sums must be {n_rows} rows of {stride} numbers, and counts of 2, got {sums.shape} and "
            f"{counts.shape}"
        )


def _check_directions(directions: Matrix, stride: int) -> None:
    if directions.shape[1] != stride:
        raise ValueError(f"directions must be rows of {stride} numbers, got {directions.shape[1]}")
