"""Compare fastvec with gensim, fastText, GloVe C and scikit-learn: speed, memory and quality."""

import argparse
import json
import os
import re
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import classifiers
import counts
import documents
import lanes
import sequences
import supervised
import words
from measure import measure
from tables import Entry, Record, about, cell, place, record_table, table
from texts import Data

from fastvec.training.threads import usable_threads

HERE = Path(__file__).resolve().parent
ALL = words.MEASUREMENTS + counts.MEASUREMENTS + classifiers.MEASUREMENTS + supervised.MEASUREMENTS
ALL += sequences.MEASUREMENTS + documents.MEASUREMENTS + lanes.MEASUREMENTS
MEASUREMENTS = {each.name: each for each in ALL}

README_CONTENDERS = ("fastvec", "fastvec (AVX2)", "fastvec (unshared negatives)", "gensim", "fastText")
README_MODELS = {  # what it says of further measurements
    "cbow-100": "CBOW",
    "tree-100": "skip-gram, hierarchical softmax",
    "subwords-100": "skip-gram with n-grams",
    "phrases": "phrases, found and joined",
    "counting": "pairs of words, counted",
    "glove-100": "GloVe, entries of the counts",
}


def main(arguments: list[str] | None = None) -> int:
    cli = argparse.ArgumentParser(description=__doc__)
    add, data, names = cli.add_argument, os.environ.get("FASTVEC_DATA"), ", ".join(MEASUREMENTS)
    add("--data", type=Path, default=data, metavar="FOLDER", help="texts and tests (default: $FASTVEC_DATA)")
    add("--corpus", type=Path, help="a text, plain or .gz (default: corpus/simplewiki.txt.gz in --data)")
    add("--words", type=positive, help="take only so many words of the text")
    add("--rounds", type=positive, default=3, help="rounds, each with its seed (%(default)s)")
    add("--threads", type=positive, default=usable_threads(), help="how many all threads are (%(default)s)")
    add("--only", nargs="+", default=["*"], metavar="NAME", help=f"such as 'glove-*', of {names}")
    add("--results", type=Path, default=HERE / "results.json", help="where results are kept, with a .md")
    add("--readme", type=Path, default=HERE.parent / "README.md", help="the README that has a table of them")
    add("--render", action="store_true", help="measure nothing: write the tables of the results")
    add("--check", action="store_true", help="measure nothing: exit with 1 if these are out of date")
    options = cli.parse_args(arguments)
    results = json.loads(options.results.read_text(encoding="utf-8")) if options.results.is_file() else {}
    if options.render or options.check:
        return write_tables(results, options) if results else cli.error(f"{options.results} holds no results")
    if options.data is None:
        cli.error("the folder of texts and tests must be named: --data FOLDER, or FASTVEC_DATA")
    chosen = [name for name in MEASUREMENTS if any(fnmatch(name, pattern) for pattern in options.only)]
    if not chosen:
        cli.error(f"--only must name some of {names}, got {' '.join(options.only)}")
    return measure_all(chosen, results, options)


