"""Counts of co-occurrences: against plain Python, in any number of parts, and with bad input."""

import collections
import itertools
import math
import os
import re
import subprocess
import sys
import textwrap
import threading
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from inside import results_of, set_sizes
from interrupts import can_be_interrupted, interrupt_at

import fastvec
from fastvec import Cooccurrence, Corpus, kernels

pytestmark = pytest.mark.any_backend

TEXT = [["to", "be", "or", "not", "to", "be"], ["be", "quick"], ["or", "be", "slow"]]


# Plain Python


def weight(weighting, window, distance):
    if weighting == "flat":
        return Fraction(1)
    if weighting == "dynamic":
        return Fraction(window - distance + 1, window)
    return Fraction(1, distance)


def count_plainly(sentences, window, weighting, symmetric, min_count=1, max_vocab=None):
    """Return the vocabulary and the count of every pair of words as an exact fraction."""
    frequent = collections.Counter(itertools.chain(*sentences)).most_common(max_vocab)
    vocabulary = {word: count for word, count in frequent if count >= min_count}
    counts = collections.Counter()
    for sentence in sentences:
        words = [word for word in sentence if word in vocabulary]
        for i, j in itertools.combinations(range(len(words)), 2):
            if j - i <= window:
                counts[words[j], words[i]] += weight(weighting, window, j - i)
                if symmetric:
                    counts[words[i], words[j]] += weight(weighting, window, j - i)
    return vocabulary, dict(counts)


def as_dict(counts):
    """Return the entries of counts by their words as exact fractions; the arrays must be as documented."""
    words = counts.vocabulary_.words
    assert counts.row_offsets_.dtype == counts.units_.dtype == np.int64
    assert counts.columns_.dtype == np.int32
    assert counts.row_offsets_.shape == (len(words) + 1,)
    assert (counts.row_offsets_[0], counts.row_offsets_[-1]) == (0, counts.n_entries_)
    assert counts.columns_.shape == counts.units_.shape == (counts.n_entries_,)
    assert not any(a.flags.writeable for a in (counts.row_offsets_, counts.columns_, counts.units_))
    found = {}
    for row, (begin, end) in enumerate(itertools.pairwise(counts.row_offsets_.tolist())):
        columns = counts.columns_[begin:end].tolist()
        assert columns == sorted(set(columns))
        for column, units in zip(columns, counts.units_[begin:end].tolist(), strict=True):
            found[words[row], words[column]] = Fraction(units, counts.unit_)
    return found


def raw(counts):
    """Return all that counts are made of, to compare to the last bit."""
    arrays = (counts.row_offsets_, counts.columns_, counts.units_)
    vocabulary = counts.vocabulary_
    return vocabulary.words, vocabulary.counts.tolist(), [a.tobytes() for a in arrays], counts.unit_


WORDS = st.sampled_from("abcdefg")
SENTENCES = st.lists(st.lists(WORDS, min_size=1, max_size=30), min_size=1, max_size=12)
WEIGHTINGS = st.sampled_from(["harmonic", "flat", "dynamic"])


@settings(deadline=None)
@given(
    sentences=SENTENCES,
    window=st.integers(1, 22),
    weighting=WEIGHTINGS,
    symmetric=st.booleans(),
    max_vocab=st.none() | st.integers(1, 7),
    backend=st.sampled_from(kernels.available()),
)
def test_equals_plain_python(sentences, window, weighting, symmetric, max_vocab, backend):
    params = {"window": window, "weighting": weighting, "symmetric": symmetric, "max_vocab": max_vocab}
    most = max(collections.Counter(itertools.chain(*sentences)).values())
    for min_count in {1, min(2, most), most}:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FASTVEC_BACKEND", backend)
            counts = Cooccurrence(**params, min_count=min_count, threads=2).fit(sentences)
        vocabulary, expected = count_plainly(sentences, **params, min_count=min_count)
        assert dict(zip(counts.vocabulary_.words, counts.vocabulary_.counts, strict=True)) == vocabulary
        assert as_dict(counts) == expected


def parts_of(sentences, cuts):
    """Cut sentences into parts, none of them empty."""
    bounds = sorted({0, len(sentences), *(cut % len(sentences) for cut in cuts)})
    return [sentences[begin:end] for begin, end in itertools.pairwise(bounds)]


