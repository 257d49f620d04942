"""n-grams of words in documents and their rows, as reference/word_ngrams.py.

What is done otherwise, and why:

- A table has one bit for every bucket, set where the bucket has a row, and for every 64 of them how many are
  set before: 16 bytes, so that a look-up touches one cache line, and 2 million buckets take half a megabyte.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

import numpy as np

from .fnv cimport fnv_start, with_byte

cdef extern from *:
    int __builtin_popcountll(unsigned long long x) noexcept nogil
    int __builtin_ctzll(unsigned long long x) noexcept nogil


def hash_words(const uint8_t[::1] text, const int64_t[::1] word_offsets):
    """Return the hashes of words, as fastText's."""
    cdef int64_t n = word_offsets.shape[0] - 1, word, i
    cdef uint32_t hashed
    hashes = np.empty(n, np.uint64)
    cdef uint64_t[::1] view = hashes
    with nogil:
        for word in range(n):
            hashed = fnv_start()
            for i in range(word_offsets[word], word_offsets[word + 1]):
                hashed = with_byte(hashed, text[i])
            view[word] = <uint64_t> <int64_t> <int32_t> hashed
    return hashes


cdef inline int64_t longest_of(const int64_t[::1] offsets) noexcept nogil:
    """Return the number of words of the longest document."""
    cdef int64_t document, most = 0
    for document in range(offsets.shape[0] - 1):
        most = max(most, offsets[document + 1] - offsets[document])
    return most


cdef inline int64_t start_ngrams(
    const int32_t[::1] words, int64_t start, int64_t stop, const uint64_t[::1] hashes, uint64_t *of_words,
    uint64_t *of_ngrams,
) noexcept nogil:
    """Write the hashes of a document's words to `of_words` and `of_ngrams` [OUT]; return their number."""
    cdef int64_t i
    for i in range(stop - start):
        of_words[i] = of_ngrams[i] = hashes[words[start + i]]
    return stop - start


cdef inline int64_t lengthen_ngrams(
    uint64_t *of_ngrams, int64_t n_ngrams, const uint64_t *of_words, int64_t n_words, uint64_t multiplier
) noexcept nogil:
    """Make the hashes of n-grams those of the n-grams of one word more; return how many there are."""
    cdef int64_t i, n = max(<int64_t> 0, n_ngrams - 1), first = n_words - n
    for i in range(n):
        of_ngrams[i] = of_ngrams[i] * multiplier + of_words[first + i]
    return n


