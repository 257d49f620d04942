"""Texts made of sentences of another one, over the same words: resamples, and parts.

The text is not read again, and words keep their ids and counts: what is made is a copy of the ids alone, 4
bytes a word. Sentences stay in the order of the text, one that is drawn twice after itself, so that the copy
is made as fast as memory or a disk is read from beginning to end.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fastvec.corpus.corpus import Corpus
from fastvec.formats.spool import Spool

__all__ = ["part_of", "resampled", "sentence_counts", "without"]

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
    drawn = generator.integers(n, size=n)
    return _of_sentences(corpus, drawn, memory_limit, "sentences, with replacement")


def part_of(corpus: Corpus, share: float, seed: int, memory_limit: int) -> Corpus:
    """Return a random part of the sentences of a corpus; a smaller part is a part of a larger one.

    Parameters
    ----------
    corpus : Corpus
        The text.
    share : float
        The share of its sentences, above 0 and at most 1.
    seed : int
        Seed of the choice.
    memory_limit : int
        Bytes of memory for the ids. More of them are kept in a temporary file.

    Returns
    -------
    Corpus
        Its vocabulary is the very one of `corpus`, whose counts are those of the whole text.
    """
    n = len(corpus)
    some = np.random.default_rng(seed).permutation(n)[: max(1, round(share * n))]
    return _of_sentences(corpus, some, memory_limit, f"{share:g} of the sentences")


def without(corpus: Corpus, spans: list[tuple[int, int]], memory_limit: int) -> Corpus:
    """Return a corpus without some spans, each within a sentence, which ends there and begins anew.

    Parameters
    ----------
    corpus : Corpus
        The text.
    spans : list of (start, stop)
        Positions in the text, in ascending order.
    memory_limit : int
        Bytes of memory for the ids. More of them are kept in a temporary file.

    Returns
    -------
    Corpus
        Its vocabulary is the very one of `corpus`, whose counts are those of the whole text.
    """
    bounds = np.unique(np.concatenate((corpus.sentence_offsets, np.array(spans, np.int64).ravel())))
    begins, lengths = bounds[:-1], np.diff(bounds)
    kept = ~np.isin(begins, [start for start, _ in spans])
    return _of_spans(corpus, begins[kept], lengths[kept], memory_limit, "without what is held out")


def _of_sentences(corpus: Corpus, chosen: NDArray[np.int64], memory_limit: int, how: str) -> Corpus:
    """Return a corpus of some sentences of another one, in the order of the text."""
    chosen = np.sort(chosen)
    begins = corpus.sentence_offsets[chosen]
    return _of_spans(corpus, begins, corpus.sentence_offsets[chosen + 1] - begins, memory_limit, how)


def _of_spans(
    corpus: Corpus, begins: NDArray[np.int64], lengths: NDArray[np.int64], memory_limit: int, how: str
) -> Corpus:
    """Return a corpus of spans of another one, in ascending order."""
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    spool = Spool(np.int32, memory_limit, n=int(offsets[-1]))
    for first, last in _parts(offsets):
        places = np.repeat(begins[first:last] - offsets[first:last], lengths[first:last])
        places += np.arange(offsets[first], offsets[last])
        spool.append(corpus.ids[places])
    sample = Corpus._of_ids(spool.finish(), offsets, corpus.vocabulary, {**corpus._reading, "resampled": how})
    sample.context_ids = corpus.context_ids
    return sample


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
