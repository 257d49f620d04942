"""What of vectors would be the same with another sample of the text and another seed.

The training is repeated on resamples of the text (Efron 1979), each with a seed of its own, and what is said
of a word is said of all of these trainings. They share the reading of the text and its words, and work side
by side, a thread each, which none of them shares with another: so the result is the same for any number of
threads, and each thread is as fast as one that trains alone.

No training starts from the vectors of another one. It would need fewer epochs, but keep what these have by
chance: the seed would make less of a difference than it does, and the intervals would be too narrow, by more
than a third on a text of 160,000 words (``bench/stability.py``). For the same reason none has fewer epochs
than the model says, or a resample smaller than the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import Estimator, check_bool, check_float, check_int, check_item, shortened
from fastvec.corpus import Corpus
from fastvec.corpus.resampling import resampled, sentence_counts
from fastvec.models.base import CountModel, EpochModel
from fastvec.models.words import WordModel
from fastvec.training import signals
from fastvec.training.progress import Progress, warn
from fastvec.training.side_by_side import SideBySide
from fastvec.training.threads import number_of_threads
from fastvec.vectors import SubwordVectors, Vectors
from fastvec.vectors.intervals import (
    FEWEST_RUNS,
    FEWEST_SENTENCES,
    Estimate,
    Neighbors,
    estimates,
    neighbors,
)

__all__ = ["Stability"]


class Stability(Estimator):
    """Stability: how sure the neighbors of words are, by training many times on resamples of the text.

    Each of the trainings has another seed and its own sample of the sentences, drawn with replacement (the
    bootstrap, as in [1]_): as many as the text has, some of them several times and others not at all.
    Neighbors that only some of the trainings find are due to few sentences or to chance [2]_, [3]_. What is
    resampled is the sentences of the corpus, so these should be what is independent of each other: with one
    document per line, documents.

    The trainings take as long as `runs` of them with ``threads=1``, divided by `threads`. Their vectors are
    all kept, which takes 4 bytes for each number.

    Parameters
    ----------
    model : SkipGram, CBOW, FastText, GloVe or PPMI_SVD
        The model to train; it stays as it is, fitted or not. Its `seed`, `threads`, `progress` and
        `callbacks` are not used.
    runs : int
        Number of trainings, at least 5.
    level : float
        The probability of the intervals, at most 0.999, and the part of the trainings that have to agree on a
        neighbor that is called certain.
    threads : int, optional
        Number of trainings at a time; all processors by default. The result does not depend on it, but each
        needs memory for a model.
    seed : int
        Seed of the resamples and of the trainings.
    progress : bool
        Whether to show a progress bar.

    Attributes
    ----------
    runs_ : list of Vectors
        The words with their vectors, of each training. With `FastText` they have no vectors for other words.
    sentence_counts_ : int64 array, shape (n_words,)
        In how many sentences of the text each word is.
    interrupted_ : bool
        Whether a signal, such as Ctrl-C, ended `fit` before the last training.

    References
    ----------
    .. [1] M. Antoniak and D. Mimno, "Evaluating the stability of embedding-based word similarities",
       Transactions of the ACL 6, 2018.
    .. [2] J. Hellrich, B. Kampe and U. Hahn, "The influence of down-sampling strategies on SVD word embedding
       stability", RepEval 2019.
    .. [3] L. Wendlandt, J. K. Kummerfeld and R. Mihalcea, "Factors influencing the surprising instability of
       word embeddings", NAACL 2018.

    Examples
    --------
    >>> import fastvec
    >>> orders = ["cup coffee milk", "cup tea milk", "glass beer nuts", "glass wine nuts"]
    >>> text = [order.split() for order in orders] * 15
    >>> model = fastvec.SkipGram(vector_size=4, epochs=20, learning_rate=0.1)
    >>> stability = fastvec.Stability(model, runs=6).fit(text)
    >>> [neighbor.word for neighbor in stability.most_similar("coffee", topn=1).certain()]
    ['tea']
    """

    _runs: list[Vectors] | None = None
    sentence_counts_: NDArray[np.int64]
    interrupted_: bool

    def __init__(
        self,
        model: WordModel | CountModel,
        *,
        runs: int = 20,
        level: float = 0.95,
        threads: int | None = None,
        seed: int = 1,
        progress: bool = False,
    ) -> None:
        self.model = model
        self.runs = runs
        self.level = level
        self.threads = threads
        self.seed = seed
        self.progress = progress

    @property
    def runs_(self) -> list[Vectors]:
        """The words with their vectors, of each training."""
        if self._runs is None:
            raise AttributeError("Stability has no runs_ before fit")
        return self._runs

    def check_params(self) -> None:
        """Validate the parameters.

        Raises
        ------
        TypeError, ValueError
            The message names the parameter, the rule and the value.
        """
        if not isinstance(self.model, (WordModel, CountModel)):
            raise TypeError(
                "model must be a SkipGram, CBOW, FastText, GloVe or PPMI_SVD, whose words have vectors, got "
                f"{shortened(self.model)}"
            )
        self.model.check_params()
        check_int("runs", self.runs, FEWEST_RUNS)
        self._check_level()
        if self.threads is not None:
            check_int("threads", self.threads, 1, 4096)
        check_int("seed", self.seed, 0)
        check_bool("progress", self.progress)

    def fit(self, corpus: Any, y: object = None) -> Stability:
        """Train on resamples of a text.

        Ctrl-C ends it early: the trainings that are complete are kept if they are 5 or more.

        Parameters
        ----------
        corpus : Corpus, or anything that `Corpus` takes
            The text: a path, a list of paths, or an iterable of token sequences.
        y : object
            Ignored; for compatibility with scikit-learn.

        Returns
        -------
        Stability
            The estimator itself.

        Raises
        ------
        FloatingPointError
            If a training diverges.
        KeyboardInterrupt
            After Ctrl-C, if fewer than 5 trainings are complete.
        OSError
            If the text cannot be read, or the disk is full.
        TypeError, ValueError
            If a parameter or the text is invalid, or the text has a single sentence.
        """
        self.check_params()
        if not isinstance(corpus, Corpus):
            corpus = Corpus(corpus, memory_limit=self.model.memory_limit, progress=self.progress)
        if len(corpus) < 2:
            raise ValueError(
                f"corpus must have sentences to draw from, 2 or more, got {len(corpus)}: a document per line "
                "or a list of lists of words"
            )
        with Progress("bootstrap", self.runs, " trainings", self.progress) as bar:
            trained = Trainings(self, corpus, bar).complete()
        is_interrupted = len(trained) < self.runs
        if len(trained) < FEWEST_RUNS:
            raise KeyboardInterrupt
        if is_interrupted:
            warn(f"interrupted after {len(trained)} of {self.runs} trainings, which are kept")
        self.interrupted_ = is_interrupted
        self._runs = trained
        index = corpus.vocabulary.index
        self.sentence_counts_ = sentence_counts(corpus)[[index[str(word)] for word in trained[0]]]
        return self

    def similarity(self, a: str | int, b: str | int) -> Estimate:
        """Return the cosine of two words.

        Parameters
        ----------
        a, b : str or int
            The words.

        Returns
        -------
        Estimate
            Its mean in all trainings, and the bounds of its interval.

        Raises
        ------
        UnknownWordError
            If a word is unknown.
        """
        level = self._check_level()
        cosines = np.array([[vectors.similarity(a, b)] for vectors in self.runs_])
        self._warn_of_rare([a, b])
        return Estimate(*(float(value[0]) for value in estimates(cosines, level)))

    def most_similar(
        self,
        positive: str | int | Sequence[str | int] = (),
        negative: str | int | Sequence[str | int] = (),
        topn: int = 10,
    ) -> Neighbors:
        """Return the words most similar to a query, by mean cosine, and how sure that is.

        The query is the sum of the unit vectors of `positive` minus those of `negative`, in each training. A
        word is `certain` if it is among the `topn` of so many of the trainings as `level` says, 19 of 20 with
        0.95, and in 10 sentences or more. The others are noise: another text of the kind, or another seed,
        has others.

        Parameters
        ----------
        positive, negative : word or list of words
            Words to be similar to, and dissimilar to. They are excluded from the result. Of words that are in
            fewer than 10 sentences, a warning says that intervals are too narrow.
        topn : int
            Number of words to return.

        Returns
        -------
        Neighbors
            The words, in descending order of their mean cosines.

        Raises
        ------
        UnknownWordError
            If a word is unknown.
        ValueError
            If the query is empty.
        """
        level = self._check_level()
        topn = check_int("topn", topn, 1)
        words = [_words("positive", positive), _words("negative", negative)]
        first = self.runs_[0]
        asked = [first.index(word) for word in [*words[0], *words[1]]]
        cosines = np.stack([vectors.most_similar(*words, topn=None) for vectors in self.runs_])
        self._warn_of_rare([*words[0], *words[1]])
        return neighbors(first.words, cosines, asked, self.sentence_counts_, topn, level)

    def analogy(self, a: str | int, b: str | int, c: str | int, topn: int = 5) -> Neighbors:
        """Return the words that are to `c` as `b` is to `a`, by mean cosine, and how sure that is.

        Parameters
        ----------
        a, b, c : str or int
            The words in "a is to b as c is to ?", which are excluded from the result.
        topn : int
            Number of words to return, see `most_similar`; with 1, an answer is certain if so many of the
            trainings as `level` says agree on it.

        Returns
        -------
        Neighbors
            The words, in descending order of their mean cosines with b − a + c, of unit vectors.

        Raises
        ------
        UnknownWordError
            If a word is unknown.
        """
        return self.most_similar([b, c], [a], topn)

    def overlap(self, words: Sequence[str | int], topn: int = 10) -> NDArray[np.float64]:
        """Return how many of the nearest neighbors of words two trainings have in common, on average.

        This is the stability of words of Wendlandt, Kummerfeld and Mihalcea (2018).

        Parameters
        ----------
        words : list of words
            The words.
        topn : int
            Number of neighbors.

        Returns
        -------
        float64 array, shape (n,)
            The part of the neighbors of each word, 0 to 1.

        Raises
        ------
        UnknownWordError
            If a word is unknown.
        """
        topn = check_int("topn", topn, 1)
        words = _words("words", words)
        found = [vectors.most_similar_batch(words, topn) for vectors in self.runs_]
        overlaps = []
        for of_word in zip(*found, strict=True):
            _, n_runs = np.unique([str(word) for answer in of_word for word, _ in answer], return_counts=True)
            in_both = float((n_runs * (n_runs - 1)).sum())
            overlaps.append(in_both / (len(found) - 1) / max(1, int(n_runs.sum())))
        return np.array(overlaps, np.float64)

    def _check_level(self) -> float:
        return check_float("level", self.level, above=0, maximum=0.999)

    def _warn_of_rare(self, words: Sequence[str | int]) -> None:
        for word in words:
            n = int(self.sentence_counts_[self.runs_[0].index(word)])
            if n < FEWEST_SENTENCES:
                warn(
                    f"{word!r} is in {n} sentences, too few to say anything of: intervals are too narrow "
                    f"with fewer than {FEWEST_SENTENCES}"
                )


class Trainings:
    """Trainings on resamples of a text, side by side."""

    def __init__(self, stability: Stability, corpus: Corpus, bar: Progress) -> None:
        self._stability = stability
        self._corpus = corpus
        self._bar = bar
        self._at_once = min(number_of_threads(stability.threads), stability.runs)
        self._numbers = iter(range(stability.runs))
        self._complete: dict[int, Vectors] = {}
        self._trainings = SideBySide()

    def complete(self) -> list[Vectors]:
        """Train, and return the vectors of all trainings that were not interrupted, in their order."""
        with signals.set_a_flag() as interrupted:
            self._trainings.work(self._work, self._at_once, interrupted.is_set)
        return [self._complete[number] for number in sorted(self._complete)]

    def _work(self) -> None:
        while (begun := self._begin()) is not None:
            number, model, generator = begun
            model.fit(resampled(self._corpus, generator, model.memory_limit))
            self._end(number, model)

    def _begin(self) -> tuple[int, Any, np.random.Generator] | None:
        """Return the next training: its number, model and random numbers; None if there is none left."""
        with self._trainings.lock:
            number = None if self._trainings.stopping else next(self._numbers, None)
            if number is None:
                return None
            generator = np.random.default_rng([self._stability.seed, number])
            model = self._trainings.under_way[number] = self._model(int(generator.integers(2**31)))
            return number, model, generator

    def _end(self, number: int, model: Any) -> None:
        with self._trainings.lock:
            del self._trainings.under_way[number]
            if not model.interrupted_:
                self._complete[number] = _of_words(model.vectors_)
        if not isinstance(model, EpochModel):
            self._bar.update(1)

    def _model(self, seed: int) -> Any:
        """Return a model to train, whose epochs move the bar."""
        model = self._stability.model
        limit = max(1, model.memory_limit // self._at_once)
        params = model.get_params() | {"seed": seed, "threads": 1, "progress": False, "memory_limit": limit}
        if isinstance(model, EpochModel):
            params["callbacks"] = [self._end_epoch]
        return type(model)(**params)

    def _end_epoch(self, model: EpochModel) -> None:
        self._bar.update(1 / model._learned("vectors_").metadata["epochs"])


def _of_words(vectors: Vectors) -> Vectors:
    """Return vectors without the rows of n-grams, which take far more memory."""
    if not isinstance(vectors, SubwordVectors):
        return vectors
    return Vectors(vectors.words, vectors.vectors, vectors.counts, vectors.metadata)


def _words(name: str, words: Any) -> list[Any]:
    """Return one word or several as a list of these."""
    listed = [words] if isinstance(words, (str, int, np.integer)) else list(words)
    for word in listed:
        check_item(name, word)
    return listed
