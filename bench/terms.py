"""What a contender, a row and a goal are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ALL", "BASE", "FRESH_PAGES", "LABELLED", "SEEDED", "Contender", "Goal", "Row"]

ALL = 0  # as a number of threads: as many as the machine has, or --threads
BASE = "gensim"  # whom the ratios are to, unless a row says otherwise

# Kinds of rows that learn from labels, and kinds whose rounds are `--seeds`.
LABELLED = ("tagging", "locations", "polarity", "polarity-speed", "polarity-vectors")
SEEDED = ("whole", "tagging", "locations", "polarity", "polarity-vectors")

# fastText 0.9.3 draws starting values for the first threads/10 of its matrix only and leaves the rest as the
# memory was, which ends in "Encountered NaN" if that was used before. Fresh pages are zeros, which do.
FRESH_PAGES = {"MALLOC_MMAP_THRESHOLD_": "1048576"}


@dataclass(frozen=True)
class Contender:
    """A program with certain options.

    Attributes
    ----------
    name : str
        What the tables call it.
    worker : str
        The function of ``contenders.py`` that runs it.
    options : dict
        Settings of its own, on top of those of the row.
    environment : dict
        Environment variables of its process.
    slow : bool
        Whether the long rows run it for `--slow-seeds` seeds only.
    """

    name: str
    worker: str
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    slow: bool = False


@dataclass(frozen=True)
class Row:
    """One measurement: contenders that do the same work in turn.

    Attributes
    ----------
    name, title : str
        What `--only` and the tables call it.
    kind : {"speed", "reading", "phrases", "counting", "entries", "svd", "whole"} or of `LABELLED`
        "speed": training alone, on the first `--speed-words` words, `--repeats` times. "reading": text to
        ids on the whole text. "phrases": from a text to its phrases, and to itself with these joined.
        "counting": ids to counts. "entries": training alone on the counts of the whole text. "svd": from
        these counts to vectors. "whole": from text to saved vectors and their quality, once for every seed.
        "polarity-speed": fitting alone, on all sentences. The others of `LABELLED`: fitting and the scores,
        once for every seed.
    entries : tuple of (Contender, numbers of threads)
        Who takes part, in this order in every round.
    settings : dict
        What differs from `SETTINGS`. With `skipgram`, the parameters of vectors that are made of the text
        beforehand. With `against`, whom the points of a contender are to.
    base : str
        Whom the ratios are to.
    rare : bool
        Whether MEN's pairs with a rare word and with an unseen one are tests of their own.
    """

    name: str
    title: str
    kind: str
    entries: tuple[tuple[Contender, tuple[int, ...]], ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    base: str = BASE
    rare: bool = False


@dataclass(frozen=True)
class Goal:
    """A figure that was promised.

    Attributes
    ----------
    text : str
        What it is.
    row, contender : str
        Where to find it.
    threads : int
        With how many threads.
    figure : str
        A function of ``table.py``'s `FIGURES`.
    at_least : float
        The promise, in the unit of the figure.
    """

    text: str
    row: str
    contender: str
    threads: int
    figure: str
    at_least: float
