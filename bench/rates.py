"""How long lanes take on this machine, and what they send: by the functions that train them.

Times are those of a processor, so that others who use the machine disturb them little.
"""

import copy
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

from fastvec import SkipGram, distributed, kernels
from fastvec.distributed import clusters
from fastvec.distributed import rounds as in_rounds
from fastvec.distributed.balance import PERIOD
from fastvec.distributed.blocks import combine_blocks, moments_of_blocks, stretched_blocks
from fastvec.distributed.calls import Call, Handle
from fastvec.distributed.clusters import Here, connect
from fastvec.distributed.directions import Side
from fastvec.distributed.lanes import SIDES, train_lanes
from fastvec.training.matrices import padded_matrix

REPEATS = 3
LANES = 8  # of the training that is looked into, and of what is combined
PIECES = 4_096, 65_536, 524_288  # words of the pieces that are timed
COMBINED = 65_536  # words of the pieces whose changes are
CALLS = (256, 2), (24, 96)  # tasks of Ray, and parts of what each returns


class Rates(NamedTuple):
    """Seconds of one processor, and bytes.

    Attributes
    ----------
    plain : float
        Seconds for a word of a training without lanes.
    word, found, used : float
        Seconds of a lane for a word of its piece, for finding the rows that it uses, and for each of these.
    added, combined : float
        Seconds for a row that a lane has changed, and for a row of a matrix, when lanes are combined.
    summary : float
        Seconds of the calling process for what a lane tells it.
    slowdown : float
        How much longer training takes while all processors of this machine train.
    row, change : int
        Bytes of a row, and of a changed one with its number and its exposure.
    task, told, pull : int
        Bytes of what a lane and a block are told, and of what a lane tells the calling process.
    """

    plain: float
    word: float
    found: float
    used: float
    added: float
    combined: float
    summary: float
    slowdown: float
    row: int
    change: int
    task: int
    told: int
    pull: int


class Calls(NamedTuple):
    """Seconds of the calling process for a task of Ray, and for a part of what one returns."""

    task: float
    part: float


class EnoughSeen(Exception):
    """Ends a training after what was to be seen of it."""


class Meter(Here):
    """Calls functions in this process, and keeps what the last call of each was given, or the first one."""

    def __init__(self, first: bool) -> None:
        super().__init__(1)
        self.first = first
        self.given: dict[Callable[..., Any], tuple[Any, ...]] = {}

    def _call(self, call: Call) -> list[Handle]:
        self.given[call.function] = tuple(call.given())
        if self.first and call.function is train_lanes:
            raise EnoughSeen
        return super()._call(replace(call, function=partial(copied, call.function)))


