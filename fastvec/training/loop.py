"""The training loop that the models share: threads, chunks, learning rate, progress, interruption.

An epoch visits every position once: the tokens of a corpus, or the entries of counts. It is cut into chunks,
visited from beginning to end or in a random order. Threads take them in turn and hand each to a kernel, which
works without the GIL and changes the matrices in place, without locks (Hogwild: Niu, Recht, Ré and Wright
2011; only GloVe's tiles wait for each other). A chunk's learning rate follows from its turn, its random
numbers from (seed, epoch, position), so that what is drawn does not depend on the number of threads; with one
thread the result is the same run after run.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastvec.training import signals
from fastvec.training.checkpoints import Checkpoints, Position, exact_parts
from fastvec.training.held_out import HeldOut, TrainChunk
from fastvec.training.progress import Progress, warn

__all__ = [
    "CHUNK",
    "Epoch",
    "Schedule",
    "TrainChunk",
    "has_diverged",
    "number_of_threads",
    "padded_copies",
    "padded_matrix",
    "train",
    "usable_threads",
]

# Tokens handed to a kernel at once: a millisecond or two of work, so that the interpreter's share is small
# and Ctrl-C is answered at once.
CHUNK = 8192
# Windows that the running loss is taken of, at least: enough for three digits, too few to cost anything.
LOSS_SAMPLE = 1 << 13
# How many times as high as before the loss of an epoch is where training diverges.
RISE = 4
# A matrix row starts on a cache line and is a whole number of AVX-512 registers.
ALIGNMENT = 64
LANES = 16


@dataclass(frozen=True)
class Epoch:
    """Record of one pass over the corpus or the counts.

    Attributes
    ----------
    epoch : int
        Number of the epoch, from 1; continued training continues the numbering.
    loss : float
        Mean loss per pair, of words that are held out: about one in 1,000 of a text's (1,024 to 16,384), as
        whole sentences if these are not too long. They are never trained on, and scored after the epoch, with
        the same windows and noise words each time, so that the losses of one kind of model on one text can be
        compared between epochs, seeds and numbers of threads. A text of fewer than 131,072 words holds
        nothing out: its loss is that of a sample of the text itself, scored alike. If subsampling leaves no
        pair in what is scored, it is the loss during the epoch, of what is trained on. For GloVe, the mean
        cost of all entries of the counts, each taken just before its update; none is held out, since it would
        be missing from what is fitted.
    learning_rate : float
        Learning rate at the end.
    pairs : int
        Number of (centre, context) pairs, of windows for CBOW, or of entries of the counts for GloVe.
    seconds : float
        Duration, without the scoring of what is held out.
    words_per_second : float, optional
        Words of the corpus per second, including those dropped by `min_count` and `subsample`; None for
        GloVe, which trains on counts.
    """

    epoch: int
    loss: float
    learning_rate: float
    pairs: int
    seconds: float
    words_per_second: float | None = None

    @property
    def pairs_per_second(self) -> float:
        """What `pairs` counts, per second."""
        return self.pairs / self.seconds


@dataclass(frozen=True)
class Schedule:
    """Epochs, learning rate and threads of a training.

    The learning rate falls linearly from `learning_rate` to `min_learning_rate` over all epochs. Threads take
    `chunk` positions at a time, with `shuffle` in another order every epoch. `epochs_before` is how many
    epochs earlier training had, whose random numbers are not drawn again. `unit` says what a position is,
    "words" or "entries". `untrained_loss` is that of a model that has learned nothing, and `with_params`
    names what else makes steps large, for errors.
    """

    n_positions: int
    epochs: int
    learning_rate: float
    min_learning_rate: float
    threads: int
    seed: int
    chunk: int = CHUNK
    shuffle: bool = False
    epochs_before: int = 0
    unit: str = "words"
    untrained_loss: float = math.inf
    with_params: str = ""

    def learning_rate_at(self, epoch: int, visited: int) -> float:
        """Return the learning rate when so many positions of `epoch`, counted from 0, have been visited."""
        done = (epoch + visited / self.n_positions) / self.epochs
        return self.learning_rate + (self.min_learning_rate - self.learning_rate) * done

    def key(self, epoch: int) -> int:
        """Return where the random sequence of an epoch starts."""
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


def number_of_threads(threads: int | None) -> int:
    """Return the number of threads for a parameter `threads`; None stands for all processors."""
    return usable_threads() if threads is None else threads


def usable_threads() -> int:
    """Return the number of processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def padded_matrix(n_rows: int, n_columns: int) -> NDArray[np.float32]:
    """Return zeros of shape (n_rows, n_columns rounded up to 16), every row on a cache line."""
    stride = -(-n_columns // LANES) * LANES
    raw = np.zeros(n_rows * stride + ALIGNMENT // 4, np.float32)
    start = -raw.ctypes.data % ALIGNMENT // 4
    return raw[start : start + n_rows * stride].reshape(n_rows, stride)


def padded_copies(matrices: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Return copies with their rows padded as the kernels require."""
    copies = {name: padded_matrix(*matrix.shape) for name, matrix in matrices.items()}
    for name, matrix in matrices.items():
        copies[name][:, : matrix.shape[1]] = matrix
    return copies


def train(
    train_chunk: TrainChunk,
    schedule: Schedule,
    parameters: tuple[NDArray[np.float32], ...],
    *,
    held_out: HeldOut | None = None,
    progress: bool = False,
    before_epoch: Callable[[int, int], None] | None = None,
    after_epoch: Callable[[Epoch], bool | None],
    stop: Callable[[], bool] = lambda: False,
    checkpoints: Checkpoints | None = None,
) -> bool:
    """Train for the epochs of a schedule and return whether a signal or `stop` ended it early.

    Parameters
    ----------
    train_chunk : callable
        Trains on one chunk, see `TrainChunk`.
    schedule : Schedule
        Epochs and learning rate.
    parameters : tuple of ndarray
        The parameters to train; checked for NaN and infinity.
    held_out : HeldOut, optional
        What the loss of an epoch is taken of. Without it, or if there is no pair in it, it is the running
        loss: of positions that are trained on, just before they are.
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

    Raises
    ------
    FloatingPointError
        If training diverges: the parameters become NaN or infinite, or the loss rises, see `has_diverged`.
    """
    checkpoints = checkpoints or Checkpoints()
    start = checkpoints.start
    n = schedule.n_positions
    done = start.epoch * n + min(start.chunks * schedule.chunk, n)
    # What was learned of something else may be worse here than nothing: the first epoch shows.
    untrained_loss = math.inf if schedule.epochs_before else schedule.untrained_loss
    lowest = min(untrained_loss, start.lowest_loss)
    with (
        Progress("epoch", schedule.epochs * n, f" {schedule.unit}", progress, done) as bar,
        signals.set_a_flag() as interrupted,
    ):

        def stopping() -> bool:
            return interrupted.is_set() or stop()

        for epoch in range(start.epoch, schedule.epochs):
            bar.describe(f"epoch {schedule.number(epoch)}/{schedule.number(schedule.epochs - 1)}")
            position = start if epoch == start.epoch else Position(epoch, lowest_loss=lowest)
            run = _EpochRun(train_chunk, schedule, position, stopping, held_out)
            if before_epoch is not None:
                before_epoch(run.key, run.next_position)
            while True:
                run.work_for(checkpoints.seconds_left(), bar)
                _check_finite(run, parameters, schedule)
                if run.is_complete() or stopping():
                    break
                checkpoints.write(run.position())
            lowest = _check_loss(run, lowest, schedule)
            if not run.is_complete():
                checkpoints.write(run.position())
            record = run.record()
            bar.line(
                f"loss {record.loss:.4f}, learning rate {record.learning_rate:.4g}, "
                f"{run.done / run.seconds:,.0f} {schedule.unit}/s, {run.seconds:,.1f} s"
            )
            is_over = bool(after_epoch(record))
            complete = run.is_complete()
            finished = complete and (is_over or epoch + 1 == schedule.epochs)
            if complete and (finished or stopping() or checkpoints.is_due_after(epoch + 1)):
                checkpoints.write(Position(epoch + 1, lowest_loss=lowest), finished)
            if interrupted.is_set():
                warn(
                    f"training was interrupted in epoch {schedule.number(epoch)} "
                    f"of {schedule.number(schedule.epochs - 1)}; "
                    "what was learned is kept"
                )
                return True
            if finished:
                break
            if stopping():
                return True
    return False


class _EpochRun:
    """One epoch on its threads, from a position on, and their progress."""

    def __init__(
        self,
        train_chunk: TrainChunk,
        schedule: Schedule,
        start: Position,
        stopping: Callable[[], bool],
        held_out: HeldOut | None,
    ) -> None:
        self.train_chunk = train_chunk
        self.schedule = schedule
        self.epoch = start.epoch
        self.stopping = stopping
        self.held_out = held_out
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
        self.stop = False
        self.error: BaseException | None = None
        self.lock = threading.Lock()

    def work_for(self, seconds: float, bar: Progress) -> None:
        """Run the threads to the end, for about so long but a chunk at least, or until they are to stop."""
        started, first = time.perf_counter(), self.next_position
        self.stop = False
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.schedule.threads)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    left = started + seconds - time.perf_counter()
                    self.stop |= left <= 0 and self.next_position > first
                    thread.join(min(0.1, max(left, 0.001)))
                    self._show(bar)
        finally:
            self.stop = True
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        self.seconds += time.perf_counter() - started
        self._show(bar)
        if self.error is not None:
            raise self.error

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

    def _work(self) -> None:
        try:
            while (visited := self._take()) is not None:
                start = self.starts[visited // self.schedule.chunk]
                stop = min(start + self.schedule.chunk, self.schedule.n_positions)
                learning_rate = self.schedule.learning_rate_at(self.epoch, visited)
                results = [
                    self.train_chunk(
                        start=begin,
                        stop=end,
                        learning_rate=learning_rate,
                        key=self.key,
                        loss_every=self.loss_every,
                    )
                    for begin, end in self._parts(start, stop)
                ]
                with self.lock:
                    for loss, sampled_pairs, pairs in results:
                        self.losses.append(loss)
                        self.diverged |= not math.isfinite(loss)
                        self.sampled_pairs += sampled_pairs
                        self.pairs += pairs
                    self.done += stop - start
        except BaseException as error:
            self.error = error
            self.stop = True

    def _take(self) -> int | None:
        """Return how many positions come before the next chunk, or None if there is nothing more to do."""
        with self.lock:
            visited = self.next_position
            finished = visited >= self.schedule.n_positions or self.diverged
            if finished or self.stop or self.stopping():
                return None
            self.next_position += self.schedule.chunk
            return visited

    def _parts(self, start: int, stop: int) -> Iterable[tuple[int, int]]:
        return [(start, stop)] if self.held_out is None else self.held_out.without(start, stop)

    def running_loss(self) -> float:
        """Return the mean loss so far, which does not depend on the order in which the chunks were done."""
        return math.fsum(self.losses) / self.sampled_pairs if self.sampled_pairs else math.nan

    def record(self) -> Epoch:
        loss = math.nan if self.held_out is None else self.held_out.loss(self.train_chunk)
        return Epoch(
            epoch=self.schedule.number(self.epoch),
            loss=self.running_loss() if math.isnan(loss) else loss,
            learning_rate=self.schedule.learning_rate_at(self.epoch, self.done),
            pairs=self.pairs,
            seconds=self.seconds,
            words_per_second=self.done / self.seconds if self.schedule.unit == "words" else None,
        )

    def _show(self, bar: Progress) -> None:
        if not bar.shown:
            return
        rate = self.schedule.learning_rate_at(self.epoch, self.done)
        bar.note(f"learning rate {rate:.4f}, loss {self.running_loss():.4f}")
        bar.update(self.epoch * self.schedule.n_positions + self.done - bar.n)


def _check_finite(run: _EpochRun, parameters: tuple[NDArray[np.float32], ...], schedule: Schedule) -> None:
    with np.errstate(all="ignore"):
        finite = not run.diverged and all(
            math.isfinite(matrix.sum(dtype=np.float64)) for matrix in parameters
        )
    if not finite:
        raise _diverged("the parameters became NaN or infinite", run, schedule)


def _check_loss(run: _EpochRun, lowest: float, schedule: Schedule) -> float:
    """Return the lowest loss so far, if the epoch's has not risen far above it."""
    loss = run.running_loss()
    if has_diverged(loss, lowest):
        what = "without training" if lowest == schedule.untrained_loss else "before"
        raise _diverged(f"the loss rose to {loss:.6g}, from {lowest:.6g} {what},", run, schedule)
    return min(loss, lowest) if math.isfinite(loss) else lowest


def has_diverged(loss: float, lowest: float) -> bool:
    """Tell whether the mean loss of an epoch shows that training diverges.

    Parameters
    ----------
    loss : float
        The mean of what was trained on, during the epoch; NaN if that was nothing.
    lowest : float
        The lowest of earlier epochs and of a model that has learned nothing; infinity if neither is known.

    Returns
    -------
    bool
        Whether it is more than four times as high, and above 4. Trainings at a learning rate which is too
        large but still learns are below: the highest seen was 2.6, of a classifier of two classes. Where they
        do not learn, it is tens to billions of times as high.
    """
    return loss > RISE * max(lowest, 1)


def _diverged(what: str, run: _EpochRun, schedule: Schedule) -> FloatingPointError:
    too_large = f"learning_rate={schedule.learning_rate} is probably too large"
    return FloatingPointError(
        f"{what} in epoch {schedule.number(run.epoch)}: {too_large}"
        f"{f' for {schedule.with_params}' if schedule.with_params else ''}"
    )
