"""Phrases: words that occur together more often than by chance (Mikolov et al. 2013)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import Estimator, check_bool, check_choice, check_float, check_int, check_item
from fastvec.corpus import Corpus, Vocabulary
from fastvec.corpus.ids import Encoded
from fastvec.corpus.selection import made_of
from fastvec.corpus.sequences import check_sequences, check_words
from fastvec.corpus.tags import check_untagged
from fastvec.exports.notebooks import FIRST, table
from fastvec.formats.atomic import replacing
from fastvec.formats.container import json_checksum
from fastvec.formats.places import on_disk
from fastvec.formats.spool import Spool, memory_left
from fastvec.peers.errors import PeersAttributes, naming_peers_parameters
from fastvec.peers.names import PHRASES, Names
from fastvec.training.progress import Progress
from fastvec.training.signals import hold

__all__ = ["Phrases"]

# Tokens handed to a kernel at once: some milliseconds of work, so that Ctrl-C is answered at once.
CHUNK = 1 << 18

THRESHOLDS = {"word2phrase": 100.0, "npmi": 0.5}

Pairs = dict[tuple[str, ...], float]

FORMAT = "fastvec phrases"
VERSION = 1


@naming_peers_parameters
class Phrases(PeersAttributes, Estimator):
    """Finds phrases, such as "new york", and joins each into one word, "new_york".

    Two neighbouring words a and b form a phrase if their score is above the threshold, that is, if they
    occur together often, and far more often than by chance. With N words in the text, n_a and n_b
    occurrences of a and b, and n_ab occurrences of a followed by b, the score is

    - "word2phrase": (n_ab − min_count) / (n_a n_b) · N, the formula of the paper [1]_ times N, as in
      word2phrase.c;
    - "npmi": ln(p_ab / (p_a p_b)) / −ln p_ab, the normalized pointwise mutual information [2]_, with p_a =
      n_a / N, p_b = n_b / N and p_ab = n_ab / N. It ranges from −1 (never together) over 0 (by chance) to 1
      (always together).

    gensim's "npmi" is the same. Its "default" has, in place of N, the number V of distinct words and
    distinct pairs, ``len(phrases.vocab)``: a threshold t of gensim corresponds to t · N / V here.

    Phrases are joined from left to right: where "a b c" could become "a_b c" or "a b_c", it becomes the
    former. They do not cross the end of a sentence. A phrase that is spelled like a word of the text is the
    same word.

    With `connector_words`, a and b may have such words between them, as in "bank of america", which are then
    words of the phrase; n_ab counts a and b with these words between them. No phrase begins or ends with one.

    Parameters
    ----------
    min_count : int
        Words and pairs that occur less often do not form phrases.
    threshold : float, optional
        Pairs with a score above this are phrases. The default is 100, and 0.5 with ``scoring="npmi"``.
    scoring : {"word2phrase", "npmi"} or callable
        The score of a pair. A callable is given the keyword arguments of gensim's: `worda_count`,
        `wordb_count` and `bigram_count`; `len_vocab`, the number of distinct words and of distinct pairs;
        `min_count`, and `corpus_word_count`. It needs a `threshold`; files keep neither.
    delimiter : str
        Separator between the words of a phrase.
    connector_words : sequence of str
        Words that may stand within phrases but not at their ends; `Phrases.ENGLISH_CONNECTOR_WORDS` are
        articles, prepositions and conjunctions.
    passes : int
        How often to find and join phrases, each time in the output of the previous pass: phrases have two
        words after the first pass, up to four after the second, up to eight after the third. All passes have
        the same threshold.
    memory_limit : int
        Bytes of memory, about, for the ids of the text and all that is made of them; what does not fit is
        kept in temporary files (in the folder ``TMPDIR``). The words and the pairs come on top.
    progress : bool
        Whether to show progress bars.

    Attributes
    ----------
    phrases_ : dict of str to float
        The phrases of all passes with their scores, in descending order.
    pairs_ : list of dict of tuple of str to float
        For every pass, the pairs that it joins with their scores, a pair with the connectors between its
        words. It ends with the last pass that finds any.

    References
    ----------
    .. [1] T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed representations of words
       and phrases and their compositionality", NeurIPS 2013, section 4.
    .. [2] G. Bouma, "Normalized (pointwise) mutual information in collocation extraction",
       GSCL 2009.

    Examples
    --------
    >>> import fastvec
    >>> text = [["in", "new", "york"], ["from", "new", "york"], ["a", "new", "car"], ["in", "a", "car"]] * 5
    >>> phrases = fastvec.Phrases(threshold=1)
    >>> list(phrases.fit_transform(text))[:3]
    [['in', 'new_york'], ['from', 'new_york'], ['a', 'new', 'car']]
    >>> phrases.phrases_
    {'new_york': 2.0}
    """

    phrases_: dict[str, float]
    pairs_: list[Pairs]

    PEERS: ClassVar[Names] = PHRASES
    ENGLISH_CONNECTOR_WORDS: ClassVar[tuple[str, ...]] = (
        *("a", "an", "the"),
        *("for", "of", "with", "without", "at", "from", "to", "in", "on", "by"),
        *("and", "or"),
    )

    def __init__(
        self,
        *,
        min_count: int = 5,
        threshold: float | None = None,
        scoring: str | Callable[..., float] = "word2phrase",
        delimiter: str = "_",
        connector_words: Sequence[str] = (),
        passes: int = 1,
        memory_limit: int = 2**32,
        progress: bool = False,
    ) -> None:
        self.min_count = min_count
        self.threshold = threshold
        self.scoring = scoring
        self.delimiter = delimiter
        self.connector_words = connector_words
        self.passes = passes
        self.memory_limit = memory_limit
        self.progress = progress

    def check_params(self) -> None:
        """Validate the parameters.

        Raises
        ------
        TypeError, ValueError
            The message names the parameter, the rule and the value.
        """
        check_int("min_count", self.min_count, 1)
        if callable(self.scoring):
            check_float("threshold, with a callable as scoring,", self.threshold)
        else:
            check_choice("scoring", self.scoring, THRESHOLDS)
        if self.threshold is not None and self.scoring == "npmi":
            check_float("threshold", self.threshold, minimum=-1, maximum=1)
        elif self.threshold is not None and not callable(self.scoring):
            check_float("threshold", self.threshold, minimum=0)
        check_sequences("connector_words", "a list of words", self.connector_words)
        for word in self.connector_words:
            if not isinstance(word, str):
                raise TypeError(f"connector_words must be a list of words, got {word!r} in it")
        rule = f"delimiter must be a str that is not empty and has no white space, got {self.delimiter!r}"
        if not isinstance(self.delimiter, str):
            raise TypeError(rule)
        if not self.delimiter or any(map(str.isspace, self.delimiter)):
            raise ValueError(rule)
        check_int("passes", self.passes, 1)
        check_int("memory_limit", self.memory_limit, 1)
        check_bool("progress", self.progress)

    def fit(self, corpus: Any, y: object = None) -> Phrases:
        """Find the phrases of a corpus.

        Parameters
        ----------
        corpus : Corpus, or anything that `Corpus` takes
            The text: a path, a list of paths, or an iterable of token sequences.
        y : object
            Ignored; for compatibility with scikit-learn.

        Returns
        -------
        Phrases
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the corpus is invalid.
        """
        self._learn(corpus, join_last=False)
        return self

    def transform(self, corpus: Any) -> Corpus:
        """Join the phrases of a corpus: the one that was fitted, or another.

        Parameters
        ----------
        corpus : Corpus, or anything that `Corpus` takes
            The text.

        Returns
        -------
        Corpus
            The same sentences with phrases joined, memory-mapped if their ids do not fit in `memory_limit`
            beside those of `corpus`; `corpus` itself if it has no phrases. Empty lines and sentences are
            kept, unless `corpus` is a `Corpus` that was made without ``keep_empty=True``.

        Raises
        ------
        TypeError, ValueError
            If `fit` has not been called yet, or the corpus is invalid.
        """
        self._check_fitted()
        joined = self._corpus_of(corpus)
        for number, pairs in enumerate(self.pairs_, 1):
            joined = self._joined(joined, pairs, number, corpus)
        return joined

    def join(self, sentence: Sequence[str | int]) -> list[str]:
        """Return one sentence with its phrases joined, as `transform` joins those of a corpus.

        Parameters
        ----------
        sentence : sequence of str or int
            The words of one sentence, none or more.

        Returns
        -------
        list of str

        Raises
        ------
        TypeError, ValueError
            If `fit` has not been called yet, or `sentence` is no list of words.

        Examples
        --------
        >>> import fastvec
        >>> phrases = fastvec.Phrases(threshold=1).fit([["new", "york"], ["a", "car"]] * 9)
        >>> phrases.join(["from", "new", "york"])
        ['from', 'new_york']
        """
        self._check_fitted()
        words = check_words("sentence", sentence)
        if not {str}.issuperset(map(type, words)):
            words = [check_item("every item of sentence", word) for word in words]
        for phrases, begun in self._spelled:
            words = _joined_words(words, phrases, begun)
        return list(words)

    def __getitem__(self, sentence: object) -> list[str]:
        raise TypeError("phrases[...] of gensim is phrases.join(sentence), or phrases.transform(corpus)")

    @cached_property
    def _spelled(self) -> list[tuple[dict[tuple[str, ...], str], set[tuple[str, ...]]]]:
        """For every pass, its phrases, and how those of more than two words begin."""
        return [
            (
                {words: self.delimiter.join(words) for words in pairs},
                {words[:n] for words in pairs for n in range(2, len(words))},
            )
            for pairs in self.pairs_
        ]

    @classmethod
    def threshold_from_gensim(
        cls,
        threshold: float,
        corpus: Any,
        *,
        scoring: str = "default",
        connector_words: Sequence[str] = (),
    ) -> float:
        """Return the `threshold` with which the same pairs of a corpus are phrases as in gensim.

        Parameters
        ----------
        threshold : float
            The threshold of gensim's `Phrases`.
        corpus : Corpus, or anything that `Corpus` takes
            The text: of "default", the threshold depends on it.
        scoring : {"default", "npmi"}
            gensim's scoring; ours are "word2phrase" and "npmi".
        connector_words : sequence of str
            The connector words, which are the same.

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError
            If a parameter or the corpus is invalid.
        """
        threshold = check_float("threshold", threshold)
        if check_choice("scoring", scoring, ("default", "npmi")) == "npmi":
            return threshold
        phrases = cls(connector_words=connector_words)
        phrases.check_params()
        text = phrases._corpus_of(corpus)
        if not text.n_tokens:
            raise ValueError("corpus must have words in which to find phrases, got none")
        n_pairs = len(phrases._counted(text, len(text.vocabulary), 1).pairs(1)[0])
        return threshold * text.n_tokens / (len(text.vocabulary) + n_pairs)

    def fit_transform(self, corpus: Any, y: object = None) -> Corpus:
        """Find the phrases of a corpus and join them.

        Parameters
        ----------
        corpus : Corpus, or anything that `Corpus` takes
            The text.
        y : object
            Ignored; for compatibility with scikit-learn.

        Returns
        -------
        Corpus
            The result of `transform`.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the corpus is invalid.
        """
        return self._learn(corpus, join_last=True)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the phrases as a JSON file, which `load` reads.

        Parameters
        ----------
        path : str or PathLike
            The file. An existing file is replaced only once the new one is complete.

        Raises
        ------
        ValueError
            If `fit` has not been called yet.
        OSError
            If the file cannot be written.
        """
        self._check_fitted()
        content: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "parameters": self._given(),
            "provenance": self._provenance,
            "passes": [[[*words, score] for words, score in pairs.items()] for pairs in self.pairs_],
        }
        content["crc32"] = json_checksum(content)
        with hold(), replacing(path) as temporary:
            temporary.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Phrases:
        """Load phrases from a file written by `save`.

        Parameters
        ----------
        path : str or PathLike
            The file.

        Returns
        -------
        Phrases
            The phrases, with the parameters used to find them, ready to `transform`.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is not such a file, is damaged, or was written by a newer version of fastvec.
        """
        file = on_disk(path)
        try:
            content = json.loads(file.read_bytes())
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"{path}: not a file of fastvec.Phrases, or damaged")
        if content.get("version") != VERSION:
            raise ValueError(
                f"{path}: written in version {content.get('version')!r} of the format; "
                f"this fastvec reads version {VERSION}; try a newer one"
            )
        if content.pop("crc32", None) not in (None, json_checksum(content)):
            raise ValueError(
                f"{path}: damaged (it has another checksum than when it was written); replace it by a copy, "
                'or remove its "crc32" if you changed it yourself'
            )
        try:
            phrases = cls(**content["parameters"])
            phrases.connector_words = tuple(phrases.connector_words)
            phrases.check_params()
            found = [_checked_pairs(pairs) for pairs in content["passes"]]
            phrases._keep(found, dict(content.get("provenance", {"corpora": [{}]})))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: damaged ({error})") from error
        return phrases

    def _repr_html_(self) -> str:
        """Return the parameters and the phrases of the highest scores, as notebooks show them."""
        named = super()._repr_html_()
        if not hasattr(self, "phrases_"):
            return named
        best = [[phrase, f"{score:,.4g}"] for phrase, score in islice(self.phrases_.items(), FIRST)]
        return f"{named}{table(f'{len(self.phrases_):,} phrases', ['phrase', 'score'], best)}"

    def _given(self) -> dict[str, Any]:
        of_callable = ("scoring", "threshold") if callable(self.scoring) else ()
        return {name: value for name, value in super()._given().items() if name not in of_callable}

    def _corpus_of(self, corpus: Any) -> Corpus:
        if isinstance(corpus, Corpus):
            check_untagged(corpus)
            return corpus
        return Corpus(corpus, keep_empty=True, memory_limit=self.memory_limit, progress=self.progress)

    def _check_fitted(self) -> None:
        if not hasattr(self, "pairs_"):
            raise ValueError(f"phrases must be found first: call fit on {self!r}")

    def _learn(self, corpus: Any, join_last: bool) -> Corpus:
        """Find the phrases and return the corpus with them, but for those of the last pass unless asked."""
        self.check_params()
        joined = self._corpus_of(corpus)
        if not joined.n_tokens:
            raise ValueError("corpus must have words in which to find phrases, got none")
        provenance = made_of([joined.provenance])
        found: list[Pairs] = []
        for number in range(1, self.passes + 1):
            pairs = self._found(joined, number)
            if not pairs:
                break
            found.append(pairs)
            if join_last or number < self.passes:
                joined = self._joined(joined, pairs, number, corpus)
        self._keep(found, provenance)
        return joined

    def _keep(self, found: list[Pairs], provenance: dict[str, Any]) -> None:
        """Make phrases those of the estimator; `provenance` is what files say of their making."""
        self.pairs_ = found
        self._provenance = provenance
        vars(self).pop("_spelled", None)
        best: dict[str, float] = {}
        for pairs in found:
            for pair, score in pairs.items():
                phrase = self.delimiter.join(pair)
                best[phrase] = max(score, best.get(phrase, score))
        self.phrases_ = dict(sorted(best.items(), key=lambda item: -item[1]))

    def _connectors(self, vocabulary: Vocabulary) -> NDArray[np.uint8]:
        """Return 1 for the words that are connectors, or nothing if there are none."""
        if not self.connector_words:
            return np.empty(0, np.uint8)
        connectors = np.zeros(len(vocabulary), np.uint8)
        connectors[[vocabulary.index[word] for word in self.connector_words if word in vocabulary.index]] = 1
        return connectors

    def _n_known(self, vocabulary: Vocabulary) -> int:
        """Return how many words, the most frequent ones, pairs are counted of."""
        return len(vocabulary) if callable(self.scoring) else int((vocabulary.counts >= self.min_count).sum())

    def _counted(self, corpus: Corpus, n_known: int, number: int) -> Any:
        """Return a counter of the pairs of a corpus."""
        counter = kernels.phrases.PairCounter(self._connectors(corpus.vocabulary))
        with self._bar("counting pairs", number, corpus) as bar:
            for start in range(0, corpus.n_tokens, CHUNK):
                stop = min(start + CHUNK, corpus.n_tokens)
                counter.add(corpus.ids, corpus.sentence_offsets, start, stop, n_known)
                bar.update(stop - start)
        return counter

    def _found(self, corpus: Corpus, number: int) -> Pairs:
        """Return the pairs of a corpus that are phrases, with their scores."""
        counter = self._counted(corpus, self._n_known(corpus.vocabulary), number)
        return self._chosen(corpus.vocabulary, corpus.n_tokens, counter)

    def _chosen(self, vocabulary: Vocabulary, n_tokens: int, counter: Any) -> Pairs:
        """Return those of the pairs of a counter that are phrases, with their scores."""
        words, counts = [*map(str, vocabulary.words)], vocabulary.counts
        lefts, rights, pair_counts = counter.pairs(self.min_count)
        roots, of_links = _unlinked(lefts, *counter.links())
        of_words = counts[roots], counts[rights], pair_counts
        if callable(self.scoring):
            n_pairs = len(counter.pairs(1)[0])
            scores = self._called(self.scoring, *of_words, n_tokens, len(words) + n_pairs)
        else:
            scores = self._scores(*of_words, n_tokens)
        above = scores > (THRESHOLDS[str(self.scoring)] if self.threshold is None else self.threshold)
        lefts, rights, scores = lefts[above], rights[above], scores[above]
        order = np.lexsort((rights, lefts))
        chosen = zip(lefts[order].tolist(), rights[order].tolist(), scores[order].tolist(), strict=True)
        return {
            (*(words[part] for part in of_links.get(left, [left])), words[right]): score
            for left, right, score in chosen
        }

    def _called(
        self,
        scoring: Callable[..., float],
        lefts: NDArray[np.int64],
        rights: NDArray[np.int64],
        pairs: NDArray[np.int64],
        n_tokens: int,
        len_vocab: int,
    ) -> NDArray[np.float64]:
        """Return what a callable returns for every pair."""
        counts = zip(lefts.tolist(), rights.tolist(), pairs.tolist(), strict=True)
        scores = [
            scoring(
                worda_count=left,
                wordb_count=right,
                bigram_count=pair,
                len_vocab=len_vocab,
                min_count=self.min_count,
                corpus_word_count=n_tokens,
            )
            for left, right, pair in counts
        ]
        return np.array(scores, np.float64)

    def _scores(
        self,
        lefts: NDArray[np.int64],
        rights: NDArray[np.int64],
        pairs: NDArray[np.int64],
        n_tokens: int,
    ) -> NDArray[np.float64]:
        """Return the score of every pair, given the counts of its words and its own."""
        expected = lefts.astype(np.float64) * rights
        if self.scoring == "npmi":
            return np.log(pairs / expected * n_tokens) / -np.log(pairs / n_tokens)
        return (pairs - self.min_count) / expected * n_tokens

    def _joined(self, corpus: Corpus, pairs: Pairs, number: int, source: Any) -> Corpus:
        """Return a corpus with some of its pairs made one word each; `source` is what the user gave."""
        index = corpus.vocabulary.index
        new: dict[str, int] = {}
        rows = []
        links: dict[tuple[int, int], int] = {}
        for words in pairs:
            if all(word in index for word in words):
                phrase = self.delimiter.join(words)
                known = index.get(phrase)
                joined = new.setdefault(phrase, len(index) + len(new)) if known is None else known
                left, *connectors, right = (index[word] for word in words)
                for connector in connectors:
                    left = links.setdefault((left, connector), -1 - len(links))
                rows.append((left, right, joined))
        rows += [(*parts, link) for parts, link in links.items()]
        if not rows:
            return corpus

        kernel = kernels.phrases
        joiner = kernel.Joiner(*np.array(rows, np.int32).T.copy())
        numbers = np.full(len(index) + len(new), -1, np.int32)
        counts = np.zeros(len(numbers), np.int64)
        # Empty sentences begin where others do.
        begins, numbers_of_begins = np.unique(corpus.sentence_offsets, return_inverse=True)
        offsets = np.empty_like(begins)
        in_use = [given.ids for given in (corpus, source) if isinstance(given, Corpus)]
        spool = Spool(np.int32, memory_left(self.memory_limit, *in_use))
        room = np.empty(CHUNK, np.int32)
        start = n_ids = n_words = 0
        with self._bar("joining", number, corpus) as bar:
            while start < corpus.n_tokens:
                stop = min(start + CHUNK, corpus.n_tokens)
                end, n = joiner.join(corpus.ids, begins, start, stop, room, offsets, n_ids)
                n_words = kernel.renumber(room[:n], numbers, counts, n_words)
                spool.append(room[:n])
                n_ids += n
                bar.update(end - start)
                start = end
        offsets[-1] = n_ids
        by_number = np.argsort(numbers)[len(numbers) - n_words :]  # without those that are no more
        spelled = [*map(str, corpus.vocabulary.words), *new]
        found = [spelled[word] for word in by_number.tolist()]
        reading = {**corpus._reading, "phrases": {**self._given(), "passes": number}}
        return Corpus._of(Encoded(found, counts[:n_words], offsets[numbers_of_begins], spool), reading)

    def _bar(self, what: str, number: int, corpus: Corpus) -> Progress:
        return Progress(f"{what}, pass {number}/{self.passes}", corpus.n_tokens, " words", self.progress)


