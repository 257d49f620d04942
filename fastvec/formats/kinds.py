"""What a file holds, by its first bytes: fastvec's own, vectors of other programs, or something else."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "FASTTEXT_MAGIC",
    "GZIP_MAGIC",
    "HEAD",
    "NUMBER",
    "OWN",
    "Kind",
    "holds_text",
    "is_number",
    "own_format",
    "packed_or_wide",
    "recognize",
    "sizes",
]

HEAD = 1 << 14
"""How many bytes of a file are looked at."""

FASTTEXT_MAGIC = (793712314).to_bytes(4, "little")
GZIP_MAGIC = b"\x1f\x8b"

# What the metadata of fastvec's own safetensors files call their format: fvec, or another.
OWN_FORMAT = re.compile(rb'"format"\s*:\s*"(fvec|fastvec[^"]*)"')


class Kind(NamedTuple):
    """What a file is, and what can be done with it."""

    name: str
    remedy: str


OWN: Mapping[str | None, Kind] = {
    "fvec": Kind("a file of vectors (.fvec)", "fastvec.load reads it"),
    "fastvec-classifier": Kind("a classifier (.fvmodel)", "fastvec.classify.load reads it"),
    "fastvec counts": Kind("a file of counts", "fastvec.Cooccurrence.load reads it"),
}

ARCHIVES = (
    (rb"PK(?:\x03\x04|\x05\x06)", "zip"),
    (rb"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (rb"Rar!\x1a\x07", "RAR"),
    (rb".{257}ustar", "tar"),
)
BYTE_ORDER_MARKS = ((b"\xff\xfe\0\0", 32), (b"\0\0\xfe\xff", 32), (b"\xff\xfe", 16), (b"\xfe\xff", 16))
# Which of every four bytes are zero in text that is mostly ASCII.
ZEROS = {(0, 1, 1, 1): 32, (1, 1, 1, 0): 32, (0, 1, 0, 1): 16, (1, 0, 1, 0): 16}

# How files begin that may hold vectors in another form.
SIGNATURES = (
    (rb"PK\x03\x04.*/data\.pkl", Kind("a PyTorch checkpoint", "take the matrix out of it with PyTorch")),
    (rb"PK\x03\x04.{26}[^/]*\.npy", Kind("a .npz of NumPy", "pass its matrix to fastvec.Vectors")),
    (rb"\x93NUMPY", Kind("a .npy of NumPy", "pass it to fastvec.Vectors, with the words of its rows")),
    (rb"BZh\d1AY&SY", Kind("compressed by bzip2", "unpack it with bunzip2 first")),
    (rb"\xfd7zXZ\0", Kind("compressed by xz", "unpack it with unxz first")),
    (rb"\x28\xb5\x2f\xfd", Kind("compressed by zstd", "unpack it with unzstd first")),
    (rb"\x89HDF\r\n\x1a\n", Kind("an HDF5 file", "pass its matrix to fastvec.Vectors")),
    (rb"SQLite format 3\0", Kind("an SQLite database", "pass its vectors to fastvec.Vectors")),
    (rb"PAR1\x15", Kind("a Parquet file", "pass its columns to fastvec.Vectors")),
    (rb"FiFu.\0\0\0", Kind("a file of finalfusion", "save it as word2vec's with finalfusion first")),
    (rb"version https://git-lfs", Kind("a pointer of Git LFS", "git lfs pull fetches the file itself")),
)
PATTERNS = tuple((re.compile(signature, re.DOTALL), kind) for signature, kind in SIGNATURES)

HTML = re.compile(rb"\s*<(?:!doctype html|html)", re.IGNORECASE)
PICKLE = re.compile(rb"\x80[\x02-\x05]|ccopy_reg\n|\([dl]p0\n")
# The class of a pickled object of gensim's, in protocol 2 or 4.
GENSIM = re.compile(rb"gensim\.models\.[\w.]+(?:\n|\x94?\x8c.)([A-Z]\w+)", re.DOTALL)

NUMBER = re.compile(rb"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
# One between blanks, as in the rows of text files.
NUMBER_OF_ROW = re.compile(rb"[ \t]" + NUMBER.pattern + rb"(?=\s|$)")
UNPRINTABLE = re.compile(rb"[\0-\x08\x0e-\x1f\x7f]")


def recognize(path: Path, head: bytes) -> Kind | None:
    """Return what a file is if it is neither text nor vectors, and what makes vectors of it."""
    own = own_format(head)
    if own is not None:
        return None if own == "fvec" else OWN.get(own)
    if PICKLE.match(head):
        return _pickle(path, head)
    if HTML.match(head):
        return Kind("a page in HTML", "perhaps of an error: download the file again")
    return next((kind for pattern, kind in PATTERNS if pattern.match(head)), None) or packed_or_wide(head)


def packed_or_wide(head: bytes) -> Kind | None:
    """Return what a file is if it is an archive, or text in UTF-16 or UTF-32."""
    for signature, name in ARCHIVES:
        if re.match(signature, head, re.DOTALL):
            return Kind(f"a {name} archive, which may hold many files", "unpack it first")
    marks = (bits for mark, bits in BYTE_ORDER_MARKS if head.startswith(mark))
    bits = next(marks, None) or _bits_of_ascii(head)
    if bits is None:
        return None
    name = f"UTF-{bits}"
    return Kind(f"{name} text", f"convert it to UTF-8, for example with iconv -f {name} -t UTF-8 FILE")


def _bits_of_ascii(head: bytes) -> int | None:
    """Return the bits of the characters of a text without a byte order mark, None if it is not wide."""
    if head.startswith(FASTTEXT_MAGIC) or sizes(head.partition(b"\n")[0]) is not None:
        return None  # numbers may have zeros in the same places
    n = len(head) // 4
    first, second, third, fourth = (head[place : 4 * n : 4].count(0) for place in range(4))
    if any(0.1 * n < zeros <= 0.7 * n for zeros in (first, second, third, fourth)):
        return None  # such as a program
    return ZEROS.get((first > 0.7 * n, second > 0.7 * n, third > 0.7 * n, fourth > 0.7 * n))


def own_format(head: bytes) -> str | None:
    """Return the format that a safetensors file claims to have, "" if none of fastvec's; None for others."""
    if head[8:10] != b'{"' or head[4:8] != bytes(4):
        return None
    match = OWN_FORMAT.search(head)
    return match[1].decode(errors="replace") if match else ""


