"""The programs that learn from labels of words and sentences; workers as in ``contenders.py``.

`labelled` of a job is the folder of labelled texts, `vectors` a file of vectors. The figures: `fit_seconds`,
of fitting alone, of all folds together where there are some; the scores are in `quality`.
"""

from __future__ import annotations

import itertools
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import numpy as np

__all__ = ["WORKERS"]

Job = dict[str, Any]
Figures = dict[str, Any]
Worked = tuple[Figures, Callable[[], Any]]
Words = list[list[str]]
Point = dict[str, Any]

# What a window's network is told of a job besides what is its own.
NETWORK = (
    "window",
    "hidden",
    "activation",
    "optimizer",
    "learning_rate",
    "batch_size",
    "epochs",
    "min_count",
    "seed",
)


def fastvec_tagging(job: Job) -> Worked:
    from fastvec.classify import WindowClassifier

    train, test = (read_conll(job, f"conll2000-{part}.txt", 1) for part in ("train", "test"))
    tagger = WindowClassifier(starting_vectors(job), **network(job))
    seconds = fit(tagger, *train)
    return scored(seconds, "accuracy", tagger.score(*test), sum(map(len, test[1])))


def sklearn_tagging(job: Job) -> Worked:
    """Run scikit-learn's network on the same numbers, which are put side by side before the clock starts."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    train, test = (read_conll(job, f"conll2000-{part}.txt", 1) for part in ("train", "test"))
    X, X_test = window_features(job, train[0], test[0])
    y, y_test = (list(itertools.chain(*labels)) for _, labels in (train, test))
    classifier = MLPClassifier(
        hidden_layer_sizes=(job["hidden"],),
        activation=job["activation"],
        solver=job["optimizer"],
        alpha=0,
        batch_size=job["batch_size"],
        learning_rate_init=job["learning_rate"],
        max_iter=job["epochs"],
        random_state=job["seed"],
    )
    warnings.simplefilter("ignore", ConvergenceWarning)
    seconds = fit(classifier, X, y)
    return scored(seconds, "accuracy", classifier.score(X_test, y_test), len(y_test))


def window_features(job: Job, *texts: Words) -> Iterator[Any]:
    """Give the vectors of every window side by side, those fastvec would start from on the first text."""
    from fastvec.classify.words.lexicon import PADDING, Lexicon, starting_table
    from fastvec.classify.words.sentences import windows

    vectors = starting_vectors(job)
    lexicon = Lexicon(vectors.words).with_words_of(texts[0], job["min_count"])
    table = starting_table(lexicon, vectors, vectors.vector_size, np.random.default_rng(job["seed"]))
    for sentences in texts:
        rows = lexicon.rows(itertools.chain(*sentences))
        ids = windows(rows, list(map(len, sentences)), job["window"], PADDING)
        yield table[ids].reshape(len(ids), -1)


def fastvec_locations(job: Job) -> Worked:
    """Tell by folds which words are locations; F1 is that of the words of all folds together."""
    import fastvec.classify

    sentences, tags = read_conll(job, "wikigold.conll.txt", 1)
    labels = [[tag == "I-LOC" for tag in of_words] for of_words in tags]
    model = getattr(fastvec.classify, job["classifier"])(starting_vectors(job), **network(job))
    warnings.filterwarnings("ignore", message="train_vectors=True on a small data set")
    order = np.random.default_rng(job["seed"]).permutation(len(sentences))
    found, true, seconds = [], [], 0.0
    for test in np.array_split(order, job["folds"]):
        train = np.setdiff1d(order, test)
        seconds += fit(model, [sentences[i] for i in train], [labels[i] for i in train])
        found += np.concatenate(model.predict([sentences[i] for i in test])).tolist()
        true += itertools.chain(*(labels[i] for i in test))
    hits = sum(map(all, zip(found, true, strict=True)))
    return scored(seconds, "F1", 2 * hits / max(1, sum(found) + sum(true)), len(true))


def starting_vectors(job: Job) -> Any:
    """Return the vectors that words start from, random ones of the same size for the same words, or None."""
    import fastvec

    if job["start"] is None:
        return None
    vectors = fastvec.load(job["vectors"])
    if job["start"] == "vectors":
        return vectors
    generator, scale = np.random.default_rng(job["seed"]), float(vectors.vectors.std())
    numbers = generator.normal(0, scale, vectors.vectors.shape).astype(np.float32)
    return fastvec.Vectors(vectors.words, numbers)


def network(job: Job) -> dict[str, Any]:
    """Return the parameters of a window's network."""
    return {**{name: job[name] for name in NETWORK}, **job["parameters"]}


