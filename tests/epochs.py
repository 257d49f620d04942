"""An epoch of a kernel on the toy corpus, with many settings, by one thread or by a team."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from inside import HuffmanTree, Team, alias_table, keep_thresholds

from fastvec import kernels
from fastvec.reference import losses

KEY = 0xF123456789ABCDEF
# ends inside the long sentence, at sentence ends, between them
CHUNKS = (0, 1, 3, 55, 56, 90, 91, 130, 200)
N_BUCKETS = 11
TREES, OF_NGRAMS = ("hierarchical_softmax", "ngram_tree"), ("subword", "ngram_tree")

NEGATIVE_SAMPLING, *OTHERS = [{"loss": loss} for loss in losses.LOSSES]
# For every kernel arguments of its ``train``; position_weights says whether there is a matrix of that name.
SETTINGS = {
    "skipgram": [
        *[
            {"window": window, "negatives": negatives, "shared": shared} | NEGATIVE_SAMPLING
            for shared, (window, negatives) in product(
                (True, False), ((1, 1), (5, 5), (1, 8), (5, 20), (20, 5))
            )
        ],
        *[
            {"window": window, "negatives": negatives, "shared": shared} | loss
            for loss, shared, (window, negatives) in product(
                OTHERS, (True, False), ((1, 1), (20, 5), (5, 20))
            )
        ],
    ],
    "cbow": [
        *[
            {"window": window, "negatives": negatives, "position_weights": weights, "scale_gradient": scale}
            for weights, scale, (window, negatives) in product(
                (False, True), (True, False), ((1, 1), (5, 5), (5, 8), (20, 5))
            )
        ],
        {"window": 5, "negatives": 20, "position_weights": False, "scale_gradient": True},
        *[
            {"window": 5, "negatives": 5, "position_weights": weights, "mean": False, "scale_gradient": scale}
            for weights, scale in product((False, True), (True, False))
        ],
    ],
    "hierarchical_softmax": [
        {"window": window, "cbow": cbow, "scale_gradient": scale}
        for cbow, scale, window in product((False, True), (True, False), (1, 5, 20))
    ]
    + [{"window": 5, "cbow": True, "mean": False, "scale_gradient": scale} for scale in (True, False)],
    "softmax": [
        {"window": window, "cbow": cbow, "scale_gradient": scale}
        for cbow, scale, window in product((False, True), (True, False), (1, 5, 20))
    ]
    + [{"window": 5, "cbow": True, "mean": False, "scale_gradient": scale} for scale in (True, False)],
    "subword": [
        *[
            {"window": window, "negatives": negatives, "cbow": cbow, "scale_gradient": scale}
            for cbow, scale, (window, negatives) in product(
                (False, True), (True, False), ((1, 1), (5, 5), (5, 8), (20, 5))
            )
        ],
        {"window": 5, "negatives": 20, "cbow": False, "scale_gradient": True},
        *[
            {"window": 5, "negatives": 5, "cbow": True, "mean": False, "scale_gradient": scale}
            for scale in (True, False)
        ],
    ],
    "ngram_tree": [
        *[
            {"window": window, "cbow": cbow, "scale_gradient": scale}
            for cbow, (scale, window) in product((False, True), ((True, 5), (False, 20)))
        ],
        *[{"window": 5, "cbow": True, "mean": False, "scale_gradient": scale} for scale in (True, False)],
    ],
}
for settings in [one for every in SETTINGS.values() for one in every if "scale_gradient" in one]:
    settings.setdefault("mean", True)

# Small enough that rounding does not grow from update to update: those of a softmax add up most gradients.
LEARNING_RATES = {
    "skipgram": 0.05,
    "cbow": 0.1,
    "hierarchical_softmax": 0.05,
    "softmax": 0.01,
    "subword": 0.02,
    "ngram_tree": 0.02,
}


def in_a_sum(kernel):
    """Return how many rows a window of ten words has, about."""
    return 30 if kernel in OF_NGRAMS else 6


def usual_learning_rate(kernel, settings):
    """Return a learning rate.

    In other losses than the first, the target may move by every negative, and so does a sum by every row.
    """
    other = {"loss": settings.get("loss")} in OTHERS
    moves_farther = not settings.get("mean", True) and settings["scale_gradient"]
    smaller = in_a_sum(kernel) ** 0.5 if moves_farther else 1
    return LEARNING_RATES[kernel] / (settings["negatives"] if other else smaller)


class Run(NamedTuple):
    """What an epoch makes: the matrices and the sums of what ``train`` returns."""

    matrices: dict
    loss: float
    sampled_pairs: int
    pairs: int


def name_of(value):
    return value if isinstance(value, str) else ", ".join(f"{name} {each}" for name, each in value.items())


# Those with which threads can take a chunk together.
SETTINGS_OF_TEAMS = [
    (kernel, settings)
    for kernel, every in SETTINGS.items()
    for settings in every
    if kernel != "softmax" and not settings.get("position_weights")
]

# Those with which threads that take chunks in turns have copies of rows.
SETTINGS_OF_COPIES = [
    (kernel, settings)
    for kernel, every in SETTINGS.items()
    for settings in every
    if kernel not in ("softmax", "subword")
]


def huffman_paths(weights):
    """Return offsets, nodes and codes of the paths from the root of a Huffman tree down to every word."""
    n_words, falling = len(weights), np.argsort(-weights)
    tree = HuffmanTree.of_counts(weights[falling])
    moved = np.append(np.argsort(falling), np.arange(n_words, 2 * n_words - 1))
    return HuffmanTree(tree.parents[moved], tree.codes[moved]).paths()


def subword_rows(n_words):
    """Return offsets and rows of every word and its 0 to 9 n-grams, some of which share a row."""
    random = np.random.default_rng(9)
    rows = [np.append(word, n_words + random.integers(0, N_BUCKETS, word % 10)) for word in range(n_words)]
    offsets, rows = np.cumsum([0, *map(len, rows)], dtype=np.int64), np.concatenate(rows).astype(np.int32)
    repeats = kernels.get("ngrams", "reference").put_repeats_behind(offsets, rows)
    return np.insert(repeats, np.arange(n_words + 1), offsets), rows


def tables(kernel, corpus):
    """Return the arguments of a kernel's ``train`` that belong to the vocabulary, by name."""
    made = {"keep": keep_thresholds(corpus.keep_probabilities)}
    if kernel in TREES:
        paths = huffman_paths(corpus.noise_probabilities)
        made |= zip(("path_offsets", "path_nodes", "path_codes"), paths, strict=True)
    elif kernel != "softmax":
        made["noise"] = alias_table(corpus.noise_probabilities)
    if kernel in OF_NGRAMS:
        made |= zip(("subword_offsets", "subwords"), subword_rows(corpus.n_words), strict=True)
    return made


