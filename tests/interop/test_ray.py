"""Counting on a cluster of Ray that is started here: the bytes of one machine, and what goes wrong."""

import os
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import calls
import numpy as np
import pages
import pytest
from commands import HANGS
from inside import inner, put, set_sizes

import fastvec
from fastvec import Cooccurrence, Corpus, Phrases, distributed, kernels

reason = "needs the extra test-interop"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
ray = pytest.importorskip("ray", reason=reason)
pa = pytest.importorskip("pyarrow", reason=reason)
import pyarrow.parquet as pq  # noqa: E402

pytestmark = [
    pytest.mark.any_backend,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # Ray's own
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of its processes
]

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Return the address under which this process reaches its cluster of two processors."""
    folder = tmp_path_factory.mktemp("markers")
    paths = os.pathsep.join(map(str, [Path(calls.__file__).parent, Path(fastvec.__file__).parents[1]]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", paths)
        patch.setenv("MARKER", str(folder / "marker"))
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
        yield "auto"
        ray.shutdown()


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Return a folder of texts, and the same in Parquet."""
    folder = tmp_path_factory.mktemp("texts")
    for number, n_lines in enumerate([50, 0, 300, 20]):
        rows = [
            " ".join(f"w{word}" for word in RNG.zipf(1.4, RNG.integers(0, 9)) % 50) for _ in range(n_lines)
        ]
        (folder / f"{number}.txt").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
        pq.write_table(pa.table({"text": pa.array(rows, pa.string())}), folder / f"{number}.parquet")
    return folder


def saved(found, path):
    found.save(path)
    return path.read_bytes()


@pytest.mark.parametrize(("pattern", "column"), [("*.txt", None), ("*.parquet", "text")])
def test_counts_of_files_are_those_of_one_machine(pattern, column, cluster, texts, tmp_path):
    expected = Cooccurrence(min_count=2).fit(Corpus(texts / pattern, column=column))
    found = distributed.count(texts / pattern, column=column, cluster=cluster, folder=tmp_path, min_count=2)
    assert saved(found, tmp_path / "found") == saved(expected, tmp_path / "expected")
    assert not list(tmp_path.glob("fastvec-*"))
    assert ray.is_initialized()  # the program's own connection stays


def test_counts_of_a_data_set_of_ray_are_those_of_its_rows(cluster, texts, tmp_path):
    table = pa.concat_tables([pq.read_table(path) for path in sorted(texts.glob("*.parquet"))])
    blocks = [table.slice(0, 100), table.slice(100, 50), table.slice(150)]
    found = distributed.count(ray.data.from_arrow(blocks), column="text", cluster=cluster, min_count=2)
    expected = Cooccurrence(min_count=2).fit(Corpus(table, column="text"))
    assert saved(found, tmp_path / "found") == saved(expected, tmp_path / "expected")
    with pytest.raises(ValueError, match="column must be the name of a column of the data set of Ray"):
        distributed.count(ray.data.from_arrow(table), cluster=cluster)
    with pytest.raises(ValueError, match="cluster must be the address of a cluster of Ray for its data sets"):
        distributed.count(ray.data.from_arrow(table), column="text")


def test_texts_at_addresses(cluster, texts, tmp_path):
    pytest.importorskip("fsspec", reason=reason)
    expected = Cooccurrence(min_count=2).fit(texts / "*.txt")
    found = distributed.count(f"file://{texts}/*.txt", cluster=cluster, min_count=2)
    assert saved(found, tmp_path / "found") == saved(expected, tmp_path / "expected")


def test_phrases_are_those_of_one_machine(cluster, texts, tmp_path):
    params = {"threshold": 0.5, "min_count": 2, "passes": 2, "connector_words": ["w1"]}
    found = distributed.phrases(texts / "*.txt", cluster=cluster, output=tmp_path / "joined.txt", **params)
    expected = Phrases(**params)
    joined = expected.fit_transform(texts / "*.txt")
    assert saved(found, tmp_path / "found") == saved(expected, tmp_path / "expected")
    assert (tmp_path / "joined.txt").read_text().split("\n") == [*map(" ".join, joined), ""]


