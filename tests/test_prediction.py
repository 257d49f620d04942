"""What models of words predict, and how likely they say sentences are."""

import numpy as np
import pytest

import fastvec

pytestmark = pytest.mark.any_backend(trains=True)

TEXT = [["to", "be", "or", "not", "to", "be"], ["that", "is", "the", "question"]] * 30
SMALL = {"vector_size": 8, "min_count": 1, "epochs": 30, "window": 2, "threads": 1}
LOSSES = ["negative_sampling", "hierarchical_softmax", "softmax"]


def word_models():
    yield from (fastvec.SkipGram(loss=loss, **SMALL) for loss in [*LOSSES, "bpr"])
    yield from (fastvec.CBOW(loss=loss, **SMALL) for loss in LOSSES)
    yield fastvec.CBOW(pooling="sum", **SMALL | {"epochs": 60})
    for loss in LOSSES[:2]:
        yield from (fastvec.FastText(model=m, loss=loss, buckets=50, **SMALL) for m in ("skipgram", "cbow"))


@pytest.mark.parametrize("model", [*word_models()], ids=repr)
def test_the_word_in_the_middle(model):
    model = model.fit(TEXT)
    found = model.predict(["that", None, "the"], topn=10)
    assert found[0][0] == "is" or repr(model).startswith("SkipGram")
    assert "is" in [word for word, _ in found][:3]
    probabilities = model.predict(["that", "the"], topn=None)
    assert probabilities.sum() == pytest.approx(1, abs=1e-9)
    assert found == [
        (model.vocabulary_.words[i], pytest.approx(probabilities[i])) for i in np.argsort(-probabilities)[:10]
    ]
    assert len(model.predict(["that"], topn=3)) == 3
    same = model.predict(["unknown", "the"], topn=None)
    if not isinstance(model, fastvec.FastText):
        np.testing.assert_array_equal(same, model.predict(["the"], topn=None))


def test_places_have_weights():
    model = fastvec.CBOW(position_weights=True, **SMALL).fit(TEXT)
    left, right = model.predict(["to", None], topn=None), model.predict([None, "to"], topn=None)
    assert np.abs(left - right).max() > 1e-3
    x, i = model.vectors_["to"].astype(np.float64), model.vectors_.index("to")
    for place, found in ((1, left), (2, right)):
        scores = model.output_vectors_ @ (x * model.position_weights_[place])
        np.testing.assert_allclose(found, np.exp(scores) / np.exp(scores).sum(), rtol=1e-6)
    far = model.predict(["or", "not", "to", None, "be", "or", "not"], topn=None)
    np.testing.assert_array_equal(far, model.predict(["not", "to", None, "be", "or"], topn=None))
    assert i >= 0
    with pytest.raises(ValueError, match=r"context must have None in the place .* got \['to'\]"):
        model.predict(["to"])


@pytest.mark.parametrize("cls", [fastvec.SkipGram, fastvec.CBOW])
@pytest.mark.parametrize("loss", LOSSES[1:])
def test_the_log_likelihood_is_that_of_the_definition(cls, loss):
    model = cls(loss=loss, **SMALL).fit(TEXT)
    sentence = ["to", "unknown", "be", "or", "not", "the"]
    words = [word for word in sentence if word != "unknown"]
    expected = 0
    for i, word in enumerate(words):
        contexts = words[max(0, i - 2) : i] + words[i + 1 : i + 3]
        if cls is fastvec.CBOW:
            expected += np.log(model.predict(contexts, topn=None)[model.vectors_.index(word)])
            continue
        for context in contexts:
            given, other = (context, word) if loss == "hierarchical_softmax" else (word, context)
            expected += np.log(model.predict([given], topn=None)[model.vectors_.index(other)])
    scores = model.score([sentence, [], ["to"], ["unknown"]])
    np.testing.assert_allclose(scores, [expected, 0, 0, 0], rtol=1e-6)
    assert model.score([TEXT[0]])[0] > model.score([["the", "to", "question", "or", "is", "be"]])[0]


@pytest.mark.parametrize("own", [{}, {"model": "cbow"}, {"model": "cbow", "pooling": "sum"}])
def test_the_log_likelihood_of_words_with_ngrams(own):
    model = fastvec.FastText(loss="hierarchical_softmax", buckets=50, **SMALL, **own).fit(TEXT)
    words, expected = ["to", "be", "or", "not"], 0
    for i, word in enumerate(words):
        contexts = words[max(0, i - 2) : i] + words[i + 1 : i + 3]
        for inputs, target in [(contexts, word)] if own else [([word], context) for context in contexts]:
            expected += np.log(model.predict(inputs, topn=None)[model.vectors_.index(target)])
    np.testing.assert_allclose(model.score([[*words[:2], "unknown", *words[2:]]]), [expected], rtol=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "sum"])
