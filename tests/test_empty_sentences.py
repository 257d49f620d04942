"""Empty sentences that are kept: sentence i is line i, and nothing that is learned changes."""

import numpy as np
import pytest
from commands import succeed
from inside import set_sizes, write_text

from fastvec import CBOW, Cooccurrence, Corpus, FastText, SkipGram

pytestmark = pytest.mark.any_backend(trains=True)

WITH_EMPTY = [[], [], ["to", "be", "or"], [], ["not", "to", "be"], [], []]
TEXT = "\n  \nto be or\n\nnot to be\n\n\n"


@pytest.fixture
def text_file(file):
    return file(TEXT)


def test_sentence_i_is_line_i(text_file, tmp_path):
    for source in (WITH_EMPTY, iter(WITH_EMPTY), text_file):
        corpus = Corpus(source, keep_empty=True)
        assert list(corpus) == WITH_EMPTY
        assert corpus.sentence_offsets.tolist() == [0, 0, 0, 3, 3, 6, 6, 6]
    assert list(Corpus(text_file, keep_empty=True, tokenizer=str.split)) == WITH_EMPTY
    assert list(Corpus(text_file)) == list(Corpus(WITH_EMPTY)) == [["to", "be", "or"], ["not", "to", "be"]]
    last = tmp_path / "last.txt"
    last.write_text("\n\nnot")
    assert list(Corpus([last, text_file, last], keep_empty=True)) == [
        *([], [], ["not"]),
        *WITH_EMPTY,
        *([], [], ["not"]),
    ]


def test_there_may_be_no_words_then(tmp_path):
    path = tmp_path / "text.txt"
    for text, expected in (("", []), ("\n", [[]]), ("\n \n", [[], []])):
        path.write_text(text)
        for source in (path, expected):
            corpus = Corpus(source, keep_empty=True)
            assert (list(corpus), corpus.n_tokens, corpus.vocabulary.words) == (expected, 0, [])
    with pytest.raises(ValueError, match="leaves no word: the corpus has 0 distinct words"):
        SkipGram(min_count=1).fit(corpus)


@pytest.mark.parametrize("text", [TEXT, "", "\n\n"])
def test_a_cache_knows_whether_they_were_kept(text_file, tmp_path, text):
    text_file.write_text(text)
    cache, expected = tmp_path / "text.ids", list(Corpus(text_file, keep_empty=True))
    for _ in range(2):
        assert list(Corpus(text_file, keep_empty=True, cache=cache)) == expected
    if text == TEXT:
        assert list(Corpus(text_file, cache=cache)) == [line for line in expected if line]
        assert list(Corpus(text_file, keep_empty=True, cache=cache)) == expected


@pytest.mark.parametrize("chunk", [1, 2, 3, 1 << 18])
@pytest.mark.parametrize("sentences", [WITH_EMPTY, WITH_EMPTY[2:], WITH_EMPTY[:3], [[], []], []])
def test_texts_are_written_with_them(tmp_path, monkeypatch, backend, chunk, sentences):
    set_sizes(monkeypatch, words_written=chunk)
    monkeypatch.setenv("FASTVEC_BACKEND", backend)
    write_text(Corpus(sentences, keep_empty=True), str(tmp_path / "text"))
    assert (tmp_path / "text").read_text() == "".join(f"{' '.join(words)}\n" for words in sentences)


@pytest.mark.any_backend
def test_lines_of_files_stay_beside_those_of_others(tmp_path):
    text, joined = tmp_path / "text", tmp_path / "joined"
    text.write_text("\n" + "in new york\n\n" * 6)
    succeed("phrases", text, "-o", joined, "--threshold", "0.5", "--min-count", "1")
    assert joined.read_text() == "\n" + "in_new york\n\n" * 6


RANDOM = np.random.default_rng(0)
MANY = [[f"w{RANDOM.integers(20)}" for _ in range(max(0, RANDOM.integers(-4, 9)))] for _ in range(60)]
FIXED = {"vector_size": 8, "window": 3, "min_count": 1, "subsample": 0, "epochs": 2, "threads": 1}


@pytest.mark.parametrize(
    "model",
    [
        SkipGram(**FIXED),
        SkipGram(**FIXED, loss="hierarchical_softmax"),
        SkipGram(**FIXED, loss="softmax"),
        CBOW(**FIXED),
        FastText(**FIXED, buckets=50),
    ],
    ids=repr,
)
def test_models_learn_the_same_bits(monkeypatch, backend, model):
    monkeypatch.setenv("FASTVEC_BACKEND", backend)
    set_sizes(monkeypatch, words_chunk=17)
    learned = [
        type(model)(**model.get_params()).fit(Corpus(MANY, keep_empty=kept)).vectors_.vectors
        for kept in (False, True)
    ]
    np.testing.assert_array_equal(*learned)


def test_counts_are_the_same(monkeypatch):
    set_sizes(monkeypatch, counted_chunk=17)
    skipped, kept = (
        Cooccurrence(min_count=1, threads=2).fit(Corpus(MANY, keep_empty=kept)) for kept in (False, True)
    )
    assert kept.vocabulary_.words == skipped.vocabulary_.words
    for one, other in zip(skipped.triples(), kept.triples(), strict=True):
        np.testing.assert_array_equal(one, other)
