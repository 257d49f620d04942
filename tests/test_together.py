"""Threads that take a chunk together: the same bytes for any number of them, and nobody waits for ever."""

import os
import threading

import hypothesis
import numpy as np
import pytest
from commands import HANGS
from conftest import pad
from epochs import SETTINGS_OF_TEAMS, bits, name_of, start_matrices, tables, train_epoch, usual_learning_rate
from hypothesis import strategies as st
from inside import Team
from one_test import in_one_test

from fastvec import kernels

CHUNKS = (0, 3, 90, 130)
THREADS = (2, 3, 4, 8)
# A setting or two for everything a step can be: windows and pairs, merged contexts, means and trees.
MODELS = [
    (kernel, settings)
    for kernel, settings in SETTINGS_OF_TEAMS
    if settings["window"] == 5 and settings.get("negatives", 5) in (5, 20)
]
for_every_model = pytest.mark.parametrize(("kernel", "settings"), MODELS, ids=name_of)


@pytest.fixture(scope="module")
def train(toy_corpus):
    """Function that trains an epoch of some chunks on the toy corpus, by a team."""

    def train(backend, kernel, settings, *, vector_size=100, steps=7, chunks=CHUNKS, **options):
        options.setdefault("learning_rate", usual_learning_rate(kernel, settings) / 4)
        return train_epoch(
            backend,
            kernel,
            settings,
            toy_corpus,
            pad,
            vector_size=vector_size,
            steps=steps,
            chunks=chunks,
            **options,
        )

    return train


def check_bytes(run, expected):
    assert bits(run) == bits(expected)
    assert run[1:] == expected[1:]


@in_one_test("vector_size", [1, 16, 17, 100, 300])
@for_every_model
def test_any_number_of_threads_makes_the_same_bytes(compiled, train, kernel, settings, vector_size):
    expected = train(compiled, kernel, settings, vector_size=vector_size)
    assert all(np.isfinite(matrix).all() for matrix in expected.matrices.values())
    for threads in THREADS:
        check_bytes(train(compiled, kernel, settings, vector_size=vector_size, threads=threads), expected)


@hypothesis.settings(max_examples=25, deadline=None)
@hypothesis.given(
    model=st.sampled_from([row for row in MODELS if row[1].get("negatives") != 20]),
    threads=st.integers(2, 8),
    vector_size=st.integers(1, 130),
    steps=st.integers(1, 80),
    chunks=st.lists(st.integers(1, 200), min_size=1, max_size=3, unique=True).map(sorted),
)
def test_any_chunks_and_batches(compiled, train, model, threads, vector_size, steps, chunks):
    options = {"vector_size": vector_size, "steps": steps, "chunks": chunks, "learning_rate": 0.001}
    check_bytes(train(compiled, *model, threads=threads, **options), train(compiled, *model, **options))


@for_every_model
def test_more_threads_than_processors(compiled, train, one_processor, kernel, settings):
    expected = train(compiled, kernel, settings, vector_size=300)
    check_bytes(train(compiled, kernel, settings, vector_size=300, threads=16), expected)


@pytest.fixture
def one_processor():
    """Let this thread, and those that it starts, have a single processor where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(usable)})
    yield
    os.sched_setaffinity(0, usable)


@pytest.mark.parametrize("steps", [1, 3, 64, 10**6])
def test_batches_of_any_size(compiled, train, steps):
    kernel, settings = MODELS[0]
    expected = train(compiled, kernel, settings, steps=steps)
    for threads in THREADS:
        check_bytes(train(compiled, kernel, settings, steps=steps, threads=threads), expected)


@pytest.mark.parametrize(
    ("kernel", "vector_size"),
    [("skipgram", 20), ("cbow", 4096), ("hierarchical_softmax", 20), ("subword", 2048)],
)
def test_a_batch_ends_where_there_is_no_more_room(compiled, train, toy_corpus, kernel, vector_size):
    """With small steps, batches move everything as steps of their own do: no step of them is lost."""
    settings = next(
        row for name, row in reversed(SETTINGS_OF_TEAMS) if name == kernel and row["window"] == 20
    )
    options = {"vector_size": vector_size, "chunks": (100,), "learning_rate": 1e-5}
    apart, together, by_two = (
        train(compiled, kernel, settings, **options, steps=steps, threads=threads)
        for steps, threads in ((None, 1), (10**6, 1), (10**6, 2))
    )
    check_bytes(by_two, together)
    start = train(compiled, kernel, settings, **options | {"learning_rate": 0}).matrices
    for name, before in start.items():
        expected = apart.matrices[name] - before
        found = together.matrices[name] - before
        np.testing.assert_allclose(found, expected, rtol=0, atol=0.05 * np.abs(expected).max())


# ---- Threads that go away ---------------------------------------------------------------------------------


def ends(*threads):
    """Return whether all threads end."""
    for thread in threads:
        thread.join(HANGS)
    return not any(thread.is_alive() for thread in threads)


def run(work, *given):
    thread = threading.Thread(target=work, args=given, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def two(compiled, toy_corpus):
    """A team of two, and a function that lets one of them train on a part of the toy corpus."""
    kernel, settings = MODELS[0]
    matrices = start_matrices(kernel, settings, toy_corpus, 100, pad)
    team = Team(matrices, threads=2, steps=7)
    arguments = tables(kernel, toy_corpus) | settings

    def train(thread, start, stop):
        kernels.get(kernel, compiled).train(
            **arguments,
            **team.arguments(thread),
            ids=toy_corpus.ids,
            sentence_offsets=toy_corpus.sentence_offsets,
            start=start,
            stop=stop,
            learning_rate=0.01,
            key=1,
            loss_every=1,
        )

    with team.at_work():
        yield team, train


def test_a_thread_that_never_comes(two):
    team, train = two
    other = run(train, 0, 0, 200)
    other.join(0.2)
    assert other.is_alive(), "the other did not wait"
    team.abandon()
    assert ends(other)
    assert team.is_abandoned


def test_a_thread_that_goes_away_in_the_middle(two):
    team, train = two

    def both_chunks():
        train(0, 0, 100)
        train(0, 100, 200)

    other = run(both_chunks)
    train(1, 0, 100)
    other.join(0.2)
    assert other.is_alive(), "the other did not wait"
    team.abandon()
    assert ends(other)


def test_nobody_waits_for_threads_that_have_done_their_work(two):
    _, train = two
    assert ends(*[run(train, thread, 0, 200) for thread in range(2)])
