"""Text from files of any kind: plain or compressed, in folders, open already or at other places.

A file is a path, ``-`` for standard input, an address as ``s3://bucket/name``, an object with `read`, or a
part of a file.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import glob
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fastvec.corpus.compressed import COMPRESSED_BLOCK_BYTES, decompressed, is_compressed
from fastvec.corpus.parts import Part, is_beginning
from fastvec.formats.kinds import FIRST_BYTES, not_text
from fastvec.formats.places import is_address

__all__ = [
    "STANDARD_INPUT",
    "File",
    "check_readable",
    "files_of",
    "invalid_text",
    "is_on_disk",
    "name_of",
    "opened",
    "read_blocks",
    "read_lines",
]

File = Any
"""A path or an address (str), an object with `read`, or a `Part` of a file."""

STANDARD_INPUT = "-"

READ_ALL_THE_SAME = "errors='replace' reads it all the same"

PLAIN_BLOCK_BYTES = 1 << 18


def files_of(source: Any) -> list[File] | None:
    """Return the files that `source` names or is, or None if it is neither a file nor a list of files.

    A folder has all files in it and its folders, but for hidden ones, which begin with a dot; a pattern with
    ``*``, ``?`` or ``[...]`` that is no file has those that it matches. Both are in the order of their paths.

    Raises
    ------
    OSError
        If a folder or a pattern has no files.
    """
    listed = source if isinstance(source, (list, tuple)) and source else [source]
    if not all(isinstance(file, (str, os.PathLike)) or _is_open(file) for file in listed):
        return None
    files: list[File] = []
    for file in listed:
        if _is_open(file):
            files.append(file)
        else:
            found = _found(os.fspath(file))
            if not found:
                reason = f"{os.strerror(errno.ENOENT)} (no files there that are not hidden)"
                raise FileNotFoundError(errno.ENOENT, reason, os.fspath(file))
            files += found
    return files


def is_on_disk(file: File) -> bool:
    """Return whether a file is a path, neither an address nor standard input nor an open file."""
    return isinstance(file, str) and file != STANDARD_INPUT and not is_address(file)


def name_of(file: File) -> str:
    """Return what errors call a file."""
    if isinstance(file, str):
        return file
    name = getattr(file, "name", None)
    return name if isinstance(name, str) else f"the {type(file).__name__}"


@contextlib.contextmanager
def opened(file: File) -> Iterator[Any]:
    """Open a file, of a part the whole, for reading bytes; one that is open stays so, and may read str."""
    file = file.name if isinstance(file, Part) else file
    if file == STANDARD_INPUT:
        yield sys.stdin.buffer
    elif not isinstance(file, str):
        yield file
    elif is_address(file):
        with _fsspec().open(file, "rb") as opened_file:
            yield opened_file
    else:
        with Path(file).open("rb") as opened_file:
            yield opened_file


def _is_open(file: Any) -> bool:
    return callable(getattr(file, "read", None)) and not isinstance(file, os.PathLike)


def _found(path: str) -> list[str]:
    """Return the path or address itself, or the files of a folder or pattern."""
    if is_address(path):
        return _found_at(path)
    if Path(path).is_dir():
        entries = [entry.relative_to(path) for entry in Path(path).rglob("*") if entry.is_file()]
        shown = sorted(entry for entry in entries if not any(part.startswith(".") for part in entry.parts))
        return [str(Path(path, entry)) for entry in shown]
    if glob.has_magic(path) and not Path(path).exists():
        return sorted(match for match in glob.glob(path, recursive=True) if Path(match).is_file())  # noqa: PTH207
    return [path]


def _found_at(address: str) -> list[str]:
    if address.startswith(("http://", "https://")):  # where "?" begins a query, and nothing can be listed
        return [address]
    system, path = _fsspec().core.url_to_fs(address)
    if glob.has_magic(path):
        found = system.glob(path)
    elif system.isdir(path):
        found = system.find(path)
    else:
        return [address]
    named = path.split("/")
    shown = (
        one
        for one in sorted(found)
        if not any(part.startswith(".") and part not in named for part in one.split("/"))
    )
    return [_address_like(address, system.unstrip_protocol(one), one) for one in shown if system.isfile(one)]


def _address_like(address: str, found: str, path: str) -> str:
    """Return the address of a file that was found at another one, which may be in an archive or cached."""
    parts = address.split("::")  # as "simplecache::zip://folder::s3://bucket/archive.zip"
    if len(parts) == 1:
        return found
    place = next(i for i, part in enumerate(parts) if is_address(part))
    parts[place] = f"{parts[place].partition('://')[0]}://{path.lstrip('/')}"
    return "::".join(parts)


def _fsspec() -> Any:
    try:
        import fsspec
    except ImportError:
        raise ImportError("reading addresses needs fsspec: pip install 'fastvec[fsspec]'") from None
    return fsspec


def check_readable(paths: Sequence[File]) -> int | None:
    """Return the total size of the files, or None if it is not known for all of them.

    Raises
    ------
    OSError
        If one of them is missing, cannot be read or is a folder, before the first is read.
    """
    total: int | None = 0
    for path in paths:
        if not is_on_disk(path):
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
            elif len(paths) > 1 and Path(path).parent == Path() and not Path(path).suffix:
                reason += (
                    " (a list of str is a list of files; of sentences, even one, each is a list of words)"
                )
            raise FileNotFoundError(errno.ENOENT, reason, path) from None
        if stat.S_ISFIFO(status.st_mode):  # opening it would use it up
            total = None
            continue
        with Path(path).open("rb"):
            total = None if total is None else total + status.st_size
    return total


def read_blocks(path: File, errors: str | None, report: Callable[[int], object]) -> Iterator[bytes]:
    """Yield the text of a file in blocks of bytes that are not empty, decompressed.

    A byte order mark at the start becomes three spaces, so that it is no part of the first word and the
    places of all bytes remain.

    Parameters
    ----------
    path : File
        The file.
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
    blocks = _blocks_as_stored(path, report)
    if is_beginning(path):
        blocks = _checked(name_of(path), errors, blocks)
    if errors in (None, "strict"):
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder("utf-8")(errors)
    for block in blocks:
        if text := decoder.decode(block):
            yield text.encode()
    if text := decoder.decode(b"", final=True):
        yield text.encode()


