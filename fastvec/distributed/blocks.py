"""What becomes of blocks of neighbouring rows in a round: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.distributed.rooms import Halves, Matrix, Rows, in_threads, room_of_thread

__all__ = [
    "Changes",
    "Pull",
    "combine_blocks",
    "moment_of_block",
    "moments_of_blocks",
    "stretch_block",
    "stretched_blocks",
]

Exposures = NDArray[np.float64]


class Changes(NamedTuple):
    """What a lane, or the lanes of a worker, have changed of a block.

    Attributes
    ----------
    rows : int32 array, (n,)
        The rows, in rising order.
    exposures : float64 array, (n, 2)
        For each lane Σ p (1 − p) of their scores, and its square, added up.
    changes : uint16 array, (n, stride)
        How far they have moved, as bfloat16.
    """

    rows: Rows
    exposures: Exposures
    changes: Halves


class Total(NamedTuple):
    """Sums of the changes of some rows, which stay until the next ones, and of the exposures."""

    rows: Rows
    exposures: Exposures
    sums: Matrix

    @classmethod
    def of(cls, of_lanes: Sequence[Changes]) -> Total:
        """Add up the changes of lanes, in their order."""
        begin = min((int(own.rows[0]) for own in of_lanes if len(own.rows)), default=0)
        end = max((int(own.rows[-1]) + 1 for own in of_lanes if len(own.rows)), default=0)
        used = np.zeros(end - begin, np.bool_)
        for own in of_lanes:
            used[own.rows - begin] = True
        places = np.cumsum(used, dtype=np.int32) - 1
        rows = (begin + np.flatnonzero(used)).astype(np.int32)
        exposures = np.zeros((len(rows), 2))
        sums = room_of_thread().matrix("sums", len(rows), of_lanes[0].changes.shape[1])
        for own in of_lanes:
            kernels.get("rounds").add(
                places[own.rows - begin], own.exposures, own.changes, 0, sums, exposures
            )
        return cls(rows, exposures, sums)


class Pull(NamedTuple):
    """How changes of the rows of a matrix are combined; see the kernel `rounds`.

    Attributes
    ----------
    rate : float
        The learning rate.
    directions, eigenvalues : float32 array, (k, stride) and (k,)
        The directions in which the loss is steepest.
    rest : float
        The mean eigenvalue of all others.
    others : float32 array, (q, stride)
        The steepest directions of the other side.
    """

    rate: float
    directions: Matrix
    eigenvalues: NDArray[np.float32]
    rest: float
    others: Matrix

    def move(self, block: Matrix, sums: Matrix, counts: NDArray[np.float64]) -> None:
        """Move the rows of a block by the sums of their changes, which are then used up."""
        kernels.get("rounds").combine(block, sums, counts, *self)


def moment_of_block(guides: Matrix, block: Matrix) -> NDArray[np.float64]:
    """Return the second moment of the rows of a block along the guides."""
    rows = np.arange(len(block), dtype=np.int32)
    moment: NDArray[np.float64] = kernels.get("rounds").moment(block, rows, guides)
    return moment


def stretch_block(
    guides: Matrix, growth: Matrix, begin: int, frozen: NDArray[np.uint8] | None, block: Matrix
) -> None:
    """Let the rows of a block that are not frozen grow along the guides."""
    own = np.zeros(len(block)) if frozen is None else frozen[begin : begin + len(block)]
    kernels.get("rounds").stretch(block, np.flatnonzero(own == 0).astype(np.int32), guides, growth)


def combine_blocks(lengths: Sequence[int], *arguments: Any) -> tuple[Matrix, ...]:
    """Return blocks after a round, which stay until the next call.

    For each there are so many arguments, all after each other: its first row, how it is moved, the block, and
    its changes, in the order of lanes.
    """
    return tuple(in_threads(_combined, split(lengths, arguments)))


def _combined(first_row: int, pull: Pull, block: Matrix, *changes: Changes) -> Matrix:
    room = room_of_thread()
    sums, moved = (room.matrix(name, *block.shape) for name in ("sums", "moved"))
    counts = np.zeros((len(block), 2))
    for own in changes:
        kernels.get("rounds").add(own.rows, own.exposures, own.changes, first_row, sums, counts)
    moved[:] = block
    pull.move(moved, sums, counts)
    return moved


def moments_of_blocks(lengths: Sequence[int], *arguments: Any) -> tuple[NDArray[np.float64], ...]:
    """Return what `moment_of_block` does of several, whose arguments follow each other."""
    return tuple(in_threads(moment_of_block, split(lengths, arguments)))


def stretched_blocks(lengths: Sequence[int], *arguments: Any) -> tuple[Matrix, ...]:
    """Return blocks whose rows have grown, which stay until the next call.

    The arguments are those of `stretch_block`, for each block.
    """
    return tuple(in_threads(_stretched, split(lengths, arguments)))


def split(lengths: Iterable[int], arguments: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Return arguments in tuples of these lengths."""
    left = iter(arguments)
    return [tuple(islice(left, n)) for n in lengths]


def _stretched(
    guides: Matrix, growth: Matrix, begin: int, frozen: NDArray[np.uint8] | None, block: Matrix
) -> Matrix:
    moved = room_of_thread().matrix("moved", *block.shape)
    moved[:] = block
    stretch_block(guides, growth, begin, frozen, moved)
    return moved
