"""Words that are spelled like another, for error messages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["nearest_spellings"]

# Words whose lengths differ by more than this are never looked at.
LENGTH_DIFFERENCE = 3


def nearest_spellings(word: str, words: Sequence[str], count: int = 3) -> list[str]:
    """Return the `words` nearest to `word` by edit distance, upper and lower case being equal.

    The table of Levenshtein's distance is filled for all words at once: its cells are rows of an array with
    one column a word, which takes 20 ms for 70,000 words. Of equally near words, those first in `words` come
    first.
    """
    word = word.lower()
    near = [
        (i, other.lower())
        for i, other in enumerate(words)
        if abs(len(other) - len(word)) <= LENGTH_DIFFERENCE
    ]
    if not near:
        return []
    letters = np.array([other for _, other in near])
    letters = letters.view(np.uint32).reshape(len(near), -1).T.copy()
    longest = len(letters)
    # distances[j]: from the letters of `word` read so far to the first j letters of each other word.
    distances = np.repeat(np.arange(longest + 1, dtype=np.int32)[:, np.newaxis], len(near), axis=1)
    for i, letter in enumerate(word, 1):
        previous, distances = distances, np.empty_like(distances)
        distances[0] = i
        np.minimum(previous[:-1] + (letters != ord(letter)), previous[1:] + 1, out=distances[1:])
        for j in range(1, longest + 1):
            np.minimum(distances[j], distances[j - 1] + 1, out=distances[j])
    whole = distances[[len(other) for _, other in near], np.arange(len(near))]
    return [words[near[k][0]] for k in np.argsort(whole, kind="stable")[:count]]
