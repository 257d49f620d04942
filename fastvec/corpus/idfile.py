"""Ids that may exceed memory: collected with spilling to disk, and kept in a cache file between runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.formats.container import map_tensors, write_tensors
from fastvec.formats.spool import BLOCK_ITEMS, Spool
from fastvec.formats.words import check_offsets, join_words, split_words

__all__ = ["IdStore", "open_cache", "remapped", "save_cache"]

FORMAT = "fastvec corpus"
VERSION = "1"


class IdStore:
    """Collects provisional ids, then replaces them by the final ones.

    Parameters
    ----------
    memory_limit : int
        Ids of more bytes than this go to a temporary file.
    folder : Path, optional
        Where that file is made; the system's folder for temporary files if None.
    """

    def __init__(self, memory_limit: int, folder: Path | None) -> None:
        self._spool = Spool(np.int32, memory_limit, folder)

    def append(self, ids: NDArray[np.int32]) -> None:
        """Add copies of some ids."""
        self._spool.append(ids)

    def finish(self, new_ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return all that was added, every id replaced by its ``new_ids[id]``; the store is then empty.

        The array is read-only, and a `numpy.memmap` of a file without a name if there was too much for
        memory. The file goes away with the array.
        """
        remap = kernels.tokenizer.remap
        return self._spool.finish(lambda ids, block: remap(block, new_ids, ids))


def remapped(ids: NDArray[np.int32], new_ids: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return ``new_ids[ids]``, read-only: on disk where `ids` are memory-mapped, beside their file."""
    if not isinstance(ids, np.memmap):
        store = IdStore(ids.nbytes, None)
    else:
        store = IdStore(0, None if ids.filename is None else Path(ids.filename).parent)
    for begin in range(0, len(ids), BLOCK_ITEMS):
        store.append(ids[begin : begin + BLOCK_ITEMS])
    return store.finish(new_ids)


def save_cache(
    path: str,
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    words: list[str],
    counts: NDArray[np.int64],
    key: dict[str, str],
) -> None:
    """Write a corpus to a safetensors file; `key` is what `open_cache` must be given to get it back."""
    text, word_offsets = join_words(words)
    tensors: dict[str, NDArray[Any]] = {
        "ids": ids,
        "sentence_offsets": sentence_offsets,
        "counts": counts,
        "word_offsets": word_offsets,
        "words": text,
    }
    write_tensors(path, tensors, {"format": FORMAT, "version": VERSION, **key})


def open_cache(
    path: str, key: dict[str, str]
) -> tuple[NDArray[np.int32], NDArray[np.int64], list[str], NDArray[np.int64]] | None:
    """Return ids, sentence offsets, words and counts of a cache file, the arrays memory-mapped.

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
    if metadata != {"format": FORMAT, "version": VERSION, **key}:
        return None
    try:
        ids, sentence_offsets, counts = tensors["ids"], tensors["sentence_offsets"], tensors["counts"]
        words = split_words(tensors["words"], tensors["word_offsets"])
        _check(ids, sentence_offsets, words, counts)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: corrupt cache of fastvec.Corpus ({error}); remove it") from None
    return ids, sentence_offsets, words, counts


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
