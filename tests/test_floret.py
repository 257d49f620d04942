"""Words and n-grams that share the rows of one table, as in floret: its files, its vectors, its training."""

import gzip

import numpy as np
import pytest
from small_runs import learned, stopped_at

import fastvec
from fastvec import Vectors, cli
from fastvec.vectors import Subwords, SubwordVectors

pytestmark = pytest.mark.any_backend(trains=True)

NGRAMS = Subwords(3, 4, 30, hash_count=2)
WORDS = ["garden", "Zürich", "an", "</s>"]
TEXT = [["the", "old", "house", "stands"], ["two", "older", "houses", "stand", "</s>"]] * 20
HEADER = b"2 2 3 4 1 2166136261 < >\n"
SMALL = {"vector_size": 6, "min_count": 1, "threads": 1, "epochs": 2, "min_n": 2, "max_n": 4, "subsample": 0}


def make(words=WORDS, subwords=NGRAMS, counts=None):
    rows = np.random.default_rng(0).standard_normal((subwords.buckets, 5)).astype(np.float32)
    return SubwordVectors(words, rows, subwords, counts, {"window": 5})


def small(**params):
    return fastvec.FastText(**SMALL | {"hash_count": 2, "buckets": 40} | params)


@pytest.fixture(scope="module")
def trained():
    return small().fit(TEXT)


def same(a, b):
    are_equal = np.array_equal(a.input_vectors, b.input_vectors)
    return a.words == b.words and a.subwords == b.subwords and are_equal


# ---- Vectors ----------------------------------------------------------------------------------------------


def test_a_word_is_the_mean_of_its_rows_whether_it_is_listed_or_not():
    vectors = make()
    for word in [*WORDS, "gardener", "東京", "a", ""]:
        rows = [row for _, row in vectors.ngrams(word)]
        assert max(rows) < 30
        np.testing.assert_allclose(vectors[word], vectors.input_vectors[rows].mean(axis=0), atol=1e-6)
    names = [name for name, _ in vectors.ngrams("an")]
    assert names == [name for name in ("<an>", "<an", "<an>", "an>") for _ in range(2)]
    assert vectors.ngrams("an")[:2] == vectors.ngrams("an")[4:6]
    whole = make(subwords=Subwords(2, 0, 7, hash_count=3))
    assert (whole.subwords.min_n, whole.subwords.buckets) == (0, 7)
    assert [name for name, _ in whole.ngrams("garden")] == ["<garden>"] * 3


def test_other_words_keep_the_table():
    vectors = make(counts=[4, 3, 2, 1])
    for other, words in (
        (vectors.subset(["new", "an", "garden"]), ["garden", "an", "new"]),
        (vectors.drop(["an"]), ["garden", "Zürich", "</s>"]),
    ):
        assert other.words == words
        assert other.subwords == NGRAMS
        np.testing.assert_array_equal(other.input_vectors, vectors.input_vectors)
        for word in ("new", "an", "garden"):
            np.testing.assert_allclose(other[word], vectors[word], atol=1e-6)
    assert vectors.subset(["new", "an"]).counts.tolist() == [2, 0]
    for other in (vectors.reduce(3), vectors.postprocess(center=True, remove_top=1)):
        rows = [row for _, row in other.ngrams("new")]
        np.testing.assert_allclose(other["new"], other.input_vectors[rows].mean(axis=0), atol=1e-6)
        rows = [row for _, row in other.ngrams("garden")]
        np.testing.assert_allclose(other["garden"], other.input_vectors[rows].mean(axis=0), atol=1e-5)
    with pytest.raises(ValueError, match=r"rows of their own, got n-grams as in floret \(hash_count=2\)"):
        vectors.with_words(["new"], np.ones((1, 5)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Subwords(3, 4, 30, hash_count=5), ValueError, "hash_count must be an int from 1 to 4"),
        (lambda: Subwords(3, 4, 30, hash_count=0), ValueError, "hash_count must .* from 1 to 4, got 0"),
        (lambda: Subwords(0, 0, 0, hash_count=1), ValueError, "buckets must be an int from 1 to 1073741824"),
        (lambda: SubwordVectors(["a"], np.ones((31, 2)), NGRAMS), ValueError, r"each of the 30 buckets, got"),
        (lambda: small(hash_count=True).fit(TEXT), TypeError, "hash_count must .* got True"),
        (lambda: fastvec.FastText(hashCount=2), TypeError, "`hashCount`: it is `hash_count` of FastText"),
    ],
)
def test_what_does_not_fit(call, error, message):
    with pytest.raises(error, match=message):
        call()


