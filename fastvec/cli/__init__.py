"""The command line: each verb calls one public function and prints its result.

Results go to standard output, progress and messages to standard error. The exit status is 0, 2 after an
error that the user can fix (one line describes it; with ``FASTVEC_DEBUG=1`` the traceback is shown), 130
after Ctrl-C, likewise 143 after SIGTERM and 129 after SIGHUP, and 141 if nobody reads the results.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import platform
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from fastvec import (
    Corpus,
    Phrases,
    __version__,
    demo,
    evaluate,
    formats,
    kernels,
)
from fastvec._params import check_int
from fastvec.cli import checkpoints, classify, cooccur, streams, tag
from fastvec.cli import phrases as phrase_options
from fastvec.cli.files import check_files, check_format
from fastvec.cli.labels import add_errors
from fastvec.cli.machine import processor_name
from fastvec.cli.streams import add_quiet, say
from fastvec.cli.train import add_options, make_model, open_counts, summary
from fastvec.cli.vectors import add_reading, in_options, load_vectors
from fastvec.corpus.writing import STANDARD_OUTPUT, write_text
from fastvec.formats.atomic import WINDOWS
from fastvec.formats.container import verify
from fastvec.models.base import EpochModel
from fastvec.training import signals
from fastvec.training.loop import usable_threads
from fastvec.training.progress import tell
from fastvec.training.startup import exit_status

__all__ = ["main"]

FAILED, UNREAD = 2, 141

UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments`, by default those of the process, and return the exit status."""
    streams.prepare()
    try:
        with warnings.catch_warnings(), signals.raise_stopped():
            warnings.showwarning = _show_warning
            options = _parser().parse_args(arguments)
            if hasattr(options, "needs"):
                with signals.end_at_once():
                    importlib.import_module(options.needs)
            status: int = options.run(options)
            if sys.stdout is not None:
                sys.stdout.flush()
            return status
    except KeyboardInterrupt as stopped:
        number = stopped.number if isinstance(stopped, signals.Stopped) else signal.SIGINT
        tell("fastvec: interrupted")
        return exit_status(number)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, ArithmeticError, MemoryError) as error:
        if _is_unread(error):
            streams.discard(sys.stdout)
            return UNREAD
        if os.environ.get("FASTVEC_DEBUG"):
            raise
        tell(f"fastvec: error: {_message(error)}")
        return FAILED
    finally:
        for stream in (sys.stdout, sys.stderr):
            if streams.is_broken(stream):
                streams.discard(stream)


def _train(options: argparse.Namespace) -> int:
    outputs = {
        "--output": options.output,
        "--save-model": options.save_model,
        "--checkpoint": options.checkpoint,
        "--cache": options.cache,
    }
    check_files(options.texts, outputs)
    check_format(options.output, options.format)
    model = make_model(options)
    if options.phrases is not None:
        check_int("--phrases", options.phrases, 1)
    resuming = checkpoints.arguments(options, model)
    source = _counts_or_corpus(options)
    started = time.perf_counter()
    with signals.hold_after_training() as held:
        vectors = model.fit(source, **resuming).vectors_
        held.begin()
        seconds = time.perf_counter() - started
        vectors.save(options.output, format=options.format)
        if isinstance(model, EpochModel) and options.save_model is not None:
            model.save(options.save_model)
    if not options.quiet:
        say(
            f"{len(vectors):,} words, {vectors.vector_size:,} dimensions; {summary(model, seconds)}; "
            f"saved in {options.output}"
        )
    return held.status


def _counts_or_corpus(options: argparse.Namespace) -> Any:
    counts = open_counts(options)
    if counts is not None:
        return counts
    corpus = _corpus(options)
    if options.phrases is None:
        return corpus
    return Phrases(passes=options.phrases, progress=not options.quiet).fit_transform(corpus)


