"""Whole models in files: training goes on from them as if it had never stopped; nothing is trusted."""

import numpy as np
import pytest
import safetensors_files
from peers import fasttext
from safetensors_files import rewrite

import fastvec

pytestmark = pytest.mark.any_backend(trains=True)

VARIANTS = {
    "skipgram": (fastvec.SkipGram, {"negative_sharing": "none", "max_vocab": 30}),
    "skipgram-hs": (fastvec.SkipGram, {"loss": "hierarchical_softmax"}),
    "cbow-softmax": (fastvec.CBOW, {"loss": "softmax", "scale_gradient": False}),
    "cbow-positions": (fastvec.CBOW, {"position_weights": True, "window": 2}),
    "fasttext": (fastvec.FastText, {"buckets": 300, "model": "cbow", "min_n": 2}),
    "fasttext-hs": (fastvec.FastText, {"buckets": 300, "loss": "hierarchical_softmax", "min_n": 2}),
    "cbow-sum": (fastvec.CBOW, {"pooling": "sum"}),
}


@pytest.fixture(params=VARIANTS)
def model(request, topics):
    """A trained estimator of one variant."""
    estimator, own = VARIANTS[request.param]
    params = {"vector_size": 20, "min_count": 1, "threads": 1, "epochs": 2, "subsample": 0.01}
    return estimator(**params, **own).fit(topics(60))


def everything(model):
    names = ("input_vectors_", "output_vectors_", "node_vectors_", "position_weights_")
    found = {name: getattr(model, name) for name in names if hasattr(model, name)}
    if hasattr(model, "tree_"):
        found |= {"parents": model.tree_.parents, "codes": model.tree_.codes}
    return found | {"vectors_": model.vectors_.vectors, "counts": model.vocabulary_.counts}


def assert_same(a, b):
    assert type(a) is type(b)
    assert a.get_params() == b.get_params()
    assert a.vocabulary_.words == b.vocabulary_.words
    assert a.vectors_.metadata == b.vectors_.metadata
    ours, theirs = everything(a), everything(b)
    assert set(ours) == set(theirs)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def test_what_was_saved_comes_back(model, tmp_path):
    model.save(tmp_path / "model.fvec")
    loaded = fastvec.load_model(tmp_path / "model.fvec")
    assert_same(model, loaded)
    assert loaded.history_ == model.history_
    assert not loaded.interrupted_


@pytest.mark.parametrize("update", [False, True])
def test_training_goes_on_bit_for_bit_as_in_memory(model, tmp_path, topics, update):
    more = [*topics(30, seed=1), *[["sea1", "novel", "sea2"]] * 20]
    model.save(tmp_path / "model.fvec")
    loaded = fastvec.load_model(tmp_path / "model.fvec").set_params(epochs=3)
    model.set_params(epochs=3)
    assert_same(model.fit(more, update_vocabulary=update), loaded.fit(more, update_vocabulary=update))
    assert len(loaded.history_) == 5
    assert ("novel" in loaded.vocabulary_) == update


def test_a_whole_model_is_a_file_of_vectors_too(model, tmp_path):
    path = tmp_path / "model.fvec"
    model.save(path)
    for mmap in (False, True):
        vectors = fastvec.load(path, mmap=mmap)
        assert type(vectors) is type(model.vectors_)
        assert vectors.words == model.vectors_.words
        np.testing.assert_array_equal(vectors.vectors, model.vectors_.vectors)
        assert vectors.metadata == model.vectors_.metadata
    assert vectors.metadata["estimator"] == type(model).__name__


def test_a_model_is_saved_as_it_was_trained(model, tmp_path):
    model.set_params(vector_size=99, epochs=7).save(tmp_path / "model.fvec")
    loaded = fastvec.load_model(tmp_path / "model.fvec")
    assert (loaded.vector_size, loaded.epochs) == (20, 2)


def test_a_model_that_was_loaded_is_saved_again(model, tmp_path):
    first, second = tmp_path / "first.fvec", tmp_path / "second.fvec"
    model.save(first)
    fastvec.load_model(first).save(second)
    assert first.read_bytes() == second.read_bytes()
    fastvec.load_model(first).save(first)
    assert first.read_bytes() == second.read_bytes()


