"""A corpus as text: a line for every sentence, a space between words."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import IO

from fastvec import _backends
from fastvec._atomic import replacing
from fastvec._idfile import join_words
from fastvec.corpus import Corpus

__all__ = ["STANDARD_OUTPUT", "write_text"]

STANDARD_OUTPUT = "-"

# Words spelled at once: about a megabyte of text.
CHUNK = 1 << 18


def write_text(corpus: Corpus, path: str) -> None:
    """Write a corpus to a file, gzipped if its name ends in ``.gz``, or to standard output.

    Raises
    ------
    OSError
        If the file cannot be written; the old one is then left as it is.
    """
    if path == STANDARD_OUTPUT:
        _write(corpus, sys.stdout.buffer)
        return
    with replacing(path) as temporary, temporary.open("wb") as file:
        if Path(path).suffix == ".gz":
            # Without a name and a time in it: the same text gives the same file.
            with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                _write(corpus, packed)
        else:
            _write(corpus, file)


def _write(corpus: Corpus, file: IO[bytes] | gzip.GzipFile) -> None:
    spell = _backends.get("phrases").spell
    text, word_offsets = join_words(corpus.vocabulary.words)
    for start in range(0, corpus.n_tokens, CHUNK):
        stop = min(start + CHUNK, corpus.n_tokens)
        file.write(spell(corpus.ids, corpus.sentence_offsets, start, stop, text, word_offsets))
