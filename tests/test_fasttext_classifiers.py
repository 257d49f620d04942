"""Classifiers of fastText's own: read and written as its package has them, quantized at its accuracy."""

import gzip
import json
import struct
import warnings

import numpy as np
import pytest
from inside import SupervisedFile, inner, read_supervised, write_supervised
from peers import fasttext
from sklearn.base import clone

from fastvec import classify, cli, load
from fastvec.classify import TextClassifier

pytestmark = pytest.mark.any_backend

quantize_matrix = inner("quantize_matrix")

random = np.random.default_rng(0)
WORDS = [f"w{number}" for number in range(330)] + ["naïve", "東京", "Zürich", "</s>x", "x__label__"]
CHANCES = 1 / np.arange(4, 4 + len(WORDS))
CHANCES /= CHANCES.sum()
KINDS = ["sea", "sky", "söil", "fire", "ice"]
# What is odd: nothing, labels, the end of a text within it, unknown words, a known one in other letters.
ODD = [
    "",
    "w1 __label__sea w2 __label__new",
    "w3 </s> w4 w5",
    "unknown 東京 naïveté 🙂",
    "W1 zürich",
    "w1\tw2 \r w3",
    "__label__sea",
]
# Those of which a classifier knows a word that has no ``</s>``.
KNOWN = [*ODD[1:4], ODD[5]]


def texts(n, seed):
    """Texts whose words depend on their kind, and labels: the kind, and whether a word is in it."""
    generator = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(n):
        kind = int(generator.integers(len(KINDS)))
        words = (
            generator.choice(len(WORDS), 9, p=CHANCES) + 17 * kind * (generator.random(9) < 0.5)
        ).tolist()
        X.append(" ".join(WORDS[word % len(WORDS)] for word in words))
        y.append([KINDS[kind], "with-w0"] if 0 in words else [KINDS[kind]])
    return X, y


X, Y = texts(500, 1)
TESTED, _ = texts(60, 2)

# Options of fastText, whether texts have several labels, and how they are quantized.
VARIANTS = {
    "softmax": ({"loss": "softmax"}, False, {"qnorm": True, "dsub": 3}),
    "n-grams of words": (
        {"loss": "softmax", "wordNgrams": 3, "bucket": 700},
        False,
        {"cutoff": 300, "qnorm": True},
    ),
    "one-vs-all": ({"loss": "ova", "wordNgrams": 2, "bucket": 500, "label": "#"}, True, {"cutoff": 280}),
    "tree": ({"loss": "hs", "minn": 2, "maxn": 3, "bucket": 400}, True, {"cutoff": 400}),
    "negative sampling": (
        {"loss": "ns", "minn": 3, "maxn": 3, "wordNgrams": 2, "bucket": 600},
        True,
        {"qnorm": True, "cutoff": 270, "retrain": True, "epoch": 1, "lr": 0.1, "thread": 1},
    ),
}


def write_lines(path, X, y, prefix="__label__"):
    lines = (
        " ".join([*(prefix + label for label in labels), text]) for text, labels in zip(X, y, strict=True)
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=VARIANTS)
def theirs(request, tmp_path_factory):
    """Files of a classifier that fastText has trained, and of the same one quantized.

    It has ten threads and dimensions as in test_fasttext_files.py.
    """
    options, several, quantization = VARIANTS[request.param]
    folder = tmp_path_factory.mktemp("theirs")
    y = Y if several else [labels[:1] for labels in Y]
    lines = write_lines(folder / "lines.txt", X, y, options.get("label", "__label__"))
    model = fasttext.train_supervised(str(lines), dim=10, epoch=5, lr=0.5, thread=10, verbose=0, **options)
    paths = folder / "whole.bin", folder / "small.ftz"
    model.save_model(str(paths[0]))
    model = fasttext.load_model(str(paths[0]))
    model.quantize(input=str(lines), verbose=0, **quantization)
    model.save_model(str(paths[1]))
    return paths


