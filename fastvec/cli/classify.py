"""The command ``fastvec classify``: labels of texts, one text per line, in fastText's format."""

from __future__ import annotations

import argparse
from typing import Any

from fastvec._params import check_int
from fastvec.cli.files import check_extension, check_files
from fastvec.cli.labels import add_file, add_model, load_classifier, print_scores, told
from fastvec.cli.options import EARLY_STOPPING, Option, add_options, given
from fastvec.cli.streams import add_quiet, say
from fastvec.cli.vectors import add_reading, load_vectors
from fastvec.corpus.writing import STANDARD_OUTPUT, write_blocks
from fastvec.training import signals

__all__ = ["CLASSIFYING", "add_verbs"]

# The parameters that are options; the defaults are those of TextClassifier.
CLASSIFYING = {
    "word_ngrams": Option(1, "largest number of words in an n-gram, 1 for single words only", int),
    "buckets": Option(2_000_000, "largest number of rows for n-grams", int),
    "vector_size": Option(100, "number of dimensions, without --vectors", int),
    "min_count": Option(1, "ignore words that occur less often", int),
    "learning_rate": Option(0.25, "initial step size", float),
    "min_learning_rate": Option(0.0, "final step size", float),
    "epochs": Option(5, "number of passes over the texts", int),
    **EARLY_STOPPING,
    "threads": Option(
        None,
        "number of threads; with more than one, results differ slightly from run to run "
        "(default: all processors)",
        int,
    ),
    "seed": Option(0, "random seed", int),
}
LINES = "one text per line"
LABELLED = f"{LINES}, starting with its label, __label__..."


def add_verbs(verbs: Any) -> None:
    """Add ``classify`` with its verbs."""
    classify = verbs.add_parser("classify", help="classify texts")
    classify.set_defaults(needs="fastvec.classify")
    steps = classify.add_subparsers(metavar="VERB", required=True)

    train = steps.add_parser("train", help="train on a file of labelled lines")
    train.set_defaults(run=_train)
    add_file(train, LABELLED)
    train.add_argument("-o", "--output", required=True, metavar="FILE", help="output file: .fvmodel")
    train.add_argument("--vectors", metavar="FILE", help="initial word vectors (default: random)")
    add_reading(train, errors=False)
    add_quiet(train)
    add_options(train, CLASSIFYING)

    predict = steps.add_parser("predict", help="write the label of every line; empty lines stay empty")
    predict.set_defaults(run=_predict)
    add_model(predict)
    add_file(predict, f"{LINES}; labels are ignored")
    predict.add_argument(
        "-k", type=int, default=1, metavar="N", help="write the N most probable labels (default: %(default)s)"
    )
    predict.add_argument("--probabilities", action="store_true", help="write the probability of each label")
    predict.add_argument(
        "-o",
        "--output",
        default=STANDARD_OUTPUT,
        metavar="FILE",
        help="output file (default: standard output)",
    )

    evaluate = steps.add_parser("evaluate", help="evaluate on a file of labelled lines")
    evaluate.set_defaults(run=_evaluate)
    add_model(evaluate)
    add_file(evaluate, LABELLED)


def _train(options: argparse.Namespace) -> int:
    from fastvec.classify import TextClassifier, read_labelled_lines

    check_files([options.file, options.vectors], {"--output": options.output})
    check_extension(options.output, ".fvmodel")
    classifier = TextClassifier(**given(options, CLASSIFYING), progress=not options.quiet)
    classifier.check_params()
    documents, labels = read_labelled_lines(options.file, errors=options.errors)
    if options.vectors is not None:
        classifier.set_params(vectors=load_vectors(options))
    with signals.hold_after_training() as held:
        classifier.fit(documents, labels)
        classifier.save(options.output)
    n_words = sum(map(len, documents)) * len(classifier.history_)
    seconds = sum(epoch.seconds for epoch in classifier.history_)
    if not options.quiet:
        say(
            f"{len(classifier.classes_):,} labels; trained on {n_words:,} words in {seconds:,.1f} s "
            f"({n_words / seconds:,.0f} words/s), {told(classifier.history_[-1])}; saved in {options.output}"
        )
    return held.status


def _predict(options: argparse.Namespace) -> int:
    from fastvec.classify.labelled_files import LABEL, read_lines_of

    check_int("-k", options.k, 1)
    check_files([options.file, options.model], {"--output": options.output}, text="--output")
    classifier = load_classifier(options.model, "TextClassifier")
    documents = [words for _, words, _ in read_lines_of(options.file, options.errors)]
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


def _evaluate(options: argparse.Namespace) -> int:
    from fastvec.classify import read_labelled_lines

    classifier = load_classifier(options.model, "TextClassifier")
    documents, labels = read_labelled_lines(options.file, errors=options.errors)
    print_scores(labels, [str(label) for label in classifier.predict(documents)], "texts")
    return 0
