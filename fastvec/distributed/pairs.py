"""`phrases`: `Phrases` of a text in shards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec.corpus.selection import made_of
from fastvec.corpus.sources import Reading
from fastvec.corpus.writing import write_blocks, write_text
from fastvec.distributed.clusters import connect
from fastvec.distributed.engine import Engine
from fastvec.distributed.storage import together, working_folder, write
from fastvec.distributed.texts import (
    Shard,
    Texts,
    corpus_of,
    gather,
    hashes,
    ids_of,
    keep_corpus,
    provenance,
    read,
    sources_of,
)
from fastvec.formats.container import map_tensors
from fastvec.models.phrases import Pairs, Phrases
from fastvec.training.progress import Progress

__all__ = ["find", "phrases"]

BYTES_AT_ONCE = 1 << 20


def phrases(
    shards: Any,
    *,
    cluster: str | int | None = None,
    folder: str | os.PathLike[str] | None = None,
    lowercase: bool = False,
    tokenizer: Callable[[str], Iterable[Any]] | None = None,
    errors: str = "strict",
    column: str | None = None,
    kmers: Sequence[int] | None = None,
    output: str | os.PathLike[str] | None = None,
    **params: Any,
) -> Phrases:
    r"""Find the phrases of a text of many files, on several processes or machines.

    The result is that of `Phrases.fit` with the same files on one machine, to the last bit, whatever the
    cluster.

    Parameters
    ----------
    shards : path, address, list of these, or data set of Ray
        The text, as for `count`.
    cluster : str or int, optional
        Where the work is done, as for `count`.
    folder : str or PathLike, optional
        A folder on a disk that all workers share, as for `count`.
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
    output : str or PathLike, optional
        A file to write the text to, with its phrases joined, a line for every sentence; gzipped if its name
        ends in ``.gz``.
    **params
        Parameters of `Phrases`. Here, `memory_limit` is that of each worker.

    Returns
    -------
    Phrases
        The phrases, ready to `transform`.

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
    >>> for number, line in enumerate(["from new york", "a new car", "in a car"]):
    ...     _ = Path(f"part-{number}.txt").write_text(f"{line}\n" * 9)
    >>> fastvec.distributed.phrases("part-*.txt", threshold=1).phrases_
    {'new_york': 2.0, 'from_new': 2.0, 'in_a': 2.0}
    """
    found = Phrases(**params)
    find(
        found,
        shards,
        cluster=cluster,
        folder=folder,
        output=None if output is None else os.fspath(output),
        lowercase=lowercase,
        tokenizer=tokenizer,
        errors=errors,
        column=column,
        kmers=kmers,
    )
    return found


def find(
    found: Phrases,
    shards: Any,
    *,
    cluster: str | int | None,
    folder: str | os.PathLike[str] | None,
    output: str | None,
    lowercase: bool = False,
    tokenizer: Callable[[str], Iterable[Any]] | None = None,
    errors: str = "strict",
    column: str | None = None,
    kmers: Sequence[int] | None = None,
) -> int:
    """Fit an estimator to a text in shards, and return how many words the text has that is written."""
    found.check_params()
    how = Reading(lowercase, tokenizer, errors, True, column, kmers)
    sources, reading = sources_of(shards, how, cluster)
    with working_folder(folder) as place, connect(cluster, any_backend=True) as engine:
        texts = read(engine, sources, how, place, found.memory_limit, found.progress)
        if not texts.n_tokens:
            raise ValueError("shards must have words in which to find phrases, got none")
        text, of_shards = texts, hashes(engine, texts, found.memory_limit)
        passes: list[Pairs] = []
        for number in range(1, found.passes + 1):
            pairs = _found(engine, texts, found, number)
            if not pairs:
                break
            passes.append(pairs)
            if output is not None or number < found.passes:
                texts = _joined(engine, texts, found, number, pairs, place)
        found._keep(passes, made_of([provenance(engine, text, reading, of_shards)]))
        if output is not None:
            _write(engine, texts, output, found.memory_limit)
    return texts.n_tokens


class Counted(NamedTuple):
    """The counts of pairs, as the kernel `PairCounter` has them."""

    lefts: NDArray[np.int32]
    rights: NDArray[np.int32]
    counts: NDArray[np.int64]
    link_lefts: NDArray[np.int32]
    link_connectors: NDArray[np.int32]

    def pairs(self, min_count: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        """Return the pairs that occur often enough."""
        often = self.counts >= min_count
        return self.lefts[often], self.rights[often], self.counts[often]

    def links(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the words or links, and the connectors, of which the links are made."""
        return self.link_lefts, self.link_connectors


