"""The parser of the command: errors of one line that suggest what was meant, and examples in the help."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NoReturn

from fastvec.cli.examples import EXAMPLES
from fastvec.peers.names import LOSSES
from fastvec.training.progress import tell

__all__ = ["FAILED", "FROM_FILES", "Parser", "add_verb", "did_you_mean", "invalid_choice"]

FAILED = 2

# Options of files that hold other options; of two, the last takes precedence.
FROM_FILES = ("--like", "--config")

# What the programs of others call a verb, and its options, and what that is here.
PEER_VERBS = {
    "analogies": "analogy",
    "cbow": "train --model fasttext --fasttext-model cbow",
    "doc2vec": "documents train",
    "dump": "info",
    "glove": "train --model glove",
    "infer": "documents infer",
    "nn": "neighbors",
    "predict": "classify predict",
    "predict-prob": "classify predict --probabilities",
    "print-word-vectors": "print-vectors",
    "quantize": "classify quantize",
    "skipgram": "train --model fasttext",
    "supervised": "classify train",
    "test": "classify evaluate",
    "test-label": "classify evaluate",
    "vocab_count": "cooccur --vocabulary",
    "word2phrase": "phrases",
    "word2vec": "train",
}
INPUT = "the first argument"
# Where it depends on the verb: the first that the verb has.
PEER_OPTIONS: dict[str, str | tuple[str, ...]] = {
    "-autotune-duration": ("--seconds", "fastvec classify autotune --seconds"),
    "-autotune-metric": ("--metric", "fastvec classify autotune --metric"),
    "-autotune-validation": ("--validation", "fastvec classify autotune --validation"),
    "-binary": "--format",
    "-bucket": "--buckets",
    "-cbow": "--model",
    "-dim": "--vector-size",
    "-dsub": "--subvector-size",
    "-epoch": "--epochs",
    "-eta": "--learning-rate",
    "-hashCount": "--hash-count",
    "-hs": "--loss",
    "-input": INPUT,
    "-iter": "--epochs",
    "-label": "--label-prefix",
    "-lr": "--learning-rate",
    "-maxn": "--max-n",
    "-minCount": "--min-count",
    "-minCountLabel": "--min-label-count",
    "-minn": "--min-n",
    "-neg": "--negatives",
    "-negative": "--negatives",
    "-output": "--output",
    "-pretrainedVectors": ("--vectors", "--start-from"),
    "-qnorm": "--separate-norms",
    "-qout": "--quantize-output",
    "-sample": "--subsample",
    "-sg": "--model",
    "-size": "--vector-size",
    "-t": "--subsample",
    "-thread": "--threads",
    "-train": INPUT,
    "-verbose": "--quiet",
    "-window-size": "--window",
    "-wordNgrams": "--word-ngrams",
    "-workers": "--threads",
    "-ws": "--window",
}

# Of two names that were perhaps meant, how much less alike the second may be, as a ratio.
NEARLY_AS_CLOSE = 0.1


class Parser(argparse.ArgumentParser):
    """A parser that takes options by their whole names only; one of verbs shows its help if none is given.

    Attributes
    ----------
    files_of_defaults : dict of str to callable
        What returns the values in a file by their destinations, given the parser and the path, by the option
        that names the file: `FROM_FILES`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kinds: dict[str, Any] = {
            "allow_abbrev": False,
            "formatter_class": argparse.RawDescriptionHelpFormatter,
        }
        super().__init__(*args, **(kinds | kwargs))
        if examples := EXAMPLES.get(self.prog.removeprefix("fastvec").strip()):
            self.epilog = "\n  ".join(["examples:", *examples])
        self.files_of_defaults: dict[str, Callable[[Parser, str], Mapping[str, Any]]] = {}

    def add_subparsers(self, **kwargs: Any) -> Any:
        """Add verbs."""
        self.set_defaults(run=self._show_help)
        return super().add_subparsers(**kwargs)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse arguments, of which none may be unknown."""
        arguments = sys.argv[1:] if args is None else list(args)
        self._check_options(arguments)
        for flag in FROM_FILES:
            path = _value_of(flag, arguments)
            if path is not None and flag in self.files_of_defaults:
                self._set_defaults_of(self.files_of_defaults[flag](self, path))
        options, unknown = super().parse_known_args(arguments, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return options, []

    def format_usage(self) -> str:
        """Return the first line of the help, which has of the options those that are required."""
        self._shorten_usage()
        return super().format_usage()

    def format_help(self) -> str:
        """Return the help."""
        self._shorten_usage()
        return super().format_help()

    def _shorten_usage(self) -> None:
        if self.usage is None:
            places = [_place(action) for action in self._actions if not action.option_strings]
            required = [action for action in self._actions if action.option_strings and action.required]
            options = [f"{action.option_strings[0]} {action.metavar}" for action in required]
            self.usage = " ".join(["%(prog)s [options]", *places, *options])

    def error(self, message: str) -> NoReturn:
        """End with one line, like all other errors."""
        self.exit(FAILED, f"fastvec: error: {message} (see {self.prog} --help)\n")

    def _show_help(self, _: argparse.Namespace) -> int:
        self.print_help()
        return 0

    def _set_defaults_of(self, values: Mapping[str, Any]) -> None:
        """Make values those of arguments that are not given, which are required no more."""
        for action in self._actions:
            if action.dest in values:
                action.default, action.required = values[action.dest], False

    def _check_options(self, arguments: Iterable[str]) -> None:
        """End with an error if an option is unknown, before others are missed in whose place it stands."""
        known = self._option_string_actions
        for argument in arguments:
            name = argument.partition("=")[0]
            if argument == "--" or (not argument.startswith("-") and self._subparsers is not None):
                return
            if name in known or not name.startswith("-") or " " in argument:
                continue
            stem = name.lstrip("-")
            ours = PEER_OPTIONS.get(f"-{stem}", ())
            for one in (ours,) if isinstance(ours, str) else ours:
                if one == INPUT:
                    places = (str(action.metavar) for action in self._actions if not action.option_strings)
                    one = next(places, "--")
                if one in known or not one.startswith("-"):
                    self.error(f"unrecognized arguments: {name}; it is {one} here")
            if name.startswith("--") or f"--{stem}" in known:
                self.error(f"unrecognized arguments: {name}{did_you_mean(f'--{stem}', known)}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Raise an error if a value is not among the choices of an argument, for verbs too."""
        if action.choices is None or value in action.choices:
            return
        ours = f"fastvec {PEER_VERBS[value]}" if self.prog == "fastvec" and value in PEER_VERBS else None
        raise argparse.ArgumentError(action, invalid_choice(action, value, ours))

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is sys.stderr:
            tell(message.removesuffix("\n"))
        else:
            print(message, end="", flush=True)


