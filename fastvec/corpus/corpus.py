"""Texts and other token sequences as integer ids, on which models are trained."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_bool, check_choice, check_int
from fastvec.corpus.fingerprint import fingerprint
from fastvec.corpus.ids import Encoded, encode_files, encode_sentences, open_cache, save_cache
from fastvec.corpus.reading import STANDARD_INPUT, check_readable, read_lines
from fastvec.corpus.sequences import check_sequences
from fastvec.corpus.vocabulary import Vocabulary
from fastvec.formats.atomic import check_regular, check_writable
from fastvec.formats.spool import Spool
from fastvec.training.progress import Progress

__all__ = ["Corpus"]


class Corpus:
    """Sequences of words, read once and stored as integer ids, the most frequent word first.

    Parameters
    ----------
    source : str, PathLike, list of those, or iterable of token sequences
        Text files with one sentence per line and words separated by ASCII white space: a path, a list of
        paths, or ``"-"`` for standard input. Files compressed with gzip, bzip2, xz or zstd are recognized by
        their content. Or sentences as lists of words, from any iterable; words are str, or int (ids of
        products or nodes), which are converted to str. Files are read by several threads, as many as the
        process may use processors but at most eight; the ids do not depend on their number.
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

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    TypeError
        If a parameter, a sentence or an item has the wrong type; a sentence must not be a str.
    ValueError
        If there are no words, unless `keep_empty`; if a file is corrupt, truncated, not UTF-8, or of a known
        kind that is no text with a sentence per line (FASTA, CoNLL-U, vectors, ...); or if `cache` is a file
        of another kind.

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

    def __init__(
        self,
        source: str | os.PathLike[str] | Iterable[Any],
        *,
        lowercase: bool = False,
        tokenizer: Callable[[str], Iterable[Any]] | None = None,
        errors: str = "strict",
        keep_empty: bool = False,
        cache: str | os.PathLike[str] | None = None,
        memory_limit: int = 2**32,
        progress: bool = False,
    ) -> None:
        lowercase = check_bool("lowercase", lowercase)
        errors = check_choice("errors", errors, ("strict", "replace", "ignore"))
        keep_empty = check_bool("keep_empty", keep_empty)
        memory_limit = check_int("memory_limit", memory_limit, 1)
        progress = check_bool("progress", progress)
        if tokenizer is not None and not callable(tokenizer):
            raise TypeError(f"tokenizer must be a callable or None, got {tokenizer!r}")
        paths = _paths(source)
        self._reading = _reading(paths, lowercase, tokenizer, errors, keep_empty)
        if paths is None and tokenizer is not None:
            raise ValueError("tokenizer must be None if source holds sentences that are already split")

        key: dict[str, str] = {}
        if cache is not None:
            cache = os.fspath(cache)
            check_regular("cache", cache, "name a file to be made")
            key = _cache_key(paths, lowercase, tokenizer, errors, keep_empty)
            if (kept := open_cache(cache, key)) is not None:
                self._set(*kept)
                return
            check_writable(cache)

        spool = Spool(np.int32, memory_limit, None if cache is None else Path(cache).absolute().parent)
        if paths is None:
            sentences = cast(Iterable[Any], source)
            total = len(sentences) if progress and isinstance(sentences, Sized) else None
            with Progress("reading", total, " sentences", progress) as bar:
                encoded = encode_sentences(bar.over(sentences), keep_empty, spool)
        else:
            with Progress("reading", check_readable(paths), "B", progress) as bar:
                if tokenizer is None:
                    encoded = encode_files(paths, errors, keep_empty, spool, bar.update)
                else:
                    lines = _tokenized_lines(paths, tokenizer, lowercase, errors, bar.update)
                    encoded = encode_sentences(lines, keep_empty, spool)
        if not encoded.words and not keep_empty:
            raise ValueError(f"{'source' if paths is None else ', '.join(paths)} holds no words")
        contents = encoded.finish(lowercase)
        if cache is not None:
            save_cache(cache, *contents, key)
            del contents
            kept = open_cache(cache, key)
            assert kept is not None
            contents = kept
        self._set(*contents)

    @classmethod
    def _of(cls, encoded: Encoded, reading: dict[str, Any]) -> Corpus:
        """Return a corpus of provisional ids, made of one that was read in such a way."""
        corpus = cls.__new__(cls)
        corpus._reading = reading
        corpus._set(*encoded.finish())
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
        return {
            **self._reading,
            "sentences": len(self),
            "words": self.n_tokens,
            "distinct_words": len(self.vocabulary),
            "sha256": fingerprint(self.vocabulary, self.ids, self.sentence_offsets),
        }

    def __len__(self) -> int:
        return len(self.sentence_offsets) - 1

    def __iter__(self) -> Iterator[list[str]]:
        words = self.vocabulary.words
        for i in range(len(self)):
            begin, end = self.sentence_offsets[i : i + 2]
            yield [words[word] for word in self.ids[begin:end].tolist()]

    def __repr__(self) -> str:
        n_words = len(self.vocabulary)
        return f"Corpus({len(self):,} sentences, {self.n_tokens:,} tokens, {n_words:,} distinct words)"


