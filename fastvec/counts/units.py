"""Counts as whole multiples of a unit: the weights of distances, and counts given as numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["WEIGHTINGS", "choose_unit", "distance_weights", "in_units"]

WEIGHTINGS = ("harmonic", "flat", "dynamic")

# Units that divide 1/1 ... 1/15, and 1/1 ... 1/22.
UNITS = (360360, 232792560)
# Sums of units stay below this, so that they fit in an int64.
MOST_UNITS = 2.0**62
# Numbers are whole numbers of units if they are so near to one, as sums of fractions in floating point are.
TOLERANCE, RELATIVE_TOLERANCE = 1e-6, 1e-9


def distance_weights(weighting: str, window: int) -> tuple[NDArray[np.int64], int]:
    """Return the weights of the distances 1 to `window`, and the unit that they are in."""
    distances = np.arange(1, window + 1, dtype=np.int64)
    if weighting == "flat":
        return np.ones_like(distances), 1
    if weighting == "dynamic":
        return window + 1 - distances, window
    unit = UNITS[0] if window <= 15 else UNITS[1]
    return (2 * unit + distances) // (2 * distances), unit  # beyond 22, the nearest whole number


def choose_unit(values: Iterable[NDArray[Any]], own_unit: int, what: str = "values") -> int:
    """Return the unit for counts that come in blocks of numbers, all finite and above 0.

    That is `own_unit`, the one of the weights that were used, if they are whole numbers of it; else 1 if they
    are whole numbers, a unit of harmonic weights if they are sums of these, and for others the largest power
    of two that lets the sum of all fit. `what` they are is for the errors.

    Raises
    ------
    ValueError
        If the numbers are too large, or differ too much in size.
    """
    whole = True
    fit = dict.fromkeys((own_unit, *UNITS), True)
    total, smallest = 0.0, math.inf
    for block in values:
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = block.astype(np.float64)
            total += float(numbers.sum())
            smallest = min(smallest, float(numbers.min(initial=math.inf)))
            whole = whole and bool((numbers == np.rint(numbers)).all())
            for unit, fits in fit.items():
                if fits:
                    scaled = numbers * unit
                    allowed = np.maximum(TOLERANCE, RELATIVE_TOLERANCE * scaled)
                    fit[unit] = bool((np.abs(scaled - np.rint(scaled)) <= allowed).all())
    if not total < MOST_UNITS:
        raise ValueError(f"{what} must have a sum below 2**62, got {total:g}")
    for unit, fits in ((own_unit, fit[own_unit]), (1, whole), *fit.items()):
        if fits and total * unit < MOST_UNITS and smallest * unit > 0.5:
            return unit
    unit = 1 << min(62, 62 - math.frexp(total)[1])
    if smallest * unit <= 0.5:
        raise ValueError(
            f"{what} must not be lost beside their sum: {smallest:g} is less than half a unit of 1/{unit:,}, "
            f"the smallest in which a sum of {total:g} fits in 62 bits"
        )
    return unit


def in_units(values: NDArray[Any], unit: int) -> NDArray[np.int64]:
    """Return numbers as whole multiples of a unit."""
    return (
        values.astype(np.int64) if unit == 1 else np.rint(values.astype(np.float64) * unit).astype(np.int64)
    )
