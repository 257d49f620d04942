"""Rounds of lanes: what lanes that train side by side have learned, as reference/rounds.py.

What is done otherwise, and why:

- The exponential is a polynomial, relative error below 2e-7, and the sigmoid comes from the table of
  ``vector.h``: a C library's functions differ between machines, and the bits of a training must not.
- A text is walked over in parts, so that what is kept of its words does not grow with it. Of the contexts of
  a window only the first and the last take its number of scores, as steps of a sum.
- Rows of the curvature are added up many at a time, as a product of matrices in single precision.
- The changes of a block's rows are first listed by their rows, like the index of a book, and then visited row
  by row: there is never a second block of sums.
"""

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

import numpy as np

from .bags cimport Bag, free_bag, take_rows_of, take_rows_of_contexts, use_rows
from .mean cimport average, scale_of
from .memory cimport allocate_zeros, reserve
from .sampling cimport draw_columns, draw_noise
from .tiles cimport BLOCK, SLOTS, dot_one
from .vector cimport (
    LANES, broadcast, fill_sigmoid_table, lanes, load, noinline_void, prefetch_to_read, sigmoid,
    store,
)
from .walk cimport Walk, context_of, free_walk, renumber, walk_chunk

cdef extern from *:
    """
    #include "vector.h"
    /* The mean of e^-t for t from 0 to z, that is (1 - e^-z) / z, for z >= 0; relative error below 1e-6. */
    static inline lanes mean_decay(lanes z) {
        lanes series = broadcast(1.0f / 5040);
        series = series * z - 1.0f / 720;
        series = series * z + 1.0f / 120;
        series = series * z - 1.0f / 24;
        series = series * z + 1.0f / 6;
        series = series * z - 0.5f;
        series = series * z + 1.0f;
        lanes quotient = (1.0f - exp_of_negative(-z)) / z;
        int_lanes small = z < 0.5f;
        return (lanes)(((int_lanes)series & small) | ((int_lanes)quotient & ~small));
    }
    /* The bfloat16 next to a number, the even one of two: the upper half of its bits. */
    static inline uint16_t to_bfloat16(float number) {
        uint32_t bits;
        __builtin_memcpy(&bits, &number, 4);
        return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
    static inline float from_bfloat16(uint16_t half) {
        const uint32_t bits = (uint32_t)half << 16;
        float number;
        __builtin_memcpy(&number, &bits, 4);
        return number;
    }
    static inline lanes rounded_to_bfloat16(lanes numbers) {
        const int_lanes bits = (int_lanes)numbers;
        return (lanes)((bits + 0x7fff + (bits >> 16 & 1)) & -0x10000);
    }
    /* Of 64 bits, of which one at least is set for the lowest one. */
    static inline int bits_set(uint64_t word) { return __builtin_popcountll(word); }
    static inline int lowest_bit(uint64_t word) { return __builtin_ctzll(word); }
    """
    lanes mean_decay(lanes z) nogil
    uint16_t to_bfloat16(float number) nogil
    float from_bfloat16(uint16_t half) nogil
    lanes rounded_to_bfloat16(lanes numbers) nogil
    int bits_set(uint64_t word) nogil
    int lowest_bit(uint64_t word) nogil

cdef extern from "products.h" nogil:
    noinline_void add_weighted_rows(
        const float *x, Py_ssize_t n_x, Py_ssize_t stride, const float *z, Py_ssize_t z_stride, float *sums,
        Py_ssize_t n_sums)

cdef enum:
    WORDS_AT_ONCE = 8192   # of the text
    ROWS_AT_ONCE = 128     # of the curvature
    AHEAD = 4              # changes that are fetched before they are needed
    MOST = 8               # directions in which what both sides share is sought

# From the first direction on in which A λ does not exceed that of the rest by more, rows are held back as
# along the rest; those whose A λ₀ is not above it do not count for what both sides share.
cdef double NEGLIGIBLE = 0.05
# What is added to the diagonal of the equations of E, relative to it, and at least.
cdef double RIDGE = 1e-3, LEAST = 1e-12

fill_sigmoid_table()


# ---- What is scored ----------------------------------------------------------------------------------------


cdef struct Sampler:
    # what is scored with what, as training draws it
    const uint32_t *noise
    uint32_t n_words
    Py_ssize_t negatives
    bint one_set               # for a window, or one for each of its contexts
    bint of_contexts           # whether these are the targets, or the word in the middle
    uint64_t key
    uint64_t draws_per_token
    const int32_t *places      # of the words in the matrices; NULL: their numbers
    void *memory
    uint64_t *random           # of one set
    uint64_t *random_ahead     # of the next one
    int32_t *outputs           # of one set: a target, and the negatives that are other words
    Py_ssize_t n_outputs


cdef int allocate_sampler(
    Sampler *sampler, const uint32_t[:, ::1] noise, Py_ssize_t window, Py_ssize_t negatives, bint one_set,
    bint of_contexts, uint64_t key,
) noexcept nogil:
    """Return 0 on success; to be freed by free_sampler in any case."""
    sampler.noise = &noise[0, 0]
    sampler.n_words = <uint32_t>noise.shape[0]
    sampler.negatives = negatives
    sampler.one_set = one_set
    sampler.of_contexts = of_contexts
    sampler.key = key
    sampler.places = NULL
    sampler.draws_per_token = 1 + (1 if one_set else 2 * window) * negatives
    sampler.memory = malloc(2 * (negatives + 8) * sizeof(uint64_t))
    sampler.random = <uint64_t *>sampler.memory
    sampler.random_ahead = sampler.random + negatives + 8
    sampler.outputs = <int32_t *>malloc((1 + negatives) * sizeof(int32_t))
    return 0 if sampler.memory != NULL and sampler.outputs != NULL else -1


cdef void free_sampler(Sampler *sampler) noexcept nogil:
    free(sampler.memory)
    free(sampler.outputs)


