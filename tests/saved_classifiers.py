"""A trained classifier of every kind, with and without words, and what is asked of it."""

from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from fastvec import Vectors
from fastvec.classify import (
    NetworkClassifier,
    NetworkRegressor,
    SoftmaxClassifier,
    TextClassifier,
    TextVectorizer,
    WindowClassifier,
    WindowRanker,
)
from fastvec.vectors import Subwords, SubwordVectors

random = np.random.default_rng(0)
ROWS = random.standard_normal((40, 3)).astype(np.float32)
CLASSES = np.arange(40) % 3 * 200 - 200
TEXTS = ["a fine film", "Fine actors", "a bad film of 1984", "bad actors", "ünknown film"] * 8
OPINIONS = ["+", "+", "-", "-", "ü"] * 8
SENTENCES = [["in", "Paris", "we", "met", "Rome"], ["we", "left", "Oslo"], ["we", "met", "in", "1984"]] * 5
TAGS = [["O", "LOC", "O", "O", "LOC"], ["O", "O", "LOC"], ["O", "O", "O", "TIME"]] * 5
PLACES = [[tag == "LOC" for tag in of_words] for of_words in TAGS]
VECTORS = Vectors(["we", "film", "actors", "0000"], random.standard_normal((4, 3)), [4, 3, 2, 1], {"é": 1})
WITHOUT_COUNTS = Vectors(VECTORS.words, VECTORS.vectors)
SUBWORDS = SubwordVectors(["film", "bad"], random.standard_normal((2 + 20, 3)), Subwords(2, 4, 20), [2, 1])

WORDS = {"vector_size": 3, "hidden": 4, "window": 1, "epochs": 2, "min_count": 1}
text = partial(TextClassifier, threads=1)
# An estimator, examples, labels, and the methods that say what it has learned.
EVERY = {
    "softmax": (SoftmaxClassifier(epochs=2, l2=0.1), ROWS, CLASSES, ["predict", "predict_proba"]),
    "softmax-2": (SoftmaxClassifier(seed=3, epochs=2), ROWS, CLASSES == 0, ["decision_function"]),
    "two": (NetworkClassifier(hidden=(4, 3), epochs=2), ROWS, CLASSES / 2, ["predict", "predict_proba"]),
    "numbers": (NetworkRegressor(epochs=2), ROWS, ROWS[:, 0], ["predict"]),
    "numbers-1": (NetworkRegressor(epochs=2), ROWS, ROWS[:, :1], ["predict"]),
    "numbers-2": (NetworkRegressor(epochs=2, hidden=4), ROWS, ROWS[:, :2], ["predict"]),
    "text": (text(word_ngrams=3, vector_size=5), TEXTS, OPINIONS, ["predict", "predict_proba"]),
    "text-1": (text(vector_size=16, early_stopping=True), TEXTS, OPINIONS, ["predict_proba"]),
    "text-vectors": (text(VECTORS, buckets=7, word_ngrams=2), TEXTS, OPINIONS, ["predict_proba"]),
    **{
        f"vectorizer-{pooling}": (TextVectorizer(VECTORS, pooling=pooling), TEXTS, None, ["transform"])
        for pooling in ("mean", "sif", "tfidf")
    },
    "vectorizer": (TextVectorizer(WITHOUT_COUNTS, pooling="sif", smoothing=0.1), TEXTS, None, ["transform"]),
    "vectorizer-subwords": (TextVectorizer(SUBWORDS, pooling="sif"), TEXTS, None, ["transform"]),
    "window": (WindowClassifier(**WORDS), SENTENCES, TAGS, ["predict", "predict_proba"]),
    "window-features": (
        WindowClassifier(
            VECTORS, **WORDS | {"hidden": (4, 3)}, features=("case", "suffix"), activation="relu"
        ),
        SENTENCES,
        TAGS,
        ["predict", "predict_proba"],
    ),
    "ranker": (
        WindowRanker(**WORDS, features=("case",)),
        SENTENCES,
        PLACES,
        ["predict", "decision_function"],
    ),
    "ranker-vectors": (WindowRanker(VECTORS, **WORDS, margin=2.0), SENTENCES, None, ["decision_function"]),
}


@cache
def trained(name):
    """Return the estimator of a name, trained, and the bytes of its file."""
    estimator, X, y, _ = EVERY[name]
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.fvmodel")
        estimator.fit(X, y).save(path)
        return estimator, path.read_bytes()


def answers(name, model):
    """What the model says of its own examples, end to end."""
    _, X, _, methods = EVERY[name]
    found = [getattr(model, method)(X) for method in methods]
    return [np.concatenate(each) if isinstance(each, list) else each for each in found]
