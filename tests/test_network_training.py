"""How networks are trained: early stopping, seeds, going on, divergence, progress and Ctrl-C."""

import signal

import numpy as np
import pytest
from inside import inner, set_sizes, wrap
from interrupts import can_be_interrupted, interrupt_at, interrupt_training_after
from sklearn.datasets import make_blobs

from fastvec import kernels
from fastvec.classify import NetworkClassifier, NetworkRegressor, SoftmaxClassifier

pytestmark = pytest.mark.any_backend(trains=True)

X, CLUSTERS = make_blobs(90, n_features=4, centers=3, cluster_std=1.5, random_state=0)
NOT_FINITE = np.where(np.arange(90 * 4).reshape(90, 4) == 17, np.nan, X)


def small(of=NetworkClassifier, **params):
    return of(**{"hidden": 5, "activation": "relu", "epochs": 3, **params})


BOTH = pytest.mark.parametrize("new", [SoftmaxClassifier, small], ids=["softmax", "two layers"])


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert array.tobytes() == second[name].tobytes(), name


def copy_of(parameters):
    return {name: array.copy() for name, array in parameters.items()}


# ---- Epochs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", ["linear", "constant"])
def test_every_epoch_visits_every_example_once_and_in_another_order(schedule, monkeypatch):
    batches, rates = [], []

    def cost(self, parameters, batch):
        batches.append(batch[0][:, 0].astype(int).tolist())
        return float(len(batches)), {}

    monkeypatch.setattr(NetworkClassifier, "_cost_and_gradients", cost)
    wrap(monkeypatch, "sgd_step", lambda *given: rates.append(given[-1]))
    model = NetworkClassifier(
        optimizer="sgd", epochs=3, batch_size=4, learning_rate=0.6, schedule=schedule, momentum=0.0
    )
    records = model.fit(np.arange(10)[:, np.newaxis], [0, 1] * 5).history_
    assert not model.interrupted_
    assert [len(batch) for batch in batches] == [4, 4, 2] * 3
    orders = [[place for batch in batches[i : i + 3] for place in batch] for i in (0, 3, 6)]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert len({*map(tuple, orders)}) == 3
    done = np.array([0, 4, 8, 10, 14, 18, 20, 24, 28]) / 30
    expected = 0.6 * (1 - done) if schedule == "linear" else np.full(9, 0.6)
    np.testing.assert_allclose(rates, expected, atol=1e-12)
    np.testing.assert_allclose([record.learning_rate for record in records], expected[::3])
    assert [record.epoch for record in records] == [1, 2, 3]
    assert [record.examples for record in records] == [10, 10, 10]
    np.testing.assert_allclose([record.loss for record in records], [1.8, 4.8, 7.8])