cdef inline void draw_ahead(
    Sampler *sampler, const Walk *walk, Py_ssize_t i, Py_ssize_t s
) noexcept nogil:
    """Draw for set s of the window of words[i], after what the sampler has drawn before."""
    draw_columns(
        sampler.random_ahead, sampler.negatives, sampler.key,
        walk.positions[i] * sampler.draws_per_token + 1 + s * sampler.negatives,
        sampler.noise, sampler.n_words
    )


cdef inline void go_on(Sampler *sampler) noexcept nogil:
    """Let what was drawn ahead be next."""
    sampler.random, sampler.random_ahead = sampler.random_ahead, sampler.random


cdef inline Py_ssize_t sets_of(const Sampler *sampler, const Walk *walk, Py_ssize_t i) noexcept nogil:
    """How many there are for the window of words[i]."""
    cdef Py_ssize_t n_contexts = walk.end[i] - walk.begin[i] - 1
    return min(n_contexts, 1) if sampler.one_set else n_contexts


cdef inline int32_t target_of(
    const Sampler *sampler, const Walk *walk, Py_ssize_t i, Py_ssize_t s
) noexcept nogil:
    return context_of(walk, i, s) if sampler.of_contexts else walk.words[i]


cdef inline void fill_outputs(Sampler *sampler, int32_t target) noexcept nogil:
    """Fill outputs with what was drawn."""
    cdef int32_t word
    cdef Py_ssize_t k, n = 1
    sampler.outputs[0] = target
    for k in range(sampler.negatives):
        word = draw_noise(sampler.random[k], sampler.noise, sampler.n_words)
        if sampler.places != NULL:
            word = sampler.places[word]
        sampler.outputs[n] = word
        n += word != target
    sampler.n_outputs = n


# ---- Rows that are used ------------------------------------------------------------------------------------


cdef inline void mark(uint64_t *marks, int32_t row) noexcept nogil:
    marks[row >> 6] |= <uint64_t>1 << (row & 63)


cdef inline void mark_outputs(Sampler *sampler, int32_t target, uint64_t *outputs) noexcept nogil:
    """Mark the outputs of the set that has been drawn."""
    cdef Py_ssize_t k
    fill_outputs(sampler, target)
    for k in range(sampler.n_outputs):
        mark(outputs, sampler.outputs[k])


