"""Vectors with faults: each is refused by its name, and can be read all the same where that makes sense."""

import re
import warnings

import numpy as np
import pytest
from commands import fail, succeed
from inside import WORD_LIMIT, write_vectors
from peers import KeyedVectors
from safetensors.numpy import save_file
from vector_files import AB, binary, fasttext, in_every_format, put, text

import fastvec
from fastvec import cli
from fastvec.vectors import Subwords, SubwordVectors

pytestmark = pytest.mark.any_backend

ABC = [b"aa", b"bb", b"cc"]


def rows(n=3, d=4):
    return np.random.default_rng(0).standard_normal((n, d)).astype(np.float32)


# ---- Numbers that are not finite --------------------------------------------------------------------------


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_refused_or_dropped(tmp_path, number):
    faulty = rows()
    faulty[1, 2] = number
    fvec = tmp_path / "v.fvec"
    write_vectors(fvec, ["aa", "bb", "cc"], faulty)
    for path in (fvec, *in_every_format(tmp_path, ABC, faulty)):
        which = "row" if path.name == "fasttext.bin" else "word"
        message = (
            rf"{re.escape(str(path))}: .*vectors must be finite .*, got {number} in dimension 3 of {which}"
        )
        with pytest.raises(ValueError, match=rf"{message} 2, 'bb'; on_nonfinite='drop' loads the others"):
            fastvec.load(path)
        with pytest.warns(
            UserWarning, match=r"dropped 1 of 3 words whose vectors are not finite, first 'bb'"
        ):
            vectors = fastvec.load(path, on_nonfinite="drop")
        assert vectors.words == ["aa", "cc"]
        expected = rows()[[0, 2]]
        if isinstance(vectors, SubwordVectors):  # the mean with the row of both n-grams
            np.testing.assert_array_equal(vectors.input_vectors, np.vstack([expected, np.ones((1, 4))]))
            expected = (expected + 2) / 3
        np.testing.assert_allclose(vectors.vectors, expected, rtol=1e-6)
        assert [word for word, _ in vectors.most_similar("aa")] == ["cc"]


def test_numbers_beyond_float32(tmp_path):
    for content in ("2 2\na 1 2\nb 1e39 4\n", "a 1 2\nb  -1e39 4\n", "a 1 2\nb 1e999 4\n"):
        path = put(tmp_path / "v.txt", content)
        with pytest.raises(
            ValueError, match=r"finite numbers of float32, got -?inf in dimension 1 of word 2"
        ):
            fastvec.load(path)
        with pytest.warns(UserWarning, match="dropped 1 of 2 words"):
            assert fastvec.load(path, on_nonfinite="drop").words == ["a"]
    large = np.full((200, 300), 3e38, np.float32)  # whose sum is infinite
    assert len(fastvec.Vectors(range(200), large)) == 200


def test_mapped_vectors_are_looked_at_when_they_are_compared(tmp_path):
    faulty = rows()
    faulty[2] = np.nan
    path = tmp_path / "v.fvec"
    write_vectors(path, ["aa", "bb", "cc"], faulty)
    vectors = fastvec.load(path, mmap=True)
    assert vectors["aa"].tolist() == rows()[0].tolist()
    for use in (lambda: vectors.most_similar("aa"), lambda: vectors.similarity("aa", "bb")):
        with pytest.raises(ValueError, match="finite numbers of float32, got nan in dimension 1 of row 3"):
            use()
    with pytest.raises(ValueError, match="on_nonfinite='drop' needs mmap=False"):
        fastvec.load(path, mmap=True, on_nonfinite="drop")


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e39])
def test_vectors_in_memory_are_finite(number):
    matrix = [[1, 0], [1, 1], [number, 0]]
    with pytest.raises(ValueError, match=r"vectors must be finite .* in dimension 1 of word 3, 'c'"):
        fastvec.Vectors(["a", "b", "c"], matrix)
    with pytest.raises(ValueError, match=r"input_vectors must be finite .* in dimension 1 of row 3$"):
        SubwordVectors(["a", "b"], matrix, Subwords(3, 3, 1))
    shared = np.ones((2, 3), np.float32)
    vectors = fastvec.Vectors(["a", "b"], shared)
    shared[1, 1] = number if number < 1e38 else np.inf
    with pytest.raises(ValueError, match=r"must be finite .* in dimension 2 of row 2"):
        vectors.most_similar("a")


def test_what_is_masked_is_missing():
    matrix = np.ma.array([[1, 2], [3, 4]], mask=[[0, 0], [0, 1]])
    with pytest.raises(ValueError, match=r"got nan in dimension 2 of word 2, 'b'"):
        fastvec.Vectors(["a", "b"], matrix)
    assert fastvec.Vectors(["a"], matrix[:1])["a"].tolist() == [1, 2]


