"""PPMI with SVD: the matrix against its formula, its decomposition against NumPy's, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest
from commands import HANGS
from inside import association, set_sizes, wrap

import fastvec

pytestmark = pytest.mark.any_backend

SIZE = 6


@pytest.fixture(scope="module")
def text():
    """About 60 words, some of which stand near others more often than by chance."""
    random = np.random.default_rng(4)
    words = np.array([f"w{i}" for i in range(60)])
    frequencies = 1 / np.arange(1, 61)
    topics = [np.where(np.arange(60) % 3 == topic, 5, 1) * frequencies for topic in range(3)]
    sentences = [random.choice(words, 15, p=(p := topics[random.integers(3)]) / p.sum()) for _ in range(200)]
    return [sentence.tolist() for sentence in sentences]


@pytest.fixture(scope="module", params=[True, False], ids=["symmetric", "left"])
def counts(request, text):
    return fastvec.Cooccurrence(window=4, symmetric=request.param, min_count=2).fit(text)


@pytest.fixture(params=["dense", "arpack"])
def solver(request, monkeypatch):
    """Name of each way to decompose a matrix."""
    set_sizes(monkeypatch, dense_matrix=1000 if request.param == "dense" else 0)
    return request.param


def formula(counts, matrix="ppmi", shift=1.0, smoothing=0.75):
    """The matrix, from dense counts in double precision."""
    x = counts.matrix_.toarray()
    if matrix != "ppmi":
        return x if matrix == "counts" else np.log1p(x)
    contexts = x.sum(axis=0) ** smoothing
    with np.errstate(divide="ignore"):
        pmi = np.log(x * contexts.sum() / np.outer(x.sum(axis=1), contexts))
    return np.maximum(0, pmi - np.log(shift))


def plain(matrix, d, power):
    """Vectors and singular values by NumPy, the largest number of every component positive."""
    left, values, _ = np.linalg.svd(matrix)
    left, values = left[:, :d], values[:d]
    largest = left[np.abs(left).argmax(axis=0), np.arange(d)]
    return left * np.sign(largest) * values**power, values


def small(**params):
    return fastvec.PPMI_SVD(**{"vector_size": SIZE, "threads": 2, **params})


def of_rank(rank, n=40):
    """Counts of n words that have only so many different rows, and columns."""
    random = np.random.default_rng(2)
    table = random.integers(1, 100, (rank, rank))
    kinds = np.arange(n) % rank
    rows, columns = np.indices((n, n)).reshape(2, -1)
    return fastvec.Cooccurrence.from_triples(range(n), rows, columns, table[kinds[rows], kinds[columns]])


@pytest.mark.parametrize("block", [1, 100, 1 << 20])
@pytest.mark.parametrize(
    ("name", "shift", "smoothing"),
    [("ppmi", 1, 0.75), ("ppmi", 1, 1), ("ppmi", 5.5, 0.5), ("ppmi", 1, 0), ("log", 1, 1), ("counts", 9, 0)],
)
def test_the_matrix_is_its_formula(counts, monkeypatch, block, name, shift, smoothing):
    set_sizes(monkeypatch, entries_at_once=block)
    made = association(counts, name, shift, smoothing, progress=False)
    np.testing.assert_allclose(made.toarray(), formula(counts, name, shift, smoothing), rtol=1e-6, atol=1e-12)
    assert made.dtype == np.float32
    assert made.indices.dtype == made.indptr.dtype == np.int32
    assert (made.data > 0).all()
    assert made.nnz == counts.n_entries_ or name == "ppmi"


@pytest.mark.usefixtures("solver")
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"shift": 2, "context_smoothing": 1},
        {"eigenvalue_weighting": 0},
        {"eigenvalue_weighting": 1},
        {"matrix": "log"},
        {"matrix": "counts", "eigenvalue_weighting": 0.25},
    ],
)
def test_vectors_are_those_of_a_plain_svd(counts, params):
    model = small(**params).fit(counts)
    names = {"matrix": "matrix", "shift": "shift", "context_smoothing": "smoothing"}
    matrix = formula(counts, **{names[name]: value for name, value in params.items() if name in names})
    vectors, values = plain(matrix, SIZE, model.eigenvalue_weighting)
    np.testing.assert_allclose(model.singular_values_, values, rtol=1e-5)
    np.testing.assert_allclose(model.vectors_.vectors, vectors, atol=1e-3 * np.abs(vectors).max())
    assert model.singular_values_.dtype == model.vectors_.vectors.dtype == np.float32


@pytest.mark.parametrize("solver", ["arpack"], indirect=True)
def test_threads_and_blocks_change_no_bit(counts, monkeypatch, solver):
    first = small(threads=1).fit(counts)
    set_sizes(monkeypatch, entries_at_once=7)
    for threads in (1, 2, 90):
        again = small(threads=threads).fit(counts)
        np.testing.assert_array_equal(again.vectors_.vectors, first.vectors_.vectors)
        np.testing.assert_array_equal(again.singular_values_, first.singular_values_)


@pytest.mark.parametrize("solver", ["arpack"], indirect=True)
def test_a_matrix_of_low_rank_has_the_same_vectors_every_time(solver):
    """ARPACK runs out of vectors then, and draws others."""
    counts = of_rank(5)
    first, again = (small(vector_size=5, matrix="counts").fit(counts) for _ in range(2))
    np.testing.assert_array_equal(again.vectors_.vectors, first.vectors_.vectors)
    np.testing.assert_allclose(first.singular_values_, plain(formula(counts, "counts"), 5, 0)[1], rtol=1e-4)


@pytest.mark.parametrize("solver", ["arpack"], indirect=True)
def test_seeds_make_no_difference_that_matters(counts, solver):
    first, other = (small(seed=seed).fit(counts) for seed in (1, 2))
    np.testing.assert_allclose(first.vectors_.vectors, other.vectors_.vectors, atol=1e-3)


def test_words_of_a_topic_end_up_together(topics):
    vectors = fastvec.PPMI_SVD(vector_size=5, window=5, min_count=1).fit(topics(600)).vectors_
    for topic in ("sea", "sky", "war"):
        neighbours = [word for word, _ in vectors.most_similar(f"{topic}3", topn=8)]
        assert sum(word.startswith(topic) for word in neighbours) >= 7, neighbours


def test_a_text_is_counted_as_the_parameters_say(text):
    counted = {"window": 3, "weighting": "dynamic", "symmetric": False, "min_count": 2, "max_vocab": 40}
    counts = fastvec.Cooccurrence(**counted).fit(text)
    of_text, of_corpus = small(**counted).fit(text), small(**counted).fit(fastvec.Corpus(text))
    of_counts = small().fit(counts)
    for model in (of_corpus, of_counts):
        np.testing.assert_array_equal(of_text.vectors_.vectors, model.vectors_.vectors)
        assert model.vocabulary_.words == counts.vocabulary_.words
        assert {name: model.vectors_.metadata[name] for name in counted} == counted
    assert of_text.vectors_.metadata["estimator"] == "PPMI_SVD"
    assert of_text.vectors_.metadata["eigenvalue_weighting"] == 0.5
    np.testing.assert_array_equal(of_text.vectors_.counts, counts.vocabulary_.counts)


def test_words_that_stand_near_no_other_have_no_direction(text):
    model = small(min_count=1).fit([*text, ["alone"]])
    assert not model.vectors_["alone"].any()
    assert model.vectors_["w0"].any()


def test_every_fit_starts_anew(text, counts):
    model = small()
    for name in ("vectors_", "vocabulary_", "singular_values_", "interrupted_"):
        with pytest.raises(AttributeError, match=f"PPMI_SVD has no {name} before fit"):
            getattr(model, name)
    before = model.fit(text[:100]).vectors_
    kept = before.vectors.copy()
    model.set_params(eigenvalue_weighting=1)
    assert model.vectors_ is before
    assert model.fit(counts) is model
    np.testing.assert_array_equal(before.vectors, kept)
    np.testing.assert_array_equal(
        model.vectors_.vectors, small(eigenvalue_weighting=1).fit(counts).vectors_.vectors
    )
    assert model.interrupted_ is False


def test_a_fit_that_fails_leaves_what_was_learned(counts):
    model = small().fit(counts)
    before = model.vectors_
    with pytest.raises(ValueError, match="vector_size"):
        model.set_params(vector_size=200).fit(counts)
    assert model.vectors_ is before


@pytest.mark.parametrize("solver", ["arpack"], indirect=True)
def test_control_c_leaves_what_was_learned(counts, monkeypatch, solver):
    model = small().fit(counts)
    before, calls = model.vectors_, iter(range(5))

    def until_control_c(multiply, product, right):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return multiply(product, right)

    wrap(monkeypatch, "multiply", until_control_c)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(vector_size=4).fit(counts)
    assert model.vectors_ is before


def test_parameters_by_name():
    model = fastvec.PPMI_SVD(shift=5)
    assert repr(model) == "PPMI_SVD(shift=5)"
    assert model.get_params() == {
        "vector_size": 100,
        "window": 10,
        "weighting": "harmonic",
        "symmetric": True,
        "min_count": 5,
        "max_vocab": None,
        "keep": None,
        "drop": None,
        "memory_limit": 2**32,
        "threads": None,
        "seed": 1,
        "progress": False,
        "matrix": "ppmi",
        "shift": 5,
        "context_smoothing": 0.75,
        "eigenvalue_weighting": 0.5,
    }


def test_progress_is_shown_when_asked_for(counts, capfd, solver):
    small().fit(counts)
    assert capfd.readouterr().err == ""
    small(progress=True).fit(counts)
    shown = capfd.readouterr().err
    assert f"ppmi: {counts.n_entries_:,} entries in" in shown
    assert ("products" in shown) == (solver == "arpack")


# ---- What is refused --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("solver")
@pytest.mark.parametrize("rank", [1, 5, 12])
def test_no_more_dimensions_than_the_rank(rank):
    counts = of_rank(rank)
    assert len(small(vector_size=rank, matrix="counts").fit(counts).singular_values_) == rank
    message = f"vector_size must be at most the rank of the matrix, which has rank {rank} in single precision"
    with pytest.raises(ValueError, match=f"{message}, got {rank + 2}"):
        small(vector_size=rank + 2, matrix="counts").fit(counts)


def test_no_more_dimensions_than_words_with_neighbours(text):
    message = "vector_size must be at most the rank of the matrix, which has 60 rows or columns that are not"
    with pytest.raises(ValueError, match=f"{message} all 0, got 61"):
        small(vector_size=61, matrix="log", min_count=1).fit([*text, ["alone"], ["lone"]])


def test_all_dimensions_that_there_are(text):
    counts = fastvec.Cooccurrence(min_count=2).fit(text)
    n = len(counts.vocabulary_)
    model = small(vector_size=n, matrix="log", eigenvalue_weighting=1).fit(counts)
    vectors, matrix = model.vectors_.vectors, formula(counts, "log")
    np.testing.assert_allclose(vectors @ vectors.T, matrix @ matrix.T, rtol=1e-4)


def test_nothing_more_frequent_than_chance(counts):
    with pytest.raises(ValueError, match=r"times as frequent as by chance, got none with 1000000\.0 in Cooc"):
        small(shift=1e6).fit(counts)
    n = 9
    rows, columns = np.indices((n, n)).reshape(2, -1)
    by_chance = fastvec.Cooccurrence.from_triples(range(n), rows, columns, (rows + 1) * (columns + 1))
    with pytest.raises(ValueError, match="got none with 1 in"):
        small(context_smoothing=1).fit(by_chance)


def test_no_counts():
    with pytest.raises(ValueError, match="source must have a sentence with two words"):
        small(min_count=1).fit([["a"], ["b"]])


def test_without_scipy_nothing_is_counted():
    program = """
import sys
sys.modules["scipy"] = None
import fastvec

def text():
    raise AssertionError("the text was read")
    yield

for attempt in (fastvec.PPMI_SVD().check_params, lambda: fastvec.PPMI_SVD().fit(text())):
    try:
        attempt()
    except ImportError as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=HANGS
    )
    assert done.stderr == ""
    assert done.stdout == "PPMI_SVD needs SciPy: pip install 'fastvec[svd]'\n" * 2
