"""Files with labels: columns with one word per line (CoNLL), and one text per line (fastText)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import check_choice, check_int
from fastvec.corpus.ids import invalid_piece, whole_words
from fastvec.corpus.reading import check_readable, read_blocks, read_lines
from fastvec.formats.kinds import conll_u

__all__ = [
    "LABEL",
    "WORDS",
    "ColumnFile",
    "read_columns",
    "read_conll",
    "read_labelled_lines",
    "read_lines_of",
]

# What a label begins with in a line, by fastText's convention.
LABEL = "__label__"
SEVERAL = "; repeat the text in a line for each label: fastText's softmax, too, learns one at a time"
ERRORS = ("strict", "replace", "ignore")
# Words are separated by the white space of ASCII, as in `Corpus`.
WORDS = re.compile(r"[^ \t\n\r\v\f]+")
# The line that CoNLL-2003 puts between documents; it is no sentence.
DOCUMENT_START = "-DOCSTART-"


class ColumnFile(NamedTuple):
    """The contents of a file in columns.

    Attributes
    ----------
    path : str
        The file.
    rows : list of list of list of str
        The columns of every word of every sentence.
    n_columns : int
        How many there are.
    """

    path: str
    rows: list[list[list[str]]]
    n_columns: int

    def words(self) -> list[list[str]]:
        """Return the first column."""
        return [[columns[0] for columns in sentence] for sentence in self.rows]

    def labels(self, column: int) -> list[list[str]]:
        """Return a column, counted from 1, or from the end with -1.

        Raises
        ------
        TypeError, ValueError
            If there is no such column, or it is that of the words.
        """
        check_int("column", column, -self.n_columns, self.n_columns)
        place = column - 1 if column > 0 else self.n_columns + column
        if not 0 < place < self.n_columns:
            raise ValueError(
                f"{self.path}: column must be one after the first, in which the words are, got {column} "
                f"of {self.n_columns}"
            )
        return [[columns[place] for columns in sentence] for sentence in self.rows]


def read_columns(path: str | os.PathLike[str], errors: str = "strict") -> ColumnFile:
    """Read a file with one word per line, columns separated by white space, and empty lines in between.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the number of columns changes, a word has a space in it where columns end at tabs, or the file has
        no words or is CoNLL-U.
    """
    path = os.fspath(path)
    sentences: list[list[list[str]]] = [[]]
    n_columns = first = 0
    for number, line in _without_conll_u(path, _numbered_lines(path, errors)):
        columns = WORDS.findall(line)
        if not columns or columns[0] == DOCUMENT_START:
            sentences.append([])
        else:
            n_columns, first = (n_columns, first) if first else (len(columns), number)
            if len(columns) != n_columns:
                raise ValueError(
                    f"{path}, line {number:,}: a word must have the {n_columns} columns of line {first:,}, "
                    f"got {len(columns)}: {line[:60]!r}"
                )
            if "\t" in line and any(len(WORDS.findall(column)) > 1 for column in line.split("\t")):
                raise ValueError(
                    f"{path}, line {number:,}: a word has a space in it where columns end at tabs: "
                    f"{line[:60]!r}; replace it, for example with tr ' ' _"
                )
            sentences[-1].append(columns)
    if not first:
        raise ValueError(f"{path}: the file has no words")
    return ColumnFile(path, [sentence for sentence in sentences if sentence], n_columns)


def read_conll(
    path: str | os.PathLike[str], column: int = -1, *, errors: str = "strict"
) -> tuple[list[list[str]], list[list[str]]]:
    r"""Read labelled sentences: one word per line with labels in further columns, and empty lines in between.

    Parameters
    ----------
    path : str or path-like
        The file, plain or compressed. Lines ``-DOCSTART-`` are skipped.
    column : int
        Column of the labels, counted from 1, or from the end with -1.
    errors : {"strict", "replace", "ignore"}
        How to handle bytes that are not valid UTF-8.

    Returns
    -------
    sentences, labels : list of list of str
        The first column, and the column of the labels.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the number of columns changes (the message names file and line), a word has a space in it where
        columns end at tabs, there is no such column, or the file is CoNLL-U, whose words are in the second
        column (the message has a command that converts it).

    Examples
    --------
    >>> from pathlib import Path
    >>> from fastvec.classify import read_conll
    >>> _ = Path("names.conll").write_text("we O\nmet O\n\nin O\nParis LOC\n")
    >>> read_conll("names.conll")
    ([['we', 'met'], ['in', 'Paris']], [['O', 'O'], ['O', 'LOC']])
    """
    file = read_columns(path, errors)
    return file.words(), file.labels(column)


def read_labelled_lines(
    path: str | os.PathLike[str], *, errors: str = "strict"
) -> tuple[list[list[str]], list[str]]:
    r"""Read labelled texts in fastText's format: one per line, starting with ``__label__`` and the label.

    Parameters
    ----------
    path : str or path-like
        The file, plain or compressed. Empty lines are skipped.
    errors : {"strict", "replace", "ignore"}
        How to handle bytes that are not valid UTF-8.

    Returns
    -------
    documents : list of list of str
        The words of every text, split on white space.
    labels : list of str
        Their labels, without ``__label__``.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If a line does not have exactly one label, which is not empty (the message names file and line), or
        there are no lines.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fastvec.classify import read_labelled_lines
    >>> _ = Path("films.txt").write_text("__label__good a fine film\n__label__bad dull\n")
    >>> read_labelled_lines("films.txt")
    ([['a', 'fine', 'film'], ['dull']], ['good', 'bad'])
    """
    documents, labels = [], []
    for number, words, found in read_lines_of(path, errors):
        if not words and not found:
            continue
        if len(found) != 1 or not found[0]:
            got = f"{len(found)}{SEVERAL if len(found) > 1 else ''}"
            raise ValueError(
                f"{os.fspath(path)}, line {number:,}: a text must have one {LABEL}..., got "
                f"{got if all(found) else f'{LABEL} without a label: is there a space too many behind it?'}"
            )
        documents.append(words)
        labels.append(found[0])
    if not documents:
        raise ValueError(f"{os.fspath(path)}: the file has no texts")
    return documents, labels


def read_lines_of(
    path: str | os.PathLike[str], errors: str = "strict"
) -> Iterator[tuple[int, list[str], list[str]]]:
    """Yield the number of every line, its words, and its labels.

    Words that are equal are one object: the tokenizer tells them apart once.
    """
    path = os.fspath(path)
    number, tokens = 0, list[str]()
    label_places = np.empty(0, np.intp)  # among the tokens
    for of_block, is_label, ends in _tokens_of_blocks(path, errors):
        ends, label_places = ends + len(tokens), np.append(label_places, is_label.nonzero()[0] + len(tokens))
        tokens += of_block
        begin = first = 0
        n_labels = np.searchsorted(label_places, ends)
        for end, last in zip(ends.tolist(), n_labels.tolist(), strict=True):
            number += 1
            if first == last:
                yield number, tokens[begin:end], []
            elif last == first + 1 and label_places[first] == begin:
                yield number, tokens[begin + 1 : end], [tokens[begin][len(LABEL) :]]
            else:
                line = tokens[begin:end]
                words = [token for token in line if not token.startswith(LABEL)]
                yield number, words, [token[len(LABEL) :] for token in line if token.startswith(LABEL)]
            begin, first = end, last
        del tokens[:begin]
        label_places = label_places[first:] - begin


def _tokens_of_blocks(
    path: str, errors: str
) -> Iterator[tuple[list[str], NDArray[np.bool_], NDArray[np.int64]]]:
    """Yield the tokens of every block of a file, which of them are labels, and where lines end among them."""
    check_choice("errors", errors, ERRORS)
    check_readable([path])
    tokenizer, split = kernels.tokenizer.Tokenizer(keep_empty=True), kernels.tokenizer.split
    names: list[str] = []
    labels: list[int] = []
    n_lines = n_bytes = 0
    for text in whole_words(read_blocks(path, errors, lambda n: None)):
        n_before = tokenizer.n_tokens
        piece = split(text, keep_empty=True)
        ids, ends = tokenizer.add(piece)
        try:
            new_names = tokenizer.words(len(names)).decode().split("\n")[:-1]
        except UnicodeDecodeError:
            raise invalid_piece(path, text, n_lines, n_bytes) from None
        labels += [place for place, name in enumerate(new_names, len(names)) if name.startswith(LABEL)]
        names += new_names
        n_lines += piece.n_lines
        n_bytes += len(text)
        is_label = np.zeros(len(names), np.bool_)
        is_label[labels] = True
        yield [*map(names.__getitem__, ids.tolist())], is_label[ids], ends - n_before
    yield [], np.zeros(0, np.bool_), tokenizer.finish() - tokenizer.n_tokens


def _without_conll_u(path: str, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield lines unless the first of them that is no comment is of CoNLL-U."""
    is_begun = False
    for number, line in lines:
        if not is_begun and line.strip() and not line.startswith("#"):
            is_begun = True
            if reason := conll_u([line.encode()]):
                raise ValueError(f"{path} {reason}")
        yield number, line


def _numbered_lines(path: str, errors: str) -> Iterator[tuple[int, str]]:
    check_choice("errors", errors, ERRORS)
    check_readable([path])
    return enumerate(read_lines(path, errors, lambda n: None), 1)
