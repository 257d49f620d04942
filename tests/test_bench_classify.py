"""The rows of what learns from labels run from files to tables, and their tables say what the runs say."""

import gzip
import importlib
import json
import random
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
pytestmark = pytest.mark.skipif(not BENCH.is_dir(), reason="bench/ is not beside the tests")

PLACES, OTHERS = ["paris", "rome", "oslo", "lima"], ["bread", "music", "rain", "time"]
# What makes a row quick; all else is as it is measured.
QUICK = {
    "tagging": {"epochs": 40, "hidden": 16, "batch_size": 8, "learning_rate": 0.01},
    "locations": {"epochs": 20, "hidden": 16, "batch_size": 8, "learning_rate": 0.01, "folds": 2},
    "polarity": {"folds": 2, "grid": {"word_ngrams": [1, 2], "learning_rate": [0.5], "epochs": [5, 10]}},
    "polarity-speed": {"epochs": 2},
    "polarity-speed-words": {"epochs": 2},
    "polarity-vectors": {"folds": 2},
}
MACHINE = {
    "processor": "A processor",
    "cores": 2,
    "system": "Linux",
    "backend": "avx512",
    "versions": {"fastvec": "1.0", "scikit-learn": "1.7"},
    "load": 0.0,
}


@pytest.fixture
def contenders(compare):
    return importlib.import_module("classify_contenders")


@pytest.fixture
def data(tmp_path):
    """A folder with texts of the layout of the real ones, in which everything can be learned."""
    generator = random.Random(1)
    sentences = [
        [*generator.sample(["we", "like", "it"], 2), preposition, generator.choice(words)]
        for preposition, words in [("in", PLACES), ("of", OTHERS)] * 30
    ]
    folder = tmp_path / "data"
    labelled = folder / "labelled"
    labelled.mkdir(parents=True)
    tags = {**dict.fromkeys(PLACES, "NNP"), **dict.fromkeys(OTHERS, "NN"), "in": "IN", "of": "IN"}
    tagged = ["".join(f"{word} {tags.get(word, 'X')} O\n" for word in words) for words in sentences]
    (labelled / "conll2000-train.txt").write_text("\n".join(tagged[:40]))
    (labelled / "conll2000-test.txt").write_text("\n".join(tagged[40:]))
    spots = [
        "".join(f"{word.title()} {'I-LOC' if word in PLACES else 'O'}\n" for word in words)
        for words in sentences
    ]
    (labelled / "wikigold.conll.txt").write_text("-DOCSTART- O\n\n" + "\n".join(spots) + "\n")
    # So many different words that fastText's matrix is of fresh pages: see bench/terms.py.
    for label, word in (("pos", "music"), ("neg", "rain")):
        lines = (f"{word} {' '.join(f'{label}{i}-{k}' for k in range(45))} {word}\n" for i in range(80))
        (labelled / f"sentence-polarity.{label}.txt").write_text("".join(lines), encoding="utf-8")
    (folder / "corpus").mkdir()
    with gzip.open(folder / "corpus" / "simplewiki.txt.gz", "wt") as text:
        text.write("".join(" ".join(words) + "\n" for words in sentences * 50))
    return folder


