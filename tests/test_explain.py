"""Explanations say of a text, and of vectors, what can be counted in them by hand."""

import dataclasses
import json
import math
import re

import numpy as np
import pytest

import fastvec

pytestmark = pytest.mark.any_backend(trains=True)

TEXT = [
    ["the", "old", "king", "rules", "the", "land"],
    ["the", "old", "queen", "rules", "the", "sea"],
    ["a", "red", "car", "drives", "on", "the", "road"],
    ["the", "king", "met", "the", "queen"],
    ["a", "blue", "car", "stops"],
    ["king", "and", "land", "and", "sea", "and", "queen"],
]
WINDOW = 2


def vectors_of(words, **metadata):
    generator = np.random.default_rng(1)
    return fastvec.Vectors(words, generator.normal(size=(len(words), 6)), metadata=metadata)


@pytest.fixture(scope="module")
def vectors():
    words = list(dict.fromkeys(word for sentence in TEXT for word in sentence))
    return vectors_of(words, window=WINDOW, dynamic_window=False)


def information(text, window, smoothing=0.75):
    """PPMI of all pairs, counted naively."""
    counts = {}
    for sentence in text:
        for i, word in enumerate(sentence):
            for j in range(max(0, i - window), min(len(sentence), i + window + 1)):
                if i != j:
                    counts[word, sentence[j]] = counts.get((word, sentence[j]), 0) + 1
    words = {word for word, _ in counts}
    of_word = {word: sum(n for (w, _), n in counts.items() if w == word) for word in words}
    of_context = {word: sum(n for (_, c), n in counts.items() if c == word) ** smoothing for word in words}
    total = sum(of_context.values())
    return counts, {
        (word, context): max(0, math.log(n * total / of_word[word] / of_context[context]))
        for (word, context), n in counts.items()
    }


def test_dimensions_are_the_parts_of_the_cosine(vectors):
    found = fastvec.explain(vectors, "king", "queen")
    assert found.cosine == pytest.approx(vectors.similarity("king", "queen"), abs=1e-6)
    assert sum(each.part for each in found.dimensions) == pytest.approx(found.cosine)
    assert sorted(each.dimension for each in found.dimensions) == list(range(6))
    sizes = [abs(each.part) for each in found.dimensions]
    assert sizes == sorted(sizes, reverse=True)
    for each in found.dimensions:
        king, queen = (vectors[word] / np.linalg.norm(vectors[word]) for word in ("king", "queen"))
        assert each.values == pytest.approx((king[each.dimension], queen[each.dimension]))
    assert (found.window, found.contexts, found.sentences) == (None, (), ())


def test_shared_contexts_are_those_of_ppmi(vectors):
    found = fastvec.explain(vectors, "king", "queen", TEXT, topn=100)
    counts, ppmi = information(TEXT, WINDOW)
    words = {word for word, _ in counts}
    rows = {name: np.array([ppmi.get((name, word), 0) for word in sorted(words)]) for name in found.words}
    lengths = np.linalg.norm(rows["king"]) * np.linalg.norm(rows["queen"])
    assert found.context_cosine == pytest.approx(rows["king"] @ rows["queen"] / lengths)
    shared = {word for word in words if ppmi.get(("king", word)) and ppmi.get(("queen", word))}
    assert {context.word for context in found.contexts} == shared
    assert found.n_shared == len(shared) > 2
    for context in found.contexts:
        assert context.counts == tuple(counts[name, context.word] for name in found.words)
        assert context.ppmi == pytest.approx([ppmi[name, context.word] for name in found.words])
        assert context.part == pytest.approx(np.prod(context.ppmi) / lengths)
    assert fastvec.explain(vectors, "king", "queen", TEXT, topn=2).contexts == found.contexts[:2]


