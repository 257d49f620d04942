"""Compare fastvec with gensim, fastText, GloVe C and scikit-learn: speed, memory, and quality.

Each run is a process of its own (this file with ``--worker``); ``rows.py`` says what is run,
``contenders.py`` how, and ``table.py`` makes the tables. See the README beside this file.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import table
import texts
from rows import ALL, LABELLED, QUALITY, ROWS, SEEDED, SETTINGS, Contender, Row

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = ("gensim", "fasttext", "numpy", "scipy", "scikit-learn")
# BLAS threads would only add noise to all but networks: the vectors are too short for them. fastvec's own are
# set by `threads`.
BLAS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    options = parser().parse_args(arguments)
    if options.worker:
        return work(options.worker[0], json.loads(options.worker[1]))
    if options.list:
        for row in ROWS:
            contenders = "; ".join(contender.name for contender, _ in row.entries)
            print(f"{row.name:20} {row.title} ({contenders})")
        return 0
    if options.check or options.render:
        return check(options) if options.check else render(options)

    source = Path(options.corpus) if options.corpus else options.data / "corpus" / "simplewiki.txt.gz"
    if not source.is_file():
        print(f"--corpus: there is no file {source}; name a text, or set FASTVEC_DATA", file=sys.stderr)
        return 1
    results = load(options.results)
    for row in ROWS:
        if not options.only or row.name in options.only:
            results["rows"][row.name] = measure(row, source, options)
            options.results.write_text(json.dumps(results, indent=1) + "\n")
    options.results.with_suffix(".md").write_text(table.report(results))
    print("\n" + table.report(results))
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    data = os.environ.get("FASTVEC_DATA", ROOT.parent / "shared" / "data")
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = cli.add_argument
    add("--corpus", help="a text, plain or packed (default: corpus/simplewiki.txt.gz in --data)")
    add("--data", type=Path, default=Path(data), help="folder of corpus and test sets (default: %(default)s)")
    add("--words", type=positive, help="take only so many words of the text, for everything")
    add("--speed-words", type=positive, default=4_000_000, help="words of the speed rows (%(default)s)")
    add("--repeats", type=positive, default=3, help="rounds of the speed and reading rows (%(default)s)")
    add(
        "--seeds",
        type=positive,
        default=3,
        help="rounds, each with its seed, of rows with scores (%(default)s)",
    )
    add("--slow-seeds", type=positive, default=1, help="the same for slow contenders (%(default)s)")
    add("--threads", type=positive, default=_cores(), help="what all threads are (%(default)s)")
    add(
        "--only", nargs="+", choices=[row.name for row in ROWS], metavar="ROW", help="measure only these rows"
    )
    add("--results", type=Path, default=HERE / "results.json", help="where the results are kept, with a .md")
    add("--readme", type=Path, default=ROOT / "README.md", help="the README whose table is made")
    add("--list", action="store_true", help="say which rows there are")
    add("--render", action="store_true", help="measure nothing: make the tables of results.md and the README")
    add("--check", action="store_true", help="measure nothing: exit with 1 if these tables are out of date")
    add("--worker", nargs=2, metavar=("WORKER", "JOB"), help=argparse.SUPPRESS)
    return cli


def measure(row: Row, source: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Run all rounds of a row and return its record."""
    words = options.words
    if row.kind == "speed":
        words = min(words or options.speed_words, options.speed_words)
    text = texts.prepare(source, words)
    settings = {**SETTINGS, **row.settings, "threads": options.threads, "base": row.base}
    job = {**settings, "text": str(text.path), "words": text.words, "lines": text.lines, "quality": {}}
    if row.kind == "reading":
        job["compressed_text"] = str(texts.compressed(text, source, words))
    if row.kind in ("entries", "svd"):
        job["counts"] = str(texts.counts(text, settings["window"], settings["min_count"]))
    if row.kind in ("svd", "whole"):
        tests = {name: options.data / place for place, name in QUALITY.items()}
        if row.rare:
            tests |= texts.rare_pairs(text, tests["MEN"], settings["min_count"])
        job["quality"] = {name: str(path) for name, path in tests.items() if path.is_file()}
        settings["tests"] = list(tests)
    if row.kind in LABELLED:
        job["labelled"] = str(options.data / "labelled")
    if "skipgram" in settings:
        job["vectors"] = str(texts.vectors(text, **settings["skipgram"]))
    record = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "settings": {**settings, "corpus": source.name, "words": text.words, "lines": text.lines},
        "runs": [],
    }
    given_up = set()
    seeded = row.kind in SEEDED
    rounds = options.seeds if seeded else options.repeats
    for turn in range(rounds):
        for contender, threads in entries(row, options.threads):
            if contender.name in given_up:
                continue
            if seeded and contender.slow and turn >= options.slow_seeds:
                continue
            name = f"{contender.name}, {threads} thread{'s' if threads > 1 else ''}"
            print(f"{row.name} {turn + 1}/{rounds}  {name:38}", end=" ", flush=True)
            job |= {"threads": threads, "seed": turn + 1}
            job["blas_threads"] = threads if row.kind in LABELLED else 1
            figures = run(contender, job, row.kind == "whole")
            record["runs"].append(
                {"contender": contender.name, "threads": threads, "round": turn, "seed": turn + 1, **figures}
            )
            print(summary(figures), flush=True)
            if "error" in figures:
                given_up.add(contender.name)
    return record