def predictions_of(model, texts, k=-1):
    """What fastText predicts: labels without their prefix, and probabilities without what it adds."""
    found = []
    for text in texts:
        labels, probabilities = model.f.predict(text + "\n", k, 0.0, "strict"), None
        probabilities = [probability for probability, _ in labels]
        found.append(([label.removeprefix("__label__") for _, label in labels], probabilities))
    return found


def assert_same_predictions(ours, path, texts):
    model = fasttext.load_model(str(path))
    added = 0 if ours.loss == "hierarchical_softmax" else 1e-5
    probabilities = ours.predict_proba(texts)
    places = {label: place for place, label in enumerate(ours.classes_.tolist())}
    for row, (labels, expected) in zip(probabilities, predictions_of(model, texts), strict=True):
        found = row[[places[label] for label in labels]] + added
        np.testing.assert_allclose(found, expected, atol=1e-6)
        missing = set(places) - set(labels)  # a tree leaves out what is less probable than this
        assert all(row[places[label]] < 1.1e-5 for label in missing)
    first = [labels[0] for labels, _ in predictions_of(model, texts, 1)]
    assert ours.predict(texts).tolist() == first
    for found, (labels, expected) in zip(
        ours.predict_top(texts, k=3), predictions_of(model, texts), strict=True
    ):
        n = min(3, len(labels))
        np.testing.assert_allclose([value + added for _, value in found[:n]], expected[:n], atol=1e-6)
        if np.diff(expected[:4]).all():  # else labels are in the same step of a table
            assert [label for label, _ in found][:n] == labels[:n]


def test_theirs_predict_the_same(theirs):
    for path in theirs:
        ours = classify.load(path)
        assert isinstance(ours, TextClassifier)
        assert_same_predictions(ours, path, [*ODD, *TESTED])
        counts = dict(zip(*fasttext.load_model(str(path)).get_labels(include_freq=True), strict=True))
        assert {label.removeprefix("__label__"): n for label, n in counts.items()} == dict(
            zip(ours.classes_.tolist(), ours.label_counts_.tolist(), strict=True)
        )


def test_theirs_come_back(theirs, tmp_path):
    for path in theirs:
        ours = classify.load(path)
        again = tmp_path / f"again{path.suffix}"
        ours.save(again)
        np.testing.assert_array_equal(classify.load(again).predict_proba(TESTED), ours.predict_proba(TESTED))
        assert_same_predictions(ours, again, TESTED[:20])
        if path.suffix == ".bin":
            assert again.read_bytes() == path.read_bytes()
    packed = tmp_path / "packed.ftz.gz"
    packed.write_bytes(gzip.compress(theirs[1].read_bytes()))
    np.testing.assert_array_equal(classify.load(packed).classes_, ours.classes_)


@pytest.fixture(scope="module")
def trained_further(theirs):
    model = classify.load(theirs[0]).set_params(learning_rate=0.5, threads=1)
    before = model.predict_proba(TESTED)
    prefix = "#" if model.loss == "one_vs_all" else ""
    return before, model.partial_fit(X, [prefix + labels[0] for labels in Y])


def test_theirs_are_trained_further(theirs, trained_further):
    before, model = trained_further
    assert np.abs(model.predict_proba(TESTED) - before).max() > 0.01
    with pytest.raises(ValueError, match="a quantized classifier must not be trained further"):
        classify.load(theirs[1]).partial_fit(X, np.resize(model.classes_, len(X)))


# ---- Ours -------------------------------------------------------------------------------------------------

OURS = {
    "words": {"loss": "softmax"},
    "n-grams of words": {"word_ngrams": 2, "buckets": 500},
    "one-vs-all": {"loss": "one_vs_all", "word_ngrams": 2, "min_n": 2, "max_n": 3, "buckets": 300},
    "tree": {"loss": "hierarchical_softmax", "min_n": 3, "max_n": 3, "buckets": 5000},
    "negative sampling": {"loss": "negative_sampling"},
}


@pytest.fixture(scope="module", params=OURS)
def ours(request):
    several = request.param == "one-vs-all"
    y = Y if several else [labels[0] for labels in Y]
    options = {"vector_size": 8, "epochs": 5, "learning_rate": 0.5, "threads": 1}
    model = TextClassifier(**options, **OURS[request.param]).fit(X, y)
    small = [
        model.quantize(),
        model.quantize(cutoff=100, subvector_size=2, separate_norms=True),
        model.quantize(X, y, cutoff=300, subvector_size=3, quantize_output=True),
    ]
    return model, small


