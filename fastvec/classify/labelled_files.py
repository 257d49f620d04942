"""Files with labels: columns with one word per line (CoNLL), and one text per line (fastText)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import compress, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import check_choice, check_int
from fastvec.corpus.ids import invalid_piece, whole_words
from fastvec.corpus.reading import check_readable, read_blocks, read_lines
from fastvec.formats.kinds import conll_u
from fastvec.training.threads import Workers, file_threads

__all__ = [
    "LABEL",
    "WORDS",
    "ColumnFile",
    "LabelledLines",
    "NumberedLines",
    "read_columns",
    "read_conll",
    "read_labelled_lines",
]

# What a label begins with in a line, by fastText's convention.
LABEL = "__label__"
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


class LabelledLines:
    r"""A file of labelled texts in fastText's format: one text per line, with its labels among its words.

    Its words are read only where they are used: `TextClassifier` fits to it without making lists of them.

    Parameters
    ----------
    path : str or path-like
        The file, plain or compressed.
    label_prefix : str
        What a label begins with.
    errors : {"strict", "replace", "ignore"}
        How to handle bytes that are not valid UTF-8.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fastvec.classify import LabelledLines, TextClassifier
    >>> _ = Path("dishes.txt").write_text("#sweet #cold ice cream\n#hot soup\n")
    >>> TextClassifier(loss="one_vs_all").fit(LabelledLines("dishes.txt", label_prefix="#")).classes_
    array(['cold', 'hot', 'sweet'], dtype='<U5')
    """

    def __init__(
        self, path: str | os.PathLike[str], *, label_prefix: str = LABEL, errors: str = "strict"
    ) -> None:
        if not isinstance(label_prefix, str) or not label_prefix or WORDS.sub("", label_prefix):
            raise ValueError(
                f"label_prefix must be a str without white space, such as {LABEL!r}, got {label_prefix!r}"
            )
        check_choice("errors", errors, ERRORS)
        self.path = os.fspath(path)
        self.label_prefix = label_prefix
        self.errors = errors

    def __repr__(self) -> str:
        return f"LabelledLines({self.path!r}, label_prefix={self.label_prefix!r})"

    def read(self) -> NumberedLines:
        """Return the lines that are not empty.

        Returns
        -------
        NumberedLines
            Their words and labels.

        Raises
        ------
        OSError
            If the file is missing or cannot be read.
        ValueError
            If a line has no label or an empty one (the message names file and line), or there are no lines.
        """
        lines = self.read_any()
        n_labels, n_words = np.diff(lines.label_offsets), np.diff(lines.offsets)
        some = n_labels + n_words > 0
        bad = some & (n_labels == 0)
        if "" in lines.labels:
            without = lines.label_numbers == lines.labels.index("")
            bad |= np.add.reduceat(np.append(without, False), lines.label_offsets[:-1]) * n_labels > 0
        if bad.any():
            line = int(bad.argmax())
            hint = f"{self.label_prefix} without a label: is there a space too many behind it?"
            raise ValueError(
                f"{self.path}, line {line + 1:,}: a text must have one {self.label_prefix}..., "
                f"got {hint if n_labels[line] else 0}"
            )
        if not some.any():
            raise ValueError(f"{self.path}: the file has no texts")
        return lines._replace(
            offsets=np.append(lines.offsets[:-1][some], lines.offsets[-1]),
            label_offsets=np.append(lines.label_offsets[:-1][some], lines.label_offsets[-1]),
        )

    def read_any(self) -> NumberedLines:
        """Return all lines, whether or not they have labels and words.

        Returns
        -------
        NumberedLines
            Their words and labels.
        """
        check_readable([self.path])
        names, ids, ends = _tokens(self.path, self.errors)
        is_label_name = np.array([name.startswith(self.label_prefix) for name in names], np.bool_)
        is_label = is_label_name[ids]
        offsets = np.concatenate(([0], ends))
        label_offsets = np.concatenate(([0], np.cumsum(is_label)))[offsets]
        # The numbers of words and of labels, each among its own.
        numbers = np.where(is_label_name, np.cumsum(is_label_name), np.cumsum(~is_label_name)) - 1
        of_tokens = numbers.astype(np.int32)[ids]
        return NumberedLines(
            list(compress(names, (~is_label_name).tolist())),
            of_tokens[~is_label],
            offsets - label_offsets,
            [name[len(self.label_prefix) :] for name in compress(names, is_label_name.tolist())],
            of_tokens[is_label],
            label_offsets,
        )


class NumberedLines(NamedTuple):
    """The words and labels of lines, as numbers of the different ones.

    Attributes
    ----------
    words : list of str
        The different words.
    numbers : int32 array
        Which of these the words are, those of one line after the other.
    offsets : int64 array, shape (n_lines + 1,)
        Line t has numbers[offsets[t]:offsets[t + 1]].
    labels : list of str
        The different labels, without their prefix.
    label_numbers, label_offsets : arrays
        Those of each line, in the same manner.
    """

    words: list[str]
    numbers: NDArray[np.int32]
    offsets: NDArray[np.int64]
    labels: list[str]
    label_numbers: NDArray[np.int32]
    label_offsets: NDArray[np.int64]

    def lists(self) -> tuple[list[list[str]], list[list[str]]]:
        """Return the words and the labels of every line."""
        return (
            _in_lists(self.words, self.numbers, self.offsets),
            _in_lists(self.labels, self.label_numbers, self.label_offsets),
        )


def _in_lists(names: list[str], numbers: NDArray[np.int32], offsets: NDArray[np.int64]) -> list[list[str]]:
    found = list(map(names.__getitem__, numbers.tolist()))
    return [found[begin:end] for begin, end in pairwise(offsets.tolist())]


def read_labelled_lines(
    path: str | os.PathLike[str], *, label_prefix: str = LABEL, errors: str = "strict"
) -> tuple[list[list[str]], list[str] | list[list[str]]]:
    r"""Read labelled texts in fastText's format: one per line, with labels as ``__label__...`` in it.

    Parameters
    ----------
    path : str or path-like
        The file, plain or compressed. Empty lines are skipped.
    label_prefix : str
        What a label begins with.
    errors : {"strict", "replace", "ignore"}
        How to handle bytes that are not valid UTF-8.

    Returns
    -------
    documents : list of list of str
        The words of every text, split on white space.
    labels : list of str, or list of list of str
        Their labels, without the prefix; a list for each text if one has several.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If a line has no label or an empty one (the message names file and line), or there are no lines.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fastvec.classify import read_labelled_lines
    >>> _ = Path("films.txt").write_text("__label__good a fine film\n__label__bad dull\n")
    >>> read_labelled_lines("films.txt")
    ([['a', 'fine', 'film'], ['dull']], ['good', 'bad'])
    """
    documents, labels = LabelledLines(path, label_prefix=label_prefix, errors=errors).read().lists()
    if all(len(of_text) == 1 for of_text in labels):
        return documents, [label for (label,) in labels]
    return documents, labels


def _tokens(path: str, errors: str) -> tuple[list[str], NDArray[np.int32], NDArray[np.int64]]:
    """Return the different tokens of a file, which of them each token is, and where lines end among them."""
    tokenizer, split = kernels.tokenizer.Tokenizer(keep_empty=True), kernels.tokenizer.split
    names: list[str] = []
    ids, ends = [np.empty(0, np.int32)], [np.empty(0, np.int64)]
    n_lines = n_bytes = 0
    texts = whole_words(read_blocks(path, errors, lambda n: None))
    with Workers(file_threads()) as workers:
        for piece in workers.in_order(lambda text: split(text, keep_empty=True), texts):
            of_piece, ends_of_piece = tokenizer.add(piece)
            try:
                names += tokenizer.words(len(names)).decode().split("\n")[:-1]
            except UnicodeDecodeError:
                raise invalid_piece(path, piece.text, n_lines, n_bytes) from None
            ids.append(of_piece)
            ends.append(ends_of_piece)
            n_lines += piece.n_lines
            n_bytes += len(piece.text)
    return names, np.concatenate(ids), np.concatenate([*ends, tokenizer.finish()])


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
