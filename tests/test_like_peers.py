"""What vocabularies, files and vectors become here is what they become in gensim and fastText."""

import bz2
from collections import Counter

import numpy as np
import pytest
from peers import GensimWord2Vec, KeyedVectors, fasttext, gensim_phrases, gensim_word2vec

import fastvec

pytestmark = pytest.mark.any_backend(trains=True)

TEXT = [line.split() for line in ("a b c d e", "a b c d", "a b c", "a b é", "a f g f")] * 3
MORE = [["a", "new", "new", "new"], ["new", "b", "once"]]
SMALL = {"vector_size": 10, "epochs": 1, "threads": 1}
GENSIM = {"vector_size": 10, "epochs": 1, "workers": 1, "sg": 1, "sorted_vocab": 1}


def counts_of(model):
    if isinstance(model, fastvec.SkipGram):
        return dict(zip(model.vectors_.words, model.vectors_.counts.tolist(), strict=True))
    return {word: model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key}


def gensim_vocabulary(text=TEXT, trim_rule=None, **options):
    model = GensimWord2Vec(**GENSIM | options)
    model.build_vocab(text, trim_rule=trim_rule)
    return model


@pytest.fixture
def path(tmp_path):
    (tmp_path / "text.txt").write_text("".join(f"{' '.join(words)}\n" for words in TEXT), encoding="utf-8")
    return tmp_path / "text.txt"


# ---- texts and vocabularies --------------------------------------------------------------------------------


def test_open_and_compressed_files_and_folders_have_the_same_sentences(path):
    packed = path.with_suffix(".txt.bz2")
    packed.write_bytes(bz2.compress(path.read_bytes()))
    with bz2.open(packed) as theirs, bz2.open(packed) as ours:
        expected = [*gensim_word2vec.LineSentence(theirs)]
        assert [*fastvec.Corpus(ours)] == expected == [*fastvec.Corpus(packed)] == TEXT
    assert [*fastvec.Corpus(path.parent)] == [*gensim_word2vec.PathLineSentences(str(path.parent))]


@pytest.mark.parametrize("least", [1, 4, 7])
def test_the_same_words_are_kept(least):
    model = fastvec.SkipGram(**SMALL, min_count=least).fit(TEXT)
    assert counts_of(model) == counts_of(gensim_vocabulary(min_count=least))


def test_as_many_words_are_kept():
    """gensim raises the least count until there are few enough; of words as frequent we keep the first."""
    ours = counts_of(fastvec.SkipGram(**SMALL, min_count=1, max_vocab=4).fit(TEXT))
    theirs = counts_of(gensim_vocabulary(min_count=1, max_final_vocab=4))
    assert theirs.items() <= ours.items()
    assert len(ours) == 4 and len(theirs) == 3  # d and f stand six times each


def test_words_that_are_kept_and_dropped_are_those_of_a_trim_rule():
    utils = pytest.importorskip("gensim.utils", reason="gensim is not installed")
    rules = {"g": utils.RULE_KEEP, "b": utils.RULE_DISCARD}
    theirs = gensim_vocabulary(min_count=5, trim_rule=lambda word, *_: rules.get(word, utils.RULE_DEFAULT))
    ours = fastvec.SkipGram(**SMALL, min_count=5, keep=["g"], drop=["b"]).fit(TEXT)
    assert counts_of(ours) == counts_of(theirs)


def test_a_vocabulary_from_counts():
    given = {"a": 90, "b": 50, "d": 7, "unseen": 5}
    theirs = GensimWord2Vec(**GENSIM, min_count=1)
    theirs.build_vocab_from_freq(given)
    assert counts_of(fastvec.SkipGram(**SMALL).fit(TEXT, vocabulary=given)) == counts_of(theirs) == given


def test_new_words_and_counts_of_further_text():
    ours = fastvec.SkipGram(**SMALL, min_count=2).fit(TEXT).fit(MORE, update_vocabulary=True)
    theirs = gensim_vocabulary(min_count=2)
    theirs.build_vocab(MORE, update=True)
    assert set(ours.vectors_.words) == set(theirs.wv.index_to_key)
    every = Counter(word for sentence in TEXT + MORE for word in sentence)
    assert counts_of(ours) == {word: every[word] for word in ours.vectors_.words}


@pytest.mark.parametrize("dynamic", [False, True])
def test_windows_of_one_size(dynamic):
    """Without shrinking, the word at the end of the window is as much a context as the next one."""
    text = [["p", "q", "r", "s", "t"]] * 50
    options = {"min_count": 1, "window": 4, "epochs": 60}
    theirs = GensimWord2Vec(
        text, **GENSIM | options, shrink_windows=dynamic, sample=0, alpha=0.1, min_alpha=0.01, negative=5
    )
    ours = fastvec.SkipGram(
        **SMALL | options, dynamic_window=dynamic, subsample=0, learning_rate=0.1, min_learning_rate=0.01
    ).fit(text)

    def far_less_near(model, vectors, outputs, index):
        return vectors["p"] @ (outputs[index("t")] - outputs[index("q")])

    found = far_less_near(ours, ours.vectors_, ours.output_vectors_, ours.vectors_.index)
    expected = far_less_near(theirs, theirs.wv, theirs.syn1neg, theirs.wv.get_index)
    for difference in (found, expected):
        assert difference < -1 if dynamic else abs(difference) < 0.6


# ---- vectors from elsewhere --------------------------------------------------------------------------------


@pytest.fixture
def given(tmp_path):
    generator = np.random.default_rng(0)
    vectors = fastvec.Vectors(["b", "a", "elsewhere"], generator.standard_normal((3, 10)))
    vectors.save(tmp_path / "given.vec")
    return vectors


