"""Classes of documents: a linear classifier on the mean of a document's rows, and these rows trained along.

Objective. A document has n input rows x_i, those of its words and of their n-grams, and one label t among K.
With the output vectors y_1..y_K, minimize for every document

    J = −log p_t        with    p_k = exp(h · y_k) / Σ_l exp(h · y_l),    h = (1/n) Σ_i x_i

Gradient. With δ_k = p_k − [k = t] and e = ∂J/∂h = Σ_k δ_k y_k,

    ∂J/∂y_k = δ_k h        ∂J/∂x_i = (1/n) e, once for every time x_i is in the document

Update. Every row moves by −η times its gradient, every right-hand side from before the update, one document
after the other. It is the step of ``softmax.py`` with a document for a window of CBOW and the labels for the
words, and checked there.

Other objectives ask some outputs to be high and others to be low, each by itself: with labels b_k ∈ {0, 1},

    J = Σ_k −b_k log σ(h · y_k) − (1 − b_k) log σ(−h · y_k)        δ_k = σ(h · y_k) − b_k

and the rest as above. They differ in what the outputs are, and what b is:

- one-vs-all: the outputs are all labels, b_k = 1 for each label that the document has: one, several or none;
- hierarchical softmax: the outputs are the inner nodes on the path to t in a tree of the labels, b is 1 minus
  the branch taken there, so that J = −log p_t with p_t the product of the branches' probabilities;
- negative sampling: the outputs are t with b = 1, and labels drawn from a noise distribution with b = 0,
  without those that are t.

These are steps of ``hierarchical_softmax.py`` and ``subword.py``, and checked there.

Compromises, and where they come from:

- n-grams of words share rows, as their hashes say (Joulin, Grave, Bojanowski and Mikolov 2017).
- Where t is a single label, a document with several has one of them at a time, at random, as in fastText: in
  expectation, J is the mean over its labels.

Reference: Joulin, Grave, Bojanowski and Mikolov 2017, "Bag of tricks for efficient text classification",
arXiv:1607.01759 (fastText's supervised mode).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import hierarchical_softmax, softmax, subword
from .sampling import draw, draw_noise

__all__ = ["train", "train_negatives", "train_one_vs_all", "train_paths"]

Matrix = NDArray[np.float32]


def train(
    input_vectors: Matrix,
    output_vectors: Matrix,
    inputs: NDArray[np.int32],
    input_offsets: NDArray[np.int64],
    labels: NDArray[np.int32],
    order: NDArray[np.int32],
    start: int,
    stop: int,
    learning_rate: float,
    loss_every: int,
    copies: Any = None,
) -> tuple[float, int, int]:
    """Train on the documents at the places [start, stop) of an order, one update each.

    Parameters
    ----------
    input_vectors : IN/OUT, float32 (n_rows, stride)
        Words and n-grams, rows padded with zeros to a multiple of 16.
    output_vectors : IN/OUT, float32 (n_labels, stride)
        Labels, padded alike.
    inputs : IN, int32
        Rows of input_vectors, those of all documents one after the other, repetitions allowed.
    input_offsets : IN, int64 (n_documents + 1,)
        Document t has inputs[input_offsets[t]:input_offsets[t + 1]]; one without any is passed over.
    labels : IN, int32 (n_documents,)
        Rows of output_vectors.
    order : IN, int32 (n,)
        Documents in the order in which they are trained on.
    start, stop : IN, int
        The chunk of it.
    learning_rate : IN, float
        η.
    loss_every : IN, int
        The loss is taken at places of the order divisible by it.
    copies : IN, object or None
        A thread's copies of often used rows, see ``fastvec/training/copies.py``. They decide what threads see
        of each other, and when; here, where one computes at a time, all see the rows themselves.

    Returns
    -------
    loss : float
        Sum of J over the sampled documents, in double precision.
    sampled, trained : int
        Documents in that sum, and trained on in all.
    """
    one = np.array([0, 1])

    def step(rows: NDArray[np.int32], document: int, place: int) -> float:
        target, offsets = labels[document : document + 1], np.array([0, len(rows)])
        return softmax.step(
            input_vectors=input_vectors,
            output_vectors=output_vectors,
            inputs=rows,
            input_offsets=offsets,
            targets=target,
            target_offsets=one,
            mean=True,
            scale_gradient=True,
            learning_rate=learning_rate,
        )

    return visit(step, inputs, input_offsets, order, start, stop, loss_every)


def train_one_vs_all(
    input_vectors: Matrix,
    output_vectors: Matrix,
    inputs: NDArray[np.int32],
    input_offsets: NDArray[np.int64],
    labels: NDArray[np.int32],
    label_offsets: NDArray[np.int64],
    order: NDArray[np.int32],
    start: int,
    stop: int,
    learning_rate: float,
    loss_every: int,
    copies: Any = None,
) -> tuple[float, int, int]:
    """Train by a logistic loss for every label, on documents with any number of labels.

    Parameters and what is returned are as for `train`, but for:

    Parameters
    ----------
    input_vectors, output_vectors : IN/OUT
        As for `train`.
    inputs, input_offsets, order, start, stop, learning_rate, loss_every, copies : IN
        As for `train`.
    labels : IN, int32
        Rows of output_vectors, those of all documents one after the other, none twice in a document.
    label_offsets : IN, int64 (n_documents + 1,)
        Document t has labels[label_offsets[t]:label_offsets[t + 1]].
    """
    every = np.arange(len(output_vectors), dtype=np.int32)

    def step(rows: NDArray[np.int32], document: int, place: int) -> float:
        codes = np.ones(len(every), np.uint8)
        codes[labels[label_offsets[document] : label_offsets[document + 1]]] = 0
        return hierarchical_softmax.step(
            input_vectors, output_vectors, rows, every, codes, True, True, True, learning_rate
        )

    return visit(step, inputs, input_offsets, order, start, stop, loss_every)


def train_paths(
    input_vectors: Matrix,
    output_vectors: Matrix,
    inputs: NDArray[np.int32],
    input_offsets: NDArray[np.int64],
    labels: NDArray[np.int32],
    path_offsets: NDArray[np.int64],
    path_nodes: NDArray[np.int32],
    path_codes: NDArray[np.uint8],
    order: NDArray[np.int32],
    start: int,
    stop: int,
    learning_rate: float,
    loss_every: int,
    copies: Any = None,
) -> tuple[float, int, int]:
    """Train by the hierarchical softmax.

    Parameters
    ----------
    input_vectors : IN/OUT
        As for `train`.
    output_vectors : IN/OUT, float32 (n_nodes, stride)
        The vectors of the tree's inner nodes.
    inputs, input_offsets, labels, order, start, stop, learning_rate, loss_every, copies : IN
        As for `train`; labels are leaves.
    path_offsets, path_nodes, path_codes : IN
        The path from the root down to every label, as for `hierarchical_softmax.train`.
    """

    def step(rows: NDArray[np.int32], document: int, place: int) -> float:
        path = slice(*path_offsets[labels[document] :][:2])
        return hierarchical_softmax.step(
            input_vectors,
            output_vectors,
            rows,
            path_nodes[path],
            path_codes[path],
            True,
            True,
            True,
            learning_rate,
        )

    return visit(step, inputs, input_offsets, order, start, stop, loss_every)


def train_negatives(
    input_vectors: Matrix,
    output_vectors: Matrix,
    inputs: NDArray[np.int32],
    input_offsets: NDArray[np.int64],
    labels: NDArray[np.int32],
    noise: NDArray[np.uint32],
    negatives: int,
    order: NDArray[np.int32],
    start: int,
    stop: int,
    learning_rate: float,
    key: int,
    loss_every: int,
    copies: Any = None,
    label_rows: NDArray[np.int32] | None = None,
) -> tuple[float, int, int]:
    """Train by negative sampling.

    Parameters
    ----------
    input_vectors, output_vectors : IN/OUT
        As for `train`.
    inputs, input_offsets, labels, order, start, stop, learning_rate, loss_every, copies : IN
        As for `train`.
    noise : IN, uint32 (n_labels, 2)
        The alias table from which negatives are drawn, see `sampling.draw_noise`.
    negatives : IN, int
        How many are drawn for every document; those that are its label are left out.
    key : IN, int
        Where the random sequence starts; the document at place i owns the draws from i · negatives on.
    label_rows : IN, int32 (n_labels,), or None
        The rows of labels as the numbers by which `copies` knows them; label k has row k without them.
    """

    def step(rows: NDArray[np.int32], document: int, place: int) -> float:
        drawn = draw(key, np.arange(place * negatives, (place + 1) * negatives, dtype=np.uint64))
        return subword.step(
            input_vectors,
            output_vectors,
            rows,
            labels[document : document + 1],
            draw_noise(drawn, noise)[np.newaxis],
            len(rows),
            True,
            True,
            learning_rate,
        )

    return visit(step, inputs, input_offsets, order, start, stop, loss_every)


def visit(
    step: Callable[[NDArray[np.int32], int, int], float],
    inputs: NDArray[np.int32],
    input_offsets: NDArray[np.int64],
    order: NDArray[np.int32],
    start: int,
    stop: int,
    loss_every: int,
) -> tuple[float, int, int]:
    """Take a step for the documents at the places [start, stop) of an order; return what `train` does."""
    total, sampled, trained = 0.0, 0, 0
    for place in range(start, stop):
        document = int(order[place])
        rows = inputs[input_offsets[document] : input_offsets[document + 1]]
        if len(rows) == 0:
            continue
        loss = step(rows, document, place)
        trained += 1
        if place % loss_every == 0:
            total += loss
            sampled += 1
    return total, sampled, trained