def _phrases(options: argparse.Namespace) -> int:
    outputs = {"--output": options.output, "--save-phrases": options.save_phrases, "--cache": options.cache}
    check_files([*options.texts, options.phrases], outputs, text="--output")
    phrases = phrase_options.make_phrases(options)
    corpus = _corpus(options, keep_empty=True)
    joined = phrases.fit_transform(corpus) if options.phrases is None else phrases.transform(corpus)
    if options.save_phrases is not None:
        phrases.save(options.save_phrases)
    write_text(joined, options.output)
    if not options.quiet:
        found = list(phrases.phrases_.items())
        lines = [f"{score:14,.3f}  {phrase}" for phrase, score in found[:5]]
        streamed = options.output == STANDARD_OUTPUT
        place = "written to standard output" if streamed else f"saved in {options.output}"
        lines.append(f"{len(found):,} phrases; {joined.n_tokens:,} words {place}")
        (tell if streamed else say)("\n".join(lines))
    return 0


def _cooccur(options: argparse.Namespace) -> int:
    outputs = {"--output": options.output, "--vocabulary": options.vocabulary, "--cache": options.cache}
    check_files(options.texts, outputs)
    counter = cooccur.make_counter(options)
    corpus = _corpus(options)
    started = time.perf_counter()
    with signals.hold_after_training() as held:
        counts = counter.fit(corpus)
        held.begin()
        seconds = time.perf_counter() - started
        cooccur.save(counts, options)
    if not options.quiet:
        say(
            f"{counts.n_entries_:,} entries of {len(counts.vocabulary_):,} words; counted "
            f"{corpus.n_tokens:,} words in {seconds:,.1f} s ({corpus.n_tokens / seconds:,.0f} words/s); "
            f"saved in {options.output}"
        )
    return held.status


def _corpus(options: argparse.Namespace, keep_empty: bool = False) -> Corpus:
    return Corpus(
        options.texts,
        lowercase=options.lowercase,
        errors=options.errors,
        keep_empty=keep_empty,
        cache=options.cache,
        memory_limit=-(-options.memory_limit // 2),  # the other half is for what is made of the ids
        progress=not options.quiet,
    )


def _neighbors(options: argparse.Namespace) -> int:
    vectors = load_vectors(options)
    found = [vectors.most_similar(word, topn=check_int("-n", options.topn, 1)) for word in options.words]
    for word, neighbors in zip(options.words, found, strict=True):
        if len(found) > 1:
            print(f"{word}:")
        _print_cosines(neighbors)
    return 0


def _analogy(options: argparse.Namespace) -> int:
    vectors = load_vectors(options)
    _print_cosines(vectors.analogy(options.a, options.b, options.c, topn=check_int("-n", options.topn, 1)))
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    if not options.similarity and options.analogies is None:
        raise ValueError("evaluate needs --similarity, --analogies, or both, got neither")
    vectors = load_vectors(options)
    if options.similarity:
        results = [evaluate.similarity(vectors, path) for path in options.similarity]
        width = max(len("similarity"), *(len(result.name) for result in results))
        print(f"{'similarity':{width}}  Spearman  covered    total")
        for result in results:
            print(f"{result.name:{width}}  {result.spearman:8.3f}  {result.covered:7,}  {result.pairs:7,}")
    if options.analogies is not None:
        print(evaluate.analogies(vectors, options.analogies, restrict=options.restrict))
    return 0


def _convert(options: argparse.Namespace) -> int:
    check_files([options.vectors], {"OUT": options.output})
    check_format(options.output, options.to_format, "--to")
    vectors = load_vectors(options)
    if options.center or options.remove_top or options.unit_length:
        vectors = vectors.postprocess(
            center=options.center, remove_top=options.remove_top, unit_length=options.unit_length
        )
    vectors.save(options.output, format=options.to_format)
    if not options.quiet:
        say(f"{len(vectors):,} words, {vectors.vector_size:,} dimensions; saved in {options.output}")
    return 0


def _info(options: argparse.Namespace) -> int:
    if options.verify:
        print(f"{options.verify}: all {verify(options.verify)} tensors and the header have their checksums")
        return 0
    if options.vectors is None:
        _print_machine()
        return 0
    vectors = load_vectors(options)
    rows = {"words": f"{len(vectors):,}", "dimensions": f"{vectors.vector_size:,}"}
    if vectors.counts is not None:
        rows["occurrences"] = f"{vectors.counts.sum():,}"
    for name, value in vectors.metadata.items():
        rows[name] = f"{value:.6g}" if isinstance(value, float) else str(value)
    _print_rows(rows)
    return 0


def _demo(options: argparse.Namespace) -> int:
    check_files([], {"--output": options.output})
    check_format(options.output, None)
    with signals.hold_after_training() as held:
        demo.run(options.output, progress=not options.quiet)
    return held.status


def _print_machine() -> None:
    _print_rows(
        {
            "fastvec": __version__,
            "Python": f"{platform.python_version()} ({platform.python_implementation()})",
            "NumPy": np.__version__,
            "system": f"{platform.system()} {platform.machine()}",
            "processor": processor_name(),
            "threads": f"{usable_threads()} usable of {os.cpu_count()}",
            "instruction sets": ", ".join(kernels.instruction_sets()),
        }
    )
    print("\nbackends, slowest first:")
    try:
        in_use, problem = kernels.selected(), None
    except (RuntimeError, ValueError) as error:
        in_use, problem = "", error
    for name, state in kernels.status().items():
        print(f"  {name:10}{state}{', in use' if name == in_use else ''}")
    if problem is not None:
        raise problem
    print("set FASTVEC_BACKEND=<name> to force another")


def _print_cosines(found: list[tuple[str, float]]) -> None:
    for word, cosine in found:
        print(f"{cosine:6.3f}  {word}")


def _print_rows(rows: dict[str, str]) -> None:
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name:{width}}  {value}")


