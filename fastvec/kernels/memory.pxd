"""Memory that begins on a cache line, from ``malloc``: no function for it is on every platform."""

from libc.stdint cimport uintptr_t
from libc.stdlib cimport malloc
from libc.string cimport memset

cdef enum:
    CACHE_LINE = 64


cdef inline void *allocate_zeros(void **memory, Py_ssize_t size) noexcept nogil:
    """Return `size` zeros on a cache line, or NULL, and in `memory` what the caller has to free."""
    memory[0] = malloc(size + CACHE_LINE - 1)
    if memory[0] == NULL:
        return NULL
    return memset(<void *>((<uintptr_t>memory[0] + CACHE_LINE - 1) // CACHE_LINE * CACHE_LINE), 0, size)


cdef inline void *reserve(char **room, Py_ssize_t size) noexcept nogil:
    """Return where room begins, and move that behind the size, to the next cache line."""
    cdef void *part = room[0]
    room[0] += (size + CACHE_LINE - 1) // CACHE_LINE * CACHE_LINE
    return part
