"""Compare fastvec with gensim, fastText, GloVe C and scikit-learn: speed, memory and quality.

What is measured is in words.py, counts.py, classifiers.py and sequences.py; README.md beside them says how.
"""

import argparse
import json
import os
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import classifiers
import counts
import sequences
import words
from measure import Measurement, cores, measure
from tables import Entry, Record, about, cell, place, record_table, table
from texts import Data

HERE = Path(__file__).resolve().parent
MEASUREMENTS = words.MEASUREMENTS + counts.MEASUREMENTS + classifiers.MEASUREMENTS + sequences.MEASUREMENTS

README_CONTENDERS = ("fastvec", "fastvec (unshared negatives)", "gensim", "fastText")
# What the README says of other models: of which measurement, and against whom.
README_MODELS = {
    "CBOW": ("cbow-100", "gensim"),
    "skip-gram, hierarchical softmax": ("tree-100", "gensim"),
    "skip-gram with n-grams": ("subwords-100", "fastText"),
    "phrases, found and joined": ("phrases", "gensim"),
    "pairs of words, counted": ("counting", "GloVe C"),
    "GloVe, entries of the counts": ("glove-100", "GloVe C"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add, data = cli.add_argument, os.environ.get("FASTVEC_DATA")
    add("--data", type=Path, default=data, metavar="FOLDER", help="texts and tests (default: $FASTVEC_DATA)")
    add("--corpus", type=Path, help="a text, plain or packed (default: corpus/simplewiki.txt.gz in --data)")
    add("--words", type=positive, help="take only so many words of the text")
    add("--rounds", type=positive, default=3, help="rounds, each with its seed (%(default)s)")
    add("--threads", type=positive, default=cores(), help="how many all threads are (%(default)s)")
    add("--only", nargs="+", default=["*"], metavar="NAME", help="what to measure, such as 'glove-*'")
    add("--results", type=Path, default=HERE / "results.json", help="where results are kept, with a .md")
    add("--readme", type=Path, default=HERE.parent / "README.md", help="the README that has a table of them")
    add("--list", action="store_true", help="measure nothing: say what can be measured")
    add("--render", action="store_true", help="measure nothing: write the tables of the results")
    add("--check", action="store_true", help="measure nothing: exit with 1 if these are out of date")
    options = cli.parse_args(arguments)
    results = json.loads(options.results.read_text(encoding="utf-8")) if options.results.is_file() else {}
    if options.list:
        print("\n".join(f"{each.name:20} {each.title}" for each in MEASUREMENTS))
        return 0
    if options.render or options.check:
        return write_tables(results, options) if results else cli.error(f"{options.results} holds no results")
    if options.data is None:
        cli.error("the folder of texts and tests must be named: --data FOLDER, or FASTVEC_DATA")
    chosen = [each for each in MEASUREMENTS if any(fnmatch(each.name, name) for name in options.only)]
    if not chosen:
        cli.error(f"--only must name what --list does, got {' '.join(options.only)}")
    return measure_all(chosen, results, options)


def positive(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be >= 1, got {text}")
    return int(text)


def measure_all(chosen: list[Measurement], results: dict[str, Record], options: argparse.Namespace) -> int:
    """Measure what was chosen and the data are there for, and keep the results of each at once."""
    corpus = options.corpus or options.data / "corpus" / "simplewiki.txt.gz"
    data, missing = Data(options.data, corpus, options.words), 0
    for each in chosen:
        try:
            results[each.name] = measure(each, data, options.rounds, options.threads)
        except FileNotFoundError as error:
            print(f"{each.name} is left out: {error}", file=sys.stderr)
            missing += 1
            continue
        options.results.write_text(as_json(results), encoding="utf-8")
        options.results.with_suffix(".md").write_text(report(results), encoding="utf-8")
        print(f"\n{section(each, results[each.name])}\n")
    return int(missing == len(chosen))


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
        if [readme.count(begin), readme.count(end), readme.find(begin) < readme.find(end)] != [1, 1, True]:
            print(f"{options.readme} must have the marks {begin} and {end}, once each", file=sys.stderr)
            return 1
        readme = readme[: readme.find(begin)] + begin + new + readme[readme.find(end) :]
    stale = []
    for path, text in {options.results.with_suffix(".md"): report(results), options.readme: readme}.items():
        if not options.check:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(path)
            print(f"{path} is not up to date: run python bench/compare.py --render", file=sys.stderr)
    return int(bool(stale))


def report(results: dict[str, Record]) -> str:
    """Return all of ``results.md``."""
    sections = [section(each, results[each.name]) for each in MEASUREMENTS if each.name in results]
    return "\n\n".join(["Generated by `python bench/compare.py`; do not edit.", *sections]) + "\n"


def section(measurement: Measurement, record: Record) -> str:
    load = f" (load {record['load']:.1f} before)" if record["load"] is not None else ""  # of other work
    parts = [f"## {measurement.title}", f"{about(record)}. {place(record)}{load}."]
    heads = filter(None, (measurement.columns, measurement.more))
    parts += [record_table(record, measurement.base, columns) for columns in heads]
    errors = {f"- {entry['contender']}: {entry['error']}" for entry in record["entries"] if "error" in entry}
    return "\n\n".join([*parts, *filter(None, ["\n".join(sorted(errors))])])


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
    models = {
        "words/s, 1 thread": lambda entry: cell("words/s", entry),
        "against": lambda entry: f"{cell('against {base}', entry)} {entry.base}",
        "all threads against one": lambda entry: cell("against one thread", entry._replace(threads=threads)),
    }
    known = [each for each in MEASUREMENTS if each.name in results.keys() & {"speed-100", "whole"}]
    lines = [f"{each.title}: {about(results[each.name])}." for each in known]
    lines += dict.fromkeys(f"{place(results[each.name])}." for each in known)
    rows = [
        (model, Entry(results.get(name), "fastvec", 1, base)) for model, (name, base) in README_MODELS.items()
    ]
    first = table([(name, name) for name in README_CONTENDERS], columns)
    times = column(whole, "{base}'s time is")("fastvec").partition(".")[0]
    return times, "\n\n".join([first, table(rows, models), "\n".join(lines)])


if __name__ == "__main__":
    sys.exit(main())
