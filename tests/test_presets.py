"""Presets are parameters that models take; noise below an exponent of 0 is drawn as it says."""

import re

import numpy as np
import pytest

import fastvec
from fastvec import presets

pytestmark = pytest.mark.any_backend(trains=True)


@pytest.mark.parametrize("preset", [presets.items(), presets.nodes(), presets.kmers(), presets.text(1000)])
def test_models_take_them(preset):
    for estimator in (fastvec.SkipGram, fastvec.CBOW):
        model = estimator(**{**preset, "epochs": 2, "threads": 1}).fit([["a", "b", "c"]] * 10)
        assert model.get_params().items() >= {**preset, "epochs": 2}.items()


@pytest.mark.parametrize(
    ("size", "epochs", "vector_size", "negatives"),
    [(1, 40, 100, 15), (5_000_000, 10, 100, 15), (99_999_999, 5, 100, 15), (10**8, 5, 300, 5)],
)
def test_texts_have_parameters_of_their_size(size, epochs, vector_size, negatives):
    preset = presets.text(size)
    assert (preset["epochs"], preset["vector_size"], preset["negatives"]) == (epochs, vector_size, negatives)


@pytest.mark.parametrize(("size", "error"), [(0, ValueError), (1.5, TypeError)])
def test_a_size_is_a_number_of_words(size, error):
    with pytest.raises(error, match=re.escape(f"size must be an int >= 1, got {size}")):
        presets.text(size)


def test_a_change_is_nobody_elses():
    presets.items()["epochs"] = 1
    assert presets.items()["epochs"] == 110


@pytest.mark.parametrize("noise_exponent", [-1.0, -0.5, 0.75])
def test_noise_is_drawn_by_its_exponent(noise_exponent):
    """By how far the output vectors of words have moved in very small steps."""
    step, negatives, counts = 1e-6, 3, np.array([1600, 400, 100, 25])
    text = [[word, 9] for word, count in enumerate(counts.tolist()) for _ in range(count)]
    words = [*range(4), 9]
    model = fastvec.SkipGram(
        vector_size=5, window=1, negatives=negatives, min_count=1, subsample=0, negative_sharing="none",
        learning_rate=step, min_learning_rate=step, epochs=4, threads=1, noise_exponent=noise_exponent,
    ).fit(text, start_from=fastvec.Vectors(words, np.eye(5)))  # fmt: skip
    outputs = model.output_vectors_[[model.vocabulary_.index[str(word)] for word in words]]
    centres = 4.0 * np.append(counts, counts.sum())
    # half a step for every pair that a word is the centre of, less that whenever it was noise for others
    drawn = centres - outputs.astype(np.float64).sum(axis=1) * 2 / step
    probabilities = centres**noise_exponent / (centres**noise_exponent).sum()
    expected = negatives * probabilities * (centres.sum() - centres)
    assert ((drawn - expected) ** 2 / expected).sum() < 20.5  # of five numbers: one in a thousand
