"""The most probable leaves of the hierarchical softmax, found without visiting all of its tree.

At an inner node with the vector n, a hidden vector h takes branch 0 with the probability σ(h · n), and branch
1 with σ(−h · n). The score of a node or leaf is the sum of the logarithms of these on its path,

    s = Σ log(σ(±h · n) + ε)        with ε = 0, or as fastText 10⁻⁵,

for a leaf the logarithm of its probability. None of the terms is above log(1 + ε), so that

    s + m ε,    m the number of nodes on the longest path,

is a bound of the scores of all leaves below a node. The search is best first (Hart, Nilsson and Raphael
1968): of all that has been met, it takes what has the highest bound, for a leaf its score. From a node it
meets the two branches. A leaf that is taken is the most probable of those not taken yet, since none of the
others can have a higher score. The search ends after k leaves, or when all bounds are too low. But for ε, it
visits the nodes that are as probable as the last leaf or more so, and no others; depth first, as in fastText,
it would be more.

Of equal bounds, nodes are taken before leaves, and leaves by rising number, so that leaves of equal scores
come by rising number. A product that is not a number, as of vectors with numbers that are not finite, has
branches with the score NaN and a bound of −∞.

Reference: Joulin, Grave, Bojanowski and Mikolov 2017, "Bag of tricks for efficient text classification",
arXiv:1607.01759, section 2.1.
"""

from __future__ import annotations

import heapq
import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["search"]

Matrix = NDArray[np.float32]


def search(
    hidden: Matrix,
    node_vectors: Matrix,
    branches: NDArray[np.int32],
    k: int,
    lowest: float,
    added: float,
    longest: int,
) -> tuple[NDArray[np.int32], Matrix]:
    """Return the leaves with the highest scores for every hidden vector.

    Parameters
    ----------
    hidden : IN, float32 (n, stride)
        Rows padded with zeros to a multiple of 16.
    node_vectors : IN, float32 (n_nodes, stride)
        Inner nodes, padded alike; the last one is the root.
    branches : IN, int32 (n_nodes, 2)
        What is below every inner node, each of it once: a leaf from 0 to n_nodes, or n_nodes + 1 plus the
        number of another inner node.
    k : IN, int
        How many leaves to find, from 1 to n_nodes + 1.
    lowest : IN, float
        The lowest score that is looked for.
    added : IN, float
        ε.
    longest : IN, int
        m.

    Returns
    -------
    leaves : int32 (n, k)
        The leaves, that with the highest score first; 0 where fewer are found.
    scores : float32 (n, k)
        Their scores; NaN where fewer are found.
    """
    n_nodes = len(node_vectors)
    n_leaves = n_nodes + 1
    leaves = np.zeros((len(hidden), k), np.int32)
    scores = np.full((len(hidden), k), np.nan, np.float32)

    def met(number: int, score: np.float32) -> tuple[float, bool, int, np.float32]:
        """Return something that is met, as an item of the heap: the least is taken first."""
        bound = float(score) + added * longest * (number >= n_leaves)
        return -(-math.inf if math.isnan(bound) else bound), number < n_leaves, number, score

    for row, h in enumerate(hidden):
        heap, found = [met(n_leaves + n_nodes - 1, np.float32(0))], 0
        while heap and found < k and -heap[0][0] >= lowest:
            _, is_leaf, number, score = heapq.heappop(heap)
            if is_leaf:
                leaves[row, found], scores[row, found] = number, score
                found += 1
                continue
            node = number - n_leaves
            with np.errstate(invalid="ignore", over="ignore"):
                z = float(h @ node_vectors[node])
            for branch, turn in zip(branches[node].tolist(), (z, -z), strict=True):
                heapq.heappush(heap, met(branch, score + np.float32(log_sigmoid(turn, added))))
    return leaves, scores


def log_sigmoid(z: float, added: float) -> float:
    """Return log(σ(z) + ε)."""
    log = min(z, 0) - math.log1p(math.exp(-abs(z)))
    return math.log(math.exp(log) + added) if added else log
