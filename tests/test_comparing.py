"""Comparing words, lists of words and vectors, as gensim and fastText do; and what bad input is told."""

import re
import sys

import numpy as np
import pytest
from peers import KeyedVectors, fasttext

from fastvec import SubwordVectors, UnknownWordError, Vectors
from fastvec.vectors import Subwords

pytestmark = pytest.mark.any_backend

WORDS = [f"word{i}" for i in range(60)]
MATRIX = np.random.default_rng(1).standard_normal((60, 8)).astype(np.float32)
OURS = Vectors(WORDS, MATRIX)


@pytest.fixture(scope="module")
def theirs():
    vectors = KeyedVectors(8)
    vectors.add_vectors(WORDS, MATRIX)
    return vectors


@pytest.fixture(scope="module")
def subwords():
    rows = np.random.default_rng(2).standard_normal((5 + 300, 6)).astype(np.float32)
    return SubwordVectors(["garden", "house", "Zürich", "zero", "</s>"], rows, Subwords(2, 4, 300))


@pytest.fixture(scope="module")
def facebooks(subwords, tmp_path_factory):
    path = tmp_path_factory.mktemp("peer") / "model.bin"
    subwords.save(path)
    return fasttext.load_model(str(path))


def close(found, expected):
    np.testing.assert_allclose(found, expected, atol=1e-6)


# ---- gensim's numbers -------------------------------------------------------------------------------------


def test_similarities_are_gensims(theirs):
    others = ["word9", "word3", "word3", "word1"]
    close(OURS.similarities("word3", others), 1 - theirs.distances("word3", others))
    close(OURS.similarities(MATRIX[4], others), 1 - theirs.distances(MATRIX[4], others))
    close(OURS.similarities("word3", MATRIX[:5]), theirs.cosine_similarities(MATRIX[3], MATRIX[:5]))
    close(OURS.similarities("word3", np.array(others)), OURS.similarities("word3", others))
    assert OURS.similarities("word3", []).shape == (0,)
    assert theirs.most_similar_to_given("word3", others[:1]) == "word9"
    assert others[OURS.similarities("word3", others).argmax()] == theirs.most_similar_to_given(
        "word3", others
    )


def test_similarities_are_safe_at_their_ends():
    vectors = Vectors(["a", "b", "zero"], [[1e30, 3e30], [0.1, 0.3], [0, 0]])
    found = vectors.similarities("a", ["a", "b", "zero", np.array([-1, -3])])
    assert found.dtype == np.float32
    assert all(np.abs(found) <= 1)
    close(found, [1, 1, 0, -1])


def test_all_cosines_are_gensims(theirs):
    for query in ({"positive": "word5"}, {"positive": ["word5", "word7"], "negative": ["word6"]}):
        close(OURS.most_similar(**query, topn=None), theirs.most_similar(**query, topn=None))
    found = OURS.most_similar("word5", topn=None, restrict=20)
    close(found, OURS.similarities("word5", WORDS[:20]))
    assert found.dtype == np.float32
    batch = OURS.most_similar_batch(["word5", MATRIX[8], "word1"], topn=None)
    close(batch, [OURS.most_similar(word, topn=None) for word in ("word5", "word8", "word1")])
    assert OURS.most_similar_batch([], topn=None).shape == (0, 60)
    many = OURS.most_similar_batch(WORDS, topn=None, restrict=30)
    close(many, [OURS.similarities(word, WORDS[:30]) for word in WORDS])


