"""The verbs that print vectors, and words that come from standard input."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from commands import HANGS, fail, start

import fastvec
from fastvec import SubwordVectors, cli, evaluate
from fastvec.vectors import Subwords

pytestmark = pytest.mark.any_backend

WORDS = ["garden", "house", "owl", "wren"]


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    rows = np.random.default_rng(0).standard_normal((4 + 30, 5))
    vectors = SubwordVectors(WORDS, rows, Subwords(3, 4, 30))
    vectors.save(tmp_path_factory.mktemp("cli") / "v.bin")
    return vectors


@pytest.fixture(scope="module")
def path(vectors, tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "v.bin"
    vectors.save(path)
    return path


@pytest.fixture(scope="module")
def whole(vectors, tmp_path_factory):
    """The same words without n-grams."""
    path = tmp_path_factory.mktemp("cli") / "v.vec"
    vectors.save(path)
    return path


@pytest.fixture
def told(monkeypatch, capsys):
    """Function that returns the exit status, and what is printed, of a command with some standard input."""

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="ascii"))
        status = cli.main([*map(str, arguments)])
        return status, *capsys.readouterr()

    return run


def numbers(line):
    return np.array(line.split()[-5:], np.float32)


def test_vectors_of_words_are_printed(vectors, path, told):
    status, out, _ = told("print-vectors", path, "owl", "gardener")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == ["owl", "gardener"]
    for line in out.splitlines():
        np.testing.assert_array_equal(numbers(line), vectors[line.split()[0]])
    assert told("print-vectors", path, stdin=b"owl\ngardener") == (0, out, "")
    assert told("print-vectors", path, stdin=b"\n  owl\t gardener \r\n\n") == (0, out, "")


def test_what_is_printed_is_a_file_of_vectors(vectors, path, told, tmp_path):
    (tmp_path / "some.glove").write_text(told("print-vectors", path, stdin=b"owl wren")[1])
    some = fastvec.load(tmp_path / "some.glove")
    assert some.words == ["owl", "wren"]
    np.testing.assert_array_equal(some.vectors, vectors[["owl", "wren"]])


def test_vectors_of_sentences_are_printed(vectors, path, whole, told):
    expected = vectors.mean(["owl", "gardener"], unit=True)
    for given in ({"stdin": b"owl  gardener\n"}, {"stdin": b"owl gardener"}):
        status, out, _ = told("print-sentence-vectors", path, **given)
        assert status == 0 and out.count("\n") == 1
        np.testing.assert_allclose(numbers(out), expected, atol=1e-6)
    assert told("print-sentence-vectors", path, "owl gardener")[1] == out
    lines = told("print-sentence-vectors", whole, stdin=b"owl\n\nunheard\nowl unheard\n")[1].splitlines()
    assert [line == "0 0 0 0 0" for line in lines] == [False, True, True, False]
    assert lines[0] == lines[3]


def test_ngrams_are_printed(vectors, path, whole, told):
    status, out, _ = told("print-ngrams", path, "owl")
    assert (status, [line.split()[0] for line in out.splitlines()]) == (
        0,
        ["<ow", "<owl", "owl", "owl>", "wl>"],
    )
    for line, (_, row) in zip(out.splitlines(), vectors.ngrams("owl"), strict=True):
        np.testing.assert_array_equal(numbers(line), vectors.input_vectors[row])
    assert told("print-ngrams", path, stdin=b"owl\n")[1] == out
    status, _, error = told("print-ngrams", whole, "owl")
    assert (status, error) == (2, f"fastvec: error: {whole}: these vectors have no n-grams, which those of "
                                  "FastText have\n")  # fmt: skip


def test_neighbours_of_words_of_standard_input(vectors, path, told):
    status, out, _ = told("neighbors", path, "-n", 2, stdin=b"owl gardener\nwren\n")
    assert status == 0
    assert [line for line in out.splitlines() if line.endswith(":")] == ["owl:", "gardener:", "wren:"]
    assert out == told("neighbors", path, "-n", 2, "owl", "gardener", "wren")[1]
    assert told("neighbors", path, "-n", 2) == (0, "", "")


def test_words_without_an_answer_are_told_and_the_others_answered(whole, told):
    for verb in ("neighbors", "print-vectors"):
        status, out, error = told(verb, whole, stdin=b"owl\nunheard\nwren\n")
        assert status == 2
        assert error.startswith("fastvec: 'unheard' is not among the 4 words; nearest spellings: ")
        assert "owl" in out and "wren" in out
        status, out, error = told(verb, whole, "owl", "unheard")
        assert (status, out) == (2, "")
        assert error.startswith("fastvec: error: 'unheard' is not among the 4 words")


def test_standard_input_is_utf8(path, told, monkeypatch):
    assert told("print-vectors", path, stdin="東京\n".encode())[1].startswith("東京 ")
    status, _, error = told("print-vectors", path, stdin=b"owl\xff\n")
    assert (status, error) == (2, "fastvec: error: standard input must be UTF-8, got b'\\xff'\n")
    monkeypatch.setattr(sys, "stdin", None)
    assert cli.main(["neighbors", str(path)]) == 2


@pytest.mark.parametrize("verb", ["neighbors", "print-sentence-vectors"])
def test_each_word_is_answered_when_it_comes(verb, path):
    with start(verb, path, "--json", stdin=subprocess.PIPE) as process:
        for word in ("owl", "wren"):
            process.stdin.write(f"{word}\n".encode())
            process.stdin.flush()
            assert word in json.loads(process.stdout.readline()).values()
        output, error = process.communicate(timeout=HANGS)
    assert (process.returncode, output, error) == (0, b"", b"")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no terminals of this kind")
def test_on_a_terminal_words_are_asked_for(path):
    ours, theirs = os.openpty()
    with start("neighbors", path, "-n", 1, stdin=theirs) as process:
        os.close(theirs)
        os.write(ours, b"owl\n")
        assert process.stdout.readline().rstrip() == b"owl:"
        os.write(ours, b"\x04")  # Ctrl-D
        _, error = process.communicate(timeout=HANGS)
    os.close(ours)
    assert (process.returncode, error) == (0, b"word: word: ")


def test_evaluating_takes_other_methods(vectors, path, whole, told, tmp_path):
    out = told("analogy", path, "owl", "wren", "garden", "--method", "3cosmul")[1]
    ((word, score),) = vectors.analogy("owl", "wren", "garden", method="3cosmul")
    assert out == f"{score:6.3f}  {word}\n"
    questions = tmp_path / "questions.txt"
    questions.write_text(": all\nowl wren garden house\nowl wren garden unheard\n")
    rows = told("evaluate", path, "--analogies", questions, "--count-unknown", "--method", "3cosmul")[1]
    assert rows.splitlines()[1].split()[-2] == "50.0"
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("owl wren 1\nowl garden 2\nowl unheard 3\n")
    rows = told("evaluate", whole, "--similarity", pairs, "--count-unknown")[1].splitlines()
    expected = evaluate.similarity(fastvec.load(whole), pairs, count_unknown=True).spearman
    assert rows[1].split() == ["pairs", f"{expected:.3f}", "2", "3"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file holds no words"),
        (b"\n\n", "the file holds no words"),
        (b"owl\nw\xff\n", "byte 6 is not UTF-8"),
    ],
)
def test_files_of_no_words(path, tmp_path, content, message):
    (tmp_path / "words").write_bytes(content)
    for verb in (["convert", path, tmp_path / "o.fvec"], ["plot", path, "-o", tmp_path / "o.html"]):
        assert f"{tmp_path / 'words'}: {message}" in fail(*verb, "--words", tmp_path / "words")
    assert [*tmp_path.iterdir()] == [tmp_path / "words"]


def test_convert_reduces_dimensions_before_the_rest(vectors, path, told, tmp_path):
    out = tmp_path / "out.fvec"
    assert "4 words, 2 dimensions" in told("convert", path, out, "--n-components", 2)[1]
    np.testing.assert_array_equal(fastvec.load(out)["gardener"], vectors.reduce(2)["gardener"])
    told("convert", path, out, "--n-components", 2, "--center", "--unit-length")
    np.testing.assert_allclose(np.linalg.norm(fastvec.load(out).vectors, axis=1), 1, rtol=1e-6)
    assert "n_components must be an int from 1 to 5, got 9" in fail("convert", path, out, "--n-components", 9)


def test_convert_keeps_dimensions_and_less_of_each_number(vectors, path, told, tmp_path):
    out = tmp_path / "out.fvec"
    assert "4 words, 2 dimensions" in told("convert", path, out, "--dimensions", 2, "--dtype", "int8")[1]
    fastvec.load(path).truncate(2).save(tmp_path / "small.fvec", dtype="int8")
    assert out.read_bytes() == (tmp_path / "small.fvec").read_bytes()
    told("convert", path, out, "--n-components", 3, "--order-dimensions", "--dimensions", 2)
    expected = fastvec.load(path).reduce(3).order_dimensions().truncate(2)
    np.testing.assert_array_equal(fastvec.load(out).vectors, expected.vectors)
    told("convert", tmp_path / "small.fvec", out, "--dtype", "float32")
    np.testing.assert_array_equal(fastvec.load(out).vectors, fastvec.load(tmp_path / "small.fvec").vectors)
    assert "n_dimensions must be an int from 1 to 5, got 9" in fail("convert", path, out, "--dimensions", 9)
    assert "--dtype bfloat16 needs a .fvec" in fail(
        "convert", path, tmp_path / "o.vec", "--dtype", "bfloat16"
    )
