"""Words and their vectors: look-up, comparison, saving."""

from __future__ import annotations

import numbers
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastvec import formats
from fastvec._params import check_bool, check_counts, check_int, check_item
from fastvec.corpus.sequences import as_words, check_sequences
from fastvec.formats.finite import as_float32, check_finite, check_lengths, not_finite
from fastvec.vectors.common import CommonPart, common_part, without
from fastvec.vectors.nearest import nearest
from fastvec.vectors.spelling import nearest_spellings

__all__ = ["UnknownWordError", "Vectors", "checked_words", "unit_rows"]

# 2 MB in double precision.
NUMBERS_AT_ONCE = 1 << 18


class UnknownWordError(KeyError):
    """An unknown word; the message suggests the three nearest spellings.

    They are computed only when the message is shown, so that code that catches the error stays fast.

    Parameters
    ----------
    word : str
        The unknown word.
    words : sequence of str
        The words to choose the suggestions from.
    """

    __module__ = "fastvec.vectors"  # where tracebacks say that it is

    def __init__(self, word: str, words: Sequence[str] = ()) -> None:
        super().__init__(word)
        self.words = words

    def __str__(self) -> str:
        word = self.args[0]
        nearest = ", ".join(map(repr, nearest_spellings(word, list(map(str, self.words)))))
        ending = f"; nearest spellings: {nearest}" if nearest else ""
        return f"{word!r} is not among the {len(self.words):,} words{ending}"


