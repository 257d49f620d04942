"""`deterministic`: the same bits for any number of threads, whatever a training goes through."""

import os
import signal
import threading

import numpy as np
import pytest
import safetensors_files
from commands import HANGS, succeed
from inside import set_sizes, usable_threads, watch_chunks, wrap
from interrupts import can_be_interrupted
from sklearn.base import clone
from small_runs import ANY_THREADS, FAMILIES, corpus, cut_small, learned, make, stopped_at

import fastvec
from fastvec import kernels

ALONE = ["skipgram-softmax", "cbow-positions"]
TOGETHER = [name for name in FAMILIES if name not in (*ALONE, *ANY_THREADS)]
COUNTS = (1, 2, 3, 8)
WIDE = 40  # columns for four threads: two groups of two cache lines


@pytest.fixture(autouse=True)
def many_chunks(monkeypatch):
    cut_small(monkeypatch)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.fvec"


def same(family, threads=1, **params):
    return make(family, **{"vector_size": WIDE, "deterministic": True, "threads": threads} | params)


def results(family, text, **params):
    return [learned(same(family, threads, **params).fit(text)) for threads in COUNTS]


def assert_all_equal(found):
    assert all(one == found[0] for one in found[1:])


# The same for any number of threads


@pytest.mark.parametrize("family", TOGETHER)
def test_any_number_of_threads_makes_the_same_vectors(family):
    text = corpus()
    assert_all_equal(results(family, text))
    if kernels.selected() != "reference":
        assert learned(same(family).fit(text)) != learned(make(family, vector_size=WIDE).fit(text))


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize("family", ALONE)
def test_what_threads_cannot_share_is_done_by_one(family):
    text = corpus()
    model = same(family, threads=3).fit(text)
    assert learned(model) == learned(make(family, vector_size=WIDE).fit(text))
    assert model.vectors_.metadata["threads"] == 1


@pytest.mark.parametrize("vector_size", [1, 16, 17, 33, 100])
def test_columns_of_any_number(vector_size):
    text, start = corpus(), same("skipgram", vector_size=vector_size, learning_rate=1e-30, epochs=1)
    models = [same("skipgram", threads, vector_size=vector_size, epochs=1).fit(text) for threads in COUNTS]
    assert_all_equal([learned(model) for model in models])
    assert (models[0].vectors_.vectors != start.fit(text).vectors_.vectors).any(axis=0).all()


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize(
    "params",
    [{"shuffle": True}, {"memory_limit": 1000}, {"progress": True}, {"window": 30, "negatives": 20}],
    ids=str,
)
def test_other_parameters_make_no_difference_to_that(params):
    text = [["word1", "word2", "word3", "word4", "word5"][: 2 + i % 4] for i in range(700)]
    assert_all_equal(results("cbow", text, **params))


@pytest.mark.any_backend(trains=True)
def test_words_that_are_held_out_are_scored_alike(monkeypatch):
    set_sizes(monkeypatch, shortest_text=1)
    text = corpus()
    found = results("skipgram", text)
    assert_all_equal(found)
    assert found[0]["history"] != learned(make("skipgram", vector_size=WIDE).fit(text))["history"]


@pytest.mark.any_backend(trains=True)
@pytest.mark.skipif(kernels.selected() == "reference", reason="the reference works on whole rows")
@pytest.mark.parametrize(
    ("vector_size", "threads", "at_work"), [(16, 8, 1), (32, 8, 2), (100, 3, 2), (100, 30, 8)]
)
def test_as_many_threads_work_as_have_columns(vector_size, threads, at_work):
    model = same("skipgram", threads, vector_size=vector_size).fit(corpus())
    assert model.vectors_.metadata["threads"] == at_work


@pytest.mark.any_backend(trains=True)
def test_all_processors_work_by_default():
    text = corpus()
    model = same("skipgram", None).fit(text)
    assert learned(model) == learned(same("skipgram").fit(text))
    if kernels.selected() != "reference" and usable_threads() < 4:
        assert model.vectors_.metadata["threads"] == usable_threads()


# Interrupted and resumed


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize("family", ["skipgram", "cbow-hs", "fasttext-cbow"])
@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (8, 3)])
def test_what_is_stopped_within_an_epoch_goes_on_with_other_threads(family, before, after, path, monkeypatch):
    text = corpus()
    whole = same(family).fit(text)
    first = stopped_at(monkeypatch, same(family, before), 20, text, checkpoint=path)
    assert 0 < first.history_[-1].pairs < whole.history_[0].pairs
    model = same(family, after).fit(text, checkpoint=path, resume=True)
    assert learned(model) == learned(whole)


@pytest.mark.any_backend(trains=True)
def test_checkpoints_at_any_moment_do_not_disturb_the_training(path):
    text = corpus()
    model = same("skipgram", 3).fit(text, checkpoint=path, checkpoint_every="0.001s")
    assert learned(model) == learned(same("skipgram").fit(text)) == learned(fastvec.load_model(path))


