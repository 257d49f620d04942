"""Validating output files before the work starts, not after it."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from fastvec import formats
from fastvec._atomic import replace

__all__ = ["check_extension", "check_folder", "check_output"]


def check_output(path: str, format: str | None, option: str = "--format") -> None:
    """Raise now the errors that saving would raise after the work is done; `option` is that of the format."""
    formats.format_of(Path(path), format, reading=False, option=option)
    check_folder(path)


def check_folder(path: str) -> None:
    """Raise now if a file cannot be written in its folder."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    try:
        tempfile.TemporaryFile(dir=target.parent).close()
    except OSError as error:
        raise OSError(
            error.errno, f"cannot write in this folder: {error.strerror}", str(target.parent)
        ) from None
    if target.is_file():
        replace(target, target)  # which does nothing, but is refused on Windows to a file that is in use


def check_extension(path: str, extension: str) -> None:
    """Raise now if a file has another extension, or cannot be written in its folder."""
    if Path(path).suffix.lower() != extension:
        raise ValueError(f"the output must end in {extension}, got {path!r}")
    check_folder(path)
