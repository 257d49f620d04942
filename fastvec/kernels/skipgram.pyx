"""Skip-gram with negative sampling.

Objective. For a centre word o with contexts c = 1..C (input vectors x_c) and K noise words (negatives), with y₀
the output vector of the centre and y₁..y_K those of the negatives, minimize

    J = Σ_c [ −log σ(x_c · y₀) − Σ_{k=1..K} log σ(−x_c · y_k) ]

Gradient. With the labels t₀ = 1, t_k = 0 and the errors δ_cn = σ(x_c · yₙ) − tₙ,

    ∂J/∂x_c = Σₙ δ_cn yₙ        ∂J/∂yₙ = Σ_c δ_cn x_c

Update. x_c ← x_c − η ∂J/∂x_c and yₙ ← yₙ − η ∂J/∂yₙ, every right-hand side from before the update. A word that
occurs twice among the contexts or the negatives counts twice; a negative that is the centre is left out.

Compromises, and where they come from:

- The inputs are the contexts and the output is the centre, as in word2vec.c, so that a window is a small
  matrix product. With ``shared=True`` all its contexts share one set of K negatives (HogBatch: Ji, Satish, Li
  and Dubey 2016), at most ``MAX_SHARED`` contexts an update; with ``shared=False`` every (centre, context) pair has
  its own negatives and its own update, one after the other (Mikolov et al. 2013).
- σ comes from a table of 16 cubics on [−8, 8], absolute error below 3e-6; outside it keeps the value at the
  edge, so that the gradient saturates and does not vanish.
- Several threads may call `train` on the same matrices without locks (Hogwild: Niu, Recht, Ré and Wright 2011).
"""

from libc.math cimport exp, log1p
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset
from posix.stdlib cimport posix_memalign

from .sampling cimport draw_negatives
from .tiles cimport BLOCK, SLOTS, dot_one, dot_two, update, update_one
from .vector cimport LANES, broadcast, fill_sigmoid_table, lanes, last_distance, load, sigmoid, store
from .walk cimport Walk, walk_chunk

cdef enum:
    MAX_SHARED = 16    # more inputs in one step and the sum of their gradients overshoots
    AHEAD = 2          # positions between the prefetch of a row and its use
    DRAWN = 64         # positions for which negatives are drawn together, so that the table's cache misses overlap

cdef float *FIRST_IS_POSITIVE = [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
cdef float *ALL_NEGATIVE = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]

fill_sigmoid_table()


cdef struct Step:
    # One update: the distinct rows that take part, how often each counts, and room to work in.
    Py_ssize_t stride          # floats from one row of a matrix to the next
    Py_ssize_t n_x             # contexts
    float **x                  # their rows
    float *x_counts            # how often each occurs, if one occurs twice
    bint x_repeats
    Py_ssize_t n_blocks        # of outputs, the first of which is the centre
    float **y                  # their rows
    const float *y_counts      # [n_blocks][2][SLOTS]: every block's twice, to fill one AVX-512 register
    float *coefficients        # of the update, [n_blocks][block_stride]: row of x, SLOTS
    Py_ssize_t block_stride
    float **next_rows          # rows to fetch into the cache during the update
    Py_ssize_t n_next
    float *y_ones              # y_counts when every output occurs once
    float *y_merged            # y_counts when not
    float **x_before           # copies of the rows of x from before the update, for several blocks
    float *copies
    float *nobody              # a row of zeros that fills the last block
    int32_t *merged            # distinct words
    float **merged_rows        # and rows
    void *memory


cdef int allocate(Step *step, Py_ssize_t stride, Py_ssize_t max_x, Py_ssize_t n_y) noexcept nogil:
    """Make room for steps of up to max_x contexts and n_y outputs; return 0 on success."""
    cdef Py_ssize_t n_blocks = (n_y + BLOCK - 1) // BLOCK, size = 0, part, n
    cdef Py_ssize_t block_stride = (max_x + 3) * SLOTS
    cdef Py_ssize_t[10] starts
    cdef Py_ssize_t[10] sizes = [
        max_x * sizeof(void *),
        max_x * sizeof(float),
        n_blocks * BLOCK * sizeof(void *),
        n_blocks * block_stride * sizeof(float),
        n_blocks * 2 * SLOTS * sizeof(float),
        n_blocks * 2 * SLOTS * sizeof(float),
        max_x * sizeof(void *),
        max_x * stride * sizeof(float) if n_blocks > 1 else 0,
        stride * sizeof(float),
        max(max_x, n_y) * sizeof(int32_t),
    ]
    for part in range(10):
        starts[part] = size
        size += (sizes[part] + 63) // 64 * 64
    if posix_memalign(&step.memory, 64, size):
        step.memory = NULL
        return -1
    memset(step.memory, 0, size)
    cdef char *base = <char *>step.memory
    step.stride = stride
    step.block_stride = block_stride
    step.n_next = 0
    step.x = step.merged_rows = <float **>(base + starts[0])
    step.x_counts = <float *>(base + starts[1])
    step.y = <float **>(base + starts[2])
    step.coefficients = <float *>(base + starts[3])
    step.y_ones = <float *>(base + starts[4])
    step.y_merged = <float *>(base + starts[5])
    step.x_before = <float **>(base + starts[6])
    step.copies = <float *>(base + starts[7])
    step.nobody = <float *>(base + starts[8])
    step.merged = <int32_t *>(base + starts[9])
    for n in range(n_y):
        add_count(step.y_ones, n)
    return 0


