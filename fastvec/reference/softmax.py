"""Full softmax, for skip-gram and for the continuous bag of words (CBOW).

Objective. Example b has inputs i = 1..I_b (input vectors x_i) with the mean h_b (with ``mean=False`` the sum,
see ``mean.py``) and targets t = 1..T_b among all W words (output vectors y_w). Minimize

    h_b = (1/I_b) Σ_i x_i        J = Σ_b Σ_t −log p_bt        p_bw = exp(h_b · y_w) / Σ_v exp(h_b · y_v)

Gradient. Let m_bw count how often w is a target of b. A score z_bw = h_b · y_w enters J once as a target's,
m_bw times, and in the denominator of all T_b targets, so that its derivative is the error
δ_bw = T_b p_bw − m_bw, and with e_b = ∂J/∂h_b = Σ_w δ_bw y_w,

    ∂J/∂x_i = Σ_{b, i in b} (1/I_b) e_b        ∂J/∂y_w = Σ_b δ_bw h_b

Update. Every parameter moves by −η times its gradient, every right-hand side from before the update: one for
all examples together. A word that occurs twice among inputs or targets, or in two examples, counts twice.

Skip-gram predicts all contexts of a word from its own vector: one input, as many targets as the window has
contexts, and one softmax for all of them. CBOW predicts a word from the mean of its contexts: one target.

Compromises, and where they come from:

- ``scale_gradient=True`` is the gradient of J. With False the 1/I_b of ∂J/∂x_i is dropped, as in fastText:
  examples with many inputs then weigh more than in J (Irsoy, Benton and Stratos 2021). An input that occurs
  several times in an example then moves as if once, see ``subword.py``.
- ``BATCH`` windows are one update, so that it is a matrix product: the output vectors, all of which take part
  in every example, are read and written once for all of them.

Every example costs time in proportion to the number of words. That is what hierarchical softmax and negative
sampling are for (Mikolov et al. 2013); the full softmax is for small vocabularies, and the measure of these.

References
----------
- T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed representations of words and phrases
  and their compositionality", NIPS 2013, arXiv:1310.4546.
- O. Irsoy, A. Benton and K. Stratos, "Corrected CBOW performs as well as skip-gram", Workshop on Insights
  from Negative Results in NLP 2021, arXiv:2012.15332.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .frozen import moving
from .mean import divisors
from .sampling import Window, walk_chunk

__all__ = ["step", "train"]

BATCH = 16

Matrix = NDArray[np.float32]


def step(
    input_vectors: Matrix,
    output_vectors: Matrix,
    inputs: NDArray[np.int32],
    input_offsets: NDArray[np.int64],
    targets: NDArray[np.int32],
    target_offsets: NDArray[np.int64],
    mean: bool,
    scale_gradient: bool,
    learning_rate: float,
    frozen: NDArray[np.uint8] | None = None,
) -> float:
    """Take one gradient step for a batch of examples.

    Parameters
    ----------
    input_vectors : IN/OUT, float32 (n_inputs, stride)
        The vectors of inputs, rows padded with zeros to a multiple of 16.
    output_vectors : IN/OUT, float32 (n_words, stride)
        The words' output vectors, padded alike: all of them take part.
    inputs : IN, int32
        Rows of input_vectors, those of all examples one after the other, repetitions allowed.
    input_offsets : IN, int64 (B + 1,)
        Example b has inputs[input_offsets[b]:input_offsets[b + 1]], one or more; B >= 1.
    targets : IN, int32
        Word ids, in the same manner.
    target_offsets : IN, int64 (B + 1,)
        Example b has targets[target_offsets[b]:target_offsets[b + 1]], one or more.
    mean : IN, bool
        Whether h is the mean of an example's inputs, or their sum.
    scale_gradient : IN, bool
        Whether the inputs take their gradient, or every row, once in an example, as far as h moves by −η e.
    learning_rate : IN, float
        η; with 0 nothing changes.
    frozen : IN, uint8 (n_rows,), or None
        1 for the rows of input_vectors that do not move.

    Returns
    -------
    float
        J before the update.
    """
    losses = update(
        input_vectors,
        output_vectors,
        inputs,
        input_offsets,
        targets,
        target_offsets,
        mean,
        scale_gradient,
        learning_rate,
        frozen,
    )
    return float(np.sum(losses))


def update(
    input_vectors: Matrix,
    output_vectors: Matrix,
    inputs: NDArray[np.int32],
    input_offsets: NDArray[np.int64],
    targets: NDArray[np.int32],
    target_offsets: NDArray[np.int64],
    mean: bool,
    scale_gradient: bool,
    learning_rate: float,
    frozen: NDArray[np.uint8] | None = None,
) -> NDArray[np.float64]:
    """Do what `step` does, and return every example's part of J."""
    n_inputs, n_targets = np.diff(input_offsets), np.diff(target_offsets)
    examples = np.arange(len(n_inputs))
    of_input, of_target = np.repeat(examples, n_inputs), np.repeat(examples, n_targets)

    h = np.add.reduceat(input_vectors[inputs], input_offsets[:-1])  # (B, stride)
    if mean:
        h /= n_inputs[:, np.newaxis].astype(np.float32)
    scores = h @ output_vectors.T  # (B, n_words)
    scores -= scores.max(axis=1, keepdims=True)  # changes nothing in p, and exp cannot overflow
    p = np.exp(scores)
    p /= p.sum(axis=1, keepdims=True)
    errors = p * n_targets[:, np.newaxis].astype(np.float32)
    np.subtract.at(errors, (of_target, targets), np.float32(1))  # .at: a target that is repeated counts twice
    e = errors @ output_vectors
    of_examples = np.split(inputs, input_offsets[1:-1])
    moves = e[of_input] / np.concatenate([divisors(rows, mean, scale_gradient) for rows in of_examples])

    rate = np.float32(learning_rate)
    m = moving(inputs, frozen)
    np.subtract.at(input_vectors, inputs[m], rate * moves[m])  # .at: an input that is repeated takes the sum
    output_vectors -= rate * (errors.T @ h)

    z = scores.astype(np.float64)
    log_sums = np.log(np.sum(np.exp(z), axis=1))
    losses: NDArray[np.float64] = np.add.reduceat(
        log_sums[of_target] - z[of_target, targets], target_offsets[:-1]
    )
    return losses


