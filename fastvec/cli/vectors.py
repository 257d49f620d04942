"""The verbs that read vectors, such as ``neighbors``, ``analogy``, ``evaluate``, ``diff`` and ``convert``.

Words are arguments, or come from standard input and are answered as they come.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from fastvec import evaluate, formats
from fastvec._params import check_int
from fastvec.cli.files import add_format, add_output, add_reading, add_vectors, check_extension, check_files
from fastvec.cli.options import add_parameters, flag, given, joined
from fastvec.cli.results import add_json, json_line, numbers, print_json, say_saved
from fastvec.cli.streams import WORD, add_quiet, lines_as_they_come, say
from fastvec.corpus.reading import files_of
from fastvec.formats.places import on_disk
from fastvec.training.progress import tell
from fastvec.vectors import SubwordVectors, UnknownWordError, Vectors, drift, load

__all__ = [
    "add_analogy",
    "add_convert",
    "add_diff",
    "add_evaluate",
    "add_neighbors",
    "add_plot",
    "add_print_ngrams",
    "add_print_sentence_vectors",
    "add_print_vectors",
]

# The exit status once words of standard input had no answer.
UNANSWERED = 2
# What JSON says of a section of questions.
COUNTS = ("name", "correct", "covered", "total")


def add_neighbors(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec neighbors``."""
    parser.set_defaults(run=_neighbors)
    add_vectors(parser)
    _add_words(parser)
    _add_number(parser, 10)
    add_json(parser)


