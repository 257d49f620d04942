"""Large files of Parquet and at addresses, which several workers read, each a part."""

from pathlib import Path

import pytest
from inside import set_sizes

from fastvec import Cooccurrence, Corpus, distributed

reason = "needs the extra test-interop"
pa = pytest.importorskip("pyarrow", reason=reason)
fsspec = pytest.importorskip("fsspec", reason=reason)
import pyarrow.parquet as pq  # noqa: E402

pytestmark = pytest.mark.any_backend

TEXTS = ["a b\nc", None, "", "b a", "c c", "d\tb", "a", "b c d"]
COLUMNS = {
    "texts": pa.array(TEXTS),
    "lists": pa.array([None if text is None else text.split() for text in TEXTS]),
    "ids": pa.array([None, *([number, 7, number] for number in range(7))]),
    "nothing": pa.array([None] * 7 + ["a b"]),
}


def saved(found, path):
    found.save(path)
    return path.read_bytes()


def names_of_reads(monkeypatch):
    """Return a list to which the names of all calls that read are added from now on."""
    names = []
    engine = type(distributed.connect())
    call = engine._call
    monkeypatch.setattr(
        engine, "_call", lambda self, name, *rest: names.append(name) or call(self, name, *rest)
    )
    return names


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("rows", [1, 3, 100])
def test_parquet_is_cut_between_row_groups(column, rows, tmp_path, monkeypatch):
    set_sizes(monkeypatch, part_of_file=1)
    names = names_of_reads(monkeypatch)
    pq.write_table(pa.table(COLUMNS), tmp_path / "a.parquet", row_group_size=rows)
    expected = Cooccurrence(min_count=1).fit(Corpus(tmp_path / "a.parquet", column=column))
    found = distributed.count(tmp_path / "a.parquet", column=column, min_count=1)
    assert saved(found, tmp_path / "found") == saved(expected, tmp_path / "expected")
    assert sum(name.startswith("read") for name in names) == -(-len(TEXTS) // rows)


def test_row_groups_are_put_together_by_the_size_of_the_column(tmp_path, monkeypatch):
    long, short = "long " * 200, "short"
    table = pa.table({"other": [long] * 8, "it": [long, short, short, short, long, short, short, short]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=1, use_dictionary=False)
    set_sizes(monkeypatch, part_of_file=1500)
    names = names_of_reads(monkeypatch)
    distributed.count(tmp_path / "a.parquet", column="it", min_count=1)
    read = [name.rpartition(", ")[2] for name in names if name.startswith("read")]
    assert read == ["0 to 4", "4 to 8"]


def test_other_files_than_parquet_have_the_error_of_one_machine(tmp_path, monkeypatch):
    set_sizes(monkeypatch, part_of_file=1)
    (tmp_path / "a.txt").write_text("a b\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.txt: no Parquet file, or damaged"):
        distributed.count(tmp_path / "a.txt", column="text")
    pq.write_table(pa.table({"a": ["b"] * 5}), tmp_path / "a.parquet", row_group_size=2)
    with pytest.raises(ValueError, match="column must be one of"):
        distributed.count(tmp_path / "a.parquet", column="text")


@pytest.mark.parametrize("root", ["memory://parts", "file://"])
def test_a_text_at_an_address_is_cut(root, tmp_path, monkeypatch):
    text = "a b\r\nc a\n\nb b é\nlong long long long long long long long\na c"
    path = Path(tmp_path, "a.txt")
    path.write_bytes(text.encode())
    expected = Cooccurrence(min_count=1).fit(path)
    root = f"file://{tmp_path}" if root == "file://" else root
    fsspec.filesystem(root.partition(":")[0]).pipe(f"{root}/a.txt", text.encode())
    set_sizes(monkeypatch, part_of_file=9)
    names = names_of_reads(monkeypatch)
    found = distributed.count(f"{root}/*.txt", min_count=1)
    assert saved(found, tmp_path / "found") == saved(expected, tmp_path / "expected")
    assert sum(name.startswith("read") for name in names) == -(-len(text.encode()) // 9)


def test_what_is_in_an_archive_is_not_cut(tmp_path, monkeypatch):
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "a b\n" * 9)
    set_sizes(monkeypatch, part_of_file=9)
    names = names_of_reads(monkeypatch)
    assert distributed.count(f"zip://a.txt::{tmp_path / 'a.zip'}", min_count=1)["a", "b"] == 9
    assert sum(name.startswith("read") for name in names) == 1
