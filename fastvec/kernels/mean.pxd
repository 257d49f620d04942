"""A hidden row: the mean or sum of input rows, a step against output rows, and the gradient back to these.

h = s Σ_i x_i with s = 1/n, or 1 for the sum, and e = −η ∂J/∂h; the inputs take x_i ← x_i + s e, and a row
that occurs twice among them takes it twice. Where that is not to be scaled so, the first of them take
e/(n s), and h moves by e.
"""

from libc.string cimport memset

from .exposures cimport expose_input, exposure_of
from .step cimport Step, compute_coefficients, compute_loss, expose_outputs, use_inputs
from .tiles cimport BLOCK
from .vector cimport LANES, broadcast, lanes, load, noinline_void, prefetch_to_write, store


cdef inline noinline_void average(
    float *hidden, float **rows, Py_ssize_t n_rows, Py_ssize_t begin, Py_ssize_t end, float scale
) noexcept nogil:
    """hidden = scale · Σ rows, four columns of registers at a time."""
    cdef lanes s = broadcast(scale), a, b, c, d
    cdef Py_ssize_t k = begin, i
    while k + 4 * LANES <= end:
        a = b = c = d = broadcast(0)
        for i in range(n_rows):
            a += load(rows[i] + k)
            b += load(rows[i] + k + LANES)
            c += load(rows[i] + k + 2 * LANES)
            d += load(rows[i] + k + 3 * LANES)
        store(hidden + k, s * a)
        store(hidden + k + LANES, s * b)
        store(hidden + k + 2 * LANES, s * c)
        store(hidden + k + 3 * LANES, s * d)
        k += 4 * LANES
    while k < end:
        a = broadcast(0)
        for i in range(n_rows):
            a += load(rows[i] + k)
        store(hidden + k, s * a)
        k += LANES


cdef inline void add_to_rows(
    float **rows, Py_ssize_t n_rows, const float *e, Py_ssize_t begin, Py_ssize_t end, float scale
) noexcept nogil:
    """rows ← rows + scale · e"""
    cdef lanes s = broadcast(scale)
    cdef float *row
    cdef Py_ssize_t k, i
    for i in range(n_rows):
        row = rows[i]
        k = begin
        while k < end:
            store(row + k, load(row + k) + s * load(e + k))
            k += LANES


cdef inline noinline_void update_block(
    const float *hidden, float *e, float **y, const float *g, Py_ssize_t begin, Py_ssize_t end,
    float **next_rows, Py_ssize_t n_next,
) noexcept nogil:
    """e += Σₙ gₙ yₙ and yₙ += gₙ h for a block; meanwhile next_rows are fetched into the cache."""
    cdef float *y0 = y[0]
    cdef float *y1 = y[1]
    cdef float *y2 = y[2]
    cdef float *y3 = y[3]
    cdef float *y4 = y[4]
    cdef float *y5 = y[5]
    cdef lanes g0 = broadcast(g[0]), g1 = broadcast(g[1]), g2 = broadcast(g[2])
    cdef lanes g3 = broadcast(g[3]), g4 = broadcast(g[4]), g5 = broadcast(g[5])
    cdef lanes h, d, v
    cdef Py_ssize_t k = begin, r
    while k < end:
        for r in range(n_next if k % 16 == 0 else 0):
            prefetch_to_write(next_rows[r] + k)
        h = load(hidden + k)
        d = load(e + k)
        v = load(y0 + k)
        d += g0 * v
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
        store(e + k, d)
        k += LANES


cdef inline void update_outputs(Step *step, float *e) noexcept nogil:
    """e = Σₙ gₙ yₙ and yₙ += gₙ h, for a step whose only row of x is h."""
    cdef Py_ssize_t block, n_next = step.n_next // step.n_blocks
    memset(e + step.begin, 0, (step.end - step.begin) * sizeof(float))
    for block in range(step.n_blocks):
        if block == step.n_blocks - 1:
            n_next = step.n_next
        update_block(
            step.x[0], e, step.y + block * BLOCK, step.coefficients + block * step.block_stride, step.begin,
            step.end, step.next_rows, n_next,
        )
        step.next_rows += n_next
        step.n_next -= n_next


