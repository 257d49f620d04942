"""n-grams of words in documents: their buckets, and the rows of a document's words and n-grams.

Every distinct word has a hash of 64 bits. That of an n-gram w_1..w_n is h_n = h_{n−1} · M + w_n modulo 2⁶⁴
with h_1 = w_1, and its bucket is the remainder of the upper half of h_n by the number of buckets. n-grams do
not reach over the ends of documents; those that share a bucket share a row (Joulin, Grave, Bojanowski and
Mikolov 2017, "Bag of tricks for efficient text classification").

Only buckets that occur have rows, in rising order, so that a table of all buckets says which is whose.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_buckets", "find_rows", "table_of"]

# Odd, with bits all over: the increment of SplitMix64.
MULTIPLIER = 0x9E3779B97F4A7C15


def find_buckets(
    words: NDArray[np.int32],
    offsets: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    longest: int,
    buckets: int,
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
    """
    found = {
        bucket
        for start, stop in pairwise(offsets.tolist())
        for bucket in ngram_buckets(hashes[words[start:stop]].tolist(), longest, buckets)
    }
    return np.array(sorted(found), np.int64)


def ngram_buckets(hashes: list[int], longest: int, buckets: int) -> Iterator[int]:
    """Yield the buckets of a document's n-grams, the shortest first and then from left to right."""
    of_ngrams = hashes
    for n in range(2, longest + 1):
        of_ngrams = [
            (before * MULTIPLIER + last) % 2**64
            for before, last in zip(of_ngrams, hashes[n - 1 :], strict=False)
        ]
        yield from ((hashed >> 32) % buckets for hashed in of_ngrams)


def table_of(found: NDArray[np.int64], buckets: int) -> NDArray[np.uint64]:
    """Return a table of the buckets that have rows, for `find_rows` of the same backend.

    Parameters
    ----------
    found : int64 array
        IN: the buckets, in rising order.
    buckets : int
        How many there are.
    """
    return found.astype(np.uint64)


def find_rows(
    words: NDArray[np.int32],
    offsets: NDArray[np.int64],
    word_rows: NDArray[np.int32],
    hashes: NDArray[np.uint64],
    longest: int,
    buckets: int,
    table: NDArray[np.uint64],
    first_row: int,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the rows of every document: of its words in order, then of its n-grams, the shortest first.

    Parameters
    ----------
    words, offsets : int32 and int64 arrays
        IN: as for `find_buckets`.
    word_rows : int32 array
        IN: the rows of the distinct words, negative for those that have none.
    hashes : uint64 array
        IN: as for `find_buckets`; not used if `longest` is 1.
    longest, buckets : int
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
        rows += [row for row in word_rows[document].tolist() if row >= 0]
        if longest > 1:
            of_ngrams = ngram_buckets(hashes[document].tolist(), longest, buckets)
            rows += [row_of[bucket] for bucket in of_ngrams if bucket in row_of]
        row_offsets.append(len(rows))
    return np.array(rows, np.int32), np.array(row_offsets, np.int64)
