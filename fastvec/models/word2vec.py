"""Word vectors from windows: skip-gram and CBOW (Mikolov et al. 2013), with the losses of ``losses.py``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_bool, check_choice
from fastvec.models.losses import Loss, losses_of
from fastvec.models.words import WordModel
from fastvec.peers.errors import check_loss, naming_peers_parameters
from fastvec.training.passes import MOST

__all__ = ["CBOW", "SkipGram"]


@naming_peers_parameters
@dataclass(kw_only=True, eq=False, repr=False)
class SkipGram(WordModel):
    """Skip-gram: word vectors that predict the words nearby.

    For every word of the text (the centre) and every word in a window around it (the contexts), the input
    vector of one is moved towards the output vector of the other, and away from the output vectors of other
    words. The objectives and their gradients are derived in ``fastvec/reference/``: ``skipgram.py``,
    ``hierarchical_softmax.py`` and ``softmax.py``.

    Parameters
    ----------
    vector_size : int
        Number of dimensions d of the vectors, 1 to 4096.
    window : int or None
        Largest distance between a centre word and its contexts. For every centre the distance is drawn
        uniformly from 1 to `window`. With None, a sentence is a set, such as a basket or a session: every
        epoch puts its words in another random order, in which a word has the ten on either side of it as
        contexts, so that all pairs of a sentence are equally likely.
    dynamic_window : bool
        Whether that distance is drawn for every centre, or is `window` always, which about doubles the
        contexts of a word. Not used with ``window=None``.
    negatives : int
        Number of noise words per centre word. Only used with ``loss="negative_sampling"`` and ``"bpr"``.
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
        with ``loss="negative_sampling"`` and ``"bpr"``.
    learning_rate : float, optional
        Step size at the start; it decreases linearly to `min_learning_rate`. None stands for the usual value
        for this model and its loss, which `first_learning_rate` returns.
    min_learning_rate : float, optional
        Step size at the end. None stands for 0.0001, or a tenth of the step size at the start if that is
        less.
    epochs : int, optional
        Number of passes over the corpus. None stands for the more passes the shorter the text is: 40 over up
        to 300,000 words, half as many over four times as many words, and 5 from 20 million words on. In
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
        with ``vector_size=100``. With ``loss="softmax"``, one thread does all the work. Steps are taken in
        small batches, which makes other vectors than one thread makes by default.
    seed : int
        Seed of the initial vectors and of all random draws.
    progress : bool
        Whether to show progress bars.
    callbacks : sequence of callable
        Functions that are called with the estimator at the end of every epoch; `vectors_` and `history_` are
        up to date by then. One that returns True ends the training. A `fastvec.Probe` looks within
        epochs, too.
    loss : {"negative_sampling", "bpr", "hierarchical_softmax", "softmax"}
        How a word is distinguished from all others: from a few noise words [1]_; by a higher score than that
        of each noise word, Bayesian personalized ranking [4]_, which is meant for items and nodes, and needs
        a smaller step size the more `negatives` there are; by the branches on its path down a binary Huffman
        tree, in which frequent words are near the root [3]_; or from every other word, which is exact, slow,
        and meant for small vocabularies.
    negative_sharing : {"window", "none"}
        Whether all contexts in a window share one set of noise words, which makes an update a small matrix
        product [2]_, or each has its own, the original scheme [1]_, which is two to four times slower. Only
        used with ``loss="negative_sampling"`` and ``"bpr"``.

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
    .. [4] S. Rendle, C. Freudenthaler, Z. Gantner and L. Schmidt-Thieme, "BPR: Bayesian personalized ranking
       from implicit feedback", UAI 2009.

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

    _MOST_EPOCHS: ClassVar[int] = MOST

    def _loss(self) -> Loss:
        return losses_of("SkipGram")[self.loss]

    def _arguments(self) -> dict[str, Any]:
        return {
            "window": self._reach(),
            "negatives": self.negatives,
            "loss": self.loss,
            "shared": self.negative_sharing == "window",
            "cbow": False,
            "mean": True,
            "scale_gradient": True,
        }

    def _check_own_params(self) -> None:
        check_loss(self.loss, losses_of("SkipGram"))
        check_choice("negative_sharing", self.negative_sharing, ("window", "none"))


