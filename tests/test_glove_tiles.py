"""GloVe's tiles: entries put into them, and trained in turns by any number of threads.

Which entry comes when is written down here in plain Python.
"""

import threading
from collections import Counter
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from commands import HANGS

from fastvec import kernels
from fastvec.reference.sampling import mix64

RECORD = np.dtype([("word", "<i4"), ("context", "<i4"), ("log_count", "<f4"), ("weight", "<f4")])
KEY = 2**64 - 12345  # what is added to it goes over the end of 64 bits


@pytest.fixture
def kernel(backend):
    return kernels.get("glove", backend)


def mixed(counter):
    return int(mix64(np.array([counter % 2**64], dtype=np.uint64))[0])


def array(values, dtype):
    """An array that cannot be written to, as those of a file that is mapped."""
    made = np.array(values, dtype=dtype)
    made.flags.writeable = False
    return made


class Counts(NamedTuple):
    """Counts as the kernels take them, and the blocks of their words."""

    row_offsets: np.ndarray
    columns: np.ndarray
    units: np.ndarray
    blocks: np.ndarray
    n_blocks: int
    unit: int


@cache
def random_counts(n_words, n_blocks, unit=360360, density=0.3):
    """Words of any block, one block without words where there are many, and rows without entries."""
    random = np.random.default_rng([8, n_words, n_blocks])
    there = random.random((n_words, n_words)) < density
    there[:: 7 if n_words > 1 else 2] = False
    rows, columns = np.nonzero(there)
    units = np.ceil(unit * 10 ** random.uniform(-2, 4, len(rows))).astype(np.int64)
    units[::5] = unit  # X = 1
    blocks = random.integers(0, n_blocks, n_words)
    if n_blocks > 4:
        blocks[blocks == 2] = 3
    return Counts(
        array(np.searchsorted(rows, np.arange(n_words + 1)), np.int64),
        array(columns, np.int32),
        array(units, np.int64),
        array(blocks, np.int32),
        n_blocks,
        unit,
    )


def listed(counts):
    """(row, column, units) of every entry, in order."""
    rows = np.repeat(np.arange(len(counts.blocks)), np.diff(counts.row_offsets))
    return list(zip(rows.tolist(), counts.columns.tolist(), counts.units.tolist(), strict=True))


def tile_of(counts, word, context):
    return int(counts.blocks[word]) * counts.n_blocks + int(counts.blocks[context])


def filled(kernel, counts, splits=None, x_max=100.0, alpha=0.75, key=KEY):
    """Return records and offsets of the tiles, filled by ranges of blocks, the last range first."""
    n_tiles = counts.n_blocks**2
    splits = [0, counts.n_blocks] if splits is None else splits
    sizes, records = np.zeros(n_tiles, dtype=np.int64), np.zeros(len(counts.columns), dtype=RECORD)
    for first, last in reversed(list(pairwise(splits))):
        kernel.count_tiles(*counts[:2], counts.blocks, counts.n_blocks, first, last, sizes)
    offsets = array(np.concatenate(([0], np.cumsum(sizes))), np.int64)
    for first, last in reversed(list(pairwise(splits))):
        before = records.copy()
        kernel.fill_tiles(*counts[:5], first, last, counts.unit, x_max, alpha, key, offsets, records)
        here = np.zeros(len(records), dtype=bool)
        here[offsets[first * counts.n_blocks] : offsets[last * counts.n_blocks]] = True
        np.testing.assert_array_equal(records[~here], before[~here])
    return records, offsets


EVERY_COUNTS = [
    (1, 1, 360360),
    (2, 1, 1),
    (40, 1, 2**40),
    (40, 3, 360360),
    (90, 6, 1000),
    (30, 30, 232792560),
]


@pytest.mark.parametrize(("n_words", "n_blocks", "unit"), EVERY_COUNTS)
def test_tiles_are_counted(kernel, n_words, n_blocks, unit):
    counts = random_counts(n_words, n_blocks, unit)
    expected = Counter(tile_of(counts, row, column) for row, column, _ in listed(counts))
    sizes = np.arange(n_blocks**2)
    kernel.count_tiles(*counts[:2], counts.blocks, n_blocks, 0, n_blocks, sizes)
    assert sizes.tolist() == [tile + expected[tile] for tile in range(n_blocks**2)]
    first, last = n_blocks // 3, n_blocks // 2 + 1
    sizes = np.zeros(n_blocks**2, dtype=np.int64)
    kernel.count_tiles(*counts[:2], counts.blocks, n_blocks, first, last, sizes)
    here = range(first * n_blocks, last * n_blocks)
    assert sizes.tolist() == [expected[tile] if tile in here else 0 for tile in range(n_blocks**2)]


