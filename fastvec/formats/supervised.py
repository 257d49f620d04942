r"""fastText's classifiers: ``.bin``, and ``.ftz`` with quantized matrices.

They begin as ``formats/fasttext.py`` says, with labels behind the words of the dictionary. A pruned model has
the pairs of a table behind that: int32, a bucket of n-grams that was kept, and its place among the rows of
n-grams. A matrix that is quantized has, in the place of its numbers:

====================  =====================================================================================
part                  what it is
====================  =====================================================================================
bool                  whether the lengths of rows are quantized apart
int64 [2], int32      rows, columns, and the number of codes
uint8                 codes: the centroid of each part of each row
int32 [4]             columns, parts, columns of a part, columns of the last part
float32               for each part 256 centroids
uint8                 codes of lengths, if they are apart; they follow with an int32 [4] and 256 centroids
====================  =====================================================================================
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec.formats.atomic import replacing
from fastvec.formats.common import open_bytes
from fastvec.formats.fasttext import (
    SHAPE,
    Header,
    Stream,
    read_header,
    write_header,
    write_matrix,
)
from fastvec.training.signals import hold

__all__ = ["CENTROIDS", "Matrix", "QuantizedMatrix", "SupervisedFile", "read", "write"]

CENTROIDS = 256
"""How many centroids each part of a row has: a code is a byte."""

N_CODES = struct.Struct("<i")
PARTS = struct.Struct("<4i")
FLOAT, CODE = np.dtype("<f4"), np.dtype("u1")


class QuantizedMatrix(NamedTuple):
    """A matrix whose rows are made of centroids.

    Attributes
    ----------
    codes : ndarray of uint8, shape (n, parts)
        The centroid of each part of each row.
    centroids : list of ndarray of float32, shape (256, columns of the part)
        The centroids of each part. All parts have the same number of columns, the last one perhaps fewer.
    length_codes : ndarray of uint8, shape (n,), or None
        The centroid of the length by which each row is multiplied, if lengths are apart.
    lengths : ndarray of float32, shape (256,), or None
        The centroids of lengths.
    """

    codes: NDArray[np.uint8]
    centroids: list[NDArray[np.float32]]
    length_codes: NDArray[np.uint8] | None = None
    lengths: NDArray[np.float32] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix."""
        return len(self.codes), sum(part.shape[1] for part in self.centroids)

    def rows(self, some: NDArray[np.intp] | slice = slice(None)) -> NDArray[np.float32]:
        """Return some rows of the matrix, or all."""
        codes = self.codes[some]
        parts = [part[codes[:, i]] for i, part in enumerate(self.centroids)]
        rows: NDArray[np.float32] = np.concatenate(parts, axis=1)
        if self.length_codes is not None and self.lengths is not None:
            rows *= self.lengths[self.length_codes[some]][:, np.newaxis]
        return rows


Matrix = NDArray[np.float32] | QuantizedMatrix
"""A matrix of either kind."""


class SupervisedFile(NamedTuple):
    """The contents of a file.

    Attributes
    ----------
    header : Header
        The dictionary and the parameters.
    input_vectors : Matrix
        The rows of the words, followed by those of the n-grams.
    output_vectors : Matrix
        The rows of the labels.
    """

    header: Header
    input_vectors: Matrix
    output_vectors: Matrix


def read(path: str | os.PathLike[str]) -> SupervisedFile:
    """Read a classifier.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        When it is not a classifier of fastText, is truncated or damaged.
    """
    path = Path(path)
    with open_bytes(path) as file:
        return _parse(path, Stream(path, file))


def _parse(path: Path, stream: Stream) -> SupervisedFile:
    header = read_header(path, stream)
    model, d = header.parameters["model"], header.parameters["vector_size"]
    if model != "supervised":
        raise ValueError(
            f"{path} holds vectors of fastText ({model}), no classifier: fastvec.load reads them"
        )
    longest, n_buckets, kept = header.word_ngrams, header.n_buckets, header.kept_buckets
    if not header.labels or longest > 100 or n_buckets < 0 or (longest > 1 and n_buckets == 0):
        raise ValueError(
            f"{path}: the header is damaged ({len(header.labels):,} labels, wordNgrams {longest:,}, bucket "
            f"{n_buckets:,})"
        )
    if kept is not None:
        n_buckets = len(kept)
        places = np.sort(kept[:, 1])
        buckets = np.unique(kept[:, 0])
        if (
            len(buckets) != n_buckets
            or (buckets[:1] < 0).any()
            or (buckets[-1:] >= max(1, header.n_buckets)).any()
            or (places != np.arange(n_buckets)).any()
        ):
            raise ValueError(f"{path}: the table of the buckets that are kept is damaged")
    is_quantized = _flag(path, stream, "input matrix")
    if kept is not None and not is_quantized:
        raise ValueError(f"{path}: a pruned model whose input matrix is not quantized; the file is damaged")
    input_vectors = _matrix(path, stream, len(header.words) + n_buckets, d, "input matrix", is_quantized)
    is_quantized = _flag(path, stream, "output matrix") and is_quantized
    output_vectors = _matrix(path, stream, len(header.labels), d, "output matrix", is_quantized)
    stream.finish()
    return SupervisedFile(header, input_vectors, output_vectors)


