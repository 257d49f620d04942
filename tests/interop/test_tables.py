"""Vectors as tables of pandas, Arrow, Polars and DuckDB, and back."""

import numpy as np
import pytest

import fastvec

pa = pytest.importorskip("pyarrow", reason="needs the extra test-interop")
pd = pytest.importorskip("pandas", reason="needs the extra test-interop")
duckdb = pytest.importorskip("duckdb", reason="needs the extra test-interop")
pl = pytest.importorskip("polars", reason="needs the extra test-interop")
pq = pytest.importorskip("pyarrow.parquet", reason="needs the extra test-interop")

pytestmark = pytest.mark.any_backend

WORDS = ["paris", "Zürich", "東京", "a\tb", ""]
MATRIX = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
VECTORS = fastvec.Vectors(WORDS, MATRIX, [5, 4, 3, 2, 0])


def assert_same(found, counts=True):
    assert found.words == WORDS
    np.testing.assert_array_equal(found.vectors, MATRIX)
    assert (found.counts is not None) == counts
    if counts:
        np.testing.assert_array_equal(found.counts, VECTORS.counts)


def test_pandas_shares_the_matrix():
    frame = VECTORS.to_pandas()
    assert frame.index.tolist() == WORDS and frame.index.name == "word"
    np.testing.assert_array_equal(frame.loc["東京"], MATRIX[2])
    assert np.shares_memory(frame.to_numpy(), VECTORS.vectors)
    assert frame.dtypes.unique().tolist() == [np.float32]


def test_arrow_shares_the_matrix_and_comes_back():
    table = VECTORS.to_arrow()
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 3)
    numbers = table.column("vector").chunk(0).flatten().to_numpy()
    assert np.shares_memory(numbers, VECTORS.vectors)
    assert_same(fastvec.Vectors.from_arrow(table))
    assert_same(fastvec.Vectors.from_arrow(fastvec.Vectors(WORDS, MATRIX).to_arrow()), counts=False)
    assert_same(fastvec.Vectors.from_arrow(pa.concat_tables([table[:2], table[2:]])))


def test_arrow_of_rows_that_are_padded_or_half_as_wide():
    padded = np.zeros((5, 16), np.float32)
    padded[:, :3] = MATRIX
    assert_same(fastvec.Vectors.from_arrow(fastvec.Vectors(WORDS, padded[:, :3], VECTORS.counts).to_arrow()))
    half = fastvec.Vectors(WORDS, MATRIX.astype(np.float16)).to_arrow()
    assert half.schema.field("vector").type == pa.list_(pa.float16(), 3)
    found = fastvec.Vectors.from_arrow(half).vectors
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, MATRIX.astype(np.float16))


def test_parquet(tmp_path):
    pq.write_table(VECTORS.to_arrow(), tmp_path / "v.parquet")
    assert_same(fastvec.Vectors.from_arrow(pq.read_table(tmp_path / "v.parquet")))


def test_polars():
    frame = pl.from_arrow(VECTORS.to_arrow())
    assert frame.schema["vector"] == pl.Array(pl.Float32, 3)
    assert_same(fastvec.Vectors.from_arrow(frame))
    assert_same(fastvec.Vectors.from_arrow(frame.with_columns(pl.col("vector").arr.to_list())))


def test_duckdb():
    table = VECTORS.to_arrow()
    connection = duckdb.connect()
    connection.register("table_of_words", table)
    assert connection.sql("select word from table_of_words where count = 3").fetchall() == [("東京",)]
    cosine = "array_cosine_similarity(a.vector, b.vector)"
    where = "from table_of_words a, table_of_words b where a.word = 'paris' and b.word = 'Zürich'"
    assert connection.sql(f"select {cosine} {where}").fetchall()[0][0] == pytest.approx(
        VECTORS.similarity("paris", "Zürich"), abs=1e-6
    )
    assert_same(fastvec.Vectors.from_arrow(connection.sql("select * from table_of_words").to_arrow_table()))


def test_pandas_with_a_column_of_lists():
    frame = pd.DataFrame({"word": WORDS, "vector": MATRIX.tolist(), "more": range(5)})
    assert_same(fastvec.Vectors.from_arrow(frame), counts=False)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"token": ["a"], "vector": [[1.0]]},
            "must have the columns 'word' and 'vector', got 'token', 'vector'",
        ),
        ({"word": ["a", None], "vector": [[1.0], [2.0]]}, "column 'word' must have no nulls, got 1"),
        ({"word": ["a", "b"], "vector": [[1.0], None]}, "column 'vector' must have no nulls, got 1"),
        ({"word": ["a"], "vector": [[1.0, None]]}, "column 'vector' must have no nulls, got 1 in its lists"),
        ({"word": ["a", "b"], "vector": [[1.0], [1.0, 2.0]]}, "of one length, got 1 in row 1 and 2 in row 2"),
        ({"word": ["a"], "vector": [1.0]}, "column 'vector' must be lists of numbers, got double"),
        ({"word": ["a"], "vector": [["x"]]}, "column 'vector' must be lists of numbers, got list<"),
        ({"word": ["a", "a"], "vector": [[1.0], [2.0]]}, "words must be distinct, got 'a' twice"),
        ({"word": ["a"], "vector": [[float("nan")]]}, "vectors must be finite numbers"),
    ],
)
def test_tables_that_are_no_vectors(columns, message):
    with pytest.raises(ValueError, match=message):
        fastvec.Vectors.from_arrow(pa.table(columns))


def test_what_is_no_table():
    with pytest.raises(TypeError, match="table must be a table of Arrow, Polars, pandas or DuckDB, got 3"):
        fastvec.Vectors.from_arrow(3)
