"""Options that are parameters of estimators and functions, made from their signatures and docstrings.

An option has the name, the default, the type and the choices of its parameter. Its help is the first sentence
of the documentation, and the sentence about the default where that is None.
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Callable, Container, Iterable, Mapping
from itertools import chain
from typing import Any

from fastvec import formats
from fastvec.training.intervals import seconds_in
from fastvec.training.passes import FEWEST, MOST

__all__ = ["KEY", "add_parameters", "flag", "given", "joined", "make", "parameters"]

# Parameters of estimators that are no options, or options of the files that a verb reads.
ELSEWHERE = {"callbacks", "memory_limit", "progress", "vectors"}
# What precedes their names in the result of a parser, where other options have names too.
KEY = "parameter "
UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


def _size(text: str) -> int:
    """Return the bytes that ``4G``, ``500M`` or ``1000`` mean."""
    unit = UNITS.get(text[-1:].upper())
    try:
        return int(text) if unit is None else int(text[:-1]) * unit
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected a number of bytes such as 500M or 4G, got {text!r}"
        ) from None


def _window(text: str) -> int | None:
    """Return the size of a window, None for ``none``."""
    try:
        return None if text.lower() == "none" else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number of words or none, got {text!r}") from None


def _budget(text: str) -> int | str:
    """Return the number of trainings, or the time, for a search."""
    if text.isdecimal():
        return int(text)
    if seconds_in(text) is None:
        raise argparse.ArgumentTypeError(
            f"expected a time such as 30s, 10m or 2h, or a number of trainings, got {text!r}"
        )
    return text


# What cannot be derived: flags, and arguments of `add_argument`.
LEFT_ONLY = {"flag": "--left-only", "action": "store_false", "help": "windows reach to the left only"}
WEIGHTING = {"help": "weight of a context at distance d: 1/d, 1, or (window-d+1)/window"}
LOSS = {
    "help": "negative_sampling: tell a word from a few noise words; bpr: give it a higher score than each of "
    "them, for items and nodes; hierarchical_softmax: find it in a binary tree, in which frequent words are "
    "near the root; softmax: tell it from all other words, which is exact and slow"
}
CHECKPOINT_EVERY = {"type": lambda text: int(text) if text.isdecimal() else text}
METHOD = {"help": "3cosadd: words are scored by a sum of cosines; 3cosmul: by a product of them"}
ROWS: dict[str, dict[str, Any]] = {
    "CBOW.scale_gradient": {
        "help": "use the exact gradient of a mean, with the divisor that word2vec.c omits"
    },
    "CBOW.loss": LOSS,
    "CBOW.pooling": {"help": "contexts predict a word by their mean or by their sum"},
    "CBOW.position_weights": {
        "help": "multiply every context vector by learned weights of its position in the window"
    },
    "Cooccurrence.symmetric": LEFT_ONLY,
    "Cooccurrence.weighting": WEIGHTING,
    "Corpus.cache": {"help": "file that keeps the text as ids, to be read the next time instead"},
    "Corpus.column": {"help": "column of Parquet files that holds the sentences", "metavar": "NAME"},
    "Corpus.kmers": {
        "nargs": 2,
        "metavar": ("LENGTH", "STRIDE"),
        "help": "length and stride of the words in FASTA files: a record is a sentence",
    },
    "Corpus.lowercase": {"help": "convert words to lower case"},
    "Corpus.memory_limit": {
        "type": _size,
        "metavar": "BYTES",
        "help": "keep ids and counts beyond this in temporary files, for example 500M (default: 4G)",
    },
    "CountModel.symmetric": LEFT_ONLY,
    "CountModel.weighting": WEIGHTING,
    "DocVectors.dbow_words": {"help": "learn vectors of words as well, by skip-gram; --model dbow only"},
    "DocVectors.epochs": {"help": "number of passes over the documents, of infer, too"},
    "DocVectors.fit.checkpoint_every": CHECKPOINT_EVERY,
    "DocVectors.fit.resume": {"action": "store_true"},
    "DocVectors.learning_rate": {
        "help": "step size at the start; it decreases linearly (default: 0.05, 0.15 for --model dm)"
    },
    "DocVectors.model": {
        "help": "dbow: a document predicts its words; dm: together with the words nearby, so that these get "
        "vectors, too"
    },
    "FastText.loss": LOSS,
    "FastText.pooling": {"help": "the contexts of cbow predict a word by their mean or by their sum"},
    "FastText.model": {
        "flag": "--fasttext-model",
        "help": "skipgram: a word predicts each of its contexts; cbow: these together predict the word",
    },
    "Phrases.scoring": {
        "help": "word2phrase: as word2phrase.c; npmi: normalized pointwise mutual information"
    },
    "SkipGram.loss": LOSS,
    "SkipGram.negative_sharing": {
        "help": "window: all contexts in a window share noise words; none: each has its own, which is two to "
        "four times slower"
    },
    "Vectors.analogy.method": METHOD,
    "Vectors.postprocess.center": {"action": "store_true"},
    "Vectors.postprocess.unit_length": {"action": "store_true"},
    "analogies.method": METHOD,
    "autotune.budget": {
        "type": _budget,
        "help": "when the search ends: a time as 30s, 10m or 2h, or a number of trainings",
    },
    "autotune.checkpoint": {"help": "file that keeps the trials, to go on from after an interruption"},
    "autotune.objective": {
        "help": "what is made as high as possible: held-out: contexts that were held out are told from other "
        "words; next-item: the hit rate of the last items of sessions; link: edges of a graph that were held "
        "out, the texts are files of edges; similarity, analogies: the scores of --tests"
    },
    "autotune.resume": {"action": "store_true"},
    "autotune.seconds": {"help": "how long to search, also if there are --trials"},
    "combine.method": {"help": "concatenate: put vectors behind each other; average: add them, with zeros"},
    "combine.weights": {
        "nargs": "+",
        "help": "how much each of the vectors counts, above 0, in their order (default: all alike)",
    },
    "combine.words": {"help": "words of the result: those that all vectors have, or those of any"},
    "drift.neighbors": {
        "help": "number of neighbors that are compared (default: 1,000, or a tenth of the words)"
    },
    "drift.seed": {"help": "seed of the rotations that p-values come from"},
    "fit.folder": {
        "metavar": "FOLDER",
        "help": "folder on a disk that all workers share, for matrices that exceed their memory",
    },
    "load.format": {"choices": formats.FORMATS},
    "walks.directed": {"action": "store_true", "help": "edges lead from their first node to the second only"},
    "walks.memory_limit": {
        "type": _size,
        "metavar": "BYTES",
        "help": "keep walks beyond this in a temporary file, for example 500M (default: 1G)",
    },
    "walks.metapath": {
        "metavar": "TYPE",
        "help": "types of the nodes along a walk, which ends with the first and is repeated",
    },
    "WindowClassifier.train_vectors": {"help": "train the word vectors as well"},
    "WindowClassifier.vectors_l2": {"help": "strength of the penalty on how far word vectors move"},
    "WordModel.deterministic": {"help": "make the vectors the same, bit for bit, for any number of threads"},
    "WordModel.epochs": {"help": "number of passes over the text or its counts"},
    "WordModel.fit.checkpoint_every": CHECKPOINT_EVERY,
    "WordModel.fit.resume": {"action": "store_true"},
    "WordModel.learning_rate": {"help": "step size at the start; other losses have other defaults"},
    "WordModel.shuffle": {
        "help": "go through the text in blocks of up to 8,192 words in a random order, another in every epoch"
    },
    "WordModel.window": {
        "type": _window,
        "help": "largest distance between a centre word and its contexts; none: sentences are sets, such as "
        "baskets, with skipgram and cbow",
    },
    "WordModel.subsample": {
        "help": "randomly drop words with a relative frequency above this; 0 keeps all words"
    },
}
ENTRY = re.compile(r"^(\w+) : (.+)\n((?: .*\n)+)", re.MULTILINE)
# Methods that return the values for which None stands.
RATES = {"learning_rate": "first_learning_rate", "min_learning_rate": "last_learning_rate"}
# What None stands for where that depends on the text.
BY_TEXT = {"epochs": f"{FEWEST} to {MOST} by the length of the text"}
# What the documentation calls a value, its type, and its name in help.
TYPES = [("int", int, "N"), ("float", float, "X"), ("path", str, "FILE"), ("", str, "TEXT")]
# From docstrings to plain text that every terminal can show.
CITATION = re.compile(r",? (?:as in )?\[\d+\]_")
VALUE = re.compile(r"``(\w+)=\"?([^`\"]*)\"?``")
CODE = re.compile(r"`+([^`]+)`+")
SYMBOLS = str.maketrans({"α": "alpha", "λ": "lambda", "%": "%%"})


def add_parameters(
    parser: argparse.ArgumentParser,
    owners: Mapping[str, Callable[..., Any]],
    names: Iterable[str] | None = None,
    aliases: Mapping[str, str] | None = None,
) -> None:
    """Add parameters to a parser, a group for those that the same estimators or functions have.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The parser. Parameters that are not given are absent from its result.
    owners : mapping of str to callable
        The estimators or functions by their names in help, which make the titles of the groups.
    names : iterable of str, optional
        The parameters, by default all of estimators.
    aliases : mapping of str to str, optional
        Further names of options, by parameter.
    """
    owners_of: dict[str, dict[str, Callable[..., Any]]] = {}
    for owner, function in owners.items():
        for name in parameters(function) if names is None else names:
            owners_of.setdefault(name, {})[owner] = function
    groups: dict[str, Any] = {}
    for name, having in sorted(owners_of.items(), key=lambda item: -len(item[1])):
        title = joined(list(having))
        if title not in groups:
            groups[title] = parser.add_argument_group(title)
        first = next(iter(having.values()))
        arguments = _arguments(first, name) | _row(first, name)
        if "choices" in arguments:
            of_all = ((_arguments(each, name) | _row(each, name))["choices"] for each in having.values())
            arguments["choices"] = tuple(dict.fromkeys(chain.from_iterable(of_all)))
        if "store" not in str(arguments.get("action")) and "(default" not in arguments["help"]:
            arguments["help"] += _defaults(having, name)
        flags = filter(None, [(aliases or {}).get(name), arguments.pop("flag")])
        groups[title].add_argument(*flags, dest=KEY + name, default=argparse.SUPPRESS, **arguments)


def make(options: argparse.Namespace, estimator: Any) -> Any:
    """Return an estimator with the parameters that are given, after validating them.

    Raises
    ------
    ValueError
        If a parameter is invalid.
    """
    made = estimator(**given(options, estimator), progress=not options.quiet)
    try:
        made.check_params()
    except TypeError as error:  # of an option that has another type with another model, such as --window none
        raise ValueError(error) from None
    return made


def given(options: argparse.Namespace, function: Callable[..., Any]) -> dict[str, Any]:
    """Return the parameters of an estimator or a function that are given as options."""
    names = inspect.signature(function).parameters
    values = {name: getattr(options, KEY + name) for name in names if hasattr(options, KEY + name)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def parameters(estimator: Callable[..., Any]) -> list[str]:
    """Return the parameters of an estimator that are options."""
    return [name for name in inspect.signature(estimator).parameters if name not in ELSEWHERE]


def flag(function: Callable[..., Any], name: str) -> str:
    """Return the option that is a parameter of an estimator or a function."""
    return str(_row(function, name)["flag"])


def joined(names: list[str]) -> str:
    """Return names as an enumeration: a, b and c."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _row(function: Callable[..., Any], name: str) -> dict[str, Any]:
    homes = getattr(function, "__mro__", (function,))
    rows = (ROWS[key] for home in homes if (key := f"{home.__qualname__}.{name}") in ROWS)
    return {"flag": _flag(name)} | next(rows, {})


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _arguments(function: Callable[..., Any], name: str) -> dict[str, Any]:
    """Return the arguments of `add_argument` that follow from the signature and the docstring."""
    signature = inspect.signature(function).parameters
    documented = {entry: rest for entry, *rest in ENTRY.findall(f"{inspect.getdoc(function)}\n")}
    # python -OO has no docstrings.
    kind, text = documented.get(name, (str(signature[name].annotation), ""))
    first, *more = re.split(r"(?<=\.)\s+", " ".join(text.split()))
    sentences = [first, *(one for one in more if signature[name].default is None and "default" in one)]
    arguments: dict[str, Any] = {"help": "; ".join(_plain(one, signature) for one in sentences)}
    if choices := re.findall(r'"([\w-]+)"', kind):
        arguments["choices"] = choices
    elif "bool" in kind:
        arguments["action"] = argparse.BooleanOptionalAction
    else:
        arguments["type"], arguments["metavar"] = next(row for word, *row in TYPES if word in kind.lower())
    return arguments | ({"nargs": "+"} if "sequence" in kind.lower() else {})


def _plain(sentence: str, names: Container[str]) -> str:
    """Return a sentence of a docstring without its markup, with the parameters in `names` as options."""
    text = VALUE.sub(lambda found: f"{_flag(found[1])} {found[2]}", CITATION.sub("", sentence))
    text = CODE.sub(lambda found: _flag(found[1]) if found[1] in names else found[1], text)
    text = text.translate(SYMBOLS).removeprefix("Whether to ").removesuffix(".")
    return text[:1].lower() + text[1:]


def _defaults(owners: Mapping[str, Any], name: str) -> str:
    """Return the default of the first of some owners, and the others that differ."""
    defaults = {owner: _default(function, name) for owner, function in owners.items()}
    usual = next(iter(defaults.values()))
    others = "".join(f", {owner} {value}" for owner, value in defaults.items() if value != usual)
    return "" if usual is None else f" (default: {usual}{others})"


def _default(function: Any, name: str) -> Any:
    """Return the default as help shows it, or None if there is none."""
    value = inspect.signature(function).parameters[name].default
    if value is None and hasattr(function, RATES.get(name, "")):
        value = getattr(function(), RATES[name])()
    if value is None:
        value = BY_TEXT.get(name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value == () else value
