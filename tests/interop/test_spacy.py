"""spaCy reads files of vectors."""

import subprocess
import sys

import numpy as np
import pytest

import fastvec

spacy = pytest.importorskip("spacy", reason="needs the extra test-interop")

WORDS = ["paris", "Zürich", "東京", "12", "</s>", "naïve\xa0word"]


def test_init_vectors_reads_text_without_loss(tmp_path):
    matrix = np.random.default_rng(0).standard_normal((len(WORDS), 7)).astype(np.float32)
    fastvec.Vectors(WORDS, matrix).save(tmp_path / "v.vec")
    command = [sys.executable, "-m", "spacy", "init", "vectors", "en", tmp_path / "v.vec", tmp_path / "nlp"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    nlp = spacy.load(tmp_path / "nlp")
    assert len(nlp.vocab.vectors) == len(WORDS)
    for word, row in zip(WORDS, matrix, strict=True):
        np.testing.assert_array_equal(nlp.vocab.get_vector(word), row)