def entries(row: Row, all_threads: int) -> Iterator[tuple[Contender, int]]:
    """Give the contenders of a row with their numbers of threads, each pair once."""
    for contender, numbers in row.entries:
        for threads in dict.fromkeys(all_threads if number == ALL else number for number in numbers):
            yield contender, threads


def run(contender: Contender, job: dict[str, Any], saves: bool) -> dict[str, Any]:
    """Run a contender in a process of its own and return its figures, or the reason why there are none."""
    import fastvec  # not above: the processes of its peers run this file too

    here = str(Path(fastvec.__file__).parents[1])  # theirs is this one, be it installed or built in place
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    blas = dict.fromkeys(BLAS, str(job.get("blas_threads", 1)))
    environment = {**os.environ, "PYTHONPATH": path, **blas, **contender.environment}
    with tempfile.TemporaryDirectory() as folder:
        job = {**job, **contender.options, "save": str(Path(folder) / "vectors") if saves else None}
        job["started"] = time.monotonic()
        command = [sys.executable, __file__, "--worker", contender.worker, json.dumps(job)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        return dict(json.loads(lines[-1]))
    reason = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
    return {"error": reason}


def work(worker: str, job: dict[str, Any]) -> int:
    """Be the process of one run: do the job and print its figures as one line."""
    import contenders

    try:
        print(json.dumps(contenders.run(worker, job)))
    except ModuleNotFoundError as error:
        print(f"not installed ({error.name}): pip install 'fastvec[bench]'", file=sys.stderr)
        return 1
    return 0


def summary(figures: dict[str, Any]) -> str:
    """Return a few words on a run."""
    if "error" in figures:
        return str(figures["error"])
    words = [f"{figures['wall_seconds']:.1f} s", f"{figures['peak_bytes'] / 1e6:,.0f} MB"]
    for unit in ("words", "entries"):
        if f"{unit}_per_second" in figures:
            words.insert(0, f"{figures[f'{unit}_per_second'] / 1e6:.3f} M {unit}/s")
    scores = [
        f"{name} {part['score']:.1f}" for name, part in figures.get("quality", {}).items() if part["score"]
    ]
    return "  ".join(words + scores)


def machine() -> dict[str, Any]:
    """Return on what is measured."""
    import fastvec
    from fastvec import kernels

    versions = {"fastvec": fastvec.__version__}
    for name in PEERS:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "processor": _processor(),
        "cores": _cores(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "backend": kernels.selected(),
        "versions": versions,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def render(options: argparse.Namespace) -> int:
    """Write results.md and the README's table."""
    results = load(options.results)
    if not results["rows"]:
        print(f"{options.results} holds no results: run bench/compare.py first", file=sys.stderr)
        return 1
    options.results.with_suffix(".md").write_text(table.report(results))
    readme = options.readme.read_text()
    try:
        options.readme.write_text(table.readme(readme, results))
    except ValueError as error:
        print(f"{options.readme}: {error}", file=sys.stderr)
        return 1
    return 0


def check(options: argparse.Namespace) -> int:
    """Return 0 if results.md and the README say what the results say, or there are none."""
    results = load(options.results)
    if not results["rows"]:
        return 0
    made = options.results.with_suffix(".md")
    wrong = [] if made.is_file() and made.read_text() == table.report(results) else [made]
    readme = options.readme.read_text()
    try:
        if table.readme(readme, results) != readme:
            wrong.append(options.readme)
    except ValueError as error:
        print(f"{options.readme}: {error}", file=sys.stderr)
        return 1
    for path in wrong:
        print(f"{path} is not up to date: run python bench/compare.py --render", file=sys.stderr)
    return 1 if wrong else 0


def load(path: Path) -> dict[str, Any]:
    """Return the results kept in a file, or empty ones."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {"rows": {}}


def positive(text: str) -> int:
    """Return a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be >= 1, got {number}")
    return number


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    """Return the processor's name."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
