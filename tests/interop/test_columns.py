"""Columns, tables and files of pandas, Polars, PyArrow, DuckDB, datasets and fsspec, as corpora."""

import tracemalloc

import numpy as np
import pytest
from inside import set_sizes

from fastvec import Corpus, SkipGram, load

reason = "needs the extra test-interop"
pa = pytest.importorskip("pyarrow", reason=reason)
pd = pytest.importorskip("pandas", reason=reason)
pl = pytest.importorskip("polars", reason=reason)
import pyarrow.parquet as pq  # noqa: E402
from pyarrow import dataset  # noqa: E402

WORDS = [["New York", "b"], None, [], ["c", None, "b", "c"]]
SENTENCES = [["New York", "b"], [], [], ["c", "b", "c"]]
IDS = [[3, 1], None, [], [7, None, 1]]
ID_SENTENCES = [[3, 1], [], [], [7, 1]]
TEXTS = ["New  York\n b", None, "", "c\tb c"]
TEXT_SENTENCES = [["New", "York", "b"], [], [], ["c", "b", "c"]]

ARROW = {
    "list": pa.array(WORDS),
    "large list": pa.array(WORDS, pa.large_list(pa.large_string())),
    "list view": pa.array(WORDS, pa.list_view(pa.string_view())),
    "dictionary": pa.array(WORDS, pa.list_(pa.dictionary(pa.int8(), pa.string()))),
    "sliced": pa.array([["x"], *WORDS, ["y"]])[1:5],
    "chunked": pa.chunked_array(
        [pa.array(WORDS[:1]), pa.array([], pa.list_(pa.string())), pa.array(WORDS[1:])]
    ),
}


def check(corpus, sentences):
    """Hold a corpus against the one of lists."""
    expected = Corpus(sentences, keep_empty=True)
    assert list(corpus) == sentences
    assert corpus.vocabulary.words == expected.vocabulary.words
    assert corpus.vocabulary.counts.tolist() == expected.vocabulary.counts.tolist()
    np.testing.assert_array_equal(corpus.ids, expected.ids)


@pytest.mark.parametrize("kind", ARROW)
def test_lists_of_arrow(kind):
    check(Corpus(ARROW[kind], keep_empty=True), SENTENCES)
    check(Corpus(ARROW[kind]), [sentence for sentence in SENTENCES if sentence])
    assert Corpus(ARROW[kind], lowercase=True).vocabulary.words == ["b", "c", "new york"]


def test_chunks_with_dictionaries_of_their_own():
    kind = pa.list_(pa.dictionary(pa.int32(), pa.string()))
    chunks = pa.chunked_array([pa.array([["b", "a"]], kind), pa.array([["c", "b"], ["b"]], kind)])
    check(Corpus(chunks), [["b", "a"], ["c", "b"], ["b"]])


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint16(), pa.int64(), pa.uint64()], ids=str)
def test_ids_of_arrow(kind):
    check(Corpus(pa.array(IDS, pa.list_(kind)), keep_empty=True), ID_SENTENCES)
    check(Corpus(pa.array([[3, 1], [7, 1]], pa.list_(kind, 2))), [[3, 1], [7, 1]])


def test_large_ids():
    check(Corpus(pa.array([[2**64 - 1, 5]], pa.list_(pa.uint64()))), [[2**64 - 1, 5]])


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_texts_of_arrow(kind):
    for texts in (
        pa.array(TEXTS, kind),
        pa.chunked_array([pa.array(TEXTS[:1], kind), pa.array(TEXTS[1:], kind)]),
    ):
        check(Corpus(texts, keep_empty=True), TEXT_SENTENCES)
    check(Corpus(pa.array(TEXTS, kind), tokenizer=str.split, keep_empty=True), TEXT_SENTENCES)
    check(Corpus(pa.array(TEXTS).dictionary_encode(), keep_empty=True), TEXT_SENTENCES)