def sizes(line: bytes) -> tuple[int, int] | None:
    """Return the numbers of words and dimensions in a header line, or None if it is not a header."""
    match = re.fullmatch(rb"\s*(\d{1,18})[ \t]+(\d{1,18})\s*", line)
    return (int(match[1]), int(match[2])) if match else None


def is_number(field: bytes) -> bool:
    """Whether a field of a text file is a number, or NaN or infinity."""
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field  # which only Python reads, as in 1_000


def holds_text(rows: bytes, d: int | None) -> bool:
    """Whether rows of vectors are text; `d` is their number of dimensions, if there was a header line.

    The first is a word and `d` numbers, or at least the place of its numbers in a binary file is printable:
    that of a single one may be so by chance. Without a header, rows are text if numbers stand between blanks.
    """
    if d is None:
        return NUMBER_OF_ROW.search(rows) is not None and _is_printable(rows)
    fields = rows.lstrip().partition(b"\n")[0].split()
    if len(fields) > d >= 1 and all(map(is_number, fields[-d:])):
        return True
    start = rows.find(b" ") + 1
    return d > 1 and _is_printable(rows[start : start + 4 * d])


def _is_printable(head: bytes) -> bool:
    """Whether bytes are UTF-8 without control characters; at their end, a character may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return UNPRINTABLE.search(head) is None


def _pickle(path: Path, head: bytes) -> Kind:
    match = GENSIM.search(head)
    if match is None:
        return Kind(
            "a pickle, which can run any code", "pass the words and the matrix in it to fastvec.Vectors"
        )
    source, target, name = repr(str(path)), repr(str(path.with_suffix(".bin"))), match[1].decode()
    if name == "FastText":
        lines = (
            "from gensim.models.fasttext import FastText, save_facebook_model",
            f"save_facebook_model(FastText.load({source}), {target})",
        )
    elif name.endswith("KeyedVectors"):
        lines = (
            "from gensim.models import KeyedVectors",
            f"KeyedVectors.load({source}).save_word2vec_format({target}, binary=True)",
        )
    else:
        lines = (
            f"from gensim.models import {name}",
            f"{name}.load({source}).wv.save_word2vec_format({target}, binary=True)",
        )
    return Kind(f"a pickle of gensim's {name}", "convert it with gensim:\n    " + "\n    ".join(lines))
