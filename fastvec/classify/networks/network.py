"""Networks of fully connected layers on rows of features, from softmax regression to many hidden layers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from fastvec import functional, kernels
from fastvec._params import check_choice
from fastvec.classify.networks import regression
from fastvec.classify.networks.estimator import Examples, NetworkEstimator, TakeSteps, check_hidden
from fastvec.classify.networks.files import (
    Saveable,
    description_of_labels,
    labels_of,
    parameter_tensors,
    parameters_of,
)
from fastvec.classify.networks.labels import (
    LabelClassifier,
    check_labels,
    check_same_classes,
    class_numbers,
    first_classes,
)
from fastvec.classify.networks.layers import (
    ACTIVATIONS,
    Array,
    Parameters,
    backward,
    forward,
    initial,
    layer_shapes,
    penalty,
)
from fastvec.classify.networks.optimizers import Gradient

__all__ = ["ClassNetwork", "NetworkClassifier", "NetworkRegressor", "SoftmaxClassifier", "TwoLayerClassifier"]

# Of the products of weights and features that a call of the kernel adds up: a millisecond or two of work.
MULTIPLY_ADDS_AT_ONCE = 1 << 23

Classifier = TypeVar("Classifier", bound="ClassNetwork")
Regressor = TypeVar("Regressor", bound="NetworkRegressor")


class ClassNetwork(NetworkEstimator, Saveable):
    """A network whose outputs are the scores of classes."""

    classes_: NDArray[Any]

    def fit(self: Classifier, X: Any, y: Any) -> Classifier:
        """Fit the model to labelled examples, starting from scratch.

        Parameters
        ----------
        X : array_like, shape (n, D), or iterable of lists of str
            Features, finite numbers; for `WindowClassifier`, sentences.
        y : array_like, shape (n,), or iterable of lists
            Labels of at least two classes; for `WindowClassifier`, a list of labels for each sentence.

        Returns
        -------
        estimator
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or an example is invalid.
        FloatingPointError
            If training diverges; what was learned before is kept.

        Warns
        -----
        UserWarning
            If vectors are trained on few words without a penalty that holds them in place.
        """
        return self._fit(X, y)

    def partial_fit(self: Classifier, X: Any, y: Any, *, classes: ArrayLike | None = None) -> Classifier:
        """Continue with one pass over further examples, at the initial learning rate.

        Parameters
        ----------
        X : array_like, shape (n, D), or iterable of lists of str
            Examples, as for `fit`. Words not seen in the first call are unknown words.
        y : array_like, shape (n,), or iterable of lists
            Labels, as for `fit`.
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

    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _check_classes(self, classes: Any) -> None:
        check_same_classes(self.classes_, classes)

    def _validation_score(self, examples: Examples) -> float:
        *inputs, y = examples
        return float(np.mean(self._scores_of(inputs).argmax(axis=1) == y))

    def _learned(self) -> tuple[dict[str, Any], dict[str, Array]]:
        learned, tensors = super()._learned()  # type: ignore[safe-super]
        return {**learned, "classes": description_of_labels(self.classes_)}, tensors

    def _restore(self, learned: dict[str, Any], tensors: dict[str, Array]) -> None:
        self.classes_ = labels_of(learned["classes"])
        super()._restore(learned, tensors)  # type: ignore[safe-super]


class FeedForward(NetworkEstimator, Saveable):
    """A network on rows of features."""

    # Returns the cost of scores, summed over the rows, and its derivative.
    _loss: ClassVar[Callable[..., tuple[float, Array]]]

    # Parameters of networks with hidden layers.
    hidden: Any = ()
    activation = "sigmoid"

    n_features_in_: int

    @abstractmethod
    def _n_outputs(self) -> int:
        """Return the number of scores of a row."""

    def _initial_parameters(self, generator: np.random.Generator) -> dict[str, Array]:
        return initial(self._sizes(), generator)

    def _sizes(self) -> tuple[int, ...]:
        hidden = check_hidden("hidden", self.hidden) if self.hidden else ()
        return (self.n_features_in_, *hidden, self._n_outputs())

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return layer_shapes(self._sizes())

    def _learned(self) -> tuple[dict[str, Any], dict[str, Array]]:
        learned: dict[str, Any] = {"n_features_in": int(self.n_features_in_)}
        if hasattr(self, "feature_names_in_"):
            learned["feature_names_in"] = self.feature_names_in_.tolist()
        return learned, parameter_tensors(self.parameters_)

    def _restore(self, learned: dict[str, Any], tensors: dict[str, Array]) -> None:
        self.n_features_in_ = int(learned["n_features_in"])
        if "feature_names_in" in learned:
            self.feature_names_in_ = np.array(learned["feature_names_in"], dtype=object)
        self.parameters_ = parameters_of(tensors, self._shapes())

    def _cost_and_gradients(
        self, parameters: Parameters, batch: Examples
    ) -> tuple[float, dict[str, Gradient]]:
        x, y = batch
        outputs = forward(parameters, x.astype(parameters["W1"].dtype, copy=False), self.activation)
        cost, delta = self._loss(outputs[-1], y)
        delta /= len(y)
        gradients, _ = backward(parameters, outputs, delta, self.activation, to_inputs=False)
        cost = cost / len(y) + penalty(parameters, gradients, float(self.l2))
        return cost, dict(gradients)

    def _scores_of(self, inputs: Sequence[Array]) -> Array:
        (x,) = inputs
        self._check_unchanged()
        return forward(self.parameters_, x, self.activation)[-1]

    def _checked(self, X: ArrayLike) -> Array:
        check_is_fitted(self)
        checked: Array = validate_data(self, X, dtype=np.float32, reset=False, ensure_min_samples=0)
        return checked


