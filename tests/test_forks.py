"""Commands that are forked, as most tests start them, are as those that start by themselves."""

import os
import signal
import subprocess

import forks
import pytest
from commands import HANGS, run, start

import fastvec

pytestmark = [
    pytest.mark.skipif(not forks.POSSIBLE, reason="commands are forked on Linux only"),
    pytest.mark.any_backend,
]


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("neighbors", "v.fvec", "a", "é"), {}),
        (("print-vectors", "v.fvec"), {"input": "b\né\n"}),
        (("no verb", *["a" * 1000] * 200), {}),
        (("info", "missing"), {"env": os.environ | {"FASTVEC_DEBUG": "1"}}),
    ],
)
def test_they_print_and_end_alike(arguments, options, tmp_path):
    fastvec.Vectors(["a", "b", "é"], [[1, 0], [1, 1], [0, 1]]).save(tmp_path / "v.fvec")
    forked, started = (run(*arguments, cwd=tmp_path, forked=forked, **options) for forked in (True, False))
    assert (forked.returncode, forked.stdout) == (started.returncode, started.stdout)
    assert forked.stderr.splitlines()[-1:] == started.stderr.splitlines()[-1:]
    assert ("Traceback" in forked.stderr) == ("Traceback" in started.stderr)


def test_they_are_processes_of_their_own(tmp_path):
    reading = start("train", "-", "-o", tmp_path / "x.fvec", stdin=subprocess.PIPE)
    with reading as one, start("help", "train") as other:
        assert one.pid != other.pid
        assert b"--vector-size" in other.communicate(timeout=HANGS)[0]
        assert (one.poll(), other.poll()) == (None, 0)
        with pytest.raises(subprocess.TimeoutExpired):
            one.wait(0.01)
        one.kill()
        assert one.wait(HANGS) == -signal.SIGKILL


def test_what_is_read_before_needs_a_process_that_starts():
    assert forks.same_before(forks.AT_FIRST | {"TMPDIR": "elsewhere"})
    assert not forks.same_before(forks.AT_FIRST | {"FASTVEC_BACKEND": "none"})
    assert (
        "FASTVEC_BACKEND must be one of" in run("info", env=os.environ | {"FASTVEC_BACKEND": "none"}).stderr
    )
