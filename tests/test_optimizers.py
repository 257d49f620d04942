"""Every rule against its formulas, one number at a time, and steps on some rows of a table."""

import math

import numpy as np
import pytest
from one_test import in_one_test

from fastvec import kernels
from fastvec.classify.networks.optimizers import OPTIMIZERS, Rows, sum_rows

RATES = [0.1, 0.1, 0.05, 0.2, 0.01, 0.1]
ALONE = [("sgd", 0.0), ("adagrad", 0.0)]  # rules for which a gradient of zero changes nothing
ALL = [("sgd", 0.0), ("sgd", 0.9), ("adagrad", 0.0), ("adam", 0.0)]

every_rule = pytest.mark.parametrize(("name", "momentum"), ALL)


def sgd(theta, gradients, momentum):
    v = 0.0
    for g, rate in zip(gradients, RATES, strict=False):
        v = momentum * v + g
        theta -= rate * v
    return theta


def adagrad(theta, gradients, _):
    s = 0.0
    for g, rate in zip(gradients, RATES, strict=False):
        s += g * g
        theta -= rate * g / (math.sqrt(s) + 1e-8)
    return theta


def adam(theta, gradients, _):
    m = v = 0.0
    for t, (g, rate) in enumerate(zip(gradients, RATES, strict=False), 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        theta -= rate * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return theta


FORMULAS = {"sgd": sgd, "adagrad": adagrad, "adam": adam}


def gradients_of(n, shape, dtype=np.float64, seed=0):
    """Gradients of very different sizes, a zero and a tiny one included."""
    random = np.random.default_rng(seed)
    made = random.standard_normal((n, *shape)) * 10 ** random.uniform(-4, 3, shape)
    made.reshape(n, -1)[:, 0] = 0
    made.reshape(n, -1)[:, 1] = 1e-9
    return made.astype(dtype)


def take_steps(name, momentum, start, gradients):
    """Return parameters after a step with each of the gradients."""
    parameters = {"W": start.copy()}
    optimizer = OPTIMIZERS[name](momentum)
    for gradient, rate in zip(gradients, RATES, strict=False):
        optimizer.step(kernels.optimizers, parameters, {"W": gradient}, rate)
    return parameters["W"]


@every_rule
def test_every_rule_does_what_its_formula_says(name, momentum):
    gradients = gradients_of(len(RATES), (3, 4))
    start = np.random.default_rng(1).standard_normal((3, 4))
    after = take_steps(name, momentum, start, gradients)
    for place in np.ndindex(start.shape):
        expected = FORMULAS[name](float(start[place]), gradients[(slice(None), *place)].tolist(), momentum)
        assert after[place] == pytest.approx(expected, rel=1e-12, abs=1e-14), place
    assert after[0, 0] == start[0, 0]  # its gradient is zero


@every_rule
def test_several_parameters_do_not_meddle_with_each_other(name, momentum):
    gradients = gradients_of(4, (2, 3))
    random = np.random.default_rng(2)
    parameters = {"W1": random.standard_normal((2, 3)), "b1": random.standard_normal(3)}
    alone = {"W1": take_steps(name, momentum, parameters["W1"], gradients)}
    alone["b1"] = take_steps(name, momentum, parameters["b1"], gradients[:, 0])
    optimizer = OPTIMIZERS[name](momentum)
    for gradient, rate in zip(gradients, RATES, strict=False):
        optimizer.step(kernels.optimizers, parameters, {"W1": gradient, "b1": gradient[0]}, rate)
    for key, expected in alone.items():
        np.testing.assert_array_equal(parameters[key], expected)


@every_rule
def test_single_precision_stays_single_and_in_place(name, momentum):
    start = np.random.default_rng(1).standard_normal((3, 4))
    gradients = gradients_of(len(RATES), (3, 4), np.float32)
    parameters = {"W": start.astype(np.float32)}
    array, given = parameters["W"], gradients.copy()
    optimizer = OPTIMIZERS[name](momentum)
    for gradient, rate in zip(gradients, RATES, strict=True):
        optimizer.step(kernels.optimizers, parameters, {"W": gradient}, rate)
    assert parameters["W"] is array
    assert {array.dtype, *(slot.dtype for slot in optimizer.memory["W"])} == {np.dtype(np.float32)}
    assert gradients.tobytes() == given.tobytes()
    double = take_steps(name, momentum, start, gradients.astype(np.float64))
    np.testing.assert_allclose(array, double, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-4, 1, 1e4])
def test_the_first_step_of_adam_is_about_the_learning_rate_whatever_the_gradient(scale):
    start, gradient = np.zeros(4), np.array([1, -2, 0.5, -0.1]) * scale
    after = take_steps("adam", 0.0, start, [gradient])
    np.testing.assert_allclose(after, -RATES[0] * np.sign(gradient), rtol=1e-2)


def test_momentum_is_what_velocity_is_left():
    for momentum in (0.0, 0.5, 1.0):
        gradient, nothing = np.ones(2), np.zeros(2)
        after = take_steps("sgd", momentum, np.zeros(2), [gradient, nothing])
        np.testing.assert_allclose(after, -(RATES[0] + RATES[1] * momentum))


# ---- Some rows of a table ---------------------------------------------------------------------------------


def some_rows(seed=3, dtype=np.float64):
    """Return gradients of some rows of a table of 8, other rows every time, and rows 2 and 6 never."""
    random = np.random.default_rng(seed)
    gradients = []
    for _ in RATES:
        rows = random.permutation([0, 1, 3, 4, 5, 7])[: random.integers(1, 6)]
        gradients.append(Rows(rows, random.standard_normal((len(rows), 3)).astype(dtype)))
    return gradients


