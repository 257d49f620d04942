"""Texts in shards: each is read once, by one call, and kept as ids in a folder that all workers share.

In a shard, ids are numbers of its words in the order of their first occurrence. Lists of words are merged as
a tree of neighbours, the last ones in this process, which keeps that order, and notes where the words of each
part are in the whole: the composition of these maps makes the ids of a shard those of all words, the most
frequent first, as `Corpus` has them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import shortened
from fastvec.corpus import Corpus, Vocabulary
from fastvec.corpus.fingerprint import Hashed, fingerprint_of_parts, hashed
from fastvec.corpus.ids import Encoded, remapped
from fastvec.corpus.parts import Part, is_beginning
from fastvec.corpus.reading import STANDARD_INPUT, check_readable, files_of, is_on_disk, name_of
from fastvec.corpus.sources import Reading, encode
from fastvec.corpus.vocabulary import by_frequency
from fastvec.distributed.calls import Handle
from fastvec.distributed.cuts import parts_of
from fastvec.distributed.engine import Engine
from fastvec.distributed.storage import together, write
from fastvec.distributed.words import WordList, united
from fastvec.formats.container import map_tensors
from fastvec.formats.spool import Spool, memory_left
from fastvec.training.progress import Progress

__all__ = [
    "Shard",
    "corpus_of",
    "gather",
    "hashes",
    "ids_of",
    "keep_corpus",
    "provenance",
    "read",
    "sources_of",
]

RULE = "shards must be paths or addresses of files, or a data set of Ray"
# Lists of words that this process merges, at most: workers merge so many others before.
PARTS_MERGED_HERE = 8
# Words that are numbered at a time.
WORDS_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Shard:
    """A part of the text in the folder.

    Attributes
    ----------
    path : Path
        The file of its ids and sentences.
    n_tokens, n_sentences : int
        How many it has.
    maps : tuple of Path
        The arrays that make of its ids, one after the other, those of all words.
    """

    path: Path
    n_tokens: int
    n_sentences: int
    maps: tuple[Path, ...] = ()

    @property
    def work(self) -> int:
        """How much there is to do with it beside others, something in any case."""
        return 1 + self.n_tokens


class Words(NamedTuple):
    """A file of words in the order of first occurrence, and the shards whose words they are."""

    path: Path
    shards: tuple[Shard, ...]


class Texts(NamedTuple):
    """A text in shards, and all its words, the most frequent first."""

    vocabulary: Vocabulary
    shards: tuple[Shard, ...]

    @property
    def n_tokens(self) -> int:
        """Total number of words in all sentences."""
        return sum(shard.n_tokens for shard in self.shards)

    def with_ids(self, path: Path, new_ids: NDArray[np.int32]) -> Texts:
        """Return the same text with other ids, which are put into a new file of the folder."""
        write(path, {"ids": new_ids})
        return self._replace(shards=tuple(replace(shard, maps=(*shard.maps, path)) for shard in self.shards))


def sources_of(shards: Any, how: Reading, cluster: str | int | None) -> tuple[list[Any], dict[str, Any]]:
    """Return what every shard is read from, and what files say of all of them.

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    TypeError, ValueError
        If they are neither files nor a data set of Ray, or a parameter of the reading is invalid.
    """
    if hasattr(shards, "to_arrow_refs"):  # a data set of Ray, in blocks
        if how.column is None:
            raise ValueError("column must be the name of a column of the data set of Ray, got None")
        if not isinstance(cluster, str):
            raise ValueError(
                f"cluster must be the address of a cluster of Ray for its data sets, got {cluster!r}"
            )
        how.check(shards, None)
        return shards.to_arrow_refs(), how.described(None)
    files = files_of(shards)
    if files is None:
        raise TypeError(f"{RULE}, got {shortened(shards)}: fit takes anything that Corpus does")
    for file in files:
        if not isinstance(file, str) or file == STANDARD_INPUT:
            raise ValueError(f"{RULE}, got {file!r}, which one process alone can read")
    how.check(shards, files)
    check_readable(files)
    # Workers are in other folders.
    places = [os.path.abspath(file) if is_on_disk(file) else file for file in files]  # noqa: PTH100
    return [part for place in places for part in parts_of(place, how)], how.described(files)


def read(
    engine: Engine, sources: list[Any], how: Reading, folder: Path, memory_limit: int, progress: bool
) -> Texts:
    """Read a text in shards: see `sources_of`.

    Raises
    ------
    OSError
        If a file is missing or cannot be read, or a disk is full.
    TypeError, ValueError
        If the text is invalid, or has no words.
    """
    handles = [
        engine.submit(
            f"read {_name(source, number)}", _read, source, how, folder / f"text-{number}", memory_limit
        )
        for number, source in enumerate(sources)
    ]
    texts = gather(engine, handles, "reading", progress)
    if not texts.vocabulary and not how.keep_empty:
        names = [
            name_of(source) if isinstance(source, Part) else _name(source, number)
            for number, source in enumerate(sources)
        ]
        raise ValueError(f"{', '.join(dict.fromkeys(names))} holds no words")
    return texts


def gather(engine: Engine, handles: list[Handle], what: str, progress: bool) -> Texts:
    """Return the text of which there are all parts, as results of `keep`; a bar shows how many are there."""
    at_once = -(-len(handles) // PARTS_MERGED_HERE)
    groups = [handles[begin : begin + at_once] for begin in range(0, len(handles), at_once)]
    merged = [engine.combine("merge words", _merge_words, group) for group in groups]
    parts: list[Words] = []

    def lists() -> Iterator[WordList]:
        for group, handle in zip(groups, merged, strict=True):
            engine.results(group, bar.update)
            parts.extend(engine.results([handle]))
            yield WordList.read(parts[-1].path)

    with Progress(what, len(handles), " shards", progress) as bar:
        words, places = united(lists())  # while others read
    vocabulary, new_ids = by_frequency(words.split(), words.counts)
    return Texts(vocabulary, _mapped(parts, [new_ids[of_part] for of_part in places]))


def keep(
    stem: Path,
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    words: list[Any],
    counts: NDArray[np.int64],
) -> Words:
    """Write a part of a text, whose words come in the order of their ids, to files that begin with `stem`."""
    shard = Shard(stem.with_suffix(".ids"), len(ids), len(sentence_offsets) - 1)
    write(shard.path, {"ids": ids, "sentence_offsets": sentence_offsets})
    path = stem.with_suffix(".words")
    WordList.of(words, counts).write(path)
    return Words(path, (shard,))


def keep_corpus(stem: Path, corpus: Corpus, memory_limit: int) -> Words:
    """Write a part of a text, with ids that are numbered anew, to files that begin with `stem`."""
    numbers = np.full(len(corpus.vocabulary), -1, np.int32)
    counts = np.zeros(len(corpus.vocabulary), np.int64)
    spool = Spool(np.int32, memory_left(memory_limit, corpus.ids))
    n_words = 0
    for begin in range(0, len(corpus.ids), WORDS_AT_ONCE):
        block = np.array(corpus.ids[begin : begin + WORDS_AT_ONCE])
        n_words = kernels.phrases.renumber(block, numbers, counts, n_words)
        spool.append(block)
    order = np.argsort(numbers)[len(numbers) - n_words :]
    words = [corpus.vocabulary.words[i] for i in order.tolist()]
    return keep(stem, spool.finish(), corpus.sentence_offsets, words, counts[:n_words])


def ids_of(shards: Sequence[Shard], memory_limit: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the ids of neighbouring shards, in the vocabulary of all, and their sentence offsets."""
    spool = Spool(np.int32, memory_limit, n=sum(shard.n_tokens for shard in shards))
    sentence_offsets = [np.zeros(1, np.int64)]
    for shard in shards:
        tensors, _ = map_tensors(shard.path)
        new_ids = map_tensors(shard.maps[0])[0]["ids"]
        for path in shard.maps[1:]:
            new_ids = map_tensors(path)[0]["ids"][new_ids]
        sentence_offsets.append(tensors["sentence_offsets"][1:] + len(spool))
        new_ids = np.array(new_ids)
        for begin in range(0, shard.n_tokens, WORDS_AT_ONCE):
            block = np.array(tensors["ids"][begin : begin + WORDS_AT_ONCE])
            kernels.tokenizer.remap(block, new_ids, block)
            spool.append(block)
    return spool.finish(), np.concatenate(sentence_offsets)


