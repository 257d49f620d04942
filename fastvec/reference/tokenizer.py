"""Bytes of text to word ids.

A text is cut into pieces at white space, which may be split by several threads. A piece is split at ASCII
white space, and a sentence ends at every line feed; its words have ids of its own. A `Tokenizer` takes the
pieces in order, and gives every distinct word of the text an id in the order of first appearance. The ids do
not depend on where the text was cut. No word, line or text is too long.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

__all__ = ["Piece", "Tokenizer", "end_of_words", "remap", "split"]

WORD_BYTES = bytes(set(range(256)) - set(b" \t\n\v\f\r"))
WORD_OR_LINE_FEED = re.compile(rb"[^ \t\n\v\f\r]+|\n")


def end_of_words(text: bytes) -> int:
    """Return where the last white space of a text ends, 0 if it has none.

    Parameters
    ----------
    text : bytes-like
        IN: what is before that place has whole words only.
    """
    return len(bytes(text).rstrip(WORD_BYTES))


def split(text: bytes, keep_empty: bool = False) -> Piece:
    """Return the words of a piece of text and the ends of sentences in it.

    Parameters
    ----------
    text : bytes
        IN: any number of bytes. A word in it ends at its end.
    keep_empty : bool
        Whether a line without words makes an empty sentence, or none.
    """
    return Piece(text, keep_empty)


class Piece:
    """Words and ends of sentences of a piece of text.

    Attributes
    ----------
    text : bytes
        The piece.
    ids : int32 array
        Which of its distinct words stand in it, in order. `Tokenizer.add` makes them ids of the whole text.
    sentence_ends : int64 array
        The number of words before each end of a sentence. If there are no words before the first, another
        piece must say whether it is one.
    n_lines, n_words : int
        The number of line feeds and of distinct words.
    """

    def __init__(self, text: bytes, keep_empty: bool) -> None:
        self.text = text
        self.n_lines = text.count(b"\n")
        self.words: dict[bytes, int] = {}
        ids: list[int] = []
        ends: list[int] = []
        for match in WORD_OR_LINE_FEED.finditer(text):
            if match.group() != b"\n":
                ids.append(self.words.setdefault(match.group(), len(self.words)))
            elif keep_empty or not ends or len(ids) > ends[-1]:
                ends.append(len(ids))
        self.n_words = len(self.words)
        self.ids = np.array(ids, np.int32)
        self.sentence_ends = np.array(ends, np.int64)


class Tokenizer:
    """Gives words ids, in the order in which they first appear in the pieces of a text.

    Parameters
    ----------
    keep_empty : bool
        As for `split`.

    Attributes
    ----------
    n_words, n_tokens : int
        The number of distinct words and of words so far.
    """

    def __init__(self, keep_empty: bool = False) -> None:
        self.n_words = self.n_tokens = 0
        self._keep_empty = keep_empty
        self._sentence_start = 0
        self._in_line = False
        self._ids: dict[bytes, int] = {}
        self._counts: list[int] = []

    def add(self, piece: Piece) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Take the next piece of the text.

        Parameters
        ----------
        piece : Piece
            IN/OUT: it is used up.

        Returns
        -------
        ids : int32 array
            The ids of its words.
        sentence_ends : int64 array
            The number of words, since the first piece, before each end of a sentence in it.
        """
        new_ids = [self._ids.setdefault(word, len(self._ids)) for word in piece.words]
        self.n_words = len(self._ids)
        self._counts += [0] * (self.n_words - len(self._counts))
        for word, count in enumerate(np.bincount(piece.ids, minlength=piece.n_words).tolist()):
            self._counts[new_ids[word]] += count
        ends = piece.sentence_ends + self.n_tokens
        if len(ends) and not self._keep_empty and ends[0] == self._sentence_start:
            ends = ends[1:]
        if len(ends):
            self._sentence_start = ends[-1]
        if piece.text:
            self._in_line = not piece.text.endswith(b"\n")
        self.n_tokens += len(piece.ids)
        return np.array(new_ids, np.int32)[piece.ids], ends

    def finish(self) -> NDArray[np.int64]:
        """End the last sentence, as at the end of a file; return its end in an array, or an empty one."""
        ended = self._in_line and (self._keep_empty or self.n_tokens > self._sentence_start)
        self._in_line = False
        if not ended:
            return np.empty(0, np.int64)
        self._sentence_start = self.n_tokens
        return np.array([self.n_tokens], np.int64)

    def words(self, first: int = 0) -> bytes:
        """Return the distinct words with ids from `first` on, each with a line feed after it."""
        if not 0 <= first <= self.n_words:
            raise IndexError(f"first must be an int from 0 to {self.n_words}, got {first}")
        return b"".join(word + b"\n" for word in list(self._ids)[first:])

    def counts(self) -> NDArray[np.int64]:
        """Return how often each word occurred, by id, as an int64 array."""
        return np.array(self._counts, np.int64)


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
