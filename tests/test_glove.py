"""GloVe: what it learns, that threads change no bit of it, and what it refuses."""

import os
import time
from itertools import pairwise

import numpy as np
import pytest
from inside import results_of, set_sizes
from interrupts import can_be_interrupted, interrupt_training_after

import fastvec
from fastvec import kernels
from fastvec.models import tiles

PARTS = ("word_vectors_", "context_vectors_", "word_biases_", "context_biases_")


@pytest.fixture(scope="module")
def counts(topics):
    """Counts of 39 words."""
    return fastvec.Cooccurrence(window=5, min_count=1).fit(topics(300))


@pytest.fixture
def many_chunks(monkeypatch):
    """Chunks so small that several threads find work."""
    set_sizes(monkeypatch, glove_chunk=20)


def small(**params):
    return fastvec.GloVe(**{"vector_size": 10, "epochs": 3, "threads": 1, **params})


def learned(model):
    return {name: getattr(model, name).copy() for name in PARTS} | {"vectors_": model.vectors_.vectors.copy()}


def assert_same(a, b):
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def losses(model):
    return [epoch.loss for epoch in model.history_]


def test_words_of_a_topic_end_up_together(topics):
    text = [*topics(600)]
    random = np.random.default_rng(1)
    words = sorted({word for sentence in text for word in sentence})
    text += random.choice(words, (300, 12)).tolist()  # what never meets has no entry, and is not pushed apart
    vectors = small(vector_size=20, epochs=30, min_count=1, window=5).fit(text).vectors_
    for topic in ("sea", "sky", "war"):
        neighbours = [word for word, _ in vectors.most_similar(f"{topic}3", topn=8)]
        assert sum(word.startswith(topic) for word in neighbours) >= 7, neighbours


def test_the_cost_falls_and_is_the_mean_of_all_entries(counts):
    model = small(epochs=8, learning_rate=1e-6).fit(counts)
    rows, columns, values = counts.triples()
    products = np.sum(model.word_vectors_[rows] * model.context_vectors_[columns], axis=1)
    errors = products + model.word_biases_[rows] + model.context_biases_[columns] - np.log(values)
    cost = np.mean(0.5 * np.minimum(1, (values / 100) ** 0.75) * errors**2)
    assert losses(model)[-1] == pytest.approx(cost, rel=1e-4)
    assert all(a > b for a, b in pairwise(losses(small(epochs=8).fit(counts))))


@pytest.mark.any_backend(trains=True)
def test_epochs_tell_of_entries_and_not_of_words(counts):
    model = small().fit(counts)
    assert [epoch.pairs for epoch in model.history_] == [counts.n_entries_] * 3
    assert [epoch.learning_rate for epoch in model.history_] == [0.05] * 3
    assert all(epoch.words_per_second is None for epoch in model.history_)
    assert all(epoch.pairs_per_second == epoch.pairs / epoch.seconds for epoch in model.history_)


def test_counts_of_rank_one_are_fitted_exactly():
    words, factors = ["a", "b", "c"], np.array([9.0, 4.0, 2.0])
    rows, columns = (ids.ravel() for ids in np.indices((3, 3)))
    counts = fastvec.Cooccurrence.from_triples(words, rows, columns, factors[rows] * factors[columns])
    model = small(vector_size=2, x_max=1, epochs=3000, learning_rate=0.2).fit(counts)
    products = model.word_vectors_ @ model.context_vectors_.T
    fitted = np.exp(products + model.word_biases_[:, np.newaxis] + model.context_biases_)
    np.testing.assert_allclose(fitted, np.outer(factors, factors), rtol=1e-3)
    assert losses(model)[-1] < 1e-7


@pytest.mark.usefixtures("many_chunks")
def test_threads_change_no_bit(counts):
    models = [small(threads=threads, vector_size=13).fit(counts) for threads in (1, 2, 3)]
    for model in models[1:]:
        assert_same(learned(models[0]), learned(model))
        assert losses(model) == losses(models[0])
        assert [epoch.pairs for epoch in model.history_] == [epoch.pairs for epoch in models[0].history_]


