"""New vectors made of others: some words, more words, fewer dimensions; and how vectors show themselves."""

import copy
import re

import numpy as np
import pytest
from peers import fasttext
from scipy.linalg import orthogonal_procrustes
from sklearn.decomposition import PCA

import fastvec
from fastvec import SubwordVectors, UnknownWordError, Vectors
from fastvec.vectors import Subwords

pytestmark = pytest.mark.any_backend

WORDS = ["the", "garden", "house", "12", "zero"]
NGRAMS = Subwords(3, 4, 40)


def plain(counts=(9, 7, 5, 3, 1)):
    matrix = np.random.default_rng(0).standard_normal((5, 6)).astype(np.float32)
    return Vectors(WORDS, matrix, counts, {"window": 5})


def with_ngrams(counts=(9, 7, 5, 3, 1)):
    rows = np.random.default_rng(1).standard_normal((5 + 40, 6)).astype(np.float32)
    return SubwordVectors(WORDS, rows, NGRAMS, counts, {"window": 5})


def recomputed(vectors):
    """The vectors of the words, computed anew from their rows."""
    return SubwordVectors(vectors.words, vectors.input_vectors, vectors.subwords).vectors


@pytest.fixture(params=[plain, with_ngrams], ids=["words", "ngrams"])
def make(request):
    return request.param


# ---- Some words -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["zero", 12, "the", "the"], {"the", "12", "zero"}, np.array(["12", "the", "zero"])]
)
def test_a_subset_keeps_order_counts_metadata_and_ngrams(make, words):
    vectors = make()
    some = vectors.subset(words)
    assert (type(some), some.words, some.metadata) == (type(vectors), ["the", "12", "zero"], {"window": 5})
    np.testing.assert_array_equal(some.counts, [9, 3, 1])
    np.testing.assert_array_equal(some.vectors, vectors[["the", "12", "zero"]])
    assert make(None).subset(["the"]).counts is None
    assert len(vectors.subset([])) == 0
    assert some.most_similar("the", topn=1)[0][0] in {"12", "zero"}


def test_what_is_dropped_is_gone(make):
    vectors = make()
    rest = vectors.drop(["garden", 12])
    assert (type(rest), rest.words, rest.counts.tolist()) == (
        type(vectors),
        ["the", "house", "zero"],
        [9, 5, 1],
    )
    np.testing.assert_array_equal(rest.vectors, vectors[rest.words])
    assert vectors.drop([]).words == WORDS
    for unknown in ("unheard", "gardener"):
        with pytest.raises(UnknownWordError, match=f"'{unknown}' is not among the 5 words"):
            vectors.drop([unknown])


def test_unknown_words_of_a_subset():
    with pytest.raises(UnknownWordError, match="'gardener' is not among"):
        plain().subset(["the", "gardener"])
    vectors = with_ngrams()
    some = vectors.subset(["gardener", "house", "gardener", "an owl"])
    assert (some.words, some.counts.tolist()) == (["house", "gardener", "an owl"], [5, 0, 0])
    np.testing.assert_array_equal(some.vectors, vectors[some.words])
    np.testing.assert_allclose(recomputed(some), some.vectors, atol=1e-6)
    with pytest.raises(UnknownWordError, match="'' is not among"):
        vectors.subset([""])
    ids = vectors.subset([12345, 12])
    assert ids.words == ["12", "12345"]
    np.testing.assert_array_equal(ids.vectors, vectors[[12, 12345]])


def test_words_that_are_left_out_have_the_vectors_of_unknown_words():
    vectors = with_ngrams()
    for rest in (vectors.drop(["garden"]), vectors.subset(["the", "12"])):
        rows = [row for _, row in vectors.ngrams("garden")]
        np.testing.assert_allclose(rest["garden"], vectors.input_vectors[rows].mean(axis=0), atol=1e-6)
        np.testing.assert_array_equal(rest["gardener"], vectors["gardener"])
        np.testing.assert_allclose(recomputed(rest), rest.vectors, atol=1e-6)


