"""How a classifier of texts is trained: what it takes and refuses, going on, stopping early, Ctrl-C."""

import signal
import warnings
from functools import partial

import numpy as np
import pytest
from inside import results_of, set_sizes, usable_threads, wrap
from interrupts import can_be_interrupted, interrupt_training_at
from sklearn.exceptions import NotFittedError

from fastvec import Vectors, kernels
from fastvec.classify import SoftmaxClassifier, TextClassifier

pytestmark = pytest.mark.any_backend(trains=True)

small = partial(TextClassifier, vector_size=5, epochs=20, learning_rate=0.5, threads=1)

X = ["a fine film", "fine actors", "a bad film", "bad actors"] * 5
Y = ["+", "+", "-", "-"] * 5


def learned(model):
    """What a model has learned, as bytes, to see that it is the same bit for bit."""
    parameters = {name: array.tobytes() for name, array in model.parameters_.items()}
    return parameters, model.classes_.tolist(), list(model.history_), model.vectors_.words


def noise(n=60):
    random = np.random.default_rng(0)
    return [" ".join(random.choice(["a", "b", "c", "d"], 5)) for _ in range(n)], random.choice(["x", "y"], n)


# ---- Documents and labels ---------------------------------------------------------------------------------

SAME = [
    [text.split() for text in X],
    tuple(X),
    np.array(X),
    np.array(X, dtype=object),
    [np.array(text.split()) for text in X],
    [tuple(text.split()) for text in X],
    [f"\t {text.replace(' ', '  ')}\n" for text in X],
]


@pytest.mark.parametrize("documents", SAME, ids=lambda given: f"{type(given).__name__} {given[0]!r}")
def test_documents_are_texts_or_lists_of_words(documents):
    expected = learned(small(word_ngrams=2).fit(X, Y))
    model = small(word_ngrams=2).fit(documents, Y)
    assert learned(model)[0] == expected[0] and learned(model)[3] == expected[3]
    assert model.predict(documents).tolist() == Y
    assert small(word_ngrams=2).fit((document for document in documents), Y).score(X, Y) == 1


def test_an_item_may_be_a_number():
    model = small().fit([[12, "a"], [np.int64(7), "a"]] * 5, [True, False] * 5)
    assert model.vectors_.words == ["12", "a", "7"]
    assert model.predict(["12 a", "7"]).tolist() == [True, False]


@pytest.mark.parametrize("labels", [["no", "yes"], [3, -1], [True, False], [1.0, 0.0], ["ü", "ab"]])
def test_labels_are_what_they_are(labels):
    y = labels * 10
    model = small().fit(["a", "b"] * 10, y)
    assert model.classes_.tolist() == sorted(labels)
    assert model.predict(["a", "b"]).tolist() == labels
    assert [type(label) for label in model.predict(["a", "b"]).tolist()] == list(map(type, labels))


def test_labels_may_be_an_array_of_objects():
    model = small().fit(X, np.array(Y, dtype=object))
    assert model.classes_.dtype == object
    assert model.predict(X).tolist() == Y


