"""Documents as vectors: means of word vectors."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from fastvec._params import check_choice, check_float
from fastvec.classify.networks.files import Saveable
from fastvec.classify.networks.fitting import undone_on_error
from fastvec.classify.networks.layers import Array
from fastvec.classify.texts.documents import Documents, means_of_rows, read_documents
from fastvec.classify.words.lexicon import spellings
from fastvec.formats.fvec import pack, unpack
from fastvec.formats.words import json_of_words, words_of_json
from fastvec.training.progress import warn
from fastvec.vectors import UnknownWordError, Vectors
from fastvec.vectors.subwords import SubwordVectors, vectors_of

__all__ = ["TextVectorizer"]

POOLINGS = ("mean", "sif", "tfidf")

Vectorizer = TypeVar("Vectorizer", bound="TextVectorizer")


@dataclass(eq=False, repr=False)
class TextVectorizer(Saveable, TransformerMixin, BaseEstimator):
    """Turn each document into a vector, from the vectors of its words: a scikit-learn transformer.

    - ``pooling="mean"``: the mean of the word vectors, counted as often as the words occur.
    - ``pooling="sif"``: the mean of the word vectors weighted by a / (a + p), where p is a word's relative
      frequency, minus its projection on the first singular vector of the documents given to `fit` [1]_.
    - ``pooling="tfidf"``: the mean of the word vectors weighted by log((1 + n) / (1 + n_w)) + 1, where n_w
      of the n documents given to `fit` contain the word w.

    A word without a vector is looked up in lower case, then with every digit replaced by 0, and otherwise
    ignored.

    Parameters
    ----------
    vectors : Vectors
        The word vectors. With `SubwordVectors`, unknown words have vectors too.
    pooling : {"mean", "sif", "tfidf"}
        How the word vectors are combined.
    smoothing : float
        The a of "sif", greater than 0.

    Attributes
    ----------
    common_ : ndarray, shape (d,)
        The direction that is removed. Only available with "sif".
    idf_ : dict of str to float
        The weights of the words seen in `fit`; other words have the largest possible weight. Only available
        with "tfidf".
    frequencies_ : dict of str to float
        The relative frequencies of the words seen in `fit`, used if `vectors` has no counts. Only available
        with "sif".

    References
    ----------
    .. [1] S. Arora, Y. Liang and T. Ma, "A simple but tough-to-beat baseline for sentence embeddings", ICLR
       2017.

    Examples
    --------
    >>> import fastvec
    >>> from fastvec.classify import TextVectorizer
    >>> vectors = fastvec.Vectors(["good", "bad", "film"], [[1, 0], [-1, 0], [0, 1]])
    >>> TextVectorizer(vectors).fit_transform(["good film", "Bad bad film"])
    array([[ 0.5       ,  0.5       ],
           [-0.6666667 ,  0.33333334]], dtype=float32)
    """

    vectors: Vectors | None = None
    _: KW_ONLY
    pooling: str = "mean"
    smoothing: float = 1e-3

    def check_params(self) -> None:
        """Validate the parameters.

        Raises
        ------
        TypeError, ValueError
            The message names the parameter, the rule and the value.
        """
        if not isinstance(self.vectors, Vectors):
            raise TypeError(f"vectors must be Vectors, got {self.vectors!r}")
        check_choice("pooling", self.pooling, POOLINGS)
        check_float("smoothing", self.smoothing, above=0)

    def fit(self: Vectorizer, X: Any, y: Any = None) -> Vectorizer:
        """Learn the weights of words and the common direction, if `pooling` needs them.

        Parameters
        ----------
        X : iterable of str or of lists of str
            Documents; a str is split on white space.
        y : object
            Ignored.

        Returns
        -------
        estimator
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or a document is invalid.
        """
        with undone_on_error(self):
            self.check_params()
            documents = read_documents(X)
            if not len(documents):
                raise ValueError("X must have at least one document, got none")
            for name in ("idf_", "frequencies_", "common_"):
                self.__dict__.pop(name, None)
            self._pooling = self.pooling
            n = len(documents)
            if self.pooling == "tfidf":
                seen = documents.document_counts()
                self.idf_ = dict(zip(documents.words, _idf(n, seen).tolist(), strict=True))
            elif self.pooling == "sif":
                shares = documents.counts / max(1, documents.counts.sum())
                self.frequencies_ = dict(zip(documents.words, shares.tolist(), strict=True))
            self.n_documents_ = n
            if self.pooling == "sif":
                means, _ = self._pooled(documents)
                first = np.linalg.svd(means, full_matrices=False)[2][0]
                self.common_ = first if means.any() else np.zeros_like(first)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return the vectors of documents, shape (n, d).

        Parameters
        ----------
        X : iterable of str or of lists of str
            Documents; a str is split on white space.

        Returns
        -------
        ndarray of float32, shape (n, d)
            The vectors.

        Warns
        -----
        UserWarning
            If documents have no known word; their vectors are zero.
        """
        check_is_fitted(self, "n_documents_")
        means, n_empty = self._pooled(read_documents(X))
        if n_empty:
            warn(f"{n_empty:,} of {len(means):,} documents have no word with a vector: theirs are zeros")
        if self._pooling == "sif":
            means -= np.outer(means @ self.common_, self.common_)
        return means

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the dimensions.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        ndarray of str, shape (d,)
            ``textvectorizer0``, ``textvectorizer1``, ...
        """
        check_is_fitted(self, "n_documents_")
        assert self.vectors is not None
        return np.array([f"textvectorizer{i}" for i in range(self.vectors.vector_size)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string = False, True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _check_unchanged(self) -> None:
        if self.pooling != self._pooling:
            raise ValueError(
                f"parameters must not change after fit, got pooling={self.pooling!r}; call fit to start over"
            )

    def _learned(self) -> tuple[dict[str, Any], dict[str, Array]]:
        assert self.vectors is not None
        tensors, header = pack(self.vectors._contents())
        learned: dict[str, Any] = {"header": header, "n_documents": self.n_documents_}
        for name in ("idf_", "frequencies_"):
            if hasattr(self, name):
                weights = getattr(self, name)
                tensors |= {
                    f"{name}words": json_of_words(list(weights)),
                    f"{name}numbers": np.array(list(weights.values())),
                }
        if hasattr(self, "common_"):
            tensors["common_"] = self.common_
        return learned, tensors

    def _restore(self, learned: dict[str, Any], tensors: dict[str, Array]) -> None:
        self.vectors = vectors_of(unpack(Path("vectors"), tensors, learned["header"], "strict"))
        self.n_documents_ = int(learned["n_documents"])
        self._pooling = self.pooling
        for name in {"tfidf": ["idf_"], "sif": ["frequencies_"], "mean": []}[self.pooling]:
            numbers = tensors[f"{name}numbers"].astype(np.float64).tolist()
            setattr(
                self,
                name,
                dict(zip(words_of_json(tensors[f"{name}words"]), numbers, strict=True)),
            )
        if self.pooling == "sif":
            self.common_ = tensors["common_"]
            if self.common_.shape != (self.vectors.vector_size,):
                raise ValueError(f"common_ must have the shape ({self.vectors.vector_size},)")

    def _pooled(self, documents: Documents) -> tuple[NDArray[np.float32], int]:
        """Return the weighted means of documents, and how many have no word with a vector."""
        assert self.vectors is not None
        table, is_known, indices = _vectors_of(self.vectors, documents.words)
        documents = documents.only(is_known[documents.numbers])
        weights = self._weights(documents.words, self.vectors, indices)
        table *= weights[:, np.newaxis].astype(np.float32)
        means = means_of_rows(table, documents.numbers, documents.offsets)
        n_words = np.diff(documents.offsets)
        if self._pooling == "tfidf":  # by the sum of the weights, not by their number
            sums = np.bincount(documents.owners(), weights[documents.numbers], minlength=len(documents))
            means *= np.divide(n_words, sums, out=np.ones(len(sums)), where=sums > 0).astype(np.float32)[
                :, None
            ]
        return means, int(np.sum(n_words == 0))

    def _weights(self, words: list[str], vectors: Vectors, indices: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the weights of words whose vectors are at some indices, or of n-grams where that is -1."""
        if self._pooling == "tfidf":
            largest = float(_idf(self.n_documents_, 0))
            return np.array([self.idf_.get(word, largest) for word in words], np.float64)
        if self._pooling == "mean":
            return np.ones(len(words))
        n_counted = 0 if vectors.counts is None else int(vectors.counts.sum())
        if vectors.counts is None or n_counted == 0:
            shares = np.array([self.frequencies_.get(word, 0.0) for word in words], np.float64)
        else:
            shares = np.append(vectors.counts, 0)[indices] / n_counted
        weights: NDArray[np.float64] = self.smoothing / (self.smoothing + shares)
        return weights


def _vectors_of(
    vectors: Vectors, words: list[str]
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.intp]]:
    """Return the vectors of words in some spelling, zeros for none, which have one, and their indices.

    Known words come before n-grams: a vector made of these has the index -1.
    """
    index = vectors._index
    indices = np.array([index.get(word, -1) for word in words], np.intp)
    for i in np.flatnonzero(indices < 0).tolist():
        indices[i] = next((index[form] for form in spellings(words[i]) if form in index), -1)
    is_known = indices >= 0
    table = np.zeros((len(words), vectors.vector_size), np.float32)
    table[is_known] = vectors._matrix[indices[is_known]]
    if isinstance(vectors, SubwordVectors):
        for i in np.flatnonzero(~is_known).tolist():
            for form in dict.fromkeys(spellings(words[i])):
                with suppress(UnknownWordError):
                    table[i], is_known[i] = vectors[form], True
                    break
    return table, is_known, indices


def _idf(n_documents: int, n_with_word: Any) -> Any:
    return np.log((1 + n_documents) / (1 + np.asarray(n_with_word))) + 1
