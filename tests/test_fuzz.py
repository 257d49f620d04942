"""Some thousand damaged files for every reader; `make fuzz` has more, under the sanitizers."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("Windows has no limit on the memory of a process", allow_module_level=True)

from fuzz.__main__ import _outcome
from fuzz.readers import SOME, Reader

import fastvec

pytestmark = pytest.mark.any_backend

TESTS = Path(__file__).parent


def test_damaged_files_are_read_or_refused_with_their_name(tmp_path):
    command = [sys.executable, "-m", "fuzz", "--inputs", "2500", "--seed", "12", "--keep", tmp_path / "kept"]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2,500 inputs in" in done.stdout
    assert not (tmp_path / "kept").exists()


def raising(error):
    def read(path):
        raise error

    return read


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (fastvec.load, ("read", "")),
        (raising(KeyError("v")), ("refused", "not a documented error: KeyError at test_fuzz.py:")),
        (raising(MemoryError()), ("refused", "not a documented error: MemoryError")),
        (raising(ValueError("it is damaged")), ("refused", "the error does not name the file: ValueError")),
        (lambda path: bytes(SOME + 10**5), ("read", "took ")),
    ],
)
def test_the_harness_notices_what_is_wrong(tmp_path, read, expected):
    path = tmp_path / "v.fvec"
    fastvec.Vectors(["a"], [[1]]).save(path)
    tracemalloc.start()
    try:
        outcome, problem = _outcome(Reader("reader", "v.fvec", {}, read), path, path.stat().st_size)
    finally:
        tracemalloc.stop()
    assert outcome == expected[0]
    assert problem.startswith(expected[1]) and bool(problem) == bool(expected[1])
