"""Documents: validated with their labels, as word numbers, and as rows of words and n-grams in a table."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import compress, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from fastvec import kernels
from fastvec._params import shortened
from fastvec.classify.labelled_files import LabelledLines
from fastvec.classify.networks.labels import as_array
from fastvec.classify.texts.labels import Labels, read_labels
from fastvec.classify.words.lexicon import FIRST_WORD, UNKNOWN, Lexicon
from fastvec.classify.words.sentences import words_of
from fastvec.corpus.sequences import check_sequences
from fastvec.formats.ngrams import row_means
from fastvec.training.progress import warn
from fastvec.vectors import Vectors

__all__ = [
    "HASHINGS",
    "DocumentRows",
    "Documents",
    "means_of_rows",
    "read_documents",
    "read_labelled",
    "warn_of_empty",
]

# Documents numbered at once: some hundred kilobytes of text, which fit in the processor's cache.
DOCUMENTS_AT_ONCE = 1024
WHITE_SPACE = re.compile(r"\s")
# The white space that ends a word, but for the space and the line feed between words and documents.
OTHER_SPACE = "\t\r\v\f"
# Stand in words that were given as such for white space and for nothing: bytes that are in no UTF-8.
HIDDEN = bytes.maketrans(b" \t\n\r\v\f", b"\xf8\xf9\xfa\xfb\xfc\xfd")
SHOWN = bytes.maketrans(b"\xf8\xf9\xfa\xfb\xfc\xfd", b" \t\n\r\v\f")
EMPTY_WORD = b"\xff"
# How the hash of an n-gram of words becomes a bucket, see reference/word_ngrams.py: as in fastText, and as in
# files of earlier versions.
HASHINGS: dict[str, dict[str, int]] = {
    "fasttext": {"multiplier": 116049371, "shift": 0},
    "blake2b": {"multiplier": 0x9E3779B97F4A7C15, "shift": 32},
}


@dataclass(frozen=True)
class Documents:
    """Documents as numbers of their different words.

    Attributes
    ----------
    words : list of str
        The different words of all documents, in the order of first appearance.
    numbers : int32 array, shape (n_tokens,)
        Which of these each token is, one document after the other.
    offsets : int64 array, shape (n_documents + 1,)
        Document t has numbers[offsets[t]:offsets[t + 1]].
    """

    words: list[str]
    numbers: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How often each of the words occurs."""
        return np.bincount(self.numbers, minlength=len(self.words))

    @cached_property
    def spelled(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The bytes of the words, end to end, and where each word's begin."""
        lines = np.frombuffer(_bytes_of("\n".join([*self.words, ""])), np.uint8)
        is_end = lines == ord("\n")
        if np.count_nonzero(is_end) == len(self.words):  # none of them is in a word
            ends = np.flatnonzero(is_end) - np.arange(len(self.words))
            return lines[~is_end], np.concatenate(([0], ends))
        spelled = [_bytes_of(word) for word in self.words]
        offsets = np.cumsum([0, *map(len, spelled)], dtype=np.int64)
        return np.frombuffer(b"".join(spelled), np.uint8), offsets

    @cached_property
    def _buckets(self) -> dict[tuple[int, int, int], tuple[NDArray[np.int64], NDArray[np.int32]]]:
        return {}

    def ngrams(self, min_n: int, max_n: int, buckets: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return where the n-grams of characters of each word begin, and their buckets; both are kept."""
        key = min_n, max_n, buckets
        if key not in self._buckets:
            self._buckets.clear()
            self._buckets[key] = kernels.ngrams.ngram_buckets(*self.spelled, *key)
        return self._buckets[key]

    def hashes(self, hashing: str) -> NDArray[np.uint64]:
        """Return hashes of the words' letters, the same on every machine."""
        if hashing == "fasttext":
            hashes: NDArray[np.uint64] = kernels.word_ngrams.hash_words(*self.spelled)
            return hashes
        digests = [blake2b(_bytes_of(word), digest_size=8).digest() for word in self.words]
        return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)

    def ending_with(self, word: str) -> Documents:
        """Return the documents with one word more at the end of each."""
        known = word in self.words
        words = self.words if known else [*self.words, word]
        numbers = np.insert(self.numbers, self.offsets[1:], np.int32(words.index(word)))
        return Documents(words, numbers, self.offsets + np.arange(len(self.offsets)))

    def some(self, chosen: NDArray[np.intp]) -> Documents:
        """Return some of the documents, with the words that they have."""
        sizes = np.diff(self.offsets)[chosen]
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        tokens = np.arange(offsets[-1]) + np.repeat(self.offsets[chosen] - offsets[:-1], sizes)
        used, numbers = np.unique(self.numbers[tokens], return_inverse=True)
        words = [self.words[number] for number in used.tolist()]
        return Documents(words, numbers.astype(np.int32), offsets)

    def with_labels(self, before: Labels, left: Labels) -> tuple[Documents, Labels]:
        """Return the documents that still have a label where only some labels are left, and these."""
        lost = (np.diff(before.offsets) > 0) & (np.diff(left.offsets) == 0)
        if not lost.any():
            return self, left
        kept = np.flatnonzero(~lost)
        return self.some(kept), left.some(kept)

    def document_counts(self) -> NDArray[np.int64]:
        """Return how many documents have each of the words."""
        shape = len(self), len(self.words)
        times = csr_array((np.ones(len(self.numbers), np.int32), self.numbers.copy(), self.offsets), shape)
        times.sum_duplicates()
        return np.bincount(times.indices, minlength=len(self.words))

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
    tokenizer, split = kernels.tokenizer.Tokenizer(keep_empty=True), kernels.tokenizer.split
    numbers, ends = [np.empty(0, np.int32)], [np.zeros(1, np.int64)]
    documents, n_before = iter(X), 0
    while some := list(islice(documents, DOCUMENTS_AT_ONCE)):
        text = _lines_of(some)
        if text is None:
            text = b"".join(_line_of(one, place) for place, one in enumerate(some, n_before))
        of_some, ends_of_some = tokenizer.add(split(text, keep_empty=True))
        numbers.append(of_some)
        ends.append(ends_of_some)
        n_before += len(some)
    words = [_word_of(word) for word in tokenizer.words().split(b"\n")[:-1]]
    return Documents(words, np.concatenate(numbers), np.concatenate(ends))


def _lines_of(documents: Sequence[Any]) -> bytes | None:
    """Return documents as lines of text that are split into their words again; None if not all of them are.

    It is a fast way for the usual ones: str without line feeds, and lists of words without white space.
    """
    kinds = {*map(type, documents)}
    if kinds == {str}:
        text = "\n".join(documents)
        return None if text.count("\n") >= len(documents) else _bytes_of(text + "\n")
    if not kinds <= {list, tuple}:
        return None
    try:
        text = "\n".join(map(" ".join, documents))
    except TypeError:  # an item that is no str
        return None
    is_plain = (
        text.count(" ") == sum(map(len, documents)) - sum(map(bool, documents))
        and text.count("\n") == len(documents) - 1
        and not any(space in text for space in OTHER_SPACE)
        and all(map(all, documents))
    )
    return _bytes_of(text + "\n") if is_plain else None


def _line_of(document: Any, place: int) -> bytes:
    """Return a document as a line of text, white space in words that are given as such hidden."""
    if isinstance(document, str):
        return _bytes_of(document).replace(b"\n", b" ") + b"\n"
    words = words_of(document, f"document {place}", "a str or a list of words")
    return b" ".join([_bytes_of(word).translate(HIDDEN) or EMPTY_WORD for word in words]) + b"\n"


def _word_of(name: bytes) -> str:
    """Return the word that is meant by one of a line."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return "" if name == EMPTY_WORD else name.translate(SHOWN).decode(errors="surrogatepass")


def _bytes_of(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def read_labelled(X: Any, y: Any) -> tuple[Documents, Labels]:
    """Return documents, as `read_documents` does, and their labels; without `y`, those of a labelled file.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    TypeError, ValueError
        If the documents or labels are invalid, or there are not labels for each of one or more documents.
    """
    if y is None and isinstance(X, (str, os.PathLike)):
        X = LabelledLines(X)
    if isinstance(X, LabelledLines):
        if y is not None:
            raise ValueError(f"y must be None beside a file that has the labels, {X!r}, got {shortened(y)}")
        lines = X.read()
        order = np.argsort(lines.labels)
        numbers = np.argsort(order)[lines.label_numbers]
        names = as_array("X", lines.labels)[order]
        is_one = len(numbers) == len(lines.label_offsets) - 1 and (np.diff(lines.label_offsets) == 1).all()
        labels = Labels.of_lists(names, numbers, lines.label_offsets, "one" if is_one else "lists")
        return Documents(lines.words, lines.numbers, lines.offsets), labels
    documents, labels = read_documents(X), read_labels(y)
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
    """The rows of a document: of words, by a lexicon, and of n-grams of words and of characters, by buckets.

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
    min_n, max_n : int
        The fewest and the most characters of an n-gram of characters; with ``max_n=0`` there are none.
    hashing : {"fasttext", "blake2b"}
        Of n-grams of words: as fastText, or as in files that earlier versions have written.
    """

    is_quantized = False
    """Whether the rows are those of a quantized matrix."""

    is_of_fasttext = False
    """Whether they are those of a file of fastText."""

    def __init__(
        self,
        lexicon: Lexicon,
        ngrams: NDArray[np.int64],
        longest: int,
        buckets: int,
        min_n: int = 0,
        max_n: int = 0,
        hashing: str = "fasttext",
    ) -> None:
        self.lexicon = lexicon
        self.ngrams = ngrams
        self.longest = longest
        self.buckets = buckets
        self.min_n = min_n
        self.max_n = max_n
        self.hashing = hashing

    @classmethod
    def of(
        cls,
        documents: Documents,
        vectors: Vectors | None,
        min_count: int,
        longest: int,
        buckets: int,
        min_n: int,
        max_n: int,
    ) -> DocumentRows:
        """Assign rows to the words of some vectors, and to the words and n-grams of documents."""
        known = Lexicon([] if vectors is None else vectors.words)
        is_new = np.ones(len(documents.words), np.bool_)
        if min_count > 1:
            is_new &= documents.counts >= min_count
        if vectors is not None:
            is_new &= known.rows(documents.words) == UNKNOWN
        lexicon = Lexicon([*known.words, *compress(documents.words, is_new.tolist())])
        ngrams = np.empty(0, np.int64)
        if longest > 1:
            ngrams = kernels.word_ngrams.find_buckets(
                words=documents.numbers,
                offsets=documents.offsets,
                hashes=documents.hashes("fasttext"),
                longest=longest,
                buckets=buckets,
                **HASHINGS["fasttext"],
            )
        if max_n:
            _, of_words = documents.ngrams(min_n, max_n, buckets)
            has_row = np.zeros(buckets, np.bool_)
            has_row[ngrams] = True
            has_row[of_words] = True
            ngrams = np.flatnonzero(has_row).astype(np.int64)
        return cls(lexicon, ngrams, longest, buckets, min_n, max_n)

    def __len__(self) -> int:
        return len(self.lexicon) + len(self.ngrams)

    def counts(self, documents: Documents) -> NDArray[np.int64]:
        """Return how often each word of the lexicon occurs in documents."""
        rows = self.lexicon.rows(documents.words)
        return np.bincount(rows, documents.counts, len(self.lexicon)).astype(np.int64)[FIRST_WORD:]

    @cached_property
    def _table(self) -> NDArray[np.uint64]:
        table: NDArray[np.uint64] = kernels.word_ngrams.table_of(self.ngrams, self.buckets)
        return table

    def _own_rows(self, words: list[str]) -> NDArray[np.int32]:
        return self.lexicon.rows(words)

    def _rows_of_words(self, documents: Documents) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the rows of the different words, their own and those of their n-grams of characters."""
        own = self._own_rows(documents.words)
        is_known = own != UNKNOWN
        starts = np.concatenate(([0], np.cumsum(is_known)))
        if not self.max_n or not len(self.ngrams):
            return own[is_known], starts
        offsets, found = documents.ngrams(self.min_n, self.max_n, self.buckets)
        places = kernels.word_ngrams.places(found, self._table)
        has_row = places >= 0
        if not has_row.all():
            places = places[has_row]
            offsets = np.concatenate(([0], np.cumsum(has_row)))[offsets]
        is_own = np.zeros(starts[-1] + len(places), np.bool_)
        starts = starts + offsets
        is_own[starts[:-1][is_known]] = True
        rows = np.empty(len(is_own), np.int32)
        rows[is_own] = own[is_known]
        rows[~is_own] = len(self.lexicon) + places
        return rows, starts

    def look_up(self, documents: Documents) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the rows of all documents end to end, and where each document's begin."""
        rows_of_words, row_offsets_of_words = self._rows_of_words(documents)
        rows, offsets = kernels.word_ngrams.find_rows(
            words=documents.numbers,
            offsets=documents.offsets,
            rows_of_words=rows_of_words,
            row_offsets_of_words=row_offsets_of_words,
            hashes=documents.hashes(self.hashing) if self.longest > 1 else np.empty(0, np.uint64),
            longest=self.longest,
            buckets=self.buckets,
            table=self._table,
            first_row=len(self.lexicon),
            **HASHINGS[self.hashing],
        )
        return rows, offsets


def means_of_rows(
    table: NDArray[np.float32], rows: NDArray[np.int32], offsets: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the mean of the rows of each document, zeros for one that has none."""
    some = np.diff(offsets) > 0
    means = np.zeros((len(some), table.shape[1]), np.float32)
    means[some] = row_means(table, np.append(offsets[:-1][some], offsets[-1]), rows)
    return means
