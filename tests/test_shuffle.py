"""`shuffle`: blocks of a text in another order every epoch, and what does not depend on the order."""

from itertools import pairwise

import numpy as np
import pytest

import fastvec
from fastvec import kernels

pytestmark = pytest.mark.any_backend(trains=True)

KERNELS = [
    (fastvec.SkipGram, {}, "skipgram"),
    (fastvec.SkipGram, {"loss": "softmax"}, "softmax"),
    (fastvec.CBOW, {"loss": "hierarchical_softmax"}, "hierarchical_softmax"),
    (fastvec.CBOW, {}, "cbow"),
    (fastvec.FastText, {"buckets": 50}, "subword"),
]


def small(estimator, **params):
    defaults = {"vector_size": 8, "min_count": 1, "threads": 1, "epochs": 3, "subsample": 0.01}
    return estimator(**defaults | params)


def visits(monkeypatch, kernel, model, corpus):
    """Train without a kernel; return for every epoch the chunks, in their order, and their learning rates."""
    module, epochs = kernels.get(kernel), {}

    def watched(*, start, stop, learning_rate, key, **_):
        if learning_rate:
            epochs.setdefault(key, []).append((start, stop, learning_rate))
        return 1.0, 1, 1

    with monkeypatch.context() as patch:
        patch.setattr(module, "train", watched)
        model.fit(corpus)
    return list(epochs.values())


@pytest.mark.parametrize(("estimator", "own", "kernel"), KERNELS, ids=str)
def test_every_epoch_visits_all_blocks_in_another_order(estimator, own, kernel, topics, monkeypatch):
    corpus = fastvec.Corpus(topics(300))  # 3,600 words: 128 blocks of 28, and 16 words more
    rates = {"learning_rate": 0.08, "min_learning_rate": 0.02}
    epochs = visits(monkeypatch, kernel, small(estimator, shuffle=True, **own, **rates), corpus)
    assert len(epochs) == 3
    for number, epoch in enumerate(epochs):
        assert sorted((start, stop) for start, stop, _ in epoch) == [
            (start, min(start + 28, 3600)) for start in range(0, 3600, 28)
        ]
        # The learning rate falls on a line whatever the order.
        visited = np.cumsum([0, *(stop - start for start, stop, _ in epoch[:-1])])
        expected = 0.08 - 0.06 * (number + visited / 3600) / 3
        np.testing.assert_allclose([rate for *_, rate in epoch], expected, rtol=1e-12)
        # Hardly any block follows the one before it in the text.
        assert sum(start == stop for (_, stop, _), (start, *_) in pairwise(epoch)) < 10
    orders = [tuple(start for start, *_ in epoch) for epoch in epochs]
    assert len(set(orders)) == 3


def test_the_order_follows_from_the_seed(topics, monkeypatch):
    corpus = fastvec.Corpus(topics(100))
    first, second, other = (
        visits(monkeypatch, "skipgram", small(fastvec.SkipGram, shuffle=True, seed=seed), corpus)
        for seed in (7, 7, 8)
    )
    assert first == second != other


def test_further_training_goes_on_with_other_orders(topics, monkeypatch):
    corpus = fastvec.Corpus(topics(100))
    whole = visits(monkeypatch, "skipgram", small(fastvec.SkipGram, shuffle=True, epochs=2), corpus)
    model = small(fastvec.SkipGram, shuffle=True, epochs=1)
    parts = [visits(monkeypatch, "skipgram", model, corpus)[0] for _ in range(2)]
    for a, b in zip(whole, parts, strict=True):
        assert [start for start, *_ in a] == [start for start, *_ in b]


def test_without_it_a_text_is_read_from_beginning_to_end(monkeypatch):
    corpus = fastvec.Corpus([["a", "b", "c", "d", "e"]] * 6000)
    for epoch in visits(monkeypatch, "skipgram", small(fastvec.SkipGram), corpus):
        assert [start for start, *_ in epoch] == [0, 8192, 16384, 24576]


def test_blocks_of_long_texts_are_chunks(monkeypatch):
    text = [[str(i % 7) for i in range(50)]] * 21_500
    model = small(fastvec.SkipGram, shuffle=True, epochs=1)
    (epoch,) = visits(monkeypatch, "skipgram", model, fastvec.Corpus(text))
    # Around what is held out, too: no chunk is cut where there is nothing to leave out.
    starts = {start // 8192 for start, *_ in epoch}
    assert starts == set(range(132))
    assert max(stop - start for start, stop, _ in epoch) == 8192


@pytest.mark.parametrize(("estimator", "own", "kernel"), KERNELS, ids=str)
def test_the_order_changes_the_vectors_and_not_what_is_drawn(estimator, own, kernel, topics):
    in_order, first, second = (
        small(estimator, shuffle=shuffle, **own).fit(topics(100)) for shuffle in (False, True, True)
    )
    np.testing.assert_array_equal(first.vectors_.vectors, second.vectors_.vectors)
    assert not np.array_equal(first.vectors_.vectors, in_order.vectors_.vectors)
    assert [epoch.pairs for epoch in first.history_] == [epoch.pairs for epoch in in_order.history_]
    # One chunk of the text in order has the learning rate of its start; blocks have smaller ones.
    assert first.history_[-1].loss == pytest.approx(in_order.history_[-1].loss, rel=0.1)


@pytest.mark.parametrize("estimator", [fastvec.SkipGram, fastvec.CBOW, fastvec.FastText])
def test_it_is_true_or_false(estimator):
    with pytest.raises(TypeError, match="shuffle must be True or False, got 1"):
        estimator(shuffle=1).check_params()
