"""Counts and phrases of shards have the bytes of one machine, wherever they are found."""

import gzip
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import calls
import numpy as np
import pytest
from commands import HANGS
from inside import inner, set_sizes

import fastvec
from fastvec import Cooccurrence, Corpus, Phrases, distributed, kernels

pytestmark = pytest.mark.any_backend

can_be_killed = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")

RNG = np.random.default_rng(5)


def lines(n_lines, n_words=40):
    """Return lines of words of which some are much more frequent than others; some lines are empty."""
    drawn = (RNG.zipf(1.5, RNG.integers(0, 12)) % n_words for _ in range(n_lines))
    return "".join(f"{' '.join(f'W{word}' for word in line)}\n" for line in drawn)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Return the pattern of eleven files, which are merged in two steps; some are empty, some cut."""
    folder = tmp_path_factory.mktemp("shards")
    for number, n_lines in enumerate([30, 0, 200, 1, 60, 7, 7, 7, 90, 2, 40]):
        text = lines(n_lines)
        text = text.rstrip("\n") if number % 2 else text
        (folder / f"{number:02}.txt").write_text(text, encoding="utf-8")
    (folder / "03.txt").write_text("words of this file alone é\n\n\n", encoding="utf-8")
    (folder / "05.txt").unlink()
    (folder / "05.txt.gz").write_bytes(gzip.compress(lines(9).encode()))
    return f"{folder}/*.txt*"


def saved(found, path):
    found.save(path)
    return path.read_bytes()


# Counts


@pytest.mark.parametrize(
    ("reading", "params"),
    [
        ({}, {"min_count": 1}),
        ({"lowercase": True}, {"window": 3, "weighting": "flat", "symmetric": False, "threads": 2}),
        ({"tokenizer": calls.split_words}, {"max_vocab": 9, "keep": ["alone"], "drop": ["W1", "absent"]}),
        ({}, {"weighting": "dynamic", "memory_limit": 1}),
        ({}, {"window": 30, "vocabulary": {"W3": 7, "absent": 9, "W1": 2}}),
        ({}, {"vocabulary": Corpus([["W2", "W2", "W1"]]).vocabulary}),
    ],
)
def test_counts_of_shards_are_those_of_one_machine(reading, params, shards, tmp_path, monkeypatch):
    set_sizes(monkeypatch, hashed_block=256, numbered_at_once=100)
    vocabulary = params.get("vocabulary")
    of_fit = {name: value for name, value in params.items() if name != "vocabulary"}
    expected = Cooccurrence(**of_fit).fit(Corpus(shards, **reading), vocabulary=vocabulary)
    found = distributed.count(shards, **reading, **params)
    assert found.get_params() == expected.get_params()
    assert saved(found, tmp_path / "found") == saved(expected, tmp_path / "expected")
    assert not found.columns_.flags.writeable


@pytest.mark.parametrize("n_files", [1, 2, 7, 9, 65])
def test_any_cut_gives_the_same_counts(n_files, tmp_path, monkeypatch):
    set_sizes(monkeypatch, hashed_block=512)
    sentences = lines(130).splitlines(keepends=True)
    (tmp_path / "whole.txt").write_text("".join(sentences), encoding="utf-8")
    cuts = np.sort(RNG.integers(0, len(sentences), n_files - 1))
    parts = np.split(np.array(sentences), cuts)
    for number, part in enumerate(parts):
        (tmp_path / f"part-{number:02}.txt").write_text("".join(part), encoding="utf-8")
    counts = [
        distributed.count(tmp_path / "whole.txt", min_count=2, folder=tmp_path),
        distributed.count([*sorted(tmp_path.glob("part-*"))], min_count=2, folder=str(tmp_path)),
    ]
    for found in counts:
        found._provenance["corpora"][0]["files"] = ["the same"]
    whole, parts = (saved(found, tmp_path / "counts") for found in counts)
    assert whole == parts
    assert not list(tmp_path.glob("fastvec-*"))


@pytest.mark.parametrize("part_of_file", [2, 9])
@pytest.mark.parametrize(
    ("text", "reading"),
    [
        (b"\xef\xbb\xbfa b\r\nc \r d\r\n\n\n\r\nd e", {}),
        (b"\n\na b\n\xef\xbb\xbfa b\n" + b"1 0.5 0.5\n" * 3, {}),
        (b"a b\n" + b"b" * 40 + b" c a" * 9 + b"\nb a\n\n", {}),
        ("é ü\nü é\n".encode() * 2 + b"\xe2\x82\nb \xff\xe2", {"errors": "replace"}),
        (b"a b\r\n\n\xc3 b\na b a", {"errors": "ignore", "tokenizer": calls.split_words}),
    ],
)
def test_a_large_text_is_cut_at_ends_of_lines(text, reading, part_of_file, tmp_path, monkeypatch):
    set_sizes(monkeypatch, part_of_file=part_of_file, plain_block=3, pieces_of_text=4)
    (tmp_path / "a.txt").write_bytes(text)
    expected = Cooccurrence(min_count=1).fit(Corpus(tmp_path / "a.txt", **reading))
    found = distributed.count(tmp_path / "a.txt", **reading, min_count=1)
    assert saved(found, tmp_path / "found") == saved(expected, tmp_path / "expected")


@pytest.mark.parametrize("texts", [["1.2", "", "2.30.1"], ["1.2", "2.b/c.a", "é"], ["", "b.a/", "30.b"]])
def test_shards_of_ids_and_of_words(texts, tmp_path):
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.txt").write_text(text, encoding="utf-8")
    reading = {"tokenizer": calls.split_numbers}
    expected = Cooccurrence(min_count=1).fit(Corpus(tmp_path / "*.txt", **reading))
    found = distributed.count(tmp_path / "*.txt", **reading, min_count=1)
    assert found.vocabulary_.words == expected.vocabulary_.words
    assert saved(found, tmp_path / "found") == saved(expected, tmp_path / "expected")


def test_phrases_of_a_text_in_parts(tmp_path, monkeypatch):
    set_sizes(monkeypatch, part_of_file=200)
    (tmp_path / "a.txt").write_text(f"{lines(60)}\n\nW1 W2", encoding="utf-8")
    expected = Phrases(threshold=0.5, min_count=2)
    joined = expected.fit_transform(tmp_path / "a.txt")
    found = distributed.phrases(tmp_path / "a.txt", output=tmp_path / "b.txt", threshold=0.5, min_count=2)
    assert saved(found, tmp_path / "found") == saved(expected, tmp_path / "expected")
    assert [line.split() for line in (tmp_path / "b.txt").read_text("utf-8").split("\n")] == [*joined, []]


def test_the_error_of_a_part_counts_the_lines_of_the_file(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_bytes(b"a b\n" * 9 + b"a \xff\n" + b"b\n" * 9)
    with pytest.raises(ValueError, match=r"a\.txt, line 10, byte 38: not valid UTF-8") as expected:
        Corpus(tmp_path / "a.txt")
    set_sizes(monkeypatch, part_of_file=12)
    with pytest.raises(ValueError, match="line 10") as found:
        distributed.count(tmp_path / "a.txt")
    assert str(found.value) == str(expected.value)
    (tmp_path / "a.txt").write_bytes(b"\n " * 20)
    with pytest.raises(ValueError, match=r"^[^,]*a\.txt holds no words"):
        distributed.count(tmp_path / "a.txt")


def test_what_is_read_at_once(tmp_path, monkeypatch):
    read = []
    call = type(distributed.connect())._call
    monkeypatch.setattr(
        type(distributed.connect()),
        "_call",
        lambda engine, made: read.append(made.name) or call(engine, made),
    )
    set_sizes(monkeypatch, part_of_file=40)
    (tmp_path / "a.txt").write_text("a b c\n" * 16, encoding="utf-8")
    (tmp_path / "b.txt").write_text("a b c\n" * 6, encoding="utf-8")
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(" ".join(map(str, range(99))).encode()))
    distributed.count([*sorted(tmp_path.iterdir())], min_count=1)
    names = ["a.txt, 0 to 32", "a.txt, 32 to 64", "a.txt, 64 to 96", "b.txt", "c.txt.gz"]
    assert [name for name in read if name.startswith("read")] == [f"read {tmp_path / name}" for name in names]
    read.clear()
    (tmp_path / "a.fa").write_text(f">a\n{'ACGT' * 20}\n>b\nACG\n", encoding="utf-8")
    distributed.count(tmp_path / "a.fa", kmers=(2, 1), min_count=1)
    assert read[0] == f"read {tmp_path / 'a.fa'}"


@pytest.mark.parametrize(("workers", "memory_limit"), [(3, 2**32), (4, 28 * 400), (30, 1)])
def test_any_ranges_of_rows_give_the_same_counts(workers, memory_limit, shards, tmp_path, monkeypatch):
    monkeypatch.setattr(type(distributed.connect()), "workers", workers)
    params = {"min_count": 1, "memory_limit": memory_limit}
    found = distributed.count(shards, **params)
    assert saved(found, tmp_path / "found") == saved(
        Cooccurrence(**params).fit(shards), tmp_path / "expected"
    )


def test_counts_of_sequences_in_fasta(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.fa").write_text(f">a\nACGTAC{'GTTA' * number}\n>b\nNACG\n", encoding="utf-8")
    expected = Cooccurrence(min_count=1).fit(Corpus(tmp_path / "*.fa", kmers=(3, 1)))
    found = distributed.count(tmp_path / "*.fa", kmers=(3, 1), min_count=1)
    assert saved(found, tmp_path / "found") == saved(expected, tmp_path / "expected")


# Phrases


@pytest.mark.parametrize(
    "params",
    [
        {"threshold": 1, "min_count": 2, "passes": 3},
        {"threshold": -0.1, "scoring": "npmi", "connector_words": ["W1", "W2", "absent"], "passes": 2},
        {"threshold": 0, "scoring": lambda bigram_count, len_vocab, **_: bigram_count - len_vocab / 100},
        {"threshold": 1e9},
    ],
)
def test_phrases_of_shards_are_those_of_one_machine(params, shards, tmp_path):
    expected = Phrases(**params)
    joined = expected.fit_transform(shards)
    found = distributed.phrases(shards, output=tmp_path / "joined.txt.gz", **params)
    assert saved(found, tmp_path / "found") == saved(expected, tmp_path / "expected")
    assert found.pairs_ == expected.pairs_ and list(found.phrases_) == list(expected.phrases_)
    assert (len(found.phrases_) > 3) == (params["threshold"] < 1e9)
    text = gzip.decompress((tmp_path / "joined.txt.gz").read_bytes()).decode().split("\n")
    assert text == [*(" ".join(sentence) for sentence in joined), ""]
    without = distributed.phrases(shards, **params)
    assert without.pairs_ == expected.pairs_


# Other processes


@pytest.fixture(scope="module")
def engine():
    """Return two processes that several tests share; in the end, they are there but do nothing."""
    with distributed.connect(2) as engine:
        yield engine
        for number in numbers_of_both(engine):
            os.kill(number, getattr(signal, "SIGSTOP", signal.SIGTERM))  # which does not keep it from ending
        folder = folder_of(engine)
    assert not folder.exists()


def folder_of(engine):
    """Return the folder of its temporary files."""
    (shared,) = engine.results([engine.share(np.ones(1))])
    return Path(shared.filename).parent


def numbers_of_both(engine):
    """Return the numbers of both processes of an engine, when they have ended what they did before."""
    numbers, deadline = set(), time.monotonic() + HANGS
    while len(numbers) < 2 and time.monotonic() < deadline:
        handles = [engine.submit("number", calls.own_number, number) for number in range(4)]
        numbers.update(engine.results(handles))
    return numbers


@can_be_killed
def test_processes_call_functions_and_survive(engine, tmp_path, monkeypatch):
    array = np.arange(6.0)
    done = []
    shared = engine.share(array)
    handles = [engine.submit(f"part {number}", calls.scaled, shared, number) for number in range(5)]
    whole = engine.combine("add", calls.added, handles, at_once=2)
    left, right = engine.submit_parts("halves", 2, calls.halves, whole)
    (total,) = engine.submit_parts("total", 1, calls.one_part, whole)
    killed = engine.submit("killed", calls.killed_once, tmp_path / "marker", 7)
    results = engine.results([left, right, total, killed, shared, whole], done.append)
    assert sum(done) == 6
    expected = [array[:3] * 10, array[3:] * 10, 150, 7, array, array * 10]
    assert all(map(np.array_equal, results, expected))
    assert (tmp_path / "marker").exists()
    refused = engine.submit("listed", calls.listed, engine.submit("no", calls.refuse, 3))
    for _ in range(2):
        with pytest.raises(ValueError, match="what must be something else, got 3") as caught:
            engine.results([refused])
        assert "in refuse" in str(caught.value.__cause__)
    with pytest.raises(TypeError, match=r"^lambda: functions and arguments .* must be those of modules"):
        engine.results([engine.submit("lambda", lambda: 1)])
    set_sizes(monkeypatch, lost_workers=1)
    with pytest.raises(RuntimeError, match=r"^end: lost 2 workers, .* because it was killed by signal 9"):
        engine.results([engine.submit("end", calls.end)])


@can_be_killed
def test_a_call_that_hangs_is_started_again_and_what_comes_late_changes_nothing(engine, tmp_path):
    quick = [engine.submit("quick", calls.large_or_stopped, None, None, 50_000) for _ in range(3)]
    engine.results(quick)
    folder = folder_of(engine)
    n_files = len([*folder.iterdir()])
    for case, late in {"result": None, "error": ValueError("late"), "killed": None}.items():
        marker = tmp_path / case
        slow = engine.submit("slow", calls.large_or_stopped, marker, late, 60_000)
        assert np.array_equal(*engine.results([slow]), np.arange(60_000))
        if case == "killed":
            os.kill(stopped := int(marker.read_text(encoding="utf-8")), signal.SIGKILL)
            assert stopped not in numbers_of_both(engine)
        else:
            stopped = calls.go_on(marker)
            assert stopped in numbers_of_both(engine)
        assert np.array_equal(*engine.results([slow]), np.arange(60_000))
        assert len([*folder.iterdir()]) == n_files + 1


def test_what_is_more_work_may_take_longer(engine, tmp_path):
    engine.results([engine.submit("small", calls.nap, tmp_path, 0.05) for _ in range(3)])
    engine.results([engine.submit("large", calls.nap, tmp_path, 0.5, size=20)])
    numbers_of_both(engine)
    assert len([*tmp_path.iterdir()]) == 4


def test_large_results_of_processes_are_files_that_go_with_their_handles(engine):
    already = {*folder_of(engine).iterdir()}
    first, pair = engine.submit_parts("large", 2, calls.large, 50_000)
    handles = [first, pair, engine.submit("sums", calls.sums, first, pair)]
    array, (small, both), found = engine.results(handles)
    assert np.array_equal(array, np.arange(50_000)) and np.array_equal(small, np.ones(3))
    assert isinstance(engine.results([pair])[0], calls.Pair) and both.shape == (2, 50_000)
    assert found == [array.sum(), 3, both.sum()]
    (folder,) = {Path(item.filename).parent for item in (array, both)}
    assert len({*folder.iterdir()} - already) == 2
    del handles, pair, both
    assert {*folder.iterdir()} - already == {Path(array.filename)}
    engine.submit("large, for nobody", calls.large, 50_000)
    numbers_of_both(engine)
    assert {*folder.iterdir()} - already == {Path(array.filename)}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_full_disk_of_temporary_files_is_named(tmp_path, monkeypatch):
    import resource

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    array = np.arange(50_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with distributed.connect(1) as engine:
        engine.results([engine.submit("limit", calls.limit_files, 1 << 16)])
        try:
            calls.limit_files(1 << 16)
            with pytest.raises(
                OSError, match="File too large: for a shared array, up to 400,000 bytes"
            ) as of_share:
                engine.share(array)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        with pytest.raises(OSError, match="File too large: for a result, up to 400,000 bytes") as of_result:
            engine.results([engine.submit("large", calls.scaled, engine.share(array), 1)])
    for caught in (of_share, of_result):
        assert caught.value.filename == str(tmp_path) and "; TMPDIR names another folder" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_calls_in_this_process():
    with distributed.connect() as engine:
        shared = engine.share(np.arange(4.0))
        handles = [engine.submit("scale", calls.scaled, shared, number) for number in range(3)]
        assert np.array_equal(engine.results([engine.combine("add", calls.added, handles)])[0], [0, 3, 6, 9])
        with pytest.raises(ValueError, match="a call must return 3 parts, got 2"):
            engine.submit_parts("halves", 3, calls.halves, shared)
        with pytest.raises(ValueError, match="got 1"):
            engine.submit("refuse", calls.refuse, 1)


@pytest.mark.parametrize(
    ("n", "at_once", "expected"),
    [
        (1, 8, "0"),
        (3, 2, "((0 1) 2)"),
        (5, 2, "(((0 1) (2 3)) 4)"),
        (9, 8, "((0 1 2 3 4 5 6 7) 8)"),
    ],
)
def test_results_are_merged_in_their_order(n, at_once, expected):
    with distributed.connect() as engine:
        handles = [engine.submit("item", str, number) for number in range(n)]
        assert engine.results([engine.combine("list", calls.listed, handles, at_once)]) == [expected]


def test_workers_have_the_version_and_the_backend_of_their_process(monkeypatch):
    here = inner("setting")(any_backend=False)
    assert here == (fastvec.__version__, kernels.selected(), 1)
    assert inner("setting")(any_backend=True).backend is None
    monkeypatch.setenv("FASTVEC_BACKEND", "reference")  # restored, whatever a call sets
    set_sizes(monkeypatch, file_threads=8)
    assert here.call(calls.backend) == here.backend
    with pytest.raises(RuntimeError, match=r"workers must have the fastvec .*, 9\.9, got .* on .*: install"):
        here._replace(version="9.9").call(calls.backend)
    lacking = next(name for name in ("neon", "avx2") if name not in kernels.available())
    with pytest.raises(
        RuntimeError, match=rf"differ: {lacking}, got reference, .*; set FASTVEC_BACKEND to one"
    ):
        here._replace(backend=lacking).call(calls.backend)


@can_be_killed
def test_a_killed_worker_changes_no_bit(tmp_path, monkeypatch):
    monkeypatch.setenv("MARKER", str(tmp_path / "marker"))
    texts = [tmp_path / f"{number}.txt" for number in range(4)]
    for number, path in enumerate(texts):
        path.write_text(lines(20) + ("and killed\n" if number == 2 else ""), encoding="utf-8")
    found = distributed.count(texts, tokenizer=calls.split_or_die, cluster=2, folder=tmp_path, min_count=1)
    assert (tmp_path / "marker").exists()
    expected = Cooccurrence(min_count=1).fit(Corpus(texts, tokenizer=calls.split_or_die))
    assert saved(found, tmp_path / "found") == saved(expected, tmp_path / "expected")
    assert not list(tmp_path.glob("fastvec-*"))


SLOW = """
import sys, calls
from fastvec import distributed
if __name__ == "__main__":
    try:
        distributed.count(sys.argv[1:], tokenizer=calls.split_slowly, cluster=2, folder=sys.argv[1])
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to all processes of a console")
def test_an_interrupt_leaves_nothing_behind(tmp_path):
    markers, texts = tmp_path / "markers", tmp_path / "texts"
    markers.mkdir()
    texts.mkdir()
    for name in "abc":
        (texts / name).write_text("a b\n", encoding="utf-8")
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    paths = os.pathsep.join(map(str, [Path(calls.__file__).parent, Path(fastvec.__file__).parents[1]]))
    environment = os.environ | {"MARKER": str(markers), "PYTHONPATH": paths}
    command = [sys.executable, tmp_path / "slow.py", texts]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env=environment, start_new_session=True
    ) as process:
        deadline = time.monotonic() + HANGS
        while len(list(markers.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it
        assert process.communicate(timeout=HANGS) == (b"interrupted\n", None)
    assert [path.name for path in texts.iterdir() if path.is_dir()] == []
    for marker in markers.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(marker.name), 0)


def test_a_script_without_a_guard_is_told_so(tmp_path):
    (tmp_path / "a.txt").write_text("a b\n", encoding="utf-8")
    program = "from fastvec import distributed\ndistributed.count('a.txt', cluster=1)\n"
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(Path(fastvec.__file__).parents[1])}
    command = [sys.executable, "program.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "a worker process could not begin: it ended with status 1; a script" in last
    assert "if __name__ == '__main__':" in last


# What goes wrong


@pytest.mark.parametrize(
    ("shards", "params", "error"),
    [
        ("absent.txt", {}, "absent.txt"),
        ("absent-*.txt", {}, "no files there"),
        ([], {}, "shards must be paths or addresses of files, or a data set of Ray, got []"),
        ([["a", "b"]], {}, "shards must be paths or addresses .*: fit takes anything that Corpus does"),
        (["-"], {}, "got '-', which one process alone can read"),
        ("empty.txt", {}, "empty.txt holds no words"),
        ("a.txt", {"cluster": 0}, "cluster must be an int from 1 to 4096, got 0"),
        ("a.txt", {"cluster": True}, "cluster must be None, a number of processes or the address"),
        ("a.txt", {"folder": "absent"}, "absent"),
        ("a.txt", {"folder": "s3://bucket"}, "folder must be on a disk"),
        ("a.txt", {"kmers": (0, 1)}, "kmers"),
        ("a.txt", {"errors": "lax"}, "errors must be one of"),
        ("a.txt", {"window": 0}, "window must be an int from 1 to 1000, got 0"),
        ("a.txt", {"min_count": 9}, "min_count=9 leaves no word"),
        ("a.txt", {"vocabulary": ["z"]}, "vocabulary must have a word of"),
        ("a.txt", {"width": 3}, "width"),
    ],
)
def test_wrong_input(shards, params, error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("a b a\n", encoding="utf-8")
    Path("empty.txt").write_text("\n \n", encoding="utf-8")
    with pytest.raises((TypeError, ValueError, OSError, ImportError), match=error.replace("[]", r"\[\]")):
        distributed.count(shards, **params)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "empty.txt"]


def test_a_cluster_of_ray_needs_ray(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("a b\n", encoding="utf-8")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        ImportError, match=r"^'auto' is .* a cluster of Ray, .*: pip install 'fastvec\[ray\]'$"
    ):
        distributed.count(tmp_path / "a.txt", cluster="auto")


def test_phrases_need_words(tmp_path):
    (tmp_path / "empty.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(ValueError, match="shards must have words in which to find phrases"):
        distributed.phrases(tmp_path / "empty.txt")


def test_a_shard_that_vanishes_is_named(tmp_path, monkeypatch):
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text("a b\n", encoding="utf-8")
    second.write_text("a b\n", encoding="utf-8")
    monkeypatch.setenv("VANISHES", str(second))
    with pytest.raises(FileNotFoundError, match=r"second\.txt"):
        distributed.count([first, second], tokenizer=calls.split_and_remove)


def test_a_folder_that_a_worker_does_not_see_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("a b\n", encoding="utf-8")
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("VANISHES", str(tmp_path / "work"))
    with pytest.raises(
        FileNotFoundError, match=r"^folder must be on a disk that all workers share, got '.*work'"
    ):
        distributed.count(tmp_path / "a.txt", folder=tmp_path / "work", tokenizer=calls.split_and_remove)


# The command


def test_the_command_has_the_bytes_of_one_process(shards, shown, tmp_path):
    def written(verb, name, *options):
        status, out, errors = shown(verb, shards, "-o", tmp_path / name, *options)
        assert status == 0, errors
        return out, (tmp_path / name).read_bytes()

    _, expected = written("cooccur", "one.fvcounts", "--min-count", 1, "--threads", 1)
    out, found = written("cooccur", "two.fvcounts", "--min-count", 1, "--threads", 1, "--processes", 1)
    assert found == expected
    assert f"counted {Corpus(shards).n_tokens:,} words" in out
    assert "files" in shown("info", tmp_path / "two.fvcounts", "--json")[1]
    options = ("--threshold", 1, "--save-phrases")
    out, expected = written("phrases", "one.txt", *options, tmp_path / "one.json")
    again, found = written("phrases", "two.txt", *options, tmp_path / "two.json", "--processes", 1)
    assert found == expected and again.replace("two.txt", "one.txt") == out
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("cooccur", "--processes", 0), "--processes must be an int from 1 to 4096, got 0"),
        (("cooccur", "--folder", "."), "--folder is for --ray or --processes, got '.' without them"),
        (("cooccur", "--processes", 1, "--cache", "c"), "--cache keeps a text that is read on one machine"),
        (("cooccur", "--processes", 1, "--ray", "auto"), "not allowed with argument"),
        (("phrases", "--processes", 1, "--phrases", "a.txt"), "--phrases joins phrases on one machine"),
    ],
)
def test_options_that_do_not_fit(options, error, shown, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("a b a\n", encoding="utf-8")
    fastvec.Phrases().fit([["a"]]).save("a.json")
    verb, *rest = (str(option).replace("a.txt", "a.json") for option in options)
    output = "a.fvcounts" if verb == "cooccur" else "b.txt"
    status, _, errors = shown(verb, "a.txt", "-o", output, *rest)
    assert status == 2 and error in errors
    assert not Path(output).exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_full_disk_is_one_line(tmp_path):
    (tmp_path / "text").write_text(lines(400), encoding="utf-8")
    limited = (
        f"ulimit -f 1; exec {shlex.quote(sys.executable)} -m fastvec cooccur text -o x.fvcounts --processes 1"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(fastvec.__file__).parents[1])}
    done = subprocess.run(
        limited, shell=True, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=HANGS
    )
    assert done.returncode == 2, done.stderr
    expected = "File too large: for a part of the text or its counts, up to "
    assert expected in done.stderr.splitlines()[-1]
    assert done.stderr.splitlines()[-1].endswith("; folder names another place")
    assert [path.name for path in tmp_path.iterdir()] == ["text"]
