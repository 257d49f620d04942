"""Safetensors files larger than memory: mapped when read, streamed when written.

The layout (https://huggingface.co/docs/safetensors): the length of the header as a little-endian uint64, the
header as JSON, which gives every tensor its dtype, shape and place, and the tensors without gaps. The
``safetensors`` package reads what is written here, and this module maps what that package writes.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._atomic import replacing
from fastvec._signals import hold

__all__ = ["map_tensors", "write_tensors"]

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
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
# Bytes of rows that are made contiguous at a time.
BLOCK = 1 << 24


def map_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Map the tensors of a safetensors file, read-only, without reading them.

    Every length in the header is checked against the size of the file before it is used.

    Parameters
    ----------
    path : str or PathLike
        The file.

    Returns
    -------
    tensors : dict of str to ndarray
        A read-only `numpy.memmap` each; a copy where the file does not align the tensor to its dtype.
    metadata : dict of str to str
        The ``__metadata__`` of the header, empty when there is none.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is not a safetensors file, or is truncated or corrupt; the sentence begins with the path.
    """
    path = Path(path)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length < 2 or length > LONGEST_HEADER:
            raise ValueError(f"{path}: not a safetensors file")
        if length > size - 8:
            raise ValueError(
                f"{path}: truncated or not a safetensors file (the header is longer than the file)"
            )
        text = file.read(length)
        try:
            header = json.loads(text.decode())
        except (ValueError, RecursionError):
            raise ValueError(f"{path}: not a safetensors file (the header is not JSON)") from None
        if not isinstance(header, dict):
            raise ValueError(f"{path}: not a safetensors file (the header is not a JSON object)")
        metadata = header.pop("__metadata__", {})
        if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
            raise ValueError(f"{path}: corrupt header (the metadata are not strings)")
        places = {name: _place(path, name, entry) for name, entry in header.items()}
        _check_gapless(path, places, size - 8 - length)
        whole = np.memmap(file, np.uint8, "r")

    tensors = {}
    for name, (dtype, shape, begin, end) in places.items():
        tensor = whole[8 + length + begin : 8 + length + end]
        if (8 + length + begin) % dtype.itemsize:
            tensor = np.array(tensor)
            tensor.flags.writeable = False
        try:
            tensors[name] = tensor.view(dtype).reshape(shape)
        except (ValueError, OverflowError):  # an empty tensor of dimensions that NumPy cannot hold
            raise ValueError(f"{path}: corrupt header (tensor {name!r} has an impossible shape)") from None
    return tensors, metadata


def _place(path: Path, name: str, entry: Any) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    """Return the dtype, shape, first and last byte of a tensor as its header entry gives them, checked."""
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
    return dtype, tuple(shape), begin, end


def _check_gapless(path: Path, places: Mapping[str, tuple[Any, Any, int, int]], size: int) -> None:
    """Raise ValueError unless the tensors fill the `size` bytes after the header exactly."""
    expected = 0
    for begin, end in sorted((begin, end) for _, _, begin, end in places.values()):
        if begin != expected:
            raise ValueError(f"{path}: corrupt header (the tensors overlap or leave gaps)")
        expected = end
    if expected > size:
        raise ValueError(
            f"{path}: truncated (the header promises {expected:,} bytes of tensors, {size:,} are there)"
        )
    if expected < size:
        raise ValueError(
            f"{path}: corrupt (the header promises {expected:,} bytes of tensors, {size:,} are there)"
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
    by_item_size = sorted(tensors.items(), key=lambda named: -named[1].itemsize)
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    begin = 0
    for name, tensor in by_item_size:
        end = begin + tensor.nbytes
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": tensor.shape, "data_offsets": (begin, end)}
        begin = end
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    with hold(), replacing(path) as temporary, temporary.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, tensor in by_item_size:
            at_once = max(1, BLOCK // max(1, tensor[:1].nbytes))
            for begin in range(0, len(tensor), at_once):
                file.write(np.ascontiguousarray(tensor[begin : begin + at_once]).data)
