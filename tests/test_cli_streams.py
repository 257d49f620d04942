"""The command where its standard streams are closed, or can be written no more."""

import contextlib
import os
import pathlib
import subprocess
import sys

import pytest
from commands import HANGS, fail, run

import fastvec
from fastvec import classify, cli

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="Windows has no such streams"),
    pytest.mark.any_backend(trains=True),
]

FULL = pytest.mark.skipif(
    not pathlib.Path("/dev/full").exists(), reason="only Linux has a device that is full"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files for every verb."""
    folder = tmp_path_factory.mktemp("streams")
    (folder / "text").write_text("new york is not new jersey\n" * 200)
    (folder / "tags").write_text("new A\nyork B\n\n" * 50)
    (folder / "labels").write_text("__label__a new york\n__label__b jersey is\n" * 50)
    fastvec.Vectors(["a", "b"], [[1, 0], [1, 1]]).save(folder / "vectors.fvec")
    return folder


SMALL = ("--vector-size", 4, "--epochs", 2)
# What makes a file, and what reads that.
VERBS = {
    "train": (("train", "text", "-o", "x.fvec", *SMALL, "--subsample", 0), fastvec.load),
    "phrases": (("phrases", "text", "-o", "x.txt", "--threshold", 1), fastvec.Corpus),
    "cooccur": (("cooccur", "text", "-o", "x.fvcounts"), fastvec.Cooccurrence.load),
    "tag": (("tag", "train", "tags", "-o", "x.fvmodel", *SMALL), classify.load),
    "classify": (("classify", "train", "labels", "-o", "x.fvmodel", *SMALL), classify.load),
}


@pytest.fixture
def made(folder):
    """Function that reads the file which a verb has made, and removes it."""

    def read(verb):
        arguments, load = VERBS[verb]
        path = folder / arguments[arguments.index("-o") + 1]
        load(path)
        path.unlink()

    return read


def starts(verb):
    """Return whether a verb gets a Python of its own: to start without a stream is the same for all."""
    return verb == "train"


@contextlib.contextmanager
def unwritable(stream, full):
    """Give options of a process: a stream of it is closed, or goes to a device that is full."""
    if full:
        with pathlib.Path("/dev/full").open("wb") as device:
            yield {stream: device}
    else:
        yield {"closed": [stream]}


CLOSED_OR_FULL = pytest.mark.parametrize("full", [False, pytest.param(True, marks=FULL)])


@pytest.mark.parametrize(
    ("verb", "full"), [*((verb, False) for verb in VERBS), pytest.param("train", True, marks=FULL)]
)
def test_progress_that_nobody_sees_ends_no_work(verb, full, folder, made):
    with unwritable("stderr", full) as options:
        done = run(*VERBS[verb][0], cwd=folder, forked=not starts(verb), **options)
    assert done.returncode == 0 and not done.stderr
    assert "saved in x." in done.stdout
    made(verb)


PROGRAM = """
import fastvec
model = fastvec.SkipGram(vector_size=4, min_count=1, subsample=0, epochs=2, progress=True).fit("text")
model.vectors_.save("x.fvec")
"""


@pytest.mark.parametrize("redirection", ["2>&-", pytest.param("2>/dev/full", marks=FULL)])
def test_a_program_ends_well_too(redirection, folder, made):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, cwd=folder, env=environment, timeout=HANGS)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    made("train")


@pytest.mark.parametrize("verb", VERBS)
def test_a_summary_that_nobody_reads_is_no_error(verb, folder, made):
    closed = ["stdin", "stdout"]
    done = run(*VERBS[verb][0], cwd=folder, forked=not starts(verb), closed=closed)
    assert done.returncode == 0
    assert done.stdout == "" and "Traceback" not in done.stderr
    made(verb)


@pytest.mark.parametrize("verb", VERBS)
def test_a_pipe_whose_reader_has_left_ends_no_work(verb, folder, made):
    readable, writable = os.pipe()
    os.close(readable)
    pipes = {"stdout": writable, "stderr": writable}
    done = run(*VERBS[verb][0], cwd=folder, forked=not starts(verb), **pipes)
    os.close(writable)
    assert done.returncode == 0
    made(verb)


@pytest.mark.parametrize(
    "arguments",
    [("neighbors", "vectors.fvec", "a"), ("phrases", "text", "-o", "-", "-q"), ("--help",)],
)
@CLOSED_OR_FULL
def test_results_that_cannot_be_written_are_an_error(arguments, full, folder):
    reason = "No space left on device" if full else "Bad file descriptor"
    with unwritable("stdout", full) as options:
        done = run(*arguments, cwd=folder, forked=arguments[0] != "neighbors", **options)
    assert done.returncode == 2
    assert done.stderr.startswith("fastvec: error: ") and done.stderr.endswith(f"{reason}\n")
    assert done.stderr.count("\n") == 1


def test_text_for_a_closed_standard_output_is_an_error_before_the_work(folder):
    for arguments in (
        ("phrases", "no such text", "-o", "-"),
        ("tag", "predict", "no such model", "no such text"),
        ("classify", "predict", "no such model", "no such text"),
    ):
        done = run(*arguments, cwd=folder, closed=["stdout"], forked=arguments[0] != "phrases")
        assert (done.returncode, done.stderr) == (2, "fastvec: error: standard output: Bad file descriptor\n")


@FULL
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_text_that_does_not_fit_names_standard_output(unbuffered, folder):
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    options = ("-o", "-", "-q", "--threshold", 1)
    with unwritable("stdout", full=True) as full:
        done = run("phrases", "text", *options, cwd=folder, env=environment, forked=False, **full)
    assert (done.returncode, done.stderr) == (
        2,
        "fastvec: error: standard output: No space left on device\n",
    )


@CLOSED_OR_FULL
def test_an_error_that_nobody_sees_is_in_the_exit_status(full, folder):
    for arguments in (("neighbors", "vectors.fvec", "missing"), ("neighbors",), ("no verb",)):
        with unwritable("stderr", full) as options:
            done = run(*arguments, cwd=folder, forked=arguments[0] != "no verb", **options)
        assert (done.returncode, done.stdout) == (2, "") and not done.stderr


@pytest.mark.parametrize(
    "arguments", [("train", "-", "-o", "x.fvec"), ("classify", "train", "-", "-o", "x.fvmodel")]
)
def test_a_closed_standard_input_is_told(arguments, folder):
    done = run(*arguments, cwd=folder, closed=["stdin"], forked=arguments[0] != "train")
    assert done.returncode == 2
    assert done.stderr == "fastvec: error: '-' is standard input, which is closed: name a file\n"


@pytest.mark.parametrize("verb", VERBS)
def test_quiet_shows_nothing(verb, folder, made):
    done = run(*VERBS[verb][0], "--quiet", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    made(verb)


def test_a_quiet_conversion_shows_nothing(folder):
    done = run("convert", "vectors.fvec", "x.vec", "-q", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert fastvec.load(folder / "x.vec").words == ["a", "b"]


def test_quiet_still_warns_and_fails(folder):
    assert "missing: No such file or directory" in fail("train", "missing", "-o", "x.fvec", "-q", cwd=folder)


def test_progress_in_a_log_is_lines(folder, made):
    done = run(*VERBS["train"][0], cwd=folder)
    assert "\r" not in done.stderr
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["reading", "epoch 1/2", "epoch 2/2"]
    made("train")


def test_progress_on_a_terminal_is_a_bar(folder, made):
    """Give the command a terminal of its own for its standard error."""
    controller, terminal = os.openpty()
    done = run(*VERBS["train"][0], cwd=folder, stderr=terminal)
    shown = os.read(controller, 1 << 16)
    os.close(terminal)
    os.close(controller)
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert b"\repoch 2/2: 100%" in shown


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_streams_that_do_not_exist(stream, folder, made, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, stream, None)
    assert cli.main([str(argument) for argument in VERBS["train"][0]]) == 0
    made("train")
