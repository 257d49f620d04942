"""Sentences as windows: the numbers of 2·w + 1 words side by side, for every word of a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["sentence_numbers", "windows"]


def windows(ids: NDArray[np.int32], lengths: Sequence[int], window: int, padding: int) -> NDArray[np.int32]:
    """Return the ids of every word and its neighbours, those beyond the ends of a sentence being `padding`.

    Parameters
    ----------
    ids : int32 array, shape (n,)
        The words of all sentences.
    lengths : sequence of int
        How many words each sentence has, n together.
    window : int
        w, the words to either side.
    padding : int
        What stands beyond the ends.

    Returns
    -------
    int32 array, shape (n, 2w + 1)
        The word itself is in column w.
    """
    n = len(ids)
    # Between two sentences there is room for w words of padding, which serve both.
    places = np.arange(n) + window * (sentence_numbers(lengths) + 1)
    padded = np.full(n + window * (len(lengths) + 1), padding, np.int32)
    padded[places] = ids
    found: NDArray[np.int32] = padded[places[:, np.newaxis] + np.arange(-window, window + 1)]
    return found


def sentence_numbers(lengths: Sequence[int]) -> NDArray[np.intp]:
    """Return for every word the number of its sentence."""
    return np.repeat(np.arange(len(lengths)), lengths)
