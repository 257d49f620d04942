"""Vectors of new words from those around them: least squares by hand, and what is planted."""

import re

import numpy as np
import pytest
from inside import set_sizes

import fastvec
from fastvec import SubwordVectors, Vectors, infer

pytestmark = pytest.mark.any_backend(trains=True)

RANDOM = np.random.default_rng(5)
WORDS = [f"w{i}" for i in range(30)]
TEXT = [RANDOM.choice([*WORDS, "new", "rare"], size=RANDOM.integers(1, 12)).tolist() for _ in range(80)]
VECTORS = Vectors(WORDS, RANDOM.normal(size=(30, 3)).astype(np.float32))


def means(window):
    """The mean of the vectors of the known words around each word of the text, and how often it is there."""
    around, counts = {}, {}
    for sentence in TEXT:
        for i, word in enumerate(sentence):
            counts[word] = counts.get(word, 0) + 1
            reach = len(sentence) if window is None else window
            others = sentence[max(0, i - reach) : i] + sentence[i + 1 : i + 1 + reach]
            around.setdefault(word, []).extend(VECTORS[other] for other in others if other in VECTORS)
    return {word: np.mean(each, axis=0, dtype=np.float64) for word, each in around.items() if each}, counts


@pytest.mark.parametrize("window", [1, 3, None])
@pytest.mark.parametrize("words_at_once", [1, 50, 100_000])
def test_the_map_is_that_of_weighted_least_squares(monkeypatch, window, words_at_once):
    set_sizes(monkeypatch, words_at_once=words_at_once)
    u, counts = means(window)
    known = [word for word in WORDS if word in u]
    weights = np.array([np.log(1 + counts[word]) for word in known])
    inputs = np.array([[*u[word], 1] for word in known])
    centred = inputs[:, :3] - np.average(inputs[:, :3], axis=0, weights=weights)
    penalty = 0.01 * (weights @ centred**2).mean()
    rows = np.concatenate((inputs * np.sqrt(weights)[:, None], np.sqrt(penalty) * np.eye(4)[:3]))
    targets = np.concatenate((VECTORS[known] * np.sqrt(weights)[:, None], np.zeros((3, 3))))
    solution = np.linalg.lstsq(rows, targets, rcond=None)[0]
    found = infer(VECTORS, TEXT, window=window)
    assert found.words[:30] == WORDS and set(found.words[30:]) == {"new", "rare"}
    np.testing.assert_array_equal(found.vectors[:30], VECTORS.vectors)
    for word in ("new", "rare"):
        np.testing.assert_allclose(found[word], [*u[word], 1] @ solution, rtol=1e-4, atol=1e-5)


def test_what_cannot_be_inferred_is_left_out():
    text = [*TEXT, ["alone"], ["unknown", "words"], ["once", "w1"]]
    assert set(infer(VECTORS, text).words[30:]) == {"new", "rare", "once"}
    assert set(infer(VECTORS, text, min_count=2).words[30:]) == {"new", "rare"}
    assert infer(VECTORS, [sentence for sentence in TEXT if not {"new", "rare"} & {*sentence}]).words == WORDS


def test_few_known_words_give_finite_vectors():
    found = infer(VECTORS, [["w1", "new", "w2"]])
    assert np.isfinite(found["new"]).all()


def test_items_may_be_numbers_and_have_counts():
    vectors = Vectors([7, 9], [[1, 0], [0, 1]], [5, 4])
    found = infer(vectors, [[7, 8], [9, 7], [8, 7, 9]], window=None)
    assert (found.words, found.counts.tolist()) == ([7, 9, 8], [5, 4, 0])


def test_words_with_ngrams_are_new_if_they_are_no_words_yet():
    model = fastvec.FastText(vector_size=4, min_count=1, buckets=50, epochs=1, threads=1)
    vectors = model.fit([sentence for sentence in TEXT if "new" not in sentence]).vectors_
    found = infer(vectors, TEXT)
    assert isinstance(found, SubwordVectors) and found.words[-1] == "new"
    assert not np.allclose(found["new"], vectors["new"])
    np.testing.assert_array_equal(found["unseen"], vectors["unseen"])


def test_new_items_are_near_those_of_their_shelf():
    random = np.random.default_rng(0)
    shelves = random.integers(5, size=400)
    sessions = [(10 * shelf + random.permutation(10)[:4]).tolist() for shelf in shelves]
    new = [10 * shelf for shelf in range(5)]
    known = [[item for item in session if item not in new] for session in sessions]
    model = fastvec.SkipGram(vector_size=8, window=None, min_count=1, epochs=20, threads=1).fit(known)
    vectors = infer(model.vectors_, sessions, window=None)
    for item in new:
        nearest = [other for other, _ in vectors.most_similar(item, topn=9)]
        assert {other // 10 for other in nearest} == {item // 10}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            ({"a": [1]}, TEXT),
            TypeError,
            "vectors must be Vectors, got {'a': [1]}: pass the vectors_ of a model",
        ),
        ((VECTORS, [["w1"], ["new", "rare"]]), ValueError, "corpus must have known words with others around"),
    ],
)
def test_errors(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        infer(*arguments)


def test_a_window_may_exceed_every_number_of_the_machine():
    assert (infer(VECTORS, TEXT, window=10**30).vectors == infer(VECTORS, TEXT, window=None).vectors).all()


@pytest.mark.parametrize("wrong", [{"window": 0}, {"min_count": 0}])
def test_wrong_parameters(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name} must be an int >= 1, got 0"):
        infer(VECTORS, TEXT, **wrong)
