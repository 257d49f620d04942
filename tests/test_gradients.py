"""One step moves both matrices by −η times the derivative of the loss, on every backend.

The derivative is that of `loss` below, an independent few lines in double precision, by centred differences
over every parameter of both matrices: words that do not take part and padding included. A step is exactly
linear in η, which makes the gradient (before − after) / η; η = 1 loses the least of it to rounding.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from fastvec import _backends

N_WORDS = 24
VECTOR_SIZES = [1, 7, 8, 15, 16, 17, 33, 100]
# (contexts, negatives) around the kernels' blocks of two contexts and six outputs
SHAPES = [
    (1, 0),
    (1, 1),
    (1, 5),
    (2, 6),
    (3, 5),
    (4, 20),
    (5, 0),
    (7, 11),
    (8, 1),
    (13, 6),
    (15, 5),
    (16, 5),
    (40, 11),
]
EDGE = 8  # of the sigmoid's range


@pytest.fixture
def step(backend):
    return _backends.get("skipgram", backend).step


def loss(inputs, outputs, contexts, center, negatives):
    """−Σ_c [log σ(x_c · y_center) + Σ_k log σ(−x_c · y_k)], a negative that is the centre being left out."""
    x = inputs[contexts]
    noise = outputs[negatives[negatives != center]]
    return np.logaddexp(0, -x @ outputs[center]).sum() + np.logaddexp(0, x @ noise.T).sum()


def numeric_gradient(matrices, window, epsilon=1e-5):
    """Centred differences of `loss` for every parameter of both matrices."""
    matrices = np.array(matrices, dtype=np.float64)
    gradient = np.empty_like(matrices)
    for i in np.ndindex(matrices.shape):
        value = matrices[i]
        matrices[i] = value + epsilon
        above = loss(*matrices, *window)
        matrices[i] = value - epsilon
        below = loss(*matrices, *window)
        matrices[i] = value
        gradient[i] = (above - below) / (2 * epsilon)
    return gradient


class Case(NamedTuple):
    """One window: where it starts from, and what should come out."""

    inputs: np.ndarray
    outputs: np.ndarray
    window: tuple  # contexts, centre, negatives
    gradient: np.ndarray
    loss: float


def check_step(step, case, padded, learning_rate=1.0):
    """Assert that a step moves by −η · gradient, everywhere, and returns the loss."""
    inputs, outputs = padded(case.inputs), padded(case.outputs)
    before = np.stack((inputs, outputs)).astype(np.float64)
    returned = step(inputs, outputs, *case.window, learning_rate)
    size = case.inputs.shape[1]
    gradient = (before - np.stack((inputs, outputs))) / learning_rate
    # float32 carries 2⁻²⁴ of a parameter, the sigmoid's table 3e-6 for each of the products that are added up
    tolerance = 1e-5 * np.abs(case.gradient).max() + 2.0**-23 * np.abs(before).max() / learning_rate
    np.testing.assert_allclose(gradient, case.gradient, rtol=1e-4, atol=tolerance)
    assert not inputs[:, size:].any() and not outputs[:, size:].any(), "padding has changed"
    untouched = np.setdiff1d(np.arange(N_WORDS), case.window[0])
    np.testing.assert_array_equal(inputs[untouched], padded(case.inputs)[untouched])
    untouched = np.setdiff1d(np.arange(N_WORDS), [case.window[1], *case.window[2]])
    np.testing.assert_array_equal(outputs[untouched], padded(case.outputs)[untouched])
    assert returned == pytest.approx(case.loss, rel=1e-6)


def build_case(vector_size, contexts, center, negatives, seed):
    random = np.random.default_rng(seed)
    matrices = random.standard_normal((2, N_WORDS, vector_size))
    # scores up to 4, inside the sigmoid's range: their size does not depend on vector_size
    matrices *= 2 / np.sqrt(np.abs(matrices[0] @ matrices[1].T).max())
    matrices = matrices.astype(np.float32)
    window = np.array(contexts, dtype=np.int32), int(center), np.array(negatives, dtype=np.int32)
    stride = -(-vector_size // 16) * 16
    every = np.pad(matrices, ((0, 0), (0, 0), (0, stride - vector_size)))
    return Case(*matrices, window, numeric_gradient(every, window), loss(*every.astype(np.float64), *window))


@cache
def random_case(vector_size, n_contexts, n_negatives):
    """Shuffled ids, distinct contexts as far as there are words, and now and then the same negative twice."""
    random = np.random.default_rng([vector_size, n_contexts, n_negatives])
    words = random.permutation(N_WORDS)
    contexts = words[:n_contexts] if n_contexts < N_WORDS else random.choice(words[:9], n_contexts)
    negatives = random.choice(words[5:], n_negatives)
    return build_case(vector_size, contexts, words[-1], negatives, seed=vector_size)


# contexts, centre, negatives: what a word can be besides itself
AWKWARD = {
    "a context twice": ([7, 3, 7], 11, [2, 19, 5, 0, 22]),
    "a context three times, another twice": ([7, 3, 7, 14, 3, 7], 11, [2, 19, 5, 0, 22]),
    "only one context, often": ([9] * 5, 23, [2, 19, 5, 0, 22]),
    "a negative twice": ([7, 3], 11, [2, 19, 2, 0, 22]),
    "a negative in two blocks": ([7, 3, 8], 11, [2, 19, 5, 0, 22, 17, 2, 19, 13, 1]),
    "the same negative always": ([7], 11, [6] * 11),
    "the centre among the negatives": ([7, 3], 11, [2, 11, 5, 0, 22]),
    "the centre in the second block": ([7, 3], 11, [2, 12, 5, 0, 22, 11, 9]),
    "only the centre as negatives": ([7, 3, 18], 11, [11, 11, 11]),
    "a context that is the centre": ([7, 11, 3], 11, [2, 19, 5, 0, 22]),
    "every context is the centre": ([11, 11], 11, [2, 19, 5, 0, 22]),
    "contexts that are negatives": ([7, 3, 2], 11, [2, 3, 7, 3, 22]),
    "everything is one word": ([4, 4, 4], 4, [4, 4]),
    "first and last word": ([0, 23], 0, [23, 23, 0, 0, 23]),
    "all at once": ([7, 11, 3, 7, 2], 11, [2, 11, 2, 7, 22, 11, 22, 22, 0, 3, 16, 2]),
}


@cache
def awkward_case(vector_size, name):
    return build_case(vector_size, *AWKWARD[name], seed=100 + vector_size)


@pytest.mark.parametrize("vector_size", VECTOR_SIZES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradient(step, padded, vector_size, shape):
    check_step(step, random_case(vector_size, *shape), padded)


@pytest.mark.parametrize("vector_size", [7, 33])
@pytest.mark.parametrize("name", AWKWARD)
def test_gradient_of_repeated_words(step, padded, vector_size, name):
    check_step(step, awkward_case(vector_size, name), padded)


@pytest.mark.parametrize("learning_rate", [0.025, 0.5, 3.0])
def test_gradient_at_other_learning_rates(step, padded, learning_rate):
    check_step(step, random_case(33, 7, 11), padded, learning_rate)
    check_step(step, awkward_case(33, "all at once"), padded, learning_rate)


@pytest.mark.parametrize("vector_size", [1, 16, 100])
def test_learning_rate_0_changes_nothing(step, padded, vector_size):
    for case in (
        random_case(vector_size, 7, 11),
        random_case(vector_size, 1, 5),
        random_case(vector_size, 40, 11),
    ):
        inputs, outputs = padded(case.inputs), padded(case.outputs)
        assert step(inputs, outputs, *case.window, 0.0) == pytest.approx(case.loss, rel=1e-6)
        assert inputs.tobytes() == padded(case.inputs).tobytes()
        assert outputs.tobytes() == padded(case.outputs).tobytes()


# ---- The sigmoid ------------------------------------------------------------------------------------------


def sigmoids(step, padded, scores):
    """σ of every score, once as 1 − (1 − σ) from the centre's update and once from a negative's.

    The first component of a context's vector carries the score, the second is 0 and takes the update.
    """
    values = []
    contexts = np.arange(len(scores), dtype=np.int32)[::-1].copy()
    for center, negatives in ((0, []), (1, [0])):  # word 1's vector is 0
        inputs = padded(np.stack((scores, np.zeros_like(scores)), axis=1))
        outputs = padded([[1, 1], [0, 0]])
        step(inputs, outputs, contexts, center, np.array(negatives, dtype=np.int32), 1.0)
        values.append(
            1 - inputs[:, 1].astype(np.float64) if center == 0 else -inputs[:, 1].astype(np.float64)
        )
    return values


def sigmoid(z):
    return 1 / (1 + np.exp(-np.asarray(z, dtype=np.float64)))


def test_error_of_the_sigmoid(step, padded):
    scores = np.linspace(-EDGE, EDGE, 100_001)
    scores = np.random.default_rng(0).permutation(scores.astype(np.float32))
    for block in np.array_split(scores, 200):
        for values in sigmoids(step, padded, block):
            assert np.abs(values - sigmoid(block)).max() < 3e-6


def test_gradient_saturates_and_does_not_vanish(step, padded):
    scores = np.array([-1e30, -1e4, -20, -8.1, -8, -7.9, 7.9, 8, 8.1, 20, 1e4, 1e30], dtype=np.float32)
    expected = sigmoid(np.clip(scores, -EDGE, EDGE))
    smallest = sigmoid(-EDGE)
    for values in sigmoids(step, padded, scores):
        np.testing.assert_allclose(values, expected, rtol=0, atol=3e-6)
        # a negative's gradient is σ > 0, the centre's is σ − 1 < 0, at any score
        assert values.min() > 0.98 * smallest
        assert (1 - values).min() > 0.98 * smallest


def test_loss_does_not_saturate(step, padded):
    scores = np.array([-100, -20, -8.1, 8.1, 20, 100], dtype=np.float32)
    for i, score in enumerate(scores.astype(np.float64)):
        inputs, outputs = padded(scores[:, None]), padded([[1]])
        context, none = np.array([i], dtype=np.int32), np.zeros(0, dtype=np.int32)
        assert step(inputs, outputs, context, 0, none, 0.0) == pytest.approx(
            np.log1p(np.exp(-score)), rel=1e-6
        )


# ---- The checks can fail ----------------------------------------------------------------------------------


def scaled(step):
    def broken(inputs, outputs, *window):
        before = inputs.copy(), outputs.copy()
        returned = step(inputs, outputs, *window)
        for matrix, start in zip((inputs, outputs), before, strict=True):
            matrix += np.float32(0.02) * (matrix - start)
        return returned

    return broken


def skipping(find_row):
    def wrap(step):
        def broken(inputs, outputs, contexts, center, negatives, learning_rate):
            matrix, row = find_row(inputs, outputs, contexts, center, negatives)
            before = matrix[row].copy()
            returned = step(inputs, outputs, contexts, center, negatives, learning_rate)
            matrix[row] = before
            return returned

        return broken

    return wrap


def with_window(change):
    def wrap(step):
        def broken(inputs, outputs, contexts, center, negatives, learning_rate):
            return step(inputs, outputs, *change(contexts, center, negatives), learning_rate)

        return broken

    return wrap


def touching_another(step):
    def broken(inputs, outputs, *window):
        returned = step(inputs, outputs, *window)
        outputs[int(np.setdiff1d(np.arange(N_WORDS), [window[1], *window[2]])[0]), 0] += np.float32(1e-6)
        return returned

    return broken


def touching_padding(step):
    def broken(inputs, outputs, *window):
        returned = step(inputs, outputs, *window)
        inputs[window[0][0], -1] = 1e-7
        return returned

    return broken


def immediate(step):
    """Contexts one after the other, each from what the one before has left."""

    def broken(inputs, outputs, contexts, *rest):
        return sum(step(inputs, outputs, contexts[c : c + 1], *rest) for c in range(len(contexts)))

    return broken


BROKEN = {
    "2 % too far": scaled,
    "no update of the centre": skipping(
        lambda inputs, outputs, contexts, center, negatives: (outputs, center)
    ),
    "no update of one negative": skipping(
        lambda inputs, outputs, contexts, center, negatives: (outputs, negatives[-1])
    ),
    "no update of one context": skipping(
        lambda inputs, outputs, contexts, center, negatives: (inputs, contexts[-1])
    ),
    "repeated contexts count once": with_window(
        lambda contexts, center, negatives: (np.unique(contexts), center, negatives)
    ),
    "repeated negatives count once": with_window(
        lambda contexts, center, negatives: (contexts, center, np.unique(negatives))
    ),
    "contexts one after the other": immediate,
    "loss 1e-5 too large": lambda step: lambda *arguments: step(*arguments) * 1.00001,
    "another row touched": touching_another,
    "padding touched": touching_padding,
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_check_itself_can_fail(step, padded, name):
    case = awkward_case(33, "all at once")
    check_step(step, case, padded)
    with pytest.raises(AssertionError):
        check_step(BROKEN[name](step), case, padded)


@pytest.mark.parametrize("vector_size", VECTOR_SIZES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_check_fails_at_every_size(padded, vector_size, shape):
    step = _backends.get("skipgram", "reference").step
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check_step(scaled(step), random_case(vector_size, *shape), padded)


def test_the_numeric_derivative_is_independent_of_the_kernels():
    """The derivative of a window that is done by hand: one context, no noise, x = y = (1)."""
    window = np.array([0], dtype=np.int32), 1, np.array([1, 1], dtype=np.int32)
    assert loss(np.ones((2, 1)), np.ones((2, 1)), *window) == pytest.approx(np.log1p(np.exp(-1)), rel=1e-12)
    gradient = numeric_gradient(np.ones((2, 2, 1)), window)
    error = -1 / (1 + np.e)  # σ(1) − 1
    np.testing.assert_allclose(gradient[:, :, 0], [[error, 0], [0, error]], atol=1e-9)
