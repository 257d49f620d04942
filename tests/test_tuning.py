"""The search of the parameters of vectors: what is scored and tried, when it ends, and what it returns."""

import json
import math
import re
import signal
import sys
import threading

import numpy as np
import pytest
from commands import HANGS

import fastvec
from fastvec import CBOW, PPMI_SVD, Corpus, FastText, GloVe, SkipGram, autotune, cli, evaluate

pytestmark = pytest.mark.any_backend(trains=True)

SMALL = {"vector_size": 8, "threads": 1}
MODEL = {**SMALL, "epochs": 5}
SPACE = {"epochs": (1, 8), "learning_rate": (0.01, 0.3)}
INSIDE = sys.modules[autotune.__module__]


def topics(n=80, seed=0):
    """Sentences of one of four topics, of six words each."""
    random = np.random.default_rng(seed)
    return [
        [f"{'abcd'[topic]}{k}" for k in random.integers(6, size=8)] for topic in random.integers(4, size=n)
    ]


TEXT = topics()
SESSIONS = [[*dict.fromkeys(sentence)] for sentence in topics(60, 1)]


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("a0 a1 9\nb0 b1 8\na0 b0 2\nb1 c1 1\nd0 nowhere 5\n", encoding="utf-8")
    return path


def tune(corpus=TEXT, model=None, *, budget=6, seeds=1, space=SPACE, **options):
    return autotune(model or SkipGram(**MODEL), corpus, budget=budget, seeds=seeds, space=space, **options)


def tried(tuning):
    return [(trial.params, trial.seed, trial.words, trial.score) for trial in tuning.trials]


def size(vectors):
    return float(np.abs(vectors.vectors).mean())


def test_the_best_parameters_are_returned_with_a_model_of_the_whole_text():
    given = SkipGram(**MODEL, seed=7)
    tuning = tune(model=given, budget=12, seeds=2, objective=size)
    scores = {}
    for trial in tuning.trials:
        scores.setdefault(tuple(trial.params.values()), []).append(trial.score)
        assert trial.score == size(SkipGram(**MODEL | trial.params, seed=trial.seed).fit(TEXT).vectors_)
        assert trial.seconds > 0 and trial.words == 8 * len(TEXT)
    assert [trial.seed for trial in tuning.trials[:3]] == [7, 8, 7]
    complete = {values: np.mean(found) for values, found in scores.items() if len(found) == 2}
    assert tuning.score == max(complete.values()) == complete[tuple(tuning.params.values())]
    assert tuning.score > tuning.given.score == complete[5, 0.025]
    again = SkipGram(**MODEL | tuning.params, seed=7).fit(TEXT)
    assert (tuning.vectors.vectors == again.vectors_.vectors).all()
    assert not hasattr(given, "vectors_") and not tuning.interrupted


def test_nothing_depends_on_the_number_of_threads():
    one, three = (tune(budget=14, seeds=2, threads=threads, objective=size) for threads in (1, 3))
    assert tried(one) == tried(three) and one.params == three.params
    assert tried(one) != tried(tune(model=SkipGram(**MODEL, seed=2), budget=14, seeds=2, objective=size))


def test_the_front_is_of_times_and_scores_up_to_the_best():
    tuning = tune(budget=20, objective=size)
    times, scores = ([getattr(each, name) for each in tuning.pareto] for name in ("seconds", "score"))
    assert times == sorted(times) and scores == sorted(set(scores))
    assert (tuning.pareto[-1].params, tuning.pareto[-1].score) == (tuning.params, tuning.score)
    for trial in (
        each for each in tuning.trials if not math.isnan(each.score)
    ):  # each is on the front, or another one is as fast and as good
        assert trial.seconds > times[-1] or any(
            each.seconds <= trial.seconds and each.score >= trial.score for each in tuning.pareto
        )
    head, *rows = str(tuning).splitlines()
    assert "parameters, after 20 trainings" in head and "epochs" in rows[0]
    assert [row.split()[0] for row in rows if row.startswith(("given", "best"))].count("best") == 1
    assert "Trial(" not in repr(tuning)
    alone = str(tune(budget=1, objective=size)).splitlines()
    assert alone[0].endswith("parameters, after 1 training") and alone[1].startswith("given, best  ")


