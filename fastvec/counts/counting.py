"""Counting a corpus: shards of whole sentences that fit in memory, counted by threads and added.

In a shard, every thread notes where the words of its sentences stand; then the rows of the counts are made
word by word. Counts are whole numbers, so that neither the shards nor the threads change a bit of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.corpus import Corpus
from fastvec.counts.runs import Counts, Runs
from fastvec.training.progress import Progress
from fastvec.training.threads import Report, Workers

__all__ = ["Windows", "count"]

# Bytes of a kept word of a shard: itself and its place.
WORD = 12
# Tokens of a shard, at least.
FEWEST_TOKENS = 1 << 18
# Tokens handed to a kernel at once: some milliseconds of work, so that Ctrl-C is answered at once.
CHUNK = 1 << 19


class Windows(NamedTuple):
    """What is counted: the first `n_words` words, in windows, by the weights of distances in units."""

    n_words: int
    weights: NDArray[np.int64]
    symmetric: bool


class Places(NamedTuple):
    """The kept words of a shard, and where each stands: arguments of `count_rows`."""

    kept: NDArray[np.int32]
    places: NDArray[np.uint64]
    place_offsets: NDArray[np.int64]


def count(corpus: Corpus, windows: Windows, threads: int, memory_limit: int, progress: bool) -> Counts:
    """Return the counts of a corpus, which may be memory-mapped.

    Parameters
    ----------
    corpus : Corpus
        The text.
    windows : Windows
        What is counted.
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
    in_threads = 8 * windows.n_words * threads
    tokens = max((memory_limit // 2 - in_threads) // WORD, FEWEST_TOKENS)
    shards = _cut(corpus.sentence_offsets, 0, len(corpus), -(-corpus.n_tokens // tokens))
    with Workers(threads) as workers, Runs(windows.n_words, workers, memory_limit // 2) as runs:
        with Progress("counting", corpus.n_tokens, " words", progress) as bar:
            for number, (first, last) in enumerate(shards, 1):
                what = f"part {number} of {len(shards)} of the counts"
                _count_shard(corpus, first, last, windows, workers, runs, what, bar.update)
        return runs.finish(progress)


def _count_shard(
    corpus: Corpus,
    first: int,
    last: int,
    windows: Windows,
    workers: Workers,
    runs: Runs,
    what: str,
    report: Report,
) -> None:
    """Count the sentences [first, last) as a run. Placing words and making rows are half of the way each."""
    kernel = kernels.cooccurrence
    placed = _place(corpus, first, last, windows, workers, lambda tokens: report(tokens / 2))
    contexts = np.diff(placed.place_offsets) * len(windows.weights) * (2 if windows.symmetric else 1)
    most = np.minimum(contexts, windows.n_words)
    make_rows = partial(kernel.count_rows, **placed._asdict(), weights=windows.weights)
    tokens = int(corpus.sentence_offsets[last] - corpus.sentence_offsets[first])
    share = tokens / 2 / max(1, int(contexts.sum()))
    runs.add(make_rows, most, contexts, what, lambda done: report(done * share))


def _place(
    corpus: Corpus, first: int, last: int, windows: Windows, workers: Workers, report: Report
) -> Places:
    """Note where the words of the sentences [first, last) stand, every thread those of a part of them."""
    kernel = kernels.cooccurrence
    ids, sentence_offsets = corpus.ids, corpus.sentence_offsets
    n_tokens = int(sentence_offsets[last] - sentence_offsets[first])
    parts = _cut(sentence_offsets, first, last, min(workers.n, -(-n_tokens // CHUNK)))
    cursors = np.zeros((len(parts), windows.n_words), np.int64)

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
                windows.n_words,
                len(windows.weights),
                windows.symmetric,
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
    return Places(kept, places, place_offsets)


def _cut(sentence_offsets: NDArray[np.int64], first: int, last: int, n: int) -> list[tuple[int, int]]:
    """Cut the sentences [first, last) into at most `n` parts of about as many tokens each."""
    begin, end = int(sentence_offsets[first]), int(sentence_offsets[last])
    targets = [begin + (end - begin) * part // n for part in range(1, n)]
    inner = first + np.searchsorted(sentence_offsets[first : last + 1], targets)
    return list(pairwise(np.unique([first, *inner.tolist(), last]).tolist()))
