"""Training that goes on: with the words that are known, with new ones, and when it goes wrong."""

import numpy as np
import pytest
from interrupts import can_be_interrupted, interrupt_training_at

import fastvec
from fastvec import kernels
from fastvec.models.words import ids_in, with_new_words

pytestmark = pytest.mark.any_backend(trains=True)

VARIANTS = {
    "skipgram": (fastvec.SkipGram, {}),
    "skipgram-hs": (fastvec.SkipGram, {"loss": "hierarchical_softmax"}),
    "cbow-softmax": (fastvec.CBOW, {"loss": "softmax"}),
    "cbow-positions": (fastvec.CBOW, {"position_weights": True}),
    "fasttext": (fastvec.FastText, {"buckets": 300}),
    "fasttext-hs": (fastvec.FastText, {"buckets": 300, "loss": "hierarchical_softmax"}),
}


@pytest.fixture(params=VARIANTS)
def small(request):
    """Function that makes a small estimator of one variant."""
    estimator, own = VARIANTS[request.param]
    defaults = {"vector_size": 20, "min_count": 1, "threads": 1, "epochs": 2, "subsample": 0.01}
    return lambda **params: estimator(**{**defaults, **own, **params})


def matrices(model):
    names = ("input_vectors_", "output_vectors_", "node_vectors_", "position_weights_")
    found = {name: getattr(model, name).copy() for name in names if hasattr(model, name)}
    return found | {"vectors_": model.vectors_.vectors.copy()}


def assert_same(a, b):
    assert set(a) == set(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def untouched(model):
    """The same model, whose next training changes nothing that a float shows."""
    return model.set_params(learning_rate=1e-30, min_learning_rate=0, epochs=1)


def test_it_goes_on_from_where_it_was(small, topics):
    model = small().fit(topics(30))
    before, vectors = matrices(model), model.vectors_
    untouched(model).fit(topics(30, seed=1))
    assert_same(before, matrices(model))
    model.set_params(learning_rate=0.05).fit(topics(30, seed=1))
    assert not np.array_equal(before["vectors_"], model.vectors_.vectors)
    # Vectors taken before are those of before.
    np.testing.assert_array_equal(before["vectors_"], vectors.vectors)


def test_epochs_are_numbered_on_and_the_step_size_starts_again(small, topics):
    model = small(learning_rate=0.05).fit(topics(30))
    first = model.history_
    model.set_params(epochs=3, learning_rate=0.04, min_learning_rate=0.01).fit(topics(30))
    assert [epoch.epoch for epoch in model.history_] == [1, 2, 3, 4, 5]
    assert len(first) == 2
    assert model.history_[:2] == first
    rates = [epoch.learning_rate for epoch in model.history_[2:]]
    np.testing.assert_allclose(rates, [0.03, 0.02, 0.01])


def test_further_epochs_draw_other_windows(topics):
    model = fastvec.SkipGram(vector_size=4, min_count=1, threads=1, epochs=1, subsample=0.01)
    pairs = [model.fit(topics(30)).history_[-1].pairs for _ in range(3)]
    longer = fastvec.SkipGram(vector_size=4, min_count=1, threads=1, epochs=3, subsample=0.01)
    assert pairs == [epoch.pairs for epoch in longer.fit(topics(30)).history_]
    assert len(set(pairs)) > 1


def test_unknown_words_are_as_if_they_were_not_there(small, topics):
    known = list(topics(40, seed=1))
    mixed = [[word for one in sentence for word in (one, "strange", "other")] for sentence in known]
    models = [small(window=1).fit(topics(30)) for _ in range(2)]
    # Draws belong to positions of the corpus: without subsampling, and with windows of 1, none matters.
    for model, text in zip(models, (known, mixed), strict=True):
        model.set_params(subsample=0, epochs=1)
        model.fit(text)
    assert len(models[1].vocabulary_) == len(models[0].vocabulary_) == 39
    assert "strange" not in models[1].vocabulary_
    assert models[0].history_[-1].pairs == models[1].history_[-1].pairs


def test_a_corpus_of_other_ids_is_translated(topics, tmp_path):
    corpus = fastvec.Corpus([["b", "c", "x", "a"], ["c", "c", "x", "b"]])
    vocabulary = fastvec.Vocabulary(["a", "b", "c"], [9, 8, 7])
    text = tmp_path / "text.txt"
    text.write_text("b c x a\nc c x b\n")
    expected = [1, 2, 3, 0, 2, 2, 3, 1]
    mapped = fastvec.Corpus(text, cache=tmp_path / "text.ids")
    for source, limit in ((corpus, 64), (corpus, 63), (mapped, 32), (mapped, 31)):  # of 8 ids
        translated = ids_in(vocabulary, source, limit)
        assert translated.tolist() == expected
        assert not translated.flags.writeable
        assert isinstance(translated, np.memmap) == bool(limit % 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.ids", "text.txt"]


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (["a", "b"], True),
        (["a", "b", "c", "d"], True),
        (["a", "b", "c", "x"], True),
        (["a", "x", "c"], False),
        (["b", "a"], False),
    ],
)
def test_ids_that_are_the_same_are_not_copied(words, same):
    corpus = fastvec.Corpus([[word] * (len(words) - i) for i, word in enumerate(words)])
    vocabulary = fastvec.Vocabulary(["a", "b", "c"], [9, 8, 7])
    assert (ids_in(vocabulary, corpus, 2**32) is corpus.ids) == same


