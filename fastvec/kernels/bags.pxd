"""Bags of rows: those of a word and its n-grams, or of all contexts of a word."""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memset

from .walk cimport Walk


cdef enum:
    MAX_FETCHED = 32   # rows of a word that are fetched ahead


cdef struct Bag:
    float **rows
    Py_ssize_t n
    Py_ssize_t n_first         # of these, the rows that move without scale_gradient
    Py_ssize_t room
    float *matrix
    Py_ssize_t stride
    const int64_t *offsets     # the rows of word w: different ones from 2w to 2w + 1, repetitions to 2w + 2
    const int32_t *subwords


cdef inline void use_rows(
    Bag *bag, float *matrix, Py_ssize_t stride, const int64_t *offsets, const int32_t *subwords
) noexcept nogil:
    """Take rows of a matrix; to be freed by free_bag."""
    memset(bag, 0, sizeof(Bag))
    bag.matrix = matrix
    bag.stride = stride
    bag.offsets = offsets
    bag.subwords = subwords


cdef inline void free_bag(Bag *bag) noexcept nogil:
    free(bag.rows)


cdef inline int add_rows(Bag *bag, int64_t begin, int64_t end) noexcept nogil:
    """Add subwords[begin:end]; return 0 on success."""
    cdef Py_ssize_t k, n = end - begin
    cdef float **larger
    if bag.n + n > bag.room:
        # copy_rows() reads up to seven more
        larger = <float **>realloc(bag.rows, (2 * (bag.n + n) + 7) * sizeof(float *))
        if larger == NULL:
            return -1
        bag.rows = larger
        bag.room = 2 * (bag.n + n)
    for k in range(n):
        bag.rows[bag.n + k] = bag.matrix + bag.subwords[begin + k] * bag.stride
    bag.n += n
    return 0


cdef inline Py_ssize_t note_rows_of(const Bag *bag, int32_t word, float **rows) noexcept nogil:
    """Note the first rows of a word, MAX_FETCHED at most, to be fetched; return how many."""
    cdef const int32_t *subwords = bag.subwords + bag.offsets[2 * word]
    cdef Py_ssize_t k, n = min(<Py_ssize_t>MAX_FETCHED, bag.offsets[2 * word + 1] - bag.offsets[2 * word])
    for k in range(n):
        rows[k] = bag.matrix + subwords[k] * bag.stride
    return n


cdef inline int take_rows_of(Bag *bag, int32_t word) noexcept nogil:
    """Take the rows of a word into the bag; return 0 on success."""
    cdef const int64_t *offsets = bag.offsets + 2 * word
    bag.n = 0
    bag.n_first = offsets[1] - offsets[0]
    return add_rows(bag, offsets[0], offsets[2])


cdef inline int take_rows_of_contexts(Bag *bag, const Walk *walk, Py_ssize_t i) noexcept nogil:
    """Take the rows of the contexts of words[i] into the bag; return 0 on success."""
    cdef const int64_t *offsets
    cdef Py_ssize_t place
    cdef bint failed = False
    bag.n = 0
    for place in range(walk.begin[i], walk.end[i]):
        offsets = bag.offsets + 2 * walk.words[place]
        if place != i:
            failed |= add_rows(bag, offsets[0], offsets[1]) != 0
    bag.n_first = bag.n
    for place in range(walk.begin[i], walk.end[i]):
        offsets = bag.offsets + 2 * walk.words[place]
        if place != i and offsets[1] < offsets[2]:
            failed |= add_rows(bag, offsets[1], offsets[2]) != 0
    return -1 if failed else 0
