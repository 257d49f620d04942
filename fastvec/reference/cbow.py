"""Continuous bag of words (CBOW) with negative sampling.

Objective. For a centre word o with contexts c = 1..C (input vectors x_c), their mean

    h = (1/C) Σ_c d_p(c) ∘ x_c

where d_p is the weight vector of a context's place p in the window (∘ multiplies component by component; all
d_p = 1 without position weights) or, with ``mean=False``, their sum Σ_c d_p(c) ∘ x_c, and K noise words
(negatives), with y₀ the output vector of the centre and y₁..y_K those of the negatives, minimize

    J = −log σ(h · y₀) − Σ_{k=1..K} log σ(−h · y_k)

Gradient. With the labels t₀ = 1, t_k = 0, the errors δₙ = σ(h · yₙ) − tₙ (see ``losses.py``) and
e = ∂J/∂h = Σₙ δₙ yₙ,

    ∂J/∂x_c = (1/C) d_p(c) ∘ e        ∂J/∂d_p = (1/C) Σ_{c: p(c) = p} x_c ∘ e        ∂J/∂yₙ = δₙ h

because ∂h/∂x_c = (1/C) diag(d_p(c)), and the same with x and d changing places. For the sum there is no 1/C.

Update. Every parameter moves by −η times its gradient, every right-hand side from before the update. A word
that occurs twice among the contexts or the negatives counts twice, and so does a place that two contexts
share; a negative that is the centre is left out.

Compromises, and where they come from:

- ``scale_gradient=True`` is the gradient of J. With False the 1/C of ∂J/∂x_c and ∂J/∂d_p is dropped, as in
  word2vec.c (Mikolov et al. 2013a), gensim and fastText: windows with many contexts then weigh more than in J
  (Irsoy, Benton and Stratos 2021). A context or a place that occurs several times takes the mean of what its
  occurrences would take, and not their sum as there, which moves h too far (see ``subword.py``) and diverges
  where one word fills long windows.
- Position weights (Mikolov et al. 2018) belong to the distances −W..−1, 1..W, counted in kept words: the
  context at distance δ takes row W + δ before the centre and W + δ − 1 behind it.

References
----------
- T. Mikolov, K. Chen, G. Corrado and J. Dean, "Efficient estimation of word representations in vector space",
  ICLR workshop 2013 (a), arXiv:1301.3781.
- T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed representations of words and phrases
  and their compositionality", NIPS 2013 (b), arXiv:1310.4546: negative sampling.
- T. Mikolov, E. Grave, P. Bojanowski, C. Puhrsch and A. Joulin, "Advances in pre-training distributed word
  representations", LREC 2018, arXiv:1712.09405.
- O. Irsoy, A. Benton and K. Stratos, "Corrected CBOW performs as well as skip-gram", Workshop on Insights
  from Negative Results in NLP 2021, arXiv:2012.15332.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .frozen import moving
from .losses import logistic
from .mean import divisors, pooled, reach
from .sampling import draw, draw_noise, walk_chunk
from .step import expose_pooled, label_outputs
from .together import Batch, Move

__all__ = ["step", "train"]

Matrix = NDArray[np.float32]


def step(
    input_vectors: Matrix,
    output_vectors: Matrix,
    position_weights: Matrix | None,
    contexts: NDArray[np.int32],
    positions: NDArray[np.int32],
    center: int,
    negatives: NDArray[np.int32],
    mean: bool,
    scale_gradient: bool,
    learning_rate: float,
    frozen: NDArray[np.uint8] | None = None,
) -> float:
    """Take one gradient step for one window.

    Parameters
    ----------
    input_vectors, output_vectors : IN/OUT, float32 (n_words, stride)
        The matrices, rows padded with zeros to a multiple of 16.
    position_weights : IN/OUT, float32 (2 · window, stride), or None
        Weights of the places in a window, padded as the matrices are; None for a plain mean.
    contexts : IN, int32 (C,)
        Word ids, C >= 1, repetitions allowed.
    positions : IN, int32 (C,)
        Every context's row of position_weights, repetitions allowed; ignored without position weights.
    center : IN, int
        Word id.
    negatives : IN, int32 (K,)
        Word ids, K >= 0, repetitions and the centre allowed.
    mean : IN, bool
        Whether h is the mean of the contexts, or their sum.
    scale_gradient : IN, bool
        Whether contexts and position weights take their gradients, or as much as moves h by −η e: C times
        that of the mean, 1/C of that of the sum; those that are repeated take the mean.
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
        input_vectors,
        output_vectors,
        position_weights,
        contexts,
        positions,
        center,
        negatives,
        mean,
        scale_gradient,
        learning_rate,
        frozen,
    )
    move()
    return cost