def test_parameters_are_in_the_space_and_differ():
    space = {"window": [2, None], "epochs": (1, 3), "noise_exponent": (-1.0, 1.0), "negatives": [1, 5]}
    tuning = tune(budget=30, space=space, objective=size)
    params = [trial.params for trial in tuning.trials]
    assert len({tuple(each.values()) for each in params}) == 30
    assert {each["window"] for each in params[1:]} <= {2, None, 5}
    assert all(each["epochs"] in (1, 2, 3, 5) and -1 <= each["noise_exponent"] <= 1 for each in params)
    assert (
        min(each["noise_exponent"] for each in params) < 0 < len({each["negatives"] for each in params}) - 1
    )


def test_what_is_given_stays():
    names = {"epochs", "learning_rate", "negatives", "subsample"}
    model = SkipGram(**SMALL)
    assert {*tune(model=model, budget=1, space=None).params} == names
    assert {*tune(model=SkipGram(**SMALL, epochs=2), budget=1, space=None).params} == names - {"epochs"}
    fixed = tune(model=model, budget=1, space=None, fixed=["negatives", "subsample"])
    assert {*fixed.params} == {"epochs", "learning_rate"}


def test_the_next_item_is_that_of_evaluate():
    tuning = tune(SESSIONS, budget=4, objective="next-item")
    training = evaluate.split_sessions(SESSIONS).training
    for trial in tuning.trials:
        model = SkipGram(**MODEL | trial.params).fit(training)
        found = evaluate.next_item(model, SESSIONS, k=10, exclude_seen=True)
        assert trial.score == found.vectors.hit_rate[10] > 0
    repeated = [[*session, session[0]] for session in SESSIONS]
    trial = tune(repeated, budget=1, objective="next-item").trials[0]
    model = SkipGram(**MODEL | trial.params).fit(evaluate.split_sessions(repeated).training)
    assert trial.score == evaluate.next_item(model, repeated, k=10).vectors.hit_rate[10] > 0


@pytest.mark.parametrize("objective", ["similarity", "analogies"])
def test_test_sets_are_those_of_evaluate(objective, pairs):
    test = pairs
    if objective == "analogies":
        test = pairs.with_name("questions.txt")
        test.write_text(": section\na0 a1 b0 b1\na0 b0 a1 b1\na0 a2 a3 nowhere\n", encoding="utf-8")
    tuning = tune(budget=3, objective=objective, tests=[test, test])
    for trial in tuning.trials:
        vectors = SkipGram(**MODEL | trial.params).fit(TEXT).vectors_
        if objective == "similarity":
            assert trial.score == evaluate.similarity(vectors, test, count_unknown=True).spearman
        else:
            assert trial.score == evaluate.analogies(vectors, test, count_unknown=True).total.accuracy


def test_held_out_words_tell_what_was_learned():
    settings = {"epochs": [4, 20], "learning_rate": [0.0001, 0.1]}
    scores = {tuple(t.params.values()): t.score for t in tune(budget=30, space=settings).trials}
    assert max(scores[4, 0.0001] + 0.05, 0.7) < scores[20, 0.1]
    # what all words of a frequency have in common does not matter
    noise = tune(
        budget=3, space={"noise_exponent": [0.0, 1.0]}, model=SkipGram(**SMALL, epochs=20, learning_rate=0.1)
    )
    assert max(t.score for t in noise.trials) - min(t.score for t in noise.trials) < 0.05
    # and words at random, some of them frequent, have nothing to be told by
    random = [[str(k) for k in np.random.default_rng(i).geometric(0.1, size=8)] for i in range(150)]
    model = SkipGram(**SMALL, epochs=10, learning_rate=0.1, noise_exponent=0.0, min_count=1)
    assert abs(tune(random, budget=1, model=model).score - 0.5) < 0.1


def test_held_out_words_are_not_trained_on():
    trial = tune(budget=1).trials[0]
    n = sum(map(len, TEXT))
    assert n - 2 * 128 < trial.words <= n - 64


@pytest.mark.parametrize(
    "model",
    [
        CBOW(**SMALL, learning_rate=0.3, epochs=20),
        CBOW(**SMALL, window=None, epochs=30, pooling="sum"),
        FastText(**SMALL, epochs=20, learning_rate=0.1, buckets=50),
        SkipGram(**SMALL, epochs=20, loss="bpr", learning_rate=0.1),
        SkipGram(**SMALL, epochs=20, loss="softmax", learning_rate=0.05),
    ],
)
def test_held_out_words_of_other_models(model):
    assert tune(model=model, budget=1, space={"negatives": [5, 6]}).score > 0.7


