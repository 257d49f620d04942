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

Text files are examined for a header, so that GloVe's own ``.txt`` files are read by extension too, and
``.bin`` files for their first bytes; vectors with n-grams are written to ``.bin`` as fastText's, others as
word2vec's. All formats but .fvec are also read gzipped (``.bin.gz``). There is no pickle: a file from
elsewhere cannot run code.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import _format_binary, _format_fasttext, _format_fvec, _format_text, _mapped
from fastvec._atomic import replacing
from fastvec._format_common import FASTTEXT_MAGIC, Contents, check_unique, open_bytes
from fastvec._params import check_bool, check_choice
from fastvec._signals import hold
from fastvec._subwords import Subwords

__all__ = ["FORMATS", "Contents", "Format", "read", "write"]


class Format(NamedTuple):
    """One row of the table of formats.

    Attributes
    ----------
    extensions : tuple of str
        The file name extensions that mean this format.
    read : callable
        ``read(path, errors)`` returns what the file holds.
    write : callable
        ``write(path, contents)`` writes a new file.
    """

    extensions: tuple[str, ...]
    read: Callable[[Path, str], Contents]
    write: Callable[[Path, Contents], None]


FORMATS = {
    "fvec": Format((".fvec",), _format_fvec.read, _format_fvec.write),
    "word2vec-binary": Format((".bin",), _format_binary.read, _format_binary.write),
    "fasttext": Format((".bin",), _format_fasttext.read, _format_fasttext.write),
    "word2vec-text": Format(
        (".vec", ".txt", ".w2v"), _format_text.read_word2vec, _format_text.write_word2vec
    ),
    "glove": Format((".glove",), _format_text.read_glove, _format_text.write_glove),
}


def read(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    mmap: bool = False,
    verify: bool = False,
    errors: str = "strict",
) -> Contents:
    """Read a file of vectors.

    Parameters
    ----------
    path : str or path-like
        The file.
    format : str, optional
        A name in the table of formats; by default the extension determines it.
    mmap : bool
        Whether to map the matrices into memory, read-only, instead of reading them (.fvec only): loading
        takes no time and no memory, and processes share one copy.
    verify : bool
        Whether to require checksums, and to verify those of all of the file, mapped or not (.fvec only). What
        is read into memory is always verified if the file has checksums.
    errors : {"strict", "replace", "ignore"}
        How to handle bytes of a word that are not valid UTF-8, as in `bytes.decode`.

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
        if the extension is unknown, or if `mmap` or `verify` is used with another format than .fvec.
    """
    check_bool("mmap", mmap)
    check_bool("verify", verify)
    check_choice("errors", errors, ("strict", "replace", "ignore"))
    path = Path(path)
    name = format_of(path, format, reading=True)
    if format is None and name == "word2vec-binary":
        with open_bytes(path) as file:
            if file.read(len(FASTTEXT_MAGIC)) == FASTTEXT_MAGIC:
                name = "fasttext"
    if mmap and name != "fvec":
        raise ValueError(
            f"mmap=True needs a .fvec file, got {path} in the format {name!r}: load it, save it as .fvec"
        )
    if verify and name != "fvec":
        raise ValueError(
            f"verify=True needs a .fvec file, got {path} in the format {name!r}, without checksums"
        )
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty")
    if verify:
        _mapped.verify(path)
    contents = (_format_fvec.read_mapped if mmap else FORMATS[name].read)(path, errors)
    check_unique(path, contents.words)
    return contents


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


def format_of(path: Path, format: str | None, *, reading: bool) -> str:
    """Return `format`, or the name of the first format that has the extension.

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
            f"{path}: unknown extension {extension!r}; name the format (format= or --format), one of {known}"
        )
    return name
