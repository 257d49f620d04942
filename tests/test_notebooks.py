"""What notebooks show of texts, counts and phrases."""

from html.parser import HTMLParser

import pytest

import fastvec
from fastvec import Cooccurrence, Corpus, Phrases

pytestmark = pytest.mark.any_backend

SENTENCES = [["<b>", "new", "york"], ["new", "york"], [], ["é", "&amp;"], ["x"] * 30, ["last"]]


class Tables(HTMLParser):
    """The rows of all tables, the text beside them, and tags that are open."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.beside, self.open = [], "", []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "tr" in self.open:
            self.rows[-1][-1] += data
        else:
            self.beside += data


def test_the_first_sentences_of_a_corpus():
    corpus = Corpus(SENTENCES, keep_empty=True)
    tables = Tables(corpus._repr_html_())
    assert tables.beside == repr(corpus)
    assert tables.rows == [
        ["", "sentence"],
        ["1", "<b> new york"],
        ["2", "new york"],
        ["3", ""],
        ["4", "é &amp;"],
        ["5", f"{'x ' * 20}..."],
    ]
    assert Tables(Corpus([[7, 8]])._repr_html_()).rows[1] == ["1", "7 8"]
    assert Tables(Corpus([], keep_empty=True)._repr_html_()).rows == [["", "sentence"]]


def test_the_most_frequent_words_of_a_vocabulary():
    vocabulary = Corpus([["a"] * 1000, ["b", "b", "<i>", "d", "e", "f"]]).vocabulary
    tables = Tables(vocabulary._repr_html_())
    assert tables.beside == repr(vocabulary)
    expected = [["word", "count"], ["a", "1,000"], ["b", "2"], ["<i>", "1"], ["d", "1"], ["e", "1"]]
    assert tables.rows == expected


def test_the_counts_of_the_most_frequent_words():
    counts = Cooccurrence(min_count=1, window=2)
    parameters = Tables(counts._repr_html_()).rows
    assert ["window", "2"] in parameters and len(parameters) == len(counts.get_params())
    tables = Tables(counts.fit([["a", "<b>", "a"]] * 3000)._repr_html_())
    assert repr(counts) in tables.beside
    assert tables.rows[len(parameters) :] == [
        ["", "a", "<b>"],
        ["a", "3,000", "6,000"],
        ["<b>", "6,000", "0"],
    ]
    ids = Cooccurrence(min_count=1, window=1).fit([[1, 2]] * 3)
    assert Tables(ids._repr_html_()).rows[-1] == ["2", "3", "0"]


def test_the_best_phrases():
    phrases = Phrases(min_count=2, threshold=1)
    parameters = Tables(phrases._repr_html_()).rows
    tables = Tables(phrases.fit([["new", "york"], ["<b>", "x"]] * 9 + [["new"]] * 9)._repr_html_())
    assert tables.rows[: len(parameters)] == parameters
    found = [[phrase, f"{score:.4g}"] for phrase, score in phrases.phrases_.items()]
    assert found[0][0] == "<b>_x"
    assert tables.rows[len(parameters) :] == [["phrase", "score"], *found]
    assert tables.beside.endswith("2 phrases")


def test_vectors_share_the_table():
    tables = Tables(fastvec.Vectors(["a", "b"], [[1, 0.5], [0, 1]], counts=[2000, 1])._repr_html_())
    assert tables.rows == [["word", "count", "0", "1"], ["a", "2,000", "1", "0.5"], ["b", "1", "0", "1"]]
