"""What a planted error is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Edit(NamedTuple):
    """A text that occurs once in a file, and what stands there in its place."""

    file: str
    old: str
    new: str

    def planted(self, text: str) -> str:
        """Return the text of the file with the error."""
        if text.count(self.old) != 1:
            raise ValueError(
                f"{self.file} must have the text once, has it {text.count(self.old)} times: {self.old}"
            )
        return text.replace(self.old, self.new)


class Mutant(NamedTuple):
    """An error: what it is, where it is planted, and the tests that are meant to see it."""

    what: str
    edits: tuple[Edit, ...]
    tests: str


def mutant(what: str, tests: str, *edits: tuple[str, str, str]) -> Mutant:
    """Return a row of the table.

    Edits are of files of the package. Tests are names of their files without ``test_``, or one test as
    ``file::test_name``.
    """
    files = " ".join(re.sub(r"(\w+)(.*)", r"test_\1.py\2", name, count=1) for name in tests.split())
    return Mutant(what, tuple(Edit(f"fastvec/{file}", old, new) for file, old, new in edits), files)
