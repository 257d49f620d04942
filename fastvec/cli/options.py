"""Options of the command line that are parameters of a classifier.

The defaults are repeated here so that ``fastvec --help`` does not import scikit-learn; a test compares them
with those of the estimators.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["EARLY_STOPPING", "NETWORK", "Option", "add_options", "given"]


class Option(NamedTuple):
    """A parameter of a classifier as an option.

    Attributes
    ----------
    default : object
        The default of the estimator.
    help : str
        The help text.
    type : type
        Type of the value; bool makes a pair of flags.
    choices : tuple of str
        The possible values.
    several : bool
        Whether several values can be given.
    """

    default: Any
    help: str
    type: Any = str
    choices: tuple[str, ...] = ()
    several: bool = False


EARLY_STOPPING = {
    "early_stopping": Option(
        False, "hold out a part for validation, and stop when its score no longer improves", bool
    ),
    "validation_fraction": Option(0.1, "fraction to hold out", float),
    "patience": Option(5, "number of epochs without improvement before stopping", int),
}
# Parameters of networks that are trained in mini-batches.
NETWORK = {
    "l2": Option(0.0, "strength of the L2 penalty on the weights", float),
    "optimizer": Option("adam", "optimizer", choices=("sgd", "adagrad", "adam")),
    "learning_rate": Option(None, "initial step size (default: depends on the optimizer)", float),
    "momentum": Option(0.9, "momentum of sgd", float),
    "schedule": Option("linear", "whether the step size decreases to 0", choices=("linear", "constant")),
    **EARLY_STOPPING,
}


def add_options(parser: argparse.ArgumentParser, options: Mapping[str, Option]) -> None:
    """Add parameters to a parser; those not given are absent from its result."""
    training = parser.add_argument_group("training")
    for name, option in options.items():
        told = option.help if option.default is None else f"{option.help} (default: {_told(option.default)})"
        arguments: dict[str, Any] = {"default": argparse.SUPPRESS, "help": told}
        if option.type is bool:
            arguments["action"] = argparse.BooleanOptionalAction
        elif option.choices:
            arguments["choices"] = option.choices
        else:
            arguments |= {"type": option.type, "metavar": {int: "N", float: "X"}[option.type]}
        if option.several:
            arguments["nargs"] = "+"
        training.add_argument(f"--{name.replace('_', '-')}", **arguments)


def given(namespace: argparse.Namespace, options: Mapping[str, Option]) -> dict[str, Any]:
    """Return the parameters that were given."""
    return {name: getattr(namespace, name) for name in options if hasattr(namespace, name)}


def _told(default: Any) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return "none" if default == () else str(default)
