r"""The ``.bin`` of fastText: a whole model, with the rows of the words and of their n-grams.

All numbers are little-endian, without padding:

====================  =====================================================================================
part                  what it is
====================  =====================================================================================
int32 [2]             793712314, and the version: 12, or 11, which differs for supervised models alone
int32 [12], float64   dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn,
                      lrUpdateRate, t
int32 [3], int64 [2]  entries, words, labels; tokens; pairs of a table for pruned models, else -1
entries               bytes, NUL, int64 count, int8 type (0 a word, 1 a label); the words come first
bool                  whether the input matrix is quantized
int64 [2], float32    rows, columns and numbers of the input matrix: words, then buckets of n-grams
bool                  whether the output matrix is quantized
int64 [2], float32    the output matrix, a row for each word, or for each label of a supervised model; with
                      the hierarchical softmax one for each inner node of the tree, and one of zeros
====================  =====================================================================================

The first versions, of 2016, lack the first part, the pairs of a table, and whether matrices are quantized.
Such a file is known by parameters that are all within their ranges. Those versions gave n-grams to ``</s>``,
too, which it does not have here.

Every length is checked against the size of the file before it is used.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastvec import kernels
from fastvec.formats.atomic import replacing
from fastvec.formats.common import BLOCK_BYTES, Contents, most_bytes, open_bytes
from fastvec.formats.kinds import FASTTEXT_MAGIC
from fastvec.formats.ngrams import Subwords, row_means
from fastvec.formats.places import on_disk
from fastvec.formats.wanted import Wanted
from fastvec.formats.words import WORD_LIMIT, check_separable, check_unique, decode_words, join_words
from fastvec.training.signals import hold

__all__ = [
    "FastTextFile",
    "begins",
    "check",
    "model_of",
    "nodes_of_outputs",
    "outputs_of_nodes",
    "read",
    "read_model",
    "write",
    "write_model",
]

VERSION = struct.Struct("<i")
ARGUMENTS = struct.Struct("<12id")
SIZES = struct.Struct("<3i2q")
FIRST_SIZES = struct.Struct("<3iq")
ENTRY = np.dtype([("count", "<i8"), ("type", "i1")])
SHAPE = struct.Struct("<2q")

LOSSES = {1: "hierarchical_softmax", 2: "negative_sampling", 3: "softmax", 4: "one_vs_all"}
MODELS = {1: "cbow", 2: "skipgram", 3: "supervised"}


class FastTextFile(NamedTuple):
    """The contents of fastText's ``.bin``.

    Attributes
    ----------
    words : list of str
        The n words; fastText's end of a sentence, ``</s>``, is one of them.
    counts : ndarray of int64, shape (n,), or None
        How often each occurred. Written as 1 each if None, since the format requires counts.
    input_vectors : ndarray of float32, shape (n + buckets, d)
        The rows of the words, followed by those of the n-grams.
    output_vectors : ndarray of float32, shape (n, d), or None
        The output rows, of labels in a supervised model, of inner nodes of the tree and one more with the
        hierarchical softmax. Written as zeros if None.
    subwords : Subwords
        Which n-grams the words have.
    parameters : dict
        Training parameters: ``model``, ``loss``, ``vector_size``, ``window``, ``negatives``, ``min_count``,
        ``subsample``, ``epochs``, ``min_n``, ``max_n`` and ``buckets``. The sizes are those of the matrices
        and of `subwords` when written; of the others, fastText's default is written for one that is missing
        or that it has no number for.
    """

    words: list[str]
    counts: NDArray[np.int64] | None
    input_vectors: NDArray[np.float32]
    output_vectors: NDArray[np.float32] | None
    subwords: Subwords
    parameters: dict[str, Any]


def begins(head: bytes) -> bool:
    """Return whether a file that begins so is one of fastText's."""
    return head.startswith(FASTTEXT_MAGIC) or _is_of_2016(head)


