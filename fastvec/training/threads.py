"""Threads: how many there are to be, and a pool of them."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

__all__ = [
    "Report",
    "Workers",
    "file_threads",
    "limit_file_threads",
    "number_of_threads",
    "usable_threads",
]

Report = Callable[[float], object]

# One thread moves the bytes of a file for all that work on them: more than these would wait for it.
MOST_FILE_THREADS = 8
file_threads_here = MOST_FILE_THREADS


def number_of_threads(threads: int | None) -> int:
    """Return the number of threads for a parameter `threads`; None stands for all processors."""
    return usable_threads() if threads is None else threads


def usable_threads() -> int:
    """Return the number of processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def file_threads() -> int:
    """Return the number of threads that read or write one file."""
    return min(usable_threads(), file_threads_here)


def limit_file_threads(n: int) -> None:
    """Let no more than `n` threads read or write one file from now on, as in one of several processes."""
    global file_threads_here
    file_threads_here = min(n, MOST_FILE_THREADS)


class Workers:
    """Threads that end with their ``with`` block; after an error, pending work is dropped.

    A single one is the calling thread, which works immediately. The others are daemons, unlike those of
    `concurrent.futures`: a program that trains in a daemon thread of its own may end meanwhile.

    Attributes
    ----------
    n : int
        Number of threads.
    stopped : threading.Event
        Set when running work is no longer needed: after an error, and at the end of the block.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.stopped = threading.Event()
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for _thread in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Let a thread call `work`."""
        done: Future[Any] = Future()
        if self.n == 1:
            done.set_result(work(*arguments))
            return done

        def call() -> None:
            try:
                if self.stopped.is_set():
                    done.cancel()
                else:
                    done.set_result(work(*arguments))
            except BaseException as error:
                self.stopped.set()
                done.set_exception(error)

        self._calls.put(call)
        if len(self._threads) < self.n:
            thread = threading.Thread(target=self._serve, daemon=True)
            thread.start()
            self._threads.append(thread)
        return done

    def each(self, work: Callable[..., object], arguments: Sequence[tuple[Any, ...]]) -> None:
        """Call `work` with every tuple of arguments and wait for all calls."""
        for done in [self.submit(work, *of_call) for of_call in arguments]:
            done.result()

    def in_order(self, work: Callable[..., Any], items: Iterable[Any]) -> Iterator[Any]:
        """Yield ``work(item)`` for every item, in order, while the threads work on the next ones.

        An error of `items` is raised after the results of the items before it.
        """
        following = iter(items)
        pending: deque[Future[Any]] = deque()
        most = 1 if self.n == 1 else 2 * self.n
        error: Exception | None = None
        ended = False
        while True:
            while not ended and len(pending) < most:
                try:
                    pending.append(self.submit(work, next(following)))
                except StopIteration:
                    ended = True
                except Exception as raised:
                    ended, error = True, raised
            if not pending:
                break
            yield pending.popleft().result()
        if error is not None:
            raise error

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call  # which may hold large arrays
