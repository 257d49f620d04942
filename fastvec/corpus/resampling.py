"""Resamples of a text: as many sentences as it has, drawn with replacement, over the same words.

The text is not read again, and words keep their ids and counts: a resample is a copy of the ids alone, 4
bytes a word. Sentences stay in the order of the text, one that is drawn twice after itself, so that the copy
is made as fast as memory or a disk is read from beginning to end.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fastvec.corpus.corpus import Corpus
from fastvec.formats.spool import Spool

__all__ = ["resampled", "sentence_counts"]

# Words that are worked on at once.
WORDS_AT_ONCE = 1 << 20


def resampled(corpus: Corpus, generator: np.random.Generator, memory_limit: int) -> Corpus:
    """Return a resample of a corpus, with its vocabulary.

    Parameters
    ----------
    corpus : Corpus
        The text.
    generator : numpy.random.Generator
        Draws the sentences.
    memory_limit : int
        Bytes of memory for the ids. More of them are kept in a temporary file.

    Returns
    -------
    Corpus
        Its vocabulary is the very one of `corpus`, whose counts are those of the whole text.
    """
    n = len(corpus)
    drawn = np.sort(generator.integers(n, size=n))
    begins = corpus.sentence_offsets[drawn]
    lengths = corpus.sentence_offsets[drawn + 1] - begins
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    spool = Spool(np.int32, memory_limit, n=int(offsets[-1]))
    for first, last in _parts(offsets):
        places = np.repeat(begins[first:last] - offsets[first:last], lengths[first:last])
        places += np.arange(offsets[first], offsets[last])
        spool.append(corpus.ids[places])
    reading = {**corpus._reading, "resampled": "sentences, with replacement"}
    resample = Corpus._of_ids(spool.finish(), offsets, corpus.vocabulary, reading)
    resample.context_ids = corpus.context_ids
    return resample


def sentence_counts(corpus: Corpus) -> NDArray[np.int64]:
    """Return in how many sentences each word of the vocabulary of a corpus is."""
    n_words, offsets = len(corpus.vocabulary), corpus.sentence_offsets
    counts = np.zeros(n_words, np.int64)
    for first, last in _parts(offsets):
        sentences = np.repeat(np.arange(last - first), np.diff(offsets[first : last + 1]))
        pairs = np.unique(sentences * n_words + corpus.ids[offsets[first] : offsets[last]])
        counts += np.bincount(pairs % n_words, minlength=n_words)
    return counts


def _parts(offsets: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Cut sentences into parts of about `WORDS_AT_ONCE` words: the first one, and the one after the last."""
    targets = np.arange(0, offsets[-1], WORDS_AT_ONCE)[1:]
    bounds = np.unique([0, *np.searchsorted(offsets, targets).tolist(), len(offsets) - 1]).tolist()
    return list(pairwise(bounds))
