"""Whole models in a file: a .fvec file of their vectors with all else that they need to go on beside them.

The tensors of a .fvec file come first (see ``fastvec/_format_fvec.py``); what else is trained, and what it
hangs on, stands beside them under its own name. The header has one more entry, ``model``, a JSON object:

==============  =========================================================
estimator       the name of the class
parameters      what its constructor was given
history         a list of epochs, each with the fields of `Epoch`
==============  =========================================================
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from fastvec import _format_fvec
from fastvec._format_common import Contents
from fastvec._mapped import map_tensors, write_tensors
from fastvec._training import Epoch
from fastvec.vectors import Vectors

__all__ = ["Training", "read", "write"]


class Training(NamedTuple):
    """What the file of a model says about it, beside its tensors."""

    estimator: str
    parameters: dict[str, Any]
    history: list[Epoch]


def write(
    path: str | os.PathLike[str], vectors: Vectors, tensors: Mapping[str, NDArray[Any]], training: Training
) -> None:
    """Write a model: its vectors, its other tensors, and how it was trained.

    Raises
    ------
    OSError
        When the file cannot be written.
    ValueError
        When the extension is not .fvec.
    """
    if Path(path).suffix.lower() != ".fvec":
        raise ValueError(f"path must end in .fvec for a whole model, got {os.fspath(path)!r}")
    contents, header = _format_fvec.pack(vectors.words, vectors.vectors, vectors.counts, vectors.metadata)
    history = [asdict(epoch) for epoch in training.history]
    header["model"] = json.dumps(training._asdict() | {"history": history})
    write_tensors(path, {**contents, **tensors}, header)


def read(path: Path) -> tuple[Contents, dict[str, NDArray[Any]], Training]:
    """Return the vectors of a file, memory-mapped like all its tensors, and how they were trained.

    Raises
    ------
    OSError
        When the file is missing or cannot be read.
    ValueError
        When it is no file of a model, or is damaged.
    """
    tensors, header = map_tensors(path)
    contents = _format_fvec.unpack(path, tensors, header, "strict")
    if "model" not in header:
        raise ValueError(
            f"{path}: it holds vectors only, training goes on from a file that `model.save` wrote"
        )
    try:
        said = json.loads(header["model"])
        history = [_epoch(epoch) for epoch in said["history"]]
        training = Training(str(said["estimator"]), dict(said["parameters"]), history)
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"{path}: what it says about the training is damaged ({error!r})") from None
    return contents, tensors, training


def _epoch(said: dict[str, Any]) -> Epoch:
    if not all(type(value) in (int, float) for value in said.values()):
        raise TypeError(f"an epoch of {said!r}")
    return Epoch(**said)
