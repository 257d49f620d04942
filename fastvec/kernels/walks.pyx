"""Random walks over a graph, as reference/walks.py and the same numbers.

What is done otherwise, and why:

- Several walks take a step at once. A step waits for memory twice, for where the arcs of a node are and for
  an arc among them: what one walk needs is fetched into the cache while the others take theirs.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memmove

import numpy as np

from .sampling cimport draw
from .vector cimport prefetch_to_read

cdef extern from *:
    """
    #define FULL (UINT64_C(1) << 32)
    static inline uint64_t upper_product(uint64_t a, uint64_t b) {
        return (uint64_t)((unsigned __int128)a * b >> 64);
    }
    """
    const uint64_t FULL
    uint64_t upper_product(uint64_t a, uint64_t b) noexcept nogil

cdef enum:
    WALKS_AT_ONCE = 32
    TRIALS = 31
    DRAWS_PER_STEP = 32
    SHARES_OF_LINE = 16


cdef struct Graph:
    const int64_t *offsets
    const int32_t *targets
    const uint32_t *cumulative    # NULL: all weights are equal
    Py_ssize_t n_types
    uint64_t back                 # thresholds: accepted if the lower half of a draw is below
    uint64_t near
    uint64_t far


cdef struct Step:
    int32_t node
    int32_t before                # -1: there is none
    int64_t begin                 # of the row of the node's arcs
    int64_t end
    int64_t begin_before          # of the row of the node before, to nodes of the same type
    int64_t end_before
    int64_t proposed              # the arc that the first draw proposes, if weights are equal
    uint64_t counter
    uint64_t word                 # the first draw


def cumulate(const int64_t[::1] offsets, const double[::1] weights):
    """Return, for every arc, the share of the arcs before it in the weight of its row, in units of 2⁻³²."""
    cumulative = np.zeros(weights.shape[0], np.uint32)
    cdef uint32_t[::1] view = cumulative
    cdef int64_t row, i
    cdef double total, before
    with nogil:
        for row in range(offsets.shape[0] - 1):
            total = 0
            for i in range(offsets[row], offsets[row + 1]):
                total += weights[i]
            before = 0
            for i in range(offsets[row], offsets[row + 1]):
                view[i] = <uint32_t>min(before / total * 4294967296.0, 4294967295.0)
                before += weights[i]
    return cumulative


cdef inline int64_t last_share(
    const uint32_t *cumulative, int64_t begin, int64_t end, uint32_t share
) noexcept nogil:
    """The last arc of a row whose share begins at `share` or before."""
    cdef int64_t n = end - begin, half
    while n > 1:
        half = n >> 1
        begin += half if cumulative[begin + half] <= share else 0
        n -= half
    return begin


cdef inline bint has_arc(const int32_t *targets, int64_t begin, int64_t end, int32_t node) noexcept nogil:
    cdef int64_t n = end - begin, half
    if n == 0:
        return False
    while n > 1:
        half = n >> 1
        begin += half if targets[begin + half] <= node else 0
        n -= half
    return targets[begin] == node


cdef inline int64_t propose(const Graph *graph, const Step *step, uint64_t word) noexcept nogil:
    if graph.cumulative == NULL:
        return step.begin + <int64_t>(((word >> 32) * <uint64_t>(step.end - step.begin)) >> 32)
    return last_share(graph.cumulative, step.begin, step.end, <uint32_t>(word >> 32))


cdef inline uint64_t threshold(const Graph *graph, const Step *step, int32_t node) noexcept nogil:
    if node == step.before:
        return graph.back
    if has_arc(graph.targets, step.begin_before, step.end_before, node):
        return graph.near
    return graph.far


cdef inline bint is_accepted(
    const Graph *graph, const Step *step, int32_t node, uint64_t word
) noexcept nogil:
    """Whether a draw is below the threshold; the arc is searched for only where it matters."""
    cdef uint64_t coin = <uint32_t>word
    if node == step.before:
        return coin < graph.back
    if coin < min(graph.near, graph.far):
        return True
    if coin >= max(graph.near, graph.far):
        return False
    return has_arc(graph.targets, step.begin_before, step.end_before, node) == (graph.near > graph.far)


cdef inline uint64_t mass(const Graph *graph, const Step *step, int64_t arc) noexcept nogil:
    """An arc's weight times its threshold, halved so that the sum of all fits in 64 bits."""
    cdef uint64_t share = 1, end
    if graph.cumulative != NULL:
        end = graph.cumulative[arc + 1] if arc + 1 < step.end else FULL
        share = end - graph.cumulative[arc]
    return share * threshold(graph, step, graph.targets[arc]) >> 1


cdef int32_t choose_among_all(const Graph *graph, const Step *step, uint64_t word) noexcept nogil:
    """The end of one of all arcs, in proportion to their masses."""
    cdef uint64_t sum_so_far = 0, chosen
    cdef int64_t arc
    for arc in range(step.begin, step.end):
        sum_so_far += mass(graph, step, arc)
    chosen = upper_product(word, sum_so_far)
    arc = step.begin
    sum_so_far = mass(graph, step, arc)
    while sum_so_far <= chosen:
        arc += 1
        sum_so_far += mass(graph, step, arc)
    return graph.targets[arc]


