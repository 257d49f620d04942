"""``fastvec documents``: vectors of documents, of which a line of text is one."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from fastvec import formats
from fastvec.cli.config import add_config
from fastvec.cli.files import add_format, add_output, add_texts, check_files, read_texts
from fastvec.cli.options import KEY, add_parameters, given, make
from fastvec.cli.parser import Parser, add_verb
from fastvec.cli.results import add_json, json_line, numbers
from fastvec.cli.streams import WORD, add_quiet, lines_as_they_come, say
from fastvec.cli.training import (
    add_checkpoints,
    add_like,
    checkpoints,
    in_python,
    text_of,
    trained_on,
    training_of,
    values_of,
    words_in,
)
from fastvec.corpus import Corpus
from fastvec.corpus.reading import STANDARD_INPUT, read_lines
from fastvec.formats.words import check_separable
from fastvec.models.loading import load_model
from fastvec.models.paragraphs import DocVectors, number_of_zeros, warn_of_zeros
from fastvec.training import signals
from fastvec.vectors import load

__all__ = ["add_documents"]

# What makes words of a text, which holds for other documents, too.
OF_WORDS = ("lowercase", "kmers")


def add_documents(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of ``fastvec documents``."""
    verbs = parser.add_subparsers(metavar="VERB", title="verbs")
    _add_train(add_verb(verbs, "train", "train vectors of documents, PV-DBOW or PV-DM"))
    _add_infer(add_verb(verbs, "infer", "print vectors of other documents, by a trained model"))


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_train)
    add_texts(parser, "document")
    add_output(parser, f", the vectors of the documents: {formats.extensions()}")
    add_format(parser, "--format")
    parser.add_argument(
        "--tags",
        metavar="FILE",
        help="file with the tags of each document in a line, separated by tabs (default: documents are "
        "numbered from 0)",
    )
    parser.add_argument("--save-model", metavar="FILE", help="also save the whole model, for infer: .fvec")
    parser.add_argument("--word-vectors", metavar="FILE", help="also save the vectors of the words")
    add_config(parser)
    add_like(parser, _parameters_of)
    add_quiet(parser)
    add_json(parser, "print the summary as JSON")
    add_checkpoints(parser, DocVectors.fit)
    add_parameters(parser, {"model": DocVectors})


def _add_infer(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_infer)
    parser.add_argument("model", metavar="MODEL", help="trained model, a file of --save-model: .fvec")
    what = "text file, one document per line (default: standard input, whose lines are answered as they come)"
    # With nargs="?" argparse takes the none before an option for it: infer MODEL --json TEXT.
    parser.add_argument("text", default=STANDARD_INPUT, metavar="TEXT", help=what).required = False
    add_json(parser, "print JSON, a document a line")
    add_quiet(parser)
    parser.add_argument(
        "--lowercase",
        action=argparse.BooleanOptionalAction,
        dest=f"{KEY}lowercase",
        default=argparse.SUPPRESS,
        help="convert words to lower case (default: as in the training)",
    )
    parser.add_argument(
        "--threads",
        type=int,
        dest=f"{KEY}threads",
        default=argparse.SUPPRESS,
        metavar="N",
        help="number of threads, on which vectors do not depend (default: as in the training)",
    )
    add_parameters(parser, {"text": Corpus}, ["errors", "column", "kmers"])


def _parameters_of(_: Parser, path: str) -> dict[str, Any]:
    """Return the values of the options with which a file was made, by where the parser puts them."""
    return values_of(training_of(path, [DocVectors], "no model of documents"), DocVectors)


def _check_repeatable(path: str, tags: str | None) -> None:
    """Raise ValueError unless this command can read the documents as those with which a file was made."""
    text = text_of(path)
    if "phrases" in text:
        raise in_python(path, "with phrases")
    if not text.get("keep_empty"):
        raise in_python(path, "without empty documents, keep_empty=False")
    if tags is None and "tags" in load(path, mmap=True).metadata:
        raise ValueError(f"{path}: its documents had tags, which are not in it: --like needs --tags, too")


