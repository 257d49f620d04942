"""Copies of the most used rows of the matrices, for each thread that trains without locks.

A cache line that two threads write in turns travels between their processors, which takes longer than what is
computed in the meantime. Few rows are used most of the time, so each thread has copies of these
(``fastvec/kernels/copies.pxd``). Having used a row some times, it exchanges what it has learned for what the
others have: its change is added to the shared row, which is its copy from then on.

With thousands of words between two exchanges, vectors of texts stay as good. Those of walks over graphs,
where rows move far in the meantime, get worse or diverge: several threads learn the same, and the sum of it
goes too far. So the sizes of the steps count, too. (To keep less of the sum where changes have one direction,
Σ|δ|² / |Σδ|² of it, helps there, but loses a point on similarities of text.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.training.matrices import padded_matrix

__all__ = ["CopiedRows", "Copies"]

# Of the copies of a thread and matrix, at most: more use up the caches that processors share.
COPIED_BYTES = 1 << 22
# The sum of the step sizes by which all threads together may move a row between two exchanges, and the words
# of a text that they may train on meanwhile.
FARTHEST, WORDS = 8, 1 << 14
# How often a thread uses a row between two exchanges: rows for which it is less are not copied.
FEWEST_USES, MOST_USES = 4, 255
# Rows of a table that are renumbered at once: NumPy takes eight bytes for each meanwhile.
ROWS_AT_ONCE = 1 << 16


@dataclass
class CopiedRows:
    """A thread's copies of rows of a matrix, as kernels take them.

    Attributes
    ----------
    matrix : float32 array, (n_rows, n_columns)
        The shared matrix, padded.
    copied : int32 array, (n_copies,)
        The rows that are copied.
    rows, before : float32 array, (n_copies, n_columns)
        The copies, and what they were when they were exchanged last.
    uses_between : uint8 array, (n_copies + 1,)
        Uses of each between two exchanges, and one number more that stands for all other rows.
    uses : uint8 array, (n_copies + 1,)
        Uses since the last one.
    renumbered : bool
        Whether the kernel is given the number of a copy, or of a row plus `n_copies`; else that of a row, the
        first of which are copied.
    """

    matrix: NDArray[np.float32]
    copied: NDArray[np.int32]
    rows: NDArray[np.float32]
    before: NDArray[np.float32]
    uses_between: NDArray[np.uint8]
    uses: NDArray[np.uint8]
    renumbered: bool

    def take(self) -> None:
        """Copy the rows."""
        self.rows[:] = self.before[:] = self.matrix[self.copied]
        self.uses[:] = 0

    def give_back(self) -> None:
        """Add to the shared rows what was learned since the last exchange."""
        self.matrix[self.copied] += self.rows - self.before


class Copies:
    """The copies of all threads.

    Parameters
    ----------
    parameters : dict of str to float32 array, (n_rows, n_columns)
        The matrices by name, padded; those that `uses` names are copied.
    threads : int
        Number of threads.
    uses : dict of str to float array, (n_rows,)
        For each matrix, how often its rows are used for a word, or a document, about. Those of words come by
        falling frequency in what was trained on first, which the present text need not have.
    moves : dict of str to float
        For each matrix, the sum of the step sizes by which a use moves a row.
    numbers : dict of str to (str, int32 array)
        Of matrices whose rows the kernel knows from a table, its name and the table.
    positions : dict of str to int
        Of matrices for which it is another number than WORDS, how many words, or documents, all threads
        together may train on between two exchanges.
    """

    def __init__(
        self,
        parameters: Mapping[str, NDArray[np.float32]],
        threads: int,
        uses: Mapping[str, NDArray[np.float64]],
        moves: Mapping[str, float],
        numbers: Mapping[str, tuple[str, NDArray[np.int32]]],
        positions: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.tables: dict[str, NDArray[np.int32]] = {}
        self.members: list[dict[str, CopiedRows]] = [{} for _ in range(threads)]
        for name in uses:
            matrix = parameters[name]
            often = np.minimum(uses[name] * positions.get(name, WORDS), FARTHEST / moves[name]) / threads
            n_copies = min(int((often >= FEWEST_USES).sum()), COPIED_BYTES // matrix[0].nbytes)
            copied = np.arange(n_copies, dtype=np.int32)
            if name in numbers:
                table, rows = numbers[name]
                many = np.flatnonzero(often >= FEWEST_USES)
                copied = many[np.argsort(-uses[name][many], kind="stable")[:n_copies]].astype(np.int32)
                renumbering = np.arange(n_copies, n_copies + len(matrix), dtype=np.int32)
                renumbering[copied] = np.arange(n_copies)
                self.tables[table] = _renumbered(rows, renumbering)
            between = np.append(often[copied], MOST_USES).clip(FEWEST_USES, MOST_USES).astype(np.uint8)
            for member in self.members:
                member[name] = CopiedRows(
                    matrix=matrix,
                    copied=copied,
                    rows=padded_matrix(n_copies, matrix.shape[1]),
                    before=padded_matrix(n_copies, matrix.shape[1]),
                    uses_between=between,
                    uses=np.zeros(n_copies + 1, np.uint8),
                    renumbered=name in numbers,
                )

    def arguments(self, thread: int) -> dict[str, Any]:
        """Return the arguments of the kernel that tell a thread from the others."""
        return {"copies": self.members[thread], **self.tables}

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let threads work on copies; afterwards the parameters are what all have learned."""
        for member in self.members:
            for rows in member.values():
                rows.take()
        try:
            yield
        finally:
            for member in self.members:
                for rows in member.values():
                    rows.give_back()


def _renumbered(rows: NDArray[np.int32], numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    renumbered = np.empty_like(rows)
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        some = slice(begin, begin + ROWS_AT_ONCE)
        np.take(numbers, rows[some], out=renumbered[some], mode="clip")  # "raise" makes copies
    return renumbered
