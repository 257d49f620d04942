"""What every model draws while it walks over the corpus: subsampling, window sizes, negatives.

Generator. It is counter based: draw number i of an epoch is

    draw(key, i) = mix64(key + i · 2⁶⁴/φ  mod 2⁶⁴)

the i-th word of SplitMix64 (Steele, Lea and Flood 2014) started at `key`. The token at position t of the
corpus owns the draws from t · draws_per_token up to those of its successor: the first one decides with its
upper half whether the token is kept and with its lower half how far its window reaches; the others are its
negatives. What is drawn for a token thus depends on the epoch's key and on its position alone, not on
threads, nor on where the corpus is cut into chunks.

Windows. They are drawn over the kept words of a sentence (Mikolov et al. 2013, as word2vec.c does it:
dropping words before windows are formed lets these reach farther). A size uniform in 1..W gives a context at
distance d the weight (W − d + 1) / W.

Negatives. An alias table turns one draw into one word: its upper half chooses a column, its lower half
whether the column's own word or its alias is meant (Walker 1974, Vose 1991).

A compromise: a number below 2³² is brought below n by a multiplication and a shift, which is uneven by up to
n / 2³² of a probability (Lemire 2019, without his rejection): 2e-4 for a million columns, less than a
corpus tells about any word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Window", "draw", "draw_noise", "is_kept", "walk_chunk", "window_size"]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ / golden ratio, odd: SplitMix64's increment
LOWER_HALF = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)

Words = NDArray[np.uint64]


class Window(NamedTuple):
    """A kept word of the corpus and its contexts.

    Attributes
    ----------
    position : int
        Where in the corpus the centre stands.
    center : int
        Its word id.
    contexts : int32 (C,)
        Word ids around it, in their order; C may be 0.
    n_before : int
        How many of them stand before it.
    """

    position: int
    center: int
    contexts: NDArray[np.int32]
    n_before: int


def mix64(z: Words) -> Words:
    """Return SplitMix64's finalizer: a random 64-bit word for every counter."""
    with np.errstate(over="ignore"):
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: Words = z ^ (z >> np.uint64(31))
    return result


def draw(key: int, counter: ArrayLike) -> Words:
    """Return draws number `counter` (int or uint64, any shape) of the sequence that starts at `key`."""
    with np.errstate(over="ignore"):
        return mix64(np.uint64(key) + np.asarray(counter, dtype=np.uint64) * GOLDEN)


def is_kept(word: Words, keep: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Return True with probability (keep + 1) / 2³²: the upper half of the token's first draw."""
    kept: NDArray[np.bool_] = (word >> HALF) <= keep
    return kept


def window_size(word: Words, window: int, dynamic: bool = True) -> NDArray[np.int64]:
    """Return a number uniform in 1..window, from the lower half of the token's first draw, or `window`."""
    smallest = 1 if dynamic else window
    n_sizes = np.uint64(window + 1 - smallest)
    size: NDArray[np.int64] = (((word & LOWER_HALF) * n_sizes) >> HALF).astype(np.int64)
    return size + smallest


def draw_noise(word: Words, noise: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Return words from the alias table `noise`, uint32 (n_words, 2), rows of (threshold, alias)."""
    column = ((word >> HALF) * np.uint64(len(noise))) >> HALF
    threshold, alias = noise[column, 0], noise[column, 1]
    return np.asarray(np.where((word & LOWER_HALF) < threshold, column, alias), dtype=np.int32)


def walk_chunk(
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    keep: NDArray[np.uint32],
    window: int,
    dynamic_window: bool,
    key: int,
    draws_per_token: int,
) -> Iterator[Window]:
    """Walk over the kept words at positions [start, stop), each with its window.

    Windows reach over the ends of the chunk, to words that the chunk itself does not train as centres. They
    never reach over the ends of a sentence, and count kept words only.

    Parameters
    ----------
    ids : IN, int32 (n_tokens,)
        The corpus; ids >= n_words are skipped as if they were not there.
    sentence_offsets : IN, int64 (n_sentences + 1,)
        Sentence s is ids[sentence_offsets[s]:sentence_offsets[s + 1]].
    start, stop : IN, int
        The chunk.
    keep : IN, uint32 (n_words,)
        A word is kept with probability (keep + 1) / 2³².
    window : IN, int
        Windows reach 1..window words to either side, drawn uniformly for every centre,
    dynamic_window : IN, bool
        or all of them `window` words.
    key : IN, uint64
        Start of the epoch's random sequence.
    draws_per_token : IN, int
        How many draws a token owns.

    Yields
    ------
    Window
        Position, centre, contexts and how many of these stand before the centre.
    """

    def kept(begin: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the kept words of [begin, end) and the sizes of their windows."""
        positions = np.arange(begin, end)
        positions = positions[ids[begin:end] < len(keep)]
        word = draw(key, positions.astype(np.uint64) * np.uint64(draws_per_token))
        stays = is_kept(word, keep[ids[positions]])
        return positions[stays], window_size(word[stays], window, dynamic_window)

    sentence = int(np.searchsorted(sentence_offsets, start, side="right")) - 1
    while sentence + 1 < len(sentence_offsets) and sentence_offsets[sentence] < stop:
        sentence_start, sentence_stop = int(sentence_offsets[sentence]), int(sentence_offsets[sentence + 1])
        sentence += 1
        margin = window  # how far beyond the chunk's ends we look for the words that windows may reach
        while True:
            begin, end = max(sentence_start, start - margin), min(sentence_stop, stop + margin)
            positions, sizes = kept(begin, end)
            first, last = np.searchsorted(positions, (start, stop)).tolist()
            enough_before = first >= window or begin == sentence_start
            enough_behind = len(positions) - last >= window or end == sentence_stop
            if enough_before and enough_behind:
                break
            margin *= 2
        words = ids[positions]
        for i in range(first, last):
            size = int(sizes[i])
            before = words[max(0, i - size) : i]
            contexts = np.concatenate((before, words[i + 1 : i + size + 1]))
            yield Window(int(positions[i]), int(words[i]), contexts, len(before))
