"""Writing text to files, compressed or not, and to standard output; a corpus as text."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from fastvec import kernels
from fastvec.corpus import Corpus
from fastvec.formats.atomic import WINDOWS, replacing
from fastvec.formats.words import join_words

__all__ = ["STANDARD_OUTPUT", "check_standard_output", "write_blocks", "write_text"]

STANDARD_OUTPUT = "-"

# About a megabyte of text.
WORDS_AT_ONCE = 1 << 18
LINE_FEED = 10


def write_text(corpus: Corpus, path: str) -> None:
    """Write a corpus, a line for every sentence and a space between words, as `write_blocks` does.

    Raises
    ------
    OSError
        If the file cannot be written; an existing file is then left untouched.
    """
    write_blocks(_blocks_of(corpus), path)


def write_blocks(blocks: Iterable[bytes], path: str) -> None:
    """Write text to a file, gzipped if its name ends in ``.gz``, or to standard output.

    Raises
    ------
    OSError
        If the file cannot be written; an existing file is then left untouched.
    """
    if path == STANDARD_OUTPUT:
        with _naming_standard_output():
            sys.stdout.buffer.writelines(blocks)
            sys.stdout.buffer.flush()
        return
    with replacing(path) as temporary, temporary.open("wb") as file:
        if Path(path).suffix == ".gz":
            # Without a name and a time in it: the same text gives the same file.
            with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                packed.writelines(blocks)
        else:
            file.writelines(blocks)


def check_standard_output() -> None:
    """Raise now if standard output is closed.

    Raises
    ------
    OSError
        The message names it.
    """
    try:
        number = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):  # something in memory stands in its place
        return
    with _naming_standard_output():
        os.write(number, b"")


@contextmanager
def _naming_standard_output() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # the reader is gone, which is no error to report
        raise
    except OSError as error:
        if WINDOWS:  # where a broken pipe is one of these, and has no name
            raise
        raise OSError(error.errno, error.strerror, "standard output") from error


def _blocks_of(corpus: Corpus) -> Iterator[bytes]:
    spell = kernels.phrases.spell
    text, word_offsets = join_words(corpus.vocabulary.words)
    begins, repeats = np.unique(corpus.sentence_offsets, return_counts=True)
    yield b"\n" * (int(repeats[0]) - 1)  # empty sentences begin where others do
    sentence = 0
    for start in range(0, corpus.n_tokens, WORDS_AT_ONCE):
        stop = min(start + WORDS_AT_ONCE, corpus.n_tokens)
        spelled = spell(corpus.ids, begins, start, stop, text, word_offsets)
        n_ends = int(np.searchsorted(begins, stop, side="right")) - 1 - sentence
        if (repeats[sentence + 1 : sentence + 1 + n_ends] > 1).any():
            letters = np.frombuffer(spelled, np.uint8)
            times = np.ones(len(letters), np.int64)
            times[letters == LINE_FEED] = repeats[sentence + 1 : sentence + 1 + n_ends]
            spelled = np.repeat(letters, times).tobytes()
        sentence += n_ends
        yield spelled
