"""What a file is by its first bytes: fastvec's own, vectors or text of some kind, or something else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "FASTTEXT_MAGIC",
    "FIRST_BYTES",
    "NUMBER",
    "OWN",
    "check_kind",
    "conll_u",
    "not_text",
    "own_format",
    "recognize",
    "sizes",
]

FIRST_BYTES = 1 << 15
"""How much of a file is looked at."""

FASTTEXT_MAGIC = (793712314).to_bytes(4, "little")

# What the metadata of fastvec's own safetensors files call their format: fvec, or another.
OWN_FORMAT = re.compile(rb'"format"\s*:\s*"(fvec|fastvec[^"]*)"')

OF_PHRASES = "fastvec phrases"
# A file of phrases is JSON.
JSON_OF_PHRASES = re.compile(rb'\s*\{.*"format"\s*:\s*"%b"' % OF_PHRASES.encode(), re.DOTALL)


class Kind(NamedTuple):
    """What a file is, and what can be done with it."""

    name: str
    remedy: str


OWN: Mapping[str | None, Kind] = {
    "fvec": Kind("a file of vectors (.fvec)", "fastvec.load reads it"),
    "fastvec-classifier": Kind("a classifier (.fvmodel)", "fastvec.classify.load reads it"),
    "fastvec counts": Kind("a file of counts (.fvcounts)", "fastvec.Cooccurrence.load reads it"),
    "fastvec corpus": Kind("a cache of a text's ids", "fastvec.Corpus(..., cache=...) reads it"),
    OF_PHRASES: Kind("a file of phrases (.json)", "fastvec.Phrases.load reads it"),
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

HTML = re.compile(rb"\s*<(?:!doctype html|html)", re.IGNORECASE)
PICKLE = re.compile(rb"\x80[\x02-\x05]|ccopy_reg\n|\([dl]p0\n")
# The class of a pickled object of gensim's, in protocol 2 or 4.
GENSIM = re.compile(rb"gensim\.models\.[\w.]+(?:\n|\x94?\x8c.)([A-Z]\w+)", re.DOTALL)

NUMBER = re.compile(rb"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")

# How files begin that are no text.
MAGIC = (
    (rb"%PDF-", "is a PDF file: extract its text first, for example with pdftotext"),
    (rb"\x93NUMPY", "is an array of NumPy, not a text: numpy.load reads it"),
    (rb"\x80[\x02-\x05]", "is a pickle of Python, not a text"),
    (re.escape(FASTTEXT_MAGIC), "is a model of fastText, not a text"),
    (
        rb"version https://git-lfs",
        "is a pointer of Git LFS, not a text: git lfs pull fetches the file itself",
    ),
    (rb"(?:\d+ ){6}< >\s*\n", "is a file of word vectors of floret, not a text: fastvec.load reads it"),
    (
        rb"PAR1",
        "is a Parquet file, not a text: name its column, Corpus(..., column=...) or --column",
    ),
    (rb"(?s).{8}\{\"", "is a safetensors file, not a text"),
    (rb"\d+[ \t]\d+\r?\n", "is a binary file of word vectors, not a text"),
)
# The last of them may also be how a text begins, which has no zeros.
WITH_ZEROS = 3

SEQUENCES = (
    "is a {} file, whose lines are not sentences: make sentences of k-mers, of FASTA with "
    "fastvec.Corpus(..., kmers=(6, 1)) or --kmers 6 1"
)
NUCLEOTIDES = re.compile(rb"[ACGTUNacgtun-]{4,}")
AMINO_ACIDS = re.compile(rb"[A-Z*-]{20,}")
FIRST_OF_CONLL_U = re.compile(rb"1(-\d+)?\t")
CONLL_U = (
    "is a CoNLL-U file, whose second column of ten has the words; to get columns of words and tags, as "
    "read_conll reads them: grep -Ev '^(#|[0-9]+[-.])' FILE | cut -f 2,4"
)
TABLE = (
    "is a table with commas between its columns, whose lines are not sentences: make sessions of rows with "
    "fastvec.Corpus.from_rows({}, session=..., item=...), or write lines with white space between the words"
)
VECTORS = "is a file of word vectors, whose lines are not sentences: fastvec.load reads it"
# Lines that are compared with rows of vectors and of tables.
FEW = 5


def recognize(path: Path, head: bytes) -> Kind | None:
    """Return what a file is if it is neither text nor vectors, and what makes vectors of it."""
    own = own_format(head)
    if own is not None:
        return None if own == "fvec" else OWN.get(own)
    if PICKLE.match(head):
        return _pickle(path, head)
    if HTML.match(head):
        return Kind("a page in HTML", "perhaps of an error: download the file again")
    known = (kind for signature, kind in SIGNATURES if re.match(signature, head, re.DOTALL))
    return next(known, None) or _packed_or_wide(head)


def _packed_or_wide(head: bytes) -> Kind | None:
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
    """Return the format that a safetensors file claims to have, "" if none of fastvec's; None for others.

    A file of phrases, which is JSON, has one of fastvec's too.
    """
    if JSON_OF_PHRASES.match(head):
        return OF_PHRASES
    if head[8:10] != b'{"' or head[4:8] != bytes(4):
        return None
    match = OWN_FORMAT.search(head)
    return match[1].decode(errors="replace") if match else ""


def sizes(line: bytes) -> tuple[int, int] | None:
    """Return the numbers of words and dimensions in a header line, or None if it is not a header."""
    match = re.fullmatch(rb"\s*(\d{1,18})[ \t]+(\d{1,18})\s*", line)
    return (int(match[1]), int(match[2])) if match else None


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


def not_text(head: bytes) -> str | None:
    """Return what a file is that begins with these bytes, None if it may be text in UTF-8."""
    own = own_format(head)
    if own in OWN:
        return f"is {OWN[own].name}, not a text: {OWN[own].remedy}"
    kind = _packed_or_wide(head)
    if kind is not None:
        return f"is {kind.name}: {kind.remedy}"
    if b"\r" in head.rstrip(b"\r") and b"\n" not in head:
        return "has lines that end with a carriage return alone: convert it with tr '\\r' '\\n' < FILE"
    has_zeros = b"\0" in head
    known = MAGIC if has_zeros else MAGIC[:-WITH_ZEROS]
    return next((what for signature, what in known if re.match(signature, head)), None)


def check_kind(path: str, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Return the blocks of a text, the first of which has as much as is looked at.

    Raises
    ------
    ValueError
        If it is of a known kind whose lines are not sentences.
    """
    head = next(blocks, b"")
    lines = head[:FIRST_BYTES].lstrip().replace(b"\r\n", b"\n").split(b"\n")
    if len(head) > FIRST_BYTES and len(lines) > 1:
        lines.pop()  # it is cut
    what = _sequences(lines) or conll_u(lines) or _vectors(lines) or _table(path, lines)
    if what is not None:
        raise ValueError(f"{path} {what}")
    return chain([head], blocks)


