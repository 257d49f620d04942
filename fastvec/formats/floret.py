"""The ``.floret`` format: a table of hashed words and n-grams, which has no list of words.

Above the rows, of which each is its place and d numbers as in ``glove.py``, is a line of eight fields::

    50000 300 4 5 2 2166136261 < >

These are the numbers of rows and of dimensions, the fewest and the most characters of an n-gram, the number
of rows of each word and n-gram, the seed of the hash, and what stands before and behind a word. Of the last
three, floret writes no others. Whoever reads a file lists the words.
"""

from __future__ import annotations

import itertools
from contextlib import closing
from pathlib import Path

import numpy as np

from fastvec.formats.common import Contents, most_bytes, open_bytes
from fastvec.formats.glove import FLORET_HEADER, parse_rows, whole_lines, write_rows
from fastvec.formats.ngrams import Subwords, row_means
from fastvec.formats.wanted import Wanted
from fastvec.reference.ngrams import SEED

__all__ = ["begins", "check", "read", "read_header", "write"]

HASH = (b"%d" % SEED, b"<", b">")


def begins(head: bytes) -> bool:
    """Return whether a file that begins so is one of floret's."""
    return FLORET_HEADER.match(head) is not None


def check(subwords: Subwords | None) -> None:
    """Raise ValueError if the format cannot hold vectors with these n-grams, or without any."""
    if subwords is None or subwords.hash_count is None:
        raise ValueError(
            "a .floret file holds n-grams as in floret, which these vectors do not have: train "
            "FastText(hash_count=2), or save as .fvec"
        )


def write(path: Path, contents: Contents) -> None:
    """Write the rows of words and n-grams, which `check` has seen, to a new file without the words."""
    subwords, rows = contents.subwords, contents.input_vectors
    assert subwords is not None and rows is not None
    sizes = (*rows.shape, subwords.min_n, subwords.max_n, subwords.hash_count)
    header = b"%d %d %d %d %d " % sizes + b" ".join(HASH) + b"\n"
    write_rows(path, Contents([*map(str, range(len(rows)))], rows), header)


def read(path: Path, wanted: Wanted) -> Contents:
    """Read the rows of words and n-grams, and make the vectors of the words that are wanted."""
    if wanted.words is None:
        raise ValueError(
            f"{path}: has no list of words: words=[...] says which the vectors are to have (on the command "
            "line: fastvec convert --words FILE); all other words have vectors, too"
        )
    n_read = 0
    with open_bytes(path) as file:
        texts = whole_lines(file)
        subwords, d, first = _header(path, next(texts))
        table = np.empty((subwords.buckets, d), wanted.dtype)
        texts = itertools.chain([first], texts)
        with closing(parse_rows(path, texts, 1, d)) as parts:
            for names, values, lines in parts:
                for row, (name, line) in enumerate(zip(names, lines, strict=True), n_read):
                    if name != b"%d" % row or row == len(table):
                        due = f"row {row} of" if row < len(table) else "no more than"
                        raise ValueError(
                            f"{path}, line {line:,}: expected {due} {len(table):,}, got {name[:40]!r}; the "
                            "file is damaged"
                        )
                with np.errstate(over="ignore"):  # what is beyond float16 is infinite there
                    table[n_read : n_read + len(names)] = values
                n_read += len(names)
    if n_read < len(table):
        raise ValueError(
            f"{path}: the header promises {len(table):,} rows, the file holds {n_read:,}; it is truncated or "
            "damaged"
        )
    words = [*wanted.words]
    words = words[: wanted.first(len(words))]
    vectors = row_means(table, *subwords.rows(words), wanted.dtype)
    return Contents(words, vectors, input_vectors=table, subwords=subwords)


def read_header(path: Path) -> tuple[Subwords, int]:
    """Return what the first line says of n-grams, and the number of dimensions."""
    with open_bytes(path) as file:
        return _header(path, next(whole_lines(file)))[:2]


def _header(path: Path, text: bytes) -> tuple[Subwords, int, bytes]:
    """Return what the first line says of n-grams, the number of dimensions, and what follows it."""
    header = FLORET_HEADER.match(text)
    if header is None:
        raise ValueError(
            f"{path}, line 1: expected rows, dimensions, min_n, max_n, hash_count, the seed of the hash, "
            f"< and >, got {text[:60]!r}"
        )
    n, d, min_n, max_n, hash_count, _ = map(int, header.groups()[:6])
    if header.groups()[5:] != HASH:
        raise ValueError(
            f"{path}, line 1: the seed of the hash and the brackets must be those of floret, "
            f"{b' '.join(HASH).decode()!r}, got {b' '.join(header.groups()[5:]).decode(errors='replace')!r}"
        )
    if d == 0 or n * (2 * d + 1) > most_bytes(path):
        raise ValueError(
            f"{path}, line 1: the header promises {n:,} rows of {d:,} dimensions, which the file cannot "
            "hold; it is truncated or damaged"
        )
    try:
        return Subwords(min_n, max_n, n, hash_count), d, text[header.end() :]
    except ValueError as error:
        raise ValueError(f"{path}, line 1: {error}; the file is damaged") from None
