"""n-grams of words are found by their buckets, in documents, and get rows, on every backend the same."""

from itertools import pairwise

import numpy as np
import pytest

from fastvec import kernels

MULTIPLIER = 0x9E3779B97F4A7C15
# The first and the last document and two in the middle have no words.
LENGTHS = [0, 3, 1, 7, 0, 0, 2, 30, 1, 5, 16, 4, 1, 9, 0]
OFFSETS = np.concatenate(([0], np.cumsum(LENGTHS))).astype(np.int64)
N_WORDS = 11
WORDS = np.random.default_rng(1).integers(0, N_WORDS, OFFSETS[-1]).astype(np.int32)
HASHES = np.random.default_rng(2).integers(0, 2**64, N_WORDS, np.uint64)
WORD_ROWS = np.array([2, -1, 3, 4, -1, 5, 6, 7, 8, 9, -1], np.int32)


@pytest.fixture
def kernel(backend):
    return kernels.get("word_ngrams", backend)


def ngrams_by_hand(document, longest, buckets):
    """The bucket of every n-gram, one spelled out after the other."""
    found = []
    for n in range(2, longest + 1):
        for first in range(len(document) - n + 1):
            hashed = 0
            for word in document[first : first + n]:
                hashed = (hashed * MULTIPLIER + int(HASHES[word])) % 2**64
            found.append((hashed >> 32) % buckets)
    return found


def documents():
    return [WORDS[start:stop].tolist() for start, stop in pairwise(OFFSETS)]


def find_rows(kernel, longest, buckets, found, words=WORDS, offsets=OFFSETS):
    return kernel.find_rows(
        words=words,
        offsets=offsets,
        word_rows=WORD_ROWS,
        hashes=HASHES,
        longest=longest,
        buckets=buckets,
        table=kernel.table_of(found, buckets),
        first_row=20,
    )


@pytest.mark.parametrize("buckets", [1, 2, 63, 64, 65, 1000, 2**30])
@pytest.mark.parametrize("longest", [2, 3, 5, 40])
def test_the_buckets_that_occur_are_found_in_rising_order(kernel, longest, buckets):
    found = kernel.find_buckets(words=WORDS, offsets=OFFSETS, hashes=HASHES, longest=longest, buckets=buckets)
    expected = {bucket for document in documents() for bucket in ngrams_by_hand(document, longest, buckets)}
    assert found.dtype == np.int64
    assert found.tolist() == sorted(expected)


@pytest.mark.parametrize("buckets", [1, 64, 65, 1000])
@pytest.mark.parametrize("longest", [1, 2, 3, 40])
def test_the_rows_of_a_document_are_those_of_its_words_and_then_of_its_ngrams(kernel, longest, buckets):
    every = sorted({bucket for document in documents() for bucket in ngrams_by_hand(document, 40, buckets)})
    for found in (every, every[::2], []):  # n-grams in other buckets have no rows
        rows, row_offsets = find_rows(kernel, longest, buckets, np.array(found, np.int64))
        assert (rows.dtype, row_offsets.dtype) == (np.int32, np.int64)
        assert (len(row_offsets), row_offsets[0], row_offsets[-1]) == (len(OFFSETS), 0, len(rows))
        for document, (start, stop) in zip(documents(), pairwise(row_offsets), strict=True):
            of_ngrams = ngrams_by_hand(document, longest, buckets)
            expected = [int(WORD_ROWS[word]) for word in document if WORD_ROWS[word] >= 0]
            expected += [20 + found.index(bucket) for bucket in of_ngrams if bucket in found]
            assert rows[start:stop].tolist() == expected


@pytest.mark.parametrize("offsets", [[0], [0, 0], [0, 0, 0]])
def test_documents_without_words_have_no_rows(kernel, offsets):
    offsets, none = np.array(offsets, np.int64), np.empty(0, np.int32)
    found = kernel.find_buckets(words=none, offsets=offsets, hashes=HASHES, longest=3, buckets=100)
    assert found.tolist() == []
    rows, row_offsets = find_rows(kernel, 3, 100, np.array([7]), none, offsets)
    assert (rows.tolist(), row_offsets.tolist()) == ([], offsets.tolist())


def test_words_alone_need_no_hashes(kernel):
    rows, _ = kernel.find_rows(
        words=WORDS,
        offsets=OFFSETS,
        word_rows=WORD_ROWS,
        hashes=np.empty(0, np.uint64),
        longest=1,
        buckets=10,
        table=kernel.table_of(np.empty(0, np.int64), 10),
        first_row=20,
    )
    expected = WORD_ROWS[WORDS]
    assert rows.tolist() == expected[expected >= 0].tolist()
