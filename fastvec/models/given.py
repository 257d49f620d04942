"""What a training is given beside a text: vectors to start from, and words that stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_item
from fastvec.corpus.fingerprint import fingerprint
from fastvec.corpus.vocabulary import Vocabulary
from fastvec.formats.ngrams import Subwords, row_means
from fastvec.models.base import Learner, Matrices, State
from fastvec.vectors import SubwordVectors, Vectors

__all__ = ["Given", "common_words", "frozen_words", "given_vectors", "noted", "sources", "start_words"]


class Given(NamedTuple):
    """Vectors to start from.

    Attributes
    ----------
    vectors : Vectors
        Words with their vectors.
    output_vectors : float32 array, shape (n_words, d), or None
        The vectors of the same words in the role of what is predicted, if a model was given that has them.
    """

    vectors: Vectors
    output_vectors: NDArray[np.float32] | None


def given_vectors(start_from: Any, vector_size: int, parts: int = 1) -> Given | None:
    """Return what `start_from` of `fit` stands for, after validation.

    Parameters
    ----------
    start_from : object
        What was given.
    vector_size : int
        That of the model.
    parts : int
        How many vectors of this size the model's vector of a word consists of.

    Raises
    ------
    TypeError
        If it is neither vectors nor a fitted estimator.
    ValueError
        If its vectors have another number of dimensions, or are not those of words.
    """
    if start_from is None:
        return None
    outputs = None
    if isinstance(start_from, Learner):
        state = start_from._learned("vectors_ to start from")
        outputs, learned = state.parameters.get("output_vectors"), start_from.vectors_
        if learned.words != state.vocabulary.words:
            raise ValueError(
                f"start_from must be an estimator whose vectors_ are those of words, got {start_from!r}: "
                "pass its word_vectors_"
            )
        start_from = learned
    if not isinstance(start_from, Vectors):
        raise TypeError(
            "start_from must be Vectors, which fastvec.load reads from files, or a fitted estimator, "
            f"got {start_from!r}"
        )
    if start_from.vector_size != vector_size * parts:
        raise ValueError(
            f"start_from must have {vector_size * parts} dimensions with vector_size={vector_size}, got "
            f"{start_from.vector_size}; its words fit vector_size={start_from.vector_size // parts}"
        )
    return Given(start_from, outputs)


def frozen_words(freeze: Any, vocabulary: Vocabulary, given: Given | None) -> NDArray[np.bool_] | None:
    """Return for each word of a vocabulary whether `freeze` of `fit` names it, or None if no word stays.

    Raises
    ------
    TypeError, ValueError
        If `freeze` is neither words nor a bool, if it is True without vectors to start from, or if no word
        of it is in the vocabulary.
    """
    if isinstance(freeze, (bool, np.bool_)) and not freeze:
        return None
    if isinstance(freeze, (bool, np.bool_)):
        if given is None:
            raise ValueError(
                "freeze must be a list of words unless start_from is given, whose words True stands for, got "
                "True"
            )
        name, words = "start_from", given.vectors.words
    elif isinstance(freeze, str) or not isinstance(freeze, Iterable):
        raise TypeError(f"freeze must be a list of words, True or False, got {freeze!r}")
    else:
        name, words = "freeze", [check_item("freeze", word) for word in freeze]
        if not words:
            return None
    frozen = np.zeros(len(vocabulary), np.bool_)
    frozen[[vocabulary.index[str(word)] for word in words if word in vocabulary]] = True
    if not frozen.any():
        raise ValueError(f"{name} must have words of the vocabulary, got none of {vocabulary!r}")
    return frozen


def common_words(
    vocabulary: Vocabulary, vectors: Vectors, chosen: Any = True
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the ids of the words of a vocabulary that vectors have, and their rows there.

    Raises
    ------
    ValueError
        If there is none, or none of those that are `chosen`.
    """
    index = {str(word): i for i, word in enumerate(vectors.words)}
    places = np.array([index.get(str(word), -1) for word in vocabulary.words], np.intp)
    ours = np.flatnonzero((places >= 0) & chosen)
    if not len(ours):
        what = "" if np.all(chosen) else "new "
        raise ValueError(f"start_from must have {what}words of {vocabulary!r}, got none in {vectors!r}")
    return ours, places[ours]


