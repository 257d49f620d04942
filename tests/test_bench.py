"""The tables are what the results say, and a contender that is missing costs its own row only."""

import importlib
import json
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
pytestmark = pytest.mark.skipif(not BENCH.is_dir(), reason="bench/ is not beside the tests")

MACHINE = {
    "processor": "A processor",
    "cores": 2,
    "system": "Linux",
    "backend": "avx512",
    "versions": {"fastvec": "1.0", "gensim": "4.4"},
    "load": 0.0,
}


@pytest.fixture
def table(compare):
    return compare.table


@pytest.fixture
def figures(compare):
    return importlib.import_module("figures")


def record(runs, **settings):
    settings = {
        "corpus": "a.txt",
        "words": 4_000_000,
        "vector_size": 100,
        "window": 5,
        "negatives": 5,
        "subsample": 1e-3,
        "min_count": 5,
        "learning_rate": 0.025,
        "epochs": 1,
        "threads": 2,
    } | settings
    return {"date": "2026-01-02", "machine": MACHINE, "settings": settings, "runs": runs}


def speed_run(contender, threads, turn, speed):
    return {
        "contender": contender,
        "threads": threads,
        "round": turn,
        "words_per_second": speed * 1e6,
        "wall_seconds": 1.0,
        "peak_bytes": 50e6,
    }


def whole_run(contender, turn, seconds, score):
    quality = {
        name: {"score": score + turn, "covered": 9} for name in ("WS353", "MEN", "SimLex", "analogies")
    }
    run = {"contender": contender, "threads": 2, "round": turn, "quality": quality}
    return run | {"wall_seconds": seconds, "peak_bytes": 150e6, "matrix_and_id_bytes": 40e6}


@pytest.fixture
def results():
    # In the second round the machine is ten times slower for everyone.
    speeds = [
        speed_run("fastvec", 1, 0, 8.0),
        speed_run("fastvec", 2, 0, 15.2),
        speed_run("gensim", 1, 0, 0.5),
        speed_run("fastvec", 1, 1, 0.8),
        speed_run("fastvec", 2, 1, 1.52),
        speed_run("gensim", 1, 1, 0.05),
        {"contender": "fastText", "threads": 1, "round": 0, "error": "not installed (fasttext)"},
    ]
    whole = [
        whole_run("fastvec", 0, 10.0, 60.0),
        whole_run("gensim", 0, 100.0, 60.5),
        whole_run("fastvec", 1, 20.0, 60.0),
        whole_run("gensim", 1, 260.0, 60.5),
    ]
    return {"rows": {"speed-100": record(speeds), "whole": record(whole, epochs=5)}}


def test_a_ratio_is_taken_within_a_round(figures, results):
    speed, whole = results["rows"]["speed-100"], results["rows"]["whole"]
    assert figures.speed_ratio(speed, "fastvec", 1) == pytest.approx(16)
    assert figures.scaling(speed, "fastvec", 0) == pytest.approx(1.9)
    assert figures.time_ratio(whole, "fastvec", 0) == pytest.approx(11.5)
    assert figures.memory_left(whole, "fastvec", 0) == pytest.approx(90)
    assert figures.quality_difference(whole, "fastvec", 0) == pytest.approx(-0.5)


def test_what_was_not_measured_is_a_dash(table, figures, results):
    speed = results["rows"]["speed-100"]
    assert figures.speed_ratio(speed, "fastText", 1) is None
    assert figures.rate(speed, "fastvec (AVX2)", 1) is None
    del results["rows"]["whole"]
    report = table.report(results)
    assert "- fastText: not installed (fasttext)" in report
    assert "not measured" in report


def test_readme_table(table, results):
    lines = [[cell.strip() for cell in line.split("|")] for line in table.readme_table(results).splitlines()]
    head, fastvec = lines[0], next(line for line in lines if line[1:2] == ["fastvec"])
    cells = dict(zip(head, fastvec, strict=True))
    assert cells["words/s, 1 thread"] == "4.40 M"
    assert cells["against gensim"] == "16.0×"
    assert cells["text to vectors"] == "15.0 s"
    assert cells["peak memory"] == "150 MB"
    assert cells["MEN"] == "60.5 ± 0.7"


def test_render_then_check(compare, results, tmp_path, capsys):
    kept, readme = tmp_path / "results.json", tmp_path / "README.md"
    arguments = ["--results", str(kept), "--readme", str(readme)]
    kept.write_text(json.dumps(results))
    speed = "<!-- speed:begin -->{}<!-- speed:end --> times"
    begin, end = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"
    readme.write_text(f"{speed.format('old')}\n\n{begin}\nold\n{end}\n\nAfter.\n")
    assert compare.main(["--check", *arguments]) == 1
    assert compare.main(["--render", *arguments]) == 0
    assert compare.main(["--check", *arguments]) == 0
    text = readme.read_text()
    assert text.startswith(f"{speed.format(11)}\n\n{begin}\n|") and text.endswith(f"\n{end}\n\nAfter.\n")
    assert "old" not in text and "A processor, 2 cores" in text

    readme.write_text(text.replace("16.0×", "17.0×"))
    assert compare.main(["--check", *arguments]) == 1
    assert f"{readme} is not up to date: run python bench/compare.py --render" in capsys.readouterr().err
    readme.write_text(text.replace(speed.format(11), speed.format(12)))
    assert compare.main(["--check", *arguments]) == 1
    assert "not up to date" in capsys.readouterr().err
    readme.write_text("no marks")
    assert compare.main(["--check", *arguments]) == 1
    assert compare.main(["--render", *arguments]) == 1
    assert "speed:begin" in capsys.readouterr().err
    assert readme.read_text() == "no marks"


