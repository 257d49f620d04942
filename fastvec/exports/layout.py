"""Places of words on a plane: t-SNE of their directions, by openTSNE.

Van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 2008. It begins with the first two principal
components, so that the large clusters are where these have them. One thread computes it: the same vectors and
the same seed have the same places.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastvec.exports import library

__all__ = ["on_plane"]

PERPLEXITY = 30
# With fewer words no perplexity makes sense: principal components are the map.
LEAST_WORDS = 5
# The spread with which t-SNE begins, small beside the distances that it ends with, and that of equal words.
SPREAD, JITTER = 1e-4, 1e-7


def on_plane(unit: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Return the places, shape (n, 2), of n words with the unit vectors `unit`, shape (n, d)."""
    rows = unit.astype(np.float64)
    places = _components(rows)
    n = len(rows)
    if n >= LEAST_WORDS:
        tsne = library("openTSNE", "plot", "plot")
        places *= SPREAD / max(places[:, 0].std(), np.finfo(np.float32).tiny)
        places += np.random.default_rng(seed).normal(0, JITTER, places.shape)
        method = tsne.TSNE(
            perplexity=min(PERPLEXITY, (n - 1) / 3),
            initialization=places,
            neighbors="exact",
            random_state=seed,
            n_jobs=1,
        )
        places = np.asarray(method.fit(rows))
    return places.astype(np.float32)


def _components(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first two principal components, each with its largest coordinate positive."""
    rows = rows - rows.mean(axis=0)
    _, vectors = np.linalg.eigh(rows.T @ rows)
    vectors = vectors[:, :-3:-1]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
    places = np.zeros((len(rows), 2))
    places[:, : vectors.shape[1]] = rows @ vectors
    return places
