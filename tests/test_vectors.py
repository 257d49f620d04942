import pickle

import numpy as np
import pytest
from inside import set_sizes, unit_rows

import fastvec.vectors
from fastvec.vectors import Vectors, load

pytestmark = pytest.mark.any_backend

WORDS = ["the", "paris", "london", "parks", "parrot", "12", "zero"]


def make():
    matrix = np.random.default_rng(5).standard_normal((len(WORDS), 9)).astype(np.float32)
    matrix[-1] = 0
    return Vectors(WORDS, matrix, counts=np.arange(len(WORDS), 0, -1), metadata={"window": 5})


def test_looking_up():
    vectors = make()
    assert len(vectors) == 7
    assert vectors.vector_size == 9
    assert list(vectors) == WORDS
    assert "paris" in vectors
    assert "Paris" not in vectors
    assert vectors.index("london") == 2
    np.testing.assert_array_equal(vectors["london"], vectors.vectors[2])
    np.testing.assert_array_equal(vectors[["london", "the"]], vectors.vectors[[2, 0]])
    assert vectors[[]].shape == (0, 9)
    assert (
        repr(Vectors(map(str, range(69013)), np.zeros((69013, 100))))
        == "Vectors(69,013 words, 100 dimensions)"
    )


def test_ints_are_words():
    vectors = make()
    assert 12 in vectors
    assert np.int32(12) in vectors
    np.testing.assert_array_equal(vectors[12], vectors["12"])
    np.testing.assert_array_equal(vectors[np.int64(12)], vectors["12"])
    np.testing.assert_array_equal(vectors[[12, "paris"]], vectors[["12", "paris"]])
    assert Vectors([7, np.int8(8)], np.eye(2)).words == [7, 8]
    assert Vectors([7, "8"], np.eye(2)).words == ["7", "8"]
    assert vectors.most_similar(12) == vectors.most_similar("12")


def test_nothing_is_copied_and_nothing_can_be_changed_by_accident():
    padded = np.ones((2, 16), np.float32)
    vectors = Vectors(["a", "b"], padded[:, :3])
    assert np.shares_memory(vectors["b"], padded)
    with pytest.raises(ValueError, match="read-only"):
        vectors["b"][0] = 5
    padded[0, 0] = 5  # the owner still may
    assert vectors["a"][0] == 5


def test_an_unknown_word_names_the_nearest_spellings():
    vectors = make()
    with pytest.raises(KeyError) as error:
        vectors["pariss"]
    assert str(error.value) == (
        "'pariss' is not among the 7 words; nearest spellings: 'paris', 'parks', 'parrot'"
    )
    with pytest.raises(KeyError, match="spellings: 'paris', "):
        vectors.most_similar("Paris")
    with pytest.raises(KeyError, match=r"'q' is not among the 0 words$"):
        Vectors([], np.empty((0, 3)))["q"]
    assert error.value.args == ("pariss",)
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)


def test_spellings_are_ranked_by_edit_distance():
    words = ["kitten", "sitting", "mitten", "knitting", "", "x" * 40]
    with pytest.raises(KeyError, match=r"spellings: 'mitten', 'kitten', 'sitting'$"):
        Vectors(words, np.zeros((6, 1)))["mittens"]


@pytest.mark.parametrize("word", [None, 1.5, b"paris", ["paris", None], True])
def test_words_of_the_wrong_type(word):
    with pytest.raises(TypeError, match="word must be a str or an int, got "):
        make()[word]


