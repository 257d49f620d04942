"""The models that verbs train on texts: their options, and the text with its phrases."""

from __future__ import annotations

import argparse

from fastvec._params import check_int
from fastvec.cli.files import read_texts
from fastvec.cli.options import add_parameters, flag, given, joined, make, parameters
from fastvec.corpus import Corpus
from fastvec.models.fasttext import FastText
from fastvec.models.glove import GloVe
from fastvec.models.phrases import Phrases
from fastvec.models.svd import PPMI_SVD
from fastvec.models.word2vec import CBOW, SkipGram
from fastvec.models.words import WordModel

__all__ = [
    "MODELS",
    "Model",
    "add_models",
    "add_phrases",
    "make_model",
    "models_of",
    "of_others",
    "read_corpus",
]

Model = WordModel | GloVe | PPMI_SVD
MODELS: dict[str, type[Model]] = {
    "skipgram": SkipGram,
    "cbow": CBOW,
    "fasttext": FastText,
    "glove": GloVe,
    "svd": PPMI_SVD,
}


def add_models(parser: argparse.ArgumentParser) -> None:
    """Add the choice of a model, and the options of all of them."""
    parser.add_argument_group("model").add_argument(
        "--model",
        choices=MODELS,
        default="skipgram",
        help="model to train, whose options follow (default: %(default)s)",
    )
    add_parameters(parser, MODELS, aliases={"vector_size": "-d"})


def add_phrases(parser: argparse.ArgumentParser) -> None:
    """Add the option that joins phrases before the training."""
    parser.add_argument(
        "--phrases",
        type=int,
        metavar="N",
        help="join phrases first: of two words with 1, of up to four with 2, ... (default: none)",
    )


def make_model(options: argparse.Namespace) -> Model:
    """Return the model that options ask for, after validating them.

    Raises
    ------
    TypeError, ValueError
        If a parameter is invalid, or one of other models.
    """
    for other in MODELS.values():
        for parameter in parameters(other):
            owners = [name for name, estimator in MODELS.items() if parameter in parameters(estimator)]
            if parameter in given(options, other) and options.model not in owners:
                raise of_others(flag(other, parameter), owners, options.model)
    model: Model = make(options, MODELS[options.model])
    if options.phrases is not None:
        check_int("--phrases", options.phrases, 1)
    return model


def read_corpus(options: argparse.Namespace) -> Corpus:
    """Read the text files, and join their phrases if that is asked for."""
    corpus = read_texts(options)
    if options.phrases is None:
        return corpus
    limit = {name: value for name, value in given(options, Corpus).items() if name == "memory_limit"}
    return Phrases(passes=options.phrases, **limit, progress=not options.quiet).fit_transform(corpus)


def models_of(base: type | tuple[type, ...]) -> list[str]:
    """Return the names of the models that are of a class."""
    return [name for name, estimator in MODELS.items() if issubclass(estimator, base)]


def of_others(option: str, owners: list[str], name: str) -> ValueError:
    """Return the error for an option of other models."""
    return ValueError(f"{option} is an option of {joined(owners)}, not of --model {name}")
