"""Where files are: on a disk, or at an address, as ``s3://bucket/name``, from which texts alone are read."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["is_address", "on_disk"]


def is_address(path: str) -> bool:
    """Return whether a path is the address of a file at another place."""
    return "://" in path


def on_disk(path: str | os.PathLike[str], name: str = "path") -> Path:
    """Return a path of a file that is read or written in any order, and hence on a disk.

    Raises
    ------
    ValueError
        If it is an address.
    """
    text = os.fspath(path)
    if isinstance(text, str) and is_address(text):
        protocol = text.rpartition("::")[2].partition("://")[0]
        raise ValueError(
            f"{name} must be on a disk, got the address {text!r}: fsspec.filesystem({protocol!r}) copies "
            "files from there by get(address, path), and what was saved to there by put(path, address)"
        )
    return Path(text)
