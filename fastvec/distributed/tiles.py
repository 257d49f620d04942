"""GloVe on several processes or machines: its tiles in the turns of one process, and so with the same bits.

The blocks of words are cut into ranges of neighbours. The records of a range are made once, by a worker, and
stay where it is. A call trains the tiles of a range in one round of the order (`fastvec.models.tiles`), in
which every block of words meets one of contexts. Before the next round each block of contexts goes to the
range that it meets there: those with the same way are one array, a packet. Rows travel as vectors and sums of
squares, an array of shape (2, n_rows, stride). Ranges are no matter of the result, which is that of any
number of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.distributed.calls import Handle
from fastvec.distributed.clusters import connect
from fastvec.distributed.engine import Engine
from fastvec.distributed.ranges import Numbers, Turn, arrange_range, ranges_of, train_range
from fastvec.distributed.rooms import Matrix
from fastvec.models.base import Matrices
from fastvec.models.glove import GloVe
from fastvec.models.tiles import TileRounds, block_bounds, key_of
from fastvec.training.progress import Progress
from fastvec.training.rounds import Piece

__all__ = ["fit_in_turns"]

# An epoch is handed over in so many parts: between two of them it can be stopped, and kept in a checkpoint.
PARTS = 16
# The matrices whose rows travel together.
WORDS, CONTEXTS = ("word_vectors", "word_squares"), ("context_vectors", "context_squares")

# Blocks of contexts, and what stands for their rows.
Packet = tuple[Numbers, Handle]


def fit_in_turns(model: GloVe, source: Any, cluster: str | int | None, **how: Any) -> GloVe:
    """Train on several processes or machines; see `fit`, also for the arguments of the model's `fit`."""
    if cluster is None:
        return model._fit(source, None, **how)
    with connect(cluster, threads=1 if model.threads is None else model.threads) as engine:
        return model._fit(source, partial(TilesElsewhere, engine), **how)


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
        self._ranges = ranges_of(bounds, row_offsets, engine.workers)
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
        self._range_of = np.repeat(
            np.arange(len(self._ranges)), [own.last - own.first for own in self._ranges]
        )

    def start_epoch(self, key: int, position: int = 0) -> None:
        """Draw the order of an epoch, and note the round of each tile."""
        super().start_epoch(key, position)
        self._round_of = np.flatnonzero(self.sizes[self.rounds.ravel()]) // self.n_blocks
        self._next = int(np.searchsorted(self.starts, position))

    def n_before(self, n_positions: int) -> int:
        """Return 0: an epoch has as many turns wherever it is trained."""
        return 0

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
        words = [(own.rows, handle) for own, handle in zip(self._ranges, self._words, strict=True)]
        contexts = [(self._rows_of(blocks), handle) for packets in self._lying for blocks, handle in packets]
        self._write(WORDS, words)
        self._write(CONTEXTS, contexts)

    def _write(self, names: Sequence[str], travelled: Sequence[tuple[Any, Handle]]) -> None:
        found = self._engine.results([handle for _, handle in travelled])
        for (rows, _), matrices in zip(travelled, found, strict=True):
            for name, matrix in zip(names, matrices, strict=True):
                self._parameters[name][rows] = matrix

    def train(
        self, pieces: Sequence[Piece], learning_rate: float, key: int, loss_every: int
    ) -> list[tuple[float, int, int]]:
        """Train on the tiles that start in a part of the epoch; return loss and entries of its chunks."""
        ((start, stop),) = pieces[0]
        first, last = np.searchsorted(self.starts, (start, stop)).tolist()
        rounds = self._round_of[first:last]
        edges = np.unique([first, *(first + 1 + np.flatnonzero(np.diff(rounds))), last]).tolist()
        calls: list[tuple[Numbers, Handle]] = []
        for begin, end in pairwise(edges):
            calls += self._train_round(begin, end, learning_rate, key)
        self._next = last
        losses = np.empty((last - first, 2))
        found = self._engine.results([handle for _, handle in calls])
        for (places, _), of_call in zip(calls, found, strict=True):
            losses[places - first] = of_call
        ends = np.searchsorted(self.starts, [*range(start, stop, self._chunk), stop]).tolist()
        return [self._of_chunk(begin, losses[begin - first : end - first]) for begin, end in pairwise(ends)]

    def _of_chunk(self, begin: int, losses: NDArray[np.float64]) -> tuple[float, int, int]:
        """Return loss and entries of the tiles from order[begin] on, losses added up as the kernel does."""
        n = int(self.sizes[self.order[begin : begin + len(losses)]].sum())
        return float(np.cumsum(np.append(0.0, losses))[-1]), n, n

    def _train_round(
        self, begin: int, end: int, learning_rate: float, key: int
    ) -> list[tuple[Numbers, Handle]]:
        """Let order[begin:end], of one round, be trained, and contexts go where the next tile is trained.

        Return places in the order, and what stands for the losses there.
        """
        here = int(self._round_of[begin])
        after = int(self._round_of[min(end, len(self.order) - 1)])
        meets = self._ranges_met(after)
        tiles = self.order[begin:end].astype(np.int64)
        calls = []
        lying: list[list[Packet]] = [[] for _ in self._ranges]
        for number in range(len(self._ranges)):
            places = np.flatnonzero(self._range_of[tiles // self.n_blocks] == number)
            if len(places) or here != after:
                losses, sent = self._submit(number, here, tiles[places], meets, learning_rate, key)
                calls.append((begin + places, losses))
            else:
                sent = [(number, packet) for packet in self._lying[number]]
            for way, packet in sent:
                lying[way].append(packet)
        self._lying = lying
        return calls

    def _submit(
        self, number: int, here: int, tiles: Numbers, meets: Numbers, learning_rate: float, key: int
    ) -> tuple[Handle, list[tuple[int, Packet]]]:
        """Let tiles of a range be trained; return the losses, and packets with the ranges they go to."""
        own, lying = self._ranges[number], self._lying[number]
        arriving = [blocks for blocks, _ in lying]
        contexts = np.concatenate(arriving)
        ways = np.unique(meets[contexts]).tolist()
        leaving = [contexts[meets[contexts] == way] for way in ways]
        first_tile = own.first * self.n_blocks
        first_key = (key + first_tile) % 2**64
        turn = Turn(tiles - first_tile, arriving, leaving, learning_rate, first_key, self._engine.threads)
        self._words[number], losses, *packets = self._engine.submit_parts(
            f"train words {own.rows.start} to {own.rows.stop} in round {here + 1}",
            2 + len(leaving),
            train_range,
            own,
            turn,
            *self._arranged[number],
            self._words[number],
            *(handle for _, handle in lying),
        )
        return losses, [*zip(ways, zip(leaving, packets, strict=True), strict=True)]

    def _ranges_met(self, of_round: int) -> Numbers:
        """Return the range of words that each block of contexts meets in a round."""
        words, contexts = np.divmod(self.rounds[of_round], self.n_blocks)
        meets = np.empty(self.n_blocks, np.int64)
        meets[contexts] = self._range_of[words]
        return meets
