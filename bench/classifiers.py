"""What learns from labels: tags of words by windows, and classes of sentences."""

import itertools
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from measure import Contender, Job, Measurement, estimator_of, named, renamed, timed, timed_training
from texts import Data
from words import FRESH_PAGES

MLP_CLASSIFIER = """activation optimizer=solver learning_rate=learning_rate_init batch_size epochs=max_iter
seed=random_state"""
FASTTEXT = """word_ngrams=wordNgrams learning_rate=lr epochs=epoch buckets=bucket vector_size=dim
threads=thread seed"""


def starting_vectors(job: Job) -> Any:
    return named("fastvec.load")(job["vectors_file"]) if job["start"] else None


def read_tagged(job: Job, name: str) -> tuple[list[list[str]], list[list[str]]]:
    return named("fastvec.classify.read_conll")(Path(job["labelled"], f"conll2000-{name}.txt"), 2)


def tagging(job: Job) -> dict[str, Any]:
    tagger = estimator_of(job, starting_vectors(job))
    _, seconds = timed(tagger.fit, *read_tagged(job, "train"))
    return {"seconds": seconds, "accuracy": 100 * tagger.score(*read_tagged(job, "test"))}


def sklearn_tagging(job: Job) -> dict[str, Any]:
    """Run scikit-learn's network on the vectors of windows, which are made before the clock starts."""
    from sklearn.neural_network import MLPClassifier

    train, test = read_tagged(job, "train"), read_tagged(job, "test")
    X, X_test = windows(job, train[0], test[0])
    y, y_test = (list(itertools.chain(*labels)) for _, labels in (train, test))
    network = MLPClassifier((job["hidden"],), alpha=0, **renamed(job, MLP_CLASSIFIER))
    warnings.simplefilter("ignore")  # that so few epochs do not converge
    _, seconds = timed(network.fit, X, y)
    return {"seconds": seconds, "accuracy": 100 * network.score(X_test, y_test)}


def windows(job: Job, *texts: Sequence[Sequence[str]]) -> Iterator[Any]:
    """Yield the vectors of each window of a text side by side, as fastvec starts on the first text."""
    from fastvec.classify.words import lexicon, sentences

    vectors, random = starting_vectors(job), np.random.default_rng(job["seed"])
    words = lexicon.Lexicon(vectors.words).with_words_of(texts[0], job["min_count"])
    table = lexicon.starting_table(words, vectors, vectors.vector_size, random)
    for text in texts:
        rows = words.rows(itertools.chain(*text))
        found = sentences.windows(rows, list(map(len, text)), job["window"], lexicon.PADDING)
        yield table[found].reshape(len(rows), -1)


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


def fastvec_trial(job: Job, X: list[str], y: list[str], *test: list[str]) -> tuple[float, float]:
    classifier = estimator_of(job, starting_vectors(job))
    _, seconds = timed(classifier.fit, X, y)
    return seconds, classifier.score(*test)


def fasttext_trial(job: Job, X: list[str], y: list[str], *test: list[str]) -> tuple[float, float]:
    model, seconds = timed(train_fasttext, job, write_labelled(job, X, y))
    return seconds, model.test(write_labelled(job, *test))[
        1
    ]  # of its first label; `predict` fails with NumPy 2


def polarity(job: Job) -> dict[str, Any]:
    """Try all settings of the grid on all folds; a trial returns seconds and the accuracy."""
    parts, best, seconds, grid = folds(job), {"accuracy": -1.0}, 0.0, {}
    for point in itertools.product(*(job[name] for name in GRID)):
        settings = dict(zip(GRID, point, strict=True))
        trials = [named(job["trial"])({**job, **settings}, *part) for part in parts]
        taken, accuracies = zip(*trials, strict=True)
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
    return race_figures(job, X, seconds, sum(epoch.seconds for epoch in classifier.history_))


def fasttext_polarity_speed(job: Job) -> dict[str, Any]:
    """Time fastText from its file on, and of it the training."""
    X, y = read_polarity(job)
    path = write_labelled(job, X, y)
    _, *seconds = timed_training(lambda n: train_fasttext({**job, "epochs": n}, path), job["epochs"])
    return race_figures(job, X, *seconds)


def race_figures(job: Job, sentences: list[str], seconds: float, training: float) -> dict[str, Any]:
    words = sum(len(sentence.split()) for sentence in sentences)
    return {"seconds": seconds, "per_second": job["epochs"] * words / training}


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


def with_vectors(data: Data) -> Job:
    """Add vectors of the text, skip-gram's with all but `SKIPGRAM` at its default."""
    made = ", ".join(f"{name}={value}" for name, value in SKIPGRAM.items())
    about = f"vectors of {data.text()['data']} ({made})"
    return {**labelled(data), "vectors_file": data.made("SkipGram", SKIPGRAM, ".fvec"), "data": about}


