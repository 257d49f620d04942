"""`count`: `Cooccurrence` of a text in shards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.corpus import Corpus, Vocabulary
from fastvec.corpus.selection import given_vocabulary, known_ids, made_of, select
from fastvec.corpus.sources import Reading
from fastvec.counts import counting
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.counts.runs import CountMatrix, add_matrices
from fastvec.counts.units import distance_weights
from fastvec.distributed.calls import Handle
from fastvec.distributed.clusters import connect
from fastvec.distributed.engine import Engine
from fastvec.distributed.storage import together, working_folder, write
from fastvec.distributed.texts import Shard, hashes, ids_of, provenance, read, sources_of
from fastvec.formats.container import map_tensors
from fastvec.formats.spool import Spool, memory_left
from fastvec.training.progress import Progress
from fastvec.training.threads import Workers, file_threads

__all__ = ["count"]

# Bytes of memory that a word of a text takes while it is counted.
TOKEN_BYTES = 28
# The work of a row goes with this power of how often its word occurs, about: entries are fewer than contexts.
OF_WORK = 0.8
# Ranges of rows that are added, each by a call of its own, at most.
MOST_RANGES = 64


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
    cluster. Every file is a shard, and a large one several; one worker reads each of them once. Then each
    worker counts some rows of as many shards as fit in its memory. What is found is kept in a folder, and
    merged there.

    Parameters
    ----------
    shards : path, address, list of these, or data set of Ray
        Files, folders, patterns such as ``"wiki/*.txt"``, and addresses such as ``"s3://bucket/wiki/*.txt"``,
        which need fsspec: text with a sentence per line as for `Corpus`, Parquet with `column`, or FASTA with
        `kmers`. All machines must find them there. Texts of more than 64 MB are cut at ends of lines, and
        Parquet between row groups, unless they are compressed texts, FASTA, or in an archive. A data set of
        Ray is counted block by block.
    cluster : str or int, optional
        Where the work is done: in this process by default; in so many processes of this machine; or on a
        cluster of Ray, of which this is the address: "auto" for the one that this machine belongs to,
        "host:port", or "local" for a new one on this machine.
    folder : str or PathLike, optional
        A folder on a disk that all workers share, where about four bytes for every word of the text and the
        counts of all parts find a place while the work goes on; the system's folder for temporary files by
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
        text, of_shards = texts, hashes(engine, texts, limit)
        if vocabulary is None:
            chosen = select(texts.vocabulary, counts.min_count, counts.max_vocab, counts.keep, counts.drop)
        else:
            chosen = given_vocabulary(vocabulary, texts.vocabulary)
        if vocabulary is not None or counts.keep or counts.drop:
            new_ids = known_ids(chosen, texts.vocabulary.words)
            if (new_ids == len(chosen)).all():
                raise ValueError(
                    f"vocabulary must have a word of {texts.vocabulary!r}, got none in {chosen!r}"
                )
            texts = texts.with_ids(place / "chosen", new_ids)
        weights, unit = distance_weights(counts.weighting, counts.window)
        parts = _parts(texts.shards, limit)
        bounds = _bounds(chosen.counts, min(engine.workers, MOST_RANGES))
        handles = _counted(engine, parts, bounds, (len(chosen), weights, counts.symmetric), limit)
        add = partial(_add, engine.threads, limit)
        ranges = [engine.combine("add counts", add, of_range) for of_range in zip(*handles, strict=True)]
        made_from = provenance(engine, text, reading, of_shards)  # while others count
        with Progress("counting", len(parts) * len(ranges), " parts", progress) as bar:
            engine.results([handle for of_part in handles for handle in of_part], bar.update)
        matrix = _joined(engine.results(ranges), limit)
    if vocabulary is not None:
        made_from["vocabulary"] = "given"
    return counts._set(chosen, matrix, unit, made_of([made_from]))


def _parts(shards: Sequence[Shard], memory_limit: int) -> list[tuple[Shard, ...]]:
    """Return neighbouring shards together, as many as fit in the memory of a worker."""
    tokens = memory_limit // TOKEN_BYTES
    parts: list[tuple[Shard, ...]] = []
    n_tokens = 0
    for shard in shards:
        n_tokens += shard.n_tokens
        if not parts or n_tokens > tokens:
            parts.append((shard,))
            n_tokens = shard.n_tokens
        else:
            parts[-1] = (*parts[-1], shard)
    return parts


def _bounds(counts: NDArray[np.int64], n: int) -> list[int]:
    """Return the bounds of at most `n` ranges of rows that are about as much work, given counts of words."""
    done = np.cumsum(counts**OF_WORK)
    inner = np.searchsorted(done, done[-1] * np.arange(1, n) / n)
    return [*map(int, np.unique([0, *inner, len(counts)]))]


def _counted(
    engine: Engine, parts: list[tuple[Shard, ...]], bounds: list[int], what: tuple[Any, ...], limit: int
) -> list[list[Handle]]:
    """Begin to count, and return for every part the counts of every range of rows.

    A call counts some ranges of a part: all of them, unless there are more workers than parts.
    """
    n_ranges = len(bounds) - 1
    at_once = -(-n_ranges // -(-engine.workers // len(parts)))
    handles = []
    for part in parts:
        of_part = []
        for begin in range(0, n_ranges, at_once):
            own = bounds[begin : begin + at_once + 1]
            name = f"count {part[0].path.stem}, rows {own[0]} to {own[-1]}"
            of_part += engine.submit_parts(
                name,
                len(own) - 1,
                _count,
                part,
                own,
                *what,
                engine.threads,
                limit,
                size=(len(own) - 1) * sum(shard.work for shard in part),
            )
        handles.append(of_part)
    return handles


def _count(
    part: tuple[Shard, ...],
    bounds: list[int],
    n_words: int,
    weights: NDArray[np.int64],
    symmetric: bool,
    threads: int,
    memory_limit: int,
) -> tuple[Path, ...]:
    """Count neighbouring shards, and return files of ranges of rows."""
    ids, sentence_offsets = ids_of(part, memory_limit // 2)
    text = Corpus._of_ids(ids, sentence_offsets, Vocabulary([], []), {})
    matrix = counting.count(
        text,
        n_words,
        weights,
        symmetric,
        rows=(bounds[0], bounds[-1]),
        threads=threads,
        memory_limit=memory_left(memory_limit, ids),
        progress=False,
    )
    paths = []
    for first, last in pairwise(bounds):
        begin, end = matrix.row_offsets[[first, last]]
        offsets = np.clip(matrix.row_offsets, begin, end) - begin
        paths.append(part[0].path.with_suffix(f".{first}"))
        write(paths[-1], CountMatrix(offsets, matrix.columns[begin:end], matrix.units[begin:end])._asdict())
    return tuple(paths)


def _add(threads: int, memory_limit: int, *paths: Path) -> Path:
    """Add the counts of neighbouring parts in a range of rows."""
    matrices = [CountMatrix(**map_tensors(path)[0]) for path in paths]
    same, n_words = [None] * len(matrices), len(matrices[0].row_offsets) - 1
    with Workers(threads) as workers:
        matrix = add_matrices(matrices, same, n_words, workers, memory_limit, False)
    path = together(paths)
    write(path, matrix._asdict())
    return path


def _joined(paths: Sequence[Path], memory_limit: int) -> CountMatrix:
    """Return ranges of rows together; they are memory-mapped if they are too much for memory."""
    with Workers(file_threads()) as workers:
        found = [CountMatrix(**tensors) for tensors, _ in workers.in_order(map_tensors, paths)]
        columns = workers.submit(_end_to_end, [rows.columns for rows in found], memory_limit // 3)
        units = _end_to_end([rows.units for rows in found], memory_limit * 2 // 3)
        row_offsets = np.sum([rows.row_offsets for rows in found], axis=0)
        row_offsets.flags.writeable = False
        return CountMatrix(row_offsets, columns.result(), units)


def _end_to_end(arrays: Sequence[NDArray[Any]], memory_limit: int) -> NDArray[Any]:
    spool = Spool(arrays[0].dtype, memory_limit, n=sum(map(len, arrays)))
    for array in arrays:
        spool.append(array)
    return spool.finish()
