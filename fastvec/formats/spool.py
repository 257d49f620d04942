"""Arrays that may exceed memory: collected piece by piece, in memory or in a temporary file."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["ADVICE", "BLOCK_ITEMS", "Spool", "memory_left", "naming_full_disk", "preallocate"]

# Items of a block: at least 32 MB. The C library gives blocks of this size back to the system as soon as they
# are freed, and those parts of them that were never written take no memory.
BLOCK_ITEMS = 1 << 23

# What the system says when a file can grow no more: no space, over the quota, over the limit of file sizes.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# What it says when a file system cannot reserve space; the GNU C library then writes zeros itself.
UNSUPPORTED = (errno.EOPNOTSUPP, errno.EINVAL)

# Bytes of zeros that are written at a time.
ZEROS = 1 << 20

# For the error of a full disk of temporary files.
ADVICE = "; TMPDIR names another folder for temporary files"


class Spool:
    """Collects the items of one long array.

    Parameters
    ----------
    dtype : data type
        Of the items.
    memory_limit : int
        Items of more bytes than this go to a temporary file without a name.
    folder : Path, optional
        Where that file is made; the system's folder for temporary files if None.
    n : int, optional
        How many items there will be, if this is known: then they are copied once and not twice.
    """

    def __init__(
        self, dtype: DTypeLike, memory_limit: int, folder: Path | None = None, n: int | None = None
    ) -> None:
        self._dtype: np.dtype[Any] = np.dtype(dtype)
        self._memory_limit = memory_limit
        self._folder = folder
        self._block_items = BLOCK_ITEMS if n is None else max(1, n)
        self._advice = ADVICE if folder is None else ""
        self._free = 0  # bytes when the temporary file was made
        self._blocks: deque[NDArray[Any]] = deque()
        self._room = 0  # of the last block; all others are full
        self._file: FileIO | None = None
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def append(self, items: NDArray[Any]) -> None:
        """Add copies of some items, which are contiguous.

        Raises
        ------
        OSError
            If the disk is full; it names the folder and what was needed so far.
        """
        self._n += len(items)
        if self._file is None and self._n * self._dtype.itemsize > self._memory_limit:
            self._folder = self._folder or Path(tempfile.gettempdir())
            self._free = _free(self._folder)
            # Unbuffered: what is written comes in large pieces, and closing the file cannot fail.
            self._file = tempfile.TemporaryFile(dir=self._folder, prefix="fastvec-", buffering=0)  # noqa: SIM115
            for block in self._drained():
                self._write(block)
        if self._file is not None:
            self._write(items)
            return
        while len(items):
            if self._room == 0:
                self._blocks.append(np.empty(self._block_items, self._dtype))
                self._room = self._block_items
            n = min(len(items), self._room)
            begin = self._block_items - self._room
            self._blocks[-1][begin : begin + n] = items[:n]
            self._room -= n
            items = items[n:]

    def finish(self, copy: Callable[[NDArray[Any], NDArray[Any]], object] = np.copyto) -> NDArray[Any]:
        """Return everything that was added as one array; the spool cannot be used afterwards.

        Parameters
        ----------
        copy : callable
            ``copy(destination, source)`` puts items into the array, perhaps changed; the two may be the same.

        Returns
        -------
        ndarray
            Read-only, and a `numpy.memmap` of a file without a name if there was too much for memory. The
            file goes away with the array.
        """
        if len(self._blocks) == 1 and self._room == 0 and copy is np.copyto:
            items = next(self._drained())
        elif self._file is None:
            items = np.empty(self._n, self._dtype)
            begin = 0
            for block in self._drained():
                copy(items[begin : begin + len(block)], block)
                begin += len(block)
        else:
            items = np.memmap(self._file, self._dtype, "r+", shape=(self._n,))
            self.close()
            if copy is not np.copyto:
                copy(items, items)
        items.flags.writeable = False
        return items

    def close(self) -> None:
        """Close the temporary file, if there is one that no array uses."""
        if self._file is not None:
            self._file.close()

    def _write(self, items: NDArray[Any]) -> None:
        assert self._file is not None and self._folder is not None
        rest, so_far = items.view(np.uint8), self._n * self._dtype.itemsize
        with naming_full_disk("a temporary file", so_far, self._folder, self._advice, "at least", self._free):
            while len(rest):
                rest = rest[self._file.write(rest.data) :]

    def _drained(self) -> Iterator[NDArray[Any]]:
        """Yield the blocks in memory, each free to go when the next one is asked for."""
        while self._blocks:
            block = self._blocks.popleft()
            yield block if self._blocks else block[: self._block_items - self._room]


def memory_left(memory_limit: int, *arrays: NDArray[Any]) -> int:
    """Return the bytes that some arrays leave of a limit: memory-mapped ones take none, none counts twice."""
    in_memory = {id(array): array.nbytes for array in arrays if not isinstance(array, np.memmap)}
    return max(0, memory_limit - sum(in_memory.values()))


def preallocate(file: IO[bytes], size: int) -> None:
    """Make an empty file `size` bytes long, all of which have their place on the disk.

    A full disk is an error here; to a mapping of a file with holes it would be a crash.
    """
    if hasattr(os, "posix_fallocate"):  # macOS and Windows have none
        try:
            os.posix_fallocate(file.fileno(), 0, size)
            return
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
    for begin in range(0, size, ZEROS):
        file.write(bytes(min(ZEROS, size - begin)))
    file.flush()


@contextmanager
def naming_full_disk(
    what: str, needed: int, folder: Path, advice: str = "", bound: str = "up to", free: int | None = None
) -> Iterator[None]:
    """Make the error of a full disk report how much space was needed and how much was free.

    Parameters
    ----------
    what : str
        What is being written.
    needed : int
        Bound of its size in bytes.
    folder : Path
        Folder it is written to.
    advice : str
        A remedy.
    bound : str
        Which bound `needed` is.
    free : int, optional
        Bytes that were free for it; those that are free now by default.

    Raises
    ------
    OSError
        The error of the body, with the same number, naming the folder.
    """
    free = _free(folder) if free is None else free
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        reason = (
            f"{os.strerror(error.errno)}: for {what}, {bound} {needed:,} bytes are needed, "
            f"and {free:,} were free{advice}"
        )
        raise OSError(error.errno, reason, os.fspath(folder)) from error


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free if folder.is_dir() else 0