@settings(deadline=None)
@given(
    sentences=SENTENCES,
    weighting=WEIGHTINGS,
    symmetric=st.booleans(),
    threads=st.integers(1, 5),
    shard=st.integers(1, 60),
    chunk=st.integers(1, 40),
    block=st.integers(1, 40),
    entries=st.integers(1, 40),
    memory_limit=st.sampled_from([1, 700, 3000, 2**32]),
    cuts=st.lists(st.integers(0, 11), max_size=3),
    backend=st.sampled_from(sorted({"reference", kernels.selected()})),
)
def test_no_split_changes_a_bit(
    sentences, weighting, symmetric, threads, shard, chunk, block, entries, memory_limit, cuts, backend
):
    params = {"window": 3, "weighting": weighting, "symmetric": symmetric, "min_count": 1}
    corpus = Corpus(sentences)
    whole = Cooccurrence(**params, threads=1).fit(corpus)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASTVEC_BACKEND", backend)
        set_sizes(
            patch,
            fewest_tokens=shard,
            counted_chunk=chunk,
            contexts_at_once=block,
            fewest_entries=entries,
            spooled_block=50,
        )
        split = Cooccurrence(**params, threads=threads, memory_limit=memory_limit)
        assert raw(split.fit(corpus)) == raw(whole)
        first, *others = [
            Cooccurrence(**params, threads=threads, memory_limit=memory_limit).fit(part)
            for part in parts_of(sentences, cuts)
        ]
        merged = first.merge(*others)
        assert as_dict(merged) == as_dict(whole)
        vocabularies = [
            dict(zip(counts.vocabulary_.words, counts.vocabulary_.counts, strict=True))
            for counts in (merged, whole)
        ]
        assert vocabularies[0] == vocabularies[1]


