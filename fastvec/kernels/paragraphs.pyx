"""Paragraph vectors: documents that predict their words, as reference/paragraphs.py.

What is done otherwise, and why:

- The sigmoid comes from the table of ``vector.h``, absolute error below 3e-6.
- A negative that is repeated is merged and counted, so that its row is read and written once.
- Negatives are drawn some positions ahead, and the output rows fetched into the cache meanwhile.
- Threads share the matrices without locks (Hogwild: Niu, Recht, Ré and Wright 2011).
- An epoch over new documents is one over all of them, whose negatives stay in the cache.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from .ahead cimport Ring, allocate_ring, free_ring, place_of, positions_ahead, rows_of
from .copies cimport Rows, share_rows
from .mean cimport average, take_mean_step
from .sampling cimport GOLDEN, draw, draw_columns, draw_noise
from .step cimport (
    Step, allocate, clear_merged, compute_coefficients, compute_loss, count_merged, find_or_append, take_step,
    use_inputs, use_merged,
)
from .tiles cimport BLOCK, SLOTS
from .vector cimport (
    LANES, broadcast, copy_rows, fill_sigmoid_table, has_repeats, lanes, load, noinline_void, prefetch_row,
    store,
)
from .walk cimport Walk, copy_contexts, find_rows, find_sentence, free_walk, walk_chunk

fill_sigmoid_table()

cdef enum:
    SHARING = 4                # words in a row that share their negatives, as in the reference
    STEPS = 16                 # of the ring: few, so that it leaves the cache to the rows


cdef struct Planned:
    # a step whose rows are found
    Py_ssize_t first           # of its words in the walk
    Py_ssize_t n_words
    Py_ssize_t sentence
    int64_t sharing            # the number of the words that share its negatives, among all that share some
    bint repeats               # whether a row of the outputs occurs twice


cdef struct Work:
    Step step
    Rows words                 # as contexts
    float *outputs
    float **inputs             # of one word: its document's rows, then its contexts
    Py_ssize_t window          # 0 without contexts
    bint fixed_words
    int64_t sampled_pairs
    int64_t pairs
    double loss
    # Steps ahead: a ring of their rows, which are a context to fetch, the words, and their negatives in whole
    # blocks
    Ring ring
    Planned[STEPS] planned
    Py_ssize_t n_planned       # so far, of a chunk
    Py_ssize_t ahead
    Py_ssize_t next_word       # the first of the walk that is not planned
    Py_ssize_t next_sentence   # its
    Py_ssize_t negatives
    uint64_t *random           # [step][negatives, in whole eights]
    int64_t sharing            # which words share the negatives in `ids`; -1: none
    int32_t *ids               # the words of a step, up to the last, and their negatives, in room
    int32_t *room
    # how often each output counts, and as a word, by the number of words, as in Step
    float *numbers
    const float **counts
    const float **positives


cdef inline noinline_void move_document(
    float *document, float **y, const float *g, Py_ssize_t stride, float scale, float **next_rows,
    Py_ssize_t n_next,
) noexcept nogil:
    """document += scale · Σₙ gₙ yₙ of a block; meanwhile the next rows are fetched into the cache."""
    cdef float *y0 = y[0]
    cdef float *y1 = y[1]
    cdef float *y2 = y[2]
    cdef float *y3 = y[3]
    cdef float *y4 = y[4]
    cdef float *y5 = y[5]
    cdef lanes s = broadcast(scale)
    cdef lanes g0 = s * broadcast(g[0]), g1 = s * broadcast(g[1]), g2 = s * broadcast(g[2])
    cdef lanes g3 = s * broadcast(g[3]), g4 = s * broadcast(g[4]), g5 = s * broadcast(g[5])
    cdef lanes a, b
    cdef Py_ssize_t k = 0, n
    for n in range(n_next):
        prefetch_row(next_rows[n], stride)
    while k < stride:
        a = load(document + k) + g0 * load(y0 + k)
        b = g1 * load(y1 + k)
        a += g2 * load(y2 + k)
        b += g3 * load(y3 + k)
        a += g4 * load(y4 + k)
        b += g5 * load(y5 + k)
        store(document + k, a + b)
        k += LANES


cdef inline void take_step_of_document(
    Step *step, float **inputs, Py_ssize_t n_inputs, bint fixed_words, float learning_rate, double *loss
) noexcept nogil:
    """One update by the mean of the inputs, of which the documents' come first; loss may be NULL.

    If words are fixed there is one document.
    """
    cdef float mean = 1.0 / <float>n_inputs
    cdef Py_ssize_t block
    if not fixed_words and n_inputs > 1:
        take_mean_step(step, inputs, n_inputs, n_inputs, True, True, learning_rate, loss)
        return
    use_inputs(step, inputs, 1)
    if not fixed_words:
        take_step(step, learning_rate, loss)
        return
    if n_inputs > 1:
        average(step.hidden, inputs, n_inputs, 0, step.stride, mean)
        use_inputs(step, &step.hidden, 1)
    if loss != NULL:
        loss[0] += compute_loss(step)
    compute_coefficients(step, learning_rate)
    for block in range(step.n_blocks):
        move_document(
            inputs[0], step.y + block * BLOCK, step.coefficients + block * step.block_stride, step.stride,
            mean, step.next_rows, step.n_next if block == 0 else 0,
        )


cdef inline noinline_void merge_words(
    Step *step, float **rows, Py_ssize_t n_words, Py_ssize_t negatives
) noexcept nogil:
    """Take rows of words and of their negatives as outputs; no word is a negative of itself."""
    cdef Py_ssize_t i, n, n_y = 0, n_distinct
    cdef float *slot
    cdef float weight
    clear_merged(step, n_words + negatives)
    for i in range(n_words):
        n = find_or_append(step.y_merged, n_y, rows[i])
        n_y = max(n_y, n + 1)
        count_merged(step, n, True)
    n_distinct = n_y
    for i in range(n_words, n_words + negatives):
        n = find_or_append(step.y_merged, n_y, rows[i])
        n_y = max(n_y, n + 1)
        slot = step.merged + n // BLOCK * 4 * SLOTS + n % BLOCK
        weight = n_words - (slot[2 * SLOTS] if n < n_distinct else 0)
        slot[0] += weight
        slot[SLOTS] += weight
    use_merged(step, n_y)


def step(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    float[:, ::1] document_vectors,
    const int32_t[::1] contexts,
    const int32_t[::1] documents,
    const int32_t[::1] centers,
    const int32_t[::1] negatives,
    bint fixed_words,
    float learning_rate,
):
    """Take one gradient step for a word, or for some that share their negatives."""
    cdef Step work
    cdef Py_ssize_t n_documents = documents.shape[0], n_words = centers.shape[0]
    cdef Py_ssize_t n_inputs = n_documents + (0 if input_vectors is None else contexts.shape[0])
    cdef Py_ssize_t n_outputs = n_words + negatives.shape[0], i
    cdef Py_ssize_t stride = output_vectors.shape[1]
    cdef float **rows
    cdef double loss = 0
    cdef bint failed
    memset(&work, 0, sizeof(work))
    with nogil:
        rows = <float **>malloc((n_inputs + n_outputs) * sizeof(float *))
        failed = rows == NULL or allocate(&work, stride, 1, n_outputs) != 0
        if not failed:
            for i in range(n_outputs):
                rows[i] = &output_vectors[0, 0] + (
                    centers[i] if i < n_words else negatives[i - n_words]
                ) * stride
            merge_words(&work, rows, n_words, n_outputs - n_words)
            for i in range(n_documents):
                rows[i] = &document_vectors[0, 0] + documents[i] * stride
            for i in range(n_documents, n_inputs):
                rows[i] = &input_vectors[0, 0] + contexts[i - n_documents] * stride
            take_step_of_document(&work, rows, n_inputs, fixed_words, learning_rate, &loss)
        free(rows)
        free(work.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a step")
    return loss


cdef int make_room(
    Work *work, float *input_vectors, float *output_vectors, Py_ssize_t stride, Py_ssize_t window,
    Py_ssize_t negatives, Py_ssize_t max_documents, bint fixed_words,
) noexcept nogil:
    """Return 0 on success; to be freed by free_work in any case. No contexts if input_vectors is NULL."""
    cdef Py_ssize_t at_once = SHARING if input_vectors == NULL else 1  # words of a step
    cdef Py_ssize_t n_blocks = (at_once + negatives + BLOCK - 1) // BLOCK, n_words, n
    cdef float *slot
    cdef bint failed
    memset(work, 0, sizeof(work[0]))
    work.window = 0 if input_vectors == NULL else window
    work.fixed_words = fixed_words
    work.outputs = output_vectors
    if input_vectors != NULL:
        share_rows(&work.words, input_vectors, stride)
    # copy_rows() writes up to seven more
    work.inputs = <float **>malloc((max_documents + 2 * work.window + 8) * sizeof(float *))
    work.negatives = negatives
    work.ahead = positions_ahead(1 + at_once + negatives, stride)
    failed = allocate_ring(&work.ring, STEPS, 1 + n_blocks * BLOCK) != 0
    work.random = <uint64_t *>malloc(STEPS * ((negatives + 7) // 8 * 8) * sizeof(uint64_t))
    # has_repeats() reads up to a register before and behind the ids
    work.room = <int32_t *>calloc(16 + at_once + negatives + 16, sizeof(int32_t))
    work.ids = work.room + 16 + at_once
    work.numbers = <float *>calloc(at_once * n_blocks * 4 * SLOTS, sizeof(float))
    work.counts = <const float **>malloc(at_once * n_blocks * sizeof(void *))
    work.positives = <const float **>malloc(at_once * n_blocks * sizeof(void *))
    if (
        failed or work.inputs == NULL or work.random == NULL or work.room == NULL or work.numbers == NULL
        or work.counts == NULL or work.positives == NULL
    ):
        return -1
    for n_words in range(1, at_once + 1):
        for n in range(n_blocks * BLOCK):
            slot = work.numbers + ((n_words - 1) * n_blocks + n // BLOCK) * 4 * SLOTS
            work.counts[(n_words - 1) * n_blocks + n // BLOCK] = slot
            work.positives[(n_words - 1) * n_blocks + n // BLOCK] = slot + 2 * SLOTS
            slot += n % BLOCK
            if n < n_words + negatives:
                slot[0] = slot[SLOTS] = 1 if n < n_words else n_words
            slot[2 * SLOTS] = slot[3 * SLOTS] = n < n_words
    return allocate(&work.step, stride, 1, at_once + negatives)


cdef void free_work(Work *work) noexcept nogil:
    free_ring(&work.ring)
    free(work.random)
    free(work.room)
    free(work.numbers)
    free(work.counts)
    free(work.positives)
    free(work.inputs)
    free(work.step.memory)


cdef inline void plan_step(
    Work *work, Planned *planned, const Walk *walk, const int64_t *offsets, int64_t origin
) noexcept nogil:
    """Find the words of the next step: without contexts, those of a document that share their negatives."""
    cdef Py_ssize_t i = work.next_word
    cdef int64_t end
    while offsets[work.next_sentence + 1] <= walk.positions[i]:
        work.next_sentence += 1
    planned.first = i
    planned.sentence = work.next_sentence
    planned.sharing = (walk.positions[i] - origin) // SHARING
    end = min(offsets[work.next_sentence + 1], origin + (planned.sharing + 1) * SHARING)
    i += 1
    while work.window == 0 and i < walk.last and walk.positions[i] < end:
        i += 1
    planned.n_words = i - planned.first
    work.next_word = i


cdef inline void plan_ahead(
    Work *work, const Walk *walk, const int64_t *offsets, Py_ssize_t current, int64_t origin,
    const uint32_t *noise, uint32_t n_words, uint64_t key,
) noexcept nogil:
    """Fill the ring from the current step on; words in a row share negatives, counted from the origin.

    The noise table is larger than the nearest caches: its columns are fetched for all steps first.
    """
    cdef Py_ssize_t number, i, k, n, n_outputs, n_negatives = work.negatives, stride = work.step.stride
    cdef Py_ssize_t set_random = (n_negatives + 7) // 8 * 8, begin = work.n_planned
    cdef int64_t sharing = work.sharing
    cdef Planned *planned
    cdef uint64_t *random = work.random
    cdef int32_t *ids
    cdef float **rows
    while work.n_planned < current + STEPS and work.next_word < walk.last:
        planned = &work.planned[work.n_planned % STEPS]
        plan_step(work, planned, walk, offsets, origin)
        if planned.sharing != sharing:
            sharing = planned.sharing
            draw_columns(
                random, n_negatives, key, (origin + sharing * SHARING) * (1 + n_negatives) + 1, noise, n_words
            )
            random += set_random
        work.n_planned += 1
    random = work.random
    for number in range(begin, work.n_planned):
        planned = &work.planned[number % STEPS]
        n = planned.n_words
        n_outputs = n + n_negatives
        work.ring.n_rows[place_of(&work.ring, number)] = 1 + n
        if planned.sharing != work.sharing:
            work.sharing = planned.sharing
            for k in range(n_negatives):
                work.ids[k] = draw_noise(random[k], noise, n_words)
            random += set_random
            work.ring.n_rows[place_of(&work.ring, number)] = 1 + n_outputs
        ids = work.ids - n
        for k in range(n):
            ids[k] = walk.words[planned.first + k]
        planned.repeats = has_repeats(ids, n_outputs)
        rows = rows_of(&work.ring, number)
        if work.window:
            i = min(planned.first + work.window, walk.last - 1)
            rows[0] = walk.rows[i]
        for k in range(n_outputs):
            rows[1 + k] = work.outputs + ids[k] * stride
        for k in range(n_outputs, (n_outputs + BLOCK - 1) // BLOCK * BLOCK):
            rows[1 + k] = work.step.zero_row


cdef inline void use_planned(Work *work, Py_ssize_t number) noexcept nogil:
    """Take the outputs of a step, and let it fetch those of a later one."""
    cdef Step *step = &work.step
    cdef float **rows = rows_of(&work.ring, number) + 1
    cdef Planned *planned = &work.planned[number % STEPS]
    cdef Py_ssize_t n = planned.n_words, first = work.window == 0, later = number + work.ahead
    cdef Py_ssize_t n_sets = (work.ring.position_rows - 1) // BLOCK
    if planned.repeats:
        merge_words(step, rows, n, work.negatives)
    else:
        step.y = rows
        step.n_blocks = (n + work.negatives + BLOCK - 1) // BLOCK
        step.counts = work.counts + (n - 1) * n_sets
        step.positives = work.positives + (n - 1) * n_sets
    step.next_rows = rows_of(&work.ring, later) + first
    step.n_next = work.ring.n_rows[place_of(&work.ring, later)] - first if later < work.n_planned else 0


cdef int visit_words(
    Work *work, float *documents, const int32_t *tags, const int64_t *tag_offsets, const int32_t[::1] ids,
    const int64_t[::1] offsets, int64_t start, int64_t stop, int64_t origin, const uint32_t[::1] keep,
    const uint32_t *noise, float learning_rate, uint64_t key, uint64_t loss_every,
) noexcept nogil:
    """Take the steps of the words [start, stop); return 0 on success.

    The rows of sentence s are those of its tags, or s itself if there are none; no loss is taken if
    loss_every is 0.
    """
    cdef Walk walk
    cdef Planned *planned
    cdef Py_ssize_t number = 0, i, d, n_contexts, n_documents = 1, n_steps, window = work.window
    cdef Py_ssize_t sentence = -1, stride = work.step.stride
    cdef bint sampled
    cdef double *loss
    memset(&walk, 0, sizeof(walk))
    if start >= stop:
        return 0
    if walk_chunk(
        &walk, ids, offsets, start, stop, keep, <uint32_t>window, window > 0, key, 1 + work.negatives
    ) != 0:
        return -1
    if window:
        find_rows(&walk, &work.words, window)
    work.next_sentence = find_sentence(&offsets[0], offsets.shape[0] - 1, start)
    work.next_word = walk.first
    work.n_planned = 0
    work.sharing = -1
    while number < work.n_planned or work.next_word < walk.last:
        if number + work.ahead >= work.n_planned and work.next_word < walk.last:
            plan_ahead(work, &walk, &offsets[0], number, origin, noise, <uint32_t>keep.shape[0], key)
        planned = &work.planned[number % STEPS]
        if planned.sentence != sentence:
            sentence = planned.sentence
            n_documents = 1 if tags == NULL else tag_offsets[sentence + 1] - tag_offsets[sentence]
            for d in range(n_documents):
                i = sentence if tags == NULL else tags[tag_offsets[sentence] + d]
                work.inputs[d] = documents + i * stride
        i = planned.first
        sampled = loss_every and walk.positions[i] & (loss_every - 1) == 0
        loss = &work.loss if sampled else NULL
        use_planned(work, number)
        if window:
            n_contexts = walk.end[i] - walk.begin[i] - 1
            copy_contexts(&walk, i, window)
            copy_rows(work.inputs + n_documents, walk.contexts, n_contexts)
            take_step_of_document(
                &work.step, work.inputs, n_documents + n_contexts, work.fixed_words, learning_rate, loss
            )
            n_steps = 1
        else:
            for d in range(n_documents):
                take_step_of_document(&work.step, work.inputs + d, 1, work.fixed_words, learning_rate, loss)
            n_steps = n_documents * planned.n_words
        work.pairs += n_steps
        work.sampled_pairs += n_steps if sampled else 0
        number += 1
    free_walk(&walk)
    return 0


def train(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    float[:, ::1] document_vectors,
    const int32_t[::1] ids,
    const int64_t[::1] sentence_offsets,
    const int32_t[::1] tags,
    const int64_t[::1] tag_offsets,
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
    cdef Py_ssize_t stride = output_vectors.shape[1], most = 1, sentence
    cdef bint failed
    with nogil:
        sentence = find_sentence(&sentence_offsets[0], sentence_offsets.shape[0] - 1, start)
        while sentence < tag_offsets.shape[0] - 1 and sentence_offsets[sentence] < stop:
            most = max(most, <Py_ssize_t>(tag_offsets[sentence + 1] - tag_offsets[sentence]))
            sentence += 1
        failed = make_room(&work, inputs, &output_vectors[0, 0], stride, window, negatives, most, False) != 0
        failed = failed or visit_words(
            &work, &document_vectors[0, 0], &tags[0], &tag_offsets[0], ids, sentence_offsets, start, stop, 0,
            keep, &noise[0, 0], learning_rate, key, loss_every
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
        failed = make_room(&work, inputs, &output_vectors[0, 0], stride, window, negatives, 1, True) != 0
        for epoch in range(epochs):
            rate = learning_rate + (min_learning_rate - learning_rate) * (<double>epoch / <double>epochs)
            for document in range(start, start if failed else stop):
                begin = sentence_offsets[document]
                failed = failed or visit_words(
                    &work, &document_vectors[0, 0], NULL, NULL, ids, sentence_offsets, begin,
                    sentence_offsets[document + 1], begin, keep, &noise[0, 0], rate,
                    draw(key, epoch) - <uint64_t>begin * <uint64_t>(1 + negatives) * GOLDEN, 0
                ) != 0
        free_work(&work)
    if failed:
        raise MemoryError("no memory for the buffers of documents")
