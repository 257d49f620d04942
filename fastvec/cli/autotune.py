"""``fastvec autotune``: word vectors with the parameters that are best for something."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fastvec import formats
from fastvec.cli.config import add_config
from fastvec.cli.files import add_format, add_output, add_texts, check_files
from fastvec.cli.models import MODELS, add_models, add_phrases, make_model, read_corpus
from fastvec.cli.options import add_parameters, given
from fastvec.cli.results import add_json, json_line
from fastvec.cli.streams import add_quiet, say
from fastvec.corpus import Corpus
from fastvec.models.words import WordModel
from fastvec.training import signals
from fastvec.tuning.autotune import autotune
from fastvec.tuning.objectives import WITH_TESTS

__all__ = ["add_autotune"]

SEARCH = ["objective", "tests", "budget", "seeds", "checkpoint", "resume"]


def add_autotune(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec autotune``."""
    parser.set_defaults(run=_run)
    add_texts(parser)
    add_output(parser, f": {formats.extensions()}")
    add_format(parser, "--format")
    add_phrases(parser)
    add_config(parser)
    add_quiet(parser)
    add_json(parser, "print the result and all trials as JSON")
    add_parameters(parser, {"search": autotune}, SEARCH)
    add_models(parser)


def _run(options: argparse.Namespace) -> int:
    search = given(options, autotune)
    outputs = {
        "--output": options.output,
        "--checkpoint": search.get("checkpoint"),
        "--cache": given(options, Corpus).get("cache"),
    }
    check_files(options.texts, outputs)
    _check_needs(search)
    model = make_model(options)
    subwords = model._subwords() if isinstance(model, WordModel) else None
    formats.format_to_write(Path(options.output), options.format, subwords, option="--format")
    with signals.hold_after_training() as held:
        tuning = autotune(
            model, _source(options, search), fixed=list(given(options, MODELS[options.model])), **search
        )
        tuning.vectors.save(options.output, format=options.format)
    if options.json:
        document = {"output": options.output, **asdict(replace(tuning, model=None))}  # copies what is in it
        del document["model"]
        say(json_line(document))
    elif not options.quiet:
        say(f"{tuning}\nsaved in {options.output}")
    return held.status


def _check_needs(search: dict[str, Any]) -> None:
    """Check what is needed with other options, before the text is read."""
    objective = search.get("objective")
    if objective in WITH_TESTS and "tests" not in search:
        raise ValueError(f"--objective {objective} needs --tests, the files of its test sets")
    if "resume" in search and "checkpoint" not in search:
        raise ValueError("--resume needs --checkpoint, the file to go on from")


def _source(options: argparse.Namespace, search: dict[str, Any]) -> Any:
    """Return what is searched for: the files of a graph, or a text."""
    if search.get("objective") == "link":
        if given(options, Corpus) or options.phrases is not None:
            raise ValueError(
                "--objective link reads the edges of a graph, to which no option of texts applies"
            )
        return options.texts
    return read_corpus(options)
