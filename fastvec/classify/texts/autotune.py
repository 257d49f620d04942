"""Search of a text classifier's parameters by its score on validation texts, within a time.

The search goes in rounds, see ``training/search.py``, of which the first has candidates that were good for
other texts. If there are many texts, candidates are first trained on a part of them, and the best third of
them on a part that is four times as large, until one is left, which is trained on all.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from fastvec._params import check_choice, check_float, check_int, shortened
from fastvec.classify.labelled_files import LabelledLines
from fastvec.classify.texts.classifier import TextClassifier
from fastvec.classify.texts.documents import Documents, read_labelled
from fastvec.classify.texts.labels import Labels
from fastvec.classify.texts.scores import TopScores
from fastvec.training.progress import Progress, warn
from fastvec.training.search import Scored, Search
from fastvec.training.signals import set_a_flag
from fastvec.training.spaces import Choice, Dimension, Params, Range, Space, shown

__all__ = ["METRICS", "Trial", "autotune"]

METRICS = ("f1", "precision", "recall")
# The first candidates. With few dimensions they are trained in a fraction of the time, and are about as good.
STARTS: tuple[Params, ...] = (
    {"vector_size": 50, "word_ngrams": 2, "learning_rate": 0.5},
    {"vector_size": 30, "min_n": 2, "max_n": 5, "learning_rate": 1.0},
    {"vector_size": 30, "word_ngrams": 3, "learning_rate": 0.2, "epochs": 10, "loss": "one_vs_all"},
    {"vector_size": 30, "word_ngrams": 3, "learning_rate": 1.0, "epochs": 10},
    {"vector_size": 30, "min_n": 3, "max_n": 6, "word_ngrams": 2, "learning_rate": 0.5, "epochs": 10},
)
# Of texts with several labels; those with one keep the loss they have.
LOSSES_SEARCHED = ("softmax", "one_vs_all")
# What is searched, and how often it is changed: n-grams of characters make training take several times as
# long, and the number of buckets matters little.
SEARCHED: dict[tuple[str, ...], Dimension] = {
    ("learning_rate",): Range(0.01, 5.0, often=0.5),
    ("epochs",): Range(1, 100, whole=True, often=0.5),
    ("vector_size",): Range(5, 500, whole=True, often=0.4),
    ("word_ngrams",): Range(1, 5, whole=True, by_factors=False, often=0.4),
    ("min_n", "max_n"): Choice(((0, 0), (2, 5), (3, 6), (1, 4)), often=0.25),
    ("loss",): Choice(LOSSES_SEARCHED, often=0.25),
    ("buckets",): Range(10_000, 10_000_000, whole=True, often=0.1),
}
# The learning rate with which "one_vs_all" is tried at most, at first: it adds up the steps of all labels.
MOST_RATE_OF_ALL = 0.2
# Words and documents of the smallest part, at least, and how many times as many the next one has.
WORDS_OF_PART, DOCUMENTS_OF_PART, NEXT_PART = 1 << 17, 1000, 4
# n-grams of characters that a word has, about.
NGRAMS_OF_WORD = 8


@dataclass(frozen=True)
class Trial:
    """A training with some parameters.

    Attributes
    ----------
    params : dict
        The parameters that were searched.
    score : float
        The metric on the validation texts; NaN if training diverged.
    seconds : float
        How long training and scoring took.
    complete : bool
        Whether the training came to its end: False for one that the end of the time or Ctrl-C cut short.
    documents : int
        How many documents it was trained on: of many, candidates are first tried on a part. Only scores of
        trainings on all of them count.
    """

    params: Params
    score: float
    seconds: float
    complete: bool
    documents: int


def autotune(
    classifier: TextClassifier,
    X: Any,
    y: Any = None,
    *,
    validation: Any,
    seconds: float | None = 300.0,
    trials: int | None = None,
    metric: str = "f1",
    k: int = 1,
    fixed: Sequence[str] | None = None,
) -> TextClassifier:
    """Return the classifier of the parameters that are best on validation texts, as fastText's autotune.

    It searches `learning_rate`, `epochs`, `vector_size`, `word_ngrams`, `min_n`, `max_n` and `buckets`, and,
    if documents have several labels, whether `loss` is better "softmax" or "one_vs_all". The first trial is
    of `classifier` as it is, so that what is returned is not worse on the validation texts. It is the
    classifier of the best trial, and is not trained again. All other parameters are those of `classifier`,
    which is left as it is. With ``threads=1``, `seconds` decides only how many trials there
    are; without it, results are the same each time. Ctrl-C, and `classifier.stop` from another thread, end
    the search, and the best classifier so far is returned.

    Parameters
    ----------
    classifier : TextClassifier
        The parameters to begin with; its `seed` is that of the search, too.
    X : iterable of str or of lists of str, path or LabelledLines
        Documents to train on, as for `TextClassifier.fit`; or, without `y`, the file that has texts and
        labels.
    y : array_like, shape (n,), list of lists of labels, or matrix of 0 and 1, shape (n, K)
        Their labels.
    validation : (X, y), path or LabelledLines
        Documents and labels on which trials are scored; they are not trained on.
    seconds : float, optional
        How long to search; None for no limit.
    trials : int, optional
        How many trials there are, at most; by default, as many as `seconds` allow.
    metric : str
        What is maximized: "f1", "precision" or "recall" of the `k` most probable labels, or that of one
        label, as in "f1:sports".
    k : int
        How many labels are predicted for each document.
    fixed : sequence of str, optional
        Names of parameters that stay as they are; by default those that are not at their default.

    Returns
    -------
    TextClassifier
        The trained classifier; its `trials_` is a list of all trials, with `params`, `score`, `seconds`,
        `complete` and `documents`.

    Raises
    ------
    TypeError, ValueError
        If a parameter, a document or a label is invalid, or no parameter is left to search.
    FloatingPointError
        If training diverges in all trials.

    Warns
    -----
    UserWarning
        If the search is interrupted.

    Examples
    --------
    >>> from fastvec.classify import TextClassifier, autotune
    >>> texts = ["a fine film", "fine actors", "a bad film", "bad actors"] * 10
    >>> labels, held_out = ["+", "+", "-", "-"] * 10, (["fine music", "bad music"], ["+", "-"])
    >>> best = autotune(TextClassifier(), texts, labels, validation=held_out, seconds=None, trials=3)
    >>> best.predict(["fine music"]).tolist(), len(best.trials_)
    (['+'], 3)
    """
    started = time.perf_counter()
    if not isinstance(classifier, TextClassifier):
        raise TypeError(f"classifier must be a TextClassifier, got {shortened(classifier)}")
    classifier.check_params()
    if seconds is not None:
        check_float("seconds", seconds, above=0)
    if trials is not None:
        check_int("trials", trials, 1)
    if seconds is None and trials is None:
        raise ValueError("seconds or trials must say when the search ends, got None for both")
    check_int("k", k, 1)
    score_of = _score_of(metric)
    documents, labels = read_labelled(X, y)
    searched = _searched(classifier, fixed, labels)
    held_out = _read_validation(validation)
    _check_label(metric, held_out[1])
    end = math.inf if seconds is None else started + seconds
    classifier._stopping = False
    with (
        set_a_flag() as interrupted,
        Progress("autotune", trials, " trials", classifier.progress) as bar,
    ):

        def stop() -> bool:
            return interrupted.is_set() or classifier._stopping or time.perf_counter() >= end

        parts = _Parts(documents, labels, int(classifier.min_label_count), int(classifier.seed))
        space = _space(classifier, searched)
        search = Search(
            space, parts.sizes, [classifier.seed, 2], partial(space.promoted, n_validation=len(held_out[0]))
        )
        best: TextClassifier | None = None
        tried: list[Trial] = []
        for proposal in chain.from_iterable(search.batches()):
            params, size = proposal.params, int(proposal.size)
            began = time.perf_counter()
            given = classifier.get_params(deep=False)
            candidate = type(classifier)(**given | params | {"progress": False})
            if size < len(documents):
                candidate.min_label_count = 1  # what is rare in the part need not be rare
            score, complete = _try(candidate, *parts.first(size), held_out, k, score_of, stop)
            tried.append(Trial(params, score, time.perf_counter() - began, complete, size))
            if is_best := search.add(proposal, score):
                best = candidate
            del candidate
            bar.line(f"trial {len(tried)}: {_shown(tried[-1], len(documents), metric, is_best)}")
            bar.note(f"{metric} {search.best_score:.4f}")
            bar.update()
            if stop() or len(tried) == trials:
                break
        was_interrupted = interrupted.is_set()
    if best is None:
        n_diverged = sum(trial.documents == len(documents) for trial in tried)
        raise FloatingPointError(
            f"training diverged in all of {n_diverged} trials: use a smaller learning_rate"
        )
    if was_interrupted:
        warn(f"autotune was interrupted in trial {len(tried)}; the best classifier is kept")
    best.progress = classifier.progress
    best.trials_ = tried
    return best


def _shown(trial: Trial, n_documents: int, metric: str, is_best: bool) -> str:
    """Return a line about a trial."""
    of_part = "" if trial.documents == n_documents else f" from {trial.documents:,} texts"
    cut = "" if trial.complete else ", cut short"
    return f"{metric} {trial.score:.4f}{of_part}{' (best)' * is_best}{cut}; {shown(trial.params)}"


class _Parts:
    """Documents in a random order, of which the first are the parts on which candidates are tried.

    Parts are without the labels that are rare among all documents.
    """

    def __init__(self, documents: Documents, labels: Labels, min_label_count: int, seed: int) -> None:
        self._all = documents, labels
        self._documents, self._labels = documents.with_labels(labels, labels.frequent(min_label_count))
        self._order = np.random.default_rng([seed, 3]).permutation(len(self._documents))
        self.sizes = [len(documents)]
        size, n_words = len(self._documents), len(self._documents.numbers)
        while n_words >= NEXT_PART * WORDS_OF_PART and size >= NEXT_PART * DOCUMENTS_OF_PART:
            size, n_words = size // NEXT_PART, n_words // NEXT_PART
            self.sizes.insert(0, size)

    def first(self, size: int) -> tuple[Documents, Labels]:
        """Return so many documents and their labels, all as they were given."""
        if size == self.sizes[-1]:
            return self._all
        some = np.sort(self._order[:size])
        return self._documents.some(some), self._labels.some(some)


class _Space(Space):
    """The parameters of a classifier that are searched."""

    def changed(self, params: Params, step: float, generator: np.random.Generator) -> Params:
        """Return parameters of which some are others, with a small step where the loss adds up steps."""
        changed = super().changed(params, step, generator)
        if changed.get("loss") == "one_vs_all" != params["loss"] and "learning_rate" in changed:
            changed["learning_rate"] = min(changed["learning_rate"], MOST_RATE_OF_ALL)
        return changed

    def work(self, params: Params) -> float:
        """Return the work of a training, but for a factor that all have."""
        rows = params.get("word_ngrams", 1) + NGRAMS_OF_WORD * bool(params.get("max_n", 0))
        return float(params.get("epochs", 1) * params.get("vector_size", 1) * rows)

    def promoted(self, trials: Sequence[Scored], n: int, n_validation: int) -> list[Params]:
        """Return the best parameters; of those within two standard errors, the cheapest ones."""
        known = [trial for trial in trials if not math.isnan(trial.score)]
        promoted: list[Params] = []
        while known and len(promoted) < n:
            best = max(trial.score for trial in known)
            error = math.sqrt(best * (1 - best) / n_validation)
            as_good = [trial for trial in known if trial.score >= best - 2 * error]
            cheapest = min(as_good, key=lambda trial: (self.work(trial.params), -trial.score))
            known.remove(cheapest)
            promoted.append(cheapest.params)
        return promoted


def _try(
    candidate: TextClassifier,
    documents: Documents,
    labels: Labels,
    held_out: tuple[Documents, Labels],
    k: int,
    score_of: Callable[[TopScores], float],
    stop: Callable[[], bool],
) -> tuple[float, bool]:
    """Train and return the score, and whether the training came to its end."""
    try:
        candidate._fit_to(documents, labels, stop)
    except FloatingPointError:
        return math.nan, True
    score = score_of(candidate._score_on(*held_out, k, 0.0))
    return 0.0 if math.isnan(score) else score, not candidate.interrupted_


def _space(classifier: TextClassifier, searched: Sequence[str]) -> _Space:
    """Return the values of the parameters that are searched."""
    start = {name: getattr(classifier, name) for name in searched}
    starts = [start | {name: value for name, value in each.items() if name in start} for each in STARTS]
    return _Space({names: each for names, each in SEARCHED.items() if names[0] in start}, start, starts)


def _searched(classifier: TextClassifier, fixed: Sequence[str] | None, labels: Labels) -> list[str]:
    """Return the names of the parameters that are searched."""
    given = classifier.get_params(deep=False)
    defaults = type(classifier)().get_params(deep=False)
    if fixed is None:
        fixed = [name for name, value in given.items() if name != "vectors" and value != defaults[name]]
    if isinstance(fixed, str):
        raise TypeError(f"fixed must be a sequence of names, got {fixed!r}")
    for name in fixed:
        check_choice("fixed", name, tuple(given))
    stay = {*fixed, *(["vector_size"] if classifier.vectors is not None else [])}
    if (np.diff(labels.offsets) <= 1).all() or classifier.loss not in LOSSES_SEARCHED:
        stay.add("loss")
    searched = [name for group in SEARCHED if not stay & {*group} for name in group]
    if not searched:
        names = ", ".join(name for group in SEARCHED for name in group)
        raise ValueError(f"fixed must leave some of {names} to be searched, got {shortened([*fixed])}")
    return searched


def _read_validation(validation: Any) -> tuple[Documents, Labels]:
    if isinstance(validation, (str, os.PathLike, LabelledLines)):
        return read_labelled(validation, None)
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise TypeError(
            "validation must be a pair of documents and labels, or a file that has both, "
            f"got {shortened(validation)}"
        )
    return read_labelled(*validation)


def _score_of(metric: str) -> Callable[[TopScores], float]:
    """Return what takes the metric from scores."""
    if not isinstance(metric, str):
        raise TypeError(f"metric must be a str, got {metric!r}")
    name, colon, label = metric.partition(":")
    check_choice("metric", name, METRICS)

    def score(scores: TopScores) -> float:
        if not colon:
            return float(getattr(scores, name))
        return float(
            next(getattr(of_one, name) for key, of_one in scores.by_label.items() if str(key) == label)
        )

    return score


def _check_label(metric: str, labels: Labels) -> None:
    name, colon, label = metric.partition(":")
    names = [str(name) for name in labels.names[labels.counts() > 0].tolist()]
    if colon and label not in names:
        raise ValueError(
            "metric must name a label of the validation texts after the colon, as in "
            f"{name}:{names[0] if names else 'LABEL'}, got {metric!r}"
        )
