"""The options of ``fastvec phrases``: the parameters of `Phrases`, and its files."""

from __future__ import annotations

import argparse
from typing import Any

from fastvec.cli.streams import add_quiet
from fastvec.models.phrases import Phrases

__all__ = ["add_options", "make_phrases"]

# The parameters that are options, their types, and their help; the defaults are those of Phrases.
FINDING: dict[str, tuple[Any, str]] = {
    "min_count": (int, "ignore pairs that occur less often"),
    "threshold": (float, "join pairs with a score above this (default: 100, with npmi 0.5)"),
    "scoring": (str, "word2phrase: as word2phrase.c; npmi: normalized pointwise mutual information"),
    "delimiter": (str, "separator between the words of a phrase"),
    "passes": (int, "1 finds phrases of two words, 2 of up to four, ..."),
}
CHOICES = {"scoring": ("word2phrase", "npmi")}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the files and the parameters to a parser."""
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="output file, gzipped if it ends in .gz; - is standard output",
    )
    parser.add_argument("--save-phrases", metavar="FILE", help="save the phrases, for other texts")
    parser.add_argument(
        "--phrases",
        metavar="FILE",
        help="join the phrases in this file of --save-phrases instead of finding new ones",
    )
    add_quiet(parser)
    finding = parser.add_argument_group("finding")
    defaults = Phrases().get_params()
    for name, (of_type, what) in FINDING.items():
        finding.add_argument(
            f"--{name.replace('_', '-')}",
            type=of_type,
            default=argparse.SUPPRESS,
            choices=CHOICES.get(name),
            metavar=None if name in CHOICES else {int: "N", float: "X", str: "TEXT"}[of_type],
            help=what if defaults[name] is None else f"{what} (default: {defaults[name]})",
        )


def make_phrases(options: argparse.Namespace) -> Phrases:
    """Return the estimator that the options describe, after validating its parameters, or that of a file.

    Raises
    ------
    OSError, TypeError, ValueError
        If a parameter is invalid, or the file cannot be read or comes with other parameters.
    """
    given = {name: getattr(options, name) for name in FINDING if hasattr(options, name)}
    if options.phrases is None:
        phrases = Phrases(**given)
        phrases.check_params()
    elif given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ValueError(f"the file of --phrases has its parameters; others cannot be given, got {names}")
    else:
        phrases = Phrases.load(options.phrases)
    phrases.memory_limit = options.memory_limit
    phrases.progress = not options.quiet
    return phrases
