"""Calls that wait for their arguments or run elsewhere, and those that take much longer than their siblings.

Siblings are calls of the same function. They say how long a call of its size may take, which no number of
seconds does: that depends on the machine. A call that takes much longer, on a machine that is overloaded or
hangs, is given to a second worker, since it returns the same there: the first result counts, and the other is
dropped.
"""

from __future__ import annotations

import math
import time
import weakref
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median_high
from typing import Any

__all__ = ["PENDING", "Call", "Handle", "Siblings"]

# A call is slow when it takes so many times as long as half of its siblings.
SLOW = 2.0
# How many siblings are compared with, the last ones: the work may grow while others train.
SIBLINGS = 32


class _Pending:
    """The value of a handle whose result is not there yet."""


PENDING = _Pending()


class Handle:
    """Stands for an array that was shared, or for a result, as an argument of calls."""

    __slots__ = ("__weakref__", "name", "value")

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value


@dataclass(eq=False)
class Call:
    """A call of an engine; the handles of its results may be gone.

    Attributes
    ----------
    name, parts, function, arguments, size, threads
        As for `Engine.submit_parts`; `parts` is None if the result does not travel in parts.
    handles : list of weak references
        Those of its results, which are `PENDING` until one worker has finished it.
    begun : float, optional
        Since when it runs, by `time.monotonic`; None before, and if that is not known.
    is_done : bool
        Whether its results are there.
    n_lost : int
        How many workers it has lost.
    """

    name: str
    parts: int | None
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    size: float = 1
    threads: int = 1
    handles: list[weakref.ref[Handle]] = field(default_factory=list)
    begun: float | None = None
    is_done: bool = False
    n_lost: int = 0

    @property
    def is_ready(self) -> bool:
        """Whether all its arguments are there."""
        return all(not isinstance(item, Handle) or item.value is not PENDING for item in self.arguments)

    def given(self) -> list[Any]:
        """Return its arguments, with the values of handles."""
        return [item.value if isinstance(item, Handle) else item for item in self.arguments]

    def promise(self) -> list[Handle]:
        """Return new handles of its results."""
        handles = [Handle(self.name, PENDING) for _ in range(self.parts or 1)]
        self.handles = [*map(weakref.ref, handles)]
        return handles

    def begin(self) -> None:
        """Note that it runs from now on."""
        self.begun = time.monotonic()

    def finish(self, results: Sequence[Any]) -> list[Handle | None]:
        """Give results to the handles, and return these; None for those that are gone."""
        self.is_done = True
        handles = [reference() for reference in self.handles]
        for handle, result in zip(handles, results, strict=True):
            if handle is not None:
                handle.value = result
        return handles


class Siblings:
    """How long the last calls of each function took for their size, as seen from here."""

    def __init__(self) -> None:
        self._seconds: defaultdict[Callable[..., Any], deque[float]] = defaultdict(
            lambda: deque(maxlen=SIBLINGS)
        )

    def add(self, call: Call) -> None:
        """Note how long a call took that ends now, if that is known."""
        if call.begun is not None:
            self._seconds[call.function].append((time.monotonic() - call.begun) / call.size)

    def next_slow(self, calls: Iterable[Call], since: float = math.inf) -> tuple[float, Call | None]:
        """Return in how many seconds one of some calls is slow, and which is the first; infinity if none.

        Calls of which it is not known since when they run have done so `since` then at the latest.
        """
        now = time.monotonic()
        found: tuple[float, Call | None] = (math.inf, None)
        for call in calls:
            if seconds := self._seconds.get(call.function):
                begun = since if call.begun is None else call.begun
                left = max(0.0, begun + SLOW * call.size * median_high(seconds) - now)
                found = (left, call) if left < found[0] else found
        return found
