"""What steps tell of the rows they move: Σ p (1 − p) of the scores of each, as reference/rounds.py.

They are found from the coefficients of a step, −η p and η (1 − p), after these were used.
"""

from .tiles cimport BLOCK, SLOTS
from .vector cimport noinline_void, prefetch_to_write

cdef extern from *:
    """
    #include <stdint.h>
    /* What a score adds at least, so that a row that is used can be told from others. */
    static const float LEAST_EXPOSURE = 1e-9f;
    /* From the coefficients of a block, the sums of p (1 - p): of each output, and added to of_x those of x. */
    static inline void expose_scores(
        const float *g, intptr_t n_x, const float *positives, const float *counts, float learning_rate,
        const float *x_counts, float *of_x, float *of_y) {
        typedef float slots __attribute__((vector_size(32), aligned(4), may_alias));
        const slots positive = *(const slots *)positives, count = *(const slots *)counts;
        const slots per_coefficient = (2 * positive - 1) / learning_rate;
        const slots per_count = 1 / (count + 1e-30f); /* of places without an output, too, which count 0 */
        slots sum = {0};
        for (intptr_t c = 0; c < n_x; c++) {
            const float times = x_counts ? x_counts[c] : 1, each = x_counts ? 1 / times : 1;
            const slots u = *(const slots *)(g + 8 * c) * (per_coefficient * each); /* p or 1 - p, by count */
            const slots own = (u - u * u * per_count) * times;
            sum += own;
            of_x[c] += ((own[0] + own[1]) + (own[2] + own[3])) + (own[4] + own[5]);
        }
        *(slots *)of_y = sum;
    }
    """
    const float LEAST_EXPOSURE
    void expose_scores(
        const float *g, Py_ssize_t n_x, const float *positives, const float *counts, float learning_rate,
        const float *x_counts, float *of_x, float *of_y) nogil


cdef struct Exposures:
    float *of_inputs           # [n_rows], to which they are added
    float *of_outputs
    const float *input_vectors
    const float *output_vectors
    double rows_per_float


cdef inline int use_exposures(
    Exposures *exposures, float[:, ::1] given, const float[:, ::1] input_vectors,
    const float[:, ::1] output_vectors,
) except -1:
    cdef Py_ssize_t n_rows = max(input_vectors.shape[0], output_vectors.shape[0])
    if given.shape[0] != 2 or given.shape[1] < n_rows:
        raise ValueError(
            f"exposures must be 2 rows of {n_rows} numbers, got {(given.shape[0], given.shape[1])}"
        )
    exposures.of_inputs = &given[0, 0]
    exposures.of_outputs = &given[1, 0]
    exposures.input_vectors = &input_vectors[0, 0]
    exposures.output_vectors = &output_vectors[0, 0]
    exposures.rows_per_float = 1 / <double>input_vectors.shape[1]
    return 0


cdef inline Py_ssize_t number_of(
    const Exposures *exposures, const float *row, const float *matrix
) noexcept nogil:
    """Which row of a matrix it is, by a product: a division would take as long as a score."""
    return <Py_ssize_t>(<double>(row - matrix) * exposures.rows_per_float + 0.5)


cdef inline float *of_input(const Exposures *exposures, const float *row) noexcept nogil:
    return exposures.of_inputs + number_of(exposures, row, exposures.input_vectors)


cdef inline float *of_output(const Exposures *exposures, const float *row) noexcept nogil:
    return exposures.of_outputs + number_of(exposures, row, exposures.output_vectors)


cdef inline noinline_void fetch_exposures(
    const Exposures *exposures, float **y, Py_ssize_t n_y, const float *zero_row
) noexcept nogil:
    """Fetch those of outputs into the cache before they are needed: negatives are anywhere."""
    cdef Py_ssize_t n
    for n in range(n_y):
        if y[n] != zero_row:
            prefetch_to_write(of_output(exposures, y[n]))


cdef inline void expose(float *sum, float exposure) noexcept nogil:
    sum[0] += exposure + LEAST_EXPOSURE


cdef inline noinline_void expose_block(
    const Exposures *exposures, const float *g, Py_ssize_t n_x, float **y, const float *positives,
    const float *counts, const float *zero_row, float learning_rate, const float *x_counts, float *of_x,
) noexcept nogil:
    """Add what a block of outputs is exposed to, and add to of_x what rows of x are by it."""
    cdef float[SLOTS] of_y
    cdef Py_ssize_t n
    expose_scores(g, n_x, positives, counts, learning_rate, x_counts, of_x, of_y)
    for n in range(BLOCK):
        if y[n] != zero_row:
            expose(of_output(exposures, y[n]), of_y[n])
