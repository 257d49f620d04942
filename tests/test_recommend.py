"""What models recommend: the distribution that sessions were drawn from, whatever training makes of it."""

import re

import numpy as np
import pytest

import fastvec
from fastvec import evaluate

pytestmark = pytest.mark.any_backend(trains=True)

# Pairs of items and how often they are bought together; a is the most popular one.
PAIRS = {"ab": 60, "ac": 30, "ad": 10, "bc": 20, "cd": 10, "de": 5, "ef": 3, "ce": 12}
ITEMS = "abcdef"
SMALL = {"vector_size": 8, "min_count": 1, "threads": 1}
LOSSES = ["negative_sampling", "bpr", "softmax", "hierarchical_softmax"]
BASKETS = [["bread", "butter", "jam"], ["bread", "butter"], ["beer", "crisps"], ["bread", "beer"]] * 20


def sessions():
    random = np.random.default_rng(0)
    pairs = [pair for pair, n in PAIRS.items() for _ in range(2 * n)]
    return [
        list(pair)[:: 1 if side else -1]
        for pair, side in zip(pairs, random.integers(2, size=len(pairs)), strict=True)
    ]


def given(item, loss):
    """How often each item is the other one of a pair with this, relative to all of these."""
    found = np.array([PAIRS.get(item + other, 0) + PAIRS.get(other + item, 0) for other in ITEMS])
    found = found / found.sum()
    if loss == "negative_sampling":  # no item is its own noise
        found = found / (1 - found)
    return found / found.sum()


@pytest.mark.parametrize(
    "own",
    [
        *({"loss": loss} for loss in LOSSES[1:]),
        *({"loss": "bpr", "noise_exponent": exponent} for exponent in (-0.5, 1.5)),
        *({"noise_exponent": exponent, "subsample": 0} for exponent in (-0.5, 0.75, 1.5)),
    ],
    ids=str,
)
def test_probabilities_are_those_of_the_sessions(own):
    random = np.random.default_rng(1)
    pairs = random.permutation(sessions()).tolist()
    model = fastvec.SkipGram(window=None, epochs=150, learning_rate=0.1, **SMALL, **own).fit(pairs)
    order = [ITEMS.index(item) for item in model.vocabulary_.words]
    for item in "abcd":
        found, expected = model.recommend([item], topn=None), given(item, model.loss)[order]
        assert found.sum() == pytest.approx(1)
        assert np.abs(found - expected).max() < 0.07, (item, found, expected)


def by_hand(model, hidden):
    """The probabilities that follow from the context's vector, the noise and what subsampling drops."""
    counts, total = model.vocabulary_.counts, model.vocabulary_.total
    kept = model.vocabulary_.keep_probabilities(max(1e-3, 0.382 * 50 / total))
    weights = np.exp(model.output_vectors_ @ hidden) * counts**model.noise_exponent / kept
    return weights / weights.sum()


@pytest.mark.parametrize(
    ("model", "weights"),
    [
        (fastvec.SkipGram(window=3), [0, 1 / 6, 2 / 6, 3 / 6]),
        (fastvec.SkipGram(window=2, dynamic_window=False), [0, 0, 1 / 2, 1 / 2]),
        (fastvec.SkipGram(window=None), [1 / 4] * 4),
        (fastvec.CBOW(window=2), [0, 0, 1 / 3, 2 / 3]),
        (fastvec.CBOW(window=2, pooling="sum"), [0, 0, 1 / 2, 1]),
        (fastvec.CBOW(window=None, pooling="sum"), [1] * 4),
    ],
    ids=str,
)
def test_the_last_items_count_as_in_training(model, weights):
    model = model.set_params(**SMALL).fit(BASKETS)
    session = ["jam", "bread", "crisps", "butter"]
    hidden = weights @ model.vectors_[session].astype(np.float64)
    # what is unknown has no place
    found = model.recommend(["jam", "bread", "unknown", "crisps", "butter"], topn=None)
    np.testing.assert_allclose(found, by_hand(model, hidden), rtol=1e-5)


def test_places_before_the_next_item_have_weights():
    model = fastvec.CBOW(window=3, position_weights=True, epochs=20, **SMALL).fit(BASKETS)
    x, weights = model.vectors_, model.position_weights_
    hidden = (x["bread"] * weights[1] * 2 + x["jam"] * weights[2] * 3) / 5
    found = model.recommend(["bread", "jam"], topn=None)
    np.testing.assert_allclose(found, by_hand(model, hidden), rtol=1e-5)


@pytest.mark.parametrize("kind", ["skipgram", "cbow"])
def test_new_items_with_ngrams_are_sessions(kind):
    model = fastvec.FastText(model=kind, buckets=100, window=2, **SMALL).fit(BASKETS)
    x, n = model.vectors_, [1, 1]
    if kind == "cbow":  # every n-gram, and the item itself if it is known, is a part of the mean
        n = [len(x.ngrams("breads")), len(x.ngrams("jam")) + 1]
    hidden = (x["breads"] * n[0] + 2 * x["jam"] * n[1]) / (n[0] + 2 * n[1])
    found = model.recommend(["breads", "jam"], topn=None)
    np.testing.assert_allclose(found, by_hand(model, hidden), rtol=1e-4)