def _is_unread(error: Exception) -> bool:
    """Return whether nobody reads the output any more, which Windows calls an invalid argument."""
    if isinstance(error, OSError) and WINDOWS:
        return error.errno in (errno.EPIPE, errno.EINVAL) and error.filename is None
    return isinstance(error, BrokenPipeError)


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        name = "standard output" if streams.is_broken(sys.stdout) else error.filename
        return error.strerror if name is None else f"{name}: {error.strerror}"
    return in_options(str(error)) or type(error).__name__


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    tell(f"fastvec: warning: {message}")


def _size(text: str) -> int:
    """Return the bytes that ``4G``, ``500M`` or ``1000`` mean."""
    unit = UNITS.get(text[-1:].upper())
    try:
        return int(text) if unit is None else int(text[:-1]) * unit
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected a number of bytes such as 500M or 4G, got {text!r}"
        ) from None


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, like all others."""

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is sys.stderr:
            tell(message.removesuffix("\n"))
        else:
            print(message, end="", flush=True)

    def error(self, message: str) -> NoReturn:
        self.exit(FAILED, f"fastvec: error: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="fastvec", description="Train word vectors on a CPU, and use them.")
    parser.add_argument("--version", action="version", version=f"fastvec {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    train = verbs.add_parser("train", help="train word vectors on text files, or on a file of counts")
    train.set_defaults(run=_train)
    _add_texts(train)
    train.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="output file: .fvec .bin .vec .txt .w2v .glove"
    )
    train.add_argument(
        "--format", choices=formats.FORMATS, help="format of the output (default: by extension)"
    )
    train.add_argument(
        "--save-model",
        metavar="FILE",
        help="also save the whole model, which load_model can continue to train: .fvec",
    )
    train.add_argument(
        "--phrases",
        type=int,
        metavar="N",
        help="join phrases first: of two words with 1, of up to four with 2, ... (default: none)",
    )
    add_quiet(train)
    add_options(train)
    checkpoints.add_options(train)

    phrases = verbs.add_parser(
        "phrases", help="find phrases in text files and join them: new york becomes new_york"
    )
    phrases.set_defaults(run=_phrases)
    _add_texts(phrases)
    phrase_options.add_options(phrases)

    counting = verbs.add_parser("cooccur", help="count how often words of text files occur near each other")
    counting.set_defaults(run=_cooccur)
    _add_texts(counting)
    cooccur.add_options(counting)

    classify.add_verbs(verbs)
    tag.add_verbs(verbs)

    neighbors = verbs.add_parser("neighbors", help="print the words most similar to a word")
    neighbors.set_defaults(run=_neighbors)
    _add_vectors(neighbors)
    neighbors.add_argument("words", nargs="+", metavar="WORD")
    _add_topn(neighbors, 10)

    analogy = verbs.add_parser("analogy", help="answer: A is to B as C is to ...?")
    analogy.set_defaults(run=_analogy)
    _add_vectors(analogy)
    for name in ("a", "b", "c"):
        analogy.add_argument(name, metavar=name.upper())
    _add_topn(analogy, 5)

    evaluation = verbs.add_parser("evaluate", help="evaluate vectors on word similarities and analogies")
    evaluation.set_defaults(run=_evaluate)
    _add_vectors(evaluation)
    evaluation.add_argument(
        "--similarity",
        nargs="+",
        metavar="FILE",
        help="files with two words and a score per line, such as WordSim-353",
    )
    evaluation.add_argument(
        "--analogies", metavar="FILE", help="file with four words per line, such as Google's analogies"
    )
    evaluation.add_argument(
        "--restrict", type=int, metavar="N", help="only consider the N most frequent words in analogies"
    )

    convert = verbs.add_parser("convert", help="convert vectors to another format")
    convert.set_defaults(run=_convert)
    _add_vectors(convert, format="--from")
    convert.add_argument("output", metavar="OUT", help="output file: .fvec .bin .vec .txt .w2v .glove")
    add_quiet(convert)
    convert.add_argument(
        "--to",
        dest="to_format",
        choices=formats.FORMATS,
        help="format of the output (default: by extension)",
    )
    convert.add_argument("--center", action="store_true", help="subtract the mean of all vectors")
    convert.add_argument(
        "--remove-top",
        type=int,
        default=0,
        metavar="N",
        help="with --center: remove the first N principal components",
    )
    convert.add_argument("--unit-length", action="store_true", help="scale all vectors to length 1")

    info = verbs.add_parser("info", help="show information on this machine and its backends, or on vectors")
    info.set_defaults(run=_info)
    about = info.add_mutually_exclusive_group()
    about.add_argument("vectors", nargs="?", metavar="VECTORS", help="vectors, or none for the machine")
    about.add_argument(
        "--verify",
        metavar="FILE",
        help="verify the checksums of a file instead: .fvec .fvcounts .fvmodel, or that of --cache",
    )
    add_reading(info)

    show = verbs.add_parser(
        "demo", help="train on the prose in the sources of Python and NumPy and show neighbours"
    )
    show.set_defaults(run=_demo)
    show.add_argument(
        "-o", "--output", default="demo.fvec", metavar="FILE", help="output file (default: %(default)s)"
    )
    add_quiet(show, "show no progress")
    return parser


def _add_texts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "texts",
        nargs="+",
        metavar="TEXT",
        help="text files, one sentence per line, plain or .gz .bz2 .xz .zst; - is standard input",
    )
    text = parser.add_argument_group("text")
    text.add_argument("--lowercase", action="store_true", help="convert words to lower case")
    add_errors(text)
    text.add_argument(
        "--cache", metavar="FILE", help="file that keeps the text as ids, to be read the next time instead"
    )
    text.add_argument(
        "--memory-limit",
        type=_size,
        default="4G",
        metavar="BYTES",
        help="keep ids and counts beyond this in temporary files, for example 500M (default: %(default)s)",
    )


def _add_vectors(parser: argparse.ArgumentParser, format: str = "--format") -> None:
    parser.add_argument("vectors", metavar="VECTORS", help="vectors: .fvec .bin .vec .txt .w2v .glove")
    add_reading(parser, format=format)


def _add_topn(parser: argparse.ArgumentParser, default: int) -> None:
    parser.add_argument(
        "-n",
        dest="topn",
        type=int,
        default=default,
        metavar="N",
        help="number of words to print (default: %(default)s)",
    )
