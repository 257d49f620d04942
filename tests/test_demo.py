import json
import sys
from pathlib import Path

import pytest

import fastvec
from fastvec import demo

pytestmark = pytest.mark.any_backend(trains=True)


@pytest.fixture(scope="module")
def prose():
    """Sentences of this machine, whose sources take seconds to read, and the modules imported meanwhile."""
    modules = set(sys.modules)
    return list(demo.sentences()), set(sys.modules) - modules


def test_the_prose_of_this_machine_is_plenty(prose):
    sentences, imported = prose
    assert sum(map(len, sentences)) > 100_000
    assert len({tuple(words) for words in sentences}) == len(sentences)
    assert all(len(words) >= demo.FEWEST_WORDS for words in sentences)
    assert all(word.isascii() and word.isalpha() and word.islower() for words in sentences for word in words)
    assert not {name for name in imported if name.startswith(("numpy", "pydoc_data", "antigravity"))}


def test_what_counts_as_prose(tmp_path, monkeypatch):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "left_out.py").write_text('"""Prose of a test that is left out."""')
    (tmp_path / "module.py").write_text(
        '"""The first line of a docstring. A second sentence\nover two lines here.\n\n'
        '    >>> code(after, a, prompt, is, left, out)\n"""\n'
        '# A comment over two lines with "one \'odd\n# quotation mark" in it.\n'
        "too = ('a string of several pieces '\n       'that make\\n a sentence')\n"
        "code = of(many, words, that, is, no, prose)  # too short\n"
        "again = 'A second sentence over two lines here.'\n"
    )
    (tmp_path / "broken.py").write_text("def (: 'but its strings are prose too'\n")
    monkeypatch.setattr(demo.sysconfig, "get_path", lambda name: str(tmp_path))
    (tmp_path / "numpy").mkdir()
    found = {" ".join(words) for words in demo.sentences()}
    assert {
        "but its strings are prose too",
        "the first line of a docstring",
        "a second sentence over two lines here",
        "a comment over two lines with one odd quotation mark in it",
        "a string of several pieces that make a sentence",
    } <= found
    assert not any("left out" in sentence or "no prose" in sentence for sentence in found)


def test_a_python_without_sources_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(demo.sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(
        FileNotFoundError, match=r"Python's standard library, and .* holds none; train on a text"
    ):
        next(demo.sentences())


def test_the_demo_trains_saves_and_says_what_to_type_next(prose, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "sentences", lambda progress: iter(prose[0]))
    monkeypatch.setattr(demo, "SETTINGS", {"vector_size": 8, "epochs": 1, "min_count": 20})
    path = tmp_path / "demo.fvec"
    model = demo.run(path)
    vectors = fastvec.load(path)
    assert vectors.words == model.vectors_.words
    out = capsys.readouterr().out
    for word in demo.EXAMPLES:
        assert f"\n  {word:8}" in out
    assert "read is to reading as write is to " in out
    assert f"neighbors {path} socket\n" in out
    assert "socket" in vectors


def test_the_demo_as_json(tmp_path, monkeypatch, shown):
    monkeypatch.setattr(demo, "SETTINGS", {"vector_size": 4, "epochs": 1, "min_count": 1})
    words = [*demo.EXAMPLES, "read", "reading", "write", "wrote"]
    monkeypatch.setattr(demo, "sentences", lambda progress: [words] * 20)
    path = tmp_path / "demo.fvec"
    status, out, errors = shown("demo", "-o", path, "--json", "-q")
    vectors, document = fastvec.load(path), json.loads(out)
    assert (status, errors) == (0, "")
    assert {name: document[name] for name in ("output", "words", "vector_size")} == {
        "output": str(path), "words": len(words), "vector_size": 4
    }  # fmt: skip
    assert [near["word"] for near in document["neighbors"]] == [*demo.EXAMPLES]
    found = [(near["word"], near["cosine"]) for near in document["neighbors"][1]["neighbors"]]
    assert found == vectors.most_similar("file", topn=6)
    (word, score), *_ = vectors.analogy("read", "reading", "write")
    answers = [{"word": word, "score": score}]
    assert document["analogies"] == [{"a": "read", "b": "reading", "c": "write", "answers": answers}]
    assert [epoch["epoch"] for epoch in document["history"]] == [1]


@pytest.mark.parametrize(
    ("called", "found", "expected"),
    [
        ("/usr/bin/fastvec", "/usr/bin/fastvec", "fastvec"),
        (".venv/bin/fastvec", None, ".venv/bin/fastvec"),
        ("/lib/fastvec/__main__.py", None, "python -m fastvec"),
    ],
)
def test_the_next_command_can_be_typed(monkeypatch, called, found, expected):
    monkeypatch.setattr(demo.sys, "argv", [str(Path(called))])
    monkeypatch.setattr(demo.shutil, "which", lambda name: found)
    assert demo._command() == expected
