"""What models trained in epochs share: calling the training, continuing, files.

What was learned is one `State`, which replaces an earlier one only while training succeeds.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_int
from fastvec.corpus.vocabulary import Vocabulary
from fastvec.formats import model as model_file
from fastvec.formats.finite import check_finite
from fastvec.models.checkpoints import EVERY, CheckpointFile, fingerprint
from fastvec.models.state import Learner, Matrices, State
from fastvec.training.held_out import HeldOut
from fastvec.training.loop import Epoch, Schedule, TrainChunk, train
from fastvec.training.stopping import Stoppable

__all__ = ["EpochModel", "fill_uniform"]

# Starting values drawn at once: 16 MB of them.
BLOCK = 1 << 22

Model = TypeVar("Model", bound="EpochModel")


class EpochModel(Learner, Stoppable, ABC):
    """An estimator that learns in epochs, can continue, and can be saved as a whole."""

    vector_size: int
    epochs: int
    progress: bool
    callbacks: Iterable[Callable[[Any], object]]

    # The extensions of the files that hold a whole model.
    EXTENSIONS: ClassVar[tuple[str, ...]] = (".fvec",)

    @abstractmethod
    def _rows(self, n_words: int) -> dict[str, int]:
        """Return the names of the model's matrices and how many rows they have."""

    def _columns(self) -> int:
        """Return how many columns the matrices have."""
        return self.vector_size

    def _fixed(self) -> tuple[str, ...]:
        """Return the parameters that must not change between calls of `fit`."""
        return ("vector_size",)

    def _load_tables(self, tensors: Mapping[str, NDArray[Any]], n_words: int) -> dict[str, NDArray[Any]]:
        """Return the tables among the tensors of a file, checked."""
        return {}

    @property
    def history_(self) -> list[Epoch]:
        """Loss, learning rate, time and speed of every epoch."""
        return self._learned("history_").history

    def _check_epoch_params(self) -> None:
        check_int("epochs", self.epochs, 1)
        if not isinstance(self.callbacks, Iterable):
            raise TypeError(f"callbacks must be a list of callables, got {self.callbacks!r}")
        if isinstance(self.callbacks, Iterator):  # which could be gone through once only
            self.callbacks = tuple(self.callbacks)
        for callback in self.callbacks:
            if not callable(callback):
                raise TypeError(f"callbacks must be callables, got {callback!r}")

    def _check_unchanged(self, before: State) -> None:
        for name in self._fixed():
            was, now = before.given[name], getattr(self, name)
            if now != was:
                raise ValueError(
                    f"{name} must be {was!r} as in the training so far, got {now!r}; "
                    "use a new estimator to start over"
                )

    def _checkpoints(
        self,
        checkpoint: str | os.PathLike[str] | None,
        checkpoint_every: int | str = EVERY,
        resume: bool = False,
    ) -> CheckpointFile | None:
        """Return what the arguments of `fit` stand for, after validation."""
        if checkpoint is not None:
            return CheckpointFile(checkpoint, checkpoint_every, resume, type(self).__name__, self._given())
        if resume:
            raise ValueError(f"resume must be False unless checkpoint is a file, got {resume!r}")
        if checkpoint_every != EVERY:
            raise ValueError(
                f"checkpoint_every needs checkpoint, the file to write, got {checkpoint_every!r} alone"
            )
        return None

    def _train(
        self,
        train_chunk: TrainChunk,
        schedule: Schedule,
        state: State,
        parameters: Matrices,
        held_out: HeldOut | None,
        checkpoints: CheckpointFile | None,
        before_epoch: Callable[[int, int], None] | None = None,
    ) -> None:
        """Train `state`, the state of the estimator after the first epoch; `parameters` are padded.

        Raises
        ------
        FloatingPointError
            If training diverges; the model is left as it was.
        """
        before = self._state
        if checkpoints is not None:
            checkpoints.source["what was learned before fit"] = _hash(before)
            checkpoints.begin(state, partial(self._write, state))
            if checkpoints.finished:
                self._state = state
                return

        def after_epoch(epoch: Epoch) -> bool:
            state.history.append(epoch)
            self._state = state
            said = [callback(self) for callback in self.callbacks]
            state.vectors = None  # the next epoch changes them
            return any(isinstance(one, (bool, np.bool_)) and one for one in said)

        try:
            state.interrupted = train(
                train_chunk,
                schedule,
                tuple(parameters.values()),
                held_out=held_out,
                progress=self.progress,
                before_epoch=before_epoch,
                after_epoch=after_epoch,
                stop=lambda: self._stopping,
                checkpoints=checkpoints,
            )
        except FloatingPointError:
            self._state = before
            raise

    def check_path(self, path: str | os.PathLike[str]) -> None:
        """Validate the extension of a file that is to hold a whole model.

        Parameters
        ----------
        path : str or path-like
            The file.

        Raises
        ------
        ValueError
            The message names the extensions and the path.
        """
        if Path(path).suffix.lower() not in self.EXTENSIONS:
            rule = f"end in {' or '.join(self.EXTENSIONS)} to hold a whole {type(self).__name__}"
            raise ValueError(f"path must {rule}, got {os.fspath(path)!r}")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save everything that was learned; `fastvec.load_model` restores the estimator.

        Parameters
        ----------
        path : str or path-like
            A file with the extension ``.fvec``. `fastvec.load` reads the vectors in it.

        Raises
        ------
        AttributeError
            Before `fit`.
        OSError
            If the file cannot be written, for example because the disk is full.
        ValueError
            If the extension is another one.
        """
        self.check_path(path)
        self._write(self._learned("vectors_ to save"), path)

    def _write(
        self, state: State, path: str | os.PathLike[str], checkpoint: Mapping[str, Any] | None = None
    ) -> None:
        """Write a state, and how far its training has come."""
        others = {name: matrix for name, matrix in state.parameters.items() if name != "input_vectors"}
        vectors = self._make_vectors(state) if state.vectors is None else state.vectors
        description = {
            "estimator": type(self).__name__,
            "parameters": state.given,
            "history": [asdict(epoch) for epoch in state.history],
        }
        model_file.write(path, description, {**others, **state.tables}, vectors._contents(), checkpoint)

    @classmethod
    def _restored(cls: type[Model], saved: model_file.Model) -> Model:
        """Return the estimator saved in a file, after validation.

        Raises
        ------
        TypeError, ValueError
            If it does not.
        """
        model = cls(**saved.description["parameters"])
        model.check_params()
        vocabulary = Vocabulary(saved.words, saved.counts)
        parameters = {}
        for name, n_rows in model._rows(len(vocabulary)).items():
            matrix = model_file.matrix(saved.tensors, name, (n_rows, model._columns()))
            parameters[name] = np.array(matrix) if isinstance(matrix, np.memmap) else matrix
            check_finite(name, parameters[name], "row", vocabulary.words)
        tables = model._load_tables(saved.tensors, len(vocabulary))
        history = model_file.records(saved.description["history"], Epoch)
        model._state = State(vocabulary, parameters, tables, model._given(), saved.metadata, history)
        return model


def fill_uniform(rows: NDArray[np.float32], divisor: float, generator: np.random.Generator) -> None:
    """Fill a matrix with numbers that are uniform in ±0.5 / `divisor`."""
    n_columns = rows.shape[1]
    at_once = max(1, BLOCK // n_columns)
    for begin in range(0, len(rows), at_once):
        block = rows[begin : begin + at_once]
        block[:] = (generator.random(block.shape, dtype=np.float32) - 0.5) / divisor


def _hash(state: State | None) -> str:
    if state is None:
        return "none"
    return fingerprint(state.vocabulary, *state.parameters.values(), *state.tables.values())
