"""The command line: each verb calls one public function and prints its result.

A verb is a function ``add_<verb>(parser)`` in a module here: it adds the options, and a function `run` that
does the work they ask for and returns the exit status.

Results go to standard output, progress and messages to standard error. The exit status is 0, 2 after an error
that the user can fix (one line describes it; with ``FASTVEC_DEBUG=1`` the traceback is shown), 130 after
Ctrl-C, likewise 143 after SIGTERM and 129 after SIGHUP, and 141 if nobody reads the results.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import signal
import sys
import warnings
from collections.abc import Sequence

from fastvec import __version__
from fastvec.cli import streams
from fastvec.cli.files import in_options
from fastvec.cli.parser import FAILED, Parser, add_verb
from fastvec.corpus.reading import STANDARD_INPUT
from fastvec.formats.atomic import WINDOWS
from fastvec.training import signals
from fastvec.training.progress import tell
from fastvec.training.startup import exit_status

__all__ = ["main"]

UNREAD = 141

# The module of every verb, and its help.
VERBS = {
    "train": ("train", "train word vectors on text files, or on a file of counts"),
    "plan": ("plan", "print what a training will take: words, time, memory and sizes of files"),
    "phrases": ("phrases", "find phrases in text files and join them: new york becomes new_york"),
    "cooccur": ("cooccur", "count how often words of text files occur near each other"),
    "walks": ("walks", "walk over a graph at random, for vectors of its nodes"),
    "autotune": ("autotune", "search the parameters that are best for something, and train with them"),
    "documents": ("documents", "train vectors of documents, and infer those of others"),
    "classify": ("classifiers", "classify texts"),
    "tag": ("classifiers", "tag words: parts of speech, names"),
    "neighbors": ("vectors", "print the words most similar to a word"),
    "analogy": ("vectors", "answer: A is to B as C is to what?"),
    "stability": ("stability", "print how sure the neighbors of words are, by many trainings"),
    "explain": ("explain", "explain why two words are similar, by a text"),
    "evaluate": ("vectors", "evaluate vectors on word similarities and analogies"),
    "diff": ("vectors", "print the words that moved most between two vectors, or sets of them"),
    "print-vectors": ("vectors", "print the vectors of words"),
    "print-sentence-vectors": (
        "vectors",
        "print vectors of sentences, the means of their words' unit vectors",
    ),
    "print-ngrams": ("vectors", "print the n-grams of words and their vectors"),
    "plot": ("vectors", "draw a map of words, as a page that zooms and searches or as a picture"),
    "convert": ("vectors", "convert vectors to another format"),
    "combine": ("combining", "combine vectors of several trainings into one for each word"),
    "retrofit": ("combining", "draw vectors towards those of related words, as a lexicon has them"),
    "info": ("info", "show information on this machine and its backends, or on a file"),
    "demo": ("demo", "train on the prose in the sources of Python and NumPy and show neighbours"),
    "help": ("help", "show the options of a verb"),
    "completion": ("help", "print the script by which a shell completes this command"),
    "man": ("help", "print the manual page of this command"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments`, by default those of the process, and return the exit status."""
    streams.prepare()
    try:
        with warnings.catch_warnings(), signals.raise_stopped():
            warnings.showwarning = _show_warning
            arguments = sys.argv[1:] if arguments is None else arguments
            options = _parser(arguments).parse_args(arguments)
            status: int = options.run(options)
            if sys.stdout is not None:
                sys.stdout.flush()
            return status
    except KeyboardInterrupt as stopped:
        number = stopped.number if isinstance(stopped, signals.Stopped) else signal.SIGINT
        tell("fastvec: interrupted")
        return exit_status(number)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, ArithmeticError, MemoryError) as error:
        if _is_unread(error):
            streams.discard(sys.stdout)
            return UNREAD
        if os.environ.get("FASTVEC_DEBUG"):
            raise
        tell(f"fastvec: error: {_message(error)}")
        return FAILED
    finally:
        for stream in (sys.stdout, sys.stderr):
            if streams.is_broken(stream):
                streams.discard(stream)


def _parser(arguments: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """Return the parser of the command; with `arguments`, only the verb that they call has its options.

    Those of classifiers take a second, for scikit-learn.
    """
    parser = Parser(prog="fastvec", description="Train word vectors on a CPU, and use them.")
    parser.add_argument("--version", action="version", version=f"fastvec {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", title="verbs")
    called = None if arguments is None else next((one for one in arguments if not one.startswith("-")), "")
    for name, (module, what) in VERBS.items():
        verb = add_verb(verbs, name, what)
        if called in (None, name):
            try:
                with signals.end_at_once():
                    of_module = importlib.import_module(f"fastvec.cli.{module}")
            except ImportError as error:  # without scikit-learn there are no classifiers
                if called is not None or getattr(error.__cause__, "name", "") != "sklearn":
                    raise
            else:
                getattr(of_module, f"add_{name.replace('-', '_')}")(verb)
    return parser


def _is_unread(error: Exception) -> bool:
    """Return whether nobody reads the output any more, which Windows calls an invalid argument."""
    if isinstance(error, OSError) and WINDOWS:
        return error.errno in (errno.EPIPE, errno.EINVAL) and error.filename is None
    return isinstance(error, BrokenPipeError)


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        name = "standard output" if streams.is_broken(sys.stdout) else error.filename
        if isinstance(error, FileNotFoundError) and name == STANDARD_INPUT:
            return f"{name}: must be a file, not standard input"
        reason = in_options(error.strerror)
        return reason if name is None else f"{name}: {reason}"
    return in_options(str(error)) or type(error).__name__


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    tell(f"fastvec: warning: {message}")
