"""`check_gradient` of every model that is trained by steps, and errors that it finds."""

import numpy as np
import pytest

import fastvec
from fastvec.reference import glove, losses, mean, skipgram, softmax

pytestmark = pytest.mark.any_backend(trains=True)

TEXT = [["to", "be", "or", "not", "to", "be"], ["that", "is", "the", "question"]] * 20
SMALL = {"vector_size": 4, "min_count": 1, "epochs": 10, "window": 2, "threads": 1}
FEW = {"sample": 40}
EXACT = 1e-5
WORD_MODELS = [
    *(
        fastvec.SkipGram(loss=loss, **SMALL)
        for loss in ("negative_sampling", "bpr", "hierarchical_softmax", "softmax")
    ),
    fastvec.SkipGram(negative_sharing="none", dynamic_window=False, **SMALL),
    *(fastvec.CBOW(loss=loss, **SMALL) for loss in ("negative_sampling", "hierarchical_softmax", "softmax")),
    *(
        fastvec.CBOW(loss=loss, pooling="sum", **SMALL)
        for loss in ("negative_sampling", "hierarchical_softmax", "softmax")
    ),
    *(fastvec.CBOW(position_weights=True, pooling=pooling, **SMALL) for pooling in ("mean", "sum")),
    *(
        fastvec.FastText(loss=loss, buckets=50, scale_gradient=True, **own, **SMALL)
        for loss in ("negative_sampling", "hierarchical_softmax")
        for own in ({}, {"model": "cbow"}, {"model": "cbow", "pooling": "sum"})
    ),
]
GLOVES = [fastvec.GloVe(vector_size=4, min_count=1, epochs=5, combine=combine) for combine in ("sum", "word")]


def parameters_of(model):
    """Return copies of the matrices, which `check_gradient` leaves as they are."""
    return [model.vectors_.vectors.copy(), *(matrix.copy() for matrix in model._state.parameters.values())]


@pytest.mark.parametrize("model", [*WORD_MODELS, *GLOVES], ids=repr)
def test_every_model_follows_the_gradient(model):
    model.fit(TEXT)
    before = parameters_of(model)
    report = model.check_gradient(TEXT[:2], **FEW)
    assert report.checked == 40
    assert report.max_relative_error < EXACT
    assert report == model.check_gradient(TEXT[:2], **FEW)
    for was, now in zip(before, parameters_of(model), strict=True):
        np.testing.assert_array_equal(was, now)


def test_scores_beyond_the_range_of_the_sigmoid_are_exact():
    model = fastvec.CBOW(**SMALL | {"epochs": 60}).fit(TEXT)
    scores = model.vectors_.vectors @ model.output_vectors_.T
    assert np.abs(scores).max() > 8
    assert model.check_gradient(TEXT[:2], **FEW).max_relative_error < EXACT


@pytest.mark.parametrize("cls", [fastvec.CBOW, fastvec.FastText])
def test_gradients_that_are_not_scaled_are_none(cls):
    sizes = {"buckets": 50} if cls is fastvec.FastText else {}
    model = cls(scale_gradient=False, **SMALL, **sizes).fit(TEXT)
    report = model.check_gradient(TEXT[:2], **FEW)
    assert not report.ok(0.1)
    assert report.worst[0] == "input_vectors"


def test_all_rows_that_take_part_are_checked():
    model = fastvec.SkipGram(**SMALL, loss="softmax").fit(TEXT)
    assert model.check_gradient([["to", "be"]]).checked == (2 + len(model.vectors_)) * 4


def wrong(function, factor=1.02):
    """Return a loss whose derivative is 2 % too large."""

    def changed(*arguments):
        errors, costs = function(*arguments)
        return errors * factor, costs

    return changed


