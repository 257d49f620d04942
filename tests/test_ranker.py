"""True windows above corrupted ones: to find words with labels, and to learn vectors without."""

import string
import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inside import inner, set_sizes
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import f1_score
from sklearn.model_selection import cross_val_score
from window_texts import FIRST_WORD, OCCUR, WORDS, some_vectors, spy_on_split, toy
from window_texts import SENTENCES as X
from window_texts import TAGS as Y

from fastvec import Corpus
from fastvec.classify import WindowRanker

IS_NOUN = [[tag == "N" for tag in tags] for tags in Y]

small = partial(WindowRanker, window=1, hidden=8, vector_size=8, epochs=12, learning_rate=0.01, batch_size=16)


def places(n_sentences=100, seed=0):
    """Sentences, and for each word whether it is a place, which nothing but the word before it tells."""
    sentences, tags = toy(n_sentences, seed)
    return sentences, [[tag == "LOC" for tag in of_words] for of_words in tags]


# ---- With labels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("train_vectors", [True, False])
def test_places_that_nobody_has_seen_are_found(train_vectors):
    ranker = small(train_vectors=train_vectors).fit(*places())
    sentences, y = places(seed=1)
    assert ranker.score(sentences, y) > 0.95
    assert ranker.history_[-1].loss < 0.2 * ranker.history_[0].loss
    found, scores = ranker.predict(sentences), ranker.decision_function(sentences)
    assert (
        [len(of_words) for of_words in found] == [len(of_words) for of_words in scores] == list(map(len, y))
    )
    assert all(of_words.dtype == bool for of_words in found)
    assert small(window=0).fit(*places()).score(sentences, y) < 0.9


def test_the_score_is_f1():
    ranker = small(epochs=1).fit(*places(30))
    sentences, y = places(20, seed=1)
    flat, found = np.concatenate(y), np.concatenate(ranker.predict(sentences))
    assert 0 < found.sum() < len(found) and (flat & ~found).any() | (found & ~flat).any()
    assert ranker.score(sentences, y) == pytest.approx(f1_score(flat, found))
    assert type(ranker.score(sentences, y)) is float
    assert ranker.score(sentences, [list(map(int, of_words)) for of_words in y]) == ranker.score(sentences, y)
    scores = np.concatenate(ranker.decision_function(sentences))
    for ranker.threshold_ in np.unique(scores):  # of which none is above itself
        np.testing.assert_array_equal(scores > ranker.threshold_, np.concatenate(ranker.predict(sentences)))
    ranker.threshold_ = np.inf
    assert ranker.score(sentences, y) == 0
    assert ranker.score([["we"]], [[False]]) == 0


def test_sentences_are_read_once():
    ranker = small(epochs=1).fit(*places(30))
    sentences, y = places(20, seed=1)
    assert len(ranker.predict(iter(sentences))) == 20
    assert ranker.score(iter(sentences), iter(y)) == ranker.score(sentences, y)


def f1(labels, found):
    """From the definition: the harmonic mean of precision and recall."""
    both = sum(a and b for a, b in zip(labels, found, strict=True))
    return 0.0 if both == 0 else 2 / (sum(found) / both + sum(labels) / both)


def check_threshold(scores, labels):
    scores, labels = np.array(scores, np.float32), np.array(labels)
    best = max(f1(labels, scores >= lowest) for lowest in scores)
    threshold = inner("best_threshold")(scores, labels)
    assert f1(labels, scores > threshold) == pytest.approx(best, rel=1e-12)


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=12))
def test_the_threshold_is_the_best_of_all_where_scores_are_equal(pairs):
    check_threshold([score / 4 for score, _ in pairs], [label for _, label in pairs])


@given(st.lists(st.tuples(st.floats(-8, 8, width=16), st.booleans()), min_size=1, max_size=12))
def test_the_threshold_is_the_best_of_all(pairs):
    check_threshold(*zip(*pairs, strict=True))


@pytest.mark.parametrize(
    ("scores", "labels"),
    [
        ([1 + 2**-22, 1 + 2**-23], [True, False]),  # neighbours in single precision
        ([1 + 2**-22, 1 + 2**-23, 1], [True, True, False]),
        ([3e9, 2e9], [False, True]),  # where 1 less is the same number
    ],
)
def test_the_threshold_is_the_best_of_all_where_nothing_is_between(scores, labels):
    check_threshold(scores, labels)


