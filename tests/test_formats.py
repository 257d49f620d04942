import gzip
import os
import re
import signal
import subprocess
import sys
import textwrap
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from peers import KeyedVectors
from safetensors import safe_open
from safetensors.numpy import save_file

import fastvec
from fastvec import cli, formats

pytestmark = pytest.mark.any_backend

EXTENSIONS = ["fvec", "bin", "vec", "glove"]
ONE = np.float32(1).tobytes()
WORDS = ["paris", "Zürich", "東京", "naïve\xa0word", "12", "</s>"]
WITH_WORDS = [name for name in formats.FORMATS if name != "floret"]  # whose own tests are in test_floret.py


def matrix(n=6, d=7):
    return np.random.default_rng(0).standard_normal((n, d)).astype(np.float32)


def test_fvec_keeps_everything_and_safetensors_reads_it(tmp_path):
    path = tmp_path / "v.fvec"
    counts = np.arange(len(WORDS), dtype=np.int64)
    formats.write(path, formats.Contents(WORDS, matrix(), counts, {"window": 5, "name": "é"}))
    for mmap in (False, True):
        words, vectors, read_counts, metadata, *_ = formats.read(path, mmap=mmap)
        assert words == WORDS
        assert metadata == {"window": 5, "name": "é"}
        np.testing.assert_array_equal(vectors, matrix())
        np.testing.assert_array_equal(read_counts, counts)
    with safe_open(path, framework="np") as file:
        np.testing.assert_array_equal(file.get_tensor("vectors"), matrix())
        assert file.metadata()["format_version"] == "1"


