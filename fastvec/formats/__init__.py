"""Files of vectors: the table of formats, and reading and writing them.

A format is a row of `FORMATS` and a file of this folder. The row says all that is known of it: a file is
detected, read and written, errors name the choices, and the help of the command line and the tables of the
documentation are made, by the table alone. There is no pickle: a file from elsewhere cannot run code.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from fastvec._params import check_bool, check_choice, check_int
from fastvec.formats import container, fasttext, floret, fvec, glove, word2vec
from fastvec.formats.atomic import replacing
from fastvec.formats.common import Contents, keep_rows, read_head, refuse_other_kinds
from fastvec.formats.compact import COMPACT, compacted, decoded
from fastvec.formats.finite import rows_not_finite
from fastvec.formats.frequencies import read_counts, write_counts
from fastvec.formats.ngrams import Subwords
from fastvec.formats.places import on_disk
from fastvec.formats.wanted import Wanted, check_dtype, check_encoding
from fastvec.formats.words import check_unique
from fastvec.training.progress import warn
from fastvec.training.signals import hold

__all__ = [
    "FORMATS",
    "Contents",
    "Format",
    "extensions",
    "format_of",
    "format_to_read",
    "format_to_write",
    "read",
    "write",
]

Read = Callable[[Path, Wanted], Contents]


class Format(NamedTuple):
    """One row of the table of formats.

    Attributes
    ----------
    extensions : tuple of str
        The file name extensions that mean this format. Several formats may have the same.
    description : str
        What the format is, in the words of the documentation.
    contents : str
        What a file of it holds, in the words of an error.
    begins : callable
        ``begins(head)`` returns whether the first bytes of a file may be of this format.
    read : callable
        ``read(path, wanted)`` returns what is wanted of what the file holds.
    write : callable
        ``write(path, contents)`` writes a new file.
    check : callable, optional
        ``check(subwords)`` raises ValueError if vectors with these n-grams, or None, cannot be written.
    keeps : tuple of str
        What it keeps beside words and vectors, in the words of the documentation; "n-grams" are those of
        `SubwordVectors`, which are written so.
    by_content : bool
        Whether its first bytes are so unlike all others that a file of another extension is read as this.
    gzipped : bool
        Whether a gzipped file is read, too.
    map : callable, optional
        As `read`, with the matrices mapped into memory.
    verify : callable, optional
        ``verify(path)`` verifies the checksums of all of the file.
    encoded : bool
        Whether words may be in any encoding; in UTF-8 otherwise.
    dtypes : tuple of str
        What it keeps numbers as.
    refused : mapping of str to str
        Extensions of what is not read although it is of the same program: what that is, and the remedy.
    """

    extensions: tuple[str, ...]
    description: str
    contents: str
    begins: Callable[[bytes], bool]
    read: Read
    write: Callable[[Path, Contents], None]
    check: Callable[[Subwords | None], None] | None = None
    keeps: tuple[str, ...] = ()
    by_content: bool = True
    gzipped: bool = True
    map: Read | None = None
    verify: Callable[[Path], object] | None = None
    encoded: bool = True
    dtypes: tuple[str, ...] = ("float32",)
    refused: Mapping[str, str] = {}


# Of formats that have the same extension or begin alike, the first is meant.
FORMATS = {
    "fvec": Format(
        (".fvec",),
        description="fastvec's own, a safetensors file with checksums; can be memory-mapped",
        contents="the vectors of a .fvec file",
        begins=fvec.begins,
        read=fvec.read,
        write=fvec.write,
        keeps=("counts", "training parameters", "n-grams"),
        gzipped=False,
        map=fvec.read_mapped,
        verify=container.verify,
        encoded=False,
        dtypes=("float32", *COMPACT),
    ),
    "word2vec-binary": Format(
        (".bin",),
        description="word2vec's binary format, as gensim writes and reads it",
        contents="binary vectors of word2vec",
        begins=word2vec.begins_binary,
        read=word2vec.read_binary,
        write=word2vec.write_binary,
    ),
    "fasttext": Format(
        (".bin",),
        description="fastText's model; what is written to `.bin` if words have n-grams",
        contents="the vectors of a fastText model",
        begins=fasttext.begins,
        read=fasttext.read,
        write=fasttext.write,
        check=fasttext.check,
        keeps=("counts", "fastText's parameters", "n-grams"),
        refused={
            ".ftz": "a quantized fastText model, a classifier without vectors: its .bin has them, and "
            "fastvec.classify.load reads it",
        },
    ),
    "floret": Format(
        (".floret",),
        description="floret's table of hashed words and n-grams, without a list of words; spaCy reads it",
        contents="a table of floret",
        begins=floret.begins,
        read=floret.read,
        write=floret.write,
        check=floret.check,
        keeps=("n-grams",),
        encoded=False,
    ),
    "word2vec-text": Format(
        (".vec", ".txt", ".w2v"),
        description="word2vec's text format, fastText's `.vec`",
        contents="vectors as text",
        begins=glove.begins,
        read=word2vec.read_text,
        write=word2vec.write_text,
        by_content=False,
    ),
    "glove": Format(
        (".glove",),
        description="GloVe's text format, without a header",
        contents="vectors as text",
        begins=glove.begins,
        read=glove.read,
        write=glove.write,
        by_content=False,
    ),
}


def extensions() -> str:
    """Return all extensions, as in the help of commands: those of vectors."""
    return " ".join(dict.fromkeys(extension for row in FORMATS.values() for extension in row.extensions))


def read(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    mmap: bool = False,
    verify: bool = False,
    errors: str = "strict",
    encoding: str = "utf-8",
    limit: int | None = None,
    words: Iterable[str | int] | None = None,
    dtype: DTypeLike | None = None,
    counts: str | os.PathLike[str] | None = None,
    on_duplicates: str = "error",
    on_nonfinite: str = "error",
) -> Contents:
    """Read a file of vectors.

    The parameters are those of `fastvec.load`; with ``on_nonfinite="error"``, rows that are not finite are
    kept, to be refused by `Vectors`.

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
        if the extension is unknown, if `mmap` or `verify` is used with another format than .fvec, `mmap`
        with `on_nonfinite="drop"` or another `dtype`, or `encoding` with .fvec; or if the file has none of
        the `words`.
    """
    check_bool("mmap", mmap)
    check_bool("verify", verify)
    check_choice("errors", errors, ("strict", "replace", "ignore"))
    wanted = Wanted(
        errors,
        check_encoding(encoding),
        None if limit is None else check_int("limit", limit, 1),
        None if words is None else dict.fromkeys(map(str, words)),
        check_dtype(dtype),
        compact=dtype is None,
    )
    check_choice("on_duplicates", on_duplicates, ("error", "first"))
    check_choice("on_nonfinite", on_nonfinite, ("error", "drop"))
    path = on_disk(path)
    name = format_to_read(path, format)
    row = FORMATS[name]
    reader = row.map if mmap else row.read
    if reader is None:
        other = _extensions_with("map")
        raise ValueError(
            f"mmap=True needs a {other} file, got {path} in the format {name!r}: load it, save it as {other}"
        )
    if verify and row.verify is None:
        raise ValueError(
            f"verify=True needs a {_extensions_with('verify')} file, got {path} in the format {name!r}, "
            "without checksums"
        )
    if not row.encoded and wanted.encoding != "utf-8":
        raise ValueError(
            f"encoding must be 'utf-8' for {path} in the format {name!r}, whose words are UTF-8, got "
            f"{encoding!r}"
        )
    if mmap and wanted.dtype != np.float32:
        raise ValueError("dtype='float16' needs mmap=False: it converts the matrices that are mapped")
    if mmap and on_nonfinite == "drop":
        raise ValueError("on_nonfinite='drop' needs mmap=False: it reads the whole file")
    if verify and row.verify is not None:
        row.verify(path)
    contents = reader(path, wanted)
    if wanted.words and not contents.words:
        raise ValueError(
            f"{path}: has none of the {len(wanted.words):,} words asked for, such as {min(wanted.words)!r}"
        )
    if counts is not None:
        contents = contents._replace(counts=read_counts(on_disk(counts, "counts"), contents.words, wanted))
    if on_duplicates == "first":
        contents = _without_duplicates(path, contents)
    check_unique(path, contents.words, "; on_duplicates='first' keeps the first of each")
    return _without_nonfinite(path, contents) if on_nonfinite == "drop" else contents


def _extensions_with(attribute: str) -> str:
    """Return the extensions of the formats that have something, such as "map"."""
    return " or ".join(" ".join(row.extensions) for row in FORMATS.values() if getattr(row, attribute))


def format_to_read(path: Path, format: str | None) -> str:
    """Return the format of a file: that of its name or `format` if its first bytes may be, or theirs."""
    head = read_head(path)
    found = next((found for found, row in FORMATS.items() if row.begins(head)), None)
    if found is None:
        refuse_other_kinds(path, head)
    name = format_of(path, format, reading=True)
    if found is None or FORMATS[name].begins(head):  # the reader says what is wrong
        return name
    if format is not None or not FORMATS[found].by_content:
        raise ValueError(f"{path}: holds {FORMATS[found].contents}, not {name}; format={found!r} reads it")
    return found


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
        own = n if contents.subwords is None else contents.subwords.own_rows(n)
        bad.update(inputs_bad[inputs_bad < own].tolist())
        ngrams = inputs_bad[inputs_bad >= own]
        if len(ngrams):
            inputs = np.array(contents.input_vectors)
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
    contents: Contents,
    *,
    format: str | None = None,
    counts: str | os.PathLike[str] | None = None,
    dtype: str | None = None,
) -> None:
    """Write a file of vectors; if anything fails, an existing file is left untouched.

    Parameters
    ----------
    path : str or path-like
        The file; an existing one is replaced.
    contents : Contents
        What to write, of which a format drops what it does not keep.
    format : str, optional
        A name in the table of formats; by default the extension determines it.
    counts : str or path-like, optional
        Another file, of words and counts.
    dtype : {"float32", "bfloat16", "int8"}, optional
        What numbers are kept as; by default as they are, or as float32 where the format has nothing else.

    Raises
    ------
    OSError
        If the file cannot be written, for example because the disk is full.
    ValueError
        If the extension is unknown, a word cannot be stored in this format, or there are no counts for a file
        of them.
    TypeError
        If the metadata cannot be stored as JSON.
    """
    path = on_disk(path)
    name = format_to_write(path, format, contents.subwords)
    contents = _with_numbers_of(contents, name, dtype)
    if counts is None:
        with hold(), replacing(path) as temporary:
            FORMATS[name].write(temporary, contents)
        return
    if contents.counts is None:
        raise ValueError(f"counts must be None for vectors without counts, got {os.fspath(counts)!r}")
    counts = on_disk(counts, "counts")
    if path.resolve() == counts.resolve():
        raise ValueError(f"path and counts must be two files, got {str(path)!r} for both")
    with hold(), replacing(path) as temporary, replacing(counts) as temporary_counts:
        write_counts(temporary_counts, contents.words, contents.counts)
        FORMATS[name].write(temporary, contents)


def _with_numbers_of(contents: Contents, name: str, dtype: str | None) -> Contents:
    """Return contents whose matrices are kept as `dtype`, which the format must have, or as they are."""
    if dtype is None:
        return contents
    if check_choice("dtype", dtype, ("float32", *COMPACT)) not in FORMATS[name].dtypes:
        raise ValueError(f"dtype={dtype!r} needs a .fvec file, got the format {name!r}, which holds float32")

    def converted(matrix: Any) -> Any:
        return compacted(matrix, dtype) if dtype in COMPACT else decoded(matrix)

    inputs = contents.input_vectors
    return contents._replace(
        vectors=converted(contents.vectors), input_vectors=None if inputs is None else converted(inputs)
    )


def format_to_write(
    path: Path, format: str | None, subwords: Subwords | None, *, option: str | None = "format="
) -> str:
    """Return the format for vectors with n-grams, or None; raise ValueError if it cannot hold such."""
    name = format_of(path, format, reading=False, option=option)
    if format is None and subwords is not None:  # another format of this extension may keep them
        named = [
            other for other, row in FORMATS.items() if set(row.extensions) & set(FORMATS[name].extensions)
        ]
        name = next((other for other in named if "n-grams" in FORMATS[other].keeps), name)
    check = FORMATS[name].check
    if check is not None:
        check(subwords)
    return name


def format_of(path: Path, format: str | None, *, reading: bool, option: str | None = "format=") -> str:
    """Return `format`, or the name of the first format that has the extension; errors speak of `option`."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    gzipped = suffixes[-1:] == [".gz"]
    extension = suffixes[-2] if gzipped and len(suffixes) == 2 else (suffixes or [""])[-1]
    if format is not None:
        name = check_choice("format", format, FORMATS)
    else:
        name = next((name for name, row in FORMATS.items() if extension in row.extensions), "")
    if gzipped and (not reading or (name and not FORMATS[name].gzipped)):
        plain = " or ".join(" ".join(row.extensions) for row in FORMATS.values() if not row.gzipped)
        advice = "decompress it first" if reading else "save without it"
        raise ValueError(f"{path}: .gz is supported for reading only, and not for {plain}; {advice}")
    refused = {refused: what for row in FORMATS.values() for refused, what in row.refused.items()}
    if format is None and extension in refused:
        raise ValueError(f"{path}: {extension} is {refused[extension]}")
    if not name:
        known = ", ".join(f"{name!r} ({' '.join(row.extensions)})" for name, row in FORMATS.items())
        advice = "take that of" if option is None else f"name the format ({option}),"
        raise ValueError(f"{path}: unknown extension {extension!r}; {advice} one of {known}")
    return name
