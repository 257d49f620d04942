"""Files of classifiers: safetensors with a JSON header that describes the tensors, without code.

==============  =======================================================================================
metadata        ``format`` ("fastvec-classifier"), ``format_version`` ("1") and ``classifier``: a JSON
                object of the ``estimator``'s name, its ``parameters``, what it has ``learned`` beside
                tensors, its ``history``, and whether it had ``vectors``
tensors         ``parameters.NAME``, float32: what was trained; ``words``, uint8: a JSON list in UTF-8;
                others under the names that the estimators give them
==============  =======================================================================================
"""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from fastvec._params import PlainAttributes
from fastvec.classify.networks.fitting import FitEpoch
from fastvec.classify.networks.layers import Array
from fastvec.formats.container import read_tensors, write_tensors

__all__ = [
    "EXTENSION",
    "Saveable",
    "labels_of",
    "parameter_tensors",
    "parameters_of",
    "read",
    "said_of_labels",
    "tensor_of",
    "texts_of",
]

FORMAT = "fastvec-classifier"
VERSION = 1
EXTENSION = ".fvmodel"

# What Python and NumPy raise at sight of what no classifier has said.
DAMAGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)

Model = TypeVar("Model", bound="Saveable")


class Saveable(PlainAttributes, ABC):
    """An estimator that can be saved and restored."""

    @abstractmethod
    def _learned(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return what was learned: what JSON can say, and tensors."""

    @abstractmethod
    def _restore(self, learned: dict[str, Any], tensors: dict[str, Array]) -> None:
        """Restore what `_learned` returned, after validation.

        Raises
        ------
        KeyError, TypeError, ValueError
            If something is missing or does not match.
        """

    @abstractmethod
    def _check_unchanged(self) -> None:
        """Raise ValueError if the constructor's parameters have changed and do not fit what was learned."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save everything needed to predict; `fastvec.classify.load` restores the estimator.

        The restored `vectors` are the trained ones, and `partial_fit` continues with a reset optimizer.

        Parameters
        ----------
        path : str or path-like
            File with the extension ``.fvmodel``. An existing file is replaced only once the new one is
            complete.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        OSError
            If the file cannot be written, for example because the disk is full.
        ValueError
            If the extension is another one.
        """
        if Path(path).suffix.lower() != EXTENSION:
            raise ValueError(f"path must end in {EXTENSION}, got {os.fspath(path)!r}")
        check_is_fitted(self)
        self._check_unchanged()
        learned, tensors = self._learned()
        given: dict[str, Any] = self.get_params(deep=False)  # type: ignore[attr-defined]
        parameters = {name: value for name, value in given.items() if name not in ("vectors", "progress")}
        said = {
            "estimator": type(self).__name__,
            "parameters": parameters,
            "learned": learned,
            "history": [asdict(epoch) for epoch in getattr(self, "history_", [])],
            "vectors": getattr(self, "vectors", None) is not None,
        }
        metadata = {
            "format": FORMAT,
            "format_version": str(VERSION),
            "classifier": json.dumps(said, default=_plain),
        }
        write_tensors(path, {name: np.asarray(tensor) for name, tensor in tensors.items()}, metadata)


def read(path: str | os.PathLike[str], estimators: Mapping[str, Callable[..., Model]]) -> Model:
    """Load an estimator.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is not a classifier file, or is damaged.
    """
    path = Path(path)
    tensors, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path}: a safetensors file, but not one of a classifier ({EXTENSION})")
    if not metadata.get("format_version", "").isdecimal() or int(metadata["format_version"]) > VERSION:
        raise ValueError(
            f"{path}: written in version {metadata.get('format_version')!r} of {EXTENSION}; "
            f"this fastvec reads version {VERSION}; try a newer one"
        )
    try:
        said = json.loads(metadata["classifier"])
        name = said["estimator"]
        if name not in estimators:
            raise ValueError(f"unknown estimator {name!r}; this fastvec knows {', '.join(estimators)}")
        given = said["parameters"].items()
        model = estimators[name](
            **{name: tuple(value) if isinstance(value, list) else value for name, value in given}
        )
        model._restore(said["learned"], tensors)
        if hasattr(model, "check_gradient"):  # it was trained in epochs
            if not said["history"]:
                raise ValueError("a history of no epoch")
            model.history_ = [_epoch(epoch) for epoch in said["history"]]  # type: ignore[attr-defined]
            model.interrupted_ = False  # type: ignore[attr-defined]
        if said["vectors"] and hasattr(model, "vectors_"):
            model.vectors = model.vectors_  # type: ignore[attr-defined]
        model.check_params()  # type: ignore[attr-defined]
    except DAMAGE as error:
        raise ValueError(f"{path}: the classifier is damaged ({error})") from None
    return model


def _epoch(said: dict[str, Any]) -> FitEpoch:
    epoch = FitEpoch(**said)
    told = [value for name, value in said.items() if (name, value) != ("validation_score", None)]
    if not all(type(value) in (int, float) for value in told):
        raise TypeError(f"an epoch of {said!r}")
    return epoch


def _plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"parameters must be JSON types to be saved, got {value!r}")


def said_of_labels(classes: Array) -> dict[str, Any]:
    """Return classes as JSON types.

    Raises
    ------
    TypeError
        If they are neither str, int, float nor bool.
    """
    values = classes.tolist()
    if not all(isinstance(value, (str, int, float, bool)) for value in values):
        raise TypeError(f"classes must be str, int, float or bool to be saved, got {values!r}")
    return {"dtype": classes.dtype.str, "values": values}


def labels_of(said: Mapping[str, Any]) -> Array:
    """Return the classes that `said_of_labels` tells of."""
    dtype, values = np.dtype(said["dtype"]), said["values"]
    if dtype.kind not in "OUbiuf" or not isinstance(values, list):
        raise ValueError(f"classes of type {said['dtype']!r}")
    if not values or not all(isinstance(value, (str, int, float)) for value in values):
        raise ValueError(f"classes that are {values!r}")
    labels = np.array(values, dtype=dtype)
    if labels.tolist() != values or not (labels[:-1] < labels[1:]).all():
        raise ValueError("classes must be different, in rising order, and of their type")
    return labels


def tensor_of(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Return texts as a tensor of the bytes of a JSON list."""
    return np.frombuffer(json.dumps(list(texts), ensure_ascii=False).encode(errors="surrogatepass"), np.uint8)


def texts_of(tensor: Array) -> list[str]:
    """Return the texts that `tensor_of` made a tensor of."""
    texts = json.loads(tensor.tobytes().decode(errors="surrogatepass"))
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("a list of texts is none")
    return texts


def parameter_tensors(parameters: Mapping[str, Array]) -> dict[str, Array]:
    """Return parameters under the names that they have in a file."""
    return {f"parameters.{name}": array for name, array in parameters.items()}


def parameters_of(tensors: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Return the parameters of a file, which must have these shapes.

    Raises
    ------
    ValueError
        If one is missing, has another shape, or is not finite.
    """
    parameters = {}
    for name, shape in shapes.items():
        array = tensors.get(f"parameters.{name}", np.empty(0))
        if array.dtype != np.float32 or array.shape != shape:
            raise ValueError(
                f"{name} must be float32 of shape {shape}, got {array.dtype} of shape {array.shape}"
            )
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite")
        parameters[name] = array
    return parameters
