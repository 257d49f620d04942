"""`count`: `Cooccurrence` of a text in shards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.corpus import Corpus, Vocabulary
from fastvec.corpus.selection import given_vocabulary, known_ids, made_of, select
from fastvec.corpus.sources import Reading
from fastvec.counts import counting
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.counts.runs import CountMatrix, Runs, add_matrices
from fastvec.counts.units import distance_weights
from fastvec.distributed.clusters import connect
from fastvec.distributed.storage import together, working_folder, write
from fastvec.distributed.texts import Shard, ids_of, provenance, read, sources_of
from fastvec.formats.container import map_tensors
from fastvec.formats.spool import memory_left
from fastvec.training.progress import Progress
from fastvec.training.threads import Workers

__all__ = ["count"]


def count(
    shards: Any,
    *,
    cluster: str | int | None = None,
    folder: str | os.PathLike[str] | None = None,
    lowercase: bool = False,
    tokenizer: Callable[[str], Iterable[Any]] | None = None,
    errors: str = "strict",
    column: str | None = None,
    kmers: Sequence[int] | None = None,
    vocabulary: Any = None,
    **params: Any,
) -> Cooccurrence:
    """Count how often words occur near each other in a text of many files, on several processes or machines.

    The result is that of `Cooccurrence.fit` with the same files on one machine, to the last bit, whatever the
    cluster. Every file is a shard, which is read once and then counted, each by one worker; what is found is
    kept in a folder, and merged there.

    Parameters
    ----------
    shards : path, address, list of these, or data set of Ray
        Files, folders, patterns such as ``"wiki/*.txt"``, and addresses such as ``"s3://bucket/wiki/*.txt"``,
        which need fsspec: text with a sentence per line as for `Corpus`, Parquet with `column`, or FASTA with
        `kmers`. All machines must find them there. A data set of Ray is counted block by block.
    cluster : str or int, optional
        Where the work is done: in this process by default; in so many processes of this machine; or on a
        cluster of Ray, of which this is the address: "auto" for the one that this machine belongs to,
        "host:port", or "local" for a new one on this machine.
    folder : str or PathLike, optional
        A folder on a disk that all workers share, where about eight bytes for every word of the text and the
        counts of every shard find a place while the work goes on; the system's folder for temporary files by
        default.
    lowercase : bool
        Whether to convert words to lower case, as in `Corpus`.
    tokenizer : callable, optional
        Function of a module that splits a line into words, as in `Corpus`.
    errors : {"strict", "replace", "ignore"}
        How to handle bytes that are not valid UTF-8, as in `Corpus`.
    column : str, optional
        The column of Parquet files, or of a data set of Ray, that holds the sentences.
    kmers : sequence of int, optional
        Length and stride of the words in FASTA files, as in `Corpus`.
    vocabulary : Vocabulary, dict of words and counts, or list of words, optional
        The words to count, as for `Cooccurrence.fit`.
    **params
        Parameters of `Cooccurrence`. Here, `memory_limit` and `threads` are those of each worker; it has one
        thread by default.

    Returns
    -------
    Cooccurrence
        The counts.

    Raises
    ------
    ImportError
        If Ray is to be used and is not installed.
    OSError
        If a file is missing or cannot be read, a disk is full, or there is no cluster at the address.
    RuntimeError
        If workers have another version of fastvec, or are lost again and again.
    TypeError, ValueError
        If a parameter or the text is invalid.

    Examples
    --------
    >>> import fastvec
    >>> from pathlib import Path
    >>> for number, text in enumerate(["to be or not to be", "not to be"]):
    ...     _ = Path(f"part-{number}.txt").write_text(text)
    >>> counts = fastvec.distributed.count("part-*.txt", min_count=1, window=2)
    >>> counts
    Cooccurrence(window=2, min_count=1): 12 entries, 4 words
    >>> counts["to", "be"]
    3.0
    """
    counts = Cooccurrence(**params)
    counts.check_params()
    limit, progress = counts.memory_limit, counts.progress
    how = Reading(lowercase, tokenizer, errors, False, column, kmers)
    sources, reading = sources_of(shards, how, cluster)
    with (
        working_folder(folder) as place,
        connect(cluster, threads=counts.threads or 1, any_backend=True) as engine,
    ):
        texts = read(engine, sources, how, place, limit, progress)
        made_from = provenance(engine, texts, reading, limit)
        if vocabulary is None:
            chosen = select(texts.vocabulary, counts.min_count, counts.max_vocab, counts.keep, counts.drop)
        else:
            chosen = given_vocabulary(vocabulary, texts.vocabulary)
            made_from["vocabulary"] = "given"
        if vocabulary is not None or counts.keep or counts.drop:
            new_ids = known_ids(chosen, texts.vocabulary.words)
            if (new_ids == len(chosen)).all():
                raise ValueError(
                    f"vocabulary must have a word of {texts.vocabulary!r}, got none in {chosen!r}"
                )
            texts = texts.with_ids(place / "chosen", new_ids)
        weights, unit = distance_weights(counts.weighting, counts.window)
        how_to_count = (len(chosen), weights, counts.symmetric, engine.threads, limit)
        handles = [
            engine.submit(f"count {shard.path.stem}", _count, shard, *how_to_count)
            for shard in texts.shards
            if shard.n_tokens
        ]
        whole = engine.combine("add counts", partial(_add, engine.threads, limit), handles)
        with Progress("counting", len(handles), " shards", progress) as bar:
            engine.results(handles, bar.update)
        (path,) = engine.results([whole])
        matrix = _taken(path, limit)
    return counts._set(chosen, matrix, unit, made_of([made_from]))


def _count(
    shard: Shard, n_words: int, weights: NDArray[np.int64], symmetric: bool, threads: int, memory_limit: int
) -> Path:
    """Count a shard."""
    ids, sentence_offsets = ids_of(shard, memory_limit // 2)
    text = Corpus._of_ids(ids, sentence_offsets, Vocabulary([], []), {})
    left = memory_left(memory_limit, ids)
    matrix = counting.count(
        text, n_words, weights, symmetric, threads=threads, memory_limit=left, progress=False
    )
    path = shard.path.with_suffix(".counts")
    write(path, matrix._asdict())
    return path


def _add(threads: int, memory_limit: int, *paths: Path) -> Path:
    """Add the counts of neighbouring parts."""
    matrices = [CountMatrix(**map_tensors(path)[0]) for path in paths]
    same, n_words = [None] * len(matrices), len(matrices[0].row_offsets) - 1
    with Workers(threads) as workers:
        matrix = add_matrices(matrices, same, n_words, workers, memory_limit, False)
    path = together(paths)
    write(path, matrix._asdict())
    return path


def _taken(path: Path, memory_limit: int) -> CountMatrix:
    """Return counts that need their file no more; they are memory-mapped if they are too much for memory."""
    matrix = CountMatrix(**map_tensors(path)[0])
    with Workers(1) as workers, Runs(len(matrix.row_offsets) - 1, workers, memory_limit) as runs:
        runs.put(matrix, "the counts")
        return runs.finish(False)
