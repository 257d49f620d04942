import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastvec import Vocabulary

pytestmark = pytest.mark.any_backend

COUNTS = st.lists(st.integers(1, 10**12), min_size=1, max_size=30).map(lambda counts: sorted(counts)[::-1])


def vocabulary_of(counts):
    return Vocabulary([f"w{i}" for i in range(len(counts))], counts)


def test_behaves_like_a_collection():
    vocabulary = Vocabulary(["the", "of", "zoë"], [9, 4, 4])
    assert len(vocabulary) == 3
    assert list(vocabulary) == vocabulary.words == ["the", "of", "zoë"]
    assert "zoë" in vocabulary
    assert "zoe" not in vocabulary
    assert 7 not in vocabulary
    assert vocabulary.index == {"the": 0, "of": 1, "zoë": 2}
    assert vocabulary.total == 17
    assert vocabulary.counts.dtype == np.int64
    assert repr(vocabulary) == "Vocabulary(3 words, 17 tokens)"


def test_counts_cannot_be_changed_behind_the_total():
    given_counts = np.array([2, 1])
    vocabulary = Vocabulary(["a", "b"], given_counts)
    given_counts[0] = 50
    assert vocabulary.counts[0] == 2
    with pytest.raises(ValueError, match="read-only"):
        vocabulary.counts[0] = 3


@pytest.mark.parametrize("counts", [[1, 2], [2, 0], [-1, -2]])
def test_counts_must_descend_and_be_positive(counts):
    with pytest.raises(ValueError, match="counts must be positive and descending"):
        Vocabulary(["a", "b"], counts)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match=r"counts must have the shape \(2,\), one for each word, got \(3,\)"):
        Vocabulary(["a", "b"], [3, 2, 1])


def test_counts_are_integers():
    with pytest.raises(TypeError, match="counts must be integers, got float64"):
        Vocabulary(["a", "b"], [2.7, 1.2])


@given(counts=COUNTS, min_count=st.integers(1, 10**12), max_vocab=st.none() | st.integers(1, 40))
def test_head_is_the_prefix_of_frequent_words(counts, min_count, max_vocab):
    vocabulary = vocabulary_of(counts)
    expected = [count for count in counts if count >= min_count][:max_vocab]
    if not expected:
        with pytest.raises(ValueError, match="leaves no word"):
            vocabulary.head(min_count, max_vocab)
        return
    head = vocabulary.head(min_count, max_vocab)
    assert head.counts.tolist() == expected
    assert head.words == vocabulary.words[: len(expected)]
    assert head.total == sum(expected)


def test_head_that_leaves_nothing_says_what_there_was():
    message = (
        "min_count=5 leaves no word: the corpus has 3 distinct words and the most frequent occurs 2 times"
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        vocabulary_of([2, 1, 1]).head(min_count=5)
    with pytest.raises(ValueError, match="the corpus has 1 distinct word and the most frequent occurs once"):
        vocabulary_of([1]).head(min_count=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min_count": 0}, "min_count must be an int >= 1, got 0"),
        ({"max_vocab": 0}, "max_vocab must be an int >= 1, got 0"),
    ],
)
def test_head_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        vocabulary_of([1]).head(**arguments)


def test_keep_probabilities_are_word2vec_c_s():
    # word2vec.c: (sqrt(cn / (sample * train_words)) + 1) * (sample * train_words) / cn
    counts, sample = [900, 90, 9, 1], 1e-2
    expected = [min(1, (math.sqrt(cn / (sample * 1000)) + 1) * (sample * 1000) / cn) for cn in counts]
    assert vocabulary_of(counts).keep_probabilities(sample) == pytest.approx(expected, rel=1e-12)


def test_keep_probabilities_use_the_total_of_the_retained_words():
    whole = vocabulary_of([900, 90, 9, 1])
    head = whole.head(max_vocab=1)
    assert head.keep_probabilities(1e-2)[0] == pytest.approx(0.1 + 0.01)
    assert head.keep_probabilities(1e-2)[0] < whole.keep_probabilities(1e-2)[0]


def test_no_subsampling_keeps_all():
    assert vocabulary_of([5, 1]).keep_probabilities(0).tolist() == [1, 1]
    with pytest.raises(ValueError, match=r"subsample must be a number >= 0, got -0\.1"):
        vocabulary_of([5, 1]).keep_probabilities(-0.1)


@given(counts=COUNTS, exponent=st.floats(-5, 5))
def test_noise_probabilities(counts, exponent):
    probabilities = vocabulary_of(counts).noise_probabilities(exponent)
    assert probabilities.sum() == pytest.approx(1)
    ratios = np.log(probabilities / probabilities[0])
    assert ratios == pytest.approx(exponent * np.log(np.array(counts) / counts[0]), abs=1e-9)


def test_noise_probabilities_of_the_paper():
    assert vocabulary_of([16, 1]).noise_probabilities(0.75).tolist() == pytest.approx([8 / 9, 1 / 9])
    assert vocabulary_of([16, 1]).noise_probabilities(0).tolist() == [0.5, 0.5]
    assert vocabulary_of([3, 1]).noise_probabilities(10_000).tolist() == [1, 0]
    with pytest.raises(ValueError, match="noise_exponent must be a finite number, got nan"):
        vocabulary_of([5, 1]).noise_probabilities(math.nan)
