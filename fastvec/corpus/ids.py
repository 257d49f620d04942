"""Ids of words: made of texts and sequences in one pass, kept in memory or on disk.

Ids are provisional while a text is read, in the order in which its words are first met; the final ones go by
frequency, which is known at the end.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import check_item, plain
from fastvec.corpus.parts import is_beginning
from fastvec.corpus.reading import File, invalid_text, name_of, read_blocks
from fastvec.corpus.sequences import check_words, kind_of_words
from fastvec.corpus.vocabulary import Vocabulary, by_frequency
from fastvec.formats.kinds import check_kind
from fastvec.formats.spool import BLOCK_ITEMS, Spool, memory_left
from fastvec.training.threads import Workers, file_threads

__all__ = [
    "Encoded",
    "Numbers",
    "encode_pieces",
    "encode_sentences",
    "file_pieces",
    "invalid_piece",
    "remapped",
    "whole_words",
]

# Sentences of Python objects are handed on in pieces of about so many ids.
IDS_AT_ONCE = 1 << 18

# A text is split in pieces of about so many bytes, whose words have a table in the processor's cache.
PIECE_BYTES = 1 << 20
SPACE = b" \t\n\v\f\r"


@dataclass
class Encoded:
    """A text with provisional ids.

    Attributes
    ----------
    words : list of str, or of int
        The words in the order of their ids.
    counts : int64 array, shape (n_words,)
        How often each occurs.
    sentence_offsets : int64 array, shape (n_sentences + 1,)
        Where sentences begin and end.
    ids : Spool
        The ids, of type int32.
    """

    words: list[Any]
    counts: NDArray[np.int64]
    sentence_offsets: NDArray[np.int64]
    ids: Spool

    def finish(self, lowercase: bool = False) -> tuple[NDArray[np.int32], NDArray[np.int64], Vocabulary]:
        """Return the final ids, the sentence offsets and the vocabulary, in lower case if asked for."""
        merged = self._convert() if lowercase else None
        vocabulary, new_ids = by_frequency(self.words, self.counts)
        ids = _final(self.ids, new_ids if merged is None else new_ids[merged])
        return ids, self.sentence_offsets, vocabulary

    def first_met(
        self, lowercase: bool = False
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], list[Any], NDArray[np.int64]]:
        """Return the ids as they are, the sentence offsets, and the words with their counts."""
        merged = self._convert() if lowercase else None
        ids = self.ids.finish() if merged is None else _final(self.ids, merged)
        return ids, self.sentence_offsets, self.words, self.counts

    def _convert(self) -> NDArray[np.int32] | None:
        """Convert words to lower case; return the new ids of what they were, or None if they are ids."""
        if kind_of_words(self.words) != "str":
            return None
        lowered: dict[str, int] = {}
        new_ids = [lowered.setdefault(word.lower(), len(lowered)) for word in self.words]
        merged, counts = np.array(new_ids, np.int32), np.zeros(len(lowered), np.int64)
        np.add.at(counts, merged, self.counts)
        self.words, self.counts = list(lowered), counts
        return merged


def _final(ids: Spool, new_ids: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return ids, every one replaced by its ``new_ids[id]``; the spool is then empty."""
    remap = kernels.tokenizer.remap
    return ids.finish(lambda destination, source: remap(source, new_ids, destination))


def encode_pieces(pieces: Iterable[tuple[str, bytes | None]], keep_empty: bool, spool: Spool) -> Encoded:
    """Split texts on white space and add the provisional ids of their words to `spool`.

    Parameters
    ----------
    pieces : iterable of (str, bytes or None)
        The texts in pieces that cut no word, with the names of the texts, and None at the end of each.
    keep_empty : bool
        Whether a line without words is a sentence.
    spool : Spool
        For the ids.

    Raises
    ------
    ValueError
        If a word is not UTF-8.
    """
    tokenizer, split = kernels.tokenizer.Tokenizer(keep_empty), kernels.tokenizer.split
    words: list[str] = []
    offsets = [np.zeros(1, np.int64)]
    n_lines = n_bytes = 0  # of the pieces of a file so far

    def split_piece(piece: tuple[str, bytes | None]) -> Any:
        path, text = piece
        return path, text if text is None else split(text, keep_empty)

    with Workers(file_threads()) as workers:
        for path, piece in workers.in_order(split_piece, pieces):
            if piece is None:
                offsets.append(tokenizer.finish())
                n_lines = n_bytes = 0
                continue
            ids, sentence_ends = tokenizer.add(piece)
            spool.append(ids)
            offsets.append(sentence_ends)
            try:
                words += tokenizer.words(len(words)).decode().split("\n")
            except UnicodeDecodeError:
                raise invalid_piece(path, piece.text, n_lines, n_bytes) from None
            words.pop()  # what is after the last line feed
            n_lines += piece.n_lines
            n_bytes += len(piece.text)
    return Encoded(words, tokenizer.counts(), np.concatenate(offsets), spool)


