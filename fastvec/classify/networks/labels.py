"""Classes, and labels as class numbers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from fastvec import functional
from fastvec._params import plain, shortened

__all__ = [
    "LabelClassifier",
    "as_array",
    "check_labels",
    "check_same_classes",
    "check_values",
    "check_weights",
    "class_numbers",
    "distinct_classes",
    "first_classes",
    "known_class_numbers",
]


class LabelClassifier(ClassifierMixin):
    """The base of classifiers with a label for each example, which is that of the highest score."""

    classes_: NDArray[Any]

    @abstractmethod
    def _scores(self, X: Any) -> NDArray[np.float32]:
        """Return the scores of the classes for examples of any kind that is allowed, shape (n, K)."""

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the class probabilities, shape (n, K).

        Parameters
        ----------
        X : array_like, or iterable of str or of lists of str
            Examples, as for `fit`.

        Returns
        -------
        ndarray, shape (n, K)
            The probabilities.

        Warns
        -----
        UserWarning
            If texts have no known word; all classes are then equally probable.
        """
        return functional.softmax(self._scores(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of every example, shape (n,).

        Parameters
        ----------
        X : array_like, or iterable of str or of lists of str
            Examples, as for `fit`.

        Returns
        -------
        ndarray, shape (n,)
            The labels.
        """
        best = self._scores(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy: the fraction of examples whose label is predicted correctly.

        Parameters
        ----------
        X : array_like, or iterable of str or of lists of str
            Examples, as for `fit`.
        y : array_like, shape (n,)
            Labels.
        sample_weight : array_like, shape (n,), optional
            Weights of the examples, at least 0.

        Returns
        -------
        float
            The accuracy.
        """
        weights = None if sample_weight is None else check_weights(sample_weight)
        return float(super().score(X, check_labels("y", y), weights))


def check_labels(name: str, y: Any) -> NDArray[Any]:
    """Return labels of examples as an array, shape (n,).

    Raises
    ------
    TypeError, ValueError
        If they are not a label for each example; the message names the place.
    """
    if isinstance(y, (str, bytes)) or not (isinstance(y, Iterable) or hasattr(y, "__array__")):
        raise TypeError(f"{name} must be a list of labels, got {shortened(y)}")
    if isinstance(y, (Mapping, set, frozenset)):
        raise TypeError(
            f"{name} must be a list of labels, got {shortened(y)}: pass a list in the order of the examples"
        )
    # Before NumPy makes one type of them all: of NaN among str, 'nan'.
    is_array = isinstance(y, np.ndarray) or not isinstance(y, Iterable) or getattr(y, "ndim", 1) != 1
    given = np.asarray(y) if is_array else list(y)
    check_values(name, given.ravel() if isinstance(given, np.ndarray) else given, "a label for each example")
    found: NDArray[Any] = column_or_1d(given if is_array else as_array(name, list(given)), warn=True)
    return found if found.dtype != object or _is_text(found) else as_array(name, found.tolist())


def as_array(name: str, labels: list[Any]) -> NDArray[Any]:
    """Return labels of one kind as an array of their type.

    Raises
    ------
    ValueError
        If it cannot hold them all, so that different labels would become equal.
    """
    found = np.asarray(labels)
    changed = [label for label, kept in zip(labels, found.tolist(), strict=True) if kept != label]
    if changed or found.dtype == object:
        example = changed[0] if changed else max(labels, key=abs)
        raise ValueError(f"{name} must have labels that an array of NumPy can hold, got {shortened(example)}")
    return found


def check_weights(sample_weight: ArrayLike) -> NDArray[np.float64]:
    """Return weights, the largest of which is 1, so that their sum is finite."""
    try:
        weights = np.asarray(sample_weight, np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"sample_weight must be numbers, got {shortened(sample_weight)}") from None
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        raise ValueError(f"sample_weight must be finite numbers >= 0, got {weights[wrong][0]}")
    largest = weights.max(initial=0)
    return weights / largest if largest > 0 else weights


def check_values(
    name: str,
    labels: Sequence[Any] | NDArray[Any],
    rule: str,
    place: Callable[[int], str] = "position {:,}".format,
) -> None:
    """Validate labels: all str, or all finite numbers.

    Parameters
    ----------
    name : str
        The parameter.
    labels : sequence
        Its labels.
    rule : str
        What it must have.
    place : callable
        Returns what to call the place of label i.

    Raises
    ------
    ValueError
        If one is not a label; the message names the place.
    """
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "Ubiuc":  # scikit-learn refuses complex ones
        return
    if {*map(type, labels)} in ({str}, {int}):  # most are, and this is fast
        return
    firsts: dict[bool, tuple[int, Any]] = {}
    for i, label in enumerate(labels):
        value = plain(label)
        if not isinstance(value, (str, bool, int, float)) or (
            isinstance(value, float) and not isfinite(value)
        ):
            raise ValueError(
                f"{name} must have {rule}, a str or a number, got {shortened(label)} at {place(i)}"
            )
        firsts.setdefault(isinstance(value, str), (i, label))
    if len(firsts) > 1:
        both = " and ".join(f"{shortened(label)} at {place(i)}" for i, label in firsts.values())
        raise ValueError(f"{name} must have labels of one kind, all str or all numbers, got {both}")


def first_classes(y: NDArray[Any], classes: ArrayLike | None = None) -> NDArray[Any]:
    """Return the classes, sorted.

    Raises
    ------
    ValueError
        If there is only one, or y does not consist of labels.
    """
    check_classification_targets(y)
    return distinct_classes(y, classes)


def distinct_classes(y: NDArray[Any], classes: ArrayLike | None = None) -> NDArray[Any]:
    """Return the classes, sorted, of labels that were checked.

    Raises
    ------
    ValueError
        If there is only one.
    """
    found: NDArray[Any] = np.unique(y if classes is None else check_labels("classes", classes))
    if len(found) < 2:
        raise ValueError(f"y must have at least two classes, got one class: {found.tolist()!r}")
    return found


def check_same_classes(known: NDArray[Any], classes: ArrayLike | None) -> None:
    """Raise ValueError if `classes` are given and are not those that are known."""
    if classes is None:
        return
    given = np.unique(check_labels("classes", classes))
    if not np.array_equal(given, known):
        raise ValueError(
            f"classes must be those of the first call, {known.tolist()!r}, got {given.tolist()!r}"
        )


def known_class_numbers(classes: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the class number of each label, and whether it has one."""
    if _is_text(classes) != _is_text(y):
        return np.zeros(len(y), np.intp), np.zeros(len(y), np.bool_)
    numbers = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
    return numbers, classes[numbers] == y


def class_numbers(classes: NDArray[Any], y: NDArray[Any]) -> NDArray[np.intp]:
    """Return the class number of each label.

    Raises
    ------
    ValueError
        If a label has no class.
    """
    numbers, known = known_class_numbers(classes, y)
    if not known.all():
        unknown = np.unique(y[~known]).tolist()
        raise ValueError(f"y must have labels of the classes {classes.tolist()!r}, got {unknown!r}")
    return numbers


def _is_text(labels: NDArray[Any]) -> bool:
    """Return whether labels of one kind are str."""
    return all(isinstance(label, str) for label in labels[:1])
