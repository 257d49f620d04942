"""Trainings of a search, side by side, and the file that keeps what came of them."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastvec.corpus.resampling import part_of
from fastvec.formats.atomic import replacing
from fastvec.formats.places import on_disk
from fastvec.training.progress import warn
from fastvec.training.search import Proposal
from fastvec.training.side_by_side import SideBySide
from fastvec.training.spaces import Params
from fastvec.tuning.objectives import Objective

__all__ = ["Record", "Trainings", "Trial", "with_params"]

FORMAT = "fastvec autotune 1"


@dataclass(frozen=True)
class Trial:
    """A training with some parameters.

    Attributes
    ----------
    params : dict
        The parameters that were searched.
    seed : int
        Its seed.
    words : int
        How many words it was trained on: of a long text, candidates are first tried on a part.
    score : float
        The objective; NaN if training diverged, or if so many words were left out that none could be learned.
    seconds : float
        The time of the processor that training took.
    """

    params: Params
    seed: int
    words: int
    score: float
    seconds: float


class Record:
    """The trials of a search so far, in a file if there is one.

    Parameters
    ----------
    path : str or path-like, optional
        The file.
    resume : bool
        Whether to go on from the file, if it exists.
    about : mapping of str to str
        What scores depend on, by what it is called in errors.

    Raises
    ------
    OSError
        If the file cannot be read or written.
    TypeError, ValueError
        If it is no path, exists and is not to be resumed, is no such file or damaged, or of another search.
    """

    def __init__(self, path: str | os.PathLike[str] | None, resume: bool, about: Mapping[str, str]) -> None:
        self._path = None if path is None else _on_disk(path)
        self._about = dict(about)
        self._trials: dict[str, Trial] = {}
        self._seconds_before = 0.0
        self._began = time.perf_counter()
        if self._path is not None and self._path.exists():
            if not resume:
                raise ValueError(
                    f"checkpoint must be a new file unless resume is True, which goes on from it, got "
                    f"{self._path}"
                )
            self._read(self._path)
        self._write()

    @property
    def seconds(self) -> float:
        """How long the search has taken, with the time before it was resumed."""
        return self._seconds_before + time.perf_counter() - self._began

    def find(self, proposal: Proposal) -> Trial | None:
        """Return what came of a training, if it was done."""
        return self._trials.get(_key(proposal))

    def add(self, proposal: Proposal, trial: Trial) -> None:
        """Keep what came of a training; a warning says if the file cannot be written."""
        self._trials[_key(proposal)] = trial
        try:
            self._write()
        except OSError as error:
            warn(f"the checkpoint could not be written, the search continues: {error}")

    def _write(self) -> None:
        if self._path is None:
            return
        trials = {
            key: {**asdict(each), "score": None if math.isnan(each.score) else each.score}
            for key, each in self._trials.items()
        }
        document = {"format": FORMAT, "about": self._about, "seconds": self.seconds, "trials": trials}
        with replacing(self._path) as file:
            file.write_text(json.dumps(document, indent=1), encoding="utf-8")

    def _read(self, path: Path) -> None:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            is_ours = document["format"] == FORMAT
        except (ValueError, KeyError, TypeError, RecursionError):
            is_ours = False
        if not is_ours:
            raise ValueError(f"{path}: is not the checkpoint of an autotune")
        try:
            before = {name: document["about"].get(name) for name in self._about}
            self._seconds_before = float(document["seconds"])
            self._trials = {key: _trial(**fields) for key, fields in document["trials"].items()}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: the state of the search is damaged ({error!r})") from None
        for name, value in self._about.items():
            if before[name] != value:
                raise ValueError(
                    f"{path}: is of a search with another {name}: resume needs the same, {before[name]}, got "
                    f"{value}"
                )


def _on_disk(path: str | os.PathLike[str]) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"checkpoint must be a path, got {path!r}")
    return on_disk(path, "checkpoint")


def _trial(params: Params, seed: int, words: int, score: float | None, seconds: float) -> Trial:
    """Return a trial as the file has it."""
    return Trial(
        dict(params), int(seed), int(words), math.nan if score is None else float(score), float(seconds)
    )


def _key(proposal: Proposal) -> str:
    return json.dumps([proposal.params, proposal.size, proposal.run])


class Trainings:
    """Trainings of a model with other parameters, side by side, a thread each."""

    def __init__(self, model: Any, start: Params, objective: Objective, threads: int, record: Record) -> None:
        self._model = model
        self._start = start
        self._objective = objective
        self._threads = threads
        self._record = record

    def of(
        self, batch: Sequence[Proposal], is_over: Callable[[], bool], done: Callable[[], None]
    ) -> list[Trial | None]:
        """Train, and return what came of it; None where a training did not come to its end.

        Parameters
        ----------
        batch : sequence of Proposal
            What to train. What was done before is not done again.
        is_over : callable
            Returns whether to stop.
        done : callable
            Is called after each training.
        """
        self._side_by_side = SideBySide()
        trials = [self._record.find(proposal) for proposal in batch]
        numbers = [number for number, trial in enumerate(trials) if trial is None]
        left = iter(numbers)
        for _ in range(len(batch) - len(numbers)):
            done()

        def work() -> None:
            while (number := self._next(left)) is not None:
                trials[number] = self._train(number, batch[number])
                done()

        self._side_by_side.work(work, min(self._threads, len(numbers)), is_over)
        return trials

    def _next(self, left: Iterator[int]) -> int | None:
        with self._side_by_side.lock:
            return None if self._side_by_side.stopping else next(left, None)

    def _train(self, number: int, proposal: Proposal) -> Trial | None:
        model = with_params(self._model, proposal.params, self._for_one_thread(proposal.run))
        text = self._objective.training(proposal.params)
        if proposal.size < 1:
            text = part_of(text, proposal.size, self._model.seed, model.memory_limit)
        trainings = self._side_by_side
        with trainings.lock:
            if trainings.stopping:
                return None
            trainings.under_way[number] = model
        began = time.thread_time()
        failed = False
        try:
            model.fit(text)
        except FloatingPointError:
            failed = True
        except ValueError:  # the text is too short for such a subsample or min_count
            if proposal.params == self._start and not trainings.stopping:
                raise
            failed = True
        seconds = time.thread_time() - began
        with trainings.lock:
            del trainings.under_way[number]
        if trainings.stopping if failed else model.interrupted_:
            return None
        score = math.nan if failed else self._objective.score(model)
        trial = Trial(proposal.params, model.seed, text.n_tokens, score, seconds)
        with trainings.lock:
            self._record.add(proposal, trial)
        return trial

    def _for_one_thread(self, run: int) -> Params:
        limit = max(1, self._model.memory_limit // self._threads)
        return {
            "threads": 1,
            "seed": self._model.seed + run,
            "progress": False,
            "callbacks": (),
            "memory_limit": limit,
        }


def with_params(model: Any, *params: Params) -> Any:
    """Return an estimator like another one with other parameters, of which it takes those that it has."""
    own: Params = model.get_params()
    for each in params:
        own |= {name: value for name, value in each.items() if name in own}
    return type(model)(**own)
