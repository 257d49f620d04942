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
from .losses cimport LOGISTIC, add_cost, differentiate
from .mean cimport add_to_rows, average
from .memory cimport allocate_zeros
from .sampling cimport GOLDEN, draw, draw_columns, draw_noise
from .step cimport (
    ONES, Step, allocate, clear_merged, compute_coefficients, compute_loss, count_merged, fetch_next_row,
    find_or_append, take_step, use_inputs, use_merged,
)
from .tiles cimport BLOCK, SLOTS, dot_one, update
from .vector cimport (
    LANES, broadcast, copy_rows, fill_sigmoid_table, has_repeats, lanes, load, noinline_void, prefetch_row,
    store, store_six_sums,
)
from .walk cimport Walk, find_rows, find_sentence, free_walk, walk_chunk

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


cdef struct Windows:
    # what predicts the words of a step, each its own, together with the words nearby
    float **inputs             # [word][max_inputs]: its document's rows, then its contexts
    Py_ssize_t max_inputs
    Py_ssize_t[SHARING] n_inputs
    (float *)[SHARING] hidden         # the means of the inputs
    (float *)[SHARING] gradients      # -η times those of the means
    float[2 * SLOTS] scores    # of the words, and later -η times the derivatives by them
    void *memory               # to be freed by the caller


cdef struct Work:
    Step step
    Rows words                 # as contexts
    Windows windows
    float *outputs
    float **inputs             # the rows of a document
    Py_ssize_t window          # 0 without contexts
    bint fixed_words
    int64_t sampled_pairs
    int64_t pairs
    double loss
    # Steps ahead: a ring of their rows, which are the contexts to fetch, the words, and their negatives in
    # whole blocks
    Ring ring
    Planned[STEPS] planned
    Py_ssize_t n_planned       # so far, of a chunk
    Py_ssize_t ahead
    Py_ssize_t next_word       # the first of the walk that is not planned
    Py_ssize_t next_sentence   # its
    Py_ssize_t negatives
    Py_ssize_t n_blocks        # of as many outputs as a step may have
    uint64_t *random           # [step][negatives, in whole eights]
    int64_t sharing            # which words share the negatives in `ids`; -1: none
    int32_t *ids               # the words of a step, up to the last, and their negatives, in room
    int32_t *room
    # how often each output counts, and as a word, by the number of words, as in Step
    float *numbers
    const float **counts
    const float **positives


cdef inline noinline_void move_document(
    float *document, float **y, const float *g, Py_ssize_t stride, float **next_rows, Py_ssize_t n_next
) noexcept nogil:
    """document += Σₙ gₙ yₙ of a block; meanwhile the next rows are fetched into the cache."""
    cdef float *y0 = y[0]
    cdef float *y1 = y[1]
    cdef float *y2 = y[2]
    cdef float *y3 = y[3]
    cdef float *y4 = y[4]
    cdef float *y5 = y[5]
    cdef lanes g0 = broadcast(g[0]), g1 = broadcast(g[1]), g2 = broadcast(g[2])
    cdef lanes g3 = broadcast(g[3]), g4 = broadcast(g[4]), g5 = broadcast(g[5])
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
    Step *step, float **document, bint fixed_words, float learning_rate, double *loss
) noexcept nogil:
    """One update by a document alone; loss may be NULL."""
    cdef Py_ssize_t block
    use_inputs(step, document, 1)
    if not fixed_words:
        take_step(step, learning_rate, loss)
        return
    if loss != NULL:
        loss[0] += compute_loss(step)
    compute_coefficients(step, learning_rate)
    for block in range(step.n_blocks):
        move_document(
            document[0], step.y + block * BLOCK, step.coefficients + block * step.block_stride, step.stride,
            step.next_rows, step.n_next if block == 0 else 0,
        )


