"""Where a corpus can come from: folders, patterns, open files, and k-mers of FASTA files."""

import bz2
import gzip
import io
import re
import socket
import sys

import pytest
from inside import set_sizes

from fastvec import Corpus

pytestmark = pytest.mark.any_backend


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / ".git").mkdir()
    for name, text in {
        "b.txt": "two\n",
        "a.txt": "one\n",
        "sub/c.txt": "three",
        ".hidden": "no",
        ".git/x": "no",
    }.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "sub" / "d.gz").write_bytes(gzip.compress(b"four"))
    return tmp_path


def test_folders_and_patterns(folder):
    everything = [["one"], ["two"], ["three"], ["four"]]
    assert list(Corpus(folder)) == list(Corpus(f"{folder}/")) == everything
    assert list(Corpus(f"{folder}/*.txt")) == [["one"], ["two"]]
    assert list(Corpus(f"{folder}/**/*.txt")) == [["one"], ["two"], ["three"]]
    assert list(Corpus(f"{folder}/**")) == everything
    assert list(Corpus([folder / "sub", f"{folder}/[b].txt"])) == [["three"], ["four"], ["two"]]
    (folder / "[b].txt").write_text("five")  # a file of that name comes first
    assert list(Corpus(f"{folder}/[b].txt")) == [["five"]]


def test_folders_and_patterns_without_files(folder):
    (folder / "empty").mkdir()
    for nothing in (folder / "empty", folder / ".git" / "no*", folder / "*.csv"):
        with pytest.raises(FileNotFoundError, match=r"no files there that are not hidden") as caught:
            Corpus(nothing)
        assert caught.value.filename == str(nothing)


def test_a_cache_of_a_folder(folder, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache") / "ids"
    for _ in range(2):
        assert len(Corpus(folder, cache=cache)) == 4
    (folder / "e.txt").write_text("five")
    assert len(Corpus(folder, cache=cache)) == 5


TEXT = "zoë two\n\nthree"
SENTENCES = [["zoë", "two"], ["three"]]


def open_files(folder):
    path = folder / "text"
    path.write_text(TEXT, encoding="utf-8", newline="\n")
    packed = folder / "text.bz2"
    packed.write_bytes(bz2.compress(TEXT.encode()))
    yield path.open(encoding="utf-8")
    yield path.open("rb")
    yield path.open("rb", buffering=0)
    yield bz2.open(packed)  # noqa: SIM115
    yield bz2.open(packed, "rt", encoding="utf-8")  # noqa: SIM115
    yield packed.open("rb")  # recognized by its content
    yield gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(TEXT.encode())))
    yield io.BytesIO(TEXT.encode())
    yield io.StringIO(TEXT)


def test_open_files(tmp_path):
    for file in open_files(tmp_path):
        with file:
            assert list(Corpus(file)) == SENTENCES
            assert not file.closed
    for file in open_files(tmp_path):
        with file:
            assert list(Corpus(file, tokenizer=str.split, keep_empty=True)) == [
                SENTENCES[0],
                [],
                SENTENCES[1],
            ]
    assert list(Corpus([io.StringIO("a"), io.BytesIO(b"b"), tmp_path / "text"])) == [["a"], ["b"], *SENTENCES]
    with (tmp_path / "text").open("rb") as file:
        file.readline()
        assert list(Corpus(file)) == [["three"]]  # the rest


def test_a_socket():
    sender, receiver = socket.socketpair()
    with sender, receiver, receiver.makefile("rb") as file:
        sender.sendall(TEXT.encode())
        sender.shutdown(socket.SHUT_WR)
        assert list(Corpus(file)) == SENTENCES


def test_open_files_that_are_wrong(tmp_path):
    with pytest.raises(ValueError, match=r"^the BytesIO holds no words$"):
        Corpus(io.BytesIO())
    with pytest.raises(ValueError, match=r"^the StringIO, line 1, byte 2: not valid UTF-8"):
        Corpus(io.StringIO("a \udcff"))
    with pytest.raises(ValueError, match=r"^cache must be None unless source is files"):
        Corpus(io.BytesIO(b"a"), cache=tmp_path / "cache")
    with (tmp_path / "x").open("wb") as file, pytest.raises(OSError, match="read"):
        Corpus(file)
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path / 'pdf'} is a PDF file")):
        (tmp_path / "pdf").write_bytes(b"%PDF-1.4")
        with (tmp_path / "pdf").open("rb") as file:
            Corpus(file)


# k-mers


FASTA = """\
>chr1 of a genome -> here
ACGTN
acg

;an old comment
>empty
>short
AC
>protein
MKVLXNNQW*
"""


