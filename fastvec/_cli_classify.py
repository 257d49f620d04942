"""The command ``fastvec classify``: labels of texts, one a line, as fastText has them."""

from __future__ import annotations

import argparse
from typing import Any

from fastvec._cli_files import check_extension, check_folder
from fastvec._cli_labels import INTERRUPTED, add_file, add_model, load_classifier, print_scores, told
from fastvec._cli_options import EARLY_STOPPING, Option, add_options, given
from fastvec._params import check_int
from fastvec._writing import STANDARD_OUTPUT, write_blocks
from fastvec.subword_vectors import load

__all__ = ["CLASSIFYING", "add_verbs"]

# The parameters that are options; the defaults are those of TextClassifier.
CLASSIFYING = {
    "word_ngrams": Option(1, "the longest n-grams of words, 1 for words alone", int),
    "buckets": Option(2_000_000, "rows for n-grams at most", int),
    "vector_size": Option(100, "dimensions, without --vectors", int),
    "min_count": Option(1, "how often a word must occur to be looked at", int),
    "learning_rate": Option(0.25, "step size at the start", float),
    "min_learning_rate": Option(0.0, "step size at the end", float),
    "epochs": Option(5, "passes over the texts", int),
    **EARLY_STOPPING,
    "threads": Option(1, "threads; with more than one, two trainings differ a little", int),
    "seed": Option(0, "seed of everything random", int),
}
LINES = "a text a line"
LABELLED = f"{LINES}, with its label, __label__..., at the start"


def add_verbs(verbs: Any) -> None:
    """Add ``classify`` with its verbs."""
    classify = verbs.add_parser("classify", help="learn labels of texts, and label them")
    steps = classify.add_subparsers(metavar="VERB", required=True)

    train = steps.add_parser("train", help="learn from a file of labelled lines")
    train.set_defaults(run=_train)
    add_file(train, LABELLED)
    train.add_argument("-o", "--output", required=True, metavar="FILE", help="where to save: .fvmodel")
    train.add_argument("--vectors", metavar="FILE", help="vectors to start from (default: random ones)")
    add_options(train, CLASSIFYING)

    predict = steps.add_parser("predict", help="write a label for every line; an empty line stays one")
    predict.set_defaults(run=_predict)
    add_model(predict)
    add_file(predict, f"{LINES}; labels in it are not looked at")
    predict.add_argument(
        "-k", type=int, default=1, metavar="N", help="the N most probable labels (default: %(default)s)"
    )
    predict.add_argument("--probabilities", action="store_true", help="each with its probability")
    predict.add_argument(
        "-o", "--output", default=STANDARD_OUTPUT, metavar="FILE", help="(default: standard output)"
    )

    evaluate = steps.add_parser("evaluate", help="compare with the labels in a file")
    evaluate.set_defaults(run=_evaluate)
    add_model(evaluate)
    add_file(evaluate, LABELLED)


def _train(options: argparse.Namespace) -> int:
    from fastvec.classify import TextClassifier, read_labelled_lines

    check_extension(options.output, ".fvmodel")
    classifier = TextClassifier(**given(options, CLASSIFYING), progress=True)
    classifier.check_params()
    documents, labels = read_labelled_lines(options.file, errors=options.errors)
    if options.vectors is not None:
        classifier.set_params(vectors=load(options.vectors))
    classifier.fit(documents, labels)
    classifier.save(options.output)
    n_words = sum(map(len, documents)) * len(classifier.history_)
    seconds = sum(epoch.seconds for epoch in classifier.history_)
    print(
        f"{len(classifier.classes_):,} labels; trained on {n_words:,} words in {seconds:,.1f} s "
        f"({n_words / seconds:,.0f} words/s), {told(classifier.history_[-1])}; saved in {options.output}"
    )
    return INTERRUPTED if classifier.interrupted_ else 0


def _predict(options: argparse.Namespace) -> int:
    from fastvec.classify._labelled_files import LABEL, read_lines_of

    check_int("-k", options.k, 1)
    classifier = load_classifier(options.model, "TextClassifier")
    if options.output != STANDARD_OUTPUT:
        check_folder(options.output)
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