def start_matrices(kernel, settings, corpus, vector_size, padded):
    """Return the matrices as they are before the training, by name."""
    n_words = corpus.n_words
    rows = {"input_vectors": n_words + N_BUCKETS * (kernel in OF_NGRAMS)}
    if kernel in TREES:
        rows["node_vectors"] = n_words - 1
    else:
        rows["output_vectors"] = n_words
    random = np.random.default_rng(5)
    scale = 1.5 / vector_size**0.25
    made = {name: padded(scale * random.standard_normal((n, vector_size))) for name, n in rows.items()}
    if not settings.get("mean", True):
        made["input_vectors"] /= in_a_sum(kernel)
    if settings.get("position_weights"):
        made["position_weights"] = padded(random.uniform(0.5, 1.5, (2 * settings["window"], vector_size)))
    return made


def bits(run):
    return {name: matrix.tobytes() for name, matrix in run.matrices.items()}


def train_epoch(
    backend,
    kernel,
    settings,
    corpus,
    padded,
    *,
    chunks=CHUNKS,
    vector_size=20,
    learning_rate=None,
    key=KEY,
    loss_every=4,
    steps=None,
    threads=1,
    copies_of=None,
):
    """Train an epoch chunk by chunk; with `steps` by a team whose batches have so many.

    With `copies_of`, which makes them of the matrices and the tables, threads take chunks in turns, one after
    the other.
    """
    matrices = start_matrices(kernel, settings, corpus, vector_size, padded)
    arguments = tables(kernel, corpus) | settings | {"ids": corpus.ids, "key": key, "loss_every": loss_every}
    arguments["sentence_offsets"] = corpus.sentence_offsets
    if learning_rate is None:
        learning_rate = usual_learning_rate(kernel, settings)
    arguments["learning_rate"] = learning_rate
    if "position_weights" in settings:
        arguments["position_weights"] = None
    parts = list(pairwise([*chunks, len(corpus.ids)]))
    train = kernels.get(kernel, backend).train
    if copies_of is not None:
        copies = copies_of(matrices, arguments)
        with copies.at_work():
            sums = [
                train(
                    **arguments | matrices | copies.arguments(i % len(copies.members)), start=start, stop=stop
                )
                for i, (start, stop) in enumerate(parts)
            ]
    elif steps is None:
        sums = [train(**arguments | matrices, start=start, stop=stop) for start, stop in parts]
    else:
        team = Team(matrices, threads, steps, whole_rows=backend == "reference")
        sums = by_team(
            team,
            lambda **of_thread: [
                train(**arguments | of_thread, start=start, stop=stop) for start, stop in parts
            ],
        )
    return Run(matrices, *map(sum, zip(*sums, strict=True)))


def by_team(team, work):
    """Let the threads of a team work, each with its arguments; return what the first of them does."""

    def work_or_abandon(thread):
        try:
            return work(**team.arguments(thread))
        except BaseException:
            team.abandon()
            raise

    n_threads = len(team.members)
    with ThreadPoolExecutor(n_threads) as pool, team.at_work():
        results = list(pool.map(work_or_abandon, range(n_threads)))
    return results[0]
