"""Reading vectors of other programs, and telling what a file is that cannot be read."""

import gzip
import io
import re
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inside import wrap
from peers import GensimFastText, GensimWord2Vec
from vector_files import AB, binary, fasttext, put, text

import fastvec

pytestmark = pytest.mark.any_backend

# ---- Which format a file is in ----------------------------------------------------------------------------


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("d", [1, 2, 4, 30])
def test_text_in_a_bin_is_refused(tmp_path, d, zipped, header):
    rows = np.arange(1, 2 * d + 1).reshape(2, d) / 10
    content = text([b"a", b"b"], rows, header)
    path = put(tmp_path / f"v.bin{'.gz' if zipped else ''}", gzip.compress(content) if zipped else content)
    for format in (None, "word2vec-binary", "fasttext"):
        with pytest.raises(ValueError, match=r"vectors as text, not .*; format='word2vec-text' reads it"):
            fastvec.load(path, format=format)
    np.testing.assert_allclose(fastvec.load(path, format="word2vec-text").vectors, rows, rtol=1e-6)


def test_irregular_text_in_a_bin_is_refused(tmp_path):
    for content in (
        "2 3\naaaaaaaaaa\x01 0.1 0.2\nb 0.3 0.4 1\n",
        "2 2\na 0.1 x.2\nb 0.3 0.4\n",
        "a 0.1 0.2\nb 0.3 0.4",
        "\ufeff2 2\na 0.1 0.2\nb 0.3 0.4\n",
    ):
        with pytest.raises(ValueError, match="holds vectors as text"):
            fastvec.load(put(tmp_path / "v.bin", content))


@pytest.mark.parametrize("name", ["v.vec", "v.bin"])
@pytest.mark.parametrize("header", ["2 2\n", ""])
def test_decimal_commas_are_not_read_as_anything(tmp_path, name, header):
    with pytest.raises(
        ValueError, match=r"line [12]: |holds vectors as text|begins with a line of two numbers"
    ):
        fastvec.load(put(tmp_path / name, f"{header}é 0,1 0,2\nb 0,3 0,4\n"))


@pytest.mark.parametrize("name", ["v.w2v", "v.vec", "v.txt", "v.glove", "v.vec.gz"])
@pytest.mark.parametrize("d", [1, 2, 50])
def test_binary_files_of_another_name(tmp_path, name, d):
    rows = np.random.default_rng(0).standard_normal((2, d)).astype(np.float32)
    content = binary([b"a", "é".encode()], rows)
    path = put(tmp_path / name, gzip.compress(content) if name.endswith(".gz") else content)
    vectors = fastvec.load(path)
    assert vectors.words == ["a", "é"]
    np.testing.assert_array_equal(vectors.vectors, rows)
    with pytest.raises(ValueError, match="holds binary vectors of word2vec, not glove; format='word2vec-b"):
        fastvec.load(path, format="glove")


def test_other_formats_of_another_name(tmp_path):
    path = put(tmp_path / "v.vec", fasttext([b"aa", b"bb"], AB, tmp_path / "empty.bin"))
    assert isinstance(fastvec.load(path), fastvec.SubwordVectors)
    fastvec.Vectors(["a", "b"], AB).save(tmp_path / "v.fvec")
    (tmp_path / "v.fvec").rename(tmp_path / "v.bin")
    assert fastvec.load(tmp_path / "v.bin", mmap=True).words == ["a", "b"]
    with pytest.raises(ValueError, match=r"holds the vectors of a \.fvec file, not glove; format='fvec'"):
        fastvec.load(tmp_path / "v.bin", format="glove")


def test_gzip_is_known_by_its_content(tmp_path):
    for name, content in (
        ("v.vec", gzip.compress(text([b"a", b"b"], AB))),
        ("v.vec.gz", text([b"a", b"b"], AB)),
    ):
        np.testing.assert_array_equal(fastvec.load(put(tmp_path / name, content)).vectors, AB)


