"""Documents are split into words and numbered as a loop over their words would do it."""

import re
import warnings
from itertools import pairwise

import numpy as np
import pytest
from inside import set_sizes

from fastvec import Vectors
from fastvec.classify import TextVectorizer

pytestmark = pytest.mark.any_backend

WORDS = re.compile(r"[^ \t\n\r\v\f]+")
# White space of Unicode and separators of ASCII are no ends of words; lone surrogates are words too.
PLAIN = ["a", "bb", "ü", "日本", "10\xa0000", "a\u2028b", "c\x1cd", "\ud800", "\ud800\udc00", "x" * 300, "\0"]
# Words that no text can have, of lists.
ODD = ["", "New York", " ", "a\n", "\n", "\t", "a\tb\rc\vd\fe", "\xf8", "\xff"]


def numbered(documents):
    """The different words of documents, their numbers, and where documents end."""
    index, numbers, ends = {}, [], [0]
    for document in documents:
        words = WORDS.findall(document) if isinstance(document, str) else map(str, document)
        numbers += [index.setdefault(word, len(index)) for word in words]
        ends.append(len(numbers))
    return list(index), numbers, ends


def check(documents):
    words, numbers, ends = numbered(documents)
    counts = np.array([np.bincount(numbers[i:j], minlength=len(words)) for i, j in pairwise(ends)])
    vectors = Vectors(words, np.eye(len(words)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that documents are empty
        means = TextVectorizer(vectors).fit(documents).transform(documents)
        by_frequency = TextVectorizer(vectors, pooling="sif").fit(documents)
        by_documents = TextVectorizer(vectors, pooling="tfidf").fit(documents)
    np.testing.assert_allclose(means * np.maximum(1, counts.sum(axis=1))[:, np.newaxis], counts, atol=1e-4)
    assert list(by_frequency.frequencies_) == list(by_documents.idf_) == words
    np.testing.assert_allclose(list(by_frequency.frequencies_.values()), counts.sum(axis=0) / len(numbers))
    idf = np.log((1 + len(documents)) / (1 + (counts > 0).sum(axis=0))) + 1
    np.testing.assert_allclose(list(by_documents.idf_.values()), idf)


@pytest.mark.parametrize(
    "documents",
    [
        ["", "a", ""],
        [[], [], ["b"], []],
        [" \t\n", "a b\nc", "\n", "a\r\vb\f"],
        ["a\n", "b"],
        [[""], ["", "a"], ["a", ""], ["", ""], []],
        [["a b"], ["a", "b"], ["b", "a b"]],
        [("a", "b"), ["b"], "b a", np.array(["a", "c"])],
        [["a", np.str_("a")], [7, "7", np.int64(7)], ["8"]],
        [np.str_("a b"), "a"],
        [PLAIN, PLAIN[::-1]],
        [" ".join(PLAIN)],
        [ODD, PLAIN],
        [[word] for word in ODD],
        *[[[word, "a"], ["a", word]] for word in ODD],
    ],
)
def test_documents(documents):
    check(documents)


@pytest.mark.parametrize("at_once", [1, 2, 3, 1024])
@pytest.mark.parametrize("seed", range(5))
def test_any_mixture_of_documents(monkeypatch, at_once, seed):
    set_sizes(monkeypatch, documents_at_once=at_once)
    random = np.random.default_rng(seed)
    documents = []
    for _ in range(40):
        choices = PLAIN + ODD if random.random() < 0.3 else PLAIN
        words = [choices[i] for i in random.integers(0, len(choices), random.integers(0, 9))]
        documents.append([words, tuple(words), " ".join(words), "\n".join(words)][random.integers(4)])
    check(documents)


def test_the_document_that_is_none_is_named():
    vectorizer = TextVectorizer(Vectors(["a"], [[1]])).fit(["a"])
    for wrong in (7, None, b"bytes", {"a": 1}):
        with pytest.raises(TypeError, match=r"^document 1025 of X must be a str or a list of words, got "):
            vectorizer.transform([["a"]] * 1025 + [wrong])
    with pytest.raises(TypeError, match=r"^every word of document 3 must be a str or an int, got 1\.5"):
        vectorizer.transform([["a"], "b", [], ["c", 1.5]])
