"""Stanford's GloVe programs, where they are on the PATH, and the files that they read.

https://github.com/stanfordnlp/GloVe, built by its own Makefile. The published scheme, with biases that take
the learning rate, is in revisions before July 2019; later ones clip gradients instead.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["cost", "count", "count_words", "need", "shuffle", "train"]


def need(*programs: str) -> None:
    """Raise ModuleNotFoundError if a program is not on the PATH."""
    for program in programs:
        if shutil.which(program) is None:
            raise ModuleNotFoundError(f"{program} is not on the PATH", name=f"{program} of GloVe C")


def count_words(text: Path, vocabulary: Path, min_count: int) -> None:
    """Write the words of a text that occur often enough, with their counts."""
    _run(["vocab_count", "-verbose", "0", "-min-count", str(min_count)], text, vocabulary)


def count(text: Path, vocabulary: Path, records: Path, window: int) -> None:
    """Write how often words occur near each other."""
    options = ["-verbose", "0", "-memory", "4.0", "-symmetric", "1", "-window-size", str(window)]
    files = ["-vocab-file", str(vocabulary), "-overflow-file", str(records.with_suffix(".overflow"))]
    _run(["cooccur", *options, *files], text, records)


def shuffle(records: Path, shuffled: Path) -> None:
    """Write the records in a random order."""
    temporary = str(shuffled.with_suffix(".temporary"))
    _run(["shuffle", "-verbose", "0", "-memory", "4.0", "-temp-file", temporary], records, shuffled)


def train(job: dict[str, Any], vocabulary: Path, shuffled: Path, vectors: Path, epochs: int) -> str:
    """Train, and return what the program says; its vectors are in ``<vectors>.txt``."""
    settings = {
        "-vector-size": job["vector_size"],
        "-threads": job["threads"],
        "-iter": epochs,
        "-x-max": job["x_max"],
        "-alpha": job["alpha"],
        "-eta": job["learning_rate"],
        "-binary": 0,
        "-verbose": 2,
        "-vocab-file": vocabulary,
        "-input-file": shuffled,
        "-save-file": vectors,
    }
    return _run(["glove", *(str(part) for option in settings.items() for part in option)])


def cost(said: str) -> float:
    """Return the cost of the last epoch, from what `train` returned."""
    return float(re.findall(r"cost: ([0-9.]+)", said)[-1])


def _run(command: Sequence[str], source: Path | None = None, target: Path | None = None) -> str:
    """Run a program from a file to a file, and return what it writes to standard error."""
    with (source or Path("/dev/null")).open("rb") as read, (target or Path("/dev/null")).open("wb") as write:
        done = subprocess.run(command, stdin=read, stdout=write, stderr=subprocess.PIPE, check=False)
    said = done.stderr.decode(errors="replace")
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {said.strip()[-200:]}")
    return said