def _is_of_2016(head: bytes) -> bool:
    if len(head) < ARGUMENTS.size:
        return False
    d, window, epochs, min_count, negatives, word_ngrams, loss, model, buckets, min_n, max_n, rate, t = (
        ARGUMENTS.unpack_from(head)
    )
    return (
        0 < d < 100_000
        and 0 < window < 100_000
        and min(epochs, min_count, negatives, buckets, min_n, max_n) >= 0
        and 0 < word_ngrams < 100
        and loss in LOSSES
        and model in MODELS
        and max(min_n, max_n) < 1000
        and rate > 0
        and 0 <= t <= 1
    )


def model_of(head: bytes) -> str | None:
    """Return which of fastText's models a file that begins so is of; None if it is too short."""
    begin = 2 * VERSION.size if head.startswith(FASTTEXT_MAGIC) else 0
    if len(head) < begin + ARGUMENTS.size:
        return None
    return MODELS.get(ARGUMENTS.unpack_from(head, begin)[7])


def read_model(
    path: str | os.PathLike[str],
    errors: str = "strict",
    check: Callable[[FastTextFile], object] | None = None,
) -> FastTextFile:
    """Read a whole model; `check` is called with it before its words are decoded, which it may refuse.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        When it is not a model of fastText, is quantized, truncated or damaged, or has a word that is not
        UTF-8 where `errors` is "strict".
    """
    path = on_disk(path)
    model, _ = _read(path, errors, check)
    check_unique(path, model.words)
    return model


def _read(
    path: Path,
    errors: str,
    check: Callable[[FastTextFile], object] | None = None,
    *,
    wanted: Wanted | None = None,
) -> tuple[FastTextFile, list[bytes]]:
    """Return a model, less the words that `decode_words` drops, and the bytes of its words.

    With `wanted`, of its words what that says, and no output matrix.
    """
    with open_bytes(path) as file:
        model, every, places = _parse(path, Stream(path, file), wanted)
    if check is not None:
        check(model)
    names = [every[place] for place in places]
    n = len(names)

    def place(row: int) -> str:
        return f"{path}, word {places[row] + 1:,} of {len(every):,}"

    encoding = None if wanted is None else wanted.encoding
    words, kept = decode_words(path, names, errors, place, encoding)
    model = model._replace(words=words)
    if len(words) == n:
        return model, names
    assert model.counts is not None
    inputs = np.concatenate([model.input_vectors[:n][kept], model.input_vectors[n:]])
    model = model._replace(counts=model.counts[kept], input_vectors=inputs)
    is_of_words = model.parameters["model"] != "supervised" and model.parameters["loss"] != LOSSES[1]
    if model.output_vectors is not None and is_of_words:
        model = model._replace(output_vectors=model.output_vectors[kept])
    return model, [names[row] for row in np.arange(n)[kept]]


