"""Words that were never seen get the mean of their n-grams, wherever a word may be asked for."""

import tracemalloc

import numpy as np
import pytest
from commands import run
from safetensors.numpy import save_file

import fastvec
from fastvec import evaluate
from fastvec.vectors import Subwords, SubwordVectors

pytestmark = pytest.mark.any_backend(trains=True)

WORDS = ["garden", "gardens", "Zürich", "東京", "12", "</s>"]
NGRAMS = Subwords(3, 5, 50)


def make(words=WORDS, subwords=NGRAMS, d=7, counts=None):
    rows = np.random.default_rng(0).standard_normal((len(words) + subwords.buckets, d)).astype(np.float32)
    return SubwordVectors(words, rows, subwords, counts, {"window": 5})


def mean(vectors, rows):
    return vectors.input_vectors[rows].astype(np.float64).mean(axis=0)


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_vectors_of_known_words_are_means_of_all_their_rows():
    vectors = make()
    for i, word in enumerate(WORDS):
        rows = [i, *vectors.subwords.ngram_rows(word, len(WORDS))]
        np.testing.assert_allclose(vectors[word], mean(vectors, rows), atol=1e-6)
        np.testing.assert_array_equal(vectors[word], vectors.vectors[i])
    np.testing.assert_array_equal(vectors["</s>"], vectors.input_vectors[5])
    assert repr(vectors) == "SubwordVectors(6 words, 7 dimensions)"


def test_vectors_of_unknown_words_are_means_of_their_ngrams():
    vectors = make()
    for word in ("gardener", "Zürcher", "東", "x\udc80", 123):
        rows = vectors.subwords.ngram_rows(str(word), len(WORDS))
        np.testing.assert_allclose(vectors[word], mean(vectors, rows), atol=1e-6)
        assert vectors[word].dtype == np.float32
        assert word not in vectors
        with pytest.raises(fastvec.UnknownWordError):
            vectors.index(word)


def test_several_words():
    vectors = make()
    found = vectors[["gardener", "garden", 12]]
    np.testing.assert_array_equal(found, [vectors["gardener"], vectors["garden"], vectors["12"]])
    assert vectors[[]].shape == (0, 7)


@pytest.mark.parametrize("ask", ["__getitem__", "most_similar"])
def test_words_without_ngrams_are_unknown(ask):
    for subwords, word in ((NGRAMS, ""), (Subwords(0, 0, 0), "gardener"), (Subwords(5, 6, 9), "an")):
        with pytest.raises(fastvec.UnknownWordError, match=f"'{word}' is not among the 6 words"):
            getattr(make(subwords=subwords), ask)(word)
    without = make([word for word in WORDS if word != "</s>"])
    with pytest.raises(fastvec.UnknownWordError):
        getattr(without, ask)("</s>")


@pytest.mark.parametrize("word", [None, 1.5, b"garden", ["garden", None], [["garden"]], True])
def test_words_of_the_wrong_type(word):
    with pytest.raises(TypeError, match="word must be a str or an int, got "):
        make()[word]


def test_unknown_words_are_compared():
    vectors = make()
    new = vectors["gardener"]
    assert vectors.similarity("gardener", "garden") == pytest.approx(cosine(new, vectors["garden"]), abs=1e-6)
    assert vectors.similarity("gardener", "gardener") == pytest.approx(1)
    expected = sorted(WORDS, key=lambda word: -cosine(new, vectors[word]))
    found = vectors.most_similar("gardener", topn=10)
    assert [word for word, _ in found] == expected
    assert vectors.most_similar(new, topn=10) == found
    assert vectors.most_similar_batch(["gardener", "garden"])[0][0][0] == expected[0]
    assert "garden" not in dict(vectors.most_similar(["gardener", "garden"]))
    analogy = vectors.analogy("garden", "gardener", "Zürich", topn=6)
    assert {word for word, _ in analogy} == set(WORDS) - {"garden", "Zürich"}


