"""Text classification with learned words and n-grams: fastText's supervised mode."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from fastvec import kernels
from fastvec._params import check_float, check_int
from fastvec.classify.networks.files import (
    Saveable,
    description_of_labels,
    labels_of,
    parameter_tensors,
    parameters_of,
)
from fastvec.classify.networks.fitting import check_fitting, split_held_out, undone_on_error
from fastvec.classify.networks.labels import LabelClassifier, check_same_classes, class_numbers, first_classes
from fastvec.classify.networks.layers import Array
from fastvec.classify.texts.documents import (
    DocumentRows,
    Documents,
    means_of_rows,
    read_documents,
    read_labelled,
    warn_of_empty,
)
from fastvec.classify.words.lexicon import FIRST_WORD, Lexicon
from fastvec.formats.words import json_of_words, words_of_json
from fastvec.gradcheck import GradientReport, gradcheck
from fastvec.training.loop import EarlyStopping, Epoch, Schedule, Stoppable, train
from fastvec.training.matrices import padded_copies, padded_matrix
from fastvec.training.threads import number_of_threads
from fastvec.vectors import Vectors

__all__ = ["TextClassifier"]

# Documents handed to the kernel at once, at most.
DOCUMENTS_AT_ONCE = 512
# Starting values drawn at once: few enough for the processor's cache.
NUMBERS_AT_ONCE = 1 << 15

Classifier = TypeVar("Classifier", bound="TextClassifier")


@dataclass(eq=False, repr=False)
class TextClassifier(Saveable, Stoppable, LabelClassifier, BaseEstimator):
    """Classify texts by the mean of their word vectors, which are learned too.

    With h the mean of the vectors of a document's words and word n-grams, P(y|document) = softmax(Y h),
    trained to minimize the cross-entropy by stochastic gradient descent on Y and on the vectors, with one
    document per update: the supervised mode of fastText [1]_. The gradient is derived in
    ``fastvec/reference/documents.py``.

    Word n-grams share `buckets` rows by a hash. Buckets that no training document has hit have no row; their
    n-grams are ignored, as unknown words are. A word without a row is looked up in lower case, then with
    every digit replaced by 0.

    Parameters
    ----------
    vectors : Vectors, optional
        Initial word vectors. Other words, and all words without `vectors`, start at random.
    word_ngrams : int
        Largest number of words in an n-gram; 1 for single words only.
    buckets : int
        Largest number of rows for n-grams.
    vector_size : int
        Number of dimensions; ignored if there are `vectors`.
    min_count : int
        How often a word that is not in `vectors` must occur to get a row.
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
        Number of threads; all processors by default. With more than one, results differ slightly from run to
        run (Hogwild).
    seed : int
        Seed of the initial vectors, the order of the documents and the validation split.
    progress : bool
        Whether to show a progress bar.

    Attributes
    ----------
    classes_ : ndarray, shape (K,)
        The labels.
    parameters_ : dict of str to ndarray
        ``input_vectors``, the rows of words followed by those of n-grams, and ``output_vectors``, the rows
        of labels.
    vectors_ : Vectors
        The words with their vectors after training.
    n_parameters_ : int
        Number of parameters.
    history_ : list of Epoch
        Loss, learning rate, time and validation score of every epoch.
    interrupted_ : bool
        Whether a signal, such as Ctrl-C, or `stop` ended the training early.

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
    word_ngrams: int = 1
    buckets: int = 2_000_000
    vector_size: int = 100
    min_count: int = 1
    learning_rate: float = 0.25
    min_learning_rate: float = 0.0
    epochs: int = 5
    early_stopping: bool = False
    validation_fraction: float = 0.1
    patience: int = 5
    threads: int | None = None
    seed: int = 0
    progress: bool = False

    classes_: NDArray[Any] = field(init=False)
    history_: list[Epoch] = field(init=False)
    interrupted_: bool = field(init=False)
    _rows: DocumentRows = field(init=False)
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
        check_int("word_ngrams", self.word_ngrams, 1, 100)
        check_int("buckets", self.buckets, 1, 2**30)
        check_int("vector_size", self.vector_size, 1, 4096)
        check_int("min_count", self.min_count, 1)
        check_float("learning_rate", self.learning_rate, above=0)
        check_float("min_learning_rate", self.min_learning_rate, minimum=0, maximum=self.learning_rate)
        if self.threads is not None:
            check_int("threads", self.threads, 1)
        check_fitting(self)

    def fit(self: Classifier, X: Any, y: ArrayLike) -> Classifier:
        """Fit the model to labelled documents, starting from scratch.

        Parameters
        ----------
        X : iterable of str or of lists of str
            Documents; a str is split on white space.
        y : array_like, shape (n,)
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
            documents, labels = read_labelled(X, y)
            self._start(documents, labels, None)
            numbers = class_numbers(self.classes_, labels).astype(np.int32)
            self._train(
                documents, numbers, int(self.epochs), float(self.min_learning_rate), self.early_stopping
            )
        return self

    def partial_fit(
        self: Classifier, X: Any, y: ArrayLike, *, classes: ArrayLike | None = None
    ) -> Classifier:
        """Continue with one pass over further documents, at the initial learning rate.

        Parameters
        ----------
        X : iterable of str or of lists of str
            Documents; a str is split on white space. Words and n-grams not seen in the first call are
            ignored.
        y : array_like, shape (n,)
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
            numbers = class_numbers(self.classes_, labels).astype(np.int32)
            self._train(documents, numbers, 1, float(self.learning_rate), False)
        return self

    def check_gradient(
        self, X: Any, y: ArrayLike, *, epsilon: float = 1e-4, sample: int | None = None, seed: int = 0
    ) -> GradientReport:
        """Compare one gradient step on all documents with finite differences, in double precision.

        The step is that of the NumPy reference, which the tests compare with the kernels. Only the rows of
        words and n-grams that occur in the documents are checked.

        Parameters
        ----------
        X : iterable of str or of lists of str
            Documents; a str is split on white space.
        y : array_like, shape (n,)
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
        some = np.diff(offsets) > 0
        targets = class_numbers(self.classes_, labels)[some].astype(np.int32)
        used, inputs = np.unique(rows, return_inverse=True)
        step = kernels.get("softmax", "reference").step
        starts = np.append(offsets[:-1][some], offsets[-1])

        def cost(parameters: dict[str, Array]) -> tuple[float, dict[str, Array]]:
            moved = {name: array.copy() for name, array in parameters.items()}
            loss = step(
                **moved,
                inputs=inputs.astype(np.int32),
                input_offsets=starts,
                targets=targets,
                target_offsets=np.arange(len(targets) + 1),
                scale_gradient=True,
                learning_rate=1.0,
            )
            return loss, {name: array - moved[name] for name, array in parameters.items()}

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
        return Vectors(self._rows.lexicon.words, rows[FIRST_WORD : len(self._rows.lexicon)].copy())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string = False, True
        return tags

    def _check_unchanged(self) -> None:
        if (self.word_ngrams, self.buckets) != (self._rows.longest, self._rows.buckets):
            raise ValueError(
                f"parameters must not change after fit, got word_ngrams={self.word_ngrams}, "
                f"buckets={self.buckets}; call fit to start over"
            )

    def _learned(self) -> tuple[dict[str, Any], dict[str, Array]]:
        tensors = {
            **parameter_tensors(self.parameters_),
            "words": json_of_words(self._rows.lexicon.words),
            "ngrams": self._rows.ngrams,
        }
        return {"classes": description_of_labels(self.classes_)}, tensors

    def _restore(self, learned: dict[str, Any], tensors: dict[str, Array]) -> None:
        self.check_params()
        self.classes_ = labels_of(learned["classes"])
        lexicon, ngrams = Lexicon(words_of_json(tensors["words"])), tensors["ngrams"]
        numbers = np.concatenate(([-1], ngrams.ravel(), [self.buckets]))
        if ngrams.dtype != np.int64 or ngrams.ndim != 1 or (numbers[1:] <= numbers[:-1]).any():
            raise ValueError("ngrams must be int64 numbers of buckets in rising order")
        self._rows = DocumentRows(lexicon, ngrams, int(self.word_ngrams), int(self.buckets))
        d = self._vector_size = tensors["parameters.input_vectors"].shape[-1]
        shapes = {"input_vectors": (len(self._rows), d), "output_vectors": (len(self.classes_), d)}
        self._matrices = padded_copies(parameters_of(tensors, shapes))

    def _start(self, documents: Documents, labels: NDArray[Any], classes: Any) -> None:
        """Note words, n-grams and classes, and make the vectors to start from."""
        self.classes_ = first_classes(labels, classes)
        self._rows = DocumentRows.of(
            documents, self.vectors, int(self.min_count), int(self.word_ngrams), int(self.buckets)
        )
        generator = np.random.default_rng(self.seed)
        n_rows = len(self._rows)
        d = int(self.vector_size) if self.vectors is None else self.vectors.vector_size
        inputs = padded_matrix(n_rows, d)
        at_once = max(1, NUMBERS_AT_ONCE // d)
        for begin in range(0, n_rows, at_once):
            rows = inputs[begin : begin + at_once, :d]
            np.multiply(generator.random(rows.shape, dtype=np.float32) - 0.5, 2 / d, out=rows)
        if self.vectors is not None:
            inputs[FIRST_WORD : FIRST_WORD + len(self.vectors), :d] = self.vectors.vectors
        outputs = padded_matrix(len(self.classes_), d)
        self._matrices = {"input_vectors": inputs, "output_vectors": outputs}
        self._vector_size = d
        self.history_ = []
        self.interrupted_ = False

    def _train(
        self,
        documents: Documents,
        labels: NDArray[np.int32],
        epochs: int,
        min_learning_rate: float,
        stops_early: bool,
    ) -> None:
        rows, offsets = self._rows.look_up(documents)
        usable = np.flatnonzero(np.diff(offsets))
        if len(usable) < len(documents):
            warn_of_empty(len(documents) - len(usable), len(documents), "they are ignored")
        if len(usable) == 0:
            raise ValueError("X must have at least one document with a known word, got none")
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
            threads=number_of_threads(self.threads),
            seed=int(self.seed),
            chunk=max(1, min(DOCUMENTS_AT_ONCE, len(usable) // 20)),
            epochs_before=len(self.history_),
            unit="documents",
            untrained_loss=math.log(len(self.classes_)),
        )
        order = np.empty(len(usable), np.int32)
        matrices = self._matrices
        kernel = kernels.documents

        def train_chunk(
            *, start: int, stop: int, learning_rate: float, key: int, loss_every: int
        ) -> tuple[float, int, int]:
            return kernel.train(
                **matrices,
                inputs=rows,
                input_offsets=offsets,
                labels=labels,
                order=order,
                start=start,
                stop=stop,
                learning_rate=learning_rate,
                loss_every=loss_every,
            )

        def before_epoch(key: int, _: int) -> None:
            order[:] = np.random.default_rng(key).permutation(usable)

        self.interrupted_ = train(
            train_chunk,
            schedule,
            tuple(matrices.values()),
            early_stopping=early_stopping,
            progress=self.progress,
            before_epoch=before_epoch,
            after_epoch=self.history_.append,
            stop=lambda: self._stopping,
        )

    def _early_stopping(
        self, rows: NDArray[np.int32], offsets: NDArray[np.int64], labels: NDArray[np.int32], held_out: Array
    ) -> EarlyStopping:
        def restore(matrices: dict[str, Array]) -> None:
            self._matrices = matrices

        def score() -> float:
            scores = self._scores_of(rows, offsets)[held_out]
            return float(np.mean(scores.argmax(axis=1) == labels[held_out]))

        return EarlyStopping(score, lambda: padded_copies(self._matrices), restore, int(self.patience))

    def _scores_of(self, rows: NDArray[np.int32], offsets: NDArray[np.int64]) -> Array:
        scores: Array = means_of_rows(self._matrices["input_vectors"], rows, offsets) @ (
            self._matrices["output_vectors"].T
        )
        return scores

    def _scores(self, X: Any) -> Array:
        check_is_fitted(self)
        rows, offsets = self._rows.look_up(read_documents(X))
        n_empty = int(np.sum(np.diff(offsets) == 0))
        if n_empty:
            warn_of_empty(n_empty, len(offsets) - 1, "all classes are equally probable")
        return self._scores_of(rows, offsets)
