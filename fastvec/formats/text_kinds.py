"""Files whose lines are not sentences in UTF-8, told by how they begin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from fastvec.formats.kinds import FASTTEXT_MAGIC, NUMBER, OWN, own_format, packed_or_wide, sizes

__all__ = ["FIRST_BYTES", "check_kind", "conll_u", "not_text"]

# How much of a file is looked at.
FIRST_BYTES = 1 << 15
# And how many lines of vectors.
FEW = 5

MAGIC = (
    (rb"%PDF-", "is a PDF file: extract its text first, for example with pdftotext"),
    (rb"\x93NUMPY", "is an array of NumPy, not a text: numpy.load reads it"),
    (rb"\x80[\x02-\x05]", "is a pickle of Python, not a text"),
    (re.escape(FASTTEXT_MAGIC), "is a model of fastText, not a text"),
    (
        rb"version https://git-lfs",
        "is a pointer of Git LFS, not a text: git lfs pull fetches the file itself",
    ),
    (rb"PAR1", "is a Parquet file, not a text: read its column of texts, for example with pandas"),
    (rb"(?s).{8}\{\"", "is a safetensors file, not a text"),
    (rb"\d+[ \t]\d+\r?\n", "is a binary file of word vectors, not a text"),
)
# Those of the kinds above that may also be how a text begins, which has no zeros.
WITH_ZEROS = 3

SEQUENCES = (
    "is a {} file, whose lines are not sentences: make sentences of k-mers, for example "
    "[[read[i : i + 6] for i in range(len(read) - 5)] for read in reads]"
)
NUCLEOTIDES = re.compile(rb"[ACGTUNacgtun-]{4,}")
AMINO_ACIDS = re.compile(rb"[A-Z*-]{20,}")
FIRST_OF_CONLL_U = re.compile(rb"1(-\d+)?\t")
CONLL_U = (
    "is a CoNLL-U file, whose second column of ten has the words; to get columns of words and tags, as "
    "read_conll reads them: grep -Ev '^(#|[0-9]+[-.])' FILE | cut -f 2,4"
)
VECTORS = "is a file of word vectors, whose lines are not sentences: fastvec.load reads it"


def not_text(head: bytes) -> str | None:
    """Return what a file is that begins with these bytes, None if it may be text in UTF-8."""
    own = own_format(head)
    if own in OWN:
        return f"is {OWN[own].name}, not a text: {OWN[own].remedy}"
    kind = packed_or_wide(head)
    if kind is not None:
        return f"is {kind.name}: {kind.remedy}"
    if b"\r" in head.rstrip(b"\r") and b"\n" not in head:
        return "has lines that end with a carriage return alone: convert it with tr '\\r' '\\n' < FILE"
    has_zeros = b"\0" in head
    for pattern, said in MAGIC if has_zeros else MAGIC[:-WITH_ZEROS]:
        if re.match(pattern, head):
            return said
    return None


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
    said = _sequences(lines) or conll_u(lines) or _vectors(lines)
    if said is not None:
        raise ValueError(f"{path} {said}")
    return chain([head], blocks)


def conll_u(lines: list[bytes]) -> str | None:
    """Return what there is to say about a file with these first lines if it is CoNLL-U."""
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
