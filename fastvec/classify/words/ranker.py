"""Max-margin ranking of true windows above corrupted ones."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from fastvec import functional
from fastvec._params import check_float
from fastvec.classify.networks.estimator import Examples, MakeBatch
from fastvec.classify.networks.layers import Array, Parameters
from fastvec.classify.networks.optimizers import Gradient
from fastvec.classify.words.lexicon import FIRST_WORD
from fastvec.classify.words.network import WindowNetwork
from fastvec.classify.words.sentences import (
    check_sentences,
    labels_of_words,
    sentence_numbers,
    sentences_with_words,
    split_like,
)

__all__ = ["WindowRanker"]

Ranker = TypeVar("Ranker", bound="WindowRanker")


@dataclass(eq=False, repr=False)
class WindowRanker(WindowNetwork):
    """Learn to score true windows above corrupted ones.

    The score of a window x is s = vᵀ f(xW1 + b1), and that of a corrupted one s_c. The cost of a pair, J =
    max(0, Δ − s + s_c), is 0 as soon as the true window is ahead by the margin Δ [1]_. The mean cost + λ Σ
    θ² over the weights is minimized. There are two ways to train:

    With labels (is the word in the middle a location?), the windows of words labelled True are true, and
    those of words labelled False corrupted. Every window is paired with a random one of the other kind.
    `predict` returns True for scores above a threshold, the one with the best F1 on the training windows, or
    on the validation windows with `early_stopping`.

    Without labels, every window of the text is a true one, and is corrupted by putting a random word in the
    middle. This is another way to learn word vectors: with ``train_vectors=True``, `vectors_` has them.

    Parameters
    ----------
    vectors : Vectors, optional
        Initial word vectors; random by default.
    window : int
        Number w of words to either side.
    l2 : float
        Strength λ of the L2 penalty on the weights, 0 or more.
    optimizer : {"adam", "adagrad", "sgd"}
        The optimizer.
    learning_rate : float, optional
        Step size at the start. The default is 0.002 for adam, and 0.05 for adagrad and sgd.
    momentum : float
        Momentum of sgd, 0 to 1.
    schedule : {"linear", "constant"}
        Whether the learning rate decreases linearly to 0 or stays constant.
    batch_size : int
        Number of words per step.
    epochs : int
        Number of passes over the words.
    early_stopping : bool
        Whether to hold out some sentences for validation, stop when the share of pairs in the right order
        has not improved for `patience` epochs, and keep the parameters of the best epoch.
    validation_fraction : float
        Approximate fraction of the sentences to hold out with `early_stopping`.
    patience : int
        Number of epochs without improvement after which `early_stopping` ends the training.
    seed : int
        Seed of the initial parameters, the order of the words and the validation split.
    progress : bool
        Whether to show a progress bar.
    hidden : int or sequence of int
        Size of the hidden layer, or sizes of several hidden layers.
    activation : {"sigmoid", "tanh", "relu"}
        The activation function f of the hidden layers.
    features : sequence of {"case", "suffix"}
        Additional features of every word: its capitalization, and its last three letters. Each value has a
        small vector that is learned. Requires labels, since a random word has no capitalization of its own.
    train_vectors : bool
        Whether the word vectors are trained.
    vectors_l2 : float
        Strength of the penalty on the distance of the word vectors of a batch from their initial values, see
        ``fastvec/classify/words/network.py``.
    vector_size : int
        Number of dimensions; ignored if there are `vectors`.
    min_count : int
        How often a word that is not in `vectors` must occur to get a vector; rarer words train the vector of
        unknown words.
    margin : float
        The margin Δ, greater than 0.

    Attributes
    ----------
    parameters_ : dict of str to ndarray
        ``vectors``, a row for padding, one for unknown words, and one for each word; ``W1``, ``b1``; ``W2``,
        which is v, shape (H, 1).
    vectors_ : Vectors
        The words with their vectors after training.
    threshold_ : float
        The score above which `predict` returns True. Only available after training with labels.
    n_parameters_ : int
        Number of parameters.
    history_ : list of Epoch
        Loss, learning rate, time and validation score of every epoch.
    interrupted_ : bool
        Whether a signal, such as Ctrl-C, or `stop` ended the training early.

    References
    ----------
    .. [1] R. Collobert and J. Weston, "A unified architecture for natural language processing: deep neural
       networks with multitask learning", ICML 2008.

    Examples
    --------
    >>> from fastvec.classify import WindowRanker
    >>> sentences = [["in", "Paris", "we", "met"], ["we", "left", "Paris"], ["we", "met", "in", "Rome"]] * 10
    >>> is_location = [[word in ("Paris", "Rome") for word in sentence] for sentence in sentences]
    >>> ranker = WindowRanker(vector_size=10, epochs=30).fit(sentences, is_location)
    >>> [found.tolist() for found in ranker.predict([["we", "left", "Rome"]])]
    [[False, False, True]]
    >>> WindowRanker(vector_size=10).fit(sentences).vectors_
    Vectors(6 words, 10 dimensions)
    """

    _: KW_ONLY
    train_vectors: bool = True
    margin: float = 1.0

    threshold_: float = field(init=False)
    _with_labels: bool = field(init=False)

    def check_params(self) -> None:
        """Validate the parameters.

        Raises
        ------
        TypeError, ValueError
            The message names the parameter, the rule and the value.
        """
        super().check_params()
        check_float("margin", self.margin, above=0)

    def fit(self: Ranker, X: Any, y: Any = None) -> Ranker:
        """Fit the model to sentences, starting from scratch.

        Parameters
        ----------
        X : iterable of lists of str
            Sentences; a `Corpus` is one.
        y : iterable of lists of bool, optional
            For each word, whether its window is a true one.

        Returns
        -------
        estimator
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or a sentence is invalid.
        FloatingPointError
            If training diverges; what was learned before is kept.

        Warns
        -----
        UserWarning
            If vectors are trained on few words without a penalty that holds them in place.
        """
        return self._fit(X, y)

    def partial_fit(self: Ranker, X: Any, y: Any = None) -> Ranker:
        """Continue with one pass over further sentences, at the initial learning rate.

        Parameters
        ----------
        X : iterable of lists of str
            Sentences. Words not seen in the first call are unknown words.
        y : iterable of lists of bool, optional
            For each word, whether its window is a true one. Required if the first call had labels.

        Returns
        -------
        estimator
            The estimator itself.
        """
        return self._partial_fit(X, y)

    def decision_function(self, X: Any) -> list[NDArray[np.float32]]:
        """Return, for each sentence, the scores of the windows of its words.

        Parameters
        ----------
        X : iterable of lists of str
            Sentences.

        Returns
        -------
        list of ndarray, shape (words,)
            The scores.
        """
        check_is_fitted(self)
        sentences = check_sentences(X)
        return split_like(self._scores_of(self._look_up(sentences))[:, 0], sentences)

    def predict(self, X: Any) -> list[NDArray[np.bool_]]:
        """Return, for each sentence, which words have a window that scores above the threshold.

        Parameters
        ----------
        X : iterable of lists of str
            Sentences.

        Returns
        -------
        list of ndarray of bool, shape (words,)
            True for scores above `threshold_`.

        Raises
        ------
        AttributeError
            If it was trained without labels.
        """
        check_is_fitted(self)
        if not self._with_labels:
            raise AttributeError(
                "predict needs a model trained with labels; decision_function returns the scores"
            )
        return [scores > self.threshold_ for scores in self.decision_function(X)]

    def score(self, X: Any, y: Any) -> float:
        """Return F1, the harmonic mean of precision and recall of the True words.

        Parameters
        ----------
        X : iterable of lists of str
            Sentences.
        y : iterable of lists of bool
            For each word, whether its window is a true one.

        Returns
        -------
        float
            The F1 score.
        """
        sentences = sentences_with_words(X)
        labels = _check_true_or_false(labels_of_words(y, sentences))
        return _f1(np.concatenate(self.predict(sentences)), labels)

    def _first_examples(self, X: Any, y: Any, classes: Any) -> tuple[Examples, NDArray[np.intp] | None]:
        sentences = sentences_with_words(X)
        self._with_labels = y is not None
        if not self._with_labels and self.features:
            raise ValueError(f"features must be () without labels, got {self.features!r}")
        self._learn_words(sentences, as_written=not self._with_labels)
        examples = self._labelled(sentences, y)
        self._warn_of_small_data(len(examples[-1]))
        if not self._with_labels and len(self._lexicon) - FIRST_WORD < 2:
            raise ValueError(f"X must have at least two words that occur {self.min_count} times, got fewer")
        return examples, sentence_numbers([len(sentence) for sentence in sentences])

    def _known_examples(self, X: Any, y: Any) -> Examples:
        if (y is not None) != self._with_labels:
            rule, given = ("labels", "None") if self._with_labels else ("None", "labels")
            raise ValueError(f"y must be {rule}, as in the training so far, got {given}")
        return self._labelled(sentences_with_words(X), y)

    def _labelled(self, sentences: list[list[str]], y: Any) -> Examples:
        ids = self._look_up(sentences)
        if y is None:
            return (*ids, np.ones(len(ids[0]), dtype=bool))
        labels = _check_true_or_false(labels_of_words(y, sentences))
        if labels.all() or not labels.any():
            raise ValueError(
                f"y must have words labelled True and words labelled False, got only {bool(labels[0])}"
            )
        return (*ids, labels)

    def _finish(self, examples: Examples) -> None:
        if self._with_labels:
            *ids, labels = examples
            self.threshold_ = _best_threshold(self._scores_of(ids)[:, 0], labels)

    def _split(self, examples: Examples, groups: NDArray[np.intp] | None) -> tuple[Examples, Examples]:
        kept, held_out = super()._split(examples, groups)
        for what, (*_, labels) in (("trained on", kept), ("held out", held_out)):
            if self._with_labels and (labels.all() or not labels.any()):
                raise ValueError(
                    f"early_stopping needs words labelled True and False in both parts, but those {what} are "
                    f"all {bool(labels[0])}: try another validation_fraction or seed"
                )
        return kept, held_out

    def _batches(self, examples: Examples) -> MakeBatch:
        """Return what makes pairs: true windows, corrupted ones, and the numbers of the pairs."""
        *ids, labels = examples
        middle = ids[0].shape[1] // 2
        all_true, all_false = np.flatnonzero(labels), np.flatnonzero(~labels)

        def with_labels(which: NDArray[np.intp], generator: np.random.Generator) -> Examples:
            own, n = labels[which], len(which)
            partners = np.where(own, generator.choice(all_false, n), generator.choice(all_true, n))
            true, corrupted = np.where(own, which, partners), np.where(own, partners, which)
            return (*(rows[true] for rows in ids), *(rows[corrupted] for rows in ids), which)

        def without(which: NDArray[np.intp], generator: np.random.Generator) -> Examples:
            true, corrupted = ids[0][which], ids[0][which]
            corrupted[:, middle] = generator.integers(FIRST_WORD, len(self._lexicon), len(which))
            return true, corrupted, which

        return with_labels if self._with_labels else without

    def _n_outputs(self) -> int:
        return 1

    def _layer_shapes(self, vector_size: int) -> dict[str, tuple[int, ...]]:
        shapes = super()._layer_shapes(vector_size)
        del shapes[f"b{len(shapes) // 2}"]  # a bias of the score would be in s and in s_c, and cancel out
        return shapes

    def _learned(self) -> tuple[dict[str, Any], dict[str, Array]]:
        learned, tensors = super()._learned()
        return {**learned, "threshold": self.threshold_ if self._with_labels else None}, tensors

    def _restore(self, learned: dict[str, Any], tensors: dict[str, Array]) -> None:
        self._with_labels = learned["threshold"] is not None
        if self._with_labels:
            self.threshold_ = float(learned["threshold"])
        super()._restore(learned, tensors)

    def _cost_and_gradients(
        self, parameters: Parameters, batch: Examples
    ) -> tuple[float, dict[str, Gradient]]:
        *ids, which = batch
        n, n_tables = len(which), len(self._table_names())
        both = [np.concatenate(pair) for pair in zip(ids[:n_tables], ids[n_tables:], strict=True)]
        outputs = self._run_forward(parameters, both)
        s, s_corrupted = np.split(outputs[-1], 2)
        cost, gradient, gradient_corrupted = functional.hinge(s, s_corrupted, float(self.margin))
        delta = np.concatenate((gradient, gradient_corrupted)) / n
        penalties, gradients = self._run_backward(parameters, both, outputs, delta)
        return cost / n + penalties, gradients

    def _validation_score(self, examples: Examples) -> float:
        n = len(examples[-1])
        *ids, _ = self._batches(examples)(np.arange(n), np.random.default_rng(self.seed))
        half = len(ids) // 2
        return float(np.mean(self._scores_of(ids[:half]) > self._scores_of(ids[half:])))


def _check_true_or_false(labels: NDArray[Any]) -> NDArray[np.bool_]:
    if labels.dtype != bool and not (labels.dtype.kind in "iu" and np.isin(labels, (0, 1)).all()):
        found = np.unique(labels)[:5].tolist()
        raise ValueError(f"y must be True or False for each word, got {found!r}")
    return labels.astype(bool)


def _f1(found: NDArray[np.bool_], labels: NDArray[np.bool_]) -> float:
    both = np.sum(found & labels)
    return float(2 * both / max(1, found.sum() + labels.sum()))


def _best_threshold(scores: NDArray[Any], labels: NDArray[np.bool_]) -> float:
    """Return the threshold with the best F1 when scores above it are True, half way between two scores."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + labels.sum())
    ordered = scores[order]
    ends = np.append(ordered[1:] < ordered[:-1], True)  # equal scores cannot be told apart
    last = int(np.argmax(np.where(ends, f1, -1)))
    lowest = ordered[last]
    below = (
        ordered[last + 1] if last + 1 < len(ordered) else np.nextafter(lowest, ordered.dtype.type(-np.inf))
    )
    middle = (lowest + below) / ordered.dtype.type(2)  # NumPy 1 would take a plain 2 to double precision
    return float(middle if middle < lowest else below)
