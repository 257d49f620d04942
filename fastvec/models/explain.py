"""Why two words are similar: contexts that they share, sentences, dimensions, and what GloVe has fitted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_int, check_item
from fastvec.corpus import Corpus
from fastvec.corpus.quotations import Quotation, Quotations
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.models.association import pmi
from fastvec.models.base import Learner
from fastvec.models.explanations import Context, Dimension, Entry, Explanation
from fastvec.models.glove import GloVe
from fastvec.vectors import Vectors

__all__ = ["explain"]

# The exponent of the counts of contexts: that of `PPMI_SVD` and of Levy, Goldberg and Dagan.
SMOOTHING = 0.75


def explain(
    vectors: Vectors | Learner,
    a: str | int,
    b: str | int,
    source: Any = None,
    *,
    topn: int = 10,
    sentences: int = 5,
    window: int | None = None,
) -> Explanation:
    """Explain how similar two words are, by their vectors and by a text.

    Skip-gram with noise words and GloVe fit vectors to how much more often than by chance words stand near
    each other [1]_: words that share contexts become similar. The contexts that two words share in `source`,
    by positive pointwise mutual information (PPMI), say therefore where their similarity may come from; they
    are a property of the text, and no proof of what a training has done.

    Parameters
    ----------
    vectors : Vectors or estimator
        The vectors, or what has learned them. Only a `GloVe` says what it has fitted to the counts.
    a, b : str or int
        The words.
    source : Corpus, anything that `Corpus` takes, or Cooccurrence, optional
        The text, best that of the training, or counts, which are taken as they are and have no sentences. A
        text is counted for all words that have vectors, in the windows that `vectors` say they were trained
        with and with the weights of these windows. Without it, there are dimensions alone.
    topn : int
        Number of shared contexts.
    sentences : int
        Number of sentences.
    window : int, optional
        How far a window of a text reaches to either side. By default it is that of the training, or 5 if that
        is not known.

    Returns
    -------
    Explanation
        What was found; ``print`` shows it, and `dataclasses.asdict` makes a dict of it.

    Raises
    ------
    UnknownWordError
        If a word has no vector, or counts do not have it.
    OSError
        If a text cannot be read.
    TypeError, ValueError
        If a parameter is invalid, or the text has no word that has a vector.

    References
    ----------
    .. [1] O. Levy and Y. Goldberg, "Neural word embedding as implicit matrix factorization", NIPS 2014.

    Examples
    --------
    >>> import fastvec
    >>> text = [["old", "king", "rules"], ["old", "queen", "rules"], ["red", "car", "drives"]] * 20
    >>> model = fastvec.SkipGram(vector_size=4, threads=1).fit(text)
    >>> [context.word for context in fastvec.explain(model, "king", "queen", text).contexts]
    ['old', 'rules']
    """
    check_int("topn", topn, 1)
    check_int("sentences", sentences, 0)
    if window is not None:
        check_int("window", window, 1, 1000)
    words = check_item("a", a), check_item("b", b)
    model = vectors if isinstance(vectors, GloVe) else None
    if isinstance(vectors, Learner):
        vectors = vectors.vectors_
    if not isinstance(vectors, Vectors):
        raise TypeError(f"vectors must be Vectors or a fitted estimator, got {vectors!r}")
    cosine, dimensions = _dimensions(vectors, words)
    if source is None:
        return Explanation(words, cosine, dimensions)
    corpus = None
    if isinstance(source, Cooccurrence):
        counts = source
    else:
        corpus = source if isinstance(source, Corpus) else Corpus(source)
        counts = _counted(corpus, vectors, words, window)
    context_cosine, shared = _shared_contexts(counts, words)
    contexts = tuple(shared[:topn])
    quotations: Iterable[Quotation] = ()
    if corpus is not None:
        search = Quotations(corpus, counts.vocabulary_, counts.window, counts.symmetric)
        quotations = islice(
            _quotations(search, words, [context.word for context in contexts], sentences), sentences
        )
    return Explanation(
        words,
        cosine,
        dimensions,
        window=counts.window,
        weighting=counts.weighting,
        context_cosine=context_cosine,
        n_shared=len(shared),
        contexts=contexts,
        sentences=tuple(quotations),
        entries=() if model is None else tuple(_entries(model, counts, words, contexts)),
    )


def _dimensions(vectors: Vectors, words: tuple[str, str]) -> tuple[float, tuple[Dimension, ...]]:
    """Return the cosine of two words and the parts of all dimensions in it, the largest first."""
    first, second = (_unit(vectors[word]) for word in words)
    parts = first * second
    order = np.argsort(-np.abs(parts), kind="stable").tolist()
    return float(parts.sum()), tuple(
        Dimension(i, (float(first[i]), float(second[i])), float(parts[i])) for i in order
    )


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float64]:
    exact = vector.astype(np.float64)
    length = float(np.linalg.norm(exact))
    return exact / length if length else exact


def _counted(corpus: Corpus, vectors: Vectors, words: tuple[str, str], window: int | None) -> Cooccurrence:
    """Count a text as the training of the vectors has seen it; words that have n-grams alone come on top."""
    made = vectors.metadata
    window = made.get("window", 5) if window is None else window
    weighting = made.get("weighting", "dynamic" if made.get("dynamic_window", True) else "flat")
    counter = Cooccurrence(window=window, weighting=weighting, symmetric=made.get("symmetric", True))
    known = dict.fromkeys([*map(str, vectors.words), *words])
    return counter.fit(corpus, vocabulary=list(known))


def _shared_contexts(counts: Cooccurrence, words: tuple[str, str]) -> tuple[float, list[Context]]:
    """Return the cosine of two rows of PPMI, and the contexts in both, by their parts in it."""
    of_counts, of_pmi = [], []
    information = pmi(counts, 1, SMOOTHING, progress=False)
    for word in words:
        row = counts._id(word)
        ids, contexts, values = counts.triples(row, row + 1)
        of_counts.append(dict(zip(contexts.tolist(), values.tolist(), strict=True)))
        found = np.maximum(information(ids, contexts, values), 0)
        of_pmi.append({i: value for i, value in zip(contexts.tolist(), found.tolist(), strict=True) if value})
    first, second = of_pmi
    lengths = np.prod([np.linalg.norm(list(row.values())) for row in of_pmi])
    shared = [
        Context(
            str(counts.vocabulary_.words[i]),
            (of_counts[0][i], of_counts[1][i]),
            (first[i], second[i]),
            first[i] * second[i] / float(lengths),
        )
        for i in first
        if i in second
    ]
    shared.sort(key=lambda context: -context.part)
    return sum(context.part for context in shared), shared


def _quotations(
    search: Quotations, words: tuple[str, str], contexts: list[str], n: int
) -> Iterator[Quotation]:
    """Yield up to `n` places where the two stand together, then where each stands with a shared context."""
    first, second = words
    yield from search.of(first, second, n) or search.of(second, first, n)
    for context in contexts:
        for word in words:
            yield from search.of(word, context, 1)


def _entries(
    model: GloVe, counts: Cooccurrence, words: tuple[str, str], contexts: tuple[Context, ...]
) -> Iterator[Entry]:
    """Yield the counts of two words with each other and with contexts, and what the model makes of them."""
    first, second = words
    pairs = [(first, second), (second, first)]
    pairs += [(word, context.word) for context in contexts for word in words]
    index = model.vocabulary_.index
    for word, context in pairs:
        count = counts[word, context]
        if count and word in index and context in index:
            row, column = index[word], index[context]
            fitted = float(model.word_vectors_[row] @ model.context_vectors_[column])
            fitted += float(model.word_biases_[row] + model.context_biases_[column])
            weight = min(1.0, (count / model.x_max) ** model.alpha)
            yield Entry(word, context, count, math.log(count), fitted, weight)
