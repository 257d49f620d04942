"""Everything in bench/ runs on small data, and the tables say what was measured."""

import gzip
import importlib
import importlib.util
import json
import random
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fastvec import Vectors, kernels

BENCH = Path(__file__).parents[1] / "bench"
pytestmark = pytest.mark.skipif(not BENCH.is_dir(), reason="bench/ is not beside the tests")

PLACES, OTHERS = ["paris", "rome", "oslo", "lima"], ["bread", "music", "rain", "time"]
# What makes a measurement quick, where it has the setting; all else is as it is measured.
QUICK = {"epochs": 5, "folds": 2, "hidden": 16, "batch_size": 8, "buckets": 20_000}
GRID = {"epochs": [5, 10], "learning_rate": [0.5], "word_ngrams": [1, 2]}
MACHINE = {
    "processor": "A processor",
    "cores": 2,
    "backend": "avx512",
    "system": "Linux",
    "versions": {"gensim": "4.4"},
}


@pytest.fixture
def bench(compare):
    """Give a module of bench/ by its name."""
    return importlib.import_module


@pytest.fixture
def data(tmp_path, bench, monkeypatch):
    """A folder with data of the layout of the real ones, in which everything can be learned."""
    monkeypatch.setattr(bench("texts"), "CACHE", tmp_path / "cache")
    monkeypatch.setattr(bench("sequences"), "CACHE", tmp_path / "cache")
    generator = random.Random(1)
    sentences = [
        [*generator.sample(["we", "like", "it"], 2), preposition, generator.choice(words)]
        for preposition, words in [("in", PLACES), ("of", OTHERS)] * 30
    ]
    tags = {**dict.fromkeys(PLACES, "NNP"), **dict.fromkeys(OTHERS, "NN"), "in": "IN", "of": "IN"}
    tagged = ["".join(f"{word} {tags.get(word, 'X')} O\n" for word in words) for words in sentences]
    spots = [
        "".join(f"{word.title()} {'I-LOC' if word in PLACES else 'O'}\n" for word in words)
        for words in sentences
    ]
    odd = [" ".join(["we", "like", f"odd{i}", word]) for i, word in enumerate(PLACES)]
    many = [
        " ".join(f"w{10 * i + k}" for k in range(10)) for i in range(300)
    ]  # see FRESH_PAGES in bench/words.py
    text = "".join(f"{line}\n" for line in [*map(" ".join, sentences), *odd] * 50 + many * 5)
    pairs = [
        f"{a} {b} {i}\n"
        for i, (a, b) in enumerate(zip(PLACES + OTHERS, ["odd1", "rome", *OTHERS, "odd2", "we"], strict=True))
    ]
    halves = [range(20), range(20, 40)]
    links = [f"{a},{b}\n" for nodes in halves for a in nodes for b in nodes if a < b and (a + b) % 3]
    shopping = [[f"{kind} {i}" for i in generator.sample(range(8), 4)] for kind in "ab" * 40]
    liked = [f"{user}\t{item[0]}{item[-1]}\t4\t0\n" for user, items in enumerate(shopping) for item in items]
    files = {
        "labelled/conll2000-train.txt": "\n".join(tagged[:40]),
        "labelled/conll2000-test.txt": "\n".join(tagged[40:]),
        "labelled/wikigold.conll.txt": "-DOCSTART- O\n\n" + "\n".join(spots) + "\n",
        **{f"similarity/{name}.txt": "".join(pairs) for name in ("ws353", "men", "simlex999")},
        "analogy/google.txt": f": capital\n{' '.join(PLACES)}\n: gram1\n{' '.join(OTHERS)}\n",
        **{f"{name}_edges.csv": "a,b\n" + "".join(links) for name in ("lastfm_asia", "facebook", "DE")},
        "groceries.csv": "".join(",".join(items) + "\n" for items in [*shopping, ["a 1"]]),
        "retail.dat": "".join(" ".join(item[0] + item[-1] for item in items) + "\n" for items in shopping),
        "ml-100k.inter": "user\titem\tstars\ttime\n" + "".join(liked),
    }
    # So many different words that fastText's matrix is of fresh pages: see bench/words.py.
    for label, word in (("pos", "music"), ("neg", "rain")):
        lines = (f"{word} {' '.join(f'{label}{i}-{k}' for k in range(45))} {word}\n" for i in range(80))
        files[f"labelled/sentence-polarity.{label}.txt"] = "".join(lines)
    for name, content in files.items():
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_text(content, encoding="utf-8")
    (tmp_path / "data" / "corpus").mkdir()
    for name in ("simplewiki", "simplewiki-raw-sample"):
        with gzip.open(tmp_path / "data" / "corpus" / f"{name}.txt.gz", "wt", encoding="utf-8") as packed:
            packed.write(text if name == "simplewiki" else text.title())
    return tmp_path / "data"


