"""The words of a corpus with their counts, and the probabilities derived from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastvec._params import check_counts, check_float, check_int
from fastvec.corpus.sequences import ids_or_words
from fastvec.exports.notebooks import FIRST, table

__all__ = ["Vocabulary", "by_frequency", "keep_probabilities", "noise_probabilities", "union"]


class Vocabulary:
    """The distinct words of a corpus, the most frequent first; a word's position is its id.

    Parameters
    ----------
    words : sequence of str or int
        The distinct words in order of descending count; words of equal count in order of first occurrence.
    counts : array of int
        How often each word occurs, at least once.

    Attributes
    ----------
    words : list of str, or of int
        The words: ids (int) if all of them are ids, else str.
    counts : int64 array, shape (n_words,)
        Their counts; read-only.
    total : int
        The sum of the counts.

    Raises
    ------
    ValueError
        If the lengths differ, or the counts are not positive and in descending order.
    TypeError
        If the counts are not integers.
    """

    def __init__(self, words: Sequence[Any], counts: ArrayLike) -> None:
        self.words = ids_or_words(words)
        self.counts: NDArray[np.int64] = check_counts(counts, len(self.words)).copy()
        self.counts.flags.writeable = False
        self.total = int(self.counts.sum())
        if len(self) and (self.counts[-1] < 1 or (self.counts[1:] > self.counts[:-1]).any()):
            raise ValueError("counts must be positive and descending")

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.words)

    def __contains__(self, word: object) -> bool:
        return str(word) in self.index

    def __repr__(self) -> str:
        return f"Vocabulary({len(self):,} words, {self.total:,} tokens)"

    def _repr_html_(self) -> str:
        """Return a table of the most frequent words, as notebooks show it."""
        first = zip(self.words[:FIRST], self.counts[:FIRST].tolist(), strict=True)
        return table(repr(self), ["word", "count"], [[word, f"{count:,}"] for word, count in first])

    @cached_property
    def index(self) -> dict[str, int]:
        """Mapping from word to position; an int is there as its digits."""
        return {word: i for i, word in enumerate(map(str, self.words))}

    def head(self, min_count: int = 1, max_vocab: int | None = None) -> Vocabulary:
        """Return the most frequent words as a new vocabulary, with the same ids.

        Parameters
        ----------
        min_count : int
            Words that occur less often are ignored.
        max_vocab : int, optional
            Keep at most this many words.

        Returns
        -------
        Vocabulary
            A prefix of this one: ids beyond its length are out of vocabulary.

        Raises
        ------
        ValueError
            If no word remains.
        """
        min_count = check_int("min_count", min_count, 1)
        if max_vocab is not None:
            max_vocab = check_int("max_vocab", max_vocab, 1)
        n = int(np.searchsorted(-self.counts, -min_count, side="right"))
        if n == 0:
            n_words = f"{len(self):,} distinct word{'' if len(self) == 1 else 's'}"
            largest = int(self.counts.max(initial=0))
            times = "once" if largest == 1 else f"{largest:,} times"
            raise ValueError(
                f"min_count={min_count} leaves no word: the corpus has {n_words} "
                f"and the most frequent occurs {times}"
            )
        n = n if max_vocab is None else min(n, max_vocab)
        return self if n == len(self) else Vocabulary(self.words[:n], self.counts[:n])

    def keep_probabilities(self, subsample: float) -> NDArray[np.float64]:
        """Return the probability with which an occurrence of each word is kept for training.

        A word of relative frequency f is kept with the probability min(1, sqrt(t / f) + t / f), t being
        `subsample`. This is what word2vec.c computes; the paper [1]_ gives sqrt(t / f) alone, which drops
        a little more.

        Parameters
        ----------
        subsample : float
            The threshold t, usually from 1e-5 to 1e-3; 0 keeps every word.

        Returns
        -------
        float64 array, shape (n_words,)

        References
        ----------
        .. [1] T. Mikolov, I. Sutskever, K. Chen, G. Corrado, J. Dean: Distributed representations of words
           and phrases and their compositionality, NIPS 2013, section 2.3.
        """
        return keep_probabilities(self.counts, self.total, check_float("subsample", subsample, minimum=0))

    def noise_probabilities(self, noise_exponent: float) -> NDArray[np.float64]:
        """Return the probability with which each word is drawn as a negative: its count to a power.

        The paper [1]_ and word2vec.c take the power 0.75. 0 draws uniformly and 1 as often as in the text;
        word2vec.c rounds the distribution to a table of 10^8 draws, which is not done here.

        Parameters
        ----------
        noise_exponent : float
            The power; it may be negative.

        Returns
        -------
        float64 array, shape (n_words,)
            The sum is 1.

        References
        ----------
        .. [1] T. Mikolov, I. Sutskever, K. Chen, G. Corrado, J. Dean: Distributed representations of words
           and phrases and their compositionality, NIPS 2013, section 2.2.
        """
        return noise_probabilities(self.counts, check_float("noise_exponent", noise_exponent))


def keep_probabilities(counts: NDArray[np.int64], total: int, subsample: float) -> NDArray[np.float64]:
    """Return the probability with which words of such counts among a total are kept."""
    if subsample == 0:
        return np.ones(len(counts))
    ratio = subsample * total / counts
    return np.minimum(1.0, np.sqrt(ratio) + ratio)


def noise_probabilities(counts: NDArray[np.int64], noise_exponent: float) -> NDArray[np.float64]:
    """Return probabilities in proportion to powers of counts."""
    logarithms = noise_exponent * np.log(counts)
    weights: NDArray[np.float64] = np.exp(logarithms - logarithms.max())
    weights /= weights.sum()
    return weights


def by_frequency(words: Sequence[Any], counts: NDArray[np.int64]) -> tuple[Vocabulary, NDArray[np.int32]]:
    """Return the vocabulary of words that come in any order, and the id of each of them.

    Words of equal count stay in their order. Those of count 0 are left out: their ids are beyond it.
    """
    order = np.argsort(-counts, kind="stable")
    n = np.count_nonzero(counts)
    ids = np.empty(len(words), np.int32)
    ids[order] = np.arange(len(words), dtype=np.int32)
    objects = np.empty(len(words), object)
    objects[:] = words
    return Vocabulary(objects[order[:n]].tolist(), counts[order[:n]]), ids


def union(vocabularies: Sequence[Vocabulary]) -> tuple[Vocabulary, list[NDArray[np.int32]]]:
    """Return the words of all vocabularies with the sums of their counts, and for each its words' new ids."""
    index: defaultdict[str, int] = defaultdict(count().__next__)
    words: list[Any] = []
    places = []
    for vocabulary in vocabularies:
        known = len(index)
        ids = np.fromiter(map(index.__getitem__, map(str, vocabulary.words)), np.int32, len(vocabulary))
        places.append(ids)
        words += [vocabulary.words[place] for place in np.flatnonzero(ids >= known).tolist()]
    counts = np.zeros(len(index), np.int64)
    for ids, vocabulary in zip(places, vocabularies, strict=True):
        counts[ids] += vocabulary.counts
    together, new_ids = by_frequency(ids_or_words(words), counts)
    return together, [new_ids[of_words] for of_words in places]
