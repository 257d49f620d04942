"""Ranges of words whose tiles one worker trains: pure functions, and the memory that they keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.distributed.rooms import Matrix, room_of_thread
from fastvec.models.tiles import RECORD
from fastvec.training.threads import Workers

__all__ = ["Numbers", "Range", "Turn", "arrange_range", "ranges_of", "train_range"]

# Sending a row of two matrices on, and copying it, takes about as long as training on so many entries.
ENTRIES_OF_ROW = 8

Numbers = NDArray[np.int64]


class Range(NamedTuple):
    """A range of blocks of words.

    Attributes
    ----------
    first, last : int
        Its blocks, the last one excluded.
    bounds : int64 array, shape (n_blocks + 1,)
        Where each block of all begins, and the number of words.
    """

    first: int
    last: int
    bounds: Numbers

    @property
    def n_blocks(self) -> int:
        """The number of all blocks."""
        return len(self.bounds) - 1

    @property
    def rows(self) -> slice:
        """The rows of its words."""
        return slice(self.bounds[self.first], self.bounds[self.last])


def ranges_of(bounds: Numbers, row_offsets: Numbers, n: int) -> list[Range]:
    """Return n ranges at most that take equally long, of one block at least."""
    n_blocks = len(bounds) - 1
    n_rows, n_entries = np.diff(bounds), np.diff(row_offsets[bounds])
    # of an epoch; as many blocks of contexts travel as there are of words
    time = n_entries + ENTRIES_OF_ROW * n_blocks * (n_rows + n_rows.mean())
    before = np.concatenate(([0.0], np.cumsum(time)))
    edges = np.unique(np.searchsorted(before, np.linspace(0, before[-1], min(n, n_blocks) + 1)[1:-1]))
    ends = [0, *edges.tolist(), n_blocks]
    return [Range(first, last, bounds) for first, last in pairwise(ends) if first < last]


class Turn(NamedTuple):
    """What is to be trained on in a round.

    Attributes
    ----------
    tiles : int64 array
        Tiles of the range, counted from its first one, without a common block.
    arriving, leaving : list of int64 array
        The blocks of contexts in each packet that is there, and in each that is wanted.
    learning_rate : float
        The learning rate.
    key : int
        The key of the first tile of the range.
    threads : int
        How many threads train.
    """

    tiles: Numbers
    arriving: list[Numbers]
    leaving: list[Numbers]
    learning_rate: float
    key: int
    threads: int


def arrange_range(
    own: Range,
    unit: int,
    x_max: float,
    alpha: float,
    key: int,
    row_offsets: Numbers,
    columns: NDArray[np.int32],
    units: Numbers,
) -> tuple[NDArray[np.void], Numbers]:
    """Return the records of the tiles of a range, as `in_tiles` has them, and where each tile begins.

    Their words and contexts count from the first ones of their blocks. `columns` and `units` are those of the
    words of the range alone.
    """
    kernel, n_blocks, bounds = kernels.glove, own.n_blocks, own.bounds
    n_before = int(row_offsets[own.rows.start])
    row_offsets = row_offsets - n_before
    blocks = np.repeat(np.arange(n_blocks, dtype=np.int32), np.diff(bounds))
    of_range = own.first, own.last
    sizes = np.zeros(n_blocks**2, np.int64)
    kernel.count_tiles(row_offsets, columns, blocks, n_blocks, *of_range, sizes)
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    records = np.empty(len(columns), RECORD)
    key = (key + n_before) % 2**64  # what is drawn depends on how many records come before
    kernel.fill_tiles(
        row_offsets, columns, units, blocks, n_blocks, *of_range, unit, x_max, alpha, key, offsets, records
    )
    firsts = bounds[blocks].astype(np.int32)
    for block in range(*of_range):
        of_block = records[offsets[block * n_blocks] : offsets[(block + 1) * n_blocks]]
        for side in ("word", "context"):
            of_block[side] -= firsts[of_block[side]]
    return records, offsets[own.first * n_blocks : own.last * n_blocks + 1]


def train_range(
    own: Range, turn: Turn, records: NDArray[np.void], offsets: Numbers, words: Matrix, *packets: Matrix
) -> tuple[Any, ...]:
    """Train on tiles of a range; return its words, the losses of the tiles, and packets of contexts.

    The losses have two columns, see the kernel's `train_tile`. Rows stay until the next call.
    """
    bounds, n_blocks = own.bounds, own.n_blocks
    begin, stride = own.rows.start, words.shape[2]
    trained = _room("words", [words.shape[1]], stride)[0]
    trained[:] = words
    sent = _room("contexts", [int(np.diff(bounds)[blocks].sum()) for blocks in turn.leaving], stride)
    contexts = dict(_blocks_of(bounds, turn.leaving, sent))
    for block, rows in _blocks_of(bounds, turn.arriving, packets):
        contexts[block][:] = rows
    losses = np.empty((len(turn.tiles), 2))
    train = kernels.glove.train_tile

    def train_tile(number: int, tile: int) -> None:
        block, of_contexts = divmod(tile, n_blocks)
        first, last = bounds[own.first + block : own.first + block + 2] - begin
        vectors, squares = trained[:, first:last]
        own_records = records[offsets[tile] : offsets[tile + 1]]
        context_vectors, context_squares = contexts[of_contexts]
        key = (turn.key + tile) % 2**64
        losses[number] = train(
            vectors, context_vectors, squares, context_squares, own_records, turn.learning_rate, key
        )

    with Workers(turn.threads) as workers:
        workers.each(train_tile, [*enumerate(turn.tiles.tolist())])
    return trained, losses, *sent


def _room(name: str, numbers: Sequence[int], stride: int) -> list[Matrix]:
    """Return memory of this thread for so many rows each."""
    left, found = room_of_thread().matrix(name, 2 * sum(numbers), stride), []
    for n in numbers:
        found.append(left[: 2 * n].reshape(2, n, stride))
        left = left[2 * n :]
    return found


def _blocks_of(
    bounds: Numbers, of_packets: Sequence[Numbers], packets: Sequence[Matrix]
) -> Iterator[tuple[int, Matrix]]:
    """Yield the blocks in packets, and their rows."""
    for blocks, packet in zip(of_packets, packets, strict=True):
        begin = 0
        for block in blocks.tolist():
            end = begin + bounds[block + 1] - bounds[block]
            yield block, packet[:, begin:end]
            begin = end
