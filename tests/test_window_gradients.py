"""Gradients of the models of windows, down to the words, and what tells that the check of them can fail."""

from functools import partial

import numpy as np
import pytest
from inside import wrap
from window_texts import FIRST_WORD, OCCUR, PADDING, SENTENCES, TAGS, UNKNOWN, WORDS, some_vectors

from fastvec.classify import WindowClassifier, WindowRanker

pytestmark = [
    pytest.mark.any_backend(trains=True),
    pytest.mark.filterwarnings("ignore:train_vectors=True on a small data set"),
]

IS_NOUN = [[tag == "N" for tag in tags] for tags in TAGS]
ACTIVATIONS = ["sigmoid", "tanh", "relu"]
HIDDEN = [4, (4, 3)]
# All layers with both penalties, and the other penalties with one of them: they are sums over parameters.
BOTH = (0.01, 0.05)
LAYERS_AND_PENALTIES = [
    *((activation, hidden, BOTH) for activation in ACTIVATIONS for hidden in HIDDEN),
    *(("tanh", 4, penalties) for penalties in ((0, 0), (0.01, 0), (0, 0.05))),
]


def at_random(model, y, seed=112, **params):
    """Fit a model and put random numbers for its parameters, at which no derivative happens to be tiny."""
    params = {"window": 1, "hidden": 4, "activation": "tanh", "epochs": 1, "train_vectors": True} | params
    model = model(some_vectors(), **params).fit(SENTENCES, y)
    random = np.random.default_rng(seed)
    model.parameters_ = {
        name: random.normal(0, 0.5, parameter.shape) for name, parameter in model.parameters_.items()
    }
    return model


def examples(model, y):
    """The mini-batch that is checked."""
    known = model._known_examples(SENTENCES, y)
    return model._batches(known)(np.arange(len(known[-1])), np.random.default_rng(0))


def check(model, y):
    report = model.check_gradient(SENTENCES, y)
    assert report.max_relative_error < 1e-4, str(report)
    _, gradients = model._cost_and_gradients(model.parameters_, examples(model, y))
    fixed = set() if model.train_vectors else {"vectors"}
    assert gradients.keys() == model.parameters_.keys() - fixed
    sizes = [found.values.size if hasattr(found, "rows") else found.size for found in gradients.values()]
    assert report.checked == sum(sizes)


# ---- WindowClassifier -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("activation", "hidden", "penalties"), LAYERS_AND_PENALTIES)
def test_of_the_classifier(activation, hidden, penalties):
    l2, vectors_l2 = penalties
    params = {"activation": activation, "hidden": hidden, "l2": l2, "vectors_l2": vectors_l2}
    check(at_random(WindowClassifier, TAGS, **params), TAGS)


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("train_vectors", [True, False])
def test_of_the_classifier_with_features(hidden, train_vectors):
    params = {"hidden": hidden, "features": ("case", "suffix"), "vectors_l2": 0.05}
    model = at_random(WindowClassifier, TAGS, train_vectors=train_vectors, **params)
    assert {"case", "suffix"} < model.parameters_.keys()
    check(model, TAGS)


# ---- WindowRanker -----------------------------------------------------------------------------------------


def ranker_at_random(y, **params):
    """A ranker of which some pairs keep the margin and some do not, all far from the kink of the hinge."""
    model = at_random(WindowRanker, y, seed=115 if y is None else 107, **params)
    *ids, _ = examples(model, y)
    half = len(ids) // 2
    ahead = np.sort((model._scores_of(ids[:half]) - model._scores_of(ids[half:])).ravel())[len(ids[0]) // 2 :]
    widest = int(np.argmax(np.diff(ahead)))
    model.margin = float(ahead[widest : widest + 2].mean())
    assert model.margin > 0 and np.diff(ahead)[widest] > 0.01
    return model


@pytest.mark.parametrize(("activation", "hidden", "penalties"), LAYERS_AND_PENALTIES)
@pytest.mark.parametrize("y", [IS_NOUN, None], ids=["labels", "none"])
def test_of_the_ranker(activation, hidden, penalties, y):
    l2, vectors_l2 = penalties
    params = {"activation": activation, "hidden": hidden, "l2": l2, "vectors_l2": vectors_l2}
    check(ranker_at_random(y, **params), y)


@pytest.mark.parametrize("train_vectors", [True, False])
def test_of_the_ranker_with_features(train_vectors):
    params = {"features": ("case", "suffix"), "train_vectors": train_vectors}
    check(ranker_at_random(IS_NOUN, **params), IS_NOUN)


# ---- All rows, by costs from scratch ----------------------------------------------------------------------


def windows_by_hand(parameters, values, sentences):
    """Three words' vectors and features side by side, for every word, and which rows of words are there."""
    value_of = {
        "vectors": str.lower,
        "case": lambda word: "lower" if word.islower() else "title",
        "suffix": lambda word: word.lower()[-3:],
    }
    x, occurring = [], set()
    for sentence in sentences:
        for t in range(len(sentence)):
            x.append([])
            for place in (t - 1, t, t + 1):
                for name, of in values.items():
                    row = 0
                    if 0 <= place < len(sentence):
                        value = value_of[name](sentence[place])
                        row = 2 + of.index(value) if value in of else 1
                    x[-1].extend(parameters[name][row])
                    if name == "vectors":
                        occurring.add(row)
    return np.array(x), occurring


def penalties_by_hand(parameters, start, occurring, l2, vectors_l2):
    cost = l2 * sum((parameters[name] ** 2).sum() for name in ("W1", "W2"))
    return cost + vectors_l2 * sum(((parameters["vectors"][i] - start[i]) ** 2).sum() for i in occurring)


def cross_entropy_by_hand(parameters, values, start, l2, vectors_l2):
    x, occurring = windows_by_hand(parameters, values, SENTENCES)
    scores = np.tanh(x @ parameters["W1"] + parameters["b1"]) @ parameters["W2"] + parameters["b2"]
    log_p = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    tags = "".join(map("".join, TAGS))
    cost = -np.mean([log_p[t, "DNV".index(tag)] for t, tag in enumerate(tags)])
    return cost + penalties_by_hand(parameters, start, occurring, l2, vectors_l2)


def hinge_by_hand(parameters, pairs, margin, start, l2, vectors_l2):
    scores = []
    for windows in pairs:
        x = np.array([np.concatenate([parameters["vectors"][row] for row in window]) for window in windows])
        scores.append(np.tanh(x @ parameters["W1"] + parameters["b1"]) @ parameters["W2"][:, 0])
    cost = np.mean([max(0, margin - s + corrupted) for s, corrupted in zip(*scores, strict=True)])
    return cost + penalties_by_hand(parameters, start, set(np.ravel(pairs)), l2, vectors_l2)


def check_all_rows(model, y, cost):
    """Compare with centred differences of a cost, over all parameters, rows that do not occur included."""
    parameters = model.parameters_
    value, gradients = model._cost_and_gradients(parameters, examples(model, y))
    assert value == pytest.approx(cost(), rel=1e-12)
    assert gradients.keys() == parameters.keys()
    for name, parameter in parameters.items():
        numeric = np.empty_like(parameter)
        for i in np.ndindex(parameter.shape):
            at = parameter[i]
            parameter[i] = at + 1e-4
            above = cost()
            parameter[i] = at - 1e-4
            numeric[i] = (above - cost()) / 2e-4
            parameter[i] = at
        gradient = gradients[name]
        if hasattr(gradient, "rows"):
            dense = np.zeros(parameter.shape)
            dense[gradient.rows] = gradient.values
            gradient = dense
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-9, err_msg=name)


