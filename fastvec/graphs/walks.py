"""Random walks over graphs as a corpus: DeepWalk, node2vec, metapath2vec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import check_bool, check_float, check_int
from fastvec.corpus import Corpus
from fastvec.corpus.ids import Encoded
from fastvec.formats.spool import Spool
from fastvec.graphs.graph import Arcs, arcs_of, check_metapath
from fastvec.graphs.sources import edges_of
from fastvec.peers.errors import naming_peers_parameters_of
from fastvec.peers.graphs import WALKS
from fastvec.reference.sampling import draw
from fastvec.training.progress import Progress
from fastvec.training.tables import keep_thresholds
from fastvec.training.threads import Workers, number_of_threads

__all__ = ["check_steps", "walks"]

# What a thread is handed at once: walks of about so many nodes.
NODES_AT_ONCE = 1 << 18
MOST_WALKS = 1 << 32
LONGEST = 1 << 26


@naming_peers_parameters_of(WALKS)
def walks(
    graph: Any,
    *,
    length: int = 80,
    per_node: int = 10,
    p: float = 1.0,
    q: float = 1.0,
    directed: bool | None = None,
    weight: str | None = "weight",
    metapath: Sequence[Any] | None = None,
    types: Mapping[Any, Any] | None = None,
    seed: int = 1,
    threads: int | None = None,
    memory_limit: int = 2**30,
    progress: bool = False,
) -> Corpus:
    """Return random walks over a graph, each a sentence of nodes.

    With the usual parameters this is DeepWalk [1]_, with `p` and `q` node2vec [2]_, and with `metapath`
    metapath2vec [3]_. From every node start `per_node` walks, in rounds of all nodes, each in a random order
    of its own. A step follows an edge with a probability in proportion to its weight. A walk ends early at a
    node from which no edge leads; that of an isolated node is this node alone.

    The walks depend on the graph and on `seed`, and not on the number of threads. Fewer or shorter walks are
    the beginning of more or longer ones.

    Parameters
    ----------
    graph : str, PathLike, open file, list, tuple of arrays, array, sparse matrix, or graph
        - Text files as `Corpus` takes them, plain or compressed, with an edge in each line: two nodes and
          perhaps a weight, between white space. Nodes are str. Lines at the beginning that start with # or %
          are comments.
        - A list of edges, (source, target) or (source, target, weight), or an array with such rows; or a
          tuple of their columns as arrays. Nodes are int, or str.
        - A sparse matrix of SciPy: the weight of the edge from node i to node j in row i and column j. Also
          what has the arrays of its CSR form as attributes: `indptr`, `indices` and perhaps `data`.
        - A graph of NetworkX or igraph. Nodes are int or str, those of igraph their names if they have any.

        An edge that occurs several times counts as often, and one of weight 0 is none.
    length : int
        Number of nodes of a walk.
    per_node : int
        Number of walks from every node.
    p : float
        The weight of the edge back to the node before is divided by this.
    q : float
        The weights of edges to nodes to which no edge leads from the node before are divided by this.
    directed : bool, optional
        Whether the edges of files, lists and arrays lead one way; both ways by default. Matrices and graphs
        of NetworkX and igraph say it themselves.
    weight : str, optional
        The attribute of edges in graphs of NetworkX and igraph that is their weight, 1 where there is none.
        None makes all edges of any graph alike.
    metapath : sequence, optional
        The types of the nodes along a walk, as ``("user", "item", "user")``. The last is the first, and the
        path is repeated. Walks start from nodes of the first type, and nodes of other types than these are
        left out.
    types : mapping, optional
        The type of every node, for `metapath`.
    seed : int
        Seed of the random numbers.
    threads : int, optional
        Number of threads; all processors by default.
    memory_limit : int
        Bytes of memory for the walks. More of them are kept in a temporary file, in the folder ``TMPDIR``.
    progress : bool
        Whether to show progress bars.

    Returns
    -------
    Corpus
        The walks. Its words are the nodes that were visited.

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    TypeError, ValueError
        If a parameter is invalid, or the graph has no edges or other weights than finite numbers >= 0.

    References
    ----------
    .. [1] B. Perozzi, R. Al-Rfou, S. Skiena: DeepWalk: online learning of social representations, KDD 2014.
    .. [2] A. Grover, J. Leskovec: node2vec: scalable feature learning for networks, KDD 2016.
    .. [3] Y. Dong, N. V. Chawla, A. Swami: metapath2vec: scalable representation learning for heterogeneous
       networks, KDD 2017.

    Examples
    --------
    >>> import fastvec
    >>> edges = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]
    >>> walks = fastvec.walks(edges, length=20, per_node=5)
    >>> walks
    Corpus(20 sentences, 400 tokens, 4 distinct words)
    >>> fastvec.SkipGram(vector_size=8).fit(walks).vectors_.words[0]
    'c'
    """
    length, per_node, p, q = check_steps(length, per_node, p, q)
    seed = check_int("seed", seed, 0)
    threads = number_of_threads(None if threads is None else check_int("threads", threads, 1))
    memory_limit = check_int("memory_limit", memory_limit, 1)
    progress = check_bool("progress", progress)
    metapath = check_metapath(metapath, types)
    edges = edges_of(graph, directed, weight, memory_limit, progress)
    nodes, reading = edges.nodes, edges.reading
    arcs = arcs_of(edges, metapath, types)
    del edges
    n_walks = per_node * len(arcs.starts)
    if n_walks >= MOST_WALKS:
        raise ValueError(f"per_node must make fewer than {MOST_WALKS:,} walks, got {n_walks:,}")
    encoded = _walked(arcs, nodes, length, per_node, _acceptance(p, q), seed, threads, memory_limit, progress)
    made: dict[str, Any] = {"length": length, "per_node": per_node, "p": p, "q": q, "seed": seed}
    if metapath is not None:
        made["metapath"] = [*map(str, metapath)]
    return Corpus._of(encoded, {**reading, "walks": made})


def check_steps(length: int, per_node: int, p: float, q: float) -> tuple[int, int, float, float]:
    """Return the parameters of walks that say how they go on, or raise TypeError or ValueError."""
    return (
        check_int("length", length, 1, LONGEST),
        check_int("per_node", per_node, 1),
        check_float("p", p, above=0),
        check_float("q", q, above=0),
    )


def _acceptance(p: float, q: float) -> NDArray[np.uint32]:
    """Return the thresholds with which the kernel accepts a step back, to a node nearby, and to another."""
    smallest = min(p, 1, q)
    return keep_thresholds([smallest / p, smallest, smallest / q])


def _walked(
    arcs: Arcs,
    nodes: list[Any],
    length: int,
    per_node: int,
    accept: NDArray[np.uint32],
    seed: int,
    threads: int,
    memory_limit: int,
    progress: bool,
) -> Encoded:
    """Return walks, whose ids are the places of nodes."""
    key_of_order, key = np.random.SeedSequence(seed).generate_state(2, np.uint64).tolist()
    at_once = max(1, NODES_AT_ONCE // length)
    walk = kernels.walks.walk

    def parts() -> Iterator[tuple[int, NDArray[np.int32]]]:
        for round_ in range(per_node):
            draws = draw(key_of_order, np.uint64(round_ << 32) + np.arange(len(arcs.starts), dtype=np.uint64))
            order = arcs.starts[np.argsort(draws, kind="stable")]
            for begin in range(0, len(order), at_once):
                yield round_ * len(order) + begin, order[begin : begin + at_once]

    def walk_part(part: tuple[int, NDArray[np.int32]]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        first, starts = part
        ids, sizes = np.empty(len(starts) * length, np.int32), np.empty(len(starts), np.int64)
        graph = (arcs.offsets, arcs.targets, arcs.cumulative, arcs.path, arcs.n_types)
        n = walk(starts, first, length, *graph, accept, key, ids, sizes)
        return ids[:n], sizes

    counts = np.zeros(len(nodes), np.int64)
    offsets = np.zeros(per_node * len(arcs.starts) + 1, np.int64)
    spool, n = Spool(np.int32, memory_limit), 0
    with Progress("walking", len(offsets) - 1, " walks", progress) as bar, Workers(threads) as workers:
        for ids, sizes in workers.in_order(walk_part, parts()):
            spool.append(ids)
            kernels.walks.add_counts(ids, counts)
            offsets[n + 1 : n + 1 + len(sizes)] = sizes
            n += len(sizes)
            bar.update(len(sizes))
    np.cumsum(offsets, out=offsets)
    return Encoded(nodes, counts, offsets, spool)
