"""The options of ``fastvec train`` about checkpoints."""

from __future__ import annotations

import argparse
from typing import Any

from fastvec.models.base import EpochModel

__all__ = ["add_options", "arguments"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to a parser."""
    checkpoints = parser.add_argument_group("checkpoints")
    checkpoints.add_argument(
        "--checkpoint", metavar="FILE", help="keep the state of the training in this file: .fvec"
    )
    checkpoints.add_argument(
        "--checkpoint-every",
        type=lambda text: int(text) if text.isdecimal() else text,
        metavar="N",
        help="number of epochs between two checkpoints, or a time: 30s, 10m, 2h (default: 10m)",
    )
    checkpoints.add_argument(
        "--resume",
        action="store_true",
        default=None,
        help="continue the training whose state is in the file of --checkpoint; without the file, start one",
    )


def arguments(options: argparse.Namespace, model: Any) -> dict[str, Any]:
    """Return the arguments of `fit` that the options stand for, after validating them.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If there is no file or the model has no checkpoints, or if the training in it cannot be continued.
    """
    names = ("checkpoint", "checkpoint_every", "resume")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if not given:
        return {}
    flags = {name: f"--{name.replace('_', '-')}" for name in names}
    if options.checkpoint is None:
        raise ValueError(f"{flags[next(iter(given))]} needs --checkpoint, the file of the checkpoints")
    if not isinstance(model, EpochModel):
        raise ValueError(f"--checkpoint needs a model trained in epochs, got --model {options.model}")
    model._checkpoints(**given)
    return given
