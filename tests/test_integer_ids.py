"""Sequences of int: the ids stay int on their whole way, and are found as their digits too."""

import numpy as np
import pytest
from commands import succeed

from fastvec import (
    PPMI_SVD,
    Cooccurrence,
    Corpus,
    FastText,
    GloVe,
    Phrases,
    SkipGram,
    Vectors,
    load,
    load_model,
)
from fastvec.corpus import Vocabulary

pytestmark = pytest.mark.any_backend(trains=True)

BASKETS = [[3, 1, 4], [1, 5, 9], [2, 6, 5, 3], [0, 1]] * 10
ORDER = [1, 3, 5, 4, 9, 2, 6, 0]
PARAMS = {"vector_size": 4, "min_count": 1, "epochs": 1, "threads": 1}


@pytest.mark.any_backend
def test_a_corpus_of_ids():
    corpus = Corpus(BASKETS, lowercase=True)
    assert list(corpus) == BASKETS
    assert corpus.vocabulary.words == ORDER
    assert 3 in corpus.vocabulary and "3" in corpus.vocabulary and 7 not in corpus.vocabulary
    assert corpus.vocabulary.index["3"] == 1


@pytest.mark.any_backend
@pytest.mark.parametrize("sentences", [[[9, "a"]], [["9", 9]], [[9], ["9"], [3]], [["a", 9, "9"]]])
def test_an_int_beside_str_is_its_digits(sentences):
    assert list(Corpus(sentences)) == [[str(item) for item in sentence] for sentence in sentences]


@pytest.mark.any_backend
def test_integers_of_numpy_are_python_s():
    words = Corpus([np.array([2**62, -1]), [np.uint8(7)]]).vocabulary.words
    assert words == [2**62, -1, 7]
    assert {*map(type, words)} == {int}
    assert Vocabulary(np.array([5, 6]), [2, 1]).words == [5, 6]


def test_a_model_of_ids(tmp_path):
    model = SkipGram(**PARAMS).fit(BASKETS)
    vectors = model.vectors_
    assert vectors.words == ORDER
    assert vectors.most_similar(3, topn=2) == vectors.most_similar("3", topn=2)
    assert {word for word, _ in vectors.most_similar(0, topn=7)} == set(ORDER) - {0}
    vectors.save(tmp_path / "ids.fvec")
    for loaded in (load(tmp_path / "ids.fvec"), load(tmp_path / "ids.fvec", mmap=True, errors="replace")):
        assert loaded.words == ORDER
        assert loaded.most_similar(3) == vectors.most_similar(3)
    model.save(tmp_path / "model.fvec")
    model = load_model(tmp_path / "model.fvec")
    assert model.fit([[1, 77], [77, 3]], update_vocabulary=True).vectors_.words == [*ORDER, 77]
    assert model.fit([["1", "x"]], update_vocabulary=True).vectors_.words == [*map(str, [*ORDER, 77]), "x"]


@pytest.mark.parametrize("words", [[9, np.int64(3), 1], {9: 5, 3: 6, 1: 7}], ids=["list", "dict"])
def test_chosen_words_stay_ids(words, tmp_path):
    for learner in (SkipGram(**PARAMS), Cooccurrence()):
        assert sorted(learner.fit(BASKETS, vocabulary=words).vocabulary_.words) == [1, 3, 9]
    model = SkipGram(**PARAMS | {"min_count": 20}, keep={9}, drop=[1, np.int64(0)]).fit(BASKETS)
    assert model.vocabulary_.words == [3, 5, 9]
    model.save(tmp_path / "model.fvec")
    loaded = load_model(tmp_path / "model.fvec")
    assert (loaded.keep, loaded.drop) == ([9], [1, 0])
    assert loaded.vocabulary_.words == [3, 5, 9]


@pytest.mark.any_backend
@pytest.mark.parametrize("name", ["ids.vec", "ids.bin", "ids.glove"])
def test_formats_of_text_have_digits(tmp_path, name):
    vectors = Vectors([42, 0], np.eye(2))
    vectors.save(tmp_path / name)
    loaded = load(tmp_path / name)
    assert loaded.words == ["42", "0"]
    assert (loaded[42] == vectors[42]).all()


def test_words_with_n_grams_are_spelled(tmp_path):
    model = FastText(**PARAMS, buckets=50).fit(BASKETS)
    for extension in (".fvec", ".bin"):
        model.save(tmp_path / f"model{extension}")
        assert load_model(tmp_path / f"model{extension}").vectors_.words == [*map(str, ORDER)]
    assert model.vectors_[123].shape == (4,)
    assert model.vocabulary_.words == [*map(str, ORDER)]
    assert {type(word) for word, _ in model.predict([3, 1])} == {str}
    for start in (Vectors([3, 1], np.eye(2, 4)), model):
        frozen = FastText(**PARAMS, buckets=50).fit(BASKETS, start_from=start, freeze=[3])
        np.testing.assert_allclose(frozen.vectors_[3], getattr(start, "vectors_", start)[3], atol=1e-6)


def test_counts_of_ids(tmp_path):
    counts = Cooccurrence(min_count=1).fit(BASKETS)
    counts.save(tmp_path / "ids.fvcounts")
    loaded = Cooccurrence.load(tmp_path / "ids.fvcounts")
    assert loaded[3, 1] == loaded["3", "1"] == counts[3, 1] > 0
    merged = counts.merge(Cooccurrence(min_count=1).fit([[7, 3]]))
    assert merged.vocabulary_.words == [*ORDER, 7]
    assert counts.merge(Cooccurrence(min_count=1).fit([["3", "x"]])).vocabulary_.words[-1] == "x"
    for model in (GloVe(vector_size=2, epochs=1), PPMI_SVD(vector_size=2)):
        assert model.fit(loaded).vectors_.words == ORDER
    spelled = Cooccurrence(min_count=1).fit([[*map(str, basket)] for basket in BASKETS])
    assert GloVe(vector_size=2, epochs=1).fit(loaded).fit(spelled).history_[-1].pairs == spelled.n_entries_
    counts.write_glove(tmp_path / "counts", tmp_path / "words")
    read = Cooccurrence.read_glove(tmp_path / "counts", tmp_path / "words")
    assert read.vocabulary_.words == [*map(str, ORDER)]
    triples = Cooccurrence.from_triples([8, 7], [0], [1], [2.0])
    assert triples.vocabulary_.words == [8, 7]


@pytest.mark.any_backend
def test_phrases_of_ids_are_words():
    joined = Phrases(threshold=1, min_count=1).fit_transform([[1, 2], [1, 2], [3, 4], [5, 6, 7, 8]])
    assert next(iter(joined)) == ["1_2"]


@pytest.mark.any_backend
def test_the_command_line_takes_digits(tmp_path):
    Vectors([42, 7], np.eye(2)).save(tmp_path / "ids.fvec")
    assert succeed("neighbors", tmp_path / "ids.fvec", "42", "-n", "1").split()[-1] == "7"
