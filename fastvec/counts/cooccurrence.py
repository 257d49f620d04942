"""Counts of how often words occur near each other, which GloVe and PPMI with SVD learn from."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastvec._params import Estimator, check_bool, check_choice, check_int, check_item
from fastvec.corpus import Corpus
from fastvec.corpus.selection import (
    check_words,
    given_vocabulary,
    made_of,
    provenance_with,
    recoded,
    select,
)
from fastvec.corpus.tags import check_untagged
from fastvec.corpus.vocabulary import Vocabulary, union
from fastvec.counts import files, glove_files
from fastvec.counts.counting import count
from fastvec.counts.runs import CountMatrix, add_matrices
from fastvec.counts.triples import counts_of_records, counts_of_triples, vocabulary_of
from fastvec.counts.units import WEIGHTINGS, distance_weights
from fastvec.exports.notebooks import FIRST, table
from fastvec.formats.places import on_disk
from fastvec.formats.spool import memory_left
from fastvec.training.threads import Workers, number_of_threads
from fastvec.vectors import UnknownWordError

__all__ = ["Cooccurrence"]

# Entries that are written at a time.
ENTRIES_AT_ONCE = 1 << 20


class Cooccurrence(Estimator):
    """Counts of how often words occur near each other.

    The count of a word and a context is the sum, over all places where the context occurs in a window around
    the word, of a weight that depends on the distance δ between the two, 1 for neighbours:

    - "harmonic": 1 / δ, as in GloVe [1]_;
    - "flat": 1;
    - "dynamic": (window − δ + 1) / window, the probability that one of word2vec's windows of random size
      reaches that far.

    Windows do not cross the end of a sentence. Words excluded by `min_count` and `max_vocab` are removed
    first, so that windows reach across the gaps.

    Counts are stored as whole multiples of a unit that divides all weights (harmonic weights beyond a
    distance of 22 are rounded to 9 digits). They do not depend on the number of threads, the memory limit,
    or the order of the text, to the last bit.

    Parameters
    ----------
    window : int
        How far a window reaches to either side, 1 to 1000.
    weighting : {"harmonic", "flat", "dynamic"}
        Weight of a context as a function of its distance.
    symmetric : bool
        Whether windows reach to both sides, which makes the matrix symmetric, or to the left only.
    min_count : int
        Words that occur less often are ignored.
    max_vocab : int, optional
        Keep at most this many words, the most frequent ones. All are kept by default.
    keep : sequence of words, optional
        Words of the text that are kept however rare they are, also beyond `max_vocab`.
    drop : sequence of words, optional
        Words that are left out of the text however frequent they are. `keep` prevails.
    memory_limit : int
        Bytes of memory, about, for the ids of the text and all that is made of them; what does not fit is
        kept in temporary files (in the folder ``TMPDIR``). The words come on top.
    threads : int, optional
        Number of threads; all processors by default. The counts do not depend on it.
    progress : bool
        Whether to show progress bars.

    Attributes
    ----------
    vocabulary_ : Vocabulary
        The words; word i has row i and column i.
    row_offsets_ : int64 array, shape (n_words + 1,)
        Where the entries of every row begin and end.
    columns_ : int32 array, shape (n_entries,)
        The contexts of word i, ascending, are ``columns_[row_offsets_[i]:row_offsets_[i + 1]]``.
    units_ : int64 array, shape (n_entries,)
        The counts, in units. All arrays are read-only and may be memory-mapped.
    unit_ : int
        How many units make a count of 1.

    References
    ----------
    .. [1] J. Pennington, R. Socher and C. D. Manning, "GloVe: global vectors for word representation", EMNLP
       2014.

    Examples
    --------
    >>> import fastvec
    >>> text = [["to", "be", "or", "not", "to", "be"]]
    >>> counts = fastvec.Cooccurrence(window=2, min_count=1).fit(text)
    >>> counts
    Cooccurrence(window=2, min_count=1): 12 entries, 4 words
    >>> counts["to", "be"], counts["to", "not"], counts["to", "to"]
    (2.0, 1.0, 0.0)
    >>> counts.triples(0, 1)
    (array([0, 0, 0], dtype=int32), array([1, 2, 3], dtype=int32), array([2., 1., 1.]))
    """

    _NOT_KEPT = ("memory_limit", "threads", "progress")

    vocabulary_: Vocabulary
    row_offsets_: NDArray[np.int64]
    columns_: NDArray[np.int32]
    units_: NDArray[np.int64]
    unit_: int

    def __init__(
        self,
        *,
        window: int = 10,
        weighting: str = "harmonic",
        symmetric: bool = True,
        min_count: int = 5,
        max_vocab: int | None = None,
        keep: Collection[str | int] | None = None,
        drop: Collection[str | int] | None = None,
        memory_limit: int = 2**32,
        threads: int | None = None,
        progress: bool = False,
    ) -> None:
        self.window = window
        self.weighting = weighting
        self.symmetric = symmetric
        self.min_count = min_count
        self.max_vocab = max_vocab
        self.keep = keep
        self.drop = drop
        self.memory_limit = memory_limit
        self.threads = threads
        self.progress = progress

    def check_params(self) -> None:
        """Validate the parameters.

        Raises
        ------
        TypeError, ValueError
            The message names the parameter, the rule and the value.
        """
        check_int("window", self.window, 1, 1000)
        check_choice("weighting", self.weighting, WEIGHTINGS)
        check_bool("symmetric", self.symmetric)
        check_int("min_count", self.min_count, 1)
        if self.max_vocab is not None:
            check_int("max_vocab", self.max_vocab, 1)
        check_words("keep", self.keep)
        check_words("drop", self.drop)
        check_int("memory_limit", self.memory_limit, 1)
        if self.threads is not None:
            check_int("threads", self.threads, 1, 4096)
        check_bool("progress", self.progress)

    def fit(self, corpus: Any, y: object = None, *, vocabulary: Any = None) -> Cooccurrence:
        """Count the words of a corpus.

        Parameters
        ----------
        corpus : Corpus, or anything that `Corpus` takes
            The text: a path, a list of paths, or an iterable of token sequences.
        y : object
            Ignored; for compatibility with scikit-learn.
        vocabulary : Vocabulary, dict of words and counts, or list of words, optional
            The words to count, instead of those that `min_count`, `max_vocab`, `keep` and `drop` choose.
            Those of a list have their counts in the text, and 1 where it does not have them.

        Returns
        -------
        Cooccurrence
            The estimator itself.

        Raises
        ------
        OSError
            If a text cannot be read, or the disk is full.
        TypeError, ValueError
            If a parameter or the corpus is invalid.
        """
        self.check_params()
        if not isinstance(corpus, Corpus):
            half = -(-self.memory_limit // 2)  # the other half, at least, is for counting
            corpus = Corpus(corpus, memory_limit=half, progress=self.progress)
        check_untagged(corpus)
        provenance = provenance_with(vocabulary, corpus)
        if vocabulary is None:
            chosen = select(corpus.vocabulary, self.min_count, self.max_vocab, self.keep, self.drop)
        else:
            chosen = given_vocabulary(vocabulary, corpus.vocabulary)
        same_ids = vocabulary is None and not (self.keep or self.drop)
        ids = corpus.ids if same_ids else recoded(corpus, chosen, self.memory_limit)
        if ids is None:
            raise ValueError(f"vocabulary must have a word of {corpus.vocabulary!r}, got none in {chosen!r}")
        text = copy(corpus)
        text.ids = ids
        weights, unit = distance_weights(self.weighting, self.window)
        matrix = count(
            text,
            len(chosen),
            weights,
            self.symmetric,
            threads=number_of_threads(self.threads),
            memory_limit=memory_left(self.memory_limit, corpus.ids, ids),
            progress=self.progress,
        )
        return self._set(chosen, matrix, unit, made_of([provenance]))

    @property
    def n_entries_(self) -> int:
        """Number of pairs of a word and a context with a count above 0."""
        return len(self.columns_)

    @property
    def matrix_(self) -> Any:
        """The counts as a new `scipy.sparse.csr_array` of float64.

        Raises
        ------
        ImportError
            If SciPy is not installed.
        ValueError
            If nothing has been counted yet.
        """
        self._check_fitted()
        try:
            from scipy.sparse import csr_array
        except ImportError:
            raise ImportError("matrix_ needs SciPy: pip install 'fastvec[svd]'") from None
        n = len(self.vocabulary_)
        return csr_array((self.units_ / self.unit_, self.columns_, self.row_offsets_), shape=(n, n))

    def triples(
        self, first: int = 0, last: int | None = None
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        """Return the entries of a range of rows, sorted by row and column.

        Parameters
        ----------
        first, last : int
            Range of rows, excluding `last`; all rows by default.

        Returns
        -------
        rows, columns : int32 array
            Words and contexts.
        values : float64 array
            Their counts.

        Raises
        ------
        TypeError, ValueError
            If there are no such rows, or nothing has been counted yet.
        """
        self._check_fitted()
        check_int("first", first, 0, len(self.vocabulary_))
        last = (
            len(self.vocabulary_) if last is None else check_int("last", last, first, len(self.vocabulary_))
        )
        return self._entries(int(self.row_offsets_[first]), int(self.row_offsets_[last]))

    def __getitem__(self, pair: tuple[str | int, str | int]) -> float:
        """Return the count of a word and a context, 0 if they never occur together."""
        self._check_fitted()
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"pair must be two words, got {pair!r}")
        row, column = (self._id(item) for item in pair)
        begin, end = self.row_offsets_[row : row + 2]
        place = begin + np.searchsorted(self.columns_[begin:end], column)
        found = place < end and self.columns_[place] == column
        return float(self.units_[place] / self.unit_) if found else 0.0

    def __repr__(self) -> str:
        named = super().__repr__()
        if not hasattr(self, "vocabulary_"):
            return named
        return f"{named}: {self.n_entries_:,} entries, {len(self.vocabulary_):,} words"

    def _repr_html_(self) -> str:
        """Return the parameters and the counts of the most frequent words, as notebooks show them."""
        named = super()._repr_html_()
        if not hasattr(self, "vocabulary_"):
            return named
        words = self.vocabulary_.words[:FIRST]
        rows = [[word, *(f"{self[word, context]:,.6g}" for context in words)] for word in words]
        return f"{named}{table('', ['', *words], rows)}"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the counts; `load` maps them into memory.

        Parameters
        ----------
        path : str or PathLike
            The file, by convention with the extension .fvcounts. An existing file is replaced only once the
            new one is complete.

        Raises
        ------
        OSError
            If the file cannot be written.
        ValueError
            If nothing has been counted yet.
        """
        self._check_fitted()
        made = self._given(), self._provenance
        files.write(path, files.Saved(self.vocabulary_, self._matrix(), self.unit_, *made))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Cooccurrence:
        """Load counts from a file written by `save`, memory-mapped and validated.

        Parameters
        ----------
        path : str or PathLike
            The file.

        Returns
        -------
        Cooccurrence
            The counts, with the parameters used to count them.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is not such a file, is damaged, or was written by a newer version of fastvec.
        """
        saved = files.read(path)
        try:
            loaded = cls(**saved.parameters)
            loaded.check_params()
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: corrupt ({error})") from None
        return loaded._set(saved.vocabulary, saved.counts, saved.unit, saved.provenance)

    def merge(self, *others: Cooccurrence) -> Cooccurrence:
        """Return the sum of these counts and others, of other texts or from other machines.

        The result has the words of all parts, with their counts added. Words that were ignored in a part are
        missing from its counts: parts counted with ``min_count=1`` give the same sum as all texts at once.

        Parameters
        ----------
        *others : Cooccurrence
            Counts with the same window, weighting and unit.

        Returns
        -------
        Cooccurrence
            The sum, with the parameters of `self`; memory-mapped if it does not fit in `memory_limit` beside
            the parts.

        Raises
        ------
        OSError
            If the disk is full.
        TypeError, ValueError
            If a part is not such counts.
        """
        parts = (self, *others)
        for part in parts:
            if not isinstance(part, Cooccurrence):
                raise TypeError(f"others must be Cooccurrence, got {part!r}")
            part._check_fitted()
            for name in ("window", "weighting", "symmetric", "unit_"):
                mine, other = getattr(self, name), getattr(part, name)
                if mine != other:
                    raise ValueError(f"{name} must be the same in all counts, got {mine!r} and {other!r}")
        self.check_params()
        if sum(int(part.units_.max(initial=0)) for part in parts) >= 2**63:
            raise ValueError("the largest counts must have a sum below 2**63 units")
        vocabulary, new_ids = union([part.vocabulary_ for part in parts])
        matrices, n_words = [part._matrix() for part in parts], len(vocabulary)
        left = memory_left(self.memory_limit, *(array for matrix in matrices for array in matrix))
        with Workers(number_of_threads(self.threads)) as workers:
            matrix = add_matrices(matrices, new_ids, n_words, workers, left, self.progress)
        corpora = [corpus for part in parts for corpus in part._provenance["corpora"]]
        return type(self)(**self.get_params())._set(vocabulary, matrix, self.unit_, made_of(corpora))

    @classmethod
    def from_triples(
        cls,
        words: Iterable[str | int],
        rows: ArrayLike,
        columns: ArrayLike,
        values: ArrayLike,
        *,
        counts: ArrayLike | None = None,
        **params: Any,
    ) -> Cooccurrence:
        """Return counts that were computed elsewhere.

        Parameters
        ----------
        words : iterable of str or int
            The vocabulary, the most frequent word first.
        rows, columns : array of int, shape (n_entries,)
            Words and contexts, as positions in `words`; sorted by row and then by column, each pair once.
        values : array of float or int, shape (n_entries,)
            Their counts, greater than 0. Whole numbers and sums of the weights given by the parameters are
            stored exactly; others are rounded to the smallest unit in which their sum fits in 62 bits.
        counts : array of int, shape (n_words,), optional
            How often each word occurs, in descending order; 1 by default.
        **params
            Parameters of the constructor, which describe how the counts were made.

        Returns
        -------
        Cooccurrence
            The counts.

        Raises
        ------
        TypeError, ValueError
            If the triples are out of range, not sorted or not greater than 0, or a parameter is invalid.
        """
        made = cls(**params)
        made.check_params()
        vocabulary = vocabulary_of(words, counts)
        own_unit = distance_weights(made.weighting, made.window)[1]
        matrix, unit = counts_of_triples(rows, columns, values, len(vocabulary), own_unit)
        return made._set(vocabulary, matrix, unit, made_of([{}]))

    @classmethod
    def read_glove(
        cls, path: str | os.PathLike[str], vocabulary_path: str | os.PathLike[str], **params: Any
    ) -> Cooccurrence:
        """Read counts from files of Stanford's GloVe programs.

        The first word of a record is the row and the second the column: GloVe's word and context. With
        ``-symmetric 0``, the first word of GloVe's `cooccur` is the *left* one of a pair, whose contexts are
        to its right: the transpose of what is counted here with ``symmetric=False``.

        Parameters
        ----------
        path : str or PathLike
            A ``cooccurrence.bin`` written by `cooccur` or `shuffle`; memory-mapped while it is read.
        vocabulary_path : str or PathLike
            The ``vocab.txt`` that belongs to it.
        **params
            Parameters of the constructor, which describe how it was counted; `memory_limit`, `threads` and
            `progress` apply to reading too.

        Returns
        -------
        Cooccurrence
            The counts.

        Raises
        ------
        OSError
            If a file cannot be read, or the disk is full.
        TypeError, ValueError
            If a file is malformed or truncated, the two do not belong together, or a parameter is
            invalid.
        """
        made = cls(**params)
        made.check_params()
        path, vocabulary_path = on_disk(path), on_disk(vocabulary_path, "vocabulary_path")
        words, of_words = glove_files.read_vocabulary(vocabulary_path)
        matrix, unit = counts_of_records(
            path,
            vocabulary_path,
            len(words),
            distance_weights(made.weighting, made.window)[1],
            number_of_threads(made.threads),
            made.memory_limit,
            made.progress,
        )
        return made._set(Vocabulary(words, of_words), matrix, unit, made_of([{}]))

    def write_glove(self, path: str | os.PathLike[str], vocabulary_path: str | os.PathLike[str]) -> None:
        """Write the counts for Stanford's GloVe programs.

        After `shuffle`, Stanford's `glove` trains on them as `GloVe` does here. The row is the first word of
        a record and the column the second, see `read_glove`.

        Parameters
        ----------
        path, vocabulary_path : str or PathLike
            The ``cooccurrence.bin`` and the ``vocab.txt`` to write.

        Raises
        ------
        OSError
            If a file cannot be written; existing files are then left untouched.
        ValueError
            If nothing has been counted yet, or a word has white space, which the format cannot hold.
        """
        self._check_fitted()
        n = self.n_entries_
        blocks = (
            self._entries(begin, min(begin + ENTRIES_AT_ONCE, n)) for begin in range(0, n, ENTRIES_AT_ONCE)
        )
        path, vocabulary_path = on_disk(path), on_disk(vocabulary_path, "vocabulary_path")
        glove_files.write(path, vocabulary_path, self.vocabulary_, n, blocks)

    def _check_fitted(self) -> None:
        if not hasattr(self, "vocabulary_"):
            raise ValueError(f"words must be counted first: call fit on {self!r}")

    def _matrix(self) -> CountMatrix:
        return CountMatrix(self.row_offsets_, self.columns_, self.units_)

    def _set(
        self, vocabulary: Vocabulary, matrix: CountMatrix, unit: int, provenance: dict[str, Any]
    ) -> Cooccurrence:
        for array in matrix:
            array.flags.writeable = False
        self.vocabulary_ = vocabulary
        self.row_offsets_, self.columns_, self.units_ = matrix
        self.unit_ = unit
        self._provenance = provenance
        return self

    def _id(self, item: str | int) -> int:
        word = check_item("a word", item)
        try:
            return self.vocabulary_.index[word]
        except KeyError:
            raise UnknownWordError(word, self.vocabulary_.words) from None

    def _entries(
        self, begin: int, end: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        """Return rows, columns and counts of the entries [begin, end)."""
        first = max(0, int(np.searchsorted(self.row_offsets_, begin, "right")) - 1)
        last = int(np.searchsorted(self.row_offsets_, end, "left"))
        bounds = np.clip(self.row_offsets_[first : last + 1], begin, end)
        sizes = bounds[1:] - bounds[:-1]
        rows = np.repeat(np.arange(first, first + len(sizes), dtype=np.int32), sizes)
        return rows, self.columns_[begin:end], self.units_[begin:end] / self.unit_
