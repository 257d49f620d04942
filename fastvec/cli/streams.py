"""The standard streams of the command: some may be closed, others can be written no more."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from typing import Any

__all__ = ["add_quiet", "discard", "is_broken", "prepare", "say"]


def add_quiet(
    parser: argparse._ActionsContainer,
    what: str = "show warnings and errors only, no progress and no summary",
) -> None:
    """Add the option that hides progress and messages."""
    parser.add_argument("-q", "--quiet", action="store_true", help=what)


def prepare() -> None:
    """Make the standard streams fit for use.

    Files and pipes get UTF-8, as the files that are written do; Windows would have a code page. The
    descriptors of closed streams are taken, so that no file that is opened later gets one of them, and what
    is printed goes into it.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.reconfigure(encoding="utf-8", errors=stream.errors)
    # Open in the wrong direction, so that reading and writing are errors as they would be without.
    for number, direction in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, direction)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            if number == 1 and sys.stdout is None:
                sys.stdout = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def say(text: str) -> None:
    """Print a message on results that are saved, if standard output can be written."""
    try:
        print(text, flush=True)
    except (OSError, ValueError):
        if is_broken(sys.stdout):
            discard(sys.stdout)


def is_broken(stream: Any) -> bool:
    """Return whether what was written to a stream cannot go where it should."""
    try:
        if stream is not None:
            stream.flush()
        return False
    except (OSError, ValueError):
        return True


def discard(stream: Any) -> None:
    """Drop what was written to a stream, since Python would try once more at the end of the process."""
    with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor is not Python's
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
