"""Every backend trains alike: same signatures, same words sampled, same matrices.

An epoch on the toy corpus is trained by the reference and by the backend under test, chunk by chunk. Both
draw from the same generator: the pairs must be the same to the last one, the matrices equal up to rounding
and the error of the sigmoid's table. Had a kernel drawn one other negative, its row would be off by 1e-2.
"""

import inspect
from pathlib import Path

import numpy as np
import pytest
from epochs import (
    KEY,
    SETTINGS,
    SETTINGS_OF_COPIES,
    SETTINGS_OF_TEAMS,
    bits,
    in_a_sum,
    start_matrices,
    train_epoch,
    usual_learning_rate,
)
from one_test import in_one_test

from fastvec import kernels


def for_each_of(settings_of):
    """Parametrize a test over kernels; in each it goes through its settings."""
    kernels_of_it = [kernel for kernel, settings in settings_of.items() if settings]
    parametrize = pytest.mark.parametrize("kernel", kernels_of_it)
    return lambda test: parametrize(in_one_test("settings", lambda kernel: settings_of[kernel])(test))


def for_every_setting(choose=slice(None)):
    return for_each_of({kernel: every[choose] for kernel, every in SETTINGS.items()})


def by_kernel(rows):
    return {kernel: [settings for name, settings in rows if name == kernel] for kernel in SETTINGS}


@pytest.fixture(scope="session")
def epoch(toy_corpus, padded):
    """Function that trains an epoch on the toy corpus, chunk by chunk."""
    return lambda *given, **options: train_epoch(*given, toy_corpus, padded, **options)


@pytest.fixture(scope="session")
def expected_epoch(epoch):
    """What the reference makes of an epoch, once for all backends."""
    runs = {}

    def run(kernel, settings, frozen=None, **options):
        """Those of `frozen` are `settings` too, and belong to them."""
        name = kernel, *settings.items(), frozen is not None, *options.items()
        if name not in runs:
            runs[name] = epoch("reference", kernel, settings if frozen is None else frozen, **options)
        return runs[name]

    return run


def check_same(ours, theirs):
    assert ours[2:] == theirs[2:]
    for name, matrix in theirs.matrices.items():
        np.testing.assert_allclose(ours.matrices[name], matrix, rtol=0, atol=1e-4, err_msg=name)
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-5)


def high_rate(kernel, settings):
    return {"learning_rate": 2 * usual_learning_rate(kernel, settings)}  # the text is short


@for_every_setting()
def test_one_epoch(compiled, epoch, expected_epoch, toy_corpus, padded, kernel, settings):
    options = high_rate(kernel, settings)
    run = epoch(compiled, kernel, settings, **options)
    check_same(run, expected_epoch(kernel, settings, **options))
    assert 0 < run.sampled_pairs < run.pairs
    for name, start in start_matrices(kernel, settings, toy_corpus, 20, padded).items():
        smaller = 1 if settings.get("mean", True) else in_a_sum(kernel)
        assert np.abs(run.matrices[name] - start).max() > 0.1 / smaller, name
        assert not run.matrices[name][:, 20:].any(), name


@pytest.mark.parametrize("vector_size", [1, 16, 33, 300, 4096])
@for_every_setting(slice(2, None, 4))
def test_vector_sizes(compiled, epoch, expected_epoch, kernel, settings, vector_size):
    smaller = 5 if vector_size > 100 else 1  # their scores are larger
    learning_rate = usual_learning_rate(kernel, settings) / smaller
    options = {"vector_size": vector_size, "chunks": (135, 165, 195), "learning_rate": learning_rate}
    ours = epoch(compiled, kernel, settings, **options)
    check_same(ours, expected_epoch(kernel, settings, **options))


@for_every_setting(slice(1, None, 3))
def test_the_comparison_notices_another_key(compiled, epoch, expected_epoch, kernel, settings):
    options = high_rate(kernel, settings)
    ours = epoch(compiled, kernel, settings, **options, key=KEY + 1)
    theirs = expected_epoch(kernel, settings, **options)
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