def test_the_first_ones_are_returned():
    model = fastvec.SkipGram(window=None, epochs=20, **SMALL).fit(BASKETS)
    every = model.recommend(["bread", "jam"], topn=None)
    order = np.argsort(-every)
    assert model.recommend(["bread", "jam"], topn=2) == [
        (model.vocabulary_.words[i], pytest.approx(every[i])) for i in order[:2]
    ]
    left = model.recommend(["bread", "jam", "unknown"], exclude_seen=True)
    assert {item for item, _ in left} == {"butter", "beer", "crisps"}
    assert sum(probability for _, probability in left) == pytest.approx(1)
    assert model.recommend(model.vocabulary_.words, exclude_seen=True) == []
    assert not model.recommend(model.vocabulary_.words, topn=None, exclude_seen=True).any()


def test_items_that_differ_in_their_tags_share_a_probability():
    corpus = fastvec.Corpus(BASKETS, tag=[int(i % 8 < 2) for i in range(80)], tag_words=["bread"])
    model = fastvec.SkipGram(epochs=5, **SMALL).fit(corpus)
    found = dict(model.recommend(["butter"], topn=10))
    counts = dict(zip(model.vocabulary_.words, model.vocabulary_.counts, strict=True))
    assert set(found) == set(counts) and sum(found.values()) == pytest.approx(1)
    assert found["bread_1"] / found["bread_0"] == pytest.approx(counts["bread_1"] / counts["bread_0"])


def test_a_saved_model_recommends_the_same(tmp_path):
    model = fastvec.SkipGram(window=2, noise_exponent=0.5, **SMALL).fit(BASKETS)
    model.save(tmp_path / "model.fvec")
    loaded = fastvec.load_model(tmp_path / "model.fvec")
    assert loaded.recommend(["bread"]) == model.recommend(["bread"])
    # what was used in training counts, not what is set later
    assert loaded.set_params(noise_exponent=2.0, window=1).recommend(["bread"]) == model.recommend(["bread"])


@pytest.mark.parametrize(
    ("session", "more", "error", "message"),
    [
        ("bread", {}, TypeError, "session must be a list of items, got 'bread'"),
        (b"bread", {}, TypeError, "session must be a list of items, got b'bread'"),
        (None, {}, TypeError, "session must be a list of items, got None"),
        ([None], {}, TypeError, "session must be a str or an int, got None"),
        (["tea"], {}, ValueError, "session must have an item that the model knows, got ['tea']"),
        ([], {}, ValueError, "session must have an item that the model knows, got []"),
        (["bread"], {"topn": 0}, ValueError, "topn must be an int >= 1, got 0"),
        (["bread"], {"exclude_seen": 1}, TypeError, "exclude_seen must be"),
    ],
)  # fmt: skip
def test_errors(session, more, error, message):
    model = fastvec.SkipGram(epochs=1, **SMALL).fit(BASKETS)
    with pytest.raises(error, match=re.escape(message)):
        model.recommend(session, **more)
    with pytest.raises(AttributeError, match="recommend"):
        fastvec.SkipGram().recommend(session)


def test_models_are_asked_for_the_next_item():
    """Popular items are bought with everything; cosines do not know that, and the model does."""
    random = np.random.default_rng(2)
    shelves, popular = random.integers(4, size=240), random.random(240) < 0.8
    baskets = [
        [*(10 * shelf + random.permutation(5)[:2] + 1).tolist(), 0 if often else 100]
        for shelf, often in zip(shelves, popular, strict=True)
    ]
    sessions = [random.permutation(basket).tolist() for basket in baskets]
    training = evaluate.split_sessions(sessions).training
    model = fastvec.SkipGram(window=None, epochs=40, learning_rate=0.1, **SMALL).fit(training)
    result = evaluate.next_item(model, sessions, k=5, exclude_seen=True)
    cosines = evaluate.next_item(model.vectors_, sessions, k=5, exclude_seen=True)
    assert result.baselines == cosines.baselines
    assert (result.vectors.name, cosines.vectors.name) == ("model", "vectors")
    assert result.vectors.hit_rate[5] > max(0.9, cosines.vectors.hit_rate[5] + 0.1)
    hits = 0
    for *before, answer in sessions:
        every = model.recommend(before, topn=None, exclude_seen=True)
        hits += (every >= every[model.vectors_.index(answer)]).sum() <= 5
    assert result.vectors.hit_rate[5] == hits / len(sessions)


def test_items_without_vectors_are_answered_wrongly_by_models_too():
    sessions = [["a", "b", "a"], ["c", "a"], ["c", "b", "c"], ["a", "b"]]
    training = evaluate.split_sessions(sessions).training
    model = fastvec.SkipGram(drop=["c"], epochs=1, **SMALL).fit(training)
    result = evaluate.next_item(model, sessions, k=3)
    # a after ab and after c, c after cb, b after a
    assert (result.questions, result.covered) == (4, 2)
    assert result.vectors.hit_rate == {3: 0.5}


def test_next_item_takes_models_and_nothing_else():
    with pytest.raises(
        TypeError, match="vectors must be Vectors or a fitted SkipGram, CBOW or FastText, got"
    ):
        evaluate.next_item({"a": [1]}, BASKETS)
    with pytest.raises(AttributeError, match="vectors_"):
        evaluate.next_item(fastvec.SkipGram(), BASKETS)
    model = fastvec.SkipGram(epochs=1, **SMALL).fit(BASKETS)
    with pytest.raises(ValueError, match="output_vectors must be None for a model"):
        evaluate.next_item(model, BASKETS, output_vectors=model.output_vectors_)
