"""Every backend trains alike: same signatures, same words sampled, same matrices.

An epoch on the toy corpus is trained by the reference and by the backend under test, chunk by chunk. Both
draw from the same generator: the pairs must be the same to the last one, the matrices equal up to rounding
and the error of the sigmoid's table. Had a kernel drawn one other negative, its row would be off by 1e-2.
"""

import ast
import inspect
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import fastvec
from fastvec import _backends
from fastvec._sampling import alias_table, keep_thresholds

KEY = 0xF123456789ABCDEF
CHUNKS = [
    0,
    1,
    3,
    100,
    101,
    180,
    181,
    260,
    400,
]  # ends inside the long sentence, at sentence ends, between them


@pytest.fixture
def kernel(backend):
    return _backends.get("skipgram", backend)


def matrices(n_words, vector_size, padded, seed=5):
    random = np.random.default_rng(seed)
    scale = 1.5 / vector_size**0.25
    return [padded(scale * random.standard_normal((n_words, vector_size))) for _ in range(2)]


def train_epoch(
    kernel,
    corpus,
    padded,
    *,
    chunks=None,
    vector_size=20,
    learning_rate=0.1,
    key=KEY,
    loss_every=4,
    **options,
):
    """Train chunk by chunk; return the matrices and the sums of what ``train`` returns."""
    inputs, outputs = matrices(corpus.n_words, vector_size, padded)
    if chunks is None:
        chunks = CHUNKS
    sums = [
        kernel.train(
            inputs,
            outputs,
            corpus.ids,
            corpus.sentence_offsets,
            start,
            stop,
            keep_thresholds(corpus.keep_probabilities),
            alias_table(corpus.noise_probabilities),
            options["window"],
            options["negatives"],
            options["shared"],
            learning_rate,
            key,
            loss_every,
        )
        for start, stop in pairwise([*chunks, len(corpus.ids)])
    ]
    loss, sampled_pairs, pairs = map(sum, zip(*sums, strict=True))
    return inputs, outputs, loss, sampled_pairs, pairs


SETTINGS = [
    {"window": window, "negatives": negatives, "shared": shared}
    for shared in (True, False)
    for window in (1, 5, 20)
    for negatives in (1, 5, 8)
]


def name_of(settings):
    return f"window {settings['window']}, {settings['negatives']} negatives" + ", shared" * settings["shared"]


@pytest.fixture(scope="session")
def expected_epoch(toy_corpus, padded):
    """What the reference makes of an epoch, once for all backends."""

    @cache
    def epoch(**settings):
        return train_epoch(_backends.get("skipgram", "reference"), toy_corpus, padded, **settings)

    return epoch


@pytest.mark.parametrize("settings", SETTINGS, ids=name_of)
def test_one_epoch(kernel, toy_corpus, padded, expected_epoch, settings):
    inputs, outputs, loss, sampled_pairs, pairs = train_epoch(kernel, toy_corpus, padded, **settings)
    theirs = expected_epoch(**settings)
    assert (sampled_pairs, pairs) == theirs[3:]
    assert 0 < sampled_pairs < pairs
    np.testing.assert_allclose(inputs, theirs[0], rtol=0, atol=1e-4)
    np.testing.assert_allclose(outputs, theirs[1], rtol=0, atol=1e-4)
    assert loss == pytest.approx(theirs[2], rel=1e-5)
    start = matrices(toy_corpus.n_words, 20, padded)
    assert np.abs(inputs - start[0]).max() > 0.1 and np.abs(outputs - start[1]).max() > 0.1
    assert not inputs[:, 20:].any() and not outputs[:, 20:].any()


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("vector_size", [1, 16, 33, 300, 4096])
def test_vector_sizes(kernel, toy_corpus, padded, expected_epoch, vector_size, shared):
    settings = {
        "vector_size": vector_size,
        "window": 4,
        "negatives": 6,
        "shared": shared,
        "chunks": (300, 360, 420),
    }
    ours, theirs = train_epoch(kernel, toy_corpus, padded, **settings), expected_epoch(**settings)
    assert ours[3:] == theirs[3:]
    np.testing.assert_allclose(ours[0], theirs[0], rtol=0, atol=1e-4)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=0, atol=1e-4)
    assert ours[2] == pytest.approx(theirs[2], rel=1e-5)


