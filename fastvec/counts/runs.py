"""Rows of counts: made by threads block by block, kept in runs that may exceed memory, and added.

A run is the counts of a part of the corpus as a sparse matrix, row after row. Blocks of rows are made by a
kernel on several threads and put down in their order, so that nothing depends on the threads. The runs of all
parts are then added up in the same way, block by block of rows, each read where it lies.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.formats.spool import ADVICE, Spool, naming_full_disk
from fastvec.training.progress import Progress
from fastvec.training.threads import Report, Workers

__all__ = ["CountMatrix", "Runs", "add_matrices"]

# Its column and its units.
ENTRY_BYTES = 12
# Contexts or entries that a block of rows is the sum of, about: some milliseconds of work.
CONTEXTS_AT_ONCE = 1 << 23
# Entries that a block of several rows may have, at least and at most.
FEWEST_ENTRIES = 1 << 16
MOST_ENTRIES = 1 << 22
# Blocks that are ready or in the making, beyond one for every thread.
BLOCKS_AHEAD = 2


class CountMatrix(NamedTuple):
    """A sparse matrix by rows: row i has the entries row_offsets[i] to row_offsets[i + 1]."""

    row_offsets: NDArray[np.int64]
    columns: NDArray[np.int32]
    units: NDArray[np.int64]


class Runs:
    """Collects runs of rows; a context manager, so that temporary files go away with an error.

    Parameters
    ----------
    n_words : int
        The rows and columns of every run.
    workers : Workers
        The threads that make the rows.
    memory_limit : int
        Bytes of memory to take, about: for the runs, which go to temporary files beyond three quarters of
        this, and for the blocks of rows that are in the making.
    """

    def __init__(self, n_words: int, workers: Workers, memory_limit: int) -> None:
        self._n_words = n_words
        self._workers = workers
        self._memory_limit = memory_limit
        n_blocks = workers.n + BLOCKS_AHEAD
        in_the_making, kept = memory_limit // 4, memory_limit * 3 // 4
        entries = in_the_making // (ENTRY_BYTES * n_blocks)
        self._most_entries = min(max(entries, FEWEST_ENTRIES), MOST_ENTRIES)
        self._buffers = [(np.empty(0, np.int32), np.empty(0, np.int64))] * n_blocks
        self._columns = Spool(np.int32, kept * 4 // ENTRY_BYTES)
        self._units = Spool(np.int64, kept * 8 // ENTRY_BYTES)
        self._offsets = Spool(np.int64, kept // 8)
        self._ends = [0]

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, *_: object) -> None:
        for spool in (self._columns, self._units, self._offsets):
            spool.close()

    def add(
        self,
        make_rows: Callable[..., tuple[int, int]],
        most: NDArray[np.int64],
        work: NDArray[np.int64],
        what: str,
        report: Report,
    ) -> None:
        """Make the rows of one more run.

        Parameters
        ----------
        make_rows : callable
            The kernel `count_rows` or `merge_rows`, bound to what it counts.
        most : int64 array, shape (n_words,)
            How many entries every row has at most.
        work : int64 array, shape (n_words,)
            How much work every row is: of how many contexts or entries it is the sum.
        what : str
            What this run is, for the error of a full disk.
        report : callable
            Called with the work of every block that is done.

        Raises
        ------
        OSError
            If the disk is full.
        """
        sizes = np.zeros(self._n_words, np.int64)
        room = self._n_words + min(self._most_entries, int(most.sum()))
        if len(self._buffers[0][0]) < room:
            self._buffers = [(np.empty(room, np.int32), np.empty(room, np.int64)) for _ in self._buffers]
        free = list(self._buffers)
        ahead: deque[Future[Any]] = deque()

        def make(first: int, last: int, columns: NDArray[np.int32], units: NDArray[np.int64]) -> Any:
            reached, n = make_rows(
                first=first, last=last, columns=columns, units=units, row_sizes=sizes[first:last]
            )
            assert reached == last
            return n, first, last, columns, units

        def put_down_the_next() -> None:
            n, first, last, columns, units = ahead.popleft().result()
            self._columns.append(columns[:n])
            self._units.append(units[:n])
            free.append((columns, units))
            report(int(work[first:last].sum()))

        needed = ENTRY_BYTES * int(most.sum())
        with naming_full_disk(what, needed, Path(tempfile.gettempdir()), ADVICE):
            for first, last in _blocks(most, work, self._most_entries):
                if not free:
                    put_down_the_next()
                ahead.append(self._workers.submit(make, first, last, *free.pop()))
            while ahead:
                put_down_the_next()
            self._offsets.append(np.concatenate(([0], np.cumsum(sizes))))
        self._ends.append(len(self._columns))

    def put(self, matrix: CountMatrix, what: str) -> None:
        """Add a run that is there already.

        Raises
        ------
        OSError
            If the disk is full.
        """
        needed = sum(array.nbytes for array in matrix)
        with naming_full_disk(what, needed, Path(tempfile.gettempdir()), ADVICE):
            self._columns.append(matrix.columns)
            self._units.append(matrix.units)
            self._offsets.append(matrix.row_offsets)
        self._ends.append(len(self._columns))

    def finish(self, progress: bool) -> CountMatrix:
        """Return the sum of all runs, memory-mapped if it is too much for memory, with a progress bar.

        Raises
        ------
        OSError
            If the disk is full.
        """
        self._buffers.clear()
        finished = self._workers.submit(self._columns.finish)
        units, columns = self._units.finish(), finished.result()
        offsets = self._offsets.finish().reshape(-1, self._n_words + 1)
        runs = [
            CountMatrix(of_run, columns[begin:end], units[begin:end])
            for of_run, (begin, end) in zip(offsets, pairwise(self._ends), strict=True)
        ]
        if len(runs) == 1:
            return runs[0]
        same = [None] * len(runs)
        return add_matrices(runs, same, self._n_words, self._workers, self._memory_limit, progress)


def add_matrices(
    matrices: Sequence[CountMatrix],
    new_ids: Sequence[NDArray[np.int32] | None],
    n_words: int,
    workers: Workers,
    memory_limit: int,
    progress: bool,
) -> CountMatrix:
    """Return the sum of several matrices; it is read-only and may be memory-mapped.

    Parameters
    ----------
    matrices : list of CountMatrix
        What is added.
    new_ids : list of int32 array or None
        For the words of each, their ids in the sum; None where they are the same.
    n_words : int
        The rows and columns of the sum.
    workers : Workers
        The threads.
    memory_limit : int
        See `Runs`.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    OSError
        If the disk is full.
    """
    entries = np.zeros(n_words, np.int64)
    rows: list[NDArray[np.int32] | None] = []
    maps: list[NDArray[np.int32] | None] = []
    for matrix, ids in zip(matrices, new_ids, strict=True):
        sizes = np.diff(matrix.row_offsets)
        if ids is None or np.array_equal(ids, np.arange(len(ids))):
            entries[: len(sizes)] += sizes
            rows.append(None)
            maps.append(None)
        else:
            entries[ids] += sizes
            of_sum = np.full(n_words, -1, np.int32)
            of_sum[ids] = np.arange(len(ids), dtype=np.int32)
            rows.append(of_sum)
            maps.append(ids)
    make_rows = partial(
        kernels.cooccurrence.merge_rows,
        sources=[(matrix.row_offsets, matrix.columns, matrix.units) for matrix in matrices],
        rows=rows,
        maps=maps,
        n_words=n_words,
    )
    with (
        Runs(n_words, workers, memory_limit) as runs,
        Progress("merging", int(entries.sum()), " entries", progress) as bar,
    ):
        runs.add(make_rows, np.minimum(entries, n_words), entries, "the merged counts", bar.update)
        return runs.finish(progress)


def _blocks(most: NDArray[np.int64], work: NDArray[np.int64], most_entries: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last row of blocks, of much work and at most `most_entries` or of one row.

    Empty rows before and behind all others are in none.
    """
    entries, done = np.cumsum(most), np.cumsum(work)
    rows = np.flatnonzero(most)
    first, end = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
    while first < end:
        before = first - 1
        of_entries = np.searchsorted(entries, (entries[before] if first else 0) + most_entries, "right")
        of_work = np.searchsorted(done, (done[before] if first else 0) + CONTEXTS_AT_ONCE, "right")
        last = max(first + 1, int(min(of_entries, of_work, end)))
        yield first, last
        first = last