cdef inline void add_count(float *y_counts, Py_ssize_t n) noexcept nogil:
    cdef float *slot = y_counts + n // BLOCK * 2 * SLOTS + n % BLOCK
    slot[0] += 1
    slot[SLOTS] += 1


cdef inline Py_ssize_t find_or_append(int32_t *words, Py_ssize_t n, int32_t word) noexcept nogil:
    """The place of the word among words[0:n], or n after putting it there."""
    cdef Py_ssize_t i = 0
    words[n] = word
    while words[i] != word:
        i += 1
    return i


cdef inline void merge_contexts(
    Step *step, float *input_vectors, const int32_t *words, Py_ssize_t n_words
) noexcept nogil:
    cdef Py_ssize_t c, i
    step.n_x = 0
    for i in range(n_words):
        c = find_or_append(step.merged, step.n_x, words[i])
        if c == step.n_x:
            step.x[c] = input_vectors + words[i] * step.stride
            step.x_counts[c] = 0
            step.n_x += 1
        step.x_counts[c] += 1


cdef inline void set_outputs(
    Step *step, float *output_vectors, const int32_t *words, Py_ssize_t n_words
) noexcept nogil:
    """words[0] is the centre, the others are the negatives."""
    cdef Py_ssize_t n, i, n_y = n_words
    cdef Py_ssize_t repeats = 0
    for i in range(1, n_words):
        for n in range(i):
            repeats += words[i] == words[n]
    step.n_blocks = (n_words + BLOCK - 1) // BLOCK
    step.y_counts = step.y_ones
    for n in range(n_words):
        step.y[n] = output_vectors + words[n] * step.stride
    if repeats:
        step.y_counts = step.y_merged
        memset(step.y_merged, 0, step.n_blocks * 2 * SLOTS * sizeof(float))
        n_y = 0
        for i in range(n_words):
            n = find_or_append(step.merged, n_y, words[i])
            if n == n_y:
                step.y[n] = output_vectors + words[i] * step.stride
                n_y += 1
            if n > 0 or i == 0:
                add_count(step.y_merged, n)
        step.n_blocks = (n_y + BLOCK - 1) // BLOCK
    for n in range(n_y, step.n_blocks * BLOCK):
        step.y[n] = step.nobody


cdef double compute_loss(const Step *step) noexcept nogil:
    """J before the update, in double precision and without the table."""
    cdef Py_ssize_t block, c, slot
    cdef double total = 0, z, count
    cdef float[3 * SLOTS] scores
    for block in range(step.n_blocks):
        for c in range(step.n_x):
            dot_one(step.x[c], step.y + block * BLOCK, step.stride, scores)
            for slot in range(BLOCK):
                count = step.y_counts[block * 2 * SLOTS + slot] * (step.x_counts[c] if step.x_repeats else 1)
                if count > 0:
                    z = -scores[slot] if block == 0 and slot == 0 else scores[slot]
                    # log(1 + eᶻ) without overflow
                    total += count * (max(z, 0) + log1p(exp(-z if z > 0 else z)))
    return total


cdef inline void turn_scores_into_coefficients(
    float *scores, Py_ssize_t n_x, const float *labels, const float *counts, lanes rate
) noexcept nogil:
    """scores[c, n] ← η · countₙ · (tₙ − σ(score)) for one or two rows of x"""
    cdef Py_ssize_t i = 0
    while i < n_x * SLOTS:
        store(
            scores + i,
            rate * load(counts + i % SLOTS) * (load(labels + i % SLOTS) - sigmoid(load(scores + i))),
        )
        i += LANES