def test_fvec_mapping_reads_no_matrix(tmp_path):
    path = tmp_path / "v.fvec"
    formats.write(path, formats.Contents(WORDS, matrix(d=100_000)))
    tracemalloc.start()
    _, vectors, *_ = formats.read(path, mmap=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < vectors.nbytes / 4
    assert not vectors.flags.writeable


def test_strided_storage_is_written_without_its_padding(tmp_path):
    padded = np.random.default_rng(1).standard_normal((len(WORDS), 16)).astype(np.float32)
    for extension in EXTENSIONS:
        formats.write(tmp_path / f"v.{extension}", formats.Contents(WORDS, padded[:, :10]))
        np.testing.assert_array_equal(formats.read(tmp_path / f"v.{extension}").vectors, padded[:, :10])


@pytest.mark.parametrize("binary", [True, False])
def test_gensim_loads_ours_and_we_load_gensims(tmp_path, binary):
    path = tmp_path / ("v.bin" if binary else "v.vec")
    formats.write(path, formats.Contents(WORDS, matrix()))
    theirs = KeyedVectors.load_word2vec_format(path, binary=binary)
    assert theirs.index_to_key == WORDS
    np.testing.assert_array_equal(theirs.vectors, matrix())

    theirs.save_word2vec_format(path, binary=binary)
    words, vectors, *_ = formats.read(path)
    assert words == WORDS
    np.testing.assert_array_equal(vectors, matrix())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # gensim leaves the file open
def test_gensim_loads_our_glove(tmp_path):
    path = tmp_path / "v.glove"
    formats.write(path, formats.Contents(WORDS, matrix()))
    theirs = KeyedVectors.load_word2vec_format(path, no_header=True)
    assert theirs.index_to_key == WORDS
    np.testing.assert_array_equal(theirs.vectors, matrix())


@pytest.mark.parametrize("ending", [b"\n", b""])
def test_word2vec_binary_with_and_without_line_feeds(tmp_path, ending):
    path = tmp_path / "v.bin"
    rows = [
        name + b" " + row.tobytes() + ending for name, row in zip((b"a", b"b", b"c"), matrix(3), strict=True)
    ]
    path.write_bytes(b"3 7\n" + b"".join(rows))
    assert formats.read(path).words == ["a", "b", "c"]
    np.testing.assert_array_equal(formats.read(path).vectors, matrix(3))


def test_blocks_do_not_show(tmp_path, monkeypatch):
    words = [f"w{i}" for i in range(500)]
    for name in ("word2vec.BLOCK_BYTES", "fasttext.BLOCK_BYTES", "glove.TEXT_BYTES"):
        monkeypatch.setattr(f"fastvec.formats.{name}", 333)
    for extension in EXTENSIONS:
        path = tmp_path / f"v.{extension}"
        formats.write(path, formats.Contents(words, matrix(500)))
        assert formats.read(path).words == words
        np.testing.assert_array_equal(formats.read(path).vectors, matrix(500))


def test_text_of_other_programs(tmp_path):
    path = tmp_path / "v.txt"
    expected = np.array([[1, 2.5], [-3, 4e-5]], dtype=np.float32)
    for text in (
        "2 2\na 1 2.5 \nb -3 4e-5 \n",  # word2vec.c and fastText end rows with a space
        "2 2\r\na 1 2.5\r\nb -3 4e-5\r\n",
        "2 2\na\t1\t2.5\nb  -3  4e-5",
        "a 1 2.5\nb -3 4e-5\n\n",  # GloVe
    ):
        path.write_bytes(text.encode())
        assert formats.read(path).words == ["a", "b"], text
        np.testing.assert_array_equal(formats.read(path).vectors, expected)
    path.write_text(". . . 1 2.5\nat name@domain.com -3 4e-5\n")
    assert formats.read(path).words == [". . .", "at name@domain.com"]


def test_gzipped_files_are_read(tmp_path):
    for extension in ("bin", "vec", "glove"):
        plain, zipped = tmp_path / f"v.{extension}", tmp_path / f"v.{extension}.gz"
        formats.write(plain, formats.Contents(WORDS, matrix()))
        zipped.write_bytes(gzip.compress(plain.read_bytes()))
        assert formats.read(zipped).words == WORDS
        np.testing.assert_array_equal(formats.read(zipped).vectors, matrix())
        zipped.write_bytes(zipped.read_bytes()[:-20])
        with pytest.raises(ValueError, match=r"\.gz: the \.gz is truncated or damaged"):
            formats.read(zipped)
    with pytest.raises(ValueError, match="for reading only"):
        formats.write(tmp_path / "v.bin.gz", formats.Contents(WORDS, matrix()))


def test_format_overrides_the_extension(tmp_path):
    path = tmp_path / "vectors"
    for name in WITH_WORDS:
        formats.write(path, formats.Contents(WORDS, matrix()), format=name)
        assert formats.read(path, format=name).words == WORDS
    with pytest.raises(
        ValueError, match=r"unknown extension ''; name the format .*, one of 'fvec' \(\.fvec\)"
    ):
        formats.read(path)
    with pytest.raises(ValueError, match=r"format must be one of 'fvec', .*, got 'pickle'"):
        formats.read(path, format="pickle")
    with pytest.raises(ValueError, match=r"mmap=True needs a \.fvec file"):
        formats.read(path, format="glove", mmap=True)


TOY_MAGIC = "FiFu1\0\0\0"  # as of a kind of files that is refused


def write_toys(path, contents):
    rows = zip(contents.words, contents.vectors.tolist(), strict=True)
    path.write_text(TOY_MAGIC + "\n" + "".join(f"{word};{';'.join(map(repr, row))}\n" for word, row in rows))


def read_toys(path, wanted):
    rows = [line.split(";") for line in path.read_text(errors=wanted.errors).splitlines()[1:]][: wanted.limit]
    numbers = np.array([row[1:] for row in rows], np.float32)
    return formats.Contents([row[0] for row in rows], numbers)


TOYS = formats.Format(
    (".toy",),
    description="a toy",
    contents="toys",
    begins=lambda head: head.startswith(TOY_MAGIC.encode()),
    read=read_toys,
    write=write_toys,
    gzipped=False,
    refused={".lego": "a toy of bricks, which is not supported"},
)


def test_a_row_of_the_table_is_all_that_a_format_needs(tmp_path, monkeypatch, capsys):
    vectors, path = fastvec.Vectors(["north", "süd"], [[0.5, 1], [-1, 0]]), tmp_path / "v.toy"
    with pytest.raises(ValueError, match=r"unknown extension '\.toy'"):
        vectors.save(path)
    monkeypatch.setitem(formats.FORMATS, "toys", TOYS)

    def assert_loads(path, **options):
        loaded = fastvec.load(path, **options)
        assert loaded.words == vectors.words
        np.testing.assert_array_equal(loaded.vectors, vectors.vectors)

    vectors.save(path)
    assert_loads(path)
    assert fastvec.load(path, limit=1).words == ["north"]
    for name in ("v.bin", "v.vec", "v.fvec"):  # known by its first bytes
        (tmp_path / name).write_bytes(path.read_bytes())
        assert_loads(tmp_path / name)
    vectors.save(tmp_path / "v.odd", format="toys")
    assert_loads(tmp_path / "v.odd", format="toys")
    (tmp_path / "v.lego").write_bytes(path.read_bytes())
    for name, options, message in (
        ("v.toy", {"format": "glove"}, "holds toys, not glove; format='toys' reads it"),
        ("v.toy", {"mmap": True}, "mmap=True needs a .fvec file, got {path} in the format 'toys'"),
        ("v.toy", {"verify": True}, "verify=True needs a .fvec file, got {path} in the format 'toys'"),
        ("v.odd", {}, "'glove' (.glove), 'toys' (.toy)"),
        ("v.lego", {}, ".lego is a toy of bricks, which is not supported"),
        ("v.odd", {"format": "toy"}, "'toys', got 'toy'"),
    ):
        with pytest.raises(ValueError, match=re.escape(message.format(path=tmp_path / name))):
            fastvec.load(tmp_path / name, **options)
    gzipped = r"\.gz is supported for reading only, and not for \.fvec or \.toy; "
    with pytest.raises(ValueError, match=gzipped + "save without it"):
        vectors.save(tmp_path / "v.toy.gz")
    (tmp_path / "v.toy.gz").write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(ValueError, match=gzipped + "decompress it first"):
        fastvec.load(tmp_path / "v.toy.gz")

    again, text, odd = (str(tmp_path / name) for name in ("again.toy", "again.vec", "again.odd"))
    for source, target, *options in ((path, text), (text, again), (again, odd, "--to", "toys")):
        assert cli.main(["convert", str(source), target, *options]) == 0
    assert_loads(again)
    assert cli.main(["info", odd, "--format", "toys"]) == 0
    assert re.search(r"words\s+2\ndimensions\s+2", capsys.readouterr().out)
    with pytest.raises(SystemExit):
        cli.main(["convert", "--help"])
    assert "glove,toys" in capsys.readouterr().out


def test_documentation_has_the_table():
    page = (Path(__file__).parents[1] / "docs" / "files.md").read_text(encoding="utf-8")
    lines = [
        f'| {" ".join(f"`{each}`" for each in row.extensions)} | `"{name}"` | {row.description} | '
        f"{', '.join(row.keeps) or '–'} |\n"
        for name, row in formats.FORMATS.items()
    ]
    assert "".join(["|---|---|---|---|\n", *lines, "\n"]) in page
    choices = ", ".join(f'"{name}"' for name in formats.FORMATS)
    for function in (fastvec.load, fastvec.Vectors.save, fastvec.SubwordVectors.save):
        assert f"format : {{{choices}}}, optional" in function.__doc__
        assert [each for each in formats.extensions().split() if f"``{each}``" not in function.__doc__] == []


@st.composite
def tables(draw, excluded=" \t\n\v\f\r"):
    alphabet = st.characters(exclude_characters=excluded, exclude_categories=["Cs"])
    words = draw(st.lists(st.text(alphabet, min_size=1, max_size=12), min_size=1, max_size=20, unique=True))
    d = draw(st.integers(1, 9))
    row = st.lists(st.floats(width=32, allow_nan=False), min_size=d, max_size=d)
    rows = draw(st.lists(row, min_size=len(words), max_size=len(words)))
    return words, np.array(rows, dtype=np.float32)


@pytest.mark.parametrize("name", WITH_WORDS)
@settings(max_examples=40, deadline=None)
@given(table=tables())
@example(table=(["0"], np.full((1, 2), 5.5589246e16, np.float32)))  # whose bytes are printable
@example(table=(["0"], np.frombuffer(b" |:[0|:[", np.float32).reshape(1, 2)))  # with a digit among them
def test_any_words_and_numbers_come_back(tmp_path_factory, name, table):
    assume(name != "fasttext" or "\0" not in "".join(table[0]))
    path = tmp_path_factory.getbasetemp() / f"hypothesis-{name}"
    formats.write(path, formats.Contents(*table), format=name)
    words, vectors, *_ = formats.read(path, format=name)
    assert words == table[0]
    np.testing.assert_array_equal(vectors.view(np.int32), table[1].view(np.int32))


@pytest.mark.parametrize("binary", [True, False])
@settings(max_examples=30, deadline=None)
@given(table=tables())
def test_gensim_reads_any_words(tmp_path_factory, binary, table):
    path = tmp_path_factory.getbasetemp() / f"gensim-{binary}"
    formats.write(path, formats.Contents(*table), format="word2vec-binary" if binary else "word2vec-text")
    theirs = KeyedVectors.load_word2vec_format(path, binary=binary)
    assert theirs.index_to_key == table[0]
    np.testing.assert_array_equal(theirs.vectors, table[1])


@settings(max_examples=30, deadline=None)
@given(table=tables(excluded=""))
def test_fvec_takes_words_with_white_space(tmp_path_factory, table):
    path = tmp_path_factory.getbasetemp() / "white.fvec"
    formats.write(path, formats.Contents(["", *table[0]], np.vstack([table[1][:1], table[1]])))
    assert formats.read(path).words == ["", *table[0]]


@settings(max_examples=200, deadline=None)
@given(
    data=st.binary(max_size=60),
    start=st.sampled_from([b"", b"2 1\n", b"1 3\n", b"a 1 2\n", b"\x20" + bytes(7)]),
)
def test_garbage_is_a_clear_error(tmp_path_factory, data, start):
    path = tmp_path_factory.getbasetemp() / "garbage"
    path.write_bytes(start + data)
    for name in formats.FORMATS:
        try:
            formats.read(path, format=name, words=["a"] if name == "floret" else None)
        except ValueError as error:
            assert str(path) in str(error)


@pytest.mark.parametrize("extension", ["bin", "vec", "glove"])
@pytest.mark.parametrize("word", ["new york", "tab\tbed", "", "line\n", "\x0bv"])
def test_words_that_a_format_cannot_hold(tmp_path, extension, word):
    path = tmp_path / f"v.{extension}"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match=r"which this format cannot hold; save as \.fvec") as error:
        formats.write(path, formats.Contents(["fine", word], matrix(2)))
    assert repr(word) in str(error.value)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_lone_surrogates_cannot_be_written(tmp_path, extension):
    with pytest.raises(ValueError, match=r"the word 'x\\udc80' has a lone surrogate"):
        formats.write(tmp_path / f"v.{extension}", formats.Contents(["fine", "x\udc80"], matrix(2)))


