"""Counts in a file: a safetensors container that is memory-mapped, and checked before a kernel relies on it.

=============  ================  ====================================================================
tensor         dtype, shape
=============  ================  ====================================================================
row_offsets    I64, (V + 1,)     row i has the entries row_offsets[i] to row_offsets[i + 1]
columns        I32, (n,)         ascending in a row
units          I64, (n,)         the counts, in units; at least 1
counts         I64, (V,)         how often each word occurs, descending
words          U8                all words end to end in UTF-8
word_offsets   I64, (V + 1,)     where each begins
=============  ================  ====================================================================

The metadata are ``format``, ``version``, the ``unit`` (a count is its units divided by this), the
``parameters`` that it was counted with, a JSON object, the ``corpora`` that were counted, a JSON list of such
objects, of which unknown ones are empty, and ``fastvec``, the version that counted them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_int
from fastvec.corpus.sequences import kind_of_words
from fastvec.corpus.vocabulary import Vocabulary
from fastvec.counts.runs import CountMatrix
from fastvec.formats.container import check_format, map_tensors, write_tensors
from fastvec.formats.kinds import FIRST_BYTES, own_format
from fastvec.formats.spool import naming_full_disk
from fastvec.formats.words import check_unique, join_words, split_words

__all__ = ["Saved", "holds_counts", "read", "write"]

FORMAT = "fastvec counts"
VERSION = 1

ENTRIES_AT_ONCE = 1 << 20


class Saved(NamedTuple):
    """The contents of a file of counts."""

    vocabulary: Vocabulary
    counts: CountMatrix
    unit: int
    parameters: dict[str, Any]
    provenance: dict[str, Any]


def write(path: str | os.PathLike[str], saved: Saved) -> None:
    """Write counts to a file; memory-mapped ones are never read into memory as a whole.

    Raises
    ------
    OSError
        If the file cannot be written; an existing file is then left untouched.
    """
    text, word_offsets = join_words(saved.vocabulary.words)
    tensors = {
        **saved.counts._asdict(),
        "counts": saved.vocabulary.counts,
        "word_offsets": word_offsets,
        "words": text,
    }
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "unit": str(saved.unit),
        "parameters": json.dumps(saved.parameters),
        "kind_of_words": kind_of_words(saved.vocabulary.words),
        "corpora": json.dumps(saved.provenance["corpora"]),
        **{name: saved.provenance[name] for name in ("fastvec",) if name in saved.provenance},
    }
    needed = sum(tensor.nbytes for tensor in tensors.values())
    with naming_full_disk("the file", needed, Path(os.path.realpath(path)).parent):
        write_tensors(path, tensors, metadata)


def holds_counts(path: str | os.PathLike[str]) -> bool:
    """Return whether a file claims to hold counts, complete or not."""
    path = Path(path)
    if not path.is_file():  # what comes through a pipe can be read only once
        return False
    with path.open("rb") as file:
        return own_format(file.read(FIRST_BYTES)) == FORMAT


def read(path: str | os.PathLike[str]) -> Saved:
    """Map the counts in a file, and validate all of them: kernels index memory by them."""
    path = Path(path)
    tensors, metadata = map_tensors(path)
    check_format(path, metadata, FORMAT, VERSION)
    try:
        words = split_words(tensors["words"], tensors["word_offsets"], metadata.get("kind_of_words"))
        saved = Saved(
            vocabulary=Vocabulary(words, _of(tensors, "counts", np.int64)),
            counts=CountMatrix(
                _of(tensors, "row_offsets", np.int64),
                _of(tensors, "columns", np.int32),
                _of(tensors, "units", np.int64),
            ),
            unit=check_int("unit", int(metadata["unit"]), 1, 2**62),
            parameters=dict(json.loads(metadata["parameters"])),
            provenance={
                **{name: metadata[name] for name in ("fastvec",) if name in metadata},
                "corpora": [*map(dict, json.loads(metadata.get("corpora", "[{}]")))],
            },
        )
        _check(saved.counts, len(words))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: corrupt ({error})") from None
    check_unique(path, words)
    return saved


def _of(tensors: dict[str, NDArray[Any]], name: str, dtype: type[np.integer[Any]]) -> NDArray[Any]:
    if tensors[name].dtype != dtype or tensors[name].ndim != 1:
        raise ValueError(f"{name} are not a row of {np.dtype(dtype).name}")
    return tensors[name]


def _check(counts: CountMatrix, n_words: int) -> None:
    """Raise ValueError unless these are counts of this many words, since kernels index memory by them."""
    row_offsets, columns, units = counts
    n = len(columns)
    if len(units) != n:
        raise ValueError(f"{n:,} columns and {len(units):,} units")
    if (
        len(row_offsets) != n_words + 1
        or row_offsets[0] != 0
        or row_offsets[-1] != n
        or (row_offsets[1:] < row_offsets[:-1]).any()
    ):
        raise ValueError(f"row_offsets of {n_words:,} words do not ascend from 0 to {n:,}")
    for begin in range(0, n, ENTRIES_AT_ONCE):
        end = min(begin + ENTRIES_AT_ONCE, n)
        if columns[begin:end].view(np.uint32).max() >= n_words:  # a negative column is a large one here
            raise ValueError("columns out of range")
        if units[begin:end].min() < 1:
            raise ValueError("units below 1")
        ascending = columns[begin + 1 : end + 1] > columns[begin : min(end, n - 1)]
        of_rows = slice(*np.searchsorted(row_offsets, (begin + 1, end + 1)))
        starts = row_offsets[of_rows] - begin - 1  # where the next entry is of another row
        ascending[starts[starts < len(ascending)]] = True
        if not ascending.all():
            raise ValueError("columns do not ascend in every row")
