"""Words become rows of tables, side by side in windows; what are no sentences or labels is refused."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from window_texts import FIRST_WORD, PADDING, UNKNOWN

from fastvec import Corpus, Vectors
from fastvec.classify import WindowClassifier
from fastvec.vectors import Subwords, SubwordVectors

pytestmark = pytest.mark.any_backend(trains=True)


def fitted(sentences, vectors=None, **params):
    """A model at its start: its step size changes no word by a bit."""
    words = [word for sentence in sentences for word in sentence]
    labels = iter(["A", "B"] * len(words))
    params = {"window": 0, "hidden": 4, "activation": "tanh", "epochs": 1, "learning_rate": 1e-30} | params
    y = [[next(labels) for _ in sentence] for sentence in sentences]
    return WindowClassifier(vectors, **params).fit(sentences, y)


def start_of(sentences, vectors=None, **params):
    """The words and the table of vectors that a training starts from."""
    model = fitted(sentences, vectors, **params)
    return model.vectors_.words, model.parameters_["vectors"]


def answers(model, words):
    """What a model that sees single words says of some."""
    return np.concatenate(model.predict_proba([[word] for word in words]))


# ---- Windows ----------------------------------------------------------------------------------------------


def probabilities_by_hand(model, sentences):
    """Those of every word, from the rows of the words around it, one window at a time."""
    parameters, words = model.parameters_, model.vectors_.words
    found = []
    for sentence in sentences:
        for t in range(len(sentence)):
            rows = []
            for place in range(t - model.window, t + model.window + 1):
                inside = 0 <= place < len(sentence)
                known = inside and sentence[place] in words
                rows.append(
                    FIRST_WORD + words.index(sentence[place]) if known else [PADDING, UNKNOWN][inside]
                )
            x = np.concatenate([parameters["vectors"][row] for row in rows]).astype(np.float64)
            z = np.tanh(x @ parameters["W1"] + parameters["b1"]) @ parameters["W2"] + parameters["b2"]
            found.append(np.exp(z) / np.exp(z).sum())
    return found


@cache
def trained(window):
    X, y = [["a", "b", "c", "d"], ["b", "a"], ["d", "c", "b"]], [["A", "B", "A", "B"], ["A", "B"], ["B"] * 3]
    model = WindowClassifier(window=window, hidden=6, activation="tanh", vector_size=5, train_vectors=True)
    return model.fit(X * 2, y * 2)


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdx"), max_size=6), max_size=8), st.sampled_from([0, 1, 2, 8]))
def test_windows_are_those_of_a_loop(sentences, window):
    """At the edges of sentences, which no window crosses, and around sentences without words, too."""
    model = trained(window)
    found = model.predict_proba(sentences)
    assert [rows.shape for rows in found] == [(len(sentence), 2) for sentence in sentences]
    expected = probabilities_by_hand(model, sentences)
    for probabilities, by_hand in zip([row for rows in found for row in rows], expected, strict=True):
        np.testing.assert_allclose(probabilities, by_hand, rtol=1e-5)


# ---- Words ------------------------------------------------------------------------------------------------


def test_a_word_is_looked_for_as_written_then_in_lower_case_then_without_its_digits():
    forms = ["Paris", "paris", "2nd", "0nd", "x00"]
    model = fitted([forms], Vectors(forms, np.eye(5)))
    assert model.vectors_.words == forms
    expected = dict(zip(forms, answers(model, forms), strict=True))
    assert len({row.tobytes() for row in expected.values()}) == 5
    for word, form in (
        ("PARIS", "paris"), ("2ND", "2nd"), ("3ND", "0nd"), ("X47", "x00"),
    ):  # fmt: skip
        np.testing.assert_allclose(answers(model, [word])[0], expected[form], rtol=1e-6, err_msg=word)


def test_other_words_share_a_row():
    model = fitted([["Rome", "4"]], Vectors(["Rome", "4"], np.eye(2)))
    unknown = answers(model, ["rome", "ROME", "5", "0", ""])
    assert (unknown == unknown[0]).all()
    assert not (answers(model, ["Rome", "4"]) == unknown[0]).all(axis=1).any()


def test_frequent_words_of_a_text_get_rows_under_the_last_of_their_spellings():
    text = [["The", "Sea", "of", "1999"], ["sea", "SEA", "1987", "of", "rare"], [], ["the", "the"]]
    model = fitted(text, Vectors(["the"], np.eye(1, 5)), min_count=2)
    assert model.vectors_.words == ["the", "sea", "of", "0000"]  # by frequency, after those that were there
    found = answers(model, ["sEA", "sea", "Of", "of", "2024", "0000", "rare", "never"])
    np.testing.assert_array_equal(found[::2], found[1::2])
    assert len(np.unique(found, axis=0)) == 4


@pytest.mark.parametrize(
    ("min_count", "words"), [(1, {"a", "b", "c"}), (2, {"a", "b"}), (3, {"a"}), (4, set())]
)
def test_rarer_words_than_min_count_get_no_row(min_count, words):
    text = [["a", "b", "c"], ["a", "b"], ["a"]]
    assert set(fitted(text, min_count=min_count).vectors_.words) == words


# ---- Where the words start --------------------------------------------------------------------------------


def random(seed=0):
    return np.random.default_rng(seed)


def test_words_start_at_their_vectors_padding_at_zero_and_unknown_words_at_the_mean():
    vectors = Vectors(["a", "b", "c"], random().normal(3, 1, (3, 4)))
    words, table = start_of([["a", "b"]], vectors)
    assert words == vectors.words and table.dtype == np.float32
    np.testing.assert_array_equal(table[FIRST_WORD:], vectors.vectors)
    assert not table[PADDING].any()
    np.testing.assert_allclose(table[UNKNOWN], vectors.vectors.mean(axis=0), rtol=1e-6)
    table[:] = 0
    assert vectors.vectors.all()


def test_words_without_a_vector_start_as_large_as_vectors_are():
    vectors = Vectors(["a", "b"], random().normal(0, 7, (2, 300)))
    words, table = start_of([["a", "b", "new", "newer"]], vectors, min_count=1)
    assert words == ["a", "b", "new", "newer"]
    new = table[FIRST_WORD + 2 :]
    assert new.std() == pytest.approx(7, rel=0.15)
    assert not np.array_equal(*new)
    np.testing.assert_array_equal(table[FIRST_WORD : FIRST_WORD + 2], vectors.vectors)


def test_without_vectors_words_start_at_random_with_a_length_of_about_1():
    names = [f"{a}{b}" for a in "abcdefg" for b in "tuvwxyz"]
    words, table = start_of([names], vector_size=200, min_count=1)
    assert words == names
    assert table.shape == (FIRST_WORD + 49, 200) and table.dtype == np.float32
    assert not table[PADDING].any()
    np.testing.assert_allclose(np.linalg.norm(table[UNKNOWN:], axis=1), 1, atol=0.15)
    assert len(np.unique(table[:, 0])) == len(table)


def test_ngrams_give_vectors_to_words_of_the_text():
    known, text = ["garden", "gardens"], [["gardener", "x"], ["Gardener", "x"]]
    vectors = SubwordVectors(known, random().standard_normal((2 + 50, 7)), Subwords(3, 5, 50))
    words, table = start_of(text, vectors)
    assert words == [*known, "gardener", "x"]
    np.testing.assert_array_equal(table[FIRST_WORD + 1 : -1], vectors[["gardens", "gardener"]])
    np.testing.assert_allclose(table[UNKNOWN], vectors.vectors.mean(axis=0), rtol=1e-5)
    nothing = SubwordVectors(known, random().standard_normal((2 + 50, 7)), Subwords(6, 6, 50))
    assert start_of(text, nothing)[1][-1].any()  # <x> has no n-grams


def test_vectors_of_no_words_start_all_at_random():
    words, table = start_of([["a", "a"]], Vectors([], np.zeros((0, 4))))
    assert words == ["a"] and table.shape == (FIRST_WORD + 1, 4)
    assert np.isfinite(table).all() and not table[PADDING].any()


# ---- Features ---------------------------------------------------------------------------------------------

CASES = {
    "lower": ["sea", "1st"],
    "title": ["Sea", "I'm", "Zürich"],
    "capital": ["I", "Ä"],
    "upper": ["USA", "U.S."],
    "mixed title": ["McDonald", "DeGaulle"],
    "mixed": ["iPhone", "eMail"],
    "number": ["1999", "3,000.5"],
    "sign": ["--", ""],
}
SUFFIXES = {
    "ing": ["Running", "sing"],
    "ong": ["song", "LONG"],
    "sea": ["SEA", "chelsea"],
    "of": ["of", "OF"],
    "": ["", ""],
}


@pytest.mark.parametrize(("name", "values", "size"), [("case", CASES, 8), ("suffix", SUFFIXES, 20)])
def test_words_are_told_apart_by_what_a_feature_makes_of_them(name, values, size):
    words = [word for of_value in values.values() for word in of_value]
    model = fitted([words], features=[name], min_count=len(words) + 1, vector_size=3)
    assert model.vectors_.words == []
    table = model.parameters_[name]
    assert table.shape == (2 + len(values), size) and table.dtype == np.float32
    assert not table[PADDING].any() and table[UNKNOWN:].all()
    found = {word: row.tobytes() for word, row in zip(words, answers(model, words), strict=True)}
    assert [len({found[word] for word in of_value}) for of_value in values.values()] == [1] * len(values)
    assert len({*found.values()}) == len(values)
    np.testing.assert_array_equal(
        table, fitted([words], features=[name], min_count=len(words) + 1, vector_size=3).parameters_[name]
    )


def test_values_that_occur_twice_have_rows():
    model = fitted([["Going", "sea", "being", "of", "Of", "red"]], features=["suffix", "case"], min_count=9)
    assert len(model.parameters_["suffix"]) == 2 + len({"ing", "of"})
    assert len(model.parameters_["case"]) == 2 + len({"lower", "title"})
    lower, other, *unknown = answers(model, ["tea", "was", "TEA", "7"])
    np.testing.assert_array_equal(lower, other)  # neither has a suffix that is known
    np.testing.assert_array_equal(*unknown)
    assert not np.array_equal(lower, unknown[0])


# ---- What people give -------------------------------------------------------------------------------------


def test_sentences_may_be_anything_that_gives_words():
    sentences = [["to", "be"], [], ["12", "or"]]
    model = fitted(sentences, min_count=1, window=1)
    expected = model.predict_proba(sentences)
    for X in (
        (("to", "be"), (), (12, "or")),
        (iter(sentence) for sentence in sentences),
        [["to", "be"], [], [np.int64(12), "or"]],
        [np.array(["to", "be"]), [], np.array(["12", "or"])],
    ):
        for found, of_sentence in zip(model.predict_proba(X), expected, strict=True):
            np.testing.assert_array_equal(found, of_sentence)
    for found, of_sentence in zip(model.predict_proba(Corpus(sentences)), expected[::2], strict=True):
        np.testing.assert_array_equal(found, of_sentence)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("to be", TypeError, r"X must be sentences, each a list of words, got 'to be'"),
        (b"to be", TypeError, r"X must be sentences, each a list of words, got b'to be'"),
        (None, TypeError, r"X must be sentences, each a list of words, got None"),
        (
            ["to be"],
            TypeError,
            r"sentence 1 of X must be .*, got 'to be',.*: pass sentence\.split\(\)",
        ),
        (
            [["to"], b"be"],
            TypeError,
            r"sentence 2 of X must be .* b'be': pass sentence\.decode\(\)\.split\(\)",
        ),
        ([["to"], 7], TypeError, r"sentence 2 of X must be a list of words, got 7$"),
        ([["to"], ["be", None]], TypeError, r"every word of sentence 2 must be a str or an int, got None"),
        ([["to", 1.5]], TypeError, r"every word of sentence 1 must be a str or an int, got 1.5"),
        ([["to", True]], TypeError, r"every word of sentence 1 must be a str or an int, got True"),
        ([], ValueError, r"X must have at least one sentence with words, got 0 without"),
        ([[], []], ValueError, r"X must have at least one sentence with words, got 2 without"),
    ],
)
def test_what_are_no_sentences_is_refused(X, error, message):
    with pytest.raises(error, match=message):
        WindowClassifier().fit(X, [["A", "B"]])


X = [["to", "be"], [], ["or"]]


def test_labels_come_end_to_end():
    for y in ([["A", "B"], [], ["C"]], (("A", "B"), (), np.array(["C"])), iter([["A", "B"], [], ["C"]])):
        model = WindowClassifier(min_count=1, epochs=100, learning_rate=0.05).fit(X, y)
        assert [labels.tolist() for labels in model.predict(X)] == [["A", "B"], [], ["C"]]
    assert WindowClassifier().fit(X, [[True, False], [], [True]]).classes_.dtype == bool
    assert WindowClassifier().fit(X, [[1, 2], [], [3]]).classes_.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ("ABC", TypeError, r"y must be a list of labels for each sentence, got 'ABC'"),
        (None, TypeError, r"y must be a list of labels for each sentence, got None"),
        ([["A", "B"], []], ValueError, r"y must have labels for the 3 sentences of X, got 2"),
        ([[]] * 1234, ValueError, r"y must have labels for the 3 sentences of X, got 1,234"),
        (["AB", [], ["C"]], TypeError, r"a list of labels for each sentence; for 1 it has 'AB'"),
        ([["A", "B"], [], 3], TypeError, r"a list of labels for each sentence; for 3 it has 3"),
        ([["A", "B"], [], ["C", "D"]], ValueError, r"each word: sentence 3 has 1 words and 2 labels"),
        ([["A"], ["B"], ["C"]], ValueError, r"each word: sentence 1 has 2 words and 1 labels"),
        (
            [["A", None], [], ["C"]],
            ValueError,
            r"y must have a label for each word, a str or a number, got None at sentence 1, word 2$",
        ),
        (
            [[1.0, np.nan], [], [2.0]],
            ValueError,
            r"y must have a label for each word, a str or a number, got nan at sentence 1, word 2$",
        ),
    ],
)
def test_labels_that_do_not_fit_the_words_are_refused(y, error, message):
    with pytest.raises(error, match=message):
        WindowClassifier().fit(X, y)


@pytest.mark.parametrize(
    "y",
    [
        [[[0, 1], [1, 0]], [], [[1, 0]]],  # numpy would make two columns of these
        [[("A", 1), ("B", 2)], [], [("C", 3)]],
        [[["A", "B"], ["A"]], [], [["C"]]],
    ],
)
def test_several_labels_for_a_word_are_refused(y):
    with pytest.raises((TypeError, ValueError), match=r"y must have a label for each word"):
        WindowClassifier().fit(X, y)
