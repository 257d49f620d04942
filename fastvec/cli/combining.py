"""``fastvec combine`` and ``fastvec retrofit``: vectors as one, or drawn to a lexicon."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastvec import formats
from fastvec.cli.files import add_format, add_output, add_reading, check_files
from fastvec.cli.options import add_parameters, given
from fastvec.cli.results import add_json, say_saved
from fastvec.cli.streams import add_quiet
from fastvec.vectors import load
from fastvec.vectors.combining import combine
from fastvec.vectors.retrofitting import retrofit

__all__ = ["add_combine", "add_retrofit"]


def add_combine(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec combine``."""
    parser.set_defaults(run=_combine)
    what = f"two or more files of vectors: {formats.extensions()}"
    parser.add_argument("vectors", nargs="+", metavar="VECTORS", help=what)
    _add_result(parser)
    add_parameters(parser, {"combining": combine}, ["weights", "method", "words"])
    add_reading(parser)


def add_retrofit(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec retrofit``."""
    parser.set_defaults(run=_retrofit)
    parser.add_argument("vectors", metavar="VECTORS", help=f"vectors: {formats.extensions()}")
    what = "text file with a word and the words that are related to it in each line"
    parser.add_argument("lexicon", metavar="LEXICON", help=what)
    _add_result(parser)
    add_parameters(parser, {"retrofitting": retrofit}, ["iterations", "alpha", "beta"])
    add_reading(parser)


def _add_result(parser: argparse.ArgumentParser) -> None:
    add_output(parser, f": {formats.extensions()}")
    add_format(parser, "--to")
    add_quiet(parser)
    add_json(parser, "print the summary as JSON")


def _combine(options: argparse.Namespace) -> int:
    _check_output(options, options.vectors)
    reading = {name: value for name, value in given(options, load).items() if name != "words"}
    vectors = [load(path, **reading) for path in options.vectors]
    combined = combine(vectors, **given(options, combine))
    combined.save(options.output, format=options.format)
    say_saved(options, combined)
    return 0


def _retrofit(options: argparse.Namespace) -> int:
    _check_output(options, [options.vectors, options.lexicon])
    vectors = load(options.vectors, **given(options, load))
    retrofitted = retrofit(vectors, options.lexicon, **given(options, retrofit))
    retrofitted.save(options.output, format=options.format)
    n = retrofitted.metadata["postprocessing"][-1]["retrofitted_words"]
    say_saved(options, retrofitted, retrofitted_words=n)
    return 0


def _check_output(options: argparse.Namespace, inputs: list[str]) -> None:
    check_files(inputs, {"--output": options.output})
    formats.format_of(Path(options.output), options.format, reading=False, option="--to")
