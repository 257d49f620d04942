"""Files that are compressed, recognized by their first bytes, whatever they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

__all__ = ["COMPRESSED_BLOCK_BYTES", "decompressed", "is_compressed"]

COMPRESSED_BLOCK_BYTES = 1 << 16
"""How much of a file is decompressed at once: several times as much text stays in the processor's cache."""


def _gzip() -> tuple[Callable[[], Any], type[Exception]]:
    import zlib

    return lambda: zlib.decompressobj(wbits=31), zlib.error


def _bzip2() -> tuple[Callable[[], Any], type[Exception]]:
    import bz2

    return bz2.BZ2Decompressor, OSError


def _xz() -> tuple[Callable[[], Any], type[Exception]]:
    import lzma

    return lzma.LZMADecompressor, lzma.LZMAError


def _zstandard() -> tuple[Callable[[], Any], type[Exception]]:
    try:
        import zstandard
    except ImportError:
        raise ImportError("reading zstd files needs zstandard: pip install 'fastvec[zstd]'") from None
    return lambda: zstandard.ZstdDecompressor().decompressobj(), zstandard.ZstdError


# The first bytes of a compressed file, its kind, and what makes decompressors of that kind and their error.
COMPRESSIONS = (
    (b"\x1f\x8b", "gzip", _gzip),
    (b"BZh", "bzip2", _bzip2),
    (b"\xfd7zXZ\0", "xz", _xz),
    (b"\x28\xb5\x2f\xfd", "zstd", _zstandard),
)


def is_compressed(head: bytes) -> bool:
    """Return whether a file that begins so is compressed."""
    return head.startswith(tuple(magic for magic, _, _ in COMPRESSIONS))


def decompressed(path: str, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress the blocks of a file; it may consist of several concatenated compressed streams.

    Parameters
    ----------
    path : str
        What errors call the file.
    blocks : iterable of bytes
        Its blocks, the first of which shows how it is compressed.

    Raises
    ------
    ValueError
        If it is truncated or corrupt.
    """
    following = iter(blocks)
    first = next(following)
    kind, library = next((kind, library) for magic, kind, library in COMPRESSIONS if first.startswith(magic))
    new_decompressor, library_error = library()
    decompressor = new_decompressor()
    for block in chain([first], following):
        rest = block
        while rest:
            if decompressor.eof:
                rest = rest.lstrip(b"\0")  # tapes and some tools pad a file with zeros
                if not rest:
                    break
                decompressor = new_decompressor()
            try:
                text = decompressor.decompress(rest)
            except library_error as error:
                raise ValueError(f"{path}: corrupt {kind} data ({error})") from None
            if text:
                yield text
            rest = decompressor.unused_data
    if not decompressor.eof:
        raise ValueError(f"{path}: truncated {kind} file (it ends before its compressed data do)")