@pytest.mark.parametrize(("n_words", "n_blocks", "unit"), EVERY_COUNTS)
@pytest.mark.parametrize("key", [0, KEY])
def test_every_entry_is_once_in_its_tile_in_a_random_order(kernel, n_words, n_blocks, unit, key):
    counts = random_counts(n_words, n_blocks, unit)
    records, offsets = filled(kernel, counts, key=key)
    tiles = [[] for _ in range(n_blocks**2)]
    for row, column, _ in listed(counts):
        tiles[tile_of(counts, row, column)].append((row, column))
    for pairs, (begin, end) in zip(tiles, pairwise(offsets.tolist()), strict=True):
        assert end - begin == len(pairs)
        for k in range(len(pairs) - 1, 0, -1):
            other = mixed(key + begin + k) % (k + 1)
            pairs[k], pairs[other] = pairs[other], pairs[k]
        assert records[["word", "context"]][begin:end].tolist() == pairs


@pytest.mark.parametrize(("n_words", "n_blocks", "unit"), EVERY_COUNTS)
@pytest.mark.parametrize(("x_max", "alpha"), [(100.0, 0.75), (10.0, 0.5), (1.0, 1.0), (3.5, 0.0)])
def test_records_hold_logarithms_and_weights(kernel, n_words, n_blocks, unit, x_max, alpha):
    counts = random_counts(n_words, n_blocks, unit)
    records, _ = filled(kernel, counts, x_max=x_max, alpha=alpha)
    units = {(row, column): each for row, column, each in listed(counts)}
    x = np.array([units[pair] for pair in records[["word", "context"]].tolist()], dtype=np.float64) / unit
    np.testing.assert_array_max_ulp(records["log_count"], np.log(x).astype(np.float32), maxulp=1)
    np.testing.assert_array_max_ulp(
        records["weight"], np.minimum(1, (x / x_max) ** alpha).astype(np.float32), maxulp=1
    )
    assert (records["log_count"][x == 1] == 0).all()
    assert (records["weight"][x >= 1.000001 * x_max] == 1).all()


def test_counts_may_have_62_bits(kernel):
    units = [1, 2**31, 2**32 + 1, 2**53 + 1, 2**62 - 1]
    columns, blocks = array(range(5), np.int32), array([0] * 5, np.int32)
    for unit in (1, 2**40, 2**61):
        counts = Counts(array([0, 5, 5, 5, 5, 5], np.int64), columns, array(units, np.int64), blocks, 1, unit)
        records, _ = filled(kernel, counts, x_max=1e6)
        x = np.array(units, dtype=np.float64)[records["context"]] / unit
        np.testing.assert_array_max_ulp(records["log_count"], np.log(x).astype(np.float32), maxulp=1)
        np.testing.assert_allclose(records["weight"], np.minimum(1, (x / 1e6) ** 0.75), rtol=1e-6)


@pytest.mark.parametrize("splits", [[0, 0, 6], [0, 1, 3, 6], [0, 2, 3, 5, 6], range(7)])
def test_ranges_of_blocks_change_nothing(kernel, splits):
    counts = random_counts(90, 6, 1000)
    for ours, theirs in zip(filled(kernel, counts, splits), filled(kernel, counts), strict=True):
        np.testing.assert_array_equal(ours, theirs)


# ---- Training ---------------------------------------------------------------------------------------------


class Epoch(NamedTuple):
    """Arguments of ``train`` that belong to an epoch."""

    records: np.ndarray
    tile_offsets: np.ndarray
    order: np.ndarray
    word_turns: np.ndarray
    context_turns: np.ndarray
    n_blocks: int
    key: int

    def done(self):
        return np.zeros((2, self.n_blocks), dtype=np.int32)


@cache
def epoch(number=0, n_words=60, n_blocks=6, density=0.3):
    """All tiles that are not empty in a random order."""
    counts = random_counts(n_words, n_blocks, density=density)
    records, offsets = filled(kernels.get("glove", "reference"), counts)
    records.flags.writeable = False
    tiles = np.random.default_rng(number).permutation(np.flatnonzero(np.diff(offsets)))
    turns = []
    for blocks in (tiles // n_blocks, tiles % n_blocks):
        earlier = Counter()
        turns.append([])
        for block in blocks.tolist():
            turns[-1].append(earlier[block])
            earlier[block] += 1
    return Epoch(
        records, offsets, *(array(each, np.int32) for each in (tiles, *turns)), n_blocks, KEY + number
    )


def train(kernel, state, epoch, done, start, stop, learning_rate=0.05):
    *arrays, n_blocks, key = epoch
    return kernel.train(*state, *arrays, *done, n_blocks, start, stop, learning_rate, key)


def starting_state(vector_size, padded, n_words=60):
    """Words, contexts and an accumulator of ones for each."""
    random = np.random.default_rng(vector_size)
    vectors = random.uniform(-1, 1, (2, n_words, vector_size)) / np.sqrt(vector_size)
    matrices = [padded(matrix) for matrix in vectors]
    return [*matrices, *(padded(np.ones_like(matrix)) for matrix in matrices)]


def copy(state):
    return [matrix.copy() for matrix in state]


def assert_same_bits(ours, theirs):
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine.view(np.int32), other.view(np.int32))


