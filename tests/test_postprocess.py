"""Vectors without their mean and first principal components, against a plain SVD."""

import tracemalloc

import numpy as np
import pytest
from inside import set_sizes, write_vectors

import fastvec
from fastvec import SubwordVectors, Vectors
from fastvec.vectors import Subwords

pytestmark = pytest.mark.any_backend


def make(n=50, d=6):
    random = np.random.default_rng(3)
    matrix = random.standard_normal((n, d)) * np.arange(1, d + 1) + random.standard_normal(d)
    return Vectors(range(n), matrix, counts=range(n, 0, -1), metadata={"window": 5})


def plain(matrix, remove_top):
    centered = matrix.astype(np.float64) - matrix.astype(np.float64).mean(axis=0)
    left, values, right = np.linalg.svd(centered, full_matrices=False)
    values[:remove_top] = 0
    return left * values @ right


@pytest.mark.parametrize("block", [1, 40, 1 << 20])
@pytest.mark.parametrize("remove_top", [0, 1, 5])
def test_it_is_what_a_plain_svd_leaves(monkeypatch, block, remove_top):
    set_sizes(monkeypatch, numbers_at_once=block)
    vectors = make()
    before = vectors.vectors.copy()
    expected = plain(vectors.vectors, remove_top)
    done = vectors.postprocess(remove_top=remove_top)
    np.testing.assert_allclose(done.vectors, expected, atol=1e-5)
    np.testing.assert_array_equal(vectors.vectors, before)
    unit = vectors.postprocess(remove_top=remove_top, unit_length=True)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(unit.vectors, expected, atol=1e-5)
    assert done.vectors.dtype == unit.vectors.dtype == np.float32


def test_more_dimensions_than_words():
    vectors = make(4, 9)
    np.testing.assert_allclose(vectors.postprocess(remove_top=3).vectors, 0, atol=1e-5)
    np.testing.assert_allclose(
        vectors.postprocess(remove_top=2).vectors, plain(vectors.vectors, 2), atol=1e-5
    )


def test_words_counts_and_what_was_done_are_kept(tmp_path):
    vectors = make()
    done = vectors.postprocess().postprocess(center=np.False_, remove_top=np.int8(0), unit_length=np.True_)
    done.save(tmp_path / "v.fvec")
    assert done.words == vectors.words
    np.testing.assert_array_equal(done.counts, vectors.counts)
    assert done.metadata == {
        "window": 5,
        "postprocessing": [
            {"center": True, "remove_top": 0, "unit_length": False},
            {"center": False, "remove_top": 0, "unit_length": True},
        ],
    }
    assert vectors.metadata == {"window": 5}


def test_nothing_to_do_and_nothing_to_do_it_to():
    vectors = make()
    np.testing.assert_array_equal(vectors.postprocess(center=False).vectors, vectors.vectors)
    for empty in (Vectors([], np.empty((0, 3))), Vectors(["a"], [[0, 0, 0]])):
        np.testing.assert_array_equal(empty.postprocess(unit_length=True).vectors, empty.vectors)


def test_what_was_done_can_be_saved(tmp_path):
    vectors = make().postprocess(remove_top=np.int64(1))
    vectors.save(tmp_path / "v.fvec")
    loaded = fastvec.load(tmp_path / "v.fvec", mmap=True)
    assert loaded.metadata == vectors.metadata
    np.testing.assert_array_equal(loaded.postprocess().vectors, vectors.postprocess().vectors)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"center": 1}, TypeError, "center must be True or False, got 1"),
        ({"unit_length": "yes"}, TypeError, "unit_length must be True or False, got 'yes'"),
        ({"remove_top": 6}, ValueError, "remove_top must be an int from 0 to 5, got 6"),
        ({"remove_top": -1}, ValueError, "remove_top must be an int from 0 to 5, got -1"),
        ({"remove_top": 1.0}, TypeError, r"remove_top must be an int from 0 to 5, got 1\.0"),
        ({"center": False, "remove_top": 2}, ValueError, "remove_top must be 0 unless center=True, got 2"),
    ],
)
def test_parameters_that_make_no_sense(arguments, error, message):
    with pytest.raises(error, match=message):
        make().postprocess(**arguments)


def test_no_more_is_removed_than_there_is():
    with pytest.raises(ValueError, match="remove_top must be an int from 0 to 2, got 3"):
        make(3, 9).postprocess(remove_top=3)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_mapped_vectors_that_are_not_finite_have_no_mean(bad, tmp_path):
    matrix = np.ones((5, 2), np.float32)
    matrix[3, 1] = bad
    write_vectors(tmp_path / "v.fvec", list("abcde"), matrix)
    with pytest.raises(ValueError, match=r"finite numbers of float32, got .* in dimension 2 of row 4"):
        fastvec.load(tmp_path / "v.fvec", mmap=True).postprocess()


def test_a_large_matrix_is_copied_once(monkeypatch):
    set_sizes(monkeypatch, numbers_at_once=1 << 14)
    matrix = np.ones((100_000, 50), np.float32)
    vectors = Vectors(range(len(matrix)), matrix)
    tracemalloc.start()
    try:
        Vectors(vectors.words, matrix)
        _, words = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        vectors.postprocess(remove_top=1, unit_length=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < words + 1.2 * matrix.nbytes


def subwords():
    random = np.random.default_rng(0)
    rows = random.standard_normal((3 + 40, 5)).astype(np.float32) + 1
    return SubwordVectors(["garden", "gardens", "12"], rows, Subwords(3, 5, 40), [3, 2, 1])


def test_unknown_words_lose_what_known_words_have_in_common():
    vectors = subwords()
    done = vectors.postprocess(remove_top=1)
    assert isinstance(done, SubwordVectors)
    np.testing.assert_allclose(done.vectors, plain(vectors.vectors, 1), atol=1e-5)
    mean = vectors.vectors.mean(axis=0)
    direction = np.linalg.svd(vectors.vectors - mean)[2][0]
    unknown = vectors["gardener"] - mean
    np.testing.assert_allclose(done["gardener"], unknown - unknown @ direction * direction, atol=1e-5)
    np.testing.assert_allclose(
        SubwordVectors(done.words, done.input_vectors, done.subwords).vectors, done.vectors, atol=1e-5
    )
    np.testing.assert_array_equal(done.counts, vectors.counts)


def test_with_unit_length_only_known_words_are_left():
    vectors = subwords()
    done = vectors.postprocess(unit_length=True)
    assert type(done) is Vectors
    np.testing.assert_allclose(np.linalg.norm(done.vectors, axis=1), 1, rtol=1e-6)
    with pytest.raises(fastvec.UnknownWordError):
        done["gardener"]
