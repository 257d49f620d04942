"""Explanations of how similar two words are: what they consist of, and how they are shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from fastvec.corpus.quotations import Quotation

__all__ = ["Context", "Dimension", "Entry", "Explanation"]


@dataclass(frozen=True)
class Dimension:
    """The part of a dimension in a cosine.

    Attributes
    ----------
    dimension : int
        The column of the vectors, from 0 on.
    values : tuple of (float, float)
        The coordinates of the two unit vectors.
    part : float
        Their product. Those of all dimensions have the cosine as their sum.
    """

    dimension: int
    values: tuple[float, float]
    part: float


@dataclass(frozen=True)
class Context:
    """A word that stands near both words more often than by chance.

    Attributes
    ----------
    word : str
        The context.
    counts : tuple of (float, float)
        How often it stands near each of the two, as `Cooccurrence` counts.
    ppmi : tuple of (float, float)
        Its positive pointwise mutual information with each of the two.
    part : float
        Its part in `Explanation.context_cosine`, which is the sum of those of all shared contexts.
    """

    word: str
    counts: tuple[float, float]
    ppmi: tuple[float, float]
    part: float


@dataclass(frozen=True)
class Entry:
    """A count and what GloVe makes of it.

    Attributes
    ----------
    word, context : str
        The row and the column.
    count : float
        The count X.
    logarithm : float
        log X, which is fitted.
    fitted : float
        w · c + b + b̃: the product of the two vectors with the biases added.
    weight : float
        The weight of the squared error in the cost, from 0 to 1.
    """

    word: str
    context: str
    count: float
    logarithm: float
    fitted: float
    weight: float


@dataclass(frozen=True)
class Explanation:
    """Why two words are as similar as they are; `print` shows the largest parts.

    Attributes
    ----------
    words : tuple of (str, str)
        The two words.
    cosine : float
        The cosine of their vectors.
    dimensions : tuple of Dimension
        The parts of all dimensions in it, the largest first, whatever their sign.
    window : int, optional
        The window in which contexts were counted; None without a text.
    weighting : str, optional
        How they were weighted by distance, see `Cooccurrence`.
    context_cosine : float, optional
        The cosine of the two rows of positive pointwise mutual information, those of all contexts.
    n_shared : int
        The number of shared contexts.
    contexts : tuple of Context
        The shared contexts with the largest parts in `context_cosine`.
    sentences : tuple of Quotation
        Where the two stand near each other, and then where they stand near shared contexts.
    entries : tuple of Entry
        For `GloVe`, the counts of the two words with each other and with `contexts`.
    """

    SHOWN: ClassVar[int] = 10

    words: tuple[str, str]
    cosine: float
    dimensions: tuple[Dimension, ...] = field(repr=False)
    window: int | None = None
    weighting: str | None = None
    context_cosine: float | None = None
    n_shared: int = 0
    contexts: tuple[Context, ...] = field(default=(), repr=False)
    sentences: tuple[Quotation, ...] = field(default=(), repr=False)
    entries: tuple[Entry, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        first, second = self.words
        lines = [f"{first} and {second}: cosine {self.cosine:.3f}"]
        if self.window is not None:
            lines += ["", *self._lines_of_contexts()]
        if self.sentences:
            lines += ["", *map(str, self.sentences)]
        if self.entries:
            lines += ["", *self._lines_of_entries()]
        return "\n".join([*lines, "", *self._lines_of_dimensions()])

    def _lines_of_contexts(self) -> list[str]:
        many = f"{self.n_shared:,} shared contexts" if self.n_shared != 1 else "1 shared context"
        where = f"in windows of {self.window}, {self.weighting} weights"
        if self.context_cosine is None or not self.contexts:
            return [f"{many} {where}"]
        rows = [
            (context.word, *(f"{value:.2f}" for value in context.ppmi), f"{context.part:.4f}",
             *(f"{count:,.1f}" for count in context.counts))
            for context in self.contexts
        ]  # fmt: skip
        names = tuple(f"{what} {word}" for what in ("PPMI", "near") for word in self.words)
        head = ("context", *names[:2], "part", *names[2:])
        return [f"{many} {where}: cosine of PPMI {self.context_cosine:.3f}", *_columns([head, *rows], 1)]

    def _lines_of_entries(self) -> list[str]:
        rows = [
            (entry.word, entry.context, f"{entry.count:,.1f}", f"{entry.logarithm:.2f}",
             f"{entry.fitted:.2f}", f"{entry.weight:.2f}")
            for entry in self.entries
        ]  # fmt: skip
        return _columns([("word", "context", "X", "log X", "fitted", "weight"), *rows], 2)

    def _lines_of_dimensions(self) -> list[str]:
        shown = self.dimensions[: self.SHOWN]
        rows = [
            (str(each.dimension), *(f"{value:.3f}" for value in each.values), f"{each.part:.4f}")
            for each in shown
        ]
        left = self.dimensions[len(shown) :]
        if left:
            rest = sum(each.part for each in left)
            rows.append((f"{len(left):,} others", "", "", f"{rest:.4f}"))
        return _columns([("dimension", *self.words, "part"), *rows], 1)


def _columns(rows: list[tuple[str, ...]], n_left: int) -> list[str]:
    """Return rows with columns of equal width, the first `n_left` of which are aligned to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{cell:<{width}}" if i < n_left else f"{cell:>{width}}"
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
