"""Character n-grams: which rows of a matrix make up the vector of a word, and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastvec import kernels
from fastvec._params import check_int

__all__ = ["Subwords", "row_means"]

# Words whose rows of float16 are looked up together.
WORDS_AT_ONCE = 1 << 10
# The longest n-gram, so that a damaged file cannot ask for more n-grams than memory holds.
LONGEST = 100


@dataclass(frozen=True)
class Subwords:
    """The n-grams of words, as rows of one matrix: as in fastText, or with `hash_count` as in floret.

    In fastText's way, words have rows of their own in that matrix: with n words in the vocabulary, row i < n
    belongs to word i, and row n + b to the n-grams of bucket b. In floret's way, there are only the rows of
    buckets, whatever the vocabulary is: the word as a whole and each of its n-grams have `hash_count` of
    them. Both are derived in ``fastvec/reference/ngrams.py``.

    Parameters
    ----------
    min_n, max_n : int
        Smallest and largest number of characters in an n-gram of ``<word>``, 0 to 100. With ``max_n=0`` there
        are no n-grams: `min_n` is 0 then, whatever was given, and in fastText's way so is `buckets`.
    buckets : int
        Number of rows that the n-grams, or in floret's way words and n-grams, share by a hash.
    hash_count : int, optional
        Number of rows of each word and n-gram in floret's way, 1 to 4; None for fastText's way.

    Raises
    ------
    TypeError, ValueError
        The message names the parameter, the rule and the value.
    """

    min_n: int
    max_n: int
    buckets: int
    hash_count: int | None = None

    def __post_init__(self) -> None:
        if self.hash_count is not None:
            check_int("hash_count", self.hash_count, 1, 4)
        check_int("max_n", self.max_n, 0, LONGEST)
        check_int("min_n", self.min_n, 0)
        check_int("buckets", self.buckets, 1 if self.max_n or self.hash_count else 0, 2**30)
        if self.max_n == 0:
            object.__setattr__(self, "min_n", 0)
            if self.hash_count is None:
                object.__setattr__(self, "buckets", 0)
        if self.min_n > self.max_n:
            raise ValueError(f"min_n must be an int from 0 to max_n={self.max_n}, got {self.min_n}")

    def own_rows(self, n_words: int) -> int:
        """Return how many rows, the first ones, are those of words themselves, of `n_words` in all."""
        return n_words if self.hash_count is None else 0

    def n_rows(self, n_words: int) -> int:
        """Return how many rows the matrix has for a vocabulary of `n_words`."""
        return self.own_rows(n_words) + self.buckets

    def rows(self, words: Sequence[str | bytes]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return the rows of the vocabulary's words: for each its own row, if any, then those of its n-grams.

        Parameters
        ----------
        words : sequence of str or bytes
            All the words of the vocabulary; bytes are taken for UTF-8.

        Returns
        -------
        offsets : int64 array, shape (n + 1,)
            Where the rows of each word begin in `rows`.
        rows : int32 array
            The rows, of one word after the other; those of n-grams that occur twice are there twice.
        """
        n = len(words)
        offsets, buckets = self._buckets(words)
        if self.hash_count is not None:
            return offsets, buckets
        rows = np.insert(buckets + np.int32(n), offsets[:-1], np.arange(n, dtype=np.int32))
        return offsets + np.arange(n + 1), rows

    def distinct_rows(self, words: Sequence[str | bytes]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return the rows of the vocabulary's words, those that a word repeats behind those that it has.

        Parameters
        ----------
        words : sequence of str or bytes
            All the words of the vocabulary; bytes are taken for UTF-8.

        Returns
        -------
        offsets : int64 array, shape (2 * n + 1,)
            The rows of word w begin in `rows` at ``offsets[2 * w]``, and those that repeat one of them at
            ``offsets[2 * w + 1]``.
        rows : int32 array
            The rows, of one word after the other.
        """
        starts, rows = self.rows(words)
        offsets = np.empty(2 * len(words) + 1, np.int64)
        offsets[::2] = starts
        offsets[1::2] = kernels.ngrams.put_repeats_behind(offsets=starts, rows=rows)
        return offsets, rows

    def ngram_rows(self, word: str, n_words: int) -> NDArray[np.int32]:
        """Return the rows of one word beside its own, of a vocabulary of `n_words` or not."""
        rows: NDArray[np.int32] = self._buckets([word])[1] + np.int32(self.own_rows(n_words))
        return rows

    def _buckets(self, words: Sequence[str | bytes]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        # A lone surrogate has n-grams too, if odd ones: looking up a word never fails for its spelling.
        names = [word if isinstance(word, bytes) else word.encode(errors="surrogatepass") for word in words]
        ends = np.cumsum([0, *map(len, names)], dtype=np.int64)
        offsets, buckets = kernels.ngrams.ngram_buckets(
            text=np.frombuffer(b"".join(names), np.uint8),
            word_offsets=ends,
            min_n=self.min_n,
            max_n=self.max_n,
            buckets=self.buckets,
            hash_count=self.hash_count or 0,
        )
        return offsets, buckets


def row_means(
    vectors: NDArray[np.floating],
    offsets: NDArray[np.int64],
    rows: NDArray[np.int32],
    dtype: DTypeLike = np.float32,
) -> NDArray[np.float32]:
    """Return the mean of several rows of `vectors` in each row, shape (n, d); `Subwords.rows` says which."""
    n = len(offsets) - 1
    means = np.empty((n, vectors.shape[1]), dtype=dtype)
    if isinstance(vectors, np.ndarray) and vectors.dtype == np.float32 == means.dtype:
        kernels.ngrams.row_means(vectors=vectors, offsets=offsets, rows=rows, means=means)
        return means
    for begin in range(0, n, WORDS_AT_ONCE):
        bounds = offsets[begin : begin + WORDS_AT_ONCE + 1]
        used, places = np.unique(rows[bounds[0] : bounds[-1]], return_inverse=True)
        of_some = np.empty((len(bounds) - 1, vectors.shape[1]), dtype=np.float32)
        kernels.ngrams.row_means(
            vectors=vectors[used].astype(np.float32),
            offsets=bounds - bounds[0],
            rows=places.astype(np.int32),
            means=of_some,
        )
        with np.errstate(over="ignore"):  # what is beyond float16 is infinite there
            means[begin : begin + len(of_some)] = of_some
    return means
