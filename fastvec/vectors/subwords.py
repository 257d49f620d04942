"""Words whose vectors are composed of n-grams, so that unknown words have vectors too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastvec import formats
from fastvec._params import check_item
from fastvec.formats.compact import decoded
from fastvec.formats.finite import as_floats, check_finite, read_only
from fastvec.formats.ngrams import Subwords, row_means
from fastvec.reference.ngrams import ngrams
from fastvec.vectors.vectors import UnknownWordError, Vectors, as_items, as_words, unit_rows

__all__ = ["SubwordVectors", "Subwords"]


class SubwordVectors(Vectors):
    """Word vectors that are the mean of a row of the word and of the rows of its n-grams.

    As in floret, with ``subwords.hash_count``, words may have no rows of their own: then the word as a whole
    is one more n-gram, and each n-gram has several rows.

    A word that is not in the vocabulary has the mean of the rows of its n-grams as its vector (Bojanowski,
    Grave, Joulin and Mikolov 2017, "Enriching word vectors with subword information"), wherever a word is
    looked up. Results are always words of the vocabulary, ``in`` tests for these only, and `index` knows no
    others.

    Parameters
    ----------
    words : sequence of str or int
        n different words, in the order of the rows; by convention the most frequent first.
    input_vectors : array_like of float32, shape (n + buckets, d)
        The rows of the words, followed by those of the n-grams, all finite; of floret's n-grams, with
        ``subwords.hash_count``, only these, shape (buckets, d). A float32 array with contiguous rows is not
        copied, even if it is padded or memory-mapped, nor is one of float16.
    subwords : Subwords
        Which n-grams a word has.
    counts : array_like of int, shape (n,), optional
        How often each word occurred in the training text.
    metadata : dict, optional
        Training parameters, as JSON types.
    vectors : array_like of float32, shape (n, d), optional
        The vectors of the words, if they are known already; computed by default.

    Attributes
    ----------
    words : list of str
        The n words.
    counts : ndarray of int64, shape (n,), or None
        How often each word occurred in the training text, if known.
    metadata : dict
        Training parameters, if known.
    subwords : Subwords
        Which n-grams a word has.

    Raises
    ------
    TypeError
        If `words` is a str, or contains something that is neither a str nor an int.
    ValueError
        If the shapes do not match, a word occurs twice, or a row is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from fastvec.vectors import Subwords, SubwordVectors
    >>> rows = np.random.default_rng(0).standard_normal((2 + 1000, 10))
    >>> vectors = SubwordVectors(["houses", "gardens"], rows, Subwords(min_n=3, max_n=6, buckets=1000))
    >>> "house" in vectors, vectors["house"].shape
    (False, (10,))
    >>> vectors.most_similar("house", topn=1)[0][0]
    'houses'
    """

    def __init__(
        self,
        words: Sequence[str | int],
        input_vectors: ArrayLike,
        subwords: Subwords,
        counts: ArrayLike | None = None,
        metadata: dict[str, Any] | None = None,
        *,
        vectors: ArrayLike | None = None,
    ) -> None:
        spelled = [*map(str, as_words(words))]
        rows = as_floats(input_vectors)
        own_rows = subwords.own_rows(len(spelled))
        if rows.ndim != 2 or len(rows) != own_rows + subwords.buckets:
            raise ValueError(
                f"input_vectors must have the shape (n, d), one row for each of the "
                f"{f'{own_rows:,} words and the ' if own_rows else ''}"
                f"{subwords.buckets:,} buckets, got {rows.shape}"
            )
        if isinstance(rows, np.ndarray) and rows.strides[1] != rows.itemsize:
            rows = np.ascontiguousarray(rows)
        rows = read_only(rows)
        check_finite("input_vectors", rows, "row", spelled[:own_rows])
        if vectors is None:
            vectors = row_means(rows, *subwords.rows(spelled), rows.dtype)
        super().__init__(spelled, vectors, counts, metadata)
        self._rows = rows
        self.subwords = subwords

    @property
    def input_vectors(self) -> NDArray[np.float32]:
        """The matrix of the rows, read-only, of which the vectors are means.

        Its shape is (n + buckets, d), or (buckets, d) with ``subwords.hash_count``. Of vectors that are
        loaded from a file of bfloat16 or int8, it is made anew whenever it is asked for.
        """
        return self._rows if isinstance(self._rows, np.ndarray) else read_only(decoded(self._rows))

    def __getitem__(self, word: str | int | Sequence[str | int]) -> NDArray[np.float32]:
        """Return the vector of a word, shape (d,), or of several, one row each.

        Raises
        ------
        UnknownWordError
            If a word is not in the vocabulary and has no n-grams. (fastText returns a zero vector.)
        """
        if isinstance(word, (list, tuple, np.ndarray)):
            rows = np.array([self._vector(one) for one in word], dtype=np.float32)
            return rows.reshape(-1, self.vector_size)
        return self._vector(cast("str | int", word))

    def ngrams(self, word: str | int) -> list[tuple[str, int]]:
        """Return the n-grams of a word, known or not, and their rows.

        The vector of the word is the mean of these rows and, if it is in the vocabulary, of its own,
        ``input_vectors[index(word)]``, which floret's words do not have.

        Parameters
        ----------
        word : str or int
            The word.

        Returns
        -------
        list of (str, int)
            The n-grams of ``<word>``, from left to right and then by length, each with its row of
            `input_vectors`. Different n-grams may share a row. It is empty for ``</s>``. In floret's way,
            ``<word>`` itself comes first, and each n-gram as often as it has rows.

        Examples
        --------
        >>> import numpy as np
        >>> from fastvec.vectors import Subwords, SubwordVectors
        >>> vectors = SubwordVectors(["tea"], np.ones((1 + 100, 10)), Subwords(min_n=3, max_n=3, buckets=100))
        >>> [ngram for ngram, row in vectors.ngrams("tree")]
        ['<tr', 'tre', 'ree', 'ee>']
        """
        item = check_item("word", word)
        spelled, hash_count = item.encode(errors="surrogatepass"), self.subwords.hash_count
        found = ngrams(spelled, self.subwords.min_n, self.subwords.max_n, whole=hash_count is not None)
        names = [ngram.decode(errors="surrogatepass") for ngram in found for _ in range(hash_count or 1)]
        return list(zip(names, self.subwords.ngram_rows(item, len(self)).tolist(), strict=True))

    def subset(self, words: Iterable[str | int]) -> SubwordVectors:
        """Return new vectors of some words, in the vocabulary or not.

        The rows of n-grams stay as they are: all other words have vectors as unknown words then.

        Parameters
        ----------
        words : iterable of str or int
            The words. Those of the vocabulary keep their order, by convention the most frequent first. Others
            follow in this order, with the vectors of their n-grams, and a count of 0 if counts are known.

        Returns
        -------
        SubwordVectors
            The words with their vectors and counts, and the same `metadata`.

        Raises
        ------
        UnknownWordError
            If a word is not in the vocabulary and has no n-grams.
        """
        items = as_words(as_items("words", words))
        unseen = [word for word in dict.fromkeys(items) if word not in self]
        known = self._rows_of(sorted({self.index(word) for word in items if word in self}))
        return known._with(unseen, self[unseen]) if unseen else known

    def drop(self, words: Iterable[str | int]) -> SubwordVectors:
        """Return new vectors without some words of the vocabulary.

        The rows of n-grams stay as they are: what was dropped has the vector of an unknown word then.

        Parameters
        ----------
        words : iterable of str or int
            The words to leave out.

        Returns
        -------
        SubwordVectors
            The other words with their vectors and counts, and the same `metadata`.

        Raises
        ------
        UnknownWordError
            If a word is not in the vocabulary.
        """
        return cast("SubwordVectors", super().drop(words))

    def with_words(self, words: Iterable[str | int], vectors: ArrayLike) -> SubwordVectors:
        """Return new vectors with some words added or replaced.

        The rows of n-grams stay as they are, and so do the vectors of all other words, known or not. The row
        of a word that is added or replaced is the one with which the mean of its rows is the given vector.

        Parameters
        ----------
        words : iterable of str or int
            Different words. Those that are known get other vectors where they are; the others follow in this
            order, with a count of 0 if counts are known.
        vectors : array_like of float32, shape (n, d)
            Their vectors, of finite numbers.

        Returns
        -------
        SubwordVectors
            All words with their vectors and counts, and the same `metadata`.

        Raises
        ------
        TypeError, ValueError
            If a word occurs twice, the shapes do not match, or a vector is not finite; or if words have no
            rows of their own, as in floret.
        """
        if self.subwords.hash_count is not None:
            raise ValueError(
                "with_words needs words with rows of their own, got n-grams as in floret (hash_count="
                f"{self.subwords.hash_count}), which make the vectors of all words: subset adds words with "
                "theirs, and Vectors(v.words, v.vectors) has no n-grams"
            )
        return cast("SubwordVectors", super().with_words(words, vectors))

    def postprocess(self, *, center: bool = True, remove_top: int = 0, unit_length: bool = False) -> Vectors:
        """Return new vectors with the mean and the first principal components removed.

        What is removed from the vectors of the words is removed from the rows of n-grams too, and so from the
        vectors of unknown words.

        Parameters
        ----------
        center : bool
            Whether to subtract the mean of all vectors.
        remove_top : int
            Number of principal components to remove from the centered vectors.
        unit_length : bool
            Whether to scale all vectors to length 1 at the end. The rows of n-grams cannot be scaled so, and
            the result has no vectors of unknown words.

        Returns
        -------
        SubwordVectors or Vectors
            `Vectors` with `unit_length`.
        """
        return super().postprocess(center=center, remove_top=remove_top, unit_length=unit_length)

    def _stored(self) -> formats.Contents:
        return super()._stored()._replace(input_vectors=self._rows, subwords=self.subwords)

    def _contents(self) -> formats.Contents:
        return super()._contents()._replace(input_vectors=self.input_vectors)

    def _transformed(
        self, transform: Callable[[NDArray[np.float32]], NDArray[np.float32]], metadata: dict[str, Any]
    ) -> SubwordVectors:
        known, rows = transform(self._matrix), transform(self._rows)
        return SubwordVectors(self.words, rows, self.subwords, self.counts, metadata, vectors=known)

    def _rows_of(self, rows: list[int]) -> SubwordVectors:
        known, every = super()._rows_of(rows), self._rows
        if self.subwords.hash_count is None:
            every = every[np.r_[rows, len(self) : len(every)].astype(np.intp)]
        return SubwordVectors(
            known.words, every, self.subwords, known.counts, self.metadata, vectors=known._matrix
        )

    def _with(self, words: list[str], vectors: NDArray[np.float32]) -> SubwordVectors:
        extended = super()._with(words, vectors)
        every = self._rows
        if self.subwords.hash_count is None:
            every = self._rows_for(extended, words, vectors)
        return SubwordVectors(
            extended.words, every, self.subwords, extended.counts, self.metadata, vectors=extended._matrix
        )

    def _rows_for(
        self, extended: Vectors, words: list[str], vectors: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return these rows, with those of some words such that they have given vectors."""
        shape = (self.subwords.n_rows(len(extended)), self.vector_size)
        every = np.empty(shape, dtype=self._rows.dtype)
        every[: len(self)] = self._rows[: len(self)]
        every[len(extended) :] = self._rows[len(self) :]
        for word, vector in zip(words, vectors.astype(np.float64), strict=True):
            ngram_rows = np.asarray(self._rows[self.subwords.ngram_rows(str(word), len(self))])
            row = vector * (len(ngram_rows) + 1) - ngram_rows.sum(axis=0, dtype=float)
            with np.errstate(over="ignore"):  # what is beyond its type is infinite there
                every[extended.index(word)] = row
        return every

    def _unit(self, word: str | int) -> tuple[NDArray[np.float32], list[int]]:
        """Return the unit vector of a word, and its row in a list, empty for an unknown word."""
        if word in self:
            return super()._unit(word)
        return unit_rows(self._unseen(word)[np.newaxis])[0], []

    def _vector(self, word: str | int) -> NDArray[np.float32]:
        return super().__getitem__(word) if word in self else self._unseen(word)

    def _unseen(self, word: str | int) -> NDArray[np.float32]:
        """Return the mean of the n-grams' rows of a word that is not in the vocabulary."""
        item = check_item("word", word)
        rows = self.subwords.ngram_rows(item, len(self))
        if len(rows) == 0:
            raise UnknownWordError(item, self.words)
        mean: NDArray[np.float32] = row_means(self._rows, np.array([0, len(rows)]), rows)[0]
        return mean


def vectors_of(contents: formats.Contents) -> Vectors:
    """Return vectors of what a file holds of them."""
    words, vectors, counts, metadata, input_vectors, subwords = contents
    if input_vectors is None or subwords is None:
        return Vectors(words, vectors, counts, metadata)
    return SubwordVectors(words, input_vectors, subwords, counts, metadata, vectors=vectors)
