"""Paragraph vectors: documents that predict their words, as reference/paragraphs.py.

What is done otherwise, and why:

- The sigmoid comes from the table of ``vector.h``, absolute error below 3e-6.
- A negative that is repeated is merged and counted, so that its row is read and written once.
- Negatives are drawn some positions ahead, and the output rows fetched into the cache meanwhile.
- Threads share the matrices without locks (Hogwild: Niu, Recht, Ré and Wright 2011).
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from .ahead cimport fetch_rows_of, positions_ahead
from .copies cimport Rows, share_rows
from .mean cimport average, take_mean_step
from .negatives cimport Outputs, allocate_outputs, draw_outputs, free_outputs, use_set
from .sampling cimport GOLDEN, draw
from .step cimport Step, allocate, compute_coefficients, compute_loss, merge_outputs, use_inputs
from .tiles cimport BLOCK
from .vector cimport (
    LANES, broadcast, copy_rows, fill_sigmoid_table, lanes, load, prefetch_row, store,
)
from .walk cimport Walk, copy_contexts, find_rows, find_sentence, free_walk, walk_chunk

fill_sigmoid_table()


cdef struct Work:
    Step step
    Outputs outputs
    Rows words                 # as contexts
    Rows targets
    float **inputs             # of one word: its document, then its contexts
    Py_ssize_t window          # 0 without contexts
    Py_ssize_t ahead
    bint fixed_words
    int64_t sampled_pairs
    int64_t pairs
    double loss


cdef inline void move_document(Step *step, float *document, float scale) noexcept nogil:
    """document += scale · Σₙ gₙ yₙ; meanwhile the next rows are fetched into the cache."""
    cdef lanes s = broadcast(scale), e
    cdef Py_ssize_t k = 0, n
    cdef const float *g
    for n in range(step.n_next):
        prefetch_row(step.next_rows[n], step.stride)
    while k < step.stride:
        e = broadcast(0)
        for n in range(step.n_blocks * BLOCK):
            g = step.coefficients + n // BLOCK * step.block_stride + n % BLOCK
            e += broadcast(g[0]) * load(step.y[n] + k)
        store(document + k, load(document + k) + s * e)
        k += LANES


cdef inline void take_step_of_document(
    Step *step, float **inputs, Py_ssize_t n_inputs, bint fixed_words, float learning_rate, double *loss
) noexcept nogil:
    """One update by the mean of the inputs, the first of which is the document; loss may be NULL."""
    cdef float mean = 1.0 / <float>n_inputs
    if not fixed_words:
        take_mean_step(step, inputs, n_inputs, n_inputs, True, True, learning_rate, loss)
        return
    average(step.hidden, inputs, n_inputs, 0, step.stride, mean)
    use_inputs(step, &step.hidden, 1)
    if loss != NULL:
        loss[0] += compute_loss(step)
    compute_coefficients(step, learning_rate)
    move_document(step, inputs[0], mean)


def step(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    float[:, ::1] document_vectors,
    const int32_t[::1] contexts,
    int32_t document,
    int32_t center,
    const int32_t[::1] negatives,
    bint fixed_words,
    float learning_rate,
):
    """Take one gradient step for one word."""
    cdef Step work
    cdef Py_ssize_t n_inputs = 1 + (0 if input_vectors is None else contexts.shape[0])
    cdef Py_ssize_t n_outputs = 1 + negatives.shape[0], i
    cdef Py_ssize_t stride = output_vectors.shape[1]
    cdef float **rows
    cdef double loss = 0
    cdef bint failed
    memset(&work, 0, sizeof(work))
    with nogil:
        rows = <float **>malloc((n_inputs + n_outputs) * sizeof(float *))
        failed = rows == NULL or allocate(&work, stride, 1, n_outputs) != 0
        if not failed:
            rows[0] = &output_vectors[0, 0] + center * stride
            for i in range(1, n_outputs):
                rows[i] = &output_vectors[0, 0] + negatives[i - 1] * stride
            merge_outputs(&work, rows, n_outputs)
            rows[0] = &document_vectors[0, 0] + document * stride
            for i in range(1, n_inputs):
                rows[i] = &input_vectors[0, 0] + contexts[i - 1] * stride
            take_step_of_document(&work, rows, n_inputs, fixed_words, learning_rate, &loss)
        free(rows)
        free(work.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a step")
    return loss


cdef int make_room(
    Work *work, float *input_vectors, float *output_vectors, Py_ssize_t stride, Py_ssize_t window,
    Py_ssize_t negatives, bint fixed_words,
) noexcept nogil:
    """Return 0 on success; to be freed by free_work in any case. No contexts if input_vectors is NULL."""
    memset(work, 0, sizeof(work[0]))
    work.window = 0 if input_vectors == NULL else window
    work.ahead = positions_ahead(2 + negatives, stride)
    work.fixed_words = fixed_words
    # without contexts, what is fetched for them is rows that are used anyway
    share_rows(&work.words, output_vectors if input_vectors == NULL else input_vectors, stride)
    share_rows(&work.targets, output_vectors, stride)
    # copy_rows() writes up to seven more
    work.inputs = <float **>malloc((1 + 2 * work.window + 8) * sizeof(float *))
    if work.inputs == NULL or allocate_outputs(&work.outputs, negatives, 1) != 0:
        return -1
    return allocate(&work.step, stride, 1, 1 + negatives)


cdef void free_work(Work *work) noexcept nogil:
    free_outputs(&work.outputs)
    free(work.inputs)
    free(work.step.memory)


cdef int visit_words(
    Work *work, float *documents, const int32_t *rows, const int32_t[::1] ids, const int64_t[::1] offsets,
    int64_t start, int64_t stop, const uint32_t[::1] keep, const uint32_t *noise, float learning_rate,
    uint64_t key, uint64_t loss_every,
) noexcept nogil:
    """Take the steps of the words [start, stop); return 0 on success.

    The document of sentence s is rows[s], or s if there are no rows; no loss is taken if loss_every is 0.
    """
    cdef Walk walk
    cdef Py_ssize_t i, n_contexts, sentence, window = work.window
    cdef Py_ssize_t negatives = work.outputs.negatives
    cdef bint sampled
    memset(&walk, 0, sizeof(walk))
    if start >= stop:
        return 0
    if walk_chunk(
        &walk, ids, offsets, start, stop, keep, <uint32_t>window, window > 0, key, 1 + negatives
    ) != 0:
        return -1
    find_rows(&walk, &work.words, window)
    sentence = find_sentence(&offsets[0], offsets.shape[0] - 1, start)
    work.outputs.stop = walk.first
    for i in range(walk.first, walk.last):
        if i + work.ahead >= work.outputs.stop and work.outputs.stop < walk.last:
            draw_outputs(
                &work.outputs, &work.step, &walk, i, window, &work.words, &work.targets, noise,
                <uint32_t>keep.shape[0], key
            )
        while offsets[sentence + 1] <= walk.positions[i]:
            sentence += 1
        work.inputs[0] = documents + (sentence if rows == NULL else rows[sentence]) * work.step.stride
        n_contexts = walk.end[i] - walk.begin[i] - 1
        if window:
            copy_contexts(&walk, i, window)
            copy_rows(work.inputs + 1, walk.contexts, n_contexts)
        sampled = loss_every and walk.positions[i] & (loss_every - 1) == 0
        work.pairs += 1
        work.sampled_pairs += sampled
        use_set(&work.step, &work.outputs, i, 0)
        fetch_rows_of(&work.step, &work.outputs.ring, i + work.ahead, 0, walk.last)
        take_step_of_document(
            &work.step, work.inputs, 1 + n_contexts, work.fixed_words, learning_rate,
            &work.loss if sampled else NULL
        )
    free_walk(&walk)
    return 0


def train(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    float[:, ::1] document_vectors,
    const int32_t[::1] ids,
    const int64_t[::1] sentence_offsets,
    const int32_t[::1] documents,
    int64_t start,
    int64_t stop,
    const uint32_t[::1] keep,
    const uint32_t[:, ::1] noise,
    Py_ssize_t window,
    Py_ssize_t negatives,
    float learning_rate,
    uint64_t key,
    uint64_t loss_every,
):
    """Train on the words at positions [start, stop) of the corpus."""
    cdef Work work
    cdef float *inputs = NULL if input_vectors is None else &input_vectors[0, 0]
    cdef Py_ssize_t stride = output_vectors.shape[1]
    cdef bint failed
    with nogil:
        failed = make_room(&work, inputs, &output_vectors[0, 0], stride, window, negatives, False) != 0
        failed = failed or visit_words(
            &work, &document_vectors[0, 0], &documents[0], ids, sentence_offsets, start, stop, keep,
            &noise[0, 0], learning_rate, key, loss_every
        ) != 0
        free_work(&work)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return work.loss, work.sampled_pairs, work.pairs


def infer(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    float[:, ::1] document_vectors,
    const int32_t[::1] ids,
    const int64_t[::1] sentence_offsets,
    Py_ssize_t start,
    Py_ssize_t stop,
    const uint32_t[::1] keep,
    const uint32_t[:, ::1] noise,
    Py_ssize_t window,
    Py_ssize_t negatives,
    Py_ssize_t epochs,
    float learning_rate,
    float min_learning_rate,
    uint64_t key,
):
    """Learn the vectors of the documents [start, stop) while all words stay as they are."""
    cdef Work work
    cdef Py_ssize_t document, epoch
    cdef int64_t begin
    cdef float rate
    cdef float *inputs = NULL if input_vectors is None else &input_vectors[0, 0]
    cdef Py_ssize_t stride = output_vectors.shape[1]
    cdef bint failed
    with nogil:
        failed = make_room(&work, inputs, &output_vectors[0, 0], stride, window, negatives, True) != 0
        for document in range(start, start if failed else stop):
            begin = sentence_offsets[document]
            for epoch in range(epochs):
                rate = learning_rate + (min_learning_rate - learning_rate) * (<double>epoch / <double>epochs)
                failed = failed or visit_words(
                    &work, &document_vectors[0, 0], NULL, ids, sentence_offsets, begin,
                    sentence_offsets[document + 1], keep, &noise[0, 0], rate,
                    draw(key, epoch) - <uint64_t>begin * <uint64_t>(1 + negatives) * GOLDEN, 0
                ) != 0
        free_work(&work)
    if failed:
        raise MemoryError("no memory for the buffers of documents")
