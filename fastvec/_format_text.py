"""The text formats of word2vec.c (with a header line) and GloVe (without): a word and d numbers in a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastvec._format_common import BLOCK, Contents, check_sizes, decode_words, encode_words, open_bytes, sizes

__all__ = ["read_glove", "read_word2vec", "write_glove", "write_word2vec"]


def write_word2vec(path: Path, contents: Contents) -> None:
    """Write words and vectors to a new file with a header line; the format holds nothing else."""
    _write(path, contents, b"%d %d\n" % contents.vectors.shape)


def write_glove(path: Path, contents: Contents) -> None:
    """Write words and vectors to a new file without a header line."""
    _write(path, contents, b"")


def read_word2vec(path: Path, errors: str) -> Contents:
    """Read words and vectors; a file without the header line is read as GloVe's."""
    with open_bytes(path) as file:
        promised = sizes(file.readline(64))
    if promised is None:
        return read_glove(path, errors)
    n, d = promised
    check_sizes(path, n, d, 2 * d + 1)
    contents = _read(path, errors, header_lines=1, d=d)
    if len(contents.words) != n:
        raise ValueError(
            f"{path}: the header promises {n:,} words, the file holds {len(contents.words):,}; "
            "it is truncated or damaged"
        )
    return contents


def read_glove(path: Path, errors: str) -> Contents:
    """Read words and vectors of a file without a header line."""
    return _read(path, errors, header_lines=0)


def _write(path: Path, contents: Contents, header: bytes) -> None:
    names = encode_words(contents.words)
    n, d = contents.vectors.shape
    # Nine significant digits give every float32 back exactly, in a third of the time of the fewest that do.
    line = b"%b " + b" ".join([b"%.9g"] * d) + b"\n"
    rows = max(1, BLOCK // (16 * d))
    with path.open("wb") as file:
        file.write(header)
        for start in range(0, n, rows):
            block = contents.vectors[start : start + rows].tolist()
            names_of_block = names[start : start + rows]
            file.write(b"".join(line % (name, *row) for name, row in zip(names_of_block, block, strict=True)))


def _read(path: Path, errors: str, *, header_lines: int, d: int | None = None) -> Contents:
    """Read the rows; the first one says how many dimensions there are where `d` does not."""
    words: list[str] = []
    blocks: list[NDArray[np.float32]] = []
    with open_bytes(path) as file:
        for _ in range(header_lines):
            file.readline()
        above = header_lines
        while lines := file.readlines(BLOCK):
            if d is None:
                d = len(lines[0].split()) - 1
                if d < 1:
                    raise ValueError(
                        f"{path}, line 1: expected a word and its numbers, got {lines[0][:40]!r}"
                    )
            names, values = _fast_rows(path, above, lines, d, errors) or _careful_rows(
                path, above, lines, d, errors
            )
            words += names
            blocks.append(values)
            above += len(lines)
    vectors = np.concatenate(blocks) if blocks else np.empty((0, d or 0), dtype=np.float32)
    return Contents(words, vectors, None, {})


def _fast_rows(
    path: Path, above: int, lines: list[bytes], d: int, errors: str
) -> tuple[list[str], NDArray[np.float32]] | None:
    """Parse regular lines, a word, a space and d numbers each; None if a line is irregular.

    `above` lines stand above them in the file.
    """
    rows = [line.rstrip().partition(b" ") for line in lines]
    numbers = [row[2] for row in rows]
    if not all(numbers):
        return None
    try:
        values = np.loadtxt(numbers, dtype=np.float32, comments=None, ndmin=2)
    except ValueError:
        return None
    if values.shape != (len(lines), d):
        return None
    words = decode_words([row[0] for row in rows], errors, lambda i: f"{path}, line {above + i + 1:,}")
    return words, values


def _careful_rows(
    path: Path, above: int, lines: list[bytes], d: int, errors: str
) -> tuple[list[str], NDArray[np.float32]]:
    """Parse lines one by one, to accept irregular ones and to report invalid ones.

    Empty lines are passed over, any white space separates, and a word may have white space in it, as
    ``. . .`` in the vectors that come with GloVe, unless that would make a number part of a word.
    """
    names: list[bytes] = []
    places: list[str] = []
    values: list[NDArray[np.float32]] = []
    for number, line in enumerate(lines, above + 1):
        if line.isspace():
            continue
        place = f"{path}, line {number:,}"
        fields = line.rsplit(None, d)
        inside = fields[0].split()[1:]
        if len(fields) != d + 1 or (inside and _is_number(inside[-1])):
            found = len(fields) + len(inside) - 1
            raise ValueError(f"{place}: expected a word and {d:,} numbers, got {found:,}")
        for field in fields[1:]:
            if not _is_number(field):
                raise ValueError(f"{place}: {field!r} is not a number")
        names.append(fields[0])
        places.append(place)
        values.append(np.array(fields[1:], dtype=np.float32))
    words = decode_words(names, errors, places.__getitem__)
    return words, np.array(values, dtype=np.float32).reshape(len(words), d)


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field  # which only Python reads, as in 1_000
