"""Vectors of documents are what plain formulas make of those of their words."""

import re

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer

from fastvec import Vectors
from fastvec.classify import TextVectorizer
from fastvec.vectors import Subwords, SubwordVectors

pytestmark = pytest.mark.any_backend

POOLINGS = ["mean", "sif", "tfidf"]
WORDS = ["the", "good", "bad", "film", "of", "actors", "0000", "film's"]
COUNTS = [1000, 20, 30, 50, 500, 10, 5, 1]
DOCUMENTS = [
    "the good film",
    "the the bad film of the actors",
    "good good good",
    "unheard of actors",
    "of the 0000",
    "bad unseen film unseen",
]
every_pooling = pytest.mark.parametrize("pooling", POOLINGS)


def some_vectors(counts=None):
    return Vectors(WORDS, np.random.default_rng(0).standard_normal((len(WORDS), 5)), counts)


def words_of(documents):
    return [[word for word in text.split() if word in WORDS] for text in documents]


def weighted_means(documents, weight, by_sum):
    """The formula, in double precision: by the sum of the weights, or by the number of words."""
    vectors, means = some_vectors(), []
    for words in words_of(documents):
        weights = np.array([weight(word) for word in words])
        rows = vectors[words].astype(np.float64)
        means.append(weights @ rows / (weights.sum() if by_sum else len(words)))
    return np.array(means)


def test_mean():
    expected = weighted_means(DOCUMENTS, lambda word: 1, by_sum=False)
    vectorizer = TextVectorizer(some_vectors())
    found = vectorizer.fit_transform(DOCUMENTS)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(vectorizer.transform(DOCUMENTS[1:3]), found[1:3])
    learned = {name for name in vars(vectorizer) if name.endswith("_")}
    assert learned == {"n_documents_"}


def test_tfidf():
    vectorizer = TextVectorizer(some_vectors(), pooling="tfidf").fit(DOCUMENTS)
    theirs = TfidfVectorizer(token_pattern=r"\S+", lowercase=False, smooth_idf=True).fit(DOCUMENTS)
    idf = dict(zip(theirs.get_feature_names_out(), theirs.idf_, strict=True))
    assert vectorizer.idf_ == pytest.approx(idf)
    expected = weighted_means(DOCUMENTS, idf.get, by_sum=True)
    np.testing.assert_allclose(vectorizer.transform(DOCUMENTS), expected, rtol=0, atol=1e-6)


