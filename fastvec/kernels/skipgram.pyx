"""Skip-gram with negative sampling.

Objective. For a centre word with contexts c = 1..C (input vectors x_c) and K noise words (negatives), with
y₀ the output vector of the centre and y₁..y_K those of the negatives, minimize

    J = Σ_c [ −log σ(x_c · y₀) − Σ_{k=1..K} log σ(−x_c · y_k) ]

Gradient. With the labels t₀ = 1, t_k = 0 and the errors δ_cn = σ(x_c · yₙ) − tₙ,

    ∂J/∂x_c = Σₙ δ_cn yₙ        ∂J/∂yₙ = Σ_c δ_cn x_c

Update. x_c ← x_c − η ∂J/∂x_c and yₙ ← yₙ − η ∂J/∂yₙ, every right-hand side from before the update. A word
that occurs twice among the contexts or the negatives counts twice; a negative that is the centre is left out.

Compromises, and where they come from:

- The inputs are the contexts and the output is the centre, as in word2vec.c, so that a window is a small
  matrix product. With ``shared=True`` all its contexts share one set of K negatives (HogBatch: Ji, Satish, Li
  and Dubey 2016), at most ``MAX_SHARED`` contexts an update; with ``shared=False`` every (centre, context)
  pair has its own negatives and its own update, one after the other (Mikolov et al. 2013).
- σ comes from a table of 16 cubics on [−8, 8], absolute error below 3e-6; outside it keeps the value at the
  edge, so that the gradient saturates and does not vanish.
- Several threads may call `train` on the same matrices without locks (Hogwild: Niu, Recht, Ré and Wright
  2011).
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from .negative_sampling cimport (
    Step, allocate, compute_coefficients, compute_loss, find_outputs, merge_inputs, merge_outputs,
    update_rows, use_inputs, use_outputs,
)
from .sampling cimport draw_negatives
from .tiles cimport BLOCK
from .vector cimport fill_sigmoid_table
from .walk cimport Walk, walk_chunk

cdef enum:
    MAX_SHARED = 16    # more inputs in one step and the sum of their gradients overshoots
    AHEAD = 3          # positions between the prefetch of a row and its use
    DRAWN = 64         # positions whose negatives are drawn together: the table's cache misses overlap

fill_sigmoid_table()


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
            words[0] = center
            if n_outputs > 1:
                memcpy(words + 1, &negatives[0], (n_outputs - 1) * sizeof(int32_t))
            merge_inputs(&work, &input_vectors[0, 0], &contexts[0], n_contexts)
            merge_outputs(&work, &output_vectors[0, 0], words, n_outputs)
            loss = compute_loss(&work)
            compute_coefficients(&work, learning_rate)
            update_rows(&work)
        free(words)
        free(work.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a step")
    return loss


cdef struct Drawn:
    # The outputs of DRAWN + AHEAD positions: for each as many sets as it may need, a set being the centre
    # and its negatives.
    Py_ssize_t sets            # of a position, at most
    Py_ssize_t set_size        # words of a set
    Py_ssize_t set_rows        # rows of a set, whole blocks
    int32_t *words             # [position][set][set_size]
    Py_ssize_t position_rows   # rows of a position: all sets, and an input row to be fetched with them
    float **rows               # [position][position_rows]
    bint *repeats              # [position][set]: whether a word occurs twice


cdef int allocate_drawn(Drawn *drawn, Py_ssize_t negatives, Py_ssize_t sets) noexcept nogil:
    """Return 0 on success; rows, words and repeats are to be freed by the caller."""
    cdef Py_ssize_t n_sets = (DRAWN + AHEAD) * sets
    drawn.sets = sets
    drawn.set_size = 1 + negatives
    drawn.set_rows = (drawn.set_size + BLOCK - 1) // BLOCK * BLOCK
    drawn.position_rows = sets * drawn.set_rows + 1
    drawn.words = <int32_t *>malloc(n_sets * drawn.set_size * sizeof(int32_t))
    drawn.rows = <float **>malloc((DRAWN + AHEAD) * drawn.position_rows * sizeof(float *))
    drawn.repeats = <bint *>malloc(n_sets * sizeof(bint))
    return 0 if drawn.words != NULL and drawn.rows != NULL and drawn.repeats != NULL else -1


cdef inline Py_ssize_t sets_of(const Walk *walk, Py_ssize_t i, bint shared) noexcept nogil:
    return 1 if shared else walk.end[i] - walk.begin[i] - 1


cdef void draw_outputs(
    Drawn *drawn, const Step *step, const Walk *walk, Py_ssize_t begin, Py_ssize_t end, bint shared,
    float *output_vectors, const uint32_t *noise, uint32_t n_words, uint64_t key,
) noexcept nogil:
    """Draw the negatives of the walk's positions begin <= i < end and find their rows."""
    cdef Py_ssize_t i, s, n
    cdef Py_ssize_t n_negatives = drawn.set_size - 1
    cdef uint64_t draws_per_token = 1 + drawn.sets * n_negatives
    cdef int32_t *words
    for i in range(begin, end):
        for s in range(sets_of(walk, i, shared)):
            n = (i - begin) * drawn.sets + s
            words = drawn.words + n * drawn.set_size
            words[0] = walk.words[i]
            draw_negatives(
                words + 1, n_negatives, key, walk.positions[i] * draws_per_token + 1 + s * n_negatives,
                noise, n_words,
            )
            drawn.repeats[n] = find_outputs(
                step, output_vectors, words, drawn.set_size,
                drawn.rows + (i - begin) * drawn.position_rows + s * drawn.set_rows
            )