def _found(engine: Engine, texts: Texts, found: Phrases, number: int) -> Pairs:
    """Return the pairs of a text that are phrases, with their scores."""
    connectors = engine.share(found._connectors(texts.vocabulary))
    n_known = found._n_known(texts.vocabulary)
    handles = [
        engine.submit(
            f"count pairs of {shard.path.stem}",
            _count_pairs,
            shard,
            connectors,
            n_known,
            found.memory_limit,
            size=shard.work,
        )
        for shard in texts.shards
    ]
    whole = engine.combine("add pairs", _add_pairs, handles)
    what = f"counting pairs, pass {number}/{found.passes}"
    with Progress(what, len(handles), " shards", found.progress) as bar:
        engine.results(handles, bar.update)
    (path,) = engine.results([whole])
    return found._chosen(texts.vocabulary, texts.n_tokens, _counted(path))


def _joined(engine: Engine, texts: Texts, found: Phrases, number: int, pairs: Pairs, folder: Path) -> Texts:
    """Return a text with some of its pairs made one word each."""
    joiner = Phrases(delimiter=found.delimiter, memory_limit=found.memory_limit)
    handles = [
        engine.submit(
            f"join {shard.path.stem}",
            _join,
            shard,
            joiner,
            pairs,
            number,
            folder / f"pass-{number}-{place}",
            size=shard.work,
        )
        for place, shard in enumerate(texts.shards)
    ]
    return gather(engine, handles, f"joining, pass {number}/{found.passes}", found.progress)


def _write(engine: Engine, texts: Texts, output: str, memory_limit: int) -> None:
    """Write a text to a file."""
    handles = [
        engine.submit(f"spell {shard.path.stem}", _spell, shard, memory_limit, size=shard.work)
        for shard in texts.shards
    ]
    paths = engine.results(handles)

    def blocks() -> Iterator[bytes]:
        for path in paths:
            with path.open("rb") as file:
                while block := file.read(BYTES_AT_ONCE):
                    yield block

    write_blocks(blocks(), output)


def _count_pairs(shard: Shard, connectors: NDArray[np.uint8], n_known: int, memory_limit: int) -> Path:
    """Count the pairs of a shard."""
    ids, sentence_offsets = ids_of((shard,), memory_limit)
    counter = kernels.phrases.PairCounter(np.array(connectors))
    counter.add(ids, sentence_offsets, 0, len(ids), n_known)
    path = shard.path.with_suffix(".pairs")
    write(path, Counted(*counter.pairs(1), *counter.links())._asdict())
    return path


def _add_pairs(*paths: Path) -> Path:
    """Add the counts of pairs of neighbouring parts."""
    numbers: dict[tuple[int, int], int] = {}  # of links, in the order of first occurrence
    keys, counts = [], []
    for path in paths:
        part = _counted(path)
        own: list[int] = []
        for left, connector in zip(part.link_lefts.tolist(), part.link_connectors.tolist(), strict=True):
            link = (own[-1 - left] if left < 0 else left), connector
            own.append(numbers.setdefault(link, -1 - len(numbers)))
        lefts = part.lefts.astype(np.int64)
        lefts[lefts < 0] = np.array(own, np.int64)[-1 - lefts[lefts < 0]]
        keys.append(lefts << 32 | part.rights)
        counts.append(part.counts)
    together_keys, places = np.unique(np.concatenate(keys), return_inverse=True)
    sums = np.zeros(len(together_keys), np.int64)
    np.add.at(sums, places, np.concatenate(counts))
    links = np.array([*numbers], np.int32).reshape(-1, 2)
    of_sum = Counted(
        (together_keys >> 32).astype(np.int32),
        (together_keys & 0xFFFFFFFF).astype(np.int32),
        sums,
        links[:, 0],
        links[:, 1],
    )
    added = together(paths)
    write(added, of_sum._asdict())
    return added


def _counted(path: Path) -> Counted:
    return Counted(**map_tensors(path)[0])


def _join(shard: Shard, joiner: Phrases, pairs: Pairs, number: int, stem: Path) -> Any:
    """Join pairs of a shard, and keep it as another one."""
    corpus = corpus_of(shard, joiner.memory_limit)
    return keep_corpus(stem, joiner._joined(corpus, pairs, number, corpus), joiner.memory_limit)


def _spell(shard: Shard, memory_limit: int) -> Path:
    """Write a shard as text."""
    path = shard.path.with_suffix(".txt")
    write_text(corpus_of(shard, memory_limit), str(path))
    return path
