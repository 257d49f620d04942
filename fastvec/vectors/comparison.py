"""How far words have moved between two vectors, or two sets of them, and whether by more than chance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_bool, check_float, check_int, shortened
from fastvec.corpus import Corpus
from fastvec.corpus.selection import parts_of
from fastvec.vectors.nearest import nearest
from fastvec.vectors.procrustes import turn_together
from fastvec.vectors.significance import FEWEST_RUNS, adjusted, p_values
from fastvec.vectors.vectors import UnknownWordError, Vectors, as_items, as_words, unit_rows

__all__ = ["Drift", "DriftedWord", "drift"]

# The neighbors that Gonen et al. compare, and of how many words at most they are a part.
NEIGHBORS, A_TENTH = 1000, 10
# Neighbors that are named.
NAMED = 5
# How often the words that moved least are chosen anew.
ROUNDS = 3


class DriftedWord(NamedTuple):
    """How far a word has moved.

    Attributes
    ----------
    word : str or int
        The word.
    distance : float
        1 less the cosine of its vectors on both sides, after alignment: 0 to 2.
    overlap : float
        The part of its nearest neighbors on one side that are among those on the other, 0 to 1.
    p_value : float
        The probability of moving as far by chance alone; nan without runs.
    q_value : float
        The smallest false discovery rate at which it counts as moved; nan without runs.
    neighbors_a, neighbors_b : tuple of (str or int)
        Its five nearest neighbors on each side.
    """

    word: str
    distance: float
    overlap: float
    p_value: float
    q_value: float
    neighbors_a: tuple[str, ...]
    neighbors_b: tuple[str, ...]


class Drift(Sequence[DriftedWord]):
    """Words with how far they have moved, as `drift` returns them; printed, it is a table of the first ones.

    Parameters
    ----------
    rows : iterable of DriftedWord
        The words, in any order. The result has those of the smallest p-values first, and among equal ones, or
        without runs, those of the largest distances.
    """

    def __init__(self, rows: Iterable[DriftedWord]) -> None:
        self._rows = sorted(rows, key=lambda row: (np.nan_to_num(row.p_value), -row.distance))

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[DriftedWord]:
        return iter(self._rows)

    @overload
    def __getitem__(self, index: int) -> DriftedWord: ...

    @overload
    def __getitem__(self, index: slice) -> Drift: ...

    def __getitem__(self, index: int | slice) -> DriftedWord | Drift:
        return Drift(self._rows[index]) if isinstance(index, slice) else self._rows[index]

    def __repr__(self) -> str:
        return f"Drift({len(self):,} words)"

    def __str__(self) -> str:
        return self.table()

    def significant(self, rate: float = 0.05) -> Drift:
        """Return the words that have moved by more than chance.

        Parameters
        ----------
        rate : float
            The false discovery rate: the part of the returned words, on average, that have not moved.

        Returns
        -------
        Drift
            Those with a q-value of at most `rate`; none without runs.
        """
        rate = check_float("rate", rate, minimum=0, maximum=1)
        return Drift(row for row in self if row.q_value <= rate)

    def table(self, n: int = 20) -> str:
        """Return the first words as a table, as they are printed.

        Parameters
        ----------
        n : int
            Number of words.

        Returns
        -------
        str
            A line for each word, below a heading.
        """
        if not self:
            return repr(self)
        tested = not math.isnan(self[0].p_value)
        shown = self._rows[: check_int("n", n, 1)]
        width = max(4, *(len(str(row.word)) for row in shown))
        heading = "       p        q" if tested else ""
        lines = [f"{'word':{width}}  distance  overlap{heading}  neighbors"]
        for row in shown:
            chance = f"  {row.p_value:7.2g}  {row.q_value:7.2g}" if tested else ""
            near = " → ".join(
                ", ".join(map(str, side[:NAMED])) for side in (row.neighbors_a, row.neighbors_b)
            )
            lines.append(f"{row.word:{width}}  {row.distance:8.3f}  {row.overlap:7.2f}{chance}  {near}")
        if len(self) > len(shown):
            lines.append(f"... and {len(self) - len(shown):,} more")
        return "\n".join(lines)


def drift(
    a: Any,
    b: Any,
    *,
    model: Any = None,
    runs: int = 5,
    words: int | Iterable[str | int] | None = None,
    anchors: Iterable[str | int] | None = None,
    align: bool = True,
    neighbors: int | None = None,
    seed: int = 1,
) -> Drift:
    """Return how far words have moved from one side to the other, and whether by more than chance.

    The sides are times, regions, groups of authors, or whatever two texts differ by. Both usual measures are
    computed: the distance of a word's vectors once these are aligned [1]_, and how few of its nearest
    neighbors are the same, which needs no alignment [2]_.

    Distances alone say little: the vectors of a rare word differ from one training to the next. With three
    runs or more for each side, words have p-values. Runs of a side have to be trained on different documents,
    such as the fifths of a text at random, which `model` lets this function do. Runs on the same documents,
    or bootstrap samples of these, differ less from each other than texts do, so that chance would pass for
    drift.

    Parameters
    ----------
    a, b : Vectors, list of Vectors, or with `model` Corpus, or anything that `Corpus` takes
        The sides: the vectors of one training each, those of several runs, or texts.
    model : estimator, optional
        A model that is not fitted: it is trained on parts of the texts `a` and `b`, which have a random
        choice of their sentences each.
    runs : int
        With `model`, the number of parts of each text, at least three. The time is that of one training on
        both texts.
    words : int or iterable of str or int, optional
        The words to compare, or how many of the first ones, which by convention are the most frequent. By
        default all that all vectors have.
    anchors : iterable of str or int, optional
        The words by which vectors are aligned, for example some of which it is certain that they stayed the
        same. By default the half of all common words that moves least, see below.
    align : bool
        Whether to align vectors. Those of `Corpus` with `tag` are comparable as they are.
    neighbors : int, optional
        How many neighbors are compared. None stands for 1,000, as in [2]_, or a tenth of the words that all
        vectors have if that is less.
    seed : int
        Seed of the parts of texts, and of the rotations that p-values come from.

    Returns
    -------
    Drift
        A `DriftedWord` for each word: the surest first, and without p-values the one that moved farthest.

    Raises
    ------
    TypeError, ValueError
        If a parameter is invalid, if vectors have different numbers of dimensions or no word in common, or if
        one side has runs, but not both have three.
    UnknownWordError
        If some vectors lack a word.

    See Also
    --------
    Vectors.align : The alignment of two vectors, also by the pairs of a dictionary.

    Notes
    -----
    Runs are aligned by generalized Procrustes analysis, in which none is the reference, of unit vectors. For
    one training each, that is orthogonal Procrustes. Words that moved would turn the others if they were
    anchors, so that all would seem to have moved: as in least trimmed squares [5]_, vectors are first aligned
    by all words, and then three times by the half of them that is nearest by then.

    The null hypothesis of a p-value is that the unit vectors of a word have the same expectation on both
    sides. It is tested by random rotations of the residuals of the runs [3]_, for all words together; the
    formulas are in ``fastvec/vectors/significance.py``. How much a word varies is estimated for each side, so
    that it need not be as frequent on both; with three runs p-values are about twice as large as they should
    be, with five no more than a little. The q-values are those of Benjamini and Hochberg [4]_. What is
    significant is a difference of use: of topics, of spelling, or of the meaning. Vectors also depend a
    little on how frequent a word is, so that words that are several times as frequent on one side have
    p-values that are somewhat too small.

    References
    ----------
    .. [1] W. Hamilton, J. Leskovec and D. Jurafsky, "Diachronic word embeddings reveal statistical laws of
       semantic change", ACL 2016.
    .. [2] H. Gonen, G. Jawahar, D. Seddah and Y. Goldberg, "Simple, interpretable and stable method for
       detecting words with usage change across corpora", ACL 2020.
    .. [3] Ø. Langsrud, "Rotation tests", Statistics and Computing 2005.
    .. [4] Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate", Journal of the Royal
       Statistical Society B 1995.
    .. [5] P. Rousseeuw, "Least median of squares regression", Journal of the American Statistical Association
       1984.

    Examples
    --------
    >>> import fastvec
    >>> words = ["sun", "moon", "star", "gold", "coin", "bank"]
    >>> old = fastvec.Vectors(words, [[4, 0], [4, 1], [3, 1], [0, 4], [1, 4], [4, 2]])
    >>> new = fastvec.Vectors(words, [[0, 4], [-1, 4], [-1, 3], [-4, 0], [-4, 1], [-4, 2]])
    >>> fastvec.drift(old, new, anchors=words[:5], neighbors=2)[0].word
    'bank'
    """
    every, n_a = _runs_of(a, b, model, runs, seed)
    common = _common(every)
    rows = _rows("words", words, common)
    fixed = None if anchors is None else _rows("anchors", as_words(as_items("anchors", anchors)), common)
    most = max(1, len(common) - 1)
    neighbors = min(NEIGHBORS, max(1, len(common) // A_TENTH)) if neighbors is None else neighbors
    neighbors = check_int("neighbors", neighbors, 1, most)
    units = np.stack([unit_rows(run.vectors[[run.index(word) for word in common]]) for run in every])
    if check_bool("align", align):
        _align(units, n_a, fixed)
    p = q = np.full(len(rows), np.nan)
    if len(every) > 2:
        p = p_values(units[:n_a, rows], units[n_a:, rows], np.random.default_rng(seed))
        q = adjusted(p)
    sides = [unit_rows(side.mean(axis=0)) for side in (units[:n_a], units[n_a:])]
    distances = 1 - np.clip((sides[0][rows] * sides[1][rows]).sum(axis=1), -1, 1)
    near = zip(*(_neighbors(side, rows, max(neighbors, min(NAMED, most))) for side in sides), strict=True)
    named = np.array([*common, None], object)[:-1]
    return Drift(
        DriftedWord(
            common[row],
            float(distances[i]),
            len(np.intersect1d(in_a[:neighbors], in_b[:neighbors], assume_unique=True)) / neighbors,
            float(p[i]),
            float(q[i]),
            tuple(named[in_a[:NAMED]]),
            tuple(named[in_b[:NAMED]]),
        )
        for i, (row, (in_a, in_b)) in enumerate(zip(rows.tolist(), near, strict=True))
    )


def _runs_of(a: Any, b: Any, model: Any, runs: int, seed: int) -> tuple[list[Vectors], int]:
    """Return the vectors of all runs, those of `a` first, and how many these are."""
    check_int("runs", runs, FEWEST_RUNS)
    generator = np.random.default_rng(check_int("seed", seed, 0))
    sides = []
    for name, side in (("a", a), ("b", b)):
        if model is not None:
            sides.append(_trained(side, model, runs, generator))
        else:
            sides.append(_vectors(name, side))
    n_a, n_b = map(len, sides)
    if (n_a, n_b) != (1, 1) and min(n_a, n_b) < FEWEST_RUNS:
        raise ValueError(
            f"a and b must have one run each, or {FEWEST_RUNS} at least, got {n_a} and {n_b}: the variance "
            "between runs is what p-values come from"
        )
    return [*sides[0], *sides[1]], n_a


def _vectors(name: str, side: Any) -> list[Vectors]:
    listed = [side] if isinstance(side, Vectors) else side
    if not isinstance(listed, (list, tuple)) or not all(isinstance(run, Vectors) for run in listed):
        raise TypeError(
            f"{name} must be Vectors or a list of them, got {shortened(side)}: texts need model, such as "
            "fastvec.SkipGram()"
        )
    if not listed:
        raise ValueError(f"{name} must have vectors, got none")
    return list(listed)


def _trained(text: Any, model: Any, runs: int, generator: np.random.Generator) -> list[Vectors]:
    """Return the vectors of a model trained on parts of a text, each from other random numbers."""
    if not hasattr(type(model), "vectors_"):
        raise TypeError(f"model must be a model of words, such as fastvec.SkipGram(), got {shortened(model)}")
    corpus = text if isinstance(text, Corpus) else Corpus(text)
    seeds = generator.integers(2**31, size=runs).tolist()
    return [
        type(model)(**{**model.get_params(), "seed": seed}).fit(part).vectors_
        for part, seed in zip(parts_of(corpus, runs, generator), seeds, strict=True)
    ]


def _common(every: Sequence[Vectors]) -> list[Any]:
    """Return the words that all vectors have, in the order of the first, after a look at their sizes."""
    sizes = {run.vector_size for run in every}
    if len(sizes) > 1:
        raise ValueError(f"a and b must have the same number of dimensions, got {sorted(sizes)}")
    common = [word for word in every[0] if all(word in run for run in every[1:])]
    if len(common) < 2:
        raise ValueError(f"a and b must have two words in common, got {len(common)}")
    return common


def _rows(name: str, words: Any, common: list[Any]) -> NDArray[np.intp]:
    """Return the places of words among those that all vectors have."""
    if words is None or isinstance(words, (int, np.integer)):
        n = len(common) if words is None else min(check_int(name, words, 1), len(common))
        return np.arange(n)
    index = {str(word): row for row, word in enumerate(common)}
    listed = [*dict.fromkeys(map(str, as_words(as_items(name, words))))]
    if not listed:
        raise ValueError(f"{name} must have a word, got none")
    for word in listed:
        if word not in index:
            raise UnknownWordError(word, common)
    return np.array([index[word] for word in listed], np.intp)


def _align(units: NDArray[np.float32], n_a: int, anchors: NDArray[np.intp] | None) -> None:
    """Turn the vectors of all runs, shape (runs, n, d), by anchors or the half of words that moves least."""
    if anchors is not None:
        turn_together(units, anchors)
        return
    least = np.arange(units.shape[1])
    for _ in range(ROUNDS):
        turn_together(units, least)
        a, b = (unit_rows(side.mean(axis=0)) for side in (units[:n_a], units[n_a:]))
        least = np.argsort((a * b).sum(axis=1))[len(a) // 2 :]
    turn_together(units, least)


def _neighbors(units: NDArray[np.float32], rows: NDArray[np.intp], topn: int) -> Iterator[NDArray[np.intp]]:
    """Yield the rows nearest to each of some rows, the nearest first."""
    ones = np.ones(len(units), np.float32)
    for found, _ in nearest(units, ones, units[rows], [[row] for row in rows.tolist()], topn):
        yield found