# ---- Words that are not UTF-8 -----------------------------------------------------------------------------


def test_words_that_differ_only_in_invalid_bytes(tmp_path):
    names = [b"a\xffb", b"a\xfeb", b"ab", b"\xff", b"c\xff"]
    for path in in_every_format(tmp_path, names, rows(5)):
        with pytest.raises(ValueError, match=r"byte 2 of the word b'a\\xffb' is not UTF-8; errors='rep"):
            fastvec.load(path)
        with pytest.warns(UserWarning, match=r"dropped 1 of 5 words: .* the first is b'a\\xfeb'") as caught:
            replaced = fastvec.load(path, errors="replace")
        assert len(caught) == 1
        assert replaced.words == ["a\ufffdb", "ab", "\ufffd", "c\ufffd"]
        with pytest.warns(UserWarning, match=r"dropped 3 of 5 words: .* the first is b'a\\xffb'"):
            ignored = fastvec.load(path, errors="ignore")
        assert ignored.words == ["ab", "c"]  # not the one that only becomes "ab"
        if not isinstance(replaced, SubwordVectors):
            np.testing.assert_array_equal(replaced.vectors, rows(5)[[0, 2, 3, 4]])
            np.testing.assert_array_equal(ignored.vectors, rows(5)[[2, 4]])
        else:
            np.testing.assert_array_equal(ignored.input_vectors[:2], rows(5)[[2, 4]])
            assert ignored.counts.tolist() == [1, 1]


@pytest.mark.parametrize("mmap", [False, True])
def test_words_of_a_damaged_fvec(tmp_path, mmap):
    path = tmp_path / "v.fvec"
    listed = b'["a\xffb", "a\xfeb", "ab", "\xff", "c\xff"]'
    tensors = {"vectors": rows(5), "words": np.frombuffer(listed, np.uint8), "counts": np.arange(5)}
    save_file(tensors, path, {"format": "fvec", "format_version": "1"})
    with pytest.raises(ValueError, match="byte 4 of the list of words is not UTF-8; errors='replace' reads"):
        fastvec.load(path, mmap=mmap)
    with pytest.warns(UserWarning, match=r"dropped 1 of 5 words: .* the first is b'a\\xfeb'"):
        vectors = fastvec.load(path, errors="replace", mmap=mmap)
    assert vectors.words == ["a\ufffdb", "ab", "\ufffd", "c\ufffd"]
    assert vectors.counts.tolist() == [0, 2, 3, 4]
    with pytest.warns(UserWarning, match="dropped 3 of 5 words"):
        vectors = fastvec.load(path, errors="ignore", mmap=mmap)
    assert vectors.words == ["ab", "c"]
    np.testing.assert_array_equal(vectors.vectors, rows(5)[[2, 4]])


def test_a_model_of_fasttext_is_repaired_too(tmp_path):
    path = put(tmp_path / "m.bin", fasttext([b"a\xff", b"a\xfe", b"bb"], rows(3), tmp_path / "empty.bin"))
    with pytest.raises(ValueError, match=r"word 1 of 3: byte 2 of .*; errors='replace' reads it"):
        fastvec.load_model(path)
    with pytest.warns(UserWarning, match="dropped 1 of 3 words"):
        model = fastvec.load_model(path, errors="replace")
    assert model.vocabulary_.words == ["a\ufffd", "bb"]
    np.testing.assert_array_equal(model._state.parameters["output_vectors"][:2, :4], rows(3)[[0, 2]])
    with pytest.raises(ValueError, match="errors must be one of 'strict', 'replace', 'ignore', got 'mend'"):
        fastvec.load_model(path, errors="mend")


def test_a_model_without_outputs_is_refused_before_its_words(tmp_path):
    vectors = SubwordVectors(["aa", "bb"], rows(5), Subwords(3, 3, 3))
    vectors.save(tmp_path / "m.bin")
    path = put(tmp_path / "m.bin", (tmp_path / "m.bin").read_bytes().replace(b"aa\0", b"a\xff\0"))
    with pytest.raises(ValueError, match="it holds vectors only"):
        fastvec.load_model(path)


# ---- Duplicates, limits, long words -----------------------------------------------------------------------


def test_words_that_occur_twice(tmp_path):
    names = [b"aa", b"bb", b"aa", b"cc", b"aa"]
    for path in in_every_format(tmp_path, names, rows(5)):
        with pytest.raises(ValueError, match=r"'aa' is both word 1 and word 3 .*; on_duplicates='first' k"):
            fastvec.load(path)
        with pytest.warns(UserWarning, match="dropped 2 of 5 words, which occurred before"):
            vectors = fastvec.load(path, on_duplicates="first")
        assert vectors.words == ["aa", "bb", "cc"]
        if not isinstance(vectors, SubwordVectors):
            np.testing.assert_array_equal(vectors.vectors, rows(5)[[0, 1, 3]])
        assert fastvec.load(path, limit=2).words == ["aa", "bb"]


