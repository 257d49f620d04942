"""The binary tree of the hierarchical softmax: frequent words near the root (Huffman 1952).

With the words as leaves, weighted by their counts, Huffman's tree has the shortest mean path there is. It is
built from two queues, the leaves by ascending weight and the inner nodes in the order in which they are made,
which ascends too: the two lightest are always at the front of one or the other, and n words take n − 1 steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["HuffmanTree", "Paths"]


class Paths(NamedTuple):
    """The way from the root down to every word: that of word w is at [offsets[w], offsets[w + 1]).

    Attributes
    ----------
    offsets : int64 array, shape (n_words + 1,)
    nodes : int32 array
        The inner nodes on the way, the root first.
    codes : uint8 array
        At each of them 0 or 1, the branch that is taken.
    """

    offsets: NDArray[np.int64]
    nodes: NDArray[np.int32]
    codes: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class HuffmanTree:
    """A binary tree with the n words as its leaves and n − 1 inner nodes, the last one being the root.

    Attributes
    ----------
    parents : int32 array, shape (2n − 1,)
        The inner node above each word and then above each inner node; −1 above the root. A node above another
        has the higher number.
    codes : uint8 array, shape (2n − 1,)
        Which of the two branches of its parent, 0 or 1, each of them is; 0 for the root.

    Raises
    ------
    ValueError
        If the arrays are no such tree.
    """

    parents: NDArray[np.int32]
    codes: NDArray[np.uint8]

    def __post_init__(self) -> None:
        n_nodes = self.n_words - 1
        if self.parents.dtype != np.int32 or self.codes.dtype != np.uint8:
            raise ValueError(
                f"the tree must be int32 and uint8, got {self.parents.dtype}, {self.codes.dtype}"
            )
        if self.parents.shape != (2 * n_nodes + 1,) or self.codes.shape != self.parents.shape:
            raise ValueError(f"the tree has the shapes {self.parents.shape} and {self.codes.shape}")
        below, codes = self.parents[:-1], self.codes[:-1]
        inside = ((below >= 0) & (below < n_nodes)).all() and (codes <= 1).all()
        rising = (below[self.n_words :] > np.arange(n_nodes - 1)).all() and self.parents[-1] == -1
        if not inside or not rising or (np.bincount(2 * below + codes, minlength=2 * n_nodes) != 1).any():
            raise ValueError("the tree is damaged: an inner node without two branches, or out of place")

    @property
    def n_words(self) -> int:
        """The number of leaves."""
        return (self.parents.size + 1) // 2

    @classmethod
    def of_counts(cls, counts: NDArray[np.int64]) -> HuffmanTree:
        """Return the tree of words of such descending counts."""
        n = len(counts)
        parents, codes = _merge(counts[::-1].tolist())
        return cls(np.append(parents[:n][::-1], parents[n:]), np.append(codes[:n][::-1], codes[n:]))

    @classmethod
    def as_in_fasttext(cls, counts: NDArray[np.int64]) -> HuffmanTree:
        """Return fastText's tree of words or labels in any order: of equal counts, nodes are merged first."""
        n = len(counts)
        ascending = np.argsort(-counts, kind="stable")[::-1]
        parents, codes = _merge(counts[ascending].tolist(), leaves_first=False)
        parents[ascending], codes[ascending] = parents[:n].copy(), codes[:n].copy()
        return cls(parents, codes)

    def with_more_words(self, places: NDArray[np.intp], counts: NDArray[np.int64]) -> HuffmanTree:
        """Return a tree of more words, in which the nodes of this one are what they were.

        This tree becomes one leaf, as heavy as its words together, of a Huffman tree of the new words.

        Parameters
        ----------
        places : int array, shape (n_words,)
            What becomes of the number of each word of this tree.
        counts : int64 array
            How often each word of the new tree occurs; those not in `places` are new.
        """
        n_nodes = self.n_words - 1
        new = np.setdiff1d(np.arange(len(counts)), places)
        weights = np.append(counts[new], counts[places].sum())
        ascending = np.argsort(weights, kind="stable")
        merged, merged_codes = _merge(weights[ascending].tolist())
        merged[:-1] += n_nodes  # the nodes above this tree are numbered on

        parents, codes = np.empty(2 * len(counts) - 1, np.int32), np.empty(2 * len(counts) - 1, np.uint8)
        for whole, own, above in ((parents, self.parents, merged), (codes, self.codes, merged_codes)):
            leaves = np.empty_like(above[: len(weights)])
            leaves[ascending] = above[: len(weights)]
            nodes = whole[len(counts) :]
            whole[places], whole[new] = own[: self.n_words], leaves[:-1]
            nodes[:n_nodes], nodes[n_nodes:] = own[self.n_words :], above[len(weights) :]
            nodes[n_nodes - 1] = leaves[-1]
        return HuffmanTree(parents, codes)

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, NDArray[Any]], n_words: int) -> HuffmanTree:
        """Return the tree of `n_words` words among the tensors of a file."""
        missing = np.empty(0)
        tree = cls(*(np.array(tensors.get(f"tree_{name}", missing)) for name in ("parents", "codes")))
        if tree.n_words != n_words or n_words < 2:
            raise ValueError(f"the tree must have {n_words:,} words, two or more, got {tree.n_words:,}")
        return tree

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of the tree under their names in files."""
        return {"tree_parents": self.parents, "tree_codes": self.codes}

    def paths(self) -> Paths:
        """Return the way from the root to every word."""
        lengths = np.zeros(self.n_words, np.int64)
        for words, _, _ in self._climb():
            lengths[words] += 1
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        nodes, codes = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.uint8)
        for height, (words, node, code) in enumerate(self._climb(), 1):
            nodes[offsets[words + 1] - height] = node
            codes[offsets[words + 1] - height] = code
        return Paths(offsets, nodes, codes)

    def _climb(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.uint8]]]:
        """Yield, level by level, the words that have not reached the root, the nodes above, the branches."""
        words: NDArray[np.intp] = np.arange(self.n_words)
        below = words
        while len(words):
            nodes, codes = self.parents[below], self.codes[below]
            inside = nodes >= 0
            words, nodes, codes = words[inside], nodes[inside], codes[inside]
            yield words, nodes, codes
            below = self.n_words + nodes.astype(np.intp)


def _merge(weights: list[int], leaves_first: bool = True) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Return parents and codes, as in `HuffmanTree`, of the tree of leaves of ascending `weights`.

    Of a leaf and a node of equal weight, the one is merged first or the other.
    """
    n = len(weights)
    leaves = [*weights, math.inf]
    nodes = [math.inf] * n
    parents, codes = [-1] * (2 * n - 1), bytearray(2 * n - 1)
    leaf = node = 0
    for parent in range(n - 1):
        total: float = 0  # a whole number, of any size
        for code in (0, 1):
            if leaves[leaf] < nodes[node] or (leaves_first and leaves[leaf] == nodes[node]):
                child, weight = leaf, leaves[leaf]
                leaf += 1
            else:
                child, weight = n + node, nodes[node]
                node += 1
            parents[child], codes[child] = parent, code
            total += weight
        nodes[parent] = total
    return np.array(parents, np.int32), np.frombuffer(codes, np.uint8)
