"""Files of counts: our own, damaged in every way, and those of Stanford's GloVe programs."""

import itertools
import os
import random
import re
import shutil
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import safetensors_files
from inside import RECORD, set_sizes

from fastvec import Cooccurrence

pytestmark = pytest.mark.any_backend

TEXT = [["größe", "be", "or", "not", "größe", "be"], ["be", "quick"], ["or", "be", "slow"], ["be", "be"]]


def raw(counts):
    """Return all that counts are made of, to compare to the last bit."""
    arrays = (counts.row_offsets_, counts.columns_, counts.units_)
    vocabulary = counts.vocabulary_
    return vocabulary.words, vocabulary.counts.tolist(), [a.tobytes() for a in arrays], counts.unit_


@pytest.fixture
def counts():
    return Cooccurrence(window=3, min_count=1, weighting="dynamic", threads=1).fit(TEXT)


@pytest.fixture
def saved(counts, tmp_path):
    path = tmp_path / "text.fvcounts"
    counts.save(path)
    return path


def test_counts_are_saved_and_mapped(counts, saved):
    loaded = Cooccurrence.load(str(saved))
    assert raw(loaded) == raw(counts)
    assert all(isinstance(a, np.memmap) for a in (loaded.row_offsets_, loaded.columns_, loaded.units_))
    assert loaded.get_params() == counts.get_params() | {"threads": None}
    assert raw(loaded.merge()) == raw(counts)
    if os.name != "nt":
        loaded.save(saved)  # over the file that it is mapped from
    assert raw(Cooccurrence.load(saved)) == raw(counts)
    assert [entry.name for entry in saved.parent.iterdir()] == [saved.name]


def test_no_entries_are_saved_too(tmp_path):
    Cooccurrence(min_count=1).fit([["a"]]).save(tmp_path / "a.fvcounts")
    assert Cooccurrence.load(tmp_path / "a.fvcounts").n_entries_ == 0


def test_long_files_are_checked_in_blocks(topics, tmp_path, monkeypatch):
    counts = Cooccurrence().fit(topics(50))
    counts.save(tmp_path / "x.fvcounts")
    for block in (1, 2, 7, counts.n_entries_ - 1, counts.n_entries_):
        set_sizes(monkeypatch, entries_read=block)
        assert raw(Cooccurrence.load(tmp_path / "x.fvcounts")) == raw(counts)


def check_loads_or_names_the_file(path):
    """Load a file that may be damaged: an error names it, and what is loaded leads no kernel astray."""
    try:
        loaded = Cooccurrence.load(path)
    except ValueError as error:
        assert str(error).startswith(f"{path}: ")
        return False
    n, n_entries = len(loaded.vocabulary_), loaded.n_entries_
    assert len(loaded.row_offsets_) == n + 1
    assert (loaded.row_offsets_[0], loaded.row_offsets_[-1]) == (0, n_entries)
    assert (np.diff(loaded.row_offsets_) >= 0).all()
    for begin, end in itertools.pairwise(loaded.row_offsets_.tolist()):
        row = loaded.columns_[begin:end]
        assert (np.diff(row) > 0).all()
        assert ((row >= 0) & (row < n)).all()
    assert (loaded.units_ > 0).all()
    loaded.check_params()
    assert len(loaded.triples()[2]) == n_entries
    return True


def test_files_cut_off_anywhere(saved):
    whole = saved.read_bytes()
    for n in range(len(whole)):
        saved.write_bytes(whole[:n])
        assert not check_loads_or_names_the_file(saved), n


