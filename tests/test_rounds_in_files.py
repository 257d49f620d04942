"""Training in rounds where the matrices exceed the memory of every process: the same bytes."""

import json
import os
import subprocess
import sys
from functools import partial

import calls
import numpy as np
import pytest
from inside import inner, put, set_sizes, wrap
from small_runs import corpus

from fastvec import Corpus, SkipGram, distributed, kernels

pytestmark = pytest.mark.any_backend(trains=True)

LANES = {"lanes": 3, "rounds": 4}
NGRAMS = {"buckets": 60_000, "min_n": 3, "max_n": 4}


@pytest.fixture(scope="module", autouse=True)
def all_lanes_train():
    """Let rounds have their full length from the start, matrices several parts, and lanes few rows."""
    sizes = {"growth_of_rounds": 1e6, "block_of_rows": 30 * 16 * 4, "ranges_of_rows": 3}
    with pytest.MonkeyPatch.context() as patch:
        set_sizes(patch, **sizes, words_per_row=1e9)
        yield


@pytest.fixture(scope="module")
def text():
    return corpus(2, n_words=200)


def make(**params):
    return SkipGram(**{"vector_size": 12, "min_count": 1, "epochs": 2, "subsample": 0.01, **params})


def saved(model, path):
    """Return all bytes of what was learned."""
    model.vectors_.save(path)
    return path.read_bytes(), model.output_vectors_.tobytes(), [epoch.loss for epoch in model.history_]


@pytest.fixture(scope="module")
def expected(text, tmp_path_factory):
    model = distributed.fit(make(), text, **LANES)
    assert not isinstance(model.output_vectors_, np.memmap)
    return saved(model, tmp_path_factory.mktemp("memory") / "vectors.fvec")


@pytest.mark.parametrize("cluster", [None, 1])
def test_the_bytes_are_those_of_a_training_in_memory(cluster, text, expected, tmp_path, monkeypatch):
    if cluster and os.name != "nt":  # which has no SIGKILL
        monkeypatch.setenv("MARKER", str(tmp_path / "marker"))
        put(monkeypatch, "train_lanes", partial(calls.train_or_die, inner("train_lanes")))
    folder = tmp_path / "folder"
    folder.mkdir()
    model = distributed.fit(make(), text, folder=folder, cluster=cluster, **LANES)
    assert isinstance(model.output_vectors_, np.memmap)
    if os.name != "nt":
        assert not any(folder.iterdir())  # the files have no names any more
        assert (tmp_path / "marker").exists() == bool(cluster)
    assert saved(model, tmp_path / "vectors.fvec") == expected


@pytest.mark.parametrize("cluster", [None, 1])
def test_workers_with_several_lanes_train_the_same_in_files(cluster, text, tmp_path):
    found = []
    for where in ({}, {"folder": tmp_path, "cluster": cluster}):
        model = distributed.fit(make(epochs=1), text, lanes_per_worker=2, **where, **LANES)
        found.append(saved(model, tmp_path / "vectors.fvec"))
    assert found[0] == found[1]


def test_frozen_words_and_new_ones(text, tmp_path):
    more = Corpus([["word1", "new", "word2", "newer"] * 3] * 40)
    found = []
    for folder in (None, tmp_path):
        model = distributed.fit(make(epochs=1), text, freeze=["word0", "word50"], folder=folder, **LANES)
        distributed.fit(model, more, update_vocabulary=True, folder=folder, **LANES)
        found.append(saved(model, tmp_path / "vectors.fvec"))
    assert found[0] == found[1]


def test_a_run_goes_on_in_files_and_in_memory(text, expected, tmp_path, monkeypatch):
    how = {"checkpoint": tmp_path / "run.fvec", "resume": True, **LANES}
    for n_rounds, folder in ((3, tmp_path), (5, None), (4, tmp_path)):
        model, done = make(), []

        def train_and_stop(train, rounds, *of_round, n_rounds=n_rounds, model=model, done=done):
            done.append(of_round)
            if len(done) == n_rounds:
                model.stop()
            return train(rounds, *of_round)

        with monkeypatch.context() as patch:
            wrap(patch, "train_round", train_and_stop)
            distributed.fit(model, text, folder=folder, **how)
        assert model.interrupted_
    model = distributed.fit(make(), text, folder=tmp_path, cluster=1, **how)
    assert saved(model, tmp_path / "vectors.fvec") == expected


