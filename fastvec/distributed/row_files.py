"""Neighbouring rows of a matrix in a file, where matrices are larger than the memory of a process.

The process that trains alone writes to the file, between rounds. Workers map a part of it, read the rows that
they use, and return what becomes of those that move.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec.distributed.blocks import Changes, Pull, Total, moment_of_block, split
from fastvec.distributed.rooms import Matrix, Rows, in_threads
from fastvec.training.matrices import padded_matrix

__all__ = ["Moved", "Range", "combine_ranges", "moments_of_ranges"]


class Range(NamedTuple):
    """Some neighbouring blocks of rows in a file.

    Attributes
    ----------
    path : str
        The file, in which all rows of the matrix follow each other.
    stride : int
        The length of rows, padded.
    begin, end : int
        The first row, and the one behind the last.
    of_block : int
        How many rows a block has; the last one may have fewer.
    """

    path: str
    stride: int
    begin: int
    end: int
    of_block: int

    def rows(self) -> Matrix:
        """Map the rows, read-only."""
        return self._mapped(self.begin, self.end)

    def blocks(self) -> Iterator[tuple[int, Matrix]]:
        """Yield the first row of each block, and its rows, which are mapped one after the other."""
        for begin in range(self.begin, self.end, self.of_block):
            yield begin, self._mapped(begin, min(begin + self.of_block, self.end))

    def _mapped(self, begin: int, end: int) -> Matrix:
        shape, offset = (end - begin, self.stride), 4 * self.stride * begin
        return np.memmap(self.path, np.float32, "r", offset, shape)


class Moved(NamedTuple):
    """Rows of a range that have moved in a round, in rising order, and what they are now."""

    rows: Rows
    vectors: Matrix


def combine_ranges(lengths: Sequence[int], *arguments: Any) -> tuple[Moved, ...]:
    """Return the rows of ranges that have moved.

    For each there are so many arguments, all after each other: the range, how it is moved, and its changes,
    in the order of lanes.
    """
    return tuple(in_threads(_combined, split(lengths, arguments)))


def _combined(source: Range, pull: Pull, *changes: Changes) -> Moved:
    """Return the rows of a range that have moved."""
    found = [
        _moved(begin, block, pull, [_within(own, begin, begin + len(block)) for own in changes])
        for begin, block in source.blocks()
    ]
    return Moved(*map(np.concatenate, zip(*found, strict=True)))


def _within(changes: Changes, begin: int, end: int) -> Changes:
    """Return those of the changes that are of some rows."""
    own = slice(*np.searchsorted(changes.rows, (begin, end)))
    return Changes(changes.rows[own], changes.exposures[own], changes.changes[own])


def _moved(begin: int, block: Matrix, pull: Pull, changes: Sequence[Changes]) -> Moved:
    """Return the rows of a block that have moved."""
    total = Total.of(changes)
    moved = padded_matrix(*total.sums.shape)
    if len(moved):
        moved[:] = block[total.rows - begin]
        pull.move(moved, total.sums, total.exposures)
    return Moved(total.rows, moved)


def moments_of_ranges(lengths: Sequence[int], *arguments: Any) -> tuple[list[NDArray[np.float64]], ...]:
    """Return the second moments of the rows of each block of ranges along the guides.

    The arguments are the guides and the range, for each.
    """
    return tuple(in_threads(_moments, split(lengths, arguments)))


def _moments(guides: Matrix, source: Range) -> list[NDArray[np.float64]]:
    return [moment_of_block(guides, block) for _, block in source.blocks()]
