"""What recommends items for a session: vectors, and the baselines that they must beat.

A recommender scores all items of the training part for some sessions: the higher, the better. Ids of items
are their places by popularity, as a vocabulary has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastvec.corpus import Corpus
from fastvec.vectors.vectors import Vectors, unit_rows

__all__ = ["Model", "Recommender", "baselines", "by_model", "by_vectors", "rows_of_items"]

Scores = NDArray[np.float64]
# Scores, shape (m, n_items), for the items that were seen in each of m sessions; -inf for what it cannot
# recommend.
Recommender = Callable[[Sequence[NDArray[np.intp]]], Scores]


class Model(Protocol):
    """A fitted model that recommends items."""

    @property
    def vectors_(self) -> Vectors:
        """The items, with their vectors."""

    def recommend(self, session: Sequence[Any], topn: None) -> Any:
        """Return the probabilities of all items, in the order of `vectors_`."""


# The part of the training sessions, the latest, in which items count as recent.
RECENT = 1 / 10
# Items whose visits are kept.
ITEMS_KEPT = 1 << 14


def rows_of_items(vectors: Vectors, items: Sequence[str | int]) -> NDArray[np.intp]:
    """Return the row of the vector of each item, and -1 for those without one."""
    return np.array([vectors.index(item, -1) for item in items], np.intp)


def by_vectors(
    vectors: Vectors, rows: NDArray[np.intp], output_vectors: NDArray[np.float32] | None
) -> Recommender:
    """Return who recommends by vectors: by cosines, or by products with output vectors.

    Parameters
    ----------
    vectors : Vectors
        The vectors.
    rows : int array, shape (n_items,)
        The rows of the items, from `rows_of_items`.
    output_vectors : float32 array, shape (n_words, d), or None
        The output vectors in the order of `vectors`.
    """
    has_one = rows >= 0
    known = rows[has_one]
    inputs = np.zeros((len(rows), vectors.vector_size), np.float32)
    inputs[has_one] = vectors.vectors[known]
    if output_vectors is None:
        inputs = outputs = unit_rows(inputs)
    else:
        outputs = np.zeros_like(inputs)
        outputs[has_one] = output_vectors[known]

    def recommend(seen: Sequence[NDArray[np.intp]]) -> Scores:
        queries = np.zeros((len(seen), inputs.shape[1]), np.float32)
        scores = np.full((len(seen), len(rows)), -np.inf)
        answered = []
        for question, items in enumerate(seen):
            shown = items[has_one[items]]
            if len(shown):
                queries[question] = inputs[shown].mean(axis=0)
                answered.append(question)
        scores[answered] = queries[answered] @ outputs.T
        scores[:, ~has_one] = -np.inf
        return scores

    return recommend


def by_model(model: Model, rows: NDArray[np.intp], items: Sequence[Any]) -> Recommender:
    """Return who recommends as a model does.

    Parameters
    ----------
    model : Model
        The model.
    rows : int array, shape (n_items,)
        The rows of the items among its vectors, from `rows_of_items`.
    items : sequence of str or int, length n_items
        The items.
    """
    has_one = rows >= 0

    def recommend(seen: Sequence[NDArray[np.intp]]) -> Scores:
        scores = np.full((len(seen), len(rows)), -np.inf)
        for question, shown in enumerate(seen):
            known = shown[has_one[shown]]
            if len(known):
                probabilities = model.recommend([items[item] for item in known.tolist()], topn=None)
                scores[question, has_one] = probabilities[rows[has_one]]
        return scores

    return recommend


def baselines(training: Corpus) -> dict[str, Recommender]:
    """Return who recommends by the sessions of the training part alone, by name.

    Among equal ones, the most popular item comes first.
    """
    n_items = len(training.vocabulary)
    n_recent = max(1, round(RECENT * len(training)))
    recent = training.ids[training.sentence_offsets[-1 - n_recent] :]
    # below 1, and so below any difference of counts
    by_popularity = 1 - np.arange(1, n_items + 1) / (n_items + 1)
    return {
        "popularity": _always(by_popularity),
        "recency": _always(np.bincount(recent, minlength=n_items) + by_popularity),
        "co-visits": _by_co_visits(training, by_popularity),
    }


def _always(scores: Scores) -> Recommender:
    """Return who recommends the same whatever the session is."""
    return lambda seen: np.tile(scores, (len(seen), 1))


def _by_co_visits(training: Corpus, among_equals: Scores) -> Recommender:
    """Return who recommends by the number of sessions that have an item and one of those seen."""
    sessions = [np.unique(training.ids[begin:end]) for begin, end in pairwise(training.sentence_offsets)]
    lengths = [len(session) for session in sessions]
    items = np.concatenate(sessions) if sessions else np.empty(0, np.int32)
    by_item = np.argsort(items, kind="stable")
    with_item = np.repeat(np.arange(len(sessions)), lengths)[by_item]
    begins = np.searchsorted(items[by_item], np.arange(len(among_equals) + 1))

    @lru_cache(ITEMS_KEPT)
    def visits(item: int) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
        """Return the items of the sessions with an item, and how many of these each is in."""
        together = [sessions[number] for number in with_item[begins[item] : begins[item + 1]]]
        others, counts = np.unique(np.concatenate(together), return_counts=True)
        is_other = others != item
        return others[is_other], counts[is_other]

    def recommend(seen: Sequence[NDArray[np.intp]]) -> Scores:
        scores = np.tile(among_equals, (len(seen), 1))
        for question, shown in enumerate(seen):
            for item in set(shown.tolist()):
                others, counts = visits(item)
                scores[question, others] += counts
        return scores

    return recommend
