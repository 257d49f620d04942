"""GloVe on several processes or machines: its tiles in the turns of one process, and so with the same bits.

The blocks of words are cut into ranges of neighbours. The records of a range are made once, by a worker, and
stay where it is. A call trains the tiles of a range in one round of the order (`fastvec.models.tiles`), in
which every block of words meets one of contexts. Before the next round each block of contexts goes to the
range that it meets there: those with the same way are one array, a packet. Rows travel as vectors and sums of
squares, an array of shape (2, n_rows, stride). Ranges are no matter of the result, which is that of any
number of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.distributed.blocks import room_of_thread
from fastvec.distributed.clusters import connect
from fastvec.distributed.engine import Engine, Handle
from fastvec.models.base import Learner, Matrices
from fastvec.models.glove import GloVe
from fastvec.models.tiles import RECORD, TileRounds, block_bounds, key_of
from fastvec.training.progress import Progress
from fastvec.training.rounds import Piece
from fastvec.training.threads import Workers
from fastvec.vectors import Vectors

__all__ = ["fit_in_turns"]

# An epoch is handed over in so many parts: between two of them it can be stopped, and kept in a checkpoint.
PARTS = 16
# Sending a row of two matrices on, and copying it, takes as long as training on so many entries.
ENTRIES_OF_ROW = 8
# The matrices whose rows travel together.
WORDS, CONTEXTS = ("word_vectors", "word_squares"), ("context_vectors", "context_squares")

Matrix = NDArray[np.float32]
Numbers = NDArray[np.int64]


def fit_in_turns(
    model: GloVe,
    source: Any,
    cluster: str | int | None,
    *,
    start_from: Vectors | Learner | None,
    freeze: bool | Iterable[str],
    checkpoint: str | os.PathLike[str] | None,
    checkpoint_every: int | str,
    resume: bool,
) -> GloVe:
    """Train on several processes or machines; see `fit`. Without a cluster, the model trains."""
    fit = partial(
        model._fit,
        source,
        start_from=start_from,
        freeze=freeze,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        resume=resume,
    )
    if cluster is None:
        return fit(None)
    with connect(cluster, threads=1 if model.threads is None else model.threads) as engine:
        return fit(partial(TilesElsewhere, engine))


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


class TilesElsewhere(TileRounds):
    """Tiles that are trained by calls of an engine.

    Parameters
    ----------
    engine : Engine
        What calls.
    counts : Cooccurrence
        The counts.
    parameters : dict of str to float32 array
        What to train: the matrices with their padding.
    chunk : int
        How many entries the training loop counts at once.
    x_max, alpha, seed : optional
        The parameters of the model.
    progress : bool
        Whether to show a bar.
    """

    lanes = 1
    per_epoch = PARTS

    def __init__(
        self,
        engine: Engine,
        counts: Cooccurrence,
        parameters: Matrices,
        *,
        chunk: int,
        x_max: float,
        alpha: float,
        seed: int,
        progress: bool,
    ) -> None:
        self.state = {}
        self._engine, self._parameters, self._chunk = engine, parameters, chunk
        row_offsets, columns, units = counts.row_offsets_, counts.columns_, counts.units_
        bounds = np.array(block_bounds(row_offsets, parameters["word_vectors"].shape[1]))
        self._ranges = _ranges(bounds, row_offsets, engine.workers)
        of_words = engine.share(row_offsets)
        self._arranged = []
        for own in self._ranges:
            entries = slice(*row_offsets[[own.rows.start, own.rows.stop]])
            shared = [of_words, engine.share(columns[entries]), engine.share(units[entries])]
            name = f"arrange counts of words {own.rows.start} to {own.rows.stop}"
            given = own, counts.unit_, x_max, alpha, key_of(seed), *shared
            self._arranged.append(engine.submit_parts(name, 2, arrange_range, *given))
        with Progress("arranging", len(self._ranges), " ranges", progress) as bar:
            offsets = engine.results([parts[1] for parts in self._arranged], bar.update)
        super().__init__(np.concatenate([np.diff(of_range) for of_range in offsets]), len(bounds) - 1)
        self._bounds = bounds
        self._range_of = np.repeat(np.arange(len(self._ranges)), [own.last - own.first for own in self._ranges])

    def start_epoch(self, key: int, position: int = 0) -> None:
        """Draw the order of an epoch, and note the round of each tile."""
        super().start_epoch(key, position)
        self._round_of = np.flatnonzero(self.sizes[self.rounds.ravel()]) // self.n_blocks
        self._next = int(np.searchsorted(self.starts, position))

    def n_chunks(self, n_positions: int, trained_on: int) -> int:
        """Return the length of a part of an epoch."""
        return -(-n_positions // (self._chunk * PARTS))

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Share the rows of words and of contexts; afterwards, gather them."""
        self._words = [self._engine.share(self._stacked(WORDS, own.rows)) for own in self._ranges]
        meets = self._ranges_met(self._round_of[min(self._next, len(self.order) - 1)])
        self._lying = [
            [(blocks, self._engine.share(self._stacked(CONTEXTS, self._rows_of(blocks))))]
            for blocks in (np.flatnonzero(meets == number) for number in range(len(self._ranges)))
        ]
        try:
            yield
            self._gather()
        finally:
            self._words, self._lying = [], []

    def _stacked(self, names: Sequence[str], rows: slice | Numbers) -> Matrix:
        return np.stack([self._parameters[name][rows] for name in names])

    def _rows_of(self, blocks: Numbers) -> Numbers:
        return np.concatenate([np.arange(*self._bounds[block : block + 2]) for block in blocks])

    def _gather(self) -> None:
        """Write all rows to the parameters."""
        places = [own.rows for own in self._ranges], [
            self._rows_of(blocks) for packets in self._lying for blocks, _ in packets
        ]
        handles = self._words, [handle for packets in self._lying for _, handle in packets]
        for names, of_side, travelled in zip((WORDS, CONTEXTS), places, handles, strict=True):
            for rows, found in zip(of_side, self._engine.results(travelled), strict=True):
                for name, matrix in zip(names, found, strict=True):
                    self._parameters[name][rows] = matrix

    def train(
        self, pieces: Sequence[Piece], learning_rate: float, key: int, loss_every: int
    ) -> list[tuple[float, int, int]]:
        """Train on the tiles that start in a part of the epoch; return loss and entries of its chunks."""
        ((start, stop),) = pieces[0]
        first, last = np.searchsorted(self.starts, (start, stop)).tolist()
        rounds = self._round_of[first:last]
        edges = [first, *(first + 1 + np.flatnonzero(np.diff(rounds))).tolist(), last]
        calls: list[tuple[Numbers, Handle]] = []
        for begin, end in zip(edges, edges[1:], strict=False):
            calls += self._train_round(begin, end, learning_rate, key)
        self._next = last
        losses = np.empty((len(self.order), 2))
        found = self._engine.results([handle for _, handle in calls])
        for (places, _), of_call in zip(calls, found, strict=True):
            losses[places] = of_call
        ends = np.searchsorted(self.starts, [*range(start, stop, self._chunk), stop]).tolist()
        return [self._of_chunk(losses, *ends_of) for ends_of in zip(ends, ends[1:], strict=False)]

    def _of_chunk(self, losses: NDArray[np.float64], begin: int, end: int) -> tuple[float, int, int]:
        """Return loss and entries of order[begin:end], the loss added up as the kernel does."""
        n = int(self.sizes[self.order[begin:end]].sum())
        return float(np.cumsum([0.0, *losses[begin:end].ravel()])[-1]), n, n

    def _train_round(
        self, begin: int, end: int, learning_rate: float, key: int
    ) -> list[tuple[Numbers, Handle]]:
        """Let order[begin:end], of one round, be trained, and contexts go where the next tile is trained.

        Return places in the order, and what stands for the losses there.
        """
        here = self._round_of[begin]
        after = self._round_of[min(end, len(self.order) - 1)]
        meets = self._ranges_met(after)
        tiles = self.order[begin:end].astype(np.int64)
        calls = []
        lying: list[list[tuple[Numbers, Handle]]] = [[] for _ in self._ranges]
        for number, own in enumerate(self._ranges):
            places = np.flatnonzero(self._range_of[tiles // self.n_blocks] == number)
            if not len(places) and here == after:
                lying[number] += self._lying[number]
                continue
            arriving = [blocks for blocks, _ in self._lying[number]]
            contexts = np.concatenate(arriving)
            ways = np.unique(meets[contexts]).tolist()
            leaving = [contexts[meets[contexts] == way] for way in ways]
            first_tile = own.first * self.n_blocks
            turn = Turn(
                tiles[places] - first_tile,
                arriving,
                leaving,
                learning_rate,
                (key + first_tile) % 2**64,
                self._engine.threads,
            )
            self._words[number], losses, *packets = self._engine.submit_parts(
                f"train words {own.rows.start} to {own.rows.stop} in round {here + 1}",
                2 + len(leaving),
                train_range,
                own,
                turn,
                *self._arranged[number],
                self._words[number],
                *(handle for _, handle in self._lying[number]),
            )
            for way, blocks, packet in zip(ways, leaving, packets, strict=True):
                lying[way].append((blocks, packet))
            calls.append((begin + places, losses))
        self._lying = lying
        return calls

    def _ranges_met(self, of_round: int) -> Numbers:
        """Return the range of words that each block of contexts meets in a round."""
        words, contexts = np.divmod(self.rounds[of_round], self.n_blocks)
        meets = np.empty(self.n_blocks, np.int64)
        meets[contexts] = self._range_of[words]
        return meets


def _ranges(bounds: Numbers, row_offsets: Numbers, n: int) -> list[Range]:
    """Return n ranges at most that take equally long, of one block at least."""
    n_blocks = len(bounds) - 1
    n_rows, n_entries = np.diff(bounds), np.diff(row_offsets[bounds])
    # of an epoch; as many blocks of contexts travel as there are of words
    time = n_entries + ENTRIES_OF_ROW * n_blocks * (n_rows + n_rows.mean())
    before = np.concatenate(([0.0], np.cumsum(time)))
    edges = np.unique(np.searchsorted(before, np.linspace(0, before[-1], min(n, n_blocks) + 1)[1:-1]))
    ends = [0, *edges.tolist(), n_blocks]
    return [Range(first, last, bounds) for first, last in zip(ends, ends[1:], strict=False) if first < last]
