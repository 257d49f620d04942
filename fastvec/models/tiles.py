"""The entries of counts in tiles, as GloVe's kernel needs them, in a different order every epoch.

Words are cut into blocks, and a tile has the entries of one block of words and one of contexts, so that its
rows stay in the cache. Tiles without a common block touch no common row, and threads can train them at once.
Turns say in which order the tiles of a block follow each other. A thread waits for the turn of its tile, so
that the result is bit for bit the same for any number of threads (after Gemulla, Nijkamp, Haas and Sismanis,
"Large-scale matrix factorization with distributed stochastic gradient descent", KDD 2011).
"""

from __future__ import annotations

import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.formats.spool import ADVICE, naming_full_disk, preallocate
from fastvec.models.base import Matrices
from fastvec.training.progress import Progress
from fastvec.training.rounds import Rounds
from fastvec.training.threads import Workers

__all__ = [
    "CHUNK",
    "RECORD",
    "Order",
    "TileRounds",
    "TileTrainer",
    "Tiles",
    "block_bounds",
    "in_tiles",
    "key_of",
]

RECORD = np.dtype([("word", "<i4"), ("context", "<i4"), ("log_count", "<f4"), ("weight", "<f4")])
# Entries handed to a kernel at once, more or less: tiles stay whole.
CHUNK = 1 << 14
# Bytes of the rows of a tile, of two blocks in two matrices each: they fit a second-level cache of 1 MB.
TILE_BYTES = 1 << 20
# A block has at least so many words, that its rows are used again,
FEWEST_WORDS = 16
# and a vocabulary so many blocks at least where it can, that threads find tiles, and about so many at most.
FEWEST_BLOCKS, MOST_BLOCKS = 16, 1024
# The largest share of all entries in a block of several words: tiles with a common block follow each other.
LARGEST_SHARE = 1 / 32
# Parts that the work of arranging is cut into.
PARTS = 64


class Tiles(NamedTuple):
    """The entries of counts, one tile after the other.

    Attributes
    ----------
    records : RECORD array, shape (n_entries,)
        The entries.
    offsets : int64 array, shape (n_blocks² + 1,)
        Tile t is ``records[offsets[t]:offsets[t + 1]]``; its words are of block t // n_blocks, its contexts
        of block t % n_blocks.
    n_blocks : int
        Blocks of words, and of contexts.
    """

    records: NDArray[np.void]
    offsets: NDArray[np.int64]
    n_blocks: int


def in_tiles(
    counts: Cooccurrence,
    stride: int,
    *,
    x_max: float,
    alpha: float,
    seed: int,
    threads: int,
    memory_limit: int,
    progress: bool,
) -> Tiles:
    """Arrange the entries of counts in tiles, the entries of each in a random order.

    The tiles are for matrices with rows of `stride` floats. If their entries take more bytes than
    `memory_limit` they go to a temporary file, which is removed with the tiles.

    Raises
    ------
    OSError
        If the disk is full.
    """
    kernel = kernels.glove
    row_offsets, columns = counts.row_offsets_, counts.columns_
    n_entries = len(columns)
    bounds = block_bounds(row_offsets, stride)
    n_blocks = len(bounds) - 1
    blocks = np.repeat(np.arange(n_blocks, dtype=np.int32), np.diff(bounds))
    # Entries before each block of words; a part is some blocks, each part has about as many entries.
    before = row_offsets[bounds]
    edges = np.unique(np.searchsorted(before, np.linspace(0, n_entries, PARTS + 1)))
    parts = list(pairwise(edges.tolist()))
    sizes = np.zeros(n_blocks**2, np.int64)
    with (
        Workers(threads) as workers,
        Progress("arranging", 2 * n_entries, " entries", progress) as bar,
    ):

        def count(first: int, last: int) -> None:
            kernel.count_tiles(row_offsets, columns, blocks, n_blocks, first, last, sizes)
            bar.update(float(before[last] - before[first]))

        workers.each(count, parts)
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        records = _room(n_entries, memory_limit)
        key = key_of(seed)

        def fill(first: int, last: int) -> None:
            kernel.fill_tiles(
                row_offsets,
                columns,
                counts.units_,
                blocks,
                n_blocks,
                first,
                last,
                counts.unit_,
                x_max,
                alpha,
                key,
                offsets,
                records,
            )
            bar.update(float(before[last] - before[first]))

        workers.each(fill, parts)
    return Tiles(records, offsets, n_blocks)


