"""Everything in bench/ runs on small data, and the tables say what was measured."""

import gzip
import importlib
import importlib.util
import itertools
import json
import re
import shutil
import struct
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fastvec import Vectors, kernels, load

BENCH = Path(__file__).parents[1] / "bench"
pytestmark = [
    pytest.mark.skipif(not BENCH.is_dir(), reason="bench/ is not beside the tests"),
    pytest.mark.any_backend(trains=True),
]

WORDS = ["paris", "rome", "oslo", "lima", "bread", "music", "rain", "time"]
# The most of what takes long, where a measurement has the setting; all else is as it is measured.
QUICK = {"epochs": 2, "folds": 2, "hidden": 16, "batch_size": 8, "buckets": 20_000, "half": 5}
QUICK |= {"rounds": 2, "lanes": 4, "lanes_per_worker": 2, "seconds": 0.3}
GRID = {"epochs": [5, 10], "learning_rate": [0.5], "word_ngrams": [1, 2]}
MACHINE = {"processor": "A processor", "cores": 2, "backend": "avx512", "system": "Linux"}
MACHINE["versions"] = {"gensim": "4.4"}


@pytest.fixture
def bench(compare):
    """Give a module of bench/ by its name."""
    return importlib.import_module


@pytest.fixture
def data(tmp_path, bench, monkeypatch):
    """A folder with data of the layout of the real ones, in which everything can be learned."""
    for name in ("texts", "sequences", "supervised"):
        monkeypatch.setattr(bench(name), "CACHE", tmp_path / "cache")
    lines = [f"we like {'the' if i < 4 else 'some'} {word}" for i, word in enumerate(WORDS)] * 8
    tagged = ["".join(f"{word} {word[0]} O\n" for word in line.split()) for line in lines]
    odd = [f"we like odd{i} {word}" for i, word in enumerate(WORDS)]
    # So many different words that fastText's matrix is of fresh pages: see bench/words.py.
    many = [" ".join(f"w{10 * i + k}" for k in range(10)) for i in range(300)]
    pairs = "odd1 paris 0\nodd2 rome 1\nbread lima 2\nmusic oslo 3\nrain time 4\n"
    pairs += "even1 paris 5\neven2 rome 6\n"  # of words that are nowhere
    links = [f"{a},{b}\n" for a in range(40) for b in range(a) if a // 20 == b // 20 and (a + b) % 3]
    shopping = [[f"{kind} {i % 8}" for i in range(start, start + 4)] for start in range(40) for kind in "ab"]
    files = {
        "corpus/simplewiki.txt.gz": "".join(f"{line}\n" for line in [*lines, *odd] * 20 + many * 5),
        "labelled/conll2000-train.txt": "\n".join(tagged[:40]),
        "labelled/conll2000-test.txt": "\n".join(tagged[40:]),
        **{f"similarity/{name}.txt": pairs for name in ("ws353", "men", "simlex999")},
        "analogy/google.txt": f": capital\n{' '.join(WORDS[:4])}\n: gram1\n{' '.join(WORDS[4:])}\n",
        **{f"{name}_edges.csv": "a,b\n" + "".join(links) for name in ("lastfm_asia", "facebook", "DE")},
        "groceries.csv": "".join(",".join(items) + "\n" for items in [*shopping, ["a 1"]]),
        "retail.dat": "".join(f"{i % 9} {10 + i % 7} {20 + i % 5} \n" for i in range(80)),
    }
    for label, word in (("pos", "music"), ("neg", "rain")):
        films = (f"{word} {' '.join(f'{label}{i}-{k}' for k in range(45))} {word}\n" for i in range(80))
        files[f"labelled/sentence-polarity.{label}.txt"] = "".join(films)
    labelled = "".join(f"__label__{i % 3} __label__{i % 2} like {WORDS[i % 6]}\n" for i in range(60))
    for name, part in itertools.product(("languages", "packages"), ("train", "valid", "test")):
        files[f"labelled/{name}.{part}.txt"] = labelled
    for name, content in files.items():
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        packed = gzip.compress(content.encode()) if name.endswith(".gz") else content.encode()
        (tmp_path / "data" / name).write_bytes(packed)
    return tmp_path / "data"


# Every measurement has results, so that none is dropped unnoticed.
NAMES = list(json.loads((BENCH / "results.json").read_text(encoding="utf-8"))) if BENCH.is_dir() else []
# Those whose contenders are another's, on data of another: what is run once for both.
ALIKE = {"packages", "autotune-languages", "autotune-packages"}


def test_every_measurement_has_results_and_tables_and_is_explained(compare, capsys):
    readme = (BENCH / "README.md").read_text(encoding="utf-8")
    assert compare.MEASUREMENTS.keys() == set(NAMES) == {name for name in NAMES if f"`{name}`" in readme}
    assert compare.main(["--check"]) == 0, capsys.readouterr().err


SEEN = set()  # modules that have had a process of their own
MACHINES = []  # this one, once it was asked what it is


@pytest.fixture
def run(bench, monkeypatch, tmp_path):
    """Run contenders in this process, which saves time, from the second time on; ask once for the machine."""
    MACHINES[:] = MACHINES or [bench("measure").machine()]
    monkeypatch.setattr(bench("measure"), "machine", lambda: MACHINES[0])
    in_a_process, work = bench("measure").run, bench("measure").work

    def run(contender, job):
        module = contender.function.__module__
        if contender.environment or module not in SEEN:
            figures = in_a_process(contender, job)
            SEEN.update([module] if "error" not in figures else [])
            return figures
        own = {**job, **contender.settings, "folder": str(tmp_path), "started": time.monotonic()}
        try:
            return json.loads(json.dumps(work(f"{module}.{contender.function.__name__}", own)))
        except ModuleNotFoundError:  # a process says what is not installed
            return in_a_process(contender, job)

    monkeypatch.setattr(bench("measure"), "run", run)


@pytest.mark.filterwarnings("ignore:train_vectors=True on a small data set")
@pytest.mark.filterwarnings("ignore:.* documents have no known word")
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ALIKE])
def test_measurements(name, compare, bench, data, run, monkeypatch, tmp_path):
    measurement = compare.MEASUREMENTS[name]
    grid = GRID if name == "polarity" else {}

    def quicker(one):
        most = {key: QUICK[key] for key in QUICK.keys() - grid.keys() if key in one.settings}
        fewer = {key: min(value, one.settings[key]) for key, value in most.items()}
        fewer |= {key: values for key, values in grid.items() if key in one.settings}
        return replace(one, settings={**one.settings, **fewer})

    changed = quicker(replace(measurement, contenders=tuple(map(quicker, measurement.contenders))))
    monkeypatch.setitem(compare.MEASUREMENTS, name, changed)
    kept, arguments = tmp_path / "results.json", ["--rounds", "1", "--threads", "2", "--only", name]
    assert compare.main([*arguments, "--data", str(data), "--results", str(kept)]) == 0
    record = json.loads(kept.read_text())[name]
    others = ("{base}", "against {")  # of whom there may be nothing
    noise = {"words/s", "lowest – highest", "against one thread"}  # on so few words
    for entry in record["entries"]:
        one = bench("tables").Entry(record, entry["contender"], entry["threads"])
        if missing := re.match(r"not installed \((\w+)", entry.get("error", "")):
            assert shutil.which(missing[1]) is None and importlib.util.find_spec(missing[1]) is None
        elif one.contender != "fastvec (AVX2)" or "avx2" in kernels.available():
            assert "error" not in entry
            heads = {head for head in measurement.columns.split(" | ") if not head.startswith(others)}
            heads -= noise if one.contender == "fastText" else set()
            assert "–" not in [bench("tables").cell(head, one) for head in heads]


