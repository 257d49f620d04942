"""How long a training takes, by a second of it: a trial with all its settings, on its own text.

The trial is the very training, with its vocabulary and threads, which is ended after a second. It goes
through a text in a random order, so that what it sees of it is typical. Models of counts are tried on some of
them, see ``some_rows.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from fastvec.corpus.excerpts import Excerpt
from fastvec.models.arpack import Product, truncated_svd
from fastvec.models.association import association
from fastvec.models.base import EpochModel
from fastvec.models.fasttext import FastText
from fastvec.models.glove import GloVe
from fastvec.models.some_rows import SomeRows
from fastvec.models.svd import PPMI_SVD
from fastvec.models.words import WordModel
from fastvec.training.loop import CHUNK
from fastvec.training.matrices import fill_uniform, padded_matrix, padded_shape
from fastvec.training.pauses import Interval, Moment, Periodic
from fastvec.training.threads import Workers, number_of_threads

__all__ = ["seconds_of_glove", "seconds_of_svd", "seconds_of_words"]

# Seconds until a training is up to speed, and those that are measured.
WARM_UP, MEASURED = 0.3, 1.5
# Bytes of rows of n-grams in a trial: more are as slow.
NGRAM_BYTES = 1 << 28
# Texts of fewer words are trained on in their own order, since blocks in a random order would be shorter.
FEWEST_SHUFFLED = 128 * CHUNK
# Random numbers by which the time to make them is measured, and products of a matrix.
NUMBERS, PRODUCTS = 1 << 22, 5


class Stopwatch(Periodic):
    """A callback that ends a training when it knows how fast it is.

    Attributes
    ----------
    marks : list of Moment
        Where the training was at the end of the warm-up, or of an epoch before that, and from then on.
    """

    def __init__(self) -> None:
        self.interval = Interval(seconds=WARM_UP)
        self.marks: list[Moment] = []

    def __call__(self, model: Any, moment: Moment, say: Callable[[str], None]) -> bool:
        """Note a moment; return True to end the training."""
        self.marks.append(moment)
        self.interval = Interval(seconds=MEASURED)
        return self.is_done()

    def is_done(self) -> bool:
        """Return whether enough was measured."""
        return self.marks[-1].seconds - self.marks[0].seconds >= MEASURED

    def seconds_of(self, positions: float) -> float:
        """Return how long the training takes for so many words or entries."""
        first, last = self.marks[0], self.marks[-1]
        seconds, visited = last.seconds - first.seconds, last.positions - first.positions
        if not visited:
            seconds, visited = last.seconds, last.positions
        return last.seconds + (positions - last.positions) * seconds / visited


def seconds_of_words(model: EpochModel, text: Excerpt) -> float:
    """Return how long it takes to train on a text, from its ids to the vectors.

    Raises
    ------
    FloatingPointError, ValueError
        If the training fails.
    KeyboardInterrupt
        After Ctrl-C.
    """
    params: dict[str, Any] = {}
    more, epochs = 0.0, model.epochs
    assert epochs is not None
    if isinstance(model, WordModel):
        shuffled = model.shuffle or text.corpus.n_tokens >= FEWEST_SHUFFLED
        params = {"shuffle": shuffled, "early_stopping": False}
    if isinstance(model, FastText):
        d = model.vector_size
        params["buckets"] = min(model.buckets, NGRAM_BYTES // (4 * padded_shape(1, d)[1]))
        making, checking = _seconds_of_rows(model.buckets - params["buckets"], d)
        more = making + epochs * checking
    positions = epochs * text.of_text(text.corpus.n_tokens)
    training, others = _tried(model, text.corpus, params, positions)
    return training + others + more


def seconds_of_glove(model: GloVe, rows: SomeRows, n_entries: float) -> float:
    """Return how long it takes to train on so many counts, by those of some words."""
    counts, d = rows.counts, model.vector_size
    training, others = _tried(model, counts, {}, model.epochs * round(n_entries))
    filling, _ = _seconds_of_rows(2 * len(counts.vocabulary_), d)
    arranging = max(0.0, others - filling) * n_entries / counts.n_entries_
    return training + arranging + filling * rows.step


def seconds_of_svd(model: PPMI_SVD, rows: SomeRows, n_entries: float) -> float:
    """Return how long it takes to factorize a matrix of so many counts, by that of some words.

    The larger one is taken to need as many products. These take time in proportion to its entries, and the
    rest to its rows.
    """
    counts, threads, n_products = rows.counts, number_of_threads(model.threads), 0.0

    def report(n: float) -> None:
        nonlocal n_products
        n_products += n

    started = time.perf_counter()
    matrix = association(counts, model.matrix, model.shift, model.context_smoothing, progress=False)
    made = time.perf_counter()
    truncated_svd(matrix, model.vector_size, seed=model.seed, threads=threads, progress=False, report=report)
    ended = time.perf_counter()
    products = n_products * _seconds_of_product(matrix, threads)
    others = max(0.0, ended - made - products)
    larger = n_entries / counts.n_entries_
    kept = matrix.nnz * larger
    if rows.step > 1:
        products = n_products * _seconds_of_product(rows.matrix(), threads) * kept / rows.matrix().nnz
    return (made - started) * larger + products + others * rows.step


def _tried(model: EpochModel, source: Any, params: dict[str, Any], positions: int) -> tuple[float, float]:
    """Return the seconds of training for so many positions, and those before and after it in a trial."""
    watch = Stopwatch()
    trial: Any = type(model)(**{**model.get_params(), **params, "progress": False, "callbacks": [watch]})
    started = time.perf_counter()
    len(trial.fit(source).vectors_)  # which are made when they are asked for
    seconds = time.perf_counter() - started
    if trial.interrupted_ and not watch.is_done():
        raise KeyboardInterrupt
    return watch.seconds_of(positions), max(0.0, seconds - watch.marks[-1].seconds)


def _seconds_of_rows(n_rows: int, n_columns: int) -> tuple[float, float]:
    """Return how long it takes to make rows of random numbers, and to look for NaN in them."""
    rows = min(n_rows, max(1, NUMBERS // n_columns))
    if not rows:
        return 0.0, 0.0
    started = time.perf_counter()
    matrix = padded_matrix(rows, n_columns)
    fill_uniform(matrix[:, :n_columns], n_columns, np.random.default_rng(0))
    made = time.perf_counter()
    np.isfinite(matrix.sum())
    checked = time.perf_counter()
    return (made - started) * n_rows / rows, (checked - made) * n_rows / rows


def _seconds_of_product(matrix: Any, threads: int) -> float:
    """Return how long the product of a sparse matrix and a vector takes."""
    vector = np.ones(matrix.shape[1], np.float32)
    with Workers(threads) as workers:
        product = Product(matrix, workers, lambda n: None)
        product(vector)
        started = time.perf_counter()
        for _ in range(PRODUCTS):
            product(vector)
    return (time.perf_counter() - started) / PRODUCTS
