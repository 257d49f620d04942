"""What Python can iterate over, and is no text all the same, is refused with what to pass instead."""

import re
from collections import Counter, UserList, namedtuple

import numpy as np
import pytest

from fastvec import CBOW, PPMI_SVD, Cooccurrence, Corpus, FastText, GloVe, Phrases, SkipGram, Vectors
from fastvec.classify import (
    NetworkClassifier,
    SoftmaxClassifier,
    TextClassifier,
    TextVectorizer,
    WindowClassifier,
    WindowRanker,
)

pytestmark = pytest.mark.any_backend(trains=True)

Row = namedtuple("Row", "user item")
RECORDS = np.array([("u1", "i1"), ("u2", "i2")], [("user", "U2"), ("item", "U2")])
PAIRS = [["u1", "i1"], ["u2", "i2"]]


class Table:
    """A table of whichever library: it has columns, whose names it iterates over."""

    columns = ("user", "item")

    def __iter__(self):
        return iter(self.columns)

    def __repr__(self):
        return "  user item\n0   u1   i1"


class Groups(list):
    """The rows of a table by group: an iterator over it yields the name of each too."""

    def get_group(self, name):
        raise NotImplementedError


OUTSIDE = [
    (Groups([("u1", ["i1"])]), ": pass its groups as lists, {name}.apply(list)"),
    ({"user": ["u1"]}, ": only its keys would be used; pass {name}.values() if its values are meant"),
    (Counter("abc"), ": only its keys would be used"),
    ({("a", "b"), ("c", "d")}, ": its order differs from run to run; pass a list"),
    (frozenset({("a", "b")}), ": its order differs from run to run; pass a list"),
    (Table(), "got user item 0 u1 i1: pass one of its columns, or rows that belong together as lists"),
    (np.array(PAIRS), "of shape (2, 2): rows of a table are seldom what is meant (group them: "),
    (np.array([[1, "i1"], [2, "i2"]], dtype=object), "pass array.tolist() if each row is one"),
    (np.arange(6).reshape(2, 3), "pass array.tolist() if each row is one"),
    (np.array([["good film"], ["bad film"]]), "or, if it has one column, array.ravel()"),
    (np.zeros((2, 2, 2)), "of shape (2, 2, 2)"),
    (np.array("a b"), "got array('a b', dtype='<U3')"),
    (RECORDS, ": pass one of its fields"),
    (b"a b", "got b'a b'"),
    (None, "got None"),
    (7, "got 7"),
]
INSIDE = [
    ({"user": "u1", "item": "i1"}, ", whose keys would be taken for words: pass list(sentence.values()) if"),
    (Counter("abc"), ", whose keys would be taken for words"),
    ({"a"}, ", whose order differs from run to run: pass sorted(sentence)"),
    (Row("u1", "i1"), ", a row or part of a table: pass the items that belong together as a list: "),
    (RECORDS[0], ", a row or part of a table"),
    (Table(), ", a row or part of a table"),
    (np.array("a b"), "got array('a b', dtype='<U3')"),
    (np.array(PAIRS), "got array([['u1', 'i1'], ['u2', 'i2']]"),
    (b"a b", ": pass sentence.decode().split()"),
    (bytearray(b"a b"), ": pass sentence.decode().split()"),
    (None, "got None"),
    (float("nan"), "got nan"),
]
VECTORS = Vectors(["a", "b"], np.eye(2))
OF_TEXTS = {
    "source": [
        Corpus,
        *(model().fit for model in (SkipGram, CBOW, FastText, GloVe, PPMI_SVD, Cooccurrence, Phrases)),
    ],
    "X": [
        lambda X: TextClassifier().fit(X, ["x", "y"]),
        TextVectorizer(VECTORS).fit,
        TextVectorizer(VECTORS).fit(["a"]).transform,
        TextClassifier(vector_size=2).fit(["a", "b"], ["x", "y"]).predict,
        lambda X: WindowClassifier().fit(X, [["x"], ["y"]]),
        WindowRanker().fit,
    ],
}
EVERYWHERE = [(name, use) for name, uses in OF_TEXTS.items() for use in uses]
everywhere = pytest.mark.parametrize(("name", "use"), EVERYWHERE)