def test_vectors_of_nodes_are_timed_and_scored(bench, data, monkeypatch):
    """Of two groups of nodes, which links and vectors tell apart; PecanPy is not there."""
    walks, classes = bench("walks"), "".join(f"{node},{node // 20}\n" for node in range(40))
    monkeypatch.setattr(walks, "KNOWN", 0.5)  # a tenth would be four nodes
    (data / "lastfm_asia_target.csv").write_text(f"id,target\n{classes}", encoding="utf-8")
    job = {**walks.SETTINGS, "vector_size": 8, "per_node": 2, "p": 0.5, "q": 2, "threads": 1, "seed": 1}
    job |= walks.data_of(bench("texts").Data(data, data), "lastfm_asia", "target")
    figures = walks.fastvec(job)
    assert 0 < figures["walking"] < figures["seconds"]
    scores = walks.score(figures["vectors"](), job)
    assert {*scores} == {"AUC", "AUC, regression", "accuracy"} and min(scores.values()) > 80
    assert "2 classes" in job["data"] and {each.base for each in walks.MEASUREMENTS} == {"PecanPy and gensim"}


def test_combined_and_small_vectors_are_scored(bench, data, monkeypatch, tmp_path, capsys):
    """WordNet's files have a license first, and fields whose number is hexadecimal."""
    combined, small = bench("combined"), bench("small")
    for settings, size in ((combined.SKIPGRAM, 8), (combined.PPMI, 4)):
        monkeypatch.setitem(settings, "vector_size", size)
    monkeypatch.setattr(combined, "EPOCHS", 1)
    monkeypatch.setattr(combined, "SHOWN", (2, 3))
    monkeypatch.setattr(small, "VECTOR_SIZE", 12)
    monkeypatch.setattr(small, "SIZES", (12, 9, 6))
    for part in ("noun", "verb", "adj", "adv"):
        line = "0001 03 n 03 Paris 0 rome(p) 0 new_york 0 001 @ 0002 n 0000 | a gloss\n"
        (tmp_path / f"data.{part}").write_text(f"  1 This license\n{line}", encoding="latin-1")
    assert {*combined.synonyms(tmp_path)} == {("paris", "rome")}
    options = [str(data), "--corpus", str(data / "corpus" / "simplewiki.txt.gz")]
    combined.main([*options, "--wordnet", str(tmp_path)])
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    names = [name.strip() for name, *_ in rows]
    assert names[2:5] == ["PPMI-SVD", "skip-gram", "concatenated"] and "8 dimensions" in names[7]
    assert "retrofitted" in names[8] and all(score.strip() != "–" for row in rows for score in row)
    small.main([*options, "--words", "3000"])
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [row[0].strip() for row in rows[2:4]] == ["12, float32", "12, bfloat16"]
    assert rows[2][-1].strip() == "100.0" and rows[-1][0].strip() == "trained with 6"


