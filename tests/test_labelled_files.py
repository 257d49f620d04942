"""Files with labels: words in columns, and texts a line."""

import bz2
import gzip
import lzma
import os
import re
from pathlib import Path

import numpy as np
import pytest
import zstandard
from inside import set_sizes

from fastvec import Corpus
from fastvec.classify import read_conll, read_labelled_lines

pytestmark = pytest.mark.any_backend

LABELLED = Path(os.environ.get("FASTVEC_DATA", Path(__file__).parents[2] / "shared" / "data")) / "labelled"
needs_data = pytest.mark.skipif(not LABELLED.is_dir(), reason=f"no data at {LABELLED} (FASTVEC_DATA)")

PACKED = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}

CONLL = "EU NNP B-ORG\nrejects VBZ O\n\nPeter NNP B-PER\nÅngström NNP I-PER\n. . O\n"
SENTENCES = [["EU", "rejects"], ["Peter", "Ångström", "."]]
PARTS = [["NNP", "VBZ"], ["NNP", "NNP", "."]]
NAMES = [["B-ORG", "O"], ["B-PER", "I-PER", "O"]]
LINES = "__label__good a fine  film\n__label__bad\tdull ümlaut\n"
DOCUMENTS, LABELS = [["a", "fine", "film"], ["dull", "ümlaut"]], ["good", "bad"]


# ---- Columns ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("column", "labels"), [(2, PARTS), (-2, PARTS), (3, NAMES), (-1, NAMES)])
def test_the_column_of_the_labels_is_counted_from_either_end(file, column, labels):
    assert read_conll(file(CONLL), column) == (SENTENCES, labels)
    assert read_conll(str(file(CONLL)), column=np.int64(column)) == (SENTENCES, labels)


def test_the_labels_are_in_the_last_column_if_nothing_is_said(file):
    assert read_conll(file(CONLL)) == (SENTENCES, NAMES)


@pytest.mark.parametrize(
    "content",
    [
        CONLL.replace("\n", "\r\n"),
        CONLL.replace(" ", "\t"),
        CONLL.replace(" ", " \t  "),
        CONLL.replace("\n", " \n"),
        CONLL.removesuffix("\n"),
        f"\n\n \n{CONLL}\n\n\t\n\n".replace("\n\n", "\n \r\n\n"),
        f"-DOCSTART- -X- O\n\n{CONLL}\n-DOCSTART- -X- O\n",
        f"-DOCSTART-\n\n{CONLL}\n-DOCSTART- -X- -X- -X- O\n\n",
        f"\ufeff{CONLL}",
    ],
)
def test_what_separates_columns_and_sentences(file, content):
    assert read_conll(file(content)) == (SENTENCES, NAMES)
    assert read_conll(file(content), 2) == (SENTENCES, PARTS)


@pytest.mark.parametrize("line", ["a O\nb", "a O\nb X O", "a O\n\nb X O", "-DOCSTART- X O\n\na O\nb"])
def test_ragged_columns_are_told_with_file_and_line(file, line):
    path = file(line)
    number, first = (4, 3) if line.startswith("-") else (line.count("\n") + 1, 1)
    n_columns = len(line.splitlines()[-1].split())
    message = f"{path}, line {number}: a word must have the 2 columns of line {first}, got {n_columns}: 'b"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        read_conll(path)


def test_words_with_spaces_are_no_columns(file):
    for content, number in (("New York\tB\nOld Town\tO\n", 1), ("a\tO\nin\tB C\n", 2)):
        with pytest.raises(
            ValueError, match=rf"line {number}: a (word has a space in it|word must have the 2)"
        ):
            read_conll(file(content))
    assert read_conll(file("a \t O\nb\t  B\n")) == ([["a", "b"]], [["O", "B"]])