# ---- More words -------------------------------------------------------------------------------------------


def test_words_are_added_and_replaced(make):
    vectors = make()
    given = np.random.default_rng(2).standard_normal((3, 6)).astype(np.float32)
    more = vectors.with_words(["new", "house", 7], given)
    assert (type(more), more.words, more.metadata) == (type(vectors), [*WORDS, "new", "7"], {"window": 5})
    np.testing.assert_array_equal(more.counts, [9, 7, 5, 3, 1, 0, 0])
    np.testing.assert_array_equal(more[["new", "house", "7"]], given)
    others = ["the", "garden", "12", "zero"]
    np.testing.assert_array_equal(more[others], vectors[others])
    assert make(None).with_words(["new"], given[:1]).counts is None
    assert vectors.words == WORDS and "new" not in vectors
    assert more.most_similar(given[0], topn=1)[0][0] == "new"
    np.testing.assert_array_equal(vectors.with_words([7, 12], given[:2])[["7", "12"]], given[:2])
    same = vectors.with_words([], np.empty((0, 6)))
    np.testing.assert_array_equal(same.vectors, vectors.vectors)


def test_with_ngrams_the_rows_of_words_make_their_vectors(tmp_path):
    vectors = with_ngrams()
    more = vectors.with_words(["gardener", "the", "</s>"], np.arange(18).reshape(3, 6))
    np.testing.assert_allclose(recomputed(more), more.vectors, atol=1e-5)
    np.testing.assert_array_equal(more.input_vectors[-40:], vectors.input_vectors[-40:])
    np.testing.assert_array_equal(more["gardening"], vectors["gardening"])
    more.save(tmp_path / "more.bin")
    theirs = fasttext.load_model(str(tmp_path / "more.bin"))
    for word in (*more.words, "gardening"):
        np.testing.assert_allclose(theirs.get_word_vector(word), more[word], atol=1e-5)
    for loaded in (more, vectors.subset(["the", "gardener"]), vectors.drop(["the"])):
        loaded.save(tmp_path / "saved.fvec")
        np.testing.assert_array_equal(fastvec.load(tmp_path / "saved.fvec").vectors, loaded.vectors)


