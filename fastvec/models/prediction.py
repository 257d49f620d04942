"""What models of words predict: a word from the words around it, and how likely sentences are.

With the vectors x of contexts and their mean h, the scores of all words w are h · y_w, and their
probabilities those of the softmax, p(w) = exp(h · y_w) / Σ_v exp(h · y_v). For skip-gram, whose contexts
predict a word one by one, that is the geometric mean of their predictions, up to a factor. With the
hierarchical softmax, probabilities are the products of those of the branches on the paths to the words.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_item
from fastvec.models.base import State

__all__ = ["log_likelihoods", "log_probabilities", "mean_context"]

Array = NDArray[np.float64]


def log_sigmoid(z: Array) -> Array:
    """Return log σ(z)."""
    return -np.logaddexp(0, -z)


def log_softmax(scores: Array) -> Array:
    """Return the logarithms of the softmax of each row."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def log_probabilities(state: State, hidden: Array) -> Array:
    """Return the logarithms of the probabilities of all words, of a row of shape (d,)."""
    if state.tree is None:
        return log_softmax(state.parameters["output_vectors"] @ hidden)
    scores = state.parameters["node_vectors"] @ hidden
    offsets, nodes, codes = state.tree.paths()
    result: Array = np.add.reduceat(log_sigmoid((1.0 - 2.0 * codes) * scores[nodes]), offsets[:-1])
    return result


def log_likelihoods(state: State, sentences: Iterable[NDArray[np.int32]], cbow: bool) -> Array:
    """Return the sums of the logarithms of the probabilities that windows give to sentences.

    Every window is of the full size. For CBOW the mean of the contexts predicts each word. For skip-gram one
    of a word and each of its contexts predicts the other, as in training: with a tree the context the word,
    else the word the context.

    Parameters
    ----------
    state : State
        What the model has learned.
    sentences : iterable of int32 arrays
        The words of each sentence that it knows.
    cbow : bool
        Whether the model is CBOW.

    Returns
    -------
    float64 array, shape (n_sentences,)
    """
    inputs, window = state.parameters["input_vectors"], state.given["window"]
    paths = None if state.tree is None else state.tree.paths()
    outputs = state.parameters["output_vectors" if paths is None else "node_vectors"].astype(np.float64)

    def of_word(word: int, contexts: NDArray[np.int32]) -> float:
        x = inputs[contexts].astype(np.float64)
        x = x.mean(axis=0, keepdims=True) if cbow else x
        if paths is not None:
            path = slice(paths.offsets[word], paths.offsets[word + 1])
            scores = x @ outputs[paths.nodes[path]].T
            return float(log_sigmoid((1.0 - 2.0 * paths.codes[path]) * scores).sum())
        if cbow:
            return float(log_softmax(outputs @ x[0])[word])
        return float(log_softmax(outputs @ inputs[word].astype(np.float64))[contexts].sum())

    totals = []
    for ids in sentences:
        total = 0.0
        for i, word in enumerate(ids.tolist()):
            contexts = np.concatenate((ids[max(0, i - window) : i], ids[i + 1 : i + 1 + window]))
            if len(contexts):
                total += of_word(word, contexts)
        totals.append(total)
    return np.array(totals, np.float64)


def mean_context(
    context: list[Any], window: int, vector_of: Any, position_weights: NDArray[np.float32] | None
) -> Array:
    """Return the mean of the vectors of a context.

    Parameters
    ----------
    context : list of words and None
        The words, with None in the place of the one to be predicted, perhaps.
    window : int
        Largest distance.
    vector_of : callable
        Returns the vectors of a word, shape (n, d), with n = 0 if it is unknown.
    position_weights : float32 array, shape (2 * window, d), or None
        The weights of places, for which None must be in the context.

    Raises
    ------
    TypeError, ValueError
        If something in it is no word, or no word of it is known.
    """
    place = context.index(None) if None in context else None
    if place is None and position_weights is not None:
        raise ValueError(
            "context must have None in the place of the word to predict, with position_weights, got "
            f"{context!r}"
        )
    before = [(i, vector_of(check_item("context", word))) for i, word in enumerate(context) if i != place]
    known = [(i, rows) for i, rows in before if len(rows)]
    if position_weights is not None and place is not None:
        n_before = sum(i < place for i, _ in known)
        known = known[max(0, n_before - window) : n_before + window]
        n_before = min(n_before, window)
        weights = position_weights[window - n_before :]
        known = [(i, rows * weight) for (i, rows), weight in zip(known, weights, strict=False)]
    if not known:
        raise ValueError(f"context must have a word that the model knows, got {context!r}")
    mean: Array = np.concatenate([rows for _, rows in known]).astype(np.float64).mean(axis=0)
    return mean
