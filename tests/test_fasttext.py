"""The estimator with n-grams: unknown words, fastText's defaults, and what it refuses."""

import numpy as np
import pytest
from peers import fasttext

import fastvec


def small(**params):
    defaults = {"vector_size": 20, "min_count": 1, "threads": 1, "epochs": 3, "buckets": 300, "subsample": 0}
    return fastvec.FastText(**{**defaults, **params})


def spelled():
    """Sentences of one language each, whose words have its ending."""
    random = np.random.default_rng(4)
    stems = ["".join(random.choice(list("bdfgklmnprst"), 4)) for _ in range(40)]
    for _ in range(60):
        ending = random.choice(["ando", "ische", "ovna"])
        yield [f"{stem}{ending}" for stem in random.choice(stems, 8)]


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_unknown_words_are_near_those_of_their_kind(model):
    vectors = small(model=model, epochs=4, buckets=2000).fit(spelled()).vectors_
    assert isinstance(vectors, fastvec.SubwordVectors)
    for ending in ("ando", "ische", "ovna"):
        unseen = f"wuxi{ending}"
        assert unseen not in vectors
        near = [word for word, _ in vectors.most_similar(unseen, topn=10)]
        assert sum(word.endswith(ending) for word in near) >= 9, near


@pytest.mark.any_backend(trains=True)
def test_rows_start_uniform_as_those_of_fasttext_do(topics):
    model = small(learning_rate=1e-30).fit(topics(40))
    rows = model.input_vectors_
    assert rows.shape == (39 + 300, 20)
    np.testing.assert_allclose([rows.min(), rows.max()], [-1 / 20, 1 / 20], rtol=0.01)
    assert abs(rows.mean()) < 0.001
    assert rows.std() == pytest.approx(2 / 20 / 12**0.5, rel=0.02)
    np.testing.assert_allclose(model.output_vectors_, 0, atol=1e-20)


@pytest.mark.any_backend(trains=True)
def test_the_vectors_are_the_means_of_their_rows(topics):
    model = small().fit(topics(40))
    offsets, rows = model.vectors_.subwords.rows(model.vocabulary_.words)
    assert len(rows) > 2 * len(model.vocabulary_)
    for i in (0, 7, 38):
        mean = model.input_vectors_[rows[offsets[i] : offsets[i + 1]]].mean(axis=0)
        np.testing.assert_allclose(model.vectors_.vectors[i], mean, atol=1e-6)


@pytest.mark.any_backend(trains=True)
def test_defaults_are_fasttexts():
    ours = fastvec.FastText().get_params()
    theirs = fasttext.FastText.unsupervised_default | {"maxn": 6}
    names = {"vector_size": "dim", "window": "ws", "negatives": "neg", "min_count": "minCount"}
    names |= {"learning_rate": "lr", "subsample": "t", "model": "model"}
    names |= {"min_n": "minn", "max_n": "maxn", "buckets": "bucket"}
    ours["learning_rate"] = fastvec.FastText().first_learning_rate()
    assert {name: ours[name] for name in names} == {name: theirs[their] for name, their in names.items()}


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize("params", [{}, {"min_n": 0}, {"min_n": 0, "buckets": 0}, {"buckets": 7}])
def test_words_without_ngrams_have_rows_for_words_alone(topics, tmp_path, params):
    model = fastvec.FastText(max_n=0, min_count=1, vector_size=4, subsample=0, epochs=1, threads=1, **params)
    vectors = model.fit(topics(40)).vectors_
    assert model.input_vectors_.shape == (39, 4)
    np.testing.assert_allclose(vectors.vectors, model.input_vectors_, atol=1e-7)
    with pytest.raises(fastvec.UnknownWordError):
        _ = vectors["unseen"]
    for extension in ("fvec", "bin"):
        model.save(tmp_path / f"model.{extension}")
        again = fastvec.load_model(tmp_path / f"model.{extension}")
        np.testing.assert_array_equal(again.vectors_.vectors, vectors.vectors)
        assert again.fit(topics(5)).input_vectors_.shape == (39, 4)


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize("learning_rate", [0.05, 0.2])
@pytest.mark.parametrize(
    ("model", "scale_gradient"), [("skipgram", False), ("skipgram", True), ("cbow", True)]
)
def test_words_of_one_repeated_character_do_not_diverge(model, scale_gradient, learning_rate):
    """fastText ends with NaN here: it moves the mean 34 times too far, as reference/subword.py derives."""
    text = [["the", "old", "x" * 40, "house", "is", "here"]] * 60
    params = {"model": model, "scale_gradient": scale_gradient, "learning_rate": learning_rate}
    fitted = small(vector_size=8, epochs=5, buckets=1000, **params).fit(text)
    assert np.linalg.norm(fitted.vectors_.vectors, axis=1).max() < 15
    assert fitted.history_[-1].loss < 3 < 6 * np.log(2)


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_words_with_the_same_ngrams_do_not_diverge(model):
    """Runs of 21 to 60 equal characters share all their n-grams, and fill each other's windows."""
    random = np.random.default_rng(0)
    text = [["-" * n for n in random.integers(21, 61, 10)] for _ in range(60)]
    vectors = small(model=model, learning_rate=0.2).fit(text).vectors_
    assert np.linalg.norm(vectors.vectors, axis=1).max() < 5
