"""`fit`: training in rounds of lanes, in this process, in others of this machine, or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_int
from fastvec.distributed.clusters import connect
from fastvec.distributed.directions import Side
from fastvec.distributed.engine import Engine
from fastvec.distributed.lanes import INPUTS, SIDES, Lane, Summary, combine_block, forget, train_lane
from fastvec.models.base import Learner
from fastvec.models.checkpoints import EVERY
from fastvec.models.word2vec import SkipGram
from fastvec.models.words import WordModel
from fastvec.training.matrices import padded_matrix
from fastvec.training.rounds import MOMENTUM, Piece, Rounds
from fastvec.vectors import Vectors

__all__ = ["check_lanes", "fit"]

# How many there are unless a call says otherwise: rounds are those of an epoch.
LANES, ROUNDS = 16, 128
# The bytes of a block of rows, which one call combines.
BLOCK_BYTES = 1 << 24

Model = TypeVar("Model", bound=WordModel)


def fit(
    model: Model,
    corpus: Any,
    *,
    lanes: int = LANES,
    rounds: int = ROUNDS,
    cluster: str | int | None = None,
    vocabulary: Any = None,
    start_from: Vectors | Learner | None = None,
    freeze: bool | Iterable[str] = False,
    update_vocabulary: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | str = EVERY,
    resume: bool = False,
) -> Model:
    """Learn vectors on several processes or machines.

    Lanes train on neighbouring pieces of the text, side by side, from the same vectors. What they have
    learned is put together at the end of a round. The result depends on the number of lanes and of rounds,
    and neither on where the lanes run nor on what is lost and done again.

    Parameters
    ----------
    model : SkipGram
        The estimator to fit, with ``loss="negative_sampling"``. Its `threads` and `deterministic` do not
        matter: a lane is one thread, and all is deterministic.
    corpus : Corpus, or anything that `Corpus` takes
        The text, as for `fit`.
    lanes : int
        Number of pieces that are trained on side by side; more workers have nothing to do. One lane is a
        training with ``threads=1``, to the last bit.
    rounds : int
        Number of rounds of an epoch. The first ones of a training are shorter, so that there are some more;
        of a short text there are fewer, since a lane has 256 words at least.
    cluster : str or int, optional
        Where lanes train: in this process by default, one after the other; in so many processes of this
        machine; or on a cluster of Ray, of which this is the address: "auto" for the one that this machine
        belongs to, "host:port", or "local" for a new one on this machine.
    vocabulary, start_from, freeze, update_vocabulary, checkpoint, checkpoint_every, resume : optional
        As for the `fit` of the model. A run can be resumed with another cluster, but with the same lanes and
        rounds.

    Returns
    -------
    SkipGram
        The model.

    Raises
    ------
    ImportError
        If Ray is not installed.
    OSError
        If there is no cluster at the address, or a disk is full.
    RuntimeError
        If workers have another version of fastvec, or are lost again and again.
    TypeError, ValueError
        If the model is another one, or a parameter is invalid.
    FloatingPointError
        If training diverges.

    Examples
    --------
    >>> import fastvec
    >>> text = [["to", "be", "or", "not", "to", "be"]] * 100
    >>> model = fastvec.SkipGram(vector_size=8, min_count=1)
    >>> fastvec.distributed.fit(model, text, lanes=2).vectors_
    Vectors(4 words, 8 dimensions)
    """
    lanes, rounds = check_lanes(model, lanes, rounds)
    how = {
        "vocabulary": vocabulary,
        "start_from": start_from,
        "freeze": freeze,
        "update_vocabulary": update_vocabulary,
        "checkpoint": checkpoint,
        "checkpoint_every": checkpoint_every,
        "resume": resume,
    }
    with connect(cluster) as engine:
        if lanes == 1:
            return model._fit(corpus, 1, None, **how)
        kernel, d = model._loss().kernel, model.vector_size
        return model._fit(corpus, 1, partial(EngineRounds, engine, lanes, rounds, kernel, d), **how)


def check_lanes(model: Any, lanes: int = LANES, rounds: int = ROUNDS) -> tuple[int, int]:
    """Return the numbers of lanes and rounds, after validating that a model can be trained so.

    Raises
    ------
    TypeError, ValueError
        If it cannot.
    """
    lanes, rounds = check_int("lanes", lanes, 1, 4096), check_int("rounds", rounds, 1)
    if not isinstance(model, WordModel):
        raise TypeError(f"model must be a SkipGram, got {model!r}")
    if lanes > 1 and not (isinstance(model, SkipGram) and model.loss == "negative_sampling"):
        raise ValueError(
            "model must be a SkipGram with loss='negative_sampling' to be trained in lanes, got "
            f"{model!r}: lanes=1, or fit of the model, train it on one machine"
        )
    return lanes, rounds


class EngineRounds(Rounds):
    """Rounds whose lanes are calls of an engine.

    Parameters
    ----------
    engine : Engine
        Calls them.
    lanes, per_epoch : int
        How many lanes there are, and rounds of an epoch.
    kernel : str
        The module of `fastvec.kernels` that trains.
    d : int
        The length of rows, without padding.
    train_chunk : partial
        Its `train` with all arguments but those of a chunk: the padded matrices, arrays that stay as they
        are, and others.
    """

    def __init__(
        self,
        engine: Engine,
        lanes: int,
        per_epoch: int,
        kernel: str,
        d: int,
        train_chunk: partial[Any],
    ) -> None:
        self.lanes, self.per_epoch = lanes, per_epoch
        self._engine = engine
        arguments = dict(train_chunk.keywords)
        matrices = {name: arguments.pop(name) for name in SIDES}
        arrays = {
            name: arguments.pop(name)
            for name, value in train_chunk.keywords.items()
            if name in arguments and (name == "frozen" or isinstance(value, np.ndarray))
        }
        walk = {name: arguments[name] for name in ("window", "negatives", "shared", "dynamic_window")}
        stride = matrices[INPUTS].shape[1]
        at_once = max(1, BLOCK_BYTES // (4 * stride))
        firsts = {name: [*range(0, len(matrix), at_once), len(matrix)] for name, matrix in matrices.items()}
        self._lane = Lane(kernel, arguments, {**walk, "cbow": False}, tuple(arrays), firsts, stride)
        self._arrays = [None if array is None else engine.share(array) for array in arrays.values()]
        self._places = [(name, *ends) for name in SIDES for ends in pairwise(firsts[name])]
        self._matrices = matrices
        self._momentum = {name: padded_matrix(*matrix.shape) for name, matrix in matrices.items()}
        self._sides = {name: Side(d, stride) for name in SIDES}
        self.state = {}
        for name, side in self._sides.items():
            self.state[f"rounds.{name}.momentum"] = self._momentum[name][:, :d]
            self.state[f"rounds.{name}.curvature"] = side.curvature
            self.state[f"rounds.{name}.weights"] = side.weights
            self.state[f"rounds.{name}.directions"] = side.directions

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Share the matrices, in blocks; afterwards, gather them."""
        self._blocks = [[self._engine.share(part) for part in self._rows(*place)] for place in self._places]
        try:
            yield
            for place, handles in zip(self._places, self._blocks, strict=True):
                for rows, found in zip(self._rows(*place), self._engine.results(handles), strict=True):
                    rows[:] = found
        finally:
            self._blocks = []
            forget()

    def _rows(self, name: str, begin: int, end: int) -> list[NDArray[np.float32]]:
        """Return the rows of a block and their momentum."""
        return [self._matrices[name][begin:end], self._momentum[name][begin:end]]

    def train(
        self, pieces: Sequence[Piece], learning_rate: float, key: int, loss_every: int
    ) -> list[tuple[float, int, int]]:
        """Let lanes train, and combine what they have changed."""
        blocks = [block for block, _ in self._blocks]
        arguments = learning_rate, key, loss_every, *self._arrays, *blocks
        found = [
            self._engine.submit_parts(
                f"train lane {number}", len(blocks) + 1, train_lane, self._lane, piece, *arguments
            )
            for number, piece in enumerate(pieces, 1)
            if piece
        ]
        if not found:  # all is held out
            return []
        summaries: list[Summary] = self._engine.results([parts[-1] for parts in found])
        pulls = {}
        for name, side in self._sides.items():
            side.fade()
            for summary in summaries:
                side.add(summary.curvatures[name], summary.weights[name], summary.n_scores)
            pulls[name] = side.pull(learning_rate)
        self._blocks = [
            self._engine.submit_parts(
                f"combine rows {begin} to {end} of {name}",
                2,
                combine_block,
                begin,
                pulls[name],
                MOMENTUM,
                *self._blocks[number],
                *(parts[number] for parts in found),
            )
            for number, (name, begin, end) in enumerate(self._places)
        ]
        return [loss for summary in summaries for loss in summary.losses]