# ---- Files ------------------------------------------------------------------------------------------------


def test_a_file_is_the_table_and_whoever_reads_it_lists_the_words(tmp_path):
    vectors, path = make(), tmp_path / "v.floret"
    vectors.save(path)
    lines = path.read_bytes().splitlines()
    assert lines[0] == b"30 5 3 4 2 2166136261 < >"
    assert [line.split()[0] for line in lines[1:]] == [b"%d" % row for row in range(30)]
    loaded = fastvec.load(path, words=["new", "garden", 12, "new"])
    assert loaded.words == ["new", "garden", "12"]
    assert loaded.subwords == NGRAMS
    np.testing.assert_array_equal(loaded.input_vectors, vectors.input_vectors)
    for word in ("new", "garden", "Zürich"):
        np.testing.assert_array_equal(loaded[word], vectors[word])
    assert fastvec.load(path, words=["new", "garden"], limit=1).words == ["new"]
    assert fastvec.load(path, words=[])["garden"].tolist() == vectors["garden"].tolist()
    half = fastvec.load(path, words=WORDS, dtype="float16")
    assert half.vectors.dtype == half.input_vectors.dtype == np.float16
    np.testing.assert_allclose(half["new"], vectors["new"], atol=2e-3)
    (tmp_path / "counts.txt").write_text("garden 9\nnew 7\n")
    counted = fastvec.load(path, words=["new", "garden"], counts=tmp_path / "counts.txt")
    assert counted.counts.tolist() == [7, 9]
    for name, content in (("v.txt", path.read_bytes()), ("v.floret.gz", gzip.compress(path.read_bytes()))):
        (tmp_path / name).write_bytes(content)
        assert same(fastvec.load(tmp_path / name, words=loaded.words), loaded)


def test_floret_writes_a_blank_behind_each_row(tmp_path):
    path = tmp_path / "v.floret"
    path.write_bytes(HEADER + b"0 0.5 1 \n1 -2e-05 3 \n")
    vectors = fastvec.load(path, words=["a"])
    np.testing.assert_array_equal(vectors.input_vectors, np.array([[0.5, 1], [-2e-05, 3]], np.float32))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEADER + b"0 1 2\n", "the header promises 2 rows, the file holds 1; it is truncated or damaged"),
        (
            HEADER + b"0 1 2\n1 1 2\n2 1 2\n",
            r"line 4: expected no more than 2, got b'2'; the file is",
        ),
        (HEADER + b"0 1 2\n0 1 2\n", r"line 3: expected row 1 of 2, got b'0'"),
        (HEADER + b"0 1 2\n1 1\n", "line 3: expected a word and 2 numbers, got 1"),
        (HEADER + b"0 1 2\n1 1 nan\n", r"input_vectors must be finite .* got nan in dimension 2 of row 2;"),
        (b"9999999 9 3 4 1 2166136261 < >\n0 1\n", "9,999,999 rows of 9 dimensions, which the file cannot"),
        (b"2 0 3 4 1 2166136261 < >\n0\n1\n", "2 rows of 0 dimensions, which the file cannot hold"),
        (b"2 2 3 4 5 2166136261 < >\n0 1 2\n1 1 2\n", "line 1: hash_count must be an int from 1 to 4, got 5"),
        (b"2 2 5 4 1 2166136261 < >\n0 1 2\n1 1 2\n", "min_n must be an int from 0 to max_n=4, got 5"),
        (b"2 2 3 4 1 0 < >\n0 1 2\n1 1 2\n", "must be those of floret, '2166136261 < >', got '0 < >'"),
        (b"2 2 3 4 1 2166136261 [ ]\n0 1 2\n1 1 2\n", r"got '2166136261 \[ \]'"),
        (b"rows", "line 1: expected rows, dimensions, min_n, max_n, hash_count,"),
        (b"2 2 3 4 1 2166136261\n0 1 2\n1 1 2\n", "holds vectors as text, not floret"),
    ],
)
def test_damaged_files(tmp_path, content, message):
    path = tmp_path / "v.floret"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        fastvec.load(path, words=["a"])
    assert str(error.value).startswith(str(path))