def test_shards_threads_and_limits_of_a_larger_text(topics, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    set_sizes(monkeypatch, fewest_tokens=700, counted_chunk=100, fewest_entries=100)
    corpus = Corpus(topics(400))
    expected = raw(Cooccurrence(threads=1).fit(corpus))
    for threads, memory_limit in itertools.product((1, 3), (1, 20_000, 60_000, 2**32)):
        counts = Cooccurrence(threads=threads, memory_limit=memory_limit).fit(corpus)
        assert raw(counts) == expected
        assert isinstance(counts.units_, np.memmap) == (memory_limit <= 20_000)
        del counts
        assert list(tmp_path.iterdir()) == []


def test_a_memory_mapped_corpus(topics, tmp_path):
    text = tmp_path / "text"
    text.write_text("".join(f"{' '.join(sentence)}\n" for sentence in topics(50)))
    corpus = Corpus(text, cache=tmp_path / "ids")
    assert isinstance(corpus.ids, np.memmap)
    assert raw(Cooccurrence().fit(corpus)) == raw(Cooccurrence().fit(str(text)))


def test_far_harmonic_weights_are_the_nearest_units():
    counts = Cooccurrence(window=1000, min_count=1).fit([["a", *["x"] * 22, "b"], ["c", *["y"] * 999, "d"]])
    assert counts.unit_ == 232792560
    assert counts["a", "b"] == round(counts.unit_ / 23) / counts.unit_
    assert counts["c", "d"] == round(counts.unit_ / 1000) / counts.unit_
    assert counts["a", "c"] == 0
    assert Cooccurrence(window=15, min_count=1).fit([["a"]]).unit_ == 360360


def test_sentences_of_one_word_have_no_pairs():
    counts = Cooccurrence(min_count=1).fit([["a"], ["b"], ["a"]])
    assert (counts.n_entries_, counts["a", "b"]) == (0, 0.0)
    assert counts.matrix_.shape == (2, 2)
    assert repr(counts) == "Cooccurrence(min_count=1): 0 entries, 2 words"


# What can be asked


def test_matrix_triples_and_items():
    counts = Cooccurrence(window=2, min_count=1, symmetric=False).fit(TEXT)
    _, expected = count_plainly(TEXT, 2, "harmonic", symmetric=False)
    words = counts.vocabulary_.words
    matrix = counts.matrix_
    assert isinstance(matrix, scipy.sparse.csr_array)
    assert matrix.dtype == np.float64
    rows, columns, values = counts.triples()
    assert (rows.dtype, columns.dtype, values.dtype) == (np.int32, np.int32, np.float64)
    np.testing.assert_array_equal(
        scipy.sparse.coo_array((values, (rows, columns)), shape=matrix.shape).toarray(), matrix.toarray()
    )
    for i, a in enumerate(words):
        for j, b in enumerate(words):
            assert counts[a, b] == matrix[i, j] == expected.get((a, b), 0)
    for first, last in itertools.combinations(range(len(words) + 1), 2):
        inside = (rows >= first) & (rows < last)
        for part, whole in zip(counts.triples(first, last), (rows, columns, values), strict=True):
            np.testing.assert_array_equal(part, whole[inside])
    assert [len(part) for part in counts.triples(2, 2)] == [0, 0, 0]
    with pytest.raises(ValueError, match="last must be an int from 3 to 6, got 2"):
        counts.triples(3, 2)
    with pytest.raises(fastvec.UnknownWordError, match="'bee' is not among the 6 words"):
        counts["to", "bee"]
    with pytest.raises(TypeError, match=r"a word must be a str or an int, got 1\.5"):
        counts[1.5, "to"]
    for pair in ("to", ("to",), ("to", "be", "or")):
        with pytest.raises(TypeError, match="pair must be two words, got "):
            counts[pair]


def test_words_that_are_numbers():
    counts = Cooccurrence(min_count=1).fit([[7, 12], [12, 7]])
    assert counts[7, "12"] == 2


def test_without_scipy(monkeypatch):
    counts = Cooccurrence(min_count=1).fit(TEXT)
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'fastvec[svd]'")):
        counts.matrix_  # noqa: B018


def test_what_was_not_counted_cannot_be_used(tmp_path):
    counts = Cooccurrence(window=3)
    message = re.escape("words must be counted first: call fit on Cooccurrence(window=3)")
    fitted = Cooccurrence(window=3, min_count=1).fit(TEXT)
    for use in (
        lambda: counts.matrix_,
        lambda: counts.triples(),
        lambda: counts["a", "b"],
        lambda: counts.save(tmp_path / "x.fvcounts"),
        lambda: counts.write_glove(tmp_path / "x.bin", tmp_path / "vocab.txt"),
        lambda: counts.merge(),
        lambda: fitted.merge(counts),
    ):
        with pytest.raises(ValueError, match=message):
            use()
    assert list(tmp_path.iterdir()) == []


def test_a_min_count_that_leaves_no_word_is_named():
    message = "min_count=9 leaves no word: the corpus has 6 distinct words and the most frequent occurs 4"
    with pytest.raises(ValueError, match=f"^{message} times$"):
        Cooccurrence(min_count=9).fit(TEXT)


# Merging


def test_merging_unites_the_words():
    params = {"window": 2, "min_count": 1, "threads": 2}
    texts = [TEXT, [["be", "new", "new", "new", "new", "new"]], [["new", "or"]], [["other"]]]
    first, *others = [Cooccurrence(**params).fit(text) for text in texts]
    before = [raw(counts) for counts in (first, *others)]
    merged = first.merge(*others)
    assert merged.get_params() == first.get_params()
    assert as_dict(merged) == count_plainly(list(itertools.chain(*texts)), 2, "harmonic", symmetric=True)[1]
    assert merged.vocabulary_.words[:2] == ["new", "be"]
    assert merged.vocabulary_.counts[:2].tolist() == [6, 5]
    assert [raw(counts) for counts in (first, *others)] == before
    assert raw(first.merge()) == raw(first)
    twice = first.merge(first)
    assert as_dict(twice) == {pair: 2 * count for pair, count in as_dict(first).items()}


def test_merging_more_than_memory_holds(topics, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    texts = [list(topics(60, seed)) for seed in range(3)]
    first, *others = [Cooccurrence(min_count=1, memory_limit=1).fit(text) for text in texts]
    merged = first.merge(*others)
    assert isinstance(merged.columns_, np.memmap)
    assert as_dict(merged) == as_dict(Cooccurrence(min_count=1).fit(list(itertools.chain(*texts))))
    del first, others, merged
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"window": 3}, "window must be the same in all counts, got 2 and 3"),
        ({"weighting": "flat"}, "weighting must be the same in all counts, got 'harmonic' and 'flat'"),
        ({"symmetric": False}, "symmetric must be the same in all counts, got True and False"),
    ],
)
def test_counts_that_cannot_be_merged(params, message):
    counts = Cooccurrence(window=2, min_count=1).fit(TEXT)
    other = Cooccurrence(**{"window": 2, "min_count": 1, **params}).fit(TEXT)
    with pytest.raises(ValueError, match=re.escape(message)):
        counts.merge(other)


