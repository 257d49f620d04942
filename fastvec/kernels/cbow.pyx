"""Continuous bag of words (CBOW) with a target and its negatives, as reference/cbow.py.

What is done otherwise, and why:

- The sigmoid comes from the table of ``vector.h``, absolute error below 3e-6.
- A negative that is repeated is merged and counted, so that its row is read and written once.
- Negatives are drawn some positions ahead, and the output rows fetched into the cache meanwhile.
- Threads share the matrices without locks (Hogwild: Niu, Recht, Ré and Wright 2011).
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from .ahead cimport fetch_rows_of, positions_ahead
from .copies cimport Rows, exchange, see_rows
from .distinct cimport Seen, make_room, move_repeats_behind
from .exposures cimport Exposures, add_exposures, use_exposures
from .frozen cimport Frozen, moving_first, stays, use_frozen
from .mean cimport add_to_rows, average, scale_of, take_mean_step, update_outputs
from .negatives cimport Outputs, allocate_outputs, draw_outputs, free_outputs, use_set
from .step cimport Step, allocate, compute_coefficients, compute_loss, merge_outputs, use_inputs
from .together cimport Together, finish, join, leave, take_mean, use_zeros
from .vector cimport LANES, broadcast, fill_sigmoid_table, lanes, load, store
from .walk cimport (
    Walk, copy_contexts, find_repeats, find_rows, free_walk, renumber, visit_in_lanes, visited, walk_chunk,
)

fill_sigmoid_table()


cdef struct Weighted:
    # room to weight the contexts of a window by their positions
    float **weights            # of each context
    float **products           # weight ∘ context, and later weight's gradient
    float *scales              # of each context's gradient, and of its weight's
    float *memory


cdef int allocate_weighted(Weighted *weighted, Py_ssize_t max_contexts, Py_ssize_t stride) noexcept nogil:
    """Return 0 on success; to be freed by free_weighted in any case."""
    cdef Py_ssize_t c
    weighted.weights = <float **>malloc(max_contexts * sizeof(float *))
    weighted.products = <float **>malloc(max_contexts * sizeof(float *))
    weighted.memory = <float *>malloc(max_contexts * (stride + 2) * sizeof(float))
    if weighted.weights == NULL or weighted.products == NULL or weighted.memory == NULL:
        return -1
    for c in range(max_contexts):
        weighted.products[c] = weighted.memory + c * stride
    weighted.scales = weighted.memory + max_contexts * stride
    return 0


cdef void free_weighted(Weighted *weighted) noexcept nogil:
    free(weighted.weights)
    free(weighted.products)
    free(weighted.memory)


cdef inline void find_scales(
    float *scales, float **rows, Py_ssize_t n_rows, bint repeats, bint mean, bint scale_gradient
) noexcept nogil:
    """gradient_scale_of() for every row; without scale_gradient divided by how often it occurs."""
    cdef Py_ssize_t c, other, n
    for c in range(n_rows):
        n = 1
        for other in range(n_rows if repeats and not scale_gradient else 0):
            n += other != c and rows[other] == rows[c]
        scales[c] = 1.0 / <float>(n * n_rows if mean == scale_gradient else n)


cdef inline void multiply_rows(
    float **a, float **b, Py_ssize_t n_rows, Py_ssize_t stride, float **out
) noexcept nogil:
    """out = a ∘ b, row by row."""
    cdef Py_ssize_t c, k
    for c in range(n_rows):
        k = 0
        while k < stride:
            store(out[c] + k, load(a[c] + k) * load(b[c] + k))
            k += LANES


cdef inline void update_weighted(
    Weighted *weighted, float **contexts, Py_ssize_t n_contexts, const float *e, Py_ssize_t stride,
    const float *context_scales, const float *weight_scales, const Frozen *still,
) noexcept nogil:
    """x_c += scale · d_p(c) ∘ e, d_p += scale · x_c ∘ e, every right-hand side from before; or x_c stays."""
    cdef lanes s, change
    cdef Py_ssize_t c, k
    cdef float *product
    for c in range(n_contexts):
        product = weighted.products[c]
        s = broadcast(weight_scales[c])
        k = 0
        while k < stride:
            store(product + k, s * load(e + k) * load(contexts[c] + k))
            k += LANES
    for c in range(n_contexts):
        s = broadcast(context_scales[c])
        k = stride if stays(still, contexts[c]) else 0
        while k < stride:
            change = s * load(e + k) * load(weighted.weights[c] + k)
            store(contexts[c] + k, load(contexts[c] + k) + change)
            k += LANES
    for c in range(n_contexts):
        add_to_rows(weighted.weights + c, 1, weighted.products[c], 0, stride, 1)


cdef inline void take_weighted_step(
    Step *work, Weighted *weighted, float **contexts, Py_ssize_t n_contexts, bint contexts_repeat,
    bint weights_repeat, bint mean, bint scale_gradient, const Frozen *still, float learning_rate,
    double *loss,
) noexcept nogil:
    """take_mean_step() of contexts that are weighted by their positions."""
    cdef float *e = work.hidden + work.stride
    cdef float *context_scales = weighted.scales
    cdef float *weight_scales = weighted.scales + n_contexts
    multiply_rows(contexts, weighted.weights, n_contexts, work.stride, weighted.products)
    average(work.hidden, weighted.products, n_contexts, 0, work.stride, scale_of(n_contexts, mean))
    use_inputs(work, &work.hidden, 1)
    if loss != NULL:
        loss[0] += compute_loss(work)
    compute_coefficients(work, learning_rate)
    update_outputs(work, e)
    find_scales(context_scales, contexts, n_contexts, contexts_repeat, mean, scale_gradient)
    find_scales(weight_scales, weighted.weights, n_contexts, weights_repeat, mean, scale_gradient)
    update_weighted(weighted, contexts, n_contexts, e, work.stride, context_scales, weight_scales, still)


def step(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    float[:, ::1] position_weights,
    const int32_t[::1] contexts,
    const int32_t[::1] positions,
    int32_t center,
    const int32_t[::1] negatives,
    bint mean,
    bint scale_gradient,
    float learning_rate,
    const uint8_t[::1] frozen=None,
):
    """Take one gradient step for one window."""
    cdef Step work
    cdef Weighted weighted
    cdef Seen seen
    cdef Frozen still
    cdef bint weighs = position_weights is not None
    cdef Py_ssize_t n_moved = contexts.shape[0]
    cdef Py_ssize_t n_contexts = contexts.shape[0], n_outputs = 1 + negatives.shape[0], i
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef float **rows
    cdef double loss = 0
    cdef bint failed
    memset(&work, 0, sizeof(work))
    memset(&weighted, 0, sizeof(weighted))
    memset(&seen, 0, sizeof(seen))
    use_frozen(&still, frozen, input_vectors)
    with nogil:
        rows = <float **>malloc((n_contexts + n_outputs) * sizeof(float *))
        failed = (
            rows == NULL or allocate(&work, stride, 1, n_outputs) != 0
            or (weighs and allocate_weighted(&weighted, n_contexts, stride) != 0)
            or make_room(&seen, n_contexts) != 0
        )
        if not failed:
            rows[0] = &output_vectors[0, 0] + center * stride
            for i in range(1, n_outputs):
                rows[i] = &output_vectors[0, 0] + negatives[i - 1] * stride
            merge_outputs(&work, rows, n_outputs)
            for i in range(n_contexts):
                rows[i] = &input_vectors[0, 0] + contexts[i] * stride
                if weighs:
                    weighted.weights[i] = &position_weights[0, 0] + positions[i] * stride
            if weighs:
                take_weighted_step(
                    &work, &weighted, rows, n_contexts, True, True, mean, scale_gradient, &still,
                    learning_rate, &loss
                )
            else:
                if not scale_gradient:
                    n_moved = move_repeats_behind(&seen, rows, n_contexts)
                n_moved = moving_first(&still, rows, NULL, n_moved)
                take_mean_step(
                    &work, rows, n_contexts, n_moved, mean, scale_gradient, learning_rate, &loss
                )
        free(seen.slots)
        free(rows)
        free_weighted(&weighted)
        free(work.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a step")
    return loss


def train(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    float[:, ::1] position_weights,
    const int32_t[::1] ids,
    const int64_t[::1] sentence_offsets,
    int64_t start,
    int64_t stop,
    const uint32_t[::1] keep,
    const uint32_t[:, ::1] noise,
    Py_ssize_t window,
    Py_ssize_t negatives,
    bint mean,
    bint scale_gradient,
    float learning_rate,
    uint64_t key,
    uint64_t loss_every,
    team=None,
    copies=None,
    const uint8_t[::1] frozen=None,
    bint dynamic_window=True,
    float[:, ::1] exposures=None,
    const int32_t[::1] places=None,
):
    """Train on the words at positions [start, stop) of the corpus as centres."""
    cdef Step work
    cdef Walk walk
    cdef Rows input_rows, output_rows
    cdef Outputs outputs
    cdef Weighted weighted
    cdef Seen seen
    cdef Together all
    cdef Frozen still
    cdef Exposures exposed
    cdef const int32_t *place_of_word = NULL
    cdef bint team_works = team is not None
    cdef bint weighs = position_weights is not None
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef uint32_t n_words = <uint32_t>keep.shape[0]
    cdef Py_ssize_t ahead = positions_ahead(2 + negatives, stride)
    cdef Py_ssize_t number, i, c, n_contexts, n_moved, before
    cdef int64_t sampled_pairs = 0, pairs = 0
    cdef double loss = 0
    cdef bint sampled, repeats, failed
    memset(&walk, 0, sizeof(walk))
    memset(&work, 0, sizeof(work))
    memset(&weighted, 0, sizeof(weighted))
    memset(&seen, 0, sizeof(seen))
    if places is not None:
        place_of_word = &places[0]
    see_rows(&input_rows, input_vectors, copies, "input_vectors")
    see_rows(&output_rows, output_vectors, copies, "output_vectors")
    join(&all, team, learning_rate)
    use_frozen(&still, frozen, input_vectors)
    if exposures is not None:
        if weighs:
            raise ValueError("position_weights must be None with exposures, got weights")
        use_exposures(&exposed, exposures, input_vectors, output_vectors)
        work.exposures = &exposed
    with nogil:
        failed = (
            allocate_outputs(&outputs, negatives, 1) != 0
            or allocate(&work, stride, 1, 1 + negatives) != 0
            or make_room(&seen, 2 * window) != 0
            or (weighs and allocate_weighted(&weighted, 2 * window, stride) != 0)
            or walk_chunk(
                &walk, ids, sentence_offsets, start, stop, keep, <uint32_t>window, dynamic_window, key,
                1 + negatives
            ) != 0
            or (team_works and visit_in_lanes(&walk, all.steps, window) != 0)
        )
        use_zeros(&all, &work)
        outputs.places = place_of_word
        if not failed:
            renumber(&walk, place_of_word)
            if not scale_gradient:
                find_repeats(&walk, window)
            find_rows(&walk, &input_rows, window)
        outputs.stop = walk.first
        for number in range(walk.first, walk.first if failed else walk.last):
            i = visited(&walk, number)
            if number + ahead >= outputs.stop and outputs.stop < walk.last:
                draw_outputs(
                    &outputs, &work, &walk, number, window, &input_rows, &output_rows, &noise[0, 0], n_words,
                    key
                )
            before = i - walk.begin[i]
            n_contexts = walk.end[i] - walk.begin[i] - 1
            if n_contexts == 0:
                continue
            sampled = walk.positions[i] & (loss_every - 1) == 0
            pairs += 1
            sampled_pairs += sampled
            copy_contexts(&walk, i, window)
            if weighs:
                for c in range(n_contexts):
                    weighted.weights[c] = &position_weights[0, 0] + (window - before + c) * stride
            use_set(&work, &outputs, number, 0)
            fetch_rows_of(&work, &outputs.ring, number + ahead, 0, walk.last)
            repeats = not scale_gradient and walk.distinct[walk.end[i] - 1] > walk.begin[i]
            if weighs:
                take_weighted_step(
                    &work, &weighted, walk.contexts, n_contexts, repeats, False, mean, scale_gradient, &still,
                    learning_rate, &loss if sampled else NULL
                )
                continue
            n_moved = n_contexts
            if repeats:
                n_moved = move_repeats_behind(&seen, walk.contexts, n_contexts)
            n_moved = moving_first(&still, walk.contexts, NULL, n_moved)
            take_mean(
                &all, &work, walk.contexts, n_contexts, n_moved, mean, scale_gradient, learning_rate,
                &loss if sampled else NULL
            )
        exchange(&input_rows)
        exchange(&output_rows)
        if work.exposures != NULL:
            add_exposures(&exposed)
        failed = finish(&all, &work, failed, &loss)
        free_outputs(&outputs)
        free(seen.slots)
        free_weighted(&weighted)
        free(work.memory)
        free_walk(&walk)
    leave(&all, team)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return loss, sampled_pairs, pairs
