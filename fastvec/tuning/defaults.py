"""The parameters that are searched by default: those that matter for texts, for items, and for nodes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fastvec import presets
from fastvec._params import check_choice, plain, shortened
from fastvec.graphs.walks import check_steps
from fastvec.models.sessions import REACH
from fastvec.training.spaces import Choice, Dimension, Params, Range, Space
from fastvec.tuning.objectives import WALKING, Objective

__all__ = ["ModelSpace", "space_of"]

ALWAYS: dict[str, Dimension] = {
    "epochs": Range(1, 200, whole=True),
    "learning_rate": Range(0.002, 0.5),
    "negatives": Range(1, 50, whole=True, often=0.3),
    "subsample": Range(1e-6, 0.1, often=0.3),
}
WINDOW = Range(1, 20, whole=True, often=0.4)
NOISE = Range(-1.0, 1.0, by_factors=False, often=0.4)
LOSSES = Choice(("negative_sampling", "bpr"), often=0.15)
# What the loss of held-out words can compare is how a text is learned, and not which contexts words have.
DIMENSIONS: dict[str, dict[str, Dimension]] = {
    "held-out": ALWAYS,
    "next-item": {
        **ALWAYS,
        "window": Choice((None, 2, 3, 5, 10), often=0.3),
        "noise_exponent": NOISE,
        "min_count": Choice((1, 2, 5), often=0.1),
        "loss": LOSSES,
    },
    "link": {
        **ALWAYS,
        "window": WINDOW,
        "noise_exponent": NOISE,
        "loss": LOSSES,
        "p": Choice((0.25, 0.5, 1.0, 2.0, 4.0), often=0.2),
        "q": Choice((0.25, 0.5, 1.0, 2.0, 4.0), often=0.2),
        "per_node": Range(2, 40, whole=True, often=0.2),
    },
}
OF_TEXTS: dict[str, Dimension] = {
    **ALWAYS,
    "window": WINDOW,
    "noise_exponent": Range(0.0, 1.0, by_factors=False, often=0.2),
}
# Parameters that change no vectors, or not for the better.
NOT_SEARCHED = ("threads", "deterministic", "seed", "memory_limit", "progress", "callbacks", "keep", "drop")
# Candidates of the first round: what was published, and parameters near that and near the given ones which do
# not take more work; and draws after which there are no more of these.
FIRST, MOST_DRAWS = 8, 200
# How often candidates are not near the best so far, which may be good by chance.
ANYWHERE = 0.25


class ModelSpace(Space):
    """The parameters of a model, and perhaps of walks, that are searched."""

    def changed(self, params: Params, step: float, generator: np.random.Generator) -> Params:
        """Return parameters of which some are others, or sometimes any."""
        if generator.random() < ANYWHERE:
            return self.drawn(generator)
        return super().changed(params, step, generator)

    def work(self, params: Params) -> float:
        """Return the multiply-adds of a training, but for a factor that all have."""
        window = params.get("window", 1)
        contexts = REACH if window is None else (window + 1) / 2
        n_walked = params.get("per_node", 1) * params.get("length", 1)
        size, scores = params.get("vector_size", 1), 1 + params.get("negatives", 0)
        return float(params.get("epochs", 1) * contexts * n_walked * size * scores)


def space_of(
    name: str, objective: Objective, model: Any, given: Any, fixed: Sequence[str] | None, n_tokens: int
) -> ModelSpace:
    """Return what is searched: what is given, or the default of the objective.

    Parameters
    ----------
    name : str
        The name of the objective.
    objective : Objective
        The objective.
    model : estimator
        The model, and the parameters of the first trial.
    given : mapping or None
        The argument `space`.
    fixed : sequence of str or None
        The parameters that stay as they are.
    n_tokens : int
        The number of words of the text.

    Raises
    ------
    TypeError, ValueError
        If what is given is no space of the model's parameters, or nothing is left to be searched.
    """
    params = model.get_params() | objective.walking
    if given is None:
        dimensions = _default(name, objective, model, _fixed(fixed, params, type(model)().get_params()))
    else:
        if fixed is not None:
            raise ValueError(f"fixed must be None with space, which names what is searched, got {fixed!r}")
        dimensions = _checked(given, objective, model, params)
    start = {parameter: params[parameter] for parameter in dimensions}
    if start.get("learning_rate", 0) is None:
        start["learning_rate"] = model.first_learning_rate()
    if start.get("epochs", 0) is None:
        start["epochs"] = model._number_of_epochs(n_tokens)
    space = ModelSpace({(parameter,): each for parameter, each in dimensions.items()}, start)
    published = {
        parameter: value
        for parameter, value in _published(name, n_tokens).items()
        if parameter in start and (given is None and _error(objective, model, parameter, value) is None)
    }
    space.starts = _starts(space, published, model.seed)
    return space


def _fixed(fixed: Sequence[str] | None, params: Params, usual: Params) -> set[str]:
    """Return the parameters that stay as they are."""
    if fixed is None:
        return {name for name, value in usual.items() if params[name] != value}
    if isinstance(fixed, str) or not isinstance(fixed, Iterable):
        raise TypeError(f"fixed must be a sequence of names, got {fixed!r}")
    return {check_choice("fixed", name, params) for name in fixed}


def _default(name: str, objective: Objective, model: Any, fixed: set[str]) -> dict[str, Dimension]:
    """Return what is searched by default, without what the model does not have."""
    dimensions: dict[str, Dimension] = {}
    own = model.get_params()
    for parameter, dimension in DIMENSIONS.get(name, OF_TEXTS).items():
        if parameter in fixed or parameter not in {**own, **WALKING}:
            continue
        if isinstance(dimension, Choice):
            values = [
                value for value in dimension.values if _error(objective, model, parameter, value) is None
            ]
            dimension = Choice(values, dimension.often)
        dimensions[parameter] = dimension
    if not dimensions:
        names = ", ".join(DIMENSIONS.get(name, OF_TEXTS))
        raise ValueError(
            f"model must leave some of {names} at their default to be searched, or space must name others, "
            f"got {model!r}"
        )
    return dimensions


def _checked(given: Any, objective: Objective, model: Any, params: Params) -> dict[str, Dimension]:
    """Return a space that a user gives, after validation."""
    if not isinstance(given, Mapping) or not given:
        raise TypeError(
            "space must be a dict of names of parameters and their values, as in "
            f"{{'window': [2, 5, None], 'epochs': (1, 50)}}, got {shortened(given)}"
        )
    dimensions: dict[str, Dimension] = {}
    for name, values in given.items():
        check_choice("every name in space", name, [each for each in params if each not in NOT_SEARCHED])
        dimension = dimensions[name] = _dimension(name, values)
        bounds = (dimension.low, dimension.high) if isinstance(dimension, Range) else dimension.values
        for value in bounds:
            if (error := _error(objective, model, name, value)) is not None:
                raise error
    return dimensions


def _dimension(name: str, values: Any) -> Dimension:
    rule = f"space[{name!r}] must be a list of values, or a tuple of the lowest and the highest number"
    if isinstance(values, list) and values:
        if name == "epochs" and None in values:  # which takes as long as the text says
            raise ValueError(f"space['epochs'] must be a list of numbers, got {shortened(values)}")
        return Choice(tuple(map(plain, values)))
    if not isinstance(values, tuple) or len(values) != 2:
        raise TypeError(f"{rule}, got {shortened(values)}")
    low, high = map(plain, values)
    if not all(isinstance(bound, (int, float)) and not isinstance(bound, bool) for bound in (low, high)):
        raise TypeError(f"{rule}, got {shortened(values)}")
    if not (low < high and math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{rule}, got {shortened(values)}")
    return Range(low, high, whole=isinstance(low, int) and isinstance(high, int), by_factors=low > 0)


def _error(objective: Objective, model: Any, name: str, value: Any) -> Exception | None:
    """Return the error of a model, or of walks, with a value that they must not have."""
    params = model.get_params() | objective.walking | {name: value}
    if name != "min_learning_rate":
        params["min_learning_rate"] = None
    try:
        if objective.walking:
            check_steps(**{each: params[each] for each in objective.walking})
        other = type(model)(**{each: params[each] for each in model.get_params()})
        objective.check(other)
    except (TypeError, ValueError) as error:
        return error
    return None


def _published(name: str, n_tokens: int) -> Params:
    """Return parameters that were published as good."""
    if name == "next-item":
        return presets.items()
    return presets.nodes() if name == "link" else presets.text(n_tokens)


def _starts(space: ModelSpace, published: Params, seed: int) -> list[Params]:
    """Return the candidates of the first round."""
    generator = np.random.default_rng([seed, 3])
    first = space.start | published
    most = max(space.work(space.start), space.work(first))
    starts, near = [first], [first, space.start]
    for draw in range(MOST_DRAWS):
        params = space.changed(near[draw % 2], 1.0, generator)
        if space.work(params) <= most:
            starts.append(params)
        if len(starts) == FIRST:
            break
    return starts
