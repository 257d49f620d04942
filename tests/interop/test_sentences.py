"""sentence-transformers and model2vec load our folder, and make the means of our vectors."""

import json
import unicodedata

import numpy as np
import pytest

import fastvec

model2vec = pytest.importorskip("model2vec", reason="needs the extra test-interop")
sentence_transformers = pytest.importorskip("sentence_transformers", reason="needs the extra test-interop")

pytestmark = pytest.mark.any_backend

WORDS = ["the", "film", "is", "don't", "new_york", "a", "i", ",", "!", "...", "naïve", "東京", "u.s", "<unk>"]
COUNTS = np.arange(100, 100 - 7 * len(WORDS), -7)
MATRIX = np.random.default_rng(0).standard_normal((len(WORDS), 5)).astype(np.float32)
VECTORS = fastvec.Vectors(WORDS, MATRIX, COUNTS)
TEXTS = [
    "the film is the film",
    "The film, is NEW_YORK!",
    "  a naïve  film ...\tdon't!\n",
    "axolotl a i ia",  # words of letters that are words
    "(don't!) u.s. 東京",
    "<unk> unknown",
    "",
    "unknown words alone",
    "the " * 700,
    "\u2581the $film",
]


def words_of(text, lowercase=True):
    """The words of a text, as the documentation says."""
    words = []
    for piece in (text.lower() if lowercase else text).split():
        inner = piece
        while inner and unicodedata.category(inner[0]).startswith("P"):
            inner = inner[1:]
        first = piece[: len(piece) - len(inner)]
        rest = inner
        while inner and unicodedata.category(inner[-1]).startswith("P"):
            inner = inner[:-1]
        words += filter(None, [first, inner, rest[len(inner) :]])
    return [word for word in words if word in VECTORS]


def mean(vectors, text, lowercase=True, weights=None):
    words = words_of(text, lowercase)
    if not words:
        return np.zeros(vectors.vector_size)
    rows = vectors[words].astype(np.float64)
    return (rows if weights is None else rows * [[weights[word]] for word in words]).mean(axis=0)


@pytest.fixture(params=["sentence_transformers", "model2vec"])
def encode(request):
    """Function that loads a folder with a library and encodes texts."""

    def encode(folder, texts=TEXTS):
        if request.param == "model2vec":
            return model2vec.StaticModel.from_pretrained(folder).encode(texts)
        return sentence_transformers.SentenceTransformer(str(folder), device="cpu").encode(texts)

    return encode


def test_a_text_is_the_mean_of_its_words(tmp_path, encode):
    VECTORS.to_sentence_transformers(tmp_path / "model")
    found = encode(tmp_path / "model")
    assert [len(words_of(text)) for text in TEXTS] == [5, 6, 6, 2, 3, 1, 0, 0, 700, 0]
    np.testing.assert_allclose(found, [mean(VECTORS, text) for text in TEXTS], atol=1e-5)


def test_capital_letters_count_if_a_word_has_some(tmp_path, encode):
    VECTORS.to_sentence_transformers(tmp_path, lowercase=False)
    found = encode(tmp_path)
    np.testing.assert_allclose(found, [mean(VECTORS, text, lowercase=False) for text in TEXTS], atol=1e-5)
    fastvec.Vectors(["Paris", "paris"], [[1, 0], [0, 1]]).to_sentence_transformers(tmp_path)
    np.testing.assert_array_equal(encode(tmp_path, ["Paris", "paris"]), [[1, 0], [0, 1]])


def test_frequent_words_count_less(tmp_path, encode):
    VECTORS.to_sentence_transformers(tmp_path, sif=0.01)
    p = COUNTS / COUNTS.sum()
    weights = dict(zip(WORDS, 0.01 / (0.01 + p), strict=True))
    expected = [mean(VECTORS, text, weights=weights) for text in TEXTS]
    np.testing.assert_allclose(encode(tmp_path), expected, atol=1e-5)


def test_words_and_matrices_of_any_kind(tmp_path, encode):
    words = ["new york", "", "a\ue000b", 'quo"te', "ı", "İ"]
    matrix = np.zeros((len(words), 16), np.float32)
    matrix[:, :2] = np.arange(12).reshape(6, 2)
    vectors = fastvec.Vectors(words, matrix[:, :2].astype(np.float16))
    vectors.to_sentence_transformers(tmp_path, lowercase=False)
    found = encode(tmp_path, ['a\ue000b quo"te', "İ"])
    np.testing.assert_allclose(found, [vectors[["a\ue000b", 'quo"te']].mean(axis=0), vectors["İ"]])


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(ValueError, match=r"sif must be None for vectors without counts; load\(path, counts"):
        fastvec.Vectors(WORDS, MATRIX).to_sentence_transformers(tmp_path / "model", sif=0.001)
    with pytest.raises(ValueError, match="sif must be"):
        VECTORS.to_sentence_transformers(tmp_path / "model", sif=0)
    with pytest.raises(TypeError, match="lowercase must be True or False, got 1"):
        VECTORS.to_sentence_transformers(tmp_path / "model", lowercase=1)
    assert not (tmp_path / "model").exists()


def test_every_file_is_json_or_safetensors(tmp_path):
    VECTORS.to_sentence_transformers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "tokenizer.json",
        "config.json",
        "modules.json",
        "model.safetensors",
    }
    for path in tmp_path.glob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))