@pytest.mark.parametrize("schedule", ["linear", "constant"])
@pytest.mark.parametrize("at_once", [1, 50, 1 << 23])
def test_the_kernel_is_told_which_examples_and_how_fast(schedule, at_once, monkeypatch):
    set_sizes(monkeypatch, multiply_adds_at_once=at_once)
    kernel, calls = kernels.get("regression"), []
    real = kernel.train

    def watched(parameters, memory, X, y, order, batch_size, learning_rates, *more):
        assert [*map(len, (X, y))] == [10, 10]
        calls.append((order.tolist(), batch_size, learning_rates.tolist(), more))
        return real(parameters, memory, X, y, order, batch_size, learning_rates, *more)

    monkeypatch.setattr(kernel, "train", watched)
    model = SoftmaxClassifier(epochs=3, batch_size=4, learning_rate=0.6, schedule=schedule, l2=0.1)
    model.fit(np.arange(30).reshape(10, 3), [0, 1] * 5)
    # 4 examples of 3 features and 2 classes are 24 products
    batches = {1: [1, 1, 1], 50: [2, 1], 1 << 23: [3]}[at_once]
    assert [len(rates) for _, _, rates, _ in calls] == batches * 3
    orders = np.concatenate([order for order, *_ in calls]).reshape(3, 10)
    assert all(sorted(order) == list(range(10)) for order in orders.tolist())
    assert len({*map(tuple, orders.tolist())}) == 3
    done = np.array([0, 4, 8, 10, 14, 18, 20, 24, 28]) / 30
    expected = 0.6 * (1 - done) if schedule == "linear" else np.full(9, 0.6)
    np.testing.assert_allclose(np.concatenate([rates for _, _, rates, _ in calls]), expected, atol=1e-12)
    steps_before = np.cumsum([0, *(len(rates) for _, _, rates, _ in calls)])
    for (_, batch_size, _, more), n_steps in zip(calls, steps_before[:-1], strict=True):
        assert (batch_size, more) == (4, ("adam", 0.9, n_steps, 0.1))


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
def test_how_much_is_done_at_once_changes_no_bit(optimizer, monkeypatch):
    model = SoftmaxClassifier(optimizer=optimizer, l2=0.01, batch_size=7)
    whole = model.fit(X, CLUSTERS).parameters_
    set_sizes(monkeypatch, multiply_adds_at_once=1)
    assert_same(model.fit(X, CLUSTERS).parameters_, whole)


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
def test_softmax_regression_takes_the_steps_of_all_networks(optimizer, monkeypatch):
    params = {"optimizer": optimizer, "l2": 0.01, "epochs": 3, "learning_rate": 0.02}
    found = SoftmaxClassifier(**params).fit(X, CLUSTERS)
    for name in ("_steps", "_batches_at_once", "_train"):
        monkeypatch.setattr(SoftmaxClassifier, name, getattr(NetworkClassifier, name))
    expected = SoftmaxClassifier(**params).fit(X, CLUSTERS)
    for name, array in expected.parameters_.items():
        np.testing.assert_allclose(found.parameters_[name], array, rtol=1e-4, atol=1e-5)
    losses = [[epoch.loss for epoch in model.history_] for model in (found, expected)]
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_parameters_lie_in_memory_by_themselves():
    model = SoftmaxClassifier(epochs=2).fit(X, CLUSTERS)
    for _ in range(2):
        for array in model.parameters_.values():
            assert array.flags.c_contiguous and array.flags.owndata
        model.partial_fit(X, CLUSTERS)


# ---- Early stopping ---------------------------------------------------------------------------------------


@BOTH
def test_the_best_epoch_is_kept_and_the_rest_not_waited_for(new, monkeypatch):
    scores, seen = [0.5, 0.7, 0.6, 0.7, 0.65, 0.9, 0.9], []
    model = new(early_stopping=True, patience=3).set_params(epochs=7)

    def score(self, examples):
        seen.append(copy_of(self.parameters_))
        return scores[len(seen) - 1]

    monkeypatch.setattr(type(model), "_validation_score", score)
    model.fit(X, CLUSTERS)
    assert [epoch.validation_score for epoch in model.history_] == scores[:5]
    assert_same(model.parameters_, seen[1])
    seen.clear()
    model.set_params(patience=4).fit(X, CLUSTERS)
    assert len(model.history_) == 7
    assert_same(model.parameters_, seen[5])


@pytest.mark.parametrize("of", [NetworkClassifier, NetworkRegressor])
def test_noise_is_not_learned_for_long(of):
    y = np.random.default_rng(1).integers(0, 2, 90)
    model = small(of, early_stopping=True, validation_fraction=0.3, epochs=2000, learning_rate=0.02)
    scores = [epoch.validation_score for epoch in model.fit(X, y).history_]
    assert len(scores) == int(np.argmax(scores)) + 1 + model.patience < 2000
    assert {epoch.examples for epoch in model.history_} == {90 - 27}
    assert max(scores) <= (0 if of is NetworkRegressor else 1)


def test_what_is_held_out_is_apart_from_the_rest():
    groups = np.random.default_rng(0).integers(0, 20, 200)
    for n, fraction, of, expected in (
        (10, 0.3, None, 3),
        (2, 0.01, None, 1),
        (2, 0.9, None, 1),
        (200, 0.25, groups, 5),
    ):
        train, held_out = inner("split_held_out")(n, fraction, np.random.default_rng(1), of)
        np.testing.assert_array_equal(np.sort(np.concatenate((train, held_out))), np.arange(n))
        assert len(train) and len(held_out)
        names = np.arange(n) if of is None else of
        assert len(np.unique(names[held_out])) == expected
        assert not np.intersect1d(names[train], names[held_out]).size


def test_early_stopping_takes_two_examples():
    with pytest.raises(ValueError, match=r"early_stopping needs at least two examples or sentences, got 1"):
        small(NetworkRegressor, early_stopping=True).fit(X[:1], [1.0])


