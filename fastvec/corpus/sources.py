"""What a corpus can be made of, and how it is read.

| source | a sentence is |
|---|---|
| files: paths, folders, patterns, addresses, open files | a line |
| the same with `kmers`, in FASTA | a record |
| the same with `column`, in Parquet | a cell |
| a column of Arrow, Polars, pandas, ... | a cell |
| a table, a query or several of them, with `column` | a cell |
| any other iterable | an item |

Cells are lists of words, or texts, which are split as lines are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fastvec._params import check_bool, check_choice
from fastvec.corpus.columns import (
    arrays_of,
    arrays_of_files,
    column_of_objects,
    encode_lists,
    has_objects,
    is_column,
    is_missing_item,
    text_pieces,
    texts_of,
)
from fastvec.corpus.ids import Encoded, encode_pieces, encode_sentences, file_pieces
from fastvec.corpus.kmers import check_kmers, kmer_pieces
from fastvec.corpus.reading import File, check_readable, name_of, read_lines
from fastvec.corpus.sequences import check_sequences, is_table
from fastvec.formats.spool import Spool
from fastvec.training.progress import Progress

__all__ = ["Reading", "encode"]

WORD = re.compile(r"[^ \t\n\v\f\r]+")
SPLIT = "tokenizer must be None if source holds sentences that are already split"
RULE = "a path, a list of paths or an iterable of lists of words"


@dataclass(frozen=True)
class Reading:
    """How a source is read: the parameters of `Corpus` of these names."""

    lowercase: bool
    tokenizer: Callable[[str], Iterable[Any]] | None
    errors: str
    keep_empty: bool
    column: str | None
    kmers: Sequence[int] | None

    def check(self, source: Any, files: list[File] | None) -> None:
        """Validate the parameters, and what they are given with.

        Raises
        ------
        TypeError, ValueError
            The message names the parameter, the rule and the value.
        """
        check_bool("lowercase", self.lowercase)
        check_choice("errors", self.errors, ("strict", "replace", "ignore"))
        check_bool("keep_empty", self.keep_empty)
        if self.tokenizer is not None and not callable(self.tokenizer):
            raise TypeError(f"tokenizer must be a callable or None, got {self.tokenizer!r}")
        if self.column is not None and not isinstance(self.column, str):
            raise TypeError(f"column must be a str or None, got {self.column!r}")
        has_column = self.column is not None and is_table(source)
        if files is None and not has_column and not is_column(source):
            check_sequences("source", RULE, source)
        if self.kmers is not None:
            check_kmers(self.kmers)
            if files is None or self.column is not None or self.tokenizer is not None:
                raise ValueError("kmers must be None unless source is FASTA files, read without a tokenizer")
        may_be_texts = (
            files is not None or self.column is not None or is_column(source) or has_objects(source)
        )
        if self.tokenizer is not None and not may_be_texts:
            raise ValueError(SPLIT)

    def described(self, files: list[File] | None) -> dict[str, Any]:
        """Return the names of what was read, and the options that are not the usual ones."""
        reading: dict[str, Any] = (
            {} if files is None else {"files": [Path(name_of(file)).name for file in files]}
        )
        if self.lowercase:
            reading["lowercase"] = True
        if self.tokenizer is not None:
            reading["tokenizer"] = getattr(self.tokenizer, "__qualname__", type(self.tokenizer).__qualname__)
        if self.errors != "strict":
            reading["errors"] = self.errors
        if self.keep_empty:
            reading["keep_empty"] = True
        if self.column is not None:
            reading["column"] = self.column
        if self.kmers is not None:
            reading["kmers"] = list(self.kmers)
        return reading


def encode(source: Any, files: list[File] | None, how: Reading, spool: Spool, progress: bool) -> Encoded:
    """Add the provisional ids of a source to `spool`.

    Parameters
    ----------
    source : object
        What is read if `files` is None.
    files : list of File or None
        The files that `source` is.
    how : Reading
        The parameters, validated.
    spool : Spool
        For the ids.
    progress : bool
        Whether to show a bar.
    """
    if files is None and how.column is not None:
        objects = column_of_objects(source, how.column)
        source, how = (source, how) if objects is None else (objects, replace(how, column=None))
    if how.column is not None or is_column(source):
        with Progress("reading", None, " sentences", progress) as bar:
            arrays = (
                arrays_of(source, how.column) if files is None else arrays_of_files(files, str(how.column))
            )
            return _of_arrays(arrays, how, spool, bar.update)
    if files is None:
        total = len(source) if progress and isinstance(source, Sized) else None
        with Progress("reading", total, " sentences", progress) as bar:
            sentences = _split(source, how) if has_objects(source) else source
            return encode_sentences(bar.over(sentences), how.keep_empty, spool)
    with Progress("reading", check_readable(files), "B", progress) as bar:
        if how.tokenizer is not None:
            lines = (
                _tokens(line, how) for file in files for line in read_lines(file, how.errors, bar.update)
            )
            return encode_sentences(lines, how.keep_empty, spool)
        if how.kmers is not None:
            pieces = kmer_pieces(files, *check_kmers(how.kmers), how.errors, bar.update)
        else:
            pieces = file_pieces(files, how.errors, bar.update)
        return encode_pieces(pieces, how.keep_empty, spool)


def _of_arrays(arrays: Iterator[Any], how: Reading, spool: Spool, report: Callable[[int], object]) -> Encoded:
    are_texts, arrays = texts_of(arrays)
    if not are_texts and how.tokenizer is not None:
        raise ValueError(SPLIT)
    if not are_texts:
        return encode_lists(arrays, how.keep_empty, spool, report)
    if how.tokenizer is not None:
        texts = ([] if text is None else _tokens(text, how) for array in arrays for text in array.to_pylist())
        return encode_sentences(texts, how.keep_empty, spool)
    return encode_pieces(text_pieces(arrays, report), how.keep_empty, spool)


def _split(cells: Any, how: Reading) -> Iterator[Any]:
    """Yield cells that are texts as their words, missing ones as none, and lists without missing items."""
    for cell, is_missing in zip(cells, cells.isna(), strict=True):
        if is_missing:
            yield []
        elif isinstance(cell, str):
            yield _tokens(cell, how)
        elif isinstance(cell, (list, tuple)) and not {str, int}.issuperset(map(type, cell)):
            yield [item for item in cell if not is_missing_item(item)]
        else:
            yield cell


def _tokens(line: str, how: Reading) -> Iterable[Any]:
    """Return the words of a line, converted to lower case first if a tokenizer splits it."""
    if how.tokenizer is None:
        return WORD.findall(line)
    tokens = how.tokenizer(line.lower() if how.lowercase else line)
    if isinstance(tokens, (str, bytes)):
        raise TypeError(f"tokenizer must return an iterable of words, got {tokens!r}")
    return tokens
