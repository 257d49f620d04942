"""What Windows and macOS do differently, on Linux: their rules are put in the place of its own.

Windows replaces and removes no file that is open or memory-mapped. Linux does, but tells what is in use.
"""

import errno
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from commands import run
from inside import as_on_windows, preallocate, replacing, set_sizes

import fastvec
from fastvec import cli

pytestmark = pytest.mark.any_backend(trains=True)

WORDS = ["a", "b", "c"]
MATRIX = np.arange(21, dtype=np.float32).reshape(3, 7)
IN_USE = (
    "Windows replaces no file that is read-only, open or memory-mapped; "
    "close or delete what was loaded from it, or save under another name"
)


@pytest.fixture
def windows(monkeypatch):
    """Let this process replace and remove files as Windows would."""
    if not Path("/proc/self/maps").exists():
        pytest.skip("only Linux tells which files are in use")

    def refuse_in_use(*paths):
        for path in map(os.path.realpath, paths):
            maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
            mapped = any(line.endswith(f" {path}") for line in maps)
            opened = any(
                os.path.realpath(descriptor) == path for descriptor in Path("/proc/self/fd").iterdir()
            )
            if mapped or opened:
                raise PermissionError(errno.EACCES, "Access is denied", path)

    replace, unlink = os.replace, os.unlink

    def replace_as_windows(source, target):
        refuse_in_use(source, target)
        replace(source, target)

    def unlink_as_windows(path, **options):
        refuse_in_use(path)
        unlink(path, **options)

    monkeypatch.setattr(os, "replace", replace_as_windows)
    monkeypatch.setattr(os, "unlink", unlink_as_windows)
    as_on_windows(monkeypatch)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "v.fvec"
    fastvec.Vectors(WORDS, MATRIX).save(path)
    return path


def test_a_mapped_file_is_not_replaced(windows, path):
    old, vectors = path.read_bytes(), fastvec.load(path, mmap=True)
    with pytest.raises(PermissionError, match=IN_USE) as error:
        vectors.save(path)
    assert error.value.filename == str(path)
    assert path.read_bytes() == old
    assert list(path.parent.iterdir()) == [path]
    vectors.save(path.with_name("other.fvec"))
    del vectors, error  # whose traceback has them too
    fastvec.Vectors(WORDS, -MATRIX).save(path)
    np.testing.assert_array_equal(fastvec.load(path).vectors, -MATRIX)


def test_a_mapping_that_nobody_has_any_more_does_not_count(windows, path):
    cycle = [fastvec.load(path, mmap=True)]
    cycle.append(cycle)
    del cycle
    fastvec.Vectors(WORDS, -MATRIX).save(path)


def test_a_file_that_is_open_for_a_moment_is_replaced(windows, path):
    file = path.open("rb")
    timer = threading.Timer(0.15, file.close)
    timer.start()
    fastvec.Vectors(WORDS, -MATRIX).save(path)
    timer.join()
    np.testing.assert_array_equal(fastvec.load(path).vectors, -MATRIX)


def test_a_body_that_fails_removes_its_file(windows, path):
    with pytest.raises(RuntimeError), replacing(path) as temporary, temporary.open("wb"):
        raise RuntimeError
    assert list(path.parent.iterdir()) == [path]


def test_a_corpus_in_use_keeps_its_cache(windows, tmp_path):
    text, cache = tmp_path / "text.txt", tmp_path / "text.ids"
    text.write_text("a b c\n", encoding="utf-8")
    corpus = fastvec.Corpus(text, cache=cache)
    text.write_text("a b c d\n", encoding="utf-8")
    with pytest.raises(PermissionError, match=IN_USE):
        fastvec.Corpus(text, cache=cache)
    assert list(corpus) == [["a", "b", "c"]]
    del corpus
    for _ in range(2):
        assert list(fastvec.Corpus(text, cache=cache)) == [["a", "b", "c", "d"]]


def test_the_command_refuses_a_file_in_use_before_the_work(windows, path, capsys):
    with path.open("rb"):
        status = cli.main(["train", "no such text", "-o", str(path)])
    assert status == 2
    assert capsys.readouterr().err == f"fastvec: error: {path}: Access is denied: {IN_USE}\n"


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EPIPE])
def test_a_reader_that_leaves_is_no_error(windows, path, monkeypatch, number):
    closed = []

    def fail(text):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "dup2", lambda *descriptors: closed.append(descriptors))
    with Path(os.devnull).open("w", encoding="utf-8") as left:
        left.write = fail
        monkeypatch.setattr("sys.stdout", left)
        assert cli.main(["neighbors", str(path), "a"]) == 141
    assert len(closed) == 1


def test_what_goes_to_a_pipe_is_utf_8(tmp_path):
    path = tmp_path / "v.fvec"
    fastvec.Vectors(["北京", "東京", "Zürich"], MATRIX).save(path)
    environment = os.environ | {"PYTHONIOENCODING": "cp1252"}  # what Windows has in Europe
    done = run("neighbors", path, "北京", env=environment)
    assert done.returncode == 0, done.stderr
    assert "東京" in done.stdout
    assert "Zürich" in done.stdout


def refuse(number):
    def posix_fallocate(*_):
        raise OSError(number, os.strerror(number))

    return posix_fallocate


@pytest.mark.parametrize("function", [None, refuse(errno.EOPNOTSUPP)])
def test_disk_space_is_reserved_everywhere(tmp_path, monkeypatch, function):
    """macOS and Windows lack posix_fallocate; musl's fails where the file system does not support it."""
    if function is None:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    else:
        monkeypatch.setattr(os, "posix_fallocate", function, raising=False)
    set_sizes(monkeypatch, zeros=1000)
    path = tmp_path / "room"
    with path.open("wb") as file:
        preallocate(file, 4500)
        assert path.stat().st_size == 4500
    assert path.stat().st_blocks * 512 >= 4500


def test_a_full_disk_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", refuse(errno.ENOSPC), raising=False)
    with (tmp_path / "room").open("wb") as file, pytest.raises(OSError, match="No space left"):
        preallocate(file, 4500)


def test_glove_trains_on_disk_without_posix_fallocate(monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    counts = fastvec.Cooccurrence(min_count=1).fit([["a", "b", "c", "d"] * 20])
    fits = [
        fastvec.GloVe(vector_size=5, epochs=2, threads=1, memory_limit=limit).fit(counts)
        for limit in (2**30, 1)
    ]
    np.testing.assert_array_equal(fits[0].vectors_.vectors, fits[1].vectors_.vectors)