def add_analogy(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec analogy``."""
    parser.set_defaults(run=_analogy)
    add_vectors(parser)
    parser.add_argument("a", metavar="A", help="a word, such as man")
    parser.add_argument("b", metavar="B", help="a word that is to A as the answer is to C, such as king")
    parser.add_argument("c", metavar="C", help="the word that is asked about, such as woman")
    _add_number(parser, 5)
    add_json(parser)
    add_parameters(parser, {"the answer": Vectors.analogy}, ["method"])


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
    what = "count pairs with an unknown word as of similarity 0, and questions with one as wrong"
    parser.add_argument("--count-unknown", action="store_true", help=what)
    add_json(parser)
    add_parameters(parser, {"analogies": evaluate.analogies}, ["method"])


def add_diff(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec diff``."""
    parser.set_defaults(run=_diff)
    what = "vectors of one side, or a pattern or folder that names those of at least three runs"
    parser.add_argument("a", metavar="A", help=what)
    parser.add_argument("b", metavar="B", help="those of the other side")
    add_reading(parser)
    _add_number(parser, 20)
    for option, use in (("--words", "compare only"), ("--anchors", "align by")):
        parser.add_argument(option, metavar="FILE", help=f"{use} the words in this file, one per line")
    add_json(parser)
    add_parameters(parser, {"the comparison": drift}, ["neighbors", "seed"])


def add_convert(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec convert``."""
    parser.set_defaults(run=_convert)
    add_vectors(parser, "--from", ["counts"])
    parser.add_argument("output", metavar="OUT", help=f"output file: {formats.extensions()}")
    add_quiet(parser)
    add_json(parser, "print the summary as JSON")
    add_format(parser, "--to")
    what = "number of dimensions that are kept, the first principal components, before any postprocessing"
    parser.add_argument("--n-components", type=int, metavar="N", help=what)
    what = "turn the vectors such that their first dimensions are the best (Matryoshka order)"
    parser.add_argument("--order-dimensions", action="store_true", help=what)
    what = "number of dimensions that are kept, the first ones, after --n-components and --order-dimensions"
    parser.add_argument("--dimensions", type=int, metavar="N", help=what)
    parser.add_argument("--words", metavar="FILE", help="convert only the words in this file, one per line")
    add_parameters(parser, {"postprocessing": Vectors.postprocess}, ["center", "remove_top", "unit_length"])
    add_parameters(parser, {"the output": Vectors.save}, ["dtype"])


def add_plot(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec plot``."""
    parser.set_defaults(run=_plot)
    add_vectors(parser)
    add_output(parser, ": .html, a page that zooms and searches, or .png")
    add_quiet(parser)
    add_json(parser, "print the summary as JSON")
    which = parser.add_mutually_exclusive_group()
    what = "number of words on the map, the first ones (default: %(default)s)"
    which.add_argument("-n", type=int, default=2000, metavar="N", help=what)
    which.add_argument("--words", metavar="FILE", help="draw the words in this file, one per line")
    add_parameters(parser, {"the map": Vectors.plot}, ["seed"])


def add_print_vectors(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec print-vectors``."""
    parser.set_defaults(run=_print_vectors)
    add_vectors(parser)
    _add_words(parser)
    add_json(parser)


def add_print_sentence_vectors(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec print-sentence-vectors``."""
    parser.set_defaults(run=_print_sentence_vectors)
    add_vectors(parser)
    what = "sentences, an argument each (default: the lines of standard input)"
    _add_any(parser, "sentences", "SENTENCE", what)
    add_json(parser)


def add_print_ngrams(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec print-ngrams``."""
    parser.set_defaults(run=_print_ngrams)
    add_vectors(parser)
    _add_words(parser)
    add_json(parser)


def _neighbors(options: argparse.Namespace) -> int:
    n = check_int("-n", options.n, 1)
    vectors = _load(options)
    headed = len(options.words) != 1

    def answer(word: str) -> str:
        similar = vectors.most_similar(word, topn=n)
        if options.json:
            return _line(word=word, neighbors=[{"word": near, "cosine": cosine} for near, cosine in similar])
        return f"{word}:\n{_cosines(similar)}" if headed else _cosines(similar)

    return _answer(options.words, answer)


def _print_vectors(options: argparse.Namespace) -> int:
    vectors = _load(options)

    def answer(word: str) -> str:
        if options.json:
            return _line(word=word, vector=vectors[word].tolist())
        return f"{word} {numbers(vectors[word])}\n"

    return _answer(options.words, answer)


def _print_sentence_vectors(options: argparse.Namespace) -> int:
    vectors = _load(options)
    for sentence in options.sentences or _lines("sentence: "):
        mean = vectors.mean(WORD.findall(sentence), unit=True, unknown="skip")
        text = f"{numbers(mean)}\n"
        if options.json:
            text = _line(sentence=sentence, vector=mean.tolist())
        print(text, end="", flush=not options.sentences)
    return 0


def _print_ngrams(options: argparse.Namespace) -> int:
    vectors = _load(options)
    if not isinstance(vectors, SubwordVectors):
        raise ValueError(f"{options.vectors}: these vectors have no n-grams, which those of FastText have")
    rows = vectors.input_vectors

    def answer(word: str) -> str:
        ngrams = vectors.ngrams(word)
        if options.json:
            listed = [{"ngram": ngram, "vector": rows[row].tolist()} for ngram, row in ngrams]
            return _line(word=word, ngrams=listed)
        return "".join(f"{ngram} {numbers(rows[row])}\n" for ngram, row in ngrams)

    return _answer(options.words, answer)


def _analogy(options: argparse.Namespace) -> int:
    n = check_int("-n", options.n, 1)
    vectors = _load(options)
    method = given(options, Vectors.analogy)
    found = vectors.analogy(options.a, options.b, options.c, topn=n, **method)
    if options.json:
        answers = [{"word": word, "score": score} for word, score in found]
        print_json({"a": options.a, "b": options.b, "c": options.c, "answers": answers})
    else:
        print(_cosines(found), end="")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    if not options.similarity and options.analogies is None:
        raise ValueError("evaluate needs --similarity, --analogies, or both, got neither")
    vectors = _load(options)
    results = [
        evaluate.similarity(vectors, path, count_unknown=options.count_unknown)
        for path in options.similarity or ()
    ]
    if results and not options.json:
        width = max(len("similarity"), *(len(result.name) for result in results))
        print(f"{'similarity':{width}}  Spearman  covered    total")
        for result in results:
            print(f"{result.name:{width}}  {result.spearman:8.3f}  {result.covered:7,}  {result.pairs:7,}")
    if options.analogies is not None:
        settings = given(options, evaluate.analogies)
        settings |= {"restrict": options.restrict, "count_unknown": options.count_unknown}
        found = evaluate.analogies(vectors, options.analogies, **settings)
        if not options.json:
            print(found)
    if options.json:
        analogies = None if options.analogies is None else _document(found)
        print_json({"similarity": [asdict(result) for result in results], "analogies": analogies})
    return 0


def _diff(options: argparse.Namespace) -> int:
    n = check_int("-n", options.n, 1)
    words = None if options.words is None else _words_in(options.words, "--words")
    anchors = None if options.anchors is None else _words_in(options.anchors, "--anchors")
    reading = given(options, load)
    a, b = ([load(path, **reading) for path in files_of(side) or ()] for side in (options.a, options.b))
    found = drift(a, b, words=words, anchors=anchors, **given(options, drift))
    if options.json:
        print_json({"words": [row._asdict() for row in found[:n]]})
    else:
        print(found.table(n))
    return 0


def _convert_classifier(options: argparse.Namespace) -> int:
    of_vectors = {
        "--to": options.format,
        "--n-components": options.n_components,
        "--order-dimensions": options.order_dimensions or None,
        "--dimensions": options.dimensions,
        "--words": options.words,
        "--dtype": _dtype(options),
    }
    asked = [option for option, value in of_vectors.items() if value is not None]
    asked += [
        flag(function, name)
        for function in (load, Vectors.postprocess)
        for name in given(options, function)
        if name != "dtype"  # which is that of the output
    ]
    if asked:
        raise ValueError(
            f"{joined(asked)} must be left out for {options.vectors}: a classifier is converted as a whole"
        )
    from fastvec import classify  # which imports scikit-learn

    classify.load(options.vectors).save(options.output)
    if options.json:
        say(json_line({"output": options.output}))
    elif not options.quiet:
        say(f"saved in {options.output}")
    return 0


def _document(found: evaluate.AnalogyResult) -> dict[str, Any]:
    """Return what JSON says of the answers to analogy questions."""

    def section(part: evaluate.AnalogySection) -> dict[str, Any]:
        return {**{name: getattr(part, name) for name in COUNTS}, "accuracy": part.accuracy}

    together = {name: section(getattr(found, name)) for name in ("semantic", "syntactic", "total")}
    return {"name": found.name, "sections": [section(part) for part in found.sections], **together}


def _dtype(options: argparse.Namespace) -> str | None:
    """Return what the numbers of the output are kept as, if that is given."""
    dtype: str | None = given(options, Vectors.save).get("dtype")
    return dtype


def _convert(options: argparse.Namespace) -> int:
    reading = {name: value for name, value in given(options, load).items() if name != "dtype"}
    check_files([options.vectors, options.words, reading.get("counts")], {"OUT": options.output})
    if Path(options.vectors).suffix.lower() == ".fvmodel":
        return _convert_classifier(options)
    formats.format_of(Path(options.output), options.format, reading=False, option="--to")
    if options.words is not None:
        reading["words"] = _words_in(options.words, "--words")
    vectors = load(options.vectors, **reading)
    if options.n_components is not None:
        vectors = vectors.reduce(options.n_components)
    if options.order_dimensions:
        vectors = vectors.order_dimensions()
    if options.dimensions is not None:
        vectors = vectors.truncate(options.dimensions)
    postprocessing = given(options, Vectors.postprocess)
    if any(postprocessing.values()):
        vectors = vectors.postprocess(**{"center": False} | postprocessing)
    vectors.save(options.output, format=options.format, dtype=_dtype(options))
    say_saved(options, vectors)
    return 0


def _plot(options: argparse.Namespace) -> int:
    n = check_int("-n", options.n, 1)
    check_extension(options.output, ".html", ".png")
    check_files([options.vectors, options.words], {"--output": options.output})
    vectors = _load(options)
    words: int | list[str] = n
    if options.words is not None:
        words = _words_in(options.words, "--words")
    vectors.plot(options.output, words, **given(options, Vectors.plot))
    number = min(words, len(vectors)) if isinstance(words, int) else len({*words})
    if options.json:
        say(json_line({"output": options.output, "words": number}))
    elif not options.quiet:
        say(f"{number:,} words; saved in {options.output}")
    return 0


def _words_in(path: str, option: str) -> list[str]:
    """Return the words of a file that has one in each line."""
    try:
        words = [*filter(None, on_disk(path, option).read_text(encoding="utf-8-sig").split("\n"))]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: byte {error.start + 1:,} is not UTF-8") from error
    if not words:
        raise ValueError(f"{path}: the file holds no words")
    return words


def _load(options: argparse.Namespace) -> Vectors:
    return load(options.vectors, **given(options, load))


def _add_number(parser: argparse.ArgumentParser, default: int) -> None:
    what = "number of words to print (default: %(default)s)"
    parser.add_argument("-n", type=int, default=default, metavar="N", help=what)


def _add_words(parser: argparse.ArgumentParser) -> None:
    what = "words (default: those of standard input, which are answered as they come)"
    _add_any(parser, "words", "WORD", what)


def _add_any(parser: argparse.ArgumentParser, name: str, metavar: str, what: str) -> None:
    """Add any number of arguments.

    With ``nargs="*"`` argparse takes the none before an option for all of them: ``neighbors V -n 2 WORD``.
    """
    parser.add_argument(name, nargs="+", default=[], metavar=metavar, help=what).required = False


def _answer(words: list[str], answer: Callable[[str], str]) -> int:
    """Print the answers to words, or if there are none to those of standard input, each as it comes."""
    if words:
        for text in [answer(word) for word in words]:
            print(text, end="")
        return 0
    status = 0
    for line in _lines("word: "):
        for word in WORD.findall(line):
            try:
                print(answer(word), end="", flush=True)
            except UnknownWordError as error:
                tell(f"fastvec: {error}")
                status = UNANSWERED
    return status


def _lines(prompt: str) -> Iterator[str]:
    """Yield the lines of standard input, as they come; on a terminal, ask for each."""
    if sys.stdin is None:
        raise ValueError("standard input is closed: pass words or sentences as arguments")
    return chain.from_iterable(lines_as_they_come(prompt))


def _line(**document: Any) -> str:
    return f"{json_line(document)}\n"


def _cosines(similar: list[tuple[str, float]]) -> str:
    return "".join(f"{cosine:6.3f}  {word}\n" for word, cosine in similar)
