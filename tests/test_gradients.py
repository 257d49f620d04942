"""One step moves every matrix by −η times the derivative of the loss, for every objective on every backend.

The derivative is that of the losses in ``objectives.py``, a few lines of double precision each, by centred
differences over every parameter of all matrices: rows that do not take part and padding included. A step is
exactly linear in η, which makes the gradient (before − after) / η; η = 1 loses the least of it to rounding.
Where rows move in turn, a step is a polynomial of second degree in η; η and η / 2 give its linear part.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from in_turn import ERRORS
from objectives import GLOVE, N_WORDS, OBJECTIVES, SOFTMAX, Objective, batch, numeric_gradient, pair
from one_test import in_one_test

from fastvec import kernels

pytestmark = pytest.mark.every_backend

VECTOR_SIZES = [1, 7, 8, 15, 16, 17, 33, 100]
EDGE = 8  # of the sigmoid's range


def for_every(name="", rows_of=None, objectives=OBJECTIVES):
    """Parametrize a test over objectives; in each it goes through what `rows_of` says of one under a name."""
    if rows_of is not None:
        objectives = [objective for objective in objectives if rows_of(objective)]
    parametrize = pytest.mark.parametrize("objective", objectives, ids=str)
    if rows_of is None:
        return parametrize
    return lambda test: parametrize(in_one_test(name, rows_of)(test))


every_shape = for_every("shape", lambda objective: objective.shapes)
LOGISTIC = [objective for objective in OBJECTIVES if objective.label]
SCALABLE = [objective for objective in OBJECTIVES if "scale_gradient" in objective.awkward["all at once"]]
AVERAGING = [
    objective for objective in SCALABLE if objective.n_averaged(objective.awkward["all at once"]) > 1
]


@pytest.fixture
def step(backend, objective):
    return kernels.get(objective.kernel, backend).step


class Case(NamedTuple):
    """One step: where it starts from, and what should come out."""

    objective: Objective
    matrices: dict  # float32, not padded
    arguments: dict
    gradient: dict
    loss: float


def start_from(case, padded):
    """Return copies of the matrices as a step takes them, and ones for its accumulators."""
    matrices = {name: padded(matrix) for name, matrix in case.matrices.items()}
    squares = {name: padded(np.ones_like(matrices[of])) for name, of in case.objective.squares.items()}
    return matrices, squares


def take(step, case, padded, learning_rate):
    """Return the matrices after a step, and what it returns."""
    matrices, squares = start_from(case, padded)
    return matrices, step(**matrices, **squares, **case.arguments, learning_rate=learning_rate)


def check_step(step, case, padded, learning_rate=1.0):
    """Assert that a step moves by −η · gradient, everywhere, and returns the loss."""
    matrices, returned = take(step, case, padded, learning_rate)
    if str(case.objective) in ERRORS:
        halfway, _ = take(step, case, padded, learning_rate / 2)
    for name, after in matrices.items():
        start, expected = padded(case.matrices[name]), case.gradient[name]
        before = start.astype(np.float64)
        moved = before - after
        if str(case.objective) in ERRORS:
            moved = 4 * (before - halfway[name]) - moved
        gradient = moved / learning_rate
        # float32 carries 2⁻²⁴ of a parameter, the sigmoid's table 3e-6 for each of the products added up
        tolerance = 1e-5 * np.abs(expected).max() + 2.0**-23 * np.abs(before).max() / learning_rate
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=tolerance, err_msg=name)
        assert not after[:, case.matrices[name].shape[1] :].any(), f"the padding of {name} has changed"
        touched = case.objective.touched(name, case.arguments)
        untouched = np.setdiff1d(np.arange(len(after)), touched)
        np.testing.assert_array_equal(after[untouched], start[untouched], err_msg=name)
    assert returned == pytest.approx(case.loss, rel=1e-6)


def build_matrices(objective, vector_size):
    random = np.random.default_rng(vector_size)
    made = {name: random.standard_normal((n, vector_size)) for name, n in objective.rows.items()}
    # scores up to 4, with position weights up to 6, inside the sigmoid's range whatever the size
    inputs, outputs, *weights = made.values()
    scale = 2 / np.sqrt(np.abs(inputs @ outputs.T).max())
    inputs *= scale
    outputs *= scale
    for matrix in weights:
        matrix *= 1.5 / np.abs(matrix).max()
    return {name: matrix.astype(np.float32) for name, matrix in made.items()}


def build_case(objective, vector_size, arguments, matrices=None):
    if matrices is None:
        matrices = build_matrices(objective, vector_size)
        if not arguments.get("mean", True):  # a sum makes larger scores
            matrices["input_vectors"] /= objective.n_averaged(arguments)
    gap = -vector_size % 16
    every = {name: np.pad(matrix.astype(np.float64), ((0, 0), (0, gap))) for name, matrix in matrices.items()}
    gradient = numeric_gradient(objective.loss, every, arguments)
    return Case(objective, matrices, arguments, gradient, float(objective.loss(**every, **arguments)))


@cache
def random_case(objective, vector_size, shape):
    return build_case(
        objective, vector_size, objective.draw(np.random.default_rng([vector_size, *shape]), *shape)
    )


@cache
def awkward_case(objective, vector_size, name="all at once"):
    return build_case(objective, vector_size, objective.awkward[name])


@pytest.mark.parametrize("vector_size", VECTOR_SIZES)
@every_shape
def test_gradient(compiled, padded, objective, vector_size, shape):
    step = kernels.get(objective.kernel, compiled).step
    check_step(step, random_case(objective, vector_size, shape), padded)


@pytest.mark.parametrize("vector_size", [1, 33])  # NumPy has no lanes
@every_shape
def test_gradient_of_the_reference(padded, objective, vector_size, shape):
    step = kernels.get(objective.kernel, "reference").step
    check_step(step, random_case(objective, vector_size, shape), padded)


@pytest.mark.parametrize("vector_size", [7, 33])
@for_every("name", lambda objective: [*objective.awkward])
def test_gradient_of_repeated_rows(step, padded, objective, vector_size, name):
    check_step(step, awkward_case(objective, vector_size, name), padded)


@pytest.mark.parametrize("learning_rate", [0.025, 0.5, 3.0])
@for_every()
def test_gradient_at_other_learning_rates(step, padded, objective, learning_rate):
    check_step(step, random_case(objective, 33, objective.shapes[7]), padded, learning_rate)
    check_step(step, awkward_case(objective, 33), padded, learning_rate)


@pytest.mark.parametrize("vector_size", [1, 16, 100])
@for_every()
def test_learning_rate_0_changes_nothing(step, padded, objective, vector_size):
    for case in (random_case(objective, vector_size, shape) for shape in objective.shapes):
        matrices, squares = start_from(case, padded)
        returned = step(**matrices, **squares, **case.arguments, learning_rate=0.0)
        assert returned == pytest.approx(case.loss, rel=1e-6)
        assert all((of_matrix == 1).all() for of_matrix in squares.values())
        for name, matrix in matrices.items():
            assert matrix.tobytes() == padded(case.matrices[name]).tobytes(), name


@cache
def unscaled_case(objective, vector_size, name):
    """What should come out with ``scale_gradient=False``: n times the exact gradient of a mean of n inputs.

    Of a sum it is an nth. A row that occurs c times moves as if it occurred once: 1 / c of that; with n-grams
    as often as it occurs among the first. If a step has several means, the gradients are those of its pieces.
    """
    case = awkward_case(objective, vector_size, name)
    gradient = {name: np.zeros_like(exact) for name, exact in case.gradient.items()}
    gradient[objective.outputs] = case.gradient[objective.outputs]
    for piece in objective.split(case.arguments):
        exact = build_case(objective, vector_size, piece, case.matrices).gradient
        for matrix in set(gradient) - {objective.outputs}:
            counts = np.bincount(objective.touched(matrix, piece), minlength=objective.rows[matrix])
            times = 1
            if "n_first" in piece:
                first = piece["inputs"][: piece["n_first"]]
                times = np.bincount(first, minlength=objective.rows[matrix])
            n = objective.n_averaged(piece)
            factors = times * (n if piece["mean"] else 1 / n) / np.maximum(counts, 1)
            gradient[matrix] += exact[matrix] * factors[:, np.newaxis]
    return case._replace(arguments=case.arguments | {"scale_gradient": False}, gradient=gradient)


@pytest.mark.parametrize("vector_size", [7, 33])
@for_every("name", lambda objective: [*objective.awkward], SCALABLE)
def test_without_scale_gradient_inputs_move_farther(step, padded, objective, vector_size, name):
    check_step(step, unscaled_case(objective, vector_size, name), padded)


# ---- Frozen rows ------------------------------------------------------------------------------------------


@for_every(
    "name",
    lambda objective: [next(iter(objective.awkward)), "all at once"],
    [objective for objective in OBJECTIVES if objective is not GLOVE],
)
def test_frozen_rows_are_constants(step, padded, objective, name):
    case = awkward_case(objective, 33, name)
    rows = np.unique(objective.touched("input_vectors", case.arguments))
    for frozen_rows in (rows[:1], rows[1::2], rows):
        frozen = np.zeros(objective.rows["input_vectors"], np.uint8)
        frozen[frozen_rows] = 1
        gradient = case.gradient | {"input_vectors": case.gradient["input_vectors"].copy()}
        gradient["input_vectors"][frozen_rows] = 0
        freezing = case._replace(arguments=case.arguments | {"frozen": frozen}, gradient=gradient)
        check_step(step, freezing, padded)
        before, after = padded(case.matrices["input_vectors"]), take(step, freezing, padded, 1.0)[0]
        assert after["input_vectors"][frozen_rows].tobytes() == before[frozen_rows].tobytes()
        as_if_none = case._replace(arguments=case.arguments | {"frozen": frozen * 0})
        usual = take(step, case, padded, 1.0)[0]
        for matrix, learned in take(step, as_if_none, padded, 1.0)[0].items():
            assert learned.tobytes() == usual[matrix].tobytes()


# ---- Rows that move in turn -------------------------------------------------------------------------------

IN_TURN = [objective for objective in OBJECTIVES if str(objective) in ERRORS]


def of_different_words(objective):
    """Return the shapes whose contexts are all different: a context that is repeated is merged."""
    return [shape for shape in objective.shapes if shape[0] < N_WORDS]


@pytest.mark.parametrize("vector_size", [7, 33, 100])
@for_every("shape", of_different_words, IN_TURN)
def test_inputs_move_one_after_the_other(step, padded, objective, vector_size, shape):
    case = random_case(objective, vector_size, shape)
    matrices, _ = take(step, case, padded, 1.0)
    inputs, outputs = (padded(case.matrices[name]).astype(np.float64) for name in objective.rows)
    before = inputs.copy()
    errors = ERRORS[str(objective)](inputs, outputs, **case.arguments)
    for row, error in zip(case.arguments["contexts"], errors, strict=True):
        inputs[row] -= error @ outputs
        outputs -= np.outer(error, before[row])
    for after, expected in zip(matrices.values(), (inputs, outputs), strict=True):
        np.testing.assert_allclose(after, expected, rtol=0, atol=3e-5 * np.abs(expected).max())


# ---- The sigmoid ------------------------------------------------------------------------------------------


def sigmoids(step, padded, objective, scores, label):
    """σ of every score: how far its row moves is σ − label, at η = 1.

    The first component of the row carries the score and the second is 0, where it takes the update; all
    other rows are ones but for one more of zeros.
    """
    start = {name: np.vstack((np.ones((len(scores), 2)), np.zeros(2))) for name in objective.rows}
    start[objective.labelled][:-1] = np.stack((scores, np.zeros_like(scores)), axis=1)
    matrices = {name: padded(matrix) for name, matrix in start.items()}
    for arguments in objective.label(len(scores), label):
        step(**matrices, **arguments, learning_rate=1.0)
    return label - matrices[objective.labelled][:-1, 1].astype(np.float64)


def sigmoid(z):
    return 1 / (1 + np.exp(-np.asarray(z, dtype=np.float64)))


@pytest.mark.parametrize("label", [0, 1])
@for_every(objectives=LOGISTIC)
def test_error_of_the_sigmoid(step, padded, objective, label):
    scores = np.linspace(-EDGE, EDGE, 5001)
    scores = np.random.default_rng(0).permutation(scores.astype(np.float32))
    for block in np.array_split(scores, 10):
        values = sigmoids(step, padded, objective, block, label)
        assert np.abs(values - sigmoid(block)).max() < 3e-6


@pytest.mark.parametrize("label", [0, 1])
@for_every(objectives=LOGISTIC)
def test_gradient_saturates_and_does_not_vanish(step, padded, objective, label):
    scores = np.array([-1e30, -1e4, -20, -8.1, -8, -7.9, 7.9, 8, 8.1, 20, 1e4, 1e30], dtype=np.float32)
    values = sigmoids(step, padded, objective, scores, label)
    np.testing.assert_allclose(values, sigmoid(np.clip(scores, -EDGE, EDGE)), rtol=0, atol=3e-6)
    # the gradient is σ > 0 where the label is 0, and σ − 1 < 0 where it is 1, at any score
    smallest = sigmoid(-EDGE)
    assert values.min() > 0.98 * smallest
    assert (1 - values).min() > 0.98 * smallest


@pytest.mark.parametrize("label", [0, 1])
@for_every(objectives=LOGISTIC)
def test_loss_does_not_saturate(step, padded, objective, label):
    for score in (-100.0, -20.0, -8.1, 8.1, 20.0, 100.0):
        matrices = {name: padded([[1], [0]]) for name in objective.rows}
        matrices[objective.labelled][0, 0] = score
        (arguments,) = objective.label(1, label)
        expected = np.logaddexp(0, -score if label else score)
        others = np.log(2) * (label == 0 and "codes" not in arguments)  # the positive output, a row of zeros
        returned = step(**matrices, **arguments, learning_rate=0.0)
        assert returned == pytest.approx(expected + others, rel=1e-6)


# ---- The softmax ------------------------------------------------------------------------------------------


@for_every(objectives=[SOFTMAX])
def test_softmax_is_stable_and_exact(step, padded, objective):
    """As for the sigmoids, rows of outputs carry the score and take the update side by side."""
    random = np.random.default_rng(0)
    for scores in (random.uniform(-20, 20, 300), [1e4, 0, 1e4 - 2, -1e30], [-1e4, -1e4 - 3], [1e30, -5], [7]):
        scores = np.array(scores, dtype=np.float32)
        inputs, outputs = padded([[1, 1]]), padded(np.stack((scores, np.zeros_like(scores)), axis=1))
        shifted = scores.astype(np.float64) - scores.max()
        p = np.exp(shifted) / np.exp(shifted).sum()
        target = len(scores) - 1
        returned = step(inputs, outputs, **batch(([0], [target])), learning_rate=1.0)
        assert returned == pytest.approx(np.log(np.exp(shifted).sum()) - shifted[target], rel=1e-6)
        p[target] -= 1
        np.testing.assert_allclose(-outputs[:, 1].astype(np.float64), p, rtol=1e-4, atol=1e-7)


@for_every(objectives=[SOFTMAX])
def test_the_largest_score_may_stand_anywhere(step, padded, objective):
    """With any other subtracted, exponentials would not fit a float32. The scores are the inputs."""
    n_words = 28
    random = np.random.default_rng(1)
    scores = random.uniform(-5, 5, (n_words, n_words))
    examples, places = np.arange(n_words), random.permutation(n_words)
    scores[examples, places], scores[examples, places ^ 1] = 120, 119  # two of a block
    inputs, outputs = padded(scores), padded(np.eye(n_words))
    targets = examples[::-1]
    p = np.exp(scores - 120) / np.exp(scores - 120).sum(axis=1, keepdims=True)
    for at_once in (1, 3, 16):
        for first in range(0, n_words, at_once):
            some = examples[first : first + at_once]
            changed = outputs.copy()
            windows = batch(*[([b], [targets[b]]) for b in some])
            returned = step(inputs.copy(), changed, **windows, learning_rate=1.0)
            assert returned == pytest.approx(-np.log(p[some, targets[some]]).sum(), rel=1e-5)
            errors = p[some] - np.eye(n_words)[targets[some]]
            moved = (outputs - changed)[:, :n_words]
            np.testing.assert_allclose(moved, errors.T @ scores[some], rtol=1e-4, atol=1e-3)


# ---- The checks can fail ----------------------------------------------------------------------------------


def too_far(matrix, by, rows=slice(None)):
    """Make a step that moves rows of a matrix farther than it should, by a share of their way."""

    def wrap(step):
        def broken(**arguments):
            before = arguments[matrix].copy()
            returned = step(**arguments)
            arguments[matrix][rows] += np.float32(by) * (arguments[matrix] - before)[rows]
            return returned

        return broken

    return wrap


def adding(matrix, row, column, value):
    """Make a step that adds to one number of a matrix."""

    def wrap(step):
        def broken(**arguments):
            returned = step(**arguments)
            arguments[matrix][row, column] += np.float32(value)
            return returned

        return broken

    return wrap


def returning_too_much(step):
    return lambda **arguments: step(**arguments) * 1.00001


def one_after_the_other(objective):
    """Make a step of smaller ones, each from what the one before has left."""

    def wrap(step):
        def broken(**arguments):
            return sum(step(**arguments | piece) for piece in objective.split(arguments))

        return broken

    return wrap


def mistakes(objective):
    """Return names of mistakes, each with what makes broken steps of a right one."""
    arguments = objective.awkward["all at once"]
    found = {"loss 1e-5 too large": [returning_too_much]}
    if len(objective.split(arguments)) > 1:
        found["one piece after the other"] = [one_after_the_other(objective)]
    for matrix, n_rows in objective.rows.items():
        rows, counts = np.unique(objective.touched(matrix, arguments), return_counts=True)
        repeated = zip(rows[counts > 1], counts[counts > 1], strict=True)
        found[f"{matrix} 2 % too far"] = [too_far(matrix, 0.02)]
        found[f"a row of {matrix} not updated"] = [too_far(matrix, -1, [row]) for row in rows]
        found[f"a row of {matrix} counted once less"] = [
            too_far(matrix, -1 / n, [row]) for row, n in repeated
        ]
        found[f"the padding of {matrix} touched"] = [adding(matrix, rows[0], -1, 1e-7)]
        others = np.setdiff1d(np.arange(n_rows), rows)[:1]
        found[f"another row of {matrix} touched"] = [adding(matrix, row, 0, 1e-6) for row in others]
    return {name: wraps for name, wraps in found.items() if wraps}


@for_every("name", mistakes)
def test_the_check_itself_can_fail(step, padded, objective, name):
    case = awkward_case(objective, 33)
    check_step(step, case, padded)
    for wrap in mistakes(objective)[name]:
        with pytest.raises(AssertionError):
            check_step(wrap(step), case, padded)


@pytest.mark.parametrize("vector_size", [1, 33])
@every_shape
def test_the_check_fails_at_every_size(padded, objective, vector_size, shape):
    step = kernels.get(objective.kernel, "reference").step
    for matrix in objective.rows:
        with pytest.raises(AssertionError, match=rf"Not equal to tolerance.*\n{matrix}"):
            check_step(too_far(matrix, 0.02)(step), random_case(objective, vector_size, shape), padded)


@for_every(objectives=AVERAGING)
def test_the_check_of_unscaled_gradients_can_fail(padded, objective):
    step = kernels.get(objective.kernel, "reference").step
    case = unscaled_case(objective, 7, "all at once")
    check_step(step, case, padded)
    with pytest.raises(AssertionError, match=r"Not equal to tolerance.*\ninput_vectors"):
        check_step(lambda **arguments: step(**arguments | {"scale_gradient": True}), case, padded)


def test_the_numeric_derivative_is_independent_of_the_kernels():
    """Derivatives done by hand: x = y = (1), and another y = (0) for a softmax of two words."""
    error = -1 / (1 + np.e)  # σ(1) − 1
    expected = [[error], [0]]
    for objective in LOGISTIC:
        matrices = {name: np.array([[1.0], [0.0]]) for name in objective.rows}
        (arguments,) = objective.label(1, 1)
        assert objective.loss(**matrices, **arguments) == pytest.approx(np.log1p(np.exp(-1)), rel=1e-12)
        for gradient in numeric_gradient(objective.loss, matrices, arguments).values():
            np.testing.assert_allclose(gradient, expected, atol=1e-9)
    matrices = {"input_vectors": np.array([[1.0], [0.0]]), "output_vectors": np.array([[1.0], [0.0]])}
    example = batch(([0], [0]))
    assert SOFTMAX.loss(**matrices, **example) == pytest.approx(np.log1p(np.exp(-1)), rel=1e-12)
    gradient = numeric_gradient(SOFTMAX.loss, matrices, example)
    np.testing.assert_allclose(gradient["input_vectors"], expected, atol=1e-9)
    np.testing.assert_allclose(gradient["output_vectors"], [[error], [-error]], atol=1e-9)
    matrices = {"word_vectors": np.array([[1.0], [0.0]]), "context_vectors": np.array([[0.0], [1.0]])}
    entry = pair(0, 1, log_count=4.0, weight=0.5)
    assert GLOVE.loss(**matrices, **entry) == 0.5 * 0.5 * (1 - 4) ** 2
    gradient = numeric_gradient(GLOVE.loss, matrices, entry)
    np.testing.assert_allclose(gradient["word_vectors"], [[-1.5], [0]], atol=1e-9)
    np.testing.assert_allclose(gradient["context_vectors"], [[0], [-1.5]], atol=1e-9)
