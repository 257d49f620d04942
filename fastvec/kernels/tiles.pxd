"""Products and updates of a few rows with blocks of six rows, held in registers.

A block is six output rows y₀..y₅. Scores and coefficients of a block are stored as [row of x][8], of which
the first six count, so that two rows of x fill one AVX-512 register.
Twelve accumulators cover the latency of the fused multiply-add and fit 16 registers; where there are 32,
tiles are twice as large.
"""

from .vector cimport (
    LANES, REGISTERS, broadcast, broadcast_one_of, inlined_void, lanes, load, load_once, noinline_void,
    prefetch_to_write, store, store_six_sums, store_twelve_sums,
)

cdef enum:
    BLOCK = 6    # output rows of a block
    SLOTS = 8    # floats from one row of x to the next in the scores


cdef inline void dot_one(
    const float *x, float **y, Py_ssize_t begin, Py_ssize_t end, float *scores
) noexcept nogil:
    """scores[n] = x · yₙ"""
    cdef lanes a0 = broadcast(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, t
    cdef const float *y0 = y[0]
    cdef const float *y1 = y[1]
    cdef const float *y2 = y[2]
    cdef const float *y3 = y[3]
    cdef const float *y4 = y[4]
    cdef const float *y5 = y[5]
    cdef Py_ssize_t k = begin
    while k < end:
        t = load(x + k)
        a0 += t * load(y0 + k)
        a1 += t * load(y1 + k)
        a2 += t * load(y2 + k)
        a3 += t * load(y3 + k)
        a4 += t * load(y4 + k)
        a5 += t * load(y5 + k)
        k += LANES
    store_six_sums(a0, a1, a2, a3, a4, a5, scores)


cdef inline void dot_two(
    const float *x0, const float *x1, float **y, Py_ssize_t begin, Py_ssize_t end, float *scores
) noexcept nogil:
    """scores[n] = x0 · yₙ, scores[SLOTS + n] = x1 · yₙ"""
    cdef lanes a0 = broadcast(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0
    cdef lanes b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0, s, t, v
    cdef const float *y0 = y[0]
    cdef const float *y1 = y[1]
    cdef const float *y2 = y[2]
    cdef const float *y3 = y[3]
    cdef const float *y4 = y[4]
    cdef const float *y5 = y[5]
    cdef Py_ssize_t k = begin
    while k < end:
        s = load(x0 + k)
        t = load(x1 + k)
        v = load(y0 + k)
        a0 += s * v
        b0 += t * v
        v = load(y1 + k)
        a1 += s * v
        b1 += t * v
        v = load(y2 + k)
        a2 += s * v
        b2 += t * v
        v = load(y3 + k)
        a3 += s * v
        b3 += t * v
        v = load(y4 + k)
        a4 += s * v
        b4 += t * v
        v = load(y5 + k)
        a5 += s * v
        b5 += t * v
        k += LANES
    store_twelve_sums(a0, a1, a2, a3, a4, a5, b0, b1, b2, b3, b4, b5, scores)


cdef inline void dot_four(
    float **x, float **y, Py_ssize_t begin, Py_ssize_t end, float *scores
) noexcept nogil:
    """scores[c * SLOTS + n] = x_c · yₙ for four rows: twenty-four accumulators, of 32 registers."""
    cdef lanes a0 = broadcast(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0
    cdef lanes b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0
    cdef lanes c0 = a0, c1 = a0, c2 = a0, c3 = a0, c4 = a0, c5 = a0
    cdef lanes d0 = a0, d1 = a0, d2 = a0, d3 = a0, d4 = a0, d5 = a0
    cdef lanes p, q, r, s, v
    cdef const float *x0 = x[0]
    cdef const float *x1 = x[1]
    cdef const float *x2 = x[2]
    cdef const float *x3 = x[3]
    cdef const float *y0 = y[0]
    cdef const float *y1 = y[1]
    cdef const float *y2 = y[2]
    cdef const float *y3 = y[3]
    cdef const float *y4 = y[4]
    cdef const float *y5 = y[5]
    cdef Py_ssize_t k = begin
    while k < end:
        p = load(x0 + k)
        q = load(x1 + k)
        r = load(x2 + k)
        s = load(x3 + k)
        v = load_once(y0 + k)
        a0 += p * v
        b0 += q * v
        c0 += r * v
        d0 += s * v
        v = load_once(y1 + k)
        a1 += p * v
        b1 += q * v
        c1 += r * v
        d1 += s * v
        v = load_once(y2 + k)
        a2 += p * v
        b2 += q * v
        c2 += r * v
        d2 += s * v
        v = load_once(y3 + k)
        a3 += p * v
        b3 += q * v
        c3 += r * v
        d3 += s * v
        v = load_once(y4 + k)
        a4 += p * v
        b4 += q * v
        c4 += r * v
        d4 += s * v
        v = load_once(y5 + k)
        a5 += p * v
        b5 += q * v
        c5 += r * v
        d5 += s * v
        k += LANES
    store_twelve_sums(a0, a1, a2, a3, a4, a5, b0, b1, b2, b3, b4, b5, scores)
    store_twelve_sums(c0, c1, c2, c3, c4, c5, d0, d1, d2, d3, d4, d5, scores + 2 * SLOTS)


cdef inline noinline_void update_one(
    float *x, float **y, Py_ssize_t begin, Py_ssize_t end, const float *g, float **next_rows,
    Py_ssize_t n_next,
) noexcept nogil:
    """The same as update() for one row of x and the only block."""
    cdef float *y0 = y[0]
    cdef float *y1 = y[1]
    cdef float *y2 = y[2]
    cdef float *y3 = y[3]
    cdef float *y4 = y[4]
    cdef float *y5 = y[5]
    cdef lanes g0 = broadcast(g[0]), g1 = broadcast(g[1]), g2 = broadcast(g[2])
    cdef lanes g3 = broadcast(g[3]), g4 = broadcast(g[4]), g5 = broadcast(g[5])
    cdef lanes before, e, v
    cdef Py_ssize_t k = begin, r
    while k < end:
        for r in range(n_next if k % 16 == 0 else 0):
            prefetch_to_write(next_rows[r] + k)
        e = before = load(x + k)
        v = load(y0 + k)
        e += g0 * v
        store(y0 + k, v + g0 * before)
        v = load(y1 + k)
        e += g1 * v
        store(y1 + k, v + g1 * before)
        v = load(y2 + k)
        e += g2 * v
        store(y2 + k, v + g2 * before)
        v = load(y3 + k)
        e += g3 * v
        store(y3 + k, v + g3 * before)
        v = load(y4 + k)
        e += g4 * v
        store(y4 + k, v + g4 * before)
        v = load(y5 + k)
        e += g5 * v
        store(y5 + k, v + g5 * before)
        store(x + k, e)
        k += LANES


cdef inline inlined_void update_column(
    float **x, float **x_before, Py_ssize_t n_x, float **y, Py_ssize_t k, const float *g, bint in_turn
) noexcept nogil:
    """update() of the floats k..k + LANES of every row."""
    cdef lanes v0 = load(y[0] + k), d0 = v0
    cdef lanes v1 = load(y[1] + k), d1 = v1
    cdef lanes v2 = load(y[2] + k), d2 = v2
    cdef lanes v3 = load(y[3] + k), d3 = v3
    cdef lanes v4 = load(y[4] + k), d4 = v4
    cdef lanes v5 = load(y[5] + k), d5 = v5
    cdef lanes before, e, w
    cdef const float *g_c = g
    cdef Py_ssize_t c
    for c in range(n_x):
        before = load(x_before[c] + k)
        e = load(x[c] + k)
        w = broadcast_one_of(g_c, 0)
        e += w * (d0 if in_turn else v0)
        d0 += w * before
        w = broadcast_one_of(g_c, 1)
        e += w * (d1 if in_turn else v1)
        d1 += w * before
        w = broadcast_one_of(g_c, 2)
        e += w * (d2 if in_turn else v2)
        d2 += w * before
        w = broadcast_one_of(g_c, 3)
        e += w * (d3 if in_turn else v3)
        d3 += w * before
        w = broadcast_one_of(g_c, 4)
        e += w * (d4 if in_turn else v4)
        d4 += w * before
        w = broadcast_one_of(g_c, 5)
        e += w * (d5 if in_turn else v5)
        d5 += w * before
        store(x[c] + k, e)
        g_c += SLOTS
    store(y[0] + k, d0)
    store(y[1] + k, d1)
    store(y[2] + k, d2)
    store(y[3] + k, d3)
    store(y[4] + k, d4)
    store(y[5] + k, d5)


cdef inline inlined_void update_two_columns(
    float **x, float **x_before, Py_ssize_t n_x, float **y, Py_ssize_t k, const float *g, bint in_turn
) noexcept nogil:
    """update() of the floats k..k + 2 · LANES, in 29 of 32 registers: g is read half as often."""
    cdef lanes v0 = load(y[0] + k), d0 = v0
    cdef lanes v1 = load(y[1] + k), d1 = v1
    cdef lanes v2 = load(y[2] + k), d2 = v2
    cdef lanes v3 = load(y[3] + k), d3 = v3
    cdef lanes v4 = load(y[4] + k), d4 = v4
    cdef lanes v5 = load(y[5] + k), d5 = v5
    cdef lanes u0 = load(y[0] + k + LANES), f0 = u0
    cdef lanes u1 = load(y[1] + k + LANES), f1 = u1
    cdef lanes u2 = load(y[2] + k + LANES), f2 = u2
    cdef lanes u3 = load(y[3] + k + LANES), f3 = u3
    cdef lanes u4 = load(y[4] + k + LANES), f4 = u4
    cdef lanes u5 = load(y[5] + k + LANES), f5 = u5
    cdef lanes before, e, before_2, e_2, w
    cdef const float *g_c = g
    cdef Py_ssize_t c
    for c in range(n_x):
        before = load(x_before[c] + k)
        before_2 = load(x_before[c] + k + LANES)
        e = load(x[c] + k)
        e_2 = load(x[c] + k + LANES)
        w = broadcast_one_of(g_c, 0)
        e += w * (d0 if in_turn else v0)
        d0 += w * before
        e_2 += w * (f0 if in_turn else u0)
        f0 += w * before_2
        w = broadcast_one_of(g_c, 1)
        e += w * (d1 if in_turn else v1)
        d1 += w * before
        e_2 += w * (f1 if in_turn else u1)
        f1 += w * before_2
        w = broadcast_one_of(g_c, 2)
        e += w * (d2 if in_turn else v2)
        d2 += w * before
        e_2 += w * (f2 if in_turn else u2)
        f2 += w * before_2
        w = broadcast_one_of(g_c, 3)
        e += w * (d3 if in_turn else v3)
        d3 += w * before
        e_2 += w * (f3 if in_turn else u3)
        f3 += w * before_2
        w = broadcast_one_of(g_c, 4)
        e += w * (d4 if in_turn else v4)
        d4 += w * before
        e_2 += w * (f4 if in_turn else u4)
        f4 += w * before_2
        w = broadcast_one_of(g_c, 5)
        e += w * (d5 if in_turn else v5)
        d5 += w * before
        e_2 += w * (f5 if in_turn else u5)
        f5 += w * before_2
        store(x[c] + k, e)
        store(x[c] + k + LANES, e_2)
        g_c += SLOTS
    store(y[0] + k, d0)
    store(y[1] + k, d1)
    store(y[2] + k, d2)
    store(y[3] + k, d3)
    store(y[4] + k, d4)
    store(y[5] + k, d5)
    store(y[0] + k + LANES, f0)
    store(y[1] + k + LANES, f1)
    store(y[2] + k + LANES, f2)
    store(y[3] + k + LANES, f3)
    store(y[4] + k + LANES, f4)
    store(y[5] + k + LANES, f5)


cdef inline inlined_void update_columns(
    float **x, float **x_before, Py_ssize_t n_x, float **y, Py_ssize_t begin, Py_ssize_t end, const float *g,
    float **next_rows, Py_ssize_t n_next, bint in_turn,
) noexcept nogil:
    """update() or update_in_turn() of all columns.

    Meanwhile next_rows are fetched into the cache: spread over the loop, since a burst of prefetches fills
    the processor's queue of misses and waits.
    """
    cdef Py_ssize_t k = begin, r
    if REGISTERS == 32:
        while k + 2 * LANES <= end:
            for r in range(n_next if k % 16 == 0 else 0):
                prefetch_to_write(next_rows[r] + k)
                if LANES == 16:
                    prefetch_to_write(next_rows[r] + k + 16)
            update_two_columns(x, x_before, n_x, y, k, g, in_turn)
            k += 2 * LANES
    while k < end:
        for r in range(n_next if k % 16 == 0 else 0):
            prefetch_to_write(next_rows[r] + k)
        update_column(x, x_before, n_x, y, k, g, in_turn)
        k += LANES


cdef inline noinline_void update(
    float **x, float **x_before, Py_ssize_t n_x, float **y, Py_ssize_t begin, Py_ssize_t end, const float *g,
    float **next_rows, Py_ssize_t n_next
) noexcept nogil:
    """x_c += Σₙ g[c, n] yₙ and yₙ += Σ_c g[c, n] x_c, every right-hand side from before the update.

    x_before holds the rows of x as they were before any block's update; it may be x itself for the only
    block. The rows of x must be distinct, and those of y (where g is not zero). Meanwhile next_rows are
    fetched.
    """
    update_columns(x, x_before, n_x, y, begin, end, g, next_rows, n_next, False)


cdef inline noinline_void update_in_turn(
    float **x, float **x_before, Py_ssize_t n_x, float **y, Py_ssize_t begin, Py_ssize_t end, const float *g,
    float **next_rows, Py_ssize_t n_next
) noexcept nogil:
    """The same, but every row of x takes the yₙ that the rows before it have moved."""
    update_columns(x, x_before, n_x, y, begin, end, g, next_rows, n_next, True)
