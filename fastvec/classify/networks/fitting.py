"""The loop over mini-batches: their order, learning rate, early stopping, progress, signals."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_bool, check_float, check_int
from fastvec.training import signals
from fastvec.training.progress import Progress, warn

__all__ = ["SCHEDULES", "FitEpoch", "Plan", "Watch", "check_fitting", "run_epochs", "split_held_out"]

SCHEDULES = ("linear", "constant")


@dataclass(frozen=True)
class FitEpoch:
    """Record of one pass over the examples.

    Attributes
    ----------
    epoch : int
        Number of the epoch, from 1; continued training continues the numbering.
    loss : float
        Mean cost of the mini-batches, each before its step, including penalties; for `TextClassifier`, of a
        sample of the documents, each before its step. It is of examples that are trained on, with parameters
        that change meanwhile; `validation_score` is not.
    learning_rate : float
        Learning rate at the start.
    examples : int
        Number of examples.
    seconds : float
        Duration, without validation.
    validation_score : float, optional
        Score on the validation part with early stopping: accuracy, or for regression minus the mean cost.
    """

    epoch: int
    loss: float
    learning_rate: float
    examples: int
    seconds: float
    validation_score: float | None = None


@dataclass(frozen=True)
class Plan:
    """Epochs and learning rate of a training, named as the parameters of the estimators."""

    epochs: int
    batch_size: int
    learning_rate: float
    schedule: str
    progress: bool
    epochs_before: int = 0

    def learning_rate_at(self, done: float) -> float:
        """Return the learning rate when so much of the training is done, from 0 to 1."""
        return self.learning_rate * (1 - done) if self.schedule == "linear" else self.learning_rate


def check_fitting(estimator: Any) -> None:
    """Validate the parameters about epochs, early stopping, seed and progress.

    Raises
    ------
    TypeError, ValueError
        The message names the parameter, the rule and the value.
    """
    check_int("epochs", estimator.epochs, 1)
    check_bool("early_stopping", estimator.early_stopping)
    check_float("validation_fraction", estimator.validation_fraction, above=0, maximum=0.9)
    check_int("patience", estimator.patience, 1)
    check_int("seed", estimator.seed, 0)
    check_bool("progress", estimator.progress)


class Watch:
    """Early stopping: the best epoch so far, and whether to continue.

    Parameters
    ----------
    score : callable
        Returns the score on what is held out, of the parameters as they are.
    keep, restore : callable
        Return a copy of the parameters, and put one back in its place.
    patience : int
        Epochs without a better score after which the training ends.
    """

    def __init__(
        self,
        score: Callable[[], float],
        keep: Callable[[], Any],
        restore: Callable[[Any], None],
        patience: int,
    ) -> None:
        self.score = score
        self.keep = keep
        self.restore = restore
        self.patience = patience
        self.best = -math.inf
        self.best_parameters: Any = None
        self.waited = 0

    def look(self) -> float:
        """Score this epoch and keep its parameters if they are the best."""
        score = self.score()
        self.waited += 1
        if score > self.best:
            self.best, self.best_parameters, self.waited = score, self.keep(), 0
        return score

    def is_over(self) -> bool:
        """Return whether the training should end."""
        return self.waited >= self.patience

    def use_the_best(self) -> None:
        """Put the best parameters back."""
        if self.best_parameters is not None:
            self.restore(self.best_parameters)


def split_held_out(
    n: int, fraction: float, generator: np.random.Generator, groups: NDArray[np.intp] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which of n examples to train on and which to hold out, at least one each.

    Parameters
    ----------
    n : int
        How many there are.
    fraction : float
        Approximate fraction to hold out.
    generator : numpy.random.Generator
        Where the choice comes from.
    groups : int array, shape (n,), optional
        Examples of one group (the words of a sentence), numbered from 0, stay together.

    Raises
    ------
    ValueError
        If there is only one example or group.
    """
    # numbered anew: a sentence without words is no group
    numbers = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    n_groups = int(numbers.max()) + 1
    if n_groups < 2:
        raise ValueError(f"early_stopping needs at least two examples or sentences, got {n_groups}")
    n_held_out = min(max(1, round(fraction * n_groups)), n_groups - 1)
    is_held_out = np.zeros(n_groups, dtype=bool)
    is_held_out[generator.permutation(n_groups)[:n_held_out]] = True
    return np.flatnonzero(~is_held_out[numbers]), np.flatnonzero(is_held_out[numbers])


def run_epochs(
    take_step: Callable[[NDArray[np.intp], float], float],
    n: int,
    plan: Plan,
    generator: np.random.Generator,
    after_epoch: Callable[[FitEpoch], None],
    watch: Watch | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Train in mini-batches for the epochs of a plan and return whether a signal or `stop` ended it early.

    Parameters
    ----------
    take_step : callable
        ``take_step(batch, learning_rate)`` takes one step on some of the examples and returns their mean
        cost.
    n : int
        How many examples there are; every epoch visits each once, in a new random order.
    plan : Plan
        Epochs and learning rate.
    generator : numpy.random.Generator
        Where the orders come from.
    after_epoch : callable
        Called with the record of every epoch, including an interrupted one.
    watch : Watch, optional
        Ends the training early.
    stop : callable
        Returns True to end training after the current mini-batch.

    Raises
    ------
    FloatingPointError
        If a cost is NaN or infinite.
    """
    with (
        Progress("epoch", plan.epochs * n, " examples", plan.progress) as bar,
        signals.set_a_flag() as interrupted,
    ):

        def stopping() -> bool:
            return interrupted.is_set() or stop()

        for epoch in range(plan.epochs):
            number = plan.epochs_before + epoch + 1
            bar.describe(f"epoch {number}/{plan.epochs_before + plan.epochs}")
            order = generator.permutation(n)
            started, costs, done = time.perf_counter(), 0.0, 0
            for begin in range(0, n, plan.batch_size):
                if stopping():
                    break
                batch = order[begin : begin + plan.batch_size]
                learning_rate = plan.learning_rate_at((epoch + begin / n) / plan.epochs)
                with np.errstate(over="ignore", invalid="ignore"):  # told below
                    cost = take_step(batch, learning_rate)
                if not math.isfinite(cost):
                    raise FloatingPointError(
                        f"the cost became {cost} in epoch {number}: learning_rate={plan.learning_rate} is "
                        "probably too large, or the features are on very different scales"
                    )
                costs += cost * len(batch)
                done += len(batch)
                bar.update(len(batch))
            seconds = time.perf_counter() - started
            with np.errstate(over="ignore", invalid="ignore"):
                score = None if watch is None else watch.look()
            record = FitEpoch(
                epoch=number,
                loss=costs / done if done else math.nan,
                learning_rate=plan.learning_rate_at(epoch / plan.epochs),
                examples=done,
                seconds=seconds,
                validation_score=score,
            )
            bar.note(_told(record))
            bar.line(
                f"{_told(record)}, learning rate {record.learning_rate:.4g}, "
                f"{done / seconds:,.0f} examples/s, {seconds:,.1f} s"
            )
            after_epoch(record)
            if interrupted.is_set():
                warn(
                    f"training was interrupted in epoch {number} of {plan.epochs_before + plan.epochs}; "
                    "what was learned is kept"
                )
            if stopping():
                break
            if watch is not None and watch.is_over():
                break
        if watch is not None:
            watch.use_the_best()
        return stopping()


def _told(record: FitEpoch) -> str:
    told = f"loss {record.loss:.4f}"
    return told if record.validation_score is None else f"{told}, held out {record.validation_score:.4f}"