def test_a_long_line_is_not_shown_as_a_whole(file):
    with pytest.raises(ValueError, match="line 1,001: a word must") as raised:
        read_conll(file("a O\n" * 1000 + "b " * 10_000))
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        ("a O\n", 1, "text.txt: column must be one after the first, in which the words are, got 1 of 2"),
        ("a O\n", -2, "text.txt: column must be one after the first, in which the words are, got -2 of 2"),
        ("a O\n", 0, "text.txt: column must be one after the first, in which the words are, got 0 of 2"),
        ("a\nb\n", -1, "text.txt: column must be one after the first, in which the words are, got -1 of 1"),
        ("a O\n", 3, "column must be an int from -2 to 2, got 3"),
        ("a O\n", -3, "column must be an int from -2 to 2, got -3"),
    ],
)
def test_a_column_that_is_not_there_is_named(file, content, column, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        read_conll(file(content), column)


def test_a_column_is_a_whole_number(file):
    for column in (2.0, "2", None, True):
        with pytest.raises(TypeError, match=f"column must be an int from -3 to 3, got {column!r}"):
            read_conll(file(CONLL), column)


@pytest.mark.parametrize("content", ["", "\n\n", " \t\n", "-DOCSTART- -X- O\n\n"])
def test_there_must_be_a_word(file, content):
    path = file(content)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: the file has no words"):
        read_conll(path)


# ---- Lines ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        LINES,
        LINES.replace("\n", "\r\n"),
        LINES.removesuffix("\n"),
        f"\n \n{LINES}\n\t\n",
        "a fine film __label__good\ndull __label__bad ümlaut\n",
        f"\ufeff{LINES}",
    ],
)
def test_lines(file, content):
    assert read_labelled_lines(file(content)) == (DOCUMENTS, LABELS)
    assert read_labelled_lines(str(file(content))) == (DOCUMENTS, LABELS)


@pytest.mark.parametrize("n_bytes", [1, 7, 64, 1000])
def test_lines_that_end_in_other_blocks(file, monkeypatch, n_bytes):
    set_sizes(monkeypatch, plain_block=n_bytes, compressed_block=n_bytes)
    random = np.random.default_rng(n_bytes)
    expected = [
        (words, str(len(words) % 3)) for words in (["w", "ü"] * n for n in random.integers(0, 60, 300))
    ]
    places = [random.integers(0, len(words) + 1) if i % 2 else 0 for i, (words, _) in enumerate(expected)]
    lines = [
        " ".join([*words[:place], f"__label__{label}", *words[place:]])
        for (words, label), place in zip(expected, places, strict=True)
    ]
    path = file("\n".join(f"{line}\n" if i % 7 else line for i, line in enumerate(lines)))
    documents, labels = read_labelled_lines(path)
    assert list(zip(documents, labels, strict=True)) == expected
    wrong = file("\n".join([*lines, "", "no label", *lines]), "wrong.txt")
    with pytest.raises(ValueError, match=r"line 302: a text must have one __label__\.\.\., got 0$"):
        read_labelled_lines(wrong)
    invalid = "\n".join(lines).encode() + b"\n__label__x a \xff"
    with pytest.raises(ValueError, match=f"line 301, byte {len(invalid) - 1}: not valid UTF-8"):
        read_labelled_lines(file(invalid, "invalid.txt"))


def test_a_label_may_stand_alone(file):
    assert read_labelled_lines(file("__label__a\n__label__ü-1 __label_ label__x\n")) == (
        [[], ["__label_", "label__x"]],
        ["a", "ü-1"],
    )


@pytest.mark.parametrize(("line", "n"), [("no label", 0), ("__label _x", 0)])
def test_every_line_has_a_label(file, line, n):
    path = file(f"{LINES}\n{line}\n")
    message = f"{path}, line 4: a text must have one __label__..., got {n}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_labelled_lines(path)


def test_a_line_may_have_several_labels_anywhere(file):
    path = file("__label__a __label__b one two\n\nthree __label__b four __label__c\n __label__a five\n")
    documents, labels = [["one", "two"], ["three", "four"], ["five"]], [["a", "b"], ["b", "c"], ["a"]]
    assert read_labelled_lines(path) == (documents, labels)
    assert read_labelled_lines(file("#a #b one\n#c __label__x\n"), label_prefix="#") == (
        [["one"], ["__label__x"]],
        [["a", "b"], ["c"]],
    )


@pytest.mark.parametrize("prefix", ["", " ", "a b", None, 3])
def test_a_prefix_is_a_part_of_a_word(file, prefix):
    with pytest.raises(
        ValueError, match="label_prefix must be a str without white space, such as '__label__'"
    ):
        read_labelled_lines(file(LINES), label_prefix=prefix)


