"""Objectives whose inputs move one after the other, each by the outputs as those before it have moved them.

For each, the derivative of J by the scores of every context (first axis) and every row of outputs,
from the arguments of ``step``.
"""

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


ERRORS = {
    "skip-gram": skipgram_errors,
    "hierarchical softmax": path_errors,
}
