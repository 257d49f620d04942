"""Columns of tables, through Arrow: of pandas, Polars, PyArrow, DuckDB, data sets, Parquet and CSV files.

A cell of a column is a sentence: a list of words or ids, or a text. Words are numbered by a kernel that reads
Arrow's memory, ids by PyArrow, both in the order of first appearance, so that one becomes an object of Python
once, however often it occurs. Rows with a session, an item and a time are sorted, and then such a column.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, islice, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import shortened
from fastvec.corpus.compressed import COMPRESSED_BLOCK_BYTES, decompressed, is_compressed
from fastvec.corpus.ids import Encoded
from fastvec.corpus.parts import Part
from fastvec.corpus.reading import File, name_of, opened
from fastvec.corpus.sequences import is_table
from fastvec.formats.kinds import FIRST_BYTES
from fastvec.formats.spool import Spool
from fastvec.training.threads import Workers, file_threads

__all__ = [
    "arrays_of",
    "arrays_of_files",
    "column_of_objects",
    "encode_lists",
    "has_objects",
    "is_column",
    "is_missing_item",
    "sessions_of",
    "text_pieces",
    "texts_of",
]

NO_COLUMN = "column must be None unless source is a table, several tables or Parquet files"

# Arrays are numbered together up to about so many bytes: each time, their ids become objects once.
BYTES_AT_ONCE = 1 << 27
# Items that a thread numbers at once: the table of more would not stay in the processor's cache.
ITEMS_AT_ONCE = 1 << 18
# A text of many cells that is split at once.
PIECE_BYTES = 1 << 20
ROWS_AT_ONCE = 1 << 16


def is_column(value: Any) -> bool:
    """Return whether a value is a column that Arrow can take over; one of Python objects is not."""
    exports = hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")
    return exports and not is_table(value) and not has_objects(value)


def has_objects(value: Any) -> bool:
    """Return whether a value is a column of Python objects, as pandas has them."""
    return hasattr(value, "isna") and value.dtype == np.dtype(object)


def is_missing_item(item: Any) -> bool:
    """Return whether an item of a list in a column of objects is None, NaN or ``pandas.NA``."""
    return item is None or type(item).__name__ == "NAType" or (isinstance(item, float) and item != item)


def column_of_objects(table: Any, column: str) -> Any | None:
    """Return a table's column if it is one of Python objects, else None.

    Raises
    ------
    ValueError
        If it is a table of pandas without such a column, or with several.
    """
    if not hasattr(table, "isna"):
        return None
    _check_column(column, table.columns)
    return table[column] if has_objects(table[column]) else None


def arrays_of(source: Any, column: str | None) -> Iterator[Any]:
    """Yield the arrays of a column, or of a column that a table or every one of several tables has.

    Raises
    ------
    ValueError
        If a table has no such column, or several, or something among tables is none.
    """
    if column is None:
        pa = _pyarrow()
        yield pa.chunked_array(source) if hasattr(source, "__arrow_c_stream__") else pa.array(source)
        return
    if not is_table(source):
        for table in source:
            if not is_table(table):
                raise ValueError(f"{NO_COLUMN}, got {shortened(table)} in it")
            yield from arrays_of(table, column)
        return
    for table in _with_columns(source, {"column": column}):
        one = table[column]
        yield from [_pyarrow().array(one, from_pandas=True)] if has_objects(one) else arrays_of(one, None)


def _with_columns(source: Any, columns: dict[str, str]) -> Iterator[Any]:
    """Yield the tables of which a table consists, or one, with some columns at least.

    Parameters
    ----------
    source : object
        A table, or what is read as tables: a query, a stream, files, a data set.
    columns : dict
        The names of columns, by the parameters that they were given as.

    Raises
    ------
    TypeError, ValueError
        If it has no such columns, or several of one name.
    """
    if isinstance(source, Mapping):
        raise TypeError(
            f"source must be one table, got several by names: pass source[{next(iter(source), None)!r}]"
        )
    names, of_column = _names_of(source), [*dict.fromkeys(columns.values())]
    for parameter, column in columns.items() if names is not None else ():
        _check_column(column, names or (), parameter)
    if hasattr(source, "with_format"):  # Hugging Face's data sets, on disk or streamed
        known = source if names is None else source.select_columns(of_column)
        tables = known.with_format("arrow").iter(ROWS_AT_ONCE)
    elif hasattr(source, "collect"):  # a query of Polars
        tables = iter([source.select(of_column).collect()])
    elif hasattr(source, "project"):  # and of DuckDB
        quoted = ['"' + column.replace('"', '""') + '"' for column in of_column]
        tables = iter(_pyarrow().RecordBatchReader.from_stream(source.project(", ".join(quoted))))
    elif hasattr(source, "iter_batches"):  # a Parquet file
        tables = source.iter_batches(ROWS_AT_ONCE, columns=of_column)
    elif hasattr(source, "scanner"):  # a data set of PyArrow, or a part
        if names and len(set(names)) < len(names):
            raise ValueError(
                "source must have columns of different names, or it cannot be scanned, got "
                f"{', '.join(map(repr, names))}: rename them"
            )
        tables = source.scanner(columns=of_column).to_reader()
    elif hasattr(source, "projected_schema"):
        tables = source.to_reader()
    elif hasattr(source, "fragments"):
        tables = (table for fragment in source.fragments for table in _with_columns(fragment, columns))
    elif hasattr(source, "read_next_batch"):
        tables = source
    else:
        tables = iter([source])
    for table in tables:
        for parameter, column in columns.items() if names is None else ():
            _check_column(column, _names_of(table) or (), parameter)
        yield table


def _names_of(table: Any) -> list[str] | None:
    """Return the names of a table's columns, None if they are not known before it is read."""
    if hasattr(table, "collect_schema"):
        return list(table.collect_schema().names())
    for attribute in ("schema_arrow", "projected_schema", "physical_schema", "schema"):
        names = getattr(getattr(table, attribute, None), "names", None)
        if isinstance(names, list):
            return names
    names = table.column_names if hasattr(table, "column_names") else table.columns
    return None if names is None else list(names)


