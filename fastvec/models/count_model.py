"""What the models of counts share: parameters, and obtaining the counts."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import Any

from fastvec._params import check_int
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.models.state import Learner
from fastvec.training.threads import number_of_threads

__all__ = ["CountModel"]

# The parameters that say what is counted, and those that say how.
COUNTED = ("window", "weighting", "symmetric", "min_count", "max_vocab")
COUNTING = ("memory_limit", "threads", "progress")


@dataclass(kw_only=True, eq=False, repr=False)
class CountModel(Learner, ABC):
    """The base of models that are fitted to counts of pairs of words.

    `window`, `weighting`, `symmetric`, `min_count` and `max_vocab` are those of `Cooccurrence`; they control
    how a text is counted, and are ignored if `fit` is given counts.
    """

    vector_size: int = 100
    window: int = 10
    weighting: str = "harmonic"
    symmetric: bool = True
    min_count: int = 5
    max_vocab: int | None = None
    memory_limit: int = 2**32
    threads: int | None = None
    seed: int = 1
    progress: bool = False

    def _check_own_params(self) -> None:
        """Validate the parameters that the model adds to the common ones."""

    def check_params(self) -> None:
        """Validate the parameters.

        Raises
        ------
        TypeError, ValueError
            The message names the parameter, the rule and the value.
        """
        check_int("vector_size", self.vector_size, 1, 4096)
        self._counter().check_params()
        self._check_own_params()
        check_int("seed", self.seed, 0)

    def _counter(self) -> Cooccurrence:
        """Return the counter of texts for this model."""
        return Cooccurrence(**{name: getattr(self, name) for name in (*COUNTED, *COUNTING)})

    def _counts(self, source: Any) -> Cooccurrence:
        """Return `source` if it is counts, else count it as a text.

        Raises
        ------
        ValueError
            If nothing was counted.
        """
        counts = source if isinstance(source, Cooccurrence) else self._counter().fit(source)
        counts._check_fitted()
        if not counts.n_entries_:
            raise ValueError(
                "source must have a sentence with two words of the vocabulary, got no counts of "
                f"{counts.vocabulary_!r}"
            )
        return counts

    def _metadata(self, counts: Cooccurrence) -> dict[str, Any]:
        """Return the training parameters for the vectors, with those of the counts."""
        counted = {name: getattr(counts, name) for name in COUNTED}
        return {
            "estimator": type(self).__name__,
            **self._given(),
            **counted,
            "threads": number_of_threads(self.threads),
        }