def zipped(name):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "a 1 2\n")
    return buffer.getvalue()


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("v.zip", zipped("v.txt"), "is a zip archive, which may hold many files: unpack it first"),
        ("v.txt", zipped("v.txt"), "is a zip archive"),
        ("v.npz", zipped("vectors.npy"), r"is a \.npz of NumPy: pass its matrix to fastvec\.Vectors"),
        ("v.bin", zipped("v/data.pkl"), "is a PyTorch checkpoint"),
        ("v.npy", npy(AB), r"is a \.npy of NumPy: pass it to fastvec\.Vectors, with the words"),
        ("v.txt", "2 2\na 1 2\nb 3 4\n".encode("utf-16"), "is UTF-16 text: convert it to UTF-8"),
        ("v.vec", "2 2\na 1 2\nb 3 4\n".encode("utf-16-le"), "is UTF-16 text"),
        ("v.glove", "a 1 2\nb 3 4\n".encode("utf-16-be"), "is UTF-16 text"),
        ("v.txt", b"BZh91AY&SY....", "is compressed by bzip2: unpack it with bunzip2"),
        ("v.txt", b"\xfd7zXZ\0....", "is compressed by xz"),
        ("v.bin", b"\x80\x04\x95\x0b\0", "is a pickle, which can run any code: pass the words and"),
        ("v.h5", b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
        ("v.magnitude", b"SQLite format 3\0", "is an SQLite database"),
        ("v.vec", b"<!DOCTYPE html>\n<html>404", "is a page in HTML: perhaps of an error"),
        ("v.bin", b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS: git lfs pull"),
    ],
)  # fmt: skip
def test_files_that_hold_something_else(tmp_path, name, content, message):
    path = put(tmp_path / name, content)
    for read in (fastvec.load, fastvec.load_model):
        with pytest.raises(ValueError, match=f"{re.escape(str(path))} {message}"):
            read(path)


def test_other_files_of_fastvec_are_named(tmp_path):
    fastvec.Cooccurrence(min_count=1).fit([["a", "b"]]).save(tmp_path / "v.fvcounts")
    for read in (fastvec.load, fastvec.load_model):
        with pytest.raises(ValueError, match=r"a file of counts \(\.fvcounts\): fastvec\.Cooccurrence\.load"):
            read(tmp_path / "v.fvcounts")


@pytest.mark.parametrize("kind", ["KeyedVectors", "Word2Vec", "FastText"])
def test_pickles_of_gensim_are_converted_as_the_error_says(tmp_path, kind):
    sentences = [["paris", "london", "rome"]] * 5
    options = {"vector_size": 4, "min_count": 1, "workers": 1, "epochs": 1}
    if kind == "FastText":
        model = GensimFastText(sentences, bucket=20, **options)
        vectors = model.wv
    else:
        model = GensimWord2Vec(sentences, **options)
        vectors = model.wv
        model = vectors if kind == "KeyedVectors" else model
    path = tmp_path / "v.model"
    model.save(str(path))
    with pytest.raises(ValueError, match=f"is a pickle of gensim's {kind}: convert it with gensim:") as error:
        fastvec.load(path)
    exec("\n".join(line.strip() for line in str(error.value).splitlines()[1:]), {})
    loaded = fastvec.load(tmp_path / "v.bin")
    assert loaded.words == vectors.index_to_key
    for word in [*loaded.words, *(["romeo"] if kind == "FastText" else [])]:
        np.testing.assert_allclose(loaded[word], vectors[word], atol=1e-6)


# ---- Headers and lines of text ----------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["2\t2", " 2 2", "2  2 ", "\ufeff2 2", "2 \t 2\r"])
def test_headers_as_other_programs_write_them(tmp_path, header):
    path = put(tmp_path / "v.vec", f"{header}\na 0.1 0.2\nb 0.3 0.4\n")
    assert fastvec.load(path).words == ["a", "b"]
    np.testing.assert_array_equal(fastvec.load(path).vectors, AB)


