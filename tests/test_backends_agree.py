"""Every backend trains alike: same signatures, same words sampled, same matrices.

An epoch on the toy corpus is trained by the reference and by the backend under test, chunk by chunk. Both
draw from the same generator: the pairs must be the same to the last one, the matrices equal up to rounding
and the error of the sigmoid's table. Had a kernel drawn one other negative, its row would be off by 1e-2.
"""

import inspect
from itertools import pairwise, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from inside import HuffmanTree, alias_table, keep_thresholds

from fastvec import kernels
from fastvec.reference import losses

KEY = 0xF123456789ABCDEF
# ends inside the long sentence, at sentence ends, between them
CHUNKS = (0, 1, 3, 100, 101, 180, 181, 260, 400)
N_BUCKETS = 11

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
    ],
    "hierarchical_softmax": [
        {"window": window, "cbow": cbow, "scale_gradient": scale}
        for cbow, scale, window in product((False, True), (True, False), (1, 5, 20))
    ],
    "softmax": [
        {"window": window, "cbow": cbow, "scale_gradient": scale}
        for cbow, scale, window in product((False, True), (True, False), (1, 5, 20))
    ],
    "subword": [
        *[
            {"window": window, "negatives": negatives, "cbow": cbow, "scale_gradient": scale}
            for cbow, scale, (window, negatives) in product(
                (False, True), (True, False), ((1, 1), (5, 5), (5, 8), (20, 5))
            )
        ],
        {"window": 5, "negatives": 20, "cbow": False, "scale_gradient": True},
    ],
}

# Small enough that rounding does not grow from update to update: those of a softmax add up most gradients.
LEARNING_RATES = {
    "skipgram": 0.05,
    "cbow": 0.1,
    "hierarchical_softmax": 0.05,
    "softmax": 0.01,
    "subword": 0.02,
}


def usual_learning_rate(kernel, settings):
    """Return a learning rate; in other losses than the first, the target may move by every negative."""
    other = {"loss": settings.get("loss")} in OTHERS
    return LEARNING_RATES[kernel] / (settings["negatives"] if other else 1)


class Run(NamedTuple):
    """What an epoch makes: the matrices and the sums of what ``train`` returns."""

    matrices: dict
    loss: float
    sampled_pairs: int
    pairs: int


def name_of(value):
    return value if isinstance(value, str) else ", ".join(f"{name} {each}" for name, each in value.items())


def for_every_setting(choose=slice(None)):
    rows = [(kernel, settings) for kernel, every in SETTINGS.items() for settings in every[choose]]
    return pytest.mark.parametrize(("kernel", "settings"), rows, ids=name_of)


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
    if kernel == "hierarchical_softmax":
        paths = huffman_paths(corpus.noise_probabilities)
        made |= zip(("path_offsets", "path_nodes", "path_codes"), paths, strict=True)
    elif kernel != "softmax":
        made["noise"] = alias_table(corpus.noise_probabilities)
    if kernel == "subword":
        made |= zip(("subword_offsets", "subwords"), subword_rows(corpus.n_words), strict=True)
    return made


def start_matrices(kernel, settings, corpus, vector_size, padded):
    """Return the matrices as they are before the training, by name."""
    n_words = corpus.n_words
    rows = {"input_vectors": n_words + N_BUCKETS * (kernel == "subword")}
    if kernel == "hierarchical_softmax":
        rows["node_vectors"] = n_words - 1
    else:
        rows["output_vectors"] = n_words
    random = np.random.default_rng(5)
    scale = 1.5 / vector_size**0.25
    made = {name: padded(scale * random.standard_normal((n, vector_size))) for name, n in rows.items()}
    if settings.get("position_weights"):
        made["position_weights"] = padded(random.uniform(0.5, 1.5, (2 * settings["window"], vector_size)))
    return made


@pytest.fixture(scope="session")
def epoch(toy_corpus, padded):
    """Function that trains an epoch on the toy corpus, chunk by chunk."""

    def run(
        backend,
        kernel,
        settings,
        *,
        chunks=CHUNKS,
        vector_size=20,
        learning_rate=None,
        key=KEY,
        loss_every=4,
    ):
        matrices = start_matrices(kernel, settings, toy_corpus, vector_size, padded)
        arguments = tables(kernel, toy_corpus) | settings
        if "position_weights" in settings:
            arguments["position_weights"] = None
        if learning_rate is None:
            learning_rate = usual_learning_rate(kernel, settings)
        sums = [
            kernels.get(kernel, backend).train(
                **arguments | matrices,
                ids=toy_corpus.ids,
                sentence_offsets=toy_corpus.sentence_offsets,
                start=start,
                stop=stop,
                learning_rate=learning_rate,
                key=key,
                loss_every=loss_every,
            )
            for start, stop in pairwise([*chunks, len(toy_corpus.ids)])
        ]
        return Run(matrices, *map(sum, zip(*sums, strict=True)))

    return run


@pytest.fixture(scope="session")
def expected_epoch(epoch):
    """What the reference makes of an epoch, once for all backends."""
    runs = {}

    def run(kernel, settings, **options):
        name = kernel, *settings.items(), *options.items()
        if name not in runs:
            runs[name] = epoch("reference", kernel, settings, **options)
        return runs[name]

    return run


