"""Sentences become rows of tables: windows, words, features, and what is refused on the way there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastvec import Corpus, Vectors
from fastvec.classify.words.features import FEATURES, FeatureTable, case_of, suffix_of
from fastvec.classify.words.lexicon import FIRST_WORD, PADDING, UNKNOWN, Lexicon, starting_table
from fastvec.classify.words.sentences import (
    check_sentences,
    labels_of_words,
    sentence_numbers,
    sentences_with_words,
    split_like,
    windows,
)
from fastvec.vectors.subwords import Subwords, SubwordVectors

pytestmark = pytest.mark.any_backend

# ---- Windows ----------------------------------------------------------------------------------------------


def windows_by_hand(sentences, window, padding):
    return [
        [
            sentence[place] if 0 <= place < len(sentence) else padding
            for place in range(t - window, t + window + 1)
        ]
        for sentence in sentences
        for t in range(len(sentence))
    ]


def windows_of(sentences, window, padding=0):
    ids = np.array([word for sentence in sentences for word in sentence], np.int32)
    return windows(ids, [len(sentence) for sentence in sentences], window, padding)


@given(
    st.lists(st.lists(st.integers(1, 99), max_size=6), max_size=8),
    st.integers(0, 8),
    st.sampled_from([0, -1]),
)
def test_windows_are_those_of_a_loop(sentences, window, padding):
    found = windows_of(sentences, window, padding)
    assert found.dtype == np.int32
    assert found.shape == (sum(map(len, sentences)), 2 * window + 1)
    assert found.tolist() == windows_by_hand(sentences, window, padding)


def test_edges_are_padded_and_no_window_reaches_into_another_sentence():
    assert windows_of([[5, 6, 7], [8], [], [9, 9]], 1).tolist() == [
        [0, 5, 6],
        [5, 6, 7],
        [6, 7, 0],
        [0, 8, 0],
        [0, 9, 9],
        [9, 9, 0],
    ]


def test_a_window_may_be_larger_than_the_sentence():
    assert windows_of([[5, 6], [7]], 3).tolist() == [
        [0, 0, 0, 5, 6, 0, 0],
        [0, 0, 5, 6, 0, 0, 0],
        [0, 0, 0, 7, 0, 0, 0],
    ]


def test_a_window_of_0_is_the_word_alone():
    assert windows_of([[5, 6], [], [7]], 0).tolist() == [[5], [6], [7]]


def test_every_word_knows_its_sentence():
    assert sentence_numbers([2, 0, 3, 0]).tolist() == [0, 0, 2, 2, 2]


# ---- Words ------------------------------------------------------------------------------------------------


def test_a_word_is_looked_for_as_written_then_in_lower_case_then_without_its_digits():
    lexicon = Lexicon(["Paris", "paris", "2nd", "0nd", "x00"])
    assert len(lexicon) == FIRST_WORD + 5
    for word, form in [
        ("Paris", "Paris"),
        ("paris", "paris"),
        ("PARIS", "paris"),
        ("2nd", "2nd"),
        ("2ND", "2nd"),
        ("3ND", "0nd"),
        ("X47", "x00"),
    ]:
        assert lexicon.row(word) == FIRST_WORD + lexicon.words.index(form), word


def test_other_words_share_a_row():
    lexicon = Lexicon(["Rome", "4"])
    assert [lexicon.row(word) for word in ("rome", "ROME", "5", "0", "")] == [UNKNOWN] * 5
    assert lexicon.rows(["Rome", "rome", "4", "Rome"]).tolist() == [2, 1, 3, 2]
    assert lexicon.rows([]).shape == (0,)
    assert lexicon.rows(["Rome"]).dtype == np.int32
    assert len({PADDING, UNKNOWN, FIRST_WORD}) == 3


def test_frequent_words_of_a_text_get_rows_under_the_last_of_their_spellings():
    lexicon = Lexicon(["the"])
    text = [["The", "Sea", "of", "1999"], ["sea", "SEA", "1987", "of", "rare"], [], ["the", "the"]]
    more = lexicon.with_words_of(text, 2)
    assert more.words == ["the", "sea", "of", "0000"]  # by frequency, after those that were there
    assert more.rows(["THE", "sEA", "Of", "2024", "rare"]).tolist() == [2, 3, 4, 5, UNKNOWN]
    assert len(lexicon) == FIRST_WORD + 1 and lexicon.row("sea") == UNKNOWN


@pytest.mark.parametrize(
    ("min_count", "words"), [(1, {"a", "b", "c"}), (2, {"a", "b"}), (3, {"a"}), (4, set())]
)
def test_rarer_words_than_min_count_get_no_row(min_count, words):
    text = [["a", "b", "c"], ["a", "b"], ["a"]]
    assert set(Lexicon([]).with_words_of(text, min_count).words) == words


# ---- Where the words start --------------------------------------------------------------------------------


def random(seed=0):
    return np.random.default_rng(seed)


def test_words_start_at_their_vectors_padding_at_zero_and_unknown_words_at_the_mean():
    vectors = Vectors(["a", "b", "c"], random().normal(3, 1, (3, 4)))
    table = starting_table(Lexicon(vectors.words), vectors, 100, random())
    assert table.dtype == np.float32
    np.testing.assert_array_equal(table[FIRST_WORD:], vectors.vectors)
    assert not table[PADDING].any()
    np.testing.assert_allclose(table[UNKNOWN], vectors.vectors.mean(axis=0), rtol=1e-6)
    table[:] = 0
    assert vectors.vectors.all()


def test_words_without_a_vector_start_as_large_as_vectors_are():
    vectors = Vectors(["a", "b"], random().normal(0, 7, (2, 300)))
    lexicon = Lexicon(["a", "b", "new", "newer"])
    table = starting_table(lexicon, vectors, 100, random())
    new = table[lexicon.rows(["new", "newer"])]
    assert new.std() == pytest.approx(7, rel=0.15)
    assert not np.array_equal(*new)
    np.testing.assert_array_equal(table[FIRST_WORD : FIRST_WORD + 2], vectors.vectors)


def test_without_vectors_words_start_at_random_with_a_length_of_about_1():
    table = starting_table(Lexicon([f"w{i}" for i in range(50)]), None, 200, random())
    assert table.shape == (FIRST_WORD + 50, 200) and table.dtype == np.float32
    assert not table[PADDING].any()
    np.testing.assert_allclose(np.linalg.norm(table[UNKNOWN:], axis=1), 1, atol=0.15)
    assert len(np.unique(table[:, 0])) == len(table)


def test_ngrams_give_vectors_to_words_of_the_text():
    words, subwords = ["garden", "gardens"], Subwords(3, 5, 50)
    vectors = SubwordVectors(words, random().standard_normal((2 + 50, 7)), subwords)
    lexicon = Lexicon(words).with_words_of([["gardener", "x"], ["Gardener", "x"]], 2)
    table = starting_table(lexicon, vectors, 100, random())
    np.testing.assert_array_equal(table[lexicon.row("gardener")], vectors["gardener"])
    np.testing.assert_array_equal(table[lexicon.row("gardens")], vectors["gardens"])
    np.testing.assert_allclose(table[UNKNOWN], vectors.vectors.mean(axis=0), rtol=1e-5)
    nothing = SubwordVectors(words, random().standard_normal((2 + 50, 7)), Subwords(6, 6, 50))
    assert starting_table(lexicon, nothing, 100, random())[lexicon.row("x")].any()  # <x> has no n-grams


def test_vectors_of_no_words_start_all_at_random():
    table = starting_table(Lexicon(["a"]), Vectors([], np.zeros((0, 4))), 100, random())
    assert table.shape == (FIRST_WORD + 1, 4)
    assert np.isfinite(table).all() and not table[PADDING].any()


# ---- Features ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "case"),
    [
        ("sea", "lower"),
        ("1st", "lower"),
        ("Sea", "title"),
        ("I'm", "title"),
        ("Zürich", "title"),
        ("I", "capital"),
        ("USA", "upper"),
        ("U.S.", "upper"),
        ("McDonald", "mixed title"),
        ("iPhone", "mixed"),
        ("1999", "number"),
        ("3,000.5", "number"),
        ("--", "sign"),
        ("", "sign"),
    ],
)
def test_case_of(word, case):
    assert case_of(word) == case


@pytest.mark.parametrize(("word", "suffix"), [("Running", "ing"), ("SEA", "sea"), ("of", "of"), ("", "")])
def test_suffix_of(word, suffix):
    assert suffix_of(word) == suffix


def test_values_that_occur_twice_have_rows():
    words = ["Going", "sea", "being", "of", "Of", "red"]
    suffixes = FeatureTable.of("suffix", words)
    assert suffixes.values == ["ing", "of"]
    assert suffixes.rows(["sing", "OF", "sea", "red", "sing"]).tolist() == [2, 3, UNKNOWN, UNKNOWN, 2]
    assert suffixes.rows([]).dtype == np.int32
    cases = FeatureTable.of("case", words)
    assert cases.values == ["lower", "title"]
    assert [cases.row(word) for word in ("x", "Xx", "XX", "7")] == [2, 3, UNKNOWN, UNKNOWN]


@pytest.mark.parametrize(("name", "vector_size"), [("case", 8), ("suffix", 20)])
def test_values_start_at_random_and_padding_at_zero(name, vector_size):
    assert set(FEATURES) == {"case", "suffix"}
    values = ["a", "b", "c"]
    table = FeatureTable(name, values).start(random())
    assert table.shape == (UNKNOWN + 1 + len(values), vector_size)
    assert table.dtype == np.float32
    assert not table[PADDING].any() and table[UNKNOWN:].all()
    np.testing.assert_array_equal(table, FeatureTable(name, values).start(random()))


# ---- What people give -------------------------------------------------------------------------------------


def test_sentences_may_be_anything_that_gives_words():
    expected = [["to", "be"], [], ["12", "or"]]
    for X in (
        expected,
        (("to", "be"), (), (12, "or")),
        (iter(sentence) for sentence in expected),
        [["to", "be"], [], [np.int64(12), "or"]],
        [np.array(["to", "be"]), [], np.array(["12", "or"])],
    ):
        assert check_sentences(X) == expected
    assert check_sentences(Corpus(expected)) == [["to", "be"], ["12", "or"]]


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
        sentences_with_words(X)


X = [["to", "be"], [], ["or"]]


def test_labels_come_end_to_end():
    for y in ([["A", "B"], [], ["C"]], (("A", "B"), (), np.array(["C"])), iter([["A", "B"], [], ["C"]])):
        labels = labels_of_words(y, X)
        assert isinstance(labels, np.ndarray) and labels.tolist() == ["A", "B", "C"]
    assert labels_of_words([[True, False], [], [True]], X).dtype == bool
    assert labels_of_words([[1, 2], [], [3]], X).tolist() == [1, 2, 3]


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
        labels_of_words(y, X)


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
        labels_of_words(y, X)


def test_values_of_words_are_dealt_out_to_their_sentences():
    found = split_like(np.arange(5), [["a", "b"], [], ["c", "d", "e"], []])
    assert [values.tolist() for values in found] == [[0, 1], [], [2, 3, 4], []]
    assert [rows.shape for rows in split_like(np.zeros((3, 4)), X)] == [(2, 4), (0, 4), (1, 4)]
