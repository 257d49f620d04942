"""Networks on rows of features: what they learn, and what they refuse."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs, make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from fastvec.classify import (
    NetworkClassifier,
    NetworkRegressor,
    SoftmaxClassifier,
    TwoLayerClassifier,
    WindowClassifier,
    WindowRanker,
)

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
X, CLUSTERS = make_blobs(90, n_features=4, centers=3, cluster_std=1.5, random_state=0)
NOT_FINITE = np.where(np.arange(90 * 4).reshape(90, 4) == 17, np.nan, X)


def small(of=NetworkClassifier, **params):
    return of(**{"hidden": 5, "activation": "relu", "epochs": 3, **params})


BOTH = pytest.mark.parametrize("new", [SoftmaxClassifier, small], ids=["softmax", "two layers"])


# ---- Learning ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_a_hidden_layer_learns_xor(activation):
    model = small(hidden=16, activation=activation, epochs=400, learning_rate=0.05).fit(XOR, [0, 1, 1, 0])
    np.testing.assert_array_equal(model.predict(XOR), [0, 1, 1, 0])
    assert model.predict_proba(XOR).max(axis=1).min() > 0.9
    assert small(hidden=(8, 8), activation=activation, epochs=800, learning_rate=0.02).fit(
        XOR, [0, 1, 1, 0]
    ).score(XOR, [0, 1, 1, 0]) == 1  # fmt: skip


def test_no_hidden_layer_does_not_learn_xor():
    assert (
        SoftmaxClassifier(epochs=400, learning_rate=0.05).fit(XOR, [0, 1, 1, 0]).score(XOR, [0, 1, 1, 0]) < 1
    )


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
def test_blobs_are_told_apart_as_well_as_by_logistic_regression(optimizer):
    points, labels = make_blobs(800, n_features=5, centers=6, cluster_std=4, random_state=1)
    expected = (
        LogisticRegression(max_iter=1000).fit(points[:400], labels[:400]).score(points[400:], labels[400:])
    )
    assert 0.6 < expected < 0.98
    points /= points.std()
    for model in (SoftmaxClassifier(optimizer=optimizer), small(hidden=30, optimizer=optimizer)):
        model.set_params(epochs=30).fit(points[:400], labels[:400])
        assert model.score(points[400:], labels[400:]) > expected - 0.05


def test_moons_are_told_apart_as_well_as_by_scikit_learns_network():
    points, labels = make_moons(600, noise=0.2, random_state=0)
    other = MLPClassifier(20, learning_rate_init=0.02, max_iter=500, random_state=0)
    expected = other.fit(points[:300], labels[:300]).score(points[300:], labels[300:])
    linear = SoftmaxClassifier(epochs=100).fit(points[:300], labels[:300]).score(points[300:], labels[300:])
    assert linear < expected - 0.05
    for activation in ("sigmoid", "tanh", "relu"):
        model = small(hidden=20, activation=activation, epochs=150, learning_rate=0.1)
        assert model.fit(points[:300], labels[:300]).score(points[300:], labels[300:]) > expected - 0.03


def test_the_least_of_the_cost_is_that_of_logistic_regression():
    """scikit-learn's C Σ CE + ½ Σ θ² is the mean of CE + λ Σ θ², divided by 2λ, where C = 1 / 2λn."""
    l2, y = 0.01, np.array(["b", "c", "a"])[CLUSTERS]
    exact = LogisticRegression(C=1 / (2 * l2 * len(X)), tol=1e-8, max_iter=10_000).fit(X, y)
    model = SoftmaxClassifier(l2=l2, batch_size=90, epochs=3000, learning_rate=0.05).fit(X, y)
    np.testing.assert_allclose(model.parameters_["W1"].T, exact.coef_, atol=2e-3)
    np.testing.assert_allclose(model.predict_proba(X), exact.predict_proba(X), atol=2e-3)
    np.testing.assert_array_equal(model.classes_, exact.classes_)


def test_numbers_are_learned_of_one_column_and_of_several():
    x = np.linspace(-3, 3, 200)[:, np.newaxis]
    for y in (np.sin(x[:, 0]), np.sin(x), np.hstack((np.sin(x), np.abs(x), -x))):
        model = small(NetworkRegressor, hidden=30, activation="tanh", epochs=200).fit(x, y)
        assert model.score(x, y) > 0.95
        assert model.predict(x).shape == y.shape
        assert model.predict(x[:1]).shape == y[:1].shape


def test_the_penalty_shrinks_the_weights():
    for new in (SoftmaxClassifier, small):
        models = [new(l2=l2).set_params(epochs=100).fit(X, CLUSTERS) for l2 in (0, 0.01, 0.1, 1)]
        for name in models[0].parameters_:
            norms = [np.linalg.norm(model.parameters_[name]) for model in models]
            assert name[0] == "b" or norms == sorted(norms, reverse=True), name


