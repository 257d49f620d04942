"""Pauses of a training between its chunks, in which callbacks look at what was learned so far.

No thread works meanwhile, and draws belong to positions: with one thread, a team or rounds, a training with
pauses learns the same as one without, bit for bit.
"""

from __future__ import annotations

import math
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastvec.training.intervals import seconds_in

__all__ = ["Interval", "Moment", "Pauses", "Periodic"]

UNITS = ("words", "entries")


@dataclass(frozen=True)
class Interval:
    """How often a callback is called within an epoch.

    Attributes
    ----------
    seconds : float
        Time from the end of a call to the next one.
    positions : float
        Number of positions of `unit` from one call to the next.
    unit : str, optional
        What is counted: "words" or "entries".
    """

    seconds: float = math.inf
    positions: float = math.inf
    unit: str | None = None

    @classmethod
    def of(cls, every: str) -> Interval:
        """Return what ``"epoch"``, ``"10s"`` or ``"1e6 words"`` stands for.

        Raises
        ------
        TypeError, ValueError
            If it is nothing of the kind.
        """
        rule = "every must be 'epoch', a time such as '10s' or '5m', or a number such as '1e6 words'"
        if not isinstance(every, str):
            raise TypeError(f"{rule}, got {every!r}")
        if every == "epoch":
            return cls()
        if (seconds := seconds_in(every)) is not None:
            return cls(seconds=seconds)
        found = re.fullmatch(rf"(\d+(?:\.\d+)?(?:[eE]\d+)?) ?({'|'.join(UNITS)})", every)
        if found is None or not 1 <= float(found[1]) < math.inf:
            raise ValueError(f"{rule}, got {every!r}")
        return cls(positions=float(found[1]), unit=found[2])


@dataclass(frozen=True)
class Moment:
    """Where a training is.

    Attributes
    ----------
    epoch : int
        The number of the epoch.
    positions : int
        The number of `unit` that were visited in this training.
    unit : str
        "words" of the text, or "entries" of the counts.
    seconds : float
        Time since its start, with pauses.
    loss : float
        The mean loss in this epoch so far; at its end that in `history_`.
    """

    epoch: int
    positions: int
    unit: str
    seconds: float
    loss: float


class Periodic(ABC):
    """A callback that is called within epochs, too.

    Attributes
    ----------
    interval : Interval
        How often.
    """

    interval: Interval

    @abstractmethod
    def __call__(self, model: Any, moment: Moment, say: Callable[[str], None]) -> Any:
        """Look at a model, which has what was learned up to a moment; `say` shows a line."""


class Pauses:
    """When the callbacks of a training are due within an epoch.

    Parameters
    ----------
    callbacks : sequence of Periodic
        The callbacks.
    call : callable
        Calls one of them.
    unit : str
        What the positions of the training are.

    Attributes
    ----------
    moment : Moment
        Where the training is.
    say : callable
        Shows a line, above the bar if there is one.

    Raises
    ------
    ValueError
        If a callback counts something else than `unit`.
    """

    moment: Moment
    say: Callable[[str], None]

    def __init__(self, callbacks: Sequence[Periodic], call: Callable[[Periodic], None], unit: str) -> None:
        for callback in callbacks:
            if callback.interval.unit not in (None, unit):
                raise ValueError(
                    f"every must be a number of {unit}, which this model visits, got one of "
                    f"{callback.interval.unit!r}"
                )
        self._unit = unit
        self._started = time.perf_counter()
        self._callbacks = callbacks
        self._call = call
        self._times = [math.inf] * len(callbacks)
        self._positions = [math.inf] * len(callbacks)

    def begin_epoch(self, position: int) -> None:
        """Count from here on; at the end of the epoch before, all have been called."""
        for place in range(len(self._callbacks)):
            self._next(place, position)

    def reach(self, epoch: int, positions: int, loss: float, say: Callable[[str], None]) -> None:
        """Note where the training is."""
        self.moment = Moment(epoch, positions, self._unit, time.perf_counter() - self._started, loss)
        self.say = say

    def seconds_left(self) -> float:
        """Return the time until the next pause."""
        return min(self._times, default=math.inf) - time.perf_counter()

    def next_position(self) -> float:
        """Return the position of the next pause."""
        return min(self._positions, default=math.inf)

    def take(self) -> None:
        """Call what is due."""
        now, reached = time.perf_counter(), self.moment.positions
        for place, callback in enumerate(self._callbacks):
            if self._times[place] <= now or self._positions[place] <= reached:
                self._call(callback)
                self._next(place, reached)

    def _next(self, place: int, position: int) -> None:
        interval = self._callbacks[place].interval
        self._times[place] = time.perf_counter() + interval.seconds
        if interval.unit is not None:
            self._positions[place] = (position // interval.positions + 1) * interval.positions
