"""Threads that train together: the columns of the matrices in groups, and what the threads share.

With `deterministic`, threads do not take chunks of the text in turns, but all work on the same one, each on
columns of its own of every row (``fastvec/kernels/together.pxd``). Two threads must not work on neighbouring
cache lines, of which one is fetched with the other: so each group of columns is a matrix of its own in memory
while threads work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.training.matrices import LANES, padded_matrix

__all__ = ["Member", "Team"]

# Into which the columns are cut. More would let more threads work without a cache line in common, and take
# more time on few: each adds up the scores of its columns.
GROUPS = 2
# As in together.pxd: numbers for the scores of a group in a batch, and records at most.
ROOM = 1 << 16
MAX_RECORDS = ROOM // 16
# As in team.h, in numbers of 64 bits: what comes before the tasks, and a task.
ABANDONED, FIXED, TASK = 0, 48, 16


@dataclass
class Member:
    """A thread of a team, as kernels take it.

    Attributes
    ----------
    numbers, scores, losses : array
        What all threads share.
    zero_row : float32 array
        A row of zeros among those of the thread's group.
    n_threads, thread : int
        Number of threads, and which one this is.
    n_groups, n_columns, offset : int
        Groups of columns, columns with padding, and numbers between a row of a group and that of the next.
    steps : int
        How many steps make a batch.
    phase, call : int
        How many phases and calls of the kernel there have been.
    matrices : dict
        The matrices of the thread's group, by the names of the kernel's arguments.
    """

    numbers: NDArray[np.uint64]
    scores: NDArray[np.float32]
    losses: NDArray[np.float64]
    zero_row: NDArray[np.float32]
    n_threads: int
    thread: int
    n_groups: int
    n_columns: int
    offset: int
    steps: int
    matrices: dict[str, NDArray[np.float32]]
    phase: int = 0
    call: int = 1


class Team:
    """The threads that train a model together.

    Parameters
    ----------
    parameters : dict of str to float32 array, (n_rows, n_columns)
        The matrices by name, padded.
    threads : int
        How many threads there are to be at most; `members` are as many as can work.
    steps : int
        How many steps make a batch.
    whole_rows : bool
        Whether there is one group, and one thread: for kernels that know no groups.
    """

    def __init__(
        self,
        parameters: Mapping[str, NDArray[np.float32]],
        threads: int,
        steps: int,
        whole_rows: bool = False,
    ) -> None:
        self.parameters = parameters
        n_columns = next(iter(parameters.values())).shape[1]
        n_lines = n_columns // LANES
        n_groups = 1 if whole_rows else min(GROUPS, n_lines)
        lines = -(-n_lines // n_groups)
        self.columns = lines * LANES
        parts = min(max(1, threads // n_groups), lines)
        n_threads = 1 if whole_rows else min(threads, n_groups * parts)
        n_rows = sum(map(len, parameters.values())) + 1
        room = padded_matrix(n_groups * n_rows, self.columns)
        self.groups = room.reshape(n_groups, n_rows, self.columns)
        numbers = np.zeros(FIXED + n_groups * parts * TASK + TASK, np.uint64)
        numbers = numbers[-numbers.ctypes.data % (8 * TASK) // 8 :]
        scores = padded_matrix(2 * n_groups, ROOM).ravel()
        losses = np.zeros(2 * MAX_RECORDS)
        self.members = [
            Member(
                numbers=numbers,
                scores=scores,
                losses=losses,
                zero_row=self.groups[group, -1],
                n_threads=n_threads,
                thread=thread,
                n_groups=n_groups,
                n_columns=n_columns,
                offset=n_rows * self.columns,
                steps=steps,
                matrices=self._rows_of(group),
            )
            for thread in range(n_threads)
            for group in [thread // parts % n_groups]
        ]

    def _rows_of(self, group: int) -> dict[str, NDArray[np.float32]]:
        """Return the matrices of a group."""
        rows, begin = {}, 0
        for name, matrix in self.parameters.items():
            rows[name] = self.groups[group, begin : begin + len(matrix)]
            begin += len(matrix)
        return rows

    def arguments(self, thread: int) -> dict[str, Any]:
        """Return the arguments of the kernel that tell a thread from the others."""
        member = self.members[thread]
        return {"team": member, **member.matrices}

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let threads work on the columns; afterwards the parameters are what these have become.

        After an error, no thread waits for one that may not even have begun.
        """
        for theirs, ours in self._columns():
            ours[:] = theirs
        try:
            yield
        except BaseException:
            self.abandon()
            raise
        for theirs, ours in self._columns():
            theirs[:] = ours

    def _columns(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        for group in range(len(self.groups)):
            for name, rows in self._rows_of(group).items():
                theirs = self.parameters[name][:, group * self.columns :][:, : self.columns]
                yield theirs, rows[:, : theirs.shape[1]]

    @property
    def is_abandoned(self) -> bool:
        """Whether a thread has gone away before its work was done."""
        return bool(self.members[0].numbers[ABANDONED])

    def abandon(self) -> None:
        """Tell the other threads not to wait for this one."""
        self.members[0].numbers[ABANDONED] = 1
