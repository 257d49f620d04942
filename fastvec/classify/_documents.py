"""Documents as people give them, as rows of a table, and the n-grams of their words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_item
from fastvec._subwords import row_means

__all__ = ["Documents", "means_of_rows", "ngram_buckets", "read_documents"]

# Odd, with bits all over: the increment of SplitMix64.
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


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
    """Return what documents hold: a str is split at white space, a list of words is taken as it is.

    Raises
    ------
    TypeError
        When X is a str, or a document is neither a str nor a list of words, naming the document.
    ValueError
        When there are no documents.
    """
    if isinstance(X, (str, bytes)) or not isinstance(X, Iterable):
        raise TypeError(f"X must be documents, each a str or a list of words, got {X!r}")
    index: dict[str, int] = {}
    numbers: list[int] = []
    ends = [0]
    for place, document in enumerate(X):
        words = document.split() if isinstance(document, str) else _words(document, place)
        numbers.extend([index.setdefault(word, len(index)) for word in words])
        ends.append(len(numbers))
    if len(ends) == 1:
        raise ValueError("X must have a document, got none")
    return Documents(list(index), np.array(numbers, np.int64), np.array(ends, np.int64))


def ngram_buckets(
    documents: Documents, longest: int, buckets: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the buckets of all n-grams of 2 to `longest` words, and the document of each.

    A word's number is a hash of its letters, that of an n-gram w_1..w_n is h_n = h_{n−1} · M + w_n modulo
    2⁶⁴ with h_1 = w_1, and its bucket the remainder of its upper half by `buckets`: the same on every
    machine.
    """
    word_hashes = np.array([_hash(word) for word in documents.words], np.uint64)
    tokens, owners = word_hashes[documents.numbers], documents.owners()
    found, found_owners = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    hashes = tokens
    for n in range(2, longest + 1):
        hashes = hashes[:-1] * MULTIPLIER + tokens[n - 1 :]  # empty where there are fewer tokens
        inside = owners[: len(hashes)] == owners[n - 1 :]
        found.append(((hashes[inside] >> np.uint64(32)) % np.uint64(buckets)).astype(np.int64))
        found_owners.append(owners[n - 1 :][inside])
    return np.concatenate(found), np.concatenate(found_owners)


def means_of_rows(
    table: NDArray[np.float32], rows: NDArray[np.int32], offsets: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the mean of the rows of each document, zeros for one that has none."""
    some = np.diff(offsets) > 0
    means = np.zeros((len(some), table.shape[1]), np.float32)
    means[some] = row_means(table, np.append(offsets[:-1][some], offsets[-1]), rows)
    return means


def _words(document: Any, place: int) -> Sequence[str]:
    if isinstance(document, (bytes, float, int)) or not isinstance(document, Iterable):
        raise TypeError(
            f"X must be documents, each a str or a list of words; document {place} is {document!r}"
        )
    return [
        word if type(word) is str else check_item(f"every word of document {place}", word)
        for word in document
    ]


def _hash(word: str) -> int:
    digest = blake2b(word.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")
