"""Skip-gram: every context predicts its centre against negatives.

Objective. For a centre word o with contexts c = 1..C (input vectors x_c) and K noise words (negatives), with
y₀ the output vector of the centre and y₁..y_K those of the negatives, minimize the sum of what the scores of
every context cost,

    J = Σ_c ℓ(x_c · y₀, .., x_c · y_K)

where ℓ is one of ``losses.py``: with negative sampling

    ℓ = −log σ(x_c · y₀) − Σ_{k=1..K} log σ(−x_c · y_k)

Gradient. With the errors δ_cn = ∂ℓ/∂(x_c · yₙ), which are σ(x_c · yₙ) − tₙ for negative sampling with the
labels t₀ = 1, t_k = 0,

    ∂J/∂x_c = Σₙ δ_cn yₙ        ∂J/∂yₙ = Σ_c δ_cn x_c

Update. The errors are those from before the update. The contexts then move one after the other, each by the
output rows as the contexts before it have moved them: for c = 1..C

    x_c ← x_c − η Σₙ δ_cn yₙ        and then        yₙ ← yₙ − η δ_cn x_c with the x_c from before

That is −η times the gradient, and to x_c in second order + η² Σ_{b<c} (Σₙ δ_bn δ_cn) x_b, which draws the
contexts of a window together, as updates of one pair after the other do; without it the vectors of walks on
graphs are worse than with unshared negatives. A word that occurs twice among the contexts or the negatives
counts twice, as a context at its first place; a negative that is the centre is left out.

``kernels/skipgram.pyx`` computes the same; ``tests/test_gradients.py`` holds both to the derivative of J, and
``tests/test_backends_agree.py`` to each other.

Compromises, and where they come from:

- The inputs are the contexts and the output is the centre, as in word2vec.c, so that a window is a small
  matrix product. With ``shared=True`` all its contexts share one set of K negatives (HogBatch: Ji, Satish,
  Li and Dubey 2016), at most ``MAX_SHARED`` contexts an update; with ``shared=False`` every (centre,
  context) pair has its own negatives and its own update, one after the other (Mikolov et al. 2013).

References
----------
- T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed representations of words and phrases
  and their compositionality", NIPS 2013, arXiv:1310.4546.
- S. Ji, N. Satish, S. Li and P. Dubey, "Parallelizing word2vec in shared and distributed memory", 2016,
  arXiv:1604.04661.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .losses import LOSSES
from .sampling import draw, draw_noise, walk_chunk
from .step import MAX_SHARED, expose, label_outputs, move_in_turn
from .together import Batch, Move

__all__ = ["step", "train"]

Matrix = NDArray[np.float32]


def step(
    input_vectors: Matrix,
    output_vectors: Matrix,
    contexts: NDArray[np.int32],
    center: int,
    negatives: NDArray[np.int32],
    loss: str,
    learning_rate: float,
    frozen: NDArray[np.uint8] | None = None,
) -> float:
    """Take one gradient step for one window.

    Parameters
    ----------
    input_vectors, output_vectors : IN/OUT, float32 (n_words, stride)
        The matrices, rows padded with zeros to a multiple of 16.
    contexts : IN, int32 (C,)
        Word ids, C >= 1, repetitions allowed.
    center : IN, int
        Word id.
    negatives : IN, int32 (K,)
        Word ids, K >= 0, repetitions and the centre allowed.
    loss : IN, str
        The name of ℓ, one of ``losses.LOSSES``.
    learning_rate : IN, float
        η; with 0 nothing changes.
    frozen : IN, uint8 (n_rows,), or None
        1 for the rows of input_vectors that do not move.

    Returns
    -------
    float
        J before the update.
    """
    cost, move = prepare(
        input_vectors, output_vectors, contexts, center, negatives, loss, learning_rate, frozen
    )
    move()
    return cost


def prepare(
    input_vectors: Matrix,
    output_vectors: Matrix,
    contexts: NDArray[np.int32],
    center: int,
    negatives: NDArray[np.int32],
    loss: str,
    learning_rate: float,
    frozen: NDArray[np.uint8] | None = None,
    exposures: Matrix | None = None,
) -> tuple[float, Move]:
    """Return J and the move of a step, both by the matrices as they are; arguments as for `train`."""
    outputs, labels, counts = label_outputs(center, negatives)
    scores = input_vectors[contexts] @ output_vectors[outputs].T  # (C, 1 + K)
    errors, costs = LOSSES[loss](scores, labels, counts)
    if exposures is not None:
        expose(exposures, contexts, outputs, errors)

    def move() -> None:
        move_in_turn(input_vectors, contexts, output_vectors, outputs, errors, learning_rate, frozen)

    return float(np.sum(costs)), move


def train(
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
    loss: str,
    shared: bool,
    learning_rate: float,
    key: int,
    loss_every: int,
    team: Any = None,
    copies: Any = None,
    frozen: NDArray[np.uint8] | None = None,
    dynamic_window: bool = True,
    exposures: Matrix | None = None,
    output_of: NDArray[np.int32] | None = None,
    places: NDArray[np.int32] | None = None,
) -> tuple[float, int, int]:
    """Train on the words at positions [start, stop) of the corpus as centres.

    Parameters
    ----------
    input_vectors, output_vectors : IN/OUT, float32 (n_words, stride)
        The matrices, rows padded with zeros to a multiple of 16.
    ids, sentence_offsets, start, stop, keep, window, key : IN
        The chunk of the corpus, its windows and its random sequence, see `sampling.walk_chunk`.
    noise : IN, uint32 (n_words, 2)
        Alias table of the negatives: (threshold, alias).
    negatives : IN, int
        K.
    loss : IN, str
        The name of ℓ, see `step`.
    shared : IN, bool
        One set of negatives for all contexts of a window, or one for each.
    learning_rate : IN, float
        η.
    loss_every : IN, int, a power of 2
        The loss is taken of centres at positions divisible by it.
    team : IN, object or None
        Threads that take the chunk together: steps wait for their batch, see `together`.
    copies : IN, object or None
        A thread's copies of often used rows, see ``fastvec/training/copies.py``. They decide what threads see
        of each other, and when; here, where one computes at a time, all see the rows themselves.
    frozen : IN, uint8 (n_rows,), or None
        1 for the rows of input_vectors that do not move.
    dynamic_window : IN, bool
        Whether windows are 1..window wide, see `sampling.walk_chunk`.
    exposures : IN/OUT, float32 (2, n_words), or None
        For every row of inputs and of outputs, Σ p (1 − p) of its scores is added, see `rounds`. Only with
        negative sampling, and without a team.
    output_of : IN, int32 (n_words,), or None
        The row of output_vectors that each word has as a centre, where words share them; `noise` draws from
        these rows.
    places : IN, int32 (n_words,), or None
        The row of the matrices that each word has, if these have the rows of some words only; all that the
        chunk uses have one of their own. `frozen` and `exposures` are then of these rows as well.

    Returns
    -------
    loss : float
        Sum of J over the sampled windows, in double precision.
    sampled_pairs, pairs : int
        (centre, context) pairs in that sum, and trained in all.
    """
    at_once = MAX_SHARED if shared else 1
    draws_per_token = 1 + negatives * (1 if shared else 2 * window)
    rows = np.arange(len(keep), dtype=np.int32) if places is None else places
    batch = Batch(team)
    total, sampled_pairs, pairs = 0.0, 0, 0
    for position, center, contexts, _ in batch.visit(
        walk_chunk(ids, sentence_offsets, start, stop, keep, window, dynamic_window, key, draws_per_token),
        window,
    ):
        center = center if output_of is None else int(output_of[center])
        n_sets = 1 if shared else len(contexts)
        counters = position * draws_per_token + 1 + np.arange(n_sets * negatives)
        noise_words = draw_noise(draw(key, counters), noise).reshape(n_sets, negatives)
        center, contexts, noise_words = rows[center], rows[contexts], rows[noise_words]
        cost = 0.0
        for c in range(0, len(contexts), at_once):
            cost_of_step, move = prepare(
                input_vectors,
                output_vectors,
                contexts[c : c + at_once],
                center,
                noise_words[0 if shared else c],
                loss,
                learning_rate,
                frozen,
                exposures,
            )
            cost += cost_of_step
            batch.add(move)
        pairs += len(contexts)
        if position % loss_every == 0:
            total += cost
            sampled_pairs += len(contexts)
    batch.finish()
    return total, sampled_pairs, pairs
