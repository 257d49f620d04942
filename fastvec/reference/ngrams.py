"""Character n-grams of words, as fastText takes them.

The n-grams of a word are the runs of n = min_n..max_n characters of ``<word>``: the angle brackets mark its
beginning and its end, and stand for nothing when they are alone (Bojanowski, Grave, Joulin and Mikolov 2017,
"Enriching word vectors with subword information"). An n-gram is known by its hash modulo the number of
buckets; n-grams that share a bucket share a vector.

The hash is FNV-1a of 32 bits over the bytes of the UTF-8, with fastText's mistake: bytes are taken as signed,
so that those of 128 and more flip the upper 24 bits too. Models that are out there depend on it.

A character begins at every byte that is not a continuation byte of UTF-8. Bytes that are no UTF-8 at all make
odd n-grams, and the same ones as in fastText.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["ngram_buckets", "put_repeats_behind", "row_means"]

# A byte that begins a character, and the bytes that continue it.
CHARACTER = re.compile(rb"[^\x80-\xbf][\x80-\xbf]*", re.DOTALL)


def ngram_buckets(
    text: NDArray[np.uint8], word_offsets: NDArray[np.int64], min_n: int, max_n: int, buckets: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the buckets of the n-grams of words.

    Parameters
    ----------
    text : uint8 array
        IN: the bytes of the words, end to end.
    word_offsets : int64 array, shape (n + 1,)
        IN: where each of the n words begins in `text`, and where the last one ends.
    min_n, max_n : int
        The fewest and the most characters of an n-gram; with ``max_n=0`` there are none.
    buckets : int
        Hashes are taken modulo this.

    Returns
    -------
    offsets : int64 array, shape (n + 1,)
        Where the n-grams of each word begin in `hashes`.
    hashes : int32 array
        For every word the buckets of its n-grams, from left to right and then by length; those that occur
        twice are there twice. ``</s>`` has none.
    """
    if max_n and not 1 <= buckets <= 0x7FFFFFFF:
        raise ValueError(f"buckets must be an int from 1 to 2147483647, got {buckets}")
    hashes = [
        [fnv_1a(ngram) % buckets for ngram in ngrams(text[start:stop].tobytes(), min_n, max_n)]
        for start, stop in pairwise(word_offsets)
    ]
    offsets = np.cumsum([0, *map(len, hashes)], dtype=np.int64)
    return offsets, np.array([bucket for of_word in hashes for bucket in of_word], np.int32)


def ngrams(word: bytes, min_n: int, max_n: int) -> list[bytes]:
    """Return the n-grams of a word, from left to right and then by length."""
    if word == b"</s>":
        return []
    characters = CHARACTER.findall(b"<" + word + b">")
    last = len(characters) - 1
    return [
        b"".join(characters[i : i + n])
        for i in range(len(characters))
        for n in range(max(min_n, 1), min(max_n, len(characters) - i) + 1)
        if not (n == 1 and i in (0, last))
    ]


def fnv_1a(ngram: bytes) -> int:
    """Return the hash of 32 bits of an n-gram, its bytes taken as signed."""
    hashed = 2166136261
    for byte in ngram:
        signed = byte if byte < 128 else byte - 256
        hashed = (hashed ^ signed & 0xFFFFFFFF) * 16777619 & 0xFFFFFFFF
    return hashed


def put_repeats_behind(offsets: NDArray[np.int64], rows: NDArray[np.int32]) -> NDArray[np.int64]:
    """Reorder the rows of every word: first those that are different, in their order, then the repetitions.

    Parameters
    ----------
    offsets : int64 array, shape (n + 1,)
        IN: where the rows of each of the n words begin in `rows`.
    rows : int32 array
        IN/OUT: the rows.

    Returns
    -------
    int64 array, shape (n,)
        Where the repetitions of each word begin in `rows`.
    """
    repeats = np.empty(len(offsets) - 1, np.int64)
    for word, (start, stop) in enumerate(pairwise(offsets)):
        left = Counter(rows[start:stop].tolist())
        distinct = list(left)
        left.subtract(distinct)
        rows[start:stop] = [*distinct, *left.elements()]
        repeats[word] = start + len(distinct)
    return repeats


def row_means(
    vectors: NDArray[np.float32],
    offsets: NDArray[np.int64],
    rows: NDArray[np.int32],
    means: NDArray[np.float32],
) -> None:
    """Write the mean of several rows of a matrix into each row of another.

    Parameters
    ----------
    vectors : float32 array, shape (m, d)
        IN: the numbers of a row stand side by side; the rows may be further apart.
    offsets : int64 array, shape (n + 1,)
        IN: where the rows of each mean begin in `rows`; every mean has one at least.
    rows : int32 array
        IN: every one from 0 to m - 1, which is not checked.
    means : float32 array, shape (n, d)
        OUT: the means.
    """
    for mean, (start, stop) in enumerate(pairwise(offsets)):
        means[mean] = vectors[rows[start:stop]].sum(axis=0) * np.float32(1 / (stop - start))
