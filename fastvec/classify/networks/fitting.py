"""What all classifiers do when they are fitted: check parameters, hold out examples, undo what fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_bool, check_float, check_int

__all__ = ["check_fitting", "split_held_out", "undone_on_error"]


def check_fitting(estimator: Any) -> None:
    """Validate the parameters about epochs, early stopping, seed and progress.

    Raises
    ------
    TypeError, ValueError
        The message names the parameter, the rule and the value.
    """
    check_int("epochs", estimator.epochs, 1)
    check_bool("early_stopping", estimator.early_stopping)
    check_float("validation_fraction", estimator.validation_fraction, above=0, maximum=0.9)
    check_int("patience", estimator.patience, 1)
    check_int("seed", estimator.seed, 0)
    check_bool("progress", estimator.progress)


def split_held_out(
    n: int, fraction: float, generator: np.random.Generator, groups: NDArray[np.intp] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which of n examples to train on and which to hold out, at least one each.

    Parameters
    ----------
    n : int
        How many there are.
    fraction : float
        Approximate fraction to hold out.
    generator : numpy.random.Generator
        Where the choice comes from.
    groups : int array, shape (n,), optional
        Examples of one group (the words of a sentence), numbered from 0, stay together.

    Raises
    ------
    ValueError
        If there is only one example or group.
    """
    # numbered anew: a sentence without words is no group
    numbers = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    n_groups = int(numbers.max()) + 1
    if n_groups < 2:
        raise ValueError(f"early_stopping needs at least two examples or sentences, got {n_groups}")
    n_held_out = min(max(1, round(fraction * n_groups)), n_groups - 1)
    is_held_out = np.zeros(n_groups, dtype=bool)
    is_held_out[generator.permutation(n_groups)[:n_held_out]] = True
    return np.flatnonzero(~is_held_out[numbers]), np.flatnonzero(is_held_out[numbers])


@contextmanager
def undone_on_error(estimator: Any) -> Iterator[None]:
    """Restore what an estimator had learned if the body, which fits it, fails."""
    before = dict(vars(estimator))
    try:
        estimator._stopping = False
        estimator._provenance = None
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
