"""What models share: what was learned, counts to learn from, training in epochs, files of whole models.

What was learned is one `State`, which replaces an earlier one only while training succeeds.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import Estimator, check_int
from fastvec.corpus.fingerprint import fingerprint
from fastvec.corpus.selection import made_of
from fastvec.corpus.vocabulary import Vocabulary, keep_probabilities, noise_probabilities
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.exports.pictures import HistoryPlot
from fastvec.formats import model as model_file
from fastvec.formats.finite import check_finite
from fastvec.models.checkpoints import EVERY, CheckpointFile
from fastvec.peers.errors import PeersAttributes
from fastvec.peers.names import MODELS, Names
from fastvec.training.copies import Copies
from fastvec.training.held_out import HeldOut
from fastvec.training.huffman import HuffmanTree
from fastvec.training.loop import EarlyStopping, Epoch, Schedule, Stoppable, TrainChunk, train
from fastvec.training.pauses import Pauses, Periodic
from fastvec.training.rounds import Rounds
from fastvec.training.team import Team
from fastvec.training.threads import number_of_threads
from fastvec.vectors import Vectors

__all__ = ["COUNTED", "CountModel", "EpochModel", "Learner", "Matrices", "State"]

# The parameters that say what is counted, and those that say how.
COUNTED = ("window", "weighting", "symmetric", "min_count", "max_vocab", "keep", "drop")
COUNTING = ("memory_limit", "threads", "progress")

Matrices = dict[str, NDArray[np.float32]]
Model = TypeVar("Model", bound="EpochModel")


@dataclass
class State:
    """What a model has learned.

    Attributes
    ----------
    vocabulary : Vocabulary
        The words with their counts.
    parameters : dict of str to float32 array, shape (n_rows, d)
        The trained parameters, named as the arguments of the kernels.
    given : dict
        The parameters of the constructor used in training.
    metadata : dict
        The same for `Vectors`, with the resulting values.
    tree : HuffmanTree, optional
        The tree of the hierarchical softmax, on which the parameters depend.
    history : list of Epoch
        All epochs so far.
    interrupted : bool
        Whether a signal, such as Ctrl-C, or `stop` ended the training early.
    vectors : Vectors, optional
        The words with their vectors, created on demand.
    output_of : int32 array, shape (n_words,), optional
        The row of the output vectors that each word has, where words share them, see `Corpus.context_ids`.
    """

    vocabulary: Vocabulary
    parameters: Matrices
    given: dict[str, Any]
    metadata: dict[str, Any]
    tree: HuffmanTree | None = None
    history: list[Epoch] = field(default_factory=list)
    interrupted: bool = False
    vectors: Vectors | None = None
    output_of: NDArray[np.int32] | None = None

    def of_outputs(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the sums of numbers of words over those that share a row, 0 for rows that are not used."""
        if self.output_of is None:
            return values
        return np.bincount(self.output_of, values, len(values)).astype(values.dtype)

    def noise_probabilities(self, exponent: float) -> NDArray[np.float64]:
        """Return the probability with which each row of the output vectors is drawn as noise."""
        if self.output_of is None:
            return self.vocabulary.noise_probabilities(exponent)
        counts = self.of_outputs(self.vocabulary.counts)
        probabilities = np.zeros(len(counts))
        probabilities[counts > 0] = noise_probabilities(counts[counts > 0], exponent)
        return probabilities

    def keep_probabilities(self, subsample: float) -> NDArray[np.float64]:
        """Return the probability with which each word is kept, which its tag does not change."""
        if self.output_of is None:
            return self.vocabulary.keep_probabilities(subsample)
        counts = self.of_outputs(self.vocabulary.counts)[self.output_of]
        return keep_probabilities(counts, self.vocabulary.total, subsample)

    def copy_outputs(self) -> None:
        """Give all words that share a row a copy of it as their own."""
        outputs = self.parameters["output_vectors"]
        outputs[:] = outputs[self.output_of]

    def description(self) -> dict[str, Any]:
        """Return the metadata of vectors: how they were made, without what depends on the clock."""
        kept = ("epoch", "loss", "learning_rate", "pairs")
        history = [{name: getattr(epoch, name) for name in kept} for epoch in self.history]
        return {**self.metadata, "history": history} if history else self.metadata

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return all arrays that were learned or that these depend on, under their names in files."""
        return {**self.parameters, **({} if self.tree is None else self.tree.tensors())}


class Learner(PeersAttributes, Estimator, ABC):
    """An estimator whose `fit` leaves a state."""

    PEERS: ClassVar[Names] = MODELS

    def __getitem__(self, word: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} has no items: its vectors have them, vectors_[{word!r}]")

    def __contains__(self, word: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} has no items: its vectors have them, {word!r} in vectors_")

    _state: State | None = None

    @abstractmethod
    def check_params(self) -> None:
        """Validate the parameters."""

    @abstractmethod
    def _make_vectors(self, state: State) -> Vectors:
        """Return the words of a state with their vectors."""

    @property
    def vectors_(self) -> Vectors:
        """The words with their vectors."""
        state = self._learned("vectors_")
        if state.vectors is None:
            state.vectors = self._make_vectors(state)
        return state.vectors

    @property
    def vocabulary_(self) -> Vocabulary:
        """The words with their counts."""
        return self._learned("vocabulary_").vocabulary

    @property
    def interrupted_(self) -> bool:
        """Whether a signal, such as Ctrl-C, or `stop` ended the training early."""
        return self._learned("interrupted_").interrupted

    def _provenance(self, corpora: list[dict[str, Any]], before: State | None) -> dict[str, Any]:
        """Return what makes vectors, beside parameters; a text before that is not known is an empty dict."""
        earlier = [] if before is None else before.metadata.get("corpora", [{}])
        return made_of([*earlier, *corpora], backend=kernels.selected())

    def _learned(self, name: str) -> State:
        if self._state is None:
            raise AttributeError(f"{type(self).__name__} has no {name} before fit")
        return self._state


@dataclass(kw_only=True, eq=False, repr=False)
class CountModel(Learner, ABC):
    """The base of models that are fitted to counts of pairs of words.

    `window`, `weighting`, `symmetric`, `min_count`, `max_vocab`, `keep` and `drop` are those of
    `Cooccurrence`; they control how a text is counted, and are ignored if `fit` is given counts.
    """

    vector_size: int = 100
    window: int = 10
    weighting: str = "harmonic"
    symmetric: bool = True
    min_count: int = 5
    max_vocab: int | None = None
    keep: Collection[str | int] | None = None
    drop: Collection[str | int] | None = None
    memory_limit: int = 2**32
    threads: int | None = None
    seed: int = 1
    progress: bool = False

    def _check_own_params(self) -> None:
        """Validate the parameters that the model adds to the common ones."""

    def check_params(self) -> None:
        """Validate the parameters.

        Raises
        ------
        TypeError, ValueError
            The message names the parameter, the rule and the value.
        """
        check_int("vector_size", self.vector_size, 1, 4096)
        self._counter().check_params()
        self._check_own_params()
        check_int("seed", self.seed, 0)

    def _counter(self) -> Cooccurrence:
        """Return the counter of texts for this model."""
        return Cooccurrence(**{name: getattr(self, name) for name in (*COUNTED, *COUNTING)})

    def _counts(self, source: Any) -> Cooccurrence:
        """Return `source` if it is counts, else count it as a text.

        Raises
        ------
        ValueError
            If nothing was counted.
        """
        counts = source if isinstance(source, Cooccurrence) else self._counter().fit(source)
        counts._check_fitted()
        if not counts.n_entries_:
            raise ValueError(
                "source must have a sentence with two words of the vocabulary, got no counts of "
                f"{counts.vocabulary_!r}"
            )
        return counts

    def _metadata(self, counts: Cooccurrence, before: State | None = None) -> dict[str, Any]:
        """Return the training parameters for the vectors, with those of the counts."""
        of_counts = counts._given()
        counted = {name: of_counts[name] for name in COUNTED}
        return {
            "estimator": type(self).__name__,
            **self._given(),
            **counted,
            "threads": number_of_threads(self.threads),
            **self._provenance(counts._provenance["corpora"], before),
        }


class EpochModel(Learner, Stoppable, HistoryPlot, ABC):
    """An estimator that learns in epochs, can continue, and can be saved as a whole."""

    vector_size: int
    epochs: int | None
    progress: bool
    callbacks: Iterable[Callable[..., object]]

    # The extensions of the files that hold a whole model.
    EXTENSIONS: ClassVar[tuple[str, ...]] = (".fvec",)

    @abstractmethod
    def _shapes(self, n_words: int) -> dict[str, tuple[int, int]]:
        """Return the names of the model's matrices and their shapes."""

    def _fixed(self) -> tuple[str, ...]:
        """Return the parameters that must not change between calls of `fit`."""
        return ("vector_size",)

    def _has_tree(self) -> bool:
        """Return whether what is learned depends on a tree of the words."""
        return False

    @property
    def history_(self) -> list[Epoch]:
        """Loss, learning rate, time and speed of every epoch."""
        return self._learned("history_").history

    def _check_callbacks(self) -> None:
        if not isinstance(self.callbacks, Iterable):
            raise TypeError(f"callbacks must be a list of callables, got {self.callbacks!r}")
        if isinstance(self.callbacks, Iterator):  # which could be gone through once only
            self.callbacks = tuple(self.callbacks)
        for callback in self.callbacks:
            if not callable(callback):
                raise TypeError(f"callbacks must be callables, got {callback!r}")

    def _begin(
        self, checkpoint: str | os.PathLike[str] | None, checkpoint_every: int | str, resume: bool
    ) -> tuple[State | None, CheckpointFile | None]:
        """Validate all that `fit` is given but the text; return what was learned before, and checkpoints."""
        self.check_params()
        checkpoints = self._checkpoints(checkpoint, checkpoint_every, resume)
        self._stopping = False
        before = self._state
        if before is not None:
            self._check_fixed(before)
        kernels.selected()  # an error here comes before the text is read
        return before, checkpoints

    def _check_fixed(self, state: State) -> None:
        """Raise an error if a parameter on which the meaning of what was learned depends has changed."""
        for name in self._fixed():
            was, now = state.given[name], getattr(self, name)
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
            usual = type(self)()._given()
            return CheckpointFile(
                checkpoint, checkpoint_every, resume, type(self).__name__, self._given(), usual
            )
        if resume:
            raise ValueError(f"resume must be False unless checkpoint is a file, got {resume!r}")
        if checkpoint_every != EVERY:
            raise ValueError(
                f"checkpoint_every needs checkpoint, the file to write, got {checkpoint_every!r} alone"
            )
        return None

    def _train(
        self,
        train_chunk: TrainChunk | None,
        schedule: Schedule,
        state: State,
        parameters: Matrices,
        held_out: HeldOut | None,
        checkpoints: CheckpointFile | None,
        before_epoch: Callable[[int, int], None] | None = None,
        put_back: Callable[[], None] | None = None,
        crew: Copies | Team | Rounds | None = None,
        patience: int | None = None,
    ) -> None:
        """Train `state`, the state of the estimator after the first epoch; `parameters` are padded.

        `put_back` is called at the end of an epoch. With `patience`, the training ends after so many epochs
        without a lower loss, and the parameters are those of the best one.

        Raises
        ------
        FloatingPointError
            If training diverges; the model is left as it was.
        """
        before = self._state
        if checkpoints is not None:
            checkpoints.source.setdefault("what was learned before fit", _hash(before))
            of_rounds = crew.state if isinstance(crew, Rounds) else {}
            kept: dict[str, NDArray[Any]] = {**state.parameters, **of_rounds}
            checkpoints.begin(kept, state.history, partial(self._write, state, of_rounds=of_rounds))
            if checkpoints.finished:
                self._state = state
                return

        early_stopping = None
        if patience is not None:
            early_stopping = EarlyStopping(
                score=lambda: -state.history[-1].loss,
                keep=lambda: [matrix.copy() for matrix in parameters.values()],
                restore=lambda kept: _copy_all(kept, parameters.values()),
                patience=patience,
            )

        def after_epoch(epoch: Epoch) -> bool:
            if put_back is not None:
                put_back()
            state.history.append(epoch)
            self._state = state
            answers = [call(callback) for callback in self.callbacks]
            state.vectors = None  # the next epoch changes them
            if early_stopping is not None:
                early_stopping.look()
                answers.append(early_stopping.is_over())
            return any(map(_is_true, answers))

        def call(callback: Callable[..., object]) -> object:
            if isinstance(callback, Periodic):
                return callback(self, pauses.moment, pauses.say)
            return callback(self)

        def call_within_epoch(callback: Periodic) -> None:
            self._state = state
            if _is_true(call(callback)):
                self.stop()
            state.vectors = None

        periodic = [callback for callback in self.callbacks if isinstance(callback, Periodic)]
        pauses = Pauses(periodic, call_within_epoch, schedule.unit)

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
                pauses=pauses,
                crew=crew,
            )
        except FloatingPointError:
            self._state = before
            raise
        if early_stopping is not None:
            early_stopping.use_the_best()

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
        self,
        state: State,
        path: str | os.PathLike[str],
        checkpoint: Mapping[str, Any] | None = None,
        of_rounds: Mapping[str, NDArray[Any]] = MappingProxyType({}),
    ) -> None:
        """Write a state, how far its training has come, and what rounds to come depend on."""
        vectors = self._make_vectors(state) if state.vectors is None else state.vectors
        others = {name: tensor for name, tensor in state.tensors().items() if name != "input_vectors"}
        others |= of_rounds
        description = {
            "estimator": type(self).__name__,
            "parameters": state.given,
            "history": [asdict(epoch) for epoch in state.history],
        }
        model_file.write(path, description, others, vectors._contents(), checkpoint)

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
        for name, shape in model._shapes(len(vocabulary)).items():
            matrix = model_file.matrix(saved.tensors, name, shape)
            parameters[name] = np.array(matrix) if isinstance(matrix, np.memmap) else matrix
            check_finite(name, parameters[name], "row", vocabulary.words)
        tree = HuffmanTree.of_tensors(saved.tensors, len(vocabulary)) if model._has_tree() else None
        history = model_file.records(saved.description["history"], Epoch)
        model._state = State(vocabulary, parameters, model._given(), saved.metadata, tree, history)
        return model


def _is_true(answer: object) -> bool:
    """Return whether a callback asks for the end of the training, and does not return something else."""
    return isinstance(answer, (bool, np.bool_)) and bool(answer)


def _copy_all(sources: Iterable[NDArray[Any]], targets: Iterable[NDArray[Any]]) -> None:
    for source, target in zip(sources, targets, strict=True):
        target[:] = source


def _hash(state: State | None) -> str:
    if state is None:
        return "none"
    return fingerprint(state.vocabulary, *state.tensors().values())