cdef inline void find_contexts(
    const Walk *walk, Py_ssize_t i, Py_ssize_t window, float *input_vectors, Py_ssize_t stride,
    int32_t *contexts, float **rows,
) noexcept nogil:
    """The words around i with their rows: always 2 · window, so that their number need not be guessed."""
    cdef const int32_t *words = walk.words + walk.begin[i]
    cdef Py_ssize_t c, center = i - walk.begin[i]
    for c in range(2 * window):
        contexts[c] = words[c + (c >= center)]
        rows[c] = input_vectors + contexts[c] * stride


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
    cdef Drawn drawn
    cdef float *inputs = &input_vectors[0, 0]
    cdef float *outputs = &output_vectors[0, 0]
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef uint32_t n_words = <uint32_t>keep.shape[0]
    cdef Py_ssize_t sets = 1 if shared else 2 * window
    cdef Py_ssize_t at_once = MAX_SHARED if shared else 1
    cdef int32_t *contexts
    cdef float **rows          # of the contexts
    cdef Py_ssize_t begin, i, n, c, n_contexts, next_sets
    cdef float **next_rows     # of the position that is AHEAD
    cdef int64_t sampled_pairs = 0, pairs = 0
    cdef double loss = 0
    cdef bint sampled, x_repeats, failed
    walk.memory = NULL
    work.memory = NULL
    with nogil:
        contexts = <int32_t *>malloc(2 * window * sizeof(int32_t))
        rows = <float **>malloc(2 * window * sizeof(float *))
        failed = (
            allocate_drawn(&drawn, negatives, sets) != 0
            or contexts == NULL
            or rows == NULL
            or allocate(&work, stride, at_once, drawn.set_size) != 0
            or walk_chunk(
                &walk, &ids[0], &sentence_offsets[0], sentence_offsets.shape[0] - 1, start, stop,
                &keep[0], n_words, <uint32_t>window, key, 1 + sets * negatives
            ) != 0
        )
        begin = walk.first
        while not failed and begin < walk.last:
            draw_outputs(
                &drawn, &work, &walk, begin, min(begin + DRAWN + AHEAD, walk.last), shared,
                outputs, &noise[0, 0], n_words, key
            )
            for i in range(begin, min(begin + DRAWN, walk.last)):
                sampled = walk.positions[i] & (loss_every - 1) == 0
                n_contexts = walk.end[i] - walk.begin[i] - 1
                pairs += n_contexts
                sampled_pairs += n_contexts if sampled else 0
                next_rows = drawn.rows + (i - begin + AHEAD) * drawn.position_rows
                next_sets = 0
                if i + AHEAD < walk.last:
                    next_sets = sets_of(&walk, i + AHEAD, shared)
                    n = min(i + AHEAD + window, walk.last - 1)
                    next_rows[next_sets * drawn.set_rows] = inputs + walk.words[n] * stride
                find_contexts(&walk, i, window, inputs, stride, contexts, rows)
                x_repeats = shared and walk.distinct[walk.end[i] - 1] > walk.begin[i]
                c = 0
                while c < n_contexts:
                    if x_repeats:
                        merge_inputs(&work, inputs, contexts + c, min(at_once, n_contexts - c))
                    else:
                        use_inputs(&work, rows + c, min(at_once, n_contexts - c))
                    if c == 0 or not shared:
                        n = (i - begin) * sets + c
                        if drawn.repeats[n]:
                            merge_outputs(&work, outputs, drawn.words + n * drawn.set_size, drawn.set_size)
                        else:
                            use_outputs(
                                &work, drawn.rows + (i - begin) * drawn.position_rows + c * drawn.set_rows,
                                drawn.set_size
                            )
                    if sampled:
                        loss += compute_loss(&work)
                    # the same set of that position without its centre, the last step all that is left
                    n = next_sets if c + at_once >= n_contexts else min(c + 1, next_sets)
                    work.next_rows = next_rows + c * drawn.set_rows + (c > 0)
                    work.n_next = max(0, (n - c) * drawn.set_rows + (n == next_sets) - (c > 0))
                    compute_coefficients(&work, learning_rate)
                    update_rows(&work)
                    c += at_once
            begin += DRAWN
        free(drawn.words)
        free(drawn.rows)
        free(drawn.repeats)
        free(contexts)
        free(rows)
        free(work.memory)
        free(walk.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return loss, sampled_pairs, pairs
