"""The losses of text classifiers: which outputs a document is trained with, and what their scores mean.

All are derived in ``reference/documents.py``. A row of `LOSSES` is all that distinguishes one from another.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec import functional
from fastvec.classify.networks.layers import Array
from fastvec.training.huffman import HuffmanTree
from fastvec.training.tables import alias_table

__all__ = ["LOSSES", "Loss"]

# Negatives are drawn by the square root of the counts of labels, as in fastText.
NOISE_EXPONENT = 0.5


class Loss(ABC):
    """A loss of labels that are known by their counts.

    Attributes
    ----------
    function : str
        That of the kernel `documents` which trains with it.
    takes_all : bool
        Whether a document is trained with all of its labels, or with one at a time.
    draws : bool
        Whether the kernel takes the key of a random sequence.
    n_outputs : int
        How many rows the output matrix has.
    untrained : float
        The loss of a model that has learned nothing.
    of_unknown : str
        What it makes of a document without a known word.
    """

    function: str
    takes_all = False
    draws = False
    untrained: float
    of_unknown = "all classes are equally probable"

    def __init__(self, counts: NDArray[np.int64], negatives: int) -> None:
        self.n_labels = self.n_outputs = len(counts)

    def arguments(self) -> dict[str, Any]:
        """Return what the kernel takes beside documents and their labels."""
        return {}

    def scores(self, hidden: Array, outputs: Array) -> Array:
        """Return the scores of all labels, shape (n, K): the higher, the more probable."""
        scores: Array = hidden @ outputs.T
        return scores

    @abstractmethod
    def probabilities(self, scores: Array) -> Array:
        """Return the probabilities of scores."""

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return what a file has to hold of it."""
        return {}


class Softmax(Loss):
    """One label of all: the probabilities of labels sum to 1."""

    function = "train"

    def __init__(self, counts: NDArray[np.int64], negatives: int) -> None:
        super().__init__(counts, negatives)
        self.untrained = math.log(self.n_labels)

    def probabilities(self, scores: Array) -> Array:
        return functional.softmax(scores)


class OneVsAll(Loss):
    """Every label is there or not, whatever the others are."""

    function = "train_one_vs_all"
    takes_all = True

    def __init__(self, counts: NDArray[np.int64], negatives: int) -> None:
        super().__init__(counts, negatives)
        self.untrained = self.n_labels * math.log(2)

    def probabilities(self, scores: Array) -> Array:
        return functional.sigmoid(scores)


class HierarchicalSoftmax(Loss):
    """One label of all, found on its path in Huffman's tree of them."""

    function = "train_paths"
    of_unknown = "all branches of the tree of labels are equally probable"

    def __init__(self, counts: NDArray[np.int64], negatives: int, tree: HuffmanTree | None = None) -> None:
        super().__init__(counts, negatives)
        self.n_outputs = self.n_labels - 1
        self.tree = HuffmanTree.as_in_fasttext(counts) if tree is None else tree
        self.paths = self.tree.paths()
        lengths = np.diff(self.paths.offsets)
        self.untrained = math.log(2) * float(np.average(lengths, weights=np.maximum(counts, 1)))
        # The branches below every node, and the nodes of every level from the root down.
        self.branches = np.empty((self.n_outputs, 2), np.int64)
        self.branches[self.tree.parents[:-1], self.tree.codes[:-1]] = np.arange(2 * self.n_labels - 2)
        self.levels = [np.array([self.n_outputs - 1])]
        while True:
            below = self.branches[self.levels[-1]].ravel() - self.n_labels
            if not (below >= 0).any():
                break
            self.levels.append(below[below >= 0])

    def arguments(self) -> dict[str, Any]:
        names = ("path_offsets", "path_nodes", "path_codes")
        return dict(zip(names, self.paths, strict=True))

    def scores(self, hidden: Array, outputs: Array) -> Array:
        """Return the logarithms of the probabilities: sums of log σ(±x · n) on the way from the root."""
        turns = outputs @ hidden.T  # (n_nodes, n)
        sums = np.zeros((2 * self.n_labels - 1, len(hidden)), np.float32)
        for nodes in self.levels:
            left, right = self.logs_of_turns(turns[nodes])
            sums[self.branches[nodes, 0]] = sums[self.n_labels + nodes] + left
            sums[self.branches[nodes, 1]] = sums[self.n_labels + nodes] + right
        scores: Array = np.ascontiguousarray(sums[: self.n_labels].T)
        return scores

    def logs_of_turns(self, turns: Array) -> tuple[Array, Array]:
        """Return log σ(z) and log σ(−z)."""
        costs: Array = np.maximum(turns, 0) + np.log(1 + np.exp(-np.abs(turns)))
        return turns - costs, -costs

    def probabilities(self, scores: Array) -> Array:
        probabilities: Array = np.exp(scores)
        return probabilities

    def tensors(self) -> dict[str, NDArray[Any]]:
        return self.tree.tensors()


class NegativeSampling(Loss):
    """The label is told from a few others, drawn from all: each probability is of a label by itself."""

    function = "train_negatives"
    draws = True

    def __init__(self, counts: NDArray[np.int64], negatives: int) -> None:
        super().__init__(counts, negatives)
        self.negatives = negatives
        self.noise = alias_table(np.maximum(counts, 1) ** NOISE_EXPONENT)
        self.untrained = (1 + negatives) * math.log(2)

    def arguments(self) -> dict[str, Any]:
        return {"noise": self.noise, "negatives": self.negatives}

    def probabilities(self, scores: Array) -> Array:
        return functional.sigmoid(scores)


LOSSES: Mapping[str, type[Loss]] = {
    "softmax": Softmax,
    "one_vs_all": OneVsAll,
    "hierarchical_softmax": HierarchicalSoftmax,
    "negative_sampling": NegativeSampling,
}
