"""How well vectors of nodes tell edges that were held out from pairs of nodes without an edge."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec.graphs.graph import Edges
from fastvec.vectors import Vectors
from fastvec.vectors.vectors import unit_rows

__all__ = ["LinkSplit", "auc", "link_score", "split_edges"]

# One edge in so many is held out, and so many at most.
SHARE, MOST = 10, 1 << 15
# Draws of pairs, for one that has no edge, after which the graph has too few of those.
DRAWS = 10


class LinkSplit(NamedTuple):
    """A graph in two parts.

    Attributes
    ----------
    known : tuple of arrays
        The edges that are left, as `fastvec.walks` takes them: sources, targets and perhaps weights.
    held_out : array, shape (n, 2)
        The nodes of the edges that are held out.
    absent : array, shape (n, 2)
        As many pairs of nodes without an edge.
    """

    known: tuple[NDArray[Any], ...]
    held_out: NDArray[Any]
    absent: NDArray[Any]


def split_edges(edges: Edges, generator: np.random.Generator) -> LinkSplit:
    """Hold out a tenth of the pairs of nodes that have edges, all in both ways; every node keeps one.

    Raises
    ------
    ValueError
        If no edge can be spared, or nearly all pairs have one.
    """
    nodes = np.array(
        edges.nodes, object if any(isinstance(node, str) for node in edges.nodes[:1]) else np.int64
    )
    low, high = np.minimum(edges.sources, edges.targets), np.maximum(edges.sources, edges.targets)
    keys = low.astype(np.int64) * len(nodes) + high
    pairs = np.unique(keys[low != high])
    spared = _spared(pairs, len(nodes), min(max(1, len(pairs) // SHARE), MOST), generator)
    if not len(spared):
        raise ValueError(
            "corpus must be a graph with edges that can be held out, while every node keeps one, got "
            f"{len(nodes):,} nodes with {len(pairs):,} edges between them"
        )
    left = ~np.isin(keys, spared)
    columns = [nodes[edges.sources[left]], nodes[edges.targets[left]]]
    columns += [] if edges.weights is None else [edges.weights[left]]
    absent = _absent(pairs, len(nodes), len(spared), generator)
    held_out, without = (
        np.column_stack((nodes[chosen // len(nodes)], nodes[chosen % len(nodes)]))
        for chosen in (spared, absent)
    )
    return LinkSplit(tuple(columns), held_out, without)


def link_score(vectors: Vectors, split: LinkSplit) -> float:
    """Return the area under the ROC curve of cosines, by which edges are told from pairs without one."""
    unit = np.vstack((unit_rows(vectors.vectors), np.zeros((1, vectors.vector_size), np.float32)))

    def cosines(pairs: NDArray[Any]) -> NDArray[np.float64]:
        places = np.array([[vectors.index(node, -1) for node in pair] for pair in pairs.tolist()])
        products: NDArray[np.float64] = np.einsum(
            "ij,ij->i", *(unit[places[:, i]] for i in (0, 1)), dtype=float
        )
        return products

    return auc(cosines(split.held_out), cosines(split.absent))


def auc(positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> float:
    """Return how often a positive is above a negative, of all pairs of these; equal ones count a half."""
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, "left") + np.searchsorted(ordered, positives, "right")
    return float(below.mean() / 2 / len(ordered))


def _spared(
    pairs: NDArray[np.int64], n_nodes: int, wanted: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return some pairs, without which every node still has another one."""
    degrees = np.bincount(np.concatenate((pairs // n_nodes, pairs % n_nodes)), minlength=n_nodes)
    spared: list[int] = []
    for pair in generator.permutation(pairs).tolist():
        a, b = divmod(pair, n_nodes)
        if degrees[a] > 1 and degrees[b] > 1:
            degrees[a] -= 1
            degrees[b] -= 1
            spared.append(pair)
            if len(spared) == wanted:
                break
    return np.array(spared, np.int64)


def _absent(
    pairs: NDArray[np.int64], n_nodes: int, n: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return some pairs of different nodes that have no edge."""
    drawn = np.sort(generator.integers(n_nodes, size=(DRAWS * n, 2)), axis=1)
    keys = drawn[:, 0] * n_nodes + drawn[:, 1]
    absent = keys[(drawn[:, 0] < drawn[:, 1]) & ~np.isin(keys, pairs)][:n]
    if not len(absent):
        raise ValueError(
            f"corpus must be a graph with pairs of nodes that have no edge, got {len(pairs):,} edges "
            f"between {n_nodes:,} nodes"
        )
    return absent
