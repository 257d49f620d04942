"""The sum of counts of different texts, whose vocabularies differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastvec.corpus.vocabulary import Vocabulary
from fastvec.counts.runs import Counts, added_up
from fastvec.training.threads import Workers

__all__ = ["merge"]


def merge(
    vocabularies: Sequence[Vocabulary],
    counts: Sequence[Counts],
    threads: int,
    memory_limit: int,
    progress: bool,
) -> tuple[Vocabulary, Counts]:
    """Return the words of all texts with the sum of their counts, and the counts of all pairs.

    Raises
    ------
    OSError
        If the disk is full.
    ValueError
        If counts are so large that their sum might not fit in an int64.
    """
    if sum(int(of_text.units.max(initial=0)) for of_text in counts) >= 2**63:
        raise ValueError("the largest counts must have a sum below 2**63 units")
    vocabulary, maps = _united(vocabularies)
    n = len(vocabulary)
    renumbered = [None if np.array_equal(ids, np.arange(len(ids))) else ids for ids in maps]
    rows = [None if ids is None else _inverse(ids, n) for ids in renumbered]
    with Workers(threads) as workers:
        return vocabulary, added_up(counts, rows, renumbered, n, workers, memory_limit, progress)


def _united(vocabularies: Sequence[Vocabulary]) -> tuple[Vocabulary, list[NDArray[np.int32]]]:
    """Return the words of all with the sum of their counts, and for each the new ids of its words."""
    index: dict[str, int] = {}
    ids = [
        np.array([index.setdefault(word, len(index)) for word in vocabulary.words], np.int32)
        for vocabulary in vocabularies
    ]
    counts = np.zeros(len(index), np.int64)
    for of_text, vocabulary in zip(ids, vocabularies, strict=True):
        counts[of_text] += vocabulary.counts
    order = np.argsort(-counts, kind="stable")
    rank = _inverse(order, len(order))
    words = list(index)
    return Vocabulary([words[i] for i in order.tolist()], counts[order]), [rank[of_text] for of_text in ids]


def _inverse(ids: NDArray[np.integer], n: int) -> NDArray[np.int32]:
    """Return for each of `n` ids its place in `ids`, -1 for none."""
    places = np.full(n, -1, np.int32)
    places[ids] = np.arange(len(ids), dtype=np.int32)
    return places
