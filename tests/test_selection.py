"""Which words of a text a model has: `keep`, `drop`, and vocabularies that are given."""

import json

import numpy as np
import pytest

import fastvec
from fastvec import cli
from fastvec.corpus import Vocabulary

pytestmark = pytest.mark.any_backend(trains=True)

TEXT = [
    ["the", "cat", "sat", "on", "the", "mat"],
    ["the", "dog", "sat"],
    ["on", "a", "rug", "the", "cat"],
] * 3
SMALL = {"vector_size": 4, "epochs": 1, "threads": 1}
MODELS = [fastvec.SkipGram, fastvec.CBOW, fastvec.FastText, fastvec.GloVe]


def make(model, **params):
    given = SMALL | params | ({"buckets": 20} if model is fastvec.FastText else {})
    return model(**given)


@pytest.mark.parametrize("model", [*MODELS, fastvec.Cooccurrence])
@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"min_count": 4}, ["the", "cat", "sat", "on"]),
        ({"min_count": 4, "keep": ["rug", "nowhere"]}, ["the", "cat", "sat", "on", "rug"]),
        ({"min_count": 4, "drop": ["the", "rug"]}, ["cat", "sat", "on"]),
        ({"min_count": 1, "max_vocab": 3, "keep": ["rug"], "drop": ["the"]}, ["cat", "sat", "rug"]),
        ({"min_count": 99, "keep": ["rug", "a"], "drop": ["rug"]}, ["a", "rug"]),
    ],
)
def test_words_that_are_kept_and_dropped(model, params, words):
    made = model(**params) if model is fastvec.Cooccurrence else make(model, **params)
    fitted = made.fit(TEXT)
    assert fitted.vocabulary_.words == words
    assert fitted.vocabulary_.counts.tolist() == [sum(s.count(w) for s in TEXT) for w in words]


@pytest.mark.parametrize("model", MODELS)
def test_they_train_as_if_the_text_had_no_others(model):
    kept = {"cat", "sat", "on", "rug"}
    left = [[word for word in sentence if word in kept] for sentence in TEXT]
    there = make(model, min_count=1).fit(left).vectors_
    here = make(model, min_count=4, keep=["rug"], drop=("the",)).fit(TEXT).vectors_
    assert set(here.words) == set(there.words) == kept
    assert here.counts.tolist() == there.counts.tolist()


def test_counts_of_chosen_words_are_those_of_a_text_without_the_others():
    left = [[word for word in sentence if word != "the"] for sentence in TEXT]
    here = fastvec.Cooccurrence(min_count=1, drop=["the"]).fit(TEXT)
    there = fastvec.Cooccurrence(min_count=1).fit(left)
    for a in there.vocabulary_:
        for b in there.vocabulary_:
            assert here[a, b] == there[a, b]


@pytest.mark.parametrize("model", MODELS[:3])
@pytest.mark.parametrize(
    ("vocabulary", "words", "counts"),
    [
        ({"rug": 5, "unseen": 7, "the": 5}, ["unseen", "rug", "the"], [7, 5, 5]),
        (["rug", "unseen", "the"], ["the", "rug", "unseen"], [12, 3, 1]),
        (Vocabulary(["the", "mat"], [9, 8]), ["the", "mat"], [9, 8]),
    ],
)
def test_a_vocabulary_that_is_given(model, vocabulary, words, counts):
    fitted = make(model).fit(TEXT, vocabulary=vocabulary)
    assert fitted.vocabulary_.words == words
    assert fitted.vocabulary_.counts.tolist() == counts
    assert fitted.history_[0].pairs > 0
    counted = fastvec.Cooccurrence(window=5).fit(TEXT, vocabulary=vocabulary)
    assert counted.vocabulary_.words == words
    others = [word for sentence in TEXT for word in sentence if word not in words]
    same = fastvec.Cooccurrence(window=5, min_count=1, drop=others).fit(TEXT)
    for word in set(words) - {"unseen"}:
        assert counted["the", word] == same["the", word]
    with pytest.raises(ValueError, match="vocabulary must be None after the first call of fit"):
        fitted.fit(TEXT, vocabulary=vocabulary)


def test_a_given_vocabulary_that_is_that_of_the_text_changes_nothing():
    usual = make(fastvec.SkipGram, min_count=1).fit(TEXT)
    given = make(fastvec.SkipGram).fit(TEXT, vocabulary=usual.vocabulary_)
    assert given.vectors_.vectors.tobytes() == usual.vectors_.vectors.tobytes()


@pytest.mark.parametrize("fit", [{}, {"vocabulary": ["rug", "the"]}])
@pytest.mark.parametrize("parameters", [{}, {"drop": ["the"]}])
def test_files_name_the_text_whatever_words_are_chosen(parameters, fit):
    expected = fastvec.Corpus(TEXT).provenance | ({"vocabulary": "given"} if fit else {})
    counts = fastvec.Cooccurrence(min_count=1, **parameters).fit(TEXT, **fit)
    assert counts._provenance["corpora"] == [expected]
    model = make(fastvec.SkipGram, min_count=1, **parameters).fit(TEXT, **fit)
    assert model.vectors_.metadata["corpora"] == [expected]


