"""What steps tell of the rows they move: Σ p (1 − p) of the scores of each, as reference/rounds.py.

They are found from the coefficients of a step, −η p and η (1 − p), after these were used. What is known of a
row of x is kept as one number for each output of a block, of which six count, until it is added up.
"""

from libc.stdint cimport int32_t, uint64_t

from .tiles cimport BLOCK, SLOTS
from .vector cimport noinline_void, prefetch_to_write

cdef extern from *:
    """
    #include <stdint.h>
    /* What a score adds at least, so that a row that is used can be told from others. */
    static const float LEAST_EXPOSURE = 1e-9f;
    typedef float exposed_slots __attribute__((vector_size(32), aligned(4), may_alias));
    /* From the coefficients of a block, p (1 - p), per_rate being 1 / η: the sums of outputs, and what of_x
       gets of each row of x, at its place, or one behind it from the gap on. */
    static inline void expose_scores(
        const float *g, intptr_t n_x, const float *positives, const float *counts, float per_rate,
        const float *x_counts, float *of_x, const int32_t *places, intptr_t gap, float *of_y) {
        typedef exposed_slots slots;
        const slots positive = *(const slots *)positives, count = *(const slots *)counts;
        const slots per_coefficient = (2 * positive - 1) * per_rate;
        const slots per_count = 1 / (count + 1e-30f); /* of places without an output, too, which count 0 */
        const slots least = {LEAST_EXPOSURE};
        slots sum = {0};
        for (intptr_t c = 0; c < n_x; c++) {
            const float times = x_counts ? x_counts[c] : 1, each = x_counts ? 1 / times : 1;
            const slots u = *(const slots *)(g + 8 * c) * (per_coefficient * each); /* p or 1 - p, by count */
            const slots own = (u - u * u * per_count) * times;
            sum += own;
            *(slots *)(of_x + 8 * (places[c] + (places[c] >= gap))) += own + least;
        }
        *(slots *)of_y = sum + LEAST_EXPOSURE;
    }
    static inline float exposure_of(const float *of_x) {
        const exposed_slots own = *(const exposed_slots *)of_x;
        return ((own[0] + own[1]) + (own[2] + own[3])) + (own[4] + own[5]);
    }
    """
    const float LEAST_EXPOSURE
    void expose_scores(
        const float *g, Py_ssize_t n_x, const float *positives, const float *counts, float per_rate,
        const float *x_counts, float *of_x, const int32_t *places, Py_ssize_t gap, float *of_y) nogil
    float exposure_of(const float *of_x) nogil


cdef enum:
    AT_ONCE = 512  # scores whose sums wait; they are anywhere in memory, and fetched together
    AHEAD = 64     # of them that are fetched before they are needed: adding one takes few cycles


cdef struct Exposures:
    float *sums                # [2][n_rows], of inputs and of outputs
    Py_ssize_t n_rows
    const float *input_vectors
    const float *output_vectors
    int shift                  # the stride is a power of two, 2 ** shift, times an odd number,
    uint64_t inverse           # of which this is the inverse modulo 2⁶⁴
    float[AT_ONCE] scores      # that are not added yet
    int32_t[AT_ONCE] places
    Py_ssize_t n


cdef inline void divide_by(Exposures *exposures, uint64_t stride) noexcept nogil:
    """Prepare exact divisions by a stride."""
    exposures.shift = 0
    while stride % 2 == 0:
        stride //= 2
        exposures.shift += 1
    exposures.inverse = stride
    while stride * exposures.inverse != 1:  # Newton's method: the number of right bits doubles
        exposures.inverse *= 2 - stride * exposures.inverse


cdef inline int use_exposures(
    Exposures *exposures, float[:, ::1] given, const float[:, ::1] input_vectors,
    const float[:, ::1] output_vectors,
) except -1:
    cdef Py_ssize_t n_rows = max(input_vectors.shape[0], output_vectors.shape[0])
    if given.shape[0] != 2 or given.shape[1] < n_rows:
        raise ValueError(
            f"exposures must be 2 rows of {n_rows} numbers, got {(given.shape[0], given.shape[1])}"
        )
    exposures.sums = &given[0, 0]
    exposures.n_rows = given.shape[1]
    exposures.input_vectors = &input_vectors[0, 0]
    exposures.output_vectors = &output_vectors[0, 0]
    divide_by(exposures, input_vectors.shape[1])
    exposures.n = 0
    return 0


cdef inline noinline_void add_exposures(Exposures *exposures) noexcept nogil:
    """Add what waits to the sums."""
    cdef Py_ssize_t i
    for i in range(exposures.n):
        if i + AHEAD < exposures.n:
            prefetch_to_write(exposures.sums + exposures.places[i + AHEAD])
        exposures.sums[exposures.places[i]] += exposures.scores[i]
    exposures.n = 0


cdef inline void make_room(Exposures *exposures, Py_ssize_t n) noexcept nogil:
    if exposures.n > AT_ONCE - n:
        add_exposures(exposures)


cdef inline void expose(
    Exposures *exposures, const float *row, const float *matrix, Py_ssize_t first, float score
) noexcept nogil:
    # which row it is by an exact division: shifted and multiplied, it takes a few cycles
    cdef uint64_t number = (<uint64_t>(row - matrix) >> exposures.shift) * exposures.inverse
    exposures.places[exposures.n] = <int32_t>(<uint64_t>first + number)
    exposures.scores[exposures.n] = score
    exposures.n += 1


cdef inline void expose_input(Exposures *exposures, const float *row, float score) noexcept nogil:
    make_room(exposures, 1)
    expose(exposures, row, exposures.input_vectors, 0, score + LEAST_EXPOSURE)


cdef inline noinline_void expose_block(
    Exposures *exposures, const float *g, Py_ssize_t n_x, float **y, const float *positives,
    const float *counts, const float *zero_row, float learning_rate, const float *x_counts, float *of_x,
    const int32_t *places, Py_ssize_t gap,
) noexcept nogil:
    """Expose the outputs of a block, and add to of_x what rows of x are exposed to by it."""
    cdef float[SLOTS] of_y
    cdef Py_ssize_t n
    expose_scores(g, n_x, positives, counts, 1 / learning_rate, x_counts, of_x, places, gap, of_y)
    make_room(exposures, BLOCK)
    for n in range(BLOCK):
        if y[n] != zero_row:
            expose(exposures, y[n], exposures.output_vectors, exposures.n_rows, of_y[n])


cdef inline noinline_void expose_words(
    Exposures *exposures, float **rows, const float *of_words, Py_ssize_t n
) noexcept nogil:
    """Expose the rows of words that were contexts."""
    cdef Py_ssize_t i
    cdef float exposure
    for i in range(n):
        exposure = exposure_of(of_words + i * SLOTS)
        if exposure > 0:
            expose_input(exposures, rows[i], exposure)
