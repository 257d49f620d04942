"""`fit`: training on several processes or machines."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from fastvec.distributed.rounds import LANES, fit_in_rounds
from fastvec.distributed.tiles import fit_in_turns
from fastvec.models.base import Learner
from fastvec.models.checkpoints import EVERY
from fastvec.models.glove import GloVe
from fastvec.models.words import WordModel
from fastvec.vectors import Vectors

__all__ = ["fit"]

Model = TypeVar("Model", bound=WordModel | GloVe)


def fit(
    model: Model,
    corpus: Any,
    *,
    lanes: int = LANES,
    rounds: int | None = None,
    lanes_per_worker: int = 1,
    cluster: str | int | None = None,
    folder: str | os.PathLike[str] | None = None,
    vocabulary: Any = None,
    start_from: Vectors | Learner | None = None,
    freeze: bool | Iterable[str] = False,
    update_vocabulary: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | str = EVERY,
    resume: bool = False,
) -> Model:
    """Learn vectors on several processes or machines.

    Lanes of a `SkipGram`, `CBOW` or `FastText` train on neighbouring pieces of the text, side by side, from
    the same vectors. What they have learned is put together at the end of a round. The result depends on the
    number of lanes and of rounds, and neither on where the lanes run nor on what is lost and done again.

    A `GloVe` has neither lanes nor rounds: the result is that of its `fit`, to the last bit. Each worker
    trains on the counts of some of the words, while the rows of contexts go from one worker to the next.

    Parameters
    ----------
    model : SkipGram, CBOW, FastText or GloVe
        The estimator to fit. Lanes need ``loss="negative_sampling"``, and a `CBOW` without
        `position_weights`; `threads` and `deterministic` do not matter: a lane is one thread, and all is
        deterministic. A worker of a `GloVe` has one thread unless `threads` says otherwise.
    corpus : Corpus, Cooccurrence, or anything that `Corpus` takes
        The text or, of a `GloVe`, the counts, as for the `fit` of the model. A `GloVe` counts a text in this
        process; `count` does that elsewhere.
    lanes : int
        Number of pieces that are trained on side by side, at most 4096. Take `lanes_per_worker` for each
        worker; more workers have nothing to do. One lane is a training with ``threads=1``, to the last bit.
    rounds : int, optional
        Number of rounds of an epoch; four for each lane by default, at most 64. A round is never longer than
        a part of what was trained on before it, from 30 % with two lanes to 2 % with 16: at the beginning,
        and with short texts, there are more, in which a few lanes train. Before the first one, this process
        trains alone, on a sixteenth of what each lane trains on.
    lanes_per_worker : int
        Number of neighbouring lanes that a worker trains at once, each in a thread. Their changes are added
        up before they travel, and combined with those of other workers as if all had come. What is learned
        depends on this number, a little, and not on where lanes train. On machines with 16 cores, take 16.
    cluster : str or int, optional
        Where the model is trained: in this process by default; in so many processes of this machine; or on a
        cluster of Ray, of which this is the address: "auto" for the one that this machine belongs to,
        "host:port", or "local" for a new one on this machine.
    folder : str or path-like, optional
        A folder on a disk that all workers share, in which the matrices are while there are too many words
        for memory: workers then hold the rows of their pieces alone (a piece with more than two words for
        each row uses nearly all), and this process none, but what is mapped from there. It needs
        ``8 * vector_size`` bytes for each word, and half of that for each bucket of n-grams, until the model
        goes away. With several lanes only.
    vocabulary, start_from, freeze, update_vocabulary, checkpoint, checkpoint_every, resume : optional
        As for the `fit` of the model. A run can be resumed with another cluster, but with the same lanes,
        rounds and lanes of a worker.

    Returns
    -------
    SkipGram, CBOW, FastText or GloVe
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
        If the model is another one, or a parameter is invalid or not of this model.
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
    how: dict[str, Any] = {
        "start_from": start_from,
        "freeze": freeze,
        "checkpoint": checkpoint,
        "checkpoint_every": checkpoint_every,
        "resume": resume,
    }
    if isinstance(model, GloVe):
        of_lanes = {
            "lanes": (lanes, LANES),
            "rounds": (rounds, None),
            "lanes_per_worker": (lanes_per_worker, 1),
            "folder": (folder, None),
            "vocabulary": (vocabulary, None),
            "update_vocabulary": (update_vocabulary, False),
        }
        _check_left_out(of_lanes)
        fit_in_turns(model, corpus, cluster, **how)
        return model
    how |= {"vocabulary": vocabulary, "update_vocabulary": update_vocabulary}
    return fit_in_rounds(model, corpus, lanes, rounds, lanes_per_worker, cluster, folder, **how)


def _check_left_out(parameters: Mapping[str, tuple[Any, Any]]) -> None:
    """Raise ValueError if the value of a parameter is not its default."""
    for name, (value, default) in parameters.items():
        if not (value is default or value == default):
            raise ValueError(f"{name} must be left out with a GloVe, got {value!r}: it is of models of words")
