"""Training in rounds of lanes, in this process, in others of this machine, or on a cluster."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property, partial
from itertools import accumulate, chain, pairwise, repeat
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import check_int
from fastvec.distributed.balance import SAMPLED, Balance
from fastvec.distributed.blocks import (
    Changes,
    Pull,
    combine_blocks,
    moment_of_block,
    moments_of_blocks,
    stretch_block,
    stretched_blocks,
)
from fastvec.distributed.calls import Handle
from fastvec.distributed.clusters import connect, connecting
from fastvec.distributed.directions import Side, pulls
from fastvec.distributed.engine import Engine
from fastvec.distributed.lanes import INPUTS, SIDES, Lane, Summary, Task, find_rows, train_lanes
from fastvec.distributed.rooms import Room
from fastvec.distributed.row_files import Range, combine_ranges, moments_of_ranges
from fastvec.distributed.storage import mapped_matrix, working_folder
from fastvec.distributed.used_rows import select_rows
from fastvec.models.words import WordModel
from fastvec.training.matrices import padded_matrix
from fastvec.training.rounds import Piece, Rounds
from fastvec.training.threads import Workers

__all__ = ["LANES", "check_lanes", "fit_in_rounds", "rounds_of"]

# How many there are unless a call says otherwise.
LANES = 16
# The bytes of a block of rows, which one call combines; the result depends on it.
BLOCK_BYTES = 1 << 24
# Blocks are combined by one call, where matrices are in files, as there are more than so many ranges of them.
RANGES = 32
# How many positions of a round the curvature is taken of: one in so many, but within these limits.
CURVATURE_EVERY, CURVATURE_LEAST, CURVATURE_MOST = 256, 512, 2048
# From how many words of a piece for each row on it takes all rows: which it uses takes longer to find out.
WORDS_PER_ROW = 2
# From how many words of a machine for each row on its workers are sent all of them.
WORDS_OF_MACHINE = 1

Model = TypeVar("Model", bound=WordModel)


def fit_in_rounds(
    model: Model,
    corpus: Any,
    lanes: int,
    rounds: int | None,
    lanes_per_worker: int,
    cluster: str | int | None,
    folder: str | os.PathLike[str] | None,
    **how: Any,
) -> Model:
    """Train a model of words in rounds of lanes; see `fit`, also for the arguments of the model's `fit`."""
    layout = check_lanes(model, lanes, rounds, lanes_per_worker)
    if folder is not None and layout.lanes == 1:
        raise ValueError(f"folder must be None for one lane, which trains in memory, got {folder!r}")
    if layout.lanes == 1:
        with connect(cluster):
            return model._fit(corpus, 1, None, **how)
    common = layout, model._loss().kernel, model.vector_size
    if folder is not None:
        with working_folder(folder) as place, connecting(cluster, threads=layout.per_worker) as connected:
            make = partial(mapped_matrix, place)
            of_files = partial(RoundsInFiles, connected, isinstance(cluster, str), *common)
            return model._fit(corpus, 1, of_files, make, **how)
    if cluster is None:
        return model._fit(corpus, 1, partial(RoundsHere, *common), **how)
    with connecting(cluster, threads=layout.per_worker) as connected:
        return model._fit(corpus, 1, partial(RoundsElsewhere, connected, *common), **how)


def rounds_of(lanes: int) -> int:
    """Return how many rounds an epoch has by default: as many lose nothing, and few lanes need fewer."""
    return min(4 * lanes, 64)


class Layout(NamedTuple):
    """How many lanes train, rounds an epoch has, and lanes a worker trains at once."""

    lanes: int
    rounds: int
    per_worker: int


def check_lanes(
    model: Any, lanes: int = LANES, rounds: int | None = None, lanes_per_worker: int = 1
) -> Layout:
    """Return the layout of lanes and rounds, after validating that a model can be trained so.

    Raises
    ------
    TypeError, ValueError
        If it cannot.
    """
    lanes = check_int("lanes", lanes, 1, 4096)
    rounds = rounds_of(lanes) if rounds is None else check_int("rounds", rounds, 1)
    per_worker = check_int("lanes_per_worker", lanes_per_worker, 1)
    if per_worker > lanes:
        raise ValueError(f"lanes_per_worker must be at most lanes, {lanes}, got {per_worker}")
    if not isinstance(model, WordModel):
        raise TypeError(f"model must be a SkipGram, CBOW, FastText or GloVe, got {model!r}")
    if lanes > 1 and (model.loss != "negative_sampling" or getattr(model, "position_weights", False)):
        raise ValueError(
            "model must have loss='negative_sampling', and no position_weights, to be trained in lanes, got "
            f"{model!r}: lanes=1, or fit of the model, train it on one machine"
        )
    if lanes > 1 and model.window is None:
        raise ValueError(
            "window must be an int to be trained in lanes, got None: lanes=1, or fit of the model, train on "
            "sentences as sets"
        )
    return Layout(lanes, rounds, per_worker)