def test_a_worker_that_is_killed_changes_no_bit(cluster, texts, tmp_path):
    marked = tmp_path / "marked.txt"
    marked.write_text("a worker is killed here\n" * 9, encoding="utf-8")
    files = [*sorted(texts.glob("*.txt")), marked]
    found = distributed.count(files, tokenizer=calls.split_or_die, cluster=cluster, min_count=2)
    assert Path(os.environ["MARKER"]).exists()
    expected = Cooccurrence(min_count=2).fit(Corpus(files, tokenizer=calls.split_or_die))
    assert saved(found, tmp_path / "found") == saved(expected, tmp_path / "expected")


def test_calls(cluster):
    array, done = np.arange(6.0), []
    with distributed.connect(cluster) as engine:
        shared = engine.share(array)
        handles = [engine.submit(f"part {number}", calls.scaled, shared, number) for number in range(5)]
        whole = engine.combine("add", calls.added, handles, at_once=2)
        left, right = engine.submit_parts("halves", 2, calls.halves, whole)
        (total,) = engine.submit_parts("total", 1, calls.one_part, whole)
        results = engine.results([left, right, total, shared, whole, whole], done.append)
        assert sum(done) == 5
        assert all(map(np.array_equal, results, [array[:3] * 10, array[3:] * 10, 150, array, array * 10]))
        refused = engine.submit("refused", calls.refuse, 3)
        for handle in (refused, engine.combine("add", calls.added, [shared, refused])):
            with pytest.raises(ValueError, match="what must be something else, got 3"):
                engine.results([handle])
        with pytest.raises(RuntimeError, match=r"^end: lost 4 workers, the last because"):
            engine.results([engine.submit("end", calls.end)])


def test_a_task_that_hangs_is_started_again_and_its_late_error_changes_nothing(cluster, tmp_path):
    marker = tmp_path / "marker"
    with distributed.connect(cluster) as engine:
        quick = [engine.submit("quick", calls.large_or_stopped, None, None, 9) for _ in range(3)]
        engine.results(quick)
        slow = engine.submit("slow", calls.large_or_stopped, marker, ValueError("late"), 60_000)
        after = engine.submit_parts("halves", 2, calls.halves, slow)
        try:
            (array, *both) = engine.results([slow, *after])
        finally:
            stopped = calls.go_on(marker)
        assert np.array_equal(array, np.arange(60_000)) and np.array_equal(np.concatenate(both), array)
        numbers, deadline = set(), time.monotonic() + HANGS
        while stopped not in numbers and time.monotonic() < deadline:
            handles = [engine.submit("number", calls.own_number, number) for number in range(4)]
            numbers.update(engine.results(handles))
        assert stopped in numbers and np.array_equal(*engine.results([slow, slow]))


def test_workers_of_another_version_or_backend_are_refused(cluster, texts, monkeypatch):
    with distributed.connect(cluster) as engine:
        assert engine.results([engine.submit("backend", calls.backend)]) == [kernels.selected()]
    monkeypatch.setattr(fastvec, "__version__", "9.9")
    with pytest.raises(
        RuntimeError, match=r"workers must have the fastvec .* for, 9\.9, got .* on .*: install"
    ):
        distributed.count(texts / "*.txt", cluster=cluster)