def test_a_context_is_a_mean_or_a_sum(pooling):
    for model in (
        fastvec.CBOW(pooling=pooling, **SMALL),
        fastvec.FastText(model="cbow", pooling=pooling, buckets=50, **SMALL),
    ):
        model = model.fit(TEXT)
        rows, of_ngrams = model._state.parameters["input_vectors"], []
        if isinstance(model, fastvec.FastText):
            of_ngrams = [model.vectors_.subwords.ngram_rows(word, 8) for word in ("to", "not")]
            assert len(of_ngrams[1]) > 3
        places = [model.vectors_.index(word) for word in ("to", "not")]
        rows = rows[np.concatenate([places, *of_ngrams]).astype(int)]
        scores = model.output_vectors_ @ getattr(rows.astype(np.float64), pooling)(axis=0)
        found = model.predict(["to", "not"], topn=None)
        np.testing.assert_allclose(found, np.exp(scores) / np.exp(scores).sum(), rtol=1e-6)


@pytest.mark.parametrize("cls", [fastvec.SkipGram, fastvec.CBOW])
def test_scores_and_predictions_are_those_of_gensim(cls):
    from gensim.models import Word2Vec

    sg = int(cls is fastvec.SkipGram)
    peer = Word2Vec(TEXT, vector_size=8, min_count=1, window=2, hs=1, negative=0, sg=sg, seed=1, workers=1)
    # gensim leaves scores beyond 6 out, and takes others from a table at a place up to 0.05 too low
    model = cls(loss="hierarchical_softmax", **SMALL | {"epochs": 5}).fit(TEXT)
    state = model._state
    offsets, nodes, codes = state.tree.paths()
    for word, entry in peer.wv.key_to_index.items():
        w = model.vectors_.index(word)
        path = slice(offsets[w], offsets[w + 1])
        peer.wv.vectors[entry] = model.vectors_[word]
        peer.wv.set_vecattr(word, "point", nodes[path].astype(np.uint32))
        peer.wv.set_vecattr(word, "code", codes[path].astype(np.uint8))
    peer.syn1 = model.node_vectors_.copy()
    sentences = [["to", "be", "or", "not"], ["the", "question", "is", "to", "be"]]
    np.testing.assert_allclose(peer.score(sentences, total_sentences=2), model.score(sentences), rtol=0.03)

    peer = Word2Vec(TEXT, vector_size=8, min_count=1, window=2, negative=3, sg=sg, seed=1, workers=1)
    model = cls(loss="negative_sampling", **SMALL).fit(TEXT)
    for word, entry in peer.wv.key_to_index.items():
        peer.wv.vectors[entry] = model.vectors_[word]
        peer.syn1neg[entry] = model.output_vectors_[model.vectors_.index(word)]
    context = ["to", "or", "not"]
    theirs, ours = peer.predict_output_word(context, topn=5), model.predict(context, topn=5)
    assert [word for word, _ in ours] == [word for word, _ in theirs]
    np.testing.assert_allclose([p for _, p in ours], [p for _, p in theirs], rtol=1e-4)


def test_bad_input():
    model = fastvec.SkipGram(**SMALL | {"epochs": 1}).fit(TEXT)
    for context, error, message in (
        ("to be", TypeError, "context must be a list of words, got 'to be'"),
        ([], ValueError, r"context must have a word that the model knows, got \[\]"),
        (["unknown", None], ValueError, "context must have a word that the model knows, got"),
        ([2.5], TypeError, "context must be a str or an int, got 2.5"),
    ):
        with pytest.raises(error, match=message):
            model.predict(context)
    with pytest.raises(ValueError, match="topn must be an int >= 1, got 0"):
        model.predict(["to"], topn=0)
    for each in (model, fastvec.FastText(buckets=50, **SMALL | {"epochs": 1}).fit(TEXT)):
        exact = "" if isinstance(each, fastvec.FastText) else " or 'softmax'"
        with pytest.raises(ValueError, match=f"loss must be 'hierarchical_softmax'{exact} to score"):
            each.score([["to", "be"]])
    for call in (lambda: fastvec.CBOW().predict(["a"]), lambda: fastvec.CBOW().score([["a"]])):
        with pytest.raises(AttributeError, match=r"CBOW has no vectors_ to (predict|score) with before fit"):
            call()


def test_parameters_must_be_those_of_the_training():
    model = fastvec.SkipGram(loss="softmax", **SMALL | {"epochs": 1}).fit(TEXT)
    model.set_params(loss="hierarchical_softmax")
    for call in (
        lambda: model.predict(["to"]),
        lambda: model.score(TEXT[:1]),
        lambda: model.check_gradient(TEXT[:1]),
    ):
        with pytest.raises(ValueError, match="loss must be 'softmax' as in the training so far, got 'hier"):
            call()


def test_attributes_of_a_model_that_is_fitted():
    model = fastvec.SkipGram(vector_size=4, epochs=1, threads=1, loss="hierarchical_softmax").fit(TEXT)
    with pytest.raises(AttributeError, match="SkipGram was trained without output_vectors_"):
        _ = model.output_vectors_
    assert not hasattr(model, "output_vectors_")
    assert hasattr(model, "node_vectors_")