@pytest.mark.any_backend(trains=True)
@can_be_interrupted
@pytest.mark.parametrize("threads", [1, 3])
def test_after_control_c_it_goes_on(threads, path, monkeypatch):
    text, chunks = corpus(), []

    def begun():
        chunks.append(None)
        if len(chunks) == 30:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch, pytest.warns(UserWarning, match="what was learned is kept"):
        watch_chunks(patch, begun)
        model = same("skipgram", threads).fit(text, checkpoint=path)
    assert model.interrupted_
    model = same("skipgram", 2).fit(text, checkpoint=path, resume=True)
    assert learned(model) == learned(same("skipgram").fit(text))


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize("update_vocabulary", [False, True])
@pytest.mark.parametrize("family", ["skipgram-hs", "cbow", "fasttext"])
def test_continued_training(family, update_vocabulary):
    text = fastvec.Corpus([*corpus(1), ["word1", "new", "word2"] * 40])
    models = [same(family, threads, epochs=1).fit(corpus()) for threads in COUNTS]
    models = [model.fit(text, update_vocabulary=update_vocabulary) for model in models]
    assert_all_equal([learned(model) for model in models])
    assert ("new" in models[0].vocabulary_) == update_vocabulary


@pytest.mark.any_backend(trains=True)
def test_a_callback_sees_what_was_learned_and_ends_the_training():
    seen = []

    def callback(model):
        seen.append(model.vectors_.vectors.copy())
        return len(model.history_) == 2

    model = same("skipgram", 3, callbacks=[callback]).fit(corpus())
    assert len(seen) == 2
    assert not np.array_equal(*seen)
    np.testing.assert_array_equal(seen[1], model.vectors_.vectors)


# Errors


@pytest.mark.any_backend(trains=True)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, on the reference
@pytest.mark.parametrize("family", ["skipgram", "cbow", "fasttext"])
def test_what_diverges_leaves_the_model_as_it_was(family):
    model = same(family, 3, epochs=1).fit(corpus())
    before, running = learned(model), threading.active_count()
    with pytest.raises(FloatingPointError, match="learning_rate=1e\\+30 is probably too large"):
        model.set_params(learning_rate=1e30).fit(corpus())
    assert learned(model) == before
    assert threading.active_count() == running


@pytest.mark.any_backend(trains=True)
@pytest.mark.skipif(kernels.selected() == "reference", reason="the reference has one thread")
@pytest.mark.parametrize("in_main", [False, True])
def test_an_error_in_any_thread_ends_the_training(in_main, monkeypatch):
    calls = []

    def fail():
        calls.append(None)
        is_main = threading.current_thread() is threading.main_thread()
        if is_main == in_main and len(calls) > 20:
            raise MemoryError("in one of them")

    watch_chunks(monkeypatch, fail)
    running = threading.active_count()
    model = same("skipgram", 4, epochs=1_000_000)
    with pytest.raises(MemoryError, match="in one of them"):
        model.fit(corpus())
    assert threading.active_count() == running
    assert not hasattr(model, "vectors_")


@pytest.mark.any_backend(trains=True)
@pytest.mark.skipif(kernels.selected() == "reference", reason="the reference has one thread")
def test_without_threads_that_begin_nothing_waits_for_them(monkeypatch):
    start, begun = threading.Thread.start, []

    def start_two(thread):
        begun.append(thread)
        if len(begun) == 3:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_two)
    running = threading.active_count()
    with pytest.raises(RuntimeError, match="can't start new thread"):
        same("skipgram", 4).fit(corpus())
    assert threading.active_count() == running


