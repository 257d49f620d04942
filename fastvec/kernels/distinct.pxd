"""Rows that occur several times in one mean: which of them are new, told by a hash table of what was seen."""

from libc.stdint cimport uint64_t
from libc.stdlib cimport calloc, free


cdef struct Slot:
    uint64_t key
    uint64_t round             # in which the key was seen; a slot of another round is empty


cdef struct Seen:
    Slot *slots
    Py_ssize_t n_slots         # a power of 2, twice as many as keys or more
    uint64_t round


cdef inline int make_room(Seen *seen, Py_ssize_t n_keys) noexcept nogil:
    """Make room for n keys and forget all; return 0 on success. Zeros at first, slots to be freed at last."""
    cdef Py_ssize_t n_slots = max(<Py_ssize_t>64, seen.n_slots)
    seen.round += 1
    while n_slots < 2 * n_keys:
        n_slots *= 2
    if n_slots > seen.n_slots:
        free(seen.slots)
        seen.slots = <Slot *>calloc(n_slots, sizeof(Slot))
        seen.n_slots = n_slots if seen.slots != NULL else 0
    return 0 if seen.slots != NULL else -1


cdef inline bint is_new(Seen *seen, uint64_t key) noexcept nogil:
    """Whether the key has not been seen in this round; from now on it has."""
    # the upper half of a product with 2⁶⁴ / the golden ratio, in which all bits of the key take part
    cdef Py_ssize_t i = (key * <uint64_t>0x9E3779B97F4A7C15 >> 32) & (seen.n_slots - 1)
    while seen.slots[i].round == seen.round:
        if seen.slots[i].key == key:
            return False
        i = (i + 1) & (seen.n_slots - 1)
    seen.slots[i].key = key
    seen.slots[i].round = seen.round
    return True


cdef inline Py_ssize_t move_repeats_behind(Seen *seen, float **rows, Py_ssize_t n_rows) noexcept nogil:
    """Put the distinct rows first, in their order, the repetitions behind them; return how many are distinct.

    There is to be room for them all.
    """
    cdef Py_ssize_t i, n = 0
    cdef float *row
    seen.round += 1
    for i in range(n_rows):
        row = rows[i]
        if is_new(seen, <uint64_t><size_t>row):
            rows[i] = rows[n]
            rows[n] = row
            n += 1
    return n
