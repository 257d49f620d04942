"""What can be written: a file that is made beside its name and takes it when it is complete."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

__all__ = ["check_regular", "check_writable", "not_regular"]

# Kinds of files that cannot be replaced by another.
SPECIAL = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
# Where the open files of a process have names, such as that of /dev/stdout.
DESCRIPTORS = ("/proc/", "/dev/fd")
# Links that are followed at most, as by Linux.
MOST_LINKS = 40


def check_regular(name: str, path: str, remedy: str = "save a file and send that on") -> None:
    """Raise if something other than a file has a path.

    Parameters
    ----------
    name : str
        The name of the parameter or option.
    path : str
        Its value.
    remedy : str
        What to do otherwise.

    Raises
    ------
    ValueError
        The message says what has the path.
    """
    target = Path(os.path.realpath(path))
    kind = None
    if _is_descriptor(path):
        kind = "an open file of a process"
    elif target.exists():
        mode = target.stat().st_mode
        kind = next((kind for is_kind, kind in SPECIAL if is_kind(mode)), None)
    if kind is not None:
        raise not_regular(name, path, kind, remedy)


def not_regular(name: str, path: str, kind: str, remedy: str) -> ValueError:
    """Return the error for a path that something else has, such as "a pipe"."""
    return ValueError(
        f"{name} must be a regular file or new, got {path!r}, which is {kind}: the output is written beside "
        f"it and then takes its name; {remedy}"
    )


def check_writable(path: str) -> None:
    """Raise if no file can be made in the folder of a path.

    Raises
    ------
    OSError
        The message names the folder.
    """
    folder = Path(os.path.realpath(path)).parent
    if path.endswith(("/", os.sep)):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(error.errno, f"cannot write in this folder: {error.strerror}", str(folder)) from None


def _is_descriptor(path: str) -> bool:
    """Return whether a path leads, through links, to an open file of a process."""
    at = Path(path)
    for _ in range(MOST_LINKS):
        at = Path(os.path.realpath(at.parent), at.name)
        if str(at).startswith(DESCRIPTORS):
            return True
        if not at.is_symlink():
            return False
        at = at.parent / at.readlink()
    return False
