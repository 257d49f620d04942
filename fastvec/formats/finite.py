"""Rows of matrices that are not finite: one NaN would reach every word that is compared with it."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastvec.formats.compact import Compact

__all__ = [
    "as_float32",
    "as_floats",
    "check_finite",
    "check_lengths",
    "is_mapped",
    "not_finite",
    "read_only",
    "rows_not_finite",
]

# Numbers that are looked at together: few enough for the processor's cache.
NUMBERS_AT_ONCE = 1 << 18


def rows_not_finite(matrix: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the rows of a matrix, shape (n, d), that have a NaN or an infinity in them.

    A sum is finite where all its terms are, unless it overflows: only where it is not are they looked at.
    """
    found = [np.empty(0, np.intp)]
    at_once = max(1, NUMBERS_AT_ONCE // max(1, matrix.shape[1]))
    with np.errstate(over="ignore", invalid="ignore"):
        for begin in range(0, len(matrix), at_once):
            rows = np.asarray(matrix[begin : begin + at_once])
            if not np.isfinite(rows.sum(dtype=np.float32)):
                found.append(begin + np.flatnonzero(~np.isfinite(rows).all(axis=1)))
    return np.concatenate(found)


def as_float32(numbers: ArrayLike) -> NDArray[np.float32]:
    """Return an array of float32; what is beyond its range is infinite there, and what is masked is NaN."""
    with np.errstate(over="ignore"):
        if isinstance(numbers, np.ma.MaskedArray):
            return np.ma.filled(numbers.astype(np.float32), np.nan)
        return np.asarray(numbers, dtype=np.float32)


def as_floats(numbers: ArrayLike) -> NDArray[np.float32]:
    """Return an array of float16 as it is, as what is compact, and others as `as_float32`.

    All that is computed of vectors is computed in float32, and their type is called that.
    """
    if isinstance(numbers, Compact):
        return cast("NDArray[np.float32]", numbers)
    is_half = type(numbers) in (np.ndarray, np.memmap) and numbers.dtype == np.float16  # type: ignore[union-attr]
    return cast("NDArray[np.float32]", numbers) if is_half else as_float32(numbers)


def check_finite(name: str, matrix: NDArray[np.float32], of: str, words: Sequence[str] = ()) -> None:
    """Raise ValueError if a row of a matrix is not finite, unless that is memory-mapped."""
    if not is_mapped(matrix):
        for row in rows_not_finite(matrix):
            raise not_finite(name, matrix, int(row), of, words)


def read_only(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a view of an array that cannot be written to; what is compact is returned as it is."""
    if isinstance(matrix, Compact):
        return matrix
    view: NDArray[np.float32] = matrix.view()
    view.flags.writeable = False
    return view


def check_lengths(name: str, norms: NDArray[np.float64]) -> None:
    """Raise ValueError if a vector, shape (n,) of lengths, is so long that its cosines overflow."""
    if norms.max(initial=0) > np.finfo(np.float32).max:
        row = int(norms.argmax())
        raise ValueError(f"{name} must have lengths within float32, got {norms[row]:.3g} in row {row + 1:,}")


def not_finite(
    name: str, matrix: NDArray[np.float32], row: int, of: str, words: Sequence[str] = ()
) -> ValueError:
    """Return the error for a row of a matrix, which is of one of the `words` if there are so many."""
    numbers = np.asarray(matrix[row])
    column = int(np.argmin(np.isfinite(numbers)))
    word = f", {words[row]!r}" if row < len(words) else ""
    return ValueError(
        f"{name} must be finite numbers of {matrix.dtype}, got {numbers[column]} in dimension "
        f"{column + 1:,} of {of} {row + 1:,}{word}"
    )


def is_mapped(array: NDArray[Any] | Compact) -> bool:
    """Return whether an array, or what is compact, is a view of a memory-mapped file."""
    base: Any = array.codes if isinstance(array, Compact) else array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base, mmap.mmap)