def copied(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return a result that stays after the next call."""
    return copy.deepcopy(function(*arguments))


class Trained(NamedTuple):
    """What the lanes of a training are given: how they train, the last piece, arrays, blocks of matrices."""

    lane: Any
    task: Any
    of_text: dict[str, Any]
    blocks: tuple[Any, ...]
    meter: Meter

    @classmethod
    def on(cls, corpus: Any, until_first: bool = False, **settings: Any) -> "Trained":
        """Train on a text, all of it or until the first lane begins."""
        meter = Meter(until_first)
        with patch.object(clusters, "connect", lambda cluster, threads: meter), suppress(EnoughSeen):
            distributed.fit(SkipGram(**settings, epochs=1), corpus, lanes=LANES, cluster=1)
        lane, (task,), _, *arrays = meter.given[train_lanes]
        n = len(lane.arrays)
        return cls(lane, task, dict(zip(lane.arrays, arrays[:n], strict=True)), tuple(arrays[n:]), meter)

    def piece(self, begin: int, words: int) -> Any:
        """Return what a lane is to do in a round of other pieces, with the rows that these use."""
        every = max(in_rounds.CURVATURE_EVERY, LANES * words // in_rounds.CURVATURE_MOST)
        return self.task._replace(piece=[(begin, begin + words)], all_rows=False, curvature_every=every)

    def train_lane(self, task: Any) -> Any:
        """Be a lane."""
        return train_lanes(self.lane, [task], None, *self.of_text.values(), *self.blocks)

    def find_rows(self, task: Any) -> Any:
        """Find the rows that a lane uses."""
        return self.lane.find_rows(task, self.of_text)

    def pull(self) -> Any:
        """Return how the last block was moved."""
        return self.meter.given[combine_blocks][2]

    def n_rows(self, words: int) -> tuple[int, int]:
        """Return how many rows of inputs and outputs the first words use."""
        inputs, outputs = self.find_rows(self.piece(0, words)).rows
        return len(inputs), len(outputs)

    def matrices(self) -> dict[str, Any]:
        """Return copies of the matrices."""
        found = {}
        blocks = iter(self.blocks)
        for name in SIDES:
            firsts = self.lane.firsts[name]
            found[name] = padded_matrix(firsts[-1], self.lane.stride)
            found[name][:] = np.concatenate([next(blocks) for _ in firsts[1:]])
        return found

    def train(self, matrices: dict[str, Any], words: int) -> None:
        """Train on the first words without a lane."""
        kernels.get(self.lane.kernel).train(
            **self.lane.train,
            **self.of_text,
            **matrices,
            start=0,
            stop=words,
            learning_rate=self.task.learning_rate,
            key=self.task.key,
            loss_every=self.task.loss_every,
        )


def bytes_of(value: Any) -> int:
    """Return the bytes of the arrays and numbers in a value, of which those of names are left out."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, dict):
        value = list(value.values())
    return sum(map(bytes_of, value)) if isinstance(value, (list, tuple)) else 8


def seconds_of(function: Callable[..., object], *arguments: Any) -> float:
    """Return the least seconds of this thread that a function takes, after a first call that is not timed."""
    return min(_timed(function, *arguments) for _ in range(1 + REPEATS))


def _timed(function: Callable[..., object], *arguments: Any) -> float:
    started = time.thread_time()
    function(*arguments)
    return time.thread_time() - started


def shares(seconds: list[float], *amounts: list[float]) -> list[float]:
    """Return what one of each of two amounts takes: least squares of relative errors, none below 0."""
    relative, ones = np.transpose(amounts) / np.transpose([seconds]), np.ones(len(seconds))
    found = np.linalg.lstsq(relative, ones, rcond=None)[0]
    if (found < 0).any():  # then the other one takes all
        found = np.where(found < 0, 0, [float(of @ ones / (of @ of)) for of in relative.T])
    return [float(each) for each in found]


def slowdown(trained: Trained, words: int) -> float:
    """Return how much longer training takes if all processors train, each on matrices of its own."""
    n = os.cpu_count() or 1
    sets = [trained.matrices() for _ in range(n)]
    alone = seconds_of(trained.train, sets[0], words)
    with ThreadPoolExecutor(n) as pool:
        together = list(pool.map(partial(seconds_of, trained.train), sets, [words] * n))
    return max(1.0, max(together) / alone)


def rates_of(trained: Trained) -> Rates:
    """Time what lanes do."""
    words = [min(n, len(trained.of_text["ids"]) // 2) for n in PIECES]
    pieces = [trained.piece(0, n) for n in words]
    times = [seconds_of(trained.train_lane, piece) for piece in pieces]
    word, used = shares(times, words, [float(sum(trained.n_rows(n))) for n in words])
    found = seconds_of(trained.find_rows, pieces[-1]) / words[-1]
    plain = seconds_of(trained.train, trained.matrices(), words[-1]) / words[-1]
    added, combined = of_combining(trained, min(COMBINED, words[-1]))
    *changes, (summary,) = trained.train_lane(pieces[0])
    pull = trained.pull()
    sides = [(Side(trained.lane.stride, trained.lane.stride), name) for name in SIDES]

    def add() -> None:
        for side, name in sides:
            side.add(summary.curvatures[name], summary.weight)

    change = changes[0]
    return Rates(
        plain=plain,
        word=max(word - found, 0.0),
        found=found,
        used=used,
        added=added,
        combined=combined,
        summary=seconds_of(add),
        slowdown=slowdown(trained, words[-1]),
        row=trained.blocks[0][0].nbytes,
        change=round(bytes_of(change) / max(len(change.rows), 1)),
        task=bytes_of(pieces[0]._replace(guides=pull.directions[:4])),
        told=bytes_of(summary),
        pull=bytes_of(pull),
    )


def of_combining(trained: Trained, words: int) -> tuple[float, float]:
    """Return the seconds of combining for a row that a lane has changed, and for a row of the matrix.

    The latter has the balance in it, which is looked at once in some rounds.
    """
    lanes = [copied(trained.train_lane, trained.piece(n * words // LANES, words))[0] for n in range(LANES)]
    pull = trained.pull()
    block, numbers = trained.blocks[0], [LANES // 4, LANES // 2, LANES]
    times = [seconds_of(combine_blocks, [n + 3], 0, pull, block, *lanes[:n]) for n in numbers]
    n_added = [float(sum(len(own.rows) for own in lanes[:n])) for n in numbers]
    added, combined = shares(times, n_added, [float(len(block))] * len(numbers))
    guides = pull.directions[:4].copy()
    growth = np.zeros((len(guides), len(guides)), np.float32)
    balance = 2 * seconds_of(moments_of_blocks, [2], guides, block)
    balance += seconds_of(stretched_blocks, [5], guides, growth, 0, None, block)
    return added, combined + balance / PERIOD / len(block)


def calls() -> Calls:
    """Time what calling Ray takes: tasks that return parts, and others that take one of each."""

    def run(engine: Any, n: int, parts: int) -> float:
        started = time.process_time()  # of all threads: Ray's, too
        found = [engine.submit_parts("parts", parts, tuple, range(parts)) for _ in range(n)]
        engine.results([engine.submit("largest", max, *of_part) for of_part in zip(*found, strict=True)])
        return time.process_time() - started

    with connect("local") as engine:
        run(engine, *CALLS[0])  # until the workers are there
        times = [run(engine, *call) for call in CALLS]
    tasks = [float(n + parts) for n, parts in CALLS]
    return Calls(*shares(times, tasks, [float(n * parts) for n, parts in CALLS]))


def counted(trained: Trained, lengths: list[int]) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield lengths of pieces that the text has, and how many rows of inputs and outputs they use."""
    for words in lengths:
        if words <= len(trained.of_text["ids"]):
            yield words, trained.n_rows(words)
