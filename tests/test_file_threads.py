"""Files are read and written by several threads: what comes of it does not depend on how many there are."""

import gzip
import threading
import time

import numpy as np
import pytest
from inside import inner, set_sizes, wrap

import fastvec
from fastvec import Corpus, Vectors

pytestmark = pytest.mark.any_backend

Workers = inner("workers")
THREADS = (1, 2, 3, 8)


@pytest.mark.parametrize(("usable", "expected"), [(1, 1), (3, 3), (64, 8)])
def test_as_many_threads_as_processors_but_few(monkeypatch, usable, expected):
    wrap(monkeypatch, "usable_threads", lambda _: usable)
    assert inner("corpus_threads")() == inner("text_threads")() == expected


@pytest.mark.parametrize("n", THREADS)
def test_results_come_in_order(n):
    def work(item):
        time.sleep(0.002 * (item % 3 == 0))
        return -item

    with Workers(n) as workers:
        assert list(workers.in_order(work, range(50))) == [-item for item in range(50)]
        assert list(workers.in_order(work, [])) == []


@pytest.mark.parametrize("n", THREADS)
def test_few_items_are_taken_ahead(n):
    taken = []
    with Workers(n) as workers:
        results = workers.in_order(abs, (taken.append(i) or i for i in range(1000)))
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        assert len(taken) == 3 if n == 1 else 3 <= len(taken) <= 2 + 2 * n


@pytest.mark.parametrize("n", THREADS)
def test_an_error_of_items_comes_after_their_results(n):
    def items():
        yield from range(5)
        raise OSError("disk")

    found = []
    with Workers(n) as workers, pytest.raises(OSError, match="disk"):
        found.extend(workers.in_order(abs, items()))
    with Workers(n) as workers, pytest.raises(ZeroDivisionError):
        list(workers.in_order(lambda item: 1 // (item - 4), items()))
    with Workers(n) as workers, pytest.raises(OSError, match="disk"):
        for result in workers.in_order(abs, items()):
            found.append(result)
    assert found[-5:] == [*range(5)]


@pytest.fixture(params=THREADS)
def threads(request, monkeypatch):
    for name in ("corpus_threads", "text_threads"):
        wrap(monkeypatch, name, lambda _: request.param)
    before = threading.active_count()
    yield request.param
    assert threading.active_count() == before


@pytest.fixture
def small_pieces(monkeypatch):
    set_sizes(monkeypatch, pieces_of_text=50, plain_block=30, compressed_block=70)


def a_text(seed, n_lines=300):
    """Return lines of words of which few are frequent and most occur once, and some empty lines."""
    random = np.random.default_rng(seed)
    lines = [" ".join(f"wörd{n}" for n in random.zipf(1.5, random.integers(0, 9))) for _ in range(n_lines)]
    return "\n".join(lines)


@pytest.mark.parametrize("keep_empty", [False, True])
def test_a_corpus_is_the_same(tmp_path, threads, small_pieces, keep_empty):
    texts = [a_text(1), "", a_text(2) + "\n", "\n\n", "last"]
    paths = [tmp_path / str(i) for i in range(len(texts))]
    for i, (path, text) in enumerate(zip(paths, texts, strict=True)):
        path.write_bytes(gzip.compress(text.encode()) if i % 2 else text.encode())
    sentences = [line.split() for text in texts for line in text.removesuffix("\n").split("\n") if text]
    expected = Corpus([words for words in sentences if words or keep_empty], keep_empty=keep_empty)
    for memory_limit in (2**32, 100):
        corpus = Corpus(paths, keep_empty=keep_empty, memory_limit=memory_limit)
        assert corpus.vocabulary.words == expected.vocabulary.words
        np.testing.assert_array_equal(corpus.vocabulary.counts, expected.vocabulary.counts)
        np.testing.assert_array_equal(corpus.ids, expected.ids)
        np.testing.assert_array_equal(corpus.sentence_offsets, expected.sentence_offsets)


def test_the_first_error_of_a_text_is_raised(tmp_path, threads, small_pieces):
    begin = a_text(3, 40).encode() + b"\nfine "
    text = begin + b"bad\xe2\x82 word\nanother\xff\n" + a_text(4, 5000).encode()
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(text)[:-20])
    with pytest.raises(ValueError, match="not valid UTF-8") as error:
        Corpus(path)
    place = f"line {begin.count(10) + 1}, byte {len(begin) + 3}: not valid UTF-8"
    assert f"{path}, {place} (unexpected end of data, 0xe2)" in str(error.value)
    path.write_bytes(gzip.compress(a_text(5).encode())[:-20])
    with pytest.raises(ValueError, match="truncated gzip file"):
        Corpus(path)


def test_an_interrupted_text_leaves_no_thread(tmp_path, threads, small_pieces, monkeypatch):
    def interrupted(*_):
        yield b"some words\n" * 100
        raise KeyboardInterrupt

    wrap(monkeypatch, "read_blocks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Corpus(tmp_path / __file__)


def test_vectors_as_text_are_the_same(tmp_path, threads, monkeypatch):
    set_sizes(monkeypatch, text_block=2000)
    words, path = [f"wörd{i}" for i in range(500)], tmp_path / "v.vec"
    vectors = np.random.default_rng(6).standard_normal((500, 7)).astype(np.float32)
    Vectors(words, vectors).save(path)
    lines = [" ".join([word, *(f"{x:.9g}" for x in row)]) for word, row in zip(words, vectors, strict=True)]
    assert path.read_text(encoding="utf-8") == "".join(f"{line}\n" for line in ["500 7", *lines])
    loaded = fastvec.load(path)
    assert loaded.words == words
    np.testing.assert_array_equal(loaded.vectors, vectors)
    lines[100] = "\n" + lines[100].replace(" ", "  ")  # as `_careful_rows` reads it
    path.write_text("\n".join(["500 7", *lines]), encoding="utf-8")
    np.testing.assert_array_equal(fastvec.load(path).vectors, vectors)
    for limit in (1, 99, 101, 400):
        np.testing.assert_array_equal(fastvec.load(path, limit=limit).vectors, vectors[:limit])
    for bad in (490, 200, 199):
        lines[bad] += " x"
        path.write_text("\n".join(["500 7", *lines]), encoding="utf-8")
        with pytest.raises(ValueError, match=f"line {bad + 3}: "):
            fastvec.load(path)
    assert fastvec.load(path, limit=199).words == words[:199]
