"""The verbs that read vectors: ``neighbors``, ``analogy``, ``evaluate`` and ``convert``."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastvec import evaluate, formats
from fastvec._params import check_int
from fastvec.cli.files import add_format, add_vectors, check_files, check_format
from fastvec.cli.options import add_parameters, given
from fastvec.cli.streams import add_quiet, say
from fastvec.vectors import Vectors, load

__all__ = ["add_analogy", "add_convert", "add_evaluate", "add_neighbors"]


def add_neighbors(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec neighbors``."""
    parser.set_defaults(run=_neighbors)
    add_vectors(parser)
    parser.add_argument("words", nargs="+", metavar="WORD")
    _add_number(parser, 10)


def add_analogy(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec analogy``."""
    parser.set_defaults(run=_analogy)
    add_vectors(parser)
    for name in ("a", "b", "c"):
        parser.add_argument(name, metavar=name.upper())
    _add_number(parser, 5)


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec evaluate``."""
    parser.set_defaults(run=_evaluate)
    add_vectors(parser)
    parser.add_argument(
        "--similarity",
        nargs="+",
        metavar="FILE",
        help="files with two words and a score per line, such as WordSim-353",
    )
    parser.add_argument(
        "--analogies", metavar="FILE", help="file with four words per line, such as Google's analogies"
    )
    parser.add_argument(
        "--restrict", type=int, metavar="N", help="only consider the N most frequent words in analogies"
    )


def add_convert(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec convert``."""
    parser.set_defaults(run=_convert)
    add_vectors(parser, "--from")
    parser.add_argument("output", metavar="OUT", help=f"output file: {formats.extensions()}")
    add_quiet(parser)
    add_format(parser, "--to")
    add_parameters(parser, {"postprocessing": Vectors.postprocess}, ["center", "remove_top", "unit_length"])


def _neighbors(options: argparse.Namespace) -> int:
    vectors = _load(options)
    found = [vectors.most_similar(word, topn=check_int("-n", options.n, 1)) for word in options.words]
    for word, similar in zip(options.words, found, strict=True):
        if len(found) > 1:
            print(f"{word}:")
        _print_cosines(similar)
    return 0


def _analogy(options: argparse.Namespace) -> int:
    vectors = _load(options)
    _print_cosines(vectors.analogy(options.a, options.b, options.c, topn=check_int("-n", options.n, 1)))
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    if not options.similarity and options.analogies is None:
        raise ValueError("evaluate needs --similarity, --analogies, or both, got neither")
    vectors = _load(options)
    if options.similarity:
        results = [evaluate.similarity(vectors, path) for path in options.similarity]
        width = max(len("similarity"), *(len(result.name) for result in results))
        print(f"{'similarity':{width}}  Spearman  covered    total")
        for result in results:
            print(f"{result.name:{width}}  {result.spearman:8.3f}  {result.covered:7,}  {result.pairs:7,}")
    if options.analogies is not None:
        print(evaluate.analogies(vectors, options.analogies, restrict=options.restrict))
    return 0


def _convert_classifier(options: argparse.Namespace) -> int:
    from fastvec import classify  # which imports scikit-learn

    classify.load(options.vectors).save(options.output)
    if not options.quiet:
        say(f"saved in {options.output}")
    return 0


def _convert(options: argparse.Namespace) -> int:
    check_files([options.vectors], {"OUT": options.output})
    if Path(options.vectors).suffix.lower() == ".fvmodel":
        return _convert_classifier(options)
    check_format(options.output, options.format, "--to")
    vectors = _load(options)
    postprocessing = given(options, Vectors.postprocess)
    if any(postprocessing.values()):
        vectors = vectors.postprocess(**{"center": False} | postprocessing)
    vectors.save(options.output, format=options.format)
    if not options.quiet:
        say(f"{len(vectors):,} words, {vectors.vector_size:,} dimensions; saved in {options.output}")
    return 0


def _load(options: argparse.Namespace) -> Vectors:
    return load(options.vectors, **given(options, load))


def _add_number(parser: argparse.ArgumentParser, default: int) -> None:
    what = "number of words to print (default: %(default)s)"
    parser.add_argument("-n", type=int, default=default, metavar="N", help=what)


def _print_cosines(similar: list[tuple[str, float]]) -> None:
    for word, cosine in similar:
        print(f"{cosine:6.3f}  {word}")