@pytest.mark.parametrize(
    ("words", "vectors", "error", "message"),
    [
        ("new", np.ones((1, 6)), TypeError, "words must be a list of words, got 'new'"),
        (["new"], np.ones(6), ValueError,
         "vectors must have the shape (1, 6), one row for each of the words, got (6,)"),
        (["new"], np.ones((1, 5)), ValueError, "vectors must have the shape (1, 6)"),
        (["a", "b"], np.ones((1, 6)), ValueError, "vectors must have the shape (2, 6)"),
        (["a", "b"], [[1] * 6, [np.nan] * 6], ValueError, "got nan in dimension 1 of word 2, 'b'"),
        (["a", "the", "the"], np.ones((3, 6)), ValueError, "words must be distinct, got 'the' twice"),
        ([1.5], np.ones((1, 6)), TypeError, "word must be a str or an int, got 1.5"),
    ],
)  # fmt: skip
def test_words_that_cannot_be_added(make, words, vectors, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make().with_words(words, vectors)


def test_words_that_are_added_to_float16_are_within_it(make):
    half = make()
    half = (
        SubwordVectors(WORDS, half.input_vectors.astype(np.float16), NGRAMS)
        if isinstance(half, SubwordVectors)
        else Vectors(WORDS, half.vectors.astype(np.float16))
    )
    more = half.with_words(["new"], np.full((1, 6), 2))
    assert more.vectors.dtype == np.float16 and (more["new"] == 2).all()
    with pytest.raises(ValueError, match="must be finite numbers of float16, got inf"):
        half.with_words(["new"], np.full((1, 6), 1e5))


def test_vectors_of_no_words(make):
    found = make()[[]]
    assert (found.shape, found.dtype) == ((0, 6), np.float32)


def test_assigning_names_the_method(make):
    vectors = make()
    with pytest.raises(
        TypeError, match=r"never change, got 'war': vectors\.with_words\(\[word\], \[vector\]\)"
    ):
        vectors["war"] = np.ones(6)
    with pytest.raises(TypeError, match=r"never change, got 'the': vectors\.drop\(\[word\]\)"):
        del vectors["the"]


# ---- The directions of others -----------------------------------------------------------------------------


def test_vectors_are_turned_as_scipy_turns_them(make):
    vectors, generator = make(), np.random.default_rng(5)
    reference = Vectors([*WORDS[::-1], "more"], generator.standard_normal((6, 6)))
    aligned = vectors.align(reference)
    here, there = (v[WORDS] / np.linalg.norm(v[WORDS], axis=1, keepdims=True) for v in (vectors, reference))
    turn, _ = orthogonal_procrustes(here, there)
    np.testing.assert_allclose(aligned.vectors, vectors.vectors @ turn, rtol=0, atol=1e-5)
    assert type(aligned) is type(vectors)
    assert aligned.counts.tolist() == vectors.counts.tolist()
    assert aligned.metadata == {"window": 5, "postprocessing": [{"aligned_by": 5}]}
    np.testing.assert_allclose(
        aligned.most_similar("the", topn=None), vectors.most_similar("the", topn=None), atol=1e-6
    )


def test_what_was_turned_is_turned_back(make):
    vectors = make()
    turn = np.linalg.qr(np.random.default_rng(6).standard_normal((6, 6)))[0]
    other = Vectors([f"{word}'" for word in WORDS], 3 * vectors.vectors @ turn)
    pairs = [(word, f"{word}'") for word in WORDS]
    more = [("gardens", "garden'")] if make is with_ngrams else []  # an unknown word has a vector, too
    assert len(vectors.align(other, pairs + more)) == 5
    assert len(vectors.align(other, np.array(pairs))) == 5
    aligned = vectors.align(other, iter(pairs))
    for word, same in pairs:
        assert other.most_similar(aligned[word], topn=1)[0][0] == same
    if make is with_ngrams:
        np.testing.assert_allclose(recomputed(aligned), aligned.vectors, atol=1e-5)


@pytest.mark.parametrize(
    ("reference", "pairs", "error", "message"),
    [
        (np.eye(6), None, TypeError, "reference must be Vectors, got array"),
        (
            Vectors(["the"], np.ones((1, 5))),
            None,
            ValueError,
            "must have 6 dimensions, as these vectors, got 5",
        ),
        (Vectors(["other"], np.ones((1, 6))), None, ValueError, "the vectors have no word in common"),
        (plain(), [], ValueError, "pairs must hold at least one pair of words: got none"),
        (plain(), ["the"], TypeError, r"pairs must be pairs of words, \[\('Ost', 'east'\)\], got \['the'\]"),
        (plain(), 3, TypeError, r"pairs must be pairs of words, \[\('Ost', 'east'\)\], got 3"),
        (plain(), [("the", "qq")], UnknownWordError, "'qq' is not among the 5 words"),
    ],
)
def test_what_cannot_be_aligned(make, reference, pairs, error, message):
    with pytest.raises(error, match=message):
        make().align(reference, pairs)


# ---- Fewer dimensions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_components", [1, 3, 6])
def test_components_are_principal_ones(make, n_components):
    vectors = make()
    less = vectors.reduce(n_components)
    assert (type(less), less.vectors.shape) == (type(vectors), (5, n_components))
    np.testing.assert_array_equal(less.counts, vectors.counts)
    assert less.metadata == {"window": 5, "postprocessing": [{"n_components": n_components}]}
    # With as many dimensions as there are, five points leave the last ones open: they span four.
    directions = PCA(4).fit(vectors.vectors.astype(np.float64)).components_[:n_components]
    expected = vectors.vectors @ directions.T
    found = less.vectors[:, :4]
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-5)
    centred = vectors.postprocess().reduce(n_components).vectors[:, :4]
    np.testing.assert_allclose(
        np.abs(centred), np.abs(PCA(4).fit_transform(vectors.vectors)[:, :n_components]), atol=1e-5
    )