@pytest.mark.parametrize(
    ("words", "matrix", "counts", "error", "message"),
    [
        ("ab", np.eye(2), None, TypeError, "words must be a sequence of words, got 'ab'"),
        (b"ab", np.eye(2), None, TypeError, "words must be a sequence of words, got b'ab'"),
        ({"a", "b"}, np.eye(2), None, TypeError, "its order differs from run to run; pass a list"),
        ({"a": 1, "b": 0}, np.eye(2), None, TypeError, "only its keys would be used"),
        ([1.5], np.eye(1), None, TypeError, "word must be a str or an int, got 1.5"),
        (["a"], np.eye(2), None, ValueError, r"one row for each of the 1 words, got \(2, 2\)"),
        (["a"], np.zeros(1), None, ValueError, r"shape \(n, d\)"),
        (["a"], np.zeros((1, 0)), None, ValueError, r"shape \(n, d\)"),
        (["a", 1, "1"], np.eye(3), None, ValueError, "distinct, got '1' twice"),
        (
            ["a"],
            np.eye(1),
            [1, 2],
            ValueError,
            r"counts must have the shape \(1,\), one for each word, got \(2,\)",
        ),
        (["a", "b"], np.eye(2), [1.9, 0.5], TypeError, "counts must be integers, got float64"),
        (["a", "b"], np.eye(2), [1, np.nan], TypeError, "counts must be integers, got float64"),
        (["a", "b"], np.eye(2), [2, -1], ValueError, "counts must be at least 0, got -1"),
    ],
)
def test_parts_that_do_not_fit(words, matrix, counts, error, message):
    with pytest.raises(error, match=message):
        Vectors(words, matrix, counts)


def cosines(vectors, query):
    matrix = vectors.vectors.astype(np.float64)
    norms = np.linalg.norm(matrix, axis=1) * np.linalg.norm(query)
    return np.divide(matrix @ query, norms, out=np.zeros(len(norms)), where=norms > 0)


def ranked(vectors, query, without, topn=10):
    expected = cosines(vectors, query)
    order = [i for i in np.argsort(-expected, kind="stable") if vectors.words[i] not in without]
    return [vectors.words[i] for i in order[:topn]], expected[order[:topn]]


def test_most_similar_is_the_order_of_cosines():
    vectors = make()
    for topn in (1, 3, 100):
        words, expected = ranked(vectors, vectors["paris"].astype(np.float64), {"paris"}, topn)
        found = vectors.most_similar("paris", topn=topn)
        assert [word for word, _ in found] == words
        np.testing.assert_allclose([cosine for _, cosine in found], expected, atol=1e-6)
        assert all(type(cosine) is float for _, cosine in found)


def test_equal_cosines_come_in_the_order_of_the_words():
    vectors = fastvec.Vectors(["q", "a", "b", "c", "d"], [[1, 0], [1, 0], [2, 0], [0.5, 0], [4, 0]])
    assert [word for word, _ in vectors.most_similar("q", topn=4)] == ["a", "b", "c", "d"]
    assert [word for word, _ in vectors.most_similar("b", topn=2)] == ["q", "a"]


def test_most_similar_takes_words_vectors_and_lists():
    vectors = make()
    unit = unit_rows(vectors.vectors).astype(np.float64)
    words, expected = ranked(vectors, unit[1] + unit[2] - unit[3], {"paris", "london", "parks"})
    for positive, negative in (
        (["paris", "london"], "parks"),
        (["paris", "london"], ["parks"]),
        (("london", "paris"), ("parks",)),
    ):
        found = vectors.most_similar(positive, negative)
        assert [word for word, _ in found] == words
        np.testing.assert_allclose([cosine for _, cosine in found], expected, atol=1e-6)
    assert vectors.most_similar(vectors["paris"])[0] == ("paris", pytest.approx(1))
    assert vectors.most_similar(vectors["paris"] * 7.0)[0][0] == "paris"
    assert vectors.most_similar(list(vectors[["paris", "london"]])) == vectors.most_similar(
        vectors[["paris", "london"]]
    )
    assert vectors.most_similar([], "paris")[-1][1] < 0
    assert vectors.analogy("parks", "paris", "london", topn=3) == vectors.most_similar(
        ["paris", "london"], "parks", topn=3
    )


def test_restrict_takes_the_first_words_only():
    vectors = make()
    assert {word for word, _ in vectors.most_similar("12", restrict=3)} == {"the", "paris", "london"}
    assert {word for word, _ in vectors.most_similar("the", restrict=3)} == {"paris", "london"}
    assert vectors.most_similar("the", restrict=1000) == vectors.most_similar("the")


