"""The word mover's distance is gensim's, on real sentences."""

import numpy as np
import pytest

import fastvec
from fastvec import demo

reason = "needs the extra test-interop"
pytest.importorskip("ot", reason=reason)
KeyedVectors = pytest.importorskip("gensim.models", reason=reason).KeyedVectors

pytestmark = pytest.mark.any_backend


@pytest.fixture(scope="module")
def sentences():
    long_enough = (words for words in demo.sentences() if 5 <= len(words) <= 40)
    return [words for words, _ in zip(long_enough, range(60), strict=False)]


@pytest.fixture(scope="module")
def vectors(sentences):
    words = sorted({word for words in sentences for word in words[: len(words) - 1]})
    random = np.random.default_rng(0)
    return fastvec.Vectors(
        words, random.standard_normal((len(words), 20)) * random.uniform(1, 5, (len(words), 1))
    )


@pytest.mark.parametrize("unit", [True, False])
def test_distances_are_gensims(vectors, sentences, unit):
    theirs = KeyedVectors(20)
    theirs.add_vectors(vectors.words, vectors.vectors)
    for a, b in zip(sentences[::2], sentences[1::2], strict=True):
        found = vectors.word_movers_distance(a, b, unit=unit, unknown="skip")
        assert found == pytest.approx(theirs.wmdistance(a, b, norm=unit), abs=1e-6)
        assert found == pytest.approx(vectors.word_movers_distance(b, a, unit=unit, unknown="skip"))


def test_distances_that_are_plain():
    vectors = fastvec.Vectors(["a", "b", "c", "d"], [[0, 3], [4, 0], [0, 6], [4, 0]])
    distance = vectors.word_movers_distance
    assert distance(["a"], ["b"], unit=False) == pytest.approx(5)
    assert distance(["a"], ["b"]) == pytest.approx(np.sqrt(2))
    assert distance(["a", "a", "b"], ["b"], unit=False) == pytest.approx(10 / 3)
    assert distance(["a", "b"], ["b", "a"]) == 0
    assert distance(["b"], ["d"]) == 0  # where gensim has inf
    assert distance(["a", "c"], ["c"]) == pytest.approx(0, abs=1e-7)
    assert distance(["unheard"], ["a"], unknown="skip") == np.inf
    with pytest.raises(KeyError, match="'unheard' is not among"):
        distance(["unheard"], ["a"])


def test_ngrams_and_long_texts():
    rows = np.random.default_rng(0).standard_normal((2 + 50, 8))
    vectors = fastvec.SubwordVectors(["house", "garden"], rows, fastvec.vectors.Subwords(3, 4, 50))
    assert vectors.word_movers_distance(["house", "gardener"], ["garden", "houses"]) > 0
    a, b = ([f"{letter}word{i}" for i in range(700)] for letter in "ab")
    assert 0 < vectors.word_movers_distance(a, b) < 2