def start_words(
    parameters: Matrices, vocabulary: Vocabulary, given: Given, subwords: Subwords | None, chosen: Any
) -> None:
    """Let words start from given vectors: change the rows of the words that these have.

    Parameters
    ----------
    parameters : dict of str to float32 array
        The matrices of a model of words as they are at the start, without padding.
    vocabulary : Vocabulary
        Its words.
    given : Given
        The vectors.
    subwords : Subwords, optional
        The n-grams of a model whose words have them.
    chosen : bool array, shape (n_words,)
        The words that may start from them.

    Raises
    ------
    ValueError
        If the n-grams of both differ, or no word is in the vectors.
    """
    vectors = given.vectors
    ours, theirs = common_words(vocabulary, vectors, chosen)
    inputs = parameters["input_vectors"]
    if subwords is None:
        inputs[ours] = vectors.vectors[theirs]
    elif isinstance(vectors, SubwordVectors):
        if vectors.subwords != subwords:
            raise ValueError(
                f"min_n, max_n and buckets must be those of start_from, {_settings(vectors.subwords)}, got "
                f"{_settings(subwords)}; Vectors(start_from.words, start_from.vectors) have no n-grams"
            )
        if subwords.hash_count is None:
            inputs[ours] = vectors.input_vectors[theirs]
        elif not chosen.all():
            raise ValueError(
                "start_from must be None after the first call of fit with hash_count, which leaves new words "
                f"no rows of their own to start at a vector, got {vectors!r}"
            )
        if chosen.all():
            ngrams = vectors.input_vectors[subwords.own_rows(len(vectors)) :]
            inputs[subwords.own_rows(len(vocabulary)) :] = ngrams
    elif subwords.hash_count is not None:
        raise ValueError(
            "start_from must have n-grams as in floret with hash_count, which leaves words no rows of their "
            f"own to start at a vector, got {vectors!r}: leave out hash_count"
        )
    else:
        _start_at(inputs, vectors.vectors[theirs], ours, vocabulary, subwords)
    if given.output_vectors is not None and "output_vectors" in parameters:
        parameters["output_vectors"][ours] = given.output_vectors[theirs]


def _start_at(
    inputs: NDArray[np.float32],
    vectors: NDArray[np.float32],
    ours: NDArray[np.intp],
    vocabulary: Vocabulary,
    subwords: Subwords,
) -> None:
    """Choose the rows of words such that the means of these and of their n-grams are given vectors."""
    offsets, rows = subwords.rows(vocabulary.words)
    inputs[ours] = 0
    n_rows = np.diff(offsets)[ours, np.newaxis].astype(np.float32)
    inputs[ours] = n_rows * (vectors - row_means(np.ascontiguousarray(inputs), offsets, rows)[ours])


def _settings(subwords: Subwords) -> str:
    settings = f"{subwords.min_n}, {subwords.max_n} and {subwords.buckets:,}"
    return settings if subwords.hash_count is None else f"{settings} with hash_count={subwords.hash_count}"


def sources(state: State, given: Given | None, frozen: NDArray[np.bool_] | None) -> dict[str, str]:
    """Return what must be the same when a training is resumed, by the parameters of `fit`."""
    return {
        "start_from": "none" if given is None else fingerprint(state.vocabulary, *state.parameters.values()),
        "freeze": "none" if frozen is None else fingerprint(state.vocabulary, frozen),
    }


def noted(given: Given | None, frozen: NDArray[np.bool_] | None) -> dict[str, Any]:
    """Return what the metadata of vectors say of it: vectors to start from, and how many words stayed."""
    found: dict[str, Any] = {} if given is None else {"start_from": True}
    return found if frozen is None else {**found, "freeze": int(frozen.sum())}
