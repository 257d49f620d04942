"""The .fvec format: a safetensors file that holds vectors, words, counts and training parameters.

==========  ===============  ====================================================
tensor      type and shape   what it is
==========  ===============  ====================================================
vectors     float32 (n, d)   one row a word
words       uint8 (bytes,)   a JSON list of the n words, in UTF-8
counts      int64 (n,)       how often each word occurred; may be missing
==========  ===============  ====================================================

The metadata of the safetensors header are ``format`` ("fvec"), ``format_version`` ("1") and ``parameters``, a
JSON object. Other tensors may stand beside these; they are left alone.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._format_common import Contents

__all__ = ["pack", "read", "read_mapped", "unpack", "write"]

VERSION = 1


def write(
    path: Path,
    words: Sequence[str],
    vectors: NDArray[np.float32],
    counts: NDArray[np.int64] | None,
    metadata: Mapping[str, Any],
) -> None:
    """Write a new .fvec file."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    tensors, header = pack(words, np.ascontiguousarray(vectors, dtype=np.float32), counts, metadata)
    try:
        save_file(tensors, path, metadata=header)
    except SafetensorError as error:
        # safetensors tells the system's error only in its message; callers expect an OSError with its number.
        number = re.search(r"os error (\d+)", str(error))
        code = int(number[1]) if number else errno.EIO
        raise OSError(code, os.strerror(code)) from error


def pack(
    words: Sequence[str],
    vectors: NDArray[np.float32],
    counts: NDArray[np.int64] | None,
    metadata: Mapping[str, Any],
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return the tensors and the header of a .fvec file."""
    tensors: dict[str, NDArray[Any]] = {
        "vectors": vectors,
        "words": np.frombuffer(_json_of_words(words), dtype=np.uint8),
    }
    if counts is not None:
        tensors["counts"] = np.ascontiguousarray(counts, dtype=np.int64)
    header = {"format": "fvec", "format_version": str(VERSION), "parameters": _json_of_parameters(metadata)}
    return tensors, header


def read(path: Path, errors: str) -> Contents:
    """Read words, vectors, counts and metadata into memory."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            names = set(file.keys())
            tensors = {
                name: file.get_tensor(name) for name in ("vectors", "words", "counts") if name in names
            }
    except SafetensorError as error:
        raise ValueError(f"{path}: not a .fvec file, or cut off or damaged ({error})") from error
    return unpack(path, tensors, metadata, errors)


def read_mapped(path: Path, errors: str) -> Contents:
    """Read words, counts and metadata, and map the vectors, read-only."""
    from fastvec._mapped import map_tensors

    tensors, metadata = map_tensors(path)
    return unpack(path, tensors, metadata, errors)


def unpack(
    path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], errors: str
) -> Contents:
    """Return what the tensors and the header of a .fvec file say, checked."""
    if metadata.get("format") != "fvec" or not {"vectors", "words"} <= tensors.keys():
        raise ValueError(f"{path}: a safetensors file, but not one of vectors (.fvec)")
    if not metadata.get("format_version", "").isdecimal() or int(metadata["format_version"]) > VERSION:
        raise ValueError(
            f"{path}: written in version {metadata.get('format_version')!r} of .fvec; "
            f"this fastvec reads version {VERSION}, a newer one may read it"
        )
    vectors, counts = tensors["vectors"], tensors.get("counts")
    words = _words_of_json(path, tensors["words"], errors)
    if vectors.dtype != np.float32 or vectors.ndim != 2 or len(vectors) != len(words):
        raise ValueError(
            f"{path}: vectors must be float32 with a row for each of the {len(words):,} words, "
            f"got {vectors.dtype} of shape {vectors.shape}"
        )
    if counts is not None and (counts.dtype != np.int64 or counts.shape != (len(words),)):
        raise ValueError(
            f"{path}: counts must be int64, one for each of the {len(words):,} words, "
            f"got {counts.dtype} of shape {counts.shape}"
        )
    return Contents(words, vectors, counts, _parameters_of_json(path, metadata.get("parameters", "{}")))


def _json_of_words(words: Sequence[str]) -> bytes:
    try:
        return json.dumps(list(words), ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        word = next(word for word in words if re.search("[\ud800-\udfff]", word))
        raise ValueError(f"the word {word!r} has a lone surrogate and cannot be written in UTF-8") from error


def _words_of_json(path: Path, blob: NDArray[np.uint8], errors: str) -> list[str]:
    try:
        words = json.loads(blob.tobytes().decode(errors=errors))
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: byte {error.start + 1:,} of the list of words is not UTF-8; "
            "pass errors='replace' or 'ignore'"
        ) from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: the list of words is damaged ({error})") from error
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError(f"{path}: the list of words is damaged (not a list of strings)")
    return words


def _json_of_parameters(metadata: Mapping[str, Any]) -> str:
    try:
        return json.dumps(metadata)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"metadata must be a dict of what JSON can say, got {metadata!r} ({error})"
        ) from error


def _parameters_of_json(path: Path, text: str) -> dict[str, Any]:
    try:
        parameters = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: the training parameters are damaged ({error})") from error
    if not isinstance(parameters, dict):
        raise ValueError(f"{path}: the training parameters are damaged (not an object)")
    return parameters
