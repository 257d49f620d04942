"""Word vectors from character n-grams (Bojanowski et al. 2017), as in fastText."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_bool, check_choice, check_int
from fastvec.formats.fasttext import FastTextFile, outputs_of_nodes, write_model
from fastvec.models.base import State
from fastvec.models.losses import Loss, losses_of, subwords_of
from fastvec.models.words import WordModel
from fastvec.peers.errors import check_loss, naming_peers_parameters
from fastvec.training.huffman import HuffmanTree
from fastvec.vectors.subwords import Subwords, SubwordVectors

__all__ = ["FastText"]


@naming_peers_parameters
@dataclass(kw_only=True, eq=False, repr=False)
class FastText(WordModel):
    """FastText: word vectors composed of character n-grams, for unknown words too.

    The vector of a word is the mean of a row of its own and of the rows of its character n-grams [1]_, which
    share `buckets` rows by a hash. With `hash_count`, words share these as well, as in floret [2]_. The
    objectives and their gradients are derived in ``fastvec/reference/``: ``subword.py`` and
    ``ngram_tree.py``. Defaults are those of fastText where it has the parameter.

    Parameters
    ----------
    vector_size : int
        Number of dimensions d of the vectors, 1 to 4096.
    window : int
        Largest distance between a centre word and its contexts. For every centre the distance is drawn
        uniformly from 1 to `window`.
    dynamic_window : bool
        Whether that distance is drawn for every centre, or is `window` always, which about doubles the
        contexts of a word.
    negatives : int
        Number of noise words for every context. Only used with ``loss="negative_sampling"``.
    min_count : int
        Words that occur less often are ignored.
    max_vocab : int, optional
        Keep at most this many words, the most frequent ones. All are kept by default.
    keep : sequence of words, optional
        Words of the text that are kept however rare they are, also beyond `max_vocab`.
    drop : sequence of words, optional
        Words that are left out of the text however frequent they are. `keep` prevails.
    subsample : float
        Words with a relative frequency above roughly this value are randomly dropped, more often the more
        frequent they are (word2vec.c's formula), but none that the text has no more than 50 times: short
        texts are kept as they are. 0 keeps all words.
    noise_exponent : float
        Noise words are drawn with a probability proportional to their count raised to this power. Only used
        with ``loss="negative_sampling"``.
    learning_rate : float, optional
        Step size at the start; it decreases linearly to `min_learning_rate`. None stands for the usual value
        for this model and its loss, which `first_learning_rate` returns.
    min_learning_rate : float, optional
        Step size at the end. None stands for 0.0001, or a tenth of the step size at the start if that is
        less.
    epochs : int, optional
        Number of passes over the corpus. None stands for the more passes the shorter the text is: 20 over up
        to 1.2 million words, half as many over four times as many words, and 5 from 20 million words on. In
        further calls of `fit` it stands for 5. `vectors_.metadata` has the number.
    shuffle : bool
        Whether an epoch visits the text in blocks of up to 8,192 words (a short text: 128 blocks) in a random
        order, each time another, instead of from beginning to end. This is for texts whose end is not like
        their beginning.
    early_stopping : bool
        Whether to end the training when the loss of what is held out has not become lower for `patience`
        epochs, and keep the vectors of the best epoch. The text must be long enough to hold something out:
        131,072 words. It takes memory for one more copy of the parameters.
    patience : int
        Number of epochs without a lower loss after which `early_stopping` ends the training.
    memory_limit : int
        Bytes of memory, about, for the ids of the text and all that is made of them; what does not fit is
        kept in temporary files (in the folder ``TMPDIR``). The words and the vectors come on top.
    threads : int, optional
        Number of threads; all processors by default. With one thread, or with `deterministic`, the same seed
        gives the same vectors bit for bit. Otherwise, several threads write to the same matrices without
        locks (Hogwild), so that results differ slightly from run to run.
    deterministic : bool
        Whether the same seed gives the same vectors, bit for bit, for any number of threads. All threads
        then work on the same words, each on columns of its own: about one for every 16 columns at most, 8
        with ``vector_size=100``. Steps are taken in small batches, which makes other
        vectors than one thread makes by default.
    seed : int
        Seed of the initial vectors and of all random draws.
    progress : bool
        Whether to show progress bars.
    callbacks : sequence of callable
        Functions that are called with the estimator at the end of every epoch; `vectors_` and `history_` are
        up to date by then. One that returns True ends the training. A `fastvec.Probe` looks within
        epochs, too.
    loss : {"negative_sampling", "hierarchical_softmax"}
        How a word is distinguished from all others: from a few noise words, or by the branches on its path
        down a binary Huffman tree, in which frequent words are near the root.
    model : {"skipgram", "cbow"}
        Whether a word predicts each of its contexts, or the contexts together predict the word. In both
        cases it is the words that predict which have n-grams.
    pooling : {"mean", "sum"}
        Whether all rows of the contexts of a window predict the word by their mean or by their sum, in which
        windows with many rows say more. The sum requires ``model="cbow"``; the vector of a word is a mean in
        any case.
    min_n : int
        Smallest number of characters in an n-gram.
    max_n : int
        Largest number of characters in an n-gram; 0 for no n-grams, and no rows for them, whatever `min_n`
        and `buckets` are.
    buckets : int
        Number of rows that the n-grams share.
    hash_count : int, optional
        Number of rows of each word and n-gram as in floret, 1 to 4: words have no rows of their own, but
        share the `buckets` rows with the n-grams. Far fewer buckets will do then, such as 50,000 with 2, and
        ``vectors_.save("x.floret")`` writes what spaCy reads. None for fastText's way.
    scale_gradient : bool
        Whether to use the exact gradient of a row, which has the number of rows in the mean as a divisor.
        False omits the divisor, as fastText does; a row that occurs several times in the mean then moves as
        if it occurred once, since words of one repeated character would diverge otherwise. With
        ``pooling="sum"`` the exact gradient has no divisor, and False has one, as gensim with
        ``cbow_mean=0``.

    Attributes
    ----------
    vectors_ : SubwordVectors
        The words with their vectors; unknown words have vectors too.
    input_vectors_ : float32 array, shape (n_words + buckets, d)
        The rows of the words, followed by those of the n-grams, of which there are none with ``max_n=0``.
        With `hash_count` only those that words and n-grams share, shape (buckets, d).
    output_vectors_ : float32 array, shape (n_words, d)
        The vectors of the words in the role of what is predicted. Not available with the hierarchical
        softmax.
    node_vectors_ : float32 array, shape (n_words - 1, d)
        The vectors of the inner nodes of the tree. Only available with the hierarchical softmax.
    tree_ : HuffmanTree
        The tree of the hierarchical softmax, the one that fastText makes; its `paths()` lead from the root to
        every word.
    vocabulary_ : Vocabulary
        The words with their counts.
    history_ : list of Epoch
        Loss (of words that are held out), learning rate, time and speed of every epoch.
    interrupted_ : bool
        Whether a signal, such as Ctrl-C, or `stop` ended the training early.

    References
    ----------
    .. [1] P. Bojanowski, E. Grave, A. Joulin and T. Mikolov, "Enriching word vectors with subword
       information", TACL 5, 2017.
    .. [2] A. Boyd and V. D. Warmerdam, "floret: lightweight, robust word vectors", Explosion, 2022.

    Examples
    --------
    >>> import fastvec
    >>> sentences = [["the", "old", "house"], ["two", "older", "houses"]] * 20
    >>> model = fastvec.FastText(vector_size=8, buckets=1000, threads=1).fit(sentences)
    >>> model.vectors_
    SubwordVectors(6 words, 8 dimensions)
    >>> "housing" in model.vectors_, model.vectors_["housing"].shape
    (False, (8,))
    """

    subsample: float = 1e-4
    noise_exponent: float = 0.5
    min_learning_rate: float | None = 0.0
    model: str = "skipgram"
    pooling: str = "mean"
    min_n: int = 3
    max_n: int = 6
    buckets: int = 2_000_000
    hash_count: int | None = None
    scale_gradient: bool = False

    EXTENSIONS: ClassVar[tuple[str, ...]] = (".fvec", ".bin")

    @property
    def vectors_(self) -> SubwordVectors:
        """The words with their vectors."""
        return cast(SubwordVectors, super().vectors_)

    @property
    def input_vectors_(self) -> NDArray[np.float32]:
        """The rows of the words, followed by those of the n-grams."""
        return self._parameter("input_vectors_")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save everything that was learned; `fastvec.load_model` restores the estimator.

        Parameters
        ----------
        path : str or path-like
            A file with the extension ``.fvec``, or ``.bin`` for fastText's own format, which fastText and
            gensim read; it keeps neither `history_` nor the parameters that fastText does not have.

        Raises
        ------
        AttributeError
            Before `fit`.
        OSError
            If the file cannot be written, for example because the disk is full.
        ValueError
            If the extension is another one, or fastText's format cannot hold the model: a word with a space,
            `hash_count`, a sum, or a tree whose words have had other counts since `update_vocabulary`.
        """
        if Path(path).suffix.lower() != ".bin":
            super().save(path)
            return
        state = self._learned("vectors_ to save")
        write_model(
            path,
            FastTextFile(
                words=state.vocabulary.words,
                counts=state.vocabulary.counts,
                input_vectors=state.parameters["input_vectors"],
                output_vectors=_outputs_of_file(path, state),
                subwords=subwords_of(state.given),
                parameters=state.given,
            ),
        )

    def _loss(self) -> Loss:
        return losses_of("FastText")[self.loss]

    def _new_tree(self, counts: NDArray[np.int64]) -> HuffmanTree:
        return HuffmanTree.as_in_fasttext(counts)

    def _subwords(self) -> Subwords:
        return subwords_of(self.get_params())

    def _rows_of(self, state: State, word: str) -> NDArray[np.float32]:
        """Return the rows that a word is as an input: for CBOW each, for skip-gram their mean."""
        n_words, place = len(state.vocabulary), state.vocabulary.index.get(word)
        subwords = subwords_of(state.given)
        ngrams = subwords.ngram_rows(word, n_words)
        own = [] if place is None or subwords.hash_count is not None else [place]
        rows = state.parameters["input_vectors"][np.concatenate((np.array(own, np.int32), ngrams))]
        return rows if self.model == "cbow" or not len(rows) else rows.mean(axis=0, keepdims=True)

    def _arguments(self) -> dict[str, Any]:
        return {
            "window": self.window,
            "negatives": self.negatives,
            "cbow": self.model == "cbow",
            "mean": self.pooling == "mean",
            "scale_gradient": self.scale_gradient,
        }

    def _check_own_params(self) -> None:
        check_int("window", self.window, 1, 1000)
        check_choice("model", self.model, ("skipgram", "cbow"))
        check_loss(self.loss, losses_of("FastText"))
        check_choice("pooling", self.pooling, ("mean", "sum"))
        if self.pooling == "sum" and self.model != "cbow":
            raise ValueError(
                f"pooling must be 'mean' unless model='cbow' (--fasttext-model cbow), got {self.pooling!r}"
            )
        subwords_of(self.get_params())
        check_bool("scale_gradient", self.scale_gradient)

    def _make_vectors(self, state: State) -> SubwordVectors:
        vocabulary, rows = state.vocabulary, state.parameters["input_vectors"]
        subwords = subwords_of(state.given)
        return SubwordVectors(vocabulary.words, rows, subwords, vocabulary.counts, state.description())


def _outputs_of_file(path: str | os.PathLike[str], state: State) -> NDArray[np.float32]:
    """Return the output matrix as fastText has it; raise ValueError if fastText cannot have it."""
    if state.given["pooling"] != "mean":
        raise ValueError(
            f"path must end in .fvec with pooling={state.given['pooling']!r}, which fastText does not have, "
            f"got {os.fspath(path)!r}; vectors_.save writes the vectors alone"
        )
    if state.tree is None:
        return state.parameters["output_vectors"]
    for name, tensor in HuffmanTree.as_in_fasttext(state.vocabulary.counts).tensors().items():
        if not np.array_equal(tensor, state.tree.tensors()[name]):
            raise ValueError(
                "path must end in .fvec with a tree from before update_vocabulary=True, since fastText makes "
                f"its own of the counts, got {os.fspath(path)!r}; vectors_.save writes the vectors alone"
            )
    return outputs_of_nodes(state.parameters["node_vectors"])
