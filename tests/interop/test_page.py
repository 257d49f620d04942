"""The page on other libraries runs."""

import re
from pathlib import Path

import numpy as np
import pytest

import fastvec

for name in (
    "duckdb",
    "model2vec",
    "pandas",
    "polars",
    "pyarrow",
    "sentence_transformers",
    "torch",
    "usearch",
):
    pytest.importorskip(name, reason="needs the extra test-interop")

PAGE = Path(__file__).parents[2] / "docs" / "other-libraries.md"

pytestmark = [
    pytest.mark.any_backend,
    pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests"),
]


def test_every_block_of_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["the", "of", *(f"w{i}" for i in range(200))]
    matrix = np.random.default_rng(0).standard_normal((202, 20)).astype(np.float32)
    fastvec.Vectors(words, matrix, np.arange(300, 98, -1)).save("wiki.fvec")
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 6
    namespace = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), namespace)
