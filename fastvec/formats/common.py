"""What the formats share: contents, opening files, sizes, and the encoding of words."""

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

from fastvec.formats.kinds import GZIP_MAGIC, HEAD, recognize
from fastvec.formats.ngrams import Subwords
from fastvec.training.progress import warn

__all__ = [
    "BLOCK",
    "WORD_LIMIT",
    "Contents",
    "Rows",
    "check_sizes",
    "check_unique",
    "decode_words",
    "encode_words",
    "keep_rows",
    "most_bytes",
    "open_bytes",
    "read_head",
]

BLOCK = 1 << 22
"""Bytes read or written at a time."""

WORD_LIMIT = 1 << 23
"""The longest word in bytes: without a bound, all of a damaged file would be searched for the end of one."""

# Deflate shrinks nothing by more than this (zlib's technical notes), so that a small .gz holds no huge file.
GZIP_LIMIT = 1032

# White space as C's isspace and bytes.split see it: what ends a word for the readers of these formats.
SPACE = re.compile(r"[ \t\n\v\f\r]")


Rows = slice | NDArray[np.intp]
"""Which rows are kept: all, some of the first, or those at some positions."""


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


def keep_rows(contents: Contents, words: list[str], kept: Rows) -> Contents:
    """Return the contents of some of the rows, whose words these are, with all rows of n-grams."""
    _, vectors, counts, _, input_vectors, _ = contents
    n = len(vectors)
    if input_vectors is not None and len(words) < n:
        input_vectors = np.concatenate([input_vectors[:n][kept], input_vectors[n:]])
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
        if not _is_gzipped(stored):
            yield stored
            return
        try:
            with gzip.open(stored) as file:
                yield cast(BinaryIO, file)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path}: the .gz is truncated or damaged ({error})") from error


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file that may hold vectors or a model.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is empty, or of a kind known to hold neither; the message says what it is, and what can be done.
    """
    with open_bytes(path) as file:
        head = file.read(HEAD)
    if not head:
        raise ValueError(f"{path}: the file is empty")
    kind = recognize(path, head)
    if kind is not None:
        raise ValueError(f"{path} is {kind.name}: {kind.remedy}")
    return head


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


def check_unique(path: Path, words: Sequence[str], advice: str = "") -> None:
    """Raise if a word occurs twice, naming both positions."""
    if len(set(words)) == len(words):
        return
    first: dict[str, int] = {}
    for row, word in enumerate(words, 1):
        if word in first:
            raise ValueError(
                f"{path}: {word!r} is both word {first[word]:,} and word {row:,} of the file{advice}"
            )
        first[word] = row


def decode_words(
    path: Path, names: Sequence[bytes], errors: str | None, place: Callable[[int], str]
) -> tuple[list[str], Rows]:
    """Return words decoded from UTF-8, and the rows that they are of.

    Where `errors` repairs words, different ones may become equal, or empty. A word that was not UTF-8 then
    gives way to one that was, or else to the first, and is dropped with a warning.

    Parameters
    ----------
    path : Path
        The file.
    names : sequence of bytes
        The words.
    errors : {"strict", "replace", "ignore"} or None
        How to handle bytes that are not UTF-8; None if the user cannot choose.
    place : callable
        Where in the file the word of a row is.

    Raises
    ------
    ValueError
        If a word is empty; if one is not UTF-8 and `errors` is "strict" or None.
    """
    if not all(names):
        raise ValueError(f"{place(names.index(b''))}: the word is empty")
    try:
        return [name.decode() for name in names], slice(None)
    except UnicodeDecodeError as error:
        if errors in (None, "strict"):
            where = place(names.index(error.object))
            advice = "" if errors is None else "; errors='replace' reads it all the same"
            raise ValueError(
                f"{where}: byte {error.start + 1} of the word {error.object!r} is not UTF-8{advice}"
            ) from error
        return _repaired(path, names, errors, place)


def _repaired(
    path: Path, names: Sequence[bytes], errors: str, place: Callable[[int], str]
) -> tuple[list[str], Rows]:
    words = [name.decode(errors=errors) for name in names]
    encoded = [word.encode() for word in words]
    invalid = [row for row, name in enumerate(names) if encoded[row] != name]
    kept = np.ones(len(names), dtype=bool)
    kept[invalid] = False
    taken = {"", *(words[row] for row in np.flatnonzero(kept))}
    for row in invalid:
        kept[row] = words[row] not in taken
        taken.add(words[row])
    dropped = np.flatnonzero(~kept)
    if len(dropped):
        warn(
            f"{path}: dropped {len(dropped):,} of {len(names):,} words: without the bytes that are not UTF-8 "
            f"nothing is left of them, or what another word is; the first is {names[dropped[0]]!r} "
            f"({place(int(dropped[0]))})"
        )
    return [words[row] for row in np.flatnonzero(kept)], np.flatnonzero(kept)


def encode_words(words: Sequence[str]) -> list[bytes]:
    """Encode words, or raise ValueError for one that could not be read back."""
    for word in words:
        if not word or SPACE.search(word):
            what = "has white space" if word else "is empty"
            raise ValueError(f"the word {word!r} {what}, which this format cannot hold; save as .fvec")
    try:
        names = [word.encode() for word in words]
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the word {error.object!r} has a lone surrogate and cannot be written in UTF-8"
        ) from error
    longest = max(names, key=len, default=b"")
    if len(longest) > WORD_LIMIT:
        raise ValueError(
            f"the word {longest[:20]!r}... has {len(longest):,} bytes, and this format holds words of up to "
            f"{WORD_LIMIT:,}; save as .fvec"
        )
    return names