def test_similarity_covers_words_with_ngrams(tmp_path):
    vectors = make()
    pairs = [("Garden", "gardener", 3.0), ("garden", "zürich", 2.0), ("gardens", "", 1.0)]
    result = evaluate.similarity(vectors, pairs)
    assert (result.covered, result.pairs) == (2, 3)
    cosines = [vectors.similarity("garden", "gardener"), vectors.similarity("garden", "Zürich")]
    assert result.spearman == pytest.approx(1 if cosines[0] > cosines[1] else -1)
    assert evaluate.similarity(fastvec.Vectors(WORDS, vectors.vectors), pairs).covered == 1
    questions = tmp_path / "questions.txt"
    questions.write_text(": one\ngarden gardens zürich 東京\ngarden gardens gardener 東京\n")
    assert evaluate.analogies(vectors, questions).total.covered == 1


@pytest.mark.parametrize(
    ("words", "rows", "error", "message"),
    [
        ("ab", np.zeros((52, 3)), TypeError, "words must be a sequence of words, got 'ab'"),
        (["a", 1.5], np.zeros((52, 3)), TypeError, r"word must be a str or an int, got 1\.5"),
        (["a"], np.zeros((50, 3)), ValueError, r"each of the 1 words and the 50 buckets, got \(50, 3\)"),
        (["a"], np.zeros(51), ValueError, r"the shape \(n, d\), .* got \(51,\)"),
        (["a", "a"], np.zeros((52, 3)), ValueError, "distinct, got 'a' twice"),
    ],
)
def test_parts_that_do_not_fit(words, rows, error, message):
    with pytest.raises(error, match=message):
        SubwordVectors(words, rows, NGRAMS)


def test_nothing_is_copied_and_nothing_can_be_changed_by_accident():
    padded = np.ones((2 + 50, 16), np.float32)
    vectors = SubwordVectors(["a", 7], padded[:, :3], NGRAMS)
    assert vectors.words == ["a", "7"]
    assert np.shares_memory(vectors.input_vectors, padded)
    with pytest.raises(ValueError, match="read-only"):
        vectors.input_vectors[0] = 5
    across = np.asfortranarray(np.random.default_rng(0).standard_normal((52, 3)), dtype=np.float32)
    np.testing.assert_array_equal(SubwordVectors(["a", 7], across, NGRAMS).input_vectors, across)
    given = np.ones((2, 3), np.float32)
    assert np.shares_memory(SubwordVectors(["a", 7], padded[:, :3], NGRAMS, vectors=given).vectors, given)


def test_no_words():
    vectors = make([])
    assert len(vectors) == 0
    assert vectors["garden"].shape == (7,)
    assert vectors.most_similar("garden") == []


# ---- Files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mmap", [False, True])
def test_fvec_keeps_everything(tmp_path, mmap):
    vectors = make(counts=[6, 5, 4, 3, 2, 1])
    vectors.save(tmp_path / "v.fvec")
    loaded = fastvec.load(tmp_path / "v.fvec", mmap=mmap)
    assert isinstance(loaded, SubwordVectors)
    assert (loaded.words, loaded.subwords, loaded.metadata) == (WORDS, NGRAMS, {"window": 5})
    np.testing.assert_array_equal(loaded.input_vectors, vectors.input_vectors)
    np.testing.assert_array_equal(loaded.vectors, vectors.vectors)
    np.testing.assert_array_equal(loaded.counts, vectors.counts)
    np.testing.assert_array_equal(loaded["unseen"], vectors["unseen"])
    loaded.save(tmp_path / "v.bin")
    np.testing.assert_array_equal(fastvec.load(tmp_path / "v.bin").input_vectors, vectors.input_vectors)


