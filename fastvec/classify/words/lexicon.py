"""Words as rows of a table: one row for padding, one for unknown words, and one for each known word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fastvec.vectors import UnknownWordError, Vectors

__all__ = ["FIRST_WORD", "PADDING", "UNKNOWN", "Lexicon", "each_once", "spellings", "starting_table"]

PADDING, UNKNOWN, FIRST_WORD = 0, 1, 2

DIGIT = re.compile(r"\d")

Sentences = Sequence[Sequence[str]]


class Lexicon:
    """The row of each word in a table.

    A word that is not found is looked up in lower case, then with every digit replaced by 0:
    vectors are often of lower-case words, and the digits of a year hardly matter.

    Parameters
    ----------
    words : sequence of str
        Different words, whose rows follow those of padding and of unknown words.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = [*map(str, words)]  # ids as their digits

    def __len__(self) -> int:
        return FIRST_WORD + len(self.words)

    @cached_property
    def as_written(self) -> dict[str, int]:
        """The rows of the words, as they are written."""
        return {word: row for row, word in enumerate(self.words, FIRST_WORD)}

    def row(self, word: str) -> int:
        """Return the row of a word, or that of unknown words."""
        known = self.as_written
        row = known.get(word)
        if row is None:  # the other spellings are made only for words that need them
            row = next((known[form] for form in spellings(word) if form in known), UNKNOWN)
        return row

    def rows(self, words: Iterable[str]) -> NDArray[np.int32]:
        """Return the rows of some words."""
        words = list(words)
        if words == self.words:
            return np.arange(FIRST_WORD, len(self), dtype=np.int32)
        rows = list(map(self.as_written.get, words))
        if None in rows:
            others = [i for i, row in enumerate(rows) if row is None]
            for i, row in zip(others, each_once(self.row, [words[i] for i in others]).tolist(), strict=True):
                rows[i] = row
        return np.array(rows, np.int32)

    def with_words_of(self, sentences: Sentences, min_count: int, *, as_written: bool = False) -> Lexicon:
        """Return a lexicon that also has the words of a text that are unknown and frequent enough in it.

        They are in lower case and with 0 for every digit there, unless they are wanted as they are written.
        """
        counts: Counter[str] = Counter()
        for word, n in Counter(word for sentence in sentences for word in sentence).items():
            if self.row(word) == UNKNOWN:
                counts[word if as_written else list(spellings(word))[-1]] += n
        return Lexicon([*self.words, *(word for word, n in counts.most_common() if n >= min_count)])


def each_once(row_of: Callable[[str], int], words: Iterable[str]) -> NDArray[np.int32]:
    """Return the values of a function for some words, calling it once per distinct word."""
    found: dict[str, int] = {}
    rows = [found[word] if word in found else found.setdefault(word, row_of(word)) for word in words]
    return np.array(rows, np.int32)


def spellings(word: str) -> Iterator[str]:
    """Yield a word as it is, in lower case, and with every digit replaced by 0."""
    yield word
    lowered = word.lower()
    yield lowered
    yield DIGIT.sub("0", lowered)


def starting_table(
    lexicon: Lexicon, vectors: Vectors | None, vector_size: int, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Return a row for every word of a lexicon: its vector if it has one, else random numbers of that size.

    The first words of the lexicon are those of the vectors. The row of padding is zeros, that of unknown
    words the mean of all vectors.
    """
    if vectors is None:
        table = generator.uniform(-1, 1, (len(lexicon), vector_size)).astype(np.float32)
        table *= np.float32(np.sqrt(3 / vector_size))  # rows of a length of about 1
        table[PADDING] = 0
        return table
    scale = float(vectors.vectors.std()) if len(vectors) else vectors.vector_size**-0.5
    table = generator.normal(0, scale, (len(lexicon), vectors.vector_size)).astype(np.float32)
    table[PADDING] = 0
    n = len(vectors)
    if n:
        table[UNKNOWN] = vectors.vectors.mean(axis=0)
    table[FIRST_WORD : FIRST_WORD + n] = vectors.vectors
    for row, word in enumerate(lexicon.words[n:], FIRST_WORD + n):
        with suppress(UnknownWordError):  # n-grams know words that are not in the vocabulary
            table[row] = vectors[word]
    return table