# Their names are written out here, so that none is dropped unnoticed.
NAMES = [
    *(
        "speed-100",
        "speed-300",
        "cbow-100",
        "tree-100",
        "subwords-100",
        "reading",
        "phrases",
        "whole",
        "cbow-whole",
    ),
    *("subwords-whole", "shuffle", "counting", "glove-100", "glove-300", "svd-100", "glove-whole", "tagging"),
    *("locations", "polarity", "polarity-speed", "polarity-speed-words", "polarity-vectors", "lastfm_asia"),
    *("facebook", "twitch_de", "retail", "groceries", "ml-100k", "simplewiki", "simplewiki-raw"),
]


def test_every_measurement_is_tested(compare):
    assert [each.name for each in compare.MEASUREMENTS] == NAMES


SEEN = set()  # functions that have had a process of their own


@pytest.fixture
def run(bench, monkeypatch, tmp_path):
    """Run contenders in this process, which saves time, from the second time on."""
    in_a_process, work = bench("measure").run, bench("measure").work

    def run(contender, job):
        function = f"{contender.function.__module__}.{contender.function.__name__}"
        if contender.environment or function not in SEEN:
            figures = in_a_process(contender, job)
            SEEN.update([function] if "error" not in figures else [])
            return figures
        own = {**job, **contender.settings, "folder": str(tmp_path), "started": time.monotonic()}
        return json.loads(json.dumps(work(function, own)))

    monkeypatch.setattr(bench("measure"), "run", run)


@pytest.mark.filterwarnings("ignore:train_vectors=True on a small data set")
@pytest.mark.parametrize("name", NAMES)
def test_measurements(name, compare, bench, data, run, monkeypatch, tmp_path):
    measurement = next(each for each in compare.MEASUREMENTS if each.name == name)
    changed = {**QUICK, **(GRID if name == "polarity" else {})}
    settings = {key: changed.get(key, value) for key, value in measurement.settings.items()}
    monkeypatch.setattr(compare, "MEASUREMENTS", (replace(measurement, settings=settings),))
    kept, arguments = tmp_path / "results.json", ["--rounds", "1", "--threads", "2", "--data", str(data)]
    assert compare.main([*arguments, "--results", str(kept)]) == 0
    record = json.loads(kept.read_text())[name]
    others = (
        "{base}",
        "against {",
        "points",
        "word ngrams ",
    )  # of whom there may be nothing, or other settings
    noise = {"words/s", "lowest – highest", "against one thread", "training alone"}  # on so few words
    for entry in record["entries"]:
        one = bench("tables").Entry(record, entry["contender"], entry["threads"])
        if missing := re.match(r"not installed \((\w+)", entry.get("error", "")):
            assert shutil.which(missing[1]) is None and importlib.util.find_spec(missing[1]) is None
        elif one.contender != "fastvec (AVX2)" or "avx2" in kernels.available():
            assert "error" not in entry
            heads = {head for head in measurement.columns.split(" | ") if not head.startswith(others)}
            heads -= noise if one.contender == "fastText" else set()
            assert "–" not in [bench("tables").cell(head, one) for head in heads]


def record(*entries, **settings):
    same = {"date": "2026-01-02", "machine": MACHINE, "load": 0.1, "data": "a.txt", "rounds": 2}
    return {**same, "settings": settings, "entries": list(entries)}


def entry(contender, threads=1, **figures):
    return {"contender": contender, "threads": threads, **figures}


@pytest.fixture
def results():
    # In the second round the machine is ten times slower for everyone.
    speed = record(
        entry("fastvec", per_second=[8e6, 0.8e6]),
        entry("fastvec", 2, per_second=[15.2e6, 1.52e6]),
        entry("gensim", per_second=[0.5e6, 0.05e6]),
        entry("fastText", error="not installed (fasttext)"),
    )
    scores = {"peak_bytes": [15e7, 15e7], "WS353": [60.0, 61.0], "MEN": [None, 60.0]}
    whole = record(
        entry("fastvec", 2, seconds=[10.0, 20.0], **scores),
        entry("gensim", 2, seconds=[100.0, 260.0], **scores),
        entry("fastText", 2, seconds=[50.0]),
        vector_size=100,
    )
    return {"speed-100": speed, "whole": whole}


