"""The search of a text classifier's parameters: what is tried, what is kept, when it ends."""

import json
import signal
import sys
import threading

import numpy as np
import pytest
from inside import set_sizes

from fastvec import cli
from fastvec.classify import LabelledLines, TextClassifier, autotune, load

pytestmark = pytest.mark.any_backend(trains=True)

CHARACTERS = {(0, 0), (1, 4), (2, 5), (3, 6)}


def texts(n=60, seed=0):
    random = np.random.default_rng(seed)
    y = random.choice(["good", "bad"], n).tolist()
    words = {"good": ["fine", "nice", "great"], "bad": ["dull", "poor", "awful"]}
    return [f"a film {random.choice(words[label])} {random.choice(list('abcd'))}" for label in y], y


VALIDATION = texts(30, 1)


def tune(classifier=None, *, seconds=None, trials=6, **options):
    classifier = classifier or TextClassifier(vector_size=8, threads=1)
    return autotune(classifier, *texts(), validation=VALIDATION, seconds=seconds, trials=trials, **options)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("autotune")
    for name, (X, y) in {"train": texts(), "valid": VALIDATION}.items():
        lines = [f"__label__{label} {text}\n" for text, label in zip(X, y, strict=True)]
        (folder / f"{name}.txt").write_text("".join(lines))
    return folder


def test_the_best_trial_is_returned_trained():
    given = TextClassifier(vector_size=8, threads=1, epochs=1, learning_rate=0.01)
    best = tune(given, fixed=["vector_size"])
    scores = [trial.score for trial in best.trials_]
    chosen = best.trials_[int(np.argmax(scores))]
    assert len(scores) == 6 and scores[0] < max(scores) == best.score_top(*VALIDATION).f1 > 0.9
    assert {name: best.get_params()[name] for name in chosen.params} == chosen.params
    again = TextClassifier(**best.get_params()).fit(*texts())
    assert (again.predict_proba(VALIDATION[0]) == best.predict_proba(VALIDATION[0])).all()
    assert all(trial.complete and trial.seconds > 0 for trial in best.trials_)
    assert given.get_params()["epochs"] == 1 and not hasattr(given, "classes_")


def test_trials_are_the_same_each_time_and_others_with_another_seed():
    def tried(seed):
        best = tune(TextClassifier(vector_size=8, threads=1, seed=seed), trials=8)
        return [(trial.params, trial.score) for trial in best.trials_]

    assert tried(0) == tried(0) != tried(1)


def test_trials_are_different_and_in_their_ranges():
    classifier = TextClassifier(threads=1, epochs=1)
    tried = [trial.params for trial in tune(classifier, trials=25).trials_]
    assert len({tuple(params.values()) for params in tried}) == 25
    assert {(params["min_n"], params["max_n"]) for params in tried} <= CHARACTERS
    assert {params["word_ngrams"] for params in tried} <= {1, 2, 3, 4, 5}
    assert all(0.01 <= params["learning_rate"] <= 5 for params in tried)
    assert all(5 <= params["vector_size"] <= 500 and 1e4 <= params["buckets"] <= 1e7 for params in tried)
    assert all("epochs" not in params for params in tried)


def test_what_is_given_stays():
    assert {*tune(TextClassifier(max_n=3, min_n=2, threads=1)).trials_[5].params} == {
        "learning_rate", "epochs", "vector_size", "word_ngrams", "buckets"
    }  # fmt: skip
    others = ["epochs", "vector_size", "min_n", "learning_rate", "buckets"]
    best = tune(TextClassifier(threads=1, vector_size=8), fixed=others, trials=20)
    assert sorted(trial.params["word_ngrams"] for trial in best.trials_) == [1, 2, 3, 4, 5]  # and no more
    vectors = TextClassifier(vector_size=8, threads=1).fit(*texts()).vectors_
    assert "vector_size" not in tune(TextClassifier(vectors, threads=1), trials=1).trials_[0].params


def test_the_end_of_the_time_ends_a_trial():
    best = tune(TextClassifier(threads=1, epochs=1_000_000, vector_size=8), seconds=0.3, trials=None)
    (trial,) = best.trials_
    assert not trial.complete and trial.score == best.score_top(*VALIDATION).f1
    assert best.interrupted_ and len(best.history_) < 1_000_000


@pytest.mark.parametrize("epochs", [0, 3])
def test_an_unfinished_trial_is_the_best_if_its_score_is(monkeypatch, epochs):
    fit_to, n = TextClassifier._fit_to, []

    def second_is_cut_short(self, documents, labels, stop):
        n.append(self)
        fit_to(self, documents, labels, lambda: len(n) == 2 and len(self.history_) >= epochs)

    monkeypatch.setattr(TextClassifier, "_fit_to", second_is_cut_short)
    starts = ({"learning_rate": 0.5, "epochs": 20},)
    monkeypatch.setattr(sys.modules[autotune.__module__], "STARTS", starts)
    given = TextClassifier(vector_size=8, threads=1, epochs=1, learning_rate=0.01 if epochs else 0.5)
    best = tune(given, trials=2, fixed=["vector_size"])
    first, second = best.trials_
    assert (first.complete, second.complete) == (True, False)
    assert (second.score > first.score) == best.interrupted_ == bool(epochs)
    assert best.score_top(*VALIDATION).f1 == max(first.score, second.score)


