"""Character n-grams of words, as reference/ngrams.py."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset

import numpy as np

from .distinct cimport Seen, is_new, make_room
from .fnv cimport fnv_start, with_byte
from .murmur cimport Murmur, add_byte, murmur_hash, murmur_start


cdef inline bint continues(uint8_t c) noexcept nogil:
    return (c & 0xC0) == 0x80


cdef inline uint8_t byte_at(const uint8_t[::1] text, int64_t start, int64_t stop, int64_t i) noexcept nogil:
    """Return byte i of a word with its brackets, which stand at start - 1 and at stop."""
    return c"<" if i < start else c">" if i == stop else text[i]


cdef inline bint is_sentence_end(const uint8_t[::1] text, int64_t start, int64_t stop) noexcept nogil:
    """Tell whether a word is ``</s>``, which has no n-grams."""
    return (
        stop - start == 4 and text[start] == c"<" and text[start + 1] == c"/" and text[start + 2] == c"s"
        and text[start + 3] == c">"
    )


cdef int64_t n_ngrams(
    const uint8_t[::1] text, int64_t start, int64_t stop, int64_t min_n, int64_t max_n
) noexcept nogil:
    cdef int64_t i, first, last, n_characters = 2
    for i in range(start, stop):
        n_characters += not continues(text[i])
    first = max(min_n, 1)
    last = min(max_n, n_characters)
    if first > last:
        return 0
    # For every n from first to last there are n_characters - n + 1, but for the two brackets alone.
    return (last - first + 1) * (2 * n_characters + 2 - first - last) // 2 - (2 if first == 1 else 0)


cdef int64_t add_buckets(
    const Murmur *state, uint32_t buckets, int64_t hash_count, int32_t[::1] hashes, int64_t at
) noexcept nogil:
    """Write the buckets of one n-gram into `hashes` [OUT] from `at` on; return where the next ones go."""
    cdef int64_t i
    cdef uint64_t[2] hashed
    murmur_hash(state, hashed)
    for i in range(hash_count):
        hashes[at + i] = <int32_t> (<uint32_t> (hashed[i // 2] >> 32 * (i % 2)) % buckets)
    return at + hash_count


cdef void hash_ngrams(
    const uint8_t[::1] text, int64_t start, int64_t stop, int64_t min_n, int64_t max_n, uint32_t buckets,
    int64_t hash_count, int32_t[::1] hashes, int64_t at
) noexcept nogil:
    """Write the hashes of a word's n-grams into `hashes` [OUT] from `at` on."""
    cdef int64_t i, j, n
    cdef uint32_t hashed
    cdef uint8_t c
    cdef Murmur state = murmur_start()
    if hash_count:
        for i in range(start - 1, stop + 1):
            add_byte(&state, byte_at(text, start, stop, i))
        at = add_buckets(&state, buckets, hash_count, hashes, at)
    if max_n == 0:
        return
    for i in range(start - 1, stop + 1):
        if continues(byte_at(text, start, stop, i)):
            continue
        hashed = fnv_start()
        if hash_count:
            state = murmur_start()
        n = 0
        for j in range(i, stop + 1):
            c = byte_at(text, start, stop, j)
            if hash_count:
                add_byte(&state, c)
            else:
                hashed = with_byte(hashed, c)
            if j < stop and continues(byte_at(text, start, stop, j + 1)):
                continue
            n += 1
            if n >= min_n and not (n == 1 and (i < start or j == stop)):
                if hash_count:
                    at = add_buckets(&state, buckets, hash_count, hashes, at)
                else:
                    hashes[at] = <int32_t> (hashed % buckets)
                    at += 1
            if n == max_n:
                break


def ngram_buckets(
    const uint8_t[::1] text, const int64_t[::1] word_offsets, int64_t min_n, int64_t max_n, int64_t buckets,
    int64_t hash_count=0
):
    """Return the buckets of the n-grams of words, with `hash_count` those of the words as well."""
    cdef int64_t n = word_offsets.shape[0] - 1
    cdef int64_t word, start, stop, n_found
    if not 0 <= hash_count <= 4:
        raise ValueError(f"hash_count must be an int from 0 to 4, got {hash_count}")
    if (max_n or hash_count) and not 1 <= buckets <= 0x7FFFFFFF:
        raise ValueError(f"buckets must be an int from 1 to 2147483647, got {buckets}")
    offsets = np.zeros(n + 1, np.int64)
    cdef int64_t[::1] offsets_view = offsets
    with nogil:
        for word in range(n):
            start, stop = word_offsets[word], word_offsets[word + 1]
            n_found = 0
            if hash_count:
                n_found = hash_count * (1 + n_ngrams(text, start, stop, min_n, max_n))
            elif not is_sentence_end(text, start, stop):
                n_found = n_ngrams(text, start, stop, min_n, max_n)
            offsets_view[word + 1] = offsets_view[word] + n_found
    hashes = np.empty(offsets[n], np.int32)
    cdef int32_t[::1] hashes_view = hashes
    with nogil:
        for word in range(n):
            if offsets_view[word] < offsets_view[word + 1]:
                hash_ngrams(
                    text, word_offsets[word], word_offsets[word + 1], min_n, max_n, <uint32_t> buckets,
                    hash_count, hashes_view, offsets_view[word]
                )
    return offsets, hashes


def put_repeats_behind(const int64_t[::1] offsets, int32_t[::1] rows):
    """Reorder the rows of every word: first those that are different, in order, then the repetitions."""
    cdef int64_t n = offsets.shape[0] - 1
    cdef int64_t word, i, end
    cdef int32_t row
    cdef Seen seen
    cdef bint failed = False
    repeats = np.empty(n, np.int64)
    cdef int64_t[::1] repeats_view = repeats
    memset(&seen, 0, sizeof(seen))
    with nogil:
        for word in range(n):
            failed = make_room(&seen, offsets[word + 1] - offsets[word]) != 0
            if failed:
                break
            end = offsets[word]
            for i in range(offsets[word], offsets[word + 1]):
                row = rows[i]
                if is_new(&seen, <uint32_t> row):
                    rows[i] = rows[end]
                    rows[end] = row
                    end += 1
            repeats_view[word] = end
        free(seen.slots)
    if failed:
        raise MemoryError("no memory for the rows of a word")
    return repeats


def row_means(
    const float[:, :] vectors, const int64_t[::1] offsets, const int32_t[::1] rows, float[:, ::1] means
):
    """Write the mean of several rows of a matrix into each row of another."""
    cdef int64_t n = means.shape[0], d = means.shape[1]
    cdef int64_t mean, i, k
    cdef const float *row
    cdef float *total
    cdef float scale
    if n == 0 or d == 0:
        return
    if vectors.strides[1] != sizeof(float):
        raise ValueError("vectors must have the numbers of a row side by side, got another stride")
    with nogil:
        for mean in range(n):
            total = &means[mean, 0]
            row = &vectors[rows[offsets[mean]], 0]
            for k in range(d):
                total[k] = row[k]
            for i in range(offsets[mean] + 1, offsets[mean + 1]):
                row = &vectors[rows[i], 0]
                for k in range(d):
                    total[k] += row[k]
            scale = <float> (1.0 / (offsets[mean + 1] - offsets[mean]))
            for k in range(d):
                total[k] *= scale
