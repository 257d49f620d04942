"""The search in the tree of the hierarchical softmax finds what scoring all leaves does, ties included."""

import numpy as np
import pytest
from inside import HuffmanTree

from fastvec import kernels

RANDOM = np.random.default_rng(4)
COUNTS = {
    "two": np.array([5, 3]),
    "equal": np.full(37, 7),
    "zipf": RANDOM.zipf(1.4, 60) % 1000 + 1,
    "deep": 2 ** np.arange(30)[::-1],
}


@pytest.fixture(params=COUNTS)
def tree(request):
    return HuffmanTree.as_in_fasttext(COUNTS[request.param])


def branches_of(tree):
    branches = np.empty((tree.n_words - 1, 2), np.int32)
    branches[tree.parents[:-1], tree.codes[:-1]] = np.arange(2 * tree.n_words - 2)
    return branches


def numbers(padded, tree, size=20, n=9, integers=False):
    """Hidden vectors, one of them of zeros, and nodes; of integers, so that many products are equal."""
    random = np.random.default_rng(5)

    def some(n_rows):
        shape = n_rows, size
        return padded(random.integers(-1, 2, shape) if integers else random.standard_normal(shape))

    hidden = some(n)
    hidden[2] = 0
    return hidden, some(tree.n_words - 1)


def all_scores(hidden, nodes, tree, added=0.0):
    """The score of every leaf, its path walked node by node."""
    paths = tree.paths()
    scores = np.zeros((len(hidden), tree.n_words))
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        turns = hidden.astype(np.float64) @ nodes.T.astype(np.float64)
        for leaf in range(tree.n_words):
            way = slice(paths.offsets[leaf], paths.offsets[leaf + 1])
            z = turns[:, paths.nodes[way]] * (1 - 2.0 * paths.codes[way])
            scores[:, leaf] = np.log(np.exp(-np.logaddexp(0, -z)) + added).sum(axis=1)
    return scores


def search(backend, hidden, nodes, tree, k, lowest=-np.inf, added=0.0, longest=None):
    return kernels.get("tree_search", backend).search(
        hidden=hidden,
        node_vectors=nodes,
        branches=branches_of(tree),
        k=k,
        lowest=lowest,
        added=added,
        longest=int(np.diff(tree.paths().offsets).max()) if longest is None else longest,
    )


def in_order(scores, k):
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


@pytest.mark.parametrize("added", [0.0, 1e-5])
@pytest.mark.parametrize("size", [1, 16, 33, 100])
def test_the_leaves_with_the_highest_scores_are_found(backend, padded, tree, size, added):
    hidden, nodes = numbers(padded, tree, size)
    expected = all_scores(hidden, nodes, tree, added)
    for k in {1, min(5, tree.n_words), tree.n_words}:
        leaves, scores = search(backend, hidden, nodes, tree, k, added=added)
        assert (leaves.dtype, scores.dtype, leaves.shape, scores.shape) == (
            np.int32,
            np.float32,
            (len(hidden), k),
            (len(hidden), k),
        )
        np.testing.assert_allclose(scores, np.take_along_axis(expected, leaves.astype(int), 1), rtol=3e-6)
        np.testing.assert_allclose(scores, -np.sort(-expected, axis=1)[:, :k], rtol=3e-6)
        assert all(len({*row}) == k for row in leaves.tolist())
        assert (np.diff(scores, axis=1) <= 0).all()


def test_of_equal_scores_the_first_leaves_are_found(backend, padded):
    tree = HuffmanTree.as_in_fasttext(np.full(64, 7))
    hidden, nodes = np.zeros((1, 16), np.float32), padded(np.ones((63, 3)))
    for k in (1, 5, 64):
        assert search(backend, hidden, nodes, tree, k)[0].tolist() == [[*range(k)]]
    tree = HuffmanTree.as_in_fasttext(np.array([1, 2, 4, 4, 1]))  # the paths of 2 and 3 are the shortest
    found, _ = search(backend, hidden, nodes[:4], tree, 5)
    assert found.tolist() == in_order(all_scores(hidden, nodes[:4], tree), 5).tolist()


def test_every_backend_breaks_ties_as_the_reference_does(compiled, padded, tree):
    hidden, nodes = numbers(padded, tree, size=2, integers=True)
    for k in {1, min(7, tree.n_words), tree.n_words}:
        ours, theirs = (search(name, hidden, nodes, tree, k) for name in (compiled, "reference"))
        assert ours[0].tolist() == theirs[0].tolist()
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6)


def test_the_search_ends_at_the_lowest_score(backend, padded, tree):
    hidden, nodes = numbers(padded, tree)
    every = all_scores(hidden, nodes, tree)
    leaves, scores = search(backend, hidden, nodes, tree, tree.n_words, lowest=-3.0)
    n_found = (~np.isnan(scores)).sum(axis=1)
    assert n_found.tolist() == (every >= -3).sum(axis=1).tolist()
    for row, n in enumerate(n_found):
        assert leaves[row, :n].tolist() == in_order(every, n)[row].tolist()
        assert not leaves[row, n:].any()
    assert np.isnan(search(backend, hidden, nodes, tree, 1, lowest=0.1)[1]).all()


def test_nodes_of_a_lower_bound_are_not_visited(backend, padded):
    """Bounds that are too low, as if ε were 0, hide leaves that would be better with ε = 1."""
    tree = HuffmanTree.as_in_fasttext(np.full(64, 7))
    paths = tree.paths()
    nodes, hidden = padded(np.full((63, 1), 30.0)), padded([[1.0]])
    way = slice(paths.offsets[40], paths.offsets[41])
    nodes[paths.nodes[way], 0] = 1 - 2.0 * paths.codes[way]
    assert all_scores(hidden, nodes, tree, added=1.0).argmax() != 40
    leaves, scores = search(backend, hidden, nodes, tree, 1, added=1.0, longest=0)
    assert leaves.tolist() == [[40]]
    np.testing.assert_allclose(scores, [[6 * np.log(1 + 1 / (1 + np.exp(-1)))]], rtol=1e-6)
    assert search(backend, hidden, nodes, tree, 1, added=1.0)[0].tolist() != [[40]]


def test_numbers_that_are_not_finite_come_last(backend, padded):
    tree = HuffmanTree.as_in_fasttext(np.full(16, 7))
    hidden, nodes = numbers(padded, tree, size=16)
    nodes[tree.parents[5], :2] = np.inf, -np.inf
    hidden[0, :2] = 1  # infinity less infinity; in the others NaN, too, or ±∞
    hidden[1:] = 0
    hidden[1:, 0] = 1
    nodes[tree.parents[9], 1:] = 0
    nodes[tree.parents[9], 0] = np.inf
    every = all_scores(hidden, nodes, tree)
    leaves, scores = search(backend, hidden, nodes, tree, 16)
    for row in range(2):
        ranked = np.where(np.isnan(every[row]), -np.inf, every[row])
        assert leaves[row].tolist() == np.argsort(-ranked, kind="stable").tolist()
        np.testing.assert_array_equal(np.isnan(scores[row]), np.isnan(every[row][leaves[row]]))
    assert np.isnan(scores).any()
    assert np.isneginf(scores).any()


def test_no_documents_are_nothing(backend, padded, tree):
    _, nodes = numbers(padded, tree)
    leaves, scores = search(backend, np.empty((0, nodes.shape[1]), np.float32), nodes, tree, 1)
    assert leaves.shape == scores.shape == (0, 1)