def nodes_of_outputs(outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the inner nodes of a tree as kernels have them, from the output matrix.

    A path turns to the branch 1 with σ(x · n) in fastText, and with σ(−x · n) here.
    """
    nodes: NDArray[np.float32] = -outputs[:-1]
    return nodes


def outputs_of_nodes(nodes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the output matrix of a tree: there is one row more than inner nodes, which is not used."""
    return np.append(-nodes, np.zeros((1, nodes.shape[1]), np.float32), axis=0)


def write_model(path: str | os.PathLike[str], file: FastTextFile) -> None:
    """Write a whole model; if anything fails, an existing file is left untouched.

    Raises
    ------
    OSError
        If the file cannot be written.
    ValueError
        When a word is empty or has white space or a NUL in it, which the format cannot hold.
    """
    with hold(), replacing(path) as temporary:
        _write(temporary, file)


def _wanted_rows(names: list[bytes], wanted: Wanted | None) -> Sequence[int]:
    if wanted is None:
        return range(len(names))
    first = range(wanted.first(len(names)))
    rows = wanted.rows(names[: len(first)])
    return first if isinstance(rows, slice) else rows.tolist()


def read(path: Path, wanted: Wanted) -> Contents:
    """Read words, counts, parameters, the rows of the input matrix, and make the vectors of the words."""
    file, names = _read(path, wanted.errors, wanted=wanted)
    # A word's n-grams are those of its bytes, whatever `errors` and the encoding have made of them.
    vectors = row_means(file.input_vectors, *file.subwords.rows(names), wanted.dtype)
    return Contents(file.words, vectors, file.counts, file.parameters, file.input_vectors, file.subwords)


def write(path: Path, contents: Contents) -> None:
    """Write a new model with an output matrix of zeros; vectors without n-grams make one without n-grams."""
    words, vectors, counts, metadata, input_vectors, subwords = contents
    if input_vectors is None or subwords is None:
        input_vectors, subwords = vectors, Subwords(0, 0, 0)
    _write(path, FastTextFile([*map(str, words)], counts, input_vectors, None, subwords, metadata or {}))


def check(subwords: Subwords | None) -> None:
    """Raise ValueError if the format cannot hold vectors with these n-grams."""
    if subwords is not None and subwords.hash_count is not None:
        raise ValueError(
            f"fastText's .bin cannot hold n-grams as in floret (hash_count={subwords.hash_count}): "
            "save as .fvec or .floret, or the vectors of the words alone as .vec"
        )


def _write(path: Path, model: FastTextFile) -> None:
    check(model.subwords)
    check_names(model.words)
    n = len(model.words)
    counts = np.ones(n, np.int64) if model.counts is None else model.counts
    words = [word.encode() for word in model.words]
    header = Header(model.parameters, 1, model.subwords.buckets, model.subwords, words, [], counts, None)
    with path.open("wb") as file:
        write_header(file, header, model.input_vectors.shape[1])
        write_matrix(file, model.input_vectors)
        if model.output_vectors is not None:
            write_matrix(file, model.output_vectors)
        else:
            d = model.input_vectors.shape[1]
            file.write(b"\0" + SHAPE.pack(n, d))
            file.truncate(file.tell() + 4 * n * d)


def check_names(words: Sequence[str]) -> None:
    """Raise ValueError for a word or a label that the format cannot hold."""
    for word in words:
        if "\0" in word:
            raise ValueError(f"the word {word!r} has a NUL, which this format cannot hold; save as .fvec")
    check_separable(words)


def write_header(file: BinaryIO, header: Header, vector_size: int) -> None:
    """Write what comes before the matrices."""
    names = [*header.words, *header.labels]
    entries = np.zeros(len(names), ENTRY)
    entries["count"] = header.counts
    entries["type"][len(header.words) :] = 1
    kept = header.kept_buckets
    file.write(FASTTEXT_MAGIC + VERSION.pack(12) + _arguments(header, vector_size))
    file.write(
        SIZES.pack(
            len(names),
            len(header.words),
            len(header.labels),
            int(entries["count"].sum()),
            -1 if kept is None else len(kept),
        )
    )
    file.write(kernels.rows.write_records(*join_words(names), b"\0", _as_bytes(entries), b"").data)
    if kept is not None:
        file.write(np.column_stack([kept, np.arange(len(kept))]).astype("<i4").data)


def write_matrix(file: BinaryIO, matrix: NDArray[np.float32]) -> None:
    """Write a matrix that is not quantized, and that it is not."""
    file.write(b"\0" + SHAPE.pack(*matrix.shape))
    rows = max(1, BLOCK_BYTES // (4 * matrix.shape[1]))
    for start in range(0, len(matrix), rows):
        file.write(np.ascontiguousarray(matrix[start : start + rows], dtype="<f4").data)


def _arguments(header: Header, vector_size: int) -> bytes:
    def whole(name: str, default: int) -> int:
        value = header.parameters.get(name)
        return value if isinstance(value, int) and 0 <= value < 2**31 else default

    loss, subsample = header.parameters.get("loss"), header.parameters.get("subsample")
    return ARGUMENTS.pack(
        vector_size,
        whole("window", 5),
        whole("epochs", 5),
        whole("min_count", 5),
        whole("negatives", 5),
        header.word_ngrams,
        next((code for code, name in LOSSES.items() if name == loss), 2),
        3 if header.labels else 1 if header.parameters.get("model") == "cbow" else 2,
        header.n_buckets,
        header.subwords.min_n,
        header.subwords.max_n,
        100,  # lrUpdateRate
        subsample if isinstance(subsample, (int, float)) else 1e-4,
    )


class Header(NamedTuple):
    """What comes before the matrices.

    Attributes
    ----------
    parameters : dict
        As in `FastTextFile`.
    word_ngrams, n_buckets : int
        ``wordNgrams`` and ``bucket``, even if there are no n-grams.
    subwords : Subwords
        Which n-grams the words have.
    words, labels : list of bytes
        Both parts of the dictionary.
    counts : ndarray of int64
        How often each of the words and then of the labels occurred.
    kept_buckets : ndarray of int32, shape (n,), or None
        The buckets that a pruned model has kept, in the order of their rows; as they are read, with the place
        of the row of each, shape (n, 2).
    version : int
        That of the format; 0 for files of 2016, which do not say whether matrices are quantized.
    """

    parameters: dict[str, Any]
    word_ngrams: int
    n_buckets: int
    subwords: Subwords
    words: list[bytes]
    labels: list[bytes]
    counts: NDArray[np.int64]
    kept_buckets: NDArray[np.int32] | None
    version: int = 12


def read_header(path: Path, stream: Stream) -> Header:
    """Return what comes before the matrices."""
    begin, version = stream.take(4, "header"), 0
    if begin == FASTTEXT_MAGIC:
        version = VERSION.unpack(stream.take(4, "header"))[0]
        if version not in (11, 12):
            raise ValueError(f"{path}: fastText's .bin must be of version 11 or 12, got {version}")
        begin = b""
    begin += stream.take(ARGUMENTS.size - len(begin), "header")
    if version == 0 and not _is_of_2016(begin):
        raise ValueError(
            f"{path}: not a fastText model (.bin), which begins with other bytes; fastvec.load reads vectors "
            "of other formats"
        )
    arguments = ARGUMENTS.unpack(begin)
    parameters, n_buckets = _parameters(path, version, arguments)
    subwords = Subwords(parameters["min_n"], parameters["max_n"], parameters["buckets"])

    sizes = SIZES if version else FIRST_SIZES
    n_entries, n_words, n_labels, _, *pruned = sizes.unpack(stream.take(sizes.size, "header"))
    if n_words < 0 or n_labels < 0 or n_entries != n_words + n_labels:
        raise ValueError(
            f"{path}: the sizes in the header contradict each other; the file is damaged, or a .bin of "
            "floret, whose save_floret_vectors writes a .floret, which is read"
        )
    stream.check((1 + ENTRY.itemsize) * n_entries, f"the {n_entries:,} words that the header promises")
    names, entries = stream.entries(n_entries)
    counts, types = entries["count"].astype(np.int64), entries["type"]
    if types[:n_words].any() or (types[n_words:] != 1).any() or counts.min(initial=0) < 0:
        raise ValueError(f"{path}: a word has a negative count or another type; the file is damaged")
    kept = None
    if version and pruned[0] >= 0:
        n_kept = pruned[0]
        kept = stream.array((n_kept, 2), np.dtype("<i4"), "dictionary", f"{n_kept:,} buckets that are kept")
    return Header(
        parameters, arguments[5], n_buckets, subwords, names[:n_words], names[n_words:], counts, kept, version
    )


def _parse(
    path: Path, stream: Stream, wanted: Wanted | None
) -> tuple[FastTextFile, list[bytes], Sequence[int]]:
    """Return a model with what is wanted of its matrices; all words of the file, and which are wanted."""
    header = read_header(path, stream)
    parameters, subwords, n_buckets = header.parameters, header.subwords, header.n_buckets
    n_words = len(header.words)
    if header.kept_buckets is not None or (header.version and stream.take(1, "input matrix") != b"\0"):
        raise _quantised(path)
    d = parameters["vector_size"]
    stream.shape_of_numbers(n_words + n_buckets, d, "input matrix")
    places = _wanted_rows(header.words, wanted)
    rows = np.zeros(n_words + n_buckets, dtype=bool)
    rows[places] = True
    rows[n_words:] = n_buckets == subwords.buckets  # otherwise nothing points at these
    input_vectors = stream.matrix(rows, d, "input matrix", np.float32 if wanted is None else wanted.dtype)
    counts = header.counts[:n_words][rows[:n_words]]
    if header.version:
        stream.take(1, "output matrix")
    n_outputs = len(header.labels) if parameters["model"] == "supervised" else n_words
    stream.shape_of_numbers(n_outputs, d, "output matrix")
    output_vectors = stream.matrix(np.full(n_outputs, wanted is None), d, "output matrix")
    stream.finish()
    file = FastTextFile(
        [], counts, input_vectors, output_vectors if wanted is None else None, subwords, parameters
    )
    return file, header.words, places


def _parameters(path: Path, version: int, arguments: tuple[Any, ...]) -> tuple[dict[str, Any], int]:
    """Return the parameters, and how many rows of buckets the input matrix has, even if for no n-grams."""
    d, window, epochs, min_count, negatives, _, loss, model, buckets, min_n, max_n, _, t = arguments
    old_classifier = version < 12 and MODELS.get(model) == "supervised"
    if old_classifier or min_n > max_n:  # no n-grams: -maxn 0 leaves minn at its 3
        min_n = max_n = 0
    if d < 1 or loss not in LOSSES or model not in MODELS or not math.isfinite(t):
        raise ValueError(f"{path}: the header is damaged (dim {d:,}, loss {loss:,}, model {model:,}, t {t})")
    try:
        subwords = Subwords(max(min_n, 0), max_n, buckets)
    except ValueError as error:
        raise ValueError(f"{path}: the header is damaged ({error})") from None
    parameters = {
        "model": MODELS[model],
        "loss": LOSSES[loss],
        "vector_size": d,
        "window": window,
        "negatives": negatives,
        "min_count": min_count,
        "subsample": t,
        "epochs": epochs,
        "min_n": subwords.min_n,
        "max_n": subwords.max_n,
        "buckets": subwords.buckets,
    }
    return parameters, buckets


def _quantised(path: Path) -> ValueError:
    return ValueError(
        f"{path}: a quantized fastText model (.ftz), whose words have no vectors: the .bin it was made from "
        "has them; fastvec.classify.load reads it as a classifier"
    )


def _as_bytes(entries: NDArray[Any]) -> NDArray[np.uint8]:
    return entries.view(np.uint8).reshape(len(entries), ENTRY.itemsize)


class Stream:
    """A file read sequentially, with a bound on the number of bytes left."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.file = file
        self.left = most_bytes(path)
        self.buffer = b""
        self.position = 0

    def check(self, n: int, what: str) -> None:
        """Raise if there cannot be `n` more bytes."""
        if n > self.left:
            raise ValueError(
                f"{self.path}: {what} take {n:,} bytes or more, but no more than {self.left:,} are left; "
                "the file is truncated or damaged"
            )

    def take(self, n: int, part: str) -> bytes:
        """Return the next `n` bytes."""
        while len(self.buffer) - self.position < n:
            self._read_block(part)
        self.position += n
        self.left -= n
        return self.buffer[self.position - n : self.position]

    def entries(self, n: int) -> tuple[list[bytes], NDArray[Any]]:
        """Return the words of `n` entries of the dictionary, and what follows them."""
        names: list[bytes] = []
        entries = np.empty(n, ENTRY)
        while len(names) < n:
            content = self.buffer[self.position :]
            row = len(names)
            at_most = min(n - row, len(content) // (1 + ENTRY.itemsize))
            bounds = np.empty((at_most, 2), np.int64)
            n_found, end = kernels.rows.read_records(
                content, b"\0", _as_bytes(entries[row : row + at_most]), bounds
            )
            names += [content[begin:stop] for begin, stop in bounds[:n_found].tolist()]
            self.position += end
            self.left -= end
            if len(names) == n:
                break
            if len(content) - end > WORD_LIMIT and content.find(b"\0", end) < 0:
                raise ValueError(
                    f"{self.path}, word {len(names) + 1:,} of {n:,}: no NUL ends it within {WORD_LIMIT:,} "
                    "bytes; the file is damaged"
                )
            self._read_block("words")
        return names, entries

    def shape(self, rows: int, columns: int, part: str) -> None:
        """Pass over the shape of a matrix, which must be this."""
        shape = SHAPE.unpack(self.take(SHAPE.size, part))
        if shape != (rows, columns):
            raise ValueError(
                f"{self.path}: the {part} must have the shape {(rows, columns)} after the header, got "
                f"{shape}; the file is damaged"
            )

    def shape_of_numbers(self, rows: int, columns: int, part: str) -> None:
        """Pass over the shape of a matrix that is not quantized: there must be as many numbers."""
        self.shape(rows, columns, part)
        self.check(4 * rows * columns, f"the {rows:,} rows of the {part}")

    def matrix(
        self, rows: NDArray[np.bool_], columns: int, part: str, dtype: DTypeLike = np.float32
    ) -> NDArray[Any]:
        """Return those rows of a matrix that are asked for, and pass over the others."""
        if rows.all() and dtype == np.float32:
            what = f"{len(rows):,} rows of the {part}"
            return self.array((len(rows), columns), np.dtype("<f4"), part, what).astype(
                np.float32, copy=False
            )
        matrix = np.empty((np.count_nonzero(rows), columns), dtype=dtype)
        at_once, n_kept = max(1, BLOCK_BYTES // (4 * columns)), 0
        for begin in range(0, len(rows), at_once):
            kept = rows[begin : begin + at_once]
            n = 4 * columns * len(kept)
            if not kept.any():
                self._skip(n, part)
                continue
            block = np.frombuffer(self.take(n, part), "<f4").reshape(-1, columns)[kept]
            with np.errstate(over="ignore"):  # what is beyond float16 is infinite there
                matrix[n_kept : n_kept + len(block)] = block
            n_kept += len(block)
        return matrix

    def _skip(self, n: int, part: str) -> None:
        """Pass over n bytes, of a file that is not gzipped without reading them."""
        buffered = len(self.buffer) - self.position
        if n <= buffered or isinstance(self.file, gzip.GzipFile):
            self.take(n, part)
            return
        self.file.seek(n - buffered, os.SEEK_CUR)
        self.buffer, self.position = b"", 0
        self.left -= n

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], part: str, what: str) -> NDArray[Any]:
        """Return numbers, in an array of this shape."""
        n = math.prod(shape) * dtype.itemsize
        self.check(n, f"the {what}")
        array = np.empty(shape, dtype)
        target = array.reshape(-1).view(np.uint8)
        done = min(n, len(self.buffer) - self.position)
        target[:done] = np.frombuffer(self.take(done, part), np.uint8)
        while done < n:
            read = self.file.readinto(target[done:])  # type: ignore[attr-defined]
            if not read:
                raise self._ends_within(part)
            done += read
            self.left -= read
        return array

    def finish(self) -> None:
        """Raise unless the file ends here."""
        if self.position < len(self.buffer) or self.file.read(1):
            raise ValueError(f"{self.path}: the file continues after the output matrix; it is damaged")

    def _read_block(self, part: str) -> None:
        block = self.file.read(BLOCK_BYTES)
        if not block:
            raise self._ends_within(part)
        self.buffer, self.position = self.buffer[self.position :] + block, 0

    def _ends_within(self, part: str) -> ValueError:
        return ValueError(f"{self.path}: the file ends within the {part}; it is truncated or damaged")
