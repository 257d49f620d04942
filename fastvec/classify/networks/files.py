"""Saving classifiers: what they have to say of themselves, see ``formats/model.py``."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from fastvec import kernels
from fastvec._params import PlainAttributes
from fastvec.classify.networks.layers import Array
from fastvec.formats import model
from fastvec.training.threads import number_of_threads

__all__ = [
    "EXTENSION",
    "Saveable",
    "description_of_labels",
    "labels_of",
    "parameter_tensors",
    "parameters_of",
    "provenance",
]

EXTENSION = ".fvmodel"


class Saveable(PlainAttributes, ABC):
    """An estimator that can be saved and restored."""

    # What a file says of its making; None for what is made by this process.
    _provenance: dict[str, Any] | None = None

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
        description = {
            "estimator": type(self).__name__,
            "parameters": parameters,
            "learned": learned,
            "history": [asdict(epoch) for epoch in getattr(self, "history_", [])],
            "vectors": getattr(self, "vectors", None) is not None,
            "provenance": provenance(given) if self._provenance is None else self._provenance,
        }
        model.write(path, description, {name: np.asarray(tensor) for name, tensor in tensors.items()})


def provenance(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a classifier, beside its parameters and its examples."""
    from fastvec import __version__

    threads = {"threads": number_of_threads(parameters["threads"])} if "threads" in parameters else {}
    return {"fastvec": __version__, "backend": kernels.selected(), **threads}


def description_of_labels(classes: Array) -> dict[str, Any]:
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


def labels_of(description: Mapping[str, Any]) -> Array:
    """Return the classes that `description_of_labels` describes."""
    dtype, values = np.dtype(description["dtype"]), description["values"]
    if dtype.kind not in "OUbiuf" or not isinstance(values, list):
        raise ValueError(f"classes of type {description['dtype']!r}")
    if not values or not all(isinstance(value, (str, int, float)) for value in values):
        raise ValueError(f"classes that are {values!r}")
    labels = np.array(values, dtype=dtype)
    if labels.tolist() != values or not (labels[:-1] < labels[1:]).all():
        raise ValueError("classes must be different, in rising order, and of their type")
    return labels


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
        parameters[name] = model.matrix(tensors, f"parameters.{name}", shape)
        if not np.isfinite(parameters[name]).all():
            raise ValueError(f"{name} must be finite")
    return parameters