def test_more_that_cannot_be_merged():
    counts = Cooccurrence(min_count=1).fit(TEXT)
    with pytest.raises(TypeError, match=r"others must be Cooccurrence, got \[1\]"):
        counts.merge([1])
    other = Cooccurrence.from_triples(["to", "be"], [0], [1], [1e15])
    with pytest.raises(ValueError, match="unit_ must be the same in all counts, got 360360 and 1"):
        counts.merge(other)
    large = Cooccurrence.from_triples(["to", "be"], [0], [1], [2**61])
    assert large.merge(large, large)["to", "be"] == 3 * 2**61
    with pytest.raises(ValueError, match=r"the largest counts must have a sum below 2\*\*63 units"):
        large.merge(large, large, large)


# Progress, interruption, full disks


def test_progress_of_every_phase(topics, capsys, monkeypatch):
    set_sizes(monkeypatch, fewest_tokens=300)
    Cooccurrence(memory_limit=1, progress=True).fit(topics(100))
    shown = capsys.readouterr().err
    for what in ("reading: 100 sentences in", "counting: 1,200 words in", "merging: "):
        assert what in shown
    Cooccurrence(memory_limit=1).fit(topics(100))
    assert capsys.readouterr().err == ""


@can_be_interrupted
@pytest.mark.parametrize("step", ["count_words", "place_words", "count_rows"])
@pytest.mark.parametrize("threads", [1, 2])
def test_control_c_is_answered_and_leaves_what_was_there(step, threads, tmp_path, monkeypatch, topics):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    counts = Cooccurrence(min_count=1, threads=threads, memory_limit=1).fit(TEXT)
    before = raw(counts)
    set_sizes(monkeypatch, fewest_tokens=600, counted_chunk=60, contexts_at_once=99)  # of 2400
    workers = results_of(monkeypatch, "workers")
    corpus, kernel = Corpus(topics(200)), kernels.get("cooccurrence")

    with monkeypatch.context() as patch:
        never = interrupt_at(patch, kernel, step, math.inf, None)
        Cooccurrence(**counts.get_params()).fit(corpus)
    assert len(never) > 20
    running, half = threading.active_count(), len(never) // 2
    calls = interrupt_at(monkeypatch, kernel, step, half, lambda: workers[-1].stopped)
    with pytest.raises(KeyboardInterrupt):
        counts.fit(corpus)
    assert half <= len(calls) < half + threads
    assert threading.active_count() == running
    assert raw(counts) == before
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
    import resource, sys
    import numpy as np
    import pytest
    import fastvec
    from inside import set_sizes
    set_sizes(pytest.MonkeyPatch(), fewest_tokens=2000)
    what, limit = sys.argv[1], int(sys.argv[2])
    draw = np.random.default_rng(1)
    texts = [[[f"w{word}" for word in draw.integers(0, 300, 50)] for _ in range(200)] for _ in range(2)]
    count = fastvec.Cooccurrence(window=5, min_count=1, memory_limit=1)
    if what == "merge":
        first, second = [fastvec.Cooccurrence(**count.get_params()).fit(text) for text in texts]
        work = lambda: first.merge(second)
    else:
        corpus = fastvec.Corpus(texts[0])
        work = lambda: count.fit(corpus)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        work()
    except OSError as error:
        print(error)
    print(hasattr(count, "units_"))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize(
    ("what", "limit", "expected"),
    [
        ("count", 60_000, "part 1 of 5 of the counts"),
        ("count", 600_000, "part 5 of 5 of the counts"),
        ("merge", 300_000, "the merged counts"),
    ],
)
def test_a_full_disk_says_what_was_needed(tmp_path, what, limit, expected):
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL_DISK), what, str(limit)],
        capture_output=True,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert run.stderr == ""
    message, fitted = run.stdout.splitlines()
    found = re.fullmatch(
        rf"\[Errno 27\] File too large: for {expected}, up to ([\d,]+) bytes are needed, and ([\d,]+) were "
        rf"free; TMPDIR names another folder for temporary files: {str(tmp_path)!r}",
        message,
    )
    assert found, message
    needed, free = (int(number.replace(",", "")) for number in found.groups())
    assert 60_000 < needed < 3_000_000
    assert free > 10**6
    assert fitted == "False"
    assert list(tmp_path.iterdir()) == []
