"""Lists of words in files: as lines and fields of other programs have them, and as tensors.

Tensors have one of two forms. In files of vectors and classifiers, ``words`` is a JSON list in UTF-8. In
those of ids and counts, ``words`` is all words end to end, and ``word_offsets``, int64 (n + 1,), where each
begins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.training.progress import warn

__all__ = [
    "WORD_LIMIT",
    "Rows",
    "check_offsets",
    "check_separable",
    "check_unique",
    "decode_words",
    "join_words",
    "json_of_words",
    "split_words",
    "words_of_json",
]

WORD_LIMIT = 1 << 23
"""The longest word in bytes: without a bound, all of a damaged file would be searched for the end of one."""

Rows = slice | NDArray[np.intp]
"""Which rows are kept: all, some of the first, or those at some positions."""

# White space as C's isspace and bytes.split see it: what ends a word for the readers of text and .bin.
SPACE = re.compile(r"[ \t\n\v\f\r]")
LINE_FEED = ord("\n")
SURROGATE = re.compile("[\ud800-\udfff]")


def check_unique(path: Path, words: Sequence[str], advice: str = "") -> None:
    """Raise if a word occurs twice, naming both positions."""
    if len(set(words)) == len(words):
        return
    first: dict[str, int] = {}
    for row, word in enumerate(words, 1):
        if word in first:
            raise ValueError(
                f"{path}: {word!r} is both word {first[word]:,} and word {row:,} of the file{advice}"
            )
        first[word] = row


def decode_words(
    path: Path,
    names: Sequence[bytes],
    errors: str | None,
    place: Callable[[int], str],
    encoding: str | None = None,
) -> tuple[list[str], Rows]:
    """Return words decoded from bytes, and the rows that they are of.

    Where `errors` repairs words, different ones may become equal, or empty. A word that was not valid then
    gives way to one that was, or else to the first, and is dropped with a warning.

    Parameters
    ----------
    path : Path
        The file.
    names : sequence of bytes
        The words.
    errors : {"strict", "replace", "ignore"} or None
        How to handle bytes that are not valid; None if the user cannot choose.
    place : callable
        Where in the file the word of a row is.
    encoding : str, optional
        The encoding; UTF-8 if the user cannot choose.

    Raises
    ------
    ValueError
        If a word is empty; if one is not valid and `errors` is "strict" or None.
    """
    codec = encoding or "utf-8"
    if not all(names):
        raise ValueError(f"{place(names.index(b''))}: the word is empty")
    joined = b"\n".join(names)
    if joined.count(b"\n") == len(names) - 1:  # no word has one
        with suppress(UnicodeDecodeError):
            return joined.decode(codec).split("\n"), slice(None)
    try:
        return [name.decode(codec) for name in names], slice(None)
    except UnicodeDecodeError as error:
        if errors in (None, "strict"):
            where = place(names.index(error.object))
            advice = "" if errors is None else "; errors='replace' reads it all the same"
            if encoding is not None:
                advice += ", encoding='latin-1' if that is what it is, or another"
            what = codec.upper()
            raise ValueError(
                f"{where}: byte {error.start + 1} of the word {error.object!r} is not {what}{advice}"
            ) from error
        return _repaired(path, names, errors, place, codec)


def _repaired(
    path: Path, names: Sequence[bytes], errors: str, place: Callable[[int], str], codec: str
) -> tuple[list[str], Rows]:
    words = [name.decode(codec, errors) for name in names]
    encoded = [word.encode(codec, "replace") for word in words]
    invalid = [row for row, name in enumerate(names) if encoded[row] != name]
    kept = np.ones(len(names), dtype=bool)
    kept[invalid] = False
    taken = {"", *(words[row] for row in np.flatnonzero(kept))}
    for row in invalid:
        kept[row] = words[row] not in taken
        taken.add(words[row])
    dropped = np.flatnonzero(~kept)
    if len(dropped):
        warn(
            f"{path}: dropped {len(dropped):,} of {len(names):,} words: without the bytes that are not "
            f"{codec.upper()} nothing is left of them, or what another word is; the first is "
            f"{names[dropped[0]]!r} ({place(int(dropped[0]))})"
        )
    return [words[row] for row in np.flatnonzero(kept)], np.flatnonzero(kept)


def check_separable(words: Sequence[str]) -> None:
    """Raise ValueError for a word that could not be read back from a file of words between white space."""
    words = [*map(str, words)]
    joined = "".join(words)
    if not all(words) or SPACE.search(joined):
        word = next(word for word in words if not word or SPACE.search(word))
        what = "has white space" if word else "is empty"
        raise ValueError(f"the word {word!r} {what}, which this format cannot hold; save as .fvec")
    try:
        joined.encode()
    except UnicodeEncodeError:
        raise _lone_surrogate(next(filter(SURROGATE.search, words))) from None
    if 4 * max(map(len, words), default=0) > WORD_LIMIT:  # a character has up to four bytes
        longest = max((word.encode() for word in words), key=len)
        if len(longest) > WORD_LIMIT:
            raise ValueError(
                f"the word {longest[:20]!r}... has {len(longest):,} bytes, and this format holds words of up "
                f"to {WORD_LIMIT:,}; save as .fvec"
            )


def json_of_words(words: Sequence[str] | Sequence[int], errors: str = "surrogatepass") -> NDArray[np.uint8]:
    """Return a tensor of a JSON list of words; lone surrogates are a ValueError if `errors` is "strict"."""
    text = json.dumps(list(words), ensure_ascii=False, separators=(",", ":"))
    try:
        return np.frombuffer(text.encode(errors=errors), np.uint8)
    except UnicodeEncodeError:
        raise _lone_surrogate(next(filter(SURROGATE.search, map(str, words)))) from None


def words_of_json(tensor: NDArray[Any], errors: str = "surrogatepass") -> list[Any]:
    """Return the words of a JSON list; raise ValueError if it is none, or not UTF-8 and `errors` strict."""
    try:
        words = json.loads(tensor.tobytes().decode(errors=errors))
    except RecursionError as error:
        raise ValueError(error) from None
    if not isinstance(words, list) or {*map(type, words)} not in (set(), {str}, {int}):
        raise ValueError("not a list of strings, or of integers")
    return words


def join_words(words: Sequence[str | int | bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return all words end to end in UTF-8, ids as their digits, and where each begins, with their length."""
    if all(type(word) is str for word in words):
        text = np.frombuffer("\n".join(words).encode(), np.uint8)  # type: ignore[arg-type]
        line_feeds = np.flatnonzero(text == LINE_FEED)
        if len(words) == len(line_feeds) + 1:  # no word has one
            ends = np.append(line_feeds, len(text)) - np.arange(len(words))
            return np.delete(text, line_feeds), np.concatenate(([0], ends))
    names = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    offsets = np.zeros(len(names) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, names), np.int64, len(names)), out=offsets[1:])
    return np.frombuffer(b"".join(names), np.uint8), offsets


