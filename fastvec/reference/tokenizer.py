"""Bytes of text to word ids.

A text is cut into pieces at white space, which may be split by several threads. A piece is split at ASCII
white space, and a sentence ends at every line feed; its words have ids of its own. A `Tokenizer` takes the
pieces in order, and gives every distinct word of the text an id in the order of first appearance. The ids do
not depend on where the text was cut. No word, line or text is too long.

Strings that lie in arrays, as Arrow has them, are the words of a piece without sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["Piece", "Tokenizer", "collect", "end_of_words", "remap", "split"]

INLINE_BYTES = 12  # of a string that its view holds
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
    words: list[bytes] = []
    ends: list[int] = []
    for match in WORD_OR_LINE_FEED.finditer(text):
        if match.group() != b"\n":
            words.append(match.group())
        elif keep_empty or not ends or len(words) > ends[-1]:
            ends.append(len(words))
    return Piece(words, text, ends)


def collect(
    places: NDArray[np.int32] | NDArray[np.int64],
    buffers: Sequence[bytes],
    codes: NDArray[np.int32] | None = None,
) -> Piece:
    """Return strings of arrays as the words of a piece.

    Parameters
    ----------
    places : int32 or int64 array, shape (n + 1,), or int32 array, shape (n, 4)
        IN: string i is ``buffers[0][places[i]:places[i + 1]]``. Or row i is a view of it, as Arrow calls it:
        its length, and 12 bytes that begin with it if it is no longer, or else its first four bytes, the
        number of a buffer, and where the string begins there.
    buffers : sequence of bytes-like
        IN: they hold the strings.
    codes : int32 array, optional
        IN: the words are the strings at these positions; all strings by default.

    Raises
    ------
    ValueError
        If a string lies outside its buffer.
    """
    strings = list(_viewed(places, buffers) if places.ndim == 2 else _between(places, buffers[0]))
    if codes is not None and not all(0 <= code < len(strings) for code in codes):
        raise ValueError("a string lies outside its buffer")
    return Piece(strings if codes is None else [strings[code] for code in codes])


def _between(offsets: NDArray[np.int32] | NDArray[np.int64], buffer: bytes) -> Iterator[bytes]:
    for begin, end in pairwise(offsets.tolist()):
        yield _part(buffer, begin, end)


def _viewed(views: NDArray[np.int32] | NDArray[np.int64], buffers: Sequence[bytes]) -> Iterator[bytes]:
    for view in views:
        length, _, number, begin = view.tolist()
        if length <= INLINE_BYTES:
            yield _part(view.tobytes(), 4, 4 + length)
        elif 0 <= number < len(buffers):
            yield _part(buffers[number], begin, begin + length)
        else:
            raise ValueError("a string lies outside its buffer")


def _part(buffer: bytes, begin: int, end: int) -> bytes:
    if not 0 <= begin <= end <= len(buffer):
        raise ValueError("a string lies outside its buffer")
    return bytes(buffer[begin:end])


class Piece:
    """Words and ends of sentences of a piece of text.

    Attributes
    ----------
    text : bytes
        The piece; empty if the words are strings of arrays.
    ids : int32 array
        Which of its distinct words stand in it, in order. `Tokenizer.add` makes them ids of the whole text.
    sentence_ends : int64 array
        The number of words before each end of a sentence. If there are no words before the first, another
        piece must say whether it is one.
    n_lines, n_words : int
        The number of line feeds and of distinct words.
    """

    def __init__(self, words: Iterable[bytes], text: bytes = b"", sentence_ends: Sequence[int] = ()) -> None:
        self.text = text
        self.n_lines = text.count(b"\n")
        self.words: dict[bytes, int] = {}
        self.ids = np.array([self.words.setdefault(word, len(self.words)) for word in words], np.int32)
        self.n_words = len(self.words)
        self.sentence_ends = np.array(sentence_ends, np.int64)


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

    def ends(self) -> NDArray[np.int64]:
        """Return where each distinct word, with its line feed, ends in those of `words`."""
        return np.cumsum([len(word) + 1 for word in self._ids], dtype=np.int64)

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
