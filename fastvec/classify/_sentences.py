"""Validating sentences and their labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_item

__all__ = ["check_labels", "check_sentences", "split_like"]


def check_sentences(X: Any) -> list[list[str]]:
    """Return sentences as lists of str.

    Raises
    ------
    TypeError
        If X is a str, or contains something other than lists of words; the message names the sentence.
    ValueError
        If there are no words.
    """
    if isinstance(X, (str, bytes)) or not isinstance(X, Iterable):
        raise TypeError(f"X must be sentences, each a list of words, got {X!r}")
    sentences = [_words(sentence, number) for number, sentence in enumerate(X, 1)]
    if not any(sentences):
        raise ValueError(f"X must have at least one sentence with words, got {len(sentences)} without")
    return sentences


def check_labels(y: Any, sentences: Sequence[Sequence[str]]) -> NDArray[Any]:
    """Return the concatenated labels of the words of all sentences.

    Raises
    ------
    TypeError, ValueError
        If a sentence does not have a label for each word; the message names the sentence.
    """
    if isinstance(y, (str, bytes)) or not isinstance(y, Iterable):
        raise TypeError(f"y must be a list of labels for each sentence, got {y!r}")
    labels = list(y)
    if len(labels) != len(sentences):
        raise ValueError(f"y must have labels for the {len(sentences):,} sentences of X, got {len(labels):,}")
    for number, (sentence, of_words) in enumerate(zip(sentences, labels, strict=True), 1):
        if isinstance(of_words, (str, bytes)) or not hasattr(of_words, "__len__"):
            raise TypeError(
                f"y must have a list of labels for each sentence; for {number} it has {of_words!r}"
            )
        if len(of_words) != len(sentence):
            raise ValueError(
                f"y must have a label for each word: sentence {number} has {len(sentence)} words and "
                f"{len(of_words)} labels"
            )
    flat = [label for of_words in labels for label in of_words]
    for label in flat:
        if not isinstance(label, (str, bool, int, float, np.generic)) or label != label:
            raise ValueError(f"y must have a label for each word, a str or a number, got {label!r}")
    if len({isinstance(label, str) for label in flat}) > 1:
        raise ValueError("y must have labels of one kind, got str and numbers")
    return np.asarray(flat)


def split_like(values: NDArray[Any], sentences: Sequence[Sequence[str]]) -> list[NDArray[Any]]:
    """Return what belongs to the words of each sentence."""
    return np.split(values, np.cumsum([len(sentence) for sentence in sentences])[:-1])


def _words(sentence: Any, number: int) -> list[str]:
    if isinstance(sentence, (str, bytes)) or not isinstance(sentence, Iterable):
        raise TypeError(
            f"X must be sentences, each a list of words (pass sentence.split()); sentence {number} is "
            f"{sentence!r}"
        )
    return [
        word if type(word) is str else check_item(f"every word of sentence {number}", word)
        for word in sentence
    ]
