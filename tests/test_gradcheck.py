import numpy as np
import pytest

from fastvec.finite_differences import gradcheck

pytestmark = pytest.mark.any_backend(trains=True)


def cost(x):
    return np.sum(np.sin(x) * x), np.sin(x) + x * np.cos(x)


X = np.random.default_rng(0).standard_normal((3, 4, 2))


def test_a_right_gradient_passes():
    report = gradcheck(cost, X)
    assert report.ok()
    assert report.max_relative_error < 1e-6
    assert report.checked == X.size


def test_an_error_of_one_coordinate_is_found_and_named():
    def wrong(x):
        value, gradient = cost(x)
        gradient[2, 1, 0] *= 1.02
        return value, gradient

    report = gradcheck(wrong, X)
    assert not report.ok(1e-3)
    assert report.worst == (2, 1, 0)
    assert report.analytic == pytest.approx(1.02 * report.numeric)
    assert report.max_relative_error == pytest.approx(0.02 / 2.02, rel=1e-3)
    assert "at (2, 1, 0)" in str(report)


def test_a_gradient_that_should_not_be_zero_has_error_one():
    report = gradcheck(lambda x: (x @ x, np.zeros_like(x)), np.ones(3))
    assert report.max_relative_error == 1


def test_rows_that_are_not_used_must_have_a_gradient_of_zero():
    def first_row(x):
        gradient = np.zeros_like(x)
        gradient[0] = 2 * x[0]
        return x[0] @ x[0], gradient

    assert gradcheck(first_row, np.ones((3, 2))).ok()


def test_x_is_never_changed_and_a_shared_buffer_does_no_harm():
    before = X.copy()
    buffer = np.empty_like(X)

    def careless(x):
        value, gradient = cost(x)
        buffer[:] = gradient
        x[:] = np.nan
        return value, buffer

    assert gradcheck(careless, X).ok()
    np.testing.assert_array_equal(X, before)


def test_a_sample_is_drawn_without_repetition_and_by_seed():
    seen = []

    def record(x):
        seen.append(x.copy())
        return cost(x)

    assert gradcheck(record, X, sample=5, seed=3).checked == 5
    assert len({int(np.flatnonzero((x != X).ravel())[0]) for x in seen[1:]}) == 5
    again = gradcheck(cost, X, sample=5, seed=3)
    assert again == gradcheck(cost, X, sample=5, seed=3)
    assert gradcheck(cost, X, sample=10_000).checked == X.size


def test_scalars():
    report = gradcheck(lambda x: (x**3, 3 * x**2), 2.0)
    assert report.ok()
    assert report.worst == ()


@pytest.mark.parametrize(
    ("f", "x", "options", "error", "message"),
    [
        (lambda x: (0.0, x[:1]), X, {}, ValueError, r"shape of x, \(3, 4, 2\), got \(1, 4, 2\)"),
        (lambda x: (np.nan, x), X, {}, ValueError, "finite cost, got nan"),
        (
            lambda x: (0.0, np.full_like(x, np.inf)),
            X,
            {},
            ValueError,
            r"finite gradient, got inf at \(0, 0, 0\)",
        ),
        (lambda x: 0.0, X, {}, TypeError, r"a tuple \(cost, gradient\), got 0.0"),
        (cost, [], {}, ValueError, "x must have at least one element"),
        (cost, X, {"epsilon": 0}, ValueError, "epsilon must be a number > 0, got 0"),
        (cost, X, {"sample": 0}, ValueError, "sample must be an int >= 1, got 0"),
    ],
)
def test_errors(f, x, options, error, message):
    with pytest.raises(error, match=message):
        gradcheck(f, x, **options)


# ---- Several arrays by their names ------------------------------------------------------------------------


PARAMETERS = {"W": X[0], "b": X[1, 0], "empty": np.empty((2, 0)), "scale": np.float64(1.5)}


def named(parameters):
    """Sum of sin(W) + scale · W b + b³, with its gradients."""
    W, b, scale = parameters["W"], parameters["b"], parameters["scale"]
    gradients = {
        "scale": np.sum(W @ b),
        "empty": np.empty((2, 0)),
        "b": scale * W.sum(axis=0) + 3 * b**2,
        "W": np.cos(W) + scale * b,
    }
    return float(np.sin(W).sum() + scale * np.sum(W @ b) + np.sum(b**3)), gradients


def changed(name, change):
    """Return a function that is `named` with one gradient changed."""

    def f(parameters):
        cost, gradients = named(parameters)
        return cost, gradients | {name: change(gradients[name])}

    return f


def nan(array):
    return np.full_like(array, np.nan)