@pytest.mark.parametrize("name", ["v.vec", "v.txt", "v.w2v"])
@pytest.mark.parametrize("header", ["2 2 0", "2", "2.0 2.0", "2 -2", "# 2 2", "+2 2", "1 2 3 4", "2 2e0"])
def test_what_is_almost_a_header_is_no_word(tmp_path, name, header):
    path = put(tmp_path / name, f"{header}\na 0.1 0.2\nb 0.3 0.4\n")
    with pytest.raises(ValueError, match="line 1: a header must be two whole numbers, words and dimensions"):
        fastvec.load(path)


@pytest.mark.parametrize("header", ["2,2", "2 2 f4", "words 2 dimensions 2"])
def test_what_is_no_header_at_all_is_an_error_of_the_first_line(tmp_path, header):
    with pytest.raises(
        ValueError, match=r"line 1: (expected a word and 2 numbers, got [01]|b'f4' is not a number)"
    ):
        fastvec.load(put(tmp_path / "v.vec", f"{header}\na 0.1 0.2\nb 0.3 0.4\n"))


def test_a_first_row_of_whole_numbers_is_read_when_asked_for(tmp_path):
    path = put(tmp_path / "v.txt", "7 1 0\n8 0 1\n")
    with pytest.raises(ValueError, match="format='glove' reads it as a word and its numbers"):
        fastvec.load(path)
    assert fastvec.load(path, format="glove").words == ["7", "8"]
    assert fastvec.load(put(path, "7 1.5 0\n8 0 1\n")).words == ["7", "8"]


def test_byte_order_marks_are_no_part_of_a_word(tmp_path):
    for name in ("v.txt", "v.vec", "v.glove"):
        assert fastvec.load(put(tmp_path / name, "\ufeffthe 0.1 0.2\nb 0.3 0.4\n")).words == ["the", "b"]
    vectors = fastvec.Vectors(["\ufeffthe", "\ufeffb"], AB)
    with pytest.raises(ValueError, match="a byte order mark, which this format cannot hold in the"):
        vectors.save(tmp_path / "v.glove")
    vectors.save(tmp_path / "v.vec")
    assert fastvec.load(tmp_path / "v.vec").words == vectors.words
    put(tmp_path / "vocab.txt", "\ufeffa 2\nb 1\n")
    record = np.array([(1, 2, 1.0), (2, 1, 1.0)], dtype=[("i", "<i4"), ("j", "<i4"), ("x", "<f8")])
    put(tmp_path / "cooccurrence.bin", record.tobytes())
    counts = fastvec.Cooccurrence.read_glove(tmp_path / "cooccurrence.bin", tmp_path / "vocab.txt")
    assert counts.vocabulary_.words == ["a", "b"]


@pytest.mark.parametrize("header", ["2 2\n", ""])
def test_blanks_before_a_word(tmp_path, header):
    for blanks in (" ", "\t", " \t "):
        path = put(tmp_path / "v.vec", f"{header}c 0.1 0.2\n{blanks}b 0.3 0.4\n")
        assert fastvec.load(path).words == ["c", "b"]
        path = put(tmp_path / "v.vec", f"{header}c 0.1 0.2\n{blanks}0.3 0.4\n")
        line = 3 if header else 2
        with pytest.raises(ValueError, match=f"line {line}: expected .*, got the numbers alone"):
            fastvec.load(path)


def test_empty_words_are_refused_as_in_saving(tmp_path):
    for content in (binary([b"a", b""], AB), fasttext([b"aa", b""], AB, tmp_path / "empty.bin")):
        with pytest.raises(ValueError, match="word 2 of 2: the word is empty"):
            fastvec.load(put(tmp_path / "v.bin", content))


