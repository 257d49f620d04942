"""How far words have moved: both measures, and p-values that are right where nothing has moved."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.stats import false_discovery_control, kstest

import fastvec
from fastvec.vectors import UnknownWordError, Vectors

pytestmark = pytest.mark.any_backend(trains=True)

N_WORDS, D = 400, 12
WORDS = [f"w{i}" for i in range(N_WORDS)]


def unit(matrix):
    return matrix / np.linalg.norm(matrix, axis=-1, keepdims=True)


def turned(matrix, generator):
    return matrix @ np.linalg.qr(generator.standard_normal((matrix.shape[1],) * 2))[0]


def two(seed=0, n=60):
    """Return vectors of two trainings, whose words are in other orders and not all the same."""
    generator = np.random.default_rng(seed)
    matrix = generator.standard_normal((n, D))
    other = turned(matrix + 0.3 * generator.standard_normal((n, D)), generator)
    return Vectors([*WORDS[:n], "a"], [*matrix, matrix[0]]), Vectors(
        ["b", *WORDS[:n]][::-1], [*other[::-1], other[0]]
    )


def runs(n_a=5, n_b=5, moved=0, seed=0):
    """Return runs of both sides, whose words vary more or less, on one side more than on the other.

    The first words, so many, have other expectations on the second side.
    """
    generator = np.random.default_rng(seed)
    truth = unit(generator.standard_normal((N_WORDS, D)))
    other = truth.copy()
    other[:moved] = unit(generator.standard_normal((moved, D)))
    noise = 0.02 + 0.06 * generator.random((2, N_WORDS, 1))
    return [
        [Vectors(WORDS, 3 * turned(m + s * generator.standard_normal(m.shape), generator)) for _ in range(n)]
        for m, s, n in ((truth, noise[0], n_a), (other, noise[1], n_b))
    ]


# ---- Distances and neighbors -------------------------------------------------------------------------------


@pytest.mark.parametrize("anchors", [WORDS[:60], WORDS[5:40]])
def test_distances_are_those_after_scipys_alignment(anchors):
    a, b = two()
    found = fastvec.drift(a, b, anchors=anchors)
    turn, _ = orthogonal_procrustes(unit(b[anchors]), unit(a[anchors]))
    cosines = (unit(b[WORDS[:60]]) @ turn * unit(a[WORDS[:60]])).sum(axis=1)
    assert {row.word for row in found} == {*WORDS[:60]}
    for row in found:
        assert row.distance == pytest.approx(1 - cosines[WORDS.index(row.word)], abs=1e-5)
    distances = [row.distance for row in found]
    assert distances == sorted(distances, reverse=True)
    aligned = b.align(a, [(word, word) for word in anchors])
    again = {row.word: row.distance for row in fastvec.drift(aligned, a, align=False)}
    assert again == pytest.approx({row.word: row.distance for row in found}, abs=1e-5)


def test_words_that_moved_do_not_turn_the_others():
    generator = np.random.default_rng(2)
    matrix = generator.standard_normal((50, D))
    other = matrix.copy()
    other[:20] = generator.standard_normal((20, D))
    found = fastvec.drift(Vectors(WORDS[:50], matrix), Vectors(WORDS[:50], turned(other, generator)))
    assert {row.word for row in found[:20]} == {*WORDS[:20]}
    assert found[19].distance > 0.05
    assert found[20].distance < 1e-5


def test_neighbors_are_among_the_words_of_both():
    a, b = two()
    common = WORDS[:60]
    for row in fastvec.drift(a, b, neighbors=7):
        near_a, near_b = (
            [word for word, _ in v.subset(common).most_similar(row.word, topn=7)] for v in (a, b)
        )
        assert row.overlap == pytest.approx(len({*near_a} & {*near_b}) / 7)
        assert row.neighbors_a == tuple(near_a[:5])
        assert row.neighbors_b == tuple(near_b[:5])
    assert {row.overlap for row in fastvec.drift(a, a, neighbors=59)} == {1.0}
    assert {round(6 * row.overlap, 9) % 1 for row in fastvec.drift(a, b)} == {0}  # a tenth of 60 words


def test_vectors_that_are_comparable_as_they_are():
    a, b = two()
    for row in fastvec.drift(a, b, align=False):
        assert row.distance == pytest.approx(1 - unit(a[row.word]) @ unit(b[row.word]), abs=1e-5)


def test_some_words():
    a, b = two()
    every = {row.word: row[:3] for row in fastvec.drift(a, b)}
    some = {row.word: row[:3] for row in fastvec.drift(a, b, words=["w7", "w3", "w7"])}
    assert some == {word: every[word] for word in ("w3", "w7")}
    assert {row.word for row in fastvec.drift(a, b, words=9)} == {*WORDS[:9]}
    ids = [Vectors(range(9), v[WORDS[:9]]) for v in (a, b)]
    assert {row.word for row in fastvec.drift(*ids, words=[3, "4"])} == {3, 4}


# ---- P-values ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_a", "n_b", "least"), [(5, 7, 0.03), (3, 3, 0.01)])
def test_p_values_are_uniform_where_nothing_moved(n_a, n_b, least):
    p = [row.p_value for seed in range(2) for row in fastvec.drift(*runs(n_a, n_b, seed=seed))]
    assert least < np.mean(np.less(p, 0.05)) < 0.075
    assert kstest(p, "uniform").statistic < 0.1


def test_few_of_what_is_found_has_not_moved():
    n_moved = 120  # which would turn the others if all were anchors
    found = fastvec.drift(*runs(moved=n_moved))
    significant = found.significant()
    true = sum(row.word in WORDS[:n_moved] for row in significant)
    assert true == n_moved
    assert len(significant) - true <= 12
    of_others = np.array([row.p_value for row in found if row.word not in WORDS[:n_moved]])
    assert 0.02 < (of_others < 0.05).mean() < 0.08
    p, q = ([getattr(row, name) for row in found] for name in ("p_value", "q_value"))
    assert p == sorted(p)
    np.testing.assert_allclose(q, false_discovery_control(p), rtol=1e-12)
    assert len(found.significant(0)) == 0
    assert len(found.significant(1)) == N_WORDS


def test_the_same_seed_gives_the_same_p_values_and_runs_have_no_order():
    a, b = runs(moved=20)
    found = fastvec.drift(a, b)
    assert list(fastvec.drift(a, b)) == list(found)
    assert [row.p_value for row in fastvec.drift(a, b, seed=2)] != [row.p_value for row in found]
    again = {row.word: row.distance for row in fastvec.drift(a[::-1], b[1:] + b[:1])}
    assert again == pytest.approx({row.word: row.distance for row in found}, abs=1e-4)


def test_words_that_never_vary_have_not_moved():
    a, b = runs(3, 3)
    same = np.ones((2, D))
    sides = [[Vectors([*WORDS, "x", "y"], [*v.vectors, *same]) for v in side] for side in (a, b)]
    found = fastvec.drift(*sides, align=False)
    assert {row.p_value for row in found if row.word in ("x", "y")} == {1.0}


# ---- Texts -------------------------------------------------------------------------------------------------


def text(generator, n_sentences, swapped=()):
    """Return sentences of four topics; each word has one, and those that are swapped the next word's."""
    for _ in range(n_sentences):
        topic = generator.integers(4)
        words = (4 * generator.integers(12, size=9) + topic) % 48
        yield [
            f"w{word - 1 if word - 1 in swapped else word + 1 if word in swapped else word}" for word in words
        ]


