"""What of a file is loaded: the first words or some, in any encoding, in half the memory; their counts."""

import gzip
import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from inside import FastTextFile, write_model
from peers import KeyedVectors
from vector_files import in_every_format, put

import fastvec
from fastvec import cli
from fastvec.vectors import Subwords, SubwordVectors

pytestmark = pytest.mark.any_backend

WORDS = [f"w{i}" for i in range(20)]
MATRIX = np.random.default_rng(0).standard_normal((20, 6)).astype(np.float32)
COUNTS = np.arange(100, 80, -1)
ROWS = np.random.default_rng(1).standard_normal((20 + 30, 6)).astype(np.float32)
PLAIN = fastvec.Vectors(WORDS, MATRIX, COUNTS)
SUBWORDS = SubwordVectors(WORDS, ROWS, Subwords(2, 3, 30), COUNTS)
FILES = ["v.fvec", "v.bin", "v.vec", "v.glove", "v.vec.gz", "v.bin.gz", "n.fvec", "n.bin", "n.bin.gz"]


def saved(folder, name):
    """Save vectors, with n-grams if the name of the file begins with n, and return them and the path."""
    vectors = SUBWORDS if name.startswith("n") else PLAIN
    path = folder / name
    vectors.save(path.with_suffix("") if path.suffix == ".gz" else path)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(path.with_suffix("").read_bytes()))
    return vectors, path


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ({"words": ["w7", "w3", "nothing"]}, [3, 7]),
        ({"words": ["w7", "w3"], "limit": 5}, [3]),
        ({"words": {*WORDS}}, [*range(20)]),
        ({"limit": 4}, [0, 1, 2, 3]),
        ({"limit": 100, "errors": "replace", "words": ["w19"]}, [19]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, "float16"])
def test_every_format_gives_what_is_asked_for(tmp_path, name, options, rows, dtype):
    vectors, path = saved(tmp_path, name)
    found = fastvec.load(path, **options, dtype=dtype)
    assert found.words == [WORDS[row] for row in rows]
    assert found.vectors.dtype == dtype
    if dtype == np.float32:
        np.testing.assert_array_equal(found.vectors, vectors.vectors[rows])
    else:
        np.testing.assert_allclose(found.vectors, vectors.vectors[rows], rtol=2e-3, atol=2e-3)
    if found.counts is not None:
        np.testing.assert_array_equal(found.counts, COUNTS[rows])
    if name.startswith("n"):
        assert found.input_vectors.shape == (len(rows) + 30, 6)
        assert found.input_vectors.dtype == dtype
        np.testing.assert_allclose(found["unseen"], SUBWORDS["unseen"], atol=2e-3)
        assert (found.counts is None) == (vectors.counts is None)


@pytest.mark.parametrize("name", ["v.fvec", "n.fvec"])
def test_a_mapped_file_gives_some_words(tmp_path, name):
    vectors, path = saved(tmp_path, name)
    found = fastvec.load(path, mmap=True, words=["w7", "w3"])
    np.testing.assert_array_equal(found.vectors, vectors.vectors[[3, 7]])
    with pytest.raises(ValueError, match="dtype='float16' needs mmap=False"):
        fastvec.load(path, mmap=True, dtype="float16")


def test_words_that_no_file_has(tmp_path):
    _, path = saved(tmp_path, "v.vec")
    with pytest.raises(ValueError, match=r"v\.vec: has none of the 2 words asked for, such as 'x'"):
        fastvec.load(path, words=["x", "y"])
    for words, message in (
        (["x", "y"], "has none of the 2 words"),
        (WORDS[:1], "vocab: has no count of any"),
    ):
        (tmp_path / "vocab").write_text("other 1\n")
        with pytest.raises(ValueError, match=message):
            fastvec.load(path, words=words, counts=tmp_path / "vocab")
    assert fastvec.load(path, words=[], counts=tmp_path / "vocab").counts.shape == (0,)
    with pytest.raises(TypeError, match="words must be a list of words, got 'w1', whose letters"):
        fastvec.load(path, words="w1")
    with pytest.raises(ValueError, match="dtype must be 'float32' or 'float16', got 'float8'"):
        fastvec.load(path, dtype="float8")
    for dtype in (np.int8, np.float64):
        with pytest.raises(ValueError, match="dtype must be 'float32' or 'float16'"):
            fastvec.load(path, dtype=dtype)


def test_a_word_of_a_number_and_words_twice(tmp_path):
    (tmp_path / "v.vec").write_text("a 1\n12 2\na 3\n")
    assert fastvec.load(tmp_path / "v.vec", words=[12]).words == ["12"]
    with pytest.raises(ValueError, match="'a' is both word 1 and word 2"):
        fastvec.load(tmp_path / "v.vec", words=["a"])
    with pytest.warns(UserWarning, match="dropped 1 of 2 words"):
        assert fastvec.load(tmp_path / "v.vec", words=["a"], on_duplicates="first")["a"] == [1]


