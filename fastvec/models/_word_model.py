"""What all models of words share: parameters, vocabulary, initial values, new words.

A model of its own says which matrices it has, checks the parameters that it adds, and binds its kernel.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastvec import _backends
from fastvec._params import check_bool, check_float, check_int
from fastvec._sampling import alias_table, keep_thresholds
from fastvec._training import CHUNK, Schedule, TrainChunk, number_of_threads, padded_copies, padded_matrix
from fastvec.corpus import Corpus
from fastvec.models._epoch_model import EpochModel, fill_uniform
from fastvec.models._going_on import grown, ids_in
from fastvec.models._learning_rates import LEARNING_RATES
from fastvec.models._state import Matrices, State
from fastvec.vectors import Vectors
from fastvec.vocabulary import Vocabulary

__all__ = ["Text", "WordModel"]

Model = TypeVar("Model", bound="WordModel")


class Text(NamedTuple):
    """The input of a kernel: ids of the vocabulary, ends of sentences, thresholds for keeping words."""

    ids: NDArray[np.int32]
    sentence_offsets: NDArray[np.int64]
    keep: NDArray[np.uint32]


@dataclass(kw_only=True, eq=False, repr=False)
class WordModel(EpochModel, ABC):
    """The base of all models of words."""

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

    # What a model says about itself.

    @abstractmethod
    def _variant(self) -> tuple[str, str, bool]:
        """Return the key of the model in `LEARNING_RATES`."""

    @abstractmethod
    def _kernel(self) -> str:
        """Return the name of the kernel that trains the model."""

    @abstractmethod
    def _bind(self, state: State, parameters: Matrices, text: Text) -> TrainChunk:
        """Return the kernel with all arguments bound that do not change from chunk to chunk.

        `parameters` are those of `state` with their rows padded as the kernels want them.
        """

    def _check_own_params(self) -> None:
        """Validate the parameters that the model adds to the common ones."""

    def _tables(
        self, counts: NDArray[np.int64], before: State | None, places: NDArray[np.intp] | None
    ) -> dict[str, NDArray[Any]]:
        """Return the tables for words of such counts.

        `before` is what was learned so far, None at first, and `places` the new ids of its words, None if
        they are what they were.
        """
        return {}

    def _expected(self, n_words: int) -> dict[str, Any]:
        """Return what `Schedule` is told to recognize divergence by: all outputs are zero at first."""
        return {
            "untrained_loss": (1 + self.negatives) * math.log(2),
            "with_params": f"window={self.window} and negatives={self.negatives}",
        }

    def _chunk(self, n_words: int) -> int:
        """Return the number of tokens per chunk."""
        return CHUNK

    def _make_vectors(self, state: State) -> Vectors:
        vocabulary, matrix = state.vocabulary, state.parameters["input_vectors"]
        return Vectors(vocabulary.words, matrix, vocabulary.counts, state.metadata)

    # What was learned.

    @property
    def output_vectors_(self) -> NDArray[np.float32]:
        """The vectors of the words in the role of what is predicted; not with the hierarchical softmax."""
        return self._parameter("output_vectors_")

    def _parameter(self, name: str) -> NDArray[np.float32]:
        state = self._learned(name)
        if name[:-1] not in state.parameters:
            raise AttributeError(f"{type(self).__name__} was trained without {name}")
        return state.parameters[name[:-1]]

    # What all of them do.

    def check_params(self) -> None:
        """Validate the parameters.

        Raises
        ------
        TypeError, ValueError
            The message names the parameter, the rule and the value.
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
        self._check_epoch_params()
        if self.threads is not None:
            check_int("threads", self.threads, 1, 4096)
        check_int("seed", self.seed, 0)
        check_bool("progress", self.progress)

    def first_learning_rate(self) -> float:
        """Return the initial step size: `learning_rate`, or the value that None stands for.

        Returns
        -------
        float
            The step size.
        """
        return LEARNING_RATES[self._variant()] if self.learning_rate is None else self.learning_rate

    def fit(self: Model, corpus: Any, update_vocabulary: bool = False) -> Model:
        """Learn vectors for the words of a corpus, or continue learning on another one.

        The first call starts from random vectors. Further calls continue from what has been learned, with a
        new run of the learning rate from its first to its last value. Words that the model does not know are
        skipped. Training needs memory for a second copy of the parameters, so that `vectors_` obtained before
        do not change.

        If training diverges, the model stays as it was before the call. If Ctrl-C (see `interrupted_`) or an
        error in a callback ends it, what has been learned so far is kept.

        Parameters
        ----------
        corpus : Corpus, or anything that `Corpus` takes
            The text: a path, a list of paths, or an iterable of token sequences.
        update_vocabulary : bool
            Whether to add new words to a trained model: the words of `corpus` that `min_count` and
            `max_vocab` keep. Counts are added, words are sorted by count again, and new words start from
            random vectors. The first call always builds the vocabulary.

        Returns
        -------
        WordModel
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the corpus is invalid, if `min_count` leaves no word, if the model
            knows no word of the corpus, or if a parameter was changed that must not change.
        FloatingPointError
            If training diverges.
        """
        self.check_params()
        check_bool("update_vocabulary", update_vocabulary)
        before = self._state
        if before is not None:
            self._check_unchanged(before)
        _backends.get(self._kernel())  # an error here comes before the corpus is read
        if not isinstance(corpus, Corpus):
            corpus = Corpus(corpus, progress=self.progress)

        threads = number_of_threads(self.threads)
        state, parameters = self._start(corpus, before, update_vocabulary, threads)
        ids = corpus.ids if before is None else ids_in(state.vocabulary, corpus)
        keep = keep_thresholds(state.vocabulary.keep_probabilities(self.subsample))
        text = Text(ids, corpus.sentence_offsets, keep)
        schedule = Schedule(
            n_positions=corpus.n_tokens,
            epochs=self.epochs,
            learning_rate=self.first_learning_rate(),
            min_learning_rate=self.min_learning_rate,
            threads=threads,
            seed=self.seed,
            chunk=self._chunk(len(state.vocabulary)),
            epochs_before=len(state.history),
            **self._expected(len(state.vocabulary)),
        )
        train_chunk = self._bind(state, parameters, text)

        self._train(train_chunk, schedule, state, parameters)
        trained = state.history[schedule.epochs_before :]
        if not any(epoch.pairs for epoch in trained) and not state.interrupted:
            self._state = before
            raise ValueError(
                f"corpus must have a sentence with two words of the vocabulary, got none: "
                f"{state.vocabulary!r}, subsample={self.subsample}"
            )
        return self

    def _start(
        self, corpus: Corpus, before: State | None, update_vocabulary: bool, threads: int
    ) -> tuple[State, Matrices]:
        """Return the initial state, and its parameters with padding."""
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
            parameters = padded_copies(before.parameters)
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
        """Return initial matrices with padding: random input vectors, all others zero."""
        d = self.vector_size
        parameters = {name: padded_matrix(n, d) for name, n in self._rows(n_words).items()}
        fill_uniform(parameters["input_vectors"][:, :d], d / self.START, np.random.default_rng(seed))
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

    def _noise(self, vocabulary: Vocabulary) -> NDArray[np.uint32]:
        return alias_table(vocabulary.noise_probabilities(self.noise_exponent))
