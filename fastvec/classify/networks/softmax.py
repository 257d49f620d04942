"""Softmax regression: one linear layer and the softmax."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastvec import functional
from fastvec.classify.networks.feed_forward import FeedForward
from fastvec.classify.networks.labels import LabelClassifier

__all__ = ["SoftmaxClassifier"]

Classifier = TypeVar("Classifier", bound="SoftmaxClassifier")


class SoftmaxClassifier(LabelClassifier, FeedForward):
    """Softmax regression (multinomial logistic regression) as a scikit-learn classifier.

    P(y|x) = softmax(xW + b), trained to minimize the mean cross-entropy + λ Σ θ², where the sum runs over
    the weights W but not the biases. The gradient with respect to the scores is ŷ − y, see
    `fastvec.functional.cross_entropy`.

    Parameters
    ----------
    l2 : float
        Strength λ of the L2 penalty on the weights, 0 or more.
    optimizer : {"adam", "adagrad", "sgd"}
        The optimizer.
    learning_rate : float, optional
        Step size at the start. The default is 0.005 for adam, 0.05 for adagrad and 0.1 for sgd.
    momentum : float
        Momentum of sgd, 0 to 1.
    schedule : {"linear", "constant"}
        Whether the learning rate decreases linearly to 0 or stays constant.
    batch_size : int
        Number of examples per step.
    epochs : int
        Number of passes over the examples.
    early_stopping : bool
        Whether to hold out a part of the examples for validation, stop when its score has not improved for
        `patience` epochs, and keep the parameters of the best epoch.
    validation_fraction : float
        Approximate fraction of the examples to hold out with `early_stopping`.
    patience : int
        Number of epochs without improvement after which `early_stopping` ends the training.
    seed : int
        Seed of the initial parameters, the order of the examples and the validation split.
    progress : bool
        Whether to show a progress bar.

    Attributes
    ----------
    classes_ : ndarray, shape (K,)
        The labels.
    parameters_ : dict of str to ndarray
        ``W1``, shape (D, K), and ``b1``, shape (K,).
    n_parameters_ : int
        Number of parameters, (D + 1) · K.
    history_ : list of Epoch
        Loss, learning rate, time and validation score of every epoch.
    interrupted_ : bool
        Whether a signal, such as Ctrl-C, or `stop` ended the training early.

    Examples
    --------
    >>> from fastvec.classify import SoftmaxClassifier
    >>> classifier = SoftmaxClassifier(epochs=200)
    >>> classifier = classifier.fit([[0.0], [1.0], [3.0], [4.0]], ["low", "low", "high", "high"])
    >>> classifier.predict([[-1.0], [5.0]]).tolist()
    ['low', 'high']
    """

    def fit(self: Classifier, X: ArrayLike, y: ArrayLike) -> Classifier:
        """Fit the model to examples, starting from scratch.

        Parameters
        ----------
        X : array_like, shape (n, D)
            Features, finite numbers.
        y : array_like, shape (n,)
            Labels of at least two classes.

        Returns
        -------
        estimator
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the examples are invalid.
        FloatingPointError
            If training diverges; what was learned before is kept.
        """
        return self._fit(X, y)

    def partial_fit(
        self: Classifier, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None
    ) -> Classifier:
        """Continue with one pass over further examples, at the initial learning rate.

        Parameters
        ----------
        X : array_like, shape (n, D)
            Features, finite numbers.
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
        return self._partial_fit(X, y, classes)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the scores z of the classes, shape (n, K); with two classes their difference, shape (n,).

        Parameters
        ----------
        X : array_like, shape (n, D)
            Features, finite numbers.

        Returns
        -------
        ndarray, shape (n, K) or (n,)
            The scores.
        """
        scores = self._scores(self._checked(X))
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the class probabilities, shape (n, K).

        Parameters
        ----------
        X : array_like, shape (n, D)
            Features, finite numbers.

        Returns
        -------
        ndarray, shape (n, K)
            The probabilities.
        """
        return functional.softmax(self._scores(self._checked(X)))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable label of every row, shape (n,).

        Parameters
        ----------
        X : array_like, shape (n, D)
            Features, finite numbers.

        Returns
        -------
        ndarray, shape (n,)
            The labels.
        """
        scores = self._scores(self._checked(X))
        found: NDArray[Any] = self.classes_[scores.argmax(axis=1)]
        return found

    def _hidden_sizes(self) -> tuple[int, ...]:
        return ()
