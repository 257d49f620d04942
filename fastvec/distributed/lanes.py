"""What a lane does in a round: the pure function of `rounds` that trains.

In this process a lane trains on the matrices themselves, which are then put back. Elsewhere they are there as
blocks of neighbouring rows, or in files: a lane copies the rows that its piece of the text uses, and no
others, into matrices of its own, and returns how far they have moved, block by block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.distributed.blocks import Changes, Exposures, Matrix, Room, Rows, room_of_thread
from fastvec.distributed.ranges import Range
from fastvec.training.rounds import Piece

__all__ = ["INPUTS", "SIDES", "Lane", "Summary", "Task", "train_lane"]

# Words that are scored at once, which says how steep the loss of every row is, and then trained on.
CHUNK = 1024
# The least Σ p (1 − p) of a row that is used, so that it can be told from others.
LEAST = 1e-9
# The arrays that say what is drawn.
WALKED = ("ids", "sentence_offsets", "keep", "noise")
INPUTS, OUTPUTS = SIDES = ("input_vectors", "output_vectors")


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
        The directions in which the loss is steep are taken of the positions that this divides.
    guides : float32 array, (4, stride), optional
        Directions along which the change of the balance is wanted.
    """

    piece: Piece
    learning_rate: float
    key: int
    loss_every: int
    curvature_every: int
    guides: Matrix | None

    def chunks(self) -> Iterator[tuple[int, int]]:
        """Yield what is trained on at once."""
        for begin, end in self.piece:
            for start in range(begin, end, CHUNK):
                yield start, min(start + CHUNK, end)


class Summary(NamedTuple):
    """What the training loop and the next rounds need to know of a lane.

    Attributes
    ----------
    losses : list of (float, int, int)
        Of every part: the loss, the pairs in it, and all pairs.
    curvatures : dict of str to float64 array, (stride, stride)
        For each matrix, the sum of the outer products of the vectors that its rows meet, each weighted by
        p (1 − p).
    weight : float
        The sum of these weights.
    balance : float64 array, (4, 4), optional
        By how much more the second moment of outputs changed than that of inputs, along the guides.
    """

    losses: list[tuple[float, int, int]]
    curvatures: dict[str, NDArray[np.float64]]
    weight: float
    balance: NDArray[np.float64] | None


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

    def find_rows(self, task: Task, of_text: Mapping[str, Any]) -> list[Rows]:
        """Return, for each matrix, the rows that a piece uses, in rising order."""
        arrays = {name: of_text[name] for name in WALKED}
        return [
            *kernels.get("rounds").touched(parts=np.array(task.piece), key=task.key, **self.walk, **arrays)
        ]

    def moving(self, used: Sequence[Rows], of_text: Mapping[str, Any]) -> list[Rows]:
        """Return those of the rows that are not frozen."""
        inputs, outputs = used
        frozen = of_text["frozen"]
        return [inputs if frozen is None else inputs[frozen[inputs] == 0], outputs]

    def train_on(
        self,
        task: Task,
        used: Sequence[Rows],
        moving: Sequence[Rows],
        of_text: Mapping[str, Any],
        matrices: Mapping[str, Matrix],
        room: Room,
        places: Rows | None = None,
    ) -> tuple[list[Exposures], Summary]:
        """Train on a piece that uses rows and moves some; return Σ p (1 − p) of the scores of these.

        `places` says where the rows are if the matrices have no others, see `_placed`.
        """
        of_lane = {"places": places}
        if places is not None:
            frozen = of_text["frozen"]
            of_lane["frozen"] = None if frozen is None else frozen[used[0]]
            used, moving = ([places[rows] for rows in of_sides] for of_sides in (used, moving))
        before = _balance(task, moving, matrices)
        train, curvature = kernels.get(self.kernel).train, kernels.get("rounds").curvature
        arguments = {**self.train, **of_text, **of_lane, **matrices, "key": task.key}
        arguments["loss_every"] = task.loss_every
        walk = {**self.walk, **matrices, **{name: of_text[name] for name in WALKED}, "key": task.key}
        walk["places"] = places
        of_words = room.exposures(len(matrices[OUTPUTS]))
        losses: list[tuple[float, int, int]] = []
        curvatures, weight = [np.zeros((self.stride, self.stride)) for _ in SIDES], 0.0
        for start, stop in task.chunks():
            parts = np.array([(start, stop)])
            *found, own = curvature(parts=parts, every=task.curvature_every, exposures=of_words, **walk)
            for total, of_chunk in zip(curvatures, found, strict=True):
                total += of_chunk
            weight += own
            losses.append(train(start=start, stop=stop, learning_rate=task.learning_rate, **arguments))
        after = _balance(task, moving, matrices)
        change = None if before is None or after is None else after - before
        exposures = [np.maximum(of_side[rows], LEAST) for of_side, rows in zip(of_words, moving, strict=True)]
        for of_side, rows in zip(of_words, used, strict=True):
            of_side[rows] = 0
        return exposures, Summary(losses, dict(zip(SIDES, curvatures, strict=True)), weight, change)

    def split(self, of_sides: Sequence[Rows]) -> Iterator[tuple[int, int, slice]]:
        """Yield for every block its side, its first row, and where in the rows of the side its own are."""
        for side, rows in enumerate(of_sides):
            firsts = self.firsts[SIDES[side]]
            for first, ends in zip(firsts, pairwise(np.searchsorted(rows, firsts).tolist()), strict=False):
                yield side, first, slice(*ends)


