"""The options of ``fastvec train`` that are parameters of an estimator, the estimator, and its summary."""

from __future__ import annotations

import argparse
from typing import Any

from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.counts.files import holds_counts
from fastvec.counts.units import WEIGHTINGS
from fastvec.models.association import MATRICES
from fastvec.models.base import COUNTED, CountModel, EpochModel
from fastvec.models.fasttext import FastText
from fastvec.models.glove import COMBINATIONS, GloVe
from fastvec.models.losses import losses_of
from fastvec.models.svd import PPMI_SVD
from fastvec.models.word2vec import CBOW, SkipGram
from fastvec.models.words import WordModel

__all__ = ["TRAINING", "add_options", "make_model", "open_counts", "summary"]

Model = WordModel | GloVe | PPMI_SVD
MODELS: dict[str, type[Model]] = {
    "skipgram": SkipGram,
    "cbow": CBOW,
    "fasttext": FastText,
    "glove": GloVe,
    "svd": PPMI_SVD,
}

# The options about texts that mean nothing to counts.
TEXT = ("lowercase", "errors", "cache", "phrases")

# The parameters that are options, their types, and their help; the defaults are the estimators'.
TRAINING: dict[str, tuple[Any, str]] = {
    "loss": (str, "how a word is distinguished from all others; softmax is slow, for small vocabularies"),
    "vector_size": (int, "dimensions of a vector, 1 to 4096"),
    "window": (int, "largest distance between a word and its contexts"),
    "negatives": (int, "number of noise words per word"),
    "negative_sharing": (
        str,
        "window: the contexts of a word share noise words; none: they do not, slower, as in word2vec.c",
    ),
    "scale_gradient": (bool, "use the exact gradient of a mean, with its divisor; word2vec.c does not"),
    "position_weights": (bool, "learn weights of the positions in a window"),
    "fasttext_model": (str, "whether a word predicts its contexts, or they predict the word"),
    "min_n": (int, "smallest number of characters in an n-gram"),
    "max_n": (int, "largest number of characters in an n-gram; 0 for no n-grams"),
    "buckets": (int, "number of rows that the n-grams share"),
    "weighting": (str, "weight of a context at distance d: 1/d, 1, or (window-d+1)/window"),
    "left_only": (None, "windows reach to the left only"),
    "min_count": (int, "ignore words that occur less often"),
    "max_vocab": (int, "keep at most this many words, the most frequent ones (default: all)"),
    "subsample": (float, "randomly drop words with a relative frequency above this; 0 keeps all"),
    "noise_exponent": (float, "draw noise words in proportion to their count raised to this power"),
    "x_max": (float, "counts of this size and above have the full weight"),
    "alpha": (float, "smaller counts have the weight (count / x_max) raised to this power"),
    "combine": (str, "how the word vector and the context vector are combined"),
    "matrix": (str, "matrix to factorize: positive PMI, log(1 + count), or the counts"),
    "shift": (float, "drop pairs that are not more than this many times as frequent as by chance"),
    "context_smoothing": (float, "raise the counts of contexts to this power"),
    "eigenvalue_weighting": (float, "multiply dimensions by their singular value raised to this power"),
    "learning_rate": (float, "initial step size; other losses have other defaults"),
    "min_learning_rate": (float, "final step size; by default at most a tenth of the initial one"),
    "epochs": (int, "number of passes over the text or its counts"),
    "shuffle": (bool, "visit the text in blocks in a random order, not from beginning to end"),
    "threads": (
        int,
        "number of threads; with glove and svd it does not change the result (default: all processors)",
    ),
    "seed": (int, "random seed"),
}
CHOICES = {
    "loss": tuple(losses_of("SkipGram") | losses_of("CBOW")),
    "negative_sharing": ("window", "none"),
    "fasttext_model": ("skipgram", "cbow"),
    "weighting": WEIGHTINGS,
    "combine": COMBINATIONS,
    "matrix": MATRICES,
}
# Options that have another name in Python; --left-only stores False.
PARAMETERS = {"fasttext_model": "model", "left_only": "symmetric"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--model`` and the parameters of all models to a parser."""
    training = parser.add_argument_group("training")
    training.add_argument(
        "--model", choices=MODELS, default="skipgram", help="model to train (default: %(default)s)"
    )
    for name, (of_type, what) in TRAINING.items():
        arguments: dict[str, Any] = {"help": _help(name, what), "default": argparse.SUPPRESS}
        if name == "left_only":
            arguments["action"] = "store_false"
        elif of_type is bool:
            arguments["action"] = argparse.BooleanOptionalAction
        elif name in CHOICES:
            arguments["choices"] = CHOICES[name]
        else:
            arguments |= {"type": of_type, "metavar": {int: "N", float: "X"}[of_type]}
        training.add_argument(_flag(name), **arguments)


def make_model(options: argparse.Namespace) -> Model:
    """Return the estimator that the options describe, after validating its parameters.

    Raises
    ------
    TypeError, ValueError
        If a parameter is invalid, or is not one of the model.
    """
    for name in _given(options):
        if options.model not in _models_with(name):
            raise _of_others(_flag(name), _models_with(name), options.model)
    parameters = {_parameter(name): getattr(options, name) for name in _given(options)}
    estimator = MODELS[options.model]
    model = estimator(**parameters, memory_limit=options.memory_limit, progress=not options.quiet)
    model.check_params()
    if options.save_model is not None:
        if not isinstance(model, EpochModel):
            going_on = [name for name, estimator in MODELS.items() if issubclass(estimator, EpochModel)]
            raise _of_others("--save-model", going_on, options.model)
        model.check_path(options.save_model)
    return model


def open_counts(options: argparse.Namespace) -> Cooccurrence | None:
    """Return the counts to train on, or None if there are texts.

    Raises
    ------
    ValueError
        If there are counts and other options do not apply to them.
    """
    path = next(filter(holds_counts, options.texts), None)
    if path is None:
        return None
    if len(options.texts) > 1:
        raise ValueError(f"counts must come in one file, without texts, got {', '.join(options.texts)}")
    if not issubclass(MODELS[options.model], CountModel):
        of_counts = [name for name, estimator in MODELS.items() if issubclass(estimator, CountModel)]
        raise ValueError(
            f"{path} holds counts, which need --model {' or '.join(of_counts)}, got {options.model}"
        )
    refused = [_flag(name) for name in _given(options) if _parameter(name) in COUNTED]
    refused += [_flag(name) for name in TEXT if getattr(options, name) not in (None, False, "strict")]
    if refused:
        names = ", ".join(refused)
        raise ValueError(
            f"{path} holds counts, to which options about texts and counting do not apply, got {names}"
        )
    return Cooccurrence.load(path)


def summary(model: Model, seconds: float) -> str:
    """Return a summary: what a model was trained on, how fast, and its loss."""
    if not isinstance(model, EpochModel):
        return f"fitted in {seconds:,.1f} s"
    history = model.history_
    seconds, loss = sum(epoch.seconds for epoch in history), history[-1].loss
    if isinstance(model, GloVe):
        unit, told = "entries", f"cost {loss:.4f} per entry"
        amount = sum(float(epoch.pairs) for epoch in history)
    else:
        unit, told = "words", f"loss {loss:.4f}"
        amount = sum(epoch.seconds * (epoch.words_per_second or 0) for epoch in history)
    return f"trained on {amount:,.0f} {unit} in {seconds:,.1f} s ({amount / seconds:,.0f} {unit}/s), {told}"


def _given(options: argparse.Namespace) -> list[str]:
    return [name for name in TRAINING if hasattr(options, name)]


def _of_others(flag: str, models: list[str], model: str) -> ValueError:
    return ValueError(f"{flag} is an option of {_and(models)}, not of --model {model}")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _parameter(name: str) -> str:
    """Return the name that an option has in Python."""
    return PARAMETERS.get(name, name)


def _models_with(name: str) -> list[str]:
    return [model for model, estimator in MODELS.items() if _parameter(name) in estimator().get_params()]


def _and(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _help(name: str, what: str) -> str:
    """Return the help of an option, with the models that have it (if not all) and their defaults."""
    models = _models_with(name)
    defaults = {model: _default(model, name) for model in models}
    usual = defaults[models[0]]
    others = "".join(f", {model} {value}" for model, value in defaults.items() if value != usual)
    only = "" if len(models) == len(MODELS) else f"{_and(models)} only: "
    return f"{only}{what}" if usual is None else f"{only}{what} (default: {usual}{others})"


def _default(model: str, name: str) -> Any:
    estimator = MODELS[model]()
    if name == "left_only":
        return "no"
    if isinstance(estimator, WordModel) and name in ("learning_rate", "min_learning_rate"):
        return estimator.first_learning_rate() if name == "learning_rate" else estimator.last_learning_rate()
    value = getattr(estimator, _parameter(name))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
