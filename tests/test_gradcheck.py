import numpy as np
import pytest

from fastvec.gradcheck import gradcheck


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