def visited(epoch):
    """The records in the order of training."""
    for tile in epoch.order.tolist():
        of_tile = epoch.records[epoch.tile_offsets[tile] : epoch.tile_offsets[tile + 1]].tolist()
        begin = mixed(epoch.key + tile) % len(of_tile)
        yield from of_tile[begin:] + of_tile[:begin]


@pytest.mark.parametrize("vector_size", [1, 16, 33, 102])
def test_train_is_one_step_after_the_other(kernel, padded, vector_size):
    expected = starting_state(vector_size, padded)
    trained, done = copy(expected), epoch().done()
    losses = [kernel.step(*expected, *record, 0.05) for record in visited(epoch())]
    loss, n_records = train(kernel, trained, epoch(), done, 0, len(epoch().order))
    assert_same_bits(trained, expected)
    assert loss == pytest.approx(sum(losses), rel=1e-12)
    assert n_records == len(losses) == len(epoch().records)
    blocks = epoch().order // 6, epoch().order % 6
    np.testing.assert_array_equal(done, [np.bincount(each, minlength=6) for each in blocks])
    assert np.abs(trained[0] - starting_state(vector_size, padded)[0]).max() > 0.1
    sizes = np.diff(epoch().tile_offsets)
    assert sizes.min() == 0


def test_a_tile_is_trained_in_two_parts(kernel, padded):
    expected = starting_state(20, padded)
    trained = copy(expected)
    for tile in epoch().order[:9].tolist():
        records = epoch().records[slice(*epoch().tile_offsets[tile : tile + 2])]
        begin = mixed(KEY + tile) % len(records)
        parts = records[begin:].tolist(), records[:begin].tolist()
        sums = [sum(kernel.step(*expected, *record, 0.05) for record in part) for part in parts]
        losses = kernel.train_tile(*trained, records, 0.05, (KEY + tile) % 2**64)
        assert losses == pytest.approx(sums, rel=1e-12)
        assert_same_bits(trained, expected)


def test_tiles_of_a_few_records(kernel, padded):
    few = epoch(0, 60, 30, 0.06)
    sizes = np.diff(few.tile_offsets)
    assert {0, 1, 2, 3} <= set(sizes.tolist())
    trained = starting_state(20, padded)
    expected = copy(trained)
    for record in visited(few):
        kernel.step(*expected, *record, 0.05)
    assert train(kernel, trained, few, few.done(), 0, len(few.order))[1] == sizes.sum()
    assert_same_bits(trained, expected)


def test_ranges_of_the_order_go_on_from_each_other(kernel, padded):
    whole, parts = (starting_state(20, padded) for _ in range(2))
    loss, n_records = train(kernel, whole, epoch(), epoch().done(), 0, len(epoch().order))
    done = epoch().done()
    sums = [train(kernel, parts, epoch(), done, *part) for part in pairwise([0, 0, 1, 7, len(epoch().order)])]
    assert_same_bits(parts, whole)
    assert sum(part for part, _ in sums) == pytest.approx(loss, rel=1e-12)
    assert sum(n for _, n in sums) == n_records
    assert sums[0] == (0, 0)


def test_learning_rate_0_takes_the_loss_of_all_records(kernel, padded):
    state = starting_state(20, padded)
    before = copy(state)
    loss, _ = train(kernel, state, epoch(), epoch().done(), 0, len(epoch().order), learning_rate=0.0)
    assert_same_bits(state, before)
    records = epoch().records
    scores = np.sum(before[0][records["word"]] * before[1][records["context"]], axis=1, dtype=np.float64)
    expected = np.sum(records["weight"] / 2 * (scores - records["log_count"]) ** 2, dtype=np.float64)
    assert loss == pytest.approx(expected, rel=1e-6)


