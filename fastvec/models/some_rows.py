"""The counts of some words of a text, by which those of all are known without counting them.

The words are evenly spaced by their frequency. How many entries the rows of the others have is interpolated
between them, in logarithms, by how often these words occur. The counts of the words among each other are as
dense as those of all words: what is learned of them takes as long for each entry, and is as hard.
"""

from __future__ import annotations

import time
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.corpus import Corpus, Vocabulary
from fastvec.corpus.ids import remapped
from fastvec.corpus.selection import known_ids, made_of
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.counts.counting import count
from fastvec.counts.runs import CountMatrix
from fastvec.counts.units import distance_weights
from fastvec.formats.spool import memory_left
from fastvec.models.base import CountModel
from fastvec.training.threads import number_of_threads

__all__ = ["SomeRows"]

# One word of so many has its row counted, if so many words remain, with so many entries among each other.
STEP, FEWEST_WORDS, FEWEST_ENTRIES = 8, 6000, 1 << 16


class SomeRows:
    """The counts of some words.

    Parameters
    ----------
    model : CountModel
        What says how the text is counted.
    corpus : Corpus
        The text.
    vocabulary : Vocabulary
        The words that the model has.

    Attributes
    ----------
    step : int
        One word of so many is among these.
    seconds : float
        How long counting takes with the rows of all words.
    counts : Cooccurrence
        The counts of these words among each other.
    """

    def __init__(self, model: CountModel, corpus: Corpus, vocabulary: Vocabulary) -> None:
        self._model, self._vocabulary = model, vocabulary
        self._count(corpus, min(STEP, max(1, len(vocabulary) // max(FEWEST_WORDS, 3 * model.vector_size))))
        if self.step > 1 and self.counts.n_entries_ < FEWEST_ENTRIES:
            self._count(corpus, 1)

    def _count(self, corpus: Corpus, step: int) -> None:
        """Count the rows of one word of `step`."""
        self.step = step
        self._chosen = np.arange(step // 2, len(self._vocabulary), step)
        placing, _ = self._timed(corpus, 0)
        seconds, self._rows = self._timed(corpus, len(self._chosen))
        work = self._vocabulary.total / self._vocabulary.counts[self._chosen].sum()
        self.seconds = placing + max(0.0, seconds - placing) * work
        self.counts = self._among_each_other()

    def _timed(self, corpus: Corpus, n_rows: int) -> tuple[float, CountMatrix]:
        """Count the rows of the first of the chosen words, which come before all others here."""
        model, n = self._model, len(self._vocabulary)
        others = np.delete(np.arange(n), self._chosen)
        numbers = np.arange(n + 1, dtype=np.int32)
        numbers[np.concatenate((self._chosen, others))] = np.arange(n, dtype=np.int32)
        text = copy(corpus)
        of_text = known_ids(self._vocabulary, corpus.vocabulary.words)
        text.ids = remapped(corpus.ids, numbers[of_text], model.memory_limit)
        started = time.perf_counter()
        rows = count(
            text,
            n,
            distance_weights(model.weighting, model.window)[0],
            model.symmetric,
            rows=(0, n_rows),
            threads=number_of_threads(model.threads),
            memory_limit=memory_left(model.memory_limit, text.ids),
            progress=False,
        )
        return time.perf_counter() - started, rows

    def n_entries(self) -> float:
        """Return about how many entries the rows of all words have."""
        sizes = np.diff(self._rows.row_offsets)[: len(self._chosen)]
        if self.step == 1:
            return float(sizes.sum())
        counts = self._vocabulary.counts
        of_rows = counts[self._chosen]
        octave = np.log2(of_rows).astype(np.intp)
        n_rows = np.bincount(octave)
        filled = n_rows > 0
        mean_counts, mean_sizes = (
            np.bincount(octave, values)[filled] / n_rows[filled] for values in (of_rows, sizes)
        )
        known = mean_sizes > 0
        if not known.any():
            return 0.0
        logarithms = np.interp(np.log(counts), np.log(mean_counts[known]), np.log(mean_sizes[known]))
        return float(np.minimum(np.exp(logarithms), len(counts)).sum())

    def _among_each_other(self) -> Cooccurrence:
        """Return the counts of these words with each other."""
        n, (row_offsets, columns, units) = len(self._chosen), self._rows
        own = np.flatnonzero(columns < n)
        offsets = np.searchsorted(own, row_offsets[: n + 1])
        matrix = CountMatrix(offsets.astype(np.int64), columns[own], units[own])
        words = [self._vocabulary.words[i] for i in self._chosen.tolist()]
        unit = distance_weights(self._model.weighting, self._model.window)[1]
        vocabulary = Vocabulary(words, self._vocabulary.counts[self._chosen])
        return self._model._counter()._set(vocabulary, matrix, unit, made_of([{}]))

    def matrix(self) -> Any:
        """Return the counts of these words with all words, as a `scipy.sparse.csr_array` of float32."""
        from scipy.sparse import csr_array

        n, (row_offsets, columns, units) = len(self._chosen), self._rows
        shape = (n, len(self._vocabulary))
        offsets: NDArray[Any] = row_offsets[: n + 1].astype(np.int32)
        return csr_array((units.astype(np.float32), columns, offsets), shape=shape)
