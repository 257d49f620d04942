"""Phrases: pairs of neighbouring words are counted, some of them joined, and ids spelled as text.

A `PairCounter` counts the pairs of a corpus chunk by chunk. A `Joiner` replaces pairs by the ids of phrases,
greedily from left to right. Pairs never reach over the end of a sentence.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

__all__ = ["Joiner", "PairCounter", "renumber", "spell"]


class PairCounter:
    """Counts pairs of words that are neighbours but for connectors.

    A word with connectors behind it is a link, which has a negative number: -1, -2, ... in the order of first
    appearance. Connectors neither begin nor end a pair.

    Parameters
    ----------
    connectors : uint8 array, shape (n_words,) or (0,)
        IN: 1 for words that are connectors; empty if there are none.
    """

    def __init__(self, connectors: NDArray[np.uint8]) -> None:
        self._counts: Counter[tuple[int, int]] = Counter()
        self._connectors = {*np.flatnonzero(connectors).tolist()}
        self._links: dict[tuple[int, int], int] = {}

    def add(
        self,
        ids: NDArray[np.int32],
        sentence_offsets: NDArray[np.int64],
        start: int,
        stop: int,
        n_known: int,
    ) -> None:
        """Count the pairs that begin in a chunk of the corpus.

        Parameters
        ----------
        ids : int32 array, shape (n_tokens,)
            IN: the words of all sentences.
        sentence_offsets : int64 array, shape (n_sentences + 1,)
            IN: where each sentence begins, and `n_tokens`.
        start, stop : int
            The chunk: the words at these positions, the last one excluded, are the first of their pairs.
        n_known : int
            Pairs with an id from `n_known` on are not counted.
        """
        check_chunk(ids, sentence_offsets, start, stop)
        begins = set(sentence_offsets.tolist())
        for i in range(start, stop):
            if i + 1 in begins or ids[i] >= n_known or ids[i] in self._connectors:
                continue
            left, right = int(ids[i]), i + 1
            while ids[right] in self._connectors and right + 1 not in begins:
                left = self._links.setdefault((left, int(ids[right])), -1 - len(self._links))
                right += 1
            if ids[right] < n_known and ids[right] not in self._connectors:
                self._counts[left, int(ids[right])] += 1

    def links(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the words or links, and the connectors, of which the links -1, -2, ... are made."""
        lefts, connectors = (np.array([pair[side] for pair in self._links], np.int32) for side in (0, 1))
        return lefts, connectors

    def pairs(self, min_count: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        """Return the pairs that were counted at least `min_count` times, in any order.

        Returns
        -------
        lefts, rights : int32 array
            Their first words, or links, and their last words.
        counts : int64 array
            How often they were counted.
        """
        found = [(pair, count) for pair, count in self._counts.items() if count >= min_count]
        lefts, rights = (np.array([pair[side] for pair, _ in found], np.int32) for side in (0, 1))
        return lefts, rights, np.array([count for _, count in found], np.int64)


class Joiner:
    """Replaces pairs of words by phrases.

    Parameters
    ----------
    lefts, rights : int32 array, shape (n_pairs,)
        IN: the first and the second words of the pairs, which differ.
    phrases : int32 array, shape (n_pairs,)
        IN: the ids of what the pairs become. A negative one is a link, which becomes something only with the
        words that follow: it is then the first half of other pairs.
    """

    def __init__(
        self, lefts: NDArray[np.int32], rights: NDArray[np.int32], phrases: NDArray[np.int32]
    ) -> None:
        if not len(lefts) == len(rights) == len(phrases):
            raise ValueError(
                f"rights and phrases must have {len(lefts)} items like lefts, "
                f"got {len(rights)} and {len(phrases)}"
            )
        pairs = zip(lefts.tolist(), rights.tolist(), strict=True)
        self._phrases = dict(zip(pairs, phrases.tolist(), strict=True))

    def join(
        self,
        ids: NDArray[np.int32],
        sentence_offsets: NDArray[np.int64],
        start: int,
        stop: int,
        new_ids: NDArray[np.int32],
        new_offsets: NDArray[np.int64],
        n_before: int,
    ) -> tuple[int, int]:
        """Join the pairs that begin in a chunk of the corpus, each as soon as its first word is met.

        Parameters
        ----------
        ids : int32 array, shape (n_tokens,)
            IN: the words of all sentences.
        sentence_offsets : int64 array, shape (n_sentences + 1,)
            IN: where each sentence begins, and `n_tokens`; no sentence is empty.
        start, stop : int
            The chunk. `start` is where the chunk before ended.
        new_ids : int32 array
            OUT: the words and phrases of the chunk; at least ``stop - start`` items.
        new_offsets : int64 array, shape (n_sentences + 1,)
            OUT: where the sentences that begin in this chunk begin among all new ids.
        n_before : int
            How many ids the chunks before this one have become.

        Returns
        -------
        end : int
            Where the chunk ended: `stop`, or later if the last phrase reaches over it.
        n_new : int
            How many of `new_ids` there are.
        """
        check_chunk(ids, sentence_offsets, start, stop)
        if len(new_ids) < stop - start:
            raise ValueError(f"new_ids must have at least {stop - start} items, got {len(new_ids)}")
        if len(new_offsets) != len(sentence_offsets):
            raise ValueError(
                f"new_offsets must have {len(sentence_offsets)} items like sentence_offsets, "
                f"got {len(new_offsets)}"
            )
        sentence_at = {begin: sentence for sentence, begin in enumerate(sentence_offsets.tolist())}
        i, n = start, 0
        while i < stop:
            if i in sentence_at:
                new_offsets[sentence_at[i]] = n_before + n
            phrase: int | None = int(ids[i])
            right = i
            while phrase is not None and right + 1 not in sentence_at and (right == i or phrase < 0):
                right += 1
                phrase = self._phrases.get((phrase, int(ids[right])))
            if right == i or phrase is None or phrase < 0:
                phrase, right = int(ids[i]), i
            new_ids[n] = phrase
            i = right + 1
            n += 1
        return i, n


def check_chunk(ids: NDArray[np.int32], sentence_offsets: NDArray[np.int64], start: int, stop: int) -> None:
    """Raise ValueError unless the offsets end with the ids, and the chunk is one of them."""
    if len(sentence_offsets) < 1 or sentence_offsets[-1] != len(ids):
        raise ValueError(f"sentence_offsets must end with {len(ids)}, the number of ids")
    if not 0 <= start <= stop <= len(ids):
        raise ValueError(f"start and stop must be a chunk of the {len(ids)} ids, got {start} and {stop}")


def renumber(ids: NDArray[np.int32], numbers: NDArray[np.int32], counts: NDArray[np.int64], n: int) -> int:
    """Replace words by numbers in the order of their first appearance, and count them.

    Parameters
    ----------
    ids : int32 array
        IN and OUT: the words, every one from 0 to ``n_words - 1``, which is not checked; then their numbers.
    numbers : int32 array, shape (n_words,)
        IN and OUT: the number of every word, -1 for those that were not met yet.
    counts : int64 array, shape (n_words,)
        IN and OUT: how often the word of each number was met.
    n : int
        How many numbers were given out before.

    Returns
    -------
    int
        How many are given out now.
    """
    if len(counts) != len(numbers):
        raise ValueError(f"counts must have {len(numbers)} items like numbers, got {len(counts)}")
    for i, word in enumerate(ids):
        if numbers[word] < 0:
            numbers[word] = n
            n += 1
        ids[i] = numbers[word]
        counts[ids[i]] += 1
    return n


def spell(
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    text: NDArray[np.uint8],
    word_offsets: NDArray[np.int64],
) -> bytes:
    """Return a chunk of the corpus as text: a line feed after every sentence, a space after other words.

    Parameters
    ----------
    ids : int32 array, shape (n_tokens,)
        IN: the words of all sentences, every one from 0 to ``n_words - 1``, which is not checked.
    sentence_offsets : int64 array, shape (n_sentences + 1,)
        IN: where each sentence begins, and `n_tokens`; no sentence is empty.
    start, stop : int
        The chunk.
    text : uint8 array
        IN: all words, end to end, in UTF-8.
    word_offsets : int64 array, shape (n_words + 1,)
        IN: where each word begins in `text`, and its length.

    Returns
    -------
    bytes
    """
    check_chunk(ids, sentence_offsets, start, stop)
    ends = set(sentence_offsets.tolist())
    pieces = []
    for i in range(start, stop):
        pieces.append(text[word_offsets[ids[i]] : word_offsets[ids[i] + 1]].tobytes())
        pieces.append(b"\n" if i + 1 in ends else b" ")
    return b"".join(pieces)
