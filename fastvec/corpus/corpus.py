"""Texts and other token sequences as integer ids, on which models are trained."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_bool, check_int, shortened
from fastvec.corpus import cache as caches
from fastvec.corpus.columns import encode_lists, sessions_of
from fastvec.corpus.fingerprint import fingerprint
from fastvec.corpus.ids import Encoded
from fastvec.corpus.reading import File, check_readable, files_of, is_on_disk, name_of
from fastvec.corpus.sequences import is_table
from fastvec.corpus.sources import Reading, encode
from fastvec.corpus.tags import with_tags
from fastvec.corpus.vocabulary import Vocabulary
from fastvec.exports.notebooks import FIRST, table
from fastvec.formats.atomic import check_regular, check_writable
from fastvec.formats.spool import Spool

__all__ = ["Corpus"]

# Words of a sentence that notebooks show.
WORDS_SHOWN = 20


class Corpus:
    """Sequences of words, read once and stored as integer ids, the most frequent word first.

    Parameters
    ----------
    source : str, PathLike, open file, list of those, column, table, or iterable of token sequences
        - Text files with one sentence per line and words separated by ASCII white space. A path; ``"-"``,
          standard input; a folder, whose files are read in the order of their paths, also those of its
          folders, but not hidden ones; a pattern such as ``"wiki/*.txt"``; an address such as
          ``"s3://bucket/wiki.txt"``, which needs fsspec; anything with a method ``read``. What is compressed
          with gzip, bzip2, xz or zstd is recognized by its content. Several threads split the text, as many
          as the process may use processors but at most eight; the ids do not depend on their number.
        - Sentences as lists of words, from any iterable. Words are str, or int (ids of products or nodes),
          which stay int if all of them are, and become str otherwise.
        - A column of lists or of texts: of pandas, Polars, PyArrow, or what else exports arrays of Arrow,
          which are read by pyarrow and not as objects of Python. A missing cell is a sentence without words,
          a missing item is left out.
        - With `column`, a table with such a column: also a query of Polars or DuckDB, a stream of record
          batches, a data set of PyArrow or Hugging Face, several tables, or Parquet files.
    lowercase : bool
        Whether to convert words to lower case with `str.lower`.
    tokenizer : callable, optional
        Function that splits a line (a str without its line end) into words, for files whose words are not
        separated by white space. With `lowercase`, the line is converted first.
    errors : {"strict", "replace", "ignore"}
        How to handle bytes that are not valid UTF-8: raise an error that says where they are, replace them
        by U+FFFD, or ignore them.
    keep_empty : bool
        Whether to keep sentences without words, so that sentence i is the i-th line or item of `source`. By
        default they are skipped.
    column : str, optional
        The column of tables or Parquet files that holds the sentences, as lists or texts.
    kmers : sequence of int, optional
        Length and stride of the words in FASTA files, as (6, 1): a record is a sentence. Letters are
        converted to upper case. Words of nucleotides that have another letter than A, C, G, T and U are left
        out, and those of amino acids that have X, * or -.
    tag : iterable of str or int, optional
        A tag for each sentence, such as its year, for temporal referencing [1]_: the words of a sentence get
        the tag, ``"gay_1990"``, but as contexts of other words they have none. `SkipGram` then learns
        vectors for each tag that need no alignment; other models refuse such a text.
    tag_words : collection of words, optional
        With `tag`, the only words that get tags. By default all do.
    cache : str or PathLike, optional
        File that keeps the ids, from which they are memory-mapped. As long as the files of `source`, the
        other parameters and the name of `tokenizer` are the same, the next Corpus opens it without reading
        the text.
    memory_limit : int
        Bytes of memory for the ids. More of them are kept in a temporary file (in the folder ``TMPDIR``, or
        beside `cache`), which is removed together with the corpus.
    progress : bool
        Whether to show a progress bar.

    Attributes
    ----------
    ids : int32 array, shape (n_tokens,)
        The words of all sentences, 0 for the most frequent word; read-only, possibly a `numpy.memmap`.
    sentence_offsets : int64 array, shape (n_sentences + 1,)
        Sentence i is ``ids[sentence_offsets[i]:sentence_offsets[i + 1]]``; read-only.
    vocabulary : Vocabulary
        All words, including those that occur only once.
    context_ids : int32 array, shape (n_words,), or None
        With `tag`, what each word is as a context: the most frequent one of those that differ from it in the
        tag alone.

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    TypeError
        If a parameter, a sentence or an item has the wrong type; a sentence must not be a str.
    ValueError
        If there are no words, unless `keep_empty`; if a file is corrupt, truncated, not UTF-8, or of a known
        kind that is no text with a sentence per line (FASTA, CoNLL-U, vectors, ...); if there are not as
        many tags as sentences; or if `cache` is a file of another kind.

    References
    ----------
    .. [1] H. Dubossarsky, S. Hengchen, N. Tahmasebi and D. Schlechtweg, "Time-out: temporal referencing for
       robust modeling of lexical semantic change", ACL 2019.

    Examples
    --------
    >>> corpus = Corpus([["to", "be", "or", "not", "to", "be"], ["be", "quick"]])
    >>> corpus
    Corpus(2 sentences, 8 tokens, 5 distinct words)
    >>> corpus.vocabulary.words
    ['be', 'to', 'or', 'not', 'quick']
    >>> corpus.ids
    array([1, 0, 2, 3, 1, 0, 0, 4], dtype=int32)
    """

    ids: NDArray[np.int32]
    sentence_offsets: NDArray[np.int64]
    vocabulary: Vocabulary
    context_ids: NDArray[np.int32] | None = None

    def __init__(
        self,
        source: Any,
        *,
        lowercase: bool = False,
        tokenizer: Callable[[str], Iterable[Any]] | None = None,
        errors: str = "strict",
        keep_empty: bool = False,
        column: str | None = None,
        kmers: Sequence[int] | None = None,
        tag: Iterable[str | int] | None = None,
        tag_words: Collection[str | int] | None = None,
        cache: str | os.PathLike[str] | None = None,
        memory_limit: int = 2**32,
        progress: bool = False,
    ) -> None:
        memory_limit = check_int("memory_limit", memory_limit, 1)
        progress = check_bool("progress", progress)
        how = Reading(lowercase, tokenizer, errors, keep_empty, column, kmers)
        files = None if is_table(source) else files_of(source)
        how.check(source, files)
        self._reading = how.described(files)
        if tag is None and tag_words is not None:
            raise ValueError(f"tag_words must be None unless tag is given, got {shortened(tag_words)}")
        self._set(*self._read(source, files, how, cache, memory_limit, progress))
        if tag is not None:
            self._tag(tag, tag_words, memory_limit)

    def _read(
        self,
        source: Any,
        files: list[File] | None,
        how: Reading,
        cache: str | os.PathLike[str] | None,
        memory_limit: int,
        progress: bool,
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], Vocabulary]:
        """Return the ids, the offsets of the sentences, and the vocabulary, of a cache or of the text."""
        key: dict[str, str] = {}
        if cache is not None:
            cache = os.fspath(cache)
            check_regular("cache", cache, "name a file to be made")
            key = _cache_key(files, how)
            if (kept := caches.reopen(cache, key)) is not None:
                return kept
            check_writable(cache)

        spool = Spool(np.int32, memory_limit, None if cache is None else Path(cache).absolute().parent)
        encoded = encode(source, files, how, spool, progress)
        if not encoded.words and not how.keep_empty:
            names = "source" if files is None else ", ".join(map(name_of, files))
            raise ValueError(f"{names} holds no words")
        contents = encoded.finish(how.lowercase)
        if cache is not None:
            caches.save(cache, *contents, key)
            del contents
            kept = caches.reopen(cache, key)
            assert kept is not None
            contents = kept
        return contents

    def _tag(
        self, tag: Iterable[str | int], tag_words: Collection[str | int] | None, memory_limit: int
    ) -> None:
        ids, vocabulary, context_ids, tags = with_tags(
            self.ids, self.sentence_offsets, self.vocabulary, tag, tag_words, memory_limit
        )
        context_ids.flags.writeable = False
        self.context_ids = context_ids
        self._reading["tags"] = tags
        self._set(ids, self.sentence_offsets, vocabulary)

    @classmethod
    def from_rows(
        cls,
        rows: Any,
        session: str,
        item: str,
        time: str | None = None,
        *,
        memory_limit: int = 2**32,
    ) -> Corpus:
        """Return the items of each session as a sentence, in the order of time.

        Sessions are in the order in which they first appear. Rows without a session or an item are left out.

        Parameters
        ----------
        rows : table, str or PathLike
            A table of pandas, Polars or PyArrow, a query, a data set, or the path of a CSV or Parquet file,
            which pyarrow reads. Whole numbers in a CSV file are int.
        session : str
            The column that says which rows belong together: an order, a user, a playlist, ...
        item : str
            The column of items, str or int.
        time : str, optional
            The column by which the rows of a session are sorted; rows of the same time, and all rows by
            default, stay in their order.
        memory_limit : int
            Bytes of memory for the ids. More of them are kept in a temporary file.

        Returns
        -------
        Corpus

        Raises
        ------
        ImportError
            If pyarrow is missing.
        TypeError, ValueError
            If there is no such column, or there are no rows.
        """
        memory_limit = check_int("memory_limit", memory_limit, 1)
        rows = os.fspath(rows) if isinstance(rows, os.PathLike) else rows
        sessions = sessions_of(rows, session, item, time)
        if not len(sessions):
            raise ValueError(f"rows must have one with {session!r} and {item!r} at least, got none")
        return cls._of(encode_lists([sessions], False, Spool(np.int32, memory_limit), lambda n: None), {})

    @classmethod
    def _of(cls, encoded: Encoded, reading: dict[str, Any]) -> Corpus:
        """Return a corpus of provisional ids, made of one that was read in such a way."""
        return cls._of_ids(*encoded.finish(), reading)

    @classmethod
    def _of_ids(
        cls,
        ids: NDArray[np.int32],
        sentence_offsets: NDArray[np.int64],
        vocabulary: Vocabulary,
        reading: dict[str, Any],
    ) -> Corpus:
        """Return a corpus of final ids, made of one that was read in such a way."""
        corpus = cls.__new__(cls)
        corpus._reading = reading
        corpus._set(ids, sentence_offsets, vocabulary)
        return corpus

    def _set(
        self, ids: NDArray[np.int32], sentence_offsets: NDArray[np.int64], vocabulary: Vocabulary
    ) -> None:
        sentence_offsets.flags.writeable = False
        self.ids = ids
        self.sentence_offsets = sentence_offsets
        self.vocabulary = vocabulary

    @property
    def n_tokens(self) -> int:
        """Total number of words in all sentences."""
        return len(self.ids)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """What the files of models say of the text: names of files, options, sizes, and a hash of the ids.

        The hash (``"sha256"``) is that of the words, their counts and places: it does not depend on how a
        text is compressed, nor on the folder it is in.
        """
        arrays: list[NDArray[Any]] = [self.ids, self.sentence_offsets]
        if self.context_ids is not None:
            arrays.append(self.context_ids)
        return {
            **self._reading,
            "sentences": len(self),
            "words": self.n_tokens,
            "distinct_words": len(self.vocabulary),
            "sha256": fingerprint(self.vocabulary, *arrays),
        }

    def __len__(self) -> int:
        return len(self.sentence_offsets) - 1

    def __iter__(self) -> Iterator[list[Any]]:
        words = self.vocabulary.words
        for i in range(len(self)):
            begin, end = self.sentence_offsets[i : i + 2]
            yield [words[word] for word in self.ids[begin:end].tolist()]

    def __repr__(self) -> str:
        n_words = len(self.vocabulary)
        return f"Corpus({len(self):,} sentences, {self.n_tokens:,} tokens, {n_words:,} distinct words)"

    def _repr_html_(self) -> str:
        """Return a table of the first sentences, as notebooks show it."""
        rows = []
        for number, (begin, end) in enumerate(pairwise(self.sentence_offsets[: FIRST + 1].tolist()), 1):
            words = [str(self.vocabulary.words[i]) for i in self.ids[begin : min(end, begin + WORDS_SHOWN)]]
            rows.append([number, " ".join([*words, *["..."][: end - begin - len(words)]])])
        return table(repr(self), ["", "sentence"], rows)


def _cache_key(files: list[File] | None, how: Reading) -> dict[str, str]:
    """Return everything that the contents of a cache depend on.

    Raises
    ------
    ValueError
        If this is unknown: the source is not files on disk, or the tokenizer has no name.
    """
    if files is None or not all(map(is_on_disk, files)):
        raise ValueError("cache must be None unless source is files, whose changes can be detected")
    check_readable(files)
    sources = []
    for path in files:
        status = Path(path).stat()
        sources.append((str(Path(path).absolute()), status.st_size, status.st_mtime_ns))
    options = {**vars(how), "tokenizer": how.tokenizer and _name_of(how.tokenizer)}
    return {"sources": json.dumps(sources), "options": json.dumps(options)}


def _name_of(tokenizer: Callable[[str], Any]) -> str:
    module, name = getattr(tokenizer, "__module__", None), getattr(tokenizer, "__qualname__", "")
    if module is None or getattr(sys.modules.get(module), name, None) is not tokenizer:
        raise ValueError(
            "cache must be None unless tokenizer is a module-level function, "
            f"which is identified by its name, got {tokenizer!r}"
        )
    return f"{module}.{name}"
