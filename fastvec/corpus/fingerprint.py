"""Hashes that tell texts and counts from others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec.corpus.vocabulary import Vocabulary
from fastvec.formats.container import blocks, rows_of_a_block
from fastvec.training.threads import Workers, file_threads

__all__ = ["Hashed", "fingerprint", "fingerprint_of_parts", "hashed"]


class Hashed(NamedTuple):
    """A part of an array: the hashes of its blocks, and what of it is in blocks together with other parts."""

    before: NDArray[Any]
    hashes: NDArray[np.uint8]
    behind: NDArray[Any]


def fingerprint(vocabulary: Vocabulary, *arrays: NDArray[Any]) -> str:
    """Return a hash of words with their counts, and of arrays: SHA-256 of that of every block of rows."""
    hashes = ((array.dtype, array.shape, _hashes(array)) for array in (vocabulary.counts, *arrays))
    return _digest(vocabulary, hashes)


def fingerprint_of_parts(vocabulary: Vocabulary, *arrays: tuple[np.dtype[Any], int, Iterable[Hashed]]) -> str:
    """Return the `fingerprint` of arrays, given the dtype, length and parts, in their order, of each."""
    of_counts = (vocabulary.counts.dtype, vocabulary.counts.shape, _hashes(vocabulary.counts))
    of_arrays = ((dtype, (n,), _joined(dtype, parts)) for dtype, n, parts in arrays)
    return _digest(vocabulary, [of_counts, *of_arrays])


def hashed(part: NDArray[Any], begin: int) -> Hashed:
    """Hash the part of a one-dimensional array that begins at one of its items."""
    at_once = rows_of_a_block(part)
    first = min(-begin % at_once, len(part))
    last = first + (len(part) - first) // at_once * at_once
    hashes = b"".join(_hashes(part[first:last]))
    return Hashed(part[:first], np.frombuffer(hashes, np.uint8), part[last:])


def _digest(
    vocabulary: Vocabulary, arrays: Iterable[tuple[np.dtype[Any], tuple[int, ...], Iterable[bytes]]]
) -> str:
    from hashlib import sha256  # which loads OpenSSL: not when fastvec is imported

    digest = sha256("\n".join(map(str, vocabulary.words)).encode(errors="surrogatepass"))
    for dtype, shape, hashes in arrays:
        digest.update(f"{dtype.str}{shape}".encode())
        for of_block in hashes:
            digest.update(of_block)
    return digest.hexdigest()


def _hashes(array: NDArray[Any]) -> Iterator[bytes]:
    """Yield the hash of every block of an array."""
    from hashlib import sha256

    def of_rows(block: memoryview) -> bytes:
        return sha256(block).digest()

    with Workers(file_threads()) as workers:
        yield from workers.in_order(of_rows, blocks(array))


def _joined(dtype: np.dtype[Any], parts: Iterable[Hashed]) -> Iterator[bytes]:
    """Yield the hash of every block of an array, given its parts."""
    rest = np.empty(0, dtype)  # of a block that is not complete yet
    for part in parts:
        rest = np.concatenate((rest, part.before))
        if len(rest) == rows_of_a_block(rest):
            yield from _hashes(rest)
            rest = rest[:0]
        yield part.hashes.tobytes()
        if len(part.behind):
            rest = part.behind
    yield from _hashes(rest)
