"""Every loss of every model: that it learns, that it says what it needs, and which step size it takes."""

import inspect

import numpy as np
import pytest
from inside import set_sizes
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import fastvec
from fastvec.models.losses import LOSSES, losses_of

VARIANTS = [
    *[(fastvec.SkipGram, {"loss": loss}) for loss in losses_of("SkipGram")],
    *[
        (fastvec.CBOW, {"loss": loss, "scale_gradient": scale})
        for loss in losses_of("CBOW")
        for scale in (True, False)
    ],
    *[(fastvec.CBOW, {"loss": loss, "pooling": "sum"}) for loss in losses_of("CBOW")],
    (fastvec.CBOW, {"pooling": "sum", "scale_gradient": False}),
    (fastvec.CBOW, {"position_weights": True}),
    (fastvec.CBOW, {"position_weights": True, "pooling": "sum"}),
    (fastvec.FastText, {"model": "skipgram", "min_n": 0, "max_n": 0}),
    (fastvec.FastText, {"model": "cbow", "min_n": 0, "max_n": 0, "learning_rate": 0.02}),
    (fastvec.FastText, {"model": "cbow", "min_n": 0, "max_n": 0, "scale_gradient": True}),
    *[
        (fastvec.FastText, {"loss": "hierarchical_softmax", "min_n": 0, "max_n": 0, **own})
        for own in ({}, {"model": "cbow"}, {"model": "cbow", "pooling": "sum"})
    ],
]

ONE_BACKEND = pytest.mark.any_backend(trains=True)


def first_of_each_loss(variants):
    """Return variants, of which the first of a model and a loss is for every backend, the others for one."""
    seen, marked = set(), []
    for estimator, params in variants:
        loss = estimator, params.get("loss", "negative_sampling")
        marked.append(pytest.param(estimator, params, marks=ONE_BACKEND if loss in seen else ()))
        seen.add(loss)
    return marked


def small(estimator, **params):
    defaults = {"vector_size": 12, "min_count": 1, "threads": 1, "epochs": 2, "subsample": 0.01}
    if issubclass(estimator, fastvec.FastText):
        defaults["buckets"] = 200
    return estimator(**{**defaults, **params})


@pytest.mark.parametrize(("estimator", "params"), first_of_each_loss(VARIANTS))
def test_words_that_share_contexts_end_up_near(estimator, params, topics):
    # every negative moves its target, every context the whole sum
    rate = 0.02 if params.get("loss") == "bpr" or "sum" in params.values() else 0.1
    model = small(estimator, **({"epochs": 12, "learning_rate": rate} | params)).fit(topics(100))
    vectors = model.vectors_
    for topic in ("sea", "sky", "war"):
        neighbours = [word for word, _ in vectors.most_similar(f"{topic}3", topn=8)]
        assert sum(word.startswith(topic) for word in neighbours) >= 7, neighbours
    losses = [epoch.loss for epoch in model.history_]
    assert losses[-1] < 0.95 * losses[0]