def test_the_threshold_is_half_way():
    assert inner("best_threshold")(np.array([0.0, 4.0, 1.0, 3.0]), np.array([False, True, False, True])) == 2


def noisy(sentences, y):
    """Change every fifth label."""
    random = np.random.default_rng(0)
    return sentences, [[bool(label ^ (random.random() < 0.2)) for label in of_words] for of_words in y]


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_threshold_is_the_best_on_what_it_was_learned_on(monkeypatch, early_stopping):
    parts = spy_on_split(monkeypatch, WindowRanker)
    sentences, y = noisy(*places(40))
    ranker = small(early_stopping=early_stopping, validation_fraction=0.3).fit(sentences, y)
    *ids, labels = parts[1] if early_stopping else ranker._known_examples(sentences, y)
    scores = ranker._scores_of(ids)[:, 0]
    best = max(f1(labels, scores >= lowest) for lowest in scores)
    assert f1(labels, scores > ranker.threshold_) == pytest.approx(best) and best < 1


def test_pairs_are_a_true_and_a_false_window_and_every_window_is_in_its_own():
    ranker = small(features=["case"]).fit(X, IS_NOUN)
    *ids, labels = ranker._known_examples(X, IS_NOUN)
    numbers = np.arange(len(labels))
    ids = [np.repeat(numbers[:, np.newaxis], 3, axis=1) + 100 * table for table in range(len(ids))]
    random, pairs_of = np.random.default_rng(0), {True: set(), False: set()}
    for _ in range(300):
        which = random.permutation(len(labels))[:7]
        *pairs, last = ranker._batches((*ids, labels))(which, random)
        true, true_case, corrupted, corrupted_case = (rows[:, 0] for rows in pairs)
        np.testing.assert_array_equal(last, which)
        assert labels[true].all() and not labels[corrupted].any()
        np.testing.assert_array_equal(np.where(labels[which], true, corrupted), which)
        np.testing.assert_array_equal(true_case - 100, true)
        np.testing.assert_array_equal(corrupted_case - 100, corrupted)
        for own, *pair in zip(labels[which].tolist(), true.tolist(), corrupted.tolist(), strict=True):
            pairs_of[own].add(tuple(pair))
    assert (
        len(pairs_of[True]) == len(pairs_of[False]) == labels.sum() * (~labels).sum()
    )  # every partner is drawn


# ---- Without labels ---------------------------------------------------------------------------------------


def spelled(sentences):
    """Words without digits, which words that have no vectors do not keep apart."""
    letters = str.maketrans(string.digits, string.ascii_lowercase[:10])
    return [[word.translate(letters) for word in sentence] for sentence in sentences]


def test_words_of_a_topic_are_near_each_other(topics):
    ranker = WindowRanker(hidden=20, vector_size=12, learning_rate=0.02, epochs=25).fit(spelled(topics(300)))
    assert ranker.history_[-1].loss < 0.6 * ranker.history_[0].loss
    vectors = ranker.vectors_
    assert len(vectors) == 39
    for topic in ("sea", "sky", "war"):
        neighbours = [word for word, _ in vectors.most_similar(f"{topic}d", topn=8)]
        assert sum(word.startswith(topic) for word in neighbours) >= 7, neighbours


def test_words_that_differ_in_digits_are_different_words(topics):
    """Products and nodes are numbers: words that are to be learned must not become one."""
    sentences = list(topics(30))
    words = {word for sentence in sentences for word in sentence}
    assert set(small(epochs=1, min_count=1).fit(sentences).vectors_.words) == words
    assert set(small(epochs=1).fit([[12, 47], [47, 12]]).vectors_.words) == {"12", "47"}


def test_a_corpus_is_a_text(topics):
    sentences = spelled(topics(30))
    first, second = (small(epochs=2).fit(text) for text in (Corpus([*sentences, []]), sentences))
    assert first.vectors_.words == second.vectors_.words
    np.testing.assert_array_equal(first.vectors_.vectors, second.vectors_.vectors)
    scores = first.decision_function(Corpus(sentences))
    assert list(map(len, scores)) == list(map(len, sentences))


