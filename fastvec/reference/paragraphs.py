"""Paragraph vectors with negative sampling: documents that predict their words, PV-DM and PV-DBOW.

Objective. For a centre word o of a document with the vectors d_t of its tags t = 1..T, contexts c = 1..C
(input vectors x_c), and K noise words (negatives), with y₀ the output vector of the centre and y₁..y_K those
of the negatives, minimize

    h = (Σ_t d_t + Σ_c x_c) / (T + C)        J = −log σ(h · y₀) − Σ_{k=1..K} log σ(−h · y_k)

In the distributed memory model (PV-DM) the contexts are the words of a window around the centre, as in CBOW.
The distributed bag of words (PV-DBOW) has none and takes the tags one by one: C = 0, T = 1 and h = d_t. Most
documents have one tag, which is their own.

Gradient. With the labels t₀ = 1, t_k = 0, the errors δₙ = σ(h · yₙ) − tₙ and e = ∂J/∂h = Σₙ δₙ yₙ,

    ∂J/∂d_t = ∂J/∂x_c = e / (T + C)        ∂J/∂yₙ = δₙ h

Update. Every parameter moves by −η times its gradient, every right-hand side from before the update. A word
that occurs twice among the contexts or the negatives counts twice; a negative that is the centre is left out.
The steps of a word's tags in PV-DBOW and of the words after it follow each other.

A new document. Its vector starts from zero and is the only one to move, by −η ∂J/∂d, for some epochs over its
words with a falling η. Its words' draws are those of their places in the document, so that the vector depends
on the document alone, and not on others beside it.

Compromises, and where they come from:

- The mean and its exact gradient, where Le and Mikolov (2014) concatenate the vectors of a document and of a
  window of fixed length: so gensim by default, but for the divisor, which it leaves out of the gradient.
- `SHARING` words in a row, of the text or of a new document, have the same negatives, as all words of a
  window in skip-gram. Those of a document are one step, by the sum of their J, each with the contexts of its
  own, which reads and writes the rows of the negatives once, and in PV-DBOW that of the document.

References
----------
- Q. Le and T. Mikolov, "Distributed representations of sentences and documents", ICML 2014, arXiv:1405.4053.
- T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed representations of words and phrases
  and their compositionality", NIPS 2013, arXiv:1310.4546: negative sampling.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .losses import logistic
from .sampling import GOLDEN, draw, draw_noise, walk_chunk
from .step import label_outputs

__all__ = ["infer", "step", "train"]

# Words in a row that have the same negatives, by their positions, whether they are kept or not.
SHARING = 4

Matrix = NDArray[np.float32]
Windows = tuple[NDArray[np.int32], NDArray[np.int64]]


def step(
    input_vectors: Matrix | None,
    output_vectors: Matrix,
    document_vectors: Matrix,
    contexts: NDArray[np.int32],
    context_offsets: NDArray[np.int64],
    documents: NDArray[np.int32],
    centers: NDArray[np.int32],
    negatives: NDArray[np.int32],
    fixed_words: bool,
    learning_rate: float,
) -> float:
    """Take one gradient step for a word, or for some that share their negatives: by the sum of their J.

    Parameters
    ----------
    input_vectors : IN/OUT, float32 (n_words, stride), or None
        The vectors of contexts, rows padded with zeros to a multiple of 16; None if there are no contexts.
    output_vectors : IN/OUT, float32 (n_words, stride)
        The words' output vectors, padded alike.
    document_vectors : IN/OUT, float32 (n_documents, stride)
        The vectors of documents, padded alike.
    contexts : IN, int32 (n_contexts,)
        The word ids of the contexts of all centres, one centre after the other, repetitions allowed.
    context_offsets : IN, int64 (B + 1,)
        Where those of each centre begin and end.
    documents : IN, int32 (T,)
        Rows of document_vectors, T >= 1, all different.
    centers : IN, int32 (B,)
        Word ids, B >= 1, repetitions allowed.
    negatives : IN, int32 (K,)
        Word ids, K >= 0, repetitions and centres allowed.
    fixed_words : IN, bool
        Whether the documents alone move.
    learning_rate : IN, float
        η; with 0 nothing changes.

    Returns
    -------
    float
        J before the update.
    """
    own = [document_vectors[documents]] * len(centers)
    if input_vectors is not None:
        windows = np.split(input_vectors[contexts], context_offsets[1:-1])
        own = [np.concatenate(both) for both in zip(own, windows, strict=True)]
    h = np.stack([np.mean(inputs, axis=0) for inputs in own])
    outputs, labels, counts = label_outputs(centers, np.tile(negatives, (len(centers), 1)))
    y = output_vectors[outputs]
    errors, costs = logistic(np.einsum("bnd,bd->bn", y, h), labels, counts)
    rate = np.float32(learning_rate)
    moves = (
        rate * np.einsum("bn,bnd->bd", errors, y) / np.array([[len(inputs)] for inputs in own], np.float32)
    )
    document_vectors[documents] -= np.sum(moves, axis=0)
    if not fixed_words:
        # .at: an id that is repeated takes the sum
        if input_vectors is not None:
            np.subtract.at(input_vectors, contexts, np.repeat(moves, np.diff(context_offsets), axis=0))
        np.subtract.at(output_vectors, outputs, rate * errors[..., np.newaxis] * h[:, np.newaxis])
    return float(np.sum(costs))


def train(
    input_vectors: Matrix | None,
    output_vectors: Matrix,
    document_vectors: Matrix,
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    tags: NDArray[np.int32],
    tag_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    window: int,
    negatives: int,
    learning_rate: float,
    key: int,
    loss_every: int,
) -> tuple[float, int, int]:
    """Train on the words at positions [start, stop) of the corpus.

    Parameters
    ----------
    input_vectors : IN/OUT, float32 (n_words, stride), or None
        The vectors of contexts, rows padded with zeros to a multiple of 16; None for PV-DBOW.
    output_vectors : IN/OUT, float32 (n_words, stride)
        The words' output vectors, padded alike.
    document_vectors : IN/OUT, float32 (n_documents, stride)
        The vectors of documents, padded alike.
    ids, sentence_offsets, start, stop, keep, window, key : IN
        The chunk of the corpus, its windows and its random sequence, see `sampling.walk_chunk`; without
        input_vectors the window is not used. A sentence is a document.
    tags : IN, int32 (n_tags,)
        The rows of document_vectors of all documents, one after the other.
    tag_offsets : IN, int64 (n_sentences + 1,)
        Where those of each document begin and end.
    noise : IN, uint32 (n_words, 2)
        Alias table of the negatives: (threshold, alias).
    negatives : IN, int
        K.
    learning_rate : IN, float
        η.
    loss_every : IN, int, a power of 2
        The loss is taken of the words that share their negatives for one of so many such groups.

    Returns
    -------
    loss : float
        Sum of J over the sampled words, in double precision.
    sampled_pairs, pairs : int
        Words in that sum, and in all, each as often as its tags take a step.
    """
    total, sampled_pairs, pairs = 0.0, 0, 0
    matrices = input_vectors, output_vectors, document_vectors
    reach = None if input_vectors is None else window
    examples = _examples(ids, sentence_offsets, start, stop, 0, keep, noise, reach, negatives, key)
    for position, sentence, windows, centers, drawn in examples:
        together = tags[tag_offsets[sentence] : tag_offsets[sentence + 1]]
        for documents in [together] if input_vectors is not None else np.split(together, len(together)):
            loss = step(*matrices, *windows, documents, centers, drawn, False, learning_rate)
            pairs += len(centers)
            if position // SHARING % loss_every == 0:
                total += loss
                sampled_pairs += len(centers)
    return total, sampled_pairs, pairs


def infer(
    input_vectors: Matrix | None,
    output_vectors: Matrix,
    document_vectors: Matrix,
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    window: int,
    negatives: int,
    epochs: int,
    learning_rate: float,
    min_learning_rate: float,
    key: int,
) -> None:
    """Learn the vectors of the documents [start, stop) while all words stay as they are.

    Parameters
    ----------
    input_vectors, output_vectors : IN, float32 (n_words, stride)
        As for `train`; they do not change.
    document_vectors : IN/OUT, float32 (n_sentences, stride)
        The vectors of the documents, from where they start.
    ids, sentence_offsets, keep, noise, window, negatives : IN
        As for `train`.
    start, stop : IN, int
        Which documents.
    epochs : IN, int
        How often each is visited.
    learning_rate, min_learning_rate : IN, float
        η of the first epoch, and towards which it falls linearly.
    key : IN, uint64
        Where the keys of the epochs come from: number `epoch` of this sequence.
    """
    matrices = input_vectors, output_vectors, document_vectors
    reach = None if input_vectors is None else window
    for epoch in range(epochs):
        rate = learning_rate + (min_learning_rate - learning_rate) * (epoch / epochs)
        for document in range(start, stop):
            begin, end = (int(place) for place in sentence_offsets[document : document + 2])
            # the first word of the document takes the draws of the first word of a corpus
            key_of_epoch = (int(draw(key, epoch)) - begin * (1 + negatives) * int(GOLDEN)) % 2**64
            examples = _examples(
                ids, sentence_offsets, begin, end, begin, keep, noise, reach, negatives, key_of_epoch
            )
            for _, _, windows, centers, drawn in examples:
                step(*matrices, *windows, np.array([document]), centers, drawn, True, rate)


def _examples(
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    origin: int,
    keep: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    window: int | None,
    negatives: int,
    key: int,
) -> Iterator[tuple[int, int, Windows, NDArray[np.int32], NDArray[np.int32]]]:
    """Yield each step's first position, its sentence, contexts with their offsets, words and negatives.

    Words that share their negatives are counted from the origin, and those of a sentence are one step.
    Without a window there are no contexts.
    """
    draws_per_token = 1 + negatives
    steps: list[tuple[int, int, int, list[NDArray[np.int32]], list[int]]] = []
    for position, center, contexts, _ in walk_chunk(
        ids, sentence_offsets, start, stop, keep, window or 0, window is not None, key, draws_per_token
    ):
        sentence = int(np.searchsorted(sentence_offsets, position, side="right")) - 1
        first = position - (position - origin) % SHARING
        if not steps or steps[-1][1:3] != (sentence, first):
            steps.append((position, sentence, first, [], []))
        steps[-1][3].append(contexts)
        steps[-1][4].append(center)
    for position, sentence, first, contexts_of, centers in steps:
        drawn = draw_noise(draw(key, first * draws_per_token + 1 + np.arange(negatives)), noise)
        windows = np.concatenate(contexts_of), np.cumsum([0, *map(len, contexts_of)])
        yield position, sentence, windows, np.array(centers, np.int32), drawn
