"""Rows that stay as they are: a step has them behind those that move, see ``step.pxd`` and ``mean.pxd``."""

from libc.stdint cimport uint8_t


cdef struct Frozen:
    const uint8_t *rows        # of each row of the matrix whether it stays; NULL: none does
    const float *matrix
    Py_ssize_t stride


cdef inline int use_frozen(
    Frozen *frozen, const uint8_t[::1] rows, const float[:, ::1] matrix
) except -1:
    frozen.rows = NULL
    if rows is not None:
        frozen.rows = &rows[0]
    frozen.matrix = &matrix[0, 0]
    frozen.stride = matrix.shape[1]
    return 0


cdef inline bint stays(const Frozen *frozen, const float *row) noexcept nogil:
    return frozen.rows != NULL and frozen.rows[(row - frozen.matrix) // frozen.stride]


cdef inline Py_ssize_t moving_first(
    const Frozen *frozen, float **rows, float *counts, Py_ssize_t n_rows
) noexcept nogil:
    """Put the rows that stay behind the others, with their counts if there are any; return how many move."""
    cdef Py_ssize_t i, n = 0
    if frozen.rows == NULL:
        return n_rows
    for i in range(n_rows):
        if not stays(frozen, rows[i]):
            rows[n], rows[i] = rows[i], rows[n]
            if counts != NULL:
                counts[n], counts[i] = counts[i], counts[n]
            n += 1
    return n
