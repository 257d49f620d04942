"""``fastvec plan``: what a training will take, before it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from fastvec.cli.config import add_config
from fastvec.cli.files import add_texts, check_files
from fastvec.cli.models import add_models, add_phrases, make_model, read_corpus
from fastvec.cli.options import given
from fastvec.cli.results import add_json, print_json
from fastvec.cli.streams import add_quiet
from fastvec.corpus import Corpus
from fastvec.counts.files import holds_counts
from fastvec.models.plan import plan

__all__ = ["add_plan"]


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec plan``."""
    parser.set_defaults(run=_run)
    add_texts(parser)
    add_phrases(parser)
    add_config(parser)
    add_quiet(parser)
    add_json(parser)
    add_models(parser)


def _run(options: argparse.Namespace) -> int:
    check_files(options.texts, {"--cache": given(options, Corpus).get("cache")})
    if counts := [path for path in options.texts if holds_counts(path)]:
        raise ValueError(f"{counts[0]} holds counts, and not a text, of which trainings are planned")
    model = make_model(options)
    text, reading = options.texts, {**given(options, Corpus), "progress": not options.quiet}
    if options.phrases is not None:  # which are found in all of a text
        text, reading = read_corpus(options), {}
    planned = plan(model, text, **reading)
    if options.json:
        document: dict[str, Any] = {**asdict(planned), "seconds": planned.seconds}
        print_json(document)
    else:
        print(planned)
    return 0
