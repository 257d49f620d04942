"""Options of verbs that work on several processes or machines."""

from __future__ import annotations

import argparse
from typing import Any

from fastvec._params import check_int
from fastvec.cli.options import add_parameters, given
from fastvec.corpus import Corpus
from fastvec.distributed.fitting import fit

__all__ = ["OF_LANES", "add_cluster", "add_lanes", "cluster_of", "lanes_of", "reading"]

# The parameters of `distributed.fit` that are options of their own: what the result depends on, and all.
OF_LANES = ("lanes", "rounds", "lanes_per_worker")
OPTIONS = (*OF_LANES, "folder")


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where files are read and counted."""
    group = _add_where(parser, "read and count files")
    group.add_argument(
        "--folder",
        metavar="FOLDER",
        help="folder on a disk that all workers share, for the work of --ray or --processes",
    )


def add_lanes(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how many lanes train, and where lanes or GloVe do."""
    _add_where(parser, "train lanes, or the tiles of a GloVe,")
    add_parameters(parser, {"lanes": fit}, OPTIONS)


def _add_where(parser: argparse.ArgumentParser, work: str) -> Any:
    group = parser.add_argument_group("cluster")
    where = group.add_mutually_exclusive_group()
    where.add_argument(
        "--ray",
        metavar="ADDRESS",
        help=f"{work} on a cluster of Ray: auto, HOST:PORT, or local for a new one",
    )
    in_processes = f"{work} in so many processes of this machine"
    where.add_argument("--processes", type=int, metavar="N", help=in_processes)
    return group


def cluster_of(options: argparse.Namespace) -> str | int | None:
    """Return the parameter `cluster` for files, None if the work is done here.

    Raises
    ------
    TypeError, ValueError
        If options do not belong together, or one is invalid.
    """
    cluster = _where(options)
    if cluster is None:
        if options.folder is not None:
            raise ValueError(f"--folder is for --ray or --processes, got {options.folder!r} without them")
    elif (cache := given(options, Corpus).get("cache")) is not None:
        raise ValueError(
            f"--cache keeps a text that is read on one machine, got {cache!r} with --ray or --processes"
        )
    return cluster


def lanes_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of `distributed.fit` about lanes and the cluster, none if there are to be none.

    Raises
    ------
    TypeError, ValueError
        If an option is invalid.
    """
    lanes = {name: value for name, value in given(options, fit).items() if name in OPTIONS}
    cluster = _where(options)
    return lanes if cluster is None else {**lanes, "cluster": cluster}


def _where(options: argparse.Namespace) -> str | int | None:
    if options.processes is not None:
        return check_int("--processes", options.processes, 1, 4096)
    return None if options.ray is None else str(options.ray)


def reading(options: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters of `Corpus` that are given, and that say how files are read."""
    return {
        name: value for name, value in given(options, Corpus).items() if name not in ("cache", "memory_limit")
    }