def test_words_that_start_elsewhere_and_stay(given, tmp_path):
    theirs = gensim_vocabulary(min_count=1)
    theirs.wv.vectors_lockf = np.ones(len(theirs.wv), np.float32)
    theirs.wv.intersect_word2vec_format(str(tmp_path / "given.vec"), lockf=0.0)
    theirs.train(TEXT, total_examples=len(TEXT), epochs=1)
    ours = fastvec.SkipGram(**SMALL, min_count=1).fit(TEXT, start_from=given, freeze=True)
    for word in ("a", "b"):
        np.testing.assert_array_equal(ours.vectors_[word], theirs.wv[word])
        np.testing.assert_array_equal(ours.vectors_[word], given[word])
    assert "elsewhere" not in ours.vectors_ and "elsewhere" not in theirs.wv
    assert not np.array_equal(ours.vectors_["c"], theirs.wv["c"])


def test_words_start_where_fasttexts_start(given, tmp_path, path):
    """With a rate next to nothing, pretrained vectors are what is left at the end."""
    options = {
        "dim": 10,
        "minCount": 1,
        "minn": 0,
        "maxn": 0,
        "bucket": 0,
        "epoch": 1,
        "thread": 10,
        "verbose": 0,
    }
    theirs = fasttext.train_unsupervised(
        str(path), pretrainedVectors=str(tmp_path / "given.vec"), lr=1e-9, t=1, **options
    )
    ours = fastvec.SkipGram(**SMALL, min_count=1, learning_rate=1e-9).fit(path, start_from=given)
    for word in ("a", "b"):
        np.testing.assert_allclose(theirs[word], given[word], atol=1e-6)
        np.testing.assert_allclose(ours.vectors_[word], theirs[word], atol=1e-6)
    # fastText also takes words into its vocabulary that the text does not have
    assert "elsewhere" in theirs and "elsewhere" not in ours.vectors_


# ---- files and tables --------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    words = ["a", "naïve", "café", "d", "e"]
    matrix = np.random.default_rng(1).standard_normal((5, 4)).astype(np.float32)
    path = tmp_path / "words.bin"
    path.write_bytes(
        b"5 4\n"
        + b"".join(
            word.encode("latin-1") + b" " + row.tobytes() for word, row in zip(words, matrix, strict=True)
        )
    )
    return path


@pytest.mark.parametrize("limit", [None, 1, 3, 9])
def test_the_first_words_in_their_encoding(file, limit):
    options = {"encoding": "latin-1", "limit": limit}
    theirs = KeyedVectors.load_word2vec_format(file, binary=True, **options)
    ours = fastvec.load(file, **options)
    assert ours.words == theirs.index_to_key
    np.testing.assert_array_equal(ours.vectors, theirs.vectors)


def test_vectors_of_half_the_size(file):
    options = {"encoding": "latin-1"}
    theirs = KeyedVectors.load_word2vec_format(file, binary=True, datatype=np.float16, **options)
    ours = fastvec.load(file, dtype="float16", **options)
    assert ours.vectors.dtype == theirs.vectors.dtype == np.float16
    np.testing.assert_array_equal(ours.vectors, theirs.vectors)


def test_bytes_that_are_not_utf8(file):
    theirs = KeyedVectors.load_word2vec_format(file, binary=True, unicode_errors="replace")
    assert fastvec.load(file, errors="replace").words == theirs.index_to_key


def test_some_words_and_more_words(file):
    theirs = KeyedVectors.load_word2vec_format(file, binary=True, encoding="latin-1")
    ours = fastvec.load(file, encoding="latin-1")
    few = theirs.vectors_for_all(["e", "a"])
    subset = ours.subset(["e", "a"])
    for word in ("e", "a"):
        np.testing.assert_array_equal(subset[word], few[word])
    assert set(subset.words) == set(few.index_to_key)
    theirs.add_vectors(["a", "z"], np.ones((2, 4), np.float32), replace=True)
    more = ours.with_words(["a", "z"], np.ones((2, 4)))
    assert more.words == theirs.index_to_key
    np.testing.assert_array_equal(more.vectors, theirs.vectors)
    query = dict(theirs.most_similar("a", topn=5))
    assert dict(more.most_similar("a", topn=5)) == pytest.approx(query, abs=1e-6)


def test_fewer_dimensions_keep_as_much_as_fasttexts(path, tmp_path):
    """fastText takes eigenvectors in any order, ours are those of the largest variance."""
    util = pytest.importorskip("fasttext.util.util", reason="fasttext is not installed")
    options = {
        "dim": 10,
        "minCount": 1,
        "minn": 0,
        "maxn": 0,
        "bucket": 0,
        "thread": 10,
        "verbose": 0,
        "lr": 0.5,
    }
    model = fasttext.train_unsupervised(str(path), t=1, epoch=5, **options)
    model.save_model(str(tmp_path / "model.bin"))
    ours = fastvec.load(tmp_path / "model.bin").reduce(3).vectors
    util.reduce_model(model, 3)
    theirs = model.get_input_matrix()
    assert ours.shape == theirs.shape
    assert ours.var(axis=0).sum() >= theirs.var(axis=0).sum() * (1 - 1e-5)


def test_one_sentence_is_joined_as_by_frozen_phrases():
    text = [
        *([["in", "new", "york"], ["a", "new", "york", "of", "york", "new"], ["new", "cars"]] * 9),
        ["of"],
    ]
    theirs = gensim_phrases.Phrases(text, min_count=2, threshold=0.2).freeze()
    threshold = fastvec.Phrases.threshold_from_gensim(0.2, text)
    ours = fastvec.Phrases(min_count=2, threshold=threshold).fit(text)
    joined = [ours.join(sentence) for sentence in text]
    assert joined == [theirs[sentence] for sentence in text]
    assert ["in_new", "york"] in joined
