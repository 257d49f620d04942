"""Skip-gram word vectors (Mikolov et al. 2013)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fastvec import _backends
from fastvec._params import check_bool, check_choice, check_float, check_int
from fastvec._sampling import alias_table, keep_thresholds
from fastvec._training import Epoch, Schedule, padded_matrix, train, usable_threads
from fastvec.corpus import Corpus
from fastvec.models._base import Estimator
from fastvec.vectors import Vectors
from fastvec.vocabulary import Vocabulary

__all__ = ["SkipGram"]

# Parameters that do not change what is learned.
NOT_SAVED = ("progress", "callbacks")


class SkipGram(Estimator):
    """Skip-gram with negative sampling: vectors of words that predict their neighbours.

    For every word of a text (the centre) and every word in a window around it (the contexts), the input
    vector of the context is moved towards the output vector of the centre, and away from those of `negatives`
    random words. The objective and its gradient are derived in ``fastvec/reference/skipgram.py``.

    Parameters
    ----------
    vector_size : int
        Number of dimensions d, 1 to 4096.
    window : int
        Windows reach 1 to `window` words to either side, drawn uniformly for every centre.
    negatives : int
        Noise words for every centre.
    negative_sharing : {"window", "none"}
        Whether all contexts of a window share one set of noise words, which makes an update a small matrix
        product [2]_, or each has its own, the original scheme [1]_, two to three times slower.
    min_count : int
        Words that occur less often are left out.
    max_vocab : int, optional
        At most so many words are kept, the most frequent ones.
    subsample : float
        Words with a relative frequency above about this are dropped at random, the more the more frequent
        they are (word2vec.c's formula); 0 keeps all.
    noise_exponent : float
        Noise words are drawn in proportion to their count to this power.
    learning_rate, min_learning_rate : float
        Step size at the start and at the end; linear between.
    epochs : int
        Passes over the corpus.
    threads : int, optional
        Threads to train on; all processors by default. With one, the same seed gives the same vectors bit
        for bit. Several write to the same matrices without locks (Hogwild), and results differ slightly from
        run to run.
    seed : int
        Seed of the starting vectors and of all draws.
    progress : bool
        Whether to show progress bars.
    callbacks : sequence of callable
        Each is called with the estimator at the end of every epoch; `vectors_` and `history_` are up to date.

    Attributes
    ----------
    vectors_ : Vectors
        The words with their input vectors.
    vocabulary_ : Vocabulary
        The words with their counts.
    output_vectors_ : float32 array, shape (n_words, d)
        The vectors of the words as centres.
    history_ : list of Epoch
        Loss, learning rate, time and speed of every epoch.
    interrupted_ : bool
        Whether Ctrl-C ended the training early.

    References
    ----------
    .. [1] T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed representations of words
       and phrases and their compositionality", NeurIPS 2013.
    .. [2] S. Ji, N. Satish, S. Li and P. Dubey, "Parallelizing word2vec in shared and distributed memory",
       arXiv 1604.04661, 2016.

    Examples
    --------
    >>> import fastvec
    >>> baskets = [["bread", "butter", "jam"], ["bread", "butter"], ["beer", "crisps"]] * 10
    >>> model = fastvec.SkipGram(vector_size=8, min_count=1, threads=1).fit(baskets)
    >>> model.vectors_
    Vectors(5 words, 8 dimensions)
    """

    vectors_: Vectors
    vocabulary_: Vocabulary
    output_vectors_: NDArray[np.float32]
    history_: list[Epoch]
    interrupted_: bool

    def __init__(
        self,
        *,
        vector_size: int = 100,
        window: int = 5,
        negatives: int = 5,
        negative_sharing: str = "window",
        min_count: int = 5,
        max_vocab: int | None = None,
        subsample: float = 1e-3,
        noise_exponent: float = 0.75,
        learning_rate: float = 0.025,
        min_learning_rate: float = 0.0001,
        epochs: int = 5,
        threads: int | None = None,
        seed: int = 1,
        progress: bool = False,
        callbacks: Iterable[Callable[[SkipGram], object]] = (),
    ) -> None:
        self.vector_size = vector_size
        self.window = window
        self.negatives = negatives
        self.negative_sharing = negative_sharing
        self.min_count = min_count
        self.max_vocab = max_vocab
        self.subsample = subsample
        self.noise_exponent = noise_exponent
        self.learning_rate = learning_rate
        self.min_learning_rate = min_learning_rate
        self.epochs = epochs
        self.threads = threads
        self.seed = seed
        self.progress = progress
        self.callbacks = callbacks

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
        check_choice("negative_sharing", self.negative_sharing, ("window", "none"))
        check_int("min_count", self.min_count, 1)
        if self.max_vocab is not None:
            check_int("max_vocab", self.max_vocab, 1)
        check_float("subsample", self.subsample, minimum=0)
        check_float("noise_exponent", self.noise_exponent)
        check_float("learning_rate", self.learning_rate, above=0)
        check_float("min_learning_rate", self.min_learning_rate, minimum=0, maximum=self.learning_rate)
        check_int("epochs", self.epochs, 1)
        if self.threads is not None:
            check_int("threads", self.threads, 1, 4096)
        check_int("seed", self.seed, 0)
        check_bool("progress", self.progress)
        for callback in self.callbacks:
            if not callable(callback):
                raise TypeError(f"callbacks must be callables, got {callback!r}")

    def fit(self, corpus: Any) -> SkipGram:
        """Learn vectors for the words of a corpus.

        Parameters
        ----------
        corpus : Corpus, or anything that `Corpus` takes
            The text: a path, a list of paths, or an iterable of token sequences.

        Returns
        -------
        SkipGram
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the corpus is not what it must be, or `min_count` leaves no word.
        FloatingPointError
            If the training diverges.
        """
        self.check_params()
        kernel = cast(_backends.SkipGramKernel, _backends.get("skipgram"))
        if not isinstance(corpus, Corpus):
            corpus = Corpus(corpus, progress=self.progress)
        vocabulary = corpus.vocabulary.head(self.min_count, self.max_vocab)
        inputs = padded_matrix(len(vocabulary), self.vector_size)
        outputs = padded_matrix(len(vocabulary), self.vector_size)
        start = np.random.default_rng(self.seed).random((len(vocabulary), self.vector_size), dtype=np.float32)
        inputs[:, : self.vector_size] = (start - 0.5) / self.vector_size
        del start
        keep = keep_thresholds(vocabulary.keep_probabilities(self.subsample))
        noise = alias_table(vocabulary.noise_probabilities(self.noise_exponent))

        def train_chunk(
            start: int, stop: int, learning_rate: float, key: int, loss_every: int
        ) -> tuple[float, int, int]:
            return kernel.train(
                input_vectors=inputs,
                output_vectors=outputs,
                ids=corpus.ids,
                sentence_offsets=corpus.sentence_offsets,
                start=start,
                stop=stop,
                keep=keep,
                noise=noise,
                window=self.window,
                negatives=self.negatives,
                shared=self.negative_sharing == "window",
                learning_rate=learning_rate,
                key=key,
                loss_every=loss_every,
            )

        self.vocabulary_ = vocabulary
        self.output_vectors_ = outputs[:, : self.vector_size]
        self.history_ = []

        threads = usable_threads() if self.threads is None else self.threads
        params = {name: value for name, value in self.get_params().items() if name not in NOT_SAVED}
        metadata = {"model": type(self).__name__, **params, "threads": threads}

        def after_epoch(epoch: Epoch) -> None:
            self.history_.append(epoch)
            vectors = inputs[:, : self.vector_size]
            self.vectors_ = Vectors(vocabulary.words, vectors, vocabulary.counts, metadata)
            for callback in self.callbacks:
                callback(self)

        schedule = Schedule(
            n_tokens=corpus.n_tokens,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            min_learning_rate=self.min_learning_rate,
            threads=threads,
            seed=self.seed,
        )
        self.interrupted_ = train(
            train_chunk, schedule, (inputs, outputs), progress=self.progress, after_epoch=after_epoch
        )
        if not any(epoch.pairs for epoch in self.history_) and not self.interrupted_:
            raise ValueError(
                f"corpus must have a sentence with two words of the vocabulary, got none: {vocabulary!r}, "
                f"subsample={self.subsample}"
            )
        return self
