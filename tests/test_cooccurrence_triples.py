"""Counts that come as triples: the unit they are kept in, and bad ones."""

import re

import numpy as np
import pytest
from inside import set_sizes

from fastvec import Cooccurrence

pytestmark = pytest.mark.any_backend

TEXT = [["to", "be", "or", "not", "to", "be"], ["be", "quick"], ["or", "be", "slow"]]


def test_triples_there_and_back():
    counts = Cooccurrence(window=4, min_count=1).fit(TEXT)
    vocabulary = counts.vocabulary_
    back = Cooccurrence.from_triples(
        vocabulary.words, *counts.triples(), counts=vocabulary.counts, window=4, min_count=1
    )
    for array in ("row_offsets_", "columns_", "units_"):
        np.testing.assert_array_equal(getattr(back, array), getattr(counts, array), strict=True)
    assert (back.unit_, back.vocabulary_.words) == (counts.unit_, vocabulary.words)
    assert back.vocabulary_.counts.tolist() == vocabulary.counts.tolist()
    assert back.get_params() == counts.get_params()
    assert Cooccurrence.from_triples(["a", 1], [], [], []).n_entries_ == 0
    single = Cooccurrence.from_triples(["a", 1], [0], [1], np.array([1e6 / 3], np.float32))
    assert single.triples()[2] == pytest.approx(float(np.float32(1e6 / 3)), rel=1e-11)
    assert Cooccurrence.from_triples(["a", 1], [0], [1], [3])["a", 1] == 3


@pytest.mark.parametrize(
    ("values", "unit", "kept"),
    [
        ([1, 2**60], 1, None),
        ([1.0, 4.0], 360360, None),
        ([1.0, 2.0**60], 1, None),
        ([1 / 3, 0.1 + 0.2], 360360, [1 / 3, 0.3]),
        ([1 / 17, 1000 + 1 / 19], 232792560, None),
        ([0.300001, 0.1], 2**62, None),
        ([0.3, 2e13], 2**17, [round(0.3 * 2**17) / 2**17, 2e13]),
        ([np.pi / 100, np.e / 100], 2**62, None),
        ([1e-9, 1e-18], 2**62, [round(1e-9 * 2**62) / 2**62, 5 / 2**62]),
    ],
)
def test_the_unit_of_numbers(values, unit, kept, monkeypatch):
    for block in (1, 1 << 20):
        set_sizes(monkeypatch, triples_at_once=block)
        counts = Cooccurrence.from_triples(["a", "b"], [0, 1], [1, 0], values)
        assert counts.unit_ == unit
        assert counts.triples()[2].tolist() == (values if kept is None else kept)


@pytest.mark.parametrize(
    ("params", "unit"), [({}, 360360), ({"window": 16}, 232792560), ({"weighting": "dynamic"}, 10)]
)
def test_numbers_take_the_unit_of_their_weights(params, unit):
    values = [0.5, 0.1 + 0.2]
    counts = Cooccurrence.from_triples(["a", "b"], [0, 1], [1, 0], values, **params)
    assert counts.unit_ == unit == Cooccurrence(**params, min_count=1).fit(TEXT).unit_
    assert counts.triples()[2].tolist() == [0.5, 0.3]


NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("triples", "error", "message"),
    [
        (([0, 1], [1, 0], [1, 0]), ValueError, "values must be finite and > 0, got 0 at place 1"),
        (([0, 1], [1, 0], [-2.5, 1]), ValueError, "values must be finite and > 0, got -2.5 at place 0"),
        (([0, 1], [1, 0], [1, NAN]), ValueError, "values must be finite and > 0, got nan at place 1"),
        (([0, 1], [1, 0], [INFINITE, 1]), ValueError, "values must be finite and > 0, got inf at place 0"),
        (([0, 3], [1, 0], [1, 1]), ValueError, "rows must be from 0 to 2, got 3 at place 1"),
        (([0, 1], [1, -1], [1, 1]), ValueError, "columns must be from 0 to 2, got -1 at place 1"),
        (([0, 2**32], [1, 0], [1, 1]), ValueError, "rows must be from 0 to 2, got 4294967296 at place 1"),
        (([1, 0], [0, 1], [1, 1]), ValueError, "each pair once, got (0, 1) after (1, 0) at place 1"),
        (([0, 0], [2, 1], [1, 1]), ValueError, "each pair once, got (0, 1) after (0, 2) at place 1"),
        (([0, 0], [1, 1], [1, 1]), ValueError, "each pair once, got (0, 1) after (0, 1) at place 1"),
        (([0, 1], [1, 0], [1]), ValueError, "arrays of equal length, got shapes (2,), (2,), (1,)"),
        (([[0]], [[1]], [[1]]), ValueError, "arrays of equal length, got shapes (1, 1), (1, 1), (1, 1)"),
        (([0.0, 1], [1, 0], [1, 1]), TypeError, "rows must be integers, got float64"),
        (([0, 1], ["1", "0"], [1, 1]), TypeError, "columns must be integers, got <U1"),
        (([0, 1], [1, 0], ["1", "2"]), TypeError, "values must be numbers, got <U1"),
        (([0, 1], [1, 0], [1, 1e19]), ValueError, "values must have a sum below 2**62, got 1e+19"),
        (([0, 1], [1, 0], [1e308, 1e308]), ValueError, "values must have a sum below 2**62, got inf"),
        (([0, 1], [1, 0], [1e-9, 1e15]), ValueError, "values must not be lost beside their sum: 1e-09 is"),
    ],
)
def test_bad_triples_are_named(triples, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Cooccurrence.from_triples(["a", "b", "c"], *triples)


@pytest.mark.parametrize(
    ("words", "counts", "error", "message"),
    [
        ("ab", None, TypeError, "words must be a list of words, got 'ab'"),
        (["a", 1.5], None, TypeError, "a word must be a str or an int, got 1.5"),
        (["a", "a"], None, ValueError, "words must be one or more distinct words, none of them empty"),
        (["a", ""], None, ValueError, "words must be one or more distinct words, none of them empty"),
        ([], None, ValueError, "words must be one or more distinct words, none of them empty"),
        (["a", "b"], [2], ValueError, "counts must have the shape (2,), one for each word, got (1,)"),
        (["a", "b"], [2, 3], ValueError, "counts must be positive and descending"),
        (["a", "b"], [2, 0], ValueError, "counts must be positive and descending"),
        (["a", "b"], [2.5, 1], TypeError, "counts must be integers, got float64"),
    ],
)
def test_bad_vocabularies_are_named(words, counts, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Cooccurrence.from_triples(words, [0], [0], [1], counts=counts)
    with pytest.raises(ValueError, match="window must be an int from 1 to 1000, got 0"):
        Cooccurrence.from_triples(["a"], [0], [0], [1], window=0)
