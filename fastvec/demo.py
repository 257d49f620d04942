"""Real text without a download: the prose in the Python sources on every machine with fastvec.

The docstrings, the comments and the other strings of five words or more in the sources of Python's standard
library and of NumPy, the language reference in ``pydoc_data.topics`` among them: the better part of a million
words, each sentence once. The files are read, never imported; tests are left out.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from fastvec.corpus import Corpus
from fastvec.models.word2vec import SkipGram
from fastvec.training.progress import Progress
from fastvec.vectors import Vectors

__all__ = ["analogies", "neighbors", "run", "sentences", "train"]

# Few words want many passes with long steps, and say little about those that are rare among them.
SETTINGS: dict[str, Any] = {"epochs": 20, "learning_rate": 0.05, "min_count": 20}

EXAMPLES = ("list", "file", "thread", "error", "array", "matrix", "string", "time")
ANALOGIES = [("read", "reading", "write")]

# Not prose, or not Python's own: tests, and what else is installed in the library's folder.
LEFT_OUT = {"test", "tests", "idle_test", "site-packages", "dist-packages"}

FEWEST_WORDS = 5
# Strings, adjacent ones as one, and blocks of comments, in the order that tells a quotation mark in one from
# the start of another. A second of work; parsing the same files takes six.
TEXTS = re.compile(
    r"""
      \"""(.*?)\"""
    | \'\'\'(.*?)\'\'\'
    | ((?: "(?:\\.|[^"\\\n])*" \s* )+)
    | ((?: '(?:\\.|[^'\\\n])*' \s* )+)
    | ((?: \#.*?\n \s* )+)
    """,
    re.VERBOSE | re.DOTALL,
)
JOINTS = re.compile(r"'\s*'|\"\s*\"")
PROMPTS = re.compile(r"^\s*(?:>>>|\.\.\.).*$", re.MULTILINE)
SENTENCES = re.compile(r"\n[\s#]*\n|(?<=[.:!?])\s+(?=[A-Z])")
WORDS = re.compile(r"[a-z]+")


def run(path: str | os.PathLike[str], progress: bool = True) -> SkipGram:
    """Gather the prose, train on it, save the vectors in `path`, and print what was learned.

    Parameters
    ----------
    path : str or path-like
        The file of the vectors.
    progress : bool
        Whether to show progress bars.

    Returns
    -------
    SkipGram
        The trained estimator.

    Raises
    ------
    OSError
        If the sources are missing, or `path` cannot be written.
    ValueError
        If the extension of `path` is unknown.
    """
    print("Gathering the prose in the sources of Python and NumPy on this machine: docstrings, comments,")
    print("the language reference. Nothing is downloaded.", flush=True)
    model = train(path, progress, partial(print, flush=True))
    vectors = model.vectors_
    print("\nNearest neighbours:\n")
    for word, similar in neighbors(vectors).items():
        print(f"  {word:8}{', '.join(near for near, _ in similar)}")
    for (a, b, c), answers in analogies(vectors).items():
        print(f"\n  {a} is to {b} as {c} is to {answers[0][0]}")
    command = _command()
    print(f"\nSaved {len(vectors):,} vectors of {vectors.vector_size} dimensions in {path}. Next:\n")
    print(f"  {command} neighbors {path} socket")
    print(f"  {command} train your.txt -o your.fvec")
    return model


def train(
    path: str | os.PathLike[str], progress: bool = True, say: Callable[[str], object] = lambda text: None
) -> SkipGram:
    """Gather the prose, train on it, and save the vectors in `path`, as `run` does; `say` takes messages."""
    corpus = Corpus(sentences(progress=progress))
    say(f"{corpus.n_tokens:,} words in {len(corpus):,} sentences. Training skip-gram on them.")
    model = SkipGram(**SETTINGS, progress=progress).fit(corpus)
    model.vectors_.save(path)
    return model


def neighbors(vectors: Vectors) -> dict[str, list[tuple[str, float]]]:
    """Return the nearest neighbours of some words, with their cosines."""
    return {word: vectors.most_similar(word, topn=6) for word in EXAMPLES if word in vectors}


def analogies(vectors: Vectors) -> dict[tuple[str, str, str], list[tuple[str, float]]]:
    """Return the best answer to some questions, A is to B as C is to what, with its score."""
    known = [words for words in ANALOGIES if all(word in vectors for word in words)]
    return {(a, b, c): vectors.analogy(a, b, c, topn=1) for a, b, c in known}


def sentences(progress: bool = False) -> Iterator[list[str]]:
    """Yield the sentences of the prose, as lists of lower-case words of the letters a to z.

    Parameters
    ----------
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    FileNotFoundError
        If Python's standard library or NumPy is installed without its sources.
    """
    seen, files = set(), _sources()
    with Progress("gathering", len(files), " files", progress) as bar:
        for path in bar.over(files):
            for match in TEXTS.finditer(path.read_text(encoding="utf-8", errors="replace")):
                text = JOINTS.sub("", match[match.lastindex or 0]).replace(r"\n", "\n")
                for sentence in SENTENCES.split(PROMPTS.sub("", text)):
                    words = WORDS.findall(sentence.lower())
                    if len(words) >= FEWEST_WORDS and (key := " ".join(words)) not in seen:
                        seen.add(key)
                        yield words


def _sources() -> list[Path]:
    numpy = importlib.util.find_spec("numpy")
    assert numpy is not None and numpy.origin is not None
    folders = {
        "Python's standard library": Path(sysconfig.get_path("stdlib")),
        "NumPy": Path(numpy.origin).parent,
    }
    found = []
    for name, folder in folders.items():
        files = [
            path
            for pattern in ("*.py", "*.pyi")
            for path in sorted(folder.rglob(pattern))
            if not LEFT_OUT.intersection(path.relative_to(folder).parts)
        ]
        if not files:
            raise FileNotFoundError(
                f"the demo's text is the prose in the sources of {name}, and {folder} holds none; "
                "train on a text of your own instead: fastvec train your.txt -o your.fvec"
            )
        found += files
    return found


def _command() -> str:
    """Return how to call this command: by its path if the shell would not find it by name."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m fastvec"
    return "fastvec" if shutil.which("fastvec") else str(called)