class Fold(NamedTuple):
    """Sentences to train on and to test on, words with a space between them, and their labels."""

    X: list[str]
    y: list[str]
    X_test: list[str]
    y_test: list[str]


def fastvec_polarity(job: Job) -> Worked:
    from fastvec.classify import TextClassifier

    vectors, parts = starting_vectors(job), list(folds(job))

    def trial(number: int, point: Point) -> tuple[float, float]:
        X, y, X_test, y_test = parts[number]
        classifier = TextClassifier(vectors, **text_parameters(job), **point)
        return fit(classifier, X, y), classifier.score(X_test, y_test)

    return over_the_grid(job, trial)


def fasttext_polarity(job: Job) -> Worked:
    with tempfile.TemporaryDirectory() as folder:
        files = [
            (
                write_labelled(Path(folder, f"train-{number}"), part.X, part.y),
                write_labelled(Path(folder, f"test-{number}"), part.X_test, part.y_test),
            )
            for number, part in enumerate(folds(job))
        ]

        def trial(number: int, point: Point) -> tuple[float, float]:
            train, test = files[number]
            started = time.perf_counter()
            model = fasttext_supervised(job, train, point)
            seconds = time.perf_counter() - started
            # The precision of its first label; `predict` fails with NumPy 2.
            return seconds, model.test(str(test))[1]

        return over_the_grid(job, trial)


def over_the_grid(job: Job, trial: Callable[[int, Point], tuple[float, float]]) -> Worked:
    """Try all settings of the grid on all folds; ``trial(fold, point)`` returns seconds and the accuracy."""
    grid = []
    for values in itertools.product(*job["grid"].values()):
        point = dict(zip(job["grid"], values, strict=True))
        tried = [trial(number, point) for number in range(job["folds"])]
        seconds, accuracies = zip(*tried, strict=True)
        grid.append({**point, "accuracy": 100 * mean(accuracies), "seconds": sum(seconds)})
    best = max(point["accuracy"] for point in grid)
    figures, nothing = scored(
        sum(point["seconds"] for point in grid), "accuracy", best / 100, len(read_polarity(job)[0])
    )
    return {**figures, "grid": grid}, nothing


def fastvec_polarity_speed(job: Job) -> Worked:
    """Time all of `fit`, from a list of str on, and of it the training."""
    from fastvec.classify import TextClassifier

    X, y = read_polarity(job)
    words = sum(len(sentence.split()) for sentence in X)
    classifier = TextClassifier(**text_parameters(job), **settings_of_speed(job))
    seconds = fit(classifier, X, y)
    training = sum(epoch.seconds for epoch in classifier.history_)
    figures = {
        "fit_seconds": seconds,
        "train_seconds": training,
        "words": words,
        "words_per_second": job["epochs"] * words / training,
    }
    return figures, lambda: None


def fasttext_polarity_speed(job: Job) -> Worked:
    """Time fastText from its file on, and once more for no epoch: the difference is its training."""
    X, y = read_polarity(job)
    words = sum(len(sentence.split()) for sentence in X)
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        path = write_labelled(Path(folder, "all"), X, y)
        for epochs in (job["epochs"], 0):
            started = time.perf_counter()
            fasttext_supervised(job, path, {**settings_of_speed(job), "epochs": epochs})
            seconds[epochs] = time.perf_counter() - started
    whole, rest = seconds[job["epochs"]], seconds[0]
    figures: Figures = {"fit_seconds": whole, "words": words}
    if whole > rest:  # a text of a few words is lost in the noise
        figures["train_seconds"] = whole - rest
        figures["words_per_second"] = job["epochs"] * words / (whole - rest)
    return figures, lambda: None


