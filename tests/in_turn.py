"""Objectives whose inputs move one after the other, each by the outputs as those before it have moved them.

For each, the derivative of J by the scores of every context (first axis) and every row of outputs,
from the arguments of ``step``.
"""

import numpy as np
from objectives import dot


def logistic_errors(scores, labels, counts):
    return (labels + counts) / (1 + np.exp(-scores)) - labels


def ranking_errors(scores, labels, counts):
    errors = counts / (1 + np.exp(scores[:, labels] - scores))
    return errors - labels * errors.sum(axis=1, keepdims=True)


# Of a target and its negatives with their counts, for every loss of objectives.py.
SCORE_ERRORS = {"negative_sampling": logistic_errors, "bpr": ranking_errors}


def skipgram_errors(input_vectors, output_vectors, contexts, center, negatives, loss):
    counts = np.bincount(negatives[negatives != center], minlength=len(output_vectors))
    scores = dot(input_vectors[contexts], output_vectors)
    return SCORE_ERRORS[loss](scores, np.arange(len(output_vectors)) == center, counts)


def path_errors(input_vectors, node_vectors, contexts, nodes, codes, cbow, mean, scale_gradient):
    errors = np.zeros((len(contexts), len(node_vectors)))
    errors[:, nodes] = 1 / (1 + np.exp(-dot(input_vectors[contexts], node_vectors[nodes]))) - (1 - codes)
    return errors


ERRORS = {
    "skip-gram": skipgram_errors,
    **{f"skip-gram, {loss}": skipgram_errors for loss in SCORE_ERRORS},
    "hierarchical softmax": path_errors,
}
