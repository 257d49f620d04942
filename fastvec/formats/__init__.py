"""Files of vectors: choosing the format of a path, reading and writing.

=================  =======================  =================================================================
format             extensions               what it is
=================  =======================  =================================================================
fvec               .fvec                    safetensors: vectors, words, counts, training parameters, n-grams
word2vec-binary    .bin                     word2vec.c ``-binary 1``; gensim
fasttext           .bin                     a whole model of fastText; gensim's ``save_facebook_model``
word2vec-text      .vec .txt .w2v           word2vec.c ``-binary 0``; gensim; fastText's ``.vec``
glove              .glove                   GloVe C: word2vec text without the header line
=================  =======================  =================================================================

The first bytes of a file are compared with what its extension promises. GloVe's own ``.txt`` has no header,
``.bin`` is of word2vec or fastText, some ``.vec``, ``.txt`` and ``.w2v`` are binary: these are read. A
``.bin`` of text is refused. Vectors with n-grams are written to ``.bin`` as fastText's, others as word2vec's.
All formats but .fvec are also read gzipped (``.bin.gz``). There is no pickle: a file from elsewhere cannot
run code.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_bool, check_choice, check_int
from fastvec.formats import binary, container, fasttext, fvec, text
from fastvec.formats.atomic import replacing
from fastvec.formats.common import Contents, check_unique, keep_rows, read_head
from fastvec.formats.finite import rows_not_finite
from fastvec.formats.kinds import FASTTEXT_MAGIC, holds_text, own_format, sizes
from fastvec.formats.ngrams import Subwords
from fastvec.training.progress import warn
from fastvec.training.signals import hold

__all__ = ["FORMATS", "Contents", "Format", "read", "write"]

DESCRIPTIONS = {
    "fvec": "the vectors of a .fvec file",
    "fasttext": "the vectors of a fastText model",
    "word2vec-binary": "binary vectors of word2vec",
    "word2vec-text": "vectors as text",
}


class Format(NamedTuple):
    """One row of the table of formats.

    Attributes
    ----------
    extensions : tuple of str
        The file name extensions that mean this format.
    read : callable
        ``read(path, errors, limit)`` returns what the file holds, or its first `limit` words.
    write : callable
        ``write(path, contents)`` writes a new file.
    """

    extensions: tuple[str, ...]
    read: Callable[[Path, str, int | None], Contents]
    write: Callable[[Path, Contents], None]


def _whole(read: Callable[[Path, str], Contents]) -> Callable[[Path, str, int | None], Contents]:
    """Return the `read` of a format whose files are read as a whole before all but the first words go."""

    def read_first(path: Path, errors: str, limit: int | None) -> Contents:
        contents = read(path, errors)
        if limit is None or limit >= len(contents.words):
            return contents
        return keep_rows(contents, contents.words[:limit], slice(limit))

    return read_first


FORMATS = {
    "fvec": Format((".fvec",), _whole(fvec.read), fvec.write),
    "word2vec-binary": Format((".bin",), binary.read, binary.write),
    "fasttext": Format((".bin",), _whole(fasttext.read), fasttext.write),
    "word2vec-text": Format((".vec", ".txt", ".w2v"), text.read_word2vec, text.write_word2vec),
    "glove": Format((".glove",), text.read_glove, text.write_glove),
}


def read(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    mmap: bool = False,
    verify: bool = False,
    errors: str = "strict",
    limit: int | None = None,
    on_duplicates: str = "error",
    on_nonfinite: str = "error",
) -> Contents:
    """Read a file of vectors.

    Parameters
    ----------
    path : str or path-like
        The file.
    format : str, optional
        A name in the table of formats; by default the extension and the content determine it.
    mmap : bool
        Whether to map the matrices into memory, read-only, instead of reading them (.fvec only): loading
        takes no time and no memory, and processes share one copy.
    verify : bool
        Whether to require checksums, and to verify those of all of the file, mapped or not (.fvec only). What
        is read into memory is always verified if the file has checksums.
    errors : {"strict", "replace", "ignore"}
        How to handle bytes of a word that are not valid UTF-8, as in `bytes.decode`; see `decode_words`.
    limit : int, optional
        Read only this many words, the first ones.
    on_duplicates : {"error", "first"}
        Whether a word that occurs again is an error, or is dropped with a warning.
    on_nonfinite : {"error", "drop"}
        Whether rows that are not finite are kept, to be refused by `Vectors`, or are dropped with a warning;
        rows of n-grams become zeros.

    Returns
    -------
    Contents
        Words, vectors, and what else the file has.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the file is damaged or not in this format (the message names the file and the line, word or byte),
        if the extension is unknown, or if `mmap` or `verify` is used with another format than .fvec, or
        `mmap` with `on_nonfinite="drop"`.
    """
    check_bool("mmap", mmap)
    check_bool("verify", verify)
    check_choice("errors", errors, ("strict", "replace", "ignore"))
    if limit is not None:
        limit = check_int("limit", limit, 1)
    check_choice("on_duplicates", on_duplicates, ("error", "first"))
    check_choice("on_nonfinite", on_nonfinite, ("error", "drop"))
    path = Path(path)
    name = _format_to_read(path, format)
    if mmap and name != "fvec":
        raise ValueError(
            f"mmap=True needs a .fvec file, got {path} in the format {name!r}: load it, save it as .fvec"
        )
    if verify and name != "fvec":
        raise ValueError(
            f"verify=True needs a .fvec file, got {path} in the format {name!r}, without checksums"
        )
    if mmap and on_nonfinite == "drop":
        raise ValueError("on_nonfinite='drop' needs mmap=False: it reads the whole file")
    if verify:
        container.verify(path)
    reader = _whole(fvec.read_mapped) if mmap else FORMATS[name].read
    contents = reader(path, errors, limit)
    if on_duplicates == "first":
        contents = _without_duplicates(path, contents)
    check_unique(path, contents.words, "; on_duplicates='first' keeps the first of each")
    return _without_nonfinite(path, contents) if on_nonfinite == "drop" else contents


def _format_to_read(path: Path, format: str | None) -> str:
    """Return the format of a file: that of its first bytes, unless `format` or a .bin promises another.

    Raises
    ------
    ValueError
        If the file is empty, or holds something else.
    """
    head = read_head(path)
    name = format_of(path, format, reading=True)
    found = _format_of_bytes(head)
    if found is None or name == "fvec":
        return name
    text = ("word2vec-text", "glove")
    if name == found or {name, found} <= set(text):
        return name
    if format is not None or found in text:
        raise ValueError(f"{path}: holds {DESCRIPTIONS[found]}, not {name}; format={found!r} reads it")
    return found


def _format_of_bytes(head: bytes) -> str | None:
    """Return the format of a file that begins so; None where that is not clear."""
    if own_format(head) is not None:
        return "fvec"
    if head.startswith(FASTTEXT_MAGIC):
        return "fasttext"
    first, _, rest = head.removeprefix(codecs.BOM_UTF8).partition(b"\n")
    promised = sizes(first)
    if promised is None:
        return "word2vec-text" if holds_text(head, None) else None
    if b" " not in rest.strip() and b"\t" not in rest.strip():  # no row, or a word that is longer than this
        return None
    return "word2vec-text" if holds_text(rest, promised[1]) else "word2vec-binary"


def _without_duplicates(path: Path, contents: Contents) -> Contents:
    first = dict(zip(reversed(contents.words), range(len(contents.words) - 1, -1, -1), strict=True))
    n, rows = len(contents.words), np.sort(np.fromiter(first.values(), np.intp))
    if len(rows) == n:
        return contents
    warn(f"{path}: dropped {n - len(rows):,} of {n:,} words, which occurred before")
    return keep_rows(contents, [contents.words[row] for row in rows], rows)


def _without_nonfinite(path: Path, contents: Contents) -> Contents:
    n = len(contents.words)
    bad = {*rows_not_finite(contents.vectors).tolist()}
    if contents.input_vectors is not None:
        inputs_bad = rows_not_finite(contents.input_vectors)
        bad.update(inputs_bad[inputs_bad < n].tolist())
        ngrams = inputs_bad[inputs_bad >= n]
        if len(ngrams):
            inputs = contents.input_vectors.copy()
            inputs[ngrams] = 0
            contents = contents._replace(input_vectors=inputs)
            warn(f"{path}: {len(ngrams):,} rows of n-grams that are not finite are now 0")
    if not bad:
        return contents
    rows = np.array([row for row in range(n) if row not in bad], dtype=np.intp)
    warn(
        f"{path}: dropped {len(bad):,} of {n:,} words whose vectors are not finite, first "
        f"{contents.words[min(bad)]!r}"
    )
    return keep_rows(contents, [contents.words[row] for row in rows], rows)


def write(
    path: str | os.PathLike[str],
    words: Sequence[str],
    vectors: NDArray[np.float32],
    counts: NDArray[np.int64] | None = None,
    metadata: dict[str, Any] | None = None,
    *,
    format: str | None = None,
    input_vectors: NDArray[np.float32] | None = None,
    subwords: Subwords | None = None,
) -> None:
    """Write a file of vectors; if anything fails, an existing file is left untouched.

    Parameters
    ----------
    path : str or path-like
        The file; an existing one is replaced.
    words : sequence of str
        n words.
    vectors : ndarray of float32, shape (n, d)
        Their vectors.
    counts : ndarray of int64, shape (n,), optional
        How often each word occurred; only .fvec and fastText's .bin keep it.
    metadata : dict, optional
        Training parameters, as JSON types; .fvec keeps all, fastText's .bin its own.
    format : str, optional
        A name in the table of formats; by default the extension determines it.
    input_vectors : ndarray of float32, shape (n + buckets, d), optional
        The rows whose means `vectors` are, where words have n-grams; only .fvec and fastText's .bin keep
        them.
    subwords : Subwords, optional
        Which n-grams the words have, together with `input_vectors`.

    Raises
    ------
    OSError
        If the file cannot be written, for example because the disk is full.
    ValueError
        If the extension is unknown, or a word cannot be stored in this format.
    TypeError
        If the metadata cannot be stored as JSON.
    """
    path = Path(path)
    name = format_of(path, format, reading=False)
    if format is None and name == "word2vec-binary" and subwords is not None:
        name = "fasttext"
    contents = Contents(list(words), vectors, counts, metadata or {}, input_vectors, subwords)
    with hold(), replacing(path) as temporary:
        FORMATS[name].write(temporary, contents)


def format_of(path: Path, format: str | None, *, reading: bool, option: str = "format=") -> str:
    """Return `format`, or the name of the first format that has the extension; errors speak of `option`.

    Raises
    ------
    ValueError
        If the extension is unknown, requires compression that is not supported, or is that of a quantized
        fastText model.
    """
    if format is not None:
        name = check_choice("format", format, FORMATS)
        extension = None
    else:
        suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
        compressed = suffixes[-1:] == [".gz"]
        extension = suffixes[-2] if compressed and len(suffixes) == 2 else (suffixes or [""])[-1]
        name = next((name for name, row in FORMATS.items() if extension in row.extensions), "")
    if path.suffix.lower() == ".gz" and (name == "fvec" or not reading):
        raise ValueError(f"{path}: .gz is supported for reading only, and not for .fvec; save without it")
    if extension == ".ftz":
        raise ValueError(f"{path}: .ftz is a quantized fastText model, which is not supported; its .bin is")
    if not name:
        known = ", ".join(f"{name!r} ({' '.join(row.extensions)})" for name, row in FORMATS.items())
        raise ValueError(
            f"{path}: unknown extension {extension!r}; name the format ({option}), one of {known}"
        )
    return name
