"""Classifiers and vectorizers of texts are estimators as scikit-learn's own: its checks, pipelines, searches.

Its checks train on numbers, and skip what takes texts. Here they get estimators that make words of numbers.
"""

from copy import deepcopy

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from fastvec import Vectors
from fastvec.classify import SoftmaxClassifier, TextClassifier, TextVectorizer

pytestmark = pytest.mark.any_backend(trains=True)

SIGNS = [f"{place}{sign}" for place in range(10) for sign in "-+"]
STEPS = [f"{place}:{step}" for place in range(10) for step in range(-20, 21)]
random = np.random.default_rng(0)
VECTORS = Vectors(SIGNS + STEPS, random.standard_normal((len(SIGNS) + len(STEPS), 5)))


def words_of(X):
    """For every number a word of its sign and one of its size."""
    return [
        [f"{place}{'+' if value > 0 else '-'}" for place, value in enumerate(row)]
        + [f"{place}:{round(2 * min(10, max(-10, value)))}" for place, value in enumerate(row)]
        for row in X
    ]


class OnNumbers:
    """What both need to be given numbers."""

    def _known(self, X):
        check_is_fitted(self)
        return words_of(validate_data(self, X, reset=False))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string = True, False
        if tags.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = []  # it does not give numbers back in their type
        return tags


class NumberClassifier(OnNumbers, TextClassifier):
    def fit(self, X, y):
        X, y = validate_data(self, X, y)
        return super().fit(words_of(X), y)

    def partial_fit(self, X, y, classes=None):
        X, y = validate_data(self, X, y, reset=not hasattr(self, "classes_"))
        return super().partial_fit(words_of(X), y, classes=classes)

    def predict(self, X):
        return super().predict(self._known(X))

    def predict_proba(self, X):
        return super().predict_proba(self._known(X))


class NumberVectorizer(OnNumbers, TextVectorizer):
    def fit(self, X, y=None):
        return super().fit(words_of(validate_data(self, X)), y)

    def transform(self, X):
        return super().transform(self._known(X))


POOLINGS = ["mean", "sif", "tfidf"]
ON_NUMBERS = [
    NumberClassifier(vector_size=10, epochs=20, threads=1),
    NumberClassifier(vector_size=10, epochs=20, word_ngrams=2, buckets=100, learning_rate=0.1, threads=1),
    *(NumberVectorizer(VECTORS, pooling=pooling) for pooling in POOLINGS),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@estimator_checks.parametrize_with_checks(ON_NUMBERS)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


ESTIMATORS = [TextClassifier(), TextVectorizer(VECTORS)]
WITHOUT_DATA = [
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_mixin_order",
    "check_get_params_invariance",
    "check_set_params",
]
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda given: type(given).__name__)


@pytest.mark.parametrize("name", WITHOUT_DATA)
@every_estimator
def test_checks_that_take_no_data(estimator, name):
    getattr(estimator_checks, name)(type(estimator).__name__, estimator)


@pytest.mark.parametrize("estimator", [TextClassifier(), TextVectorizer()])
def test_both_can_be_made_without_arguments(estimator):
    estimator_checks.check_parameters_default_constructible(type(estimator).__name__, estimator)


@every_estimator
def test_scikit_learn_is_told_that_they_take_texts(estimator):
    tags = get_tags(estimator).input_tags
    assert tags.string and not tags.two_d_array
    with pytest.warns(SkipTestWarning, match="Can't test estimator"):
        done = estimator_checks.check_estimator(estimator)
    assert [(each["check_name"], each["status"]) for each in done] == [
        ("check_estimator_cloneable", "passed")
    ]


# ---- Pipelines and searches -------------------------------------------------------------------------------

GOOD, BAD = ["good", "fine", "nice", "great"], ["bad", "poor", "dull", "awful"]


def opinions(n=80):
    """What counts stands between words that all texts have."""
    random = np.random.default_rng(0)
    y = random.choice(["+", "-"], n).tolist()
    X = [f"the {random.choice(GOOD if label == '+' else BAD)} film of the year" for label in y]
    return X, y


