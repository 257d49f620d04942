"""Atomic saving: write to a temporary file next to the target, then rename it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["replacing"]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield an empty file to write to, which replaces `path` if the body succeeds.

    The new file reaches the disk (fsync) before it is renamed, so that at any moment, a power cut included,
    `path` is the whole old file or the whole new one. If the body fails or is interrupted, the new file is
    removed and the old one stays. Symbolic links are followed, and the permissions of an old file are kept.

    Raises
    ------
    ValueError
        If `path` exists but is not a regular file.
    OSError
        The error of the system (no space left, no such directory, ...), which names `path` unless the error
        of the body names another file.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise ValueError(f"path must be a regular file or new, got {str(path)!r}")
    temporary = target.with_name(f".fastvec-{os.urandom(8).hex()}.tmp")
    try:
        # Made here so that the umask gives its permissions: whoever writes may put a file of its own in this
        # place, as safetensors does, readable to nobody else.
        temporary.touch(exist_ok=False)
        permissions = stat.S_IMODE((target if target.exists() else temporary).stat().st_mode)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(permissions)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.filename not in (None, temporary, os.fspath(temporary)):
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
