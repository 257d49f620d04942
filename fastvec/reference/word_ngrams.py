"""n-grams of words in documents: their buckets, and the rows of a document's words and n-grams.

Every distinct word has a hash of 64 bits. That of an n-gram w_1..w_n is h_n = h_{n−1} · M + w_n modulo 2⁶⁴
with h_1 = w_1, and its bucket is the remainder of h_n / 2ˢ by the number of buckets. n-grams do not reach
over the ends of documents; those that share a bucket share a row (Joulin, Grave, Bojanowski and Mikolov 2017,
"Bag of tricks for efficient text classification").

In fastText M is 116049371, s is 0, and the hash of a word is that of an n-gram of characters (``ngrams.py``),
as a signed number of 32 bits.

Only buckets that occur have rows, in rising order, so that a table of all buckets says which is whose.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .ngrams import fnv_1a

__all__ = ["find_buckets", "find_rows", "hash_words", "places", "table_of"]


def hash_words(text: NDArray[np.uint8], word_offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the hashes of words, as fastText's.

    Parameters
    ----------
    text : uint8 array
        IN: the bytes of the words, end to end.
    word_offsets : int64 array, shape (n + 1,)
        IN: where each of the n words begins in `text`, and where the last one ends.
    """
    hashes = [fnv_1a(text[start:stop].tobytes()) for start, stop in pairwise(word_offsets)]
    return np.array(hashes, np.uint32).astype(np.int32).astype(np.int64).astype(np.uint64)


def find_buckets(
    words: NDArray[np.int32],
    offsets: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    longest: int,
    buckets: int,
    multiplier: int,
    shift: int,
) -> NDArray[np.int64]:
    """Return the buckets of the n-grams of 2 to `longest` words that occur, in rising order.

    Parameters
    ----------
    words : int32 array
        IN: which distinct word every token is, those of all documents one after the other.
    offsets : int64 array, shape (n_documents + 1,)
        IN: document t has words[offsets[t]:offsets[t + 1]].
    hashes : uint64 array
        IN: those of the distinct words.
    longest : int
        The most words of an n-gram, at least 2.
    buckets : int
        How many there are, at most 2³⁰.
    multiplier, shift : int
        M and s.
    """
    found = {
        bucket
        for start, stop in pairwise(offsets.tolist())
        for bucket in ngram_buckets(hashes[words[start:stop]].tolist(), longest, buckets, multiplier, shift)
    }
    return np.array(sorted(found), np.int64)


def ngram_buckets(
    hashes: list[int], longest: int, buckets: int, multiplier: int, shift: int
) -> Iterator[int]:
    """Yield the buckets of a document's n-grams, the shortest first and then from left to right."""
    of_ngrams = hashes
    for n in range(2, longest + 1):
        of_ngrams = [
            (before * multiplier + last) % 2**64
            for before, last in zip(of_ngrams, hashes[n - 1 :], strict=False)
        ]
        yield from ((hashed >> shift) % buckets for hashed in of_ngrams)


def table_of(found: NDArray[np.int64], buckets: int) -> NDArray[np.uint64]:
    """Return a table of the buckets that have rows, for `places` and `find_rows` of the same backend.

    Parameters
    ----------
    found : int64 array
        IN: the buckets, in rising order.
    buckets : int
        How many there are.
    """
    return found.astype(np.uint64)


def places(found: NDArray[np.int32], table: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Return which of the buckets that have rows each one is, in rising order, or -1.

    Parameters
    ----------
    found : int32 array
        IN: the buckets.
    table : uint64 array
        IN: what `table_of` returned.
    """
    place_of = {bucket: place for place, bucket in enumerate(table.tolist())}
    return np.array([place_of.get(bucket, -1) for bucket in found.tolist()], np.int32)


def find_rows(
    words: NDArray[np.int32],
    offsets: NDArray[np.int64],
    rows_of_words: NDArray[np.int32],
    row_offsets_of_words: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    longest: int,
    buckets: int,
    multiplier: int,
    shift: int,
    table: NDArray[np.uint64],
    first_row: int,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the rows of every document: of its words in order, then of its n-grams, the shortest first.

    Parameters
    ----------
    words, offsets : int32 and int64 arrays
        IN: as for `find_buckets`.
    rows_of_words : int32 array
        IN: the rows of the distinct words, those of one word after the other: its own, if it has one, and
        those of its n-grams of characters.
    row_offsets_of_words : int64 array
        IN: word w has rows_of_words[row_offsets_of_words[w]:row_offsets_of_words[w + 1]].
    hashes : uint64 array
        IN: as for `find_buckets`; not used if `longest` is 1.
    longest, buckets, multiplier, shift : int
        As for `find_buckets`; with ``longest=1``, n-grams have no rows.
    table : uint64 array
        IN: what `table_of` returned for the same number of buckets.
    first_row : int
        The row of the first bucket that has one.

    Returns
    -------
    rows : int32 array
        The rows, of one document after the other.
    row_offsets : int64 array, shape (n_documents + 1,)
        Where those of each document begin in `rows`, and where the last ones end.
    """
    row_of = {bucket: row for row, bucket in enumerate(table.tolist(), first_row)}
    rows: list[int] = []
    row_offsets = [0]
    for start, stop in pairwise(offsets.tolist()):
        document = words[start:stop]
        for word in document.tolist():
            rows += rows_of_words[row_offsets_of_words[word] : row_offsets_of_words[word + 1]].tolist()
        if longest > 1:
            of_ngrams = ngram_buckets(hashes[document].tolist(), longest, buckets, multiplier, shift)
            rows += [row_of[bucket] for bucket in of_ngrams if bucket in row_of]
        row_offsets.append(len(rows))
    return np.array(rows, np.int32), np.array(row_offsets, np.int64)
