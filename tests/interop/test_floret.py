"""Vectors as in floret: the package writes files that are read, and spaCy reads files that are written."""

import subprocess
import sys

import numpy as np
import pytest

import fastvec
from fastvec import SubwordVectors

floret = pytest.importorskip("floret", reason="needs the extra test-interop")
spacy = pytest.importorskip("spacy", reason="needs the extra test-interop")

TEXT = "the old house stands near two older houses\nzwei größere Häuser stehen in 東京\n" * 30
SETTINGS = [
    {"hashCount": 1, "minn": 3, "maxn": 5},
    {"hashCount": 2, "minn": 4, "maxn": 5},
    {"hashCount": 4, "minn": 2, "maxn": 9},
]
WORDS = ["older", "house", "housing", "größer", "東京都", "a", "donaudampfschifffahrtsgesellschaft"]


@pytest.fixture(params=SETTINGS, ids=str)
def theirs(request, tmp_path):
    """A model of floret."""
    text = tmp_path / "text.txt"
    text.write_text(TEXT, encoding="utf-8")
    common = {"mode": "floret", "bucket": 50, "dim": 8, "epoch": 3, "minCount": 1, "thread": 1, "verbose": 0}
    return floret.train_unsupervised(str(text), **common, **request.param)


def loaded(theirs, folder):
    """Return what is loaded of the file that a model of floret writes."""
    theirs.save_floret_vectors(str(folder / "v.floret"))
    return fastvec.load(folder / "v.floret", words=WORDS)


def in_spacy(path, folder):
    """Let spaCy make a pipeline of a file; return the vectors in it."""
    command = [sys.executable, "-m", "spacy", "init", "vectors", "en", path, folder, "--mode", "floret"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return spacy.load(folder).vocab.vectors


def test_rows_are_those_of_floret(theirs, tmp_path):
    words = theirs.get_words()
    table = theirs.get_input_matrix()[len(words) :]
    of_file = loaded(theirs, tmp_path)
    vectors = SubwordVectors(words, table, of_file.subwords)
    # In memory, the first word of floret has a row of its own, which its file lacks, and `</s>` no other.
    for word in {*words[1:], *WORDS} - {"</s>"}:
        np.testing.assert_allclose(vectors[word], theirs.get_word_vector(word), rtol=0, atol=1e-6)
        rows = theirs.get_subwords(word)[1] - len(words)
        assert [row for _, row in vectors.ngrams(word)] == rows.tolist()


def test_files_of_floret_are_read_as_spacy_reads_them(theirs, tmp_path):
    vectors = loaded(theirs, tmp_path)
    found = in_spacy(tmp_path / "v.floret", tmp_path / "nlp")
    np.testing.assert_array_equal(vectors.input_vectors, found.data)
    for word in [*WORDS, "unlisted", "</s>"]:
        np.testing.assert_allclose(vectors[word], found[word], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("hash_count", [1, 2, 3, 4])
def test_spacy_reads_what_is_trained_here_without_loss(tmp_path, hash_count):
    sentences = [line.split() for line in TEXT.splitlines()]
    model = fastvec.FastText(hash_count=hash_count, buckets=60, vector_size=8, min_count=1, threads=1)
    vectors = model.fit(sentences).vectors_
    vectors.save(tmp_path / "v.floret")
    found = in_spacy(tmp_path / "v.floret", tmp_path / "nlp")
    np.testing.assert_array_equal(found.data, vectors.input_vectors)
    for word in [*vectors.words, *WORDS]:
        np.testing.assert_allclose(found[word], vectors[word], rtol=1e-6, atol=1e-6)
