"""Vectors drawn towards those of related words, as a lexicon has them: retrofitting.

With vectors q̂_i, and N_i neighbors of word i, the words that a lexicon relates to it, vectors q_i are sought
that are near to both: the solution of

    (α + β) q_i − β / N_i Σ_j q_j = α q̂_i

where j goes through the neighbors of i. It is where the iteration ends that replaces

    q_i = (α q̂_i + β / N_i Σ_j q_j) / (α + β)

Faruqui, Dodge, Jauhar, Dyer, Hovy and Smith, "Retrofitting word vectors to semantic lexicons", NAACL 2015,
whose β_ij are β / N_i, with α = β = 1. No iteration leaves more than β / (α + β) of what is missing, with
these a half: ten of them leave a thousandth. Here all words move together, from where they were before, so
that their order does not matter. Words are only attracted: nothing pushes others apart.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_float, check_int, shortened
from fastvec.formats.common import open_bytes
from fastvec.formats.ngrams import row_means
from fastvec.formats.places import on_disk
from fastvec.vectors.vectors import Vectors, as_items

__all__ = ["retrofit"]

Lexicon = str | os.PathLike[str] | Mapping[Any, Iterable[str | int]] | Iterable[tuple[str | int, str | int]]
"""What words are related to which: a file, the words related to each, or pairs."""


def retrofit(
    vectors: Vectors,
    lexicon: Lexicon,
    *,
    iterations: int = 10,
    alpha: float = 1.0,
    beta: float = 1.0,
) -> Vectors:
    """Draw vectors towards those of related words, as synonyms in a lexicon [1]_.

    Words that the lexicon relates to no word with a vector stay as they are. Long vectors draw more than
    short ones: the authors bring all to length 1 before, as
    ``vectors.postprocess(center=False, unit_length=True)`` does.

    Parameters
    ----------
    vectors : Vectors
        The vectors.
    lexicon : path-like, dict, or iterable of (word, word)
        Related words: a dict of the words that are related to each, or pairs of words, or a text file, plain
        or gzipped, each of whose lines is a word and the words that are related to it, between white space,
        as in those of the authors. A relation holds in both directions, and counts once. Words without a
        vector are left out.
    iterations : int
        How often all vectors are moved; with 0 they stay as they are.
    alpha : float
        How strongly a word keeps to its own vector, above 0.
    beta : float
        How strongly it is drawn to the mean of its related words, 0 or more.

    Returns
    -------
    Vectors
        The words with their counts and new vectors; `SubwordVectors` if these are, with the n-grams as they
        are. The list ``"postprocessing"`` in `metadata` has one more entry.

    Raises
    ------
    OSError
        If the file cannot be read.
    TypeError, ValueError
        If a parameter is invalid, or no two words with vectors are related.

    References
    ----------
    .. [1] M. Faruqui, J. Dodge, S. Jauhar, C. Dyer, E. Hovy and N. Smith, "Retrofitting word vectors to
       semantic lexicons", NAACL 2015.

    Examples
    --------
    >>> import fastvec
    >>> vectors = fastvec.Vectors(["big", "large", "red"], [[1, 0], [0, 1], [1, 0]])
    >>> nearer = fastvec.retrofit(vectors, {"big": ["large", "huge"]})
    >>> nearer["big"].round(2), nearer["red"]
    (array([0.67, 0.33], dtype=float32), array([1., 0.], dtype=float32))
    """
    if not isinstance(vectors, Vectors):
        raise TypeError(f"vectors must be Vectors, got {shortened(vectors)}")
    iterations = check_int("iterations", iterations, 0)
    alpha, beta = check_float("alpha", alpha, above=0), check_float("beta", beta, minimum=0)
    moving, offsets, neighbors = _related_rows(vectors, _pairs_of(lexicon))
    words = [vectors.words[row] for row in moving]
    original = vectors[words]
    matrix = original
    own = alpha / (alpha + beta)
    for _ in range(iterations):
        matrix = row_means(matrix, offsets, neighbors)
        matrix *= np.float32(1 - own)
        matrix += np.float32(own) * original
    retrofitted = vectors.with_words(words, matrix)
    done = {"retrofitted_words": len(words), "iterations": iterations, "alpha": alpha, "beta": beta}
    retrofitted.metadata = vectors._postprocessed(done)
    return retrofitted


def _related_rows(
    vectors: Vectors, pairs: Iterable[tuple[Any, Any]]
) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.int32]]:
    """Return the rows of the words that have neighbors, and the places of the neighbors among these.

    Those of the word at place i are from ``offsets[i]`` to ``offsets[i + 1]``.
    """
    found = np.array([(vectors.index(a, -1), vectors.index(b, -1)) for a, b in pairs], np.intp).reshape(-1, 2)
    known = found[(found >= 0).all(axis=1) & (found[:, 0] != found[:, 1])]
    if not len(known):
        got = f"none among its {len(found):,} pairs"
        remedy = "" if len(found) else "; a file has white space between a word and those related to it"
        raise ValueError(f"lexicon must relate two words that have vectors, got {got}{remedy}")
    both = np.unique(np.concatenate([known, known[:, ::-1]]), axis=0)
    moving, begins = np.unique(both[:, 0], return_index=True)
    offsets = np.append(begins, len(both)).astype(np.int64)
    return moving, offsets, np.searchsorted(moving, both[:, 1]).astype(np.int32)


def _pairs_of(lexicon: Lexicon) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs of related words of a lexicon, each as often as it is there."""
    if isinstance(lexicon, (str, os.PathLike)):
        yield from _pairs_in(on_disk(lexicon, "lexicon"))
    elif isinstance(lexicon, Mapping):
        for word, related in lexicon.items():
            yield from ((word, other) for other in as_items(f"lexicon[{word!r}]", related))
    elif isinstance(lexicon, Iterable):
        for pair in lexicon:
            if not isinstance(pair, (tuple, list, np.ndarray)) or len(pair) != 2:
                raise TypeError(f"lexicon must be pairs of words, [('big', 'large')], got {shortened(pair)}")
            yield pair[0], pair[1]
    else:
        raise TypeError(f"lexicon must be a file, a dict or pairs of words, got {shortened(lexicon)}")


def _pairs_in(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the pairs of the first word of each line of a file and each of its other words."""
    with open_bytes(path) as file:
        for number, line in enumerate(file, 1):
            try:
                words = line.decode("utf-8-sig" if number == 1 else "utf-8").split()
            except UnicodeDecodeError as error:
                raise ValueError(f"{path}, line {number:,}: byte {error.start + 1:,} is not UTF-8") from error
            yield from ((words[0], other) for other in words[1:])
