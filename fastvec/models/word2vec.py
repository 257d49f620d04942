"""Word vectors from windows: skip-gram and CBOW, each with three losses (Mikolov et al. 2013)."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastvec import kernels
from fastvec._params import check_bool, check_choice
from fastvec.models.huffman import HuffmanTree
from fastvec.models.state import Matrices, State
from fastvec.models.words import Text, WordModel
from fastvec.training.loop import TrainChunk
from fastvec.training.progress import warn

__all__ = ["CBOW", "SkipGram"]

LOSSES = ("negative_sampling", "hierarchical_softmax", "softmax")

# A full softmax over more words than this takes hours; one wants to be told before.
MANY_WORDS = 50_000
# Multiply-adds of the full softmax a second and thread: an assumption (20 Gflop/s) to say hours or weeks by.
SOFTMAX_SPEED = 1e10
# Multiply-adds of the full softmax that a thread is handed at once, some hundredths of a second of work, and
# the fewest tokens of that, four updates of 16 windows.
SOFTMAX_CHUNK, FEWEST_TOKENS = 1 << 29, 64


@dataclass(kw_only=True, eq=False, repr=False)
class Word2Vec(WordModel):
    """What skip-gram and CBOW share: the losses."""

    loss: str = "negative_sampling"

    NAME: ClassVar[str]
    # Whether the contexts predict the centre, by the mean of their vectors.
    IS_CBOW: ClassVar[bool]

    @property
    def node_vectors_(self) -> NDArray[np.float32]:
        """The vectors of the inner nodes of the tree; only with the hierarchical softmax."""
        return self._parameter("node_vectors_")

    @property
    def tree_(self) -> HuffmanTree:
        """The tree of the hierarchical softmax; its `paths()` lead from the root to every word."""
        tables = self._learned("tree_").tables
        if not tables:
            raise AttributeError(f"{type(self).__name__} was trained without a tree_: loss={self.loss!r}")
        return _tree(tables)

    def _variant(self) -> tuple[str, str, bool]:
        return self.NAME, self.loss, True

    def _check_own_params(self) -> None:
        check_choice("loss", self.loss, LOSSES)

    def _fixed(self) -> tuple[str, ...]:
        return (*super()._fixed(), "loss")

    def _kernel(self) -> str:
        return self.NAME.lower() if self.loss == "negative_sampling" else self.loss

    def _rows(self, n_words: int) -> dict[str, int]:
        if self.loss == "hierarchical_softmax":
            return {"input_vectors": n_words, "node_vectors": n_words - 1}
        return {"input_vectors": n_words, "output_vectors": n_words}

    def _tables(
        self, counts: NDArray[np.int64], before: State | None, places: NDArray[np.intp] | None
    ) -> dict[str, NDArray[Any]]:
        if self.loss != "hierarchical_softmax":
            return {}
        if len(counts) < 2:
            raise ValueError("loss='hierarchical_softmax' needs two words, the vocabulary has one")
        if before is None:
            tree = HuffmanTree.of_counts(counts)
        elif places is None:
            return before.tables
        else:
            tree = _tree(before.tables).with_more_words(places, counts)
        return {"tree_parents": tree.parents, "tree_codes": tree.codes}

    def _load_tables(self, tensors: Mapping[str, NDArray[Any]], n_words: int) -> dict[str, NDArray[Any]]:
        if self.loss != "hierarchical_softmax":
            return {}
        missing = np.empty(0)
        tables = {name: np.array(tensors.get(name, missing)) for name in ("tree_parents", "tree_codes")}
        n_leaves = _tree(tables).n_words
        if n_leaves != n_words or n_words < 2:
            raise ValueError(f"the tree must have {n_words:,} words, two or more, got {n_leaves:,}")
        return tables

    def _chunk(self, n_words: int) -> int:
        usual = super()._chunk(n_words)
        if self.loss != "softmax":
            return usual
        return min(usual, max(FEWEST_TOKENS, SOFTMAX_CHUNK // self._softmax_cost(n_words)))

    def _expected(self, n_words: int) -> dict[str, Any]:
        if self.loss == "negative_sampling":
            return super()._expected(n_words)
        # of one word in n; a tree for the frequencies costs less
        return {"untrained_loss": math.log(n_words), "with_params": f"window={self.window}"}

    def _softmax_cost(self, n_words: int) -> int:
        """Return the multiply-adds of a window: the scores and the gradients of both sides."""
        return 3 * n_words * self.vector_size

    def _bind(self, state: State, parameters: Matrices, text: Text) -> TrainChunk:
        scale_gradient = self._variant()[-1]
        if self.loss == "hierarchical_softmax":
            paths = _tree(state.tables).paths()
            hierarchical = kernels.hierarchical_softmax
            return partial(
                hierarchical.train,
                input_vectors=parameters["input_vectors"],
                node_vectors=parameters["node_vectors"],
                ids=text.ids,
                sentence_offsets=text.sentence_offsets,
                keep=text.keep,
                path_offsets=paths.offsets,
                path_nodes=paths.nodes,
                path_codes=paths.codes,
                window=self.window,
                cbow=self.IS_CBOW,
                scale_gradient=scale_gradient,
            )
        if self.loss == "softmax":
            self._warn_of_hours(state, text)
            softmax = kernels.softmax
            return partial(
                softmax.train,
                input_vectors=parameters["input_vectors"],
                output_vectors=parameters["output_vectors"],
                ids=text.ids,
                sentence_offsets=text.sentence_offsets,
                keep=text.keep,
                window=self.window,
                cbow=self.IS_CBOW,
                scale_gradient=scale_gradient,
            )
        return self._bind_negative_sampling(parameters, text, self._noise(state.vocabulary))

    @abstractmethod
    def _bind_negative_sampling(
        self, parameters: Matrices, text: Text, noise: NDArray[np.uint32]
    ) -> TrainChunk:
        """Return the kernel with all arguments bound that do not change from chunk to chunk."""

    def _warn_of_hours(self, state: State, text: Text) -> None:
        vocabulary = state.vocabulary
        if len(vocabulary) <= MANY_WORDS:
            return
        kept = float(vocabulary.counts @ (text.keep + 1.0)) / 2**32 / vocabulary.total * len(text.ids)
        cost = kept * self._softmax_cost(len(vocabulary))
        warn(
            f"loss='softmax' over {len(vocabulary):,} words takes {cost:.0e} multiply-adds per epoch, or "
            f"{cost / SOFTMAX_SPEED / 3600:,.1f} hours on one thread at {SOFTMAX_SPEED:.0e} per second: "
            "reduce the vocabulary with max_vocab, or use another loss, which takes a small fraction of this",
            stacklevel=4,
        )


@dataclass(kw_only=True, eq=False, repr=False)
class SkipGram(Word2Vec):
    """Skip-gram: word vectors that predict the words nearby.

    For every word of the text (the centre) and every word in a window around it (the contexts), the input
    vector of one is moved towards the output vector of the other, and away from the output vectors of other
    words. The objectives and their gradients are derived in ``fastvec/reference/``: ``skipgram.py``,
    ``hierarchical_softmax.py`` and ``softmax.py``.

    Parameters
    ----------
    vector_size : int
        Number of dimensions d of the vectors, 1 to 4096.
    window : int
        Largest distance between a centre word and its contexts. For every centre the distance is drawn
        uniformly from 1 to `window`.
    negatives : int
        Number of noise words per centre word. Only used with ``loss="negative_sampling"``.
    min_count : int
        Words that occur less often are ignored.
    max_vocab : int, optional
        Keep at most this many words, the most frequent ones. All are kept by default.
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
    epochs : int
        Number of passes over the corpus.
    shuffle : bool
        Whether an epoch visits the text in blocks of up to 8,192 words (a short text: 128 blocks) in a random
        order, each time another, instead of from beginning to end. This is for texts whose end is not like
        their beginning.
    memory_limit : int
        Bytes of memory, about, for the ids of the text and all that is made of them; what does not fit is
        kept in temporary files (in the folder ``TMPDIR``). The words and the vectors come on top.
    threads : int, optional
        Number of threads; all processors by default. With one thread, the same seed gives the same vectors
        bit for bit. Several threads write to the same matrices without locks (Hogwild), so that results
        differ slightly from run to run.
    seed : int
        Seed of the initial vectors and of all random draws.
    progress : bool
        Whether to show progress bars.
    callbacks : sequence of callable
        Functions that are called with the estimator at the end of every epoch; `vectors_` and `history_` are
        up to date by then. One that returns True ends the training.
    loss : {"negative_sampling", "hierarchical_softmax", "softmax"}
        How a word is distinguished from all others: from a few noise words [1]_; by the branches on its path
        down a binary Huffman tree, in which frequent words are near the root [3]_; or from every other word,
        which is exact, slow, and meant for small vocabularies.
    negative_sharing : {"window", "none"}
        Whether all contexts in a window share one set of noise words, which makes an update a small matrix
        product [2]_, or each has its own, the original scheme [1]_, which is two to four times slower. Only
        used with ``loss="negative_sampling"``.

    Attributes
    ----------
    vectors_ : Vectors
        The words with their input vectors.
    vocabulary_ : Vocabulary
        The words with their counts.
    output_vectors_ : float32 array, shape (n_words, d)
        The vectors of the words in the role of what is predicted. Not available with the hierarchical
        softmax.
    node_vectors_ : float32 array, shape (n_words - 1, d)
        The vectors of the inner nodes of the tree. Only available with the hierarchical softmax.
    tree_ : HuffmanTree
        The tree of the hierarchical softmax; its `paths()` lead from the root to every word.
    history_ : list of Epoch
        Loss (of words that are held out), learning rate, time and speed of every epoch.
    interrupted_ : bool
        Whether a signal, such as Ctrl-C, or `stop` ended the training early.

    References
    ----------
    .. [1] T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed representations of words
       and phrases and their compositionality", NeurIPS 2013.
    .. [2] S. Ji, N. Satish, S. Li and P. Dubey, "Parallelizing word2vec in shared and distributed memory",
       arXiv 1604.04661, 2016.
    .. [3] F. Morin and Y. Bengio, "Hierarchical probabilistic neural network language model",
       AISTATS 2005.

    Examples
    --------
    >>> import fastvec
    >>> baskets = [["bread", "butter", "jam"], ["bread", "butter"], ["beer", "crisps"]] * 10
    >>> model = fastvec.SkipGram(vector_size=8, min_count=1, threads=1).fit(baskets)
    >>> model.vectors_
    Vectors(5 words, 8 dimensions)
    >>> model.fit([["bread", "jam"], ["tea", "jam"]] * 10, update_vocabulary=True).vectors_
    Vectors(6 words, 8 dimensions)
    """

    negative_sharing: str = "window"

    NAME: ClassVar[str] = "SkipGram"
    IS_CBOW: ClassVar[bool] = False

    def _check_own_params(self) -> None:
        super()._check_own_params()
        check_choice("negative_sharing", self.negative_sharing, ("window", "none"))

    def _bind_negative_sampling(
        self, parameters: Matrices, text: Text, noise: NDArray[np.uint32]
    ) -> TrainChunk:
        kernel = kernels.skipgram
        return partial(
            kernel.train,
            input_vectors=parameters["input_vectors"],
            output_vectors=parameters["output_vectors"],
            ids=text.ids,
            sentence_offsets=text.sentence_offsets,
            keep=text.keep,
            noise=noise,
            window=self.window,
            negatives=self.negatives,
            shared=self.negative_sharing == "window",
        )


@dataclass(kw_only=True, eq=False, repr=False)
class CBOW(Word2Vec):
    """CBOW: word vectors whose mean over a window predicts the word in the middle.

    The objectives and their gradients are derived in ``fastvec/reference/``: ``cbow.py``,
    ``hierarchical_softmax.py`` and ``softmax.py``.

    Parameters
    ----------
    vector_size : int
        Number of dimensions d of the vectors, 1 to 4096.
    window : int
        Largest distance between a centre word and its contexts. For every centre the distance is drawn
        uniformly from 1 to `window`.
    negatives : int
        Number of noise words per centre word. Only used with ``loss="negative_sampling"``.
    min_count : int
        Words that occur less often are ignored.
    max_vocab : int, optional
        Keep at most this many words, the most frequent ones. All are kept by default.
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
    epochs : int
        Number of passes over the corpus.
    shuffle : bool
        Whether an epoch visits the text in blocks of up to 8,192 words (a short text: 128 blocks) in a random
        order, each time another, instead of from beginning to end. This is for texts whose end is not like
        their beginning.
    memory_limit : int
        Bytes of memory, about, for the ids of the text and all that is made of them; what does not fit is
        kept in temporary files (in the folder ``TMPDIR``). The words and the vectors come on top.
    threads : int, optional
        Number of threads; all processors by default. With one thread, the same seed gives the same vectors
        bit for bit. Several threads write to the same matrices without locks (Hogwild), so that results
        differ slightly from run to run.
    seed : int
        Seed of the initial vectors and of all random draws.
    progress : bool
        Whether to show progress bars.
    callbacks : sequence of callable
        Functions that are called with the estimator at the end of every epoch; `vectors_` and `history_` are
        up to date by then. One that returns True ends the training.
    loss : {"negative_sampling", "hierarchical_softmax", "softmax"}
        How a word is distinguished from all others: from a few noise words; by the branches on its path down
        a binary Huffman tree, in which frequent words are near the root; or from every other word, which is
        exact, slow, and meant for small vocabularies.
    scale_gradient : bool
        Whether to use the exact gradient of a context's vector, which has the number of contexts as a
        divisor, as the mean has. False omits the divisor, as word2vec.c and gensim do: the contexts then
        move too far, by a factor that is their number [1]_, and need a smaller learning rate.
    position_weights : bool
        Whether every context vector is multiplied, element by element, by a vector of its position in the
        window, which is learned as well [2]_. Requires ``loss="negative_sampling"``.

    Attributes
    ----------
    vectors_ : Vectors
        The words with their input vectors.
    vocabulary_ : Vocabulary
        The words with their counts.
    output_vectors_ : float32 array, shape (n_words, d)
        The vectors of the words in the role of what is predicted. Not available with the hierarchical
        softmax.
    node_vectors_ : float32 array, shape (n_words - 1, d)
        The vectors of the inner nodes of the tree. Only available with the hierarchical softmax.
    tree_ : HuffmanTree
        The tree of the hierarchical softmax; its `paths()` lead from the root to every word.
    history_ : list of Epoch
        Loss (of words that are held out), learning rate, time and speed of every epoch.
    interrupted_ : bool
        Whether a signal, such as Ctrl-C, or `stop` ended the training early.
    position_weights_ : float32 array, shape (2 * window, d)
        The vectors of the positions, from left to right. Only available with `position_weights`.

    References
    ----------
    .. [1] O. Irsoy, A. Benton and K. Stratos, "Corrected CBOW performs as well as skip-gram", Workshop on
       Insights from Negative Results in NLP, 2021.
    .. [2] T. Mikolov, E. Grave, P. Bojanowski, C. Puhrsch and A. Joulin, "Advances in pre-training
       distributed word representations", LREC 2018.

    Examples
    --------
    >>> import fastvec
    >>> baskets = [["bread", "butter", "jam"], ["bread", "butter"], ["beer", "crisps"]] * 10
    >>> fastvec.CBOW(vector_size=8, min_count=1, threads=1).fit(baskets).vectors_
    Vectors(5 words, 8 dimensions)
    """

    scale_gradient: bool = True
    position_weights: bool = False

    NAME: ClassVar[str] = "CBOW"
    IS_CBOW: ClassVar[bool] = True

    @property
    def position_weights_(self) -> NDArray[np.float32]:
        """The vectors of the positions, from left to right; only with `position_weights`."""
        return self._parameter("position_weights_")

    def _variant(self) -> tuple[str, str, bool]:
        return self.NAME, "position weights" if self.position_weights else self.loss, self.scale_gradient

    def _check_own_params(self) -> None:
        super()._check_own_params()
        check_bool("scale_gradient", self.scale_gradient)
        check_bool("position_weights", self.position_weights)
        if self.position_weights and self.loss != "negative_sampling":
            raise ValueError(
                f"position_weights must be False unless loss='negative_sampling', got loss={self.loss!r}"
            )

    def _fixed(self) -> tuple[str, ...]:
        return (*super()._fixed(), "position_weights", *(["window"] if self.position_weights else []))

    def _rows(self, n_words: int) -> dict[str, int]:
        positions = {"position_weights": 2 * self.window} if self.position_weights else {}
        return super()._rows(n_words) | positions

    def _fresh(self, n_words: int, seed: int | list[int]) -> Matrices:
        parameters = super()._fresh(n_words, seed)
        if self.position_weights:
            parameters["position_weights"][:, : self.vector_size] = 1
        return parameters

    def _bind_negative_sampling(
        self, parameters: Matrices, text: Text, noise: NDArray[np.uint32]
    ) -> TrainChunk:
        kernel = kernels.cbow
        return partial(
            kernel.train,
            input_vectors=parameters["input_vectors"],
            output_vectors=parameters["output_vectors"],
            position_weights=parameters.get("position_weights"),
            ids=text.ids,
            sentence_offsets=text.sentence_offsets,
            keep=text.keep,
            noise=noise,
            window=self.window,
            negatives=self.negatives,
            scale_gradient=self.scale_gradient,
        )


def _tree(tables: Mapping[str, NDArray[Any]]) -> HuffmanTree:
    return HuffmanTree(tables["tree_parents"], tables["tree_codes"])
