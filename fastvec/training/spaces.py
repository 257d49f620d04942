"""What parameters can be, and how one that is near another is drawn."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Choice", "Dimension", "Params", "Range", "Space", "shown"]

Params = dict[str, Any]


@dataclass(frozen=True)
class Range:
    """Numbers between two bounds.

    Attributes
    ----------
    low, high : float
        The bounds, which belong to it.
    whole : bool
        Whether the numbers are int.
    by_factors : bool
        Whether numbers are near by their ratio, or by their difference.
    often : float
        How often the parameter is changed, from 0 to 1.
    """

    low: float
    high: float
    whole: bool = False
    by_factors: bool = True
    often: float = 0.5

    def drawn(self, generator: np.random.Generator) -> float:
        """Return any of the numbers."""
        if self.by_factors:
            return self._within(math.exp(generator.uniform(math.log(self.low), math.log(self.high))))
        return self._within(generator.uniform(self.low, self.high))

    def near(self, value: Any, step: float, generator: np.random.Generator) -> float:
        """Return a number near another; `step` is the standard deviation of the logarithm of their ratio.

        With differences, it is that of the difference in halves of the range. Near None is any number.
        """
        if value is None:
            return self.drawn(generator)
        if self.by_factors:
            return self._within(value * math.exp(step * generator.normal()))
        return self._within(value + step * (self.high - self.low) / 2 * generator.normal())

    def _within(self, value: float) -> float:
        if self.whole and not self.by_factors:
            value = round(value)
        bounded = min(max(float(f"{value:.2g}"), self.low), self.high)  # to be read, and typed again
        return int(bounded) if self.whole else float(bounded)


@dataclass(frozen=True)
class Choice:
    """Some values, none nearer to another than the others.

    Attributes
    ----------
    values : sequence
        The values; those of several parameters together are tuples.
    often : float
        How often it is changed, from 0 to 1.
    """

    values: Sequence[Any]
    often: float = 0.5

    def drawn(self, generator: np.random.Generator) -> Any:
        """Return any of the values."""
        return self.values[int(generator.integers(len(self.values)))]

    def near(self, _value: Any, _step: float, generator: np.random.Generator) -> Any:
        """Return any of the values."""
        return self.drawn(generator)


Dimension = Range | Choice


@dataclass
class Space(ABC):
    """The parameters that are searched.

    Attributes
    ----------
    dimensions : mapping of tuple of str to Range or Choice
        What each parameter can be, or several that mean something only together.
    start : dict
        The parameters of the first trial.
    starts : sequence of dict
        The first candidates; parameters that they do not have are those of `start`.
    """

    dimensions: Mapping[tuple[str, ...], Dimension]
    start: Params
    starts: Sequence[Params] = ()

    def changed(self, params: Params, step: float, generator: np.random.Generator) -> Params:
        """Return parameters of which some are others, one at least."""
        chosen = generator.random(len(self.dimensions)) < [each.often for each in self.dimensions.values()]
        chosen[generator.integers(len(self.dimensions))] = True
        changed = dict(params)
        for (names, dimension), is_chosen in zip(self.dimensions.items(), chosen.tolist(), strict=True):
            if is_chosen:
                value = params[names[0]] if len(names) == 1 else tuple(params[name] for name in names)
                changed |= _named(names, dimension.near(value, step, generator))
        return changed

    def drawn(self, generator: np.random.Generator) -> Params:
        """Return any parameters."""
        params: Params = {}
        for names, dimension in self.dimensions.items():
            params |= _named(names, dimension.drawn(generator))
        return params

    @abstractmethod
    def work(self, params: Params) -> float:
        """Return the work of a training, but for a factor that all have."""


def _named(names: tuple[str, ...], value: Any) -> Params:
    return {names[0]: value} if len(names) == 1 else dict(zip(names, value, strict=True))


def shown(params: Params) -> str:
    """Return parameters as a line shows them."""
    values = {
        name: f"{value:g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else value
        for name, value in params.items()
    }
    return ", ".join(f"{name} {value}" for name, value in values.items())
