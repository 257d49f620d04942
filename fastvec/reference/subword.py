"""Negative sampling for words made of subwords (fastText), skip-gram and continuous bag of words (CBOW).

Objective. An input is a bag of rows i = 1..I (vectors x_i): a word's own row and those of its character
n-grams. With their mean h, targets t = 1..T (output vectors y_t) and for each of them K noise words
(negatives, y_tk), minimize

    h = (1/I) Σ_i x_i        J = Σ_t [ −log σ(h · y_t) − Σ_{k=1..K} log σ(−h · y_tk) ]

or, in CBOW with ``mean=False``, with h = Σ_i x_i, see ``mean.py``.

Gradient. Number targets and negatives together, n = 1..T(1 + K), with the labels 1 for a target and 0 for a
negative. With the errors δₙ = σ(h · yₙ) − labelₙ and e = ∂J/∂h = Σₙ δₙ yₙ,

    ∂J/∂x_i = (1/I) e        ∂J/∂yₙ = δₙ h

Update. Every parameter moves by −η times its gradient, every right-hand side from before the update. A row
that occurs twice counts twice, on both sides, and whatever it is there: targets, negatives, one's target and
another's negative. A negative that is its own target is left out.

Without ``scale_gradient``. fastText moves every input x_i by −η e instead, which is I times its gradient. If
the bag has different rows r, each c_r times, h = (1/I) Σ_r c_r x_r. Moved as often as it occurs, row r goes
c_r times as far, and the mean of the bag goes

    −η e (1/I) Σ_r c_r²        rather than        −η e

as it does when all rows are different (c_r = 1 and Σ_r c_r² = I). A word of 40 equal letters has 154 n-grams
of 3 to 6 letters; 35 to 38 of them are the same one at every length, and the mean goes 34 times too far:
training diverges, and it does so in fastText. Here every row takes −η e once, however often it occurs, so
that the mean goes −η e (1/I) Σ_r c_r = −η e, for every word. Words without repetitions are as in fastText. In
CBOW this holds for the rows of each context; contexts that share rows, being the same word or not, move them
one after the other, as in fastText: at its learning rate, moving them once gave worse vectors.

Compromises, and where they come from:

- N-grams share rows: an n-gram's row is chosen by its hash (Bojanowski et al. 2017), so that rows may repeat
  within a word.
- Skip-gram predicts the contexts from the rows of the centre (Bojanowski et al. 2017), one after the other,
  each from h as those before it have moved the rows, as in fastText; threads that take steps together
  (``together.py``) predict up to ``MAX_SHARED`` of them from one h. CBOW predicts the centre from the rows of
  all contexts, and the mean is over all of these rows, as in fastText: a context with many n-grams weighs
  more.
- ``scale_gradient=True`` is the gradient of J. With False the rows of words with many n-grams move farther
  than J says, as in fastText (for CBOW: Irsoy, Benton and Stratos 2021).

References
----------
- P. Bojanowski, E. Grave, A. Joulin and T. Mikolov, "Enriching word vectors with subword information", TACL
  5, 2017, arXiv:1607.04606.
- T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed representations of words and phrases
  and their compositionality", NIPS 2013, arXiv:1310.4546: negative sampling.
- O. Irsoy, A. Benton and K. Stratos, "Corrected CBOW performs as well as skip-gram", Workshop on Insights
  from Negative Results in NLP 2021, arXiv:2012.15332.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .frozen import moving
from .losses import logistic
from .mean import pooled, reach
from .sampling import draw, draw_noise, walk_chunk
from .step import MAX_SHARED, expose_pooled, label_outputs
from .together import Batch, Move

__all__ = ["step", "train"]

Matrix = NDArray[np.float32]


def step(
    input_vectors: Matrix,
    output_vectors: Matrix,
    inputs: NDArray[np.int32],
    targets: NDArray[np.int32],
    negatives: NDArray[np.int32],
    n_first: int,
    mean: bool,
    scale_gradient: bool,
    learning_rate: float,
    frozen: NDArray[np.uint8] | None = None,
) -> float:
    """Take one gradient step for one bag of rows.

    Parameters
    ----------
    input_vectors : IN/OUT, float32 (n_words + n_buckets, stride)
        The vectors of words and n-grams, rows padded with zeros to a multiple of 16.
    output_vectors : IN/OUT, float32 (n_words, stride)
        The words' output vectors, padded alike.
    inputs : IN, int32 (I,)
        Rows of input_vectors, I >= 1, repetitions allowed.
    targets : IN, int32 (T,)
        Word ids, T >= 1, repetitions allowed.
    negatives : IN, int32 (T, K)
        Every target's noise words, K >= 0; repetitions and any of the targets allowed.
    n_first : IN, int
        Those of the inputs that move without scale_gradient, 1 <= n_first <= I; the others count in h.
    mean : IN, bool
        Whether h is the mean of the inputs, or their sum.
    scale_gradient : IN, bool
        Whether all inputs take their gradient, or the first ones as far as h moves by −η e.
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
        inputs,
        targets,
        negatives,
        n_first,
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
    inputs: NDArray[np.int32],
    targets: NDArray[np.int32],
    negatives: NDArray[np.int32],
    n_first: int,
    mean: bool,
    scale_gradient: bool,
    learning_rate: float,
    frozen: NDArray[np.uint8] | None = None,
    exposures: Matrix | None = None,
) -> tuple[float, Move]:
    """Return J and the move of a step, both by the matrices as they are; arguments as for `train`."""
    outputs, labels, counts = label_outputs(targets, negatives)  # (T, 1 + K)
    h = pooled(input_vectors[inputs], mean)
    scores = output_vectors[outputs] @ h
    errors, costs = logistic(scores, labels, counts)
    if exposures is not None:
        moved = inputs if scale_gradient else inputs[:n_first]
        of_step = reach(len(inputs), mean, scale_gradient)
        expose_pooled(exposures, moved[moving(moved, frozen)], outputs, errors, of_step)

    def move() -> None:
        rate = np.float32(learning_rate)
        e = np.tensordot(errors, output_vectors[outputs])  # Σₙ δₙ yₙ
        move_bag(input_vectors, inputs, rate * e, n_first, mean, scale_gradient, frozen)
        np.subtract.at(output_vectors, outputs, rate * errors[..., np.newaxis] * h)

    return float(np.sum(costs)), move


