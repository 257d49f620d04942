"""Texts are classified by their words and n-grams: what is learned, what has rows, the gradient."""

from functools import partial

import numpy as np
import pytest
from inside import inner, set_sizes
from peers import fasttext

from fastvec import Vectors
from fastvec.classify import TextClassifier
from fastvec.reference import softmax

small = partial(TextClassifier, vector_size=10, epochs=20, learning_rate=0.5, threads=1)

# ---- Learning ---------------------------------------------------------------------------------------------

KINDS = {"sea": ["ship", "wave", "fish", "sail", "tide"], "sky": ["cloud", "star", "bird", "wind", "moon"]}


def kinds(n=200, seed=0, own=0.7, other=0.05, length=8):
    """Texts of words of the one kind, some of the other, and some of none, and their kinds."""
    random = np.random.default_rng(seed)
    y = random.choice(list(KINDS), n).tolist()
    X = []
    for label in y:
        words = [KINDS[label], KINDS["sky" if label == "sea" else "sea"], ["the", "a", "of"]]
        places = random.choice(3, length, p=[own, other, 1 - own - other])
        X.append(" ".join(str(random.choice(words[place])) for place in places))
    return X, y


GOOD_OR_BAD = {"good": "+", "not good": "-", "bad": "-", "not bad": "+"}


def negated(n=200, seed=0):
    """What counts is "good" or "bad" and whether "not" stands before it: no sum over words can tell."""
    random = np.random.default_rng(seed)
    opinions = [str(random.choice(list(GOOD_OR_BAD))) for _ in range(n)]
    around = [random.choice(["the", "film", "was", "very"], 4).tolist() for _ in range(n)]
    X = [" ".join([*words[:2], what, *words[2:]]) for words, what in zip(around, opinions, strict=True)]
    return X, [GOOD_OR_BAD[what] for what in opinions]


@pytest.mark.parametrize("threads", [1, 2])
def test_texts_of_two_kinds_are_told_apart(threads, monkeypatch):
    set_sizes(monkeypatch, work_of_thread=1)
    model = small(threads=threads).fit(*kinds())
    assert model.score(*kinds(seed=1)) > 0.9
    assert [epoch.epoch for epoch in model.history_] == list(range(1, 21))
    assert {epoch.examples for epoch in model.history_} == {200}
    assert model.history_[-1].loss < 0.3 * model.history_[0].loss
    assert not model.interrupted_
    probabilities = model.predict_proba(["ship wave fish", "star bird moon"])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert probabilities[0, 0] > 0.9 and probabilities[1, 1] > 0.9


@pytest.mark.any_backend(trains=True)
def test_what_needs_two_words_at_once_takes_bigrams():
    X, y = negated(seed=1)
    assert small(word_ngrams=2, epochs=50).fit(*negated()).score(X, y) > 0.95
    assert small(epochs=50).fit(*negated()).score(X, y) < 0.9


@pytest.mark.any_backend(trains=True)
def test_a_label_among_many():
    X = [f"w{i} shared w{i}" for i in range(30)] * 5
    model = small(epochs=60).fit(X, np.arange(30).tolist() * 5)
    assert model.score(X, np.arange(30).tolist() * 5) == 1
    assert model.predict_proba(X).shape == (150, 30)


@pytest.mark.any_backend(trains=True)
def test_it_is_as_good_as_fasttext(tmp_path):
    parts = [kinds(n, seed, own=0.5, other=0.2) for seed, n in enumerate((600, 2000))]
    paths = [tmp_path / "train.txt", tmp_path / "test.txt"]
    for path, (X, y) in zip(paths, parts, strict=True):
        path.write_text("".join(f"__label__{label} {text}\n" for text, label in zip(X, y, strict=True)))
    rates = (0.1, 0.25, 0.5)
    # fastText 0.9.3 starts a tenth of its input matrix in each thread, and leaves the rest as the memory was.
    options = {"dim": 10, "epoch": 10, "wordNgrams": 2, "bucket": 10_000, "thread": 10, "verbose": 0}
    theirs = [
        fasttext.train_supervised(str(paths[0]), lr=rate, **options).test(str(paths[1]))[1] for rate in rates
    ]
    params = {"vector_size": 10, "epochs": 10, "word_ngrams": 2, "buckets": 10_000}
    ours = [TextClassifier(learning_rate=rate, **params).fit(*parts[0]).score(*parts[1]) for rate in rates]
    assert 0.7 < max(theirs) < 0.9  # so that there is something to be worse at
    assert max(ours) > max(theirs) - 0.03