@BOTH
def test_the_loss_falls_and_epochs_are_told_of(new):
    model = new(learning_rate=0.02).set_params(epochs=10).fit(X, CLUSTERS)
    assert model.history_[-1].loss < 0.8 * model.history_[0].loss
    assert [epoch.epoch for epoch in model.history_] == list(range(1, 11))
    assert {epoch.examples for epoch in model.history_} == {90}
    rates = [epoch.learning_rate for epoch in model.history_]
    np.testing.assert_allclose(rates, 0.02 * (1 - np.arange(10) / 10))
    assert all(epoch.seconds > 0 and epoch.validation_score is None for epoch in model.history_)
    assert not model.interrupted_
    model.set_params(schedule="constant").fit(X, CLUSTERS)
    assert {epoch.learning_rate for epoch in model.history_} == {0.02}
    assert {array.dtype for array in model.parameters_.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 0.1), ("adagrad", 0.05), ("adam", 0.005)])
def test_the_learning_rate_where_none_is_given(optimizer, rate):
    assert small(optimizer=optimizer).fit(X, CLUSTERS).history_[0].learning_rate == rate


@BOTH
def test_labels_are_of_any_kind(new):
    points = np.repeat(np.eye(3) * 4, 10, axis=0)
    for names in (
        [-5, 7, 300],
        ["b", "a", "a longer one"],
        [2.0, -1.0, 0.0],
        np.array(["x", "y", "z"], object),
    ):
        labels = np.repeat(names, 10)
        model = new(learning_rate=0.05).set_params(epochs=50).fit(points, labels)
        np.testing.assert_array_equal(model.classes_, np.unique(labels))
        assert model.predict(points).dtype == model.classes_.dtype == labels.dtype
        np.testing.assert_array_equal(model.predict(points), labels)
    model.fit(points[:20], np.repeat([True, False], 10))
    assert model.classes_.tolist() == [False, True]
    assert model.predict(points[[0, 15]]).tolist() == [True, False]


@BOTH
def test_scores_and_probabilities_say_the_same_as_the_labels(new):
    model = new().fit(X, CLUSTERS)
    p = model.predict_proba(X)
    assert (p.shape, p.dtype) == ((90, 3), np.float32)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(model.classes_[p.argmax(axis=1)], model.predict(X))
    assert model.score(X, CLUSTERS) == np.mean(model.predict(X) == CLUSTERS)


def test_scores_of_softmax_regression():
    model = SoftmaxClassifier().fit(X, CLUSTERS)
    scores = X @ model.parameters_["W1"] + model.parameters_["b1"]
    np.testing.assert_allclose(model.decision_function(X), scores, rtol=1e-4, atol=1e-5)
    model.fit(X, CLUSTERS == 1)
    scores = model.decision_function(X)
    assert scores.shape == (90,)
    np.testing.assert_array_equal(scores > 0, model.predict(X))
    np.testing.assert_allclose(1 / (1 + np.exp(-scores)), model.predict_proba(X)[:, 1], rtol=1e-4)


# ---- What they refuse -------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("points", "labels", "message"),
    [
        (X, np.ones(90), r"y must have at least two classes, got one class: \[1.0\]"),
        (X, X[:, 0], "Unknown label type"),
        (X, CLUSTERS[:80], "inconsistent numbers of samples"),
        (X, None, "requires y to be passed"),
        (X[:0], CLUSTERS[:0], r"Found array with 0 sample"),
        (NOT_FINITE, CLUSTERS, "Input X contains NaN"),
        (np.where(np.isnan(NOT_FINITE), np.inf, X), CLUSTERS, "Input X contains infinity"),
    ],
)
def test_examples_that_are_refused(new, points, labels, message):
    with pytest.raises(ValueError, match=message):
        new().fit(points, labels)


@BOTH
def test_rows_that_cannot_be_predicted(new):
    model = new()
    for use in (model.predict, model.predict_proba, lambda rows: model.check_gradient(rows, CLUSTERS)):
        with pytest.raises(ValueError, match="is not fitted yet"):
            use(X)
    with pytest.raises(AttributeError, match="is not fitted yet"):
        _ = model.n_parameters_
    model.fit(X, CLUSTERS)
    for use in (model.predict, model.predict_proba, lambda rows: model.check_gradient(rows, CLUSTERS)):
        with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 4 features"):
            use(X[:, :3])
        with pytest.raises(ValueError, match="Input X contains NaN"):
            use(NOT_FINITE)


