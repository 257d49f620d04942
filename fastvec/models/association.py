"""Counts as a sparse matrix of words and contexts: shifted positive PMI, logarithms, or counts.

The formulas are at the top of ``fastvec/models/svd.py``. Entries are made some rows at a time, in double
precision, and kept as float32; those that are 0 are dropped on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.training.progress import Progress

__all__ = ["MATRICES", "association", "pmi"]

MATRICES = ("ppmi", "log", "counts")
# Entries made at a time, about: some arrays of 8 MB each.
ENTRIES_AT_ONCE = 1 << 20
# What the sums of logarithms are exact to: a pair by chance alone must not pass for a little more than that.
ROUNDING = 1e-12

Ids = NDArray[np.int32]
Values = NDArray[np.float64]


def association(counts: Cooccurrence, name: str, shift: float, smoothing: float, progress: bool) -> Any:
    """Return a `scipy.sparse.csr_array` of float32, words by contexts.

    Parameters
    ----------
    counts : Cooccurrence
        The counts X.
    name : {"ppmi", "log", "counts"}
        The matrix: shifted positive PMI, log(1 + X), or X.
    shift, smoothing : float
        The k and the α of PMI.
    progress : bool
        Whether to show progress bars.

    Raises
    ------
    ValueError
        If no entry remains.
    """
    from scipy.sparse import csr_array

    measure: Callable[[Ids, Ids, Values], Values]
    if name == "ppmi":
        measure = pmi(counts, shift, smoothing, progress)
    elif name == "log":
        measure = _log
    else:
        measure = _unchanged

    n_words = len(counts.vocabulary_)
    # Memory that is asked for is only taken when it is written to: what is dropped costs none.
    data = np.empty(counts.n_entries_, np.float32)
    columns = np.empty(counts.n_entries_, np.int32)
    row_offsets: NDArray[np.signedinteger] = np.zeros(n_words + 1, np.int64)
    n_kept = 0
    for first, last, ids, contexts, values in _blocks(counts, name, progress):
        made = measure(ids, contexts, values)
        kept = made > 0
        end = n_kept + np.count_nonzero(kept)
        data[n_kept:end], columns[n_kept:end] = made[kept], contexts[kept]
        row_offsets[first + 1 : last + 1] = n_kept + np.cumsum(
            np.bincount(ids[kept] - first, minlength=last - first)
        )
        n_kept = end
    if n_kept == 0:
        raise ValueError(
            "shift must keep pairs that are more than shift times as frequent as by chance, got none with "
            f"{shift} in {counts!r}"
        )
    if n_kept <= np.iinfo(np.int32).max:  # or all columns become int64 too
        row_offsets = row_offsets.astype(np.int32)
    return csr_array((data[:n_kept], columns[:n_kept], row_offsets), shape=(n_words, n_words))


def pmi(
    counts: Cooccurrence, shift: float, smoothing: float, progress: bool
) -> Callable[[Ids, Ids, Values], Values]:
    """Return the function that makes shifted PMI of words, contexts and their counts.

    Parameters
    ----------
    counts : Cooccurrence
        All counts.
    shift, smoothing : float
        The k and the α of PMI.
    progress : bool
        Whether to show progress bars.
    """
    n_words = len(counts.vocabulary_)
    of_words, of_contexts = np.zeros(n_words), np.zeros(n_words)
    for first, last, ids, contexts, values in _blocks(counts, "sums", progress):
        of_words[first:last] = np.bincount(ids - first, values, last - first)
        of_contexts += np.bincount(contexts, values, n_words)
    smoothed = of_contexts**smoothing
    with np.errstate(divide="ignore"):  # words that stand near no other have no entries
        log_words, log_contexts = np.log(of_words), np.log(smoothed)
    log_total = np.log(smoothed.sum()) - np.log(shift)

    def shifted_pmi(ids: Ids, contexts: Ids, values: Values) -> Values:
        pmi: Values = np.log(values)
        pmi -= log_words[ids]
        pmi -= log_contexts[contexts]
        pmi += log_total
        pmi[pmi < ROUNDING] = 0
        return pmi

    return shifted_pmi


def _log(ids: Ids, contexts: Ids, values: Values) -> Values:
    logarithms: Values = np.log1p(values)
    return logarithms


def _unchanged(ids: Ids, contexts: Ids, values: Values) -> Values:
    return values


def _blocks(counts: Cooccurrence, what: str, progress: bool) -> Iterator[tuple[int, int, Ids, Ids, Values]]:
    """Yield the entries of some rows at a time: first and last row, words, contexts and their counts."""
    offsets = counts.row_offsets_
    n_words = len(offsets) - 1
    first = 0
    with Progress(what, counts.n_entries_, " entries", progress) as bar:
        while first < n_words:
            reached = int(np.searchsorted(offsets, offsets[first] + ENTRIES_AT_ONCE, "right")) - 1
            last = max(first + 1, reached)
            ids, contexts, values = counts.triples(first, last)
            yield first, last, ids, contexts, values
            bar.update(len(values))
            first = last