def test_cells(bench, results):
    tables = bench("tables")

    def cells(name, contender, threads, *heads, base="gensim"):
        one = tables.Entry(results.get(name), contender, threads, base)
        return [tables.cell(head, one) for head in heads]

    speed = ("words/s", "lowest – highest", "against {base}", "against one thread", "threads")
    assert cells("speed-100", "fastvec", 1, *speed) == ["4.40 M", "0.80 – 8.00", "16.0×", "", "1"]
    assert cells("speed-100", "fastvec", 2, *speed) == ["8.36 M", "1.52 – 15.20", "–", "1.90×", "2"]
    assert cells("speed-100", "fastText", 1, *speed[:3]) == ["–"] * 3
    assert cells("none", "fastvec", 1, *speed[:3]) == ["–"] * 3
    whole = ("time", "fitting", "{base}'s time is", "peak memory", "WS353", "MEN", "analogies", "seeds")
    fastvec = ["15.0 s", "15.0 s (10.0 – 20.0)", "11.5×", "150 MB", "60.5 ± 0.7", "60.0", "–", "2"]
    assert cells("whole", "fastvec", 2, *whole) == fastvec
    assert cells("whole", "fastText", 2, *whole[:4]) == [
        "50.0 s",
        "50.0 s",
        "2.0×",
        "–",
    ]  # of the first round
    accuracies = [
        entry("a", accuracy=[70.0, 71.0], grid=[[1.0, 3.0], [2.0, 3.0]]),
        entry("b", accuracy=[71.5, 72.5]),
    ]
    results["fit"] = record(*accuracies, entry("c", F1={"mean": 7.25, "deviation": 0.5}))
    a = ["70.50 ± 0.71", "-1.50", "b", "1.5 / 3.0"]
    assert cells("fit", "a", 1, "accuracy", "points above", "whom", "grid", base="b") == a
    assert cells("fit", "b", 1, "points above", "whom", base="") == ["–", ""]
    assert cells("fit", "c", 1, "F1") == ["7.25 ± 0.50"]


def test_render_then_check(compare, results, tmp_path, capsys):
    kept, readme = tmp_path / "results.json", tmp_path / "README.md"
    kept.write_text(compare.as_json(results), encoding="utf-8")
    assert json.loads(kept.read_text(encoding="utf-8")) == results
    readme.write_text(
        "<!-- speed:begin -->old<!-- speed:end --> <!-- benchmark:begin -->old<!-- benchmark:end --> After."
    )
    arguments = ["--results", str(kept), "--readme", str(readme)]
    assert [compare.main([step, *arguments]) for step in ("--check", "--render", "--check")] == [1, 0, 0]
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("<!-- speed:begin -->11<!-- speed:end --> <!-- benchmark:begin -->\n|")
    assert text.endswith("\n<!-- benchmark:end --> After.") and "old" not in text
    assert "vector_size=100, threads=2; 2 rounds" in text and "A processor, 2 cores" in text
    assert next(line for line in text.splitlines() if "16.0×" in line).startswith("| fastvec ")
    assert "\n- fastText: not installed (fasttext)\n" in kept.with_suffix(".md").read_text(encoding="utf-8")
    for old, new in (("16.0×", "17.0×"), (">11<", ">12<")):
        readme.write_text(text.replace(old, new), encoding="utf-8")
        capsys.readouterr()
        assert compare.main(["--check", *arguments]) == 1
        assert f"{readme} is not up to date: run python bench/compare.py --render" in capsys.readouterr().err
    readme.write_text("no marks")
    assert [compare.main([step, *arguments]) for step in ("--check", "--render")] == [1, 1]
    assert "speed:begin" in capsys.readouterr().err and readme.read_text() == "no marks"


def test_this_repositorys_tables_are_up_to_date(compare, capsys):
    assert compare.main(["--check"]) == 0, capsys.readouterr().err