def _unlinked(
    lefts: NDArray[np.int32], parts: NDArray[np.int32], connectors: NDArray[np.int32]
) -> tuple[NDArray[np.int32], dict[int, list[int]]]:
    """Return the first words of pairs, and the words of which those are made that are links."""
    of_links: dict[int, list[int]] = {}
    for number, (part, connector) in enumerate(zip(parts.tolist(), connectors.tolist(), strict=True), 1):
        of_links[-number] = [*of_links.get(part, [part]), connector]
    first = np.array([words[0] for words in of_links.values()], np.int32)
    roots = lefts.copy()
    roots[lefts < 0] = first[-1 - lefts[lefts < 0]]
    return roots, of_links


def _joined_words(
    words: Sequence[str], phrases: dict[tuple[str, ...], str], begun: set[tuple[str, ...]]
) -> list[str]:
    """Return words with phrases joined, from left to right."""
    joined, i, n = [], 0, len(words)
    while i < n:
        end = i + 2
        found = phrases.get(tuple(words[i:end]))
        while found is None and end < n and begun and tuple(words[i:end]) in begun:
            end += 1
            found = phrases.get(tuple(words[i:end]))
        joined.append(words[i] if found is None else found)
        i = i + 1 if found is None else end
    return joined


def _checked_pairs(found: Any) -> Pairs:
    """Return the pairs of a file with their scores if they are such."""
    pairs = {}
    for *words, score in found:
        if len(words) < 2 or not all(isinstance(word, str) for word in words):
            raise TypeError(f"a pair must be two str or more, got {words!r}")
        pairs[tuple(words)] = check_float("the score of a pair", score)
    return pairs
