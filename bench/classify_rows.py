"""The rows of what learns from labels: tags of words, and classes of sentences."""

from __future__ import annotations

from typing import Any

from terms import ALL, FRESH_PAGES, Contender, Row

__all__ = [
    "LABELLED_ROWS",
    "LOCATOR",
    "LOCATOR_WITH_CASE",
    "SOFTMAX",
    "TAGGER",
    "TAGGER_WITH_ALL",
    "TWO_LAYERS",
]

# The vectors that are started from, with everything else at its default.
SKIPGRAM = {"vector_size": 100, "epochs": 5, "seed": 1}
NETWORK = {
    "model": "window network",
    "skipgram": SKIPGRAM,
    "window": 2,
    "hidden": 200,
    "activation": "relu",
    "optimizer": "adam",
    "learning_rate": 0.002,
    "batch_size": 64,
    "min_count": 2,
}
TEXTS = {"model": "text classifier", "min_count": 1, "min_learning_rate": 0.0, "tests": ["accuracy"]}
SPEED = {**TEXTS, "learning_rate": 0.25, "epochs": 10}
TAGGER, TAGGER_WITH_ALL = "fastvec, vectors trained along", "fastvec, and case and suffix"
MLP_TAGGER = "scikit-learn MLPClassifier, fixed vectors"
LOCATOR, LOCATOR_WITH_CASE = "WindowClassifier", "WindowClassifier with case"
WITH_RANDOM = ", random vectors"  # after the name of the contender that starts from true ones
SOFTMAX, LOGISTIC = "fastvec SoftmaxClassifier", "scikit-learn LogisticRegression"
TWO_LAYERS, MLP = "fastvec TwoLayerClassifier", "scikit-learn MLPClassifier"


def tagger(name: str, start: str | None, **parameters: Any) -> Contender:
    return Contender(name, "fastvec_tagging", {"start": start, "parameters": parameters})


def locator(name: str, classifier: str, start: str, features: list[str]) -> Contender:
    parameters = {"train_vectors": True, "vectors_l2": 0.0, "features": features}
    options = {"classifier": classifier, "start": start, "parameters": parameters}
    return Contender(name, "fastvec_locations", options)


def on_fixed(name: str, classifier: str, pooling: str = "mean", **parameters: Any) -> Contender:
    options = {"classifier": classifier, "pooling": pooling, "parameters": parameters}
    return Contender(name, "polarity_vectors", options)


def speed_row(name: str, title: str, word_ngrams: int) -> Row:
    contenders = (
        Contender("fastvec", "fastvec_polarity_speed"),
        Contender("fastText", "fasttext_polarity_speed", environment=FRESH_PAGES),
    )
    entries = tuple((contender, (1,)) for contender in contenders)
    return Row(name, title, "polarity-speed", entries, {**SPEED, "word_ngrams": word_ngrams}, base="fastText")


LABELLED_ROWS = (
    Row(
        "tagging",
        "Part-of-speech tags, CoNLL-2000",
        "tagging",
        (
            (tagger("fastvec, fixed vectors", "vectors"), (ALL,)),
            (tagger(TAGGER, "vectors", train_vectors=True), (ALL,)),
            (
                tagger(TAGGER_WITH_ALL, "vectors", train_vectors=True, features=["case", "suffix"]),
                (ALL,),
            ),
            (Contender(MLP_TAGGER, "sklearn_tagging", {"start": "vectors"}), (ALL,)),
            (tagger("fastvec, random vectors", None, train_vectors=True, vector_size=100), (ALL,)),
        ),
        {**NETWORK, "epochs": 5, "tests": ["accuracy"]},
        base=MLP_TAGGER,
    ),
    Row(
        "locations",
        "Is it a location?, WikiGold",
        "locations",
        tuple(
            (locator(name, classifier, start, features), (ALL,))
            for name, classifier, start, features in (
                (LOCATOR, "WindowClassifier", "vectors", []),
                (f"{LOCATOR}{WITH_RANDOM}", "WindowClassifier", "random", []),
                (LOCATOR_WITH_CASE, "WindowClassifier", "vectors", ["case"]),
                (f"{LOCATOR_WITH_CASE}{WITH_RANDOM}", "WindowClassifier", "random", ["case"]),
                ("WindowRanker", "WindowRanker", "vectors", []),
                ("WindowRanker with case", "WindowRanker", "vectors", ["case"]),
            )
        ),
        {
            **NETWORK,
            "epochs": 10,
            "folds": 5,
            "tests": ["F1"],
            "against": {name: f"{name}{WITH_RANDOM}" for name in (LOCATOR, LOCATOR_WITH_CASE)},
        },
    ),
    Row(
        "polarity",
        "Sentence polarity, 10-fold",
        "polarity",
        (
            (Contender("fastvec", "fastvec_polarity", {"start": None}, slow=True), (1,)),
            (Contender("fastText", "fasttext_polarity", environment=FRESH_PAGES, slow=True), (1,)),
            (Contender("fastvec, with vectors", "fastvec_polarity", {"start": "vectors"}, slow=True), (1,)),
        ),
        {
            **TEXTS,
            "skipgram": SKIPGRAM,
            "buckets": 200_000,
            "folds": 10,
            "grid": {
                "word_ngrams": [1, 2],
                "learning_rate": [0.1, 0.25, 0.5, 1.0],
                "epochs": [5, 10, 20],
            },
        },
        base="fastText",
    ),
    speed_row("polarity-speed", "Training speed of sentence polarity, words and pairs of words", 2),
    speed_row("polarity-speed-words", "Training speed of sentence polarity, words alone", 1),
    Row(
        "polarity-vectors",
        "Fixed vectors of sentences",
        "polarity-vectors",
        (
            (on_fixed(SOFTMAX, "SoftmaxClassifier"), (ALL,)),
            (on_fixed(LOGISTIC, "LogisticRegression", max_iter=1000), (ALL,)),
            (on_fixed(TWO_LAYERS, "TwoLayerClassifier", hidden=100, activation="relu", epochs=30), (ALL,)),
            (on_fixed(MLP, "MLPClassifier", hidden_layer_sizes=[100], max_iter=30), (ALL,)),
            (on_fixed(f"{SOFTMAX}, sif", "SoftmaxClassifier", "sif"), (ALL,)),
            (on_fixed(f"{SOFTMAX}, tfidf", "SoftmaxClassifier", "tfidf"), (ALL,)),
        ),
        {
            **TEXTS,
            "skipgram": SKIPGRAM,
            "folds": 10,
            "against": {SOFTMAX: LOGISTIC, TWO_LAYERS: MLP},
        },
    ),
)
