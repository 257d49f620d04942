"""Atomic saving: write to a temporary file next to the target, then rename it; and which targets can be.

A killed process leaves its temporary file behind, and the next one that saves in the folder removes it. It
tells it from files in use by a locked file beside each: the system takes locks away when a process ends,
whatever ends it, and knows them across containers, where numbers of processes say nothing. On Windows, where
no file is removed that is open, holding it open is enough. Not all network file systems show locks to other
machines: the names say which machine a file is of, and each removes its own only.
"""

from __future__ import annotations

import errno
import gc
import os
import re
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from fastvec.formats.places import on_disk

if sys.platform != "win32":
    import fcntl

__all__ = ["WINDOWS", "check_regular", "check_writable", "not_regular", "replace", "replacing"]

WINDOWS = os.name == "nt"

# What systems say that cannot sync a folder, or not for this user.
UNSUPPORTED = (errno.EACCES, errno.EBADF, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)

# Seconds before each attempt to replace a file on Windows, where virus scanners and search indexers open new
# files for a moment.
WAITS = (0, 0.05, 0.1, 0.2, 0.4)

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


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield an empty file to write to, which replaces `path` if the body succeeds.

    The new file reaches the disk (fsync) before it is renamed, and the new name after, so that at any moment,
    a power cut included, `path` is the whole old file or the whole new one. If the body fails or is
    interrupted, the new file is removed and the old one stays; what killed processes left is removed by the
    next that saves in the folder. Symbolic links are followed, and the permissions of an old file are kept.

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
    prefix = _prefix(target.parent)
    try:
        _remove_abandoned(prefix)
        with _locked_name(prefix) as temporary:
            try:
                temporary.touch(exist_ok=False)
                yield temporary
                with temporary.open("rb+") as file:
                    os.fsync(file.fileno())
                if target.exists() and not WINDOWS:  # which replaces no file that is read-only
                    temporary.chmod(stat.S_IMODE(target.stat().st_mode))
                replace(temporary, target)
                _sync(target.parent)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        if error.filename is not None and not str(error.filename).startswith(str(prefix)):
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def _prefix(folder: Path) -> Path:
    """Return how the paths of this machine's temporary files in a folder begin."""
    import socket  # which takes milliseconds, and is not needed until something is written

    return folder / f".fastvec-{re.sub(r'[^0-9A-Za-z]', '_', socket.gethostname())}-"


@contextmanager
def _locked_name(prefix: Path) -> Iterator[Path]:
    """Yield the path of a temporary file, which has a locked file beside it."""
    while True:
        lock = prefix.with_name(f"{prefix.name}{os.getpid()}-{os.urandom(8).hex()}.lock")
        file = lock.open("xb")
        if WINDOWS or _locked(file, lock):
            break
        file.close()
    try:
        yield lock.with_suffix(".tmp")
    finally:
        file.close()
        lock.unlink(missing_ok=True)


def _locked(file: BinaryIO, lock: Path) -> bool:
    """Lock a new file, and return whether no other process has taken it for abandoned before."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # there are no locks in this file system: nothing in it is taken for abandoned
        return True
    return lock.exists()


def _remove_abandoned(prefix: Path) -> None:
    """Remove the temporary files whose processes are no more."""
    for lock in prefix.parent.glob(f"{prefix.name}*.lock"):
        temporary = lock.with_suffix(".tmp")
        with suppress(OSError):  # it is in use, or another process removes it, or it is of another user
            if WINDOWS:
                lock.unlink()
                temporary.unlink()
            else:
                with lock.open("r+b") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    temporary.unlink(missing_ok=True)
                    lock.unlink()


def _sync(folder: Path) -> None:
    """Let a renaming in a folder reach the disk."""
    if WINDOWS:  # it has no such call
        return
    try:
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
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
    on_disk(path, name)
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
