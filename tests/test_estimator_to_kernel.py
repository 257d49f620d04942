"""What an estimator hands to its kernel is what it was asked for.

The parameters of a model say what was asked for, and so does its record; what was done shows in the arguments
with which the kernel was called, held here to the formulas of word2vec.c, fastText and GloVe.
"""

import inspect
from itertools import groupby, pairwise

import numpy as np
import pytest
from draws import implied_probabilities
from inside import HuffmanTree, results_of, set_sizes

import fastvec
from fastvec import kernels

pytestmark = pytest.mark.any_backend(trains=True)

N_WORDS = 40
# A model, its own parameters, its kernel and what is passed on to the kernel.
MODELS = [
    (fastvec.SkipGram, {"negative_sharing": "window"}, "skipgram", {"shared": True}),
    (fastvec.SkipGram, {"negative_sharing": "none"}, "skipgram", {"shared": False}),
    *[
        (fastvec.SkipGram, {"loss": loss}, loss, {"cbow": False, "mean": True, "scale_gradient": True})
        for loss in ("hierarchical_softmax", "softmax")
    ],
    *[
        (fastvec.CBOW, {"loss": loss, "scale_gradient": scale}, loss, {"cbow": True, "scale_gradient": scale})
        for loss in ("hierarchical_softmax", "softmax")
        for scale in (True, False)
    ],
    *[
        (
            fastvec.CBOW,
            {"scale_gradient": scale, "position_weights": weights},
            "cbow",
            {"scale_gradient": scale},
        )
        for scale in (True, False)
        for weights in (True, False)
    ],
    *[
        (fastvec.CBOW, {"loss": loss, "pooling": "sum"}, loss, {"mean": False, "scale_gradient": True})
        for loss in ("hierarchical_softmax", "softmax")
    ],
    (fastvec.CBOW, {"pooling": "sum", "position_weights": True}, "cbow", {"mean": False}),
    (fastvec.FastText, {"model": "cbow", "pooling": "sum", "buckets": 50}, "subword", {"mean": False}),
    *[
        (
            fastvec.FastText,
            {"loss": "hierarchical_softmax", "model": model, "min_n": 2, "max_n": 3, "buckets": 50},
            "ngram_tree",
            {"cbow": model == "cbow", "mean": True, "scale_gradient": False},
        )
        for model in ("skipgram", "cbow")
    ],
    *[
        (
            fastvec.FastText,
            {"model": model, "scale_gradient": scale, "min_n": 2, "max_n": 3, "buckets": 50},
            "subword",
            {"cbow": model == "cbow", "scale_gradient": scale},
        )
        for model in ("skipgram", "cbow")
        for scale in (True, False)
    ],
]
GIVEN = {
    "vector_size": 4,
    "window": 3,
    "negatives": 7,
    "min_count": 2,
    "subsample": 0.02,
    "noise_exponent": 0.4,
    "learning_rate": 0.08,
    "min_learning_rate": 0.02,
    "epochs": 3,
    "threads": 1,
    "seed": 5,
}


@pytest.fixture(scope="module")
def corpus():
    """2011 tokens of words that are more frequent the smaller their number, in sentences of 11."""
    words = [f"w{int(N_WORDS * x**3)}" for x in np.random.default_rng(0).random(2011)]
    return fastvec.Corpus([words[i : i + 11] for i in range(0, len(words), 11)])


@pytest.fixture
def calls(monkeypatch):
    """Function that lists the arguments of a kernel from now on, by name; it trains no more."""
    set_sizes(monkeypatch, words_chunk=300)

    def listed(kernel):
        module = kernels.get(kernel)
        seen, signature = [], inspect.signature(module.train)

        def watched(*arguments, **named):
            call = signature.bind(*arguments, **named).arguments
            if call["learning_rate"] > 0:  # others take the loss and nothing more
                seen.append(call)
            return 1.0, 1, 1

        monkeypatch.setattr(module, "train", watched)
        return seen

    return listed


@pytest.mark.parametrize(("estimator", "own", "kernel", "passed"), MODELS, ids=str)
def test_kernels_get_what_models_are_given(estimator, own, kernel, passed, corpus, calls):
    seen = calls(kernel)
    model = estimator(**GIVEN | own).fit(corpus)
    counts = model.vocabulary_.counts
    assert len(counts) > 20
    ratio = 0.02 * counts.sum() / counts
    keep = np.minimum(1, np.sqrt(ratio) + ratio)
    assert 0 < (keep < 1).sum() < len(counts)
    noise = counts**0.4 / np.sum(counts**0.4)
    for call in seen:
        np.testing.assert_array_equal(call["ids"], corpus.ids)
        np.testing.assert_array_equal(call["sentence_offsets"], corpus.sentence_offsets)
        np.testing.assert_allclose((call["keep"] + 1.0) / 2**32, keep, rtol=1e-6)
        assert call["window"] == 3
        assert {name: bool(call[name]) for name in passed} == passed
        if kernel in ("skipgram", "cbow", "subword"):
            assert call["negatives"] == 7
            implied = implied_probabilities(np.asarray(call["noise"])) / (len(counts) * 2**32)
            np.testing.assert_allclose(implied, noise, rtol=1e-6)
        if kernel == "cbow":
            assert (call["position_weights"] is not None) == own["position_weights"]
        if kernel in ("hierarchical_softmax", "ngram_tree"):
            tree = HuffmanTree.as_in_fasttext if kernel == "ngram_tree" else HuffmanTree.of_counts
            for part, expected in tree(counts).paths()._asdict().items():
                np.testing.assert_array_equal(call[f"path_{part}"], expected)
        if kernel in ("subword", "ngram_tree"):
            offsets, rows = model.vectors_.subwords.rows(model.vocabulary_.words)
            assert len(rows) > 3 * len(counts)
            # a word's rows may come in two parts, those that are repeated in the second
            parts = (len(call["subword_offsets"]) - 1) // len(counts)
            np.testing.assert_array_equal(call["subword_offsets"][::parts], offsets)
            for begin, end in pairwise(offsets):
                assert sorted(call["subwords"][begin:end]) == sorted(rows[begin:end])


