"""The files of Stanford's GloVe programs: ``cooccurrence.bin`` and ``vocab.txt``.

``cooccurrence.bin`` (from ``cooccur``, in another order from ``shuffle``) is records of 16 bytes without a
header: word1 and word2, int32, counted from 1, and the count, a double. ``vocab.txt`` (from ``vocab_count``)
has a line for every word, the most frequent first: the word, a space, how often it occurs.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.corpus.vocabulary import Vocabulary
from fastvec.formats.atomic import replacing
from fastvec.formats.frequencies import write_counts
from fastvec.formats.kinds import sizes
from fastvec.formats.spool import naming_full_disk
from fastvec.formats.words import decode_words
from fastvec.training.signals import hold

__all__ = ["RECORD", "begins", "map_records", "read_vocabulary", "write"]

RECORD = np.dtype([("word1", "<i4"), ("word2", "<i4"), ("count", "<f8")])


def begins(head: bytes) -> bool:
    """Return whether a file that begins so is of such records, and has no header line of vectors."""
    records = np.frombuffer(head[: len(head) // RECORD.itemsize * RECORD.itemsize], RECORD)
    return (
        len(records) > 0
        and b"\0" in head  # as the ids of words have, and text has not
        and sizes(head.partition(b"\n")[0]) is None
        and min(records["word1"].min(), records["word2"].min()) > 0
        and bool(np.isfinite(records["count"]).all() and (records["count"] > 0).all())
    )


def read_vocabulary(path: Path) -> tuple[list[str], list[int]]:
    """Read the words of a vocabulary file and their counts.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If a line is not a word and its count, counts ascend, or a word occurs twice; the message names the
        line.
    """
    names: list[bytes] = []
    counts: list[int] = []
    first: dict[bytes, int] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            place = f"{path}, line {number:,}"
            fields = line.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").split()
            if len(fields) != 2 or not re.fullmatch(rb"0*[1-9]\d{0,17}", fields[1]):
                raise ValueError(f"{place}: expected a word and how often it occurs, got {line[:60]!r}")
            name, count = fields[0], int(fields[1])
            if counts and count > counts[-1]:
                raise ValueError(f"{place}: counts must descend, got {count:,} after {counts[-1]:,}")
            if first.setdefault(name, number) != number:
                raise ValueError(f"{place}: the word {name!r} is already in line {first[name]:,}")
            names.append(name)
            counts.append(count)
    if not names:
        raise ValueError(f"{path}: the file is empty")
    words, _ = decode_words(path, names, None, lambda i: f"{path}, line {i + 1:,}")
    return words, counts


def map_records(path: Path) -> NDArray[Any]:
    """Memory-map the records of a file of counts, without validating them.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is empty or truncated.
    """
    size = path.stat().st_size
    if size == 0:
        raise ValueError(f"{path}: the file is empty")
    if size % RECORD.itemsize:
        raise ValueError(
            f"{path}: truncated, or not a file of GloVe's counts: its {size:,} bytes are not a whole number "
            f"of records of {RECORD.itemsize} bytes"
        )
    return np.memmap(path, RECORD, "r")


def write(
    path: Path,
    vocabulary_path: Path,
    vocabulary: Vocabulary,
    n_entries: int,
    blocks: Iterable[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]],
) -> None:
    """Write both files; neither is replaced before both are complete.

    Parameters
    ----------
    path, vocabulary_path : Path
        Where to write.
    vocabulary : Vocabulary
        The words and their counts.
    n_entries : int
        How many entries all blocks have.
    blocks : iterable of (rows, columns, values)
        The entries, by row and column.

    Raises
    ------
    OSError
        If a file cannot be written.
    ValueError
        If both paths are the same, or a word has white space, which the format cannot hold.
    """
    if path.resolve() == vocabulary_path.resolve():
        raise ValueError(f"path and vocabulary_path must be two files, got {str(path)!r} for both")
    needed = n_entries * RECORD.itemsize
    with (
        naming_full_disk("the file", needed, path.resolve().parent),
        hold(),
        replacing(path) as temporary,
        replacing(vocabulary_path) as temporary_vocabulary,
    ):
        write_counts(temporary_vocabulary, vocabulary.words, vocabulary.counts)
        with temporary.open("wb") as file:
            for rows, columns, values in blocks:
                records = np.empty(len(rows), RECORD)
                records["word1"] = rows + 1
                records["word2"] = columns + 1
                records["count"] = values
                file.write(records.data)
