"""Precision and recall of labels that are predicted, any number of them for each example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LabelScores", "TopScores", "best_columns", "top_scores"]


@dataclass(frozen=True)
class LabelScores:
    """How well a label is predicted, or all labels together.

    Attributes
    ----------
    n : int
        How often examples have it.
    n_predicted : int
        How often it was predicted.
    n_right : int
        How often it was predicted for an example that has it.
    """

    n: int
    n_predicted: int
    n_right: int

    @property
    def precision(self) -> float:
        """The fraction of predicted labels that are right; NaN if none was predicted."""
        return self.n_right / self.n_predicted if self.n_predicted else float("nan")

    @property
    def recall(self) -> float:
        """The fraction of labels that were predicted; NaN if there are none."""
        return self.n_right / self.n if self.n else float("nan")

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; NaN if nothing was predicted and there are no labels."""
        both = self.n + self.n_predicted
        return 2 * self.n_right / both if both else float("nan")


@dataclass(frozen=True)
class TopScores(LabelScores):
    """How well labels are predicted, all together and each by itself.

    Attributes
    ----------
    n, n_predicted, n_right : int
        As for one label, of all together.
    n_examples : int
        How many examples there are.
    by_label : dict of label to LabelScores
        The same for every label, the most frequent first.
    """

    n_examples: int
    by_label: dict[Any, LabelScores]


def top_scores(
    given: Sequence[Sequence[Any]],
    found: Sequence[Sequence[Any]],
    label_of: Callable[[Any], Any] = lambda item: item,
) -> TopScores:
    """Return how well what was found for examples is what was given, of which each item has a label."""
    n, n_predicted, n_right = Counter[Any](), Counter[Any](), Counter[Any]()
    for items, predicted in zip(given, found, strict=True):
        n.update(map(label_of, items))
        n_predicted.update(map(label_of, predicted))
        n_right.update(map(label_of, set(items).intersection(predicted)))
    every = sorted({*n, *n_predicted}, key=lambda label: (-n[label], label))
    return TopScores(
        n.total(),
        n_predicted.total(),
        n_right.total(),
        len(given),
        {label: LabelScores(n[label], n_predicted[label], n_right[label]) for label in every},
    )


def best_columns(scores: NDArray[np.float32], n: int) -> NDArray[np.intp]:
    """Return the columns of the n highest numbers in each row, the highest first."""
    best: NDArray[np.intp]
    if n == 1:
        best = scores.argmax(axis=1)[:, np.newaxis]
    else:
        best = np.argsort(-scores, axis=1, kind="stable")[:, :n]
    return best
