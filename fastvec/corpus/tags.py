"""Temporal referencing: words with the tag of their sentence, which have no tag as contexts of others.

Dubossarsky, Hengchen, Tahmasebi and Schlechtweg, "Time-out: temporal referencing for robust modeling of
lexical semantic change", ACL 2019: the words of all periods are trained at once, "gay" of 1850 and of 1990 as
two words whose contexts are the same words. Their vectors need no alignment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_item
from fastvec.corpus.sequences import check_sequences, check_words
from fastvec.corpus.vocabulary import Vocabulary, by_frequency
from fastvec.formats.spool import BLOCK_ITEMS, Spool, memory_left

__all__ = ["check_untagged", "with_tags"]


def with_tags(
    ids: NDArray[np.int32],
    sentence_offsets: NDArray[np.int64],
    vocabulary: Vocabulary,
    tag: Iterable[str | int],
    words: Collection[str | int] | None,
    memory_limit: int,
) -> tuple[NDArray[np.int32], Vocabulary, NDArray[np.int32], list[str]]:
    """Return the ids of a text whose words have tags, and its vocabulary, see `Corpus`.

    Returns
    -------
    ids : int32 array
    vocabulary : Vocabulary
    context_ids : int32 array, shape (n_words,)
        For each word the most frequent one of those that differ from it in the tag alone.
    tags : list of str
        The different tags in the order of first occurrence.

    Raises
    ------
    TypeError, ValueError
        If there are not as many tags as sentences, none of `words` is in the text, or a word with its tag is
        another word, too.
    """
    check_sequences("tag", "a str or an int for each sentence", tag)
    of_sentences = [check_item("tag", one) for one in tag]
    n_sentences, n_words = len(sentence_offsets) - 1, len(vocabulary)
    if len(of_sentences) != n_sentences:
        raise ValueError(
            f"tag must have a str or an int for each of the {n_sentences:,} sentences, got "
            f"{len(of_sentences):,}: keep_empty=True keeps sentences without words"
        )
    tags = list(dict.fromkeys(of_sentences))
    number = {one: i for i, one in enumerate(tags)}
    is_tagged = _chosen(words, vocabulary)
    numbers = np.array([number[one] for one in of_sentences], np.int64)

    def blocks() -> Iterator[NDArray[np.int64]]:
        """Yield the words with their tags: t · n_words + w, where t is 0 for a word that gets none."""
        for begin in range(0, len(ids), BLOCK_ITEMS):
            block = ids[begin : begin + BLOCK_ITEMS]
            places = np.arange(begin, begin + len(block))
            sentences = np.searchsorted(sentence_offsets, places, side="right") - 1
            yield numbers[sentences] * is_tagged[block] * n_words + block

    counts = np.zeros(len(tags) * n_words, np.int64)
    for block in blocks():
        met, times = np.unique(block, return_counts=True)
        counts[met] += times
    found = np.flatnonzero(counts)
    of_tags, bases = np.divmod(found, max(1, n_words))
    names = [
        f"{vocabulary.words[base]}_{tags[of_tag]}" if is_tagged[base] else vocabulary.words[base]
        for of_tag, base in zip(of_tags.tolist(), bases.tolist(), strict=True)
    ]
    _check_distinct(names)
    tagged, new_ids = by_frequency(names, counts[found])
    recode = np.empty(len(counts), np.int32)
    recode[found] = new_ids
    spool = Spool(np.int32, memory_left(memory_limit, ids))
    for block in blocks():
        spool.append(recode[block])
    of_words = np.empty(len(found), np.int64)
    of_words[new_ids] = bases
    _, first, place = np.unique(of_words, return_index=True, return_inverse=True)
    return spool.finish(), tagged, first[place].astype(np.int32), tags


def check_untagged(corpus: Any) -> None:
    """Raise unless the words of a text have no tags.

    Raises
    ------
    ValueError
        The message says what they are for.
    """
    if corpus.context_ids is not None:
        raise ValueError(
            f"corpus must be one without tag, got {corpus!r}: words that share their contexts need "
            "SkipGram with loss='negative_sampling' or 'bpr', fitted once, without lanes"
        )


def _chosen(words: Collection[str | int] | None, vocabulary: Vocabulary) -> NDArray[np.bool_]:
    """Return for each word of a vocabulary whether it has tags."""
    if words is None:
        return np.ones(len(vocabulary), np.bool_)
    listed = list(words) if isinstance(words, (set, frozenset)) else check_words("tag_words", words)
    index = vocabulary.index
    chosen = np.zeros(len(vocabulary), np.bool_)
    chosen[[index[name] for word in listed if (name := check_item("tag_words", word)) in index]] = True
    if not chosen.any():
        raise ValueError(f"tag_words must have words of the text, got none of {vocabulary!r}")
    return chosen


def _check_distinct(names: list[Any]) -> None:
    seen: set[str] = set()
    for name in map(str, names):
        if name in seen:
            raise ValueError(f"tag must make words that are no others, got {name!r} twice: use other tags")
        seen.add(name)
