"""Trainings in rounds whose processes are killed at random moments: ``python killed_workers.py [RUNS]``.

A run trains with two or three workers. One of them, drawn at random, is killed in the middle of a round, or
stopped, and perhaps let go on later; then the process that trains is killed itself. Another one goes on from
the checkpoint with another number of workers, of which one is killed or stopped, too. The last line says how
many runs have learned the bytes of a training in one process.
"""

import contextlib
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from inside import set_sizes, wrap

from fastvec import SkipGram, distributed

SEED = 5
LANES = {"lanes": 6, "rounds": 12}
# Rounds in which a worker is killed or stopped. Those that hang are compared with others of earlier rounds.
FIRST, LAST = 3, 9


def corpus():
    """Return a text of 24,000 words, of 300 different ones."""
    words, weights = [f"word{number}" for number in range(300)], 1 / np.arange(1, 301)
    drawn = np.random.default_rng(SEED).choice(words, size=(2000, 12), p=weights / weights.sum())
    return drawn.tolist()


def main(n_runs):
    """Run them, show what each has gone through, and return how many have the same bytes."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_sizes(monkeypatch, growth_of_rounds=1e6, block_of_rows=100 * 16 * 4)  # all lanes train
        text = corpus()
        expected = learned(distributed.fit(make(), text, **LANES))
        n_same = 0
        for number in range(n_runs):
            found, events = run(number, text)
            n_same += found == expected
            print(number, "the same" if found == expected else "OTHERS", *events, sep=", ", flush=True)
    print(f"{n_same} of {n_runs} have the same bytes")
    return n_same


def make():
    return SkipGram(vector_size=12, min_count=1, epochs=2, subsample=0.01)


def learned(model):
    return model.vectors_.vectors.tobytes() + model.output_vectors_.tobytes()


def run(number, text):
    """Return what a training has learned that was killed and resumed, and what happened to it."""
    chance = random.Random(f"{SEED} {number}")
    first = chance.choice((2, 3))
    second = chance.choice([n_workers for n_workers in (1, 2, 3) if n_workers != first])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        status = train_in_a_process(path, text, Accident.drawn(chance, first, chance.randint(8, 20)))
        assert status == -signal.SIGKILL, status
        status = train_in_a_process(path, text, Accident.drawn(chance, second, None))
        assert status == 0, status
        events = (path / "events").read_text(encoding="utf-8").splitlines()
        return (path / "learned").read_bytes(), events


class Accident(NamedTuple):
    """What happens while so many workers train, and after which rounds."""

    n_workers: int
    victim: int
    stops: bool
    after: int
    moment: float  # in the round, in proportion to the last one
    goes_on_after: int | None
    ends_after: int | None

    @classmethod
    def drawn(cls, chance, n_workers, ends_after):
        return cls(
            n_workers=n_workers,
            victim=chance.randrange(n_workers),
            # A worker that is alone can only be killed: while it is stopped, nobody takes its place.
            stops=n_workers > 1 and chance.random() < 0.5,
            after=chance.randint(FIRST, LAST),
            moment=chance.random(),
            goes_on_after=chance.choice((None, 2, 5)),
            ends_after=ends_after,
        )


def train_in_a_process(folder, text, accident):
    """Train in a process of its own, and return its exit status."""
    child = os.fork()
    if not child:
        status = 1
        try:
            os.setpgid(0, 0)
            os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
            train(folder, text, accident)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # workers that are stopped do not see that it is no more
    return os.waitstatus_to_exitcode(status)


def train(folder, text, accident):
    """Go on with the training if there is a checkpoint, and keep what is learned."""
    begun, path = Begun(), folder / "run.fvec"
    with pytest.MonkeyPatch.context() as monkeypatch:
        wrap(monkeypatch, "train_round", begun.train)
        threading.Thread(target=strike, args=(folder, accident, begun), daemon=True).start()
        how = {"checkpoint": path, "checkpoint_every": "0.001s", "resume": path.exists()}
        model = distributed.fit(make(), text, cluster=accident.n_workers, **how, **LANES)
    (folder / "learned").write_bytes(learned(model))


class Begun:
    """Counts the rounds that have begun, and knows how long one takes."""

    def __init__(self):
        self.n, self.seconds, self._changed = 0, 0.0, threading.Condition()

    def train(self, train_round, *of_round):
        with self._changed:
            self.n += 1
            self._changed.notify_all()
        since = time.monotonic()
        found = train_round(*of_round)
        self.seconds = time.monotonic() - since
        return found

    def wait(self, n, moment):
        """Wait until so many rounds have begun, and up to a moment in the next one."""
        with self._changed:
            self._changed.wait_for(lambda: self.n >= n)
        time.sleep(moment * self.seconds)


def strike(folder, accident, begun):
    """Kill or stop a worker at its moment, and this process at its."""

    def tell(event):
        with (folder / "events").open("a", encoding="utf-8") as file:
            file.write(f"{event} in round {begun.n}\n")

    begun.wait(accident.after, accident.moment)
    worker = multiprocessing.active_children()[accident.victim]
    os.kill(worker.pid, signal.SIGSTOP if accident.stops else signal.SIGKILL)
    tell(f"{'stopped' if accident.stops else 'killed'} worker {worker.pid}, one of {accident.n_workers},")
    if accident.stops and accident.goes_on_after is not None:
        begun.wait(begun.n + accident.goes_on_after, accident.moment)
        os.kill(worker.pid, signal.SIGCONT)
        tell(f"let {worker.pid} go on")
    if accident.ends_after is not None:
        begun.wait(accident.ends_after, 1 - accident.moment)
        tell(f"killed {os.getpid()}, that of the training,")
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    n_runs = int(sys.argv[1]) if sys.argv[1:] else 50
    sys.exit(main(n_runs) != n_runs)
