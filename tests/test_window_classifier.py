"""Words are tagged by their windows: what is learned, what moves, what is reported and what is refused."""

import warnings
from functools import partial

import numpy as np
import pytest
from inside import set_sizes
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from window_texts import FIRST_WORD, OCCUR, PADDING, UNKNOWN, WORDS, some_vectors, spy_on_split, toy
from window_texts import SENTENCES as X
from window_texts import TAGS as Y

from fastvec.classify import WindowClassifier
from fastvec.vectors import Subwords, SubwordVectors

quietly = pytest.mark.filterwarnings("ignore:train_vectors=True on a small data set")

small = partial(
    WindowClassifier, window=1, hidden=8, vector_size=8, epochs=12, learning_rate=0.01, batch_size=16
)


@pytest.mark.parametrize("train_vectors", [False, True])
def test_words_that_nobody_has_seen_are_known_by_their_neighbours(train_vectors):
    model = small(train_vectors=train_vectors).fit(*toy())
    X, y = toy(seed=1)
    assert not any("name" in word for word in model.vectors_.words)
    assert model.score(X, y) > 0.95
    assert model.history_[-1].loss < 0.1 * model.history_[0].loss
    assert small(window=0, train_vectors=train_vectors).fit(*toy()).score(X, y) < 0.9


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
def test_every_optimizer_learns_with_the_step_size_of_its_own(optimizer):
    model = small(optimizer=optimizer, learning_rate=None, train_vectors=True, epochs=30).fit(*toy())
    assert model.score(*toy(seed=1)) > 0.95
    rates = {"sgd": 0.05, "adagrad": 0.05, "adam": 0.002}
    assert model.history_[0].learning_rate == rates[optimizer]


@pytest.mark.parametrize(
    ("feature", "words", "unseen"),
    [
        ("case", ["Rome", "Oslo", "sea", "sky"], ["Paris", "war"]),
        ("suffix", ["going", "eating", "slowly", "badly"], ["being", "kindly"]),
    ],
)
def test_features_tell_unknown_words_apart(feature, words, unseen):
    X = [[word] for word in words] * 10
    y = [["first" if word in words[:2] else "second"] for (word,) in X]
    model = small(features=[feature]).fit(X, y)
    assert np.concatenate(model.predict([[word] for word in unseen])).tolist() == ["first", "second"]
    without = small().fit(X, y)
    np.testing.assert_array_equal(*without.predict_proba([[word] for word in unseen]))
    with_both = small(features=("case", "suffix")).fit(X, y)
    assert list(with_both.parameters_) == ["vectors", "case", "suffix", "W1", "b1", "W2", "b2"]
    assert with_both.parameters_["W1"].shape == (3 * (8 + 8 + 20), 8)


# ---- What moves and what stays ----------------------------------------------------------------------------


@pytest.mark.parametrize("features", [(), ("case",)])
def test_words_that_are_not_trained_stay_bit_for_bit(features):
    after = {}
    for epochs in (1, 5):
        model = WindowClassifier(some_vectors(), hidden=4, epochs=epochs, min_count=1, features=features)
        after[epochs] = model.fit(X, Y).parameters_
        assert model.vectors_.words == [*WORDS, "zzz", "yyy"]
        np.testing.assert_array_equal(model.vectors_[WORDS], some_vectors().vectors)
    for name, parameter in after[1].items():
        assert np.array_equal(parameter, after[5][name]) == (name == "vectors"), name


@quietly
@pytest.mark.parametrize("vectors_l2", [0, 0.1])
@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
def test_only_words_that_occur_are_moved(vectors_l2, optimizer):
    params = {"train_vectors": True, "vectors_l2": vectors_l2, "optimizer": optimizer, "batch_size": 3}
    model = WindowClassifier(some_vectors(), **params).fit(X, Y)
    moved = (model.vectors_.vectors != some_vectors().vectors).any(axis=1)
    assert [word for word, has in zip(WORDS, moved, strict=True) if has] == [
        word for word in WORDS if word in OCCUR
    ]
    table = model.parameters_["vectors"]
    assert table[PADDING].any()
    assert not np.array_equal(table[UNKNOWN], some_vectors().vectors.mean(axis=0))