# ---- Seeds, and going on ----------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"early_stopping": True, "optimizer": "sgd"}])
@BOTH
def test_one_seed_gives_the_same_bits(new, params):
    first, second, other = (new(seed=seed, **params).fit(X, CLUSTERS).parameters_ for seed in (7, 7, 8))
    assert_same(first, second)
    assert not np.array_equal(first["W1"], other["W1"])


@BOTH
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_partial_fits_add_up_to_a_fit_with_a_constant_learning_rate(new, optimizer):
    whole = new(optimizer=optimizer, schedule="constant").set_params(epochs=4).fit(X, CLUSTERS)
    parts = new(optimizer=optimizer)
    for _ in range(4):
        assert parts.partial_fit(X, CLUSTERS, classes=[2, 0, 1]) is parts
    assert_same(whole.parameters_, parts.parameters_)
    assert [epoch.epoch for epoch in parts.history_] == [1, 2, 3, 4]
    assert [epoch.loss for epoch in parts.history_] == [epoch.loss for epoch in whole.history_]


@BOTH
def test_classes_may_come_later(new):
    model = new(learning_rate=0.05)
    for _ in range(30):
        for cluster in range(3):
            rows = cluster == CLUSTERS
            model.partial_fit(X[rows], CLUSTERS[rows], classes=[0, 1, 2, 9])
    np.testing.assert_array_equal(model.classes_, [0, 1, 2, 9])
    assert model.score(X, CLUSTERS) > 0.8


def test_numbers_are_learned_in_several_calls():
    model = small(NetworkRegressor, hidden=20, learning_rate=0.02)
    for _ in range(60):
        model.partial_fit(X / 10, X[:, :2])
    assert model.score(X / 10, X[:, :2]) > 0.9
    with pytest.raises(ValueError, match="y must have 2 numbers per row, as in fit, got 1"):
        model.partial_fit(X, CLUSTERS)


@BOTH
@pytest.mark.parametrize(
    ("points", "labels", "classes", "error", "message"),
    [
        (X, CLUSTERS + 1, None, ValueError, r"y must have labels of the classes \[0, 1, 2\], got \[3\]"),
        (X, CLUSTERS.astype(str), None, ValueError, r"y must have labels .*, got \['0', '1', '2'\]"),
        (X, CLUSTERS, [0, 1], ValueError, r"classes must be those of .*, \[0, 1, 2\], got \[0, 1\]"),
        (X[:, :3], CLUSTERS, None, ValueError, "X has 3 features, but .* is expecting 4"),
        (NOT_FINITE, CLUSTERS, None, ValueError, "Input X contains NaN"),
        (X * 1e37, CLUSTERS, None, FloatingPointError, "the cost became nan in epoch 4"),
    ],
)
def test_a_call_that_fails_changes_nothing(new, points, labels, classes, error, message):
    model, twin = (new(optimizer="sgd", learning_rate=100.0).set_params(epochs=3) for _ in range(2))
    for each in (model, twin):
        each.fit(X / 1000, CLUSTERS)
    before = copy_of(model.parameters_)
    with pytest.raises(error, match=message):
        model.partial_fit(points, labels, classes=classes)
    assert_same(model.parameters_, before)
    assert len(model.history_) == 3
    for each in (model, twin):
        each.partial_fit(X / 1000, CLUSTERS)
    assert_same(model.parameters_, twin.parameters_)


@BOTH
@pytest.mark.parametrize(
    ("points", "labels", "classes"),
    [(X, CLUSTERS, [0, 1]), (X * 1e37, CLUSTERS, None), (X[:, 0], CLUSTERS, None)],
)
def test_a_first_call_that_fails_leaves_nothing(new, points, labels, classes):
    model = new(optimizer="sgd", learning_rate=100.0)
    before = dict(vars(model))
    with pytest.raises((ValueError, FloatingPointError)):
        model.partial_fit(points, labels, classes=classes)
    assert vars(model) == before


def test_going_on_takes_the_steps_of_the_optimizer_that_is_set():
    model = SoftmaxClassifier(optimizer="adam", l2=0.0, batch_size=90).fit(X, CLUSTERS)
    model.set_params(optimizer="sgd", momentum=0.0, learning_rate=0.5)
    before, p = copy_of(model.parameters_), model.predict_proba(X)
    gradient = (p - np.eye(3)[CLUSTERS]).mean(axis=0)
    after = model.partial_fit(X, CLUSTERS).parameters_["b1"]
    np.testing.assert_allclose(after - before["b1"], -0.5 * gradient, atol=1e-5)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ({}, {"hidden": 6}, r"must not change after fit, but now require .*\(4, 6\).* instead of .*\(4, 5\)"),
        ({}, {"hidden": (5, 3)}, "must not change after fit"),
        ({"hidden": (5, 3)}, {"hidden": 5}, "must not change after fit"),
    ],
)
def test_going_on_with_another_network_is_refused(before, after, message):
    model = small(**before).fit(X, CLUSTERS)
    parameters = copy_of(model.parameters_)
    with pytest.raises(ValueError, match=message):
        model.set_params(**after).partial_fit(X, CLUSTERS)
    assert_same(model.parameters_, parameters)


