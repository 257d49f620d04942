"""Sums of gradients for the rows that they belong to, as reference/scatter.py."""

from libc.stdint cimport int64_t

ctypedef fused real:
    float
    double


cdef inline void add_row(real *total, const real *value, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(n):
        total[k] += value[k]


def add_rows(real[:, ::1] sums, const int64_t[::1] places, const real[:, ::1] values):
    """Add every row of `values` to the row of `sums` that is its place."""
    cdef Py_ssize_t i, n = places.shape[0], d = sums.shape[1]
    if n == 0 or d == 0:
        return
    with nogil:
        for i in range(n):
            add_row(&sums[0, 0] + places[i] * d, &values[0, 0] + i * d, d)
