"""Classifiers in files: what comes back predicts the same bit for bit and goes on; nothing is trusted."""

import json
import os
import pickletools
import stat
import subprocess
import sys

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file
from safetensors_files import rewrite
from saved_classifiers import CLASSES, EVERY, OPINIONS, ROWS, SENTENCES, TAGS, TEXTS, WORDS, answers, trained
from sklearn.exceptions import NotFittedError

from fastvec import classify
from fastvec.classify import (
    SoftmaxClassifier,
    TextClassifier,
    TextVectorizer,
    WindowClassifier,
    WindowRanker,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:train_vectors=True on a small data set"),
    pytest.mark.any_backend(trains=True),
]

with_files = pytest.mark.parametrize("name", EVERY)


@pytest.fixture
def loaded(tmp_path):
    """Function that loads the file of a name, or other bytes."""

    def get(name, content=None):
        path = tmp_path / "model.fvmodel"
        path.write_bytes(trained(name)[1] if content is None else content)
        return classify.load(path)

    return get


def assert_same(name, ours, theirs):
    for a, b in zip(answers(name, ours), answers(name, theirs), strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        assert a.tobytes() == b.tobytes() or (a.dtype == object and a.tolist() == b.tolist())


# ---- There and back ---------------------------------------------------------------------------------------


@with_files
def test_what_was_saved_comes_back(loaded, name):
    model, again = trained(name)[0], loaded(name)
    assert type(again) is type(model)
    assert_same(name, again, model)
    left_out = {"vectors": None, "progress": None}
    assert again.get_params() | left_out == model.get_params() | left_out
    for what in ("classes_", "threshold_", "n_features_in_", "n_parameters_", "idf_", "frequencies_"):
        assert hasattr(again, what) == hasattr(model, what), what
        if hasattr(model, what):
            np.testing.assert_equal(getattr(again, what), getattr(model, what), err_msg=what)
    assert getattr(again, "history_", None) == getattr(model, "history_", None)
    assert (again.get_params().get("vectors") is None) == (model.get_params().get("vectors") is None)


@with_files
def test_what_was_loaded_is_saved_again_byte_for_byte(loaded, name, tmp_path):
    path = tmp_path / "again.fvmodel"
    loaded(name).save(path)
    assert path.read_bytes() == trained(name)[1]


@pytest.mark.parametrize("name", [name for name in EVERY if hasattr(EVERY[name][0], "partial_fit")])
def test_training_goes_on(loaded, name):
    model, again = trained(name)[0], loaded(name)
    _, X, y, _ = EVERY[name]
    again.partial_fit(X, y)
    assert [epoch.epoch for epoch in again.history_] == [*range(1, len(model.history_) + 2)]
    assert again.history_[:-1] == model.history_ and np.isfinite(again.history_[-1].loss)
    assert not again.interrupted_
    for parameter, array in again.parameters_.items():
        same = parameter == "vectors" and not again.train_vectors
        assert np.array_equal(array, model.parameters_[parameter]) == same, parameter


def test_training_that_goes_on_draws_other_orders(loaded, tmp_path):
    states, model = [], loaded("softmax")
    for _ in range(3):
        states.append(model.partial_fit(ROWS, CLASSES)._generator.bit_generator.state["state"]["state"])
        model.save(tmp_path / "again.fvmodel")
        model = classify.load(tmp_path / "again.fvmodel")
    assert len(set(states)) == 3


def test_training_of_texts_goes_on_bit_for_bit(loaded):
    again, other = loaded("text-vectors"), loaded("text-vectors")
    for _ in range(2):
        again.partial_fit(TEXTS, OPINIONS)
        other.partial_fit(TEXTS, OPINIONS)
    assert_same("text-vectors", again, other)


@pytest.mark.parametrize("name", ["text-vectors", "window-features", "ranker-vectors"])
def test_vectors_are_those_that_the_training_made(loaded, name):
    model, again = trained(name)[0], loaded(name)
    assert again.vectors.words == again.vectors_.words == model.vectors_.words
    np.testing.assert_array_equal(again.vectors.vectors, model.vectors_.vectors)


@pytest.mark.parametrize("name", [name for name in EVERY if name.startswith("vectorizer")])
def test_a_vectorizer_keeps_its_vectors_as_they_are(loaded, name):
    mine, again = trained(name)[0].vectors, loaded(name).vectors
    assert type(again) is type(mine)
    assert (again.words, again.metadata) == (mine.words, mine.metadata)
    np.testing.assert_array_equal(again.vectors, mine.vectors)
    np.testing.assert_equal(again.counts, mine.counts)


LABELS = [["a", "b"], ["é", "日本"], [-5, 7], [False, True], [1.0, -2.0], [2**40, -(2**40)], [0, 300]]
NUMBERS = [np.int8, np.uint16, np.float32, np.int64, np.float64]


@pytest.mark.parametrize("labels", LABELS)
def test_labels_come_back_as_they_are(labels, tmp_path):
    for kind in (None, object) if isinstance(labels[0], str) else (None,):
        y = np.array(labels * 5, dtype=kind)
        TextClassifier(vector_size=2).fit(["a", "b"] * 5, y).save(tmp_path / "model.fvmodel")
        classes = classify.load(tmp_path / "model.fvmodel").classes_
        assert classes.dtype == y.dtype
        assert classes.tolist() == sorted(labels)


@pytest.mark.parametrize("dtype", NUMBERS)
def test_types_of_labels_come_back(dtype, tmp_path):
    model = SoftmaxClassifier(epochs=1).fit(ROWS, (np.arange(40) % 2).astype(dtype))
    model.save(tmp_path / "model.fvmodel")
    assert classify.load(tmp_path / "model.fvmodel").predict(ROWS).dtype == dtype


def test_labels_that_json_cannot_say_are_refused_before_training():
    for y in (np.array(["2020-01-01", "2021-01-01"], "M8[D]"), [b"a", b"b"], np.array([b"a", b"b"])):
        with pytest.raises(ValueError, match=r"y must have a label for each .*, got .* at position 0"):
            TextClassifier(vector_size=2).fit(["a", "b"], y)


def test_numbers_of_numpy_and_lists_are_saved(tmp_path):
    sizes = {"hidden": [np.int64(4), 3], "window": np.int32(1), "l2": np.float32(0.5)}
    model = WindowClassifier(**WORDS | sizes, features=["case"]).fit(SENTENCES, TAGS)
    model.save(tmp_path / "model.fvmodel")
    params = classify.load(tmp_path / "model.fvmodel").get_params()
    assert (list(params["hidden"]), params["window"], params["l2"]) == ([4, 3], 1, 0.5)
    assert list(params["features"]) == ["case"]


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("window", {"window": 2}),
        ("two", {"hidden": 7}),
        ("numbers", {"hidden": (7, 3)}),
        ("window-features", {"features": ()}),
        ("text", {"buckets": 3, "word_ngrams": 1}),
        ("vectorizer-mean", {"pooling": "sif"}),
        ("vectorizer-sif", {"pooling": "tfidf"}),
    ],
)
def test_parameters_set_after_fit_make_no_file_that_cannot_be_used(loaded, name, changed, tmp_path):
    """The file is of what was trained, or there is none."""
    model, path = loaded(name), tmp_path / "changed.fvmodel"
    expected = answers(name, model)
    try:
        model.set_params(**changed).save(path)
    except (ValueError, NotFittedError):
        assert not path.exists()
    else:
        for a, b in zip(expected, answers(name, classify.load(path)), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("name", "loss"), [("two", "cross_entropy"), ("numbers-2", "squared_error")])
