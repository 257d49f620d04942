"""GloVe: vectors whose products are the logarithms of counts (Pennington, Socher and Manning 2014)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import check_choice, check_float, check_int
from fastvec.corpus import Corpus
from fastvec.corpus.fingerprint import fingerprint
from fastvec.corpus.selection import known_ids
from fastvec.corpus.vocabulary import Vocabulary
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.finite_differences import GradientReport
from fastvec.formats.spool import memory_left
from fastvec.models.base import CountModel, EpochModel, Learner, Matrices, State
from fastvec.models.checkpoints import EVERY
from fastvec.models.given import Given, common_words, frozen_words, given_vectors, noted, sources
from fastvec.models.gradients import check_steps
from fastvec.models.tiles import CHUNK, TileRounds, TileTrainer, in_tiles
from fastvec.peers.errors import naming_peers_parameters
from fastvec.training.loop import Schedule
from fastvec.training.matrices import fill_uniform, padded_copies, padded_matrix
from fastvec.training.threads import number_of_threads
from fastvec.vectors import Vectors

__all__ = ["GloVe"]

COMBINATIONS = ("sum", "word", "concatenate")
MATRICES = ("word_vectors", "context_vectors", "word_squares", "context_squares")
# The sum of squares of a number that AdaGrad is to leave as it is: its steps are divided by 1e15.
FIXED = 1e30


@naming_peers_parameters
@dataclass(kw_only=True, eq=False, repr=False)
class GloVe(EpochModel, CountModel):
    """GloVe: word vectors whose products are the logarithms of counts.

    The text is read once to count how often words occur near each other. Vectors of words and of contexts,
    each with a bias, are then fitted to the logarithms of the counts by weighted least squares [1]_ with
    AdaGrad [2]_. The objective, its gradient and the update are derived in ``fastvec/reference/glove.py``.

    Parameters
    ----------
    vector_size : int
        Number of dimensions d of the vectors, 1 to 4096.
    window : int
        How far a window reaches to either side, 1 to 1000. Ignored if `fit` is given counts.
    weighting : {"harmonic", "flat", "dynamic"}
        Weight of a context at distance δ: 1 / δ, 1, or (window − δ + 1) / window. Ignored if `fit` is given
        counts.
    symmetric : bool
        Whether windows reach to both sides, or to the left only. Ignored if `fit` is given counts.
    min_count : int
        Words that occur less often are ignored. Ignored if `fit` is given counts.
    max_vocab : int, optional
        Keep at most this many words, the most frequent ones. All are kept by default. Ignored if `fit` is
        given counts.
    keep : sequence of words, optional
        Words of the text that are kept however rare they are, also beyond `max_vocab`. Ignored if `fit` is
        given counts.
    drop : sequence of words, optional
        Words that are left out of the text however frequent they are. `keep` prevails. Ignored if `fit` is
        given counts.
    memory_limit : int
        Bytes of memory, about, for the ids of the text and all that is made of them; what does not fit is
        kept in temporary files (in the folder ``TMPDIR``). The words and the vectors come on top.
    threads : int, optional
        Number of threads for counting and training; all processors by default. The result is the same, bit
        for bit, for any number of threads.
    seed : int
        Seed of the initial values and of the order of training.
    progress : bool
        Whether to show progress bars.
    x_max : float
        Counts of this size and above have the full weight 1.
    alpha : float
        A smaller count x has the weight (x / x_max)^alpha.
    epochs : int
        Number of passes over the counts.
    learning_rate : float
        Step size, which AdaGrad divides, for every parameter, by the root of the sum of its squared
        gradients.
    combine : {"sum", "word", "concatenate"}
        Which vector represents a word: the sum of its word vector and its context vector, as in [1]_, the
        word vector alone, or both concatenated.
    callbacks : sequence of callable
        Functions that are called with the estimator at the end of every epoch; `vectors_` and `history_` are
        up to date by then. One that returns True ends the training. A `fastvec.Probe` looks within
        epochs, too.

    Attributes
    ----------
    vectors_ : Vectors
        The words with their vectors.
    vocabulary_ : Vocabulary
        The words with their counts.
    word_vectors_ : float32 array, shape (n_words, d)
        The word vectors.
    context_vectors_ : float32 array, shape (n_words, d)
        The context vectors.
    word_biases_ : float32 array, shape (n_words,)
        The biases of the words.
    context_biases_ : float32 array, shape (n_words,)
        The biases of the contexts.
    history_ : list of Epoch
        Loss (the mean cost per entry of the counts), learning rate, time and speed of every epoch.
    interrupted_ : bool
        Whether a signal, such as Ctrl-C, or `stop` ended the training early.

    References
    ----------
    .. [1] J. Pennington, R. Socher and C. D. Manning, "GloVe: Global vectors for word representation",
       EMNLP 2014.
    .. [2] J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and stochastic
       optimization", Journal of Machine Learning Research 12, 2011.

    Examples
    --------
    >>> import fastvec
    >>> baskets = [["bread", "butter", "jam"], ["bread", "butter"], ["beer", "crisps"]] * 10
    >>> fastvec.GloVe(vector_size=8).fit(baskets).vectors_
    Vectors(5 words, 8 dimensions)
    """

    x_max: float = 100.0
    alpha: float = 0.75
    epochs: int = 25
    learning_rate: float = 0.05
    combine: str = "sum"
    callbacks: Iterable[Callable[..., object]] = ()

    @property
    def word_vectors_(self) -> NDArray[np.float32]:
        """The word vectors."""
        return self._columns_of("word_vectors", "word_vectors_", np.s_[:-2])

    @property
    def context_vectors_(self) -> NDArray[np.float32]:
        """The context vectors."""
        return self._columns_of("context_vectors", "context_vectors_", np.s_[:-2])

    @property
    def word_biases_(self) -> NDArray[np.float32]:
        """The biases of the words."""
        return self._columns_of("word_vectors", "word_biases_", -2)

    @property
    def context_biases_(self) -> NDArray[np.float32]:
        """The biases of the contexts."""
        return self._columns_of("context_vectors", "context_biases_", -1)

    def _columns_of(self, matrix: str, name: str, columns: int | slice) -> NDArray[np.float32]:
        view = self._learned(name).parameters[matrix][:, columns]
        view.flags.writeable = False
        return view

    def _make_vectors(self, state: State) -> Vectors:
        words, contexts = (state.parameters[name][:, :-2] for name in ("word_vectors", "context_vectors"))
        combine = state.given["combine"]
        if combine == "sum":
            matrix = words + contexts
        else:
            matrix = words if combine == "word" else np.hstack((words, contexts))
        return Vectors(state.vocabulary.words, matrix, state.vocabulary.counts, state.description())

    def _shapes(self, n_words: int) -> dict[str, tuple[int, int]]:
        return dict.fromkeys(MATRICES, (n_words, self.vector_size + 2))

    def _check_own_params(self) -> None:
        check_float("x_max", self.x_max, above=0)
        check_float("alpha", self.alpha, minimum=0)
        check_int("epochs", self.epochs, 1)
        self._check_callbacks()
        check_float("learning_rate", self.learning_rate, above=0)
        check_choice("combine", self.combine, COMBINATIONS)

    def fit(
        self,
        source: Any,
        y: object = None,
        *,
        start_from: Vectors | Learner | None = None,
        freeze: bool | Iterable[str] = False,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int | str = EVERY,
        resume: bool = False,
    ) -> GloVe:
        """Learn vectors from counts, or continue learning.

        The first call starts from random values. Further calls continue from what has been learned, with
        counts of the same words. Training needs memory for a second copy of the parameters, so that
        `vectors_` obtained before do not change.

        If training diverges, the model stays as it was before the call. If a signal such as Ctrl-C,
        `stop` (see `interrupted_`), or a callback that returns True or raises an error ends it, what has been
        learned so far is kept.

        Parameters
        ----------
        source : Cooccurrence, Corpus, or anything that `Corpus` takes
            Counts, or a text to count: a path, a list of paths, or an iterable of token sequences.
        y : object
            Ignored; for compatibility with scikit-learn.
        start_from : Vectors or estimator, optional
            Vectors from elsewhere, as `fastvec.load` reads them, or a fitted estimator with its vectors: the
            words that it has start there, and not from random values. With ``combine="sum"``
            half of a given vector is the word vector and half the context vector; with ``"word"`` both are
            the given one; with ``"concatenate"`` its first half is the one and its last the other. Only in
            the first call.
        freeze : bool or list of words
            Words whose vectors stay as they are, bit for bit, while all else learns: True for all that start
            from `start_from`, or a list of words, of which those not in the vocabulary are ignored.
            Their biases learn.
        checkpoint : str or path-like, optional
            A file, ``.fvec``, that keeps the state of the training from its start on: every
            `checkpoint_every`, when it is ended early, and when it is finished. `load_model` reads it as a
            model. The file of an unfinished run is not replaced by another run.
        checkpoint_every : int or str
            Number of epochs between two checkpoints, or a time: ``"30s"``, ``"10m"``, ``"2h"``.
        resume : bool
            Whether to continue the run in `checkpoint` if the file exists, else start one. The counts, what
            was learned before and all parameters must be the same, except `threads`, `memory_limit`,
            `progress` and `callbacks`. The result is that of a run without interruption, bit for bit. A text
            is counted again.

        Returns
        -------
        GloVe
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the text is invalid, if `min_count` leaves no word, if there are no
            counts, if the words are not those of the training so far, if a parameter was changed that must
            not change, or if the run in `checkpoint` is another one.
        FloatingPointError
            If training diverges.
        OSError
            If a text cannot be read, or the disk is full.
        """
        return self._fit(
            source,
            None,
            start_from=start_from,
            freeze=freeze,
            checkpoint=checkpoint,
            checkpoint_every=checkpoint_every,
            resume=resume,
        )

    def _fit(
        self,
        source: Any,
        elsewhere: Callable[..., TileRounds] | None,
        *,
        start_from: Vectors | Learner | None,
        freeze: bool | Iterable[str],
        checkpoint: str | os.PathLike[str] | None,
        checkpoint_every: int | str,
        resume: bool,
    ) -> GloVe:
        """Learn, see `fit`, in this process or elsewhere.

        `elsewhere` returns who trains, for counts, parameters with padding, and keywords.
        """
        before, checkpoints = self._begin(checkpoint, checkpoint_every, resume)
        given = given_vectors(start_from, self.vector_size, 2 if self.combine == "concatenate" else 1)
        if given is not None and before is not None:
            raise ValueError(
                "start_from must be None after the first call of fit, which goes on from what was learned"
            )
        counts = self._counts(source)
        if before is not None and counts.vocabulary_.index != before.vocabulary.index:
            raise ValueError(
                f"source must have the words of the training so far, {before.vocabulary!r}, in their order, "
                f"got {counts.vocabulary_!r}; use a new estimator to start over"
            )

        frozen = frozen_words(freeze, counts.vocabulary_, given)
        parameters = self._start(counts.vocabulary_, before, given)
        of_records: dict[str, Any] = {
            "x_max": self.x_max,
            "alpha": self.alpha,
            "seed": self.seed,
            "progress": self.progress,
        }
        trainer: TileTrainer | TileRounds
        if elsewhere is None:
            threads = number_of_threads(self.threads)
            corpus_ids = [source.ids] if isinstance(source, Corpus) else []
            limit = memory_left(self.memory_limit, *corpus_ids, *counts._matrix())
            stride = parameters["word_vectors"].shape[1]
            tiles = in_tiles(counts, stride, threads=threads, memory_limit=limit, **of_records)
            trainer = TileTrainer(tiles, parameters)
        else:
            threads = 1
            trainer = elsewhere(counts, parameters, chunk=CHUNK, **of_records)
        n_entries = counts.n_entries_
        state = State(
            vocabulary=counts.vocabulary_,
            parameters={name: matrix[:, : self.vector_size + 2] for name, matrix in parameters.items()},
            given=self._given(),
            metadata=self._metadata(counts, before) | noted(given, frozen),
            history=[] if before is None else list(before.history),
        )
        if checkpoints is not None:
            entries = counts.row_offsets_, counts.columns_, counts.units_, np.array([counts.unit_])
            checkpoints.source = {"counts": fingerprint(counts.vocabulary_, *entries)}
            checkpoints.source |= sources(state, given, frozen)
        del counts  # the tiles have their entries
        schedule = Schedule(
            n_positions=n_entries,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            min_learning_rate=self.learning_rate,
            threads=threads,
            seed=self.seed,
            chunk=CHUNK,
            epochs_before=len(state.history),
            unit="entries",
        )
        put_back = None if frozen is None else self._freeze(parameters, frozen)
        self._train(
            trainer if isinstance(trainer, TileTrainer) else None,
            schedule,
            state,
            parameters,
            None,
            checkpoints,
            trainer.start_epoch,
            put_back,
            trainer if isinstance(trainer, TileRounds) else None,
        )
        return self

    def check_gradient(
        self, source: Any, *, epsilon: float = 1e-4, sample: int | None = None, seed: int = 0
    ) -> GradientReport:
        """Compare the gradient at the learned parameters with finite differences, in double precision.

        The cost is the sum over all counts of pairs of words that the model knows. The gradient is what the
        steps of the NumPy reference follow, before AdaGrad divides them; the tests compare the reference with
        the kernels.

        Parameters
        ----------
        source : Cooccurrence, Corpus, or anything that `Corpus` takes
            Counts, or a text to count: the time is in proportion to their entries and to the coordinates.
        epsilon : float
            Step size of the differences.
        sample : int, optional
            Number of coordinates to check, chosen at random; all by default.
        seed : int
            Seed of the choice.

        Returns
        -------
        GradientReport
            The largest error. Its `worst` is the name of the parameter, a row and, of vectors, a column.

        Raises
        ------
        AttributeError
            Before `fit`.
        TypeError, ValueError
            If a parameter is invalid, or there are no counts of words that the model knows.

        Examples
        --------
        >>> import fastvec
        >>> baskets = [["bread", "butter", "jam"], ["bread", "butter"], ["beer", "crisps"]] * 10
        >>> fastvec.GloVe(vector_size=4).fit(baskets).check_gradient(baskets).ok()
        True
        """
        state = self._learned("vectors_ to check the gradient of")
        self.check_params()
        self._check_fixed(state)
        if isinstance(source, Cooccurrence):
            counts = self._counts(source)
        else:
            counts = self._counter().fit(source, vocabulary=state.vocabulary)
        words, contexts, values = counts.triples()
        ids = known_ids(state.vocabulary, counts.vocabulary_.words)
        entries = np.stack((ids[words], ids[contexts]), axis=1)
        known = (entries < len(state.vocabulary)).all(axis=1)
        if not known.any():
            raise ValueError(
                f"source must have counts of words that the model knows, got none: {counts.vocabulary_!r}"
            )
        weights = np.minimum(1, (values[known] / self.x_max) ** self.alpha)
        records = list(
            zip(*entries[known].T.tolist(), np.log(values[known]).tolist(), weights.tolist(), strict=True)
        )
        step, d = kernels.get("glove", "reference").step, self.vector_size

        def take(matrices: dict[str, NDArray[np.float64]], learning_rate: float) -> float:
            squares = [np.ones_like(matrix) for matrix in matrices.values()]
            return float(
                sum(step(*matrices.values(), *squares, *record, learning_rate) for record in records)
            )

        def parts(matrices: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
            words, contexts = matrices.values()
            return {
                "word_vectors": words[:, :d],
                "context_vectors": contexts[:, :d],
                "word_biases": words[:, d],
                "context_biases": contexts[:, d + 1],
            }

        return check_steps(
            take,
            {name: state.parameters[name].astype(np.float64) for name in MATRICES[:2]},
            dict(zip(("word_vectors", "context_vectors"), map(np.unique, entries[known].T), strict=True)),
            parts=parts,
            epsilon=epsilon,
            sample=sample,
            seed=seed,
        )

    def _start(self, vocabulary: Vocabulary, before: State | None, given: Given | None) -> Matrices:
        """Return the initial parameters, with padding.

        The biases are columns of the rows: a word's row [w, b, 1] times a context's row [w~, 1, b~] is the
        product of the vectors with both biases added.
        """
        d = self.vector_size
        if before is None:
            parameters = {name: padded_matrix(len(vocabulary), d + 2) for name in MATRICES}
            words, contexts, word_squares, context_squares = parameters.values()
            generator = np.random.default_rng(self.seed)
            fill_uniform(words[:, : d + 1], d, generator)
            fill_uniform(contexts[:, : d + 1], d, generator)
            contexts[:, d + 1] = contexts[:, d]
            word_squares[:], context_squares[:] = 1, 1
        else:
            parameters = padded_copies(before.parameters)
            words, contexts, word_squares, context_squares = parameters.values()
        if given is not None:
            ours, theirs = common_words(vocabulary, given.vectors)
            vectors = given.vectors.vectors[theirs]
            words[ours, :d] = vectors[:, :d] / 2 if self.combine == "sum" else vectors[:, :d]
            contexts[ours, :d] = vectors[:, -d:] / 2 if self.combine == "sum" else vectors[:, -d:]
        words[:, d + 1] = contexts[:, d] = 1
        word_squares[:, d + 1] = context_squares[:, d] = FIXED
        for squares in (word_squares, context_squares):
            squares[:, d + 2 :] = 1
            numbers = squares[:, :d]
            numbers[numbers >= FIXED] = 1  # of words that were frozen before
        return parameters

    def _freeze(self, parameters: Matrices, frozen: NDArray[np.bool_]) -> Callable[[], None]:
        """Let AdaGrad leave the vectors of words as they are, and return what puts them back.

        That is for numbers below 1e-7 alone, which its steps do change, by far less than that.
        """
        kept, numbers = {}, (frozen, slice(self.vector_size))
        for part in ("word",) if self.combine == "word" else ("word", "context"):
            kept[f"{part}_vectors"] = parameters[f"{part}_vectors"][numbers]
            parameters[f"{part}_squares"][numbers] = FIXED

        def put_back() -> None:
            for name, rows in kept.items():
                parameters[name][numbers] = rows

        return put_back