def conll_u(lines: list[bytes]) -> str | None:
    """Return what a file with these first lines is, and its remedy, if it is CoNLL-U."""
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    return CONLL_U if first.count(b"\t") == 9 and FIRST_OF_CONLL_U.match(first) else None


def _sequences(lines: list[bytes]) -> str | None:
    if lines[0].startswith(b">"):
        letters = [line.strip() for line in lines if line.strip() and not line.startswith(b">")]
        of_one_kind = NUCLEOTIDES, AMINO_ACIDS
        if all(map(bytes.isalpha, (line.strip(b"*-") for line in letters))) and any(
            kind.fullmatch(b"".join(letters)) for kind in of_one_kind
        ):
            return SEQUENCES.format("FASTA")
    if len(lines) > 3 and lines[0].startswith(b"@") and lines[2].startswith(b"+"):
        read, quality = lines[1].strip(), lines[3].strip()
        if NUCLEOTIDES.fullmatch(read) and len(read) == len(quality):
            return SEQUENCES.format("FASTQ")
    return None


def _vectors(lines: list[bytes]) -> str | None:
    header = sizes(lines[0])
    rows = [line.split() for line in lines[1 if header else 0 :][:FEW] if line]
    # Fewer numbers behind a word may be a text, unless a header has said how many there are.
    size = header[1] if header else len(rows[0]) - 1 if len(rows) > 1 else 0
    if (
        rows
        and size >= (1 if header else 10)
        and all(len(row) > size and all(map(NUMBER.fullmatch, row[-size:])) for row in rows)
        and not NUMBER.fullmatch(rows[0][0])
    ):
        return VECTORS
    return None


def _table(path: str, lines: list[bytes]) -> str | None:
    rows = [line for line in lines[:FEW] if line and len(line.split()) == 1]
    columns = {row.count(b",") for row in rows}
    if len(rows) == FEW and len(columns) == 1 and columns != {0}:
        return TABLE.format(repr(path))
    return None
