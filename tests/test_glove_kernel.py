"""GloVe's step: AdaGrad, number by number, against its formula in double precision.

That it follows the derivative of the loss is in ``test_gradients.py``, and what ``train`` makes of steps in
``test_glove_tiles.py``.
"""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

from fastvec import kernels

FIXED = 1e30  # accumulators of numbers that stay what they are


@pytest.fixture
def kernel(backend):
    return kernels.get("glove", backend)


class State(NamedTuple):
    """Everything that a step changes, under its names."""

    word_vectors: np.ndarray
    context_vectors: np.ndarray
    word_squares: np.ndarray
    context_squares: np.ndarray

    def copy(self):
        return State(*(matrix.copy() for matrix in self))


def random_state(seed, n_words, vector_size):
    """Rows of length 1 or so, of numbers that are not tiny; accumulators from 1 to 1e4, some fixed."""
    random = np.random.default_rng([seed, vector_size])
    shape = n_words, vector_size
    vectors, squares = [], []
    for _ in range(2):
        signs = random.choice([-1, 1], shape) / np.sqrt(vector_size)
        vectors.append(signs * random.uniform(0.1, 1.5, shape))
        squares.append(np.where(random.random(shape) < 0.2, FIXED, 10 ** random.uniform(0, 4, shape)))
    return State(*vectors, *squares)


def start_from(state, padded):
    """Copies as the kernels take them; the accumulators of the padding are ones."""
    made = State(*map(padded, state))
    for squares in made[2:]:
        squares[squares == 0] = 1
    return made


def adagrad(x, y, x_squares, y_squares, log_count, weight, learning_rate):
    """A step in double precision: how far x and y move, how much their accumulators grow, and J."""
    error = x @ y - log_count
    t, s = learning_rate * weight * error * y, learning_rate * weight * error * x
    return (-t / np.sqrt(x_squares), -s / np.sqrt(y_squares), t**2, s**2), weight * error**2 / 2


def check_step(step, start, word, context, log_count, weight, learning_rate):
    """Assert that a step does what the formula says, number by number, and leaves other rows alone."""
    after = start.copy()
    returned = step(*after, word, context, log_count, weight, learning_rate)
    rows = word, context, word, context
    before = [matrix[row].astype(np.float64) for matrix, row in zip(start, rows, strict=True)]
    changes, loss = adagrad(*before, log_count, weight, learning_rate)
    assert returned == pytest.approx(loss, rel=1e-5)
    for name, old, change, row in zip(State._fields, before, changes, rows, strict=True):
        matrix, unchanged = getattr(after, name), getattr(start, name)
        # float32 carries 2⁻²⁴ of a number
        excess = np.abs(matrix[row] - old - change) - 1e-5 * np.abs(change) - 2.0**-23 * np.abs(old)
        assert excess.max() <= 0, f"{name} is off by {excess.max()}"
        others = np.arange(len(matrix)) != row
        np.testing.assert_array_equal(matrix[others], unchanged[others], err_msg=name)
    for squares, of, row in (("word_squares", 0, word), ("context_squares", 1, context)):
        fixed = getattr(start, squares)[row] == np.float32(FIXED)
        np.testing.assert_array_equal(
            after[of][row, fixed], start[of][row, fixed], err_msg=f"fixed by {squares}"
        )
        np.testing.assert_array_equal(after[of + 2][row, fixed], start[of + 2][row, fixed], err_msg=squares)


STEPS = [
    {"word": 0, "context": 0, "log_count": 6.5, "weight": 1.0, "learning_rate": 0.05},
    {"word": 3, "context": 2, "log_count": -7.0, "weight": 0.03, "learning_rate": 0.05},
    {"word": 4, "context": 4, "log_count": 12.0, "weight": 0.6, "learning_rate": 0.75},
    {"word": 2, "context": 0, "log_count": 5.0, "weight": 1.0, "learning_rate": 3.0},
]


@pytest.mark.parametrize("vector_size", [1, 7, 8, 15, 16, 17, 33, 100, 300])
def test_adagrad(kernel, padded, vector_size):
    for arguments in STEPS:
        check_step(kernel.step, start_from(random_state(1, 5, vector_size), padded), **arguments)


def mistaken(mistake):
    """A step by the formula, some of whose results are replaced by those of a mistake."""

    def step(*arguments):
        rows = [
            matrix[row] for matrix, row in zip(arguments[:4], (*arguments[4:6], *arguments[4:6]), strict=True)
        ]
        x, y, gx, gy = (row.astype(np.float64) for row in rows)
        (dx, dy, tt, ss), loss = adagrad(x, y, gx, gy, *arguments[6:])
        found = {"dx": dx, "dy": dy, "tt": tt, "ss": ss, "loss": loss}
        found |= mistake(SimpleNamespace(x=x, y=y, gx=gx, gy=gy, rate=arguments[-1], **found))
        *changes, returned = found.values()
        for row, change in zip(rows, changes, strict=True):
            row += change
        return returned

    return step