def arrays_of_files(files: Iterable[File], column: str) -> Iterator[Any]:
    """Yield the arrays of a column of Parquet files.

    Raises
    ------
    ValueError
        If a file is none, or has no such column.
    """
    pa = _pyarrow()
    import pyarrow.parquet as pq

    for file in files:
        with opened(file) as source:
            try:
                table = pq.ParquetFile(_seekable(source))
            except pa.ArrowInvalid as error:
                raise ValueError(
                    f"{name_of(file)}: no Parquet file, or damaged ({error}); column must be None for files "
                    "of another kind"
                ) from None
            _check_column(column, table.schema_arrow.names)
            groups = range(file.begin, file.end) if isinstance(file, Part) else range(table.num_row_groups)
            for rows in table.iter_batches(ROWS_AT_ONCE, [*groups], [column]):
                yield rows.column(0)


def texts_of(arrays: Iterator[Any]) -> tuple[bool, Iterator[Any]]:
    """Return whether the cells are texts, not lists, and the same arrays.

    Raises
    ------
    TypeError
        If they are something else, or not all of one kind.
    """
    arrays = chain([*islice(arrays, 1)], arrays)  # its errors come before that of a missing package
    pa = _pyarrow()
    first, kind = [], pa.list_(pa.null())
    for array in arrays:
        first.append(array)
        if not pa.types.is_null(array.type):
            kind = array.type
            break
    return _kind_of(kind) == "texts", _of_one_kind(kind, chain(first, arrays))


def _of_one_kind(kind: Any, arrays: Iterable[Any]) -> Iterator[Any]:
    """Yield arrays of a type or one like it, and those of which all is missing as if they were of it."""
    pa = _pyarrow()
    for array in arrays:
        if pa.types.is_null(array.type):
            yield pa.nulls(len(array), kind)
            continue
        if len({_kind_of(kind), _kind_of(array.type)} - {"nothing"}) > 1:
            raise TypeError(
                f"source must be a column of one type, got {kind} and then {array.type}: cast one of them"
            )
        kind = array.type if _kind_of(kind) == "nothing" else kind
        yield array