@pytest.mark.filterwarnings("ignore:.*returns the most probable label only$")
def test_ours_are_read_by_them(ours, tmp_path):
    model, _ = ours
    model.save(tmp_path / "ours.bin")
    read = classify.load(tmp_path / "ours.bin")
    assert_same_predictions(read, tmp_path / "ours.bin", [*KNOWN, *TESTED])
    assert load(tmp_path / "ours.bin").words == model.vectors_.words
    if model.loss == "softmax" and model.word_ngrams == 1:
        np.testing.assert_allclose(read.predict_proba(TESTED), model.predict_proba(TESTED), atol=1e-6)


trains = pytest.mark.any_backend(trains=True)
FILMS = ["a fine film", "fine actors", "a bad film", "bad actors 0000"]
KEPT = ["fine film", "bad actors a film"]
ENDS = "a text ends with its first </s>, or is given one"
# What is trained, and what is predicted otherwise.
DIFFERENCES = [
    ({}, FILMS, ["FINE film", "bad 1999"]),
    ({"word_ngrams": 2}, FILMS, ["FINE film", "film fine"]),
    ({"max_n": 2, "buckets": 5}, FILMS, ["FINE film", "film 1907"]),
    ({"loss": "one_vs_all"}, FILMS, KEPT),
    ({"loss": "hierarchical_softmax"}, FILMS, ["FINE film"]),
    ({}, ["甲 乙", "乙 </s>", "丙", "丙 甲"], ["甲", "</s> 丙"]),
    ({}, ["甲 乙", "乙", "丙", "丙 甲"], []),
]


@trains
@pytest.mark.parametrize(("params", "X", "other"), DIFFERENCES)
def test_what_a_file_predicts_otherwise(tmp_path, recwarn, params, X, other):
    given = {"vector_size": 6, "epochs": 20, "learning_rate": 0.5, "threads": 1, "buckets": 10_000}
    model = TextClassifier(**given | params).fit(X * 5, ["good", "good", "bad", "bad"] * 5)
    path = tmp_path / "m.bin"
    warnings.simplefilter("always")
    model.save(path)
    found = [str(warning.message).split("that is saved: ")[1] for warning in recwarn]
    assert found == [ENDS] * ("</s>" in str(X))
    read = classify.load(path)
    assert_same_predictions(read, path, [*X, *other])
    kept = [] if "word_ngrams" in params or other == KEPT or "</s>" in str(X) else X
    if kept:
        np.testing.assert_allclose(read.predict_proba(kept), model.predict_proba(kept), atol=1e-4)
    for text in other:
        difference = np.abs(read.predict_proba([text]) - model.predict_proba([text])).max()
        assert difference > 1e-5 and (difference < 0.008 or params.get("loss") != "one_vs_all"), text


@trains
def test_what_a_file_makes_of_labels_is_said(tmp_path):
    sentence = r"labels become str; `predict` returns the most probable label only"
    model = TextClassifier(vector_size=4, threads=1).fit(["a b", "b", "c"], [[1, 2], [2], [1]])
    with pytest.warns(UserWarning, match=sentence):
        model.save(tmp_path / "m.bin")
    assert classify.load(tmp_path / "m.bin").predict(["a"]).tolist()[0] in {"1", "2"}


def test_texts_without_a_known_word(small, tmp_path):
    """They have no label in fastText, and the most frequent or first one here."""
    small.save(tmp_path / "m.bin")
    read, theirs = classify.load(tmp_path / "m.bin"), fasttext.load_model(str(tmp_path / "m.bin"))
    for text in ("", "unknown"):
        with pytest.warns(UserWarning, match="no known word"):
            ours = small.predict([text]).tolist()
        if predictions_of(theirs, [text]) == [([], [])]:
            with pytest.warns(UserWarning, match="no known word"):
                assert read.predict([text]).tolist() == ours


