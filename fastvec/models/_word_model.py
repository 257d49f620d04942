"""What all models of words share: parameters, vocabulary, starting values, the training, going on, saving.

A model of its own says which matrices it has, checks the parameters that it adds, and binds its kernel. What
it has learned is one `State`, which takes the place of an earlier one only while the training goes well.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastvec import _backends
from fastvec._params import check_bool, check_float, check_int
from fastvec._sampling import alias_table, keep_thresholds
from fastvec._training import CHUNK, Epoch, Schedule, TrainChunk, padded_matrix, train, usable_threads
from fastvec.corpus import Corpus
from fastvec.models import _files
from fastvec.models._going_on import grown, ids_in
from fastvec.models._learning_rates import LEARNING_RATES
from fastvec.models._state import Learner, Matrices, State
from fastvec.vectors import Vectors
from fastvec.vocabulary import Vocabulary

__all__ = ["Text", "WordModel"]

# Starting values drawn at once: 16 MB of them.
BLOCK = 1 << 22

Model = TypeVar("Model", bound="WordModel")


class Text(NamedTuple):
    """What a kernel walks over: ids of the model's vocabulary, where sentences end, and which words stay."""

    ids: NDArray[np.int32]
    sentence_offsets: NDArray[np.int64]
    keep: NDArray[np.uint32]


