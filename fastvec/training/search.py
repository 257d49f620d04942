"""What is tried next: rounds of candidates near the best so far, of which the better ones go on.

A round begins with some candidates: the given ones in the first, and in all others some near the best so far,
of which some parameters are changed at random, the less the more trials there have been. They are tried on a
part of the data, the best third of them on a larger part, until those that are left are tried on all
(successive halving: Jamieson and Talwalkar 2016). Where there are several seeds, one decides until then, and
what beats the best so far with it is trained with the others too: only means over all seeds make the best.

What is tried depends on the seed and on the scores before, never on the clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from statistics import fmean
from typing import NamedTuple

import numpy as np

from fastvec.training.spaces import Params, Space

__all__ = ["Proposal", "Scored", "Search", "highest"]

# The standard deviation of a factor's logarithm is FIRST_STEP at first, and falls to LAST_STEP.
FIRST_STEP, LAST_STEP, TRIALS_TO_HALVE = 0.8, 0.2, 20
# How many candidates a round has, and of how many of them one is tried on the next part.
CANDIDATES, KEPT = 4, 3
# How many times as much work as the best a candidate may be: one that is too much takes the time of many.
MOST_WORK = 5.0
# Proposals in a row that have all been tried, or take too long, after which there is nothing left.
MOST_REPEATED = 1000


class Proposal(NamedTuple):
    """A training to be tried.

    Attributes
    ----------
    params : dict
        The parameters that are searched.
    size : float
        The part of the data, one of the sizes of the search.
    run : int
        The number of the seed.
    """

    params: Params
    size: float
    run: int


class Scored(NamedTuple):
    """Parameters and their score on a part; NaN if the training diverged."""

    params: Params
    score: float


class Search:
    """What has been tried, and what is to be tried next.

    Parameters
    ----------
    space : Space
        The parameters that are searched.
    sizes : sequence of float
        The parts of the data in rising order, of which the last is all of it.
    seed : int or list of int
        Seed of what is drawn.
    promoted : callable
        Returns so many of some scored parameters, those that go on.
    runs : int
        Number of seeds that a candidate is trained with before it counts.
    candidates : int
        Number of candidates of a round.
    """

    def __init__(
        self,
        space: Space,
        sizes: Sequence[float],
        seed: int | list[int],
        promoted: Callable[[list[Scored], int], list[Params]],
        runs: int = 1,
        candidates: int = CANDIDATES,
    ) -> None:
        self.n_trials = 0
        self.best: Params | None = None
        self.best_score = math.nan
        self._space = space
        self._sizes = sizes
        self._promoted = promoted
        self._runs = runs
        self._candidates = candidates
        self._seen: set[tuple[object, ...]] = set()
        self._generator = np.random.default_rng(seed)
        self._scores: dict[tuple[object, ...], list[float]] = {}  # on all of the data, by run
        self._of_part: list[Scored] = []  # those of the last part that is not all of it

    def add(self, proposal: Proposal, score: float) -> bool:
        """Note a score; return whether it makes its parameters the best, for which all seeds are needed."""
        self.n_trials += 1
        if proposal.size < self._sizes[-1]:
            self._of_part.append(Scored(proposal.params, score))
            return False
        scores = self._scores.setdefault(_key(proposal.params), [])
        scores.append(score)
        if len(scores) < self._runs:
            return False
        mean = fmean(scores)
        if math.isnan(mean) or not (self.best is None or mean > self.best_score):
            return False
        self.best, self.best_score = proposal.params, mean
        return True

    def batches(self) -> Iterator[list[Proposal]]:
        """Yield what is to be tried; all scores of a batch are needed for the next one."""
        start, *others = self._space.start, *self._space.starts
        self._is_new(start)
        yield [Proposal(start, self._sizes[-1], run) for run in range(self._runs)]
        candidates = [params for params in others if self._is_new(params)]
        while candidates := candidates or self._near_the_best():
            for size in self._sizes:
                self._of_part = []
                yield [Proposal(params, size, 0) for params in candidates]
                if size < self._sizes[-1]:
                    candidates = self._promoted(self._of_part, max(1, len(self._of_part) // KEPT))
            if self._runs > 1:
                yield from self._other_runs(candidates)
            candidates = []

    def _other_runs(self, candidates: Sequence[Params]) -> Iterator[list[Proposal]]:
        """Yield the other seeds of what beats the best so far with one, the highest first."""
        scored = [Scored(params, self._scores[_key(params)][0]) for params in candidates]
        for params in highest(scored, len(scored)):
            (first,) = self._scores[_key(params)]
            if self.best is None or first > self.best_score:
                yield [Proposal(params, self._sizes[-1], run) for run in range(1, self._runs)]

    def _is_new(self, params: Params) -> bool:
        key = _key(params)
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new

    def _near_the_best(self) -> list[Params]:
        """Return some parameters that have not been tried, none if there are no others."""
        best = self._space.start if self.best is None else self.best
        step = max(LAST_STEP, FIRST_STEP * 0.5 ** (self.n_trials / TRIALS_TO_HALVE))
        found: list[Params] = []
        for _ in range(MOST_REPEATED):
            params = self._space.changed(best, step, self._generator)
            if self._space.work(params) <= MOST_WORK * self._space.work(best) and self._is_new(params):
                found.append(params)
                if len(found) == self._candidates:
                    break
        return found


def highest(scored: list[Scored], n: int) -> list[Params]:
    """Return the `n` parameters of the highest scores, without those that diverged."""
    known = [each for each in scored if not math.isnan(each.score)]
    return [each.params for each in sorted(known, key=lambda each: -each.score)[:n]]


def _key(params: Params) -> tuple[object, ...]:
    return tuple(params.values())