def test_metadata_must_be_json(tmp_path):
    with pytest.raises(TypeError, match="metadata must be a dict of JSON types"):
        formats.write(tmp_path / "v.fvec", formats.Contents(WORDS, matrix(), metadata={"callback": print}))


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("extension", ["bin", "vec"])
def test_a_header_that_promises_too_much_allocates_nothing(tmp_path, extension, zipped):
    path = tmp_path / f"v.{extension}{'.gz' if zipped else ''}"
    content = b"1000000000 300\na " + (b"1 2" if extension == "vec" else ONE)
    path.write_bytes(gzip.compress(content) if zipped else content)
    tracemalloc.start()
    with pytest.raises(ValueError, match="the header promises 1,000,000,000 words of 300 dimensions"):
        formats.read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("v.vec", b"", "the file is empty"),
        ("v.bin", b"", "the file is empty"),
        ("v.fvec", b"", "the file is empty"),
        ("v.bin", b"hello\n", "begins with a line of two numbers, words and dimensions, got b'hello"),
        ("v.bin", b"1 0\na ", "0 dimensions"),
        ("v.bin", b"2 1\na %b\nb %b" % (ONE, ONE[:2]), "word 2 of 2: the file ends within it.*limit=1 reads"),
        ("v.bin", b"1 1\na %b\nb %b" % (ONE, ONE), "continues after the 1 words"),
        ("v.bin", b"2 1\na %ba %b" % (ONE, ONE), "'a' is both word 1 and word 2"),
        (
            "v.bin",
            b"2 1\na %b\nb\xff %b" % (ONE, ONE),
            r"word 2 of 2: byte 2 of the word b'b\\xff' is not UTF-8",
        ),
        ("v.bin", b"2 1\n %b\nb %b" % (ONE, ONE), "word 1 of 2: the word is empty"),
        ("v.bin", (793712314).to_bytes(4, "little") + bytes(20), "must be of version 11 or 12, got 0"),
        ("v.ftz", b"a", r"\.ftz is a quantized fastText model, a classifier without vectors: its \.bin has"),
        ("v.floret", b"2 1 3 4 2 0 < >\n", r"v\.floret: has no list of words: words=\[\.\.\.\] says which"),
        ("v.vec", b"3 2\na 1 2\nb 3 4\n", "promises 3 words, the file holds 2"),
        ("v.vec", b"1 2\na 1 2\nb 3 4\n", "promises 1 words, the file holds 2"),
        ("v.vec", b"2 2\na 1 2\nb 3\n", "line 3: expected a word and 2 numbers, got 1"),
        ("v.vec", b"2 2\na 1 2\nb 3 4 5\n", "line 3: expected a word and 2 numbers, got 3"),
        ("v.vec", b"2 2\na 1 2 3\nb 1 2 3\n", "line 2: expected a word and 2 numbers, got 3"),
        ("v.vec", b"2 2\na 1 2\n\nb 3 x\n", "line 4: b'x' is not a number"),
        ("v.vec", b"2 2\na 1 2\nb 1_0 2\n", "line 3: b'1_0' is not a number"),
        ("v.vec", b"2 2\na 1 2\na 3 4\n", "'a' is both word 1 and word 2"),
        ("v.vec", b"2 2\na 1 2\nb\xff 3 4\n", r"line 3: byte 2 of the word b'b\\xff' is not UTF-8"),
        ("v.txt", b"\n\n", "line 1: expected a word and its numbers"),
        ("v.glove", b"a 1 2\nb 1\n", "line 2: expected a word and 2 numbers, got 1"),
        ("v.fvec", b"abc", "not a safetensors file"),
    ],
)
def test_damaged_files(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        formats.read(path)
    assert str(path) in str(error.value)


def test_every_way_to_cut_a_file_off_is_noticed(tmp_path):
    for extension in ("fvec", "bin", "vec"):
        path = tmp_path / f"v.{extension}"
        formats.write(path, formats.Contents(WORDS, matrix(d=2)))
        whole = path.read_bytes()
        # A text file that has only lost its last line feed, or digits before it, is still a right one.
        for length in range(len(whole) - (20 if extension == "vec" else 1)):
            path.write_bytes(whole[:length])
            for mmap in (False, True) if extension == "fvec" else (False,):
                with pytest.raises(ValueError, match=re.escape(str(path))):
                    formats.read(path, mmap=mmap)


def test_bytes_that_are_not_utf8_are_handled_as_asked(tmp_path):
    for path, content in (
        (tmp_path / "v.vec", b"1 1\nb\xffc 1"),
        (tmp_path / "v.bin", b"1 1\nb\xffc " + ONE),
    ):
        path.write_bytes(content)
        assert formats.read(path, errors="replace").words == ["b\ufffdc"]
        assert formats.read(path, errors="ignore").words == ["bc"]
        with pytest.raises(
            ValueError, match="errors must be one of 'strict', 'replace', 'ignore', got 'mend'"
        ):
            formats.read(path, errors="mend")


@pytest.mark.parametrize(
    ("changes", "metadata", "message"),
    [
        ({}, {"format": "other"}, r"a safetensors file, but not a file of vectors \(\.fvec\)"),
        ({"words": None}, {}, r"a safetensors file, but not a file of vectors \(\.fvec\)"),
        ({}, {"format_version": "2"}, "written in version '2' of the format; this fastvec reads version 1"),
        ({"words": b'["a"]'}, {}, "a row for each of the 1 words"),
        ({"words": b'["a", 2]'}, {}, "not a list of strings"),
        ({"words": b'["a", '}, {}, "the list of words is damaged"),
        ({"words": b'["a", "\xff"]'}, {}, "byte 8 of the list of words is not UTF-8"),
        ({"vectors": np.zeros((2, 3))}, {}, "vectors must be float32"),
        ({"counts": np.zeros(3, np.int64)}, {}, "counts must be int64, one for each of the 2 words"),
        ({}, {"parameters": "{"}, "the training parameters are damaged"),
        ({}, {"parameters": "[]"}, "the training parameters are damaged"),
    ],
)
@pytest.mark.parametrize("mmap", [False, True])
def test_safetensors_files_that_are_not_ours(tmp_path, changes, metadata, message, mmap):
    path = tmp_path / "v.fvec"
    tensors = {"vectors": np.zeros((2, 3), np.float32), "words": b'["a", "b"]', **changes}
    tensors = {
        name: np.frombuffer(value, np.uint8) if isinstance(value, bytes) else value
        for name, value in tensors.items()
        if value is not None
    }
    save_file(tensors, path, {"format": "fvec", "format_version": "1", "parameters": "{}", **metadata})
    with pytest.raises(ValueError, match=message) as error:
        formats.read(path, mmap=mmap)
    assert str(path) in str(error.value)


def test_missing_files_and_folders(tmp_path):
    for extension in EXTENSIONS:
        missing = tmp_path / "nowhere" / f"v.{extension}"
        with pytest.raises(FileNotFoundError, match=re.escape(str(missing))):
            formats.read(missing)
        with pytest.raises(FileNotFoundError, match=re.escape(str(missing))):
            formats.write(missing, formats.Contents(WORDS, matrix()))
    with pytest.raises(ValueError, match=f"path must be a regular file or new, got {os.devnull!r}"):
        formats.write(os.devnull, formats.Contents(WORDS, matrix()), format="glove")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_open_files_are_not_replaced(tmp_path):
    """Their names, such as /dev/stdout, lead to files that would lose what else is written to them."""
    log = tmp_path / "log"
    with log.open("w") as file, pytest.raises(ValueError, match="which is an open file of a process"):
        formats.write(f"/dev/fd/{file.fileno()}", formats.Contents(WORDS, matrix()), format="glove")
    assert log.read_text() == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_saving_keeps_permissions_and_links(tmp_path, extension):
    path, link = tmp_path / f"v.{extension}", tmp_path / f"link.{extension}"
    old_mask = os.umask(0o027)
    try:
        formats.write(path, formats.Contents(WORDS, matrix()))
    finally:
        os.umask(old_mask)
    assert path.stat().st_mode & 0o777 == 0o640
    path.chmod(0o604)
    link.symlink_to(path)
    formats.write(link, formats.Contents(WORDS[:2], matrix(2)))
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o604
    assert formats.read(path).words == WORDS[:2]


@pytest.mark.skipif(os.name == "nt", reason="Windows replaces no file that is mapped")
def test_a_mapped_file_can_be_saved_over_itself(tmp_path):
    path = tmp_path / "v.fvec"
    formats.write(path, formats.Contents(WORDS, matrix()))
    words, vectors, *_ = formats.read(path, mmap=True)
    formats.write(path, formats.Contents(words, vectors))
    np.testing.assert_array_equal(vectors, matrix())
    np.testing.assert_array_equal(formats.read(path).vectors, matrix())


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_an_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch, extension):
    path = tmp_path / f"v.{extension}"
    formats.write(path, formats.Contents(WORDS, matrix()))
    old = path.read_bytes()

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        formats.write(path, formats.Contents(WORDS[:1], matrix(1)))
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == old


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_full_disk_leaves_the_old_files(tmp_path):
    # A limit on the size of a file makes every write beyond it fail, as a full disk does.
    script = """
        import resource, sys, numpy as np
        from fastvec import formats
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        for path in sys.argv[1:]:
            try:
                words, rows = [str(i) for i in range(1000)], np.ones((1000, 100), np.float32)
                formats.write(path, formats.Contents(words, rows))
            except OSError as error:
                print(error)
    """
    paths = [tmp_path / f"v.{extension}" for extension in EXTENSIONS]
    for path in paths:
        formats.write(path, formats.Contents(WORDS, matrix()))
    run = run_python(script, *paths, stdout=subprocess.PIPE)
    output = run.communicate()[0].splitlines()
    assert [line.startswith("[Errno 27] ") for line in output] == [True] * 4
    assert [line.endswith(f"{str(path)!r}") for line, path in zip(output, paths, strict=True)] == [True] * 4
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    for path in paths:
        np.testing.assert_array_equal(formats.read(path).vectors, matrix())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_process_killed_while_saving_leaves_the_old_file(tmp_path):
    script = """
        import os, sys, time, numpy as np
        from fastvec import formats
        os.fsync = lambda _: print("written", flush=True) or time.sleep(60)
        formats.write(sys.argv[1], formats.Contents(["new"], np.ones((1, 7), np.float32)))
    """
    path = tmp_path / "v.fvec"
    formats.write(path, formats.Contents(WORDS, matrix()))
    run = run_python(script, path, stdout=subprocess.PIPE)
    assert run.stdout.readline() == "written\n"
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert formats.read(path).words == WORDS


def run_python(script, *arguments, stdout):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments], stdout=stdout, text=True
    )
