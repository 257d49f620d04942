"""What becomes of blocks of neighbouring rows in a round: pure functions, and the memory that they keep."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.training.matrices import padded_matrix
from fastvec.training.threads import Workers

__all__ = [
    "Changes",
    "Pull",
    "Room",
    "Selection",
    "combine_blocks",
    "in_threads",
    "moment_of_block",
    "moments_of_blocks",
    "room_of_thread",
    "select_rows",
    "stretch_block",
    "stretched_blocks",
]

T = TypeVar("T")

Matrix = NDArray[np.float32]
Rows = NDArray[np.int32]
Exposures = NDArray[np.float64]
Halves = NDArray[np.uint16]


class Selection(NamedTuple):
    """Some rows of a block, in rising order: those that the lanes of a worker use."""

    rows: Rows
    vectors: Matrix


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


class _Own(threading.local):
    """What a thread keeps for the calls that it is given: the first room is its own."""

    def __init__(self) -> None:
        self.rooms = [Room()]


_own = _Own()


def room_of_thread() -> Room:
    """Return what this thread keeps."""
    return _own.rooms[0]


def in_threads(function: Callable[..., T], calls: Sequence[tuple[Any, ...]]) -> list[T]:
    """Call a function with each of some arguments, in as many threads, whose rooms this thread keeps."""
    if len(calls) == 1:
        return [function(*calls[0])]
    rooms = _own.rooms
    rooms += [Room() for _ in range(len(rooms), len(calls))]

    def call(item: tuple[Room, tuple[Any, ...]]) -> T:
        room, arguments = item
        _own.rooms = [room]
        return function(*arguments)

    with Workers(len(calls)) as workers:
        return [*workers.in_order(call, zip(rooms, calls, strict=False))]


def select_rows(first_row: int, block: Matrix, *of_workers: Rows) -> tuple[Selection, ...]:
    """Return what workers use of a block."""
    return tuple(Selection(rows, block[rows - first_row]) for rows in of_workers)


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
