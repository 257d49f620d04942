"""Gradients of looked-up rows are added up where the rows are, on every backend as NumPy does."""

import numpy as np
import pytest

from fastvec import kernels

WIDTHS = [1, 7, 8, 15, 16, 17, 33, 100]


@pytest.fixture
def add_rows(backend):
    return kernels.get("scatter", backend).add_rows


def check(add_rows, n_rows, places, width, dtype):
    """Assert that sums are those of NumPy, bit for bit since the order is the same, and return them."""
    random = np.random.default_rng([n_rows, len(places), width])
    before = random.standard_normal((n_rows, width)).astype(dtype)
    values = random.standard_normal((len(places), width)).astype(dtype)
    places = np.asarray(places, dtype=np.int64)
    expected, sums, given = before.copy(), before.copy(), values.copy()
    np.add.at(expected, places, values)
    assert add_rows(sums, places, values) is None
    np.testing.assert_array_equal(sums, expected)
    untouched = np.setdiff1d(np.arange(n_rows), places)
    assert sums[untouched].tobytes() == before[untouched].tobytes()
    assert values.tobytes() == given.tobytes()
    for row in np.unique(places):
        total = before[row].astype(np.float64) + values[places == row].astype(np.float64).sum(axis=0)
        np.testing.assert_allclose(sums[row], total, rtol=0, atol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", WIDTHS)
def test_rows_are_added_to_their_places(add_rows, width, dtype):
    check(add_rows, 9, [4, 0, 8, 2], width, dtype)
    check(add_rows, 9, np.random.default_rng(width).integers(0, 9, 50), width, dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", WIDTHS)
def test_places_that_repeat_get_every_row(add_rows, width, dtype):
    check(add_rows, 5, [3, 3], width, dtype)
    check(add_rows, 5, [1, 3, 1, 1, 3, 4, 1], width, dtype)
    check(add_rows, 1, [0] * 40, width, dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 8, 33])
def test_nothing_to_add_changes_nothing(add_rows, width, dtype):
    check(add_rows, 3, [], width, dtype)
    check(add_rows, 0, [], width, dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_without_numbers(add_rows, dtype):
    check(add_rows, 3, [2, 0, 2], 0, dtype)


def test_rows_that_are_not_named_keep_even_odd_bits(add_rows):
    odd = np.array([[-0.0, np.nan, np.inf, 1e-45]], np.float32)
    sums = np.concatenate((odd, np.zeros((1, 4), np.float32), odd))
    add_rows(sums, np.array([1, 1], np.int64), np.full((2, 4), 0.5, np.float32))
    assert sums[0].tobytes() == sums[2].tobytes() == odd.tobytes()
    np.testing.assert_array_equal(sums[1], np.ones(4))


def test_values_and_places_may_be_read_only(add_rows):
    places, values = np.array([1, 1], np.int64), np.ones((2, 3))
    places.flags.writeable = values.flags.writeable = False
    sums = np.zeros((2, 3))
    add_rows(sums, places, values)
    np.testing.assert_array_equal(sums, [[0, 0, 0], [2, 2, 2]])
