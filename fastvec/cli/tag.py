"""The command ``fastvec tag``: tags of words, read from and written to files in columns."""

from __future__ import annotations

import argparse
from typing import Any

from fastvec.cli.files import check_extension, check_files
from fastvec.cli.labels import add_file, add_model, load_classifier, print_scores, told
from fastvec.cli.options import NETWORK, Option, add_options, given
from fastvec.cli.streams import add_quiet, say
from fastvec.cli.vectors import add_reading, load_vectors
from fastvec.corpus.writing import STANDARD_OUTPUT, write_blocks
from fastvec.training import signals

__all__ = ["TAGGING", "add_verbs"]

# The parameters that are options; the defaults are those of WindowClassifier.
TAGGING = {
    "window": Option(2, "number of words to either side", int),
    "hidden": Option(200, "sizes of the hidden layers", int, several=True),
    "activation": Option("relu", "activation function", choices=("sigmoid", "tanh", "relu")),
    "features": Option((), "additional features of words", choices=("case", "suffix"), several=True),
    "train_vectors": Option(False, "train the word vectors", bool),
    "vectors_l2": Option(0.0, "strength of the penalty on how far word vectors move", float),
    "vector_size": Option(100, "number of dimensions, without --vectors", int),
    "min_count": Option(2, "how often a word without a vector must occur to get one", int),
    **NETWORK,
    "batch_size": Option(64, "number of words per step", int),
    "epochs": Option(6, "number of passes over the sentences", int),
    "seed": Option(0, "random seed", int),
}


def add_verbs(verbs: Any) -> None:
    """Add ``tag`` with its verbs."""
    tag = verbs.add_parser("tag", help="tag words: parts of speech, names")
    tag.set_defaults(needs="fastvec.classify")
    steps = tag.add_subparsers(metavar="VERB", required=True)

    train = steps.add_parser("train", help="train on a file of tagged words")
    train.set_defaults(run=_train)
    add_file(train, "one word per line, its tag in a further column, empty lines between sentences")
    train.add_argument("-o", "--output", required=True, metavar="FILE", help="output file: .fvmodel")
    train.add_argument("--vectors", metavar="FILE", help="initial word vectors (default: random)")
    add_reading(train, errors=False)
    _add_column(train)
    add_quiet(train)
    add_options(train, TAGGING)

    predict = steps.add_parser("predict", help="write a file with one more column, of predicted tags")
    predict.set_defaults(run=_predict)
    add_model(predict)
    add_file(predict, "one word per line, empty lines between sentences; further columns are kept")
    predict.add_argument(
        "-o",
        "--output",
        default=STANDARD_OUTPUT,
        metavar="FILE",
        help="output file (default: standard output)",
    )

    evaluate = steps.add_parser("evaluate", help="evaluate on a file of tagged words")
    evaluate.set_defaults(run=_evaluate)
    add_model(evaluate)
    add_file(evaluate, "one word per line, its tag in a further column, empty lines between sentences")
    _add_column(evaluate)


def _train(options: argparse.Namespace) -> int:
    from fastvec.classify import WindowClassifier, read_conll

    check_files([options.file, options.vectors], {"--output": options.output})
    check_extension(options.output, ".fvmodel")
    parameters: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given(options, TAGGING).items()
    }
    tagger = WindowClassifier(**parameters, progress=not options.quiet)
    tagger.check_params()
    sentences, tags = read_conll(options.file, options.column, errors=options.errors)
    if options.vectors is not None:
        tagger.set_params(vectors=load_vectors(options))
    with signals.hold_after_training() as held:
        tagger.fit(sentences, tags)
        tagger.save(options.output)
    if not options.quiet:
        say(
            f"{len(tagger.classes_):,} tags; trained on {sum(map(len, sentences)):,} words in "
            f"{sum(epoch.seconds for epoch in tagger.history_):,.1f} s, {told(tagger.history_[-1])}; "
            f"saved in {options.output}"
        )
    return held.status


def _predict(options: argparse.Namespace) -> int:
    from fastvec.classify.labelled_files import read_columns

    check_files([options.file, options.model], {"--output": options.output}, text="--output")
    tagger = load_classifier(options.model, "WindowClassifier")
    file = read_columns(options.file, options.errors)
    tags = tagger.predict(file.words())
    write_blocks(
        (_text_of(sentence, of_words) for sentence, of_words in zip(file.rows, tags, strict=True)),
        options.output,
    )
    return 0


def _text_of(sentence: list[list[str]], tags: Any) -> bytes:
    lines = [f"{' '.join(columns)} {tag}\n" for columns, tag in zip(sentence, tags, strict=True)]
    return "".join([*lines, "\n"]).encode()


def _evaluate(options: argparse.Namespace) -> int:
    from fastvec.classify import read_conll

    tagger = load_classifier(options.model, "WindowClassifier")
    sentences, tags = read_conll(options.file, options.column, errors=options.errors)
    found = [str(label) for labels in tagger.predict(sentences) for label in labels]
    print_scores([label for labels in tags for label in labels], found, "words")
    return 0


def _add_column(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--column",
        type=int,
        default=-1,
        metavar="N",
        help="column of the tags, counted from 1 (default: the last)",
    )
