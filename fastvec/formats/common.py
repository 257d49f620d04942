"""What the formats of vectors share: contents, opening files, sizes."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from fastvec.formats.compact import Compact
from fastvec.formats.kinds import FIRST_BYTES, recognize
from fastvec.formats.ngrams import Subwords
from fastvec.formats.words import Rows

__all__ = [
    "BLOCK_BYTES",
    "Contents",
    "check_sizes",
    "keep_rows",
    "most_bytes",
    "open_bytes",
    "read_head",
    "refuse_other_kinds",
]

BLOCK_BYTES = 1 << 22
"""Bytes read or written at a time."""

GZIP_MAGIC = b"\x1f\x8b"
# Deflate shrinks nothing by more than this (zlib's technical notes), so that a small .gz holds no huge file.
GZIP_LIMIT = 1032


class Contents(NamedTuple):
    """The contents of a file of vectors.

    Attributes
    ----------
    words : list of str, or of int
        The n words, in the file's order.
    vectors : ndarray of float32, shape (n, d)
        Their vectors; read-only and memory-mapped if requested. They may be `Compact`, and `input_vectors`.
    counts : ndarray of int64, shape (n,), or None
        How often each word occurred in training.
    metadata : dict, or None
        Training parameters, as JSON types.
    input_vectors : ndarray of float32, shape (n + buckets, d), or None
        The rows whose means `vectors` are, where words have n-grams: those of the words, then those of the
        n-grams. Of floret's n-grams only these, (buckets, d).
    subwords : Subwords or None
        Which n-grams the words have.
    """

    words: list[Any]
    vectors: NDArray[np.float32]
    counts: NDArray[np.int64] | None = None
    metadata: dict[str, Any] | None = None
    input_vectors: NDArray[np.float32] | None = None
    subwords: Subwords | None = None


def keep_rows(
    contents: Contents, words: list[str], kept: Rows, dtype: np.dtype[np.floating] | None = None
) -> Contents:
    """Return the contents of some of the rows, whose words these are, with all rows of n-grams.

    Arrays that are copied are copied as `dtype`, by default their own.
    """
    _, vectors, counts, _, input_vectors, subwords = contents
    n = len(vectors)
    if input_vectors is not None and subwords is not None and len(words) < subwords.own_rows(n):
        if isinstance(input_vectors, Compact):
            input_vectors = input_vectors[np.r_[np.arange(n)[kept], n : len(input_vectors)]]
        else:
            input_vectors = np.concatenate([input_vectors[:n][kept], input_vectors[n:]], dtype=dtype)
    return contents._replace(
        words=words,
        vectors=vectors[kept],
        counts=None if counts is None else counts[kept],
        input_vectors=input_vectors,
    )


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a plain or gzipped file; a damaged .gz raises a ValueError that names it, even during reading."""
    with path.open("rb") as stored:
        if not stored.seekable():
            raise ValueError(f"{path}: is a pipe, which can be read only once: save it to a file first")
        if not _is_gzipped(stored):
            yield stored
            return
        try:
            with gzip.open(stored) as file:
                yield cast(BinaryIO, file)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path}: the .gz is truncated or damaged ({error})") from error


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file; raise ValueError if it is empty."""
    with open_bytes(path) as file:
        head = file.read(FIRST_BYTES)
    if not head:
        raise ValueError(f"{path}: the file is empty")
    return head


def refuse_other_kinds(path: Path, head: bytes) -> None:
    """Raise ValueError if a file that begins so is of a kind known to hold neither vectors nor a model."""
    kind = recognize(path, head)
    if kind is not None:
        raise ValueError(f"{path} is {kind.name}: {kind.remedy}")


def _is_gzipped(file: BinaryIO) -> bool:
    magic = file.read(len(GZIP_MAGIC))
    file.seek(0)
    return magic == GZIP_MAGIC


def check_sizes(path: Path, n: int, d: int, row_bytes: int) -> None:
    """Raise if a file is too small for `n` rows of at least `row_bytes` bytes, or if rows have no numbers."""
    if d == 0:
        raise ValueError(f"{path}: the header says 0 dimensions")
    size = most_bytes(path)
    if n * row_bytes > size:
        raise ValueError(
            f"{path}: the header promises {n:,} words of {d:,} dimensions, at least {n * row_bytes:,} bytes, "
            f"but the file holds no more than {size:,}: it is truncated, damaged, or in another format; "
            "limit=... reads as many words as are there"
        )


def most_bytes(path: Path) -> int:
    """Return an upper bound of the size of the contents: the file size, or what a .gz can unpack to."""
    with path.open("rb") as file:
        return path.stat().st_size * (GZIP_LIMIT if _is_gzipped(file) else 1)
