"""An index of USearch: the nearest words, found approximately."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from fastvec.exports import library
from fastvec.formats.atomic import replacing
from fastvec.formats.common import Contents
from fastvec.training.signals import hold

__all__ = ["to_usearch"]

ROWS_AT_ONCE = 1 << 16


def to_usearch(contents: Contents, path: str | os.PathLike[str]) -> Any:
    """Write an index of the rows by cosine, whose keys are their numbers, and return it."""
    usearch = library("usearch.index", "to_usearch", "usearch")
    index = usearch.Index(ndim=contents.vectors.shape[1], metric="cos", dtype="f32")
    for begin in range(0, len(contents.vectors), ROWS_AT_ONCE):
        rows = np.ascontiguousarray(contents.vectors[begin : begin + ROWS_AT_ONCE], dtype=np.float32)
        index.add(np.arange(begin, begin + len(rows), dtype=np.uint64), rows)
    with hold(), replacing(path) as temporary:
        index.save(str(temporary))
    return index
