"""Checkpoints: the file of a whole model (see ``formats/model.py``), with how far its training has come.

The metadata have one more entry, ``checkpoint``, a JSON object:

==============  ===================================================================
position        the fields of `Position`; an epoch that is not complete is not in
                the history of the model
finished        whether the training came to its end
source          what it trains on, beside the parameters of the estimator: hashes
                of the corpus or the counts and of earlier training, by name
==============  ===================================================================
"""

from __future__ import annotations

import errno
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from fastvec._params import check_bool, check_int
from fastvec.formats import model
from fastvec.training.checkpoints import Checkpoints, Position
from fastvec.training.intervals import seconds_in
from fastvec.training.loop import Epoch
from fastvec.training.progress import warn

__all__ = ["EVERY", "CheckpointFile"]

EVERY = "10m"
# Parameters that may change when a run is resumed: they do not matter to what is learned.
FREE = ("threads", "memory_limit")


class CheckpointFile(Checkpoints):
    """The file that a training keeps its state in, and may start from.

    Parameters
    ----------
    path : str or path-like
        The file, which ends in ``.fvec``.
    every : int or str
        A number of epochs, or a time, as ``"10m"``.
    resume : bool
        Whether to start from the file if it exists.
    estimator : str
        The name of the class that trains.
    given, usual : dict
        Its parameters, and their defaults, which those have that a file of an earlier version lacks.

    Attributes
    ----------
    source : dict of str to str
        What is trained on: hashes, and other arguments of `fit`, by name; set before `begin`.
    finished : bool
        Whether nothing is left to train, after `begin`.

    Raises
    ------
    OSError
        If the file cannot be read.
    TypeError, ValueError
        If a parameter is invalid, or if the file is not a checkpoint, or is of a run that must not be
        replaced or that differs from this one.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        every: int | str,
        resume: bool,
        estimator: str,
        given: Mapping[str, Any],
        usual: Mapping[str, Any],
    ) -> None:
        self.path = os.fspath(path)
        if Path(self.path).suffix.lower() != ".fvec":
            raise ValueError(f"checkpoint must end in .fvec, got {self.path!r}")
        check_bool("resume", resume)
        self.epochs, self.seconds = _interval(every)
        self.due = math.inf
        self.source: dict[str, str] = {}
        self.finished = False
        self.saved: model.Model | None = None
        self._ours = _identity(self.path)
        if Path(self.path).exists():
            saved = model.read(self.path)
            self._check_kind(saved, resume)
            if resume:
                self._check_parameters(saved, estimator, given, usual)
                self.saved = saved

    def begin(
        self,
        parameters: Mapping[str, NDArray[Any]],
        history: list[Epoch],
        write: Callable[[str, dict[str, Any]], None],
    ) -> None:
        """Bring a training to where the file has come, or write the file for the first time.

        Parameters
        ----------
        parameters : dict of str to ndarray
            The parameters at the start of the training, which are changed in place.
        history : list of Epoch
            The epochs before the training, changed in place.
        write : callable
            Writes the model to a path, and how far its training has come.

        Raises
        ------
        OSError
            If the file cannot be written, or if another run has begun to write it meanwhile.
        ValueError
            If the run of the file has trained on something else.
        """
        self._write = write
        if self.saved is None:
            self._replace(self.start)
        else:
            self._take_over(self.saved, parameters, history)
            self.saved = None  # on Windows, a file that is mapped cannot be replaced
        self.due = time.monotonic() + self.seconds

    def value_of(self, parameter: str) -> Any:
        """Return what a parameter of the run to be resumed is, or None if there is none; before `begin`."""
        return None if self.saved is None else self.saved.metadata.get(parameter)

    def seconds_left(self) -> float:
        """Return the time until the next checkpoint within an epoch."""
        return self.due - time.monotonic()

    def is_due_after(self, epochs: int) -> bool:
        """Return whether a checkpoint is due after so many epochs of this training."""
        return self.seconds_left() <= 0 or (self.epochs is not None and epochs % self.epochs == 0)

    def write(self, position: Position, finished: bool = False) -> None:
        """Replace the file; a warning says if that is impossible, and the training goes on."""
        try:
            self._replace(position, finished)
        except OSError as error:
            warn(f"the checkpoint could not be written, the training continues: {error}")
        self.due = time.monotonic() + self.seconds

    def _replace(self, position: Position, finished: bool = False) -> None:
        found = _identity(self.path)
        if found not in (None, self._ours):
            reason = "another run has written this checkpoint; give each run a file of its own"
            raise FileExistsError(errno.EEXIST, reason, self.path)
        self._write(self.path, {"position": asdict(position), "finished": finished, "source": self.source})
        self._ours = _identity(self.path)

    def _take_over(
        self, saved: model.Model, parameters: Mapping[str, NDArray[Any]], history: list[Epoch]
    ) -> None:
        self.start, self.finished, source, history[:] = self._progress(saved)
        for name, value in self.source.items():
            if (was := source.get(name, "none")) != value:
                rule = f"{was}, as" if was.isdecimal() else "the same as"  # the others are hashes
                raise self._differs(f"{name} must be {rule} in the run of the checkpoint")
        for name, matrix in parameters.items():
            if saved.tensors[name].shape != matrix.shape:
                raise ValueError(f"{self.path}: {name} must have the shape {matrix.shape}")
            matrix[:] = saved.tensors[name]

    def _progress(self, saved: model.Model) -> tuple[Position, bool, dict[str, Any], list[Epoch]]:
        """Return the position of a checkpoint, whether its training is finished, its source and epochs."""
        try:
            assert saved.checkpoint is not None
            position = saved.checkpoint["position"]
            position = Position(**{**position, "losses": tuple(position["losses"])})
            finished, source = bool(saved.checkpoint["finished"]), dict(saved.checkpoint["source"])
            return position, finished, source, model.records(saved.description["history"], Epoch)
        except (TypeError, ValueError, KeyError) as error:
            raise ValueError(f"{self.path}: the state of the training is damaged ({error!r})") from None

    def _check_kind(self, saved: model.Model, resume: bool) -> None:
        if saved.checkpoint is None:
            raise ValueError(
                f"checkpoint must be a new file or a checkpoint, got {self.path!r}, which holds a model"
            )
        if not resume and not self._progress(saved)[1]:
            raise ValueError(
                f"checkpoint must not replace an unfinished run, got {self.path!r}: continue it with "
                "resume=True (--resume), or delete the file"
            )

    def _check_parameters(
        self, saved: model.Model, estimator: str, given: Mapping[str, Any], usual: Mapping[str, Any]
    ) -> None:
        before, parameters = saved.description["estimator"], saved.description["parameters"]
        if before != estimator:
            raise self._differs(f"the estimator must be {before} as in the checkpoint, got {estimator}")
        for name in {**parameters, **given}:
            was, now = parameters.get(name, usual.get(name)), given.get(name)
            if name not in FREE and was != now:
                raise self._differs(f"{name} must be {was!r} as in the checkpoint, got {now!r}")

    def _differs(self, how: str) -> ValueError:
        return ValueError(f"{self.path}: {how}; delete the file to start over, or use another one")


def _identity(path: str) -> tuple[int, ...] | None:
    """Return what tells a file from one that has replaced it, or None without a file."""
    try:
        status = Path(path).stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns


def _interval(every: int | str) -> tuple[int | None, float]:
    """Return the epochs or the seconds between two checkpoints."""
    if not isinstance(every, str):
        return check_int("checkpoint_every", every, 1), math.inf
    if (seconds := seconds_in(every)) is None:
        raise ValueError(
            "checkpoint_every must be a number of epochs, or a time such as '30s', '10m' or '2h', "
            f"got {every!r}"
        )
    return None, seconds