# ---- Words and n-grams ------------------------------------------------------------------------------------


def hash_by_hand(text):
    hashed = 2166136261
    for byte in np.frombuffer(text, np.int8).tolist():
        hashed = ((hashed ^ byte) & 0xFFFFFFFF) * 16777619 % 2**32
    return hashed


def buckets_by_hand(words, longest, buckets):
    """The buckets of all n-grams of a document."""
    hashes = [hash_by_hand(word.encode()) for word in words]
    hashes = [hashed - 2**32 if hashed >= 2**31 else hashed for hashed in hashes]
    found = []
    for first in range(len(words)):
        number = hashes[first]
        for following in hashes[first + 1 : first + longest]:
            number = (number * 116049371 + following) % 2**64
            found.append(number % buckets)
    return found


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize("buckets", [1, 7, 2_000_000])
@pytest.mark.parametrize("longest", [1, 2, 3, 5])
def test_a_document_is_the_mean_of_its_words_and_of_its_ngrams_by_their_buckets(longest, buckets):
    """Rows of n-grams follow those of words, in the order of the buckets."""
    X = [["a"], [], ["a", "b", "a", "b", "ü"], ["b", "a"], [], ["c"] * 4, ["a", "b", "c"]]
    with pytest.warns(UserWarning, match="2 of 7 documents"):
        model = small(word_ngrams=longest, buckets=buckets).fit(X, [0, 1, 0, 1, 0, 1, 0])
    words, parameters = model.vectors_.words, model.parameters_
    own = [buckets_by_hand(document, longest, buckets) for document in X]
    ngrams = sorted({bucket for of_document in own for bucket in of_document})
    table = parameters["input_vectors"]
    assert len(table) == 2 + len(words) + len(ngrams)
    with pytest.warns(UserWarning, match="2 of 7 documents"):
        found = model.predict_proba(X)
    for document, of_document, probabilities in zip(X, own, found, strict=True):
        rows = [2 + words.index(word) for word in document]
        rows += [2 + len(words) + ngrams.index(bucket) for bucket in of_document]
        h = table[rows].mean(axis=0) if rows else np.zeros(10)
        z = parameters["output_vectors"] @ h
        np.testing.assert_allclose(probabilities, np.exp(z) / np.exp(z).sum(), rtol=1e-4)


@pytest.mark.any_backend(trains=True)
def test_documents_are_looked_at_one_by_one():
    model = small(word_ngrams=3).fit(*negated())
    X = ["not", "good", "the film was not", "bad", "good film", "not good"]
    together = model.predict_proba(X)
    for document, probabilities in zip(X, together, strict=True):
        np.testing.assert_allclose(model.predict_proba([document])[0], probabilities, rtol=1e-5)


@pytest.mark.any_backend(trains=True)
def test_documents_remember_ngrams_with_their_sizes_and_buckets():
    read = inner("read_documents")
    documents = read(["ab", "abc"])
    for parameters in [(1, 2, 50), (2, 2, 50), (2, 3, 50), (2, 3, 7)]:
        expected = read(["ab", "abc"]).ngrams(*parameters)
        for _ in range(2):
            for found, array in zip(documents.ngrams(*parameters), expected, strict=True):
                assert found.tolist() == array.tolist()


@pytest.mark.any_backend(trains=True)
def test_words_and_ngrams_that_the_training_did_not_have_are_left_out():
    model = small(word_ngrams=2).fit(*negated())
    known, *others = model.predict_proba(["not good", "not good zzz", "zzz not good", "zzz not good zzz zzz"])
    for other in others:
        np.testing.assert_array_equal(other, known)
    parted, turned, separate = model.predict_proba(["not zzz good", "good not", "not good"])
    np.testing.assert_allclose(parted, turned, rtol=1e-5)
    assert np.abs(parted - separate).max() > 0.1


@pytest.mark.any_backend(trains=True)
def test_only_ngrams_that_occur_have_rows():
    X = ["a b c", "a b", "d"]
    words, ngrams = 4 + 2, {("a", "b"), ("b", "c"), ("a", "b", "c")}
    for longest in (1, 2, 3):
        model = small(word_ngrams=longest, epochs=1).fit(X, [0, 1, 0])
        rows, outputs = model.parameters_["input_vectors"], model.parameters_["output_vectors"]
        assert rows.shape == (words + sum(len(ngram) <= longest for ngram in ngrams), 10)
        assert outputs.shape == (2, 10)
        assert model.n_parameters_ == rows.size + outputs.size
        assert model.vectors_.words == ["a", "b", "c", "d"]
    assert len(small(word_ngrams=3, buckets=1).fit(X, [0, 1, 0]).parameters_["input_vectors"]) == words + 1