# ---- Threads that take chunks together ---------------------------------------------------------------------


@for_each_of(by_kernel(SETTINGS_OF_TEAMS))
def test_batches_of_a_team(compiled, epoch, expected_epoch, kernel, settings):
    options = {"learning_rate": usual_learning_rate(kernel, settings) / 2}  # with more, many steps diverge
    theirs = expected_epoch(kernel, settings, **options, steps=9)
    check_same(epoch(compiled, kernel, settings, **options, steps=9, threads=2), theirs)
    apart = epoch(compiled, kernel, settings, **options)
    for name, matrix in theirs.matrices.items():
        assert np.abs(matrix - apart.matrices[name]).max() > 3e-4, name


# Alone, the contexts of n-grams take turns; a team adds them up.
ADDED_UP = [(kernel, one) for kernel, one in SETTINGS_OF_TEAMS if kernel != "subword" or one["cbow"]]


@for_each_of(by_kernel(ADDED_UP))
def test_batches_of_one_step(backend, epoch, expected_epoch, kernel, settings):
    options = high_rate(kernel, settings)
    ours = epoch(backend, kernel, settings, **options, steps=1, threads=2)
    check_same(ours, expected_epoch(kernel, settings, **options))


# ---- Frozen rows, windows of one size ----------------------------------------------------------------------


def with_frozen_rows(kernel, settings, corpus):
    """Return settings with windows of one size, and every third row of the inputs frozen."""
    n_rows = len(start_matrices(kernel, settings, corpus, 1, lambda matrix: matrix)["input_vectors"])
    return settings | {"frozen": (np.arange(n_rows) % 3 == 0).astype(np.uint8), "dynamic_window": False}


def check_frozen(run, kernel, settings, corpus, padded):
    start = start_matrices(kernel, settings, corpus, 20, padded)["input_vectors"]
    same = (run.matrices["input_vectors"] == start).all(axis=1)
    assert same[::3].all()
    assert not same[1::3].all()


@for_every_setting(slice(1, None, 5))
def test_frozen_rows(compiled, epoch, expected_epoch, toy_corpus, padded, kernel, settings):
    frozen = with_frozen_rows(kernel, settings, toy_corpus)
    ours, theirs = epoch(compiled, kernel, frozen), expected_epoch(kernel, settings, frozen)
    check_same(ours, theirs)
    for run in (ours, theirs):
        check_frozen(run, kernel, settings, toy_corpus, padded)


@for_each_of(by_kernel(SETTINGS_OF_TEAMS[::6]))
def test_frozen_rows_of_a_team(compiled, epoch, expected_epoch, toy_corpus, padded, kernel, settings):
    frozen = with_frozen_rows(kernel, settings, toy_corpus)
    rate = usual_learning_rate(kernel, settings) / 4
    theirs = expected_epoch(kernel, settings, frozen, learning_rate=rate, steps=9)
    for threads in (1, 3):
        ours = epoch(compiled, kernel, frozen, learning_rate=rate, steps=9, threads=threads)
        check_same(ours, theirs)
        check_frozen(ours, kernel, settings, toy_corpus, padded)


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


# What lanes need, and words with the tag of their sentence.
OF_LANES = {
    "skipgram": ["exposures", "output_of", "places"],
    "cbow": ["exposures", "places"],
    "subword": ["exposures", "places"],
}


@pytest.mark.parametrize("kernel", SETTINGS)
def test_objectives_have_a_step_and_a_walk(kernel):
    functions = signatures(kernels.get(kernel, "reference"), {"step", "train"})
    step, train = ([name for name, _ in functions[name]] for name in ("step", "train"))
    assert step[0] == train[0] == "input_vectors"
    last = ["learning_rate", "key", "loss_every"]
    last += ["team"] if kernel in dict(SETTINGS_OF_TEAMS) else []
    last += ["copies"] if kernel in dict(SETTINGS_OF_COPIES) else []
    last += ["frozen", "dynamic_window", *OF_LANES.get(kernel, [])]
    assert train[-len(last) :] == last
    assert step[-2:] == ["learning_rate", "frozen"]
