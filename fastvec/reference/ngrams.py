"""Character n-grams of words, as fastText takes them.

The n-grams of a word are the runs of n = min_n..max_n characters of ``<word>``: the angle brackets mark its
beginning and its end, and stand for nothing when they are alone (Bojanowski, Grave, Joulin and Mikolov 2017,
"Enriching word vectors with subword information"). An n-gram is known by its hash modulo the number of
buckets; n-grams that share a bucket share a vector.

The hash is FNV-1a of 32 bits over the bytes of the UTF-8, with fastText's mistake: bytes are taken as signed,
so that those of 128 and more flip the upper 24 bits too. Models that are out there depend on it.

floret (Boyd and Warmerdam 2022, "floret: lightweight, robust word vectors") has no rows for words: ``<word>``
as a whole comes before its n-grams, and each of these has ``hash_count`` buckets of the same table, 1 to 4.
They are the first so many of the four numbers of 32 bits in MurmurHash3 (Appleby's variant of 128 bits for
64-bit processors, with the seed 2166136261), modulo the number of buckets. A short word is an n-gram of
itself as well, and counts twice.

A character begins at every byte that is not a continuation byte of UTF-8. Bytes that are no UTF-8 at all make
odd n-grams, and the same ones as in fastText.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import count, pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["ngram_buckets", "put_repeats_behind", "row_means"]

# A byte that begins a character, and the bytes that continue it.
CHARACTER = re.compile(rb"[^\x80-\xbf][\x80-\xbf]*", re.DOTALL)
# Of MurmurHash3: floret's seed, the factors of blocks of 8 bytes, and the bits of a word of 64.
SEED = 2166136261
C1, C2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
WORD = (1 << 64) - 1


def ngram_buckets(
    text: NDArray[np.uint8],
    word_offsets: NDArray[np.int64],
    min_n: int,
    max_n: int,
    buckets: int,
    hash_count: int = 0,
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
    hash_count : int
        How many buckets words and n-grams have in floret's way, 1 to 4; 0 for fastText's way.

    Returns
    -------
    offsets : int64 array, shape (n + 1,)
        Where the n-grams of each word begin in `hashes`.
    hashes : int32 array
        For every word the buckets of its n-grams, from left to right and then by length; those that occur
        twice are there twice. ``</s>`` has none. In floret's way every word has some, ``</s>`` as well: those
        of the word itself come first.
    """
    if not 0 <= hash_count <= 4:
        raise ValueError(f"hash_count must be an int from 0 to 4, got {hash_count}")
    if (max_n or hash_count) and not 1 <= buckets <= 0x7FFFFFFF:
        raise ValueError(f"buckets must be an int from 1 to 2147483647, got {buckets}")
    words = [text[start:stop].tobytes() for start, stop in pairwise(word_offsets)]
    if hash_count:
        hashes = [
            [
                part % buckets
                for ngram in ngrams(word, min_n, max_n, whole=True)
                for part in murmur(ngram)[:hash_count]
            ]
            for word in words
        ]
    else:
        hashes = [[fnv_1a(ngram) % buckets for ngram in ngrams(word, min_n, max_n)] for word in words]
    offsets = np.cumsum([0, *map(len, hashes)], dtype=np.int64)
    return offsets, np.array([bucket for of_word in hashes for bucket in of_word], np.int32)


def ngrams(word: bytes, min_n: int, max_n: int, *, whole: bool = False) -> list[bytes]:
    """Return the n-grams of a word, from left to right and then by length; if asked for, ``<word>`` first."""
    if word == b"</s>" and not whole:
        return []
    characters = CHARACTER.findall(b"<" + word + b">")
    last = len(characters) - 1
    return [b"<" + word + b">"] * whole + [
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


def murmur(ngram: bytes) -> list[int]:
    """Return the hash of 128 bits of an n-gram, as four numbers of 32 bits."""

    def turned(x: int, bits: int) -> int:
        x &= WORD
        return x << bits & WORD | x >> (64 - bits)

    def scattered(h: int) -> int:
        h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD & WORD
        h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 & WORD
        return h ^ h >> 33

    h1 = h2 = SEED
    for start in count(0, 16):
        k1 = turned(int.from_bytes(ngram[start : start + 8], "little") * C1, 31) * C2 & WORD
        k2 = turned(int.from_bytes(ngram[start + 8 : start + 16], "little") * C2, 33) * C1 & WORD
        if start + 16 > len(ngram):
            break
        h1 = (turned(h1 ^ k1, 27) + h2) * 5 + 0x52DCE729 & WORD
        h2 = (turned(h2 ^ k2, 31) + h1) * 5 + 0x38495AB5 & WORD
    h1, h2 = h1 ^ k1 ^ len(ngram), h2 ^ k2 ^ len(ngram)
    h1 = h1 + h2 & WORD
    h1, h2 = scattered(h1), scattered(h1 + h2 & WORD)
    h1 = h1 + h2 & WORD
    h2 = h1 + h2 & WORD
    return [h1 & 0xFFFFFFFF, h1 >> 32, h2 & 0xFFFFFFFF, h2 >> 32]


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
