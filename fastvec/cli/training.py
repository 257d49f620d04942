"""What the verbs that train share: repeating a training by ``--like``, checkpoints, and the summary."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastvec.cli.options import KEY, add_parameters, flag, given, parameters
from fastvec.cli.parser import Parser
from fastvec.training.loop import Epoch
from fastvec.vectors import load

__all__ = [
    "OF_TEXTS",
    "add_checkpoints",
    "add_like",
    "checkpoints",
    "in_python",
    "text_of",
    "trained_on",
    "training_of",
    "values_of",
    "words_in",
]

# The parameters of a Corpus that say how a text is read.
OF_TEXTS = ("lowercase", "errors", "column", "kmers", "cache")


def add_like(parser: argparse.ArgumentParser, values: Callable[[Parser, str], Mapping[str, Any]]) -> None:
    """Add the option of the file whose training is repeated, and what returns the options that made it."""
    parser.add_argument(
        "--like",
        metavar="FILE",
        help="repeat the training of a .fvec on these texts: its model and all parameters, with others that "
        "are given; the same text and one thread give the same vectors",
    )
    assert isinstance(parser, Parser)
    parser.files_of_defaults["--like"] = values


def training_of(path: str, estimators: Iterable[type], otherwise: str) -> dict[str, Any]:
    """Return the metadata of a file whose training a verb can repeat.

    Parameters
    ----------
    path : str
        The file.
    estimators : iterable of type
        What the verb trains.
    otherwise : str
        What another estimator is, for the error.

    Raises
    ------
    OSError, ValueError
        If the file cannot be read, or was not made by such a training.
    """
    if Path(path).suffix.lower() != ".fvec":
        raise ValueError(f"--like must be a .fvec, which keeps the parameters of its training, got {path!r}")
    metadata = load(path, mmap=True).metadata
    made = metadata.get("estimator")
    if made is None:
        raise ValueError(f"{path}: its metadata have no training to repeat, only those of trained vectors do")
    if made not in [estimator.__name__ for estimator in estimators]:
        raise ValueError(f"{path}: made by {made}, which is {otherwise}")
    if metadata.keys() & {"start_from", "freeze"}:
        raise ValueError(
            f"{path}: its training started from other vectors, which are not in it: --like cannot repeat it"
        )
    return metadata


def values_of(metadata: Mapping[str, Any], estimator: Callable[..., Any]) -> dict[str, Any]:
    """Return the parameters of a training, and of how its text was read, by where parsers put options."""
    text = (metadata.get("corpora") or [{}])[0]
    values = {KEY + name: metadata.get(name) for name in parameters(estimator)}
    values |= {KEY + name: text.get(name) for name in OF_TEXTS}
    return {dest: value for dest, value in values.items() if value is not None}


def text_of(path: str) -> dict[str, Any]:
    """Return what a file says of the only text with which it was made, as a command may read it again.

    Raises
    ------
    ValueError
        If there were several, or if no command can read it so.
    """
    corpora = load(path, mmap=True).metadata.get("corpora", [{}])
    if len(corpora) > 1:
        raise ValueError(
            f"{path}: made of {len(corpora)} texts that were trained on, or counted, one after the other, "
            "which one command cannot repeat"
        )
    text: dict[str, Any] = corpora[0] if corpora else {}
    if "vocabulary" in text:
        raise in_python(path, "on a given vocabulary")
    if "tokenizer" in text:
        raise in_python(path, "with a tokenizer")
    return text


def in_python(path: str, how: str) -> ValueError:
    """Return the error for a training that a command cannot repeat."""
    return ValueError(f"{path}: trained in Python {how}, which no option of this command repeats")


def add_checkpoints(parser: argparse.ArgumentParser, fit: Callable[..., Any]) -> None:
    """Add the parameters of `fit` that are about checkpoints."""
    add_parameters(parser, {"checkpoints": fit}, ["checkpoint", "checkpoint_every", "resume"])


def checkpoints(options: argparse.Namespace, fit: Callable[..., Any], model: Any) -> dict[str, Any]:
    """Return the arguments of `fit` that the options stand for, after a model has validated them."""
    values = given(options, fit)
    if values and "checkpoint" not in values:
        raise ValueError(f"{flag(fit, next(iter(values)))} needs --checkpoint, the file of the checkpoints")
    if values:
        model._checkpoints(**values)
    return values


def words_in(history: Sequence[Epoch]) -> float:
    """Return the words of all epochs together."""
    return sum(epoch.seconds * (epoch.words_per_second or 0) for epoch in history)


def trained_on(history: Sequence[Epoch], amount: float, unit: str, result: str) -> str:
    """Return what a model was trained on, how fast, and with which result."""
    seconds = sum(epoch.seconds for epoch in history)
    return f"trained on {amount:,.0f} {unit} in {seconds:,.1f} s ({amount / seconds:,.0f} {unit}/s), {result}"