@pytest.fixture
def measured(compare, data, tmp_path, monkeypatch):
    """Give a function that measures a row on the small texts and returns its record and the report.

    The first run of every worker is a process of its own, as in earnest; the others save the time.
    """
    monkeypatch.setattr(compare.texts, "CACHE", tmp_path / "cache")
    quick = [
        replace(row, settings={**row.settings, **QUICK[row.name]})
        for row in compare.ROWS
        if row.name in QUICK
    ]
    monkeypatch.setattr(compare, "ROWS", quick)
    run_in_process, seen = compare.run, set()

    def run(contender, job, saves):
        if contender.worker not in seen or contender.environment:
            seen.add(contender.worker)
            return run_in_process(contender, job, saves)
        own = {**job, **contender.options, "save": None, "started": time.monotonic()}
        return json.loads(json.dumps(importlib.import_module("contenders").run(contender.worker, own)))

    monkeypatch.setattr(compare, "run", run)

    def measure(name):
        kept = tmp_path / "results.json"
        arguments = ["--only", name, "--repeats", "1", "--seeds", "1", "--threads", "1"]
        assert compare.main([*arguments, "--data", str(data), "--results", str(kept)]) == 0
        record = json.loads(kept.read_text())["rows"][name]
        row = next(row for row in quick if row.name == name)
        assert [run.get("error") for run in record["runs"]] == [None] * len(row.entries)
        assert [run["contender"] for run in record["runs"]] == [
            contender.name for contender, _ in row.entries
        ]
        assert all(run["peak_bytes"] > 1e6 and run["fit_seconds"] > 0 for run in record["runs"])
        return record, kept.with_suffix(".md").read_text()

    return measure


def scores_of(record, test):
    return {run["contender"]: run["quality"][test]["score"] for run in record["runs"]}


@pytest.mark.filterwarnings("ignore:train_vectors=True on a small data set")
def test_tagging(measured):
    record, report = measured("tagging")
    assert min(scores_of(record, "accuracy").values()) > 70  # half of the words have one tag
    assert record["runs"][0]["quality"]["accuracy"]["covered"] == 20 * 4
    assert "window 2, 16 hidden units, relu, adam, batches of 8, learning rate 0.01, 40 epochs" in report
    assert "vectors of simplewiki.txt.gz" in report


def test_locations(measured):
    record, report = measured("locations")
    assert min(scores_of(record, "F1").values()) > 80
    assert record["runs"][0]["quality"]["F1"]["covered"] == 60 * 4
    assert "2 folds" in report and "WindowRanker with case" in report


def test_polarity(measured):
    record, report = measured("polarity")
    assert min(scores_of(record, "accuracy").values()) > 80
    for run in record["runs"]:
        tried = [(point["word_ngrams"], point["learning_rate"], point["epochs"]) for point in run["grid"]]
        assert tried == [(1, 0.5, 5), (1, 0.5, 10), (2, 0.5, 5), (2, 0.5, 10)]
        assert run["quality"]["accuracy"]["score"] == max(point["accuracy"] for point in run["grid"])
        assert run["fit_seconds"] == pytest.approx(sum(point["seconds"] for point in run["grid"]))
    assert "fastText, epochs 5 / 10" in report and "200,000 buckets, 2 folds" in report


@pytest.mark.parametrize("name", ["polarity-speed", "polarity-speed-words"])
def test_polarity_speed(measured, name):
    record, _ = measured(name)
    fastvec, fasttext = record["runs"]
    assert fastvec["words"] == fasttext["words"] == 160 * 47
    assert 0 < fastvec["train_seconds"] < fastvec["fit_seconds"]
    assert fastvec["words_per_second"] == pytest.approx(2 * 160 * 47 / fastvec["train_seconds"])
    if "train_seconds" in fasttext:  # a difference, which may come to nothing on so small a text
        assert fasttext["train_seconds"] < fasttext["fit_seconds"]
        assert fasttext["words_per_second"] == pytest.approx(2 * 160 * 47 / fasttext["train_seconds"])


def test_polarity_vectors(measured):
    record, report = measured("polarity-vectors")
    found = scores_of(record, "accuracy")  # the sentences are too few for those that learn by small steps
    assert found["scikit-learn LogisticRegression"] > 90 and min(found.values()) >= 50
    assert "scikit-learn LogisticRegression" in report


def test_everyone_has_the_threads_of_the_row(compare, monkeypatch):
    asked = []
    monkeypatch.setattr(compare, "run", lambda contender, job, saves: asked.append(job) or {"error": "none"})
    monkeypatch.setattr(compare.texts, "vectors", lambda text, **options: Path("vectors"))
    monkeypatch.setattr(compare.texts, "prepare", lambda source, words: compare.texts.Text(source, 9, 3))
    tagging = next(row for row in compare.ROWS if row.name == "tagging")
    compare.measure(tagging, Path("text"), compare.parser().parse_args(["--threads", "3"]))
    assert {(job["threads"], job["blas_threads"]) for job in asked} == {(3, 3)}


