"""Probes: how quality and neighbours move while a training is running."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from fastvec._params import check_int
from fastvec.corpus.selection import check_words
from fastvec.evaluate import SimilarityResult, similarity
from fastvec.evaluate.words import judged_pairs
from fastvec.training.pauses import Interval, Moment, Periodic
from fastvec.vectors import UnknownWordError, Vectors

__all__ = ["Probe", "ProbeRecord"]

Pairs = str | os.PathLike[str] | Iterable[tuple[str, str, float]]


@dataclass(frozen=True)
class ProbeRecord:
    """What a probe saw.

    Attributes
    ----------
    moment : Moment
        Where the training was.
    similarity : SimilarityResult or None
        How the cosines agree with human scores.
    neighbors : dict of str to list of (str, float)
        The nearest words of each word, with their cosines; none of a word that has no vector.
    """

    moment: Moment
    similarity: SimilarityResult | None
    neighbors: dict[str | int, list[tuple[str, float]]]


class Probe(Periodic):
    """A callback that shows how vectors change while they are trained.

    The training pauses meanwhile, and learns the same as without a probe: with ``threads=1`` and with
    `deterministic` bit for bit. Each time a line is written to standard error, in which ``+`` marks
    neighbours that were not there the time before.

    Parameters
    ----------
    similarity : str, path-like, or iterable of (str, str, float), optional
        A file of word pairs with scores, or the pairs, as for `fastvec.evaluate.similarity`. It is read once.
    words : list of words
        Words whose neighbours are shown.
    topn : int
        Number of neighbours.
    every : str
        How often: ``"epoch"``, a time such as ``"10s"`` or ``"5m"``, or a number of words of the text such as
        ``"1e6 words"`` (of ``entries`` for `GloVe`). The end of every epoch comes in any case.

    Attributes
    ----------
    records : list of ProbeRecord
        What was seen, in all trainings so far.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    TypeError, ValueError
        If a parameter is invalid, or there is nothing to look at.

    Examples
    --------
    >>> import fastvec
    >>> text = [["old", "king", "rules"], ["old", "queen", "rules"], ["red", "car", "drives"]] * 20
    >>> probe = fastvec.Probe(words=["king"], topn=1)
    >>> model = fastvec.SkipGram(vector_size=8, epochs=3, threads=1, callbacks=[probe]).fit(text)
    >>> [record.moment.epoch for record in probe.records]
    [1, 2, 3]
    """

    def __init__(
        self,
        *,
        similarity: Pairs | None = None,
        words: Iterable[str | int] = (),
        topn: int = 5,
        every: str = "epoch",
    ) -> None:
        self.interval = Interval.of(every)
        check_words("words", words)
        self.words = list(words)
        self.topn = check_int("topn", topn, 1)
        self._name: str = ""
        self._pairs: list[tuple[str, str, float]] | None = None
        if similarity is not None:
            self._name, self._pairs = judged_pairs(similarity)
        if self._pairs is None and not self.words:
            raise ValueError("similarity or words must be given, or there is nothing to look at")
        self.records: list[ProbeRecord] = []

    def __call__(self, model: Any, moment: Moment, say: Callable[[str], None]) -> None:
        """Look at the vectors of a model; its training calls this.

        Parameters
        ----------
        model : estimator
            The model.
        moment : Moment
            Where its training is.
        say : callable
            Shows a line.
        """
        vectors, result = model.vectors_, None
        if self._pairs is not None:
            result = replace(similarity(vectors, self._pairs), name=self._name)
        neighbors = {word: self._neighbors(vectors, word) for word in self.words}
        record = ProbeRecord(moment, result, neighbors)
        before = self.records[-1].neighbors if self.records else neighbors
        say(self._line(record, before))
        self.records.append(record)

    def _neighbors(self, vectors: Vectors, word: str | int) -> list[tuple[str, float]]:
        try:
            return vectors.most_similar(word, topn=self.topn)
        except UnknownWordError:
            return []

    @staticmethod
    def _line(record: ProbeRecord, before: dict[str | int, list[tuple[str, float]]]) -> str:
        moment, result = record.moment, record.similarity
        parts = [f"loss {moment.loss:.4f}"]
        if result is not None:
            parts.append(
                f"{result.name} {result.spearman:.3f} ({result.covered:,} of {result.pairs:,} pairs)"
            )
        for word, near in record.neighbors.items():
            known = {neighbor for neighbor, _ in before[word]}
            shown = [f"{'' if neighbor in known else '+'}{neighbor}" for neighbor, _ in near]
            parts.append(f"{word}: {' '.join(shown) or 'unknown'}")
        where = f"epoch {moment.epoch}, {moment.positions:,} {moment.unit}, {moment.seconds:,.1f} s"
        return f"{where}: {', '.join(parts)}"
