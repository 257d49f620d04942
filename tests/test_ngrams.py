"""The n-grams of words are fastText's, in its order and with its hashes, and every backend finds the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inside import row_means
from peers import fasttext

from fastvec import kernels
from fastvec.vectors import Subwords

BUCKETS = 2_000_000
WORDS = ["a", "ab", "where", "Zürich", "東京都", "ﷺ", "e\u0301t", "🙂", "aaaaaaaa", "<", ">", "<s>", "naïve"]


def ngrams(backend, words, min_n, max_n, buckets=BUCKETS, hash_count=0):
    """Return what a backend finds as a list for each word, which may be bytes of any kind."""
    names = [word if isinstance(word, bytes) else word.encode() for word in words]
    offsets, hashes = kernels.get("ngrams", backend).ngram_buckets(
        text=np.frombuffer(b"".join(names), np.uint8),
        word_offsets=np.cumsum([0, *map(len, names)], dtype=np.int64),
        min_n=min_n,
        max_n=max_n,
        buckets=buckets,
        hash_count=hash_count,
    )
    assert (offsets.dtype, hashes.dtype) == (np.int64, np.int32)
    assert offsets[-1] == len(hashes)
    return [part.tolist() for part in np.split(hashes, offsets[1:-1])] if words else []


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Function that returns a model of fastText with one word, whose n-grams are as asked for."""
    text = tmp_path_factory.mktemp("ngrams") / "text.txt"
    text.write_text("word word\n")

    def train(min_n, max_n, buckets):
        return fasttext.train_unsupervised(
            str(text),
            minn=min_n,
            maxn=max_n,
            bucket=buckets,
            dim=10,
            epoch=1,
            minCount=1,
            thread=10,
            verbose=0,
        )

    return train


@pytest.mark.parametrize(
    ("min_n", "max_n", "buckets"),
    [(3, 6, 2_000), (1, 1, 2_000), (1, 4, 7), (0, 2, 50), (5, 5, 2_000), (2, 100, 1)],
)
def test_they_are_fasttexts(trained, backend, min_n, max_n, buckets):
    model = trained(min_n, max_n, buckets)
    n_words = len(model.get_words())
    for word, found in zip(WORDS, ngrams(backend, WORDS, min_n, max_n, buckets), strict=True):
        pieces, rows = model.get_subwords(word)
        assert found == (rows - n_words).tolist(), word
        assert found == [model.get_subword_id(piece) - n_words for piece in pieces]


def test_rows_of_known_words_are_fasttexts(trained):
    model = trained(3, 6, 1000)
    words = model.get_words()
    assert "</s>" in words
    offsets, rows = Subwords(3, 6, 1000).rows(words)
    for i, word in enumerate(words):
        assert rows[offsets[i] : offsets[i + 1]].tolist() == model.get_subwords(word)[1].tolist()
    assert Subwords(3, 6, 1000).ngram_rows("words", 2).tolist() == model.get_subwords("words")[1].tolist()


def test_hashes_of_bytes_above_127_are_of_signed_bytes(backend):
    # FNV-1a's own test vectors give 0xe40c292c for "a"; no signed byte is in it.
    assert ngrams(backend, ["a"], 1, 1, 2**31 - 1) == [[0xE40C292C % (2**31 - 1)]]
    unsigned = 2166136261
    signed = 2166136261
    for byte in "é".encode():
        unsigned = (unsigned ^ byte) * 16777619 % 2**32
        signed = (signed ^ byte ^ 0xFFFFFF00) * 16777619 % 2**32
    assert signed % BUCKETS != unsigned % BUCKETS
    assert ngrams(backend, ["é"], 1, 1) == [[signed % BUCKETS]]


def test_no_ngrams(backend):
    assert ngrams(backend, ["</s>", "</s", "</s>"], 3, 3)[::2] == [[], []]
    assert ngrams(backend, ["where", "a"], 0, 0, 0) == [[], []]
    assert ngrams(backend, ["a"], 4, 6) == [[]]
    assert ngrams(backend, [""], 1, 1) == [[]]
    assert len(ngrams(backend, [""], 1, 2)[0]) == 1  # <>
    assert ngrams(backend, [], 3, 6) == []
    with pytest.raises(ValueError, match="buckets must be an int from 1 to 2147483647, got 0"):
        ngrams(backend, ["a"], 3, 6, 0)


@settings(max_examples=200, deadline=None)
@given(
    words=st.lists(st.binary(max_size=20) | st.text(max_size=8).map(lambda word: word.encode()), max_size=6),
    min_n=st.integers(0, 5),
    more=st.integers(0, 5),
    buckets=st.sampled_from([1, 2, 1000, 2**31 - 1]),
    hash_count=st.sampled_from([0, 0, 1, 2, 4]),
)
def test_backends_agree_on_any_bytes(compiled, words, min_n, more, buckets, hash_count):
    expected = ngrams("reference", words, min_n, min_n + more, buckets, hash_count)
    assert ngrams(compiled, words, min_n, min_n + more, buckets, hash_count) == expected


