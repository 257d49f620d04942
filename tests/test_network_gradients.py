"""Costs of the networks in closed form, and the gradient of every parameter against centred differences."""

import numpy as np
import pytest
from inside import without_derivative, wrap

from fastvec.classify import NetworkClassifier, NetworkRegressor, SoftmaxClassifier

pytestmark = pytest.mark.any_backend(trains=True)

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((6, 3)).astype(np.float32)
TARGETS = {
    "classes": np.array([0, 2, 1, 1, 2, 0]),
    "numbers": RANDOM.standard_normal(6),
    "rows of numbers": RANDOM.standard_normal((6, 2)),
}
NETWORKS = [(SoftmaxClassifier, {}, "classes")] + [
    (of, {"hidden": hidden, "activation": activation}, y)
    for hidden in (5, (4, 3))
    for activation in ("sigmoid", "tanh", "relu")
    for of, y in (
        (NetworkClassifier, "classes"),
        (NetworkRegressor, "numbers"),
        (NetworkRegressor, "rows of numbers"),
    )
]
PARAMETERS = ["W1", "b1", "W2", "b2", "W3", "b3"]

every_network = pytest.mark.parametrize(
    ("network", "params", "y"), NETWORKS, ids=[f"{n.__name__} {p} {y}" for n, p, y in NETWORKS]
)


def with_random_parameters(network, params, y, seed=1, l2=0.02):
    """Return a network that has seen the examples, all of its parameters drawn anew."""
    model = network(**params, l2=l2, epochs=1).fit(X, y)
    random = np.random.default_rng(seed)
    model.parameters_ = {
        name: random.standard_normal(array.shape).astype(np.float32)
        for name, array in model.parameters_.items()
    }
    return model


def deep(activation="tanh", l2=0.0):
    params = {"hidden": (4, 3), "activation": activation}
    return with_random_parameters(NetworkClassifier, params, TARGETS["classes"], l2=l2)


def check_gradient(model, y):
    """Finer differences than by default: the last digits of the smallest gradients count here."""
    return model.check_gradient(X, y, epsilon=1e-5)


# ---- Gradients --------------------------------------------------------------------------------------------


@every_network
@pytest.mark.parametrize("l2", [0, 0.02])
def test_the_gradient_of_every_parameter(network, params, y, l2):
    model = with_random_parameters(network, params, TARGETS[y], l2=l2)
    before = {name: array.copy() for name, array in model.parameters_.items()}
    report = check_gradient(model, TARGETS[y])
    assert report.max_relative_error < 1e-4, report
    assert report.checked == model.n_parameters_
    for name, array in model.parameters_.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, before[name])


@every_network
def test_the_gradient_where_training_has_led(network, params, y):
    model = network(**params, epochs=20, l2=0.01).fit(X, TARGETS[y])
    assert model.check_gradient(X, TARGETS[y]).ok(1e-4)


def test_a_sample_of_the_gradient():
    model = deep()
    report = model.check_gradient(X, TARGETS["classes"], sample=7, seed=2)
    assert report.checked == 7
    assert report == model.check_gradient(X, TARGETS["classes"], sample=7, seed=2)


# ---- The check can fail -----------------------------------------------------------------------------------


def breaking(monkeypatch, mistake):
    """Let a mistake change the gradients that come out of back-propagation."""

    def wrong(backward, *arguments, **options):
        gradients, to_inputs = backward(*arguments, **options)
        mistake(gradients)
        return gradients, to_inputs

    wrap(monkeypatch, "backward", wrong)


@pytest.mark.parametrize("name", PARAMETERS)
def test_two_percent_too_much_in_one_gradient_is_found_and_named(name, monkeypatch):
    model = deep()

    def mistake(gradients):
        gradients[name] *= 1.02

    breaking(monkeypatch, mistake)
    report = check_gradient(model, TARGETS["classes"])
    assert report.max_relative_error > 1e-3
    assert report.worst[0] == name


@pytest.mark.parametrize("name", PARAMETERS)
def test_an_error_in_a_single_number_is_found_and_placed(name, monkeypatch):
    model = deep()
    place = tuple(n - 1 for n in model.parameters_[name].shape)

    def mistake(gradients):
        gradients[name][place] *= 0.98

    breaking(monkeypatch, mistake)
    report = check_gradient(model, TARGETS["classes"])
    assert report.max_relative_error > 1e-3
    assert report.worst == (name, *place)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_a_derivative_that_is_left_out_is_found_below_it(activation, monkeypatch):
    model = deep(activation=activation)
    without_derivative(monkeypatch, activation)
    report = check_gradient(model, TARGETS["classes"])
    assert report.max_relative_error > 1e-3
    assert report.worst[0] in {"W1", "b1", "W2", "b2"}  # the last layer has none


