"""``fastvec demo``: a model of the prose that every machine with fastvec has."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from fastvec import demo, formats
from fastvec.cli.files import add_output, check_files
from fastvec.cli.results import add_json, print_json
from fastvec.cli.streams import add_quiet
from fastvec.models.word2vec import SkipGram
from fastvec.training import signals

__all__ = ["add_demo"]


def add_demo(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec demo``."""
    parser.set_defaults(run=_run)
    add_output(parser, " (default: %(default)s)", "demo.fvec")
    add_quiet(parser, "show no progress")
    add_json(parser)


def _run(options: argparse.Namespace) -> int:
    check_files([], {"--output": options.output})
    formats.format_to_write(Path(options.output), None, None, option=None)
    with signals.hold_after_training() as held:
        if options.json:
            _print(options.output, demo.train(options.output, progress=not options.quiet))
        else:
            demo.run(options.output, progress=not options.quiet)
    return held.status


def _print(path: str, model: SkipGram) -> None:
    vectors = model.vectors_
    near = [
        {"word": word, "neighbors": [{"word": other, "cosine": cosine} for other, cosine in similar]}
        for word, similar in demo.neighbors(vectors).items()
    ]
    answered = [
        {"a": a, "b": b, "c": c, "answers": [{"word": word, "score": score} for word, score in answers]}
        for (a, b, c), answers in demo.analogies(vectors).items()
    ]
    document = {
        "output": path,
        "words": len(vectors),
        "vector_size": vectors.vector_size,
        "history": [asdict(epoch) for epoch in model.history_],
        "neighbors": near,
        "analogies": answered,
    }
    print_json(document)
