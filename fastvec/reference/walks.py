"""Random walks over a graph, of the first and the second order, along types of nodes if asked for.

Graph. Node v has a row of arcs for every type of nodes, v · n_types + type; without types there is one row.
A row is ``targets[offsets[row]:offsets[row + 1]]`` in rising order. Several arcs between the same nodes count
separately, and arcs of weight 0 are none.

First order (DeepWalk: Perozzi, Al-Rfou and Skiena 2014). From v, a walk goes to x with the probability

    P(x | v) = w(v, x) / Σ_y w(v, y)

over the arcs of one row. All rows have this form for metapath2vec (Dong, Chawla and Swami 2017) too, where
the types repeat: step s leads to a node of the type ``path[s % len(path)]``.

Second order (node2vec: Grover and Leskovec 2016). A walk that came to v from t goes to x with the probability

    P(x | v, t) ∝ α(t, x) · w(v, x),    α(t, x) = 1/p  if x = t
                                                  1    if there is an arc from t to x
                                                  1/q  otherwise.

Tables of these take memory for all pairs of arcs that follow each other. Rejection needs none (KnightKing:
Yang et al. 2019): propose x by the first order and accept it with the probability α(t, x) / max α; what is
accepted has exactly the distribution above. The arc from t to x is found by bisection. To bound the time
where little is accepted, there are as many trials as v has arcs, and at most `TRIALS`; then α · w of all arcs
is computed, and x drawn from that. Since both ways have the same distribution, so has the walk.

Draws. As in sampling.py, with

    counter = walk · 2³² + step · DRAWS_PER_STEP + trial

so that a walk depends on the key and on its number alone: not on threads, not on other walks, and a shorter
one is the beginning of a longer one. The upper half of a draw proposes, the lower half accepts.

Weights are kept as cumulative sums in 32 bits, relative to their row: the probability of an arc is exact
within 2⁻³², and so are the probabilities of acceptance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastvec.reference.sampling import HALF, LOWER_HALF, draw

__all__ = ["add_counts", "cumulate", "walk"]

# One for each trial, and one more for the choice among all arcs.
TRIALS = 31
DRAWS_PER_STEP = 32
FULL = 1 << 32
RETURN, NEAR, FAR = range(3)


def cumulate(offsets: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Return, for every arc, the share of the arcs before it in the weight of its row, in units of 2⁻³².

    Parameters
    ----------
    offsets : IN, int64 (n_rows + 1,)
        Row i is weights[offsets[i]:offsets[i + 1]].
    weights : IN, float64 (n_arcs,)
        Positive, with a finite sum.

    Returns
    -------
    uint32 (n_arcs,)
        Rising in every row; the first is 0.
    """
    cumulative = np.zeros(len(weights), np.uint32)
    for begin, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        sums = np.cumsum(weights[begin:end])
        shares = sums[:-1] / sums[-1:] * FULL
        cumulative[begin + 1 : end] = np.minimum(shares, FULL - 1).astype(np.uint32)
    return cumulative


def add_counts(ids: NDArray[np.int32], counts: NDArray[np.int64]) -> None:
    """Count ids.

    Parameters
    ----------
    ids : IN, int32 (n,)
        They are from 0 on.
    counts : IN/OUT, int64 (n_ids,)
        How often each occurs.
    """
    np.add.at(counts, ids, 1)


def walk(
    starts: NDArray[np.int32],
    first: int,
    length: int,
    offsets: NDArray[np.int64],
    targets: NDArray[np.int32],
    cumulative: NDArray[np.uint32],
    path: NDArray[np.int32],
    n_types: int,
    accept: NDArray[np.uint32],
    key: int,
    ids: NDArray[np.int32],
    sizes: NDArray[np.int64],
) -> int:
    """Walk from some nodes until `length` nodes are visited, or one has no arcs.

    Parameters
    ----------
    starts : IN, int32 (n_walks,)
        Their first nodes.
    first : IN, int
        The number of the first of these walks, whose successors have the next numbers; below 2³².
    length : IN, int
        Number of nodes of a walk, below 2²⁷.
    offsets : IN, int64 (n_nodes · n_types + 1,)
        Row v · n_types + type has the arcs from v to nodes of that type.
    targets : IN, int32 (n_arcs,)
        Where the arcs lead, in rising order within a row.
    cumulative : IN, uint32 (n_arcs,)
        What `cumulate` returns, or nothing, uint32 (0,), if all weights are equal.
    path : IN, int32 (n,)
        Step s leads to a node of type path[s % n].
    n_types : IN, int
        Number of rows of a node.
    accept : IN, uint32 (3,)
        A step back to the node before is accepted with probability (accept[0] + 1) / 2³², one to a node with
        an arc from the node before with (accept[1] + 1) / 2³², and any other with (accept[2] + 1) / 2³².
    key : IN, uint64
        Start of the random sequence.
    ids : OUT, int32 (n_walks · length,)
        The nodes of the walks, one after the other.
    sizes : OUT, int64 (n_walks,)
        How many nodes each walk has.

    Returns
    -------
    int
        The sum of `sizes`.
    """
    n = 0
    for number, node in enumerate(starts.tolist(), first):
        visited = [node]
        for step in range(1, length):
            kind = int(path[step % len(path)])
            row = slice(*offsets[visited[-1] * n_types + kind :][:2].tolist())
            if row.start == row.stop:
                break
            of_nodes = targets[row]
            shares = cumulative[row] if len(cumulative) else None
            counter = np.uint64((number << 32) + step * DRAWS_PER_STEP)
            draws = draw(key, counter + np.arange(DRAWS_PER_STEP, dtype=np.uint64))
            if len(visited) == 1:
                thresholds = np.full(len(of_nodes), FULL - 1, np.uint32)
            else:
                known = slice(*offsets[visited[-2] * n_types + kind :][:2].tolist())
                near = np.isin(of_nodes, targets[known])
                thresholds = np.where(near, accept[NEAR], accept[FAR])
                thresholds[of_nodes == visited[-2]] = accept[RETURN]
            visited.append(int(of_nodes[_choose(draws, shares, thresholds)]))
        sizes[number - first] = len(visited)
        ids[n : n + len(visited)] = visited
        n += len(visited)
    return n


def _choose(draws: NDArray[np.uint64], shares: NDArray[np.uint32] | None, accept: NDArray[np.uint32]) -> int:
    """Return one of the arcs of a row: the first that is proposed and accepted, or one by the last draw."""
    n = len(accept)
    trials = draws[: min(n, TRIALS)]
    if shares is None:
        proposed = ((trials >> HALF) * np.uint64(n)) >> HALF
    else:
        proposed = np.searchsorted(shares, trials >> HALF, side="right") - 1
    accepted = np.flatnonzero((trials & LOWER_HALF) <= accept[proposed])
    if len(accepted):
        return int(proposed[accepted[0]])
    weights = [1] * n if shares is None else np.diff(shares.astype(np.int64), append=FULL).tolist()
    # Halved, so that the sum fits in 64 bits.
    masses = [
        weight * (threshold + 1) >> 1 for weight, threshold in zip(weights, accept.tolist(), strict=True)
    ]
    chosen = int(draws[-1]) * sum(masses) >> 64
    return int(np.searchsorted(np.cumsum(masses), chosen, side="right"))