class Vectors:
    """Words with a vector each.

    Words may be ids: product 12 is the word 12 if all words are int, and else ``"12"``. Both find it.

    Parameters
    ----------
    words : sequence of str or int
        n different words, in the order of the rows; by convention the most frequent first.
    vectors : array_like of float32, shape (n, d)
        One row per word, of finite numbers. A float32 array is not copied, even if it is strided or
        memory-mapped. The numbers of a memory-mapped one are read, and refused if they are not finite, when
        the first cosine is computed.
    counts : array_like of int, shape (n,), optional
        How often each word occurred in the training text.
    metadata : dict, optional
        Training parameters, as JSON types.

    Attributes
    ----------
    words : list of str, or of int
        The n words: ids (int) if all of them are ids, else str.
    vectors : ndarray of float32, shape (n, d)
        Their vectors, read-only; to change them, make new `Vectors`.
    counts : ndarray of int64, shape (n,), or None
        How often each word occurred in the training text, if known.
    metadata : dict
        Training parameters, if known.

    Raises
    ------
    TypeError
        If `words` is a str, or has no order, or contains something that is neither a str nor an int; if
        counts are not integers.
    ValueError
        If the shapes do not match, a word occurs twice, a vector is not finite, or a count is negative.

    Notes
    -----
    ``numpy.asarray`` of vectors is their matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastvec.vectors import Vectors
    >>> vectors = Vectors(["king", "queen", "man", "woman"], np.array([[3, 1], [3, 2], [1, 1], [1, 2]]))
    >>> vectors
    Vectors(4 words, 2 dimensions)
    >>> vectors["queen"]
    array([3., 2.], dtype=float32)
    >>> "prince" in vectors
    False
    """

    def __init__(
        self,
        words: Sequence[str | int],
        vectors: ArrayLike,
        counts: ArrayLike | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.words: list[str] = checked_words(words)  # or of int
        matrix = as_float32(vectors).view()
        if matrix.ndim != 2 or matrix.shape[0] != len(self.words) or matrix.shape[1] == 0:
            raise ValueError(
                f"vectors must have the shape (n, d), one row for each of the {len(self.words):,} words, "
                f"got {matrix.shape}"
            )
        matrix.flags.writeable = False
        self.vectors: NDArray[np.float32] = matrix
        self.counts = None if counts is None else check_counts(counts, len(self))
        if self.counts is not None and self.counts.min(initial=0) < 0:
            raise ValueError(f"counts must be at least 0, got {self.counts.min()}")
        self.metadata = dict(metadata or {})
        self._index = {word: i for i, word in enumerate(map(str, self.words))}
        if len(self._index) < len(self.words):
            twice = next(word for i, word in enumerate(self.words) if self._index[str(word)] != i)
            raise ValueError(f"words must be distinct, got {twice!r} twice")
        check_finite("vectors", matrix, "word", self.words)

    @property
    def vector_size(self) -> int:
        """Number of dimensions d of a vector."""
        return int(self.vectors.shape[1])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self):,} words, {self.vector_size:,} dimensions)"

    def __sklearn_clone__(self) -> Vectors:
        """Return itself: clones of an estimator share its vectors, which never change."""
        return self

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the matrix: itself, read-only, unless a copy or another type is asked for."""
        if copy is None:
            return np.asarray(self.vectors, dtype=dtype)
        return np.array(self.vectors, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __contains__(self, word: str | int) -> bool:
        return check_item("word", word) in self._index

    def __getitem__(self, word: str | int | Sequence[str | int]) -> NDArray[np.float32]:
        """Return the vector of a word, a read-only view of shape (d,), or a copy of several, one row each."""
        rows: int | NDArray[np.intp]
        if isinstance(word, (list, tuple, np.ndarray)):
            rows = np.array([self.index(one) for one in word], dtype=np.intp)
        else:
            rows = self.index(cast("str | int", word))
        found: NDArray[np.float32] = self.vectors[rows]
        return found

    def index(self, word: str | int) -> int:
        """Return the row of a word.

        Parameters
        ----------
        word : str or int
            The word.

        Returns
        -------
        int
            Its position in `words` and in the rows of `vectors`.

        Raises
        ------
        UnknownWordError
            If the word is unknown: a `KeyError` that suggests the three nearest spellings.
        """
        item = check_item("word", word)
        try:
            return self._index[item]
        except KeyError:
            raise UnknownWordError(item, self.words) from None

    def similarity(self, a: str | int, b: str | int) -> float:
        """Return the cosine similarity of two words, from -1 to 1.

        The similarity to a zero vector is 0.

        Parameters
        ----------
        a, b : str or int
            The words.

        Returns
        -------
        float
            The cosine of the angle between their vectors.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "northeast", "west"], [[1, 0], [1, 1], [-1, 0]])
        >>> round(vectors.similarity("east", "northeast"), 3)
        0.707
        """
        return float(np.clip(self._unit(a)[0] @ self._unit(b)[0], -1, 1))

    def most_similar(
        self,
        positive: Any,
        negative: Any = (),
        topn: int = 10,
        restrict: int | None = None,
    ) -> list[tuple[str, float]]:
        """Return the words most similar to a query, by cosine.

        The query is the sum of the unit vectors of `positive` minus those of `negative`.

        Parameters
        ----------
        positive, negative : word, vector of shape (d,), or list or array of these
            Words or vectors to be similar to, and dissimilar to. These words are excluded from the result.
        topn : int
            Number of words to return.
        restrict : int, optional
            Only consider this many words, the first ones, which by convention are the most frequent.

        Returns
        -------
        list of (str, float)
            Words and cosines, in descending order.

        Raises
        ------
        UnknownWordError
            If the word is unknown: a `KeyError` that suggests the three nearest spellings.
        ValueError
            If the query is empty, or a vector is not finite or does not have the shape (d,).

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "northeast", "north", "west"], [[1, 0], [1, 1], [0, 1], [-1, 0]])
        >>> vectors.most_similar("east", topn=1)[0][0]
        'northeast'
        >>> [word for word, cosine in vectors.most_similar("north", negative="east", topn=2)]
        ['west', 'northeast']
        """
        signed = [(1, item) for item in _as_list(positive)] + [(-1, item) for item in _as_list(negative)]
        if not signed:
            raise ValueError("positive and negative must name a word or a vector, got neither")
        query = np.zeros(self.vector_size, dtype=np.float32)
        asked = []
        for sign, item in signed:
            direction, rows = self._direction(item)
            query += sign * direction
            asked += rows
        return self._nearest(query[np.newaxis], [asked], topn, restrict)[0]

    def most_similar_batch(
        self, queries: Iterable[Any], topn: int = 10, restrict: int | None = None
    ) -> list[list[tuple[str, float]]]:
        """Return the result of `most_similar` for each of many queries, computed together and much faster.

        Parameters
        ----------
        queries : iterable of words or of vectors of shape (d,)
            The queries. A word is excluded from its own result.
        topn : int
            Number of words to return.
        restrict : int, optional
            Only consider this many words, the first ones, which by convention are the most frequent.

        Returns
        -------
        list of list of (str, float)
            The result of each query.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "northeast", "north", "west"], [[1, 0], [1, 1], [0, 1], [-1, 0]])
        >>> [answer[0][0] for answer in vectors.most_similar_batch(["east", "west"], topn=1)]
        ['northeast', 'north']
        """
        found = [self._direction(query) for query in _as_list(queries)]
        if not found:
            return []
        return self._nearest(
            np.stack([direction for direction, _ in found]), [rows for _, rows in found], topn, restrict
        )

    def analogy(
        self, a: str | int, b: str | int, c: str | int, topn: int = 1, restrict: int | None = None
    ) -> list[tuple[str, float]]:
        """Return the words that are to `c` as `b` is to `a`.

        The words with the highest cosine with b − a + c, of unit vectors (3CosAdd; Mikolov, Yih and Zweig
        2013, "Linguistic regularities in continuous space word representations"). `a`, `b` and `c` are
        excluded.

        Parameters
        ----------
        a, b, c : str or int
            The words in "a is to b as c is to ?".
        topn : int
            Number of words to return.
        restrict : int, optional
            Only consider this many words, the first ones, which by convention are the most frequent.

        Returns
        -------
        list of (str, float)
            Words and cosines, in descending order.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["king", "queen", "man", "woman"], [[3, 1], [3, 2], [1, 1], [1, 2]])
        >>> vectors.analogy("man", "king", "woman")[0][0]
        'queen'
        """
        return self.most_similar([b, c], negative=[a], topn=topn, restrict=restrict)

    def postprocess(self, *, center: bool = True, remove_top: int = 0, unit_length: bool = False) -> Vectors:
        """Return new vectors with the mean and the first principal components removed.

        Parameters
        ----------
        center : bool
            Whether to subtract the mean of all vectors.
        remove_top : int
            Number of principal components to remove from the centered vectors: "all-but-the-top" [1]_, whose
            authors recommend about d / 100. Less than the number of words and the number of dimensions.
        unit_length : bool
            Whether to scale all vectors to length 1 at the end; zero vectors stay zero.

        Returns
        -------
        Vectors
            The words with their counts and new vectors. The list ``"postprocessing"`` in `metadata` has one
            more entry.

        Raises
        ------
        TypeError, ValueError
            If a parameter is invalid, if components are to be removed from vectors that are not centered, or
            if vectors to be centered are not finite.

        References
        ----------
        .. [1] J. Mu and P. Viswanath, "All-but-the-top: simple and effective postprocessing for word
           representations", ICLR 2018.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "northeast", "north"], [[8, 1], [8, 2], [5, 3]])
        >>> vectors.postprocess().vectors
        array([[ 1., -1.],
               [ 1.,  0.],
               [-2.,  1.]], dtype=float32)
        >>> vectors.postprocess(remove_top=1, unit_length=True).metadata
        {'postprocessing': [{'center': True, 'remove_top': 1, 'unit_length': True}]}
        """
        center = check_bool("center", center)
        remove_top = check_int("remove_top", remove_top, 0, max(0, min(self.vectors.shape) - 1))
        unit_length = check_bool("unit_length", unit_length)
        if remove_top and not center:
            raise ValueError(f"remove_top must be 0 unless center=True, got {remove_top}")
        nothing = CommonPart(np.zeros(self.vector_size), np.empty((self.vector_size, 0)))
        common = common_part(self.vectors, remove_top) if center else nothing
        done = {"center": center, "remove_top": remove_top, "unit_length": unit_length}
        metadata = {**self.metadata, "postprocessing": [*self.metadata.get("postprocessing", []), done]}
        if not unit_length:
            return self._without(common, metadata)
        matrix = without(self.vectors, common)
        matrix *= _inverse_norms(matrix)[:, np.newaxis]
        return Vectors(self.words, matrix, self.counts, metadata)

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Save to a file; if anything fails, an existing file is left untouched.

        Parameters
        ----------
        path : str or path-like
            The file. Its extension determines the format: ``.fvec`` keeps everything and can be
            memory-mapped; ``.bin`` is word2vec's binary, or fastText's for `SubwordVectors`, with zeros for
            the output matrix, which only training needs; ``.vec``, ``.txt`` and ``.w2v`` are word2vec's text
            and ``.glove`` is GloVe's. All but ``.fvec`` and fastText's keep the vectors of the words alone.
        format : {"fvec", "word2vec-binary", "fasttext", "word2vec-text", "glove"}, optional
            The format; by default the extension determines it.

        Raises
        ------
        OSError
            If the file cannot be written, for example because the disk is full.
        ValueError
            If the extension is unknown, or a word (with white space) cannot be stored in this format.

        Examples
        --------
        >>> import fastvec
        >>> fastvec.Vectors(["east", "west"], [[1, 0], [-1, 0]]).save("directions.fvec")
        >>> fastvec.load("directions.fvec")
        Vectors(2 words, 2 dimensions)
        """
        formats.write(path, self._contents(), format=format)

    def _contents(self) -> formats.Contents:
        """Return what files hold of the vectors."""
        return formats.Contents(self.words, self.vectors, self.counts, self.metadata)

    def _without(self, common: CommonPart, metadata: dict[str, Any]) -> Vectors:
        return Vectors(self.words, without(self.vectors, common), self.counts, metadata)

    @cached_property
    def _inverse_norms(self) -> NDArray[np.float32]:
        return _inverse_norms(self.vectors)

    def _unit(self, word: str | int) -> tuple[NDArray[np.float32], list[int]]:
        """Return the unit vector of a word, and its row in a list."""
        row = self.index(word)
        return self.vectors[row] * self._inverse_norms[row], [row]

    def _direction(self, item: Any) -> tuple[NDArray[np.float32], list[int]]:
        """Return the unit vector of a word or vector, and the word's row in a list, empty for a vector."""
        if not isinstance(item, np.ndarray):
            return self._unit(item)
        vector = as_float32(item)
        if vector.shape != (self.vector_size,) or not np.isfinite(vector).all():
            raise ValueError(f"a vector must be {self.vector_size:,} finite numbers, got {item!r}")
        return unit_rows(vector[np.newaxis])[0], []

    def _nearest(
        self, queries: NDArray[np.float32], asked: list[list[int]], topn: int, restrict: int | None
    ) -> list[list[tuple[str, float]]]:
        """Return the words nearest to each of the `queries`, shape (m, d), less the rows `asked` with it."""
        topn = check_int("topn", topn, 1)
        if restrict is not None:
            restrict = check_int("restrict", restrict, 1)
        found = nearest(
            self.vectors[:restrict], self._inverse_norms[:restrict], unit_rows(queries), asked, topn
        )
        return [
            [(self.words[row], cosine) for row, cosine in zip(rows.tolist(), cosines.tolist(), strict=True)]
            for rows, cosines in found
        ]