def test_tfidf_is_scikit_learns_with_its_rows_summing_up_to_one():
    """Its matrix of weights, brought to a sum of 1 a document, times the matrix of vectors."""
    known = [" ".join(words) for words in words_of(DOCUMENTS)]
    theirs = TfidfVectorizer(token_pattern=r"\S+", norm="l1", vocabulary=WORDS, lowercase=False)
    expected = theirs.fit_transform(known) @ some_vectors().vectors
    found = TextVectorizer(some_vectors(), pooling="tfidf").fit(known).transform(known)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_words_that_fit_has_not_seen_have_the_largest_idf():
    vectorizer = TextVectorizer(some_vectors(), pooling="tfidf").fit(["the good", "the bad", "the"])
    assert "film" not in vectorizer.idf_
    weights = {"the": 1 + np.log(4 / 4), "good": 1 + np.log(4 / 2), "film": 1 + np.log(4 / 1)}
    expected = weighted_means(["the good film"], weights.get, by_sum=True)
    np.testing.assert_allclose(vectorizer.transform(["the good film"]), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("smoothing", [1e-4, 1e-3, 0.5])
@pytest.mark.parametrize("counts", [None, COUNTS])
def test_sif(counts, smoothing):
    vectorizer = TextVectorizer(some_vectors(counts), pooling="sif", smoothing=smoothing).fit(DOCUMENTS)
    if counts is None:  # how often a word is among those of the documents, unknown ones included
        tokens = " ".join(DOCUMENTS).split()
        shares = {word: tokens.count(word) / len(tokens) for word in tokens}
        assert vectorizer.frequencies_ == pytest.approx(shares)
    else:
        shares = {word: count / sum(COUNTS) for word, count in zip(WORDS, COUNTS, strict=True)}
    means = weighted_means(DOCUMENTS, lambda word: smoothing / (smoothing + shares[word]), by_sum=False)
    common = np.linalg.svd(means)[2][0]
    assert abs(common @ vectorizer.common_) == pytest.approx(1, abs=1e-5)
    expected = means - np.outer(means @ common, common)
    found = vectorizer.transform(DOCUMENTS)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert np.abs(found @ vectorizer.common_).max() < 1e-5
    np.testing.assert_allclose(vectorizer.transform(DOCUMENTS[::-1]), expected[::-1], rtol=0, atol=1e-5)


def test_words_that_fit_has_not_seen_have_the_whole_weight():
    documents = ["the good film", "of the"]
    weights = {"the": 1e-3 / (1e-3 + 2 / 5), "good": 1e-3 / (1e-3 + 1 / 5), "actors": 1}
    vectorizer = TextVectorizer(some_vectors(), pooling="sif").fit(documents)
    means = weighted_means(["the actors", "good"], weights.get, by_sum=False)
    expected = means - np.outer(means @ vectorizer.common_, vectorizer.common_)
    found = vectorizer.transform(["the actors", "good"])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_without_a_known_word_nothing_is_common():
    """The first singular vector of zeros is no direction that documents share."""
    vectors = Vectors(["good", "bad"], np.eye(2))
    vectorizer = TextVectorizer(vectors, pooling="sif")
    try:
        vectorizer.fit(["unheard of", ""])
    except ValueError as error:
        assert "X must have" in str(error)
    else:
        np.testing.assert_array_equal(vectorizer.transform(["good", "bad"]), np.eye(2))


def test_counts_that_know_nothing_are_no_reason_to_fail():
    vectors = Vectors(["good", "bad"], np.eye(2), counts=[0, 0])
    found = TextVectorizer(vectors, pooling="sif").fit_transform(["good", "good bad"])
    assert np.isfinite(found).all()


# ---- Words ------------------------------------------------------------------------------------------------


@every_pooling
def test_words_are_found_by_their_spellings(pooling):
    vectors = Vectors(["film", "Film", "0000", "été"], np.eye(4), [1, 2, 3, 4])
    vectorizer = TextVectorizer(vectors, pooling=pooling, smoothing=1)
    vectorizer.fit(["film Film FILM 1984 2024 été ÉTÉ"])
    found = vectorizer.transform(["FILM 1984 x", "film 2024 y", "Film 1984", "ÉTÉ", "été"])
    np.testing.assert_allclose(found[0], found[1], atol=1e-7)
    assert np.abs(found[0] - found[2]).max() > 0.1
    np.testing.assert_array_equal(found[3], found[4])


@every_pooling
def test_subwords_give_unknown_words_vectors(pooling):
    random = np.random.default_rng(0)
    vectors = SubwordVectors(["film", "good"], random.standard_normal((2 + 50, 4)), Subwords(2, 4, 50))
    vectorizer = TextVectorizer(vectors, pooling=pooling).fit(["good film", "films goodness"])
    if pooling == "mean":
        found = vectorizer.transform(["films good", "Film", "GOODNESS"])
        expected = (vectors["films"] + vectors["good"]) / 2
        # a spelling that is known comes before n-grams, and the word as it is written before other spellings
        np.testing.assert_allclose(found, [expected, vectors["film"], vectors["GOODNESS"]], atol=1e-6)
    assert np.isfinite(vectorizer.transform(["unheard of", "ü"])).all()
    without = SubwordVectors(["film"], random.standard_normal((1 + 50, 4)), Subwords(9, 9, 50))
    with pytest.warns(UserWarning, match="^1 of 2 documents have no word with a vector: theirs are zeros"):
        assert not TextVectorizer(without).fit(["film"]).transform(["film", "a"])[1].any()


@every_pooling
def test_documents_without_a_known_word_are_zeros(pooling):
    vectorizer = TextVectorizer(some_vectors(), pooling=pooling).fit(DOCUMENTS)
    with pytest.warns(UserWarning, match=r"^3 of 4 documents have no word with a vector: theirs are zeros$"):
        found = vectorizer.transform(["", "the good film", "unheard", []])
    assert not found[[0, 2, 3]].any() and found[1].any()


def test_the_warning_points_at_the_line_that_called():
    vectorizer = TextVectorizer(some_vectors()).fit(DOCUMENTS)
    with pytest.warns(UserWarning, match="theirs are zeros") as caught:
        vectorizer.transform([""])
    assert caught[0].filename == __file__


@every_pooling
def test_documents_are_texts_or_lists_of_words(pooling):
    vectorizer = TextVectorizer(some_vectors(), pooling=pooling)
    expected = vectorizer.fit_transform(DOCUMENTS)
    for given in (
        [text.split() for text in DOCUMENTS],
        np.array(DOCUMENTS, dtype=object),
        np.array(DOCUMENTS),
        (text for text in DOCUMENTS),
    ):
        fitted = TextVectorizer(some_vectors(), pooling=pooling).fit(DOCUMENTS)
        np.testing.assert_array_equal(fitted.transform(given), expected)
        given = [text.split() for text in DOCUMENTS]
        np.testing.assert_array_equal(vectorizer.fit(given).transform(DOCUMENTS), expected)


# ---- Fitting ----------------------------------------------------------------------------------------------


@every_pooling
def test_vectors_are_never_changed(pooling):
    vectors = some_vectors(COUNTS)
    before = vectors.vectors.tobytes()
    vectorizer = TextVectorizer(vectors, pooling=pooling).fit(DOCUMENTS)
    vectorizer.transform(DOCUMENTS)[:] = 0
    assert vectors.vectors.tobytes() == before
    assert vectorizer.vectors is vectors


def test_dimensions_have_names():
    vectorizer = TextVectorizer(some_vectors()).fit(DOCUMENTS)
    names = vectorizer.get_feature_names_out()
    assert names.dtype == object and names.tolist() == [f"textvectorizer{i}" for i in range(5)]
    found = vectorizer.set_output(transform="default").transform(DOCUMENTS)
    assert isinstance(found, np.ndarray) and found.shape == (6, 5)


def test_another_fit_leaves_nothing_of_the_one_before():
    vectorizer = TextVectorizer(some_vectors())
    for pooling in (*POOLINGS, "mean"):
        expected = vars(TextVectorizer(some_vectors(), pooling=pooling).fit(DOCUMENTS)).keys()
        assert vars(vectorizer.set_params(pooling=pooling).fit(DOCUMENTS)).keys() == expected


@pytest.mark.parametrize("other", ["sif", "tfidf"])
def test_a_pooling_set_after_fit_waits_for_the_next_one(other):
    """Or is refused in words."""
    vectorizer = TextVectorizer(some_vectors()).fit(DOCUMENTS)
    expected = vectorizer.transform(DOCUMENTS)
    try:
        found = vectorizer.set_params(pooling=other).transform(DOCUMENTS)
    except (ValueError, NotFittedError) as error:
        assert "pooling" in str(error)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("method", ["transform", "get_feature_names_out"])
def test_before_fit_nothing_is_known(method):
    arguments = [DOCUMENTS] if method == "transform" else []
    with pytest.raises(NotFittedError):
        getattr(TextVectorizer(some_vectors()), method)(*arguments)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"vectors": None}, TypeError, r"vectors must be Vectors, got None"),
        ({"vectors": {"a": [1]}}, TypeError, r"vectors must be Vectors, got \{'a'"),
        ({"pooling": "max"}, ValueError, r"pooling must be one of 'mean', 'sif', 'tfidf', got 'max'"),
        ({"pooling": None}, TypeError, r"pooling must be one of 'mean', 'sif', 'tfidf', got None"),
        ({"smoothing": 0}, ValueError, r"smoothing must be a number > 0, got 0"),
        ({"smoothing": "1"}, TypeError, r"smoothing must be a number > 0, got '1'"),
    ],
)
def test_bad_parameters_are_named(params, error, message):
    vectorizer = TextVectorizer(**{"vectors": some_vectors(), **params})
    with pytest.raises(error, match=message):
        vectorizer.fit(DOCUMENTS)
    assert vars(vectorizer).keys() == {"vectors", "pooling", "smoothing"}


@pytest.mark.parametrize(
    ("documents", "error", "message"),
    [
        ("a text", TypeError, "X must be documents, each a str or a list of words, got 'a text'"),
        (["a", None], TypeError, "document 1 of X must be a str or a list of words, got None"),
        ([["a", 0.5]], TypeError, "every word of document 0 must be a str or an int, got 0.5"),
    ],
)
def test_bad_documents_are_named(documents, error, message):
    vectorizer = TextVectorizer(some_vectors(), pooling="sif").fit(DOCUMENTS)
    common = vectorizer.common_
    for method in (vectorizer.fit, vectorizer.transform):
        with pytest.raises(error, match=re.escape(message)):
            method(documents)
        assert vectorizer.common_ is common
