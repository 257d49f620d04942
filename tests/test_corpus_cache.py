import os
import re
import stat
import time

import numpy as np
import pytest
import safetensors_files
from hypothesis import given, settings
from hypothesis import strategies as st
from inside import wrap

from fastvec import Corpus

pytestmark = pytest.mark.any_backend

TEXT = "to be or not to be\n\nbe quick\n"
SENTENCES = [["to", "be", "or", "not", "to", "be"], ["be", "quick"]]


@pytest.fixture
def text_file(file):
    return file(TEXT)


def assert_holds(corpus, sentences):
    assert list(corpus) == sentences
    assert corpus.vocabulary.total == corpus.n_tokens == sum(map(len, sentences))


@pytest.fixture
def reads(monkeypatch):
    """The list of files whose text was read."""
    read = []

    def recorded(encode, source, files, *arguments):
        read.extend(files)
        return encode(source, files, *arguments)

    wrap(monkeypatch, "encode", recorded)
    return read


def test_cache_is_reopened_without_reading(text_file, tmp_path, reads):
    cache = tmp_path / "text.ids"
    for _ in range(3):
        corpus = Corpus(text_file, cache=cache)
        assert_holds(corpus, SENTENCES)
        assert isinstance(corpus.ids, np.memmap)
        assert isinstance(corpus.sentence_offsets, np.memmap)
    assert reads == [str(text_file)]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["text.ids", "text.txt"]
    assert stat.S_IMODE(cache.stat().st_mode) == stat.S_IMODE(text_file.stat().st_mode)


def test_cache_of_ids_that_outgrow_memory(text_file, tmp_path):
    assert_holds(Corpus(text_file, cache=tmp_path / "text.ids", memory_limit=1), SENTENCES)


def test_cache_is_rebuilt_when_anything_changed(text_file, tmp_path, reads):
    cache = tmp_path / "text.ids"
    Corpus(text_file, cache=cache)
    Corpus(text_file, cache=cache, lowercase=True)
    Corpus(text_file, cache=cache, lowercase=True, errors="ignore")
    Corpus([text_file, text_file], cache=cache, lowercase=True, errors="ignore")
    assert len(reads) == 5
    text_file.write_text(TEXT.replace("be", "do"))
    os.utime(text_file, ns=(0, time.time_ns() + 10**9))
    assert_holds(Corpus(text_file, cache=cache), [["to", "do", "or", "not", "to", "do"], ["do", "quick"]])
    assert len(reads) == 6


def test_cache_remembers_the_tokenizer(text_file, tmp_path):
    cache = tmp_path / "text.ids"
    assert Corpus(text_file, cache=cache, tokenizer=split_at_o).n_tokens == 6
    assert Corpus(text_file, cache=cache, tokenizer=split_at_o).n_tokens == 6
    assert Corpus(text_file, cache=cache).n_tokens == 8
    for nameless in (lambda line: line.split(), re.compile(r"\w+").findall):
        with pytest.raises(
            ValueError, match="cache must be None unless tokenizer is a module-level function"
        ):
            Corpus(text_file, cache=cache, tokenizer=nameless)


def split_at_o(line):
    return [word for word in line.split("o") if word]


def test_safetensors_reads_the_cache(text_file, tmp_path):
    cache = tmp_path / "text.ids"
    corpus = Corpus(text_file, cache=cache)
    tensors, _ = safetensors_files.read(cache)
    assert tensors["ids"].tolist() == corpus.ids.tolist()
    assert tensors["counts"].tolist() == [3, 2, 1, 1, 1]
    assert tensors["words"].tobytes() == b"betoornotquick"


@pytest.mark.parametrize("content", [b"", b"precious notes", b"\xff" * 50, (2).to_bytes(8, "little") + b"{}"])
def test_a_foreign_file_is_not_overwritten(text_file, tmp_path, content):
    cache = tmp_path / "text.ids"
    cache.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^{re.escape(str(cache))}: .*not a .*the file was not changed"):
        Corpus(text_file, cache=cache)
    assert cache.read_bytes() == content


