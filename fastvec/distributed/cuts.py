"""Where large files are cut, so that several workers read them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from fastvec.corpus.compressed import COMPRESSED_BLOCK_BYTES, is_compressed
from fastvec.corpus.parts import Part
from fastvec.corpus.reading import opened, size_of
from fastvec.corpus.sources import Reading

__all__ = ["parts_of"]

# Bytes of a text, or of a column of Parquet before it is compressed, that are read at once, at most.
PART_BYTES = 1 << 26


def parts_of(file: str, how: Reading) -> Sequence[str | Part]:
    """Return the parts of a file, each of which is read on its own: the file itself, unless it is large.

    Neither compressed texts can be cut, nor FASTA, nor what is in an archive or cannot be read at any place.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    size = size_of(file)
    if size is None or size <= PART_BYTES or how.kmers is not None:
        return [file]
    bounds = _bounds_of_text(file, size) if how.column is None else _bounds_of_rows(file, how.column)
    return [Part(file, *bound) for bound in pairwise(bounds)] if len(bounds) > 2 else [file]


def _bounds_of_text(file: str, size: int) -> list[int]:
    """Return the first byte of every part, and the size: none if the text cannot be cut."""
    with opened(file) as text:
        try:
            text.seek(1)
            text.seek(0)
        except (AttributeError, OSError, ValueError):  # the last of streams of HTTP
            return []
        if is_compressed(text.read(COMPRESSED_BLOCK_BYTES)):
            return []
    n = -(-size // PART_BYTES)
    return [size * number // n for number in range(n + 1)]


def _bounds_of_rows(file: str, column: str) -> list[int]:
    """Return the first row group of every part, and how many there are: none if this cannot be found out."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        return []  # its reader says so
    with opened(file) as source:
        try:
            metadata = pq.ParquetFile(source).metadata
        except (pa.ArrowInvalid, AttributeError, OSError, ValueError):  # no Parquet, or a stream
            return []
        sizes = [
            _size_of_column(metadata.row_group(number), column) for number in range(metadata.num_row_groups)
        ]
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    n = -(-total // PART_BYTES)
    inner = np.searchsorted(ends, [total * number // n for number in range(1, n)], "right")
    return [*map(int, np.unique([0, *inner, len(ends)]))]


def _size_of_column(rows: Any, column: str) -> int:
    """Return how many bytes the values of a column take in a row group before they are compressed."""
    columns = map(rows.column, range(rows.num_columns))
    return sum(
        one.total_uncompressed_size for one in columns if one.path_in_schema.partition(".")[0] == column
    )
