"""Sentences as sets: every word meets all others of its sentence, whatever their order.

A sentence of n words has n (n − 1) pairs of a centre and a context. They are drawn, so that work stays in
proportion to the words: in every epoch, the words of a sentence are put in a random order, and a word meets
those within a distance w. A pair is trained then with the probability

    w (2n − w − 1) / (n (n − 1))        if n > w + 1, else 1,

the same for all pairs of a sentence: in expectation the gradient is that of all pairs, times this number, and
up to w + 1 words it is exactly that. A word has 2w contexts at most, as many as in a window of a text.

The order follows from the key of the epoch and the positions of the words alone: not from threads, nor from
where chunks end. A chunk is trained on as a text of its own, of all sentences that it has a part of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.reference.sampling import draw

__all__ = ["REACH", "in_random_order"]

# The distance w: up to 20 contexts, those of the longest windows in use for texts.
REACH = 10
# A sentence is put in order once for each of its chunks, which is too much work if it has many.
LONGEST = 1 << 16
# The order has another key than other draws of the epoch, and so has each chunk, whose words are counted from
# 0: any numbers, the second one odd.
KEY_OF_ORDER, KEYS_OF_CHUNKS = 0x5B1D_93C7_20EF_8A64, 0xC46E_0F8B_7A15_D239
# What a place in the order is made of: the number of the sentence, and so many random bits.
RANDOM_BITS = np.uint64(40)


def in_random_order(
    train: Callable[..., tuple[float, int, int]], ids: NDArray[np.int32], sentence_offsets: NDArray[np.int64]
) -> Callable[..., tuple[float, int, int]]:
    """Return what trains on the sentences of a chunk in a random order, another one for every key.

    Parameters
    ----------
    train : callable
        A kernel with all arguments but those of a chunk and of the text.
    ids : int32 array, shape (n_tokens,)
        The text.
    sentence_offsets : int64 array, shape (n_sentences + 1,)
        Sentence s is ``ids[sentence_offsets[s]:sentence_offsets[s + 1]]``.

    Raises
    ------
    ValueError
        If a sentence is too long.
    """
    longest = int(np.diff(sentence_offsets).max(initial=0))
    if longest > LONGEST:
        raise ValueError(
            f"window must be an int where a sentence has more than {LONGEST:,} words, got None for one of "
            f"{longest:,}: give a window, or cut long sentences"
        )

    def train_chunk(*, start: int, stop: int, key: int, **arguments: Any) -> tuple[float, int, int]:
        first = int(np.searchsorted(sentence_offsets, start, side="right")) - 1
        last = int(np.searchsorted(sentence_offsets, stop, side="left"))
        offsets = sentence_offsets[first : last + 1]
        if np.diff(offsets).max() <= REACH + 1:  # all pairs, in any order
            return train(
                ids=ids, sentence_offsets=sentence_offsets, start=start, stop=stop, key=key, **arguments
            )
        begin, end = int(offsets[0]), int(offsets[-1])
        return train(
            ids=ids[begin:end][order(offsets, key)],
            sentence_offsets=offsets - begin,
            start=start - begin,
            stop=stop - begin,
            key=(key + start * KEYS_OF_CHUNKS) % 2**64,
            **arguments,
        )

    return train_chunk


def order(offsets: NDArray[np.int64], key: int) -> NDArray[np.intp]:
    """Return where the words of some sentences in a row stand now, those of each in a random order."""
    positions = np.arange(offsets[0], offsets[-1])
    numbers = np.repeat(np.arange(len(offsets) - 1, dtype=np.uint64), np.diff(offsets))
    random = draw(key ^ KEY_OF_ORDER, positions) >> (np.uint64(64) - RANDOM_BITS)
    return np.argsort((numbers << RANDOM_BITS) | random)
