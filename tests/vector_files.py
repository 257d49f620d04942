"""Small files of vectors in the formats of other programs, made of bytes."""

import struct

import numpy as np
from inside import FastTextFile, write_model

from fastvec.vectors import Subwords

AB = np.array([[0.1, 0.2], [0.3, 0.4]], dtype=np.float32)


def binary(names, rows, ending=b"\n"):
    """Return a file of word2vec's binary format."""
    rows = np.asarray(rows, dtype="<f4")
    body = b"".join(name + b" " + row.tobytes() + ending for name, row in zip(names, rows, strict=True))
    return b"%d %d\n" % rows.shape + body


def text(names, rows, header=True):
    """Return a file of word2vec's text format, or GloVe's."""
    rows = np.asarray(rows, dtype=np.float32)
    lines = [name + b"".join(b" %.9g" % x for x in row) for name, row in zip(names, rows, strict=True)]
    return b"\n".join([b"%d %d" % rows.shape] * header + lines) + b"\n"


def fasttext(names, rows, path):
    """Return a file of fastText's, with one bucket of n-grams."""
    inputs = np.vstack([rows, np.ones((1, len(rows[0])))]).astype(np.float32)
    words = [f"{i:09}" for i in range(len(names))]
    write_model(path, FastTextFile(words, None, inputs, inputs[: len(names)], Subwords(3, 3, 1), {}))
    content = path.read_bytes()
    for word, name in zip(words, names, strict=True):
        content = content.replace(word.encode() + b"\0", name + b"\0")
    return content


def put(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def in_every_format(folder, names, rows):
    """Yield the same words and vectors in a file of each format that has words in bytes."""
    yield put(folder / "v.vec", text(names, rows))
    yield put(folder / "v.glove", text(names, rows, header=False))
    yield put(folder / "v.bin", binary(names, rows))
    yield put(folder / "gensim.bin", binary(names, rows, ending=b""))
    yield put(folder / "fasttext.bin", fasttext(names, rows, folder / "empty.bin"))


def make_of_2016(path):
    """Turn a file without labels into one of fastText's first version, before there was a magic number."""
    content = path.read_bytes()
    entries = 8 + 56 + 12 + 8 + 8
    n, d = struct.unpack_from("<i", content, 64)[0], struct.unpack_from("<i", content, 8)[0]
    place = entries
    for _ in range(n):
        place = content.index(b"\0", place) + 1 + 9
    rows = struct.unpack_from("<q", content, place + 1)[0]
    output = place + 1 + 16 + 4 * rows * d
    parts = (
        content[8 : entries - 8],
        content[entries:place],
        content[place + 1 : output],
        content[output + 1 :],
    )
    path.write_bytes(b"".join(parts))
