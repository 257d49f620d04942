"""What models draw while they walk over a corpus, as reference/sampling.py and the same numbers."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from .vector cimport mix64, prefetch_to_read

cdef extern from *:
    """
    /* 2^64 / golden ratio, odd: SplitMix64's increment */
    #define GOLDEN UINT64_C(0x9e3779b97f4a7c15)
    """
    const uint64_t GOLDEN


cdef inline uint64_t draw(uint64_t key, uint64_t counter) noexcept nogil:
    return mix64(key + counter * GOLDEN)


cdef inline bint is_kept(uint64_t word, uint32_t keep) noexcept nogil:
    """True with probability (keep + 1) / 2³²: the upper half of the token's first draw."""
    return <uint32_t>(word >> 32) <= keep


cdef inline int32_t window_size(uint64_t word, uint32_t smallest, uint32_t window) noexcept nogil:
    """Uniform in smallest..window: the lower half of the token's first draw."""
    return <int32_t>(smallest + ((<uint64_t><uint32_t>word * (window + 1 - smallest)) >> 32))


cdef inline const uint32_t *noise_column(
    uint64_t word, const uint32_t *noise, uint32_t n_words
) noexcept nogil:
    """The row (threshold, alias) of the alias table `noise` that a draw chooses (Walker 1974, Vose 1991)."""
    return noise + 2 * (((word >> 32) * n_words) >> 32)


cdef inline void draw_columns(
    uint64_t *words, Py_ssize_t n, uint64_t key, uint64_t counter, const uint32_t *noise, uint32_t n_words
) noexcept nogil:
    """Fill words[0:n], and up to 7 more, with draws from counter on, and fetch their columns of the table."""
    cdef Py_ssize_t i = 0, k
    while i < n:
        for k in range(8):
            words[i + k] = draw(key, counter + i + k)
        i += 8
    for i in range(n):
        prefetch_to_read(noise_column(words[i], noise, n_words))


cdef inline int32_t draw_noise(uint64_t word, const uint32_t *noise, uint32_t n_words) noexcept nogil:
    """A word from the alias table: the column's own or its alias."""
    cdef const uint32_t *entry = noise_column(word, noise, n_words)
    cdef uint32_t column = <uint32_t>((entry - noise) // 2)
    # a select without a branch: the coin cannot be predicted
    cdef uint32_t mask = <uint32_t>0 - <uint32_t>(<uint32_t>word >= entry[0])
    return <int32_t>(column ^ ((column ^ entry[1]) & mask))
