"""Continuous bag of words (CBOW) with negative sampling.

Objective. For a centre word with contexts c = 1..C (input vectors x_c) and K noise words (negatives), with
y₀ the output vector of the centre and y₁..y_K those of the negatives, minimize

    J = −log σ(h · y₀) − Σ_{k=1..K} log σ(−h · y_k)        with    h = (1/C) Σ_c d_p(c) ∘ x_c

where d_p is the weight of position p of a window, learned like the vectors [2], or 1 without weights [1].

Gradient. With the labels t₀ = 1, t_k = 0, the errors δₙ = σ(h · yₙ) − tₙ and ε = Σₙ δₙ yₙ = ∂J/∂h,

    ∂J/∂yₙ = δₙ h        ∂J/∂x_c = (1/C) d_p(c) ∘ ε        ∂J/∂d_p = (1/C) Σ_{c: p(c) = p} x_c ∘ ε

Update. Every parameter moves by −η times its derivative, every right-hand side from before the update. A word
that occurs twice among the contexts or the negatives counts twice; a negative that is the centre is left out.

Compromises, and where they come from:

- With ``scale_gradient=False`` the factor 1/C of the last two derivatives is left out, as word2vec.c and
  gensim do: the inputs move C times too far, and further in long windows than in short ones [3]. A context
  that occurs several times moves as if once; there it moves every time, which can diverge.
- σ comes from a table of 16 cubics on [−8, 8], absolute error below 3e-6; outside it keeps the value at the
  edge, so that the gradient saturates and does not vanish.
- Several threads may call `train` on the same matrices without locks (Hogwild: Niu, Recht, Ré and Wright
  2011).

References: [1] Mikolov, Chen, Corrado and Dean 2013, arXiv:1301.3781. [2] Mikolov, Grave, Bojanowski, Puhrsch
and Joulin 2018, arXiv:1712.09405. [3] Irsoy, Benton and Stratos 2021, arXiv:2012.15332.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from .distinct cimport Seen, move_repeats_behind, start_round
from .drawn cimport Drawn, allocate_drawn, draw_outputs, free_drawn, repeats_of, rows_ahead, rows_of
from .hidden cimport add_to_rows, average, take_mean_step, update_outputs
from .logistic cimport (
    Step, allocate, compute_coefficients, compute_loss, merge_outputs, use_inputs, use_outputs,
)
from .vector cimport LANES, broadcast, copy_rows, fill_sigmoid_table, lanes, load, store
from .walk cimport Walk, find_repeats, walk_chunk, walk_rows

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
    float *scales, float **rows, Py_ssize_t n_rows, bint repeats, bint scale_gradient
) noexcept nogil:
    """1/C for every row, or one over how often it occurs."""
    cdef Py_ssize_t c, other, n
    for c in range(n_rows):
        n = n_rows if scale_gradient else 1
        for other in range(n_rows if repeats and not scale_gradient else 0):
            n += other != c and rows[other] == rows[c]
        scales[c] = 1.0 / <float>n


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
    const float *context_scales, const float *weight_scales,
) noexcept nogil:
    """x_c += scale · d_p(c) ∘ e and d_p += scale · x_c ∘ e, every right-hand side from before."""
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
        k = 0
        while k < stride:
            change = s * load(e + k) * load(weighted.weights[c] + k)
            store(contexts[c] + k, load(contexts[c] + k) + change)
            k += LANES
    for c in range(n_contexts):
        add_to_rows(weighted.weights + c, 1, weighted.products[c], stride, 1)


cdef inline void take_weighted_step(
    Step *work, Weighted *weighted, float **contexts, Py_ssize_t n_contexts, bint contexts_repeat,
    bint weights_repeat, bint scale_gradient, float learning_rate, double *loss,
) noexcept nogil:
    """take_mean_step() of contexts that are weighted by their positions."""
    cdef float mean = 1.0 / <float>n_contexts
    cdef float *e = work.hidden + work.stride
    cdef float *context_scales = weighted.scales
    cdef float *weight_scales = weighted.scales + n_contexts
    multiply_rows(contexts, weighted.weights, n_contexts, work.stride, weighted.products)
    average(work.hidden, weighted.products, n_contexts, work.stride, mean)
    use_inputs(work, &work.hidden, 1)
    if loss != NULL:
        loss[0] += compute_loss(work)
    compute_coefficients(work, learning_rate)
    update_outputs(work, e)
    find_scales(context_scales, contexts, n_contexts, contexts_repeat, scale_gradient)
    find_scales(weight_scales, weighted.weights, n_contexts, weights_repeat, scale_gradient)
    update_weighted(weighted, contexts, n_contexts, e, work.stride, context_scales, weight_scales)


def step(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    float[:, ::1] position_weights,
    const int32_t[::1] contexts,
    const int32_t[::1] positions,
    int32_t center,
    const int32_t[::1] negatives,
    bint scale_gradient,
    float learning_rate,
):
    """Take one gradient step for one window.

    Parameters
    ----------
    input_vectors, output_vectors : IN/OUT, float32 (n_words, stride)
        The matrices, rows padded with zeros to a multiple of 16.
    position_weights : IN/OUT, float32 (2 · window, stride), or None
        d, a row for every position of a window.
    contexts : IN, int32 (C,)
        Word ids, C >= 1, repetitions allowed.
    positions : IN, int32 (C,)
        The row of position_weights of every context, if there are any.
    center : IN, int
        Word id.
    negatives : IN, int32 (K,)
        Word ids, K >= 0, repetitions and the centre allowed.
    scale_gradient : IN, bool
        Whether the inputs and the weights take the gradient of the mean, or C times as much; those that are
        repeated take the mean.
    learning_rate : IN, float
        η; with 0 nothing changes.

    Returns
    -------
    float
        J before the update.
    """
    cdef Step work
    cdef Weighted weighted
    cdef Seen seen
    cdef bint weighs = position_weights is not None
    cdef Py_ssize_t n_contexts = contexts.shape[0], n_outputs = 1 + negatives.shape[0], i
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef float **rows
    cdef double loss = 0
    cdef bint failed
    memset(&work, 0, sizeof(work))
    memset(&weighted, 0, sizeof(weighted))
    memset(&seen, 0, sizeof(seen))
    with nogil:
        rows = <float **>malloc((n_contexts + n_outputs) * sizeof(float *))
        failed = (
            rows == NULL or allocate(&work, stride, 1, n_outputs) != 0
            or (weighs and allocate_weighted(&weighted, n_contexts, stride) != 0)
            or start_round(&seen, n_contexts) != 0
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
                    &work, &weighted, rows, n_contexts, True, True, scale_gradient, learning_rate, &loss
                )
            else:
                take_mean_step(
                    &work, rows, n_contexts, move_repeats_behind(&seen, rows, n_contexts), scale_gradient,
                    learning_rate, &loss
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
    bint scale_gradient,
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
    position_weights : IN/OUT, float32 (2 · window, stride), or None
        d: positions −window..−1, then 1..window, counted in kept words from the centre.
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
    scale_gradient : IN, bool
        Whether the inputs and the weights take the gradient of the mean, or C times as much; those that are
        repeated take the mean.
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
        Windows in that sum, and trained in all: those with a context.
    """
    cdef Step work
    cdef Walk walk
    cdef Drawn drawn
    cdef Weighted weighted
    cdef Seen seen
    cdef bint weighs = position_weights is not None
    cdef float *inputs = &input_vectors[0, 0]
    cdef float *outputs = &output_vectors[0, 0]
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef uint32_t n_words = <uint32_t>keep.shape[0]
    cdef Py_ssize_t ahead = rows_ahead(2 + negatives, stride)
    cdef float **rows = NULL   # of the words of the walk
    cdef float **contexts
    cdef Py_ssize_t i, c, n_contexts, n_distinct, before
    cdef int64_t sampled_pairs = 0, pairs = 0
    cdef double loss = 0
    cdef bint sampled, repeats, failed
    memset(&walk, 0, sizeof(walk))
    memset(&work, 0, sizeof(work))
    memset(&weighted, 0, sizeof(weighted))
    memset(&seen, 0, sizeof(seen))
    with nogil:
        contexts = <float **>malloc((4 * window + 8) * sizeof(float *))
        failed = (
            allocate_drawn(&drawn, negatives, 1, 1) != 0
            or contexts == NULL
            or allocate(&work, stride, 1, 1 + negatives) != 0
            or (weighs and allocate_weighted(&weighted, 2 * window, stride) != 0)
            or walk_chunk(
                &walk, &ids[0], &sentence_offsets[0], sentence_offsets.shape[0] - 1, start, stop,
                &keep[0], n_words, <uint32_t>window, key, 1 + negatives
            ) != 0
        )
        if not failed:
            if not scale_gradient:
                find_repeats(&walk, window)
            rows = walk_rows(&walk, inputs, stride, 2 * window + 8)
            failed = rows == NULL
        drawn.stop = walk.first
        for i in range(walk.first, walk.first if failed else walk.last):
            if i + ahead >= drawn.stop and drawn.stop < walk.last:
                draw_outputs(
                    &drawn, &work, &walk, window, min(i + drawn.capacity, walk.last),
                    inputs, outputs, &noise[0, 0], n_words, key
                )
            before = i - walk.begin[i]
            n_contexts = walk.end[i] - walk.begin[i] - 1
            if n_contexts == 0:
                continue
            sampled = walk.positions[i] & (loss_every - 1) == 0
            pairs += 1
            sampled_pairs += sampled
            # always the rows of as many contexts as there can be
            copy_rows(contexts, rows + walk.begin[i], 2 * window)
            copy_rows(contexts + before, rows + i + 1, 2 * window)
            if weighs:
                for c in range(n_contexts):
                    weighted.weights[c] = &position_weights[0, 0] + (window - before + c) * stride
            if repeats_of(&drawn, i)[0]:
                merge_outputs(&work, rows_of(&drawn, i), 1 + negatives)
            else:
                use_outputs(&work, rows_of(&drawn, i), 1 + negatives)
            work.next_rows = rows_of(&drawn, i + ahead)
            work.n_next = drawn.set_rows + 1 if i + ahead < walk.last else 0
            repeats = not scale_gradient and walk.distinct[walk.end[i] - 1] > walk.begin[i]
            if weighs:
                take_weighted_step(
                    &work, &weighted, contexts, n_contexts, repeats, False, scale_gradient, learning_rate,
                    &loss if sampled else NULL
                )
                continue
            n_distinct = n_contexts
            if repeats:
                failed = start_round(&seen, n_contexts) != 0
                if failed:
                    break
                n_distinct = move_repeats_behind(&seen, contexts, n_contexts)
            take_mean_step(
                &work, contexts, n_contexts, n_distinct, scale_gradient, learning_rate,
                &loss if sampled else NULL
            )
        free_drawn(&drawn)
        free(contexts)
        free(rows)
        free(seen.slots)
        free_weighted(&weighted)
        free(work.memory)
        free(walk.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return loss, sampled_pairs, pairs