@pytest.mark.parametrize(("job", "expected"), [({}, "1"), ({"blas_threads": 3}, "3")])
def test_blas_has_the_threads_of_the_job(compare, monkeypatch, job, expected):
    def run(command, env, **options):
        assert {env[name] for name in compare.BLAS} == {expected}
        return subprocess.CompletedProcess(command, 0, stdout="{}", stderr="")

    monkeypatch.setattr(compare.subprocess, "run", run)
    assert compare.run(compare.Contender("any", "fastvec"), job, saves=False) == {}


def test_vectors_are_made_once(compare, data, tmp_path, monkeypatch):
    monkeypatch.setattr(compare.texts, "CACHE", tmp_path / "cache")
    text = compare.texts.prepare(data / "corpus" / "simplewiki.txt.gz")
    path = compare.texts.vectors(text, vector_size=8, epochs=1, seed=1)
    before = path.stat().st_mtime_ns
    assert compare.texts.vectors(text, vector_size=8, epochs=1, seed=1) == path
    assert path.stat().st_mtime_ns == before
    assert compare.texts.vectors(text, vector_size=9, epochs=1, seed=1) != path


def test_reading(contenders, data):
    job = {"labelled": str(data / "labelled"), "seed": 1}
    words, tags = contenders.read_conll(job, "wikigold.conll.txt", 1)
    assert len(words) == len(tags) == 60 and {len(sentence) for sentence in words} == {4}
    assert "-DOCSTART-" not in {word for sentence in words for word in sentence}
    sentences, labels = contenders.read_polarity(job)
    assert {label: labels.count(label) for label in labels} == {"pos": 80, "neg": 80}
    assert all(
        ("pos0" in s or "music" in s) == (label == "pos") for s, label in zip(sentences, labels, strict=True)
    )
    assert labels != sorted(labels) and contenders.read_polarity({**job, "seed": 2})[1] != labels


def test_everyone_has_the_same_folds(contenders, data, tmp_path):
    job = {"labelled": str(data / "labelled"), "seed": 1, "folds": 4}
    folds = list(contenders.folds(job))
    assert sorted(s for fold in folds for s in fold.X_test) == sorted(contenders.read_polarity(job)[0])
    for fold in folds:
        assert not set(fold.X) & set(fold.X_test) and fold.y_test.count("pos") == 20
    path = contenders.write_labelled(tmp_path / "a", ["good film"], ["pos"])
    assert path.read_text() == "__label__pos good film\n"


def made(settings, *runs):
    """Return a record of runs with one thread: contender, round, figures."""
    runs = [
        {
            "contender": contender,
            "threads": 1,
            "round": turn,
            "wall_seconds": 9.0,
            "peak_bytes": 2e8,
            **figures,
        }
        for contender, turn, figures in runs
    ]
    settings = {"corpus": "a.txt", "words": 1_000_000, "threads": 1, **settings}
    return {"date": "2026-01-02", "machine": MACHINE, "settings": settings, "runs": runs}


def accuracy(score, **figures):
    return {"quality": {"accuracy": {"score": score, "covered": 9}}, **figures}


@pytest.fixture
def rows(compare):
    return {row.name: {**compare.SETTINGS, **row.settings, "base": row.base} for row in compare.ROWS}


def cells_of(table, name):
    """Return the cells of the line of a table that begins with a name."""
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    return next(line[1:] for line in lines if line and line[0] == name)