cdef int allocate_windows(Windows *windows, Py_ssize_t max_inputs, Py_ssize_t stride) noexcept nogil:
    """Return 0 on success; the memory is to be freed by the caller in any case."""
    cdef Py_ssize_t i
    cdef float *rows = <float *>allocate_zeros(
        &windows.memory, SHARING * (2 * stride * sizeof(float) + max_inputs * sizeof(float *))
    )
    if rows == NULL:
        return -1
    for i in range(SHARING):
        windows.hidden[i] = rows + i * stride
        windows.gradients[i] = rows + (SHARING + i) * stride
    windows.max_inputs = max_inputs
    windows.inputs = <float **>(rows + 2 * SHARING * stride)
    return 0


cdef inline float **inputs_of(const Windows *windows, Py_ssize_t i) noexcept nogil:
    return windows.inputs + i * windows.max_inputs


cdef inline noinline_void score_words(
    float **hidden, float **words, Py_ssize_t stride, float *scores
) noexcept nogil:
    """scores[i] = hidden[i] · words[i] of four words."""
    cdef lanes a = broadcast(0), b = a, c = a, d = a
    cdef float *h0 = hidden[0]
    cdef float *h1 = hidden[1]
    cdef float *h2 = hidden[2]
    cdef float *h3 = hidden[3]
    cdef float *y0 = words[0]
    cdef float *y1 = words[1]
    cdef float *y2 = words[2]
    cdef float *y3 = words[3]
    cdef Py_ssize_t k = 0
    while k < stride:
        a += load(h0 + k) * load(y0 + k)
        b += load(h1 + k) * load(y1 + k)
        c += load(h2 + k) * load(y2 + k)
        d += load(h3 + k) * load(y3 + k)
        k += LANES
    store_six_sums(a, b, c, d, d, d, scores)


