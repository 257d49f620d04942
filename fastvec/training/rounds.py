"""Rounds: many chunks that lanes train on at once, each from the same matrices, whose changes are combined.

A round is a part of the text, and a lane's share of it a piece. Rounds are short at first, when matrices
change fast, and grow with what was trained on. A small part of the text comes before the first one, which is
trained on as without rounds: it would take as many as all the rest. Their lengths follow from the length of
the text, the numbers of epochs, lanes and rounds alone. How changes are combined is derived in
``fastvec/reference/rounds.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from math import sqrt
from typing import Any

from numpy.typing import NDArray

__all__ = ["CHUNK", "DECAY", "Piece", "Rounds", "pieces_of"]

# Words of a chunk: the shortest piece of a lane.
CHUNK = 256
# The longest round, as a share of the words that were trained on before it, for so many lanes. With fewer, it
# is as many times that as there are fewer others beside a lane; with four times as many, half of it. Longer
# ones lose quality, or diverge.
GROWTH, LANES_OF_GROWTH = 0.02, 16
# The part of a training before the first round, of what each lane trains on: the others wait as long.
BEFORE_ROUNDS = 1 / 16
# How much less the curvature of the round before counts.
DECAY = 0.7

# Where the parts of a text begin and end that a lane trains on.
Piece = list[tuple[int, int]]


class Rounds(ABC):
    """Who trains in rounds, as a crew of the training loop.

    Attributes
    ----------
    lanes, per_epoch : int
        The number of lanes, and of rounds of an epoch when they have their full length.
    lanes_per_worker : int
        How many neighbouring lanes are added up before their changes are rounded.
    state : dict of str to ndarray
        What the next round depends on beside the parameters, changed in place.
    """

    lanes: int
    per_epoch: int
    lanes_per_worker: int = 1
    state: dict[str, NDArray[Any]]

    def n_before(self, n_positions: int) -> int:
        """Return how many positions come before the first round, in a training with so many in all epochs."""
        return int(BEFORE_ROUNDS * n_positions / self.lanes)

    def n_chunks(self, n_positions: int, trained_on: int) -> int:
        """Return the length of a round in chunks, before which there were so many positions."""
        longest = n_positions / self.per_epoch
        fewer = (LANES_OF_GROWTH - 1) / (self.lanes - 1)
        growing = GROWTH * max(fewer, sqrt(LANES_OF_GROWTH / self.lanes)) * trained_on
        n = max(1, int(min(longest, growing) / CHUNK))
        return n if n < self.lanes else n // self.lanes * self.lanes

    @abstractmethod
    def at_work(self) -> AbstractContextManager[None]:
        """Let rounds begin or go on; afterwards the parameters and the state are what they have become."""

    @abstractmethod
    def train(
        self, pieces: Sequence[Piece], learning_rate: float, key: int, loss_every: int
    ) -> list[tuple[float, int, int]]:
        """Train on the pieces of a round, and return loss, sampled pairs and pairs of its parts."""


def pieces_of(starts: Sequence[int], chunk: int, lanes: int) -> list[Piece]:
    """Return the pieces of a round of such chunks, of equal numbers of neighbours; some may be empty."""
    return [
        _joined(starts[lane * len(starts) // lanes : (lane + 1) * len(starts) // lanes], chunk)
        for lane in range(lanes)
    ]


def _joined(starts: Sequence[int], chunk: int) -> Piece:
    """Return where chunks begin and end; those that follow each other are one part."""
    joined: Piece = []
    for start in starts:
        begin = joined.pop()[0] if joined and joined[-1][1] == start else start
        joined.append((begin, start + chunk))
    return joined