@pytest.mark.parametrize("model", [GloVe(**SMALL, epochs=3), PPMI_SVD(**SMALL)])
def test_models_of_counts(model):
    tuning = tune(SESSIONS, model, budget=3, space=None, objective="next-item")
    assert tuning.model.get_params() == model.get_params() | tuning.params
    assert {*tuning.params} <= {"epochs", "learning_rate", "window", "min_count"}


def blocks(n=60, seed=0):
    """Edges of a graph of three groups, and the group of each node."""
    random, group = np.random.default_rng(seed), np.arange(n) % 3
    linked = np.triu(random.random((n, n)) < np.where(group[:, np.newaxis] == group, 0.5, 0.02), 1)
    return np.argwhere(linked)


@pytest.mark.parametrize("kind", ["array", "names", "file", "weights"])
def test_links_that_were_not_walked_over_are_found(kind, monkeypatch, tmp_path):
    edges, seen = blocks(), []
    walks = INSIDE.objective_of.__globals__["walks"]

    def watched(graph, **how):
        seen.append(graph)
        (tmp_path / "edges.tsv").unlink(missing_ok=True)  # a stream cannot be read again either
        return walks(graph, **how)

    graph = edges
    if kind == "names":
        graph = [(f"n{a}", f"n{b}") for a, b in edges.tolist()]
    elif kind == "weights":
        graph = (*edges.T, np.full(len(edges), 2.0))
    elif kind == "file":
        graph = str(tmp_path / "edges.tsv")
        np.savetxt(graph, edges, "%d")
    expected = {p: fastvec.walks(graph, p=p, seed=1) for p in (1.0, 4.0)}
    monkeypatch.setitem(INSIDE.objective_of.__globals__, "walks", watched)
    tuning = tune(graph, budget=3, space={"p": [1.0, 4.0], "epochs": [5, 3]}, objective="link")
    assert all(trial.score > 0.75 for trial in tuning.trials) and tuning.given.params == {"p": 1, "epochs": 5}
    known = seen[0]
    assert len(known[0]) == len(edges) - len(edges) // 10 and len(known) == 2 + (kind == "weights")
    assert len(tuning.vectors) == 60 == len({*known[0].tolist(), *known[1].tolist()})
    again = SkipGram(**MODEL | {"epochs": tuning.params["epochs"]}).fit(expected[tuning.params["p"]])
    assert (tuning.vectors.vectors == again.vectors_.vectors).all()


def test_of_a_long_text_candidates_are_tried_on_parts_first(monkeypatch):
    monkeypatch.setattr(INSIDE, "WORDS_OF_PART", 40)
    tuning = tune(budget=15, seeds=2, objective=size)
    whole = 8 * len(TEXT)
    words = [trial.words for trial in tuning.trials]
    # the given parameters, seven others on a sixteenth, the best two on a quarter, the best one on all
    assert words == [whole] * 2 + [40] * 7 + [160] * 2 + [whole] * 2 + [40] * 2
    on_parts = sorted(tuning.trials[2:9], key=lambda trial: -trial.score)[:2]
    assert [trial.params for trial in tuning.trials[9:11]] == [trial.params for trial in on_parts]


@pytest.mark.parametrize("n", [1, 9])
def test_a_search_is_resumed_as_if_it_had_not_been_interrupted(n, tmp_path, monkeypatch):
    path, fitted = tmp_path / "trials.json", []
    how = {"objective": size, "seeds": 2, "budget": 12, "threads": 1}
    whole = tune(**how)

    def interrupted(vectors):
        fitted.append(vectors)
        if len(fitted) == n:
            signal.raise_signal(signal.SIGINT)
        return size(vectors)

    interrupted.__qualname__ = size.__qualname__
    with pytest.warns(UserWarning, match=r"^autotune (was interrupted after|ended before the given)"):
        part = tune(**{**how, "objective": interrupted}, checkpoint=path)
    assert part.interrupted and n <= len(fitted) <= n + 1
    assert len(part.vectors) == 24  # trained on the whole text with the best so far
    resumed = tune(**{**how, "objective": interrupted}, checkpoint=path, resume=True)
    assert tried(resumed) == tried(whole)
    assert len(fitted) == sum(not math.isnan(trial.score) for trial in whole.trials)
    assert (resumed.vectors.vectors == whole.vectors.vectors).all() and not resumed.interrupted


