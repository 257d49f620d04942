"""Counting, joining and spelling: every backend against plain Python and against the reference."""

import collections
import itertools

import numpy as np
import pytest

from fastvec import kernels


@pytest.fixture
def kernel(backend):
    return kernels.get("phrases", backend)


def zipf(n_words, n_tokens, seed=0):
    """Return ids of which a few are most of the text, and sentences of 1 to 40 of them."""
    random = np.random.default_rng(seed)
    ids = (n_words * random.random(n_tokens) ** 3).astype(np.int32)
    lengths = random.integers(1, 41, n_tokens)
    ends = np.cumsum(lengths)
    offsets = np.concatenate([[0], ends[ends < n_tokens], [n_tokens]]).astype(np.int64)
    return ids, offsets


NO_CONNECTORS = np.empty(0, np.uint8)


def chunks(n, size):
    return [(start, min(start + size, n)) for start in range(0, n, size)]


@pytest.mark.parametrize("size", [1, 17, 1000, 20_000])
def test_pairs_are_counted(kernel, size):
    ids, offsets = zipf(400, 20_000)  # so many pairs that the table grows, twice
    counter = kernel.PairCounter(NO_CONNECTORS)
    for start, stop in chunks(len(ids), size):
        counter.add(ids, offsets, start, stop, 350)
    expected = collections.Counter(
        (a, b)
        for begin, end in itertools.pairwise(offsets.tolist())
        for a, b in itertools.pairwise(ids[begin:end].tolist())
        if a < 350 and b < 350
    )
    assert len(expected) > 4096
    for min_count in (1, 4):
        lefts, rights, counts = counter.pairs(min_count)
        kept = sorted((*pair, count) for pair, count in expected.items() if count >= min_count)
        assert sorted(zip(lefts.tolist(), rights.tolist(), counts.tolist(), strict=True)) == kept
        assert (lefts.dtype, rights.dtype, counts.dtype) == (np.int32, np.int32, np.int64)


def test_ids_may_be_as_large_as_they_get(kernel):
    largest = 2**31 - 2
    ids = np.array([largest, largest - 1, largest, 0, largest], np.int32)
    offsets = np.array([0, 5], np.int64)
    counter = kernel.PairCounter(NO_CONNECTORS)
    counter.add(ids, offsets, 0, 5, largest + 1)
    lefts, rights, _ = counter.pairs(1)
    order = np.lexsort((rights, lefts))
    lefts, rights = lefts[order], rights[order]
    pairs = [(0, largest), (largest - 1, largest), (largest, 0), (largest, largest - 1)]
    assert list(zip(lefts.tolist(), rights.tolist(), strict=True)) == pairs
    joiner = kernel.Joiner(lefts[3:], rights[3:], np.array([0], np.int32))
    new_ids, new_offsets = np.empty(5, np.int32), np.empty(2, np.int64)
    assert joiner.join(ids, offsets, 0, 5, new_ids, new_offsets, 0) == (5, 4)
    assert new_ids[:4].tolist() == [0, largest, 0, largest]


def results_with_connectors(module, size):
    """Return what pairs over connectors become: their counts, and a text with some of them joined."""
    ids, offsets = zipf(60, 3_000)
    counter = module.PairCounter(np.isin(np.arange(60), (0, 2, 31)).astype(np.uint8))
    for start, stop in chunks(len(ids), size):
        counter.add(ids, offsets, start, stop, 50)
    links = list(zip(*(half.tolist() for half in counter.links()), strict=True))

    def spelled(left):
        return (left,) if left >= 0 else (*spelled(links[-1 - left][0]), links[-1 - left][1])

    lefts, rights, counts = counter.pairs(1)
    rows = zip(lefts.tolist(), rights.tolist(), counts.tolist(), strict=True)
    pairs = sorted((*spelled(left), right, count) for left, right, count in rows)
    # A phrase has a number that depends on its words, a link one that depends on where it was met.
    arguments = [
        (left, right, 60 + hash((*spelled(left), right)) % 1000)
        for left, right in zip(lefts.tolist(), rights.tolist(), strict=True)
        if (sum(spelled(left)) + right) % 3
    ]
    arguments += [(*link, -1 - n) for n, link in enumerate(links)]
    joiner = module.Joiner(*np.array(arguments, np.int32).T.copy())
    start = n_new = 0
    new_ids, new_offsets = np.empty_like(ids), np.full_like(offsets, -1)
    while start < len(ids):
        start, n = joiner.join(
            ids, offsets, start, min(start + size, len(ids)), new_ids[n_new:], new_offsets, n_new
        )
        n_new += n
    return pairs, new_ids[:n_new].tolist(), new_offsets[:-1].tolist()


