"""The folder in which workers leave what they have found for others, which they map."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.formats.container import dump_tensors
from fastvec.formats.places import on_disk
from fastvec.formats.spool import naming_full_disk, preallocate
from fastvec.training.matrices import padded_shape

__all__ = ["checked_folder", "mapped_matrix", "together", "working_folder", "write"]

ADVICE = "; folder names another place"
# In the names of files of several parts.
TO = "-to-"


def checked_folder(folder: str | os.PathLike[str]) -> Path:
    """Return the absolute path of a folder.

    Raises
    ------
    NotADirectoryError
        If it is none.
    ValueError
        If it is an address.
    """
    place = on_disk(folder, "folder").absolute()
    if not place.is_dir():
        raise NotADirectoryError(f"folder must be a folder that is there, got {os.fspath(folder)!r}")
    return place


@contextmanager
def working_folder(folder: str | os.PathLike[str] | None) -> Iterator[Path]:
    """Make a folder in another one, or in that for temporary files, and remove it with all that is in it."""
    place = None if folder is None else checked_folder(folder)
    with tempfile.TemporaryDirectory(dir=place, prefix="fastvec-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def together(paths: Sequence[Path]) -> Path:
    """Return the path of what neighbouring files become together."""
    first, last = paths[0].stem.partition(TO)[0], paths[-1].stem.rpartition(TO)[2]
    return paths[0].with_name(f"{first}{TO}{last}{paths[0].suffix}")


def write(path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays to a file of the folder.

    Raises
    ------
    OSError
        If the folder is not there, or its disk is full; the message says what to do.
    """
    folder, needed = path.parent, sum(tensor.nbytes for tensor in tensors.values())
    if not folder.is_dir():
        raise FileNotFoundError(
            f"folder must be on a disk that all workers share, got {str(folder.parent)!r}, which is "
            f"another one on {socket.gethostname()}: name another folder"
        )
    with naming_full_disk("a part of the text or its counts", needed, folder.parent, ADVICE):
        written = path.with_name(f"{path.name}.{os.urandom(8).hex()}")  # the same call may run twice
        with written.open("wb") as file:
            dump_tensors(file, tensors, metadata or {})
        written.replace(path)


def mapped_matrix(folder: Path, name: str, n_rows: int, n_columns: int) -> NDArray[np.float32]:
    """Make zeros with padded rows, which are a new file of the folder, mapped.

    Raises
    ------
    OSError
        If the disk is full; the message says what to do.
    """
    shape = padded_shape(n_rows, n_columns)
    path, size = folder / f"{name}.rows", 4 * shape[0] * shape[1]
    with naming_full_disk(f"the {name}", size, folder.parent, ADVICE), path.open("xb") as file:
        preallocate(file, size)
    return np.memmap(path, np.float32, "r+", shape=shape)
