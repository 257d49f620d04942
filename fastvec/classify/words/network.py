"""Networks on windows of words: vectors side by side as the input, and the gradient back to the words.

The input of the window around word t is x = [x_{t−w} ... x_t ... x_{t+w}] ∈ R^{(2w+1)d}: for every place the
row of its word, and beside it those of its features. Since x is nothing but rows of tables side by side,
∂J/∂x is cut at the same places, and each piece belongs to the row that stood there; a row that stood in
several places, or in several windows of a batch, takes their sum. All other rows have no gradient.

With ``vectors_l2`` = λ, a batch costs λ Σ |x_i − x_i⁰|² more, the sum over the different rows x_i of words
that occur in it, with x_i⁰ where they started; its gradient is 2λ (x_i − x_i⁰). The rows of padding and of
unknown words are held like all others.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_bool, check_choice, check_float, check_int
from fastvec.classify.networks.estimator import NetworkEstimator, check_hidden
from fastvec.classify.networks.files import Saveable, parameter_tensors, parameters_of
from fastvec.classify.networks.layers import (
    ACTIVATIONS,
    Array,
    Parameters,
    backward,
    forward,
    initial,
    layer_shapes,
    penalty,
)
from fastvec.classify.networks.optimizers import Gradient, Rows, sum_rows
from fastvec.classify.words.features import FEATURES, FeatureTable
from fastvec.classify.words.lexicon import FIRST_WORD, PADDING, Lexicon, starting_table
from fastvec.classify.words.sentences import windows
from fastvec.formats.words import json_of_words, words_of_json
from fastvec.training.progress import warn
from fastvec.vectors import Vectors

__all__ = ["WindowNetwork"]

# How many go through the network at once outside the training.
WINDOWS_AT_ONCE = 4096
# With fewer words with a label, training vectors leave those behind that do not occur among them.
FEW_WORDS = 50_000


@dataclass(eq=False, repr=False)
class WindowNetwork(NetworkEstimator, Saveable):
    """A network whose inputs are windows of words; it may train the word vectors too."""

    vectors: Vectors | None = None
    window: int = 2
    _: KW_ONLY
    hidden: Any = 200
    activation: str = "relu"
    features: Sequence[str] = ()
    train_vectors: bool = False
    vectors_l2: float = 0.0
    vector_size: int = 100
    min_count: int = 2
    batch_size: int = 64
    epochs: int = 6

    LEARNING_RATES: ClassVar[dict[str, float]] = {"sgd": 0.05, "adagrad": 0.05, "adam": 0.002}

    _lexicon: Lexicon = field(init=False)
    _feature_tables: list[FeatureTable] = field(init=False)
    _start_vectors: Array = field(init=False)

    def check_params(self) -> None:
        """Validate the parameters.

        Raises
        ------
        TypeError, ValueError
            The message names the parameter, the rule and the value.
        """
        super().check_params()
        if self.vectors is not None and not isinstance(self.vectors, Vectors):
            raise TypeError(f"vectors must be Vectors or None, got {self.vectors!r}")
        check_int("window", self.window, 0, 1000)
        check_hidden("hidden", self.hidden)
        check_choice("activation", self.activation, ACTIVATIONS)
        if not isinstance(self.features, (list, tuple)):
            raise TypeError(f"features must be a list or tuple of names, got {self.features!r}")
        for name in self.features:
            check_choice("features", name, FEATURES)
        if len(set(self.features)) < len(self.features):
            raise ValueError(f"features must be distinct, got {self.features!r}")
        check_bool("train_vectors", self.train_vectors)
        check_float("vectors_l2", self.vectors_l2, minimum=0)
        check_int("vector_size", self.vector_size, 1, 4096)
        check_int("min_count", self.min_count, 1)

    @property
    def vectors_(self) -> Vectors:
        """The words with their current vectors, including words added by the training text."""
        if not hasattr(self, "parameters_"):
            raise AttributeError(f"{type(self).__name__} has no vectors_ before fit")
        return Vectors(self._lexicon.words, self.parameters_["vectors"][FIRST_WORD:].copy())

    def _learn_words(self, sentences: Sequence[Sequence[str]], *, as_written: bool = False) -> None:
        """Record which words and which values of features have rows."""
        lexicon = Lexicon([] if self.vectors is None else self.vectors.words)
        self._lexicon = lexicon.with_words_of(sentences, int(self.min_count), as_written=as_written)
        words = [word for sentence in sentences for word in sentence]
        self._feature_tables = [FeatureTable.of(name, words) for name in self.features]

    def _warn_of_small_data(self, n_words: int) -> None:
        """Warn if a small text moves words from where a large text has put them."""
        if self.train_vectors and self.vectors is not None and self.vectors_l2 == 0 and n_words < FEW_WORDS:
            warn(
                f"train_vectors=True on a small data set ({n_words:,} words): words in it move, while "
                "similar words that are not in it stay where they are, which may make the classifier worse "
                "on other texts; set vectors_l2, for example to 1e-3, to hold words near their initial "
                "vectors, or train_vectors=False to keep them there"
            )

    def _look_up(self, sentences: Sequence[Sequence[str]]) -> tuple[NDArray[np.int32], ...]:
        """Return the windows of all words, shape (n, 2w + 1): rows of words, and of each feature."""
        words = [word for sentence in sentences for word in sentence]
        lengths = [len(sentence) for sentence in sentences]
        all_tables: tuple[Lexicon | FeatureTable, ...] = (self._lexicon, *self._feature_tables)
        return tuple(windows(table.rows(words), lengths, int(self.window), PADDING) for table in all_tables)

    def _start_tables(self, generator: np.random.Generator) -> dict[str, Array]:
        """Return the initial tables, and remember the initial word vectors."""
        vectors = starting_table(self._lexicon, self.vectors, int(self.vector_size), generator)
        self._start_vectors = vectors.copy() if self.train_vectors else vectors
        return {"vectors": vectors, **{table.name: table.start(generator) for table in self._feature_tables}}

    def _initial_parameters(self, generator: np.random.Generator) -> dict[str, Array]:
        tables = self._start_tables(generator)
        d = tables["vectors"].shape[1]
        layers = initial(self._layer_sizes(d), generator)
        return tables | {name: layers[name] for name in self._layer_shapes(d)}

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        vectors = self.parameters_["vectors"]
        tables = {table.name: table.shape for table in self._feature_tables}
        return {"vectors": vectors.shape, **tables, **self._layer_shapes(vectors.shape[1])}

    def _layer_shapes(self, vector_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of weights and biases."""
        return layer_shapes(self._layer_sizes(vector_size))

    def _layer_sizes(self, vector_size: int) -> tuple[int, ...]:
        n_of_word = vector_size + sum(table.vector_size for table in self._feature_tables)
        return ((2 * self.window + 1) * n_of_word, *check_hidden("hidden", self.hidden), self._n_outputs())

    @abstractmethod
    def _n_outputs(self) -> int:
        """Return the number of scores of a window."""

    def _learned(self) -> tuple[dict[str, Any], dict[str, Array]]:
        features = {table.name: table.values for table in self._feature_tables}
        tensors = {**parameter_tensors(self.parameters_), "words": json_of_words(self._lexicon.words)}
        return {"features": features}, tensors

    def _restore(self, learned: dict[str, Any], tensors: dict[str, Array]) -> None:
        self._lexicon = Lexicon(words_of_json(tensors["words"]))
        self._feature_tables = [FeatureTable(name, values) for name, values in learned["features"].items()]
        d = tensors["parameters.vectors"].shape[-1]
        self.parameters_ = {"vectors": np.empty((len(self._lexicon), d))}
        self.parameters_ = parameters_of(tensors, self._shapes())
        self._start_vectors = self.parameters_["vectors"].copy()

    def _table_names(self) -> list[str]:
        return ["vectors", *(table.name for table in self._feature_tables)]

    def _run_forward(self, parameters: Parameters, ids: Sequence[Array]) -> list[Array]:
        """Return the outputs of all layers, the first being the vectors of the windows side by side."""
        pieces = [parameters[name][rows] for name, rows in zip(self._table_names(), ids, strict=True)]
        x = pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=2)
        return forward(parameters, x.reshape(len(x), x.shape[1] * x.shape[2]), self.activation)

    def _run_backward(
        self, parameters: Parameters, ids: Sequence[Array], outputs: Sequence[Array], delta: Array
    ) -> tuple[float, dict[str, Gradient]]:
        """Return the cost of the penalties, and the gradients of all that is trained."""
        trained = self._table_names() if self.train_vectors else self._table_names()[1:]
        layers, to_inputs = backward(parameters, outputs, delta, self.activation, to_inputs=bool(trained))
        cost = penalty(parameters, layers, float(self.l2))
        gradients: dict[str, Gradient] = dict(layers)
        if to_inputs is not None:
            pieces = to_inputs.reshape(*ids[0].shape, -1)
            begin = 0
            for name, rows in zip(self._table_names(), ids, strict=True):
                d = parameters[name].shape[1]
                if name in trained:
                    gradients[name] = sum_rows(rows.ravel(), pieces[..., begin : begin + d].reshape(-1, d))
                begin += d
        if self.train_vectors and self.vectors_l2 > 0:
            more, gradients["vectors"] = self._pulled_back(parameters["vectors"], gradients["vectors"])
            cost += more
        return cost, gradients

    def _pulled_back(self, vectors: Array, gradient: Any) -> tuple[float, Rows]:
        """Return the penalty of how far a batch's words are from their start, and the gradient with it."""
        distance = vectors[gradient.rows] - self._start_vectors[gradient.rows]
        cost = float(self.vectors_l2 * np.sum(np.square(distance, dtype=np.float64)))
        return cost, Rows(gradient.rows, gradient.values + 2 * float(self.vectors_l2) * distance)

    def _scores_of(self, inputs: Sequence[Array]) -> Array:
        """Return the scores of many windows, some at a time."""
        self._check_unchanged()
        scores = []
        for begin in range(0, max(1, len(inputs[0])), WINDOWS_AT_ONCE):
            some = [rows[begin : begin + WINDOWS_AT_ONCE] for rows in inputs]
            scores.append(self._run_forward(self.parameters_, some)[-1])
        return np.concatenate(scores)