NETWORKS = [NetworkClassifier, NetworkRegressor, SoftmaxClassifier, WindowClassifier, WindowRanker]
BAD = [
    ("hidden", 0, ValueError, "hidden must be an int >= 1, got 0"),
    ("hidden", (4, -1), ValueError, "hidden must be an int >= 1, got -1"),
    ("hidden", (5, "5"), TypeError, "hidden must be an int >= 1, got '5'"),
    ("hidden", 2.5, TypeError, "hidden must be an int >= 1, got 2.5"),
    ("hidden", [True], TypeError, "hidden must be an int >= 1, got True"),
    ("activation", "elu", ValueError, "activation must be one of 'sigmoid', 'tanh', 'relu', got 'elu'"),
    ("activation", None, TypeError, "activation must be one of 'sigmoid', 'tanh', 'relu', got None"),
    ("l2", -0.1, ValueError, "l2 must be a number >= 0, got -0.1"),
    ("l2", "0", TypeError, "l2 must be a number >= 0, got '0'"),
    ("optimizer", "lbfgs", ValueError, "optimizer must be one of 'sgd', 'adagrad', 'adam', got 'lbfgs'"),
    ("learning_rate", 0, ValueError, "learning_rate must be a number > 0, got 0"),
    ("learning_rate", np.inf, ValueError, "learning_rate must be a number > 0, got inf"),
    ("momentum", 1.5, ValueError, "momentum must be a number >= 0 and <= 1, got 1.5"),
    ("schedule", "cosine", ValueError, "schedule must be one of 'linear', 'constant', got 'cosine'"),
    ("batch_size", 0, ValueError, "batch_size must be an int >= 1, got 0"),
    ("batch_size", 32.0, TypeError, "batch_size must be an int >= 1, got 32.0"),
    ("epochs", 0, ValueError, "epochs must be an int >= 1, got 0"),
    ("early_stopping", 1, TypeError, "early_stopping must be True or False, got 1"),
    ("early_stopping", None, TypeError, "early_stopping must be True or False, got None"),
    ("validation_fraction", 0, ValueError, "validation_fraction must be a number > 0 and <= 0.9, got 0"),
    ("validation_fraction", 1, ValueError, "validation_fraction must be a number > 0 and <= 0.9, got 1"),
    ("patience", 0, ValueError, "patience must be an int >= 1, got 0"),
    ("seed", -1, ValueError, "seed must be an int >= 0, got -1"),
    ("seed", None, TypeError, "seed must be an int >= 0, got None"),
    ("progress", "yes", TypeError, "progress must be True or False, got 'yes'"),
    ("vectors", [[1, 2]], TypeError, "vectors must be Vectors or None, got [[1, 2]]"),
    ("window", -1, ValueError, "window must be an int from 0 to 1000, got -1"),
    ("window", 1.0, TypeError, "window must be an int from 0 to 1000, got 1.0"),
    ("features", "case", TypeError, "features must be a list or tuple of names, got 'case'"),
    ("features", None, TypeError, "features must be a list or tuple of names, got None"),
    ("features", 1, TypeError, "features must be a list or tuple of names, got 1"),
    ("features", ["cas"], ValueError, "features must be one of 'case', 'suffix', got 'cas'"),
    ("features", ["case"] * 2, ValueError, "features must be distinct, got ['case', 'case']"),
    ("train_vectors", 1, TypeError, "train_vectors must be True or False, got 1"),
    ("vectors_l2", -0.1, ValueError, "vectors_l2 must be a number >= 0, got -0.1"),
    ("vector_size", 0, ValueError, "vector_size must be an int from 1 to 4096, got 0"),
    ("min_count", 0, ValueError, "min_count must be an int >= 1, got 0"),
    ("margin", 0, ValueError, "margin must be a number > 0, got 0"),
    ("margin", "1", TypeError, "margin must be a number > 0, got '1'"),
]


@pytest.mark.parametrize(("parameter", "value", "error", "message"), BAD)
def test_bad_parameters_are_named(parameter, value, error, message):
    for network in (network for network in NETWORKS if parameter in network().get_params()):
        model = network(**{parameter: value})  # the constructor only stores
        before = dict(vars(model))
        for learn in (model.fit, model.partial_fit):
            with pytest.raises(error) as raised:
                learn(X, CLUSTERS)
            assert str(raised.value) == message
            assert vars(model) == before


def test_no_parameter_is_forgotten():
    assert {parameter for parameter, *_ in BAD} == {
        name for network in NETWORKS for name in network().get_params()
    }


@pytest.mark.parametrize("hidden", [(), []])
def test_a_network_has_a_hidden_layer(hidden):
    with pytest.raises(ValueError, match="hidden must"):
        small(hidden=hidden).fit(X, CLUSTERS)


def test_positions_are_no_parameters():
    for new in (SoftmaxClassifier, NetworkClassifier, NetworkRegressor, TwoLayerClassifier):
        with pytest.raises(TypeError, match="positional"):
            new(10)


# ---- The former name --------------------------------------------------------------------------------------


def test_the_former_name_makes_a_classifier_or_a_regressor():
    for made, of in (
        (TwoLayerClassifier(hidden=3), NetworkClassifier),
        (TwoLayerClassifier(hidden=3, loss="squared_error"), NetworkRegressor),
    ):
        assert type(made) is of and made.hidden == 3
        expected = of(hidden=3).fit(X, CLUSTERS).predict(X)
        np.testing.assert_array_equal(made.fit(X, CLUSTERS).predict(X), expected)
    with pytest.raises(ValueError, match="loss must be one of 'cross_entropy', 'squared_error', got 'hinge'"):
        TwoLayerClassifier(loss="hinge")
