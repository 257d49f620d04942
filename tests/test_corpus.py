import bz2
import collections
import gzip
import lzma
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inside import set_sizes

from fastvec import Corpus

pytestmark = pytest.mark.any_backend

TEXT = "to be or not to be\n\nbe quick\n"
SENTENCES = [["to", "be", "or", "not", "to", "be"], ["be", "quick"]]


@pytest.fixture
def text_file(file):
    return file(TEXT)


def check_invariants(corpus, sentences):
    """Hold every public part of a corpus against sentences, written with lists and a Counter."""
    flat = [word for sentence in sentences for word in sentence]
    by_frequency = collections.Counter(flat).most_common()  # ties in the order of first appearance
    assert list(corpus) == sentences
    assert corpus.vocabulary.words == [word for word, _ in by_frequency]
    assert corpus.vocabulary.counts.tolist() == [count for _, count in by_frequency]
    assert [corpus.vocabulary.words[i] for i in corpus.ids] == flat
    assert len(corpus) == len(sentences)
    assert corpus.n_tokens == corpus.vocabulary.total == len(flat)
    assert corpus.ids.dtype == np.int32
    assert corpus.ids.flags.c_contiguous
    assert not corpus.ids.flags.writeable
    assert corpus.sentence_offsets.dtype == np.int64
    assert corpus.sentence_offsets[0] == 0
    assert corpus.sentence_offsets[-1] == len(flat)


# What can be read


def test_a_file(text_file):
    corpus = Corpus(text_file)
    check_invariants(corpus, SENTENCES)
    assert corpus.ids.tolist() == [1, 0, 2, 3, 1, 0, 0, 4]
    assert repr(corpus) == "Corpus(2 sentences, 8 tokens, 5 distinct words)"
    assert list(Corpus(str(text_file))) == SENTENCES


def test_several_files_do_not_run_into_each_other(tmp_path):
    paths = [tmp_path / name for name in "abc"]
    for path, text in zip(paths, [b"one two", b"three\nfour", b"one"], strict=True):
        path.write_bytes(text)
    check_invariants(Corpus(paths), [["one", "two"], ["three"], ["four"], ["one"]])
    check_invariants(Corpus(tuple(map(str, paths[:2]))), [["one", "two"], ["three"], ["four"]])


def zstd_compress(data):
    return pytest.importorskip("zstandard").ZstdCompressor().compress(data)


COMPRESSORS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd_compress}


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compressed_files_are_known_by_content(tmp_path, kind):
    path = tmp_path / "no-suffix"
    path.write_bytes(COMPRESSORS[kind](TEXT.encode()))
    check_invariants(Corpus(path), SENTENCES)


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compressed_streams_end_to_end_and_padding(tmp_path, kind):
    path = tmp_path / "text"
    halves = COMPRESSORS[kind](b"to be or n"), COMPRESSORS[kind](b"ot to be\nbe quick")
    path.write_bytes(b"".join(halves) + b"\0" * 100_000)
    check_invariants(Corpus(path), SENTENCES)


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_large_compressed_files(tmp_path, kind):
    lines = [f"w{n % 1013} w{n * n % 4099} {n}" for n in range(60_000)]
    path = tmp_path / "text"
    path.write_bytes(COMPRESSORS[kind]("\n".join(lines).encode()))
    check_invariants(Corpus(path), [line.split() for line in lines])


@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize("length", [20, -1])
def test_truncated_compressed_files(tmp_path, kind, length):
    path = tmp_path / "text"
    path.write_bytes(COMPRESSORS[kind](os.urandom(100_000).hex().encode())[:length])
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: truncated {kind} file"):
        Corpus(path)


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_corrupt_compressed_files(tmp_path, kind):
    path = tmp_path / "text"
    data = bytearray(COMPRESSORS[kind](os.urandom(100_000).hex().encode()))
    data[6:60] = bytes(54)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: (corrupt|truncated) {kind}"):
        Corpus(path)


def test_zstd_without_its_package(tmp_path, monkeypatch):
    path = tmp_path / "text.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd.....")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(ImportError, match=r"pip install 'fastvec\[zstd\]'"):
        Corpus(path)


