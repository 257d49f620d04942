"""What the scores of a target and its negatives cost: the losses, two short functions each.

As reference/losses.py. One function is the loss of one output; the other turns the scores of a tile, a few
rows of x against a block of outputs, into −η times the derivatives by them, in their place and with the
sigmoid's table. ``step.pxd`` computes the scores and moves the rows, whatever they cost.

An output counts countsₙ times, positivesₙ of these as a target, and the rest as a negative. `first` is where
the scores of the tile's rows of x against the first block are. There the first output is the target, and
behind the outputs is room for its score: pairwise losses compare the other scores with it.
"""

from libc.math cimport exp, log1p

from .tiles cimport BLOCK, SLOTS
from .vector cimport LANES, lanes, load, noinline_void, sigmoid, store

cdef enum Loss:
    LOGISTIC
    BPR


cdef inline int loss_named(str name) except -1:
    if name == "negative_sampling":
        return LOGISTIC
    if name == "bpr":
        return BPR
    raise ValueError(f"loss must be one of 'negative_sampling', 'bpr', got {name!r}")


cdef inline void add_cost(
    double *total, int loss, double score, double target, double positives, double negatives
) noexcept nogil:
    """Add the loss of one output; `target` is the score of the first."""
    if loss == BPR:
        add_bpr_cost(total, score - target, negatives)
    else:
        add_logistic_cost(total, score, positives, negatives)


cdef inline void differentiate(
    int loss, float *scores, Py_ssize_t n_x, const float *positives, const float *counts, lanes rate,
    float *first,
) noexcept nogil:
    """scores[c, n] ← −η · ∂J/∂scores[c, n]"""
    if loss == BPR:
        differentiate_bpr(scores, n_x, positives, counts, rate, first)
    else:
        differentiate_logistic(scores, n_x, positives, counts, rate)


cdef inline double log_one_plus_exp(double z) noexcept nogil:
    """log(1 + eᶻ) without overflow: −log σ(−z)"""
    return max(z, 0) + log1p(exp(-z if z > 0 else z))


cdef inline void add_logistic_cost(
    double *total, double score, double positives, double negatives
) noexcept nogil:
    if positives > 0:
        total[0] += positives * log_one_plus_exp(-score)
    if negatives > 0:
        total[0] += negatives * log_one_plus_exp(score)


cdef inline void differentiate_logistic(
    float *scores, Py_ssize_t n_x, const float *positives, const float *counts, lanes rate
) noexcept nogil:
    """−∂J/∂score = positives − counts · σ(score)"""
    cdef Py_ssize_t i = 0
    while i < n_x * SLOTS:
        store(
            scores + i,
            rate * (load(positives + i % SLOTS) - load(counts + i % SLOTS) * sigmoid(load(scores + i))),
        )
        i += LANES


cdef inline void add_bpr_cost(double *total, double difference, double negatives) noexcept nogil:
    if negatives > 0:
        total[0] += negatives * log_one_plus_exp(difference)


cdef inline noinline_void differentiate_bpr(
    float *scores, Py_ssize_t n_x, const float *positives, const float *counts, lanes rate, float *first
) noexcept nogil:
    """∂J/∂score = (counts − positives) · σ(score − target); by the target's score minus the sum of these"""
    cdef float[4] targets
    cdef float total
    cdef Py_ssize_t i = 0, c, n
    for c in range(n_x):
        targets[c] = first[c * SLOTS + (0 if scores == first else BLOCK)]
        for n in range(SLOTS):
            scores[c * SLOTS + n] -= targets[c]
    while i < n_x * SLOTS:
        store(
            scores + i,
            rate * (load(positives + i % SLOTS) - load(counts + i % SLOTS)) * sigmoid(load(scores + i)),
        )
        i += LANES
    for c in range(n_x):
        total = 0
        for n in range(BLOCK):
            total += scores[c * SLOTS + n]
        first[c * SLOTS] -= total
        first[c * SLOTS + BLOCK] = targets[c]
