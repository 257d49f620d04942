"""GloVe on several processes or machines: the bytes of one, whatever is lost meanwhile."""

import os
from functools import partial
from pathlib import Path

import calls
import numpy as np
import pytest
from inside import inner, put, set_sizes, watch_chunks, wrap

import fastvec
from fastvec import Cooccurrence, GloVe, distributed

pytestmark = pytest.mark.any_backend(trains=True)

can_be_killed = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")


@pytest.fixture(scope="module", autouse=True)
def several_parts():
    """Let an epoch have several parts, which end within rounds."""
    with pytest.MonkeyPatch.context() as patch:
        set_sizes(patch, glove_chunk=50)
        yield


@pytest.fixture(scope="module")
def counts():
    """Return counts of 120 words, in 15 blocks, with many tiles that are empty."""
    drawn = np.random.default_rng(2).zipf(1.4, (150, 8)) % 120
    return Cooccurrence(window=3, min_count=1).fit([[f"word{i}" for i in line] for line in drawn.tolist()])


def make(**params):
    return GloVe(**{"vector_size": 12, "epochs": 2, "threads": 1, **params})


def learned(model):
    """Return all that was learned, and what is recorded of it."""
    matrices = [
        getattr(model, f"{side}_{what}_") for side in ("word", "context") for what in ("vectors", "biases")
    ]
    losses = [(epoch.epoch, epoch.loss, epoch.pairs, epoch.learning_rate) for epoch in model.history_]
    return [matrix.tobytes() for matrix in matrices], losses, model.vectors_.metadata


@pytest.fixture(scope="module")
def expected(counts):
    return learned(make().fit(counts))


def copied(train, *arguments):
    """Return copies of results, which workers keep until the next call alone."""
    return tuple(np.array(part) for part in train(*arguments))


@pytest.fixture
def called_here(monkeypatch):
    """Return what lets calls be those of so many workers, but in this process."""

    def call_here(workers, threads=1):
        engine = distributed.connect(threads=threads)
        engine.workers = workers
        put(monkeypatch, "connect_for_tiles", lambda *_, **__: engine)

    wrap(monkeypatch, "train_range", copied)
    return call_here


# The same bytes


@pytest.mark.parametrize(("workers", "threads"), [(1, 1), (2, 3), (40, 1)])
def test_any_number_of_workers_learns_what_one_process_does(
    workers, threads, counts, expected, called_here, tmp_path
):
    called_here(workers, threads)
    model = distributed.fit(make(), counts, cluster=workers)
    assert learned(model) == expected
    model.vectors_.save(tmp_path / "a.fvec")
    make().fit(counts).vectors_.save(tmp_path / "b.fvec")
    assert (tmp_path / "a.fvec").read_bytes() == (tmp_path / "b.fvec").read_bytes()
    assert learned(distributed.fit(make(), counts)) == expected


@can_be_killed
def test_processes_of_which_one_is_killed_learn_the_same(counts, expected, tmp_path, monkeypatch):
    monkeypatch.setenv("MARKER", str(tmp_path / "marker"))
    put(monkeypatch, "train_range", partial(calls.train_range_or_die, inner("train_range")))
    model = distributed.fit(make(), counts, cluster=2)
    assert (tmp_path / "marker").exists()
    assert learned(model) == expected


@pytest.mark.parametrize(
    "sentences",
    [[["a", "b"]], [["a", "b"], ["a", "c", "d"], ["e", "f"]], [[f"word{i % 19}" for i in range(99)]]],
)
def test_few_words_and_rounds_and_parts_without_entries(sentences, called_here, monkeypatch):
    set_sizes(monkeypatch, glove_chunk=1, parts_of_tiles=10**6)
    called_here(3)
    params = {"min_count": 1, "window": 9, "epochs": 2}
    model = distributed.fit(make(**params), sentences, cluster=3)
    assert learned(model) == learned(make(**params).fit(sentences))


