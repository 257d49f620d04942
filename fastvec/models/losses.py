"""The losses of the models of words, a row each: what trains them, on which matrices, from which tables.

`LOSSES` is all that tells one from another. A loss whose kernel takes the arguments of another one's is one
more row; its estimator, files and continued training take it from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec.formats.ngrams import Subwords
from fastvec.models.base import State
from fastvec.training.matrices import MakeMatrix, fill_uniform
from fastvec.training.tables import alias_table

__all__ = ["LOSSES", "Loss", "losses_of", "paths", "subwords_of"]


class Matrix(NamedTuple):
    """A matrix that a loss trains.

    Attributes
    ----------
    name : str
        The argument of the kernel, and the tensor in files.
    n_rows : callable
        Its number of rows, for a model and how many words that has.
    constant : float
        What all its numbers are at first,
    uniform : float
        unless they are random, uniform in ±`uniform` / (2 d).
    """

    name: str
    n_rows: Callable[[Any, int], int]
    constant: float = 0
    uniform: float = 0

    def at_start(
        self, model: Any, n_words: int, generator: np.random.Generator, make: MakeMatrix
    ) -> NDArray[np.float32]:
        """Return the matrix before training, its rows padded as the kernels want them."""
        d = model.vector_size
        padded = make(self.name, self.n_rows(model, n_words), d)
        if self.uniform:
            fill_uniform(padded[:, :d], d / self.uniform, generator)
        elif self.constant:
            padded[:, :d] = self.constant
        return padded


class Loss(NamedTuple):
    """How a model is trained with a loss.

    Attributes
    ----------
    model, name : str
        The estimator, and its parameter `loss`.
    kernel : str
        The module of `fastvec.kernels` whose `train` is called.
    matrices : tuple of Matrix
        What is trained.
    tables : tuple of callable
        Each returns arguments of the kernel that are made of the vocabulary, for a model and its state.
    arguments : tuple of str
        The arguments that follow from the parameters of a model, see `WordModel._arguments`.
    untrained : callable
        The loss per pair while all outputs are zero, for a model and how many words that has.
    fixed : tuple of str
        Parameters that must not change when training is continued, beside `vector_size`.
    learning_rate : float
        What ``learning_rate=None`` stands for.
    unscaled : float, optional
        The same with ``scale_gradient=False``, if it differs: the exact gradient of a mean is smaller.
    summed, summed_unscaled : float, optional
        Both with ``pooling="sum"``, if there is that choice.
    cost : callable, optional
        The multiply-adds of a window, for a model and how many words that has, if it scores all of them.
    by_team : bool
        Whether threads can take a chunk together. One thread takes it where they cannot.
    by_copies : bool
        Whether threads that take chunks in turns have copies of often used rows.
    by_tags : bool
        Whether words can share their rows of the output vectors, see `Corpus.context_ids`.
    """

    model: str
    name: str
    kernel: str
    matrices: tuple[Matrix, ...]
    tables: tuple[Callable[[Any, State], Mapping[str, Any]], ...]
    arguments: tuple[str, ...]
    untrained: Callable[[Any, int], float]
    fixed: tuple[str, ...]
    learning_rate: float
    unscaled: float | None = None
    summed: float | None = None
    summed_unscaled: float | None = None
    cost: Callable[[Any, int], int] | None = None
    by_team: bool = True
    by_copies: bool = True
    by_tags: bool = False


def subwords_of(parameters: Mapping[str, Any]) -> Subwords:
    """Return the n-grams that the parameters of a model ask for."""
    return Subwords(*(parameters[name] for name in ("min_n", "max_n", "buckets", "hash_count")))


# The matrices.


def _words(model: Any, n_words: int) -> int:
    return n_words


INPUTS = Matrix("input_vectors", _words, uniform=1)
OUTPUTS = Matrix("output_vectors", _words)
NODES = Matrix("node_vectors", lambda model, n_words: n_words - 1)
POSITIONS = Matrix("position_weights", lambda model, n_words: 2 * model.window, constant=1)
WORDS_AND_NGRAMS = Matrix(
    "input_vectors", lambda model, n_words: subwords_of(model.get_params()).n_rows(n_words), uniform=2
)


# The tables.


def noise(model: Any, state: State) -> dict[str, Any]:
    """Return the table from which negatives are drawn."""
    return {"noise": alias_table(state.noise_probabilities(model.noise_exponent))}


def paths(model: Any, state: State) -> dict[str, Any]:
    """Return the ways from the root of the tree to the words."""
    assert state.tree is not None
    offsets, nodes, codes = state.tree.paths()
    return {"path_offsets": offsets, "path_nodes": nodes, "path_codes": codes}


def subwords(model: Any, state: State) -> dict[str, Any]:
    """Return the rows of the n-grams of the words."""
    offsets, rows = subwords_of(state.given).distinct_rows(state.vocabulary.words)
    return {"subword_offsets": offsets, "subwords": rows}


# The loss before training, and what a window costs.


def _of_negatives(model: Any, n_words: int) -> float:
    return math.log(2) * (1 + int(model.negatives))


def _of_pairs(model: Any, n_words: int) -> float:
    return math.log(2) * int(model.negatives)


def _of_one_word(model: Any, n_words: int) -> float:
    return math.log(n_words)  # a tree for the frequencies costs less


def _of_all_scores(model: Any, n_words: int) -> int:
    """Return the multiply-adds of the scores and of the gradients of both sides."""
    return 3 * n_words * int(model.vector_size)


# fmt: off
LOSSES = (
    Loss("SkipGram", "negative_sampling", "skipgram",
         (INPUTS, OUTPUTS), (noise,), ("window", "negatives", "loss", "shared"),
         _of_negatives, fixed=("loss",), learning_rate=0.025, by_tags=True),
    Loss("SkipGram", "bpr", "skipgram",
         (INPUTS, OUTPUTS), (noise,), ("window", "negatives", "loss", "shared"),
         _of_pairs, fixed=("loss",), learning_rate=0.0125, by_tags=True),
    Loss("SkipGram", "hierarchical_softmax", "hierarchical_softmax",
         (INPUTS, NODES), (paths,), ("window", "cbow", "mean", "scale_gradient"),
         _of_one_word, fixed=("loss",), learning_rate=0.025),
    Loss("SkipGram", "softmax", "softmax",
         (INPUTS, OUTPUTS), (), ("window", "cbow", "mean", "scale_gradient"),
         _of_one_word, fixed=("loss",), learning_rate=0.025, cost=_of_all_scores,
         by_team=False, by_copies=False),
    Loss("CBOW", "negative_sampling", "cbow",
         (INPUTS, OUTPUTS), (noise,), ("window", "negatives", "mean", "scale_gradient", "position_weights"),
         _of_negatives, fixed=("loss", "position_weights", "pooling"), learning_rate=0.15, unscaled=0.075,
         summed=0.03, summed_unscaled=0.1),
    Loss("CBOW", "hierarchical_softmax", "hierarchical_softmax",
         (INPUTS, NODES), (paths,), ("window", "cbow", "mean", "scale_gradient"),
         _of_one_word, fixed=("loss", "position_weights", "pooling"), learning_rate=0.1, unscaled=0.025,
         summed=0.02, summed_unscaled=0.05),
    Loss("CBOW", "softmax", "softmax",
         (INPUTS, OUTPUTS), (), ("window", "cbow", "mean", "scale_gradient"),
         _of_one_word, fixed=("loss", "position_weights", "pooling"), learning_rate=0.05, unscaled=0.025,
         summed=0.02, summed_unscaled=0.025, cost=_of_all_scores, by_team=False, by_copies=False),
    Loss("CBOW with position_weights", "negative_sampling", "cbow",
         (INPUTS, OUTPUTS, POSITIONS), (noise,), ("window", "negatives", "mean", "scale_gradient"),
         _of_negatives, fixed=("loss", "position_weights", "pooling", "window"), learning_rate=0.05,
         unscaled=0.025, summed=0.04, summed_unscaled=0.05, by_team=False),
    Loss("FastText", "negative_sampling", "subword",
         (WORDS_AND_NGRAMS, OUTPUTS), (noise, subwords),
         ("window", "negatives", "cbow", "mean", "scale_gradient"),
         _of_negatives, fixed=("model", "loss", "pooling", "min_n", "max_n", "buckets", "hash_count"),
         learning_rate=0.05, summed=0.01, summed_unscaled=0.05, by_copies=False),
    Loss("FastText", "hierarchical_softmax", "ngram_tree",
         (WORDS_AND_NGRAMS, NODES), (paths, subwords), ("window", "cbow", "mean", "scale_gradient"),
         _of_one_word, fixed=("model", "loss", "pooling", "min_n", "max_n", "buckets", "hash_count"),
         learning_rate=0.05, summed=0.006, summed_unscaled=0.05),
)
# fmt: on


def losses_of(model: str) -> dict[str, Loss]:
    """Return the rows of a model by the name of the loss."""
    return {row.name: row for row in LOSSES if row.model == model}
