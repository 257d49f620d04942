"""What is measured: the contenders, the rows of the comparison, and the goals set for them.

A later model is a worker in ``contenders.py`` and a row here; the rest follows from the tables below.
"""

from __future__ import annotations

from typing import Any

from classify_rows import (
    LABELLED_ROWS,
    LOCATOR,
    LOCATOR_WITH_CASE,
    SOFTMAX,
    TAGGER,
    TAGGER_WITH_ALL,
    TWO_LAYERS,
)
from terms import ALL, BASE, FRESH_PAGES, LABELLED, SEEDED, Contender, Goal, Row

__all__ = [
    "ALL",
    "BASE",
    "GOALS",
    "LABELLED",
    "QUALITY",
    "ROWS",
    "SEEDED",
    "SETTINGS",
    "Contender",
    "Goal",
    "Row",
]

# The same for everyone, but for fastText's noise exponent, 0.5, and the end of its learning rate, 0: neither
# can be set.
SETTINGS: dict[str, Any] = {
    "estimator": "SkipGram",  # of fastvec
    "model": "skipgram",
    "loss": "negative_sampling",
    "min_n": 0,
    "max_n": 0,
    "buckets": 2_000_000,
    "vector_size": 100,
    "window": 5,
    "negatives": 5,
    "min_count": 5,
    "subsample": 1e-3,
    "noise_exponent": 0.75,
    "learning_rate": 0.025,
    "min_learning_rate": 0.0001,
    "epochs": 1,
}

# Test sets by their place in the data folder, and what the tables call them.
QUALITY = {
    "similarity/ws353.txt": "WS353",
    "similarity/men.txt": "MEN",
    "similarity/simlex999.txt": "SimLex",
    "analogy/google.txt": "analogies",
}

FASTVEC = Contender("fastvec", "fastvec")
FASTVEC_AVX2 = Contender("fastvec (AVX2)", "fastvec", environment={"FASTVEC_BACKEND": "avx2"})
FASTVEC_NONE = Contender("fastvec (unshared negatives)", "fastvec", options={"negative_sharing": "none"})
GENSIM = Contender("gensim", "gensim")
FASTTEXT = Contender("fastText", "fasttext", environment=FRESH_PAGES, slow=True)

CBOW = {"estimator": "CBOW", "model": "cbow"}
TREE = {"loss": "hierarchical_softmax"}
# fastText's own defaults, where they differ.
SUBWORDS = {
    "estimator": "FastText",
    "min_n": 3,
    "max_n": 6,
    "subsample": 1e-4,
    "noise_exponent": 0.5,
    "learning_rate": 0.05,
}
UNSCALED = "fastvec (word2vec's gradient)"
COUNTS = {"model": "counts", "window": 10}
GLOVE = {
    "model": "glove",
    "window": 10,
    "x_max": 100,
    "alpha": 0.75,
    "learning_rate": 0.05,
}
GLOVE_C = "GloVe C"
ONE_ORDER = "fastvec (one order of all entries)"
SVD = {"model": "svd", "window": 10, "shift": 1, "context_smoothing": 0.75, "eigenvalue_weighting": 0.5}
# Trains on the same counts; the reference stands in where GloVe C is not there.
ON_COUNTS = (
    (Contender("fastvec", "fastvec_glove"), (1, ALL)),
    (Contender(GLOVE_C, "glove_c_training"), (1,)),
    (Contender("NumPy reference", "reference_glove"), (1,)),
)