def text_pieces(arrays: Iterable[Any], report: Callable[[int], object]) -> Iterator[tuple[str, bytes | None]]:
    """Yield a line for every cell, in pieces; missing ones are empty."""
    pa = _pyarrow()
    import pyarrow.compute as pc

    for array in arrays:
        report(len(array))
        at_once = max(1, len(array) * PIECE_BYTES // max(1, array.nbytes))
        for begin in range(0, len(array), at_once):
            lines = _plain(array.slice(begin, at_once)).cast(pa.string()).fill_null("")
            lines = pc.replace_substring(lines, "\n", " ")
            lines = lines.combine_chunks() if isinstance(lines, pa.ChunkedArray) else lines
            together = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
            yield "source", pc.binary_join(together, "\n")[0].as_buffer().to_pybytes() + b"\n"
    yield "source", None


def encode_lists(
    arrays: Iterable[Any], keep_empty: bool, spool: Spool, report: Callable[[int], object]
) -> Encoded:
    """Add the provisional ids of the items of lists to `spool`; missing items are left out.

    Raises
    ------
    ValueError
        If an item is an empty str, or not UTF-8.
    """
    _pyarrow()
    import pyarrow.compute as pc

    numbering: _Words | _Ids | None = None
    ends = [np.zeros(1, np.int64)]
    for lists in _together(arrays):
        report(len(lists))
        lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
        places = np.concatenate(([0], np.cumsum(lengths)))
        items = _decoded(pc.list_flatten(lists))
        if items.null_count:
            places = np.concatenate(([0], np.cumsum(items.is_valid().to_numpy())))[places]
            items = _present(items)
        if not keep_empty:
            places = np.concatenate(([0], places[1:][np.diff(places) > 0]))
        ends.append(places[1:] + len(spool))
        if len(items):
            numbering = numbering or (_Words() if _are_texts(items.type) else _Ids())
            for ids in numbering.add(items):
                spool.append(ids)
    words, counts = numbering.finish() if numbering else ([], np.zeros(0, np.int64))
    return Encoded(words, counts, np.concatenate(ends), spool)


def sessions_of(rows: Any, session: str, item: str, time: str | None) -> Any:
    """Return the items of rows as an array of lists, one a session, each sorted by time.

    Sessions are in the order of first appearance; rows without a session or an item are left out.

    Raises
    ------
    ValueError
        If there is no such column.
    TypeError
        If the items are neither str nor int.
    """
    pa = _pyarrow()
    import pyarrow.compute as pc

    columns = {"session": session, "item": item} | ({} if time is None else {"time": time})
    table = _table_of(rows, columns)
    kind = table["item"].type
    if not (_are_texts(kind) or _are_ids(kind) or pa.types.is_null(kind)):
        remedy = ": int with missing ones is astype('Int64') in pandas" if pa.types.is_floating(kind) else ""
        raise TypeError(f"item must be a column of str or int, got {item!r}, of {kind}{remedy}")
    table = table.filter(pc.and_(table["session"].is_valid(), table["item"].is_valid()))
    numbers = table["session"].combine_chunks().dictionary_encode().indices.to_numpy()
    keys = (numbers,) if time is None else (pc.rank(table["time"], tiebreaker="dense").to_numpy(), numbers)
    order = np.lexsort(keys)
    ends = np.cumsum(np.bincount(numbers))
    items = table["item"].combine_chunks().take(pa.array(order))
    return pa.LargeListArray.from_arrays(pa.array(np.concatenate(([0], ends))), items)


def _table_of(rows: Any, columns: dict[str, str]) -> Any:
    """Return a table of some columns of a table or file, under other names."""
    if is_table(rows):
        return _renamed(rows, columns)
    if not isinstance(rows, str):
        raise TypeError(f"rows must be a table, or the path of a CSV or Parquet file, got {shortened(rows)}")
    pa = _pyarrow()
    import pyarrow.csv
    import pyarrow.parquet as pq

    with opened(rows) as source:
        file = _seekable(source)
        head = file.read(FIRST_BYTES)
        file.seek(0)
        if head.startswith(b"PAR1"):
            return _renamed(pq.ParquetFile(file), columns)
        if is_compressed(head):
            file = pa.BufferReader(
                b"".join(decompressed(rows, iter(partial(file.read, COMPRESSED_BLOCK_BYTES), b"")))
            )
        nulls = pyarrow.csv.ConvertOptions(strings_can_be_null=True)
        return _renamed(pyarrow.csv.read_csv(file, convert_options=nulls), columns)


def _renamed(table: Any, columns: dict[str, str]) -> Any:
    """Return those columns of a table, under other names."""
    parts: dict[str, list[Any]] = {name: [] for name in columns}
    for part in _with_columns(table, columns):
        for name, column in columns.items():
            parts[name] += arrays_of(part, column)
    return _pyarrow().table({name: _scalars(arrays) for name, arrays in parts.items()})


def _seekable(file: Any) -> Any:
    """Return an open file as one of which any place can be read: a stream is read as a whole."""
    try:
        file.seek(0, os.SEEK_END)
        file.seek(0)
    except (AttributeError, OSError, ValueError):  # the last of streams of HTTP
        return io.BytesIO(file.read())
    return file


def _kind_of(column: Any) -> str:
    """Return what the cells of a column of some type have: texts, words, ids, or nothing, all being missing.

    Raises
    ------
    TypeError
        If they are something else.
    """
    types = _pyarrow().types
    if _are_texts(column):
        return "texts"
    if types.is_nested(column) and hasattr(column, "value_type"):
        item = column.value_type
        if _are_texts(item):
            return "words"
        if _are_ids(item):
            return "ids"
        if types.is_null(item):
            return "nothing"
    raise TypeError(
        f"source must be a column of lists of str or int, or of texts, got {column}: rows that belong "
        "together are made lists by Corpus.from_rows"
    )


def _are_ids(kind: Any) -> bool:
    """Return whether values of a type are int."""
    types = _pyarrow().types
    return bool(types.is_integer(kind.value_type if types.is_dictionary(kind) else kind))


def _are_texts(kind: Any) -> bool:
    """Return whether values of a type are str."""
    types = _pyarrow().types
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _scalars(arrays: Iterable[Any]) -> Any:
    """Return arrays as one; views of strings, which cannot be sorted, become strings."""
    pa = _pyarrow()
    parts = [part for array in arrays for part in getattr(array, "chunks", [array])]
    array = pa.chunked_array(parts or [pa.array([], pa.string())])
    return array.cast(pa.large_string()) if pa.types.is_string_view(array.type) else array


def _decoded(items: Any) -> Any:
    """Return items without a dictionary, unless it is one of words."""
    if not _pyarrow().types.is_dictionary(items.type):
        return items
    is_missing = any(chunk.dictionary.null_count for chunk in items.chunks)
    return items if _are_texts(items.type) and not is_missing else _plain(items)


def _plain(items: Any) -> Any:
    """Return items without a dictionary; views of strings in it, which Arrow cannot take, become strings."""
    pa = _pyarrow()
    if not pa.types.is_dictionary(items.type):
        return items
    kind = items.type.value_type
    kind = pa.large_string() if pa.types.is_string_view(kind) else kind
    chunks = items.chunks if isinstance(items, pa.ChunkedArray) else [items]
    return pa.chunked_array([chunk.dictionary.cast(kind).take(chunk.indices) for chunk in chunks], kind)


def _present(items: Any) -> Any:
    """Return the items that are not missing; views of strings, which Arrow cannot filter, become strings."""
    pa = _pyarrow()
    return (items.cast(pa.large_string()) if pa.types.is_string_view(items.type) else items).drop_null()


class _Words:
    """The numbers of words, new ones in the order of first appearance."""

    def __init__(self) -> None:
        self._tokenizer = kernels.tokenizer.Tokenizer()

    def add(self, items: Any) -> Iterator[NDArray[np.int32]]:
        """Yield the numbers of items, of which none is missing."""
        pieces = (
            chunk.slice(begin, ITEMS_AT_ONCE)
            for chunk in items.chunks
            for begin in range(0, len(chunk), ITEMS_AT_ONCE)
        )
        with Workers(file_threads()) as workers:
            for piece in workers.in_order(_collected, pieces):
                yield self._tokenizer.add(piece)[0]

    def finish(self) -> tuple[list[str], NDArray[np.int64]]:
        """Return the words and how often each occurred.

        Raises
        ------
        ValueError
            If one is empty or not UTF-8.
        """
        text, ends = self._tokenizer.words(), self._tokenizer.ends()
        try:
            words = text.decode().split("\n")[:-1]
            if len(words) > len(ends):  # some have line feeds
                words = [text[begin : end - 1].decode() for begin, end in pairwise([0, *ends.tolist()])]
        except UnicodeDecodeError as error:
            raise ValueError(f"source: a word is not UTF-8 ({error.reason})") from None
        if (np.diff(ends, prepend=0) == 1).any():  # with its line feed
            raise ValueError("source: an item is an empty str")
        return words, self._tokenizer.counts()


def _collected(items: Any) -> Any:
    """Return words in the memory of Arrow as a piece of `Tokenizer`."""
    types = _pyarrow().types
    codes = None
    kind: np.dtype[Any]
    if types.is_dictionary(items.type):
        codes, items = items.indices.cast("int32").to_numpy(), items.dictionary
    _, places, *buffers = items.buffers()
    if types.is_string_view(items.type):
        kind, n = np.dtype((np.int32, 4)), len(items)
    else:
        kind, n = np.dtype(np.int64 if types.is_large_string(items.type) else np.int32), len(items) + 1
    places = np.frombuffer(places, kind, n, kind.itemsize * items.offset)
    return kernels.tokenizer.collect(places, [b"" if one is None else one for one in buffers], codes)


class _Ids:
    """The numbers of ids, new ones in the order of first appearance."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._counts = np.zeros(0, np.int64)

    def add(self, items: Any) -> Iterator[NDArray[np.int32]]:
        """Yield the numbers of items, of which none is missing."""
        pa = _pyarrow()
        at_once = max(ITEMS_AT_ONCE, -(-len(items) // file_threads()))
        pieces = (items.slice(begin, at_once) for begin in range(0, len(items), at_once))
        with Workers(file_threads()) as workers:
            parts = list(workers.in_order(lambda piece: piece.dictionary_encode(), pieces))
        encoded = pa.chunked_array(parts).unify_dictionaries().combine_chunks()
        ids = np.array(encoded.indices.to_numpy(), np.int32)
        distinct = encoded.dictionary.to_pylist()
        new_ids = [self._numbers.setdefault(item, len(self._numbers)) for item in distinct]
        kernels.tokenizer.remap(ids, np.array(new_ids, np.int32), ids)
        more = np.bincount(ids, minlength=len(self._numbers))
        more[: len(self._counts)] += self._counts
        self._counts = more
        yield ids

    def finish(self) -> tuple[list[int], NDArray[np.int64]]:
        """Return the ids and how often each occurred."""
        return list(self._numbers), self._counts


def _together(arrays: Iterable[Any]) -> Iterator[Any]:
    """Yield arrays as chunked ones, of at least `BYTES_AT_ONCE` if there are so many of one type."""
    pa = _pyarrow()
    waiting: list[Any] = []
    n_bytes = 0
    for array in arrays:
        if waiting and array.type != waiting[0].type:
            yield pa.chunked_array(waiting)
            waiting, n_bytes = [], 0
        waiting += array.chunks if isinstance(array, pa.ChunkedArray) else [array]
        n_bytes += array.nbytes
        if n_bytes >= BYTES_AT_ONCE:
            yield pa.chunked_array(waiting)
            waiting, n_bytes = [], 0
    if waiting:
        yield pa.chunked_array(waiting)


def _check_column(column: str, names: Iterable[str], parameter: str = "column") -> None:
    names = list(names)
    if column not in names:
        raise ValueError(f"{parameter} must be one of {', '.join(map(repr, names))}, got {column!r}")
    if (n := names.count(column)) > 1:
        raise ValueError(f"{parameter} must name one column, got {column!r}, as {n} are called: rename them")


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise ImportError(
            "reading tables, their columns and Parquet files needs pyarrow: pip install 'fastvec[arrow]'"
        ) from None
    return pyarrow
