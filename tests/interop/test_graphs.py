"""Graphs of NetworkX and igraph are those that their edges are."""

import numpy as np
import pytest

from fastvec import walks

networkx = pytest.importorskip("networkx", reason="needs the extra test-interop")
igraph = pytest.importorskip("igraph", reason="needs the extra test-interop")

pytestmark = pytest.mark.any_backend

EDGES = [("a", "b", 1.0), ("a", "c", 2.0), ("b", "c", 0.5), ("c", "c", 1.0), ("c", "d", 4.0), ("d", "e", 1.0)]
NUMBERED = [(ord(here) - 97, ord(there) - 97, weight) for here, there, weight in EDGES]


def same(a, b):
    return (
        a.vocabulary.words == b.vocabulary.words
        and np.array_equal(a.ids, b.ids)
        and np.array_equal(a.sentence_offsets, b.sentence_offsets)
    )


def of_networkx(edges, directed, multiple=False):
    kind = [networkx.Graph, networkx.DiGraph, networkx.MultiGraph, networkx.MultiDiGraph]
    graph = kind[directed + 2 * multiple]()
    graph.add_weighted_edges_from(edges)
    return graph


def of_igraph(edges, directed):
    return igraph.Graph.TupleList(edges, directed=directed, weights=True)


@pytest.mark.parametrize("options", [{}, {"weight": None}, {"p": 0.25, "q": 2}], ids=str)
@pytest.mark.parametrize("directed", [False, True])
def test_they_are_the_same_graph(directed, options):
    expected = walks(EDGES, directed=directed, **options)
    assert same(walks(of_igraph(EDGES, directed), **options), expected)
    for multiple in (False, True):
        assert same(walks(of_networkx(EDGES, directed, multiple), **options), expected)


def test_nodes_without_names_are_int():
    expected = walks(NUMBERED, weight=None)
    ends = [edge[:2] for edge in NUMBERED]
    assert same(walks(igraph.Graph(n=5, edges=ends)), expected)
    assert same(walks(networkx.Graph(ends)), expected)
    assert same(walks(networkx.to_scipy_sparse_array(networkx.Graph(ends), dtype=float)), expected)


def test_edges_occur_several_times():
    edges = [*EDGES, ("a", "b", 3.0)]
    assert same(walks(of_networkx(edges, False, multiple=True)), walks(edges))


def test_weights_have_other_names_or_are_missing():
    graph = of_networkx(EDGES, directed=False)
    for _, _, attributes in graph.edges(data=True):
        attributes["strength"] = attributes.pop("weight")
    assert same(walks(graph, weight="strength"), walks(EDGES))
    assert same(walks(graph), walks(EDGES, weight=None))
    graph.edges["a", "c"].clear()
    some = [(here, there, 1 if (here, there) == ("a", "c") else weight) for here, there, weight in EDGES]
    assert same(walks(graph, weight="strength"), walks(some))
    theirs = of_igraph(EDGES, directed=False)
    theirs.es[1]["weight"] = None
    assert same(walks(theirs), walks(some))


def test_files_that_networkx_writes(tmp_path):
    graph = of_networkx(EDGES, directed=False)
    networkx.write_weighted_edgelist(graph, tmp_path / "edges.gz")
    assert same(walks(tmp_path / "edges.gz"), walks(EDGES))


def test_isolated_nodes_and_types():
    graph = networkx.karate_club_graph()
    graph.add_node("nobody")
    corpus = walks(graph)
    assert [walk for walk in corpus if "nobody" in walk] == [["nobody"]] * 10
    types = networkx.get_node_attributes(graph, "club") | {"nobody": ""}
    along = walks(graph, metapath=("Officer", "Mr. Hi", "Officer"), types=types)
    named = {str(node): kind for node, kind in types.items()}
    assert all(
        named[node] == ("Mr. Hi" if i % 2 else "Officer") for walk in along for i, node in enumerate(walk)
    )


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: networkx.grid_2d_graph(2, 2), TypeError, r"got \(0, 0\): networkx.relabel_nodes"),
        (lambda: networkx.Graph([(1, "1")]), ValueError, "must have names that differ"),
        (lambda: networkx.empty_graph(3), ValueError, "graph must have an edge, got 3 nodes without any"),
        (lambda: networkx.Graph(), ValueError, "graph must have an edge, got 0 nodes without any"),
        (lambda: igraph.Graph(), ValueError, "graph must have an edge, got 0 nodes without any"),
        (lambda: of_networkx([("a", "b", -2)], False), ValueError, "got -2.0 from 'a' to 'b'"),
        (lambda: of_networkx([("a", "b", "x")], False), TypeError, "weights of graph must be numbers"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(make, error, message):
    with pytest.raises(error, match=message):
        walks(make())


@pytest.mark.parametrize("make", [networkx.karate_club_graph, lambda: igraph.Graph.Famous("Zachary")])
def test_they_say_themselves_where_edges_lead(make):
    with pytest.raises(ValueError, match=r"directed must be None for a Graph, .*, got True: pass graph.to_d"):
        walks(make(), directed=True)