def test_files_with_the_former_name_of_the_networks_are_read(loaded, name, loss, tmp_path):
    path = tmp_path / "former.fvmodel"
    path.write_bytes(trained(name)[1])

    def with_former_names(tensors, classifier):
        classifier["estimator"] = "TwoLayerClassifier"
        classifier["parameters"]["loss"] = loss

    rewrite(path, "classifier", with_former_names)
    again = classify.load(path)
    assert type(again) is type(trained(name)[0])
    assert_same(name, again, loaded(name))


# ---- The file ---------------------------------------------------------------------------------------------


@with_files
def test_the_file_is_one_of_safetensors_and_no_pickle(name, tmp_path):
    content = trained(name)[1]
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    tensors = load_file(path)
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
    assert (metadata["format"], metadata["format_version"]) == ("fastvec-classifier", "1")
    assert json.loads(metadata["classifier"])["estimator"] == type(EVERY[name][0]).__name__
    for parameter, array in getattr(trained(name)[0], "parameters_", {}).items():
        np.testing.assert_array_equal(tensors[f"parameters.{parameter}"], array)
    with pytest.raises(Exception):  # noqa: B017
        list(pickletools.genops(content))


def test_reading_imports_and_runs_nothing_of_a_file(tmp_path, monkeypatch):
    for module, function in (("pickle", "loads"), ("pickle", "load"), ("builtins", "eval"), ("os", "system")):
        monkeypatch.setattr(f"{module}.{function}", lambda *_: pytest.fail("a file is run"))
    path = tmp_path / "model.fvmodel"
    for name in EVERY:
        path.write_bytes(trained(name)[1])
        classify.load(path)


def test_extensions(tmp_path):
    for name in ("model.fvec", "model", "model.fvmodel.gz"):
        with pytest.raises(ValueError, match=r"path must end in \.fvmodel, got '.*model"):
            trained("text")[0].save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    trained("text")[0].save(str(tmp_path / "MODEL.FVMODEL"))
    assert_same("text", classify.load(str(tmp_path / "MODEL.FVMODEL")), trained("text")[0])


@pytest.mark.parametrize(
    "estimator", [SoftmaxClassifier(), TextClassifier(), TextVectorizer(), WindowRanker()]
)
def test_before_fit_there_is_nothing_to_save(estimator, tmp_path):
    with pytest.raises(NotFittedError, match=f"This {type(estimator).__name__} instance is not fitted yet"):
        estimator.save(tmp_path / "model.fvmodel")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_the_permissions_of_an_old_file_stay(tmp_path):
    path = tmp_path / "model.fvmodel"
    path.touch()
    path.chmod(0o640)
    trained("softmax")[0].save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


FULL = """
import resource, sys
from fastvec import classify
model = classify.load(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # as a full disk, every write beyond it fails
try:
    model.save(sys.argv[2])
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_full_disk_leaves_the_old_file(tmp_path):
    path, old = tmp_path / "model.fvmodel", tmp_path / "old.fvmodel"
    path.write_bytes(trained("window")[1])
    old.write_bytes(trained("text")[1])
    done = subprocess.run([sys.executable, "-c", FULL, path, old], capture_output=True, text=True)
    assert done.stdout == f"[Errno 27] {os.strerror(27)}: {str(old)!r}\n", done.stderr
    assert sorted(tmp_path.iterdir()) == sorted([path, old])
    assert old.read_bytes() == trained("text")[1]


def test_an_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.fvmodel"
    path.write_bytes(b"old")

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        trained("text")[0].save(path)
    assert list(tmp_path.iterdir()) == [path] and path.read_bytes() == b"old"