def corpus_of(shard: Shard, memory_limit: int) -> Corpus:
    """Return a shard as a text of its own."""
    tensors, _ = map_tensors(shard.path)
    words = WordList.read(shard.path.with_suffix(".words"))
    vocabulary, new_ids = by_frequency(words.split(), words.counts)
    ids = remapped(tensors["ids"], new_ids, memory_limit)
    return Corpus._of_ids(ids, tensors["sentence_offsets"], vocabulary, {})


def hashes(engine: Engine, texts: Texts, memory_limit: int) -> list[Handle]:
    """Begin to hash the shards of a text, for `provenance`."""
    handles, n_tokens, n_sentences = [], 0, 0
    for shard in texts.shards:
        places = n_tokens, n_sentences
        name = f"hash {shard.path.stem}"
        handles.append(engine.submit(name, _hash, shard, *places, memory_limit, size=shard.work))
        n_tokens, n_sentences = n_tokens + shard.n_tokens, n_sentences + shard.n_sentences
    return handles


def provenance(
    engine: Engine, texts: Texts, reading: dict[str, Any], of_shards: list[Handle]
) -> dict[str, Any]:
    """Return what files say of a text, as `Corpus.provenance` does."""
    files, n_tokens = engine.results(of_shards), texts.n_tokens
    n_sentences = sum(shard.n_sentences for shard in texts.shards)
    first = hashed(np.zeros(1, np.int64), 0)  # the sentence offsets begin with 0
    sha256 = fingerprint_of_parts(
        texts.vocabulary,
        (np.dtype(np.int32), n_tokens, (_hashed(path, "ids") for path in files)),
        (np.dtype(np.int64), n_sentences + 1, chain([first], (_hashed(path, "ends") for path in files))),
    )
    counts = {"sentences": n_sentences, "words": n_tokens, "distinct_words": len(texts.vocabulary)}
    return {**reading, **counts, "sha256": sha256}