@dataclass(kw_only=True, eq=False, repr=False)
class WordModel(Learner, ABC):
    """The base of all models of words; its parameters are described with `SkipGram`."""

    vector_size: int = 100
    window: int = 5
    negatives: int = 5
    min_count: int = 5
    max_vocab: int | None = None
    subsample: float = 1e-3
    noise_exponent: float = 0.75
    learning_rate: float | None = None
    min_learning_rate: float = 0.0001
    epochs: int = 5
    threads: int | None = None
    seed: int = 1
    progress: bool = False
    callbacks: Iterable[Callable[[Any], object]] = ()

    # Input vectors start uniform in ±START / (2 d).
    START: ClassVar[float] = 1
    # The extensions of the files that hold a whole model.
    EXTENSIONS: ClassVar[tuple[str, ...]] = (".fvec",)

    # What a model says about itself.

    @abstractmethod
    def _variant(self) -> tuple[str, str, bool]:
        """Return the key of the model in `LEARNING_RATES`."""

    @abstractmethod
    def _kernel(self) -> str:
        """Return the name of the kernel that trains the model."""

    @abstractmethod
    def _rows(self, n_words: int) -> dict[str, int]:
        """Return the names of the model's matrices and how many rows they have."""

    @abstractmethod
    def _bind(self, state: State, parameters: Matrices, text: Text) -> TrainChunk:
        """Return the kernel with all its arguments but those that change from chunk to chunk.

        `parameters` are those of `state` with their rows padded as the kernels want them.
        """

    def _fixed(self) -> tuple[str, ...]:
        """Return the parameters that training that goes on must leave as they are."""
        return ("vector_size",)

    def _check_own_params(self) -> None:
        """Raise if a parameter that the model adds to the common ones is not what it must be."""

    def _tables(
        self, counts: NDArray[np.int64], before: State | None, places: NDArray[np.intp] | None
    ) -> dict[str, NDArray[Any]]:
        """Return the tables for words of such counts.

        `before` is what was learned so far, None at first, and `places` the new ids of its words, None if
        they are what they were.
        """
        return {}

    def _load_tables(self, tensors: Mapping[str, NDArray[Any]], n_words: int) -> dict[str, NDArray[Any]]:
        """Return the tables among the tensors of a file, checked."""
        return {}

    def _chunk(self, n_words: int) -> int:
        """Return how many tokens a thread is handed at once."""
        return CHUNK

    def _make_vectors(self, state: State) -> Vectors:
        vocabulary, matrix = state.vocabulary, state.parameters["input_vectors"]
        return Vectors(vocabulary.words, matrix, vocabulary.counts, state.metadata)

    # What was learned.

    @property
    def history_(self) -> list[Epoch]:
        """Loss, learning rate, time and speed of every epoch."""
        return self._learned("history_").history

    @property
    def output_vectors_(self) -> NDArray[np.float32]:
        """The vectors of the words as what is predicted."""
        return self._parameter("output_vectors_")

    def _parameter(self, name: str) -> NDArray[np.float32]:
        state = self._learned(name)
        if name[:-1] not in state.parameters:
            raise AttributeError(f"{type(self).__name__} was not trained so that there are {name}")
        return state.parameters[name[:-1]]

    # What all of them do.

    def check_params(self) -> None:
        """Raise the error of `fit` if a parameter is not what it must be.

        Raises
        ------
        TypeError, ValueError
            Naming the parameter, the rule and the value.
        """
        check_int("vector_size", self.vector_size, 1, 4096)
        check_int("window", self.window, 1, 1000)
        check_int("negatives", self.negatives, 1, 1000)
        self._check_own_params()
        check_int("min_count", self.min_count, 1)
        if self.max_vocab is not None:
            check_int("max_vocab", self.max_vocab, 1)
        check_float("subsample", self.subsample, minimum=0)
        check_float("noise_exponent", self.noise_exponent)
        if self.learning_rate is not None:
            check_float("learning_rate", self.learning_rate, above=0)
        check_float(
            "min_learning_rate", self.min_learning_rate, minimum=0, maximum=self.first_learning_rate()
        )
        check_int("epochs", self.epochs, 1)
        if self.threads is not None:
            check_int("threads", self.threads, 1, 4096)
        check_int("seed", self.seed, 0)
        check_bool("progress", self.progress)
        for callback in self.callbacks:
            if not callable(callback):
                raise TypeError(f"callbacks must be callables, got {callback!r}")

    def first_learning_rate(self) -> float:
        """Return the step size at the start: `learning_rate`, or what its None stands for."""
        return LEARNING_RATES[self._variant()] if self.learning_rate is None else self.learning_rate

    def fit(self: Model, corpus: Any, update_vocabulary: bool = False) -> Model:
        """Learn vectors for the words of a corpus, or go on learning with another one.

        The first call starts from random vectors. Every further one goes on from what was learned, with a new
        run of the learning rate from its first to its last value, on `corpus` as it is: words that the
        model does not know are left out as if they were not there. While it runs it needs room for a second
        copy of the parameters, so that vectors taken before stay as they are.

        If the training diverges, the model is what it was before the call. If Ctrl-C ends it (see
        `interrupted_`), or an error in a callback, what was learned until then is there.

        Parameters
        ----------
        corpus : Corpus, or anything that `Corpus` takes
            The text: a path, a list of paths, or an iterable of token sequences.
        update_vocabulary : bool
            Whether a model that goes on also takes in new words, those that `min_count` and `max_vocab`
            leave of the words of `corpus`. Counts are added up, the words are put in descending order again,
            and new words start as all words did at first. The first call takes in words anyway.

        Returns
        -------
        WordModel
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the corpus is not what it must be, if `min_count` leaves no word, if the model
            knows no word of the corpus, or if a parameter has changed that must stay as it was.
        FloatingPointError
            If the training diverges.
        """
        self.check_params()
        check_bool("update_vocabulary", update_vocabulary)
        before = self._state
        if before is not None:
            self._check_unchanged(before)
        _backends.get(self._kernel())  # an error here comes before the corpus is read
        if not isinstance(corpus, Corpus):
            corpus = Corpus(corpus, progress=self.progress)

        threads = usable_threads() if self.threads is None else self.threads
        state, parameters = self._start(corpus, before, update_vocabulary, threads)
        ids = corpus.ids if before is None else ids_in(state.vocabulary, corpus)
        keep = keep_thresholds(state.vocabulary.keep_probabilities(self.subsample))
        text = Text(ids, corpus.sentence_offsets, keep)
        schedule = Schedule(
            n_tokens=corpus.n_tokens,
            epochs=self.epochs,
            learning_rate=self.first_learning_rate(),
            min_learning_rate=self.min_learning_rate,
            threads=threads,
            seed=self.seed,
            chunk=self._chunk(len(state.vocabulary)),
            epochs_before=len(state.history),
        )
        train_chunk = self._bind(state, parameters, text)

        def after_epoch(epoch: Epoch) -> None:
            state.history.append(epoch)
            self._state = state
            for callback in self.callbacks:
                callback(self)
            state.vectors = None  # the next epoch changes them

        try:
            state.interrupted = train(
                train_chunk,
                schedule,
                tuple(parameters.values()),
                progress=self.progress,
                after_epoch=after_epoch,
            )
        except FloatingPointError:
            self._state = before
            raise
        trained = state.history[schedule.epochs_before :]
        if not any(epoch.pairs for epoch in trained) and not state.interrupted:
            self._state = before
            raise ValueError(
                f"corpus must have a sentence with two words of the vocabulary, got none: "
                f"{state.vocabulary!r}, subsample={self.subsample}"
            )
        return self

    def check_path(self, path: str | os.PathLike[str]) -> None:
        """Raise the error of `save` if a path has not the extension of a file that holds a whole model.

        Raises
        ------
        ValueError
            Naming the extensions and the path.
        """
        if Path(path).suffix.lower() not in self.EXTENSIONS:
            rule = f"end in {' or '.join(self.EXTENSIONS)} to hold a whole {type(self).__name__}"
            raise ValueError(f"path must {rule}, got {os.fspath(path)!r}")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save all that was learned, so that `fastvec.load_model` gives the estimator back.

        Parameters
        ----------
        path : str or path-like
            A file with the extension ``.fvec``. `fastvec.load` reads the vectors in it.

        Raises
        ------
        AttributeError
            Before `fit`.
        OSError
            When the file cannot be written, no space being left for example.
        ValueError
            When the extension is another one.
        """
        self.check_path(path)
        state = self._learned("vectors_ to save")
        others = {name: matrix for name, matrix in state.parameters.items() if name != "input_vectors"}
        _files.write(
            path,
            self.vectors_,
            {**others, **state.tables},
            type(self).__name__,
            state.given,
            state.history,
        )

    @classmethod
    def _restored(cls: type[Model], saved: _files.Saved) -> Model:
        """Return the estimator that a file holds, when all that it says fits together.

        Raises
        ------
        TypeError, ValueError
            When it does not.
        """
        model = cls(**saved.given)
        model.check_params()
        vocabulary, tensors = Vocabulary(saved.words, saved.counts), saved.tensors
        parameters = {}
        for name, n_rows in model._rows(len(vocabulary)).items():
            matrix, shape = tensors.get(name, np.empty(0)), (n_rows, model.vector_size)
            if matrix.dtype != np.float32 or matrix.shape != shape:
                raise ValueError(
                    f"{name} must be float32 of shape {shape}, got {matrix.dtype} of shape {matrix.shape}"
                )
            parameters[name] = np.array(matrix) if isinstance(matrix, np.memmap) else matrix
        tables = model._load_tables(tensors, len(vocabulary))
        model._state = State(vocabulary, parameters, tables, model._given(), saved.metadata, saved.history)
        return model

    def _start(
        self, corpus: Corpus, before: State | None, update_vocabulary: bool, threads: int
    ) -> tuple[State, Matrices]:
        """Return the state that the training starts from, and its parameters with their padding."""
        places: NDArray[np.intp] | None = None
        if before is None:
            vocabulary = corpus.vocabulary.head(self.min_count, self.max_vocab)
            parameters = self._fresh(len(vocabulary), self.seed)
        elif update_vocabulary:
            old = before.vocabulary
            vocabulary, places = grown(old, corpus.vocabulary, self.min_count, self.max_vocab)
            parameters = self._fresh(len(vocabulary), [self.seed, len(old)])
            self._take_over(parameters, before, places)
        else:
            vocabulary = before.vocabulary
            parameters = {name: padded_matrix(*matrix.shape) for name, matrix in before.parameters.items()}
            self._take_over(parameters, before, np.arange(len(vocabulary)))
        given = self._given()
        named = {"estimator": type(self).__name__, **given}
        state = State(
            vocabulary=vocabulary,
            parameters={name: matrix[:, : self.vector_size] for name, matrix in parameters.items()},
            tables=self._tables(vocabulary.counts, before, places),
            given=given,
            metadata={**named, "learning_rate": self.first_learning_rate(), "threads": threads},
            history=[] if before is None else list(before.history),
        )
        return state, parameters

    def _fresh(self, n_words: int, seed: int | list[int]) -> Matrices:
        """Return matrices to start from, with their padding: random input vectors, all others zero."""
        d = self.vector_size
        parameters = {name: padded_matrix(n, d) for name, n in self._rows(n_words).items()}
        inputs = parameters["input_vectors"]
        generator = np.random.default_rng(seed)
        at_once = max(1, BLOCK // d)
        for begin in range(0, len(inputs), at_once):
            block = inputs[begin : begin + at_once, :d]
            block[:] = (generator.random(block.shape, dtype=np.float32) - 0.5) * self.START / d
        return parameters

    def _take_over(self, parameters: Matrices, before: State, places: NDArray[np.intp]) -> None:
        """Copy the parameters of the state before; its word i is now word places[i].

        Input and output vectors have a row for each word, and perhaps others after these; the rows of the
        other matrices stay where they are, new ones come after them.
        """
        n_old = len(before.vocabulary)
        n_new = n_old + len(parameters["input_vectors"]) - len(before.parameters["input_vectors"])
        for name, old in before.parameters.items():
            new = parameters[name][:, : self.vector_size]
            if name in ("input_vectors", "output_vectors"):
                new[places] = old[:n_old]
                new[n_new:] = old[n_old:]
            else:
                new[: len(old)] = old

    def _check_unchanged(self, before: State) -> None:
        for name in self._fixed():
            was, now = before.given[name], getattr(self, name)
            if now != was:
                raise ValueError(
                    f"{name} must be {was!r} as in the training so far, got {now!r}; "
                    "a new estimator starts from the beginning"
                )

    def _noise(self, vocabulary: Vocabulary) -> NDArray[np.uint32]:
        return alias_table(vocabulary.noise_probabilities(self.noise_exponent))
