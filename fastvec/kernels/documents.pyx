"""Classes of documents, as reference/documents.py.

What is done otherwise, and why:

- The exponential is a polynomial, relative error below 2e-7, and at least e⁻⁸⁷.
- Documents come in a random order, and what is read of them is fetched into the cache before: where their
  rows are listed, then the list, then the rows. The rows are fetched while others are added up and changed,
  since a burst of prefetches fills the processor's queue of misses and waits.
- Threads share the matrices without locks (Hogwild: Niu, Recht, Ré and Wright 2011).
"""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memset

from .batch cimport (
    Batch, Examples, allocate_batch, compute_loss, compute_scores, find_block, find_inputs, find_largest,
    free_batch, turn_scores_into_errors,
)
from .tiles cimport BLOCK, update
from .vector cimport LANES, broadcast, lanes, load, noinline_void, prefetch_row, prefetch_to_read, store

cdef enum:
    # Documents ahead of their use that are fetched:
    ROWS_AHEAD = 2      # their input rows
    INPUTS_AHEAD = 8    # which rows these are
    PLACES_AHEAD = 16   # and where that is listed, and their labels

cdef struct Upcoming:
    const int32_t *inputs      # rows to fetch
    Py_ssize_t n
    float *input_vectors
    Py_ssize_t stride


cdef inline void fetch_next(Upcoming *upcoming) noexcept nogil:
    prefetch_row(upcoming.input_vectors + upcoming.inputs[0] * upcoming.stride, upcoming.stride)
    upcoming.inputs += 1
    upcoming.n -= 1


cdef inline noinline_void average(
    float *hidden, float **rows, Py_ssize_t n_rows, Py_ssize_t stride, float scale, Upcoming *upcoming
) noexcept nogil:
    """hidden = scale · Σ rows; meanwhile half of the upcoming rows are fetched, if there are as many here."""
    cdef lanes s = broadcast(scale), a, b, c, d
    cdef Py_ssize_t k = 0, i, left = upcoming.n // 2
    while k + 4 * LANES <= stride:
        a = b = c = d = broadcast(0)
        for i in range(n_rows):
            if upcoming.n > left:
                fetch_next(upcoming)
            a += load(rows[i] + k)
            b += load(rows[i] + k + LANES)
            c += load(rows[i] + k + 2 * LANES)
            d += load(rows[i] + k + 3 * LANES)
        store(hidden + k, s * a)
        store(hidden + k + LANES, s * b)
        store(hidden + k + 2 * LANES, s * c)
        store(hidden + k + 3 * LANES, s * d)
        k += 4 * LANES
    if k + 2 * LANES <= stride:
        a = b = c = broadcast(0)
        for i in range(n_rows):
            a += load(rows[i] + k)
            b += load(rows[i] + k + LANES)
            if k + 3 * LANES <= stride:
                c += load(rows[i] + k + 2 * LANES)
        store(hidden + k, s * a)
        store(hidden + k + LANES, s * b)
        k += 2 * LANES
        if k + LANES <= stride:
            store(hidden + k, s * c)
            k += LANES
    if k < stride:
        a = broadcast(0)
        for i in range(n_rows):
            a += load(rows[i] + k)
        store(hidden + k, s * a)


cdef inline void add_to_rows(
    float **rows, Py_ssize_t n_rows, const float *e, Py_ssize_t stride, float scale, Upcoming *upcoming
) noexcept nogil:
    """rows ← rows + scale · e; meanwhile all upcoming rows that are left are fetched."""
    cdef lanes s = broadcast(scale)
    cdef Py_ssize_t k, i
    for i in range(n_rows):
        if upcoming.n:
            fetch_next(upcoming)
        k = 0
        while k < stride:
            store(rows[i] + k, load(rows[i] + k) + s * load(e + k))
            k += LANES
    while upcoming.n:
        fetch_next(upcoming)


cdef inline double take_step(
    Batch *batch, const Examples *document, float *output_vectors, float learning_rate, bint sampled,
    Upcoming *upcoming,
) noexcept nogil:
    """One update; return the loss if it is sampled."""
    cdef Py_ssize_t block, n = find_inputs(batch, document, 0, upcoming.input_vectors)
    cdef float scale = 1.0 / <float>n
    cdef double loss = 0
    cdef (float *)[BLOCK] y
    average(batch.hidden[0], batch.input_rows, n, batch.stride, scale, upcoming)
    memset(batch.gradients[0], 0, batch.stride * sizeof(float))
    compute_scores(batch, 1, output_vectors)
    find_largest(batch, 1)
    if sampled:
        loss = compute_loss(batch, document, 0)
    turn_scores_into_errors(batch, document, learning_rate)
    for block in range(batch.n_blocks):
        find_block(batch, block, output_vectors, y)
        update(
            batch.gradients, batch.hidden, 1, y, 0, batch.stride, batch.scores + block * batch.block_stride
        )
    add_to_rows(batch.input_rows, n, batch.gradients[0], batch.stride, scale, upcoming)
    return loss


def train(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    const int32_t[::1] inputs,
    const int64_t[::1] input_offsets,
    const int32_t[::1] labels,
    const int32_t[::1] order,
    int64_t start,
    int64_t stop,
    float learning_rate,
    int64_t loss_every,
):
    """Train on the documents at the places [start, stop) of an order, one update each."""
    cdef Batch batch
    cdef Examples document
    cdef Upcoming upcoming
    cdef const int32_t *of_documents = &inputs[0] if inputs.shape[0] else NULL
    cdef int64_t place, ahead, i, most = 1, sampled_documents = 0, trained = 0
    cdef int64_t[2] one_offsets
    cdef bint sampled
    cdef double loss = 0
    cdef bint failed
    memset(&batch, 0, sizeof(batch))
    one_offsets[0] = 0
    one_offsets[1] = 1
    document.n = 1
    document.inputs = of_documents
    document.target_offsets = &one_offsets[0]
    upcoming.input_vectors = &input_vectors[0, 0]
    upcoming.stride = input_vectors.shape[1]
    with nogil:
        for place in range(start, stop):
            most = max(most, input_offsets[order[place] + 1] - input_offsets[order[place]])
        failed = allocate_batch(&batch, upcoming.stride, output_vectors.shape[0], 1, most) != 0
        for place in range(start, start if failed else stop):
            ahead = order[min(place + PLACES_AHEAD, stop - 1)]
            prefetch_to_read(&input_offsets[ahead])
            prefetch_to_read(&labels[ahead])
            ahead = order[min(place + INPUTS_AHEAD, stop - 1)]
            for i in range(input_offsets[ahead], input_offsets[ahead + 1], 16):
                prefetch_to_read(of_documents + i)
            document.input_offsets = &input_offsets[order[place]]
            document.targets = &labels[order[place]]
            if document.input_offsets[0] == document.input_offsets[1]:
                continue
            ahead = order[min(place + ROWS_AHEAD, stop - 1)]
            upcoming.inputs = of_documents + input_offsets[ahead]
            upcoming.n = input_offsets[ahead + 1] - input_offsets[ahead]
            sampled = place % loss_every == 0
            trained += 1
            sampled_documents += sampled
            loss += take_step(&batch, &document, &output_vectors[0, 0], learning_rate, sampled, &upcoming)
        free_batch(&batch)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return loss, sampled_documents, trained
