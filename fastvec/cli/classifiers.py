"""The verbs that label: ``classify`` for texts, ``tag`` for words.

A file for ``classify`` has one text per line, in fastText's format; one for ``tag`` has words in columns.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from fastvec import classify
from fastvec._params import check_int
from fastvec.classify import TextClassifier, WindowClassifier, read_conll, read_labelled_lines
from fastvec.classify.labelled_files import LABEL, read_columns, read_lines_of
from fastvec.classify.networks.files import provenance
from fastvec.cli.config import add_config
from fastvec.cli.files import add_output, add_reading, check_extension, check_files
from fastvec.cli.options import add_parameters, given, make, parameters
from fastvec.cli.results import add_json, json_line
from fastvec.cli.streams import add_quiet, say
from fastvec.corpus.reading import STANDARD_INPUT
from fastvec.corpus.writing import STANDARD_OUTPUT, write_blocks
from fastvec.training import signals
from fastvec.vectors import load

__all__ = ["add_classify", "add_tag"]

# Bytes of a file that are hashed at a time.
BLOCK_BYTES = 1 << 20

# What reads examples and their labels from a file.
Read = Callable[..., tuple[Any, Any]]


def add_classify(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of ``fastvec classify``."""
    verbs = parser.add_subparsers(metavar="VERB", title="verbs")
    labelled = "one text per line, starting with its label, __label__..."
    _add_train(verbs, "labelled lines", labelled, read_labelled_lines, TextClassifier)
    predict = verbs.add_parser("predict", help="write the label of every line; empty lines stay empty")
    _add_predict(predict, "one text per line; labels are ignored", _predict_texts)
    predict.add_argument(
        "-k", type=int, default=1, metavar="N", help="write the N most probable labels (default: %(default)s)"
    )
    predict.add_argument("--probabilities", action="store_true", help="write the probability of each label")
    _add_evaluate(verbs, "labelled lines", labelled, read_labelled_lines, TextClassifier)


