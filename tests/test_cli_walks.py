"""``fastvec walks`` writes what `fastvec.walks` returns."""

import gzip
import json

import pytest

import fastvec
from fastvec import cli

pytestmark = pytest.mark.any_backend


@pytest.fixture
def edges(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "edges.tsv"
    path.write_text("a\tb\t1\nb\tc\t2\nc\ta\t1\n", encoding="utf-8")
    (tmp_path / "types.tsv").write_text("a x\n\nb y\nc y\n", encoding="utf-8")
    return path


def written(path):
    return [line.split() for line in path.read_text(encoding="utf-8").splitlines()]


def test_walks_are_written(edges, tmp_path, capsys):
    arguments = ["edges.tsv", "-o", "w.txt", "--length", "7", "--p", "0.5", "--q", "2", "--directed"]
    assert cli.main(["walks", *arguments, "--no-weights", "--seed", "5"]) == 0
    expected = fastvec.walks(edges, length=7, p=0.5, q=2, directed=True, weight=None, seed=5)
    assert written(tmp_path / "w.txt") == list(expected)
    assert capsys.readouterr().out == "30 walks over 3 nodes saved in w.txt\n"


def test_walks_along_types(edges, tmp_path, capsys):
    path = ["--metapath", "x", "y", "x", "--types", "types.tsv"]
    assert cli.main(["walks", "edges.tsv", "-o", "w.gz", *path, "--json", "--quiet"]) == 0
    text = gzip.decompress((tmp_path / "w.gz").read_bytes()).decode()
    types = dict(zip("abc", "xyy", strict=True))
    corpus = fastvec.walks(edges, metapath=("x", "y", "x"), types=types)
    assert [line.split() for line in text.splitlines()] == list(corpus)
    summary = {"output": "w.gz", "walks": 10, "tokens": 800, "nodes": 3}
    assert json.loads(capsys.readouterr().out) == summary


def test_walks_to_standard_output(edges, capsys):
    assert cli.main(["walks", "edges.tsv", "-o", "-", "--per-node", "1", "--quiet"]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == list(
        fastvec.walks(edges, per_node=1)
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--metapath", "x", "y", "x"], "--metapath needs the types of all nodes: --types FILE"),
        (["--types", "edges.tsv", "--metapath", "x", "x"], "edges.tsv, line 1: must be a node and its type"),
        (["--types", "types.tsv"], "types must be None without a metapath"),
        (["--p", "0"], "p must be a number > 0, got 0"),
        (["-o", "edges.tsv"], "edges.tsv"),
    ],
)
def test_what_is_wrong_is_said(edges, capsys, arguments, message):
    assert cli.main(["walks", "edges.tsv", "-o", "w.txt", *arguments]) == 2
    assert message in capsys.readouterr().err