def test_rows_that_are_not_finite_become_zeros(tmp_path):
    path = tmp_path / "v.floret"
    path.write_bytes(HEADER + b"0 1 nan\n1 1 2\n")
    listed = [f"word{i}" for i in range(9)]
    with pytest.warns(UserWarning) as warnings:
        vectors = fastvec.load(path, words=listed, on_nonfinite="drop")
    assert "1 rows of n-grams that are not finite are now 0" in str(warnings[0].message)
    np.testing.assert_array_equal(vectors.input_vectors, [[0, 0], [1, 2]])


def test_what_other_files_keep(tmp_path):
    vectors = make(counts=[4, 3, 2, 1])
    vectors.save(tmp_path / "v.fvec")
    for options in ({}, {"mmap": True}):
        loaded = fastvec.load(tmp_path / "v.fvec", **options)
        assert same(loaded, vectors)
        assert loaded.metadata == {"window": 5}
    some = fastvec.load(tmp_path / "v.fvec", words=["an"], dtype="float16")
    assert (some.words, some.counts.tolist(), some.input_vectors.dtype) == (["an"], [2], np.float16)
    np.testing.assert_allclose(some.input_vectors, vectors.input_vectors, atol=2e-3)
    vectors.save(tmp_path / "v.vec")
    np.testing.assert_array_equal(fastvec.load(tmp_path / "v.vec").vectors, vectors.vectors)
    with pytest.raises(ValueError, match=r"cannot hold n-grams as in floret \(hash_count=2\): save"):
        vectors.save(tmp_path / "v.bin")
    rows = np.ones((4 + 30, 5), np.float32)
    for others in (Vectors(WORDS, vectors.vectors), SubwordVectors(WORDS, rows, Subwords(3, 4, 30))):
        with pytest.raises(ValueError, match=r"vectors do not have: train FastText\(hash_count=2\)"):
            others.save(tmp_path / "v.floret")
    with pytest.raises(ValueError, match="floret, not a text"):
        (tmp_path / "text.txt").write_bytes(HEADER + b"0 1 2\n1 1 2\n")
        fastvec.Corpus(tmp_path / "text.txt")


def test_the_command_converts_it(tmp_path, capsys):
    path, words, file, again = (tmp_path / name for name in ("v.floret", "words", "v.fvec", "again.floret"))
    make().save(path)
    assert cli.main(["convert", str(path), str(file)]) != 0
    assert "has no list of words: words=[...] says which the vectors are to have" in capsys.readouterr().err
    words.write_text("garden\nnew\n")
    assert cli.main(["convert", str(path), str(file), "--words", str(words)]) == 0
    assert fastvec.load(file).words == ["garden", "new"]
    assert cli.main(["convert", str(file), str(again)]) == 0
    assert again.read_bytes() == path.read_bytes()