def test_frozen_words_stay_and_training_continues(counts, called_here):
    called_here(2)
    words = counts.vocabulary_.words[:50]
    given = fastvec.Vectors(words, np.random.default_rng(3).uniform(-1, 1, (50, 12)).astype(np.float32))
    given.vectors.flags.writeable = True
    given.vectors[:, 3] = 1e-9  # which AdaGrad's smallest steps do change
    models = [make(), make()]
    for how in ({"start_from": given, "freeze": words[:20]}, {}):
        models[0].fit(counts, **how)
        distributed.fit(models[1], counts, cluster=2, **how)
        assert learned(models[0]) == learned(models[1])
    assert len(models[1].history_) == 4


def test_what_diverges_leaves_the_model(counts, expected, called_here):
    called_here(2)
    model = make().fit(counts)
    model.learning_rate = 1e30
    with pytest.raises(FloatingPointError, match="learning_rate=1e"):
        distributed.fit(model, counts, cluster=2)
    assert learned(model)[0] == expected[0]


# Checkpoints


def stopped_after(n_parts, monkeypatch, model, *arguments, **how):
    """Train until so many parts of epochs are done."""
    done = []

    def train_and_stop(train, *part):
        done.append(part)
        if len(done) == n_parts:
            model.stop()
        return train(*part)

    with monkeypatch.context() as patch:
        wrap(patch, "train_part", train_and_stop)
        return distributed.fit(model, *arguments, cluster=2, **how)


def test_what_was_stopped_goes_on_elsewhere_to_the_same_bytes(
    counts, expected, called_here, tmp_path, monkeypatch
):
    called_here(2)
    path = {"checkpoint": tmp_path / "run.fvec", "resume": True}
    assert stopped_after(5, monkeypatch, make(), counts, **path).interrupted_
    called_here(3)
    assert stopped_after(2, monkeypatch, make(), counts, **path).interrupted_
    with monkeypatch.context() as patch:
        model, begun = make(), []
        watch_chunks(patch, lambda: begun.append(1) or len(begun) < 20 or model.stop())
        assert model.fit(counts, **path).interrupted_ and len(begun) == 20
    assert stopped_after(8, monkeypatch, make(), counts, **path).interrupted_
    finished = distributed.fit(make(), counts, cluster=2, **path)
    assert not finished.interrupted_
    assert learned(finished) == expected
    assert learned(make().fit(counts, **path)) == expected


def test_checkpoints_do_not_disturb_the_training(counts, expected, called_here, tmp_path):
    called_here(3)
    how = {"checkpoint": tmp_path / "run.fvec", "checkpoint_every": "0.001s"}
    assert learned(distributed.fit(make(), counts, cluster=3, **how)) == expected


# What it refuses


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"lanes": 2}, "lanes must be left out with a GloVe, got 2: it is of models of words"),
        ({"rounds": 3}, "rounds must be left out with a GloVe"),
        ({"vocabulary": ["a"]}, "vocabulary must be left out"),
        ({"update_vocabulary": True}, "update_vocabulary must be left out"),
        ({"cluster": 0}, "cluster must be an int from 1 to 4096, got 0"),
        ({"resume": True}, "resume must be False unless checkpoint"),
    ],
)
def test_bad_input(params, error, counts):
    with pytest.raises(ValueError, match=error):
        distributed.fit(make(), counts, **params)


# The command


def test_the_command_has_the_bytes_of_one_process(tmp_path, shown, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("to be or not to be\n" * 30, encoding="utf-8")
    options = ("text.txt", "-q", "--model", "glove", "--vector-size", 4, "--epochs", 1, "--threads", 1)
    assert shown("train", "-o", "a.fvec", *options) == (0, "", "")
    assert shown("train", "-o", "b.fvec", *options, "--processes", 1) == (0, "", "")
    assert Path("a.fvec").read_bytes() == Path("b.fvec").read_bytes()
