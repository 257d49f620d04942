"""Texts with several labels, other losses, characters' n-grams, the most probable labels and their scores."""

import numpy as np
import pytest
from inside import inner, set_sizes
from peers import fasttext
from scipy.sparse import csr_matrix

from fastvec.classify import LabelledLines, TextClassifier, load, read_labelled_lines

pytestmark = pytest.mark.any_backend(trains=True)

LOSSES = {
    "softmax": "softmax",
    "one_vs_all": "ova",
    "hierarchical_softmax": "hs",
    "negative_sampling": "ns",
}
DISHES = {"cold": ["ice", "snow"], "hot": ["steam", "fire"], "sweet": ["sugar", "honey"], "salty": ["salt"]}


def dishes(n=150, seed=0):
    """Texts with a word for each of their labels, and others."""
    random = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(n):
        labels = random.choice(list(DISHES), random.integers(1, 3), replace=False).tolist()
        words = [str(random.choice(DISHES[label])) for label in labels] * 2 + ["with", "and", "of"]
        X.append(random.permutation(words).tolist())
        y.append(labels)
    return X, y


def fit(loss="one_vs_all", X=None, y=None, **params):
    defaults = {"vector_size": 10, "epochs": 25, "learning_rate": 0.5, "threads": 1}
    return TextClassifier(loss=loss, **defaults | params).fit(*(dishes() if X is None else (X, y)))


@pytest.fixture(scope="module")
def models():
    return {loss: fit(loss) for loss in LOSSES}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("labels") / "dishes.txt"
    pairs = zip(*dishes(), strict=True)
    lines = [" ".join([f"__label__{label}" for label in y] + x) for x, y in pairs]
    path.write_text("\n".join(lines) + "\n")
    return path


# ---- What is learned --------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_the_labels_of_texts_are_found(models, loss):
    model = models[loss]
    X, y = dishes(seed=1)
    assert model.classes_.tolist() == sorted(DISHES)
    assert model.label_counts_.tolist() == [
        sum(label in of for of in dishes()[1]) for label in model.classes_
    ]
    assert model.score_top(X, y).precision > 0.97
    for labels, found in zip(y, model.predict_top(X, k=2), strict=True):
        assert found[0][0] in labels
    assert model.history_[-1].loss < 0.75 * model.history_[0].loss
    probabilities = model.predict_proba(X)
    if loss in ("softmax", "hierarchical_softmax"):
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_one_vs_all_finds_every_label_and_no_other(models):
    X, y = dishes(seed=1)
    assert models["one_vs_all"].score(X, y) > 0.95
    assert [set(labels) for labels in models["one_vs_all"].predict(X)].count({"cold", "hot"}) > 3
    assert {len(labels) for labels in models["softmax"].predict(X)} == {1}


def test_all_labels_of_a_text_are_learned_one_at_a_time(models):
    X = [["ice", "sugar"]] * 50
    model = fit("softmax", [*X, ["fire"]], [*[["cold", "sweet"]] * 50, ["hot"]])
    cold, _, sweet = model.predict_proba(X[:1])[0]
    assert 0.3 < cold < 0.7 and 0.3 < sweet < 0.7


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_those_of_the_losses(loss):
    X, y = dishes(6)
    ngrams = {"word_ngrams": 2, "min_n": 2, "max_n": 3, "buckets": 10}
    model = fit(loss, X, y, epochs=1, learning_rate=0.1, vector_size=2, **ngrams)
    random = np.random.default_rng(0)
    for array in model.parameters_.values():
        array[:] = random.normal(0, 0.7, array.shape)
    assert model.check_gradient(X, y).max_relative_error < 1e-5


@pytest.mark.parametrize("loss", LOSSES)
def test_what_is_saved_is_loaded_and_goes_on(models, loss, tmp_path):
    X, y = dishes(20, seed=2)
    model = fit(loss, *dishes(), epochs=2, word_ngrams=2, min_n=1, max_n=3, buckets=300)
    model.save(tmp_path / "model.fvmodel")
    loaded = load(tmp_path / "model.fvmodel")
    assert loaded.predict(X) == model.predict(X)
    for one in (model, loaded):
        one.partial_fit(X, y)
    assert loaded.predict_top(X, k=None) == model.predict_top(X, k=None)
    assert loaded.label_counts_.tolist() == model.label_counts_.tolist()
    assert loaded.vectors_.counts.tolist() == model.vectors_.counts.tolist()


@pytest.mark.parametrize("threads", [2, 8])
def test_several_threads_learn_the_same(monkeypatch, threads):
    set_sizes(monkeypatch, work_of_thread=1)
    X, y = dishes(seed=1)
    for loss in LOSSES:
        assert fit(loss, threads=threads).score_top(X, y).precision > 0.95