MISTAKES = {
    "x 2 % too far": lambda step: {"dx": 1.02 * step.dx},
    "y 2 % too far": lambda step: {"dy": 1.02 * step.dy},
    "squares of x 2 % too large": lambda step: {"tt": 1.02 * step.tt},
    "squares of y 2 % too large": lambda step: {"ss": 1.02 * step.ss},
    "squares added before the division": lambda step: {
        "dx": step.dx * np.sqrt(step.gx / (step.gx + step.tt))
    },
    "squares without the learning rate": lambda step: {"ss": step.ss / step.rate**2},
    "no root": lambda step: {"dy": step.dy / np.sqrt(step.gy)},
    "y after x": lambda step: {"dy": step.dy * (1 + step.dx / np.where(step.x, step.x, 1))},
    "squares exchanged": lambda step: {"tt": step.ss, "ss": step.tt},
    "accumulators exchanged": lambda step: {"dx": step.dx * np.sqrt(step.gx / step.gy)},
    "what is fixed moves": lambda step: {"dx": step.dx + 1e-7 * (step.gx > 1e29)},
    "no ½": lambda step: {"loss": 2 * step.loss},
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_check_itself_can_fail(padded, mistake):
    for arguments in STEPS[2:]:
        start = start_from(random_state(1, 5, 33), padded)
        check_step(mistaken(lambda step: {}), start, **arguments)
        with pytest.raises(AssertionError):
            check_step(mistaken(MISTAKES[mistake]), start, **arguments)


@pytest.mark.parametrize("vector_size", [7, 16, 33, 100])
def test_squares_are_gathered(kernel, padded, vector_size):
    """Many steps of the same rows: the accumulators that one leaves are those of the next."""
    start = start_from(random_state(2, 1, vector_size), padded)
    trained = start.copy()
    expected = [matrix[0].astype(np.float64) for matrix in start]
    for k in range(40):
        arguments = 2.0 + k % 3, 0.5, 0.6
        changes, loss = adagrad(*expected, *arguments)
        expected = [old + change for old, change in zip(expected, changes, strict=True)]
        assert kernel.step(*trained, 0, 0, *arguments) == pytest.approx(loss, rel=1e-3)
    for name, matrix, numbers in zip(State._fields, trained, expected, strict=True):
        np.testing.assert_allclose(matrix[0], numbers, rtol=1e-4, atol=1e-6, err_msg=name)
    free = start.word_squares < FIXED
    assert (trained.word_squares / start.word_squares)[free].max() > 1.5


@pytest.mark.parametrize("vector_size", [1, 16, 100])
def test_learning_rate_0_changes_nothing(kernel, padded, vector_size):
    for arguments in STEPS:
        start = start_from(random_state(3, 5, vector_size), padded)
        after = start.copy()
        assert kernel.step(*after, **arguments | {"learning_rate": 0.0}) > 0
        assert [matrix.tobytes() for matrix in after] == [matrix.tobytes() for matrix in start]


@pytest.mark.parametrize("vector_size", [1, 14, 15, 100])
def test_biases_are_columns_beside_ones(kernel, padded, vector_size):
    """(w, b, 1) · (w̃, 1, b̃) = w · w̃ + b + b̃, and the biases take the learning rate too."""
    state = random_state(4, 2, vector_size)
    b, c = vector_size, vector_size + 1  # columns of the biases of words and of contexts
    start = start_from([np.pad(matrix, ((0, 0), (0, 2)), constant_values=1) for matrix in state], padded)
    start.word_vectors[:, b], start.context_vectors[:, c] = 0.25, -0.5
    start.word_squares[:, c] = start.context_squares[:, b] = FIXED
    check_step(kernel.step, start, 1, 0, 4.0, 0.5, 0.1)
    after = start.copy()
    error = start.word_vectors[1, :b] @ start.context_vectors[0, :b] + 0.25 - 0.5 - 4
    assert kernel.step(*after, 1, 0, 4.0, 0.5, 0.1) == pytest.approx(error**2 / 4, rel=1e-5)
    step = 0.1 * 0.5 * error
    assert after.word_vectors[1, b] == pytest.approx(0.25 - step, rel=1e-5)
    assert after.context_vectors[0, c] == pytest.approx(-0.5 - step, rel=1e-5)
    assert after.word_squares[1, b] == after.context_squares[0, c] == pytest.approx(1 + step**2, rel=1e-6)
    for k in range(300):
        kernel.step(*after, 1, 0, 2.0 * (-1) ** k, 1.0, 0.05)
    assert (after.word_vectors[:, c] == 1).all()
    assert (after.context_vectors[:, b] == 1).all()
