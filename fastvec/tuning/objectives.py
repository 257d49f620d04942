"""What a search makes as high as possible: a table of objectives, each with what it holds out of the text."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from inspect import signature
from statistics import fmean
from typing import Any, ClassVar

import numpy as np

from fastvec._params import plain, shortened
from fastvec.corpus import Corpus
from fastvec.corpus.tags import check_untagged
from fastvec.evaluate import analogies, similarity, split_sessions
from fastvec.evaluate.items import scores_of
from fastvec.evaluate.recommenders import by_model, by_vectors, rows_of_items
from fastvec.evaluate.sessions import questions
from fastvec.formats.places import on_disk
from fastvec.graphs.sources import edges_of
from fastvec.graphs.walks import walks
from fastvec.models.words import WordModel
from fastvec.training.spaces import Params
from fastvec.tuning.links import link_score, split_edges
from fastvec.tuning.unseen import Unseen, check_has_outputs
from fastvec.vectors import Vectors

__all__ = ["OBJECTIVES", "WALKING", "WITH_TESTS", "Objective", "objective_of"]

# The length of the lists of recommended items.
LENGTH = 10
# The parameters of walks that are searched, and what they are by default.
WALKING = {name: signature(walks).parameters[name].default for name in ("length", "per_node", "p", "q")}

Tests = Sequence[str | os.PathLike[str]]


class Objective(ABC):
    """What is held out of a corpus, and how vectors that were trained on the rest are scored.

    Parameters
    ----------
    corpus : object
        What the public function was given.
    model : estimator
        The model whose parameters are searched.
    tests : sequence of paths
        Test sets.
    """

    # What a score is called in lines and tables.
    score_name: ClassVar[str]
    # Parameters that are not the model's, with their defaults.
    walking: ClassVar[Params] = {}

    def __init__(self, corpus: Any, model: Any, tests: Tests) -> None:
        self._memory_limit, self._progress = model.memory_limit, model.progress
        self._seed = model.seed
        self._corpus = self._training = self._read(corpus)

    def _read(self, corpus: Any) -> Any:
        if isinstance(corpus, Corpus):
            return corpus
        return Corpus(corpus, memory_limit=self._memory_limit, progress=self._progress)

    def training(self, params: Params) -> Corpus:
        """Return what is trained on during the search."""
        training: Corpus = self._training
        return training

    def whole(self, params: Params) -> Corpus:
        """Return the whole corpus."""
        corpus: Corpus = self._corpus
        return corpus

    @classmethod
    def check(cls, model: Any) -> None:
        """Raise TypeError or ValueError unless a model with such parameters can be trained and scored."""
        model.check_params()

    @abstractmethod
    def score(self, model: Any) -> float:
        """Return the score of a fitted model, the higher the better."""


class HeldOut(Objective):
    """How well contexts that were held out are told from other words."""

    score_name = "held-out AUC"

    def __init__(self, corpus: Any, model: Any, tests: Tests) -> None:
        self.check(model)
        super().__init__(corpus, model, tests)
        self._unseen = Unseen(self._corpus, model)
        self._training = self._unseen.training(self._memory_limit)

    @classmethod
    def check(cls, model: Any) -> None:
        super().check(model)
        check_has_outputs(model)

    def score(self, model: Any) -> float:
        return self._unseen.score(model)


class NextItem(Objective):
    """How often the last item of a session, which was held out, is among the ten recommended ones.

    If no session has an item twice, those that it has are not recommended.
    """

    score_name = f"hit rate at {LENGTH}"

    def __init__(self, corpus: Any, model: Any, tests: Tests) -> None:
        super().__init__(corpus, model, tests)
        check_untagged(self._corpus)
        parts = split_sessions(self._corpus)
        self._training = Corpus(parts.training, memory_limit=self._memory_limit)
        self._vocabulary = self._training.vocabulary
        self._repeats = _has_repetitions(self._corpus)
        self._asked = questions(parts.held_out, self._vocabulary, "last", repeats=self._repeats)
        if not len(self._asked.targets):
            raise ValueError(
                "corpus must have a session whose last item occurs before the last one of another, got "
                f"{len(self._corpus):,} sessions with none"
            )

    def score(self, model: Any) -> float:
        vectors, items = model.vectors_, self._vocabulary.words
        rows = rows_of_items(vectors, items)
        is_model_of_words = isinstance(model, WordModel)
        recommend = by_model(model, rows, items) if is_model_of_words else by_vectors(vectors, rows, None)
        counts, exclude_seen = self._vocabulary.counts, not self._repeats
        scores = scores_of("vectors", recommend, self._asked, counts, [LENGTH], None, exclude_seen)
        return scores.hit_rate[LENGTH]


class Link(Objective):
    """How well edges that were held out are told from pairs of nodes without an edge."""

    score_name = "AUC"
    walking = WALKING

    def __init__(self, corpus: Any, model: Any, tests: Tests) -> None:
        super().__init__(corpus, model, tests)
        self._split = split_edges(self._corpus, np.random.default_rng([self._seed, 4]))

    def _read(self, corpus: Any) -> Any:
        return edges_of(corpus, None, "weight", self._memory_limit, self._progress)

    def training(self, params: Params) -> Corpus:
        return self._walks(self._split.known, params, directed=self._corpus.directed, threads=1)

    def whole(self, params: Params) -> Corpus:
        return self._walks(self._corpus, params, progress=self._progress)

    def _walks(self, graph: Any, params: Params, **how: Any) -> Corpus:
        walking = {name: value for name, value in params.items() if name in WALKING}
        return walks(graph, **walking, **how, seed=self._seed, memory_limit=self._memory_limit)

    def score(self, model: Any) -> float:
        return link_score(model.vectors_, self._split)


class Similarity(Objective):
    """The mean correlation with human scores, over some files; unknown words have a cosine of 0."""

    score_name = "Spearman"

    def __init__(self, corpus: Any, model: Any, tests: Tests) -> None:
        self._tests = tests
        super().__init__(corpus, model, tests)

    def score(self, model: Any) -> float:
        found = [similarity(model.vectors_, test, count_unknown=True) for test in self._tests]
        for each in found:
            if math.isnan(each.spearman):
                raise ValueError(f"tests must have pairs of words that the text has, got none in {each.name}")
        return fmean(each.spearman for each in found)


class Analogies(Objective):
    """The mean accuracy over some files; unknown words make an answer wrong."""

    score_name = "accuracy"

    def __init__(self, corpus: Any, model: Any, tests: Tests) -> None:
        self._tests = tests
        super().__init__(corpus, model, tests)

    def score(self, model: Any) -> float:
        vectors = model.vectors_
        return fmean(analogies(vectors, test, count_unknown=True).total.accuracy for test in self._tests)


class Own(Objective):
    """What a function says of the vectors."""

    score_name = "score"

    def __init__(self, corpus: Any, model: Any, tests: Tests, function: Callable[[Vectors], float]) -> None:
        super().__init__(corpus, model, tests)
        self._function = function

    def score(self, model: Any) -> float:
        score = plain(self._function(model.vectors_))
        if isinstance(score, bool) or not isinstance(score, (int, float)) or not math.isfinite(score):
            raise ValueError(f"objective must return a finite number for vectors, got {shortened(score)}")
        return float(score)


OBJECTIVES: dict[str, type[Objective]] = {
    "held-out": HeldOut,
    "next-item": NextItem,
    "link": Link,
    "similarity": Similarity,
    "analogies": Analogies,
}
# Those that need test sets.
WITH_TESTS = ("similarity", "analogies")


def objective_of(
    objective: str | Callable[[Vectors], float], corpus: Any, model: Any, tests: Any
) -> Objective:
    """Return an objective by its name, or that of a function, after validation.

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    TypeError, ValueError
        If there is no such objective, `tests` does not go with it, or the corpus is invalid.
    """
    files = _files(tests)
    if (objective in WITH_TESTS) != bool(files):
        example = 'tests=["wordsim353.txt"]'
        if files:
            names = " or ".join(map(repr, WITH_TESTS))
            raise ValueError(f"tests must be None unless objective is {names}, got {objective!r}")
        raise ValueError(f"objective={objective!r} needs test sets, as in {example}, got none")
    if callable(objective):
        return Own(corpus, model, files, objective)
    return OBJECTIVES[objective](corpus, model, files)


def _has_repetitions(sessions: Corpus) -> bool:
    """Return whether a session has an item twice."""
    numbers = np.repeat(np.arange(len(sessions)), np.diff(sessions.sentence_offsets))
    return len(np.unique(numbers * len(sessions.vocabulary) + sessions.ids)) < sessions.n_tokens


def _files(tests: Any) -> Tests:
    if tests is None:
        return []
    rule = "tests must be a path or a sequence of paths"
    if not isinstance(tests, (str, os.PathLike, Iterable)):
        raise TypeError(f"{rule}, got {shortened(tests)}")
    listed = [tests] if isinstance(tests, (str, os.PathLike)) else list(tests)
    if not all(isinstance(test, (str, os.PathLike)) for test in listed):
        raise TypeError(f"{rule}, got {shortened(listed)}")
    return [on_disk(test, "tests") for test in listed]