@pytest.mark.parametrize("block", [1, 20, 1 << 22])
def test_a_batch_gives_what_one_by_one_gives(monkeypatch, block):
    set_sizes(monkeypatch, cosines_at_once=block, fewest_rows=1)
    vectors = make()
    queries = ["paris", 12, vectors["london"], "zero"]
    batch = vectors.most_similar_batch(queries, topn=4, restrict=6)
    for query, found in zip(queries, batch, strict=True):
        alone = vectors.most_similar(query, topn=4, restrict=6)
        assert [word for word, _ in found] == [word for word, _ in alone]
        np.testing.assert_allclose([c for _, c in found], [c for _, c in alone], atol=1e-6)
    assert vectors.most_similar_batch([]) == []


def exact_vectors(n):
    """Vectors of one or four powers of two: all cosines are multiples of 1/4, and many are equal."""
    random = np.random.default_rng(3)
    matrix = np.zeros((n, 8), np.float32)
    for row in matrix:
        entries = random.choice(8, random.choice([0, 1, 4], p=[0.1, 0.3, 0.6]), replace=False)
        row[entries] = random.choice([-1, 1], len(entries)) * 2.0 ** random.integers(-3, 3)
    return Vectors(range(n), matrix)


@pytest.mark.parametrize("order", [1, -1, None], ids=["rising", "falling", "mixed"])
@pytest.mark.parametrize("topn", [1, 7, 150, 1000])
@pytest.mark.parametrize(
    ("block", "fewest", "at_once", "results"), [(1, 1, 2, 1), (60, 3, 1000, 99), (1 << 18,) * 4]
)
def test_blocks_change_neither_order_nor_ties_nor_cosines(
    monkeypatch, block, fewest, at_once, results, topn, order
):
    set_sizes(
        monkeypatch,
        cosines_at_once=block,
        fewest_rows=fewest,
        queries_at_once=at_once,
        results_at_once=results,
    )
    vectors = exact_vectors(200)
    if order:  # the cosines of the first query rise or fall from block to block
        ranks = np.argsort(order * cosines(vectors, vectors.vectors[5].astype(np.float64)), kind="stable")
        vectors = Vectors(range(200), vectors.vectors[ranks])
    for n_queries in (1, 3, 6, 30):
        answers = vectors.most_similar_batch(range(n_queries), topn=topn, restrict=190)
        for query, found in enumerate(answers):
            row = vectors.vectors[query].astype(np.float64)
            expected = cosines(vectors, row)[:190] if row.any() else np.zeros(190)
            rank = [i for i in np.argsort(-expected, kind="stable") if i != query][:topn]
            assert found == [(i, expected[i]) for i in rank]


@pytest.mark.parametrize("n_queries", [1, 5, 20])
def test_cosines_that_rounding_takes_beyond_1_are_equal(n_queries):
    query = np.random.default_rng(1).standard_normal(9).astype(np.float32)
    matrix = np.outer(np.random.default_rng(2).uniform(0.5, 2, 3000), query).astype(np.float32)
    vectors = Vectors(range(len(matrix)), matrix)
    # A product of matrices may round a query otherwise at another place of a batch.
    answers = (vectors.most_similar_batch([query] * n_queries, topn=topn) for topn in (3000, 5))
    for found, first in zip(*answers, strict=True):
        values = [cosine for _, cosine in found]
        assert max(values) == 1
        ones = [int(word) for word, cosine in found if cosine == 1]
        assert ones == sorted(ones)
        assert first == found[:5]


def test_zero_and_extreme_vectors_are_safe():
    vectors = make()
    assert vectors.similarity("zero", "paris") == 0
    assert vectors.similarity("zero", "zero") == 0
    assert [cosine for _, cosine in vectors.most_similar("zero")] == [0] * 6
    extreme = Vectors(["a", "b", "c"], [[1e30, 1e30], [1e-30, 1e-30], [1e-42, 0]])
    assert extreme.similarity("a", "b") == pytest.approx(1)
    assert extreme.similarity("a", "c") == 0


