"""What lanes do in a round: the pure function of `rounds` that trains.

A single lane of this process trains on the matrices themselves, which are then put back. Otherwise they are
there as blocks of neighbouring rows, in files, or as what was selected of blocks on other machines: a lane
copies the rows that its piece of the text uses, and no others, into matrices of its own, and returns how far
they have moved, block by block. The lanes of one worker train side by side, each in a thread, and return what
they have changed together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise, repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.distributed.blocks import Changes, Exposures, Total
from fastvec.distributed.rooms import Halves, Matrix, Room, Rows, in_threads, room_of_thread
from fastvec.distributed.row_files import Range
from fastvec.distributed.used_rows import Placed, Used, found_in
from fastvec.training.rounds import Piece

__all__ = ["INPUTS", "SIDES", "Lane", "Summary", "Task", "find_rows", "train_lanes"]

# Words that are trained on at once, which the walk over the text keeps in memory.
CHUNK = 8192
# The arrays that say what is drawn, and of which rows words are.
WALKED = ("ids", "sentence_offsets", "keep", "noise", "subword_offsets", "subwords")
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
    all_rows : bool
        Whether to take all rows, and not to find out first which the piece uses.
    guides : float32 array, (4, stride), optional
        Directions along which the change of the balance is wanted.
    """

    piece: Piece
    learning_rate: float
    key: int
    loss_every: int
    curvature_every: int
    all_rows: bool
    guides: Matrix | None

    @property
    def n_words(self) -> int:
        """The number of words of the piece."""
        return sum(end - begin for begin, end in self.piece)

    def chunks(self) -> Iterator[tuple[int, int]]:
        """Yield what is trained on at once."""
        for begin, end in self.piece:
            for start in range(begin, end, CHUNK):
                yield start, min(start + CHUNK, end)

    def sample(self) -> NDArray[np.int64]:
        """Return the positions that the curvature is taken of, each as a part."""
        every = self.curvature_every
        positions = [np.arange(-(-begin // every) * every, end, every) for begin, end in self.piece]
        return np.concatenate(positions)[:, np.newaxis] + np.arange(2)


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

    def find_rows(self, task: Task, of_text: Mapping[str, Any]) -> Used:
        """Return what a piece uses."""
        if task.all_rows:
            inputs, outputs = (np.arange(self.firsts[name][-1], dtype=np.int32) for name in SIDES)
            return Used(inputs, outputs, outputs)
        walk = self.walk_of(task, of_text)
        return Used(*kernels.get("rounds").touched(parts=np.array(task.piece), **walk))

    def walk_of(self, task: Task, of_text: Mapping[str, Any]) -> dict[str, Any]:
        """Return what says how a text is walked over in a round."""
        arrays = {name: of_text[name] for name in WALKED if name in of_text}
        return {**self.walk, **arrays, "key": task.key}

    def train_on(
        self,
        task: Task,
        rows: Sequence[Rows],
        of_text: Mapping[str, Any],
        matrices: Mapping[str, Matrix],
        room: Room,
        places: Rows | None = None,
    ) -> tuple[list[Rows], list[Exposures], Summary]:
        """Train on a piece that uses some of these rows; return those that have moved, and exposures.

        Rows are those of the matrices, in which a word is known by its own number, or by its place.
        """
        before = _balance(task, rows, matrices)
        where: dict[str, Any] = dict(matrices)
        if places is not None:
            where["places"] = places
        *curvatures, weight = kernels.get("rounds").curvature(
            parts=task.sample(), mean=self.train.get("mean", True), **self.walk_of(task, of_text), **where
        )
        of_rows = room.exposures(max(map(len, matrices.values())))
        arguments = {**self.train, **of_text, **where, "key": task.key, "loss_every": task.loss_every}
        train = partial(kernels.get(self.kernel).train, exposures=of_rows, **arguments)
        try:
            losses = [
                train(start=start, stop=stop, learning_rate=task.learning_rate)
                for start, stop in task.chunks()
            ]
            after = _balance(task, rows, matrices)
            if of_text["frozen"] is not None:
                of_rows[0][np.flatnonzero(of_text["frozen"])] = 0
            of_used = [of_side[used] for of_side, used in zip(of_rows, rows, strict=True)]
            for of_side, used in zip(of_rows, rows, strict=True):
                of_side[used] = 0
        except BaseException:
            of_rows[:] = 0
            raise
        change = None if before is None or after is None else after - before
        moved = [used[own > 0] for used, own in zip(rows, of_used, strict=True)]
        exposures = [_with_squares(own[own > 0].astype(np.float64)) for own in of_used]
        return moved, exposures, Summary(losses, dict(zip(SIDES, curvatures, strict=True)), weight, change)

    def split(self, of_sides: Sequence[Rows]) -> Iterator[tuple[int, int, slice]]:
        """Yield for every block its side, its first row, and where in the rows of the side its own are."""
        for side, rows in enumerate(of_sides):
            firsts = self.firsts[SIDES[side]]
            for first, ends in zip(firsts, pairwise(np.searchsorted(rows, firsts).tolist()), strict=False):
                yield side, first, slice(*ends)


def _with_squares(exposures: NDArray[np.float64]) -> Exposures:
    return np.stack((exposures, exposures**2), axis=1)


def _balance(task: Task, rows: Sequence[Rows], matrices: Mapping[str, Matrix]) -> NDArray[np.float64] | None:
    """Return by how much the second moment of outputs exceeds that of inputs, if it is wanted."""
    if task.guides is None:
        return None
    of_inputs, of_outputs = (
        kernels.get("rounds").moment(matrices[name], of_side, task.guides)
        for name, of_side in zip(SIDES, rows, strict=True)
    )
    difference: NDArray[np.float64] = of_outputs - of_inputs
    return difference


def find_rows(lane: Lane, tasks: Sequence[Task], *arrays: Any) -> tuple[Any, ...]:
    """Return the rows of every block that pieces use together, and a list of what each uses.

    `arrays` are those of the lane.
    """
    of_text = dict(zip(lane.arrays, arrays, strict=True))
    used = in_threads(lane.find_rows, [(task, of_text) for task in tasks])
    of_sides = zip(*(own.rows for own in used), strict=True)
    together = [np.unique(np.concatenate(of_side)) for of_side in of_sides]
    return (*(together[side][own] for side, _, own in lane.split(together)), used)


def train_lanes(
    lane: Lane, tasks: Sequence[Task], used: Sequence[Used] | None, *arrays: Any
) -> tuple[Any, ...]:
    """Train on pieces, and return the changes of every block, and a list of summaries.

    `used` is what each piece uses, if that was found before. `arrays` are those of the lane, and then the
    blocks of the matrices, ranges of their files, or what was selected of blocks. The changes of blocks stay
    until the next call.
    """
    n = len(lane.arrays)
    of_lanes = zip(tasks, used or repeat(None), strict=False)
    calls = [(lane, *of_lane, arrays[:n], arrays[n:]) for of_lane in of_lanes]
    found = in_threads(_train_lane, calls)
    summaries = [summary for _, summary in found]
    if len(tasks) == 1:
        return (*found[0][0], summaries)
    of_blocks = [
        (number, isinstance(block, Range), *changes)
        for number, (block, *changes) in enumerate(zip(arrays[n:], *(own for own, _ in found), strict=True))
    ]
    added = [
        changes
        for first in range(0, len(of_blocks), len(tasks))
        for changes in in_threads(_added, of_blocks[first : first + len(tasks)])
    ]
    return (*added, summaries)


def _added(number: int, of_files: bool, *of_lanes: Changes) -> Changes:
    """Return what several lanes have changed of a block, in their order, as if one had."""
    total = Total.of(of_lanes)
    changes = _halves(of_files, f"added {number}", *total.sums.shape)
    kernels.get("rounds").shorten(total.sums, changes)
    return Changes(total.rows, total.exposures, changes)


def _train_lane(
    lane: Lane, task: Task, used: Used | None, arrays: Sequence[Any], blocks: Sequence[Any]
) -> tuple[list[Changes], Summary]:
    """Train on a piece, and return the changes of every block, and a summary."""
    of_text = dict(zip(lane.arrays, arrays, strict=True))
    used = lane.find_rows(task, of_text) if used is None else used
    if task.all_rows:
        return _train_on_copies(lane, task, used, of_text, blocks, None)
    of_words = room_of_thread().places(len(of_text["keep"]))
    of_inputs = np.empty(lane.firsts[INPUTS][-1], np.int32) if "subwords" in of_text else of_words
    placed = Placed.of(used, of_words, of_inputs)
    try:
        return _train_on_copies(lane, task, used, placed.text(used, of_text), blocks, placed)
    finally:
        of_words[placed.rows[1]] = 0


def _train_on_copies(
    lane: Lane,
    task: Task,
    used: Used,
    of_text: Mapping[str, Any],
    blocks: Sequence[Any],
    placed: Placed | None,
) -> tuple[list[Changes], Summary]:
    """Train with matrices of the rows that have a place, or of all rows."""
    room, rounds = room_of_thread(), kernels.get("rounds")
    if placed is None:
        places: Sequence[Rows | None] = (None, None)
        n_rows, at_places = [lane.firsts[name][-1] for name in SIDES], [*used.rows]
    else:
        places = placed.places
        n_rows = [*map(len, placed.rows)]
        at_places = [of_side[rows] for of_side, rows in zip(placed.places, used.rows, strict=True)]
    matrices = {name: room.matrix(name, n, lane.stride) for name, n in zip(SIDES, n_rows, strict=True)}
    for block, (side, first, own) in zip(blocks, lane.split(used.rows), strict=True):
        source, begin, rows, own_places = found_in(block, first, used.rows[side][own], places[side])
        rounds.take(source, begin, rows, matrices[SIDES[side]], own_places)
    moved, exposures, summary = lane.train_on(task, at_places, of_text, matrices, room, places[1])
    if placed is not None:
        moved = [rows[own] for rows, own in zip(placed.rows, moved, strict=True)]
    left = _halves(isinstance(blocks[0], Range), "changes", sum(map(len, moved)), lane.stride)
    found: list[Changes] = []
    for block, (side, first, own) in zip(blocks, lane.split(moved), strict=True):
        rows = moved[side][own]
        changes, left = left[: len(rows)], left[len(rows) :]
        source, begin, numbers, own_places = found_in(block, first, rows, places[side])
        rounds.subtract(source, begin, numbers, matrices[SIDES[side]], changes, own_places)
        found.append(Changes(rows, exposures[side][own], changes))
    return found, summary


def _halves(of_files: bool, name: str, n_rows: int, stride: int) -> Halves:
    """Return memory for changes; those of files may be kept by this process until after the next call."""
    if of_files:
        return np.empty((n_rows, stride), np.uint16)
    return room_of_thread().halves(name, n_rows, stride)
