"""One gradient step of the full softmax for a batch of examples; as reference/softmax.py.

The scores of all outputs are products of blocks of six rows, kept block by block, and become the errors in
their place.
"""

from libc.math cimport exp, log
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free
from libc.string cimport memset

from .distinct cimport Seen, make_room, move_repeats_behind
from .frozen cimport Frozen, moving_first
from .mean cimport add_to_rows, average, gradient_scale_of, scale_of
from .memory cimport allocate_zeros, reserve
from .tiles cimport BLOCK, SLOTS, dot_four, dot_one, dot_two, update
from .vector cimport LANES, REGISTERS, broadcast, exp_of_negative, lanes, larger, load, store


cdef struct Examples:
    Py_ssize_t n
    const int32_t *inputs
    const int64_t *input_offsets      # [n + 1]
    const int32_t *targets
    const int64_t *target_offsets     # [n + 1]


cdef struct Batch:
    Py_ssize_t stride
    Py_ssize_t n_words
    Py_ssize_t n_blocks        # of output rows
    # room to work in
    float *scores              # then errors, [n_blocks][block_stride], in it [example][SLOTS]
    Py_ssize_t block_stride
    float *row_numbers         # one number for every example, [example][SLOTS], repeated
    float *hidden_room
    float **hidden             # h, [example]
    float **gradients          # −η e, [example]
    float **input_rows         # of one example
    float *zero_row            # fills the last block
    Seen seen                  # of one example
    void *memory


cdef inline Py_ssize_t lay_out(Batch *batch, char *base, Py_ssize_t n, Py_ssize_t max_inputs) noexcept nogil:
    """Place everything behind base and return the size of it all."""
    cdef char *room = base
    batch.scores = <float *>reserve(&room, batch.n_blocks * batch.block_stride * sizeof(float))
    batch.row_numbers = <float *>reserve(&room, batch.block_stride * sizeof(float))
    batch.hidden_room = <float *>reserve(&room, 2 * n * batch.stride * sizeof(float))
    batch.hidden = <float **>reserve(&room, n * sizeof(void *))
    batch.gradients = <float **>reserve(&room, n * sizeof(void *))
    batch.input_rows = <float **>reserve(&room, max_inputs * sizeof(void *))
    batch.zero_row = <float *>reserve(&room, batch.stride * sizeof(float))
    return room - base


cdef inline int allocate_batch(
    Batch *batch, Py_ssize_t stride, Py_ssize_t n_words, Py_ssize_t n, Py_ssize_t max_inputs
) noexcept nogil:
    """Make room for n examples of up to max_inputs inputs; return 0 on success.

    From zeros; to be freed by free_batch in any case.
    """
    cdef Py_ssize_t b
    cdef char *room
    batch.stride = stride
    batch.n_words = n_words
    batch.n_blocks = (n_words + BLOCK - 1) // BLOCK
    # behind the last row, a tile of AVX-512 writes up to 8 floats more
    batch.block_stride = (n + 1) * SLOTS
    room = <char *>allocate_zeros(&batch.memory, lay_out(batch, NULL, n, max_inputs))
    if room == NULL or make_room(&batch.seen, max_inputs) != 0:
        return -1
    lay_out(batch, room, n, max_inputs)
    for b in range(n):
        batch.hidden[b] = batch.hidden_room + 2 * b * stride
        batch.gradients[b] = batch.hidden[b] + stride
    return 0


cdef inline void free_batch(Batch *batch) noexcept nogil:
    free(batch.seen.slots)
    free(batch.memory)


cdef inline void find_block(
    const Batch *batch, Py_ssize_t block, float *output_vectors, float **y
) noexcept nogil:
    cdef Py_ssize_t n
    for n in range(BLOCK):
        y[n] = batch.zero_row
        if block * BLOCK + n < batch.n_words:
            y[n] = output_vectors + (block * BLOCK + n) * batch.stride


cdef inline void compute_scores(Batch *batch, Py_ssize_t n_examples, float *output_vectors) noexcept nogil:
    """scores[b, w] = h_b · y_w"""
    cdef Py_ssize_t block, b, n
    cdef float *scores
    cdef (float *)[BLOCK] y
    for block in range(batch.n_blocks):
        find_block(batch, block, output_vectors, y)
        scores = batch.scores + block * batch.block_stride
        b = 0
        while REGISTERS == 32 and b + 3 < n_examples:
            dot_four(batch.hidden + b, y, 0, batch.stride, scores + b * SLOTS)
            b += 4
        while b + 1 < n_examples:
            dot_two(batch.hidden[b], batch.hidden[b + 1], y, 0, batch.stride, scores + b * SLOTS)
            b += 2
        if b < n_examples:
            dot_one(batch.hidden[b], y, 0, batch.stride, scores + b * SLOTS)
    scores = batch.scores + (batch.n_blocks - 1) * batch.block_stride
    for n in range(batch.n_words - (batch.n_blocks - 1) * BLOCK, BLOCK):
        for b in range(n_examples):
            scores[b * SLOTS + n] = -1e30   # of what is no word


