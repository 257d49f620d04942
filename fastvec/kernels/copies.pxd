"""The rows of a matrix as a thread sees them: copies of its own of the most used ones, the others shared.

A cache line that two threads write in turns travels between their processors at every turn. So a thread works
on copies of the rows that are used most, and exchanges what it has learned of a row for what the others have,
as ``fastvec/training/copies.py`` says, whenever it has used the row so many times.
"""

from libc.stdint cimport int32_t, uint8_t

from .vector cimport LANES, lanes, load, noinline_void, prefetch_row, store

cdef enum:
    MAX_WAITING = 256


cdef struct Rows:
    float *shared              # row i of the matrix is row n_copies + i here, unless the first are copied
    Py_ssize_t stride
    Py_ssize_t n_copies        # 0: all rows are shared
    float *copies              # rows 0 to n_copies
    float *before              # what they were when they were exchanged last
    const int32_t *copied      # the row of the matrix
    float *matrix
    const uint8_t *uses_between  # two exchanges of each, and behind them anything
    uint8_t *uses              # since the last one
    Py_ssize_t n_waiting       # copies that are to be exchanged
    int32_t[MAX_WAITING] waiting


cdef inline void share_rows(Rows *rows, float *matrix, Py_ssize_t stride) noexcept nogil:
    """See the rows of a matrix without copies."""
    rows.matrix = rows.shared = rows.copies = matrix
    rows.stride = stride
    rows.n_copies = rows.n_waiting = 0


cdef inline int see_rows(Rows *rows, float[:, ::1] matrix, object copies, str name) except -1:
    """See the rows of a matrix, through copies unless that is None, see fastvec/training/copies.py."""
    cdef float[:, ::1] own, before
    cdef const int32_t[::1] copied
    cdef const uint8_t[::1] uses_between
    cdef uint8_t[::1] uses
    share_rows(rows, &matrix[0, 0], matrix.shape[1])
    if copies is None or not len(copies[name].copied):
        return 0
    copies = copies[name]
    own, before, copied = copies.rows, copies.before, copies.copied
    uses_between, uses = copies.uses_between, copies.uses
    rows.copies = &own[0, 0]
    rows.before = &before[0, 0]
    rows.copied = &copied[0]
    rows.uses = &uses[0]
    rows.n_copies = own.shape[0]
    rows.uses_between = &uses_between[0]
    if copies.renumbered:
        rows.shared -= rows.n_copies * rows.stride
    return 0


cdef inline float *row_of(const Rows *rows, Py_ssize_t number) noexcept nogil:
    return (rows.copies if number < rows.n_copies else rows.shared) + number * rows.stride


cdef inline void count_uses(Rows *rows, const int32_t *numbers, Py_ssize_t n) noexcept nogil:
    """Count that rows will be used once; those to be exchanged are fetched into the cache."""
    cdef Py_ssize_t i, place
    for i in range(n if rows.n_copies else 0):
        place = min(<Py_ssize_t>numbers[i], rows.n_copies)  # no branch to guess
        rows.uses[place] += 1
        if rows.uses[place] >= rows.uses_between[place] and rows.n_waiting < MAX_WAITING:
            rows.uses[place] = 0
            if place < rows.n_copies:
                rows.waiting[rows.n_waiting] = <int32_t>place
                rows.n_waiting += 1
                prefetch_row(rows.before + place * rows.stride, rows.stride)
                prefetch_row(rows.matrix + rows.copied[place] * rows.stride, rows.stride)


cdef inline void exchange_row(Rows *rows, Py_ssize_t place) noexcept nogil:
    cdef float *shared = rows.matrix + rows.copied[place] * rows.stride
    cdef float *own = rows.copies + place * rows.stride
    cdef float *before = rows.before + place * rows.stride
    cdef lanes v
    cdef Py_ssize_t k = 0
    while k < rows.stride:
        v = load(shared + k) + (load(own + k) - load(before + k))
        store(shared + k, v)
        store(own + k, v)
        store(before + k, v)
        k += LANES


cdef inline noinline_void exchange(Rows *rows) noexcept nogil:
    """Exchange the copies that wait for it."""
    cdef Py_ssize_t i
    for i in range(rows.n_waiting):
        exchange_row(rows, rows.waiting[i])
    rows.n_waiting = 0
