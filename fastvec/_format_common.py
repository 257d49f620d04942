"""What the formats share: contents, opening files, headers, and encoding words."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from fastvec._subwords import Subwords

__all__ = [
    "BLOCK",
    "FASTTEXT_MAGIC",
    "Contents",
    "check_sizes",
    "check_unique",
    "decode_words",
    "encode_words",
    "most_bytes",
    "open_bytes",
    "sizes",
]

BLOCK = 1 << 22
"""Bytes read or written at a time."""

FASTTEXT_MAGIC = (793712314).to_bytes(4, "little")
"""How fastText's own files begin, which have the extension of word2vec's binary ones."""

# Deflate shrinks nothing by more than this (zlib's technical notes), so that a small .gz holds no huge file.
GZIP_LIMIT = 1032

# White space as C's isspace and bytes.split see it: what ends a word for the readers of these formats.
SPACE = re.compile(r"[ \t\n\v\f\r]")


class Contents(NamedTuple):
    """The contents of a file of vectors.

    Attributes
    ----------
    words : list of str
        The n words, in the file's order.
    vectors : ndarray of float32, shape (n, d)
        Their vectors; read-only and memory-mapped if requested.
    counts : ndarray of int64, shape (n,), or None
        How often each word occurred in training; only .fvec and fastText's .bin keep it.
    metadata : dict
        Training parameters; .fvec keeps all, fastText's .bin its own.
    input_vectors : ndarray of float32, shape (n + buckets, d), or None
        The rows whose means `vectors` are, where words have n-grams: those of the words, then those of the
        n-grams; only .fvec and fastText's .bin keep them.
    subwords : Subwords or None
        Which n-grams the words have.
    """

    words: list[str]
    vectors: NDArray[np.float32]
    counts: NDArray[np.int64] | None
    metadata: dict[str, Any]
    input_vectors: NDArray[np.float32] | None = None
    subwords: Subwords | None = None


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a plain or gzipped file; a damaged .gz raises a ValueError that names it, even during reading."""
    if path.suffix.lower() != ".gz":
        with path.open("rb") as file:
            yield file
        return
    try:
        with gzip.open(path) as file:
            yield cast(BinaryIO, file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: the .gz is truncated or damaged ({error})") from error


def sizes(line: bytes) -> tuple[int, int] | None:
    """Return the numbers of words and dimensions in a header line, or None if it is not a header."""
    match = re.fullmatch(rb"(\d{1,18}) +(\d{1,18})\s*", line)
    return (int(match[1]), int(match[2])) if match else None


def check_sizes(path: Path, n: int, d: int, row_bytes: int) -> None:
    """Raise if a file is too small for `n` rows of at least `row_bytes` bytes, or if rows have no numbers."""
    if d == 0:
        raise ValueError(f"{path}: the header says 0 dimensions")
    size = most_bytes(path)
    if n * row_bytes > size:
        raise ValueError(
            f"{path}: the header promises {n:,} words of {d:,} dimensions, at least {n * row_bytes:,} bytes, "
            f"but the file holds no more than {size:,}: it is truncated, damaged, or in another format"
        )


def most_bytes(path: Path) -> int:
    """Return an upper bound of the size of the contents: the file size, or what a .gz can unpack to."""
    return path.stat().st_size * (GZIP_LIMIT if path.suffix.lower() == ".gz" else 1)


def check_unique(path: Path, words: Sequence[str]) -> None:
    """Raise if a word occurs twice, naming both positions."""
    if len(set(words)) == len(words):
        return
    first: dict[str, int] = {}
    for row, word in enumerate(words, 1):
        if word in first:
            raise ValueError(f"{path}: {word!r} is both word {first[word]:,} and word {row:,} of the file")
        first[word] = row


def decode_words(names: Sequence[bytes], errors: str, place: Callable[[int], str]) -> list[str]:
    """Decode words, or raise ValueError naming the first invalid word and byte."""
    try:
        return [name.decode(errors=errors) for name in names]
    except UnicodeDecodeError as error:
        where = place(names.index(error.object))
        raise ValueError(
            f"{where}: byte {error.start + 1} of the word {error.object!r} is not UTF-8; "
            "pass errors='replace' or 'ignore'"
        ) from error


def encode_words(words: Sequence[str]) -> list[bytes]:
    """Encode words, or raise ValueError for one that could not be read back."""
    for word in words:
        if not word or SPACE.search(word):
            what = "has white space" if word else "is empty"
            raise ValueError(f"the word {word!r} {what}, which this format cannot hold; save as .fvec")
    try:
        return [word.encode() for word in words]
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the word {error.object!r} has a lone surrogate and cannot be written in UTF-8"
        ) from error
