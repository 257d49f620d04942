r"""The binary format of word2vec.c: a header line, then for each word its bytes, a space and d float32.

``b"2 3\nparis " + 12 bytes + b"\nlondon " + 12 bytes + b"\n"``. word2vec.c ends each vector with a line feed,
gensim does not; both are read, and ours is word2vec.c's. A word with a space in it, which gensim writes
too, is not marked in any way: the numbers seem to begin at its first space. `_check_shift` notices that.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastvec._file_kinds import sizes
from fastvec._format_common import (
    BLOCK,
    WORD_LIMIT,
    Contents,
    check_sizes,
    decode_words,
    encode_words,
    open_bytes,
)

__all__ = ["read", "write"]

# Numbers that are neither 0 nor between these are probably made of bytes of a word, or of two numbers.
SMALLEST, LARGEST = 1e-12, 1e6
CONTROL = bytes([*range(32), 127])


def write(path: Path, contents: Contents) -> None:
    """Write words and vectors to a new file; the format holds nothing else."""
    names = encode_words(contents.words)
    n, d = contents.vectors.shape
    rows = max(1, BLOCK // (4 * d))
    with path.open("wb") as file:
        file.write(b"%d %d\n" % (n, d))
        for start in range(0, n, rows):
            block = np.asarray(contents.vectors[start : start + rows], dtype="<f4")
            file.write(
                b"".join(
                    b"%b %b\n" % (name, row.tobytes())
                    for name, row in zip(names[start : start + rows], block, strict=True)
                )
            )


def read(path: Path, errors: str, limit: int | None) -> Contents:
    """Read words and vectors."""

    def place(row: int) -> str:
        return f"{path}, word {row + 1:,} of {n:,}"

    with open_bytes(path) as file:
        header = file.readline(64)
        promised = sizes(header)
        if promised is None:
            raise ValueError(
                f"{path}: a word2vec binary file begins with a line of two numbers, words and dimensions, "
                f"got {header[:40]!r}"
            )
        n, d = promised
        n_read = n if limit is None else min(n, limit)
        check_sizes(path, n_read, d, 4 * d + 1)
        names: list[bytes] = []
        vectors = np.empty((n_read, d), dtype=np.float32)
        buffer, position = b"", 0
        for row in range(n_read):
            searched = position
            while (space := buffer.find(b" ", searched)) < 0 or space + 1 + 4 * d > len(buffer):
                if space < 0 and len(buffer) - position > WORD_LIMIT:
                    raise ValueError(
                        f"{place(row)}: no space ends it within {WORD_LIMIT:,} bytes; the file is damaged"
                    )
                more = file.read(BLOCK)
                if not more:
                    raise ValueError(
                        f"{place(row)}: the file ends within it; it is truncated or damaged; "
                        f"limit={row} reads the words before it"
                    )
                searched = (len(buffer) if space < 0 else space) - position
                buffer, position = buffer[position:] + more, 0
            names.append(buffer[position:space])
            vectors[row] = np.frombuffer(buffer, dtype="<f4", count=d, offset=space + 1)
            position = space + 1 + 4 * d
        if n_read == n and (buffer[position:] + file.read(BLOCK)).strip():
            raise ValueError(
                f"{path}: the file continues after the {n:,} words that its header promises; it is damaged; "
                f"limit={n} reads these"
            )
    _check_shift(names, vectors, place)
    names = [name.lstrip(b"\n") for name in names]
    words, kept = decode_words(path, names, errors, place)
    return Contents(words, vectors[kept], None, {})


def _check_shift(names: list[bytes], vectors: NDArray[np.float32], place: Callable[[int], str]) -> None:
    """Raise if a word begins in the middle of a vector, as it seems to when the one before it has a space.

    In a file of line feeds, that word is the only one without. In others, bytes of numbers become part of it,
    and the numbers before it, which begin in the middle of a word, are of any size.
    """
    starts = [name[:1] for name in names[1:]]
    n_fed = starts.count(b"\n")
    if n_fed == len(starts):
        return
    if n_fed:
        usual = 2 * n_fed > len(starts)
        row = next(row for row, start in enumerate(starts, 1) if (start == b"\n") != usual)
        raise _shifted(place(row))
    if not _is_odd(b" ".join(names)):
        return
    for row, name in enumerate(names[1:], 1):
        if _is_odd(name):
            sizes_before = np.abs(vectors[row - 1])
            if not ((sizes_before == 0) | ((sizes_before > SMALLEST) & (sizes_before < LARGEST))).all():
                raise _shifted(place(row))


def _is_odd(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return True
    return name.translate(None, CONTROL) != name


def _shifted(place: str) -> ValueError:
    return ValueError(
        f"{place}: it begins with numbers of the word before it; the file is damaged, or that word has a "
        "space in it, which this format cannot hold: save the vectors as text, or without spaces in words"
    )
