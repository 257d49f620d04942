"""Phrases: the kernels against their reference, the estimator against plain Python and against gensim."""

import collections
import gzip
import importlib.util
import itertools
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inside import set_sizes
from interrupts import can_be_interrupted, interrupt_at
from peers import gensim_phrases
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from fastvec import Cooccurrence, Corpus, Phrases, kernels

pytestmark = pytest.mark.any_backend

CITIES = [["in", "new", "york"], ["from", "new", "york"], ["a", "new", "car"], ["in", "a", "car"]] * 5


# Plain Python


def score_word2phrase(left, right, pair, total, min_count):
    return (pair - min_count) / (left * right) * total


def score_npmi(left, right, pair, total, min_count):
    return math.log(pair / (left * right) * total) / -math.log(pair / total)


SCORES = {"word2phrase": score_word2phrase, "npmi": score_npmi}


def join_plainly(sentences, min_count, threshold, scoring, delimiter="_"):
    """Return the sentences after one pass, and the pairs that it joins."""
    words = collections.Counter(itertools.chain(*sentences))
    pairs = collections.Counter(pair for sentence in sentences for pair in itertools.pairwise(sentence))
    total = sum(words.values())
    found = {}
    for (a, b), count in pairs.items():
        if count >= min_count:
            score = SCORES[scoring](words[a], words[b], count, total, min_count)
            if score > threshold:
                found[a, b] = score
    joined = []
    for sentence in sentences:
        rest, new = list(sentence), []
        while rest:
            taken = 2 if tuple(rest[:2]) in found else 1
            new.append(delimiter.join(rest[:taken]))
            del rest[:taken]
        joined.append(new)
    return joined, found


def check_invariants(corpus, sentences):
    """Hold every public part of a corpus against sentences, written with lists and a Counter."""
    by_frequency = collections.Counter(itertools.chain(*sentences)).most_common()
    assert list(corpus) == sentences
    assert corpus.vocabulary.words == [word for word, _ in by_frequency]
    assert corpus.vocabulary.counts.tolist() == [count for _, count in by_frequency]
    assert corpus.n_tokens == corpus.vocabulary.total
    assert corpus.ids.dtype == np.int32
    assert not corpus.ids.flags.writeable
    assert corpus.sentence_offsets.dtype == np.int64
    assert not corpus.sentence_offsets.flags.writeable
    assert corpus.sentence_offsets[0] == 0
    assert corpus.sentence_offsets[-1] == corpus.n_tokens


# Words that are, or become, other words of the text when they are joined.
WORDS = st.sampled_from(["a", "b", "c", "a_b", "b_c", "ä"])
SENTENCES = st.lists(st.lists(WORDS, max_size=12), min_size=1, max_size=12).filter(any)


@settings(deadline=None)
@given(
    sentences=SENTENCES,
    min_count=st.integers(1, 3),
    scoring_and_threshold=st.tuples(st.just("word2phrase"), st.floats(0, 3))
    | st.tuples(st.just("npmi"), st.floats(-1, 1)),
    passes=st.integers(1, 3),
    chunk=st.integers(1, 40),
    backend=st.sampled_from(kernels.available()),
)
def test_equals_plain_python(sentences, min_count, scoring_and_threshold, passes, chunk, backend):
    scoring, threshold = scoring_and_threshold
    with pytest.MonkeyPatch.context() as patch:
        set_sizes(patch, phrases_chunk=chunk)
        patch.setenv("FASTVEC_BACKEND", backend)
        phrases = Phrases(min_count=min_count, threshold=threshold, scoring=scoring, passes=passes)
        corpus = Corpus(sentences, keep_empty=True)
        joined = phrases.fit_transform(corpus)
        expected, pairs = sentences, []
        for _ in range(passes):
            expected, found = join_plainly(expected, min_count, threshold, scoring)
            if not found:
                break
            pairs.append(pytest.approx(found))
        assert phrases.pairs_ == pairs
        check_invariants(joined, expected)
        assert list(phrases.transform(corpus)) == list(phrases.fit(corpus).transform(sentences)) == expected


# gensim


@pytest.fixture(scope="module")
def natural_text():
    """The beginning of Simple English Wikipedia as natural text, in lower case."""
    folder = Path(os.environ.get("FASTVEC_DATA", Path(__file__).parents[2] / "shared" / "data"))
    path = folder / "corpus" / "simplewiki-raw-sample.txt.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not in {folder} (FASTVEC_DATA)")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = itertools.islice(file, 2000)
        # gensim mistakes a pair for a word that is spelled like it: no word may have an underscore.
        return [words for line in lines if (words := line.lower().replace("_", " ").split())]