cdef inline void cover(int32_t *steps, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Let every word of begin..end be in one window more."""
    steps[begin] += 1
    steps[end] -= 1


cdef int mark_part(
    Sampler *sampler, const Walk *walk, uint64_t *inputs, uint64_t *outputs
) noexcept nogil:
    """Mark the words that some of the text use, as inputs and as outputs; return 0 on success."""
    cdef int32_t *steps = <int32_t *>calloc(walk.n + 1, sizeof(int32_t))
    cdef int32_t drawn = -1
    cdef Py_ssize_t i, s, n_sets, n_windows = 0
    if steps == NULL:
        return -1
    for i in range(walk.first, walk.last):
        n_sets = sets_of(sampler, walk, i)
        if sampler.of_contexts:
            cover(steps, i, i + (n_sets > 0))
        else:
            cover(steps, walk.begin[i], i)
            cover(steps, i + 1, walk.end[i])
        for s in range(n_sets):
            draw_ahead(sampler, walk, i, s)
            if drawn >= 0:
                mark_outputs(sampler, drawn, outputs)
            go_on(sampler)
            drawn = target_of(sampler, walk, i, s)
    if drawn >= 0:
        mark_outputs(sampler, drawn, outputs)
    for i in range(walk.n):
        n_windows += steps[i]
        if n_windows:
            mark(inputs, walk.words[i])
    free(steps)
    return 0


def touched(
    const int32_t[::1] ids,
    const int64_t[::1] sentence_offsets,
    const int64_t[:, ::1] parts,
    const uint32_t[::1] keep,
    const uint32_t[:, ::1] noise,
    Py_ssize_t window,
    Py_ssize_t negatives,
    bint shared,
    bint cbow,
    uint64_t key,
    bint dynamic_window=True,
    const int64_t[::1] subword_offsets=None,
    const int32_t[::1] subwords=None,
):
    """Find the rows that training on a piece uses, before it begins."""
    cdef Sampler sampler
    cdef Walk walk
    cdef Py_ssize_t n_marks = marks_of(keep.shape[0]), part
    cdef int64_t start, stop
    cdef bint failed
    cdef bint of_contexts = subwords is not None and not cbow
    cdef uint64_t *inputs
    with nogil:
        inputs = <uint64_t *>calloc(2 * n_marks, sizeof(uint64_t))
        failed = (
            allocate_sampler(&sampler, noise, window, negatives, shared or cbow, of_contexts, key) != 0
            or inputs == NULL
        )
        for part in range(parts.shape[0]):
            start, stop = parts[part, 0], parts[part, 1]
            while not failed and start < stop:
                memset(&walk, 0, sizeof(walk))
                failed = walk_chunk(
                    &walk, ids, sentence_offsets, start, min(start + WORDS_AT_ONCE, stop), keep,
                    <uint32_t>window, dynamic_window, key, sampler.draws_per_token
                ) != 0 or mark_part(&sampler, &walk, inputs, inputs + n_marks) != 0
                free_walk(&walk)
                start += WORDS_AT_ONCE
        free_sampler(&sampler)
    try:
        if failed:
            raise MemoryError("no memory for the words of a piece")
        words = input_rows = in_order(inputs, n_marks)
        if subwords is not None:
            input_rows = rows_of_words(inputs, n_marks, subword_offsets, subwords)
        return input_rows, in_order(inputs + n_marks, n_marks), words
    finally:
        free(inputs)


cdef object rows_of_words(
    const uint64_t *words, Py_ssize_t n_words, const int64_t[::1] subword_offsets,
    const int32_t[::1] subwords,
):
    """Return the rows of the words that have a bit, in rising order."""
    cdef Py_ssize_t n_marks = marks_of(1 + np.max(subwords)), i
    cdef uint64_t[::1] rows = np.zeros(n_marks, np.uint64)
    cdef uint64_t left
    with nogil:
        for i in range(n_words):
            left = words[i]
            while left:
                mark_rows(&rows[0], 64 * i + lowest_bit(left), &subword_offsets[0], &subwords[0])
                left &= left - 1
    return in_order(&rows[0], n_marks)


cdef inline void mark_rows(
    uint64_t *rows, Py_ssize_t word, const int64_t *offsets, const int32_t *subwords
) noexcept nogil:
    """Mark the different rows of a word."""
    cdef int64_t k
    for k in range(offsets[2 * word], offsets[2 * word + 1]):
        mark(rows, subwords[k])


cdef inline Py_ssize_t marks_of(Py_ssize_t n_rows) noexcept nogil:
    """How many words hold a bit for every row."""
    return (n_rows + 63) // 64


cdef inline Py_ssize_t count_marks(const uint64_t *marks, Py_ssize_t n_marks) noexcept nogil:
    cdef Py_ssize_t n = 0, i
    for i in range(n_marks):
        n += bits_set(marks[i])
    return n


cdef void list_marks(const uint64_t *marks, Py_ssize_t n_marks, int32_t *rows) noexcept nogil:
    """Fill rows with those that have a bit, in rising order."""
    cdef uint64_t left
    cdef Py_ssize_t n = 0, i
    for i in range(n_marks):
        left = marks[i]
        while left:
            rows[n] = <int32_t>(64 * i + lowest_bit(left))
            left &= left - 1
            n += 1


cdef object in_order(const uint64_t *marks, Py_ssize_t n_marks):
    found = np.empty(count_marks(marks, n_marks), np.int32)
    cdef int32_t[::1] rows = found
    if rows.shape[0]:
        with nogil:
            list_marks(marks, n_marks, &rows[0])
    return found


# ---- Curvature ---------------------------------------------------------------------------------------------


cdef struct Curvature:
    # a sum of weight · row rowᵀ
    float *rows                # [ROWS_AT_ONCE][stride], those that are not added up yet
    float *weighted            # [stride][ROWS_AT_ONCE], the same times their weights
    Py_ssize_t n
    float *sums                # [stride][stride], of these
    double *total              # [stride][stride], of all before them


cdef struct Window:
    # what a window is scored with, and room for it
    float *input_vectors
    float *output_vectors
    Py_ssize_t stride
    bint pooled                # whether inputs are scored by their mean or sum, or each
    bint mean
    Bag *bag                   # of n-grams; NULL: words are rows
    float **x
    float **y                  # whole blocks, zero_row behind the last
    float *zero_row
    float *hidden              # of inputs that are pooled
    float *scores              # [2 · window][n_blocks][SLOTS], then p (1 − p)
    float *of_x                # Σ p (1 − p) of each
    float *of_y


cdef inline Py_ssize_t lay_out(
    char *base, Window *window, Curvature *of_inputs, Curvature *of_outputs, Py_ssize_t stride,
    Py_ssize_t max_x, Py_ssize_t n_blocks,
) noexcept nogil:
    """Place everything behind base and return the size of it all."""
    cdef char *room = base
    cdef (Curvature *)[2] both
    cdef Py_ssize_t i
    both[0], both[1] = of_inputs, of_outputs
    for i in range(2):
        both[i].rows = <float *>reserve(&room, ROWS_AT_ONCE * stride * sizeof(float))
        both[i].weighted = <float *>reserve(&room, ROWS_AT_ONCE * stride * sizeof(float))
        both[i].sums = <float *>reserve(&room, stride * stride * sizeof(float))
    window.x = <float **>reserve(&room, max_x * sizeof(void *))
    window.y = <float **>reserve(&room, n_blocks * BLOCK * sizeof(void *))
    window.zero_row = <float *>reserve(&room, stride * sizeof(float))
    window.hidden = <float *>reserve(&room, stride * sizeof(float))
    # a tile of AVX-512 writes up to 8 floats more
    window.scores = <float *>reserve(&room, (max_x * n_blocks + 1) * SLOTS * sizeof(float))
    window.of_x = <float *>reserve(&room, max_x * sizeof(float))
    window.of_y = <float *>reserve(&room, n_blocks * BLOCK * sizeof(float))
    return room - base


cdef inline noinline_void add_up(Curvature *curvature, Py_ssize_t stride) noexcept nogil:
    """Add the rows that wait for it to the total."""
    cdef Py_ssize_t i
    memset(curvature.sums, 0, stride * stride * sizeof(float))
    add_weighted_rows(
        curvature.rows, curvature.n, stride, curvature.weighted, ROWS_AT_ONCE, curvature.sums, stride
    )
    for i in range(stride * stride):
        curvature.total[i] += curvature.sums[i]
    curvature.n = 0


cdef inline void add_row(
    Curvature *curvature, const float *row, float weight, Py_ssize_t stride
) noexcept nogil:
    cdef Py_ssize_t k
    memcpy(curvature.rows + curvature.n * stride, row, stride * sizeof(float))
    for k in range(stride):
        curvature.weighted[k * ROWS_AT_ONCE + curvature.n] = weight * row[k]
    curvature.n += 1
    if curvature.n == ROWS_AT_ONCE:
        add_up(curvature, stride)


cdef inline void score(Window *window, Py_ssize_t n_x, Py_ssize_t n_y, Py_ssize_t stride) noexcept nogil:
    """Score rows x against rows y, and fill of_x and of_y."""
    cdef Py_ssize_t n_blocks = (n_y + BLOCK - 1) // BLOCK, c, n, block, i = 0
    cdef Py_ssize_t x_slots = n_blocks * SLOTS
    cdef lanes p
    cdef float weight
    for c in range(n_x):
        for block in range(n_blocks):
            dot_one(
                window.x[c], window.y + block * BLOCK, 0, stride, window.scores + c * x_slots + block * SLOTS
            )
    while i < n_x * x_slots:
        p = sigmoid(load(window.scores + i))
        store(window.scores + i, p * (broadcast(1) - p))
        i += LANES
    for c in range(n_x):
        weight = 0
        for n in range(n_y):
            weight += window.scores[c * x_slots + n // BLOCK * SLOTS + n % BLOCK]
        window.of_x[c] = weight
    for n in range(n_y):
        weight = 0
        for c in range(n_x):
            weight += window.scores[c * x_slots + n // BLOCK * SLOTS + n % BLOCK]
        window.of_y[n] = weight


cdef inline void use_contexts(
    Window *window, const Walk *walk, Py_ssize_t i, Py_ssize_t first, Py_ssize_t n
) noexcept nogil:
    """Let some contexts of words[i] be the rows x."""
    cdef Py_ssize_t c
    for c in range(n):
        window.x[c] = window.input_vectors + context_of(walk, i, first + c) * window.stride


cdef inline int pool(Window *window, const Walk *walk, Py_ssize_t i, bint cbow) noexcept nogil:
    """Let x be the mean or sum of the inputs of a window; return 0 on success."""
    cdef float **rows = window.x
    cdef Py_ssize_t n = walk.end[i] - walk.begin[i] - 1
    if window.bag == NULL:
        use_contexts(window, walk, i, 0, n)
    else:
        if cbow:
            if take_rows_of_contexts(window.bag, walk, i) != 0:
                return -1
        elif take_rows_of(window.bag, walk.words[i]) != 0:
            return -1
        rows, n = window.bag.rows, window.bag.n
    average(window.hidden, rows, n, 0, window.stride, scale_of(n, window.mean))
    window.x[0] = window.hidden
    return 0


cdef inline void use_outputs(Window *window, const Sampler *sampler) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(sampler.n_outputs):
        window.y[k] = window.output_vectors + sampler.outputs[k] * window.stride
    for k in range(sampler.n_outputs, (sampler.n_outputs + BLOCK - 1) // BLOCK * BLOCK):
        window.y[k] = window.zero_row


cdef inline int add_window(
    Window *window, Sampler *sampler, const Walk *walk, Py_ssize_t i, bint cbow, Curvature *of_inputs,
    Curvature *of_outputs, double *weight,
) noexcept nogil:
    """Add what the scores of a window tell, and to the weight Σ p (1 − p); return 0 on success."""
    cdef Py_ssize_t n_sets = sets_of(sampler, walk, i), c, k, s, n_x = 1
    if window.pooled:
        if n_sets and pool(window, walk, i, cbow) != 0:
            return -1
    elif sampler.one_set:
        n_x = walk.end[i] - walk.begin[i] - 1
    for s in range(n_sets):
        draw_ahead(sampler, walk, i, s)
        go_on(sampler)
        fill_outputs(sampler, target_of(sampler, walk, i, s))
        use_outputs(window, sampler)
        if not window.pooled:
            use_contexts(window, walk, i, s, n_x)
        score(window, n_x, sampler.n_outputs, window.stride)
        for c in range(n_x):
            add_row(of_outputs, window.x[c], window.of_x[c], window.stride)
            weight[0] += window.of_x[c]
        for k in range(sampler.n_outputs):
            add_row(of_inputs, window.y[k], window.of_y[k], window.stride)
    return 0


def curvature(
    const float[:, ::1] input_vectors,
    const float[:, ::1] output_vectors,
    const int32_t[::1] ids,
    const int64_t[::1] sentence_offsets,
    const int64_t[:, ::1] parts,
    const uint32_t[::1] keep,
    const uint32_t[:, ::1] noise,
    Py_ssize_t window,
    Py_ssize_t negatives,
    bint shared,
    bint cbow,
    uint64_t key,
    bint dynamic_window=True,
    const int64_t[::1] subword_offsets=None,
    const int32_t[::1] subwords=None,
    bint mean=True,
    const int32_t[::1] places=None,
):
    """Add up the curvature of windows, with the matrices as they are."""
    cdef Sampler sampler
    cdef Walk walk
    cdef Window work
    cdef Bag bag
    cdef Curvature for_inputs, for_outputs
    cdef bint of_contexts = subwords is not None and not cbow
    cdef Py_ssize_t stride = input_vectors.shape[1], part, i
    cdef Py_ssize_t n_blocks = (1 + negatives + BLOCK - 1) // BLOCK
    cdef int64_t start, stop
    cdef double weight = 0
    cdef void *memory = NULL
    cdef char *room
    cdef bint failed
    cdef const int32_t *place_of_word = NULL
    if places is not None:
        place_of_word = &places[0]
    of_inputs, of_outputs = (np.zeros((stride, stride)) for _ in range(2))
    begin(&for_inputs, of_inputs)
    begin(&for_outputs, of_outputs)
    memset(&work, 0, sizeof(work))
    memset(&bag, 0, sizeof(bag))
    work.input_vectors, work.output_vectors = <float *>&input_vectors[0, 0], <float *>&output_vectors[0, 0]
    work.stride, work.pooled, work.mean = stride, cbow or subwords is not None, mean
    if subwords is not None:
        use_rows(&bag, work.input_vectors, stride, &subword_offsets[0], &subwords[0])
        work.bag = &bag
    with nogil:
        room = <char *>allocate_zeros(
            &memory, lay_out(NULL, &work, &for_inputs, &for_outputs, stride, 2 * window, n_blocks)
        )
        failed = (
            allocate_sampler(&sampler, noise, window, negatives, shared or cbow, of_contexts, key) != 0
            or room == NULL
        )
        sampler.places = place_of_word
        if not failed:
            lay_out(room, &work, &for_inputs, &for_outputs, stride, 2 * window, n_blocks)
        for part in range(parts.shape[0]):
            start, stop = parts[part, 0], parts[part, 1]
            while not failed and start < stop:
                memset(&walk, 0, sizeof(walk))
                failed = walk_chunk(
                    &walk, ids, sentence_offsets, start, min(start + WORDS_AT_ONCE, stop), keep,
                    <uint32_t>window, dynamic_window, key, sampler.draws_per_token
                ) != 0
                if not failed:
                    renumber(&walk, place_of_word)
                for i in range(walk.first, walk.first if failed else walk.last):
                    failed |= add_window(
                        &work, &sampler, &walk, i, cbow, &for_inputs, &for_outputs, &weight
                    ) != 0
                free_walk(&walk)
                start += WORDS_AT_ONCE
        if not failed:
            add_up(&for_inputs, stride)
            add_up(&for_outputs, stride)
        free_sampler(&sampler)
        free_bag(&bag)
        free(memory)
    if failed:
        raise MemoryError("no memory for the curvature of a piece")
    return of_inputs, of_outputs, weight


cdef int begin(Curvature *curvature, double[:, ::1] total) except -1:
    curvature.total = &total[0, 0]
    curvature.n = 0
    return 0


# ---- What a lane has changed -------------------------------------------------------------------------------


def withdraw(
    float[:, ::1] matrix, const int32_t[::1] rows, const double[:, ::1] exposures, const float[:, ::1] copies,
    float[:, ::1] sums, double[:, ::1] counts,
):
    """Undo what a lane has changed, and add it to the sums of the round."""
    cdef Py_ssize_t n = check_rows(rows, 0, matrix.shape[0]), stride = matrix.shape[1], i
    check_shape("copies", copies.shape[0], copies.shape[1], matrix.shape[0], stride)
    check_exposures(exposures, n)
    check_sums(sums, counts, matrix.shape[0], stride)
    with nogil:
        for i in range(n):
            if i + AHEAD < n:
                fetch(&matrix[rows[i + AHEAD], 0], stride)
                fetch(&sums[rows[i + AHEAD], 0], stride)
                fetch(&copies[rows[i + AHEAD], 0], stride)
            put_back(
                &matrix[rows[i], 0], &copies[rows[i], 0], &sums[rows[i], 0], counts[rows[i], 0] > 0, stride
            )
            add_exposures(&counts[rows[i], 0], &exposures[i, 0])


def take(
    const float[:, ::1] block, int64_t first_row, const int32_t[::1] rows, float[:, ::1] matrix,
    const int32_t[::1] places=None,
):
    """Copy rows of a block into a matrix."""
    cdef Py_ssize_t n = check_rows(rows, first_row, block.shape[0]), stride = block.shape[1], i
    cdef const int32_t *place_of_row = check_places(rows, places, matrix.shape[0])
    check_shape("copies", matrix.shape[0], matrix.shape[1], 0, stride)
    with nogil:
        for i in range(n):
            if i + AHEAD < n:
                fetch(&block[rows[i + AHEAD] - first_row, 0], stride)
            memcpy(
                &matrix[place(place_of_row, rows[i]), 0], &block[rows[i] - first_row, 0],
                stride * sizeof(float)
            )


def subtract(
    const float[:, ::1] block, int64_t first_row, const int32_t[::1] rows, const float[:, ::1] matrix,
    uint16_t[:, ::1] changes, const int32_t[::1] places=None,
):
    """Find how far rows of a matrix have moved from those of a block."""
    cdef Py_ssize_t n = check_rows(rows, first_row, block.shape[0]), stride = block.shape[1], i, k
    cdef const float *row
    cdef const float *before
    cdef const int32_t *place_of_row = check_places(rows, places, matrix.shape[0])
    check_shape("copies", matrix.shape[0], matrix.shape[1], 0, stride)
    check_shape("changes", changes.shape[0], changes.shape[1], n, stride)
    with nogil:
        for i in range(n):
            if i + AHEAD < n:
                fetch(&block[rows[i + AHEAD] - first_row, 0], stride)
                fetch(&matrix[place(place_of_row, rows[i + AHEAD]), 0], stride)
            row, before = &matrix[place(place_of_row, rows[i]), 0], &block[rows[i] - first_row, 0]
            for k in range(stride):
                changes[i, k] = to_bfloat16(row[k] - before[k])


def add(
    const int32_t[::1] rows, const double[:, ::1] exposures, const uint16_t[:, ::1] changes,
    int64_t first_row, float[:, ::1] sums, double[:, ::1] counts,
):
    """Add the changes of a lane, or of several, to the sums of the round."""
    cdef Py_ssize_t n = check_rows(rows, first_row, sums.shape[0]), stride = sums.shape[1], i, k
    cdef float *sum
    check_shape("changes", changes.shape[0], changes.shape[1], n, stride)
    check_exposures(exposures, n)
    check_sums(sums, counts, sums.shape[0], stride)
    with nogil:
        for i in range(n):
            if i + AHEAD < n:
                fetch(&sums[rows[i + AHEAD] - first_row, 0], stride)
            sum = &sums[rows[i] - first_row, 0]
            if counts[rows[i] - first_row, 0] > 0:
                for k in range(stride):
                    sum[k] += from_bfloat16(changes[i, k])
            else:
                for k in range(stride):
                    sum[k] = from_bfloat16(changes[i, k])
            add_exposures(&counts[rows[i] - first_row, 0], &exposures[i, 0])


def shorten(const float[:, ::1] sums, uint16_t[:, ::1] changes):
    """Round the sums of several lanes, so that they are added as the changes of one."""
    cdef Py_ssize_t n = sums.shape[0], stride = sums.shape[1], i, k
    check_shape("changes", changes.shape[0], changes.shape[1], n, stride)
    with nogil:
        for i in range(n):
            for k in range(stride):
                changes[i, k] = to_bfloat16(sums[i, k])


cdef inline void fetch(const float *row, Py_ssize_t stride) noexcept nogil:
    cdef Py_ssize_t k = 0
    while k < stride:
        prefetch_to_read(row + k)
        k += 16


cdef inline void put_back(
    float *row, const float *copy, float *change, bint adds, Py_ssize_t stride
) noexcept nogil:
    """Let a row be its copy again, and write or add what had been changed."""
    cdef Py_ssize_t k = 0
    cdef lanes before, difference
    while k < stride:
        before = load(copy + k)
        difference = rounded_to_bfloat16(load(row + k) - before)
        store(row + k, before)
        store(change + k, load(change + k) + difference if adds else difference)
        k += LANES


cdef inline void add_exposures(double *counts, const double *exposures) noexcept nogil:
    counts[0] += exposures[0]
    counts[1] += exposures[1]


cdef Py_ssize_t check_rows(const int32_t[::1] rows, int64_t first_row, Py_ssize_t n_rows) except -1:
    """Return how many rows there are, all of them those of a matrix or block."""
    cdef Py_ssize_t i
    for i in range(rows.shape[0]):
        if not first_row <= rows[i] < first_row + n_rows:
            raise ValueError(f"rows must be from {first_row} to {first_row + n_rows - 1}, got {rows[i]}")
    return rows.shape[0]


cdef inline Py_ssize_t place(const int32_t *places, int32_t row) noexcept nogil:
    return row if places == NULL else places[row]


cdef const int32_t *check_places(
    const int32_t[::1] rows, const int32_t[::1] places, Py_ssize_t n_rows
) except? NULL:
    """Return the places of rows, or NULL if these are their numbers; all of them are rows of a matrix."""
    cdef Py_ssize_t i
    if places is None:
        check_rows(rows, 0, n_rows)
        return NULL
    for i in range(rows.shape[0]):
        if rows[i] >= places.shape[0] or not 0 <= places[rows[i]] < n_rows:
            raise ValueError(f"places must be from 0 to {n_rows - 1} for all rows, got another of {rows[i]}")
    return &places[0]


cdef int check_shape(
    str what, Py_ssize_t n_rows, Py_ssize_t n_columns, Py_ssize_t n, Py_ssize_t stride
) except -1:
    if n_rows < n or n_columns != stride:
        raise ValueError(f"there must be {what} of {n} rows of {stride} numbers, got {(n_rows, n_columns)}")
    return 0


cdef int check_exposures(const double[:, ::1] exposures, Py_ssize_t n) except -1:
    if exposures.shape[0] != n or exposures.shape[1] != 2:
        raise ValueError(
            f"exposures must be 2 numbers for each of {n} rows as the changes are, got "
            f"{(exposures.shape[0], exposures.shape[1])}"
        )
    return 0


cdef int check_sums(
    const float[:, ::1] sums, const double[:, ::1] counts, Py_ssize_t n_rows, Py_ssize_t stride
) except -1:
    if not sums.shape[0] == counts.shape[0] == n_rows or sums.shape[1] != stride or counts.shape[1] != 2:
        raise ValueError(
            f"sums must be {n_rows} rows of {stride} numbers, and counts of 2, got "
            f"{(sums.shape[0], sums.shape[1])} and {(counts.shape[0], counts.shape[1])}"
        )
    return 0


# ---- Combining lanes ---------------------------------------------------------------------------------------


cdef struct Directions:
    # some of them, padded
    Py_ssize_t n
    float **rows               # whole blocks, zeros behind the last
    float *along               # [blocks][SLOTS], how far a row is along each
    float *memory


cdef struct Side:
    # how the rows of one side are moved
    Py_ssize_t d
    Py_ssize_t stride          # d, rounded up to whole registers
    double rate                # what a score adds to A
    Directions own             # in which the loss is steep
    Directions other           # those of the other side, which rows lie along
    float *eigenvalues         # whole registers, from place own.n on the rest
    float *factors             # of each eigenvalue
    float *sum                 # room for a row that is not padded
    float *row
    double *w                  # [MOST], of a row, zeros behind the last
    double *push               # [MOST], δ / s, then what is left out
    double *shared             # [MOST][MOST], Σ A w wᵀ
    double *pushed             # [MOST][MOST], Σ A w (δ / s)ᵀ, then E


cdef inline Py_ssize_t blocks_of(Py_ssize_t n) noexcept nogil:
    return (n + BLOCK - 1) // BLOCK


cdef inline void lay_out_directions(
    char **room, Directions *directions, Py_ssize_t n, Py_ssize_t stride
) noexcept nogil:
    directions.n = n
    directions.rows = <float **>reserve(room, blocks_of(n) * BLOCK * sizeof(void *))
    directions.along = <float *>reserve(room, (blocks_of(n) + 1) * SLOTS * sizeof(float))
    directions.memory = <float *>reserve(room, blocks_of(n) * BLOCK * stride * sizeof(float))


cdef inline Py_ssize_t lay_out_side(
    char *base, Side *side, Py_ssize_t d, Py_ssize_t k, Py_ssize_t q
) noexcept nogil:
    """Place everything behind base and return the size of it all."""
    cdef char *room = base
    side.d = d
    side.stride = (d + LANES - 1) // LANES * LANES
    lay_out_directions(&room, &side.own, k, side.stride)
    lay_out_directions(&room, &side.other, q, side.stride)
    side.eigenvalues = <float *>reserve(&room, (k + LANES) * sizeof(float))
    side.factors = <float *>reserve(&room, (k + LANES) * sizeof(float))
    side.sum = <float *>reserve(&room, side.stride * sizeof(float))
    side.row = <float *>reserve(&room, side.stride * sizeof(float))
    side.w = <double *>reserve(&room, MOST * sizeof(double))
    side.push = <double *>reserve(&room, MOST * sizeof(double))
    side.shared = <double *>reserve(&room, MOST * MOST * sizeof(double))
    side.pushed = <double *>reserve(&room, MOST * MOST * sizeof(double))
    return room - base


cdef void fill_directions(
    Directions *directions, const float[:, ::1] given, Py_ssize_t stride
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(blocks_of(directions.n) * BLOCK):
        directions.rows[i] = directions.memory + i * stride
        if i < directions.n:
            memcpy(directions.rows[i], &given[i, 0], given.shape[1] * sizeof(float))


cdef void fill_eigenvalues(Side *side, const float[::1] eigenvalues, float rest) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(side.own.n + LANES):
        side.eigenvalues[i] = max(eigenvalues[i], 0) if i < side.own.n else max(rest, 0)


cdef inline void find_along(
    Directions *directions, Py_ssize_t n_blocks, const float *row, Py_ssize_t stride
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n_blocks):
        dot_one(row, directions.rows + i * BLOCK, 0, stride, directions.along + i * SLOTS)


cdef inline float *slot(Directions *directions, Py_ssize_t i) noexcept nogil:
    return directions.along + i // BLOCK * SLOTS + i % BLOCK


cdef inline void add_along(
    const Directions *directions, Py_ssize_t n, float others, float *row, Py_ssize_t stride
) noexcept nogil:
    """row ← others · row + Σᵢ alongᵢ uᵢ"""
    cdef lanes v
    cdef Py_ssize_t i, j = 0
    while j < stride:
        v = broadcast(others) * load(row + j)
        for i in range(n):
            v += broadcast(directions.along[i // BLOCK * SLOTS + i % BLOCK]) * load(directions.rows[i] + j)
        store(row + j, v)
        j += LANES


cdef inline noinline_void hold_back(Side *side, float *sum, float total, float m) noexcept nogil:
    """sum ← Σᵢ f(λᵢ) (uᵢ · sum) uᵢ"""
    cdef Py_ssize_t k = side.own.n, n = 0, i = 0
    cdef lanes z
    cdef float others
    while n < k and total * (side.eigenvalues[n] - side.eigenvalues[k]) > NEGLIGIBLE:
        n += 1
    while i <= k:
        if i < n or i + LANES > k:
            z = broadcast(total) * load(side.eigenvalues + i)
            store(side.factors + i, mean_decay(z) / mean_decay(z / broadcast(m)))
        i += LANES
    others = side.factors[k]
    find_along(&side.own, blocks_of(n), sum, side.stride)
    for i in range(n):
        slot(&side.own, i)[0] *= side.factors[i] - others
    add_along(&side.own, n, others, sum, side.stride)


cdef inline bint is_steep(Side *side, float total) noexcept nogil:
    """Whether what both sides share counts in the row's change."""
    return side.other.n and total * side.eigenvalues[0] > NEGLIGIBLE


cdef inline void find_shares(Side *side, const float *row, float total) noexcept nogil:
    """Fill factors with s, and w."""
    cdef Py_ssize_t i = 0
    cdef lanes z
    while i < side.other.n:
        z = broadcast(total) * load(side.eigenvalues + i)
        store(side.factors + i, z * mean_decay(z))
        i += LANES
    find_along(&side.other, blocks_of(side.other.n), row, side.stride)
    for i in range(side.other.n):
        side.w[i] = slot(&side.other, i)[0]


cdef inline void add_pushes(Side *side, const float *sum, const float *row, float total) noexcept nogil:
    cdef Py_ssize_t q = side.other.n, i, j
    cdef double weight
    find_shares(side, row, total)
    find_along(&side.own, blocks_of(q), sum, side.stride)
    for i in range(q):
        side.push[i] = slot(&side.own, i)[0] / (side.factors[i] if side.factors[i] > 0 else 1)
    for j in range(q):
        weight = total * side.w[j]
        for i in range(MOST):
            side.shared[j * MOST + i] += weight * side.w[i]
            side.pushed[j * MOST + i] += weight * side.push[i]


cdef inline void solve(double *matrix, double *right, Py_ssize_t n) noexcept nogil:
    """Replace the right sides of the equations of a symmetric positive definite matrix by their solutions."""
    cdef Py_ssize_t i, j, k
    cdef double factor
    for i in range(n):
        for j in range(i + 1, n):
            factor = matrix[j * MOST + i] / matrix[i * MOST + i]
            for k in range(i, n):
                matrix[j * MOST + k] -= factor * matrix[i * MOST + k]
            for k in range(n):
                right[j * MOST + k] -= factor * right[i * MOST + k]
    for i in range(n - 1, -1, -1):
        for k in range(n):
            for j in range(i + 1, n):
                right[i * MOST + k] -= matrix[i * MOST + j] * right[j * MOST + k]
            right[i * MOST + k] /= matrix[i * MOST + i]


cdef inline void halve_shared(Side *side, float *sum, const float *row, float total) noexcept nogil:
    """sum ← sum − Σᵢ sᵢ² / 2 (w E)ᵢ uᵢ"""
    cdef Py_ssize_t q = side.other.n, i, j
    find_shares(side, row, total)
    for i in range(MOST):
        side.push[i] = 0
    for j in range(q):
        for i in range(MOST):
            side.push[i] += side.pushed[j * MOST + i] * side.w[j]
    for i in range(q):
        slot(&side.own, i)[0] = <float>(-0.5 * side.factors[i] * side.factors[i] * side.push[i])
    add_along(&side.own, q, 1, sum, side.stride)


cdef inline float *padded(float *room, float *row, Py_ssize_t d, Py_ssize_t stride) noexcept nogil:
    """Return a row, or a copy with zeros behind it."""
    if d < stride:
        memcpy(room, row, d * sizeof(float))
        return room
    return row


cdef inline void fetch_used(
    const float[:, ::1] block, const float[:, ::1] sums, const double[:, ::1] counts, Py_ssize_t i
) noexcept nogil:
    if i < block.shape[0] and counts[i, 0] > 0:
        fetch(&block[i, 0], block.shape[1])
        fetch(&sums[i, 0], block.shape[1])


cdef void combine_rows(
    Side *side, float[:, ::1] block, float[:, ::1] sums, double[:, ::1] counts
) noexcept nogil:
    cdef Py_ssize_t n = block.shape[0], d = side.d, q = side.other.n, i, k
    cdef double exposure, squares
    cdef float *sum
    cdef float total
    for i in range(n):
        fetch_used(block, sums, counts, i + AHEAD)
        exposure, squares = counts[i, 0], counts[i, 1]
        total = <float>(side.rate * exposure)
        if exposure * exposure <= squares and not is_steep(side, total):
            continue  # of one lane, or none
        sum = padded(side.sum, &sums[i, 0], d, side.stride)
        if exposure * exposure > squares:
            hold_back(side, sum, total, <float>max(1, exposure * exposure / squares))
            if sum == side.sum:
                memcpy(&sums[i, 0], sum, d * sizeof(float))
        if is_steep(side, total):
            add_pushes(side, sum, padded(side.row, &block[i, 0], d, side.stride), total)
    for i in range(q):
        side.shared[i * MOST + i] += RIDGE * side.shared[i * MOST + i] + LEAST
    solve(side.shared, side.pushed, q)
    for i in range(n):
        fetch_used(block, sums, counts, i + AHEAD)
        if counts[i, 0] > 0:
            total = <float>(side.rate * counts[i, 0])
            sum = padded(side.sum, &sums[i, 0], d, side.stride)
            if is_steep(side, total):
                halve_shared(side, sum, padded(side.row, &block[i, 0], d, side.stride), total)
            for k in range(d):
                block[i, k] += sum[k]
            counts[i, 0] = counts[i, 1] = 0


def combine(
    float[:, ::1] block,
    float[:, ::1] sums,
    double[:, ::1] counts,
    double rate,
    const float[:, ::1] directions,
    const float[::1] eigenvalues,
    float rest,
    const float[:, ::1] others,
):
    """Move the rows of a block by what the lanes of a round have changed."""
    cdef Side side
    cdef Py_ssize_t d = block.shape[1], k = eigenvalues.shape[0], q = others.shape[0]
    cdef void *memory = NULL
    cdef char *room
    if directions.shape[0] != k or directions.shape[1] != d:
        raise ValueError(
            f"directions must be {k} rows of {d}, got {(directions.shape[0], directions.shape[1])}"
        )
    if q > min(k, MOST) or others.shape[1] != d:
        raise ValueError(f"others must be at most {min(k, MOST)} rows of {d}, got {(q, others.shape[1])}")
    check_sums(sums, counts, block.shape[0], d)
    with nogil:
        room = <char *>allocate_zeros(&memory, lay_out_side(NULL, &side, d, k, q))
        if room != NULL:
            lay_out_side(room, &side, d, k, q)
            side.rate = rate
            fill_directions(&side.own, directions, side.stride)
            fill_directions(&side.other, others, side.stride)
            fill_eigenvalues(&side, eigenvalues, rest)
            combine_rows(&side, block, sums, counts)
        free(memory)
    if room == NULL:
        raise MemoryError("no memory for the directions of a block")


# ---- Balance -----------------------------------------------------------------------------------------------


cdef char *make_directions(
    void **memory, Directions *directions, const float[:, ::1] given, Py_ssize_t stride
) noexcept nogil:
    """Return NULL without memory, which is to be freed in any case."""
    cdef char *room = NULL
    cdef char *begin
    lay_out_directions(&room, directions, given.shape[0], stride)
    begin = room = <char *>allocate_zeros(memory, <Py_ssize_t>room)
    if room != NULL:
        lay_out_directions(&room, directions, given.shape[0], stride)
        fill_directions(directions, given, stride)
    return begin


cdef int check_directions(const float[:, ::1] directions, Py_ssize_t stride) except -1:
    if directions.shape[1] != stride:
        raise ValueError(f"directions must be rows of {stride} numbers, got {directions.shape[1]}")
    return 0


def moment(const float[:, ::1] matrix, const int32_t[::1] rows, const float[:, ::1] directions):
    """Add up the outer products of where rows lie along directions."""
    cdef Directions guides
    cdef Py_ssize_t n = check_rows(rows, 0, matrix.shape[0]), q = directions.shape[0], i, j, k
    cdef void *memory = NULL
    cdef double along
    cdef char *room
    check_directions(directions, matrix.shape[1])
    found = np.zeros((q, q))
    cdef double[:, ::1] total = found
    with nogil:
        room = make_directions(&memory, &guides, directions, matrix.shape[1])
        for i in range(n if room != NULL else 0):
            if i + AHEAD < n:
                fetch(&matrix[rows[i + AHEAD], 0], matrix.shape[1])
            find_along(&guides, blocks_of(q), &matrix[rows[i], 0], matrix.shape[1])
            for j in range(q):
                along = slot(&guides, j)[0]
                for k in range(j + 1):
                    total[j, k] += along * slot(&guides, k)[0]
        free(memory)
        for j in range(q):
            for k in range(j):
                total[k, j] = total[j, k]
    if room == NULL:
        raise MemoryError("no memory for the directions of a block")
    return found


def stretch(
    float[:, ::1] matrix, const int32_t[::1] rows, const float[:, ::1] directions, const float[:, ::1] growth
):
    """Let rows grow along directions."""
    cdef Directions guides
    cdef Py_ssize_t n = check_rows(rows, 0, matrix.shape[0]), q = directions.shape[0], i, j, k
    cdef void *memory = NULL
    cdef float[SLOTS] grown
    cdef char *room
    check_directions(directions, matrix.shape[1])
    if not growth.shape[0] == growth.shape[1] == q or q > SLOTS:
        raise ValueError(
            f"growth must be of {q} directions, at most {SLOTS}, got {(growth.shape[0], growth.shape[1])}"
        )
    with nogil:
        room = make_directions(&memory, &guides, directions, matrix.shape[1])
        for i in range(n if room != NULL else 0):
            find_along(&guides, blocks_of(q), &matrix[rows[i], 0], matrix.shape[1])
            for j in range(q):
                grown[j] = 0
                for k in range(q):
                    grown[j] += growth[j, k] * slot(&guides, k)[0]
            for j in range(q):
                slot(&guides, j)[0] = grown[j]
            add_along(&guides, q, 1, &matrix[rows[i], 0], matrix.shape[1])
        free(memory)
    if room == NULL:
        raise MemoryError("no memory for the directions of a block")
