"""The largest singular values of a sparse matrix and their left vectors, by SciPy's ARPACK.

ARPACK finds the largest eigenvalues of the symmetric M Mᵀ from products with vectors alone, which is all that
is ever done with a matrix of 70,000 words squared. The eigenvectors span the same space as the left singular
vectors, which are then found in it from the small matrix that M is there: singular values are not taken for
the roots of rounded squares.

Chosen by measurement, on PPMI of 69,013 words, d = 100 and 300: SciPy's PROPACK was somewhat faster, but
older versions of SciPy offer it only on request; LOBPCG was several times slower; scikit-learn's randomized
SVD did not find all of the space in a longer time. Single precision took half the time of double.
"""

from __future__ import annotations

import inspect
from itertools import pairwise
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fastvec.training.progress import Progress
from fastvec.training.threads import Report, Workers

__all__ = ["Product", "require_scipy", "truncated_svd"]

# Matrices of no more words than this, or than two for every dimension, are decomposed as a whole, in double
# precision: so many take a second or so.
DENSE = 1000
# How far an eigenvector may be off, relative to its eigenvalue.
TOLERANCE = 1e-4


def require_scipy() -> None:
    """Raise an error if SciPy is not installed.

    Raises
    ------
    ImportError
        The message names the extra that installs it.
    """
    try:
        import scipy.sparse.linalg  # noqa: F401
    except ImportError:
        raise ImportError("PPMI_SVD needs SciPy: pip install 'fastvec[svd]'") from None


def truncated_svd(
    matrix: Any, d: int, *, seed: int, threads: int, progress: bool, report: Report = lambda n: None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the left singular vectors and the d largest singular values of a square matrix.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array of float32, shape (n, n)
        The matrix.
    d : int
        Number of singular values.
    seed : int
        Seed of the vector to start from.
    threads : int
        Number of threads for products; the result does not depend on it.
    progress : bool
        Whether to show the products in a progress bar.
    report : callable
        Told of every vector that was multiplied.

    Returns
    -------
    left : float32 array, shape (n, d)
        The vectors as columns; the largest number of each is positive.
    values : float32 array, shape (d,)
        The singular values, in descending order.

    Raises
    ------
    ValueError
        If d is larger than the rank.
    """
    n = matrix.shape[0]
    transposed = matrix.T.tocsr()
    most = min(int(np.count_nonzero(np.diff(side.indptr))) for side in (matrix, transposed))
    _check_rank(d, most, f"{most:,} rows or columns that are not all 0")
    if n <= max(DENSE, 2 * d):
        left, values, _ = np.linalg.svd(matrix.toarray().astype(np.float64))
        left, values = left[:, :d], values[:d]
    else:
        with Workers(threads) as workers, Progress("SVD", None, " products", progress) as bar:

            def reach(n: float) -> None:
                bar.update(n)
                report(n)

            by_rows, by_columns = Product(matrix, workers, reach), Product(transposed, workers, reach)
            left, values = _by_arpack(by_rows, by_columns, n, d, seed)
    smallest = values[0] * np.sqrt(n) * np.finfo(np.float32).eps
    rank = int(np.count_nonzero(values > smallest))
    _check_rank(d, rank, f"rank {rank:,} in single precision")
    left *= np.sign(left[np.abs(left).argmax(axis=0), np.arange(d)])
    return left.astype(np.float32), values.astype(np.float32)


class Product:
    """A sparse matrix that is multiplied with a vector or a matrix by threads, each of them some of the rows.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array
        The matrix, which is not copied.
    workers : Workers
        The threads.
    report : callable
        Told of every vector that was multiplied.
    """

    def __init__(self, matrix: Any, workers: Workers, report: Report) -> None:
        from scipy.sparse import csr_array

        self._workers, self._report = workers, report
        targets = np.linspace(0, matrix.nnz, workers.n + 1)[1:-1]
        inner = np.searchsorted(matrix.indptr, targets)
        self._parts = []
        for first, last in pairwise([0, *inner.tolist(), matrix.shape[0]]):
            begin, end = matrix.indptr[[first, last]]
            entries = matrix.data[begin:end], matrix.indices[begin:end]
            offsets = matrix.indptr[first : last + 1] - begin
            part = csr_array((*entries, offsets), shape=(last - first, matrix.shape[1]))
            self._parts.append((first, last, part))

    def __call__(self, right: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the product with a vector, shape (n,), or with the columns of a matrix, shape (n, d)."""
        result = np.empty_like(right)

        def multiply(first: int, last: int, part: Any) -> None:
            result[first:last] = part @ right

        self._workers.each(multiply, self._parts)
        self._report(1 if right.ndim == 1 else right.shape[1])
        return result


def _by_arpack(
    by_rows: Product, by_columns: Product, n: int, d: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return left singular vectors and values of M, given its products M x and Mᵀ x."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    squared = LinearOperator((n, n), matvec=lambda vector: by_rows(by_columns(vector)), dtype=np.float32)
    generator = np.random.default_rng(seed)
    start = generator.standard_normal(n, dtype=np.float32)
    # Newer ARPACKs draw from here when they hit upon a subspace that the matrix leaves as it is.
    draws = {"rng": generator} if "rng" in inspect.signature(eigsh).parameters else {}
    _, basis = eigsh(squared, d, v0=start, tol=TOLERANCE, **draws)
    basis, _ = np.linalg.qr(basis)
    of_basis = cast("NDArray[np.float32]", np.linalg.qr(by_columns(basis), mode="r"))
    turn, values, _ = np.linalg.svd(of_basis.T)
    return basis @ turn, values


def _check_rank(d: int, most: int, why: str) -> None:
    if d > most:
        raise ValueError(f"vector_size must be at most the rank of the matrix, which has {why}, got {d:,}")