def test_numbers_of_numpy_are_saved(topics, tmp_path):
    size = np.int64(8)
    model = fastvec.SkipGram(vector_size=size, min_count=1, subsample=np.float32(0.5)).fit(topics(20))
    model.save(tmp_path / "model.fvec")
    assert fastvec.load_model(tmp_path / "model.fvec").subsample == 0.5


# fastText 0.9.3 starts a tenth of its input matrix in each thread, and leaves the rest as the memory was.
THEIR_OPTIONS = {"dim": 20, "epoch": 2, "minCount": 1, "bucket": 300, "thread": 10, "verbose": 0}


def test_fasttext_and_ours_read_each_other(topics, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("".join(" ".join(sentence) + "\n" for sentence in topics(100)))
    theirs = fasttext.train_unsupervised(str(text), **THEIR_OPTIONS)
    theirs.save_model(str(tmp_path / "theirs.bin"))

    model = fastvec.load_model(tmp_path / "theirs.bin")
    assert isinstance(model, fastvec.FastText)
    assert (model.vector_size, model.epochs, model.min_count, model.buckets) == (20, 2, 1, 300)
    np.testing.assert_array_equal(model.input_vectors_, theirs.get_input_matrix())
    np.testing.assert_array_equal(model.output_vectors_, theirs.get_output_matrix())
    assert model.history_ == []
    model.set_params(threads=1, subsample=0.01).fit(text)
    assert model.history_[0].loss < 6 * np.log(2)  # less than of vectors that know nothing

    model.save(tmp_path / "ours.bin")
    again = fasttext.load_model(str(tmp_path / "ours.bin"))
    for word in ("sea3", "unseen"):
        np.testing.assert_allclose(again.get_word_vector(word), model.vectors_[word], atol=1e-6)
    np.testing.assert_array_equal(again.get_output_matrix(), model.output_vectors_)


def test_fasttext_models_that_we_do_not_train_are_refused(topics, tmp_path):
    text, path = tmp_path / "text.txt", tmp_path / "theirs.bin"
    text.write_text("".join(f"__label__{s[0][:2]} {' '.join(s)}\n" for s in topics(50)))
    fasttext.train_unsupervised(str(text), loss="softmax", **THEIR_OPTIONS).save_model(str(path))
    with pytest.raises(ValueError, match=r"a model of skipgram with softmax; fastvec\.load reads its vec"):
        fastvec.load_model(path)
    fasttext.train_supervised(str(text), loss="ns", **THEIR_OPTIONS).save_model(str(path))
    with pytest.raises(ValueError, match=r"a model of supervised with negative_sampling; fastvec\.load"):
        fastvec.load_model(path)


def test_vectors_alone_are_refused(model, tmp_path):
    message = "it holds vectors only; the whole model is in a file written by `model.save`"
    for name in ["vectors.fvec", *(["vectors.bin"] if isinstance(model, fastvec.FastText) else [])]:
        model.vectors_.save(tmp_path / name)
        with pytest.raises(ValueError, match=f"{name}: {message}"):
            fastvec.load_model(tmp_path / name)


def test_extensions(model, tmp_path):
    has_bin = isinstance(model, fastvec.FastText)
    rule = "end in .fvec or .bin to hold a whole" if has_bin else "end in .fvec to hold a whole"
    with pytest.raises(ValueError, match=f"path must {rule} {type(model).__name__}, got '.*model.vec'"):
        model.save(tmp_path / "model.vec")
    assert list(tmp_path.iterdir()) == []


def test_before_fit_there_is_nothing_to_save(tmp_path):
    with pytest.raises(AttributeError, match="CBOW has no vectors_ to save before fit"):
        fastvec.CBOW().save(tmp_path / "model.fvec")


@pytest.mark.parametrize(
    ("variant", "change", "message"),
    [
        ("skipgram", lambda t, m: t.pop("output_vectors"), r"output_vectors must be float32 .* \(30, 20\)"),
        ("skipgram", lambda t, m: t.update(output_vectors=t["vectors"][1:]), r"output_vectors .* \(29, 20\)"),
        ("skipgram", lambda t, m: t.update(output_vectors=t["vectors"].astype("f8")), "got float64"),
        ("skipgram", lambda t, m: t.update(counts=t["counts"][::-1].copy()), "counts must be positive"),
        ("skipgram", lambda t, m: t.update(counts=t["counts"] * 0), "counts must be positive"),
        ("skipgram", lambda t, m: t.pop("counts"), "damaged"),
        ("skipgram", lambda t, m: m["parameters"].update(vector_size=16), r"of shape \(30, 16\), got"),
        ("skipgram", lambda t, m: m["parameters"].update(window=0), "window must be an int from 1 to"),
        ("skipgram", lambda t, m: m["parameters"].update(loss="softmax", future=1), "future"),
        ("skipgram", lambda t, m: m.update(estimator="LDA"), "unknown estimator 'LDA'; this fastvec knows S"),
        ("skipgram", lambda t, m: m.update(estimator="CBOW"), "negative_sharing"),
        ("skipgram", lambda t, m: m.pop("history"), "damaged"),
        ("skipgram", lambda t, m: m.update(history=3), "damaged"),
        ("skipgram", lambda t, m: m["history"][0].update(loss="low"), "damaged"),
        ("skipgram", lambda t, m: m["history"][0].pop("loss"), "damaged"),
        ("skipgram", lambda t, m: m.update(parameters=[1]), "damaged"),
        ("skipgram-hs", lambda t, m: t.pop("node_vectors"), r"node_vectors must be float32 .* \(38, 20\)"),
        ("skipgram-hs", lambda t, m: t.pop("tree_parents"), "the tree must be int32 and uint8"),
        ("skipgram-hs", lambda t, m: t["tree_codes"].fill(0), "the tree is damaged"),
        ("skipgram-hs", lambda t, m: t["tree_parents"].fill(10**6), "the tree is damaged"),
        ("cbow-positions", lambda t, m: m["parameters"].update(window=3), r"position_weights .* \(6, 20\)"),
        ("fasttext", lambda t, m: m["parameters"].update(buckets=99), r"input_vectors .* \(138, 20\)"),
    ],
)  # fmt: skip
def test_damage_is_named(variant, change, message, topics, tmp_path):
    estimator, own = VARIANTS[variant]
    params = {"vector_size": 20, "min_count": 1, "threads": 1, "epochs": 1, "subsample": 0.01}
    path = tmp_path / "model.fvec"
    estimator(**params, **own).fit(topics(20)).save(path)
    rewrite(path, "model", change)
    with pytest.raises(ValueError, match=message) as raised:
        fastvec.load_model(path)
    assert str(raised.value).startswith(str(path))


def test_a_tree_of_other_words_is_refused(topics, tmp_path):
    params = {"loss": "hierarchical_softmax", "vector_size": 4, "min_count": 1, "subsample": 0.01}
    small, path = tmp_path / "small.fvec", tmp_path / "model.fvec"
    fastvec.SkipGram(**params, max_vocab=9).fit(topics(20)).save(small)
    fastvec.SkipGram(**params).fit(topics(20)).save(path)
    tensors, _ = safetensors_files.read(small)
    tree = {name: tensors[name] for name in ("tree_parents", "tree_codes")}
    rewrite(path, "model", lambda tensors, _: tensors.update(tree))
    with pytest.raises(ValueError, match="the tree must have 39 words, two or more, got 9"):
        fastvec.load_model(path)


def test_what_is_no_model_is_named(tmp_path):
    path = tmp_path / "model.fvec"
    path.write_bytes(b"nothing of the sort")
    with pytest.raises(ValueError, match="not a safetensors file"):
        fastvec.load_model(path)
    with pytest.raises(FileNotFoundError):
        fastvec.load_model(tmp_path / "missing.fvec")


@pytest.mark.parametrize("name", ["input_vectors", "output_vectors"])
def test_models_to_train_on_are_finite(tmp_path, name):
    path = tmp_path / "m.fvec"
    model = fastvec.SkipGram(vector_size=4, min_count=1, subsample=0, epochs=1, threads=1)
    model.fit([["a", "b", "c"]] * 9)
    model._state.parameters[name][1, 2] = np.nan
    if name == "input_vectors":  # `save` makes vectors of them, which cannot be
        with pytest.raises(ValueError, match="vectors must be finite"):
            model.save(path)
        return
    model.save(path)
    with pytest.raises(ValueError, match=r"output_vectors must be finite .* in dimension 3 of row 2, 'b'"):
        fastvec.load_model(path)
