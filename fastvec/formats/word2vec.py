r"""The formats of word2vec.c: a header line, words and dimensions, then for each word a row.

As text, a row is the word and d numbers, see ``glove.py``. In the binary format, it is the bytes of the word,
a space and d float32: ``b"2 3\nparis " + 12 bytes + b"\nlondon " + 12 bytes + b"\n"``. word2vec.c ends each
vector with a line feed, gensim does not; both are read, and ours is word2vec.c's. A word with a space in it,
which gensim writes too, is not marked in any way: its numbers seem to begin at its first space, which
`_Spaces` notices.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.formats.common import BLOCK_BYTES, Contents, check_sizes, open_bytes
from fastvec.formats.glove import is_text, read_rows, write_rows
from fastvec.formats.kinds import sizes
from fastvec.formats.wanted import Collected, Wanted
from fastvec.formats.words import WORD_LIMIT, check_separable, decode_words, join_words

__all__ = ["begins_binary", "read_binary", "read_text", "write_binary", "write_text"]

# Of a word with a space in it, the numbers seem to begin too early, so that they are of any size.
USUAL = (1e-6, 1e3)
POSSIBLE = (1e-12, 1e6)
# With so many dimensions, there are large ones among them, and only the first is looked at for small ones: it
# is made of bytes of the word, even if the others are in their places.
MANY = 32
# How many rows before and after one say whether rows are lines.
NEAR = 8
CONTROL = bytes([*range(32), 127])


def begins_binary(head: bytes) -> bool:
    """Return whether a file that begins so is binary."""
    return is_text(head) is False


def write_text(path: Path, contents: Contents) -> None:
    """Write words and vectors to a new file with a header line; the format holds nothing else."""
    write_rows(path, contents, b"%d %d\n" % contents.vectors.shape)


def read_text(path: Path, wanted: Wanted) -> Contents:
    """Read words and vectors; a file without the header line is read as GloVe's."""
    return read_rows(path, wanted, of_glove=False)


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


def read_binary(path: Path, wanted: Wanted) -> Contents:
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
        n_read = wanted.first(n)
        check_sizes(path, n_read, d, 4 * d + 1)
        names: list[bytes] = []
        collected = Collected(wanted, d, n_read)
        spaces = _Spaces(d, place)
        content = b""
        while len(names) < n_read:
            row = len(names)
            at_most = min(n_read - row, len(content) // (4 * d + 1))
            bounds, values = np.empty((at_most, 2), np.int64), collected.room(at_most)
            n_found, end = kernels.rows.read_records(content, b" ", values.view(np.uint8), bounds)
            if n_found:
                found = [content[begin:space] for begin, space in bounds[:n_found].tolist()]
                values = values[:n_found]
                if sys.byteorder == "big":
                    values.byteswap(inplace=True)
                collected.add([name.lstrip(b"\r\n") for name in found], values, range(row, row + n_found))
                spaces.look(found, values)
                names += found
                content = content[end:]
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
    _check_line_feeds(names, place)
    spaces.check(content[: 4 * d])
    _check_names([name.lstrip(b"\r\n") for name in names], place, wanted.encoding)

    def place_of_kept(row: int) -> str:
        return place(collected.place(row))

    words, kept = decode_words(path, collected.names, wanted.errors, place_of_kept, wanted.encoding)
    return Contents(words, collected.matrix()[kept])


def _check_line_feeds(names: list[bytes], place: Callable[[int], str]) -> None:
    """Raise if a word seems to have a space in it: in a file of line feeds, the row after it has none."""
    starts = [name[:1] for name in names[1:]]
    n_fed = starts.count(b"\n")
    if 0 < n_fed < len(starts):
        usual = 2 * n_fed > len(starts)
        row = next(row for row, start in enumerate(starts) if (start == b"\n") != usual)
        raise ValueError(
            f"{place(row)}: its numbers do not end where the next word begins; the file is damaged, or the "
            "word has a space in it, which this format cannot hold: save the vectors as text"
        )


class _Spaces:
    """Looks for a word with a space in it: its numbers are unusual, but not those from a later space on."""

    def __init__(self, d: int, place: Callable[[int], str]) -> None:
        self._place = place
        self._n = 0  # rows that were looked at
        # A row is looked at together with the two that follow it.
        self._names: list[bytes] = []
        self._vectors = np.empty((0, d), np.float32)
        self._error: ValueError | None = None

    def look(self, names: list[bytes], vectors: NDArray[np.float32]) -> None:
        """Look at rows that follow those before."""
        if len(names) > 2:  # only those at the seam are copied
            seam = np.concatenate([self._vectors, vectors[:2]])
            self._look(self._names + names[:2], seam, len(self._names))
        else:
            names, vectors = self._names + names, np.concatenate([self._vectors, vectors])
        n = max(0, len(names) - 2)
        self._look(names, vectors, n)
        self._names, self._vectors = names[n:], vectors[n:].copy()

    def check(self, after: bytes) -> None:
        """Raise if there was such a word; `after` is what comes after the last row."""
        self._look(self._names, self._vectors, len(self._names), after)
        if self._error is not None:
            raise self._error

    def _look(self, names: list[bytes], vectors: NDArray[np.float32], n: int, after: bytes = b"") -> None:
        """Look at the first n of some rows."""
        d = vectors.shape[1]
        for row in [] if self._error else _unusual_rows(vectors[:n]):
            near = names[max(0, row - NEAR) : row + NEAR + 1]
            content = vectors[row].tobytes()
            for name, numbers in zip(names[row + 1 : row + 3], vectors[row + 1 : row + 3], strict=True):
                content += name + b" " + numbers.tobytes()
            content += after
            space = content.find(b" ")
            while self._error is None and 0 <= space < len(content) - 4 * d and not _is_odd(content[:space]):
                numbers = np.abs(np.frombuffer(content, "<f4", d, space + 1))
                possible = (numbers == 0) | ((numbers > POSSIBLE[0]) & (numbers < POSSIBLE[1]))
                if possible.all() and _may_begin_a_row(content[space + 1 + 4 * d :][:1], near):
                    word = names[row].lstrip(b"\n") + b" " + content[:space]
                    self._error = ValueError(
                        f"{self._place(self._n + row)}: {word!r} has a space in it, which this format cannot "
                        "hold: save the vectors as text"
                    )
                space = content.find(b" ", space + 1)
        self._n += n


def _may_begin_a_row(byte: bytes, names: list[bytes]) -> bool:
    """Return whether a byte may be the first of a row, near others with these names."""
    n_fed = sum(name.startswith((b"\n", b"\r\n")) for name in names)
    rows_are_lines = n_fed > 1 and 2 * n_fed > len(names)
    return byte in b"\r\n" if rows_are_lines else byte != b" "


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


def _check_names(names: list[bytes], place: Callable[[int], str], encoding: str) -> None:
    """Raise if a word has control characters and is not UTF-8: it is made of numbers."""
    if not _has_control(b"".join(names)):
        return
    for row, name in enumerate(names):
        if _has_control(name) and (encoding != "utf-8" or not _is_utf8(name)):
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