@trains
def test_a_word_that_is_a_label_cannot_be_saved(tmp_path):
    model = TextClassifier(vector_size=4, threads=1).fit(["a __label__x", "b"], ["x", "y"])
    with pytest.raises(ValueError, match="the word '__label__x' is a label in fastText's format"):
        model.save(tmp_path / "m.bin")


@trains
def test_the_tree_of_labels_is_that_of_a_file(tmp_path):
    """Labels that no text has count 0 in a file, too: the tree would be another one, if they counted 1."""
    X, y = ["a", "b", "c", "d"] * 3, ["a", "b", "c", "d"] * 3
    model = TextClassifier(loss="hierarchical_softmax", vector_size=6, learning_rate=0.5, threads=1)
    model.partial_fit([*X, "e"], [*y, "e"], classes=["a", "b", "c", "d", "e", "f", "g", "h"])
    for _ in range(20):
        model.partial_fit(X, y)
    model.save(tmp_path / "m.bin")
    read = classify.load(tmp_path / "m.bin")
    np.testing.assert_allclose(read.predict_proba(X), model.predict_proba(X), atol=1e-4)
    assert_same_predictions(read, tmp_path / "m.bin", X[:4])
    model.label_counts_ = model.label_counts_[::-1].copy()  # as if a file of an earlier version did not say
    with pytest.raises(ValueError, match="the tree of labels must be that of their counts"):
        model.save(tmp_path / "m.bin")


@pytest.mark.filterwarnings("ignore:.* no known word")  # after pruning
def test_ours_are_quantized_for_them(ours, tmp_path):
    model, quantized = ours
    for number, small in enumerate(quantized):
        path = tmp_path / f"{number}.ftz"
        small.save(path)
        assert_same_predictions(classify.load(path), path, TESTED[:20])
        np.testing.assert_array_equal(small.predict_proba(TESTED), classify.load(path).predict_proba(TESTED))
        assert fasttext.load_model(str(path)).is_quantized()
    assert np.abs(quantized[0].predict_proba(TESTED) - model.predict_proba(TESTED)).mean() < 0.02


def test_we_quantize_as_well_as_they_do(small, tmp_path):
    matrix = np.random.default_rng(5).standard_normal((2000, 6)).astype(np.float32)
    matrix *= np.exp(np.random.default_rng(6).standard_normal((2000, 1))).astype(np.float32)
    small.save(tmp_path / "m.bin")
    contents = read_supervised(tmp_path / "m.bin")
    labels, words = contents.header.labels, [f"w{number}".encode() for number in range(2000)]
    header = contents.header._replace(words=words, n_buckets=0, counts=np.ones(2000 + len(labels), np.int64))
    outputs = np.zeros((len(labels), 6), np.float32)
    write_supervised(tmp_path / "m.bin", SupervisedFile(header._replace(word_ngrams=1), matrix, outputs))
    for subvector_size, separate_norms in ((2, False), (4, True)):
        own = fasttext.load_model(str(tmp_path / "m.bin"))
        own.quantize(dsub=subvector_size, qnorm=separate_norms)
        own.save_model(str(tmp_path / "theirs.ftz"))
        ours = quantize_matrix(matrix, subvector_size, separate_norms=separate_norms, threads=1, seed=0)
        theirs = read_supervised(tmp_path / "theirs.ftz").input_vectors
        assert ours.codes.shape == theirs.codes.shape
        errors = [np.square(quantized.rows() - matrix).sum() for quantized in (theirs, ours)]
        assert errors[1] < errors[0]


@pytest.mark.filterwarnings("ignore:.* no known word")  # after pruning
def test_the_longest_rows_are_kept_and_trained_again(ours):
    model, (_, pruned, again) = ours
    assert len(pruned.parameters_["input_vectors"]) == 2 + 100
    assert len(again.history_) == 2 * len(model.history_) == 10
    norms = np.linalg.norm(model.parameters_["input_vectors"][2:], axis=1)
    kept = np.linalg.norm(pruned.parameters_["input_vectors"][2:], axis=1)
    np.testing.assert_allclose(np.sort(kept), np.sort(norms)[-100:], rtol=0.05)
    if model.loss == "softmax":
        y = [labels[0] for labels in Y]
        assert again.score(X, y) > pruned.score(X, y)


