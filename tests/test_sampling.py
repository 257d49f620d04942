"""What is sampled: the generator, the tables, and what every backend makes of them.

Kernels show nothing but two matrices, and so these are made to count. With output vectors of 0, every σ is
1/2 (up to the table's 3e-6): a window moves its negatives' vectors by −η/2 and its centre's by +η/2 times the
sum of the context vectors.
"""

import sys
from itertools import pairwise

import numpy as np
import pytest
from draws import implied_probabilities
from inside import alias_table, keep_thresholds
from scipy.stats import chisquare

from fastvec import kernels
from fastvec.reference import sampling

pytestmark = pytest.mark.every_backend

ALWAYS = 2**32 - 1
LEAST_P_VALUE = 1e-4  # every test draws the same each time: this one will not fail now and then


@pytest.fixture
def train(backend, padded):
    """Train one chunk, from the matrices up, with everything kept and no negatives by default."""

    def run(inputs, outputs, ids, sentence_offsets, start=0, stop=None, **options):
        inputs, outputs = padded(inputs), padded(outputs)
        n_words = len(inputs)
        settings = {
            "keep": np.full(n_words, ALWAYS, dtype=np.uint32),
            "noise": alias_table(np.ones(n_words)),
            "window": 1,
            "negatives": 0,
            "loss": "negative_sampling",
            "shared": True,
            "learning_rate": 1.0,
            "key": 7,
            "loss_every": 1,
        } | options
        returned = kernels.get("skipgram", backend).train(
            inputs,
            outputs,
            np.array(ids, dtype=np.int32),
            np.array(sentence_offsets, dtype=np.int64),
            start,
            len(ids) if stop is None else stop,
            *settings.values(),
        )
        return inputs, outputs, *returned

    return run


# ---- The generator and the tables -------------------------------------------------------------------------


def test_the_generator_is_splitmix64():
    """The first words of the published generator, seed 1234567."""
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert sampling.draw(1234567, np.arange(1, 5)).tolist() == expected
    assert int(sampling.draw(1234567, 4)) == expected[-1]
    assert int(sampling.draw(2**64 - 1, 2**63)) == int(sampling.draw(2**63 - 1, 0))  # everything wraps around


DISTRIBUTIONS = {
    "one word": [3.0],
    "two": [1, 2],
    "thirds": [1 / 3] * 3,
    "uniform": np.ones(1000),
    "some never": [0, 1, 0, 0, 5, 1e-300, 0],
    "one only": [0, 0, 1e-300, 0],
    "huge": [1e308, 1e308, 1e307],
    "all excess in the last": [1] * 99 + [1e6],
    "all excess in the first": [1e6] + [1] * 99,
    "half and half": [1, 3] * 50,
    "Zipf": 1 / np.arange(1, 5001) ** 0.75,
    "Zipf, shuffled": np.random.default_rng(1).permutation(1 / np.arange(1, 5001)),
    "random": np.random.default_rng(2).random(777),
    "many scales": 10 ** np.random.default_rng(3).uniform(-12, 0, 500),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_alias_tables_imply_the_distribution(name):
    probabilities = np.asarray(DISTRIBUTIONS[name], dtype=np.float64)
    table = alias_table(probabilities)
    assert table.dtype == np.uint32 and table.shape == (len(probabilities), 2) and table.flags.c_contiguous
    implied = implied_probabilities(table)
    assert implied.sum() == len(probabilities) * 2**32
    exact = probabilities / probabilities.max()
    exact *= len(probabilities) * 2**32 / exact.sum()
    assert np.abs(implied - exact).max() < 1
    assert not implied[probabilities == 0].any()


def test_alias_table_of_a_large_vocabulary():
    probabilities = np.random.default_rng(0).permutation(1 / np.arange(1, 1_000_001) ** 0.75)
    table = alias_table(probabilities)
    exact = probabilities / probabilities.sum() * len(table) * 2**32
    np.testing.assert_allclose(implied_probabilities(table), exact, rtol=1e-9)


def lines_run(function, *arguments):
    """Return how many lines of Python a call runs."""
    lines, before = [], sys.gettrace()

    def trace(_, event, __):
        lines.append(event == "line")
        return trace

    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(before)
    return sum(lines)


def test_an_alias_table_is_made_without_a_loop_over_words():
    few, many = (lines_run(alias_table, 1 / np.arange(1, n + 1)) for n in (100, 10_000))
    assert many < 2 * few


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ([], "one number or more"),
        ([[1.0]], "one number or more"),
        ([1, -0.5], "numbers >= 0, got -0.5"),
        ([1, np.nan], "numbers >= 0, got nan"),
        ([1, np.inf], "numbers >= 0, got inf"),
        ([0, 0], "not all be 0"),
    ],
)
def test_alias_table_refuses(probabilities, message):
    with pytest.raises(ValueError, match=f"^probabilities must .*{message}"):
        alias_table(probabilities)


