"""What killed processes leave in a folder is removed by the next that saves there, and nothing else is."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from commands import HANGS

import fastvec

pytestmark = pytest.mark.any_backend

VECTORS = fastvec.Vectors(["a", "b"], np.eye(2))
HOLDS = """
import os, sys
import fastvec

replace = os.replace
def wait(*paths):
    print("writing", flush=True)
    sys.stdin.read()
    replace(*paths)

os.replace = wait
fastvec.Vectors(["a"], [[1.0]]).save(sys.argv[1])
"""
SAVES = """
import sys
import numpy as np
import fastvec

vectors = fastvec.Vectors([str(i) for i in range(2000)], np.ones((2000, 100)))
print("saving", flush=True)
while True:
    vectors.save(sys.argv[1])
"""


def started(program, path):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", program, path], **pipes)
    assert process.stdout.readline()
    return process


def killed(process):
    process.kill()
    process.communicate(timeout=HANGS)


def test_files_of_killed_processes_are_removed_and_those_of_living_ones_are_not(tmp_path):
    dead, alive = started(HOLDS, tmp_path / "dead.fvec"), started(HOLDS, tmp_path / "alive.fvec")
    killed(dead)
    numbers = {name.name.split("-")[-2] for name in tmp_path.iterdir()}
    assert numbers == {str(dead.pid), str(alive.pid)}
    VECTORS.save(tmp_path / "v.fvec")
    left = [entry.name for entry in tmp_path.iterdir() if entry.name != "v.fvec"]
    assert len(left) == 2
    assert all(f"-{alive.pid}-" in name for name in left)
    alive.communicate(timeout=HANGS)
    assert alive.returncode == 0
    assert fastvec.load(tmp_path / "alive.fvec").words == ["a"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["alive.fvec", "v.fvec"]


def test_a_folder_in_which_processes_were_killed_at_any_moment_is_clean(tmp_path):
    path, moments = tmp_path / "v.fvec", random.Random(0)
    for _ in range(8):
        process = started(SAVES, path)
        time.sleep(moments.uniform(0, 0.1))
        killed(process)
        assert process.returncode == -signal.SIGKILL
        if path.exists():
            assert len(fastvec.load(path)) == 2000
    VECTORS.save(path)
    assert list(tmp_path.iterdir()) == [path]


def test_files_of_other_machines_and_of_others_stay(tmp_path):
    machine = socket.gethostname()
    names = [".fastvec-elsewhere-7-00.lock", ".fastvec-elsewhere-7-00.tmp", f".fastvec-{machine}2-7-00.lock"]
    names += [".fastvec-notes.lock", "notes.tmp"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    VECTORS.save(tmp_path / "v.fvec")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([*names, "v.fvec"])


def test_a_save_within_a_save_removes_nothing_of_it(tmp_path, monkeypatch):
    replace = os.replace

    def save_another(source, target):
        monkeypatch.setattr(os, "replace", replace)
        VECTORS.save(tmp_path / "inner.fvec")
        replace(source, target)

    monkeypatch.setattr(os, "replace", save_another)
    VECTORS.save(tmp_path / "outer.fvec")
    assert (tmp_path / "outer.fvec").read_bytes() == (tmp_path / "inner.fvec").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_a_process_whose_new_file_was_taken_for_abandoned_takes_another(tmp_path, monkeypatch):
    import fcntl

    lock, taken = fcntl.flock, []

    def flock(file, operation):
        if not taken:  # by a process that came in between
            taken.append(file.name)
            Path(file.name).unlink()
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    VECTORS.save(tmp_path / "v.fvec")
    assert len(taken) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["v.fvec"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_where_there_are_no_locks_nothing_is_taken_for_abandoned(tmp_path, monkeypatch):
    import fcntl

    def flock(file, operation):
        raise OSError(38, "Function not implemented")

    killed(started(HOLDS, tmp_path / "dead.fvec"))
    monkeypatch.setattr(fcntl, "flock", flock)
    VECTORS.save(tmp_path / "v.fvec")
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fsync of folders")
def test_the_file_and_then_its_name_reach_the_disk(tmp_path, monkeypatch):
    steps, sync, replace = [], os.fsync, os.replace

    def fsync(file):
        steps.append(("sync", os.fstat(file).st_ino))
        sync(file)

    def noted_replace(source, target):
        steps.append(("rename", Path(source).stat().st_ino))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    VECTORS.save(tmp_path / "v.fvec")
    file, folder = (tmp_path / "v.fvec").stat().st_ino, tmp_path.stat().st_ino
    assert steps == [("sync", file), ("rename", file), ("sync", folder)]


@pytest.mark.parametrize(("code", "fails"), [("EINVAL", False), ("EACCES", False), ("EIO", True)])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fsync of folders")
def test_a_folder_that_cannot_be_synced_is_no_error_but_a_broken_disk_is(tmp_path, monkeypatch, code, fails):
    import errno

    sync = os.fsync

    def fsync(file):
        if os.fstat(file).st_ino == tmp_path.stat().st_ino:
            raise OSError(getattr(errno, code), "no")
        sync(file)

    monkeypatch.setattr(os, "fsync", fsync)
    if fails:
        with pytest.raises(OSError, match=r"no: .*v\.fvec"):
            VECTORS.save(tmp_path / "v.fvec")
    else:
        VECTORS.save(tmp_path / "v.fvec")
    assert len(fastvec.load(tmp_path / "v.fvec")) == 2
