"""FNV-1a of 32 bits, byte by byte, with fastText's mistake: see reference/ngrams.py."""

from libc.stdint cimport int8_t, uint8_t, uint32_t

cdef enum:
    PRIME = 16777619


cdef inline uint32_t fnv_start() noexcept nogil:
    return 2166136261


cdef inline uint32_t with_byte(uint32_t hashed, uint8_t byte) noexcept nogil:
    return (hashed ^ <uint32_t> <int8_t> byte) * <uint32_t> PRIME