def test_all_components_keep_all_cosines(make):
    vectors = make()
    turned = vectors.reduce(6)
    for word in WORDS:
        np.testing.assert_allclose(
            turned.most_similar(word, topn=None), vectors.most_similar(word, topn=None), atol=1e-6
        )


def test_unknown_words_are_reduced_too():
    vectors = with_ngrams()
    less = vectors.reduce(2)
    np.testing.assert_allclose(recomputed(less), less.vectors, atol=1e-5)
    directions = np.linalg.lstsq(vectors.input_vectors, less.input_vectors, rcond=None)[0]
    np.testing.assert_allclose(directions.T @ directions, np.eye(2), atol=1e-5)
    np.testing.assert_allclose(less["gardener"], vectors["gardener"] @ directions, atol=1e-5)


def test_the_sign_of_a_component_is_settled():
    matrix = np.array([[1, 5, 0], [0, -5, 1], [1, 9, 1]])
    first, negated = (Vectors(["a", "b", "c"], sign * matrix).reduce(2).vectors for sign in (1, -1))
    np.testing.assert_allclose(first, -negated, atol=1e-6)
    assert first[2, 0] > 9


def test_extremes_of_dimensions():
    assert Vectors([], np.empty((0, 3))).reduce(2).vectors.shape == (0, 2)
    assert np.isfinite(Vectors(["a", "b"], [[1e30, 0], [0, -1e30]]).reduce(1).vectors).all()
    np.testing.assert_array_equal(Vectors(["a", "b"], np.zeros((2, 3))).reduce(2).vectors, 0)
    one = Vectors(["a"], [[3, 4]]).reduce(2)
    assert np.linalg.norm(one["a"]) == pytest.approx(5)


@pytest.mark.parametrize(
    ("n_components", "error"), [(0, ValueError), (7, ValueError), (2.0, TypeError), (None, TypeError)]
)
def test_numbers_of_components_that_make_no_sense(make, n_components, error):
    with pytest.raises(error, match=f"n_components must be an int from 1 to 6, got {n_components}"):
        make().reduce(n_components)


# ---- How they show themselves -----------------------------------------------------------------------------


def test_notebooks_show_a_table():
    words = ["<script>alert(1)</script>", "&amp;", "a\udc80", '"quoted"', "<b>", "more"]
    page = Vectors(words, np.ones((6, 9)), [7000, 5, 4, 3, 2, 1])._repr_html_()
    assert page.count("<tr>") == 1 + 5
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "<script>" not in page and "<b>" not in page
    assert "&amp;amp;" in page and "<td>7,000</td>" in page and "more" not in page
    assert "Vectors(6 words, 9 dimensions)" in page
    page.encode()  # a lone surrogate would not be
    assert Vectors(["a"], [[1.23456789]])._repr_html_().count("<td>") == 1
    assert "SubwordVectors(5 words" in with_ngrams()._repr_html_()
    assert "Vectors(0 words" in Vectors([], np.empty((0, 3)))._repr_html_()


def test_an_array_without_a_copy():
    vectors = plain()
    assert np.shares_memory(vectors.__array__(np.float32, copy=False), vectors.vectors)
    assert not np.shares_memory(vectors.__array__(copy=True), vectors.vectors)
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        with pytest.raises(ValueError, match="Unable to avoid copy"):
            np.array(vectors, dtype=np.float64, copy=False)


def test_a_default_for_unknown_words(make):
    vectors = make()
    assert (vectors.index("house", -1), vectors.index("gardener", -1), vectors.index(12, default=7)) == (
        2,
        -1,
        3,
    )
    assert vectors.index("gardener", 0) == 0
    with pytest.raises(UnknownWordError, match="'gardener' is not among"):
        vectors.index("gardener", None)


def test_they_can_be_copied(make):
    vectors = make()
    for other in (copy.copy(vectors), copy.deepcopy(vectors)):
        assert other.words == vectors.words
        np.testing.assert_array_equal(other["the"], vectors["the"])