def _read(source: Any, how: Reading, stem: Path, memory_limit: int) -> Words:
    """Read a shard."""
    try:
        encoded = _encoded(source, how, memory_limit)
    except (TypeError, ValueError):
        if isinstance(source, Part) and not is_beginning(source):
            _encoded(replace(source, begin=0), how, memory_limit)  # its error counts the lines of the file
        raise
    return keep(stem, *encoded.first_met(how.lowercase))


def _encoded(source: Any, how: Reading, memory_limit: int) -> Encoded:
    files = [source] if isinstance(source, (str, Part)) else None
    return encode(source, files, how, Spool(np.int32, memory_limit // 2), progress=False)


def _merge_words(*parts: Words) -> Words:
    """Merge the words of neighbouring parts."""
    words, places = united(WordList.read(part.path) for part in parts)
    merged = together([part.path for part in parts])
    words.write(merged)
    return Words(merged, _mapped(parts, places))


def _mapped(parts: Sequence[Words], new_ids: Sequence[NDArray[np.int32]]) -> tuple[Shard, ...]:
    """Return the shards of parts whose words get new ids."""
    shards: list[Shard] = []
    for part, ids in zip(parts, new_ids, strict=True):
        path = part.path.with_suffix(".map")
        write(path, {"ids": ids})
        shards += [replace(shard, maps=(*shard.maps, path)) for shard in part.shards]
    return tuple(shards)


def _hash(shard: Shard, n_tokens: int, n_sentences: int, memory_limit: int) -> Path:
    """Hash the ids and the ends of the sentences of a shard, before which there are so many."""
    ids, offsets = ids_of((shard,), memory_limit)
    parts = {"ids": hashed(ids, n_tokens), "ends": hashed(offsets[1:] + n_tokens, n_sentences + 1)}
    path = shard.path.with_suffix(".hashes")
    tensors: dict[str, Any] = {
        f"{of}_{name}": part for of, found in parts.items() for name, part in found._asdict().items()
    }
    write(path, tensors)
    return path


def _hashed(path: Path, of: str) -> Hashed:
    tensors, _ = map_tensors(path)
    return Hashed(*(tensors[f"{of}_{name}"] for name in Hashed._fields))


def _name(source: Any, number: int) -> str:
    return str(source) if isinstance(source, (str, Part)) else f"block {number + 1}"
