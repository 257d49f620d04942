"""What all models of words share: parameters, vocabulary, training from any text, new words.

What tells them from each other is a row of ``losses.py`` and the parameters of their own.
"""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, pairwise
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import check_bool, check_float, check_int, check_item, shortened
from fastvec.corpus import Corpus
from fastvec.corpus.selection import (
    check_words,
    counts_in,
    given_vocabulary,
    known_ids,
    output_rows,
    provenance_with,
    recoded,
    select,
)
from fastvec.corpus.tags import check_untagged
from fastvec.corpus.vocabulary import Vocabulary, by_frequency
from fastvec.finite_differences import GradientReport
from fastvec.models.base import EpochModel, Learner, Matrices, State
from fastvec.models.checkpoints import EVERY, CheckpointFile
from fastvec.models.given import Given, frozen_words, given_vectors, noted, sources, start_words
from fastvec.models.gradients import check_steps
from fastvec.models.losses import Loss, noise, paths
from fastvec.models.prediction import log_likelihoods, log_probabilities, log_softmax, pooled_context
from fastvec.models.recommendation import distance_weights, log_prior, pooled_session
from fastvec.models.sessions import REACH, in_random_order
from fastvec.training.copies import Copies
from fastvec.training.held_out import SHORTEST_TEXT, hold_out
from fastvec.training.huffman import HuffmanTree
from fastvec.training.loop import CHUNK, Schedule
from fastvec.training.matrices import MakeMatrix, in_memory, padded_copies
from fastvec.training.passes import FEWEST, MOST_OF_LONG_STEPS, passes_over
from fastvec.training.progress import warn
from fastvec.training.rounds import CHUNK as WORDS_OF_CHUNK
from fastvec.training.rounds import Rounds
from fastvec.training.tables import keep_thresholds
from fastvec.training.team import Team
from fastvec.training.threads import number_of_threads
from fastvec.vectors import Subwords, SubwordVectors, Vectors

