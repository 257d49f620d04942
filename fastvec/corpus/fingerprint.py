"""Hashes that tell texts and counts from others."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from fastvec.corpus.vocabulary import Vocabulary
from fastvec.formats.container import blocks
from fastvec.training.threads import Workers, file_threads

__all__ = ["fingerprint"]


def fingerprint(vocabulary: Vocabulary, *arrays: NDArray[Any]) -> str:
    """Return a hash of words with their counts, and of arrays: SHA-256 of that of every block of rows."""
    from hashlib import sha256  # which loads OpenSSL: not when fastvec is imported

    def of_rows(block: memoryview) -> bytes:
        return sha256(block).digest()

    digest = sha256("\n".join(map(str, vocabulary.words)).encode(errors="surrogatepass"))
    with Workers(file_threads()) as workers:
        for array in (vocabulary.counts, *arrays):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            for of_block in workers.in_order(of_rows, blocks(array)):
                digest.update(of_block)
    return digest.hexdigest()