class Counting(io.FileIO):
    """A file that counts the bytes that are read of it."""

    n_read = 0

    def readinto(self, buffer):
        n = super().readinto(buffer)
        Counting.n_read += n
        return n


@pytest.fixture
def bytes_read(monkeypatch):
    """Function that calls a function and returns how many bytes that has read of files."""

    opening = Path.open

    def count(function, *arguments, **options):
        def opened(path, mode="r", *others, **more):
            if mode == "rb":
                return io.BufferedReader(Counting(path))
            return opening(path, mode, *others, **more)

        Counting.n_read = 0
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", opened)
            function(*arguments, **options)
        return Counting.n_read

    return count


@pytest.mark.parametrize("name", ["v.bin", "v.vec", "v.glove"])
def test_the_first_words_of_two_gigabytes_are_a_few_megabytes(tmp_path, bytes_read, name):
    path = tmp_path / name
    fastvec.Vectors([f"w{i}" for i in range(1200)], np.ones((1200, 300), np.float32)).save(path)
    with path.open("r+b") as file:
        if name != "v.glove":
            content = file.read()
            file.seek(0)
            file.write(content.replace(b"1200 300", b"1600000 300", 1))
        file.truncate(2 << 30)  # the rest is a hole
    assert bytes_read(fastvec.load, path, limit=1000) < 10 << 20
    assert fastvec.load(path, limit=1000).words[-1] == "w999"


def test_rows_of_words_beyond_the_limit_are_passed_over_in_fasttexts_files(tmp_path, bytes_read):
    path, rows = tmp_path / "n.bin", np.ones((2005, 2500), np.float32)
    inputs = FastTextFile([f"w{i}" for i in range(2000)], None, rows, None, Subwords(3, 3, 5), {})
    write_model(path, inputs)
    assert path.stat().st_size > 40_000_000
    assert bytes_read(fastvec.load, path, limit=10) < 14 << 20
    assert bytes_read(fastvec.load, path) > 20_000_000


@pytest.mark.parametrize("name", ["v.fvec", "n.fvec"])
def test_rows_of_fvec_that_are_not_asked_for_are_not_looked_at(tmp_path, name):
    vectors, path = saved(tmp_path, name)
    content = bytearray(path.read_bytes())
    last = vectors.vectors[-1].tobytes()
    place = content.index(last)
    content[place : place + 4] = b"\0\0\xc0\x7f"
    path.write_bytes(content)
    np.testing.assert_array_equal(fastvec.load(path, limit=3).vectors, vectors.vectors[:3])
    np.testing.assert_array_equal(fastvec.load(path, words=["w1"]).vectors, vectors.vectors[1:2])
    for options in ({}, {"dtype": "float16"}, {"limit": 3, "verify": True}):
        with pytest.raises(ValueError, match="another checksum"):
            fastvec.load(path, **options)


# ---- Half the memory --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "n"), [("v.fvec", 8000), ("v.bin", 8000), ("v.vec", 3000), ("n.bin", 9000)])
def test_float16_takes_half_the_memory_while_it_is_read(tmp_path, name, n):
    path, d = tmp_path / name, 1000
    rows = np.ones((n, d), np.float32)
    words = [f"w{i}" for i in range(n)]
    vectors = (
        SubwordVectors(words, rows, Subwords(0, 0, 0)) if name == "n.bin" else fastvec.Vectors(words, rows)
    )
    vectors.save(path)
    peaks = {}
    for dtype in ("float32", "float16"):
        tracemalloc.start()
        found = fastvec.load(path, dtype=dtype)
        peaks[dtype] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found.vectors.nbytes == n * d * np.dtype(dtype).itemsize
    blocks = (8 if name == "v.vec" else 24) << 20  # bytes that are read and rows that are averaged at a time
    assert peaks["float16"] < peaks["float32"] / 2 + blocks
    assert peaks["float16"] < 0.9 * peaks["float32"]


@pytest.mark.parametrize("options", [{"limit": 3}, {"words": ["w3"]}])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_rows_of_ngrams_are_copied_once(tmp_path, options, dtype):
    rows = np.ones((20 + 8000, 250), np.float32)
    SubwordVectors(WORDS, rows, Subwords(2, 3, 8000)).save(tmp_path / "n.fvec")
    tracemalloc.start()
    found = fastvec.load(tmp_path / "n.fvec", **options, dtype=dtype)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.input_vectors.dtype == dtype
    assert peak < found.input_vectors.nbytes + (2 << 20)


