"""Products and updates of a few rows with blocks of six rows, held in registers.

A block is six output rows y₀..y₅. Scores and coefficients of a block are stored as [row of x][8], of which
the first six count, so that two rows of x fill one AVX-512 register.
Twelve accumulators cover the latency of the fused multiply-add and fit the 16 registers of AVX2.
"""

from .vector cimport (
    LANES, broadcast, lanes, load, noinline_void, prefetch_to_write, store, store_six_sums, store_twelve_sums,
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


cdef inline noinline_void update(
    float **x, float **x_before, Py_ssize_t n_x, float **y, Py_ssize_t stride, const float *g,
    float **next_rows, Py_ssize_t n_next
) noexcept nogil:
    """x_c += Σₙ g[c, n] yₙ and yₙ += Σ_c g[c, n] x_c, every right-hand side from before the update.

    x_before holds the rows of x as they were before any block's update; it may be x itself for the only
    block. The rows of x must be distinct, and those of y (where g is not zero). Meanwhile next_rows are
    fetched into the cache: spread over the loop, since a burst of prefetches fills the processor's queue of
    misses and waits.
    """
    cdef float *y0 = y[0]
    cdef float *y1 = y[1]
    cdef float *y2 = y[2]
    cdef float *y3 = y[3]
    cdef float *y4 = y[4]
    cdef float *y5 = y[5]
    cdef lanes v0, v1, v2, v3, v4, v5, d0, d1, d2, d3, d4, d5, before, e, w
    cdef Py_ssize_t k = 0, c, r
    cdef const float *w_c
    while k < stride:
        v0 = load(y0 + k)
        v1 = load(y1 + k)
        v2 = load(y2 + k)
        v3 = load(y3 + k)
        v4 = load(y4 + k)
        v5 = load(y5 + k)
        d0 = d1 = d2 = d3 = d4 = d5 = broadcast(0)
        for r in range(n_next if k % 16 == 0 else 0):
            prefetch_to_write(next_rows[r] + k)
        for c in range(n_x):
            before = load(x_before[c] + k)
            e = load(x[c] + k)
            w_c = g + c * SLOTS
            w = broadcast(w_c[0])
            d0 += w * before
            e += w * v0
            w = broadcast(w_c[1])
            d1 += w * before
            e += w * v1
            w = broadcast(w_c[2])
            d2 += w * before
            e += w * v2
            w = broadcast(w_c[3])
            d3 += w * before
            e += w * v3
            w = broadcast(w_c[4])
            d4 += w * before
            e += w * v4
            w = broadcast(w_c[5])
            d5 += w * before
            e += w * v5
            store(x[c] + k, e)
        store(y0 + k, v0 + d0)
        store(y1 + k, v1 + d1)
        store(y2 + k, v2 + d2)
        store(y3 + k, v3 + d3)
        store(y4 + k, v4 + d4)
        store(y5 + k, v5 + d5)
        k += LANES