def move_bag(
    input_vectors: Matrix,
    inputs: NDArray[np.int32],
    step_of_h: NDArray[np.float32],
    n_first: int,
    mean: bool,
    scale_gradient: bool,
    frozen: NDArray[np.uint8] | None,
) -> None:
    """Move the rows of a bag, given η e; other arguments as for `step`."""
    if mean == scale_gradient:
        step_of_h = step_of_h / np.float32(len(inputs))
    moved = inputs if scale_gradient else inputs[:n_first]
    moved = moved[moving(moved, frozen)]
    np.subtract.at(input_vectors, moved, step_of_h)  # .at: a row that is repeated counts twice


def rows_of_bag(
    words: list[int], subword_offsets: NDArray[np.int64], subwords: NDArray[np.int32]
) -> tuple[NDArray[np.int32], int]:
    """Return the rows of words, and how many come first, those that are different in each word."""
    begin, repeats, end = (subword_offsets[2 * np.array(words) + i] for i in range(3))
    first = np.concatenate([subwords[i:j] for i, j in zip(begin, repeats, strict=True)])
    repeated = [subwords[i:j] for i, j in zip(repeats, end, strict=True)]
    return np.concatenate([first, *repeated]), len(first)


def train(
    input_vectors: Matrix,
    output_vectors: Matrix,
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    subword_offsets: NDArray[np.int64],
    subwords: NDArray[np.int32],
    window: int,
    negatives: int,
    cbow: bool,
    mean: bool,
    scale_gradient: bool,
    learning_rate: float,
    key: int,
    loss_every: int,
    team: Any = None,
    frozen: NDArray[np.uint8] | None = None,
    dynamic_window: bool = True,
    exposures: Matrix | None = None,
    places: NDArray[np.int32] | None = None,
) -> tuple[float, int, int]:
    """Train on the words at positions [start, stop) of the corpus as centres.

    Parameters
    ----------
    input_vectors : IN/OUT, float32 (n_words + n_buckets, stride)
        The vectors of words and n-grams, rows padded with zeros to a multiple of 16.
    output_vectors : IN/OUT, float32 (n_words, stride)
        The words' output vectors, padded alike.
    ids, sentence_offsets, start, stop, keep, window, key : IN
        The chunk of the corpus, its windows and its random sequence, see `sampling.walk_chunk`.
    noise : IN, uint32 (n_words, 2)
        Alias table of the negatives: (threshold, alias).
    subword_offsets : IN, int64 (2 · n_words + 1,)
        The rows of word w are subwords[subword_offsets[2w]:subword_offsets[2w + 2]], one or more; those
        before subword_offsets[2w + 1] are all different, those behind repeat some of them.
    subwords : IN, int32
        Rows of input_vectors.
    negatives : IN, int
        K.
    cbow : IN, bool
        Whether the rows of all contexts predict the centre, or the rows of the centre its contexts.
    mean : IN, bool
        Whether h is the mean of the inputs, or their sum.
    scale_gradient : IN, bool
        Whether the inputs take their gradient, or the different rows of a word as far as h moves by −η e.
    learning_rate : IN, float
        η.
    loss_every : IN, int, a power of 2
        The loss is taken of centres at positions divisible by it.
    team : IN, object or None
        Threads that take the chunk together: steps wait for their batch, see `together`.
    frozen : IN, uint8 (n_rows,), or None
        1 for the rows of input_vectors that do not move.
    dynamic_window : IN, bool
        Whether windows are 1..window wide, see `sampling.walk_chunk`.
    exposures : IN/OUT, float32 (2, n_rows), or None
        For every row of inputs that moves, and of outputs, Σ p (1 − p) of its scores is added, that of inputs
        times how far h moves for a step of its own, see `rounds`. Only without a team.
    places : IN, int32 (n_words,), or None
        The number of each word in subword_offsets and output_vectors, if some words only are there, all that
        the chunk uses among them.

    Returns
    -------
    loss : float
        Sum of J over the sampled windows, in double precision.
    sampled_pairs, pairs : int
        (centre, context) pairs in that sum, and trained in all; for CBOW windows with contexts.
    """
    draws_per_token = 1 + negatives * (1 if cbow else 2 * window)
    at_once = 1 if team is None else MAX_SHARED
    place = np.arange(len(keep), dtype=np.int32) if places is None else places
    batch = Batch(team)
    total, sampled_pairs, pairs = 0.0, 0, 0
    for position, center, contexts, _ in batch.visit(
        walk_chunk(ids, sentence_offsets, start, stop, keep, window, dynamic_window, key, draws_per_token),
        window,
    ):
        if not len(contexts):
            continue
        center, contexts = int(place[center]), place[contexts]
        words = contexts.tolist() if cbow else [center]
        inputs, n_first = rows_of_bag(words, subword_offsets, subwords)
        targets = np.array([center], dtype=np.int32) if cbow else contexts
        counters = position * draws_per_token + 1 + np.arange(len(targets) * negatives)
        noise_words = place[draw_noise(draw(key, counters), noise)].reshape(len(targets), negatives)
        loss = 0.0
        for t in range(0, len(targets), at_once):
            loss_of_step, move = prepare(
                input_vectors,
                output_vectors,
                inputs,
                targets[t : t + at_once],
                noise_words[t : t + at_once],
                n_first,
                mean,
                scale_gradient,
                learning_rate,
                frozen,
                exposures,
            )
            loss += loss_of_step
            batch.add(move)
        pairs += len(targets)
        if position % loss_every == 0:
            total += loss
            sampled_pairs += len(targets)
    batch.finish()
    return total, sampled_pairs, pairs