# ---- Training ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [{}, {"model": "cbow", "hash_count": 4}, {"max_n": 0, "min_n": 0}, {"deterministic": True, "threads": 2}],
)
def test_training_moves_the_rows_of_the_table(params):
    model = small(**params).fit(TEXT)
    vectors = model.vectors_
    assert vectors.words == model.vocabulary_.words
    assert vectors.input_vectors.shape == model.input_vectors_.shape == (40, 6)
    start = small(**params, learning_rate=1e-30).fit(TEXT).input_vectors_
    np.testing.assert_allclose([start.min(), start.max()], [-1 / 6, 1 / 6], rtol=0.1)
    used = np.unique([row for word in vectors.words for _, row in vectors.ngrams(word)])
    moved = np.flatnonzero((model.input_vectors_ != start).any(axis=1))
    assert moved.tolist() == used.tolist()
    for word in (*vectors.words, "housing"):
        rows = [row for _, row in vectors.ngrams(word)]
        np.testing.assert_allclose(vectors[word], model.input_vectors_[rows].mean(axis=0), atol=1e-6)


def test_gradients_are_those_of_the_loss():
    for name in ("skipgram", "cbow"):
        model = small(model=name, scale_gradient=True).fit(TEXT)
        assert model.check_gradient(TEXT[:2], sample=30).ok()


def test_what_is_saved_goes_on(trained, tmp_path):
    trained.save(tmp_path / "m.fvec")
    again = fastvec.load_model(tmp_path / "m.fvec")
    assert same(again.vectors_, trained.vectors_)
    assert again.hash_count == 2
    with pytest.raises(ValueError, match=r"cannot hold n-grams as in floret \(hash_count=2\)"):
        trained.save(tmp_path / "m.bin")
    again.set_params(learning_rate=1e-30, min_learning_rate=0, epochs=1)
    outputs = dict(zip(again.vectors_.words, again.output_vectors_.copy(), strict=True))
    again.fit([*TEXT, *[["brand", "new"]] * 50], update_vocabulary=True)
    assert {"brand", "new"} < {*again.vectors_.words}
    np.testing.assert_array_equal(again.input_vectors_, trained.input_vectors_)
    for word, row in outputs.items():
        np.testing.assert_array_equal(again.output_vectors_[again.vectors_.index(word)], row)
    with pytest.raises(ValueError, match="hash_count must be 2 as in the training so far, got 3"):
        again.set_params(hash_count=3).fit(TEXT)


def test_an_unfinished_training_is_resumed(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.fvec"
    stopped_at(monkeypatch, small(), 1, TEXT, checkpoint=path)
    resumed = small().fit(TEXT, checkpoint=path, resume=True)
    assert learned(resumed) == learned(small().fit(TEXT))


def test_vectors_to_start_from(trained, tmp_path):
    trained.vectors_.save(tmp_path / "v.floret")
    start = fastvec.load(tmp_path / "v.floret", words=["houses", "old"])
    model = small(seed=7, epochs=1)
    begun = model.set_params(learning_rate=1e-30).fit(TEXT, start_from=start)
    np.testing.assert_array_equal(begun.input_vectors_, start.input_vectors)
    kept = small(seed=7).fit(TEXT, start_from=start, freeze=["old"]).vectors_
    np.testing.assert_array_equal(kept["old"], start["old"])
    rows = [row for _, row in start.ngrams("old")]
    others = np.delete(np.arange(40), rows)
    np.testing.assert_array_equal(kept.input_vectors[rows], start.input_vectors[rows])
    assert (kept.input_vectors[others] != start.input_vectors[others]).any()
    frozen = small(seed=7).fit(TEXT, start_from=start, freeze=True)
    np.testing.assert_array_equal(frozen.input_vectors_, start.input_vectors)
    for other, message in (
        (small(hash_count=None), r"start_from, 2, 4 and 40 with hash_count=2, got 2, 4 and 40; Vectors"),
        (small(hash_count=1), r"40 with hash_count=2, got 2, 4 and 40 with hash_count=1; Vectors"),
    ):
        with pytest.raises(ValueError, match=message):
            other.fit(TEXT, start_from=start)
    with pytest.raises(ValueError, match="start_from must have n-grams as in floret with hash_count, which"):
        small().fit(TEXT, start_from=Vectors(start.words, start.vectors))
    with pytest.raises(ValueError, match="start_from must be None after the first call of fit with hash_c"):
        small().fit(TEXT[:1]).fit(TEXT, start_from=start, update_vocabulary=True)