cdef inline int32_t choose(const Graph *graph, const Step *step, uint64_t key) noexcept nogil:
    cdef uint64_t word = step.word
    cdef int64_t arc, trial, n_trials = min(step.end - step.begin, <int64_t>TRIALS)
    for trial in range(n_trials):
        if trial:
            word = draw(key, step.counter + trial)
        arc = step.proposed if trial == 0 and graph.cumulative == NULL else propose(graph, step, word)
        if step.before < 0 or is_accepted(graph, step, graph.targets[arc], word):
            return graph.targets[arc]
    return choose_among_all(graph, step, draw(key, step.counter + TRIALS))


cdef inline bint see_row(
    const Graph *graph, Step *step, int64_t kind, bint second_order, uint64_t key
) noexcept nogil:
    """Find the arcs of the node, and fetch what is used next; return whether there are any."""
    cdef int64_t row = step.node * graph.n_types + kind, i
    step.begin = graph.offsets[row]
    step.end = graph.offsets[row + 1]
    if step.begin == step.end:
        return False
    step.word = draw(key, step.counter)
    if graph.cumulative == NULL:
        step.proposed = propose(graph, step, step.word)
        prefetch_to_read(graph.targets + step.proposed)
    else:
        i = step.begin
        while i < step.end and i < step.begin + 4 * SHARES_OF_LINE:
            prefetch_to_read(graph.cumulative + i)
            i += SHARES_OF_LINE
    if second_order and step.before >= 0:
        row = step.before * graph.n_types + kind
        step.begin_before = graph.offsets[row]
        step.end_before = graph.offsets[row + 1]
        prefetch_to_read(graph.targets + (step.begin_before + step.end_before) // 2)
    return True


cdef inline void walk_together(
    const Graph *graph, const int32_t *starts, int64_t n_walks, int64_t first, int64_t length,
    const int32_t *path, int64_t period, bint second_order, uint64_t key, int32_t *ids, int64_t *sizes,
) noexcept nogil:
    """Take the steps of up to WALKS_AT_ONCE walks in turn; write them `length` apart."""
    cdef Step steps[WALKS_AT_ONCE]
    cdef int64_t going[WALKS_AT_ONCE]
    cdef int64_t n_going = n_walks, i, k, number, kind
    cdef Step *step
    for k in range(n_walks):
        going[k] = k
        steps[k].node = starts[k]
        steps[k].before = -1
        steps[k].counter = <uint64_t>(first + k) << 32
        prefetch_to_read(graph.offsets + starts[k] * graph.n_types)
        ids[k * length] = starts[k]
        sizes[k] = 1
    for number in range(1, length):
        kind = path[number % period]
        i = 0
        while i < n_going:
            step = &steps[going[i]]
            step.counter += DRAWS_PER_STEP
            if see_row(graph, step, kind, second_order, key):
                i += 1
            else:
                n_going -= 1
                going[i] = going[n_going]
        for i in range(n_going):
            k = going[i]
            step = &steps[k]
            step.node, step.before = choose(graph, step, key), step.node if second_order else -1
            prefetch_to_read(graph.offsets + step.node * graph.n_types)
            ids[k * length + number] = step.node
            sizes[k] = number + 1


def walk(
    const int32_t[::1] starts, int64_t first, int64_t length, const int64_t[::1] offsets,
    const int32_t[::1] targets, const uint32_t[::1] cumulative, const int32_t[::1] path, int64_t n_types,
    const uint32_t[::1] accept, uint64_t key, int32_t[::1] ids, int64_t[::1] sizes,
):
    """Walk from some nodes until `length` nodes are visited, or one has no arcs."""
    cdef Graph graph
    cdef int64_t n_walks = starts.shape[0], n = 0, i = 0, at_once = WALKS_AT_ONCE
    cdef bint second_order = (accept[0] & accept[1] & accept[2]) != FULL - 1
    if ids.shape[0] < n_walks * length or sizes.shape[0] < n_walks:
        raise ValueError(
            f"ids must have {n_walks * length} items and sizes {n_walks}, "
            f"got {ids.shape[0]} and {sizes.shape[0]}"
        )
    graph.offsets = &offsets[0]
    graph.targets = &targets[0]
    graph.cumulative = &cumulative[0] if cumulative.shape[0] else NULL
    graph.n_types = n_types
    graph.back = <uint64_t>accept[0] + 1
    graph.near = <uint64_t>accept[1] + 1
    graph.far = <uint64_t>accept[2] + 1
    with nogil:
        while i < n_walks:
            walk_together(
                &graph, &starts[i], min(at_once, n_walks - i), first + i, length, &path[0], path.shape[0],
                second_order, key, &ids[i * length], &sizes[i],
            )
            i += at_once
        for i in range(n_walks):
            if n != i * length:
                memmove(&ids[n], &ids[i * length], sizes[i] * sizeof(int32_t))
            n += sizes[i]
    return n


def add_counts(const int32_t[::1] ids, int64_t[::1] counts):
    """Count ids."""
    cdef int64_t i
    with nogil:
        for i in range(ids.shape[0]):
            counts[ids[i]] += 1
