"""What tables of draws say, for the tests that hold them to probabilities."""

import numpy as np


def implied_probabilities(table):
    """The probabilities that an alias table gives, times n_words · 2³², as whole numbers."""
    thresholds, alias = table.astype(np.int64).T
    own = np.where(alias == np.arange(len(table)), 2**32, thresholds)
    np.add.at(own, alias, 2**32 - np.where(alias == np.arange(len(table)), 2**32, thresholds))
    return own
