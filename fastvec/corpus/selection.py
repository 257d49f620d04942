"""Which words of a text a model has: frequent ones, those asked for, or those of a given vocabulary.

And a text in parts, which have some of its sentences each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_counts, check_item, shortened
from fastvec.corpus.corpus import Corpus
from fastvec.corpus.ids import remapped
from fastvec.corpus.tags import check_untagged
from fastvec.corpus.vocabulary import Vocabulary, by_frequency

__all__ = [
    "check_words",
    "counts_in",
    "given_vocabulary",
    "known_ids",
    "made_of",
    "output_rows",
    "parts_of",
    "provenance_with",
    "recoded",
    "select",
]


def check_words(name: str, value: Any) -> None:
    """Raise unless `value` is None or a list, or another collection, of words.

    Raises
    ------
    TypeError
        The message names the parameter, the rule and the value.
    """
    if value is None:
        return
    is_array = hasattr(value, "dtype")  # of NumPy, pandas, ..., which are neither true nor false
    if is_array or isinstance(value, (str, bytes)) or not isinstance(value, Collection):
        raise TypeError(f"{name} must be a list of words, got {shortened(value)}")
    for word in value:
        check_item(name, word)


def select(
    vocabulary: Vocabulary,
    min_count: int,
    max_vocab: int | None,
    keep: Collection[Any] | None = None,
    drop: Collection[Any] | None = None,
) -> Vocabulary:
    """Return the words of a text that a model is to have.

    Parameters
    ----------
    vocabulary : Vocabulary
        All words of the text.
    min_count, max_vocab
        As for `Vocabulary.head`.
    keep : collection of words, optional
        Words that stay however rare they are, if the text has them.
    drop : collection of words, optional
        Words that are left out however frequent they are.

    Raises
    ------
    ValueError
        If no word remains.
    """
    if not keep and not drop:
        return vocabulary.head(min_count, max_vocab)
    index = vocabulary.index
    kept = [index[word] for word in _words("keep", keep) if word in index]
    dropped = [index[word] for word in _words("drop", drop) if word in index]
    stays = vocabulary.counts >= min_count
    stays[dropped] = False
    stays[kept] = False
    ids = np.flatnonzero(stays)
    if max_vocab is not None:
        ids = ids[: max(0, max_vocab - len(kept))]
    ids = np.sort(np.concatenate((ids, np.array(kept, np.intp))))
    if not len(ids):
        raise ValueError(f"min_count={min_count}, keep and drop leave no word of {vocabulary!r}")
    return Vocabulary([vocabulary.words[i] for i in ids.tolist()], vocabulary.counts[ids])


def given_vocabulary(words: Any, of_text: Vocabulary) -> Vocabulary:
    """Return the vocabulary that `vocabulary` of `fit` stands for.

    Parameters
    ----------
    words : Vocabulary, mapping of words to counts, or list of words
        The words; those of a list have their counts in the text, and 1 where they are not in it.
    of_text : Vocabulary
        All words of the text.

    Raises
    ------
    TypeError, ValueError
        If it is something else, or empty, or a count is not a positive integer, or a word is there twice.
    """
    if isinstance(words, Vocabulary) and len(words):
        return words
    if isinstance(words, (str, bytes)) or not isinstance(words, Iterable):
        raise TypeError(
            f"vocabulary must be a Vocabulary, a dict of words and counts or a list of words, got {words!r}"
        )
    listed = list(words)
    names = [check_item("vocabulary", word) for word in listed]
    if not names:
        raise ValueError("vocabulary must have a word, got none")
    if "" in names:
        raise ValueError("vocabulary must have words that are not empty, got ''")
    if len(set(names)) < len(names):
        twice = next(word for i, word in enumerate(names) if word in names[:i])
        raise ValueError(f"vocabulary must have each word once, got {twice!r} twice")
    if isinstance(words, Mapping):
        counts = check_counts(list(words.values()), len(names))
        if counts.min() < 1:
            rare = names[int(counts.argmin())]
            raise ValueError(f"vocabulary must have counts >= 1, got {counts.min()} of {rare!r}")
    else:
        places = known_ids(of_text, names)
        counts = np.append(of_text.counts, 1)[places]
    return by_frequency(listed, counts)[0]


def made_of(corpora: list[dict[str, Any]], **beside: str) -> dict[str, Any]:
    """Return what a file says of its making: this version, more that is named, and the texts."""
    from fastvec import __version__

    return {"fastvec": __version__, **beside, "corpora": corpora}


def provenance_with(words: Any, corpus: Corpus) -> dict[str, Any]:
    """Return what files say of a text, and that its words were given by `vocabulary` of fit, if they were."""
    return corpus.provenance if words is None else {**corpus.provenance, "vocabulary": "given"}


def known_ids(vocabulary: Vocabulary, words: list[Any]) -> NDArray[np.int32]:
    """Return the ids of words in a vocabulary; unknown words get its length."""
    unknown = len(vocabulary)
    return np.array([vocabulary.index.get(word, unknown) for word in map(str, words)], np.int32)


def counts_in(vocabulary: Vocabulary, of_text: Vocabulary) -> NDArray[np.int64]:
    """Return how often each word of a vocabulary occurs in a text with the words `of_text`."""
    ids = known_ids(vocabulary, of_text.words)
    known = ids < len(vocabulary)
    counts = np.zeros(len(vocabulary), np.int64)
    counts[ids[known]] = of_text.counts[known]
    return counts


def recoded(corpus: Corpus, vocabulary: Vocabulary, memory_limit: int) -> NDArray[np.int32] | None:
    """Return the ids of a corpus as those of another vocabulary; unknown words get ids beyond it.

    If both together exceed `memory_limit`, the new ones are in a temporary file. None if all are unknown.
    """
    new_ids = known_ids(vocabulary, corpus.vocabulary.words)
    if (new_ids == len(vocabulary)).all():
        return None
    same = np.array_equal(new_ids, np.minimum(np.arange(len(new_ids)), len(vocabulary)))
    return corpus.ids if same else remapped(corpus.ids, new_ids, memory_limit)


def output_rows(corpus: Corpus, vocabulary: Vocabulary) -> NDArray[np.int32] | None:
    """Return the word of a vocabulary that each of its words is as a context, None unless words have tags."""
    if corpus.context_ids is None:
        return None
    places = known_ids(vocabulary, corpus.vocabulary.words)
    known = places < len(vocabulary)
    contexts, places = corpus.context_ids[known], places[known]
    first = np.full(len(known), len(vocabulary), np.int32)
    np.minimum.at(first, contexts, places)
    rows = np.arange(len(vocabulary), dtype=np.int32)
    rows[places] = first[contexts]
    return rows


def parts_of(corpus: Corpus, n_parts: int, generator: np.random.Generator) -> Iterator[Corpus]:
    """Yield parts of a text, with a random choice of its sentences each; every sentence is in one of them.

    Raises
    ------
    ValueError
        If a part has no word, or words have tags.
    """
    check_untagged(corpus)
    lengths = np.diff(corpus.sentence_offsets)
    part_of = generator.permutation(len(corpus)) % n_parts
    for part in range(n_parts):
        chosen = part_of == part
        ids = corpus.ids[np.repeat(chosen, lengths)]
        if not len(ids):
            raise ValueError(f"a text must have words for each of {n_parts} parts, got {corpus!r}")
        counts = np.bincount(ids, minlength=len(corpus.vocabulary))
        vocabulary, new_ids = by_frequency(corpus.vocabulary.words, counts)
        offsets = np.concatenate(([0], np.cumsum(lengths[chosen])))
        reading = {**corpus._reading, "part": f"{part + 1} of {n_parts}"}
        yield Corpus._of_ids(new_ids[ids], offsets, vocabulary, reading)


def _words(name: str, words: Iterable[Any] | None) -> list[str]:
    return list(dict.fromkeys(check_item(name, word) for word in words or ()))
