"""Files of whole models: a .fvec file of the vectors, with everything else needed to continue.

The tensors of a .fvec file come first (see ``fastvec/formats/fvec.py``); what else is trained, and what it
hangs on, stands beside them under its own name. The metadata have one more entry, ``model``, a JSON object:

==============  =========================================================
estimator       the name of the class
parameters      what its constructor was given
history         a list of epochs, each with the fields of `Epoch`
==============  =========================================================

FastText's own files hold whole models too (see ``fastvec/formats/fasttext.py``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec.formats import fvec
from fastvec.formats.common import Contents
from fastvec.formats.container import map_tensors, write_tensors
from fastvec.formats.fasttext import decoded, read_undecoded
from fastvec.formats.words import check_unique
from fastvec.training.loop import Epoch
from fastvec.vectors import Vectors
from fastvec.vectors.subwords import SubwordVectors

__all__ = ["Saved", "read", "read_fasttext", "write"]

VECTORS_ONLY = "it holds vectors only; training continues from a file written by `model.save`"


class Saved(NamedTuple):
    """The contents of a model file; the estimator validates them.

    Attributes
    ----------
    estimator : str
        The name of the class.
    given : dict
        The parameters of its constructor.
    words : list of str
        The vocabulary.
    counts : int64 array
        How often each word occurred.
    tensors : dict of str to ndarray
        The input vectors and all other tensors of the file by name, perhaps memory-mapped.
    metadata : dict
        The metadata of the vectors.
    history : list of Epoch
        All epochs.
    checkpoint : str
        How far a training has come, see ``_checkpoint_files.py``; empty in the file of a model.
    """

    estimator: str
    given: dict[str, Any]
    words: list[str]
    counts: NDArray[np.int64]
    tensors: dict[str, NDArray[Any]]
    metadata: dict[str, Any]
    history: list[Epoch]
    checkpoint: str = ""


def write(
    path: str | os.PathLike[str],
    vectors: Vectors,
    others: Mapping[str, NDArray[Any]],
    estimator: str,
    given: Mapping[str, Any],
    history: list[Epoch],
    more: Mapping[str, str],
) -> None:
    """Write a model: its vectors with the rows they are computed from, its other tensors, and the rest.

    `more` are further entries of the metadata.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    contents = Contents(vectors.words, vectors.vectors, vectors.counts, vectors.metadata)
    if isinstance(vectors, SubwordVectors):
        contents = contents._replace(input_vectors=vectors.input_vectors, subwords=vectors.subwords)
    tensors, header = fvec.pack(contents)
    said = {"estimator": estimator, "parameters": given, "history": [asdict(epoch) for epoch in history]}
    write_tensors(path, {**tensors, **others}, {**header, "model": json.dumps(said), **more})


def read(path: Path, errors: str = "strict") -> Saved:
    """Read the model in a .fvec file.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it does not hold a model, or is damaged.
    """
    tensors, header = map_tensors(path)
    contents = fvec.unpack(path, tensors, header, errors)
    check_unique(path, contents.words)
    if "model" not in header:
        raise ValueError(f"{path}: {VECTORS_ONLY}")
    inputs = contents.vectors if contents.input_vectors is None else contents.input_vectors
    try:
        said = json.loads(header["model"])
        return Saved(
            estimator=str(said["estimator"]),
            given=dict(said["parameters"]),
            words=contents.words,
            counts=tensors["counts"],
            tensors={**tensors, "input_vectors": inputs},
            metadata=contents.metadata,
            history=[_epoch(epoch) for epoch in said["history"]],
            checkpoint=header.get("checkpoint", ""),
        )
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"{path}: the training parameters are damaged ({error!r})") from None


def read_fasttext(path: Path, errors: str) -> Saved:
    """Read the model in a .bin file of fastText.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is not a model that `FastText` can continue to train, or is damaged.
    """
    file, names = read_undecoded(path)
    kind, loss = file.parameters["model"], file.parameters["loss"]
    if kind == "supervised" or loss != "negative_sampling":
        raise ValueError(
            f"{path}: FastText trains skipgram and cbow with negative_sampling, this is a model of {kind} "
            f"with {loss}; fastvec.load reads its vectors"
        )
    assert file.output_vectors is not None
    if not file.output_vectors.any():  # so `SubwordVectors.save` fills the room
        raise ValueError(f"{path}: {VECTORS_ONLY}")
    file, _ = decoded(path, file, names, errors)
    check_unique(path, file.words)
    assert file.counts is not None and file.output_vectors is not None
    return Saved(
        estimator="FastText",
        given={name: value for name, value in file.parameters.items() if name != "loss"},
        words=file.words,
        counts=file.counts,
        tensors={"input_vectors": file.input_vectors, "output_vectors": file.output_vectors},
        metadata={"estimator": "FastText", **file.parameters},
        history=[],
    )


def _epoch(said: dict[str, Any]) -> Epoch:
    epoch = Epoch(**said)
    told = [value for name, value in said.items() if (name, value) != ("words_per_second", None)]
    if not all(type(value) in (int, float) for value in told):
        raise TypeError(f"an epoch of {said!r}")
    return epoch
