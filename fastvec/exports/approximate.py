"""An index of USearch: the nearest words, found approximately."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import Any

import numpy as np

from fastvec.exports import library
from fastvec.formats.atomic import replacing
from fastvec.formats.common import Contents
from fastvec.training.signals import hold

__all__ = ["to_usearch"]

ROWS_AT_ONCE = 1 << 16
# Threads that add rows to a small index leave some that no search finds, so one thread adds the first.
FIRST_ROWS = 1 << 12


def to_usearch(contents: Contents, path: str | os.PathLike[str]) -> Any:
    """Write an index of the rows by cosine, whose keys are their numbers, and return it."""
    usearch = library("usearch.index", "to_usearch", "usearch")
    index = usearch.Index(ndim=contents.vectors.shape[1], metric="cos", dtype="f32")
    n_rows = len(contents.vectors)
    for begin, end in pairwise([0, *range(FIRST_ROWS, n_rows, ROWS_AT_ONCE), n_rows]):
        rows = np.ascontiguousarray(contents.vectors[begin:end], dtype=np.float32)
        index.add(np.arange(begin, end, dtype=np.uint64), rows, threads=0 if begin else 1)
    with hold(), replacing(path) as temporary:
        index.save(str(temporary))
    return index
