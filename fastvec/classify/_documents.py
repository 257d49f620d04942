"""Validating documents, and representing them by word numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import column_or_1d

from fastvec._params import check_item
from fastvec._progress import warn
from fastvec.classify._labelled_files import WORDS

__all__ = ["Documents", "read_documents", "read_labelled", "warn_of_empty"]


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
        If X is a str, or a document is neither a str nor a list of words; the message names the document.
    ValueError
        If there are no documents.
    """
    if isinstance(X, (str, bytes)) or not isinstance(X, Iterable):
        raise TypeError(f"X must be documents, each a str or a list of words, got {X!r}")
    index: dict[str, int] = {}
    numbers: list[int] = []
    ends = [0]
    for place, document in enumerate(X):
        words = WORDS.findall(document) if isinstance(document, str) else _words(document, place)
        numbers.extend([index.setdefault(word, len(index)) for word in words])
        ends.append(len(numbers))
    if len(ends) == 1:
        raise ValueError("X must have at least one document, got none")
    return Documents(list(index), np.array(numbers, np.int64), np.array(ends, np.int64))


def _words(document: Any, place: int) -> Sequence[str]:
    if isinstance(document, (bytes, float, int)) or not isinstance(document, Iterable):
        raise TypeError(
            f"X must be documents, each a str or a list of words; document {place} is {document!r}"
        )
    return [
        word if type(word) is str else check_item(f"every word of document {place}", word)
        for word in document
    ]


def read_labelled(X: Any, y: ArrayLike) -> tuple[Documents, NDArray[Any]]:
    """Return documents, as `read_documents` does, and a label for each.

    Raises
    ------
    TypeError, ValueError
        If the documents are invalid, or there is not a label for each.
    """
    documents, labels = read_documents(X), column_or_1d(y)
    if any(label is None or label != label for label in labels.tolist()):
        raise ValueError("y must have a label for each document, got None or NaN among them")
    if len(labels) != len(documents):
        raise ValueError(
            f"y must have a label for each of the {len(documents):,} documents, got {len(labels):,}"
        )
    return documents, labels


def warn_of_empty(n_empty: int, n: int, what: str, stacklevel: int) -> None:
    """Warn of documents without a known word; `stacklevel` is that of `warnings.warn`."""
    warn(f"{n_empty:,} of {n:,} documents have no known word: {what}", stacklevel=stacklevel)