def run_epochs(kernel, state, n_epochs, n_threads, n_tiles_at_once):
    """Train, every thread taking the next tiles of the order as soon as it is done with others."""
    losses = []
    for number in range(n_epochs):
        this, lock, parts = epoch(number), threading.Lock(), []
        done, starts = this.done(), iter(range(0, len(this.order), n_tiles_at_once))

        def work(this=this, lock=lock, parts=parts, done=done, starts=starts):
            while True:
                with lock:
                    start = next(starts, None)
                if start is None:
                    return
                stop = min(start + n_tiles_at_once, len(this.order))
                parts.append(train(kernel, state, this, done, start, stop)[0])

        run_to_their_end([begin(work) for _ in range(n_threads)])
        losses.append(sum(parts))
    return losses


def begin(work, *arguments):
    """Start a thread, one that does not keep the tests from ending should it wait for ever."""
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def run_to_their_end(threads):
    for thread in threads:
        thread.join(HANGS)
        assert not thread.is_alive(), "a thread waits for a tile that is done"


@pytest.mark.parametrize(("n_threads", "n_tiles_at_once"), [(1, 5), (2, 1), (3, 4), (7, 1)])
def test_any_number_of_threads_computes_the_same(backend, kernel, padded, n_threads, n_tiles_at_once):
    n_epochs = 1 if backend == "reference" else 10
    expected = starting_state(102, padded)
    losses = run_epochs(kernel, expected, n_epochs, 1, len(epoch().order))
    state = starting_state(102, padded)
    assert run_epochs(kernel, state, n_epochs, n_threads, n_tiles_at_once) == pytest.approx(losses, rel=1e-12)
    assert_same_bits(state, expected)


def test_tiles_wait_for_earlier_ones_of_their_blocks(kernel, padded):
    """Of the tiles (0, 0), (1, 1), (0, 1), (1, 0), the last two wait for the first two, which do not wait."""
    pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]
    records = array([(*pair, 3.0, 0.5) for pair in pairs], RECORD)
    order, turns = array([0, 3, 1, 2], np.int32), array([0, 0, 1, 1], np.int32)
    this = Epoch(records, array(range(5), np.int64), order, turns, turns, 2, KEY)
    expected, state = (starting_state(20, padded, 2) for _ in range(2))
    train(kernel, expected, this, this.done(), 0, 4)
    done, before = this.done(), copy(state)
    later = [begin(train, kernel, state, this, done, i, i + 1) for i in (2, 3)]
    later[0].join(0.05)
    assert all(thread.is_alive() for thread in later)
    assert_same_bits(state, before)
    train(kernel, state, this, done, 1, 2)
    later[0].join(0.05)
    assert all(thread.is_alive() for thread in later)
    assert done.tolist() == [[0, 1], [0, 1]]
    train(kernel, state, this, done, 0, 1)
    run_to_their_end(later)
    assert done.tolist() == [[2, 2], [2, 2]]
    assert_same_bits(state, expected)


@pytest.mark.parametrize("n_words", [1, 2])
def test_a_tile_is_handed_on_when_it_is_trained_and_not_before(backend, kernel, padded, n_words):
    """Whoever waits for a block finds its rows as they are in the end: again until it was seen at work."""
    n_records = 3000 if backend == "reference" else 100_000
    # counts that contradict each other, so that every record moves something
    records = array([(i % n_words, i // 2 % n_words, i % 5, 0.5) for i in range(n_records)], RECORD)
    this = Epoch(records, array([0, n_records], np.int64), *[array([0], np.int32)] * 3, 1, KEY)
    start, seen_at_work, turns = starting_state(102, padded, n_words), False, 50
    while not seen_at_work and turns:
        turns -= 1
        state, done = copy(start), this.done()
        training = begin(train, kernel, state, this, done, 0, 1)
        while not done.any():
            seen_at_work |= bool(state[0][0, 0] != start[0][0, 0])
        handed_on = copy(state)
        run_to_their_end([training])
        assert done.tolist() == [[1], [1]]
        assert_same_bits(state, handed_on)


@cache
def reference_training(vector_size, padded):
    state = starting_state(vector_size, padded)
    return state, run_epochs(kernels.get("glove", "reference"), state, 2, 1, len(epoch().order))


@pytest.mark.parametrize("vector_size", [1, 20, 102])
def test_backends_agree(compiled, padded, vector_size):
    kernel = kernels.get("glove", compiled)
    expected, losses = reference_training(vector_size, padded)
    state = starting_state(vector_size, padded)
    assert run_epochs(kernel, state, 2, 2, 1) == pytest.approx(losses, rel=1e-5)
    for ours, theirs in zip(state, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert losses[1] < 0.9 * losses[0]
    assert np.abs(expected[0] - starting_state(vector_size, padded)[0]).max() > 0.1