def test_of_many_texts_candidates_are_tried_on_parts_first(monkeypatch):
    monkeypatch.setattr(sys.modules[autotune.__module__], "WORDS_OF_PART", 15)
    monkeypatch.setattr(sys.modules[autotune.__module__], "DOCUMENTS_OF_PART", 3)
    given = TextClassifier(vector_size=8, threads=1, epochs=1, learning_rate=0.01, min_label_count=10)

    def tried():
        best = tune(given, trials=14, fixed=["vector_size"])
        assert best.score_top(*VALIDATION).f1 == max(t.score for t in best.trials_ if t.documents == 60)
        return best.trials_

    trials = tried()
    # All as they are given, then five starts on 3 texts, the best on 15 and then on 60, and what is near it.
    assert [trial.documents for trial in trials] == [60, *[3] * 5, 15, 60, *[3] * 4, 15, 60]
    on_parts = trials[1:6]
    promoted = next(trial for trial in on_parts if trial.params == trials[6].params)
    assert max(trial.score for trial in on_parts) - promoted.score <= 2 * (0.25 / 30) ** 0.5
    assert trials[6].params == trials[7].params
    assert [(t.params, t.score, t.documents) for t in tried()] == [
        (t.params, t.score, t.documents) for t in trials
    ]


def test_parts_are_of_the_texts_that_are_left_without_rare_labels(monkeypatch):
    monkeypatch.setattr(sys.modules[autotune.__module__], "WORDS_OF_PART", 15)
    monkeypatch.setattr(sys.modules[autotune.__module__], "DOCUMENTS_OF_PART", 3)
    X, y = texts()
    given = TextClassifier(vector_size=8, threads=1, min_label_count=2)
    rare = [f"rare {i}" for i in range(60)]
    best = autotune(given, X + rare, y + rare, validation=VALIDATION, seconds=None, trials=7)
    assert [trial.documents for trial in best.trials_] == [120, *[3] * 5, 15]
    assert best.classes_.tolist() == ["bad", "good"]


def test_no_trial_takes_many_times_the_work_of_the_best():
    given = TextClassifier(threads=1, vector_size=8, epochs=2)
    epochs = [
        t.params["epochs"]
        for t in tune(given, fixed=["vector_size", "min_n", "word_ngrams"], trials=20).trials_
    ]
    assert max(epochs[5:]) <= 5 * max(epochs[:5])


def test_the_loss_is_searched_if_texts_have_several_labels():
    X, y = texts()
    pairs, validation = (
        [[label, "film"] for label in y],
        (VALIDATION[0], [[label] for label in VALIDATION[1]]),
    )

    def losses(classifier, labels):
        best = autotune(classifier, X, labels, validation=validation, seconds=None, trials=10)
        return {trial.params.get("loss") for trial in best.trials_}

    assert losses(TextClassifier(threads=1, vector_size=8), pairs) == {"softmax", "one_vs_all"}
    assert losses(TextClassifier(threads=1, vector_size=8), [[label] for label in y]) == {None}
    assert losses(TextClassifier(threads=1, vector_size=8, loss="one_vs_all"), pairs) == {None}


@pytest.mark.parametrize("how", ["Ctrl-C", "stop"])
def test_the_search_is_stopped_with_the_best_so_far(monkeypatch, how):
    classifier, fit_to, n = TextClassifier(vector_size=8, threads=1), TextClassifier._fit_to, []

    def third_is_stopped(self, *arguments):
        n.append(self)
        if len(n) == 3:
            signal.raise_signal(signal.SIGINT) if how == "Ctrl-C" else classifier.stop()
        fit_to(self, *arguments)

    monkeypatch.setattr(TextClassifier, "_fit_to", third_is_stopped)
    if how == "Ctrl-C":
        with pytest.warns(UserWarning, match=r"^autotune was interrupted in trial 3; the best classifier is"):
            best = tune(classifier)
    else:
        best = tune(classifier)
    assert [trial.complete for trial in best.trials_] == [True, True, False]
    assert best in n[:2]


def test_it_works_in_another_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(tune(trials=2)))
    thread.start()
    thread.join()
    assert len(found[0].trials_) == 2


@pytest.mark.parametrize("loss", ["softmax", "one_vs_all", "hierarchical_softmax", "negative_sampling"])
def test_every_loss_with_several_labels(loss, monkeypatch):
    set_sizes(monkeypatch, work_of_thread=1)
    X, y = texts()
    pairs = [[label, "film"] for label in y]
    validation = VALIDATION[0], [[label, "film"] for label in VALIDATION[1]]
    classifier = TextClassifier(loss=loss, vector_size=8, threads=2)
    best = autotune(classifier, X, pairs, validation=validation, seconds=None, trials=3, k=2, metric="recall")
    assert max(trial.score for trial in best.trials_) == best.score_top(*validation, k=2).recall
    assert best.loss == loss