# ---- How labels are given ---------------------------------------------------------------------------------


def test_labels_may_be_lists_or_a_matrix_and_come_back_as_they_were_given(models):
    X, y = dishes()
    expected = models["one_vs_all"].predict(X)
    names = models["one_vs_all"].classes_.tolist()
    matrix = np.array([[name in labels for name in names] for labels in y])
    for given in (matrix, matrix.astype(float), csr_matrix(matrix.astype(int))):
        model = fit("one_vs_all", X, given)
        found = model.predict(X)
        assert found.shape == matrix.shape and set(found.ravel()) == {0, 1}
        assert model.classes_.tolist() == [0, 1, 2, 3]
        assert [{names[i] for i in np.flatnonzero(row)} for row in found] == [set(row) for row in expected]
        assert model.score(X, given) > 0.95
    for kind in (tuple, set):
        assert fit("one_vs_all", X, [kind(labels) for labels in y]).predict(X) == expected
    objects = np.empty(len(y), object)
    objects[:] = y
    assert fit("one_vs_all", X, objects).predict(X) == expected
    assert fit("one_vs_all", X, [labels * 2 for labels in y]).predict(X) == expected


@pytest.mark.parametrize("loss", LOSSES)
def test_one_label_a_text_is_predicted_by_every_loss(loss):
    y = [labels[0] for labels in dishes()[1]]
    model = fit(loss, [[word] for word in y], y)
    assert model.predict([[word] for word in y]).tolist() == y
    assert model.score([[word] for word in y], y) == 1


def test_a_text_without_a_known_word_has_no_label_of_its_own(models):
    with pytest.warns(UserWarning, match="1 of 2 documents have no known word"):
        assert models["one_vs_all"].predict([["unheard"], ["ice"]]) == [[], ["cold"]]
    with pytest.warns(UserWarning, match="known word: all branches of the tree of labels are equally prob"):
        (found,) = models["hierarchical_softmax"].predict_proba([["unheard"]])
    paths = np.diff(models["hierarchical_softmax"].tree_.paths().offsets)
    np.testing.assert_allclose(found, 0.5**paths, rtol=1e-6)


@pytest.mark.parametrize("loss", ["one_vs_all", "softmax"])
def test_texts_without_labels_are_examples_of_none(loss):
    X, y = [["ice"], ["fire"], ["of"], ["with"]] * 20, [["cold"], ["hot"], [], []] * 20
    model = fit(loss, X, y)
    found = model.predict(X[:4])
    assert found[:2] == [["cold"], ["hot"]]
    if loss == "one_vs_all":
        assert found[2:] == [[], []]
    assert model.history_[0].examples == (80 if loss == "one_vs_all" else 40)
    assert model.score_top(X, y).n_examples == 40


def test_a_file_is_read_as_its_lists_are(models, file):
    X, y = read_labelled_lines(file)
    for one in (fit(X=file, y=None), fit(X=str(file), y=None), fit(X=LabelledLines(file), y=None)):
        assert one.predict_top(X, k=None) == models["one_vs_all"].predict_top(X, k=None)
        assert one.vectors_.words == models["one_vs_all"].vectors_.words
    assert models["one_vs_all"].score_top(file) == models["one_vs_all"].score_top(X, y)
    with pytest.raises(ValueError, match="y must be None beside a file that has the labels"):
        fit(X=LabelledLines(file), y=y)


def test_a_single_label_a_line_is_one(tmp_path):
    path = tmp_path / "one.txt"
    path.write_text("#b fire\n\n#a ice __label__c\n" * 10)
    model = fit("softmax", LabelledLines(path, label_prefix="#"), None)
    assert model.predict([["ice"], ["fire"]]).tolist() == ["a", "b"]


def test_labels_that_numpy_takes_for_the_same_are_refused(tmp_path):
    path = tmp_path / "nul.txt"
    path.write_text("__label__a\0 fire\n__label__a ice\n")
    with pytest.raises(ValueError, match=r"labels that an array of NumPy can hold, got 'a\\x00'"):
        fit("softmax", LabelledLines(path, errors="replace"), None)


# ---- Rare labels ------------------------------------------------------------------------------------------


def rare_labels():
    """Texts with labels of which "rare" and "once" are rare, and words that only they have."""
    X, y = dishes(60)
    X = [*X, *[["ice", "amber"]] * 2, ["salt", "amber"], ["salt", "beryl"]]
    return X, [*y, *[["rare"]] * 2, ["once"], ["once", "salty"]]


