"""The text format of GloVe, a word and d numbers in a line; word2vec.c has a header line above them.

Blanks before a word are no part of it, nor is a byte order mark of the file. A word may have white space in
it, as ``. . .`` in the vectors that come with GloVe, unless its last part is a number or it has as many
numbers as a row. GloVe's ``-write-header 1`` counts one row too few: that of its ``<unk>``, the last.
"""

from __future__ import annotations

import codecs
import io
import itertools
import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.formats.common import Contents, check_sizes, open_bytes
from fastvec.formats.kinds import NUMBER, sizes
from fastvec.formats.wanted import Collected, Wanted
from fastvec.formats.words import check_separable, decode_words, join_words
from fastvec.training.threads import Workers, file_threads

__all__ = [
    "FLORET_HEADER",
    "begins",
    "is_text",
    "parse_rows",
    "read",
    "read_rows",
    "whole_lines",
    "write",
    "write_rows",
]

# The first line of floret: six numbers, and what stands before and behind a word, which are no numbers.
FLORET_HEADER = re.compile(rb"\s*" + rb"(\d{1,18}) +" * 6 + rb"([^\s\d.+-]\S*) +([^\s\d.+-]\S*)\s*?\n")
# Bytes of lines that are parsed together.
TEXT_BYTES = 1 << 20
# Rows that say together how many dimensions there are, where no header does.
SAMPLE = 100
GLOVE_UNKNOWN = b"<unk>"
# One between blanks, as in the rows of text files.
NUMBER_OF_ROW = re.compile(rb"[ \t]" + NUMBER.pattern + rb"(?=\s|$)")
UNPRINTABLE = re.compile(rb"[\0-\x08\x0e-\x1f\x7f]")


def begins(head: bytes) -> bool:
    """Return whether a file that begins so is text, and not floret's."""
    return is_text(head) is True and FLORET_HEADER.match(head) is None


def is_text(head: bytes) -> bool | None:
    """Return whether the rows of a file are text, and not binary after a header line; None if not clear."""
    head = head.removeprefix(codecs.BOM_UTF8)
    first, _, rest = head.partition(b"\n")
    promised = sizes(first)
    if promised is None:
        return _are_text(head, None) or None
    if b" " not in rest.strip() and b"\t" not in rest.strip():  # no row, or a word that is longer than this
        return None
    return _are_text(rest, promised[1])


def write(path: Path, contents: Contents) -> None:
    """Write words and vectors to a new file without a header line."""
    if contents.words and str(contents.words[0]).startswith("\ufeff"):
        raise ValueError(
            f"the word {contents.words[0]!r} begins with a byte order mark, which this format cannot hold in "
            "the first word; save as .fvec"
        )
    write_rows(path, contents, b"")


def read(path: Path, wanted: Wanted) -> Contents:
    """Read words and vectors of a file without a header line, unless it is clearly there."""
    return read_rows(path, wanted, of_glove=True)


