"""Help on the command itself: its options by verb, its completion in shells, its manual page."""

from __future__ import annotations

import argparse

from fastvec.cli import VERBS, _parser

__all__ = ["add_completion", "add_help", "add_man"]

SHELLS = ("bash", "zsh", "fish")


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
    print(shtab.complete(_parser(), shell=options.shell))
    return 0


def _man(_: argparse.Namespace) -> int:
    return 0
