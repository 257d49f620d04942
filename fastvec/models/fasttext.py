"""Word vectors from the words' character n-grams (Bojanowski et al. 2017), as fastText learns them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from fastvec import _backends
from fastvec._format_fasttext import FastTextFile, write_model
from fastvec._params import check_bool, check_choice
from fastvec._subwords import Subwords
from fastvec._training import TrainChunk
from fastvec.models._state import Matrices, State
from fastvec.models._word_model import Text, WordModel
from fastvec.subword_vectors import SubwordVectors

__all__ = ["FastText"]


@dataclass(kw_only=True, eq=False, repr=False)
class FastText(WordModel):
    """FastText: vectors of words that are made of their character n-grams', for unknown words too.

    The vector of a word is the mean of a row of its own and of the rows of its n-grams [1]_, which share
    `buckets` rows by a hash. The objective and its gradient are derived in ``fastvec/reference/subword.py``.
    Where fastText has a parameter, its default is fastText's.

    Parameters
    ----------
    model : {"skipgram", "cbow"}
        Whether a word predicts each of its contexts, or all of them together predict the word. In both
        cases it is the rows of what predicts that have n-grams.
    min_n, max_n : int
        The fewest and the most characters of an n-gram; ``max_n=0`` for words without n-grams.
    buckets : int
        Rows for the n-grams.
    scale_gradient : bool
        Whether the gradient of a row is the exact one, which holds the number of rows in the mean as a
        divisor. False leaves it out, as fastText does.
    vector_size, window, negatives, min_count, max_vocab, subsample, noise_exponent
        As for `SkipGram`; every context has noise words of its own.
    learning_rate, min_learning_rate, epochs, threads, seed, progress, callbacks
        As for `SkipGram`.

    Attributes
    ----------
    vectors_ : SubwordVectors
        The words with their vectors, which has vectors of unknown words too.
    input_vectors_ : float32 array, shape (n_words + buckets, d)
        The rows of the words, then those of the n-grams.
    output_vectors_ : float32 array, shape (n_words, d)
        The vectors of the words as what is predicted.
    vocabulary_, history_, interrupted_
        As for `SkipGram`.

    References
    ----------
    .. [1] P. Bojanowski, E. Grave, A. Joulin and T. Mikolov, "Enriching word vectors with subword
       information", TACL 5, 2017.

    Examples
    --------
    >>> import fastvec
    >>> sentences = [["the", "old", "house"], ["two", "older", "houses"]] * 20
    >>> model = fastvec.FastText(vector_size=8, buckets=1000, subsample=0, threads=1).fit(sentences)
    >>> model.vectors_
    SubwordVectors(6 words, 8 dimensions)
    >>> "housing" in model.vectors_, model.vectors_["housing"].shape
    (False, (8,))
    """

    subsample: float = 1e-4
    noise_exponent: float = 0.5
    min_learning_rate: float = 0.0
    model: str = "skipgram"
    min_n: int = 3
    max_n: int = 6
    buckets: int = 2_000_000
    scale_gradient: bool = False

    START: ClassVar[float] = 2
    EXTENSIONS: ClassVar[tuple[str, ...]] = (".fvec", ".bin")

    @property
    def vectors_(self) -> SubwordVectors:
        """The words with their vectors."""
        return cast(SubwordVectors, super().vectors_)

    @property
    def input_vectors_(self) -> NDArray[np.float32]:
        """The rows of the words, then those of the n-grams."""
        return self._parameter("input_vectors_")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save all that was learned, so that `fastvec.load_model` gives the estimator back.

        Parameters
        ----------
        path : str or path-like
            A file with the extension ``.fvec``, or ``.bin`` for fastText's own format, which fastText and
            gensim read; it keeps neither `history_` nor the parameters that fastText does not have.

        Raises
        ------
        AttributeError
            Before `fit`.
        OSError
            When the file cannot be written, no space being left for example.
        ValueError
            When the extension is another one, or fastText's format cannot hold a word.
        """
        if Path(path).suffix.lower() != ".bin":
            super().save(path)
            return
        state = self._learned("vectors_ to save")
        write_model(
            path,
            FastTextFile(
                words=state.vocabulary.words,
                counts=state.vocabulary.counts,
                input_vectors=state.parameters["input_vectors"],
                output_vectors=state.parameters["output_vectors"],
                subwords=_subwords(state),
                parameters=state.given,
            ),
        )

    def _variant(self) -> tuple[str, str, bool]:
        return "FastText", self.model, self.scale_gradient

    def _check_own_params(self) -> None:
        check_choice("model", self.model, ("skipgram", "cbow"))
        Subwords(self.min_n, self.max_n, self.buckets)
        check_bool("scale_gradient", self.scale_gradient)

    def _fixed(self) -> tuple[str, ...]:
        return (*super()._fixed(), "model", "min_n", "max_n", "buckets")

    def _kernel(self) -> str:
        return "subword"

    def _rows(self, n_words: int) -> dict[str, int]:
        return {"input_vectors": n_words + self.buckets, "output_vectors": n_words}

    def _bind(self, state: State, parameters: Matrices, text: Text) -> TrainChunk:
        kernel = cast(_backends.SubwordKernel, _backends.get(self._kernel()))
        offsets, rows = _subwords(state).rows(state.vocabulary.words)
        return partial(
            kernel.train,
            input_vectors=parameters["input_vectors"],
            output_vectors=parameters["output_vectors"],
            ids=text.ids,
            sentence_offsets=text.sentence_offsets,
            keep=text.keep,
            noise=self._noise(state.vocabulary),
            subword_offsets=offsets,
            subwords=rows,
            window=self.window,
            negatives=self.negatives,
            cbow=self.model == "cbow",
            scale_gradient=self.scale_gradient,
        )

    def _make_vectors(self, state: State) -> SubwordVectors:
        vocabulary, rows = state.vocabulary, state.parameters["input_vectors"]
        return SubwordVectors(vocabulary.words, rows, _subwords(state), vocabulary.counts, state.metadata)


def _subwords(state: State) -> Subwords:
    return Subwords(state.given["min_n"], state.given["max_n"], state.given["buckets"])
