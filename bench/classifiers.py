"""What learns from labels: tags of words by windows, and classes of sentences.

The labelled texts are in the folder `labelled` of the data.
"""

import itertools
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from measure import Contender, Job, Measurement, estimator_of, renamed, timed, timed_training
from texts import Data
from words import FRESH_PAGES

# Settings that others have other names for.
MLP_CLASSIFIER = """activation optimizer=solver learning_rate=learning_rate_init batch_size epochs=max_iter
seed=random_state"""
FASTTEXT = """word_ngrams=wordNgrams learning_rate=lr epochs=epoch buckets=bucket vector_size=dim
threads=thread seed"""


def starting_vectors(job: Job) -> Any:
    """Return the vectors that words start from, random ones of the same size for the same words, or None."""
    import fastvec

    vectors = fastvec.load(job["vectors_file"]) if job["start"] else None
    if job["start"] != "random":
        return vectors
    random, scale = np.random.default_rng(job["seed"]), float(vectors.vectors.std())
    return fastvec.Vectors(vectors.words, random.normal(0, scale, vectors.vectors.shape).astype(np.float32))


def read_words(job: Job, name: str) -> tuple[list[list[str]], list[list[str]]]:
    from fastvec.classify import read_conll

    return read_conll(Path(job["labelled"], name), 2)


def tagging(job: Job) -> dict[str, Any]:
    tagger = estimator_of(job, starting_vectors(job))
    _, seconds = timed(tagger.fit, *read_words(job, "conll2000-train.txt"))
    return {"seconds": seconds, "accuracy": 100 * tagger.score(*read_words(job, "conll2000-test.txt"))}


def sklearn_tagging(job: Job) -> dict[str, Any]:
    """Run scikit-learn's network on the vectors of windows, which are made before the clock starts."""
    from sklearn.neural_network import MLPClassifier

    train, test = read_words(job, "conll2000-train.txt"), read_words(job, "conll2000-test.txt")
    X, X_test = windows(job, train[0], test[0])
    y, y_test = (list(itertools.chain(*labels)) for _, labels in (train, test))
    network = MLPClassifier((job["hidden"],), alpha=0, **renamed(job, MLP_CLASSIFIER))
    warnings.simplefilter("ignore")  # that so few epochs do not converge
    _, seconds = timed(network.fit, X, y)
    return {"seconds": seconds, "accuracy": 100 * network.score(X_test, y_test)}


def windows(job: Job, *texts: Sequence[Sequence[str]]) -> Iterator[Any]:
    """Yield the vectors of each window of a text side by side, those fastvec starts from on the first text.

    A word without a vector has a random one if it is frequent enough there, otherwise the mean of all.
    """
    vectors, random = starting_vectors(job), np.random.default_rng(job["seed"])
    rows = dict(zip(vectors.words, vectors.vectors, strict=True))
    scale, size, unknown = vectors.vectors.std(), vectors.vector_size, vectors.vectors.mean(axis=0)

    def spelled(word: str) -> str:
        forms = (word, word.lower(), re.sub(r"\d", "0", word.lower()))
        return next((form for form in forms if form in rows), forms[-1])

    for word, n in Counter(map(spelled, itertools.chain(*texts[0]))).items():
        if word not in rows and n >= job["min_count"]:
            rows[word] = random.normal(0, scale, size).astype(np.float32)
    edge, width = [np.zeros(size, np.float32)] * job["window"], (2 * job["window"] + 1) * size
    for sentences in texts:
        found = []
        for words in sentences:
            row = np.concatenate([*edge, *(rows.get(spelled(word), unknown) for word in words), *edge])
            found.append(np.lib.stride_tricks.sliding_window_view(row, width)[::size])
        yield np.concatenate(found)


