"""A training ends when what is held out is no longer predicted better, and keeps the best epoch."""

import numpy as np
import pytest

import fastvec

pytestmark = pytest.mark.any_backend(trains=True)

LENGTH = 131_072


@pytest.fixture(scope="module")
def text():
    """Return words that follow from nothing: what is learned of them does not help with what is held out."""
    random = np.random.default_rng(1)
    return fastvec.Corpus(random.integers(500, size=(LENGTH // 64, 64)).tolist())


def model(**params):
    settings = {"vector_size": 8, "window": 1, "negatives": 2, "threads": 1, "learning_rate": 0.2}
    return fastvec.SkipGram(**{**settings, "early_stopping": True, **params})


@pytest.mark.parametrize("patience", [1, 3])
def test_it_ends_after_so_many_epochs_without_a_lower_loss(text, patience):
    stopped = model(epochs=30, patience=patience).fit(text)
    losses = [epoch.loss for epoch in stopped.history_]
    assert len(losses) < 30 and not stopped.interrupted_
    assert int(np.argmin(losses)) == len(losses) - 1 - patience


def test_it_keeps_the_vectors_of_the_best_epoch(text):
    seen = []
    stopped = model(epochs=30, callbacks=[lambda trained: seen.append(trained.vectors_.vectors.copy())])
    stopped.fit(text)
    best = int(np.argmin([epoch.loss for epoch in stopped.history_]))
    np.testing.assert_array_equal(stopped.vectors_.vectors, seen[best])
    assert not np.array_equal(seen[best], seen[-1])


def test_without_early_stopping_all_epochs_are_trained(text):
    whole = model(epochs=4, early_stopping=False, patience=1).fit(text)
    assert len(whole.history_) == 4 and not whole.interrupted_


def test_a_short_text_has_nothing_to_spare(text):
    with pytest.raises(
        ValueError, match=r"early_stopping needs a text of 131,072 words, .*, got 6,400 words"
    ):
        model().fit(list(text)[:100])


def test_a_checkpoint_has_no_best_epoch(text, tmp_path):
    with pytest.raises(ValueError, match="early_stopping must be False with a checkpoint"):
        model().fit(text, checkpoint=tmp_path / "run.fvec")


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"early_stopping": 1}, TypeError, "early_stopping must be"),
        ({"patience": 0}, ValueError, "patience must be an int >= 1, got 0"),
    ],
)
def test_bad_parameters_are_named(text, params, error, message):
    with pytest.raises(error, match=message):
        model(**params).fit(text)