def test_vectors_that_are_too_long_for_their_cosines_are_refused():
    random = np.random.default_rng(0)
    matrix = random.standard_normal((9, 100)).astype(np.float32)
    matrix[7] = 3e38 * np.sign(random.standard_normal(100))  # its cosine with all the others would be 1
    vectors = Vectors(range(9), matrix)
    with pytest.raises(ValueError, match=r"vectors must have lengths within float32, got 3e\+39 in row 8"):
        vectors.most_similar(0)
    matrix[7] /= 20
    answer = Vectors(range(9), matrix).most_similar(0, topn=8)
    assert [word for word, _ in answer] == ranked(vectors, matrix[0].astype(np.float64), {0})[0]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([],), ValueError, "must name a word or a vector, got neither"),
        ((np.zeros(8),), ValueError, "a vector must be 9 finite numbers"),
        ((np.full(9, np.nan),), ValueError, "a vector must be 9 finite numbers"),
        ((np.full(9, 1e39),), ValueError, "a vector must be 9 finite numbers"),
        (("the", (), 0), ValueError, "topn must be an int >= 1, got 0"),
        (("the", (), 10, 0), ValueError, "restrict must be an int >= 1, got 0"),
        (("the", (), 2.5), TypeError, "topn must be an int >= 1, got 2.5"),
        (([["the"]],), TypeError, "must be a str or an int"),
        ((b"the",), TypeError, "must be a str or an int, got b'the'"),
        ((1.5,), TypeError, "must be a str or an int, got 1.5"),
    ],
)
def test_queries_that_make_no_sense(arguments, error, message):
    with pytest.raises(error, match=message):
        make().most_similar(*arguments)


@pytest.mark.parametrize("mmap", [False, True])
def test_saving_and_loading(tmp_path, mmap):
    vectors = make()
    vectors.save(tmp_path / "v.fvec")
    loaded = load(tmp_path / "v.fvec", mmap=mmap)
    assert loaded.words == WORDS
    assert loaded.metadata == {"window": 5}
    np.testing.assert_array_equal(loaded.vectors, vectors.vectors)
    np.testing.assert_array_equal(loaded.counts, vectors.counts)
    assert loaded.most_similar("paris") == vectors.most_similar("paris")
    loaded.save(tmp_path / "v.data", format="word2vec-binary")
    assert load(tmp_path / "v.data", format="word2vec-binary").counts is None


def test_as_an_array_they_are_the_matrix():
    vectors = make()
    assert np.shares_memory(np.asarray(vectors), vectors.vectors)
    assert not np.asarray(vectors).flags.writeable
    for copy in (np.array(vectors), np.array(vectors, copy=True), np.asarray(vectors, dtype=np.float64)):
        np.testing.assert_array_equal(copy, vectors.vectors)
        assert copy.flags.writeable and not np.shares_memory(copy, vectors.vectors)
    assert np.asarray(vectors, dtype=np.float64).dtype == np.float64
    np.testing.assert_array_equal(vectors @ np.eye(9), vectors.vectors)
    np.testing.assert_array_equal(np.vstack([vectors, vectors]), np.vstack([vectors.vectors] * 2))


@pytest.mark.parametrize("vector", [[1, 7], [0.1, 0.2], [3e-20, 1e-19], [1e30, -3e30]])
def test_no_cosine_is_beyond_1(vector):
    matrix = np.array([np.float32(vector) * scale for scale in (1, 3, 0.7, -1, -3)])
    vectors = Vectors(["a", "b", "c", "d", "e"], matrix)
    for a in vectors:
        assert all(-1 <= vectors.similarity(a, b) <= 1 for b in vectors)
        assert all(-1 <= cosine <= 1 for _, cosine in vectors.most_similar(a))
        assert all(-1 <= cosine <= 1 for _, cosine in vectors.most_similar_batch([vectors[a]])[0])


def test_numpys_own_strings_and_numbers():
    vectors = make()
    words = np.array(["paris", "london"])
    assert vectors.most_similar(words, topn=2) == vectors.most_similar(["paris", "london"], topn=2)
    assert vectors.most_similar(words.astype(object)) == vectors.most_similar(["paris", "london"])
    assert vectors.most_similar("the", negative=words[:1]) == vectors.most_similar("the", negative="paris")
    assert vectors.most_similar(np.array("paris")) == vectors.most_similar(words[0])
    assert vectors.most_similar_batch(words) == vectors.most_similar_batch(["paris", "london"])
    five = vectors.most_similar("paris", topn=np.uint8(5), restrict=np.uint8(200))
    assert five == vectors.most_similar("paris", topn=5)
    own = Vectors(list(words), np.eye(2))
    assert [type(word) for word in own.words] == [str, str]
    assert type(own.most_similar("paris")[0][0]) is str
