"""Graphs as the kernel takes them: for every node, the arcs that lead from it, sorted by where they lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import plain

__all__ = ["Arcs", "Edges", "arcs_of", "check_metapath"]


@dataclass
class Edges:
    """What was read of a graph.

    Attributes
    ----------
    nodes : list of str, or of int
        All nodes.
    sources, targets : int array, shape (n_edges,)
        Where edges lead from and to, as positions in `nodes`.
    weights : float64 array, shape (n_edges,), or None
        Their weights; None if all are the same.
    directed : bool
        Whether they lead one way; otherwise each stands for both ways.
    reading : dict
        What provenance says of the source.
    """

    nodes: list[Any]
    sources: NDArray[Any]
    targets: NDArray[Any]
    weights: NDArray[np.float64] | None
    directed: bool
    reading: dict[str, Any]


@dataclass
class Arcs:
    """The arcs of a graph as arguments of the kernel, under its names, and where walks start."""

    offsets: NDArray[np.int64]
    targets: NDArray[np.int32]
    cumulative: NDArray[np.uint32]
    path: NDArray[np.int32]
    n_types: int
    starts: NDArray[np.int32]


def check_metapath(metapath: Any, types: Any) -> tuple[Any, ...] | None:
    """Return the types along a metapath, or None if there is none.

    Raises
    ------
    TypeError, ValueError
        If it is no path of types that can be repeated, or `types` does not go with it.
    """
    if metapath is None:
        if types is not None:
            raise ValueError("types must be None without a metapath: walks then go to nodes of every type")
        return None
    example = "('user', 'item', 'user')"
    rule = f"metapath must be a sequence of two types or more that ends with its first, as {example}"
    if isinstance(metapath, (str, bytes)) or not isinstance(metapath, Sequence):
        raise TypeError(f"{rule}, got {metapath!r}")
    path = tuple(map(plain, metapath))
    if len(path) < 2 or path[0] != path[-1]:
        raise ValueError(f"{rule}, got {metapath!r}")
    if not isinstance(types, Mapping):
        raise TypeError(f"types must be a mapping from every node to its type with a metapath, got {types!r}")
    return path


def arcs_of(edges: Edges, metapath: tuple[Any, ...] | None, types: Mapping[Any, Any] | None) -> Arcs:
    """Return the arcs of a graph, those for a metapath by the types of the nodes that they lead to.

    Raises
    ------
    TypeError, ValueError
        If there are none, or a weight is no such number, or the graph has no such types.
    """
    n_nodes = len(edges.nodes)
    sources, targets, weights = _both_ways(edges)
    if metapath is None:
        kinds, order, path = np.zeros(n_nodes, np.int32), (0,), [0]
    else:
        assert types is not None
        order = tuple(dict.fromkeys(metapath))
        kinds = _kinds(edges.nodes, order, types)
        path = [order.index(kind) for kind in metapath[:-1]]
        known = (kinds[sources] >= 0) & (kinds[targets] >= 0)
        sources, targets = sources[known], targets[known]
        weights = None if weights is None else weights[known]
    n_rows = n_nodes * len(order)
    rows = sources * np.int64(len(order)) + kinds[targets]
    sizes = np.bincount(rows, minlength=n_rows)
    if metapath is not None:
        _check_steps(sizes.reshape(n_nodes, -1), kinds, metapath, path)
    cumulative = np.empty(0, np.uint32)
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    keys = rows * n_nodes + targets  # by rows, and in each by targets
    del sources, targets, rows
    if weights is None:
        keys.sort()
    else:
        sorted_ = np.argsort(keys, kind="stable")
        keys, weights = keys[sorted_], weights[sorted_]
        cumulative = kernels.walks.cumulate(offsets, weights)
    keys %= n_nodes
    starts = np.flatnonzero(kinds == path[0]).astype(np.int32)
    return Arcs(offsets, keys.astype(np.int32), cumulative, np.array(path, np.int32), len(order), starts)


def _both_ways(
    edges: Edges,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64] | None]:
    """Return the arcs of edges, without those of weight 0, and their weights if these differ."""
    sources, targets = edges.sources.astype(np.int64), edges.targets.astype(np.int64)
    weights = edges.weights
    if weights is not None and len(weights):
        wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
        if wrong.size:
            i = int(wrong[0])
            ends = f"{edges.nodes[sources[i]]!r} to {edges.nodes[targets[i]]!r}"
            raise ValueError(f"weights of graph must be finite numbers >= 0, got {weights[i]} from {ends}")
        if not weights.all():
            there = weights > 0
            sources, targets, weights = sources[there], targets[there], weights[there]
        with np.errstate(over="ignore"):
            if not np.isfinite(2 * weights.sum()):
                raise ValueError("weights of graph must have a finite sum: divide them by the largest")
        weights = None if (weights[1:] == weights[:-1]).all() else weights
    if not len(sources):
        raise ValueError(f"graph must have an edge, got {len(edges.nodes):,} nodes without any")
    if not edges.directed:
        other = sources != targets  # a loop leads one way only
        sources, targets = (
            np.concatenate((sources, targets[other])),
            np.concatenate((targets, sources[other])),
        )
        weights = None if weights is None else np.concatenate((weights, weights[other]))
    return sources, targets, weights


def _kinds(nodes: list[Any], order: tuple[Any, ...], types: Mapping[Any, Any]) -> NDArray[np.int32]:
    """Return the place of every node's type among those of the metapath, or -1."""
    of_names = {str(node): kind for node, kind in types.items()}  # an int is the same as its digits
    try:
        of_nodes = [of_names[str(node)] for node in nodes]
    except KeyError as error:
        raise ValueError(
            f"types must have a type for every node of the graph, got none for {error.args[0]!r}"
        ) from None
    places = {kind: i for i, kind in enumerate(order)}
    kinds = np.fromiter((places.get(plain(kind), -1) for kind in of_nodes), np.int32, len(nodes))
    for kind, place in places.items():
        if not (kinds == place).any():
            known = ", ".join(map(repr, sorted({*map(str, of_nodes)})[:10]))
            raise ValueError(f"metapath must have types of nodes, which are {known}, got {kind!r}")
    return kinds


def _check_steps(
    sizes: NDArray[np.int64], kinds: NDArray[np.int32], metapath: tuple[Any, ...], path: list[int]
) -> None:
    """Raise an error if no edge leads from nodes of a type to those of the next one."""
    for i, (here, there) in enumerate(zip(path, [*path[1:], path[0]], strict=True)):
        if not sizes[kinds == here, there].any():
            ends = f"{metapath[i]!r} to {metapath[i + 1]!r}"
            raise ValueError(f"metapath must follow edges, got none that leads from {ends}")