cdef inline noinline_void update_all(
    const float *hidden, float **y, const float *g, float **rows, Py_ssize_t n_rows, Py_ssize_t begin,
    Py_ssize_t end, float scale, float **next_rows, Py_ssize_t n_next,
) noexcept nogil:
    """update_outputs() and add_to_rows() in one loop, for the only block of outputs."""
    cdef float *y0 = y[0]
    cdef float *y1 = y[1]
    cdef float *y2 = y[2]
    cdef float *y3 = y[3]
    cdef float *y4 = y[4]
    cdef float *y5 = y[5]
    cdef lanes g0 = broadcast(g[0]), g1 = broadcast(g[1]), g2 = broadcast(g[2])
    cdef lanes g3 = broadcast(g[3]), g4 = broadcast(g[4]), g5 = broadcast(g[5])
    cdef lanes s = broadcast(scale), h, e, v
    cdef Py_ssize_t k = begin, i, r
    while k < end:
        for r in range(n_next if k % 16 == 0 else 0):
            prefetch_to_write(next_rows[r] + k)
        h = load(hidden + k)
        v = load(y0 + k)
        e = g0 * v
        store(y0 + k, v + g0 * h)
        v = load(y1 + k)
        e += g1 * v
        store(y1 + k, v + g1 * h)
        v = load(y2 + k)
        e += g2 * v
        store(y2 + k, v + g2 * h)
        v = load(y3 + k)
        e += g3 * v
        store(y3 + k, v + g3 * h)
        v = load(y4 + k)
        e += g4 * v
        store(y4 + k, v + g4 * h)
        v = load(y5 + k)
        e += g5 * v
        store(y5 + k, v + g5 * h)
        e *= s
        for i in range(n_rows):
            store(rows[i] + k, load(rows[i] + k) + e)
        k += LANES


cdef inline void update_inputs_and_outputs(
    Step *step, float **rows, Py_ssize_t n_moved, float scale
) noexcept nogil:
    """Move the outputs, and the first of the inputs, whose mean is the step's only row of x."""
    cdef float *e = step.hidden + step.stride
    if step.n_blocks == 1:
        update_all(
            step.x[0], step.y, step.coefficients, rows, n_moved, step.begin, step.end, scale, step.next_rows,
            step.n_next,
        )
        return
    update_outputs(step, e)
    add_to_rows(rows, n_moved, e, step.begin, step.end, scale)


cdef inline float scale_of(Py_ssize_t n_rows, bint mean) noexcept nogil:
    """By what the sum of rows is multiplied."""
    return 1.0 / <float>n_rows if mean else 1


cdef inline float gradient_scale_of(Py_ssize_t n_rows, bint mean, bint scale_gradient) noexcept nogil:
    """By what each of the rows multiplies e."""
    return scale_of(n_rows, mean == scale_gradient)


cdef inline float reach_of(Py_ssize_t n_rows, bint mean, bint scale_gradient) noexcept nogil:
    """How far h moves for an e, with rows that all move."""
    return <float>n_rows * scale_of(n_rows, mean) * gradient_scale_of(n_rows, mean, scale_gradient)


cdef inline noinline_void expose_inputs(
    const Step *step, float **rows, Py_ssize_t n_rows, float exposure
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n_rows):
        expose_input(step.exposures, rows[i], exposure)


cdef inline void take_mean_step(
    Step *step, float **rows, Py_ssize_t n_rows, Py_ssize_t n_moved, bint mean, bint scale_gradient,
    float learning_rate, double *loss,
) noexcept nogil:
    """One update of inputs by their mean, or their sum, with the outputs that the step holds.

    Only the first n_moved rows move: those behind are frozen or, without scale_gradient, repeat some of them.
    The loss is added up unless it is NULL.
    """
    average(step.hidden, rows, n_rows, step.begin, step.end, scale_of(n_rows, mean))
    use_inputs(step, &step.hidden, 1)
    if loss != NULL:
        loss[0] += compute_loss(step)
    compute_coefficients(step, learning_rate)
    update_inputs_and_outputs(step, rows, n_moved, gradient_scale_of(n_rows, mean, scale_gradient))
    if step.exposures != NULL:
        expose_outputs(step, learning_rate)
        expose_inputs(step, rows, n_moved, reach_of(n_rows, mean, scale_gradient) * exposure_of(step.of_x))
