"""Excerpts of texts: all of a text if that is read in seconds, or else pieces from all over it.

How many different words, or pairs of words, a text has that is n times as long as its excerpt follows from
the power law of Heaps, V(n) = V(1) n^β ("Information retrieval", 1978). β is that of the excerpt: half of its
pieces have V / 2^β.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fastvec._params import check_bool, check_int
from fastvec.corpus.compressed import COMPRESSED_BLOCK_BYTES, is_compressed
from fastvec.corpus.corpus import Corpus
from fastvec.corpus.ids import encode_pieces, file_pieces
from fastvec.corpus.parts import Part
from fastvec.corpus.reading import File, check_readable, files_of, is_on_disk, opened
from fastvec.corpus.sequences import is_table
from fastvec.corpus.sources import Reading
from fastvec.formats.spool import Spool

__all__ = ["Excerpt", "excerpt", "growth"]

# Bytes of files that are read as a whole: some seconds of work.
WHOLE_BYTES = 1 << 28
# Of larger ones, so many pieces of so many bytes are read.
PIECES, PIECE_BYTES = 64, 1 << 20
# What says how a source is read that can be read in pieces.
OF_LINES = {"lowercase", "errors", "keep_empty", "memory_limit", "progress"}


@dataclass(frozen=True)
class Excerpt:
    """A text, or a part of it.

    Attributes
    ----------
    corpus : Corpus
        What was read.
    share : float
        The part of the text that it is, 1 for all.
    """

    corpus: Corpus
    share: float

    def of_text(self, number: float) -> int:
        """Return what the whole text has of what this part has so many of."""
        return round(number / self.share)

    @cached_property
    def half(self) -> Corpus:
        """Every other piece, as a text with the vocabulary of all."""
        corpus = self.corpus
        offsets = corpus.sentence_offsets
        piece = offsets[:-1] * PIECES // max(1, corpus.n_tokens)
        lengths = np.diff(offsets)
        chosen = piece % 2 == 0
        ids = corpus.ids[np.repeat(chosen, lengths)]
        return Corpus._of_ids(ids, np.concatenate(([0], np.cumsum(lengths[chosen]))), corpus.vocabulary, {})

    def growth(self, min_count: int = 1) -> float:
        """Return how many times as many different words of such a count the text has than this part."""
        if self.share == 1:
            return 1.0
        of_half = np.bincount(self.half.ids, minlength=len(self.corpus.vocabulary))
        counts = (of_half, self.corpus.vocabulary.counts)
        in_half, in_part = (int(np.count_nonzero(each >= min_count)) for each in counts)
        return growth(in_half, in_part, self.share)


def growth(of_half: float, of_part: float, share: float) -> float:
    """Return how many times as many different things a text has than a part, by those of the part's half."""
    exponent = math.log2(of_part / of_half) if 0 < of_half < of_part else 0.0
    return float(share**-exponent)


def excerpt(source: Any, **reading: Any) -> Excerpt:
    """Read a text, or pieces of it if it is large and files without compression; else their beginning.

    Parameters
    ----------
    source : Corpus, or anything that `Corpus` takes
        The text.
    **reading : object
        Parameters of `Corpus`. With a `tokenizer`, `column`, `kmers` or `cache`, all is read.
    """
    if isinstance(source, Corpus):
        return Excerpt(source, 1.0)
    files = None if is_table(source) else files_of(source)
    asked = {name for name, value in reading.items() if value is not None}
    if files is None or not asked <= OF_LINES or not all(map(is_on_disk, files)):
        return Excerpt(Corpus(source, **reading), 1.0)
    size = check_readable(files)
    if size is None or size <= WHOLE_BYTES:
        return Excerpt(Corpus(source, **reading), 1.0)
    check_int("memory_limit", reading.get("memory_limit", 1), 1)
    check_bool("progress", reading.get("progress", False))
    how = Reading(
        lowercase=reading.get("lowercase", False),
        tokenizer=None,
        errors=reading.get("errors", "strict"),
        keep_empty=reading.get("keep_empty", False),
        column=None,
        kmers=None,
    )
    how.check(source, files)
    return _in_pieces(files, size, how)


def _in_pieces(files: list[File], size: int, how: Reading) -> Excerpt:
    n_read = 0

    def report(n: int) -> None:
        nonlocal n_read
        n_read += n

    parts = files if any(map(_is_compressed, files)) else _parts(files)
    pieces = _first(file_pieces(parts, how.errors, report), PIECES * PIECE_BYTES)
    encoded = encode_pieces(pieces, how.keep_empty, Spool(np.int32, PIECES * PIECE_BYTES * 4))
    corpus = Corpus._of_ids(*encoded.finish(how.lowercase), {})
    return Excerpt(corpus, min(1.0, n_read / size))


def _is_compressed(file: File) -> bool:
    with opened(file) as text:
        return is_compressed(text.read(COMPRESSED_BLOCK_BYTES))


def _parts(files: list[File]) -> list[Part]:
    """Return parts of files, at equal distances from the beginning of the first to the end of the last."""
    sizes = [Path(file).stat().st_size for file in files]
    ends = np.cumsum(sizes)
    parts = []
    for place in (int(ends[-1]) * np.arange(PIECES) // PIECES).tolist():
        number = int(np.searchsorted(ends, place, "right"))
        begin = place - int(ends[number] - sizes[number])
        parts.append(Part(files[number], begin, min(begin + PIECE_BYTES, sizes[number])))
    return parts


def _first(pieces: Iterator[tuple[str, bytes | None]], size: int) -> Iterator[tuple[str, bytes | None]]:
    """Yield pieces of texts until they have so many bytes."""
    for name, piece in pieces:
        yield name, piece
        size -= len(piece or b"")
        if size <= 0:
            if piece is not None:
                yield name, None
            return
