"""A network with hidden layers that predicts classes or numbers."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import r2_score
from sklearn.utils import RegressorTags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from fastvec import functional
from fastvec._params import check_choice
from fastvec.classify.networks.estimator import Examples, check_hidden
from fastvec.classify.networks.feed_forward import FeedForward
from fastvec.classify.networks.labels import LabelClassifier
from fastvec.classify.networks.layers import ACTIVATIONS, Array

__all__ = ["TwoLayerClassifier"]

LOSSES = ("cross_entropy", "squared_error")

Classifier = TypeVar("Classifier", bound="TwoLayerClassifier")


def _tells_classes(estimator: TwoLayerClassifier) -> bool:
    if estimator.loss == "squared_error":
        raise AttributeError("TwoLayerClassifier with loss='squared_error' predicts numbers, not classes")
    return True


@dataclass(eq=False, repr=False)
class TwoLayerClassifier(LabelClassifier, FeedForward):
    """A network with hidden layers, as a scikit-learn classifier or regressor.

    h = f(xW1 + b1) and ŷ = softmax(hW2 + b2), trained to minimize the mean cross-entropy + λ Σ θ², where the
    sum runs over all weights but not the biases. Further hidden layers may come in between. The backward
    pass is derived in ``fastvec/classify/networks/layers.py``.

    With ``loss="squared_error"`` it predicts numbers: ŷ = hW2 + b2, trained to minimize the mean of ½ ‖ŷ −
    y‖².

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
    hidden : int or sequence of int
        Size of the hidden layer, or sizes of several hidden layers.
    activation : {"sigmoid", "tanh", "relu"}
        The activation function f of the hidden layers.
    loss : {"cross_entropy", "squared_error"}
        Whether to predict classes or numbers.

    Attributes
    ----------
    classes_ : ndarray, shape (K,)
        The labels. Not available with ``loss="squared_error"``.
    parameters_ : dict of str to ndarray
        Weights and biases of all layers: ``W1``, shape (D, H), ``b1``, shape (H,), ``W2``, ...
    n_parameters_ : int
        Number of parameters, (D + 1) · H + (H + 1) · K with one hidden layer.
    history_ : list of Epoch
        Loss, learning rate, time and validation score of every epoch.
    interrupted_ : bool
        Whether a signal, such as Ctrl-C, or `stop` ended the training early.

    Examples
    --------
    >>> from fastvec.classify import TwoLayerClassifier
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["same", "different", "different", "same"]
    >>> network = TwoLayerClassifier(hidden=8, activation="tanh", epochs=500).fit(X, y)
    >>> network.predict(X).tolist()
    ['same', 'different', 'different', 'same']
    >>> network.n_parameters_ == (2 + 1) * 8 + (8 + 1) * 2
    True
    """

    _: KW_ONLY
    hidden: Any = 100
    activation: str = "sigmoid"
    loss: str = "cross_entropy"

    def check_params(self) -> None:
        """Validate the parameters.

        Raises
        ------
        TypeError, ValueError
            The message names the parameter, the rule and the value.
        """
        super().check_params()
        check_hidden("hidden", self.hidden)
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("loss", self.loss, LOSSES)

    def fit(self: Classifier, X: ArrayLike, y: ArrayLike) -> Classifier:
        """Fit the model to examples, starting from scratch.

        Parameters
        ----------
        X : array_like, shape (n, D)
            Features, finite numbers.
        y : array_like, shape (n,)
            Labels of at least two classes; with ``loss="squared_error"`` numbers, shape (n,) or (n, K).

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
            Labels; with ``loss="squared_error"`` numbers, shape (n,) or (n, K).
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

    @available_if(_tells_classes)  # type: ignore[untyped-decorator]
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
        """Return the most probable label of every row, shape (n,), or numbers in the shape of `fit`'s y.

        Parameters
        ----------
        X : array_like, shape (n, D)
            Features, finite numbers.

        Returns
        -------
        ndarray, shape (n,) or (n, K)
            The labels or numbers.
        """
        x = self._checked(X)
        self._check_unchanged()
        if self._predicts_numbers():
            # in double precision, so that a number does not depend on which others are computed with it
            numbers = self._scores(x.astype(np.float64))
            return numbers[:, 0] if self._single_number else numbers
        found: NDArray[Any] = self.classes_[self._scores(x).argmax(axis=1)]
        return found

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy, or with ``loss="squared_error"`` the coefficient of determination R².

        Parameters
        ----------
        X : array_like, shape (n, D)
            Features, finite numbers.
        y : array_like, shape (n,) or (n, K)
            Labels or numbers.
        sample_weight : array_like, shape (n,), optional
            Weights of the examples.

        Returns
        -------
        float
            The score.
        """
        if not self._predicts_numbers():
            return super().score(X, y, sample_weight)
        return float(r2_score(y, self.predict(X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if self._predicts_numbers():
            tags.estimator_type, tags.classifier_tags, tags.regressor_tags = (
                "regressor",
                None,
                RegressorTags(),
            )
            tags.target_tags.multi_output = True
        return tags

    def _hidden_sizes(self) -> tuple[int, ...]:
        return check_hidden("hidden", self.hidden)

    def _activation(self) -> str:
        return self.activation

    def _predicts_numbers(self) -> bool:
        return self.loss == "squared_error"

    def _n_outputs(self) -> int:
        return self._n_numbers if self._predicts_numbers() else super()._n_outputs()

    def _first_examples(self, X: Any, y: Any, classes: Any) -> tuple[Examples, NDArray[np.intp] | None]:
        if not self._predicts_numbers():
            return super()._first_examples(X, y, classes)
        X, y = self._checked_numbers(X, y, reset=True)
        self.__dict__.pop("classes_", None)
        self._single_number = y.ndim == 1
        self._n_numbers = 1 if self._single_number else y.shape[1]
        return (X, y.reshape(len(y), -1)), None

    def _known_examples(self, X: Any, y: Any) -> Examples:
        if not self._predicts_numbers():
            return super()._known_examples(X, y)
        X, y = self._checked_numbers(X, y, reset=False)
        y = y.reshape(len(y), -1)
        if y.shape[1] != self._n_numbers:
            raise ValueError(f"y must have {self._n_numbers} numbers per row, as in fit, got {y.shape[1]}")
        return X, y

    def _learned(self) -> tuple[dict[str, Any], dict[str, Array]]:
        said, tensors = super()._learned()
        if self._predicts_numbers():
            said |= {"n_numbers": self._n_numbers, "single_number": self._single_number}
        return said, tensors

    def _restore(self, learned: dict[str, Any], tensors: dict[str, Array]) -> None:
        if self._predicts_numbers():
            self._n_numbers, self._single_number = int(learned["n_numbers"]), bool(learned["single_number"])
        super()._restore(learned, tensors)

    def _check_unchanged(self) -> None:
        if self._predicts_numbers() == hasattr(self, "classes_"):
            raise ValueError(
                f"parameters must not change after fit, got loss={self.loss!r}; call fit to start over"
            )
        super()._check_unchanged()

    def _check_classes(self, classes: Any) -> None:
        if hasattr(self, "classes_") and not self._predicts_numbers():
            super()._check_classes(classes)

    def _checked_numbers(self, X: Any, y: Any, *, reset: bool) -> Any:
        return validate_data(self, X, y, dtype=np.float32, reset=reset, multi_output=True, y_numeric=True)