@pytest.mark.parametrize("loss", LOSSES)
def test_rare_labels_are_left_out_as_in_fasttext(tmp_path, loss):
    X, y = rare_labels()
    path = tmp_path / "rare.txt"
    lines = [
        " ".join([*(f"__label__{label}" for label in labels), *x]) for x, labels in zip(X, y, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n")
    theirs = fasttext.train_supervised(
        str(path), loss=LOSSES[loss], dim=10, lr=0.5, epoch=25, minCountLabel=3, thread=10, verbose=0
    )
    ours = fit(loss, path, None, min_label_count=3)
    assert {f"__label__{label}" for label in ours.classes_} == {*theirs.labels} and len(theirs.labels) == 4
    assert {*ours.vectors_.words} == {*theirs.words} - {"</s>"}
    for vector_of in (theirs.get_word_vector, ours.vectors_.__getitem__):  # words of texts that are left out
        assert abs(vector_of("amber")).max() <= 1 / 10 < abs(vector_of("beryl")).max()
    assert ours.n_words_ == sum(map(len, X)) - 6
    lists = fit(loss, X, y, min_label_count=3)
    assert lists.parameters_["input_vectors"].shape == ours.parameters_["input_vectors"].shape
    assert lists.label_counts_.tolist() == ours.label_counts_.tolist()
    again = lists.quantize(X, y, cutoff=8)
    assert again.n_words_ == ours.n_words_ and len(again.history_) == 2 * len(lists.history_)
    lists.set_params(learning_rate=0.05, epochs=1)
    some = lists.quantize(X[:2] + X[-4:], y[:2] + y[-4:], cutoff=8)  # where all that is known is rare
    assert some.n_words_ == sum(map(len, [*X[:2], X[-1]]))


def test_rare_columns_of_a_matrix_are_never_predicted():
    X, y = dishes(60)
    matrix = np.array([[label in labels for label in [*sorted(DISHES), "never"]] for labels in y], int)
    matrix[:2, 4] = 1
    model = fit("one_vs_all", X, matrix, min_label_count=3)
    assert model.label_counts_.tolist() == [*matrix[:, :4].sum(axis=0), 0]
    found = model.predict(X)
    assert found.shape == matrix.shape and not found[:, 4].any() and found[:, :4].any(axis=0).all()


def test_labels_of_all_texts_must_not_be_rare():
    sentence = r"min_label_count must leave two labels or more, got 9, which 1 of 3 reach: use a lower one"
    texts, labels = ["a"] * 15, ["x"] * 9 + ["y"] * 3 + ["z"] * 3
    with pytest.raises(ValueError, match=sentence):
        fit("softmax", texts, labels, min_label_count=9)
    whole = fit("softmax", texts, labels, min_label_count=3)
    assert whole.classes_.tolist() == ["x", "y", "z"]
    model = TextClassifier(threads=1, min_label_count=9).partial_fit(["a", "b"], ["x", "y"])
    assert model.classes_.tolist() == ["x", "y"]


# ---- The most probable labels -----------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.* predicts as fastText does")
@pytest.mark.parametrize("extension", [".fvmodel", ".bin"])
def test_of_many_labels_in_a_tree_the_most_probable_are_found(tmp_path, extension):
    """Those of `predict_proba`, which computes all probabilities."""
    random = np.random.default_rng(5)
    y = (random.zipf(1.3, 400) % 90).tolist()
    X = [[f"word{label}", f"tens{label // 10}", str(random.choice(["and", "of"]))] for label in y]
    fit("hierarchical_softmax", X, y, epochs=3).save(tmp_path / f"tree{extension}")
    model = load(tmp_path / f"tree{extension}")
    X = [*X[:40], ["and"], ["of", "tens3"]]
    proba, names = model.predict_proba(X), model.classes_.tolist()
    order = np.argsort(-proba, axis=1, kind="stable")
    assert len(names) > 60
    assert model.predict(X).tolist() == model.classes_[order[:, 0]].tolist()
    for k, threshold in [(1, 0.0), (3, 0.0), (3, 0.05), (1000, 0.0), (None, 0.02), (None, 0.0)]:
        for row, found in enumerate(model.predict_top(X, k, threshold)):
            best = [n for n in order[row, :k] if proba[row, n] >= threshold]
            columns = [names.index(label) for label, _ in found]
            assert len({*columns}) == len(best)
            for expected in (proba[row, best], proba[row, columns]):
                np.testing.assert_allclose([p for _, p in found], expected, rtol=2e-5)


def test_the_most_probable_labels(models):
    X, _ = dishes(30, seed=3)
    for model in models.values():
        proba, names = model.predict_proba(X), model.classes_.tolist()
        for of_document, found in zip(proba, model.predict_top(X, k=None), strict=True):
            order = np.argsort(-of_document, kind="stable")
            assert {label for label, _ in found} == set(names)
            np.testing.assert_allclose([p for _, p in found], of_document[order], rtol=1e-5)
        assert [row[:2] for row in model.predict_top(X, k=None)] == model.predict_top(X, k=2)
        above = model.predict_top(X, k=3, threshold=0.3)
        assert above == [[pair for pair in row if pair[1] >= 0.3] for row in model.predict_top(X, k=3)]
    nothing = [model.predict_top(X, k=None, threshold=1.5) for model in models.values()]
    assert nothing == [[[]] * len(X)] * len(models)
    for k in (0, 1.5, "2"):
        with pytest.raises((TypeError, ValueError), match="k must be an int >= 1, got"):
            models["softmax"].predict_top(X, k=k)
    with pytest.raises(TypeError, match="threshold must be a finite number, got"):
        models["softmax"].predict_top(X, threshold="high")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("k", "threshold"), [(1, 0.0), (2, 0.0), (3, 0.3)])
def test_scores_are_those_of_fasttext(tmp_path, loss, k, threshold):
    """fastText tests a model of its own, and we score its predictions.

    fastText 0.9.3 starts a tenth of its input matrix in each thread and leaves the rest as the memory was; of
    10 dimensions there is no rest.
    """
    X, y = dishes(60, seed=4)
    path = tmp_path / "test.txt"
    lines = [" ".join([f"__label__{label}" for label in labels] + x) for x, labels in zip(X, y, strict=True)]
    path.write_text("\n".join(lines) + "\n")
    theirs = fasttext.train_supervised(str(path), loss=LOSSES[loss], dim=10, epoch=3, thread=10, verbose=0)
    n, precision, recall = theirs.test(str(path), k, threshold)
    by_label = theirs.test_label(str(path), k, threshold)
    found = [theirs.f.predict(" ".join(x) + "\n", k, threshold, "strict") for x in X]  # with probabilities
    scores = inner("top_scores")(
        y, [[label.removeprefix("__label__") for _, label in labels] for labels in found]
    )
    assert scores.n_examples == n
    np.testing.assert_allclose([scores.precision, scores.recall], [precision, recall], rtol=1e-12)
    assert {f"__label__{label}" for label in scores.by_label} == set(by_label)
    for label, of_label in scores.by_label.items():
        expected = by_label[f"__label__{label}"]
        np.testing.assert_allclose(of_label.precision, expected["precision"], rtol=1e-12)
        np.testing.assert_allclose(of_label.recall, expected["recall"], rtol=1e-12)
        np.testing.assert_allclose(of_label.f1, expected["f1score"], rtol=1e-12)


# ---- n-grams of characters --------------------------------------------------------------------------------


def test_unknown_words_are_known_by_their_characters():
    X, y = dishes()
    model = fit("softmax", X, [labels[0] for labels in y], min_n=2, max_n=4)
    assert model.predict(["sugary", "honeys", "fires", "salted"]).tolist() == [
        "sweet",
        "sweet",
        "hot",
        "salty",
    ]
    with pytest.warns(UserWarning, match="1 of 1 documents have no known word"):
        model.predict(["qqqq"])


def test_ngrams_of_characters_are_those_of_fasttext(tmp_path):
    """A document is the mean of its words' rows and those of their n-grams, in fastText's buckets."""
    path = tmp_path / "train.txt"
    path.write_text("__label__a ice snow ünder\n__label__b fire\n")
    options = {"minn": 2, "maxn": 3, "bucket": 40, "dim": 10, "thread": 10, "verbose": 0}
    theirs = fasttext.train_supervised(str(path), **options)
    model = fit("softmax", path, None, min_n=2, max_n=3, buckets=40)
    for word in ("ice", "snow", "ünder", "fire"):
        _, rows = theirs.get_subwords(word)
        buckets = [row - len(theirs.words) for row in rows[1:]]
        lexicon = len(model._rows.lexicon)
        ours, _ = model._rows.look_up(inner("read_documents")([word]))
        assert model._rows.ngrams[ours[1:] - lexicon].tolist() == buckets
    unknown, _ = model._rows.look_up(inner("read_documents")(["icy"]))
    _, rows = theirs.get_subwords("icy")
    known = [row - len(theirs.words) for row in rows if row - len(theirs.words) in model._rows.ngrams]
    assert model._rows.ngrams[unknown - lexicon].tolist() == known