# ---- Divergence -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("batch_size", [32, 90])
@BOTH
def test_training_that_diverges_says_why_and_keeps_what_was_learned(new, batch_size, early_stopping):
    model = new(optimizer="sgd", momentum=0.0, early_stopping=early_stopping).fit(X, CLUSTERS)
    learned, before = dict(vars(model)), copy_of(model.parameters_)
    model.set_params(batch_size=batch_size, learning_rate=1e38)
    message = r"the cost became (nan|inf) in epoch [12]: learning_rate=1e\+38 is probably too large, or"
    with pytest.raises(FloatingPointError, match=message):
        model.fit(X, CLUSTERS)
    assert_same(model.parameters_, before)
    assert vars(model) == learned | {"batch_size": batch_size, "learning_rate": 1e38}


def test_a_last_step_that_diverges_is_noticed():
    model = SoftmaxClassifier(optimizer="sgd", batch_size=90, epochs=1).fit(X / 1000, CLUSTERS)
    before, history = copy_of(model.parameters_), list(model.history_)
    model.set_params(learning_rate=1e38)
    for learn in (model.fit, model.partial_fit):
        with pytest.raises(
            FloatingPointError, match=r"W1 became NaN or infinite: learning_rate=1e\+38 is pro"
        ):
            learn(X * 1e3, CLUSTERS)
        assert_same(model.parameters_, before)
        assert model.history_ == history


# ---- Progress and interruption ----------------------------------------------------------------------------


@BOTH
def test_progress_is_shown_on_standard_error_when_asked_for(new, capsys):
    new().fit(X, CLUSTERS)
    assert capsys.readouterr() == ("", "")
    new(progress=True).set_params(epochs=2).fit(X, CLUSTERS)
    out, shown = capsys.readouterr()
    assert out == ""
    assert "epoch 2/2: loss" in shown and "examples/s" in shown and "held out" not in shown
    new(progress=True, early_stopping=True).fit(X, CLUSTERS)
    assert "held out " in capsys.readouterr().err


@can_be_interrupted
@pytest.mark.parametrize("early_stopping", [False, True])
@BOTH
def test_control_c_anywhere_loses_nothing(new, early_stopping, monkeypatch):
    model = new(early_stopping=early_stopping, patience=1_000_000).set_params(epochs=1_000_000)
    for batch in (1, 2, 100, 1000):
        message = r"interrupted in epoch \d+ of 1000000; what was learned is"
        with monkeypatch.context() as patch, pytest.warns(UserWarning, match=message):
            trained = (
                (kernels.get("regression"), "train")
                if isinstance(model, SoftmaxClassifier)
                else (type(model), "_cost_and_gradients")
            )
            calls = interrupt_at(patch, *trained, batch, None)
            model.fit(X, CLUSTERS)
        assert model.interrupted_
        assert len(calls) == batch
    assert model.score(X, CLUSTERS) > 0.8
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not model.partial_fit(X, CLUSTERS).interrupted_


@can_be_interrupted
@BOTH
def test_the_warning_points_at_the_line_that_called(new, monkeypatch):
    interrupt_training_after(monkeypatch, 0)
    with pytest.warns(UserWarning, match="training was interrupted") as caught:
        new().set_params(epochs=1_000_000).fit(X, CLUSTERS)
    assert caught[0].filename == __file__


@BOTH
@pytest.mark.parametrize("optimizer", ["adam", "adagrad"])
def test_gradients_whose_squares_overflow_are_noticed(new, optimizer):
    model = new(optimizer=optimizer).fit(X, CLUSTERS)
    before = copy_of(model.parameters_)
    with pytest.raises(
        FloatingPointError, match=r"the gradient of W[12] became too large for float32: X must be"
    ):
        model.fit(X * 1e25, CLUSTERS)
    assert_same(model.parameters_, before)
