"""The neighbors of a word in several trainings: their cosines and ranks, with intervals.

The cosines of a word in R trainings have a mean c and a standard deviation s. The interval of the cosine is c
± t s, where t is the quantile of Student's distribution with R − 1 degrees of freedom: s, not s / √R, since
it is the standard error of the cosine of one training (Efron and Tibshirani, "An introduction to the
bootstrap", 1993, chapter 12). The interval of the rank is between the quantiles of its ranks, which leave as
many trainings below as above.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from statistics import NormalDist
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from fastvec.exports.notebooks import table

__all__ = ["FEWEST_RUNS", "FEWEST_SENTENCES", "Estimate", "Neighbor", "Neighbors", "estimates", "neighbors"]

# With fewer, the standard deviation is hardly known: t is 4.3 and more.
FEWEST_RUNS = 5
# A resample of fewer sentences has few different contexts: deviations are too small by a twentieth and more.
FEWEST_SENTENCES = 10


class Estimate(NamedTuple):
    """A cosine in several trainings.

    Attributes
    ----------
    cosine : float
        The mean.
    low, high : float
        The bounds of the interval.
    """

    cosine: float
    low: float
    high: float


class Neighbor(NamedTuple):
    """A word that is similar to others, in several trainings.

    Attributes
    ----------
    word : str or int
        The word.
    cosine : float
        Its mean cosine.
    low, high : float
        The bounds of the interval of the cosine.
    rank_low, rank_high : int
        The bounds of the interval of its rank; 1 is that of the most similar word.
    share : float
        The part of the trainings in which it is among the `topn` most similar words, 0 to 1.
    sentences : int
        The number of sentences of the text that it is in.
    certain : bool
        Whether it is a neighbor beyond doubt: `share` is at least the level of the intervals, and it is in 10
        sentences or more.
    """

    word: str
    cosine: float
    low: float
    high: float
    rank_low: int
    rank_high: int
    share: float
    sentences: int
    certain: bool


class Neighbors(Sequence[Neighbor]):
    """The words that are similar to others, as `Stability` returns them; printed, it is a table.

    Parameters
    ----------
    rows : iterable of Neighbor
        The words, in their order.
    """

    def __init__(self, rows: Iterable[Neighbor]) -> None:
        self._rows = list(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Neighbor]:
        return iter(self._rows)

    @overload
    def __getitem__(self, index: int) -> Neighbor: ...

    @overload
    def __getitem__(self, index: slice) -> Neighbors: ...

    def __getitem__(self, index: int | slice) -> Neighbor | Neighbors:
        return Neighbors(self._rows[index]) if isinstance(index, slice) else self._rows[index]

    def __repr__(self) -> str:
        return f"Neighbors({len(self)} words, {len(self.certain())} of them certain)"

    def __str__(self) -> str:
        rows = [HEADS, *map(_cells, self)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = (
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
            for row in rows
        )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the words as notebooks show them."""
        return table(repr(self), HEADS, map(_cells, self))

    def certain(self) -> Neighbors:
        """Return the words that are neighbors beyond doubt; the others may be others in the next training.

        Returns
        -------
        Neighbors
            Those whose `certain` is True.
        """
        return Neighbors(row for row in self if row.certain)


HEADS = ["word", "cosine", "interval", "rank", "share", "certain"]


def _cells(row: Neighbor) -> list[str]:
    ranks = f"{row.rank_low}" if row.rank_low == row.rank_high else f"{row.rank_low} to {row.rank_high}"
    interval = f"{row.low:.2f} to {row.high:.2f}"
    return [
        str(row.word),
        f"{row.cosine:.2f}",
        interval,
        ranks,
        f"{row.share:.0%}",
        "yes" if row.certain else "",
    ]


def estimates(
    cosines: NDArray[np.floating], level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return means and the bounds of intervals.

    Parameters
    ----------
    cosines : float array, shape (n_runs, n)
        Those of each training.
    level : float
        How probable an interval is to hold its cosine.

    Returns
    -------
    means, low, high : float64 array, shape (n,)
    """
    means = cosines.mean(axis=0, dtype=np.float64)
    reach = t_quantile((1 + level) / 2, len(cosines) - 1) * cosines.std(axis=0, ddof=1, dtype=np.float64)
    return means, np.maximum(means - reach, -1), np.minimum(means + reach, 1)


def neighbors(
    words: Sequence[str],
    cosines: NDArray[np.float32],
    asked: Sequence[int],
    sentences: NDArray[np.int64],
    topn: int,
    level: float,
) -> Neighbors:
    """Return the words with the highest mean cosines.

    Parameters
    ----------
    words : sequence of n words
        All of them.
    cosines : float32 array, shape (n_runs, n)
        Those of each training with a query.
    asked : sequence of int
        Words of the query, which are no neighbors of it.
    sentences : int64 array, shape (n,)
        In how many sentences of the text each word is.
    topn : int
        Number of neighbors.
    level : float
        The level of intervals.
    """
    others = np.delete(np.arange(len(words)), asked)
    cosines = cosines[:, others]
    means, low, high = estimates(cosines, level)
    rows = []
    for i in np.argsort(-means, kind="stable")[:topn].tolist():
        ranks = np.sort(1 + (cosines > cosines[:, i : i + 1]).sum(axis=1))
        outside = math.floor((1 - level) / 2 * len(ranks) + 1e-9)  # trainings, on each side
        share = float((ranks <= topn).mean())
        word = int(others[i])
        is_certain = share >= level and sentences[word] >= FEWEST_SENTENCES
        rank_low, rank_high = int(ranks[outside]), int(ranks[-1 - outside])
        bounds = float(means[i]), float(low[i]), float(high[i])
        row = Neighbor(
            words[word], *bounds, rank_low, rank_high, share, int(sentences[word]), bool(is_certain)
        )
        rows.append(row)
    return Neighbors(rows)


def t_quantile(probability: float, degrees: int) -> float:
    """Return a quantile of Student's distribution, by the expansion in 1 / degrees of that of the normal one.

    From 4 degrees on it is right to 0.1 % for a probability of 0.975, and to 1 % for 0.995. M. Abramowitz and
    I. A. Stegun, "Handbook of mathematical functions", 1964, 26.7.5.
    """
    x = NormalDist().inv_cdf(probability)
    terms = (
        x,
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160,
    )
    return math.fsum(term / degrees**power for power, term in enumerate(terms))