def test_words_with_blanks_in_them(tmp_path):
    rows = ". . . 0.1 0.2\nat name@domain.com 0.3 0.4\n0.5 0.5 0.6\n"
    for name, content in (("v.txt", rows), ("v.glove", rows), ("v.vec", "3 2\n" + rows)):
        assert fastvec.load(put(tmp_path / name, content)).words == [". . .", "at name@domain.com", "0.5"]
    with pytest.raises(ValueError, match="line 2: expected a word and 2 numbers, got 3"):
        fastvec.load(put(tmp_path / "v.txt", "a 0.1 0.2\nb 0.2 0.3 0.4\nc 0.5 0.6\n"))


@pytest.mark.parametrize("header", ["2 2\n", "2 2\r", "1 2\n", ""])
@pytest.mark.parametrize("between", [" ", "\r", " \r "])
def test_rows_without_line_feeds_are_no_word(tmp_path, header, between):
    path = put(tmp_path / "v.vec", f"{header}a 0.1 0.2{between}b 0.3 0.4\n")
    with pytest.raises(
        ValueError, match=r"line [12]: expected one word and its numbers, got several: b'.*0\.1"
    ):
        fastvec.load(path)


@pytest.mark.parametrize("name", ["v.txt", "v.vec", "v.glove"])
def test_glove_counts_no_unk_in_its_header(tmp_path, name):
    path = put(tmp_path / name, "1 2\na 0.1 0.2\n<unk> 0.3 0.4\n")
    assert fastvec.load(path).words == ["a", "<unk>"]
    np.testing.assert_array_equal(fastvec.load(path).vectors, AB)
    with pytest.raises(ValueError, match=r"promises 1 words, the file holds 2; .*limit=1 reads the first"):
        fastvec.load(put(path, "1 2\na 0.1 0.2\nb 0.3 0.4\n"))


def mostly(usual, *others):
    return st.sampled_from([usual] * (6 * len(others)) + list(others))


WORDS = mostly(b"a", b"b", b"1", b"a\t1", b"a\vb", b"a\t", b"\xa0", b"\x1c", b"\xff", b"#", b"a b", b"")
NUMBERS = mostly(
    b"0.5", b"-1", b"+1e3", b"1e-400", b"1e39", b"1_0", b"1d2", b"0x1", b"nan", b"-inf", b".5", b"5.", b"1e",
    b"--1", b"0.1\x850.2", b",", b"\xd9\xa3", b"1 2", b"",
)  # fmt: skip
BLANKS = mostly(b" ", b"  ", b"\t", b" \v", b"", b"\xa0", b"\x1c")
ENDS = mostly(b"\n", b"\r\n", b"\n\n", b" \n", b"\f\n", b"\x1c\n")
STARTS = mostly(b"", b"\n", b" ", b"\xef\xbb\xbf")


@st.composite
def lines_of_text(draw):
    """Rows of vectors, with irregular ones among them."""
    n, d = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    rows = [
        b"%b%b%b%b" % (
            draw(WORDS) + b"%d" % row,
            draw(mostly(b" ", b"\t", b"  ")),
            draw(BLANKS).join(draw(NUMBERS) for _ in range(d)),
            draw(ENDS),
        )
        for row in range(n)
    ]  # fmt: skip
    return draw(STARTS) + draw(st.sampled_from([b"", b"%d %d\n" % (n, d)])) + draw(STARTS).join(rows)


@settings(max_examples=300, deadline=None)
@given(content=lines_of_text(), name=st.sampled_from(["word2vec-text", "glove"]))
def test_regular_and_irregular_lines_are_read_alike(tmp_path_factory, content, name):
    path = put(tmp_path_factory.getbasetemp() / "lines.txt", content)

    def read():
        try:
            vectors = fastvec.load(path, format=name, errors="strict", on_duplicates="error")
        except ValueError as error:
            return str(error)
        return vectors.words, vectors.vectors.tolist()

    fast = read()
    with pytest.MonkeyPatch.context() as patch:
        wrap(patch, "fast_rows", lambda *_: None)
        assert read() == fast