def test_fvec_mapping_reads_no_matrix(tmp_path):
    path = tmp_path / "v.fvec"
    make(d=30_000).save(path)
    tracemalloc.start()
    vectors = fastvec.load(path, mmap=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < vectors.input_vectors.nbytes / 10


def test_numpy_ints_are_saved(tmp_path):
    make(subwords=Subwords(np.int32(3), np.int64(4), np.int64(9))).save(tmp_path / "v.fvec")
    assert fastvec.load(tmp_path / "v.fvec").subwords == Subwords(3, 4, 9)


def fvec_of(path, tensors, header):
    words = np.frombuffer(b'["a","b"]', np.uint8)
    whole = {"vectors": np.zeros((2, 3), np.float32), "words": words, **tensors}
    save_file(whole, path, {"format": "fvec", "format_version": "1", "parameters": "{}", **header})


GOOD = '{"min_n": 3, "max_n": 6, "buckets": 4}'


@pytest.mark.parametrize("mmap", [False, True])
def test_tensors_of_others_in_a_fvec_are_left_alone(tmp_path, mmap):
    others = {"input_vectors": np.zeros((9, 1)), "output_vectors": np.zeros((2, 3), np.float32)}
    fvec_of(tmp_path / "v.fvec", others, {"more": "{}"})
    assert type(fastvec.load(tmp_path / "v.fvec", mmap=mmap)) is fastvec.Vectors
    others["input_vectors"] = np.zeros((6, 3), np.float32)
    fvec_of(tmp_path / "v.fvec", others, {"subwords": GOOD})
    assert fastvec.load(tmp_path / "v.fvec", mmap=mmap).subwords == Subwords(3, 6, 4)


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize(
    ("rows", "subwords", "message"),
    [
        (None, GOOD, r"input_vectors must have the shape \(6, 3\), got none"),
        (np.zeros((5, 3), np.float32), GOOD, r"got the shape \(5, 3\)"),
        (np.zeros((6, 3)), GOOD, "got float64"),
        (np.zeros((6, 3), np.float32), '{"min_n": 3, "max_n": 6}', "the n-grams are damaged .*'buckets'"),
        (np.zeros((6, 3), np.float32), '{"min_n": 3, "max_n": 2, "buckets": 4}', r"damaged \(min_n must"),
        (np.zeros((6, 3), np.float32), "[]", "the n-grams are damaged"),
        (np.zeros((6, 3), np.float32), "{", "the n-grams are damaged"),
    ],
)
def test_damaged_ngrams_in_a_fvec(tmp_path, rows, subwords, message, mmap):
    path = tmp_path / "v.fvec"
    fvec_of(path, {} if rows is None else {"input_vectors": rows}, {"subwords": subwords})
    with pytest.raises(ValueError, match=message) as error:
        fastvec.load(path, mmap=mmap)
    assert str(path) in str(error.value)


def test_the_command_line_knows_unknown_words(tmp_path):
    vectors = make(counts=[6, 5, 4, 3, 2, 1])
    vectors.save(tmp_path / "v.bin")
    neighbors = run("neighbors", tmp_path / "v.bin", "gardener", "-n", 2).stdout.splitlines()
    expected = [word for word, _ in vectors.most_similar("gardener", topn=2)]
    assert [line.split()[1] for line in neighbors] == expected
    assert "saved in" in run("convert", tmp_path / "v.bin", tmp_path / "w.fvec").stdout
    assert run("neighbors", tmp_path / "w.fvec", "gardener", "-n", 2).stdout.splitlines() == neighbors
    rows = dict(line.split(maxsplit=1) for line in run("info", tmp_path / "v.bin").stdout.splitlines())
    assert (rows["words"], rows["occurrences"], rows["buckets"]) == ("6", "21", "50")
    assert run("neighbors", tmp_path / "v.bin", "").stderr.startswith(
        "fastvec: error: '' is not among the 6 words"
    )
    (tmp_path / "v.ftz").write_bytes(b"anything")
    assert "v.ftz: the file ends within the header" in run("info", tmp_path / "v.ftz").stderr
