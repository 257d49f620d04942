"""Classes of documents: softmax regression on the mean of a document's rows, and these rows trained along.

Objective. A document has n input rows x_i, those of its words and of their n-grams, and one label t among K.
With the output vectors y_1..y_K, minimize for every document

    J = −log p_t        with    p_k = exp(h · y_k) / Σ_l exp(h · y_l),    h = (1/n) Σ_i x_i

Gradient. With δ_k = p_k − [k = t] and e = ∂J/∂h = Σ_k δ_k y_k,

    ∂J/∂y_k = δ_k h        ∂J/∂x_i = (1/n) e, once for every time x_i is in the document

Update. Every row moves by −η times its gradient, every right-hand side from before the update, one document
after the other. It is the step of ``softmax.py`` with a document for a window of CBOW and the labels for the
words, and checked there.

Compromises, and where they come from:

- n-grams of words share rows, as their hashes say (Joulin, Grave, Bojanowski and Mikolov 2017).

Reference: Joulin, Grave, Bojanowski and Mikolov 2017, "Bag of tricks for efficient text classification",
arXiv:1607.01759 (fastText's supervised mode).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .softmax import step

__all__ = ["train"]

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

    Returns
    -------
    loss : float
        Sum of J over the sampled documents, in double precision.
    sampled, trained : int
        Documents in that sum, and trained on in all.
    """
    total, sampled, trained = 0.0, 0, 0
    one = np.array([0, 1])
    for place in range(start, stop):
        document = order[place]
        rows = inputs[input_offsets[document] : input_offsets[document + 1]]
        if len(rows) == 0:
            continue
        target, offsets = labels[document : document + 1], np.array([0, len(rows)])
        loss = step(input_vectors, output_vectors, rows, offsets, target, one, True, learning_rate)
        trained += 1
        if place % loss_every == 0:
            total += loss
            sampled += 1
    return total, sampled, trained
