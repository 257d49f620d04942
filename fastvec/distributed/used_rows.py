"""Rows that pieces of a text use, where they are in matrices of these alone, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from fastvec.distributed.rooms import Matrix, Rows
from fastvec.distributed.row_files import Range

__all__ = ["Placed", "Selection", "Used", "found_in", "select_rows"]


class Used(NamedTuple):
    """What a piece uses, in rising order.

    Attributes
    ----------
    inputs, outputs : int32 array
        The rows of each matrix, and perhaps others.
    words : int32 array
        The words whose rows those of inputs are: the same without n-grams.
    """

    inputs: Rows
    outputs: Rows
    words: Rows

    @property
    def rows(self) -> tuple[Rows, Rows]:
        """The rows of each matrix."""
        return self.inputs, self.outputs


class Placed(NamedTuple):
    """Where rows are in matrices that have no others.

    Attributes
    ----------
    rows : tuple of int32 array
        The rows of each matrix, in the order of their places.
    places : tuple of int32 array
        The place of each row of both matrices. Those of outputs are of words, and 0 for others.
    """

    rows: tuple[Rows, Rows]
    places: tuple[Rows, Rows]

    @classmethod
    def of(cls, used: Used, of_words: Rows, of_inputs: Rows) -> Placed:
        """Give rows places: of words in zeros, and of inputs in any memory, which may be the same."""
        words = np.concatenate((used.words, np.setdiff1d(used.outputs, used.words, assume_unique=True)))
        of_words[words] = np.arange(len(words))
        of_inputs[used.inputs] = np.arange(len(used.inputs))
        return cls((used.inputs, words), (of_inputs, of_words))

    def text(self, used: Used, of_text: Mapping[str, Any]) -> dict[str, Any]:
        """Return arrays of the text in which rows and words are at their places."""
        found = dict(of_text)
        if found["frozen"] is not None:
            found["frozen"] = found["frozen"][used.inputs]
        if "subwords" in found:
            offsets = found["subword_offsets"]
            parts = (2 * used.words[:, np.newaxis] + np.arange(2)).reshape(-1)  # different rows, repetitions
            begins, lengths = offsets[parts], offsets[parts + 1] - offsets[parts]
            own = np.append(0, np.cumsum(lengths))
            rows = found["subwords"][np.repeat(begins - own[:-1], lengths) + np.arange(own[-1])]
            without = max(1, len(self.rows[1])) - len(used.words)  # rows of inputs
            found["subword_offsets"] = np.pad(own, (0, 2 * without), mode="edge")
            found["subwords"] = self.places[0][rows]
        return found


class Selection(NamedTuple):
    """Some rows of a block, in rising order: those that the lanes of a worker use."""

    rows: Rows
    vectors: Matrix


def select_rows(first_row: int, block: Matrix, *of_workers: Rows) -> tuple[Selection, ...]:
    """Return what workers use of a block."""
    return tuple(Selection(rows, block[rows - first_row]) for rows in of_workers)


def found_in(
    block: Matrix | Range | Selection, first_row: int, rows: Rows, places: Rows | None
) -> tuple[Matrix, int, Rows, Rows | None]:
    """Return a matrix with rows of a block, the number of its first row, theirs in it, and their places."""
    if isinstance(block, Selection):
        numbers = np.searchsorted(block.rows, rows).astype(np.int32)
        return block.vectors, 0, numbers, block.rows if places is None else places[block.rows]
    return block.rows() if isinstance(block, Range) else block, first_row, rows, places
