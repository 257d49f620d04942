"""Hierarchical softmax for words made of subwords (fastText), skip-gram and continuous bag of words (CBOW).

Objective. An input is a bag of rows i = 1..I (vectors x_i) with the mean h, as in ``subword.py``. A target
t = 1..T is a leaf of the tree in ``hierarchical_softmax.py``: its path passes the inner nodes l = 1..L_t with
vectors n_tl, and turns at each by its code b_tl, 0 or 1. Minimize

    h = (1/I) Σ_i x_i        J = Σ_t Σ_l −log σ((1 − 2 b_tl) h · n_tl)

Gradient. With the labels 1 − b_tl, the errors δ_tl = σ(h · n_tl) − (1 − b_tl) and
e = ∂J/∂h = Σ_t Σ_l δ_tl n_tl,

    ∂J/∂x_i = (1/I) e        ∂J/∂n_tl = δ_tl h

Update. Every parameter moves by −η times its gradient, every right-hand side from before the update. A row
that occurs twice among the inputs counts twice, and so does a node on several paths, as the root, whichever
turns they take there. ``subword.py`` says what is done without ``scale_gradient``, ``mean.py`` what is with
h = Σ_i x_i.

Compromises, and where they come from:

- Skip-gram predicts the contexts from the rows of the centre, at most ``MAX_SHARED`` of them from one h; CBOW
  the centre from the rows of all contexts: both as with negative sampling, in ``subword.py``, as in fastText
  and gensim, but that these compute h anew for each context. Skip-gram of whole words predicts the centre.
- The tree is the caller's. That of fastText is Huffman's (Mikolov et al. 2013).

References
----------
- P. Bojanowski, E. Grave, A. Joulin and T. Mikolov, "Enriching word vectors with subword information", TACL
  5, 2017, arXiv:1607.04606.
- F. Morin and Y. Bengio, "Hierarchical probabilistic neural network language model", AISTATS 2005.
- T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed representations of words and phrases
  and their compositionality", NIPS 2013, arXiv:1310.4546.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .losses import logistic
from .mean import pooled
from .sampling import walk_chunk
from .step import MAX_SHARED
from .subword import move_bag, rows_of_bag
from .together import Batch, Move

__all__ = ["step", "train"]

Matrix = NDArray[np.float32]


def step(
    input_vectors: Matrix,
    node_vectors: Matrix,
    inputs: NDArray[np.int32],
    nodes: NDArray[np.int32],
    codes: NDArray[np.uint8],
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
    node_vectors : IN/OUT, float32 (n_nodes, stride)
        The vectors of the tree's inner nodes, padded alike.
    inputs : IN, int32 (I,)
        Rows of input_vectors, I >= 1, repetitions allowed.
    nodes : IN, int32 (L,)
        Rows of node_vectors, those of the paths to all targets, L >= 1, repetitions allowed.
    codes : IN, uint8 (L,)
        Which way the path turns at each node, 0 or 1.
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
        node_vectors,
        inputs,
        nodes,
        codes,
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
    node_vectors: Matrix,
    inputs: NDArray[np.int32],
    nodes: NDArray[np.int32],
    codes: NDArray[np.uint8],
    n_first: int,
    mean: bool,
    scale_gradient: bool,
    learning_rate: float,
    frozen: NDArray[np.uint8] | None = None,
) -> tuple[float, Move]:
    """Return J and the move of a step, both by the matrices as they are; arguments as for `step`."""
    labels = 1 - codes.astype(np.float32)
    h = pooled(input_vectors[inputs], mean)
    errors, costs = logistic(node_vectors[nodes] @ h, labels, np.ones_like(labels))

    def move() -> None:
        rate = np.float32(learning_rate)
        e = errors @ node_vectors[nodes]
        move_bag(input_vectors, inputs, rate * e, n_first, mean, scale_gradient, frozen)
        np.subtract.at(node_vectors, nodes, rate * np.outer(errors, h))  # .at: a node may be on several paths

    return float(np.sum(costs)), move


def train(
    input_vectors: Matrix,
    node_vectors: Matrix,
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    path_offsets: NDArray[np.int64],
    path_nodes: NDArray[np.int32],
    path_codes: NDArray[np.uint8],
    subword_offsets: NDArray[np.int64],
    subwords: NDArray[np.int32],
    window: int,
    cbow: bool,
    mean: bool,
    scale_gradient: bool,
    learning_rate: float,
    key: int,
    loss_every: int,
    team: Any = None,
    copies: Any = None,
    frozen: NDArray[np.uint8] | None = None,
    dynamic_window: bool = True,
) -> tuple[float, int, int]:
    """Train on the words at positions [start, stop) of the corpus as centres.

    Parameters
    ----------
    input_vectors : IN/OUT, float32 (n_words + n_buckets, stride)
        The vectors of words and n-grams, rows padded with zeros to a multiple of 16.
    node_vectors : IN/OUT, float32 (n_nodes, stride)
        The vectors of the tree's inner nodes, padded alike.
    ids, sentence_offsets, start, stop, keep, window, key : IN
        The chunk of the corpus, its windows and its random sequence, see `sampling.walk_chunk`.
    path_offsets : IN, int64 (n_words + 1,)
        The path to word w is at [path_offsets[w], path_offsets[w + 1]) of the next two.
    path_nodes : IN, int32
        Rows of node_vectors from the root down.
    path_codes : IN, uint8
        Which way the path turns at each, 0 or 1.
    subword_offsets, subwords : IN
        The rows of words, as in ``subword.py``.
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
    copies : IN, object or None
        A thread's copies of often used nodes, see ``fastvec/training/copies.py``. They decide what threads
        see of each other, and when; here, where one computes at a time, all see the rows themselves.
    frozen : IN, uint8 (n_rows,), or None
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
    batch = Batch(team)
    total, sampled_pairs, pairs = 0.0, 0, 0
    for position, center, contexts, _ in batch.visit(
        walk_chunk(ids, sentence_offsets, start, stop, keep, window, dynamic_window, key, draws_per_token=1),
        window,
    ):
        if not len(contexts):
            continue
        words, targets = (contexts.tolist(), [center]) if cbow else ([center], contexts.tolist())
        inputs, n_first = rows_of_bag(words, subword_offsets, subwords)
        loss = 0.0
        for t in range(0, len(targets), MAX_SHARED):
            paths = [slice(*path_offsets[target : target + 2]) for target in targets[t : t + MAX_SHARED]]
            loss_of_step, move = prepare(
                input_vectors,
                node_vectors,
                inputs,
                np.concatenate([path_nodes[path] for path in paths]),
                np.concatenate([path_codes[path] for path in paths]),
                n_first,
                mean,
                scale_gradient,
                learning_rate,
                frozen,
            )
            loss += loss_of_step
            batch.add(move)
        pairs += len(targets)
        if position % loss_every == 0:
            total += loss
            sampled_pairs += len(targets)
    batch.finish()
    return total, sampled_pairs, pairs
