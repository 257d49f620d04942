"""What the networks share: parameters of the training, `fit` and `partial_fit`, checking the gradient.

A subclass says what its examples are, where its parameters start, and what a batch of examples costs. Its
examples are arrays with a row each; the last array is what is to be predicted.
"""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from fastvec import kernels
from fastvec._params import check_choice, check_float, check_int
from fastvec.classify.networks.fitting import check_fitting, split_held_out, undone_on_error
from fastvec.classify.networks.layers import Array, Parameters
from fastvec.classify.networks.optimizers import OPTIMIZERS, Gradient, Optimizer, Rows
from fastvec.exports.pictures import HistoryPlot
from fastvec.finite_differences import GradientReport, gradcheck
from fastvec.training.loop import EarlyStopping, Epoch, Schedule, Stoppable, train

__all__ = ["Examples", "MakeBatch", "NetworkEstimator", "TakeSteps", "check_hidden"]

SCHEDULES = ("linear", "constant")

Examples = tuple[Array, ...]
MakeBatch = Callable[[NDArray[np.intp], np.random.Generator], Examples]
TakeSteps = Callable[[NDArray[np.intp], NDArray[np.float64]], float]
Estimator = TypeVar("Estimator", bound="NetworkEstimator")


@dataclass(eq=False, repr=False)
class NetworkEstimator(Stoppable, HistoryPlot, BaseEstimator, ABC):
    """An estimator that is trained by mini-batches of examples."""

    _: KW_ONLY
    l2: float = 0.0
    optimizer: str = "adam"
    learning_rate: float | None = None
    momentum: float = 0.9
    schedule: str = "linear"
    batch_size: int = 32
    epochs: int = 30
    early_stopping: bool = False
    validation_fraction: float = 0.1
    patience: int = 5
    seed: int = 0
    progress: bool = False

    # What `learning_rate=None` stands for.
    LEARNING_RATES: ClassVar[dict[str, float]] = {"sgd": 0.1, "adagrad": 0.05, "adam": 0.005}

    # What was learned; set by `fit`, which puts everything back when it fails.
    parameters_: dict[str, Array] = field(init=False)
    history_: list[Epoch] = field(init=False)
    interrupted_: bool = field(init=False)
    _optimizer: Optimizer = field(init=False)
    _generator: np.random.Generator = field(init=False)

    @abstractmethod
    def _first_examples(self, X: Any, y: Any, classes: Any) -> tuple[Examples, NDArray[np.intp] | None]:
        """Record the classes and words, and return examples, and the groups that must stay together."""

    @abstractmethod
    def _known_examples(self, X: Any, y: Any) -> Examples:
        """Return further examples for a fitted model."""

    @abstractmethod
    def _initial_parameters(self, generator: np.random.Generator) -> dict[str, Array]:
        """Return the initial parameters."""

    @abstractmethod
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the parameters."""

    @abstractmethod
    def _cost_and_gradients(
        self, parameters: Parameters, batch: Examples
    ) -> tuple[float, dict[str, Gradient]]:
        """Return the mean cost of a batch, including penalties, and its gradients."""

    def _batches(self, examples: Examples) -> MakeBatch:
        """Return a function that makes a batch of examples, with random draws if there are any."""
        return lambda which, generator: tuple(array[which] for array in examples)

    def _steps(self, examples: Examples) -> TakeSteps:
        """Return a function that trains on some examples, at the learning rate of each of their mini-batches.

        It returns the sum of their costs.
        """
        make_batch, kernel = self._batches(examples), kernels.optimizers

        def take_step(which: NDArray[np.intp], learning_rates: NDArray[np.float64]) -> float:
            (learning_rate,) = learning_rates.tolist()
            batch = make_batch(which, self._generator)
            cost, gradients = self._cost_and_gradients(self.parameters_, batch)
            self._optimizer.step(kernel, self.parameters_, gradients, learning_rate)
            return cost * len(which)

        return take_step

    def _batches_at_once(self, examples: Examples) -> int:
        """Return for how many mini-batches at once the function of `_steps` is called."""
        return 1

    @abstractmethod
    def _scores_of(self, inputs: Sequence[Array]) -> Array:
        """Return the scores of examples, whose arrays but the last are `inputs`."""

    @abstractmethod
    def _validation_score(self, examples: Examples) -> float:
        """Return the validation score; higher is better."""

    def check_params(self) -> None:
        """Validate the parameters.

        Raises
        ------
        TypeError, ValueError
            The message names the parameter, the rule and the value.
        """
        check_float("l2", self.l2, minimum=0)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        if self.learning_rate is not None:
            check_float("learning_rate", self.learning_rate, above=0)
        check_float("momentum", self.momentum, minimum=0, maximum=1)
        check_choice("schedule", self.schedule, SCHEDULES)
        check_int("batch_size", self.batch_size, 1)
        check_fitting(self)

    @property
    def n_parameters_(self) -> int:
        """Number of parameters: (D_x + 1) · H + (H + 1) · D_y for two layers."""
        check_is_fitted(self)
        return sum(parameter.size for parameter in self.parameters_.values())

    def _fit(self: Estimator, X: Any, y: Any) -> Estimator:
        with undone_on_error(self):
            self.check_params()
            examples, groups = self._first_examples(X, y, None)
            self._start()
            early_stopping, held_out = None, examples
            if self.early_stopping:
                examples, held_out = self._split(examples, groups)
                early_stopping = self._early_stopping(held_out)
            self._train(examples, int(self.epochs), self.schedule == "linear", early_stopping)
            self._finish(held_out)
        return self

    def _partial_fit(self: Estimator, X: Any, y: Any, classes: Any = None) -> Estimator:
        with undone_on_error(self):
            self.check_params()
            if hasattr(self, "parameters_"):
                self._check_classes(classes)
                self._check_unchanged()
                examples = self._known_examples(X, y)
                self._copy_what_was_learned()
            else:
                examples, _ = self._first_examples(X, y, classes)
                self._start()
            self._train(examples, 1, False, None)
            self._finish(examples)
        return self

    def _finish(self, examples: Examples) -> None:
        """Finish after training, with the validation examples if there are any."""

    def _check_classes(self, classes: Any) -> None:
        """Raise if these are not the classes of the first call."""

    def _check_unchanged(self) -> None:
        """Raise ValueError if the constructor's parameters have changed and ask for another network."""
        wanted, there = self._shapes(), {name: array.shape for name, array in self.parameters_.items()}
        if wanted != there:
            raise ValueError(
                f"parameters of {type(self).__name__} must not change after fit, but now require arrays "
                f"of the shapes {wanted} instead of {there}; call fit to start over"
            )

    def _start(self) -> None:
        self._generator = np.random.default_rng(self.seed)
        self.parameters_ = self._initial_parameters(self._generator)
        self._optimizer = OPTIMIZERS[self.optimizer](float(self.momentum))
        self.history_ = []
        self.interrupted_ = False

    def _copy_what_was_learned(self) -> None:
        """Continue on copies, so that failed training changes nothing."""
        optimizer = OPTIMIZERS[self.optimizer](float(self.momentum))
        before = getattr(self, "_optimizer", None)  # none after loading from a file
        if type(before) is type(optimizer):
            optimizer.n_steps = before.n_steps
            optimizer.memory = {
                name: [slot.copy() for slot in slots] for name, slots in before.memory.items()
            }
        self._optimizer = optimizer
        if not hasattr(self, "_generator"):
            self._generator = np.random.default_rng([self.seed, len(self.history_)])
        self._generator = copy.deepcopy(self._generator)
        self.parameters_ = {name: array.copy() for name, array in self.parameters_.items()}
        self.history_ = list(self.history_)

    def _split(self, examples: Examples, groups: NDArray[np.intp] | None) -> tuple[Examples, Examples]:
        """Return the examples to train on and those to hold out."""
        parts = split_held_out(len(examples[-1]), float(self.validation_fraction), self._generator, groups)
        kept, held_out = (tuple(array[part] for array in examples) for part in parts)
        return kept, held_out

    def _train(
        self, examples: Examples, epochs: int, falling: bool, early_stopping: EarlyStopping | None
    ) -> None:
        rate = self.LEARNING_RATES[self.optimizer] if self.learning_rate is None else self.learning_rate
        n, batch_size = len(examples[-1]), int(self.batch_size)
        order = np.arange(n)
        take_steps = self._steps(examples)
        schedule = Schedule(
            n_positions=n,
            epochs=epochs,
            learning_rate=float(rate),
            min_learning_rate=0.0 if falling else float(rate),
            threads=1,
            seed=None,
            chunk=batch_size * self._batches_at_once(examples),
            epochs_before=len(self.history_),
            unit="examples",
            may_rise=True,
        )

        def before_epoch(key: int, position: int) -> None:
            order[:] = self._generator.permutation(n)

        def train_chunk(
            *, start: int, stop: int, learning_rate: float, key: int, loss_every: int
        ) -> tuple[float, int, int]:
            rates: Any = np.array([learning_rate])
            if stop - start > batch_size:
                epoch = len(self.history_) - schedule.epochs_before
                visited: Any = np.arange(start, stop, batch_size)  # before each mini-batch
                rates = schedule.learning_rate_at(epoch, visited)
            with np.errstate(over="ignore", invalid="ignore"):
                cost = take_steps(order[start:stop], rates)
            if not math.isfinite(cost):
                raise FloatingPointError(
                    f"the cost became {cost} in epoch {len(self.history_) + 1}: learning_rate={float(rate)} "
                    "is probably too large, or the features are on very different scales"
                )
            return cost, stop - start, stop - start

        self.interrupted_ = train(
            train_chunk,
            schedule,
            (),
            early_stopping=early_stopping,
            progress=self.progress,
            before_epoch=before_epoch,
            after_epoch=self.history_.append,
            stop=lambda: self._stopping,
        )
        for name, parameter in self.parameters_.items():
            if not np.isfinite(parameter).all():
                raise FloatingPointError(
                    f"{name} became NaN or infinite: learning_rate={rate} is probably too large"
                )
        for name, slots in self._optimizer.memory.items():
            if not all(np.isfinite(slot).all() for slot in slots):
                raise FloatingPointError(
                    f"the gradient of {name} became too large for float32: X must be scaled, for example by "
                    "scikit-learn's StandardScaler"
                )

    def _early_stopping(self, held_out: Examples) -> EarlyStopping:
        def restore(parameters: dict[str, Array]) -> None:
            self.parameters_ = parameters

        return EarlyStopping(
            score=lambda: self._validation_score(held_out),
            keep=lambda: {name: array.copy() for name, array in self.parameters_.items()},
            restore=restore,
            patience=int(self.patience),
        )

    def check_gradient(
        self, X: Any, y: Any = None, *, epsilon: float = 1e-4, sample: int | None = None, seed: int = 0
    ) -> GradientReport:
        """Compare the gradient at the learned parameters with finite differences, in double precision.

        The cost is that of a mini-batch of all examples, including penalties. In tables of vectors, only the
        rows that the examples use are checked.

        Parameters
        ----------
        X : array_like, or iterable of lists of str
            Examples.
        y : array_like, or iterable of lists, optional
            Their labels.
        epsilon : float
            Step size of the differences. With relu, a step across the kink of a hidden unit looks like an
            error; smaller steps cross fewer kinks.
        sample : int, optional
            Number of coordinates to check, chosen at random; all by default.
        seed : int
            Seed of the choice.

        Returns
        -------
        GradientReport
            The largest error. Its `worst` starts with the name of the parameter.
        """
        check_is_fitted(self)
        known = self._known_examples(X, y)
        examples = self._batches(known)(np.arange(len(known[-1])), np.random.default_rng(seed))
        parameters = {name: array.astype(np.float64) for name, array in self.parameters_.items()}
        _, gradients = self._cost_and_gradients(parameters, examples)
        looked_up = {name: found.rows for name, found in gradients.items() if isinstance(found, Rows)}
        start = {name: parameters[name][looked_up.get(name, slice(None))] for name in gradients}

        def cost(some: dict[str, Array]) -> tuple[float, dict[str, Array]]:
            for name, values in some.items():
                parameters[name][looked_up.get(name, slice(None))] = values
            value, found = self._cost_and_gradients(parameters, examples)
            return value, {
                name: part.values if isinstance(part, Rows) else part for name, part in found.items()
            }

        return gradcheck(cost, start, epsilon=epsilon, sample=sample, seed=seed)


def check_hidden(name: str, hidden: Any) -> tuple[int, ...]:
    """Return the sizes of the hidden layers, given as one number or several.

    Raises
    ------
    TypeError, ValueError
        The message names the parameter, the rule and the value.
    """
    sizes: Sequence[Any] = hidden if isinstance(hidden, (list, tuple)) else [hidden]
    if len(sizes) == 0:
        raise ValueError(f"{name} must be the size of a hidden layer, or several, got {hidden!r}")
    return tuple(check_int(name, size, 1) for size in sizes)
