"""Tagging words by the windows around them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from fastvec import functional
from fastvec.classify.networks.estimator import Examples
from fastvec.classify.networks.labels import (
    class_numbers,
    first_classes,
    known_class_numbers,
)
from fastvec.classify.networks.layers import Array, Parameters
from fastvec.classify.networks.network import ClassNetwork
from fastvec.classify.networks.optimizers import Gradient
from fastvec.classify.words.network import WindowNetwork
from fastvec.classify.words.sentences import (
    check_sentences,
    labels_of_words,
    sentence_numbers,
    sentences_with_words,
    split_like,
)
from fastvec.training.progress import warn

__all__ = ["WindowClassifier"]


class WindowClassifier(ClassNetwork, WindowNetwork):
    """Tag every word of a sentence by the words around it: parts of speech, names, senses.

    The vectors of 2w + 1 adjacent words, x ∈ R^{(2w+1)d}, go through a network, h = f(xW1 + b1) and ŷ =
    softmax(hW2 + b2), which predicts the class of the word in the middle [1]_. It is trained to minimize the
    mean cross-entropy + λ Σ θ² over the weights; with ``train_vectors=True`` the word vectors are trained
    too.

    A word without a vector is looked up in lower case, then with every digit replaced by 0. Words of the
    training text that have no vector at all start at random. Words that are too rare there, and words first
    met in prediction, are unknown words, which share a vector of their own. Sentences are padded at both
    ends.

    When to train the word vectors: they then fit the task, but only words that occur in the training text
    move. On a small text these leave behind other words of nearly the same meaning: a classifier that was
    right about "television" and "telly" forgets one of them. With few labelled words, keep the vectors
    fixed, or let `vectors_l2` hold them near their initial values.

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
        Whether to hold out some sentences for validation, stop when its score has not improved for
        `patience` epochs, and keep the parameters of the best epoch.
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
        small vector that is learned.
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

    Attributes
    ----------
    classes_ : ndarray, shape (K,)
        The labels.
    parameters_ : dict of str to ndarray
        ``vectors``, a row for padding, one for unknown words, and one for each word; ``case``, ``suffix``;
        weights and biases of the layers, ``W1``, shape ((2w+1)·D, H), ``b1``, ``W2``, ``b2``.
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
    .. [1] R. Collobert, J. Weston, L. Bottou, M. Karlen, K. Kavukcuoglu and P. Kuksa, "Natural language
       processing (almost) from scratch", JMLR 2011, arXiv:1103.0398.

    Examples
    --------
    >>> from fastvec.classify import WindowClassifier
    >>> sentences = [["in", "Paris", "we", "met"], ["we", "left", "Paris"], ["we", "met", "in", "Rome"]] * 10
    >>> tags = [["O", "LOC", "O", "O"], ["O", "O", "LOC"], ["O", "O", "O", "LOC"]] * 10
    >>> tagger = WindowClassifier(vector_size=10, train_vectors=True, epochs=30).fit(sentences, tags)
    >>> [labels.tolist() for labels in tagger.predict([["we", "left", "Rome"]])]
    [['O', 'O', 'LOC']]
    """

    def predict_proba(self, X: Any) -> list[NDArray[np.float32]]:
        """Return, for each sentence, the class probabilities of its words, shape (words, K).

        Parameters
        ----------
        X : iterable of lists of str
            Sentences.

        Returns
        -------
        list of ndarray, shape (words, K)
            The probabilities.
        """
        sentences, scores = self._scores(X)
        return split_like(functional.softmax(scores), sentences)

    def predict(self, X: Any) -> list[NDArray[Any]]:
        """Return, for each sentence, the most probable labels of its words.

        Parameters
        ----------
        X : iterable of lists of str
            Sentences.

        Returns
        -------
        list of ndarray, shape (words,)
            The labels.
        """
        sentences, scores = self._scores(X)
        return split_like(self.classes_[scores.argmax(axis=1)], sentences)

    def score(self, X: Any, y: Any) -> float:
        """Return the accuracy: the fraction of words whose label is predicted correctly.

        Parameters
        ----------
        X : iterable of lists of str
            Sentences.
        y : iterable of lists
            A label for each word.

        Returns
        -------
        float
            The accuracy.

        Warns
        -----
        UserWarning
            If there are labels not seen in training; they count as errors.
        """
        sentences, scores = self._scores(sentences_with_words(X))
        numbers, known = known_class_numbers(self.classes_, labels_of_words(y, sentences))
        if not known.all():
            warn(
                f"{np.sum(~known):,} of {len(known):,} labels are of classes not seen in training; "
                "they count as errors"
            )
        return float(np.mean(known & (scores.argmax(axis=1) == numbers)))

    def _scores(self, X: Any) -> tuple[list[list[str]], Array]:
        check_is_fitted(self)
        sentences = check_sentences(X)
        return sentences, self._scores_of(self._look_up(sentences))

    def _first_examples(self, X: Any, y: Any, classes: Any) -> tuple[Examples, NDArray[np.intp] | None]:
        sentences = sentences_with_words(X)
        labels = labels_of_words(y, sentences)
        self.classes_ = first_classes(labels, classes)
        self._warn_of_small_data(len(labels))
        self._learn_words(sentences)
        examples: Examples = (*self._look_up(sentences), class_numbers(self.classes_, labels))
        return examples, sentence_numbers([len(sentence) for sentence in sentences])

    def _known_examples(self, X: Any, y: Any) -> Examples:
        sentences = sentences_with_words(X)
        return (*self._look_up(sentences), class_numbers(self.classes_, labels_of_words(y, sentences)))

    def _cost_and_gradients(
        self, parameters: Parameters, batch: Examples
    ) -> tuple[float, dict[str, Gradient]]:
        *ids, y = batch
        outputs = self._run_forward(parameters, ids)
        cost, delta = functional.cross_entropy(outputs[-1], y)
        delta /= len(y)
        penalties, gradients = self._run_backward(parameters, ids, outputs, delta)
        return cost / len(y) + penalties, gradients