def test_files_with_wrong_bytes(saved):
    whole = saved.read_bytes()
    draw = random.Random(1)
    loaded = 0
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] = draw.choice([whole[place] ^ 1 << draw.randrange(8), draw.randrange(256)])
        saved.write_bytes(damaged)
        loaded += check_loads_or_names_the_file(saved)
    assert 0 < loaded < len(whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"format": "fvec"},
            "not a file of counts (.fvcounts) but a file of vectors (.fvec): fastvec",
        ),
        ({"version": "2"}, "written in version '2' of the format; this fastvec reads version 1"),
        ({"unit": "0"}, "corrupt (unit must be an int from 1 to"),
        ({"unit": "x"}, "corrupt (invalid literal"),
        ({"unit": None}, "corrupt ('unit')"),
        ({"parameters": "["}, "corrupt ("),
        ({"parameters": "7"}, "corrupt ("),
        ({"parameters": '{"window": 0}'}, "corrupt (window must be an int from 1 to 1000, got 0)"),
        ({"parameters": '{"size": 0}'}, "corrupt (.*unexpected keyword argument 'size'"),
        ({"columns": None}, "corrupt ('columns')"),
        ({"columns": [0]}, "corrupt (1 columns and"),
        ({"columns": lambda a: a.astype(np.int64)}, "corrupt (columns are not a row of int32)"),
        ({"columns": lambda a: a[:, None]}, "corrupt (columns are not a row of int32)"),
        ({"columns": lambda a: a[::-1]}, "corrupt (columns do not ascend in every row)"),
        ({"columns": lambda a: np.where(a == 5, 6, a)}, "corrupt (columns out of range)"),
        ({"columns": lambda a: np.where(a == 5, -1, a)}, "corrupt (columns out of range)"),
        ({"units": lambda a: a - a.min()}, "corrupt (units below 1)"),
        ({"row_offsets": lambda a: a[1:]}, "corrupt (row_offsets of 6 words do not ascend from 0 to"),
        ({"row_offsets": lambda a: a[::-1]}, "corrupt (row_offsets of 6 words do not ascend from 0 to"),
        ({"counts": lambda a: a[1:]}, "corrupt (counts must have the shape (6,)"),
        ({"counts": lambda a: a - 1}, "corrupt (counts must be positive and descending)"),
        ({"words": lambda a: a * 0 + 255}, "corrupt ('utf-8' codec"),
        ({"words": lambda a: a * 0 + 97, "word_offsets": [0, 2, 4, 6, 9, 14, 23]}, "'aa' is both word 1"),
        ({"word_offsets": lambda a: a * 0}, "corrupt (word_offsets do not ascend"),
    ],
)
def test_files_that_are_not_of_counts(saved, change, message):
    tensors, metadata = safetensors_files.read(saved)
    for name, new in change.items():
        part = metadata if name in metadata else tensors
        if new is None:
            del part[name]
        elif isinstance(new, str):
            part[name] = new
        else:
            changed = new(part[name]) if callable(new) else np.array(new, part[name].dtype)
            part[name] = np.ascontiguousarray(
                changed, None if changed.dtype == np.int64 else part[name].dtype
            )
    safetensors_files.write(saved, tensors, metadata)
    expected = re.escape(f"{saved}: ") + re.escape(message).replace(r"\.\*", ".*")
    with pytest.raises(ValueError, match=f"^{expected}"):
        Cooccurrence.load(saved)


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        Cooccurrence.load(tmp_path / "missing.fvcounts")
    path = tmp_path / "x.fvcounts"
    safetensors_files.write(path, {"x": np.ones(3)}, {})
    with pytest.raises(
        ValueError, match=f"^{re.escape(str(path))}: a safetensors file, but not a file of counts"
    ):
        Cooccurrence.load(path)


