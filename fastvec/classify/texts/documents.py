"""Validating documents, and representing them by word numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastvec._params import check_item, shortened
from fastvec.classify.labelled_files import WORDS
from fastvec.classify.networks.labels import check_labels
from fastvec.corpus.sequences import check_sequences, check_words
from fastvec.training.progress import warn

__all__ = ["Documents", "read_documents", "read_labelled", "warn_of_empty"]

WHITE_SPACE = re.compile(r"\s")


@dataclass(frozen=True)
class Documents:
    """Documents as numbers of their different words.

    Attributes
    ----------
    words : list of str
        The different words of all documents, in the order of first appearance.
    numbers : int64 array, shape (n_tokens,)
        Which of these each token is, one document after the other.
    offsets : int64 array, shape (n_documents + 1,)
        Document t has numbers[offsets[t]:offsets[t + 1]].
    """

    words: list[str]
    numbers: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def owners(self) -> NDArray[np.int64]:
        """Return the document of every token."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def only(self, kept: NDArray[np.bool_]) -> Documents:
        """Return the documents without the tokens that are not kept."""
        offsets = np.concatenate(([0], np.cumsum(kept)))[self.offsets]
        return Documents(self.words, self.numbers[kept], offsets)


def read_documents(X: Any) -> Documents:
    """Return validated documents: a str is split on ASCII white space, a list of words is used as it is.

    Raises
    ------
    TypeError
        If X is not many documents, or a document is neither a str nor a list of words; the message names the
        document.
    """
    check_sequences("X", "documents, each a str or a list of words", X)
    index: dict[str, int] = {}
    numbers: list[int] = []
    ends = [0]
    for place, document in enumerate(X):
        words = WORDS.findall(document) if isinstance(document, str) else _words(document, place)
        numbers.extend([index.setdefault(word, len(index)) for word in words])
        ends.append(len(numbers))
    return Documents(list(index), np.array(numbers, np.int64), np.array(ends, np.int64))


def _words(document: Any, place: int) -> Sequence[str]:
    return [
        word if type(word) is str else check_item(f"every word of document {place}", word)
        for word in check_words(f"document {place} of X", document, "a str or a list of words")
    ]


def read_labelled(X: Any, y: ArrayLike) -> tuple[Documents, NDArray[Any]]:
    """Return documents, as `read_documents` does, and a label for each.

    Raises
    ------
    TypeError, ValueError
        If the documents or labels are invalid, or there is not one label for each of one or more documents.
    """
    documents, labels = read_documents(X), check_labels("y", y)
    if not len(documents):
        raise ValueError("X must have at least one document, got none")
    if (np.diff(documents.offsets) == 1).all() and all(map(WHITE_SPACE.search, documents.words)):
        raise ValueError(
            "X must be documents, each a str or a list of words, got only lists of one str with white space, "
            f"as {shortened(documents.words[:1])}: pass the str itself, or its words"
        )
    if len(labels) != len(documents):
        raise ValueError(
            f"y must have a label for each of the {len(documents):,} documents, got {len(labels):,}"
        )
    return documents, labels


def warn_of_empty(n_empty: int, n: int, what: str) -> None:
    """Warn of documents without a known word."""
    warn(f"{n_empty:,} of {n:,} documents have no known word: {what}")
