"""Training that starts from given vectors, and words that stay as they are."""

import numpy as np
import pytest

import fastvec
from fastvec import cli
from fastvec.vectors import Subwords, SubwordVectors, Vectors

pytestmark = pytest.mark.any_backend(trains=True)

D = 12
TEXT = [[f"w{(i * i + j) % 19}" for j in range(2 + i % 7)] for i in range(150)]
OTHER = [[f"w{(i * 3 + j * j) % 23}" for j in range(2 + i % 5)] for i in range(150)]
SMALL = {"vector_size": D, "min_count": 1, "epochs": 2, "threads": 1}
NGRAMS = {"min_n": 2, "max_n": 3, "buckets": 50}
WORD_MODELS = {
    **{f"skipgram {loss}": fastvec.SkipGram(loss=loss, **SMALL)
       for loss in ("negative_sampling", "bpr", "hierarchical_softmax", "softmax")},
    "skipgram none": fastvec.SkipGram(negative_sharing="none", window=20, **SMALL),
    **{f"cbow {loss} {scale}": fastvec.CBOW(loss=loss, scale_gradient=scale, **SMALL)
       for loss in ("negative_sampling", "hierarchical_softmax", "softmax") for scale in (True, False)},
    "cbow positions": fastvec.CBOW(position_weights=True, **SMALL),
    "fasttext": fastvec.FastText(**NGRAMS, **SMALL),
    "fasttext cbow": fastvec.FastText(model="cbow", scale_gradient=True, **NGRAMS, **SMALL),
    "cbow sum": fastvec.CBOW(pooling="sum", **SMALL),
    "fasttext tree": fastvec.FastText(loss="hierarchical_softmax", **NGRAMS, **SMALL),
    "fasttext without n-grams": fastvec.FastText(max_n=0, **SMALL),
}  # fmt: skip
GLOVES = {
    combine: fastvec.GloVe(combine=combine, vector_size=D, min_count=1, epochs=2, threads=1)
    for combine in ("sum", "word", "concatenate")
}
MODELS = WORD_MODELS | GLOVES
every_model = pytest.mark.parametrize("name", MODELS)


def fresh(name, **params):
    model = MODELS[name]
    return type(model)(**model.get_params() | params)


def size_of(name):
    return 2 * D if name == "concatenate" else D


def start_vectors(size=D, words=("w3", "w0", "w7", "elsewhere")):
    rows = np.random.default_rng(5).standard_normal((len(words), size)).astype(np.float32)
    rows[0, :2] = 0, 1e-20  # which are not to move either
    return Vectors(words, rows)


def slow(name):
    """A model whose words stay about where they start."""
    return fresh(name, learning_rate=1e-20) if name in GLOVES else fresh(name, learning_rate=1e-12)


@every_model
def test_words_start_from_given_vectors(name):
    start = start_vectors(size_of(name))
    model = slow(name).fit(TEXT, start_from=start)
    for word in ("w3", "w0", "w7"):
        np.testing.assert_allclose(model.vectors_[word], start[word], rtol=0, atol=1e-6)
    as_usual = slow(name).fit(TEXT)
    assert "elsewhere" not in model.vectors_
    assert model.vectors_.words == as_usual.vectors_.words
    np.testing.assert_array_equal(model.vectors_["w1"], as_usual.vectors_["w1"])
    moved = fresh(name).fit(TEXT, start_from=start)
    assert np.abs(moved.vectors_["w0"] - start["w0"]).max() > 1e-4


@pytest.mark.parametrize("threads", [1, 3])
@every_model
def test_frozen_words_stay_bit_for_bit(name, threads):
    start = start_vectors(size_of(name))
    model = fresh(name, threads=threads).fit(TEXT, start_from=start, freeze=True)
    again = fresh(name, threads=threads).fit(TEXT, start_from=start)
    untrained = slow(name).fit(TEXT, start_from=start)
    for word in ("w3", "w0", "w7"):
        if not name.startswith("fasttext"):  # whose rows have a mean that rounds
            assert model.vectors_[word].tobytes() == start[word].tobytes(), word
        np.testing.assert_allclose(model.vectors_[word], start[word], rtol=0, atol=1e-6)
        assert np.abs(again.vectors_[word] - start[word]).max() > 1e-4
    for word in set(model.vectors_.words) - set(start.words):
        assert np.abs(model.vectors_[word] - untrained.vectors_[word]).max() > 1e-5, word
    for matrix, learned in model._state.parameters.items():
        if matrix not in ("input_vectors", "word_vectors", "context_vectors"):
            before = untrained._state.parameters[matrix]
            assert (learned != before).any(axis=1).all(), matrix