def test_next_items_are_chosen_and_scored(bench, data, monkeypatch, capsys):
    items = bench("items")
    monkeypatch.setattr(items, "SIZE", 8)
    monkeypatch.setattr(items, "CONTENDERS", items.CONTENDERS[2:3] + items.CONTENDERS[5:6])
    monkeypatch.setattr(items, "SEEDS", (1, 2))
    items.main(["--data", str(data), "--only", "groceries"])
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    names = [name.strip() for name, *_ in rows]
    assert names[2:7] == ["popularity", "recency", "co-visits", "fastvec, chosen", "fastvec, chosen, cosines"]
    assert "infer, cosines" in names and len(names) == 17
    assert all(score.strip() != "–" for name, _, *scores in rows for score in scores)
    path = data / "sessions.txt"
    path.write_text("a\nb\ta 1\n", encoding="utf-8")
    assert items.purchases(path) == [["a"], ["b", "a 1"]]
    path.write_text("user\titem\trating\ttime\n1\ta\t5\t9\n2\tb\t1\t8\n1\tc\t3\t7\n", encoding="utf-8")
    assert items.movies(path) == [["c", "a"], ["b"]]


def test_texts_of_several_sizes_are_scored_by_halves(bench, data, monkeypatch, capsys):
    """Passes are chosen by one half of the test sets, and the other half is shown."""
    pytest.importorskip("gensim")
    sizes = bench("text_sizes")
    lines = [": a section", *(f"a{i} b{i} c d" for i in range(200))]
    choice, rest = ([*sizes.half_of(lines, chosen, questions=True)] for chosen in (True, False))
    assert {*choice} | {*rest} == {*lines} and {*choice} & {*rest} == {": a section"}
    assert 70 < len(choice) < 130
    same = (len([*sizes.half_of([pair], True, questions=False)]) for pair in ("a b 1", "B A 2"))
    assert len({*same}) == 1
    of_size, work = sizes.contenders, bench("measure").work
    monkeypatch.setattr(sizes, "SIZES", {1500: 1})
    monkeypatch.setattr(sizes, "EPOCHS", (5,))
    monkeypatch.setattr(sizes, "contenders", lambda words: of_size(words)[:-1])  # without fastText

    def run(contender, job):
        return work(f"text_sizes.{contender.function.__name__}", {"started": 0, **job, **contender.settings})

    monkeypatch.setattr(bench("measure"), "run", run)
    monkeypatch.setattr(bench("measure"), "machine", lambda: MACHINE)
    sizes.main(["--data", str(data), "--sizes", "1500"])
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [row[0].strip() for row in rows[2:]] == ["fastvec, 5 epochs", "fastvec", "gensim"]
    assert [row[1].strip() for row in rows[2:]] == ["5", "40", "5"]