def test_a_failed_rebuild_leaves_the_old_cache(text_file, tmp_path, monkeypatch):
    cache = tmp_path / "text.ids"
    Corpus(text_file, cache=cache)
    old = cache.read_bytes()

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        Corpus(text_file, cache=cache, lowercase=True)
    assert cache.read_bytes() == old
    assert len(list(tmp_path.iterdir())) == 2


def test_truncated_caches(text_file, tmp_path):
    cache = tmp_path / "text.ids"
    Corpus(text_file, cache=cache)
    whole = cache.read_bytes()
    for length in range(0, len(whole), 7):
        cache.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=re.escape(str(cache))):
            Corpus(text_file, cache=cache)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("ids", [1, 0, 2, 3, 1, 0, 0, 5], "ids out of range"),
        ("ids", [1, 0, 2, 3, 1, 0, 0, -1], "ids out of range"),
        ("ids", [], "sentence_offsets do not ascend from 0 to 0"),
        ("sentence_offsets", [0, 9, 8], "sentence_offsets do not ascend"),
        ("sentence_offsets", [0, 6], "sentence_offsets do not ascend"),
        ("sentence_offsets", [], "sentence_offsets do not ascend"),
        ("word_offsets", [0, 2, 1, 5, 9, 14], "word_offsets do not ascend"),
        ("word_offsets", [0, 2, 4, 6, 9, 2**60], "word_offsets do not ascend"),
        ("words", b"\xff" * 14, "codec can't decode"),
        ("counts", [3, 2, 1, 1, 2], "counts do not fit"),
        ("counts", [8], "counts do not fit"),
    ],
)
def test_caches_that_would_lead_a_kernel_astray(text_file, tmp_path, name, values, message):
    cache = tmp_path / "text.ids"
    Corpus(text_file, cache=cache)
    tensors, metadata = safetensors_files.read(cache)
    tensors[name] = np.array(list(values), tensors[name].dtype)
    safetensors_files.write(cache, tensors, metadata)
    with pytest.raises(ValueError, match=f"^{re.escape(str(cache))}: corrupt cache .*{message}"):
        Corpus(text_file, cache=cache)


@pytest.fixture(scope="module")
def unverified(tmp_path_factory):
    """A text, its cache, and the bytes of a cache without checksums."""
    text = tmp_path_factory.mktemp("unverified") / "source"
    cache = text.with_suffix(".ids")
    text.write_text(TEXT)
    Corpus(text, cache=cache)
    safetensors_files.write(cache, *safetensors_files.read(cache))
    return text, cache, cache.read_bytes()


@given(position=st.integers(0, 1500), byte=st.integers(0, 255))
@settings(deadline=None)
def test_a_changed_byte_never_lets_ids_out_of_range_through(unverified, position, byte):
    text, cache, content = unverified
    data = bytearray(content)
    data[position % len(data)] = byte
    cache.write_bytes(data)
    try:
        corpus = Corpus(text, cache=cache)
    except ValueError:
        return
    assert 0 <= corpus.ids.min() <= corpus.ids.max() < len(corpus.vocabulary)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_a_cache_that_cannot_be_written_is_refused_before_the_text_is_read(text_file, tmp_path, reads):
    os.mkfifo(tmp_path / "pipe")
    for path, what in ((tmp_path / "pipe", "a pipe"), (os.devnull, "a device"), (tmp_path, "a folder")):
        with pytest.raises(ValueError, match=f"cache must be a regular file or new, got .*, which is {what}"):
            Corpus(text_file, cache=path)
    with pytest.raises(FileNotFoundError, match="cannot write in this folder"):
        Corpus(text_file, cache=tmp_path / "missing" / "text.ids")
    assert reads == []
