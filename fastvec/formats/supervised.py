r"""fastText's classifiers: ``.bin``, and ``.ftz`` with quantized matrices.

They begin as ``formats/fasttext.py`` says, with labels behind the words of the dictionary. A pruned model has
the pairs of a table behind that: int32, a bucket of n-grams that was kept, and its place among the rows of
n-grams. A matrix that is quantized has, in the place of its numbers:

====================  =====================================================================================
part                  what it is
====================  =====================================================================================
bool                  whether the norms of rows are quantized apart
int64 [2], int32      rows, columns, and the number of codes
uint8                 codes: the centroid of each subvector of each row
int32 [4]             columns, subvectors, columns of one, columns of the last one
float32               for each subvector 256 centroids
uint8                 codes of norms, if they are apart; they are followed by int32 [4] and 256 centroids
====================  =====================================================================================
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec.formats import fasttext
from fastvec.formats.atomic import replacing
from fastvec.formats.common import BLOCK_BYTES, open_bytes
from fastvec.formats.fasttext import (
    SHAPE,
    Header,
    Stream,
    read_header,
    write_header,
    write_matrix,
)
from fastvec.training.signals import hold

__all__ = ["CENTROIDS", "Matrix", "QuantizedMatrix", "SupervisedFile", "begins", "read", "write"]

CENTROIDS = 256
"""How many centroids each subvector has: a code is a byte."""

N_CODES = struct.Struct("<i")
SIZES = struct.Struct("<4i")
FLOAT, CODE = np.dtype("<f4"), np.dtype("u1")


class QuantizedMatrix(NamedTuple):
    """A matrix whose rows are made of centroids.

    Attributes
    ----------
    codes : ndarray of uint8, shape (n, m)
        The centroid of each of the m subvectors of each row.
    centroids : list of ndarray of float32, shape (256, columns of the subvector)
        The centroids of each subvector. All have the same number of columns, the last one perhaps fewer.
    norm_codes : ndarray of uint8, shape (n,), or None
        The centroid of the norm by which each row is multiplied, if norms are apart.
    norms : ndarray of float32, shape (256,), or None
        The centroids of norms.
    """

    codes: NDArray[np.uint8]
    centroids: list[NDArray[np.float32]]
    norm_codes: NDArray[np.uint8] | None = None
    norms: NDArray[np.float32] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix."""
        return len(self.codes), sum(of_one.shape[1] for of_one in self.centroids)

    def take(self, rows: NDArray[np.intp]) -> QuantizedMatrix:
        """Return a matrix of some rows."""
        norm_codes = None if self.norm_codes is None else self.norm_codes[rows]
        return self._replace(codes=self.codes[rows], norm_codes=norm_codes)

    def rows(self, some: NDArray[np.intp] | slice = slice(None)) -> NDArray[np.float32]:
        """Return some rows of the matrix, or all."""
        codes = self.codes[some]
        subvectors = [centroids[codes[:, i]] for i, centroids in enumerate(self.centroids)]
        rows: NDArray[np.float32] = np.concatenate(subvectors, axis=1)
        if self.norm_codes is not None and self.norms is not None:
            rows *= self.norms[self.norm_codes[some]][:, np.newaxis]
        return rows


Matrix = NDArray[np.float32] | QuantizedMatrix
"""A matrix of either kind."""


class SupervisedFile(NamedTuple):
    """The contents of a file.

    n-grams of a pruned model are in the rising order of their buckets.

    Attributes
    ----------
    header : Header
        The dictionary and the parameters.
    input_vectors : Matrix
        The rows of the words, followed by those of the n-grams. If it is not quantized, buckets without a row
        are written with one of zeros.
    output_vectors : Matrix
        The rows of the labels.
    """

    header: Header
    input_vectors: Matrix
    output_vectors: Matrix


def begins(head: bytes) -> bool:
    """Return whether a file that begins so is a classifier of fastText's."""
    return fasttext.begins(head) and fasttext.model_of(head) == "supervised"


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
        buckets, places = kept[kept[:, 0].argsort(kind="stable")].T
        rising = (np.diff(buckets, prepend=-1, append=header.n_buckets) > 0).all()
        if not rising or (np.sort(places) != np.arange(n_buckets)).any():
            raise ValueError(f"{path}: the table of the buckets that are kept is damaged")
    is_quantized = header.version > 0 and _flag(path, stream, "input matrix")
    if kept is not None and not is_quantized:
        raise ValueError(f"{path}: a pruned model whose input matrix is not quantized; the file is damaged")
    input_vectors = _matrix(path, stream, len(header.words) + n_buckets, d, "input matrix", is_quantized)
    is_quantized = header.version > 0 and _flag(path, stream, "output matrix") and is_quantized
    output_vectors = _matrix(path, stream, len(header.labels), d, "output matrix", is_quantized)
    stream.finish()
    if kept is not None and isinstance(input_vectors, QuantizedMatrix):
        n_words = len(header.words)
        rows = np.append(np.arange(n_words), n_words + places)
        input_vectors = input_vectors.take(rows)
        header = header._replace(kept_buckets=buckets)
    return SupervisedFile(header, input_vectors, output_vectors)