def whole(gradient, shape):
    """Return the gradient of a whole table from that of some rows of it."""
    table = np.zeros(shape, gradient.values.dtype)
    table[gradient.rows] = gradient.values
    return table


@pytest.mark.parametrize(("name", "momentum"), ALONE)
def test_steps_on_rows_are_those_of_the_whole_gradient(name, momentum):
    start, gradients = np.random.default_rng(4).standard_normal((8, 3)), some_rows()
    sparse = take_steps(name, momentum, start, gradients)
    dense = take_steps(name, momentum, start, [whole(rows, (8, 3)) for rows in gradients])
    np.testing.assert_array_equal(sparse, dense)


@every_rule
def test_the_first_step_on_rows_is_that_of_the_whole_gradient(name, momentum):
    start, (first, *_) = np.random.default_rng(4).standard_normal((8, 3)), some_rows()
    sparse, dense = (take_steps(name, momentum, start, [rows]) for rows in (first, whole(first, (8, 3))))
    np.testing.assert_array_equal(sparse, dense)
    assert (sparse[first.rows] != start[first.rows]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_rule
def test_rows_without_a_gradient_do_not_move_by_a_bit(name, momentum, dtype):
    start = np.random.default_rng(4).standard_normal((8, 3)).astype(dtype)
    start[2, 0], start[6, 1] = -0.0, np.nan
    parameters, optimizer = {"E": start.copy()}, OPTIMIZERS[name](momentum)
    for rows, rate in zip(some_rows(dtype=dtype), RATES, strict=True):
        before = parameters["E"].copy()
        memory = [slot.copy() for slot in optimizer.memory.get("E", [])]
        optimizer.step(kernels.optimizers, parameters, {"E": rows}, rate)
        others = np.setdiff1d(np.arange(8), rows.rows)
        assert parameters["E"][others].tobytes() == before[others].tobytes()
        for slot, old in zip(optimizer.memory["E"], memory, strict=False):
            assert slot[others].tobytes() == old[others].tobytes()
        assert (parameters["E"][rows.rows] != before[rows.rows]).all()
    assert parameters["E"].dtype == dtype
    assert parameters["E"][[2, 6]].tobytes() == start[[2, 6]].tobytes()


def test_what_a_row_remembers_stands_still_while_it_has_no_gradient():
    """The compromise of the module's docstring: a row's velocity neither fades nor moves the row."""
    one, other = Rows(np.array([0]), np.ones((1, 2))), Rows(np.array([1]), np.ones((1, 2)))
    after = take_steps("sgd", 0.5, np.zeros((2, 2)), [one, other, one])
    np.testing.assert_allclose(after[0], -(RATES[0] + RATES[2] * 1.5))
    np.testing.assert_allclose(after[1], -RATES[1])


# ---- Rows that are looked up several times ----------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("backend_in_use", ["reference", None])
def test_rows_of_one_id_are_summed_up(dtype, backend_in_use, monkeypatch):
    if backend_in_use:
        monkeypatch.setenv("FASTVEC_BACKEND", backend_in_use)
    random = np.random.default_rng(5)
    for width in (1, 7, 16, 33):
        ids = random.integers(0, 12, 40).astype(np.int32) * 5
        values = random.standard_normal((40, width)).astype(dtype)
        found = sum_rows(ids, values)
        np.testing.assert_array_equal(found.rows, np.unique(ids))
        assert found.values.dtype == dtype
        expected = np.zeros((60, width), dtype)
        np.add.at(expected, ids, values)
        np.testing.assert_array_equal(whole(found, (60, width)), expected)


def test_rows_are_summed_up_of_any_memory_layout():
    values = np.arange(12.0).reshape(3, 4)
    for layout in (
        values.T,
        np.asfortranarray(values.T),
        values.T[:, ::-1][:, ::-1],
        np.repeat(values.T, 2, 1)[:, ::2],
    ):
        found = sum_rows(np.array([9, 2, 9, 2]), layout)
        np.testing.assert_array_equal(found.rows, [2, 9])
        np.testing.assert_array_equal(found.values, [[4, 12, 20], [2, 10, 18]])


def test_no_rows_are_no_gradient():
    found = sum_rows(np.empty(0, np.int32), np.empty((0, 3)))
    assert (found.rows.shape, found.values.shape) == ((0,), (0, 3))
    start = np.ones((2, 3))
    np.testing.assert_array_equal(take_steps("adam", 0.0, start, [found]), start)


# ---- Kernels ----------------------------------------------------------------------------------------------

# How many matrices a rule remembers, and its arguments besides the learning rate.
TAKES = {"sgd": (1, (0.9,)), "adagrad": (1, ()), "adam": (2, (3,))}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [None, [5, 0, 3], []])
@pytest.mark.parametrize("name", TAKES)
@in_one_test("width", [1, 7, 16, 33])
def test_every_backend_does_what_the_reference_does(compiled, width, name, rows, dtype):
    n_slots, more = TAKES[name]
    random = np.random.default_rng(width)
    which = None if rows is None else np.array(rows, np.int64)
    before = [random.uniform(0.1, 1, (6, width)).astype(dtype) for _ in range(1 + n_slots)]
    gradient = random.standard_normal((6 if rows is None else len(rows), width)).astype(dtype)
    expected, found = ([array.copy() for array in before] for _ in range(2))
    getattr(kernels.get("optimizers", "reference"), name)(*expected, gradient, which, 0.1, *more)
    getattr(kernels.get("optimizers", compiled), name)(*found, gradient, which, 0.1, *more)
    for array, other, start in zip(found, expected, before, strict=True):
        np.testing.assert_allclose(array, other, rtol=32 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)
        for row in [] if rows is None else {*range(6)} - {*rows}:
            assert array[row].tobytes() == start[row].tobytes()
