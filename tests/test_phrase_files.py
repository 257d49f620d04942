"""Phrases that are saved and found again, and texts that the command line writes."""

import gzip
import json
import math
import re

import pytest
from commands import run

from fastvec import Corpus, Phrases

pytestmark = pytest.mark.any_backend

CITIES = [["in", "new", "york"], ["from", "new", "york"], ["a", "new", "car"], ["in", "a", "car"]] * 5


def test_what_was_found_is_saved(tmp_path):
    path = tmp_path / "phrases.json"
    sentences = [["größe", "of", "new", "york", "city"], ["a", "new", "city"], ["in", "a", "größe"]] * 10
    phrases = Phrases(threshold=0.5, passes=2, delimiter="–", progress=True).fit(sentences)
    assert len(phrases.pairs_) == 2
    phrases.save(path)
    loaded = Phrases.load(str(path))
    assert loaded.get_params() == phrases.get_params() | {"progress": False}
    assert loaded.pairs_ == phrases.pairs_
    assert list(loaded.phrases_.items()) == list(phrases.phrases_.items())
    assert list(loaded.transform(sentences)) == list(phrases.transform(sentences))
    assert [entry.name for entry in tmp_path.iterdir()] == ["phrases.json"]


def damaged(**changes):
    parameters = Phrases().get_params()
    del parameters["progress"]
    content = {
        "format": "fastvec phrases",
        "version": 1,
        "parameters": parameters,
        "passes": [[["a", "b", 1.0]]],
    }
    return json.dumps(content | changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a file of fastvec.Phrases, or damaged"),
        ("\x00\xff", "not a file of fastvec.Phrases, or damaged"),
        ("[1]", "not a file of fastvec.Phrases, or damaged"),
        ("[" * 100_000, "not a file of fastvec.Phrases, or damaged"),
        (damaged(format="fvec"), "not a file of fastvec.Phrases, or damaged"),
        (damaged(version=2), "written in version 2 of the format; this fastvec reads version 1"),
        (damaged(parameters={"window": 5}), "damaged (.*unexpected keyword argument 'window'"),
        (damaged(parameters={"min_count": 0}), "damaged (min_count must be an int >= 1, got 0)"),
        (damaged(parameters=None), "damaged ("),
        (damaged(passes=None), "damaged ("),
        (damaged(passes=[[["a", "b"]]]), "damaged (a pair must be two str or more, got ['a']"),
        (damaged(passes=[[["a", 1, 1.0]]]), "damaged (a pair must be two str or more, got ['a', 1])"),
        (damaged(passes=[[["a", "b", math.nan]]]), "damaged (the score of a pair must be a finite number"),
    ],
)
def test_files_that_are_not_of_phrases(tmp_path, text, message):
    path = tmp_path / "phrases.json"
    path.write_text(text, encoding="latin-1")
    expected = re.escape(f"{path}: ") + re.escape(message).replace(r"\.\*", ".*")
    with pytest.raises(ValueError, match=f"^{expected}"):
        Phrases.load(path)
    with pytest.raises(FileNotFoundError):
        Phrases.load(tmp_path / "missing.json")


# The command line


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("".join(f"{' '.join(sentence)}\n" for sentence in CITIES))
    return path


def test_command_joins_saves_and_joins_again(text, tmp_path):
    out, packed, kept = tmp_path / "out.txt", tmp_path / "out.txt.gz", tmp_path / "phrases.json"
    expected = text.read_text().replace("new york", "new_york")
    done = run("phrases", text, "-o", out, "--threshold", 1, "--save-phrases", kept)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"         2.000  new_york\n1 phrases; 50 words saved in {out}\n"
    assert "counting pairs" in done.stderr
    assert out.read_text() == expected
    assert Phrases.load(kept).phrases_ == {"new_york": 2.0}

    assert run("phrases", text, "-o", packed, "--threshold", 1).returncode == 0
    assert gzip.decompress(packed.read_bytes()).decode() == expected
    assert b"in.txt" not in packed.read_bytes()

    done = run("phrases", "-", "-o", "-", "--lowercase", "--phrases", kept, input=text.read_text().upper())
    assert done.stdout == expected
    assert done.stderr.endswith("words written to standard output\n")


def test_command_passes_every_parameter_on(text, tmp_path):
    out, kept = tmp_path / "out.txt", tmp_path / "phrases.json"
    options = ["--min-count", 2, "--threshold", 0.3, "--scoring", "npmi", "--delimiter", "+", "--passes", 2]
    assert run("phrases", text, text, "-o", out, "--save-phrases", kept, *options).returncode == 0
    expected = Phrases(min_count=2, threshold=0.3, scoring="npmi", delimiter="+", passes=2)
    assert list(Corpus(out)) == list(expected.fit_transform(CITIES + CITIES))
    assert Phrases.load(kept).get_params() == expected.get_params()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--min-count", "0"], "min_count must be an int >= 1, got 0"),
        (["--phrases", "in.txt", "--passes", "2"], "others cannot be given, got --passes"),
        (["--phrases", "in.txt"], "in.txt: not a file of fastvec.Phrases, or damaged"),
        (
            ["--save-phrases", "missing/phrases.json"],
            "cannot write in this folder: No such file or directory",
        ),
        (["-o", "missing/out.txt"], "cannot write in this folder: No such file or directory"),
    ],
)
def test_errors_of_the_command(text, tmp_path, options, message):
    done = run("phrases", text, "-o", "out.txt", *options, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("fastvec: error: ")
    assert message in done.stderr
    assert not (tmp_path / "out.txt").exists()