def _flag(path: Path, stream: Stream, part: str) -> bool:
    value = stream.take(1, part)
    if value not in (b"\0", b"\1"):
        raise ValueError(f"{path}: the {part} begins with {value!r}; the file is damaged")
    return value == b"\1"


def _matrix(path: Path, stream: Stream, n: int, d: int, part: str, is_quantized: bool) -> Matrix:
    if not is_quantized:
        stream.shape_of_numbers(n, d, part)
        matrix = stream.matrix(np.ones(n, np.bool_), d, part)
        if not np.isfinite(matrix).all():
            raise ValueError(f"{path}: the {part} must be finite")
        return matrix
    has_norms = _flag(path, stream, part)
    stream.shape(n, d, part)
    (n_codes,) = N_CODES.unpack(stream.take(N_CODES.size, part))
    n_subvectors = n_codes // n if n else 0
    if not 1 <= n_subvectors <= d or n_codes != n * n_subvectors:
        raise ValueError(f"{path}: the {part} has {n_codes:,} codes for {n:,} rows; the file is damaged")
    codes = stream.array((n, n_subvectors), CODE, part, f"{n_codes:,} codes of the {part}")
    centroids = _centroids(path, stream, d, n_subvectors, part)
    if not has_norms:
        return QuantizedMatrix(codes, centroids)
    norm_codes = stream.array((n,), CODE, part, f"{n:,} codes of norms of the {part}")
    return QuantizedMatrix(codes, centroids, norm_codes, _centroids(path, stream, 1, 1, part)[0][:, 0])


def _centroids(path: Path, stream: Stream, d: int, n_subvectors: int, part: str) -> list[NDArray[np.float32]]:
    sizes = SIZES.unpack(stream.take(SIZES.size, part))
    width = sizes[2]
    if (
        width < 1
        or sizes != (d, -(-d // width), width, d - (n_subvectors - 1) * width)
        or sizes[1] != n_subvectors
    ):
        raise ValueError(
            f"{path}: the subvectors of the {part}, {sizes}, contradict its shape; the file is damaged"
        )
    flat = stream.array((CENTROIDS * d,), FLOAT, part, f"centroids of the {part}")
    if not np.isfinite(flat).all():
        raise ValueError(f"{path}: the centroids of the {part} must be finite")
    flat = flat.astype(np.float32, copy=False)
    widths = [width] * (n_subvectors - 1) + [sizes[3]]
    ends = CENTROIDS * np.cumsum(widths)
    return [
        of_one.reshape(CENTROIDS, columns)
        for of_one, columns in zip(np.split(flat, ends[:-1]), widths, strict=True)
    ]


def write(path: str | os.PathLike[str], contents: SupervisedFile) -> None:
    """Write a classifier; if anything fails, an existing file is left untouched.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    header, input_vectors, output_vectors = contents
    kept, d = header.kept_buckets, input_vectors.shape[1]
    with hold(), replacing(path) as temporary, temporary.open("wb") as file:
        if isinstance(input_vectors, QuantizedMatrix):
            write_header(file, header, d)
            _write_quantized(file, input_vectors)
        elif kept is None:
            write_header(file, header, d)
            write_matrix(file, input_vectors)
        else:
            write_header(file, header._replace(kept_buckets=None), d)
            _write_with_zeros(file, input_vectors, len(header.words), kept, header.n_buckets)
        if isinstance(output_vectors, QuantizedMatrix):
            _write_quantized(file, output_vectors)
        else:
            write_matrix(file, output_vectors)


def _write_with_zeros(
    file: BinaryIO, matrix: NDArray[np.float32], n_words: int, kept: NDArray[np.int32], n_buckets: int
) -> None:
    """Write a matrix with rows of some buckets as one with rows of all: those of the others are zeros."""
    d = matrix.shape[1]
    file.write(b"\0" + SHAPE.pack(n_words + n_buckets, d))
    file.write(np.ascontiguousarray(matrix[:n_words], FLOAT).data)
    at_once = max(1, BLOCK_BYTES // (4 * d))
    for begin in range(0, n_buckets, at_once):
        first, last = np.searchsorted(kept, [begin, begin + at_once])
        rows = np.zeros((min(at_once, n_buckets - begin), d), FLOAT)
        rows[kept[first:last] - begin] = matrix[n_words + first : n_words + last]
        file.write(rows.data)


def _write_quantized(file: BinaryIO, matrix: QuantizedMatrix) -> None:
    has_norms = matrix.norm_codes is not None
    file.write(b"\1" + bytes([has_norms]) + SHAPE.pack(*matrix.shape) + N_CODES.pack(matrix.codes.size))
    file.write(np.ascontiguousarray(matrix.codes, CODE).data)
    _write_centroids(file, matrix.centroids)
    if matrix.norm_codes is not None and matrix.norms is not None:
        file.write(np.ascontiguousarray(matrix.norm_codes, CODE).data)
        _write_centroids(file, [matrix.norms[:, np.newaxis]])


def _write_centroids(file: BinaryIO, centroids: list[NDArray[np.float32]]) -> None:
    widths = [of_one.shape[1] for of_one in centroids]
    file.write(SIZES.pack(sum(widths), len(widths), widths[0], widths[-1]))
    for of_one in centroids:
        file.write(np.ascontiguousarray(of_one, FLOAT).data)