@everywhere
def test_no_texts(name, use):
    for wrong, message in OUTSIDE:
        with pytest.raises(TypeError, match=re.escape(message.format(name=name))) as raised:
            use(wrong)
        assert str(raised.value).startswith(f"{name} must be ")


@everywhere
def test_no_text(name, use):
    for wrong, message in INSIDE:
        for texts in ([["a", "b"], wrong], iter([["a", "b"], wrong])):
            with pytest.raises(TypeError, match=re.escape(message)) as raised:
                use(texts)
            assert re.match(rf"(sentence 2|document 1) of {name} must be ", str(raised.value))


@everywhere
def test_no_words(name, use):
    for word in (b"a", 1.5, None, float("nan"), True, np.True_, ["a"], ("a", "NN"), {"a": 1}):
        with pytest.raises(TypeError, match=r"^every (item|word) of .* must be a str or an int, got "):
            use([["a", "b"], ["c", word]])


class Series:
    """A column of a table: one dimension, and a list of what it has."""

    ndim = 1

    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)


@pytest.mark.parametrize(
    "source",
    [
        {"u1": ["a", "b"], "u2": ["b"]}.values(),
        Series([["a", "b"], ["b"]]),
        [Series(["a", "b"]), Series(["b"])],
        UserList([("a", "b"), UserList(["b"])]),
        np.array([["a", "b"], ["b"]], dtype=object),
        [np.array(["a", "b"]), np.array(["b"])],
        [{"a": 1, "b": 2}.keys(), ["b"]],
        (map(str, words) for words in ("ab", "b")),
    ],
)
def test_sequences_of_sequences_are_read(source):
    assert list(Corpus(source)) == [["a", "b"], ["b"]]


def test_words_of_other_types_are_str():
    words = Corpus([[np.str_("a"), np.int64(3)], ["a"]]).vocabulary.words
    assert words == ["a", "3"] and {*map(type, words)} == {str}


def test_vocabularies_have_an_order():
    for words, message in (({"a": 1}, "pass words.values()"), ({"a"}, "pass a list"), ("a", "got 'a'")):
        with pytest.raises(TypeError, match=re.escape(message)):
            Cooccurrence.from_triples(words, [0], [0], [1.0])


def test_texts_that_were_not_taken_out_of_their_lists():
    with pytest.raises(ValueError, match=r"got only lists of one str with white space, as \['good film'\]"):
        TextClassifier().fit([["good film"], ["bad film"]], ["+", "-"])
    model = TextClassifier(vector_size=2).fit([["new york"], ["a", "car"]], ["+", "-"])
    assert model.vectors_.words == ["new york", "a", "car"]
    model.predict([["new york"]])


# ---- Labels -----------------------------------------------------------------------------------------------

X = np.eye(4)
TEXTS, SENTENCES = ["a b", "b c", "c d", "d a"], [["a"], ["b"], ["c"], ["d"]]


def classify(make, name, y):
    """Call a method of a new classifier, of a fitted one if it is `score`."""
    fit_labels = "abab"
    if make is WindowClassifier:
        examples, y, fit_labels = SENTENCES, [[label] for label in y], [["a"], ["b"]] * 2
    elif make is TextClassifier:
        examples = TEXTS
    else:
        examples = X
    classifier = make(epochs=1)
    if name == "score":
        classifier.fit(examples, list(fit_labels))
    return getattr(classifier, name)(examples, y)


CLASSIFIERS = [SoftmaxClassifier, NetworkClassifier, TextClassifier, WindowClassifier]
every_method = pytest.mark.parametrize("name", ["fit", "partial_fit", "score"])
every_classifier = pytest.mark.parametrize("make", CLASSIFIERS)

