"""The ``.floret`` format: a table of hashed words and n-grams, which has no list of words.

Above the rows, of which each is its number and d numbers as in ``glove.py``, there is a line of eight fields::

    50000 300 4 5 2 2166136261 < >

These are rows, dimensions, the fewest and the most characters of an n-gram, rows of each word and n-gram, the
seed of the hash, and what stands before and behind a word; floret writes no others than these three last ones.
Words are listed by who reads the file.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np

from fastvec.formats.common import Contents, most_bytes, open_bytes
from fastvec.formats.glove import parse_rows, whole_lines, write_rows
from fastvec.formats.ngrams import Subwords, row_means
from fastvec.formats.wanted import Wanted
from fastvec.reference.ngrams import SEED

__all__ = ["begins", "read", "write"]

HEADER = re.compile(rb"\s*" + rb"(\d{1,18}) +" * 6 + rb"(\S+) +(\S+)\s*")
HASH = (b"%d" % SEED, b"<", b">")


def begins(head: bytes) -> bool:
    """Return whether a file that begins so is one of floret's."""
    return HEADER.fullmatch(head.partition(b"\n")[0]) is not None


def write(path: Path, contents: Contents) -> None:
    """Write the rows of words and n-grams to a new file; the format holds no words."""
    subwords, rows = contents.subwords, contents.input_vectors
    if subwords is None or subwords.hash_count is None or rows is None:
        raise ValueError(
            f"{path}: a .floret file is a table of n-grams as in floret, which these vectors do not have: train "
            "FastText(hash_count=2), or save as .fvec"
        )
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
        header, _, rest = next(texts).partition(b"\n")
        subwords, d = _subwords_of(path, header)
        table = np.empty((subwords.buckets, d), wanted.dtype)
        for names, values, lines in parse_rows(path, itertools.chain([rest], texts), 1, d):
            for row, (name, line) in enumerate(zip(names, lines, strict=True), n_read):
                if name != b"%d" % row or row == len(table):
                    raise ValueError(
                        f"{path}, line {line:,}: expected row {row} of {len(table):,}, got {name[:40]!r}; the "
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


def _subwords_of(path: Path, header: bytes) -> tuple[Subwords, int]:
    """Return what the first line says of n-grams, and the number of dimensions."""
    match = HEADER.fullmatch(header)
    if match is None:
        raise ValueError(
            f"{path}, line 1: expected rows, dimensions, min_n, max_n, hash_count, the seed of the hash, < and >, "
            f"got {header[:60]!r}"
        )
    n, d, min_n, max_n, hash_count, _ = map(int, match.groups()[:6])
    if match.groups()[5:] != HASH:
        raise ValueError(
            f"{path}, line 1: the seed of the hash and the brackets must be those of floret, "
            f"{b' '.join(HASH).decode()!r}, got {b' '.join(match.groups()[5:])!r}"
        )
    if d == 0 or n * (2 * d + 1) > most_bytes(path):
        raise ValueError(
            f"{path}, line 1: the header promises {n:,} rows of {d:,} dimensions, more than the file holds or none; "
            "it is truncated or damaged"
        )
    try:
        return Subwords(min_n, max_n, n, hash_count), d
    except ValueError as error:
        raise ValueError(f"{path}, line 1: {error}; the file is damaged") from None
