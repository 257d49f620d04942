"""Measurements: contenders that do the same work in turn, each run in a process of its own.

A contender is a function of a job: a dict of settings, of the data, `threads`, `seed` (the number of the
round) and a `folder` to leave files in. It returns its figures by name, NaN for one that it could not take,
and `vectors`, a function that gives them, where they are scored. `seconds` from the start of the process on,
if it took no time itself, `peak_bytes` and the scores are added. Peers are imported by their functions.

An entry of a record is a contender with a number of threads, and lists of figures, a value for every round.
"""

import datetime
import importlib
import importlib.metadata
import json
import math
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tables import Record, figure_of
from texts import Data

Job = dict[str, Any]

ALL = 0  # as a number of threads: as many as there are cores, or --threads
PEERS = ("gensim", "fasttext", "pecanpy", "implicit", "numpy", "scipy", "scikit-learn")
BLAS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Contender:
    """A function with its name and its settings."""

    name: str
    function: Callable[[Job], dict[str, Any]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    threads: tuple[int, ...] = ()  # if not the measurement's
    environment: Mapping[str, str] = field(default_factory=dict)
    slow: bool = False  # takes part in the first round only


@dataclass(frozen=True)
class Measurement:
    """Contenders, the heads of the columns of its table, and settings for all."""

    name: str
    title: str
    contenders: tuple[Contender, ...]
    columns: str
    data: Callable[[Data], Job]  # the part of a job that the data are, with `data` for the tables
    settings: Mapping[str, Any] = field(default_factory=dict)
    base: str = "gensim"  # to whom ratios are
    threads: tuple[int, ...] = (ALL,)
    more: str = ""  # the heads of a second table


def measure(measurement: Measurement, data: Data, rounds: int, all_threads: int) -> Record:
    """Run all contenders of a measurement round by round and return its record."""
    shared = measurement.data(data)
    record = {"date": datetime.date.today().isoformat(), "machine": machine(), "load": os.getloadavg()[0]}
    record |= {"data": shared.pop("data"), "settings": dict(measurement.settings), "rounds": rounds}
    shown = set(map(figure_of, f"{measurement.columns} | {measurement.more}".split(" | ")))
    pairs = [
        (contender, {"contender": contender.name, "threads": threads})
        for contender in measurement.contenders
        for threads in dict.fromkeys(n or all_threads for n in contender.threads or measurement.threads)
    ]
    for turn in range(rounds):
        for contender, entry in pairs:
            if "error" in entry or (contender.slow and turn):
                continue
            job = {**measurement.settings, **shared, "threads": entry["threads"], "seed": turn + 1}
            print(f"{measurement.name}, round {turn + 1}: {contender.name} ({job['threads']})", flush=True)
            figures = {name: rounded(value) for name, value in run(contender, job).items()}
            print("   ", figures, flush=True)
            entry |= {"error": figures["error"]} if "error" in figures else {}
            for name in sorted(shown & figures.keys()):
                entry.setdefault(name, []).append(figures[name])
    return {**record, "entries": [entry for _, entry in pairs]}


def run(contender: Contender, job: Job) -> dict[str, Any]:
    """Run a contender in a process of its own and return its figures, or as `error` why there are none."""
    blas_threads = job["threads"] if job.get("blas") else 1  # vectors of words are too short for more
    environment = {**os.environ, **dict.fromkeys(BLAS, str(blas_threads))}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # theirs is this fastvec, too
    environment |= contender.environment
    function = f"{contender.function.__module__}.{contender.function.__name__}"
    with tempfile.TemporaryDirectory() as folder:
        job = {**job, **contender.settings, "folder": folder, "started": time.monotonic()}
        command = [sys.executable, __file__, function, json.dumps(job)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return dict(json.loads(done.stdout.splitlines()[-1]))
    return {"error": last_line(done.stderr, done.returncode)}


def last_line(errors: str, status: int) -> str:
    """Return the last line of what a process has written as it failed, or how it ended."""
    return (errors.strip().splitlines() or [f"ended with {status}"])[-1]


def work(function: str, job: Job) -> dict[str, Any]:
    """Be the process of a run."""
    figures = named(function)(job)
    figures.setdefault("seconds", time.monotonic() - job["started"])
    figures.setdefault("peak_bytes", peak_bytes())
    vectors = figures.pop("vectors", None)
    return figures | named(job["score"])(vectors(), job) if "score" in job else figures


def named(name: str) -> Any:
    """Return what has a name, with that of its module before it."""
    module, _, name = name.rpartition(".")
    return getattr(importlib.import_module(module), name)


def estimator_of(job: Job, *arguments: Any) -> Any:
    """Return the estimator of a job, with those of the job's settings that are its parameters."""
    name, settings = job["estimator"], {**job, "random_state": job["seed"]}
    estimator = named(name if "." in name else f"fastvec.{name}")(*arguments)
    return estimator.set_params(**{key: settings[key] for key in estimator.get_params() if key in settings})


def renamed(job: Job, names: str) -> dict[str, Any]:
    """Return settings of a job by the names that someone else has for them: "window threads=workers"."""
    pairs = (name.split("=") for name in names.split())
    return {pair[-1]: job[pair[0]] for pair in pairs if pair[0] in job}


def timed(
    function: Callable[..., Any],
    *arguments: Any,
    clock: Callable[[], float] = time.perf_counter,
    **options: Any,
) -> tuple[Any, float]:
    """Return what a function returns, and the seconds that it takes."""
    started = clock()
    result = function(*arguments, **options)
    return result, clock() - started


def timed_training(train: Callable[[int], Any], epochs: int) -> tuple[Any, float, float]:
    """Return what `train` returns, its seconds, and these less those of no epoch, NaN if lost in noise."""
    _, rest = timed(train, 0)
    model, whole = timed(train, epochs)
    return model, whole, whole - rest if whole > rest else math.nan


def peak_bytes() -> int:
    """Return the most memory that this process has held; Linux's ``ru_maxrss`` begins with its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(re.findall(r"VmHWM:\s*(\d+)", status.read_text(encoding="utf-8"))[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def machine() -> dict[str, Any]:
    from fastvec import __version__, kernels
    from fastvec.training.threads import usable_threads

    asked = [sys.executable, "-m", "fastvec", "info"]
    info = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    installed = {each.name: each.version for each in importlib.metadata.distributions()}
    peers = {name: installed[name] for name in PEERS if name in installed}
    return {
        "processor": re.findall(r"^processor +(.*)", info, re.MULTILINE)[0],
        "cores": usable_threads(),
        "backend": kernels.selected(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": {"fastvec": __version__, **peers},
    }


def rounded(value: Any) -> Any:
    """Return a figure, or a list of some, to six digits; None for NaN."""
    if isinstance(value, list):
        return [rounded(each) for each in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


if __name__ == "__main__":
    try:
        print(json.dumps(work(sys.argv[1], json.loads(sys.argv[2]))))
    except ModuleNotFoundError as error:
        sys.exit(f"not installed ({error.name}): pip install 'fastvec[bench]'")