BAD_DATA = [
    (("a b", ["x", "y"]), TypeError, r"X must be documents, each a str or a list of words, got 'a b'"),
    ((b"a", ["x"]), TypeError, r"X must be documents, each a str or a list of words, got b'a'"),
    ((None, ["x"]), TypeError, r"X must be documents, .* got None"),
    ((7, ["x"]), TypeError, r"X must be documents, .* got 7"),
    ((["a", None], ["x", "y"]), TypeError, r"document 1 of X must be a str or a list of words, got None"),
    (
        (["a", float("nan")], ["x", "y"]),
        TypeError,
        r"document 1 of X must be .* words, got nan",
    ),
    (
        (np.array(["a", np.nan], dtype=object), ["x", "y"]),
        TypeError,
        r"document 1 of X .*, got nan",
    ),
    ((["a", b"b"], ["x", "y"]), TypeError, r"document 1 of X must be a str or a list of words, got b'b'"),
    (
        (["a", ["b", None]], ["x", "y"]),
        TypeError,
        r"every word of document 1 must be a str or an int, got No",
    ),
    ((["a", ["b", True]], ["x", "y"]), TypeError, r"every word of document 1 must be .*, got True"),
    (([[0.5, 1.5]], ["x"]), TypeError, r"every word of document 0 must be a str or an int, got 0.5"),
    (([], []), ValueError, r"X must have at least one document, got none"),
    ((["a", "b"], ["x"]), ValueError, r"y must have a label for each of the 2 documents, got 1"),
    ((["a", "b"], ["x", "y", "z"]), ValueError, r"y must have a label for each of the 2 documents, got 3"),
    ((["a", "b"], ["x", "x"]), ValueError, r"y must have .* two classes, got one class: \['x'\]"),
    (
        (["a", "b"], [["x", "y"], "y"]),
        ValueError,
        r"y must have a list of labels .* got both: 'y' at position 1",
    ),
    ((["a", "b"], [["x", None], ["y"]]), ValueError, r"y must have lists of labels, .* got None at label 1$"),
    ((["a", "b"], [[], []]), ValueError, r"y must have at least two classes, got one class: \[\]"),
    (
        (["a", "b"], np.array([["x", "y"], ["y", "x"]])),
        ValueError,
        r"y must be .* a matrix of 0 .* with 'x'$",
    ),
    ((["a", "b"], np.array([[0, 1], [2, 1]])), ValueError, r"y must be .* a matrix of 0 and 1 .* with 2$"),
    (
        (["a", "b"], np.array([[0.5, 1], [0, 1]])),
        ValueError,
        r"y must be .* a matrix of 0 and 1 .* with 0.5$",
    ),
    ((["a", "b"], [0.5, 1.5]), ValueError, r"Unknown label type: continuous"),
    ((["a", "b"], None), TypeError, r"y must be a list of labels, got None"),
    ((["a", "b"], {"x": 1, "y": 2}), TypeError, r"y must be a list .* in the order of"),
    ((["a", "b"], ["x", None]), ValueError, r"y must have a label .* a number, got None at position 1$"),
    ((["a", "b"], [1.0, np.nan]), ValueError, r"y must have a label .* number, got nan at position 1$"),
]


@pytest.mark.parametrize(("given", "error", "message"), BAD_DATA)
def test_bad_documents_and_labels_are_named(given, error, message):
    for method in ("fit", "partial_fit"):
        model = small()
        with pytest.raises(error, match=message):
            getattr(model, method)(*given)
        assert vars(model) == vars(small())


def test_before_fit_nothing_is_known():
    for call in (small().predict, small().predict_proba, partial(small().score, y=Y)):
        with pytest.raises(NotFittedError):
            call(X)
    with pytest.raises(NotFittedError):
        small().check_gradient(X, Y)
    for name in ("parameters_", "vectors_"):
        with pytest.raises(AttributeError, match=f"TextClassifier has no {name} before fit"):
            getattr(small(), name)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_documents_without_words_are_left_out(method):
    with pytest.warns(UserWarning, match=r"^3 of 23 documents have no known word: they are") as caught:
        model = getattr(small(), method)(["", *X, "  ", []], ["+", *Y, "-", "-"])
    assert caught[0].filename == __file__ and len(caught) == 1
    assert model.history_[0].examples == 20
    with pytest.warns(UserWarning, match=r"^2 of 4 documents .* known word: they are ignored"):
        small(min_count=2).fit(["a", "b", "c a", "d"], [0, 1, 1, 0])


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_without_a_known_word_all_classes_are_equally_probable(method):
    model = small().fit(["a", "b", "c"] * 5, [0, 1, 2] * 5)
    with pytest.warns(
        UserWarning, match=r"^2 of 3 documents .* known word: all classes are equally prob"
    ) as caught:
        found = getattr(model, method)(["", "a", "unheard of"])
    assert caught[0].filename == __file__ and len(caught) == 1
    if method == "predict_proba":
        np.testing.assert_array_equal(found[[0, 2]], np.full((2, 3), 1 / 3, np.float32))
        assert found[1].argmax() == 0


@pytest.mark.filterwarnings("ignore:2 of 2 documents")
def test_there_must_be_a_word_to_learn_of():
    model = small().fit(X, Y)
    before = learned(model)
    for new in (small(), model):
        with pytest.raises(ValueError, match="X must have at least one document with a known word, got none"):
            new.fit(["", ""], ["+", "-"])
    with pytest.raises(ValueError, match="X must have at least one document with a known word, got none"):
        model.partial_fit(["unheard", "of"], ["+", "-"])
    assert learned(model) == before


# ---- Training ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"word_ngrams": 3}, {"early_stopping": True}, {"min_count": 2}])
def test_one_thread_and_one_seed_give_the_same_bits(params):
    once, again, other = (learned(small(**params, seed=seed).fit(X, Y))[0] for seed in (3, 3, 4))
    assert once == again != other


