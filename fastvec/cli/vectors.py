"""The options of all commands that read vectors, and their names in errors."""

from __future__ import annotations

import argparse
import re

from fastvec import formats
from fastvec.cli.labels import add_errors
from fastvec.vectors import Vectors, load

__all__ = ["add_reading", "in_options", "load_vectors"]

READING = ("errors", "format", "limit", "on_duplicates", "on_nonfinite")
# As errors name them, for Python: errors='replace'.
PARAMETER = re.compile(rf"\b({'|'.join(READING)})=(['\"]?)([^\s'\";,)]*)\2")


def add_reading(parser: argparse.ArgumentParser, *, errors: bool = True, format: str = "--format") -> None:
    """Add the parameters of `load` to a parser; ``--errors`` only if its text has not got that already."""
    reading = parser.add_argument_group("reading vectors")
    if errors:
        add_errors(reading)
    reading.add_argument(
        *dict.fromkeys((format, "--format")),
        dest="from_format",
        choices=formats.FORMATS,
        help="format of the vectors (default: by extension)",
    )
    reading.add_argument("--limit", type=int, metavar="N", help="read only the first N words")
    reading.add_argument(
        "--on-duplicates",
        choices=("error", "first"),
        default="error",
        help="what to do if a word occurs twice (default: %(default)s)",
    )
    reading.add_argument(
        "--on-nonfinite",
        choices=("error", "drop"),
        default="error",
        help="what to do about vectors with NaN or infinities (default: %(default)s)",
    )


def load_vectors(options: argparse.Namespace) -> Vectors:
    """Load the vectors of a command."""
    return load(
        options.vectors,
        format=options.from_format,
        errors=options.errors,
        limit=options.limit,
        on_duplicates=options.on_duplicates,
        on_nonfinite=options.on_nonfinite,
    )


def in_options(message: str) -> str:
    """Return an error with the parameters that it advises, as ``errors='replace'``, as options."""
    return PARAMETER.sub(lambda found: f"--{found[1].replace('_', '-')} {found[3]}".rstrip(), message)