def read_lines(path: File, errors: str, report: Callable[[int], object]) -> Iterator[str]:
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
            raise invalid_text(name_of(path), number, place, error) from None
        place += len(line)


def invalid_text(path: str, line: int, place: int, error: UnicodeDecodeError) -> ValueError:
    """Return the error for text that is not UTF-8; `place` is the position of the decoded bytes."""
    byte = error.object[error.start]
    return ValueError(
        f"{path}, line {line}, byte {place + error.start}: not valid UTF-8 ({error.reason}, 0x{byte:02x}); "
        f"{READ_ALL_THE_SAME}"
    )


def _blocks_as_stored(path: File, report: Callable[[int], object]) -> Iterator[bytes]:
    with opened(path) as file:
        if isinstance(path, Part):
            yield from path.blocks(file, PLAIN_BLOCK_BYTES, report)
            return

        def read(size: int) -> bytes:
            block = file.read(size)
            if isinstance(block, str):
                block = block.encode(errors="surrogatepass")
            report(len(block or b""))
            return block or b""

        first = read(COMPRESSED_BLOCK_BYTES)
        if is_compressed(first):
            yield from decompressed(name_of(path), _following(read, first, COMPRESSED_BLOCK_BYTES))
            return
        yield from _following(read, first, PLAIN_BLOCK_BYTES)


def _following(read: Callable[[int], bytes], first: bytes, size: int) -> Iterator[bytes]:
    """Yield `first` and then the rest of the file."""
    block = first
    while block:
        yield block
        block = read(size)


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
