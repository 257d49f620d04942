"""Sets of outputs that take turns with a mean of rows: each meets it as the sets before have moved the rows.

The steps of ``mean.pxd``, one after the other, for the same inputs. These are read before the first set and
written after the last: with h = s Σ_i x_i as there, h moves by s times the sum of the moves of its inputs,
which is the same multiple of e for each set.
"""

from libc.string cimport memset

from .exposures cimport exposure_of
from .mean cimport (
    add_to_rows, average, expose_inputs, gradient_scale_of, reach_of, scale_of, update_outputs,
)
from .step cimport Step, compute_coefficients, compute_loss, expose_outputs, use_inputs
from .vector cimport LANES, broadcast, lanes, load, noinline_void, prefetch_to_write, store


cdef struct Turns:
    # of inputs, whose mean is step.hidden; behind it is the sum of the e of all sets
    float **rows
    Py_ssize_t n_moved         # the first of them
    float gradient_scale       # of e, for each of these
    float reach                # how far h moves for an e
    float full_reach           # the same if no row was frozen, or repeated some other
    float exposure             # Σ p (1 − p) of all sets


cdef inline Py_ssize_t count_moves(float **rows, Py_ssize_t n_rows, Py_ssize_t n_moved) noexcept nogil:
    """How often the rows move, added up over all of them, when each of the first n_moved moves once."""
    cdef Py_ssize_t i, k, n = 0
    for i in range(n_rows):
        for k in range(n_moved):
            n += rows[k] == rows[i]
    return n


cdef inline void begin_turns(
    Turns *turns, Step *step, float **rows, Py_ssize_t n_rows, Py_ssize_t n_moved, bint repeated, bint mean,
    bint scale_gradient,
) noexcept nogil:
    """Take inputs as take_mean_step(); repeated: whether some move other than once for each occurrence."""
    cdef float scale = scale_of(n_rows, mean)
    cdef Py_ssize_t moves = count_moves(rows, n_rows, n_moved) if repeated else n_rows
    turns.rows = rows
    turns.n_moved = n_moved
    turns.gradient_scale = gradient_scale_of(n_rows, mean, scale_gradient)
    turns.reach = moves * scale * turns.gradient_scale
    turns.full_reach = reach_of(n_rows, mean, scale_gradient)
    turns.exposure = 0
    average(step.hidden, rows, n_rows, step.begin, step.end, scale)
    use_inputs(step, &step.hidden, 1)
    memset(step.hidden + step.stride, 0, step.stride * sizeof(float))


cdef inline noinline_void update_mean_and_outputs(
    float *hidden, float *e, float **y, const float *g, Py_ssize_t begin, Py_ssize_t end, float reach,
    float **next_rows, Py_ssize_t n_next,
) noexcept nogil:
    """With d = Σₙ gₙ yₙ: yₙ += gₙ h, h += reach · d and e += d; meanwhile next_rows are fetched."""
    cdef float *y0 = y[0]
    cdef float *y1 = y[1]
    cdef float *y2 = y[2]
    cdef float *y3 = y[3]
    cdef float *y4 = y[4]
    cdef float *y5 = y[5]
    cdef lanes g0 = broadcast(g[0]), g1 = broadcast(g[1]), g2 = broadcast(g[2])
    cdef lanes g3 = broadcast(g[3]), g4 = broadcast(g[4]), g5 = broadcast(g[5])
    cdef lanes s = broadcast(reach), h, d, v
    cdef Py_ssize_t k = begin, r
    while k < end:
        for r in range(n_next if k % 16 == 0 else 0):
            prefetch_to_write(next_rows[r] + k)
        h = load(hidden + k)
        v = load(y0 + k)
        d = g0 * v
        store(y0 + k, v + g0 * h)
        v = load(y1 + k)
        d += g1 * v
        store(y1 + k, v + g1 * h)
        v = load(y2 + k)
        d += g2 * v
        store(y2 + k, v + g2 * h)
        v = load(y3 + k)
        d += g3 * v
        store(y3 + k, v + g3 * h)
        v = load(y4 + k)
        d += g4 * v
        store(y4 + k, v + g4 * h)
        v = load(y5 + k)
        d += g5 * v
        store(y5 + k, v + g5 * h)
        store(hidden + k, h + s * d)
        store(e + k, load(e + k) + d)
        k += LANES


cdef inline void update_turn(Turns *turns, Step *step) noexcept nogil:
    """Move the outputs that the step holds, and h."""
    cdef float *e = step.hidden + step.stride
    cdef float *e_of_set = step.copies
    if step.n_blocks == 1:
        update_mean_and_outputs(
            step.hidden, e, step.y, step.coefficients, step.begin, step.end, turns.reach, step.next_rows,
            step.n_next,
        )
        return
    update_outputs(step, e_of_set)
    add_to_rows(&step.hidden, 1, e_of_set, step.begin, step.end, turns.reach)
    add_to_rows(&e, 1, e_of_set, step.begin, step.end, 1)


cdef inline void take_turn(Turns *turns, Step *step, float learning_rate, double *loss) noexcept nogil:
    """Take a step with the outputs that it holds; the loss is added up unless it is NULL."""
    if loss != NULL:
        loss[0] += compute_loss(step)
    compute_coefficients(step, learning_rate)
    update_turn(turns, step)
    if step.exposures != NULL:
        expose_outputs(step, learning_rate)
        turns.exposure += exposure_of(step.of_x)


cdef inline void end_turns(Turns *turns, Step *step) noexcept nogil:
    """Move the inputs."""
    add_to_rows(
        turns.rows, turns.n_moved, step.hidden + step.stride, step.begin, step.end, turns.gradient_scale
    )
    if step.exposures != NULL:
        expose_inputs(step, turns.rows, turns.n_moved, turns.full_reach * turns.exposure)
