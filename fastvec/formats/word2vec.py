r"""The formats of word2vec.c: a header line, words and dimensions, then for each word a row.

As text, a row is the word and d numbers, see ``glove.py``. In the binary format, it is the bytes of the word,
a space and d float32: ``b"2 3\nparis " + 12 bytes + b"\nlondon " + 12 bytes + b"\n"``. word2vec.c ends each
vector with a line feed, gensim does not; both are read, and ours is word2vec.c's. A word with a space in it,
which gensim writes too, is not marked in any way: its numbers seem to begin at its first space, which
`_check_spaces` notices.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.formats.common import BLOCK_BYTES, Contents, check_sizes, open_bytes
from fastvec.formats.glove import is_text, read_rows, write_rows
from fastvec.formats.kinds import sizes
from fastvec.formats.words import WORD_LIMIT, check_separable, decode_words, join_words

__all__ = ["begins_binary", "read_binary", "read_text", "write_binary", "write_text"]

# Of a word with a space in it, the numbers seem to begin too early, so that they are of any size.
USUAL = (1e-6, 1e3)
POSSIBLE = (1e-12, 1e6)
# With so many dimensions, there are large ones among them, and only the first is looked at for small ones: it
# is made of bytes of the word, even if the others are in their places.
MANY = 32
CONTROL = bytes([*range(32), 127])


def begins_binary(head: bytes) -> bool:
    """Return whether a file that begins so is binary."""
    return is_text(head) is False


def write_text(path: Path, contents: Contents) -> None:
    """Write words and vectors to a new file with a header line; the format holds nothing else."""
    write_rows(path, contents, b"%d %d\n" % contents.vectors.shape)


def read_text(path: Path, errors: str, limit: int | None) -> Contents:
    """Read words and vectors; a file without the header line is read as GloVe's."""
    return read_rows(path, errors, limit, of_glove=False)


def write_binary(path: Path, contents: Contents) -> None:
    """Write words and vectors to a new file; the format holds nothing else."""
    check_separable(contents.words)
    n, d = contents.vectors.shape
    at_once = max(1, BLOCK_BYTES // (4 * d))
    with path.open("wb") as file:
        file.write(b"%d %d\n" % (n, d))
        for start in range(0, n, at_once):
            values = np.ascontiguousarray(contents.vectors[start : start + at_once], dtype="<f4")
            joined = join_words(contents.words[start : start + at_once])
            file.write(kernels.rows.write_records(*joined, b" ", values.view(np.uint8), b"\n").data)


def read_binary(path: Path, errors: str, limit: int | None) -> Contents:
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
        vectors = np.empty((n_read, d), dtype="<f4")
        content = b""
        while len(names) < n_read:
            row = len(names)
            at_most = min(n_read - row, len(content) // (4 * d + 1))
            bounds = np.empty((at_most, 2), np.int64)
            values = vectors[row : row + at_most].view(np.uint8)
            n_found, end = kernels.rows.read_records(content, b" ", values, bounds)
            names += [content[begin:space] for begin, space in bounds[:n_found].tolist()]
            content = content[end:]
            if n_found:
                continue
            if len(content) > WORD_LIMIT and b" " not in content:
                raise ValueError(
                    f"{place(row)}: no space ends it within {WORD_LIMIT:,} bytes; the file is damaged"
                )
            more = file.read(BLOCK_BYTES)
            if not more:
                raise ValueError(
                    f"{place(row)}: the file ends within it; it is truncated or damaged; "
                    f"limit={row} reads the words before it"
                )
            content += more
        if n_read == n and (content + file.read(BLOCK_BYTES)).strip():
            raise ValueError(
                f"{path}: the file continues after the {n:,} words that its header promises; it is damaged; "
                f"limit={n} reads these"
            )
    vectors = vectors.astype(np.float32, copy=False)
    _check_spaces(names, vectors, content[: 4 * d], place)
    names = [name.lstrip(b"\r\n") for name in names]
    _check_names(names, place)
    words, kept = decode_words(path, names, errors, place)
    return Contents(words, vectors[kept])


def _check_spaces(
    names: list[bytes], vectors: NDArray[np.float32], after: bytes, place: Callable[[int], str]
) -> None:
    """Raise if a word seems to have a space in it; `after` is what comes after the last row.

    In a file of line feeds, the row after it is the only one that does not begin with one. In any file, its
    numbers are unusual, but not when taken from a later space on.
    """
    starts = [name[:1] for name in names[1:]]
    n_fed = starts.count(b"\n")
    if 0 < n_fed < len(starts):
        usual = 2 * n_fed > len(starts)
        row = next(row for row, start in enumerate(starts) if (start == b"\n") != usual)
        raise ValueError(
            f"{place(row)}: its numbers do not end where the next word begins; the file is damaged, or the "
            "word has a space in it, which this format cannot hold: save the vectors as text"
        )
    d = vectors.shape[1]
    for row in _unusual_rows(vectors):
        content = vectors[row].tobytes()
        for name, numbers in zip(names[row + 1 : row + 3], vectors[row + 1 : row + 3], strict=True):
            content += name + b" " + numbers.tobytes()
        content += after
        space = content.find(b" ")
        while 0 <= space < len(content) - 4 * d and not _is_odd(content[:space]):
            numbers = np.abs(np.frombuffer(content, "<f4", d, space + 1))
            if ((numbers == 0) | ((numbers > POSSIBLE[0]) & (numbers < POSSIBLE[1]))).all():
                word = names[row].lstrip(b"\n") + b" " + content[:space]
                raise ValueError(
                    f"{place(row)}: {word!r} has a space in it, which this format cannot hold: save the "
                    "vectors as text"
                )
            space = content.find(b" ", space + 1)


def _unusual_rows(vectors: NDArray[np.float32]) -> list[int]:
    """Return rows that have a large number or a NaN, or with few dimensions or first, a small one."""
    smallest, largest = USUAL
    n, d = vectors.shape
    looked_at = d if d < MANY else 1  # for small numbers
    rows: list[int] = []
    at_once = max(1, BLOCK_BYTES // (4 * d))
    for begin in range(0, n, at_once):
        block = vectors[begin : begin + at_once]
        first = np.abs(block[:, :looked_at])
        unusual = ((first < smallest) & (first > 0)).any(axis=1)
        if not (block.max() < largest and block.min() > -largest):
            unusual |= ~(np.abs(block) < largest).all(axis=1)
        rows += (begin + np.flatnonzero(unusual)).tolist()
    return rows


def _check_names(names: list[bytes], place: Callable[[int], str]) -> None:
    """Raise if a word has control characters and is not UTF-8: it is made of numbers."""
    if not _has_control(b"".join(names)):
        return
    for row, name in enumerate(names):
        if _has_control(name) and not _is_utf8(name):
            raise ValueError(
                f"{place(row)}: {name[:40]!r} seems to be numbers; the file is damaged, or its header has "
                "another number of dimensions"
            )


def _is_odd(name: bytes) -> bool:
    return _has_control(name) or not _is_utf8(name)


def _has_control(name: bytes) -> bool:
    return len(name.translate(None, CONTROL)) < len(name)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