@pytest.mark.parametrize("size", [3, 3_000])
def test_connectors_lie_between_the_words_of_pairs(kernel, size):
    ids, offsets = zipf(60, 3_000)
    expected = collections.Counter()
    for begin, end in itertools.pairwise(offsets.tolist()):
        sentence = ids[begin:end].tolist()
        ends = [place for place, word in enumerate(sentence) if word not in (0, 2, 31)]
        for left, right in itertools.pairwise(ends):
            if sentence[left] < 50 and sentence[right] < 50:
                expected[tuple(sentence[left : right + 1])] += 1
    pairs, joined, begins = results_with_connectors(kernel, size)
    of_reference = results_with_connectors(kernels.get("phrases", "reference"), len(ids))
    assert (pairs, joined, begins) == of_reference
    assert pairs == sorted((*words, count) for words, count in expected.items())
    assert max(map(len, expected)) > 4
    assert len(joined) < 0.8 * len(ids)


@pytest.mark.parametrize("size", [3, 1000, 20_000])
def test_pairs_are_joined_as_by_the_reference(kernel, size):
    ids, offsets = zipf(100, 20_000)
    random = np.random.default_rng(1)
    pairs = random.permutation(100 * 100)[:4000]  # many that share words; more than half of a first table
    arguments = [
        each.astype(np.int32) for each in (pairs // 100, pairs % 100, random.integers(0, 3000, 4000))
    ]

    def join(module, size):
        joiner = module.Joiner(*arguments)
        start = n_new = 0
        new_ids, new_offsets = np.empty_like(ids), np.full_like(offsets, -1)
        while start < len(ids):
            stop = min(start + size, len(ids))
            start, n = joiner.join(ids, offsets, start, stop, new_ids[n_new:], new_offsets, n_new)
            n_new += n
        new_offsets[-1] = n_new
        return new_ids[:n_new], new_offsets

    expected = join(kernels.get("phrases", "reference"), len(ids))
    assert 11_000 < len(expected[0]) < 18_000
    found = join(kernel, size)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


def test_words_are_renumbered_by_first_appearance(kernel):
    numbers, counts = np.full(5, -1, np.int32), np.zeros(5, np.int64)
    first, second = np.array([4, 1, 4], np.int32), np.array([0, 1, 4], np.int32)
    n = kernel.renumber(first, numbers, counts, 0)
    assert (n, first.tolist()) == (2, [0, 1, 0])
    assert kernel.renumber(second, numbers, counts, n) == 3
    assert second.tolist() == [2, 1, 0]
    assert numbers.tolist() == [2, 1, -1, -1, 0]
    assert counts.tolist() == [3, 2, 1, 0, 0]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_ids_are_spelled(kernel, size):
    words = [b"new", "york\u2014".encode(), b"a"]
    text = np.frombuffer(b"".join(words), np.uint8)
    word_offsets = np.cumsum([0, *map(len, words)])
    ids, offsets = np.array([0, 1, 2, 2, 0], np.int32), np.array([0, 2, 3, 5], np.int64)
    spelled = [kernel.spell(ids, offsets, *chunk, text, word_offsets) for chunk in chunks(5, size)]
    assert b"".join(spelled).decode() == "new york\u2014\na\na new\n"
    assert kernel.spell(ids, offsets, 2, 2, text, word_offsets) == b""


def test_arguments_that_do_not_fit_are_refused(kernel):
    ids, offsets = np.zeros(3, np.int32), np.array([0, 3], np.int64)
    counter, joiner = kernel.PairCounter(NO_CONNECTORS), kernel.Joiner(ids[:0], ids[:0], ids[:0])
    for start, stop in ((-1, 2), (2, 1), (0, 4)):
        with pytest.raises(ValueError, match=f"a chunk of the 3 ids, got {start} and {stop}"):
            counter.add(ids, offsets, start, stop, 1)
    with pytest.raises(ValueError, match="sentence_offsets must end with 2, the number of ids"):
        counter.add(ids[:2], offsets, 0, 2, 1)
    with pytest.raises(ValueError, match="new_ids must have at least 3 items, got 2"):
        joiner.join(ids, offsets, 0, 3, np.empty(2, np.int32), offsets.copy(), 0)
    with pytest.raises(ValueError, match="new_offsets must have 2 items like sentence_offsets, got 3"):
        joiner.join(ids, offsets, 0, 3, ids.copy(), np.empty(3, np.int64), 0)
    with pytest.raises(ValueError, match="must have 3 items like lefts, got 3 and 2"):
        kernel.Joiner(ids, ids, ids[:2])
    with pytest.raises(ValueError, match="counts must have 3 items like numbers, got 2"):
        kernel.renumber(ids[:0], ids.copy(), np.zeros(2, np.int64), 0)
