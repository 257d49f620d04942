"""Help on the command itself: its options by verb, its completion in shells, its manual page."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from fastvec import __version__
from fastvec.cli import VERBS, _parser
from fastvec.cli.examples import EXAMPLES
from fastvec.cli.shells import amended

__all__ = ["add_completion", "add_help", "add_man"]

SHELLS = ("bash", "zsh", "fish")
# What names of files are called in help.
FILES = ("FILE", "MODEL", "OUT", "TEXT", "VECTORS")


def add_help(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec help``."""
    parser.set_defaults(run=_help)
    parser.add_argument("verb", nargs="*", metavar="VERB", help=f"one of {', '.join(VERBS)}")


def add_completion(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec completion``."""
    parser.set_defaults(run=_completion)
    parser.add_argument("shell", choices=SHELLS, help="the shell whose script is printed")


def add_man(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec man``."""
    parser.set_defaults(run=_man)


def _help(options: argparse.Namespace) -> int:
    arguments = [*options.verb, "--help"]
    _parser(arguments).parse_args(arguments)
    return 0


def _completion(options: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError:
        raise ImportError("completion needs shtab: pip install 'fastvec[completion]'") from None
    parser = _parser()
    for action in _actions(parser):
        if action.metavar in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar == "VERB" and action.choices is None:  # of help
            action.choices = [*VERBS]
    print(amended(shtab.complete(parser, shell=options.shell), options.shell))
    return 0


def _man(_: argparse.Namespace) -> int:
    try:
        from argparse_manpage.manpage import Manpage
    except ImportError:
        raise ImportError("man needs argparse-manpage: pip install 'fastvec[completion]'") from None
    parser = _parser()
    parser.epilog = None
    page = Manpage(parser)
    page.source, page.manual = f"fastvec {__version__}", "fastvec"
    page.description = "train word vectors on a CPU, and use them"
    lines = [line.replace("\\", "\\e").replace("-", "\\-") for verb in EXAMPLES.values() for line in verb]
    page.add_section("examples", ">", "\n".join([".nf", *lines, ".fi"]))
    title, rest = str(page).split("\n", 1)
    print(title.replace("\\-", "-"), rest, sep="\n", end="")  # in a date, \- is not understood
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield all arguments of a parser and of its verbs."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from _actions(verb)
