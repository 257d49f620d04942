"""The estimator: what it learns, what it promises about seeds, threads and Ctrl-C, and what it refuses."""

import math
import os
import signal

import numpy as np
import pytest
from inside import set_sizes
from interrupts import can_be_interrupted, control_c, interrupt_training_after, interrupt_training_at

import fastvec
from fastvec import kernels

pytestmark = pytest.mark.any_backend(trains=True)


def small(**params):
    defaults = {"vector_size": 20, "min_count": 1, "threads": 1, "epochs": 3, "learning_rate": 0.05}
    return fastvec.SkipGram(**{**defaults, **params})


@pytest.mark.parametrize("sharing", ["window", "none"])
def test_words_of_a_topic_end_up_together(sharing, topics):
    vectors = small(negative_sharing=sharing, epochs=5, learning_rate=0.2).fit(topics(100)).vectors_
    for topic in ("sea", "sky", "war"):
        neighbours = [word for word, _ in vectors.most_similar(f"{topic}3", topn=8)]
        assert sum(word.startswith(topic) for word in neighbours) >= 7, neighbours


def test_the_loss_falls(topics):
    model = small(epochs=6).fit(topics(200))
    losses = [epoch.loss for epoch in model.history_]
    assert losses[-1] < 0.95 * losses[0] < 0.8 * 6 * np.log(2)
    assert [epoch.epoch for epoch in model.history_] == [1, 2, 3, 4, 5, 6]
    assert all(epoch.seconds > 0 and epoch.words_per_second > 0 for epoch in model.history_)


def test_the_loss_is_the_mean_per_pair():
    # At the start every score is 0 and each of 6 terms log 2, but for negatives that are the centre.
    sentences = np.random.default_rng(0).integers(500, size=(2000, 5)).astype(str).tolist()
    model = small(learning_rate=1e-30, epochs=1, window=2).fit(sentences)
    assert 0.99 * 6 * np.log(2) < model.history_[0].loss < 6 * np.log(2)