@pytest.mark.parametrize(("threads", "expected"), [(1, 1), (3, 3), (None, usable_threads())])
def test_the_training_has_the_threads_that_are_asked_for(monkeypatch, threads, expected):
    taken = []

    def watched(train, chunk, schedule, *given, **more):
        taken.append(schedule)
        return train(chunk, schedule, *given, **more)

    wrap(monkeypatch, "train_texts", watched)
    small(threads=threads).fit(X, Y)  # in which there is not enough to do for two
    set_sizes(monkeypatch, work_of_thread=1)
    small(threads=threads).fit(X, Y)
    assert [schedule.threads for schedule in taken] == [1, expected]


@pytest.mark.parametrize("threads", [1, 3])
def test_starting_values_do_not_depend_on_what_is_drawn_at_once(threads, monkeypatch):
    set_sizes(monkeypatch, starting_numbers_of_texts=21)
    model = small(vector_size=7, seed=5, threads=threads, epochs=1, learning_rate=1e-30).fit(X, Y)
    found = model.parameters_["input_vectors"]
    numbers = np.random.default_rng(5).random(found.shape, dtype=np.float32)
    assert len(found) > 2
    assert (found == (numbers - np.float32(0.5)) * np.float32(2 / 7)).all()


@pytest.mark.any_backend(trains=True)  # but the reference, whose threads have none
@pytest.mark.parametrize("loss", ["softmax", "one_vs_all", "hierarchical_softmax", "negative_sampling"])
def test_threads_have_copies_of_frequent_words_and_labels(monkeypatch, loss):
    crews = []

    def watched(train, *given, crew, **more):
        crews.append(crew)
        return train(*given, crew=crew, **more)

    wrap(monkeypatch, "train_texts", watched)
    documents = [f"often {place % 7} {place}" for place in range(300)]
    labels = [str(place % 3) for place in range(300)]
    set_sizes(monkeypatch, work_of_thread=1)
    for threads in (1, 3):
        model = small(loss=loss, threads=threads, epochs=1).fit(documents, labels)
    assert crews[0] is None
    for member in crews[1].members:
        copied = {name: rows.copied.tolist() for name, rows in member.items()}
        often = 2 + model.vectors_.words.index("often")
        assert copied["input_vectors"][0] == often
        assert len(copied["input_vectors"]) == 8  # and the first seven numbers
        assert sorted(copied["output_vectors"]) == [*range(len(model.parameters_["output_vectors"]))]


def test_the_training_depends_on_the_random_order():
    vectors = Vectors(["a", "b", "c", "d"], np.eye(4))
    once, other = (small(vectors, seed=seed).fit(*noise()).vectors_ for seed in (0, 1))
    assert (once.vectors != other.vectors).all()


@pytest.mark.parametrize("least", [0.0, 0.1])
def test_the_learning_rate_falls_to_the_least(least):
    """As `Epoch` says, and as other classifiers do, the history has the rates at the start of an epoch."""
    model = small(min_learning_rate=least, epochs=4).fit(X, Y)
    rates = [epoch.learning_rate for epoch in model.history_]
    np.testing.assert_allclose(rates, 0.5 + (least - 0.5) * np.arange(4) / 4)
    others = SoftmaxClassifier(learning_rate=0.5, epochs=4).fit([[0.0], [1.0]], [0, 1])
    assert others.history_[0].learning_rate == 0.5


def test_training_stops_early_and_the_best_epoch_is_kept(monkeypatch):
    documents, labels = noise(100)
    splits = results_of(monkeypatch, "split_texts")
    best, n_scored = TextClassifier._best, []

    def counted(self, rows, offsets):
        n_scored.append(len(offsets) - 1)
        return best(self, rows, offsets)

    monkeypatch.setattr(TextClassifier, "_best", counted)
    params = {"early_stopping": True, "patience": 3, "epochs": 100, "validation_fraction": 0.3}
    model = small(**params).fit(documents, labels)
    assert n_scored == [30] * len(model.history_)
    scores = [epoch.validation_score for epoch in model.history_]
    assert len(scores) < 100 and len(scores) - 1 - int(np.argmax(scores)) == 3
    assert scores[0] < max(scores)
    kept, held_out = (set(part.tolist()) for part in splits[0])
    assert len(held_out) == 30 and len(kept) == 70 and not kept & held_out
    assert {epoch.examples for epoch in model.history_} == {70}
    assert model.score([documents[i] for i in held_out], labels[list(held_out)]) == max(scores)
    assert not model.interrupted_
    model.partial_fit(documents, labels)
    assert model.history_[-1].validation_score is None and model.history_[-1].examples == 100


