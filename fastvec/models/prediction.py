"""What models of words predict: a word from the words around it, and how likely sentences are.

With the vectors x of contexts and their mean h (or their sum, if a model was trained so), the scores of all
words w are h · y_w, and their probabilities those of the softmax, p(w) = exp(h · y_w) / Σ_v exp(h · y_v). For
skip-gram, whose contexts predict a word one by one, that is the geometric mean of their predictions, up to a
factor. With the hierarchical softmax, probabilities are the products of those of the branches on the paths to
the words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_item
from fastvec.models.base import State

__all__ = ["log_likelihoods", "log_probabilities", "pooled_context"]

Array = NDArray[np.float64]

# Words whose rows are kept: with those of their n-grams, a large vocabulary has many times the matrix.
WORDS_KEPT = 1 << 12


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


def log_likelihoods(
    state: State,
    sentences: Iterable[NDArray[np.int32]],
    rows_of: Callable[[int], NDArray[np.float32]],
    *,
    cbow: bool,
    mean: bool,
    centre_predicts: bool,
) -> Array:
    """Return the sums of the logarithms of the probabilities that windows give to sentences.

    Every window is of the full size. For CBOW the contexts together predict each word. For skip-gram one of a
    word and each of its contexts predicts the other, as in training.

    Parameters
    ----------
    state : State
        What the model has learned.
    sentences : iterable of int32 arrays
        The words of each sentence that it knows.
    rows_of : callable
        Returns the rows that a word is as an input, shape (n, d); one for skip-gram.
    cbow : bool
        Whether the model is CBOW.
    mean : bool
        Whether the mean of the rows of contexts predicts, or their sum.
    centre_predicts : bool
        Whether in skip-gram the word predicts its contexts, or they it.

    Returns
    -------
    float64 array, shape (n_sentences,)
    """
    paths = None if state.tree is None else state.tree.paths()
    outputs = state.parameters["output_vectors" if paths is None else "node_vectors"].astype(np.float64)
    rows_of = lru_cache(WORDS_KEPT)(rows_of)

    def of_targets(hidden: Array, targets: list[int]) -> float:
        if paths is None:
            return float(log_softmax(hidden @ outputs.T)[:, targets].sum())
        total = 0.0
        for target in targets:
            path = slice(paths.offsets[target], paths.offsets[target + 1])
            scores = hidden @ outputs[paths.nodes[path]].T
            total += float(log_sigmoid((1.0 - 2.0 * paths.codes[path]) * scores).sum())
        return total

    def of_word(word: int, contexts: list[int]) -> float:
        inputs = [word] if centre_predicts and not cbow else contexts
        rows = np.concatenate([rows_of(one) for one in inputs]).astype(np.float64)
        if cbow:
            rows = pool(rows, mean)[np.newaxis]
        return of_targets(rows, contexts if centre_predicts and not cbow else [word])

    totals = []
    for ids in sentences:
        words, total = ids.tolist(), 0.0
        window = len(words) if state.given["window"] is None else state.given["window"]
        for i, word in enumerate(words):
            contexts = words[max(0, i - window) : i] + words[i + 1 : i + 1 + window]
            if contexts:
                total += of_word(word, contexts)
        totals.append(total)
    return np.array(totals, np.float64)


def pool(rows: Array, mean: bool) -> Array:
    """Return the mean or the sum of rows."""
    result: Array = rows.mean(axis=0) if mean else rows.sum(axis=0)
    return result


def pooled_context(
    context: list[Any],
    window: int,
    vector_of: Any,
    position_weights: NDArray[np.float32] | None,
    mean: bool,
) -> Array:
    """Return the mean, or the sum, of the vectors of a context.

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
    mean : bool
        Whether the mean, or the sum.

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
    return pool(np.concatenate([rows for _, rows in known]).astype(np.float64), mean)
