"""What all models of words share: parameters, vocabulary, initial values, new words.

A model of its own says which matrices it has, checks the parameters that it adds, and binds its kernel.
"""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import check_bool, check_float, check_int
from fastvec.corpus import Corpus
from fastvec.corpus.vocabulary import Vocabulary
from fastvec.models.checkpoints import EVERY, fingerprint
from fastvec.models.continuing import counts_in, grown, ids_in
from fastvec.models.epochs import EpochModel, fill_uniform
from fastvec.models.state import Matrices, State
from fastvec.training.held_out import hold_out
from fastvec.training.loop import CHUNK, Schedule, TrainChunk, number_of_threads, padded_copies, padded_matrix
from fastvec.training.progress import warn
from fastvec.training.rates import LEARNING_RATES
from fastvec.training.tables import alias_table, keep_thresholds
from fastvec.vectors import Vectors

__all__ = ["Text", "WordModel"]

# The learning rate at the end, unless the one at the start is too near to it.
LAST_LEARNING_RATE = 1e-4
# Words that a text has up to 50 times are always kept: a word of relative frequency f is for certain if
# subsample >= 0.382 f.
ALWAYS_KEPT = 0.382 * 50
# The share of a text's words below which one wants to be told that subsampling has dropped the others.
FEWEST_LEFT = 1 / 20
# Blocks of a text in a random order, if it has as many words.
FEWEST_BLOCKS = 128

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
    min_learning_rate: float | None = None
    epochs: int = 5
    shuffle: bool = False
    memory_limit: int = 2**32
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
        if self.min_learning_rate is not None:
            check_float(
                "min_learning_rate", self.min_learning_rate, minimum=0, maximum=self.first_learning_rate()
            )
        self._check_epoch_params()
        check_bool("shuffle", self.shuffle)
        check_int("memory_limit", self.memory_limit, 1)
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

    def last_learning_rate(self) -> float:
        """Return the step size at the end: `min_learning_rate`, or the value that None stands for.

        Returns
        -------
        float
            The step size.
        """
        if self.min_learning_rate is None:
            return min(LAST_LEARNING_RATE, self.first_learning_rate() / 10)
        return self.min_learning_rate

    def fit(
        self: Model,
        corpus: Any,
        update_vocabulary: bool = False,
        *,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int | str = EVERY,
        resume: bool = False,
    ) -> Model:
        """Learn vectors for the words of a corpus, or continue learning on another one.

        The first call starts from random vectors. Further calls continue from what has been learned, with a
        new run of the learning rate from its first to its last value. Words that the model does not know are
        skipped. Training needs memory for a second copy of the parameters, so that `vectors_` obtained before
        do not change.

        If training diverges, the model stays as it was before the call. If a signal such as Ctrl-C,
        `stop` (see `interrupted_`), or a callback that returns True or raises an error ends it, what has been
        learned so far is kept.

        Parameters
        ----------
        corpus : Corpus, or anything that `Corpus` takes
            The text: a path, a list of paths, or an iterable of token sequences.
        update_vocabulary : bool
            Whether to add new words to a trained model: the words of `corpus` that `min_count` and
            `max_vocab` keep. Counts are added, words are sorted by count again, and new words start from
            random vectors. The first call always builds the vocabulary.
        checkpoint : str or path-like, optional
            A file, ``.fvec``, that keeps the state of the training from its start on: every
            `checkpoint_every`, when it is ended early, and when it is finished. `load_model` reads it as a
            model. The file of an unfinished run is not replaced by another run.
        checkpoint_every : int or str
            Number of epochs between two checkpoints, or a time: ``"30s"``, ``"10m"``, ``"2h"``.
        resume : bool
            Whether to continue the run in `checkpoint` if the file exists, else start one. The corpus, what
            was learned before and all parameters must be the same, except `threads`, `memory_limit`,
            `progress` and `callbacks`. With ``threads=1`` the result is that of a run without interruption,
            bit for bit.

        Returns
        -------
        WordModel
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the corpus is invalid, if `min_count` leaves no word, if the model
            knows no word of the corpus, if a parameter was changed that must not change, or if the run in
            `checkpoint` is another one.
        FloatingPointError
            If training diverges.
        """
        self.check_params()
        check_bool("update_vocabulary", update_vocabulary)
        checkpoints = self._checkpoints(checkpoint, checkpoint_every, resume)
        self._stopping = False
        before = self._state
        if before is not None:
            self._check_unchanged(before)
        kernels.selected()  # an error here comes before the corpus is read
        if not isinstance(corpus, Corpus):
            corpus = Corpus(corpus, memory_limit=self.memory_limit, progress=self.progress)

        threads = number_of_threads(self.threads)
        state, parameters = self._start(corpus, before, update_vocabulary, threads)
        ids = corpus.ids if before is None else ids_in(state.vocabulary, corpus, self.memory_limit)
        counts = state.vocabulary.counts if before is None else counts_in(state.vocabulary, corpus)
        keep = keep_thresholds(self._keep_probabilities(state.vocabulary, counts))
        text = Text(ids, corpus.sentence_offsets, keep)
        chunk = self._chunk(len(state.vocabulary))
        if self.shuffle:
            chunk = min(chunk, max(1, corpus.n_tokens // FEWEST_BLOCKS))
        schedule = Schedule(
            n_positions=corpus.n_tokens,
            epochs=self.epochs,
            learning_rate=self.first_learning_rate(),
            min_learning_rate=self.last_learning_rate(),
            threads=threads,
            seed=self.seed,
            chunk=chunk,
            shuffle=self.shuffle,
            epochs_before=len(state.history),
            **self._expected(len(state.vocabulary)),
        )
        train_chunk = self._bind(state, parameters, text)

        if checkpoints is not None:
            text_hash = fingerprint(corpus.vocabulary, corpus.ids, corpus.sentence_offsets)
            checkpoints.source = {"corpus": text_hash, "update_vocabulary": str(update_vocabulary)}
        held_out = hold_out(ids, corpus.sentence_offsets, counts)
        self._train(train_chunk, schedule, state, parameters, held_out, checkpoints)
        trained = state.history[schedule.epochs_before :]
        if not any(epoch.pairs for epoch in trained) and not state.interrupted:
            self._state = before
            raise self._without_pairs(state.vocabulary, text)
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
            metadata={
                **named,
                "learning_rate": self.first_learning_rate(),
                "min_learning_rate": self.last_learning_rate(),
                "threads": threads,
            },
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

    def _keep_probabilities(self, vocabulary: Vocabulary, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the probability with which each word is kept in a text where it occurs so often."""
        n_words = int(counts.sum())
        subsample = max(self.subsample, ALWAYS_KEPT / n_words) if self.subsample else 0
        probabilities = vocabulary.keep_probabilities(subsample)
        left = float(counts @ probabilities) / n_words
        if left < FEWEST_LEFT:
            warn(
                f"subsample={self.subsample} leaves {left:.1%} of the {n_words:,} words of the text: "
                "a larger value leaves more, 0 leaves all",
                stacklevel=3,
            )
        return probabilities

    def _without_pairs(self, vocabulary: Vocabulary, text: Text) -> ValueError:
        """Return the error of a text that had no pair of words to train on."""
        known_before = np.concatenate(([0], np.cumsum(text.ids < len(vocabulary))))
        if (np.diff(known_before[text.sentence_offsets]) < 2).all():
            return ValueError(
                f"corpus must have a sentence with two words of the vocabulary, got none: {vocabulary!r}"
            )
        return ValueError(
            f"subsample must leave two words in a sentence, got {self.subsample}, which did not in any: "
            "a larger value leaves more, 0 leaves all"
        )

    def _noise(self, vocabulary: Vocabulary) -> NDArray[np.uint32]:
        return alias_table(vocabulary.noise_probabilities(self.noise_exponent))