def test_plans_are_compared_with_trainings(bench, data, monkeypatch, capsys):
    plan = bench("plan")
    monkeypatch.setattr(plan, "run", lambda work, *job: work(*job))
    monkeypatch.setattr(plan, "resident_bytes", lambda: 0)
    monkeypatch.setattr(plan, "PLANS", 1)
    settings = {"vector_size": 4, "threads": 1}
    monkeypatch.setattr(
        plan, "CASES", (("SkipGram", settings | {"epochs": 5}, 900), ("PPMI_SVD", settings, None))
    )
    with gzip.open(data / "corpus" / "simplewiki.txt.gz") as packed:
        (data / "simplewiki.txt").write_bytes(packed.read())
    plan.main(["--data", str(data), "--words", "3000"])
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    shown = [[cell.strip() for cell in row] for row in rows[2:]]
    figures = ["time", "memory", "file of vectors", "file of the model"]
    assert [row[1] for row in shown] == [*figures, *figures[:3]]
    assert [row[0] for row in shown if row[0]] == [
        "SkipGram, d=4, 0.0 M words, 1 thread", "PPMI_SVD, d=4, 0.0 M words, 1 thread"
    ]  # fmt: skip
    assert all(0.5 < float(row[4]) < 2 for row in shown if row[1].startswith("file"))


def equal_words(bench, n_words=1000):
    """A language in which every word is as frequent as the others, and none is dropped."""
    return bench("cluster").Language(np.ones(1), np.full(1, n_words))


def test_rows_of_a_piece_of_a_language(bench):
    one = equal_words(bench)
    expected = 1000 * (1 - np.exp(-0.5)), 1000 * (1 - np.exp(-3))  # with five negatives
    assert one.rows(500) == pytest.approx(expected)
    assert one.first_rows(500, 250) == pytest.approx(expected[1] / 4)
    exponent, offset = 1.2, 3.0
    counts = 1e9 * (np.arange(1, 20_001) + offset) ** -exponent
    assert bench("cluster").zipf_of(counts) == pytest.approx((exponent, offset), rel=0.1)
    exact, grouped = bench("cluster").Language(counts), bench("cluster").Language.of_zipf(20_000, 1.2, 3)
    for words in (1e3, 1e5, 1e7):
        assert grouped.rows(words) == pytest.approx(exact.rows(words), rel=2e-3)
        assert grouped.first_rows(words, 100) == pytest.approx(exact.first_rows(words, 100), rel=2e-2)


def free(bench, **costs):
    """Rates of lanes that cost nothing but training."""
    rates = bench("rates").Rates
    nothing = {**dict.fromkeys(rates._fields, 0), "plain": 1e-6, "word": 1e-6, "slowdown": 1, "row": 400}
    return rates(**{**nothing, "change": 412, **costs})


@pytest.mark.parametrize("nodes", [1, 64])
def test_clusters_that_lose_nothing(bench, nodes, monkeypatch):
    cluster = bench("cluster")
    monkeypatch.setattr(cluster, "SPREAD", 0)
    monkeypatch.setattr(cluster, "BANDWIDTH", np.inf)
    for way in cluster.WAYS:
        one = cluster.Cluster(equal_words(bench), free(bench), bench("rates").Calls(0, 0), way, nodes)
        lengths = np.array([256.0 * one.lanes, 2560.0 * one.lanes])
        assert one.efficiencies(lengths, False) == pytest.approx([1, 1])
        assert cluster.least_length(one, False) == lengths[0]
        few = np.array([256.0 * 2])  # for two lanes; the others wait
        assert one.efficiencies(few, True) == pytest.approx([2 / one.lanes] if one.lanes > 1 else [1])