@pytest.mark.parametrize("vectors", [PLAIN, SUBWORDS], ids=["words", "n-grams"])
def test_all_that_is_computed_of_float16_is_float32(tmp_path, vectors):
    vectors.save(tmp_path / "v.fvec")
    half = fastvec.load(tmp_path / "v.fvec", dtype="float16")
    same = fastvec.Vectors(half.words, half.vectors.astype(np.float32))
    for word in ("w3", ["w3", "w7"]):
        assert half[word].dtype == np.float32
        np.testing.assert_array_equal(half[word], same[word])
    assert half.most_similar("w3") == same.most_similar("w3")
    queries = WORDS[:8]
    assert half.most_similar_batch(queries, topn=3) == same.most_similar_batch(queries, topn=3)
    assert half.analogy("w1", "w2", "w3") == same.analogy("w1", "w2", "w3")
    assert half.similarity("w1", "w2") == same.similarity("w1", "w2") != vectors.similarity("w1", "w2")
    assert half.similarity("w1", "w2") == pytest.approx(vectors.similarity("w1", "w2"), abs=1e-3)
    assert half.postprocess(remove_top=1).vectors.dtype == np.float32
    assert np.asarray(half).dtype == np.float16


def test_float16_is_written_as_float32(tmp_path):
    half = fastvec.Vectors(WORDS, MATRIX.astype(np.float16))
    assert half.vectors.dtype == np.float16
    for name in ("v.fvec", "v.bin", "v.vec", "v.glove"):
        half.save(tmp_path / name)
        np.testing.assert_array_equal(fastvec.load(tmp_path / name).vectors, half.vectors)


@pytest.mark.parametrize("name", ["v.fvec", "v.bin", "v.vec"])
def test_what_is_beyond_float16_is_not_finite(tmp_path, name):
    fastvec.Vectors(["a", "b"], [[1, 70000], [1, 2]]).save(tmp_path / name)
    with pytest.raises(ValueError, match=r"finite numbers of float16, got inf in dimension 2 of word 1, 'a'"):
        fastvec.load(tmp_path / name, dtype="float16")
    with pytest.warns(UserWarning, match="dropped 1 of 2 words"):
        assert fastvec.load(tmp_path / name, dtype="float16", on_nonfinite="drop").words == ["b"]


# ---- Encodings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["latin-1", "cp852", "cp1250", "gbk"])
def test_encodings(tmp_path, encoding):
    words = {"latin-1": ["Zürich", "a\xa0b"], "gbk": ["东京", "abc"]}.get(encoding, ["łódź", "žába"])
    names = [word.encode(encoding) for word in words]
    rows = MATRIX[:2]
    paths = list(in_every_format(tmp_path, names, rows))
    paths.append(put(tmp_path / "v.vec.gz", gzip.compress(paths[0].read_bytes())))
    for path in paths:
        with pytest.raises(ValueError, match=r"is not UTF-8; errors='replace' reads it all the same, enc"):
            fastvec.load(path)
        found, some = fastvec.load(path, encoding=encoding), {"encoding": encoding, "words": words[1:]}
        assert found.words == words
        if "fasttext" not in path.name:
            np.testing.assert_array_equal(found.vectors, rows)
        np.testing.assert_array_equal(fastvec.load(path, **some).vectors, found.vectors[1:])


def test_bytes_that_are_not_of_the_encoding(tmp_path):
    path = tmp_path / "v.vec"
    path.write_bytes(b"b\x81c 1 2\nd 1 2\n")
    with pytest.raises(
        ValueError, match=r"line 1: byte 2 of the word b'b\\x81c' is not CP1252; errors='replace'"
    ):
        fastvec.load(path, encoding="cp1252")
    assert fastvec.load(path, encoding="cp1252", errors="replace").words == ["b\ufffdc", "d"]
    assert fastvec.load(path, encoding="cp1252", errors="replace", words=["b\ufffdc"]).words == ["b\ufffdc"]


@pytest.mark.parametrize("encoding", ["utf-16", "klingon", "utf-8-sig", "cp037", ""])
def test_encodings_in_which_numbers_are_other_bytes(tmp_path, encoding):
    _, path = saved(tmp_path, "v.vec")
    with pytest.raises(ValueError, match=f"encoding must be one that Python knows .*, got {encoding!r}"):
        fastvec.load(path, encoding=encoding)
    with pytest.raises(TypeError, match="encoding must be a str, got None"):
        fastvec.load(path, encoding=None)


def test_fvec_is_utf8(tmp_path):
    _, path = saved(tmp_path, "v.fvec")
    with pytest.raises(ValueError, match=r"encoding must be 'utf-8' for .*v\.fvec in the format 'fvec'"):
        fastvec.load(path, encoding="latin-1")
    fastvec.Vectors(["a\x01b"], [[1, 2]]).save(tmp_path / "v.bin")  # a word that only UTF-8 may have
    for name in ("utf-8", "UTF-8", "utf8"):
        assert fastvec.load(path, encoding=name).words == WORDS
        assert fastvec.load(tmp_path / "v.bin", encoding=name).words == ["a\x01b"]


