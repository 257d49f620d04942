"""Short texts: subsampling, which is for the frequent words of long ones, leaves them as they are."""

import doctest

import numpy as np
import pytest
from commands import succeed

import fastvec

pytestmark = pytest.mark.any_backend(trains=True)

VARIANTS = [
    (fastvec.SkipGram, {}, "skipgram"),
    (fastvec.SkipGram, {"loss": "hierarchical_softmax"}, "hierarchical_softmax"),
    (fastvec.SkipGram, {"loss": "softmax"}, "softmax"),
    (fastvec.CBOW, {}, "cbow"),
    (fastvec.FastText, {"buckets": 50}, "subword"),
    (fastvec.FastText, {"buckets": 50, "model": "cbow"}, "subword"),
    (fastvec.FastText, {"buckets": 50, "loss": "hierarchical_softmax"}, "ngram_tree"),
]
SENTENCES = [["the", "cat", "sat"], ["the", "dog", "ran"]]
CERTAIN = 2**32 - 1  # the threshold of a word that is always kept


def small(estimator, **params):
    return estimator(**{"vector_size": 8, "min_count": 1, "threads": 1} | params)


def probabilities(call):
    return (call["keep"] + 1.0) / 2**32


@pytest.mark.parametrize(("estimator", "own", "kernel"), VARIANTS, ids=str)
def test_two_sentences_are_trained_on_whatever_the_seed(estimator, own, kernel):
    is_cbow = estimator is fastvec.CBOW or own.get("model") == "cbow"
    for seed in range(20):
        model = small(estimator, epochs=3, seed=seed, **own).fit(SENTENCES)
        # All six words, with one or two contexts each.
        for epoch in model.history_:
            assert epoch.pairs == 6 if is_cbow else 8 <= epoch.pairs <= 12
        assert np.isfinite(model.history_[-1].loss)


@pytest.mark.parametrize(("estimator", "own", "kernel"), VARIANTS, ids=str)
@pytest.mark.parametrize("subsample", [1e-3, 1e-5])
def test_words_of_a_text_are_kept_up_to_the_fiftieth_time(estimator, own, kernel, subsample, watch):
    calls = watch(kernel)
    sentences = [["often", "fifty" if i % 4 == 0 else "more"] for i in range(200)]
    small(estimator, epochs=1, subsample=subsample, **own).fit(sentences)
    often, more, fifty = probabilities(calls[0])  # 200, 150 and 50 times
    assert fifty == 1
    assert 0.3 < often < more < 0.7


@pytest.mark.parametrize("subsample", [1e-3, 0.02, 0])
def test_longer_texts_are_subsampled_as_asked_for(subsample, watch):
    calls = watch("skipgram")
    words = np.random.default_rng(0).integers(10, size=20_000).astype(str).reshape(-1, 10).tolist()
    model = small(fastvec.SkipGram, subsample=subsample, epochs=1).fit(words)
    expected = model.vocabulary_.keep_probabilities(subsample)
    np.testing.assert_allclose(probabilities(calls[0]), expected, rtol=1e-6)
    assert (expected < 1).all() == (subsample > 0)


def test_further_training_on_a_short_text_keeps_it_whole(watch):
    model = small(fastvec.SkipGram, subsample=0.005, epochs=1)
    model.fit([["the", str(i % 30), "of", str(i % 7)] for i in range(5000)])
    assert model.vocabulary_.keep_probabilities(0.005)[0] < 0.2
    calls = watch("skipgram")
    for seed in range(10):
        model.set_params(seed=seed).fit([["the", "of", "unknown"]])
        assert model.history_[-1].pairs == 2
    assert (calls[0]["keep"] == CERTAIN)[:2].all()


def test_subsampling_that_leaves_next_to_nothing_is_told():
    sentences = [["a", "b", "c", "d"]] * 20_000
    message = r"subsample=0.0001 leaves 3\.2% of the 80,000 words of the text: a larger value leaves more"
    with pytest.warns(UserWarning, match=message) as caught:
        small(fastvec.SkipGram, subsample=1e-4, epochs=1).fit(sentences)
    assert caught[0].filename == __file__
    small(fastvec.SkipGram, subsample=1e-3, epochs=1).fit(sentences)  # leaves 6.7 %


def test_a_text_without_pairs_is_told_from_one_that_was_subsampled_away():
    with pytest.raises(ValueError, match="corpus must have a sentence with two words of the vocabulary, got"):
        small(fastvec.SkipGram).fit([["alone"], [], ["single"]])
    sentences = [["a"]] * 20_000 + [["a", "a"], []]
    with (
        pytest.raises(
            ValueError, match=r"subsample must leave two words in a sentence, got 1e-05, which did"
        ),
        pytest.warns(UserWarning, match="subsample=1e-05 leaves 3"),
    ):
        small(fastvec.SkipGram, subsample=1e-5, epochs=1).fit(sentences)


@pytest.mark.parametrize("model", ["skipgram", "cbow", "fasttext"])
def test_the_command_line_trains_on_two_sentences(model, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("the cat sat\nthe dog ran\n")
    options = ["--buckets", 50] if model == "fasttext" else []
    out = tmp_path / "out.fvec"
    succeed("train", text, "-o", out, "--model", model, "--min-count", 1, *options)
    assert len(fastvec.load(out)) == 5


def test_the_documented_example_of_load_model_is_not_luck(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = doctest.DocTestFinder().find(fastvec.load_model, globs={})
    source = "".join(part.source for part in example.examples)
    assert "threads=1)" in source
    for seed in range(12):
        exec(source.replace("threads=1)", f"threads=1, seed={seed})"), {})


@pytest.mark.parametrize("estimator", [fastvec.SkipGram, fastvec.CBOW])
@pytest.mark.parametrize(
    ("learning_rate", "last"), [(0.1, 1e-4), (1e-3, 1e-4), (5e-4, 5e-5), (5e-5, 5e-6), (1e-30, 1e-31)]
)
def test_a_small_learning_rate_needs_no_other_parameter(estimator, learning_rate, last):
    model = small(estimator, learning_rate=learning_rate, epochs=1)
    assert model.last_learning_rate() == pytest.approx(last, rel=1e-12)
    model.fit(SENTENCES)
    assert model.history_[-1].learning_rate == pytest.approx(last, rel=1e-6)
    assert model.vectors_.metadata["min_learning_rate"] == model.last_learning_rate()
