"""Damaged files of classifiers: each is refused with its name, or works; none stops the program."""

import json
import os
import re
import warnings
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import safetensors_files
from safetensors_files import rewrite
from saved_classifiers import VECTORS, answers, trained

from fastvec import classify

pytestmark = [
    pytest.mark.filterwarnings("ignore:train_vectors=True on a small data set"),
    pytest.mark.any_backend(trains=True),
]

KINDS = ["softmax", "numbers-2", "text", "vectorizer-sif", "vectorizer-tfidf", "vectorizer-subwords"]
KINDS += ["window-features", "ranker", "ranker-vectors"]
every_kind = pytest.mark.parametrize("name", KINDS)


@cache
def saved(name):
    """Return the bytes of the file of a trained estimator, without the checksums."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.fvmodel")
        path.write_bytes(trained(name)[1])
        safetensors_files.write(path, *safetensors_files.read(path))
        return path.read_bytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.fvmodel"


def header_size(content):
    return 8 + int.from_bytes(content[:8], "little")


def try_out(name, path, damage=()):
    """Change some bytes of a file, load it and ask what it says; return whether this was refused."""
    content = path.read_bytes()
    with path.open("r+b") as file:  # changed in place: a file that is written anew waits for the disk
        for place in damage:
            file.seek(place)
            file.write(bytes([damage[place]]))
    try:
        model = classify.load(path)
    except (ValueError, OSError) as error:
        assert str(path) in str(error)
        return True
    finally:
        with path.open("r+b") as file:
            file.write(content)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            answers(name, model)
        except ValueError:
            return True
    return False


# ---- Bytes ------------------------------------------------------------------------------------------------


@every_kind
def test_files_that_are_cut_off_are_refused(path, name):
    content = saved(name)
    path.write_bytes(content)
    size = header_size(content)
    rest = np.random.default_rng(0).integers(size, len(content), 50).tolist()
    for cut in sorted({*range(size), *rest, len(content) - 1}, reverse=True):
        os.truncate(path, cut)
        with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: "):
            classify.load(path)


@every_kind
def test_files_with_something_behind_are_refused(path, name):
    path.write_bytes(saved(name) + b"\0")
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: corrupt"):
        classify.load(path)


@every_kind
def test_damaged_bytes_of_the_header_are_refused_or_do_no_harm(path, name):
    content = saved(name)
    random = np.random.default_rng(len(content))
    likely = list(b'0123456789eE.-+,"[]{}: <>|tfuUlnIO\\')
    path.write_bytes(content)
    refused = 0
    for place in range(header_size(content)):
        byte = random.choice(likely) if random.random() < 0.7 else random.integers(256)
        refused += try_out(name, path, {place: byte})
    assert refused > header_size(content) / 2


@every_kind
def test_damaged_bytes_of_tensors_are_refused_or_do_no_harm(path, name):
    content = saved(name)
    random = np.random.default_rng(len(content))
    path.write_bytes(content)
    worked = 0
    for _ in range(200):
        places = random.integers(header_size(content), len(content), random.integers(1, 5))
        worked += not try_out(name, path, {place: random.integers(256) for place in places})
    assert worked > 20


def test_what_is_no_classifier_is_named(path):
    for content in (b"", b"nothing of the sort", b"\0" * 100, b"\xff" * 100, b"PK\x03\x04" + b"\0" * 100):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: .*not a safetensors file"):
            classify.load(path)
    with pytest.raises(FileNotFoundError):
        classify.load(path.with_name("missing.fvmodel"))
    with pytest.raises(IsADirectoryError):
        classify.load(path.parent)


def test_vectors_are_no_classifier(path):
    VECTORS.save(path.with_suffix(".fvec"))
    message = r"model\.fvec: not a classifier \(\.fvmodel\) but a file of vectors \(\.fvec\): fastvec\.load"
    with pytest.raises(ValueError, match=message):
        classify.load(path.with_suffix(".fvec"))
    path.with_suffix(".fvec").rename(path)
    with pytest.raises(ValueError, match=r"model\.fvmodel: not a classifier .* but a file of vectors"):
        classify.load(path)


# ---- What a file says -------------------------------------------------------------------------------------


def a_tensor(name, make):
    """A change that puts another tensor in the place of a parameter, or takes it out."""

    def change(tensors, account):
        tensor = make(tensors.pop(f"parameters.{name}"))
        if tensor is not None:
            tensors[f"parameters.{name}"] = tensor

    return change


def classes(dtype, values):
    return lambda tensors, account: account["learned"].update(classes={"dtype": dtype, "values": values})


def learned(**changes):
    return lambda tensors, account: account["learned"].update(changes)


def parameters(**changes):
    return lambda tensors, account: account["parameters"].update(changes)


def text_tensor(text):
    return np.frombuffer(text.encode(), np.uint8)


SHAPES = [
    (
        "softmax",
        "W1",
        lambda t: t[:-1],
        r"W1 must be float32 of shape \(3, 3\), got float32 of shape \(2, 3\)",
    ),
    ("softmax", "W1", lambda t: t.astype("f8"), r"W1 must be float32 of shape .*, got float64 of"),
    ("softmax", "b1", lambda t: t[:, np.newaxis], r"b1 must be float32 of shape \(3,\), got .* \(3, 1\)"),
    ("softmax", "b1", lambda t: None, r"b1 must be float32 of shape \(3,\)"),
    ("numbers-2", "W2", lambda t: t.T, r"W2 must be float32 of shape \(4, 2\), got .* \(2, 4\)"),
    ("text", "input_vectors", lambda t: t[:-1], r"input_vectors must be float32 of shape \(\d+, 5\), got"),
    ("text", "input_vectors", lambda t: t[:, :-1], r"output_vectors must be float32 of shape \(3, 4\), got"),
    ("text", "input_vectors", lambda t: t[:, 0], r"input_vectors must be float32 of shape"),
    ("text", "input_vectors", lambda t: t[0, 0].reshape(()), r"tuple index"),
    ("text", "input_vectors", lambda t: None, r"input_vectors"),
    ("window-features", "vectors", lambda t: t[:-1], r"vectors must be float32 of shape"),
    ("window-features", "vectors", lambda t: t[:, :-1], r"W1 must be float32 of shape"),
    ("window-features", "vectors", lambda t: t[0, 0].reshape(()), r"tuple index"),
    ("window-features", "case", lambda t: t[:-1], r"case must be float32 of shape \(\d+, 8\), got"),
    ("ranker", "W2", lambda t: t[:, 0], r"W2 must be float32 of shape \(4, 1\), got .* \(4,\)"),
]

DAMAGE = [
    ("softmax", learned(n_features_in=4), r"W1 must be float32 of shape \(4, 3\), got float32 of shape"),
    ("softmax", learned(n_features_in=None), ""),
    ("softmax", learned(n_features_in=float("inf")), ""),
    ("softmax", classes("<i8", [0, 1]), r"W1 must be float32 of shape \(3, 2\)"),
    ("softmax", classes("<i8", []), ""),
    ("softmax", classes("<i1", [-200, 0, 200]), ""),
    ("softmax", classes("<u8", [-200, 0, 200]), ""),
    ("softmax", classes("<i8", [0.5, 1.5, 2.5]), ""),
    ("softmax", classes("<i8", [0, 0, 0]), ""),
    ("softmax", classes("<i8", [2, 1, 0]), ""),  # partial_fit looks labels up in rising order
    ("softmax", classes("<,8", [0, 1, 2]), ""),
    ("softmax", classes("V8", [0, 1, 2]), ""),
    ("softmax", classes("f8,f8", [0, 1, 2]), ""),
    ("softmax", classes("<U1", ["a1", "a2", "a3"]), ""),
    ("softmax", classes("|O", [["a"], ["b"], ["c"]]), ""),
    ("softmax", classes("|O", [None, {}, []]), ""),
    ("softmax", classes("|O", "abc"), ""),
    ("softmax", lambda t, s: s.update(estimator="LDA"), "unknown estimator 'LDA'; this fastvec knows Netw"),
    ("softmax", lambda t, s: s.update(estimator=["a"]), ""),
    ("softmax", lambda t, s: s.update(estimator="TextClassifier"), ""),
    ("softmax", lambda t, s: s.update(parameters=[1]), ""),
    ("softmax", parameters(future=1), "future"),
    ("softmax", parameters(l2=-1), "l2 must be a number >= 0, got -1"),
    ("softmax", parameters(epochs=float("nan")), "epochs must be an int >= 1, got nan"),
    ("softmax", lambda t, s: s.pop("learned") and None, "learned"),
    ("softmax", lambda t, s: s.pop("history") and None, "history"),
    ("softmax", lambda t, s: s.update(history=3), ""),
    ("softmax", lambda t, s: s.update(history=[]), ""),
    ("softmax", lambda t, s: s["history"][0].update(future=1), "future"),
    ("softmax", lambda t, s: s["history"][0].update(loss="low"), ""),
    ("softmax", lambda t, s: "", ""),
    ("softmax", lambda t, s: "[1, 2]", ""),
    ("softmax", lambda t, s: "[" * 100_000, ""),
    ("numbers-2", lambda t, s: s.update(estimator="NetworkClassifier"), "classes"),
    ("numbers-2", learned(n_numbers=3), "W2 must be float32 of shape"),
    ("two", lambda t, s: s.update(estimator="NetworkRegressor"), "n_numbers"),
    ("two", parameters(hidden=["4", 3]), "hidden must be an int >= 1, got '4'"),
    ("text", lambda t, s: t.pop("words").sum() and None, "words"),
    ("text", lambda t, s: t.update(words=t["words"][:-1]), ""),
    ("text", lambda t, s: t.update(words=text_tensor("[1, 2]")), ""),
    ("text", lambda t, s: t.update(words=text_tensor("[" * 100_000)), ""),
    ("text", lambda t, s: t.update(words=text_tensor(json.dumps(["a"] * 10))), ""),  # ten words there are
    ("text", lambda t, s: t.update(ngrams=t["ngrams"][::-1]), "ngrams must be int64 numbers of buckets in r"),
    ("text", lambda t, s: t.update(ngrams=t["ngrams"].astype("f8")), "ngrams must be int64"),
    ("text", parameters(word_ngrams=0), "word_ngrams must be an int from 1 to 100, got 0"),
    ("text", parameters(buckets=0), "buckets must be an int from 1 to 1073741824, got 0"),
    ("text", parameters(word_ngrams=float("inf")), ""),
    ("text", parameters(vectors=3), "vectors must be Vectors or None, got 3"),
    ("vectorizer-mean", parameters(pooling="sif"), ""),
    ("vectorizer-mean", parameters(pooling="tfidf"), ""),
    ("vectorizer-sif", lambda t, s: t.update(common_=t["common_"][1:]), r"common_ must have the shape \(3"),
    ("vectorizer-sif", lambda t, s: t.pop("common_").any() and None, ""),
    ("vectorizer-tfidf", lambda t, s: t.update(idf_numbers=t["idf_numbers"][1:]), ""),
    ("vectorizer-tfidf", lambda t, s: t.pop("idf_words").any() and None, ""),
    ("vectorizer-tfidf", lambda t, s: t.pop("idf_numbers").any() and None, ""),
    ("vectorizer-subwords", lambda t, s: t.pop("input_vectors").any() and None, "input_vectors must have"),
    ("vectorizer-subwords", lambda t, s: t.update(vectors=t["vectors"][1:]), "vectors must have a row"),
    ("vectorizer-subwords", learned(header={}), ""),
    ("vectorizer-subwords", learned(n_documents="many"), ""),
    ("window-features", learned(features={"case": 5}), ""),
    ("window-features", learned(features={"colour": ["red"]}), "colour"),
    ("window-features", learned(features={}), "W1 must be float32 of shape"),
    ("window-features", parameters(window=2), "W1 must be float32 of shape"),
    ("window-features", parameters(activation="gelu"), "activation must be one of"),
    ("ranker", learned(threshold="high"), ""),
    ("ranker", learned(threshold=10**400), ""),
]  # fmt: skip
DAMAGE += [(name, a_tensor(parameter, make), message) for name, parameter, make, message in SHAPES]


@pytest.mark.parametrize(("name", "change", "message"), DAMAGE)
def test_damage_is_named(path, name, change, message):
    path.write_bytes(saved(name))
    rewrite(path, "classifier", change)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}: .*damaged.*{message}"):
        classify.load(path)


def test_the_changes_start_from_files_that_work(path):
    for name in {name for name, *_ in DAMAGE}:
        path.write_bytes(saved(name))
        rewrite(path, "classifier", lambda tensors, account: None)
        assert not try_out(name, path)


def test_a_history_of_examples_is_read(path):
    """As files were written before all estimators had the same record."""

    def write_examples(tensors, account):
        for epoch in account["history"]:
            epoch["examples"] = epoch.pop("pairs")
            del epoch["words_per_second"]

    path.write_bytes(saved("softmax"))
    history = classify.load(path).history_
    rewrite(path, "classifier", write_examples)
    assert classify.load(path).history_ == history
    assert [epoch.examples for epoch in history] == [epoch.pairs for epoch in history] != []


@pytest.mark.parametrize("version", ["2", "99", "x", "", "-1", "1.0"])
def test_files_of_a_newer_fastvec_are_told(path, version):
    path.write_bytes(saved("softmax"))
    tensors, metadata = safetensors_files.read(path)
    safetensors_files.write(path, tensors, metadata | {"format_version": version})
    with pytest.raises(ValueError, match=r"model\.fvmodel: .*version.*reads version 1; try a newer one"):
        classify.load(path)