@pytest.mark.parametrize("factor", [1.02, 0.0])
def test_a_wrong_step_is_found(monkeypatch, factor):
    model = fastvec.SkipGram(**SMALL).fit(TEXT)
    monkeypatch.setitem(losses.LOSSES, "negative_sampling", wrong(losses.logistic, factor))
    report = model.check_gradient(TEXT[:2], **FEW)
    assert report.max_relative_error == pytest.approx(abs(factor - 1) / (1 + factor), rel=1e-3)


def test_contexts_that_stay_are_found(monkeypatch):
    model = fastvec.SkipGram(**SMALL).fit(TEXT)
    in_turn = skipgram.move_in_turn
    everything = np.ones(len(model.vectors_), np.uint8)
    monkeypatch.setattr(skipgram, "move_in_turn", lambda *arguments: in_turn(*arguments[:-1], everything))
    report = model.check_gradient(TEXT[:2])
    assert report.worst[0] == "input_vectors"
    assert (report.analytic, report.max_relative_error) == (0, 1)


def test_a_missing_divisor_is_found(monkeypatch):
    model = fastvec.CBOW(**SMALL, loss="softmax").fit(TEXT)
    monkeypatch.setattr(softmax, "divisors", lambda rows, *_: mean.divisors(rows, True, False))
    report = model.check_gradient(TEXT[:2], **FEW)
    assert report.worst[0] == "input_vectors"
    assert not report.ok(0.1)


def test_a_wrong_step_of_glove_is_found(monkeypatch):
    model = fastvec.GloVe(vector_size=4, min_count=1, epochs=5).fit(TEXT)
    step = glove.step

    def without_weight(*arguments):
        *others, weight, learning_rate = arguments
        return step(*others, weight, learning_rate * 1.02)

    monkeypatch.setattr(glove, "step", without_weight)
    report = model.check_gradient(TEXT)
    assert report.max_relative_error == pytest.approx(0.02 / 2.02, rel=1e-3)


def test_glove_checks_counts_and_texts_alike():
    model = fastvec.GloVe(vector_size=4, min_count=1, epochs=5, window=3).fit(TEXT)
    counts = fastvec.Cooccurrence(window=3, min_count=1).fit(TEXT)
    assert model.check_gradient(counts) == model.check_gradient(TEXT)
    assert model.check_gradient(counts).checked == 2 * len(model.vectors_) * (4 + 1)
    other = fastvec.Cooccurrence(window=3, min_count=1).fit([["unknown", "to", "be"]])
    assert model.check_gradient(other).checked == 2 * 2 * (4 + 1)


@pytest.mark.parametrize(
    ("sentences", "options", "message"),
    [
        ([["to"], ["be"]], {}, r"sentences must have one with two words that the model knows, got none"),
        ([["to", "no"]], {}, r"sentences must have one with two words that the model knows, got none"),
        ([["no", "such"]], {}, r"sentences must have one with two words that the model knows, got none"),
        (TEXT[:1], {"seed": -1}, r"seed must be an int >= 0, got -1"),
        (TEXT[:1], {"sample": 0}, r"sample must be an int >= 1, got 0"),
        (TEXT[:1], {"epsilon": 0}, r"epsilon must be a number > 0, got 0"),
    ],
)
def test_bad_input(sentences, options, message):
    model = fastvec.SkipGram(**SMALL | {"epochs": 1}).fit(TEXT)
    with pytest.raises(ValueError, match=message):
        model.check_gradient(sentences, **options)


def test_before_fit_and_without_counts():
    for model in (fastvec.SkipGram(), fastvec.GloVe()):
        with pytest.raises(AttributeError, match=r"has no vectors_ to check the gradient of before fit"):
            model.check_gradient(TEXT)
    model = fastvec.GloVe(vector_size=4, min_count=1, epochs=1).fit(TEXT)
    with pytest.raises(ValueError, match=r"source must have counts of words that the model knows, got none"):
        model.check_gradient(fastvec.Cooccurrence(min_count=1).fit([["no", "such"]]))
    with pytest.raises(ValueError, match=r"vocabulary must have a word of"):
        model.check_gradient([["no", "such"]])