cdef inline double loss_of_windows(
    const Step *step, const Windows *windows, float **words, Py_ssize_t n_words
) noexcept nogil:
    """J before the update, in double precision and without the table."""
    cdef Py_ssize_t i, n
    cdef double total = 0
    cdef float[3 * SLOTS] scores
    cdef (float *)[BLOCK] word
    for n in range(1, BLOCK):
        word[n] = step.zero_row
    for i in range(n_words):
        word[0] = words[i]
        dot_one(windows.hidden[i], word, 0, step.stride, scores)
        add_cost(&total, LOGISTIC, scores[0], 0, 1, 0)
        for n in range(step.n_blocks * BLOCK):
            if n % BLOCK == 0:
                dot_one(windows.hidden[i], step.y + n, 0, step.stride, scores)
            if step.y[n] != words[i]:
                add_cost(&total, LOGISTIC, scores[n % BLOCK], 0, 0, step.counts[n // BLOCK][n % BLOCK])
    return total


cdef inline noinline_void leave_out_words(Step *step, float **words, Py_ssize_t n_words) noexcept nogil:
    """No word is a negative of itself."""
    cdef Py_ssize_t i, n
    for n in range(step.n_blocks * BLOCK):
        for i in range(n_words):
            if step.y[n] == words[i]:
                step.coefficients[n // BLOCK * step.block_stride + i * SLOTS + n % BLOCK] = 0


cdef inline noinline_void move_document_by_windows(
    Step *step, const Windows *windows, float *document, float **words, Py_ssize_t n_words
) noexcept nogil:
    """Move the document by the gradients of the windows' means, and nothing else."""
    cdef Py_ssize_t block, i, n
    cdef float mean
    cdef const float *g
    cdef float[SLOTS] of_words, of_negatives
    for n in range(SLOTS):
        of_words[n] = 0
    for i in range(n_words):
        of_words[i] = windows.scores[i] / <float>windows.n_inputs[i]
    move_document(document, words, of_words, step.stride, step.next_rows, step.n_next)
    for block in range(step.n_blocks):
        for n in range(SLOTS):
            of_negatives[n] = 0
        for i in range(n_words):
            mean = 1 / <float>windows.n_inputs[i]
            g = step.coefficients + block * step.block_stride + i * SLOTS
            for n in range(SLOTS):
                of_negatives[n] += mean * g[n]
        move_document(document, step.y + block * BLOCK, of_negatives, step.stride, NULL, 0)


cdef inline noinline_void move_window(
    const Windows *windows, Py_ssize_t i, float **words, Py_ssize_t stride
) noexcept nogil:
    """Move word i and its inputs."""
    cdef Py_ssize_t n = windows.n_inputs[i]
    add_to_rows(words + i, 1, windows.hidden[i], 0, stride, windows.scores[i])
    add_to_rows(inputs_of(windows, i), n, windows.gradients[i], 0, stride, 1 / <float>n)


cdef inline void take_step_of_windows(
    Step *step, Windows *windows, float **words, Py_ssize_t n_words, bint repeats, bint fixed_words,
    float learning_rate, double *loss,
) noexcept nogil:
    """One update by the means of the inputs of some words, of each its own; loss may be NULL.

    The step's outputs are the negatives; there may be more rows behind the words. If words are fixed, each
    has the same only document.
    """
    cdef Py_ssize_t block, i
    for i in range(n_words):
        fetch_next_row(step)
        average(
            windows.hidden[i], inputs_of(windows, i), windows.n_inputs[i], 0, step.stride,
            1 / <float>windows.n_inputs[i],
        )
    if loss != NULL:
        loss[0] += loss_of_windows(step, windows, words, n_words)
    score_words(windows.hidden, words, step.stride, windows.scores)
    differentiate(LOGISTIC, windows.scores, 1, ONES[SHARING], ONES[SHARING], broadcast(learning_rate), NULL)
    use_inputs(step, windows.hidden, n_words)
    compute_coefficients(step, learning_rate)
    if repeats:
        leave_out_words(step, words, n_words)
    if fixed_words:
        move_document_by_windows(step, windows, inputs_of(windows, 0)[0], words, n_words)
        return
    for i in range(n_words):
        fetch_next_row(step)
        average(windows.gradients[i], words + i, 1, 0, step.stride, windows.scores[i])
    for block in range(step.n_blocks):
        update(
            windows.gradients, windows.hidden, n_words, step.y + block * BLOCK, 0, step.stride,
            step.coefficients + block * step.block_stride, step.next_rows, step.n_next if block == 0 else 0,
        )
    for i in range(n_words):
        move_window(windows, i, words, step.stride)


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


cdef inline noinline_void merge_negatives(Step *step, float **rows, Py_ssize_t negatives) noexcept nogil:
    """Take rows of negatives as outputs."""
    cdef Py_ssize_t i, n, n_y = 0
    clear_merged(step, negatives)
    for i in range(negatives):
        n = find_or_append(step.y_merged, n_y, rows[i])
        n_y = max(n_y, n + 1)
        count_merged(step, n, False)
    use_merged(step, n_y)


def step(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    float[:, ::1] document_vectors,
    const int32_t[::1] contexts,
    const int64_t[::1] context_offsets,
    const int32_t[::1] documents,
    const int32_t[::1] centers,
    const int32_t[::1] negatives,
    bint fixed_words,
    float learning_rate,
):
    """Take one gradient step for up to SHARING words that share their negatives."""
    cdef Step work
    cdef Windows windows
    cdef Py_ssize_t n_documents = documents.shape[0], n_words = centers.shape[0], i, d, c
    cdef Py_ssize_t n_outputs = n_words + negatives.shape[0], stride = output_vectors.shape[1]
    cdef bint alone = input_vectors is None
    cdef float **rows
    cdef float **inputs
    cdef double loss = 0
    cdef bint failed
    memset(&work, 0, sizeof(work))
    memset(&windows, 0, sizeof(windows))
    with nogil:
        rows = <float **>malloc((n_outputs + BLOCK) * sizeof(float *))
        failed = (
            rows == NULL or allocate(&work, stride, SHARING, n_outputs) != 0
            or allocate_windows(&windows, n_documents + contexts.shape[0], stride) != 0
        )
        if not failed:
            for i in range(n_outputs + BLOCK):
                rows[i] = work.zero_row if i >= n_outputs else &output_vectors[0, 0] + (
                    centers[i] if i < n_words else negatives[i - n_words]
                ) * stride
            for i in range(n_words):
                inputs = inputs_of(&windows, i)
                for d in range(n_documents):
                    inputs[d] = &document_vectors[0, 0] + documents[d] * stride
                windows.n_inputs[i] = n_documents
                for c in range(context_offsets[i], context_offsets[i + 1]):
                    inputs[windows.n_inputs[i]] = &input_vectors[0, 0] + contexts[c] * stride
                    windows.n_inputs[i] += 1
            if alone:
                merge_words(&work, rows, n_words, n_outputs - n_words)
                take_step_of_document(&work, inputs_of(&windows, 0), fixed_words, learning_rate, &loss)
            else:
                merge_negatives(&work, rows + n_words, n_outputs - n_words)
                take_step_of_windows(&work, &windows, rows, n_words, True, fixed_words, learning_rate, &loss)
        free(rows)
        free(windows.memory)
        free(work.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a step")
    return loss


cdef int make_room(
    Work *work, float *input_vectors, float *output_vectors, Py_ssize_t stride, Py_ssize_t window,
    Py_ssize_t negatives, Py_ssize_t max_documents, bint fixed_words,
) noexcept nogil:
    """Return 0 on success; to be freed by free_work in any case. No contexts if input_vectors is NULL."""
    cdef Py_ssize_t n_blocks = (SHARING + negatives + BLOCK - 1) // BLOCK, n_words, n
    cdef float *slot
    cdef bint failed
    memset(work, 0, sizeof(work[0]))
    work.window = 0 if input_vectors == NULL else window
    work.fixed_words = fixed_words
    work.outputs = output_vectors
    if input_vectors != NULL:
        share_rows(&work.words, input_vectors, stride)
    # copy_rows() copies up to seven more
    work.inputs = <float **>malloc((max_documents + 8) * sizeof(float *))
    work.negatives = negatives
    work.n_blocks = n_blocks
    work.ahead = positions_ahead(2 * SHARING + negatives if work.window else SHARING + negatives, stride)
    failed = allocate_ring(&work.ring, STEPS, 2 * SHARING + negatives + BLOCK) != 0
    work.random = <uint64_t *>malloc(STEPS * ((negatives + 7) // 8 * 8) * sizeof(uint64_t))
    # has_repeats() reads up to a register before and behind the ids
    work.room = <int32_t *>calloc(16 + SHARING + negatives + 16, sizeof(int32_t))
    work.ids = work.room + 16 + SHARING
    work.numbers = <float *>calloc(SHARING * n_blocks * 4 * SLOTS, sizeof(float))
    work.counts = <const float **>malloc(SHARING * n_blocks * sizeof(void *))
    work.positives = <const float **>malloc(SHARING * n_blocks * sizeof(void *))
    if (
        failed or work.inputs == NULL or work.random == NULL or work.room == NULL or work.numbers == NULL
        or work.counts == NULL or work.positives == NULL
        # use_window() copies up to two windows behind the words before, and copy_rows() up to seven more
        or allocate_windows(&work.windows, max_documents + 3 * work.window + 8, stride) != 0
    ):
        return -1
    for n_words in range(1, SHARING + 1):
        for n in range(n_blocks * BLOCK):
            slot = work.numbers + ((n_words - 1) * n_blocks + n // BLOCK) * 4 * SLOTS
            work.counts[(n_words - 1) * n_blocks + n // BLOCK] = slot
            work.positives[(n_words - 1) * n_blocks + n // BLOCK] = slot + 2 * SLOTS
            slot += n % BLOCK
            if n < n_words + negatives:
                slot[0] = slot[SLOTS] = 1 if n < n_words else n_words
            slot[2 * SLOTS] = slot[3 * SLOTS] = n < n_words
    return allocate(&work.step, stride, SHARING, negatives if work.window else SHARING + negatives)


cdef void free_work(Work *work) noexcept nogil:
    free_ring(&work.ring)
    free(work.random)
    free(work.room)
    free(work.numbers)
    free(work.counts)
    free(work.positives)
    free(work.inputs)
    free(work.windows.memory)
    free(work.step.memory)


cdef inline void plan_step(
    Work *work, Planned *planned, const Walk *walk, const int64_t *offsets, int64_t origin
) noexcept nogil:
    """Find the words of the next step: those of a document that share their negatives."""
    cdef Py_ssize_t i = work.next_word
    cdef int64_t end
    while offsets[work.next_sentence + 1] <= walk.positions[i]:
        work.next_sentence += 1
    planned.first = i
    planned.sentence = work.next_sentence
    planned.sharing = (walk.positions[i] - origin) // SHARING
    end = min(offsets[work.next_sentence + 1], origin + (planned.sharing + 1) * SHARING)
    i += 1
    while i < walk.last and walk.positions[i] < end:
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
    cdef Py_ssize_t number, k, n, n_contexts, n_negatives = work.negatives, stride = work.step.stride
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
        n_contexts = n if work.window else 0
        work.ring.n_rows[place_of(&work.ring, number)] = n_contexts + n
        if planned.sharing != work.sharing:
            work.sharing = planned.sharing
            for k in range(n_negatives):
                work.ids[k] = draw_noise(random[k], noise, n_words)
            random += set_random
            work.ring.n_rows[place_of(&work.ring, number)] += n_negatives
        ids = work.ids - n
        for k in range(n):
            ids[k] = walk.words[planned.first + k]
        planned.repeats = has_repeats(ids, n + n_negatives)
        rows = rows_of(&work.ring, number)
        for k in range(n_contexts):
            rows[k] = walk.rows[min(planned.first + k + work.window, walk.last - 1)]
        rows += n_contexts
        for k in range(n + n_negatives):
            rows[k] = work.outputs + ids[k] * stride
        for k in range(n + n_negatives, n + n_negatives + BLOCK):
            rows[k] = work.step.zero_row


cdef inline void use_planned(Work *work, Py_ssize_t number) noexcept nogil:
    """Take the outputs of a step, and let it fetch those of a later one."""
    cdef Step *step = &work.step
    cdef float **rows = rows_of(&work.ring, number)
    cdef Planned *planned = &work.planned[number % STEPS]
    cdef Py_ssize_t n = planned.n_words, later = number + work.ahead
    if work.window:
        if planned.repeats:
            merge_negatives(step, rows + 2 * n, work.negatives)
        else:
            step.y = rows + 2 * n
            step.n_blocks = (work.negatives + BLOCK - 1) // BLOCK
            step.counts = step.all_once
            step.positives = step.merged_positives  # none
    elif planned.repeats:
        merge_words(step, rows, n, work.negatives)
    else:
        step.y = rows
        step.n_blocks = (n + work.negatives + BLOCK - 1) // BLOCK
        step.counts = work.counts + (n - 1) * work.n_blocks
        step.positives = work.positives + (n - 1) * work.n_blocks
    step.next_rows = rows_of(&work.ring, later)
    step.n_next = work.ring.n_rows[place_of(&work.ring, later)] if later < work.n_planned else 0


cdef inline void use_window(
    Work *work, const Walk *walk, Py_ssize_t i, Py_ssize_t n, Py_ssize_t n_documents
) noexcept nogil:
    """Take the document and the contexts of words[i] as the inputs of word n of a step."""
    cdef float **inputs = inputs_of(&work.windows, n)
    cdef Py_ssize_t begin = walk.begin[i]
    copy_rows(inputs, work.inputs, n_documents)
    # as many as there can be always, so that no loop of unknown length is mispredicted
    copy_rows(inputs + n_documents, walk.rows + begin, 2 * work.window)
    copy_rows(inputs + n_documents + i - begin, walk.rows + i + 1, 2 * work.window)
    work.windows.n_inputs[n] = n_documents + walk.end[i] - begin - 1


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
    cdef Py_ssize_t number = 0, i, d, n, n_documents = 1, n_steps, window = work.window
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
        sampled = loss_every and planned.sharing & (loss_every - 1) == 0
        loss = &work.loss if sampled else NULL
        use_planned(work, number)
        n_steps = planned.n_words
        if window:
            for n in range(n_steps):
                use_window(work, &walk, i + n, n, n_documents)
            take_step_of_windows(
                &work.step, &work.windows, rows_of(&work.ring, number) + n_steps, n_steps, planned.repeats,
                work.fixed_words, learning_rate, loss
            )
        else:
            for d in range(n_documents):
                take_step_of_document(&work.step, work.inputs + d, work.fixed_words, learning_rate, loss)
            n_steps *= n_documents
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
