"""Threads for work other than training."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

__all__ = ["Report", "Workers"]

Report = Callable[[float], object]


class Workers:
    """Threads that end with their ``with`` block; after an error, pending work is dropped.

    A single one is the calling thread, which works immediately.

    Attributes
    ----------
    n : int
        Number of threads.
    stopped : threading.Event
        Set when running work is no longer needed.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.stopped = threading.Event()
        self._pool = ThreadPoolExecutor(n)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._pool.shutdown(cancel_futures=True)

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Let a thread call `work`."""
        if self.n > 1:
            return self._pool.submit(work, *arguments)
        done: Future[Any] = Future()
        done.set_result(work(*arguments))
        return done

    def each(self, work: Callable[..., object], arguments: Sequence[tuple[Any, ...]]) -> None:
        """Call `work` with every tuple of arguments and wait for all calls."""
        for done in [self.submit(work, *of_call) for of_call in arguments]:
            done.result()
