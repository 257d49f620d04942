"""What a lane does in a round, and what becomes of rows: the pure functions of `rounds`.

In this process a lane trains on the matrices themselves, which are then put back. Elsewhere they are there as
blocks of neighbouring rows: a lane copies the rows that its piece of the text uses into matrices of its own,
and returns how far they have moved, block by block.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.training.loop import CHUNK
from fastvec.training.matrices import padded_matrix
from fastvec.training.rounds import Piece

__all__ = [
    "INPUTS",
    "SIDES",
    "Changes",
    "Lane",
    "Pull",
    "Room",
    "Summary",
    "Task",
    "combine_block",
    "moment_of_block",
    "stretch_block",
    "stretched_block",
    "train_lane",
]

# Neighbouring positions whose windows the curvature is taken of.
STRETCH = 16
# The arrays that say what is drawn.
WALKED = ("ids", "sentence_offsets", "keep", "noise")
INPUTS, OUTPUTS = SIDES = ("input_vectors", "output_vectors")

Matrix = NDArray[np.float32]
Rows = NDArray[np.int32]
Updates = NDArray[np.int64]


class Task(NamedTuple):
    """What a lane is to do in a round.

    Attributes
    ----------
    piece : list of (int, int)
        Where the parts of the text begin and end.
    learning_rate : float
        The learning rate of the round.
    key, loss_every : int
        As for the kernel that trains.
    curvature_every : int
        The curvature is taken of one position in so many.
    guides : float32 array, (4, stride), optional
        Directions along which the change of the balance is wanted.
    """

    piece: Piece
    learning_rate: float
    key: int
    loss_every: int
    curvature_every: int
    guides: Matrix | None

    def parts(self) -> NDArray[np.int64]:
        """Return the parts as an array."""
        return np.array(self.piece, np.int64)

    def chunks(self) -> Iterator[tuple[int, int]]:
        """Yield what is trained on at once."""
        for begin, end in self.piece:
            for start in range(begin, end, CHUNK):
                yield start, min(start + CHUNK, end)

    def sample(self) -> NDArray[np.int64]:
        """Return the parts of the piece that the curvature is taken of."""
        spacing = STRETCH * self.curvature_every
        return np.array(
            [
                (max(start, begin), min(start + STRETCH, end))
                for begin, end in self.piece
                for start in range(begin // spacing * spacing, end, spacing)
                if start + STRETCH > begin
            ],
            np.int64,
        ).reshape(-1, 2)


class Summary(NamedTuple):
    """What the training loop and the next rounds need to know of a lane.

    Attributes
    ----------
    losses : list of (float, int, int)
        Of every part: the loss, the pairs in it, and all pairs.
    curvatures : dict of str to float64 array, (stride, stride)
        For each matrix, the sum of the outer products of the vectors that its rows meet, each weighted by
        p (1 − p).
    weights : dict of str to float
        The sums of these weights.
    n_scores : int
        How many there were.
    balance : float64 array, (4, 4), optional
        By how much more the second moment of outputs changed than that of inputs, along the guides.
    """

    losses: list[tuple[float, int, int]]
    curvatures: dict[str, NDArray[np.float64]]
    weights: dict[str, float]
    n_scores: int
    balance: NDArray[np.float64] | None


class Pull(NamedTuple):
    """How changes of the rows of a matrix are combined; see the kernel `rounds`.

    Attributes
    ----------
    rate : float
        How far a score contracts the distance of a row to its optimum, per unit of curvature.
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
        self._updates = np.zeros((2, 0), np.uint32)

    def updates(self, n_words: int) -> NDArray[np.uint32]:
        """Return zeros to count with; they must be left as zeros."""
        if self._updates.shape[1] != n_words:
            self._updates = np.zeros((2, n_words), np.uint32)
        return self._updates

    def matrix(self, name: str, n_rows: int, stride: int) -> Matrix:
        """Return as many rows of a matrix with anything in them."""
        found = self._matrices.get(name)
        if found is None or found.shape[1] != stride or len(found) < n_rows:
            found = self._matrices[name] = padded_matrix(n_rows + n_rows // 4, stride)
        return found[:n_rows]


class Lane(NamedTuple):
    """What all lanes of a training have in common.

    Attributes
    ----------
    kernel : str
        The module of `fastvec.kernels` that trains.
    train : dict
        Arguments of its `train`, without arrays.
    walk : dict
        Those that the functions of the kernel `rounds` take, too.
    arrays : tuple of str
        The arguments that are arrays, of which there are handles.
    firsts : dict of str to list of int
        For each matrix, the first row of every block, and how many rows there are.
    stride : int
        The length of rows, padded.
    """

    kernel: str
    train: dict[str, Any]
    walk: dict[str, Any]
    arrays: tuple[str, ...]
    firsts: dict[str, list[int]]
    stride: int

    def find_rows(self, task: Task, of_text: Mapping[str, Any], room: Room) -> list[tuple[Rows, Updates]]:
        """Return, for each matrix, the rows that a piece uses in rising order, and in how many scores."""
        arrays = {name: of_text[name] for name in WALKED}
        found = kernels.get("rounds").touched(
            parts=task.parts(), room=room.updates(len(arrays["keep"])), key=task.key, **self.walk, **arrays
        )
        return [found[:2], found[2:]]

    def moving(
        self, used: Sequence[tuple[Rows, Updates]], of_text: Mapping[str, Any]
    ) -> list[tuple[Rows, Updates]]:
        """Return those of the rows that are not frozen."""
        if of_text["frozen"] is None:
            return [*used]
        (rows, updates), outputs = used
        moves = of_text["frozen"][rows] == 0
        return [(rows[moves], updates[moves]), outputs]

    def train_on(
        self,
        task: Task,
        moving: Sequence[tuple[Rows, Updates]],
        of_text: Mapping[str, Any],
        matrices: Mapping[str, Matrix],
    ) -> Summary:
        """Train on a piece, which moves these rows."""
        before = _balance(task, moving, matrices)
        train = kernels.get(self.kernel).train
        arguments = {**self.train, **of_text, **matrices, "key": task.key, "loss_every": task.loss_every}
        losses = [
            train(start=start, stop=stop, learning_rate=task.learning_rate, **arguments)
            for start, stop in task.chunks()
        ]
        arrays = {name: of_text[name] for name in WALKED}
        of_inputs, of_outputs, *weights, n_scores = kernels.get("rounds").curvature(
            parts=task.sample(), key=task.key, **matrices, **self.walk, **arrays
        )
        curvatures = dict(zip(SIDES, (of_inputs, of_outputs), strict=True))
        after = _balance(task, moving, matrices)
        change = None if before is None or after is None else after - before
        return Summary(losses, curvatures, dict(zip(SIDES, weights, strict=True)), n_scores, change)

    def split(self, found: Sequence[tuple[Rows, Updates]]) -> Iterator[tuple[str, int, Rows, Updates]]:
        """Yield for every block its matrix, its first row, and those in it of the rows of each matrix."""
        for name, (rows, updates) in zip(SIDES, found, strict=True):
            ends = np.searchsorted(rows, self.firsts[name]).tolist()
            for first, begin, end in zip(self.firsts[name][:-1], ends[:-1], ends[1:], strict=True):
                yield name, first, rows[begin:end], updates[begin:end]


class Changes(NamedTuple):
    """What a lane has changed of a block: rows in rising order, in how many scores each was, and changes."""

    rows: Rows
    updates: Updates
    changes: Matrix


def _balance(
    task: Task, moving: Sequence[tuple[Rows, Updates]], matrices: Mapping[str, Matrix]
) -> NDArray[np.float64] | None:
    """Return by how much the second moment of outputs exceeds that of inputs, if it is wanted."""
    if task.guides is None:
        return None
    of_inputs, of_outputs = (
        kernels.get("rounds").moment(matrices[name], rows, task.guides)
        for name, (rows, _) in zip(SIDES, moving, strict=True)
    )
    difference: NDArray[np.float64] = of_outputs - of_inputs
    return difference


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


# What this process keeps for the calls that it is given.
_own = threading.local()


def _room() -> Room:
    if not hasattr(_own, "room"):
        _own.room = Room()
    room: Room = _own.room
    return room


def train_lane(lane: Lane, task: Task, *arrays: Any) -> Any:
    """Train on a piece, and return the changes of every block, and a summary.

    `arrays` are those of the lane, and then the blocks of the matrices. The changes stay until the next call.
    """
    of_text = dict(zip(lane.arrays, arrays, strict=False))
    blocks = arrays[len(lane.arrays) :]
    room, rounds = _room(), kernels.get("rounds")
    matrices = {name: room.matrix(name, lane.firsts[name][-1], lane.stride) for name in SIDES}
    used = lane.find_rows(task, of_text, room)
    for block, (name, first, rows, _) in zip(blocks, lane.split(used), strict=True):
        rounds.take(block, first, rows, matrices[name])
    moving = lane.moving(used, of_text)
    summary = lane.train_on(task, moving, of_text, matrices)
    changes = room.matrix("changes", sum(len(rows) for rows, _ in moving), lane.stride)
    found: list[Any] = []
    for block, (name, first, rows, updates) in zip(blocks, lane.split(moving), strict=True):
        own, changes = changes[: len(rows)], changes[len(rows) :]
        rounds.subtract(block, first, rows, matrices[name], own)
        found.append(Changes(rows, updates, own))
    return (*found, summary)


def combine_block(first_row: int, pull: Pull, block: Matrix, *changes: Changes) -> Matrix:
    """Return a block after a round, which stays until the next call.

    The changes are those of the lanes, in their order.
    """
    room = _room()
    sums, moved = (room.matrix(name, *block.shape) for name in ("sums", "moved"))
    counts = np.zeros((len(block), 2))
    for own in changes:
        kernels.get("rounds").add(own.rows, own.updates, own.changes, first_row, sums, counts)
    moved[:] = block
    pull.move(moved, sums, counts)
    return moved


def stretched_block(
    guides: Matrix, growth: Matrix, begin: int, frozen: NDArray[np.uint8] | None, block: Matrix
) -> Matrix:
    """Return a block whose rows have grown, which stays until the next call."""
    moved = _room().matrix("moved", *block.shape)
    moved[:] = block
    stretch_block(guides, growth, begin, frozen, moved)
    return moved
