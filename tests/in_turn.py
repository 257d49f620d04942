"""Objectives whose inputs move one after the other, each by the outputs as those before it have moved them.

For each, the derivative of J by the scores of every context or example (first axis) and every row of outputs,
from the arguments of ``step``.
"""

from itertools import pairwise

import numpy as np
from objectives import dot


def skipgram_errors(input_vectors, output_vectors, contexts, center, negatives):
    labels = np.arange(len(output_vectors)) == center
    counts = labels + np.bincount(negatives[negatives != center], minlength=len(output_vectors))
    return counts / (1 + np.exp(-dot(input_vectors[contexts], output_vectors))) - labels


def path_errors(input_vectors, node_vectors, contexts, nodes, codes, cbow, scale_gradient):
    errors = np.zeros((len(contexts), len(node_vectors)))
    errors[:, nodes] = 1 / (1 + np.exp(-dot(input_vectors[contexts], node_vectors[nodes]))) - (1 - codes)
    return errors


def shares(ids, offsets, matrix):
    """Return the share of every row of a matrix in the ids of every example."""
    of_rows = np.zeros((len(offsets) - 1, matrix.shape[-2]))
    for b, (begin, end) in enumerate(pairwise(offsets)):
        np.add.at(of_rows[b], ids[begin:end], 1 / (end - begin))
    return of_rows


def softmax_errors(
    input_vectors, output_vectors, inputs, input_offsets, targets, target_offsets, scale_gradient
):
    n_targets = np.diff(target_offsets)[:, np.newaxis]
    z = np.exp(dot(shares(inputs, input_offsets, input_vectors) @ input_vectors, output_vectors))
    return n_targets * (z / z.sum(axis=1, keepdims=True) - shares(targets, target_offsets, output_vectors))


ERRORS = {
    "skip-gram": skipgram_errors,
    "hierarchical softmax": path_errors,
    "softmax": softmax_errors,
}
