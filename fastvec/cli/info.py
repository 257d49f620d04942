"""``fastvec info``: this machine and its backends, or a file."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from fastvec import __version__, kernels
from fastvec.cli.about import about
from fastvec.cli.files import add_reading
from fastvec.cli.options import given
from fastvec.cli.results import add_json, print_json
from fastvec.formats.container import verify
from fastvec.formats.places import on_disk
from fastvec.training.threads import usable_threads
from fastvec.vectors import load

__all__ = ["add_info"]

# What is counted, in files and texts.
SIZES = (
    *("bytes", "words", "sentences", "distinct_words", "examples", "dimensions", "occurrences", "entries"),
    *("labels", "phrases", "vector_bytes"),
)
TITLES = {
    "vector_size": "dimensions",
    "first_labels": "first labels",
    "dtype": "numbers",
    "vector_bytes": "bytes a vector",
}


def add_info(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec info``."""
    parser.set_defaults(run=_run)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "vectors",
        nargs="?",
        metavar="FILE",
        help="vectors, a model, a classifier, counts, phrases or a cache; none for the machine",
    )
    what.add_argument(
        "--verify",
        metavar="FILE",
        help="verify the checksums of a file instead: .fvec .fvcounts .fvmodel, or that of --cache",
    )
    add_reading(parser)
    add_json(parser)


def _run(options: argparse.Namespace) -> int:
    if options.verify:
        n = verify(options.verify)
        if options.json:
            print_json({"file": options.verify, "tensors": n})
        else:
            print(f"{options.verify}: all {n} tensors and the header have their checksums")
    elif options.vectors is None:
        _print_machine(options.json)
    else:
        found = about(on_disk(options.vectors), given(options, load))
        if options.json:
            print_json({"file": options.vectors, **found})
        else:
            rows = [row for name, value in found.items() for row in _rows(TITLES.get(name, name), value)]
            _print_rows(rows)
    return 0


def _rows(name: str, value: Any) -> list[tuple[str, list[str]]]:
    """Return the names and the lines of what is said of a file."""
    if name == "metadata":
        return [row for item in value.items() for row in _rows(*item)]
    if name in LINES and isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return [(name, [line for entry in value for line in LINES[name](entry)] or ["none"])]
    if isinstance(value, (list, tuple)):
        return [(name, [", ".join(map(str, value)) or "none"])]
    return [(name, [_shown(value) if name in SIZES or isinstance(value, float) else str(value)])]


def _lines_of_corpus(corpus: Mapping[str, Any]) -> list[str]:
    if not corpus:
        return ["unknown"]
    files = corpus.get("files")
    source = ", ".join(map(str, files)) if isinstance(files, list) else "no files"
    sizes = ", ".join(f"{_shown(corpus[name])} {name.replace('_', ' ')}" for name in SIZES if name in corpus)
    others = {name: value for name, value in corpus.items() if name not in ("files", "sha256", *SIZES)}
    options = "".join(f", {name}={value}" for name, value in others.items())
    return [f"{source}: {sizes}{options}", *(f"sha256 {corpus[name]}" for name in corpus if name == "sha256")]


def _lines_of_epoch(epoch: Mapping[str, Any]) -> list[str]:
    shown = (
        f"{name.replace('_', ' ')} {_shown(value)}"
        for name, value in epoch.items()
        if name != "epoch" and value is not None
    )
    return [f"epoch {epoch.get('epoch')}: {', '.join(shown)}"]


def _lines_of_vectors(metadata: Mapping[str, Any]) -> list[str]:
    made_by = metadata.get("estimator", "combined" if "combined" in metadata else "unknown")
    size = f", {_shown(metadata['vector_size'])} dimensions" if "vector_size" in metadata else ""
    corpora = [line for corpus in metadata.get("corpora", []) for line in _lines_of_corpus(corpus)]
    return [f"{made_by}{size}", *(f"  {line}" for line in corpora)]


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


LINES = {"combined": _lines_of_vectors, "corpora": _lines_of_corpus, "history": _lines_of_epoch}


def _print_machine(as_json: bool) -> None:
    machine = {
        "fastvec": __version__,
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "NumPy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "threads": f"{usable_threads()} usable of {os.cpu_count()}",
        "instruction sets": ", ".join(kernels.instruction_sets()),
    }
    try:
        in_use, problem = kernels.selected(), None
    except (RuntimeError, ValueError) as error:
        in_use, problem = "", error
    if as_json:
        if problem is not None:
            raise problem
        sets = {"threads": usable_threads(), "instruction_sets": [*kernels.instruction_sets()]}
        named = {name.lower(): value for name, value in machine.items() if name.replace(" ", "_") not in sets}
        print_json({**named, **sets, "backends": kernels.status(), "backend": in_use})
        return
    _print_rows([(name, [value]) for name, value in machine.items()])
    print("\nbackends, slowest first:")
    for name, state in kernels.status().items():
        print(f"  {name:10}{state}{', in use' if name == in_use else ''}")
    if problem is not None:
        raise problem
    print("set FASTVEC_BACKEND=<name> to force another")


def _print_rows(rows: list[tuple[str, list[str]]]) -> None:
    width = max(len(name) for name, _ in rows)
    for name, lines in rows:
        for title, line in zip_longest([name], lines, fillvalue=""):
            print(f"{title:{width}}  {line}".rstrip())


def _processor() -> str:
    """Return the name of the processor, or its architecture if the system does not know it."""
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.strip()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
