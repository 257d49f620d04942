"""The functions of networks: closed forms, no overflow, the dtype that came in, every derivative checked."""

import numpy as np
import pytest

from fastvec.finite_differences import gradcheck
from fastvec.functional import (
    cross_entropy,
    hinge,
    relu,
    relu_derivative,
    sigmoid,
    sigmoid_derivative,
    softmax,
    squared_error,
    tanh,
    tanh_derivative,
)

pytestmark = pytest.mark.any_backend

ELEMENTWISE = [sigmoid, sigmoid_derivative, tanh, tanh_derivative, relu, relu_derivative]
PAIRS = [(sigmoid, sigmoid_derivative), (tanh, tanh_derivative), (relu, relu_derivative)]
RANDOM = np.random.default_rng(0)
SCORES = RANDOM.standard_normal((5, 4))
CLASSES = np.array([0, 3, 3, 1, 2])
DISTRIBUTIONS = RANDOM.dirichlet(np.ones(4), size=5)
HUGE = np.array([-1e30, -1e4, -100, 0, 100, 1e4, 1e30])

by_name = {"ids": lambda value: getattr(value, "__name__", None)}


def check(f, x):
    report = gradcheck(f, x, epsilon=1e-5)
    assert report.max_relative_error < 1e-6, report
    return report


# ---- Element by element -----------------------------------------------------------------------------------


def test_values_where_they_are_known():
    z = np.log([1, 2, 3, 1 / 2, 1 / 3])
    np.testing.assert_allclose(sigmoid(z), [1 / 2, 2 / 3, 3 / 4, 1 / 3, 1 / 4], rtol=1e-15)
    np.testing.assert_allclose(sigmoid_derivative(z), [1 / 4, 2 / 9, 3 / 16, 2 / 9, 3 / 16], rtol=1e-14)
    np.testing.assert_allclose(tanh(z), [0, 3 / 5, 4 / 5, -3 / 5, -4 / 5], rtol=1e-14)
    np.testing.assert_allclose(tanh_derivative(z), [1, 16 / 25, 9 / 25, 16 / 25, 9 / 25], rtol=1e-14)
    np.testing.assert_array_equal(relu([-2, 0, 3.5]), [0, 0, 3.5])
    np.testing.assert_array_equal(relu_derivative([-2, 0, 3.5]), [0, 0, 1])


def test_tanh_is_a_sigmoid_of_twice_the_score():
    z = np.linspace(-6, 6, 101)
    np.testing.assert_allclose(tanh(z), 2 * sigmoid(2 * z) - 1, rtol=0, atol=1e-15)
    np.testing.assert_allclose(tanh_derivative(z), 4 * sigmoid_derivative(2 * z), rtol=1e-9)