def test_what_is_measured_alone_leaves_the_others(compare, data, results, tmp_path, monkeypatch, capsys):
    kept = tmp_path / "results.json"
    kept.write_text(json.dumps(results))
    (data / "retail.dat").unlink()
    arguments = ["--only", "read*", "retail", "--rounds", "2", "--words", "100", "--results", str(kept)]
    assert compare.main([*arguments, "--data", str(data)]) == 0
    found = json.loads(kept.read_text())
    assert found["whole"] == results["whole"] and found["reading"]["data"] == "simplewiki.txt.gz, 0.0 M words"
    assert [len(entry["seconds"]) for entry in found["reading"]["entries"]] == [
        2,
        2,
    ] and "retail" not in found
    assert "retail is left out: " in capsys.readouterr().err
    assert compare.main(["--only", "retail", "--data", str(data), "--results", str(kept)]) == 1
    monkeypatch.delenv("FASTVEC_DATA", raising=False)
    for wrong, message in (
        ([], "--data FOLDER, or FASTVEC_DATA"),
        (["--data", str(data), "--only", "x"], "got x"),
        (["--rounds", "0"], "must be >= 1, got 0"),
        (["--render", "--results", "none"], "none holds no results"),
    ):
        with pytest.raises(SystemExit):
            compare.main(wrong)
        assert message in capsys.readouterr().err


def test_a_missing_peer_says_so(bench, tmp_path):
    (tmp_path / "gensim.py").write_text("raise ModuleNotFoundError('no', name='gensim')")
    path = {"PYTHONPATH": f"{tmp_path}:{BENCH}"}
    contender = bench("measure").Contender("gensim", bench("words").gensim, environment=path)
    figures = bench("measure").run(contender, {"threads": 1})
    assert figures == {"error": "not installed (gensim): pip install 'fastvec[bench]'"}


@pytest.mark.parametrize(("job", "expected"), [({"threads": 3}, "1"), ({"threads": 3, "blas": True}, "3")])
def test_blas_has_the_threads_of_classifiers(bench, monkeypatch, job, expected):
    def run(command, env, **options):
        assert {env[name] for name in bench("measure").BLAS} == {expected}
        return bench("subprocess").CompletedProcess(command, 0, stdout="{}", stderr="")

    monkeypatch.setattr(bench("measure").subprocess, "run", run)
    assert bench("measure").run(bench("measure").Contender("any", run), job) == {}


def test_slow_contenders_and_those_with_errors_have_one_round(bench, monkeypatch):
    measure, runs = bench("measure"), []

    def run(contender, job):
        runs.append((contender.name, job["threads"], job["seed"]))
        return {"error": "no"} if contender.name == "broken" else {"seconds": float("nan"), "other": 1}

    monkeypatch.setattr(measure, "run", run)
    contenders = (measure.Contender("a", run, threads=(1, 0)), measure.Contender("slow", run, slow=True))
    contenders += (measure.Contender("broken", run),)
    measurement = measure.Measurement("m", "M", contenders, "time", lambda data: {"data": "text"})
    entries = measure.measure(measurement, None, 2, 2)["entries"]
    assert runs == [("a", 1, 1), ("a", 2, 1), ("slow", 2, 1), ("broken", 2, 1), ("a", 1, 2), ("a", 2, 2)]
    assert entries[1:3] == [entry("a", 2, seconds=[None, None]), entry("slow", 2, seconds=[None])]
    assert entries[3] == entry("broken", 2, error="no")


@pytest.mark.parametrize(("words", "expected"), [(None, (7, 3)), (100, (7, 3)), (5, (5, 2)), (3, (3, 1))])
def test_texts_are_cut_at_a_word(bench, data, tmp_path, words, expected):
    source = tmp_path / "a.txt"
    source.write_text("one two three\nfour five six\nseven\n")
    for _ in range(2):
        text = bench("texts").Data(data, source, words).text()
        assert (text["words"], text["lines"]) == expected
        assert len(Path(text["file"]).read_text(encoding="utf-8").split()) == expected[0]
    source.write_text("\n")
    with pytest.raises(ValueError, match="holds no words"):
        bench("texts").Data(data, source).text()


def test_vectors_are_made_once(bench, data):
    folder = bench("texts").Data(data, data / "corpus" / "simplewiki.txt.gz")
    path = folder.vectors(vector_size=8, epochs=1, seed=1)
    before = path.stat().st_mtime_ns
    assert folder.vectors(vector_size=8, epochs=1, seed=1) == path and path.stat().st_mtime_ns == before
    assert folder.vectors(vector_size=9, epochs=1, seed=1) != path