def test_a_limit_reads_the_first_words(tmp_path):
    fvec = tmp_path / "v.fvec"
    fastvec.Vectors(["aa", "bb", "cc"], rows(), [3, 2, 1]).save(fvec)
    for path in (fvec, *in_every_format(tmp_path, ABC, rows())):
        whole = fastvec.load(path)
        for limit in (1, 2, np.int64(3), 100):
            some = fastvec.load(path, limit=limit)
            assert some.words == whole.words[:limit]
            np.testing.assert_array_equal(some.vectors, whole.vectors[:limit])
            if isinstance(whole, SubwordVectors):
                np.testing.assert_array_equal(some["unseen"], whole["unseen"])
        with pytest.raises(ValueError, match="limit must be an int >= 1, got 0"):
            fastvec.load(path, limit=0)
    mapped = fastvec.load(fvec, mmap=True, limit=2)
    assert (mapped.words, mapped.counts.tolist()) == (["aa", "bb"], [3, 2])


def test_a_limit_reads_what_is_left_of_a_file(tmp_path):
    for name, content in (
        ("v.vec", text(ABC, rows()).rstrip().rpartition(b"\n")[0]),
        ("v.vec", text(ABC, rows()).replace(b"3 4", b"1000 4", 1)),
        ("v.bin", binary(ABC, rows())[:-5]),
        ("v.bin", binary(ABC, rows()) + binary(ABC, rows())),
        ("v.glove", text(ABC, rows(), header=False) + b"dd 1 2"),
        ("v.vec", text(ABC, rows()).replace(b"cc ", b"cc x")),
    ):
        path = put(tmp_path / name, content)
        with pytest.raises(ValueError, match=re.escape(str(path))) as error:
            fastvec.load(path)
        vectors = fastvec.load(path, limit=2)
        assert vectors.words == ["aa", "bb"], error.value
        np.testing.assert_array_equal(vectors.vectors, rows()[:2])
    path = put(tmp_path / "v.vec", b"3 2\naa 1 2\n\nbb 3 4\n")
    with pytest.raises(ValueError, match=r"3 words, the file holds 2; .*; limit=2 reads the first of them"):
        fastvec.load(path)
    assert fastvec.load(path, limit=2).words == ["aa", "bb"]
    with pytest.raises(ValueError, match="promises 3 words, the file holds 2"):
        fastvec.load(path, limit=3)


def test_words_of_any_length_come_back_or_are_refused(tmp_path):
    words = ["b", "x" * 5_000_000, "c"]
    for extension in ("bin", "vec", "glove", "fvec"):
        fastvec.Vectors(words, np.eye(3)).save(tmp_path / f"v.{extension}")
        assert fastvec.load(tmp_path / f"v.{extension}").words == words
    SubwordVectors(words, np.ones((4, 2)), Subwords(3, 3, 1)).save(tmp_path / "v.bin")
    assert fastvec.load(tmp_path / "v.bin").words == words
    longest = fastvec.Vectors(["x" * WORD_LIMIT, "b"], np.eye(2))
    for extension in ("bin", "vec", "glove"):
        longest.save(tmp_path / f"v.{extension}")
        assert fastvec.load(tmp_path / f"v.{extension}").words == longest.words
    with pytest.raises(ValueError, match="8,388,609 bytes, and this format holds words of up to 8,388,608"):
        fastvec.Vectors(["x" * (WORD_LIMIT + 1)], np.eye(1)).save(tmp_path / "v.bin")


# ---- Words with spaces in word2vec's binary format --------------------------------------------------------


@pytest.mark.parametrize("errors", ["strict", "replace", "ignore"])
@pytest.mark.parametrize("ending", [b"", b"\n"])
@pytest.mark.parametrize("d", [2, 3, 50])
@pytest.mark.parametrize("name", [b"new york", b"a b", b"a b c d", "où ça".encode()])
def test_a_word_with_a_space_is_never_garbage(tmp_path, name, d, ending, errors):
    for place in range(3):
        names = [b"aa", b"bb", b"cc"]
        names[place] = name
        path = put(tmp_path / "v.bin", binary(names, rows(3, d), ending))
        with pytest.raises(ValueError, match=r"v\.bin"):
            fastvec.load(path, errors=errors)