def test_the_score_may_be_that_of_one_label():
    best = tune(metric="recall:bad", trials=2)
    assert (
        max(trial.score for trial in best.trials_) == best.score_top(*VALIDATION).by_label["bad"].recall > 0
    )
    numbers = [int(label == "bad") for label in texts()[1]], [int(label == "bad") for label in VALIDATION[1]]
    again = autotune(
        TextClassifier(vector_size=8, threads=1),
        texts()[0],
        numbers[0],
        validation=(VALIDATION[0], numbers[1]),
        seconds=None,
        trials=1,
        metric="f1:1",
    )
    assert again.trials_[0].score == again.score_top(VALIDATION[0], numbers[1]).by_label[1].f1


def test_training_that_diverges_is_no_trial_to_keep(monkeypatch):
    def diverges(*_):
        raise FloatingPointError("training diverged")

    monkeypatch.setattr(TextClassifier, "_fit_to", diverges)
    with pytest.raises(FloatingPointError, match=r"^training diverged in all of 2 trials: use a smaller"):
        tune(trials=2)


def test_files_and_the_command(files, capfd):
    train, valid, model = files / "train.txt", files / "valid.txt", files / "best.fvmodel"
    classifier = TextClassifier(vector_size=8, threads=1)
    ours = autotune(classifier, train, validation=valid, seconds=None, trials=3)
    same = autotune(classifier, LabelledLines(train), validation=LabelledLines(valid), seconds=None, trials=3)
    assert [trial.score for trial in ours.trials_] == [trial.score for trial in same.trials_]
    command = ["classify", "autotune", str(train), "--validation", str(valid), "-o", str(model)]
    command += ["--trials", "3", "--vector-size", "8", "--threads", "1"]
    assert cli.main([*command, "--json", "--quiet"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert [trial["score"] for trial in document["trials"]] == [trial.score for trial in ours.trials_]
    assert [trial["params"] for trial in document["trials"]] == [trial.params for trial in ours.trials_]
    assert (load(model).predict_proba(["a fine film"]) == ours.predict_proba(["a fine film"])).all()
    assert cli.main(command) == 0
    out, errors = capfd.readouterr()
    first, *_ = errors.splitlines()
    assert first.startswith("autotune: trial 1: f1 ") and "(best); learning_rate 0.25, epochs 5" in first
    assert out.startswith("2 labels; trained on") and out.endswith(f"saved in {model}\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trials": None}, r"^seconds or trials must say when the search ends, got None for both$"),
        ({"seconds": 0.0}, r"^seconds must be .* > 0, got 0\.0$"),
        ({"trials": 0}, r"^trials must be an int >= 1, got 0$"),
        ({"k": 0}, r"^k must be an int >= 1, got 0$"),
        ({"metric": "f2"}, r"^metric must be .*'f1', 'precision'.*, got 'f2'$"),
        ({"metric": 1}, r"^metric must be a str, got 1$"),
        ({"metric": "f1:ugly"}, r"^metric must name a label .* as in f1:bad, got 'f1:ugly'$"),
        ({"fixed": "epochs"}, r"^fixed must be a sequence of names, got 'epochs'$"),
        ({"fixed": ["epoch"]}, r"^fixed must be .*'epochs'.*, got 'epoch'$"),
        ({"classifier": "softmax"}, r"^classifier must be a TextClassifier, got 'softmax'$"),
        ({"classifier": TextClassifier(epochs=0)}, r"^epochs must be an int >= 1, got 0$"),
        (
            {"fixed": ["epochs", "vector_size", "min_n", "word_ngrams", "learning_rate", "buckets"]},
            r"^fixed must leave some of learning_rate, .* to be searched, got \[",
        ),
    ],
)
def test_errors(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        tune(**options)


def test_errors_of_validation():
    for wrong in (None, 3, (VALIDATION[0],)):
        with pytest.raises(TypeError, match=r"^validation must be a pair of documents and labels, or a file"):
            autotune(TextClassifier(), *texts(), validation=wrong)
    with pytest.raises(ValueError, match=r"^y must have a label for each of the 30 documents, got 29$"):
        autotune(TextClassifier(), *texts(), validation=(VALIDATION[0], VALIDATION[1][1:]))


def test_a_label_that_no_validation_text_has_is_no_metric():
    X = ["a", "b"]
    matrix = np.array([[1, 0, 0], [0, 1, 0]])
    with pytest.raises(ValueError, match=r"^metric must name a label .* as in f1:0, got 'f1:2'$"):
        autotune(TextClassifier(), X, matrix, validation=(X, matrix), seconds=None, trials=1, metric="f1:2")
