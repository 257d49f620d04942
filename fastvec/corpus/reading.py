"""Text from files of any kind: plain or compressed, or standard input, in blocks of bytes or in lines."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from fastvec.formats.kinds import FIRST_BYTES, not_text

__all__ = ["STANDARD_INPUT", "check_readable", "invalid_text", "read_blocks", "read_lines"]

STANDARD_INPUT = "-"

READ_ALL_THE_SAME = "errors='replace' reads it all the same"

PLAIN_BLOCK_BYTES = 1 << 18
# A compressed block yields several times as much text: this keeps it in the processor's cache.
COMPRESSED_BLOCK_BYTES = 1 << 16


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


def check_readable(paths: Sequence[str]) -> int | None:
    """Return the total size of the files, or None if standard input is among them.

    Raises
    ------
    OSError
        If one of them is missing, cannot be read or is a folder, before the first is read.
    """
    total: int | None = 0
    for path in paths:
        if path == STANDARD_INPUT:
            total = None
            continue
        try:
            status = Path(path).stat()
        except FileNotFoundError:
            reason = os.strerror(errno.ENOENT)
            if any(map(str.isspace, path)) and Path(path).parent == Path():
                reason += (
                    " (a str is the path of a file; a sentence is a list of words: pass sentence.split())"
                )
            raise FileNotFoundError(errno.ENOENT, reason, path) from None
        if stat.S_ISFIFO(status.st_mode):  # opening it would use it up
            total = None
            continue
        with Path(path).open("rb"):
            total = None if total is None else total + status.st_size
    return total


def read_blocks(path: str, errors: str | None, report: Callable[[int], object]) -> Iterator[bytes]:
    """Yield the text of a file in blocks of bytes that are not empty, decompressed.

    A byte order mark at the start becomes three spaces, so that it is no part of the first word and the
    places of all bytes remain.

    Parameters
    ----------
    path : str
        The file; ``-`` is standard input.
    errors : {"strict", "replace", "ignore"} or None
        "strict" yields bytes that are not UTF-8 as they are, the others repair them as Python's codecs do.
        None is "strict" where the user cannot choose.
    report : callable
        Called with the number of bytes read from the file.

    Raises
    ------
    ValueError
        If the file is no text in UTF-8 but of another known kind, or a compressed file is truncated or
        corrupt.
    """
    blocks = _checked(path, errors, _blocks_as_stored(path, report))
    if errors in (None, "strict"):
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder("utf-8")(errors)
    for block in blocks:
        if text := decoder.decode(block):
            yield text.encode()
    if text := decoder.decode(b"", final=True):
        yield text.encode()


def read_lines(path: str, errors: str, report: Callable[[int], object]) -> Iterator[str]:
    """Yield the lines of a file as str, without their ends; arguments and errors as for `read_blocks`.

    Raises
    ------
    ValueError
        Also if a line is not UTF-8 and `errors` is "strict".
    """
    place = 0
    for number, line in enumerate(_lines_of(read_blocks(path, errors, report)), 1):
        try:
            yield line.removesuffix(b"\n").removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            raise invalid_text(path, number, place, error) from None
        place += len(line)


def invalid_text(path: str, line: int, place: int, error: UnicodeDecodeError) -> ValueError:
    """Return the error for text that is not UTF-8; `place` is the position of the decoded bytes."""
    byte = error.object[error.start]
    return ValueError(
        f"{path}, line {line}, byte {place + error.start}: not valid UTF-8 ({error.reason}, 0x{byte:02x}); "
        f"{READ_ALL_THE_SAME}"
    )


def _blocks_as_stored(path: str, report: Callable[[int], object]) -> Iterator[bytes]:
    with contextlib.ExitStack() as stack:
        file: IO[bytes] = (
            sys.stdin.buffer if path == STANDARD_INPUT else stack.enter_context(Path(path).open("rb"))
        )
        first = file.read(COMPRESSED_BLOCK_BYTES)
        report(len(first))
        for magic, kind, library in COMPRESSIONS:
            if first.startswith(magic):
                new_decompressor, library_error = library()
                blocks = _following(file, first, COMPRESSED_BLOCK_BYTES, report)
                yield from _decompressed(path, kind, blocks, new_decompressor, library_error)
                return
        yield from _following(file, first, PLAIN_BLOCK_BYTES, report)


def _following(file: IO[bytes], first: bytes, size: int, report: Callable[[int], object]) -> Iterator[bytes]:
    """Yield `first` and then the rest of the file."""
    block = first
    while block:
        yield block
        block = file.read(size)
        report(len(block))


def _decompressed(
    path: str,
    kind: str,
    blocks: Iterable[bytes],
    new_decompressor: Callable[[], Any],
    library_error: type[Exception],
) -> Iterator[bytes]:
    """Decompress blocks; a file may consist of several concatenated compressed streams."""
    decompressor = new_decompressor()
    for block in blocks:
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


def _checked(path: str, errors: str | None, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the blocks of a text without a byte order mark, the first of at least `FIRST_BYTES`."""
    head = b""
    for block in blocks:
        head += block
        if len(head) >= FIRST_BYTES:
            break
    if (reason := not_text(head[:FIRST_BYTES])) is not None:
        raise ValueError(f"{path} {reason}")
    if errors in (None, "strict") and (place := head[:FIRST_BYTES].find(0)) >= 0:
        advice = "" if errors is None else f"; {READ_ALL_THE_SAME}"
        raise ValueError(f"{path} is a binary file or a damaged text: byte {place} is zero{advice}")
    if head.startswith(codecs.BOM_UTF8):
        head = b"   " + head[len(codecs.BOM_UTF8) :]
    if head:
        yield head
    yield from blocks


def _lines_of(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines with their ends, however long."""
    pieces: list[bytes] = []
    for block in blocks:
        *complete, last = block.split(b"\n")
        for line in complete:
            yield b"".join([*pieces, line, b"\n"])
            pieces.clear()
        pieces.append(last)
    if any(pieces):
        yield b"".join(pieces)