SKIPGRAM = {"vector_size": 100, "epochs": 5, "seed": 1}
TAGS = {"window": 2, "hidden": 200, "activation": "relu", "optimizer": "adam", "learning_rate": 0.002}
TAGS |= {"batch_size": 64, "min_count": 2, "epochs": 5}
TEXT = {"estimator": "fastvec.classify.TextClassifier", "vector_size": 100}
SPEED = {**TEXT, "learning_rate": 0.25, "epochs": 10, "buckets": 2_000_000, "word_ngrams": 2}
GRID = {"word_ngrams": [1, 2], "learning_rate": [0.1, 0.25, 0.5, 1.0], "epochs": [5, 10, 20]}
GRID_HEADS = itertools.starmap(grid_head, itertools.product(GRID["word_ngrams"], GRID["learning_rate"]))

FIXED = {"estimator": "fastvec.classify.WindowClassifier", "start": "vectors"}
ALONG = {**FIXED, "train_vectors": True}
SOFTMAX = {"start": "vectors", "pooling": "mean", "estimator": "fastvec.classify.SoftmaxClassifier"}
LOGISTIC = {**SOFTMAX, "estimator": "sklearn.linear_model.LogisticRegression", "max_iter": 1000}
LAYERS = {**SOFTMAX, "estimator": "fastvec.classify.NetworkClassifier", "hidden": 100, "activation": "relu"}
MLP = {**SOFTMAX, "estimator": "sklearn.neural_network.MLPClassifier", "hidden_layer_sizes": [100]}

SKLEARN = "scikit-learn MLPClassifier, fixed vectors"
TAGGERS = (
    Contender("fastvec, fixed vectors", tagging, FIXED),
    Contender("fastvec, vectors trained along", tagging, ALONG),
    Contender("fastvec, and case and suffix", tagging, {**ALONG, "features": ["case", "suffix"]}),
    Contender(SKLEARN, sklearn_tagging, {"start": "vectors"}),
    Contender("fastvec, random vectors", tagging, {**ALONG, "start": None, "vector_size": 100}),
)
OWN, FASTTEXTS = {"trial": "classifiers.fastvec_trial"}, {"trial": "classifiers.fasttext_trial"}
OF_A_GRID = (
    Contender("fastvec", polarity, {**OWN, "start": None}, slow=True),
    Contender("fastText", polarity, FASTTEXTS, environment=FRESH_PAGES, slow=True),
    Contender("fastvec, with vectors", polarity, {**OWN, "start": "vectors"}, slow=True),
)
RACERS = (
    Contender("fastvec", polarity_speed, {"start": None}),
    Contender("fastText", fasttext_polarity_speed, environment=FRESH_PAGES),
)
POOLED = (
    Contender("fastvec SoftmaxClassifier", pooled_polarity, SOFTMAX),
    Contender("scikit-learn LogisticRegression", pooled_polarity, LOGISTIC),
    Contender("fastvec NetworkClassifier", pooled_polarity, {**LAYERS, "epochs": 30}),
    Contender("scikit-learn MLPClassifier", pooled_polarity, {**MLP, "max_iter": 30}),
    Contender("fastvec SoftmaxClassifier, sif", pooled_polarity, {**SOFTMAX, "pooling": "sif"}),
    Contender("fastvec SoftmaxClassifier, tfidf", pooled_polarity, {**SOFTMAX, "pooling": "tfidf"}),
)
TRIED = {**TEXT, "buckets": 200_000, "folds": 10, **GRID}

TAGGING = "accuracy | fitting | {base}'s time is | peak memory"
POOLING = "accuracy | fitting | peak memory"
BEST = "accuracy | word ngrams | learning rate | epochs | fitting | peak memory"
BEST_TITLE = "Sentence polarity, 10-fold: the best of a grid, and the grid with all numbers of epochs"
RACE = "words/s | against {base} | fitting | {base}'s time is | peak memory"
RACE_TITLE = "Training speed of sentence polarity, words and pairs of words"

MEASUREMENTS = (
    Measurement("tagging", "Part-of-speech tags, CoNLL-2000", TAGGERS, TAGGING, with_vectors, TAGS, SKLEARN),
    Measurement(
        "polarity",
        BEST_TITLE,
        OF_A_GRID,
        BEST,
        with_vectors,
        TRIED,
        threads=(1,),
        more=" | ".join(GRID_HEADS),
    ),
    Measurement("polarity-speed", RACE_TITLE, RACERS, RACE, labelled, SPEED, "fastText", (1,)),
    Measurement(
        "polarity-vectors", "Fixed vectors of sentences", POOLED, POOLING, with_vectors, {"folds": 10}
    ),
)