def vectors():
    random = np.random.default_rng(1)
    common = np.outer(np.ones(14), [0, 0, 3, 0])
    side = np.outer([1] * 4 + [-1] * 4 + [0] * 6, [1, 0, 0, 0])
    words = [*GOOD, *BAD, "the", "film", "of", "year", "a", "in"]
    return Vectors(words, common + side + 0.1 * random.standard_normal((14, 4)))


def test_clones_have_the_parameters_and_nothing_learned():
    X, y = opinions()
    for estimator in (TextClassifier(vectors(), word_ngrams=2, epochs=2), TextVectorizer(vectors())):
        estimator.fit(X, y)
        copy = clone(estimator)
        assert copy.vectors is estimator.vectors  # they never change
        assert copy.get_params() == estimator.get_params()
        assert set(vars(copy)) == set(estimator.get_params())
        assert repr(copy) == repr(estimator)


def test_copies_go_on_as_the_original_does():
    X, y = opinions()
    model = TextClassifier(word_ngrams=2, vector_size=5, threads=1).fit(X, y)
    copy = deepcopy(model)
    for each in (model, copy):
        each.partial_fit(X, y)
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    vectorizer = TextVectorizer(vectors(), pooling="sif").fit(X)
    again = deepcopy(vectorizer)
    np.testing.assert_array_equal(again.transform(X), vectorizer.transform(X))


def test_folds_in_other_processes_are_those_of_this_one():
    X, y = opinions()
    for model in (
        TextClassifier(word_ngrams=2, vector_size=5, threads=1),
        make_pipeline(TextVectorizer(vectors(), pooling="sif"), SoftmaxClassifier()),
    ):
        here, elsewhere = (cross_val_score(model, X, y, cv=2, n_jobs=n) for n in (1, 2))
        np.testing.assert_array_equal(here, elsewhere)


def test_vectors_of_documents_are_features():
    X, y = opinions()
    pipeline = make_pipeline(TextVectorizer(vectors()), SoftmaxClassifier(epochs=100, learning_rate=0.05))
    assert pipeline.fit(X, y).score(X, y) > 0.95
    assert cross_val_score(pipeline, X, y, cv=3, error_score="raise").min() > 0.9
    assert list(pipeline[:-1].get_feature_names_out()) == [f"textvectorizer{i}" for i in range(4)]


def test_a_search_over_poolings():
    X, y = opinions()
    pipeline = make_pipeline(TextVectorizer(vectors()), SoftmaxClassifier(epochs=20, learning_rate=0.05))
    grid = {"textvectorizer__pooling": POOLINGS, "textvectorizer__smoothing": [1e-3, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.9
    assert len(search.cv_results_["params"]) == 6
    assert search.best_estimator_[0].vectors.words == vectors().words
    assert search.predict(["a dull film", "a nice film"]).tolist() == ["-", "+"]


def test_a_search_finds_that_bigrams_are_needed():
    label_of = {"good": 1, "not good": 0, "bad": 0, "not bad": 1}
    X = [f"{before} {what} {after}" for before in "abcde" for after in "vwxyz" for what in label_of]
    y = [label_of[text[2:-2]] for text in X]
    model = TextClassifier(vector_size=10, epochs=50, learning_rate=0.5)
    search = GridSearchCV(model, {"word_ngrams": [1, 2]}, cv=3, error_score="raise").fit(X, y)
    assert search.best_params_ == {"word_ngrams": 2}
    assert search.best_score_ > 0.95
    assert search.cv_results_["mean_test_score"][0] < 0.8
    lists = [text.split() for text in X]
    scores = cross_val_score(model.set_params(word_ngrams=2), lists, y, cv=3, error_score="raise")
    assert scores.shape == (3,) and scores.min() > 0.9
    chances = cross_val_predict(model, np.array(X, dtype=object), y, cv=3, method="predict_proba")
    assert chances.shape == (100, 2) and np.mean(chances.argmax(axis=1) == y) > 0.9