@pytest.mark.parametrize("name", [*WORD_MODELS])
def test_frozen_words_are_constants_for_any_number_of_threads(name):
    start = start_vectors()
    models = [
        fresh(name, deterministic=True, threads=threads).fit(
            TEXT, start_from=start, freeze=["w0", "w9", "w3"]
        )
        for threads in (1, 2, 3)
    ]
    for model in models:
        assert all(
            (ours == theirs).all()
            for ours, theirs in zip(
                model._state.parameters.values(), models[0]._state.parameters.values(), strict=True
            )
        )
        np.testing.assert_allclose(model.vectors_["w0"], start["w0"], rtol=0, atol=1e-6)
    untrained = slow(name).fit(TEXT, start_from=start)
    np.testing.assert_allclose(models[0].vectors_["w9"], untrained.vectors_["w9"], rtol=0, atol=1e-6)
    assert np.abs(models[0].vectors_["w1"] - untrained.vectors_["w1"]).max() > 1e-5


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_all_rows_of_ngrams_come_from_vectors_with_ngrams(model):
    start = fastvec.FastText(seed=3, **NGRAMS, **SMALL).fit(OTHER).vectors_
    made = fastvec.FastText(model=model, **NGRAMS, **SMALL).fit(
        [*TEXT, ["new"]], start_from=start, freeze=True
    )
    vectors = made.vectors_
    for word in set(vectors.words) & set(start.words):
        assert vectors[word].tobytes() == start[word].tobytes()
    rows = vectors.input_vectors
    np.testing.assert_array_equal(rows[len(vectors) :], start.input_vectors[len(start) :])
    learning = fastvec.FastText(**NGRAMS, **SMALL).fit(TEXT, start_from=start)
    assert (
        learning.vectors_.input_vectors[len(learning.vectors_) :] != start.input_vectors[len(start) :]
    ).any()


def test_ngrams_must_be_the_same():
    start = fastvec.FastText(**NGRAMS, **SMALL).fit(OTHER).vectors_
    other = fastvec.FastText(**NGRAMS | {"buckets": 51}, **SMALL)
    with pytest.raises(
        ValueError, match="min_n, max_n and buckets must be those of start_from, 2, 3 and 50, got 2, 3 and 51"
    ):
        other.fit(TEXT, start_from=start)
    plain = Vectors(start.words, start.vectors)
    made = other.fit(TEXT, start_from=plain, freeze=True)
    np.testing.assert_allclose(made.vectors_["w0"], start["w0"], rtol=0, atol=1e-6)


def test_a_model_gives_its_output_vectors_too():
    before = fastvec.SkipGram(**SMALL).fit(OTHER)
    model = fastvec.SkipGram(**SMALL | {"epochs": 1}, learning_rate=1e-12).fit(TEXT, start_from=before)
    i, j = model.vectors_.index("w0"), before.vectors_.index("w0")
    np.testing.assert_allclose(model.output_vectors_[i], before.output_vectors_[j], atol=1e-6)
    plain = fastvec.SkipGram(**SMALL | {"epochs": 1}, learning_rate=1e-12)
    assert np.abs(plain.fit(TEXT, start_from=before.vectors_).output_vectors_).max() < 1e-6
    tree = fastvec.SkipGram(loss="hierarchical_softmax", **SMALL).fit(TEXT, start_from=before)
    assert tree.vectors_.vector_size == D


@pytest.mark.parametrize("name", ["skipgram negative_sampling", "fasttext", "sum"])
def test_resumed_training_is_that_without_interruption(name, tmp_path):
    start = start_vectors()
    given = {"start_from": start, "freeze": ["w0"]}
    whole = fresh(name, epochs=3).fit(TEXT, **given)
    path = tmp_path / "run.fvec"
    stopping = fresh(name, epochs=3, callbacks=[lambda model: model.stop()])
    stopping.fit(TEXT, checkpoint=path, **given)
    for changed in ({}, {"start_from": start}, given | {"freeze": ["w3"]}, {"freeze": ["w0"]}):
        with pytest.raises(ValueError, match=r"(start_from|freeze) must be the same"):
            fresh(name, epochs=3).fit(TEXT, checkpoint=path, resume=True, **changed)
    resumed = fresh(name, epochs=3).fit(TEXT, checkpoint=path, resume=True, **given)
    for matrix, learned in whole._state.parameters.items():
        assert learned.tobytes() == resumed._state.parameters[matrix].tobytes()
    loaded = fastvec.load_model(path).fit(TEXT)
    assert np.abs(loaded.vectors_["w0"] - whole.vectors_["w0"]).max() > 1e-5


