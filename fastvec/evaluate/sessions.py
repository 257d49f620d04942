"""Sessions in two parts: what vectors are trained on, and what they are asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_choice, check_float
from fastvec.corpus import Corpus, Vocabulary

__all__ = ["SPLITS", "Questions", "SessionSplit", "questions", "split_sessions"]

SPLITS = ("last", "time")


@dataclass(frozen=True)
class SessionSplit:
    """Sessions in two parts, as `split_sessions` returns them.

    Attributes
    ----------
    training : list of list
        What vectors may be trained on.
    held_out : list of list
        The sessions that they are asked about: with ``split="last"`` about the last item of each, given those
        before it; with ``split="time"`` about every item but the first, each given those before it.
    """

    training: list[list[Any]]
    held_out: list[list[Any]]

    def __repr__(self) -> str:
        return f"SessionSplit({len(self.training):,} for training, {len(self.held_out):,} held out)"


def split_sessions(sessions: Any, *, split: str = "last", fraction: float = 0.2) -> SessionSplit:
    """Split sessions into a part for training and a part to be asked about.

    Parameters
    ----------
    sessions : Corpus, or anything that `Corpus` takes
        The sessions, such as lists of items; for ``split="time"`` in the order in which they began.
    split : {"last", "time"}
        What is held out: the last item of every session of two items or more; or the latest sessions, of
        which nothing is seen in training.
    fraction : float
        The fraction of the sessions that is held out by ``split="time"``, between 0 and 1.

    Returns
    -------
    SessionSplit
        The sessions to train on, and those to be asked about.

    Raises
    ------
    TypeError, ValueError
        If a parameter or the sessions are invalid, or nothing would be left to train on.

    Examples
    --------
    >>> from fastvec import evaluate
    >>> sessions = [["bread", "butter", "jam"], ["beer"], ["bread", "jam"]]
    >>> evaluate.split_sessions(sessions).training
    [['bread', 'butter'], ['beer'], ['bread']]
    >>> evaluate.split_sessions(sessions, split="time", fraction=0.3).held_out
    [['bread', 'jam']]
    """
    check_choice("split", split, SPLITS)
    fraction = check_float("fraction", fraction, above=0, maximum=1)
    every = list(sessions if isinstance(sessions, Corpus) else Corpus(sessions))
    if split == "last":
        training = [session[:-1] if len(session) > 1 else session for session in every]
        return SessionSplit(training, [session for session in every if len(session) > 1])
    n_held_out = max(1, round(fraction * len(every)))
    if n_held_out >= len(every):
        raise ValueError(
            f"sessions must be so many that split='time' leaves one to train on, got {len(every):,} with "
            f"fraction={fraction}"
        )
    return SessionSplit(every[:-n_held_out], every[-n_held_out:])


class Questions(NamedTuple):
    """What is asked: which item of the training part comes next in a session.

    Attributes
    ----------
    items : int array
        All items that are asked about or shown, as ids of the training part.
    starts, targets : int arrays, shape (n,)
        The right answer to question q is ``items[targets[q]]``, which comes after
        ``items[starts[q]:targets[q]]`` in its session.
    """

    items: NDArray[np.intp]
    starts: NDArray[np.intp]
    targets: NDArray[np.intp]

    @property
    def answers(self) -> NDArray[np.intp]:
        """The right answers, shape (n,)."""
        return self.items[self.targets]


def questions(held_out: list[list[Any]], vocabulary: Vocabulary, split: str, repeats: bool) -> Questions:
    """Return what is asked about sessions, whose items outside of a vocabulary are left out.

    Parameters
    ----------
    held_out : list of list
        The sessions.
    vocabulary : Vocabulary
        The items of the training part.
    split : {"last", "time"}
        Whether the last item of every session is asked about, or each but the first.
    repeats : bool
        Whether an item is asked about that its session has before.
    """
    items: list[int] = []
    starts: list[int] = []
    targets: list[int] = []
    for session in held_out:
        if split == "last" and str(session[-1]) not in vocabulary.index:
            continue
        known = [vocabulary.index[item] for item in map(str, session) if item in vocabulary.index]
        first = len(known) - 1 if split == "last" else 1
        for place in range(max(1, first), len(known)):
            if repeats or known[place] not in known[:place]:
                starts.append(len(items))
                targets.append(len(items) + place)
        items += known
    return Questions(*(np.array(part, np.intp) for part in (items, starts, targets)))