def _paths(source: Any) -> list[str] | None:
    """Return the paths in `source`, or None if it is an iterable of sentences."""
    if isinstance(source, (str, os.PathLike)):
        return [os.fspath(source)]
    if (
        isinstance(source, (list, tuple))
        and source
        and all(isinstance(s, (str, os.PathLike)) for s in source)
    ):
        return [os.fspath(path) for path in source]
    check_sequences("source", "a path, a list of paths or an iterable of lists of words", source)
    return None


def _reading(
    paths: list[str] | None,
    lowercase: bool,
    tokenizer: Callable[[str], Any] | None,
    errors: str,
    keep_empty: bool,
) -> dict[str, Any]:
    """Return what was read, and the options that are not the usual ones."""
    reading: dict[str, Any] = {} if paths is None else {"files": [Path(path).name for path in paths]}
    if lowercase:
        reading["lowercase"] = True
    if tokenizer is not None:
        reading["tokenizer"] = getattr(tokenizer, "__qualname__", type(tokenizer).__qualname__)
    if errors != "strict":
        reading["errors"] = errors
    if keep_empty:
        reading["keep_empty"] = True
    return reading


def _tokenized_lines(
    paths: Iterable[str],
    tokenizer: Callable[[str], Iterable[Any]],
    lowercase: bool,
    errors: str,
    report: Callable[[int], object],
) -> Iterator[Iterable[Any]]:
    """Yield the tokens of every line of some files, converted to lower case first if `lowercase`."""
    for path in paths:
        for line in read_lines(path, errors, report):
            tokens = tokenizer(line.lower() if lowercase else line)
            if isinstance(tokens, (str, bytes)):
                raise TypeError(f"tokenizer must return an iterable of words, got {tokens!r}")
            yield tokens


def _cache_key(
    paths: list[str] | None,
    lowercase: bool,
    tokenizer: Callable[[str], Any] | None,
    errors: str,
    keep_empty: bool,
) -> dict[str, str]:
    """Return everything that the contents of a cache depend on.

    Raises
    ------
    ValueError
        If this is unknown: `source` is not files, or `tokenizer` has no name.
    """
    if paths is None or STANDARD_INPUT in paths:
        raise ValueError("cache must be None unless source is files, whose changes can be detected")
    check_readable(paths)
    sources = []
    for path in paths:
        status = Path(path).stat()
        sources.append((str(Path(path).absolute()), status.st_size, status.st_mtime_ns))
    options = {
        "lowercase": lowercase,
        "errors": errors,
        "keep_empty": keep_empty,
        "tokenizer": tokenizer and _name_of(tokenizer),
    }
    return {"sources": json.dumps(sources), "options": json.dumps(options)}


def _name_of(tokenizer: Callable[[str], Any]) -> str:
    module, name = getattr(tokenizer, "__module__", None), getattr(tokenizer, "__qualname__", "")
    if module is None or getattr(sys.modules.get(module), name, None) is not tokenizer:
        raise ValueError(
            "cache must be None unless tokenizer is a module-level function, "
            f"which is identified by its name, got {tokenizer!r}"
        )
    return f"{module}.{name}"
