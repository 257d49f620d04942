"""Counting contexts: every backend against fractions in plain Python, and against the reference, exactly."""

from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
import pytest

from fastvec import kernels

# Around what one register, one mark of the kernel and eight of them stand for.
N_WORDS = [1, 7, 15, 16, 17, 63, 64, 65, 127, 128, 129, 1000]
UNITS = {1: 360360, 2: 360360, 10: 360360, 16: 232792560, 1000: 1000}


@pytest.fixture
def kernel(backend):
    return kernels.get("cooccurrence", backend)


class Text(NamedTuple):
    """What `count_words` and `place_words` read."""

    ids: np.ndarray
    offsets: np.ndarray
    n_words: int


class Rows(NamedTuple):
    """Counts as the kernels write them."""

    row_offsets: np.ndarray
    columns: np.ndarray
    units: np.ndarray


def array(values, dtype):
    """An array that cannot be written to, as those of a file that is mapped."""
    made = np.array(values, dtype=dtype)
    made.flags.writeable = False
    return made


def text(sentences, n_words):
    offsets = [0, *accumulate(map(len, sentences))]
    ids = [word for sentence in sentences for word in sentence]
    return Text(array(ids, np.int32), array(offsets, np.int64), n_words)


@cache
def random_text(n_words, longest=200):
    """Frequent words anywhere among the ids, some that are not there, and some that have no number.

    Sentences of 0, 1 and 2 words at both ends, and one that is longer than the others together.
    """
    random = np.random.default_rng([20, n_words])
    frequencies = random.permutation(1 / np.arange(1, n_words + 4))
    frequencies[1 : n_words - 1 : 4] = 0
    lengths = [0, 1, 2, 9, 1, 0, 0, 5, longest, 2, 17, 33, 1, 40, 1, 12, 2, 1, 0]
    words = random.choice(n_words + 3, sum(lengths), p=frequencies / frequencies.sum())
    words[[0, 1, -2, -1]] = 0, n_words - 1, 0, n_words - 1
    words[words == n_words] = 2**31 - 1  # as large as an id can be
    return text(np.split(words, np.cumsum(lengths[:-1])), n_words)


def fractions(window):
    """Weights of the distances 1..window: harmonic, or as dynamic windows where they are too many."""
    if window <= 22:
        return [Fraction(1, d) for d in range(1, window + 1)]
    return [Fraction(window - d + 1, window) for d in range(1, window + 1)]


def weights_of(window):
    units = [weight * UNITS[window] for weight in fractions(window)]
    assert all(unit.denominator == 1 for unit in units)
    return array([int(unit) for unit in units], np.int64)


def fraction_counts(text, window, symmetric):
    """X as fractions: for every pair of words the sum of the weights of its distances."""
    weights, found = fractions(window), Counter()
    for begin, end in pairwise(text.offsets.tolist()):
        words = [word for word in text.ids[begin:end].tolist() if word < text.n_words]
        for i, word in enumerate(words):
            for d in range(1, min(window, i) + 1):
                found[word, words[i - d]] += weights[d - 1]
                if symmetric:
                    found[words[i - d], word] += weights[d - 1]
    return found


def entries(rows):
    """{(row, column): units}, of which no row has a column twice or out of order."""
    sizes = np.diff(rows.row_offsets)
    words = np.repeat(np.arange(len(sizes)), sizes).tolist()
    pairs = list(zip(words, rows.columns.tolist(), strict=True))
    assert all(a < b for a, b in pairwise(pairs))
    return dict(zip(pairs, rows.units.tolist(), strict=True))


def to_rows(found, n_rows):
    """The inverse of `entries`."""
    pairs = sorted(found)
    row_offsets = np.searchsorted([i for i, _ in pairs], np.arange(n_rows + 1))
    columns, units = [j for _, j in pairs], [found[pair] for pair in pairs]
    return Rows(array(row_offsets, np.int64), array(columns, np.int32), array(units, np.int64))


