"""Labels of texts: one for each, or several, as numbers of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse
from sklearn.utils.multiclass import check_classification_targets

from fastvec._params import shortened
from fastvec.classify.networks.labels import as_array, check_labels, check_values, class_numbers

__all__ = ["Kind", "Labels", "read_labels"]

# What says the labels of a text: one label, a list of labels, or a row with a 1 for each class it has.
Kind = Literal["one", "lists", "indicator"]
COLLECTIONS = (list, tuple, set, frozenset)


@dataclass(frozen=True)
class Labels:
    """Labels of texts as numbers of their names.

    Attributes
    ----------
    names : array
        The different labels, in rising order.
    numbers : int32 array
        Which of these each label is, those of one text after the other, none twice in a text.
    offsets : int64 array, shape (n + 1,)
        Text t has numbers[offsets[t]:offsets[t + 1]].
    kind : {"one", "lists", "indicator"}
        How they were given.
    """

    names: NDArray[Any]
    numbers: NDArray[np.int32]
    offsets: NDArray[np.int64]
    kind: Kind

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def of_lists(
        cls, names: NDArray[Any], numbers: NDArray[Any], offsets: NDArray[np.int64], kind: Kind = "lists"
    ) -> Labels:
        """Return labels of which some may occur twice in a text."""
        if (np.diff(offsets) <= 1).all():
            return cls(names, numbers.astype(np.int32), offsets, kind)
        owners = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        distinct = np.unique(owners * max(1, len(names)) + numbers)
        owners, numbers = np.divmod(distinct, max(1, len(names)))
        return cls(names, numbers.astype(np.int32), _offsets_of(owners, len(offsets) - 1), kind)

    def of_classes(self, classes: NDArray[Any]) -> Labels:
        """Return the same labels as numbers of classes.

        Raises
        ------
        ValueError
            If a label is not among them.
        """
        numbers = class_numbers(classes, self.names).astype(np.int32)[self.numbers]
        return Labels(classes, numbers, self.offsets, self.kind)

    def frequent(self, n: int, known: Sequence[Any] | NDArray[Any] = ()) -> Labels:
        """Return the same labels without those that some texts have, but fewer than `n`.

        Known labels and the columns of a matrix stay.
        """
        counts = self.counts()
        is_frequent = (counts >= n) | (counts == 0) | np.isin(self.names, known)
        if is_frequent.all():
            return self
        kept = is_frequent[self.numbers]
        offsets = np.concatenate(([0], np.cumsum(kept)))[self.offsets]
        if self.kind == "indicator":
            return Labels(self.names, self.numbers[kept], offsets, self.kind)
        numbers = (np.cumsum(is_frequent) - 1).astype(np.int32)[self.numbers[kept]]
        return Labels(self.names[is_frequent], numbers, offsets, self.kind)

    def some(self, texts: NDArray[np.intp]) -> Labels:
        """Return the labels of some texts, with the names of all."""
        sizes = np.diff(self.offsets)[texts]
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        places = np.arange(offsets[-1]) + np.repeat(self.offsets[texts] - offsets[:-1], sizes)
        return Labels(self.names, self.numbers[places], offsets, self.kind)

    def lists(self, texts: NDArray[np.intp]) -> list[list[Any]]:
        """Return the labels of some texts."""
        labels = self.names[self.numbers].tolist()
        return [labels[self.offsets[text] : self.offsets[text + 1]] for text in texts]

    def have(self, found: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return whether every text has the label that was found for it."""
        owners = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        hits = owners[found[owners] == self.numbers]
        return np.bincount(hits, minlength=len(self)) > 0

    def counts(self) -> NDArray[np.int64]:
        """Return how many texts have each label."""
        return np.bincount(self.numbers, minlength=len(self.names))

    def one_each(self, generator: np.random.Generator) -> NDArray[np.int32]:
        """Return one of the labels of every text, at random; 0 where there is none."""
        sizes = np.diff(self.offsets)
        if (sizes == 1).all():
            return self.numbers
        places = self.offsets[:-1] + (generator.random(len(self)) * sizes).astype(np.int64)
        found = np.append(self.numbers, np.int32(0))[np.minimum(places, len(self.numbers))]
        return np.where(sizes > 0, found, np.int32(0))


def read_labels(y: Any, name: str = "y") -> Labels:
    """Return validated labels: one for every text, a list for every text, or a matrix of 0 and 1.

    Raises
    ------
    TypeError, ValueError
        If they are none of these; the message names the place.
    """
    if issparse(y) or (getattr(y, "ndim", 1) == 2 and y.shape[1] != 1):
        return _of_indicators(name, y)
    may_be_lists = isinstance(y, (list, tuple)) or getattr(y, "dtype", None) == np.dtype("O")
    if may_be_lists and any(isinstance(labels, COLLECTIONS) for labels in y):
        return _of_lists(name, list(y))
    labels = check_labels(name, y)
    names, numbers = np.unique(labels, return_inverse=True)
    if names.dtype.kind in "fc":
        check_classification_targets(labels)
    return Labels(names, numbers.astype(np.int32), np.arange(len(labels) + 1), "one")


def _of_lists(name: str, y: list[Any]) -> Labels:
    for place, labels in enumerate(y):
        if not isinstance(labels, COLLECTIONS):
            raise ValueError(
                f"{name} must have a list of labels for each text, or one label for each, got both: "
                f"{shortened(labels)} at position {place:,}"
            )
    flat = list(chain.from_iterable(y))
    check_values(name, flat, "lists of labels", "label {:,}".format)
    names, numbers = np.unique(as_array(name, flat) if flat else np.empty(0, str), return_inverse=True)
    offsets = np.concatenate(([0], np.cumsum([len(labels) for labels in y], dtype=np.int64)))
    return Labels.of_lists(names, numbers, offsets)


def _of_indicators(name: str, y: Any) -> Labels:
    given = y.data if issparse(y) else np.asarray(y)
    wrong = given[(given != 0) & (given != 1)]
    if given.dtype.kind not in "biuf" or len(wrong):
        found = wrong.tolist()[0] if len(wrong) else given.dtype
        raise ValueError(
            f"{name} must be one label for each text, a list of labels for each, or a matrix of 0 and 1 with "
            f"a column for each class, got a matrix with {shortened(found)}"
        )
    matrix = csr_array(y if issparse(y) else given)
    matrix.eliminate_zeros()
    numbers, offsets = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int64)
    return Labels(np.arange(matrix.shape[1]), numbers, offsets, "indicator")


def _offsets_of(owners: NDArray[np.intp], n: int) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=n)))).astype(np.int64)