def test_fasttext_is_credited_with_what_it_reads(bench, monkeypatch):
    class Model:
        def get_words(self, include_freq):
            return ["a", "</s>"], np.array([1200, 120])

    monkeypatch.setattr(bench("words"), "timed_training", lambda train, epochs: (Model(), 9.0, 4.0))
    figures = bench("words").fasttext_speed({"epochs": 2, "words": 1220, "lines": 120})
    assert figures == {"per_second": pytest.approx(2 * 1220 * (1220 + 120) / (1200 + 120) / 4.0)}


def test_both_find_the_same_phrases(bench, tmp_path):
    pytest.importorskip("gensim")
    (tmp_path / "a.txt").write_text("a new york b\nb new york a\nnew a\na b\n" * 20)
    job = {"file": str(tmp_path / "a.txt"), "words": 240, **bench("words").NPMI}
    both = [bench("words").phrases(job), bench("words").gensim_phrases(job)]
    assert [(figures["phrases"], figures["words_left"]) for figures in both] == [(1, 200), (1, 200)]


def test_windows_are_what_fastvec_starts_from(bench, tmp_path):
    Vectors(["paris", "in"], np.array([[1, 2], [3, 4]], np.float32)).save(tmp_path / "a.fvec")
    job = {
        "start": "vectors",
        "vectors_file": str(tmp_path / "a.fvec"),
        "seed": 1,
        "min_count": 2,
        "window": 1,
    }
    train, test = bench("classifiers").windows(
        job, [["Paris", "in", "1999"], ["2001"]], [["odd", "PARIS", "1066"]]
    )
    year, mean = train[2, 2:4].tolist(), [2, 3]
    assert train.tolist() == [
        [0, 0, 1, 2, 3, 4],
        [1, 2, 3, 4, *year],
        [3, 4, *year, 0, 0],
        [0, 0, *year, 0, 0],
    ]
    assert test.tolist() == [[0, 0, *mean, 1, 2], [*mean, 1, 2, *year], [1, 2, *year, 0, 0]] and year != mean


def test_everyone_has_the_same_folds(bench, data):
    classifiers, job = bench("classifiers"), {"labelled": str(data / "labelled"), "seed": 1, "folds": 4}
    sentences, labels = classifiers.read_polarity(job)
    assert labels.count("pos") == labels.count("neg") == 80 and labels != sorted(labels)
    assert all(("pos" in one) == (label == "pos") for one, label in zip(sentences, labels, strict=True))
    assert classifiers.read_polarity({**job, "seed": 2})[1] != labels
    folds = classifiers.folds(job)
    assert sorted(one for _, _, X_test, _ in folds for one in X_test) == sorted(sentences)
    for X, _, X_test, y_test in folds:
        assert not set(X) & set(X_test) and y_test.count("pos") == 20
    path = Path(classifiers.write_labelled({"folder": str(data)}, ["good film"], ["pos"]))
    assert path.read_text(encoding="utf-8") == "__label__pos good film\n"


def test_glove_c_is_run_from_file_to_file(bench, monkeypatch, tmp_path):
    """With programs that only copy, as the true ones need not be there."""
    job = {"file": str(tmp_path / "a text"), "folder": str(tmp_path), "words": 3, "threads": 1, "epochs": 2}
    job |= {"min_count": 1, "window": 2, "vector_size": 2, "x_max": 10, "alpha": 0.75, "learning_rate": 0.05}
    (tmp_path / "a text").write_text("a 1 2\n" * 16)
    for name in ("vocab_count", "cooccur", "shuffle", "glove"):
        content = "cat" if name != "glove" else "cp shuffled vectors.txt; echo $@ > options"
        (tmp_path / name).write_text(f"#!/bin/sh\n{content}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert bench("counts").glove_c_counting(job)["entries"] == 6
    assert bench("counts").glove_c({**job, "min_count": 1})["peak_bytes"] > 0
    options = (tmp_path / "options").read_text()
    assert options.startswith("-verbose 0 -vector-size 2 -threads 1 -iter 2 -x-max 10 -alpha 0.75 -eta 0.05 ")


def test_items_with_spaces(bench, data):
    job = bench("sequences").baskets(bench("texts").Data(data, data), "groceries.csv")
    sold = Path(job["file"]).read_text(encoding="utf-8")
    assert (
        job["words"] == 80 * 3 + 1
        and sold.endswith("\na_1\n")
        and set(sold.split()) <= {f"{k}_{i}" for k in "ab" for i in range(8)}
    )