def test_sentences_show_both_words_and_then_shared_contexts(vectors):
    corpus = fastvec.Corpus(TEXT)
    found = fastvec.explain(vectors, "king", "queen", corpus, sentences=3, window=3)
    assert found.sentences[0].sentence == 3
    assert found.sentences[0].words == ("the", "king", "met", "the", "queen")
    assert found.sentences[0].places == (1, 4)
    # in the last sentence, they are too far from each other
    assert 5 not in [quotation.sentence for quotation in found.sentences if set(quotation.places) == {0, 6}]
    for quotation, word in zip(found.sentences[1:], found.words, strict=True):
        shown = [quotation.words[place] for place in quotation.places]
        assert shown == [word, found.contexts[0].word]
    for quotation in found.sentences:
        ids = corpus.ids[quotation.offset : quotation.offset + len(quotation.words)]
        assert tuple(corpus.vocabulary.words[i] for i in ids) == quotation.words
        begin, end = corpus.sentence_offsets[quotation.sentence : quotation.sentence + 2]
        assert begin <= quotation.offset < quotation.offset + len(quotation.words) <= end
    assert fastvec.explain(vectors, "king", "queen", corpus, sentences=0).sentences == ()


def test_windows_reach_across_words_without_vectors():
    text = [["king", "x", "y", "z", "queen"], ["king", "queen"], ["red", "car", "red", "car"]] * 2
    known = vectors_of(["king", "queen", "red", "car"], window=1, dynamic_window=False)
    found = fastvec.explain(known, "king", "queen", text)
    assert [quotation.sentence for quotation in found.sentences] == [1, 4, 0, 3]
    assert not fastvec.explain(known, "king", "car", text).sentences


@pytest.mark.parametrize(
    ("metadata", "window", "weighting"),
    [
        ({}, 5, "dynamic"),
        ({"window": 3, "dynamic_window": True}, 3, "dynamic"),
        ({"window": 3, "dynamic_window": False}, 3, "flat"),
        ({"window": 7, "weighting": "harmonic", "symmetric": True}, 7, "harmonic"),
    ],
)
def test_windows_are_those_of_the_training(metadata, window, weighting):
    words = vectors_of(["king", "queen", "the"], **metadata)
    found = fastvec.explain(words, "king", "queen", TEXT)
    assert (found.window, found.weighting) == (window, weighting)
    assert fastvec.explain(words, "king", "queen", TEXT, window=2).window == 2


def test_windows_to_the_left_have_quotations_to_the_left():
    text = [["old", "king"], ["old", "queen"], ["queen", "old"], ["king", "old"], ["a", "car"]] * 2
    left = vectors_of(["old", "king", "queen", "a", "car"], window=2, weighting="flat", symmetric=False)
    found = fastvec.explain(left, "king", "queen", text)
    assert [quotation.sentence for quotation in found.sentences] == [0, 1]
    assert [quotation.places for quotation in found.sentences] == [(1, 0), (1, 0)]


def test_counts_stand_in_for_a_text(vectors):
    counts = fastvec.Cooccurrence(window=WINDOW, weighting="flat", min_count=1).fit(TEXT)
    of_counts = fastvec.explain(vectors, "king", "queen", counts)
    of_text = fastvec.explain(vectors, "king", "queen", TEXT)
    assert of_counts == dataclasses.replace(of_text, sentences=())


def test_glove_shows_the_entries_it_has_fitted():
    counts = fastvec.Cooccurrence(window=WINDOW, min_count=1).fit(TEXT)
    model = fastvec.GloVe(vector_size=4, epochs=300, x_max=5, alpha=0.5, threads=1).fit(counts)
    found = fastvec.explain(model, "king", "queen", counts, topn=3)
    pairs = [(entry.word, entry.context) for entry in found.entries]
    assert pairs[:2] == [("king", "queen"), ("queen", "king")] or counts["king", "queen"] == 0
    assert {("king", context.word) for context in found.contexts} <= {*pairs}
    index = model.vocabulary_.index
    for entry in found.entries:
        assert entry.count == counts[entry.word, entry.context] > 0
        assert entry.logarithm == math.log(entry.count)
        i, j = index[entry.word], index[entry.context]
        product = model.word_vectors_[i] @ model.context_vectors_[j]
        assert entry.fitted == pytest.approx(
            product + model.word_biases_[i] + model.context_biases_[j], rel=1e-5
        )
        assert entry.weight == pytest.approx(min(1, entry.count / 5) ** 0.5)
        assert entry.fitted == pytest.approx(entry.logarithm, abs=0.5)  # it was fitted
    assert fastvec.explain(model.vectors_, "king", "queen", counts).entries == ()