def prepare(
    input_vectors: Matrix,
    output_vectors: Matrix,
    position_weights: Matrix | None,
    contexts: NDArray[np.int32],
    positions: NDArray[np.int32],
    center: int,
    negatives: NDArray[np.int32],
    mean: bool,
    scale_gradient: bool,
    learning_rate: float,
    frozen: NDArray[np.uint8] | None = None,
    exposures: Matrix | None = None,
) -> tuple[float, Move]:
    """Return J and the move of a step, both by the matrices as they are; arguments as for `train`."""
    outputs, labels, counts = label_outputs(center, negatives)
    x = input_vectors[contexts]  # (C, stride): copies, and so from before the update
    d = np.ones_like(x) if position_weights is None else position_weights[positions]  # (C, stride)
    h = pooled(d * x, mean)
    scores = output_vectors[outputs] @ h  # (1 + K,)
    errors, costs = logistic(scores, labels, counts)
    if exposures is not None:
        moved = contexts if scale_gradient else np.unique(contexts)
        of_step = reach(len(contexts), mean, scale_gradient)
        expose_pooled(exposures, moved[moving(moved, frozen)], outputs, errors, of_step)

    def move() -> None:
        e = errors @ output_vectors[outputs]
        rate = np.float32(learning_rate)
        moves = rate * (d * e) / divisors(contexts, mean, scale_gradient)
        m = moving(contexts, frozen)
        np.subtract.at(input_vectors, contexts[m], moves[m])  # .at: an id that is repeated takes the sum
        if position_weights is not None:
            moves = rate * (x * e) / divisors(positions, mean, scale_gradient)
            np.subtract.at(position_weights, positions, moves)
        np.subtract.at(output_vectors, outputs, rate * np.outer(errors, h))

    return float(np.sum(costs)), move


def train(
    input_vectors: Matrix,
    output_vectors: Matrix,
    position_weights: Matrix | None,
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    window: int,
    negatives: int,
    mean: bool,
    scale_gradient: bool,
    learning_rate: float,
    key: int,
    loss_every: int,
    team: Any = None,
    copies: Any = None,
    frozen: NDArray[np.uint8] | None = None,
    dynamic_window: bool = True,
    exposures: Matrix | None = None,
    places: NDArray[np.int32] | None = None,
) -> tuple[float, int, int]:
    """Train on the words at positions [start, stop) of the corpus as centres.

    Parameters
    ----------
    input_vectors, output_vectors : IN/OUT, float32 (n_words, stride)
        The matrices, rows padded with zeros to a multiple of 16.
    position_weights : IN/OUT, float32 (2 · window, stride), or None
        Weights of the places in a window, padded as the matrices are; None for a plain mean.
    ids, sentence_offsets, start, stop, keep, window, key : IN
        The chunk of the corpus, its windows and its random sequence, see `sampling.walk_chunk`.
    noise : IN, uint32 (n_words, 2)
        Alias table of the negatives: (threshold, alias).
    negatives : IN, int
        K.
    mean : IN, bool
        Whether h is the mean of the contexts, or their sum.
    scale_gradient : IN, bool
        Whether contexts and position weights take their gradients; see `step`.
    learning_rate : IN, float
        η.
    loss_every : IN, int, a power of 2
        The loss is taken of centres at positions divisible by it.
    team : IN, object or None
        Threads that take the chunk together: steps wait for their batch, see `together`. None with position
        weights.
    copies : IN, object or None
        A thread's copies of often used rows, see ``fastvec/training/copies.py``. They decide what threads see
        of each other, and when; here, where one computes at a time, all see the rows themselves.
    frozen : IN, uint8 (n_rows,), or None
        1 for the rows of input_vectors that do not move.
    dynamic_window : IN, bool
        Whether windows are 1..window wide, see `sampling.walk_chunk`.
    exposures : IN/OUT, float32 (2, n_rows), or None
        For every row of inputs that moves, and of outputs, Σ p (1 − p) of its scores is added, that of inputs
        times how far h moves for a step of its own, see `rounds`. Only without a team, and without
        position weights.
    places : IN, int32 (n_words,), or None
        The row of the matrices that each word has, if these have the rows of some words only; all that the
        chunk uses have one of their own. `frozen` and `exposures` are then of these rows as well.

    Returns
    -------
    loss : float
        Sum of J over the sampled windows, in double precision.
    sampled_pairs, pairs : int
        Windows with contexts in that sum, and trained in all.
    """
    if exposures is not None and position_weights is not None:
        raise ValueError("position_weights must be None with exposures, got weights")
    draws_per_token = 1 + negatives
    rows = np.arange(len(keep), dtype=np.int32) if places is None else places
    batch = Batch(team)
    total, sampled_pairs, pairs = 0.0, 0, 0
    for position, center, contexts, n_before in batch.visit(
        walk_chunk(ids, sentence_offsets, start, stop, keep, window, dynamic_window, key, draws_per_token),
        window,
    ):
        if not len(contexts):
            continue
        counters = position * draws_per_token + 1 + np.arange(negatives)
        loss, move = prepare(
            input_vectors,
            output_vectors,
            position_weights,
            rows[contexts],
            np.arange(len(contexts), dtype=np.int32) + np.int32(window - n_before),  # distances −n_before..
            int(rows[center]),
            rows[draw_noise(draw(key, counters), noise)],
            mean,
            scale_gradient,
            learning_rate,
            frozen,
            exposures,
        )
        batch.add(move)
        pairs += 1
        if position % loss_every == 0:
            total += loss
            sampled_pairs += 1
    batch.finish()
    return total, sampled_pairs, pairs