@pytest.mark.any_backend(trains=True)
def test_seeds(counts):
    first, second, other = (small(seed=seed).fit(counts) for seed in (7, 7, 8))
    assert_same(learned(first), learned(second))
    assert not np.array_equal(first.word_vectors_, other.word_vectors_)


@pytest.mark.any_backend(trains=True)
def test_starting_values(counts):
    d = 10
    model = small(learning_rate=1e-30, epochs=1).fit(counts)
    start = (np.random.default_rng(1).random((2, 39, d + 1), dtype=np.float32) - 0.5) / d
    for side, rows in zip(("word", "context"), start, strict=True):
        np.testing.assert_array_equal(getattr(model, f"{side}_vectors_"), rows[:, :d])
        np.testing.assert_array_equal(getattr(model, f"{side}_biases_"), rows[:, d])


@pytest.mark.any_backend(trains=True)
def test_ones_stay_ones(counts):
    model = small(learning_rate=0.5, epochs=20).fit(counts)
    parameters = model._state.parameters
    assert (parameters["word_vectors"][:, -1] == 1).all()
    assert (parameters["context_vectors"][:, -2] == 1).all()
    assert (parameters["word_squares"][:, :-1] < 1e6).all()


def test_backends_agree_on_an_epoch(counts, compiled, monkeypatch):
    found = []
    for name in (compiled, "reference"):
        monkeypatch.setenv("FASTVEC_BACKEND", name)
        found.append(small(epochs=1).fit(counts))
    ours, theirs = found
    for name in PARTS:
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-4, atol=1e-5)
    assert losses(ours) == pytest.approx(losses(theirs), rel=1e-5)


@pytest.mark.any_backend(trains=True)
def test_vectors_are_what_combine_says(counts):
    models = {combine: small(combine=combine).fit(counts) for combine in ("sum", "word", "concatenate")}
    words, contexts = models["sum"].word_vectors_, models["sum"].context_vectors_
    expected = {"sum": words + contexts, "word": words, "concatenate": np.hstack((words, contexts))}
    for combine, model in models.items():
        np.testing.assert_array_equal(model.vectors_.vectors, expected[combine])
        assert model.vectors_.words == counts.vocabulary_.words
        assert model.vectors_.metadata["combine"] == combine
        # It is warned of once, when the model is fitted.
        model.set_params(combine="word")
        assert model.vectors_.vectors.shape == expected[combine].shape


@pytest.mark.any_backend(trains=True)
def test_what_was_learned_cannot_be_written_to(counts):
    model = small().fit(counts)
    for name, shape in zip(PARTS, [(39, 10), (39, 10), (39,), (39,)], strict=True):
        assert getattr(model, name).shape == shape
        with pytest.raises(ValueError, match="read-only"):
            getattr(model, name)[0] = 0
    assert model._state.parameters["word_vectors"].flags.writeable


@pytest.mark.any_backend(trains=True)
def test_before_fit_there_is_nothing():
    for name in (*PARTS, "vectors_", "vocabulary_", "history_", "interrupted_"):
        with pytest.raises(AttributeError, match=f"GloVe has no {name} before fit"):
            getattr(fastvec.GloVe(), name)


@pytest.mark.any_backend(trains=True)
def test_a_text_is_counted_as_the_parameters_say(topics):
    params = {"window": 3, "weighting": "dynamic", "symmetric": False, "min_count": 2, "max_vocab": 30}
    counts = fastvec.Cooccurrence(**params).fit(topics(100))
    fitted = [small(**params).fit(topics(100)), small().fit(counts)]
    assert_same(learned(fitted[0]), learned(fitted[1]))
    for model in fitted:  # the metadata are those of the counts
        assert params.items() <= model.vectors_.metadata.items()
        assert model.vectors_.metadata["estimator"] == "GloVe"
        assert model.vectors_.metadata["threads"] == 1
    assert (fitted[0].vectors_.counts == counts.vocabulary_.counts).all()


@pytest.mark.any_backend(trains=True)
def test_entries_may_go_to_a_file(counts, monkeypatch):
    made = results_of(monkeypatch, "in_tiles")
    models = [small(memory_limit=limit).fit(counts) for limit in (2**20, 1000)]
    assert [isinstance(tiles.records, np.memmap) for tiles in made] == [False, True]
    assert_same(*map(learned, models))