def test_a_right_gradient_of_several_arrays_passes():
    report = gradcheck(named, PARAMETERS)
    assert report.max_relative_error < 1e-6, report
    assert report.checked == X[0].size + X[1, 0].size + 1


@pytest.mark.parametrize(
    ("name", "index"), [("W", (0, 0)), ("W", (3, 1)), ("W", (2, 0)), ("b", (0,)), ("b", (1,)), ("scale", ())]
)
def test_an_error_in_one_of_several_arrays_is_found_and_named(name, index):
    def wrong(gradient):
        gradient = np.array(gradient)
        gradient[index] *= 1.02
        return gradient

    report = gradcheck(changed(name, wrong), PARAMETERS)
    assert report.worst == (name, *index)
    assert report.analytic == pytest.approx(1.02 * report.numeric)
    assert report.max_relative_error == pytest.approx(0.02 / 2.02, rel=1e-3)
    assert f"at {(name, *index)}" in str(report)


def test_gradients_that_are_swapped_or_transposed_are_found():
    def transposed(parameters):
        return float(np.sum(parameters["W"] * A)), {"W": A.T}

    A = np.arange(1.0, 10).reshape(3, 3)
    assert not gradcheck(transposed, {"W": np.ones((3, 3))}).ok(1e-2)


def test_named_arrays_are_never_changed_and_come_in_double_precision():
    before = {"W": X[0].astype(np.float32), "b": [0.5, -2]}
    start = {"W": before["W"].copy(), "b": [0.5, -2]}
    seen = set()

    def careless(parameters):
        cost, gradients = named(parameters | {"scale": np.float64(2)})
        seen.update((name, array.dtype, array.shape) for name, array in parameters.items())
        for array in parameters.values():
            array[...] = np.nan
        return cost, {"W": gradients["W"], "b": gradients["b"]}

    assert gradcheck(careless, start).ok()
    assert seen == {("W", np.dtype(np.float64), (4, 2)), ("b", np.dtype(np.float64), (2,))}
    assert start["b"] == before["b"]
    np.testing.assert_array_equal(start["W"], before["W"])


def test_a_sample_is_drawn_from_all_arrays_together():
    seen = set()

    def record(parameters):
        moved = [(name, i) for name, x in parameters.items() for i in np.flatnonzero(x != PARAMETERS[name])]
        seen.update(moved)
        return named(parameters)

    assert gradcheck(record, PARAMETERS, sample=6, seed=1).checked == len(seen) == 6
    assert gradcheck(named, PARAMETERS, sample=6, seed=1) == gradcheck(named, PARAMETERS, sample=6, seed=1)
    for seed in range(30):
        gradcheck(record, PARAMETERS, sample=3, seed=seed)
    assert len(seen) == 11  # an array is no more likely than its size says, and none is left out
    assert gradcheck(named, PARAMETERS, sample=100).checked == 11


@pytest.mark.parametrize(
    ("f", "x", "options", "error", "message"),
    [
        (
            lambda x: (0.0, {"W": x["W"]}),
            PARAMETERS,
            {},
            ValueError,
            "a dict of gradients of W, b, empty, scale",
        ),
        (
            lambda x: (0.0, {**x, "c": 1}),
            PARAMETERS,
            {},
            ValueError,
            "a dict of gradients of W, b, empty, scale",
        ),
        (lambda x: (0.0, [1.0]), {"W": 1.0}, {}, ValueError, r"a dict of gradients of W, got \[1.0\]"),
        (changed("b", lambda b: b[:1]), PARAMETERS, {}, ValueError, r"shape of b, \(2,\), got \(1,\)"),
        (changed("W", np.transpose), PARAMETERS, {}, ValueError, r"shape of W, \(4, 2\), got \(2, 4\)"),
        (changed("scale", lambda g: [g]), PARAMETERS, {}, ValueError, r"shape of scale, \(\), got \(1,\)"),
        (changed("b", nan), PARAMETERS, {}, ValueError, "a finite gradient of b, got"),
        (lambda x: (np.nan, x), PARAMETERS, {}, ValueError, "finite cost, got nan"),
        (lambda x: x, PARAMETERS, {}, TypeError, r"a tuple \(cost, gradient\)"),
        (named, {}, {}, ValueError, "x must have at least one element"),
        (named, {"W": np.empty(0)}, {}, ValueError, "x must have at least one element"),
        (named, PARAMETERS, {"epsilon": -1}, ValueError, "epsilon must be a number > 0, got -1"),
        (named, PARAMETERS, {"sample": 0}, ValueError, "sample must be an int >= 1, got 0"),
    ],
)
def test_errors_of_several_arrays(f, x, options, error, message):
    with pytest.raises(error, match=message):
        gradcheck(f, x, **options)
