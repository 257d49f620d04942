"""Evaluating vectors of items: which item comes next in a session, by vectors and by simple baselines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastvec._params import check_bool, check_int, shortened
from fastvec.corpus import Corpus, Vocabulary
from fastvec.evaluate.recommenders import (
    Model,
    Recommender,
    Scores,
    baselines,
    by_model,
    by_vectors,
    rows_of_items,
)
from fastvec.evaluate.sessions import Questions, questions, split_sessions
from fastvec.training.progress import warn
from fastvec.vectors.vectors import Vectors

__all__ = ["NextItemResult", "NextItemScores", "next_item"]

# Scores that are computed together: 32 MB.
SCORES_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class NextItemScores:
    """How well the next items of sessions were recommended, by the lengths of the lists.

    Attributes
    ----------
    name : str
        Who recommends: "vectors", "model", or the baseline.
    hit_rate : dict of int and float
        For every length k, the fraction of the questions whose right answer is among the first k items.
    ndcg : dict of int and float
        Normalized discounted cumulative gain: the mean of 1 / log2(1 + rank), 0 beyond k.
    mrr : dict of int and float
        Mean reciprocal rank: the mean of 1 / rank, 0 beyond k.
    coverage : dict of int and float
        The fraction of the items that are recommended at all, to whichever session.
    popularity_bias : dict of int and float
        How popular recommended items are on average, relative to right answers: above 1, popular items are
        recommended more than they are wanted.
    """

    name: str
    hit_rate: dict[int, float]
    ndcg: dict[int, float]
    mrr: dict[int, float]
    coverage: dict[int, float]
    popularity_bias: dict[int, float]


@dataclass(frozen=True)
class NextItemResult:
    """How well the next items of sessions were recommended by vectors, and by baselines.

    Attributes
    ----------
    vectors : NextItemScores
        The scores of the vectors, or of the model.
    baselines : tuple of NextItemScores
        Those of what needs no vectors: "popularity", "recency" and "co-visits".
    questions : int
        How many questions were asked: whose right answer is an item of the training part.
    covered : int
        How many of these the vectors can answer: they have the right answer, and an item before it. They
        answer the others wrongly.
    items : int
        How many items the training part has, all of which can be recommended.
    """

    vectors: NextItemScores
    baselines: tuple[NextItemScores, ...]
    questions: int
    covered: int
    items: int

    def __str__(self) -> str:
        lines = [f"{self.questions:,} questions, {self.covered:,} covered, {self.items:,} items"]
        for k in self.vectors.hit_rate:
            lines.append(f"{f'first {k:,}':<12}  hit rate    NDCG     MRR  coverage  popularity bias")
            for row in (self.vectors, *self.baselines):
                lines.append(
                    f"{row.name:<12}  {row.hit_rate[k]:8.4f}  {row.ndcg[k]:6.4f}  {row.mrr[k]:6.4f}  "
                    f"{row.coverage[k]:8.4f}  {row.popularity_bias[k]:15.2f}"
                )
        return "\n".join(lines)


def next_item(
    vectors: Vectors | Model,
    sessions: Any,
    *,
    k: int | Iterable[int] = (10, 20),
    split: str = "last",
    fraction: float = 0.2,
    last_items: int | None = None,
    exclude_seen: bool = False,
    output_vectors: ArrayLike | None = None,
) -> NextItemResult:
    """Recommend the next items of sessions, and compare with what popularity and co-visits recommend.

    The sessions are split as by `split_sessions`, and vectors must have been trained on its training part
    alone: others know the answers. Baselines are computed from this part, too. All are asked the same
    questions, and choose among all its items, of which the right one has to come first. An item that is not
    in the training part is left out of sessions, and not asked about, since nothing can recommend it [1]_.

    A model recommends as its method `recommend` does, and should be given where there is one: vectors alone
    do not know how popular items are. For them a session is the mean of the unit vectors of its items; items
    are recommended in the order of their cosines with it, or of their output vectors' products with the mean
    of input vectors. Among items of equal score, the right one comes last.

    The baselines are the items that occur most often ("popularity"); those most frequent in the latest tenth
    of the training part's sessions ("recency") [2]_; and those that most sessions have together with an item
    of this one ("co-visits"), summed over the same items that the vectors are shown.

    Parameters
    ----------
    vectors : Vectors, or fitted SkipGram, CBOW or FastText
        The vectors or the model to evaluate. If they have counts, a warning says when they have seen more of
        an item than the training part has.
    sessions : Corpus, or anything that `Corpus` takes
        All sessions, not only those held out; in the order in which they began.
    k : int or list of int
        The lengths of the lists that are recommended.
    split : {"last", "time"}
        What is asked about: the last item of every session; or every item but the first of the latest
        sessions, given those before it.
    fraction : float
        The fraction of the sessions that is held out by ``split="time"``, between 0 and 1.
    last_items : int, optional
        How many of the last items before the right answer stand for the session; all by default.
    exclude_seen : bool
        Whether items that the session has already are not recommended, and repetitions not asked about: for
        baskets, where there are none. As usual for sessions [1]_, they are by default.
    output_vectors : float32 array, shape (n_words, d), optional
        Output vectors that belong to `vectors`: items are scored by their products with the mean of the input
        vectors, instead of by cosines. A model has its own.

    Returns
    -------
    NextItemResult
        Hit rate, NDCG, MRR, coverage and popularity bias, of the vectors and the baselines.

    Raises
    ------
    TypeError, ValueError
        If a parameter or the sessions are invalid, or there is nothing to ask about.

    References
    ----------
    .. [1] M. Ludewig and D. Jannach, "Evaluation of session-based recommendation algorithms", User Modeling
       and User-Adapted Interaction 28, 2018.
    .. [2] Y. Ji, A. Sun, J. Zhang and C. Li, "A re-visit of the popularity baseline in recommender systems",
       SIGIR 2020.

    Examples
    --------
    >>> import fastvec
    >>> from fastvec import evaluate
    >>> sessions = [["bread", "butter", "jam"], ["bread", "jam", "butter"], ["beer", "crisps", "nuts"]] * 20
    >>> training = evaluate.split_sessions(sessions, split="time").training
    >>> model = fastvec.SkipGram(vector_size=8, min_count=1, epochs=50, threads=1).fit(training)
    >>> result = evaluate.next_item(model, sessions, k=2, split="time", exclude_seen=True)
    >>> popularity = result.baselines[0]
    >>> result.questions, result.vectors.hit_rate[2] > popularity.hit_rate[2]
    (24, True)
    """
    lengths = _lengths(k)
    if last_items is not None:
        last_items = check_int("last_items", last_items, 1)
    exclude_seen = check_bool("exclude_seen", exclude_seen)
    model, vectors = (None, vectors) if isinstance(vectors, Vectors) else (vectors, _vectors_of(vectors))
    if model is not None and output_vectors is not None:
        raise ValueError("output_vectors must be None for a model, which recommends by its own")
    outputs = None if output_vectors is None else _outputs(output_vectors, vectors)
    parts = split_sessions(sessions, split=split, fraction=fraction)
    corpus = Corpus(parts.training)
    vocabulary = corpus.vocabulary
    asked = questions(parts.held_out, vocabulary, split, repeats=not exclude_seen)
    if not len(asked.targets):
        raise ValueError(
            "sessions must have one whose next item occurs in the training part as well, got "
            f"{len(parts.training):,} sessions with none"
        )
    rows = rows_of_items(vectors, vocabulary.words)
    _check_counts(vectors, rows, vocabulary, split)

    def scores(name: str, recommend: Recommender) -> NextItemScores:
        return scores_of(name, recommend, asked, vocabulary.counts, lengths, last_items, exclude_seen)

    has_one = np.concatenate(([0], np.cumsum(rows[asked.items] >= 0)))
    begins = asked.starts if last_items is None else np.maximum(asked.starts, asked.targets - last_items)
    covered = (rows[asked.answers] >= 0) & (has_one[asked.targets] > has_one[begins])
    return NextItemResult(
        scores("vectors", by_vectors(vectors, rows, outputs))
        if model is None
        else scores("model", by_model(model, rows, vocabulary.words)),
        tuple(scores(name, recommend) for name, recommend in baselines(corpus).items()),
        questions=len(asked.targets),
        covered=int(covered.sum()),
        items=len(vocabulary),
    )


def _lengths(k: int | Iterable[int]) -> list[int]:
    """Return the lengths of lists, each once, in rising order."""
    given = list(k) if isinstance(k, Iterable) else [k]
    if not given:
        raise ValueError(f"k must hold at least one length, got {k!r}")
    return sorted({check_int("k", length, 1) for length in given})


def _vectors_of(model: Any) -> Vectors:
    if not hasattr(model, "recommend"):
        raise TypeError(
            f"vectors must be Vectors or a fitted SkipGram, CBOW or FastText, got {shortened(model)}"
        )
    vectors: Vectors = model.vectors_
    return vectors


def _outputs(output_vectors: ArrayLike, vectors: Vectors) -> NDArray[np.float32]:
    outputs = np.asarray(output_vectors, np.float32)
    if outputs.shape != vectors.vectors.shape:
        raise ValueError(
            f"output_vectors must have the shape of the vectors, {vectors.vectors.shape}, got {outputs.shape}"
        )
    return outputs


def _check_counts(vectors: Vectors, rows: NDArray[np.intp], vocabulary: Vocabulary, split: str) -> None:
    """Warn if vectors have seen an item more often than the training part has it."""
    if vectors.counts is None:
        return
    excess = np.where(rows >= 0, vectors.counts[rows], 0) - vocabulary.counts
    worst = int(excess.argmax())
    if excess[worst] > 0:
        warn(
            f"vectors have seen {shortened(vocabulary.words[worst])} {vectors.counts[rows[worst]]:,} times, "
            f"which the training part of the sessions has {vocabulary.counts[worst]:,} times: train on "
            f"split_sessions(sessions, split={split!r}).training, or they may know the answers"
        )


def scores_of(
    name: str,
    recommend: Recommender,
    asked: Questions,
    counts: NDArray[np.int64],
    lengths: Sequence[int],
    last_items: int | None,
    exclude_seen: bool,
) -> NextItemScores:
    """Return the scores of who recommends, by the ranks of the right answers and the lists."""
    n_questions, n_items = len(asked.targets), len(counts)
    at_once = max(1, SCORES_AT_ONCE // n_items)
    ranks = np.empty(n_questions)
    recommended = {k: np.zeros(n_items, np.int64) for k in lengths}
    for begin in range(0, n_questions, at_once):
        part = slice(begin, begin + at_once)
        before = [
            asked.items[start:end] for start, end in zip(asked.starts[part], asked.targets[part], strict=True)
        ]
        scored = recommend(before if last_items is None else [items[-last_items:] for items in before])
        if exclude_seen:
            for row, items in zip(scored, before, strict=True):
                row[items] = -np.inf
        ranks[part] = _ranks(scored, asked.answers[part])
        lists, is_there = _best(scored, max(lengths))
        for k in lengths:
            recommended[k] += np.bincount(lists[:, :k][is_there[:, :k]], minlength=n_items)
    of_answers = counts[asked.answers].mean()
    hits = {k: ranks <= k for k in lengths}
    return NextItemScores(
        name,
        hit_rate={k: float(hits[k].mean()) for k in lengths},
        ndcg={k: float((hits[k] / np.log2(1 + ranks)).mean()) for k in lengths},
        mrr={k: float((hits[k] / ranks).mean()) for k in lengths},
        coverage={k: float((recommended[k] > 0).mean()) for k in lengths},
        popularity_bias={
            k: float(counts @ recommended[k] / max(1, recommended[k].sum()) / of_answers) for k in lengths
        },
    )


def _ranks(scored: Scores, answers: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the ranks of the answers, from 1, behind all of equal score; inf where there is no score."""
    of_answers = scored[np.arange(len(answers)), answers][:, np.newaxis]
    ranks: NDArray[np.float64] = (scored >= of_answers).sum(axis=1).astype(np.float64)
    ranks[of_answers[:, 0] == -np.inf] = np.inf
    return ranks


def _best(scored: Scores, k: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the ids with the k highest scores of each row, the highest first, and which have a score."""
    k = min(k, scored.shape[1])
    best = np.argpartition(-scored, k - 1, axis=1)[:, :k]
    of_best = np.take_along_axis(scored, best, axis=1)
    order = np.argsort(-of_best, axis=1, kind="stable")
    lists = np.take_along_axis(best, order, axis=1)
    return lists, np.take_along_axis(of_best, order, axis=1) > -np.inf