@quietly
def test_vectors_that_are_given_are_never_changed():
    vectors = some_vectors()
    before = vectors.vectors.tobytes()
    model = WindowClassifier(vectors, train_vectors=True).fit(X, Y).partial_fit(X, Y)
    assert model.vectors is vectors and vectors.vectors.tobytes() == before
    assert not np.shares_memory(model.parameters_["vectors"], vectors.vectors)


def test_vectors_l2_keeps_words_near_their_start():
    ways = []
    for vectors_l2 in (1e-9, 0.01, 0.1, 1):
        params = {"train_vectors": True, "vectors_l2": vectors_l2, "epochs": 100, "learning_rate": 0.02}
        model = WindowClassifier(some_vectors(), hidden=4, **params).fit(X, Y)
        ways.append(np.linalg.norm(model.vectors_.vectors - some_vectors().vectors))
    assert ways[0] > 1.5 * ways[1] > 3 * ways[2] > 6 * ways[3] > 0


def test_ngrams_give_vectors_to_words_of_the_training_text():
    rows = np.random.default_rng(0).standard_normal((2 + 50, 7))
    vectors = SubwordVectors(["garden", "gardens"], rows, Subwords(3, 5, 50))
    text = [["The", "gardener", "gardens"]] * 2
    model = WindowClassifier(vectors, hidden=4).fit(text, [["D", "N", "V"]] * 2)
    assert model.vectors_.words == ["garden", "gardens", "the", "gardener"]
    np.testing.assert_array_equal(model.vectors_["gardener"], vectors["gardener"])
    np.testing.assert_array_equal(model.vectors_["gardens"], vectors["gardens"])
    assert model.score(text, [["D", "N", "V"]] * 2) >= 0


# ---- What is asked of it ----------------------------------------------------------------------------------


def test_every_sentence_has_its_predictions():
    model = small().fit(X, Y)
    assert model.classes_.tolist() == ["D", "N", "V"]
    labels, probabilities = model.predict(X), model.predict_proba(X)
    assert [len(found) for found in labels] == [5, 1, 0, 4, 4]
    assert [found.shape for found in probabilities] == [(5, 3), (1, 3), (0, 3), (4, 3), (4, 3)]
    p = np.concatenate(probabilities)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    flat = np.concatenate(labels)
    assert flat.tolist() == model.classes_[p.argmax(axis=1)].tolist()
    score = model.score(X, Y)
    assert type(score) is float and score == np.mean(flat == np.concatenate(Y)[: len(flat)])
    assert model.score(iter(X), iter(Y)) == score
    assert model.predict([X[0]])[0].tolist() == labels[0].tolist()


@pytest.mark.parametrize("at_once", [1, 3, 14])
def test_windows_that_go_through_in_parts_come_out_the_same(monkeypatch, at_once):
    model = small(features=["case"]).fit(X, Y)
    whole = np.concatenate(model.predict_proba(X))
    set_sizes(monkeypatch, windows_at_once=at_once)
    np.testing.assert_allclose(np.concatenate(model.predict_proba(X)), whole, rtol=1e-5)


def test_unknown_and_rare_words_are_the_same_word():
    model = small(train_vectors=True).fit(X, Y)
    first, rare = (model.predict_proba([["the", word, "cat"]])[0] for word in ("never", "zzz"))
    np.testing.assert_array_equal(first, rare)
    assert not np.array_equal(first, model.predict_proba([["the", "the", "cat"]])[0])
    np.testing.assert_array_equal(model.predict_proba([["THE"]])[0], model.predict_proba([["the"]])[0])


@quietly
def test_vectors_are_those_of_the_words_as_they_are_now():
    with pytest.raises(AttributeError, match=r"WindowClassifier has no vectors_ before fit"):
        _ = WindowClassifier().vectors_
    model = small(some_vectors(), train_vectors=True, min_count=1).fit(X, Y)
    now = model.vectors_
    assert now.words == [*WORDS, "zzz", "yyy"]
    np.testing.assert_array_equal(now.vectors, model.parameters_["vectors"][FIRST_WORD:])
    before = now.vectors.copy()
    later = model.partial_fit(X, Y).vectors_
    np.testing.assert_array_equal(now.vectors, before)
    assert not np.shares_memory(later.vectors, model.parameters_["vectors"])
    assert (later["the"] != now["the"]).all()
    assert all(parameter.dtype == np.float32 for parameter in model.parameters_.values())