def test_a_vocabulary_grows():
    old = fastvec.Vocabulary(["the", "cat", "sat", "mat"], [10, 5, 3, 3])
    new = fastvec.Vocabulary(["dog", "sat", "the", "bone", "rare"], [8, 4, 3, 3, 1])
    vocabulary, places = with_new_words(old, new, 2, None)
    assert vocabulary.words == ["the", "dog", "sat", "cat", "mat", "bone"]
    assert vocabulary.counts.tolist() == [13, 8, 7, 5, 3, 3]
    assert places.tolist() == [0, 3, 2, 4]
    # A min_count that no word reaches takes none, and still counts; max_vocab takes the first of the corpus.
    assert with_new_words(old, new, 9, None)[0].words == ["the", "sat", "cat", "mat"]
    assert "bone" not in with_new_words(old, new, 1, 3)[0]


def test_new_words_are_taken_in_and_old_ones_keep_their_rows(small, topics):
    model = small().fit(topics(30))
    old_words, before = model.vocabulary_.words, matrices(model)
    more = [*topics(20, seed=1), *[["novel", "sea1", "unheard", "sea2", "novel"]] * 80]
    corpus = fastvec.Corpus(more)
    untouched(model).fit(corpus, update_vocabulary=True)

    vocabulary = model.vocabulary_
    assert set(vocabulary.words) == {*old_words, "novel", "unheard"}
    assert vocabulary.words[0] == "novel"
    assert (np.diff(vocabulary.counts) <= 0).all()
    assert vocabulary.total == 30 * 12 + corpus.n_tokens
    assert model.vectors_.counts is not None and model.vectors_.words == vocabulary.words

    places = [vocabulary.index[word] for word in old_words]
    new = [vocabulary.index[word] for word in ("novel", "unheard")]
    after = matrices(model)
    for name in ("vectors_", "output_vectors_"):
        if name in before:
            np.testing.assert_array_equal(after[name][places], before[name])
    if "input_vectors_" in before:  # the rows of n-grams stay behind those of the words
        np.testing.assert_array_equal(
            after["input_vectors_"][len(vocabulary) :], before["input_vectors_"][39:]
        )
    if "position_weights_" in before:
        np.testing.assert_array_equal(after["position_weights_"], before["position_weights_"])
    if "node_vectors_" in before:
        np.testing.assert_array_equal(after["node_vectors_"][:38], before["node_vectors_"])
        np.testing.assert_allclose(after["node_vectors_"][38:], 0, atol=1e-20)
    else:
        np.testing.assert_allclose(after["output_vectors_"][new], 0, atol=1e-20)
    start = after["input_vectors_" if "input_vectors_" in after else "vectors_"][new]
    assert 0 < np.abs(start).max() <= 1 / 20
    assert not np.array_equal(start[0], start[1])


def test_new_words_end_up_where_they_belong(small, topics):
    model = small(epochs=8, learning_rate=0.1).fit(topics(100))
    random = np.random.default_rng(1)
    more = [
        [str(random.choice(["novel", *(f"sky{i}" for i in range(12))])) for _ in range(12)]
        for _ in range(100)
    ]
    model.fit(more, update_vocabulary=True)
    near = [word for word, _ in model.vectors_.most_similar("novel", topn=8)]
    assert sum(word.startswith("sky") for word in near) >= 7, near


def test_taking_in_words_is_reproducible(small, topics):
    more = [*topics(20, seed=1), ["novel", "sea1"] * 5]
    first, second = (small().fit(topics(30)).fit(more, update_vocabulary=True) for _ in range(2))
    assert_same(matrices(first), matrices(second))


def test_on_a_first_fit_words_are_taken_in_anyway(small, topics):
    plain, updating = small().fit(topics(30)), small().fit(topics(30), update_vocabulary=True)
    assert_same(matrices(plain), matrices(updating))


