"""Bytes of text to word ids.

A `Tokenizer` is fed a text block by block. It splits at ASCII white space, ends a sentence at every line
feed, and gives every distinct word an id in the order of first appearance. No word, line or text is too long.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

__all__ = ["Tokenizer", "remap"]

WORD_BYTES = bytes(set(range(256)) - set(b" \t\n\v\f\r"))
WORD_OR_LINE_FEED = re.compile(rb"[^ \t\n\v\f\r]+|\n")


class Tokenizer:
    """Splits a text, fed in blocks, into word ids and sentence ends.

    Parameters
    ----------
    keep_empty : bool
        Whether a line without words makes an empty sentence, or none.

    Attributes
    ----------
    n_words : int
        The number of distinct words so far.
    n_tokens : int
        The number of words so far; one that the last block cut is not counted yet.
    n_lines, n_bytes : int
        The number of line feeds and of bytes so far.
    """

    def __init__(self, keep_empty: bool = False) -> None:
        self.n_words = self.n_tokens = self.n_lines = self.n_bytes = 0
        self._keep_empty = keep_empty
        self._sentence_start = 0
        self._line_start = 0
        self._ids: dict[bytes, int] = {}
        self._counts: list[int] = []
        self._first_seen: list[tuple[int, int]] = []
        self._carry: list[bytes] = []

    def feed(self, block: bytes) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Take the next block of the text.

        Parameters
        ----------
        block : bytes-like
            IN: any number of bytes; it may begin and end within a word, or within a character.

        Returns
        -------
        ids : int32 array
            The ids of the words that end in this block.
        sentence_ends : int64 array
            The number of words, since the first block, before each end of a sentence in this block.
        """
        after_last_space = len(block.rstrip(WORD_BYTES))
        self.n_bytes += len(block)
        if after_last_space == 0:
            self._carry.append(block)
            return np.empty(0, np.int32), np.empty(0, np.int64)
        complete = b"".join([*self._carry, block[:after_last_space]])
        self._carry = [block[after_last_space:]]
        place = self.n_bytes - len(self._carry[0]) - len(complete)

        ids, sentence_ends = [], []
        for match in WORD_OR_LINE_FEED.finditer(complete):
            if match.group() != b"\n":
                ids.append(self._id_of(match.group(), place + match.start()))
                self.n_tokens += 1
                continue
            self.n_lines += 1
            self._line_start = place + match.end()
            if self._keep_empty or self.n_tokens > self._sentence_start:
                self._sentence_start = self.n_tokens
                sentence_ends.append(self.n_tokens)
        return np.array(ids, np.int32), np.array(sentence_ends, np.int64)

    def finish(self) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """End the last word and the last sentence, as at the end of a file; return what `feed` returns."""
        if self._line_start == self.n_bytes:
            return self.feed(b"")
        result = self.feed(b"\n")
        self.n_lines -= 1
        self.n_bytes -= 1
        self._line_start = self.n_bytes
        return result

    def words(self, first: int = 0) -> list[bytes]:
        """Return the distinct words with ids from `first` on, as a list of bytes."""
        return list(self._ids)[first:]

    def counts(self) -> NDArray[np.int64]:
        """Return how often each word occurred, by id, as an int64 array."""
        return np.array(self._counts, np.int64)

    def first_seen(self, word: int) -> tuple[int, int]:
        """Return how many line feeds and how many bytes came before the first appearance of an id."""
        if not 0 <= word < self.n_words:
            raise IndexError(f"word must be an int from 0 to {self.n_words - 1}, got {word}")
        return self._first_seen[word]

    def _id_of(self, word: bytes, place: int) -> int:
        """Count a word and return its id; `place` is its first byte in the text."""
        found = self._ids.setdefault(word, self.n_words)
        if found == self.n_words:
            self.n_words += 1
            self._counts.append(0)
            self._first_seen.append((self.n_lines, place))
        self._counts[found] += 1
        return found


def remap(ids: NDArray[np.int32], new_ids: NDArray[np.int32], out: NDArray[np.int32]) -> None:
    """Write new_ids[ids] into `out`.

    Parameters
    ----------
    ids : int32 array, shape (n,)
        IN: every one from 0 to ``len(new_ids) - 1``, which is not checked.
    new_ids : int32 array
        IN: the new id of every old one.
    out : int32 array, shape (n,)
        OUT: may be `ids` itself.
    """
    if len(out) != len(ids):
        raise ValueError(f"out must have {len(ids)} items like ids, got {len(out)}")
    out[:] = new_ids[ids]