def test_gensims_words_with_spaces_are_told_of(tmp_path):
    theirs = KeyedVectors(3)
    theirs.add_vectors(["new york", "b"], np.array([[1, 2, 3], [0.1, -0.5, 0.36]], np.float32))
    theirs.save_word2vec_format(tmp_path / "v.bin", binary=True)
    for errors in ("strict", "replace"):
        with pytest.raises(ValueError, match="word 1 of 2: b'new york' has a space in it"):
            fastvec.load(tmp_path / "v.bin", errors=errors)
    theirs.save_word2vec_format(tmp_path / "v.vec")
    assert fastvec.load(tmp_path / "v.vec").words == ["new york", "b"]


def test_odd_words_of_binary_files_are_kept(tmp_path):
    names = ["\x01", "\x7f", "\0\x1f", "東京"]
    for ending in (b"", b"\n", b"\r\n"):
        path = put(tmp_path / "v.bin", binary([name.encode() for name in names], rows(4), ending))
        assert fastvec.load(path).words == names


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_numbers_that_read_as_a_word_and_a_space_are_kept_where_rows_are_lines(tmp_path, ending):
    numbers = np.array([[0], np.frombuffer(b"QQe ", "<f4"), [0]], "<f4")
    for name in (b"000", b"0000000"):
        path = put(tmp_path / "v.bin", binary([b"0", b"4", name], numbers, ending))
        assert fastvec.load(path).vectors.tolist() == numbers.tolist()


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("n", [2, 3, 4])
def test_a_line_feed_among_numbers_hides_no_word_with_a_space(tmp_path, end, n):
    names = [b"x abc", b"bb", b"cc", b"dd"][:n]
    content = binary(names, rows(n, 1), b"")
    first = content.index(b"x abc ") + 6
    hidden = (end + b"Am>")[:3] + b">"  # a number that reads as an end of a line and a word
    path = put(tmp_path / "v.bin", content[:first] + hidden + content[first + 4 :])
    with pytest.raises(ValueError, match=r"v\.bin"):
        fastvec.load(path)


def test_numbers_are_no_words(tmp_path):
    names = [b"w%d" % i for i in range(20)]
    path = put(tmp_path / "v.bin", binary(names, rows(20), b"").replace(b"20 4\n", b"20 5\n"))
    for errors in ("strict", "replace", "ignore"):
        with pytest.raises(
            ValueError, match=r"of 20: .* seems to be numbers; the file is damaged, or its header"
        ):
            fastvec.load(path, limit=9, errors=errors)


# ---- The command line -------------------------------------------------------------------------------------


def test_what_an_error_advises_is_an_option_of_the_command(tmp_path):
    path = put(tmp_path / "v.vec", b"3 2\nb\xff 0.1 0.2\nb 0.3 0.4\nb 0.5 nan\n")
    out = tmp_path / "out.fvec"
    for verb, *rest in (("convert", out), ("neighbors", "b"), ("info",), ("analogy", "b", "b", "b")):
        command = (verb, path, *rest)
        assert "; --errors replace reads it all the same" in fail(*command)
        assert "; --on-duplicates first keeps the first" in fail(*command, "--errors", "replace")
        options = ("--errors", "replace", "--limit", 2)
        succeed(*command, *options)
    options = ("--errors", "replace", "--on-nonfinite", "drop", "--on-duplicates", "first")
    succeed("convert", path, out, *options)
    assert fastvec.load(out).words == ["b\ufffd", "b"]


@pytest.fixture
def command(capsys):
    """Function that runs a command in this process, and returns its status and the error it prints."""

    def run(*arguments):
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            return cli.main(list(map(str, arguments))), capsys.readouterr().err

    return run


def test_formats_are_named_as_options(tmp_path, command):
    path = put(tmp_path / "v.bin", text([b"a", b"b"], AB))
    assert "; --format word2vec-text reads it" in command("info", path)[1]
    assert command("info", path, "--format", "word2vec-text")[0] == 0
    assert command("convert", path, tmp_path / "v.fvec", "--format", "word2vec-text")[0] == 0
    assert command("convert", path, tmp_path / "v.fvec", "--from", "word2vec-text")[0] == 0
    assert "name the format (--to), one of" in command("convert", path, tmp_path / "v.odd")[1]
    odd = put(tmp_path / "v.odd", text([b"a", b"b"], AB))
    assert "name the format (--format), one of" in command("info", odd)[1]
    sentences = put(tmp_path / "text.txt", b"a \xff\n")
    assert "0xff); --errors replace reads it" in command("train", sentences, "-o", tmp_path / "v.fvec")[1]
    assert "name the format (--format), one of" in command("train", sentences, "-o", odd)[1]
    assert command("info", path, "--format", "word2vec-text", "--on-nonfinite", "drop", "--limit", 1)[0] == 0