def test_a_corpus_without_a_known_word_is_refused_and_nothing_is_lost(small, topics):
    model = small().fit(topics(30))
    before = matrices(model)
    with pytest.raises(ValueError, match=r"model knows, got 2 distinct words .* update_vocabulary=T"):
        model.fit([["other", "language"]] * 9)
    with pytest.raises(ValueError, match="corpus must have a sentence with two words of the vocabulary"):
        model.fit([["sea1"], ["sea2", "strange"]])
    assert_same(before, matrices(model))
    assert len(model.history_) == 2


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, on the reference
def test_training_that_diverges_leaves_the_model_as_it_was(small, topics):
    model = small().fit(topics(30))
    before = matrices(model)
    with pytest.raises(FloatingPointError, match=r"in epoch [34]: learning_rate="):
        model.set_params(learning_rate=1e30).fit([*topics(30), ["novel"] * 9], update_vocabulary=True)
    assert_same(before, matrices(model))
    assert "novel" not in model.vocabulary_
    assert len(model.history_) == 2
    model.set_params(learning_rate=None).fit(topics(30))
    assert [epoch.epoch for epoch in model.history_] == [1, 2, 3, 4]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, on the reference
def test_a_first_training_that_diverges_leaves_nothing(topics):
    model = fastvec.SkipGram(min_count=1, learning_rate=1e30, threads=1)
    with pytest.raises(FloatingPointError):
        model.fit(topics(30))
    assert not hasattr(model, "vectors_")


def test_an_error_in_a_callback_keeps_what_was_learned(small, topics):
    def fail(model):
        raise ZeroDivisionError("of the user")

    model = small().fit(topics(30))
    with pytest.raises(ZeroDivisionError):
        model.set_params(callbacks=[fail]).fit(topics(30))
    assert len(model.history_) == 3


@can_be_interrupted
def test_control_c_keeps_what_was_learned(topics, monkeypatch):
    model = fastvec.SkipGram(vector_size=20, min_count=1, epochs=5, threads=1, subsample=0.01)
    model.fit(topics(30)).set_params(epochs=1_000_000)
    corpus = fastvec.Corpus(topics(30))
    message = "interrupted in epoch 9 of 1000005; what was"
    with monkeypatch.context() as patch, pytest.warns(UserWarning, match=message) as caught:
        interrupt_training_at(patch, kernels.get("skipgram"), 4)
        model.fit(corpus)
    assert caught[0].filename == __file__
    assert model.interrupted_
    assert len(model.history_) == 9
    assert not model.set_params(epochs=1).fit(corpus).interrupted_


@pytest.mark.parametrize(
    ("estimator", "before", "after", "message"),
    [
        (fastvec.SkipGram, {}, {"vector_size": 50}, "vector_size must be 10 as in the .* so far, got 50"),
        (fastvec.SkipGram, {}, {"loss": "softmax"}, "loss must be 'negative_s.*' as in .*, got 'softmax'"),
        (fastvec.CBOW, {}, {"position_weights": True}, "position_weights must be False as in .*, got True"),
        (fastvec.CBOW, {"position_weights": True}, {"window": 2}, "window must be 5 as in .*, got 2"),
        (fastvec.FastText, {}, {"min_n": 2}, "min_n must be 3 as in .*, got 2"),
        (fastvec.FastText, {}, {"max_n": 5}, "max_n must be 6 as in .*, got 5"),
        (fastvec.FastText, {}, {"buckets": 7}, "buckets must be 50 as in .*, got 7"),
        (fastvec.FastText, {}, {"model": "cbow"}, "model must be 'skipgram' as in .*, got 'cbow'"),
    ],
)  # fmt: skip
def test_what_must_stay_as_it_was(topics, estimator, before, after, message):
    model = estimator(vector_size=10, min_count=1, epochs=1, subsample=0.01, threads=1)
    model.set_params(**(before | ({"buckets": 50} if estimator is fastvec.FastText else {})))
    model.fit(topics(20)).set_params(**after)
    with pytest.raises(ValueError, match=f"{message}; use a new estimator to start over"):
        model.fit(topics(20))


def test_other_parameters_may_change(topics):
    model = fastvec.SkipGram(vector_size=10, min_count=1, epochs=1, subsample=0.01, threads=1).fit(topics(40))
    model.set_params(window=2, negatives=3, negative_sharing="none", seed=9, subsample=0).fit(topics(40))
    assert model.vectors_.metadata["window"] == 2
    with pytest.raises(TypeError, match="update_vocabulary must be True or False, got 'yes'"):
        model.fit(topics(40), update_vocabulary="yes")
