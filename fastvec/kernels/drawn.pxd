"""Output rows drawn ahead of their use, so that they can be fetched into the cache meanwhile."""

from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

from .logistic cimport Step
from .sampling cimport draw_columns, draw_noise
from .tiles cimport BLOCK
from .vector cimport has_repeats
from .walk cimport Walk

cdef enum:
    FETCHED = 10240    # bytes of rows on their way, a fifth of the first-level cache


cdef struct Drawn:
    # A ring of positions with the rows of their outputs: as many sets as a position may need, a set being a
    # target and its negatives, in whole blocks; and behind the sets of a position other rows to be fetched.
    Py_ssize_t capacity        # positions, a power of 2
    Py_ssize_t sets            # of a position
    Py_ssize_t negatives       # of a set
    Py_ssize_t set_rows
    Py_ssize_t position_rows
    float **rows               # [position][position_rows]
    bint *repeats              # [position][set]: whether a row of the set occurs twice
    uint64_t *random           # the draws of all sets of the ring
    Py_ssize_t set_random      # of a set, in whole eights
    int32_t *words             # of one set, in room
    int32_t *room
    Py_ssize_t stop            # the first position that is not drawn yet


cdef inline int allocate_drawn(
    Drawn *drawn, Py_ssize_t negatives, Py_ssize_t sets, Py_ssize_t other_rows
) noexcept nogil:
    """Return 0 on success; to be freed by free_drawn in any case."""
    # few, so that the ring leaves the cache to the rows; many, so that the noise table's misses overlap
    drawn.capacity = 32 if sets == 1 else 8
    drawn.sets = sets
    drawn.negatives = negatives
    drawn.set_rows = negatives // BLOCK * BLOCK + BLOCK
    drawn.position_rows = sets * drawn.set_rows + other_rows
    drawn.rows = <float **>malloc(drawn.capacity * drawn.position_rows * sizeof(float *))
    drawn.set_random = (negatives + 7) // 8 * 8
    drawn.random = <uint64_t *>malloc(drawn.capacity * sets * drawn.set_random * sizeof(uint64_t))
    drawn.repeats = <bint *>malloc(drawn.capacity * sets * sizeof(bint))
    # has_repeats() reads up to a register before and behind the words
    drawn.room = <int32_t *>calloc(16 + 1 + negatives + 16, sizeof(int32_t))
    drawn.words = drawn.room + 16
    return 0 if (
        drawn.rows != NULL and drawn.random != NULL and drawn.repeats != NULL and drawn.room != NULL
    ) else -1


cdef inline void free_drawn(Drawn *drawn) noexcept nogil:
    free(drawn.rows)
    free(drawn.random)
    free(drawn.repeats)
    free(drawn.room)


cdef inline Py_ssize_t rows_ahead(Py_ssize_t position_rows, Py_ssize_t stride) noexcept nogil:
    """Positions between the prefetch of rows and their use: they must not crowd out those in use."""
    return max(
        <Py_ssize_t>1, min(<Py_ssize_t>4, FETCHED // (position_rows * stride * <Py_ssize_t>sizeof(float)))
    )


cdef inline float **rows_of(const Drawn *drawn, Py_ssize_t i) noexcept nogil:
    return drawn.rows + (i & (drawn.capacity - 1)) * drawn.position_rows


cdef inline bint *repeats_of(const Drawn *drawn, Py_ssize_t i) noexcept nogil:
    return drawn.repeats + (i & (drawn.capacity - 1)) * drawn.sets


cdef inline Py_ssize_t sets_of(const Drawn *drawn, const Walk *walk, Py_ssize_t i) noexcept nogil:
    """One for the window, or one for each of its contexts."""
    return 1 if drawn.sets == 1 else walk.end[i] - walk.begin[i] - 1


cdef inline void find_rows(
    Drawn *drawn, const Step *step, Py_ssize_t i, Py_ssize_t s, int32_t target, const uint64_t *random,
    float *output_vectors, const uint32_t *noise, uint32_t n_words,
) noexcept nogil:
    """Find the rows of set s of position i: a target and the negatives that were drawn."""
    cdef Py_ssize_t k
    cdef float **rows = rows_of(drawn, i) + s * drawn.set_rows
    drawn.words[0] = target
    for k in range(drawn.negatives):
        drawn.words[1 + k] = draw_noise(random[k], noise, n_words)
    for k in range(1 + drawn.negatives):
        rows[k] = output_vectors + drawn.words[k] * step.stride
    for k in range(1 + drawn.negatives, drawn.set_rows):
        rows[k] = step.nobody
    repeats_of(drawn, i)[s] = has_repeats(drawn.words, 1 + drawn.negatives)


cdef inline void draw_outputs(
    Drawn *drawn, const Step *step, const Walk *walk, Py_ssize_t window, Py_ssize_t stop,
    float *input_vectors, float *output_vectors, const uint32_t *noise, uint32_t n_words, uint64_t key,
) noexcept nogil:
    """Draw the negatives of the words up to stop, and find the rows; behind them the input row to fetch next.

    The noise table is larger than the nearest caches: its columns are fetched for all positions first.
    """
    cdef Py_ssize_t i, s, n_sets
    cdef uint64_t counter
    cdef uint64_t *random = drawn.random
    for i in range(drawn.stop, stop):
        counter = walk.positions[i] * (1 + drawn.sets * drawn.negatives) + 1
        for _ in range(sets_of(drawn, walk, i)):
            draw_columns(random, drawn.negatives, key, counter, noise, n_words)
            counter += drawn.negatives
            random += drawn.set_random
    random = drawn.random
    for i in range(drawn.stop, stop):
        n_sets = sets_of(drawn, walk, i)
        for s in range(n_sets):
            find_rows(drawn, step, i, s, walk.words[i], random, output_vectors, noise, n_words)
            random += drawn.set_random
        rows_of(drawn, i)[n_sets * drawn.set_rows] = (
            input_vectors + walk.words[min(i + window, walk.last - 1)] * step.stride
        )
    drawn.stop = stop
