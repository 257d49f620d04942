"""How well a model knows which words stand together, by pairs of words that it has not seen.

The loss of a training cannot be compared with that of another one with more noise words, or others, nor one
loss with another. So all models are asked the same: of two words, which is the one that stands near a third?
One was held out with it, and the other is about as frequent. What a score has in common for all words of the
same frequency (by noise exponents, by subsampling) does not matter to the answer, nor does the scale of
scores.

Pairs of frequent words are asked about less often, as in a training that subsamples: they are most of a text,
and say little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec.corpus import Corpus
from fastvec.corpus.resampling import without
from fastvec.corpus.selection import known_ids
from fastvec.models.sessions import REACH
from fastvec.models.words import WordModel, raised_subsample
from fastvec.training.held_out import draw_spans

__all__ = ["Unseen", "check_has_outputs"]

# One word in so many is held out, at least and at most so many.
SHARE, LEAST, MOST = 50, 1 << 7, 1 << 16
# Words with a larger relative frequency are asked about less often.
SUBSAMPLE = 1e-4
# How many times as frequent as the right word the other one is, at most, and the other way round, about.
RATIO = 2.0
# Questions that are answered at once.
AT_ONCE = 1 << 14


class Unseen:
    """Spans of a text that are not trained on, and questions about them.

    Parameters
    ----------
    corpus : Corpus
        The text.
    model : WordModel
        Its `window` is that of the questions, `seed` that of their draws.

    Raises
    ------
    ValueError
        If the text is too short.
    """

    def __init__(self, corpus: Corpus, model: WordModel) -> None:
        counts = corpus.vocabulary.counts
        wanted = min(max(LEAST, corpus.n_tokens // SHARE), MOST)
        self._corpus = corpus
        self._spans = draw_spans(corpus.ids, corpus.sentence_offsets, counts // 2, wanted)
        generator = np.random.default_rng([model.seed, 5])
        keep = corpus.vocabulary.keep_probabilities(raised_subsample(SUBSAMPLE, corpus.n_tokens))
        spans = (corpus.ids[start:stop] for start, stop in self._spans)
        kept = [ids[generator.random(len(ids)) < keep[ids]] for ids in spans]
        window = REACH if model.window is None else model.window
        pairs = [_pairs(ids, window, model._arguments()["cbow"]) for ids in kept]
        self._questions = _Questions.joined([each for each in pairs if len(each.targets)])
        others = (self._questions.targets + 1) * RATIO ** generator.uniform(
            -1, 1, len(self._questions.targets)
        )
        self._others = np.minimum(others.astype(np.int64), len(counts) - 1)
        if not (self._others != self._questions.targets).any():
            raise ValueError(
                "corpus must have words next to each other that occur often enough to be held out, got "
                f"{corpus!r} with none"
            )

    def training(self, memory_limit: int) -> Corpus:
        """Return the text without the spans."""
        return without(self._corpus, self._spans, memory_limit)

    def score(self, model: WordModel) -> float:
        """Return how often the right word has the higher score; equal scores count a half."""
        rows = known_ids(model.vocabulary_, self._corpus.vocabulary.words)
        inputs, outputs = (_with_none(each) for each in (model.vectors_.vectors, model.output_vectors_))
        n_right = n = 0.0
        for questions, others in self._parts():
            hidden = np.add.reduceat(inputs[rows[questions.inputs]], questions.begins)
            differences = outputs[rows[questions.targets]] - outputs[rows[others]]
            is_higher = np.sign(np.einsum("ij,ij->i", hidden, differences))[others != questions.targets]
            n_right += (len(is_higher) + float(is_higher.sum())) / 2
            n += len(is_higher)
        return n_right / n

    def _parts(self) -> Iterator[tuple[_Questions, NDArray[np.int64]]]:
        """Yield questions, and the words that are not the right ones."""
        for first in range(0, len(self._others), AT_ONCE):
            part = slice(first, first + AT_ONCE)
            yield self._questions.part(part), self._others[part]


class _Questions(NamedTuple):
    """What is asked: which word stands near some others.

    Attributes
    ----------
    inputs : int array
        The other words of all questions.
    begins : int array, shape (n,)
        Where those of each question begin.
    targets : int array, shape (n,)
        The right answers.
    """

    inputs: NDArray[np.int32]
    begins: NDArray[np.int64]
    targets: NDArray[np.int32]

    @classmethod
    def joined(cls, parts: Sequence[_Questions]) -> _Questions:
        """Return the questions of all parts."""
        none = np.empty(0, np.int32)
        firsts = np.cumsum([0, *(len(part.inputs) for part in parts)])
        begins = [part.begins + first for part, first in zip(parts, firsts.tolist(), strict=False)]
        return cls(
            np.concatenate([none, *(part.inputs for part in parts)]),
            np.concatenate([none, *begins]),
            np.concatenate([none, *(part.targets for part in parts)]),
        )

    def part(self, part: slice) -> _Questions:
        """Return some of the questions."""
        begins = self.begins[part]
        end = self.begins[part.stop] if part.stop < len(self.begins) else len(self.inputs)
        return _Questions(self.inputs[begins[0] : end], begins - begins[0], self.targets[part])


def _pairs(ids: NDArray[np.int32], window: int, cbow: bool) -> _Questions:
    """Return the questions about a span: each context, of its centre; or the centre, of all its contexts."""
    distances = np.abs(np.arange(len(ids))[:, np.newaxis] - np.arange(len(ids)))
    centers, contexts = np.nonzero((distances > 0) & (distances <= window))
    if not cbow:
        return _Questions(ids[centers], np.arange(len(centers)), ids[contexts])
    with_contexts, begins = np.unique(centers, return_index=True)
    return _Questions(ids[contexts], begins, ids[with_contexts])


def _with_none(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows, and one of zeros behind them, for words without one."""
    return np.vstack((rows, np.zeros((1, rows.shape[1]), np.float32)))


def check_has_outputs(model: Any) -> None:
    """Raise ValueError unless a model has an output vector for every word."""
    if not isinstance(model, WordModel):
        raise ValueError(
            f"objective='held-out' needs a model that predicts words, got {type(model).__name__}: "
            "use another objective"
        )
    if model.loss == "hierarchical_softmax":
        raise ValueError(
            "objective='held-out' needs a loss with output vectors, got loss='hierarchical_softmax': use "
            "another loss, or another objective"
        )