@pytest.mark.parametrize(
    ("estimator", "own", "kernel"), [MODELS[i][:3] for i in (0, 2, 3, 9, 12)], ids=lambda value: str(value)
)
def test_every_position_is_trained_once_an_epoch_at_the_rate_of_the_line(
    estimator, own, kernel, corpus, calls
):
    seen = calls(kernel)
    for seed in (5, 6):
        estimator(**GIVEN | own | {"seed": seed}).fit(corpus)
    epochs = [list(group) for _, group in groupby(seen, key=lambda call: call["key"])]
    assert len(epochs) == len({call["key"] for call in seen}) == 2 * GIVEN["epochs"]
    for number, chunks in enumerate(epochs):
        assert len(chunks) > 2
        times = np.zeros(corpus.n_tokens, int)
        for call in chunks:
            done = (number % 3 + times.sum() / corpus.n_tokens) / 3
            assert call["learning_rate"] == pytest.approx(0.08 + (0.02 - 0.08) * done, rel=1e-9)
            times[call["start"] : call["stop"]] += 1
        assert (times == 1).all()


@pytest.mark.parametrize("combine", ["sum", "word"])
def test_glove_weighs_counts_as_it_is_told(monkeypatch, combine, corpus):
    counts = fastvec.Cooccurrence(window=3, min_count=2).fit(corpus)
    made = results_of(monkeypatch, "in_tiles")
    model = fastvec.GloVe(
        vector_size=4, epochs=2, threads=1, x_max=7.0, alpha=0.3, learning_rate=0.02, combine=combine
    ).fit(counts)
    records = made[0].records
    assert len(records) == counts.n_entries_
    x = np.exp(records["log_count"].astype(np.float64))
    assert x.min() < 7 < x.max()
    np.testing.assert_allclose(records["weight"], np.minimum(1, (x / 7) ** 0.3), rtol=1e-5)
    assert x.sum() == pytest.approx(counts.units_.sum() / counts.unit_, rel=1e-5)
    assert [epoch.learning_rate for epoch in model.history_] == [0.02, 0.02]


@pytest.mark.parametrize("block", [1, 7, 100, 1 << 22])
def test_starting_values_do_not_depend_on_how_many_are_drawn_at_once(monkeypatch, block, corpus, calls):
    """More than 4 M numbers are drawn in blocks: all are uniform in the same bounds."""
    set_sizes(monkeypatch, starting_numbers_at_once=block)
    calls("skipgram")
    model = fastvec.SkipGram(**GIVEN | {"vector_size": 33})
    vectors = model.fit(corpus).vectors_.vectors
    expected = np.random.default_rng(5).random(vectors.shape, dtype=np.float32)
    np.testing.assert_allclose(vectors, (expected - 0.5) / 33, rtol=1e-6)


def test_two_words_by_hand():
    """One sentence of two words: the tree is a node, each word predicts the other, and nothing is drawn."""
    options = {
        "vector_size": 1,
        "min_count": 1,
        "subsample": 0,
        "window": 1,
        "epochs": 1,
        "threads": 1,
        "seed": 3,
    }
    model = fastvec.SkipGram(loss="hierarchical_softmax", learning_rate=0.5, **options).fit([["a", "b"]])
    a, b = (np.random.default_rng(3).random((2, 1), dtype=np.float32).astype(float) - 0.5)[:, 0]
    label = dict(zip(model.vocabulary_.words, 1.0 - model.tree_.paths().codes, strict=True))
    assert sorted(label.values()) == [0, 1]
    # a in the middle, b around it: all scores are 0, and b does not move, since the node is 0
    node = 0.5 * (label["a"] - 0.5) * b
    # b in the middle
    error = label["b"] - 1 / (1 + np.exp(-a * node))
    a, node = a + 0.5 * error * node, node + 0.5 * error * a
    np.testing.assert_allclose(model.vectors_[["a", "b"]][:, 0], [a, b], rtol=1e-5)
    np.testing.assert_allclose(model.node_vectors_, [[node]], rtol=1e-5)
