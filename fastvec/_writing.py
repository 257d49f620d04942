"""Writing text to files, compressed or not, and to standard output; a corpus as text."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from fastvec import _backends
from fastvec._atomic import replacing
from fastvec._idfile import join_words
from fastvec.corpus import Corpus

__all__ = ["STANDARD_OUTPUT", "write_blocks", "write_text"]

STANDARD_OUTPUT = "-"

# Words spelled at once: about a megabyte of text.
CHUNK = 1 << 18


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
        sys.stdout.buffer.writelines(blocks)
        return
    with replacing(path) as temporary, temporary.open("wb") as file:
        if Path(path).suffix == ".gz":
            # Without a name and a time in it: the same text gives the same file.
            with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                packed.writelines(blocks)
        else:
            file.writelines(blocks)


def _blocks_of(corpus: Corpus) -> Iterator[bytes]:
    spell = _backends.get("phrases").spell
    text, word_offsets = join_words(corpus.vocabulary.words)
    for start in range(0, corpus.n_tokens, CHUNK):
        stop = min(start + CHUNK, corpus.n_tokens)
        yield spell(corpus.ids, corpus.sentence_offsets, start, stop, text, word_offsets)
