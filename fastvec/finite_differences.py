"""Checking a gradient against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastvec._params import check_float, check_int

__all__ = ["GradientReport", "gradcheck"]

# Below this, |analytic| + |numeric| is mostly rounding: dividing by it would make that look like an error.
SMALLEST_SCALE = 1e-8


@dataclass(frozen=True)
class GradientReport:
    """Largest deviation of a gradient from centred finite differences.

    Attributes
    ----------
    max_relative_error : float
        The largest ``|a − n| / max(|a| + |n|, 1e-8)`` of the coordinates checked, from 0 to 1.
    worst : tuple
        The coordinate with the largest error: its index, preceded by the name of the array if there are
        several.
    analytic, numeric : float
        The gradient a and the centred difference n there.
    checked : int
        Number of coordinates checked.
    """

    max_relative_error: float
    worst: tuple[Any, ...]
    analytic: float
    numeric: float
    checked: int

    def ok(self, tolerance: float = 1e-5) -> bool:
        """Return whether every relative error is at most `tolerance`."""
        return self.max_relative_error <= tolerance

    def __str__(self) -> str:
        return (
            f"{self.checked:,} coordinates checked, largest relative error {self.max_relative_error:.2e} "
            f"at {self.worst}: analytic {self.analytic:.9g}, numeric {self.numeric:.9g}"
        )


def gradcheck(
    f: Callable[[Any], tuple[float, Any]],
    x: ArrayLike | Mapping[str, ArrayLike],
    *,
    epsilon: float = 1e-4,
    sample: int | None = None,
    seed: int = 0,
) -> GradientReport:
    """Compare the gradient returned by a function with centred finite differences of its cost.

    Coordinate i of the gradient should be (J(x + ε eᵢ) − J(x − ε eᵢ)) / 2ε, up to a term in ε². The
    relative error ``|a − n| / max(|a| + |n|, 1e-8)`` is that of Stanford's CS231n
    (https://cs231n.github.io/neural-networks-3/#gradcheck): a correct gradient in double precision has about
    1e-7 or less, a wrong one 1e-2 or more, and a kink within ε of `x` may give 1e-4.

    Parameters
    ----------
    f : callable
        ``f(x)`` returns the cost J, a number, and its gradient, which has the shape of `x`. It should compute
        in float64: differences of a float32 cost are mostly rounding errors.
    x : array_like of float64, any shape, or mapping of str to these
        The point at which to check. If it is a mapping (the parameters of a model by name), `f` receives a
        dict and returns a dict of gradients. It is never modified.
    epsilon : float
        The step ε.
    sample : int, optional
        Number of coordinates to check, chosen at random without replacement; all by default.
    seed : int
        Seed of the choice.

    Returns
    -------
    GradientReport
        The largest relative error and where it occurs.

    Raises
    ------
    TypeError
        If `f` does not return a cost and a gradient.
    ValueError
        If the gradient does not have the shape of `x`, the cost or the gradient is not finite, or `x` is
        empty.

    Examples
    --------
    >>> import numpy as np
    >>> from fastvec.finite_differences import gradcheck
    >>> report = gradcheck(lambda x: (np.sum(x**2), 2 * x), [[1.0, -2.0], [0.5, 3.0]])
    >>> report.ok()
    True
    >>> gradcheck(lambda x: (np.sum(x**2), 2.04 * x), [1.0, -2.0]).ok()
    False

    Of several parameters, with an error in one of them:

    >>> def wrong(parameters):
    ...     w, b = parameters["w"], parameters["b"]
    ...     return np.sum(w**2) + b**3, {"w": 2 * w, "b": 3 * b}
    >>> gradcheck(wrong, {"w": [1.0, 2.0], "b": 3.0}).worst
    ('b',)
    """
    epsilon = check_float("epsilon", epsilon, above=0)
    if isinstance(x, Mapping):
        return _gradcheck_named(f, x, epsilon, sample, seed)
    point = np.array(x, dtype=np.float64)
    if point.size == 0:
        raise ValueError(f"x must have at least one element, got the shape {point.shape}")
    _, gradient = _call(f, point.copy())
    if gradient.shape != point.shape:
        raise ValueError(f"f must return a gradient of the shape of x, {point.shape}, got {gradient.shape}")
    if not np.isfinite(gradient).all():
        where = _index(point, int(np.flatnonzero(~np.isfinite(gradient.ravel()))[0]))
        raise ValueError(f"f must return a finite gradient, got {gradient[where]} at {where}")

    coordinates = np.arange(point.size)
    if sample is not None and check_int("sample", sample, 1) < point.size:
        coordinates = np.random.default_rng(seed).choice(point.size, sample, replace=False)
    numeric = np.array([_centred_difference(f, point, int(i), epsilon) for i in coordinates])
    analytic = gradient.ravel()[coordinates]
    scale = np.maximum(np.abs(analytic) + np.abs(numeric), SMALLEST_SCALE)
    errors = np.abs(analytic - numeric) / scale
    worst = int(np.argmax(errors))
    return GradientReport(
        max_relative_error=float(errors[worst]),
        worst=_index(point, int(coordinates[worst])),
        analytic=float(analytic[worst]),
        numeric=float(numeric[worst]),
        checked=len(coordinates),
    )


def _gradcheck_named(
    f: Callable[[Any], tuple[float, Any]],
    x: Mapping[str, ArrayLike],
    epsilon: float,
    sample: int | None,
    seed: int,
) -> GradientReport:
    """Check several arrays as one, laid end to end."""
    arrays = {name: np.asarray(array, dtype=np.float64) for name, array in x.items()}
    ends = np.cumsum([0, *(array.size for array in arrays.values())])

    def flat(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        named = {
            name: point[begin:end].reshape(array.shape)
            for (name, array), begin, end in zip(arrays.items(), ends, ends[1:], strict=False)
        }
        cost, gradients = _pair(f(named))
        if not isinstance(gradients, Mapping) or gradients.keys() != arrays.keys():
            raise ValueError(f"f must return a dict of gradients of {', '.join(arrays)}, got {gradients!r}")
        for name, array in arrays.items():
            if np.shape(gradients[name]) != array.shape:
                raise ValueError(
                    f"f must return a gradient of the shape of {name}, {array.shape}, "
                    f"got {np.shape(gradients[name])}"
                )
            if not np.isfinite(gradients[name]).all():
                raise ValueError(f"f must return a finite gradient of {name}, got {gradients[name]!r}")
        return cost, np.concatenate([np.ravel(gradients[name]) for name in arrays])

    start = np.concatenate([np.empty(0), *map(np.ravel, arrays.values())])
    report = gradcheck(flat, start, epsilon=epsilon, sample=sample, seed=seed)
    (place,) = report.worst
    which = int(np.searchsorted(ends, place, side="right")) - 1
    name, array = list(arrays.items())[which]
    return replace(report, worst=(name, *_index(array, place - int(ends[which]))))


def _centred_difference(f: Callable[..., Any], point: NDArray[np.float64], i: int, epsilon: float) -> float:
    costs = []
    for step in (epsilon, -epsilon):
        moved = point.copy()
        moved.flat[i] += step
        costs.append(_call(f, moved)[0])
    return (costs[0] - costs[1]) / (2 * epsilon)


def _call(f: Callable[..., Any], x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return cost and gradient, the gradient as a copy: `f` may use one buffer for all its calls."""
    cost, gradient = _pair(f(x))
    if not np.isfinite(cost):
        raise ValueError(f"f must return a finite cost, got {cost}")
    return float(cost), np.array(gradient, dtype=np.float64)


def _pair(returned: Any) -> tuple[float, Any]:
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise TypeError(f"f must return a tuple (cost, gradient), got {returned!r}")
    return returned


def _index(x: NDArray[np.float64], i: int) -> tuple[int, ...]:
    return tuple(int(k) for k in np.unravel_index(i, x.shape))
