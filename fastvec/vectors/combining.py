"""Several vectors of a word combined into one: meta-embeddings.

With unit vectors u_1 … u_k of a word and weights w_1 … w_k whose sum is 1, the concatenation

    v = (√w_1 u_1, …, √w_k u_k)

has the weighted mean of their cosines as its cosine, since the products of its parts add up:

    v · v' = Σ_i w_i (u_i · u'_i)

Yin and Schütze, "Learning word meta-embeddings", ACL 2016. The sum Σ_i √w_i u_i, shorter ones padded with
zeros, has the dimensions of the longest only. Its products have those of different trainings, u_i · u'_j, in
addition, which are noise: of vectors in d dimensions, of about 1 / √d, so that it takes many of them.
Coates and Bollegala, "Frustratingly easy meta-embedding: computing meta-embeddings by averaging source word
embeddings", NAACL 2018.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastvec._params import check_choice, shortened
from fastvec.vectors.vectors import Vectors, as_words, unit_rows

__all__ = ["combine"]


def combine(
    vectors: Iterable[Vectors],
    weights: ArrayLike | None = None,
    *,
    method: str = "concatenate",
    words: str = "common",
) -> Vectors:
    """Combine vectors of several trainings into one vector for each word, a meta-embedding.

    Models differ in what their vectors are good at. All vectors are brought to length 1 first, so that none
    counts more for being longer.

    Parameters
    ----------
    vectors : iterable of Vectors
        Two or more, of any numbers of dimensions.
    weights : array_like of float, shape (k,), optional
        How much each of them counts, above 0; by default all alike. The cosine of two words that all of them
        have, by concatenation, is the mean of their cosines with these weights.
    method : {"concatenate", "average"}
        Whether vectors are put behind each other [1]_, or added dimension by dimension [2]_, where shorter
        ones are padded with zeros. The average has the dimensions of the longest only, at a cost: the
        products of vectors of different trainings are noise in its cosines, of about 1 / sqrt(d).
    words : {"common", "all"}
        Whether the result has the words that all have, in the order of the first, or the words of all: those
        of the first, followed by those of the next that are not among them. Where a word has no vector,
        zeros stand for it.

    Returns
    -------
    Vectors
        The words and their combined vectors, without n-grams, which all formats save. With counts if all have
        them, those of the first that has a word. `metadata` has the list ``"combined"``, the metadata of
        each, and the ``"method"`` and ``"weights"``.

    Raises
    ------
    TypeError, ValueError
        If a parameter is invalid, or no word is common to all.

    See Also
    --------
    Vectors.order_dimensions : A concatenation in fewer dimensions, with `Vectors.truncate`.
    Vectors.align : Turns vectors towards others, so that they can be averaged in the same directions.

    References
    ----------
    .. [1] W. Yin and H. Schütze, "Learning word meta-embeddings", ACL 2016.
    .. [2] J. Coates and D. Bollegala, "Frustratingly easy meta-embedding: computing meta-embeddings by
       averaging source word embeddings", NAACL 2018.

    Examples
    --------
    >>> import fastvec
    >>> by_sound = fastvec.Vectors(["sea", "see", "ocean"], [[1, 0], [1, 0], [0, 1]])
    >>> by_meaning = fastvec.Vectors(["sea", "see", "ocean"], [[2, 0, 0], [0, 2, 0], [2, 0, 0]])
    >>> combined = fastvec.combine([by_sound, by_meaning], weights=[1, 3])
    >>> combined
    Vectors(3 words, 5 dimensions)
    >>> round(combined.similarity("sea", "ocean"), 3)
    0.75
    """
    combined = _as_several(vectors)
    shares = _as_shares(weights, len(combined))
    check_choice("method", method, ("concatenate", "average"))
    chosen = _words_of(combined, check_choice("words", words, ("common", "all")))
    sizes = [each.vector_size for each in combined]
    begins = np.cumsum([0, *sizes[:-1]]) if method == "concatenate" else [0] * len(sizes)
    matrix = np.zeros((len(chosen), max(np.add(begins, sizes))), dtype=np.float32)
    for each, share, begin in zip(combined, shares, begins, strict=True):
        rows = [row for row, word in enumerate(chosen) if word in each]
        units = unit_rows(each[[chosen[row] for row in rows]])
        matrix[rows, begin : begin + each.vector_size] += np.float32(np.sqrt(share)) * units
    metadata = {
        "combined": [each.metadata for each in combined],
        "method": method,
        "weights": shares.tolist(),
    }
    return Vectors(chosen, matrix, _counts_of(combined, chosen), metadata)


def _as_several(vectors: Any) -> list[Vectors]:
    several = (
        list(vectors) if isinstance(vectors, Iterable) and not isinstance(vectors, Vectors) else [vectors]
    )
    for each in several:
        if not isinstance(each, Vectors):
            raise TypeError(f"vectors must be a list of Vectors, got {shortened(each)} among them")
    if len(several) < 2:
        raise ValueError(f"vectors must be two or more Vectors, got {len(several)}: pass a list of them")
    return several


def _as_shares(weights: ArrayLike | None, n: int) -> NDArray[np.float64]:
    """Return weights, shape (n,), whose sum is 1."""
    given = np.ones(n) if weights is None else np.asarray(weights)
    if given.dtype.kind not in "iuf":
        raise TypeError(f"weights must be numbers, one for each of the vectors, got {shortened(weights)}")
    if given.shape != (n,) or not np.isfinite(given).all() or (given <= 0).any():
        raise ValueError(
            f"weights must be {n} numbers > 0, one for each of the vectors, got {shortened(weights)}"
        )
    shares: NDArray[np.float64] = given / given.sum(dtype=np.float64)
    return shares


def _words_of(combined: Sequence[Vectors], which: str) -> list[Any]:
    """Return the words that all vectors have, or all words that are in any of them."""
    first, *others = combined
    if which == "all":
        spelled = {str(word): word for each in reversed(combined) for word in each}
        return as_words(
            [spelled[word] for word in dict.fromkeys(str(word) for each in combined for word in each)]
        )
    words = [word for word in first.words if all(word in other for other in others)]
    if not words:
        raise ValueError("vectors must have words in common, got none: words='all' takes those of each")
    return words


def _counts_of(combined: Sequence[Vectors], words: Sequence[Any]) -> NDArray[np.int64] | None:
    """Return how often words occurred in the text of the first vectors that have them, if all have counts."""
    if any(each.counts is None for each in combined):
        return None
    counts = np.zeros(len(words), dtype=np.int64)
    for each in reversed(combined):
        rows = np.array([each.index(word, -1) for word in words], dtype=np.intp)
        counts[rows >= 0] = each.counts[rows[rows >= 0]]  # type: ignore[index]
    return counts
