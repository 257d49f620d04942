"""Files of whole models: tensors, and a description of them in JSON, which names classes but holds no code.

A model of words is a .fvec file (see ``fvec.py``) with one more entry in its metadata, so that its vectors
can be read as those of any .fvec; what else is trained, and what it hangs on, are tensors under their own
names. A classifier, which may have no words at all, is a file of another kind, .fvmodel: its trained tensors
are ``parameters.NAME``, float32, and others have the names that the estimators give them.

===============  ======================  ==============================================================
file             metadata                what it is
===============  ======================  ==============================================================
.fvec            ``model``               the description of a model of words
.fvec            ``checkpoint``          how far a training has come, see ``models/checkpoints.py``
.fvmodel         ``format``              "fastvec-classifier"; ``format_version`` is "1"
.fvmodel         ``classifier``          the description of a classifier
===============  ======================  ==============================================================

A description is an object of the ``estimator``, the name of its class, the ``parameters`` of its constructor,
a ``history`` of epochs, and in a classifier what it has ``learned`` beside tensors, and whether it was given
``vectors``. FastText's own .bin files hold whole models, too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastvec.formats import fasttext, fvec
from fastvec.formats.common import Contents, read_head, refuse_other_kinds
from fastvec.formats.container import check_format, json_object, map_tensors, read_tensors, write_tensors
from fastvec.formats.places import on_disk
from fastvec.formats.words import check_unique
from fastvec.training.huffman import HuffmanTree

__all__ = ["Model", "class_of", "matrix", "read", "read_classifier", "records", "write"]

CLASSIFIER = "fastvec-classifier"
VERSION = 1
VECTORS_ONLY = "it holds vectors only; the whole model is in a file written by `model.save`"

Item = TypeVar("Item")


class Model(NamedTuple):
    """The contents of a file, which the estimator validates.

    Attributes
    ----------
    description : dict
        The ``estimator``, a str, its ``parameters``, a dict, its ``history``, a list, and other entries.
    tensors : dict of str to ndarray
        The tensors of the file by name, perhaps memory-mapped; of a model of words, ``input_vectors`` is one.
    words : list of str
        The vocabulary of a model of words; empty for a classifier.
    counts : int64 array
        How often each word occurred.
    metadata : dict
        The metadata of its vectors.
    checkpoint : dict or None
        How far a training has come; None in the file of a model.
    """

    description: dict[str, Any]
    tensors: dict[str, NDArray[Any]]
    words: list[str]
    counts: NDArray[np.int64]
    metadata: dict[str, Any]
    checkpoint: dict[str, Any] | None


def write(
    path: str | os.PathLike[str],
    description: Mapping[str, Any],
    tensors: Mapping[str, NDArray[Any]],
    vectors: Contents | None = None,
    checkpoint: Mapping[str, Any] | None = None,
) -> None:
    """Write a model of words with its `vectors` and the rows these are computed from, or a classifier."""
    if vectors is None:
        metadata = {"format": CLASSIFIER, "format_version": str(VERSION)}
        metadata["classifier"] = json.dumps(description, default=_plain)
    else:
        of_vectors, metadata = fvec.pack(vectors)
        tensors = {**of_vectors, **tensors}
        metadata["model"] = json.dumps(description, default=_plain)
    if checkpoint is not None:
        metadata["checkpoint"] = json.dumps(checkpoint)
    write_tensors(path, tensors, metadata)


def read(path: str | os.PathLike[str], errors: str = "strict") -> Model:
    """Read a model of words that can be trained, from a .fvec file or a .bin of fastText's."""
    path = on_disk(path)
    head = read_head(path)
    refuse_other_kinds(path, head)
    if fasttext.begins(head) or path.suffix.lower() == ".bin":
        return _read_fasttext(path, errors)
    tensors, metadata = map_tensors(path)
    contents = fvec.unpack(path, tensors, metadata, errors)
    check_unique(path, contents.words)
    if "model" not in metadata:
        raise ValueError(f"{path}: {VECTORS_ONLY}")
    inputs = contents.vectors if contents.input_vectors is None else contents.input_vectors
    if contents.counts is None:
        raise ValueError(f"{path}: the training parameters are damaged (no counts)")
    checkpoint = None
    if "checkpoint" in metadata:
        checkpoint = json_object(path, "training parameters", metadata["checkpoint"])
    return Model(
        _description(path, metadata["model"]),
        {**tensors, "input_vectors": inputs},
        contents.words,
        contents.counts,
        contents.metadata or {},
        checkpoint,
    )