def test_sigmoids_of_a_score_and_of_its_negative_sum_up_to_one():
    z = np.linspace(-40, 40, 801)
    np.testing.assert_allclose(sigmoid(z) + sigmoid(-z), 1, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_sigmoid_keeps_its_digits_where_it_is_small(dtype):
    z = np.array([-20, -40, -80], dtype)
    np.testing.assert_allclose(sigmoid(z), np.exp(z), rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sign", [1, -1])
def test_derivatives_keep_their_digits_on_either_side(sign, dtype):
    z = np.array([1, 5, 10, 15, 30], dtype)
    for derivative, exact in (
        (sigmoid_derivative, 0.25 / np.cosh(z.astype(np.float64) / 2) ** 2),
        (tanh_derivative, 1 / np.cosh(z.astype(np.float64)) ** 2),
    ):
        np.testing.assert_allclose(derivative(sign * z), exact, rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_scores_saturate_without_a_warning(dtype):
    z = HUGE.astype(dtype)
    np.testing.assert_allclose(sigmoid(z), [0, 0, 0, 0.5, 1, 1, 1], rtol=0, atol=1e-40)
    np.testing.assert_allclose(sigmoid_derivative(z), [0, 0, 0, 0.25, 0, 0, 0], rtol=0, atol=1e-40)
    np.testing.assert_array_equal(tanh(z), [-1, -1, -1, 0, 1, 1, 1])
    np.testing.assert_allclose(tanh_derivative(z), [0, 0, 0, 1, 0, 0, 0], rtol=0, atol=1e-40)
    np.testing.assert_array_equal(relu(z), np.maximum(z, 0))
    np.testing.assert_array_equal(relu_derivative(z), [0, 0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize("f", ELEMENTWISE, **by_name)
def test_shape_and_dtype_are_those_of_the_scores(f):
    for dtype in (np.float32, np.float64):
        for shape in ((3,), (0,), (2, 3), (2, 1, 2)):
            result = f(np.ones(shape, dtype))
            assert (result.shape, result.dtype) == (shape, dtype)
    assert f([1, 2]).dtype == f(3).dtype == np.float64
    before = SCORES.copy()
    assert not np.shares_memory(f(SCORES), SCORES)
    np.testing.assert_array_equal(SCORES, before)


@pytest.mark.parametrize(("f", "derivative"), PAIRS, **by_name)
def test_derivatives_are_those_of_centred_differences(f, derivative):
    z = np.array([[-6.0, -2.5, -0.3], [0.2, 1.7, 5.0]])
    check(lambda z: (float(f(z).sum()), derivative(z)), z)


# ---- Softmax and cross-entropy ----------------------------------------------------------------------------


def test_softmax_of_logarithms_is_their_share():
    np.testing.assert_allclose(softmax(np.log([1, 2, 5])), [1 / 8, 2 / 8, 5 / 8], rtol=1e-14)
    np.testing.assert_allclose(
        softmax(np.log([[[1, 1]], [[1, 3]]])), [[[0.5, 0.5]], [[0.25, 0.75]]], rtol=1e-14
    )
    np.testing.assert_array_equal(softmax([[7.0], [-1e30]]), [[1], [1]])


def test_softmax_of_two_scores_is_the_sigmoid_of_their_difference():
    z = RANDOM.standard_normal((50, 2)) * 5
    np.testing.assert_allclose(softmax(z)[:, 1], sigmoid(z[:, 1] - z[:, 0]), rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_and_cross_entropy_keep_the_dtype(dtype):
    z = SCORES.astype(dtype)
    assert softmax(z).dtype == dtype
    for y in (CLASSES, CLASSES.astype(np.uint8), DISTRIBUTIONS, DISTRIBUTIONS.astype(np.float32)):
        cost, gradient = cross_entropy(z, y)
        assert type(cost) is float
        assert gradient.dtype == dtype
    assert softmax([1, 2]).dtype == cross_entropy([[1, 2]], [0])[1].dtype == np.float64


@pytest.mark.parametrize("constant", [1e3, -1e3, 1e6])
def test_a_constant_added_to_all_scores_changes_nothing(constant):
    np.testing.assert_allclose(softmax(SCORES + constant), softmax(SCORES), rtol=1e-8)
    for y in (CLASSES, DISTRIBUTIONS):
        (cost, gradient), (expected, same) = cross_entropy(SCORES + constant, y), cross_entropy(SCORES, y)
        assert cost == pytest.approx(expected, rel=1e-8)
        np.testing.assert_allclose(gradient, same, rtol=0, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_scores_overflow_nowhere(dtype):
    z = np.array([[1e4, 0, 1e4], [-1e30, -1e30, 1e30], [-1e4, -1e4 - 1, -2e4]], dtype)
    e = np.exp(-1)
    expected = [[0.5, 0, 0.5], [0, 0, 1], [1 / (1 + e), e / (1 + e), 0]]
    np.testing.assert_allclose(softmax(z), expected, rtol=1e-6)
    cost, gradient = cross_entropy(z, [0, 2, 0])
    assert cost == pytest.approx(np.log(2) + 0 + np.log(1 + e), rel=1e-6)
    np.testing.assert_allclose(gradient, expected - np.eye(3)[[0, 2, 0]], rtol=1e-6, atol=1e-7)
    # of a class that is as good as excluded, the cost is how far its score is behind
    assert cross_entropy(z[:1], [1])[0] == pytest.approx(1e4 + np.log(2), rel=1e-6)
    assert cross_entropy(z[1:2], [0])[0] == pytest.approx(2e30, rel=1e-6)


def test_a_class_that_is_ruled_out_costs_nothing_where_it_is_not_the_right_one():
    z = [[0.0, 0.0, -np.inf]]
    np.testing.assert_array_equal(softmax(z), [[0.5, 0.5, 0]])
    for y in ([0], [[1.0, 0, 0]]):
        cost, gradient = cross_entropy(z, y)
        assert cost == pytest.approx(np.log(2))
        np.testing.assert_array_equal(gradient, [[-0.5, 0.5, 0]])


def test_cross_entropy_in_closed_form():
    z = np.log([[1, 2, 5], [3, 3, 2]])
    cost, gradient = cross_entropy(z, [2, 0])
    assert cost == pytest.approx(np.log(8 / 5) + np.log(8 / 3))
    np.testing.assert_allclose(gradient, [[1 / 8, 2 / 8, -3 / 8], [-5 / 8, 3 / 8, 2 / 8]], rtol=1e-14)
    cost, gradient = cross_entropy(z[:1], [[0.5, 0.25, 0.25]])
    assert cost == pytest.approx(np.log(8) / 2 + np.log(4) / 4 + np.log(8 / 5) / 4)
    np.testing.assert_allclose(gradient, [[-3 / 8, 0, 3 / 8]], rtol=0, atol=1e-15)


def test_a_class_is_a_distribution_that_is_sure():
    for one_hot in (np.eye(4)[CLASSES], np.eye(4, dtype=int)[CLASSES]):
        (cost, gradient), (expected, same) = cross_entropy(SCORES, one_hot), cross_entropy(SCORES, CLASSES)
        assert cost == pytest.approx(expected, rel=1e-14)
        np.testing.assert_allclose(gradient, same, rtol=0, atol=1e-15)


def test_costs_are_sums_over_the_examples_and_no_examples_cost_nothing():
    cost, gradient = cross_entropy(SCORES, CLASSES)
    parts = [cross_entropy(SCORES[[i]], CLASSES[[i]]) for i in range(5)]
    assert cost == pytest.approx(sum(part for part, _ in parts))
    np.testing.assert_allclose(gradient, np.concatenate([part for _, part in parts]), rtol=1e-14)
    cost, gradient = cross_entropy(np.empty((0, 4)), np.empty(0, int))
    assert (cost, gradient.shape) == (0, (0, 4))


def test_a_sum_of_many_costs_in_single_precision_keeps_its_digits():
    n = 1 << 20
    assert cross_entropy(np.zeros((n, 2), np.float32), np.zeros(n, int))[0] == pytest.approx(
        n * np.log(2), 1e-7
    )
    assert squared_error(np.full(n, 0.1, np.float32), np.zeros(n))[0] == pytest.approx(0.005 * n, 1e-7)
    assert hinge(np.full(n, 0.9, np.float32), np.zeros(n, np.float32))[0] == pytest.approx(0.1 * n, 1e-6)


@pytest.mark.parametrize("y", [CLASSES, DISTRIBUTIONS], ids=["classes", "distributions"])
def test_the_gradient_of_cross_entropy(y):
    check(lambda z: cross_entropy(z, y), SCORES)
    check(lambda z: cross_entropy(z + 1000, y), SCORES)


# ---- The other losses -------------------------------------------------------------------------------------


def test_squared_error():
    cost, gradient = squared_error([[1.0, 2.0], [3.0, -1.0]], [[1, 0], [0, 0]])
    assert cost == 0.5 * (0 + 4 + 9 + 1)
    np.testing.assert_array_equal(gradient, [[0, 2], [3, -1]])
    assert squared_error(np.ones(2, np.float32), np.zeros(2))[1].dtype == np.float32
    assert squared_error(np.ones(2), np.zeros(2, np.float32))[1].dtype == np.float64
    assert squared_error([1, 2], [1, 2])[1].dtype == np.float64
    assert squared_error(np.float32([1e30]), np.float32([0]))[0] == pytest.approx(5e59, rel=1e-6)
    check(lambda x: squared_error(x, DISTRIBUTIONS), SCORES)


def test_hinge():
    s, s_corrupt = [2.0, 0.5, -1.0, 0.0], [0.5, 0.0, 3.0, -1.0]
    cost, gradient, gradient_corrupt = hinge(s, s_corrupt)
    assert cost == 0 + 0.5 + 5 + 0
    np.testing.assert_array_equal(gradient, [0, -1, -1, 0])
    np.testing.assert_array_equal(gradient_corrupt, [0, 1, 1, 0])
    assert hinge(s, s_corrupt, margin=0.25)[0] == 4.25
    assert hinge(s, s_corrupt, margin=2)[0] == 0.5 + 1.5 + 6 + 1
    assert {part.dtype for part in hinge(np.float32(s), np.float32(s_corrupt))[1:]} == {np.dtype(np.float32)}
    assert {part.dtype for part in hinge([1, 2], [2, 2])[1:]} == {np.dtype(np.float64)}


@pytest.mark.parametrize("margin", [1.0, 0.1, 3.0])
def test_the_gradient_of_hinge(margin):
    s = RANDOM.standard_normal((6, 2)) * 2
    # either side of the kink, and never on it
    s_corrupt = s - margin + np.where(RANDOM.random(s.shape) < 0.5, -1, 1) * RANDOM.uniform(0.01, 2, s.shape)

    def f(scores):
        cost, gradient, gradient_corrupt = hinge(scores["s"], scores["s_corrupt"], margin)
        return cost, {"s": gradient, "s_corrupt": gradient_corrupt}

    assert check(f, {"s": s, "s_corrupt": s_corrupt}).checked == 24
    assert 0 < np.sum(f({"s": s, "s_corrupt": s_corrupt})[1]["s"] == 0) < 12


# ---- Errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "arguments", "message"),
    [
        (cross_entropy, ([1.0, 2.0], [0]), r"z must have the shape \(n, K\), got \(2,\)"),
        (cross_entropy, (SCORES, [0, 1]), r"y must be 5 whole numbers, .*, got int64 of shape \(2,\)"),
        (cross_entropy, (SCORES, np.ones(5)), r"y must be 5 whole numbers, .*, got float64 of shape \(5,\)"),
        (cross_entropy, (SCORES, np.ones(5, bool)), "y must be 5 whole numbers, .*, got bool of shape"),
        (cross_entropy, (SCORES, [0, 1, 2, 3, 4]), "y must be classes from 0 to 3, got 0 to 4"),
        (cross_entropy, (SCORES, [0, 1, 2, 3, -1]), "y must be classes from 0 to 3, got -1 to 3"),
        (
            cross_entropy,
            (SCORES, np.ones((5, 3))),
            r"y must have the shape of z, \(5, 4\), or \(5,\), got \(5, 3\)",
        ),
        (cross_entropy, (SCORES, 1), r"y must have the shape of z, \(5, 4\), or \(5,\), got \(\)"),
        (
            squared_error,
            (SCORES, np.ones(4)),
            r"y must have the shape of the prediction, \(5, 4\), got \(4,\)",
        ),
        (hinge, ([1.0, 2.0], [1.0]), r"s_corrupt must have the shape of s, \(2,\), got \(1,\)"),
    ],
)
def test_errors(f, arguments, message):
    with pytest.raises(ValueError, match=message):
        f(*arguments)