def test_weighted_words_are_gensims(theirs):
    query = [("word1", 2.0), "word2", ("word3", 0.25), ("word4", -1)]
    found = OURS.most_similar(query, topn=60)
    expected = theirs.most_similar(query, topn=60)
    assert [word for word, _ in found] == [word for word, _ in expected]
    close([cosine for _, cosine in found], [cosine for _, cosine in expected])
    # gensim takes the weight of a negative word with its sign.
    close(
        OURS.most_similar("word1", [("word2", 0.5)], topn=None),
        theirs.most_similar(["word1"], [("word2", -0.5)], topn=None),
    )
    assert OURS.most_similar([(MATRIX[1], np.float32(2))]) == OURS.most_similar(MATRIX[1])
    close(OURS.most_similar([("word1", np.int8(3))], topn=None), OURS.most_similar("word1", topn=None))
    for scale in (1e300, 1e-300):
        scaled = [(word, scale * weight) for word, weight in (("word1", 2.0), ("word2", 1.0))]
        close(OURS.most_similar(scaled, topn=None), OURS.most_similar([("word1", 2.0), "word2"], topn=None))
    assert not OURS.most_similar([("word1", 0)], topn=None).any()
    # Several vectors count by their directions; gensim takes them as they are.
    norms = np.linalg.norm(MATRIX, axis=1)
    close(
        OURS.most_similar([(MATRIX[i], norms[i]) for i in (1, 2)], topn=None),
        theirs.most_similar(list(MATRIX[1:3]), topn=None),
    )
    assert OURS.most_similar(negative="word1", topn=3)[0][1] > 0


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        (("word1", 2.0), TypeError, "got 2.0: a weight is paired with its word, [('king', 2.0)]"),
        ([("word1", "word2")], TypeError, "the weight of 'word1' must be a finite number, got 'word2'"),
        ([("word1", np.nan)], ValueError, "the weight of 'word1' must be a finite number, got nan"),
        ([("word1", True)], TypeError, "the weight of 'word1' must be a finite number, got True"),
        ([("word1", 1, 2)], TypeError, "must be a str or an int, got ('word1', 1, 2)"),
    ],
)
def test_weights_that_make_no_sense(query, error, message):
    with pytest.raises(error, match=re.escape(message)):
        OURS.most_similar(query)


