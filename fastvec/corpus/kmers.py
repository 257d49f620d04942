"""Sequences in FASTA files as texts of k-mers: a line for every record, its words the k-mers.

They are cut by NumPy, many records at once and long ones in parts: records are joined to one array, with a
letter between them that is in no k-mer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_int
from fastvec.corpus.reading import File, name_of, read_blocks

__all__ = ["check_kmers", "kmer_pieces"]

# Letters of records that are cut at once.
LETTERS_AT_ONCE = 1 << 18

HEADER = re.compile(rb"^[>;][^\n]*\n?", re.MULTILINE)
WHITE_SPACE = b" \t\r\n\v\f"
NUCLEOTIDES, UNKNOWN_NUCLEOTIDE = b"ACGTU", b"N"
OTHERS = b".*-X"
# What stands for letters that are in no k-mer: all but nucleotides in nucleic acids, X, * and - in proteins.
OUT = b"."
ONLY_NUCLEOTIDES = bytes(letter if letter in NUCLEOTIDES else OUT[0] for letter in range(256))
ONLY_AMINO_ACIDS = bytes(OUT[0] if letter in OTHERS else letter for letter in range(256))


def check_kmers(kmers: Any) -> tuple[int, int]:
    """Return the length and the stride of k-mers if they are such."""
    rule = f"kmers must be a length and a stride, as (6, 1), got {kmers!r}"
    if not isinstance(kmers, (tuple, list)):
        raise TypeError(rule)
    if len(kmers) != 2:
        raise ValueError(rule)
    return check_int("the length of kmers", kmers[0], 1), check_int("the stride of kmers", kmers[1], 1)


def kmer_pieces(
    files: Iterable[File], k: int, stride: int, errors: str, report: Callable[[int], object]
) -> Iterator[tuple[str, bytes | None]]:
    """Yield the k-mers of FASTA files in pieces for `encode_pieces`, a line for every record.

    Raises
    ------
    ValueError
        If a file is no FASTA file.
    """
    for file in files:
        name = name_of(file)
        letters, begun = b"", False  # of a record whose end is not read yet, from where a k-mer begins
        for text in _parts(read_blocks(file, errors, report)):
            headers = list(HEADER.finditer(text))
            if not begun and not (headers and not text[: headers[0].start()].strip()):
                raise ValueError(
                    f"{name}: no FASTA file, whose records begin with '>'; kmers must be None for text"
                )
            ends = [header.start() for header in headers] + [len(text)]
            begins = [0] + [header.end() for header in headers]
            records = [
                text[begin:end].translate(None, WHITE_SPACE).upper()
                for begin, end in zip(begins, ends, strict=True)
            ]
            records[0] = letters + records[0]
            *whole, letters = records if begun else records[1:]
            begun = True
            n = max(0, (len(letters) - max(k, stride)) // stride + 1)
            part = letters[: (n - 1) * stride + k] if n else b""
            yield name, _lines(whole, k, stride) + _lines([part], k, stride)[:-1]
            letters = letters[n * stride :]
        if begun:
            yield name, _lines([letters], k, stride)
        yield name, None


def _parts(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield blocks as larger parts that cut no header."""
    text = b""
    for block in blocks:
        text += block
        if len(text) >= LETTERS_AT_ONCE:
            last = text.rfind(b"\n") + 1
            end = last if text[last : last + 1] in (b">", b";") else len(text)
            if end:
                yield text[:end]
            text = text[end:]
    if text.strip():
        yield text


def _lines(records: list[bytes], k: int, stride: int) -> bytes:
    """Return the k-mers of records, a line for each record."""
    if not records:
        return b""
    letters = np.frombuffer(OUT.join([*map(_marked, records), b""]) + OUT * k, np.uint8)
    sizes = np.fromiter(map(len, records), np.int64, len(records)) + 1
    ends = np.cumsum(sizes)
    n_windows = int(ends[-1])
    places = np.arange(n_windows) - np.repeat(ends - sizes, sizes)  # in the record
    n_out = np.concatenate(([0], np.cumsum(letters == OUT[0])))
    begins = np.flatnonzero((places % stride == 0) & (n_out[k : k + n_windows] == n_out[:n_windows]))
    words: NDArray[np.uint8] = np.full((len(begins), k + 1), ord(" "), np.uint8)
    words[:, :k] = np.lib.stride_tricks.sliding_window_view(letters, k)[begins]
    # A line feed after the last k-mer of every record.
    line_ends = np.searchsorted(begins, ends) * (k + 1)
    return np.insert(words.ravel(), line_ends, ord("\n")).tobytes()


def _marked(record: bytes) -> bytes:
    """Return a record with `OUT` for letters that are in no k-mer."""
    n_others = len(record.translate(None, NUCLEOTIDES + UNKNOWN_NUCLEOTIDE))
    return record.translate(ONLY_NUCLEOTIDES if 10 * n_others <= len(record) else ONLY_AMINO_ACIDS)
