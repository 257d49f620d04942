"""The container of fastvec's files: safetensors with checksums, mapped or read, and streamed when written.

The layout (https://huggingface.co/docs/safetensors): the length of the header as a little-endian uint64, the
header as JSON, which gives every tensor its dtype, shape and place, and the tensors without gaps. The
``safetensors`` package reads what is written here, and this module reads what that package writes.

Two entries of the ``__metadata__`` are checksums, in hexadecimal digits. They are not among the metadata that
the functions here take and return.

================  ==================================================================================
``crc32``         a JSON object with the CRC-32 of the bytes of every tensor
``header_crc32``  the CRC-32 of a JSON list of the other metadata, with ``crc32``, and of an object
                  with the dtype and shape of every tensor, keys sorted and nothing but ASCII
================  ==================================================================================

Files without either, of other programs and earlier versions, are read without verification.
"""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec.formats.atomic import replacing
from fastvec.formats.compact import BFLOAT16
from fastvec.formats.kinds import OWN
from fastvec.formats.places import on_disk
from fastvec.training.signals import hold

__all__ = [
    "blocks",
    "check_format",
    "dump_tensors",
    "json_checksum",
    "json_object",
    "map_tensors",
    "read_tensors",
    "rows_of_a_block",
    "verify",
    "write_tensors",
]

DTYPES: dict[str, Any] = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": BFLOAT16,
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
NAMES = {np.dtype(dtype): name for name, dtype in DTYPES.items()}

# The format's own limit: whoever asks for more is not one of its files.
LONGEST_HEADER = 100_000_000
# The tensors start on a cache line.
ALIGNMENT = 64
# Bytes of rows that are made contiguous, or read, at a time.
BLOCK_BYTES = 1 << 20

# The metadata that are checksums.
OF_TENSORS, OF_HEADER = "crc32", "header_crc32"


class _Place(NamedTuple):
    """Where a tensor is in a file."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


class _Head(NamedTuple):
    """What a header says: tensors, metadata without checksums, and the checksums of tensors if it has any."""

    places: dict[str, _Place]
    metadata: dict[str, str]
    checksums: dict[str, str] | None


def map_tensors(
    path: str | os.PathLike[str], verified: Collection[str] | None = None
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Map the tensors of a safetensors file, read-only.

    Every length in the header is checked against the size of the file before it is used.

    Parameters
    ----------
    path : str or PathLike
        The file.
    verified : collection of str, optional
        The tensors to be verified, which reads them, where the file has checksums; all of them by default.

    Returns
    -------
    tensors : dict of str to ndarray
        A read-only `numpy.memmap` each; a copy where the file does not align the tensor to its dtype.
    metadata : dict of str to str
        The ``__metadata__`` of the header without the checksums, empty when there are none.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is not a safetensors file, or is truncated or damaged; the sentence begins with the path.
    """
    path = on_disk(path)
    with path.open("rb") as file:
        head = _read_head(path, file)
        whole = np.memmap(file, np.uint8, "r")
    tensors = {}
    for name, place in head.places.items():
        tensor = whole[place.begin : place.end]
        if place.begin % place.dtype.itemsize:
            tensor = np.array(tensor)
            tensor.flags.writeable = False
        tensors[name] = _shaped(path, name, place, tensor.view(place.dtype))
        if verified is None or name in verified:
            _verify(path, head, name, tensors[name])
    return tensors, head.metadata


