"""``fastvec walks``: random walks over a graph as text."""

from __future__ import annotations

import argparse

from fastvec.cli.config import add_config
from fastvec.cli.files import add_output, check_files
from fastvec.cli.options import add_parameters, given
from fastvec.cli.results import add_json, json_line
from fastvec.cli.streams import add_quiet, say
from fastvec.corpus.reading import read_lines
from fastvec.corpus.writing import STANDARD_OUTPUT, write_text
from fastvec.graphs.walks import walks
from fastvec.training.progress import tell

__all__ = ["add_walks"]

OPTIONS = ["length", "per_node", "p", "q", "directed", "metapath", "seed", "threads", "memory_limit"]


def add_walks(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec walks``."""
    parser.set_defaults(run=_run)
    parser.add_argument(
        "edges",
        nargs="+",
        metavar="EDGES",
        help="text files with an edge in each line, two nodes and perhaps a weight; plain "
        "or .gz .bz2 .xz .zst; - is standard input; also folders and addresses",
    )
    add_output(parser, " with a walk in each line, gzipped if it ends in .gz; - is standard output")
    parser.add_argument(
        "--types", metavar="FILE", help="text file with a node and its type in each line, for --metapath"
    )
    parser.add_argument(
        "--no-weights", action="store_true", help="ignore the third column: all edges are alike"
    )
    add_config(parser)
    add_quiet(parser)
    add_json(parser, "print a summary as JSON")
    add_parameters(parser, {"walking": walks}, OPTIONS)


def _run(options: argparse.Namespace) -> int:
    check_files([*options.edges, options.types], {"--output": options.output}, text="--output")
    settings = given(options, walks)
    if "metapath" in settings and options.types is None:
        raise ValueError("--metapath needs the types of all nodes: --types FILE")
    if options.types is not None:
        settings["types"] = _types(options.types)
    if options.no_weights:
        settings["weight"] = None
    corpus = walks(options.edges, **settings, progress=not options.quiet)
    write_text(corpus, options.output)
    streamed = options.output == STANDARD_OUTPUT
    n_nodes, n_walks = len(corpus.vocabulary), len(corpus)
    if options.json:
        document = {"output": options.output, "walks": n_walks, "tokens": corpus.n_tokens, "nodes": n_nodes}
        (tell if streamed else say)(json_line(document))
    elif not options.quiet:
        place = "written to standard output" if streamed else f"saved in {options.output}"
        (tell if streamed else say)(f"{n_walks:,} walks over {n_nodes:,} nodes {place}")
    return 0


def _types(path: str) -> dict[str, str]:
    """Return the types of nodes in a file."""
    types = {}
    for number, line in enumerate(read_lines(path, "strict", lambda n: None), 1):
        if not (columns := line.split()):
            continue
        if len(columns) != 2:
            what = f"must be a node and its type, got {len(columns)} columns"
            raise ValueError(f"{path}, line {number}: {what}")
        types[columns[0]] = columns[1]
    return types