@naming_peers_parameters
@dataclass(kw_only=True, eq=False, repr=False)
class CBOW(WordModel):
    """CBOW: word vectors whose mean, or sum, over a window predicts the word in the middle.

    The objectives and their gradients are derived in ``fastvec/reference/``: ``cbow.py``,
    ``hierarchical_softmax.py`` and ``softmax.py``.

    Parameters
    ----------
    vector_size : int
        Number of dimensions d of the vectors, 1 to 4096.
    window : int or None
        Largest distance between a centre word and its contexts. For every centre the distance is drawn
        uniformly from 1 to `window`. With None, a sentence is a set, such as a basket or a session: every
        epoch puts its words in another random order, in which a word has the ten on either side of it as
        contexts, so that all pairs of a sentence are equally likely.
    dynamic_window : bool
        Whether that distance is drawn for every centre, or is `window` always, which about doubles the
        contexts of a word. Not used with ``window=None``.
    negatives : int
        Number of noise words per centre word. Only used with ``loss="negative_sampling"``.
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
        with ``vector_size=100``. With ``loss="softmax"`` or `position_weights`, one thread does all the work.
        Steps are taken in small batches, which makes other vectors than one thread makes by default.
    seed : int
        Seed of the initial vectors and of all random draws.
    progress : bool
        Whether to show progress bars.
    callbacks : sequence of callable
        Functions that are called with the estimator at the end of every epoch; `vectors_` and `history_` are
        up to date by then. One that returns True ends the training. A `fastvec.Probe` looks within
        epochs, too.
    loss : {"negative_sampling", "hierarchical_softmax", "softmax"}
        How a word is distinguished from all others: from a few noise words; by the branches on its path down
        a binary Huffman tree, in which frequent words are near the root; or from every other word, which is
        exact, slow, and meant for small vocabularies.
    pooling : {"mean", "sum"}
        Whether the contexts of a window predict the word by their mean or by their sum, in which windows with
        many words say more. The sum needs a smaller learning rate: 0.03 to 0.05 were best of 0.001 to 0.08,
        where 0.15 is for the mean; windows much longer than 5 need a still smaller one.
    scale_gradient : bool
        Whether to use the exact gradient of a context's vector, which has the number of contexts as a
        divisor, as the mean has. False omits the divisor, as word2vec.c and gensim do: the contexts then
        move too far, by a factor that is their number [1]_, and need a smaller learning rate. With
        ``pooling="sum"`` it is the other way round: the exact gradient has no divisor, and False has one, as
        gensim with ``cbow_mean=0``.
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

    pooling: str = "mean"
    scale_gradient: bool = True
    position_weights: bool = False

    @property
    def position_weights_(self) -> NDArray[np.float32]:
        """The vectors of the positions, from left to right; only with `position_weights`."""
        return self._parameter("position_weights_")

    def _loss(self) -> Loss:
        return losses_of("CBOW with position_weights" if self.position_weights else "CBOW")[self.loss]

    def _arguments(self) -> dict[str, Any]:
        return {
            "window": self._reach(),
            "negatives": self.negatives,
            "cbow": True,
            "mean": self.pooling == "mean",
            "scale_gradient": self.scale_gradient,
            "position_weights": None,
        }

    def _check_own_params(self) -> None:
        check_loss(self.loss, losses_of("CBOW"))
        check_choice("pooling", self.pooling, ("mean", "sum"))
        check_bool("scale_gradient", self.scale_gradient)
        check_bool("position_weights", self.position_weights)
        if self.position_weights and self.loss not in losses_of("CBOW with position_weights"):
            raise ValueError(
                f"position_weights must be False unless loss='negative_sampling', got loss={self.loss!r}"
            )
        if self.position_weights and self.window is None:
            raise ValueError("position_weights must be False with window=None, where positions mean nothing")
