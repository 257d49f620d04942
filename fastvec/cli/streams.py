"""The standard streams of the command: some may be closed, others can be written no more."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

__all__ = ["WORD", "add_quiet", "discard", "is_broken", "lines_as_they_come", "prepare", "say"]

# What stands between white space, which is ASCII's as in texts.
WORD = re.compile(r"[^\t-\r ]+")
# The most that is read of standard input at once.
BLOCK_BYTES = 1 << 16


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


def lines_as_they_come(prompt: str, errors: str = "strict") -> Iterator[list[str]]:
    """Yield the lines of standard input, without their ends: as many together as are there.

    Parameters
    ----------
    prompt : str
        What asks for a line on a terminal.
    errors : {"strict", "replace", "ignore"}
        How to handle bytes that are not UTF-8.

    Raises
    ------
    ValueError
        If a line is not UTF-8 and `errors` is "strict".
    """
    buffer = getattr(sys.stdin, "buffer", None)
    if buffer is None:  # a program's own stream of str
        for line in sys.stdin:
            yield [line.removesuffix("\n")]
        return
    asks = sys.stdin.isatty() and sys.stderr is not None
    parts: list[bytes] = []
    encoding = "utf-8-sig"  # until the first line, before which a byte order mark may stand
    while True:
        if asks:
            with contextlib.suppress(OSError, ValueError):
                print(prompt, end="", file=sys.stderr, flush=True)
        block = buffer.read1(BLOCK_BYTES)
        complete, end, rest = block.rpartition(b"\n")
        if end or not block:
            text = b"".join([*parts, complete])
            parts = []
            if end or text:
                try:
                    lines = text.decode(encoding, errors).split("\n")
                except UnicodeDecodeError as error:
                    found = error.object[error.start :][:1]
                    raise ValueError(f"standard input must be UTF-8, got {found!r}") from None
                encoding = "utf-8"
                yield [line.removesuffix("\r") for line in lines]
        if not block:
            return
        parts.append(rest)


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
