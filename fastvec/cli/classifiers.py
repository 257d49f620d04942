"""The verbs that label: ``classify`` for texts, ``tag`` for words.

A file for ``classify`` has one text per line, in fastText's format; one for ``tag`` has words in columns.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastvec import classify
from fastvec._params import check_float, check_int
from fastvec.classify import (
    LabelledLines,
    TextClassifier,
    WindowClassifier,
    autotune,
    read_conll,
    read_labelled_lines,
)
from fastvec.classify.labelled_files import read_columns
from fastvec.classify.networks.files import provenance
from fastvec.classify.spans import span_scores
from fastvec.classify.texts.scores import LabelScores, TopScores, top_scores
from fastvec.cli.config import add_config
from fastvec.cli.files import add_output, add_reading, check_extension, check_files
from fastvec.cli.options import add_parameters, given, make, parameters
from fastvec.cli.parser import add_verb
from fastvec.cli.results import add_json, json_line, print_json
from fastvec.cli.streams import add_quiet, say
from fastvec.corpus.reading import STANDARD_INPUT
from fastvec.corpus.writing import STANDARD_OUTPUT, write_blocks
from fastvec.training import signals
from fastvec.vectors import load

__all__ = ["add_classify", "add_tag"]

# What a trained model is saved as.
EXTENSIONS = {TextClassifier: (".fvmodel", ".bin"), WindowClassifier: (".fvmodel",)}
# Bytes of a file that are hashed at a time.
BLOCK_BYTES = 1 << 20

# What reads examples and their labels from a file.
Read = Callable[..., tuple[Any, Any]]


def add_classify(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of ``fastvec classify``."""
    verbs = parser.add_subparsers(metavar="VERB", title="verbs")
    labelled = "one text per line with its labels, __label__..."
    _add_train(verbs, "labelled lines", labelled, read_labelled_lines, TextClassifier)
    tune = _add_train(
        verbs,
        "labelled lines",
        labelled,
        read_labelled_lines,
        TextClassifier,
        "autotune",
        "search parameters",
    )
    tune.set_defaults(fit=_autotune)
    tune.add_argument(
        "--validation", metavar="FILE", required=True, help="labelled lines on which parameters are compared"
    )
    add_parameters(tune, {"search": autotune}, ["seconds", "trials", "metric", "k"])
    predict = add_verb(verbs, "predict", "write the labels of every line; empty lines stay empty")
    _add_predict(predict, "one text per line; labels are ignored", _predict_texts)
    _add_top(predict)
    predict.add_argument("--probabilities", action="store_true", help="write the probability of each label")
    evaluate = _add_evaluate(verbs, "labelled lines", labelled, read_labelled_lines, _evaluate_texts)
    _add_top(evaluate)
    _add_quantize(verbs)


