"""Words and their vectors: look-up, comparison, saving."""

from __future__ import annotations

import numbers
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NoReturn, cast, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastvec import formats
from fastvec._params import (
    check_bool,
    check_choice,
    check_counts,
    check_float,
    check_int,
    check_item,
    shortened,
)
from fastvec.corpus.sequences import check_sequences, check_words, ids_or_words
from fastvec.exports.notebooks import FIRST, table
from fastvec.formats.atomic import replacing
from fastvec.formats.compact import decoded
from fastvec.formats.finite import (
    as_float32,
    as_floats,
    check_finite,
    check_lengths,
    not_finite,
    read_only,
)
from fastvec.peers.errors import PeersAttributes, naming_peers_parameters
from fastvec.peers.names import VECTORS, Names
from fastvec.vectors.common import (
    CommonPart,
    common_part,
    oriented,
    principal_directions,
    projected,
    without,
)
from fastvec.vectors.nearest import all_cosines, highest, nearest
from fastvec.vectors.procrustes import rotation
from fastvec.vectors.spelling import nearest_spellings
from fastvec.vectors.transport import movers_distance

__all__ = [
    "ANALOGY_METHODS",
    "LEAST_DIVISOR",
    "UnknownWordError",
    "Vectors",
    "as_items",
    "as_words",
    "unit_rows",
]

# 2 MB in double precision.
NUMBERS_AT_ONCE = 1 << 18
ANALOGY_METHODS = ("3cosadd", "3cosmul")
# What 3CosMul adds to its divisor, which could be 0. It is gensim's; the paper has 0.001.
LEAST_DIVISOR = 1e-6


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