def check_same(ours, theirs):
    assert ours[2:] == theirs[2:]
    for name, matrix in theirs.matrices.items():
        np.testing.assert_allclose(ours.matrices[name], matrix, rtol=0, atol=1e-4, err_msg=name)
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-5)


def bits(run):
    return {name: matrix.tobytes() for name, matrix in run.matrices.items()}


@for_every_setting()
def test_one_epoch(compiled, epoch, expected_epoch, toy_corpus, padded, kernel, settings):
    run = epoch(compiled, kernel, settings)
    check_same(run, expected_epoch(kernel, settings))
    assert 0 < run.sampled_pairs < run.pairs
    for name, start in start_matrices(kernel, settings, toy_corpus, 20, padded).items():
        assert np.abs(run.matrices[name] - start).max() > 0.1, name
        assert not run.matrices[name][:, 20:].any(), name


@pytest.mark.parametrize("vector_size", [1, 16, 33, 300, 4096])
@for_every_setting(slice(2, None, 4))
def test_vector_sizes(compiled, epoch, expected_epoch, kernel, settings, vector_size):
    smaller = 5 if vector_size > 100 else 1  # their scores are larger
    learning_rate = usual_learning_rate(kernel, settings) / smaller
    options = {"vector_size": vector_size, "chunks": (300, 360, 420), "learning_rate": learning_rate}
    ours = epoch(compiled, kernel, settings, **options)
    check_same(ours, expected_epoch(kernel, settings, **options))


@for_every_setting(slice(1, None, 3))
def test_the_comparison_notices_another_key(compiled, epoch, expected_epoch, kernel, settings):
    ours = epoch(compiled, kernel, settings, key=KEY + 1)
    theirs = expected_epoch(kernel, settings)
    assert ours.pairs != theirs.pairs
    for name, matrix in theirs.matrices.items():
        assert np.abs(ours.matrices[name] - matrix).max() > 1e-2, name


@for_every_setting(slice(1, None, 3))
def test_chunks_change_nothing_in_what_is_sampled(backend, epoch, toy_corpus, kernel, settings):
    n_tokens = len(toy_corpus.ids)
    whole = epoch(backend, kernel, settings, chunks=[0], learning_rate=0)
    # the ends of a batch change the order in which a matrix product sums up
    rounding = 1e-6 if kernel == "softmax" else 1e-12
    for size in (7,) if backend == "reference" else (1, 7, 64, n_tokens - 1):
        parts = epoch(backend, kernel, settings, chunks=range(0, n_tokens, size), learning_rate=0)
        assert parts[2:] == whole[2:]
        assert parts.loss == pytest.approx(whole.loss, rel=rounding)
        assert bits(parts) == bits(whole)


@for_every_setting(slice(1, None, 3))
def test_training_is_repeatable(compiled, epoch, kernel, settings):
    first, again = (epoch(compiled, kernel, settings) for _ in range(2))
    assert bits(first) == bits(again)
    assert first[1:] == again[1:]


@for_every_setting(slice(1, None, 3))
def test_loss_every_changes_only_the_loss(backend, epoch, kernel, settings):
    every, some = (epoch(backend, kernel, settings, loss_every=n) for n in (1, 16))
    assert every.sampled_pairs == every.pairs == some.pairs > some.sampled_pairs > 0
    assert bits(every) == bits(some)
    assert every.loss / every.pairs == pytest.approx(some.loss / some.sampled_pairs, rel=0.5)


# ---- Signatures -------------------------------------------------------------------------------------------

KERNELS = sorted(path.stem for path in Path(kernels.__file__).parent.glob("*.pyx") if path.stem != "cpu")


def signature(function):
    """Names of a function's arguments, with whether they may be left out."""
    parameters = inspect.signature(function).parameters.values()
    return [(parameter.name, parameter.default is not parameter.empty) for parameter in parameters]


def signatures(module, names=None):
    """Signatures of public functions and methods of a module, compiled or not, or of some of its names."""
    own = module.__name__.rpartition(".")[2]  # a compiled function's module is fastvec.kernels.<own>
    found = {}
    for name, value in vars(module).items():
        made_here = str(getattr(value, "__module__", "")).startswith(
            "fastvec."
        ) and value.__module__.endswith(f".{own}")
        if name.startswith("_") or not callable(value) or not made_here or (names and name not in names):
            continue
        if isinstance(value, type):
            methods = [
                key for key in vars(value) if not key.startswith("_") and callable(getattr(value, key))
            ]
            found |= {f"{name}.{key}": signature(getattr(value, key)) for key in methods}
        else:
            found[name] = signature(value)
    return found


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_and_its_reference_have_one_signature(compiled, kernel):
    found = signatures(kernels.get(kernel, compiled))
    assert found
    reference = kernels.get(kernel, "reference")
    public = {name.partition(".")[0] for name in found}
    assert found == signatures(reference, public)  # which may show its parts
    assert public <= set(reference.__all__)


@pytest.mark.parametrize("kernel", SETTINGS)
def test_objectives_have_a_step_and_a_walk(kernel):
    functions = signatures(kernels.get(kernel, "reference"), {"step", "train"})
    step, train = ([name for name, _ in functions[name]] for name in ("step", "train"))
    assert step[0] == train[0] == "input_vectors"
    assert step[-1] == "learning_rate"
    assert train[-3:] == ["learning_rate", "key", "loss_every"]
