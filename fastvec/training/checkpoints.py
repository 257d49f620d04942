"""Where a training stands, so that it can continue from there, and when that is to be kept.

The random draws of the models are numbered by epoch and position, so that besides the parameters, a training
has no state but how far it has come and what the record of the epoch is made of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Checkpoints", "Position", "exact_parts"]


@dataclass(frozen=True)
class Position:
    """How far a training has come, between two chunks.

    Attributes
    ----------
    epoch : int
        The epoch, counted from 0 in this training; those before it are complete.
    chunks : int
        Number of chunks of the epoch that were trained on.
    losses : tuple of float
        Numbers whose exact sum is the loss of these chunks.
    sampled_pairs, pairs : int
        Pairs in that loss, and all pairs.
    seconds : float
        Time that these chunks took.
    lowest_loss : float
        The lowest running loss of the epochs before.
    """

    epoch: int = 0
    chunks: int = 0
    losses: tuple[float, ...] = ()
    sampled_pairs: int = 0
    pairs: int = 0
    seconds: float = 0.0
    lowest_loss: float = math.inf


class Checkpoints:
    """When and where the state of a training is kept. This class keeps none.

    Attributes
    ----------
    start : Position
        Where the training starts.
    """

    start = Position()

    def seconds_left(self) -> float:
        """Return the time until the next checkpoint within an epoch."""
        return math.inf

    def is_due_after(self, epochs: int) -> bool:
        """Return whether a checkpoint is due after so many epochs of this training."""
        return False

    def write(self, position: Position, finished: bool = False) -> None:
        """Keep the state at a position, at which no thread is training."""


def exact_parts(numbers: list[float]) -> tuple[float, ...]:
    """Return a few floats that have exactly the same sum as many."""
    parts: list[float] = []
    while part := math.fsum([*numbers, *(-part for part in parts)]):
        parts.append(part)
    return tuple(parts)