def add_tag(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of ``fastvec tag``."""
    verbs = parser.add_subparsers(metavar="VERB", title="verbs")
    tagged = "one word per line, its tag in a further column, empty lines between sentences"
    _add_train(verbs, "tagged words", tagged, read_conll, WindowClassifier)
    predict = verbs.add_parser("predict", help="write a file with one more column, of predicted tags")
    words = "one word per line, empty lines between sentences; further columns are kept"
    _add_predict(predict, words, _predict_words)
    _add_evaluate(verbs, "tagged words", tagged, read_conll, WindowClassifier)


def _add_train(verbs: Any, what: str, lines: str, read: Read, estimator: Any) -> None:
    train = verbs.add_parser("train", help=f"train on a file of {what}")
    train.set_defaults(run=_train, read=read, estimator=estimator)
    _add_file(train, lines, read)
    add_output(train, ": .fvmodel")
    train.add_argument("--vectors", metavar="FILE", help="initial word vectors (default: random)")
    add_reading(train, errors=False)
    add_config(train)
    add_quiet(train)
    add_json(train, "print the summary as JSON")
    add_parameters(train, {"training": estimator})


def _add_predict(predict: argparse.ArgumentParser, lines: str, run: Callable[..., int]) -> None:
    predict.set_defaults(run=run)
    _add_model(predict)
    _add_file(predict, lines, read_labelled_lines)
    add_output(predict, " (default: standard output)", STANDARD_OUTPUT)


def _add_evaluate(verbs: Any, what: str, lines: str, read: Read, estimator: Any) -> None:
    evaluate = verbs.add_parser("evaluate", help=f"evaluate on a file of {what}")
    evaluate.set_defaults(run=_evaluate, read=read, estimator=estimator)
    _add_model(evaluate)
    _add_file(evaluate, lines, read)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="trained model: .fvmodel")


def _add_file(parser: argparse.ArgumentParser, lines: str, read: Read) -> None:
    parser.add_argument("file", metavar="FILE", help=f"{lines}; plain or compressed, - is standard input")
    add_parameters(parser, {"file": read}, [name for name in parameters(read) if name != "path"])


def _train(options: argparse.Namespace) -> int:
    check_files([options.file, options.vectors], {"--output": options.output})
    check_extension(options.output, ".fvmodel")
    model = make(options, options.estimator)
    examples, labels = options.read(options.file, **given(options, options.read))
    if options.vectors is not None:
        model.set_params(vectors=load(options.vectors, **given(options, load)))
    with signals.hold_after_training() as held:
        model.fit(examples, labels)
        corpus = _provenance(options.file, examples)
        model._provenance = {**provenance(model.get_params(deep=False)), "corpora": [corpus]}
        model.save(options.output)
    if options.json:
        history = [asdict(epoch) for epoch in model.history_]
        document = {"output": options.output, "labels": len(model.classes_), **corpus, "history": history}
        say(json_line(document))
    elif not options.quiet:
        say(f"{_summary(model, sum(map(len, examples)))}; saved in {options.output}")
    return held.status


def _provenance(path: str, examples: Any) -> dict[str, Any]:
    """Return what the file of a classifier says of its examples; a stream has no name and no hash."""
    about = {"examples": len(examples), "words": sum(map(len, examples))}
    if path == STANDARD_INPUT or not Path(path).is_file():
        return about
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return {"files": [Path(path).name], **about, "sha256": digest.hexdigest()}


def _summary(model: Any, n_words: int) -> str:
    seconds, last = sum(epoch.seconds for epoch in model.history_), model.history_[-1]
    what, speed = "tags", ""
    if isinstance(model, TextClassifier):
        n_words *= len(model.history_)
        what, speed = "labels", f" ({n_words / seconds:,.0f} words/s)"
    score = last.validation_score
    accuracy = "" if score is None else f", validation accuracy {score:.2%}"
    return (
        f"{len(model.classes_):,} {what}; trained on {n_words:,} words in {seconds:,.1f} s{speed}, "
        f"loss {last.loss:.4f}{accuracy}"
    )


def _predict_texts(options: argparse.Namespace) -> int:
    check_int("-k", options.k, 1)
    check_files([options.file, options.model], {"--output": options.output}, text="--output")
    classifier = _load(options, TextClassifier)
    documents = [words for _, words, _ in read_lines_of(options.file, **given(options, read_lines_of))]
    lines = [""] * len(documents)
    some = [i for i, words in enumerate(documents) if words]
    if some:
        probabilities = classifier.predict_proba([documents[i] for i in some])
        for i, of_labels in zip(some, probabilities, strict=True):
            best = (-of_labels).argsort(kind="stable")[: options.k]
            lines[i] = " ".join(
                f"{LABEL}{classifier.classes_[label]}"
                + (f" {of_labels[label]:.6g}" if options.probabilities else "")
                for label in best
            )
    write_blocks((f"{line}\n".encode() for line in lines), options.output)
    return 0


def _predict_words(options: argparse.Namespace) -> int:
    check_files([options.file, options.model], {"--output": options.output}, text="--output")
    tagger = _load(options, WindowClassifier)
    file = read_columns(options.file, **given(options, read_columns))
    tagged = zip(file.rows, tagger.predict(file.words()), strict=True)
    write_blocks((_text_of(sentence, tags) for sentence, tags in tagged), options.output)
    return 0


def _text_of(sentence: list[list[str]], tags: Any) -> bytes:
    lines = [f"{' '.join(columns)} {tag}\n" for columns, tag in zip(sentence, tags, strict=True)]
    return "".join([*lines, "\n"]).encode()


def _evaluate(options: argparse.Namespace) -> int:
    model = _load(options, options.estimator)
    examples, labels = options.read(options.file, **given(options, options.read))
    found, what = model.predict(examples), "texts"
    if isinstance(model, WindowClassifier):
        labels, found, what = chain.from_iterable(labels), chain.from_iterable(found), "words"
    _print_scores([*labels], [*map(str, found)], what)
    return 0


def _print_scores(labels: list[str], found: list[str], what: str) -> None:
    """Print accuracy, and precision, recall and F1 of every label, the most frequent first."""
    from sklearn.metrics import precision_recall_fscore_support  # not before fastvec.classify asks for it

    names = [name for name, _ in sorted(Counter(labels).items(), key=lambda item: (-item[1], item[0]))]
    right = sum(a == b for a, b in zip(labels, found, strict=True))
    print(f"accuracy {right / len(labels):.4f} of {len(labels):,} {what}")
    columns = precision_recall_fscore_support(labels, found, labels=names, zero_division=0)
    width = max(len("label"), *map(len, names))
    print(f"{'label':{width}}  precision  recall     F1   count")
    for name, precision, recall, f1, count in zip(names, *columns, strict=True):
        print(f"{name:{width}}  {precision:9.3f}  {recall:6.3f}  {f1:5.3f}  {count:6,}")


def _load(options: argparse.Namespace, estimator: type) -> Any:
    model = classify.load(options.model)
    if type(model) is not estimator:
        found, needed = type(model).__name__, estimator.__name__
        raise ValueError(f"{options.model} holds a {found}, but this command needs a {needed}")
    return model