def train(
    input_vectors: Matrix,
    output_vectors: Matrix,
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    window: int,
    cbow: bool,
    mean: bool,
    scale_gradient: bool,
    learning_rate: float,
    key: int,
    loss_every: int,
    frozen: NDArray[np.uint8] | None = None,
    dynamic_window: bool = True,
) -> tuple[float, int, int]:
    """Train on the words at positions [start, stop) of the corpus as centres.

    ``BATCH`` windows, the next that have contexts, are one update; what is left at the end of the chunk is a
    smaller one.

    Parameters
    ----------
    input_vectors, output_vectors : IN/OUT, float32 (n_words, stride)
        The matrices, rows padded with zeros to a multiple of 16.
    ids, sentence_offsets, start, stop, keep, window, key : IN
        The chunk of the corpus, its windows and its random sequence, see `sampling.walk_chunk`.
    cbow : IN, bool
        Whether the mean of the contexts predicts the centre, or the centre its contexts.
    mean : IN, bool
        Whether h is the mean of an example's inputs, or their sum.
    scale_gradient : IN, bool
        Whether the inputs take their gradient, or every row, once in a window, as far as h moves by −η e.
    learning_rate : IN, float
        η.
    loss_every : IN, int, a power of 2
        The loss is taken of centres at positions divisible by it.
    frozen : IN, uint8 (n_words,), or None
        1 for the rows of input_vectors that do not move.
    dynamic_window : IN, bool
        Whether windows are 1..window wide, see `sampling.walk_chunk`.

    Returns
    -------
    loss : float
        Sum of J over the sampled windows, in double precision.
    sampled_pairs, pairs : int
        (centre, context) pairs in that sum, and trained in all; for CBOW windows with contexts.
    """
    windows = [
        one
        for one in walk_chunk(
            ids, sentence_offsets, start, stop, keep, window, dynamic_window, key, draws_per_token=1
        )
        if len(one.contexts)
    ]
    total, sampled_pairs, pairs = 0.0, 0, 0
    for first in range(0, len(windows), BATCH):
        batch = windows[first : first + BATCH]
        centers, contexts = lay_out_centers(batch), lay_out_contexts(batch)
        inputs, targets = (contexts, centers) if cbow else (centers, contexts)
        losses = update(
            input_vectors, output_vectors, *inputs, *targets, mean, scale_gradient, learning_rate, frozen
        )
        for one, loss, n_targets in zip(batch, losses.tolist(), np.diff(targets[1]).tolist(), strict=True):
            pairs += n_targets
            if one.position % loss_every == 0:
                total += loss
                sampled_pairs += n_targets
    return total, sampled_pairs, pairs


def lay_out_centers(batch: list[Window]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the centres of some windows one after the other, and where each one's begin and end."""
    return np.array([one.center for one in batch], dtype=np.int32), np.arange(len(batch) + 1)


def lay_out_contexts(batch: list[Window]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the contexts of some windows one after the other, and where each one's begin and end."""
    contexts = [one.contexts for one in batch]
    offsets = np.concatenate(([0], np.cumsum([len(words) for words in contexts])))
    return np.concatenate(contexts), offsets