def test_number_of_parameters():
    model = WindowClassifier(some_vectors(), hidden=(6, 7), features=["case"]).fit(X, Y)
    tables = (2 + 12) * 5 + (2 + 2) * 8
    assert model.n_parameters_ == tables + (5 * 13 + 1) * 6 + (6 + 1) * 7 + (7 + 1) * 3


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_nothing_is_predicted_before_fit(method):
    with pytest.raises(NotFittedError):
        getattr(WindowClassifier(), method)(X)


def test_one_seed_gives_the_same_bits_and_fit_begins_anew():
    params = {"train_vectors": True, "features": ["suffix"], "early_stopping": True, "patience": 20}
    first, second, other = (small(**params, seed=seed).fit(*toy(30)) for seed in (7, 7, 8))
    second.fit(*toy(30))
    for name, parameter in first.parameters_.items():
        np.testing.assert_array_equal(parameter, second.parameters_[name], err_msg=name)
        assert not np.array_equal(parameter, other.parameters_[name]), name


# ---- Small data sets, labels, early stopping --------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "params", "small_below", "warned"),
    [
        (True, {"train_vectors": True}, 15, True),
        (True, {"train_vectors": True}, 14, False),  # there are 14 words
        (True, {"train_vectors": True, "vectors_l2": 1e-9}, 15, False),
        (True, {"train_vectors": False}, 15, False),
        (False, {"train_vectors": True}, 15, False),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_words_that_are_taken_away_by_a_small_text_are_warned_of(
    monkeypatch, given, params, small_below, warned, method
):
    set_sizes(monkeypatch, few_words=small_below)
    model = small(some_vectors() if given else None, **params)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        getattr(model, method)(X, Y)
        assert len(caught) == warned
        model.partial_fit(X, Y)
    assert len(caught) == warned
    if warned:
        assert caught[0].filename == __file__ and caught[0].category is UserWarning
        assert "train_vectors=True on a small data set (14 words)" in str(caught[0].message)


def test_labels_that_the_training_did_not_have_are_mistakes():
    model = small(epochs=60).fit(X, Y)
    assert model.score([["the", "cat"]], [["D", "N"]]) == 1
    for unseen in ("M", "Z"):  # "M" would stand where "N" does
        with pytest.warns(UserWarning, match=r"^1 of 2 labels are of classes not seen in training") as caught:
            assert model.score([["the", "cat"]], [["D", unseen]]) == 0.5
        assert caught[0].filename == __file__
    with pytest.raises(
        ValueError, match=r"y must have labels of the classes \['D', 'N', 'V'\], got \['ADJ'\]"
    ):
        model.partial_fit([["the", "cat"]], [["D", "ADJ"]])


def test_classes_are_told_in_the_first_call():
    model = small().partial_fit([["the", "cat"]], [["D", "N"]], classes=["V", "N", "D"])
    assert model.classes_.tolist() == ["D", "N", "V"]
    model.partial_fit(X, Y).partial_fit(X, Y, classes=["N", "D", "V"])
    assert [epoch.epoch for epoch in model.history_] == [1, 2, 3]
    with pytest.raises(ValueError, match=r"classes must be those of the first call, .* got \['D', 'X'\]"):
        model.partial_fit(X, Y, classes=["D", "X"])
    with pytest.raises(ValueError, match=r"y must have labels of the classes \['D', 'N'\], got \['V'\]"):
        small().partial_fit(X, Y, classes=["D", "N"])


def test_there_are_two_classes_at_least():
    with pytest.raises(ValueError, match=r"y must have at least two classes, got one class: \['D'\]"):
        small().fit(X, [["D"] * len(sentence) for sentence in X])


def test_training_goes_on_where_it_was():
    model = small(schedule="constant").fit(*toy(30))
    losses = [model.partial_fit(*toy(30)).history_[-1].loss for _ in range(5)]
    assert losses[-1] < losses[0] < model.history_[0].loss


def test_training_that_fails_changes_nothing():
    model, other = (small(optimizer="sgd", batch_size=2).fit(X, Y) for _ in range(2))
    for method in (model.fit, model.partial_fit):
        with pytest.raises(FloatingPointError, match=r"learning_rate=1e\+39 is probably too large"):
            model.set_params(learning_rate=1e39)
            method(X, Y)
        model.set_params(learning_rate=0.01)
        for name, parameter in other.parameters_.items():
            np.testing.assert_array_equal(parameter, model.parameters_[name], err_msg=name)
    model.partial_fit(X, Y)
    other.partial_fit(X, Y)
    for name, parameter in other.parameters_.items():
        np.testing.assert_array_equal(parameter, model.parameters_[name], err_msg=name)


def test_whole_sentences_are_held_out(monkeypatch):
    parts = spy_on_split(monkeypatch, WindowClassifier)
    sentences = [[f"w{chr(97 + i)}"] * (1 + i % 3) for i in range(20)]  # each has a word of its own
    labels = [["A", "B", "A"][: len(sentence)] for sentence in sentences]
    small(early_stopping=True, validation_fraction=0.2, min_count=1).fit(sentences, labels)
    kept, held_out = (set(ids[:, 1].tolist()) for ids, _ in parts)
    assert len(held_out) == 4 and len(kept) == 16 and not kept & held_out
    assert sum(len(ids) for ids, _ in parts) == sum(map(len, sentences))


def test_training_stops_early_and_the_best_epoch_is_kept(monkeypatch):
    parts = spy_on_split(monkeypatch, WindowClassifier)
    random = np.random.default_rng(0)
    sentences, labels = toy(60)
    labels = [[str(random.choice(["A", "B"])) for _ in of_words] for of_words in labels]  # nothing to learn
    params = {"early_stopping": True, "patience": 3, "epochs": 100, "train_vectors": True}
    model = small(**params).fit(sentences, labels)
    scores = [epoch.validation_score for epoch in model.history_]
    assert len(scores) < 100 and len(scores) - 1 - int(np.argmax(scores)) == 3
    assert model._validation_score(parts[1]) == max(scores)


@pytest.mark.parametrize("seed", range(5))
def test_sentences_without_words_are_not_what_is_held_out(seed):
    model = small(early_stopping=True, seed=seed).fit(
        [["a", "b"], [], [], ["c", "a"]], [["A", "B"], [], [], ["A", "B"]]
    )
    assert 0 <= model.history_[-1].validation_score <= 1


# ---- Parameters, and scikit-learn -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hidden", "changed"),
    [(8, {"window": 2}), (8, {"hidden": 7}), (8, {"hidden": (8, 3)}), ((8, 3), {"hidden": 8})],
)
def test_another_network_takes_another_fit(hidden, changed):
    model = small(hidden=hidden).fit(X, Y).set_params(**changed)
    message = r"parameters of WindowClassifier must not change after fit, .*; call fit to start over"
    for call in (lambda: model.partial_fit(X, Y), lambda: model.predict(X)):
        with pytest.raises(ValueError, match=message):
            call()
    assert len(model.fit(X, Y).predict(X)) == len(X)


def test_a_penalty_that_comes_later_is_taken_or_refused_by_name():
    model = small(train_vectors=True).fit(X, Y).set_params(vectors_l2=0.1)
    try:
        model.partial_fit(X, Y)
    except ValueError as error:
        assert "vectors_l2" in str(error)


def test_scikit_learn_can_clone_it():
    model = small(some_vectors(), features=["case"], hidden=(5, 4)).fit(X, Y)
    copy = clone(model)
    assert copy.vectors.words == WORDS and not hasattr(copy, "parameters_")
    assert {**copy.get_params(), "vectors": 0} == {**model.get_params(), "vectors": 0}
    np.testing.assert_array_equal(copy.fit(X, Y).parameters_["W1"], model.parameters_["W1"])


def test_scikit_learn_can_search_and_validate():
    X, y = toy(60)
    search = GridSearchCV(small(epochs=8), {"window": [0, 1], "features": [(), ("case",)]}, cv=3).fit(X, y)
    assert search.best_params_["window"] == 1
    assert len(search.predict(X)) == 60 and search.score(X, y) > 0.9
    scores = cross_val_score(small(epochs=8), X, y, cv=3)
    assert scores.shape == (3,) and scores.min() > 0.9
