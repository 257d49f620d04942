"""Continuing to train on another corpus: its known words, and how new ones are added."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastvec.corpus import Corpus
from fastvec.corpus.ids import remapped
from fastvec.corpus.vocabulary import Vocabulary

__all__ = ["counts_in", "grown", "ids_in", "known_ids"]


def known_ids(vocabulary: Vocabulary, words: list[str]) -> NDArray[np.int32]:
    """Return the ids of words in a vocabulary; unknown words get its length."""
    strange = len(vocabulary)
    return np.array([vocabulary.index.get(word, strange) for word in words], np.int32)


def ids_in(vocabulary: Vocabulary, corpus: Corpus, memory_limit: int) -> NDArray[np.int32]:
    """Return the ids of a corpus as those of another vocabulary; unknown words get ids beyond it.

    If both together exceed `memory_limit`, the new ones are in a temporary file.

    Raises
    ------
    ValueError
        If all words are unknown.
    """
    new_ids = known_ids(vocabulary, corpus.vocabulary.words)
    if (new_ids == len(vocabulary)).all():
        raise ValueError(
            f"corpus must have words that the model knows, got {len(new_ids):,} distinct words that are "
            "all unknown; fit(corpus, update_vocabulary=True) adds those that min_count keeps"
        )
    same = np.array_equal(new_ids, np.minimum(np.arange(len(new_ids)), len(vocabulary)))
    return corpus.ids if same else remapped(corpus.ids, new_ids, memory_limit)


def counts_in(vocabulary: Vocabulary, corpus: Corpus) -> NDArray[np.int64]:
    """Return how often each word of a vocabulary occurs in a corpus."""
    ids = known_ids(vocabulary, corpus.vocabulary.words)
    known = ids < len(vocabulary)
    counts = np.zeros(len(vocabulary), np.int64)
    counts[ids[known]] = corpus.vocabulary.counts[known]
    return counts


def grown(
    vocabulary: Vocabulary, other: Vocabulary, min_count: int, max_vocab: int | None
) -> tuple[Vocabulary, NDArray[np.intp]]:
    """Return a vocabulary with the counts and the new words of another one added.

    Parameters
    ----------
    vocabulary : Vocabulary
        The old words, which all stay; they come first among words of equal count.
    other : Vocabulary
        All words of the new corpus.
    min_count, max_vocab
        What `Vocabulary.head` is told about the new corpus, to choose among its words.

    Returns
    -------
    vocabulary : Vocabulary
        The old and the new words, by descending count.
    places : int array
        The new id of every old word.
    """
    ids = known_ids(vocabulary, other.words)
    known = ids < len(vocabulary)
    counts = vocabulary.counts.copy()
    counts[ids[known]] += other.counts[known]
    chosen = len(other.head(min_count, max_vocab)) if other.counts[0] >= min_count else 0
    new = np.flatnonzero(~known[:chosen])
    words = vocabulary.words + [other.words[i] for i in new.tolist()]
    counts = np.concatenate((counts, other.counts[new]))
    order = np.argsort(-counts, kind="stable")
    places = np.empty(len(order), np.intp)
    places[order] = np.arange(len(order))
    return Vocabulary([words[i] for i in order.tolist()], counts[order]), places[: len(vocabulary)]
