"""The training loop that the models share: threads, chunks, learning rate, progress, interruption.

An epoch visits every position once: the tokens of a corpus, or the entries of counts. It is cut into chunks.
Threads take them in turn and hand each to a kernel, which works without the GIL and changes the matrices in
place, without locks (Hogwild: Niu, Recht, Ré and Wright 2011; only GloVe's tiles wait for each other). A
chunk's learning rate follows from where it starts, its random numbers from (seed, epoch, position), so that
what is drawn does not depend on the number of threads; with one thread the result is the same run after run.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CHUNK",
    "Epoch",
    "Schedule",
    "ctrl_c_sets_a_flag",
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
# Windows that the loss of an epoch is taken of, at least: enough for three digits, too few to cost anything.
LOSS_SAMPLE = 1 << 13
# How many times as high as before the loss of an epoch is where training diverges.
RISE = 4
# A matrix row starts on a cache line and is a whole number of AVX-512 registers.
ALIGNMENT = 64
LANES = 16


class TrainChunk(Protocol):
    """A kernel bound to its matrices and data; returns its loss, the pairs in that loss, and all pairs."""

    def __call__(
        self, *, start: int, stop: int, learning_rate: float, key: int, loss_every: int
    ) -> tuple[float, int, int]:
        """Train on the positions [start, stop)."""


@dataclass(frozen=True)
class Epoch:
    """Record of one pass over the corpus or the counts.

    Attributes
    ----------
    epoch : int
        Number of the epoch, from 1; continued training continues the numbering.
    loss : float
        Mean loss per pair, estimated from a fixed sample of the windows; for GloVe, of all entries.
    learning_rate : float
        Learning rate at the end.
    pairs : int
        Number of (centre, context) pairs, of windows for CBOW, or of entries of the counts for GloVe.
    seconds : float
        Duration.
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
    `chunk` positions at a time. `epochs_before` is how many epochs earlier training had, whose random numbers
    are not drawn again. `unit` says what a position is, "words" or "entries". `untrained_loss` is that of a
    model that has learned nothing, and `with_params` names what else makes steps large, for errors.
    """

    n_positions: int
    epochs: int
    learning_rate: float
    min_learning_rate: float
    threads: int
    seed: int
    chunk: int = CHUNK
    epochs_before: int = 0
    unit: str = "words"
    untrained_loss: float = math.inf
    with_params: str = ""

    def learning_rate_at(self, epoch: int, position: int) -> float:
        """Return the learning rate of a chunk that starts at `position` in `epoch`, counted from 0."""
        done = (epoch + position / self.n_positions) / self.epochs
        return self.learning_rate + (self.min_learning_rate - self.learning_rate) * done

    def key(self, epoch: int) -> int:
        """Return where the random sequence of an epoch starts."""
        entropy = [self.seed, self.epochs_before + epoch]
        return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0])

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
    progress: bool = False,
    before_epoch: Callable[[int], None] | None = None,
    after_epoch: Callable[[Epoch], bool | None],
) -> bool:
    """Train for the epochs of a schedule and return whether Ctrl-C interrupted it.

    Parameters
    ----------
    train_chunk : callable
        Trains on one chunk, see `TrainChunk`.
    schedule : Schedule
        Epochs and learning rate.
    parameters : tuple of ndarray
        The parameters to train; checked for NaN and infinity.
    progress : bool
        Whether to show a bar.
    before_epoch : callable, optional
        Called with the key of every epoch.
    after_epoch : callable
        Called with the record of every epoch, including an interrupted one; returns True to end
        training.

    Raises
    ------
    FloatingPointError
        If training diverges: the parameters become NaN or infinite, or the loss rises, see `has_diverged`.
    """
    # What was learned of something else may be worse here than nothing: the first epoch shows.
    lowest = math.inf if schedule.epochs_before else schedule.untrained_loss
    with _bar(schedule, progress) as bar, ctrl_c_sets_a_flag() as interrupted:
        for epoch in range(schedule.epochs):
            if bar is not None:
                bar.set_description(f"epoch {schedule.number(epoch)}/{schedule.number(schedule.epochs - 1)}")
            if before_epoch is not None:
                before_epoch(schedule.key(epoch))
            run = _EpochRun(train_chunk, schedule, epoch, interrupted)
            run.wait(bar)
            _check_finite(run, parameters, schedule)
            lowest = _check_loss(run, lowest, schedule)
            is_over = after_epoch(run.record())
            if interrupted.is_set():
                warnings.warn(
                    f"training was interrupted in epoch {schedule.number(epoch)} "
                    f"of {schedule.number(schedule.epochs - 1)}; "
                    "what was learned is kept",
                    stacklevel=4,
                )
                return True
            if is_over:
                break
    return False


@contextmanager
def ctrl_c_sets_a_flag() -> Iterator[threading.Event]:
    """Make Ctrl-C set a flag, since a KeyboardInterrupt at an arbitrary line would lose what was learned.

    Only the main thread receives signals, and a handler set by the program is not replaced.
    """
    flag = threading.Event()
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield flag
        return
    signal.signal(signal.SIGINT, lambda *_: flag.set())
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class _EpochRun:
    """One epoch on its threads, and their progress."""

    def __init__(
        self, train_chunk: TrainChunk, schedule: Schedule, epoch: int, interrupted: threading.Event
    ) -> None:
        self.train_chunk = train_chunk
        self.schedule = schedule
        self.epoch = epoch
        self.interrupted = interrupted
        self.key = schedule.key(epoch)
        every = max(1, schedule.n_positions // LOSS_SAMPLE)
        self.loss_every = 1 << (every.bit_length() - 1)
        self.next_position = 0
        self.done = 0
        self.losses: list[float] = []
        self.diverged = False
        self.sampled_pairs = 0
        self.pairs = 0
        self.stop = False
        self.error: BaseException | None = None
        self.lock = threading.Lock()
        self.started = time.perf_counter()

    def wait(self, bar: Any) -> None:
        """Run the threads to the end, or until Ctrl-C."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.schedule.threads)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.1)
                    self._show(bar)
        finally:
            self.stop = True
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        self.seconds = time.perf_counter() - self.started
        self._show(bar)
        if self.error is not None:
            raise self.error

    def _work(self) -> None:
        try:
            while (start := self._take()) is not None:
                stop = min(start + self.schedule.chunk, self.schedule.n_positions)
                learning_rate = self.schedule.learning_rate_at(self.epoch, start)
                loss, sampled_pairs, pairs = self.train_chunk(
                    start=start,
                    stop=stop,
                    learning_rate=learning_rate,
                    key=self.key,
                    loss_every=self.loss_every,
                )
                with self.lock:
                    self.losses.append(loss)
                    self.diverged |= not math.isfinite(loss)
                    self.sampled_pairs += sampled_pairs
                    self.pairs += pairs
                    self.done += stop - start
        except BaseException as error:
            self.error = error
            self.stop = True

    def _take(self) -> int | None:
        with self.lock:
            start = self.next_position
            finished = start >= self.schedule.n_positions or self.diverged
            if finished or self.stop or self.interrupted.is_set():
                return None
            self.next_position += self.schedule.chunk
            return start

    def mean_loss(self) -> float:
        """Return the mean loss so far, which does not depend on the order in which the chunks were done."""
        return math.fsum(self.losses) / self.sampled_pairs if self.sampled_pairs else math.nan

    def record(self) -> Epoch:
        return Epoch(
            epoch=self.schedule.number(self.epoch),
            loss=self.mean_loss(),
            learning_rate=self.schedule.learning_rate_at(self.epoch, self.done),
            pairs=self.pairs,
            seconds=self.seconds,
            words_per_second=self.done / self.seconds if self.schedule.unit == "words" else None,
        )

    def _show(self, bar: Any) -> None:
        if bar is not None:
            rate = self.schedule.learning_rate_at(self.epoch, self.done)
            bar.set_postfix_str(f"learning rate {rate:.4f}, loss {self.mean_loss():.4f}", refresh=False)
            bar.update(self.epoch * self.schedule.n_positions + self.done - bar.n)


def _bar(schedule: Schedule, progress: bool) -> Any:
    if not progress:
        return nullcontext()
    from tqdm import tqdm

    return tqdm(total=schedule.epochs * schedule.n_positions, unit=f" {schedule.unit}", unit_scale=True)


def _check_finite(run: _EpochRun, parameters: tuple[NDArray[np.float32], ...], schedule: Schedule) -> None:
    with np.errstate(all="ignore"):
        finite = not run.diverged and all(
            math.isfinite(matrix.sum(dtype=np.float64)) for matrix in parameters
        )
    if not finite:
        raise _diverged("the parameters became NaN or infinite", run, schedule)


def _check_loss(run: _EpochRun, lowest: float, schedule: Schedule) -> float:
    """Return the lowest loss so far, if the epoch's has not risen far above it."""
    loss = run.mean_loss()
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
