"""Search of the parameters of vectors by what they are good for, within a time or a number of trainings.

Which parameters come next is said in ``training/search.py``. Trainings work side by side, a thread each,
which none of them shares with another, and a batch is complete before the next one is chosen: so what is
found does not depend on the number of threads, and the clock only says when the search ends.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from fastvec._params import check_bool, check_choice, check_int, plain, shortened
from fastvec.models.base import CountModel
from fastvec.models.words import WordModel
from fastvec.training import signals
from fastvec.training.intervals import seconds_in
from fastvec.training.progress import Progress, warn
from fastvec.training.search import Proposal, Search, highest
from fastvec.training.spaces import Params, shown
from fastvec.training.threads import number_of_threads
from fastvec.tuning.defaults import space_of
from fastvec.tuning.objectives import OBJECTIVES, objective_of
from fastvec.tuning.trainings import Record, Trainings, Trial, with_params
from fastvec.vectors import Vectors

__all__ = ["Setting", "Trial", "Tuning", "autotune"]

# Words of the smallest part of a text, at least, and how many times as many the next one has.
WORDS_OF_PART, NEXT_PART = 1 << 17, 4
# How many candidates a round has.
CANDIDATES = 8


@dataclass(frozen=True)
class Setting:
    """Parameters, and what the trainings on all that is not held out came to.

    Attributes
    ----------
    params : dict
        The parameters that were searched.
    score : float
        The mean of the objective over its trainings.
    seconds : float
        The mean time of the processor that a training took.
    trainings : int
        How many there were, each with a seed of its own: one, or as many as `seeds` says.
    """

    params: Params
    score: float
    seconds: float
    trainings: int


@dataclass(frozen=True)
class Tuning:
    """What a search has found; printed, it is a table of times and scores.

    Attributes
    ----------
    model : estimator
        The model with the best parameters, trained on the whole corpus with its own `seed` and `threads`.
    params : dict
        The best parameters of those that were searched, also those of walks with ``objective="link"``.
    score : float
        Their score, the mean over the seeds; NaN if the search ended before there was one.
    score_name : str
        What the score is.
    given : Setting or None
        The parameters that the model had, which were tried first.
    pareto : list of Setting
        The settings for which no other one is both faster and better, the fastest first; the last is the
        best.
    trials : list of Trial
        All trainings.
    interrupted : bool
        Whether a signal, such as Ctrl-C, ended the search.
    """

    model: Any
    params: Params
    score: float
    score_name: str
    given: Setting | None
    pareto: list[Setting]
    trials: list[Trial] = field(repr=False)
    interrupted: bool

    @property
    def vectors(self) -> Vectors:
        """The vectors of the model."""
        vectors: Vectors = self.model.vectors_
        return vectors

    def __str__(self) -> str:
        rows = [*self.pareto]
        if self.given is not None and self.given not in rows:
            rows = sorted([self.given, *rows], key=lambda row: row.seconds)
        n = len(self.trials)
        after = f"parameters, after {n:,} training{'' if n == 1 else 's'}"
        lines = [f"{'':11}  {self.score_name:>14}  {'seconds':>8}  {after}"]
        for row in rows:
            of_row = {"given": row is self.given, "best": row is self.pareto[-1]}
            name = ", ".join(name for name, is_it in of_row.items() if is_it)
            lines.append(f"{name:11}  {row.score:14.4f}  {row.seconds:8.1f}  {shown(row.params)}")
        return "\n".join(lines)


def autotune(
    model: Any,
    corpus: Any,
    *,
    objective: str | Callable[[Vectors], float] = "held-out",
    tests: Any = None,
    fixed: Sequence[str] | None = None,
    budget: int | str = "10m",
    space: Any = None,
    seeds: int = 3,
    threads: int | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
) -> Tuning:
    """Search the parameters with which vectors are best at something, and train with them on all of a corpus.

    The search begins with the parameters that `model` has and with published ones, and goes on near the best
    so far. In a long text, candidates are first trained on a part, and the best third of them on a larger one
    (successive halving [1]_). What is better than the best so far with one seed is trained with the others,
    and the best is that of the highest mean over all seeds, so that it is not one that was lucky.

    A score that was searched for is too high: it says which parameters to take, not how good they are. For
    that, keep something for the end that `corpus` does not have.

    Parameters
    ----------
    model : SkipGram, CBOW, FastText, GloVe or PPMI_SVD
        The parameters to begin with. Its `seed` is the first one, and that of the search; with `progress`,
        there is a line for every training. It is left as it is.
    corpus : Corpus, or anything that `Corpus` takes; a graph with ``objective="link"``
        The text, the sessions; or a graph as `fastvec.walks` takes it.
    objective : {"held-out", "next-item", "link", "similarity", "analogies"}, or callable
        What is made as high as possible:

        - "held-out": how often a word that was held out of the text is told from another one, by the words
          nearby, see Notes. Only for models that have output vectors.
        - "next-item": the hit rate among ten recommended items, as of `evaluate.next_item`, for the last item
          of each session, which is held out.
        - "link": the area under the ROC curve (AUC) of cosines for a tenth of the edges of a graph, which are
          held out, against as many pairs of nodes without an edge. `p`, `q` and `per_node` of the walks are
          searched as well.
        - "similarity": Spearman's correlation with the human scores of word pairs in `tests`.
        - "analogies": the accuracy of the answers to the questions in `tests`.
        - a function that returns a number for vectors. Nothing is held out for it.
    tests : path or sequence of paths, optional
        The test sets for "similarity" and "analogies", as for `evaluate`; of several, the mean counts.
    fixed : sequence of str, optional
        Names of parameters that stay as they are; by default those that are not at their default. Not with
        `space`.
    budget : int or str
        When the search ends: a number of trainings, or a time such as ``"10m"`` (``"30s"``, ``"2h"``), which
        includes the training at the end. With a number, results are the same each time.
    space : dict of str to list or tuple, optional
        The parameters to search: a list of values, or a tuple of the lowest and the highest number, as in
        ``{"window": [2, 5, None], "epochs": (1, 50)}``. By default, those that usually matter for the
        objective.
    seeds : int
        Number of seeds that count.
    threads : int, optional
        Number of trainings at a time; all processors by default. The result does not depend on it, but each
        needs memory for a model.
    checkpoint : str or path-like, optional
        A file that keeps the trials, to go on from after an interruption.
    resume : bool
        Whether to go on from `checkpoint` if it exists. `model`, `corpus` and what is searched for must be
        the same; the result is that of a search that was not interrupted. `budget` is that of both parts.

    Returns
    -------
    Tuning
        The trained model, its parameters, and all trials. Ctrl-C ends the search, and the best parameters so
        far are trained with; a second Ctrl-C ends that too.

    Raises
    ------
    FloatingPointError
        If all trainings diverge.
    OSError
        If a file cannot be read or written.
    TypeError, ValueError
        If a parameter or the corpus is invalid, if nothing can be held out, or if `checkpoint` is the file of
        another search.

    Warns
    -----
    UserWarning
        If the search is interrupted, or ends before the first parameters have a score.

    Notes
    -----
    The loss of a training cannot be compared with that of another one that has more noise words, or others.
    So "held-out" asks the same of all: of two words, which one stands near a third? One was held out together
    with it, within `window` of the given model; the other is about as frequent, from half to twice. The score
    is how often the right one has the higher product of vectors, where 0.5 is a guess. What noise exponents,
    subsampling and losses add to the scores of all words of a frequency does not matter to it, nor does their
    scale. Frequent words are asked about less often, as if with ``subsample=1e-4``.

    References
    ----------
    .. [1] K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter
       optimization", AISTATS 2016.

    Examples
    --------
    >>> import fastvec
    >>> baskets = [["bread", "butter", "jam"], ["jam", "bread", "butter"], ["tea", "milk"], ["milk", "tea"]]
    >>> model = fastvec.SkipGram(vector_size=8)
    >>> tuning = fastvec.autotune(model, baskets * 20, objective="next-item", budget=12)
    >>> len(tuning.trials), tuning.score >= tuning.given.score
    (12, True)
    >>> tuning.vectors
    Vectors(5 words, 8 dimensions)
    """
    _check_model(model)
    seeds = check_int("seeds", seeds, 1)
    trials, seconds = _budget(budget, seeds)
    n_threads = number_of_threads(None if threads is None else check_int("threads", threads, 1, 4096))
    resume = check_bool("resume", resume)
    if resume and checkpoint is None:
        raise ValueError("resume must be False unless checkpoint is a file, got True")
    if not callable(objective):
        check_choice("objective", objective, OBJECTIVES)
    name = objective if isinstance(objective, str) else getattr(objective, "__qualname__", "function")
    aim = objective_of(objective, corpus, model, tests)
    text = aim.training({})
    searched = space_of(name, aim, model, space, fixed, text.n_tokens)
    about = {
        "model": repr(with_params(model, {"threads": None, "progress": False, "callbacks": ()})),
        "objective": name,
        "tests": repr(tests),
        "space": repr(searched.dimensions),
        "corpus": text.provenance["sha256"],
    }
    record = Record(checkpoint, resume, about)
    search = Search(searched, _sizes(text.n_tokens), [model.seed, 2], highest, seeds, CANDIDATES)
    run = _Run(search, Trainings(model, searched.start, aim, n_threads, record), record, trials, seconds)
    interrupted = run.through(model.progress, aim.score_name)
    if search.best is None and not interrupted and not run.is_late():
        raise FloatingPointError(
            f"training diverged in all of {len(run.trials)} trainings: search smaller values of learning_rate"
        )
    params = searched.start if search.best is None else search.best
    if search.best is None:
        warn(
            "autotune ended before the given parameters had a score: the model is trained with them; others "
            "need a larger budget, or fewer seeds"
        )
    elif interrupted:
        warn(
            f"autotune was interrupted after {len(run.trials)} trainings: the model is that of the best ones"
        )
    fitted = with_params(model, params).fit(aim.whole(params))
    settings = [] if search.best is None else run.settings()
    return Tuning(
        model=fitted,
        params=params,
        score=search.best_score,
        score_name=aim.score_name,
        given=next((each for each in settings if each.params == searched.start), None),
        pareto=_pareto(settings, params),
        trials=run.trials,
        interrupted=interrupted,
    )


class _Run:
    """A search under way.

    Attributes
    ----------
    trials : list of Trial
        What was tried.
    """

    def __init__(
        self,
        search: Search,
        trainings: Trainings,
        record: Record,
        most_trials: int | None,
        most_seconds: float | None,
    ) -> None:
        self.trials: list[Trial] = []
        self._search = search
        self._trainings = trainings
        self._record = record
        self._most_trials = most_trials
        self._most_seconds = most_seconds
        self._on_all: list[Trial] = []

    def through(self, progress: bool, score_name: str) -> bool:
        """Try one batch after the other until the end; return whether a signal ended it."""
        total = self._most_trials
        with signals.set_a_flag() as interrupted, Progress("autotune", total, " trials", progress) as bar:

            def is_over() -> bool:
                return interrupted.is_set() or self.is_late()

            for batch in self._search.batches():
                left = None if total is None else total - len(self.trials)
                found = self._trainings.of(batch[:left], is_over, bar.update)
                for proposal, trial in zip(batch, found, strict=False):
                    if trial is not None:
                        is_best = self._add(proposal, trial)
                        mean = self._search.best_score if is_best else None
                        bar.line(f"trial {len(self.trials)}: {_line(trial, proposal, mean, score_name)}")
                bar.note(f"{score_name} {self._search.best_score:.4f}")
                if is_over() or None in found or len(self.trials) == total:
                    break
            return interrupted.is_set()

    def is_late(self) -> bool:
        """Return whether no more time is left than the training at the end takes."""
        if self._most_seconds is None:
            return False
        best = self._search.best
        at_end = 0.0 if best is None else max(each.seconds for each in self._on_all if each.params == best)
        return self._record.seconds + at_end >= self._most_seconds

    def settings(self) -> list[Setting]:
        """Return all parameters that were tried on all of the text, and did not diverge."""
        by_params: dict[str, list[Trial]] = {}
        for trial in self._on_all:
            by_params.setdefault(repr(trial.params), []).append(trial)
        found = [
            Setting(
                trials[0].params,
                fmean(trial.score for trial in trials),
                fmean(trial.seconds for trial in trials),
                len(trials),
            )
            for trials in by_params.values()
        ]
        return [each for each in found if not math.isnan(each.score)]

    def _add(self, proposal: Proposal, trial: Trial) -> bool:
        self.trials.append(trial)
        if proposal.size == 1:
            self._on_all.append(trial)
        return self._search.add(proposal, trial.score)


def _line(trial: Trial, proposal: Proposal, mean: float | None, score_name: str) -> str:
    """Return a line about a training; `mean` is that of all seeds if it makes the parameters the best."""
    of_part = "" if proposal.size == 1 else f" from {trial.words:,} words"
    best = "" if mean is None else f" (best, mean {mean:.4f})"
    return f"{score_name} {trial.score:.4f}{of_part}{best}; seed {trial.seed}, {shown(trial.params)}"


def _pareto(settings: list[Setting], params: Params) -> list[Setting]:
    """Return the settings up to the best one, of which none is slower without being better."""
    best = next((each for each in settings if each.params == params), None)
    if best is None:
        return []
    front: list[Setting] = []
    for each in sorted(settings, key=lambda each: each.seconds):
        is_candidate = each.seconds < best.seconds and each.score < best.score
        if is_candidate and (not front or each.score > front[-1].score):
            front.append(each)
    return [*front, best]


def _sizes(n_tokens: int) -> list[float]:
    """Return the parts of a text that candidates are tried on, in rising order."""
    sizes = [1.0]
    while n_tokens >= NEXT_PART * WORDS_OF_PART:
        n_tokens //= NEXT_PART
        sizes.insert(0, sizes[0] / NEXT_PART)
    return sizes


def _check_model(model: Any) -> None:
    if not isinstance(model, (WordModel, CountModel)):
        raise TypeError(
            "model must be a SkipGram, CBOW, FastText, GloVe or PPMI_SVD, whose words have vectors, got "
            f"{shortened(model)}"
        )
    model.check_params()


def _budget(budget: Any, seeds: int) -> tuple[int | None, float | None]:
    """Return the number of trainings and the seconds that a budget stands for, one of them None."""
    rule = (
        f"budget must be a time such as '10m', or a number of trainings, as many as seeds ({seeds}) at least"
    )
    given = plain(budget)
    if isinstance(given, bool) or not isinstance(given, (int, str)):
        raise TypeError(f"{rule}, got {shortened(budget)}")
    if isinstance(given, str):
        seconds = seconds_in(given)
        if seconds is None:
            raise ValueError(f"{rule}, got {budget!r}")
        return None, seconds
    if given < seeds:
        raise ValueError(f"{rule}, got {budget!r}")
    return given, None
