"""Vectors by a truncated singular value decomposition of counts, weighted by how surprising they are.

With counts X of words i and contexts j, the pointwise mutual information says how much more often the two
stand together than they would by chance:

    PMI(i, j) = log( p(i, j) / (p(i) p_α(j)) ) = log( X_ij N_α / (X_i. X_.j^α) )

    p(i, j) = X_ij / N,  p(i) = X_i. / N,  p_α(j) = X_.j^α / N_α,  N_α = Σ_j X_.j^α

where X_i. and X_.j are the sums of a row and of a column, and N is the sum of all. Contexts are smoothed by a
power α, as word2vec smooths the words that it draws as noise: with α = 0.75 rare contexts seem less rare, and
PMI favours them less. Shifted positive PMI, M_ij = max(0, PMI(i, j) − log k), leaves out what is no more
frequent than k times chance; pairs that were never counted have PMI −∞ and become 0, so that M is sparse.
The shift is that of skip-gram, whose vectors with k negatives approximate w_i · c_j = PMI(i, j) − log k, and
would equal it if they had dimensions enough (Levy and Goldberg 2014).

The d largest singular values of M, in Σ, give its best approximation of rank d, M ≈ U Σ Vᵀ. The vectors of
the words are the rows of U Σ^p. With p = 1 their products are those of the rows of M, as well as d dimensions
can say it; with p = ½ or 0 they are not, and yet similarities come out better (Levy, Goldberg and Dagan
2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_choice, check_float
from fastvec._training import number_of_threads
from fastvec.models._association import MATRICES, association
from fastvec.models._count_model import CountModel
from fastvec.models._state import State
from fastvec.models._truncated_svd import require_scipy, truncated_svd
from fastvec.vectors import Vectors

__all__ = ["PPMI_SVD"]


@dataclass(kw_only=True, eq=False, repr=False)
class PPMI_SVD(CountModel):
    """PPMI with SVD: vectors of words from a factorisation of what was counted.

    How often words occur near each other is counted once, weighted as shifted positive pointwise mutual
    information [1]_, [2]_, and the matrix decomposed by ARPACK [3]_. The formulas are at the top of
    ``fastvec/models/svd.py``. Takes the package SciPy: ``pip install 'fastvec[svd]'``.

    Parameters
    ----------
    vector_size : int
        Number of dimensions d, at most the rank of the matrix.
    window, weighting, symmetric, min_count, max_vocab
        What is counted, as for `Cooccurrence`; not used where `fit` gets counts, which have their own.
    memory_limit : int
        If the counts of a text take more bytes than this they go to temporary files.
    threads : int, optional
        Threads to count with, and to multiply the matrix with; all processors by default. The result does not
        depend on it. SciPy's and NumPy's own linear algebra has other threads (``OPENBLAS_NUM_THREADS``).
    seed : int
        Seed of the vector that the decomposition starts from, which hardly changes the result.
    progress : bool
        Whether to show progress bars.
    matrix : {"ppmi", "log", "counts"}
        What is decomposed: shifted positive PMI, log(1 + X), or the counts X as they are.
    shift : float
        The k of the shift by log k, 1 or more: pairs no more frequent than k times chance are left out.
    context_smoothing : float
        The power α of the counts of contexts, 0 to 1; 1 is the usual PMI.
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
        False: Ctrl-C leaves nothing half done that could be used.

    References
    ----------
    .. [1] O. Levy, Y. Goldberg and I. Dagan, "Improving distributional similarity with lessons learned from
       word embeddings", Transactions of the ACL 3, 2015.
    .. [2] O. Levy and Y. Goldberg, "Neural word embedding as implicit matrix factorization", NeurIPS 2014.
    .. [3] R. B. Lehoucq, D. C. Sorensen and C. Yang, "ARPACK users' guide", SIAM, 1998.

    Examples
    --------
    >>> import fastvec
    >>> baskets = [["bread", "butter", "jam"], ["bread", "butter"], ["beer", "crisps"]] * 10
    >>> model = fastvec.PPMI_SVD(vector_size=2).fit(baskets)
    >>> model.vectors_
    Vectors(5 words, 2 dimensions)
    >>> model.vectors_.most_similar("beer", topn=1)[0][0]
    'crisps'
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
        return Vectors(state.vocabulary.words, matrix, state.vocabulary.counts, state.metadata)

    def _check_own_params(self) -> None:
        check_choice("matrix", self.matrix, MATRICES)
        check_float("shift", self.shift, minimum=1)
        check_float("context_smoothing", self.context_smoothing, minimum=0, maximum=1)
        check_float("eigenvalue_weighting", self.eigenvalue_weighting, minimum=0, maximum=1)
        require_scipy()

    def fit(self, source: Any) -> PPMI_SVD:
        """Learn vectors from counts, from the beginning every time.

        Parameters
        ----------
        source : Cooccurrence, Corpus, or anything that `Corpus` takes
            Counts, or a text to count: a path, a list of paths, or an iterable of token sequences.

        Returns
        -------
        PPMI_SVD
            The estimator itself.

        Raises
        ------
        ImportError
            If SciPy is not installed.
        OSError
            If a text cannot be read, or there is no room for temporary files.
        TypeError, ValueError
            If a parameter or the text is not what it must be, if `min_count` leaves no word, if there is no
            count or none that is more frequent than `shift` times chance, or if `vector_size` is larger than
            the rank of the matrix.
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
            tables={},
            given=self._given(),
            metadata=self._metadata(counts),
        )
        return self
