"""Every backend walks as the reference does, step by step."""

import numpy as np
import pytest
from inside import keep_thresholds

from fastvec import kernels

pytestmark = pytest.mark.every_backend

ALWAYS = np.full(3, 2**32 - 1, np.uint32)
ALPHAS = {
    "first order": (1, 1, 1),
    "back": (1, 0.25, 0.0625),
    "away": (0.0625, 0.25, 1),
    "near": (0.001, 1, 0.001),
    "far": (0.01, 0.01, 1),
    "seldom anything": (1, 1e-9, 1e-9),
}


def rows_of(degrees, n_nodes, random):
    """A graph of nodes with so many arcs, some of them parallel, some loops."""
    offsets = np.concatenate(([0], np.cumsum(degrees)))
    targets = [np.sort(random.integers(n_nodes, size=degree)) for degree in degrees]
    return offsets, np.concatenate(targets).astype(np.int32)


def walked(backend, starts, first, length, graph, accept=ALWAYS):
    ids, sizes = np.full(len(starts) * length, -1, np.int32), np.zeros(len(starts), np.int64)
    walk = kernels.get("walks", backend).walk
    n = walk(starts, first, length, *graph, accept, 2**64 - 3, ids, sizes)
    assert n == sizes.sum()
    return ids[:n].tolist(), sizes.tolist()


@pytest.mark.parametrize("weighted", [False, True], ids=["alike", "weighted"])
@pytest.mark.parametrize("alpha", ALPHAS.values(), ids=ALPHAS)
def test_walks_are_those_of_the_reference(compiled, alpha, weighted):
    random = np.random.default_rng(1)
    degrees = random.choice([0, 1, 2, 5, 60], 50)
    offsets, targets = rows_of(degrees, 50, random)
    cumulative = np.empty(0, np.uint32)
    if weighted:
        cumulative = kernels.get("walks", "reference").cumulate(
            offsets, random.exponential(size=len(targets))
        )
    graph = (offsets, targets, cumulative, np.zeros(1, np.int32), 1)
    starts = random.integers(50, size=40).astype(np.int32)
    accept = keep_thresholds(alpha)
    ours = walked(compiled, starts, 2**32 - 41, 12, graph, accept)
    assert ours == walked("reference", starts, 2**32 - 41, 12, graph, accept)
    assert {1, 12} <= set(ours[1])


def test_types_are_those_of_the_reference(compiled):
    random = np.random.default_rng(2)
    graph = (
        *rows_of(random.choice([0, 2, 9], 40 * 3, p=[0.1, 0.3, 0.6]), 40, random),
        np.empty(0, np.uint32),
    )
    graph += (np.array([0, 2, 1], np.int32), 3)
    starts = np.arange(40, dtype=np.int32)
    accept = keep_thresholds([0.5, 1, 0.25])
    assert walked(compiled, starts, 0, 10, graph, accept) == walked("reference", starts, 0, 10, graph, accept)


def test_a_walk_does_not_depend_on_others_nor_on_its_length(backend):
    random = np.random.default_rng(3)
    graph = (*rows_of(random.choice([0, 1, 5], 60, p=[0.05, 0.25, 0.7]), 60, random), np.empty(0, np.uint32))
    graph += (np.zeros(1, np.int32), 1)
    starts = np.arange(50, dtype=np.int32)

    def separated(ids, sizes):
        return [part.tolist() for part in np.split(ids, np.cumsum(sizes)[:-1])]

    every = separated(*walked(backend, starts, 7, 20, graph))
    later = separated(*walked(backend, starts[33:], 40, 20, graph))
    assert every[33:] == later
    assert [walk[:6] for walk in every] == separated(*walked(backend, starts, 7, 6, graph))


@pytest.mark.parametrize("scale", [1e-300, 1, 1e290])
def test_cumulative_shares(backend, scale):
    cumulate = kernels.get("walks", backend).cumulate
    offsets = np.array([0, 0, 1, 4, 4, 6])
    weights = scale * np.array([5.0, 1, 2, 1, 1, 1e-12])
    shares = cumulate(offsets, weights) / 2**32
    np.testing.assert_allclose(shares, [0, 0, 0.25, 0.75, 0, 1], rtol=0, atol=2.0**-32)


def test_cumulative_shares_are_those_of_the_reference(compiled):
    random = np.random.default_rng(4)
    offsets = np.concatenate(([0], np.cumsum(random.integers(40, size=500))))
    weights = random.lognormal(sigma=5, size=offsets[-1])
    expected = kernels.get("walks", "reference").cumulate(offsets, weights)
    assert (kernels.get("walks", compiled).cumulate(offsets, weights) == expected).all()


def test_counts_are_added(backend):
    counts = np.array([1, 0, 0, 5])
    kernels.get("walks", backend).add_counts(np.array([3, 1, 1], np.int32), counts)
    assert counts.tolist() == [1, 2, 0, 6]
