"""Evaluating vectors of words: correlation with human similarity scores, and analogies.

Both read the usual files (WordSim-353, MEN, SimLex-999, RG-65, RareWords; Google's questions-words) and
report how much of them the vocabulary covers, without which a score means little.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastvec._params import check_bool, check_choice, check_float, check_int, check_item, shortened
from fastvec.corpus.reading import check_readable, read_blocks
from fastvec.formats.places import on_disk
from fastvec.vectors.vectors import ANALOGY_METHODS, LEAST_DIVISOR, UnknownWordError, Vectors, unit_rows

__all__ = ["AnalogyResult", "AnalogySection", "SimilarityResult", "analogies", "similarity"]

# Words whose cosines with those of the questions are computed together: few enough for the processor's cache.
WORDS_AT_ONCE = 1 << 12
# What the first two columns are called where columns have names.
WORD_NAMES = re.compile(r".*(word|term|item|noun|verb|concept).*|w_?[12]", re.IGNORECASE)
# What may be behind the words or in front of them, and is too short for most words.
TAG = re.compile(r"[A-Za-z]{0,2}")


@dataclass(frozen=True)
class SimilarityResult:
    """Agreement of vectors with human scores of word pairs.

    Attributes
    ----------
    name : str
        Name of the file without extension, or "pairs".
    spearman : float
        Spearman's rank correlation of cosines and scores, from -1 to 1; nan if fewer than two pairs count, or
        all of them are equal.
    pearson : float
        Pearson's correlation of cosines and scores themselves, from -1 to 1, or nan.
    pairs : int
        Number of pairs.
    covered : int
        Number of pairs of which both words have a vector; only these count, unless unknown words do. With
        `SubwordVectors` this includes words outside the vocabulary that have n-grams.
    """

    name: str
    spearman: float
    pearson: float
    pairs: int
    covered: int

    def __str__(self) -> str:
        score = "undefined" if np.isnan(self.spearman) else f"{self.spearman:.3f}"
        return f"{self.name}: Spearman {score}, {self.covered:,} of {self.pairs:,} pairs covered"


@dataclass(frozen=True)
class AnalogySection:
    """Result of one section of analogy questions.

    Attributes
    ----------
    name : str
        Name of the section.
    correct : int
        Number of questions answered correctly.
    covered : int
        Number of questions of which all four words are in the vocabulary; only these count, unless unknown
        words do.
    total : int
        Number of questions in the section.
    right : tuple of tuple of str
        The questions answered correctly, as (a, b, c, d).
    wrong : tuple of tuple of (str or None)
        The others that count, as (a, b, c, d, answer); the answer is None if a word is unknown.
    """

    name: str
    correct: int
    covered: int
    total: int
    right: tuple[tuple[str, str, str, str], ...] = field(repr=False)
    wrong: tuple[tuple[str, str, str, str, str | None], ...] = field(repr=False)

    @property
    def accuracy(self) -> float:
        """Fraction of the questions that count answered correctly, from 0 to 1; nan if none counts."""
        counted = len(self.right) + len(self.wrong)
        return self.correct / counted if counted else float("nan")


@dataclass(frozen=True)
class AnalogyResult:
    """Result of analogy questions, by section.

    Attributes
    ----------
    name : str
        Name of the file without extension.
    sections : tuple of AnalogySection
        The sections in the order of the file.
    """

    name: str
    sections: tuple[AnalogySection, ...]

    @property
    def semantic(self) -> AnalogySection:
        """All semantic sections: those whose names do not start with ``gram``."""
        return _together("semantic", [part for part in self.sections if not part.name.startswith("gram")])

    @property
    def syntactic(self) -> AnalogySection:
        """All syntactic sections: those whose names start with ``gram``."""
        return _together("syntactic", [part for part in self.sections if part.name.startswith("gram")])

    @property
    def total(self) -> AnalogySection:
        """All sections together."""
        return _together("total", self.sections)

    def __str__(self) -> str:
        rows = [*self.sections, self.semantic, self.syntactic, self.total]
        width = max(len(self.name), *(len(row.name) for row in rows))
        lines = [f"{self.name:<{width}}  correct  covered    total  accuracy"]
        for row in rows:
            accuracy = "undefined" if math.isnan(row.accuracy) else f"{100 * row.accuracy:.1f} %"
            lines.append(
                f"{row.name:<{width}}  {row.correct:7,}  {row.covered:7,}  {row.total:7,}  {accuracy:>9}"
            )
        return "\n".join(lines)


def similarity(
    vectors: Vectors,
    pairs: str | os.PathLike[str] | Iterable[tuple[str, str, float]],
    *,
    restrict: int | None = None,
    ignore_case: bool = True,
    count_unknown: bool = False,
) -> SimilarityResult:
    """Correlate the cosine similarities of word pairs with human scores.

    Parameters
    ----------
    vectors : Vectors
        The vectors to evaluate.
    pairs : str, path-like, or iterable of (str, str, float)
        A text file, plain or compressed, or the pairs themselves. A line has two words, perhaps tags of a few
        letters, and the score, the first column of numbers; further columns, ``#`` comments and a line with
        the names of the columns, such as "word1" and "word2", are ignored. Columns end at tabs, semicolons,
        commas or white space, whichever the first line has.
    restrict : int or None
        Only consider this many words, the first ones, which by convention are the most frequent: no others
        have a vector then, not even by their n-grams. None considers all.
    ignore_case : bool
        Whether "Paris" equals "paris"; if the vocabulary has several spellings, the first, most frequent one
        is used. A word that is not in the vocabulary is looked up as it is spelled in `pairs`.
    count_unknown : bool
        Whether pairs with a word without a vector count, with a cosine of 0. They are ignored otherwise.

    Returns
    -------
    SimilarityResult
        Spearman's and Pearson's correlation, and the number of pairs they are based on.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    TypeError, ValueError
        If a line or pair is not two words and a finite score (the message names it), or there are no pairs.

    Examples
    --------
    >>> from fastvec import evaluate
    >>> from fastvec.vectors import Vectors
    >>> vectors = Vectors(["cat", "dog", "car"], [[1, 0], [3, 1], [0, 1]])
    >>> print(evaluate.similarity(vectors, [("Cat", "Dog", 9), ("dog", "car", 2), ("cat", "cart", 1)]))
    pairs: Spearman 1.000, 2 of 3 pairs covered
    """
    name, judged = judged_pairs(pairs)
    if restrict is not None:
        restrict = check_int("restrict", restrict, 1)
    count_unknown = check_bool("count_unknown", count_unknown)
    fold = _fold(ignore_case)
    rows = _first_rows([*map(str, vectors.words[:restrict])], fold)
    cosines, scores, covered = [], [], 0
    for *pair, score in judged:
        a, b = (vectors.words[rows[fold(word)]] if fold(word) in rows else word for word in pair)
        cosine = None
        if restrict is None or rows.keys() >= {*map(fold, pair)}:
            with contextlib.suppress(UnknownWordError):
                cosine = vectors.similarity(a, b)
        covered += cosine is not None
        if cosine is not None or count_unknown:
            cosines.append(cosine or 0.0)
            scores.append(score)
    return SimilarityResult(
        name, spearman(cosines, scores), pearson(cosines, scores), pairs=len(judged), covered=covered
    )


def judged_pairs(
    pairs: str | os.PathLike[str] | Iterable[tuple[str, str, float]],
) -> tuple[str, list[tuple[str, str, float]]]:
    """Return the name of pairs of words, see `similarity`, and the pairs with their scores."""
    if isinstance(pairs, (str, os.PathLike)):
        file = on_disk(pairs, "pairs")
        return file.stem, _read_pairs(file)
    judged = _checked_pairs(pairs)
    if not judged:
        raise ValueError("pairs must hold at least one pair, got none")
    return "pairs", judged


def analogies(
    vectors: Vectors,
    path: str | os.PathLike[str],
    *,
    restrict: int | None = 300_000,
    ignore_case: bool = True,
    method: str = "3cosadd",
    count_unknown: bool = False,
) -> AnalogyResult:
    """Answer analogy questions, "a is to b as c is to d".

    The answer is the word, other than a, b and c, with the highest score, as in `Vectors.analogy`.

    Parameters
    ----------
    vectors : Vectors
        The vectors to evaluate.
    path : str or path-like
        A text file with four words per line, and lines ``: name`` that start a section, like Google's
        questions-words.txt.
    restrict : int or None
        Only consider this many words, the first ones, which by convention are the most frequent, in questions
        and answers; None considers all. The default is gensim's; papers often use 30,000.
    ignore_case : bool
        Whether "Athens" equals "athens"; if the vocabulary has several spellings, the first, most frequent
        one is used.
    method : {"3cosadd", "3cosmul"}
        How words are scored. By 3CosAdd (Mikolov, Yih and Zweig 2013) it is the cosine with b − a + c, of
        unit vectors; by 3CosMul (Levy and Goldberg 2014) the product of the cosines with b and c, divided by
        that with a, all of them shifted to be from 0 to 1.
    count_unknown : bool
        Whether questions with a word that is not in the vocabulary count as answered wrongly. They are
        ignored otherwise, with `SubwordVectors` too, since answers are chosen from the vocabulary.

    Returns
    -------
    AnalogyResult
        Correct answers and coverage by section, and the questions that were answered rightly and wrongly.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If a line is not four words (the message names file and line), or there are no questions.
    """
    if restrict is not None:
        restrict = check_int("restrict", restrict, 1)
    method = check_choice("method", method, ANALOGY_METHODS)
    count_unknown = check_bool("count_unknown", count_unknown)
    path = on_disk(path)
    fold = _fold(ignore_case)
    sections = _read_questions(path, fold)
    words = [*map(str, vectors.words[:restrict])]
    folded = [fold(word) for word in words]
    rows = _first_rows(words, fold)
    # For each row the row that stands for it: the first word that is equal but for its case.
    stands_for = np.array([rows[word] for word in folded], dtype=np.intp)
    same: dict[int, list[int]] = {}
    for row, first in enumerate(stands_for):
        same.setdefault(int(first), []).append(row)

    every = [question for _, questions in sections for question in questions if rows.keys() >= set(question)]
    known = np.array([[rows[word] for word in question] for question in every], dtype=np.intp)
    answered = _answer(vectors._matrix[:restrict], known.reshape(-1, 4), same, method)
    answers = iter(stands_for[answered].tolist())
    results = []
    for name, questions in sections:
        right: list[tuple[str, str, str, str]] = []
        wrong: list[tuple[str, str, str, str, str | None]] = []
        covered = 0
        for a, b, c, d in questions:
            if not rows.keys() >= {a, b, c, d}:
                wrong += [(a, b, c, d, None)] * count_unknown
                continue
            covered += 1
            asked = (words[rows[a]], words[rows[b]], words[rows[c]], words[rows[d]])
            answer = next(answers)
            if answer == rows[d]:
                right.append(asked)
            else:
                wrong.append((*asked, words[answer]))
        results.append(AnalogySection(name, len(right), covered, len(questions), tuple(right), tuple(wrong)))
    return AnalogyResult(path.stem, tuple(results))


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Return Spearman's rank correlation, equal values having the mean of their ranks; nan when undefined.

    Examples
    --------
    >>> from fastvec.evaluate import spearman
    >>> spearman([1, 2, 3, 4], [10, 20, 40, 30])
    0.8
    """
    return _cosine(_centred_ranks(x), _centred_ranks(y))


