"""Which item comes next in a session: what models predict, without what their training adds to it.

Training tells an item w from noise. In the context c it sees w in proportion to p(w | c) k_w, where k_w is
the probability with which subsampling keeps w, and as noise in proportion to n_w, the noise distribution. The
score that minimizes the loss is thus not the logarithm of p(w | c), but, up to what does not depend on w,

    s_w = log p(w | c) + log k_w − log n_w        for negative sampling and BPR,
    s_w = log p(w | c) + log k_w                  for the softmax and the tree.

(Levy and Goldberg 2014, without subsampling. For BPR, w is above v with the odds of w being the item and v
the noise, p(w | c) k_w n_v : p(v | c) k_v n_w.) Whoever takes items in the order of s_w, or of cosines,
forgets how popular they are. So log n_w is added here, and log k_w taken off. Negative sampling skips noise
that is the item itself, which leaves the odds p / (1 − p) in the place of p: the same order, and about the
same numbers where no item is likely.

The contexts of the next item are the last items of the session, as far as the window reaches. Where training
draws the size of a window, that of distance d is in one of W with the probability (W + 1 − d) / W, its weight
here. A session that is a set has no distances: all its items count alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastvec.models.base import State

__all__ = ["distance_weights", "log_prior", "pooled_session"]

Array = NDArray[np.float64]


def log_prior(state: State, noise_exponent: float | None, subsample: float) -> Array:
    """Return what is added to the scores of all items, log n_w − log k_w.

    Words that share an output vector, since they differ in their tags alone, share its probability too, in
    proportion to how often each occurs.

    Parameters
    ----------
    state : State
        What the model has learned.
    noise_exponent : float or None
        The exponent of the noise distribution; None for losses that draw no noise.
    subsample : float
        The threshold of subsampling in training.

    Returns
    -------
    float64 array, shape (n_words,)
    """
    prior: Array = -np.log(state.keep_probabilities(subsample))
    if noise_exponent is not None:
        noise = state.noise_probabilities(noise_exponent)
        prior += np.log(noise if state.output_of is None else noise[state.output_of])
    if state.output_of is not None:
        counts = state.vocabulary.counts
        prior += np.log(counts / state.of_outputs(counts)[state.output_of])
    return prior


def distance_weights(n: int, window: int | None) -> Array:
    """Return how much each of n items counts for the next one, the last one last.

    Parameters
    ----------
    n : int
        Number of items, at most `window`.
    window : int or None
        The largest size of a window, if training draws it; else all items count alike.
    """
    return np.ones(n) if window is None else 1 - np.arange(n - 1, -1, -1) / window


def pooled_session(
    rows: Sequence[NDArray[np.float32]],
    weights: Array,
    position_weights: NDArray[np.float32] | None,
    mean: bool,
) -> Array:
    """Return the weighted mean, or sum, of the vectors of a session.

    Parameters
    ----------
    rows : sequence of float32 arrays, shapes (n_rows, d)
        The rows that each item is as an input.
    weights : float64 array, shape (n,)
        How much each item counts.
    position_weights : float32 array, shape (2 * window, d), or None
        The weights of places; those to the left of the next item come first.
    mean : bool
        Whether the mean, or the sum.
    """
    sums = np.array([each.sum(axis=0, dtype=np.float64) for each in rows])
    if position_weights is not None:
        window = len(position_weights) // 2
        sums *= position_weights[window - len(sums) : window]
    total = float(weights @ np.array([len(each) for each in rows])) if mean else 1.0
    hidden: Array = weights @ sums / total
    return hidden
