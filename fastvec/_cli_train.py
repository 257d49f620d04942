"""The parameters of an estimator as options of ``fastvec train``, and what it tells after the training."""

from __future__ import annotations

import argparse
from typing import Any

from fastvec._training import Epoch
from fastvec.models._word_model import WordModel
from fastvec.models.fasttext import FastText
from fastvec.models.word2vec import CBOW, LOSSES, SkipGram

__all__ = ["add_options", "make_model", "summary"]

MODELS: dict[str, type[WordModel]] = {"skipgram": SkipGram, "cbow": CBOW, "fasttext": FastText}

# The parameters that are options, their types, and their help; the defaults are the estimators'.
TRAINING: dict[str, tuple[Any, str]] = {
    "loss": (str, "how a word is told from all others; softmax is slow and for small vocabularies"),
    "vector_size": (int, "dimensions of a vector, 1 to 4096"),
    "window": (int, "words to either side that a window reaches at most"),
    "negatives": (int, "noise words for every word of the text"),
    "negative_sharing": (
        str,
        "window: the contexts of a word share its noise words; none: slower, as word2vec.c",
    ),
    "scale_gradient": (bool, "divide the gradient of a mean as the mean is, or not, as word2vec.c"),
    "position_weights": (bool, "learn weights of the positions in a window"),
    "fasttext_model": (str, "whether a word predicts its contexts, or they predict the word"),
    "min_n": (int, "fewest characters of an n-gram"),
    "max_n": (int, "most characters of an n-gram; 0 for words without"),
    "buckets": (int, "rows that the n-grams share"),
    "min_count": (int, "leave out words that occur less often"),
    "max_vocab": (int, "keep so many words at most, the most frequent (default: all)"),
    "subsample": (float, "drop words of a relative frequency above this at random; 0 keeps all"),
    "noise_exponent": (float, "draw noise words in proportion to their count to this power"),
    "learning_rate": (float, "step size at the start; other losses have other defaults"),
    "min_learning_rate": (float, "step size at the end"),
    "epochs": (int, "passes over the text"),
    "threads": (int, "threads; with 1 the same seed gives the same vectors (default: all processors)"),
    "seed": (int, "seed of everything random"),
}
CHOICES = {
    "loss": LOSSES,
    "negative_sharing": ("window", "none"),
    "fasttext_model": ("skipgram", "cbow"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--model`` and the parameters of all models to a parser."""
    training = parser.add_argument_group("training")
    training.add_argument(
        "--model", choices=MODELS, default="skipgram", help="what is trained (default: %(default)s)"
    )
    for name, (of_type, what) in TRAINING.items():
        arguments: dict[str, Any] = {"help": _help(name, what), "default": argparse.SUPPRESS}
        if of_type is bool:
            arguments["action"] = argparse.BooleanOptionalAction
        elif name in CHOICES:
            arguments["choices"] = CHOICES[name]
        else:
            arguments |= {"type": of_type, "metavar": {int: "N", float: "X"}[of_type]}
        training.add_argument(_flag(name), **arguments)


def make_model(options: argparse.Namespace) -> WordModel:
    """Return the estimator that the options ask for, its parameters checked.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not what it must be, or one that the model does not have.
    """
    given = {name: getattr(options, name) for name in TRAINING if hasattr(options, name)}
    for name in given:
        if options.model not in _models_with(name):
            models = " and ".join(_models_with(name))
            raise ValueError(f"{_flag(name)} is an option of {models}, not of --model {options.model}")
    parameters = {_parameter(name): value for name, value in given.items()}
    model = MODELS[options.model](**parameters, progress=True)
    model.check_params()
    return model


def summary(history: list[Epoch]) -> str:
    """Return how much a model was trained on, how fast, and what its loss came to."""
    seconds, loss = sum(epoch.seconds for epoch in history), history[-1].loss
    if history[-1].words_per_second is None:
        unit, told = "entries", f"cost {loss:.4f} per entry"
        amount = sum(float(epoch.pairs) for epoch in history)
    else:
        unit, told = "words", f"loss {loss:.4f}"
        amount = sum(epoch.seconds * (epoch.words_per_second or 0) for epoch in history)
    return f"trained on {amount:,.0f} {unit} in {seconds:,.1f} s ({amount / seconds:,.0f} {unit}/s), {told}"


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _parameter(name: str) -> str:
    """Return the name that an option has in Python: ``--model`` is the estimator here."""
    return "model" if name == "fasttext_model" else name


def _models_with(name: str) -> list[str]:
    return [model for model, estimator in MODELS.items() if _parameter(name) in estimator().get_params()]


def _help(name: str, what: str) -> str:
    """Return the help of an option with the models that have it, if not all, and their defaults."""
    models = _models_with(name)
    defaults = {model: _default(model, name) for model in models}
    usual = defaults[models[0]]
    others = "".join(f", {model} {value}" for model, value in defaults.items() if value != usual)
    only = "" if len(models) == len(MODELS) else f"{' and '.join(models)} only: "
    return f"{only}{what}" if usual is None else f"{only}{what} (default: {usual}{others})"


def _default(model: str, name: str) -> Any:
    estimator = MODELS[model]()
    if name == "learning_rate":
        return estimator.first_learning_rate()
    value = getattr(estimator, _parameter(name))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