def read_tensors(
    path: str | os.PathLike[str], names: Collection[str] | None = None
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Read tensors of a safetensors file into memory, and verify them where the file has checksums.

    Parameters
    ----------
    path : str or PathLike
        The file.
    names : collection of str, optional
        The tensors to be read, as far as the file has them; all by default.

    Returns
    -------
    tensors : dict of str to ndarray
        The tensors.
    metadata : dict of str to str
        As of `map_tensors`.

    Raises
    ------
    OSError, ValueError
        As `map_tensors`.
    """
    path = on_disk(path)
    tensors = {}
    with path.open("rb") as file:
        head = _read_head(path, file)
        for name, place in head.places.items():
            if names is None or name in names:
                content = np.empty(place.end - place.begin, np.uint8)
                file.seek(place.begin)
                if file.readinto(content.data) != len(content):
                    raise ValueError(f"{path}: truncated while it was read")
                tensors[name] = _shaped(path, name, place, content.view(place.dtype))
                _verify(path, head, name, tensors[name])
    return tensors, head.metadata


def verify(path: str | os.PathLike[str]) -> int:
    """Compare a file with its checksums, which it must have, and return how many tensors it has."""
    path = on_disk(path)
    with path.open("rb") as file:
        if _read_head(path, file).checksums is None:
            raise ValueError(
                f"{path}: has no checksums to verify, since another program or an earlier version wrote it; "
                "load it and save it again"
            )
    return len(map_tensors(path)[0])


def check_format(path: Path, metadata: Mapping[str, str], format: str, version: int) -> None:
    """Raise ValueError unless a file is of one of fastvec's formats, in a version that is known."""
    if metadata.get("format") != format:
        other = OWN.get(metadata.get("format"))
        if other is not None:
            raise ValueError(f"{path}: not {OWN[format].name} but {other.name}: {other.remedy}")
        raise ValueError(f"{path}: a safetensors file, but not {OWN[format].name}")
    written = metadata.get("format_version", metadata.get("version"))
    if written is None or not written.isdecimal() or int(written) > version:
        raise ValueError(
            f"{path}: written in version {written!r} of the format; this fastvec reads version {version}; "
            "try a newer one"
        )


def _read_head(path: Path, file: BinaryIO) -> _Head:
    """Return what the header of a file says, after validation."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length < 2 or length > LONGEST_HEADER:
        raise ValueError(f"{path}: not a safetensors file, as .fvec, .fvcounts and .fvmodel are")
    if length > size - 8:
        raise ValueError(f"{path}: truncated or not a safetensors file (the header is longer than the file)")
    try:
        header = json.loads(file.read(length).decode())
    except (ValueError, RecursionError):
        raise ValueError(f"{path}: not a safetensors file (the header is not JSON)") from None
    if not isinstance(header, dict):
        raise ValueError(f"{path}: not a safetensors file (the header is not a JSON object)")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError(f"{path}: corrupt header (the metadata are not strings)")
    places = {name: _place(path, name, entry, 8 + length) for name, entry in header.items()}
    _check_gapless(path, places, 8 + length, size)
    if metadata.keys().isdisjoint((OF_TENSORS, OF_HEADER)):
        return _Head(places, metadata, None)
    if metadata.pop(OF_HEADER, None) != _header_checksum(metadata, places):
        raise _damaged(path, "header")
    try:
        checksums = dict(json.loads(metadata.pop(OF_TENSORS)))
    except (KeyError, TypeError, ValueError, RecursionError):
        raise ValueError(f"{path}: corrupt header (no checksums of tensors)") from None
    return _Head(places, metadata, checksums)


def json_object(path: Path, what: str, text: str) -> dict[str, Any]:
    """Return the object in JSON that an entry of the metadata is; `what` is a plural for the error."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: the {what} are damaged ({error})") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path}: the {what} are damaged (not an object)")
    return found


def json_checksum(value: Any) -> str:
    """Return the CRC-32 of what JSON can say, which is the same in every layout."""
    return _digits(zlib.crc32(json.dumps(value, sort_keys=True).encode()))


def _header_checksum(metadata: Mapping[str, str], places: Mapping[str, _Place]) -> str:
    tensors = {name: (NAMES[place.dtype], place.shape) for name, place in places.items()}
    return json_checksum((metadata, tensors))


def _digits(checksum: int) -> str:
    return f"{checksum:08x}"


def _verify(path: Path, head: _Head, name: str, tensor: NDArray[Any]) -> None:
    """Raise ValueError if a tensor of a file differs from its checksum."""
    if head.checksums is not None:
        checksum = 0
        for block in blocks(tensor):
            checksum = zlib.crc32(block, checksum)
        if _digits(checksum) != head.checksums.get(name):
            raise _damaged(path, f"tensor {name!r}")


def _damaged(path: Path, what: str) -> ValueError:
    return ValueError(
        f"{path}: damaged (the {what} has another checksum than when it was written); "
        "replace the file by a copy, or make it anew"
    )


def _shaped(path: Path, name: str, place: _Place, tensor: NDArray[Any]) -> NDArray[Any]:
    try:
        return tensor.reshape(place.shape)
    except (ValueError, OverflowError):  # an empty tensor of dimensions that NumPy cannot hold
        raise ValueError(f"{path}: corrupt header (tensor {name!r} has an impossible shape)") from None