def locations(job: Job) -> dict[str, Any]:
    """Tell by folds which words are locations; F1 is that of the words of all folds together."""
    sentences, tags = read_words(job, "wikigold.conll.txt")
    labels = [[tag == "I-LOC" for tag in of_words] for of_words in tags]
    model = estimator_of(job, starting_vectors(job))
    warnings.filterwarnings("ignore", message="train_vectors=True on a small data set")
    order = np.random.default_rng(job["seed"]).permutation(len(sentences))
    found, true, seconds = [], [], 0.0
    for test in np.array_split(order, job["folds"]):
        train = np.setdiff1d(order, test)
        seconds += timed(model.fit, [sentences[i] for i in train], [labels[i] for i in train])[1]
        found += np.concatenate(model.predict([sentences[i] for i in test])).tolist()
        true += itertools.chain(*(labels[i] for i in test))
    hits = sum(map(all, zip(found, true, strict=True)))
    return {"seconds": seconds, "F1": 100 * 2 * hits / max(1, sum(found) + sum(true))}


def folds(job: Job) -> list[tuple[list[str], ...]]:
    """Return the sentences and labels to train on and to test on, the same shares of labels in each fold."""
    from sklearn.model_selection import StratifiedKFold

    X, y = read_polarity(job)
    parts = StratifiedKFold(job["folds"], shuffle=True, random_state=job["seed"]).split(X, y)
    return [tuple([whole[i] for i in part] for part in parted for whole in (X, y)) for parted in parts]


def read_polarity(job: Job) -> tuple[list[str], list[str]]:
    """Return the sentences and their labels, in an order of the seed: fastText keeps to that of its file."""
    found = []
    for label in ("neg", "pos"):
        text = Path(job["labelled"], f"sentence-polarity.{label}.txt").read_text(encoding="utf-8")
        found += [(" ".join(line.split()), label) for line in text.split("\n") if line.split()]
    order = np.random.default_rng(job["seed"]).permutation(len(found))
    return [found[i][0] for i in order], [found[i][1] for i in order]


def write_labelled(job: Job, sentences: Sequence[str], labels: Sequence[str]) -> str:
    """Write sentences and their labels as fastText reads them, and return the file."""
    path = Path(job["folder"], f"{hash(tuple(sentences))}.txt")
    lines = [f"__label__{label} {sentence}\n" for sentence, label in zip(sentences, labels, strict=True)]
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)


def train_fasttext(job: Job, path: str) -> Any:
    import fasttext

    return fasttext.train_supervised(path, minCount=1, verbose=0, **renamed(job, FASTTEXT))


def polarity(job: Job) -> dict[str, Any]:
    def trial(job: Job, X: list[str], y: list[str], *test: list[str]) -> tuple[float, float]:
        classifier = estimator_of(job, starting_vectors(job))
        _, seconds = timed(classifier.fit, X, y)
        return seconds, classifier.score(*test)

    return over_grid(job, trial)


def fasttext_polarity(job: Job) -> dict[str, Any]:
    def trial(job: Job, X: list[str], y: list[str], *test: list[str]) -> tuple[float, float]:
        model, seconds = timed(train_fasttext, job, write_labelled(job, X, y))
        # The precision of its first label; `predict` fails with NumPy 2.
        return seconds, model.test(write_labelled(job, *test))[1]

    return over_grid(job, trial)


def over_grid(job: Job, trial: Callable[..., tuple[float, float]]) -> dict[str, Any]:
    """Try all settings of the grid on all folds; `trial` returns seconds and the accuracy."""
    parts, best, seconds, grid = folds(job), {"accuracy": -1.0}, 0.0, {}
    for point in itertools.product(*(job[name] for name in GRID)):
        settings = dict(zip(GRID, point, strict=True))
        taken, accuracies = zip(*(trial({**job, **settings}, *part) for part in parts), strict=True)
        seconds, accuracy = seconds + sum(taken), 100 * mean(accuracies)
        grid.setdefault(grid_head(*point[:2]), []).append(accuracy)
        best = max(best, {"accuracy": accuracy, **settings}, key=lambda one: one["accuracy"])
    return {"seconds": seconds, **best, **grid}


def grid_head(word_ngrams: int, learning_rate: float) -> str:
    return f"word ngrams {word_ngrams}, rate {learning_rate:g}"


