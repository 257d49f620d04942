"""Where two words of a text stand near each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from fastvec.corpus.corpus import Corpus
from fastvec.corpus.vocabulary import Vocabulary

__all__ = ["Quotation", "Quotations"]

# Ids that are compared at a time.
IDS_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Quotation:
    """A part of a sentence in which two words stand near each other.

    Attributes
    ----------
    sentence : int
        The number of the sentence in the corpus, from 0 on.
    offset : int
        The position of the first of `words` in the corpus: ``corpus.ids[offset]`` is its id.
    words : tuple of str
        The words, with a window to both sides as far as the sentence goes.
    places : tuple of (int, int)
        Where the two stand in `words`.
    """

    sentence: int
    offset: int
    words: tuple[str, ...]
    places: tuple[int, int]

    def __str__(self) -> str:
        shown = [f"[{word}]" if i in self.places else str(word) for i, word in enumerate(self.words)]
        return f"sentence {self.sentence:,}: {' '.join(shown)}"


class Quotations:
    """A search for pairs of words in a text.

    Parameters
    ----------
    corpus : Corpus
        The text.
    vocabulary : Vocabulary
        The words that count: a window reaches across others, as if they were not there.
    window : int
        How many of these words there are from one word of a pair to the other, at most.
    symmetric : bool
        Whether the second word may also be to the right of the first.
    """

    def __init__(self, corpus: Corpus, vocabulary: Vocabulary, window: int, symmetric: bool = True) -> None:
        self._corpus = corpus
        self._window = window
        self._symmetric = symmetric
        words = map(str, corpus.vocabulary.words)
        self._counts = np.fromiter((word in vocabulary.index for word in words), np.bool_)
        self._found: dict[int, NDArray[np.intp]] = {}

    def of(self, first: str, second: str, n: int) -> list[Quotation]:
        """Return up to `n` quotations of a pair, of different sentences, the nearest ones first."""
        index = self._corpus.vocabulary.index
        if first not in index or second not in index:
            return []
        pairs = self._pairs(self._places(index[first]), self._places(index[second]))
        return list(islice(self._of_sentences(pairs), n))

    def _places(self, word: int) -> NDArray[np.intp]:
        """Return where a word stands in the text."""
        if word not in self._found:
            ids = self._corpus.ids
            blocks = range(0, len(ids), IDS_AT_ONCE)
            found = [begin + np.flatnonzero(ids[begin : begin + IDS_AT_ONCE] == word) for begin in blocks]
            self._found[word] = np.concatenate(found)
        return self._found[word]

    def _pairs(self, first: NDArray[np.intp], second: NDArray[np.intp]) -> list[list[int]]:
        """Return the places of each first word with those of the nearest second words, by distance."""
        neighbors = [(first, np.searchsorted(second, first, "left") - 1)]
        if self._symmetric:
            neighbors.append((first, np.searchsorted(second, first, "right")))
        pairs = np.concatenate(
            [
                np.stack((ours[inside], second[places[inside]]), axis=1)
                for ours, places in neighbors
                for inside in [(places >= 0) & (places < len(second))]
            ]
        )
        sentences = np.searchsorted(self._corpus.sentence_offsets, pairs, "right")
        pairs = pairs[sentences[:, 0] == sentences[:, 1]]
        distances = np.abs(pairs[:, 0] - pairs[:, 1])
        order = np.argsort(distances, kind="stable")
        in_order: list[list[int]] = pairs[order].tolist()
        return in_order

    def _of_sentences(self, pairs: list[list[int]]) -> Iterator[Quotation]:
        """Yield the pairs that stand within a window, one of each sentence."""
        offsets, seen = self._corpus.sentence_offsets, set()
        for pair in pairs:
            sentence = int(np.searchsorted(offsets, pair[0], "right")) - 1
            if sentence in seen or not self._are_near(*sorted(pair)):
                continue
            seen.add(sentence)
            begin = max(int(offsets[sentence]), min(pair) - self._window)
            end = min(int(offsets[sentence + 1]), max(pair) + self._window + 1)
            vocabulary = self._corpus.vocabulary.words
            words = tuple(str(vocabulary[word]) for word in self._corpus.ids[begin:end].tolist())
            yield Quotation(sentence, begin, words, (pair[0] - begin, pair[1] - begin))

    def _are_near(self, left: int, right: int) -> bool:
        between = self._corpus.ids[left:right]
        return int(np.count_nonzero(self._counts[between])) <= self._window