cdef void compute_coefficients(const Step *step, float learning_rate) noexcept nogil:
    """coefficients[c, n] ← η · count_c · countₙ · (tₙ − σ(x_c · yₙ))"""
    cdef Py_ssize_t block, c, slot
    cdef float *g
    cdef float **y
    cdef const float *counts
    cdef const float *labels = FIRST_IS_POSITIVE
    cdef lanes rate = broadcast(learning_rate)
    for block in range(step.n_blocks):
        g = step.coefficients + block * step.block_stride
        y = step.y + block * BLOCK
        counts = step.y_counts + block * 2 * SLOTS
        c = 0
        while c + 1 < step.n_x:
            dot_two(step.x[c], step.x[c + 1], y, step.stride, g + c * SLOTS)
            turn_scores_into_coefficients(g + c * SLOTS, 2, labels, counts, rate)
            c += 2
        if c < step.n_x:
            dot_one(step.x[c], y, step.stride, g + c * SLOTS)
            turn_scores_into_coefficients(g + c * SLOTS, 1, labels, counts, rate)
        labels = ALL_NEGATIVE
        if step.x_repeats:
            for c in range(step.n_x):
                for slot in range(BLOCK):
                    g[c * SLOTS + slot] *= step.x_counts[c]


cdef void update_rows(const Step *step) noexcept nogil:
    cdef Py_ssize_t block, c
    cdef float **x_before = step.x
    if step.n_x == 1 and step.n_blocks == 1:
        update_one(step.x[0], step.y, step.stride, step.coefficients, step.next_rows, step.n_next)
        return
    if step.n_blocks > 1:
        x_before = step.x_before
        for c in range(step.n_x):
            x_before[c] = step.copies + c * step.stride
            memcpy(x_before[c], step.x[c], step.stride * sizeof(float))
    for block in range(step.n_blocks):
        update(
            step.x, x_before, step.n_x, step.y + block * BLOCK, step.stride,
            step.coefficients + block * step.block_stride, step.next_rows, step.n_next if block == 0 else 0,
        )


