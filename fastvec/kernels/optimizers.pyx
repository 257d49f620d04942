"""Steps of optimizers, as reference/optimizers.py: in one pass over memory."""

from libc.stdint cimport int64_t

from .rules cimport ADAGRAD, ADAM, SGD, adagrad_numbers, adam_numbers, real, sgd_numbers


cdef void step(
    int rule, real *parameter, real *first, real *second, const real *gradient, Py_ssize_t n, double rate,
    double momentum, double n_steps,
) noexcept nogil:
    if rule == SGD:
        sgd_numbers(parameter, first, gradient, n, <real>rate, <real>momentum)
    elif rule == ADAGRAD:
        adagrad_numbers(parameter, first, gradient, n, <real>rate)
    else:
        adam_numbers(parameter, first, second, gradient, n, rate, n_steps)


cdef int step_rows(
    int rule, real[:, ::1] parameter, real[:, ::1] first, real[:, ::1] second, const real[:, ::1] gradient,
    const int64_t[::1] rows, double rate, double momentum, double n_steps,
) except -1:
    """`second` may be `first` for a rule that remembers one number."""
    cdef Py_ssize_t i, at, d = gradient.shape[1], n = gradient.shape[0]
    if n == 0 or d == 0:
        return 0
    with nogil:
        if rows is None:
            step(
                rule, &parameter[0, 0], &first[0, 0], &second[0, 0], &gradient[0, 0], n * d, rate, momentum,
                n_steps,
            )
        else:
            for i in range(n):
                at = rows[i] * d
                step(
                    rule, &parameter[0, 0] + at, &first[0, 0] + at, &second[0, 0] + at,
                    &gradient[0, 0] + i * d, d, rate, momentum, n_steps,
                )
    return 0


def sgd(
    real[:, ::1] parameter, real[:, ::1] velocity, const real[:, ::1] gradient, const int64_t[::1] rows,
    double learning_rate, double momentum,
):
    """Take a step of gradient descent with momentum."""
    step_rows(SGD, parameter, velocity, velocity, gradient, rows, learning_rate, momentum, 0)


def adagrad(
    real[:, ::1] parameter, real[:, ::1] squares, const real[:, ::1] gradient, const int64_t[::1] rows,
    double learning_rate,
):
    """Take a step of AdaGrad."""
    step_rows(ADAGRAD, parameter, squares, squares, gradient, rows, learning_rate, 0, 0)


def adam(
    real[:, ::1] parameter, real[:, ::1] mean, real[:, ::1] square, const real[:, ::1] gradient,
    const int64_t[::1] rows, double learning_rate, double n_steps,
):
    """Take a step of Adam."""
    step_rows(ADAM, parameter, mean, square, gradient, rows, learning_rate, 0, n_steps)