@pytest.fixture(scope="module")
def prose():
    """Text with phrases of two and three words, for where there is no natural one."""
    random = np.random.default_rng(5)
    words = [f"w{i}" for i in range(200)]
    phrases = [["new", "york"], ["new", "york", "city"], ["los", "angeles"], ["the", "new", "w3"]]
    sentences = []
    for _ in range(3000):
        sentence = [words[int(200 * random.random() ** 3)] for _ in range(random.integers(1, 12))]
        if random.random() < 0.3:
            at = random.integers(0, len(sentence) + 1)
            sentence[at:at] = phrases[random.integers(len(phrases))]
        sentences.append(sentence)
    return sentences


@pytest.fixture(params=["prose", "natural_text"])
def sentences(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(("scoring", "threshold"), [("word2phrase", 7.3), ("npmi", 0.437)])
def test_equals_gensim(sentences, scoring, threshold):
    theirs = gensim_phrases.Phrases(
        sentences, min_count=4, threshold=threshold, scoring={"word2phrase": "default"}.get(scoring, scoring)
    )
    corpus = Corpus(sentences)
    if scoring == "word2phrase":
        threshold *= corpus.n_tokens / len(theirs.vocab)
    ours = Phrases(min_count=4, threshold=threshold, scoring=scoring)
    joined = ours.fit_transform(corpus)
    expected = theirs.export_phrases()
    assert len(expected) >= 3
    per_score = corpus.n_tokens / len(theirs.vocab) if scoring == "word2phrase" else 1
    scores = {phrase: score * per_score for phrase, score in expected.items()}
    assert ours.phrases_ == pytest.approx(scores, rel=1e-12)
    check_invariants(joined, list(theirs.freeze()[sentences]))


def test_two_passes_equal_gensim_twice(sentences):
    def twice(delimiters):
        text = sentences
        for delimiter in delimiters:
            text = list(
                gensim_phrases.Phrases(text, min_count=5, threshold=0.5, scoring="npmi", delimiter=delimiter)[
                    text
                ]
            )
        return text

    # With two delimiters gensim does not take a pair of words for a phrase of the first pass.
    expected = [[word.replace("\x01", "_") for word in sentence] for sentence in twice(["_", "\x01"])]
    ours = Phrases(scoring="npmi", passes=2).fit_transform(sentences)
    assert list(ours) == expected
    assert any(word.count("_") == 2 for word in ours.vocabulary)


# What becomes of a text


def test_scores_must_be_above_the_threshold():
    text = [["a", "b"]] * 4  # (4 - 2) / (4 · 4) · 8 = 1
    assert Phrases(min_count=2, threshold=1).fit(text).phrases_ == {}
    assert Phrases(min_count=2, threshold=0.999).fit(text).phrases_ == {"a_b": 1.0}


def test_the_thresholds_by_default():
    rare = [["rare", "pair"]] * 10 + [[f"w{i}"] for i in range(500)]
    # (10 − 5) / (10 · 10) · 520 = 26, and (10 − 1) / (10 · 10) · 520 = 46.8
    assert Phrases().fit(rare).phrases_ == {}
    assert Phrases(threshold=25.9).fit(rare).phrases_ == {"rare_pair": pytest.approx(26)}
    more = rare + [[f"v{i}"] for i in range(2000)]
    assert Phrases().fit(more).phrases_ == {"rare_pair": pytest.approx(126)}
    assert Phrases(scoring="npmi").fit(rare).phrases_ == {"rare_pair": pytest.approx(1)}
    assert Phrases(scoring="npmi", min_count=11).fit(rare).phrases_ == {}


def test_pairs_are_taken_from_left_to_right():
    sentences = [["a", "b"], ["b", "c"], ["c", "a"]] * 10 + [
        ["a", "b", "c", "a", "b"],
        ["b", "c", "a", "b", "c"],
    ]
    joined = Phrases(min_count=1, threshold=0).fit_transform(sentences)
    assert list(joined)[-2:] == [["a_b", "c_a", "b"], ["b_c", "a_b", "c"]]
    assert list(Phrases(min_count=1, threshold=0).fit_transform([["x"] * 5] * 3)) == [["x_x", "x_x", "x"]] * 3


def test_pairs_do_not_reach_over_the_end_of_a_sentence():
    sentences = [["new"], ["york"]] * 50
    assert list(Phrases(min_count=1, threshold=0).fit_transform(sentences)) == sentences


def test_passes_make_longer_phrases():
    sentences = [["in", "new", "york", "city", "hall"], ["the", "city"], ["the", "hall"], ["a", "b"]] * 20
    lengths = {}
    for passes in (1, 2, 3):
        phrases = Phrases(threshold=1, passes=passes)
        joined = phrases.fit_transform(sentences)
        lengths[passes] = max(word.count("_") for word in joined.vocabulary) + 1
        assert len(phrases.pairs_) == passes
        assert list(phrases.transform(sentences)) == list(joined)
    assert lengths == {1: 2, 2: 4, 3: 5}
    assert len(Phrases(threshold=1, passes=50).fit(sentences).pairs_) == 3


def test_a_phrase_that_is_a_word_already_is_that_word():
    sentences = [["new", "york"], ["new_york", "x"], ["new_york"], ["x"]] * 6
    joined = Phrases(threshold=0.5).fit_transform(sentences)
    check_invariants(joined, [["new_york"], ["new_york", "x"], ["new_york"], ["x"]] * 6)
    assert joined.vocabulary.words == ["new_york", "x"]


def test_phrases_of_two_pairs_that_are_spelled_alike():
    sentences = [["a", "b_c"], ["a_b", "c"], ["x"], ["y"]] * 6
    phrases = Phrases(threshold=0.5)
    check_invariants(phrases.fit_transform(sentences), [["a_b_c"], ["a_b_c"], ["x"], ["y"]] * 6)
    assert set(phrases.pairs_[0]) == {("a", "b_c"), ("a_b", "c")}
    assert set(phrases.phrases_) == {"a_b_c"}


def test_other_letters_other_delimiters_and_numbers():
    sentences = [["größe", "東京"], [7, 12], ["größe"], [12]] * 9
    joined = Phrases(threshold=1, delimiter="·∘").fit_transform(sentences)
    check_invariants(joined, [["größe·∘東京"], ["7·∘12"], ["größe"], ["12"]] * 9)


def test_another_text_is_joined_by_what_was_found():
    phrases = Phrases(threshold=1).fit(CITIES)
    other = Corpus([["new", "york", "new", "unheard"], ["york", "new"]])
    check_invariants(phrases.transform(other), [["new_york", "new", "unheard"], ["york", "new"]])
    nothing = Corpus([["york", "in"], ["car"]])
    assert phrases.transform(nothing) is nothing


def test_a_text_without_pairs_has_no_phrases():
    phrases = Phrases(min_count=1, threshold=0)
    corpus = Corpus([["a"], ["b"], ["a"]])
    assert phrases.fit_transform(corpus) is corpus
    assert (phrases.phrases_, phrases.pairs_) == ({}, [])
    assert Phrases(min_count=9).fit(corpus).pairs_ == []


def test_the_corpus_stays_as_it_is():
    corpus = Corpus(CITIES)
    before = corpus.ids.copy()
    Phrases(threshold=1, passes=2).fit_transform(corpus)
    np.testing.assert_array_equal(corpus.ids, before)
    check_invariants(corpus, CITIES)


def test_phrases_and_counts_are_steps_of_a_pipeline():
    pipeline = make_pipeline(Phrases(threshold=1), Cooccurrence(min_count=1))
    pipeline = clone(pipeline).fit(CITIES, range(len(CITIES)))
    expected = Cooccurrence(min_count=1).fit(Phrases(threshold=1).fit_transform(CITIES))
    assert "new_york" in pipeline[-1].vocabulary_
    assert (pipeline[-1].units_ == expected.units_).all()
    assert list(pipeline[:-1].transform(CITIES)) == list(Phrases(threshold=1).fit_transform(CITIES))


def test_the_best_phrase_is_first():
    phrases = Phrases(threshold=0.1, min_count=1).fit(CITIES).phrases_
    assert list(phrases.values()) == sorted(phrases.values(), reverse=True)
    assert next(iter(phrases)) == "new_york"


def test_a_memory_mapped_corpus_is_joined_into_one(tmp_path, monkeypatch, prose):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    set_sizes(monkeypatch, phrases_chunk=1000)
    text = tmp_path / "text"
    text.write_text("".join(f"{' '.join(sentence)}\n" for sentence in prose))
    mapped, in_memory = (
        Phrases(threshold=10, passes=2, memory_limit=limit).fit_transform(text) for limit in (1, 2**30)
    )
    assert isinstance(mapped.ids, np.memmap)
    assert not isinstance(in_memory.ids, np.memmap)
    check_invariants(mapped, list(in_memory))
    del mapped
    assert [entry.name for entry in tmp_path.iterdir()] == ["text"]


# Parameters, progress, interruption


def test_what_was_not_fitted_cannot_be_used(tmp_path):
    phrases = Phrases(passes=2)
    message = re.escape("phrases must be found first: call fit on Phrases(passes=2)")
    with pytest.raises(ValueError, match=message):
        phrases.transform(CITIES)
    with pytest.raises(ValueError, match=message):
        phrases.save(tmp_path / "phrases.json")
    assert not list(tmp_path.iterdir())


def test_progress_of_every_pass(capsys):
    Phrases(threshold=1, passes=2, progress=True).fit_transform(CITIES)
    shown = capsys.readouterr().err
    for what in ("reading", "counting pairs, pass 1/2", "joining, pass 1/2", "counting pairs, pass 2/2"):
        assert what in shown
    Phrases(threshold=1).fit_transform(CITIES)
    assert capsys.readouterr().err == ""


@can_be_interrupted
@pytest.mark.parametrize(("name", "method"), [("PairCounter", "add"), ("Joiner", "join")])
def test_control_c_is_answered_and_leaves_what_was_there(monkeypatch, name, method):
    phrases = Phrases(threshold=1).fit(CITIES)
    before = phrases.phrases_
    kernel = kernels.get("phrases")
    watched = type(name, (getattr(kernel, name),), {})
    monkeypatch.setattr(kernel, name, watched)
    set_sizes(monkeypatch, phrases_chunk=6)  # of 60 words
    calls = interrupt_at(monkeypatch, watched, method, 3, None)
    with pytest.raises(KeyboardInterrupt):
        phrases.fit_transform(CITIES)
    assert len(calls) == 3
    assert phrases.phrases_ is before


# What belongs to documents, labels for instance, stays beside them


def test_empty_documents_are_kept(tmp_path):
    phrases = Phrases(threshold=1, passes=2).fit(CITIES)
    documents = [[], ["in", "new", "york"], [], [], ["car"], []]
    expected = [[], ["in", "new_york"], [], [], ["car"], []]
    assert list(phrases.transform(documents)) == expected
    assert list(phrases.transform(iter(documents[:-1]))) == expected[:-1]
    assert list(phrases.transform([["no", "phrase"], []])) == [["no", "phrase"], []]
    assert list(phrases.fit_transform([[], *CITIES, []]))[:2] == [[], ["in", "new_york"]]
    assert list(phrases.transform([])) == [] and list(phrases.transform([[], []])) == [[], []]
    path = tmp_path / "text"
    path.write_text("\nin new york\n\n \ncar\n\n")
    assert list(phrases.transform(path)) == expected
    assert list(phrases.transform(Corpus(documents))) == [["in", "new_york"], ["car"]]


@pytest.mark.parametrize("corpus", [[], [[], []]])
def test_phrases_are_of_words(corpus):
    for learn in (Phrases().fit, Phrases().fit_transform):
        with pytest.raises(ValueError, match="corpus must have words in which to find phrases, got none"):
            learn(corpus)


# Connectors, other scores, one sentence

TRAVELS = [
    *[["the", "bank", "of", "america", "is", "open"], ["a", "bank", "of", "the", "river"]] * 4,
    *[["lack", "of", "interest"], ["of", "america"], ["america", "of"], ["new", "york", "of", "america"]] * 3,
]


def test_connectors_are_within_phrases_alone():
    phrases = Phrases(min_count=2, threshold=0.5, connector_words=Phrases.ENGLISH_CONNECTOR_WORDS).fit(
        TRAVELS
    )
    found = set(phrases.phrases_)
    assert {"bank_of_america", "lack_of_interest", "bank_of_the_river", "new_york"} <= found
    assert not any({phrase.split("_")[0], phrase.split("_")[-1]} & {"a", "the", "of"} for phrase in found)
    expected = [phrases.join(sentence) for sentence in TRAVELS]
    assert list(phrases.transform(TRAVELS)) == list(phrases.fit_transform(TRAVELS)) == expected
    assert expected[0][:2] == ["the", "bank_of_america"]
    assert phrases.join(["bank", "of", "the", "new", "york"]) == ["bank", "of", "the", "new_york"]
    assert phrases.join(["bank", "of", "the"]) == ["bank", "of", "the"]


def test_connectors_are_kept_in_files(tmp_path):
    phrases = Phrases(min_count=3, threshold=0.5, passes=2, connector_words=["of", "the"]).fit(TRAVELS)
    phrases.save(tmp_path / "phrases.json")
    loaded = Phrases.load(tmp_path / "phrases.json")
    assert loaded.pairs_ == phrases.pairs_
    assert loaded.connector_words == ("of", "the")
    assert [loaded.join(sentence) for sentence in TRAVELS] == list(phrases.transform(TRAVELS))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("of", "connector_words must be a list of words, got 'of'"),
        ([1], "connector_words must be a list of words, got 1 in it"),
        (3, "connector_words must be a list of words, got 3"),
    ],
)
def test_connectors_that_are_no_words(words, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        Phrases(connector_words=words).fit(TRAVELS)


def test_one_sentence():
    phrases = Phrases(threshold=1, passes=2).fit(CITIES)
    for sentence in (
        [],
        ["in"],
        ("in", "new", "york"),
        ["new", "york", "new", "york"],
        [*CITIES[0], *CITIES[1]],
    ):
        (expected,) = phrases.transform([list(sentence)])
        assert phrases.join(sentence) == expected
    assert phrases.join([7, "new", "york"]) == ["7", "new_york"]
    with pytest.raises(TypeError, match=r"sentence must be a list of words, got 'new york', .*split\(\)"):
        phrases.join("new york")
    with pytest.raises(TypeError, match=r"every item of sentence must be a str or an int, got 1\.5"):
        phrases.join([1.5])
    with pytest.raises(ValueError, match="call fit"):
        Phrases().join(["a"])
    with pytest.raises(TypeError, match=r"phrases\.join\(sentence\), or phrases\.transform\(corpus\)"):
        phrases[["new", "york"]]
    before = phrases.join(["in", "new", "york"])
    assert phrases.set_params(min_count=50).fit(CITIES).join(["in", "new", "york"]) != before


def test_a_score_of_one_s_own(tmp_path):
    asked = []

    def scoring(**counts):
        asked.append(counts)
        return counts["bigram_count"]

    phrases = Phrases(min_count=3, threshold=3.5, scoring=scoring).fit(
        [["a", "b", "c"]] * 3 + [["a", "b"], ["d"]]
    )
    assert phrases.phrases_ == {"a_b": 4}
    assert asked[0] == {
        "worda_count": 4,
        "wordb_count": 4,
        "bigram_count": 4,
        "len_vocab": 6,
        "min_count": 3,
        "corpus_word_count": 12,
    }
    phrases.save(tmp_path / "phrases.json")
    assert Phrases.load(tmp_path / "phrases.json").join(["a", "b"]) == ["a_b"]
    counts = Cooccurrence(min_count=1).fit(phrases.transform([["a", "b", "c"]] * 3))
    counts.save(tmp_path / "counts")  # with the parameters of phrases, as far as files can have them
    assert Cooccurrence.load(tmp_path / "counts").vocabulary_.words == ["a_b", "c"]
    with pytest.raises(
        TypeError, match=r"^threshold, with a callable as scoring, must be a finite number, got None"
    ):
        Phrases(scoring=scoring).fit(CITIES)


@pytest.mark.skipif(importlib.util.find_spec("gensim") is None, reason="needs gensim")
@pytest.mark.parametrize("scoring", ["default", "npmi"])
def test_the_phrases_of_gensim(scoring, prose):
    from gensim.models.phrases import ENGLISH_CONNECTOR_WORDS
    from gensim.models.phrases import Phrases as OfGensim

    assert set(Phrases.ENGLISH_CONNECTOR_WORDS) == ENGLISH_CONNECTOR_WORDS
    spelled = {"w0": "of", "w1": "the", "w2": "and"}
    text = [[spelled.get(word, word) for word in sentence] for sentence in prose]
    text += [["bank", "of", "america"], ["w7", "lack", "of", "the", "interest"]] * 20
    threshold = {"default": 1.0, "npmi": 0.2}[scoring]
    theirs = OfGensim(
        text, min_count=3, threshold=threshold, scoring=scoring, connector_words=ENGLISH_CONNECTOR_WORDS
    )
    connectors = sorted(ENGLISH_CONNECTOR_WORDS)
    converted = Phrases.threshold_from_gensim(threshold, text, scoring=scoring, connector_words=connectors)
    ours = Phrases(
        min_count=3,
        threshold=converted,
        scoring=scoring.replace("default", "word2phrase"),
        connector_words=connectors,
    ).fit(text)
    assert set(ours.phrases_) == set(theirs.export_phrases())
    assert sum(phrase.count("_") > 1 for phrase in ours.phrases_) > 0
    assert [ours.join(sentence) for sentence in text[:500]] == [theirs[sentence] for sentence in text[:500]]