def test_new_words_are_chosen_in_the_same_way(tmp_path):
    model = make(fastvec.SkipGram, min_count=4, keep=("rare",), drop=["often"]).fit(TEXT)
    model.save(tmp_path / "model.fvec")
    loaded = fastvec.load_model(tmp_path / "model.fvec")
    assert (loaded.keep, loaded.drop) == (["rare"], ["often"])
    for each in (model, loaded):
        each.fit([["rare", "often", "the", "seldom"], ["often"] * 9], update_vocabulary=True)
        assert each.vocabulary_.words == ["the", "cat", "sat", "on", "rare"]
    json.dumps(model.vectors_.metadata)


def test_words_of_a_set_are_kept_in_files_in_one_order(tmp_path):
    words = {f"w{i}" for i in range(20)}
    make(fastvec.SkipGram, keep=words, min_count=1).fit(TEXT).save(tmp_path / "model.fvec")
    assert fastvec.load_model(tmp_path / "model.fvec").keep == sorted(words)


def test_what_counts_say_of_their_text_does_not_depend_on_the_chosen_words():
    corpus = fastvec.Corpus(TEXT)
    counts = fastvec.Cooccurrence(min_count=1, drop=["the"]).fit(corpus)
    metadata = fastvec.GloVe(vector_size=2, epochs=1).fit(counts).vectors_.metadata
    assert metadata["corpora"] == [corpus.provenance]


def test_windows_of_one_size_have_more_pairs(tmp_path):
    pairs = {}
    for model in MODELS[:3]:
        for dynamic in (True, False):
            made = make(model, min_count=1, dynamic_window=dynamic, subsample=0).fit(TEXT)
            pairs[dynamic] = made.history_[0].pairs
        all_pairs = sum(min(i, 5) + min(len(s) - 1 - i, 5) for s in TEXT for i in range(len(s)))
        assert pairs[False] == (sum(map(len, TEXT)) if model is fastvec.CBOW else all_pairs)
        assert pairs[True] <= pairs[False]


def test_from_the_command_line(tmp_path, capsys):
    text, out = tmp_path / "text.txt", tmp_path / "out.fvec"
    text.write_text("\n".join(map(" ".join, TEXT)), encoding="utf-8")
    options = ["--min-count", "4", "--keep", "rug", "--drop", "the", "on", "--no-dynamic-window"]
    assert (
        cli.main(["train", str(text), "-o", str(out), "--vector-size", "4", "--epochs", "1", *options]) == 0
    )
    vectors = fastvec.load(out)
    assert vectors.words == ["cat", "sat", "rug"]
    assert not vectors.metadata["dynamic_window"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("the", "vocabulary must be a Vocabulary, a dict of words and counts or a list of words, got 'the'"),
        (7, "vocabulary must be a Vocabulary, a dict of words and counts or a list of words, got 7"),
        (
            b"the",
            "vocabulary must be a Vocabulary, a dict of words and counts or a list of words, got b'the'",
        ),
        ([], "vocabulary must have a word, got none"),
        (Vocabulary([], []), "vocabulary must have a word, got none"),
        (["the", ""], "vocabulary must have words that are not empty, got ''"),
        (["the", "mat", "the"], "vocabulary must have each word once, got 'the' twice"),
        ({"the": 3, "mat": 0}, "vocabulary must have counts >= 1, got 0 of 'mat'"),
        ({"the": 2.5}, "counts must be integers"),
        (["x", "y"], "(vocabulary|corpus) must have (a word of|words that)"),
    ],
)
def test_bad_vocabularies(given, message):
    for model in (make(fastvec.SkipGram), fastvec.Cooccurrence()):
        with pytest.raises((TypeError, ValueError), match=message):
            model.fit(TEXT, vocabulary=given)


@pytest.mark.parametrize("name", ["keep", "drop"])
@pytest.mark.parametrize("model", [*MODELS, fastvec.Cooccurrence])
def test_bad_words(model, name):
    for value in ("the", 3, iter(["the"]), np.array(["the"])):
        with pytest.raises(TypeError, match=f"{name} must be a list of words, got"):
            model(**{name: value}).fit(TEXT)
    with pytest.raises(TypeError, match=f"{name} must be a str or an int, got 2.5"):
        model(**{name: [2.5]}).fit(TEXT)


def test_no_word_left():
    with pytest.raises(ValueError, match="min_count=99, keep and drop leave no word of"):
        make(fastvec.SkipGram, min_count=99, drop=["the"]).fit(TEXT)
    model = fastvec.SkipGram(keep=[0, 1], vector_size=4, epochs=1).fit([[0, 1, 2], [1, 2]])
    assert model.vocabulary_.words == [1, 0]