NO_LABELS = [
    (["a", "b", float("nan"), "a"], "nan", 3),
    ([1.0, 2.0, np.inf, 1.0], "inf", 3),
    (["a", "b", None, "a"], "None", 3),
    ([1, 2, None, 1], "None", 3),
    ([1.0, 2.0, np.nan, 1.0], "nan", 3),
    (("a", "b", np.float32("nan"), "a"), "nan", 3),
    ([b"a", b"b", b"a", b"b"], "b'a'", 1),
    ([1 + 1j, 2, 3, 4], "(1+1j)", 1),
    (np.array(["a", "b", np.nan, "a"], dtype=object), "nan", 3),
    (np.array(["a", "b", None, "a"], dtype=object), "None", 3),
    (Series(["a", "b", float("nan"), "a"]), "nan", 3),
]


@every_classifier
@every_method
def test_what_is_no_label(make, name):
    for labels, shown, number in NO_LABELS:
        of_words = make is WindowClassifier
        place = f"sentence {number}, word 1" if of_words else f"position {number - 1}"
        rule = f"y must have a label for each {'word' if of_words else 'example'}, a str or a number"
        with pytest.raises(ValueError, match=rf"^{rule}, got .*{re.escape(shown)}.* at {place}$"):
            classify(make, name, labels)


@every_classifier
@every_method
def test_labels_of_two_kinds(make, name):
    places = "position 0", "position 2"
    if make is WindowClassifier:
        places = "sentence 1, word 1", "sentence 3, word 1"
    given = f"got 'a' at {places[0]} and 1 at {places[1]}"
    for labels in (["a", "b", 1, "a"], np.array(["a", "b", 1, "a"], dtype=object)):
        with pytest.raises(ValueError, match=f"^y must have labels of one kind, .*, {given}$"):
            classify(make, name, labels)


@every_classifier
@every_method
def test_different_labels_never_become_equal(make, name):
    for labels, shown in (
        ([2**70, 1], "1180591620717411303424"),
        ([2**53 + 1, 0.5], "9007199254740993"),
        ([2**63 + 1, -1], "9223372036854775809"),
        (["a\0", "a"], r"'a\x00'"),
    ):
        with pytest.raises(ValueError, match=f"^y must have .* can hold, got {re.escape(shown)}$"):
            classify(make, name, labels * 2)


@pytest.mark.parametrize("model", [SoftmaxClassifier(epochs=1), TextClassifier(vector_size=2)])
def test_weights_of_a_score(model):
    examples = X if isinstance(model, SoftmaxClassifier) else TEXTS
    y = model.fit(examples, list("abab")).predict(examples)
    other = np.where(y == "a", "b", "a")
    labels = [y[0], y[1], other[2], other[3]]
    assert model.score(examples, labels, sample_weight=[3, 1, 0, 1]) == pytest.approx(0.8)
    assert model.score(examples, labels, sample_weight=[1e308] * 4) == pytest.approx(0.5)
    for weights, shown in (([1, 1, -1, 1], "-1.0"), ([1, np.nan, 1, 1], "nan"), ([1, 1, 1, np.inf], "inf")):
        with pytest.raises(ValueError, match=f"^sample_weight must be finite numbers >= 0, got {shown}$"):
            model.score(examples, labels, sample_weight=weights)
    with pytest.raises(TypeError, match=r"^sample_weight must be numbers, got "):
        model.score(examples, labels, sample_weight=["much"] * 4)


@every_classifier
@pytest.mark.parametrize("name", ["fit", "partial_fit"])
def test_labels_are_kept(make, name):
    for labels in (["b", "a"], [3, -1], [True, False], [2.0, 1.0], [np.str_("b"), "a"]):
        for given in (list, tuple, np.array, Series, lambda y: np.array(y, dtype=object)):
            classes = classify(make, name, given(labels * 2)).classes_.tolist()
            assert classes == sorted(labels) and {*map(type, classes)} <= {str, int, bool, float, np.str_}


