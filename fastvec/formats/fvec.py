"""The .fvec format: a safetensors file that holds vectors, words, counts and training parameters.

==========  ===============  ====================================================
tensor      type and shape   what it is
==========  ===============  ====================================================
vectors     float32 (n, d)   one row a word; or bfloat16 or int8
words       uint8 (bytes,)   a JSON list of the n words, in UTF-8
counts      int64 (n,)       how often each word occurred; may be missing
==========  ===============  ====================================================

Of int8, ``vectors_scales``, float32 (n,), has what each row is multiplied by; `compact.py` says more.

The metadata of the safetensors header are ``format`` ("fvec"), ``format_version`` ("1") and ``parameters``, a
JSON object. Where words have n-grams, there are also ``subwords``, a JSON object of ``min_n``, ``max_n`` and
``buckets``, and a tensor ``input_vectors``, float32 (n + buckets, d): the rows whose means the vectors are.
With ``hash_count`` in that object, the n-grams are those of floret, and the tensor is float32 (buckets, d).
It is bfloat16 or int8, with ``input_vectors_scales``, if the vectors are. Other tensors may be present; they
are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.formats.common import Contents, keep_rows
from fastvec.formats.compact import BFLOAT16, Compact, decoded
from fastvec.formats.container import (
    check_format,
    dump_tensors,
    json_object,
    map_tensors,
    read_tensors,
)
from fastvec.formats.finite import is_mapped
from fastvec.formats.kinds import OWN, own_format
from fastvec.formats.ngrams import Subwords
from fastvec.formats.wanted import Wanted
from fastvec.formats.words import decode_words, json_of_words, words_of_json

__all__ = ["begins", "pack", "read", "read_mapped", "unpack", "write"]

FORMAT = "fvec"
VERSION = 1

# What of the tensors is of vectors; files of whole models have others.
TENSORS = ("vectors", "words", "counts", "input_vectors", "vectors_scales", "input_vectors_scales")
# What follows the name of a matrix in that of its scales.
SCALES = "_scales"


def begins(head: bytes) -> bool:
    """Return whether a file that begins so is one of safetensors, and not known to be of another kind."""
    own = own_format(head)
    return own == FORMAT or (own is not None and own not in OWN)


def write(path: Path, contents: Contents) -> None:
    """Write a new .fvec file."""
    with path.open("wb") as file:
        dump_tensors(file, *pack(contents))


def pack(contents: Contents) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return the tensors and the metadata of a .fvec file."""
    tensors: dict[str, NDArray[Any]] = {
        **_tensors_of("vectors", contents.vectors),
        "words": json_of_words(contents.words, "strict"),
    }
    header = {
        "format": FORMAT,
        "format_version": str(VERSION),
        "parameters": _json_of_parameters(contents.metadata or {}),
    }
    if contents.counts is not None:
        tensors["counts"] = np.asarray(contents.counts, dtype=np.int64)
    if contents.subwords is not None:
        tensors |= _tensors_of("input_vectors", contents.input_vectors)
        header["subwords"] = json.dumps(
            {name: int(value) for name, value in asdict(contents.subwords).items() if value is not None}
        )
    return tensors, header


def _tensors_of(name: str, matrix: Any) -> dict[str, NDArray[Any]]:
    """Return the tensors of a matrix, by their names."""
    if not isinstance(matrix, Compact):
        return {name: np.asarray(matrix, dtype=np.float32)}
    if matrix.scales is None:
        return {name: matrix.codes.view(BFLOAT16)}
    return {name: matrix.codes, f"{name}{SCALES}": matrix.scales}


def read(path: Path, wanted: Wanted) -> Contents:
    """Read what is wanted into memory; matrices are verified unless only some of their rows are wanted."""
    if wanted.everything and wanted.dtype == np.float32:
        tensors, metadata = read_tensors(path, TENSORS)
        contents = unpack(path, tensors, metadata, wanted.errors)
        return contents if wanted.compact else _decoded(contents)
    tensors, metadata = map_tensors(path, TENSORS if wanted.everything else ("words", "counts"))
    with np.errstate(over="ignore"):  # what is beyond float16 is infinite there
        contents = _first(unpack(path, tensors, metadata, wanted.errors), wanted)
        inputs, counts = contents.input_vectors, contents.counts
        return contents._replace(
            vectors=_in_memory(contents.vectors, wanted),
            counts=None if counts is None else np.array(counts),
            input_vectors=None if inputs is None else _in_memory(inputs, wanted),
        )


def read_mapped(path: Path, wanted: Wanted) -> Contents:
    """Read words, counts and metadata, and map the matrices, read-only and without verification."""
    tensors, metadata = map_tensors(path, ("words", "counts"))
    contents = _first(unpack(path, tensors, metadata, wanted.errors), wanted)
    if isinstance(contents.vectors, Compact) and not wanted.compact:
        raise ValueError(
            f"dtype='float32' needs mmap=False for {path}: it converts the matrices, which are "
            f"{contents.vectors.kind}"
        )
    return contents


