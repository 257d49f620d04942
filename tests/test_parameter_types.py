"""Parameters that are NumPy's: they mean what Python's mean, train the same, and can be saved."""

import copy
import pickle
from fractions import Fraction

import numpy as np
import pytest
from sklearn.base import clone
from window_texts import SENTENCES, TAGS

import fastvec
from fastvec import (
    CBOW,
    PPMI_SVD,
    Cooccurrence,
    Corpus,
    FastText,
    GloVe,
    Phrases,
    SkipGram,
    Vectors,
    gradcheck,
)
from fastvec._params import check_bool, check_choice, check_float, check_int, check_item
from fastvec.classify import (
    NetworkClassifier,
    NetworkRegressor,
    SoftmaxClassifier,
    TextClassifier,
    TextVectorizer,
    WindowClassifier,
    WindowRanker,
    load,
)

pytestmark = pytest.mark.any_backend(trains=True)

TEXT = [["a", "b", "c", "d"], ["b", "a", "d"]] * 30
IN_EPOCHS = {"vector_size": 200, "window": 200, "min_count": 2, "epochs": 2, "threads": 1, "seed": 3}
WORDS = {**IN_EPOCHS, "negatives": 100, "subsample": 0.0, "learning_rate": 0.03125, "max_vocab": 3}
NETWORK = {"epochs": 2, "batch_size": 8, "learning_rate": 0.03125, "l2": 0.125, "patience": 200}
WINDOWS = {
    **NETWORK,
    "window": 1,
    "vector_size": 150,
    "min_count": 1,
    "train_vectors": True,
    "vectors_l2": 0.25,
}
X, Y = np.eye(3)[[0, 1, 2] * 5], ["x", "y", "z"] * 5
DOCUMENTS, OPINIONS = ["a fine film", "a bad film"] * 5, ["+", "-"] * 5

MODELS = [
    SkipGram(**WORDS, loss="negative_sampling", negative_sharing="none"),
    CBOW(**WORDS, loss="hierarchical_softmax", scale_gradient=False),
    CBOW(**{**WORDS, "window": 130}, position_weights=True),
    FastText(**WORDS, model="cbow", min_n=2, max_n=3, buckets=200, scale_gradient=True),
    GloVe(**IN_EPOCHS, x_max=128.0, alpha=0.5, learning_rate=0.0625, symmetric=True),
    PPMI_SVD(vector_size=2, window=200, matrix="log", shift=2.0, seed=1, threads=1, min_count=1),
]
CLASSIFIERS = [
    (SoftmaxClassifier(**NETWORK, schedule="constant", early_stopping=True), X, Y),
    (NetworkClassifier(**NETWORK, hidden=200, activation="tanh"), X, Y),
    (NetworkRegressor(**NETWORK, hidden=200, activation="relu"), X, X),
    (
        TextClassifier(word_ngrams=2, buckets=200, vector_size=150, epochs=2, learning_rate=0.5, threads=1),
        DOCUMENTS,
        OPINIONS,
    ),
    (WindowClassifier(**WINDOWS, hidden=200, features=("case",)), SENTENCES, TAGS),
    (WindowRanker(**WINDOWS, hidden=200, margin=0.5), SENTENCES, None),
]


def numpys(value):
    """The same value as a scalar of NumPy's, the narrowest that has it."""
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, str):
        return np.str_(value)
    if isinstance(value, int):
        return np.min_scalar_type(value).type(value)
    if isinstance(value, float):
        return next(
            kind(value) for kind in (np.float16, np.float32, np.float64) if float(kind(value)) == value
        )
    return value


def of_numpys(estimator):
    given = estimator.get_params(deep=False)
    return type(estimator)(**{name: numpys(value) for name, value in given.items()})


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_models_train_the_same_and_can_be_saved(model, tmp_path):
    same = of_numpys(model)
    expected, found = (each.fit(TEXT).vectors_ for each in (model, same))
    assert found.words == expected.words
    np.testing.assert_array_equal(found.vectors, expected.vectors)
    assert found.metadata == expected.metadata
    found.save(tmp_path / "vectors.fvec")
    assert fastvec.load(tmp_path / "vectors.fvec").metadata == expected.metadata
    if hasattr(model, "save"):
        same.save(tmp_path / "model.fvec")
        again = fastvec.load_model(tmp_path / "model.fvec")
        assert again.get_params() == model.get_params()
        assert list(map(type, again.get_params().values())) == list(map(type, model.get_params().values()))


