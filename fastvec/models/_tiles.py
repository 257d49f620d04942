"""The entries of counts as GloVe's kernel takes them: in tiles, every epoch in another order.

Words are cut into blocks, and a tile has the entries of one block of words and one of contexts, so that its
rows stay in the cache. Tiles without a common block touch no common row, and threads can train them at once.
Turns say in which order the tiles of a block follow each other. A thread waits for the turn of its tile, so
that the result is bit for bit the same for any number of threads.
"""

from __future__ import annotations

import os
import tempfile
import time
from itertools import pairwise
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from fastvec import _backends
from fastvec._spool import naming_full_disk, temporary_folder
from fastvec.models._count_runs import ADVICE, Workers, bar
from fastvec.models._state import Matrices
from fastvec.models.cooccurrence import Cooccurrence

__all__ = ["CHUNK", "TileTrainer", "Tiles", "arranged"]

RECORD = np.dtype([("word", "<i4"), ("context", "<i4"), ("log_count", "<f4"), ("weight", "<f4")])
# Entries handed to a kernel at once, more or less: tiles stay whole.
CHUNK = 1 << 16
# Bytes of a block's rows in all four matrices: two blocks fit a second-level cache.
BLOCK_BYTES = 1 << 20
# A block has at least so many words, that its rows are used again,
FEWEST_WORDS = 16
# and a vocabulary so many blocks where it can, that threads find tiles, but not more than so many.
FEWEST_BLOCKS, MOST_BLOCKS = 16, 1024
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


def arranged(
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

    The tiles are for matrices with rows of `stride` floats.

    If they take more bytes than `memory_limit` they go to a temporary file, which is removed with the tiles.

    Raises
    ------
    OSError
        When there is no room for the temporary file.
    """
    kernel = cast(_backends.GloVeKernel, _backends.get("glove"))
    row_offsets, columns = counts.row_offsets_, counts.columns_
    n_words, n_entries = len(row_offsets) - 1, len(columns)
    block = words_in_a_block(n_words, stride)
    n_blocks = -(-n_words // block)
    blocks = np.arange(n_words, dtype=np.int32) // np.int32(block)
    # Entries before each block of words; a part is some blocks, each part has about as many entries.
    before = row_offsets[np.minimum(np.arange(n_blocks + 1) * block, n_words)]
    edges = np.unique(np.searchsorted(before, np.linspace(0, n_entries, PARTS + 1)))
    parts = list(pairwise(edges.tolist()))
    sizes = np.zeros(n_blocks**2, np.int64)
    with (
        Workers(threads) as workers,
        bar("arranging", 2 * n_entries, " entries", progress) as report,
    ):

        def count(first: int, last: int) -> None:
            kernel.count_tiles(row_offsets, columns, blocks, n_blocks, first, last, sizes)
            report(float(before[last] - before[first]))

        workers.each(count, parts)
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        records = _room(n_entries, memory_limit)
        key = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])

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
            report(float(before[last] - before[first]))

        workers.each(fill, parts)
    return Tiles(records, offsets, n_blocks)


def words_in_a_block(n_words: int, stride: int) -> int:
    """Return how many words a block has, of rows of `stride` floats; it must not depend on the threads."""
    fitting = max(FEWEST_WORDS, BLOCK_BYTES // (4 * 4 * stride))
    return max(min(fitting, -(-n_words // FEWEST_BLOCKS)), -(-n_words // MOST_BLOCKS))


class TileTrainer:
    """Trains on chunks of tiles, in another order every epoch; a `TrainChunk`.

    Parameters
    ----------
    tiles : Tiles
        What to train on.
    parameters : dict of str to float32 array
        What to train: the matrices with their padding, under the names of the kernel's arguments.
    """

    def __init__(self, tiles: Tiles, parameters: Matrices) -> None:
        self.kernel = cast(_backends.GloVeKernel, _backends.get("glove"))
        self.tiles = tiles
        self.parameters = parameters
        self.sizes = np.diff(tiles.offsets)

    def start_epoch(self, key: int) -> None:
        """Draw the order of an epoch; its first position is the first entry of the first tile."""
        n_blocks = self.tiles.n_blocks
        full = np.flatnonzero(self.sizes).astype(np.int32)
        self.order = np.random.default_rng(key).permutation(full)
        sizes = self.sizes[self.order]
        self.starts = np.cumsum(sizes) - sizes
        self.words, self.contexts = np.divmod(self.order, np.int32(n_blocks))
        self.word_turns, self.context_turns = _turns(self.words), _turns(self.contexts)
        self.words_done, self.contexts_done = (np.zeros(n_blocks, np.int32) for _ in range(2))

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
        """Give the turns of untrained tiles to those that wait for them, which would wait for ever."""
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
    folder = temporary_folder()
    with (
        naming_full_disk("entries in the order of training", size, folder, ADVICE),
        tempfile.TemporaryFile(dir=folder, prefix="fastvec-") as file,
    ):
        os.posix_fallocate(file.fileno(), 0, size)  # a full disk is an error here, and a crash later
        return np.memmap(file, RECORD, "r+", shape=(n_entries,))
