"""Features of a word besides its identity: capitalization and suffix, as rows of small tables.

Each feature has a table of vectors, which are learned and appended to the word's own (Collobert,
Weston, Bottou, Karlen, Kavukcuoglu and Kuksa 2011, "Natural language processing (almost) from scratch",
sections 3.2.2 and 6.1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from fastvec.classify.words.lexicon import PADDING, UNKNOWN, each_once

__all__ = ["FEATURES", "FeatureTable", "case_of", "suffix_of"]

# Characters of a suffix: what English makes of its words is mostly in the last three.
SUFFIX = 3
# A suffix must be seen that often to have a row of its own.
MIN_COUNT = 2


def case_of(word: str) -> str:
    """Return the capitalization of a word, or that it is a number or a sign."""
    if not any(map(str.isalpha, word)):
        return "number" if any(map(str.isdigit, word)) else "sign"
    if word.islower():
        return "lower"
    if word.isupper():
        return "upper" if len(word) > 1 else "capital"
    if word[0].isupper():
        return "title" if word[1:].islower() else "mixed title"
    return "mixed"


def suffix_of(word: str) -> str:
    """Return the last characters of a word, in lower case."""
    return word.lower()[-SUFFIX:]


# What a feature makes of a word, and how many numbers the vector of each value has.
FEATURES = {"case": (case_of, 8), "suffix": (suffix_of, 20)}


class FeatureTable:
    """The values of a feature as rows of a table, after those of padding and of unknown values.

    Parameters
    ----------
    name : {"case", "suffix"}
        The feature.
    values : sequence of str
        Its values.
    """

    def __init__(self, name: str, values: Sequence[str]) -> None:
        self.name = name
        self.values = list(values)
        self._value_of, self.vector_size = FEATURES[name]
        self._rows = {value: row for row, value in enumerate(self.values, UNKNOWN + 1)}

    @classmethod
    def of(cls, name: str, words: Iterable[str]) -> FeatureTable:
        """Return the table of the values that occur in some words often enough."""
        counts = Counter(map(FEATURES[name][0], words))
        return cls(name, [value for value, count in counts.most_common() if count >= MIN_COUNT])

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the table."""
        return UNKNOWN + 1 + len(self.values), self.vector_size

    def row(self, word: str) -> int:
        """Return the row of a word's value."""
        return self._rows.get(self._value_of(word), UNKNOWN)

    def rows(self, words: Iterable[str]) -> NDArray[np.int32]:
        """Return the rows of some words' values."""
        return each_once(self.row, words)

    def start(self, generator: np.random.Generator) -> NDArray[np.float32]:
        """Return the table to start from: small random rows, that of padding zeros."""
        table = generator.normal(0, 0.3, self.shape).astype(np.float32)
        table[PADDING] = 0
        return table
