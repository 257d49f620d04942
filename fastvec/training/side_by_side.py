"""Trainings that work side by side, a thread each, which end when they are asked to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import wait
from typing import Any

from fastvec.training.loop import Stoppable
from fastvec.training.threads import Workers

__all__ = ["SideBySide"]

# Seconds between two looks at whether to go on.
EVERY = 0.05


class SideBySide:
    """Who trains several models at a time.

    Attributes
    ----------
    lock : threading.Lock
        Held by whoever changes what is under way.
    stopping : bool
        Whether no more trainings are to begin.
    under_way : dict of int to estimator
        The models that are being trained, by a number.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.stopping = False
        self.under_way: dict[int, Any] = {}

    def work(self, train: Callable[[], None], threads: int, is_over: Callable[[], bool]) -> None:
        """Train with some threads until nothing is left to do.

        The calling thread waits for signals, which reach no other one.

        Parameters
        ----------
        train : callable
            Trains one model after the other, in each of the threads.
        threads : int
            How many there are.
        is_over : callable
            Returns whether to stop.
        """
        with Workers(threads + 1) as workers:
            working = [workers.submit(train) for _ in range(threads)]
            while not all(each.done() for each in working):
                wait(working, EVERY)
                if is_over() or workers.stopped.is_set():
                    self.stop()
            for each in working:
                if not each.cancelled():  # because of the error of another one
                    each.result()

    def stop(self) -> None:
        """End the trainings that are under way, also those that begin just now, and begin no more."""
        with self.lock:
            self.stopping = True
            for model in self.under_way.values():
                if isinstance(model, Stoppable):
                    model.stop()