def polarity_speed(job: Job) -> dict[str, Any]:
    """Time all of `fit`, from a list of str on, and of it the training."""
    X, y = read_polarity(job)
    classifier = estimator_of(job, starting_vectors(job))
    _, seconds = timed(classifier.fit, X, y)
    return speeds(job, X, seconds, sum(epoch.seconds for epoch in classifier.history_))


def fasttext_polarity_speed(job: Job) -> dict[str, Any]:
    """Time fastText from its file on, and of it the training."""
    X, y = read_polarity(job)
    path = write_labelled(job, X, y)
    _, *seconds = timed_training(lambda n: train_fasttext({**job, "epochs": n}, path), job["epochs"])
    return speeds(job, X, *seconds)


def speeds(job: Job, sentences: list[str], seconds: float, training: float) -> dict[str, Any]:
    words = job["epochs"] * sum(len(sentence.split()) for sentence in sentences)
    return {"seconds": seconds, "training": training, "per_second": words / training}


def pooled_polarity(job: Job) -> dict[str, Any]:
    """Tell classes by folds from vectors of sentences; pooling too learns only from what is trained on."""
    from fastvec.classify import TextVectorizer

    warnings.simplefilter("ignore")  # that so few epochs do not converge
    seconds, accuracies = 0.0, []
    for X, y, X_test, y_test in folds(job):
        vectorizer = TextVectorizer(starting_vectors(job), pooling=job["pooling"]).fit(X)
        classifier, rows = estimator_of(job), vectorizer.transform(X)
        seconds += timed(classifier.fit, rows, y)[1]
        accuracies.append(classifier.score(vectorizer.transform(X_test), y_test))
    return {"seconds": seconds, "accuracy": 100 * mean(accuracies)}


def labelled(data: Data) -> Job:
    """Return the folder of labelled texts; BLAS has as many threads as the contenders."""
    return {"labelled": str(data.folder / "labelled"), "blas": True, "data": ""}


def labelled_and_vectors(data: Data) -> Job:
    """Add vectors of the text, skip-gram's with all but `SKIPGRAM` at its default."""
    made = ", ".join(f"{name}={value}" for name, value in SKIPGRAM.items())
    about = f"vectors of {data.text()['data']} ({made})"
    return {**labelled(data), "vectors_file": str(data.vectors(**SKIPGRAM)), "data": about}


SKIPGRAM = {"vector_size": 100, "epochs": 5, "seed": 1}
NETWORK = {"window": 2, "hidden": 200, "activation": "relu", "optimizer": "adam", "learning_rate": 0.002}
NETWORK |= {"batch_size": 64, "min_count": 2}
TEXT = {"estimator": "fastvec.classify.TextClassifier", "vector_size": 100}
SPEED = {**TEXT, "learning_rate": 0.25, "epochs": 10, "buckets": 2_000_000}
GRID = {"word_ngrams": [1, 2], "learning_rate": [0.1, 0.25, 0.5, 1.0], "epochs": [5, 10, 20]}
GRID_HEADS = itertools.starmap(grid_head, itertools.product(GRID["word_ngrams"], GRID["learning_rate"]))

FIXED = {"estimator": "fastvec.classify.WindowClassifier", "start": "vectors"}
ALONG = {**FIXED, "train_vectors": True}
LOCATOR = {**ALONG, "vectors_l2": 0.0}
RANKER = {**LOCATOR, "estimator": "fastvec.classify.WindowRanker"}
RANDOM, CASE = {"start": "random"}, {"features": ["case"]}
SOFTMAX = {"start": "vectors", "pooling": "mean", "estimator": "fastvec.classify.SoftmaxClassifier"}
LOGISTIC = {**SOFTMAX, "estimator": "sklearn.linear_model.LogisticRegression", "max_iter": 1000}
LAYERS = {**SOFTMAX, "estimator": "fastvec.classify.NetworkClassifier", "hidden": 100, "activation": "relu"}
MLP = {**SOFTMAX, "estimator": "sklearn.neural_network.MLPClassifier", "hidden_layer_sizes": [100]}

AGAINST = "points above | whom | fitting | peak memory"
BEST = "accuracy | word ngrams | learning rate | epochs | fitting | peak memory"
RACE = "words/s | against {base} | fitting | {base}'s time is | training alone | {base}'s training is | "