ROWS = (
    Row(
        "speed-100",
        "Training speed, 100 dimensions",
        "speed",
        (
            (FASTVEC, (1, ALL)),
            (FASTVEC_AVX2, (1,)),
            (FASTVEC_NONE, (1, ALL)),
            (GENSIM, (1, ALL)),
            (FASTTEXT, (1, ALL)),
        ),
    ),
    Row(
        "speed-300",
        "Training speed, 300 dimensions",
        "speed",
        ((FASTVEC, (1,)), (GENSIM, (1,))),
        {"vector_size": 300},
    ),
    Row(
        "cbow-100",
        "Training speed of CBOW, 100 dimensions",
        "speed",
        ((FASTVEC, (1, ALL)), (GENSIM, (1, ALL))),
        CBOW,
    ),
    Row(
        "tree-100",
        "Training speed of skip-gram with hierarchical softmax, 100 dimensions",
        "speed",
        ((FASTVEC, (1, ALL)), (GENSIM, (1, ALL))),
        TREE,
    ),
    Row(
        "subwords-100",
        "Training speed of skip-gram over words and their n-grams, 100 dimensions",
        "speed",
        ((FASTVEC, (1, ALL)), (FASTTEXT, (1, ALL))),
        SUBWORDS,
        base="fastText",
    ),
    Row(
        "reading",
        "Text to ids",
        "reading",
        (
            (Contender("fastvec (plain text)", "fastvec_reading"), (1,)),
            (Contender("fastvec (.gz)", "fastvec_reading", {"compressed": True}), (1,)),
        ),
    ),
    Row(
        "phrases",
        "Phrases",
        "phrases",
        ((Contender("fastvec", "fastvec_phrases"), (1,)), (Contender("gensim", "gensim_phrases"), (1,))),
        {"scoring": "npmi", "threshold": 0.5},  # which mean the same to both
    ),
    Row(
        "counting",
        "Counting pairs of words",
        "counting",
        (
            (Contender("fastvec", "fastvec_counting"), (1, ALL)),
            (Contender("fastvec (256 MB)", "fastvec_counting", {"memory_limit": 2**28}), (1, ALL)),
            (Contender(GLOVE_C, "glove_c_counting"), (1,)),
        ),
        COUNTS,
        base=GLOVE_C,
    ),
    Row("glove-100", "Training speed of GloVe, 100 dimensions", "entries", ON_COUNTS, GLOVE, base=GLOVE_C),
    Row(
        "glove-300",
        "Training speed of GloVe, 300 dimensions",
        "entries",
        ON_COUNTS,
        {**GLOVE, "vector_size": 300},
        base=GLOVE_C,
    ),
    Row("svd-100", "PPMI and its SVD", "svd", ((Contender("fastvec", "fastvec_svd"), (ALL,)),), SVD),
    Row(
        "whole",
        "From a text file to saved vectors, and their quality",
        "whole",
        ((FASTVEC, (ALL,)), (FASTVEC_NONE, (ALL,)), (GENSIM, (ALL,)), (FASTTEXT, (ALL,))),
        {"epochs": 5},
    ),
    Row(
        "cbow-whole",
        "CBOW from a text file to saved vectors, and their quality",
        "whole",
        (
            (FASTVEC, (ALL,)),
            (Contender(UNSCALED, "fastvec", {"scale_gradient": False}), (ALL,)),
            (Contender("gensim", "gensim", {"learning_rate": 0.075}), (ALL,)),
        ),
        {**CBOW, "epochs": 5, "learning_rate": None},
        base=UNSCALED,
    ),
    Row(
        "subwords-whole",
        "Words and their n-grams, from a text file to saved vectors, and their quality",
        "whole",
        ((FASTVEC, (ALL,)), (FASTTEXT, (ALL,))),
        {**SUBWORDS, "epochs": 5, "min_count": 100},
        base="fastText",
        rare=True,
    ),
    Row(
        "glove-whole",
        "GloVe from a text file to saved vectors, and their quality",
        "whole",
        (
            (Contender("fastvec", "fastvec_whole_glove"), (ALL,)),
            (Contender(ONE_ORDER, "fastvec_whole_glove", {"one_order": True}, slow=True), (ALL,)),
            (Contender(GLOVE_C, "glove_c_whole", slow=True), (ALL,)),
        ),
        {**GLOVE, "epochs": 25},
        base=GLOVE_C,
    ),
    *LABELLED_ROWS,
)