def test_zip_archives_are_refused(tmp_path):
    path = tmp_path / "text8.zip"
    path.write_bytes(b"PK\x03\x04....")
    with pytest.raises(ValueError, match=r"text8\.zip is a zip archive"):
        Corpus(path)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_standard_input(compress):
    script = "from fastvec.corpus import Corpus; corpus = Corpus('-'); print(corpus, list(corpus))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    output = subprocess.run(
        [sys.executable, "-c", script], input=compress(TEXT.encode()), capture_output=True, env=environment
    )
    assert output.stderr == b""
    assert output.stdout.decode().strip() == f"Corpus(2 sentences, 8 tokens, 5 distinct words) {SENTENCES}"


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are of Unix")
def test_a_pipe_is_opened_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", f"printf 'one two\\nthree' > '{pipe}'"]):
        check_invariants(Corpus(pipe), [["one", "two"], ["three"]])


def test_a_line_longer_than_all_blocks(tmp_path):
    words = [f"w{n % 1000}" for n in range(300_000)]
    path = tmp_path / "one-line"
    path.write_text(" ".join(words))
    corpus = Corpus(path)
    assert len(corpus) == 1
    check_invariants(corpus, [words])


def test_all_white_space_separates_words_and_only_line_feeds_sentences(tmp_path):
    path = tmp_path / "text"
    path.write_bytes("a\tb\vc\fd\re\r\n \t\nf\u00a0g".encode())
    check_invariants(Corpus(path), [["a", "b", "c", "d", "e"], ["f\u00a0g"]])


# Sentences from Python


@pytest.mark.parametrize("make", [list, tuple, iter, lambda s: (sentence for sentence in s)])
def test_iterables_that_can_be_read_once(make):
    check_invariants(Corpus(make([*SENTENCES, [], ("tuple", "be")])), [*SENTENCES, ["tuple", "be"]])


def test_items_need_not_be_words():
    walks = [[3, 1, 4], [1, 5, "9"], np.array([1, 4]), (np.int64(3), np.str_("New York"))]
    check_invariants(Corpus(walks), [["3", "1", "4"], ["1", "5", "9"], ["1", "4"], ["3", "New York"]])
    check_invariants(Corpus(np.array([[7, 1], [1, 2]]).tolist()), [[7, 1], [1, 2]])
    assert Corpus([[1, "1", -1]]).vocabulary.words == ["1", "-1"]


def test_more_sentences_than_one_piece():
    sentences = [[f"w{n % 997}", f"w{n % 89}", "x"] for n in range(120_000)]
    check_invariants(Corpus(iter(sentences)), sentences)


@pytest.mark.parametrize("source", [(s for s in ["ab cd", "ef"]), [["x"], "ab cd"], {"ab cd": 1}.keys()])
def test_a_str_is_no_sentence(source):
    with pytest.raises(TypeError, match=r"^sentence \d of source must .*'ab cd', .*sentence\.split\(\)$"):
        Corpus(source)


@pytest.mark.parametrize(
    ("item", "shown"), [(1.5, "1.5"), (None, "None"), (b"x", "b'x'"), (True, "True"), (1.0, "1.0")]
)
def test_other_items_are_refused(item, shown):
    message = rf"^every item of sentence 2 must be a str or an int, got {re.escape(shown)}$"
    with pytest.raises(TypeError, match=message):
        Corpus([["a", 1], ["b", item]])


@pytest.mark.parametrize("sentence", [5, None])
def test_sentences_that_cannot_be_iterated_over(sentence):
    with pytest.raises(TypeError, match=f"^sentence 2 of source must be a list of words, got {sentence}$"):
        Corpus([["a"], sentence])


def test_items_that_cannot_be_saved():
    with pytest.raises(ValueError, match="sentence 2 of source: an item is an empty str"):
        Corpus([["a"], ["b", ""]])
    with pytest.raises(ValueError, match=r"sentence 1 of source: .*surrogates not allowed"):
        Corpus([["\ud800"]])


@pytest.mark.parametrize("source", [5, None, b"text.txt"])
def test_sources_of_the_wrong_type(source):
    with pytest.raises(
        TypeError, match=r"^source must be a path, a list of paths or an iterable of lists of words"
    ):
        Corpus(source)


# What cannot be read


def test_missing_files(tmp_path, text_file):
    missing = tmp_path / "missing.txt"
    with pytest.raises(FileNotFoundError) as caught:
        Corpus([text_file, missing])
    assert caught.value.filename == str(missing)
    assert "sentence" not in str(caught.value)


