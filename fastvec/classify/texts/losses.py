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

from fastvec import functional, kernels
from fastvec.classify.networks.layers import Array
from fastvec.classify.texts.scores import best_columns
from fastvec.training.huffman import HuffmanTree
from fastvec.training.tables import alias_table

__all__ = ["LOSSES", "Loss"]

Shares = NDArray[np.float64]

# Negatives are drawn by the square root of the counts of labels, as in fastText.
NOISE_EXPONENT = 0.5
# How far rounding may put the logarithm of a probability beside that of a threshold, and more.
ROUNDING = 1e-3
# How far a logistic loss moves an output that it uses, about: |σ(z) − b| on average, soon after the start.
LOGISTIC_MOVE = 0.25
# How many nodes of a large tree a document without a clear label visits, about.
MANY_NODES = 4096


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

    @abstractmethod
    def uses(self, shares: Shares) -> Shares:
        """Return how often each output row is used for a document; labels have shares of the documents."""

    @abstractmethod
    def moves(self, shares: Shares) -> tuple[float, float]:
        """Return Σ|δ_k| of a document, about, and |δ_k| of an output row that it uses, at most."""

    def numbers(self) -> dict[str, tuple[str, NDArray[np.int32]]]:
        """Return the table from which the kernel knows output rows, if any, as `Copies` takes it."""
        return {}

    def scores(self, hidden: Array, outputs: Array) -> Array:
        """Return the scores of all labels, shape (n, K): the higher, the more probable."""
        scores: Array = hidden @ outputs.T
        return scores

    @abstractmethod
    def probabilities(self, scores: Array) -> Array:
        """Return the probabilities of scores."""

    def n_scored(self, n: int) -> int:
        """Return how many scores a document has for the n most probable labels to be found."""
        return self.n_labels

    def most_probable(self, hidden: Array, outputs: Array) -> NDArray[np.intp]:
        """Return the most probable label of each document: of equal ones the first, shape (n,)."""
        labels: NDArray[np.intp] = self.scores(hidden, outputs).argmax(axis=1)
        return labels

    def top(
        self, hidden: Array, outputs: Array, n: int, threshold: float
    ) -> tuple[NDArray[np.integer], Array]:
        """Return the n most probable labels of each document and their probabilities, the highest first.

        Of those below the threshold, labels or probabilities may be missing: these are NaN then.
        """
        scores = self.scores(hidden, outputs)
        best = best_columns(scores, n)
        return best, np.take_along_axis(self.probabilities(scores), best, axis=1)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return what a file has to hold of it."""
        return {}


class LossOfAll(Loss):
    """A loss that moves the outputs of all labels: as far on average up as down, by a label's share."""

    def uses(self, shares: Shares) -> Shares:
        return np.ones(self.n_outputs)

    def moves(self, shares: Shares) -> tuple[float, float]:
        largest = max(float(shares.max()), 1 / self.n_labels)
        return 2 * max(1.0, float(shares.sum())), min(1.0, 2 * largest)


class Softmax(LossOfAll):
    """One label of all: the probabilities of labels sum to 1."""

    function = "train"

    def __init__(self, counts: NDArray[np.int64], negatives: int) -> None:
        super().__init__(counts, negatives)
        self.untrained = math.log(self.n_labels)

    def probabilities(self, scores: Array) -> Array:
        return functional.softmax(scores)


class OneVsAll(LossOfAll):
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
    added = 0.0
    """What is added to the probability of a branch before its logarithm is taken."""

    def __init__(self, counts: NDArray[np.int64], negatives: int, tree: HuffmanTree | None = None) -> None:
        super().__init__(counts, negatives)
        self.n_outputs = self.n_labels - 1
        self.tree = HuffmanTree.as_in_fasttext(counts) if tree is None else tree
        self.paths = self.tree.paths()
        lengths = np.diff(self.paths.offsets)
        self.untrained = math.log(2) * float(np.average(lengths, weights=np.maximum(counts, 1)))
        # The branches below every node, and the nodes of every level from the root down.
        self.branches = np.empty((self.n_outputs, 2), np.int32)
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

    def uses(self, shares: Shares) -> Shares:
        weights = np.repeat(shares, np.diff(self.paths.offsets))
        return np.bincount(self.paths.nodes, weights, self.n_outputs).astype(np.float64)

    def moves(self, shares: Shares) -> tuple[float, float]:
        return LOGISTIC_MOVE * float(self.uses(shares).sum()), LOGISTIC_MOVE

    def numbers(self) -> dict[str, tuple[str, NDArray[np.int32]]]:
        return {"output_vectors": ("path_nodes", self.paths.nodes)}

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
        costs = np.log1p(np.exp(-np.abs(turns)))
        return np.minimum(turns, 0) - costs, -np.maximum(turns, 0) - costs

    def n_scored(self, n: int) -> int:
        return max(n, min(self.n_labels, MANY_NODES))

    def most_probable(self, hidden: Array, outputs: Array) -> NDArray[np.intp]:
        labels, _ = self._search(hidden, outputs, 1, -math.inf)
        return labels[:, 0].astype(np.intp)

    def top(
        self, hidden: Array, outputs: Array, n: int, threshold: float
    ) -> tuple[NDArray[np.integer], Array]:
        lowest = math.log(threshold) - ROUNDING if threshold > 0 else -math.inf
        labels, scores = self._search(hidden, outputs, n, lowest)
        return labels, self.probabilities(scores)

    def _search(
        self, hidden: Array, outputs: Array, n: int, lowest: float
    ) -> tuple[NDArray[np.int32], Array]:
        return kernels.tree_search.search(
            hidden=hidden,
            node_vectors=outputs,
            branches=self.branches,
            k=n,
            lowest=lowest,
            added=self.added,
            longest=len(self.levels),
        )

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
        weights = np.maximum(counts, 1) ** NOISE_EXPONENT
        self.noise = alias_table(weights)
        self.noise_shares = weights / weights.sum()
        self.untrained = (1 + negatives) * math.log(2)

    def arguments(self) -> dict[str, Any]:
        return {"noise": self.noise, "negatives": self.negatives}

    def uses(self, shares: Shares) -> Shares:
        uses: Shares = shares + self.negatives * self.noise_shares
        return uses

    def moves(self, shares: Shares) -> tuple[float, float]:
        return LOGISTIC_MOVE * (1 + self.negatives), LOGISTIC_MOVE

    def numbers(self) -> dict[str, tuple[str, NDArray[np.int32]]]:
        return {"output_vectors": ("label_rows", np.arange(self.n_labels, dtype=np.int32))}

    def probabilities(self, scores: Array) -> Array:
        return functional.sigmoid(scores)


LOSSES: Mapping[str, type[Loss]] = {
    "softmax": Softmax,
    "one_vs_all": OneVsAll,
    "hierarchical_softmax": HierarchicalSoftmax,
    "negative_sampling": NegativeSampling,
}
