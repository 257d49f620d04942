"""A ring of positions with the rows that they use, found ahead and fetched into the cache meanwhile."""

from libc.stdlib cimport calloc, free, malloc

from .step cimport Step

cdef enum:
    BYTES_ON_THEIR_WAY = 10240    # a fifth of the first-level cache


cdef struct Ring:
    Py_ssize_t n_positions     # a power of 2
    Py_ssize_t position_rows   # at most
    Py_ssize_t *n_rows         # [position]
    float **rows               # [position][position_rows]


cdef inline int allocate_ring(Ring *ring, Py_ssize_t n_positions, Py_ssize_t position_rows) noexcept nogil:
    """Return 0 on success; to be freed by free_ring in any case."""
    ring.n_positions = n_positions
    ring.position_rows = position_rows
    ring.n_rows = <Py_ssize_t *>calloc(n_positions, sizeof(Py_ssize_t))
    # copy_rows() reads up to seven more
    ring.rows = <float **>malloc((n_positions * position_rows + 7) * sizeof(float *))
    return 0 if ring.n_rows != NULL and ring.rows != NULL else -1


cdef inline void free_ring(Ring *ring) noexcept nogil:
    free(ring.n_rows)
    free(ring.rows)


cdef inline Py_ssize_t place_of(const Ring *ring, Py_ssize_t i) noexcept nogil:
    """Where position i is in the ring."""
    return i & (ring.n_positions - 1)


cdef inline float **rows_of(const Ring *ring, Py_ssize_t i) noexcept nogil:
    return ring.rows + place_of(ring, i) * ring.position_rows


cdef inline Py_ssize_t positions_ahead(Py_ssize_t position_rows, Py_ssize_t stride) noexcept nogil:
    """Positions between the prefetch of rows and their use: they must not crowd out those in use."""
    return max(
        <Py_ssize_t>1,
        min(<Py_ssize_t>4, BYTES_ON_THEIR_WAY // (position_rows * stride * <Py_ssize_t>sizeof(float)))
    )


cdef inline void fetch_rows_of(
    Step *step, const Ring *ring, Py_ssize_t i, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Let a step fetch the rows of position i, from the first of these on, unless it is the last or later."""
    step.next_rows = rows_of(ring, i) + first
    step.n_next = ring.n_rows[place_of(ring, i)] - first if i < last else 0