def _balance(
    task: Task, moving: Sequence[Rows], matrices: Mapping[str, Matrix]
) -> NDArray[np.float64] | None:
    """Return by how much the second moment of outputs exceeds that of inputs, if it is wanted."""
    if task.guides is None:
        return None
    of_inputs, of_outputs = (
        kernels.get("rounds").moment(matrices[name], rows, task.guides)
        for name, rows in zip(SIDES, moving, strict=True)
    )
    difference: NDArray[np.float64] = of_outputs - of_inputs
    return difference


def train_lane(lane: Lane, task: Task, *arrays: Any) -> Any:
    """Train on a piece, and return the changes of every block, and a summary.

    `arrays` are those of the lane, and then the blocks of the matrices, or ranges of their files. The changes
    of blocks stay until the next call.
    """
    of_text = dict(zip(lane.arrays, arrays, strict=False))
    blocks = arrays[len(lane.arrays) :]
    room, rounds = room_of_thread(), kernels.get("rounds")
    used = lane.find_rows(task, of_text)
    moving = lane.moving(used, of_text)
    places, n_rows = _placed(used, room.places(len(of_text["keep"])))
    matrices = {name: room.matrix(name, n, lane.stride) for name, n in zip(SIDES, n_rows, strict=True)}
    for block, (side, first, own) in zip(blocks, lane.split(used), strict=True):
        rounds.take(_rows(block), first, used[side][own], matrices[SIDES[side]], places)
    exposures, summary = lane.train_on(task, used, moving, of_text, matrices, room, places)
    shape = sum(map(len, moving)), lane.stride
    # with ranges, the next call may be in this process
    left = np.empty(shape, np.float32) if isinstance(blocks[0], Range) else room.matrix("changes", *shape)
    found: list[Any] = []
    for block, (side, first, own) in zip(blocks, lane.split(moving), strict=True):
        rows = moving[side][own]
        changes, left = left[: len(rows)], left[len(rows) :]
        rounds.subtract(_rows(block), first, rows, matrices[SIDES[side]], changes, places)
        found.append(Changes(rows, exposures[side][own], changes))
    for rows in used:
        places[rows] = 0
    return (*found, summary)


def _placed(used: Sequence[Rows], places: Rows) -> tuple[Rows, tuple[int, int]]:
    """Note where a lane has the rows that it uses; return it, and how many there are of each matrix.

    A word has the same place in both matrices. Inputs come first, in rising order: there are fewer.
    """
    inputs, outputs = used
    places[inputs] = np.arange(1, len(inputs) + 1)
    others = outputs[places[outputs] == 0]
    n_rows = len(inputs) + len(others)
    places[inputs] -= 1
    places[others] = np.arange(len(inputs), n_rows)
    return places, (len(inputs), n_rows)


def _rows(block: Matrix | Range) -> Matrix:
    return block.rows() if isinstance(block, Range) else block
