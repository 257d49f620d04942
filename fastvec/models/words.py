"""What all models of words share: parameters, vocabulary, training from any text, new words.

What tells them from each other is a row of ``losses.py`` and the parameters of their own.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import check_bool, check_float, check_int
from fastvec.corpus import Corpus
from fastvec.corpus.ids import remapped
from fastvec.corpus.vocabulary import Vocabulary, by_frequency
from fastvec.models.base import EpochModel, Matrices, State
from fastvec.models.checkpoints import EVERY, fingerprint
from fastvec.models.losses import Loss, paths
from fastvec.training.copies import Copies
from fastvec.training.held_out import hold_out
from fastvec.training.huffman import HuffmanTree
from fastvec.training.loop import CHUNK, Schedule
from fastvec.training.matrices import padded_copies
from fastvec.training.progress import warn
from fastvec.training.tables import keep_thresholds
from fastvec.training.team import Team
from fastvec.training.threads import number_of_threads
from fastvec.vectors import Vectors

__all__ = ["WordModel"]

# The learning rate at the end, unless the one at the start is too near to it.
LAST_LEARNING_RATE = 1e-4
# For `deterministic`: how many steps a batch has, and how many contexts of a word count, at most; contexts of
# a step (MAX_SHARED of step.pxd); the sum of step sizes by which a batch may move a row; what inputs have in
# common at the root of a tree, at least. With twice the sum, texts of few words diverge.
MOST_STEPS, MOST_CONTEXTS, CONTEXTS_AT_ONCE, FARTHEST, AT_ROOT = 64, 32, 16, 0.8, 1 / 3
# Words that a text has up to 50 times are always kept: a word of relative frequency f is for certain if
# subsample >= 0.382 f.
ALWAYS_KEPT = 0.382 * 50
# Subsampling that leaves a smaller share of a text's words is warned of.
FEWEST_LEFT = 1 / 20
# Blocks of a text in a random order, if it has as many words.
FEWEST_BLOCKS = 128
# Where every word is scored: the multiply-adds that a thread is handed at once, some hundredths of a second
# of work, and the fewest tokens of that, four updates of 16 windows.
MULTIPLY_ADDS_AT_ONCE, FEWEST_TOKENS = 1 << 29, 64
# With more words than this it takes hours, which is warned of. The multiply-adds a second and thread are an
# assumption (20 Gflop/s) to tell hours from weeks.
MANY_WORDS, SPEED = 50_000, 1e10

Model = TypeVar("Model", bound="WordModel")


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
    deterministic: bool = False
    seed: int = 1
    progress: bool = False
    callbacks: Iterable[Callable[[Any], object]] = ()

    @abstractmethod
    def _loss(self) -> Loss:
        """Return the row of the model and its loss."""

    @abstractmethod
    def _arguments(self) -> dict[str, Any]:
        """Return the arguments of kernels that follow from the parameters, by name."""

    def _check_own_params(self) -> None:
        """Validate the parameters that the model adds to the common ones."""

    def _shapes(self, n_words: int) -> dict[str, tuple[int, int]]:
        matrices = self._loss().matrices
        return {matrix.name: (matrix.n_rows(self, n_words), self.vector_size) for matrix in matrices}

    def _fixed(self) -> tuple[str, ...]:
        return (*super()._fixed(), *self._loss().fixed)

    def _has_tree(self) -> bool:
        return paths in self._loss().tables

    def _make_vectors(self, state: State) -> Vectors:
        vocabulary, matrix = state.vocabulary, state.parameters["input_vectors"]
        return Vectors(vocabulary.words, matrix, vocabulary.counts, state.metadata)

    @property
    def output_vectors_(self) -> NDArray[np.float32]:
        """The vectors of the words in the role of what is predicted; not with the hierarchical softmax."""
        return self._parameter("output_vectors_")

    def _parameter(self, name: str) -> NDArray[np.float32]:
        state = self._learned(name)
        if name[:-1] not in state.parameters:
            raise AttributeError(f"{type(self).__name__} was trained without {name}")
        return state.parameters[name[:-1]]

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
        check_bool("deterministic", self.deterministic)
        check_int("seed", self.seed, 0)
        check_bool("progress", self.progress)

    def first_learning_rate(self) -> float:
        """Return the initial step size: `learning_rate`, or the value that None stands for.

        Returns
        -------
        float
            The step size.
        """
        if self.learning_rate is not None:
            return self.learning_rate
        loss = self._loss()
        if loss.unscaled is None or self._arguments()["scale_gradient"]:
            return loss.learning_rate
        return loss.unscaled

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
        y: object = None,
        *,
        update_vocabulary: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int | str = EVERY,
        resume: bool = False,
    ) -> Model:
        """Learn vectors for the words of a corpus, or continue learning on another one.

        The first call starts from random vectors. Further calls continue from what has been learned, with a
        new run of the learning rate from its first to its last value. Words that the model does not know are
        skipped. Training needs memory for a second copy of the parameters, so that `vectors_` obtained before
        do not change, and with `deterministic` for one more.

        If training diverges, the model stays as it was before the call. If a signal such as Ctrl-C,
        `stop` (see `interrupted_`), or a callback that returns True or raises an error ends it, what has been
        learned so far is kept.

        Parameters
        ----------
        corpus : Corpus, or anything that `Corpus` takes
            The text: a path, a list of paths, or an iterable of token sequences.
        y : object
            Ignored; for compatibility with scikit-learn.
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
            `progress` and `callbacks`. With ``threads=1``, and with `deterministic` for any numbers of
            threads, the result is that of a run without interruption, bit for bit.

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
        check_bool("update_vocabulary", update_vocabulary)
        before, checkpoints = self._begin(checkpoint, checkpoint_every, resume)
        if not isinstance(corpus, Corpus):
            corpus = Corpus(corpus, memory_limit=self.memory_limit, progress=self.progress)

        loss = self._loss()
        threads = number_of_threads(self.threads)
        if self.deterministic and not loss.by_team:
            threads = 1
        state, parameters = self._start(corpus, before, update_vocabulary)
        ids = corpus.ids if before is None else ids_in(state.vocabulary, corpus, self.memory_limit)
        counts = state.vocabulary.counts if before is None else counts_in(state.vocabulary, corpus)
        kept = self._keep_probabilities(state.vocabulary, counts)
        keep = keep_thresholds(kept)
        n_words = len(state.vocabulary)
        tables: dict[str, Any] = {}
        for table in loss.tables:
            tables |= table(self, state)
        crew: Team | Copies | None = None
        frequencies = counts * kept / max(float(counts @ kept), 1)
        if self.deterministic and loss.by_team:
            steps = self._steps_of_batch(state.vocabulary, frequencies, tables)
            crew = Team(parameters, threads, steps, whole_rows=kernels.selected() == "reference")
            threads = len(crew.members)
        elif loss.by_copies and threads > 1 and kernels.selected() != "reference":
            numbers = {"node_vectors": ("path_nodes", tables["path_nodes"])} if self._has_tree() else {}
            uses = self._uses(state.vocabulary, frequencies, tables)
            crew = Copies(parameters, threads, uses, self._moves(frequencies, tables), numbers)
        state.metadata["threads"] = threads
        if loss.cost is not None and n_words > MANY_WORDS:
            self._warn_of_hours(loss.cost(self, n_words), state.vocabulary, keep, len(ids))
        of_size = [name for name in ("window", "negatives") if name in loss.arguments]
        schedule = Schedule(
            n_positions=corpus.n_tokens,
            epochs=self.epochs,
            learning_rate=self.first_learning_rate(),
            min_learning_rate=self.last_learning_rate(),
            threads=threads,
            seed=self.seed,
            chunk=self._chunk(n_words, corpus.n_tokens),
            shuffle=self.shuffle,
            epochs_before=len(state.history),
            untrained_loss=loss.untrained(self, n_words),
            with_params=" and ".join(f"{name}={getattr(self, name)}" for name in of_size),
        )
        arguments = {name: self._arguments()[name] for name in loss.arguments} | tables
        train_chunk = partial(
            kernels.get(loss.kernel).train,
            ids=ids,
            sentence_offsets=corpus.sentence_offsets,
            keep=keep,
            **parameters,
            **arguments,
        )

        if checkpoints is not None:
            text_hash = fingerprint(corpus.vocabulary, corpus.ids, corpus.sentence_offsets)
            checkpoints.source = {"corpus": text_hash, "update_vocabulary": str(update_vocabulary)}
        held_out = hold_out(ids, corpus.sentence_offsets, counts)
        self._train(train_chunk, schedule, state, parameters, held_out, checkpoints, crew=crew)
        trained = state.history[schedule.epochs_before :]
        if not any(epoch.pairs for epoch in trained) and not state.interrupted:
            self._state = before
            raise self._without_pairs(state.vocabulary, ids, corpus.sentence_offsets)
        return self

    def _steps_of_batch(
        self, vocabulary: Vocabulary, frequencies: NDArray[np.float64], tables: Mapping[str, Any]
    ) -> int:
        """Return how many steps a team may take with scores from before all of them.

        As many as move no row too far: one that is in most steps takes the sum of their moves, each as if it
        were the first. `frequencies` are those of the words of a text that are not dropped.
        """
        arguments, rate = self._arguments(), self.first_learning_rate()
        shared = arguments.get("shared", True)
        contexts = min(self.window + 1, MOST_CONTEXTS) if shared else 1
        common = max(overlap(frequencies, tables), 1 / self.vector_size)
        targets = self.negatives if arguments.get("loss") == "bpr" else 1
        if self._has_tree():
            of_input = common
            of_output = 1 if arguments["cbow"] else contexts * max(common, AT_ROOT)
        else:
            noise_probabilities = vocabulary.noise_probabilities(self.noise_exponent)
            of_input = common * (targets + self.negatives)
            of_output = targets * frequencies.max() + self.negatives * noise_probabilities.max()
            of_output *= 1 if arguments["cbow"] else contexts
        if not (arguments["cbow"] and arguments["scale_gradient"]):
            of_input *= contexts
        # The word in the middle of a long window is in several steps, one after the other.
        in_middle = targets + self.negatives if "subwords" in tables else targets
        is_long = not arguments["cbow"] and self.window >= CONTEXTS_AT_ONCE
        if is_long and in_middle * (self.window + 1) * rate > FARTHEST:
            of_output = max(of_output, in_middle * (CONTEXTS_AT_ONCE if shared else 1))
        return int(np.clip(FARTHEST / (max(of_input, of_output) * rate), 1, MOST_STEPS))

    def _uses(
        self, vocabulary: Vocabulary, frequencies: NDArray[np.float64], tables: Mapping[str, Any]
    ) -> dict[str, NDArray[np.float64]]:
        """Return how often each input row comes in, and each output row is used, for a word of the text."""
        if self._has_tree():
            weights = np.repeat(frequencies, np.diff(tables["path_offsets"]))
            nodes = np.bincount(tables["path_nodes"], weights, len(vocabulary) - 1)
            return {"input_vectors": frequencies, "node_vectors": nodes.astype(np.float64)}
        outputs = frequencies + self.negatives * vocabulary.noise_probabilities(self.noise_exponent)
        return {"input_vectors": frequencies, "output_vectors": self._sets() * outputs}

    def _sets(self) -> int:
        """Return how many sets of a target and its negatives a window has, about."""
        return 1 if self._arguments().get("shared", True) else min(self.window + 1, MOST_CONTEXTS)

    def _moves(self, frequencies: NDArray[np.float64], tables: Mapping[str, Any]) -> dict[str, float]:
        """Return the sum of the step sizes by which a word of the text moves an input and an output row.

        An input of a word takes part in all windows that this is in, an output in one.
        """
        arguments, rate = self._arguments(), self.first_learning_rate()
        contexts = min(self.window + 1, MOST_CONTEXTS)
        cbow, mean = arguments["cbow"], arguments["cbow"] and arguments["scale_gradient"]
        if self._has_tree():
            outputs = float(frequencies @ np.diff(tables["path_offsets"]))
        else:
            outputs = (self.negatives if arguments.get("loss") == "bpr" else 1) + self.negatives
        of_input = rate * outputs * (1 if mean else contexts)
        of_output = rate * (1 if cbow or self._sets() > 1 else contexts)
        return {"input_vectors": of_input, "output_vectors": of_output, "node_vectors": of_output}

    def _start(self, corpus: Corpus, before: State | None, update_vocabulary: bool) -> tuple[State, Matrices]:
        """Return the initial state, and its parameters with padding."""
        if before is None:
            vocabulary = corpus.vocabulary.head(self.min_count, self.max_vocab)
            parameters = self._fresh(len(vocabulary), self.seed)
            if self._has_tree() and len(vocabulary) < 2:
                raise ValueError(f"loss={self._loss().name!r} needs two words, the vocabulary has one")
            tree = HuffmanTree.of_counts(vocabulary.counts) if self._has_tree() else None
        elif update_vocabulary:
            old = before.vocabulary
            vocabulary, places = with_new_words(old, corpus.vocabulary, self.min_count, self.max_vocab)
            parameters = self._fresh(len(vocabulary), [self.seed, len(old)])
            self._take_over(parameters, before, places)
            tree = None if before.tree is None else before.tree.with_more_words(places, vocabulary.counts)
        else:
            vocabulary, tree = before.vocabulary, before.tree
            parameters = padded_copies(before.parameters)
        given = self._given()
        state = State(
            vocabulary=vocabulary,
            parameters={name: matrix[:, : self.vector_size] for name, matrix in parameters.items()},
            given=given,
            metadata={
                "estimator": type(self).__name__,
                **given,
                "learning_rate": self.first_learning_rate(),
                "min_learning_rate": self.last_learning_rate(),
            },
            tree=tree,
            history=[] if before is None else list(before.history),
        )
        return state, parameters

    def _fresh(self, n_words: int, seed: int | list[int]) -> Matrices:
        """Return the matrices before training, with padding."""
        generator = np.random.default_rng(seed)
        return {matrix.name: matrix.at_start(self, n_words, generator) for matrix in self._loss().matrices}

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

    def _chunk(self, n_words: int, n_tokens: int) -> int:
        """Return the number of tokens that a thread is handed at once."""
        chunk, cost = CHUNK, self._loss().cost
        if cost is not None:
            chunk = min(chunk, max(FEWEST_TOKENS, MULTIPLY_ADDS_AT_ONCE // cost(self, n_words)))
        return min(chunk, max(1, n_tokens // FEWEST_BLOCKS)) if self.shuffle else chunk

    def _keep_probabilities(self, vocabulary: Vocabulary, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the probability with which each word is kept in a text where it occurs so often."""
        n_words = int(counts.sum())
        subsample = max(self.subsample, ALWAYS_KEPT / n_words) if self.subsample else 0
        probabilities = vocabulary.keep_probabilities(subsample)
        left = float(counts @ probabilities) / n_words
        if left < FEWEST_LEFT:
            warn(
                f"subsample={self.subsample} leaves {left:.1%} of the {n_words:,} words of the text: "
                "a larger value leaves more, 0 leaves all"
            )
        return probabilities

    def _warn_of_hours(
        self, cost: float, vocabulary: Vocabulary, keep: NDArray[np.uint32], n_tokens: int
    ) -> None:
        """Say how long an epoch with so many multiply-adds a window takes."""
        cost *= float(vocabulary.counts @ (keep + 1.0)) / 2**32 / vocabulary.total * n_tokens
        warn(
            f"loss={self._loss().name!r} over {len(vocabulary):,} words takes {cost:.0e} multiply-adds per "
            f"epoch, or {cost / SPEED / 3600:,.1f} hours on one thread at {SPEED:.0e} per second: "
            "reduce the vocabulary with max_vocab, or use another loss, which takes a small fraction of this"
        )

    def _without_pairs(
        self, vocabulary: Vocabulary, ids: NDArray[np.int32], sentence_offsets: NDArray[np.int64]
    ) -> ValueError:
        """Return the error of a text that had no pair of words to train on."""
        known_before = np.concatenate(([0], np.cumsum(ids < len(vocabulary))))
        if (np.diff(known_before[sentence_offsets]) < 2).all():
            return ValueError(
                f"corpus must have a sentence with two words of the vocabulary, got none: {vocabulary!r}"
            )
        return ValueError(
            f"subsample must leave two words in a sentence, got {self.subsample}, which did not in any: "
            "a larger value leaves more, 0 leaves all"
        )


def overlap(frequencies: NDArray[np.float64], tables: Mapping[str, Any]) -> float:
    """Return how much the input of a word has in common with that of another one of the text, at most.

    Parameters
    ----------
    frequencies : float64 array
        How often each word occurs, relative to all.
    tables : dict
        The tables of the loss, with the rows of n-grams if words have them.
    """
    if "subwords" not in tables:
        return float(frequencies.max())
    rows, begins = tables["subwords"], tables["subword_offsets"][::2]
    n_rows = np.diff(begins)
    of_rows = np.bincount(rows, weights=np.repeat(frequencies, n_rows))
    return float((np.add.reduceat(of_rows[rows], begins[:-1]) / n_rows).max())


def known_ids(vocabulary: Vocabulary, words: list[str]) -> NDArray[np.int32]:
    """Return the ids of words in a vocabulary; unknown words get its length."""
    unknown = len(vocabulary)
    return np.array([vocabulary.index.get(word, unknown) for word in words], np.int32)


def ids_in(vocabulary: Vocabulary, corpus: Corpus, memory_limit: int) -> NDArray[np.int32]:
    """Return the ids of a corpus as those of another vocabulary; unknown words get ids beyond it.

    If both together exceed `memory_limit`, the new ones are in a temporary file.

    Raises
    ------
    ValueError
        If all words are unknown.
    """
    new_ids = known_ids(vocabulary, corpus.vocabulary.words)
    if (new_ids == len(vocabulary)).all():
        raise ValueError(
            f"corpus must have words that the model knows, got {len(new_ids):,} distinct words that are "
            "all unknown; fit(corpus, update_vocabulary=True) adds those that min_count keeps"
        )
    same = np.array_equal(new_ids, np.minimum(np.arange(len(new_ids)), len(vocabulary)))
    return corpus.ids if same else remapped(corpus.ids, new_ids, memory_limit)


def counts_in(vocabulary: Vocabulary, corpus: Corpus) -> NDArray[np.int64]:
    """Return how often each word of a vocabulary occurs in a corpus."""
    ids = known_ids(vocabulary, corpus.vocabulary.words)
    known = ids < len(vocabulary)
    counts = np.zeros(len(vocabulary), np.int64)
    counts[ids[known]] = corpus.vocabulary.counts[known]
    return counts


def with_new_words(
    vocabulary: Vocabulary, other: Vocabulary, min_count: int, max_vocab: int | None
) -> tuple[Vocabulary, NDArray[np.intp]]:
    """Return a vocabulary with the counts and the new words of another one added.

    Parameters
    ----------
    vocabulary : Vocabulary
        The old words, which all stay; they come first among words of equal count.
    other : Vocabulary
        All words of the new corpus.
    min_count, max_vocab
        The arguments of `Vocabulary.head` that choose among the words of the new corpus.

    Returns
    -------
    vocabulary : Vocabulary
        The old and the new words, by descending count.
    places : int array
        The new id of every old word.
    """
    ids = known_ids(vocabulary, other.words)
    known = ids < len(vocabulary)
    counts = vocabulary.counts.copy()
    counts[ids[known]] += other.counts[known]
    chosen = len(other.head(min_count, max_vocab)) if other.counts[0] >= min_count else 0
    new = np.flatnonzero(~known[:chosen])
    words = vocabulary.words + [other.words[i] for i in new.tolist()]
    together, places = by_frequency(words, np.concatenate((counts, other.counts[new])))
    return together, places[: len(vocabulary)].astype(np.intp)
