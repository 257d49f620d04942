"""``fastvec cooccur``: counts of how often words occur near each other."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from fastvec.cli.cluster import add_cluster, cluster_of, reading
from fastvec.cli.config import add_config
from fastvec.cli.files import add_output, add_texts, check_extension, check_files, read_texts
from fastvec.cli.options import add_parameters, given, make
from fastvec.cli.results import add_json, json_line
from fastvec.cli.streams import add_quiet, say
from fastvec.corpus import Corpus
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.distributed import count
from fastvec.training import signals

__all__ = ["add_cooccur"]


def add_cooccur(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec cooccur``."""
    parser.set_defaults(run=_run)
    add_texts(parser)
    add_cluster(parser)
    add_output(parser, ": .fvcounts, or .bin for Stanford's GloVe, with --vocabulary")
    parser.add_argument(
        "--vocabulary",
        metavar="FILE",
        help="output file of the words and their counts, in the format of vocab_count",
    )
    add_config(parser)
    add_quiet(parser)
    add_json(parser, "print the summary as JSON")
    add_parameters(parser, {"counting": Cooccurrence})


def _run(options: argparse.Namespace) -> int:
    text = given(options, Corpus)
    outputs = {"--output": options.output, "--vocabulary": options.vocabulary, "--cache": text.get("cache")}
    check_files(options.texts, outputs)
    check_extension(options.output, ".fvcounts", ".bin")
    if (Path(options.output).suffix.lower() == ".bin") != (options.vocabulary is not None):
        raise ValueError("--vocabulary FILE must be given with an output in .bin, and only then")
    counts: Cooccurrence = make(options, Cooccurrence)
    cluster = cluster_of(options)
    corpus = read_texts(options) if cluster is None else None
    started = time.perf_counter()
    with signals.hold_after_training() as held:
        if corpus is not None:
            counts.fit(corpus)
        else:
            how = {**reading(options), **counts.get_params()}
            counts = count(options.texts, cluster=cluster, folder=options.folder, **how)
        held.begin()
        seconds = time.perf_counter() - started
        if options.vocabulary is None:
            counts.save(options.output)
        else:
            counts.write_glove(options.output, options.vocabulary)
    n_tokens = counts._provenance["corpora"][0]["words"]
    if options.json:
        document = {
            "output": options.output,
            "entries": counts.n_entries_,
            "words": len(counts.vocabulary_),
            "tokens": n_tokens,
            "seconds": seconds,
        }
        say(json_line(document))
    elif not options.quiet:
        say(
            f"{counts.n_entries_:,} entries of {len(counts.vocabulary_):,} words; counted "
            f"{n_tokens:,} words in {seconds:,.1f} s ({n_tokens / seconds:,.0f} words/s); "
            f"saved in {options.output}"
        )
    return held.status