@pytest.mark.any_backend(trains=True)
@pytest.mark.skipif(kernels.selected() == "reference", reason="the reference has one thread")
def test_the_others_do_not_pass_a_thread_that_stops_where_nothing_is_trained_on(monkeypatch):
    """At a chunk that is wholly held out no thread waits for another."""
    chunk, at, passed = 8, [], threading.Event()
    set_sizes(monkeypatch, words_chunk=chunk, shortest_text=1)
    words = np.random.default_rng(0).integers(0, 50, 1 << 13).astype(str)

    def stop_there(real, train_chunk, *given, held_out, stop, **named):
        begin, end = next((-(-b // chunk) * chunk, e) for b, e in held_out.spans if b > chunk)
        assert begin + chunk <= end

        def watched(**one):
            if "team" in one and one["team"].thread == 0:
                at[:] = [one["start"]]
            elif one["start"] > begin and "team" in one:
                passed.set()
            return train_chunk(**one)

        def reached():
            return at == [begin - chunk] and passed.wait(HANGS)

        return real(watched, *given, held_out=held_out, stop=reached, **named)

    wrap(monkeypatch, "train", stop_there)
    model = fastvec.SkipGram(vector_size=WIDE, deterministic=True, threads=3, epochs=1)
    fitting = threading.Thread(target=model.fit, args=(words.reshape(-1, 64).tolist(),), daemon=True)
    fitting.start()
    fitting.join(HANGS)
    assert not fitting.is_alive()
    assert passed.is_set()


# Texts of few words: a batch in which a row is used again and again must not move it too far

FEW_WORDS = {
    "two": [["alpha", "beta"]] * 3_000,
    "five": [["a1", "b2", "c3", "d4", "e5"] * 1_000],
    "n-grams in common": [[f"something{(i * i + i // 3) % 120}" for i in range(5_000)]],
}
LOSSES = {
    "skipgram": (fastvec.SkipGram, {}),
    "unshared": (fastvec.SkipGram, {"negative_sharing": "none"}),
    "bpr": (fastvec.SkipGram, {"loss": "bpr"}),
    "skipgram-hs": (fastvec.SkipGram, {"loss": "hierarchical_softmax"}),
    "cbow": (fastvec.CBOW, {}),
    "cbow-unscaled": (fastvec.CBOW, {"scale_gradient": False}),
    "cbow-hs": (fastvec.CBOW, {"loss": "hierarchical_softmax"}),
    "fasttext": (fastvec.FastText, {"buckets": 500}),
    "fasttext-cbow": (fastvec.FastText, {"buckets": 500, "model": "cbow"}),
    "fasttext-hs": (fastvec.FastText, {"buckets": 500, "loss": "hierarchical_softmax"}),
    "cbow-sum": (fastvec.CBOW, {"pooling": "sum"}),
    "fasttext-sum": (fastvec.FastText, {"buckets": 500, "model": "cbow", "pooling": "sum"}),
}


@pytest.mark.any_backend(trains=True)
@pytest.mark.skipif(kernels.selected() == "reference", reason="some minutes on the reference")
@pytest.mark.parametrize("text", FEW_WORDS)
@pytest.mark.parametrize("loss", LOSSES)
def test_texts_of_few_words_are_learned_as_without_it(loss, text):
    estimator, own = LOSSES[loss]
    words = fastvec.Corpus(FEW_WORDS[text])
    for params in ({}, {"vector_size": 1}, {"window": 50}, {"negatives": 50}):
        if loss == "bpr" and "negatives" in params:
            params |= {"learning_rate": 0.0125 / 10}
        if loss.endswith("-sum") and "window" in params:  # of a hundred words, or their n-grams
            params |= {"learning_rate": 1e-4}
        common = {
            "vector_size": 50,
            "min_count": 1,
            "subsample": 0,
            "epochs": 1,
            "threads": 1,
            **own,
            **params,
        }
        usual, model = (
            estimator(deterministic=deterministic, **common).fit(words) for deterministic in (False, True)
        )
        assert model.history_[-1].loss < 1.1 * usual.history_[-1].loss + 0.001, params


@pytest.mark.any_backend(trains=True)
@pytest.mark.skipif(kernels.selected() == "reference", reason="the reference has no batches")
def test_words_whose_ngrams_are_nearly_the_same_are_learned_as_without_it(monkeypatch):
    set_sizes(monkeypatch, words_chunk=8192)  # no chunk ends a batch
    words = fastvec.Corpus([["something" * 3 + str((i * i + i // 3) % 120) for i in range(5_000)]])
    estimator, own = LOSSES["fasttext-sum"]
    common = {"vector_size": 50, "min_count": 1, "subsample": 0, "epochs": 1, "threads": 1, "negatives": 50}
    usual, model = (
        estimator(deterministic=deterministic, **common, **own).fit(words) for deterministic in (False, True)
    )
    assert model.history_[-1].loss < 1.05 * usual.history_[-1].loss


# The parameter


@pytest.mark.any_backend(trains=True)
def test_it_is_kept_in_files_and_by_clones(path):
    model = same("skipgram", 2).fit(corpus())
    model.save(path)
    assert fastvec.load_model(path).deterministic
    assert clone(model).deterministic
    assert model.vectors_.metadata["deterministic"]


@pytest.mark.any_backend(trains=True)
def test_files_from_before_there_was_such_a_parameter_are_read_and_resumed(path, monkeypatch):
    text = corpus()
    stopped_at(monkeypatch, make("skipgram"), 20, text, checkpoint=path)
    safetensors_files.rewrite(
        path, "model", lambda _, model: model["parameters"].pop("deterministic") and None
    )
    assert not fastvec.load_model(path).deterministic
    with pytest.raises(ValueError, match="deterministic must be False as in the checkpoint, got True"):
        make("skipgram", deterministic=True).fit(text, checkpoint=path, resume=True)
    model = make("skipgram").fit(text, checkpoint=path, resume=True)
    assert learned(model) == learned(make("skipgram").fit(text))


@pytest.mark.any_backend(trains=True)
def test_the_command_makes_the_same_vectors_with_any_number_of_threads(tmp_path):
    text = tmp_path / "text"
    text.write_text("\n".join(" ".join(f"word{(i * i + j) % 31}" for j in range(12)) for i in range(500)))
    vectors = []
    for threads in ("1", "3"):
        out = tmp_path / f"{threads}.vec"
        succeed(
            "train", text, "-o", out, "--deterministic", "--threads", threads, "--vector-size", "40", "-q"
        )
        vectors.append(out.read_bytes())
    assert vectors[0] == vectors[1]