@pytest.mark.parametrize("shared", [True, False])
def test_the_comparison_notices_another_key(kernel, toy_corpus, padded, expected_epoch, shared):
    settings = {"window": 1, "negatives": 1, "shared": shared}
    ours = train_epoch(kernel, toy_corpus, padded, key=KEY + 1, **settings)
    theirs = expected_epoch(**settings)
    assert ours[4] != theirs[4]
    assert np.abs(ours[1] - theirs[1]).max() > 1e-2


@pytest.mark.parametrize("settings", SETTINGS[1::3], ids=name_of)
def test_chunks_change_nothing_in_what_is_sampled(kernel, toy_corpus, padded, settings):
    n_tokens = len(toy_corpus.ids)
    whole = train_epoch(kernel, toy_corpus, padded, chunks=[0], learning_rate=0, **settings)
    for size in (1, 7, 64, n_tokens - 1):
        parts = train_epoch(
            kernel, toy_corpus, padded, chunks=range(0, n_tokens, size), learning_rate=0, **settings
        )
        assert parts[3:] == whole[3:]
        assert parts[2] == pytest.approx(whole[2], rel=1e-12)
        assert parts[0].tobytes() == whole[0].tobytes() and parts[1].tobytes() == whole[1].tobytes()


@pytest.mark.parametrize("settings", SETTINGS[1::3], ids=name_of)
def test_training_is_repeatable(kernel, toy_corpus, padded, settings):
    first = train_epoch(kernel, toy_corpus, padded, **settings)
    again = train_epoch(kernel, toy_corpus, padded, **settings)
    assert first[0].tobytes() == again[0].tobytes() and first[1].tobytes() == again[1].tobytes()
    assert first[2:] == again[2:]


def test_loss_every_changes_only_the_loss(kernel, toy_corpus, padded):
    settings = {"window": 5, "negatives": 5, "shared": True}
    every, some = (train_epoch(kernel, toy_corpus, padded, loss_every=n, **settings) for n in (1, 16))
    assert every[3] == every[4] == some[4] > some[3] > 0
    assert every[0].tobytes() == some[0].tobytes() and every[1].tobytes() == some[1].tobytes()
    assert every[2] / every[3] == pytest.approx(some[2] / some[3], rel=0.5)


# ---- Signatures -------------------------------------------------------------------------------------------

STUBS = sorted((Path(fastvec.__file__).parent / "kernels").glob("*.pyi"))


def declared(stub):
    """Public functions of a type stub, with the names of their arguments."""
    functions = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.FunctionDef)]
    return {function.name: [argument.arg for argument in function.args.args] for function in functions}


def signatures(module):
    """Public functions of a module, compiled or not, with the names of their arguments."""
    own = module.__name__.rpartition(".")[2]  # a compiled function's module is fastvec.kernels.<own>
    return {
        name: list(inspect.signature(value).parameters)
        for name, value in vars(module).items()
        if not name.startswith("_")
        and callable(value)
        and not isinstance(value, type)
        and value.__module__.startswith("fastvec.")
        and value.__module__.endswith(f".{own}")
    }


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: stub.stem)
def test_signatures_are_those_of_the_stub(backend, stub):
    expected = declared(stub)
    assert expected
    found = signatures(_backends.get(stub.stem, backend))
    if backend == "reference":  # it may show its parts
        found = {name: found[name] for name in expected}
    assert found == expected


def test_every_kernel_has_a_stub_and_a_reference():
    package = Path(fastvec.__file__).parent
    kernels = {path.stem for path in (package / "kernels").glob("*.pyx")}
    assert "skipgram" in kernels
    assert kernels == {stub.stem for stub in STUBS}
    assert kernels <= {path.stem for path in (package / "reference").glob("*.py")}


def test_the_skipgram_stub_declares_both_functions():
    stub = next(stub for stub in STUBS if stub.stem == "skipgram")
    assert declared(stub)["step"][2:] == ["contexts", "center", "negatives", "learning_rate"]
    assert len(declared(stub)["train"]) == 14
