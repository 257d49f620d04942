"""Search of a text classifier's parameters by its score on validation texts, within a time.

The search goes in rounds. A round begins with some candidates: good ones of other texts in the first, and in
all others some near the best so far, of which some parameters are changed at random, the less the more trials
there have been. If there are many texts, candidates are first trained on a part of them, and the best third
of them on a part that is four times as large, until one is left, which is trained on all (successive
halving: Jamieson and Talwalkar 2016). What is tried depends on the seed and on the scores before, never on
the clock, which only says when the search ends.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastvec._params import check_choice, check_float, check_int, shortened
from fastvec.classify.labelled_files import LabelledLines
from fastvec.classify.texts.classifier import TextClassifier
from fastvec.classify.texts.documents import Documents, read_labelled
from fastvec.classify.texts.labels import Labels
from fastvec.classify.texts.scores import TopScores
from fastvec.training.progress import Progress, warn
from fastvec.training.signals import set_a_flag

__all__ = ["METRICS", "Trial", "autotune"]

Params = dict[str, Any]

METRICS = ("f1", "precision", "recall")
# What is searched, together if they mean something only together, and how often it is changed: n-grams of
# characters make training take several times as long, and the number of buckets matters little.
SEARCHED = {
    ("learning_rate",): 0.5,
    ("epochs",): 0.5,
    ("vector_size",): 0.4,
    ("word_ngrams",): 0.4,
    ("min_n", "max_n"): 0.25,
    ("loss",): 0.25,
    ("buckets",): 0.1,
}
# The first candidates. With few dimensions they are trained in a fraction of the time, and are about as good.
STARTS: tuple[Params, ...] = (
    {"vector_size": 50, "word_ngrams": 2, "learning_rate": 0.5},
    {"vector_size": 30, "min_n": 2, "max_n": 5, "learning_rate": 1.0},
    {"vector_size": 30, "word_ngrams": 3, "learning_rate": 0.2, "epochs": 10, "loss": "one_vs_all"},
    {"vector_size": 30, "word_ngrams": 3, "learning_rate": 1.0, "epochs": 10},
    {"vector_size": 30, "min_n": 3, "max_n": 6, "word_ngrams": 2, "learning_rate": 0.5, "epochs": 10},
)
RANGES = {
    "learning_rate": (0.01, 5.0),
    "epochs": (1, 100),
    "vector_size": (5, 500),
    "word_ngrams": (1, 5),
    "buckets": (10_000, 10_000_000),
}
CHARACTERS = ((0, 0), (2, 5), (3, 6), (1, 4))
# Of texts with several labels; those with one keep the loss they have.
LOSSES_SEARCHED = ("softmax", "one_vs_all")
# The learning rate with which "one_vs_all" is tried at most, at first: it adds up the steps of all labels.
MOST_RATE_OF_ALL = 0.2
# The standard deviation of a factor's logarithm is FIRST_STEP at first, and falls to LAST_STEP.
FIRST_STEP, LAST_STEP, TRIALS_TO_HALVE = 0.8, 0.2, 20
# How many candidates a round has, and of how many of them one is trained on the next part.
CANDIDATES, KEPT = 4, 3
# Words and documents of the smallest part, at least, and how many times as many the next one has.
WORDS_OF_PART, DOCUMENTS_OF_PART, NEXT_PART = 1 << 17, 1000, 4
# How many times as much work as the best a candidate may be: one that is too much takes the time of many.
MOST_WORK = 5.0
# n-grams of characters that a word has, about.
NGRAMS_OF_WORD = 8
# Proposals in a row that have all been tried, or take too long, after which there is nothing left.
MOST_REPEATED = 1000


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
        search = _Search(classifier, searched, parts.sizes, len(held_out[0]))
        best: TextClassifier | None = None
        while not (search.trials and stop()) and len(search.trials) != trials:
            proposal = search.propose()
            if proposal is None:
                break
            params, size = proposal
            began = time.perf_counter()
            given = classifier.get_params(deep=False)
            candidate = type(classifier)(**given | params | {"progress": False})
            if size < len(documents):
                candidate.min_label_count = 1  # what is rare in the part need not be rare
            score, complete = _try(candidate, *parts.first(size), held_out, k, score_of, stop)
            is_best = search.add(Trial(params, score, time.perf_counter() - began, complete, size))
            if is_best:
                best = candidate
            del candidate
            bar.line(
                f"trial {len(search.trials)}: {_shown(search.trials[-1], len(documents), metric, is_best)}"
            )
            bar.note(f"{metric} {search.best_score:.4f}")
            bar.update()
        was_interrupted = interrupted.is_set()
    if best is None:
        n_diverged = sum(trial.documents == len(documents) for trial in search.trials)
        raise FloatingPointError(
            f"training diverged in all of {n_diverged} trials: use a smaller learning_rate"
        )
    if was_interrupted:
        warn(f"autotune was interrupted in trial {len(search.trials)}; the best classifier is kept")
    best.progress = classifier.progress
    best.trials_ = search.trials
    return best


def _shown(trial: Trial, n_documents: int, metric: str, is_best: bool) -> str:
    """Return a line about a trial."""
    values = {name: value if isinstance(value, str) else f"{value:g}" for name, value in trial.params.items()}
    params = ", ".join(f"{name} {value}" for name, value in values.items())
    of_part = "" if trial.documents == n_documents else f" from {trial.documents:,} texts"
    cut = "" if trial.complete else ", cut short"
    return f"{metric} {trial.score:.4f}{of_part}{' (best)' * is_best}{cut}; {params}"


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


class _Search:
    """What has been tried, and what is to be tried next."""

    def __init__(
        self, classifier: TextClassifier, searched: Sequence[str], sizes: Sequence[int], n_validation: int
    ) -> None:
        self.trials: list[Trial] = []
        self.best: Trial | None = None
        self._searched = searched
        self._sizes = sizes
        self._n_validation = n_validation
        self._start = {name: getattr(classifier, name) for name in searched}
        self._seen: set[tuple[Any, ...]] = set()
        self._generator = np.random.default_rng([classifier.seed, 2])
        self._proposals = self._rounds()

    @property
    def best_score(self) -> float:
        return math.nan if self.best is None else self.best.score

    def add(self, trial: Trial) -> bool:
        """Note a trial; return whether it is the best of those that were trained on all documents."""
        self.trials.append(trial)
        if math.isnan(trial.score) or trial.documents < self._sizes[-1]:
            return False
        if self.best is not None and trial.score <= self.best.score:
            return False
        self.best = trial
        return True

    def propose(self) -> tuple[Params, int] | None:
        """Return parameters, and on how many documents to try them, or None if nothing is left."""
        return next(self._proposals, None)

    def _rounds(self) -> Iterator[tuple[Params, int]]:
        self._is_new(self._start)
        yield self._start, self._sizes[-1]
        starts = [
            self._start | {name: value for name, value in start.items() if name in self._start}
            for start in STARTS
        ]
        candidates = [params for params in starts if self._is_new(params)]
        while candidates := candidates or self._near_the_best():
            for size in self._sizes:
                before = len(self.trials)
                for params in candidates:
                    yield params, size
                if size < self._sizes[-1]:
                    candidates = self._promoted(self.trials[before:])
            candidates = []

    def _promoted(self, trials: Sequence[Trial]) -> list[Params]:
        """Return the best third of parameters; of those within two standard errors, the cheapest ones."""
        known = [trial for trial in trials if not math.isnan(trial.score)]
        promoted: list[Params] = []
        while known and len(promoted) < max(1, len(trials) // KEPT):
            best = max(trial.score for trial in known)
            error = math.sqrt(best * (1 - best) / self._n_validation)
            as_good = [trial for trial in known if trial.score >= best - 2 * error]
            cheapest = min(as_good, key=lambda trial: (_work(trial.params), -trial.score))
            known.remove(cheapest)
            promoted.append(cheapest.params)
        return promoted

    def _is_new(self, params: Params) -> bool:
        key = tuple(params.values())
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new

    def _near_the_best(self) -> list[Params]:
        """Return some parameters that have not been tried, none if there are no others."""
        best = self._start if self.best is None else self.best.params
        found: list[Params] = []
        for _ in range(MOST_REPEATED):
            params = self._changed(best)
            if _work(params) <= MOST_WORK * _work(best) and self._is_new(params):
                found.append(params)
                if len(found) == CANDIDATES:
                    break
        return found

    def _changed(self, params: Params) -> Params:
        """Return parameters of which some are others, one at least."""
        generator = self._generator
        groups = [group for group in SEARCHED if group[0] in self._searched]
        chosen = generator.random(len(groups)) < [SEARCHED[group] for group in groups]
        chosen[generator.integers(len(groups))] = True
        step = max(LAST_STEP, FIRST_STEP * 0.5 ** (len(self.trials) / TRIALS_TO_HALVE))
        changed = dict(params)
        for names, is_chosen in zip(groups, chosen.tolist(), strict=True):
            name = names[0]
            if not is_chosen:
                continue
            if name == "min_n":
                changed["min_n"], changed["max_n"] = CHARACTERS[generator.integers(len(CHARACTERS))]
                continue
            if name == "loss":
                changed["loss"] = LOSSES_SEARCHED[generator.integers(len(LOSSES_SEARCHED))]
                if changed["loss"] == "one_vs_all" != params["loss"] and "learning_rate" in changed:
                    changed["learning_rate"] = min(changed["learning_rate"], MOST_RATE_OF_ALL)
                continue
            low, high = RANGES[name]
            if name == "word_ngrams":
                value = params[name] + round(2 * step * generator.normal())
            else:
                value = params[name] * math.exp(step * generator.normal())
                value = float(f"{value:.2g}")  # to be read, and typed again
            value = min(max(value, low), high)
            changed[name] = value if name == "learning_rate" else int(value)
        return changed


def _work(params: Params) -> float:
    """Return the work of a training, but for a factor that all have; what is not searched is the same."""
    rows = params.get("word_ngrams", 1) + NGRAMS_OF_WORD * bool(params.get("max_n", 0))
    return float(params.get("epochs", 1) * params.get("vector_size", 1) * rows)


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
