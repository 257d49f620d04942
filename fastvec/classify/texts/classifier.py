"""Text classification with learned words and n-grams: fastText's supervised mode."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from fastvec import kernels
from fastvec._params import check_bool, check_choice, check_float, check_int
from fastvec.classify.networks.files import (
    Saveable,
    description_of_labels,
    labels_of,
    parameter_tensors,
    parameters_of,
)
from fastvec.classify.networks.fitting import check_fitting, split_held_out, undone_on_error
from fastvec.classify.networks.labels import (
    LabelClassifier,
    check_same_classes,
    check_weights,
    distinct_classes,
)
from fastvec.classify.networks.layers import Array
from fastvec.classify.texts import fasttext
from fastvec.classify.texts.documents import (
    HASHINGS,
    DocumentRows,
    Documents,
    means_of_rows,
    read_documents,
    read_labelled,
    warn_of_empty,
)
from fastvec.classify.texts.labels import Kind, Labels, read_labels
from fastvec.classify.texts.losses import LOSSES, HierarchicalSoftmax, Loss
from fastvec.classify.texts.scores import TopScores, top_scores
from fastvec.classify.words.lexicon import FIRST_WORD, Lexicon
from fastvec.exports.pictures import HistoryPlot
from fastvec.finite_differences import GradientReport, gradcheck
from fastvec.formats.words import json_of_words, words_of_json
from fastvec.peers.errors import PeersAttributes, check_loss, naming_peers_parameters
from fastvec.peers.names import CLASSIFIERS, Names
from fastvec.training.copies import Copies
from fastvec.training.huffman import HuffmanTree
from fastvec.training.loop import EarlyStopping, Epoch, Schedule, Stoppable, train
from fastvec.training.matrices import padded_copies, padded_matrix
from fastvec.training.threads import Workers, number_of_threads
from fastvec.vectors import Vectors

__all__ = ["TextClassifier"]

# Documents handed to the kernel at once, at most.
DOCUMENTS_AT_ONCE = 512
# Documents that all threads together may train on between two exchanges of an input row. With several
# thousands, as many as of words between those of a word model, the accuracy is lower.
DOCUMENTS_BETWEEN = 256
# Rows of documents that are counted to find the most used ones, at most.
INPUTS_COUNTED = 1 << 17
# Multiplications of an epoch for each thread after the first, about ten milliseconds of them. With less, to
# wake a thread, which may begin on the processor of another, takes more time than it saves.
WORK_OF_THREAD = 1 << 26
# Starting values drawn at once: few enough for the processor's cache.
NUMBERS_AT_ONCE = 1 << 17
# Scores and numbers of documents' means computed at once, at most.
SCORES_AT_ONCE = 1 << 20
# A label that is as probable as not, as all are for a text without a known word, is not predicted.
ABOVE_HALF = math.nextafter(0.5, 1)

Classifier = TypeVar("Classifier", bound="TextClassifier")


@naming_peers_parameters
@dataclass(eq=False, repr=False)
class TextClassifier(PeersAttributes, Saveable, Stoppable, HistoryPlot, LabelClassifier, BaseEstimator):
    """Classify texts by the mean of their word vectors, which are learned too.

    With h the mean of the vectors of a document's words, word n-grams and character n-grams,
    P(y|document) = softmax(Y h), trained to minimize the cross-entropy by stochastic gradient descent on Y
    and on the vectors, with one document per update: the supervised mode of fastText [1]_. Other losses are
    for many labels, and for several labels of a document. The gradients are derived in
    ``fastvec/reference/documents.py``.

    n-grams share `buckets` rows by fastText's hash. Buckets that no training document has hit have no row;
    their n-grams are ignored, as unknown words are. A word without a row is looked up in lower case, then
    with every digit replaced by 0.

    Documents may have several labels each: `fit` then takes lists of labels, or a matrix of 0 and 1 with a
    column for each class, and `predict` returns what `fit` was given. With ``loss="one_vs_all"``, a document
    is trained with all of its labels, and predicted to have those of a probability above 0.5. With the
    other losses, as in fastText, it is trained with one of them at a time, at random, and predicted to have
    the most probable one. `predict_top` returns any number of labels.

    Parameters
    ----------
    vectors : Vectors, optional
        Initial word vectors. Other words, and all words without `vectors`, start at random.
    loss : {"softmax", "one_vs_all", "hierarchical_softmax", "negative_sampling"}
        What is minimized. "softmax" is for one label of not too many; "one_vs_all" has a logistic loss for
        each label, whatever the others are, for documents with several. "hierarchical_softmax" predicts the
        turns to the label in a binary tree, for thousands of labels: a document takes time in proportion to
        the logarithm of their number. "negative_sampling" tells the label from `negatives` others.
    negatives : int
        How many labels are drawn for each document with "negative_sampling".
    word_ngrams : int
        Largest number of words in an n-gram; 1 for single words only.
    min_n : int
        Smallest number of characters in an n-gram of characters.
    max_n : int
        Largest number of characters in an n-gram of characters, the word's beginning and end among them; 0
        for none. With them, unknown and misspelled words are known by their parts.
    buckets : int
        Largest number of rows for n-grams, of words and of characters.
    vector_size : int
        Number of dimensions; ignored if there are `vectors`.
    min_count : int
        How often a word that is not in `vectors` must occur to get a row.
    min_label_count : int
        How many documents of `fit` must have a label for it to be learned. Documents that have only other
        labels are left out, but that their words count; in a matrix of 0 and 1, such labels remain as columns
        that no document has. `partial_fit` learns all labels.
    learning_rate : float
        Step size at the start; it decreases linearly to `min_learning_rate`.
    min_learning_rate : float
        Step size at the end.
    epochs : int
        Number of passes over the documents, each in a new random order.
    early_stopping : bool
        Whether to hold out a part of the documents for validation, stop when its score has not improved for
        `patience` epochs, and keep the parameters of the best epoch.
    validation_fraction : float
        Approximate fraction of the documents to hold out with `early_stopping`.
    patience : int
        Number of epochs without improvement after which `early_stopping` ends the training.
    threads : int, optional
        Number of threads, at most; all processors by default. Training has fewer if there is too little for
        each to do. With more than one, results differ slightly from run to run (Hogwild).
    seed : int
        Seed of the initial vectors, the order of the documents and the validation split.
    progress : bool
        Whether to show a progress bar.

    Attributes
    ----------
    classes_ : ndarray, shape (K,)
        The labels.
    label_counts_ : ndarray of int64, shape (K,)
        How many documents of `fit`, or of the first `partial_fit`, had each label; 0 where a file of an
        earlier version does not say.
    parameters_ : dict of str to ndarray
        ``input_vectors``, the rows of words followed by those of n-grams, and ``output_vectors``, the rows
        of labels, or with "hierarchical_softmax" of the inner nodes of `tree_`.
    tree_ : HuffmanTree
        The tree of labels, with "hierarchical_softmax" only.
    vectors_ : Vectors
        The words with their vectors after training, and their counts.
    n_parameters_ : int
        Number of parameters.
    n_words_ : int
        How many words the documents had that were trained on last.
    history_ : list of Epoch
        Loss, learning rate, time and validation score of every epoch.
    interrupted_ : bool
        Whether a signal, such as Ctrl-C, or `stop` ended the training early.
    trials_ : list of Trial
        What `autotune` has tried, if it made this classifier.

    References
    ----------
    .. [1] A. Joulin, E. Grave, P. Bojanowski and T. Mikolov, "Bag of tricks for efficient text
       classification", EACL 2017, arXiv:1607.01759.

    Examples
    --------
    >>> from fastvec.classify import TextClassifier
    >>> texts = ["a fine film", "fine actors", "a bad film", "bad actors"] * 10
    >>> classifier = TextClassifier(vector_size=10, word_ngrams=2).fit(texts, ["+", "+", "-", "-"] * 10)
    >>> classifier.predict(["such fine music"]).tolist()
    ['+']
    """

    vectors: Vectors | None = None
    _: KW_ONLY
    loss: str = "softmax"
    negatives: int = 5
    word_ngrams: int = 1
    min_n: int = 0
    max_n: int = 0
    buckets: int = 2_000_000
    vector_size: int = 100
    min_count: int = 1
    min_label_count: int = 1
    learning_rate: float = 0.25
    min_learning_rate: float = 0.0
    epochs: int = 5
    early_stopping: bool = False
    validation_fraction: float = 0.1
    patience: int = 5
    threads: int | None = None
    seed: int = 0
    progress: bool = False

    PEERS: ClassVar[Names] = CLASSIFIERS

    classes_: NDArray[Any] = field(init=False)
    label_counts_: NDArray[np.int64] = field(init=False)
    n_words_: int = field(init=False)
    history_: list[Epoch] = field(init=False)
    interrupted_: bool = field(init=False)
    trials_: list[Any] = field(init=False)  # of `autotune`
    _rows: DocumentRows = field(init=False)
    _word_counts: NDArray[np.int64] = field(init=False)  # of the words of the lexicon
    _kind: Kind = field(init=False)  # of labels in `fit`, and in predictions
    _loss: Loss = field(init=False)
    _matrices: dict[str, Array] = field(init=False)  # with their padding
    _vector_size: int = field(init=False)

    def check_params(self) -> None:
        """Validate the parameters.

        Raises
        ------
        TypeError, ValueError
            The message names the parameter, the rule and the value.
        """
        if self.vectors is not None and not isinstance(self.vectors, Vectors):
            raise TypeError(f"vectors must be Vectors or None, got {self.vectors!r}")
        check_loss(self.loss, LOSSES)
        check_int("negatives", self.negatives, 1, 1000)
        check_int("word_ngrams", self.word_ngrams, 1, 100)
        check_int("max_n", self.max_n, 0, 1000)
        check_int("min_n", self.min_n, 0, self.max_n or None)
        check_int("buckets", self.buckets, 1, 2**30)
        check_int("vector_size", self.vector_size, 1, 4096)
        check_int("min_count", self.min_count, 1)
        check_int("min_label_count", self.min_label_count, 1)
        check_float("learning_rate", self.learning_rate, above=0)
        check_float("min_learning_rate", self.min_learning_rate, minimum=0, maximum=self.learning_rate)
        if self.threads is not None:
            check_int("threads", self.threads, 1)
        check_fitting(self)

    def fit(self: Classifier, X: Any, y: Any = None) -> Classifier:
        """Fit the model to labelled documents, starting from scratch.

        Parameters
        ----------
        X : iterable of str or of lists of str, path or LabelledLines
            Documents; a str is split on white space. Or, without `y`, the file that has texts and labels: its
            words are read by the tokenizer of texts and are no objects of Python meanwhile.
        y : array_like, shape (n,), list of lists of labels, or matrix of 0 and 1, shape (n, K)
            Labels of at least two classes.

        Returns
        -------
        estimator
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or a document is invalid.
        FloatingPointError
            If training diverges; what was learned before is kept.

        Warns
        -----
        UserWarning
            If documents are empty or have only rare words; they are ignored.
        """
        with undone_on_error(self):
            self.check_params()
            self._fit_to(*read_labelled(X, y))
        return self

    def partial_fit(
        self: Classifier, X: Any, y: Any = None, *, classes: ArrayLike | None = None
    ) -> Classifier:
        """Continue with one pass over further documents, at the initial learning rate.

        Parameters
        ----------
        X : iterable of str or of lists of str, path or LabelledLines
            Documents, as for `fit`. Words and n-grams not seen in the first call are ignored.
        y : array_like, shape (n,), list of lists of labels, or matrix of 0 and 1, shape (n, K)
            Labels.
        classes : array_like, optional
            All labels that will occur; the labels in `y` by default. Later calls may omit it.

        Returns
        -------
        estimator
            The estimator itself.

        Raises
        ------
        ValueError
            If a label is not among the classes of the first call.
        """
        with undone_on_error(self):
            self.check_params()
            documents, labels = read_labelled(X, y)
            if hasattr(self, "_matrices"):
                check_same_classes(self.classes_, classes)
                self.history_ = list(self.history_)
                self._matrices = padded_copies(self._matrices)
            else:
                self._start(documents, labels, classes)
            self._train(documents, labels.of_classes(self.classes_), 1, float(self.learning_rate), False)
        return self

    def check_gradient(
        self, X: Any, y: Any, *, epsilon: float = 1e-4, sample: int | None = None, seed: int = 0
    ) -> GradientReport:
        """Compare the gradient of the loss of all documents with finite differences, in double precision.

        The gradient is that of the NumPy reference, which the tests compare with the kernels. Only the rows
        of words and n-grams that occur in the documents are checked. Of documents with several labels, all
        losses but "one_vs_all" take one each, and "negative_sampling" always draws the same labels.

        Parameters
        ----------
        X : iterable of str or of lists of str
            Documents; a str is split on white space.
        y : array_like, shape (n,), list of lists of labels, or matrix of 0 and 1, shape (n, K)
            Labels.
        epsilon : float
            Step size of the differences.
        sample : int, optional
            Number of coordinates to check, chosen at random; all by default.
        seed : int
            Seed of the choice.

        Returns
        -------
        GradientReport
            The largest error. Its `worst` starts with the name of the parameter.
        """
        check_is_fitted(self)
        documents, labels = read_labelled(X, y)
        rows, offsets = self._rows.look_up(documents)
        used, inputs = np.unique(rows, return_inverse=True)
        labels = labels.of_classes(self.classes_)
        function = getattr(kernels.get("documents", "reference"), self._loss.function)
        arguments = self._loss.arguments() | self._targets(labels, np.random.default_rng(seed))
        if self._loss.draws:
            arguments["key"] = seed

        def cost(parameters: dict[str, Array]) -> tuple[float, dict[str, Array]]:
            total, gradients = 0.0, {name: np.zeros_like(array) for name, array in parameters.items()}
            for document in range(len(documents)):
                moved = {name: array.copy() for name, array in parameters.items()}
                loss, *_ = function(
                    **moved,
                    inputs=inputs.astype(np.int32),
                    input_offsets=offsets,
                    order=np.array([document]),
                    start=0,
                    stop=1,
                    learning_rate=1.0,
                    loss_every=1,
                    **arguments,
                )
                total += loss
                for name, array in parameters.items():
                    gradients[name] += array - moved[name]
            return total, gradients

        start = {
            "input_vectors": self.parameters_["input_vectors"][used],
            "output_vectors": self.parameters_["output_vectors"],
        }
        return gradcheck(cost, start, epsilon=epsilon, sample=sample, seed=seed)

    @property
    def parameters_(self) -> dict[str, Array]:
        """The parameters by name."""
        if not hasattr(self, "_matrices"):
            raise AttributeError("TextClassifier has no parameters_ before fit")
        return {name: matrix[:, : self._vector_size] for name, matrix in self._matrices.items()}

    @property
    def n_parameters_(self) -> int:
        """Number of parameters."""
        check_is_fitted(self)
        return sum(parameter.size for parameter in self.parameters_.values())

    @property
    def vectors_(self) -> Vectors:
        """The words with their current vectors."""
        if not hasattr(self, "_matrices"):
            raise AttributeError("TextClassifier has no vectors_ before fit")
        rows = self.parameters_["input_vectors"]
        words = self._rows.lexicon.words
        return Vectors(words, rows[FIRST_WORD : len(self._rows.lexicon)].copy(), self._word_counts)

    @property
    def tree_(self) -> HuffmanTree:
        """The tree of labels."""
        loss = getattr(self, "_loss", None)
        if not isinstance(loss, HierarchicalSoftmax):
            raise AttributeError('TextClassifier has a tree_ only after fit with loss="hierarchical_softmax"')
        return loss.tree

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string = False, True
        return tags

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the probabilities of classes, shape (n, K).

        With "one_vs_all" and "negative_sampling" each is the probability of one class by itself; else those
        of a document sum to 1.

        Parameters
        ----------
        X : iterable of str or of lists of str
            Documents, as for `fit`.

        Returns
        -------
        ndarray, shape (n, K)
            The probabilities.

        Warns
        -----
        UserWarning
            If texts have no known word; all classes, or branches of the tree of labels, are then equally
            probable.
        """
        return self._loss_of_fitted().probabilities(self._scores(X))

    def predict(self, X: Any) -> Any:
        """Return the predicted labels: in the form in which `fit` was given them.

        Parameters
        ----------
        X : iterable of str or of lists of str
            Documents, as for `fit`.

        Returns
        -------
        ndarray, shape (n,)
            The most probable label of every document, if `fit` was given one for each.
        list of list of labels, or ndarray of int, shape (n, K)
            If it was given several: those of a probability above 0.5 with "one_vs_all", the most
            probable first, else the most probable one.
        """
        loss = self._loss_of_fitted()
        if self._kind == "one":
            labels: NDArray[Any] = self.classes_[self._best(*self._look_up(read_documents(X)))]
            return labels
        top = self.predict_top(X, k=None, threshold=ABOVE_HALF) if loss.takes_all else self.predict_top(X)
        found = [[label for label, _ in of_document] for of_document in top]
        if self._kind == "lists":
            return found
        matrix = np.zeros((len(found), len(self.classes_)), np.int64)
        for row, columns in zip(matrix, found, strict=True):
            row[columns] = 1
        return matrix

    def predict_top(self, X: Any, k: int | None = 1, threshold: float = 0.0) -> list[list[tuple[Any, float]]]:
        """Return the most probable labels of every document with their probabilities, the highest first.

        Parameters
        ----------
        X : iterable of str or of lists of str
            Documents, as for `fit`.
        k : int, optional
            How many labels, at most; None for no limit.
        threshold : float
            Only labels of this probability or a higher one.

        Returns
        -------
        list of list of (label, float)
            Labels and probabilities for each document.

        Examples
        --------
        >>> from fastvec.classify import TextClassifier
        >>> texts, labels = ["ice cream", "hot soup"] * 20, [["sweet", "cold"], ["hot"]] * 20
        >>> classifier = TextClassifier(loss="one_vs_all", vector_size=10, epochs=20, threads=1)
        >>> top = classifier.fit(texts, labels).predict_top(["cream", "soup"], k=2, threshold=0.5)
        >>> [sorted(label for label, _ in found) for found in top]
        [['cold', 'sweet'], ['hot']]
        """
        return self._top(read_documents(X), k, threshold)

    def score_top(self, X: Any, y: Any = None, k: int | None = 1, threshold: float = 0.0) -> TopScores:
        """Return precision and recall of the `k` most probable labels, in all and of every label.

        These are the figures of fastText's ``test`` and ``test_label``, but that a label which the training
        did not have counts against recall, where fastText leaves it out. Documents without labels are left
        out.

        Parameters
        ----------
        X : iterable of str or of lists of str, path or LabelledLines
            Documents, as for `fit`; or, without `y`, the file that has texts and labels.
        y : array_like, shape (n,), list of lists of labels, or matrix of 0 and 1, shape (n, K)
            Their labels.
        k : int, optional
            How many labels are predicted, at most; None for no limit.
        threshold : float
            Only labels of this probability or a higher one are predicted.

        Returns
        -------
        TopScores
            With `precision`, `recall` and `f1`, and the same `by_label`.
        """
        self._loss_of_fitted()
        return self._score_on(*read_labelled(X, y), k, threshold)

    def _score_on(self, documents: Documents, labels: Labels, k: int | None, threshold: float) -> TopScores:
        with_labels = np.flatnonzero(np.diff(labels.offsets))
        found = self._top(documents, k, threshold)
        return top_scores(
            labels.lists(with_labels), [[label for label, _ in found[place]] for place in with_labels]
        )

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy: the fraction of documents whose label, or all of whose labels, are predicted.

        Parameters
        ----------
        X : iterable of str or of lists of str
            Documents, as for `fit`.
        y : array_like, shape (n,), list of lists of labels, or matrix of 0 and 1, shape (n, K)
            Labels.
        sample_weight : array_like, shape (n,), optional
            Weights of the documents, at least 0.

        Returns
        -------
        float
            The accuracy.
        """
        if self._loss_of_fitted() and self._kind == "one":
            return super().score(X, y, sample_weight)
        labels, found = read_labels(y), read_labels(self.predict(X))
        every = np.arange(len(labels))
        pairs = zip(labels.lists(every), found.lists(every), strict=True)
        weights = None if sample_weight is None else check_weights(sample_weight)
        return float(np.average([set(a) == set(b) for a, b in pairs], weights=weights))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save everything needed to predict; `fastvec.classify.load` restores the estimator.

        The restored `vectors` are the trained ones, and `partial_fit` continues at the initial learning rate.

        fastText reads ``.bin`` and ``.ftz``. It predicts the same with a classifier that has no n-grams, but
        that it looks up words only as they are written, and has probabilities in steps of up to 0.008 with
        one-vs-all or negative sampling. Buckets of n-grams that no training document has hit
        are rows of zeros there; since they count in its means, its probabilities of texts with unseen
        n-grams are closer to each other, and so are those of texts whose last word, which fastText lets
        ``</s>`` follow, forms an n-gram with it.

        Parameters
        ----------
        path : str or path-like
            File with the extension ``.fvmodel`` or ``.bin``. One that was read from a file of fastText takes
            ``.bin``, and a quantized one ``.ftz``. An existing file is replaced only once the new one is
            complete.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        OSError
            If the file cannot be written, for example because the disk is full.
        ValueError
            If the extension is another one, or fastText's format cannot hold a word, a label or the tree.

        Warns
        -----
        UserWarning
            If in a ``.bin`` labels become str or `predict` returns one label instead of several, or if
            ``</s>`` is one of the words, with which fastText ends every text.
        """
        check_is_fitted(self)
        if Path(path).suffix.lower() in (".bin", ".ftz") or self._rows.is_of_fasttext:
            self._check_unchanged()
            fasttext.save(self, path)
        else:
            super().save(path)

    def quantize(
        self: Classifier,
        X: Any = None,
        y: Any = None,
        *,
        cutoff: int | None = None,
        subvector_size: int = 2,
        separate_norms: bool = False,
        quantize_output: bool = False,
    ) -> Classifier:
        """Return a smaller classifier whose vectors are quantized, to be saved as ``.ftz``.

        Every `subvector_size` numbers of a vector become a byte, by k-means over all vectors. With `cutoff`,
        only the longest vectors of words and n-grams are kept, and trained again if there are documents: with
        the `epochs`, `learning_rate` and `threads` of the estimator [2]_. A quantized classifier is not
        trained further. It looks up words only as they are written, as fastText does.

        Parameters
        ----------
        X, y : optional
            Documents and labels, as for `fit`, with which to train what `cutoff` has kept. Labels that the
            classifier lacks are left out if fewer than `min_label_count` documents have them.
        cutoff : int, optional
            How many words and n-grams to keep; all by default.
        subvector_size : int
            How many numbers become a byte.
        separate_norms : bool
            Whether the norms of vectors are quantized apart, with one byte more for each.
        quantize_output : bool
            Whether to quantize the vectors of labels too, two numbers a byte.

        Returns
        -------
        TextClassifier
            The quantized classifier.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If the classifier is quantized already, or there are documents and no `cutoff`.

        References
        ----------
        .. [2] A. Joulin, E. Grave, P. Bojanowski, M. Douze, H. Jégou and T. Mikolov, "FastText.zip:
           Compressing text classification models", arXiv:1612.03651, 2016.

        Examples
        --------
        >>> from fastvec.classify import TextClassifier, load
        >>> texts = ["a fine film", "fine actors", "a bad film", "bad actors"] * 10
        >>> classifier = TextClassifier(vector_size=10).fit(texts, ["+", "+", "-", "-"] * 10)
        >>> classifier.quantize(cutoff=3).save("films.ftz")
        >>> load("films.ftz").predict(["such fine music"]).tolist()
        ['+']
        """
        check_is_fitted(self)
        self.check_params()
        self._check_unchanged()
        if cutoff is not None:
            check_int("cutoff", cutoff, 1)
        elif X is not None:
            raise ValueError("X must be None without a cutoff: only what is left of a table is trained again")
        check_int("subvector_size", subvector_size, 1, self._vector_size)
        check_bool("separate_norms", separate_norms)
        check_bool("quantize_output", quantize_output)
        quantized: Classifier = fasttext.quantize(
            self, X, y, cutoff, int(subvector_size), separate_norms, quantize_output
        )
        return quantized

    def _check_unchanged(self) -> None:
        rows = self._rows
        parameters = {
            "loss": next(name for name, loss in LOSSES.items() if isinstance(self._loss, loss)),
            "word_ngrams": rows.longest,
            "buckets": rows.buckets,
            "min_n": rows.min_n,
            "max_n": rows.max_n,
        }
        changed = {
            name: getattr(self, name) for name, value in parameters.items() if getattr(self, name) != value
        }
        if changed:
            got = ", ".join(f"{name}={value!r}" for name, value in changed.items())
            raise ValueError(f"parameters must not change after fit, got {got}; call fit to start over")

    def _loss_of_fitted(self) -> Loss:
        check_is_fitted(self)
        return self._loss

    def _learned(self) -> tuple[dict[str, Any], dict[str, Array]]:
        tensors = {
            **parameter_tensors(self.parameters_),
            **self._loss.tensors(),
            "words": json_of_words(self._rows.lexicon.words),
            "ngrams": self._rows.ngrams,
            "word_counts": self._word_counts,
            "label_counts": self.label_counts_,
        }
        learned = {
            "classes": description_of_labels(self.classes_),
            "labels": self._kind,
            "hashing": self._rows.hashing,
        }
        return learned, tensors

    def _restore(self, learned: dict[str, Any], tensors: dict[str, Array]) -> None:
        self.check_params()
        self.classes_ = labels_of(learned["classes"])
        self._kind = learned.get("labels", "one")
        check_choice("labels", self._kind, get_args(Kind))
        lexicon, ngrams = Lexicon(words_of_json(tensors["words"])), tensors["ngrams"]
        numbers = np.concatenate(([-1], ngrams.ravel(), [self.buckets]))
        if ngrams.dtype != np.int64 or ngrams.ndim != 1 or (numbers[1:] <= numbers[:-1]).any():
            raise ValueError("ngrams must be int64 numbers of buckets in rising order")
        hashing = check_choice("hashing", learned.get("hashing", "blake2b"), HASHINGS)
        self._rows = DocumentRows(
            lexicon,
            ngrams,
            int(self.word_ngrams),
            int(self.buckets),
            int(self.min_n),
            int(self.max_n),
            hashing,
        )
        self._word_counts = _counts_of(tensors, "word_counts", len(lexicon.words))
        self.label_counts_ = _counts_of(tensors, "label_counts", len(self.classes_))
        if self.loss == "hierarchical_softmax":
            tree = HuffmanTree.of_tensors(tensors, len(self.classes_))
            self._loss = HierarchicalSoftmax(self.label_counts_, int(self.negatives), tree)
        else:
            self._loss = LOSSES[self.loss](self.label_counts_, int(self.negatives))
        d = self._vector_size = tensors["parameters.input_vectors"].shape[-1]
        shapes = {"input_vectors": (len(self._rows), d), "output_vectors": (self._loss.n_outputs, d)}
        self._matrices = padded_copies(parameters_of(tensors, shapes))

    def _fit_to(self, documents: Documents, labels: Labels, stop: Callable[[], bool] = lambda: False) -> None:
        """Learn from scratch, until `stop` returns True at the latest."""
        frequent = labels.frequent(int(self.min_label_count))
        n_labels, n_found = (int(np.sum(some.counts() > 0)) for some in (frequent, labels))
        if n_labels < min(2, n_found):
            raise ValueError(
                f"min_label_count must leave two labels or more, got {self.min_label_count}, which "
                f"{n_labels:,} of {n_found:,} reach: use a lower one"
            )
        self._start(documents, frequent, None)
        end = float(self.min_learning_rate)
        documents, labels = documents.with_labels(labels, frequent)
        self._train(documents, labels, int(self.epochs), end, self.early_stopping, stop)

    def _start(self, documents: Documents, labels: Labels, classes: Any) -> None:
        """Note words, n-grams and classes, and make the vectors to start from."""
        self.classes_ = distinct_classes(labels.names, classes)
        self.label_counts_ = labels.of_classes(self.classes_).counts()
        self._kind = labels.kind
        self._loss = LOSSES[self.loss](self.label_counts_, int(self.negatives))
        self._rows = DocumentRows.of(
            documents,
            self.vectors,
            int(self.min_count),
            int(self.word_ngrams),
            int(self.buckets),
            int(self.min_n),
            int(self.max_n),
        )
        self._word_counts = self._rows.counts(documents)
        n_rows = len(self._rows)
        d = int(self.vector_size) if self.vectors is None else self.vectors.vector_size
        inputs = padded_matrix(n_rows, d)
        at_once = 2 * max(1, NUMBERS_AT_ONCE // (2 * d))

        def fill(begin: int) -> None:
            bits = np.random.PCG64(self.seed).advance(begin * d // 2)  # with each step two numbers
            rows = inputs[begin : begin + at_once, :d]
            numbers = np.random.Generator(bits).random(rows.shape, dtype=np.float32)
            np.multiply(numbers - 0.5, 2 / d, out=rows)

        parts = [(begin,) for begin in range(0, n_rows, at_once)]
        with Workers(min(number_of_threads(self.threads), len(parts))) as workers:
            workers.each(fill, parts)
        if self.vectors is not None:
            inputs[FIRST_WORD : FIRST_WORD + len(self.vectors), :d] = self.vectors.vectors
        outputs = padded_matrix(self._loss.n_outputs, d)
        self._matrices = {"input_vectors": inputs, "output_vectors": outputs}
        self._vector_size = d
        self.history_ = []
        self.interrupted_ = False

    def _train(
        self,
        documents: Documents,
        labels: Labels,
        epochs: int,
        min_learning_rate: float,
        stops_early: bool,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.n_words_ = len(documents.numbers)
        if self._rows.is_quantized:
            raise ValueError(
                "a quantized classifier must not be trained further: train the one that it was made from, "
                "and quantize that"
            )
        rows, offsets = self._rows.look_up(documents)
        usable = np.flatnonzero(np.diff(offsets))
        if len(usable) < len(documents):
            warn_of_empty(len(documents) - len(usable), len(documents), "they are ignored")
        if len(usable) == 0:
            raise ValueError("X must have at least one document with a known word, got none")
        if not self._loss.takes_all:
            usable = usable[np.diff(labels.offsets)[usable] > 0]
            if len(usable) == 0:
                raise ValueError("y must have a label for at least one document with a known word, got none")
        early_stopping = None
        if stops_early:
            generator = np.random.default_rng([self.seed, 1])
            kept, held_out = split_held_out(len(usable), float(self.validation_fraction), generator)
            early_stopping = self._early_stopping(rows, offsets, labels, usable[held_out])
            usable = usable[kept]
        schedule = Schedule(
            n_positions=len(usable),
            epochs=epochs,
            learning_rate=float(self.learning_rate),
            min_learning_rate=min_learning_rate,
            threads=self._threads(len(rows), len(documents), labels),
            seed=int(self.seed),
            chunk=max(1, min(DOCUMENTS_AT_ONCE, len(usable) // 20)),
            epochs_before=len(self.history_),
            unit="documents",
            untrained_loss=self._loss.untrained,
        )
        order = np.empty(len(usable), np.int32)
        matrices = self._matrices
        function, arguments = getattr(kernels.documents, self._loss.function), self._loss.arguments()
        arguments["inputs"] = rows
        draws = self._loss.draws
        crew = None
        if schedule.threads > 1 and kernels.selected() != "reference":
            crew = self._copies(rows, len(documents), labels, schedule.threads)
            arguments |= crew.tables
        del rows  # with copies, there is a table instead

        def train_chunk(
            *, start: int, stop: int, learning_rate: float, key: int, loss_every: int, **of_thread: Any
        ) -> tuple[float, int, int]:
            result: tuple[float, int, int] = function(
                **matrices,
                **arguments | of_thread,
                input_offsets=offsets,
                order=order,
                start=start,
                stop=stop,
                learning_rate=learning_rate,
                loss_every=loss_every,
                **({"key": key} if draws else {}),
            )
            return result

        def before_epoch(key: int, _: int) -> None:
            generator = np.random.default_rng(key)
            order[:] = generator.permutation(usable)
            arguments.update(self._targets(labels, generator))

        self.interrupted_ = train(
            train_chunk,
            schedule,
            tuple(matrices.values()),
            early_stopping=early_stopping,
            progress=self.progress,
            before_epoch=before_epoch,
            after_epoch=self.history_.append,
            stop=lambda: self._stopping or stop(),
            crew=crew,
        )

    def _shares(self, n_documents: int, labels: Labels) -> NDArray[np.float64]:
        """Return which part of what documents are trained with each label is."""
        counts = labels.counts()
        shares: NDArray[np.float64] = counts / (n_documents if self._loss.takes_all else counts.sum())
        return shares

    def _threads(self, n_inputs: int, n_documents: int, labels: Labels) -> int:
        """Return the number of threads that have enough to do."""
        outputs = float(self._loss.uses(self._shares(n_documents, labels)).sum())
        work = self._matrices["input_vectors"].shape[1] * (2 * n_inputs + 3 * outputs * n_documents)
        return min(number_of_threads(self.threads), 1 + int(work / WORK_OF_THREAD))

    def _copies(self, rows: NDArray[np.int32], n_documents: int, labels: Labels, threads: int) -> Copies:
        """Return the copies of the most used rows that threads have."""
        shares = self._shares(n_documents, labels)
        of_hidden, of_output = self._loss.moves(shares)
        some = rows
        if len(rows) > INPUTS_COUNTED:
            some = rows[np.random.default_rng(self.seed).integers(len(rows), size=INPUTS_COUNTED)]
        counted = np.bincount(some, minlength=len(self._rows)).astype(np.float64)
        uses = counted * (len(rows) / len(some) / n_documents)
        rate = float(self.learning_rate)
        return Copies(
            self._matrices,
            threads,
            {"input_vectors": uses, "output_vectors": self._loss.uses(shares)},
            {
                "input_vectors": rate * of_hidden * n_documents / len(rows),
                "output_vectors": rate * of_output,
            },
            {"input_vectors": ("inputs", rows), **self._loss.numbers()},
            {"input_vectors": DOCUMENTS_BETWEEN},
        )

    def _targets(self, labels: Labels, generator: np.random.Generator) -> dict[str, Any]:
        """Return the labels to train with, as the kernel takes them."""
        if self._loss.takes_all:
            return {"labels": labels.numbers, "label_offsets": labels.offsets}
        return {"labels": labels.one_each(generator)}

    def _early_stopping(
        self, rows: NDArray[np.int32], offsets: NDArray[np.int64], labels: Labels, held_out: Array
    ) -> EarlyStopping:
        def restore(matrices: dict[str, Array]) -> None:
            self._matrices = matrices

        sizes = np.diff(offsets)
        is_held_out = np.zeros(len(sizes), np.bool_)
        is_held_out[held_out] = True
        rows = rows[np.repeat(is_held_out, sizes)]
        offsets = np.concatenate(([0], np.cumsum(sizes[is_held_out])))
        found = np.zeros(len(sizes), np.intp)

        def score() -> float:
            found[is_held_out] = self._best(rows, offsets)
            return float(np.mean(labels.have(found)[is_held_out]))

        return EarlyStopping(score, lambda: padded_copies(self._matrices), restore, int(self.patience))

    def _look_up(self, documents: Documents) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the rows of documents to be predicted, and where each document's begin."""
        rows, offsets = self._rows.look_up(documents)
        n_empty = int(np.sum(np.diff(offsets) == 0))
        if n_empty:
            warn_of_empty(n_empty, len(documents), self._loss.of_unknown)
        return rows, offsets

    def _in_parts(
        self,
        work: Callable[[Array, Array], Any],
        rows: NDArray[np.int32],
        offsets: NDArray[np.int64],
        n_numbers: int,
    ) -> Iterator[Any]:
        """Yield what `work` makes of the means of some documents after the other, and of the output vectors.

        It makes `n_numbers` for each document.
        """
        at_once = max(1, SCORES_AT_ONCE // max(n_numbers, self._vector_size))

        def work_on(begin: int) -> Any:
            means = means_of_rows(self._matrices["input_vectors"], rows, offsets[begin : begin + at_once + 1])
            return work(means, self._matrices["output_vectors"])

        with Workers(number_of_threads(self.threads)) as workers:
            yield from workers.in_order(work_on, range(0, len(offsets) - 1, at_once))

    def _best(self, rows: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return the most probable class of every document."""
        best = self._in_parts(self._loss.most_probable, rows, offsets, self._loss.n_scored(1))
        return np.concatenate([np.empty(0, np.intp), *best])

    def _scores(self, X: Any) -> Array:
        check_is_fitted(self)
        rows, offsets = self._look_up(read_documents(X))
        n = len(self.classes_)
        scores = self._in_parts(self._loss.scores, rows, offsets, n)
        return np.concatenate([np.empty((0, n), np.float32), *scores])

    def _top(self, documents: Documents, k: int | None, threshold: float) -> list[list[tuple[Any, float]]]:
        loss = self._loss_of_fitted()
        if k is not None:
            check_int("k", k, 1)
        check_float("threshold", threshold)
        n = len(self.classes_) if k is None else min(int(k), len(self.classes_))

        def find(means: Array, outputs: Array) -> tuple[NDArray[np.integer], Array]:
            return loss.top(means, outputs, n, threshold)

        top: list[list[tuple[Any, float]]] = []
        for best, probabilities in self._in_parts(find, *self._look_up(documents), loss.n_scored(n)):
            kept = probabilities >= np.float64(threshold)
            labels, values = self.classes_[best[kept]].tolist(), probabilities[kept].tolist()
            pairs = zip(labels, values, strict=True)
            top.extend(list(islice(pairs, n_kept)) for n_kept in kept.sum(axis=1).tolist())
        return top


def _counts_of(tensors: dict[str, Array], name: str, n: int) -> NDArray[np.int64]:
    """Return the counts of a file, zeros if it is of an earlier version and has none."""
    counts: NDArray[np.int64] = np.array(tensors.get(name, np.zeros(n, np.int64)))
    if counts.dtype != np.int64 or counts.shape != (n,) or (counts < 0).any():
        raise ValueError(f"{name} must be {n} int64 numbers >= 0")
    return counts