def _train(options: argparse.Namespace) -> int:
    outputs = {
        "--output": options.output,
        "--save-model": options.save_model,
        "--word-vectors": options.word_vectors,
        "--checkpoint": given(options, DocVectors.fit).get("checkpoint"),
        "--cache": given(options, Corpus).get("cache"),
    }
    check_files([*options.texts, options.tags], outputs)
    format = formats.format_to_write(Path(options.output), options.format, None, option="--format")
    model: DocVectors = make(options, DocVectors)
    if options.save_model is not None:
        model.check_path(options.save_model)
    if options.word_vectors is not None:
        _check_word_vectors(options.word_vectors, model)
    resuming = checkpoints(options, DocVectors.fit, model)
    if options.like is not None:
        _check_repeatable(options.like, options.tags)
    tags = None if options.tags is None else _read_tags(options, format)
    corpus = read_texts(options, keep_empty=True)
    if not corpus.n_tokens:
        raise ValueError(f"{', '.join(options.texts)} holds no words")
    if tags is not None and len(tags) != len(corpus):
        raise ValueError(
            f"--tags must have a line for each document, {len(corpus):,}, got {len(tags):,} in {options.tags}"
        )
    started = time.perf_counter()
    with signals.hold_after_training() as held:
        vectors = model.fit(corpus, tags=tags, **resuming).vectors_
        held.begin()
        seconds = time.perf_counter() - started
        vectors.save(options.output, format=options.format)
        if options.save_model is not None:
            model.save(options.save_model)
        if options.word_vectors is not None:
            model.word_vectors_.save(options.word_vectors)
    history = model.history_
    if options.json:
        document = {
            "output": options.output,
            "documents": len(corpus),
            "tags": len(vectors),
            "words": len(model.vocabulary_),
            "vector_size": vectors.vector_size,
            "seconds": seconds,
            "history": [asdict(epoch) for epoch in history],
        }
        say(json_line(document))
    elif not options.quiet:
        tagged = "" if tags is None else f" with {len(vectors):,} tags"
        training = trained_on(history, words_in(history), "words", f"loss {history[-1].loss:.4f}")
        say(
            f"{len(corpus):,} documents{tagged}, {vectors.vector_size:,} dimensions; {training}; saved in "
            f"{options.output}"
        )
    return held.status


def _check_word_vectors(path: str, model: DocVectors) -> None:
    if model.model == "dbow" and not model.dbow_words:
        raise ValueError(
            "--word-vectors needs --model dm or --dbow-words: --model dbow alone learns no vectors of words"
        )
    formats.format_to_write(Path(path), None, None, option=None)


def _read_tags(options: argparse.Namespace, format: str) -> list[list[str]]:
    """Return the tags of each document, which the format of the output must be able to hold."""
    if options.tags == STANDARD_INPUT and STANDARD_INPUT in options.texts:
        raise ValueError("--tags must be a file if the text is standard input, got '-' for both")
    errors = given(options, Corpus).get("errors", "strict")
    of_documents = []
    for number, line in enumerate(read_lines(options.tags, errors, lambda n_bytes: None), 1):
        tags = [tag.strip() for tag in line.split("\t")]
        if not all(tags):
            what = "an empty line" if not line.strip() else f"an empty tag in {line!r}"
            raise ValueError(
                f"{options.tags}, line {number:,}: must be the tags of a document, at least one, with a tab "
                f"between two, got {what}"
            )
        of_documents.append(tags)
    if format != "fvec":
        try:
            check_separable([*chain.from_iterable(of_documents)])
        except ValueError as error:
            raise ValueError(f"--tags: {error}") from None
    return of_documents


def _infer(options: argparse.Namespace) -> int:
    check_files([options.model, options.text], {})
    model = load_model(options.model)
    if not isinstance(model, DocVectors):
        raise ValueError(f"{options.model} holds a {type(model).__name__}, but this command needs DocVectors")
    model.set_params(progress=False, **given(options, DocVectors)).check_params()
    n = n_zeros = 0
    for documents in _documents(options, model):
        vectors = model._infer(documents)
        n, n_zeros = n + len(vectors), n_zeros + number_of_zeros(vectors)
        for words, vector in zip(documents, vectors, strict=True):
            line = numbers(vector)
            if options.json:
                line = json_line({"words": words, "vector": vector.tolist()})
            print(line)
        sys.stdout.flush()
    warn_of_zeros(n_zeros, n)
    return 0


def _documents(options: argparse.Namespace, model: DocVectors) -> Iterator[Any]:
    """Yield documents read as those of the training, as many together as there are."""
    text = (model.vectors_.metadata.get("corpora") or [{}])[0]
    how = {name: text[name] for name in OF_WORDS if name in text} | given(options, Corpus)
    if options.text != STANDARD_INPUT or how.keys() & {"column", "kmers"}:
        yield Corpus(options.text, **how, keep_empty=True, progress=not options.quiet)
        return
    for lines in lines_as_they_come("document: ", how.get("errors", "strict")):
        yield [WORD.findall(line.lower() if how.get("lowercase") else line) for line in lines]
