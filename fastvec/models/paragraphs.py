"""Vectors of documents that predict their words (Le and Mikolov 2014): PV-DBOW and PV-DM."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, pairwise
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import check_bool, check_choice, check_float, check_int, check_item, plain
from fastvec.corpus import Corpus
from fastvec.corpus.fingerprint import fingerprint
from fastvec.corpus.ids import Numbers
from fastvec.corpus.selection import recoded, select
from fastvec.corpus.sequences import check_sequences, check_words
from fastvec.corpus.tags import check_untagged
from fastvec.corpus.vocabulary import Vocabulary
from fastvec.formats import model as model_file
from fastvec.formats.finite import check_finite
from fastvec.formats.words import json_of_words, words_of_json
from fastvec.models.base import EpochModel, Matrices, State
from fastvec.models.checkpoints import EVERY
from fastvec.models.words import raised_subsample
from fastvec.peers.errors import naming_peers_parameters
from fastvec.peers.names import DOCUMENTS, Names
from fastvec.training.held_out import hold_out
from fastvec.training.loop import Epoch, Schedule
from fastvec.training.matrices import fill_uniform, padded_copies, padded_matrix
from fastvec.training.progress import warn
from fastvec.training.tables import alias_table, keep_thresholds
from fastvec.training.threads import Workers, number_of_threads
from fastvec.vectors import Vectors

__all__ = ["DocVectors", "number_of_zeros", "warn_of_zeros"]

# What ``learning_rate=None`` stands for: the gradient of a mean is smaller.
LEARNING_RATES = {"dbow": 0.05, "dm": 0.15}
# The step size of `transform` times its epochs, at most. All words are learned from its start: with more,
# documents fit the words that they have ever closer, and other words of the same matter worse.
MOST_STEPS = {"dbow": 0.5, "dm": 3.0}
# Words of new documents that a thread is handed at once, each as often as there are epochs.
WORDS_AT_ONCE = 1 << 16
# The key of the random sequence of new documents: any number.
KEY = 0x5D0C_93A1_7E42_B86F

Model = TypeVar("Model", bound="DocVectors")


class Tags(NamedTuple):
    """The names of documents, and how many documents have each."""

    words: list[Any]  # str, or int if all of them are
    counts: NDArray[np.int64]


@dataclass
class DocumentsState(State):
    """What was learned of documents: the rows of `input_vectors` are theirs, and they have tags.

    `padded` holds the matrices as the kernels require them; `parameters` are views of these.
    """

    padded: Matrices = field(default_factory=dict)
    tags: Tags | None = None

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the matrices and the words, under their names in files."""
        words = json_of_words(self.vocabulary.words)
        return {**self.parameters, "vocabulary": words, "vocabulary_counts": self.vocabulary.counts}


