"""``fastvec combine``, ``retrofit`` and ``stability`` print and save what the functions return."""

import json
import re

import numpy as np
import pytest

import fastvec

WORDS = ["sea", "see", "ocean"]


@pytest.fixture
def vectors(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    made = [fastvec.Vectors(words, random.standard_normal((3, 4))) for words in (WORDS, [*WORDS[1:], "lake"])]
    for name, each in zip(("a.fvec", "b.vec"), made, strict=True):
        each.save(name)
    (tmp_path / "commas.csv").write_text("sea,ocean\n", encoding="utf-8")
    return made


@pytest.mark.any_backend
def test_vectors_are_combined(vectors, shown):
    assert shown("combine", "a.fvec", "b.vec", "-o", "c.fvec") == (
        0, "2 words, 8 dimensions; saved in c.fvec\n", ""
    )  # fmt: skip
    np.testing.assert_allclose(fastvec.load("c.fvec").vectors, fastvec.combine(vectors).vectors, atol=1e-6)
    options = ["--weights", "1", "3", "--words", "all", "--method", "average", "--json", "-o", "c.bin"]
    status, out, _ = shown("combine", "a.fvec", "b.vec", *options)
    assert (status, json.loads(out)) == (0, {"output": "c.bin", "words": 4, "vector_size": 4})
    expected = fastvec.combine(vectors, [1, 3], words="all", method="average")
    assert fastvec.load("c.bin").words == expected.words
    np.testing.assert_allclose(fastvec.load("c.bin").vectors, expected.vectors, atol=1e-6)


@pytest.mark.any_backend
def test_a_file_says_what_was_combined(vectors, shown):
    made = {"estimator": "GloVe", "vector_size": 3, "corpora": [{"files": ["a.txt"], "words": 9}]}
    fastvec.Vectors(WORDS, np.eye(3), None, made).save("d.fvec")
    shown("combine", "a.fvec", "d.fvec", "-o", "c.fvec")
    expected = r"^combined +unknown\n +GloVe, 3 dimensions\n +a\.txt: 9 words\nmethod "
    assert re.search(expected, shown("info", "c.fvec")[1], re.MULTILINE)


@pytest.mark.any_backend
def test_vectors_are_retrofitted(vectors, shown, tmp_path):
    (tmp_path / "lexicon.txt").write_text("sea ocean brine\n", encoding="utf-8")
    arguments = ["retrofit", "a.fvec", "lexicon.txt", "--alpha", "2", "--iterations", "3"]
    assert shown(*arguments, "-o", "c.vec", "--quiet") == (0, "", "")
    said = "3 words, 4 dimensions, 2 retrofitted words; saved in c.vec\n"
    assert shown(*arguments, "-o", "c.vec") == (0, said, "")
    expected = fastvec.retrofit(vectors[0], {"sea": ["ocean"]}, alpha=2, iterations=3)
    np.testing.assert_allclose(fastvec.load("c.vec").vectors, expected.vectors, atol=1e-6)
    assert not np.allclose(expected.vectors, vectors[0].vectors, atol=1e-3)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["combine", "a.fvec", "-o", "c.fvec"], "vectors must be two or more Vectors, got 1"),
        (["combine", "a.fvec", "b.vec", "-o", "b.vec"], "--output must be another file than the input"),
        (["combine", "a.fvec", "b.vec", "--weights", "1", "-o", "c.vec"], "weights must be 2 numbers > 0"),
        (["combine", "a.fvec", "b.vec", "-o", "c.pdf"], "c.pdf"),
        (["retrofit", "a.fvec", "b.vec", "-o", "b.vec"], "--output must be another file than the input"),
        (["retrofit", "a.fvec", "commas.csv", "-o", "c.vec"], "white space between a word and those related"),
        (["stability", "text.txt", "--words", "tea", "rum", "--quiet"], "'rum' is not among the 7 words"),
        (["stability", "text.txt", "--words", "tea", "--runs", "4"], "runs must be an int >= 5, got 4"),
        (
            ["stability", "text.txt", "--words", "tea", "--model", "svd", "--window", "none"],
            "window must be an int",
        ),
        (["stability", "text.txt", "--words", "tea", "--x-max", "4"], "--x-max is an option of glove, not"),
    ],
)
def test_what_cannot_be_done(arguments, message, vectors, text, shown):
    status, out, error = shown(*arguments)
    assert (status, out) == (2, "")
    assert error.startswith("fastvec: error: ") and message in error


@pytest.fixture
def text(tmp_path):
    lines = ["cup coffee milk", "cup tea milk", "glass beer nuts", "glass beer milk"] * 15
    path = tmp_path / "text.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.any_backend(trains=True)
def test_neighbors_have_intervals(text, shown):
    options = ["--vector-size", "4", "--epochs", "20", "--learning-rate", "0.1"]
    settings = ["--runs", "6", "--level", "0.9", "--seed", "3", "--threads", "1", "--quiet"]
    model = fastvec.SkipGram(vector_size=4, epochs=20, learning_rate=0.1)
    expected = fastvec.Stability(model, runs=6, level=0.9, seed=3, threads=1).fit(text)
    neighbors = {word: expected.most_similar(word, topn=2) for word in ("tea", "milk")}
    arguments = ["stability", text, "--words", "tea", "milk", "-n", "2", *options, *settings]
    assert shown(*arguments) == (
        0, f"tea:\n{neighbors['tea']}\n\nmilk:\n{neighbors['milk']}\n", ""
    )  # fmt: skip
    _, out, _ = shown(*arguments, "--json")
    assert [json.loads(line) for line in out.splitlines()] == [
        {"word": word, "neighbors": [row._asdict() for row in rows]} for word, rows in neighbors.items()
    ]