@pytest.mark.any_backend(trains=True)
def test_a_full_disk_is_named_with_what_was_needed(counts, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    needed = f"for the entries in the order of training, up to {16 * counts.n_entries_:,} bytes are needed"
    with pytest.raises(OSError, match=needed):
        small(memory_limit=1000).fit(counts)


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize(("n_words", "stride"), [(1, 16), (3, 16), (39, 16), (69_000, 112), (3_000_000, 304)])
def test_blocks(n_words, stride):
    sizes = 10 + 9 * 10**6 // np.arange(10, n_words + 10)  # the first words have the most entries
    row_offsets = np.concatenate(([0], np.cumsum(sizes)))
    bounds = np.array(tiles.block_bounds(row_offsets, stride))
    n_words_of, n_entries_of = np.diff(bounds), np.diff(row_offsets[bounds])
    assert bounds[0] == 0 and bounds[-1] == n_words and n_words_of.min() >= 1
    assert min(n_words, 13) <= len(n_words_of) <= 1024 + 32
    assert (n_entries_of[n_words_of > 1] <= sizes.sum() / 32).all()
    if n_words < 1_000_000:
        assert n_words_of.max() * stride * 16 <= tiles.TILE_BYTES


@pytest.mark.any_backend(trains=True)
def test_every_epoch_visits_every_tile_in_its_turn(counts):
    made = tiles.in_tiles(
        counts, 16, x_max=100, alpha=0.75, seed=1, threads=2, memory_limit=2**30, progress=False
    )
    rows, columns, values = counts.triples()
    entries = {(int(i), int(j)): np.log(x) for i, j, x in zip(rows, columns, values, strict=True)}
    assert len(made.records) == len(entries)
    assert all(entries[i, j] == pytest.approx(x, abs=1e-6) for i, j, x, _ in made.records.tolist())

    trainer = tiles.TileTrainer(made, {})
    orders = []
    for key in (1, 2):
        trainer.start_epoch(key)
        orders.append(trainer.order)
        np.testing.assert_array_equal(np.sort(trainer.order), np.flatnonzero(np.diff(made.offsets)))
        for blocks, turns in (
            (trainer.order // made.n_blocks, trainer.word_turns),
            (trainer.order % made.n_blocks, trainer.context_turns),
        ):
            assert turns.tolist() == [np.count_nonzero(blocks[:i] == block) for i, block in enumerate(blocks)]
    assert not np.array_equal(*orders)


@pytest.mark.any_backend(trains=True)
@pytest.mark.usefixtures("many_chunks")
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_thread_that_fails_lets_the_others_go_on(counts, monkeypatch, threads):
    kernel, calls = kernels.get("glove"), []
    train = kernel.train

    def fail(**arguments):
        calls.append(arguments)
        if len(calls) == 3:
            time.sleep(0.2)  # until all others wait
            middle = min(arguments["stop"], arguments["start"] + 1)
            train(**arguments | {"stop": middle})
            raise MemoryError("of the third chunk")
        return train(**arguments)

    model = small(threads=threads).fit(counts)
    before = learned(model)
    monkeypatch.setattr(kernel, "train", fail)
    with pytest.raises(MemoryError, match="of the third chunk"):
        model.fit(counts)
    assert_same(before, learned(model))
    done = calls[0]["words_done"]
    tiles = calls[0]["order"][: max(call["stop"] for call in calls)]
    assert (done == np.bincount(tiles // calls[0]["n_blocks"], minlength=len(done))).all()


@pytest.mark.any_backend(trains=True)
def test_it_goes_on_from_where_it_was(counts):
    model = small().fit(counts)
    before, vectors = learned(model), model.vectors_
    model.set_params(learning_rate=1e-30, epochs=1).fit(counts)
    assert_same(before, learned(model))
    model.set_params(learning_rate=0.05).fit(counts)
    assert [epoch.epoch for epoch in model.history_] == [1, 2, 3, 4, 5]
    assert model.history_[4].loss < model.history_[2].loss
    np.testing.assert_array_equal(before["vectors_"], vectors.vectors)


@pytest.mark.any_backend(trains=True)
def test_further_epochs_are_those_of_a_longer_training(counts):
    model = small(epochs=1)
    for _ in range(3):
        model.fit(counts)
    longer = small(epochs=3).fit(counts)
    assert_same(learned(model), learned(longer))
    assert losses(model) == losses(longer)


@pytest.mark.any_backend(trains=True)
def test_other_words_and_sizes_are_refused(counts, topics):
    model = small().fit(counts)
    before = learned(model)
    with pytest.raises(
        ValueError, match=r"words of the training so far, Vocabulary\(39 .* got Vocabulary\(3 "
    ):
        model.fit([["a", "b", "c"]] * 5)
    with pytest.raises(ValueError, match="vector_size must be 10 as in the training so far, got 11"):
        model.set_params(vector_size=11).fit(counts)
    assert_same(before, learned(model))


@pytest.mark.any_backend(trains=True)
def test_what_was_saved_comes_back_and_goes_on(counts, tmp_path):
    path = tmp_path / "model.fvec"
    model = small(combine="concatenate").fit(counts)
    model.save(path)
    assert fastvec.load(path).vector_size == 20
    loaded = fastvec.load_model(path)
    assert isinstance(loaded, fastvec.GloVe)
    assert loaded.get_params() == model.get_params()
    assert loaded.history_ == model.history_
    assert loaded.vectors_.metadata == model.vectors_.metadata
    assert_same(learned(model), learned(loaded))
    assert_same(learned(model.fit(counts)), learned(loaded.fit(counts)))


@pytest.mark.any_backend(trains=True)
def test_a_damaged_file_is_refused(counts, tmp_path):
    path = tmp_path / "model.fvec"
    model = small().fit(counts)
    state = model._state
    state.parameters = state.parameters | {"word_squares": state.parameters["word_squares"][:, :-1]}
    model.save(path)
    with pytest.raises(
        ValueError, match=r"word_squares must be float32 of shape \(39, 12\), got .* \(39, 11\)"
    ):
        fastvec.load_model(path)


@pytest.mark.any_backend(trains=True)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, on the reference
def test_training_that_diverges_leaves_the_model_as_it_was(counts):
    model = small(learning_rate=1e30)
    with pytest.raises(FloatingPointError, match=r"epoch 1: learning_rate=1e\+30 is probably too large"):
        model.fit(counts)
    assert not hasattr(model, "vectors_")
    before = learned(model.set_params(learning_rate=0.05).fit(counts))
    with pytest.raises(FloatingPointError, match="in epoch 4: "):
        model.set_params(learning_rate=1e30).fit(counts)
    assert_same(before, learned(model))
    assert len(model.history_) == 3


@pytest.mark.any_backend(trains=True)
@can_be_interrupted
def test_control_c_keeps_what_was_learned(counts, monkeypatch):
    model = small(epochs=1_000_000, threads=2)
    interrupt_training_after(monkeypatch, 0.02)
    with pytest.warns(UserWarning, match=r"interrupted in epoch \d+ of 1000000; what was") as caught:
        model.fit(counts)
    assert caught[0].filename == __file__
    assert model.interrupted_
    assert np.isfinite(model.vectors_.vectors).all()


@pytest.mark.any_backend(trains=True)
def test_a_text_without_counts_is_refused():
    with pytest.raises(ValueError, match=r"source must have a sentence with two words .* Vocabulary\(2 "):
        small(min_count=1).fit([["alone"], ["single"]])


@pytest.mark.any_backend(trains=True)
def test_counts_that_were_not_counted_are_refused():
    with pytest.raises(ValueError, match=r"call fit on Cooccurrence\(window=3\)"):
        small().fit(fastvec.Cooccurrence(window=3))


@pytest.mark.any_backend(trains=True)
def test_parameters_can_be_read_set_and_shown():
    model = fastvec.GloVe(x_max=10)
    assert model.get_params()["alpha"] == 0.75
    assert repr(model.set_params(combine="word")) == "GloVe(x_max=10, combine='word')"
    with pytest.raises(ValueError, match="got 'negatives'"):
        model.set_params(negatives=3)
