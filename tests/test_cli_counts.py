"""The verb ``fastvec cooccur``: real processes, real files."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import ENDING, interrupt, run, start, wait_for

import fastvec
from fastvec import Cooccurrence

pytestmark = pytest.mark.any_backend

LINE = "the quick brown fox jumps over the lazy dog while The other dog sleeps\n"


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(LINE * 50)
    return path


def same(counts, others):
    assert counts.vocabulary_.words == others.vocabulary_.words
    for name in ("row_offsets_", "columns_", "units_"):
        np.testing.assert_array_equal(getattr(counts, name), getattr(others, name))
    return True


def test_counts_are_saved(text, tmp_path):
    out = tmp_path / "out.fvcounts"
    done = run("cooccur", text, "-o", out)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(
        rf"[\d,]+ entries of 12 words; counted 700 words in [\d.]+ s \([\d,]+ words/s\); "
        rf"saved in {re.escape(str(out))}\n",
        done.stdout,
    )
    assert "reading" in done.stderr
    assert "counting" in done.stderr
    counts = Cooccurrence.load(out)
    assert counts.get_params() == Cooccurrence().get_params()
    assert same(counts, Cooccurrence().fit(text))


def test_parameters_are_passed_on(text, tmp_path):
    out = tmp_path / "out.fvcounts"
    options = ["--window", 3, "--weighting", "flat", "--left-only", "--min-count", 60, "--max-vocab", 2]
    done = run(
        "cooccur",
        "-",
        "-o",
        out,
        *options,
        "--threads",
        1,
        "--memory-limit",
        "1K",
        "--lowercase",
        input=LINE * 50,
    )
    assert done.returncode == 0, done.stderr
    counts = Cooccurrence.load(out)
    expected = {"window": 3, "weighting": "flat", "symmetric": False, "min_count": 60, "max_vocab": 2}
    assert counts.get_params() == Cooccurrence(**expected).get_params()
    assert same(counts, Cooccurrence(**expected).fit([LINE.lower().split()] * 50))


def test_counts_are_saved_for_stanford(text, tmp_path):
    out, vocabulary = tmp_path / "out.bin", tmp_path / "vocab.txt"
    done = run("cooccur", text, text, "-o", out, "--vocabulary", vocabulary, "--window", 2)
    assert done.returncode == 0, done.stderr
    assert same(Cooccurrence.read_glove(out, vocabulary), Cooccurrence(window=2).fit([text, text]))
    assert vocabulary.read_text().startswith("the 200\ndog 200\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "x.bi"], "the output must end in .fvcounts or .bin, got 'x.bi'"),
        (["-o", "x.bin"], "--vocabulary FILE must be given with an output in .bin, and only then"),
        (
            ["-o", "x.fvcounts", "--vocabulary", "v"],
            "--vocabulary FILE must be given with an output in .bin, and only",
        ),
        (["-o", "x.bin", "--vocabulary", "x.bin"], "--vocabulary must be another file than --output, got"),
        (["-o", "missing/x.fvcounts"], "missing: cannot write in this folder: No such file or directory"),
        (["-o", "x.bin", "--vocabulary", "missing/v"], "missing: cannot write in this folder: No such file"),
        (["-o", "x.fvcounts", "--window", "0"], "window must be an int from 1 to 1000, got 0"),
        (["-o", "x.fvcounts", "--weighting", "no"], "invalid choice: 'no'"),
        (["-o", "x.fvcounts", "--threads", "0"], "threads must be an int from 1 to 4096, got 0"),
    ],
)
def test_errors_before_the_text_is_read(tmp_path, options, message):
    done = run("cooccur", tmp_path / "no text", *options, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("fastvec: error: ")
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_errors_of_the_text(text, tmp_path):
    done = run("cooccur", text, "-o", tmp_path / "x.fvcounts", "--min-count", 1000)
    assert done.returncode == 2
    assert "min_count=1000 leaves no word" in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == [text]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_full_disk_is_one_line(text, tmp_path):
    limited = (
        f"ulimit -f 1; exec {shlex.quote(sys.executable)} -m fastvec cooccur {shlex.quote(str(text))} "
        "-o x.bin --vocabulary v --window 40"
    )
    done = subprocess.run(
        limited, shell=True, capture_output=True, text=True, cwd=tmp_path, env=environment()
    )
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(
        r"fastvec: error: .*: File too large: for the file, up to [\d,]+ bytes are needed, "
        r"and [\d,]+ were free",
        done.stderr.splitlines()[-1],
    )
    assert list(tmp_path.iterdir()) == [text]


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to all processes of a console")
@pytest.mark.parametrize("number", [signal.SIGINT, *ENDING])
def test_a_signal_saves_nothing(number, text, tmp_path):
    out = tmp_path / "out.fvcounts"
    texts = [text] * 2000
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    options = ("-o", out, "--window", 1000, "--memory-limit", "1K")
    with start("cooccur", *texts, *options, env=os.environ | {"TMPDIR": str(temporary)}) as process:
        wait_for(b"reading", process.stderr)  # is done
        _, rest = interrupt(process, number)
    assert process.returncode == 128 + number
    assert rest.endswith(b"fastvec: interrupted\n")
    assert not out.exists()
    assert list(temporary.iterdir()) == []


def environment():
    """Return the environment for a process in another folder, which has to find the same fastvec."""
    return os.environ | {"PYTHONPATH": str(Path(fastvec.__file__).parents[1])}
