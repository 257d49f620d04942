"""Counting a corpus: shards of whole sentences that fit in memory, counted by threads and added.

In a shard, every thread notes where the words of its sentences stand; then the rows of the counts are made
word by word. Counts are whole numbers, so that neither the shards nor the threads change a bit of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.corpus import Corpus
from fastvec.counts.runs import CountMatrix, Runs
from fastvec.training.progress import Progress
from fastvec.training.threads import Report, Workers

__all__ = ["count"]

# Bytes of a kept word of a shard: itself and its place.
WORD_BYTES = 12
# Tokens of a shard, at least.
FEWEST_TOKENS = 1 << 18
# Tokens handed to a kernel at once: some milliseconds of work, so that Ctrl-C is answered at once.
CHUNK = 1 << 19


def count(
    corpus: Corpus,
    n_words: int,
    weights: NDArray[np.int64],
    symmetric: bool,
    *,
    rows: tuple[int, int] | None = None,
    threads: int,
    memory_limit: int,
    progress: bool,
) -> CountMatrix:
    """Return the counts of a corpus, which may be memory-mapped.

    Parameters
    ----------
    corpus : Corpus
        The text.
    n_words : int
        How many of its words are counted, the first ones.
    weights : int64 array, shape (window,)
        The weights of the distances 1 to `window`, in units.
    symmetric : bool
        Whether contexts are on both sides of a word, or on its left only.
    rows : tuple of int, optional
        The first word whose contexts are counted, and the one after the last; the rows of others are empty.
    threads : int
        How many to work with.
    memory_limit : int
        Bytes to take beside the corpus, about: half of it for a shard and half for counts, which go to
        temporary files beyond that.
    progress : bool
        Whether to show progress bars.

    Raises
    ------
    OSError
        If the disk is full.
    """
    in_threads = 8 * n_words * threads
    tokens = max((memory_limit // 2 - in_threads) // WORD_BYTES, FEWEST_TOKENS)
    bounds = _cut(corpus.sentence_offsets, 0, len(corpus), -(-corpus.n_tokens // tokens))
    with Workers(threads) as workers, Runs(n_words, workers, memory_limit // 2) as runs:
        shards = Shards(corpus, n_words, weights, symmetric, rows or (0, n_words), workers)
        with Progress("counting", corpus.n_tokens, " words", progress) as bar:
            for number, (first, last) in enumerate(bounds, 1):
                shards.add(first, last, runs, f"part {number} of {len(bounds)} of the counts", bar.update)
        return runs.finish(progress)


@dataclass(frozen=True)
class Shards:
    """Counts shards of a corpus; the attributes are arguments of `count`."""

    corpus: Corpus
    n_words: int
    weights: NDArray[np.int64]
    symmetric: bool
    rows: tuple[int, int]
    workers: Workers

    def add(self, first: int, last: int, runs: Runs, what: str, report: Report) -> None:
        """Count the sentences [first, last) as a run; placing words and making rows are half of it each."""
        sentence_offsets = self.corpus.sentence_offsets
        kept, places, place_offsets = self._place(first, last, lambda tokens: report(tokens / 2))
        place_offsets = np.clip(place_offsets, *place_offsets[[*self.rows]])
        contexts = np.diff(place_offsets) * len(self.weights) * (2 if self.symmetric else 1)
        make_rows = partial(
            kernels.cooccurrence.count_rows,
            kept=kept,
            places=places,
            place_offsets=place_offsets,
            weights=self.weights,
        )
        tokens = int(sentence_offsets[last] - sentence_offsets[first])
        share = tokens / 2 / max(1, int(contexts.sum()))
        most = np.minimum(contexts, self.n_words)
        runs.add(make_rows, most, contexts, what, lambda done: report(done * share))

    def _place(
        self, first: int, last: int, report: Report
    ) -> tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.int64]]:
        """Return the kept words of the sentences [first, last), and where each stands.

        Every thread notes those of a part of the sentences. The arrays are arguments of `count_rows`: kept,
        places and place_offsets.
        """
        kernel, workers = kernels.cooccurrence, self.workers
        ids, sentence_offsets = self.corpus.ids, self.corpus.sentence_offsets
        n_tokens = int(sentence_offsets[last] - sentence_offsets[first])
        parts = _cut(sentence_offsets, first, last, min(workers.n, -(-n_tokens // CHUNK)))
        cursors = np.zeros((len(parts), self.n_words), np.int64)

        def chunks(part: int) -> Iterator[tuple[int, int]]:
            begin, end = parts[part]
            n_tokens = int(sentence_offsets[end] - sentence_offsets[begin])
            for chunk in _cut(sentence_offsets, begin, end, -(-n_tokens // CHUNK)):
                if workers.stopped.is_set():
                    return
                yield chunk

        def count_words(part: int) -> None:
            for begin, end in chunks(part):
                kernel.count_words(ids[sentence_offsets[begin] : sentence_offsets[end]], cursors[part])

        def place_words(part: int, written: int) -> None:
            for begin, end in chunks(part):
                written = kernel.place_words(
                    ids,
                    sentence_offsets,
                    begin,
                    end,
                    self.n_words,
                    len(self.weights),
                    self.symmetric,
                    written,
                    kept,
                    cursors[part],
                    places,
                )
                report(int(sentence_offsets[end] - sentence_offsets[begin]))

        workers.each(count_words, [(part,) for part in range(len(parts))])
        kept_before = np.concatenate(([0], np.cumsum(cursors.sum(axis=1))))
        place_offsets = np.concatenate(([0], np.cumsum(cursors.sum(axis=0))))
        next_places = place_offsets[:-1].copy()
        for of_part in cursors:  # from how many there are to where they begin, part after part
            sizes = of_part.copy()
            of_part[:] = next_places
            next_places += sizes
        kept = np.empty(kept_before[-1], np.int32)
        places = np.empty(kept_before[-1], np.uint64)
        workers.each(place_words, [(part, int(kept_before[part])) for part in range(len(parts))])
        return kept, places, place_offsets


def _cut(sentence_offsets: NDArray[np.int64], first: int, last: int, n: int) -> list[tuple[int, int]]:
    """Cut the sentences [first, last) into at most `n` parts of about as many tokens each."""
    begin, end = int(sentence_offsets[first]), int(sentence_offsets[last])
    targets = [begin + (end - begin) * part // n for part in range(1, n)]
    inner = first + np.searchsorted(sentence_offsets[first : last + 1], targets)
    return list(pairwise(np.unique([first, *inner.tolist(), last]).tolist()))
