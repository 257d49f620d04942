"""Atomic saving: write to a temporary file next to the target, then rename it."""

from __future__ import annotations

import gc
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastvec._outputs import check_regular

__all__ = ["WINDOWS", "replace", "replacing"]

WINDOWS = os.name == "nt"

# Seconds before each attempt to replace a file on Windows, where virus scanners and search indexers open new
# files for a moment.
WAITS = (0, 0.05, 0.1, 0.2, 0.4)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield an empty file to write to, which replaces `path` if the body succeeds.

    The new file reaches the disk (fsync) before it is renamed, so that at any moment, a power cut included,
    `path` is the whole old file or the whole new one. If the body fails or is interrupted, the new file is
    removed and the old one stays. Symbolic links are followed, and the permissions of an old file are kept.

    Raises
    ------
    ValueError
        If something other than a regular file has the path.
    PermissionError
        On Windows, also if `path` is open or memory-mapped.
    OSError
        The error of the system (no space left, no such directory, ...), which names `path` unless the error
        of the body names another file.
    """
    target = Path(os.path.realpath(path))
    check_regular("path", os.fspath(path))
    temporary = target.with_name(f".fastvec-{os.urandom(8).hex()}.tmp")
    try:
        # Made here so that the umask gives its permissions: whoever writes may put a file of its own in this
        # place, as safetensors does, readable to nobody else.
        temporary.touch(exist_ok=False)
        permissions = stat.S_IMODE((target if target.exists() else temporary).stat().st_mode)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        if (
            not WINDOWS
        ):  # there, all that could be kept is that a file is read-only, and none such is replaced
            temporary.chmod(permissions)
        replace(temporary, target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.filename not in (None, temporary, os.fspath(temporary)):
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def replace(source: Path, target: Path) -> None:
    """Rename a file to a name that may be taken.

    Windows refuses to while either file is open or memory-mapped by any process. Mappings that only wait for
    the garbage collector, and programs that look at every new file for a moment, are no reason to fail.

    Raises
    ------
    PermissionError
        On Windows, when a file stays in use; it says what to do.
    OSError
        What else the system says.
    """
    if not WINDOWS:
        source.replace(target)
        return
    for wait in WAITS:
        time.sleep(wait)
        try:
            source.replace(target)
            return
        except PermissionError as error:
            refused = error
            gc.collect()
    reason = (
        f"{refused.strerror}: Windows replaces no file that is read-only, open or memory-mapped; "
        "close or delete what was loaded from it, or save under another name"
    )
    raise PermissionError(refused.errno, reason, os.fspath(target)) from refused