def pearson(x: ArrayLike, y: ArrayLike) -> float:
    """Return Pearson's correlation; nan when undefined.

    Examples
    --------
    >>> from fastvec.evaluate import pearson
    >>> pearson([1, 2, 3], [10, 20, 30])
    1.0
    """
    a, b = (_centred(np.asarray(values, dtype=np.float64)) for values in (x, y))
    return _cosine(a, b)


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what is left of values once their mean is taken from them, zeros if they are equal."""
    if not len(values) or (values == values[0]).all():
        return np.zeros(len(values))
    centred: NDArray[np.float64] = values - values.mean()
    return centred


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else float("nan")


def _centred_ranks(values: ArrayLike) -> NDArray[np.float64]:
    _, group, sizes = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    ranks: NDArray[np.float64] = (last - (sizes - 1) / 2)[group]
    return ranks - (len(ranks) + 1) / 2


def _answer(
    matrix: NDArray[np.float32], questions: NDArray[np.intp], same: dict[int, list[int]], method: str
) -> NDArray[np.intp]:
    """Return the row with the highest score for each question, shape (m, 4), whatever its fourth word.

    The product of a row with b − a + c is the sum of those with b, −a and c: a row is multiplied by the few
    hundred words of all questions, not by every question, and the first two are added once for all questions
    with the same a and b. The logarithm of 3CosMul's score is such a sum too.
    """
    asked, places = np.unique(questions[:, :3], return_inverse=True)
    pairs, pair_of = np.unique(places.reshape(-1, 3)[:, :2], axis=0, return_inverse=True)
    by_pair = np.argsort(pair_of.ravel(), kind="stable")
    third = places.reshape(-1, 3)[by_pair, 2]
    ends = np.cumsum(np.bincount(pair_of.ravel(), minlength=len(pairs))).tolist()
    own, first = _places(same, asked), _places(same, asked[pairs[:, 0]])
    queries = unit_rows(matrix[asked])
    best, answers = np.full(len(questions), -np.inf, np.float32), np.zeros(len(questions), np.intp)
    for begin in range(0, len(matrix) if len(questions) else 0, WORDS_AT_ONCE):
        products = queries @ unit_rows(matrix[begin : begin + WORDS_AT_ONCE]).T
        subtracted = products
        if method == "3cosmul":
            shifted = np.clip((1 + products) / 2, 0, 1)
            with np.errstate(divide="ignore"):
                products, subtracted = np.log(shifted), np.log(shifted + np.float32(LEAST_DIVISOR))
        _exclude(products, own, begin)
        with np.errstate(invalid="ignore"):  # where a is b
            differences = products[pairs[:, 1]] - subtracted[pairs[:, 0]]
        _exclude(differences, first, begin)
        for difference, start, end in zip(differences, [0, *ends], ends, strict=False):
            sums = products[third[start:end]]
            sums += difference
            rows = sums.argmax(axis=1)
            highest = sums[np.arange(len(rows)), rows]
            higher = highest > best[start:end]
            answers[start:end][higher] = begin + rows[higher]
            np.maximum(best[start:end], highest, out=best[start:end])
    answers[by_pair] = answers.copy()
    return answers


def _places(same: dict[int, list[int]], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return all rows of the words of `rows`, in ascending order, each with its number among `rows`."""
    found = [(other, number) for number, row in enumerate(rows.tolist()) for other in same[row]]
    return np.array(sorted(found), dtype=np.intp).reshape(-1, 2)