@naming_peers_parameters
class Vectors(PeersAttributes):
    """Words with a vector each.

    Words may be ids: product 12 is the word 12 if all words are int, and else ``"12"``. Both find it.

    Parameters
    ----------
    words : sequence of str or int
        n different words, in the order of the rows; by convention the most frequent first.
    vectors : array_like of float32, shape (n, d)
        One row per word, of finite numbers. A float32 array is not copied, even if it is strided or
        memory-mapped, nor is one of float16, which takes half the memory: cosines and what else is computed
        are float32. The numbers of a memory-mapped one are read, and refused if they are not finite, when
        the first cosine is computed.
    counts : array_like of int, shape (n,), optional
        How often each word occurred in the training text.
    metadata : dict, optional
        Training parameters, as JSON types.

    Attributes
    ----------
    words : list of str, or of int
        The n words: ids (int) if all of them are ids, else str.
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

    PEERS: ClassVar[Names] = VECTORS

    def __init__(
        self,
        words: Sequence[str | int],
        vectors: ArrayLike,
        counts: ArrayLike | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.words: list[str] = as_words(words)  # or of int
        matrix = read_only(as_floats(vectors))
        if matrix.ndim != 2 or matrix.shape[0] != len(self.words) or matrix.shape[1] == 0:
            raise ValueError(
                f"vectors must have the shape (n, d), one row for each of the {len(self.words):,} words, "
                f"got {matrix.shape}"
            )
        # An array of float32 or float16, or compact: whoever computes with its numbers converts them first.
        self._matrix: NDArray[np.float32] = matrix
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
    def vectors(self) -> NDArray[np.float32]:
        """The matrix of the vectors, read-only; to change them, make new `Vectors`.

        It is float32, of shape (n, d); float16 if it was made of that. Of vectors that are loaded from a file
        of bfloat16 or int8, it is made anew whenever it is asked for.
        """
        return self._matrix if isinstance(self._matrix, np.ndarray) else read_only(decoded(self._matrix))

    @property
    def vector_size(self) -> int:
        """Number of dimensions d of a vector."""
        return int(self._matrix.shape[1])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self):,} words, {self.vector_size:,} dimensions)"

    def _repr_html_(self) -> str:
        """Return a table of the first words, as notebooks show it."""
        n_numbers = min(self.vector_size, FIRST)
        counts = [] if self.counts is None else [f"{count:,}" for count in self.counts[:FIRST]]
        first = np.asarray(self._matrix[:FIRST, :FIRST])
        more = ["..."] if n_numbers < self.vector_size else []
        rows = [
            [word, *counts[row : row + 1], *(f"{number:.4g}" for number in numbers), *more]
            for row, (word, numbers) in enumerate(zip(self.words, first, strict=False))
        ]
        return table(repr(self), ["word", *["count"][: len(counts)], *range(n_numbers), *more], rows)

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
        return self._matrix[rows].astype(np.float32, copy=False)

    def __setitem__(self, word: Any, vector: Any) -> NoReturn:
        raise TypeError(
            f"vectors never change, got {shortened(word)}: vectors.with_words([word], [vector]) returns new "
            "ones with a word added or replaced"
        )

    def __delitem__(self, word: Any) -> NoReturn:
        raise TypeError(
            f"vectors never change, got {shortened(word)}: vectors.drop([word]) returns new ones without it"
        )

    def index(self, word: str | int, default: int | None = None) -> int:
        """Return the row of a word.

        Parameters
        ----------
        word : str or int
            The word.
        default : int, optional
            What is returned for an unknown word; by default, that is an error.

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
        row = self._index.get(item, default)
        if row is None:
            raise UnknownWordError(item, self.words)
        return row

    def mean(
        self,
        words: Iterable[str | int],
        weights: ArrayLike | None = None,
        *,
        unit: bool = False,
        unknown: str = "error",
    ) -> NDArray[np.float32]:
        """Return the mean of the vectors of words: a vector of a sentence, or of any list of words.

        Parameters
        ----------
        words : iterable of str or int
            The words; those that are there twice count twice.
        weights : array_like of float, shape (n,), optional
            How much each word counts, by default 1. The weighted sum is divided by the sum of their absolute
            values.
        unit : bool
            Whether to take the vectors at length 1, so that long ones do not outweigh others. Zero vectors,
            which have no direction, do not count then.
        unknown : {"error", "skip"}
            Whether a word without a vector is an error, or does not count.

        Returns
        -------
        ndarray of float32, shape (d,)
            The mean, zeros where nothing counts.

        Raises
        ------
        TypeError, ValueError
            If `words` is a str, or is empty with ``unknown="error"``; if a parameter is invalid.
        UnknownWordError
            If a word has no vector, with ``unknown="error"``.

        Notes
        -----
        ``unit=True, unknown="skip"`` is fastText's ``get_sentence_vector``, of ``sentence.split()``. Neither
        adds the vector of ``</s>``, the end of a line, unless that is among the words. It is gensim's
        ``get_mean_vector`` too, except that zero vectors make NaN there.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "northeast", "north"], [[1, 0], [2, 2], [0, 1]])
        >>> vectors.mean(["east", "north"])
        array([0.5, 0.5], dtype=float32)
        >>> vectors.mean("east by north".split(), weights=[3, 1, 1], unknown="skip")
        array([0.75, 0.25], dtype=float32)
        """
        unit = check_bool("unit", unit)
        items = as_items("words", words)
        counted = _as_weights(weights, len(items))
        known, matrix = self._known("words", items, unknown)
        counted = counted[known]
        if unit:
            matrix = unit_rows(matrix)
            counted = counted * matrix.any(axis=1)
        mean: NDArray[np.float32] = (counted @ matrix / (np.abs(counted).sum() or 1)).astype(np.float32)
        return mean

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

    def similarities(self, word: Any, words: Any) -> NDArray[np.float32]:
        """Return the cosine similarities of one word with each of several.

        Parameters
        ----------
        word : word or vector of shape (d,)
            The one.
        words : list or array of words or of vectors of shape (d,)
            The several.

        Returns
        -------
        ndarray of float32, shape (n,)
            The cosines, in the order of `words`.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "northeast", "north", "west"], [[1, 0], [1, 1], [0, 1], [-1, 0]])
        >>> vectors.similarities("east", ["west", "north"])
        array([-1.,  0.], dtype=float32)
        """
        query, _ = self._direction(word)
        cosines: NDArray[np.float32] = self._directions(_as_list(words))[0] @ query
        return np.clip(cosines, -1, 1, out=cosines)

    def n_similarity(
        self, words_a: Iterable[str | int], words_b: Iterable[str | int], *, unknown: str = "error"
    ) -> float:
        """Return the cosine similarity of two lists of words: that of the means of their vectors.

        Parameters
        ----------
        words_a, words_b : iterable of str or int
            The words.
        unknown : {"error", "skip"}
            Whether a word without a vector is an error, or does not count.

        Returns
        -------
        float
            The cosine, 0 where nothing counts.

        See Also
        --------
        mean : The means, also of unit vectors and weighted.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "northeast", "north", "west"], [[1, 0], [1, 1], [0, 1], [-1, 0]])
        >>> round(vectors.n_similarity(["east", "north"], ["west", "north"]), 3)
        0.0
        """
        sums = [
            self._known(name, as_items(name, words), unknown)[1].sum(axis=0, dtype=np.float64)
            for name, words in (("words_a", words_a), ("words_b", words_b))
        ]
        a, b = unit_rows(np.stack(sums))
        return float(np.clip(a @ b, -1, 1))

    def doesnt_match(self, words: Iterable[str | int], *, unknown: str = "error") -> str:
        """Return the word that fits least with the others.

        It is the one whose cosine with the mean of the unit vectors of all of them is lowest.

        Parameters
        ----------
        words : iterable of str or int
            At least three words.
        unknown : {"error", "skip"}
            Whether a word without a vector is an error, or does not count.

        Returns
        -------
        str
            The word; of several, the first.

        Raises
        ------
        UnknownWordError
            If a word has no vector, with ``unknown="error"``.
        TypeError, ValueError
            If `words` is a str, or holds fewer than three words, of those that count.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "northeast", "north", "west"], [[1, 0], [1, 1], [0, 1], [-1, 0]])
        >>> vectors.doesnt_match("north west northeast".split())
        'west'
        """
        given = as_items("words", words)
        places, matrix = self._known("words", given, unknown if len(given) else "skip")
        if len(places) < 3:
            raise ValueError(
                f"words must hold at least three words with vectors, got {len(places)}: two are equally far "
                "from each other"
            )
        units = unit_rows(matrix)
        item = check_item("word", given[places[int((units @ units.mean(axis=0)).argmin())]])
        row = self.index(item, -1)
        return item if row < 0 else self.words[row]

    def closer_than(self, word: str | int, other: str | int) -> list[str]:
        """Return the words that are more similar to a word than another one is.

        Parameters
        ----------
        word, other : str or int
            The words.

        Returns
        -------
        list of str
            Those with a higher cosine with `word` than `other` has, the most similar first, without `word`.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "northeast", "north", "west"], [[1, 0], [1, 1], [0, 1], [-1, 0]])
        >>> vectors.closer_than("east", "west")
        ['northeast', 'north']
        """
        rows, cosines = self._closer_rows(word, other)
        return [self.words[row] for row in rows[np.argsort(-cosines, kind="stable")]]

    def rank(self, word: str | int, other: str | int) -> int:
        """Return the place of a word among those that are most similar to another one.

        Parameters
        ----------
        word : str or int
            The word that the others are compared with.
        other : str or int
            The word whose place is asked for.

        Returns
        -------
        int
            1 for the most similar word, and so on.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "northeast", "north", "west"], [[1, 0], [1, 1], [0, 1], [-1, 0]])
        >>> vectors.rank("east", "north")
        2
        """
        return len(self._closer_rows(word, other)[0]) + 1

    def word_movers_distance(
        self,
        words_a: Iterable[str | int],
        words_b: Iterable[str | int],
        *,
        unit: bool = True,
        unknown: str = "error",
    ) -> float:
        """Return the word mover's distance of two texts [1]_.

        It is what it costs at least to move the words of one text to those of the other, each by the distance
        of their vectors. Needs POT: ``pip install 'fastvec[wmd]'``.

        Parameters
        ----------
        words_a, words_b : iterable of str or int
            The words of the texts.
        unit : bool
            Whether to take the vectors at length 1.
        unknown : {"error", "skip"}
            Whether a word without a vector is an error, or does not count.

        Returns
        -------
        float
            The distance; infinite where no word of a text counts.

        Raises
        ------
        ImportError
            If POT is not installed.
        TypeError, ValueError
            If a text is a str, or is empty with ``unknown="error"``; if a parameter is invalid.
        UnknownWordError
            If a word has no vector, with ``unknown="error"``.

        References
        ----------
        .. [1] M. Kusner, Y. Sun, N. Kolkin and K. Weinberger, "From word embeddings to document distances",
           ICML 2015.
        """
        unit = check_bool("unit", unit)
        texts = []
        for name, words in (("words_a", words_a), ("words_b", words_b)):
            items = as_items(name, words)
            known, matrix = self._known(name, items, unknown)
            occurrences = Counter(items[place] for place in known)
            first = [items.index(word) for word in occurrences]
            matrix = matrix[np.searchsorted(known, first)]
            masses = np.array([*occurrences.values()]) / max(1, len(known))
            texts.append((unit_rows(matrix) if unit else matrix, masses))
        (a, mass_a), (b, mass_b) = texts
        return movers_distance(a, b, mass_a, mass_b) if len(a) and len(b) else float("inf")

    @overload
    def most_similar(
        self, positive: Any = (), negative: Any = (), topn: int = 10, restrict: int | None = None
    ) -> list[tuple[str, float]]: ...

    @overload
    def most_similar(
        self, positive: Any = (), negative: Any = (), *, topn: None, restrict: int | None = None
    ) -> NDArray[np.float32]: ...

    def most_similar(
        self, positive: Any = (), negative: Any = (), topn: int | None = 10, restrict: int | None = None
    ) -> list[tuple[str, float]] | NDArray[np.float32]:
        """Return the words most similar to a query, by cosine.

        The query is the sum of the unit vectors of `positive` minus those of `negative`.

        Parameters
        ----------
        positive, negative : word, vector of shape (d,), or list or array of these
            Words or vectors to be similar to, and dissimilar to. These words are excluded from the result. In
            a list, ``("king", 2.0)`` is a word or vector with how much it counts, by default 1. Vectors count
            by their directions, whatever their lengths.
        topn : int or None
            Number of words to return; None returns the cosines of all words.
        restrict : int, optional
            Only consider this many words, the first ones, which by convention are the most frequent.

        Returns
        -------
        list of (str, float), or ndarray of float32, shape (n,)
            Words and cosines, in descending order; with ``topn=None`` the cosines of all words, those of the
            query too, in the order of `words`.

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
        >>> vectors.most_similar([("north", 2.0), "east"], topn=1)[0][0]
        'northeast'
        >>> vectors.most_similar("north", topn=None)
        array([0.        , 0.70710677, 1.        , 0.        ], dtype=float32)
        """
        weighted = [(weight, item) for item, weight in map(_weighted, _as_list(positive))]
        weighted += [(-weight, item) for item, weight in map(_weighted, _as_list(negative))]
        if not weighted:
            raise ValueError("positive and negative must name a word or a vector, got neither")
        largest = max(abs(weight) for weight, _ in weighted) or 1  # so that no sum overflows
        query = np.zeros(self.vector_size, dtype=np.float32)
        asked = []
        for weight, item in weighted:
            direction, rows = self._direction(item)
            query += weight / largest * direction
            asked += rows
        if topn is None:
            cosines: NDArray[np.float32] = self._cosines(query[np.newaxis], restrict)[0]
            return cosines
        return self._nearest(query[np.newaxis], [asked], topn, restrict)[0]

    @overload
    def most_similar_batch(
        self, queries: Iterable[Any], topn: int = 10, restrict: int | None = None
    ) -> list[list[tuple[str, float]]]: ...

    @overload
    def most_similar_batch(
        self, queries: Iterable[Any], topn: None, restrict: int | None = None
    ) -> NDArray[np.float32]: ...

    def most_similar_batch(
        self, queries: Iterable[Any], topn: int | None = 10, restrict: int | None = None
    ) -> list[list[tuple[str, float]]] | NDArray[np.float32]:
        """Return the result of `most_similar` for each of many queries, computed together and much faster.

        Parameters
        ----------
        queries : iterable of words or of vectors of shape (d,)
            The queries. A word is excluded from its own result.
        topn : int or None
            Number of words to return; None returns the cosines of all words.
        restrict : int, optional
            Only consider this many words, the first ones, which by convention are the most frequent.

        Returns
        -------
        list of list of (str, float), or ndarray of float32, shape (m, n)
            The result of each query.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "northeast", "north", "west"], [[1, 0], [1, 1], [0, 1], [-1, 0]])
        >>> [answer[0][0] for answer in vectors.most_similar_batch(["east", "west"], topn=1)]
        ['northeast', 'north']
        """
        directions, asked = self._directions(_as_list(queries))
        if topn is None:
            return self._cosines(directions, restrict)
        return self._nearest(directions, asked, topn, restrict) if asked else []

    @overload
    def analogy(
        self,
        a: str | int,
        b: str | int,
        c: str | int,
        topn: int = 1,
        restrict: int | None = None,
        *,
        method: str = "3cosadd",
    ) -> list[tuple[str, float]]: ...

    @overload
    def analogy(
        self,
        a: str | int,
        b: str | int,
        c: str | int,
        topn: None,
        restrict: int | None = None,
        *,
        method: str = "3cosadd",
    ) -> NDArray[np.float32]: ...

    def analogy(
        self,
        a: str | int,
        b: str | int,
        c: str | int,
        topn: int | None = 1,
        restrict: int | None = None,
        *,
        method: str = "3cosadd",
    ) -> list[tuple[str, float]] | NDArray[np.float32]:
        """Return the words that are to `c` as `b` is to `a`.

        Parameters
        ----------
        a, b, c : str or int
            The words in "a is to b as c is to ?", which are excluded from the result.
        topn : int or None
            Number of words to return; None returns the scores of all words.
        restrict : int, optional
            Only consider this many words, the first ones, which by convention are the most frequent.
        method : {"3cosadd", "3cosmul"}
            How words are scored. By 3CosAdd [1]_ it is the cosine with b − a + c, of unit vectors; by 3CosMul
            [2]_ the product of the cosines with b and c, divided by that with a, all of them shifted to be
            from 0 to 1, so that one high cosine does not outweigh the others.

        Returns
        -------
        list of (str, float), or ndarray of float32, shape (n,)
            Words and scores, in descending order; with ``topn=None`` the scores of all words in the order of
            `words`, those of `a`, `b` and `c` too.

        References
        ----------
        .. [1] T. Mikolov, W. Yih and G. Zweig, "Linguistic regularities in continuous space word
           representations", NAACL 2013.
        .. [2] O. Levy and Y. Goldberg, "Linguistic regularities in sparse and explicit word representations",
           CoNLL 2014.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["king", "queen", "man", "woman"], [[3, 1], [3, 2], [1, 1], [1, 2]])
        >>> vectors.analogy("man", "king", "woman")[0][0]
        'queen'
        """
        if check_choice("method", method, ANALOGY_METHODS) == "3cosadd":
            return self.most_similar([b, c], [a], topn=cast("int", topn), restrict=restrict)
        found = [self._unit(word) for word in (a, b, c)]
        # One by one is faster than the product with all three.
        of_a, of_b, of_c = ((1 + self._cosines(unit[np.newaxis], restrict)[0]) / 2 for unit, _ in found)
        scores: NDArray[np.float32] = of_b * of_c / (of_a + np.float32(LEAST_DIVISOR))
        if topn is None:
            return scores
        asked = [row for _, rows in found for row in rows if row < len(scores)]
        rows = highest(scores, asked, _as_topn(topn)).tolist()
        return [(self.words[row], float(scores[row])) for row in rows]

    def subset(self, words: Iterable[str | int]) -> Vectors:
        """Return new vectors of some of the words.

        Parameters
        ----------
        words : iterable of str or int
            The words. Words keep their order in these vectors, by convention the most frequent first.

        Returns
        -------
        Vectors
            The words with their vectors and counts, and the same `metadata`.

        Raises
        ------
        UnknownWordError
            If a word has no vector.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "northeast", "north", "west"], [[1, 0], [1, 1], [0, 1], [-1, 0]])
        >>> vectors.subset(["west", "east"]).words
        ['east', 'west']
        >>> vectors.subset(word for word in ["south", "north"] if word in vectors).words
        ['north']
        """
        return self._rows_of(sorted({self.index(word) for word in as_items("words", words)}))

    def drop(self, words: Iterable[str | int]) -> Vectors:
        """Return new vectors without some of the words.

        Parameters
        ----------
        words : iterable of str or int
            The words to leave out.

        Returns
        -------
        Vectors
            The other words with their vectors and counts, and the same `metadata`.

        Raises
        ------
        UnknownWordError
            If a word is not in the vocabulary.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> Vectors(["east", "northeast", "north"], [[1, 0], [1, 1], [0, 1]]).drop(["northeast"]).words
        ['east', 'north']
        """
        dropped = {self.index(word) for word in as_items("words", words)}
        return self._rows_of([row for row in range(len(self)) if row not in dropped])

    def with_words(self, words: Iterable[str | int], vectors: ArrayLike) -> Vectors:
        """Return new vectors with some words added or replaced.

        Parameters
        ----------
        words : iterable of str or int
            Different words. Those that are known get other vectors where they are; the others follow in this
            order, with a count of 0 if counts are known.
        vectors : array_like of float32, shape (n, d)
            Their vectors, of finite numbers.

        Returns
        -------
        Vectors
            All words with their vectors and counts, and the same `metadata`.

        Raises
        ------
        TypeError, ValueError
            If a word occurs twice, the shapes do not match, or a vector is not finite.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "north"], [[1, 0], [0, 1]])
        >>> more = vectors.with_words(["west", "north"], [[-1, 0], [0, 2]])
        >>> more.words, more["north"]
        (['east', 'north', 'west'], array([0., 2.], dtype=float32))
        """
        given = as_words(as_items("words", words))
        matrix = as_float32(vectors)
        if matrix.shape != (len(given), self.vector_size):
            raise ValueError(
                f"vectors must have the shape ({len(given)}, {self.vector_size}), one row for each of the "
                f"words, got {matrix.shape}"
            )
        check_finite("vectors", matrix, "word", given)
        if len(set(given)) < len(given):
            raise ValueError(f"words must be distinct, got {Counter(given).most_common(1)[0][0]!r} twice")
        return self._with(given, matrix)

    def reduce(self, n_components: int) -> Vectors:
        """Return new vectors of fewer dimensions: their principal components.

        They are projected, as they are, on the directions in which the vectors of all words vary most. What
        principal component analysis does, which centers them first, is
        ``vectors.postprocess().reduce(n_components)``.

        Parameters
        ----------
        n_components : int
            The number of dimensions, at most that of these vectors.

        Returns
        -------
        Vectors
            The words with their counts and new vectors, the first component first. The list
            ``"postprocessing"`` in `metadata` has one more entry.

        Raises
        ------
        TypeError, ValueError
            If `n_components` is invalid, or vectors are not finite.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "northeast", "north"], [[8, 0, 0], [0, 1, 0], [0, 0, 2]])
        >>> vectors.reduce(2)
        Vectors(3 words, 2 dimensions)
        """
        n_components = check_int("n_components", n_components, 1, self.vector_size)
        directions = oriented(common_part(self._matrix, n_components).components[:, ::-1])
        metadata = self._postprocessed({"n_components": n_components})
        return self._transformed(lambda matrix: projected(matrix, directions), metadata)

    def order_dimensions(self) -> Vectors:
        """Return these vectors turned such that their first dimensions are the best: Matryoshka order [1]_.

        The turned vectors have the same cosines as these. Of all projections on d dimensions, the first d of
        theirs change the vectors at length 1 least, in the sum of squares. So one file serves for all sizes:
        `truncate` takes as many dimensions as are wanted.

        Returns
        -------
        Vectors
            The words with their counts and new vectors. The list ``"postprocessing"`` in `metadata` has one
            more entry.

        Raises
        ------
        ValueError
            If vectors are not finite.

        See Also
        --------
        reduce : The dimensions in which vectors vary most, which need not keep cosines.

        References
        ----------
        .. [1] A. Kusupati and others, "Matryoshka representation learning", NeurIPS 2022, who train their
           vectors so; these are put in order afterwards.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> vectors = Vectors(["east", "northeast", "north"], [[0, 8, 0], [0, 2, 2], [0, 0, 1]])
        >>> round(vectors.order_dimensions().truncate(2).similarity("east", "northeast"), 3)
        0.707
        """
        directions = principal_directions(self._matrix, self._inverse_norms)
        metadata = self._postprocessed({"ordered_dimensions": True})
        return self._transformed(lambda matrix: projected(matrix, directions), metadata)

    def truncate(self, n_dimensions: int) -> Vectors:
        """Return new vectors of the first dimensions of these.

        Of vectors from `order_dimensions` these are the best, of others as good as any of the dimensions.
        A matrix that is memory-mapped is mapped still.

        Parameters
        ----------
        n_dimensions : int
            The number of dimensions, at most that of these vectors.

        Returns
        -------
        Vectors
            The words with their counts and the beginning of their vectors, which shares the memory of these.
            The list ``"postprocessing"`` in `metadata` has one more entry.

        Raises
        ------
        TypeError, ValueError
            If `n_dimensions` is invalid.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> Vectors(["east", "north"], [[8, 0, 1], [0, 1, 3]]).truncate(2)["east"]
        array([8., 0.], dtype=float32)
        """
        n_dimensions = check_int("n_dimensions", n_dimensions, 1, self.vector_size)
        metadata = self._postprocessed({"truncated": n_dimensions})
        return self._transformed(lambda matrix: matrix[:, :n_dimensions], metadata)

    def align(
        self, reference: Vectors, pairs: Iterable[tuple[str | int, str | int]] | None = None
    ) -> Vectors:
        """Return these vectors turned such that words lie where those of other vectors do.

        The vectors of two trainings cannot be compared, for every training has directions of its own. They
        are turned, as a whole, by the rotation (or reflection) that brings paired words nearest to each
        other: the orthogonal Procrustes problem [1]_, of unit vectors. Cosines of these vectors among
        themselves stay as they are. It shows how words change from one time to the next [2]_, and which
        words of two languages mean the same.

        Parameters
        ----------
        reference : Vectors
            Vectors of as many dimensions.
        pairs : iterable of (word, word), optional
            A word of these vectors and a word of `reference` that means the same, as in a dictionary. By
            default, all words that both have.

        Returns
        -------
        Vectors
            The words with their counts and new vectors, which `reference` can be asked about:
            ``reference.most_similar(aligned[word])``. The list ``"postprocessing"`` in `metadata` has one
            more entry.

        Raises
        ------
        UnknownWordError
            If a word of a pair has no vector.
        TypeError, ValueError
            If `reference` is something else or has another number of dimensions, or there are no pairs.

        References
        ----------
        .. [1] P. Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika
           1966.
        .. [2] W. Hamilton, J. Leskovec and D. Jurafsky, "Diachronic word embeddings reveal statistical laws
           of semantic change", ACL 2016.

        Examples
        --------
        >>> from fastvec.vectors import Vectors
        >>> english = Vectors(["east", "north", "west"], [[1, 0], [0, 1], [-1, 0]])
        >>> german = Vectors(["Ost", "Nord", "West"], [[0, 2], [-2, 0], [0, -2]])
        >>> aligned = german.align(english, [("Ost", "east"), ("Nord", "north")])
        >>> english.most_similar(aligned["West"], topn=1)[0][0]
        'west'
        """
        if not isinstance(reference, Vectors):
            raise TypeError(f"reference must be Vectors, got {shortened(reference)}")
        if reference.vector_size != self.vector_size:
            raise ValueError(
                f"reference must have {self.vector_size} dimensions, as these vectors, "
                f"got {reference.vector_size}"
            )
        if pairs is None:
            couples: list[Any] = [(word, word) for word in self if word in reference]
        else:
            couples = [*pairs] if isinstance(pairs, Iterable) else [pairs]
        if any(not isinstance(pair, (tuple, list, np.ndarray)) or len(pair) != 2 for pair in couples):
            raise TypeError(f"pairs must be pairs of words, [('Ost', 'east')], got {shortened(pairs)}")
        if not couples:
            missing = "the vectors have no word in common" if pairs is None else "got none"
            raise ValueError(f"pairs must hold at least one pair of words: {missing}")
        here, there = ([*words] for words in zip(*couples, strict=True))
        turn = rotation(unit_rows(self[here]), unit_rows(reference[there]))
        metadata = self._postprocessed({"aligned_by": len(couples)})
        return self._transformed(lambda matrix: projected(matrix, turn), metadata)

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
        remove_top = check_int("remove_top", remove_top, 0, max(0, min(self._matrix.shape) - 1))
        unit_length = check_bool("unit_length", unit_length)
        if remove_top and not center:
            raise ValueError(f"remove_top must be 0 unless center=True, got {remove_top}")
        nothing = CommonPart(np.zeros(self.vector_size), np.empty((self.vector_size, 0)))
        common = common_part(self._matrix, remove_top) if center else nothing
        done = {"center": center, "remove_top": remove_top, "unit_length": unit_length}
        metadata = self._postprocessed(done)
        if not unit_length:
            return self._transformed(lambda matrix: without(matrix, common), metadata)
        matrix = without(self._matrix, common)
        matrix *= _inverse_norms(matrix)[:, np.newaxis]
        return Vectors(self.words, matrix, self.counts, metadata)

    def save(
        self,
        path: str | os.PathLike[str],
        format: str | None = None,
        *,
        counts: str | os.PathLike[str] | None = None,
        dtype: str | None = None,
    ) -> None:
        """Save to a file; if anything fails, an existing file is left untouched.

        Parameters
        ----------
        path : str or path-like
            The file. Its extension determines the format: ``.fvec`` keeps everything and can be
            memory-mapped; ``.bin`` is word2vec's binary, or fastText's for `SubwordVectors`, with zeros for
            the output matrix, which only training needs; ``.floret`` is floret's table of n-grams, without
            the words; ``.vec``, ``.txt`` and ``.w2v`` are word2vec's text and ``.glove`` is GloVe's. These
            and word2vec's binary keep the vectors of the words alone.
        format : {"fvec", "word2vec-binary", "fasttext", "floret", "word2vec-text", "glove"}, optional
            The format; by default the extension determines it.
        counts : path-like, optional
            A second file, with a word and its count in each line, as gensim's ``fvocab``: the formats of
            word2vec and GloVe have no place for counts.
        dtype : {"float32", "bfloat16", "int8"}, optional
            What numbers are kept as in a .fvec: 4, 2 or 1 bytes each, and with int8 4 for a row. By default
            as float32, or as these vectors were loaded. bfloat16 changes cosines by at most about 0.001, int8
            by some thousandths. What is loaded from such a file stays as small in memory, and `vectors` of it
            is a new array; all that is computed is float32.

        Raises
        ------
        OSError
            If a file cannot be written, for example because the disk is full.
        ValueError
            If the extension is unknown, a word (with white space) or n-grams of this kind cannot be stored in
            this format, or there are no counts for a file of them; for a `dtype` in another format.

        Examples
        --------
        >>> import fastvec
        >>> fastvec.Vectors(["east", "west"], [[1, 0], [-1, 0]]).save("directions.fvec")
        >>> fastvec.load("directions.fvec")
        Vectors(2 words, 2 dimensions)
        """
        formats.write(path, self._stored(), format=format, counts=counts, dtype=dtype)

    def to_pandas(self) -> Any:
        """Return a `pandas.DataFrame` with a row for each word, its index, and a column for each dimension.

        It shares the memory of `vectors`, and cannot be written to.

        Returns
        -------
        pandas.DataFrame
            The vectors.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        from fastvec.exports import tables

        return tables.to_pandas(self._contents())

    def to_arrow(self) -> Any:
        """Return an Arrow table of words and vectors, for Parquet, Polars, DuckDB and others.

        Returns
        -------
        pyarrow.Table
            The columns ``word``, ``vector``, lists of a fixed size that share the memory of `vectors` if that
            is contiguous, and ``count``, if counts are known.

        Raises
        ------
        ImportError
            If pyarrow is not installed.
        """
        from fastvec.exports import tables

        return tables.to_arrow(self._contents())

    @classmethod
    def from_arrow(cls, table: Any) -> Vectors:
        """Return the vectors of a table as `to_arrow` makes it.

        Parameters
        ----------
        table : pyarrow.Table, or DataFrame of Polars, pandas or DuckDB
            Columns ``word``, ``vector``, lists of numbers, and perhaps ``count``; others are ignored.

        Returns
        -------
        Vectors
            The words in the order of the rows.

        Raises
        ------
        ImportError
            If pyarrow is not installed.
        TypeError, ValueError
            If it is no table, or a column is missing, has nulls, or lists of several lengths.
        """
        from fastvec.exports import tables

        return Vectors(*tables.from_arrow(table)[:3])

    def to_torch(self, *, freeze: bool = True, padding: bool = False) -> Any:
        """Return a `torch.nn.Embedding` with a copy of the vectors; `index` has the number of a word.

        Parameters
        ----------
        freeze : bool
            Whether training leaves the vectors as they are.
        padding : bool
            Whether to add a row of zeros behind those of the words, the ``padding_idx``.

        Returns
        -------
        torch.nn.Embedding
            The layer, in float32.

        Raises
        ------
        ImportError
            If PyTorch is not installed.
        """
        from fastvec.exports import embedding

        return embedding.to_torch(self._contents(), freeze=freeze, padding=padding)

    def to_projector(self, folder: str | os.PathLike[str]) -> None:
        """Write ``vectors.tsv`` and ``metadata.tsv`` for TensorBoard's embedding projector.

        Parameters
        ----------
        folder : path-like
            The folder, which is made if it does not exist; files of these names in it are replaced.

        Raises
        ------
        ValueError
            If a word is empty or has a tab or line feed.
        """
        from fastvec.exports import projector

        projector.to_projector(self._contents(), folder)

    def to_sentence_transformers(
        self,
        folder: str | os.PathLike[str],
        *,
        sif: float | None = None,
        lowercase: bool | None = None,
    ) -> None:
        """Write a static embedding model that sentence-transformers and model2vec load.

        A text becomes the mean of the vectors of its words. It is split at white space, and punctuation at
        the beginning and the end of a piece is split off. Words that are not in the vocabulary do not count,
        not even if they have n-grams, which such a model has no place for. A text without a known word
        becomes zeros.

        Parameters
        ----------
        folder : path-like
            The folder, which is made if it does not exist; files of a model in it are replaced.
        sif : float, optional
            Multiply the vector of a word by sif / (sif + p), where p is its part of the training text, so
            that frequent words count less [1]_; 0.001 is usual. Needs counts.
        lowercase : bool, optional
            Whether to put texts in lower case. By default, if no word of the vocabulary has capital letters.

        Raises
        ------
        ValueError
            If there are no words, or with `sif` no counts.

        References
        ----------
        .. [1] S. Arora, Y. Liang and T. Ma, "A simple but tough-to-beat baseline for sentence embeddings",
           ICLR 2017.
        """
        from fastvec.exports import sentences

        sentences.to_sentence_transformers(self._contents(), folder, sif=sif, lowercase=lowercase)

    def to_usearch(self, path: str | os.PathLike[str]) -> Any:
        """Write an index of USearch by cosine, which finds neighbors approximately, and return it.

        Parameters
        ----------
        path : path-like
            The file, for ``usearch.index.Index.restore``; an existing one is replaced.

        Returns
        -------
        usearch.index.Index
            The index. Its keys are rows, so that ``vectors.words[key]`` is a word; its distances are 1 less
            the cosine.

        Raises
        ------
        ImportError
            If USearch is not installed.
        """
        from fastvec.exports import approximate

        return approximate.to_usearch(self._contents(), path)

    def plot(
        self,
        path: str | os.PathLike[str] | None = None,
        words: int | Iterable[str | int] = 2000,
        *,
        seed: int = 1,
    ) -> Any:
        """Draw a map of words on which similar ones are near each other, by t-SNE [1]_ of their directions.

        Parameters
        ----------
        path : path-like, optional
            A file to write: ``.html``, a page of its own that zooms, searches, and shows the neighbors of a
            word among all words, or ``.png``. By default, the map is drawn by matplotlib and returned.
        words : int or iterable of str or int
            The words, or how many of the first ones, which by convention are the most frequent. The time of
            t-SNE grows with the square of their number.
        seed : int
            Seed of the places of words that are equal. The same seed draws the same map.

        Returns
        -------
        matplotlib.axes.Axes or None
            The map, if no file is written.

        Raises
        ------
        ImportError
            If openTSNE, for five words or more, or for other than ``.html`` matplotlib is not installed.
        UnknownWordError
            If a word has no vector.
        ValueError
            If the extension is unknown, or there are no words.

        References
        ----------
        .. [1] L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", JMLR 2008.
        """
        from fastvec.exports import layout, pages, pictures

        extension = None if path is None else Path(path).suffix.lower()
        if extension not in (None, ".html", ".png"):
            raise ValueError(f"path must end in .html or .png, got {os.fspath(cast(str, path))!r}")
        check_int("seed", seed, 0, 2**32 - 1)
        if isinstance(words, int | np.integer):
            shown = self.words[: check_int("words", words, 1)]
        else:
            shown = [*dict.fromkeys(as_words(as_items("words", words)))]
            shown.sort(key=lambda word: self.index(word, len(self)))
        if not shown:
            raise ValueError("words must have a word, got none")
        names = [*map(str, shown)]
        places = layout.on_plane(self._directions(shown)[0], seed)
        if path is None:
            return pictures.draw_map(names, places)
        with replacing(path) as temporary:
            if extension == ".png":
                pictures.write_map(names, places, temporary)
            else:
                near = self.most_similar_batch(shown, topn=10)
                temporary.write_bytes(pages.page(names, places, near))
        return None

    def _stored(self) -> formats.Contents:
        """Return what files hold of the vectors, the matrices as they are kept."""
        return formats.Contents(self.words, self._matrix, self.counts, self.metadata)

    def _contents(self) -> formats.Contents:
        """Return what files hold of the vectors, the matrices as arrays."""
        return self._stored()._replace(vectors=self.vectors)

    def _postprocessed(self, done: dict[str, Any]) -> dict[str, Any]:
        """Return the metadata with one more entry for what was done to the vectors."""
        return {**self.metadata, "postprocessing": [*self.metadata.get("postprocessing", []), done]}

    def _transformed(
        self, transform: Callable[[NDArray[np.float32]], NDArray[np.float32]], metadata: dict[str, Any]
    ) -> Vectors:
        """Return vectors that are what `transform` makes of a matrix of these."""
        return Vectors(self.words, transform(self._matrix), self.counts, metadata)

    def _rows_of(self, rows: list[int]) -> Vectors:
        """Return vectors of the words of some rows."""
        words = [self.words[row] for row in rows]
        counts = None if self.counts is None else self.counts[rows]
        return Vectors(words, self._matrix[rows], counts, self.metadata)

    def _with(self, words: list[str], vectors: NDArray[np.float32]) -> Vectors:
        """Return vectors with words added or replaced."""
        new = [word for word in words if word not in self]
        rows = {word: row for row, word in enumerate(new, len(self))}
        matrix = np.empty((len(self) + len(new), self.vector_size), dtype=self._matrix.dtype)
        matrix[: len(self)] = self._matrix
        with np.errstate(over="ignore"):  # what is beyond float16 is infinite there
            matrix[[self.index(word, rows.get(word)) for word in words]] = vectors
        counts = None if self.counts is None else np.pad(self.counts, (0, len(new)))
        return Vectors([*self.words, *new], matrix, counts, self.metadata)

    @cached_property
    def _inverse_norms(self) -> NDArray[np.float32]:
        return _inverse_norms(self._matrix)

    def _unit(self, word: str | int) -> tuple[NDArray[np.float32], list[int]]:
        """Return the unit vector of a word, and its row in a list."""
        row = self.index(word)
        return self[word] * self._inverse_norms[row], [row]

    def _direction(self, item: Any) -> tuple[NDArray[np.float32], list[int]]:
        """Return the unit vector of a word or vector, and the word's row in a list, empty for a vector."""
        if not isinstance(item, np.ndarray):
            return self._unit(item)
        vector = as_float32(item)
        if vector.shape != (self.vector_size,) or not np.isfinite(vector).all():
            raise ValueError(f"a vector must be {self.vector_size:,} finite numbers, got {item!r}")
        return unit_rows(vector[np.newaxis])[0], []

    def _directions(self, items: Sequence[Any]) -> tuple[NDArray[np.float32], list[list[int]]]:
        """Return the unit vectors of words or vectors, shape (m, d), and the rows of each."""
        rows = [self._index.get(item, -1) if type(item) is str else -1 for item in items]
        if rows and min(rows) >= 0:
            vectors = self._matrix[rows].astype(np.float32, copy=False)
            return vectors * self._inverse_norms[rows, np.newaxis], [[row] for row in rows]
        found = [self._direction(item) for item in items]
        units = np.reshape([unit for unit, _ in found], (-1, self.vector_size)).astype(np.float32, copy=False)
        return units, [asked for _, asked in found]

    def _known(
        self, name: str, items: Sequence[Any], unknown: str
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return the places of the words in a list that have vectors, shape (n,), and these, shape (n, d)."""
        skip = check_choice("unknown", unknown, ("error", "skip")) == "skip"
        if not len(items) and not skip:
            raise ValueError(f"{name} must hold at least one word unless unknown='skip', got none")
        places, found = [], []
        for place, item in enumerate(items):
            try:
                found.append(self[check_item("word", item)])
            except UnknownWordError:
                if not skip:
                    raise
            else:
                places.append(place)
        return np.array(places, dtype=np.intp), np.reshape(found, (-1, self.vector_size)).astype(np.float32)

    def _closer_rows(self, word: str | int, other: str | int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return the rows with a higher cosine with a word than another word has, and these cosines."""
        query, asked = self._direction(word)
        cosines = self._cosines(query[np.newaxis])[0]
        row = self.index(other, -1)
        least = self.similarities(query, [other])[0] if row < 0 else cosines[row]
        closer = cosines > least
        closer[asked] = False
        return np.flatnonzero(closer), cosines[closer]

    def _cosines(self, queries: NDArray[np.float32], restrict: int | None = None) -> NDArray[np.float32]:
        """Return the cosines of each of the `queries`, shape (m, d), with all words, shape (m, n)."""
        restrict = _as_restrict(restrict)
        return all_cosines(self._matrix[:restrict], self._inverse_norms[:restrict], unit_rows(queries))

    def _nearest(
        self, queries: NDArray[np.float32], asked: list[list[int]], topn: int, restrict: int | None
    ) -> list[list[tuple[str, float]]]:
        """Return the words nearest to each of the `queries`, shape (m, d), less the rows `asked` with it."""
        topn = _as_topn(topn)
        restrict = _as_restrict(restrict)
        found = nearest(
            self._matrix[:restrict], self._inverse_norms[:restrict], unit_rows(queries), asked, topn
        )
        return [
            [(self.words[row], cosine) for row, cosine in zip(rows.tolist(), cosines.tolist(), strict=True)]
            for rows, cosines in found
        ]


def as_words(words: Sequence[str | int]) -> list[Any]:
    """Return words as a list of str or of int, or raise TypeError if `words` is no sequence of these."""
    check_sequences("words", "a sequence of words", words)
    return ids_or_words(words)


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


def _weighted(item: Any) -> tuple[Any, float]:
    """Return a word or vector of a query, and how much it counts."""
    if isinstance(item, tuple) and len(item) == 2:
        return item[0], check_float(f"the weight of {shortened(item[0])}", item[1])
    if isinstance(item, (float, np.floating)):
        raise TypeError(
            f"word must be a str or an int, got {item!r}: a weight is paired with its word, [('king', 2.0)]"
        )
    return item, 1.0


def as_items(name: str, words: Any) -> Sequence[Any]:
    """Return words as a list or tuple, or raise TypeError if they are a str or something else."""
    return list(words) if isinstance(words, (set, frozenset)) else check_words(name, words)


def _as_weights(weights: ArrayLike | None, n_words: int) -> NDArray[np.float64]:
    """Return the weights of words, shape (n,), which are 1 if there are none."""
    if weights is None:
        return np.ones(n_words)
    given = np.asarray(weights)
    if given.dtype.kind not in "biuf" and given.size:
        raise TypeError(f"weights must be numbers, one for each word, got {shortened(weights)}")
    if given.shape != (n_words,):
        raise ValueError(
            f"weights must have the shape ({n_words},), one number for each word, got {given.shape}"
        )
    if not np.isfinite(given).all():
        raise ValueError(f"weights must be finite numbers, got {shortened(weights)}")
    return given.astype(np.float64)


def _as_topn(topn: int) -> int:
    try:
        return check_int("topn", topn, 1)
    except ValueError as error:
        raise ValueError(f"{error}: None returns the cosines of all words") from None


def _as_restrict(restrict: int | None) -> int | None:
    return None if restrict is None else check_int("restrict", restrict, 1)
