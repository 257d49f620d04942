"""Options of verbs that work on several processes or machines."""

from __future__ import annotations

import argparse
from typing import Any

from fastvec._params import check_int
from fastvec.cli.options import given
from fastvec.corpus import Corpus

__all__ = ["add_cluster", "cluster_of", "reading"]


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the work is done."""
    group = parser.add_argument_group("cluster")
    where = group.add_mutually_exclusive_group()
    where.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="work on a cluster of Ray, a file at a time: auto, HOST:PORT, or local for a new one",
    )
    where.add_argument(
        "--processes", type=int, metavar="N", help="work in so many processes, a file at a time"
    )
    group.add_argument(
        "--folder",
        metavar="FOLDER",
        help="folder on a disk that all workers share, for the work of --ray or --processes",
    )


def cluster_of(options: argparse.Namespace) -> str | int | None:
    """Return the parameter `cluster`, None if the work is done here.

    Raises
    ------
    TypeError, ValueError
        If options do not belong together, or one is invalid.
    """
    if options.ray is None and options.processes is None:
        if options.folder is not None:
            raise ValueError(f"--folder is for --ray or --processes, got {options.folder!r} without them")
        return None
    if (cache := given(options, Corpus).get("cache")) is not None:
        raise ValueError(
            f"--cache keeps a text that is read on one machine, got {cache!r} with --ray or --processes"
        )
    if options.processes is not None:
        return check_int("--processes", options.processes, 1, 4096)
    return str(options.ray)


def reading(options: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters of `Corpus` that are given, and that say how files are read."""
    return {
        name: value for name, value in given(options, Corpus).items() if name not in ("cache", "memory_limit")
    }