def find_buckets(
    const int32_t[::1] words, const int64_t[::1] offsets, const uint64_t[::1] hashes, int64_t longest,
    int64_t buckets, uint64_t multiplier, int shift
):
    """Return the buckets of the n-grams of 2 to `longest` words that occur, in rising order."""
    cdef int64_t n_documents = offsets.shape[0] - 1, n_words, n_ngrams, document, _n, i, at = 0
    cdef uint64_t bucket, rest
    cdef uint64_t[::1] seen = np.zeros(buckets // 64 + 1, np.uint64)
    cdef uint64_t[:, ::1] room = np.empty((2, longest_of(offsets) + 1), np.uint64)
    cdef uint64_t *of_words = &room[0, 0]
    cdef uint64_t *of_ngrams = &room[1, 0]
    with nogil:
        for document in range(n_documents):
            n_words = n_ngrams = start_ngrams(
                words, offsets[document], offsets[document + 1], hashes, of_words, of_ngrams
            )
            for _n in range(2, longest + 1):
                n_ngrams = lengthen_ngrams(of_ngrams, n_ngrams, of_words, n_words, multiplier)
                for i in range(n_ngrams):
                    bucket = (of_ngrams[i] >> shift) % <uint64_t> buckets
                    seen[bucket >> 6] |= <uint64_t> 1 << (bucket & 63)
        for i in range(seen.shape[0]):
            at += __builtin_popcountll(seen[i])
    found = np.empty(at, np.int64)
    cdef int64_t[::1] found_view = found
    with nogil:
        at = 0
        for i in range(seen.shape[0]):
            rest = seen[i]
            while rest:
                found_view[at] = 64 * i + __builtin_ctzll(rest)
                at += 1
                rest &= rest - 1
    return found


def table_of(const int64_t[::1] found, int64_t buckets):
    """Return a table of the buckets that have rows: [64 buckets][bits, number of bits before them]."""
    table = np.zeros((buckets // 64 + 1, 2), np.uint64)
    cdef uint64_t[:, ::1] view = table
    cdef int64_t i
    cdef uint64_t before = 0
    with nogil:
        for i in range(found.shape[0]):
            view[found[i] >> 6, 0] |= <uint64_t> 1 << (found[i] & 63)
        for i in range(view.shape[0]):
            view[i, 1] = before
            before += __builtin_popcountll(view[i, 0])
    return table


def places(const int32_t[::1] found, const uint64_t[:, ::1] table):
    """Return which of the buckets that have rows each one is, in rising order, or -1."""
    cdef int64_t i
    cdef uint64_t bits, bit
    result = np.empty(found.shape[0], np.int32)
    cdef int32_t[::1] view = result
    with nogil:
        for i in range(found.shape[0]):
            bits = table[found[i] >> 6, 0]
            bit = <uint64_t> 1 << (found[i] & 63)
            view[i] = -1
            if bits & bit:
                view[i] = <int32_t> (table[found[i] >> 6, 1] + __builtin_popcountll(bits & (bit - 1)))
    return result


def find_rows(
    const int32_t[::1] words, const int64_t[::1] offsets, const int32_t[::1] rows_of_words,
    const int64_t[::1] row_offsets_of_words, const uint64_t[::1] hashes, int64_t longest, int64_t buckets,
    uint64_t multiplier, int shift, const uint64_t[:, ::1] table, int32_t first_row
):
    """Return the rows of every document: of its words in order, then of its n-grams, the shortest first."""
    cdef int64_t n_documents = offsets.shape[0] - 1, n_words, n_ngrams, document, n, _n, i, at = 0
    cdef uint64_t bucket, bits, bit
    cdef int32_t word
    cdef uint64_t[:, ::1] room = np.empty((2, longest_of(offsets) + 1), np.uint64)
    cdef uint64_t *of_words = &room[0, 0]
    cdef uint64_t *of_ngrams = &room[1, 0]
    row_offsets = np.zeros(n_documents + 1, np.int64)
    cdef int64_t[::1] row_offsets_view = row_offsets
    with nogil:
        for document in range(n_documents):
            n_words = offsets[document + 1] - offsets[document]
            for i in range(offsets[document], offsets[document + 1]):
                at += row_offsets_of_words[words[i] + 1] - row_offsets_of_words[words[i]]
            for n in range(1, min(longest, n_words)):
                at += n_words - n
    rows = np.empty(at + 1, np.int32)
    cdef int32_t[::1] rows_view = rows
    with nogil:
        at = 0
        for document in range(n_documents):
            for i in range(offsets[document], offsets[document + 1]):
                word = words[i]
                for n in range(row_offsets_of_words[word], row_offsets_of_words[word + 1]):
                    rows_view[at] = rows_of_words[n]
                    at += 1
            if longest > 1:
                n_words = n_ngrams = start_ngrams(
                    words, offsets[document], offsets[document + 1], hashes, of_words, of_ngrams
                )
                for _n in range(2, longest + 1):
                    n_ngrams = lengthen_ngrams(of_ngrams, n_ngrams, of_words, n_words, multiplier)
                    for i in range(n_ngrams):
                        bucket = (of_ngrams[i] >> shift) % <uint64_t> buckets
                        bits = table[bucket >> 6, 0]
                        bit = <uint64_t> 1 << (bucket & 63)
                        rows_view[at] = first_row + <int32_t> (
                            table[bucket >> 6, 1] + __builtin_popcountll(bits & (bit - 1))
                        )
                        at += (bits & bit) != 0
            row_offsets_view[document + 1] = at
    return rows[:at], row_offsets