cdef inline void find_largest(Batch *batch, Py_ssize_t n_examples) noexcept nogil:
    """row_numbers[b] = max_w scores[b, w]"""
    cdef Py_ssize_t i = 0, block, b, n
    cdef lanes most
    cdef float *numbers
    cdef float largest
    while i < n_examples * SLOTS:
        most = load(batch.scores + i)
        for block in range(1, batch.n_blocks):
            most = larger(most, load(batch.scores + block * batch.block_stride + i))
        store(batch.row_numbers + i, most)
        i += LANES
    for b in range(n_examples):
        numbers = batch.row_numbers + b * SLOTS
        largest = numbers[0]
        for n in range(1, BLOCK):
            largest = max(largest, numbers[n])
        for n in range(SLOTS):
            numbers[n] = largest


cdef inline double compute_loss(const Batch *batch, const Examples *examples, Py_ssize_t b) noexcept nogil:
    """The loss of example b, of the scores and in double precision."""
    cdef Py_ssize_t w, t
    cdef double total = 0, loss = 0, largest = batch.row_numbers[b * SLOTS]
    for w in range(batch.n_words):
        total += exp(batch.scores[w // BLOCK * batch.block_stride + b * SLOTS + w % BLOCK] - largest)
    for t in range(examples.target_offsets[b], examples.target_offsets[b + 1]):
        w = examples.targets[t]
        loss += largest + log(total) - batch.scores[w // BLOCK * batch.block_stride + b * SLOTS + w % BLOCK]
    return loss


cdef inline void turn_scores_into_errors(
    Batch *batch, const Examples *examples, float learning_rate
) noexcept nogil:
    """scores[b, w] ← −η δ_bw"""
    cdef Py_ssize_t i = 0, block, b, n, t, w
    cdef lanes largest, total, factor, e
    cdef float *numbers
    cdef float row_total
    while i < examples.n * SLOTS:
        largest = load(batch.row_numbers + i)
        total = broadcast(0)
        for block in range(batch.n_blocks):
            e = exp_of_negative(load(batch.scores + block * batch.block_stride + i) - largest)
            store(batch.scores + block * batch.block_stride + i, e)
            total += e
        store(batch.row_numbers + i, total)
        i += LANES
    for b in range(examples.n):
        numbers = batch.row_numbers + b * SLOTS
        row_total = 0
        for n in range(BLOCK):
            row_total += numbers[n]
        row_total = -learning_rate * (examples.target_offsets[b + 1] - examples.target_offsets[b]) / row_total
        for n in range(SLOTS):
            numbers[n] = row_total
    i = 0
    while i < examples.n * SLOTS:
        factor = load(batch.row_numbers + i)
        for block in range(batch.n_blocks):
            e = load(batch.scores + block * batch.block_stride + i)
            store(batch.scores + block * batch.block_stride + i, factor * e)
        i += LANES
    # what is no word has a probability of e⁻⁸⁷, and products of it would be denormal, which are slow
    numbers = batch.scores + (batch.n_blocks - 1) * batch.block_stride
    for n in range(batch.n_words - (batch.n_blocks - 1) * BLOCK, BLOCK):
        for b in range(examples.n):
            numbers[b * SLOTS + n] = 0
    for b in range(examples.n):
        for t in range(examples.target_offsets[b], examples.target_offsets[b + 1]):
            w = examples.targets[t]
            batch.scores[w // BLOCK * batch.block_stride + b * SLOTS + w % BLOCK] += learning_rate


cdef inline Py_ssize_t find_inputs(
    Batch *batch, const Examples *examples, Py_ssize_t b, float *input_vectors
) noexcept nogil:
    """Put the input rows of example b into input_rows and return their number."""
    cdef Py_ssize_t first = examples.input_offsets[b], n = examples.input_offsets[b + 1] - first, i
    for i in range(n):
        batch.input_rows[i] = input_vectors + examples.inputs[first + i] * batch.stride
    return n


cdef inline double take_step(
    Batch *batch, const Examples *examples, float *input_vectors, float *output_vectors, bint mean,
    bint scale_gradient, const Frozen *still, float learning_rate, const bint *sampled,
) noexcept nogil:
    """One update; return the loss of the examples that are sampled, of all if that is NULL."""
    cdef Py_ssize_t b, n, n_moved, block
    cdef double loss = 0
    cdef (float *)[BLOCK] y
    for b in range(examples.n):
        n = find_inputs(batch, examples, b, input_vectors)
        average(batch.hidden[b], batch.input_rows, n, 0, batch.stride, scale_of(n, mean))
        memset(batch.gradients[b], 0, batch.stride * sizeof(float))
    compute_scores(batch, examples.n, output_vectors)
    find_largest(batch, examples.n)
    for b in range(examples.n):
        if sampled == NULL or sampled[b]:
            loss += compute_loss(batch, examples, b)
    turn_scores_into_errors(batch, examples, learning_rate)
    for block in range(batch.n_blocks):
        find_block(batch, block, output_vectors, y)
        update(
            batch.gradients, batch.hidden, examples.n, y, 0, batch.stride,
            batch.scores + block * batch.block_stride, NULL, 0,
        )
    for b in range(examples.n):
        n = find_inputs(batch, examples, b, input_vectors)
        n_moved = n if scale_gradient else move_repeats_behind(&batch.seen, batch.input_rows, n)
        n_moved = moving_first(still, batch.input_rows, NULL, n_moved)
        add_to_rows(
            batch.input_rows, n_moved, batch.gradients[b], 0, batch.stride,
            gradient_scale_of(n, mean, scale_gradient)
        )
    return loss
