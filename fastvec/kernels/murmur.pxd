"""MurmurHash3 of 128 bits for 64-bit processors, byte by byte: see reference/ngrams.py."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef enum:
    FLORET_SEED = 2166136261

cdef struct Murmur:
    uint64_t h[2]
    uint64_t k[2]  # the last bytes, up to 16, that are not in `h` yet
    int64_t n_bytes


cdef inline uint64_t turned(uint64_t x, int bits) noexcept nogil:
    return x << bits | x >> (64 - bits)


cdef inline uint64_t first_mixed(uint64_t k) noexcept nogil:
    return turned(k * <uint64_t> 0x87c37b91114253d5, 31) * <uint64_t> 0x4cf5ad432745937f


cdef inline uint64_t second_mixed(uint64_t k) noexcept nogil:
    return turned(k * <uint64_t> 0x4cf5ad432745937f, 33) * <uint64_t> 0x87c37b91114253d5


cdef inline uint64_t scattered(uint64_t h) noexcept nogil:
    h = (h ^ h >> 33) * <uint64_t> 0xff51afd7ed558ccd
    h = (h ^ h >> 33) * <uint64_t> 0xc4ceb9fe1a85ec53
    return h ^ h >> 33


cdef inline Murmur murmur_start() noexcept nogil:
    cdef Murmur state
    state.h[0] = state.h[1] = <uint64_t> FLORET_SEED
    state.k[0] = state.k[1] = 0
    state.n_bytes = 0
    return state


cdef inline void add_byte(Murmur *state, uint8_t byte) noexcept nogil:
    cdef int place = state.n_bytes & 15
    state.k[place >> 3] |= <uint64_t> byte << 8 * (place & 7)
    state.n_bytes += 1
    if place == 15:
        state.h[0] = (turned(state.h[0] ^ first_mixed(state.k[0]), 27) + state.h[1]) * 5 + 0x52dce729
        state.h[1] = (turned(state.h[1] ^ second_mixed(state.k[1]), 31) + state.h[0]) * 5 + 0x38495ab5
        state.k[0] = state.k[1] = 0


cdef inline void murmur_hash(const Murmur *state, uint64_t *hashed) noexcept nogil:
    """Write the hash of the bytes so far, two numbers, into `hashed` [OUT]."""
    cdef uint64_t a = state.h[0] ^ first_mixed(state.k[0]) ^ <uint64_t> state.n_bytes
    cdef uint64_t b = state.h[1] ^ second_mixed(state.k[1]) ^ <uint64_t> state.n_bytes
    a += b
    b += a
    a = scattered(a)
    b = scattered(b)
    hashed[0] = a + b
    hashed[1] = a + 2 * b
