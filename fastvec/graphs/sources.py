"""What a graph can be, and how its edges are read.

| source | nodes | both ways |
|---|---|---|
| files: paths, folders, patterns, addresses, open files | str | unless `directed` |
| a list of (source, target) or (source, target, weight), an array with such rows | int or str | the same |
| a tuple of arrays, (sources, targets) or (sources, targets, weights) | int or str | the same |
| a matrix of SciPy, or what has `indptr` and `indices` | int, from 0 on | as the entries are |
| a graph of NetworkX or igraph | its own, int or str | as the graph says |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_bool, check_item, plain, shortened
from fastvec.corpus.ids import Numbers
from fastvec.corpus.reading import files_of
from fastvec.corpus.sequences import ids_or_words
from fastvec.graphs.edge_lists import read_edges
from fastvec.graphs.graph import Edges

__all__ = ["edges_of"]

RULE = (
    "graph must be a path, a list of edges (source, target) or (source, target, weight), a tuple of arrays "
    "(sources, targets) or (sources, targets, weights), a sparse matrix, or a graph of NetworkX or igraph"
)


def edges_of(
    graph: Any, directed: bool | None, weight: str | None, memory_limit: int, progress: bool
) -> Edges:
    """Return the edges of a graph of any kind.

    Parameters
    ----------
    graph : object
        The graph.
    directed : bool or None
        Whether edges of a file, a list or arrays lead one way.
    weight : str or None
        The attribute that is the weight of an edge; None for weights of 1.
    memory_limit : int
        Bytes of memory for the ids of a file.
    progress : bool
        Whether to show a bar while a file is read.

    Raises
    ------
    OSError
        If a file cannot be read.
    TypeError, ValueError
        If it is no graph, or has no edges.
    """
    if isinstance(graph, Edges):
        return graph
    directed = None if directed is None else check_bool("directed", directed)
    if weight is not None and not isinstance(weight, str):
        raise TypeError(f"weight must be a str or None, got {shortened(weight)}")
    knows = _of_graph(graph, weight)
    if knows is not None:
        if directed is not None:
            raise ValueError(
                f"directed must be None for a {type(graph).__name__}, which says itself where its edges "
                f"lead, got {directed}: pass graph.to_directed(), graph.to_undirected(), matrix + matrix.T"
            )
        return knows
    if (files := files_of(graph)) is not None:
        return read_edges(files, weight is not None, bool(directed), memory_limit, progress)
    columns = _columns_of(graph)
    nodes, (sources, targets) = _numbered(columns[:2])
    weights = _weights(columns[2]) if len(columns) == 3 and weight is not None else None
    return Edges(nodes, sources, targets, weights, bool(directed), {})


def _of_graph(graph: Any, weight: str | None) -> Edges | None:
    """Return the edges of a graph that says itself whether they lead one way; None for others."""
    if hasattr(graph, "tocoo"):
        return _of_matrix(graph.shape, graph.tocoo(), weight)
    if hasattr(graph, "indptr") and hasattr(graph, "indices"):
        return _of_rows(graph, weight)
    if hasattr(graph, "is_directed") and hasattr(graph, "adjacency"):
        return _of_networkx(graph, weight)
    if hasattr(graph, "is_directed") and hasattr(graph, "get_edgelist"):
        return _of_igraph(graph, weight)
    return None


def _of_matrix(shape: tuple[int, ...], entries: Any, weight: str | None) -> Edges:
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(
            f"graph must be a matrix with a row and a column for every node, got the shape {shape}"
        )
    weights = None if weight is None else _weights(entries.data)
    return Edges([*range(shape[0])], entries.row, entries.col, weights, True, {})


def _of_rows(graph: Any, weight: str | None) -> Edges:
    """Return the edges of what has the arrays of a CSR matrix: offsets, where edges lead, perhaps weights."""
    indptr, indices = np.asarray(graph.indptr), np.asarray(graph.indices)
    n_nodes = len(indptr) - 1
    data = getattr(graph, "data", None)
    if (
        {indptr.dtype.kind, indices.dtype.kind} - {*"iu"}
        or n_nodes < 0
        or (np.diff(indptr) < 0).any()
        or (indptr[0], indptr[-1]) != (0, len(indices))
        or (len(indices) and not 0 <= indices.min() <= indices.max() < n_nodes)
        or (data is not None and len(data) != len(indices))
    ):
        raise ValueError(
            "indptr and indices of graph must be those of a square matrix in CSR form: for every node, where "
            f"its edges begin, and where they lead, got {shortened(indptr)} and {shortened(indices)}"
        )
    sources = np.repeat(np.arange(n_nodes), np.diff(indptr))
    weights = None if weight is None or data is None else _weights(data)
    return Edges([*range(n_nodes)], sources, indices, weights, True, {})


def _of_networkx(graph: Any, weight: str | None) -> Edges:
    nodes = _own_nodes(graph.nodes)
    places = {node: i for i, node in enumerate(graph.nodes)}
    ends = np.fromiter(
        (places[node] for edge in graph.edges() for node in edge[:2]), np.int64, 2 * graph.number_of_edges()
    ).reshape(-1, 2)
    weights = None
    if weight is not None:
        weights = _weights([given for *_, given in graph.edges(data=weight, default=1)])
    return Edges(nodes, ends[:, 0], ends[:, 1], weights, graph.is_directed(), {})


def _of_igraph(graph: Any, weight: str | None) -> Edges:
    named = "name" in graph.vs.attributes()
    nodes = _own_nodes(graph.vs["name"] if named else range(graph.vcount()))
    ends = np.array(graph.get_edgelist(), np.int64).reshape(-1, 2)
    weights = None
    if weight in graph.es.attributes():
        weights = _weights([1 if given is None else given for given in graph.es[weight]])
    return Edges(nodes, ends[:, 0], ends[:, 1], weights, graph.is_directed(), {})


def _own_nodes(nodes: Any) -> list[Any]:
    """Return the nodes of a graph as words, all int or all str."""
    listed = list(nodes)
    for node in listed:
        if not isinstance(plain(node), (str, int)) or isinstance(plain(node), bool):
            raise TypeError(
                f"nodes of graph must be str or int, got {shortened(node)}: "
                "networkx.relabel_nodes(graph, str) names them"
            )
    words = ids_or_words(listed)
    if len({*map(str, words)}) < len(words):
        raise ValueError("nodes of graph must have names that differ, and an int is the same as its digits")
    return words


def _columns_of(graph: Any) -> list[Any]:
    """Return the columns of edges: sources, targets and perhaps weights."""
    shape = getattr(graph, "shape", None)
    if isinstance(graph, tuple) and not any(isinstance(column, tuple) for column in graph):
        columns: list[Any] = [*graph]
    elif isinstance(graph, np.ndarray) and graph.ndim == 2:
        columns = [*graph.T]
    elif isinstance(graph, list):
        columns = _turned(graph)
    else:
        pass_ = ": pass scipy.sparse.csr_array(matrix) if it is a matrix" if shape else ""
        pass_ = ": pass its edges as a list" if isinstance(graph, (tuple, Mapping)) else pass_
        raise TypeError(f"{RULE}, got {shortened(graph)}{pass_}")
    if len(columns) not in (2, 3):
        matrix = shape is not None and len(set(shape)) == 1
        remedy = ": pass scipy.sparse.csr_array(matrix) if it is a matrix" if matrix else ""
        raise ValueError(f"{RULE}, got {len(columns)} columns{remedy}")
    sizes = {len(column) for column in columns}
    if len(sizes) > 1:
        raise ValueError(
            f"columns of graph must have the same length, got {', '.join(map(str, sorted(sizes)))}"
        )
    return columns


def _turned(edges: list[Any]) -> list[Any]:
    """Return a list of edges as columns."""
    sizes = set()
    for number, edge in enumerate(edges):
        if not isinstance(edge, (tuple, list, np.ndarray)) or len(edge) not in (2, 3):
            raise TypeError(
                f"every edge of graph must be (source, target) or (source, target, weight), got "
                f"{shortened(edge)} as number {number}"
            )
        sizes.add(len(edge))
    if len(sizes) > 1:
        raise ValueError("all edges of graph must have a weight, or none of them, got both")
    return [*map(list, zip(*edges, strict=True))] if edges else [[], []]


def _numbered(columns: list[Any]) -> tuple[list[Any], list[NDArray[np.int64]]]:
    """Return the nodes of some columns, and for each column the places of its nodes among them."""
    arrays = [_whole(np.asarray(column)) for column in columns]
    if all(array.ndim == 1 and array.dtype.kind in "iu" for array in arrays):
        nodes, places = np.unique(np.concatenate(arrays), return_inverse=True)
        return nodes.tolist(), np.split(places, [len(arrays[0])])
    numbers = Numbers()
    try:
        numbered = [
            [numbers[_item(node)] for node in np.asarray(column, object).tolist()] for column in columns
        ]
    except ValueError as error:
        raise ValueError(f"nodes of graph: {error}") from None
    return numbers.words, [np.array(column, np.int64) for column in numbered]


def _whole(column: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers as int, which they are not in an array beside weights."""
    is_whole = (
        column.dtype.kind == "f" and (np.abs(column) < 2**53).all() and (column == np.rint(column)).all()
    )
    return column.astype(np.int64) if is_whole else column


def _item(node: Any) -> Any:
    check_item("every node of graph", node)
    return plain(node)


def _weights(weights: Any) -> NDArray[np.float64]:
    try:
        found = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"weights of graph must be numbers, got {shortened(weights)}") from None
    if found.ndim != 1:
        raise ValueError(f"weights of graph must be a number for every edge, got the shape {found.shape}")
    return found