def place(kernel, text, window, symmetric, shards=None):
    """Return kept words, places and their offsets, from the sentences of one shard after the other."""
    shards = [0, len(text.offsets) - 1] if shards is None else shards
    sizes = np.zeros((len(shards) - 1, text.n_words), dtype=np.int64)
    for counts, (first, last) in zip(sizes, pairwise(shards), strict=True):
        kernel.count_words(text.ids[text.offsets[first] : text.offsets[last]], counts)
    place_offsets = np.concatenate(([0], np.cumsum(sizes.sum(axis=0))))
    kept = np.full(place_offsets[-1], -1, dtype=np.int32)
    places = np.zeros(place_offsets[-1], dtype=np.uint64)
    for shard in np.random.default_rng(len(shards)).permutation(len(sizes)):
        cursors = place_offsets[:-1] + sizes[:shard].sum(axis=0)
        begin, ends = int(sizes[:shard].sum()), cursors + sizes[shard]
        first, last = shards[shard], shards[shard + 1]
        end = kernel.place_words(
            *text[:2], first, last, text.n_words, window, symmetric, begin, kept, cursors, places
        )
        assert end == begin + sizes[shard].sum()
        np.testing.assert_array_equal(cursors, ends)
    return kept, places, place_offsets


def write(function, arguments, n_words, room=None, first=0, last=None):
    """Let a function write rows [first, last), going on as often as there is no more room for a row."""
    last = n_words if last is None else last
    room = n_words * (n_words + 1) if room is None else room
    row_offsets, columns, units = [0], [], []
    while first < last:
        new_columns, new_units = np.full(room, -1, dtype=np.int32), np.full(room, -1, dtype=np.int64)
        sizes = np.full(last - first, -1, dtype=np.int64)
        reached, n = function(*arguments, first, last, new_columns, new_units, sizes)
        sizes, left = sizes[: reached - first], sizes[reached - first :]
        assert (left == -1).all()
        assert n == sizes.sum()
        # it went on as long as there was room for a whole row, and no longer
        assert (np.cumsum(sizes) - sizes <= room - n_words).all()
        assert reached == last or n > room - n_words
        row_offsets.extend(row_offsets[-1] + np.cumsum(sizes))
        columns.append(new_columns[:n])
        units.append(new_units[:n])
        first = reached
    join = np.concatenate
    return Rows(np.array(row_offsets), join(columns or [[]]), join(units or [[]]))


def count(kernel, text, window, symmetric, shards=None, **options):
    placed = place(kernel, text, window, symmetric, shards)
    return write(kernel.count_rows, (*placed, weights_of(window)), text.n_words, **options)


def assert_same(ours, theirs):
    for name, mine, other in zip(theirs._fields, ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other, err_msg=name)


# ---- Words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_words", N_WORDS)
def test_words_are_counted(kernel, n_words):
    ids = random_text(n_words).ids
    counts = np.arange(n_words)
    kernel.count_words(ids, counts)
    found = Counter(ids.tolist())
    assert counts.tolist() == [word + found[word] for word in range(n_words)]
    kernel.count_words(ids[:0], counts)
    kernel.count_words(array([n_words, 2**31 - 1], np.int32), counts)
    assert counts.sum() == sum(range(n_words)) + sum(ids < n_words)


def test_places(kernel):
    # 9 and 5 have no number
    words = text([[], [3, 9, 1, 3], [9], [1], [2, 5, 9, 2, 2, 0, 9], []], 5)
    kept = [3, 1, 3, 1, 2, 2, 2, 0]
    lefts_rights = [(0, 2), (1, 1), (2, 0), (0, 0), (0, 2), (1, 2), (2, 1), (2, 0)]
    for symmetric in (True, False):
        found, places, place_offsets = place(kernel, words, 2, symmetric)
        assert found.tolist() == kept
        assert place_offsets.tolist() == [0, 1, 3, 6, 8, 8]
        expected = [p << 20 | left << 10 | right * symmetric for p, (left, right) in enumerate(lefts_rights)]
        assert places.tolist() == [expected[p] for p in (7, 1, 3, 4, 5, 6, 0, 2)]


