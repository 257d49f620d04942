"""Results as JSON: a document, or a line for each of several; vectors as text, and where they were saved."""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.cli.streams import say
from fastvec.vectors import Vectors

__all__ = ["add_json", "json_line", "numbers", "print_json", "say_saved"]


def add_json(parser: argparse._ActionsContainer, what: str = "print the results as JSON") -> None:
    """Add the option that chooses JSON."""
    parser.add_argument("--json", action="store_true", help=what)


def json_line(document: Any) -> str:
    """Return a document in one line; numbers that JSON does not have are null."""
    return json.dumps(_finite(document), ensure_ascii=False, allow_nan=False)


def print_json(document: Any) -> None:
    """Print a document in one line."""
    print(json_line(document))


def say_saved(options: argparse.Namespace, vectors: Vectors, **others: int) -> None:
    """Say how large vectors are, and in which file they were saved; and other numbers by their names."""
    if options.json:
        sizes = {"words": len(vectors), "vector_size": vectors.vector_size}
        say(json_line({"output": options.output, **sizes, **others}))
    elif not options.quiet:
        more = "".join(f", {number:,} {name.replace('_', ' ')}" for name, number in others.items())
        say(f"{len(vectors):,} words, {vectors.vector_size:,} dimensions{more}; saved in {options.output}")


def numbers(vector: NDArray[np.float32]) -> str:
    """Return the numbers of a vector as files of text have them."""
    return " ".join(f"{number:.9g}" for number in vector.tolist())


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
