"""The tree of the hierarchical softmax: as short as there is, a prefix code, kept when words are added."""

import heapq

import numpy as np
import pytest

from fastvec.training.huffman import HuffmanTree

pytestmark = pytest.mark.any_backend

RANDOM = np.random.default_rng(3)
COUNTS = {
    "two": [5, 3],
    "three": [1, 1, 1],
    "equal": [7] * 37,
    "zipf": np.sort(RANDOM.zipf(1.4, 500) % 100_000 + 1)[::-1],
    "fibonacci": [89, 55, 34, 21, 13, 8, 5, 3, 2, 1, 1],
    "huge": [2**61, 2**61, 2**60, 1],
}


@pytest.fixture(params=COUNTS)
def counts(request):
    return np.array(COUNTS[request.param], np.int64)


def codes_of(tree):
    paths = tree.paths()
    spans = list(zip(paths.offsets[:-1], paths.offsets[1:], strict=True))
    nodes = [paths.nodes[begin:end].tolist() for begin, end in spans]
    codes = [paths.codes[begin:end].tolist() for begin, end in spans]
    return nodes, codes


def shortest_total(counts):
    """The total code length that a heap finds: the sum of all merged weights."""
    heap = list(map(int, counts))
    heapq.heapify(heap)
    total = 0
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        total += merged
        heapq.heappush(heap, merged)
    return total


def assert_is_a_tree(tree, n_words):
    """Every word's path starts at the root, follows the branches, and no other path begins with it."""
    nodes, codes = codes_of(tree)
    assert len(nodes) == n_words
    children = {}
    for word, (path, code) in enumerate(zip(nodes, codes, strict=True)):
        assert len(path) == len(code) == len(set(path)) > 0
        for step, branch in enumerate(zip(path, code, strict=True)):
            child = ("node", path[step + 1]) if step + 1 < len(path) else ("word", word)
            assert children.setdefault(branch, child) == child
    assert {path[0] for path in nodes} == {n_words - 2}
    assert set(children) == {(node, code) for node in range(n_words - 1) for code in (0, 1)}


def test_the_total_length_is_the_shortest_there_is(counts):
    tree = HuffmanTree.of_counts(counts)
    assert_is_a_tree(tree, len(counts))
    lengths = np.diff(tree.paths().offsets)
    assert sum(int(n) * int(length) for n, length in zip(counts, lengths, strict=True)) == shortest_total(
        counts
    )
    assert (np.diff(lengths) >= 0).all()  # frequent words are near the root


def test_the_kernels_get_the_types_they_want(counts):
    offsets, nodes, codes = HuffmanTree.of_counts(counts).paths()
    assert (offsets.dtype, nodes.dtype, codes.dtype) == (np.int64, np.int32, np.uint8)
    assert offsets[0] == 0
    assert offsets[-1] == len(nodes) == len(codes)


def test_old_words_keep_their_nodes_below_the_old_root(counts):
    old = HuffmanTree.of_counts(counts)
    n_old, added = len(counts), np.array([40, 6, 6, 1])
    places = np.sort(RANDOM.choice(n_old + len(added), n_old, replace=False))
    all_counts = np.zeros(n_old + len(added), np.int64)
    all_counts[places] = counts
    new = np.setdiff1d(np.arange(len(all_counts)), places)
    all_counts[new] = added
    more = old.with_more_words(places, all_counts)
    assert_is_a_tree(more, len(all_counts))

    old_nodes, old_codes = codes_of(old)
    nodes, codes = codes_of(more)
    above = {tuple(nodes[place][: len(nodes[place]) - len(old_nodes[i])]) for i, place in enumerate(places)}
    assert len(above) == 1  # all old words go through the old root
    for i, place in enumerate(places):
        assert nodes[place][-len(old_nodes[i]) :] == old_nodes[i]
        assert codes[place][-len(old_codes[i]) :] == old_codes[i]
    # The tree above is the shortest of the old root and the new words.
    total = len(above.pop()) * int(counts.sum())
    total += sum(int(all_counts[word]) * len(nodes[word]) for word in new)
    assert total == shortest_total([int(counts.sum()), *added])


def test_no_new_words_leave_the_tree_and_its_words_may_change_places(counts):
    tree = HuffmanTree.of_counts(counts)
    places = RANDOM.permutation(len(counts))
    moved = np.empty_like(counts)
    moved[places] = counts
    nodes, codes = codes_of(tree)
    new_nodes, new_codes = codes_of(tree.with_more_words(places, moved))
    assert [new_nodes[place] for place in places] == nodes
    assert [new_codes[place] for place in places] == codes


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("parents", lambda a: a.astype(np.int64)),
        ("codes", lambda a: a.astype(np.int8)),
        ("parents", lambda a: a[:-1]),
        ("codes", lambda a: a[1:]),
        ("parents", lambda a: a.reshape(1, -1)),
        ("parents", lambda a: np.array(5, np.int32)),
        ("parents", lambda a: np.where(np.arange(len(a)) == 0, 99, a).astype(np.int32)),
        ("parents", lambda a: np.where(np.arange(len(a)) == 0, -1, a).astype(np.int32)),
        ("parents", lambda a: np.where(a == -1, 0, a).astype(np.int32)),
        ("parents", lambda a: np.where(np.arange(len(a)) == len(a) - 2, 0, a).astype(np.int32)),
        ("codes", lambda a: np.zeros_like(a)),
        ("codes", lambda a: a * 2),
    ],
)
def test_a_damaged_tree_is_refused(part, change):
    tree = HuffmanTree.of_counts(np.array([9, 5, 3, 2, 1]))
    arrays = {"parents": tree.parents, "codes": tree.codes}
    with pytest.raises(ValueError, match="the tree"):
        HuffmanTree(**(arrays | {part: change(arrays[part])}))