def test_many_texts_and_lists(monkeypatch):
    set_sizes(monkeypatch, column_bytes=1000, column_piece=100, column_items=10)
    sentences = [[f"w{i % 7}", f"v{i % 31}"] for i in range(500)]
    chunks = [pa.array(sentences[i : i + 17]) for i in range(0, 500, 17)]
    check(Corpus(pa.chunked_array(chunks)), sentences)
    check(Corpus(pa.array([" ".join(sentence) for sentence in sentences])), sentences)


COLUMNS = {
    "pandas": lambda cells: pd.DataFrame({"other": [1.5] * 4, "it": pd.Series(cells)}),
    "pandas by Arrow": lambda cells: pd.DataFrame(
        {"it": pd.Series(pa.array(cells), dtype=pd.ArrowDtype(pa.array(cells).type))}
    ),
    "Polars": lambda cells: pl.DataFrame({"other": [1.5] * 4, "it": pl.Series(cells)}),
    "PyArrow": lambda cells: pa.table({"other": [1.5] * 4, "it": pa.array(cells)}),
}


@pytest.mark.parametrize("make", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize(
    ("cells", "sentences"), [(WORDS, SENTENCES), (IDS, ID_SENTENCES), (TEXTS, TEXT_SENTENCES)]
)
def test_columns_of_tables(make, cells, sentences):
    if make is COLUMNS["pandas"] and cells is not TEXTS:
        cells = [None if cell is None else [item for item in cell if item is not None] for cell in cells]
    table = make(cells)
    check(Corpus(table, column="it", keep_empty=True), sentences)
    check(Corpus(table["it"], keep_empty=True), sentences)
    with pytest.raises(ValueError, match=r"^column must be one of .*'it', got 'items'$"):
        Corpus(table, column="items")
    with pytest.raises(TypeError, match=r"^source must be .*: pass one of its columns, or rows"):
        Corpus(table)


def test_objects_of_pandas():
    check(
        Corpus(pd.Series([["a", 1], None, float("nan"), "b c"], dtype=object), keep_empty=True),
        [["a", "1"], [], [], ["b", "c"]],
    )
    check(Corpus(pd.Series(["a,b", None, "c"]), tokenizer=lambda text: text.split(",")), [["a", "b"], ["c"]])
    check(Corpus(pd.Series(["A b"]), lowercase=True), [["a", "b"]])


def test_items_that_are_missing_in_objects_of_pandas():
    check(Corpus(pd.Series([["a", None, float("nan"), pd.NA, 1], ("b", None)])), [["a", "1"], ["b"]])
    check(
        Corpus(pd.DataFrame({"it": [[7, None], [None], None]}), column="it", keep_empty=True), [[7], [], []]
    )
    check(Corpus(pd.Series([np.array(["a", "b"]), np.array(["c"])])), [["a", "b"], ["c"]])
    with pytest.raises(TypeError, match=r"^every item of sentence 1 must be a str or an int, got \['a'\]$"):
        Corpus(pd.Series([[["a"]]]))


@pytest.mark.parametrize("dtype", ["string", "string[pyarrow]", "string[python]", "category", object])
def test_texts_of_pandas(dtype):
    texts = pd.Series(["b a", None, "b"], dtype=dtype)
    check(Corpus(texts, keep_empty=True), [["b", "a"], [], ["b"]])
    check(Corpus(texts.to_frame("it"), column="it", keep_empty=True), [["b", "a"], [], ["b"]])


def streams(folder):
    """Return what is read as a table, by its name; each can be read once."""
    table = pa.table({"x": [1, 2, 3], "it": [["b", "a"], None, ["b"]]})
    pq.write_table(table, folder / "a.parquet")
    frame = pl.DataFrame(table)
    return {
        "query": frame.lazy(),
        "longer query": frame.lazy().filter(pl.col("x") > 0).with_columns(pl.col("x") * 2),
        "record batch": table.to_batches()[0],
        "record batches": iter(table.to_batches()),
        "reader": table.to_reader(),
        "data set": dataset.dataset(folder / "a.parquet"),
        "data set in memory": dataset.dataset(table),
        "scanner": dataset.dataset(table).scanner(),
        "fragment": next(dataset.dataset(folder / "a.parquet").get_fragments()),
        "Parquet file": pq.ParquetFile(folder / "a.parquet"),
        "Parquet data set": pq.ParquetDataset(folder / "a.parquet"),
        "its batches": pq.ParquetFile(folder / "a.parquet").iter_batches(2),
        "frames": [frame, frame[:0]],
        "frames of pandas": (frame[i : i + 1].to_pandas() for i in range(3)),
    }


def test_what_is_read_as_a_table(tmp_path):
    for table in streams(tmp_path).values():
        check(Corpus(table, column="it", keep_empty=True), [["b", "a"], [], ["b"]])
    rule = r"^column must be one of 'x', 'it', got 'items'$"
    for table in streams(tmp_path).values():
        with pytest.raises(ValueError, match=rule):
            Corpus(table, column="items")
    for name, table in streams(tmp_path).items():
        if "batches" not in name and "frames" not in name:
            with pytest.raises(TypeError, match=r"^source must be .*: pass one of its columns, or rows"):
                Corpus(table)
    lines = pl.DataFrame({"it": ["a,b", None]}).lazy()
    check(Corpus(lines, column="it", tokenizer=lambda line: line.split(",")), [["a", "b"]])


def test_sessions_of_what_is_read_as_a_table(tmp_path):
    for name, table in streams(tmp_path).items():
        if "batches" not in name and "frames" not in name:
            times = 2 if name == "longer query" else 1
            check(Corpus.from_rows(table, "x", "x", "x"), [[times], [2 * times], [3 * times]])


def test_columns_of_one_name():
    cells = pa.array([["b", "a"]])
    table = pa.table([cells, cells, pa.array([["c"]])], names=["it", "it", "one"])
    for twice in (table, table.to_reader(), table.to_pandas()):
        rule = r"^column must name one column, got 'it', as 2 are called: rename them$"
        with pytest.raises(ValueError, match=rule):
            Corpus(twice, column="it")
        if not isinstance(twice, pa.RecordBatchReader):
            check(Corpus(twice, column="one"), [["c"]])
    with pytest.raises(ValueError, match=r"^source must have columns of different names, .*, got 'it', 'it'"):
        Corpus(dataset.dataset(table), column="one")
    with pytest.raises(ValueError, match=r"^item must name one column, got 'it', as 2 are called: rename"):
        Corpus.from_rows(table, "one", "it")


def test_arrays_of_several_types():
    lists = pa.table({"it": [["b", "a"]]})
    nothing = pa.table({"it": pa.array([None, [None]], pa.list_(pa.null()))})
    wider = pa.table({"it": pa.array([["b"]], pa.large_list(pa.string_view()))})
    coded = pa.table({"it": pa.array([["c"]], pa.list_(pa.dictionary(pa.int8(), pa.string())))})
    found = Corpus([nothing, lists, wider, coded, nothing], column="it", keep_empty=True)
    check(found, [[], [], ["b", "a"], ["b"], ["c"], [], []])
    for other in ([[1]], ["b a"]):
        with pytest.raises(
            TypeError, match=r"^source must be a column of one type, got list.* and then .*: cast"
        ):
            Corpus([nothing, lists, pa.table({"it": other})], column="it")
    missing = pa.table({"it": pa.nulls(1)})
    check(Corpus([missing, lists, missing], column="it", keep_empty=True), [[], ["b", "a"], []])
    check(Corpus([missing, pa.table({"it": ["b a"]}), missing], column="it"), [["b", "a"]])
    assert len(Corpus(missing, column="it", keep_empty=True)) == 1
    with pytest.raises(ValueError, match=r"^source holds no words$"):
        Corpus(missing, column="it")
    with pytest.raises(ValueError, match=r"^column must be None unless source is .*, got \{'it': 3\} in it$"):
        Corpus([lists, {"it": 3}], column="it")


def test_strings_of_every_kind():
    # Within a view and without, with line feeds, missing in a dictionary, and not UTF-8.
    sentences = [["a\nb", "a", "b" * 12], ["b" * 13, "é" * 40, "a\nb"], ["b" * 13 + "c"]]
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        cells = pa.array([["x"], *sentences, [None]], pa.list_(kind))
        check(Corpus(cells[1:], keep_empty=True), [*sentences, []])
        check(Corpus(pa.chunked_array([cells[1:2], cells[2:4]])), sentences)
        check(Corpus(cells[1:4], lowercase=True), sentences)
        coded = pa.DictionaryArray.from_arrays(
            pa.array([2, 0, None, 1, 0]), pa.array(["b", None, "x" * 20], kind)
        )
        for codes, found in (([0, 2, 5], [["x" * 20, "b"], ["b"]]), ([0, 1, 2], [["x" * 20], ["b"]])):
            check(Corpus(pa.ListArray.from_arrays(codes, coded)), found)
    broken = pa.StringArray.from_buffers(1, pa.py_buffer(np.array([0, 1], np.int32)), pa.py_buffer(b"\xff"))
    with pytest.raises(ValueError, match=r"^source: a word is not UTF-8 \(invalid start byte\)$"):
        Corpus(pa.ListArray.from_arrays([0, 1], broken))


def test_categories_of_polars():
    check(
        Corpus(pl.Series(["b a", None, "b"], dtype=pl.Categorical), keep_empty=True), [["b", "a"], [], ["b"]]
    )
    check(Corpus(pl.Series([["b"], ["a", "b"]], dtype=pl.List(pl.Enum(["a", "b"])))), [["b"], ["a", "b"]])
    check(Corpus(pl.Series([["b", "a"], ["b"]], dtype=pl.List(pl.Categorical))), [["b", "a"], ["b"]])
    check(Corpus(pl.Series([[1, 2], [3, 1]], dtype=pl.Array(pl.Int32, 2))), [[1, 2], [3, 1]])


def test_relations_of_duckdb():
    duckdb = pytest.importorskip("duckdb", reason=reason)
    relation = duckdb.sql("select range as x, [range, range + 1] as it from range(3)")
    check(Corpus(relation, column="it"), [[0, 1], [1, 2], [2, 3]])
    check(Corpus(duckdb.sql("""select ['b', 'a'] as "it ""is" """), column='it "is'), [["b", "a"]])
    with pytest.raises(ValueError, match=r"^column must name one column, got 'it', as 2 are called: rename"):
        Corpus(duckdb.sql("select [1] as it, [2] as it"), column="it")


def test_data_sets():
    datasets = pytest.importorskip("datasets", reason=reason)
    data = datasets.Dataset.from_dict({"it": [["b", "a"], [], ["b"]], "text": ["x y", "", "z"]})
    check(Corpus(data, column="it", keep_empty=True), [["b", "a"], [], ["b"]])
    check(Corpus(data, column="text"), [["x", "y"], ["z"]])
    check(Corpus(data.select([2, 0]), column="it"), [["b"], ["b", "a"]])
    check(Corpus(data.to_iterable_dataset(), column="it"), [["b", "a"], ["b"]])
    check(Corpus(data["it"]), [["b", "a"], ["b"]])
    streamed = datasets.IterableDataset.from_generator(lambda: iter([{"it": ["b", "a"]}, {"it": ["b"]}]))
    check(Corpus(streamed, column="it"), [["b", "a"], ["b"]])
    with pytest.raises(ValueError, match=r"^column must be one of 'it', got 'text'$"):
        Corpus(streamed, column="text")
    splits = datasets.DatasetDict(train=data)
    with pytest.raises(
        TypeError, match=r"^source must be one table, got several .*: pass source\['train'\]$"
    ):
        Corpus(splits, column="it")
    with pytest.raises(TypeError, match=r"pass one of the tables in it, source\['train'\]$"):
        Corpus(splits)
    with pytest.raises(TypeError, match="pass one of its columns"):
        Corpus(data)


@pytest.mark.parametrize(
    "cells",
    [pa.array([1, 2]), pa.array([[1.5]]), pa.array([True]), pa.array([[[1]]]), pa.array([{"a": 1}])],
    ids=lambda cells: str(cells.type),
)
def test_columns_of_something_else(cells):
    with pytest.raises(
        TypeError, match=r"^source must be a column of lists of str or int, or of texts, got .*from_rows$"
    ):
        Corpus(cells)


def test_columns_without_words():
    for empty in (
        pa.array([], pa.list_(pa.string())),
        pa.array([], pa.string()),
        pa.array([None, []], pa.list_(pa.null())),
        pl.Series([], dtype=pl.List(pl.String)),
    ):
        with pytest.raises(ValueError, match=r"^source holds no words$"):
            Corpus(empty)
    with pytest.raises(ValueError, match=r"^source: an item is an empty str$"):
        Corpus(pa.array([["a", ""]]))
    with pytest.raises(ValueError, match=r"^tokenizer must be None if source holds sentences"):
        Corpus(pa.array([["a"]]), tokenizer=str.split)


def test_parquet_files(tmp_path, monkeypatch):
    for name, cells in (("a", WORDS), ("b", WORDS[::-1])):
        pq.write_table(
            pa.table({"x": [1.0] * 4, "it": pa.array(cells)}), tmp_path / f"{name}.parquet", row_group_size=3
        )
    both = [*SENTENCES, *SENTENCES[::-1]]
    for source in (tmp_path, tmp_path / "*.parquet", [tmp_path / "a.parquet", tmp_path / "b.parquet"]):
        check(Corpus(source if isinstance(source, list) else str(source), column="it", keep_empty=True), both)
    with (tmp_path / "a.parquet").open("rb") as file:
        check(Corpus(file, column="it", keep_empty=True), SENTENCES)
    for _ in range(2):
        check(
            Corpus(tmp_path / "a.parquet", column="it", cache=tmp_path / "cache"), [s for s in SENTENCES if s]
        )
    with pytest.raises(ValueError, match=r"^column must be one of 'x', 'it', got 'y'$"):
        Corpus(tmp_path / "a.parquet", column="y")
    with pytest.raises(ValueError, match=r"a\.parquet is a Parquet file, not a text: .*column="):
        Corpus(tmp_path / "a.parquet")
    (tmp_path / "text").write_text("a b")
    with pytest.raises(ValueError, match=r"text: no Parquet file, or damaged .*column must be None"):
        Corpus(tmp_path / "text", column="it")


def test_ids_of_parquet_are_int_to_the_end(tmp_path):
    pq.write_table(pa.table({"items": [[42, 7], [42, 9], [7, 9]] * 9}), tmp_path / "baskets.parquet")
    for _ in range(2):
        corpus = Corpus(tmp_path / "baskets.parquet", column="items", cache=tmp_path / "ids")
        assert corpus.vocabulary.words == [42, 7, 9]


def test_sessions_of_rows(tmp_path):
    rows = {
        "user": ["b", "a", None, "b", "a", "b", "b"],
        "song": [3, 9, 5, None, 8, 4, 1],
        "at": [
            "2024-01-03",
            "2024-01-02",
            "2024-01-01",
            "2024-01-01",
            "2024-01-01",
            "2024-01-01",
            "2024-01-03",
        ],
    }
    sorted_, unsorted = [[4, 3, 1], [8, 9]], [[3, 4, 1], [9, 8]]
    frame = pd.DataFrame(rows).astype({"song": "Int64"})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    frame.to_csv(tmp_path / "rows.csv.gz", index=False)
    frame.to_parquet(tmp_path / "rows.parquet")
    paths = [tmp_path / "rows.csv", str(tmp_path / "rows.csv.gz"), str(tmp_path / "rows.parquet")]
    datasets = pytest.importorskip("datasets", reason=reason)
    for table in (frame, pl.DataFrame(rows), pa.table(rows), datasets.Dataset.from_dict(rows), *paths):
        check(Corpus.from_rows(table, "user", "song", "at"), sorted_)
        check(Corpus.from_rows(table, session="user", item="song"), unsorted)
    dated = frame.assign(at=pd.to_datetime(frame["at"]))
    check(Corpus.from_rows(dated, "user", "song", "at"), sorted_)
    numbered = frame.assign(at=[3.5, 2, 1, 1, 1, -1, 3.5])
    check(Corpus.from_rows(numbered, "user", "song", "at"), sorted_)
    check(Corpus.from_rows(frame, "song", "user"), [["b"], ["a"], ["a"], ["b"], ["b"]])
    with pytest.raises(ValueError, match=r"^time must be one of 'user', 'song', 'at', got 'when'$"):
        Corpus.from_rows(frame, "user", "song", "when")
    with pytest.raises(
        TypeError, match=r"^rows must be a table, or the path of a CSV or Parquet file, got \[1\]"
    ):
        Corpus.from_rows([1], "user", "song")
    with pytest.raises(
        TypeError, match=r"^item must be a column of str or int, got 'song', of double: int with"
    ):
        Corpus.from_rows(frame.astype({"song": float}), "user", "song")
    with pytest.raises(TypeError, match=r"^keep must be a list of words, got "):
        SkipGram(keep=frame["user"]).fit([["a", "b"]])
    without_chunks = pa.Table.from_batches([], pa.table(rows).schema)
    for empty in (frame[:0], without_chunks):
        with pytest.raises(
            ValueError, match=r"^rows must have one with 'user' and 'song' at least, got none$"
        ):
            Corpus.from_rows(empty, "user", "song")


def test_only_the_columns_that_are_used_are_read(tmp_path):
    """The bytes of the other one are overwritten, which Parquet notices where it reads them."""
    path = tmp_path / "rows.parquet"
    other = [f"much text {i}" for i in range(1000)]
    table = pa.table({"other": other, "user": ["a", "b"] * 500, "song": ["x", "y"] * 500})
    pq.write_table(table, path, compression="none", use_dictionary=False)
    data = bytearray(path.read_bytes())
    column = pq.ParquetFile(path).metadata.row_group(0).column(0)
    start = column.data_page_offset
    data[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    path.write_bytes(data)
    with pytest.raises(OSError):
        pq.read_table(path)
    assert list(Corpus.from_rows(str(path), "user", "song")) == [["x"] * 500, ["y"] * 500]


@pytest.mark.parametrize("item", ["a word", 2**40], ids=["words", "ids"])
def test_items_are_no_objects_of_python(monkeypatch, item):
    # Which take 40 bytes, and a place in a list 8, beside the 4 of an id: what makes Arrow fast.
    set_sizes(monkeypatch, spooled_block=1000)
    cells = pa.array([[item] * 1000] * 500)
    Corpus(cells)
    tracemalloc.start()
    Corpus(cells)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * 500_000


def test_a_recommender_of_products(tmp_path):
    baskets = pd.DataFrame({"items": [[42, 7, 9], [42, 7], [1, 2, 3]] * 50})
    vectors = SkipGram(vector_size=8, min_count=1, epochs=1, threads=1).fit(baskets["items"]).vectors_
    vectors.save(tmp_path / "items.fvec")
    assert {word for word, _ in load(tmp_path / "items.fvec").most_similar(42)} == {7, 9, 1, 2, 3}
