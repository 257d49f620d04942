"""Counts that Spark's partitions write, as the documentation has it, on a Spark in this process."""

import importlib.util
import os
import shutil
import sys

import pages
import pytest

reason = "needs the extra test-interop"
pytest.importorskip("pyspark", reason=reason)

pytestmark = [
    pytest.mark.any_backend(trains=True),
    pytest.mark.skipif(
        shutil.which("java") is None, reason="Spark needs Java: apt install default-jre-headless"
    ),
    pytest.mark.filterwarnings("ignore"),  # Spark's own
]


def test_the_recipe_for_spark(tmp_path, monkeypatch):
    root = os.path.dirname(os.path.dirname(importlib.util.find_spec("fastvec").origin))  # noqa: PTH120
    monkeypatch.setenv("PYTHONPATH", root)
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    found = pages.run("cluster.md", "pyspark", tmp_path, monkeypatch)
    assert found["merged"].n_entries_ > 1000
