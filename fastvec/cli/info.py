"""``fastvec info``: this machine and its backends, or a file."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
from pathlib import Path

import numpy as np

from fastvec import __version__, kernels
from fastvec.cli.files import add_reading
from fastvec.cli.options import given
from fastvec.formats.container import verify
from fastvec.training.threads import usable_threads
from fastvec.vectors import load

__all__ = ["add_info"]


def add_info(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec info``."""
    parser.set_defaults(run=_run)
    about = parser.add_mutually_exclusive_group()
    about.add_argument("vectors", nargs="?", metavar="VECTORS", help="vectors, or none for the machine")
    about.add_argument(
        "--verify",
        metavar="FILE",
        help="verify the checksums of a file instead: .fvec .fvcounts .fvmodel, or that of --cache",
    )
    add_reading(parser)


def _run(options: argparse.Namespace) -> int:
    if options.verify:
        print(f"{options.verify}: all {verify(options.verify)} tensors and the header have their checksums")
    elif options.vectors is None:
        _print_machine()
    elif Path(options.vectors).suffix.lower() == ".ftz":
        _print_rows(_rows_of_quantized(options.vectors))
    else:
        vectors = load(options.vectors, **given(options, load))
        rows = {"words": f"{len(vectors):,}", "dimensions": f"{vectors.vector_size:,}"}
        if vectors.counts is not None:
            rows["occurrences"] = f"{vectors.counts.sum():,}"
        for name, value in vectors.metadata.items():
            rows[name] = f"{value:.6g}" if isinstance(value, float) else str(value)
        _print_rows(rows)
    return 0


def _rows_of_quantized(path: str) -> dict[str, str]:
    from fastvec import classify  # which imports scikit-learn

    model = classify.load(path)
    names = ("loss", "word_ngrams", "min_n", "max_n", "buckets")
    return {
        "words": f"{len(model.vectors_):,}",
        "dimensions": f"{model.vectors_.vector_size:,}",
        "labels": f"{len(model.classes_):,}",
        **{name: str(getattr(model, name)) for name in names},
    }


def _print_machine() -> None:
    _print_rows(
        {
            "fastvec": __version__,
            "Python": f"{platform.python_version()} ({platform.python_implementation()})",
            "NumPy": np.__version__,
            "system": f"{platform.system()} {platform.machine()}",
            "processor": _processor(),
            "threads": f"{usable_threads()} usable of {os.cpu_count()}",
            "instruction sets": ", ".join(kernels.instruction_sets()),
        }
    )
    print("\nbackends, slowest first:")
    try:
        in_use, problem = kernels.selected(), None
    except (RuntimeError, ValueError) as error:
        in_use, problem = "", error
    for name, state in kernels.status().items():
        print(f"  {name:10}{state}{', in use' if name == in_use else ''}")
    if problem is not None:
        raise problem
    print("set FASTVEC_BACKEND=<name> to force another")


def _print_rows(rows: dict[str, str]) -> None:
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name:{width}}  {value}")


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