@pytest.mark.parametrize("source", ["the quick brown fox", ["the quick", "brown fox"]])
def test_sentences_given_as_paths(source):
    with pytest.raises(FileNotFoundError, match=r"pass sentence\.split\(\)"):
        Corpus(source)


def test_a_folder(tmp_path):
    with pytest.raises(OSError, match=re.escape(str(tmp_path))):
        Corpus(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads every file")
def test_unreadable_files(text_file):
    text_file.chmod(0)
    with pytest.raises(PermissionError, match=re.escape(str(text_file))):
        Corpus(text_file)


@pytest.mark.parametrize("text", [b"", b" \n\t\r\n\n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)])
def test_files_without_words(tmp_path, text):
    path = tmp_path / "empty"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))} holds no words$"):
        Corpus(path)


@pytest.mark.parametrize("source", [[], [[]], iter([]), [[], ()]])
def test_iterables_without_words(source):
    with pytest.raises(ValueError, match=r"^source holds no words$"):
        Corpus(source)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lowercase": 1}, "lowercase must be True or False, got 1"),
        ({"errors": "surrogateescape"}, "errors must be one of 'strict', 'replace', 'ignore', got 'surr"),
        ({"memory_limit": 0}, "memory_limit must be an int >= 1, got 0"),
        ({"memory_limit": 1e9}, "memory_limit must be an int >= 1, got 1000000000.0"),
        ({"progress": None}, "progress must be True or False, got None"),
        ({"tokenizer": "words"}, "tokenizer must be a callable or None, got 'words'"),
        ({"tokenizer": str.split}, "tokenizer must be None if source holds sentences"),
        ({"cache": "x.ids"}, "cache must be None unless source is files"),
    ],
)
def test_parameters_out_of_range(arguments, message):
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(message)}"):
        Corpus([["a"]], **arguments)


# Characters

BROKEN = "zoë\n".encode() + b"a\xff \xff b\n\xe2\x82"


def test_bytes_that_are_not_utf8_are_located(tmp_path):
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_bytes(b"fine\nfine")
    bad.write_bytes(BROKEN)
    message = rf"^{re.escape(str(bad))}, line 2, byte 6: not valid UTF-8 \(invalid start byte, 0xff\)"
    for tokenizer in (None, str.split):
        with pytest.raises(ValueError, match=message):
            Corpus([good, bad], tokenizer=tokenizer)


@pytest.mark.parametrize("errors", ["replace", "ignore"])
@pytest.mark.parametrize("tokenizer", [None, str.split])
def test_bytes_that_are_not_utf8_are_repaired(tmp_path, errors, tokenizer):
    path = tmp_path / "bad.txt"
    path.write_bytes(BROKEN)
    lines = BROKEN.decode(errors=errors).split("\n")
    sentences = [line.split() for line in lines if line.split()]
    check_invariants(Corpus(path, errors=errors, tokenizer=tokenizer), sentences)


@given(
    text=st.lists(st.binary(max_size=8) | st.text(max_size=8).map(str.encode)).map(b" ".join),
    errors=st.sampled_from(["replace", "ignore"]),
    lowercase=st.booleans(),
)
def test_any_bytes_in_blocks_of_any_size(tmp_path_factory, text, errors, lowercase):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(b"first\n" + text)  # without a line feed, "\r" would be the end of lines
    decoded = "first\n" + text.decode(errors=errors)
    decoded = decoded.lower() if lowercase else decoded
    lines = (re.findall(r"[^ \t\n\v\f\r]+", line) for line in decoded.split("\n"))
    with pytest.MonkeyPatch.context() as patch:
        set_sizes(patch, compressed_block=7, plain_block=3)
        check_invariants(Corpus(path, errors=errors, lowercase=lowercase), [line for line in lines if line])


@pytest.mark.parametrize("block", [1, 2, 3, 1000])
def test_byte_order_mark_is_no_word(tmp_path, monkeypatch, block):
    set_sizes(monkeypatch, compressed_block=block)
    path = tmp_path / "text"
    path.write_text("one two", encoding="utf-8-sig")
    check_invariants(Corpus(path), [["one", "two"]])
    path.write_bytes(b"\xef\xbb\xbf\xff")
    with pytest.raises(ValueError, match="line 1, byte 3"):
        Corpus(path)


