"""Vectors as tables of pandas and Arrow, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastvec.exports import library
from fastvec.formats.common import Contents
from fastvec.formats.finite import as_floats

__all__ = ["from_arrow", "to_arrow", "to_pandas"]


def to_pandas(contents: Contents) -> Any:
    """Return a DataFrame with a row for each word, on the matrix itself."""
    pandas = library("pandas", "to_pandas", "pandas")
    index = pandas.Index(contents.words, name="word")
    return pandas.DataFrame(contents.vectors, index=index, copy=False)


def to_arrow(contents: Contents) -> Any:
    """Return a table of words, vectors and counts, whose vectors are the matrix itself if it has no gaps."""
    arrow = library("pyarrow", "to_arrow", "arrow")
    matrix = np.ascontiguousarray(contents.vectors)
    numbers = arrow.Array.from_buffers(
        arrow.from_numpy_dtype(matrix.dtype), matrix.size, [None, arrow.py_buffer(matrix)]
    )
    are_ids = bool(contents.words) and isinstance(contents.words[0], int)
    columns = {
        "word": arrow.array(contents.words, None if are_ids else arrow.string()),
        "vector": arrow.FixedSizeListArray.from_arrays(numbers, matrix.shape[1]),
    }
    if contents.counts is not None:
        columns["count"] = arrow.array(contents.counts)
    return arrow.table(columns)


def from_arrow(table: Any) -> Contents:
    """Return the words, vectors and counts of a table as `to_arrow` makes it, or of what Arrow makes one of.

    Raises
    ------
    TypeError
        If it is no table.
    ValueError
        If a column is missing or has gaps, or vectors are no numbers or not of one length.
    """
    arrow = library("pyarrow", "from_arrow", "arrow")
    if not isinstance(table, arrow.Table):
        if not hasattr(table, "__arrow_c_stream__"):
            raise TypeError(f"table must be a table of Arrow, Polars, pandas or DuckDB, got {table!r:.60}")
        table = arrow.table(table)
    for name in ("word", "vector"):
        if name not in table.column_names:
            known = ", ".join(map(repr, table.column_names))
            raise ValueError(
                f"table must have the columns 'word' and 'vector', got {known}; rename_columns names them so"
            )
    for name in {"word", "vector", "count"} & {*table.column_names}:
        if table.column(name).null_count:
            raise ValueError(f"column {name!r} must have no nulls, got {table.column(name).null_count:,}")
    vectors = table.column("vector").combine_chunks()
    kind = vectors.type
    of_lists = (arrow.types.is_list, arrow.types.is_large_list, arrow.types.is_fixed_size_list)
    if not any(is_list(kind) for is_list in of_lists) or not _is_number(arrow, kind.value_type):
        raise ValueError(f"column 'vector' must be lists of numbers, got {kind}")
    numbers = vectors.flatten()
    if numbers.null_count:
        raise ValueError(f"column 'vector' must have no nulls, got {numbers.null_count:,} in its lists")
    d = len(vectors[0]) if len(vectors) else 0
    if not arrow.types.is_fixed_size_list(kind):
        lengths = np.diff(vectors.offsets.to_numpy())
        if (lengths != d).any():
            row = int(np.argmax(lengths != d))
            raise ValueError(
                f"column 'vector' must have lists of one length, got {d} in row 1 and {lengths[row]} in row "
                f"{row + 1:,}"
            )
    counts = table.column("count").to_numpy() if "count" in table.column_names else None
    words = table.column("word").to_pylist()
    return Contents(words, as_floats(numbers.to_numpy()).reshape(len(words), d), counts)


def _is_number(arrow: Any, kind: Any) -> bool:
    return bool(arrow.types.is_floating(kind) or arrow.types.is_integer(kind))