def test_rows_that_are_few_or_equal_are_quantized_exactly():
    options = {"separate_norms": False, "threads": 2, "seed": 0}
    few = random.standard_normal((7, 5)).astype(np.float32)
    np.testing.assert_array_equal(quantize_matrix(few, 2, **options).rows(), few)
    equal = np.repeat(few, 100, axis=0)
    np.testing.assert_allclose(quantize_matrix(equal, 3, **options).rows(), equal, atol=1e-6)
    zeros = np.zeros((300, 4), np.float32)
    options["separate_norms"] = True
    np.testing.assert_array_equal(quantize_matrix(zeros, 2, **options).rows(), zeros)


def test_the_threads_do_not_change_codes():
    matrix = random.standard_normal((300, 5)).astype(np.float32)
    one, two = (
        quantize_matrix(matrix, 2, separate_norms=True, threads=threads, seed=3) for threads in (1, 2)
    )
    np.testing.assert_array_equal(one.codes, two.codes)
    np.testing.assert_array_equal(one.rows(), two.rows())


# ---- What cannot be ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small():
    y = [labels[0] for labels in Y]
    return TextClassifier(vector_size=4, word_ngrams=2, buckets=30, threads=1, epochs=1).fit(X, y)


def test_extensions_that_do_not_fit(small, tmp_path):
    quantized = small.quantize()
    for model, name, message in (
        (small, "m.ftz", r"path must end in \.bin for a classifier that is not quantized, got '.*m\.ftz'"),
        (quantized, "m.bin", r"path must end in \.ftz for a classifier that is quantized, got '.*m\.bin'"),
        (quantized, "m.fvmodel", r"path must end in \.ftz for a classifier that is quantized"),
        (small, "m.vec", r"path must end in \.fvmodel"),
    ):
        with pytest.raises(ValueError, match=message):
            model.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "options", "error", "message"),
    [
        ((X, X), {}, ValueError, "X must be None without a cutoff"),
        ((), {"cutoff": 0}, ValueError, "cutoff must be an int from 1, got 0|cutoff must be an int >= 1"),
        ((), {"subvector_size": 5}, ValueError, "subvector_size must be an int from 1 to 4, got 5"),
        ((), {"separate_norms": 1}, TypeError, "separate_norms must be True or False, got 1"),
        ((), {"quantize_output": "no"}, TypeError, "quantize_output must be True or False, got 'no'"),
    ],
)
def test_quantizations_that_cannot_be(small, given, options, error, message):
    with pytest.raises(error, match=message):
        small.quantize(*given, **options)


def test_what_is_quantized_is_not_quantized_again(small):
    with pytest.raises(ValueError, match="the classifier is quantized already"):
        small.quantize().quantize()


@pytest.fixture(scope="module")
def unfit():
    """Classifiers with a label or a word that the format cannot hold."""
    model = TextClassifier(vector_size=2, epochs=1, threads=1)
    return [
        (clone(model).fit(["a", "b"], ["x y", "z"]), "the word '__label__x y' has white space"),
        (clone(model).fit([["a b"], ["c", "d"]], ["x", "z"]), "the word 'a b' has white space"),
        (clone(model).fit(["a\0b", "c"], ["x", "z"]), r"the word 'a\\x00b' has a NUL"),
    ]


def test_labels_and_words_that_the_format_cannot_hold(unfit, tmp_path):
    for model, message in unfit:
        with pytest.raises(ValueError, match=message):
            model.save(tmp_path / "m.bin")
    assert not list(tmp_path.iterdir())