def kmers(text, k, stride):
    """Return the k-mers of a FASTA text by hand."""
    records = re.split(r"^[>;].*\n?", text, flags=re.MULTILINE)[1:]
    sentences = []
    for record in records:
        letters = "".join(record.split()).upper()
        n_others = sum(letter not in "ACGTUN" for letter in letters)
        unwanted = r"[^ACGTU]" if 10 * n_others <= len(letters) else r"[X*.-]"
        words = [letters[i : i + k] for i in range(0, len(letters) - k + 1, stride)]
        sentences.append([word for word in words if not re.search(unwanted, word)])
    return sentences


def test_kmers(tmp_path):
    path = tmp_path / "x.fa"
    path.write_text(FASTA)
    assert list(Corpus(path, kmers=(3, 1))) == [["ACG", "CGT", "ACG"], ["MKV", "KVL", "NNQ", "NQW"]]
    assert list(Corpus(path, kmers=[2, 3], lowercase=True)) == [["ac", "cg"], ["ac"], ["mk", "nq"]]
    for k, stride in ((1, 1), (2, 1), (3, 2), (2, 5), (4, 4)):
        assert list(Corpus(path, kmers=(k, stride), keep_empty=True)) == kmers(FASTA, k, stride)
    (tmp_path / "x.gz").write_bytes(gzip.compress(FASTA.replace("\n", "\r\n").encode()))
    assert list(Corpus([path, tmp_path / "x.gz"], kmers=(3, 1))) == 2 * list(Corpus(path, kmers=(3, 1)))


@pytest.mark.parametrize(("k", "stride"), [(1, 1), (5, 1), (3, 7), (4, 4), (9, 2)])
@pytest.mark.parametrize("at_once", [1, 10, 64])
def test_kmers_of_records_in_parts(k, stride, at_once, monkeypatch):
    letters = "ACGTTGCANACGGTCATTTACG" * 20
    texts = [
        f">one\n{letters}\n>two\n{letters[:7]}\n",
        "".join(f">{n}\n{letters[n : 3 * n]}\n" for n in range(40)),
    ]
    texts.append(">folded\n" + "\n".join(letters[i : i + 60] for i in range(0, 440, 60)))
    set_sizes(monkeypatch, letters_at_once=at_once, compressed_block=at_once, plain_block=at_once)
    for text in texts:
        corpus = Corpus(io.BytesIO(text.encode()), kmers=(k, stride), keep_empty=True)
        assert list(corpus) == kmers(text, k, stride)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (6, "kmers must be a length and a stride, as (6, 1), got 6"),
        ((6,), "kmers must be a length and a stride, as (6, 1), got (6,)"),
        ((0, 1), "the length of kmers must be an int >= 1, got 0"),
        ((6, 1.5), "the stride of kmers must be an int >= 1, got 1.5"),
    ],
)
def test_kmers_that_are_none(value, message):
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(message)}$"):
        Corpus(io.BytesIO(b">a\nACGT"), kmers=value)


def test_a_header_may_be_longer_than_a_part():
    text = ">" + 800_000 * "x" + "\nACG\n>" + 600_000 * "y" + "\nGGT"
    assert list(Corpus(io.BytesIO(text.encode()), kmers=(2, 1))) == [["AC", "CG"], ["GG", "GT"]]


def test_files_without_kmers(tmp_path):
    with pytest.raises(ValueError, match=r"no FASTA file, whose records begin with '>'; kmers must be None"):
        Corpus(io.BytesIO(b"a text\n>ACGT"), kmers=(2, 1))
    for source, more in (([["ACGT"]], {}), (tmp_path, {"tokenizer": str.split}), (tmp_path, {"column": "a"})):
        (tmp_path / "x").write_text(">a\nACGT")
        with pytest.raises(ValueError, match=r"^kmers must be None unless source is FASTA files"):
            Corpus(source, kmers=(2, 1), **more)
    with pytest.raises(ValueError, match=r"is a FASTA file, .*kmers=\(6, 1\)"):
        Corpus(tmp_path / "x")
    with pytest.raises(ValueError, match=r"holds no words"):
        Corpus(io.BytesIO(b""), kmers=(2, 1))


# Columns, without the packages that have them


def test_columns_need_a_table(tmp_path):
    rule = r"^column must be None unless source is a table, several tables or .*, got \['a'\] in it$"
    with pytest.raises(ValueError, match=rule):
        Corpus([["a"]], column="a")
    with pytest.raises(TypeError, match=r"^column must be a str or None, got 3$"):
        Corpus(tmp_path / "x", column=3)


def test_packages_that_are_missing(monkeypatch, tmp_path):
    for name in ("pyarrow", "fsspec"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        ImportError,
        match=r"^reading tables, their columns and Parquet files needs pyarrow: pip install ",
    ):
        Corpus(tmp_path / "x.parquet", column="a")
    with pytest.raises(
        ImportError,
        match=r"^reading tables, their columns and Parquet files needs pyarrow: pip install ",
    ):
        Corpus.from_rows("x.csv", "a", "b")
    with pytest.raises(
        ImportError, match=r"^reading addresses needs fsspec: pip install 'fastvec\[fsspec\]'$"
    ):
        Corpus("s3://bucket/key")
