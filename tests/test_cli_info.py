"""``fastvec info`` of every kind of file that is read or written."""

import gzip
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors_files

import fastvec
from fastvec import Cooccurrence, Corpus, Phrases, classify

pytestmark = pytest.mark.any_backend(trains=True)

SMALL = {"vector_size": 4, "epochs": 1, "threads": 1}
SENTENCES = [["new", "york", "is", "new"], ["york", "is", "old"]] * 9
WORDS = {"words": 4, "vector_size": 4}
COUNTED = {"words": 4, "occurrences": 63}
LABELS = {"labels": 3, "first_labels": ["1", "2", "3"]}
OF_FASTTEXT = {"labels": 3, "first_labels": ["__label__1", "__label__2", "__label__3"]}

# The kind, format and sizes of every file, and some of its metadata.
ABOUT = {
    "vectors.fvec": ("vectors", "fvec", {**WORDS, **COUNTED}, {"estimator": "SkipGram", "epochs": 1}),
    "model.fvec": ("model", "fvec", {**WORDS, **COUNTED}, {"estimator": "FastText", "buckets": 9}),
    "checkpoint.fvec": ("checkpoint", "fvec", {**WORDS, **COUNTED}, {"estimator": "FastText"}),
    "documents.fvec": ("model", "fvec", {"words": 18, "vector_size": 4}, {"estimator": "DocVectors"}),
    "glove.fvec": ("vectors", "fvec", {**WORDS, **COUNTED}, {"estimator": "GloVe", "window": 10}),
    "vectors.bin": ("vectors", "word2vec-binary", WORDS, {}),
    "vectors.vec": ("vectors", "word2vec-text", WORDS, {}),
    "vectors.vec.gz": ("vectors", "word2vec-text", WORDS, {}),
    "vectors.glove": ("vectors", "glove", WORDS, {}),
    "glove.txt": ("vectors", "glove", WORDS, {}),
    "words.floret": ("n-grams", "floret", {"vector_size": 4}, {"buckets": 9, "hash_count": 2, "max_n": 6}),
    "one_dimension.vec": ("vectors", "word2vec-text", {"words": 2, "vector_size": 1}, {}),
    "fasttext.bin": ("vectors", "fasttext", {**WORDS, **COUNTED}, {"model": "skipgram", "buckets": 9}),
    "texts.fvmodel": ("classifier", "fvmodel", {**WORDS, **LABELS}, {"loss": "hierarchical_softmax"}),
    "texts.bin": (
        "classifier", "fasttext", {**WORDS, **OF_FASTTEXT},
        {"model": "supervised", "loss": "hierarchical_softmax", "word_ngrams": 2, "max_n": 3, "buckets": 20},
    ),
    "texts.bin.gz": ("classifier", "fasttext", {**WORDS, **OF_FASTTEXT}, {"model": "supervised"}),
    "texts.ftz": (
        "classifier", "fasttext, quantized", {"words": 2, "vector_size": 4, **OF_FASTTEXT},
        {"model": "supervised", "kept_buckets": 3},
    ),
    "tagger.fvmodel": (
        "classifier", "fvmodel", {**WORDS, "labels": 2, "first_labels": ["A", "B"]},
        {"estimator": "WindowClassifier"},
    ),
    "numbers.fvmodel": (
        "classifier", "fvmodel", {"labels": 7, "first_labels": [0, 1, 2, 3, 4]},
        {"estimator": "SoftmaxClassifier"},
    ),
    "vectorizer.fvmodel": ("classifier", "fvmodel", WORDS, {"estimator": "TextVectorizer", "history": []}),
    "counts.fvcounts": ("counts", "fvcounts", {**COUNTED, "entries": 11}, {"window": 10}),
    "cooccurrence.bin": ("counts", "glove", {"entries": 11}, None),
    "vocab.txt": ("words and counts", "text", COUNTED, None),
    "phrases.json": ("phrases", "json", {"phrases": 1}, {"delimiter": "+", "passes": 1}),
    "text.ids": ("ids of a text", "cache", {**COUNTED, "sentences": 18}, {"lowercase": True}),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A file of every kind."""
    folder = tmp_path_factory.mktemp("kinds")
    text = folder / "text.txt"
    text.write_text("".join(f"{' '.join(words)}\n" for words in SENTENCES))
    vectors = fastvec.SkipGram(**SMALL, subsample=0).fit(text).vectors_
    for name in ("vectors.fvec", "vectors.bin", "vectors.vec", "vectors.glove"):
        vectors.save(folder / name)
    vectors.save(folder / "glove.txt", format="glove")
    fastvec.Vectors(["a", "b"], [[2], [1]]).save(folder / "one_dimension.vec")
    model = fastvec.FastText(**SMALL, subsample=0, buckets=9)
    model.fit(text, checkpoint=folder / "checkpoint.fvec")
    model.save(folder / "model.fvec")
    model.save(folder / "fasttext.bin")
    hashed = fastvec.FastText(**SMALL, subsample=0, buckets=9, hash_count=2).fit(text)
    hashed.vectors_.save(folder / "words.floret")
    fastvec.GloVe(**SMALL).fit(text).vectors_.save(folder / "glove.fvec")
    fastvec.DocVectors(**SMALL, min_count=1).fit(SENTENCES).save(folder / "documents.fvec")
    documents = [" ".join(words) for words in SENTENCES]
    texts = classify.TextClassifier(
        **SMALL, loss="hierarchical_softmax", word_ngrams=2, min_n=2, max_n=3, buckets=20
    ).fit(documents, ["1", "2", "3"] * 6)
    texts.save(folder / "texts.fvmodel")
    texts.save(folder / "texts.bin")
    texts.quantize(cutoff=5).save(folder / "texts.ftz")
    tags = [["A" if word == "new" else "B" for word in words] for words in SENTENCES]
    tagger = classify.WindowClassifier(vector_size=4, epochs=1, hidden=4, min_count=1)
    tagger.fit(SENTENCES, tags).save(folder / "tagger.fvmodel")
    numbers = np.arange(14) % 7
    classify.SoftmaxClassifier(epochs=1).fit(numbers[:, None], numbers).save(folder / "numbers.fvmodel")
    classify.TextVectorizer(vectors).fit(documents).save(folder / "vectorizer.fvmodel")
    counts = Cooccurrence(min_count=1).fit(text)
    counts.save(folder / "counts.fvcounts")
    counts.write_glove(folder / "cooccurrence.bin", folder / "vocab.txt")
    phrases = Phrases(min_count=9, threshold=1, delimiter="+").fit(text)
    phrases.save(folder / "phrases.json")
    Corpus(text, cache=folder / "text.ids", lowercase=True)
    for name in ("vectors.vec", "texts.bin"):
        with (folder / name).open("rb") as plain, gzip.open(folder / f"{name}.gz", "wb") as packed:
            shutil.copyfileobj(plain, packed)
    return folder


def lines_of(text):
    """Return the rows of a text by their titles, those without a title joined to the one above."""
    rows, title, width = {}, "", re.match(r"kind +", text).end()
    for line in text.splitlines():
        title = line[:width].strip() or title
        rows.setdefault(title, []).append(line[width:])
    return rows


@pytest.mark.parametrize("name", ABOUT)
def test_every_kind_of_file(name, folder, shown):
    kind, format, sizes, metadata = ABOUT[name]
    path = folder / name
    status, out, errors = shown("info", path, "--json")
    assert (status, errors) == (0, "")
    document = json.loads(out)
    size = path.stat().st_size
    expected = {"file": str(path), "kind": kind, "format": format, "bytes": size, **sizes}
    assert {key: document[key] for key in expected} == expected
    if metadata is None:
        assert "metadata" not in document
    else:
        assert {key: document["metadata"][key] for key in metadata} == metadata
    status, out, errors = shown("info", path)
    assert (status, errors) == (0, "")
    rows = lines_of(out)
    assert [rows["kind"], rows["format"], rows["bytes"]] == [[kind], [format], [f"{size:,}"]]
    assert ("dimensions" in rows) == ("vector_size" in sizes)
    for key in ("words", "occurrences", "labels", "entries", "phrases", "sentences"):
        assert rows.get(key, [None])[0] == (f"{document[key]:,}" if key in document else None)
    if "first_labels" in document:
        assert rows["first labels"] == [", ".join(map(str, document["first_labels"]))]


@pytest.mark.parametrize(("dtype", "size"), [("float32", 16), ("bfloat16", 8), ("int8", 8)])
def test_how_numbers_are_kept(dtype, size, folder, tmp_path, shown):
    fastvec.load(folder / "vectors.fvec").save(tmp_path / "v.fvec", dtype=dtype)
    document = json.loads(shown("info", tmp_path / "v.fvec", "--json")[1])
    assert (document["dtype"], document["vector_bytes"]) == (dtype, size)
    rows = lines_of(shown("info", tmp_path / "v.fvec")[1])
    assert (rows["numbers"], rows["bytes a vector"]) == ([dtype], [str(size)])


# What fastvec writes in a format of its own.
OWN = [name for name in ABOUT if name.endswith((".fvec", ".fvmodel", ".fvcounts", ".json", ".ids"))]
EXAMPLES = [name for name in OWN if not name.endswith((".fvmodel", ".ids"))]


@pytest.mark.parametrize("name", OWN)
def test_a_file_says_what_made_it(name, folder, shown):
    metadata = json.loads(shown("info", folder / name, "--json")[1])["metadata"]
    assert metadata["fastvec"] == fastvec.__version__
    if name in EXAMPLES:
        [corpus] = metadata["corpora"]
        assert (corpus["words"], corpus["sentences"], len(corpus["sha256"])) == (63, 18, 64)
        assert corpus.get("files", ["text.txt"]) == ["text.txt"]
    elif name.endswith(".ids"):
        assert metadata["files"] == ["text.txt"]


def test_what_made_a_file_stays_when_it_is_saved_again(folder, tmp_path):
    for name, load in (("counts.fvcounts", Cooccurrence.load), ("phrases.json", Phrases.load)):
        content = (folder / name).read_bytes()
        load(folder / name).save(tmp_path / name)
        assert (tmp_path / name).read_bytes() == content


def test_files_of_earlier_versions_do_not_say_what_made_them(folder, tmp_path, shown):
    content = json.loads((folder / "phrases.json").read_text())
    del content["provenance"], content["crc32"]
    path = tmp_path / "phrases.json"
    path.write_text(json.dumps(content))
    status, out, _ = shown("info", path)
    assert status == 0 and "fastvec" not in lines_of(out)
    assert lines_of(out)["corpora"] == ["unknown"]
    Phrases.load(path).save(path)
    assert lines_of(shown("info", path)[1])["corpora"] == ["unknown"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("texts.bin", "--limit", 2), "--limit must be left out for {}: its kind is classifier, not vectors"),
        (("phrases.json", "--errors", "replace", "--limit", 2), "--errors and --limit must be left out for"),
        (("text.txt",), "{}, line 1: expected a word and its numbers"),
        (("missing.fvec",), "{}: No such file or directory"),
        (("vectors.npz",), "{} is a .npz of NumPy: pass its matrix to fastvec.Vectors"),
        (("empty.vec",), "{}: the file is empty"),
        (("half.bin",), "{}: the file ends within the words; it is truncated"),
    ],
)
def test_what_there_is_nothing_to_say_of(arguments, message, folder, shown):
    np.savez(folder / "vectors.npz", np.eye(2))
    (folder / "empty.vec").write_bytes(b"")
    (folder / "half.bin").write_bytes((folder / "texts.bin").read_bytes()[:200])
    path = folder / arguments[0]
    status, out, errors = shown("info", path, *arguments[1:])
    assert (status, out) == (2, "") and errors.count("\n") == 1
    assert errors.startswith(f"fastvec: error: {message.format(path)}")


@pytest.mark.parametrize("name", ["learned", "provenance"])
def test_a_damaged_classifier(name, folder, tmp_path, shown):
    path = tmp_path / "x.fvmodel"
    path.write_bytes((folder / "texts.fvmodel").read_bytes())
    safetensors_files.rewrite(path, "classifier", lambda _, description: description.update({name: [1]}))
    status, out, errors = shown("info", path)
    assert (status, out, errors.count("\n")) == (2, "", 1)
    assert f"{path}: the classifier is damaged (" in errors


def test_a_classifier_of_fasttext_is_read_as_vectors_if_asked(folder, shown):
    document = json.loads(shown("info", folder / "texts.bin", "--format", "fasttext", "--json")[1])
    assert (document["kind"], document["format"], document["words"]) == ("vectors", "fasttext", 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("neighbors", "phrases.json", "new"), "is a file of phrases (.json): fastvec phrases --phrases"),
        (("train", "phrases.json"), "is a file of phrases (.json), not a text: fastvec phrases"),
        (("train", "model.fvec"), "is a file of vectors (.fvec), not a text: fastvec neighbors reads it"),
        (("phrases", "text.ids"), "is a cache of a text's ids, not a text: fastvec train --cache reads it"),
        (("neighbors", "texts.fvmodel"), "is a classifier (.fvmodel): fastvec classify predict reads it"),
        (("neighbors", "counts.fvcounts"), "is a file of counts (.fvcounts): fastvec train reads it"),
        (("tag", "predict", "vectors.fvec", "text.txt"), "file of vectors (.fvec): fastvec neighbors"),
        (("train", "text.txt", "--start-from", "text.odd"), "extension '.odd'; take that of one of 'fvec'"),
        (("demo",), "unknown extension '.odd'; take that of one of 'fvec' (.fvec)"),
        (("phrases", "empty.vec"), "empty.vec holds no words"),
        (("neighbors", "-"), "-: must be a file, not standard input"),
        (("convert", "vectors.fvec", "new.vec", "--words", "-"), "-: must be a file, not standard input"),
    ],
)  # fmt: skip
def test_errors_name_what_the_command_has(arguments, message, folder, shown, monkeypatch):
    monkeypatch.chdir(folder)
    Path("empty.vec").write_bytes(b"")
    output = {"train": ("-o", "new.fvec"), "phrases": ("-o", "new.txt"), "demo": ("-o", "new.odd")}
    status, _, errors = shown(*arguments, *output.get(arguments[0], ()))
    assert status == 2
    assert message in errors.splitlines()[-1]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_a_pipe_is_no_file(tmp_path, shown):
    pipe = tmp_path / "pipe.fvec"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)  # so that opening it does not wait
    errors = shown("info", pipe)[2]
    os.close(writer)
    assert errors.endswith(f"{pipe}: is a pipe, which can be read only once: save it to a file first\n")