def test_places_fit_64_bits(kernel):
    """The widest windows, at positions whose places have more than 32 bits."""
    begin, n = 5000, 2500
    words = text([[0] * n], 1)
    kept, places = np.full(begin + n + 1, -1, dtype=np.int32), np.zeros(n + 3, dtype=np.uint64)
    cursors = np.array([2])
    assert kernel.place_words(*words[:2], 0, 1, 1, 1000, True, begin, kept, cursors, places) == begin + n
    assert cursors.tolist() == [2 + n]
    assert (kept[begin:-1] == 0).all()
    assert (kept[:begin] == -1).all()
    assert kept[-1] == -1
    expected = [(begin + i) << 20 | min(i, 1000) << 10 | min(n - 1 - i, 1000) for i in range(n)]
    assert places.tolist() == [0, 0, *expected, 0]


@pytest.mark.parametrize("shards", [[0, 0, 19], [0, 8, 9, 19], [0, 1, 1, 4, 7, 12, 13, 18, 19], range(20)])
def test_shards_change_nothing(kernel, shards):
    words = random_text(65)
    assert len(words.offsets) == 20
    for ours, theirs in zip(
        place(kernel, words, 10, True, shards), place(kernel, words, 10, True), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


# ---- Counts -----------------------------------------------------------------------------------------------

CASES = [
    *[(n_words, *window) for n_words in N_WORDS for window in ((2, True), (10, False))],
    *[(65, window, symmetric) for window in UNITS for symmetric in (True, False)],
    *[(n_words, 1000, True) for n_words in (1, 16, 129)],
]


@cache
def expected_rows(n_words, window, symmetric):
    found = fraction_counts(random_text(n_words), window, symmetric)
    units = {pair: value * UNITS[window] for pair, value in found.items()}
    assert all(value.denominator == 1 for value in units.values())
    return to_rows({pair: int(value) for pair, value in units.items()}, n_words)


@pytest.mark.parametrize(("n_words", "window", "symmetric"), CASES)
def test_counts_are_the_fractions(kernel, n_words, window, symmetric):
    rows = count(kernel, random_text(n_words), window, symmetric)
    assert_same(rows, expected_rows(n_words, window, symmetric))
    assert entries(rows)
    if symmetric:
        assert entries(rows) == {(j, i): units for (i, j), units in entries(rows).items()}
    if n_words > 16:
        assert (np.diff(rows.row_offsets) == 0).any()


def test_sentences_that_are_counted_by_hand(kernel):
    words = text([[0, 7, 1, 0], [1, 1, 2], [2]], 3)
    assert entries(count(kernel, words, 2, False)) == {
        (1, 0): 360360,
        (0, 1): 360360,
        (0, 0): 180180,
        (1, 1): 360360,
        (2, 1): 360360 + 180180,
    }
    assert entries(count(kernel, words, 2, True)) == {
        (0, 0): 2 * 180180,
        (0, 1): 2 * 360360,
        (1, 0): 2 * 360360,
        (1, 1): 2 * 360360,
        (1, 2): 360360 + 180180,
        (2, 1): 360360 + 180180,
    }


@pytest.mark.parametrize("n", [500, 1100, 2500])
def test_the_widest_windows(kernel, n):
    """One word n times: n − d times at the distance d."""
    expected = sum((n - d) * (1000 - d + 1) for d in range(1, min(n, 1001)))
    assert entries(count(kernel, text([[0] * n], 1), 1000, False)) == {(0, 0): expected}
    assert entries(count(kernel, text([[0] * n], 1), 1000, True)) == {(0, 0): 2 * expected}


def test_nothing_is_counted_in_texts_without_neighbours(kernel):
    for sentences in ([], [[]], [[9], [], [9, 9]], [[0], [1], [3, 9]]):
        rows = count(kernel, text(sentences, 4), 10, True)
        assert entries(rows) == {}
        assert rows.row_offsets.tolist() == [0] * 5


@pytest.mark.parametrize(("n_words", "window"), [(40, 10), (1000, 16), (3000, 2)])
def test_counts_are_those_of_the_reference(compiled, n_words, window):
    kernel, words = kernels.get("cooccurrence", compiled), random_text(n_words, 2500)
    ours = place(kernel, words, window, True)
    theirs = reference_places(n_words, window)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)
    rows = write(kernel.count_rows, (*ours, weights_of(window)), n_words, 10 * n_words)
    assert_same(rows, reference_rows(n_words, window))