def test_keep_thresholds():
    probabilities = np.concatenate(([1, 0.5, 0.25, 2**-32], np.random.default_rng(0).random(1000)))
    thresholds = keep_thresholds(probabilities)
    assert thresholds.dtype == np.uint32
    assert thresholds[:4].tolist() == [ALWAYS, 2**31 - 1, 2**30 - 1, 0]
    assert np.abs((thresholds + 1.0) / 2**32 - probabilities).max() <= 2**-33
    assert keep_thresholds([0.0]) == 0
    for wrong in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match=f"keep_probabilities must be numbers from 0 to 1, got {wrong}"):
            keep_thresholds([0.5, wrong])


# ---- Subsampling ------------------------------------------------------------------------------------------


def test_words_are_kept_as_often_as_asked(train):
    """Sentences (word 0, word w), word 0 always kept: two pairs where w is kept, none where not."""
    probabilities = np.array([1, 0.9, 0.5, 0.03, 1, 0.01])
    keep, n = keep_thresholds(probabilities), 1500
    for word in range(1, len(probabilities)):
        ids, offsets = [0, word] * n, np.arange(n + 1) * 2
        *_, pairs = train(
            np.zeros((6, 1)), np.zeros((6, 1)), ids, offsets, keep=keep, learning_rate=0, key=word
        )
        kept, p = pairs / 2, probabilities[word]
        assert abs(kept - n * p) <= 4 * np.sqrt(n * p * (1 - p))
        assert kept > 0


def test_dropped_words_do_not_count_in_windows(train):
    """Words 1 and 2 are never kept (almost), word 9 is unknown: 0 and 3 are neighbours."""
    keep = np.array([ALWAYS, 0, 0, ALWAYS], dtype=np.uint32)
    outputs, *_, pairs = train(np.eye(4), np.zeros((4, 4)), [0, 1, 9, 2, 1, 3], [0, 6], keep=keep)[1:]
    assert pairs == 2
    assert outputs[0].nonzero()[0].tolist() == [3]
    assert 0 in outputs[3].nonzero()[0]


# ---- Windows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [1, 2, 5, 8])
def test_window_sizes_are_uniform(train, window):
    """Different words, only the one in the middle a centre: the input vectors that move are its contexts."""
    n_words, n = 2 * window + 1, 600
    sizes, distances = np.zeros(window + 1, dtype=int), np.zeros(window + 1, dtype=int)
    for key in range(n):
        shuffled = np.random.default_rng(key).permutation(n_words)
        inputs, *_, pairs = train(
            np.zeros((n_words, 1)), np.ones((n_words, 1)), shuffled, [0, n_words], window, window + 1,
            window=window, key=key,
        )  # fmt: skip
        moved = np.flatnonzero(inputs[shuffled, 0]) - window
        size = pairs // 2
        assert moved.tolist() == [*range(-size, 0), *range(1, size + 1)]
        sizes[size] += 1
        distances[1 : size + 1] += 1
    assert sizes[0] == 0
    if window > 1:
        assert chisquare(sizes[1:]).pvalue > LEAST_P_VALUE
    # and so a context at distance d has the weight (W − d + 1) / W
    weights = (window + 1 - np.arange(1, window + 1)) / window
    assert np.all(np.abs(distances[1:] - n * weights) <= 4 * np.sqrt(n * weights * (1 - weights)))


@pytest.mark.parametrize("p", [0.05, 0.3, 0.8])
def test_windows_of_kept_words_are_as_uniform_as_those_of_all(p):
    """A word's first draw decides both whether it is kept and how far its window reaches."""
    words = sampling.draw(11, np.arange(40_000) * 6)
    kept = words[sampling.is_kept(words, np.full(len(words), keep_thresholds(p)))]
    assert abs(len(kept) - 40_000 * p) <= 4 * np.sqrt(40_000 * p * (1 - p))
    sizes = np.bincount(sampling.window_size(kept, 5), minlength=6)
    assert sizes[0] == 0
    assert chisquare(sizes[1:]).pvalue > LEAST_P_VALUE


