"""Softmax regression by mini-batches, as reference/regression.py.

What is done otherwise, and why:

- The exponential is a polynomial, relative error below 2e-7, and at least e⁻⁸⁷.
- A mini-batch is scored and added up a few rows at a time, so that they stay in the first-level cache.
- One logarithm is taken of the product of 32 sums of exponentials: each is at most the number of classes, and
  a product of doubles does not overflow before there are a billion of them.
"""

from libc.math cimport log
from libc.stdint cimport int64_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from .rules cimport ADAGRAD, ADAM, SGD, adagrad_numbers, adam_numbers, sgd_numbers
from .vector cimport (
    LANES, broadcast, exp_of_negative, lanes, larger, load, noinline_void, prefetch_to_read, store,
)

cdef enum:
    ROWS_AT_ONCE = 32    # examples, two AVX-512 registers of scores
    PREFETCHED = 8       # rows of X ahead of the one that is copied

cdef extern from "products.h" nogil:
    noinline_void dot_rows(
        const float *x, Py_ssize_t n_x, const float *y, Py_ssize_t n_y, Py_ssize_t stride, float *out,
        Py_ssize_t out_stride)
    noinline_void add_weighted_rows(
        const float *x, Py_ssize_t n_x, Py_ssize_t stride, const float *z, Py_ssize_t z_stride, float *sums,
        Py_ssize_t n_sums)

cdef struct Model:
    Py_ssize_t n_features
    Py_ssize_t n_classes
    Py_ssize_t stride
    float *parameters    # [n_classes][stride]
    float *gradient      # the same
    float *x             # [ROWS_AT_ONCE][stride], a 1 behind the features
    float *z             # [n_classes][ROWS_AT_ONCE], scores, then their derivatives
    int64_t *labels      # [ROWS_AT_ONCE]


cdef noinline_void copy_rows_of(
    Model *model, const float *X, const int64_t *y, const int64_t *order, Py_ssize_t n, Py_ssize_t n_ahead
) noexcept nogil:
    """Copy n examples; n_ahead are the next, including these."""
    cdef Py_ssize_t c, k, d = model.n_features
    for c in range(n):
        if c + PREFETCHED < n_ahead:
            k = 0
            while k < d:
                prefetch_to_read(X + order[c + PREFETCHED] * d + k)
                k += 16
        memcpy(model.x + c * model.stride, X + order[c] * d, d * sizeof(float))
        model.labels[c] = y[order[c]]


cdef double add_gradient(Model *model, Py_ssize_t n, float weight) noexcept nogil:
    """Add the gradient of n copied examples, times a weight, and return the sum of their costs."""
    cdef Py_ssize_t c, k
    cdef float[ROWS_AT_ONCE] largest
    cdef float[ROWS_AT_ONCE] totals
    cdef float *z = model.z
    cdef lanes most, total, e
    cdef double cost = 0, product = 1
    dot_rows(
        model.x, (n + 3) & ~3, model.parameters, model.n_classes, model.stride, z, ROWS_AT_ONCE
    )
    c = 0
    while c < n:
        most = load(z + c)
        for k in range(1, model.n_classes):
            most = larger(most, load(z + k * ROWS_AT_ONCE + c))
        store(&largest[0] + c, most)
        c += LANES
    for c in range(n):
        cost -= z[model.labels[c] * ROWS_AT_ONCE + c] - largest[c]
    c = 0
    while c < n:
        most = load(&largest[0] + c)
        total = broadcast(0)
        for k in range(model.n_classes):
            e = exp_of_negative(load(z + k * ROWS_AT_ONCE + c) - most)
            total += e
            store(z + k * ROWS_AT_ONCE + c, e)
        store(&totals[0] + c, total)
        total = broadcast(weight) / total
        for k in range(model.n_classes):
            store(z + k * ROWS_AT_ONCE + c, load(z + k * ROWS_AT_ONCE + c) * total)
        c += LANES
    for c in range(n):
        product *= totals[c]
        z[model.labels[c] * ROWS_AT_ONCE + c] -= weight
    add_weighted_rows(model.x, n, model.stride, z, ROWS_AT_ONCE, model.gradient, model.n_classes)
    return cost + log(product)