def _in_memory(matrix: Any, wanted: Wanted) -> Any:
    """Return a matrix of the type that is wanted and not mapped: itself, if it is such a one."""
    if isinstance(matrix, Compact) and wanted.compact:
        return matrix.in_memory() if is_mapped(matrix) else matrix
    return matrix.astype(wanted.dtype, copy=is_mapped(matrix))


def _first(contents: Contents, wanted: Wanted) -> Contents:
    """Return the contents of the rows that are wanted."""
    n = wanted.first(len(contents.words))
    if wanted.words is not None:
        rows = [row for row, word in enumerate(contents.words[:n]) if str(word) in wanted.words]
        words, kept = [contents.words[row] for row in rows], np.array(rows, np.intp)
        return keep_rows(contents, words, kept, wanted.dtype)
    if n == len(contents.words):
        return contents
    return keep_rows(contents, contents.words[:n], slice(n), wanted.dtype)


def unpack(
    path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], errors: str
) -> Contents:
    """Return the contents of the tensors and metadata of a .fvec file, after validation."""
    check_format(path, metadata, FORMAT, VERSION)
    if not {"vectors", "words"} <= tensors.keys():
        raise ValueError(f"{path}: a safetensors file, but not a file of vectors (.fvec)")
    vectors, counts = _matrix_of(path, tensors, "vectors"), tensors.get("counts")
    words = _words_of_json(path, tensors["words"], errors)
    if vectors.ndim != 2 or len(vectors) != len(words):
        raise ValueError(
            f"{path}: vectors must have a row for each of the {len(words):,} words, "
            f"got the shape {vectors.shape}"
        )
    if counts is not None and (counts.dtype != np.int64 or counts.shape != (len(words),)):
        raise ValueError(
            f"{path}: counts must be int64, one for each of the {len(words):,} words, "
            f"got {counts.dtype} of shape {counts.shape}"
        )
    parameters = json_object(path, "training parameters", metadata.get("parameters", "{}"))
    contents = Contents(words, vectors, counts, parameters)
    if "subwords" in metadata:
        subwords = _subwords_of_json(path, metadata["subwords"])
        shape = (subwords.n_rows(len(words)), vectors.shape[1])
        rows = _matrix_of(path, tensors, "input_vectors") if "input_vectors" in tensors else None
        if rows is None or rows.shape != shape:
            got = "none" if rows is None else f"the shape {rows.shape}"
            raise ValueError(f"{path}: input_vectors must have the shape {shape}, got {got}")
        contents = contents._replace(input_vectors=rows, subwords=subwords)
    return _repaired(path, contents, errors) if errors != "strict" else contents


def _matrix_of(path: Path, tensors: Mapping[str, NDArray[Any]], name: str) -> Any:
    """Return a matrix of a file, an array of float32 or compact."""
    numbers, scales = tensors[name], tensors.get(f"{name}{SCALES}")
    if numbers.dtype == np.float32:
        return numbers
    if numbers.dtype == BFLOAT16:
        return Compact(numbers.view(np.uint16))
    if numbers.dtype != np.int8:
        raise ValueError(f"{path}: {name} must be float32, bfloat16 or int8, got {numbers.dtype}")
    if scales is None or scales.dtype != np.float32 or scales.shape != numbers.shape[:1]:
        got = "none" if scales is None else f"{scales.dtype} of shape {scales.shape}"
        raise ValueError(f"{path}: {name}{SCALES} must be float32, one for each row of {name}, got {got}")
    return Compact(numbers, scales)


def _decoded(contents: Contents) -> Contents:
    """Return contents with arrays in the place of matrices that are compact."""
    inputs = contents.input_vectors
    return contents._replace(
        vectors=decoded(contents.vectors), input_vectors=None if inputs is None else decoded(inputs)
    )


def _repaired(path: Path, contents: Contents, errors: str) -> Contents:
    """Return contents whose words have their invalid bytes as lone surrogates with other words instead."""
    n = len(contents.words)
    with suppress(UnicodeEncodeError):
        "".join(map(str, contents.words)).encode()
        return contents
    try:
        names = [word.encode(errors="surrogateescape") for word in contents.words]
    except UnicodeEncodeError as error:
        raise ValueError(f"{path}: the list of words is damaged ({error})") from None
    words, kept = decode_words(path, names, errors, lambda row: f"{path}, word {row + 1:,} of {n:,}")
    return keep_rows(contents, words, kept)


def _words_of_json(path: Path, tensor: NDArray[np.uint8], errors: str) -> list[Any]:
    try:
        return words_of_json(tensor, "strict" if errors == "strict" else "surrogateescape")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: byte {error.start + 1:,} of the list of words is not UTF-8; "
            "errors='replace' reads it all the same"
        ) from error
    except ValueError as error:
        raise ValueError(f"{path}: the list of words is damaged ({error})") from error


def _json_of_parameters(metadata: Mapping[str, Any]) -> str:
    try:
        return json.dumps(metadata)
    except (TypeError, ValueError) as error:
        raise TypeError(f"metadata must be a dict of JSON types, got {metadata!r} ({error})") from error


def _subwords_of_json(path: Path, text: str) -> Subwords:
    parts = json_object(path, "n-grams", text)
    try:
        return Subwords(**parts)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: the n-grams are damaged ({error})") from error