def file_pieces(
    files: Iterable[File], errors: str, report: Callable[[int], object]
) -> Iterator[tuple[str, bytes | None]]:
    """Yield the texts of files in pieces for `encode_pieces`.

    Raises
    ------
    ValueError
        If a file is of a known kind whose lines are not sentences.
    """
    for file in files:
        name = name_of(file)
        blocks = read_blocks(file, errors, report)
        for text in whole_words(check_kind(name, blocks) if is_beginning(file) else blocks):
            yield name, text
        yield name, None


def whole_words(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the blocks of a file as larger pieces that cut no word, one at least."""
    end_of_words = kernels.tokenizer.end_of_words
    parts: list[bytes | memoryview] = []
    size = 0
    for block in blocks:
        size += len(block)
        end = end_of_words(block) if size >= PIECE_BYTES else 0
        if end:
            yield b"".join([*parts, memoryview(block)[:end]])
            parts, size = [], len(block) - end
        parts.append(memoryview(block)[end:])
    yield b"".join(parts)


def invalid_piece(path: str, text: bytes, n_lines: int, n_bytes: int) -> ValueError:
    """Return the error for a piece of a file that is not UTF-8, behind so many lines and bytes."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        place = error.start
    begin = max(text.rfind(space, 0, place) for space in SPACE) + 1
    n_lines += text.count(b"\n", 0, begin)
    try:
        text[begin:].split(None, 1)[0].decode()
    except UnicodeDecodeError as error:
        return invalid_text(path, n_lines + 1, n_bytes + begin, error)
    raise AssertionError


def encode_sentences(sentences: Iterable[Any], keep_empty: bool, spool: Spool) -> Encoded:
    """Add the provisional ids of the items of token sequences to `spool`.

    Raises
    ------
    TypeError
        If a sentence is not a sequence of str and int.
    ValueError
        If an item is an empty str, or cannot be encoded in UTF-8.
    """
    index = Numbers()
    ids = array("i")
    offsets = array("q", [0])
    counts = np.zeros(0, np.int64)
    n_stored = 0

    def hand_on() -> None:
        nonlocal counts, n_stored, ids
        piece = np.frombuffer(ids, np.int32)
        more = np.bincount(piece, minlength=len(counts))
        more[: len(counts)] += counts
        counts = more
        spool.append(piece)
        n_stored += len(piece)
        ids = array("i")

    for number, sentence in enumerate(sentences, 1):
        try:
            ids.extend(map(index.__getitem__, _items(sentence, number)))
        except ValueError as error:
            raise ValueError(f"sentence {number} of source: {error}") from None
        if keep_empty or n_stored + len(ids) > offsets[-1]:
            offsets.append(n_stored + len(ids))
        if len(ids) >= IDS_AT_ONCE:
            hand_on()
    hand_on()
    return Encoded(index.words, counts, np.array(offsets), spool)


def _items(sentence: Any, number: int) -> Iterable[str | int]:
    """Return the items of a sentence, or raise an error if it is not a sequence of them."""
    items = check_words(f"sentence {number} of source", sentence)
    if {str, int}.issuperset(map(type, items)):
        return items
    for item in items:
        check_item(f"every item of sentence {number}", item)
    return [*map(plain, items)]


class Numbers(dict[Any, int]):
    """The numbers of items, assigned in the order of first occurrence.

    An int equals its digits. As long as all items are int, they are ids, and stay int.

    Attributes
    ----------
    words : list of str, or of int
        The items in the order of their numbers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.words: list[Any] = []
        self._only_ids = True

    def __missing__(self, item: str | int) -> int:
        if isinstance(item, int) and not self._only_ids:
            self[item] = self[str(item)]
            return self[item]
        if isinstance(item, str):
            if not item:
                raise ValueError("an item is an empty str")
            item.encode()  # a lone surrogate cannot be saved
            if self._only_ids:
                self._only_ids = False
                self.words = [*map(str, self.words)]
                self.update(zip(self.words, range(len(self.words)), strict=True))
                return self[item]
        self[item] = len(self.words)
        self.words.append(item)
        return self[item]


def remapped(ids: NDArray[np.int32], new_ids: NDArray[np.int32], memory_limit: int) -> NDArray[np.int32]:
    """Return ``new_ids[ids]``, read-only, in a temporary file if both together exceed `memory_limit`."""
    spool = Spool(np.int32, memory_left(memory_limit, ids))
    for begin in range(0, len(ids), BLOCK_ITEMS):
        spool.append(ids[begin : begin + BLOCK_ITEMS])
    return _final(spool, new_ids)