def write_rows(path: Path, contents: Contents, header: bytes) -> None:
    """Write words and vectors to a new file, after a header line or nothing."""
    check_separable(contents.words)
    n, d = contents.vectors.shape
    at_once = max(1, TEXT_BYTES // (16 * d))

    def lines_from(start: int) -> NDArray[np.uint8]:
        values = np.ascontiguousarray(contents.vectors[start : start + at_once], dtype=np.float32)
        lines: NDArray[np.uint8] = kernels.rows.write_text(
            *join_words(contents.words[start : start + at_once]), values
        )
        return lines

    with path.open("wb") as file, Workers(file_threads()) as workers:
        file.write(header)
        for lines in workers.in_order(lines_from, range(0, n, at_once)):
            file.write(lines.data)


def read_rows(path: Path, wanted: Wanted, *, of_glove: bool) -> Contents:
    """Read words and vectors; where no header line is to be expected, it is one only if that is clear."""
    promised, d, above, n_read, last = None, 0, 0, 0, b""
    with open_bytes(path) as file:
        texts = whole_lines(file)
        first = next(texts, b"").removeprefix(codecs.BOM_UTF8)
        if first:
            lines = _lines(first)
            promised = _header(lines, of_glove)
            if promised is None:
                d = _dimensions(path, lines, of_glove)
            else:
                d = promised[1]
                check_sizes(path, wanted.first(promised[0]), d, 2 * d + 1)
                first, above = first[len(lines[0]) :], 1
        collected = Collected(wanted, d)
        texts = itertools.chain([first], texts)
        with closing(parse_rows(path, texts, above, d, wanted.limit)) as parts:
            for names, values, numbers in parts:
                collected.add(names, values, numbers)
                n_read += len(names)
                last = names[-1] if names else last
    if promised is not None and n_read != wanted.limit:
        _check_promise(path, promised[0], n_read, last)

    def place(row: int) -> str:
        return f"{path}, line {collected.place(row):,}"

    words, kept = decode_words(path, collected.names, wanted.errors, place, wanted.encoding)
    return Contents(words, collected.matrix()[kept])


def parse_rows(
    path: Path, texts: Iterable[bytes], above: int, d: int, limit: int | None = None
) -> Generator[tuple[list[bytes], NDArray[np.float32], Sequence[int]], None, None]:
    """Yield words, vectors and the numbers of their lines, of texts of whole lines below some others."""
    n_read = 0

    def parse(part: tuple[int, bytes]) -> tuple[list[bytes], NDArray[np.float32], Sequence[int]]:
        at_most = None if limit is None else limit - n_read
        return _fast_rows(*part, d, at_most) or _careful_rows(path, *part, d, at_most)

    # With a limit, how many rows of a part are read depends on those before it.
    with Workers(file_threads() if limit is None else 1) as workers:
        for rows in workers.in_order(parse, _below(above, texts)):
            yield rows
            n_read += len(rows[0])
            if n_read == limit:
                break


def whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the content of a file in parts that end with a line feed, but perhaps for the last."""
    pieces: list[bytes] = []
    while block := file.read(TEXT_BYTES):
        end = block.rfind(b"\n") + 1
        if end:
            yield b"".join([*pieces, block[:end]])
            pieces.clear()
        pieces.append(block[end:])
    yield b"".join(pieces)


def _below(above: int, texts: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield texts that are not empty, each with the number of lines above it."""
    for text in filter(None, texts):
        yield above, text
        above += text.count(b"\n")


def _lines(text: bytes) -> list[bytes]:
    """Return the lines of a text with their ends."""
    return io.BytesIO(text).readlines()


def _header(lines: list[bytes], of_glove: bool) -> tuple[int, int] | None:
    """Return the numbers of words and dimensions in the first line, or None if it is not a header.

    A file of GloVe's begins with a header if that fits the next line, and cannot be a word and its number.
    """
    promised = sizes(lines[0])
    if promised is None or not of_glove:
        return promised
    d = promised[1]
    return promised if d > 1 and len(lines) > 1 and _count_numbers(lines[1]) == d else None


def _dimensions(path: Path, lines: list[bytes], of_glove: bool) -> int:
    """Return how many numbers most of the first rows have, of a file without a header.

    Raises
    ------
    ValueError
        If they have none, or the first line is almost a header, which would become a word.
    """
    rows = (line for line in lines if not line.isspace())
    counts = Counter(map(_count_numbers, itertools.islice(rows, SAMPLE)))
    d = counts.most_common(1)[0][0] if counts else 0
    if d < 1:
        raise ValueError(f"{path}, line 1: expected a word and its numbers, got {lines[0][:40]!r}")
    fields = lines[0].split()
    whole = lines[0].lstrip(b"#%; ").replace(b" ", b"").strip().isdigit()
    if not of_glove and (whole or (0 < len(fields) <= d and all(map(_is_number, fields)))):
        advice = "; format='glove' reads it as a word and its numbers" if len(fields) == d + 1 else ""
        raise ValueError(
            f"{path}, line 1: a header must be two whole numbers, words and dimensions, got "
            f"{lines[0][:40]!r}{advice}"
        )
    return d


def _count_numbers(line: bytes) -> int:
    """Return how many numbers stand at the end of a line, after what is a word in any case."""
    return sum(1 for _ in itertools.takewhile(_is_number, reversed(line.split()[1:])))


def _check_promise(path: Path, n: int, found: int, last: bytes) -> None:
    """Raise if there are not as many rows as the header says; `last` is the word of the last."""
    if found == n or (found == n + 1 and last == GLOVE_UNKNOWN):
        return
    raise ValueError(
        f"{path}: the header promises {n:,} words, the file holds {found:,}; it is truncated or damaged; "
        f"limit={min(n, found)} reads the first of them"
    )


def _fast_rows(
    above: int, text: bytes, d: int, at_most: int | None
) -> tuple[list[bytes], NDArray[np.float32], Sequence[int]] | None:
    """Parse lines of a word, a space and d numbers each, which stand below `above` lines of the file.

    Returns
    -------
    names : list of bytes
        The words, `at_most` so many.
    values : ndarray of float32, shape (n, d)
        Their vectors.
    numbers : sequence of int
        The numbers of their lines, counted from 1.

    None if a line is irregular: `_careful_rows` then reads what is allowed.
    """
    ended = text if text.endswith(b"\n") else text + b"\n"
    n = ended.count(b"\n")
    n = n if at_most is None else min(n, at_most)
    if n * (2 * d + 1) > len(ended):  # not all lines have d numbers
        return None
    values, bounds = np.empty((n, d), np.float32), np.empty((n, 2), np.int64)
    if not kernels.rows.read_text(ended, values, bounds):
        return None
    return [text[begin:end] for begin, end in bounds.tolist()], values, range(above + 1, above + 1 + n)


def _careful_rows(
    path: Path, above: int, text: bytes, d: int, at_most: int | None
) -> tuple[list[bytes], NDArray[np.float32], Sequence[int]]:
    """Parse lines one by one, to accept irregular ones and to report invalid ones, as `_fast_rows`."""
    names: list[bytes] = []
    numbers: list[int] = []
    values: list[list[float]] = []
    for number, line in enumerate(_lines(text), above + 1):
        if line.isspace():
            continue
        if len(names) == at_most:
            break
        place = f"{path}, line {number:,}"
        fields = line.strip().rsplit(None, d)
        inside = fields[0].split()[1:]
        if len(fields) == d and all(map(_is_number, fields)) and line[:1].isspace():
            raise ValueError(f"{place}: expected a word and {d:,} numbers, got the numbers alone")
        if len(fields) != d + 1 or (inside and _is_number(inside[-1])):
            raise ValueError(f"{place}: expected a word and {d:,} numbers, got {_count_numbers(line):,}")
        if b"\r" in fields[0] or sum(map(_is_number, inside)) >= d:
            raise ValueError(f"{place}: expected one word and its numbers, got several: {line[:60]!r}")
        for field in fields[1:]:
            if not _is_number(field):
                raise ValueError(f"{place}: {field!r} is not a number")
        names.append(fields[0])
        numbers.append(number)
        values.append(list(map(float, fields[1:])))
    with np.errstate(over="ignore"):
        return names, np.array(values, dtype=np.float32).reshape(len(names), d), numbers


def _is_number(field: bytes) -> bool:
    """Return whether a field of a text file is a number, or NaN or infinity."""
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field  # which only Python reads, as in 1_000


def _are_text(rows: bytes, d: int | None) -> bool:
    """Return whether rows of vectors are text; `d` is their number of dimensions, if there was a header line.

    The first is a word and `d` numbers, or at least the place of its numbers in a binary file is printable
    and has digits, in `d` fields or with a number between blanks: a few numbers may be printable by chance.
    Without a header, rows are text if numbers stand between blanks.
    """
    if d is None:
        return NUMBER_OF_ROW.search(rows) is not None and _is_printable(rows)
    fields = rows.lstrip().partition(b"\n")[0].split()
    if len(fields) > d >= 1 and all(map(_is_number, fields[-d:])):
        return True
    blank = max(rows.find(b" "), 0)
    place = rows[blank : blank + 1 + 4 * d]
    has_fields = len(fields) > d and NUMBER.search(place) is not None
    return d > 1 and (has_fields or NUMBER_OF_ROW.search(place) is not None) and _is_printable(place)


def _is_printable(head: bytes) -> bool:
    """Return whether bytes are UTF-8 without control characters; at their end, a character may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return UNPRINTABLE.search(head) is None