def test_table_of_tags(compare, rows):
    base, tagger = "scikit-learn MLPClassifier, fixed vectors", "fastvec, vectors trained along"
    record = made(
        rows["tagging"],
        (base, 0, accuracy(94.0, fit_seconds=20.0)),
        (tagger, 0, accuracy(95.0, fit_seconds=10.0)),
        (base, 1, accuracy(94.0, fit_seconds=200.0)),  # the machine is slow for everyone
        (tagger, 1, accuracy(96.0, fit_seconds=100.0)),
    )
    report = compare.table.report({"rows": {"tagging": record}})
    assert cells_of(report, tagger) == ["95.50 ± 0.71", "55.0 s (10.0 – 100.0)", "2.0×", "200 MB"]
    assert cells_of(report, "tags: accuracy, vectors trained along") == ["94.5", "95.50", "yes"]
    assert cells_of(report, "the same: MLPClassifier's time against it") == ["1", "2.00", "yes"]
    assert cells_of(report, "tags: accuracy, and case and suffix") == ["96.5", "–", "not measured"]


def test_table_of_what_is_compared(compare, rows):
    softmax, logistic = "fastvec SoftmaxClassifier", "scikit-learn LogisticRegression"
    record = made(
        rows["polarity-vectors"],
        (softmax, 0, accuracy(70.0, fit_seconds=1.0)),
        (logistic, 0, accuracy(71.5, fit_seconds=2.0)),
    )
    report = compare.table.report({"rows": {"polarity-vectors": record}})
    assert cells_of(report, softmax) == ["70.00", "-1.50", logistic, "1.0 s", "200 MB"]
    assert cells_of(report, logistic) == ["71.50", "–", "", "2.0 s", "200 MB"]
    assert cells_of(report, "softmax to LogisticRegression, points") == ["-0.5", "-1.50", "no"]


def test_tables_of_polarity(compare, rows):
    def grid(*accuracies):
        points = [(1, 0.1, 5), (1, 0.1, 10), (2, 0.1, 5), (2, 0.1, 10)]
        names = ("word_ngrams", "learning_rate", "epochs", "accuracy")
        figures = [
            dict(zip(names, (*point, a), strict=True)) for point, a in zip(points, accuracies, strict=True)
        ]
        return accuracy(max(accuracies), grid=figures, fit_seconds=30.0)

    settings = rows["polarity"] | {
        "grid": {"word_ngrams": [1, 2], "learning_rate": [0.1], "epochs": [5, 10]},
    }
    record = made(
        settings,
        ("fastvec", 0, grid(70.0, 71.0, 77.0, 72.0)),
        ("fastText", 0, grid(73.0, 74.0, 75.0, 76.0)),
    )
    record["runs"].append({"contender": "fastvec, with vectors", "threads": 1, "round": 0, "error": "no"})
    report = compare.table.report({"rows": {"polarity": record}})
    assert cells_of(report, "fastvec") == ["77.00", "2", "0.1", "5", "30.0 s", "200 MB"]
    assert cells_of(report, "fastvec, with vectors") == ["–"] * 6
    assert cells_of(report, "2, 0.1") == ["77.0 / 72.0", "75.0 / 76.0"]
    assert cells_of(report, "the same, to fastText's best, points") == ["-0.5", "1.00", "yes"]


def test_table_of_polarity_speed(compare, rows):
    times = {"fit_seconds": 1.0, "train_seconds": 0.5, "words_per_second": 2e6}
    others = {"fit_seconds": 5.0, "train_seconds": 4.0, "words_per_second": 0.5e6}
    record = made(rows["polarity-speed"], ("fastvec", 0, times), ("fastText", 0, others))
    report = compare.table.report({"rows": {"polarity-speed": record}})
    cells = ["2.00 M", "4.0×", "1.0 s", "5.0×", "0.5 s", "8.0×", "200 MB"]
    assert cells_of(report, "fastvec") == cells
    assert cells_of(report, "polarity: words/s of training, against fastText") == ["3", "4.00", "yes"]
    assert cells_of(report, "the same, from text to model") == ["3", "5.00", "yes"]
