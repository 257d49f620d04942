"""What is wanted of a file of vectors: which words, in which encoding, and numbers of which type."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastvec.formats.words import Rows

__all__ = ["Collected", "Wanted", "check_dtype", "check_encoding"]

# The readers of text and .bin look for these in bytes.
ASCII = " \t\n\r+-.0123456789e"


def check_dtype(dtype: DTypeLike | None) -> np.dtype[np.floating]:
    """Return float32, also for None, or float16; raise ValueError for another type."""
    if dtype is None:
        return np.dtype(np.float32)
    for usable in (np.float32, np.float16):
        with suppress(TypeError):
            if np.dtype(dtype) == usable:
                return np.dtype(usable)
    raise ValueError(f"dtype must be 'float32' or 'float16', got {dtype!r}")


def check_encoding(encoding: str) -> str:
    """Return an encoding, UTF-8 as "utf-8"; raise unless Python knows it and it has the bytes of ASCII."""
    if not isinstance(encoding, str):
        raise TypeError(f"encoding must be a str, got {encoding!r}")
    try:
        is_like_ascii = ASCII.encode(encoding) == ASCII.encode()
    except (LookupError, ValueError):
        is_like_ascii = False
    if not is_like_ascii:
        raise ValueError(
            "encoding must be one that Python knows and in which numbers and spaces have the bytes of ASCII, "
            f"such as 'utf-8', 'latin-1' or 'cp852', got {encoding!r}; convert the file with iconv otherwise"
        )
    return "utf-8" if codecs.lookup(encoding).name == "utf-8" else encoding


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a file.

    Attributes
    ----------
    errors : {"strict", "replace", "ignore"}
        How to handle bytes of a word that are not valid in its encoding.
    encoding : str
        How words are encoded, unless the format has an encoding of its own.
    limit : int, optional
        How many words, the first ones, are read.
    words : dict with keys of str, optional
        Which of these are kept; their order is that in which they were asked for.
    dtype : data type
        As which type vectors are kept, float32 or float16.
    compact : bool
        Whether vectors that are compact in the file stay so.
    """

    errors: str = "strict"
    encoding: str = "utf-8"
    limit: int | None = None
    words: dict[str, None] | None = None
    dtype: np.dtype[np.floating] = field(default_factory=lambda: np.dtype(np.float32))
    compact: bool = False

    @property
    def everything(self) -> bool:
        """Whether all words are wanted."""
        return self.limit is None and self.words is None

    def first(self, n: int) -> int:
        """Return how many of n words are read."""
        return n if self.limit is None else min(n, self.limit)

    def rows(self, names: Sequence[bytes]) -> Rows:
        """Return which of some words, in bytes, are kept."""
        if self.words is None:
            return slice(None)
        if self.encoding == "utf-8" and self.errors == "strict":
            kept = [name in self._names for name in names]
        else:
            errors = "replace" if self.errors == "strict" else self.errors
            kept = [name.decode(self.encoding, errors) in self.words for name in names]
        return np.flatnonzero(kept)

    @cached_property
    def _names(self) -> frozenset[bytes]:
        assert self.words is not None
        return frozenset(word.encode(errors="surrogatepass") for word in self.words)


class Collected:
    """The rows of a file that are wanted, collected block by block.

    Parameters
    ----------
    wanted : Wanted
        What is wanted.
    d : int
        How many numbers a row has.
    n : int, optional
        How many rows there will be, if that is known.

    Attributes
    ----------
    names : list of bytes
        The words.
    """

    def __init__(self, wanted: Wanted, d: int, n: int | None = None) -> None:
        self.names: list[bytes] = []
        self._wanted = wanted
        self._places: list[Sequence[int]] = []
        self._blocks = [np.empty((0, d), wanted.dtype)]
        self._matrix = np.empty((n, d), wanted.dtype) if n is not None and wanted.words is None else None

    def room(self, n: int) -> NDArray[np.float32]:
        """Return an array for the next n rows: their place, if they will all be kept as they are."""
        if self._matrix is None or self._matrix.dtype != np.float32:
            return np.empty((n, self._blocks[0].shape[1]), np.float32)
        return self._matrix[len(self.names) : len(self.names) + n]

    def add(self, names: list[bytes], values: NDArray[np.float32], places: Sequence[int]) -> None:
        """Keep what is wanted of some rows, and where in the file these are."""
        rows = self._wanted.rows(names)
        if not isinstance(rows, slice):
            names = [names[row] for row in rows]
            places = [places[row] for row in rows]
        with np.errstate(over="ignore"):  # what is beyond float16 is infinite there
            if self._matrix is not None:
                place = self._matrix[len(self.names) : len(self.names) + len(names)]
                if not np.may_share_memory(place, values):
                    place[:] = values
            else:
                self._blocks.append(values[rows].astype(self._wanted.dtype, copy=False))
        self.names += names
        self._places.append(places)

    def place(self, row: int) -> int:
        """Return where in the file a row is."""
        return next(islice(chain.from_iterable(self._places), row, None))

    def matrix(self) -> NDArray[np.floating]:
        """Return the rows as one matrix, after all have been added."""
        return np.concatenate(self._blocks) if self._matrix is None else self._matrix
