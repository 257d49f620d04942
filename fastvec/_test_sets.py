"""Files of word pairs with scores, and of analogy questions."""

from __future__ import annotations

import contextlib
import csv
import math
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from fastvec.corpus.reading import check_readable, read_blocks

__all__ = ["read_pairs", "read_questions"]

# What the first two columns are called where columns have names.
WORD_NAMES = re.compile(r".*(word|term|item|noun|verb|concept).*|w_?[12]", re.IGNORECASE)
# What may be behind the words or in front of them, and is too short for most words.
TAG = re.compile(r"[A-Za-z]{0,2}")


class _Row(NamedTuple):
    """A line of a file of pairs: its place for error messages, its text, and its columns."""

    place: str
    text: str
    columns: list[str]

    def score(self, column: int) -> float | None:
        """Return the number in a column, None if there is none."""
        try:
            value = float(self.columns[column])
        except (IndexError, ValueError):
            return None
        return value if math.isfinite(value) and "_" not in self.columns[column] else None

    def is_comment(self, column: int) -> bool:
        """Return whether this is a comment; a hashtag with a score is none."""
        return self.text.startswith("#") and (self.columns[0] == "#" or self.score(column) is None)

    def is_names(self) -> bool:
        """Return whether these are names of columns."""
        return len(self.columns) > 2 and all(map(WORD_NAMES.fullmatch, self.columns[:2]))


def read_pairs(path: Path) -> list[tuple[str, str, float]]:
    """Read word pairs with their scores.

    Columns end at tabs, semicolons, commas or white space, whichever the first line has. The words are in the
    first two, and the score is in the first column of numbers after these; what stands in between are tags.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If there are no pairs, or a line is neither a pair, nor a comment after ``#``, nor the names of the
        columns at the beginning; the message names file and line.
    """
    lines = list(_lines(path))
    split = _splitter(next((text for _, text in lines if not text.startswith("#")), ""))
    rows = [_Row(place, text, split(text)) for place, text in lines]
    column = _score_column([row for row in rows if not row.text.startswith("#")])
    rows = [row for row in rows if not row.is_comment(column)]
    has_names = bool(rows) and rows[0].score(column) is None and rows[0].is_names()
    rows = rows[has_names:]
    if not rows:
        raise ValueError(f"{path}: the file holds no word pairs")
    if not has_names:
        _check_words(path, rows, column)
    judged = []
    for row in rows:
        score = row.score(column)
        if score is None or not all(row.columns[:2]):
            raise ValueError(f"{row.place}: expected two words and a score{_where(column)}, got {row.text!r}")
        judged.append((row.columns[0], row.columns[1], score))
    return judged


def read_questions(path: Path, fold: Callable[[str], str]) -> list[tuple[str, list[list[str]]]]:
    """Read the sections of a file of analogy questions: their names, and the four words of each question.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If there are no questions, or a line is neither four words, nor the name of a section after ``:``, nor
        a comment after ``//``; the message names file and line.
    """
    sections: list[tuple[str, list[list[str]]]] = []
    for place, line in _lines(path):
        if line.startswith("//"):  # the copyright line of Google's original file
            continue
        if line.startswith(":"):
            sections.append((line[1:].strip(), []))
            continue
        question = [fold(word) for word in line.split()]
        if len(question) != 4:
            raise ValueError(f"{place}: expected four words, got {line!r}")
        if not sections:
            raise ValueError(f"{place}: expected a line ': name' that begins a section, got {line!r}")
        sections[-1][1].append(question)
    if not any(questions for _, questions in sections):
        raise ValueError(f"{path}: the file holds no analogy questions")
    return sections


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Give the lines of a file that are not empty, each with its place for error messages."""
    check_readable([str(path)])
    content = b"".join(read_blocks(str(path), None, lambda n: None))
    for number, line in enumerate(content.split(b"\n"), 1):
        place = f"{path}, line {number:,}"
        try:
            text = line.decode().strip()
        except UnicodeDecodeError as error:
            raise ValueError(f"{place}: byte {error.start + 1} is not UTF-8") from error
        if text:
            yield place, text


def _splitter(line: str) -> Callable[[str], list[str]]:
    """Return what cuts lines as this one into columns."""
    for separator, fewest in (("\t", 2), (";", 3), (",", 3)):
        columns = _cut(line, separator)
        if len(columns) >= fewest:
            return lambda text: _cut(text, separator)
    return str.split


def _cut(line: str, separator: str) -> list[str]:
    columns = line.split(separator)
    if '"' in line and separator != "\t":
        with contextlib.suppress(csv.Error):  # a column of very many letters
            columns = next(csv.reader([line], delimiter=separator))
    return [column.strip() for column in columns]


def _score_column(rows: Sequence[_Row]) -> int:
    """Return the first column after two words that is numbers in most rows, behind none of several words."""
    for column in range(2, max((len(row.columns) for row in rows), default=0)):
        if 2 * sum(row.score(column) is not None for row in rows) >= len(rows):
            return column
        if any(len(row.columns) > column and len(row.columns[column].split()) > 1 for row in rows[1:]):
            break
    return 2


def _check_words(path: Path, rows: Sequence[_Row], column: int) -> None:
    """Raise if the first or second column is numbers or tags, and the words come later, before the score."""
    rows = [row for row in rows if row.score(column) is not None]
    others = [value for row in rows for value in row.columns[2:column]]
    if all(map(TAG.fullmatch, others)):
        return
    for place in range(2):
        if all(TAG.fullmatch(row.columns[place]) or row.score(place) is not None for row in rows):
            raise ValueError(
                f"{path}: words must be in the first two columns, got {rows[0].columns[place]!r} in column "
                f"{place + 1} of {rows[0].text!r}: remove the columns before and between them"
            )


def _where(column: int) -> str:
    return f" in column {column + 1}" if column > 2 else ""