def _flag(path: Path, stream: Stream, part: str) -> bool:
    value = stream.take(1, part)
    if value not in (b"\0", b"\1"):
        raise ValueError(f"{path}: the {part} begins with {value!r}; the file is damaged")
    return value == b"\1"


def _matrix(path: Path, stream: Stream, n: int, d: int, part: str, is_quantized: bool) -> Matrix:
    if not is_quantized:
        matrix = stream.matrix(n, d, part, keep=True)
        assert matrix is not None
        if not np.isfinite(matrix).all():
            raise ValueError(f"{path}: the {part} must be finite")
        return matrix
    has_lengths = _flag(path, stream, part)
    shape = SHAPE.unpack(stream.take(SHAPE.size, part))
    if shape != (n, d):
        raise ValueError(
            f"{path}: the {part} must have the shape {(n, d)} after the header, got {shape}; the file is "
            "damaged"
        )
    (n_codes,) = N_CODES.unpack(stream.take(N_CODES.size, part))
    n_parts = n_codes // n if n else 0
    if not 1 <= n_parts <= d or n_codes != n * n_parts:
        raise ValueError(f"{path}: the {part} has {n_codes:,} codes for {n:,} rows; the file is damaged")
    codes = stream.array((n, n_parts), CODE, part, f"{n_codes:,} codes of the {part}")
    centroids = _centroids(path, stream, d, n_parts, part)
    if not has_lengths:
        return QuantizedMatrix(codes, centroids)
    length_codes = stream.array((n,), CODE, part, f"{n:,} codes of lengths of the {part}")
    return QuantizedMatrix(codes, centroids, length_codes, _centroids(path, stream, 1, 1, part)[0][:, 0])


def _centroids(path: Path, stream: Stream, d: int, n_parts: int, part: str) -> list[NDArray[np.float32]]:
    sizes = PARTS.unpack(stream.take(PARTS.size, part))
    width = sizes[2]
    if width < 1 or sizes != (d, -(-d // width), width, d - (n_parts - 1) * width) or sizes[1] != n_parts:
        raise ValueError(f"{path}: the parts of the {part}, {sizes}, contradict its shape; it is damaged")
    flat = stream.array((CENTROIDS * d,), FLOAT, part, f"centroids of the {part}")
    if not np.isfinite(flat).all():
        raise ValueError(f"{path}: the centroids of the {part} must be finite")
    flat = flat.astype(np.float32, copy=False)
    widths = [width] * (n_parts - 1) + [sizes[3]]
    ends = CENTROIDS * np.cumsum(widths)
    return [
        of_part.reshape(CENTROIDS, columns)
        for of_part, columns in zip(np.split(flat, ends[:-1]), widths, strict=True)
    ]


def write(path: str | os.PathLike[str], contents: SupervisedFile) -> None:
    """Write a classifier; if anything fails, an existing file is left untouched.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with hold(), replacing(path) as temporary, temporary.open("wb") as file:
        write_header(file, contents.header, contents.input_vectors.shape[1])
        for matrix in contents[1:]:
            if isinstance(matrix, QuantizedMatrix):
                _write_quantized(file, matrix)
            else:
                write_matrix(file, matrix)


def _write_quantized(file: BinaryIO, matrix: QuantizedMatrix) -> None:
    has_lengths = matrix.length_codes is not None
    file.write(b"\1" + bytes([has_lengths]) + SHAPE.pack(*matrix.shape) + N_CODES.pack(matrix.codes.size))
    file.write(np.ascontiguousarray(matrix.codes, CODE).data)
    _write_centroids(file, matrix.centroids)
    if matrix.length_codes is not None and matrix.lengths is not None:
        file.write(np.ascontiguousarray(matrix.length_codes, CODE).data)
        _write_centroids(file, [matrix.lengths[:, np.newaxis]])


def _write_centroids(file: BinaryIO, centroids: list[NDArray[np.float32]]) -> None:
    widths = [part.shape[1] for part in centroids]
    file.write(PARTS.pack(sum(widths), len(widths), widths[0], widths[-1]))
    for part in centroids:
        file.write(np.ascontiguousarray(part, FLOAT).data)
