"""The rules of optimizers for numbers in a row; formulas in reference/optimizers.py."""

from libc.math cimport pow, sqrt, sqrtf

cdef enum Rule:
    SGD
    ADAGRAD
    ADAM

ctypedef fused real:
    float
    double


cdef inline real root(real x) noexcept nogil:
    if real is float:
        return sqrtf(x)
    else:
        return sqrt(x)


cdef inline void sgd_numbers(
    real *parameter, real *velocity, const real *gradient, Py_ssize_t n, real rate, real momentum
) noexcept nogil:
    cdef Py_ssize_t k
    cdef real v
    for k in range(n):
        v = momentum * velocity[k] + gradient[k]
        velocity[k] = v
        parameter[k] -= rate * v


cdef inline void adagrad_numbers(
    real *parameter, real *squares, const real *gradient, Py_ssize_t n, real rate
) noexcept nogil:
    cdef Py_ssize_t k
    cdef real s
    for k in range(n):
        s = squares[k] + gradient[k] * gradient[k]
        squares[k] = s
        parameter[k] -= rate * (gradient[k] / (root(s) + <real>1e-8))


cdef inline void adam_numbers(
    real *parameter, real *mean, real *square, const real *gradient, Py_ssize_t n, double rate, double n_steps
) noexcept nogil:
    cdef Py_ssize_t k
    cdef double correction = sqrt(1 - pow(0.999, n_steps))
    cdef real m, v
    cdef real corrected_rate = <real>(rate * correction / (1 - pow(0.9, n_steps)))
    cdef real epsilon = <real>(1e-8 * correction)
    for k in range(n):
        m = <real>0.9 * mean[k] + <real>(1 - 0.9) * gradient[k]
        v = <real>0.999 * square[k] + <real>(1 - 0.999) * (gradient[k] * gradient[k])
        mean[k] = m
        square[k] = v
        parameter[k] -= corrected_rate * (m / (root(v) + epsilon))
