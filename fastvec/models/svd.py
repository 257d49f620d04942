"""Word vectors by a truncated singular value decomposition of weighted counts.

With counts X of words i and contexts j, the pointwise mutual information measures how much more often the two
occur together than by chance:

    PMI(i, j) = log( p(i, j) / (p(i) p_α(j)) ) = log( X_ij N_α / (X_i. X_.j^α) )

    p(i, j) = X_ij / N,  p(i) = X_i. / N,  p_α(j) = X_.j^α / N_α,  N_α = Σ_j X_.j^α

where X_i. and X_.j are the sums of a row and of a column, and N is the sum of all. Contexts are smoothed by a
power α, as word2vec smooths the words that it draws as noise: with α = 0.75 rare contexts seem less rare, and
PMI favours them less. Shifted positive PMI, M_ij = max(0, PMI(i, j) − log k), drops pairs that are not more
than k times as frequent as by chance; pairs that were never counted have PMI −∞ and become 0, so that M is
sparse. The shift is that of skip-gram, whose vectors with k negatives approximate w_i · c_j = PMI(i, j) − log
k, and would equal it if they had dimensions enough (Levy and Goldberg 2014).

The d largest singular values of M, in Σ, give its best approximation of rank d, M ≈ U Σ Vᵀ. The vectors of
the words are the rows of U Σ^p. With p = 1 their products approximate those of the rows of M; with p = ½ or 0
they do not, and yet similarities are better (Levy, Goldberg and Dagan 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_choice, check_float
from fastvec.models.arpack import require_scipy, truncated_svd
from fastvec.models.association import MATRICES, association
from fastvec.models.base import CountModel, State
from fastvec.peers.errors import naming_peers_parameters
from fastvec.training.threads import number_of_threads
from fastvec.vectors import Vectors

__all__ = ["PPMI_SVD"]


@naming_peers_parameters
@dataclass(kw_only=True, eq=False, repr=False)
class PPMI_SVD(CountModel):
    """PPMI with SVD: word vectors from a matrix factorization of counts.

    The text is read once to count how often words occur near each other. The counts are weighted by shifted
    positive pointwise mutual information [1]_, [2]_, and the matrix is factorized by ARPACK [3]_. The
    formulas are at the top of ``fastvec/models/svd.py``. Needs SciPy: ``pip install 'fastvec[svd]'``.

    Parameters
    ----------
    vector_size : int
        Number of dimensions d of the vectors, at most the rank of the matrix.
    window : int
        How far a window reaches to either side, 1 to 1000. Ignored if `fit` is given counts.
    weighting : {"harmonic", "flat", "dynamic"}
        Weight of a context at distance δ: 1 / δ, 1, or (window − δ + 1) / window. Ignored if `fit` is given
        counts.
    symmetric : bool
        Whether windows reach to both sides, or to the left only. Ignored if `fit` is given counts.
    min_count : int
        Words that occur less often are ignored. Ignored if `fit` is given counts.
    max_vocab : int, optional
        Keep at most this many words, the most frequent ones. All are kept by default. Ignored if `fit` is
        given counts.
    keep : sequence of words, optional
        Words of the text that are kept however rare they are, also beyond `max_vocab`. Ignored if `fit` is
        given counts.
    drop : sequence of words, optional
        Words that are left out of the text however frequent they are. `keep` prevails. Ignored if `fit` is
        given counts.
    memory_limit : int
        Bytes of memory, about, for the ids of the text and all that is made of them; what does not fit is
        kept in temporary files (in the folder ``TMPDIR``). The words and the vectors come on top, and the
        matrix that is factorized with its transpose, 16 bytes for each pair in it.
    threads : int, optional
        Number of threads for counting and for multiplying the matrix; all processors by default. The result
        does not depend on it. The linear algebra library of NumPy and SciPy has threads of its own
        (``OPENBLAS_NUM_THREADS``).
    seed : int
        Seed of the vector that the factorization starts from, which hardly changes the result.
    progress : bool
        Whether to show progress bars.
    matrix : {"ppmi", "log", "counts"}
        The matrix to factorize: shifted positive PMI, log(1 + X), or the counts X themselves.
    shift : float
        The k in the shift by log k, 1 or more: pairs that are not more than k times as frequent as by chance
        are dropped.
    context_smoothing : float
        The power α of the context counts, 0 to 1; 1 is ordinary PMI.
    eigenvalue_weighting : float
        The power p of the singular values in the vectors, 0 to 1.

    Attributes
    ----------
    vectors_ : Vectors
        The words with their vectors.
    vocabulary_ : Vocabulary
        The words with their counts.
    singular_values_ : float32 array, shape (d,)
        The largest singular values, in descending order.
    interrupted_ : bool
        Always False: if Ctrl-C interrupts the fit, there is nothing to be used.

    References
    ----------
    .. [1] O. Levy, Y. Goldberg and I. Dagan, "Improving distributional similarity with lessons learned from
       word embeddings", Transactions of the ACL 3, 2015.
    .. [2] O. Levy and Y. Goldberg, "Neural word embedding as implicit matrix factorization",
       NeurIPS 2014.
    .. [3] R. B. Lehoucq, D. C. Sorensen and C. Yang, "ARPACK users' guide",
       SIAM, 1998.

    Examples
    --------
    >>> import fastvec
    >>> baskets = [["bread", "butter", "jam"], ["beer", "crisps", "nuts"]] * 10
    >>> model = fastvec.PPMI_SVD(vector_size=2).fit(baskets)
    >>> model.vectors_
    Vectors(6 words, 2 dimensions)
    >>> round(model.vectors_.similarity("beer", "crisps"), 2)
    1.0
    """

    matrix: str = "ppmi"
    shift: float = 1
    context_smoothing: float = 0.75
    eigenvalue_weighting: float = 0.5

    @property
    def singular_values_(self) -> NDArray[np.float32]:
        """The largest singular values, in descending order."""
        return self._learned("singular_values_").parameters["singular_values"]

    def _make_vectors(self, state: State) -> Vectors:
        left, values = state.parameters["left_vectors"], state.parameters["singular_values"]
        matrix = left * values ** np.float32(state.given["eigenvalue_weighting"])
        return Vectors(state.vocabulary.words, matrix, state.vocabulary.counts, state.description())

    def _check_own_params(self) -> None:
        check_choice("matrix", self.matrix, MATRICES)
        check_float("shift", self.shift, minimum=1)
        check_float("context_smoothing", self.context_smoothing, minimum=0, maximum=1)
        check_float("eigenvalue_weighting", self.eigenvalue_weighting, minimum=0, maximum=1)
        require_scipy()

    def fit(self, source: Any, y: object = None) -> PPMI_SVD:
        """Learn vectors from counts, starting from scratch.

        Parameters
        ----------
        source : Cooccurrence, Corpus, or anything that `Corpus` takes
            Counts, or a text to count: a path, a list of paths, or an iterable of token sequences.
        y : object
            Ignored; for compatibility with scikit-learn.

        Returns
        -------
        PPMI_SVD
            The estimator itself.

        Raises
        ------
        ImportError
            If SciPy is not installed.
        OSError
            If a text cannot be read, or the disk is full.
        TypeError, ValueError
            If a parameter or the text is invalid, if `min_count` leaves no word, if there are no
            counts, or none that is more than `shift` times as frequent as by chance, or if `vector_size` is
            larger than the rank of the matrix.
        """
        self.check_params()
        counts = self._counts(source)
        matrix = association(counts, self.matrix, self.shift, self.context_smoothing, self.progress)
        left, values = truncated_svd(
            matrix,
            self.vector_size,
            seed=self.seed,
            threads=number_of_threads(self.threads),
            progress=self.progress,
        )
        self._state = State(
            vocabulary=counts.vocabulary_,
            parameters={"left_vectors": left, "singular_values": values},
            given=self._given(),
            metadata=self._metadata(counts),
        )
        return self