def start_by_hand():
    vectors = some_vectors().vectors
    return np.vstack((np.zeros(5, np.float32), vectors.mean(axis=0), vectors))


@pytest.mark.parametrize("features", [(), ("case", "suffix")])
@pytest.mark.parametrize(("l2", "vectors_l2"), [(0, 0), (0.01, 0.05)])
def test_of_all_rows_is_that_of_a_cross_entropy_from_scratch(features, l2, vectors_l2):
    model = at_random(WindowClassifier, TAGS, features=features, l2=l2, vectors_l2=vectors_l2)
    values = {"vectors": WORDS} | {table.name: table.values for table in model._feature_tables}
    cost = partial(cross_entropy_by_hand, model.parameters_, values, start_by_hand(), l2, vectors_l2)
    check_all_rows(model, TAGS, cost)
    _, gradients = model._cost_and_gradients(model.parameters_, examples(model, TAGS))
    rows = [PADDING, UNKNOWN, *(FIRST_WORD + i for i, word in enumerate(WORDS) if word in OCCUR)]
    assert gradients["vectors"].rows.tolist() == rows


@pytest.mark.parametrize("y", [IS_NOUN, None], ids=["labels", "none"])
@pytest.mark.parametrize(("l2", "vectors_l2"), [(0, 0), (0.01, 0.05)])
def test_of_all_rows_is_that_of_a_hinge_from_scratch(y, l2, vectors_l2):
    model = ranker_at_random(y, l2=l2, vectors_l2=vectors_l2)
    *pairs, _ = examples(model, y)
    check_all_rows(
        model,
        y,
        partial(hinge_by_hand, model.parameters_, pairs, model.margin, start_by_hand(), l2, vectors_l2),
    )


# ---- The check can fail -----------------------------------------------------------------------------------


def too_large(sum_rows, ids, values):
    right = sum_rows(ids, values)
    return right._replace(values=1.02 * right.values)


def once_each(sum_rows, ids, values):
    _, first = np.unique(ids, return_index=True)
    return sum_rows(ids, values)._replace(values=values[first])


@pytest.mark.parametrize("wrong", [too_large, once_each])
@pytest.mark.parametrize("y", [TAGS, IS_NOUN, None], ids=["tags", "labels", "none"])
def test_the_check_can_fail_and_names_the_words(monkeypatch, wrong, y):
    model = at_random(WindowClassifier, y) if y is TAGS else ranker_at_random(y)
    check(model, y)
    wrap(monkeypatch, "sum_rows", wrong)
    report = model.check_gradient(SENTENCES, y)
    assert not report.ok(1e-3)
    assert report.worst[0] == "vectors"
    if wrong is too_large:
        assert report.max_relative_error == pytest.approx(0.02 / 2.02, rel=1e-3)


def test_the_check_finds_a_word_that_has_moved_from_its_start_unnoticed():
    model = at_random(WindowClassifier, TAGS, vectors_l2=0.05)
    cost = partial(
        cross_entropy_by_hand, model.parameters_, {"vectors": WORDS}, start_by_hand() + 1e-4, 0, 0.05
    )
    with pytest.raises(AssertionError):
        check_all_rows(model, TAGS, cost)