def test_vectors_are_no_classifier(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("a b c a b\n" * 20)
    fasttext.train_unsupervised(
        str(path), dim=10, bucket=10, minCount=1, thread=10, epoch=1, verbose=0
    ).save_model(str(tmp_path / "v.bin"))
    with pytest.raises(ValueError, match=r"v\.bin holds vectors of fastText \(skipgram\), no classifier"):
        classify.load(tmp_path / "v.bin")
    with pytest.raises(ValueError, match=r"not a fastText model"):
        classify.load(path.rename(tmp_path / "text.bin"))


@pytest.fixture(scope="module")
def files(small, tmp_path_factory):
    """A whole classifier, and a quantized and pruned one, as bytes."""
    folder = tmp_path_factory.mktemp("files")
    small.save(folder / "m.bin")
    small.quantize(cutoff=20, separate_norms=True, quantize_output=True).save(folder / "m.ftz")
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("extension", [".bin", ".ftz"])
def test_cut_off_files_are_noticed(files, tmp_path, extension):
    whole, path = files[extension], tmp_path / f"cut{extension}"
    for length in [*range(4, 120, 3), *range(120, len(whole), 211), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=rf"cut{extension}: .*truncated or damaged"):
            classify.load(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(ValueError, match="continues after the output matrix"):
        classify.load(path)


def test_quantized_matrices_that_contradict_themselves(files, tmp_path):
    whole, path = files[".ftz"], tmp_path / "bad.ftz"
    kept = struct.unpack_from("<q", whole, 8 + 56 + 12 + 8)[0]
    begin = whole.index(struct.pack("<2qi", 20, 4, 40))  # rows, columns, codes
    table = begin - 2 - 8 * kept
    centroids = begin + 20 + 40 + 16
    assert 0 < kept < 20
    for place, value, message in (
        (begin - 2, b"\2", "input matrix begins with"),
        (begin - 2, b"\0", "a pruned model whose input matrix is not quantized"),
        (begin - 1, b"\7", "input matrix begins with"),
        (begin, struct.pack("<q", 21), r"must have the shape \(20, 4\) after the header, got \(21, 4\)"),
        (begin + 16, struct.pack("<i", 39), "has 39 codes for 20 rows"),
        (begin + 16, struct.pack("<i", -40), "has -40 codes for 20 rows"),
        (begin + 16, struct.pack("<i", 80), "subvectors of the input matrix|truncated or damaged"),
        (centroids - 8, struct.pack("<i", 0), "subvectors of the input matrix"),
        (centroids - 8, struct.pack("<i", 3), "subvectors of the input matrix"),
        (centroids, struct.pack("<f", np.nan), "centroids of the input matrix must be finite"),
        (table, struct.pack("<i", 10**6), "the table of the buckets that are kept is damaged"),
        (table, struct.pack("<i", -1), "the table of the buckets that are kept is damaged"),
        (table + 4, struct.pack("<i", 7777), "the table of the buckets that are kept is damaged"),
        (28, struct.pack("<i", 101), "wordNgrams 101"),
        (40, struct.pack("<i", 0), "bucket 0|is damaged"),
        (84, struct.pack("<q", 2**61), "buckets that are kept take"),
    ):
        path.write_bytes(whole[:place] + value + whole[place + len(value) :])
        with pytest.raises(ValueError, match=message) as error:
            classify.load(path)
        assert str(path) in str(error.value)


def test_labels_that_cannot_be(tmp_path, files):
    whole, path = files[".bin"], tmp_path / "bad.bin"
    for old, new, message in (
        (b"__label__sea\0", b"__label__se\xff\0", r"label \d of 5: byte 12 of the word b'.*' is not UTF-8"),
        (b"__label__sea\0", b"__label__sky\0", "a classifier must have two labels or more, all different"),
    ):
        path.write_bytes(whole.replace(old, new))
        with pytest.raises(ValueError, match=message):
            classify.load(path)


def test_numbers_that_are_not_finite(files, tmp_path):
    path = tmp_path / "bad.bin"
    path.write_bytes(files[".bin"][:-4] + struct.pack("<f", np.inf))
    with pytest.raises(ValueError, match=r"bad\.bin: the output matrix must be finite"):
        classify.load(path)


def test_as_arrays_they_come_back(files, tmp_path):
    for extension, content in files.items():
        path = tmp_path / f"m{extension}"
        path.write_bytes(content)
        contents = read_supervised(path)
        assert isinstance(contents, SupervisedFile)
        write_supervised(tmp_path / "again", contents)
        assert (tmp_path / "again").read_bytes() == content


# ---- The command line -------------------------------------------------------------------------------------


@pytest.fixture
def command(capfd, monkeypatch, tmp_path):
    """Function that runs a command in this process and returns its status, and what it prints."""

    def call(*arguments):
        monkeypatch.chdir(tmp_path)
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as ended:
            status = ended.code
        return status, *capfd.readouterr()

    return call


def test_the_command_line(small, tmp_path, command):
    lines = write_lines(tmp_path / "lines.txt", X[:60], [labels[:1] for labels in Y[:60]])
    small.save(tmp_path / "m.fvmodel")
    assert command("convert", "m.fvmodel", "m.bin", "--json")[:2] == (0, '{"output": "m.bin"}\n')
    assert (tmp_path / "m.bin").stat().st_size > 1000
    how = ("--cutoff", "300", "--separate-norms", "--quantize-output", "--subvector-size", "1")
    status, out, err = command("classify", "quantize", "m.bin", "-o", "m.ftz", *how)
    sizes = [(tmp_path / name).stat().st_size for name in ("m.ftz", "m.bin")]
    assert (status, err) == (0, "")
    assert out == f"m.ftz: {sizes[0]:,} bytes, of {sizes[1]:,} in m.bin\n"
    out = command("classify", "quantize", "m.bin", "-o", "m.ftz", *how, "--quiet", "--json")[1]
    assert json.loads(out) == {"output": "m.ftz", "bytes": sizes[0], "bytes_of_model": sizes[1]}
    for name in ("m.bin", "m.ftz"):
        found = command("classify", "predict", name, lines)[1].splitlines()
        expected = predictions_of(fasttext.load_model(str(tmp_path / name)), X[:60], 1)
        assert found == [f"__label__{labels[0]}" for labels, _ in expected]
        assert command("classify", "evaluate", name, lines)[1].startswith("accuracy ")
    about = dict(line.split(maxsplit=1) for line in command("info", "m.ftz")[1].splitlines())
    assert (about["labels"], about["loss"], about["word_ngrams"]) == ("5", "softmax", "2")


@trains
def test_rare_labels_are_left_out_when_a_file_is_retrained(tmp_path, command):
    """Which labels were rare, fastText's format does not say."""
    write_lines(tmp_path / "lines.txt", ["a fine film", "a bad film", "odd"], [["+"], ["-"], ["rare"]])
    path = tmp_path / "lines.txt"
    path.write_text(path.read_text() + "__label__+ fine\n__label__- bad\n")
    how = ("--vector-size", "4", "--threads", "1", "--min-label-count", "2", "--quiet")
    assert command("classify", "train", "lines.txt", "-o", "m.bin", *how) == (0, "", "")
    how = ("--cutoff", "3", "--retrain", "lines.txt")
    status, _, err = command("classify", "quantize", "m.bin", "-o", "m.ftz", *how)
    assert status == 2 and "y must have labels of the classes ['+', '-'], got ['rare']" in err
    status, _, err = command("classify", "quantize", "m.bin", "-o", "m.ftz", *how, "--min-label-count", "2")
    assert (status, err) == (0, "")
    assert classify.load(tmp_path / "m.ftz").classes_.tolist() == ["+", "-"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("classify", "quantize", "m.bin", "-o", "m.vec"), "the output must end in .ftz, got 'm.vec'"),
        (("classify", "quantize", "m.bin", "-o", "m.ftz", "--retrain", "l.txt"), "--retrain needs --cutoff"),
        (
            ("convert", "m.fvmodel", "v.bin", "--to", "fasttext", "--limit", "3", "--center"),
            "--to, --limit and --center must be left out for m.fvmodel: a classifier",
        ),
        (("convert", "m.ftz", "v.vec"), ".ftz is a quantized fastText model"),
        (("convert", "m.bin", "v.ftz"), ".ftz is a quantized fastText model"),
    ],
)
def test_commands_that_cannot_be(files, tmp_path, command, arguments, message):
    for extension, content in files.items():
        (tmp_path / f"m{extension}").write_bytes(content)
    status, _, err = command(*arguments)
    assert status == 2 and message in err