def block_bounds(row_offsets: NDArray[np.int64], stride: int) -> list[int]:
    """Return where blocks of words begin and end, for rows of `stride` floats, whatever the threads.

    The first words, which have the most entries, are in smaller blocks.
    """
    n_words, n_entries = len(row_offsets) - 1, int(row_offsets[-1])
    fitting = max(FEWEST_WORDS, TILE_BYTES // (4 * 4 * stride))
    most_words = max(min(fitting, -(-n_words // FEWEST_BLOCKS)), -(-n_words // MOST_BLOCKS))
    most = int(LARGEST_SHARE * n_entries)  # a float would make one of every number that is searched
    bounds = [0]
    while bounds[-1] < n_words:
        begin = bounds[-1]
        most_entries = row_offsets[begin] + most
        end = int(np.searchsorted(row_offsets, most_entries, side="right")) - 1
        bounds.append(min(max(end, begin + 1), begin + most_words, n_words))
    return bounds


def key_of(seed: int) -> int:
    """Return where the random sequence of the orders within tiles starts."""
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])


class Order:
    """In which order tiles are trained, another one every epoch.

    Parameters
    ----------
    sizes : int64 array, shape (n_blocks²,)
        The number of entries of each tile.
    n_blocks : int
        Blocks of words, and of contexts.

    Attributes
    ----------
    rounds : int64 array, shape (n_blocks, n_blocks)
        Numbers of tiles, those of a round in a row: every block of words meets one of contexts.
    order : int32 array, shape (n_tiles,)
        The tiles in the order of training, without those that are empty.
    starts : int64 array, shape (n_tiles,)
        How many entries come before each of them.
    """

    def __init__(self, sizes: NDArray[np.int64], n_blocks: int) -> None:
        self.sizes = sizes
        self.n_blocks = n_blocks

    def start_epoch(self, key: int, position: int = 0) -> None:
        """Draw the order of an epoch; the tiles before `position` are taken for trained.

        In a round no tile waits for another one. The largest come first, so that the next round finds them
        done.
        """
        n_blocks, generator = self.n_blocks, np.random.default_rng(key)
        words, contexts, shifts = (generator.permutation(n_blocks) for _ in range(3))
        rounds = words * n_blocks + contexts[(np.arange(n_blocks) + shifts[:, np.newaxis]) % n_blocks]
        largest_first = np.argsort(-self.sizes[rounds], axis=1, kind="stable")
        self.rounds = np.take_along_axis(rounds, largest_first, axis=1)
        order = self.rounds.ravel()
        self.order = order[self.sizes[order] > 0].astype(np.int32)
        sizes = self.sizes[self.order]
        self.starts = np.cumsum(sizes) - sizes


class TileRounds(Order, Rounds):
    """Tiles that are trained in rounds of the training loop, elsewhere perhaps."""


class TileTrainer(Order):
    """Trains on chunks of tiles; a `TrainChunk`.

    Parameters
    ----------
    tiles : Tiles
        What to train on.
    parameters : dict of str to float32 array
        What to train: the matrices with their padding, under the names of the kernel's arguments.
    """

    def __init__(self, tiles: Tiles, parameters: Matrices) -> None:
        super().__init__(np.diff(tiles.offsets), tiles.n_blocks)
        self.kernel = kernels.glove
        self.tiles = tiles
        self.parameters = parameters

    def start_epoch(self, key: int, position: int = 0) -> None:
        """Draw the order of an epoch, and count turns."""
        super().start_epoch(key, position)
        self.words, self.contexts = np.divmod(self.order, np.int32(self.n_blocks))
        self.word_turns, self.context_turns = _turns(self.words), _turns(self.contexts)
        before = np.searchsorted(self.starts, position)
        self.words_done, self.contexts_done = (
            np.bincount(blocks[:before], minlength=self.n_blocks).astype(np.int32)
            for blocks in (self.words, self.contexts)
        )

    def __call__(
        self, *, start: int, stop: int, learning_rate: float, key: int, loss_every: int
    ) -> tuple[float, int, int]:
        """Train on the tiles that start at the positions [start, stop); the loss is of every entry."""
        first, last = np.searchsorted(self.starts, (start, stop)).tolist()
        try:
            loss, n_records = self.kernel.train(
                **self.parameters,
                records=self.tiles.records,
                tile_offsets=self.tiles.offsets,
                order=self.order,
                word_turns=self.word_turns,
                context_turns=self.context_turns,
                words_done=self.words_done,
                contexts_done=self.contexts_done,
                n_blocks=self.tiles.n_blocks,
                start=first,
                stop=last,
                learning_rate=learning_rate,
                key=key,
            )
        except BaseException:
            self._pass_on(first, last)
            raise
        return loss, n_records, n_records

    def _pass_on(self, first: int, last: int) -> None:
        """Release the tiles that wait for untrained ones, which would wait for ever."""
        for i in range(first, last):
            for done, block, turn in (
                (self.words_done, self.words[i], self.word_turns[i]),
                (self.contexts_done, self.contexts[i], self.context_turns[i]),
            ):
                while done[block] < turn:
                    time.sleep(1e-3)
                if done[block] == turn:
                    done[block] += 1


def _turns(blocks: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return how often each of some numbers occurs before its place."""
    order = np.argsort(blocks, kind="stable")
    ascending = blocks[order]
    turns = np.empty(len(blocks), np.int32)
    turns[order] = np.arange(len(blocks)) - np.searchsorted(ascending, ascending)
    return turns


def _room(n_entries: int, memory_limit: int) -> NDArray[np.void]:
    size = n_entries * RECORD.itemsize
    if size <= memory_limit:
        return np.empty(n_entries, RECORD)
    folder = Path(tempfile.gettempdir())
    with (
        naming_full_disk("the entries in the order of training", size, folder, ADVICE),
        tempfile.TemporaryFile(dir=folder, prefix="fastvec-") as file,
    ):
        preallocate(file, size)
        return np.memmap(file, RECORD, "r+", shape=(n_entries,))
