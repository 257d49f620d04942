"""How much faster lanes train in threads, processes and Ray's workers than threads without them.

    python bench/workers.py TEXT

All of it on this machine, and each once in a round, one after the other. The last row is how much it gives at
all: as many trainings with a thread each, which have nothing in common. `TMPDIR=/dev/shm` keeps in memory
what processes pass on. Ray is left out where it is not installed; the time of its processors is not seen.
"""

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from statistics import median
from typing import Any

from measure import machine
from tables import table

from fastvec import Corpus, SkipGram, distributed


def seconds_of(train: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds that training takes, and those of all processors."""
    started, before = time.perf_counter(), sum(os.times()[:4])
    train()
    return time.perf_counter() - started, sum(os.times()[:4]) - before


def train_apart(model: SkipGram, corpus: Corpus, n: int) -> None:
    """Train `n` such models side by side, each on the whole text."""
    with ThreadPoolExecutor(n) as pool:
        for done in [pool.submit(SkipGram(**model.get_params()).fit, corpus) for _ in range(n)]:
            done.result()


def show(text: str, lanes: int, rounds: int) -> None:
    """Measure, and print the table."""
    here, corpus = machine(), Corpus(text)
    model = SkipGram(vector_size=100, epochs=1, threads=1)
    in_lanes = partial(distributed.fit, model, corpus, lanes=lanes)
    apart = f"{lanes} trainings at once"
    ways = {
        "one thread": partial(model.fit, corpus),
        f"{lanes} threads without lanes": partial(
            SkipGram(**model.get_params() | {"threads": lanes}).fit, corpus
        ),
        f"{lanes} lanes in {lanes} threads": partial(in_lanes, lanes_per_worker=lanes),
        f"{lanes} lanes in {lanes} processes": partial(in_lanes, cluster=lanes),
        f"{lanes} lanes in {lanes} workers of Ray": partial(in_lanes, cluster="local"),
        apart: partial(train_apart, model, corpus, lanes),
    }
    if not find_spec("ray"):
        del ways[f"{lanes} lanes in {lanes} workers of Ray"]
    found = [{name: seconds_of(train) for name, train in ways.items()} for _ in range(rounds)]
    print(f"{corpus.n_tokens:,} words, one epoch, vector_size=100; medians of {rounds} rounds.")
    print(f"{here['processor']}, {here['cores']} cores, {here['backend']} backend, {here['system']}.\n")

    def speed(name: str, times: dict[str, tuple[float, float]]) -> float:
        return (lanes if name == apart else 1) * times["one thread"][0] / times[name][0]

    columns = {
        "time": lambda name: f"{median(each[name][0] for each in found):.1f} s",
        "time of processors": lambda name: f"{median(each[name][1] for each in found):.1f} s",
        "as fast": lambda name: f"{median(speed(name, each) for each in found):.2f}×",
    }
    print(table([(name, name) for name in ways], columns))


def main(arguments: list[str] | None = None) -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("text")
    cli.add_argument("--lanes", type=int, default=2)
    cli.add_argument("--rounds", type=int, default=1)
    options = cli.parse_args(arguments)
    show(options.text, options.lanes, options.rounds)


if __name__ == "__main__":
    main()