@naming_peers_parameters
@dataclass(kw_only=True, eq=False, repr=False)
class DocVectors(EpochModel):
    """DocVectors: vectors of documents that predict their words, as gensim's Doc2Vec.

    Every document has a vector of its own [1]_. In the distributed bag of words (PV-DBOW) it predicts each of
    its words; in the distributed memory model (PV-DM), its mean with the vectors of the words in a window
    predicts the word in the middle. Both use negative sampling. The objective and its gradient are derived in
    ``fastvec/reference/paragraphs.py``.

    The estimator is a transformer of scikit-learn's: `transform` learns vectors of other documents, while all
    words stay as they are.

    Parameters
    ----------
    model : {"dbow", "dm"}
        Whether the document alone predicts its words, or together with the words nearby.
    vector_size : int
        Number of dimensions d of the vectors, 1 to 4096.
    window : int
        Largest distance between a word and those nearby, drawn uniformly from 1 to `window` for every word.
        Only used with ``model="dm"`` and with `dbow_words`.
    dbow_words : bool
        Whether to learn vectors of words as well, by skip-gram. Only with ``model="dbow"``; with "dm" they
        are always learned.
    negatives : int
        Number of noise words for every word.
    min_count : int
        Words that occur less often are ignored.
    max_vocab : int, optional
        Keep at most this many words, the most frequent ones. All are kept by default.
    subsample : float
        Words with a relative frequency above roughly this value are randomly dropped, more often the more
        frequent they are, but none that the documents have no more than 50 times. 0 keeps all words.
    noise_exponent : float
        Noise words are drawn with a probability proportional to their count raised to this power.
    learning_rate : float, optional
        Step size at the start; it decreases linearly to `min_learning_rate`. None stands for 0.05 for
        "dbow", and for 0.15 for "dm". In `transform`, whose words are learned already, it is no more than 0.5
        / `epochs` for "dbow", and than 3 / `epochs` for "dm".
    min_learning_rate : float
        Step size at the end.
    epochs : int
        Number of passes over the documents, in `fit` and in `transform`.
    memory_limit : int
        Bytes of memory, about, for the ids of the text; what does not fit is kept in temporary files.
    threads : int, optional
        Number of threads; all processors by default. With one thread, the same seed gives the same vectors
        bit for bit. Several threads write to the same matrices without locks (Hogwild), so that results
        differ slightly from run to run. What `transform` returns does not depend on their number.
    seed : int
        Seed of the initial vectors and of all random draws.
    progress : bool
        Whether to show progress bars.
    callbacks : sequence of callable
        Functions that are called with the estimator at the end of every epoch; one that returns True ends
        the training. A `fastvec.Probe` looks within epochs, too.

    Attributes
    ----------
    vectors_ : Vectors
        The documents with their vectors: the words of these `Vectors` are the tags, their counts how many
        documents have each.
    word_vectors_ : Vectors
        The words with their vectors. Only available with ``model="dm"`` and with `dbow_words`.
    output_vectors_ : float32 array, shape (n_words, d)
        The vectors of the words in the role of what is predicted.
    vocabulary_ : Vocabulary
        The words with their counts.
    history_ : list of Epoch
        Loss, learning rate, time and speed of every epoch.
    interrupted_ : bool
        Whether a signal, such as Ctrl-C, or `stop` ended the training early.

    References
    ----------
    .. [1] Q. Le and T. Mikolov, "Distributed representations of sentences and documents", ICML 2014.

    Examples
    --------
    >>> import fastvec
    >>> documents = [["old", "houses"], ["new", "cars"], ["old", "cars"]] * 10
    >>> model = fastvec.DocVectors(vector_size=8, threads=1).fit(documents)
    >>> model.vectors_
    Vectors(30 words, 8 dimensions)
    >>> model.transform([["new", "houses"], ["cars"]]).shape
    (2, 8)
    """

    model: str = "dbow"
    vector_size: int = 100
    window: int = 5
    dbow_words: bool = False
    negatives: int = 5
    min_count: int = 5
    max_vocab: int | None = None
    subsample: float = 1e-3
    noise_exponent: float = 0.75
    learning_rate: float | None = None
    min_learning_rate: float = 1e-4
    epochs: int = 10
    memory_limit: int = 2**32
    threads: int | None = None
    seed: int = 1
    progress: bool = False
    callbacks: Iterable[Callable[..., object]] = ()

    PEERS: ClassVar[Names] = DOCUMENTS

    def check_params(self) -> None:
        """Validate the parameters.

        Raises
        ------
        TypeError, ValueError
            The message names the parameter, the rule and the value.
        """
        check_choice("model", self.model, LEARNING_RATES)
        check_int("vector_size", self.vector_size, 1, 4096)
        check_int("window", self.window, 1, 1000)
        check_bool("dbow_words", self.dbow_words)
        if self.dbow_words and self.model != "dbow":
            raise ValueError(
                f"dbow_words must be False unless model='dbow', got model={self.model!r}, "
                "which learns vectors of words in any case"
            )
        check_int("negatives", self.negatives, 1, 1000)
        check_int("min_count", self.min_count, 1)
        if self.max_vocab is not None:
            check_int("max_vocab", self.max_vocab, 1)
        check_float("subsample", self.subsample, minimum=0)
        check_float("noise_exponent", self.noise_exponent)
        if self.learning_rate is not None:
            check_float("learning_rate", self.learning_rate, above=0)
        rate = self._first_learning_rate()
        check_float("min_learning_rate", self.min_learning_rate, minimum=0, maximum=rate)
        check_int("epochs", self.epochs, 1)
        self._check_callbacks()
        check_int("memory_limit", self.memory_limit, 1)
        if self.threads is not None:
            check_int("threads", self.threads, 1, 4096)
        check_int("seed", self.seed, 0)
        check_bool("progress", self.progress)

    @property
    def word_vectors_(self) -> Vectors:
        """The words with their vectors; only with ``model="dm"`` and with `dbow_words`."""
        state = self._learned("word_vectors_")
        if "word_vectors" not in state.parameters:
            raise AttributeError(
                "DocVectors was trained without word_vectors_: model='dm' or dbow_words=True learns them"
            )
        return Vectors(
            state.vocabulary.words,
            state.parameters["word_vectors"],
            state.vocabulary.counts,
            state.description(),
        )

    @property
    def output_vectors_(self) -> NDArray[np.float32]:
        """The vectors of the words in the role of what is predicted."""
        return self._learned("output_vectors_").parameters["output_vectors"]

    def fit(
        self: Model,
        documents: Any,
        y: object = None,
        *,
        tags: Sequence[str | int | Sequence[str | int]] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int | str = EVERY,
        resume: bool = False,
    ) -> Model:
        """Learn vectors of documents; a further call starts over.

        Parameters
        ----------
        documents : Corpus, or anything that `Corpus` takes
            The documents: an iterable of lists of words, or a path of a file with one document per line. A
            Corpus should have ``keep_empty=True`` if empty documents are to keep their number.
        y : object
            Ignored; for compatibility with scikit-learn.
        tags : sequence of str, int, or sequences of these, optional
            A name for each document, by which `vectors_` knows it, or several. Documents with the same tag
            share its vector, and one of no known word keeps the random numbers that it started from. In
            PV-DBOW each tag of a document predicts its words, in PV-DM the mean takes all of them. By default
            documents are numbered from 0.
        checkpoint : str or path-like, optional
            A file, ``.fvec``, that keeps the state of the training from its start on: every
            `checkpoint_every`, when it is ended early, and when it is finished. `load_model` reads it as a
            model. The file of an unfinished run is not replaced by another run.
        checkpoint_every : int or str
            Number of epochs between two checkpoints, or a time: ``"30s"``, ``"10m"``, ``"2h"``.
        resume : bool
            Whether to continue the run in `checkpoint` if the file exists, else start one. The documents,
            their tags and all parameters must be the same, except `threads`, `memory_limit`, `progress` and
            `callbacks`. With ``threads=1`` the result is that of a run without interruption, bit for bit.

        Returns
        -------
        DocVectors
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter, the documents or the tags are invalid, if `min_count` leaves no word, or if the
            run in `checkpoint` is another one.
        FloatingPointError
            If training diverges.
        """
        self.check_params()
        checkpoints = self._checkpoints(checkpoint, checkpoint_every, resume)
        self._stopping = False
        kernels.selected()  # an error here comes before the text is read
        corpus = self._read(documents)
        if not len(corpus):
            raise ValueError("documents must have at least one document, got none")
        tag_offsets, rows, names = _tagged(tags, len(corpus))
        hash_of_tags = ""
        if tags is not None or checkpoints is not None:
            distinct = Vocabulary(names.words, np.ones_like(names.counts))  # whose counts may not rise
            hash_of_tags = fingerprint(distinct, tag_offsets, rows)
        vocabulary = select(corpus.vocabulary, self.min_count, self.max_vocab)
        n_words, threads = len(vocabulary), number_of_threads(self.threads)
        given = self._given()
        rate = self._first_learning_rate()
        parameters = self._fresh(n_words, len(names.words))
        state = DocumentsState(
            vocabulary=vocabulary,
            parameters=_views(parameters, self.vector_size),
            given=given,
            metadata={
                "estimator": "DocVectors",
                **given,
                "learning_rate": rate,
                "threads": threads,
                **({} if tags is None else {"tags": hash_of_tags}),
                **self._provenance([corpus.provenance], None),
            },
            padded=parameters,
            tags=names,
        )
        tables = self._tables(vocabulary)
        text = {"ids": corpus.ids, "sentence_offsets": corpus.sentence_offsets, **tables}
        of_kernel = {"window": self.window, "negatives": self.negatives}
        train_documents = partial(
            kernels.get("paragraphs").train,
            **self._matrices(parameters),
            tags=rows,
            tag_offsets=tag_offsets,
            **text,
            **of_kernel,
        )
        train_words = partial(
            kernels.get("skipgram").train,
            parameters.get("word_vectors"),
            parameters["output_vectors"],
            **text,
            **of_kernel,
            loss="negative_sampling",
            shared=True,
        )

        def train_both(**chunk: Any) -> tuple[float, int, int]:
            loss, sampled_pairs, pairs = train_words(**chunk)
            more_loss, more_sampled, more = train_documents(**chunk)
            return loss + more_loss, sampled_pairs + more_sampled, pairs + more

        schedule = Schedule(
            n_positions=corpus.n_tokens,
            epochs=self.epochs,
            learning_rate=rate,
            min_learning_rate=self.min_learning_rate,
            threads=threads,
            seed=self.seed,
            untrained_loss=math.log(2) * (1 + self.negatives),
            with_params=f"window={self.window} and negatives={self.negatives}",
        )
        # every document is trained on, or it would have no vector
        sample = replace(hold_out(corpus.ids, corpus.sentence_offsets, vocabulary.counts), trained_on=True)
        train_chunk = train_both if self.dbow_words else train_documents
        if checkpoints is not None:
            checkpoints.source = {
                "what was learned before fit": "none",  # which does not matter here
                "documents": corpus.provenance["sha256"],
                "tags": hash_of_tags,
            }
        self._train(train_chunk, schedule, state, parameters, sample, checkpoints)
        return self

    def transform(self, documents: Any) -> NDArray[np.float32]:
        """Learn the vectors of documents while all words stay as they are.

        A vector depends on the words of its document alone, in their order: the same document always has the
        same vector, bit for bit. A document that was trained on has another vector than in `vectors_`.

        Parameters
        ----------
        documents : Corpus, or anything that `Corpus` takes
            The documents, as for `fit`.

        Returns
        -------
        float32 array, shape (n_documents, d)
            The vectors.

        Raises
        ------
        AttributeError
            Before `fit`.
        TypeError, ValueError
            If a parameter or the documents are invalid.

        Warns
        -----
        UserWarning
            If documents have no known word, or none that `subsample` keeps; their vectors are zero.
        """
        vectors = self._infer(documents)
        warn_of_zeros(number_of_zeros(vectors), len(vectors))
        return vectors

    def _infer(self, documents: Any) -> NDArray[np.float32]:
        """Return what `transform` does, without its warning."""
        state = self._learned("vectors_ to transform with")
        assert isinstance(state, DocumentsState)
        self.check_params()
        given = type(self)(**state.given)  # parameters may have been changed since
        corpus = self._read(documents)
        n, d = len(corpus), given.vector_size
        rate = min(given._first_learning_rate(), MOST_STEPS[given.model] / given.epochs)
        vectors = padded_matrix(n, d)
        ids = recoded(corpus, state.vocabulary, self.memory_limit) if corpus.n_tokens else None
        if ids is not None:
            offsets = corpus.sentence_offsets
            infer = partial(
                kernels.get("paragraphs").infer,
                **given._matrices(state.padded | {"input_vectors": vectors}),
                ids=ids,
                sentence_offsets=offsets,
                **given._tables(state.vocabulary),
                window=given.window,
                negatives=given.negatives,
                epochs=given.epochs,
                learning_rate=rate,
                min_learning_rate=min(given.min_learning_rate, rate),
                key=KEY,
            )
            at_once = max(1, WORDS_AT_ONCE // given.epochs)
            begins = np.unique(np.searchsorted(offsets, np.arange(0, corpus.n_tokens, at_once)))
            cuts = [0, *begins[(begins > 0) & (begins < n)].tolist(), n]
            with Workers(number_of_threads(self.threads)) as workers:
                parts = pairwise(cuts)
                workers.each(lambda start, stop: infer(start=start, stop=stop), list(parts))
        return np.ascontiguousarray(vectors[:, :d])

    def fit_transform(
        self,
        documents: Any,
        y: object = None,
        *,
        tags: Sequence[str | int | Sequence[str | int]] | None = None,
    ) -> NDArray[np.float32]:
        """Fit the documents and transform them: as new ones, so that others can be compared with them.

        Parameters
        ----------
        documents : Corpus, or anything that `Corpus` takes
            The documents, as for `fit`.
        y : object
            Ignored; for compatibility with scikit-learn.
        tags : sequence of str, int, or sequences of these, optional
            As for `fit`.

        Returns
        -------
        float32 array, shape (n_documents, d)
            The vectors.
        """
        self.check_params()  # an error here comes before the text is read
        corpus = self._read(documents)
        return self.fit(corpus, tags=tags).transform(corpus)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the dimensions.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        ndarray of str, shape (d,)
            ``docvectors0``, ``docvectors1``, ...
        """
        d = self._learned("feature names").given["vector_size"]
        return np.array([f"docvectors{i}" for i in range(d)], dtype=object)

    def _first_learning_rate(self) -> float:
        return LEARNING_RATES[self.model] if self.learning_rate is None else self.learning_rate

    def _read(self, documents: Any) -> Corpus:
        if isinstance(documents, Corpus):
            check_untagged(documents)
            return documents
        return Corpus(documents, keep_empty=True, memory_limit=self.memory_limit, progress=self.progress)

    def _shapes(self, n_words: int) -> dict[str, tuple[int, int]]:
        names = ["output_vectors", *["word_vectors"][: self.model == "dm" or self.dbow_words]]
        return dict.fromkeys(names, (n_words, self.vector_size))

    def _fresh(self, n_words: int, n_documents: int) -> Matrices:
        generator = np.random.default_rng(self.seed)
        shapes = {"input_vectors": (n_documents, self.vector_size), **self._shapes(n_words)}
        matrices = {name: padded_matrix(*shape) for name, shape in shapes.items()}
        for name, matrix in matrices.items():
            if name != "output_vectors":
                # documents have few words to leave numbers near zero by
                divisor = math.sqrt(self.vector_size) if name == "input_vectors" else self.vector_size
                fill_uniform(matrix[:, : self.vector_size], divisor, generator)
        return matrices

    def _matrices(self, parameters: Matrices) -> dict[str, NDArray[np.float32] | None]:
        """Return the matrices as the kernel `paragraphs` names them."""
        return {
            "input_vectors": parameters["word_vectors"] if self.model == "dm" else None,
            "output_vectors": parameters["output_vectors"],
            "document_vectors": parameters["input_vectors"],
        }

    def _tables(self, vocabulary: Vocabulary) -> dict[str, Any]:
        subsample = raised_subsample(self.subsample, vocabulary.total)
        return {
            "keep": keep_thresholds(vocabulary.keep_probabilities(subsample)),
            "noise": alias_table(vocabulary.noise_probabilities(self.noise_exponent)),
        }

    def _make_vectors(self, state: State) -> Vectors:
        assert isinstance(state, DocumentsState) and state.tags is not None
        tags = state.tags
        return Vectors(tags.words, state.parameters["input_vectors"], tags.counts, state.description())

    @classmethod
    def _restored(cls: type[Model], saved: model_file.Model) -> Model:
        model = cls(**saved.description["parameters"])
        model.check_params()
        tensors = saved.tensors
        for name in ("vocabulary", "vocabulary_counts"):
            if name not in tensors:
                raise ValueError(f"there is no {name}")
        vocabulary = Vocabulary(
            words_of_json(tensors["vocabulary"]), np.array(tensors["vocabulary_counts"], np.int64)
        )
        tags = Tags(saved.words, saved.counts)
        shapes = {"input_vectors": (len(tags.words), model.vector_size), **model._shapes(len(vocabulary))}
        parameters = {}
        for name, shape in shapes.items():
            parameters[name] = model_file.matrix(tensors, name, shape)
            names = tags.words if name == "input_vectors" else vocabulary.words
            check_finite(name, parameters[name], "row", names)
        padded = padded_copies(parameters)
        model._state = DocumentsState(
            vocabulary=vocabulary,
            parameters=_views(padded, model.vector_size),
            given=model._given(),
            metadata=saved.metadata,
            history=model_file.records(saved.description["history"], Epoch),
            padded=padded,
            tags=tags,
        )
        return model


def number_of_zeros(vectors: NDArray[np.float32]) -> int:
    """Return how many rows are zeros."""
    return len(vectors) - int(np.count_nonzero(vectors.any(axis=1)))


def warn_of_zeros(n_zeros: int, n: int) -> None:
    """Warn if some of `n` documents have vectors that are zeros."""
    if n_zeros:
        warn(
            f"{n_zeros:,} of {n:,} documents have no known word, or none that `subsample` keeps: "
            "their vectors are zeros"
        )


def _views(padded: Matrices, vector_size: int) -> Matrices:
    return {name: matrix[:, :vector_size] for name, matrix in padded.items()}


def _tagged(
    tags: Sequence[Any] | None, n_documents: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], Tags]:
    """Return where the rows of each document begin and end, these, and the tags with their documents."""
    if tags is None:
        ones = np.ones(n_documents, np.int64)
        rows = np.arange(n_documents, dtype=np.int32)
        return np.arange(n_documents + 1), rows, Tags(list(range(n_documents)), ones)
    check_sequences("tags", "a list of one str or int for each document, or of lists of these", tags)
    of_documents = [_tags_of_document(number, given) for number, given in enumerate(tags)]
    if len(of_documents) != n_documents:
        raise ValueError(
            f"tags must be as many as the documents, {n_documents:,}, got {len(of_documents):,}; a Corpus "
            "skips empty documents unless keep_empty=True"
        )
    numbers = Numbers()
    try:
        rows_of = [[*dict.fromkeys(map(numbers.__getitem__, each))] for each in of_documents]
    except ValueError as error:
        raise ValueError(f"tags: {error}") from None
    rows = np.fromiter(chain.from_iterable(rows_of), np.int32)
    offsets = np.cumsum([0, *map(len, rows_of)], dtype=np.int64)
    return offsets, rows, Tags(numbers.words, np.bincount(rows).astype(np.int64))


def _tags_of_document(number: int, given: Any) -> list[str | int]:
    """Return the tags of a document."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        given = [given]
    given = check_words(f"what tags has for document {number:,}", given, "a str, an int or a list of these")
    for tag in given:
        check_item("every tag", tag)
    if not given:
        raise ValueError(f"tags must be at least one for each document, got none for document {number:,}")
    return [*map(plain, given)]