def test_only_the_word_in_the_middle_is_corrupted_and_by_any_word():
    ranker = small(window=2, min_count=1).fit(X)
    known = ranker._known_examples(X, None)
    before = known[0].copy()
    random, corruptions = np.random.default_rng(0), []
    for _ in range(100):
        which = random.permutation(len(before))[:8]
        true, corrupted, last = ranker._batches(known)(which, random)
        np.testing.assert_array_equal(true, before[which])
        np.testing.assert_array_equal(np.delete(corrupted, 2, axis=1), np.delete(true, 2, axis=1))
        np.testing.assert_array_equal(last, which)
        corruptions += corrupted[:, 2].tolist()
    np.testing.assert_array_equal(known[0], before)
    n = len(ranker.vectors_)
    counts = np.bincount(corruptions)
    assert len(counts) == FIRST_WORD + n and not counts[:FIRST_WORD].any()
    assert counts[FIRST_WORD:].min() > 0.6 * len(corruptions) / n


# ---- Parameters that are learned --------------------------------------------------------------------------


@pytest.mark.parametrize("y", [IS_NOUN, None], ids=["labels", "none"])
@pytest.mark.parametrize(("hidden", "last"), [(6, "2"), ((6, 7), "3")])
def test_the_last_weights_are_v_and_have_no_bias(y, hidden, last):
    ranker = small(hidden=hidden).fit(X, y)
    names = ["vectors", *(f"{kind}{i}" for i in range(1, int(last)) for kind in "Wb"), f"W{last}"]
    assert list(ranker.parameters_) == names
    assert ranker.parameters_[f"W{last}"].shape == (np.ravel(hidden)[-1], 1)
    assert ranker.n_parameters_ == sum(parameter.size for parameter in ranker.parameters_.values())


@pytest.mark.parametrize("y", [IS_NOUN, None], ids=["labels", "none"])
def test_what_moves_and_what_stays(y):
    vectors = some_vectors()
    moving = small(vectors, vectors_l2=1e-6).fit(X, y).vectors_.vectors != vectors.vectors
    still = small(vectors, train_vectors=False).fit(X, y)
    np.testing.assert_array_equal(still.vectors_.vectors, vectors.vectors)
    np.testing.assert_array_equal(vectors.vectors, some_vectors().vectors)
    # without labels any word may be put in the middle
    assert moving.any(axis=1).tolist() == [y is None or word in OCCUR for word in WORDS]


@pytest.mark.parametrize("y", [IS_NOUN, None], ids=["labels", "none"])
def test_one_seed_gives_the_same_bits_and_training_goes_on(y):
    first, second, other = (small(seed=seed).fit(X, y) for seed in (7, 7, 8))
    first.fit(X, y)
    for _ in range(2):
        for name, parameter in first.parameters_.items():
            np.testing.assert_array_equal(parameter, second.parameters_[name], err_msg=name)
            assert not np.array_equal(parameter, other.parameters_[name]), name
        first.partial_fit(X, y)
        second.partial_fit(X, y)
    assert [epoch.epoch for epoch in first.history_] == list(range(1, 15))
    assert hasattr(first, "threshold_") == (y is not None)


@pytest.mark.parametrize("n_small", [14, 15])
@pytest.mark.parametrize("y", [IS_NOUN, None], ids=["labels", "none"])
def test_words_that_are_taken_away_by_a_small_text_are_warned_of(monkeypatch, y, n_small):
    set_sizes(monkeypatch, few_words=n_small)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        small().fit(X, y)
        small(some_vectors(), vectors_l2=0.1).fit(X, y)
        small(some_vectors(), train_vectors=False).fit(X, y)
        assert not caught
        small(some_vectors()).fit(X, y)
    assert len(caught) == (n_small == 15)
    assert all(warning.filename == __file__ for warning in caught)


