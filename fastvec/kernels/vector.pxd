"""The C header of vector primitives, as Cython sees it."""

from libc.stdint cimport int32_t, uint64_t

cdef extern from "vector.h" nogil:
    ctypedef float lanes
    ctypedef void inlined_void
    ctypedef void noinline_void
    const Py_ssize_t LANES
    const Py_ssize_t REGISTERS
    lanes load(const float *p)
    lanes load_once(const float *p)
    void store(float *p, lanes v)
    lanes broadcast(float s)
    lanes broadcast_one_of(const float *p, int n)
    void fill_sigmoid_table()
    lanes sigmoid(lanes z)
    lanes exp_of_negative(lanes z)
    lanes larger(lanes a, lanes b)
    float sum_of(lanes v)
    lanes inverse_root(lanes v)
    void prefetch_to_read(const void *p)
    void prefetch_to_write(const float *p)
    void prefetch_row(const float *row, Py_ssize_t stride)
    void copy_rows(float **to, float **source, Py_ssize_t n)
    Py_ssize_t last_distance(const int32_t *end, Py_ssize_t n, int32_t word)
    bint has_repeats(const int32_t *words, Py_ssize_t n)
    void store_six_sums(lanes a0, lanes a1, lanes a2, lanes a3, lanes a4, lanes a5, float *out)
    void store_twelve_sums(
        lanes a0, lanes a1, lanes a2, lanes a3, lanes a4, lanes a5,
        lanes b0, lanes b1, lanes b2, lanes b3, lanes b4, lanes b5, float *out)
    uint64_t mix64(uint64_t z)
