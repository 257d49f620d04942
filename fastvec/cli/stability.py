"""``fastvec stability``: how sure the neighbors of words are."""

from __future__ import annotations

import argparse

from fastvec._params import check_int
from fastvec.cli.config import add_config
from fastvec.cli.files import add_texts, check_files
from fastvec.cli.models import Model, add_models, add_phrases, make_model, read_corpus
from fastvec.cli.options import add_parameters, given
from fastvec.cli.results import add_json, print_json
from fastvec.cli.streams import add_quiet
from fastvec.corpus import Corpus
from fastvec.corpus.selection import select
from fastvec.models.stability import Stability
from fastvec.vectors import UnknownWordError

__all__ = ["add_stability"]

# The parameters of `Stability` that are options; `threads` and `seed` are among those of models.
OPTIONS = ["runs", "level"]


def add_stability(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec stability``."""
    parser.set_defaults(run=_run)
    add_texts(parser)
    what = "words whose neighbors are printed"
    parser.add_argument("--words", nargs="+", required=True, metavar="WORD", help=what)
    what = "number of neighbors of each word (default: %(default)s)"
    parser.add_argument("-n", type=int, default=10, metavar="N", help=what)
    add_phrases(parser)
    add_config(parser)
    add_quiet(parser)
    add_json(parser)
    add_parameters(parser, {"trainings": Stability}, OPTIONS)
    add_models(parser)


def _run(options: argparse.Namespace) -> int:
    topn = check_int("-n", options.n, 1)
    check_files(options.texts, {"--cache": given(options, Corpus).get("cache")})
    model = make_model(options)
    settings = {
        name: value
        for name, value in given(options, Stability).items()
        if name in (*OPTIONS, "threads", "seed")
    }
    stability = Stability(model, **settings, progress=not options.quiet)
    stability.check_params()
    corpus = read_corpus(options)
    _check_words(options.words, model, corpus)
    stability.fit(corpus)
    for number, word in enumerate(options.words):
        neighbors = stability.most_similar(word, topn=topn)
        if options.json:
            print_json({"word": word, "neighbors": [row._asdict() for row in neighbors]})
        else:
            gap = "\n" if number else ""
            print(f"{gap}{word}:\n{neighbors}" if len(options.words) > 1 else neighbors)
    return 0


def _check_words(words: list[str], model: Model, corpus: Corpus) -> None:
    """Raise before the training if it will have no vector of a word."""
    vocabulary = select(corpus.vocabulary, model.min_count, model.max_vocab, model.keep, model.drop)
    for word in words:
        if word not in vocabulary:
            raise UnknownWordError(word, vocabulary.words)
