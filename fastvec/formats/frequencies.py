"""Text files of words and their counts, which go with vectors: a word, a space and a count in each line.

word2vec.c (``-save-vocab``), gensim (``fvocab``) and GloVe (``vocab.txt``) have them, since their formats of
vectors have no place for counts. A word may have white space in it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastvec.formats.kinds import FIRST_BYTES, sizes
from fastvec.formats.wanted import Wanted
from fastvec.formats.words import check_separable, check_unique, decode_words
from fastvec.training.progress import warn

__all__ = ["begins", "read", "read_counts", "write_counts"]

LINE = re.compile(rb"(.*\S)[ \t]+(\d{1,18})\s*", re.DOTALL)
COUNT = re.compile(rb"\d{1,18}")


def begins(head: bytes) -> bool:
    """Return whether a file that begins so has a word and a count in every line, and no header of vectors."""
    lines = head.removeprefix(codecs.BOM_UTF8).split(b"\n")
    if len(head) >= FIRST_BYTES:
        lines.pop()  # it is cut
    pairs = [line.split() for line in lines if line.strip()]
    if not pairs or not all(len(pair) == 2 and COUNT.fullmatch(pair[1]) for pair in pairs):
        return False
    header = sizes(lines[0])
    return header is None or header[1] != 1


def read(path: Path, wanted: Wanted) -> tuple[list[str], list[int]]:
    """Return words and their counts; `wanted` says the encoding of the file.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If a line is not a word and its count, or a word occurs twice.
    """
    names, counts, numbers = [], [], []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.isspace():
                continue
            found = LINE.fullmatch(line.removeprefix(codecs.BOM_UTF8 if number == 1 else b""))
            if found is None:
                raise ValueError(
                    f"{path}, line {number:,}: expected a word and how often it occurs, got {line[:60]!r}"
                )
            names.append(found[1])
            counts.append(int(found[2]))
            numbers.append(number)
    decoded, kept = decode_words(
        path, names, wanted.errors, lambda row: f"{path}, line {numbers[row]:,}", wanted.encoding
    )
    check_unique(path, decoded)
    return decoded, np.array(counts, np.int64)[kept].tolist()


def read_counts(path: Path, words: Sequence[str], wanted: Wanted) -> NDArray[np.int64]:
    """Return the counts of words; `wanted` says the encoding of the file.

    Raises
    ------
    OSError, ValueError
        As `read`, and if the file has none of the words.
    """
    of_words = dict(zip(*read(path, wanted), strict=True))
    words = [*map(str, words)]
    missing = [word for word in words if word not in of_words]
    if words and len(missing) == len(words):
        raise ValueError(f"{path}: has no count of any of the {len(words):,} words of the vectors")
    if missing:
        warn(
            f"{path}: has no counts of {len(missing):,} of {len(words):,} words, which are 0 now, first "
            f"{missing[0]!r}"
        )
    return np.fromiter((of_words.get(word, 0) for word in words), np.int64, len(words))


def write_counts(path: Path, words: Sequence[str], counts: NDArray[np.int64]) -> None:
    """Write a new file of words and their counts."""
    check_separable(words)
    with path.open("wb") as file:
        named = zip(map(str.encode, map(str, words)), counts.tolist(), strict=True)
        file.writelines(b"%b %d\n" % pair for pair in named)
