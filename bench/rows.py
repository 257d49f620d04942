"""What is measured: the contenders, the rows of the comparison, and the goals set for them.

A later model is a worker in ``contenders.py`` and a row here; the rest follows from the tables below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ALL", "BASE", "GOALS", "QUALITY", "ROWS", "SETTINGS", "Contender", "Goal", "Row"]

ALL = 0  # as a number of threads: as many as the machine has, or --threads
BASE = "gensim"  # whom the ratios are to, unless a row says otherwise

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


@dataclass(frozen=True)
class Contender:
    """A program with certain options.

    Attributes
    ----------
    name : str
        What the tables call it.
    worker : str
        The function of ``contenders.py`` that runs it.
    options : dict
        Settings of its own, on top of those of the row.
    environment : dict
        Environment variables of its process.
    slow : bool
        Whether the long rows run it for `--slow-seeds` seeds only.
    """

    name: str
    worker: str
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    slow: bool = False


@dataclass(frozen=True)
class Row:
    """One measurement: contenders that do the same work in turn.

    Attributes
    ----------
    name, title : str
        What `--only` and the tables call it.
    kind : {"speed", "reading", "phrases", "whole"}
        "speed": training alone, on the first `--speed-words` words, `--repeats` times. "reading": text to
        ids on the whole text. "phrases": from a text to its phrases, and to itself with these joined.
        "whole": from text to saved vectors and their quality, once for every seed.
    entries : tuple of (Contender, numbers of threads)
        Who takes part, in this order in every round.
    settings : dict
        What differs from `SETTINGS`.
    base : str
        Whom the ratios are to.
    rare : bool
        Whether MEN's pairs with a rare word and with an unseen one are tests of their own.
    """

    name: str
    title: str
    kind: str
    entries: tuple[tuple[Contender, tuple[int, ...]], ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    base: str = BASE
    rare: bool = False


@dataclass(frozen=True)
class Goal:
    """A figure that was promised.

    Attributes
    ----------
    text : str
        What it is.
    row, contender : str
        Where to find it.
    threads : int
        With how many threads.
    figure : str
        A function of ``table.py``'s `FIGURES`.
    at_least : float
        The promise, in the unit of the figure.
    """

    text: str
    row: str
    contender: str
    threads: int
    figure: str
    at_least: float


FASTVEC = Contender("fastvec", "fastvec")
FASTVEC_AVX2 = Contender("fastvec (AVX2)", "fastvec", environment={"FASTVEC_BACKEND": "avx2"})
FASTVEC_NONE = Contender("fastvec (unshared negatives)", "fastvec", options={"negative_sharing": "none"})
GENSIM = Contender("gensim", "gensim")
# fastText 0.9.3 draws starting values for the first threads/10 of its matrix only and leaves the rest as the
# memory was, which ends in "Encountered NaN" if that was used before. Fresh pages are zeros, which do.
FASTTEXT = Contender("fastText", "fasttext", environment={"MALLOC_MMAP_THRESHOLD_": "1048576"}, slow=True)

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
    Goal("text to ids, one thread, M words/s", "reading", "fastvec (plain text)", 1, "million words/s", 10),
    Goal("phrases, counting and applying, against gensim", "phrases", "fastvec", 1, "speed ratio", 8),
    Goal("text file to saved vectors, against gensim", "whole", "fastvec", ALL, "time ratio", 12),
    Goal("MB left of: matrices + ids + 200 MB", "whole", "fastvec", ALL, "memory left", 0),
    Goal("worst difference in quality to gensim, points", "whole", "fastvec", ALL, "quality difference", -1),
    Goal("CBOW, to word2vec's gradient, points", "cbow-whole", "fastvec", ALL, "quality difference", -1),
    Goal("subwords, to fastText, points", "subwords-whole", "fastvec", ALL, "quality difference", -1),
)
