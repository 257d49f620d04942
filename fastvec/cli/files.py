"""The files that verbs read and write: their options, and checking outputs before the work, not after it."""

from __future__ import annotations

import argparse
import errno
import inspect
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastvec import formats
from fastvec.cli.options import add_parameters, given
from fastvec.corpus import Corpus
from fastvec.corpus.reading import STANDARD_INPUT
from fastvec.corpus.writing import STANDARD_OUTPUT, check_standard_output
from fastvec.formats.atomic import check_regular, check_writable, not_regular, replace
from fastvec.vectors import load

__all__ = [
    "add_format",
    "add_output",
    "add_reading",
    "add_texts",
    "add_vectors",
    "check_extension",
    "check_files",
    "in_options",
    "read_texts",
]

# Parameters of `Corpus` that are options.
OF_TEXTS = ["lowercase", "errors", "column", "kmers", "cache", "memory_limit"]
# Parameters of `load`, and how errors name them, for Python: errors='replace'.
READING = ("format", "errors", "encoding", "limit", "on_duplicates", "on_nonfinite")
# What reads a file in Python, and the verb that does.
VERBS_THAT_READ = {
    "fastvec.load": "neighbors",
    "fastvec.classify.load": "classify predict",
    "fastvec.Cooccurrence.load": "train",
    "fastvec.Corpus(..., cache=...)": "train --cache",
    "fastvec.Phrases.load": "phrases --phrases",
}
# What is said of sentences in the place of files, for Python.
ON_SENTENCES = re.compile(r" \(a (?:str|list of str) is [^()]*(?:\(\))?\)$")
LOADERS = re.compile("|".join(map(re.escape, VERBS_THAT_READ)))
ADVICE = re.compile(rf"\b({'|'.join(('dtype', *READING))})=(['\"]?)([^\s'\";,)]*)\2")


def add_texts(parser: argparse.ArgumentParser, unit: str = "sentence") -> None:
    """Add text files, the source of a `Corpus`, to a parser; `unit` is what a line is."""
    what = (
        f"text files, one {unit} per line, plain or .gz .bz2 .xz .zst; - is standard input; also folders "
        "and addresses, Parquet with --column, FASTA with --kmers"
    )
    parser.add_argument("texts", nargs="+", metavar="TEXT", help=what)
    add_parameters(parser, {"text": Corpus}, OF_TEXTS)


def read_texts(options: argparse.Namespace, **params: Any) -> Corpus:
    """Read the text files; what is made of their ids has half of the memory."""
    text = given(options, Corpus)
    limit = text.pop("memory_limit", inspect.signature(Corpus).parameters["memory_limit"].default)
    half = -(-limit // 2)
    return Corpus(options.texts, **text, **params, memory_limit=half, progress=not options.quiet)


def add_vectors(parser: argparse.ArgumentParser, format: str = "", also: Sequence[str] = ()) -> None:
    """Add a file of vectors to a parser, and its format by another name; `also` names more parameters."""
    parser.add_argument("vectors", metavar="VECTORS", help=f"vectors: {formats.extensions()}")
    add_reading(parser, format, also=also)


def add_reading(
    parser: argparse.ArgumentParser, format: str = "", *, errors: bool = True, also: Sequence[str] = ()
) -> None:
    """Add the parameters of `load` to a parser; ``--errors`` if no other file has that."""
    names = [name for name in (*READING, *also) if errors or name != "errors"]
    add_parameters(parser, {"reading vectors": load}, names, {"format": format})


def in_options(message: str) -> str:
    """Return an error with what it advises in Python as what the command has: options, and verbs."""
    message = ADVICE.sub(lambda found: f"--{found[1].replace('_', '-')} {found[3]}".rstrip(), message)
    message = message.replace("`model.save`", "--save-model")
    message = ON_SENTENCES.sub(" (an argument is the name of a file; - is standard input)", message)
    return LOADERS.sub(lambda found: f"fastvec {VERBS_THAT_READ[found[0]]}", message)


def add_output(parser: argparse.ArgumentParser, what: str, default: str | None = None) -> None:
    """Add the option of the output, which is required without a default."""
    parser.add_argument(
        "-o", "--output", required=default is None, default=default, metavar="FILE", help=f"output file{what}"
    )


def add_format(parser: argparse.ArgumentParser, flag: str) -> None:
    """Add the option of the format of an output."""
    what = "format of the output; by default the extension determines it"
    parser.add_argument(flag, dest="format", choices=formats.FORMATS, help=what)


def check_extension(path: str, *extensions: str) -> None:
    """Raise now if a file has another extension."""
    if Path(path).suffix.lower() not in extensions:
        raise ValueError(f"the output must end in {' or '.join(extensions)}, got {path!r}")


def check_files(
    inputs: Iterable[str | None], outputs: Mapping[str, str | None], *, text: str | None = None
) -> None:
    """Raise now if outputs cannot be written, or would replace an input or each other.

    Parameters
    ----------
    inputs : iterable of str
        The files that are read, ``-`` for standard input; None stands for none.
    outputs : mapping of str to str
        The files that are written, by the names of their options; None stands for none.
    text : str, optional
        The option whose file is text, which may be ``-``, standard output.

    Raises
    ------
    OSError, ValueError
        The message names the option or the file.
    """
    read = [path for path in inputs if path is not None]
    if STANDARD_INPUT in read and sys.stdin is None:
        raise ValueError(f"{STANDARD_INPUT!r} is standard input, which is closed: name a file")
    written: dict[str, str] = {}
    for option, path in outputs.items():
        if path is None:
            continue
        if path == STANDARD_OUTPUT and option == text:
            check_standard_output()
            continue
        _check_output(option, path, is_text=option == text)
        for other, of_other in written.items():
            if _are_the_same(path, of_other):
                raise ValueError(f"{option} must be another file than {other}, got {path!r} for both")
        for of_input in read:
            if _are_the_same(of_input, path):
                raise ValueError(
                    f"{option} must be another file than the input, which it would replace, got {path!r}"
                )
        written[option] = path


def _check_output(option: str, path: str, is_text: bool) -> None:
    if not path:
        raise ValueError(f"{option} must name a file, got {path!r}")
    target = Path(os.path.realpath(path))
    remedy = f"{STANDARD_OUTPUT} is standard output" if is_text else "save a file and send that on"
    if path == STANDARD_OUTPUT:
        raise not_regular(option, path, "standard output", remedy)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    check_regular(option, path, remedy)
    check_writable(path)
    if target.is_file():
        replace(target, target)  # which does nothing, but is refused on Windows to a file that is in use


def _are_the_same(first: str, second: str) -> bool:
    """Return whether two paths are of one file, or will be; the first may be standard input."""
    try:
        if first == STANDARD_INPUT:
            return os.path.samestat(os.fstat(0), Path(second).stat())
        return Path(first).samefile(second)
    except OSError:  # one of them does not exist yet
        return first != STANDARD_INPUT and os.path.realpath(first) == os.path.realpath(second)