def positive(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be >= 1, got {text}")
    return int(text)


def measure_all(chosen: list[str], results: dict[str, Record], options: argparse.Namespace) -> int:
    """Measure what was chosen and the data are there for, and keep the results of each at once."""
    corpus = options.corpus or options.data / "corpus" / "simplewiki.txt.gz"
    data, measured = Data(options.data, corpus, options.words), 0
    for name in chosen:
        try:
            results[name] = measure(MEASUREMENTS[name], data, options.rounds, options.threads)
        except FileNotFoundError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            continue
        options.results.write_text(as_json(results), encoding="utf-8")
        print(f"\n{section(name, results)}\n")
        measured += 1
    return int(not measured)


def as_json(results: dict[str, Record]) -> str:
    """Return results as JSON, with a line for every entry."""
    parts = []
    for name, record in results.items():
        head = json.dumps({key: value for key, value in record.items() if key != "entries"})
        entries = ",\n  ".join(map(json.dumps, record["entries"]))
        parts.append(f' "{name}": {head[:-1]}, "entries": [\n  {entries}\n ]}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def write_tables(results: dict[str, Record], options: argparse.Namespace) -> int:
    """Write the report and the README, or, with `check`, say which is not what would be written."""
    readme, (times, tables) = options.readme.read_text(encoding="utf-8"), readme_tables(results)
    for name, new in (("speed", times), ("benchmark", f"\n{tables}\n")):
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        readme, n = re.subn(f"{begin}.*?{end}", f"{begin}{new}{end}", readme, flags=re.DOTALL)
        if n != 1:
            print(f"{options.readme} must have the marks {begin} and {end}, once each", file=sys.stderr)
            return 1
    stale = 0
    for path, text in {options.results.with_suffix(".md"): report(results), options.readme: readme}.items():
        if not options.check:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale = 1
            print(f"{path} is not up to date: run python bench/compare.py --render", file=sys.stderr)
    return stale


def report(results: dict[str, Record]) -> str:
    sections = [section(name, results) for name in MEASUREMENTS if name in results]
    return "\n\n".join(["Generated by `python bench/compare.py --render`; do not edit.", *sections]) + "\n"


def section(name: str, results: dict[str, Record]) -> str:
    measurement, record = MEASUREMENTS[name], results[name]
    load = f" (load {record['load']:.1f} before)" if record["load"] is not None else ""  # of other work
    parts = [f"## {measurement.title}", f"{about(record)}. {place(record)}{load}."]
    heads = filter(None, (measurement.columns, measurement.more))
    parts += [record_table(record, measurement.base, columns) for columns in heads]
    errors = {f"- {entry['contender']}: {entry['error']}" for entry in record["entries"] if "error" in entry}
    return "\n\n".join([*parts, "\n".join(sorted(errors))]).rstrip()


def readme_tables(results: dict[str, Record]) -> tuple[str, str]:
    """Return how many times gensim's speed it is, and the tables of the README with machine and settings."""
    speed, whole = results.get("speed-100"), results.get("whole")
    threads = max((entry["threads"] for entry in speed["entries"]), default=1) if speed else 1

    def column(record: Record | None, head: str, n_threads: int = threads) -> Any:
        return lambda name: cell(head, Entry(record, name, n_threads, "gensim"))

    columns = {
        "words/s, 1 thread": column(speed, "words/s", 1),
        "against gensim": column(speed, "against {base}", 1),
        f"words/s, {threads} threads": column(speed, "words/s"),
        "text to vectors": column(whole, "time"),
        **{head: column(whole, head) for head in ("peak memory", *words.TESTS)},
    }

    def with_avx2(entry: Entry) -> str:
        avx2 = entry._replace(contender=words.AVX2.name)
        return f"{cell('words/s', avx2)}, {cell('against {base}', avx2)}" if avx2.known("per_second") else "–"

    models = {
        "words/s, 1 thread": lambda entry: cell("words/s", entry),
        "against": lambda entry: f"{cell('against {base}', entry)} {entry.base}",
        "all threads against one": lambda entry: cell("against one thread", entry._replace(threads=threads)),
        "1 thread with AVX2": with_avx2,
    }
    first = table([(name, name) for name in README_CONTENDERS], columns)
    entries = [Entry(results.get(name), "fastvec", 1, MEASUREMENTS[name].base) for name in README_MODELS]
    rows = list(zip(README_MODELS.values(), entries, strict=True))
    known = [name for name in ("speed-100", "whole") if name in results]
    measured: dict[str, list[str]] = {}
    for name, what in README_MODELS.items():
        if name in results:
            measured.setdefault(place(results[name]), []).append(what)
    lines = [f"{MEASUREMENTS[name].title}: {about(results[name])}. {place(results[name])}." for name in known]
    lines += [f"{'; '.join(names)}: {where}." for where, names in measured.items()]
    times = column(whole, "{base}'s time is")("fastvec").partition(".")[0]
    return times, "\n\n".join([first, table(rows, models), "\n".join(lines)])


if __name__ == "__main__":
    sys.exit(main())
