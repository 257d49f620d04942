"""Classes of documents, as reference/documents.py.

What is done otherwise, and why:

- The exponential is a polynomial, relative error below 2e-7, and at least e⁻⁸⁷.
- Documents come in a random order, and what is read of them is fetched into the cache before: where their
  rows are listed, then the list, then the rows. The rows are fetched while others are added up and changed,
  since a burst of prefetches fills the processor's queue of misses and waits.
- Threads share the matrices without locks (Hogwild: Niu, Recht, Ré and Wright 2011), and work on copies of
  the most used rows. Where every document moves all outputs, these are exchanged at once.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from .batch cimport (
    Batch, Examples, allocate_batch, compute_loss, compute_scores, find_block, find_largest, free_batch,
    turn_scores_into_errors,
)
from .copies cimport Rows, count_uses, exchange, exchange_row, row_of, see_rows, share_rows
from .mean cimport update_outputs
from .sampling cimport draw, draw_noise
from .step cimport (
    Step, allocate, clear_merged, compute_coefficients, count_merged, merge_outputs, use_inputs, use_merged,
)
from .step cimport compute_loss as compute_logistic_loss
from .tiles cimport BLOCK, SLOTS, update
from .vector cimport (
    LANES, broadcast, fill_sigmoid_table, lanes, load, mix64, noinline_void, prefetch_row, prefetch_to_read,
    store,
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
    const int32_t *label_rows  # NULL: label k has row k
    Py_ssize_t negatives
    uint64_t key
    Py_ssize_t most_outputs    # of a document


cdef struct Upcoming:
    const int32_t *inputs      # rows to fetch
    Py_ssize_t n
    const Rows *input_rows


cdef inline void fetch_next(Upcoming *upcoming) noexcept nogil:
    prefetch_row(row_of(upcoming.input_rows, upcoming.inputs[0]), upcoming.input_rows.stride)
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
    Batch *batch, const Examples *document, float **rows, Py_ssize_t n_rows, float *output_vectors,
    float learning_rate, bint sampled, Upcoming *upcoming,
) noexcept nogil:
    """One update of all outputs; return the loss if it is sampled."""
    cdef Py_ssize_t block
    cdef float scale = 1.0 / <float>n_rows
    cdef double loss = 0
    cdef (float *)[BLOCK] y
    average(batch.hidden[0], rows, n_rows, batch.stride, scale, upcoming)
    memset(batch.gradients[0], 0, batch.stride * sizeof(float))
    compute_scores(batch, 1, output_vectors)
    find_largest(batch, 1)
    if sampled:
        loss = compute_loss(batch, document, 0)
    turn_scores_into_errors(batch, document, learning_rate)
    for block in range(batch.n_blocks):
        find_block(batch, block, output_vectors, y)
        update(
            batch.gradients, batch.hidden, 1, y, 0, batch.stride, batch.scores + block * batch.block_stride,
            NULL, 0,
        )
    add_to_rows(rows, n_rows, batch.gradients[0], batch.stride, scale, upcoming)
    return loss


cdef inline void mark(Step *step, int32_t label, float positive) noexcept nogil:
    """Say whether a label among all is one of the document."""
    cdef float *slot = step.merged + label // BLOCK * 4 * SLOTS + 2 * SLOTS + label % BLOCK
    slot[0] = slot[SLOTS] = positive


cdef inline int32_t row_of_label(const Labels *labels, int32_t label) noexcept nogil:
    return label if labels.label_rows == NULL else labels.label_rows[label]


cdef inline void use_labels(
    Step *step, const Labels *labels, int64_t place, int64_t document, Rows *output_rows, uint32_t n_labels,
    int32_t *numbers, float **room,
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
        count_uses(output_rows, labels.path_nodes + first, n)
        clear_merged(step, n)
        for i in range(n):
            step.y_merged[i] = row_of(output_rows, labels.path_nodes[first + i])
            count_merged(step, i, labels.path_codes[first + i] == 0)
        use_merged(step, n)
        return
    numbers[0] = row_of_label(labels, label)
    for i in range(labels.negatives):
        numbers[1 + i] = row_of_label(labels, draw_noise(
            draw(labels.key, place * labels.negatives + i), labels.noise, n_labels
        ))
    n = <int32_t> (1 + labels.negatives)
    count_uses(output_rows, numbers, n)
    for i in range(n):
        room[i] = row_of(output_rows, numbers[i])
    merge_outputs(step, room, n)


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


cdef inline noinline_void exchange_all(Rows *rows, Py_ssize_t first) noexcept nogil:
    """Exchange all copies, from one of them on: threads that begin elsewhere are not in each other's way."""
    cdef Py_ssize_t i
    for i in range(first, first + rows.n_copies):
        exchange_row(rows, i if i < rows.n_copies else i - rows.n_copies)
    rows.n_waiting = 0


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
    object copies,
):
    """Train on the documents at the places [start, stop) of an order; return what `train` does."""
    cdef Batch batch
    cdef Step step
    cdef Examples document
    cdef Upcoming upcoming
    cdef const int32_t *of_documents = &inputs[0] if inputs.shape[0] else NULL
    cdef Rows input_rows, output_rows
    cdef float *outputs
    cdef float **rows = NULL
    cdef float **room = NULL
    cdef int32_t *numbers = NULL
    cdef Py_ssize_t n_outputs = output_vectors.shape[0]
    cdef int64_t place, number, ahead, i, n, most = 1, sampled_documents = 0, trained = 0
    cdef int64_t[2] one_offsets
    cdef int32_t first_output = 0
    cdef bint all_outputs = labels.loss == SOFTMAX or labels.loss == ONE_VS_ALL, sampled, failed
    cdef double loss = 0
    memset(&batch, 0, sizeof(batch))
    memset(&step, 0, sizeof(step))
    one_offsets[0] = 0
    one_offsets[1] = 1
    document.n = 1
    document.target_offsets = &one_offsets[0]
    see_rows(&input_rows, input_vectors, copies, "input_vectors")
    see_rows(&output_rows, output_vectors, copies, "output_vectors")
    if all_outputs and output_rows.n_copies < n_outputs:
        share_rows(&output_rows, &output_vectors[0, 0], output_vectors.shape[1])
    outputs = output_rows.copies
    upcoming.input_rows = &input_rows
    with nogil:
        for place in range(start, stop):
            most = max(most, input_offsets[order[place] + 1] - input_offsets[order[place]])
        rows = <float **>malloc(most * sizeof(float *))
        room = <float **>malloc((1 + labels.negatives) * sizeof(float *))
        numbers = <int32_t *>malloc((1 + labels.negatives) * sizeof(int32_t))
        failed = rows == NULL or room == NULL or numbers == NULL
        if labels.loss == SOFTMAX:
            failed = failed or allocate_batch(&batch, input_rows.stride, n_outputs, 1, 1) != 0
        else:
            failed = failed or allocate(&step, input_rows.stride, 1, labels.most_outputs) != 0
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
            n = input_offsets[number + 1] - input_offsets[number]
            if n == 0:
                continue
            ahead = order[min(place + ROWS_AHEAD, stop - 1)]
            upcoming.inputs = of_documents + input_offsets[ahead]
            upcoming.n = input_offsets[ahead + 1] - input_offsets[ahead]
            sampled = place % loss_every == 0
            trained += 1
            sampled_documents += sampled
            count_uses(&input_rows, of_documents + input_offsets[number], n)
            for i in range(n):
                rows[i] = row_of(&input_rows, of_documents[input_offsets[number] + i])
            if labels.loss == SOFTMAX:
                document.targets = &labels.labels[number]
                loss += take_softmax_step(
                    &batch, &document, rows, n, outputs, learning_rate, sampled, &upcoming
                )
            else:
                use_labels(
                    &step, labels, place, number, &output_rows, <uint32_t>n_outputs, numbers, room
                )
                take_logistic_step(&step, rows, n, learning_rate, &loss if sampled else NULL, &upcoming)
            if labels.loss == ONE_VS_ALL:
                for i in range(labels.label_offsets[number], labels.label_offsets[number + 1]):
                    mark(&step, labels.labels[i], 0)
            exchange(&input_rows)
            if all_outputs:
                count_uses(&output_rows, &first_output, 1)  # as often as all others
                if output_rows.n_waiting:
                    exchange_all(&output_rows, <Py_ssize_t> (mix64(start) % <uint64_t>n_outputs))
            exchange(&output_rows)
        free_batch(&batch)
        free(step.memory)
        free(rows)
        free(room)
        free(numbers)
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
    copies=None,
):
    """Train on the documents at the places [start, stop) of an order by the softmax, one update each."""
    cdef Labels of_documents
    memset(&of_documents, 0, sizeof(of_documents))
    of_documents.loss = SOFTMAX
    of_documents.labels = &labels[0]
    return visit(
        input_vectors, output_vectors, inputs, input_offsets, &of_documents, order, start, stop,
        learning_rate, loss_every, copies,
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
    copies=None,
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
        learning_rate, loss_every, copies,
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
    copies=None,
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
        learning_rate, loss_every, copies,
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
    copies=None,
    const int32_t[::1] label_rows=None,
):
    """As `train`, by negative sampling."""
    cdef Labels of_documents
    memset(&of_documents, 0, sizeof(of_documents))
    of_documents.loss = NEGATIVES
    of_documents.labels = &labels[0]
    of_documents.noise = &noise[0, 0]
    if label_rows is not None:
        of_documents.label_rows = &label_rows[0]
    of_documents.negatives = negatives
    of_documents.key = key
    of_documents.most_outputs = 1 + negatives
    return visit(
        input_vectors, output_vectors, inputs, input_offsets, &of_documents, order, start, stop,
        learning_rate, loss_every, copies,
    )