def race(name: str, what: str, word_ngrams: int) -> Measurement:
    contenders = (
        Contender("fastvec", polarity_speed, {"start": None}),
        Contender("fastText", fasttext_polarity_speed, environment=FRESH_PAGES),
    )
    title, columns = f"Training speed of sentence polarity, {what}", f"{RACE}peak memory"
    settings = {**SPEED, "word_ngrams": word_ngrams}
    return Measurement(name, title, contenders, columns, labelled, settings, "fastText", (1,))


MEASUREMENTS = (
    Measurement(
        "tagging",
        "Part-of-speech tags, CoNLL-2000",
        (
            Contender("fastvec, fixed vectors", tagging, FIXED),
            Contender("fastvec, vectors trained along", tagging, ALONG),
            Contender("fastvec, and case and suffix", tagging, {**ALONG, "features": ["case", "suffix"]}),
            Contender("scikit-learn MLPClassifier, fixed vectors", sklearn_tagging, {"start": "vectors"}),
            Contender("fastvec, random vectors", tagging, {**ALONG, "start": None, "vector_size": 100}),
        ),
        "accuracy | fitting | {base}'s time is | peak memory",
        labelled_and_vectors,
        {**NETWORK, "epochs": 5},
        "scikit-learn MLPClassifier, fixed vectors",
    ),
    Measurement(
        "locations",
        "Is it a location?, WikiGold",
        (
            Contender("WindowClassifier", locations, LOCATOR),
            Contender("WindowClassifier, random vectors", locations, {**LOCATOR, **RANDOM}),
            Contender("WindowClassifier with case", locations, {**LOCATOR, **CASE}),
            Contender("WindowClassifier with case, random vectors", locations, {**LOCATOR, **CASE, **RANDOM}),
            Contender("WindowRanker", locations, RANKER),
            Contender("WindowRanker with case", locations, {**RANKER, **CASE}),
        ),
        f"F1 | {AGAINST}".replace("points", "points of F1"),
        labelled_and_vectors,
        {**NETWORK, "epochs": 10, "folds": 5},
        {name: f"{name}, random vectors" for name in ("WindowClassifier", "WindowClassifier with case")},
    ),
    Measurement(
        "polarity",
        "Sentence polarity, 10-fold: the best of a grid, and the grid with all numbers of epochs",
        (
            Contender("fastvec", polarity, {"start": None}, slow=True),
            Contender("fastText", fasttext_polarity, environment=FRESH_PAGES, slow=True),
            Contender("fastvec, with vectors", polarity, {"start": "vectors"}, slow=True),
        ),
        BEST,
        labelled_and_vectors,
        {**TEXT, "buckets": 200_000, "folds": 10, **GRID},
        threads=(1,),
        more=" | ".join(GRID_HEADS),
    ),
    race("polarity-speed", "words and pairs of words", 2),
    race("polarity-speed-words", "words alone", 1),
    Measurement(
        "polarity-vectors",
        "Fixed vectors of sentences",
        (
            Contender("fastvec SoftmaxClassifier", pooled_polarity, SOFTMAX),
            Contender("scikit-learn LogisticRegression", pooled_polarity, LOGISTIC),
            Contender("fastvec NetworkClassifier", pooled_polarity, {**LAYERS, "epochs": 30}),
            Contender("scikit-learn MLPClassifier", pooled_polarity, {**MLP, "max_iter": 30}),
            Contender("fastvec SoftmaxClassifier, sif", pooled_polarity, {**SOFTMAX, "pooling": "sif"}),
            Contender("fastvec SoftmaxClassifier, tfidf", pooled_polarity, {**SOFTMAX, "pooling": "tfidf"}),
        ),
        f"accuracy | {AGAINST}",
        labelled_and_vectors,
        {"folds": 10},
        {
            "fastvec SoftmaxClassifier": "scikit-learn LogisticRegression",
            "fastvec NetworkClassifier": "scikit-learn MLPClassifier",
        },
    ),
)
