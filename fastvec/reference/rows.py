"""Rows of files of vectors: lines of text, and records of bytes.

A line has a word and numbers, between spaces. Nine significant digits give every float32 back exactly. A
number that is read is rounded to 64 bits first, as Python's is, and then to 32. A record is a word, a byte
that ends it, and always as many bytes after that.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_records", "read_text", "write_records", "write_text"]

NUMBER = rb"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
LINE = re.compile(rb"([^ \t\n\v\f\r]+)((?: +%b)+)[ \t\v\f\r]*\n" % NUMBER)


def read_text(text: bytes, values: NDArray[np.float32], names: NDArray[np.int64]) -> bool:
    """Parse the first lines of a text, and return whether all are regular.

    A regular line is a word without white space, which does not begin with any, and as many numbers as there
    are columns, after one space or more each. There may be white space at its end.

    Parameters
    ----------
    text : bytes-like
        IN: lines, each with a line feed.
    values : float32 array, shape (n, d)
        OUT: the numbers of the first n lines; as good as empty if one is not regular.
    names : int64 array, shape (n, 2)
        OUT: where the word of each begins and ends in the text.

    Returns
    -------
    bool
        False also if there are fewer lines.
    """
    _check_shapes(values, names)
    text = bytes(text)
    if len(values) and not text.endswith(b"\n"):
        raise ValueError("text must end with a line feed")
    place = 0
    for row in range(len(values)):
        match = LINE.match(text, place)
        numbers = match[2].split() if match else []
        if match is None or len(numbers) != values.shape[1]:
            return False
        with np.errstate(over="ignore"):
            values[row] = list(map(float, numbers))
        names[row] = match.span(1)
        place = match.end()
    return True


def write_text(
    names: NDArray[np.uint8], offsets: NDArray[np.int64], values: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Return rows as lines of text.

    Parameters
    ----------
    names : uint8 array
        IN: the words end to end.
    offsets : int64 array, shape (n + 1,)
        IN: where each begins in `names`, and their length.
    values : float32 array, shape (n, d)
        IN: their numbers.

    Returns
    -------
    uint8 array
        The n lines, the numbers as "%.9g" has them.
    """
    line = b"%b" + b" %.9g" * values.shape[1] + b"\n"
    rows = zip(_split(names, offsets, values), values.tolist(), strict=True)
    return np.frombuffer(b"".join(line % (name, *row) for name, row in rows), np.uint8)


def read_records(
    content: bytes, separator: bytes, values: NDArray[np.uint8], names: NDArray[np.int64]
) -> tuple[int, int]:
    """Copy the first records that are there as a whole.

    Parameters
    ----------
    content : bytes-like
        IN: records, each a word, the separator and some bytes.
    separator : bytes
        IN: one byte.
    values : uint8 array, shape (n, size)
        OUT: the bytes of the first n records.
    names : int64 array, shape (n, 2)
        OUT: where the word of each begins and ends.

    Returns
    -------
    n_records : int
        How many there are, at most n.
    end : int
        Where the last of them ends.
    """
    _check_shapes(values, names)
    content, size = bytes(content), values.shape[1]
    place = 0
    for row in range(len(values)):
        end = content.find(separator, place)
        if end < 0 or end + 1 + size > len(content):
            return row, place
        names[row] = place, end
        place = end + 1 + size
        values[row] = np.frombuffer(content[end + 1 : place], np.uint8)
    return len(values), place


def write_records(
    names: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    separator: bytes,
    values: NDArray[np.uint8],
    end: bytes,
) -> NDArray[np.uint8]:
    """Return records as bytes.

    Parameters
    ----------
    names, offsets : IN
        As for `write_text`.
    separator : bytes
        IN: one byte, which follows the word.
    values : uint8 array, shape (n, size)
        IN: the bytes that follow the separator.
    end : bytes
        IN: what ends a record.
    """
    rows = zip(_split(names, offsets, values), values, strict=True)
    return np.frombuffer(
        b"".join(b"%b%b%b%b" % (name, separator, row.tobytes(), end) for name, row in rows), np.uint8
    )


def _split(names: NDArray[np.uint8], offsets: NDArray[np.int64], values: NDArray[Any]) -> list[bytes]:
    n = len(values)
    _check_columns(values)
    if len(offsets) != n + 1 or offsets[0] != 0 or offsets[n] != len(names):
        raise ValueError(f"offsets must be {n + 1} from 0 to {len(names)}")
    joined = names.tobytes()
    return [joined[begin:end] for begin, end in pairwise(offsets.tolist())]


def _check_shapes(values: NDArray[Any], names: NDArray[np.int64]) -> None:
    _check_columns(values)
    if names.shape != (len(values), 2):
        raise ValueError(f"names must have {len(values)} rows of 2")


def _check_columns(values: NDArray[Any]) -> None:
    if values.shape[1] < 1:
        raise ValueError("values must have one column or more")