def test_one_document_is_too_few_to_hold_some_out():
    with (
        pytest.warns(UserWarning, match="1 of 2 documents"),
        pytest.raises(ValueError, match="early_stopping needs at least two examples"),
    ):
        small(early_stopping=True).fit(["a", ""], ["x", "y"])


def test_training_goes_on():
    model = small(epochs=1, learning_rate=0.2, word_ngrams=2).fit(X, Y)
    losses = [model.partial_fit(X, Y).history_[-1].loss for _ in range(20)]
    assert losses == sorted(losses, reverse=True)
    assert [epoch.epoch for epoch in model.history_] == list(range(1, 22))
    words = model.vectors_.words
    assert model.partial_fit(["new fine words"], ["-"]).vectors_.words == words
    assert model.history_[-1].examples == 1
    assert {epoch.learning_rate for epoch in model.history_[1:]} == {0.2}


def test_classes_are_told_in_the_first_call():
    model = small().partial_fit(X[:2], Y[:2], classes=["+", "0", "-"])
    assert model.classes_.tolist() == ["+", "-", "0"]
    assert model.predict_proba(X).shape == (20, 3)
    for _ in range(20):
        model.partial_fit(X, Y).partial_fit(X, Y, classes=["0", "-", "+"])
    assert model.predict(X[:1]).tolist() == ["+"]
    before = learned(model)
    for (documents, labels, classes), message in [
        ((X, Y, {"classes": ["+", "1"]}), r"classes must be those of the first call, .* got \['\+', '1'\]"),
        ((X[:2], ["+", "1"], {}), r"y must have labels of the classes \['\+', '-', '0'\], got \['1'\]"),
        ((X[:2], [1, 2], {}), r"y must have labels of the classes \['\+', '-', '0'\], got \[1, 2\]"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.partial_fit(documents, labels, **classes)
        assert learned(model) == before
    with pytest.raises(ValueError, match=r"y must have labels of the classes \['\+', '0'\], got \['-'\]"):
        small().partial_fit(X, Y, classes=["+", "0"])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, where the reference trains
def test_training_that_diverges_changes_nothing():
    model, other = (small(word_ngrams=2).fit(X, Y) for _ in range(2))
    before = learned(model)
    both = [*X, *X], [*Y, *Y[::-1]]  # texts that have two labels: no step, however large, makes all right
    for method in (model.fit, model.partial_fit):
        model.set_params(learning_rate=1e30)
        with pytest.raises(FloatingPointError, match=r"learning_rate=1e\+30 is probably too large"):
            method(*both)
        assert learned(model) == before
    model.set_params(learning_rate=0.5)
    assert learned(model.partial_fit(X, Y))[0] == learned(other.partial_fit(X, Y))[0]
    with pytest.raises(FloatingPointError):
        new = small(learning_rate=1e30)
        new.fit(*both)
    assert vars(new) == vars(small(learning_rate=1e30))


def test_parameters_set_after_the_training_change_no_prediction():
    model = small(word_ngrams=2).fit(X, Y)
    before = model.predict_proba(X)
    model.set_params(word_ngrams=1, buckets=3, vector_size=7, min_count=4)
    np.testing.assert_array_equal(model.predict_proba(X), before)


# ---- Parameters -------------------------------------------------------------------------------------------

BAD = [
    ({"vectors": np.ones((2, 3))}, TypeError, r"vectors must be Vectors or None, got array"),
    ({"word_ngrams": 0}, ValueError, r"word_ngrams must be an int from 1 to 100, got 0"),
    ({"word_ngrams": 2.0}, TypeError, r"word_ngrams must be an int from 1 to 100, got 2.0"),
    ({"buckets": 0}, ValueError, r"buckets must be an int from 1 to 1073741824, got 0"),
    ({"buckets": 2**30 + 1}, ValueError, r"buckets must be an int from 1 to 1073741824, got 1073741825"),
    ({"vector_size": 0}, ValueError, r"vector_size must be an int from 1 to 4096, got 0"),
    ({"vector_size": 4097}, ValueError, r"vector_size must be an int from 1 to 4096, got 4097"),
    ({"min_count": 0}, ValueError, r"min_count must be an int >= 1, got 0"),
    ({"min_label_count": 0}, ValueError, r"min_label_count must be an int >= 1, got 0"),
    (
        {"loss": "hs"},
        ValueError,
        r"loss must be one of .*hierarchical_softmax.*, got 'hs'; it is 'hierarchical_softmax' here",
    ),
    ({"negatives": 0}, ValueError, r"negatives must be an int from 1 to 1000, got 0"),
    ({"max_n": -1}, ValueError, r"max_n must be an int from 0 to 1000, got -1"),
    ({"min_n": 4, "max_n": 3}, ValueError, r"min_n must be an int from 0 to 3, got 4"),
    ({"learning_rate": 0}, ValueError, r"learning_rate must be a number > 0, got 0"),
    ({"learning_rate": None}, TypeError, r"learning_rate must be a number > 0, got None"),
    ({"learning_rate": np.inf}, ValueError, r"learning_rate must be a number > 0, got inf"),
    ({"min_learning_rate": -0.1}, ValueError, r"min_learning_rate must be .* >= 0 and <= 0.25, got -0.1"),
    ({"min_learning_rate": 0.3}, ValueError, r"min_learning_rate must be .* >= 0 and <= 0.25, got 0.3"),
    ({"epochs": 0}, ValueError, r"epochs must be an int >= 1, got 0"),
    ({"early_stopping": None}, TypeError, r"early_stopping must be True or False, got None"),
    ({"validation_fraction": 0}, ValueError, r"validation_fraction must be a number > 0 and <= 0.9, got 0"),
    ({"patience": 0}, ValueError, r"patience must be an int >= 1, got 0"),
    ({"threads": 0}, ValueError, r"threads must be an int >= 1, got 0"),
    ({"threads": "2"}, TypeError, r"threads must be an int >= 1, got '2'"),
    ({"seed": -1}, ValueError, r"seed must be an int >= 0, got -1"),
    ({"progress": "yes"}, TypeError, r"progress must be True or False, got 'yes'"),
]


@pytest.mark.parametrize(("params", "error", "message"), BAD)
def test_bad_parameters_are_named(params, error, message):
    for method in ("fit", "partial_fit"):
        model = TextClassifier(**params)
        with pytest.raises(error, match=message):
            getattr(model, method)(X, Y)
        assert vars(model) == vars(TextClassifier(**params))


def test_no_parameter_is_forgotten():
    assert {name for params, *_ in BAD for name in params} == set(TextClassifier().get_params())


def test_numbers_of_numpy_are_numbers():
    params = {"word_ngrams": np.int64(2), "buckets": np.int32(50), "vector_size": np.int8(5)}
    model = small(**params, learning_rate=np.float32(0.5), seed=np.uint8(3), threads=np.int64(1))
    assert learned(model.fit(X, Y)) is not None
    assert model.score(X, Y) == 1


# ---- Progress and interruption ----------------------------------------------------------------------------


def test_progress_is_shown_on_standard_error_when_asked_for(capsys):
    small().fit(X, Y)
    assert capsys.readouterr() == ("", "")
    small(progress=True, epochs=2).fit(X, Y)
    out, shown = capsys.readouterr()
    assert out == "" and "epoch 2/2" in shown and "documents" in shown and "loss" in shown


@can_be_interrupted
@pytest.mark.parametrize("params", [{}, {"threads": 2}, {"early_stopping": True, "patience": 10**6}])
def test_control_c_loses_nothing(params, monkeypatch):
    set_sizes(monkeypatch, work_of_thread=1)
    model = small(**params, epochs=1_000_000)
    message = r"interrupted in epoch \d+ of 1000000; what was learned is"
    with monkeypatch.context() as patch, pytest.warns(UserWarning, match=message) as caught:
        interrupt_training_at(patch, kernels.get("documents"), 300)
        model.fit(X, Y)
    assert caught[0].filename == __file__
    assert model.interrupted_ and model.score(X, Y) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not model.partial_fit(X, Y).interrupted_


def test_a_warning_that_is_an_error_changes_nothing():
    model = small().fit(X, Y)
    before = learned(model)
    with warnings.catch_warnings(), pytest.raises(UserWarning, match="1 of 21 documents"):
        warnings.simplefilter("error")
        model.fit([*X, ""], [*Y, "+"])
    assert learned(model) == before
