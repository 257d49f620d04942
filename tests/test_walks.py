"""Random walks over graphs: their distribution, what a graph can be, and what is no graph."""

import gzip
import io
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from inside import set_sizes
from scipy import sparse
from scipy.stats import chisquare

import fastvec
from fastvec import walks

pytestmark = pytest.mark.any_backend(trains=True)

LEAST_P_VALUE = 1e-4  # every test draws the same each time: this one will not fail now and then

# Directed and weighted, with a loop (2), arcs both ways, parallel arcs (0 to 3) and a hub (5).
ARCS = [
    *[(0, 1, 2.0), (0, 2, 1), (0, 3, 1), (0, 3, 0.5), (1, 0, 1), (1, 2, 3), (1, 5, 1), (2, 2, 1), (2, 0, 2)],
    *[(2, 4, 0.25), (3, 4, 1), (3, 0, 1), (4, 5, 5), (4, 2, 1), (5, 0, 1), (5, 1, 2), (5, 2, 3), (5, 3, 4)],
    *[(5, 4, 5), (3, 5, 1)],
]


def exact(arcs, before, node, p, q):
    """The probability of every next node, by the definition of node2vec; `before` is None at first."""
    near = {there for here, there, _ in arcs if here == before}
    weights = Counter()
    for here, there, weight in arcs:
        if here == node:
            alpha = 1 / p if there == before else 1 if there in near else 1 / q
            weights[there] += weight * (1 if before is None else alpha)
    return {there: weight / weights.total() for there, weight in weights.items()}


def transitions(corpus):
    """How often walks took each step, by the node before and the node; that before a start is None."""
    found = {}
    for walk in corpus:
        for before, node, there in zip([None, *walk], walk, walk[1:], strict=False):
            found.setdefault((before, node), Counter())[there] += 1
    return found


def least_p_value(found, arcs, p, q):
    tested = []
    for (before, node), counts in found.items():
        expected = exact(arcs, before, node, p, q)
        assert counts.keys() <= expected.keys()
        if len(expected) > 1 and min(expected.values()) * counts.total() > 5:
            n = [(counts[there], share * counts.total()) for there, share in expected.items()]
            tested.append(chisquare(*zip(*n, strict=True)).pvalue)
    assert len(tested) >= 6
    return min(tested) * len(tested)


@pytest.mark.parametrize("weighted", [True, False], ids=["weighted", "alike"])
@pytest.mark.parametrize("p, q", [(1, 1), (0.25, 4), (4, 0.25), (1, 0.5), (30, 30)])
def test_steps_have_the_exact_distribution(p, q, weighted):
    weight = "weight" if weighted else None
    corpus = walks(ARCS, directed=True, p=p, q=q, weight=weight, per_node=300, length=60)
    arcs = ARCS if weighted else [(here, there, 1) for here, there, _ in ARCS]
    assert least_p_value(transitions(corpus), arcs, p, q) > LEAST_P_VALUE


def test_a_step_that_is_hardly_ever_accepted_has_the_exact_distribution():
    """From the hub, where trials end and all arcs are weighed."""
    arcs = [(0, leaf, 1 + leaf % 3) for leaf in range(1, 41)] + [(leaf, 0, 1) for leaf in range(1, 41)]
    arcs += [(1, 2, 0.001), (1, 3, 0.001)]
    found = transitions(walks(arcs, directed=True, p=500, q=500, per_node=400, length=4))
    counts, expected = found[1, 0], exact(arcs, 1, 0, 500, 500)
    assert counts[2] + counts[3] > 0.9 * counts.total()
    at = [2, 3, *(leaf for leaf in range(4, 41) if expected[leaf] * counts.total() > 5)]
    seen, wanted = [counts[leaf] for leaf in at], [expected[leaf] * counts.total() for leaf in at]
    rest = counts.total() - sum(seen)
    assert chisquare([*seen, rest], [*wanted, counts.total() - sum(wanted)]).pvalue > LEAST_P_VALUE


