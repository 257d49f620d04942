"""The training loop of all estimators: epochs, chunks, learning rate, early stopping, progress, interruption.

An epoch visits every position once: the tokens of a corpus, the entries of counts, documents or examples. It
is cut into chunks, visited from beginning to end or in a random order. Threads take them in turn and hand
each to a kernel, which works without the GIL and changes the matrices in place, without locks (Hogwild: Niu,
Recht, Ré and Wright 2011; only GloVe's tiles wait for each other), or to a network, whose chunks are its
mini-batches. Or all threads take every chunk together, as a team (``team.py``), or many chunks are trained on
at once, on several machines perhaps (``rounds.py``). A chunk's learning rate follows from its turn, a
kernel's random numbers from (seed, epoch, position), so that what is drawn does not depend on the number of
threads; with one thread, a team, or in rounds, the result is the same run after run.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.training import signals
from fastvec.training.checkpoints import Checkpoints, Position, exact_parts
from fastvec.training.copies import Copies
from fastvec.training.held_out import HeldOut, TrainChunk
from fastvec.training.pauses import Pauses
from fastvec.training.progress import Progress, warn
from fastvec.training.rounds import Rounds, pieces_of
from fastvec.training.team import Team
from fastvec.training.threads import Workers

__all__ = ["CHUNK", "EarlyStopping", "Epoch", "Schedule", "Stoppable", "TrainChunk", "train"]

# Tokens handed to a kernel at once: a millisecond or two of work, so that the interpreter's share is small
# and Ctrl-C is answered at once.
CHUNK = 8192
# Windows that the running loss is taken of, at least: enough for three digits, too few to cost anything.
LOSS_SAMPLE = 1 << 13
# How many times as high as before, and as 1, the loss of an epoch is where training diverges. Trainings at a
# learning rate which is too large but still learns are below: the highest seen was 2.6, of a classifier of
# two classes. Where they do not learn, it is tens to billions of times as high.
RISE = 4
# Seconds between two looks at the progress.
SHOW_EVERY = 0.1


@dataclass(frozen=True)
class Epoch:
    """Record of one pass over a corpus, counts, documents or examples.

    Attributes
    ----------
    epoch : int
        Number of the epoch, from 1; continued training continues the numbering.
    loss : float
        For models of words, mean loss per pair, of words that are held out: about one in 1,000 of a text's
        (1,024 to 16,384), as whole sentences if these are not too long. They are never trained on, and scored
        after the epoch, with the same windows and noise words each time, so that the losses of one kind of
        model on one text can be compared between epochs, seeds and numbers of threads. A text of fewer than
        131,072 words holds nothing out: its loss is that of a sample of the text itself, scored alike. If
        subsampling leaves no pair in what is scored, it is the loss during the epoch, of what is trained on.

        For GloVe, the mean cost of all entries of the counts, each taken just before its update; none is held
        out, since it would be missing from what is fitted. For classifiers, the mean cost of the
        mini-batches, each before its step, including penalties, or for `TextClassifier` that of a sample of
        the documents. It is of examples that are trained on, with parameters that change meanwhile;
        `validation_score` is not.
    learning_rate : float
        Learning rate at the end; for classifiers, at the start.
    pairs : int
        Number of (centre, context) pairs, of windows for CBOW, of entries of the counts for GloVe, or of
        examples for classifiers.
    seconds : float
        Duration, without the scoring of what is held out.
    words_per_second : float, optional
        Words of the corpus per second, including those dropped by `min_count` and `subsample`; None for
        GloVe, which trains on counts, and for classifiers.
    validation_score : float, optional
        Score of a classifier on the validation part with early stopping: accuracy, or for regression minus
        the mean cost.
    """

    epoch: int
    loss: float
    learning_rate: float
    pairs: int
    seconds: float
    words_per_second: float | None = None
    validation_score: float | None = None

    @property
    def pairs_per_second(self) -> float:
        """What `pairs` counts, per second."""
        return self.pairs / self.seconds

    @property
    def examples(self) -> int:
        """`pairs` of a classifier: the number of examples."""
        return self.pairs


@dataclass(frozen=True)
class Schedule:
    """Epochs, learning rate and threads of a training.

    The learning rate falls linearly from `learning_rate` to `min_learning_rate` over all epochs. Threads take
    `chunk` positions at a time, with `shuffle` in another order every epoch. `epochs_before` is how many
    epochs earlier training had, whose random numbers are not drawn again; `seed` is None where the loop's are
    not used. `unit` says what a position is: "words", "entries", "documents" or "examples". `untrained_loss`
    is that of a model that has learned nothing, `may_rise` whether a loss that rises far is no error, and
    `with_params` names what else makes steps large, for errors.
    """

    n_positions: int
    epochs: int
    learning_rate: float
    min_learning_rate: float
    threads: int
    seed: int | None
    chunk: int = CHUNK
    shuffle: bool = False
    epochs_before: int = 0
    unit: str = "words"
    untrained_loss: float = math.inf
    may_rise: bool = False
    with_params: str = ""

    def learning_rate_at(self, epoch: int, visited: int) -> float:
        """Return the learning rate when so many positions of `epoch`, counted from 0, have been visited."""
        done = (epoch + visited / self.n_positions) / self.epochs
        return self.learning_rate + (self.min_learning_rate - self.learning_rate) * done

    def key(self, epoch: int) -> int:
        """Return where the random sequence of an epoch starts."""
        if self.seed is None:
            return 0
        entropy = [self.seed, self.epochs_before + epoch]
        return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0])

    def starts(self, epoch: int) -> Sequence[int]:
        """Return where the chunks of an epoch start, in the order in which they are visited.

        A last chunk that is shorter than the others stays the last.
        """
        in_text = range(0, self.n_positions, self.chunk)
        if not self.shuffle:
            return in_text
        n_whole = self.n_positions // self.chunk
        order = np.random.default_rng(self.key(epoch)).permutation(n_whole)
        return [*(order * self.chunk).tolist(), *in_text[n_whole:]]

    def number(self, epoch: int) -> int:
        """Return the number of an epoch, from 1 on, including earlier training."""
        return self.epochs_before + epoch + 1


class EarlyStopping:
    """The end of a training whose score does not improve, with the parameters of its best epoch.

    Parameters
    ----------
    score : callable
        Returns the score on what is held out, of the parameters as they are.
    keep, restore : callable
        Return a copy of the parameters, and put one back in its place.
    patience : int
        Epochs without a better score after which the training ends.
    """

    def __init__(
        self,
        score: Callable[[], float],
        keep: Callable[[], Any],
        restore: Callable[[Any], None],
        patience: int,
    ) -> None:
        self.score = score
        self.keep = keep
        self.restore = restore
        self.patience = patience
        self.best = -math.inf
        self.best_parameters: Any = None
        self.waited = 0

    def look(self) -> float:
        """Score this epoch and keep its parameters if they are the best."""
        with np.errstate(over="ignore", invalid="ignore"):
            score = self.score()
        self.waited += 1
        if score > self.best:
            self.best, self.best_parameters, self.waited = score, self.keep(), 0
        return score

    def is_over(self) -> bool:
        """Return whether the training should end."""
        return self.waited >= self.patience

    def use_the_best(self) -> None:
        """Put the best parameters back."""
        if self.best_parameters is not None:
            self.restore(self.best_parameters)


class Stoppable:
    """An estimator whose training can be asked to end."""

    _stopping = False  # again when `fit` begins

    def stop(self) -> None:
        """End the training that is under way, from another thread or a callback, and keep what was learned.

        It ends after the current chunks or mini-batch, some milliseconds of work, as after Ctrl-C but without
        a warning: `fit` returns, and `interrupted_` is True. Without a training under way, nothing happens.
        """
        self._stopping = True


def train(
    train_chunk: TrainChunk | None,
    schedule: Schedule,
    parameters: tuple[NDArray[np.float32], ...],
    *,
    held_out: HeldOut | None = None,
    early_stopping: EarlyStopping | None = None,
    progress: bool = False,
    before_epoch: Callable[[int, int], None] | None = None,
    after_epoch: Callable[[Epoch], bool | None],
    stop: Callable[[], bool] = lambda: False,
    checkpoints: Checkpoints | None = None,
    pauses: Pauses | None = None,
    crew: Copies | Team | Rounds | None = None,
) -> bool:
    """Train for the epochs of a schedule and return whether a signal or `stop` ended it early.

    The calling thread is one of those that train, so that with a single one, all is done in it.

    Parameters
    ----------
    train_chunk : callable, optional
        Trains on one chunk, see `TrainChunk`; without it, rounds train, and nothing is held out.
    schedule : Schedule
        Epochs and learning rate.
    parameters : tuple of ndarray
        The parameters to train; checked for NaN and infinity.
    held_out : HeldOut, optional
        What the loss of an epoch is taken of. Without it, or if there is no pair in it, it is the running
        loss: of positions that are trained on, just before they are.
    early_stopping : EarlyStopping, optional
        Ends the training early.
    progress : bool
        Whether to show a bar.
    before_epoch : callable, optional
        Called with the key of every epoch, and the position at which it starts.
    after_epoch : callable
        Called with the record of every epoch, including an interrupted one; returns True to end
        training.
    stop : callable
        Returns True to end training after the current chunks.
    checkpoints : Checkpoints, optional
        Where to start, and when to keep the state.
    pauses : Pauses, optional
        When callbacks look at what was learned within an epoch.
    crew : Copies, Team or Rounds, optional
        What threads have of their own, or the threads if they take every chunk together; these are all there
        are then. Or who trains on many chunks at once; there is one thread then.

    Raises
    ------
    FloatingPointError
        If training diverges: the parameters become NaN or infinite, or the loss rises far.
    """
    checkpoints = checkpoints or Checkpoints()
    pauses = pauses or Pauses([], lambda callback: None, schedule.unit)
    start = checkpoints.start
    n = schedule.n_positions
    done = start.epoch * n + min(start.chunks * schedule.chunk, n)
    # What was learned of something else may be worse here than nothing: the first epoch shows.
    untrained_loss = math.inf if schedule.epochs_before else schedule.untrained_loss
    lowest = min(untrained_loss, start.lowest_loss)
    score, ended_early = "", False
    with (
        Progress("epoch", schedule.epochs * n, f" {schedule.unit}", progress, done) as bar,
        signals.set_a_flag() as interrupted,
        Workers(schedule.threads) as workers,
    ):

        def stopping() -> bool:
            return interrupted.is_set() or workers.stopped.is_set() or stop()

        for epoch in range(start.epoch, schedule.epochs):
            bar.describe(f"epoch {schedule.number(epoch)}/{schedule.number(schedule.epochs - 1)}")
            position = start if epoch == start.epoch else Position(epoch, lowest_loss=lowest)
            run = _run_of(crew)(train_chunk, schedule, position, stopping, held_out, score, crew)
            pauses.begin_epoch(epoch * n + run.done)
            if before_epoch is not None:
                before_epoch(run.key, run.next_position)
            while True:
                started = time.perf_counter()
                seconds_left = min(checkpoints.seconds_left(), pauses.seconds_left())
                run.begin(started + seconds_left, pauses.next_position() - epoch * n)
                with run.crew_at_work():
                    others = [workers.submit(run.work, thread) for thread in range(1, schedule.threads)]
                    run.work(0, bar)
                    for other in others:
                        other.result()
                run.seconds += time.perf_counter() - started
                _check_finite(run, parameters, schedule)
                if run.is_complete() or stopping():
                    break
                if checkpoints.seconds_left() <= 0:
                    checkpoints.write(run.position())
                pauses.reach(schedule.number(epoch), epoch * n + run.done, run.running_loss(), bar.above)
                pauses.take()
            lowest = _check_loss(run, lowest, schedule)
            if not run.is_complete():
                checkpoints.write(run.position())
            record = run.record(None if early_stopping is None else early_stopping.look())
            if record.validation_score is not None:
                score = run.score = f", held out {record.validation_score:.4f}"
            run.show(bar)
            bar.line(
                f"loss {record.loss:.4f}{score}, learning rate {record.learning_rate:.4g}, "
                f"{run.done / run.seconds:,.0f} {schedule.unit}/s, {run.seconds:,.1f} s"
            )
            pauses.reach(record.epoch, epoch * n + run.done, record.loss, bar.above)
            is_over = bool(after_epoch(record)) or (early_stopping is not None and early_stopping.is_over())
            complete = run.is_complete()
            finished = complete and (is_over or epoch + 1 == schedule.epochs)
            if complete and (finished or stopping() or checkpoints.is_due_after(epoch + 1)):
                checkpoints.write(Position(epoch + 1, lowest_loss=lowest), finished)
            was_interrupted = interrupted.is_set()
            if was_interrupted:
                warn(
                    f"training was interrupted in epoch {schedule.number(epoch)} of "
                    f"{schedule.number(schedule.epochs - 1)}; what was learned is kept"
                )
            if finished or stopping():
                ended_early = was_interrupted or not finished
                break
    if early_stopping is not None:
        early_stopping.use_the_best()
    return ended_early


def _run_of(crew: Copies | Team | Rounds | None) -> type[_EpochRun]:
    if isinstance(crew, Rounds):
        return _RoundsRun
    return _TeamRun if isinstance(crew, Team) else _EpochRun


class _EpochRun:
    """One epoch from a position on, as its threads share it."""

    def __init__(
        self,
        train_chunk: TrainChunk | None,
        schedule: Schedule,
        start: Position,
        stopping: Callable[[], bool],
        held_out: HeldOut | None,
        score: str,
        crew: Copies | Team | Rounds | None,
    ) -> None:
        self.train_chunk: Any = train_chunk
        self.schedule = schedule
        self.epoch = start.epoch
        self.stopping = stopping
        self.held_out = held_out
        self.score = score
        self.crew: Any = crew
        self.starts = schedule.starts(start.epoch)
        self.key = schedule.key(start.epoch)
        every = max(1, schedule.n_positions // LOSS_SAMPLE)
        self.loss_every = 1 << (every.bit_length() - 1)
        self.next_position = start.chunks * schedule.chunk
        self.done = min(self.next_position, schedule.n_positions)
        self.losses = list(start.losses)
        self.diverged = False
        self.sampled_pairs = start.sampled_pairs
        self.pairs = start.pairs
        self.seconds = start.seconds
        self.lowest_loss = start.lowest_loss
        self.shown = -math.inf
        self.lock = threading.Lock()

    def begin(self, until: float, until_position: float) -> None:
        """Make ready for threads to work, until this time of the performance counter or this position."""
        self.until = until
        self.until_position = until_position
        self.begun_at = self.next_position

    def crew_at_work(self) -> AbstractContextManager[None]:
        """Let those that are to work be ready."""
        return nullcontext() if self.crew is None else self.crew.at_work()

    def work(self, thread: int, bar: Progress | None = None) -> None:
        """Train on chunks, at least on one, until none is left, it is late, or the training is to stop.

        One of the threads shows a bar.
        """
        while (visited := self._take(thread)) is not None:
            self._train_on(visited, thread)
            now = time.perf_counter()
            if bar is not None and now - self.shown >= SHOW_EVERY:
                self.shown = now
                self.show(bar)

    def show(self, bar: Progress) -> None:
        if bar.shown:
            rate = self.schedule.learning_rate_at(self.epoch, self.done)
            bar.note(f"learning rate {rate:.4f}, loss {self.running_loss():.4f}{self.score}")
            bar.update(self.epoch * self.schedule.n_positions + self.done - bar.n)

    def is_complete(self) -> bool:
        return self.done == self.schedule.n_positions

    def position(self) -> Position:
        """Return how far the epoch has come; no thread is working."""
        return Position(
            epoch=self.epoch,
            chunks=self.next_position // self.schedule.chunk,
            losses=exact_parts(self.losses),
            sampled_pairs=self.sampled_pairs,
            pairs=self.pairs,
            seconds=self.seconds,
            lowest_loss=self.lowest_loss,
        )

    def running_loss(self) -> float:
        """Return the mean loss so far, which does not depend on the order in which the chunks were done."""
        return math.fsum(self.losses) / self.sampled_pairs if self.sampled_pairs else math.nan

    def record(self, validation_score: float | None) -> Epoch:
        loss = math.nan if self.held_out is None else self.held_out.loss(self.train_chunk)
        classifies = self.schedule.unit in ("documents", "examples")
        return Epoch(
            epoch=self.schedule.number(self.epoch),
            loss=self.running_loss() if math.isnan(loss) else loss,
            learning_rate=self.schedule.learning_rate_at(self.epoch, 0 if classifies else self.done),
            pairs=self.pairs,
            seconds=self.seconds,
            words_per_second=self.done / self.seconds if self.schedule.unit == "words" else None,
            validation_score=validation_score,
        )

    def _take(self, thread: int) -> int | None:
        """Return how many positions come before the next chunk, or None if there is nothing more to do."""
        with self.lock:
            visited = self.next_position
            if visited >= self.schedule.n_positions or self._should_stop():
                return None
            self.next_position += self.schedule.chunk
            return visited

    def _should_stop(self) -> bool:
        is_late = time.perf_counter() >= self.until or self.next_position >= self.until_position
        return (is_late and self.next_position > self.begun_at) or self.diverged or self.stopping()

    def _train_on(self, visited: int, thread: int) -> None:
        for result in self._results(visited, thread):
            self._add(*result)
        self._add_done(visited)

    def _results(self, visited: int, thread: int) -> Iterator[tuple[float, int, int]]:
        """Train on the parts of a chunk."""
        arguments = {} if self.crew is None else self.crew.arguments(thread)
        for begin, end in self._parts(visited):
            yield self.train_chunk(
                start=begin,
                stop=end,
                learning_rate=self.schedule.learning_rate_at(self.epoch, visited),
                key=self.key,
                loss_every=self.loss_every,
                **arguments,
            )

    def _add(self, loss: float, sampled_pairs: int, pairs: int) -> None:
        with self.lock:
            self.losses.append(loss)
            self.diverged |= not math.isfinite(loss)
            self.sampled_pairs += sampled_pairs
            self.pairs += pairs

    def _add_done(self, visited: int) -> None:
        with self.lock:
            self.done += min(self.schedule.chunk, self.schedule.n_positions - visited)

    def _parts(self, visited: int) -> Iterable[tuple[int, int]]:
        """Return where the parts of a chunk that are trained on begin and end."""
        start = self.starts[visited // self.schedule.chunk]
        return self._trained_on(start, start + self.schedule.chunk)

    def _trained_on(self, start: int, stop: int) -> Iterable[tuple[int, int]]:
        """Return the parts of [start, stop) that are there and trained on."""
        stop = min(stop, self.schedule.n_positions)
        return [(start, stop)] if self.held_out is None else self.held_out.without(start, stop)


class _TeamRun(_EpochRun):
    """An epoch whose threads take every chunk together.

    All go through the same chunks, and wait for each other at the end of each, in the kernel. The first one
    alone says which is the last, and keeps the record.
    """

    crew: Team

    def begin(self, until: float, until_position: float) -> None:
        super().begin(until, until_position)
        self.last = self.schedule.n_positions
        self.next_positions = [self.next_position] * len(self.crew.members)

    def _take(self, thread: int) -> int | None:
        visited = self.next_positions[thread]
        if thread == 0:
            # Decided before the last chunk, which the others do not finish without this thread; one of which
            # nothing is trained on they would.
            self.next_position = visited
            if visited < self.last and self._should_stop() and any(self._parts(visited)):
                self.last = min(self.last, visited + self.schedule.chunk)
        if visited >= self.last or self.crew.is_abandoned:
            return None
        self.next_positions[thread] += self.schedule.chunk
        return visited

    def _train_on(self, visited: int, thread: int) -> None:
        for result in self._results(visited, thread):
            if thread == 0:
                self._add(*result)
        if thread == 0:
            self._add_done(visited)

    def work(self, thread: int, bar: Progress | None = None) -> None:
        try:
            super().work(thread, bar)
        except BaseException:
            self.crew.abandon()
            raise


class _RoundsRun(_EpochRun):
    """An epoch in rounds, each of which is trained on as a whole; before the first one, chunk by chunk."""

    crew: Rounds

    def begin(self, until: float, until_position: float) -> None:
        n = self.schedule.n_positions
        self.first_round = self.crew.n_before(n * self.schedule.epochs) - self.epoch * n
        self.in_rounds = self.next_position >= self.first_round
        super().begin(until, until_position if self.in_rounds else min(until_position, self.first_round))

    def crew_at_work(self) -> AbstractContextManager[None]:
        return super().crew_at_work() if self.in_rounds else nullcontext()

    def _take(self, thread: int) -> int | None:
        visited = super()._take(thread)
        if visited is not None:
            self.next_position = visited + self.schedule.chunk * self._n_chunks(visited)
        return visited

    def _n_chunks(self, visited: int) -> int:
        """Return how many chunks are trained on at once."""
        n = self.schedule.n_positions
        if self.in_rounds:
            return self.crew.n_chunks(n, self.epoch * n + visited)
        return -(-min(CHUNK, self.first_round - visited) // self.schedule.chunk)

    def _train_on(self, visited: int, thread: int) -> None:
        chunk = self.schedule.chunk
        stop = min(self.next_position, self.schedule.n_positions)
        starts = self.starts[visited // chunk : -(-stop // chunk)]
        rate = self.schedule.learning_rate_at(self.epoch, visited)
        for result in self._results_of(starts, rate):
            self._add(*result)
        self.done = stop

    def _results_of(self, starts: Sequence[int], rate: float) -> Iterable[tuple[float, int, int]]:
        """Train on the chunks that start there."""
        lanes = self.crew.lanes if self.in_rounds else 1
        pieces = [
            [part for begin, end in piece for part in self._trained_on(begin, end)]
            for piece in pieces_of(starts, self.schedule.chunk, lanes)
        ]
        if self.in_rounds:
            return self.crew.train(pieces, rate, self.key, self.loss_every)
        how = {"learning_rate": rate, "key": self.key, "loss_every": self.loss_every}
        return [self.train_chunk(start=begin, stop=end, **how) for begin, end in pieces[0]]


def _check_finite(run: _EpochRun, parameters: tuple[NDArray[np.float32], ...], schedule: Schedule) -> None:
    with np.errstate(all="ignore"):
        finite = not run.diverged and all(
            math.isfinite(matrix.sum()) or math.isfinite(matrix.sum(dtype=np.float64))  # the former is faster
            for matrix in parameters
        )
    if not finite:
        raise _diverged("the parameters became NaN or infinite", run, schedule)


def _check_loss(run: _EpochRun, lowest: float, schedule: Schedule) -> float:
    """Return the lowest loss so far, if the epoch's has not risen far above it."""
    loss = run.running_loss()
    if loss > RISE * max(lowest, 1) and not schedule.may_rise:
        what = "without training" if lowest == schedule.untrained_loss else "before"
        raise _diverged(f"the loss rose to {loss:.6g}, from {lowest:.6g} {what},", run, schedule)
    return min(loss, lowest) if math.isfinite(loss) else lowest


def _diverged(what: str, run: _EpochRun, schedule: Schedule) -> FloatingPointError:
    too_large = f"learning_rate={schedule.learning_rate} is probably too large"
    return FloatingPointError(
        f"{what} in epoch {schedule.number(run.epoch)}: {too_large}"
        f"{f' for {schedule.with_params}' if schedule.with_params else ''}"
    )