def test_lowercase_merges_words(tmp_path):
    path = tmp_path / "text"
    path.write_text("Über ÜBER the The THE ΣΑΣ\nthe İ", encoding="utf-8")
    check_invariants(
        Corpus(path, lowercase=True), [["über", "über", "the", "the", "the", "σας"], ["the", "i̇"]]
    )
    check_invariants(Corpus([["A", "b"], ["a", 1]], lowercase=True), [["a", "b"], ["a", "1"]])


def test_tokenizer_gets_lines_without_ends(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"One-two\r\n\nthree\x85\n\rfour")
    lines = []

    def tokenizer(line):
        lines.append(line)
        return re.findall(r"\w+", line)

    check_invariants(
        Corpus(path, tokenizer=tokenizer, errors="ignore", lowercase=True),
        [["one", "two"], ["three"], ["four"]],
    )
    assert lines == ["one-two", "", "three", "\rfour"]
    with pytest.raises(TypeError, match="tokenizer must return an iterable of words, got 'One-two'"):
        Corpus(path, tokenizer=str.strip, errors="ignore")


# Memory


def test_ids_that_outgrow_memory_go_to_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sentences = [[f"w{n % 7}", f"w{n % 11}", f"w{n}"] for n in range(5000)]
    path = tmp_path / "text"
    path.write_text("\n".join(" ".join(sentence) for sentence in sentences))
    for limit in (1, 1000, 30_000, 59_999):
        set_sizes(monkeypatch, spooled_block=100, compressed_block=5000, plain_block=5000)
        corpus = Corpus(path, memory_limit=limit)
        assert isinstance(corpus.ids, np.memmap)
        check_invariants(corpus, sentences)
    assert not isinstance(Corpus(path, memory_limit=60_000).ids, np.memmap)
    del corpus
    assert [entry.name for entry in tmp_path.iterdir()] == ["text"]


FULL_DISK = """
    import resource, sys
    import fastvec
    what, path, cache = sys.argv[1:4]
    corpus = fastvec.Corpus(path, memory_limit=1) if what == "phrases" else None
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
    try:
        if what == "phrases":
            fastvec.Phrases(threshold=1, min_count=1, memory_limit=1).fit_transform(corpus)
        else:
            fastvec.Corpus(path, memory_limit=1, cache=cache or None)
    except OSError as error:
        print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("what", ["text", "phrases", "cache"])
def test_a_full_disk_says_what_was_needed(tmp_path, what):
    path, temporary = tmp_path / "text", tmp_path / "temporary"
    temporary.mkdir()
    path.write_text("to be or not to be\n" * 5000)
    cache = str(tmp_path / "text.ids") if what == "cache" else ""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL_DISK), what, path, cache],
        capture_output=True,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    )
    assert done.stderr == ""
    folder = tmp_path if cache else temporary
    advice = "" if cache else "; TMPDIR names another folder for temporary files"
    found = re.fullmatch(
        r"\[Errno 27\] File too large: for a temporary file, at least ([\d,]+) bytes are needed, and "
        rf"([\d,]+) were free{advice}: {str(folder)!r}\n",
        done.stdout,
    )
    assert found, done.stdout
    needed, free = (int(number.replace(",", "")) for number in found.groups())
    assert 50_000 < needed <= 4 * 30_000
    assert free > 10**6
    assert list(temporary.iterdir()) == []
    assert sorted(tmp_path.iterdir()) == [temporary, path]


# Progress, and the real thing


@pytest.mark.parametrize("source", ["text_file", "sentences"])
def test_progress_bar(source, text_file, capsys):
    Corpus(text_file if source == "text_file" else SENTENCES, progress=True)
    assert "reading" in capsys.readouterr().err
    Corpus(text_file)
    assert capsys.readouterr().err == ""


def test_natural_text():
    folder = Path(os.environ.get("FASTVEC_DATA", Path(__file__).parents[2] / "shared" / "data"))
    path = folder / "corpus" / "simplewiki-raw-sample.txt.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not in {folder} (FASTVEC_DATA)")
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        sentences = [words for line in file if (words := re.findall(r"[^ \t\n\v\f\r]+", line))]
    check_invariants(Corpus(path), sentences)
