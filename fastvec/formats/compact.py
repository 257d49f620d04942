"""Matrices in less memory than float32: bfloat16, and int8 with a scale for each row.

bfloat16 is the upper half of a float32: the same range, and eight bits of precision. A number is rounded to
the nearest one, of two that are equally near to the one whose last bit is 0.

int8 is a number from −127 to 127 times the scale of its row, which is the largest absolute value in it / 127.
What is lost is at most half a scale.

All that is computed is float32. Rows are converted when they are needed, by `Compact.astype`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["BFLOAT16", "COMPACT", "Compact", "compacted", "decoded"]

# NumPy has no bfloat16: its bits, under a name that tells them from other numbers of two bytes in files.
BFLOAT16 = np.dtype([("bfloat16", "<u2")])
COMPACT = ("bfloat16", "int8")
"""What a matrix can be kept as, beside float32."""

# What a row of int8 has at its largest absolute value.
LARGEST_CODE = 127
# The largest number of bfloat16, to which what is between it and the largest float32 is rounded.
LARGEST_BFLOAT16 = np.uint32(0x7F7F0000).view(np.float32)
# With a larger scale, the largest code would be beyond float32.
LARGEST_SCALE = np.nextafter(np.finfo(np.float32).max / np.float32(LARGEST_CODE), np.float32(0))
# Numbers that are converted together.
NUMBERS_AT_ONCE = 1 << 18


class Compact:
    """A matrix, or a row of one, that is kept in less memory, and indexed as an array.

    Parameters
    ----------
    codes : ndarray of uint16 or of int8, shape (n, d) or (d,)
        The upper halves of float32 numbers, or int8 numbers.
    scales : ndarray of float32, shape (n,) or (), optional
        What int8 numbers are multiplied by.
    """

    dtype = np.dtype(np.float32)  # of what its numbers are converted to, as of all that is computed

    def __init__(self, codes: NDArray[Any], scales: Any = None) -> None:
        self.codes, self.scales = codes, scales

    @property
    def kind(self) -> str:
        """What the numbers are kept as."""
        return "int8" if self.codes.dtype == np.int8 else "bfloat16"

    @property
    def ndim(self) -> int:
        """How many dimensions the array has."""
        return self.codes.ndim

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.codes.shape

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, key: Any) -> Compact:
        """Return some rows, or one, and with a tuple of some of their columns, as they are kept."""
        rows = key[0] if isinstance(key, tuple) else key
        return Compact(self.codes[key], None if self.scales is None else self.scales[rows])

    def astype(self, dtype: DTypeLike, order: str = "C", copy: bool = True) -> NDArray[Any]:
        """Return the numbers as a new array; `order` and `copy` are those of arrays, and change nothing."""
        if self.scales is None:
            wide = self.codes.astype(np.uint32)
            wide <<= 16
            return wide.view(np.float32).astype(dtype, copy=False)
        numbers = self.codes.astype(np.float32)
        numbers *= self.scales[..., np.newaxis]
        return numbers.astype(dtype, copy=False)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the numbers as a new array, of float32 unless another type is asked for."""
        return self.astype(self.dtype if dtype is None else dtype)

    def in_memory(self) -> Compact:
        """Return a copy that does not depend on a file that is mapped."""
        return Compact(np.array(self.codes), None if self.scales is None else np.array(self.scales))


def compacted(matrix: NDArray[Any] | Compact, kind: str) -> Compact:
    """Return a matrix of finite numbers, shape (n, d), as bfloat16 or int8; itself, if it is that already."""
    if isinstance(matrix, Compact) and matrix.kind == kind:
        return matrix
    n, d = matrix.shape
    if kind == "bfloat16":
        compact = Compact(np.empty((n, d), np.uint16))
    else:
        compact = Compact(np.empty((n, d), np.int8), np.empty(n, np.float32))
    at_once = max(1, NUMBERS_AT_ONCE // max(1, d))
    for begin in range(0, n, at_once):
        block = slice(begin, begin + at_once)
        rows = matrix[block].astype(np.float32)
        if compact.scales is None:
            compact.codes[block] = _upper_halves(rows)
        else:
            compact.codes[block], compact.scales[block] = _scaled(rows)
    return compact


def decoded(matrix: NDArray[Any] | Compact) -> NDArray[Any]:
    """Return a matrix as an array: itself if it is one, and else a new one of float32."""
    return matrix.astype(np.float32) if isinstance(matrix, Compact) else matrix


def _upper_halves(rows: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return the upper halves of float32 numbers, rounded."""
    bits: NDArray[np.uint32] = np.clip(rows, -LARGEST_BFLOAT16, LARGEST_BFLOAT16).view(np.uint32)
    bits += (bits >> np.uint32(16) & np.uint32(1)) + np.uint32(0x7FFF)
    bits >>= np.uint32(16)
    return bits


def _scaled(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return whole numbers from -127 to 127, and the scale of each row."""
    scales = np.minimum(np.abs(rows).max(axis=1) / np.float32(LARGEST_CODE), LARGEST_SCALE)
    divisors = np.where(scales > 0, scales, 1)[:, np.newaxis]
    return np.clip(np.rint(rows / divisors), -LARGEST_CODE, LARGEST_CODE), scales