def test_half_a_penalty_is_found_in_the_weights(monkeypatch):
    model = deep(l2=0.02)

    def half(penalty, parameters, gradients, l2):
        before = {name: gradient.copy() for name, gradient in gradients.items()}
        cost = penalty(parameters, gradients, l2)
        for name in gradients:
            gradients[name] = (gradients[name] + before[name]) / 2
        return cost

    wrap(monkeypatch, "penalty", half)
    report = check_gradient(model, TARGETS["classes"])
    assert report.max_relative_error > 1e-3
    assert report.worst[0] in {"W1", "W2", "W3"}


# ---- Costs and sizes --------------------------------------------------------------------------------------


def scores_of(model):
    """Run the layers one by one, in double precision."""
    f = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh, "relu": lambda z: z * (z > 0)}
    h = X.astype(np.float64)
    n = len(model.parameters_) // 2
    for i in range(1, n + 1):
        z = h @ model.parameters_[f"W{i}"] + model.parameters_[f"b{i}"]
        h = z if i == n else f[model.activation](z)
    return h


def mean_cost(model, y):
    scores = scores_of(model)
    if isinstance(model, NetworkRegressor):
        return np.sum((scores - y.reshape(6, -1)) ** 2) / 2 / 6
    log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(6), y])


@every_network
@pytest.mark.parametrize("batch_size", [6, 4, 1])
def test_the_loss_is_the_mean_cost_and_the_penalty_of_the_weights(network, params, y, batch_size):
    y = TARGETS[y]
    model = with_random_parameters(network, params, y, l2=0.3)
    cost = mean_cost(model, y)
    weights = sum(np.sum(model.parameters_[name] ** 2.0) for name in model.parameters_ if name[0] == "W")
    # a step so short that it changes nothing
    model.set_params(learning_rate=1e-30, batch_size=batch_size).partial_fit(X, y)
    assert model.history_[-1].loss == pytest.approx(cost + 0.3 * weights, rel=1e-5)
    assert model.history_[-1].examples == 6


@every_network
def test_one_step_of_plain_descent_is_minus_the_learning_rate_times_the_gradient(network, params, y):
    params = {**params, "optimizer": "sgd", "momentum": 0.0, "learning_rate": 0.1}
    model = with_random_parameters(network, params, TARGETS[y], l2=0)
    before = {name: array.astype(np.float64) for name, array in model.parameters_.items()}
    after = model.partial_fit(X, TARGETS[y]).parameters_
    for name, array in before.items():
        numeric = np.empty_like(array)
        for place in np.ndindex(array.shape):
            costs = []
            for step in (1e-5, -1e-5):
                moved = array.copy()
                moved[place] += step
                model.parameters_ = before | {name: moved}
                costs.append(mean_cost(model, TARGETS[y]))
            numeric[place] = (costs[0] - costs[1]) / 2e-5
        np.testing.assert_allclose((array - after[name]) / 0.1, numeric, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (SoftmaxClassifier(), (3 + 1) * 3),
        (NetworkClassifier(hidden=5), (3 + 1) * 5 + (5 + 1) * 3),
        (NetworkClassifier(hidden=(4, 3)), (3 + 1) * 4 + (4 + 1) * 3 + (3 + 1) * 3),
        (NetworkClassifier(hidden=[7]), (3 + 1) * 7 + (7 + 1) * 3),
    ],
)
def test_the_number_of_parameters(model, expected):
    assert model.fit(X, TARGETS["classes"]).n_parameters_ == expected
    assert expected == sum(array.size for array in model.parameters_.values())


def test_the_number_of_parameters_of_a_network_that_predicts_numbers():
    for y, outputs in (("numbers", 1), ("rows of numbers", 2)):
        model = NetworkRegressor(hidden=5).fit(X, TARGETS[y])
        assert model.n_parameters_ == (3 + 1) * 5 + (5 + 1) * outputs


def test_weights_start_within_glorots_bounds_and_biases_at_zero():
    x, y = RANDOM.standard_normal((40, 50)), [0, 1, 2, 3] * 10
    start = {"epochs": 1, "learning_rate": 1e-30}  # a step so short that it changes nothing
    parameters = NetworkClassifier(hidden=30, **start).fit(x, y).parameters_
    for name, (inputs, outputs) in {"W1": (50, 30), "W2": (30, 4)}.items():
        bound = np.sqrt(6 / (inputs + outputs))
        assert parameters[name].shape == (inputs, outputs)
        assert 0.95 * bound < np.abs(parameters[name]).max() <= bound
        assert abs(parameters[name].mean()) < 0.1 * bound
    assert np.abs(np.concatenate((parameters["b1"], parameters["b2"]))).max() < 1e-20
    linear = SoftmaxClassifier(**start).fit(x, y).parameters_
    assert max(np.abs(array).max() for array in linear.values()) < 1e-20
    assert {array.dtype for array in parameters.values()} == {np.dtype(np.float32)}
