"""Classes of documents, as reference/documents.py.

What is done otherwise, and why:

- The exponential is a polynomial, relative error below 2e-7, and at least e⁻⁸⁷.
- Documents come in a random order, and what is read of them is fetched into the cache before: where their
  rows are listed, then the list, then the rows. The rows are fetched while others are added up and changed,
  since a burst of prefetches fills the processor's queue of misses and waits.
- Threads share the matrices without locks (Hogwild: Niu, Recht, Ré and Wright 2011).
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from .batch cimport (
    Batch, Examples, allocate_batch, compute_loss, compute_scores, find_block, find_inputs, find_largest,
    free_batch, turn_scores_into_errors,
)
from .mean cimport update_outputs
from .sampling cimport draw, draw_noise
from .step cimport (
    Step, allocate, clear_merged, compute_coefficients, count_merged, merge_outputs, use_inputs, use_merged,
)
from .step cimport compute_loss as compute_logistic_loss
from .tiles cimport BLOCK, SLOTS, update
from .vector cimport (
    LANES, broadcast, fill_sigmoid_table, lanes, load, noinline_void, prefetch_row, prefetch_to_read, store,
)

cdef enum:
    # Documents ahead of their use that are fetched:
    ROWS_AHEAD = 2      # their input rows
    INPUTS_AHEAD = 8    # which rows these are
    PLACES_AHEAD = 16   # and where that is listed, and their labels

cdef enum:
    SOFTMAX
    ONE_VS_ALL
    PATHS
    NEGATIVES

fill_sigmoid_table()


cdef struct Labels:
    # What says which outputs a document is trained with; what its loss does not use is not set.
    int loss
    const int32_t *labels
    const int64_t *label_offsets
    const int64_t *path_offsets
    const int32_t *path_nodes
    const uint8_t *path_codes
    const uint32_t *noise
    Py_ssize_t negatives
    uint64_t key
    Py_ssize_t most_outputs    # of a document


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


cdef inline double take_softmax_step(
    Batch *batch, const Examples *document, float *output_vectors, float learning_rate, bint sampled,
    Upcoming *upcoming,
) noexcept nogil:
    """One update of all outputs; return the loss if it is sampled."""
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


cdef inline void mark(Step *step, int32_t label, float positive) noexcept nogil:
    """Say whether a label among all is one of the document."""
    cdef float *slot = step.merged + label // BLOCK * 4 * SLOTS + 2 * SLOTS + label % BLOCK
    slot[0] = slot[SLOTS] = positive


cdef inline void use_labels(
    Step *step, const Labels *labels, int64_t place, int64_t document, float *output_vectors,
    uint32_t n_labels, float **room,
) noexcept nogil:
    """Take the outputs of a document, each as a positive or a negative one, for a step."""
    cdef int64_t i, first
    cdef int32_t label
    cdef int32_t n
    if labels.loss == ONE_VS_ALL:
        for i in range(labels.label_offsets[document], labels.label_offsets[document + 1]):
            mark(step, labels.labels[i], 1)
        return
    label = labels.labels[document]
    if labels.loss == PATHS:
        first = labels.path_offsets[label]
        n = <int32_t> (labels.path_offsets[label + 1] - first)
        clear_merged(step, n)
        for i in range(n):
            step.y_merged[i] = output_vectors + labels.path_nodes[first + i] * step.stride
            count_merged(step, i, labels.path_codes[first + i] == 0)
        use_merged(step, n)
        return
    room[0] = output_vectors + label * step.stride
    for i in range(labels.negatives):
        room[1 + i] = output_vectors + step.stride * draw_noise(
            draw(labels.key, place * labels.negatives + i), labels.noise, n_labels
        )
    merge_outputs(step, room, 1 + labels.negatives)


cdef inline void use_all_outputs(Step *step, float *output_vectors, Py_ssize_t n_labels) noexcept nogil:
    """Take all outputs, as negative ones, for the steps of one document after the other."""
    cdef Py_ssize_t n
    for n in range(n_labels):
        step.y_merged[n] = output_vectors + n * step.stride
    use_merged(step, n_labels)
    step.counts = step.all_once


cdef inline void take_logistic_step(
    Step *step, float **rows, Py_ssize_t n_rows, float learning_rate, double *loss, Upcoming *upcoming
) noexcept nogil:
    """One update with the outputs that the step holds; the loss is added up unless it is NULL."""
    cdef float scale = 1.0 / <float>n_rows
    cdef float *e = step.hidden + step.stride
    average(step.hidden, rows, n_rows, step.stride, scale, upcoming)
    use_inputs(step, &step.hidden, 1)
    if loss != NULL:
        loss[0] += compute_logistic_loss(step)
    compute_coefficients(step, learning_rate)
    update_outputs(step, e)
    add_to_rows(rows, n_rows, e, step.stride, scale, upcoming)


cdef visit(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    const int32_t[::1] inputs,
    const int64_t[::1] input_offsets,
    const Labels *labels,
    const int32_t[::1] order,
    int64_t start,
    int64_t stop,
    float learning_rate,
    int64_t loss_every,
):
    """Train on the documents at the places [start, stop) of an order; return what `train` does."""
    cdef Batch batch
    cdef Step step
    cdef Examples document
    cdef Upcoming upcoming
    cdef const int32_t *of_documents = &inputs[0] if inputs.shape[0] else NULL
    cdef float *outputs = &output_vectors[0, 0]
    cdef float **rows = NULL
    cdef float **room = NULL
    cdef Py_ssize_t n_outputs = output_vectors.shape[0]
    cdef int64_t place, number, ahead, i, n, most = 1, sampled_documents = 0, trained = 0
    cdef int64_t[2] one_offsets
    cdef bint sampled, failed
    cdef double loss = 0
    memset(&batch, 0, sizeof(batch))
    memset(&step, 0, sizeof(step))
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
        if labels.loss == SOFTMAX:
            failed = allocate_batch(&batch, upcoming.stride, n_outputs, 1, most) != 0
        else:
            rows = <float **>malloc(most * sizeof(float *))
            room = <float **>malloc((1 + labels.negatives) * sizeof(float *))
            failed = (
                rows == NULL or room == NULL
                or allocate(&step, upcoming.stride, 1, labels.most_outputs) != 0
            )
            if labels.loss == ONE_VS_ALL and not failed:
                use_all_outputs(&step, outputs, n_outputs)
        for place in range(start, start if failed else stop):
            number = order[place]
            ahead = order[min(place + PLACES_AHEAD, stop - 1)]
            prefetch_to_read(&input_offsets[ahead])
            if labels.loss == ONE_VS_ALL:
                prefetch_to_read(&labels.label_offsets[ahead])
            else:
                prefetch_to_read(&labels.labels[ahead])
            ahead = order[min(place + INPUTS_AHEAD, stop - 1)]
            for i in range(input_offsets[ahead], input_offsets[ahead + 1], 16):
                prefetch_to_read(of_documents + i)
            document.input_offsets = &input_offsets[number]
            n = document.input_offsets[1] - document.input_offsets[0]
            if n == 0:
                continue
            ahead = order[min(place + ROWS_AHEAD, stop - 1)]
            upcoming.inputs = of_documents + input_offsets[ahead]
            upcoming.n = input_offsets[ahead + 1] - input_offsets[ahead]
            sampled = place % loss_every == 0
            trained += 1
            sampled_documents += sampled
            if labels.loss == SOFTMAX:
                document.targets = &labels.labels[number]
                loss += take_softmax_step(&batch, &document, outputs, learning_rate, sampled, &upcoming)
                continue
            for i in range(n):
                rows[i] = (
                    upcoming.input_vectors + of_documents[document.input_offsets[0] + i] * upcoming.stride
                )
            use_labels(&step, labels, place, number, outputs, <uint32_t>n_outputs, room)
            take_logistic_step(&step, rows, n, learning_rate, &loss if sampled else NULL, &upcoming)
            if labels.loss == ONE_VS_ALL:
                for i in range(labels.label_offsets[number], labels.label_offsets[number + 1]):
                    mark(&step, labels.labels[i], 0)
        free_batch(&batch)
        free(step.memory)
        free(rows)
        free(room)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return loss, sampled_documents, trained


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
    """Train on the documents at the places [start, stop) of an order by the softmax, one update each."""
    cdef Labels of_documents
    memset(&of_documents, 0, sizeof(of_documents))
    of_documents.loss = SOFTMAX
    of_documents.labels = &labels[0]
    return visit(
        input_vectors, output_vectors, inputs, input_offsets, &of_documents, order, start, stop,
        learning_rate, loss_every,
    )


def train_one_vs_all(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    const int32_t[::1] inputs,
    const int64_t[::1] input_offsets,
    const int32_t[::1] labels,
    const int64_t[::1] label_offsets,
    const int32_t[::1] order,
    int64_t start,
    int64_t stop,
    float learning_rate,
    int64_t loss_every,
):
    """As `train`, with any labels a document and a logistic loss for every label there is."""
    cdef Labels of_documents
    memset(&of_documents, 0, sizeof(of_documents))
    of_documents.loss = ONE_VS_ALL
    of_documents.labels = &labels[0] if labels.shape[0] else NULL
    of_documents.label_offsets = &label_offsets[0]
    of_documents.most_outputs = output_vectors.shape[0]
    return visit(
        input_vectors, output_vectors, inputs, input_offsets, &of_documents, order, start, stop,
        learning_rate, loss_every,
    )


def train_paths(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    const int32_t[::1] inputs,
    const int64_t[::1] input_offsets,
    const int32_t[::1] labels,
    const int64_t[::1] path_offsets,
    const int32_t[::1] path_nodes,
    const uint8_t[::1] path_codes,
    const int32_t[::1] order,
    int64_t start,
    int64_t stop,
    float learning_rate,
    int64_t loss_every,
):
    """As `train`, by the hierarchical softmax."""
    cdef Labels of_documents
    cdef int64_t label
    memset(&of_documents, 0, sizeof(of_documents))
    of_documents.loss = PATHS
    of_documents.labels = &labels[0]
    of_documents.path_offsets = &path_offsets[0]
    of_documents.path_nodes = &path_nodes[0]
    of_documents.path_codes = &path_codes[0]
    for label in range(path_offsets.shape[0] - 1):
        of_documents.most_outputs = max(
            of_documents.most_outputs, path_offsets[label + 1] - path_offsets[label]
        )
    return visit(
        input_vectors, output_vectors, inputs, input_offsets, &of_documents, order, start, stop,
        learning_rate, loss_every,
    )


def train_negatives(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    const int32_t[::1] inputs,
    const int64_t[::1] input_offsets,
    const int32_t[::1] labels,
    const uint32_t[:, ::1] noise,
    int64_t negatives,
    const int32_t[::1] order,
    int64_t start,
    int64_t stop,
    float learning_rate,
    uint64_t key,
    int64_t loss_every,
):
    """As `train`, by negative sampling."""
    cdef Labels of_documents
    memset(&of_documents, 0, sizeof(of_documents))
    of_documents.loss = NEGATIVES
    of_documents.labels = &labels[0]
    of_documents.noise = &noise[0, 0]
    of_documents.negatives = negatives
    of_documents.key = key
    of_documents.most_outputs = 1 + negatives
    return visit(
        input_vectors, output_vectors, inputs, input_offsets, &of_documents, order, start, stop,
        learning_rate, loss_every,
    )