def polarity_vectors(job: Job) -> Worked:
    """Tell classes by folds from vectors of sentences; pooling too learns only from what is trained on."""
    import sklearn.linear_model
    import sklearn.neural_network
    from sklearn.exceptions import ConvergenceWarning

    import fastvec.classify

    modules = (fastvec.classify, sklearn.linear_model, sklearn.neural_network)
    kind = next(vars(module)[job["classifier"]] for module in modules if job["classifier"] in vars(module))
    seed = "seed" if kind.__module__.startswith("fastvec") else "random_state"
    vectors = fastvec.load(job["vectors"])
    warnings.simplefilter("ignore", ConvergenceWarning)
    seconds, accuracies = 0.0, []
    for part in folds(job):
        vectorizer = fastvec.classify.TextVectorizer(vectors, pooling=job["pooling"]).fit(part.X)
        X, X_test = vectorizer.transform(part.X), vectorizer.transform(part.X_test)
        classifier = kind(**job["parameters"], **{seed: job["seed"]})
        seconds += fit(classifier, X, part.y)
        accuracies.append(classifier.score(X_test, part.y_test))
    return scored(seconds, "accuracy", mean(accuracies), len(read_polarity(job)[0]))


def text_parameters(job: Job) -> dict[str, Any]:
    """Return the parameters of `TextClassifier` that are not of a grid."""
    return {name: job[name] for name in ("buckets", "vector_size", "min_count", "threads", "seed")}


def settings_of_speed(job: Job) -> Point:
    """Return what a grid varies, of a job without one."""
    return {name: job[name] for name in ("word_ngrams", "learning_rate", "epochs")}


def fasttext_supervised(job: Job, path: Path, point: Point) -> Any:
    import fasttext

    return fasttext.train_supervised(
        str(path),
        wordNgrams=point["word_ngrams"],
        lr=point["learning_rate"],
        epoch=point["epochs"],
        bucket=job["buckets"],
        dim=job["vector_size"],
        minCount=job["min_count"],
        thread=job["threads"],
        seed=job["seed"],
        verbose=0,
    )


def folds(job: Job) -> Iterator[Fold]:
    """Give the folds of the sentences, the same shares of labels in each."""
    from sklearn.model_selection import StratifiedKFold

    X, y = read_polarity(job)
    for train, test in StratifiedKFold(job["folds"], shuffle=True, random_state=job["seed"]).split(X, y):
        yield Fold(*([whole[i] for i in part] for part in (train, test) for whole in (X, y)))


def read_polarity(job: Job) -> tuple[list[str], list[str]]:
    """Return the sentences and their labels, in an order of the seed: fastText keeps to that of its file."""
    found = []
    for label in ("neg", "pos"):
        text = Path(job["labelled"], f"sentence-polarity.{label}.txt").read_text(encoding="utf-8")
        found += [(" ".join(line.split()), label) for line in text.split("\n") if line.split()]
    order = np.random.default_rng(job["seed"]).permutation(len(found))
    return [found[i][0] for i in order], [found[i][1] for i in order]


def write_labelled(path: Path, sentences: Sequence[str], labels: Sequence[str]) -> Path:
    """Write sentences and their labels as fastText reads them, and return the file."""
    lines = [f"__label__{label} {sentence}\n" for sentence, label in zip(sentences, labels, strict=True)]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def read_conll(job: Job, name: str, column: int) -> tuple[Words, Words]:
    """Return the words of every sentence of a file, and what stands beside them in a column."""
    sentences: Words = [[]]
    labels: Words = [[]]
    for line in Path(job["labelled"], name).read_text(encoding="utf-8").split("\n"):
        cells = line.split()
        if cells and cells[0] != "-DOCSTART-":
            sentences[-1].append(cells[0])
            labels[-1].append(cells[column])
        elif sentences[-1]:
            sentences.append([])
            labels.append([])
    return [one for one in sentences if one], [one for one in labels if one]


def fit(model: Any, X: Any, y: Any) -> float:
    """Fit a model and return how long it takes."""
    started = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - started


def scored(seconds: float, test: str, score: float, covered: int) -> Worked:
    """Return the figures of a run that has one score, of 0 to 1."""
    quality = {test: {"score": 100 * float(score), "covered": covered}}
    return {"fit_seconds": seconds, "quality": quality}, lambda: None


WORKERS = {
    "fastvec_tagging": fastvec_tagging,
    "sklearn_tagging": sklearn_tagging,
    "fastvec_locations": fastvec_locations,
    "fastvec_polarity": fastvec_polarity,
    "fasttext_polarity": fasttext_polarity,
    "fastvec_polarity_speed": fastvec_polarity_speed,
    "fasttext_polarity_speed": fasttext_polarity_speed,
    "polarity_vectors": polarity_vectors,
}