@pytest.mark.parametrize("topn", [0, -1])
def test_a_topn_of_nothing(topn):
    for ask in (OURS.most_similar, lambda word, topn: OURS.analogy(word, word, word, topn, method="3cosmul")):
        with pytest.raises(ValueError, match=f"topn must be an int >= 1, got {topn}: None returns"):
            ask("word1", topn=topn)


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`")  # by gensim itself
@pytest.mark.parametrize("restrict", [None, 30])
def test_analogies_by_products_are_gensims(theirs, restrict):
    a, b, c = "word1", "word2", "word50"
    expected = theirs.most_similar_cosmul([b, c], [a], topn=20, restrict_vocab=restrict)
    found = OURS.analogy(a, b, c, topn=20, restrict=restrict, method="3cosmul")
    if restrict is None:  # gensim's function takes no notice of it
        assert [word for word, _ in found] == [word for word, _ in expected]
        np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], rtol=1e-5)
        scores = OURS.analogy(a, b, c, topn=None, method="3cosmul")
        np.testing.assert_allclose(scores, theirs.most_similar_cosmul([b, c], [a], topn=None), rtol=1e-5)
    everything = OURS.analogy(a, b, c, topn=60, method="3cosmul")
    assert len(everything) == 57
    kept = [pair for pair in everything if pair[0] in WORDS[:restrict]]
    assert [word for word, _ in found] == [word for word, _ in kept[:20]]
    assert OURS.analogy(a, b, c, 20, restrict) == OURS.analogy(a, b, c, 20, restrict, method="3cosadd")
    close(OURS.analogy(a, b, c, topn=None), OURS.most_similar([b, c], a, topn=None))


def test_equal_scores_of_products_come_in_the_order_of_the_words():
    vectors = Vectors(["a", "b", "c", "d", "e", "f"], [[1, 0], [0, 1], [1, 1], [2, 3], [4, 6], [6, 9]])
    for topn in (1, 2, 3):
        assert [word for word, _ in vectors.analogy("a", "b", "c", topn, method="3cosmul")] == list("def")[
            :topn
        ]


def test_ranks_are_gensims(theirs):
    for word, other in (("word1", "word9"), ("word1", "word1"), ("word30", "word2")):
        assert OURS.rank(word, other) == theirs.rank(word, other)
        closer = OURS.closer_than(word, other)
        assert set(closer) == set(theirs.closer_than(word, other))
        assert closer == [near for near, _ in OURS.most_similar(word, topn=60)][: len(closer)]


def test_what_does_not_match_is_gensims(theirs):
    random = np.random.default_rng(0)
    for n in (3, 4, 9):
        words = random.choice(WORDS, n, replace=False).tolist()
        assert OURS.doesnt_match(words) == theirs.doesnt_match(words)
        more = ["unknown", *words[:1], "other", *words[1:]]
        assert OURS.doesnt_match(more, unknown="skip") == theirs.doesnt_match(more)
        assert OURS.doesnt_match(iter(words)) == OURS.doesnt_match(set(words)) == OURS.doesnt_match(words)
    for ids, expected in (([1, 2, 3], 3), (["1", "2", "3"], "3")):
        assert Vectors(ids, [[1, 0], [1, 0.1], [0, 1]]).doesnt_match([1, "3", 2]) == expected


def test_n_similarity_is_gensims(theirs):
    a, b = ["word1", "word2", "word2"], ["word7", "unheard"]
    assert OURS.n_similarity(a, b, unknown="skip") == pytest.approx(theirs.n_similarity(a, b), abs=1e-6)
    assert OURS.n_similarity(a, a) == pytest.approx(1)
    assert OURS.n_similarity(a, ["unheard"], unknown="skip") == 0
    with pytest.raises(UnknownWordError, match="'unheard' is not among"):
        OURS.n_similarity(a, b)


@pytest.mark.parametrize("weights", [None, [3, 1, -2.5, 0, 1]])
@pytest.mark.parametrize("unit", [False, True])
def test_means_are_gensims(theirs, weights, unit):
    words = ["word1", "word2", "word2", "unheard", "word9"]
    found = OURS.mean(words, weights, unit=unit, unknown="skip")
    assert found.dtype == np.float32
    close(found, theirs.get_mean_vector(words, weights, pre_normalize=unit))
    close(OURS.mean(iter(words), weights, unit=unit, unknown="skip"), found)
    known = [word for word in words if word != "unheard"]
    if weights is None:
        close(OURS.mean(known), OURS[known].mean(axis=0))


def test_means_of_nothing():
    for words, weights in (([], None), (["unheard"], None), (["word1"], [0])):
        close(OURS.mean(words, weights, unknown="skip"), np.zeros(8))
    zero = Vectors(["zero", "east"], [[0, 0], [3, 0]])
    close(zero.mean(["zero", "east"]), [1.5, 0])
    close(zero.mean(["zero", "east"], unit=True), [1, 0])
    close(zero.mean(["zero"], unit=True), [0, 0])
    close(Vectors(["long"], [[1e38, 3e38]]).mean(["long"] * 9) / 1e38, [1, 3])


BAD_LISTS = [
    ("a film", TypeError, "whose letters would be taken for words: pass sentence.split()"),
    ({"a": 1}, TypeError, "whose keys would be taken for words"),
    ([["word1"]] * 3, TypeError, "word must be a str or an int, got ['word1']"),
    ([1.5] * 3, TypeError, "word must be a str or an int, got 1.5"),
    (7, TypeError, "must be a list of words, got 7"),
    (["unheard"] * 3, UnknownWordError, "'unheard' is not among the 60 words"),
]


@pytest.mark.parametrize(("words", "error", "message"), BAD_LISTS)
def test_lists_that_are_none(words, error, message):
    asked = {
        "words": [OURS.mean, OURS.doesnt_match, OURS.subset, OURS.drop],
        "words_a": [lambda words: OURS.n_similarity(words, ["word1"])],
        "words_b": [
            lambda words: OURS.n_similarity(["word1"], words),
            lambda words: OURS.word_movers_distance(["word1"], words),
        ],
    }
    for name, functions in asked.items():
        for function in functions:
            with pytest.raises(error, match=re.escape(message)) as raised:
                function(words)
            if "a list of words" in message or "would be taken" in message:
                assert str(raised.value).startswith(f"{name} must be a list of words, got ")


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda v: v.mean([]), ValueError,
         "words must hold at least one word unless unknown='skip', got none"),
        (lambda v: v.n_similarity(["word1"], []), ValueError, "words_b must hold at least one word"),
        (lambda v: v.mean(["word1"], [1, 2]), ValueError,
         "weights must have the shape (1,), one number for each word, got (2,)"),
        (lambda v: v.mean(["word1"], "a"), TypeError, "weights must be numbers, one for each word, got 'a'"),
        (lambda v: v.mean(["word1"], [np.inf]), ValueError, "weights must be finite numbers, got [inf]"),
        (lambda v: v.mean(["word1"], unit=1), TypeError, "unit must be True or False, got 1"),
        (lambda v: v.mean(["word1"], unknown="ignore"), ValueError,
         "unknown must be one of 'error', 'skip', got 'ignore'"),
        (lambda v: v.doesnt_match([]), ValueError, "at least three words with vectors, got 0"),
        (lambda v: v.doesnt_match(["word1"] * 3, unknown="no"), ValueError, "unknown must be one of"),
        (lambda v: v.doesnt_match(["word1", "word2"]), ValueError, "three words with vectors, got 2"),
        (lambda v: v.analogy("word1", "word2", "word3", method="cosmul"), ValueError,
         "method must be one of '3cosadd', '3cosmul', got 'cosmul'"),
        (lambda v: v.rank("word1", "unheard"), UnknownWordError, "'unheard' is not among"),
        (lambda v: v.similarities("word1", ["unheard"]), UnknownWordError, "'unheard' is not among"),
        (lambda v: v.similarities("word1", [np.ones(3)]), ValueError, "a vector must be 8 finite numbers"),
    ],
)  # fmt: skip
def test_parameters_that_make_no_sense(ask, error, message):
    with pytest.raises(error, match=re.escape(message)):
        ask(OURS)


def test_the_word_movers_distance_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(ImportError, match=re.escape("needs POT: pip install 'fastvec[wmd]'")):
        OURS.word_movers_distance(["word1"], ["word2"])
    assert OURS.word_movers_distance(["word1"], ["unheard"], unknown="skip") == np.inf


# ---- fastText's numbers, and unknown words ----------------------------------------------------------------


@pytest.mark.parametrize(
    "sentence", ["garden gardener house", "garden  Zürich \t x", "", "</s> house", "zero a"]
)
def test_sentence_vectors_are_fasttexts(subwords, facebooks, sentence):
    found = subwords.mean(sentence.split(), unit=True, unknown="skip")
    close(found, facebooks.get_sentence_vector(sentence))


def test_the_end_of_a_line_is_no_word_of_its_sentence(subwords, facebooks):
    with pytest.raises(ValueError, match="one line at a time"):
        facebooks.get_sentence_vector("garden house\n")
    lines = "garden house\n".splitlines()
    close(subwords.mean(lines[0].split(), unit=True), facebooks.get_sentence_vector(lines[0]))
    assert np.abs(subwords["</s>"]).max() > 0


def test_zero_vectors_do_not_count_in_fasttexts_sentences_either(tmp_path):
    rows = np.zeros((2 + 10, 3), np.float32)
    rows[1] = [0, 0, 2]
    vectors = SubwordVectors(["none", "some"], rows, Subwords(3, 3, 10))
    vectors.save(tmp_path / "model.bin")
    expected = fasttext.load_model(str(tmp_path / "model.bin")).get_sentence_vector("none some none")
    close(expected, [0, 0, 1])
    close(vectors.mean(["none", "some", "none"], unit=True), expected)


@pytest.mark.parametrize("word", ["garden", "gardens", "Zürcher", "</s>", "東", "x"])
def test_ngrams_are_fasttexts(subwords, facebooks, word):
    names, rows = facebooks.get_subwords(word)
    own = [(word, subwords.index(word))] if word in subwords else []
    assert [*own, *subwords.ngrams(word)] == list(zip(names, rows.tolist(), strict=True))
    for name, row in subwords.ngrams(word):
        assert facebooks.get_subword_id(name) == row
        np.testing.assert_array_equal(subwords.input_vectors[row], facebooks.get_input_vector(row))


def test_ngrams_of_words_that_are_odd(subwords):
    assert subwords.ngrams(12) == subwords.ngrams("12")
    assert subwords.ngrams("") == [("<>", subwords.ngrams("")[0][1])]
    assert ("\udc80>", subwords.ngrams("x\udc80")[-1][1]) in subwords.ngrams("x\udc80")
    assert SubwordVectors(["tea"], np.ones((1, 2)), Subwords(0, 0, 0)).ngrams("tea") == []
    with pytest.raises(TypeError, match=r"word must be a str or an int, got 1\.5"):
        subwords.ngrams(1.5)


def test_unknown_words_are_compared_by_their_ngrams(subwords):
    new = subwords["gardener"]
    close(
        subwords.similarities("gardener", ["garden", "houses"])[0], subwords.similarity("garden", "gardener")
    )
    close(subwords.mean(["gardener", "house"]), (new + subwords["house"]) / 2)
    every = [word for word, _ in subwords.most_similar("gardener")]
    assert subwords.closer_than("gardener", "zero") == every[: every.index("zero")]
    assert subwords.rank("garden", "gardener") <= 5
    assert subwords.doesnt_match(["garden", "gardens", "qqqq"]) in {"garden", "gardens", "qqqq"}
    close(subwords.most_similar("gardener", topn=None), subwords.similarities("gardener", subwords.words))
    scores = subwords.analogy("gardens", "garden", "houses", topn=None, method="3cosmul")
    cosines = [subwords.most_similar(word, topn=None) for word in ("gardens", "garden", "houses")]
    a, b, c = ((1 + row) / 2 for row in cosines)
    np.testing.assert_allclose(scores, b * c / (a + 1e-6), rtol=1e-5)


# ---- names of others --------------------------------------------------------------------------------------

NAMES = """
wv key_to_index index_to_key vocab get_vector similar_by_word similar_by_vector similar_by_key wmdistance
most_similar_cosmul init_sims save_word2vec_format load_word2vec_format add_vector add_vectors get_index
evaluate_word_pairs evaluate_word_analogies get_mean_vector distance distances vectors_for_all word_vec
most_similar_to_given rank_by_centrality has_index_for unit_normalize_all get_word_vector get_sentence_vector
get_subwords get_nearest_neighbors get_analogies get_word_id get_words get_dimension get_input_matrix
get_output_matrix get_input_vector get_subword_id save_model
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_names_of_others_are_told_ours(name, subwords):
    for vectors in (OURS, subwords):
        with pytest.raises(AttributeError, match=f"has no attribute `{name}`: it is (.+)") as error:
            getattr(vectors, name)
        assert not hasattr(vectors, name) and name not in dir(vectors)
        here = re.search(r"it is (\w+)", str(error.value))[1]
        assert hasattr(subwords, here) or here in {"fastvec", "the", "word", "output_vectors_", "1"}


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match=r"'Vectors' object has no attribute 'colour'$"):
        OURS.colour  # noqa: B018
    for name in ("ngrams", "subwords", "input_vectors"):
        with pytest.raises(AttributeError, match=f"`{name}`: it is SubwordVectors, "):
            getattr(OURS, name)
