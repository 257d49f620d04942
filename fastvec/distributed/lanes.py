"""What a lane does in a round, and what becomes of a block of rows: the pure functions of `rounds`.

Matrices are there as blocks of neighbouring rows. A lane copies the rows that its piece of the text touches
from the blocks into matrices of its own, trains on these, and returns the changes, block by block.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.training.loop import CHUNK
from fastvec.training.matrices import padded_matrix
from fastvec.training.rounds import Piece

__all__ = ["INPUTS", "SIDES", "Changes", "Lane", "Pull", "Summary", "combine_block", "forget", "train_lane"]

# The curvature is taken of one window in so many.
CURVATURE_EVERY = 64

# Rows that are copied at once, so that what lies between two matrices stays in the cache.
ROWS_AT_ONCE = 256
# The arrays that say what is drawn.
WALKED = ("ids", "sentence_offsets", "keep", "noise")
INPUTS, OUTPUTS = SIDES = ("input_vectors", "output_vectors")


Rows = NDArray[np.int32]
Updates = NDArray[np.int64]


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

    def split(self, touched: Sequence[tuple[Rows, Updates]]) -> Iterator[tuple[str, int, Rows, Updates]]:
        """Yield for every block its matrix, its first row, and those in it of the rows of each matrix."""
        for name, (rows, updates) in zip(SIDES, touched, strict=True):
            ends = np.searchsorted(rows, self.firsts[name]).tolist()
            for first, begin, end in zip(self.firsts[name][:-1], ends[:-1], ends[1:], strict=True):
                yield name, first, rows[begin:end], updates[begin:end]


class Changes(NamedTuple):
    """What a lane has changed of a block: rows in rising order, in how many scores each was, and changes."""

    rows: Rows
    updates: Updates
    changes: NDArray[np.float32]


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
    """

    losses: list[tuple[float, int, int]]
    curvatures: dict[str, NDArray[np.float64]]
    weights: dict[str, float]
    n_scores: int


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
    """

    rate: float
    directions: NDArray[np.float32]
    eigenvalues: NDArray[np.float32]
    rest: float


def train_lane(
    lane: Lane, piece: Piece, learning_rate: float, key: int, loss_every: int, *arrays: Any
) -> Any:
    """Train on a piece, and return the changes of every block, and a summary.

    `arrays` are those of the lane, and then the blocks of the matrices.
    """
    of_text = dict(zip(lane.arrays, arrays, strict=False))
    walk = {**lane.walk, "key": key, **{name: of_text[name] for name in WALKED}}
    parts = [(start, min(start + CHUNK, end)) for begin, end in piece for start in range(begin, end, CHUNK)]
    rounds = kernels.get("rounds")
    touched = _together([rounds.touched(start=start, stop=stop, **walk) for start, stop in piece])
    matrices = {name: _matrix_of_own(name, lane.firsts[name][-1], lane.stride) for name in SIDES}
    used = [*zip(arrays[len(lane.arrays) :], lane.split(touched), strict=True)]
    for block, (name, first, rows, _) in used:
        for some in _slices(rows):
            matrices[name][rows[some]] = block.take(rows[some] - first, axis=0)
    train = kernels.get(lane.kernel).train
    arguments = {**lane.train, **of_text, **matrices, "key": key, "loss_every": loss_every}
    summary = Summary(
        [train(start=start, stop=stop, learning_rate=learning_rate, **arguments) for start, stop in parts],
        *_curvature(
            [
                rounds.curvature(start=start, stop=stop, every=CURVATURE_EVERY, **matrices, **walk)
                for start, stop in piece
            ]
        ),
    )
    found: list[Any] = []
    for block, (name, first, rows, updates) in used:
        if name == INPUTS and of_text["frozen"] is not None:
            moves = of_text["frozen"][rows] == 0
            rows, updates = rows[moves], updates[moves]
        changes = np.empty((len(rows), lane.stride), np.float32)
        for some in _slices(rows):
            changes[some] = matrices[name].take(rows[some], axis=0)
            changes[some] -= block.take(rows[some] - first, axis=0)
        found.append(Changes(rows, updates, changes))
    return (*found, summary)


def combine_block(
    first_row: int,
    pull: Pull,
    momentum_rate: float,
    block: NDArray[np.float32],
    momentum: NDArray[np.float32],
    *changes: Changes,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a block after a round, and its momentum; changes are those of the lanes, in their order."""
    # One that is writable was made by the round before, in this process, and nothing else reads it any more.
    block, momentum = (part if part.flags.writeable else np.array(part) for part in (block, momentum))
    kernels.get("rounds").combine(
        block,
        momentum,
        first_row,
        [change.rows for change in changes],
        [change.updates for change in changes],
        [change.changes for change in changes],
        np.full(len(changes), pull.rate),
        pull.directions,
        pull.eigenvalues,
        pull.rest,
        momentum_rate,
    )
    return block, momentum


# Matrices of their full size, of whose memory only rows are there that lanes have touched in this thread.
_own = threading.local()


def _matrix_of_own(name: str, n_rows: int, stride: int) -> NDArray[np.float32]:
    found: NDArray[np.float32] | None = getattr(_own, name, None)
    if found is None or found.shape != (n_rows, stride):
        found = padded_matrix(n_rows, stride)
        setattr(_own, name, found)
    return found


def forget() -> None:
    """Give the memory of the lanes of this thread back."""
    _own.__dict__.clear()


def _slices(rows: Rows) -> Iterator[slice]:
    """Yield slices of some rows at a time."""
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        yield slice(begin, begin + ROWS_AT_ONCE)


def _together(parts: list[Any]) -> list[tuple[Rows, Updates]]:
    """Return the rows of either side that any part touches, in rising order, and in how many scores."""
    if len(parts) == 1:
        return [parts[0][:2], parts[0][2:]]
    sides = []
    for side in (0, 2):
        rows, places = np.unique(
            np.concatenate([np.empty(0, np.int32), *(part[side] for part in parts)]), return_inverse=True
        )
        updates = np.zeros(len(rows), np.int64)
        np.add.at(
            updates, places, np.concatenate([np.empty(0, np.int64), *(part[side + 1] for part in parts)])
        )
        sides.append((rows, updates))
    return sides


def _curvature(parts: list[Any]) -> tuple[dict[str, NDArray[np.float64]], dict[str, float], int]:
    """Return the curvature of all parts for each matrix, its weight, and the number of scores."""
    sums: list[Any] = [sum(items) for items in zip(*parts, strict=True)]
    of_inputs, of_outputs, *weights, n_scores = sums
    return (
        dict(zip(SIDES, (of_inputs, of_outputs), strict=True)),
        dict(zip(SIDES, weights, strict=True)),
        n_scores,
    )
