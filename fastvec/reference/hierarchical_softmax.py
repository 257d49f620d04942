"""Hierarchical softmax, for skip-gram and for the continuous bag of words (CBOW).

Objective. The words are the leaves of a binary tree. From the root down to the centre word, a path passes the
inner nodes l = 1..L with vectors n_l, and turns at each by its code b_l: 0 one way, 1 the other. An input x
takes these turns with the probabilities σ((1 − 2 b_l) x · n_l); the product of them is the probability of the
word, and over all leaves it sums to 1 because σ(z) + σ(−z) = 1. For a centre with contexts c = 1..C (input
vectors x_c), minimize

    J = Σ_x Σ_l −log σ((1 − 2 b_l) x · n_l)

where x is each of the contexts x_c (skip-gram, ``cbow=False``) or their mean h = (1/C) Σ_c x_c alone
(``cbow=True``; with ``mean=False`` their sum, see ``mean.py``).

Gradient. With the labels t_l = 1 − b_l and the errors δ_xl = σ(x · n_l) − t_l,

    ∂J/∂x = Σ_l δ_xl n_l        ∂J/∂n_l = Σ_x δ_xl x

and for CBOW, with e = ∂J/∂h,

    ∂J/∂x_c = (1/C) e

Update. The errors are those from before the update. Inputs x then move one after the other as in
``skipgram.py``, each by the nodes as the inputs before it have moved them:

    x ← x − η Σ_l δ_xl n_l        and then        n_l ← n_l − η δ_xl x with the x from before

CBOW has one input, h, whose contexts move by −η ∂J/∂x_c. A word that occurs twice among the contexts counts
twice. A path has no node twice.

Compromises, and where they come from:

- ``scale_gradient=True`` is the gradient of J. With False the 1/C of CBOW's ∂J/∂x_c is dropped, as in
  word2vec.c (Mikolov et al. 2013a), gensim and fastText: windows with many contexts then weigh more than in J
  (Irsoy, Benton and Stratos 2021). A context that occurs several times then moves as if once, see
  ``subword.py``.
- Skip-gram predicts the centre from every context, as word2vec.c does, so that all contexts share one path
  and a window is a small matrix product; at most ``MAX_SHARED`` contexts an update, one group after the
  other.
- The tree is the caller's. Huffman's (Mikolov et al. 2013b) has the shortest paths on average, where Morin
  and Bengio (2005) took one from WordNet.

References
----------
- F. Morin and Y. Bengio, "Hierarchical probabilistic neural network language model", AISTATS 2005.
- T. Mikolov, K. Chen, G. Corrado and J. Dean, "Efficient estimation of word representations in vector space",
  ICLR workshop 2013 (a), arXiv:1301.3781.
- T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed representations of words and phrases
  and their compositionality", NIPS 2013 (b), arXiv:1310.4546.
- O. Irsoy, A. Benton and K. Stratos, "Corrected CBOW performs as well as skip-gram", Workshop on Insights
  from Negative Results in NLP 2021, arXiv:2012.15332.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .frozen import moving
from .losses import logistic
from .mean import divisors, pooled
from .sampling import walk_chunk
from .step import MAX_SHARED, move_in_turn
from .together import Batch, Move

__all__ = ["step", "train"]

Matrix = NDArray[np.float32]


def step(
    input_vectors: Matrix,
    node_vectors: Matrix,
    contexts: NDArray[np.int32],
    nodes: NDArray[np.int32],
    codes: NDArray[np.uint8],
    cbow: bool,
    mean: bool,
    scale_gradient: bool,
    learning_rate: float,
    frozen: NDArray[np.uint8] | None = None,
) -> float:
    """Take one gradient step for one window.

    Parameters
    ----------
    input_vectors : IN/OUT, float32 (n_words, stride)
        The words' vectors, rows padded with zeros to a multiple of 16.
    node_vectors : IN/OUT, float32 (n_nodes, stride)
        The vectors of the tree's inner nodes, padded alike.
    contexts : IN, int32 (C,)
        Word ids, C >= 1, repetitions allowed.
    nodes : IN, int32 (L,)
        Rows of node_vectors from the root down to the centre, none twice.
    codes : IN, uint8 (L,)
        Which way the path turns at each node, 0 or 1.
    cbow : IN, bool
        Whether the mean of the contexts predicts the centre, or each of them.
    mean : IN, bool
        Whether h is the mean of CBOW's contexts, or their sum.
    scale_gradient : IN, bool
        Whether the contexts of CBOW take their gradient, or each, once, as far as h moves by −η ∂J/∂h.
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
        input_vectors, node_vectors, contexts, nodes, codes, cbow, mean, scale_gradient, learning_rate, frozen
    )
    move()
    return cost


def prepare(
    input_vectors: Matrix,
    node_vectors: Matrix,
    contexts: NDArray[np.int32],
    nodes: NDArray[np.int32],
    codes: NDArray[np.uint8],
    cbow: bool,
    mean: bool,
    scale_gradient: bool,
    learning_rate: float,
    frozen: NDArray[np.uint8] | None = None,
) -> tuple[float, Move]:
    """Return J and the move of a step, both by the matrices as they are; arguments as for `step`."""
    labels = 1 - codes.astype(np.float32)
    x = input_vectors[contexts]  # (C, stride): copies, and so from before the update
    if cbow:
        x = pooled(x, mean)[np.newaxis]  # (1, stride)
    scores = x @ node_vectors[nodes].T  # (C, L), or (1, L) for CBOW
    errors, costs = logistic(scores, labels, np.ones_like(labels))

    def move_mean() -> None:
        rate = np.float32(learning_rate)
        moves = rate * (errors @ node_vectors[nodes]) / divisors(contexts, mean, scale_gradient)
        m = moving(contexts, frozen)
        np.subtract.at(input_vectors, contexts[m], moves[m])  # .at: an id that is repeated counts twice
        node_vectors[nodes] -= rate * (errors.T @ x)

    def move() -> None:
        move_in_turn(input_vectors, contexts, node_vectors, nodes, errors, learning_rate, frozen)

    return float(np.sum(costs)), move_mean if cbow else move


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
    input_vectors : IN/OUT, float32 (n_words, stride)
        The words' vectors, rows padded with zeros to a multiple of 16.
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
    cbow : IN, bool
        Whether the mean of the contexts predicts the centre, or each of them.
    mean : IN, bool
        Whether h is the mean of CBOW's contexts, or their sum.
    scale_gradient : IN, bool
        Whether the contexts of CBOW take their gradient, or each, once, as far as h moves by −η ∂J/∂h.
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
        path = slice(path_offsets[center], path_offsets[center + 1])
        at_once = len(contexts) if cbow else MAX_SHARED
        loss = 0.0
        for c in range(0, len(contexts), at_once):
            loss_of_step, move = prepare(
                input_vectors,
                node_vectors,
                contexts[c : c + at_once],
                path_nodes[path],
                path_codes[path],
                cbow,
                mean,
                scale_gradient,
                learning_rate,
                frozen,
            )
            loss += loss_of_step
            batch.add(move)
        trained = 1 if cbow else len(contexts)
        pairs += trained
        if position % loss_every == 0:
            total += loss
            sampled_pairs += trained
    batch.finish()
    return total, sampled_pairs, pairs
