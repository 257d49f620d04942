"""The most probable leaves of a tree, as reference/tree_search.py.

What is done otherwise, and why:

- What has been met is a binary heap in an array. As soon as a node is put in it, its vector is fetched into
  the cache: the more probable branch is often the next one that is taken.
"""

from libc.math cimport INFINITY, exp, fabs, log, log1p
from libc.stdint cimport int32_t
from libc.stdlib cimport free, malloc

import numpy as np

from .vector cimport LANES, broadcast, lanes, load, prefetch_to_read, sum_of


cdef struct Met:
    double bound
    float score
    int32_t number    # of a leaf, or from n_leaves on of a node


cdef struct Heap:
    Met *items
    Py_ssize_t n
    int32_t n_leaves


cdef inline bint comes_first(const Heap *heap, const Met *a, const Met *b) noexcept nogil:
    """Whether a is taken before b."""
    if a.bound != b.bound:
        return a.bound > b.bound
    if (a.number >= heap.n_leaves) != (b.number >= heap.n_leaves):
        return a.number >= heap.n_leaves
    return a.number < b.number


cdef inline void push(Heap *heap, Met item) noexcept nogil:
    cdef Py_ssize_t place = heap.n, above
    heap.n += 1
    while place:
        above = (place - 1) // 2
        if not comes_first(heap, &item, &heap.items[above]):
            break
        heap.items[place] = heap.items[above]
        place = above
    heap.items[place] = item


cdef inline Met pop(Heap *heap) noexcept nogil:
    cdef Met first = heap.items[0], item
    cdef Py_ssize_t place = 0, below
    heap.n -= 1
    item = heap.items[heap.n]
    while 2 * place + 1 < heap.n:
        below = 2 * place + 1
        if below + 1 < heap.n and comes_first(heap, &heap.items[below + 1], &heap.items[below]):
            below += 1
        if not comes_first(heap, &heap.items[below], &item):
            break
        heap.items[place] = heap.items[below]
        place = below
    heap.items[place] = item
    return first


cdef inline double product(const float *x, const float *y, Py_ssize_t stride) noexcept nogil:
    cdef lanes even = broadcast(0), odd = even
    cdef Py_ssize_t i = 0
    while i + 2 * LANES <= stride:
        even += load(x + i) * load(y + i)
        odd += load(x + i + LANES) * load(y + i + LANES)
        i += 2 * LANES
    if i < stride:
        even += load(x + i) * load(y + i)
    return sum_of(even + odd)


cdef inline void log_sigmoids(double z, double added, float *left, float *right) noexcept nogil:
    """left = log(σ(z) + ε), right = log(σ(−z) + ε)"""
    cdef double e = exp(-fabs(z)), larger
    if added > 0:
        larger = 1 / (1 + e)
        left[0] = log((larger if z >= 0 else e * larger) + added)
        right[0] = log((e * larger if z >= 0 else larger) + added)
    else:
        larger = -log1p(e)
        left[0] = larger if z >= 0 else larger + z
        right[0] = larger - z if z >= 0 else larger


cdef inline void meet(
    Heap *heap, int32_t number, float score, double slack, const float *node_vectors, Py_ssize_t stride
) noexcept nogil:
    cdef Met item
    cdef Py_ssize_t i
    item.number = number
    item.score = score
    item.bound = score if score == score else -INFINITY
    if number >= heap.n_leaves:
        item.bound += slack
        for i in range(0, stride, 16):
            prefetch_to_read(node_vectors + (number - heap.n_leaves) * stride + i)
    push(heap, item)


def search(
    const float[:, ::1] hidden, const float[:, ::1] node_vectors, const int32_t[:, ::1] branches,
    Py_ssize_t k, double lowest, double added, Py_ssize_t longest
):
    """Return the leaves with the highest scores for every hidden vector."""
    cdef Py_ssize_t n = hidden.shape[0], n_nodes = node_vectors.shape[0], stride = node_vectors.shape[1]
    cdef Py_ssize_t row, node, found
    cdef int32_t n_leaves = <int32_t>(n_nodes + 1)
    cdef double slack = added * longest, z
    cdef float left, right
    cdef const float *vectors = &node_vectors[0, 0]
    cdef Met first
    cdef Heap heap
    leaves, scores = np.zeros((n, k), np.int32), np.full((n, k), np.nan, np.float32)
    cdef int32_t[:, ::1] leaves_view = leaves
    cdef float[:, ::1] scores_view = scores
    # each node that is taken makes way for two branches
    heap.items = <Met *>malloc((n_nodes + 1) * sizeof(Met))
    heap.n_leaves = n_leaves
    if heap.items == NULL:
        raise MemoryError("no memory for the heap of a search")
    with nogil:
        for row in range(n):
            heap.n = found = 0
            meet(&heap, <int32_t>(n_leaves + n_nodes - 1), 0, slack, vectors, stride)
            while heap.n and found < k and heap.items[0].bound >= lowest:
                first = pop(&heap)
                if first.number < n_leaves:
                    leaves_view[row, found] = first.number
                    scores_view[row, found] = first.score
                    found += 1
                    continue
                node = first.number - n_leaves
                z = product(&hidden[row, 0], vectors + node * stride, stride)
                log_sigmoids(z, added, &left, &right)
                meet(&heap, branches[node, 0], first.score + left, slack, vectors, stride)
                meet(&heap, branches[node, 1], first.score + right, slack, vectors, stride)
        free(heap.items)
    return leaves, scores