def test_windows_of_a_word_that_is_kept_now_and_then(train):
    """Many sentences with the same words in the same places, of which only the one in the middle is dropped.

    Inputs are one-hot and η is small: the middle's output vector counts its contexts, at every distance.
    """
    window, n, p = 4, 1500, 0.1
    n_words = 2 * window + 1
    keep = keep_thresholds(np.where(np.arange(n_words) == window, p, 1))
    rate = 1e-7
    _, outputs, *_ = train(
        np.eye(n_words), np.zeros((n_words, n_words)), np.tile(np.arange(n_words), n),
        np.arange(n + 1) * n_words, keep=keep, window=window, learning_rate=rate,
    )  # fmt: skip
    counts = whole(outputs[window, :n_words] / (rate / 2))
    assert counts[window] == 0
    before, behind = counts[:window][::-1], counts[window + 1 :]
    np.testing.assert_array_equal(before, behind)
    sizes = before - np.append(before[1:], 0)  # windows that reach so far and no farther
    assert abs(before[0] - n * p) <= 4 * np.sqrt(n * p * (1 - p))
    assert chisquare(sizes).pvalue > LEAST_P_VALUE


def neighbours(ids, offsets, n_words):
    """How often each word stands beside each other one, unknown words left out."""
    counts = np.zeros((n_words, n_words), dtype=int)
    for begin, end in pairwise(offsets):
        known = [word for word in ids[begin:end] if word < n_words]
        for left, right in pairwise(known):
            counts[left, right] += 1
            counts[right, left] += 1
    return counts


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_pairs_are_those_of_the_sentences(train, toy_corpus, shared, chunk):
    """Inputs are one-hot and η is small: a centre's output vector counts its contexts.

    Not one pair over the end of a sentence; the first and the last word of the corpus among them; pairs of a
    word with itself.
    """
    ids, offsets, n_words = toy_corpus.ids, toy_corpus.sentence_offsets, toy_corpus.n_words
    expected = neighbours(ids.tolist(), offsets.tolist(), n_words)
    rate, counts, pairs = 1e-4, 0, 0
    for start in range(0, len(ids), chunk):
        stop = min(start + chunk, len(ids))
        _, outputs, *_, some = train(
            np.eye(n_words), np.zeros((n_words, n_words)), ids, offsets, start, stop,
            shared=shared, learning_rate=rate,
        )  # fmt: skip
        counts = counts + outputs[:, :n_words] / (rate / 2)
        pairs += some
    np.testing.assert_array_equal(np.rint(counts), expected)
    assert np.abs(counts - expected).max() < 0.1
    assert pairs == expected.sum()


def test_the_first_and_the_last_word_of_the_corpus(train):
    contexts = {
        (shared, position, key): set(
            train(
                np.eye(4), np.zeros((4, 4)), [2, 0, 3], [0, 3], position, position + 1,
                window=2, shared=shared, key=key, learning_rate=1e-3,
            )[1][center].nonzero()[0].tolist()
        )
        for shared in (True, False)
        for position, center in enumerate([2, 0, 3])
        for key in range(20)
    }  # fmt: skip
    for position, possible in enumerate(([{0}, {0, 3}], [{2, 3}], [{0}, {0, 2}])):
        found = [words for (_, where, _), words in contexts.items() if where == position]
        assert all(words in possible for words in found)
        assert all(words in found for words in possible)


@pytest.mark.parametrize("shared", [True, False])
def test_nothing_to_train(train, shared):
    start = np.random.default_rng(0).random((3, 4)).astype(np.float32)
    for ids, offsets in (
        ([0, 1, 2, 1], [0, 1, 2, 3, 4]),  # sentences of one word
        ([0, 0, 0], [0, 1, 1, 1, 2, 3]),  # and of none
        ([5, 1, 7, 9], [0, 4]),  # one known word
        ([5, 7, 9], [0, 3]),  # none
    ):
        inputs, outputs, *returned = train(start, start, ids, offsets, window=5, negatives=5, shared=shared)
        assert returned == [0, 0, 0]
        np.testing.assert_array_equal(inputs[:, :4], start)
        np.testing.assert_array_equal(outputs[:, :4], start)
    assert train(start, start, [0, 1, 2], [0, 3], 2, 2, window=5, negatives=5, shared=shared)[2:] == (0, 0, 0)


