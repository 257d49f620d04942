r"""The binary format of word2vec.c: a header line, then for each word its bytes, a space and d float32.

``b"2 3\nparis " + 12 bytes + b"\nlondon " + 12 bytes + b"\n"``. word2vec.c ends each vector with a line feed,
gensim does not; both are read, and ours is word2vec.c's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fastvec._format_common import (
    BLOCK,
    FASTTEXT_MAGIC,
    Contents,
    check_sizes,
    decode_words,
    encode_words,
    open_bytes,
    sizes,
)

__all__ = ["read", "write"]

# The space that ends a word is looked for this far: without a bound, all of a damaged file would be searched.
WORD_LIMIT = 1 << 20


def write(path: Path, contents: Contents) -> None:
    """Write words and vectors to a new file; the format holds nothing else."""
    names = encode_words(contents.words)
    n, d = contents.vectors.shape
    rows = max(1, BLOCK // (4 * d))
    with path.open("wb") as file:
        file.write(b"%d %d\n" % (n, d))
        for start in range(0, n, rows):
            block = np.asarray(contents.vectors[start : start + rows], dtype="<f4")
            file.write(
                b"".join(
                    b"%b %b\n" % (name, row.tobytes())
                    for name, row in zip(names[start : start + rows], block, strict=True)
                )
            )


def read(path: Path, errors: str) -> Contents:
    """Read words and vectors."""
    with open_bytes(path) as file:
        header = file.readline(64)
        promised = sizes(header)
        if header[:4] == FASTTEXT_MAGIC:
            raise ValueError(f"{path}: a fastText model, which needs format='fasttext', or none")
        if promised is None:
            raise ValueError(
                f"{path}: a word2vec binary file begins with a line of two numbers, words and dimensions, "
                f"got {header[:40]!r}"
            )
        n, d = promised
        check_sizes(path, n, d, 4 * d + 1)
        names: list[bytes] = []
        vectors = np.empty((n, d), dtype=np.float32)
        buffer, position = b"", 0
        for row in range(n):
            while (space := buffer.find(b" ", position)) < 0 or space + 1 + 4 * d > len(buffer):
                place = f"{path}, word {row + 1:,} of {n:,}"
                if space < 0 and len(buffer) - position > WORD_LIMIT:
                    raise ValueError(
                        f"{place}: no space ends it within {WORD_LIMIT:,} bytes; the file is damaged"
                    )
                more = file.read(BLOCK)
                if not more:
                    raise ValueError(f"{place}: the file ends within it; it is truncated or damaged")
                buffer, position = buffer[position:] + more, 0
            names.append(buffer[position:space].lstrip(b"\n"))
            vectors[row] = np.frombuffer(buffer, dtype="<f4", count=d, offset=space + 1)
            position = space + 1 + 4 * d
        if (buffer[position:] + file.read(BLOCK)).strip():
            raise ValueError(
                f"{path}: the file continues after the {n:,} words that its header promises; it is damaged"
            )
    words = decode_words(names, errors, lambda row: f"{path}, word {row + 1:,} of {n:,}")
    return Contents(words, vectors, None, {})
