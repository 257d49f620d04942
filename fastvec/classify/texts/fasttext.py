"""Classifiers of fastText: they predict as its package does, and can be quantized."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec import functional
from fastvec.classify.labelled_files import LABEL
from fastvec.classify.networks.labels import LabelClassifier
from fastvec.classify.texts.documents import (
    DocumentRows,
    Documents,
    means_of_rows,
    read_documents,
    warn_of_empty,
)
from fastvec.classify.words.lexicon import FIRST_WORD, Lexicon
from fastvec.formats.fasttext import Header
from fastvec.formats.supervised import Matrix, QuantizedMatrix, SupervisedFile, read, write
from fastvec.formats.words import decode_words
from fastvec.training.huffman import HuffmanTree

__all__ = ["FastTextClassifier"]

Array = NDArray[np.float32]

END = "</s>"
# fastText's table of the sigmoid: 512 steps from −8 to 8.
STEPS, LIMIT = 512, np.float32(8)
SIGMOID = (1 / (1 + np.exp(-(np.arange(STEPS + 1, dtype=np.float32) * (2 * LIMIT / STEPS) - LIMIT)))).astype(
    np.float32
)
# What fastText adds to a probability before it takes its logarithm.
EPSILON = 1e-5
# Probabilities of nodes computed at once.
NUMBERS_AT_ONCE = 1 << 22


class FastTextClassifier(LabelClassifier):
    """A classifier as a file of fastText holds it, which predicts what fastText predicts.

    `fastvec.classify.load` reads one from a ``.bin`` or ``.ftz``, and `TextClassifier.quantize` makes one. It is
    not trained any further.

    Probabilities are those of fastText, less the 0.00001 that its `predict` adds to each but with the loss
    "hierarchical_softmax": with "one_vs_all" and "negative_sampling" they are steps of a table of the sigmoid.

    Attributes
    ----------
    classes_ : ndarray of str, shape (K,)
        The labels in the order of the file, by falling frequency, without ``__label__``.
    label_counts_ : ndarray of int64, shape (K,)
        How often each label occurred in training.
    parameters : dict
        What the file says of the training, by the names that `fastvec.load` gives.
    is_quantized : bool
        Whether the vectors of words and n-grams are quantized.
    """

    def __init__(self, contents: SupervisedFile, classes: NDArray[Any]) -> None:
        header = contents.header
        self._contents = contents
        self.classes_ = classes
        self.label_counts_ = header.counts[len(header.words) :]
        self.parameters = {**header.parameters, "word_ngrams": max(1, header.word_ngrams)}
        self.is_quantized = isinstance(contents.input_vectors, QuantizedMatrix)
        self._rows = _rows_of(header)
        self._labels = {name.decode(errors="surrogateescape") for name in header.labels}

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> FastTextClassifier:
        """Read a classifier from a file.

        Raises
        ------
        OSError
            If the file is missing or cannot be read.
        ValueError
            If it is not a classifier of fastText, or is damaged.
        """
        contents = read(path)
        names = contents.header.labels
        labels, _ = decode_words(
            Path(path), names, None, lambda row: f"{os.fspath(path)}, label {row + 1:,} of {len(names):,}"
        )
        if all(label.startswith(LABEL) for label in labels):
            labels = [label.removeprefix(LABEL) for label in labels]
        return cls(contents, np.array(labels))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the classifier for fastText and `fastvec.classify.load`.

        Parameters
        ----------
        path : str or path-like
            File with the extension ``.bin``, or ``.ftz`` if it is quantized. An existing file is replaced only
            once the new one is complete.

        Raises
        ------
        OSError
            If the file cannot be written.
        ValueError
            If the extension is another one.
        """
        extension, what = (".ftz", "quantized") if self.is_quantized else (".bin", "not quantized")
        if Path(path).suffix.lower() != extension:
            raise ValueError(
                f"path must end in {extension} for a classifier that is {what}, got {os.fspath(path)!r}"
            )
        write(path, self._contents)

    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities of the labels, shape (n, K).

        Parameters
        ----------
        X : iterable of str or of lists of str
            Documents; a str is split on white space.

        Returns
        -------
        ndarray, shape (n, K)
            The probabilities. They sum to 1 with the loss "softmax", and nearly so with
            "hierarchical_softmax".

        Warns
        -----
        UserWarning
            If documents have no known word and no n-gram.
        """
        means = self._means(read_documents(X))
        output_vectors = _dense(self._contents.output_vectors)
        loss = self.parameters["loss"]
        if loss == "hierarchical_softmax":
            return self._probabilities_in_tree(means, output_vectors)
        scores = means @ output_vectors.T
        return functional.softmax(scores) if loss == "softmax" else _stepwise_sigmoid(scores)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of every document, shape (n,).

        Parameters
        ----------
        X : iterable of str or of lists of str
            Documents; a str is split on white space.

        Returns
        -------
        ndarray, shape (n,)
            The labels; of several that are equally probable the last one, as in fastText.
        """
        probabilities = self.predict_proba(X)[:, ::-1]
        labels: NDArray[Any] = self.classes_[::-1][probabilities.argmax(axis=1)]
        return labels

    def _scores(self, X: Any) -> Array:
        return self.predict_proba(X)

    def _means(self, documents: Documents) -> Array:
        rows, offsets = self._rows.look_up(self._without_labels(documents))
        n_empty = int(np.sum(np.diff(offsets) == 0))
        if n_empty:
            warn_of_empty(n_empty, len(documents), "their probabilities are those of zeros")
        matrix = self._contents.input_vectors
        rows -= FIRST_WORD
        if isinstance(matrix, QuantizedMatrix):
            used, places = np.unique(rows, return_inverse=True)
            matrix, rows = matrix.rows(used), places.astype(np.int32)
        return means_of_rows(matrix, rows, offsets)

    def _without_labels(self, documents: Documents) -> Documents:
        """Return documents as fastText reads a line: without labels, up to the first ``</s>``."""
        words = documents.words
        is_label = np.array([word in self._labels or self._is_new_label(word) for word in words], np.bool_)
        kept = ~is_label[documents.numbers]
        if END in words:
            ends = np.append(0, np.cumsum(documents.numbers == words.index(END)))
            kept &= ends[1:] == np.repeat(ends[documents.offsets[:-1]], np.diff(documents.offsets))
        return documents if kept.all() else documents.only(kept)

    def _is_new_label(self, word: str) -> bool:
        return word.startswith(LABEL) and word not in self._rows.lexicon.words

    def _probabilities_in_tree(self, means: Array, output_vectors: Array) -> Array:
        n_labels = len(self.classes_)
        tree = HuffmanTree.of_labels(self.label_counts_)
        children = np.argsort(tree.parents[:-1], kind="stable").reshape(-1, 2)  # of each inner node
        probabilities = np.empty((len(means), n_labels), np.float32)
        at_once = max(1, NUMBERS_AT_ONCE // (2 * n_labels))
        for begin in range(0, len(means), at_once):
            ones = functional.sigmoid(means[begin : begin + at_once] @ output_vectors[: n_labels - 1].T)
            logs = np.zeros((len(ones), 2 * n_labels - 1), np.float32)
            nodes = np.arange(max(0, n_labels - 2), n_labels - 1)  # the root, if there is one
            while len(nodes):
                below = children[nodes]
                of_nodes = ones[:, nodes, np.newaxis]
                of_codes = np.where(tree.codes[below], of_nodes, 1 - of_nodes)
                logs[:, below] = logs[:, n_labels + nodes, np.newaxis] + np.log(of_codes + EPSILON)
                nodes = below[below >= n_labels] - n_labels
            np.exp(logs[:, :n_labels], out=probabilities[begin : begin + at_once])
        return probabilities


def _rows_of(header: Header) -> DocumentRows:
    words = [word.decode(errors="surrogateescape") for word in header.words]
    min_n, max_n, longest = header.subwords.min_n, header.subwords.max_n, max(1, header.word_ngrams)
    ngrams = np.empty(0, np.int64)
    if header.kept_buckets is not None:
        ngrams = header.kept_buckets.astype(np.int64)
    elif longest > 1 or max_n:
        ngrams = np.arange(header.n_buckets)
    return DocumentRows(Lexicon(words), ngrams, longest, header.n_buckets, min_n, max_n, as_fasttext=True)


def _dense(matrix: Matrix) -> Array:
    return matrix.rows() if isinstance(matrix, QuantizedMatrix) else matrix


def _stepwise_sigmoid(scores: Array) -> Array:
    steps = (np.clip(scores, -LIMIT, LIMIT) + LIMIT) * np.float32(STEPS) / LIMIT / np.float32(2)
    found: Array = SIGMOID[steps.astype(np.intp)]
    return np.where(scores < -LIMIT, np.float32(0), np.where(scores > LIMIT, np.float32(1), found))
