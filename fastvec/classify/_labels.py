"""Classes, and labels as class numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.multiclass import check_classification_targets

__all__ = ["check_same_classes", "first_classes", "numbers_of", "of_known"]


def first_classes(y: NDArray[Any], classes: ArrayLike | None = None) -> NDArray[Any]:
    """Return the classes, sorted.

    Raises
    ------
    ValueError
        If there is only one, or y does not consist of labels.
    """
    check_classification_targets(y)
    found: NDArray[Any] = np.unique(np.asarray(y if classes is None else classes))
    if len(found) < 2:
        raise ValueError(f"y must have at least two classes, got one class: {found.tolist()!r}")
    return found


def check_same_classes(known: NDArray[Any], classes: ArrayLike | None) -> None:
    """Raise ValueError if `classes` are given and are not those that are known."""
    if classes is not None and not np.array_equal(np.unique(np.asarray(classes)), known):
        raise ValueError(
            f"classes must be those of the first call, {known.tolist()!r}, "
            f"got {np.unique(np.asarray(classes)).tolist()!r}"
        )


def of_known(classes: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the class number of each label, and whether it has one."""
    numbers = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
    return numbers, classes[numbers] == y


def numbers_of(classes: NDArray[Any], y: NDArray[Any]) -> NDArray[np.intp]:
    """Return the class number of each label.

    Raises
    ------
    ValueError
        If a label has no class.
    """
    numbers, known = of_known(classes, y)
    if not known.all():
        unknown = np.unique(y[~known]).tolist()
        raise ValueError(f"y must have labels of the classes {classes.tolist()!r}, got {unknown!r}")
    return numbers