def _read_fasttext(path: Path, errors: str) -> Model:
    def check(file: fasttext.FastTextFile) -> None:
        kind, loss = file.parameters["model"], file.parameters["loss"]
        if kind == "supervised" or loss not in ("negative_sampling", "hierarchical_softmax"):
            classifier = ", and fastvec.classify.load all of it" if kind == "supervised" else ""
            raise ValueError(
                f"{path}: FastText trains skipgram and cbow with negative_sampling and hierarchical_softmax, "
                f"this is a model of {kind} with {loss}; fastvec.load reads its vectors{classifier}"
            )
        if not np.any(file.output_vectors):  # so `SubwordVectors.save` fills the room
            raise ValueError(f"{path}: {VECTORS_ONLY}")

    file = fasttext.read_model(path, errors, check)
    assert file.counts is not None and file.output_vectors is not None
    tensors = {"output_vectors": file.output_vectors}
    if file.parameters["loss"] == "hierarchical_softmax":
        if len(file.words) < len(file.output_vectors):
            raise ValueError(
                f"{path}: the tree of the hierarchical softmax has {len(file.output_vectors):,} words, "
                f"of which errors={errors!r} leaves {len(file.words):,}; fastvec.load reads their vectors"
            )
        tree = HuffmanTree.as_in_fasttext(file.counts)
        tensors = {"node_vectors": fasttext.nodes_of_outputs(file.output_vectors), **tree.tensors()}
    return Model(
        {"estimator": "FastText", "parameters": file.parameters, "history": []},
        {"input_vectors": file.input_vectors, **tensors},
        file.words,
        file.counts,
        {"estimator": "FastText", **file.parameters},
        None,
    )


def read_classifier(path: str | os.PathLike[str]) -> Model:
    """Read a classifier."""
    path = on_disk(path)
    tensors, metadata = read_tensors(path)
    check_format(path, metadata, CLASSIFIER, VERSION)
    return Model(
        _description(path, metadata.get("classifier", "")), tensors, [], np.empty(0, np.int64), {}, None
    )


def class_of(description: Mapping[str, Any], estimators: Mapping[str, Item]) -> Item:
    """Return which of the estimators a description is of; raise ValueError if it is none of them."""
    name = description["estimator"]
    if name not in estimators:
        raise ValueError(f"unknown estimator {name!r}; this fastvec knows {', '.join(estimators)}")
    return estimators[name]


def matrix(tensors: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return a trained tensor; raise ValueError unless it is float32 of this shape."""
    found, parameter = tensors.get(name, np.empty(0)), name.removeprefix("parameters.")
    if found.dtype != np.float32 or found.shape != shape:
        raise ValueError(
            f"{parameter} must be float32 of shape {shape}, got {found.dtype} of shape {found.shape}"
        )
    return found


def records(history: list[Any], record: type[Item]) -> list[Item]:
    """Return a history as dataclasses, whose fields are numbers or, where they say so, None."""
    optional = [name for name, kind in record.__annotations__.items() if "None" in kind]
    try:
        for epoch in history:
            for name, value in dict(epoch).items():
                if type(value) not in (int, float) and not (value is None and name in optional):
                    raise TypeError(f"{name} is {value!r}")
        return [record(**epoch) for epoch in history]
    except (TypeError, ValueError) as error:
        raise ValueError(f"the history is damaged ({error})") from None


def _description(path: Path, text: str) -> dict[str, Any]:
    description = json_object(path, "training parameters", text)
    for name, kind in (("estimator", str), ("parameters", dict), ("history", list)):
        if not isinstance(description.get(name), kind):
            raise ValueError(f"{path}: the training parameters are damaged ({name} is no {kind.__name__})")
    return description


def _plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"parameters must be JSON types to be saved, got {value!r}")