# The first chunk of a lane, and what follows its last one.
@pytest.mark.parametrize(("kernel", "function", "n"), [("skipgram", "train", 2), ("rounds", "moment", 3)])
def test_a_lane_that_fails_leaves_nothing_to_the_next_training(
    kernel, function, n, text, expected, tmp_path, monkeypatch
):
    module, calls = kernels.get(kernel), []
    call = getattr(module, function)

    def call_and_fail(*given, **named):
        calls.append(call(*given, **named))
        if len(calls) == n:
            raise MemoryError("no memory for the buffers of a chunk")
        return calls[-1]

    monkeypatch.setattr(module, function, call_and_fail)
    with pytest.raises(MemoryError, match="buffers of a chunk"):
        distributed.fit(make(), text, folder=tmp_path, **LANES)
    monkeypatch.setattr(module, function, call)
    model = distributed.fit(make(), text, folder=tmp_path, **LANES)
    assert saved(model, tmp_path / "vectors.fvec") == expected


def test_one_lane_needs_memory(text, tmp_path):
    with pytest.raises(ValueError, match="folder must be None for one lane, which trains in memory, got "):
        distributed.fit(make(), text, lanes=1, folder=tmp_path)


def test_the_command_trains_in_files(tmp_path, shown):
    path = tmp_path / "text.txt"
    path.write_text("to be or not to be\n" * 100, encoding="utf-8")
    options = ("-q", "--vector-size", 4, "--epochs", 1, "--min-count", 1, "--lanes", 2)
    for output, where in (("memory.fvec", ()), ("files.fvec", ("--folder", tmp_path))):
        assert shown("train", path, *options, "-o", tmp_path / output, *where) == (0, "", "")
    assert (tmp_path / "memory.fvec").read_bytes() == (tmp_path / "files.fvec").read_bytes()


# A process that trains, with so many bytes of memory: what is mapped from files does not count.
LIMITED = """
import json, resource, sys
import fastvec

if __name__ == "__main__":
    limit, folder, processes, kind, n_words, params = json.loads(sys.argv[1])
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    text = [[f"word{i}" for i in range(12)]] * 50
    words = [f"word{i}" for i in range(n_words)]
    model = getattr(fastvec, kind)(epochs=1, subsample=0, **params)
    how = {"lanes": 2, "rounds": 2, "folder": folder, "cluster": processes}
    how["checkpoint"] = folder and f"{folder}/checkpoint.fvec"
    fastvec.distributed.fit(model, text, vocabulary=words, **how)
    model.vectors_.save(sys.argv[2])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit the memory of a process")
@pytest.mark.parametrize(
    ("kind", "n_words", "of_ngrams"), [("SkipGram", 40_000, {}), ("FastText", 10_000, NGRAMS)]
)
def test_no_process_needs_memory_for_the_matrices(kind, n_words, of_ngrams, tmp_path):
    params, limit = {"vector_size": 512, **of_ngrams}, 125 << 20
    assert 4 * 512 * (2 * n_words + of_ngrams.get("buckets", 0)) > 1.2 * limit
    script = tmp_path / "limited.py"
    script.write_text(LIMITED, encoding="utf-8")

    found = []
    for of_run in ((limit, str(tmp_path), 1), (None, None, None)):
        output = tmp_path / f"{len(found)}.fvec"
        command = [sys.executable, script, json.dumps([*of_run, kind, n_words, params]), output]
        one_thread = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # each of whose threads has megabytes
        subprocess.run(command, check=True, env=one_thread)
        found.append(output.read_bytes())
    assert found[0] == found[1]
