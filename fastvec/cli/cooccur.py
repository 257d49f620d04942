"""The options of ``fastvec cooccur``: the parameters of `Cooccurrence`, and the files it writes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fastvec.cli.streams import add_quiet
from fastvec.cli.train import TRAINING
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.counts.units import WEIGHTINGS

__all__ = ["add_options", "make_counter", "save"]

# The parameters that are options, their types, and their help; the defaults are the estimator's.
COUNTING: dict[str, tuple[Any, str]] = {
    **{name: TRAINING[name] for name in ("window", "weighting", "min_count", "max_vocab")},
    "threads": (int, "number of threads; it does not change the counts (default: all processors)"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the output and the parameters to a parser."""
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="output file: .fvcounts, or .bin for Stanford's GloVe, with --vocabulary",
    )
    parser.add_argument(
        "--vocabulary",
        metavar="FILE",
        help="output file of the words and their counts, in the format of vocab_count",
    )
    add_quiet(parser)
    counting = parser.add_argument_group("counting")
    defaults = Cooccurrence().get_params()
    for name, (of_type, what) in COUNTING.items():
        counting.add_argument(
            f"--{name.replace('_', '-')}",
            type=of_type,
            default=defaults[name],
            choices=WEIGHTINGS if name == "weighting" else None,
            metavar=None if name == "weighting" else "N",
            help=what if defaults[name] is None else f"{what} (default: %(default)s)",
        )
    counting.add_argument("--left-only", action="store_true", help=TRAINING["left_only"][1])


def make_counter(options: argparse.Namespace) -> Cooccurrence:
    """Return the counter that the options describe, after validating its parameters and the file names.

    Raises
    ------
    ValueError
        If a parameter is invalid, or the files cannot be written.
    """
    extension = Path(options.output).suffix.lower()
    if extension not in (".fvcounts", ".bin"):
        raise ValueError(f"the output must end in .fvcounts or .bin, got {options.output!r}")
    if (extension == ".bin") != (options.vocabulary is not None):
        raise ValueError("--vocabulary FILE must be given with an output in .bin, and only then")
    counter = Cooccurrence(
        **{name: getattr(options, name) for name in COUNTING},
        symmetric=not options.left_only,
        memory_limit=options.memory_limit,
        progress=not options.quiet,
    )
    counter.check_params()
    return counter


def save(counts: Cooccurrence, options: argparse.Namespace) -> None:
    """Save counts in the files that the options name."""
    if options.vocabulary is None:
        counts.save(options.output)
    else:
        counts.write_glove(options.output, options.vocabulary)