def _exclude(values: NDArray[np.float32], places: NDArray[np.intp], begin: int) -> None:
    """Make −inf of the values, shape (m, n), at `places`, of rows that are counted from `begin` on."""
    here = places[slice(*np.searchsorted(places[:, 0], (begin, begin + values.shape[1])))]
    values[here[:, 1], here[:, 0] - begin] = -np.inf


def _together(name: str, sections: Sequence[AnalogySection]) -> AnalogySection:
    return AnalogySection(
        name,
        correct=sum(section.correct for section in sections),
        covered=sum(section.covered for section in sections),
        total=sum(section.total for section in sections),
        right=tuple(question for section in sections for question in section.right),
        wrong=tuple(question for section in sections for question in section.wrong),
    )


def _fold(ignore_case: bool) -> Callable[[str], str]:
    return str.casefold if check_bool("ignore_case", ignore_case) else str


def _first_rows(words: Sequence[str], fold: Callable[[str], str]) -> dict[str, int]:
    """Return the row of the first word of each folded spelling."""
    rows: dict[str, int] = {}
    for row, word in enumerate(words):
        rows.setdefault(fold(word), row)
    return rows


def _checked_pairs(pairs: Any) -> list[tuple[str, str, float]]:
    rule = "pairs must be a path or pairs as (word, word, score), got"
    if not isinstance(pairs, Iterable):
        raise TypeError(f"{rule} {shortened(pairs)}")
    if isinstance(pairs, Mapping):
        raise TypeError(f"{rule} {shortened(pairs)}: pass [(a, b, score) for (a, b), score in pairs.items()]")
    if hasattr(pairs, "columns"):
        raise TypeError(f"{rule} {shortened(pairs)}: pass table.itertuples(index=False)")
    judged = []
    for number, pair in enumerate(pairs, 1):
        if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 3:
            raise TypeError(f"{rule} {shortened(pair)} as pair {number:,}")
        first, second = (check_item(f"every word of pair {number:,}", word) for word in list(pair)[:2])
        judged.append((first, second, check_float(f"the score of pair {number:,}", list(pair)[2])))
    return judged


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


def _read_pairs(path: Path) -> list[tuple[str, str, float]]:
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


def _read_questions(path: Path, fold: Callable[[str], str]) -> list[tuple[str, list[list[str]]]]:
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
        import csv

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
