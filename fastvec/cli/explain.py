"""``fastvec explain``: why two words are similar."""

from __future__ import annotations

import argparse
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from fastvec.cli.files import add_reading, add_texts, read_texts
from fastvec.cli.options import add_parameters, given
from fastvec.cli.results import add_json, print_json
from fastvec.cli.streams import add_quiet
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.formats import extensions
from fastvec.models.explain import explain
from fastvec.models.glove import GloVe
from fastvec.models.loading import load_model
from fastvec.vectors import Vectors, load

__all__ = ["add_explain"]


def add_explain(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec explain``."""
    parser.set_defaults(run=_run)
    parser.add_argument("vectors", metavar="VECTORS", help=f"vectors: {extensions()}")
    parser.add_argument("a", metavar="A", help="a word, such as paris")
    parser.add_argument("b", metavar="B", help="another word, such as berlin")
    add_texts(parser, option="--text")
    parser.add_argument("--counts", metavar="FILE", help="counts in .fvcounts, in place of a text")
    add_quiet(parser)
    add_json(parser)
    add_parameters(parser, {"the explanation": explain}, ["topn", "sentences", "window"])
    add_reading(parser, errors=False)


def _run(options: argparse.Namespace) -> int:
    if options.texts and options.counts is not None:
        raise ValueError("--text and --counts must not be given both: counts are those of a text")
    source: Any = None
    if options.counts is not None:
        source = Cooccurrence.load(options.counts)
    elif options.texts:
        source = read_texts(options)
    found = explain(_learned(options), options.a, options.b, source, **given(options, explain))
    if options.json:
        print_json(asdict(found))
    else:
        print(found)
    return 0


def _learned(options: argparse.Namespace) -> Vectors | GloVe:
    """Return the model of GloVe in a file, which knows more than its vectors, or else the vectors."""
    vectors = load(options.vectors, **given(options, load))
    if vectors.metadata.get("estimator") == "GloVe":
        with suppress(ValueError):  # the file has the vectors alone
            model = load_model(options.vectors)
            assert isinstance(model, GloVe)
            return model
    return vectors