def test_a_path_of_types_has_the_exact_distribution():
    """Arcs lead to nodes of the next type alone, and their weights compare with each other."""
    types = dict(zip(range(6), "aabbcb", strict=True))
    edges = [
        (0, 2, 1),
        (0, 3, 2),
        (1, 2, 1),
        (1, 3, 1),
        (1, 5, 3),
        (0, 1, 9),
        (0, 4, 9),
        (2, 3, 9),
        (4, 5, 1),
    ]
    corpus = walks(edges, metapath=("a", "b", "a"), types=types, per_node=2000, length=9)
    assert {"".join(map(types.get, walk)) for walk in corpus} == {"ababababa"}
    assert set(corpus.vocabulary.words) == {0, 1, 2, 3, 5}
    both = edges + [(there, here, weight) for here, there, weight in edges]
    between = [arc for arc in both if {types[arc[0]], types[arc[1]]} == {"a", "b"}]
    for (_, node), counts in transitions(corpus).items():
        expected = exact(between, None, node, 1, 1)
        assert counts.keys() == expected.keys()
        n = [(counts[there], share * counts.total()) for there, share in expected.items()]
        assert len(n) == 1 or chisquare(*zip(*n, strict=True)).pvalue > LEAST_P_VALUE / 10


def test_a_path_of_types_goes_with_p_and_q():
    types = dict(zip(range(7), "aaabbbb", strict=True))
    edges = [(a, b) for a in range(3) for b in range(3, 7)]
    corpus = walks(edges, metapath=("a", "b", "a"), types=types, p=1e6, length=30)
    assert not any(walk[i] == walk[i + 2] for walk in corpus for i in range(28))
    corpus = walks(edges, metapath=("a", "b", "a"), types=types, p=1e-310, length=30)
    assert all(len({*walk}) == 2 for walk in corpus)


def test_rounds_have_all_nodes_in_random_orders():
    starts = [walk[0] for walk in walks([(i, i + 1) for i in range(99)], length=1, per_node=20)]
    rounds = [starts[i : i + 100] for i in range(0, 2000, 100)]
    assert all(sorted(nodes) == list(range(100)) for nodes in rounds)
    assert len({*map(tuple, rounds)}) == 20
    # the mean place of a node is that of an average, within four standard errors
    places = np.array([np.argsort(nodes) for nodes in rounds]).mean(axis=0)
    assert np.abs(places - 49.5).max() < 4 * np.sqrt(9999 / 12 / 20)


def same(a, b):
    return (
        a.vocabulary.words == b.vocabulary.words
        and (a.ids == b.ids).all()
        and (a.sentence_offsets == b.sentence_offsets).all()
    )


RANDOM = np.random.default_rng(5)
SOURCES, TARGETS = RANDOM.integers(300, size=(2, 900))
WEIGHTS = RANDOM.exponential(size=900)


@pytest.fixture
def small_parts(monkeypatch):
    set_sizes(monkeypatch, nodes_at_once=1000)


@pytest.mark.parametrize("options", [{}, {"p": 0.5, "q": 2}, {"directed": True}], ids=str)
def test_threads_change_nothing(small_parts, options):
    graph = (SOURCES, TARGETS, WEIGHTS)
    one = walks(graph, threads=1, per_node=3, length=11, **options)
    assert all(same(one, walks(graph, threads=n, per_node=3, length=11, **options)) for n in (2, 3, 4))
    assert not same(one, walks(graph, threads=1, per_node=3, length=11, seed=2, **options))