def add_verb(verbs: Any, name: str, what: str) -> argparse.ArgumentParser:
    """Add a verb: what it does stands beside its name in the list of verbs, and begins its own help."""
    description = f"{what[:1].upper()}{what[1:]}{'' if what.endswith('?') else '.'}"
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=what, description=description)
    return parser


def _place(action: argparse.Action) -> str:
    """Return a positional argument as usage has it."""
    name = str(action.metavar or "|".join(action.choices or ()))
    if isinstance(action, argparse._SubParsersAction):
        return f"{name} ..."
    place = f"{name} ..." if action.nargs in ("+", "*") else name
    return place if action.required and action.nargs not in ("?", "*") else f"[{place}]"


def _value_of(flag: str, arguments: Sequence[str]) -> str | None:
    """Return the last value of an option, if it is given."""
    found = [argument.partition("=")[2] for argument in arguments if argument.startswith(f"{flag}=")]
    found += [after for before, after in pairwise(arguments) if before == flag]
    return found[-1] if found else None


def invalid_choice(action: argparse.Action, value: Any, ours: str | None = None) -> str:
    """Return the error for a value that is not among the choices of an argument, or that is `ours` here."""
    choices = [*map(str, action.choices or ())]
    if "--loss" in action.option_strings and value in LOSSES:
        ours = LOSSES[value] + ("" if LOSSES[value] in choices else " of fastvec classify train")
    hint = did_you_mean(str(value), choices) if ours is None else f"; it is {ours} here"
    return f"invalid choice: {value!r}{hint} (choose from {', '.join(map(repr, choices))})"


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return the end of an error on a misspelt name: which names it may stand for, if there are any."""
    known = list(known)
    beginning = [name for name in known if name.startswith(given) and len(given) > 2]
    near = beginning[:3]
    if not near:
        close = difflib.get_close_matches(given, known, n=2)
        ratios = [difflib.SequenceMatcher(None, name, given).ratio() for name in close]
        near = [
            name for name, ratio in zip(close, ratios, strict=True) if ratio > ratios[0] - NEARLY_AS_CLOSE
        ]
    return f"; did you mean {' or '.join(near)}?" if near else ""
