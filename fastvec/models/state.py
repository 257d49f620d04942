"""What a model has learned, and access to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import Estimator
from fastvec.corpus.vocabulary import Vocabulary
from fastvec.training.loop import Epoch
from fastvec.vectors import Vectors

__all__ = ["Learner", "Matrices", "State"]

# Parameters that do not change what is learned.
NOT_KEPT = ("memory_limit", "progress", "callbacks")

Matrices = dict[str, NDArray[np.float32]]


@dataclass
class State:
    """What a model has learned.

    Attributes
    ----------
    vocabulary : Vocabulary
        The words with their counts.
    parameters : dict of str to float32 array, shape (n_rows, d)
        The trained parameters, named as the arguments of the kernels.
    tables : dict of str to ndarray
        What the parameters depend on but is not trained: the tree of the hierarchical softmax.
    given : dict
        The parameters of the constructor used in training.
    metadata : dict
        The same for `Vectors`, with the resulting values.
    history : list of Epoch
        All epochs so far.
    interrupted : bool
        Whether a signal, such as Ctrl-C, or `stop` ended the training early.
    vectors : Vectors, optional
        The words with their vectors, created on demand.
    """

    vocabulary: Vocabulary
    parameters: Matrices
    tables: dict[str, NDArray[Any]]
    given: dict[str, Any]
    metadata: dict[str, Any]
    history: list[Epoch] = field(default_factory=list)
    interrupted: bool = False
    vectors: Vectors | None = None


class Learner(Estimator, ABC):
    """An estimator whose `fit` leaves a state."""

    _state: State | None = None

    @abstractmethod
    def check_params(self) -> None:
        """Validate the parameters."""

    @abstractmethod
    def _make_vectors(self, state: State) -> Vectors:
        """Return the words of a state with their vectors."""

    @property
    def vectors_(self) -> Vectors:
        """The words with their vectors."""
        state = self._learned("vectors_")
        if state.vectors is None:
            state.vectors = self._make_vectors(state)
        return state.vectors

    @property
    def vocabulary_(self) -> Vocabulary:
        """The words with their counts."""
        return self._learned("vocabulary_").vocabulary

    @property
    def interrupted_(self) -> bool:
        """Whether a signal, such as Ctrl-C, or `stop` ended the training early."""
        return self._learned("interrupted_").interrupted

    def _learned(self, name: str) -> State:
        if self._state is None:
            raise AttributeError(f"{type(self).__name__} has no {name} before fit")
        return self._state

    def _given(self) -> dict[str, Any]:
        """Return the parameters that affect what is learned."""
        return {name: value for name, value in self.get_params().items() if name not in NOT_KEPT}