@pytest.mark.parametrize("content", ["", "\n\n", " \t\n"])
def test_there_must_be_a_text(file, content):
    path = file(content)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: the file has no texts"):
        read_labelled_lines(path)


# ---- Both -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", PACKED)
def test_compressed_files(file, extension):
    packed = PACKED[extension]
    assert read_conll(file(packed(CONLL.encode()), f"a{extension}")) == (SENTENCES, NAMES)
    assert read_labelled_lines(file(packed(LINES.encode()), "whatever its name")) == (DOCUMENTS, LABELS)
    for text, read in ((CONLL, read_conll), (LINES, read_labelled_lines)):
        with pytest.raises(ValueError, match=r"text\.txt: (truncated|corrupt)"):
            read(file(packed(text.encode())[:-4]))


@pytest.mark.parametrize("broken", [b"a\xff O\nb O\n", b"__label__x a\xff\n__label__x b\n"])
def test_bytes_that_are_not_utf8(file, broken):
    path = file(broken)
    read = read_labelled_lines if broken.startswith(b"_") else read_conll
    with pytest.raises(ValueError, match=r"text\.txt, line 1, byte \d+: not valid UTF-8 \(.*, 0xff\)"):
        read(path)
    for errors, word in (("replace", "a\ufffd"), ("ignore", "a")):
        words, labels = read(path, errors=errors)
        assert [each for some in words for each in some] == [word, "b"] and len(labels) == len(words)
    with pytest.raises(ValueError, match="errors must be one of 'strict', 'replace', 'ignore', got 'skip'"):
        read(path, errors="skip")


def test_files_that_cannot_be_read(tmp_path):
    for path, error in ((tmp_path / "missing.txt", FileNotFoundError), (tmp_path, IsADirectoryError)):
        for read in (read_conll, read_labelled_lines):
            with pytest.raises(error) as raised:
                read(path)
            assert raised.value.filename == str(path)


def test_words_are_kept_as_they_are(file):
    words = ["__label", "-docstart-", "日本", "'s", '"', "#", "\\n", "&amp;"]
    assert read_conll(file("".join(f"{word} O\n" for word in words)))[0] == [words]
    assert read_labelled_lines(file(f"__label__x {' '.join(words)}"))[0] == [words]


def test_words_are_split_where_those_of_a_corpus_are(file):
    words = ["10\xa0000", "naïve\u3000word", "a\u2028b", "c\x1cd"]
    path = file(f"__label__x {' '.join(words)}\v\f\t e")
    assert read_labelled_lines(path)[0] == [[*Corpus(path).vocabulary.words[1:-1], "e"]] == [[*words, "e"]]
    assert read_conll(file("".join(f"{word} O\n" for word in words)))[0] == [words]


# ---- The real thing ---------------------------------------------------------------------------------------


@needs_data
@pytest.mark.parametrize(
    ("name", "sentences", "words", "columns"),
    [("conll2000-test.txt", 2012, 47377, 3), ("wikigold.conll.txt", None, None, 2)],
)
def test_real_columns(name, sentences, words, columns):
    path = LABELLED / name
    blocks = re.split(r"\n\s*\n", path.read_text().strip())
    rows = [[line.split() for line in block.splitlines()] for block in blocks]
    rows = [kept for block in rows if (kept := [row for row in block if row[0] != "-DOCSTART-"])]
    for column in range(2, columns + 1):
        expected = tuple([[row[i] for row in block] for block in rows] for i in (0, column - 1))
        assert read_conll(path, column) == expected
    if sentences is not None:
        assert (len(rows), sum(map(len, rows))) == (sentences, words)


@needs_data
def test_real_lines(file):
    paths = {label: LABELLED / f"sentence-polarity.{label}.txt" for label in ("pos", "neg")}
    texts = {
        label: path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
        for label, path in paths.items()
    }
    path = file("".join(f"__label__{label} {text}\n" for label in texts for text in texts[label]))
    documents, labels = read_labelled_lines(path)
    assert labels == ["pos"] * 5331 + ["neg"] * 5331
    words = re.compile(r"[^ \t\r\v\f]+")
    assert documents == [words.findall(text) for label in texts for text in texts[label]]
