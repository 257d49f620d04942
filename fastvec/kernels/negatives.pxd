"""Targets and their negatives, drawn ahead: the output rows of skip-gram and CBOW."""

from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

from .ahead cimport Ring, allocate_ring, free_ring, place_of, rows_of
from .copies cimport Rows, count_uses, exchange, row_of
from .sampling cimport draw_columns, draw_noise
from .step cimport Step, merge_outputs, use_outputs
from .tiles cimport BLOCK
from .vector cimport has_repeats
from .walk cimport Walk, visited


cdef struct Outputs:
    # A ring of positions with as many sets as a position may need. A set is a target and its negatives, in
    # whole blocks. Behind the sets of a position is the input row to be fetched with them.
    Ring ring
    Py_ssize_t sets            # of a position: 1 for the window, or 1 for each of its contexts
    Py_ssize_t negatives       # of a set
    Py_ssize_t set_rows
    bint *repeats              # [position][set]: whether a row of the set occurs twice
    const int32_t *places      # of the words in the matrix; NULL: their numbers
    uint64_t *random           # the draws of all sets of the ring
    Py_ssize_t set_random      # of a set, in whole eights
    int32_t *words             # of one set, in room
    int32_t *room
    const int32_t *row_of      # the output row of each word; NULL: each word has its own
    Py_ssize_t stop            # the first position that is not drawn yet


cdef inline int allocate_outputs(Outputs *outputs, Py_ssize_t negatives, Py_ssize_t sets) noexcept nogil:
    """Return 0 on success; to be freed by free_outputs in any case."""
    # few, so that the ring leaves the cache to the rows; many, so that the noise table's misses overlap
    cdef Py_ssize_t n_positions = 32 if sets == 1 else 8
    cdef bint failed
    outputs.places = NULL
    outputs.sets = sets
    outputs.negatives = negatives
    outputs.set_rows = negatives // BLOCK * BLOCK + BLOCK
    failed = allocate_ring(&outputs.ring, n_positions, sets * outputs.set_rows + 1) != 0
    outputs.set_random = (negatives + 7) // 8 * 8
    outputs.random = <uint64_t *>malloc(n_positions * sets * outputs.set_random * sizeof(uint64_t))
    outputs.repeats = <bint *>malloc(n_positions * sets * sizeof(bint))
    # has_repeats() reads up to a register before and behind the words
    outputs.room = <int32_t *>calloc(16 + 1 + negatives + 16, sizeof(int32_t))
    outputs.words = outputs.room + 16
    outputs.row_of = NULL
    failed |= outputs.random == NULL or outputs.repeats == NULL or outputs.room == NULL
    return -1 if failed else 0


cdef inline void free_outputs(Outputs *outputs) noexcept nogil:
    free_ring(&outputs.ring)
    free(outputs.random)
    free(outputs.repeats)
    free(outputs.room)


cdef inline float **rows_of_set(const Outputs *outputs, Py_ssize_t i, Py_ssize_t s) noexcept nogil:
    return rows_of(&outputs.ring, i) + s * outputs.set_rows


cdef inline bint *repeats_of(const Outputs *outputs, Py_ssize_t i) noexcept nogil:
    return outputs.repeats + place_of(&outputs.ring, i) * outputs.sets


cdef inline Py_ssize_t sets_of(const Outputs *outputs, const Walk *walk, Py_ssize_t number) noexcept nogil:
    cdef Py_ssize_t i = visited(walk, number)
    return 1 if outputs.sets == 1 else walk.end[i] - walk.begin[i] - 1


cdef inline void use_set(Step *step, const Outputs *outputs, Py_ssize_t i, Py_ssize_t s) noexcept nogil:
    """Take set s of position i as the outputs of a step."""
    if repeats_of(outputs, i)[s]:
        merge_outputs(step, rows_of_set(outputs, i, s), 1 + outputs.negatives)
    else:
        use_outputs(step, rows_of_set(outputs, i, s), 1 + outputs.negatives)


cdef inline void find_set(
    Outputs *outputs, const Step *step, Py_ssize_t i, Py_ssize_t s, int32_t target, const uint64_t *random,
    Rows *output_vectors, const uint32_t *noise, uint32_t n_words,
) noexcept nogil:
    """Find the rows of set s of position i: a target and the negatives that were drawn."""
    cdef Py_ssize_t k
    cdef float **rows = rows_of_set(outputs, i, s)
    outputs.words[0] = target
    for k in range(outputs.negatives):
        outputs.words[1 + k] = draw_noise(random[k], noise, n_words)
    for k in range(outputs.negatives if outputs.places != NULL else 0):
        outputs.words[1 + k] = outputs.places[outputs.words[1 + k]]
    for k in range(1 + outputs.negatives):
        rows[k] = row_of(output_vectors, outputs.words[k])
    for k in range(1 + outputs.negatives, outputs.set_rows):
        rows[k] = step.zero_row
    count_uses(output_vectors, outputs.words, 1 + outputs.negatives)
    repeats_of(outputs, i)[s] = has_repeats(outputs.words, 1 + outputs.negatives)


cdef inline void draw_outputs(
    Outputs *outputs, const Step *step, const Walk *walk, Py_ssize_t current, Py_ssize_t window,
    Rows *input_vectors, Rows *output_vectors, const uint32_t *noise, uint32_t n_words, uint64_t key,
) noexcept nogil:
    """Fill the ring from the current position on: draw negatives, find rows, and the input row to fetch next.

    The noise table is larger than the nearest caches: its columns are fetched for all positions first.
    """
    cdef Py_ssize_t i, s, n_sets, word, entering, stop = min(current + outputs.ring.n_positions, walk.last)
    cdef int32_t target
    cdef uint64_t counter
    cdef uint64_t *random = outputs.random
    exchange(input_vectors)
    exchange(output_vectors)
    for i in range(outputs.stop, stop):
        counter = walk.positions[visited(walk, i)] * (1 + outputs.sets * outputs.negatives) + 1
        for _ in range(sets_of(outputs, walk, i)):
            draw_columns(random, outputs.negatives, key, counter, noise, n_words)
            counter += outputs.negatives
            random += outputs.set_random
    random = outputs.random
    for i in range(outputs.stop, stop):
        n_sets = sets_of(outputs, walk, i)
        word = visited(walk, i)
        target = walk.words[word]
        if outputs.row_of != NULL:
            target = outputs.row_of[target]
        for s in range(n_sets):
            find_set(outputs, step, i, s, target, random, output_vectors, noise, n_words)
            random += outputs.set_random
        entering = min(word + window, walk.last - 1)
        rows_of_set(outputs, i, n_sets)[0] = row_of(input_vectors, walk.words[entering])
        count_uses(input_vectors, walk.words + entering, 1)
        outputs.ring.n_rows[place_of(&outputs.ring, i)] = n_sets * outputs.set_rows + 1
    outputs.stop = stop
