"""Vectors of several trainings as one, and vectors drawn to a lexicon, against a solved system."""

import gzip
from itertools import pairwise

import numpy as np
import pytest

import fastvec
from fastvec import SubwordVectors, Vectors
from fastvec.vectors import Subwords

pytestmark = pytest.mark.any_backend

WORDS = [f"w{i}" for i in range(40)]


def make(d, seed, words=WORDS, counts=True):
    random = np.random.default_rng(seed)
    matrix = random.standard_normal((len(words), d)) * random.uniform(0.1, 9, (len(words), 1))
    return Vectors(words, matrix, range(len(words), 0, -1) if counts else None, {"seed": seed})


def cosines(vectors, words=WORDS):
    return vectors.most_similar_batch(words, topn=None)


@pytest.mark.parametrize("weights", [None, [1, 1, 1], (0.5, 2, 7), np.array([3, 1, 2])])
def test_cosines_of_a_concatenation_are_the_weighted_mean_of_cosines(weights):
    sets = [make(3, 0), make(8, 1), make(5, 2)]
    combined = fastvec.combine(sets, weights)
    assert (combined.words, combined.vector_size) == (WORDS, 16)
    expected = np.average([cosines(each) for each in sets], axis=0, weights=weights)
    np.testing.assert_allclose(cosines(combined), expected, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(combined.vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(combined.counts, sets[0].counts)
    shares = [1 / 3] * 3 if weights is None else list(np.divide(weights, sum(weights)))
    assert combined.metadata["combined"] == [{"seed": 0}, {"seed": 1}, {"seed": 2}]
    np.testing.assert_allclose(combined.metadata["weights"], shares)


def test_an_average_pads_shorter_vectors_with_zeros():
    small, large = make(3, 0), make(5, 1)
    combined = fastvec.combine([small, large], [1, 3], method="average")
    units = [each.vectors / np.linalg.norm(each.vectors, axis=1, keepdims=True) for each in (small, large)]
    expected = np.sqrt(0.75) * units[1]
    expected[:, :3] += np.sqrt(0.25) * units[0]
    np.testing.assert_allclose(combined.vectors, expected, atol=1e-6)


def test_an_average_of_different_trainings_is_nearly_a_concatenation():
    sets = [make(300, 0), make(300, 1)]
    differences = cosines(fastvec.combine(sets)) - cosines(fastvec.combine(sets, method="average"))
    assert np.abs(differences).max() < 0.2 and differences.std() < 0.06


def test_words_that_all_have_in_the_order_of_the_first():
    first, second = make(3, 0, ["b", "c", "a", "x"]), make(3, 1, ["a", "y", "b"])
    combined = fastvec.combine(each for each in (first, second))
    assert combined.words == ["b", "a"]
    assert combined.counts.tolist() == [4, 2]


def test_words_of_all_have_zeros_where_they_have_no_vector():
    first, second = make(3, 0, ["b", "c"]), make(2, 1, ["a", "b"])
    combined = fastvec.combine([first, second], words="all")
    assert combined.words == ["b", "c", "a"]
    assert combined.counts.tolist() == [2, 1, 2]
    np.testing.assert_allclose(combined["c"][3:], 0)
    np.testing.assert_allclose(combined["a"][:3], 0)
    assert combined.similarity("c", "a") == 0
    half = (first.similarity("b", "c") + 0) / 2**0.5  # of one of two parts of "b", which "c" has alone
    np.testing.assert_allclose(combined.similarity("b", "c"), half, atol=1e-6)


def test_ids_stay_ids_and_meet_their_digits():
    ids, digits = Vectors([7, 12], [[1, 0], [0, 1]]), Vectors(["12", "7"], [[1.0], [2.0]])
    assert fastvec.combine([ids, digits]).words == [7, 12]
    assert fastvec.combine([ids, Vectors([12, 3], [[1.0], [1.0]])], words="all").words == [7, 12, 3]


def test_counts_must_be_known_of_all():
    assert fastvec.combine([make(3, 0), make(3, 1, counts=False)]).counts is None


def test_a_combination_of_ngrams_has_none_and_all_formats_save_it(tmp_path):
    random = np.random.default_rng(0)
    subwords = SubwordVectors(WORDS, random.standard_normal((len(WORDS) + 9, 4)), Subwords(2, 3, 9))
    combined = fastvec.combine([subwords, make(3, 0)])
    assert type(combined) is Vectors
    for extension in ("fvec", "bin", "vec", "glove"):
        combined.save(tmp_path / f"v.{extension}")
        np.testing.assert_allclose(fastvec.load(tmp_path / f"v.{extension}").vectors, combined.vectors)
    assert fastvec.load(tmp_path / "v.fvec").metadata == combined.metadata


def test_a_truncated_combination_keeps_what_both_agree_on():
    base = np.random.default_rng(0).standard_normal((40, 4))
    sets = [Vectors(WORDS, base @ np.random.default_rng(seed).standard_normal((4, 9))) for seed in (1, 2)]
    combined = fastvec.combine(sets)
    np.testing.assert_allclose(cosines(combined.order_dimensions().truncate(8)), cosines(combined), atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((Vectors(["a", "b"], [[1], [2]]),), "vectors must be two or more Vectors, got 1"),
        (([],), "vectors must be two or more Vectors, got 0"),
        ((["v.fvec", "w.fvec"],), "vectors must be a list of Vectors, got 'v.fvec' among them"),
        (([make(2, 0), make(2, 1)], [1]), r"weights must be 2 numbers > 0, one for each .* got \[1\]"),
        (([make(2, 0), make(2, 1)], [1, 0]), r"weights must be 2 numbers > 0, .* got \[1, 0\]"),
        (([make(2, 0), make(2, 1)], [1, np.nan]), "weights must be 2 numbers > 0"),
        (([make(2, 0), make(2, 1)], ["a", "b"]), "weights must be numbers, one for each of the vectors"),
        (([make(2, 0), make(2, 1, ["x"])],), "vectors must have words in common, got none: words='all'"),
    ],
)  # fmt: skip
def test_what_cannot_be_combined(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        fastvec.combine(*arguments)


def test_choices():
    with pytest.raises(ValueError, match="method must be one of 'concatenate', 'average', got 'sum'"):
        fastvec.combine([make(2, 0), make(2, 1)], method="sum")
    with pytest.raises(ValueError, match="words must be one of 'common', 'all', got 'any'"):
        fastvec.combine([make(2, 0), make(2, 1)], words="any")


def lexicon_of(seed=0, n=60):
    """Pairs of WORDS but the last five, some of them twice, in both directions, or of a word and itself."""
    pairs = np.random.default_rng(seed).integers(len(WORDS) - 5, size=(n, 2))
    pairs = [*pairs.tolist(), *pairs[:9, ::-1].tolist(), *pairs[3:7].tolist(), [2, 2]]
    return [(WORDS[a], WORDS[b]) for a, b in pairs]


def solved(vectors, pairs, alpha, beta):
    """The vectors that satisfy the equations of the paper, by solving these."""
    n = len(vectors)
    related = np.zeros((n, n))
    for a, b in pairs:
        if a != b:
            related[WORDS.index(a), WORDS.index(b)] = related[WORDS.index(b), WORDS.index(a)] = 1
    degrees = related.sum(axis=1)
    betas = np.where(degrees, beta, 0)
    system = np.diag(alpha + betas) - betas[:, np.newaxis] * related / np.maximum(degrees, 1)[:, np.newaxis]
    return np.linalg.solve(system, alpha * vectors.vectors.astype(np.float64))


@pytest.mark.parametrize(("alpha", "beta"), [(1, 1), (1, 3), (2.5, 0.5)])
def test_many_iterations_solve_the_equations(alpha, beta):
    vectors, pairs = make(6, 3), lexicon_of()
    retrofitted = fastvec.retrofit(vectors, pairs, iterations=200, alpha=alpha, beta=beta)
    np.testing.assert_allclose(retrofitted.vectors, solved(vectors, pairs, alpha, beta), atol=1e-4)
    np.testing.assert_array_equal(retrofitted.vectors[-5:], vectors.vectors[-5:])
    assert (retrofitted.words, retrofitted.counts.tolist()) == (vectors.words, vectors.counts.tolist())
    entry = retrofitted.metadata["postprocessing"][-1]
    assert entry == {
        "retrofitted_words": entry["retrofitted_words"],
        "iterations": 200,
        "alpha": alpha,
        "beta": beta,
    }
    assert vectors.metadata == {"seed": 3}


def test_each_iteration_leaves_at_most_half():
    vectors, pairs = make(6, 3), lexicon_of()
    truth = solved(vectors, pairs, 1, 1)
    missing = [
        np.abs(fastvec.retrofit(vectors, pairs, iterations=n).vectors - truth).max(axis=0) for n in range(9)
    ]
    assert all((after <= 0.5 * before + 1e-6).all() for before, after in pairwise(missing))


def test_one_iteration_is_the_mean_with_the_neighbors():
    vectors = Vectors(["a", "b", "c"], [[4, 0], [0, 4], [8, 8]])
    once = fastvec.retrofit(vectors, [("a", "b"), ("c", "a")], iterations=1)
    np.testing.assert_allclose(once.vectors, [[4, 3], [2, 2], [6, 4]])


def test_none_of_it_moves_nothing():
    vectors, pairs = make(6, 3), lexicon_of()
    for nothing in ({"iterations": 0}, {"beta": 0}):
        np.testing.assert_array_equal(fastvec.retrofit(vectors, pairs, **nothing).vectors, vectors.vectors)


def test_related_words_come_near():
    vectors, pairs = make(6, 3), [("w1", "w2"), ("w3", "w4")]
    retrofitted = fastvec.retrofit(vectors.postprocess(center=False, unit_length=True), pairs)
    assert all(retrofitted.similarity(a, b) > vectors.similarity(a, b) for a, b in pairs)


@pytest.mark.parametrize("kind", ["dict", "file", "gzipped", "arrays"])
def test_a_lexicon_may_be_a_dict_or_a_file(tmp_path, kind):
    vectors = make(4, 0)
    pairs = [("w1", "w2"), ("w1", "w3"), ("w5", "unknown"), ("w6", "w1"), ("unknown", "w2")]
    text = b"w1 w2\tw3 \n\nw5 unknown\nw7\nw6  w1\nunknown w2"
    (tmp_path / "lexicon.txt").write_bytes(b"\xef\xbb\xbf" + text)
    (tmp_path / "lexicon.txt.gz").write_bytes(gzip.compress(text))
    lexicon = {
        "dict": {"w1": ["w2", "w3"], "w5": {"unknown"}, "w6": ("w1",), "unknown": ["w2"]},
        "file": str(tmp_path / "lexicon.txt"),
        "gzipped": tmp_path / "lexicon.txt.gz",
        "arrays": np.array(pairs),
    }[kind]
    expected = fastvec.retrofit(vectors, pairs).vectors
    np.testing.assert_array_equal(fastvec.retrofit(vectors, lexicon).vectors, expected)


def test_vectors_of_ngrams_keep_them():
    random = np.random.default_rng(0)
    vectors = SubwordVectors(WORDS, random.standard_normal((len(WORDS) + 9, 4)), Subwords(2, 3, 9))
    retrofitted = fastvec.retrofit(vectors, [("w1", "w2")])
    assert isinstance(retrofitted, SubwordVectors)
    np.testing.assert_array_equal(retrofitted["unseen"], vectors["unseen"])
    assert retrofitted.similarity("w1", "w2") > vectors.similarity("w1", "w2")


def test_bad_lexicons(tmp_path):
    vectors = make(4, 0)
    (tmp_path / "bad.txt").write_bytes(b"w1 w2\nw3 \xff\n")
    for lexicon, message in (
        (
            [("w1", "x"), ("w2", "w2")],
            "lexicon must relate two words that have vectors, got none among its 2",
        ),
        ({"w1": "w2"}, r"lexicon\['w1'\] must be .* got 'w2'"),
        ([("w1", "w2", "w3")], r"lexicon must be pairs of words, .* got \('w1', 'w2', 'w3'\)"),
        (["w1 w2"], "lexicon must be pairs of words, .* got 'w1 w2'"),
        (3, "lexicon must be a file, a dict or pairs of words, got 3"),
        (tmp_path / "bad.txt", "bad.txt, line 2: byte 4 is not UTF-8"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            fastvec.retrofit(vectors, lexicon)
    with pytest.raises(TypeError, match="vectors must be Vectors, got 3"):
        fastvec.retrofit(3, [("w1", "w2")])
    for wrong in ({"alpha": 0}, {"beta": -1}, {"iterations": -1}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
            fastvec.retrofit(vectors, [("w1", "w2")], **wrong)