def step(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    const int32_t[::1] contexts,
    int32_t center,
    const int32_t[::1] negatives,
    float learning_rate,
):
    """Take one gradient step for one window.

    Parameters
    ----------
    input_vectors, output_vectors : IN/OUT, float32 (n_words, stride)
        The matrices, rows padded with zeros to a multiple of 16.
    contexts : IN, int32 (C,)
        Word ids, C >= 1, repetitions allowed.
    center : IN, int
        Word id.
    negatives : IN, int32 (K,)
        Word ids, K >= 0, repetitions and the centre allowed.
    learning_rate : IN, float
        η; with 0 nothing changes.

    Returns
    -------
    float
        J before the update.
    """
    cdef Step work
    cdef Py_ssize_t n_contexts = contexts.shape[0], n_outputs = 1 + negatives.shape[0]
    cdef int32_t *words = NULL
    cdef double loss = 0
    cdef bint failed
    work.memory = NULL
    with nogil:
        words = <int32_t *>malloc(n_outputs * sizeof(int32_t))
        failed = words == NULL or allocate(&work, input_vectors.shape[1], n_contexts, n_outputs) != 0
        if not failed:
            work.x_repeats = True
            merge_contexts(&work, &input_vectors[0, 0], &contexts[0], n_contexts)
            words[0] = center
            if n_outputs > 1:
                memcpy(words + 1, &negatives[0], (n_outputs - 1) * sizeof(int32_t))
            set_outputs(&work, &output_vectors[0, 0], words, n_outputs)
            loss = compute_loss(&work)
            compute_coefficients(&work, learning_rate)
            update_rows(&work)
        free(words)
        free(work.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a step")
    return loss


def train(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    const int32_t[::1] ids,
    const int64_t[::1] sentence_offsets,
    int64_t start,
    int64_t stop,
    const uint32_t[::1] keep,
    const uint32_t[:, ::1] noise,
    Py_ssize_t window,
    Py_ssize_t negatives,
    bint shared,
    float learning_rate,
    uint64_t key,
    uint64_t loss_every,
):
    """Train on the words at positions [start, stop) of the corpus as centres.

    Windows reach over the ends of the chunk, never over the ends of a sentence, and count kept words only.

    Parameters
    ----------
    input_vectors, output_vectors : IN/OUT, float32 (n_words, stride)
        The matrices, rows padded with zeros to a multiple of 16.
    ids : IN, int32 (n_tokens,)
        The corpus; ids >= n_words are skipped as if they were not there.
    sentence_offsets : IN, int64 (n_sentences + 1,)
        Sentence s is ids[sentence_offsets[s]:sentence_offsets[s + 1]].
    start, stop : IN, int
        The chunk.
    keep : IN, uint32 (n_words,)
        A word is kept with probability (keep + 1) / 2³².
    noise : IN, uint32 (n_words, 2)
        Alias table of the negatives: (threshold, alias).
    window : IN, int
        Windows reach 1..window words to either side, drawn uniformly for every centre.
    negatives : IN, int
        K.
    shared : IN, bool
        One set of negatives for all contexts of a window, or one for each.
    learning_rate : IN, float
        η.
    key : IN, uint64
        Start of the epoch's random sequence.
    loss_every : IN, int, a power of 2
        The loss is taken of centres at positions divisible by it.

    Returns
    -------
    loss : float
        Sum of J over the sampled windows, in double precision.
    sampled_pairs, pairs : int
        (centre, context) pairs in that sum, and trained in all.
    """
    cdef Step work
    cdef Walk walk
    cdef float *inputs = &input_vectors[0, 0]
    cdef float *outputs = &output_vectors[0, 0]
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef int32_t n_words = <int32_t>keep.shape[0]
    cdef Py_ssize_t at_once = MAX_SHARED if shared else 1
    cdef Py_ssize_t most_sets = 1 if shared else 2 * window
    cdef Py_ssize_t set_size = 1 + negatives             # the centre and its negatives
    cdef uint64_t draws_per_token = 1 + most_sets * negatives
    cdef int32_t *drawn        # [DRAWN + AHEAD][most_sets][set_size]
    cdef int32_t *words
    cdef int32_t *contexts
    cdef float **rows          # of the contexts
    cdef float **next_rows     # to be fetched for the position that is AHEAD
    cdef Py_ssize_t i, n, c, n_sets, n_contexts, n_rows, n_steps, part, block
    cdef int64_t sampled_pairs = 0, pairs = 0
    cdef double total = 0
    cdef bint sampled, failed
    walk.memory = NULL
    work.memory = NULL
    with nogil:
        drawn = <int32_t *>malloc(((DRAWN + AHEAD) * most_sets * set_size + 2 * window) * sizeof(int32_t))
        rows = <float **>malloc((2 * window + most_sets * negatives + 2) * sizeof(float *))
        failed = (
            drawn == NULL
            or rows == NULL
            or allocate(&work, stride, at_once, set_size) != 0
            or walk_chunk(
                &walk, &ids[0], &sentence_offsets[0], sentence_offsets.shape[0] - 1, start, stop,
                &keep[0], n_words, <uint32_t>window, key, draws_per_token
            ) != 0
        )
        if not failed:
            contexts = drawn + (DRAWN + AHEAD) * most_sets * set_size
            next_rows = rows + 2 * window
            block = walk.first
            while block < walk.last:
                for n in range(block, min(block + DRAWN + AHEAD, walk.last)):
                    words = drawn + (n - block) * most_sets * set_size
                    for part in range(1 if shared else walk.end[n] - walk.begin[n] - 1):
                        words[0] = walk.words[n]
                        draw_negatives(
                            words + 1, negatives, key,
                            walk.positions[n] * draws_per_token + 1 + part * negatives, &noise[0, 0], <uint32_t>n_words,
                        )
                        words += set_size
                for i in range(block, min(block + DRAWN, walk.last)):
                    n = i + AHEAD
                    n_rows = 0
                    if n < walk.last:
                        words = drawn + (n - block) * most_sets * set_size
                        n_sets = 1 if shared else walk.end[n] - walk.begin[n] - 1
                        for part in range(n_sets):
                            for c in range(1, set_size):
                                next_rows[n_rows] = outputs + words[c] * stride
                                n_rows += 1
                            words += set_size
                        next_rows[n_rows] = outputs + walk.words[n] * stride
                        next_rows[n_rows + 1] = inputs + walk.words[min(n + window, walk.last - 1)] * stride
                        n_rows += 2
                    n_contexts = walk.end[i] - walk.begin[i] - 1
                    # as many as there can be, so that the processor need not guess their number
                    for c in range(2 * window):
                        contexts[c] = walk.words[walk.begin[i] + c + (walk.begin[i] + c >= i)]
                        rows[c] = inputs + contexts[c] * stride
                    pairs += n_contexts
                    sampled = walk.positions[i] & (loss_every - 1) == 0
                    if sampled:
                        sampled_pairs += n_contexts
                    words = drawn + (i - block) * most_sets * set_size
                    work.next_rows = next_rows
                    work.x_repeats = shared and walk.distinct[walk.end[i] - 1] > walk.begin[i]
                    n_steps = (n_contexts + at_once - 1) // at_once
                    c = 0
                    while c < n_contexts:
                        part = min(at_once, n_contexts - c)
                        if work.x_repeats:
                            work.x = work.merged_rows
                            merge_contexts(&work, inputs, contexts + c, part)
                        else:
                            work.x = rows + c
                            work.n_x = part
                        if c == 0 or not shared:
                            set_outputs(&work, outputs, words, set_size)
                            words += set_size
                        if sampled:
                            total += compute_loss(&work)
                        compute_coefficients(&work, learning_rate)
                        work.n_next = n_rows // n_steps
                        update_rows(&work)
                        work.next_rows += work.n_next
                        n_rows -= work.n_next
                        n_steps -= 1
                        c += part
                block += DRAWN
        free(drawn)
        free(rows)
        free(work.memory)
        free(walk.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return total, sampled_pairs, pairs
