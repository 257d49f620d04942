"""Validating the files of a command before the work starts, not after it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from fastvec import formats
from fastvec.corpus.reading import STANDARD_INPUT
from fastvec.corpus.writing import STANDARD_OUTPUT, check_standard_output
from fastvec.formats.atomic import check_regular, check_writable, not_regular, replace

__all__ = ["check_extension", "check_files", "check_format"]


def check_format(path: str, format: str | None, option: str = "--format") -> None:
    """Raise now if vectors cannot be saved in a format, or in that of the extension if it is None."""
    formats.format_of(Path(path), format, reading=False, option=option)


def check_extension(path: str, extension: str) -> None:
    """Raise now if a file has another extension."""
    if Path(path).suffix.lower() != extension:
        raise ValueError(f"the output must end in {extension}, got {path!r}")


def check_files(
    inputs: Iterable[str | None], outputs: Mapping[str, str | None], *, text: str | None = None
) -> None:
    """Raise now if outputs cannot be written, or would replace an input or each other.

    Parameters
    ----------
    inputs : iterable of str
        The files that are read, ``-`` for standard input; None stands for none.
    outputs : mapping of str to str
        The files that are written, by the names of their options; None stands for none.
    text : str, optional
        The option whose file is text, which may be ``-``, standard output.

    Raises
    ------
    OSError, ValueError
        The message names the option or the file.
    """
    read = [path for path in inputs if path is not None]
    if STANDARD_INPUT in read and sys.stdin is None:
        raise ValueError(f"{STANDARD_INPUT!r} is standard input, which is closed: name a file")
    written: dict[str, str] = {}
    for option, path in outputs.items():
        if path is None:
            continue
        if path == STANDARD_OUTPUT and option == text:
            check_standard_output()
            continue
        _check_output(option, path, is_text=option == text)
        for other, of_other in written.items():
            if _are_the_same(path, of_other):
                raise ValueError(f"{option} must be another file than {other}, got {path!r} for both")
        for of_input in read:
            if _are_the_same(of_input, path):
                raise ValueError(
                    f"{option} must be another file than the input, which it would replace, got {path!r}"
                )
        written[option] = path


def _check_output(option: str, path: str, is_text: bool) -> None:
    if not path:
        raise ValueError(f"{option} must name a file, got {path!r}")
    target = Path(os.path.realpath(path))
    remedy = f"{STANDARD_OUTPUT} is standard output" if is_text else "save a file and send that on"
    if path == STANDARD_OUTPUT:
        raise not_regular(option, path, "standard output", remedy)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    check_regular(option, path, remedy)
    check_writable(path)
    if target.is_file():
        replace(target, target)  # which does nothing, but is refused on Windows to a file that is in use


def _are_the_same(first: str, second: str) -> bool:
    """Return whether two paths are of one file, or will be; the first may be standard input."""
    try:
        if first == STANDARD_INPUT:
            return os.path.samestat(os.fstat(0), Path(second).stat())
        return Path(first).samefile(second)
    except OSError:  # one of them does not exist yet
        return first != STANDARD_INPUT and os.path.realpath(first) == os.path.realpath(second)
