"""Lists of words in files, merged as bytes: none becomes an object before all are together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.corpus.sequences import kind_of_words
from fastvec.distributed.storage import write
from fastvec.formats.container import map_tensors
from fastvec.formats.words import join_words, split_words

__all__ = ["WordList", "united"]


class WordList(NamedTuple):
    """Distinct words, end to end, with the places where they begin and end, and how often they occur."""

    words: NDArray[np.uint8]
    word_offsets: NDArray[np.int64]
    counts: NDArray[np.int64]
    kind: str

    @classmethod
    def of(cls, words: Sequence[Any], counts: NDArray[np.int64]) -> WordList:
        """Return a list of words that are all str, or all int."""
        return cls(*join_words(words), counts, kind_of_words(words))

    @classmethod
    def read(cls, path: Path) -> WordList:
        """Return what `write` has written, memory-mapped."""
        tensors, metadata = map_tensors(path)
        return cls(**tensors, kind=metadata["kind"])

    def write(self, path: Path) -> None:
        """Write the list to a file."""
        tensors: dict[str, Any] = self._asdict()
        kind = tensors.pop("kind")
        write(path, tensors, {"kind": kind})

    def split(self) -> list[Any]:
        """Return the words as objects."""
        return split_words(self.words, self.word_offsets, self.kind)


def united(lists: Iterable[WordList]) -> tuple[WordList, list[NDArray[np.int32]]]:
    """Return the words of several lists in the order of first occurrence, with the sums of their counts.

    They are ids if all words are. The second result is, for each list, where its words are.
    """
    tokenizer = kernels.tokenizer.Tokenizer()
    places, counts, kinds = [], [], set()
    for one in lists:
        piece = kernels.tokenizer.collect(one.word_offsets, [one.words.tobytes()])
        places.append(tokenizer.add(piece)[0])
        counts.append(one.counts)
        kinds |= {one.kind} if len(one.counts) else set()
    sums = np.zeros(tokenizer.n_words, np.int64)
    for ids, of_list in zip(places, counts, strict=True):
        sums[ids] += of_list
    line_feeds = tokenizer.ends() - 1
    words = np.delete(np.frombuffer(tokenizer.words(), np.uint8), line_feeds)
    word_offsets = np.concatenate(([0], line_feeds - np.arange(len(line_feeds))))
    return WordList(words, word_offsets, sums, "int" if kinds == {"int"} else "str"), places