@pytest.mark.any_backend(trains=True)
def test_rare_words_have_no_rows():
    X = ["a b", "a c", "b a"]
    assert small(min_count=2).fit(X, [0, 1, 0]).vectors_.words == ["a", "b"]
    given = small(Vectors(["c", "z"], np.eye(2)), min_count=3).fit(X, [0, 1, 0])
    assert given.vectors_.words == ["c", "z", "a"]


@pytest.mark.any_backend(trains=True)
def test_words_are_found_by_their_spellings():
    vectors = Vectors(["good", "bad", "0000", "Good", "b2b"], np.eye(5))
    texts = ["good", "Bad", "BAD", "1984", "Ünknown", "B2B"]
    model = TextClassifier(vectors).fit(texts, ["+", "-", "-", "-", "+", "+"])
    assert model.vectors_.words == [*vectors.words, "Ünknown"]
    found = model.predict_proba(["bad", "BAD", "Bad", "0000", "2024", "good", "GOOD", "Good"])
    assert (found[:3] == found[0]).all() and (found[3:5] == found[3]).all() and (found[5:7] == found[5]).all()
    assert (found[7] != found[6]).all()


def test_vectors_are_where_words_start():
    vectors = Vectors(["good", "fine", "bad", "poor"], [[1, 0.1], [1, 0.2], [-1, 0.1], [-1, 0.2]])
    before = vectors.vectors.tobytes()
    model = TextClassifier(vectors, epochs=20).fit(["good film", "bad film"] * 20, ["+", "-"] * 20)
    assert model.predict(["fine", "poor"]).tolist() == ["+", "-"]  # neither is in the training
    model.partial_fit(["good film", "bad film"], ["+", "-"])
    assert vectors.vectors.tobytes() == before
    assert model.vectors is vectors
    for word in ("fine", "poor"):
        np.testing.assert_array_equal(model.vectors_[word], vectors[word])
    assert (model.vectors_["good"] != vectors["good"]).any()
    assert model.vectors_.words == [*vectors.words, "film"]
    still = TextClassifier(vectors, learning_rate=1e-30).fit(["good film", "bad film"], ["+", "-"])
    np.testing.assert_array_equal(still.vectors_[vectors.words], vectors.vectors)
    assert np.abs(still.vectors_["film"]).max() <= 0.5


# ---- The gradient -----------------------------------------------------------------------------------------

TEXTS = ["the cat the sat the", "dog", "zzz", "", "the the on cat", "the cat"]
TAGS = ["a", "b", "b", "a", "c", "c"]


def fitted():
    model = small(word_ngrams=2, vector_size=5, epochs=1).fit(TEXTS[:2] + TEXTS[4:], list("abcc"))
    random = np.random.default_rng(34)
    for array in model.parameters_.values():
        array[:] = random.normal(0, 1, array.shape)
    return model


@pytest.mark.any_backend(trains=True)
def test_gradient():
    model = fitted()
    before = {name: array.tobytes() for name, array in model.parameters_.items()}
    report = model.check_gradient(TEXTS, TAGS)
    assert report.max_relative_error < 1e-6, str(report)
    # five words and the bigrams "the cat", "cat the", "the sat", "sat the", "the the", "the on", "on cat"
    assert report.checked == 5 * (5 + 7) + 5 * 3
    assert {name: array.tobytes() for name, array in model.parameters_.items()} == before
    assert model.check_gradient(TEXTS, TAGS, sample=7).checked == 7


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize("wrong", ["input_vectors", "output_vectors"])
def test_the_check_can_fail_and_names_the_parameter(monkeypatch, wrong):
    right = softmax.step

    def step(**arguments):
        before = arguments[wrong].copy()
        loss = right(**arguments)
        arguments[wrong] += 0.02 * (arguments[wrong] - before)
        return loss

    monkeypatch.setattr(softmax, "step", step)
    report = fitted().check_gradient(TEXTS, TAGS)
    assert report.max_relative_error == pytest.approx(0.02 / 2.02, rel=1e-4)
    assert report.worst[0] == wrong
