"""What CBOW has beside the losses: the scale of the gradient and the weights of positions."""

import numpy as np
import pytest

import fastvec

pytestmark = pytest.mark.any_backend(trains=True)


def small(**params):
    defaults = {"vector_size": 20, "min_count": 1, "threads": 1, "epochs": 2, "window": 3}
    return fastvec.CBOW(**{**defaults, **params})


def test_position_weights_start_at_ones_and_are_learned(topics):
    still = small(position_weights=True, learning_rate=1e-30, min_learning_rate=0).fit(topics(40))
    np.testing.assert_array_equal(still.position_weights_, np.ones((6, 20), np.float32))
    moved = small(position_weights=True, epochs=3).fit(topics(80))
    assert moved.position_weights_.shape == (6, 20)
    assert np.abs(moved.position_weights_ - 1).max() > 1e-3


def test_without_position_weights_there_are_none(topics):
    with pytest.raises(AttributeError, match="CBOW was trained without position_weights_"):
        _ = small().fit(topics(40)).position_weights_


def test_the_word_before_weighs_more_when_it_alone_tells():
    """Every word follows one other, and the rest of its window is chance."""
    random = np.random.default_rng(2)
    sentences = []
    for _ in range(200):
        first = random.integers(10, size=6)
        sentences.append([f"{kind}{i}" for i in first for kind in ("if", "then")])
    model = small(position_weights=True, subsample=0, learning_rate=0.2).fit(sentences)
    weight = np.linalg.norm(model.position_weights_, axis=1)
    # Half of the words follow from the word before, the other half from the one behind.
    assert min(weight[2], weight[3]) > 2 * max(*weight[:2], *weight[4:])


def test_the_undivided_gradient_takes_longer_steps(topics):
    exact, undivided = (
        small(scale_gradient=scale, learning_rate=0.01).fit(topics(60)) for scale in (True, False)
    )
    start = small(learning_rate=1e-30, min_learning_rate=0).fit(topics(60)).vectors_.vectors
    steps = [np.linalg.norm(model.vectors_.vectors - start) for model in (exact, undivided)]
    assert steps[1] > 1.5 * steps[0]  # about twice


def test_the_loss_is_the_mean_per_window(topics):
    losses = [epoch.loss for epoch in small(epochs=4, learning_rate=0.1).fit(topics(200)).history_]
    assert losses[-1] < 0.9 * losses[0]
    # At the start every score is 0 and each of 6 terms is log 2.
    assert 6 * np.log(2) * 0.5 < losses[0] < 6 * np.log(2)