def test_one_thread_and_one_seed_give_the_same_vectors_bit_for_bit(topics):
    first, second, other = (small(seed=seed).fit(topics(60)).vectors_.vectors for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_what_is_drawn_does_not_depend_on_the_threads(monkeypatch, topics):
    # Steps so small that each example adds the gradient at the start, whichever thread takes it and when.
    set_sizes(monkeypatch, words_chunk=200)
    start = small().fit(topics(200))

    def change(**params):
        model = small(learning_rate=1e-5, min_learning_rate=0, **params).fit(topics(200), start_from=start)
        return model.vectors_.vectors - start.vectors_.vectors, [epoch.pairs for epoch in model.history_]

    (one, pairs), (four, pairs_of_four), (other, _) = change(), change(threads=4), change(seed=2)
    assert pairs == pairs_of_four
    assert np.linalg.norm(one - four) < 0.02 * np.linalg.norm(one)
    assert np.linalg.norm(one - other) > 0.2 * np.linalg.norm(one)


def test_starting_vectors_do_not_depend_on_padding(topics):
    # A step size this small leaves the start as it was.
    vectors = small(vector_size=33, learning_rate=1e-30, min_learning_rate=0).fit(topics(60)).vectors_.vectors
    expected = np.random.default_rng(1).random((39, 33), dtype=np.float32)
    np.testing.assert_allclose(vectors, (expected - 0.5) / 33, rtol=1e-6)


def test_rows_are_aligned_and_users_see_them_without_padding(topics):
    model = small(vector_size=33).fit(topics(60))
    assert model.vectors_.vectors.shape == model.output_vectors_.shape == (39, 33)
    assert model.vectors_.vectors.ctypes.data % 64 == 0
    assert model.vectors_.vectors.strides == (48 * 4, 4)


def test_an_error_in_a_callback_is_raised_and_ends_the_training(topics):
    def fail(model):
        raise ZeroDivisionError("of the user")

    with pytest.raises(ZeroDivisionError, match="of the user"):
        small(callbacks=[fail]).fit(topics(60))


def test_min_count_max_vocab_and_metadata(topics):
    model = small(min_count=2, max_vocab=10).fit(topics(60))
    assert len(model.vectors_) == len(model.vocabulary_) == 10
    np.testing.assert_array_equal(model.vectors_.counts, model.vocabulary_.counts)
    metadata = model.vectors_.metadata
    assert metadata["estimator"] == "SkipGram"
    assert metadata["max_vocab"] == 10
    assert metadata["threads"] == 1
    assert "callbacks" not in metadata


def test_items_may_be_numbers_and_the_corpus_a_generator():
    vectors = small().fit([i % 7, (i + 1) % 7, 42] for i in range(200)).vectors_
    assert 42 in vectors
    assert vectors["42"].tolist() == vectors[42].tolist()


def test_phrases_are_words():
    text = [["in", "new", "york"], ["from", "new", "york"], ["a", "new", "car"], ["in", "a", "car"]] * 5
    assert "new_york" in small(subsample=0).fit(fastvec.Phrases(threshold=1).fit_transform(text)).vectors_


@can_be_interrupted
def test_control_c_between_or_within_epochs_loses_nothing(monkeypatch, topics):
    corpus = fastvec.Corpus(topics(60))  # epochs of a millisecond: the signal may come anywhere
    message = "interrupted in epoch .*; what was learned is kept"
    for delay in np.linspace(0, 0.05, 12):
        with monkeypatch.context() as patch, pytest.warns(UserWarning, match=message):
            interrupt_training_after(patch, delay)
            model = small(epochs=1_000_000).fit(corpus)
        assert model.interrupted_
        assert len(model.vectors_) == len(model.vocabulary_)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@can_be_interrupted
@pytest.mark.parametrize("threads", [1, 2])
def test_control_c_is_answered_before_the_next_chunk(monkeypatch, topics, threads):
    set_sizes(monkeypatch, words_chunk=50)  # of 720 words
    calls = interrupt_training_at(monkeypatch, kernels.get("skipgram"), 5)
    with pytest.warns(UserWarning, match="interrupted in epoch 1 of 100"):
        model = small(epochs=100, threads=threads).fit(topics(60))
    assert 5 <= len(calls) < 5 + threads
    assert model.interrupted_


@can_be_interrupted
def test_a_handler_of_the_program_is_left_alone(topics):
    caught = []
    before = signal.signal(signal.SIGINT, lambda *_: caught.append(1))
    try:
        model = small(epochs=3, callbacks=[lambda _: control_c()]).fit(topics(60))
    finally:
        signal.signal(signal.SIGINT, before)
    assert not model.interrupted_
    assert len(model.history_) == len(caught) == 3


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, on the reference
def test_training_that_diverges_says_why(topics):
    with pytest.raises(FloatingPointError, match=r"epoch 1: learning_rate=1e\+30 is probably too large"):
        small(learning_rate=1e30).fit(topics())


def test_a_corpus_without_pairs_is_refused():
    with pytest.raises(ValueError, match="corpus must have a sentence with two words"):
        small().fit([["alone"], ["single"]])


def test_a_corpus_that_min_count_empties_is_refused():
    with pytest.raises(ValueError, match="min_count=5 leaves no word"):
        small(min_count=5).fit([["a", "b"], ["a", "c"]])


def test_strings_in_place_of_sentences_are_refused():
    with pytest.raises(TypeError, match="split"):
        small().fit(iter(["a sentence that is not split", "another"]))


def test_parameters_can_be_read_set_and_shown():
    model = fastvec.SkipGram(window=3)
    assert model.get_params()["window"] == 3
    assert repr(model.set_params(epochs=2)) == "SkipGram(window=3, epochs=2)"
    with pytest.raises(ValueError, match="got 'size'"):
        model.set_params(size=3)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, on the reference
@pytest.mark.parametrize(
    ("estimator", "params", "cause"),
    [
        ("SkipGram", {"negatives": 500}, "learning_rate=0.025 .* for window=5 and negatives=500$"),
        pytest.param(
            "SkipGram",
            {"negatives": 500, "negative_sharing": "none"},
            "for window=5 and negatives=500$",
            marks=pytest.mark.skipif(
                os.environ.get("FASTVEC_BACKEND") == "reference", reason="takes the reference a minute"
            ),
        ),
        ("SkipGram", {"learning_rate": 0.2, "loss": "softmax"}, "learning_rate=0.2 .* for window=5$"),
        ("CBOW", {"learning_rate": 1.0}, "learning_rate=1.0 .* for window=5 and negatives=5$"),
        ("CBOW", {"learning_rate": 1.0, "loss": "hierarchical_softmax"}, "too large for window=5$"),
        ("FastText", {"learning_rate": 1.0, "buckets": 100}, "for window=5 and negatives=5$"),
    ],
)
def test_training_that_diverges_without_nan_is_an_error(estimator, params, cause):
    """Each of them would end with finite vectors, or with NaN on some of the backends."""
    random = np.random.default_rng(0)
    topics = random.integers(0, 4, 800)
    text = [[f"w{10 * topic + i}" for i in random.integers(0, 10, 10)] for topic in topics]
    params = {"min_count": 1, "subsample": 0, "threads": 1, "vector_size": 20, "epochs": 8, **params}
    model = getattr(fastvec, estimator)(**params)
    with pytest.raises(FloatingPointError, match=cause):
        model.fit(text)
    assert not hasattr(model, "vectors_")


@pytest.mark.parametrize(
    ("losses", "diverged"),
    [
        ([4.2, 2.5, 2.3], False),
        ([16.6], False),
        ([16.7], True),
        ([1.5, 5.9], False),
        ([1.5, 6.1], True),
        ([0.01, 3.9], False),
        ([0.01, 4.1], True),
        ([4.1, 16.3, 16.5], True),
    ],
)
def test_a_loss_that_rises_is_an_error(losses, diverged, monkeypatch):
    """Of one epoch after the other, where 5 negatives cost 4.16 without training."""
    seen = []

    def run(model, losses):
        epochs = iter([*losses, math.nan])
        given = [next(epochs)]
        monkeypatch.setattr(kernels.get("skipgram"), "train", lambda **_: (given[-1], 1, 1))
        model.set_params(
            epochs=len(losses),
            callbacks=[lambda model: (seen.append(model.history_[-1].loss), given.append(next(epochs)))],
        )
        model.fit([["a", "b", "c"]])

    if not diverged:
        run(small(), losses)
        assert seen == losses
        return
    message = rf"rose to {losses[-1]}, .* in epoch {len(losses)}: learning_rate=0.05 .* for window=5 and"
    with pytest.raises(FloatingPointError, match=message):
        run(small(), losses)
    assert seen == losses[:-1]
    trained = small()
    run(trained, [4.0])
    run(trained, [1e9] * len(losses))  # of another text
