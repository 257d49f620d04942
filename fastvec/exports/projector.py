"""The files of TensorBoard's embedding projector: ``vectors.tsv`` and ``metadata.tsv``."""

from __future__ import annotations

import os
import re

import numpy as np

from fastvec.formats.atomic import replacing
from fastvec.formats.common import Contents
from fastvec.formats.places import on_disk
from fastvec.training.signals import hold

__all__ = ["to_projector"]

# What ends a field or a line for JavaScript's readers of such files.
SEPARATOR = re.compile("[\t\n\r\u2028\u2029]")
ROWS_AT_ONCE = 1 << 10


def to_projector(contents: Contents, folder: str | os.PathLike[str]) -> None:
    """Write both files to a folder, which is made if it does not exist."""
    words, vectors, counts = [*map(str, contents.words)], contents.vectors, contents.counts
    for word in words:
        if not word.strip() or SEPARATOR.search(word):
            raise ValueError(
                f"the word {word!r} is empty or has a tab or line feed, which metadata.tsv cannot hold; "
                "leave it out"
            )
    folder = on_disk(folder, "folder")
    folder.mkdir(parents=True, exist_ok=True)
    with (
        hold(),
        replacing(folder / "vectors.tsv") as temporary,
        replacing(folder / "metadata.tsv") as temporary_metadata,
    ):
        # A single column has no header there, several have one.
        lines = words if counts is None else ["word\tcount", *map("{}\t{}".format, words, counts.tolist())]
        temporary_metadata.write_bytes("".join(f"{line}\n" for line in lines).encode())
        with temporary.open("wb") as file:
            for begin in range(0, len(vectors), ROWS_AT_ONCE):
                rows = vectors[begin : begin + ROWS_AT_ONCE].astype(np.float32)
                for row in rows.tolist():
                    file.write(b"\t".join([b"%.9g" % number for number in row]) + b"\n")
