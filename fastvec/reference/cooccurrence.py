"""Counting which words stand near each other.

What is counted. The windows of a corpus are made of the words with ids below n_words; all others are dropped
before, so that windows reach farther. With a weight for every distance δ = 1..W, never over the ends of a
sentence,

    X[i, j] = Σ weight(δ)   over all pairs of a word i and a word j that stands δ words to its left

and, where counting is symmetric, to its right. Weights are whole numbers of units, such as 360360 / δ: sums
of whole numbers are the same in any order, so that it does not matter who counts which part of a corpus.

How. The words that are left are written one after the other (`kept`), and for every word the places where it
stands (`places`, grouped by word), each one number that holds the position and how far the window reaches:

    place = position << 20 | left << 10 | right

A row of X is then counted on its own, from the places of its word alone, and comes out sorted. Rows are
written to arrays that may be too small for all of them: who calls continues with the row that was reached.
Before every row there has to be room for n_words entries, the most that a row can have.

No row is an approximation: nothing is hashed, cut off or drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["count_rows", "count_words", "merge_rows", "place_words"]

Counts = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]


def count_words(ids: NDArray[np.int32], counts: NDArray[np.int64]) -> None:
    """Add up how often every word occurs.

    Parameters
    ----------
    ids : IN, int32 (n,)
        Words; ids >= n_words are skipped.
    counts : IN/OUT, int64 (n_words,)
        Raised by one for every word that occurs.
    """
    np.add.at(counts, ids[ids < len(counts)], 1)


def place_words(
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    first: int,
    last: int,
    n_words: int,
    window: int,
    symmetric: bool,
    begin: int,
    kept: NDArray[np.int32],
    cursors: NDArray[np.int64],
    places: NDArray[np.uint64],
) -> int:
    """Note where every word stands in some sentences.

    Parameters
    ----------
    ids : IN, int32 (n_tokens,)
        The corpus.
    sentence_offsets : IN, int64 (n_sentences + 1,)
        Sentence s is ids[sentence_offsets[s]:sentence_offsets[s + 1]].
    first, last : IN, int
        The sentences, the last one excluded.
    n_words : IN, int
        Ids >= n_words are dropped before windows are made.
    window : IN, int
        How many words a window reaches to either side, 1..1000.
    symmetric : IN, bool
        Whether windows reach to the right too.
    begin : IN, int
        Where the words of these sentences begin in `kept`.
    kept : OUT, int32 (n_kept,)
        The words that are left, from `begin` on.
    cursors : IN/OUT, int64 (n_words,)
        Where the next place of every word is written; raised by one for each.
    places : OUT, uint64 (n_kept,)
        ``position << 20 | left << 10 | right``: a position in `kept`, and how many words of its sentence are
        in the window to the left and to the right of it.

    Returns
    -------
    int
        Where the words of these sentences end in `kept`.
    """
    for sentence in range(first, last):
        words = ids[sentence_offsets[sentence] : sentence_offsets[sentence + 1]]
        words = words[words < n_words]
        kept[begin : begin + len(words)] = words
        for i, word in enumerate(words):
            left = min(i, window)
            right = min(len(words) - 1 - i, window) if symmetric else 0
            places[cursors[word]] = (begin + i) << 20 | left << 10 | right
            cursors[word] += 1
        begin += len(words)
    return begin


def count_rows(
    kept: NDArray[np.int32],
    places: NDArray[np.uint64],
    place_offsets: NDArray[np.int64],
    weights: NDArray[np.int64],
    first: int,
    last: int,
    columns: NDArray[np.int32],
    units: NDArray[np.int64],
    row_sizes: NDArray[np.int64],
) -> tuple[int, int]:
    """Count the contexts of some words.

    Parameters
    ----------
    kept, places : IN, int32 and uint64 (n_kept,)
        What `place_words` has made of the whole corpus.
    place_offsets : IN, int64 (n_words + 1,)
        The places of word i are places[place_offsets[i]:place_offsets[i + 1]].
    weights : IN, int64 (window,)
        The units that a context at distance δ counts, weights[δ − 1] >= 1.
    first, last : IN, int
        The words, the last one excluded.
    columns, units : OUT, int32 and int64 (room,)
        Contexts, ascending in each row, and their counts, row after row; room >= n_words.
    row_sizes : OUT, int64 (last - first,)
        How many entries each row has that was written.

    Returns
    -------
    reached : int
        The row before which it stopped: `last`, or one for which less room than n_words was left.
    n_entries : int
        How many entries were written.
    """

    def add_row(word: int, sums: NDArray[np.int64]) -> None:
        for place in places[place_offsets[word] : place_offsets[word + 1]].tolist():
            position, left, right = place >> 20, place >> 10 & 1023, place & 1023
            np.add.at(sums, kept[position - left : position][::-1], weights[:left])
            np.add.at(sums, kept[position + 1 : position + 1 + right], weights[:right])

    return write_rows(add_row, len(place_offsets) - 1, first, last, columns, units, row_sizes)


def merge_rows(
    sources: Sequence[Counts],
    rows: Sequence[NDArray[np.int32] | None],
    maps: Sequence[NDArray[np.int32] | None],
    n_words: int,
    first: int,
    last: int,
    columns: NDArray[np.int32],
    units: NDArray[np.int64],
    row_sizes: NDArray[np.int64],
) -> tuple[int, int]:
    """Add up some rows of several counts.

    Parameters
    ----------
    sources : IN, list of (int64 (n_rows + 1,), int32 (n_entries,), int64 (n_entries,))
        Offsets of the rows, columns and units of each.
    rows : IN, list of int32 (n_words,) or None
        rows[s][i] is the row of source s that is row i of the sum, -1 if there is none. None: its rows have
        the same numbers, and those past its end are empty.
    maps : IN, list of int32 (n_words of the source,) or None
        maps[s][j] is the column of the sum that is column j of source s. None: the same numbers.
    n_words : IN, int
        Of the sum.
    first, last : IN, int
        The rows of the sum, the last one excluded.
    columns, units : OUT, int32 and int64 (room,)
        Contexts, ascending in each row, and their counts, row after row; room >= n_words.
    row_sizes : OUT, int64 (last - first,)
        How many entries each row has that was written.

    Returns
    -------
    reached : int
        The row before which it stopped: `last`, or one for which less room than n_words was left.
    n_entries : int
        How many entries were written.
    """

    def add_row(word: int, sums: NDArray[np.int64]) -> None:
        for (row_offsets, source_columns, source_units), numbers, renumbered in zip(
            sources, rows, maps, strict=True
        ):
            row = word if numbers is None else int(numbers[word])
            if 0 <= row < len(row_offsets) - 1:
                entries = slice(row_offsets[row], row_offsets[row + 1])
                found = source_columns[entries]
                np.add.at(sums, found if renumbered is None else renumbered[found], source_units[entries])

    return write_rows(add_row, n_words, first, last, columns, units, row_sizes)


def write_rows(
    add_row: Callable[[int, NDArray[np.int64]], None],
    n_words: int,
    first: int,
    last: int,
    columns: NDArray[np.int32],
    units: NDArray[np.int64],
    row_sizes: NDArray[np.int64],
) -> tuple[int, int]:
    """Write rows [first, last), each of which ``add_row(row, sums)`` adds to an array of zeros."""
    n_entries = 0
    for row in range(first, last):
        if len(columns) - n_entries < n_words:
            return row, n_entries
        sums = np.zeros(n_words, dtype=np.int64)
        add_row(row, sums)
        found = np.flatnonzero(sums)
        columns[n_entries : n_entries + len(found)] = found
        units[n_entries : n_entries + len(found)] = sums[found]
        row_sizes[row - first] = len(found)
        n_entries += len(found)
    return last, n_entries