__all__ = ["WordModel", "raised_subsample"]

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
    window: int | None = 5
    dynamic_window: bool = True
    negatives: int = 5
    min_count: int = 5
    max_vocab: int | None = None
    keep: Collection[str | int] | None = None
    drop: Collection[str | int] | None = None
    subsample: float = 1e-3
    noise_exponent: float = 0.75
    learning_rate: float | None = None
    min_learning_rate: float | None = None
    epochs: int | None = None
    shuffle: bool = False
    early_stopping: bool = False
    patience: int = 2
    memory_limit: int = 2**32
    threads: int | None = None
    deterministic: bool = False
    seed: int = 1
    progress: bool = False
    callbacks: Iterable[Callable[..., object]] = ()
    loss: str = "negative_sampling"

    # How many epochs there are by default, at most.
    _MOST_EPOCHS: ClassVar[int] = MOST_OF_LONG_STEPS

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
        return Vectors(vocabulary.words, matrix, vocabulary.counts, state.description())

    @property
    def output_vectors_(self) -> NDArray[np.float32]:
        """The vectors of the words in the role of what is predicted; not with the hierarchical softmax."""
        return self._parameter("output_vectors_")

    @property
    def node_vectors_(self) -> NDArray[np.float32]:
        """The vectors of the inner nodes of the tree; only with the hierarchical softmax."""
        return self._parameter("node_vectors_")

    @property
    def tree_(self) -> HuffmanTree:
        """The tree of the hierarchical softmax; its `paths()` lead from the root to every word."""
        tree = self._learned("tree_").tree
        if tree is None:
            raise AttributeError(f"{type(self).__name__} was trained without a tree_: loss={self.loss!r}")
        return tree

    def _new_tree(self, counts: NDArray[np.int64]) -> HuffmanTree:
        """Return the tree of words of such descending counts."""
        return HuffmanTree.of_counts(counts)

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
        if self.window is not None:
            check_int("window", self.window, 1, 1000)
        check_bool("dynamic_window", self.dynamic_window)
        check_int("negatives", self.negatives, 1, 1000)
        self._check_own_params()
        check_int("min_count", self.min_count, 1)
        if self.max_vocab is not None:
            check_int("max_vocab", self.max_vocab, 1)
        check_words("keep", self.keep)
        check_words("drop", self.drop)
        check_float("subsample", self.subsample, minimum=0)
        check_float("noise_exponent", self.noise_exponent)
        if self.learning_rate is not None:
            check_float("learning_rate", self.learning_rate, above=0)
        if self.min_learning_rate is not None:
            check_float(
                "min_learning_rate", self.min_learning_rate, minimum=0, maximum=self.first_learning_rate()
            )
        if self.epochs is not None:
            check_int("epochs", self.epochs, 1)
        self._check_callbacks()
        check_bool("shuffle", self.shuffle)
        check_bool("early_stopping", self.early_stopping)
        check_int("patience", self.patience, 1)
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
        arguments, loss = self._arguments(), self._loss()
        if arguments["mean"]:
            exact, unscaled = loss.learning_rate, loss.unscaled
        else:
            assert loss.summed is not None
            exact, unscaled = loss.summed, loss.summed_unscaled
        return exact if arguments["scale_gradient"] or unscaled is None else unscaled

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

    def predict(
        self, context: Iterable[str | int | None], topn: int | None = 10
    ) -> list[tuple[str, float]] | NDArray[np.float64]:
        """Return the words that are most probable in the middle of a context.

        Their probabilities follow from the mean, or the sum, of the vectors of the context, see
        ``fastvec/models/prediction.py``: a softmax of its products with the output vectors, as gensim's
        `predict_output_word` has it, or the paths of the tree. With ``loss="bpr"`` their order alone means
        something.

        Parameters
        ----------
        context : list of words
            The words around the one to be predicted; those that the model does not know are left out, unless
            they have n-grams. None may stand in the place of that word, and must with `position_weights`.
        topn : int, optional
            Number of words to return; None for all probabilities as an array, in the order of the vocabulary.

        Returns
        -------
        list of (str, float), or float64 array, shape (n_words,)
            Words and probabilities, in descending order.

        Raises
        ------
        AttributeError
            Before `fit`.
        TypeError, ValueError
            If something in the context is no word, no word of it is known, or a parameter was changed that
            must not change.

        Examples
        --------
        >>> import fastvec
        >>> text = [["to", "be", "or", "not", "to", "be"]] * 50
        >>> model = fastvec.CBOW(vector_size=8, epochs=50, window=2, threads=1).fit(text)
        >>> model.predict(["be", "not"], topn=1)[0][0]
        'or'
        """
        state = self._learned("vectors_ to predict with")
        self._check_fixed(state)
        if isinstance(context, (str, bytes)) or not isinstance(context, Iterable):
            raise TypeError(f"context must be a list of words, got {context!r}")
        if topn is not None:
            check_int("topn", topn, 1)
        hidden = pooled_context(
            list(context),
            state.given["window"],
            partial(self._rows_of, state),
            state.parameters.get("position_weights"),
            self._arguments()["mean"],
        )
        logarithms = log_probabilities(state, hidden)
        return np.exp(logarithms) if topn is None else most_probable(state.vocabulary, logarithms, topn)

    def recommend(
        self, session: Iterable[str | int], topn: int | None = 10, *, exclude_seen: bool = False
    ) -> list[tuple[str, float]] | NDArray[np.float64]:
        """Return the items that are most likely to come next in a session, or to join a basket.

        Cosines, and the products that `predict` compares, know what goes together, but not how popular it is:
        training compares items with noise, and drops frequent ones. This adds what both have taken away, see
        ``fastvec/models/recommendation.py``, so that probabilities are those of the sessions trained on.

        The items that count are those within a window of the next one, later ones more, as in training; with
        ``window=None`` they are all, and alike.

        Parameters
        ----------
        session : list of items
            The items so far, in their order; those that the model does not know are left out, unless they
            have n-grams.
        topn : int, optional
            Number of items to return; None for all probabilities as an array, in the order of the vocabulary.
        exclude_seen : bool
            Whether not to recommend what the session has already, as for baskets.

        Returns
        -------
        list of (str, float), or float64 array, shape (n_words,)
            Items and probabilities, in descending order.

        Raises
        ------
        AttributeError
            Before `fit`.
        TypeError, ValueError
            If something in the session is no item, no item of it is known, or a parameter is invalid or was
            changed that must not change.

        Examples
        --------
        >>> import fastvec
        >>> baskets = [["bread", "butter", "jam"], ["bread", "butter"], ["beer", "crisps"]] * 50
        >>> model = fastvec.SkipGram(vector_size=8, window=None, epochs=50, threads=1).fit(baskets)
        >>> [item for item, probability in model.recommend(["bread"], topn=2, exclude_seen=True)]
        ['butter', 'jam']
        """
        state = self._learned("vectors_ to recommend with")
        self._check_fixed(state)
        if isinstance(session, (str, bytes)) or not isinstance(session, Iterable):
            raise TypeError(f"session must be a list of items, got {session!r}")
        items = [check_item("session", item) for item in session]
        if topn is not None:
            check_int("topn", topn, 1)
        exclude_seen = check_bool("exclude_seen", exclude_seen)
        window = state.given["window"]
        known = filter(len, (self._rows_of(state, item) for item in reversed(items)))
        rows = [*islice(known, window)][::-1]
        if not rows:
            raise ValueError(f"session must have an item that the model knows, got {shortened(items)}")
        hidden = pooled_session(
            rows,
            distance_weights(len(rows), window if state.given["dynamic_window"] else None),
            state.parameters.get("position_weights"),
            self._arguments()["mean"],
        )
        scores = log_probabilities(state, hidden) + log_prior(
            state,
            state.given["noise_exponent"] if noise in self._loss().tables else None,
            raised_subsample(state.given["subsample"], state.vocabulary.total),
        )
        candidates = np.ones(len(scores), np.bool_)
        if exclude_seen:
            index = state.vocabulary.index
            candidates[[index[item] for item in items if item in index]] = False
        logarithms = np.full(len(scores), -np.inf)
        if candidates.any():
            logarithms[candidates] = log_softmax(scores[candidates])
        return np.exp(logarithms) if topn is None else most_probable(state.vocabulary, logarithms, topn)

    def score(self, sentences: Any, y: object = None) -> NDArray[np.float64]:
        """Return the log-likelihood of sentences, which tells texts like that of the training from others.

        It is the sum of the logarithms of the probabilities that windows of the full size give to the words
        of a sentence that the model knows: as gensim's `score` with the hierarchical softmax, and exact for
        the softmax too. Negative sampling and BPR have no probabilities that sum to 1.

        Parameters
        ----------
        sentences : Corpus, or anything that `Corpus` takes
            The sentences: a path, a list of paths, or an iterable of token sequences.
        y : object
            Ignored; for compatibility with scikit-learn.

        Returns
        -------
        float64 array, shape (n_sentences,)
            The log-likelihoods, 0 where no two words are known.

        Raises
        ------
        AttributeError
            Before `fit`.
        ValueError
            If the loss is another one, or a parameter was changed that must not change.
        """
        state = self._learned("vectors_ to score with")
        self._check_fixed(state)
        if self._loss().name not in ("hierarchical_softmax", "softmax"):
            exact = "" if self._subwords() is not None else " or 'softmax'"
            raise ValueError(
                f"loss must be 'hierarchical_softmax'{exact} to score sentences, got "
                f"{self._loss().name!r}, whose scores are no probabilities"
            )
        if not isinstance(sentences, Corpus):
            sentences = Corpus(sentences, keep_empty=True, memory_limit=self.memory_limit)
        new_ids = known_ids(state.vocabulary, sentences.vocabulary.words)
        of_sentences = (
            new_ids[sentences.ids[begin:end]] for begin, end in pairwise(sentences.sentence_offsets.tolist())
        )
        known = (ids[ids < len(state.vocabulary)] for ids in of_sentences)
        arguments, words = self._arguments(), state.vocabulary.words
        return log_likelihoods(
            state,
            known,
            lambda word: self._rows_of(state, words[word]),
            cbow=arguments["cbow"],
            mean=arguments["mean"],
            centre_predicts=not self._has_tree() or self._subwords() is not None,
        )

    def check_gradient(
        self, sentences: Any, *, epsilon: float = 1e-4, sample: int | None = None, seed: int = 0
    ) -> GradientReport:
        """Compare the gradient at the learned parameters with finite differences, in double precision.

        The cost is the sum of the losses of all windows of some sentences, whose words are all kept. The
        gradient is what the steps of the NumPy reference follow, which the tests compare with the kernels.
        Rows of words that are not in the sentences are checked if a step moves them, as those of noise words.

        With ``scale_gradient=False``, the default of `FastText`, input vectors move farther than the gradient
        says, and that is what the report says.

        Parameters
        ----------
        sentences : Corpus, or anything that `Corpus` takes
            Some sentences: the time is in proportion to their words and to the coordinates.
        epsilon : float
            Step size of the differences.
        sample : int, optional
            Number of coordinates to check, chosen at random; all by default.
        seed : int
            Seed of the choice, and of the sizes of windows and the noise words.

        Returns
        -------
        GradientReport
            The largest error. Its `worst` is the name of the parameter, a row and a column.

        Raises
        ------
        AttributeError
            Before `fit`.
        TypeError, ValueError
            If a parameter is invalid, or no sentence has two words that the model knows.

        Examples
        --------
        >>> import fastvec
        >>> text = [["to", "be", "or", "not", "to", "be"]] * 50
        >>> model = fastvec.CBOW(vector_size=4, threads=1).fit(text)
        >>> model.check_gradient(text[:1]).ok()
        True
        """
        state = self._learned("vectors_ to check the gradient of")
        self.check_params()
        self._check_fixed(state)
        check_int("seed", seed, 0)
        if not isinstance(sentences, Corpus):
            sentences = Corpus(sentences, memory_limit=self.memory_limit)
        n_words = len(state.vocabulary)
        ids = known_ids(state.vocabulary, sentences.vocabulary.words)[sentences.ids]
        known_before = np.concatenate(([0], np.cumsum(ids < n_words)))
        if not (np.diff(known_before[sentences.sentence_offsets]) >= 2).any():
            raise ValueError(
                "sentences must have one with two words that the model knows, got none: "
                f"{sentences.vocabulary!r}"
            )
        words = np.unique(ids[ids < n_words])
        loss = self._loss()
        arguments: dict[str, Any] = {}
        for table in loss.tables:
            arguments |= table(self, state)
        arguments |= {name: self._arguments()[name] for name in loss.arguments}
        parameters, inputs, rows = (
            dict(state.parameters),
            None,
            {"input_vectors": words, "output_vectors": words},
        )
        if "subwords" in arguments:  # there may be millions of rows, of which these words have few
            inputs = rows_of_words(words, arguments)
            numbers = np.zeros(len(parameters["input_vectors"]), np.int32)
            numbers[inputs] = np.arange(len(inputs))
            arguments["subwords"] = numbers[arguments["subwords"]]
            parameters["input_vectors"] = parameters["input_vectors"][inputs]
            rows["input_vectors"] = np.arange(len(inputs))
        train = partial(
            kernels.get(loss.kernel, "reference").train,
            ids=ids,
            sentence_offsets=sentences.sentence_offsets,
            start=0,
            stop=len(ids),
            keep=keep_thresholds(np.ones(n_words)),
            dynamic_window=self._is_dynamic(),
            key=seed,
            loss_every=1,
            **arguments,
        )

        def take(matrices: dict[str, NDArray[np.float64]], learning_rate: float) -> float:
            total, *_ = train(**{**matrices, "learning_rate": learning_rate})
            return float(total)

        matrices = {name: matrix.astype(np.float64) for name, matrix in parameters.items()}
        report = check_steps(take, matrices, rows, epsilon=epsilon, sample=sample, seed=seed)
        name, row, column = report.worst
        if inputs is not None and name == "input_vectors":
            row = int(inputs[row])
        return replace(report, worst=(name, row, column))

    def _rows_of(self, state: State, word: str) -> NDArray[np.float32]:
        """Return the rows that a word is as an input, none if it is unknown."""
        place = state.vocabulary.index.get(word)
        rows = state.parameters["input_vectors"]
        return rows[:0] if place is None else rows[place : place + 1]

    def fit(
        self: Model,
        corpus: Any,
        y: object = None,
        *,
        vocabulary: Any = None,
        start_from: Vectors | Learner | None = None,
        freeze: bool | Iterable[str] = False,
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
        vocabulary : Vocabulary, dict of words and counts, or list of words, optional
            The words to learn, instead of those that `min_count`, `max_vocab`, `keep` and `drop` choose.
            Those of a list have their counts in the text, and 1 where it does not have them. Only in the
            first call.
        start_from : Vectors or estimator, optional
            Vectors from elsewhere, as `fastvec.load` reads them, or a fitted estimator with its vectors: the
            words that it has start there, and not from random values. Output vectors start from
            zero, as usual, or are those of the estimator if it has any. With n-grams, vectors that have the
            same n-grams give the rows of all of them; for vectors without, the row of each word is chosen
            such that the word has the given vector. After the first call only new words start there, with
            `update_vocabulary`.
        freeze : bool or list of words
            Words whose vectors stay as they are, bit for bit, while all else learns: True for all that start
            from `start_from`, or a list of words, of which those not in the vocabulary are ignored.
            With n-grams, the rows of the n-grams of these words stay as well.
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
        return self._fit(
            corpus,
            self.threads,
            None,
            vocabulary=vocabulary,
            start_from=start_from,
            freeze=freeze,
            update_vocabulary=update_vocabulary,
            checkpoint=checkpoint,
            checkpoint_every=checkpoint_every,
            resume=resume,
        )

    def _fit(
        self: Model,
        corpus: Any,
        threads: int | None,
        in_rounds: Callable[[partial[Any]], Rounds] | None,
        make: MakeMatrix = in_memory,
        *,
        vocabulary: Any,
        start_from: Vectors | Learner | None,
        freeze: bool | Iterable[str],
        update_vocabulary: bool,
        checkpoint: str | os.PathLike[str] | None,
        checkpoint_every: int | str,
        resume: bool,
    ) -> Model:
        """Learn, see `fit`, with other threads than the parameter says, or in rounds.

        `in_rounds` returns who trains, for what trains on a chunk: a kernel with all other arguments. `make`
        makes the matrices.
        """
        check_bool("update_vocabulary", update_vocabulary)
        before, checkpoints = self._begin(checkpoint, checkpoint_every, resume)
        if self.early_stopping and checkpoints is not None:
            raise ValueError(
                "early_stopping must be False with a checkpoint, which does not have the best epoch so far, "
                f"got {self.early_stopping!r}"
            )
        given = given_vectors(start_from, self.vector_size)
        if given is not None and before is not None and not update_vocabulary:
            raise ValueError(
                "start_from must be None after the first call of fit, which goes on from what was learned, "
                "unless update_vocabulary=True adds words"
            )
        if vocabulary is not None and before is not None:
            raise ValueError(
                "vocabulary must be None after the first call of fit, which has chosen the words"
            )
        if not isinstance(corpus, Corpus):
            corpus = Corpus(corpus, memory_limit=self.memory_limit, progress=self.progress)

        loss = self._loss()
        if not loss.by_tags or before is not None or in_rounds is not None:
            check_untagged(corpus)
        threads = number_of_threads(threads)
        if self.deterministic and not loss.by_team:
            threads = 1
        # the most frequent words have the ids of the text
        same_ids = before is None and vocabulary is None and not (self.keep or self.drop)
        provenance = provenance_with(vocabulary, corpus)
        if vocabulary is not None:
            vocabulary = given_vocabulary(vocabulary, corpus.vocabulary)
        elif before is None:
            vocabulary = select(corpus.vocabulary, self.min_count, self.max_vocab, self.keep, self.drop)
        if before is None and self._subwords() is not None:  # n-grams are of letters
            vocabulary = Vocabulary([*map(str, vocabulary.words)], vocabulary.counts)
        state, parameters = self._start(corpus, before, vocabulary, update_vocabulary, given, make)
        state.output_of = output_rows(corpus, state.vocabulary)
        frozen = frozen_words(freeze, state.vocabulary, given)
        ids = corpus.ids if same_ids else ids_in(state.vocabulary, corpus, self.memory_limit)
        counts = state.vocabulary.counts if same_ids else counts_in(state.vocabulary, corpus.vocabulary)
        kept = self._keep_probabilities(state, counts)
        keep = keep_thresholds(kept)
        n_words = len(state.vocabulary)
        tables: dict[str, Any] = {}
        for table in loss.tables:
            tables |= table(self, state)
        if state.output_of is not None:
            tables["output_of"] = state.output_of
        crew: Team | Copies | Rounds | None = None
        frequencies = counts * kept / max(float(counts @ kept), 1)
        if self.deterministic and loss.by_team and in_rounds is None:
            steps = self._steps_of_batch(state, frequencies, tables)
            crew = Team(parameters, threads, steps, whole_rows=kernels.selected() == "reference")
            threads = len(crew.members)
        elif loss.by_copies and threads > 1 and frozen is None and kernels.selected() != "reference":
            numbers = {"node_vectors": ("path_nodes", tables["path_nodes"])} if self._has_tree() else {}
            uses = self._uses(state, frequencies, tables)
            crew = Copies(parameters, threads, uses, self._moves(frequencies, tables), numbers)
        epochs = self._number_of_epochs(int(counts.sum()), before, checkpoints)
        state.metadata |= {"threads": threads, "epochs": epochs, **self._provenance([provenance], before)}
        state.metadata |= noted(given, frozen)
        if loss.cost is not None and n_words > MANY_WORDS:
            self._warn_of_hours(loss.cost(self, n_words), state.vocabulary, keep, len(ids))
        has_outputs = given is not None and given.output_vectors is not None
        of_size = [name for name in ("window", "negatives") if name in loss.arguments]
        schedule = Schedule(
            n_positions=corpus.n_tokens,
            epochs=epochs,
            learning_rate=self.first_learning_rate(),
            min_learning_rate=self.last_learning_rate(),
            threads=threads,
            seed=self.seed,
            chunk=self._chunk(n_words, corpus.n_tokens) if in_rounds is None else WORDS_OF_CHUNK,
            shuffle=self.shuffle,
            epochs_before=len(state.history),
            untrained_loss=math.inf if has_outputs else loss.untrained(self, n_words),
            with_params=" and ".join(f"{name}={getattr(self, name)}" for name in of_size),
        )
        arguments = {name: self._arguments()[name] for name in loss.arguments} | tables
        frozen_rows = None
        if frozen is not None:
            all_of_given = given if isinstance(freeze, (bool, np.bool_)) else None
            frozen_rows = self._frozen_rows(state, frozen, all_of_given)
        text = {"ids": ids, "sentence_offsets": corpus.sentence_offsets}
        train = partial(
            kernels.get(loss.kernel).train,
            keep=keep,
            dynamic_window=self._is_dynamic(),
            frozen=frozen_rows,
            **parameters,
            **arguments,
        )
        train_chunk: Any = (
            partial(train, **text) if self.window is not None else in_random_order(train, **text)
        )

        held_out = hold_out(ids, corpus.sentence_offsets, counts)
        if self.early_stopping and held_out.trained_on:
            raise ValueError(
                f"early_stopping needs a text of {SHORTEST_TEXT:,} words, some of which are held out, got "
                f"{len(ids):,} words, none of which can be spared"
            )
        of_lanes: dict[str, Any] = dict.fromkeys(("lanes", "rounds", "lanes_per_worker"), "none")
        if in_rounds is not None:
            crew = in_rounds(train_chunk)
            of_crew = crew.lanes, crew.per_epoch, crew.lanes_per_worker
            of_lanes |= zip(of_lanes, of_crew, strict=True)
            state.metadata |= of_lanes
        if checkpoints is not None:
            text_hash = corpus.provenance["sha256"]
            checkpoints.source = {"corpus": text_hash, "update_vocabulary": str(update_vocabulary)}
            checkpoints.source |= sources(state, given, frozen)
            checkpoints.source |= {name: str(value) for name, value in of_lanes.items()}
        self._train(
            train_chunk,
            schedule,
            state,
            parameters,
            held_out,
            checkpoints,
            put_back=None if state.output_of is None else state.copy_outputs,
            crew=crew,
            patience=self.patience if self.early_stopping else None,
        )
        trained = state.history[schedule.epochs_before :]
        if not any(epoch.pairs for epoch in trained) and not state.interrupted:
            self._state = before
            raise self._without_pairs(state.vocabulary, ids, corpus.sentence_offsets)
        return self

    def _number_of_epochs(
        self, n_words: int, before: State | None = None, checkpoints: CheckpointFile | None = None
    ) -> int:
        """Return `epochs`, or for None those of a run to be resumed, or of a text of so many words."""
        if self.epochs is not None:
            return self.epochs
        begun = None if checkpoints is None else checkpoints.value_of("epochs")
        if begun is not None:
            return check_int("epochs", begun, 1)
        return passes_over(n_words, self._MOST_EPOCHS) if before is None else FEWEST

    def _steps_of_batch(
        self, state: State, frequencies: NDArray[np.float64], tables: Mapping[str, Any]
    ) -> int:
        """Return how many steps a team may take with scores from before all of them.

        As many as move no row too far: one that is in most steps takes the sum of their moves, each as if it
        were the first. `frequencies` are those of the words of a text that are not dropped.
        """
        arguments, rate = self._arguments(), self.first_learning_rate()
        shared = arguments.get("shared", True)
        contexts = min(self._contexts(), MOST_CONTEXTS) if shared else 1
        common = max(overlap(frequencies, tables), 1 / self.vector_size)
        targets = self.negatives if arguments.get("loss") == "bpr" else 1
        if self._has_tree():
            of_input = common
            of_output = 1 if arguments["cbow"] else contexts * max(common, AT_ROOT)
        else:
            noise_probabilities = state.noise_probabilities(self.noise_exponent)
            of_input = common * (targets + self.negatives)
            of_output = targets * state.of_outputs(frequencies).max()
            of_output += self.negatives * noise_probabilities.max()
            of_output *= 1 if arguments["cbow"] else contexts
        of_input *= self._input_moves(contexts, frequencies, tables)
        # The word in the middle of a long window is in several steps, one after the other.
        in_middle = targets + self.negatives if "subwords" in tables and not self._has_tree() else targets
        is_long = not arguments["cbow"] and self._reach() >= CONTEXTS_AT_ONCE
        if is_long and in_middle * self._contexts() * rate > FARTHEST:
            of_output = max(of_output, in_middle * (CONTEXTS_AT_ONCE if shared else 1))
        return int(np.clip(FARTHEST / (max(of_input, of_output) * rate), 1, MOST_STEPS))

    def _uses(
        self, state: State, frequencies: NDArray[np.float64], tables: Mapping[str, Any]
    ) -> dict[str, NDArray[np.float64]]:
        """Return how often each input row comes in, and each output row is used, for a word of the text."""
        if self._has_tree():
            weights = np.repeat(frequencies, np.diff(tables["path_offsets"]))
            nodes = np.bincount(tables["path_nodes"], weights, len(state.vocabulary) - 1).astype(np.float64)
            if "subwords" in tables:  # whose inputs are not copied, and whose targets are merged
                return {"node_vectors": nodes if self._arguments()["cbow"] else nodes * self._contexts()}
            return {"input_vectors": frequencies, "node_vectors": nodes}
        outputs = state.of_outputs(frequencies)
        outputs = outputs + self.negatives * state.noise_probabilities(self.noise_exponent)
        return {"input_vectors": frequencies, "output_vectors": self._sets() * outputs}

    def _reach(self) -> int:
        """Return the largest distance of a context, in a text or in a sentence in random order."""
        return REACH if self.window is None else self.window

    def _is_dynamic(self) -> bool:
        """Return whether every centre has a distance of its own."""
        return self.dynamic_window and self.window is not None

    def _contexts(self) -> int:
        """Return how many contexts a word has, on average and at most."""
        return self._reach() + 1 if self._is_dynamic() else 2 * self._reach()

    def _sets(self) -> int:
        """Return how many sets of a target and its negatives a window has, about."""
        return 1 if self._arguments().get("shared", True) else min(self._contexts(), MOST_CONTEXTS)

    def _moves(self, frequencies: NDArray[np.float64], tables: Mapping[str, Any]) -> dict[str, float]:
        """Return the sum of the step sizes by which a word of the text moves an input and an output row.

        An input of a word takes part in all windows that this is in, an output in one.
        """
        arguments, rate = self._arguments(), self.first_learning_rate()
        contexts = min(self._contexts(), MOST_CONTEXTS)
        cbow = arguments["cbow"]
        if self._has_tree():
            outputs = float(frequencies @ np.diff(tables["path_offsets"]))
        else:
            outputs = (self.negatives if arguments.get("loss") == "bpr" else 1) + self.negatives
        of_input = rate * outputs * self._input_moves(contexts, frequencies, tables)
        of_output = rate * (1 if cbow or self._sets() > 1 else contexts)
        return {"input_vectors": of_input, "output_vectors": of_output, "node_vectors": of_output}

    def _input_moves(
        self, contexts: float, frequencies: NDArray[np.float64], tables: Mapping[str, Any]
    ) -> float:
        """Return how far h is moved by all windows that a word is in, where one with −η ∂J/∂h counts 1."""
        arguments = self._arguments()
        if not (arguments["cbow"] and arguments["scale_gradient"]):
            return contexts
        if arguments["mean"]:
            return 1
        rows = np.diff(tables["subword_offsets"][::2]) if "subwords" in tables else np.ones_like(frequencies)
        return contexts * contexts * float(frequencies @ rows)

    def _start(
        self,
        corpus: Corpus,
        before: State | None,
        vocabulary: Vocabulary,
        update_vocabulary: bool,
        given_to_start: Given | None,
        make: MakeMatrix,
    ) -> tuple[State, Matrices]:
        """Return the initial state, and its parameters with padding."""
        places = np.empty(0, np.intp)
        if before is None:
            parameters = self._fresh(len(vocabulary), self.seed, make)
            if self._has_tree() and len(vocabulary) < 2:
                raise ValueError(f"loss={self._loss().name!r} needs two words, the vocabulary has one")
            tree = self._new_tree(vocabulary.counts) if self._has_tree() else None
        elif update_vocabulary:
            old = before.vocabulary
            vocabulary, places = with_new_words(
                old, corpus.vocabulary, self.min_count, self.max_vocab, self.keep, self.drop
            )
            parameters = self._fresh(len(vocabulary), [self.seed, len(old)], make)
            self._take_over(parameters, before, places)
            tree = None if before.tree is None else before.tree.with_more_words(places, vocabulary.counts)
        else:
            vocabulary, tree = before.vocabulary, before.tree
            parameters = padded_copies(before.parameters, make)
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
        if given_to_start is not None:
            is_new = np.ones(len(vocabulary), np.bool_)
            is_new[places] = False
            start_words(state.parameters, vocabulary, given_to_start, self._subwords(), is_new)
        return state, parameters

    def _subwords(self) -> Subwords | None:
        """Return the n-grams of words, if these have any."""
        return None

    def _frozen_rows(self, state: State, frozen: NDArray[np.bool_], given: Given | None) -> NDArray[np.uint8]:
        """Return 1 for the rows of the input vectors that make up the vectors of frozen words, else 0.

        With `given`, all that came from there is frozen.
        """
        rows = np.zeros(len(state.parameters["input_vectors"]), np.uint8)
        subwords = self._subwords()
        own_rows = len(frozen) if subwords is None else subwords.own_rows(len(frozen))
        rows[:own_rows] = frozen[:own_rows]
        if subwords is not None:
            offsets, of_words = subwords.rows(state.vocabulary.words)
            rows[of_words[np.repeat(frozen, np.diff(offsets))]] = 1
            if given is not None and isinstance(given.vectors, SubwordVectors):
                rows[own_rows:] = 1
        return rows

    def _fresh(self, n_words: int, seed: int | list[int], make: MakeMatrix) -> Matrices:
        """Return the matrices before training, with padding."""
        generator = np.random.default_rng(seed)
        matrices = self._loss().matrices
        return {matrix.name: matrix.at_start(self, n_words, generator, make) for matrix in matrices}

    def _take_over(self, parameters: Matrices, before: State, places: NDArray[np.intp]) -> None:
        """Copy the parameters of the state before; its word i is now word places[i].

        Output vectors have a row for each word, and so have input vectors but as in floret, where perhaps
        others come after these; the rows of the other matrices stay where they are, new ones come after them.
        """
        n_old, subwords = len(before.vocabulary), self._subwords()
        of_words = {
            "input_vectors": n_old if subwords is None else subwords.own_rows(n_old),
            "output_vectors": n_old,
        }
        for name, old in before.parameters.items():
            new = parameters[name][:, : self.vector_size]
            if of_words.get(name):
                new[places] = old[:n_old]
                new[len(new) - len(old) + n_old :] = old[n_old:]
            else:
                new[: len(old)] = old

    def _chunk(self, n_words: int, n_tokens: int) -> int:
        """Return the number of tokens that a thread is handed at once."""
        chunk, cost = CHUNK, self._loss().cost
        if cost is not None:
            chunk = min(chunk, max(FEWEST_TOKENS, MULTIPLY_ADDS_AT_ONCE // cost(self, n_words)))
        return min(chunk, max(1, n_tokens // FEWEST_BLOCKS)) if self.shuffle else chunk

    def _keep_probabilities(self, state: State, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the probability with which each word is kept in a text where it occurs so often."""
        n_words = int(counts.sum())
        subsample = raised_subsample(self.subsample, n_words)
        probabilities = state.keep_probabilities(subsample)
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


def most_probable(
    vocabulary: Vocabulary, logarithms: NDArray[np.float64], topn: int
) -> list[tuple[str, float]]:
    """Return the most probable of the words that are possible, with probabilities, in descending order."""
    best = np.argsort(-logarithms, kind="stable")[: min(topn, int((logarithms > -np.inf).sum()))]
    return [(vocabulary.words[i], float(np.exp(logarithms[i]))) for i in best.tolist()]


def raised_subsample(subsample: float, n_words: int) -> float:
    """Return the value with which words that a text of `n_words` has up to 50 times are always kept."""
    return max(subsample, ALWAYS_KEPT / n_words) if subsample else 0


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


def rows_of_words(words: NDArray[np.int32], tables: Mapping[str, Any]) -> NDArray[np.int32]:
    """Return the different rows of n-grams and words that some words have, in rising order."""
    begins = tables["subword_offsets"][::2]
    rows = [tables["subwords"][begins[word] : begins[word + 1]] for word in words.tolist()]
    return np.unique(np.concatenate(rows))


def ids_in(vocabulary: Vocabulary, corpus: Corpus, memory_limit: int) -> NDArray[np.int32]:
    """Return the ids of a corpus as those of another vocabulary; unknown words get ids beyond it.

    If both together exceed `memory_limit`, the new ones are in a temporary file.

    Raises
    ------
    ValueError
        If all words are unknown.
    """
    ids = recoded(corpus, vocabulary, memory_limit)
    if ids is None:
        raise ValueError(
            f"corpus must have words that the model knows, got {len(corpus.vocabulary):,} distinct words "
            "that are all unknown; fit(corpus, update_vocabulary=True) adds those that min_count keeps"
        )
    return ids


def with_new_words(
    vocabulary: Vocabulary,
    other: Vocabulary,
    min_count: int,
    max_vocab: int | None,
    keep: Collection[Any] | None = None,
    drop: Collection[Any] | None = None,
) -> tuple[Vocabulary, NDArray[np.intp]]:
    """Return a vocabulary with the counts and the new words of another one added.

    Parameters
    ----------
    vocabulary : Vocabulary
        The old words, which all stay; they come first among words of equal count.
    other : Vocabulary
        All words of the new corpus.
    min_count, max_vocab, keep, drop
        The arguments of `select` that choose among the words of the new corpus.

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
    try:
        chosen = select(other, min_count, max_vocab, keep, drop)
    except ValueError:  # there is none, and need not be
        chosen = Vocabulary([], np.empty(0, np.int64))
    is_chosen = known_ids(chosen, other.words) < len(chosen)
    new = np.flatnonzero(~known & is_chosen)
    words = vocabulary.words + [other.words[i] for i in new.tolist()]
    together, places = by_frequency(words, np.concatenate((counts, other.counts[new])))
    return together, places[: len(vocabulary)].astype(np.intp)
