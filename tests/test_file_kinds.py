"""Files that are no text in UTF-8 with a sentence per line are recognized, by every reader."""

import codecs
import io
import lzma
import pickle
import re
import tarfile
import zipfile

import numpy as np
import pytest

from fastvec import Corpus, Vectors, evaluate
from fastvec.classify import read_conll, read_labelled_lines

pytestmark = pytest.mark.any_backend

TEXT = "the old house\nthe new house\n"


def zipped():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("text", TEXT)
    return packed.getvalue()


def tarred():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as file:
        file.addfile(tarfile.TarInfo("text"))
    return packed.getvalue()


def array():
    packed = io.BytesIO()
    np.save(packed, np.eye(2))
    return packed.getvalue()


WIDE = [
    (TEXT.encode(name), f"is {kind} text: convert it to UTF-8, for example with iconv -f {kind}")
    for kind in ("UTF-16", "UTF-32")
    for name in (kind, f"{kind}LE", f"{kind}BE")
]
NO_TEXTS = [
    *WIDE,
    (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "is UTF-16 text"),
    (zipped(), "is a zip archive, which may hold many files: unpack it first"),
    (tarred(), "is a tar archive, which may hold many files: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c\0\4", "is a 7-Zip archive"),
    (b"Rar!\x1a\x07\x01\0", "is a RAR archive"),
    (b"%PDF-1.7\n%\xe2\xe3", "is a PDF file: extract its text first"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:a\n", "is a pointer of Git LFS, not a text"),
    (b"PAR1\x15\0\x15", "is a Parquet file"),
    (pickle.dumps({"a": 1}, protocol=2), "is a pickle of Python, not a text"),
    (pickle.dumps({"a": 1}, protocol=5), "is a pickle of Python, not a text"),
    (array(), "is an array of NumPy, not a text"),
    ((793712314).to_bytes(4, "little") + b"\x0c\0\0\0", "is a model of fastText, not a text"),
    (b"2 3\nthe " + np.float32([1, 2, 3]).tobytes() + b"of ", "is a binary file of word vectors, not a text"),
    (
        TEXT.replace("\n", "\r").encode(),
        r"has lines that end with a carriage return alone: convert it with tr",
    ),
    (b"the\0old house", "is a binary file or a damaged text: byte 3 is zero"),
    (
        np.array([0x656874, *[80, 0] * 30], "<i4").tobytes(),  # many zeros, but not those of UTF-32
        "is a binary file or a damaged text: byte 3 is zero",
    ),
]
READERS = [
    Corpus,
    lambda path: Corpus(path, tokenizer=str.split),
    read_conll,
    read_labelled_lines,
    lambda path: evaluate.similarity(Vectors(["a"], [[1.0]]), path),
    lambda path: evaluate.analogies(Vectors(["a"], [[1.0]]), path),
]


@pytest.mark.parametrize(("content", "kind"), NO_TEXTS, ids=range(len(NO_TEXTS)))
def test_what_is_no_text(file, content, kind):
    for packed in (content, lzma.compress(content)):
        path = file(packed)
        for read in READERS:
            with pytest.raises(ValueError, match=f"^{re.escape(f'{path} {kind}')}") as raised:
                read(path)
            assert "errors=" not in str(raised.value) or "byte 3 is zero" in kind


def test_errors_advise_what_there_is(file):
    path = file(b"the\0old house")
    with pytest.raises(ValueError, match=r"byte 3 is zero; errors='replace' reads it all the same$"):
        Corpus(path)
    for read in (evaluate.similarity, evaluate.analogies):
        with pytest.raises(ValueError, match=r"byte 3 is zero$"):
            read(Vectors(["a"], [[1]]), path)


def test_files_of_vectors_are_no_texts(file, tmp_path):
    vectors = Vectors(["the", "of"], np.arange(24, dtype=np.float32).reshape(2, 12) / 7)
    for name in ("a.fvec", "a.vec", "a.txt", "a.bin"):
        vectors.save(tmp_path / name)
        with pytest.raises(ValueError, match=rf"{re.escape(name)} is a (binary )?file of (word )?vectors"):
            Corpus(tmp_path / name)


READ_AS = "to get columns of words and tags, as read_conll reads them: grep -Ev"
UNIVERSAL = "1\tThe\tthe\tDET\tDT\t_\t2\tdet\t_\t_\n2\tcat\tcat\tNOUN\tNN\t_\t0\troot\t_\t_\n"
NO_SENTENCES = [
    (">seq1 of something\nACGTTGCA\nACGT\n\n>seq2\nTTGACA\n", "is a FASTA file", "k-mers"),
    (">seq1\nacgtn\n", "is a FASTA file", "k-mers"),
    (">sp|P1\r\nMKTAYIAKQRQISFVKSHFSRQ\r\nLEERL\r\n", "is a FASTA file", "k-mers"),
    ("@read1\nACGTN\n+\nIIII!\n@read2\nACG\n+\nIII\n", "is a FASTQ file", "k-mers"),
    (f"# sent_id = 1\n# text = The cat\n{UNIVERSAL}", "is a CoNLL-U file", READ_AS),
    (UNIVERSAL, "is a CoNLL-U file", READ_AS),
    ("1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n", "is a CoNLL-U file", READ_AS),
    ("2 3\nthe 0.1 0.2 -0.3\nNew York 1 2 3\n", "is a file of word vectors", "fastvec.load reads it"),
    (
        "user,song,time\n" + "".join(f"u{n // 2},s{n},2026-01-0{n}\n" for n in range(1, 5)),
        "is a table with commas between its columns",
        "fastvec.Corpus.from_rows(",
    ),
    (
        "the " + "0.125 " * 50 + "\nof " + "-1e-3 " * 50 + "\n",
        "is a file of word vectors",
        "fastvec.load reads it",
    ),
]


@pytest.mark.parametrize(("content", "kind", "remedy"), NO_SENTENCES)
def test_texts_whose_lines_are_no_sentences(file, content, kind, remedy):
    for packed in (content, b"\xef\xbb\xbf" + content.encode(), lzma.compress(content.encode())):
        path = file(packed)
        with pytest.raises(ValueError, match=f"^{re.escape(f'{path} {kind}')}.*{re.escape(remedy)}"):
            Corpus([path])
        Corpus(path, tokenizer=str.split)  # who gives a tokenizer knows what the lines are


@pytest.mark.parametrize(
    "text",
    [
        "> Hello\nyou there\n",
        ">quoted\n>again\n",
        "@someone\nhello\n+ one\nfour!\n",
        "2 3\nthe old house\n",
        "3 4\n1 2 3 4 5\n",
        "10 20 30\n",
        "# text = this\n",
        "the 0.1 0.2 0.3\nof 0.1 0.2 0.4\n",
        "7\n",
        "PAR1 is a gene\n",
        "one\ttwo\n" * 3,
        "one,two\n" * 4,
        "one,two\nthree\nfour,five\nsix\nseven,eight\n",
        "yes, of course\n" * 5,
        "1\tthe\tcat\n",
        f"{'1' * 9000} {'1' * 9000}\nword\n",
        f"2 1\nword {'1' * 30_000}x\n",
    ],
    ids=lambda text: repr(text[:30]),
)
def test_texts_that_only_look_like_it_are_read(file, text):
    assert list(Corpus(file(text))) == [line.split() for line in text.splitlines()]


def test_zeros_are_read_when_asked(file):
    path = file(b"the\0old house\n")
    for errors in ("replace", "ignore"):
        assert list(Corpus(path, errors=errors)) == [["the\0old", "house"]]


@pytest.mark.parametrize("content", [f"# sent_id = 1\n{UNIVERSAL}\n", UNIVERSAL])
def test_conll_u_has_its_words_elsewhere(file, content):
    path = file(content)
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))} is a CoNLL-U file.*\| cut -f 2,4$"):
        read_conll(path)
    lines = (line.split("\t") for line in content.splitlines() if re.match(r"\d+\t", line))
    assert read_conll(file("".join(f"{c[1]}\t{c[3]}\n" for c in lines))) == (
        [["The", "cat"]],
        [["DET", "NOUN"]],
    )
    assert read_conll(file("# O\n1 NUM\n")) == ([["#", "1"]], [["O", "NUM"]])