def test_loss_is_sampled_by_position(train):
    """Seven sentences of two words, all vectors 0: every pair costs log 2."""
    ids, offsets = [0, 1] * 7, np.arange(8) * 2
    for every, expected in ((1, 14), (2, 7), (4, 4), (8, 2), (16, 1)):
        loss, sampled_pairs, pairs = train(
            np.zeros((2, 1)), np.zeros((2, 1)), ids, offsets, loss_every=every
        )[2:]
        assert (sampled_pairs, pairs) == (expected, 14)
        assert loss == pytest.approx(expected * np.log(2), rel=1e-12)


# ---- Negatives --------------------------------------------------------------------------------------------


def whole(counts):
    """The counts as whole numbers, which they are up to the error of σ(0)."""
    assert np.abs(counts - np.rint(counts)).max() < 0.02
    return np.rint(counts)


@pytest.mark.parametrize("shared", [True, False])
def test_negatives_follow_the_noise_distribution(train, shared):
    """One pair with thousands of negatives: their output vectors have moved by −1/2 for each draw."""
    n_words, n_negatives, n = 30, 4000, 5
    random = np.random.default_rng(3)
    probabilities = random.permutation(1 / np.arange(1, n_words + 1) ** 0.75)
    probabilities /= probabilities.sum()
    center, context = random.choice(n_words, 2, replace=False)
    occurrences = np.zeros(n_words)
    for key in range(n):
        _, outputs, _, _, pairs = train(
            np.ones((n_words, 1)), np.zeros((n_words, 1)), [center, context], [0, 2], 0, 1,
            negatives=n_negatives, noise=alias_table(probabilities), shared=shared, key=key,
        )  # fmt: skip
        assert pairs == 1
        counts = whole(-2 * outputs[:, 0])
        assert counts[center] == -1  # the pair itself: the centre's draws are left out
        counts[center] = n_negatives - (counts.sum() + 1)
        occurrences += counts
    assert 0.5 < occurrences[center] / (n * n_negatives * probabilities[center]) < 2
    assert chisquare(occurrences, probabilities * n * n_negatives).pvalue > LEAST_P_VALUE


def test_the_chi_square_can_fail():
    n_words, probabilities = 30, np.ones(30) / 30
    probabilities[3] *= 1.4
    counts = np.bincount(
        sampling.draw_noise(sampling.draw(0, np.arange(20_000)), alias_table(np.ones(n_words))),
        minlength=n_words,
    )
    assert chisquare(counts).pvalue > LEAST_P_VALUE
    assert chisquare(counts, probabilities / probabilities.sum() * 20_000).pvalue < LEAST_P_VALUE


def test_noise_of_many_words():
    """A million draws, in groups of words of about equal probability."""
    n_words, n = 200_000, 1_000_000
    probabilities = np.random.default_rng(0).permutation(1 / np.arange(1, n_words + 1) ** 0.75)
    probabilities /= probabilities.sum()
    words = sampling.draw_noise(sampling.draw(99, np.arange(n)), alias_table(probabilities))
    groups = np.argsort(np.argsort(probabilities)) // 1000
    occurrences = np.bincount(groups[words], minlength=200)
    assert chisquare(occurrences, np.bincount(groups, probabilities) * n).pvalue > LEAST_P_VALUE


def test_every_context_has_its_own_negatives_when_not_shared(train):
    """Two contexts of one centre, two output components: each context's negatives are counted in its own."""
    n_words, n_negatives = 40, 300
    inputs = np.zeros((n_words, 2))
    inputs[38], inputs[39] = (1, 0), (0, 1)
    noise = alias_table([1.0] * 37 + [0.0] * 3)
    for shared in (True, False):
        outputs = train(
            inputs, np.zeros((n_words, 2)), [38, 37, 39], [0, 3], 1, 2,
            negatives=n_negatives, noise=noise, shared=shared,
        )[1]  # fmt: skip
        first, second = whole(-2 * outputs[:37, :2].T)
        assert first.sum() == second.sum() == n_negatives
        assert np.array_equal(first, second) is shared


def test_tokens_draw_independently(train):
    """Neighbouring positions share no negatives: the counters of their draws do not overlap."""
    n_words, n_negatives, ids = 1000, 20, [996, 997, 998, 999]
    sets = []
    for position in range(4):
        outputs = train(
            np.ones((n_words, 1)), np.zeros((n_words, 1)), ids, [0, 4], position, position + 1,
            negatives=n_negatives, noise=alias_table(np.ones(n_words)),
        )[1]  # fmt: skip
        sets.append(set(np.flatnonzero(outputs[:, 0] < 0)))
    assert all(len(a) > 15 for a in sets)
    assert all(len(a & b) <= 4 for i, a in enumerate(sets) for b in sets[:i])