def test_they_are_florets(backend):
    """The numbers are those of floret 0.10.5, as spaCy 3.8.18 finds them too."""
    expected = {  # of the word and of its n-grams of three characters
        "東京": [
            [919058, 763392, 638397, 10301],
            [252981, 372914, 301497, 586043],
            [142583, 577728, 172988, 413032],
        ],
        "ab": [
            [746486, 617422, 68225, 730921],
            [124845, 199975, 556499, 454521],
            [914120, 681387, 958125, 207065],
        ],
        "</s>": [[601262, 815819, 588243, 498458], [609331, 55953, 917425, 92437]],
        "x" * 40: [[568741, 873141, 484112, 330577], [591104, 521339, 572426, 110523]],
    }
    found = ngrams(backend, [*expected], 3, 3, 10**6, 4)
    for word, hashes in zip(expected, found, strict=True):
        n_ngrams = 1 + len(word)
        assert len(hashes) == 4 * n_ngrams
        of_some = [bucket for of_one in expected[word] for bucket in of_one]
        assert hashes[: len(of_some)] == of_some
    (one,) = ngrams(backend, ["ab"], 3, 3, 10**6, 1)
    assert one == [746486, 124845, 914120]
    assert ngrams(backend, ["ab", "東京"], 0, 0, 10**6, 1) == [[746486], [919058]]
    with pytest.raises(ValueError, match="hash_count must be an int from 0 to 4, got 5"):
        ngrams(backend, ["a"], 3, 6, 10, 5)
    with pytest.raises(ValueError, match="buckets must be an int from 1 to 2147483647, got 0"):
        ngrams(backend, ["a"], 0, 0, 0, 1)


def test_bytes_that_are_no_utf8_are_taken_as_fasttext_does(backend):
    # The continuation byte belongs to the bracket before it: "<\x80" begins the word and is left out alone.
    assert len(ngrams(backend, [b"\x80a"], 1, 1)[0]) == 1
    assert ngrams(backend, [b"\x80a"], 1, 1) == ngrams(backend, [b"a"], 1, 1)
    assert len(ngrams(backend, [b"\xff\xfe"], 1, 1)[0]) == 2


def test_a_long_word(backend):
    (found,) = ngrams(backend, ["x" * 100_000], 3, 4)
    assert len(found) == 100_000 + 99_999
    assert len(set(found)) == 6  # <xx, <xxx, xxx, xxxx, xxx>, xx>


def test_means_of_rows(backend):
    random = np.random.default_rng(3)
    padded = random.standard_normal((20, 16)).astype(np.float32)
    lengths = [1, 2, 7, 40, 1]
    offsets = np.cumsum([0, *lengths], dtype=np.int64)
    rows = random.integers(20, size=offsets[-1]).astype(np.int32)
    means = np.empty((5, 11), np.float32)
    kernel = kernels.get("ngrams", backend)
    for vectors in (padded[:, :11], np.ascontiguousarray(padded[:, :11])):
        vectors.flags.writeable = False
        kernel.row_means(vectors, offsets, rows, means)
        for mean, start, stop in zip(means, offsets, offsets[1:], strict=False):
            expected = vectors[rows[start:stop]].astype(np.float64).mean(axis=0)
            np.testing.assert_allclose(mean, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(means[0], padded[rows[0], :11])
    kernel.row_means(padded, offsets[:1], rows[:0], np.empty((0, 16), np.float32))


def test_no_words_have_no_rows():
    offsets, rows = Subwords(3, 6, 10).rows([])
    assert (offsets.tolist(), rows.tolist()) == ([0], [])
    assert row_means(np.zeros((10, 4), np.float32), offsets, rows).shape == (0, 4)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((4, 3, 10), ValueError, "min_n must be an int from 0 to max_n=3, got 4"),
        ((-1, 3, 10), ValueError, "min_n must be an int >= 0, got -1"),
        ((3, 101, 10), ValueError, "max_n must be an int from 0 to 100, got 101"),
        ((3, 6, 0), ValueError, "buckets must be an int from 1 to 1073741824, got 0"),
        ((0, 0, -1), ValueError, "buckets must be an int from 0 to 1073741824, got -1"),
        ((3.0, 6, 10), TypeError, r"min_n must be an int >= 0, got 3\.0"),
        ((3, None, 10), TypeError, "max_n must be an int from 0 to 100, got None"),
    ],
)
def test_parameters(arguments, error, message):
    with pytest.raises(error, match=message):
        Subwords(*arguments)


def test_repeated_rows_stand_behind_the_others(backend):
    rows = np.array([4, 7, 7, 4, 9, 7, 3, 5, 5, 5, 2**31 - 1, 0, 2**31 - 1], np.int32)
    offsets = np.array([0, 6, 6, 7, 10, 13])
    repeats = kernels.get("ngrams", backend).put_repeats_behind(offsets, rows)
    assert repeats.tolist() == [3, 6, 7, 8, 12]
    assert [sorted(rows[start:stop].tolist()) for start, stop in zip(repeats, offsets[1:], strict=True)] == [
        [4, 7, 7],
        [],
        [],
        [5, 5],
        [2**31 - 1],
    ]
    assert [rows[start:stop].tolist() for start, stop in zip(offsets, repeats, strict=False)] == [
        [4, 7, 9],
        [],
        [3],
        [5],
        [2**31 - 1, 0],
    ]


def test_distinct_rows_of_words():
    """Of "<aaa>" the n-grams of 1 and 2 characters are "<a", "a", "aa", "a", "aa", "a", "a>"."""
    subwords, words = Subwords(1, 2, 100_000), ["aaa", "</s>", "ab"]
    plain, rows = subwords.rows(words)
    offsets, distinct = subwords.distinct_rows(words)
    assert offsets.tolist() == [0, 5, 8, 9, 9, 15, 15]
    assert offsets[::2].tolist() == plain.tolist()
    assert distinct[:5].tolist() == list(dict.fromkeys(rows[:8].tolist()))
    assert sorted(distinct[5:8]) == sorted([rows[2], rows[2], rows[3]])
    assert distinct[8:].tolist() == rows[8:].tolist()


def test_a_long_word_that_repeats_nothing(compiled):
    rows = np.random.default_rng(0).permutation(300_000).astype(np.int32)
    before = rows.copy()
    repeats = kernels.get("ngrams", compiled).put_repeats_behind(np.array([0, len(rows)]), rows)
    assert repeats.tolist() == [300_000]
    np.testing.assert_array_equal(rows, before)