def _place(path: Path, name: str, entry: Any, start: int) -> _Place:
    """Return the place of a tensor as its header entry gives it, counted from `start`, after validation."""
    try:
        dtype_name, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    except (TypeError, KeyError, ValueError):
        raise ValueError(
            f"{path}: corrupt header (tensor {name!r} lacks dtype, shape or data_offsets)"
        ) from None
    if not isinstance(dtype_name, str) or dtype_name not in DTYPES:
        raise ValueError(f"{path}: tensor {name!r} has dtype {dtype_name!r}, which is not supported")
    dtype = np.dtype(DTYPES[dtype_name])
    if not isinstance(shape, list) or any(type(n) is not int or n < 0 for n in (*shape, begin, end)):
        raise ValueError(f"{path}: corrupt header (tensor {name!r} has an impossible shape or place)")
    if math.prod(shape) * dtype.itemsize != end - begin:
        raise ValueError(f"{path}: corrupt header (the shape of tensor {name!r} contradicts its place)")
    return _Place(dtype, tuple(shape), start + begin, start + end)


def _check_gapless(path: Path, places: Mapping[str, _Place], start: int, size: int) -> None:
    """Raise ValueError unless the tensors fill a file of `size` bytes from `start` on exactly."""
    expected = start
    for begin, end in sorted((place.begin, place.end) for place in places.values()):
        if begin != expected:
            raise ValueError(f"{path}: corrupt header (the tensors overlap or leave gaps)")
        expected = end
    if expected != size:
        what = "truncated" if expected > size else "corrupt"
        raise ValueError(
            f"{path}: {what} (the header promises {expected - start:,} bytes of tensors, "
            f"{size - start:,} are there)"
        )


def write_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]
) -> None:
    """Write a safetensors file atomically. The tensors may be memory-mapped: none is copied as a whole.

    Parameters
    ----------
    path : str or PathLike
        The file to make or to replace.
    tensors : mapping of str to ndarray
        Those of larger items come first in the file, so that all are aligned.
    metadata : mapping of str to str
        What goes into ``__metadata__``.

    Raises
    ------
    OSError
        If the file cannot be written; an existing `path` is then left as it was.
    """
    with hold(), replacing(path) as temporary, temporary.open("wb") as file:
        dump_tensors(file, tensors, metadata)


def dump_tensors(file: BinaryIO, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> None:
    """Write what `write_tensors` writes to an empty file that is open."""
    by_item_size = dict(sorted(tensors.items(), key=lambda named: -named[1].itemsize))
    checksums = dict.fromkeys(by_item_size, 0)
    file.write(_head(by_item_size, metadata, checksums))
    for name, tensor in by_item_size.items():
        for block in blocks(tensor):
            checksums[name] = zlib.crc32(block, checksums[name])
            file.write(block)
    file.seek(0)
    file.write(_head(by_item_size, metadata, checksums))  # of the same length


def _head(
    tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], checksums: Mapping[str, int]
) -> bytes:
    """Return the beginning of a file, with the length of the header."""
    places, begin = {}, 0
    for name, tensor in tensors.items():
        places[name] = _Place(tensor.dtype, tensor.shape, begin, begin + tensor.nbytes)
        begin += tensor.nbytes
    digits = {name: _digits(checksum) for name, checksum in checksums.items()}
    metadata = {**metadata, OF_TENSORS: json.dumps(digits)}
    header: dict[str, Any] = {"__metadata__": {**metadata, OF_HEADER: _header_checksum(metadata, places)}}
    for name, (dtype, shape, begin, end) in places.items():
        header[name] = {"dtype": NAMES[dtype], "shape": shape, "data_offsets": (begin, end)}
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def blocks(tensor: NDArray[Any]) -> Iterator[memoryview]:
    """Yield the bytes of an array, some rows at a time."""
    tensor = np.atleast_1d(tensor)
    at_once = rows_of_a_block(tensor)
    for begin in range(0, len(tensor), at_once):
        yield np.ascontiguousarray(tensor[begin : begin + at_once]).data


def rows_of_a_block(tensor: NDArray[Any]) -> int:
    """Return how many rows of an array `blocks` yields at a time."""
    return max(1, BLOCK_BYTES // max(1, tensor.nbytes // max(1, len(tensor))))
