"""The words whose windows tell the loss of an epoch: spans of a text that are never trained on.

A loss taken while training tells of parameters that change under it, and the last steps before it fit the
very part of the text it is taken of. Here it is taken after the epoch, with the parameters as they are, of
spans that no step has seen. Which spans, and what is drawn for their windows, follows from the text alone:
losses of different epochs, seeds and numbers of threads are of the same windows.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHORTEST_TEXT", "HeldOut", "TrainChunk", "draw_spans", "hold_out"]

# One word in so many is held out, but at least and at most so many words of a text, and none of a short one.
SHARE = 1024
LEAST, MOST = 1 << 10, 1 << 14
SHORTEST_TEXT = 1 << 17
# A span is a sentence; a longer sentence is cut into spans of so many words. Only windows at a cut share
# pairs with windows that are trained on.
SPAN = 128
# Where the places of the spans, and the random sequence of their windows, come from: any numbers.
SEED, KEY = 4_850_337, 0x1F2E_5A3C_9B47_D681


class TrainChunk(Protocol):
    """A kernel bound to its matrices and data; returns its loss, the pairs in that loss, and all pairs."""

    def __call__(
        self, *, start: int, stop: int, learning_rate: float, key: int, loss_every: int
    ) -> tuple[float, int, int]:
        """Train on the positions [start, stop)."""


@dataclass(frozen=True)
class HeldOut:
    """Spans of a text to take the loss of, in ascending order.

    Attributes
    ----------
    spans : list of (start, stop)
        Positions in the text.
    trained_on : bool
        Whether training uses them all the same, since the text is too short to do without.
    """

    spans: list[tuple[int, int]]
    trained_on: bool

    def without(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield the parts of [start, stop) that are trained on."""
        if not self.trained_on:
            first = bisect_right(self.spans, start, key=itemgetter(1))
            for begin, end in self.spans[first:]:
                if begin >= stop:
                    break
                if start < begin:
                    yield start, begin
                start = end
        if start < stop:
            yield start, stop

    def loss(self, train_chunk: TrainChunk) -> float:
        """Return the mean loss per pair, with the parameters as they are; NaN if the spans have no pair."""
        losses, n_pairs = [], 0
        for start, stop in self.spans:
            loss, pairs, _ = train_chunk(start=start, stop=stop, learning_rate=0.0, key=KEY, loss_every=1)
            losses.append(loss)
            n_pairs += pairs
        return math.fsum(losses) / n_pairs if n_pairs else math.nan


def hold_out(
    ids: NDArray[np.int32], sentence_offsets: NDArray[np.int64], counts: NDArray[np.int64]
) -> HeldOut:
    """Choose the spans of a text.

    Every word keeps at least half of its occurrences for training. Where that, or the length of the text,
    does not allow to hold out enough, nothing is held out, and the loss is that of a sample of the text.

    Parameters
    ----------
    ids : int32 array, shape (n_tokens,)
        The text; ids >= n_words are not words of the vocabulary.
    sentence_offsets : int64 array, shape (n_sentences + 1,)
        Sentence s is ``ids[sentence_offsets[s]:sentence_offsets[s + 1]]``.
    counts : int64 array, shape (n_words,)
        How often each word occurs in the text.
    """
    n_tokens = len(ids)
    wanted = min(max(LEAST, n_tokens // SHARE), MOST)
    if n_tokens >= SHORTEST_TEXT:
        spans = draw_spans(ids, sentence_offsets, counts // 2, wanted)
        if 2 * sum(stop - start for start, stop in spans) >= wanted:
            return HeldOut(spans, trained_on=False)
    if n_tokens <= wanted:
        return HeldOut([(0, n_tokens)], trained_on=True)
    return HeldOut(draw_spans(ids, sentence_offsets, counts, wanted), trained_on=True)


def draw_spans(
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    available: NDArray[np.int64],
    wanted: int,
) -> list[tuple[int, int]]:
    """Draw spans until they have so many words, if possible, none of them more often than is available.

    Parameters
    ----------
    ids, sentence_offsets
        The text, as for `hold_out`.
    available : int64 array, shape (n_words,)
        How often each word may be in the spans.
    wanted : int
        How many words they are to have together.

    Returns
    -------
    list of (start, stop)
        Positions in the text, in ascending order.
    """
    taken = np.zeros(len(available), np.int64)
    spans: dict[int, int] = {}
    for word in np.random.SeedSequence(SEED).generate_state(wanted, np.uint64).tolist():
        position = word * len(ids) >> 64
        sentence = int(np.searchsorted(sentence_offsets, position, side="right")) - 1
        start, end = (int(place) for place in sentence_offsets[sentence : sentence + 2])
        start += (position - start) // SPAN * SPAN
        stop = min(start + SPAN, end)
        known = ids[start:stop]
        known = known[known < len(available)]
        words, n_occurrences = np.unique(known, return_counts=True)
        enough_left = (taken[words] + n_occurrences <= available[words]).all()
        if start in spans or len(known) < 2 or not enough_left:
            continue
        taken[words] += n_occurrences
        spans[start] = stop
        wanted -= stop - start
        if wanted <= 0:
            break
    return sorted(spans.items())
