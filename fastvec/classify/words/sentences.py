"""Sentences: validated with their labels, and cut into windows of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_item, shortened
from fastvec.classify.networks.labels import as_array, check_values
from fastvec.corpus.sequences import check_sequences, check_words

__all__ = [
    "check_sentences",
    "labels_of_words",
    "sentence_numbers",
    "sentences_with_words",
    "split_like",
    "windows",
    "words_of",
]


def check_sentences(X: Any) -> list[list[str]]:
    """Return sentences as lists of str.

    Raises
    ------
    TypeError
        If X is not many sentences, or contains something other than lists of words; the message names the
        sentence.
    """
    check_sequences("X", "sentences, each a list of words", X)
    return [words_of(sentence, f"sentence {number}") for number, sentence in enumerate(X, 1)]


def sentences_with_words(X: Any) -> list[list[str]]:
    """Return what `check_sentences` returns, if any sentence has a word.

    Raises
    ------
    TypeError, ValueError
        If not.
    """
    sentences = check_sentences(X)
    if not any(sentences):
        raise ValueError(f"X must have at least one sentence with words, got {len(sentences)} without")
    return sentences


def labels_of_words(y: Any, sentences: Sequence[Sequence[str]]) -> NDArray[Any]:
    """Return the concatenated labels of the words of all sentences.

    Raises
    ------
    TypeError, ValueError
        If a sentence does not have a label for each word; the message names the sentence.
    """
    if not isinstance(y, np.ndarray):  # one of two dimensions is labels of sentences of the same length
        check_sequences("y", "a list of labels for each sentence", y)
    labels = list(y)
    if len(labels) != len(sentences):
        raise ValueError(f"y must have labels for the {len(sentences):,} sentences of X, got {len(labels):,}")
    places: list[tuple[int, int]] = []
    for number, (sentence, of_words) in enumerate(zip(sentences, labels, strict=True), 1):
        if isinstance(of_words, (str, bytes)) or not hasattr(of_words, "__len__"):
            raise TypeError(
                f"y must have a list of labels for each sentence; for {number} it has {shortened(of_words)}"
            )
        check_words(f"what y has for sentence {number}", of_words, "a list of labels")
        if len(of_words) != len(sentence):
            raise ValueError(
                f"y must have a label for each word: sentence {number} has {len(sentence)} words and "
                f"{len(of_words)} labels"
            )
        places += [(number, word) for word in range(1, len(sentence) + 1)]
    flat = [label for of_words in labels for label in of_words]
    check_values("y", flat, "a label for each word", lambda i: "sentence {}, word {}".format(*places[i]))
    return as_array("y", flat)


def split_like(values: NDArray[Any], sentences: Sequence[Sequence[str]]) -> list[NDArray[Any]]:
    """Return what belongs to the words of each sentence."""
    ends = np.cumsum([len(sentence) for sentence in sentences], dtype=np.intp)
    return [values[end - len(sentence) : end] for end, sentence in zip(ends, sentences, strict=True)]


def windows(ids: NDArray[np.int32], lengths: Sequence[int], window: int, padding: int) -> NDArray[np.int32]:
    """Return the ids of every word and its neighbours, those beyond the ends of a sentence being `padding`.

    Parameters
    ----------
    ids : int32 array, shape (n,)
        The words of all sentences.
    lengths : sequence of int
        How many words each sentence has, n together.
    window : int
        w, the words to either side.
    padding : int
        What stands beyond the ends.

    Returns
    -------
    int32 array, shape (n, 2w + 1)
        The word itself is in column w.
    """
    n = len(ids)
    # Between two sentences there is room for w words of padding, which serve both.
    places = np.arange(n) + window * (sentence_numbers(lengths) + 1)
    padded = np.full(n + window * (len(lengths) + 1), padding, np.int32)
    padded[places] = ids
    found: NDArray[np.int32] = padded[places[:, np.newaxis] + np.arange(-window, window + 1)]
    return found


def sentence_numbers(lengths: Sequence[int]) -> NDArray[np.intp]:
    """Return for every word the number of its sentence."""
    return np.repeat(np.arange(len(lengths)), lengths)


def words_of(value: Any, place: str, rule: str = "a list of words") -> list[str]:
    """Return what is at some place of X as a list of str.

    Raises
    ------
    TypeError
        If it is something other than a sequence of words.
    """
    return [
        word if type(word) is str else check_item(f"every word of {place}", word)
        for word in check_words(f"{place} of X", value, rule)
    ]