@pytest.mark.any_backend(trains=True)
def test_lanes_learn_the_same_on_a_cluster(cluster, texts, tmp_path, monkeypatch):
    def learned(model):
        return model.vectors_.vectors.tobytes(), model.output_vectors_.tobytes()

    def trained(**how):
        model = fastvec.SkipGram(vector_size=8, min_count=1, epochs=2)
        return learned(distributed.fit(model, texts / "*.txt", lanes=3, rounds=1, **how))

    set_sizes(monkeypatch, growth_of_rounds=1e6)  # so that all lanes train
    expected = trained()
    assert trained(cluster=cluster) == expected
    assert trained(cluster=cluster, folder=tmp_path) == expected
    of_pairs = trained(lanes_per_worker=2)
    assert trained(cluster=cluster, lanes_per_worker=2) == of_pairs != expected
    assert trained(cluster=cluster, lanes_per_worker=2, folder=tmp_path) == of_pairs
    train_lanes = partial(calls.train_or_die, inner("train_lanes"))
    put(monkeypatch, "train_lanes", train_lanes)
    Path(os.environ["MARKER"]).unlink(missing_ok=True)
    assert trained(cluster=cluster) == expected
    assert Path(os.environ["MARKER"]).exists()


@pytest.mark.any_backend(trains=True)
def test_glove_learns_the_same_on_a_cluster(cluster, texts, monkeypatch):
    def trained(fit, **how):
        model = fit(fastvec.GloVe(vector_size=8, epochs=2, threads=1), counts, **how)
        return model.vectors_.vectors.tobytes(), [epoch.loss for epoch in model.history_]

    counts = Cooccurrence(min_count=1).fit(texts / "*.txt")
    expected = trained(fastvec.GloVe.fit)
    assert trained(distributed.fit, cluster=cluster) == expected
    put(monkeypatch, "train_range", partial(calls.train_range_or_die, inner("train_range")))
    Path(os.environ["MARKER"]).unlink(missing_ok=True)
    assert trained(distributed.fit, cluster=cluster) == expected
    assert Path(os.environ["MARKER"]).exists()


@pytest.mark.parametrize("verb", ["cooccur", "phrases"])
def test_the_command(verb, cluster, texts, tmp_path):
    command = [sys.executable, "-m", "fastvec", verb, f"{texts}/*.txt", "-q"]
    outputs = [tmp_path / f"{name}.{'fvcounts' if verb == 'cooccur' else 'txt'}" for name in ("one", "two")]
    address = ray.get_runtime_context().gcs_address
    for output, options in zip(outputs, [[], ["--ray", address, "--folder", tmp_path]], strict=True):
        done = subprocess.run([*command, "-o", output, *options], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    one, two = (output.read_bytes() for output in outputs)
    assert one == two


def test_the_page_on_clusters(cluster, tmp_path, monkeypatch):
    assert pages.run("cluster.md", 'cluster="local"', tmp_path, monkeypatch)["on_ray"].n_entries_ > 1000


def test_workers_that_ask_for_more_processors_than_a_machine_has(cluster, texts):
    with (
        pytest.warns(
            UserWarning, match="no machine of the cluster has 999 processors .* wait until one joins"
        ),
        distributed.connect(cluster, threads=999) as engine,
    ):
        one = engine.submit("backend", calls.backend, threads=1)
        assert engine.results([one]) == [kernels.selected()]


def test_a_new_cluster_that_cannot_have_the_processors_of_a_worker():
    asks = "from fastvec import distributed; distributed.connect('local', threads=999)"
    done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, timeout=HANGS)
    error = (
        "ValueError: no machine of the cluster has 999 processors for a worker's threads or lanes; this one"
    )
    assert done.returncode == 1 and error in done.stderr


def test_addresses_without_a_cluster(texts, monkeypatch):
    def init(**_):
        raise ConnectionError("Could not find any running Ray instance.")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cases = {
        f"127.0.0.1:{port}": rf"no cluster of Ray can be reached at '127\.0\.0\.1:{port}' \(.*refused",
        "nowhere": "the address of a cluster of Ray must be 'auto', 'local' or 'host:port', got 'nowhere'",
        "auto": r"no cluster of Ray can be reached at 'auto' \(Could not find any running Ray instance\.\)",
    }
    for address, error in cases.items():
        with pytest.raises((ConnectionError, ValueError), match=error):
            distributed.count(texts / "*.txt", cluster=address)
