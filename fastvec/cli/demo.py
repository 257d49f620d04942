"""``fastvec demo``: a model of the prose that every machine with fastvec has."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastvec import demo, formats
from fastvec.cli.files import add_output, check_files
from fastvec.cli.streams import add_quiet
from fastvec.training import signals

__all__ = ["add_demo"]


def add_demo(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec demo``."""
    parser.set_defaults(run=_run)
    add_output(parser, " (default: %(default)s)", "demo.fvec")
    add_quiet(parser, "show no progress")


def _run(options: argparse.Namespace) -> int:
    check_files([], {"--output": options.output})
    formats.format_to_write(Path(options.output), None, None, option=None)
    with signals.hold_after_training() as held:
        demo.run(options.output, progress=not options.quiet)
    return held.status
