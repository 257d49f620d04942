"""Memory that threads keep from call to call, of which each has its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastvec.training.matrices import padded_matrix
from fastvec.training.threads import Workers

__all__ = ["Room", "in_threads", "room_of_thread"]

T = TypeVar("T")

Matrix = NDArray[np.float32]
Rows = NDArray[np.int32]
Halves = NDArray[np.uint16]


class Room:
    """Memory that is kept from lane to lane: fresh memory would take longer than what is done in it."""

    def __init__(self) -> None:
        self._matrices: dict[str, Matrix] = {}
        self._exposures = np.zeros((2, 0), np.float32)
        self._places = np.zeros(0, np.int32)

    def exposures(self, n_rows: int) -> Matrix:
        """Return zeros to add up what scores say of rows; they must be left as zeros."""
        if self._exposures.shape[1] != n_rows:
            self._exposures = np.zeros((2, n_rows), np.float32)
        return self._exposures

    def places(self, n_words: int) -> Rows:
        """Return zeros to note places of words; they must be left as zeros."""
        if len(self._places) != n_words:
            self._places = np.zeros(n_words, np.int32)
        return self._places

    def matrix(self, name: str, n_rows: int, stride: int) -> Matrix:
        """Return as many rows of a matrix with anything in them."""
        found = self._matrices.get(name)
        if found is None or found.shape[1] != stride or len(found) < n_rows:
            found = self._matrices[name] = padded_matrix(n_rows + n_rows // 4, stride)
        return found[:n_rows]

    def halves(self, name: str, n_rows: int, stride: int) -> Halves:
        """Return as many rows of half as many bytes."""
        return self.matrix(name, -(-n_rows // 2), stride).view(np.uint16).reshape(-1, stride)[:n_rows]


class _Own(threading.local):
    """What a thread keeps for the calls that it is given: the first room is its own."""

    def __init__(self) -> None:
        self.rooms = [Room()]


_own = _Own()


def room_of_thread() -> Room:
    """Return what this thread keeps."""
    return _own.rooms[0]


def in_threads(function: Callable[..., T], calls: Sequence[tuple[Any, ...]]) -> list[T]:
    """Call a function with each of some arguments, in as many threads, whose rooms this thread keeps."""
    if len(calls) == 1:
        return [function(*calls[0])]
    rooms = _own.rooms
    rooms += [Room() for _ in range(len(rooms), len(calls))]

    def call(item: tuple[Room, tuple[Any, ...]]) -> T:
        room, arguments = item
        _own.rooms = [room]
        return function(*arguments)

    with Workers(len(calls)) as workers:
        return [*workers.in_order(call, zip(rooms, calls, strict=False))]
