"""``fastvec phrases``: texts with phrases joined into words."""

from __future__ import annotations

import argparse

from fastvec.cli.cluster import add_cluster, cluster_of, reading
from fastvec.cli.config import add_config
from fastvec.cli.files import add_output, add_texts, check_files, read_texts
from fastvec.cli.options import add_parameters, flag, given, make, parameters
from fastvec.cli.results import add_json, json_line
from fastvec.cli.streams import add_quiet, say
from fastvec.corpus import Corpus
from fastvec.corpus.writing import STANDARD_OUTPUT, write_text
from fastvec.distributed.pairs import find
from fastvec.models.phrases import Phrases
from fastvec.training.progress import tell

__all__ = ["add_phrases"]


def add_phrases(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec phrases``."""
    parser.set_defaults(run=_run)
    add_texts(parser)
    add_cluster(parser)
    add_output(parser, ", gzipped if it ends in .gz; - is standard output")
    parser.add_argument("--save-phrases", metavar="FILE", help="save the phrases, for other texts")
    parser.add_argument(
        "--phrases",
        metavar="FILE",
        help="join the phrases in this file of --save-phrases instead of finding new ones",
    )
    add_config(parser)
    add_quiet(parser)
    add_json(parser, "print the phrases and a summary as JSON")
    add_parameters(parser, {"finding": Phrases})


def _run(options: argparse.Namespace) -> int:
    text = given(options, Corpus)
    outputs = {
        "--output": options.output,
        "--save-phrases": options.save_phrases,
        "--cache": text.get("cache"),
    }
    check_files([*options.texts, options.phrases], outputs, text="--output")
    phrases, cluster = _phrases(options), cluster_of(options)
    if cluster is not None:
        if options.phrases is not None:
            raise ValueError("--phrases joins phrases on one machine: it is not for --ray or --processes")
        n_tokens = find(
            phrases,
            options.texts,
            cluster=cluster,
            folder=options.folder,
            output=options.output,
            **reading(options),
        )
    else:
        corpus = read_texts(options, keep_empty=True)
        if options.phrases is None and not corpus.n_tokens:
            raise ValueError(f"{', '.join(options.texts)} holds no words")
        joined = phrases.fit_transform(corpus) if options.phrases is None else phrases.transform(corpus)
        n_tokens = joined.n_tokens
    if options.save_phrases is not None:
        phrases.save(options.save_phrases)
    if cluster is None:
        write_text(joined, options.output)
    streamed, found = options.output == STANDARD_OUTPUT, list(phrases.phrases_.items())
    if options.json:
        scores = [{"phrase": phrase, "score": score} for phrase, score in found]
        document = {"output": options.output, "phrases": scores, "tokens": n_tokens}
        (tell if streamed else say)(json_line(document))
    elif not options.quiet:
        lines = [f"{score:14,.3f}  {phrase}" for phrase, score in found[:5]]
        place = "written to standard output" if streamed else f"saved in {options.output}"
        lines.append(f"{len(found):,} phrases; {n_tokens:,} words {place}")
        (tell if streamed else say)("\n".join(lines))
    return 0


def _phrases(options: argparse.Namespace) -> Phrases:
    if options.phrases is None:
        made: Phrases = make(options, Phrases)
        return made
    if refused := [flag(Phrases, name) for name in parameters(Phrases) if name in given(options, Phrases)]:
        names = ", ".join(refused)
        raise ValueError(f"the file of --phrases has its parameters; others cannot be given, got {names}")
    phrases = Phrases.load(options.phrases)
    phrases.set_params(**given(options, Phrases), progress=not options.quiet)
    return phrases