@pytest.mark.parametrize(("line", "number"), [("__label__ good x", 2), ("x __label__", 2), ("__label__", 2)])
def test_labels_are_not_empty(file, line, number):
    path = file(f"__label__a y\n{line}\n")
    message = f"{path}, line {number}: a text must have one __label__..., got __label__ without a label"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        read_labelled_lines(path)


def test_byte_order_marks_are_no_part_of_a_word(file):
    mark = codecs.BOM_UTF8
    vectors = Vectors(["a", "b", "c", "d"], np.eye(4))
    assert list(Corpus(file(mark + b"a b\n"))) == [["a", "b"]]
    assert list(Corpus(file(mark + b"a b\n"), tokenizer=str.split)) == [["a", "b"]]
    assert read_labelled_lines(file(mark + b"__label__a b\n")) == ([["b"]], ["a"])
    assert read_conll(file(mark + b"a O\n")) == ([["a"]], [["O"]])
    assert evaluate.similarity(vectors, file(mark + b"a b 1\nb c 2\n")).covered == 2
    assert evaluate.analogies(vectors, file(mark + b": x\na b c d\n")).total.covered == 1


def test_long_files_are_told_by_how_they_begin(file):
    sequence = "\n".join(["ACGTTGCATT" * 6] * 5000)
    with pytest.raises(ValueError, match="is a FASTA file"):
        Corpus(file(f">chr1\n{sequence}\n"))
    with pytest.raises(ValueError, match="is a file of word vectors"):
        Corpus(file("3 2000\n" + "".join(f"w{n}{' 0.123456' * 2000}\n" for n in range(3))))
    one_line = "the old house " * 10_000
    assert Corpus(file(one_line)).n_tokens == 30_000
