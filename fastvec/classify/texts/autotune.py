"""Search of a text classifier's parameters by its score on validation texts, within a time.

The first trials are known good starts, from cheap to expensive. All others are near the best trial so far:
some of its parameters are changed at random, the less the more trials there have been. What is proposed
depends on the seed and on the scores before, never on the clock, which only says when the search ends.
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
# What is searched, together if they mean something only together.
SEARCHED = (
    ("learning_rate",),
    ("epochs",),
    ("vector_size",),
    ("word_ngrams",),
    ("min_n", "max_n"),
    ("buckets",),
)
# The first trials, beside the classifier as it was given.
STARTS: tuple[Params, ...] = (
    {"word_ngrams": 2, "learning_rate": 0.5},
    {"epochs": 20, "learning_rate": 0.1},
    {"min_n": 3, "max_n": 6, "word_ngrams": 2, "epochs": 10},
    {"epochs": 25, "learning_rate": 1.0, "word_ngrams": 2},
)
RANGES = {
    "learning_rate": (0.01, 5.0),
    "epochs": (1, 100),
    "vector_size": (5, 500),
    "word_ngrams": (1, 5),
    "buckets": (10_000, 10_000_000),
}
CHARACTERS = ((0, 0), (2, 5), (3, 6))
# The standard deviation of a factor's logarithm is FIRST_STEP at first, and falls to LAST_STEP.
FIRST_STEP, LAST_STEP, TRIALS_TO_HALVE = 1.0, 0.2, 15
# Proposals in a row that have all been tried, after which there is nothing left.
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
    """

    params: Params
    score: float
    seconds: float
    complete: bool


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

    It searches `learning_rate`, `epochs`, `vector_size`, `word_ngrams`, `min_n`, `max_n` and `buckets`, and
    returns the trained classifier of the best trial: it is not trained again. All other parameters are those
    of `classifier`, which is left as it is. With ``threads=1``, `seconds` decides only how many trials there
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
        The trained classifier; its `trials_` is a list of all trials, with `params`, `score`, `seconds` and
        `complete`.

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
    searched = _searched(classifier, fixed)
    documents, labels = read_labelled(X, y)
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

        search = _Search(classifier, searched)
        best: TextClassifier | None = None
        while not (search.trials and stop()) and len(search.trials) != trials:
            params = search.propose()
            if params is None:
                break
            began = time.perf_counter()
            given = classifier.get_params(deep=False)
            candidate = type(classifier)(**given | params | {"progress": False})
            score, complete = _try(candidate, documents, labels, held_out, k, score_of, stop)
            is_best = search.add(Trial(params, score, time.perf_counter() - began, complete))
            if is_best:
                best = candidate
            del candidate
            shown = ", ".join(f"{name} {value:g}" for name, value in params.items())
            cut = "" if complete else ", cut short"
            bar.line(f"trial {len(search.trials)}: {metric} {score:.4f}{' (best)' * is_best}{cut}; {shown}")
            bar.note(f"{metric} {search.best_score:.4f}")
            bar.update()
        was_interrupted = interrupted.is_set()
    if best is None:
        raise FloatingPointError(
            f"training diverged in all of {len(search.trials)} trials: use a smaller learning_rate"
        )
    if was_interrupted:
        warn(f"autotune was interrupted in trial {len(search.trials)}; the best classifier is kept")
    best.progress = classifier.progress
    best.trials_ = search.trials
    return best


class _Search:
    """What has been tried, and what is to be tried next."""

    def __init__(self, classifier: TextClassifier, searched: Sequence[str]) -> None:
        self.trials: list[Trial] = []
        self.best: Trial | None = None
        self._searched = searched
        self._start = {name: getattr(classifier, name) for name in searched}
        self._seen: set[tuple[Any, ...]] = set()
        self._starts = iter(({}, *STARTS))
        self._generator = np.random.default_rng([classifier.seed, 2])

    @property
    def best_score(self) -> float:
        return math.nan if self.best is None else self.best.score

    def add(self, trial: Trial) -> bool:
        """Note a trial; return whether it is the best, one that was cut short only if there is no other."""
        self.trials.append(trial)
        better = self.best is None or (
            trial.complete and (not self.best.complete or trial.score > self.best.score)
        )
        if math.isnan(trial.score) or not better:
            return False
        self.best = trial
        return True

    def propose(self) -> Params | None:
        """Return parameters that have not been tried, or None if nothing is left."""
        for params in self._proposals():
            key = tuple(params.values())
            if key not in self._seen:
                self._seen.add(key)
                return params
        return None

    def _proposals(self) -> Iterator[Params]:
        for start in self._starts:
            yield self._start | {name: value for name, value in start.items() if name in self._start}
        for _ in range(MOST_REPEATED):
            yield self._changed(self._start if self.best is None else self.best.params)

    def _changed(self, params: Params) -> Params:
        """Return parameters of which some are others, one at least."""
        generator = self._generator
        groups = [group for group in SEARCHED if group[0] in self._searched]
        # n-grams of characters, with which training takes several times as long, change half as often
        chosen = generator.random(len(groups)) < [0.5 / len(names) for names in groups]
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
            low, high = RANGES[name]
            if name == "word_ngrams":
                value = params[name] + round(2 * step * generator.normal())
            else:
                value = params[name] * math.exp(step * generator.normal())
                value = float(f"{value:.2g}")  # to be read, and typed again
            value = min(max(value, low), high)
            changed[name] = value if name == "learning_rate" else int(value)
        return changed


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


def _searched(classifier: TextClassifier, fixed: Sequence[str] | None) -> list[str]:
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
