"""n-grams of words are found by their buckets, in documents, and get rows, on every backend the same."""

from itertools import pairwise

import numpy as np
import pytest
from one_test import in_one_test

from fastvec import kernels

# M and s of fastText, and of files of earlier versions.
HASHINGS = [(116049371, 0), (0x9E3779B97F4A7C15, 32)]
# The first and the last document and two in the middle have no words.
LENGTHS = [0, 3, 1, 7, 0, 0, 2, 30, 1, 5, 16, 4, 1, 9, 0]
OFFSETS = np.concatenate(([0], np.cumsum(LENGTHS))).astype(np.int64)
N_WORDS = 11
WORDS = np.random.default_rng(1).integers(0, N_WORDS, OFFSETS[-1]).astype(np.int32)
HASHES = np.random.default_rng(2).integers(0, 2**64, N_WORDS, np.uint64)
# Words have one row, none, or several.
ROWS_OF_WORDS = [[2], [], [3], [4, 12, 13, 12], [], [5], [14], [7], [8], [9, 10], []]


@pytest.fixture
def kernel(backend):
    return kernels.get("word_ngrams", backend)


def ngrams_by_hand(document, longest, buckets, hashing):
    """The bucket of every n-gram, one spelled out after the other."""
    found = []
    for n in range(2, longest + 1):
        for first in range(len(document) - n + 1):
            hashed = 0
            for word in document[first : first + n]:
                hashed = (hashed * hashing[0] + int(HASHES[word])) % 2**64
            found.append((hashed >> hashing[1]) % buckets)
    return found


def rows_of_words():
    return {
        "rows_of_words": np.array([row for rows in ROWS_OF_WORDS for row in rows], np.int32),
        "row_offsets_of_words": np.cumsum([0, *map(len, ROWS_OF_WORDS)], dtype=np.int64),
    }


def documents():
    return [WORDS[start:stop].tolist() for start, stop in pairwise(OFFSETS)]


def find_rows(kernel, longest, buckets, found, hashing=HASHINGS[0], words=WORDS, offsets=OFFSETS):
    return kernel.find_rows(
        words=words,
        offsets=offsets,
        **rows_of_words(),
        hashes=HASHES,
        longest=longest,
        buckets=buckets,
        multiplier=hashing[0],
        shift=hashing[1],
        table=kernel.table_of(found, buckets),
        first_row=20,
    )


def find_buckets(kernel, longest, buckets, hashing=HASHINGS[0], words=WORDS, offsets=OFFSETS):
    return kernel.find_buckets(
        words=words,
        offsets=offsets,
        hashes=HASHES,
        longest=longest,
        buckets=buckets,
        multiplier=hashing[0],
        shift=hashing[1],
    )


@in_one_test("buckets", [1, 2, 63, 64, 65, 1000, 2**30])
@pytest.mark.parametrize("longest", [2, 3, 5, 40])
@pytest.mark.parametrize("hashing", HASHINGS)
def test_the_buckets_that_occur_are_found_in_rising_order(kernel, hashing, longest, buckets):
    found = find_buckets(kernel, longest, buckets, hashing)
    expected = {
        bucket for document in documents() for bucket in ngrams_by_hand(document, longest, buckets, hashing)
    }
    assert found.dtype == np.int64
    assert found.tolist() == sorted(expected)


@pytest.mark.parametrize("with_rows", [[], [0], [5, 63, 64, 127, 190], list(range(0, 200, 3))])
def test_buckets_are_found_among_those_with_rows(kernel, with_rows):
    table = kernel.table_of(np.array(with_rows, np.int64), 200)
    places = kernel.places(np.arange(200, dtype=np.int32), table)
    assert places.dtype == np.int32
    assert places.tolist() == [with_rows.index(i) if i in with_rows else -1 for i in range(200)]


@in_one_test("buckets", [1, 64, 65, 1000])
@pytest.mark.parametrize("longest", [1, 2, 3, 40])
@pytest.mark.parametrize("hashing", HASHINGS)
def test_the_rows_of_a_document_are_those_of_its_words_and_then_of_its_ngrams(
    kernel, hashing, longest, buckets
):
    every = sorted(
        {bucket for document in documents() for bucket in ngrams_by_hand(document, 40, buckets, hashing)}
    )
    for found in (every, every[::2], []):  # n-grams in other buckets have no rows
        rows, row_offsets = find_rows(kernel, longest, buckets, np.array(found, np.int64), hashing)
        assert (rows.dtype, row_offsets.dtype) == (np.int32, np.int64)
        assert (len(row_offsets), row_offsets[0], row_offsets[-1]) == (len(OFFSETS), 0, len(rows))
        for document, (start, stop) in zip(documents(), pairwise(row_offsets), strict=True):
            of_ngrams = ngrams_by_hand(document, longest, buckets, hashing)
            expected = [row for word in document for row in ROWS_OF_WORDS[word]]
            expected += [20 + found.index(bucket) for bucket in of_ngrams if bucket in found]
            assert rows[start:stop].tolist() == expected


@pytest.mark.parametrize("offsets", [[0], [0, 0], [0, 0, 0]])
def test_documents_without_words_have_no_rows(kernel, offsets):
    offsets, none = np.array(offsets, np.int64), np.empty(0, np.int32)
    assert find_buckets(kernel, 3, 100, words=none, offsets=offsets).tolist() == []
    rows, row_offsets = find_rows(kernel, 3, 100, np.array([7]), words=none, offsets=offsets)
    assert (rows.tolist(), row_offsets.tolist()) == ([], offsets.tolist())


def test_words_alone_need_no_hashes(kernel):
    rows, _ = kernel.find_rows(
        words=WORDS,
        offsets=OFFSETS,
        **rows_of_words(),
        hashes=np.empty(0, np.uint64),
        longest=1,
        buckets=10,
        multiplier=1,
        shift=0,
        table=kernel.table_of(np.empty(0, np.int64), 10),
        first_row=20,
    )
    assert rows.tolist() == [row for word in WORDS for row in ROWS_OF_WORDS[word]]


def test_hashes_of_words_are_those_of_fasttext(kernel):
    words = ["", "a", "film", "é", "</s>"]
    text = np.frombuffer("".join(words).encode(), np.uint8)
    offsets = np.cumsum([0, *(len(word.encode()) for word in words)])
    expected = []
    for word in words:
        hashed = 2166136261
        for byte in np.frombuffer(word.encode(), np.int8).tolist():
            hashed = ((hashed ^ byte) & 0xFFFFFFFF) * 16777619 % 2**32
        expected.append((hashed - 2**32 if hashed >= 2**31 else hashed) % 2**64)
    assert kernel.hash_words(text, offsets).tolist() == expected