def test_fewer_and_shorter_walks_are_the_beginning_of_others(small_parts):
    graph = (SOURCES, TARGETS)
    every = list(walks(graph, per_node=3, length=20, directed=True))
    assert list(walks(graph, per_node=2, length=20, directed=True)) == every[: len(every) // 3 * 2]
    assert list(walks(graph, per_node=3, length=7, directed=True)) == [walk[:7] for walk in every]


def test_walks_beyond_the_memory_are_in_a_file(small_parts):
    graph = (SOURCES, TARGETS)
    mapped = walks(graph, per_node=2, memory_limit=1000)
    assert isinstance(mapped.ids, np.memmap)
    assert same(mapped, walks(graph, per_node=2))


# ---- What a graph can be ----------------------------------------------------------------------------------

EDGES = [(0, 1, 1.0), (0, 2, 2.0), (1, 2, 0.5), (2, 2, 1.0), (2, 3, 4.0), (3, 4, 1.0)]
COLUMNS = tuple(map(list, zip(*EDGES, strict=True)))
TEXT = "".join(f"{here} {there}\t{weight}\n" for here, there, weight in EDGES)


def matrix(edges=EDGES, both=True):
    """A matrix of edges with a row for each of five nodes."""
    sources, targets, weights = (np.array(column) for column in zip(*edges, strict=True))
    entries = sparse.coo_array((weights, (sources, targets)), shape=(5, 5))
    return entries + sparse.triu(entries, 1).T if both else entries


def rows(of_matrix):
    """The same as an object that has its arrays alone."""
    return SimpleNamespace(indptr=of_matrix.indptr, indices=of_matrix.indices, data=of_matrix.data)


KINDS = {
    "list": EDGES,
    "list of lists": [*map(list, EDGES)],
    "columns": COLUMNS,
    "arrays": tuple(map(np.array, COLUMNS)),
    "array": np.array(EDGES),
    "CSR": matrix().tocsr(),
    "CSC": matrix().tocsc(),
    "COO": matrix().tocoo(),
    "matrix": sparse.csr_matrix(matrix()),
    "rows": rows(matrix().tocsr()),
}


@pytest.mark.parametrize("weight", ["weight", None])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_the_same_graph(kind, weight):
    found = walks(KINDS[kind], weight=weight, seed=3)
    assert found.vocabulary.words[0] == 2 and len(found) == 50
    assert same(found, walks(EDGES, weight=weight, seed=3))


@pytest.mark.parametrize("weight", ["weight", None])
def test_every_kind_is_the_same_directed_graph(weight):
    expected = walks(EDGES, weight=weight, directed=True)
    assert {walk[-1] for walk in expected} == {4}
    for graph in (COLUMNS, np.array(EDGES)):
        assert same(walks(graph, weight=weight, directed=True), expected)
    for graph in (matrix(both=False), rows(matrix(both=False).tocsr())):
        assert same(walks(graph, weight=weight), expected)


def as_str(corpus):
    return [[*map(str, walk)] for walk in corpus]


@pytest.fixture(params=["path", "str", "gzip", "open", "text", "two files", "folder"])
def file(request, tmp_path):
    path = tmp_path / "edges"
    path.write_text(TEXT, encoding="utf-8")
    if request.param == "gzip":
        path.write_bytes(gzip.compress(TEXT.encode()))
    if request.param in ("two files", "folder"):
        first, *rest = TEXT.splitlines(keepends=True)
        path.write_text(first[:-1], encoding="utf-8")  # whose line does not end
        other = tmp_path / "more"
        other.write_text("# comment\n" + "".join(rest), encoding="utf-8")
        return [path, other] if request.param == "two files" else tmp_path
    opened = {"open": io.BytesIO(TEXT.encode()), "text": io.StringIO(TEXT), "str": str(path)}
    return opened.get(request.param, path)


def test_files_are_the_same_graph(file):
    assert as_str(walks(file)) == as_str(walks(EDGES))


def test_files_have_comments_and_empty_lines(tmp_path):
    path = tmp_path / "edges"
    text = "# Nodes: 5\n% 6 edges\n#\n\n" + TEXT.replace("\n", " \r\n\n")
    path.write_bytes(text.rstrip().encode())
    assert as_str(walks(path)) == as_str(walks(EDGES))
    assert as_str(walks(path, weight=None)) == as_str(walks(EDGES, weight=None))
    assert walks(path).provenance["files"] == ["edges"]


def test_a_file_without_weights_and_with_tags_as_nodes(tmp_path):
    path = tmp_path / "edges"
    path.write_text("New-York #2\n#2 Zürich\n", encoding="utf-8")
    assert {*walks(path).vocabulary.words} == {"New-York", "#2", "Zürich"}


def test_nodes_are_int_or_str():
    assert walks([("a", "b"), ("b", 7)]).vocabulary.words == ["b", "a", "7"]
    assert walks((np.array(["a", "b"]), np.array(["b", "c"], object))).vocabulary.words[0] == "b"
    far = walks(np.array([[10**12, -5], [-5, 3]]))
    assert far.vocabulary.words[0] == -5 and {*far.vocabulary.words} == {10**12, -5, 3}


def test_edges_that_occur_several_times_count_as_often():
    found = transitions(walks([("a", "b")] * 3 + [("a", "c")], per_node=2000, length=2))
    assert found[None, "a"]["b"] / found[None, "a"].total() == pytest.approx(0.75, abs=0.05)


def test_isolated_nodes_are_walks_of_their_own():
    corpus = walks(sparse.csr_array(([1.0, 1.0], ([0, 1], [1, 0])), shape=(3, 3)), per_node=4, length=5)
    assert sum(walk == [2] for walk in corpus) == 4
    assert sorted(map(len, corpus)) == [1] * 4 + [5] * 8


def test_edges_of_weight_zero_are_none():
    corpus = walks([("a", "b", 1), ("b", "c", 0), ("a", "d", 2)], per_node=50)
    assert [walk for walk in corpus if "c" in walk] == [["c"]] * 50


# ---- Vectors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"p": 0.5, "q": 0.5}], ids=["DeepWalk", "node2vec"])
def test_vectors_tell_the_classes_of_a_block_model(options):
    random = np.random.default_rng(6)
    classes = np.arange(90) % 3
    linked = np.triu(random.random((90, 90)) < np.where(classes == classes[:, None], 0.3, 0.02), 1)
    corpus = walks(np.argwhere(linked), length=20, per_node=10, **options)
    vectors = (
        fastvec.SkipGram(vector_size=16, window=5, epochs=3, learning_rate=0.05, threads=1)
        .fit(corpus)
        .vectors_
    )
    nearest = [
        (int(node), int(other)) for node in vectors.words for other, _ in vectors.most_similar(node, topn=5)
    ]
    assert np.mean([classes[node] == classes[other] for node, other in nearest]) > 0.9


@pytest.mark.parametrize("model", [fastvec.CBOW, fastvec.GloVe, fastvec.PPMI_SVD, fastvec.FastText])
def test_every_model_takes_walks(model):
    corpus = walks(EDGES, length=10)
    words = model(vector_size=4).fit(corpus).vectors_.words
    assert sorted(map(str, words)) == ["0", "1", "2", "3", "4"]


# ---- What is no graph -------------------------------------------------------------------------------------

NAN = float("nan")
WRONG = {
    "nothing": ([], {}, ValueError, "graph must have an edge, got 0 nodes without any"),
    "no edges": (sparse.csr_array((3, 3)), {}, ValueError, "must have an edge, got 3 nodes"),
    "weights of 0": ([(1, 2, 0)], {}, ValueError, "graph must have an edge, got 2 nodes"),
    "negative": ([("a", "b", -1)], {}, ValueError, "must be finite numbers >= 0, got -1.0 from 'a'"),
    "NaN": ([(1, 2, NAN)], {}, ValueError, "must be finite numbers >= 0, got nan from 1 to 2"),
    "huge": ([(1, 2, 1e308), (1, 3, 1e308)], {}, ValueError, "a finite sum: divide them by the largest"),
    "no weight": ([(1, 2, "x")], {}, TypeError, r"weights of graph must be numbers, got \['x'\]"),
    "dict": ({1: [2]}, {}, TypeError, "graph must be a path, .*: pass its edges as a list"),
    "number": (7, {}, TypeError, "graph must be a path, .* got 7$"),
    "tuple of edges": (((1, 2), (2, 3)), {}, TypeError, "got .*: pass its edges as a list"),
    "dense": (np.ones((5, 5)), {}, ValueError, r"got 5 columns: pass scipy.sparse.csr_array\(matrix\) if"),
    "three dimensions": (np.ones((2, 2, 2)), {}, TypeError, "graph must be a path"),
    "an edge of 4": ([(1, 2, 3, 4)], {}, TypeError, r"every edge .* got \(1, 2, 3, 4\) as number 0"),
    "a str": (["ab"], {}, FileNotFoundError, "ab"),
    "some weights": ([(1, 2), (1, 2, 3)], {}, ValueError, "must have a weight, or none of them, got both"),
    "lengths": (([1, 2], [1]), {}, ValueError, "columns of graph must have the same length, got 1, 2"),
    "not square": (sparse.csr_array((2, 3)), {}, ValueError, r"for every node, got the shape \(2, 3\)"),
    "rows": (SimpleNamespace(indptr=[0, 1], indices=[1]), {}, ValueError, "indptr and indices of graph"),
    "float nodes": ((np.array([0.5]), [1]), {}, TypeError, "node of graph must be a str or an int, got 0.5"),
    "empty node": ([("", "b")], {}, ValueError, "nodes of graph: an item is an empty str"),
    "length": (EDGES, {"length": 0}, ValueError, "length must be an int from 1 to"),
    "per_node": (EDGES, {"per_node": 0}, ValueError, "per_node must be an int >= 1, got 0"),
    "too many": (EDGES, {"per_node": 10**9}, ValueError, "must make fewer than 4,294,967,296 walks, got 5,0"),
    "p": (EDGES, {"p": 0}, ValueError, "p must be a number > 0, got 0"),
    "q": (EDGES, {"q": NAN}, ValueError, "q must be a number > 0, got nan"),
    "p of type": (EDGES, {"p": "1"}, TypeError, "p must be a number > 0, got '1'"),
    "directed": (EDGES, {"directed": 1}, TypeError, "directed must be True or False, got 1"),
    "directed matrix": (matrix(), {"directed": False}, ValueError, "must be None for a .*, got False: pass"),
    "weight": (EDGES, {"weight": 2}, TypeError, "weight must be a str or None, got 2"),
    "seed": (EDGES, {"seed": -1}, ValueError, "seed must be an int >= 0, got -1"),
    "threads": (EDGES, {"threads": 0}, ValueError, "threads must be an int >= 1, got 0"),
    "walk_length": (EDGES, {"walk_length": 3}, TypeError, "no parameter `walk_length`: it is `length`"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case):
    graph, options, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        walks(graph, **options)


TYPES = dict(enumerate("abbcc"))
WRONG_PATHS = {
    "str": ("aba", TYPES, TypeError, "metapath must be a sequence of two types or more .*, got 'aba'"),
    "one": (("a",), TYPES, ValueError, r"metapath must be a sequence of two types or more .*, got \('a',\)"),
    "open": (("a", "b"), TYPES, ValueError, "that ends with its first, as "),
    "no types": (("a", "b", "a"), None, TypeError, "types must be a mapping .* with a metapath, got None"),
    "types alone": (None, TYPES, ValueError, "types must be None without a metapath"),
    "unknown": (("a", "x", "a"), TYPES, ValueError, "types of nodes, which are 'a', 'b', 'c', got 'x'"),
    "a node without": (("a", "b", "a"), {0: "a"}, ValueError, "a type for every node .* none for '1'"),
    "nowhere": (("a", "c", "a"), TYPES, ValueError, "must follow edges, got none that leads from 'a' to 'c'"),
    "nowhere from there": (("b", "c", "a", "b"), TYPES, ValueError, "none that leads from 'c' to 'a'"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_PATHS)
def test_a_wrong_path_of_types_is_said(case):
    metapath, types, error, message = WRONG_PATHS[case]
    with pytest.raises(error, match=message):
        walks([(0, 1), (1, 3), (2, 3), (3, 4)], metapath=metapath, types=types)


@pytest.mark.parametrize(
    "text, message",
    [
        ("a b\nb\n", "edges, line 2: an edge is two nodes, .*, got 1 columns .the first line has 2.: 'b'"),
        ("a,b\nb,c\n", "edges, line 1: .* got 1 columns: 'a,b'; other tables can be passed as arrays"),
        ("# x\n\na b 1\nb c 2 {}\n", "line 4: .* got 4 columns .the first line has 3.: 'b c 2 {}'"),
        ("a b 1\nb c x\n", "line 2: the third column is the weight, .* 'x'; weight=None ignores"),
        ("a b nan\n", "weights of graph must be finite numbers >= 0, got nan from 'a' to 'b'"),
        ("# nothing\n", "graph must have an edge, got 0 nodes without any"),
        ("", "graph must have an edge, got 0 nodes without any"),
        ("a b\nb \xff\n", "UTF-8"),
    ],
)  # fmt: skip
def test_lines_that_are_no_edges_are_said(tmp_path, text, message):
    path = tmp_path / "edges"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=message):
        walks(path)


def test_the_line_of_a_second_file_is_said(tmp_path):
    for name, text in {"first": "a b\n\nb c", "second": "c d\nd\n"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="second, line 2: an edge is"):
        walks([tmp_path / "first", tmp_path / "second"])