@ONE_BACKEND
@pytest.mark.parametrize(("estimator", "params"), VARIANTS)
def test_one_thread_and_one_seed_give_the_same_vectors_bit_for_bit(estimator, params, topics):
    first, second, other = (
        small(estimator, **params, seed=seed).fit(topics(40)).vectors_.vectors for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


@ONE_BACKEND
@pytest.mark.parametrize(("estimator", "params"), VARIANTS)
def test_what_was_learned_has_the_shapes_that_are_told(estimator, params, topics):
    model = small(estimator, **params)
    with pytest.raises(AttributeError, match=f"{estimator.__name__} has no vectors_ before fit"):
        _ = model.vectors_
    model.fit(topics(40))
    n = len(model.vocabulary_)
    assert model.vectors_.vectors.shape == (n, 12)
    if params.get("loss") == "hierarchical_softmax":
        assert model.node_vectors_.shape == (n - 1, 12)
        assert len(model.tree_.paths().offsets) == n + 1
        absent = ["output_vectors_", "position_weights_"]
    else:
        assert model.output_vectors_.shape == (n, 12)
        absent = ["node_vectors_", "tree_"]
    for name in absent:
        assert not hasattr(model, name)


def test_no_row_of_the_table_is_without_a_model():
    assert {estimator(**params)._loss() for estimator, params in VARIANTS} == set(LOSSES)
    assert len({(row.model, row.name) for row in LOSSES}) == len(LOSSES)


@ONE_BACKEND
def test_the_step_size_is_told_as_it_was_given_and_as_it_was(topics):
    model = small(fastvec.CBOW).fit(topics(40))
    assert model.get_params()["learning_rate"] is None
    assert model.vectors_.metadata["learning_rate"] == model.first_learning_rate() == 0.15
    assert fastvec.CBOW(scale_gradient=False).first_learning_rate() == 0.075
    assert fastvec.CBOW(pooling="sum").first_learning_rate() == 0.03
    assert fastvec.CBOW(pooling="sum", scale_gradient=False).first_learning_rate() == 0.1
    assert fastvec.FastText(model="cbow", pooling="sum").first_learning_rate() == 0.05
    with pytest.raises(ValueError, match=r"min_learning_rate must be a number >= 0 and <= 0.15, got 0.16"):
        small(fastvec.CBOW, min_learning_rate=0.16).check_params()


@ONE_BACKEND
@pytest.mark.parametrize("estimator", [fastvec.SkipGram, fastvec.CBOW, fastvec.FastText])
def test_a_class_of_ones_own_may_be_derived(estimator, topics):
    class Own(estimator):
        pass

    assert small(Own).fit(topics(20)).vectors_.metadata["estimator"] == "Own"


@ONE_BACKEND
@pytest.mark.parametrize(
    "model",
    [
        fastvec.SkipGram(),
        fastvec.CBOW(),
        fastvec.FastText(buckets=100),
        fastvec.GloVe(),
        fastvec.PPMI_SVD(),
    ],
)
def test_a_model_is_the_last_step_of_a_pipeline(model, topics):
    """scikit-learn's pipelines hand a y to each of their steps, and its searches copy them."""
    model = model.set_params(vector_size=4, min_count=1, threads=1)
    lower = FunctionTransformer(lambda texts: [[word.lower() for word in text] for text in texts])
    texts = [[word.upper() for word in text] for text in topics(40)]
    pipeline = clone(make_pipeline(lower, model)).fit(texts, range(40))
    vectors, expected = pipeline[-1].vectors_, model.fit(topics(40)).vectors_
    assert vectors.words == expected.words
    np.testing.assert_array_equal(vectors.vectors, expected.vectors)


def test_constructors_take_the_same_names_and_keywords_only():
    parameters = {
        estimator: inspect.signature(estimator).parameters
        for estimator in (fastvec.SkipGram, fastvec.CBOW, fastvec.FastText)
    }
    common = set.intersection(*map(set, parameters.values()))
    assert {"vector_size", "window", "negatives", "learning_rate", "callbacks"} <= common
    assert set(parameters[fastvec.SkipGram]) - common == {"negative_sharing"}
    assert set(parameters[fastvec.CBOW]) - common == {"pooling", "scale_gradient", "position_weights"}
    own = {"model", "pooling", "min_n", "max_n", "buckets", "hash_count", "scale_gradient"}
    assert set(parameters[fastvec.FastText]) - common == own
    assert all(p.kind is p.KEYWORD_ONLY for some in parameters.values() for p in some.values())


@pytest.mark.parametrize("estimator", [fastvec.SkipGram, fastvec.CBOW, fastvec.FastText])
def test_an_unknown_loss_is_refused(estimator):
    known = ", ".join(map(repr, losses_of(estimator.__name__)))
    assert known.startswith("'negative_sampling', ")
    with pytest.raises(ValueError, match=f"loss must be one of {known}, got 'hs'"):
        estimator(loss="hs").check_params()


@pytest.mark.parametrize("estimator", [fastvec.SkipGram, fastvec.CBOW, fastvec.FastText])
def test_a_tree_needs_two_words(estimator):
    with pytest.raises(
        ValueError, match="loss='hierarchical_softmax' needs two words, the vocabulary has one"
    ):
        small(estimator, loss="hierarchical_softmax").fit([["alone"] * 9])


@ONE_BACKEND
def test_a_softmax_over_many_words_says_what_it_costs(monkeypatch, topics):
    set_sizes(monkeypatch, many_words=38)
    with pytest.warns(UserWarning, match=r"over 39 words takes \de\+0\d multiply-adds per epoch") as caught:
        small(fastvec.SkipGram, loss="softmax", subsample=0).fit(topics(100))
    assert caught[0].filename == __file__
    # 1200 tokens, all kept, 3 · 39 · 12 multiply-adds each: 1.7 million.
    assert "2e+06 multiply-adds" in str(caught[0].message)


@ONE_BACKEND
def test_chunks_of_the_softmax_shrink_with_the_vocabulary():
    model = fastvec.SkipGram(loss="softmax", vector_size=100)
    sizes = [model._chunk(n, 10**6) for n in (100, 1000, 10_000, 20_000, 10**6)]
    assert sizes[0] == fastvec.SkipGram()._chunk(10**6, 10**6) == 8192
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] == pytest.approx(2 * sizes[3], rel=0.01)
    assert sizes[-1] == 64
