"""Words and their vectors: look-up, comparison, n-grams, loading and saving."""

from __future__ import annotations

import os
from collections.abc import Iterable

from numpy.typing import DTypeLike

from fastvec import formats
from fastvec.peers.errors import naming_peers_parameters_of
from fastvec.peers.names import LOAD
from fastvec.vectors.comparison import Drift, DriftedWord, drift
from fastvec.vectors.subwords import Subwords, SubwordVectors, vectors_of
from fastvec.vectors.vectors import UnknownWordError, Vectors, as_items, as_words

__all__ = [
    "Drift",
    "DriftedWord",
    "SubwordVectors",
    "Subwords",
    "UnknownWordError",
    "Vectors",
    "drift",
    "load",
]


@naming_peers_parameters_of(LOAD)
def load(
    path: str | os.PathLike[str],
    *,
    mmap: bool = False,
    verify: bool = False,
    format: str | None = None,
    errors: str = "strict",
    encoding: str = "utf-8",
    limit: int | None = None,
    words: Iterable[str | int] | None = None,
    dtype: DTypeLike | None = None,
    counts: str | os.PathLike[str] | None = None,
    on_duplicates: str = "error",
    on_nonfinite: str = "error",
) -> Vectors:
    """Load vectors from a file.

    Parameters
    ----------
    path : str or path-like
        The file. Its extension determines the format: ``.fvec``; ``.bin`` (word2vec's binary, or fastText's,
        which starts differently); ``.vec``, ``.txt`` and ``.w2v`` (text of word2vec, fastText or GloVe, or
        word2vec's binary); ``.glove``; ``.floret``, which has no list of words and needs `words`. All but
        .fvec may be gzipped.
    mmap : bool
        Whether to map the matrices into memory, read-only, instead of reading them (.fvec only): loading
        takes no time and no memory, and processes share one copy. Vectors that are not finite are noticed
        when the first cosine is computed.
    verify : bool
        Whether to require checksums, and to verify those of all of the file, mapped or not (.fvec only). What
        is read into memory is always verified if the file has checksums.
    format : {"fvec", "word2vec-binary", "fasttext", "floret", "word2vec-text", "glove"}, optional
        The format; by default the extension determines it.
    errors : {"strict", "replace", "ignore"}
        How to handle bytes of a word that are not valid in its encoding, as in `bytes.decode`. Where nothing
        is left of such a word, or it becomes equal to another one, it is dropped with a warning.
    encoding : str
        Encoding of the words, such as ``latin-1`` or ``cp852`` (all but .fvec and .floret, which are UTF-8).
        fastText takes n-grams from bytes: words that it has not seen have vectors if they are ASCII or the
        file is UTF-8.
    limit : int, optional
        Load only this many words, the first ones, which by convention are the most frequent. What follows
        them is not read, but for rows of n-grams and the list of words in .fvec and fastText's .bin: text and
        word2vec's binary that are cut off after them can be loaded.
    words : iterable of str or int, optional
        Load only these words, those of them that the file has, in its order. With `limit`, those of its first
        words. Memory is taken for these alone. Of .floret, all of them in this order; other words have
        vectors as unknown words then.
    dtype : {"float32", "float16"}, optional
        Type of the matrices, by default float32, or in a .fvec of bfloat16 or int8 that of the file, in which
        they are searched. With ``float16`` they take half the memory, also while they are read, and
        numbers have three decimal digits, which changes cosines by about 0.0001. All that is computed is
        float32, and so are vectors that are looked up; `most_similar` takes longer, since it converts the
        matrix.
    counts : path-like, optional
        A text file with a word and how often it occurred in each line, as gensim's ``fvocab``, word2vec.c's
        ``-save-vocab`` and GloVe's ``vocab.txt``. Words that are not in it have the count 0, with a warning.
    on_duplicates : {"error", "first"}
        Whether a word that occurs twice is an error, or all but the first are dropped with a warning.
    on_nonfinite : {"error", "drop"}
        Whether a vector with a NaN, an infinity or a number beyond float32 in it is an error, or is dropped
        with a warning. Rows of n-grams are not dropped but become 0.

    Returns
    -------
    Vectors
        The words and their vectors, with counts and training parameters if the file has them;
        `SubwordVectors` if it has n-grams.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the file is damaged or not in this format; the message names the file and the line, word or byte.

    Warns
    -----
    UserWarning
        If words are dropped.
    """
    contents = formats.read(
        path,
        format=format,
        mmap=mmap,
        verify=verify,
        errors=errors,
        encoding=encoding,
        limit=limit,
        words=None if words is None else as_words(as_items("words", words)),
        dtype=dtype,
        counts=counts,
        on_duplicates=on_duplicates,
        on_nonfinite=on_nonfinite,
    )
    try:
        return vectors_of(contents)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; on_nonfinite='drop' loads the others") from None
