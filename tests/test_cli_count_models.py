"""Models of counts on the command line: from texts, and from one file of counts."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from commands import fail, run, succeed, wait_for

import fastvec

MODELS = ("glove", "svd")
SMALL = ("--vector-size", 4, "--threads", 1)


@pytest.fixture(scope="module")
def text(tmp_path_factory, topics):
    path = tmp_path_factory.mktemp("counts") / "topics.txt"
    path.write_text("".join(f"{' '.join(sentence)}\n" for sentence in topics(400)))
    return path


@pytest.fixture(scope="module")
def counts(text):
    """A file of counts whose extension does not tell."""
    path = text.with_name("topics.counted")
    saved = text.with_name("topics.fvcounts")
    fastvec.Cooccurrence(window=3, weighting="flat", symmetric=False, min_count=2).fit(text).save(saved)
    return saved.rename(path)


@pytest.mark.parametrize("model", MODELS)
def test_a_text_is_counted_with_the_options(text, tmp_path, model):
    out = tmp_path / "out.fvec"
    options = ("--window", 2, "--weighting", "dynamic", "--left-only", "--max-vocab", 20, *SMALL)
    told = succeed("train", text, "-o", out, "--model", model, *options)
    assert told.startswith("20 words, 4 dimensions; ")
    metadata = fastvec.load(out).metadata
    expected = {"window": 2, "weighting": "dynamic", "symmetric": False, "max_vocab": 20}
    assert expected.items() <= metadata.items()


@pytest.mark.parametrize("model", MODELS)
def test_counts_are_known_by_their_content_and_have_parameters_of_their_own(counts, tmp_path, model):
    out = tmp_path / "out.fvec"
    succeed("train", counts, "-o", out, "--model", model, *SMALL)
    metadata = fastvec.load(out).metadata
    assert {"window": 3, "weighting": "flat", "symmetric": False, "min_count": 2}.items() <= metadata.items()


def test_glove_tells_of_entries(counts, tmp_path):
    out = tmp_path / "out.fvec"
    options = (
        "--x-max",
        10,
        "--alpha",
        0.5,
        "--combine",
        "concatenate",
        "--epochs",
        2,
        "--learning-rate",
        0.1,
    )
    done = run("train", counts, "-o", out, "--model", "glove", *SMALL, *options)
    assert done.returncode == 0, done.stderr
    n_entries = fastvec.Cooccurrence.load(counts).n_entries_
    assert done.stdout.startswith(f"39 words, 8 dimensions; trained on {2 * n_entries:,} entries in ")
    assert " entries/s), cost 0." in done.stdout
    metadata = fastvec.load(out).metadata
    expected = {"x_max": 10, "alpha": 0.5, "combine": "concatenate", "epochs": 2, "learning_rate": 0.1}
    assert expected.items() <= metadata.items()
    for shown in ("arranging", "epoch 2/2", "entries/s", "loss"):
        assert shown in done.stderr


def test_svd_passes_its_parameters_on(counts, tmp_path):
    out = tmp_path / "out.fvec"
    options = ("--matrix", "log", "--shift", 5, "--context-smoothing", 0.5, "--eigenvalue-weighting", 1)
    told = succeed("train", counts, "-o", out, "--model", "svd", *SMALL, *options)
    assert told.startswith("39 words, 4 dimensions; fitted in ")
    expected = {"matrix": "log", "shift": 5, "context_smoothing": 0.5, "eigenvalue_weighting": 1}
    assert expected.items() <= fastvec.load(out).metadata.items()


def test_progress_is_shown_in_every_phase(text, tmp_path):
    done = run("train", text, "-o", tmp_path / "out.fvec", "--model", "glove", "--epochs", 1, *SMALL)
    for shown in ("reading", "counting", "arranging", "epoch 1/1"):
        assert shown in done.stderr


def test_glove_goes_on_from_what_is_saved(counts, tmp_path):
    first, all_of_it = tmp_path / "first.fvec", tmp_path / "all.fvec"
    succeed(
        *("train", counts, "-o", first, "--model", "glove", "--epochs", 1, *SMALL, "--save-model", all_of_it)
    )
    model = fastvec.load_model(all_of_it)
    np.testing.assert_array_equal(model.vectors_.vectors, fastvec.load(first).vectors)
    assert len(model.fit(fastvec.Cooccurrence.load(counts)).history_) == 2


def test_phrases_come_before_counting(text, tmp_path):
    out = tmp_path / "out.fvec"
    succeed("train", text, "-o", out, "--model", "glove", "--epochs", 1, "--phrases", 1, *SMALL)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--negatives", 3, "--model", "glove"),
            "--negatives is an option of skipgram, cbow and fasttext, not",
        ),
        (("--x-max", 3, "--model", "svd"), "--x-max is an option of glove, not of --model svd"),
        (("--left-only",), "--left-only is an option of glove and svd, not of --model skipgram"),
        (("--shift", 3, "--model", "glove"), "--shift is an option of svd, not of --model glove"),
        (("--x-max", 0, "--model", "glove"), "x_max must be a number > 0, got 0.0"),
        (
            ("--save-model", "model.fvec", "--model", "svd"),
            "--save-model is an option of skipgram, cbow, fasttext and glove, not of --model svd",
        ),
        (
            ("--save-model", "model.vec", "--model", "glove"),
            "path must end in .fvec to hold a whole GloVe, got 'model.vec'",
        ),
    ],
)
def test_options_that_do_not_fit_the_model_are_refused(tmp_path, options, message):
    assert message in fail("train", tmp_path / "missing.txt", "-o", tmp_path / "out.fvec", *options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "topics.counted holds counts, which need --model glove or svd, got skipgram"),
        (
            ("--model", "glove", "--phrases", 1, "--lowercase", "--window", 3, "--left-only"),
            "got --window, --left-only, --lowercase, --phrases",
        ),
        (("--model", "svd", "--cache", "a.ids"), "and counting do not apply, got --cache"),
    ],
)
def test_options_that_do_not_fit_counts_are_refused(counts, tmp_path, options, message):
    assert message in fail("train", counts, "-o", tmp_path / "out.fvec", *options)


def test_counts_stand_alone(counts, text, tmp_path):
    message = fail("train", text, counts, "-o", tmp_path / "out.fvec", "--model", "glove")
    assert f"counts must come in one file, without texts, got {text}, {counts}" in message


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to all processes of a console")
def test_control_c_saves_what_was_learned(counts, tmp_path):
    out = tmp_path / "out.fvec"
    command = ["train", counts, "-o", out, "--model", "glove", "--epochs", 10**8, *SMALL]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-m", "fastvec", *map(str, command)], **pipes) as process:
        wait_for(b"loss", process.stderr)
        process.send_signal(signal.SIGINT)
        output, rest = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in rest
    assert b"fastvec: warning: training was interrupted" in rest
    assert output.decode().endswith(f"saved in {out}\n")
    assert len(fastvec.load(out)) == 39
