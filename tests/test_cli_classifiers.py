"""The commands `tag` and `classify`: real files, and real processes where these can make a difference.

A process that learns takes a second to load scikit-learn, so that most commands run in this one.
"""

import gzip
import io
import os
import random
import re
import signal
import subprocess
import sys

import pytest
from commands import ENDING, fail, interrupt, run, start, succeed, wait_for

from fastvec import Vectors, cli
from fastvec.classify import SoftmaxClassifier, load, read_conll

pytestmark = pytest.mark.any_backend(trains=True)

NAMES = {"in": ["Paris", "Rome", "Oslo", "Bern"], "mr": ["Smith", "Jones", "Brown", "Miller"]}
GOOD, BAD = ["good", "fine", "nice", "great"], ["bad", "poor", "dull", "awful"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files to learn from and to try."""
    folder = tmp_path_factory.mktemp("classifiers")
    draw = random.Random(1)
    sentences, tests, texts = [], [], []
    for i in range(300):
        sentence = []
        for _ in range(3):
            before = draw.choice(["in", "mr", "the"])
            name = draw.choice(NAMES[before]) if before in NAMES else draw.choice(["man", "sea", "year"])
            tag = {"in": "LOC", "mr": "PER", "the": "O"}[before]
            sentence += [f"{before} X O", f"{name} Y {tag}"]
        (sentences if i < 250 else tests).append("\n".join(sentence))
        good = draw.random() < 0.5
        words = ["the", "film", draw.choice(GOOD if good else BAD), draw.choice("abcd")]
        texts.append(f"__label__{'good' if good else 'bad'} {' '.join(words)}\n")
    (folder / "train.conll").write_text("\n\n".join(sentences) + "\n")
    (folder / "test.conll").write_text("\n\n".join(tests) + "\n")
    (folder / "train.txt").write_text("".join(texts[:250]))
    (folder / "test.txt").write_text("".join(texts[250:]))
    (folder / "latin.txt").write_bytes(b"__label__good caf\xe9 fine\n__label__bad dull\n")
    (folder / "ragged.conll").write_text("in X O\nParis LOC\n")
    (folder / "columns.conll").write_text("in\nParis\n")
    (folder / "one.conll").write_text("in O\nParis O\n")
    (folder / "one.txt").write_text("__label__good a film\n__label__good a play\n")
    (folder / "unlabelled.txt").write_text("__label__good a film\n\na play\n")
    (folder / "empty.txt").write_text("\n")
    words = ["in", "mr", "the", *NAMES["in"], *NAMES["mr"], *GOOD, *BAD]
    Vectors(words, [[draw.gauss(0, 1) for _ in range(8)] for _ in words]).save(folder / "v.fvec")
    return folder


@pytest.fixture(scope="module")
def tagger(folder):
    path = folder / "tagger.fvmodel"
    options = ("--vector-size", 8, "--hidden", 10, "--window", 1, "--epochs", 5, "--train-vectors")
    out = succeed("tag", "train", folder / "train.conll", "-o", path, *options)
    assert re.fullmatch(
        rf"3 tags; trained on 1,500 words in \d+\.\d s, loss 0\.\d+; saved in {re.escape(str(path))}\n", out
    )
    return path


@pytest.fixture(scope="module")
def classifier(folder):
    path = folder / "classifier.fvmodel"
    options = ("--vector-size", 8, "--learning-rate", 0.5, "--word-ngrams", 2, "--epochs", 20)
    out = succeed("classify", "train", folder / "train.txt", "-o", path, *options)
    assert re.fullmatch(
        r"2 labels; trained on 20,000 words in \d+\.\d s \([\d,]+ words/s\), loss 0\.\d+; "
        rf"saved in {re.escape(str(path))}\n",
        out,
    )
    return path


@pytest.fixture
def call(capfd, monkeypatch):
    """Function that runs a command here and returns its exit status and what it prints."""

    def run_here(*arguments, input="", status=0):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(input.encode()), encoding="utf-8"))
        try:
            ended = cli.main([str(argument) for argument in arguments])
        except SystemExit as stopped:  # of argparse
            ended = stopped.code
        sys.stdout.flush()
        out, errors = capfd.readouterr()
        assert ended == status, errors
        return errors if status else out

    return run_here


# ---- tag --------------------------------------------------------------------------------------------------


def test_parameters_of_a_tagger_are_passed_on(folder, tmp_path, call):
    path = tmp_path / "model.fvmodel"
    options = ["--window", 1, "--hidden", 5, 4, "--activation", "relu", "--features", "case", "suffix"]
    options += ["--no-train-vectors", "--optimizer", "sgd", "--learning-rate", 0.01, "--momentum", 0.5]
    options += ["--vectors", folder / "v.fvec", "--epochs", 1, "--l2", 0.001, "--early-stopping", "--seed", 3]
    options += ["--schedule", "constant", "--batch-size", 32, "--patience", 2, "--validation-fraction", 0.2]
    out = call("tag", "train", folder / "train.conll", "-o", path, *options)
    assert re.search(r"loss \d\.\d+, validation accuracy \d+\.\d\d%; saved in", out)
    params = load(path).get_params()
    assert (params["hidden"], params["features"]) == ((5, 4), ("case", "suffix"))
    assert (params["optimizer"], params["learning_rate"], params["momentum"]) == ("sgd", 0.01, 0.5)
    assert params["early_stopping"] and not params["train_vectors"]
    assert load(path).vectors_.words[:4] == ["in", "mr", "the", "Paris"]
    assert (params["seed"], params["batch_size"], params["schedule"]) == (3, 32, "constant")


def test_tags_are_one_more_column(folder, tagger):
    out = succeed("tag", "predict", tagger, folder / "test.conll")
    given, found = ([line.split() for line in text.splitlines()] for text in (read(folder), out))
    given.append([])  # an empty line ends every sentence
    assert [columns[:3] for columns in found] == given
    assert {len(columns) for columns in found} == {0, 4}
    assert sum(columns[2] == columns[3] for columns in found if columns) > 0.8 * 300


def read(folder):
    return (folder / "test.conll").read_text()


def test_what_was_tagged_is_read_again(folder, tagger, tmp_path, call):
    for name in ("out.conll", "out.conll.gz"):
        path = tmp_path / name
        assert call("tag", "predict", tagger, folder / "test.conll", "-o", path) == ""
        assert path.read_bytes().startswith(b"\x1f\x8b") == name.endswith(".gz")
        words, tags = read_conll(path)
        assert words == read_conll(folder / "test.conll")[0]
        assert [found.tolist() for found in load(tagger).predict(words)] == tags
        assert call("tag", "evaluate", tagger, path).startswith("accuracy 1.0000 of 300 words\n")


def test_words_to_tag_come_from_standard_input(tagger, call):
    out = call("tag", "predict", tagger, "-", input="-DOCSTART- x\n\nin x\nParis x\n\n\n\nmr\tx\n")
    assert [line.split()[0] for line in out.splitlines() if line] == ["in", "Paris", "mr"]
    assert out.endswith("\n\n") and "\n\n\n" not in out
    assert "\nmr x O" in out  # columns are joined by a space


def test_evaluate_prints_scores_of_tags(folder, tagger, call):
    lines = call("tag", "evaluate", tagger, folder / "test.conll").splitlines()
    assert float(re.fullmatch(r"accuracy (0\.\d{4}) of 300 words", lines[0])[1]) > 0.8
    assert lines[1].split() == ["label", "precision", "recall", "F1", "count"]
    rows = {line.split()[0]: line.split()[1:] for line in lines[2:]}
    assert lines[2].split()[0] == "O" and rows.keys() == {"O", "LOC", "PER"}
    assert sum(int(row[3]) for row in rows.values()) == 300
    assert len({len(line) for line in lines[1:]}) == 1
    other = call("tag", "evaluate", tagger, folder / "test.conll", "--column", 2)
    assert other.startswith("accuracy 0.0000") and "X " in other


# ---- classify ---------------------------------------------------------------------------------------------


def test_parameters_of_a_classifier_are_passed_on(folder, tmp_path, call):
    path = tmp_path / "model.fvmodel"
    options = ["--word-ngrams", 3, "--buckets", 50, "--min-count", 2, "--learning-rate", 0.3, "--epochs", 2]
    options += ["--min-learning-rate", 0.1, "--early-stopping", "--threads", 2, "--seed", 7, "--patience", 2]
    call("classify", "train", folder / "train.txt", "-o", path, *options, "--vectors", folder / "v.fvec")
    model = load(path)
    params = model.get_params()
    assert (params["word_ngrams"], params["buckets"], params["min_count"]) == (3, 50, 2)
    assert (params["learning_rate"], params["min_learning_rate"], params["threads"]) == (0.3, 0.1, 2)
    assert (params["early_stopping"], params["seed"], params["patience"]) == (True, 7, 2)
    assert model.vectors_.vector_size == 8 and model.vectors_.words[:3] == ["in", "mr", "the"]


def test_labels_of_lines(classifier, call):
    lines = "the film was fine\n\n__label__good a dull film\n \t\nthe awful film\n"
    out = call("classify", "predict", classifier, "-", input=lines)
    assert out == "__label__good\n\n__label__bad\n\n__label__bad\n"
    assert call("classify", "predict", classifier, "-", input="") == ""
    assert call("classify", "predict", classifier, "-", input="\n\n") == "\n\n"
    assert call("classify", "predict", classifier, "-", input="fine\r\n\r\n") == "__label__good\n\n"


def test_several_labels_and_their_probabilities(classifier, folder, call):
    out = call("classify", "predict", classifier, "-", "-k", 5, "--probabilities", input="dull\n\n")
    found = re.fullmatch(r"__label__bad (\S+) __label__good (\S+)\n\n", out)
    assert float(found[1]) > 0.8 and float(found[1]) + float(found[2]) == pytest.approx(1, abs=1e-5)
    expected = load(classifier).predict_proba(["dull"])[0].max()
    assert float(found[1]) == pytest.approx(expected, rel=1e-5)
    two = call("classify", "predict", classifier, folder / "test.txt", "-k", 2).splitlines()
    assert set(two) == {"__label__bad __label__good", "__label__good __label__bad"}
    one = call("classify", "predict", classifier, folder / "test.txt", "--probabilities").splitlines()
    assert {line.split()[0] for line in one} == {"__label__bad", "__label__good"} and len(one) == 50


def test_lines_without_a_known_word_are_warned_of(classifier):
    done = run("classify", "predict", classifier, "-", "-k", 2, "--probabilities", input="unheard of\n\nfine")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "__label__bad 0.5 __label__good 0.5"
    assert "fastvec: warning: 1 of 2 documents have no known word" in done.stderr


def test_labels_go_to_files(classifier, folder, tmp_path, call):
    plain, packed = tmp_path / "out.txt", tmp_path / "out.txt.gz"
    for path in (plain, packed):
        assert call("classify", "predict", classifier, folder / "test.txt", "-o", path) == ""
    expected = call("classify", "predict", classifier, folder / "test.txt")
    assert plain.read_text() == gzip.decompress(packed.read_bytes()).decode() == expected
    labels = [line.split()[0] for line in (folder / "test.txt").read_text().splitlines()]
    assert expected.splitlines() == labels


def test_evaluate_prints_scores_of_labels(classifier, folder, call):
    lines = call("classify", "evaluate", classifier, folder / "test.txt").splitlines()
    assert lines[0] == "accuracy 1.0000 of 50 texts"
    assert {line.split()[0] for line in lines[2:]} == {"good", "bad"}
    assert lines[2].split()[1:4] == ["1.000", "1.000", "1.000"]
    out = call("classify", "evaluate", classifier, "-", input="__label__new fine\n__label__bad dull\n")
    assert out.startswith("accuracy 0.5000 of 2 texts\n")
    assert re.search(r"^new +0\.000 +0\.000 +0\.000 +1$", out, re.M)


def test_training_reads_standard_input_and_packed_files(folder, tmp_path, call):
    text, packed = (folder / "train.txt").read_text(), tmp_path / "train.txt.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    for name, source in (("a", "-"), ("b", packed), ("c", folder / "train.txt")):
        out = tmp_path / f"{name}.fvmodel"
        call("classify", "train", source, "-o", out, "--vector-size", 4, "--threads", 1, input=text)
    with_history = [load(tmp_path / f"{name}.fvmodel") for name in "abc"]
    for model in with_history[1:]:
        assert (model.predict_proba(["fine"]) == with_history[0].predict_proba(["fine"])).all()


def test_bytes_that_are_not_utf8(folder, tmp_path, call):
    train = ("classify", "train", folder / "latin.txt", "-o", tmp_path / "x.fvmodel", "--vector-size", 4)
    assert "latin.txt, line 1, byte 17: not valid UTF-8" in call(*train, status=2)
    call(*train, "--errors", "replace")
    assert "caf\ufffd" in load(tmp_path / "x.fvmodel").vectors_.words


# ---- Errors -----------------------------------------------------------------------------------------------

X = ("-o", "x.fvmodel")
ERRORS = [
    (("tag", "train", "ragged.conll", *X), "ragged.conll, line 2: a word must have the 3 columns of line 1"),
    (("tag", "train", "columns.conll", *X), "column must be one after the first, in which the words are"),
    (("tag", "train", "train.conll", *X, "--column", 4), "column must be an int from -3 to 3, got 4"),
    (("tag", "train", "one.conll", *X), "at least two classes, got one class: ['O']"),
    (("tag", "train", "missing.conll", *X), "missing.conll: No such file or directory"),
    (("tag", "train", "empty.txt", *X), "empty.txt: the file has no words"),
    (("tag", "train", "missing.conll", "-o", "x.bin"), "the output must end in .fvmodel, got 'x.bin'"),
    (("tag", "train", "missing.conll", "-o", "no/x.fvmodel"), "cannot write in this folder: No such file"),
    (("tag", "train", "missing.conll", *X, "--window", -1), "window must be an int from 0 to 1000, got -1"),
    (("tag", "train", "missing.conll", *X, "--hidden", "few"), "invalid int value: 'few'"),
    (("tag", "train", "missing.conll", *X, "--features", "colour"), "invalid choice: 'colour'"),
    (("tag", "train", "missing.conll", *X, "--activation", "gelu"), "invalid choice: 'gelu'"),
    (("tag", "train", "missing.conll", *X, "--optimizer", "lbfgs"), "invalid choice: 'lbfgs'"),
    (("tag", "train", "missing.conll", *X, "--word-ngrams", 2), "unrecognized arguments: --word-ngrams (see"),
    (("tag", "train", "train.conll", *X, "--vectors", "no.fvec"), "no.fvec: No such file or directory"),
    (("tag", "train", "train.conll", *X, "--learning-rate", "1e39", "--optimizer", "sgd"), "too large"),
    (("tag", "predict", "missing.fvmodel", "test.conll"), "missing.fvmodel: No such file or directory"),
    (("tag", "predict", "classifier.fvmodel", "test.conll"), "TextClassifier, but this command needs a W"),
    (("tag", "predict", "v.fvec", "test.conll"), "v.fvec: not a classifier (.fvmodel) but a file of vectors"),
    (("tag", "predict", "train.txt", "test.conll"), "train.txt: "),
    (("tag", "predict", "tagger.fvmodel", "ragged.conll"), "ragged.conll, line 2: a word must have"),
    (("tag", "predict", "tagger.fvmodel", "missing.conll", "-o", "no/x"), "cannot write in this folder"),
    (("tag", "predict", "tagger.fvmodel", "empty.txt"), "empty.txt: the file has no words"),
    (("tag", "evaluate", "tagger.fvmodel", "columns.conll"), "column must be one after the first"),
    (("tag", "evaluate", "softmax.fvmodel", "test.conll"), "Classifier, but this command needs a Window"),
    (("tag", "trian", "train.conll"), "invalid choice: 'trian'"),
    (
        ("classify", "train", "unlabelled.txt", *X),
        "unlabelled.txt, line 3: a text must have one __label__...",
    ),
    (("classify", "train", "one.txt", *X), "at least two classes, got one class: ['good']"),
    (("classify", "train", "empty.txt", *X), "empty.txt: the file has no texts"),
    (("classify", "train", "missing.txt", *X), "missing.txt: No such file or directory"),
    (
        ("classify", "train", "missing.txt", "-o", "x.fvec"),
        "the output must end in .fvmodel or .bin, got 'x.fvec'",
    ),
    (("classify", "train", "missing.txt", *X, "--epochs", 0), "epochs must be an int >= 1, got 0"),
    (("classify", "train", "missing.txt", *X, "--buckets", "1K"), "invalid int value: '1K'"),
    (("classify", "train", "missing.txt", *X, "--hidden", 2), "unrecognized arguments: --hidden (see"),
    (("classify", "train", "train.txt", *X, "--vectors", "no.fvec"), "no.fvec: No such file or directory"),
    (("classify", "train", "train.txt", *X, "--learning-rate", "1e30"), "1e+30 is probably too large"),
    (("classify", "train", "train.txt", *X, "--min-count", 1000), "at least one document with a known word"),
    (("classify", "predict", "tagger.fvmodel", "test.txt"), "Classifier, but this command needs a TextC"),
    (("classify", "predict", "classifier.fvmodel", "test.txt", "-k", 0), "-k must be an int >= 1, got 0"),
    (("classify", "predict", "classifier.fvmodel", "missing.txt"), "missing.txt: No such file or directory"),
    (("classify", "predict", "classifier.fvmodel", "test.txt", "-o", "."), "Is a directory"),
    (("classify", "evaluate", "classifier.fvmodel", "unlabelled.txt"), "line 3: a text must have one"),
    (("classify", "evaluate", "classifier.fvmodel", "empty.txt"), "empty.txt: the file has no texts"),
]


@pytest.mark.usefixtures("tagger", "classifier")
@pytest.mark.filterwarnings("ignore:250 of 250 documents")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, on the reference
@pytest.mark.parametrize(
    ("arguments", "message"), ERRORS, ids=[" ".join(map(str, arguments)) for arguments, _ in ERRORS]
)
def test_errors_are_one_line(folder, monkeypatch, call, arguments, message):
    if "softmax.fvmodel" in arguments:
        SoftmaxClassifier(epochs=1).fit([[0.0], [1.0]], [0, 1]).save(folder / "softmax.fvmodel")
    monkeypatch.chdir(folder)
    error = call(*arguments, status=2).splitlines()[-1]
    assert error.startswith("fastvec: error: ") and message in error
    assert not (folder / "x.fvmodel").exists()


def test_errors_of_processes(folder, tagger):
    assert fail("tag", "predict", tagger, folder / "ragged.conll").endswith(
        "ragged.conll, line 2: a word must have the 3 columns of line 1, got 2: 'Paris LOC'"
    )
    assert fail("classify", "predict", tagger, folder / "test.txt").endswith(
        "tagger.fvmodel holds a WindowClassifier, but this command needs a TextClassifier"
    )


# ---- The process ------------------------------------------------------------------------------------------


def test_progress_is_on_standard_error_only(folder, tmp_path):
    options = ("-o", tmp_path / "x.fvmodel", "--epochs", 2, "--vector-size", 4)
    for command, file in (("tag", "train.conll"), ("classify", "train.txt")):
        done = run(command, "train", folder / file, *options)
        assert done.stdout.count("\n") == 1
        assert "loss" in done.stderr and "/s" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to all processes of a console")
@pytest.mark.parametrize("number", [signal.SIGINT, *ENDING])
def test_a_signal_saves_what_was_learned(number, folder, tmp_path):
    out = tmp_path / "x.fvmodel"
    with start("classify", "train", folder / "train.txt", "-o", out, "--epochs", 10**7) as process:
        wait_for(b"loss", process.stderr)
        output, rest = interrupt(process, number)
    assert process.returncode == 128 + number
    assert b"Traceback" not in rest and b"fastvec: warning: training was interrupted" in rest
    assert output.decode().endswith(f"saved in {out}\n")
    assert load(out).score(["a dull film", "fine"], ["bad", "good"]) == 1


IMPORTS = """
import contextlib, sys
from fastvec.cli import main
with contextlib.suppress(SystemExit):
    main(sys.argv[1:])
print(*sorted(name for name in sys.modules if name.startswith(("sklearn", "scipy", "fastvec.classify"))))
"""


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"], ["info"]])
def test_help_does_not_wait_for_scikit_learn(arguments):
    command = [sys.executable, "-c", IMPORTS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=True)
    assert done.stdout.splitlines()[-1] == ""
    assert len(done.stdout.splitlines()) > 1


def test_without_scikit_learn_it_is_asked_for(folder):
    program = "import sys; sys.modules['sklearn'] = None; from fastvec.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "classify", "train", folder / "train.txt", "-o", "x.fvmodel"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 2
    needed = "fastvec.classify needs scikit-learn: pip install 'fastvec[classify]'"
    assert done.stderr == f"fastvec: error: {needed}\n"


@pytest.mark.parametrize("verb", ["classify", "tag"])
def test_vectors_are_read_with_the_options_that_errors_advise(tmp_path, verb):
    labelled, vectors = tmp_path / "labelled.txt", tmp_path / "v.vec"
    line = "__label__x a b\n__label__y b a\n" if verb == "classify" else "a x\nb y\n\nb y\na x\n\n"
    labelled.write_text(line * 5)
    vectors.write_text("3 2\na 0.1 0.2\nb 0.3 0.4\nb 0.5 0.6\n")
    train = (verb, "train", labelled, "-o", tmp_path / "m.fvmodel", "--vectors", vectors)
    assert "; --on-duplicates first keeps" in fail(*train)
    succeed(*train, "--on-duplicates", "first", "--epochs", 1)


def test_several_labels_a_line(folder, tmp_path, call):
    text = "#hot #soup steam bowl\n#cold ice bowl\n#hot fire\n#cold #soup ice bowl bowl\n" * 10
    out = tmp_path / "dishes.fvmodel"
    prefix = ("--label-prefix", "#")
    options = ("--loss", "one_vs_all", "--vector-size", 8, "--learning-rate", 0.5, "--epochs", 40)
    call("classify", "train", "-", "-o", out, *prefix, *options, "--threads", 1, input=text)
    found = call(
        "classify", "predict", out, "-", *prefix, "-k", 3, "--threshold", 0.5, input="fire\nice bowl\n"
    )
    assert found.splitlines()[0] == "#hot" and "#cold" in found.splitlines()[1].split()
    scores = call("classify", "evaluate", out, "-", *prefix, "-k", 2, input=text).splitlines()
    assert re.fullmatch(
        r"precision 0\.\d+, recall [01]\.\d+, F1 0\.\d+ of 40 texts with 60 labels", scores[0]
    )
    assert {line.split()[0] for line in scores[2:]} == {"cold", "hot", "soup"}
    assert (
        "-k must be an int >= 1, got 0" in run("classify", "evaluate", out, "-", "-k", 0, input=text).stderr
    )


def test_names_are_scored_as_wholes(tmp_path, call):
    text = "mr B-PER\nSmith I-PER\nsaw O\nOslo B-LOC\n\n" * 20
    out = tmp_path / "spans.fvmodel"
    call("tag", "train", "-", "-o", out, "--vector-size", 8, "--epochs", 20, "--min-count", 1, input=text)
    lines = call("tag", "evaluate", out, "-", input=text).splitlines()
    assert lines[0] == "accuracy 1.0000 of 80 words"
    assert "spans: precision 1.0000, recall 1.0000, F1 1.0000 of 40" in lines
    assert [line.split()[0] for line in lines[-3:]] == ["span", "LOC", "PER"]