FULL_DISK = """
    import resource, sys, fastvec
    folder, what = sys.argv[1:]
    words = [f"w{i}" for i in range(200)]
    rows, columns = [i for i in range(200) for _ in words], list(range(200)) * 200
    counts = fastvec.Cooccurrence.from_triples(words, rows, columns, [1.5] * 40_000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        if what == "save":
            counts.save(f"{folder}/x.fvcounts")
        else:
            counts.write_glove(f"{folder}/x.bin", f"{folder}/x.txt")
    except OSError as error:
        print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("what", ["save", "write_glove"])
def test_a_full_disk_leaves_the_old_files(tmp_path, counts, what):
    counts.save(tmp_path / "x.fvcounts")
    counts.write_glove(tmp_path / "x.bin", tmp_path / "x.txt")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    script = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(tmp_path), what]
    run = subprocess.run(script, capture_output=True, text=True)
    assert run.stderr == ""
    found = re.fullmatch(
        rf"\[Errno 27\] File too large: for the file, up to ([\d,]+) bytes are needed, and ([\d,]+) were "
        rf"free: {str(tmp_path)!r}\n",
        run.stdout,
    )
    assert found, run.stdout
    needed, free = (int(number.replace(",", "")) for number in found.groups())
    assert needed == 640_000 if what == "write_glove" else 480_000 < needed < 500_000
    assert free > 10**6
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


# The files of Stanford's programs

VOCABULARY = "to 3\nbe 3\ngröße 1\n"
# word1, word2 (from 1 on), count: little-endian, 4 + 4 + 8 bytes
BYTES = bytes.fromhex(
    "01000000 02000000 0000000000000440"  # to be 2.5
    "02000000 01000000 0000000000000440"  # be to 2.5
    "02000000 03000000 555555555555d53f"  # be größe 1/3
    "03000000 02000000 555555555555d53f"  # größe be 1/3
)


@pytest.fixture
def of_glove(tmp_path):
    (tmp_path / "vocab.txt").write_text(VOCABULARY, encoding="utf-8")
    (tmp_path / "cooccurrence.bin").write_bytes(BYTES)
    return tmp_path / "cooccurrence.bin", tmp_path / "vocab.txt"


def test_known_bytes(of_glove, tmp_path):
    counts = Cooccurrence.read_glove(*of_glove, window=4, min_count=1)
    assert counts.get_params() == Cooccurrence(window=4, min_count=1).get_params()
    assert counts.vocabulary_.words == ["to", "be", "größe"]
    assert counts.vocabulary_.counts.tolist() == [3, 3, 1]
    assert counts.unit_ == 360360
    triples = [part.tolist() for part in counts.triples()]
    assert triples == [[0, 1, 1, 2], [1, 0, 2, 1], [2.5, 2.5, 1 / 3, 1 / 3]]
    counts.write_glove(tmp_path / "out.bin", str(tmp_path / "out.txt"))
    assert (tmp_path / "out.bin").read_bytes() == BYTES
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == VOCABULARY


def test_records_in_any_order_and_in_pieces(topics, tmp_path, monkeypatch, capsys):
    counts = Cooccurrence(symmetric=False).fit(topics(80))
    files = tmp_path / "x.bin", tmp_path / "vocab.txt"
    set_sizes(monkeypatch, entries_written=7)
    counts.write_glove(*files)
    records = np.fromfile(files[0], RECORD)
    assert len(records) == counts.n_entries_
    params = {"symmetric": False, "min_count": 5}
    for seed in range(3):
        np.random.default_rng(seed).shuffle(records)
        records.tofile(files[0])
        for fewest, memory_limit in ((1 << 20, 2**32), (1, 2**10), (100, 1)):
            set_sizes(monkeypatch, fewest_records=fewest)
            read = Cooccurrence.read_glove(*files, **params, memory_limit=memory_limit, progress=True)
            assert raw(read) == raw(counts)
    shown = capsys.readouterr().err
    assert f"sorting: {counts.n_entries_:,} entries in" in shown
    assert f"merging: {counts.n_entries_:,} entries in" in shown


def record(word1=1, word2=2, count=1.0):
    return np.array([(word1, word2, count)], RECORD).tobytes()


TOGETHER = "counts and vocabulary do not belong together: .*cooccurrence.bin counts word 4, and .*has 3 words"


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (b"", "cooccurrence.bin: the file is empty"),
        (
            BYTES[:-1],
            "cooccurrence.bin: truncated, or not a file of GloVe's counts: its 63 bytes are not a whole",
        ),
        (BYTES + record(4, 1), TOGETHER),
        (BYTES + record(1, 4), TOGETHER),
        (BYTES + record(0, 1), r"cooccurrence.bin, record 5: expected two words .*, got \(0, 1, 1.0\)"),
        (BYTES + record(1, -1), r"cooccurrence.bin, record 5: expected two words .*, got \(1, -1, 1.0\)"),
        (record(count=0.0) + BYTES, r"cooccurrence.bin, record 1: expected .*, got \(1, 2, 0.0\)"),
        (record(count=-1.0) + BYTES, r"cooccurrence.bin, record 1: expected .*, got \(1, 2, -1.0\)"),
        (record(count=np.nan) + BYTES, r"cooccurrence.bin, record 1: expected .*, got \(1, 2, nan\)"),
        (record(count=np.inf) + BYTES, r"cooccurrence.bin, record 1: expected .*, got \(1, 2, inf\)"),
        (record(count=1e300) + BYTES, r"cooccurrence.bin: the counts must have a sum below 2\*\*62"),
        (record(count=1e-300) + BYTES, r"cooccurrence.bin: the counts must not be lost beside their sum"),
        (BYTES + BYTES[:32], "cooccurrence.bin: corrupt, 2 of its records repeat the words of others"),
    ],
)
def test_records_that_cannot_be_true(of_glove, records, message, monkeypatch):
    of_glove[0].write_bytes(records)
    for block in (2, 1 << 20):
        set_sizes(monkeypatch, triples_at_once=block, fewest_records=block)
        with pytest.raises(ValueError, match=message):
            Cooccurrence.read_glove(*of_glove, memory_limit=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": the file is empty"),
        ("to 3\nbe\n", ", line 2: expected a word and how often it occurs, got b'be\\n'"),
        ("to 3\n\nbe 2\n", ", line 2: expected a word and how often it occurs, got b'\\n'"),
        ("to 3 1\n", ", line 1: expected a word and how often it occurs, got b'to 3 1\\n'"),
        ("to 3\nbe 2.0\n", ", line 2: expected a word and how often it occurs, got b'be 2.0\\n'"),
        ("to 3\nbe 0\n", ", line 2: expected a word and how often it occurs, got b'be 0\\n'"),
        ("to 3\nbe -1\n", ", line 2: expected a word and how often it occurs, got b'be -1\\n'"),
        ("to " + "9" * 5000, ", line 1: expected a word and how often it occurs, got b'to 999"),
        ("to 2\nbe 3\n", ", line 2: counts must descend, got 3 after 2"),
        ("to 3\nbe 2\nto 2\n", ", line 3: the word b'to' is already in line 1"),
        ("to 3\nbe\xff 2\n", ", line 2: byte 3 of the word b'be\\xff' is not UTF-8"),
    ],
)
def test_vocabularies_that_are_malformed(of_glove, text, message):
    of_glove[1].write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=f"^{re.escape(str(of_glove[1]) + message)}"):
        Cooccurrence.read_glove(*of_glove)


def test_what_cannot_be_read_or_written(of_glove, counts, tmp_path):
    with pytest.raises(FileNotFoundError):
        Cooccurrence.read_glove(tmp_path / "missing.bin", of_glove[1])
    with pytest.raises(FileNotFoundError):
        Cooccurrence.read_glove(of_glove[0], tmp_path / "missing.txt")
    with pytest.raises(ValueError, match="window must be an int from 1 to 1000, got 0"):
        Cooccurrence.read_glove(*of_glove, window=0)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(FileNotFoundError) as raised:
        counts.write_glove(of_glove[0], tmp_path / "missing" / "vocab.txt")
    assert raised.value.filename == str(tmp_path / "missing" / "vocab.txt")
    with pytest.raises(FileNotFoundError) as raised:
        counts.write_glove(tmp_path / "missing" / "x.bin", of_glove[1])
    assert raised.value.filename == str(tmp_path / "missing" / "x.bin")
    with pytest.raises(ValueError, match="must be two files"):
        counts.write_glove(of_glove[0], str(of_glove[0]))
    spaced = Cooccurrence(min_count=1).fit([["new york", "city"]])
    with pytest.raises(ValueError, match="the word 'new york' has white space"):
        spaced.write_glove(*of_glove)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


# Stanford's programs themselves


@pytest.fixture
def stanford(topics, tmp_path):
    """Return what runs a program of Stanford's on a file in a folder, where there is a text and its words."""
    if shutil.which("cooccur") is None:
        pytest.skip("Stanford's GloVe (cooccur, vocab_count, shuffle, glove) is not on the PATH")

    def run(program, source, target, *options):
        with (tmp_path / source).open("rb") as stdin, (tmp_path / target).open("wb") as stdout:
            command = [program, *map(str, options)]
            subprocess.run(
                command, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL, cwd=tmp_path, check=True
            )

    text = "".join(f"{' '.join(sentence)}\n" for sentence in topics(300))
    (tmp_path / "text").write_text(text + "rare words are dropped\nthe rare sea1\n")
    run("vocab_count", "text", "vocab.txt", "-min-count", 5)
    return run


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize(("window", "weighting"), [(10, "harmonic"), (20, "harmonic"), (7, "flat")])
def test_stanford_counts_the_same(stanford, tmp_path, window, weighting, symmetric):
    # Without a pair in its overflow file, cooccur counts the first record twice.
    options = ["-window-size", window, "-symmetric", int(symmetric), "-memory", 0.01, "-max-product", 100]
    options += ["-distance-weighting", int(weighting == "harmonic"), "-vocab-file", "vocab.txt"]
    stanford("cooccur", "text", "x.bin", *options)
    stanford("shuffle", "x.bin", "shuffled.bin", "-memory", 0.01)
    params = {"window": window, "weighting": weighting, "symmetric": symmetric}
    read, shuffled = (
        Cooccurrence.read_glove(tmp_path / name, tmp_path / "vocab.txt", **params)
        for name in ("x.bin", "shuffled.bin")
    )
    own = Cooccurrence(**params).fit(tmp_path / "text")
    assert raw(shuffled) == raw(read)
    assert read.unit_ == own.unit_
    there = [own.vocabulary_.index[word] for word in read.vocabulary_.words]
    assert own.vocabulary_.counts[there].tolist() == read.vocabulary_.counts.tolist()
    expected = own.matrix_.toarray()[there][:, there]
    np.testing.assert_array_equal(read.matrix_.toarray(), expected if symmetric else expected.T)
    if symmetric:
        merged = own.merge(read)
        assert merged.units_.sum() == 2 * own.units_.sum()


def test_stanford_trains_on_what_is_written(stanford, tmp_path):
    own = Cooccurrence().fit(tmp_path / "text")
    own.write_glove(tmp_path / "own.bin", tmp_path / "own.txt")
    read = Cooccurrence.read_glove(tmp_path / "own.bin", tmp_path / "own.txt")
    assert raw(read) == raw(own)
    stanford("shuffle", "own.bin", "shuffled.bin", "-memory", 0.01)
    options = ["-input-file", "shuffled.bin", "-vocab-file", "own.txt", "-save-file", "vectors"]
    stanford("glove", "own.txt", "log", *options, "-vector-size", 5, "-iter", 2, "-threads", 1, "-binary", 0)
    lines = (tmp_path / "vectors.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines[:-1]] == own.vocabulary_.words
