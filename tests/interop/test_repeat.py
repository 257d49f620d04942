"""``fastvec train --like`` on columns of Parquet files."""

import pytest

from fastvec import cli, load

reason = "needs the extra test-interop"
pa = pytest.importorskip("pyarrow", reason=reason)
import pyarrow.parquet as pq  # noqa: E402


@pytest.mark.parametrize("column", ["texts", "ids"])
@pytest.mark.parametrize(
    "model", [("skipgram", "--subsample", "0"), ("glove",), ("svd", "--matrix", "counts")]
)
def test_a_column_is_repeated(column, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ids = [[i % 7, i % 5, i % 3] for i in range(40)]
    texts = [" ".join(map(str, row)) for row in ids]
    pq.write_table(pa.table({"texts": texts, "ids": ids}), "t.parquet")
    options = ["--column", column, "--vector-size", "2", "--threads", "1", "-q", "--keep", "2", "1", "0"]
    assert cli.main(["train", "t.parquet", "-o", "first.fvec", *options, "--model", *model]) == 0
    assert load("first.fvec").metadata["corpora"][0]["column"] == column
    assert cli.main(["train", "--like", "first.fvec", "t.parquet", "-o", "again.fvec", "-q"]) == 0
    assert (tmp_path / "again.fvec").read_bytes() == (tmp_path / "first.fvec").read_bytes()
