"""Where large files are cut, so that several workers read them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from fastvec.corpus.compressed import COMPRESSED_BLOCK_BYTES, is_compressed
from fastvec.corpus.parts import Part
from fastvec.corpus.reading import opened
from fastvec.corpus.sources import Reading
from fastvec.formats.places import is_address

__all__ = ["parts_of"]

# Bytes of a text, or of a column of Parquet before it is compressed, that are read by one call, at most.
PART_BYTES = 1 << 26


def parts_of(file: str, how: Reading) -> Sequence[str | Part]:
    """Return the parts of a file, each of which is read on its own: the file itself unless it is large.

    Neither compressed texts can be cut, nor FASTA, nor what is in an archive, or cannot be read at any place.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    is_in_archive = is_address(file) and "::" in file
    is_stream = not (is_address(file) or Path(file).is_file())
    if how.kmers is not None or is_in_archive or is_stream:
        return [file]
    with opened(file) as source:
        size = _size(source)
        if size <= PART_BYTES:
            return [file]
        bounds = _bounds_of_lines(source, size) if how.column is None else _bounds_of_rows(source, how.column)
    return [Part(file, *bound) for bound in pairwise(bounds)] if len(bounds) > 2 else [file]


def _size(source: Any) -> int:
    """Return the size of an open file, 0 if not every place of it can be read at once."""
    try:
        source.seek(0, os.SEEK_END)
        size = int(source.tell())
        source.seek(0)
    except (OSError, ValueError):  # the last of streams of HTTP
        return 0
    return size


def _bounds_of_lines(text: Any, size: int) -> list[int]:
    """Return the first byte of every part of a text, and its size; nothing if it is compressed."""
    if is_compressed(text.read(COMPRESSED_BLOCK_BYTES)):
        return []
    n = -(-size // PART_BYTES)
    return [size * number // n for number in range(n + 1)]


def _bounds_of_rows(source: Any, column: str) -> list[int]:
    """Return the first row group of every part of Parquet, and how many there are; nothing if it is none."""
    try:
        import pyarrow.parquet as pq

        metadata = pq.ParquetFile(source).metadata
    except (ImportError, ValueError):  # not installed, no Parquet: the reader says so
        return []
    sizes = [_size_of_column(metadata.row_group(number), column) for number in range(metadata.num_row_groups)]
    ends = np.cumsum(sizes)
    n = -(-sum(sizes) // PART_BYTES)
    inner = np.searchsorted(ends, [sum(sizes) * number // n for number in range(1, n)], "right")
    return [*map(int, np.unique([0, *inner, len(sizes)]))]


def _size_of_column(rows: Any, column: str) -> int:
    """Return how many bytes the values of a column take in a row group before they are compressed."""
    columns = map(rows.column, range(rows.num_columns))
    return sum(
        one.total_uncompressed_size for one in columns if one.path_in_schema.partition(".")[0] == column
    )