def split_words(text: NDArray[np.uint8], offsets: NDArray[np.int64], kind: str | None) -> list[Any]:
    """Return the words that `join_words` has joined, of the kind "int" if they are ids.

    Raises
    ------
    ValueError
        If one is empty, not UTF-8, or not of that kind.
    """
    check_offsets("word_offsets", offsets, len(text), strictly=True)
    if len(offsets) > 1 and not (text == LINE_FEED).any():
        words = np.insert(text, offsets[1:-1], LINE_FEED).tobytes().decode().split("\n")
    else:
        joined, places = text.tobytes(), offsets.tolist()
        words = [joined[begin:end].decode() for begin, end in pairwise(places)]
    return [*map(int, words)] if kind == "int" else words


def check_offsets(name: str, offsets: NDArray[np.int64], end: int, strictly: bool) -> None:
    """Raise ValueError unless offsets ascend from 0 to `end`, strictly or not."""
    if (
        offsets.dtype != np.int64
        or offsets.ndim != 1
        or len(offsets) < 1
        or offsets[0] != 0
        or offsets[-1] != end
        or (offsets[1:] < offsets[:-1]).any()
        or (strictly and (offsets[1:] == offsets[:-1]).any())
    ):
        raise ValueError(f"{name} do not ascend from 0 to {end}")


def _lone_surrogate(word: str) -> ValueError:
    return ValueError(f"the word {word!r} has a lone surrogate and cannot be written in UTF-8")