@pytest.mark.parametrize(("model", "X", "y"), CLASSIFIERS, ids=lambda given: type(given).__name__)
@pytest.mark.filterwarnings("ignore:train_vectors=True on a small data set")
def test_classifiers_train_the_same_and_can_be_saved(model, X, y, tmp_path):
    same = of_numpys(model)
    for each in (model, same):
        each.fit(X, y)
    for name, parameter in model.parameters_.items():
        np.testing.assert_array_equal(same.parameters_[name], parameter)
    same.save(tmp_path / "model.fvmodel")
    again = load(tmp_path / "model.fvmodel")
    for name, parameter in model.parameters_.items():
        np.testing.assert_array_equal(again.parameters_[name], parameter)


def test_phrases_counts_and_vectorizers_can_be_saved(tmp_path):
    phrases = of_numpys(Phrases(min_count=1, threshold=0.5, passes=2)).fit(TEXT)
    phrases.save(tmp_path / "phrases")
    assert Phrases.load(tmp_path / "phrases").pairs_ == phrases.pairs_
    assert phrases.pairs_ == Phrases(min_count=1, threshold=0.5, passes=2).fit(TEXT).pairs_
    counts = of_numpys(Cooccurrence(window=200, min_count=1, max_vocab=200, threads=1)).fit(TEXT)
    counts.save(tmp_path / "counts")
    assert Cooccurrence.load(tmp_path / "counts").window == 200
    assert counts["a", "b"] == Cooccurrence(window=200, min_count=1).fit(TEXT)["a", "b"]
    vectorizer = of_numpys(TextVectorizer(Vectors(["a"], [[1.0]]), pooling="sif", smoothing=0.5)).fit(["a b"])
    vectorizer.save(tmp_path / "vectorizer.fvmodel")
    assert load(tmp_path / "vectorizer.fvmodel").smoothing == 0.5


ALL = [*MODELS, *(model for model, *_ in CLASSIFIERS), Phrases(), Cooccurrence()]


@pytest.mark.parametrize("estimator", ALL, ids=lambda estimator: type(estimator).__name__)
def test_estimators_are_cloned_and_copied(estimator):
    same = of_numpys(estimator)
    set_later = type(same)().set_params(**{k: numpys(v) for k, v in estimator.get_params().items()})
    for copied in (same, set_later, clone(same), copy.deepcopy(same), pickle.loads(pickle.dumps(same))):
        assert copied.get_params() == estimator.get_params()
        assert not any(isinstance(value, np.generic) for value in copied.get_params().values())
        assert repr(copied) == repr(estimator)


def test_a_number_that_no_file_could_hold_is_refused_at_the_start():
    with pytest.raises(TypeError, match=r"threads must be an int from 1 to 4096, got 1\.0"):
        SkipGram(threads=np.float32(1)).check_params()
    with pytest.raises(ValueError, match=r"learning_rate must be a number > 0, got inf"):
        SkipGram(learning_rate=np.float32(np.inf)).check_params()
    with pytest.raises(TypeError, match=r"progress must be True or False, got 1"):
        SkipGram(progress=np.int64(1)).check_params()
    with pytest.raises(TypeError, match=r"window must be an int from 1 to 1000, got array"):
        SkipGram(window=np.array([5])).check_params()
    assert type(SkipGram(learning_rate=Fraction(1, 8)).learning_rate) is float
    assert type(SkipGram(learning_rate=np.longdouble(0.5)).learning_rate) is float


def test_functions_compute_with_pythons_numbers():
    vocabulary = Corpus([["a"] * 300 + ["b"] * 6 + ["c"]], memory_limit=np.int64(10**6)).vocabulary
    assert vocabulary.head(np.uint8(2), np.uint8(2)).words == ["a", "b"]
    np.testing.assert_array_equal(
        vocabulary.keep_probabilities(np.float16(2**-10)), vocabulary.keep_probabilities(2**-10)
    )
    np.testing.assert_array_equal(
        vocabulary.noise_probabilities(np.float16(0.75)), vocabulary.noise_probabilities(0.75)
    )
    assert gradcheck(lambda x: ((x**2).sum(), 2 * x), [1.0, -2.0], epsilon=np.float16(2**-10)).ok()


def test_what_checks_return():
    assert type(check_int("n", np.uint8(200), 1)) is int and check_int("n", np.uint8(200), 1) * 2 == 400
    assert type(check_float("x", np.float32(0.5))) is float and type(check_float("x", 2)) is float
    assert check_bool("b", np.True_) is True
    assert type(check_choice("c", np.str_("a"), ("a", "b"))) is str
    assert type(check_item("word", np.str_("a"))) is str and check_item("word", np.int64(5)) == "5"
    for value in (10**400, -(10**400), Fraction(10**400)):
        with pytest.raises(ValueError, match="x must be a finite number, got"):
            check_float("x", value)