def test_words_of_ngrams_alone_are_explained():
    model = fastvec.FastText(vector_size=4, min_count=3, buckets=50, epochs=1).fit(TEXT)
    assert "queen" in model.vectors_.words and "met" not in model.vectors_.words
    found = fastvec.explain(model, "queen", "met", TEXT)
    assert [quotation.sentence for quotation in found.sentences][:1] == [3]


def test_an_explanation_prints_well(vectors):
    shown = str(fastvec.explain(vectors, "king", "queen", TEXT, topn=2, sentences=1, window=3))
    cosine = vectors.similarity("king", "queen")
    assert shown.startswith(f"king and queen: cosine {cosine:.3f}\n")
    assert "shared contexts in windows of 3, flat weights: cosine of PPMI 0." in shown
    assert "sentence 3: the [king] met the [queen]\n" in shown
    assert re.search(r"^dimension +king +queen +part$", shown, re.MULTILINE)
    alone = str(fastvec.explain(vectors, "king", "car", TEXT, window=1, topn=1))
    assert "0 shared contexts in windows of 1" in alone


@pytest.mark.parametrize(
    ("arguments", "params", "error", "message"),
    [
        (("kign", "queen"), {}, fastvec.UnknownWordError, "'kign' is not among the .* 'king'"),
        (("king", 1.5), {}, TypeError, "b must be"),
        (("king", "queen"), {"topn": 0}, ValueError, "topn must be an int >= 1, got 0"),
        (("king", "queen"), {"sentences": -1}, ValueError, "sentences must be an int >= 0, got -1"),
        (("king", "queen"), {"window": 0}, ValueError, "window must be an int from 1 to 1000, got 0"),
        (("king", "queen", [["x"]]), {}, ValueError, "vocabulary must have a word of"),
    ],
)
def test_bad_input_is_named(vectors, arguments, params, error, message):
    with pytest.raises(error, match=message):
        fastvec.explain(vectors, *arguments, **params)


def test_what_has_no_vectors_is_refused():
    with pytest.raises(TypeError, match="vectors must be Vectors or a fitted estimator"):
        fastvec.explain("wiki.fvec", "king", "queen")
    counts = fastvec.Cooccurrence(min_count=1).fit([["a", "b"]])
    with pytest.raises(fastvec.UnknownWordError, match="'king' is not among the 2 words"):
        fastvec.explain(vectors_of(["king", "queen"]), "king", "queen", counts)


def test_the_command_explains(tmp_path, shown):
    text, path, counts = (tmp_path / name for name in ("t.txt", "g.fvec", "c.fvcounts"))
    text.write_text("".join(f"{' '.join(sentence)}\n" for sentence in TEXT), encoding="utf-8")
    model = fastvec.GloVe(vector_size=4, epochs=2, window=3, min_count=1).fit(TEXT)
    model.save(path)
    arguments = ("explain", path, "king", "queen", "--text", text, "-q", "--sentences", 1)
    expected = fastvec.explain(model, "king", "queen", TEXT, sentences=1)
    assert shown(*arguments)[1] == f"{expected}\n"
    document = json.loads(shown(*arguments, "--json")[1])
    assert document == json.loads(json.dumps(dataclasses.asdict(expected)))
    assert document["entries"]
    fastvec.Cooccurrence(window=3, min_count=1).fit(TEXT).save(counts)
    of_counts = json.loads(shown("explain", path, "king", "queen", "--counts", counts, "--json")[1])
    assert of_counts == {**document, "sentences": []}
    model.vectors_.save(path)
    assert json.loads(shown(*arguments, "--json")[1]) == {**document, "entries": []}
    status, _, errors = shown(*arguments, "--counts", counts)
    assert status == 2 and "--text and --counts must not be given both" in errors
