"""Networks of fully connected layers on rows of features, whatever number of hidden layers they have."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted, validate_data

from fastvec import functional
from fastvec.classify.networks.estimator import Examples, NetworkEstimator
from fastvec.classify.networks.files import (
    Saveable,
    labels_of,
    parameter_tensors,
    parameters_of,
    said_of_labels,
)
from fastvec.classify.networks.labels import check_labels, check_same_classes, first_classes, numbers_of
from fastvec.classify.networks.layers import (
    Array,
    Parameters,
    backward,
    forward,
    initial,
    layer_shapes,
    penalty,
)
from fastvec.classify.networks.optimizers import Gradient

__all__ = ["FeedForward"]


class FeedForward(NetworkEstimator, Saveable):
    """A network that predicts classes or numbers from rows of features."""

    classes_: NDArray[Any]
    n_features_in_: int

    @abstractmethod
    def _hidden_sizes(self) -> tuple[int, ...]:
        """Return the sizes of the hidden layers."""

    def _activation(self) -> str:
        return "sigmoid"

    def _predicts_numbers(self) -> bool:
        return False

    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _first_examples(self, X: Any, y: Any, classes: Any) -> tuple[Examples, NDArray[np.intp] | None]:
        X, y = self._labelled(X, y, reset=True)
        self.classes_ = first_classes(y, classes)
        return (X, numbers_of(self.classes_, y)), None

    def _known_examples(self, X: Any, y: Any) -> Examples:
        X, y = self._labelled(X, y, reset=False)
        return X, numbers_of(self.classes_, y)

    def _labelled(self, X: Any, y: Any, *, reset: bool) -> Any:
        # Without y, scikit-learn says what it says of all estimators.
        labels = y if y is None else check_labels("y", y)
        return validate_data(self, X, labels, dtype=np.float32, reset=reset)

    def _check_classes(self, classes: Any) -> None:
        check_same_classes(self.classes_, classes)

    def _initial_parameters(self, generator: np.random.Generator) -> dict[str, Array]:
        return initial(self._sizes(), generator)

    def _sizes(self) -> tuple[int, ...]:
        return (self.n_features_in_, *self._hidden_sizes(), self._n_outputs())

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return layer_shapes(self._sizes())

    def _learned(self) -> tuple[dict[str, Any], dict[str, Array]]:
        said: dict[str, Any] = {"n_features_in": int(self.n_features_in_)}
        if hasattr(self, "feature_names_in_"):
            said["feature_names_in"] = self.feature_names_in_.tolist()
        if not self._predicts_numbers():
            said["classes"] = said_of_labels(self.classes_)
        return said, parameter_tensors(self.parameters_)

    def _restore(self, learned: dict[str, Any], tensors: dict[str, Array]) -> None:
        self.n_features_in_ = int(learned["n_features_in"])
        if "feature_names_in" in learned:
            self.feature_names_in_ = np.array(learned["feature_names_in"], dtype=object)
        if not self._predicts_numbers():
            self.classes_ = labels_of(learned["classes"])
        self.parameters_ = parameters_of(tensors, self._shapes())

    def _cost_and_gradients(
        self, parameters: Parameters, batch: Examples
    ) -> tuple[float, dict[str, Gradient]]:
        x, y = batch
        outputs = forward(parameters, x.astype(parameters["W1"].dtype, copy=False), self._activation())
        loss = functional.squared_error if self._predicts_numbers() else functional.cross_entropy
        cost, delta = loss(outputs[-1], y)
        delta /= len(y)
        gradients, _ = backward(parameters, outputs, delta, self._activation(), to_inputs=False)
        cost = cost / len(y) + penalty(parameters, gradients, float(self.l2))
        return cost, dict(gradients)

    def _validation_score(self, examples: Examples) -> float:
        x, y = examples
        scores = self._scores(x)
        if self._predicts_numbers():
            return -functional.squared_error(scores, y)[0] / len(y)
        return float(np.mean(scores.argmax(axis=1) == y))

    def _scores(self, x: Array) -> Array:
        return forward(self.parameters_, x, self._activation())[-1]

    def _checked(self, X: ArrayLike) -> Array:
        check_is_fitted(self)
        checked: Array = validate_data(self, X, dtype=np.float32, reset=False, ensure_min_samples=0)
        return checked
