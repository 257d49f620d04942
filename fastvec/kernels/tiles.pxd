"""Products and updates of a few rows with blocks of six rows, held in registers.

A block is six output rows y₀..y₅. Scores and coefficients of a block are stored as [row of x][8], of which
the first six count, so that two rows of x fill one AVX-512 register.
Twelve accumulators cover the latency of the fused multiply-add and fit 16 registers; where there are 32,
tiles are twice as large.
"""

from .vector cimport (
    LANES, REGISTERS, broadcast, broadcast_one_of, lanes, load, load_once, noinline_void, prefetch_to_write,
    store, store_six_sums, store_twelve_sums,
)

cdef enum:
    BLOCK = 6    # output rows of a block
    SLOTS = 8    # floats from one row of x to the next in the scores


cdef inline void dot_one(const float *x, float **y, Py_ssize_t stride, float *scores) noexcept nogil:
    """scores[n] = x · yₙ"""
    cdef lanes a0 = broadcast(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, t
    cdef const float *y0 = y[0]
    cdef const float *y1 = y[1]
    cdef const float *y2 = y[2]
    cdef const float *y3 = y[3]
    cdef const float *y4 = y[4]
    cdef const float *y5 = y[5]
    cdef Py_ssize_t k = 0
    while k < stride:
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
    const float *x0, const float *x1, float **y, Py_ssize_t stride, float *scores
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
    cdef Py_ssize_t k = 0
    while k < stride:
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


cdef inline void dot_four(float **x, float **y, Py_ssize_t stride, float *scores) noexcept nogil:
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
    cdef Py_ssize_t k = 0
    while k < stride:
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
    float *x, float **y, Py_ssize_t stride, const float *g, float **next_rows, Py_ssize_t n_next
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
    cdef Py_ssize_t k = 0, r
    while k < stride:
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


cdef inline void update_column(
    float **x, float **x_before, Py_ssize_t n_x, float **y, Py_ssize_t k, const float *g
) noexcept nogil:
    """update() of the floats k..k + LANES of every row."""
    cdef lanes v0 = load(y[0] + k)
    cdef lanes v1 = load(y[1] + k)
    cdef lanes v2 = load(y[2] + k)
    cdef lanes v3 = load(y[3] + k)
    cdef lanes v4 = load(y[4] + k)
    cdef lanes v5 = load(y[5] + k)
    cdef lanes before, e, w
    cdef const float *g_c = g
    cdef Py_ssize_t c
    for c in range(n_x):
        before = load(x_before[c] + k)
        e = load(x[c] + k)
        w = broadcast_one_of(g_c, 0)
        e += w * v0
        v0 += w * before
        w = broadcast_one_of(g_c, 1)
        e += w * v1
        v1 += w * before
        w = broadcast_one_of(g_c, 2)
        e += w * v2
        v2 += w * before
        w = broadcast_one_of(g_c, 3)
        e += w * v3
        v3 += w * before
        w = broadcast_one_of(g_c, 4)
        e += w * v4
        v4 += w * before
        w = broadcast_one_of(g_c, 5)
        e += w * v5
        v5 += w * before
        store(x[c] + k, e)
        g_c += SLOTS
    store(y[0] + k, v0)
    store(y[1] + k, v1)
    store(y[2] + k, v2)
    store(y[3] + k, v3)
    store(y[4] + k, v4)
    store(y[5] + k, v5)


cdef inline void update_two_columns(
    float **x, float **x_before, Py_ssize_t n_x, float **y, Py_ssize_t k, const float *g
) noexcept nogil:
    """update() of the floats k..k + 2 · LANES, in 29 of 32 registers: g is read half as often."""
    cdef lanes v0 = load(y[0] + k)
    cdef lanes v1 = load(y[1] + k)
    cdef lanes v2 = load(y[2] + k)
    cdef lanes v3 = load(y[3] + k)
    cdef lanes v4 = load(y[4] + k)
    cdef lanes v5 = load(y[5] + k)
    cdef lanes u0 = load(y[0] + k + LANES)
    cdef lanes u1 = load(y[1] + k + LANES)
    cdef lanes u2 = load(y[2] + k + LANES)
    cdef lanes u3 = load(y[3] + k + LANES)
    cdef lanes u4 = load(y[4] + k + LANES)
    cdef lanes u5 = load(y[5] + k + LANES)
    cdef lanes before, e, before_2, e_2, w
    cdef const float *g_c = g
    cdef Py_ssize_t c
    for c in range(n_x):
        before = load(x_before[c] + k)
        before_2 = load(x_before[c] + k + LANES)
        e = load(x[c] + k)
        e_2 = load(x[c] + k + LANES)
        w = broadcast_one_of(g_c, 0)
        e += w * v0
        v0 += w * before
        e_2 += w * u0
        u0 += w * before_2
        w = broadcast_one_of(g_c, 1)
        e += w * v1
        v1 += w * before
        e_2 += w * u1
        u1 += w * before_2
        w = broadcast_one_of(g_c, 2)
        e += w * v2
        v2 += w * before
        e_2 += w * u2
        u2 += w * before_2
        w = broadcast_one_of(g_c, 3)
        e += w * v3
        v3 += w * before
        e_2 += w * u3
        u3 += w * before_2
        w = broadcast_one_of(g_c, 4)
        e += w * v4
        v4 += w * before
        e_2 += w * u4
        u4 += w * before_2
        w = broadcast_one_of(g_c, 5)
        e += w * v5
        v5 += w * before
        e_2 += w * u5
        u5 += w * before_2
        store(x[c] + k, e)
        store(x[c] + k + LANES, e_2)
        g_c += SLOTS
    store(y[0] + k, v0)
    store(y[1] + k, v1)
    store(y[2] + k, v2)
    store(y[3] + k, v3)
    store(y[4] + k, v4)
    store(y[5] + k, v5)
    store(y[0] + k + LANES, u0)
    store(y[1] + k + LANES, u1)
    store(y[2] + k + LANES, u2)
    store(y[3] + k + LANES, u3)
    store(y[4] + k + LANES, u4)
    store(y[5] + k + LANES, u5)


cdef inline noinline_void update(
    float **x, float **x_before, Py_ssize_t n_x, float **y, Py_ssize_t stride, const float *g,
    float **next_rows, Py_ssize_t n_next
) noexcept nogil:
    """One row of x after the other: x_c += Σₙ g[c, n] yₙ, and then yₙ += g[c, n] x_c with x_c from before.

    x_before holds the rows of x as they were before any block's update; it may be x itself for the only
    block. The rows of x must be distinct, and those of y (where g is not zero). Meanwhile next_rows are
    fetched into the cache: spread over the loop, since a burst of prefetches fills the processor's queue of
    misses and waits.
    """
    cdef Py_ssize_t k = 0, r
    if REGISTERS == 32:
        while k + 2 * LANES <= stride:
            for r in range(n_next if k % 16 == 0 else 0):
                prefetch_to_write(next_rows[r] + k)
                if LANES == 16:
                    prefetch_to_write(next_rows[r] + k + 16)
            update_two_columns(x, x_before, n_x, y, k, g)
            k += 2 * LANES
    while k < stride:
        for r in range(n_next if k % 16 == 0 else 0):
            prefetch_to_write(next_rows[r] + k)
        update_column(x, x_before, n_x, y, k, g)
        k += LANES
