"""Maps of words and curves of losses: what needs neither openTSNE nor matplotlib."""

import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import fastvec
from fastvec.cli import main

pytestmark = pytest.mark.any_backend(trains=True)

WORDS = ["</script><b>", 'a"<!--\\', "\udc80", "naïve"]


class Elements(HTMLParser):
    """The text of scripts, the elements that are open, and addresses."""

    def __init__(self, text):
        super().__init__()
        self.open, self.scripts, self.addresses = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href", "data")]
        if tag == "script":
            self.scripts.append("")
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += text


def vectors(n=12):
    matrix = np.random.default_rng(0).standard_normal((n, 4))
    return fastvec.Vectors([*WORDS, *(f"w{i}" for i in range(n - len(WORDS)))], matrix)


def test_a_page_holds_its_words_and_needs_nothing_else(tmp_path):
    vectors().plot(tmp_path / "map.html", WORDS[:3])  # so few that principal components are the map
    text = (tmp_path / "map.html").read_text(encoding="utf-8")
    found = Elements(text)
    assert found.open == [] and found.addresses == []
    assert not re.search(r"https?:|//\w+\.|@import|url\(|fetch\(|import\(|innerHTML", text)
    data, program = found.scripts
    document = json.loads(data)
    assert document["words"][:3] == WORDS[:3]
    assert len(document["x"]) == len(document["y"]) == 3
    near = vectors().most_similar(WORDS[0])
    assert [document["words"][i] for i in document["neighbors"][0]] == [word for word, _ in near]
    assert document["cosines"][0] == [round(cosine, 3) for _, cosine in near]
    assert "JSON.parse" in program and "<b>" not in text


@pytest.mark.parametrize("words", [3, [9, 7, "8", "7"]])
def test_a_page_of_ids_has_their_digits(tmp_path, words):
    fastvec.Vectors([7, 8, 9, 10], np.eye(4)).plot(tmp_path / "map.html", words)
    document = json.loads(Elements((tmp_path / "map.html").read_text(encoding="utf-8")).scripts[0])
    assert document["words"] == ["7", "8", "9", "10"]  # the last as a neighbor
    assert len(document["x"]) == 3


@pytest.mark.parametrize("path", ["map.svg", "map", "map.HTM"])
def test_an_unknown_extension(tmp_path, path):
    with pytest.raises(ValueError, match=r"path must end in \.html or \.png, got .*map"):
        vectors().plot(tmp_path / path)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"words": ["w1", "nowhere"]}, fastvec.UnknownWordError, "nowhere"),
        ({"words": []}, ValueError, "words must have a word, got none"),
        ({"words": 0}, ValueError, "words must be an int >= 1, got 0"),
        ({"words": "w1"}, TypeError, "words"),
        ({"seed": -1}, ValueError, "seed must be an int"),
    ],
)
def test_bad_parameters(tmp_path, params, error, message):
    with pytest.raises(error, match=message):
        vectors().plot(tmp_path / "map.html", **params)


def test_missing_libraries_are_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"plot needs openTSNE: pip install 'fastvec\[plot\]'"):
        vectors().plot(tmp_path / "map.html")
    assert not (tmp_path / "map.html").exists()
    model = fastvec.SkipGram(vector_size=2, epochs=1, threads=1).fit([["a", "b"]] * 9)
    with pytest.raises(ImportError, match=r"plot_history needs matplotlib: pip install 'fastvec\[plot\]'"):
        model.plot_history()


def test_the_command_refuses_an_extension(tmp_path, capsys):
    vectors().subset(["w0", "w1"]).save(tmp_path / "v.fvec")
    assert main(["plot", str(tmp_path / "v.fvec"), "-o", str(tmp_path / "map.jpg")]) == 2
    assert "must end in .html or .png" in capsys.readouterr().err