def test_planted_words_are_found_in_texts():
    generator = np.random.default_rng(1)
    old, new = [*text(generator, 900)], [*text(generator, 900, swapped=(8, 21))]
    model = fastvec.SkipGram(vector_size=12, min_count=1, epochs=6, learning_rate=0.1, threads=1)
    found = fastvec.drift(old, fastvec.Corpus(new), model=model, runs=3)
    assert {row.word for row in found[:4]} == {"w8", "w9", "w21", "w22"}
    assert {row.word for row in found.significant()} >= {"w8", "w9", "w21", "w22"}
    assert len(found.significant()) <= 6
    assert not hasattr(model, "vectors_")
    with pytest.raises(ValueError, match=r"words for each of 5 parts, got Corpus\(3 sentences"):
        fastvec.drift(old[:3], new, model=model)


# ---- Showing, and what cannot be compared ------------------------------------------------------------------


def test_a_table():
    a, b = two()
    found = fastvec.drift(a, b)
    assert repr(found) == "Drift(60 words)"
    lines = str(found).splitlines()
    assert lines[0].split() == ["word", "distance", "overlap", "neighbors"]
    assert len(lines) == 22
    assert lines[-1] == "... and 40 more"
    assert lines[1].startswith(f"{found[0].word:4}  {found[0].distance:8.3f}  {found[0].overlap:7.2f}  ")
    assert lines[1].endswith(f"{', '.join(found[0].neighbors_a)} → {', '.join(found[0].neighbors_b)}")
    assert len(found.table(60).splitlines()) == 61
    assert str(fastvec.drift(*runs(3, 3))).split()[:5] == ["word", "distance", "overlap", "p", "q"]
    assert found[:3][2] == found[2] == [*found][2]
    assert not found.significant()
    assert str(found.significant()) == "Drift(0 words)"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"a": "old"}, TypeError, "a must be Vectors or a list of them, got 'old': texts need model"),
        ({"b": []}, ValueError, "b must have vectors, got none"),
        ({"b": runs(3)[0]}, ValueError, "must have one run each, or 3 at least, got 1 and 3"),
        ({"b": Vectors(WORDS[:2], np.eye(2))}, ValueError, r"same number of dimensions, got \[2, 12\]"),
        ({"b": Vectors(["w1", "x"], np.ones((2, D)))}, ValueError, "two words in common, got 1"),
        ({"words": ["a"]}, UnknownWordError, "'a' is not among the 60 words"),
        ({"words": []}, ValueError, "words must have a word, got none"),
        ({"words": 0}, ValueError, "words must be an int >= 1, got 0"),
        ({"anchors": ["w1", "b"]}, UnknownWordError, "'b' is not among the 60 words"),
        ({"anchors": "w1"}, TypeError, "anchors must be a list of words, got 'w1'"),
        ({"neighbors": 60}, ValueError, "neighbors must be an int from 1 to 59, got 60"),
        ({"align": 1}, TypeError, "align must be"),
        ({"seed": -1}, ValueError, "seed must be an int >= 0, got -1"),
        ({"runs": 2}, ValueError, "runs must be an int >= 3, got 2"),
        ({"model": "cbow"}, TypeError, "model must be a model of words, such as fastvec.SkipGram"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared(change, error, message):
    a, b = two()
    with pytest.raises(error, match=message):
        fastvec.drift(**{"a": a, "b": b} | change)
