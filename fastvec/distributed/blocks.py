"""What becomes of blocks of neighbouring rows in a round: pure functions, and the memory that they keep."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.training.matrices import padded_matrix

__all__ = [
    "Changes",
    "Pull",
    "Room",
    "combine_block",
    "moment_of_block",
    "room_of_thread",
    "stretch_block",
    "stretched_block",
]

Matrix = NDArray[np.float32]
Rows = NDArray[np.int32]
Exposures = NDArray[np.float64]
Halves = NDArray[np.uint16]


class Changes(NamedTuple):
    """What a lane has changed of a block.

    Attributes
    ----------
    rows : int32 array, (n,)
        The rows, in rising order.
    exposures : float64 array, (n,)
        Σ p (1 − p) of their scores.
    changes : uint16 array, (n, stride)
        How far they have moved, as bfloat16.
    """

    rows: Rows
    exposures: Exposures
    changes: Halves


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


class Room:
    """Memory that is kept from lane to lane: fresh memory would take longer than what is done in it."""

    def __init__(self) -> None:
        self._matrices: dict[str, Matrix] = {}
        self._exposures = np.zeros((2, 0), np.float32)
        self._places = np.zeros(0, np.int32)

    def exposures(self, n_rows: int) -> Matrix:
        """Return zeros to add up what scores say of rows; they must be left as zeros."""
        if self._exposures.shape[1] != n_rows:
            self._exposures = np.zeros((2, n_rows), np.float32)
        return self._exposures

    def places(self, n_words: int) -> Rows:
        """Return zeros to note places of words; they must be left as zeros."""
        if len(self._places) != n_words:
            self._places = np.zeros(n_words, np.int32)
        return self._places

    def matrix(self, name: str, n_rows: int, stride: int) -> Matrix:
        """Return as many rows of a matrix with anything in them."""
        found = self._matrices.get(name)
        if found is None or found.shape[1] != stride or len(found) < n_rows:
            found = self._matrices[name] = padded_matrix(n_rows + n_rows // 4, stride)
        return found[:n_rows]

    def halves(self, name: str, n_rows: int, stride: int) -> Halves:
        """Return as many rows of half as many bytes."""
        return self.matrix(name, -(-n_rows // 2), stride).view(np.uint16).reshape(-1, stride)[:n_rows]


# What a process keeps for the calls that it is given.
_own = threading.local()


def room_of_thread() -> Room:
    """Return what this thread keeps."""
    if not hasattr(_own, "room"):
        _own.room = Room()
    room: Room = _own.room
    return room


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


def combine_block(first_row: int, pull: Pull, block: Matrix, *changes: Changes) -> Matrix:
    """Return a block after a round, which stays until the next call.

    The changes are those of the lanes, in their order.
    """
    room = room_of_thread()
    sums, moved = (room.matrix(name, *block.shape) for name in ("sums", "moved"))
    counts = np.zeros((len(block), 2))
    for own in changes:
        kernels.get("rounds").add(own.rows, own.exposures, own.changes, first_row, sums, counts)
    moved[:] = block
    pull.move(moved, sums, counts)
    return moved


def stretched_block(
    guides: Matrix, growth: Matrix, begin: int, frozen: NDArray[np.uint8] | None, block: Matrix
) -> Matrix:
    """Return a block whose rows have grown, which stays until the next call."""
    moved = room_of_thread().matrix("moved", *block.shape)
    moved[:] = block
    stretch_block(guides, growth, begin, frozen, moved)
    return moved