@every_classifier
def test_labels_of_another_kind_than_the_classes(make):
    text, numbers = list("abab"), [1, 2, 1, 2]
    for labels, others in ((text, numbers), (np.array(text, dtype=object), numbers), (numbers, text)):
        classifier = classify(make, "fit", labels)
        of_words = make is WindowClassifier
        y = [[label] for label in others] if of_words else others
        examples = {TextClassifier: TEXTS, WindowClassifier: SENTENCES}.get(make, X)
        with pytest.raises(ValueError, match="y must have labels of the classes"):
            classifier.partial_fit(examples, y)


def test_classes_are_labels():
    for model, examples in ((SoftmaxClassifier(), X), (TextClassifier(vector_size=2), TEXTS)):
        with pytest.raises(ValueError, match=r"classes must have a label .* got None at position 1"):
            model.partial_fit(examples, list("abab"), classes=["a", None, "b"])
        model.partial_fit(examples, list("abab"), classes=["a", "b"])
        with pytest.raises(ValueError, match="classes must have labels of one kind"):
            model.partial_fit(examples, list("abab"), classes=["a", 1])


@pytest.mark.parametrize("y", [{"a": 1, "b": 2}, "ab", 7])
def test_no_list_of_labels(y):
    with pytest.raises(TypeError, match=r"^y must be a list of labels, got "):
        SoftmaxClassifier().fit(np.eye(2), y)
    with pytest.raises(TypeError, match=r"^y must be a list of labels, got "):
        TextClassifier().fit(["a", "b"], y)


@pytest.mark.parametrize(
    "y", [{"a": ["x"], "b": ["y"]}, {1: ["x"]}.keys(), [{"x": 1}, ["y"]], [{"x"}, ["y"]]]
)
def test_no_labels_of_sentences(y):
    with pytest.raises((TypeError, ValueError), match=r"^(what )?y "):
        WindowClassifier().fit([["a"], ["b"]], y)


# ---- Nothing gives nothing --------------------------------------------------------------------------------


def test_predictions_are_as_many_as_what_was_given():
    texts = TextClassifier(vector_size=2).fit(TEXTS, list("abab"))
    vectorizer = TextVectorizer(VECTORS, pooling="sif").fit(TEXTS)
    tagger = WindowClassifier(epochs=1).fit(SENTENCES, [[y] for y in "abab"])
    ranker = WindowRanker(epochs=1).fit(SENTENCES, [[y] for y in (True, False) * 2])
    softmax = SoftmaxClassifier(epochs=1).fit(X, list("abab"))
    assert texts.predict([]).shape == (0,) and texts.predict_proba([]).shape == (0, 2)
    assert vectorizer.transform([]).shape == (0, 2)
    assert tagger.predict([]) == tagger.predict_proba([]) == ranker.predict([]) == []
    assert softmax.predict(X[:0]).shape == (0,) and softmax.predict_proba(X[:0]).shape == (0, 2)
    with pytest.warns(UserWarning, match="3 of 4 documents"):
        assert texts.predict(["", "a", [], " "]).shape == (4,)
    with pytest.warns(UserWarning, match="3 of 4 documents"):
        assert vectorizer.transform(["", "a", [], " "])[[0, 2, 3]].tolist() == [[0, 0]] * 3
    assert [tags.shape for tags in tagger.predict([[], ["a", "b"], []])] == [(0,), (2,), (0,)]
    assert [rows.shape for rows in tagger.predict_proba([[], []])] == [(0, 2), (0, 2)]
    assert [found.shape for found in ranker.decision_function([[], ["a"]])] == [(0,), (1,)]


@pytest.mark.parametrize("learn", [TextVectorizer(VECTORS).fit, lambda X: TextClassifier().fit(X, [])])
def test_nothing_is_learned_from_nothing(learn):
    with pytest.raises(ValueError, match="X must have at least one document, got none"):
        learn([])