@cache
def reference_places(n_words, window):
    return place(kernels.get("cooccurrence", "reference"), random_text(n_words, 2500), window, True)


@cache
def reference_rows(n_words, window):
    arguments = *reference_places(n_words, window), weights_of(window)
    return write(kernels.get("cooccurrence", "reference").count_rows, arguments, n_words, 10 * n_words)


@pytest.mark.parametrize("n_words", [1, 16, 65])
def test_room_may_run_out(kernel, n_words):
    whole = expected_rows(n_words, 10, False)
    n_entries = len(whole.columns)
    for room in (n_words, n_words + 1, 2 * n_words + 3, n_entries - 1 + n_words, n_entries + n_words):
        if room >= n_words:
            assert_same(count(kernel, random_text(n_words), 10, False, room=room), whole)


def test_some_rows(kernel):
    whole = expected_rows(65, 10, False)
    for first, last in ((0, 1), (0, 17), (13, 60), (64, 65), (9, 9), (65, 65)):
        rows = count(kernel, random_text(65), 10, False, first=first, last=last)
        here = slice(whole.row_offsets[first], whole.row_offsets[last])
        offsets = whole.row_offsets[first : last + 1] - whole.row_offsets[first]
        assert_same(rows, Rows(offsets, whole.columns[here], whole.units[here]))


@pytest.mark.parametrize("n_words", [2, 16, 100])
def test_sums_may_have_63_bits(kernel, n_words):
    a, b = 0, n_words - 1
    placed = place(kernel, text([[a, b, a, b, a], [b, a]], n_words), 4, True)
    near, second, third, fourth = 2**59 + 3, 2**33 + 5, 2**32 - 1, 1
    weights = array([near, second, third, fourth], np.int64)
    across = 5 * near + 2 * third
    expected = {(a, a): 2 * (2 * second + fourth), (a, b): across, (b, a): across, (b, b): 2 * second}
    assert entries(write(kernel.count_rows, (*placed, weights), n_words)) == expected


# ---- Sums of counts ---------------------------------------------------------------------------------------


def random_rows(seed, n_rows, n_columns, n_entries, most=2**40):
    """Counts of which some rows are empty; the first and the last column are always there."""
    random = np.random.default_rng(seed)
    pairs = zip(
        random.integers(n_rows, size=n_entries), random.integers(n_columns, size=n_entries), strict=True
    )
    found = {(int(i), int(j)): int(random.integers(1, most)) for i, j in pairs}
    if n_entries:
        found |= {(n_rows - 1, 0): 1, (n_rows - 1, n_columns - 1): most}
    return to_rows(found, n_rows)


def merged(sources, rows, maps, n_words):
    """The sum of counts in plain Python."""
    found = Counter()
    for source, numbers, renumbered in zip(sources, rows, maps, strict=True):
        of_rows = range(n_words) if numbers is None else numbers.tolist()
        places = {row: i for i, row in enumerate(of_rows) if row >= 0}
        for (row, column), units in entries(source).items():
            if row in places:
                found[places[row], column if renumbered is None else int(renumbered[column])] += units
    return found