class FeedForwardClassifier(LabelClassifier, ClassNetwork, FeedForward):
    """A network on rows of features that predicts classes."""

    _loss = staticmethod(functional.cross_entropy)

    def _scores(self, X: ArrayLike) -> Array:
        return self._scores_of([self._checked(X)])

    def _first_examples(self, X: Any, y: Any, classes: Any) -> tuple[Examples, NDArray[np.intp] | None]:
        X, y = self._labelled(X, y, reset=True)
        self.classes_ = first_classes(y, classes)
        return (X, class_numbers(self.classes_, y)), None

    def _known_examples(self, X: Any, y: Any) -> Examples:
        X, y = self._labelled(X, y, reset=False)
        return X, class_numbers(self.classes_, y)

    def _labelled(self, X: Any, y: Any, *, reset: bool) -> Any:
        # Without y, scikit-learn says what it says of all estimators.
        labels = y if y is None else check_labels("y", y)
        return validate_data(self, X, labels, dtype=np.float32, reset=reset)


class SoftmaxClassifier(FeedForwardClassifier):
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

    def _steps(self, examples: Examples) -> TakeSteps:
        X, y = np.ascontiguousarray(examples[0]), examples[1].astype(np.int64)
        self.parameters_, matrices = regression.packed(self.parameters_, self._optimizer)
        train, batch_size, momentum = kernels.regression.train, int(self.batch_size), float(self.momentum)

        def take_steps(which: NDArray[np.intp], learning_rates: NDArray[np.float64]) -> float:
            cost: float = train(
                matrices[0],
                matrices[1:],
                X,
                y,
                which,
                batch_size,
                learning_rates,
                self.optimizer,
                momentum,
                self._optimizer.n_steps,
                float(self.l2),
            )
            self._optimizer.n_steps += len(learning_rates)
            return cost

        return take_steps

    def _batches_at_once(self, examples: Examples) -> int:
        in_a_batch: int = int(self.batch_size) * examples[0].shape[1] * len(self.classes_)
        return max(1, MULTIPLY_ADDS_AT_ONCE // in_a_batch)

    def _train(self, *given: Any) -> None:
        super()._train(*given)
        self.parameters_ = {name: array.copy() for name, array in self.parameters_.items()}
        self._optimizer.memory = {
            name: [slot.copy() for slot in slots] for name, slots in self._optimizer.memory.items()
        }

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
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores


@dataclass(eq=False, repr=False)
class HiddenLayers(FeedForward):
    """A network with hidden layers."""

    _: KW_ONLY
    hidden: Any = 100
    activation: str = "sigmoid"

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


class NetworkClassifier(HiddenLayers, FeedForwardClassifier):
    """A network with one hidden layer or several, as a scikit-learn classifier.

    h = f(xW1 + b1) and ŷ = softmax(hW2 + b2), trained to minimize the mean cross-entropy + λ Σ θ², where the
    sum runs over all weights but not the biases. Further hidden layers may come in between. The backward
    pass is derived in ``fastvec/classify/networks/layers.py``.

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

    Attributes
    ----------
    classes_ : ndarray, shape (K,)
        The labels.
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
    >>> from fastvec.classify import NetworkClassifier
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["same", "different", "different", "same"]
    >>> network = NetworkClassifier(hidden=8, activation="tanh", epochs=500).fit(X, y)
    >>> network.predict(X).tolist()
    ['same', 'different', 'different', 'same']
    >>> network.n_parameters_ == (2 + 1) * 8 + (8 + 1) * 2
    True
    """


class NetworkRegressor(HiddenLayers, RegressorMixin, FeedForward):
    """A network with one hidden layer or several, as a scikit-learn regressor.

    h = f(xW1 + b1) and ŷ = hW2 + b2, trained to minimize the mean of ½ ‖ŷ − y‖² + λ Σ θ², where the sum runs
    over all weights but not the biases. Further hidden layers may come in between. The backward pass is
    derived in ``fastvec/classify/networks/layers.py``.

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

    Attributes
    ----------
    parameters_ : dict of str to ndarray
        Weights and biases of all layers: ``W1``, shape (D, H), ``b1``, shape (H,), ``W2``, ...
    n_parameters_ : int
        Number of parameters, (D + 1) · H + (H + 1) · K with one hidden layer and K numbers to predict.
    history_ : list of Epoch
        Loss, learning rate, time and validation score of every epoch.
    interrupted_ : bool
        Whether a signal, such as Ctrl-C, or `stop` ended the training early.

    Examples
    --------
    >>> from fastvec.classify import NetworkRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 4.0, 9.0]
    >>> network = NetworkRegressor(hidden=20, activation="tanh", learning_rate=0.05, epochs=500).fit(X, y)
    >>> network.predict([[1.0], [2.0]]).round(1).tolist()
    [1.0, 4.0]
    """

    _loss = staticmethod(functional.squared_error)

    def fit(self: Regressor, X: ArrayLike, y: ArrayLike) -> Regressor:
        """Fit the model to examples, starting from scratch.

        Parameters
        ----------
        X : array_like, shape (n, D)
            Features, finite numbers.
        y : array_like, shape (n,) or (n, K)
            Numbers to predict.

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

    def partial_fit(self: Regressor, X: ArrayLike, y: ArrayLike) -> Regressor:
        """Continue with one pass over further examples, at the initial learning rate.

        Parameters
        ----------
        X : array_like, shape (n, D)
            Features, finite numbers.
        y : array_like, shape (n,) or (n, K)
            Numbers to predict, as many per row as in the first call.

        Returns
        -------
        estimator
            The estimator itself.
        """
        return self._partial_fit(X, y)

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the numbers predicted for every row, in the shape of `fit`'s y.

        Parameters
        ----------
        X : array_like, shape (n, D)
            Features, finite numbers.

        Returns
        -------
        ndarray, shape (n,) or (n, K)
            The numbers.
        """
        # in double precision, so that a number does not depend on which others are computed with it
        numbers = self._scores_of([self._checked(X).astype(np.float64)])
        return numbers[:, 0] if self._single_number else numbers

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _n_outputs(self) -> int:
        return self._n_numbers

    def _first_examples(self, X: Any, y: Any, classes: Any) -> tuple[Examples, NDArray[np.intp] | None]:
        X, y = self._numbered(X, y, reset=True)
        self._single_number = y.ndim == 1
        self._n_numbers = 1 if self._single_number else y.shape[1]
        return (X, y.reshape(len(y), -1)), None

    def _known_examples(self, X: Any, y: Any) -> Examples:
        X, y = self._numbered(X, y, reset=False)
        y = y.reshape(len(y), -1)
        if y.shape[1] != self._n_numbers:
            raise ValueError(f"y must have {self._n_numbers} numbers per row, as in fit, got {y.shape[1]}")
        return X, y

    def _numbered(self, X: Any, y: Any, *, reset: bool) -> Any:
        return validate_data(self, X, y, dtype=np.float32, reset=reset, multi_output=True, y_numeric=True)

    def _learned(self) -> tuple[dict[str, Any], dict[str, Array]]:
        learned, tensors = super()._learned()
        return {**learned, "n_numbers": self._n_numbers, "single_number": self._single_number}, tensors

    def _restore(self, learned: dict[str, Any], tensors: dict[str, Array]) -> None:
        self._n_numbers, self._single_number = int(learned["n_numbers"]), bool(learned["single_number"])
        super()._restore(learned, tensors)

    def _validation_score(self, examples: Examples) -> float:
        *inputs, y = examples
        return -functional.squared_error(self._scores_of(inputs), y)[0] / len(y)


def TwoLayerClassifier(*, loss: str = "cross_entropy", **params: Any) -> NetworkClassifier | NetworkRegressor:
    """Return a `NetworkClassifier`, or a `NetworkRegressor` for ``loss="squared_error"``.

    A former name of both, with which existing programs and files go on. What is returned has no parameter
    `loss`: ``set_params`` cannot turn one into the other.

    Parameters
    ----------
    loss : {"cross_entropy", "squared_error"}
        Whether to predict classes or numbers.
    **params : object
        Parameters of the network.

    Returns
    -------
    NetworkClassifier or NetworkRegressor
        The network.
    """
    networks = {"cross_entropy": NetworkClassifier, "squared_error": NetworkRegressor}
    return networks[check_choice("loss", loss, networks)](**params)