# ---- Counts in a file of their own ------------------------------------------------------------------------


def test_gensim_reads_our_counts_and_we_read_gensims(tmp_path):
    path, counts = tmp_path / "v.bin", tmp_path / "vocab.txt"
    PLAIN.save(path, counts=counts)
    theirs = KeyedVectors.load_word2vec_format(path, fvocab=counts, binary=True)
    assert [theirs.get_vecattr(word, "count") for word in WORDS] == COUNTS.tolist()
    theirs.save_word2vec_format(path, fvocab=counts, binary=True)
    np.testing.assert_array_equal(fastvec.load(path, counts=counts).counts, COUNTS)
    assert fastvec.load(path).counts is None


def test_counts_of_some_words(tmp_path):
    _, path = saved(tmp_path, "v.vec")
    counts = tmp_path / "vocab.txt"
    counts.write_text("\ufeffw3 7\nnew york 6\n\nw4\t5 \r\n", encoding="utf-8")
    with pytest.warns(UserWarning, match=r"no counts of 1 of 3 words, which are 0 now, first 'w5'"):
        found = fastvec.load(path, counts=counts, words=["w5", "w4", "w3"])
    assert found.counts.tolist() == [7, 5, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no count of any of the 20 words"),
        (b"x 1\n", "has no count of any of the 20 words"),
        (b"w1 1\nw2\n", "line 2: expected a word and how often it occurs, got b'w2"),
        (b"w1 -1\n", "line 1: expected a word and how often it occurs, got b'w1 -1"),
        (b"w1 1.5\n", "line 1: expected a word and how often it occurs"),
        (b"w1 1\nw1 2\n", "'w1' is both word 1 and word 2"),
        (b"w1 1\n\nw\xff 2\n", r"line 3: byte 2 of the word b'w\\xff' is not UTF-8"),
        (b"w1 9999999999999999999\n", "line 1: expected a word and how often"),
    ],
)
def test_damaged_counts(tmp_path, content, message):
    _, path = saved(tmp_path, "v.vec")
    counts = tmp_path / "vocab.txt"
    counts.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        fastvec.load(path, counts=counts)
    assert str(counts) in str(error.value)
    with pytest.raises(FileNotFoundError):
        fastvec.load(path, counts=tmp_path / "nothing.txt")


def test_counts_that_cannot_be_saved(tmp_path):
    path = tmp_path / "v.bin"
    with pytest.raises(ValueError, match=r"counts must be None for vectors without counts, got 'vocab\.txt'"):
        fastvec.Vectors(WORDS, MATRIX).save(path, counts="vocab.txt")
    with pytest.raises(ValueError, match="path and counts must be two files"):
        PLAIN.save(path, counts=path)
    assert list(tmp_path.iterdir()) == []


# ---- The command line -------------------------------------------------------------------------------------


def test_convert_takes_all_of_it(tmp_path):
    path, words, counts, out = (str(tmp_path / name) for name in ("v.vec", "words", "vocab", "out.fvec"))
    Path(path).write_bytes("süd 1 2\nnord 3 4\nost 5 6\n".encode("latin-1"))
    Path(words).write_text("ost\nsüd\nwest\n", encoding="utf-8")
    Path(counts).write_bytes("süd 9\nnord 8\nost 7\n".encode("latin-1"))
    options = ["--encoding", "latin-1", "--words", words, "--counts", counts]
    assert cli.main(["convert", path, out, *options]) == 0
    found = fastvec.load(out)
    assert (found.words, found.counts.tolist()) == (["süd", "ost"], [9, 7])
    assert cli.main(["convert", path, out, *options, "--limit", "1"]) == 0
    assert fastvec.load(out).words == ["süd"]


def test_the_command_names_the_option_of_an_encoding(tmp_path, capsys):
    path = tmp_path / "v.vec"
    path.write_bytes("süd 1 2\n".encode("latin-1"))
    assert cli.main(["neighbors", str(path), "x"]) != 0
    assert "--errors replace reads it all the same, --encoding latin-1 if" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["fvec", "word2vec-binary", "fasttext", "word2vec-text", "glove"])
def test_ids_are_chosen_as_ints(tmp_path, name):
    fastvec.Vectors([7, 8, 9], np.eye(3, dtype=np.float32)).save(tmp_path / "v", format=name)
    loaded = fastvec.load(tmp_path / "v", format=name, words=[9, 7])
    assert [int(word) for word in loaded.words] == [7, 9]
    assert loaded.similarity(7, 9) == 0
