"""Documents: validated with their labels, as word numbers, and as rows of words and n-grams in a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastvec._params import shortened
from fastvec.classify.labelled_files import WORDS
from fastvec.classify.networks.labels import check_labels
from fastvec.classify.words.lexicon import UNKNOWN, Lexicon
from fastvec.classify.words.sentences import words_of
from fastvec.corpus.sequences import check_sequences
from fastvec.formats.ngrams import row_means
from fastvec.training.progress import warn
from fastvec.vectors import Vectors

__all__ = [
    "DocumentRows",
    "Documents",
    "means_of_rows",
    "ngram_buckets",
    "read_documents",
    "read_labelled",
    "warn_of_empty",
]

WHITE_SPACE = re.compile(r"\s")
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
        if isinstance(document, str):
            words = WORDS.findall(document)
        else:
            words = words_of(document, f"document {place}", "a str or a list of words")
        numbers.extend([index.setdefault(word, len(index)) for word in words])
        ends.append(len(numbers))
    return Documents(list(index), np.array(numbers, np.int64), np.array(ends, np.int64))


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


class DocumentRows:
    """The rows of a document: of its words, by a lexicon, and of its n-grams, by their buckets.

    Parameters
    ----------
    lexicon : Lexicon
        Rows of words.
    ngrams : int64 array
        The buckets that have rows, in rising order; these follow those of words.
    longest : int
        The longest n-grams of words.
    buckets : int
        How many there are.
    """

    def __init__(self, lexicon: Lexicon, ngrams: NDArray[np.int64], longest: int, buckets: int) -> None:
        self.lexicon = lexicon
        self.ngrams = ngrams
        self.longest = longest
        self.buckets = buckets

    @classmethod
    def of(
        cls, documents: Documents, vectors: Vectors | None, min_count: int, longest: int, buckets: int
    ) -> DocumentRows:
        """Assign rows to the words of some vectors, and to the words and n-grams of documents."""
        known = Lexicon([] if vectors is None else vectors.words)
        counts = np.bincount(documents.numbers, minlength=len(documents.words)).tolist()
        frequent = [word for word, n in zip(documents.words, counts, strict=True) if n >= min_count]
        if vectors is not None:
            frequent = [word for word in frequent if known.row(word) == UNKNOWN]
        lexicon = Lexicon([*known.words, *frequent])
        return cls(lexicon, np.unique(ngram_buckets(documents, longest, buckets)[0]), longest, buckets)

    def __len__(self) -> int:
        return len(self.lexicon) + len(self.ngrams)

    def look_up(self, documents: Documents) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the rows of all documents end to end, and where each document's begin."""
        of_words = self.lexicon.rows(documents.words)
        words = documents.only(of_words[documents.numbers] != UNKNOWN)
        buckets, owners = ngram_buckets(documents, self.longest, self.buckets)
        places = np.searchsorted(self.ngrams, buckets)
        seen = np.append(self.ngrams, -1)[places] == buckets
        rows = np.concatenate((of_words[words.numbers], len(self.lexicon) + places[seen]))
        owners = np.concatenate((words.owners(), owners[seen]))
        order = np.argsort(owners, kind="stable")
        offsets = np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=len(documents)))))
        return rows[order].astype(np.int32), offsets.astype(np.int64)


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


def _hash(word: str) -> int:
    digest = blake2b(word.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")