def add_tag(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of ``fastvec tag``."""
    verbs = parser.add_subparsers(metavar="VERB", title="verbs")
    tagged = "one word per line, its tag in a further column, empty lines between sentences"
    _add_train(verbs, "tagged words", tagged, read_conll, WindowClassifier)
    predict = add_verb(verbs, "predict", "write a file with one more column, of predicted tags")
    words = "one word per line, empty lines between sentences; further columns are kept"
    _add_predict(predict, words, _predict_words)
    _add_evaluate(verbs, "tagged words", tagged, read_conll, _evaluate_words)


def _add_train(
    verbs: Any, what: str, lines: str, read: Read, estimator: Any, verb: str = "train", does: str = "train"
) -> argparse.ArgumentParser:
    train = add_verb(verbs, verb, f"{does} on a file of {what}")
    train.set_defaults(run=_train, read=read, estimator=estimator, fit=_fit)
    _add_file(train, lines, read)
    add_output(train, f": {' '.join(EXTENSIONS[estimator])}")
    train.add_argument("--vectors", metavar="FILE", help="initial word vectors (default: random)")
    add_reading(train, errors=False)
    add_config(train)
    add_quiet(train)
    add_json(train, "print the summary as JSON")
    add_parameters(train, {"training": estimator})
    return train


def _add_predict(predict: argparse.ArgumentParser, lines: str, run: Callable[..., int]) -> None:
    predict.set_defaults(run=run)
    _add_model(predict)
    _add_file(predict, lines, read_labelled_lines)
    add_output(predict, " (default: standard output)", STANDARD_OUTPUT)
    add_json(predict, "write JSON, a document a line")


def _add_evaluate(
    verbs: Any, what: str, lines: str, read: Read, run: Callable[..., int]
) -> argparse.ArgumentParser:
    evaluate = add_verb(verbs, "evaluate", f"evaluate on a file of {what}")
    evaluate.set_defaults(run=run)
    _add_model(evaluate)
    _add_file(evaluate, lines, read)
    add_json(evaluate)
    return evaluate


def _add_top(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-k", type=int, default=1, metavar="N", help="the N most probable labels (default: %(default)s)"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=0.0,
        metavar="P",
        help="only labels of this probability or a higher one (default: %(default)s)",
    )


def _check_top(options: argparse.Namespace) -> None:
    check_int("-k", options.k, 1)
    check_float("--threshold", options.threshold)


def _add_quantize(verbs: Any) -> None:
    quantize = add_verb(verbs, "quantize", "make a smaller model, .ftz, which fastText reads too")
    quantize.set_defaults(run=_quantize)
    _add_model(quantize)
    add_output(quantize, ": .ftz")
    names = ["cutoff", "subvector_size", "separate_norms", "quantize_output"]
    add_parameters(quantize, {"quantization": TextClassifier.quantize}, names)
    quantize.add_argument(
        "--retrain", metavar="FILE", help="labelled lines, with which what --cutoff has kept is trained again"
    )
    add_parameters(quantize, {"labelled lines": read_labelled_lines}, ["label_prefix", "errors"])
    names = ["min_label_count", "epochs", "learning_rate", "threads", "seed"]
    add_parameters(quantize, {"training": TextClassifier}, names)
    add_quiet(quantize)
    add_json(quantize, "print the summary as JSON")


def _add_model(parser: argparse.ArgumentParser) -> None:
    what = "trained model: .fvmodel; of texts also a classifier of fastText, .bin .ftz"
    parser.add_argument("model", metavar="MODEL", help=what)


def _add_file(parser: argparse.ArgumentParser, lines: str, read: Read) -> None:
    parser.add_argument("file", metavar="FILE", help=f"{lines}; plain or compressed, - is standard input")
    add_parameters(parser, {"file": read}, [name for name in parameters(read) if name != "path"])


def _train(options: argparse.Namespace) -> int:
    inputs = [options.file, options.vectors, getattr(options, "validation", None)]
    check_files(inputs, {"--output": options.output})
    check_extension(options.output, *EXTENSIONS[options.estimator])
    model = make(options, options.estimator)
    examples: Any
    if options.estimator is TextClassifier:
        file = LabelledLines(options.file, **given(options, options.read))
        examples, n_words = (file,), None
    else:
        examples = options.read(options.file, **given(options, options.read))
        n_words = sum(map(len, examples[0]))
    if options.vectors is not None:
        model.set_params(vectors=load(options.vectors, **given(options, load)))
    with signals.hold_after_training() as held:
        model = options.fit(options, model, examples)
        corpus = _provenance(options.file, n_words or model.n_words_)
        model._provenance = {**provenance(model.get_params(deep=False)), "corpora": [corpus]}
        model.save(options.output)
    if options.json:
        history = [asdict(epoch) for epoch in model.history_]
        document = {"output": options.output, "labels": len(model.classes_), **corpus, "history": history}
        if hasattr(model, "trials_"):
            document["trials"] = [asdict(trial) for trial in model.trials_]
        say(json_line(document))
    elif not options.quiet:
        say(f"{_summary(model, n_words)}; saved in {options.output}")
    return held.status


def _fit(_: argparse.Namespace, model: Any, examples: tuple[Any, ...]) -> Any:
    return model.fit(*examples)


def _autotune(
    options: argparse.Namespace, model: TextClassifier, examples: tuple[Any, ...]
) -> TextClassifier:
    """Return the best model; parameters that are given as options stay as they are."""
    return autotune(
        model,
        *examples,
        validation=LabelledLines(options.validation, **given(options, options.read)),
        fixed=list(given(options, TextClassifier)),
        **given(options, autotune),
    )


def _provenance(path: str, n_words: int) -> dict[str, Any]:
    """Return what the file of a classifier says of its examples; a stream has no name and no hash."""
    if path == STANDARD_INPUT or not Path(path).is_file():
        return {"words": n_words}
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return {"files": [Path(path).name], "words": n_words, "sha256": digest.hexdigest()}


def _summary(model: Any, n_words: int | None) -> str:
    seconds, last = sum(epoch.seconds for epoch in model.history_), model.history_[-1]
    what, speed = "tags", ""
    if n_words is None:
        n_words = model.n_words_ * len(model.history_)
        what, speed = "labels", f" ({n_words / seconds:,.0f} words/s)"
    score = last.validation_score
    accuracy = "" if score is None else f", validation accuracy {score:.2%}"
    return (
        f"{len(model.classes_):,} {what}; trained on {n_words:,} words in {seconds:,.1f} s{speed}, "
        f"loss {last.loss:.4f}{accuracy}"
    )


def _predict_texts(options: argparse.Namespace) -> int:
    _check_top(options)
    check_files([options.file, options.model], {"--output": options.output}, text="--output")
    classifier = _load(options, TextClassifier)
    file = LabelledLines(options.file, **given(options, read_labelled_lines))
    documents, _ = file.read_any().lists()
    lines = [json_line({"labels": []}) if options.json else ""] * len(documents)
    some = [i for i, words in enumerate(documents) if words]
    if some:
        found = classifier.predict_top([documents[i] for i in some], options.k, options.threshold)
        for i, labels in zip(some, found, strict=True):
            if options.json:
                pairs = ((str(label), float(probability)) for label, probability in labels)
                of_line = [{"label": label, "probability": probability} for label, probability in pairs]
                lines[i] = json_line({"labels": of_line})
                continue
            lines[i] = " ".join(
                f"{file.label_prefix}{label}" + (f" {probability:.6g}" if options.probabilities else "")
                for label, probability in labels
            )
    write_blocks((f"{line}\n".encode() for line in lines), options.output)
    return 0


def _predict_words(options: argparse.Namespace) -> int:
    check_files([options.file, options.model], {"--output": options.output}, text="--output")
    tagger = _load(options, WindowClassifier)
    file = read_columns(options.file, **given(options, read_columns))
    words = file.words()
    found = tagger.predict(words)
    if options.json:
        sentences = zip(words, found, strict=True)
        documents = ({"words": [*of_one], "tags": [*map(str, tags)]} for of_one, tags in sentences)
        write_blocks((f"{json_line(document)}\n".encode() for document in documents), options.output)
        return 0
    tagged = zip(file.rows, found, strict=True)
    write_blocks((_text_of(sentence, tags) for sentence, tags in tagged), options.output)
    return 0


def _quantize(options: argparse.Namespace) -> int:
    check_files([options.model, options.retrain], {"--output": options.output})
    check_extension(options.output, ".ftz")
    how = given(options, TextClassifier.quantize)
    if options.retrain is not None and "cutoff" not in how:
        raise ValueError("--retrain needs --cutoff: only what is left of a table is trained again")
    model = _load(options, TextClassifier).set_params(**given(options, TextClassifier))
    lines = options.retrain
    if lines is not None:
        lines = LabelledLines(lines, **given(options, read_labelled_lines))
    model.quantize(lines, **how).save(options.output)
    size, before = (Path(path).stat().st_size for path in (options.output, options.model))
    if options.json:
        say(json_line({"output": options.output, "bytes": size, "bytes_of_model": before}))
    elif not options.quiet:
        say(f"{options.output}: {size:,} bytes, of {before:,} in {options.model}")
    return 0


def _text_of(sentence: list[list[str]], tags: Any) -> bytes:
    lines = [f"{' '.join(columns)} {tag}\n" for columns, tag in zip(sentence, tags, strict=True)]
    return "".join([*lines, "\n"]).encode()


def _evaluate_texts(options: argparse.Namespace) -> int:
    _check_top(options)
    model = _load(options, TextClassifier)
    scores = model.score_top(
        LabelledLines(options.file, **given(options, read_labelled_lines)), None, options.k, options.threshold
    )
    texts = f"of {scores.n_examples:,} texts"
    is_accuracy = options.k == 1 and options.threshold <= 0 and scores.n == scores.n_examples
    if options.json:
        accuracy = {"accuracy": scores.precision} if is_accuracy else {}
        print_json({"texts": scores.n_examples, **accuracy, **_document(scores)})
        return 0
    if is_accuracy:
        print(f"accuracy {scores.precision:.4f} {texts}")
    else:
        print(
            f"precision {scores.precision:.4f}, recall {scores.recall:.4f}, F1 {scores.f1:.4f} {texts} with "
            f"{scores.n:,} labels"
        )
    _print_scores("label", scores.by_label)
    return 0


def _evaluate_words(options: argparse.Namespace) -> int:
    model = _load(options, WindowClassifier)
    examples, labels = read_conll(options.file, **given(options, read_conll))
    found = [[*map(str, tags)] for tags in model.predict(examples)]
    n = sum(map(len, labels))
    right = sum(a == b for pair in zip(labels, found, strict=True) for a, b in zip(*pair, strict=True))
    words = [[[tag] for tags in sentences for tag in tags] for sentences in (labels, found)]
    of_words, spans = top_scores(words[0], words[1]), span_scores(labels, found)
    if options.json:
        of_spans = _document(spans) if spans else None
        print_json({"words": n, "accuracy": right / n, **_document(of_words), "spans": of_spans})
        return 0
    print(f"accuracy {right / n:.4f} of {n:,} words")
    _print_scores("label", of_words.by_label)
    if spans:
        print(
            f"spans: precision {spans.precision:.4f}, recall {spans.recall:.4f}, F1 {spans.f1:.4f} of "
            f"{spans.n:,}"
        )
        _print_scores("span", spans.by_label)
    return 0


def _print_scores(what: str, by_label: Mapping[Any, LabelScores]) -> None:
    """Print precision, recall and F1 of every label, the most frequent first."""
    shown = {str(name): _numbers(scores).values() for name, scores in by_label.items() if scores.n}
    width = max(len(what), *map(len, shown))
    print(f"{what:{width}}  precision  recall     F1   count")
    for name, numbers in shown.items():
        print("{:{}}  {:9.3f}  {:6.3f}  {:5.3f}  {:6,}".format(name, width, *numbers))


def _numbers(scores: LabelScores) -> dict[str, float]:
    precision = scores.precision if scores.n_predicted else 0.0
    return {"precision": precision, "recall": scores.recall, "f1": scores.f1, "count": scores.n}


def _document(scores: TopScores) -> dict[str, Any]:
    """Return scores as JSON has them: of all labels together, and of every one that an example has."""
    by_label = [
        {"label": str(name), **_numbers(of_label)} for name, of_label in scores.by_label.items() if of_label.n
    ]
    return {**_numbers(scores), "by_label": by_label}


def _load(options: argparse.Namespace, estimator: type) -> Any:
    model = classify.load(options.model)
    if type(model) is not estimator:
        found, needed = type(model).__name__, estimator.__name__
        raise ValueError(f"{options.model} holds a {found}, but this command needs a {needed}")
    return model
