"""Softmax regression by mini-batches: every backend moves by the gradient, and does as the reference does."""

import numpy as np
import pytest

from fastvec import kernels
from fastvec.reference import optimizers, regression

SIZES = [  # features, classes, examples of a mini-batch: about registers, blocks and rows at once
    (1, 2, 1),
    (10, 2, 32),
    (15, 3, 31),
    (16, 4, 33),
    (17, 5, 3),
    (31, 6, 4),
    (40, 7, 64),
    (63, 8, 70),
    (100, 13, 32),
    (300, 50, 40),
]
OPTIMIZERS = {"sgd": 1, "adagrad": 1, "adam": 2}

every_size = pytest.mark.parametrize(("d", "n_classes", "batch_size"), SIZES)
every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS)


class Problem:
    """Examples, and parameters in the middle of a training."""

    def __init__(self, d, n_classes, n, optimizer, scale=1.0):
        random = np.random.default_rng([d, n_classes, n])
        self.d, self.optimizer, stride = d, optimizer, (d + 16) // 16 * 16
        self.X = (random.standard_normal((n + 5, d)) * scale).astype(np.float32)
        self.y = random.integers(0, n_classes, n + 5)
        self.order = random.permutation(n + 5)[:n]
        self.parameters = np.zeros((n_classes, stride), np.float32)
        self.parameters[:, : d + 1] = random.standard_normal((n_classes, d + 1)) / d**0.5
        self.memory = np.zeros((OPTIMIZERS[optimizer], n_classes, stride), np.float32)
        self.memory[:, :, : d + 1] = random.uniform(0.01, 0.1, (n_classes, d + 1))

    def train(self, kernel, batch_size, learning_rates, n_steps=3, l2=0.01, momentum=0.9):
        """Return the cost, and parameters and memory afterwards."""
        parameters, memory = self.parameters.copy(), self.memory.copy()
        given = [array.copy() for array in (self.X, self.y, self.order)]
        rates = np.asarray(learning_rates, np.float64)
        cost = kernel.train(
            parameters, memory, *given, batch_size, rates, self.optimizer, momentum, n_steps, l2
        )
        for array, before in zip(given, (self.X, self.y, self.order), strict=True):
            assert array.tobytes() == before.tobytes()
        if np.isfinite(cost):
            assert not parameters[:, self.d + 1 :].any()
            assert not memory[:, :, self.d + 1 :].any()
        return cost, parameters, memory

    def cost_and_gradient(self, l2):
        """Return the mean cost of all examples and its gradient, in double precision."""
        x = np.zeros((len(self.order), self.parameters.shape[1]))
        x[:, : self.d], x[:, self.d] = self.X[self.order], 1
        parameters, one_of = self.parameters.astype(np.float64), np.eye(len(self.parameters))
        labels = one_of[self.y[self.order]]
        z = x @ parameters.T
        log_p = z - np.logaddexp.reduce(z, axis=1, keepdims=True)
        weights = np.where(np.arange(parameters.shape[1]) < self.d, parameters, 0)
        cost = -np.mean(np.sum(labels * log_p, axis=1)) + l2 * np.sum(weights**2)
        return cost, (np.exp(log_p) - labels).T @ x / len(x) + 2 * l2 * weights


@pytest.fixture
def kernel(backend):
    return kernels.get("regression", backend)


@every_size
@pytest.mark.parametrize("l2", [0.0, 0.03])
def test_a_mini_batch_moves_by_its_gradient(kernel, d, n_classes, batch_size, l2):
    problem = Problem(d, n_classes, batch_size, "sgd")
    expected, gradient = problem.cost_and_gradient(l2)
    cost, after, velocity = problem.train(kernel, batch_size, [0.25], l2=l2, momentum=0.0)
    assert cost == pytest.approx(batch_size * expected, rel=1e-5, abs=1e-6)
    scale = np.abs(gradient).max()
    np.testing.assert_allclose(velocity[0], gradient, rtol=1e-5, atol=1e-5 * scale)
    np.testing.assert_allclose(after, problem.parameters - 0.25 * gradient, atol=1e-6 + 1e-5 * scale)


@every_optimizer
def test_the_optimizers_take_the_steps(kernel, optimizer):
    problem = Problem(20, 3, 40, optimizer)
    _, gradient = problem.cost_and_gradient(0.01)
    _, after, _ = problem.train(kernel, 40, [0.1], n_steps=3)
    expected = problem.parameters.astype(np.float64)
    more = {"sgd": (0.9,), "adagrad": (), "adam": (4,)}[optimizer]
    memory = problem.memory.astype(np.float64)
    getattr(optimizers, optimizer)(expected, *memory, gradient, None, 0.1, *more)
    np.testing.assert_allclose(after, expected, atol=1e-5)


@every_size
@every_optimizer
def test_every_backend_does_what_the_reference_does(compiled, d, n_classes, batch_size, optimizer):
    problem = Problem(d, n_classes, 3 * batch_size + (batch_size + 1) // 2, optimizer)
    given = (batch_size, [0.01, 0.05, 0.02, 0.03])
    expected = problem.train(regression, *given)
    found = problem.train(kernels.get("regression", compiled), *given)
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    for array, other in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-4, atol=2e-5)


@every_optimizer
def test_parts_of_an_epoch_add_up_to_it(kernel, optimizer):
    problem, rates = Problem(20, 3, 50, optimizer), np.linspace(0.1, 0.02, 7)
    whole, parameters, memory = problem.train(kernel, 8, rates)
    order, costs = problem.order, []
    for begin, end in ((0, 3), (3, 7)):
        problem.order = order[8 * begin : 8 * end]
        cost, problem.parameters, problem.memory = problem.train(
            kernel, 8, rates[begin:end], n_steps=3 + begin
        )
        costs.append(cost)
    assert sum(costs) == pytest.approx(whole, rel=1e-12)
    assert problem.parameters.tobytes() == parameters.tobytes()
    assert problem.memory.tobytes() == memory.tobytes()


@pytest.mark.parametrize("scale", [0.0, 1e2, 1e6, 1e15])
def test_scores_far_apart(kernel, scale):
    problem = Problem(10, 3, 40, "sgd", scale)
    expected, gradient = problem.cost_and_gradient(0.0)
    cost, _, velocity = problem.train(kernel, 40, [0.0], l2=0.0, momentum=0.0)
    assert cost == pytest.approx(40 * expected, rel=1e-4)
    np.testing.assert_allclose(velocity[0], gradient, atol=1e-4 * max(scale, 1))


def test_scores_that_overflow_are_in_the_cost(kernel):
    problem = Problem(10, 3, 40, "sgd", 1e30)
    problem.parameters *= 1e30
    with np.errstate(all="ignore"):
        assert not np.isfinite(problem.train(kernel, 40, [0.1])[0])
