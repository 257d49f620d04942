"""Vectors for words that have none, from those around them: à la carte.

Of a word w, u_w is the mean of the vectors of the words around it. It is not yet the vector of w: what is in
all texts is in all of these means, and they are too short. Both are mended by the linear map that makes of
the means of known words their vectors,

    A, b = argmin Σ_w log(1 + n_w) |v_w − A u_w − b|²

where w goes through the known words of a text, and n_w is how often it is there. A new word gets A u_w + b.

Khodak, Saunshi, Liang, Ma, Stewart and Arora, "A la carte embedding: cheap but effective induction of
semantic feature vectors", ACL 2018, who have no b.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_int
from fastvec.corpus import Corpus
from fastvec.vectors.vectors import Vectors

__all__ = ["infer"]

# Words whose rows are in memory at once, about.
WORDS_AT_ONCE = 1 << 14
# Added to the squares of A, relative to their mean: with few known words there are many A otherwise.
RIDGE = 0.01


def infer(vectors: Vectors, corpus: Any, *, window: int | None = 5, min_count: int = 1) -> Vectors:
    """Add vectors of new words, or new items, made of those around them in a text [1]_.

    It takes a moment and needs no model. The text should have the known words too, since it is from these
    that the function learns what to make of the means of contexts. New words are comparable to known ones
    but less certain, the more so the rarer they are.

    To recommend new items, a model has to learn how often they are wanted, for which see
    `SkipGram.recommend`, from ``fit(sessions, update_vocabulary=True, freeze=model.vectors_.words)``.

    Parameters
    ----------
    vectors : Vectors
        The vectors of the known words.
    corpus : Corpus, or anything that `Corpus` takes
        The text, or sessions; not only what new words are in, since the map is learned here from all known
        words, of which there should be many more than dimensions.
    window : int or None
        Largest distance of the words around one; None for all of its sentence, as for baskets.
    min_count : int
        New words that occur less often are left out.

    Returns
    -------
    Vectors
        All words with their vectors, first those of `vectors`, as they are. New words without a known one
        around them are left out.

    Raises
    ------
    TypeError, ValueError
        If a parameter is invalid, or no known word of the text has another one around it.

    References
    ----------
    .. [1] M. Khodak, N. Saunshi, Y. Liang, T. Ma, B. Stewart and S. Arora, "A la carte embedding: cheap but
       effective induction of semantic feature vectors", ACL 2018.

    Examples
    --------
    >>> import fastvec
    >>> baskets = [["tea", "milk"], ["tea", "sugar"], ["nails", "glue"], ["nails", "saw"]] * 50
    >>> vectors = fastvec.SkipGram(vector_size=4, epochs=20, threads=1).fit(baskets).vectors_
    >>> more = fastvec.infer(vectors, [*baskets, ["tea", "honey"], ["honey", "milk"]], window=None)
    >>> more, more.similarity("honey", "sugar") > more.similarity("honey", "saw")
    (Vectors(7 words, 4 dimensions), True)
    """
    if not isinstance(vectors, Vectors):
        raise TypeError(f"vectors must be Vectors, got {vectors!r}: pass the vectors_ of a model")
    if window is not None:
        window = check_int("window", window, 1)
    min_count = check_int("min_count", min_count, 1)
    corpus = corpus if isinstance(corpus, Corpus) else Corpus(corpus)
    vocabulary = corpus.vocabulary
    rows = np.array([vectors.index(word, -1) for word in vocabulary.words], np.intp)
    means, has_contexts = _means_of_contexts(corpus, vectors, rows, window)
    known = (rows >= 0) & has_contexts
    if not known.any():
        raise ValueError("corpus must have known words with others around them, got none")
    new = np.flatnonzero((rows < 0) & has_contexts & (vocabulary.counts >= min_count))
    inferred = _mapped(means[new], means[known], vectors.vectors[rows[known]], vocabulary.counts[known])
    return vectors.with_words([vocabulary.words[word] for word in new.tolist()], inferred)


def _means_of_contexts(
    corpus: Corpus, vectors: Vectors, rows: NDArray[np.intp], window: int | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the means of the vectors of the known words around each word, and whether there are any."""
    size = vectors.vector_size
    sums = np.zeros((len(rows), size + 1))  # the last column counts
    sentences = corpus.sentence_offsets
    begin = 0
    while begin < len(sentences) - 1:
        end = int(np.searchsorted(sentences, sentences[begin] + WORDS_AT_ONCE, side="right")) - 1
        end = max(end, begin + 1)
        offsets = sentences[begin : end + 1] - sentences[begin]
        ids = corpus.ids[sentences[begin] : sentences[end]]
        of_words = np.zeros((len(ids), size + 1))
        is_known = rows[ids] >= 0
        of_words[is_known, :size] = vectors.vectors[rows[ids[is_known]]]
        of_words[is_known, size] = 1
        order = np.argsort(ids, kind="stable")
        words, firsts = np.unique(ids[order], return_index=True)
        around = _sums_around(of_words, offsets, window)
        if len(words):
            sums[words] += np.add.reduceat(around[order], firsts)
        begin = end
    counts = sums[:, size]
    means: NDArray[np.float64] = sums[:, :size] / np.maximum(counts, 1)[:, np.newaxis]
    return means, counts > 0


def _sums_around(
    of_words: NDArray[np.float64], offsets: NDArray[np.int64], window: int | None
) -> NDArray[np.float64]:
    """Return for every position of some sentences the sum of what is around it."""
    totals = np.concatenate((np.zeros((1, of_words.shape[1])), np.cumsum(of_words, axis=0)))
    lengths = np.diff(offsets)
    first, last = np.repeat(offsets[:-1], lengths), np.repeat(offsets[1:], lengths)
    if window is not None:
        positions, window = np.arange(len(of_words)), min(window, len(of_words))
        first, last = np.maximum(first, positions - window), np.minimum(last, positions + window + 1)
    sums: NDArray[np.float64] = totals[last] - totals[first] - of_words
    return sums


def _mapped(
    new: NDArray[np.float64],
    means: NDArray[np.float64],
    vectors: NDArray[np.float32],
    counts: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return what the map from the means of known words to their vectors makes of the means of new ones."""
    weights = np.log1p(counts)
    weights /= weights.sum()
    center, target = weights @ means, weights @ vectors
    weighted = (means - center) * weights[:, np.newaxis]
    squares = weighted.T @ (means - center)
    ridge = RIDGE * np.trace(squares) / len(squares)
    a = np.linalg.lstsq(squares + ridge * np.eye(len(squares)), weighted.T @ (vectors - target), rcond=None)[
        0
    ]
    result: NDArray[np.float64] = (new - center) @ a + target
    return result