@pytest.mark.filterwarnings("always::UserWarning")
def test_a_second_signal_ends_the_last_training(tmp_path, monkeypatch, capfd):
    """The first one ends the search, here before anything was scored."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("".join(f"{' '.join(line)}\n" for line in TEXT), encoding="utf-8")
    fit = SkipGram.fit

    def interrupted(self, *arguments, **how):
        self.callbacks = [lambda _: signal.raise_signal(signal.SIGINT)]
        return fit(self, *arguments, **how)

    monkeypatch.setattr(SkipGram, "fit", interrupted)
    command = ["autotune", "text.txt", "-o", "v.vec", "--epochs", "1000000", "--vector-size", "8", "--json"]
    assert cli.main([*command, "--quiet"]) == 130
    out, errors = capfd.readouterr()
    assert "warning: autotune ended before the given parameters had a score" in errors
    assert (
        json.loads(out)["interrupted"]
        and json.loads(out)["trials"] == []
        and len(fastvec.load("v.vec")) == 24
    )


def test_a_record_is_of_one_search(tmp_path):
    path = tmp_path / "trials.json"
    tune(budget=1, objective=size, checkpoint=path, resume=True)
    message = (
        r"^checkpoint must be a new file unless resume is True, which goes on from it, got .*trials\.json$"
    )
    with pytest.raises(ValueError, match=message):
        tune(budget=1, objective=size, checkpoint=path)
    for name, other in (
        ("corpus", {"corpus": TEXT[1:]}),
        ("space", {"space": {"epochs": [1, 2]}}),
        ("objective", {"objective": "held-out"}),
        ("model", {"model": SkipGram(**MODEL, seed=3)}),
    ):
        with pytest.raises(
            ValueError, match=f"trials.json: is of a search with another {name}: resume needs"
        ):
            tune(**{"budget": 1, "objective": size, **other}, checkpoint=path, resume=True)
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"trials\.json: is not the checkpoint of an autotune$"):
        tune(budget=1, objective=size, checkpoint=path, resume=True)


@pytest.mark.parametrize(
    "damage",
    [
        {"about": []},
        {"seconds": None},
        {"trials": []},
        {"trials": {"a": {"score": 1}}},
        {"trials": {"a": {"params": {}, "seed": 1, "words": 8, "score": "x", "seconds": 1}}},
    ],
)
def test_a_damaged_record_is_an_error(damage, tmp_path):
    path = tmp_path / "trials.json"
    tune(budget=1, objective=size, checkpoint=path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}))
    with pytest.raises(ValueError, match=r"trials\.json: the state of the search is damaged"):
        tune(budget=1, objective=size, checkpoint=path, resume=True)


def test_a_record_that_cannot_be_written_ends_no_search(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="missing"):
        tune(objective=lambda _: pytest.fail("before anything is trained"), checkpoint=tmp_path / "missing/x")
    written, inside = [], INSIDE.Record.__init__.__globals__
    replacing = inside["replacing"]

    def full(path):
        written.append(path)
        if len(written) > 2:
            raise OSError(28, "No space left on device")
        return replacing(path)

    monkeypatch.setitem(inside, "replacing", full)
    with pytest.warns(UserWarning, match=r"^the checkpoint could not be written, the search continues: .*No"):
        tuning = tune(budget=4, objective=size, checkpoint=tmp_path / "trials.json")
    assert len(tuning.trials) == 4 and len(written) == 5


def test_the_end_of_the_time_ends_the_search(monkeypatch):
    with monkeypatch.context() as patch:  # every training takes a day
        patch.setattr(INSIDE.Record, "seconds", property(lambda record: 86_400.0 * len(record._trials)))
        tuning = tune(budget="96h", model=SkipGram(**SMALL, epochs=2), objective=size, threads=1)
    assert 4 <= len(tuning.trials) <= 9 and not tuning.interrupted  # those of two batches at most
    stopped, side_by_side = threading.Event(), INSIDE.Trainings.of.__globals__["SideBySide"]
    stop = side_by_side.stop
    monkeypatch.setattr(side_by_side, "stop", lambda trainings: (stop(trainings), stopped.set()))
    with pytest.warns(
        UserWarning, match=r"^autotune ended before the given parameters had a score: the model"
    ):
        tuning = tune(budget="0.01s", seeds=2, threads=1, objective=lambda _: float(stopped.wait(HANGS)))
    assert (tuning.params, len(tuning.vectors)) == ({"epochs": 5, "learning_rate": 0.025}, 24)
    assert math.isnan(tuning.score) and tuning.pareto == [] and tuning.given is None


def test_it_works_in_another_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(tune(budget=2, objective=size)))
    thread.start()
    thread.join()
    assert len(found[0].trials) == 2


def test_parameters_that_cannot_be_trained_with_are_not_the_best():
    tuning = tune(budget=6, space={"learning_rate": [0.05, 1e30], "min_count": [5, 10**6]}, objective=size)
    failed = [trial for trial in tuning.trials if math.isnan(trial.score)]
    assert failed and tuning.params["learning_rate"] < 1 and tuning.params["min_count"] == 5
    diverging = SkipGram(**MODEL, learning_rate=1e30)
    with pytest.raises(FloatingPointError, match=r"^training diverged in all of 2 trainings: search smaller"):
        tune(budget=2, model=diverging, space={"epochs": [5, 6]}, objective=size)
    with pytest.raises(ValueError, match="min_count"):
        tune(budget=2, model=SkipGram(**MODEL, min_count=10**6), objective=size)


def test_the_command(tmp_path, monkeypatch, capfd, pairs):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("".join(f"{' '.join(line)}\n" for line in TEXT), encoding="utf-8")
    np.savetxt("edges.tsv", blocks(), "%d")
    how = ["--budget", "3", "--seeds", "1", "--vector-size", "8", "--threads", "1", "-o", "v.fvec"]
    assert cli.main(["autotune", "text.txt", *how, "--epochs", "5", "--json", "--quiet"]) == 0
    document = json.loads(capfd.readouterr().out)
    expected = autotune(
        SkipGram(**MODEL), Corpus("text.txt"), budget=3, seeds=1, fixed=["epochs", "vector_size"]
    )
    assert [trial["params"] for trial in document["trials"]] == [trial.params for trial in expected.trials]
    assert document["score"] == expected.score and document["pareto"][-1]["params"] == expected.params
    assert (fastvec.load("v.fvec").vectors == expected.vectors.vectors).all()
    assert cli.main(["autotune", "edges.tsv", *how, "--objective", "link", "--budget", "1"]) == 0
    out, errors = capfd.readouterr()
    assert out.startswith(f"{'':11}  {'AUC':>14}") and out.endswith("saved in v.fvec\n")
    assert re.search(r"autotune: trial 1: AUC (\S+) \(best, mean \1\); seed 1, epochs ", errors)
    tests = ["--objective", "similarity", "--tests", str(pairs)]
    assert cli.main(["autotune", "text.txt", *how, *tests, "--budget", "1", "--quiet"]) == 0
    assert capfd.readouterr() == ("", "")
    assert cli.main(["autotune", "edges.tsv", *how, "--objective", "link", "--lowercase"]) == 2
    assert "--objective link reads the edges of a graph, to which no option of" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--objective", "similarity"], "--objective similarity needs --tests, the files of its test sets"),
        (["--resume"], "--resume needs --checkpoint, the file to go on from"),
        (["--budget", "5 minutes"], "argument --budget: expected a time such as 30s, 10m or 2h, or a number"),
    ],
)
def test_the_command_reads_no_text_for_what_it_cannot_do(options, message, tmp_path, capfd):
    text = tmp_path / "text.txt"
    text.write_text("a b\n", encoding="utf-8")
    command = ["autotune", str(text), "-o", str(tmp_path / "v.fvec"), *options]
    try:
        status = cli.main(command)
    except SystemExit as error:
        status = error.code
    errors = capfd.readouterr().err
    assert status == 2 and message in errors and "reading" not in errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": "10"}, r"^budget must be a time such as '10m', or a number of trainings, .*, got '10'$"),
        ({"budget": 2, "seeds": 3}, r"^budget must be .* as many as seeds \(3\) at least, got 2$"),
        ({"budget": None}, r"^budget must be a time such as .*, got None$"),
        ({"seeds": 0}, r"^seeds must be an int >= 1, got 0$"),
        ({"threads": 0}, r"^threads must be an int from 1 to 4096, got 0$"),
        ({"resume": True}, r"^resume must be False unless checkpoint is a file, got True$"),
        (
            {"model": "skipgram"},
            r"^model must be a SkipGram, CBOW, FastText, GloVe or PPMI_SVD, .*'skipgram'$",
        ),
        ({"model": SkipGram(epochs=0)}, r"^epochs must be an int >= 1, got 0$"),
        ({"objective": "loss"}, r"^objective must be one of 'held-out', 'next-item', .*, got 'loss'$"),
        ({"objective": "similarity"}, r"^objective='similarity' needs test sets, as in tests=.*, got none$"),
        (
            {"tests": "men.txt"},
            r"^tests must be None unless objective is 'similarity' or .*, got 'held-out'$",
        ),
        (
            {"objective": "analogies", "tests": 5},
            r"^tests must be a path or a sequence of paths, got 5$",
        ),
        ({"objective": "analogies", "tests": [5]}, r"^tests must be a path or .*, got \[5\]$"),
        ({"checkpoint": 5}, r"^checkpoint must be a path, got 5$"),
        ({"checkpoint": "s3://bucket/trials.json"}, r"^checkpoint must be on a disk, got the address"),
        ({"objective": lambda _: math.nan}, r"^objective must return a finite number for vectors, got nan$"),
        ({"objective": lambda _: "1"}, r"^objective must return a finite number for vectors, got '1'$"),
        ({"model": GloVe()}, r"^objective='held-out' needs a model that predicts words, got GloVe: use ano"),
        (
            {"model": CBOW(loss="hierarchical_softmax")},
            r"^objective='held-out' needs a loss with output vectors, got loss='hierarchical_softmax'",
        ),
        ({"space": {"loss": ["hierarchical_softmax"]}}, r"^objective='held-out' needs a loss with output"),
        (
            {"corpus": Corpus(TEXT, tag=[i % 2 for i in range(80)]), "objective": "next-item"},
            r"^corpus must be one without tag, got",
        ),
        ({"corpus": [["a", "b"]]}, r"^corpus must have words next to each other that occur often enough"),
        (
            {"corpus": [["a"]], "objective": "next-item"},
            r"^corpus must have a session whose last item occurs",
        ),
        (
            {"corpus": [("a", "b")], "objective": "link"},
            r"^corpus must be a graph with edges that can be held",
        ),
        (
            {"corpus": [], "objective": "link"},
            r"^corpus must be a graph with edges .* got 0 nodes with 0 edg",
        ),
        (
            {"corpus": [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4)], "objective": "link", "space": {"p": [0]}},
            r"^p must be a number > 0, got 0$",
        ),
        (
            {"corpus": [(0, 1), (1, 2), (2, 0)], "objective": "link"},
            r"^corpus must be a graph with pairs of nodes that have no edge, got 3 edges between 3 nodes$",
        ),
        (
            {"space": []},
            r"^space must be a dict of names of parameters and their values, as in .*, got \[\]$",
        ),
        ({"space": {"epoch": [1]}}, r"^every name in space must be one of 'vector_size', .*, got 'epoch'$"),
        ({"space": {"p": [1]}}, r"^every name in space must be one of .*, got 'p'$"),
        ({"space": {"epochs": 5}}, r"^space\['epochs'\] must be a list of values, or a tuple of .*, got 5$"),
        ({"space": {"epochs": (5, 5)}}, r"^space\['epochs'\] must be a list of values, .*, got \(5, 5\)$"),
        ({"space": {"loss": ("bpr", "x")}}, r"^space\['loss'\] must be a list .*, got \('bpr', 'x'\)$"),
        ({"space": {"epochs": [None, 5]}}, r"^space\['epochs'\] must be a list of numbers, got \[None, 5\]$"),
        ({"space": {"epochs": [0]}}, r"^epochs must be an int >= 1, got 0$"),
        ({"space": {"epochs": (0.5, 3.5)}}, r"^epochs must be an int >= 1, got 0\.5$"),
        ({"fixed": ["epochs"]}, r"^fixed must be None with space, which names what is searched, got \["),
        ({"space": None, "fixed": "epochs"}, r"^fixed must be a sequence of names, got 'epochs'$"),
        ({"space": None, "fixed": 5}, r"^fixed must be a sequence of names, got 5$"),
        ({"space": None, "fixed": ["epoch"]}, r"^fixed must be one of 'vector_size', .*, got 'epoch'$"),
        (
            {"space": None, "fixed": ["epochs", "learning_rate", "negatives", "subsample"]},
            r"^model must leave some of epochs, learning_rate, .* at their default to be searched, or space",
        ),
    ],
)
def test_errors(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        tune(**{"budget": 1, **options})


def test_test_sets_without_words_of_the_text_are_an_error(pairs):
    pairs.write_text("x y 1\ny z 2\n", encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"^tests must have pairs of words that the text has, got none in pairs$"
    ):
        tune(budget=1, objective="similarity", tests=pairs)