GOALS = (
    Goal("words/s, one thread, against gensim", "speed-100", "fastvec", 1, "speed ratio", 15),
    Goal("the same, AVX2", "speed-100", "fastvec (AVX2)", 1, "speed ratio", 9),
    Goal("the same, unshared negatives", "speed-100", "fastvec (unshared negatives)", 1, "speed ratio", 8),
    Goal("the same, 300 dimensions", "speed-300", "fastvec", 1, "speed ratio", 12),
    Goal("all threads against one (of two)", "speed-100", "fastvec", ALL, "scaling", 1.8),
    Goal("CBOW, words/s, one thread, against gensim", "cbow-100", "fastvec", 1, "speed ratio", 7),
    Goal("CBOW, all threads against one (of two)", "cbow-100", "fastvec", ALL, "scaling", 1.8),
    Goal("hierarchical softmax, one thread, against gensim", "tree-100", "fastvec", 1, "speed ratio", 8),
    Goal("hierarchical softmax, all threads against one", "tree-100", "fastvec", ALL, "scaling", 1.8),
    Goal("subwords, one thread, against fastText", "subwords-100", "fastvec", 1, "speed ratio", 12),
    Goal("subwords, all threads against one (of two)", "subwords-100", "fastvec", ALL, "scaling", 1.7),
    Goal("text to ids, one thread, M words/s", "reading", "fastvec (plain text)", 1, "million/s", 10),
    Goal("phrases, counting and applying, against gensim", "phrases", "fastvec", 1, "speed ratio", 8),
    Goal("text file to saved vectors, against gensim", "whole", "fastvec", ALL, "time ratio", 12),
    Goal("MB left of: matrices + ids + 200 MB", "whole", "fastvec", ALL, "memory left", 0),
    Goal("worst difference in quality to gensim, points", "whole", "fastvec", ALL, "quality difference", -1),
    Goal("CBOW, to word2vec's gradient, points", "cbow-whole", "fastvec", ALL, "quality difference", -1),
    Goal("subwords, to fastText, points", "subwords-whole", "fastvec", ALL, "quality difference", -1),
    Goal("counting, one thread, M words/s", "counting", "fastvec", 1, "million/s", 3),
    Goal("counting, all threads against one (of two)", "counting", "fastvec", ALL, "scaling", 1.8),
    Goal("counting in 256 MB: speed to that without", "counting", "fastvec (256 MB)", 1, "speed share", 0.5),
    Goal("the same: equal counts (1 is yes)", "counting", "fastvec (256 MB)", 1, "same counts", 1),
    Goal("GloVe, entries/s, one thread, against GloVe C", "glove-100", "fastvec", 1, "speed ratio", 12),
    Goal("the same, 300 dimensions", "glove-300", "fastvec", 1, "speed ratio", 10),
    Goal("GloVe, all threads against one (of two)", "glove-100", "fastvec", ALL, "scaling", 1.8),
    Goal("GloVe, % of cost below that of one order", "glove-whole", "fastvec", ALL, "cost below", -1),
    Goal(
        "GloVe, to GloVe C, points",
        "glove-whole",
        "fastvec",
        ALL,
        "quality difference",
        -1,
    ),
    Goal("PPMI and SVD: seconds left of 60", "svd-100", "fastvec", ALL, "seconds left", 0),
    Goal("PPMI and SVD: MB left of 4,000", "svd-100", "fastvec", ALL, "megabytes left", 0),
    Goal("tags: accuracy, vectors trained along", "tagging", TAGGER, ALL, "score", 94.5),
    Goal("the same: MLPClassifier's time against it", "tagging", TAGGER, ALL, "fit time ratio", 1),
    Goal("tags: accuracy, and case and suffix", "tagging", TAGGER_WITH_ALL, ALL, "score", 96.5),
    Goal("the same: seconds left of 60", "tagging", TAGGER_WITH_ALL, ALL, "seconds left", 0),
    Goal("locations: F1, words alone", "locations", LOCATOR, ALL, "score", 70),
    Goal("the same, with case", "locations", LOCATOR_WITH_CASE, ALL, "score", 77),
    Goal("locations: points above random vectors", "locations", LOCATOR, ALL, "points above", 10),
    Goal("the same, with case", "locations", LOCATOR_WITH_CASE, ALL, "points above", 10),
    Goal("polarity: accuracy of the best", "polarity", "fastvec", 1, "score", 76),
    Goal("the same, to fastText's best, points", "polarity", "fastvec", 1, "quality difference", -0.5),
    Goal("polarity: words/s of training, against fastText", "polarity-speed", "fastvec", 1, "speed ratio", 3),
    Goal("the same, from text to model", "polarity-speed", "fastvec", 1, "fit time ratio", 3),
    Goal("softmax to LogisticRegression, points", "polarity-vectors", SOFTMAX, ALL, "points above", -0.5),
    Goal("two layers to MLPClassifier, points", "polarity-vectors", TWO_LAYERS, ALL, "points above", -0.5),
)
