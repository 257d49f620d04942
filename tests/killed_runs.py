"""A training that is killed at random moments and resumed until it ends: ``python killed_runs.py FAMILY``.

Every run is a process of its own, forked from this one, which has imported everything. It writes a byte to a
pipe whenever it begins a chunk, and is killed after so many bytes, drawn at random. Where the number of
threads makes no difference, each run has another.
"""

import itertools
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest
import safetensors_files
from commands import HANGS
from inside import watch_chunks
from small_runs import ANY_THREADS, corpus, cut_small, learned, make

import fastvec

SEED = 12
MOST_CHUNKS = 9  # that a process begins before it is killed


def main(family):
    """Train to the end and print at which positions the checkpoints of killed runs were."""
    monkeypatch = pytest.MonkeyPatch()
    cut_small(monkeypatch)
    text = corpus()
    expected = learned(make(family).fit(text))
    moments = random.Random(f"{SEED} {family}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.fvec")
        killed_at = []
        threads = itertools.cycle((3, 1, 2, 8) if family in ANY_THREADS else (1,))
        while not run_and_kill(
            family, next(threads), text, path, moments.randint(1, MOST_CHUNKS), monkeypatch
        ):
            killed_at.append(position(path))
        model = fastvec.load_model(path)
        resumed = make(family).fit(text, checkpoint=path, resume=True)
    assert learned(model) == expected
    assert learned(resumed) == expected
    print(json.dumps(killed_at))


def run_and_kill(family, threads, text, path, n_chunks, monkeypatch):
    """Resume the training in a process, kill that when it has begun so many chunks; return if it ended."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            begun = itertools.count()
            watch_chunks(monkeypatch, lambda: begin(write_end, n_chunks, begun))
            model = make(family, threads=threads)
            model.fit(text, checkpoint=path, checkpoint_every="0.001s", resume=True)
            status = 0
        finally:
            os._exit(status)
    os.close(write_end)
    begun = 0
    while begun < n_chunks and (seen := os.read(read_end, n_chunks - begun)):
        begun += len(seen)
    if begun == n_chunks:
        os.kill(child, signal.SIGKILL)
    os.close(read_end)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


def begin(write_end, n_chunks, begun):
    """Tell that a chunk begins; the one after those that are waited for never ends, however late the kill."""
    os.write(write_end, b".")
    if next(begun) == n_chunks:
        time.sleep(HANGS)


def position(path):
    """Return the epoch and the chunks of the checkpoint in a file, None without a file."""
    if not path.exists():
        return None
    at = json.loads(safetensors_files.read(path)[1]["checkpoint"])["position"]
    return at["epoch"], at["chunks"]


if __name__ == "__main__":
    main(sys.argv[1])