def checked_words(words: Sequence[str | int]) -> list[Any]:
    """Return words as a list of str or of int, or raise TypeError if `words` is no sequence of these."""
    check_sequences("words", "a sequence of words", words)
    return as_words(words)


def unit_rows(matrix: NDArray[Any]) -> NDArray[np.float32]:
    """Return the rows of a matrix, shape (n, d), at length 1; rows of zeros stay zeros."""
    unit: NDArray[np.float32] = np.multiply(matrix, _inverse_norms(matrix)[:, np.newaxis], dtype=np.float32)
    return unit


def _inverse_norms(matrix: NDArray[Any]) -> NDArray[np.float32]:
    """Return 1 / length of each row, and 0 for rows of zeros, which makes their every cosine 0."""
    squares = np.empty(len(matrix))
    at_once = max(1, NUMBERS_AT_ONCE // matrix.shape[1])
    for begin in range(0, len(matrix), at_once):
        rows = matrix[begin : begin + at_once].astype(np.float64, order="C")
        squares[begin : begin + at_once] = (rows[:, np.newaxis, :] @ rows[:, :, np.newaxis])[:, 0, 0]
    norms = np.sqrt(squares)
    if not np.isfinite(norms).all():  # the matrix is memory-mapped, or was changed
        raise not_finite("vectors", matrix, int(np.argmin(np.isfinite(norms))), "row")
    check_lengths("vectors", norms)
    long_enough = norms > np.finfo(np.float32).tiny
    inverse = np.zeros(len(norms), dtype=np.float32)
    inverse[long_enough] = 1 / norms[long_enough]
    return inverse


def _as_list(items: Any) -> list[Any]:
    if isinstance(items, np.ndarray) and (items.dtype.kind in "OSTU" or items.ndim == 0):
        items = items.tolist()  # words, or one of them
    is_one = isinstance(items, (str, bytes, numbers.Number)) or (
        isinstance(items, np.ndarray) and items.ndim == 1
    )
    return [items] if is_one else list(items)