class LaneRounds(Rounds):
    """Rounds of lanes that change two matrices.

    Parameters
    ----------
    layout : Layout
        How many lanes there are, rounds of an epoch, and lanes of a worker.
    kernel : str
        The module of `fastvec.kernels` that trains.
    d : int
        The length of rows, without padding.
    train_chunk : partial
        Its `train` with all arguments but those of a chunk: the padded matrices, arrays that stay as they
        are, and others.
    """

    def __init__(self, layout: Layout, kernel: str, d: int, train_chunk: partial[Any]) -> None:
        self.lanes, self.per_epoch, self.lanes_per_worker = layout
        arguments = dict(train_chunk.keywords)
        matrices = {name: arguments.pop(name) for name in SIDES}
        arrays = {
            name: arguments.pop(name)
            for name, value in train_chunk.keywords.items()
            if name in arguments and (name == "frozen" or isinstance(value, np.ndarray))
        }
        walk = {name: arguments[name] for name in ("window", "negatives", "dynamic_window")}
        walk["shared"] = arguments.get("shared", False)
        walk["cbow"] = arguments.get("cbow", kernel == "cbow")
        stride = matrices[INPUTS].shape[1]
        self._of_block = max(1, BLOCK_BYTES // (4 * stride))
        firsts = {name: bounds(len(matrix), self._of_block) for name, matrix in matrices.items()}
        self._lane = Lane(kernel, arguments, walk, tuple(arrays), firsts, stride)
        self._arrays = arrays
        self._matrices = matrices
        self._places = [(name, *ends) for name in SIDES for ends in pairwise(firsts[name])]
        self._sides = {name: Side(d, stride) for name in SIDES}
        self._balance = Balance(stride)
        self.state = {f"rounds.balance.{name}": array for name, array in vars(self._balance).items()}
        for name, side in self._sides.items():
            self.state[f"rounds.{name}.curvature"] = side.curvature
            self.state[f"rounds.{name}.weight"] = side.weight
            self.state[f"rounds.{name}.directions"] = side.directions

    def train(
        self, pieces: Sequence[Piece], learning_rate: float, key: int, loss_every: int
    ) -> list[tuple[float, int, int]]:
        """Let lanes train, and combine what they have changed."""
        n = sum(end - begin for piece in pieces for begin, end in piece)
        if not n:  # all is held out
            return []
        wanted = min(max(n // CURVATURE_EVERY, CURVATURE_LEAST), CURVATURE_MOST)
        every = max(1, n // wanted)
        balance = self._balance
        if balance.is_beginning:
            balance.choose(self._sides.values())
            balance.begin(self._moments(balance.guides.copy()))
        guides = balance.guides.copy()  # calls may still wait when others are chosen
        taken = [piece for piece in pieces if piece]
        all_rows = n >= WORDS_PER_ROW * len(taken) * len(self._matrices[INPUTS])
        of_round = learning_rate, key, loss_every, every, all_rows
        tasks = [
            Task(piece, *of_round, None if lane % SAMPLED else guides) for lane, piece in enumerate(taken)
        ]
        summaries = self._train([*self._of_workers(tasks)])
        for name, side in self._sides.items():
            side.fade()
            for summary in summaries:
                side.add(summary.curvatures[name], summary.weight)
        self._combine(pulls(self._sides, learning_rate))
        changes = [summary.balance for summary in summaries if summary.balance is not None]
        balance.add(changes, len(tasks))
        if balance.is_over:
            self._stretch(guides, balance.end(self._moments(guides)))
        return [loss for summary in summaries for loss in summary.losses]

    def _of_workers(self, tasks: Sequence[Task]) -> Iterator[Sequence[Task]]:
        """Yield what a worker is to do at once."""
        for first in range(0, len(tasks), self.lanes_per_worker):
            yield tasks[first : first + self.lanes_per_worker]

    @abstractmethod
    def _train(self, of_workers: Sequence[Sequence[Task]]) -> list[Summary]:
        """Let lanes train on pieces, those of workers at once, each from the matrices as they are."""

    @abstractmethod
    def _combine(self, pulls: dict[str, Pull]) -> None:
        """Move the rows of each matrix by what the lanes have changed, in their order."""

    def _moments(self, guides: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
        """Return the second moment of each matrix along some directions, added up block by block."""
        moments = {name: np.zeros((len(guides), len(guides))) for name in SIDES}
        if guides.any():
            for (name, _, _), moment in zip(self._places, self._moments_of_blocks(guides), strict=True):
                moments[name] += moment
        return moments

    @abstractmethod
    def _moments_of_blocks(self, guides: NDArray[np.float32]) -> list[NDArray[np.float64]]:
        """Return the second moment of each block."""

    @abstractmethod
    def _stretch(self, guides: NDArray[np.float32], growths: dict[str, NDArray[np.float32]]) -> None:
        """Let the rows of each matrix grow along some directions, except those that are frozen."""

    def _stretch_in_place(self, guides: NDArray[np.float32], growths: dict[str, NDArray[np.float32]]) -> None:
        for name, begin, end in self._places:
            frozen = self._arrays["frozen"] if name == INPUTS else None
            stretch_block(guides, growths[name], begin, frozen, self._matrices[name][begin:end])


def bounds(n_rows: int, at_once: int) -> list[int]:
    """Return the first of so many rows at a time, and how many there are."""
    return [*range(0, n_rows, at_once), n_rows]


class RoundsHere(LaneRounds):
    """Rounds whose lanes train in this process, one after the other, or in threads.

    A single one trains on the matrices themselves, and puts the rows back that it has changed.
    """

    def __init__(self, *common: Any) -> None:
        super().__init__(*common)
        self._room = Room()
        self._copies, self._sums = (
            {name: padded_matrix(*matrix.shape) for name, matrix in self._matrices.items()} for _ in range(2)
        )
        self._counts = {name: np.zeros((len(matrix), 2)) for name, matrix in self._matrices.items()}

    def at_work(self) -> AbstractContextManager[None]:
        """Nothing is to be prepared."""
        return nullcontext()

    def _train(self, of_workers: Sequence[Sequence[Task]]) -> list[Summary]:
        train = self._train_lane if self.lanes_per_worker == 1 else self._train_in_threads
        return [summary for tasks in of_workers for summary in train(*tasks)]

    def _train_in_threads(self, *tasks: Task) -> list[Summary]:
        blocks = [self._matrices[name][begin:end] for name, begin, end in self._places]
        *changes, summaries = train_lanes(self._lane, tasks, None, *self._arrays.values(), *blocks)
        with Workers(self.lanes_per_worker) as workers:
            workers.each(self._add, [*zip(self._places, changes, strict=True)])
        return [*summaries]

    def _add(self, place: tuple[str, int, int], changes: Changes) -> None:
        name, *_ = place
        kernels.get("rounds").add(*changes, 0, self._sums[name], self._counts[name])

    def _train_lane(self, task: Task) -> list[Summary]:
        kernel, lane = kernels.get("rounds"), self._lane
        used = lane.find_rows(task, self._arrays).rows
        for name, rows in zip(SIDES, used, strict=True):
            kernel.take(self._matrices[name], 0, rows, self._copies[name])
        moved, exposures, summary = lane.train_on(task, used, self._arrays, self._matrices, self._room)
        for name, rows, own in zip(SIDES, moved, exposures, strict=True):
            kernel.withdraw(
                self._matrices[name], rows, own, self._copies[name], self._sums[name], self._counts[name]
            )
        return [summary]

    def _combine(self, pulls: dict[str, Pull]) -> None:
        def move(name: str, begin: int, end: int) -> None:
            matrix, sums, counts = self._matrices[name], self._sums[name], self._counts[name]
            pulls[name].move(matrix[begin:end], sums[begin:end], counts[begin:end])

        with Workers(self.lanes_per_worker) as workers:
            workers.each(move, self._places)

    def _moments_of_blocks(self, guides: NDArray[np.float32]) -> list[NDArray[np.float64]]:
        def moment(place: tuple[str, int, int]) -> NDArray[np.float64]:
            name, begin, end = place
            return moment_of_block(guides, self._matrices[name][begin:end])

        with Workers(self.lanes_per_worker) as workers:
            return [*workers.in_order(moment, self._places)]

    def _stretch(self, guides: NDArray[np.float32], growths: dict[str, NDArray[np.float32]]) -> None:
        self._stretch_in_place(guides, growths)


class CalledRounds(LaneRounds):
    """Rounds whose lanes are calls of an engine.

    Parameters
    ----------
    connected : callable
        It waits for the engine, and returns it. There is time until the first round.
    common : object
        The arguments of `LaneRounds`.
    """

    def __init__(self, connected: Callable[[], Engine], *common: Any) -> None:
        super().__init__(*common)
        self._connected = connected

    @property
    def _engine(self) -> Engine:
        return self._connected()

    @cached_property
    def _shared(self) -> dict[str, Handle | None]:
        """The arrays that stay as they are."""
        return {
            name: None if array is None else self._engine.share(array) for name, array in self._arrays.items()
        }

    def _call_lanes(
        self, of_workers: Sequence[Sequence[Task]], given: Iterable[tuple[Any, Sequence[Any]]]
    ) -> tuple[list[list[Handle]], list[Summary]]:
        """Let lanes train; return handles of what they change, and summaries.

        Each worker is given the rows that its lanes use, if they were found before, and parts of matrices.
        """
        calls = zip(self._names(of_workers), of_workers, given, strict=False)
        arrays = self._shared.values()
        found = [
            self._call(f"train {lanes}", len(parts) + 1, train_lanes, tasks, used, *arrays, *parts)
            for lanes, tasks, (used, parts) in calls
        ]
        summaries = self._engine.results([of_worker[-1] for of_worker in found])
        return found, [summary for of_worker in summaries for summary in of_worker]

    def _call(
        self, name: str, parts: int, function: Callable[..., Any], tasks: Sequence[Task], *arguments: Any
    ) -> list[Handle]:
        """Call a function of lanes."""
        size = sum(task.n_words for task in tasks)
        return self._engine.submit_parts(name, parts, function, self._lane, tasks, *arguments, size=size)

    @staticmethod
    def _names(of_workers: Sequence[Sequence[Task]]) -> Iterator[str]:
        """Yield the lanes of each worker, as errors and Ray's dashboard name them."""
        ends = accumulate(map(len, of_workers), initial=0)
        for before, last in pairwise(ends):
            yield f"lane {last}" if last == before + 1 else f"lanes {before + 1} to {last}"

    def _call_each(
        self,
        verb: str,
        function: Callable[..., Any],
        places: Sequence[tuple[str, int, int]],
        arguments: Sequence[tuple[Any, ...]],
    ) -> list[Handle]:
        """Call a function of several parts of the matrices, so many at once that no thread is idle."""
        found, at_once = [], 1 if self._engine.packs else self.lanes_per_worker
        for first in range(0, len(places), at_once):
            name, begin, end = places[first]
            own = arguments[first : first + at_once]
            others = "" if len(own) == 1 else f", and {len(own) - 1} more"
            found += self._engine.submit_parts(
                f"{verb} rows {begin} to {end} of {name}{others}",
                len(own),
                function,
                [*map(len, own)],
                *chain.from_iterable(own),
                threads=len(own),
            )
        return found


class RoundsElsewhere(CalledRounds):
    """Rounds whose lanes are calls, on matrices that are their arguments and results."""

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Share the matrices, in blocks; afterwards, gather them."""
        self._blocks = [self._engine.share(rows) for rows in self._rows()]
        try:
            yield
            for rows, found in zip(self._rows(), self._engine.results(self._blocks), strict=True):
                rows[:] = found
        finally:
            self._blocks = []

    def _rows(self) -> list[NDArray[np.float32]]:
        """Return the rows of each block."""
        return [self._matrices[name][begin:end] for name, begin, end in self._places]

    def _train(self, of_workers: Sequence[Sequence[Task]]) -> list[Summary]:
        given = self._select(of_workers) if self._are_few(of_workers) else repeat((None, self._blocks))
        self._found, summaries = self._call_lanes(of_workers, given)
        return summaries

    def _are_few(self, of_workers: Sequence[Sequence[Task]]) -> bool:
        """Return whether the rows that lanes use are fewer than all, which a machine is sent once."""
        n, machines = sum(task.n_words for task in chain(*of_workers)), self._engine.machines
        return machines > 1 and n < WORDS_OF_MACHINE * machines * len(self._matrices[INPUTS])

    def _select(self, of_workers: Sequence[Sequence[Task]]) -> list[tuple[Handle, Sequence[Handle]]]:
        """Find the rows that the lanes of each worker use; return them, and what is selected of blocks."""
        n, arrays = len(self._places), self._shared.values()
        found = [
            self._call(f"find rows of {lanes}", n + 1, find_rows, tasks, *arrays)
            for lanes, tasks in zip(self._names(of_workers), of_workers, strict=True)
        ]
        selected = [
            self._engine.submit_parts(
                f"select rows {begin} to {end} of {name}", len(found), select_rows, begin, *block, threads=1
            )
            for (name, begin, end), *block in zip(self._places, self._blocks, *found, strict=False)
        ]
        return [(used, own) for (*_, used), own in zip(found, zip(*selected, strict=True), strict=True)]

    def _combine(self, pulls: dict[str, Pull]) -> None:
        arguments = [
            (begin, pulls[name], *of_block)
            for (name, begin, _), *of_block in zip(self._places, self._blocks, *self._found, strict=False)
        ]
        self._blocks = self._call_each("combine", combine_blocks, self._places, arguments)
        self._found = []

    def _moments_of_blocks(self, guides: NDArray[np.float32]) -> list[NDArray[np.float64]]:
        arguments = [(guides, block) for block in self._blocks]
        return self._engine.results(self._call_each("look at", moments_of_blocks, self._places, arguments))

    def _stretch(self, guides: NDArray[np.float32], growths: dict[str, NDArray[np.float32]]) -> None:
        arguments = [
            (guides, growths[name], begin, self._shared["frozen"] if name == INPUTS else None, block)
            for (name, begin, _), block in zip(self._places, self._blocks, strict=True)
        ]
        self._blocks = self._call_each("balance", stretched_blocks, self._places, arguments)


class RoundsInFiles(CalledRounds):
    """Rounds whose lanes are calls, on matrices in mapped files.

    Blocks are the same as in memory, so that the results are. What has to do with some neighbouring ones is
    one call.

    Parameters
    ----------
    connected : callable
        As for `CalledRounds`.
    elsewhere : bool
        Whether that may be on another machine, which sees of a file what has reached its disk.
    common : object
        The arguments of `LaneRounds`.
    """

    def __init__(self, connected: Callable[[], Engine], elsewhere: bool, *common: Any) -> None:
        super().__init__(connected, *common)
        self._elsewhere = elsewhere
        self._ranges: list[tuple[str, Range]] = []
        firsts = {}
        for name, matrix in self._matrices.items():
            n_blocks = -(-len(matrix) // self._of_block)
            firsts[name] = bounds(len(matrix), -(-n_blocks // RANGES) * self._of_block)
            path = str(matrix.filename)
            self._ranges += [
                (name, Range(path, self._lane.stride, *ends, self._of_block))
                for ends in pairwise(firsts[name])
            ]
        self._lane = self._lane._replace(firsts=firsts)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let the files be complete, which are then what the matrices have become."""
        self._finish_writing()
        yield

    def _finish_writing(self) -> None:
        if self._elsewhere:
            for matrix in self._matrices.values():
                matrix.flush()

    def _train(self, of_workers: Sequence[Sequence[Task]]) -> list[Summary]:
        ranges = [rows for _, rows in self._ranges]
        self._found, summaries = self._call_lanes(of_workers, repeat((None, ranges)))
        return summaries

    def _combine(self, pulls: dict[str, Pull]) -> None:
        """Write what has moved, when no lane can be called again that reads what was there before."""
        arguments = [
            (rows, pulls[name], *changes)
            for (name, rows), *changes in zip(self._ranges, *self._found, strict=False)
        ]
        moved = self._engine.results(self._call_ranges("combine", combine_ranges, arguments))
        self._found = []
        for (name, _), own in zip(self._ranges, moved, strict=True):
            self._matrices[name][own.rows] = own.vectors
        self._finish_writing()

    def _moments_of_blocks(self, guides: NDArray[np.float32]) -> list[NDArray[np.float64]]:
        arguments = [(guides, rows) for _, rows in self._ranges]
        found = self._engine.results(self._call_ranges("look at", moments_of_ranges, arguments))
        return [moment for of_range in found for moment in of_range]

    def _call_ranges(
        self, verb: str, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
    ) -> list[Handle]:
        places = [(name, rows.begin, rows.end) for name, rows in self._ranges]
        return self._call_each(verb, function, places, arguments)

    def _stretch(self, guides: NDArray[np.float32], growths: dict[str, NDArray[np.float32]]) -> None:
        self._stretch_in_place(guides, growths)
        self._finish_writing()