cdef double add_penalty(Model *model, float l2) noexcept nogil:
    """Add the gradient of the penalty, and return its cost."""
    cdef Py_ssize_t c, k
    cdef const float *weights
    cdef float *gradient
    cdef double squares = 0
    for c in range(model.n_classes):
        weights, gradient = model.parameters + c * model.stride, model.gradient + c * model.stride
        for k in range(model.n_features):
            gradient[k] += 2 * l2 * weights[k]
            squares += <double>weights[k] * weights[k]
    return l2 * squares


def train(
    float[:, ::1] parameters,
    float[:, :, ::1] memory,
    const float[:, ::1] X,
    const int64_t[::1] y,
    const int64_t[::1] order,
    Py_ssize_t batch_size,
    const double[::1] learning_rates,
    str optimizer,
    float momentum,
    int64_t n_steps,
    double l2,
):
    """Take a step for every mini-batch, and return the sum of the costs of all examples."""
    cdef Model model
    cdef int rule = {"sgd": SGD, "adagrad": ADAGRAD, "adam": ADAM}[optimizer]
    cdef Py_ssize_t n = order.shape[0], begin = 0, end, at, here, batch, size
    cdef Py_ssize_t n_floats, n_x, n_z
    cdef float *first = &memory[0, 0, 0]
    cdef float *second = &memory[memory.shape[0] - 1, 0, 0]
    cdef float *buffers
    cdef float *aligned
    cdef double cost = 0, of_batch
    model.n_classes, model.stride = parameters.shape[0], parameters.shape[1]
    model.n_features = X.shape[1]
    model.parameters = &parameters[0, 0]
    n_floats = model.n_classes * model.stride
    n_x, n_z = ROWS_AT_ONCE * model.stride, model.n_classes * ROWS_AT_ONCE
    with nogil:
        buffers = <float *>calloc(n_floats + n_x + n_z + 2 * ROWS_AT_ONCE + 16, sizeof(float))
        if buffers != NULL:
            aligned = <float *>((<uintptr_t>buffers + 63) & ~<uintptr_t>63)
            model.gradient, model.x, model.z = aligned, aligned + n_floats, aligned + n_floats + n_x
            model.labels = <int64_t *>(model.z + n_z)
            for at in range(ROWS_AT_ONCE):
                model.x[at * model.stride + model.n_features] = 1
            for batch in range(learning_rates.shape[0]):
                begin = batch * batch_size
                end = min(begin + batch_size, n)
                size = end - begin
                memset(model.gradient, 0, n_floats * sizeof(float))
                of_batch = 0
                at = begin
                while at < end:
                    here = min(ROWS_AT_ONCE, end - at)
                    copy_rows_of(&model, &X[0, 0], &y[0], &order[at], here, n - at)
                    of_batch += add_gradient(&model, here, 1 / <float>size)
                    at += ROWS_AT_ONCE
                if l2 > 0:
                    of_batch += size * add_penalty(&model, <float>l2)
                cost += of_batch
                n_steps += 1
                if rule == SGD:
                    sgd_numbers(
                        model.parameters, first, model.gradient, n_floats, <float>learning_rates[batch],
                        momentum,
                    )
                elif rule == ADAGRAD:
                    adagrad_numbers(
                        model.parameters, first, model.gradient, n_floats, <float>learning_rates[batch]
                    )
                else:
                    adam_numbers(
                        model.parameters, first, second, model.gradient, n_floats, learning_rates[batch],
                        <double>n_steps,
                    )
        free(buffers)
    if buffers == NULL:
        raise MemoryError("no memory for the buffers of mini-batches")
    return cost