# ---- Early stopping ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_labels", [True, False])
def test_training_stops_early_and_the_best_epoch_is_kept(monkeypatch, with_labels):
    parts = spy_on_split(monkeypatch, WindowRanker)
    sentences, y = noisy(*places(60))
    params = {"early_stopping": True, "patience": 2, "epochs": 60, "validation_fraction": 0.2, "seed": 1}
    ranker = small(**params).fit(sentences, y if with_labels else None)
    scores = [epoch.validation_score for epoch in ranker.history_]
    assert len(scores) < 60 and len(scores) - 1 - int(np.argmax(scores)) == 2
    assert max(scores) < 1
    assert sum(len(part[0]) for part in parts) == sum(map(len, sentences)) and len(parts[1][0]) > 20
    *ids, _ = ranker._batches(parts[1])(np.arange(len(parts[1][0])), np.random.default_rng(ranker.seed))
    true, corrupted = (ranker._scores_of([windows]) for windows in ids)
    assert max(scores) == np.mean(true > corrupted)


def test_true_and_false_words_are_on_both_sides():
    sentences = [["a", "b"], ["c", "d"], ["e", "f"]]
    message = r"early_stopping needs words labelled True and False .*: try another"
    for only in (True, False):
        y = [[only, only], [True, False], [only, only]]
        for seed in range(5):
            with pytest.raises(ValueError, match=message):
                small(early_stopping=True, seed=seed).fit(sentences, y)


@pytest.mark.parametrize("y", [[[True, False], [], [], [False, True]], None], ids=["labels", "none"])
@pytest.mark.parametrize("seed", range(5))
def test_sentences_without_words_are_not_what_is_held_out(y, seed):
    ranker = small(early_stopping=True, seed=seed, min_count=1).fit([["a", "b"], [], [], ["c", "a"]], y)
    assert 0 <= ranker.history_[-1].validation_score <= 1


# ---- What is refused, and scikit-learn --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([["N", "D"], ["N"]], r"y must be True or False for each word, got \['D', 'N'\]"),
        ([[0, 2], [1]], r"y must be True or False for each word, got \[0, 1, 2\]"),
        ([[0.0, 1.0], [1.0]], r"y must be True or False for each word, got \[0.0, 1.0\]"),
        ([[True, True], [True]], r"y must have words labelled True and words labelled False, got only True"),
        ([[0, 0], [0]], r"y must have words labelled True and words labelled False, got only False"),
        (
            [[True, None], [True]],
            r"y must have a label for each word, .*, got None at sentence 1, word 2$",
        ),
        ([[True], [False]], r"y must have a label for each word: sentence 1 has 2 words and 1 labels"),
    ],
)
def test_labels_must_be_true_or_false(y, message):
    ranker = small()
    with pytest.raises(ValueError, match=message):
        ranker.fit([["a", "b"], ["c"]], y)
    assert not hasattr(ranker, "parameters_")


def test_what_takes_labels_says_so():
    with pytest.raises(ValueError, match=r"features must be \(\) without labels, got \['case'\]"):
        small(features=["case"]).fit(X)
    ranker = small().fit(X)
    with pytest.raises(
        AttributeError, match=r"predict needs a model trained with labels; decision_function returns"
    ):
        ranker.predict(X)
    with pytest.raises(
        AttributeError, match=r"predict needs a model trained with labels; decision_function returns"
    ):
        ranker.score(X, IS_NOUN)
    with pytest.raises(ValueError, match=r"y must be None, as in the training so far, got labels"):
        ranker.partial_fit(X, IS_NOUN)
    with pytest.raises(ValueError, match=r"y must be labels, as in the training so far, got None"):
        small().fit(X, IS_NOUN).partial_fit(X)
    with pytest.raises(TypeError, match=r"y must be a list of labels for each sentence, got None"):
        ranker.score(X, None)
    for method in ("predict", "decision_function"):
        with pytest.raises(NotFittedError):
            getattr(small(), method)(X)


def test_there_must_be_words_to_corrupt_with():
    for text in ([["a", "a"]], [["a", "b", "c"]]):
        with pytest.raises(ValueError, match=r"X must have at least two words that occur 2 times, got fewer"):
            small().fit(text)
    assert small(min_count=1).fit([["a", "b"]]).vectors_.words == ["a", "b"]


def test_scikit_learn_can_clone_and_validate():
    params = clone(small(some_vectors(), margin=2.0, window=3)).get_params()
    assert params["margin"] == 2 and params["window"] == 3 and params["vectors"].words == WORDS
    scores = cross_val_score(small(), *places(60), cv=3)
    assert scores.shape == (3,) and scores.min() > 0.9
