"""Counts computed elsewhere: sorted triples, and the records of GloVe's files in any order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastvec._params import check_item
from fastvec.corpus.sequences import check_sequences, ids_or_words
from fastvec.corpus.vocabulary import Vocabulary
from fastvec.counts.glove_files import map_records
from fastvec.counts.runs import CountMatrix, Runs
from fastvec.counts.units import choose_unit, in_units
from fastvec.training.progress import Progress
from fastvec.training.threads import Workers

__all__ = ["counts_of_records", "counts_of_triples", "vocabulary_of"]

# Records that are sorted at a time, at least, and the bytes that this takes for each.
FEWEST_RECORDS = 1 << 18
RECORD_BYTES = 64
# Triples or records that are checked at a time.
TRIPLES_AT_ONCE = 1 << 20


def vocabulary_of(words: Iterable[str | int], counts: ArrayLike | None) -> Vocabulary:
    """Return the vocabulary of given words, with counts of 1 if there are none.

    Raises
    ------
    TypeError, ValueError
        If the words or counts are invalid.
    """
    check_sequences("words", "a list of words", words)
    words = list(words)
    spelled = [check_item("a word", word) for word in words]
    if not spelled or "" in spelled or len(set(spelled)) < len(spelled):
        raise ValueError("words must be one or more distinct words, none of them empty")
    return Vocabulary(ids_or_words(words), np.ones(len(spelled), np.int64) if counts is None else counts)


def counts_of_triples(
    rows: ArrayLike, columns: ArrayLike, values: ArrayLike, n_words: int, own_unit: int
) -> tuple[CountMatrix, int]:
    """Return sorted triples as counts, and the unit of these.

    Raises
    ------
    TypeError, ValueError
        If they are not sorted triples of this many words with finite values greater than 0.
    """
    ids = {"rows": np.asarray(rows), "columns": np.asarray(columns)}
    numbers = np.asarray(values)
    for name, of_name in ids.items():
        if of_name.size and of_name.dtype.kind not in "iu":
            raise TypeError(f"{name} must be integers, got {of_name.dtype}")
    if numbers.size and numbers.dtype.kind not in "iuf":
        raise TypeError(f"values must be numbers, got {numbers.dtype}")
    shapes = {of_name.shape for of_name in (*ids.values(), numbers)}
    if len(shapes) > 1 or len(next(iter(shapes))) != 1:
        given = ", ".join(str(array.shape) for array in (*ids.values(), numbers))
        raise ValueError(f"rows, columns and values must be arrays of equal length, got shapes {given}")
    for name, of_name in ids.items():
        _refuse(name, f"from 0 to {n_words - 1}", (of_name < 0) | (of_name >= n_words), of_name)
    _refuse("values", "finite and > 0", ~_countable(numbers), numbers)
    of_row, of_column = (of_name.astype(np.int32) for of_name in ids.values())
    row_steps, column_steps = np.diff(of_row), np.diff(of_column)
    unsorted = (row_steps < 0) | ((row_steps == 0) & (column_steps <= 0))
    if unsorted.any():
        place = int(unsorted.argmax())
        before, after = ((int(of_row[i]), int(of_column[i])) for i in (place, place + 1))
        raise ValueError(
            "triples must be sorted by row and then by column, each pair once, "
            f"got {after} after {before} at place {place + 1}"
        )
    blocks = (numbers[begin : begin + TRIPLES_AT_ONCE] for begin in range(0, len(numbers), TRIPLES_AT_ONCE))
    unit = choose_unit(blocks, own_unit)
    row_offsets = np.searchsorted(of_row, np.arange(n_words + 1)).astype(np.int64)
    return CountMatrix(row_offsets, of_column, in_units(numbers, unit)), unit


def counts_of_records(
    path: Path,
    vocabulary_path: Path,
    n_words: int,
    own_unit: int,
    threads: int,
    memory_limit: int,
    progress: bool,
) -> tuple[CountMatrix, int]:
    """Return the records of a file, in any order, as counts, and the unit of these.

    The records are sorted in pieces that fit in memory, and these merged.

    Raises
    ------
    OSError
        If the file cannot be read, or the disk is full.
    ValueError
        If the file is truncated, a word is not in the vocabulary, a count is not finite and greater than 0,
        or a pair occurs twice.
    """
    records = map_records(path)
    values = _checked_values(path, vocabulary_path, records, n_words)
    unit = choose_unit(values, own_unit, f"{path}: the counts")
    at_once = max(memory_limit // 2 // RECORD_BYTES, FEWEST_RECORDS)
    with Workers(threads) as workers, Runs(n_words, workers, memory_limit // 2) as runs:
        with Progress("sorting", len(records), " entries", progress) as bar:
            for begin in range(0, len(records), at_once):
                piece = _sorted(records[begin : begin + at_once], n_words, unit)
                runs.put(piece, "the sorted counts")
                bar.update(len(piece.columns))
        counts = runs.finish(progress)
    if (n := len(records) - len(counts.columns)) > 0:
        raise ValueError(f"{path}: corrupt, {n} of its records repeat the words of others")
    return counts, unit


def _checked_values(
    path: Path, vocabulary_path: Path, records: NDArray[Any], n_words: int
) -> Iterator[NDArray[np.float64]]:
    """Yield the counts of all records, after validation."""
    for begin in range(0, len(records), TRIPLES_AT_ONCE):
        block = records[begin : begin + TRIPLES_AT_ONCE]
        largest = max(int(block[name].max()) for name in ("word1", "word2"))
        if largest > n_words:
            raise ValueError(
                f"counts and vocabulary do not belong together: {path} counts word {largest:,}, and "
                f"{vocabulary_path} has {n_words:,} words"
            )
        wrong = (block["word1"] < 1) | (block["word2"] < 1) | ~_countable(block["count"])
        if wrong.any():
            place = int(wrong.argmax())
            raise ValueError(
                f"{path}, record {begin + place + 1:,}: expected two words from 1 on and a count above 0, "
                f"got {block[place].tolist()}"
            )
        yield block["count"]


def _sorted(records: NDArray[Any], n_words: int, unit: int) -> CountMatrix:
    """Return some records as counts; of those with the same words, one."""
    keys = (records["word1"].astype(np.int64) - 1) * n_words + (records["word2"] - 1)
    values = records["count"]
    if not (keys[1:] > keys[:-1]).all():
        keys, order = np.unique(keys, return_index=True)
        values = values[order]
    row_offsets = np.searchsorted(keys, np.arange(n_words + 1, dtype=np.int64) * n_words)
    return CountMatrix(
        row_offsets.astype(np.int64), (keys % n_words).astype(np.int32), in_units(values, unit)
    )


def _countable(values: NDArray[Any]) -> NDArray[np.bool_]:
    countable: NDArray[np.bool_] = np.isfinite(values) & (values > 0)
    return countable


def _refuse(name: str, rule: str, wrong: NDArray[np.bool_], values: NDArray[Any]) -> None:
    if wrong.any():
        place = int(wrong.argmax())
        raise ValueError(f"{name} must be {rule}, got {values[place]} at place {place}")
