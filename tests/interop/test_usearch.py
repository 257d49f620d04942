"""An index of USearch finds nearly what the exact search does."""

import importlib
from pathlib import Path

import numpy as np
import pytest

import fastvec

BENCH = Path(__file__).parents[2] / "bench"
usearch = pytest.importorskip("usearch.index", reason="needs the extra test-interop")

pytestmark = pytest.mark.any_backend


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_an_index_finds_neighbors(tmp_path, dtype):
    matrix = np.random.default_rng(0).standard_normal((500, 10)).astype(dtype)
    vectors = fastvec.Vectors([f"w{i}" for i in range(500)], matrix)
    vectors.to_usearch(tmp_path / "v.usearch")
    index = usearch.Index.restore(tmp_path / "v.usearch")
    assert len(index) == 500
    hits = 0
    for word in vectors.words[:50]:
        found = index.search(vectors[word], 11)
        assert vectors.words[int(found.keys[0])] == word
        exact = dict(vectors.most_similar(word, topn=10))
        for key, distance in zip(found.keys[1:].tolist(), found.distances[1:].tolist(), strict=True):
            if vectors.words[key] in exact:
                hits += 1
                assert 1 - distance == pytest.approx(exact[vectors.words[key]], abs=1e-3)
    assert hits > 0.9 * 500


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError):
        fastvec.Vectors(["a"], [[1, 2]]).to_usearch(tmp_path / "nowhere" / "v.usearch")


@pytest.mark.skipif(not BENCH.is_dir(), reason="bench/ is not beside the tests")
def test_the_comparison_with_the_exact_search(monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    measure = importlib.import_module("neighbors").measure
    for shape, name in ("1000x10", "1,000 × 10"), ("1000x10-random", "1,000 × 10, random"):
        row = measure(shape)
        assert row.startswith(f"| {name} | ") and row.count("|") == 10
