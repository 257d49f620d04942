"""Caches: files that keep the ids of a text, to be mapped the next time instead of reading it.

A cache is a safetensors file. Its metadata are ``format``, ``version``, the ``kind_of_words``, the version of
``fastvec`` that made it, and a key: all that its contents depend on.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.corpus.sequences import kind_of_words
from fastvec.corpus.vocabulary import Vocabulary
from fastvec.formats.container import check_format, map_tensors, write_tensors
from fastvec.formats.words import check_offsets, join_words, split_words

__all__ = ["FORMAT", "read", "reopen", "save"]

FORMAT = "fastvec corpus"
VERSION = "1"

# Ids, sentence offsets and vocabulary.
Contents = tuple[NDArray[np.int32], NDArray[np.int64], Vocabulary]


def save(
    path: str,
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    vocabulary: Vocabulary,
    key: dict[str, str],
) -> None:
    """Write a corpus to a safetensors file; `key` is what `reopen` must be given to get it back."""
    from fastvec import __version__

    text, word_offsets = join_words(vocabulary.words)
    tensors: dict[str, NDArray[Any]] = {
        "ids": ids,
        "sentence_offsets": sentence_offsets,
        "counts": vocabulary.counts,
        "word_offsets": word_offsets,
        "words": text,
    }
    beside = {"kind_of_words": kind_of_words(vocabulary.words), "fastvec": __version__}
    write_tensors(path, tensors, {"format": FORMAT, "version": VERSION, **beside, **key})


def reopen(path: str, key: dict[str, str]) -> Contents | None:
    """Return ids, sentence offsets and vocabulary of a cache file, the ids and offsets memory-mapped.

    Returns
    -------
    tuple or None
        None if there is no such file, or if it was made with another key.

    Raises
    ------
    ValueError
        If the file is not a cache of a corpus, or is truncated or corrupt.
    """
    if not Path(path).exists():
        return None
    try:
        tensors, metadata = map_tensors(path)
        if metadata.get("format") != FORMAT:
            raise ValueError(f"{path}: not a cache of fastvec.Corpus")
    except ValueError as error:
        raise ValueError(
            f"{error}; the file was not changed: remove it, or choose another name for cache"
        ) from None
    kind = metadata.pop("kind_of_words", None)
    metadata.pop("fastvec", None)
    if metadata != {"format": FORMAT, "version": VERSION, **key}:
        return None
    return _contents(path, tensors, kind)


def read(path: str | os.PathLike[str]) -> tuple[Contents, dict[str, Any]]:
    """Return what a cache holds, and what made it: files, options that are not the usual ones, a version.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not a cache of a corpus, or is damaged.
    """
    tensors, metadata = map_tensors(path)
    check_format(Path(path), metadata, FORMAT, int(VERSION))
    contents = _contents(path, tensors, metadata.get("kind_of_words"))
    try:
        files = [Path(name).name for name, *_ in json.loads(metadata["sources"])]
        options = dict(json.loads(metadata["options"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)}: corrupt cache of fastvec.Corpus ({error}); remove it") from None
    made = {name: value for name, value in options.items() if value not in (None, False, "strict")}
    version = {name: metadata[name] for name in ("fastvec",) if name in metadata}
    return contents, {"files": files, **made, **version}


def _contents(path: str | os.PathLike[str], tensors: dict[str, NDArray[Any]], kind: str | None) -> Contents:
    try:
        ids, sentence_offsets, counts = tensors["ids"], tensors["sentence_offsets"], tensors["counts"]
        words = split_words(tensors["words"], tensors["word_offsets"], kind)
        _check(ids, sentence_offsets, words, counts)
        vocabulary = Vocabulary(words, counts)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)}: corrupt cache of fastvec.Corpus ({error}); remove it") from None
    return ids, sentence_offsets, vocabulary


def _check(
    ids: NDArray[np.int32], sentence_offsets: NDArray[np.int64], words: list[str], counts: NDArray[np.int64]
) -> None:
    """Raise ValueError unless the parts match, since kernels index memory by them."""
    check_offsets("sentence_offsets", sentence_offsets, len(ids), strictly=False)
    if ids.dtype != np.int32 or ids.ndim != 1:
        raise ValueError("ids are not a row of int32")
    if len(ids) and ids.view(np.uint32).max() >= len(words):  # a negative id is a large one here
        raise ValueError("ids out of range")
    if counts.dtype != np.int64 or counts.shape != (len(words),) or counts.sum() != len(ids):
        raise ValueError("counts do not fit the ids")
