"""Converting texts and token sequences to provisional ids, words and counts, in one pass."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import check_item
from fastvec.corpus.idfile import IdStore
from fastvec.corpus.reading import invalid_text, read_blocks, read_lines
from fastvec.corpus.sequences import check_words
from fastvec.formats.kinds import check_kind

__all__ = ["Encoded", "encode_files", "encode_sentences", "tokenized_lines"]

# Sentences of Python objects are handed on in pieces of about so many ids.
PIECE = 1 << 18


@dataclass
class Encoded:
    """What was read in addition to the ids, in the order of first occurrence."""

    words: list[str]
    counts: NDArray[np.int64]
    sentence_offsets: NDArray[np.int64]


def encode_files(
    paths: Iterable[str], errors: str, keep_empty: bool, store: IdStore, report: Callable[[int], object]
) -> Encoded:
    """Split files on white space and add the provisional ids of their words to `store`.

    Raises
    ------
    ValueError
        If a file is of a known kind whose lines are not sentences, or a word is not UTF-8 and `errors` is
        "strict".
    """
    tokenizer = kernels.tokenizer.Tokenizer(keep_empty)
    words: list[str] = []
    offsets = [np.zeros(1, np.int64)]
    for path in paths:
        lines_before, bytes_before = tokenizer.n_lines, tokenizer.n_bytes
        for ids, sentence_ends in _tokenized(tokenizer, check_kind(path, read_blocks(path, errors, report))):
            store.append(ids)
            offsets.append(sentence_ends)
            for word in tokenizer.words(len(words)):
                try:
                    words.append(word.decode())
                except UnicodeDecodeError as error:
                    line, byte = tokenizer.first_seen(len(words))
                    raise invalid_text(path, line - lines_before + 1, byte - bytes_before, error) from None
    return Encoded(words, tokenizer.counts(), np.concatenate(offsets))


def _tokenized(
    tokenizer: Any, blocks: Iterable[bytes]
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64]]]:
    for block in blocks:
        yield tokenizer.feed(block)
    yield tokenizer.finish()


def tokenized_lines(
    paths: Iterable[str],
    tokenizer: Callable[[str], Iterable[Any]],
    lowercase: bool,
    errors: str,
    report: Callable[[int], object],
) -> Iterator[Iterable[Any]]:
    """Yield the tokens of every line of some files, converted to lower case first if `lowercase`."""
    for path in paths:
        for line in read_lines(path, errors, report):
            tokens = tokenizer(line.lower() if lowercase else line)
            if isinstance(tokens, (str, bytes)):
                raise TypeError(f"tokenizer must return an iterable of words, got {tokens!r}")
            yield tokens


def encode_sentences(sentences: Iterable[Any], keep_empty: bool, store: IdStore) -> Encoded:
    """Add the provisional ids of the items of token sequences to `store`.

    Raises
    ------
    TypeError
        If a sentence is not a sequence of str and int.
    ValueError
        If an item is an empty str, or cannot be encoded in UTF-8.
    """
    index = _Index()
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
        store.append(piece)
        n_stored += len(piece)
        ids = array("i")

    for number, sentence in enumerate(sentences, 1):
        try:
            ids.extend(map(index.__getitem__, _items(sentence, number)))
        except ValueError as error:
            raise ValueError(f"sentence {number} of source: {error}") from None
        if keep_empty or n_stored + len(ids) > offsets[-1]:
            offsets.append(n_stored + len(ids))
        if len(ids) >= PIECE:
            hand_on()
    hand_on()
    return Encoded(index.words, counts, np.array(offsets))


def _items(sentence: Any, number: int) -> Iterable[str | int]:
    """Return the items of a sentence, or raise an error if it is not a sequence of them."""
    items = check_words(f"sentence {number} of source", sentence)
    if {str, int}.issuperset(map(type, items)):
        return items
    return [check_item(f"every item of sentence {number}", item) for item in items]


class _Index(dict[Any, int]):
    """The ids of items, assigned in the order of first occurrence; an int equals its digits."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def __missing__(self, item: str | int) -> int:
        if isinstance(item, int):
            self[item] = self[str(item)]
            return self[item]
        if not item:
            raise ValueError("an item is an empty str")
        item.encode()  # a lone surrogate cannot be saved
        self[item] = len(self.words)
        self.words.append(item)
        return self[item]