def test_what_clusters_wait_for(bench, monkeypatch):
    cluster = bench("cluster")
    monkeypatch.setattr(cluster, "WORDS_OF_MACHINE", 0)
    language, call = equal_words(bench, 100_000), bench("rates").Calls(1e-3, 1e-5)
    rates = free(bench, used=1e-7, added=1e-8, combined=1e-9, summary=1e-4, told=1000, slowdown=2)
    of_piece, of_node, lengths = sum(language.rows(1000)), sum(language.rows(16_000)), np.array([64e3])
    whole, of_workers, added, one_lane, uncalled = (
        cluster.Cluster(language, rates, call, way, 4).cost(lengths) for way in cluster.WAYS
    )
    assert whole.training == added.training == pytest.approx(2 * (1000 * 1e-6 + of_piece * 1e-7))
    assert one_lane.training == pytest.approx(2 * (16_000 * 1e-6 + of_node * 1e-7) / 16)
    assert 0 < whole.waiting < 0.3 * whole.training
    abroad = 3 / 4 / cluster.BANDWIDTH
    assert added.fetching == pytest.approx(of_node * 400 * abroad)
    assert whole.fetching == of_workers.fetching == pytest.approx(2e5 * 400 * abroad)
    assert added.sending == one_lane.sending == pytest.approx(of_node * 412 * abroad)
    # The block of the most frequent words, here of 41,943 of 100,000, goes to one node.
    first = 64 * language.first_rows(1000, (1 << 24) // 400)
    assert whole.sending == pytest.approx(max(first, 16 * of_piece) * 412 * abroad)
    assert whole.combining == pytest.approx(first * 1e-8 + 41_943 * 1e-9)
    first_of_nodes = 4 * language.first_rows(16_000, (1 << 24) // 400)
    assert of_workers.sending == pytest.approx(max(first_of_nodes, of_node) * 412 * abroad)
    own = of_piece * 1e-8  # a node adds up the changes of 16 lanes with 16 cores
    assert of_workers.combining == pytest.approx(first_of_nodes * 1e-8 + 41_943 * 1e-9 + own)
    assert added.combining == pytest.approx((4 * of_node * 1e-8 + 2e5 * 1e-9) / 64 + own)
    assert one_lane.combining == pytest.approx((4 * of_node * 1e-8 + 2e5 * 1e-9) / 64)
    told = 1e-4 + 1000 / cluster.BANDWIDTH
    assert whole.calling == pytest.approx((64 + 6 * 1.75) * 1e-3 + 64 * 6 * 1e-5 + 64 * told)  # 6 blocks
    assert of_workers.calling == pytest.approx((4 + 6 * 1.75) * 1e-3 + 4 * 6 * 1e-5 + 4 * told)
    assert added.calling == pytest.approx((4 + 4 * 1.75) * 1e-3 + 16 * 1e-5 + 4 * told)
    assert uncalled.calling == 0 and uncalled[:5] == one_lane[:5]
    parts = [float(each[0]) for each in whole]
    assert whole.seconds(False) == pytest.approx(sum(parts))
    at_work = parts[0] + parts[1] + parts[4]
    assert whole.seconds(True) == pytest.approx(max(at_work, parts[2] + parts[3], parts[5]))


def test_what_is_saved_where_few_rows_are_sent(bench, monkeypatch):
    cluster = bench("cluster")
    language, call = equal_words(bench, 100_000), bench("rates").Calls(1e-3, 1e-5)
    rates = free(bench, added=1e-8, found=2e-7)
    way, of_lanes = cluster.WAYS[:2], np.array([64e3])  # and 400,000 for the rows of four machines
    of_piece, of_node = sum(language.rows(1000)), sum(language.rows(16_000))
    few = [cluster.Cluster(language, rates, call, each, 4).cost(of_lanes) for each in way]
    monkeypatch.setattr(cluster, "WORDS_OF_MACHINE", 0.1)
    all_rows = [cluster.Cluster(language, rates, call, each, 4).cost(of_lanes) for each in way]
    for own, rows, others, tasks in zip(few, (16 * of_piece, of_node), all_rows, (64, 4), strict=True):
        assert own.fetching / others.fetching == pytest.approx(rows / 2e5)
        assert own.sending == others.sending and own.training == others.training == pytest.approx(1.2e-3)
        assert own.calling - others.calling == pytest.approx((tasks + 6) * 1e-3 + 2 * tasks * 6 * 1e-5)
        assert own.combining > 1.5 * others.combining
    long = cluster.Cluster(language, rates, call, way[1], 4).cost(np.array([200_000 * 64.0]))
    assert long.training == pytest.approx(0.2)  # of lanes that use all rows


def test_rounds_of_clusters_are_those_of_a_training(bench):
    cluster = bench("cluster")
    one = cluster.Cluster(equal_words(bench), free(bench), bench("rates").Calls(0, 0), cluster.WAYS[0], 4)
    lengths = one.rounds(1e8)
    alone = 1e8 - lengths.sum()
    before = alone + np.cumsum(lengths) - lengths
    assert alone == 256 * np.ceil(1e8 / 16 / 64 / 256)  # 64 lanes
    assert (lengths <= np.maximum(256, 0.02 / 2 * before)).all()
    in_rounds = one.cost(lengths).seconds(True).sum()
    assert one.seconds(1e8, True) == pytest.approx(1e-6 * alone + in_rounds)
    assert one.efficiency(1e8, True) == pytest.approx(1e8 / 64 * 1e-6 / one.seconds(1e8, True))
    four = cluster.Cluster(equal_words(bench), free(bench), None, cluster.WAYS[4], 4)  # lanes
    assert four.rounds(1e7).max() == 256 * 2440  # 16 rounds; as many chunks for each lane


def test_tables_of_clusters(bench, data, monkeypatch, capsys):
    cluster, rates, timed = bench("cluster"), bench("rates"), []
    small = {"WORDS": 1e6, "SIZES": (8,), "VOCABULARIES": (1000,), "USUAL": (1000, 8), "NODES": (4,)}
    for name, value in small.items():
        monkeypatch.setattr(cluster, name, value)
    monkeypatch.setattr(
        cluster, "rates_of", lambda trained: timed.extend([trained, rates.rates_of(trained)]) or timed[1]
    )
    cluster.main(["--data", str(data), "--task-seconds", "0.001"])
    headings = re.compile("^## .*$", re.MULTILINE)
    kept = (BENCH / "cluster.md").read_text(encoding="utf-8")
    assert headings.findall(capsys.readouterr().out) == headings.findall(kept)
    trained, found = timed
    assert (found.row, found.change) == (64, 32 + 4 + 16) and found.slowdown >= 1
    assert min(found.plain, found.word + found.used, found.summary) > 0 and found.told > 2 * 8 * 16**2
    pieces = dict(rates.counted(trained, [64, 1000, 10**9]))
    assert [*pieces] == [64, 1000]  # the text has no more
    for inputs, outputs in pieces.values():
        assert 0 < inputs <= outputs <= len(trained.of_text["keep"])


def test_times_are_shared_among_what_takes_them(bench):
    assert bench("rates").shares([3.0, 5.0], [1.0, 1.0], [1.0, 2.0]) == pytest.approx([1, 2])
    assert bench("rates").shares([2.0, 2.0], [1.0, 1.0], [1.0, 2.0])[1] >= 0


def test_what_is_tuned_is_shown_beside_the_defaults(bench, data, monkeypatch, capsys):
    tuning = bench("autotune")
    monkeypatch.setitem(tuning.MODEL, "vector_size", 8)
    sections = ["groceries", "links", "text"]
    tuning.main([*sections, "--data", str(data), "--seeds", "1", "--budget", "3", "--words", "3000"])
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    names = ["popularity", "defaults", "presets.items()", "tuned"]
    names += ["defaults", "presets.nodes()", "tuned", "defaults", "tuned"]
    assert [row[0].strip() for row in rows if row[0].strip().strip("-")] == names
    assert all(score.strip() != "–" for row in rows for score in row)


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
    assert cells("whole", "fastText", 2, *whole[:4]) == ["50.0 s", "50.0 s", "2.0×", "–"]  # of round one
    a = entry("a", accuracy=[70.0, 71.0], grid=[[1.0, 3.0], [2.0, 3.0]])
    results["fit"] = record(a, entry("b", AUC={"mean": 7.25, "deviation": 0.5}))
    assert cells("fit", "a", 1, "accuracy", "grid") == ["70.50 ± 0.71", "1.5 / 3.0"]
    assert cells("fit", "b", 1, "AUC") == ["7.25 ± 0.50"]


def test_render_then_check(compare, results, tmp_path, capsys):
    kept, readme = tmp_path / "results.json", tmp_path / "README.md"
    kept.write_text(compare.as_json(results), encoding="utf-8")
    assert json.loads(kept.read_text(encoding="utf-8")) == results
    marks = (
        "<!-- speed:begin -->old<!-- speed:end --> <!-- benchmark:begin -->old<!-- benchmark:end --> After."
    )
    readme.write_text(marks)
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
    for wrong in ("no marks", marks + marks):
        readme.write_text(wrong)
        assert [compare.main([step, *arguments]) for step in ("--check", "--render")] == [1, 1]
        assert "speed:begin" in capsys.readouterr().err and readme.read_text() == wrong


def test_what_is_measured_alone_leaves_the_others(compare, data, results, tmp_path, capsys):
    kept = tmp_path / "results.json"
    kept.write_text(json.dumps(results))
    (data / "retail.dat").unlink()
    arguments = ["--data", str(data), "--rounds", "2", "--words", "100", "--results", str(kept), "--only"]
    assert [compare.main([*arguments, "retail"]), compare.main([*arguments, "read*", "retail"])] == [1, 0]
    found = json.loads(kept.read_text())
    assert found.keys() == {"speed-100", "whole", "reading"} and found["whole"] == results["whole"]
    assert found["reading"]["data"] == "simplewiki.txt.gz, 0.0 M words"
    assert [len(entry["seconds"]) for entry in found["reading"]["entries"]] == [2, 2]
    assert "retail is left out: " in capsys.readouterr().err


def test_wrong_options(compare, monkeypatch, capsys):
    monkeypatch.delenv("FASTVEC_DATA", raising=False)
    for wrong, message in (
        ([], "--data FOLDER, or FASTVEC_DATA"),
        (["--data", ".", "--only", "x"], "some of speed-100, "),
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


def test_blas_has_the_threads_of_classifiers(bench, monkeypatch):
    def run(command, env, **options):
        return bench("subprocess").CompletedProcess(command, 0, json.dumps({"blas": env["OMP_NUM_THREADS"]}))

    monkeypatch.setattr(bench("measure").subprocess, "run", run)
    jobs = {"threads": 3}, {"threads": 3, "blas": True}
    found = [bench("measure").run(bench("measure").Contender("any", run), job) for job in jobs]
    assert found == [{"blas": "1"}, {"blas": "3"}]


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


def test_vectors_are_made_once_for_their_settings(bench, data):
    texts = bench("texts").Data(data, data / "corpus" / "simplewiki.txt.gz")
    made = [texts.made("SkipGram", {"vector_size": size, "epochs": 1}, ".fvec") for size in (8, 9, 8)]
    assert made[0] == made[2] and [load(path).vector_size for path in made] == [8, 9, 8]


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
    job = {"start": "vectors", "vectors_file": str(tmp_path / "a.fvec"), "seed": 1}
    texts = [["Paris", "in"], ["in"]], [["odd", "PARIS"]]
    train, test = bench("classifiers").windows({**job, "min_count": 2, "window": 1}, *texts)
    assert train.tolist() == [[0, 0, 1, 2, 3, 4], [1, 2, 3, 4, 0, 0], [0, 0, 3, 4, 0, 0]]
    assert test.tolist() == [[0, 0, 2, 3, 1, 2], [2, 3, 1, 2, 0, 0]]  # of the odd one, the mean


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
    job = bench("sequences").baskets(bench("texts").Data(data, data), "groceries.csv", ",")
    sold = Path(job["file"]).read_text(encoding="utf-8")
    assert job["words"] == 80 * 3 + 1 and sold.endswith("\na_1\n")
    assert set(sold.split()) <= {f"{kind}_{i}" for kind in "ab" for i in range(8)}


def message_file(messages):
    """Return a .mo file of gettext."""
    pairs = {"": "Content-Type: text/plain; charset=UTF-8\n", **messages}
    columns = [[text.encode() for text in texts] for texts in (pairs, pairs.values())]
    at, tables, content = 28 + 16 * len(pairs), b"", b""
    for text in itertools.chain(*columns):
        tables += struct.pack("<2I", len(text), at + len(content))
        content += text + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0) + tables + content


def test_sentences_of_languages(bench, monkeypatch, tmp_path):
    labelled = bench("labelled")
    monkeypatch.setattr(labelled, "SENTENCES", range(2, 4))
    numbers = ["erste", "zweite", "dritte", "vierte"]
    german = {
        f"This is the {i}. message of all": f"Das ist die {word} Nachricht" for i, word in enumerate(numbers)
    }
    german |= {"A file has %d lines of text": "Eine %d Datei hat Zeilen. Das ist alles, was es gibt!"}
    french = {
        "A message with nothing new": "Un message sans nouvelles",
        "Another one of the same": "A message with nothing new",
    }
    for name, messages in {"de_DE": german, "fr": french, "sr@latin": german}.items():
        path = tmp_path / name / "LC_MESSAGES" / "program.mo"
        path.parent.mkdir(parents=True)
        path.write_bytes(message_file(messages))
    lines = labelled.languages(tmp_path)
    assert {line.labels for line in lines} == {("de",), ("en",)}  # of French there is only one sentence
    texts = [line.text for line in lines if line.labels == ("de",)]
    assert len(texts) == 3 and "A message with nothing new" not in [line.text for line in lines]
    assert {*texts} <= {*german.values(), "Eine Datei hat Zeilen.", "Das ist alles, was es gibt!"}


def test_tags_of_packages_in_parts_that_share_no_source(bench, monkeypatch, tmp_path, capsys):
    labelled = bench("labelled")
    monkeypatch.setattr(labelled, "TAGGED", 2)
    paragraphs = [
        f"Package: p{i}\nSource: s{i // 2} (1.0)\nDescription: The {i}. Program, (small)\n more\n"
        f"Tag: a::b, c::d,\n e{i}"
        for i in range(40)
    ]
    paragraphs += [
        "Package: again\nDescription: The 1. program, (small)\nTag: a::b",
        "Package: bare\nDescription: none",
    ]
    (tmp_path / "available").write_text("\n\n".join(paragraphs))
    arguments = [
        "--data",
        str(tmp_path),
        "--locale",
        str(tmp_path),
        "--packages",
        str(tmp_path / "available"),
    ]
    assert labelled.main(arguments) == 1
    out, errors = capsys.readouterr()
    assert out.startswith("packages: 2 labels; ") and errors.startswith("languages is not made")
    parts = [
        (tmp_path / "labelled" / f"packages.{part}.txt").read_text().splitlines() for part in labelled.PARTS
    ]
    assert "__label__a::b __label__c::d the 7 . program , ( small )" in itertools.chain(*parts)
    sources = [{int(line.split()[3]) // 2 for line in lines} for lines in parts]
    assert sorted(itertools.chain(*sources)) == list(range(20))
    monkeypatch.delenv("FASTVEC_DATA", raising=False)
    with pytest.raises(SystemExit):
        labelled.main([])
    assert "must be named: --data FOLDER, or FASTVEC_DATA" in capsys.readouterr().err


def test_a_search_of_fasttext_without_a_timer_is_begun_anew(bench, monkeypatch, tmp_path):
    """And the last line of one that fails is what the measurement ends with."""
    supervised, begun = bench("supervised"), tmp_path / "begun"
    program = (
        f"import pathlib, sys, time; path = pathlib.Path({str(begun)!r})\n"
        "again = path.exists(); path.touch()\n"
        "if not again: time.sleep(60)\n"
        "print('Progress', file=sys.stderr, flush=True); print('{\"P@1\": 50.0}')"
    )
    monkeypatch.setattr(supervised, "UNTIL_SHOWN", 0.5)
    monkeypatch.setattr(supervised, "COMMAND", [sys.executable, "-c", program])
    assert supervised.fasttext_search({"folder": str(tmp_path), "seconds": 1}) == {"P@1": 50.0}
    monkeypatch.setattr(supervised, "COMMAND", [sys.executable, "-c", "raise SystemExit('no module')"])
    with pytest.raises(SystemExit, match=r"^no module$"):
        supervised.fasttext_search({"folder": str(tmp_path), "seconds": 1})
    monkeypatch.setattr(supervised, "ATTEMPTS", 0)
    with pytest.raises(RuntimeError, match=r"^fastText's timer never ran$"):
        supervised.fasttext_search({"folder": str(tmp_path), "seconds": 1})


def test_a_vocabulary_beyond_memory_costs_more(bench, tmp_path, monkeypatch, capsys):
    vocabulary, jobs = bench("big_vocabulary"), []

    def train_here(job):
        jobs.append(job)
        return vocabulary.train({**job, "limit": None, "processes": None}) | {"first": 5 << 20, "others": 0}

    monkeypatch.setattr(vocabulary, "measured", train_here)
    sizes = {"--words": 300, "--few": 50, "--tokens": 2000, "--vector-size": 20, "--limit": 7}
    vocabulary.main(["--folder", str(tmp_path), *map(str, itertools.chain(*sizes.items()))])
    found, kept = capsys.readouterr().out, (BENCH / "big_vocabulary.md").read_text(encoding="utf-8")
    head = re.compile("^Generated .*$|^[|] words .*$", re.MULTILINE)
    assert head.findall(found) == head.findall(kept)
    rows = [
        [item.strip() for item in line.split("|")[1:-1]] for line in found.splitlines() if line[0:1] == "|"
    ]
    assert [row[0] for row in rows[2:]] == ["50", "50", "300"]  # each word occurs
    assert [row[2] for row in rows[2:]] == ["memory", "files", "files"]
    assert [job["limit"] for job in jobs] == [None, None, 7 << 20]
    assert rows[2][5] == "1.0x" and rows[2][6:] == ["5 MB", "0 MB"]


def test_lanes_are_compared_with_one_thread(bench, data, capsys, monkeypatch):
    workers, begun = bench("workers"), []
    monkeypatch.setattr(workers, "find_spec", lambda name: None)  # without Ray, which takes long to start
    monkeypatch.setattr(workers, "seconds_of", lambda train: (begun.append(train()) or 8 - len(begun), 9.0))
    workers.main([str(data / "corpus" / "simplewiki.txt.gz")])
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    of_lanes = ["2 lanes in 2 threads", "2 lanes in 2 processes"]
    here = ["one thread", "2 threads without lanes", *of_lanes, "2 trainings at once"]
    assert [row[0].strip() for row in rows[2:]] == here
    assert [row[1].strip() for row in rows[2:]] == ["7.0 s", "6.0 s", "5.0 s", "4.0 s", "3.0 s"]
    assert [row[3].strip() for row in rows[2:]] == ["1.00×", "1.17×", "1.40×", "1.75×", "4.67×"]