def test_this_repositorys_tables_are_up_to_date(compare, capsys):
    assert compare.main(["--check"]) == 0, capsys.readouterr().err


def test_a_row_measured_alone_leaves_the_others(compare, results, tmp_path, monkeypatch):
    monkeypatch.setattr(compare.texts, "CACHE", tmp_path / "cache")
    kept, corpus = tmp_path / "results.json", tmp_path / "corpus.txt"
    kept.write_text(json.dumps(results))
    corpus.write_text("a rose is a rose\nis a rose\n" * 50)
    arguments = ["--only", "reading", "--repeats", "1", "--words", "100"]
    assert compare.main([*arguments, "--results", str(kept), "--corpus", str(corpus)]) == 0
    rows = json.loads(kept.read_text())["rows"]
    assert rows["whole"] == results["rows"]["whole"]
    assert rows["reading"]["settings"]["words"] == 100
    assert [run["vocabulary"] for run in rows["reading"]["runs"]] == [3, 3]
    assert "## Text to ids" in (tmp_path / "results.md").read_text()


def test_a_missing_peer_says_so(compare, tmp_path):
    (tmp_path / "gensim.py").write_text("raise ModuleNotFoundError('no', name='gensim')")
    contender = compare.Contender("gensim", "gensim", environment={"PYTHONPATH": str(tmp_path)})
    figures = compare.run(contender, {"text": "", "quality": {}}, saves=False)
    assert figures == {"error": "not installed (gensim): pip install 'fastvec[bench]'"}


@pytest.mark.parametrize(("words", "expected"), [(None, (7, 3)), (100, (7, 3)), (5, (5, 2)), (3, (3, 1))])
def test_texts_are_cut_at_a_word(compare, tmp_path, monkeypatch, words, expected):
    monkeypatch.setattr(compare.texts, "CACHE", tmp_path / "cache")
    source = tmp_path / "a.txt"
    source.write_text("one two three\nfour five six\nseven\n")
    for _ in range(2):
        text = compare.texts.prepare(source, words)
        assert (text.words, text.lines) == expected
        assert len(text.path.read_text().split()) == expected[0]


@pytest.mark.parametrize("name", ["fastvec", "gensim", "fasttext"])
def test_workers(compare, tmp_path, name):
    # Ten words that are kept, and twenty that are not, which fastText reads but does not count.
    lines = [" ".join(f"w{(i * k) % 10}" for k in range(1, 13)) for i in range(1, 101)]
    lines += [f"rare{i}" for i in range(20)]
    text, pairs = tmp_path / "text.txt", tmp_path / "pairs.txt"
    text.write_text("\n".join(lines) + "\n")
    pairs.write_text("w1 w2 1\nw1 w3 2\nw2 w3 3\nw1 rare1 4\n")
    job = {**compare.SETTINGS, "text": str(text), "words": 1220, "lines": 120, "threads": 1, "seed": 1}
    job |= {"vector_size": 8, "subsample": 0, "quality": {"pairs": str(pairs)}}
    contender = next(entry[0] for entry in compare.ROWS[0].entries if entry[0].worker == name)
    for saves in (True, False):
        figures = compare.run(contender, job, saves)
        assert "error" not in figures, figures
        assert figures["vocabulary"] == 10
        assert figures["quality"]["pairs"]["covered"] == 3
        assert figures["peak_bytes"] > 1e6
        if name != "fasttext":  # its time is a difference, which may come to nothing on so small a text
            assert 0 < figures["train_seconds"] < figures["wall_seconds"]
    if name == "fasttext":
        assert figures["passes_per_epoch"] == pytest.approx((1220 + 120) / (1200 + 120))


def test_workers_find_the_same_phrases(compare, figures, tmp_path, monkeypatch):
    monkeypatch.setattr(compare.texts, "CACHE", tmp_path / "cache")
    corpus, kept = tmp_path / "corpus.txt", tmp_path / "results.json"
    corpus.write_text("a new york b\nb new york a\nnew a\na b\n" * 20)
    arguments = ["--only", "phrases", "--repeats", "1", "--results", str(kept), "--corpus", str(corpus)]
    assert compare.main(arguments) == 0
    record = json.loads(kept.read_text())["rows"]["phrases"]
    assert [(run["phrases"], run["words_left"]) for run in record["runs"]] == [(1, 200), (1, 200)]
    assert figures.speed_ratio(record, "fastvec", 1) > 0
    assert "npmi above 0.5, min_count 5; 1 round" in (tmp_path / "results.md").read_text()