def test_new_words_start_from_given_vectors():
    model = fastvec.SkipGram(**SMALL).fit(TEXT)
    before = model.vectors_
    start = Vectors(["new", "w0"], np.ones((2, D)))
    with pytest.raises(ValueError, match="start_from must be None after the first call of fit"):
        model.fit(OTHER, start_from=start)
    more = [*OTHER, ["new", "w0"]]
    model.fit(more, start_from=start, update_vocabulary=True, freeze=["new", *before.words])
    np.testing.assert_array_equal(model.vectors_["new"], np.ones(D))
    for word in before.words:
        assert model.vectors_[word].tobytes() == before[word].tobytes()
    with pytest.raises(ValueError, match="start_from must have new words of"):
        model.fit(more, start_from=start, update_vocabulary=True)
    with pytest.raises(ValueError, match="start_from must be None after the first call"):
        fastvec.GloVe(vector_size=D, min_count=1, epochs=1).fit(TEXT).fit(TEXT, start_from=start)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"start_from": "vectors.fvec"}, "TypeError: start_from must be Vectors, which fastvec.load reads"),
        ({"start_from": start_vectors(D + 1)}, "ValueError: start_from must have 12 dimensions .* got 13"),
        ({"start_from": start_vectors(words=["x"])}, "ValueError: start_from must have words of"),
        ({"start_from": fastvec.SkipGram()}, "AttributeError: .* before fit"),
        ({"freeze": True}, "ValueError: freeze must be a list of words unless start_from is given"),
        ({"freeze": "w0"}, "TypeError: freeze must be a list of words, True or False, got 'w0'"),
        ({"freeze": 3}, "TypeError: freeze must be a list of words, True or False, got 3"),
        ({"freeze": ["x", "y"]}, "ValueError: freeze must have words of the vocabulary, got none"),
        ({"freeze": [2.5]}, "TypeError: freeze must be a str or an int"),
    ],
)
@pytest.mark.parametrize("name", ["skipgram negative_sampling", "sum"])
def test_bad_input(name, given, error):
    kind, message = error.split(": ", 1)
    with pytest.raises(Exception, match=message) as raised:
        fresh(name).fit(TEXT, **given)
    assert type(raised.value).__name__ == kind


def test_ids_of_products_and_no_words_to_freeze():
    baskets = [[1, 2, 3], [2, 3, 4]] * 20
    start = Vectors([1, 2], np.ones((2, D)))
    model = fastvec.SkipGram(**SMALL).fit(baskets, start_from=start, freeze=[1, 2])
    np.testing.assert_array_equal(model.vectors_[[1, 2]], np.ones((2, D)))
    assert (fastvec.SkipGram(**SMALL).fit(baskets, start_from=start, freeze=[]).vectors_[1] != 1).any()


def test_vectors_of_documents_are_not_those_of_words():
    documents = fastvec.DocVectors(model="dm", **SMALL).fit(TEXT)
    with pytest.raises(ValueError, match=r"vectors_ are those of words, got DocVectors.* its word_vectors_"):
        fastvec.SkipGram(**SMALL).fit(TEXT, start_from=documents)
    start = documents.word_vectors_
    made = fastvec.SkipGram(**SMALL).fit(TEXT, start_from=start, freeze=["w0"])
    np.testing.assert_array_equal(made.vectors_["w0"], start["w0"])


def test_from_the_command_line(tmp_path, capsys):
    text, start, out = (str(tmp_path / name) for name in ("text.txt", "start.vec", "out.fvec"))
    (tmp_path / "text.txt").write_text("\n".join(map(" ".join, TEXT)), encoding="utf-8")
    start_vectors().save(start)
    verb = ["train", text, "-o", out, "-q", "--vector-size", str(D), "--min-count", "1"]
    assert cli.main([*verb, "--start-from", start, "--freeze"]) == 0
    np.testing.assert_array_equal(fastvec.load(out)["w0"], start_vectors()["w0"])
    assert cli.main([*verb, "--start-from", start]) == 0
    assert (fastvec.load(out)["w0"] != start_vectors()["w0"]).any()
    for given, message in (
        (["--freeze"], "--freeze needs --start-from"),
        (
            ["--model", "svd", "--start-from", start],
            "--start-from is an option of skipgram, cbow, fasttext and glove",
        ),
    ):
        assert cli.main([*verb, *given]) != 0
        assert message in capsys.readouterr().err


def test_subword_vectors_start_words_without_ngrams():
    start = SubwordVectors(["w0"], np.ones((51, D)), Subwords(2, 3, 50))
    made = fastvec.SkipGram(**SMALL).fit(TEXT, start_from=start, freeze=True)
    np.testing.assert_array_equal(made.vectors_["w0"], np.ones(D))
