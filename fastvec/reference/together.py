"""Steps that threads take together: a batch of them, with scores from before all.

Objective. For steps b = 1..B with the losses J_b of their objective, minimize the sum

    J = Σ_b J_b

Gradient. ∂J/∂θ = Σ_b ∂J_b/∂θ: a row that several steps use takes the sum of what they would give it.

Update. The errors δ of all steps, and the mean h where an objective has one, are those from before the batch.
Then the rows move, step after step, each by the others as the steps before have moved them: for one context
and b = 1..B

    x_b ← x_b − η Σₙ δ_bn yₙ        and        yₙ ← yₙ − η δ_bn x_b with the x_b from before

That is −η times the gradient of J, and in second order in η what it is for steps that are taken one at a
time but for the errors, which there have seen the steps before.

Why that does no harm. A row y that m of the steps use with inputs x moves by gradient descent on the sum of
m losses, whose curvature is at most m |x|² / 4 as σ' ≤ 1/4; the descent is stable for η m |x|² < 8. Few words
occur often: B is chosen such that η m is small for the most frequent one, and is 64 at most. Neighbours in
the text have the same contexts: so a batch takes its words from places far apart, one from each of B parts of
the chunk. With scores from up to 256 windows before, vectors of words were as good as with those from just
before; with 1,024, training diverged.

The same bits for any number of threads. The columns k of all rows are cut into groups, into how many depends
on the number of columns alone. A score is the sum of those of the groups,

    x · y = Σ_g Σ_{k in group g} x_k y_k

always added in the order of the groups, since sums in another order may round otherwise. Column k of a row
moves by the errors and by column k of other rows. So whichever thread computes the scores of a group, or
moves some of its columns, the result is the same, and scores are all that threads exchange
(``kernels/together.pxd``). Here, rows are whole: there is one group, and one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

__all__ = ["Batch", "Move"]

# What is left of a step once its errors are known: to move its rows.
Move = Callable[[], None]
Word = TypeVar("Word")


class Batch:
    """Moves of steps, each made at once, or together with others if there is a team.

    Parameters
    ----------
    team : object or None
        `team.steps` is B.
    """

    def __init__(self, team: Any) -> None:
        self.steps = 0 if team is None else team.steps
        self.moves: list[Move] = []

    def visit(self, words: Iterable[Word], window: int) -> Iterable[Word]:
        """Return the words of a chunk as they are trained on: by a team, one of each of B parts in turn.

        There are fewer parts if these would be shorter than a window.
        """
        if self.steps == 0:
            return words
        words = list(words)
        parts = max(1, min(self.steps, len(words) // (2 * window + 1)))
        length = -(-len(words) // parts)
        return [word for first in range(length) for word in words[first::length]]

    def add(self, move: Move) -> None:
        """Make a move, or let it wait until there are enough."""
        self.moves.append(move)
        if len(self.moves) >= self.steps:
            self.finish()

    def finish(self) -> None:
        """Make the moves that wait."""
        for move in self.moves:
            move()
        self.moves.clear()
