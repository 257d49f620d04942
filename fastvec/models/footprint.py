"""How much memory a training takes, and how large its files are, by sizes alone.

What arrays take is known. What words take as objects of Python, what the system keeps of freed memory, and
copies that threads have were measured, and are the constants below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fastvec.corpus import Vocabulary
from fastvec.counts.runs import ENTRY_BYTES, MOST_ENTRIES
from fastvec.formats.spool import BLOCK_ITEMS
from fastvec.models.base import CountModel, EpochModel, Learner
from fastvec.models.fasttext import FastText
from fastvec.models.glove import GloVe
from fastvec.models.paragraphs import DocVectors
from fastvec.models.tiles import RECORD
from fastvec.models.words import WordModel
from fastvec.training.matrices import NUMBERS_AT_ONCE, padded_shape
from fastvec.training.threads import number_of_threads

__all__ = ["Sizes", "bytes_of_list", "file_bytes", "model_bytes", "peak_bytes"]

MIB = 1 << 20
# Of a text: what a different word takes, with its place in tables, and what is left from reading, at most.
BYTES_A_WORD, READING = 200, 10 * MIB
# Of a training: the tables of a word, those of its n-grams, and what else there is.
BYTES_OF_TABLES, BYTES_OF_NGRAMS, TRAINING = 310, 80, 3 * MIB
# Of counts: a kept word of the text and its place, and what is left, at most.
BYTES_OF_PLACES, COUNTING = 12, 25 * MIB
# Of a factorization: an entry of the matrix and of its transpose, and the numbers that ARPACK and QR
# decompositions keep of a word for every dimension.
BYTES_OF_ENTRIES, NUMBERS_OF_DIMENSIONS = 16, 13
# What the header of a file takes, and an epoch in it: of vectors, and of a whole model in addition.
HEADER, EPOCH, EPOCH_OF_MODEL = 1300, 80, 200


@dataclass(frozen=True)
class Sizes:
    """What is to be trained on.

    Attributes
    ----------
    words, sentences, distinct_words : int
        Of the text.
    vocabulary : int
        The words that have vectors.
    bytes_of_words : int
        What these take as a list in a file.
    entries : int
        Of the counts, if these are what is trained on.
    """

    words: int
    sentences: int
    distinct_words: int
    vocabulary: int
    bytes_of_words: int
    entries: int = 0


def peak_bytes(model: Learner, sizes: Sizes) -> int:
    """Return the most memory that reading a text and training on it take at one time."""
    limit = getattr(model, "memory_limit", 0)
    if isinstance(model, CountModel):
        limit = -(-limit // 2)
    ids = _within(4 * sizes.words, limit)
    text = ids + 8 * sizes.sentences + BYTES_A_WORD * sizes.distinct_words + min(READING, 4 * ids)
    reading = text + min(ids, 4 * BLOCK_ITEMS)
    if isinstance(model, CountModel):
        training = _of_counts(model, sizes, text)
    else:
        assert isinstance(model, EpochModel)
        training = text + _of_epochs(model, sizes)
    return max(reading, training)


def _of_epochs(model: EpochModel, sizes: Sizes) -> int:
    """Return the memory of a training beside the text."""
    matrices = [_matrix_bytes(*shape) for shape in _shapes(model, sizes).values()]
    together, at_once = sum(matrices), 4 * NUMBERS_AT_ONCE
    tables = BYTES_OF_TABLES * sizes.vocabulary
    if model._has_tree():
        tables += 5 * sizes.vocabulary * math.ceil(math.log2(max(2, sizes.vocabulary)))
    if isinstance(model, FastText):
        tables += BYTES_OF_NGRAMS * sizes.vocabulary
    if isinstance(model, WordModel):
        if model.keep or model.drop:  # words get other ids than those of the text
            tables += 4 * sizes.words
        if model.deterministic or model.early_stopping:
            together *= 2
    return max(matrices[0] + min(at_once, matrices[0]), together + tables) + TRAINING


def _of_counts(model: CountModel, sizes: Sizes, text: int) -> int:
    """Return the memory of counting a text, or of training on its counts."""
    limit, threads = model.memory_limit, number_of_threads(model.threads)
    entries = _within(ENTRY_BYTES * sizes.entries, limit * 3 // 8)
    places = min(BYTES_OF_PLACES * sizes.words, limit // 2)
    buffers = (threads + 2) * ENTRY_BYTES * min(MOST_ENTRIES, sizes.entries) // 2
    counting = text + places + entries + buffers
    words = BYTES_A_WORD * sizes.distinct_words
    if isinstance(model, GloVe):
        records = _within(RECORD.itemsize * sizes.entries, limit - entries)
        matrices = sum(_matrix_bytes(*shape) for shape in _shapes(model, sizes).values())
        training = words + entries + records + matrices
    else:
        d, n = model.vector_size, sizes.vocabulary
        of_matrix = BYTES_OF_ENTRIES * sizes.entries + 4 * NUMBERS_OF_DIMENSIONS * d * n
        training = words + entries + of_matrix
    return max(counting, training + min(COUNTING, ENTRY_BYTES * sizes.entries))


def file_bytes(model: Learner, sizes: Sizes) -> int:
    """Return the size of a .fvec of the vectors."""
    n, d = sizes.vocabulary, getattr(model, "vector_size", 0)
    if isinstance(model, DocVectors):
        n, words = sizes.sentences, _bytes_of_numbers(sizes.sentences)
    else:
        words = sizes.bytes_of_words
    if isinstance(model, GloVe) and model.combine == "concatenate":
        d *= 2
    size = HEADER + EPOCH * getattr(model, "epochs", 0) + 4 * n * d + words + 8 * n
    if isinstance(model, FastText):
        size += 4 * d * _shapes(model, sizes)["input_vectors"][0]
    return size


def model_bytes(model: Learner, sizes: Sizes) -> int | None:
    """Return the size of a .fvec of the whole model, None if it cannot be saved."""
    if not isinstance(model, EpochModel):
        return None
    others = (
        4 * rows * columns
        for name, (rows, columns) in _shapes(model, sizes).items()
        if name != "input_vectors"
    )
    size = file_bytes(model, sizes) + sum(others)
    if isinstance(model, DocVectors):
        size += sizes.bytes_of_words + 8 * sizes.vocabulary
    return size + (9 * sizes.vocabulary if model._has_tree() else 0)


def bytes_of_list(vocabulary: Vocabulary) -> int:
    """Return what the words of a vocabulary take as a list in a file."""
    return sum(len(str(word).encode(errors="replace")) + 3 for word in vocabulary.words)


def _shapes(model: EpochModel, sizes: Sizes) -> dict[str, tuple[int, int]]:
    """Return the shapes of all matrices that are trained."""
    of_words = model._shapes(sizes.vocabulary)
    if isinstance(model, DocVectors):
        return {"input_vectors": (sizes.sentences, model.vector_size), **of_words}
    return of_words


def _matrix_bytes(n_rows: int, n_columns: int) -> int:
    return 4 * math.prod(padded_shape(n_rows, n_columns))


def _bytes_of_numbers(n: int) -> int:
    """Return what the numbers below n take as a list in a file."""
    return sum(n - 10**digits if digits else n for digits in range(len(str(n - 1)))) + n


def _within(size: int, limit: int) -> int:
    """Return what an array takes of memory, which is in a file beyond a limit."""
    return size if size <= limit else 0