@cache
def to_merge(n_words):
    """Counts of the same words, of the first ones only, of other words, of none; rows that are left out."""
    random = np.random.default_rng([4, n_words])
    first, others = max(1, n_words - 2), max(1, n_words // 2)
    of_others = random.permutation(n_words)[:others]
    row_of_others = np.full(n_words, -1)
    row_of_others[of_others] = np.arange(others)
    some = np.where(random.random(n_words) < 0.3, -1, random.permutation(n_words))
    # rows, columns and entries of a source; which of its rows, and to which columns
    parts = [
        (n_words, n_words, 3 * n_words, None, None),
        (first, first, 2 * n_words, None, None),
        (first, n_words, n_words, None, None),
        (others, others, 2 * n_words, row_of_others, of_others),
        (n_words, n_words, n_words, some, None),
        (n_words, n_words, n_words, None, random.permutation(n_words)),
        (n_words, n_words, 0, None, None),
    ]
    sources = [random_rows([i, *sizes], *sizes) for i, (*sizes, _, _) in enumerate(parts)]
    rows, maps = (
        [None if part[side] is None else array(part[side], np.int32) for part in parts] for side in (3, 4)
    )
    return sources, rows, maps, n_words


@cache
def expected_merge(n_words):
    return to_rows(merged(*to_merge(n_words)), n_words)


@pytest.mark.parametrize("n_words", N_WORDS)
def test_sums_of_counts(kernel, n_words):
    expected = expected_merge(n_words)
    for room in (n_words, 3 * n_words, None):
        ours = write(kernel.merge_rows, list_arguments(*to_merge(n_words)), n_words, room)
        assert_same(ours, expected)
    assert expected.units.max() > 2**40


def list_arguments(sources, rows, maps, n_words):
    """As the kernels take them. Before each array lie numbers by which its row −1 would count."""

    def after(first, values):
        return array([*first, *values], values.dtype)[len(first) :]

    guarded = [
        (after([-2], row_offsets), after([0, 0], columns), after([1, 1], units))
        for row_offsets, columns, units in sources
    ]
    return guarded, list(rows), list(maps), n_words


def test_each_source_alone(kernel):
    sources, rows, maps, n_words = to_merge(65)
    for source, numbers, renumbered in zip(sources, rows, maps, strict=True):
        arguments = [source], [numbers], [renumbered], n_words
        ours = write(kernel.merge_rows, list_arguments(*arguments), n_words)
        assert entries(ours) == merged(*arguments)


def test_sum_of_nothing(kernel):
    nothing = Rows(array([0], np.int64), array([], np.int32), array([], np.int64))
    for sources in ([], [nothing], [nothing, nothing]):
        arguments = [sources, [None] * len(sources), [None] * len(sources), 20]
        ours = write(kernel.merge_rows, list_arguments(*arguments), 20)
        assert ours.row_offsets.tolist() == [0] * 21
    ours = write(kernel.merge_rows, list_arguments([nothing], [array([-1, 0], np.int32)], [None], 2), 2)
    assert entries(ours) == {}


def test_some_rows_of_a_sum(kernel):
    whole = expected_merge(65)
    for first, last in ((0, 1), (13, 60), (64, 65), (9, 9)):
        rows = write(kernel.merge_rows, list_arguments(*to_merge(65)), 65, first=first, last=last)
        here = slice(whole.row_offsets[first], whole.row_offsets[last])
        offsets = whole.row_offsets[first : last + 1] - whole.row_offsets[first]
        assert_same(rows, Rows(offsets, whole.columns[here], whole.units[here]))


def test_counts_of_parts_add_up_to_those_of_the_whole(kernel):
    words = random_text(129)
    parts = [
        count(kernel, Text(words.ids, words.offsets[first : last + 1], 129), 10, False)
        for first, last in pairwise([0, 4, 9, 19])
    ]
    sources = [Rows(*map(np.ascontiguousarray, part)) for part in parts]
    ours = write(kernel.merge_rows, list_arguments(sources, [None] * 3, [None] * 3, 129), 129)
    assert_same(ours, expected_rows(129, 10, False))
